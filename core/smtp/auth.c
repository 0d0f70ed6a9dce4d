/* SPDX-License-Identifier: GPL-3.0-or-later */

/* auth.c: the verb AUTH and the exchange that follows it (RFC 4954).
 *
 *   AUTH ──► 334 ──► line ──► 334 ... ──► the handler's verdict ──► 235, 535
 *                     └── "*", or nonsense ──► 501
 *
 * While an exchange runs every line belongs to it. None of them is shown or kept. */

#include "smtp/session-private.h"

#include <string.h>

#define HIDDEN "(hidden)"
#define MAX_WORD 32 /* a name of a mechanism has at most 20, RFC 4422 §3.1 */

struct _PrAuth
{
  PrSaslServerWorld world;
  PrSaslServer *server; /* owned */
};

static char *
find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user)
{
  PrSession *session = owner;

  return session->handler->find_secret (session->owner, mechanism, user);
}

static GBytes *
get_binding (gpointer owner, const char *type)
{
  PrSession *session = owner;

  return session->handler->get_binding != NULL
           ? session->handler->get_binding (session->owner, type)
           : NULL;
}

static void
end_exchange (PrSession *self)
{
  if (self->auth == NULL)
    return;

  pr_sasl_server_free (self->auth->server);
  g_clear_pointer (&self->auth, g_free);
}

/* The mechanism was followed to its end; only the handler knows whether that is enough. */
static void
conclude (PrSession *self, PrSaslStep step)
{
  PrSaslServer *server = self->auth->server;
  g_autofree char *user = g_strdup (pr_sasl_server_get_user (server));
  PrSaslCheck *check = step == PR_SASL_CHECK ? pr_sasl_server_take_check (server) : NULL;

  end_exchange (self);
  g_free (self->claimed_user);
  self->claimed_user = g_steal_pointer (&user);
  pr_session_settle (self, PR_STEP_AUTH,
                     self->handler->auth (self->owner,
                                          self->claimed_user != NULL ? self->claimed_user : "",
                                          check, step == PR_SASL_DONE));
}

static void
advance (PrSession *self, const char *line, gsize len)
{
  g_autofree char *challenge = NULL;
  PrSaslStep step = pr_sasl_server_step (self->auth->server, line, len, &challenge);

  switch (step)
    {
    case PR_SASL_CONTINUE: pr_session_say (self, 334, NULL, challenge); return;
    case PR_SASL_CHECK:
    case PR_SASL_DONE:
    case PR_SASL_REFUSED: conclude (self, step); return;
    case PR_SASL_BROKEN:
    default:
      end_exchange (self);
      pr_session_refuse (self, PR_REFUSE (501, "5.5.2", "This is not how this mechanism goes on"));
    }
}

void
pr_session_end_auth (PrSession *self)
{
  end_exchange (self);
  g_clear_pointer (&self->claimed_user, g_free);
}

void
pr_session_settle_auth (PrSession *self, PrVerdict verdict)
{
  if (verdict.kind == PR_VERDICT_ACCEPT)
    {
      g_free (self->user);
      self->user = g_steal_pointer (&self->claimed_user);
      pr_session_say (self, 235, "2.7.0", verdict.text != NULL ? verdict.text : "Signed in");
      return;
    }

  g_clear_pointer (&self->claimed_user, g_free);
  pr_session_refuse (self, verdict);
}

void
pr_session_take_response (PrSession *self, const char *line, gsize len)
{
  if (len == 1 && *line == '*')
    {
      pr_session_trace (self, FALSE, line, len);
      end_exchange (self);
      pr_session_refuse (self, PR_REFUSE (501, "5.7.0", "Signing in was cancelled"));
      return;
    }

  pr_session_trace (self, FALSE, HIDDEN, strlen (HIDDEN));
  advance (self, line, len);
}

void
pr_session_refuse_response (PrSession *self)
{
  pr_session_trace (self, FALSE, HIDDEN, strlen (HIDDEN));
  end_exchange (self);
  pr_session_refuse (self, PR_REFUSE (500, "5.5.6", "The line is longer than 12288 octets"));
}

/* ── The verb ─────────────────────────────────────────────────────────────────────────────── */

static gsize
word_len (const char *p, const char *end)
{
  gsize len = 0;

  while (p + len < end && p[len] != ' ' && p[len] != '\t')
    len++;
  return len;
}

void
pr_session_trace_auth (PrSession *self, const char *argument, const char *end)
{
  gsize len = word_len (argument, end);
  gboolean known = len < MAX_WORD && pr_sasl_mechanism_find (argument, len) != 0;
  char shown[64];
  int n = g_snprintf (shown, sizeof shown, "AUTH%s%.*s%s", known ? " " : "", known ? (int) len : 0,
                      argument, argument + (known ? len : 0) < end ? " " HIDDEN : "");

  pr_session_trace (self, FALSE, shown, (gsize) n);
}

PrAuthOffer
pr_session_get_auth_offer (const PrSession *self)
{
  if (self->handler->auth_offer == NULL)
    return (PrAuthOffer){ 0 };

  return self->handler->auth_offer (self->owner);
}

PrVerdict
pr_session_check_auth (const PrSession *self, const char *argument, const char *end)
{
  PrAuthOffer offer = pr_session_get_auth_offer (self);
  gsize len = word_len (argument, end);
  PrSaslMechanisms mechanism = pr_sasl_mechanism_find (argument, len);

  if ((offer.allowed | offer.needs_tls) == 0)
    return PR_REFUSE (502, "5.5.1", "This is not offered here");
  if (len == 0)
    return PR_REFUSE (501, "5.5.4", "Write AUTH and the name of a mechanism");
  if ((mechanism & offer.allowed) == 0 && (mechanism & offer.needs_tls) != 0)
    return PR_REFUSE (538, "5.7.11", "This way of signing in needs encryption; say STARTTLS first");
  if ((mechanism & offer.allowed) == 0)
    return PR_REFUSE (504, "5.5.4", "This way of signing in is not offered here");
  if (self->user != NULL)
    return PR_REFUSE (503, "5.5.1", "You have signed in already");

  return PR_ACCEPT;
}

void
pr_session_begin_auth (PrSession *self, const char *argument, const char *end)
{
  gsize len = word_len (argument, end);
  const char *initial = argument + len;

  while (initial < end && (*initial == ' ' || *initial == '\t'))
    initial++;

  self->auth = g_new0 (PrAuth, 1);
  self->auth->world = (PrSaslServerWorld){ self->options->hostname, find_secret, get_binding };
  self->auth->server =
    pr_sasl_server_new (pr_sasl_mechanism_find (argument, len), &self->auth->world, self);
  advance (self, initial < end ? initial : NULL, end - initial);
}
