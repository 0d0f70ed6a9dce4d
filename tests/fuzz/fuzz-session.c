/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client of any octets, fed twice: at once, and octet by octet. Replies and messages must be the
 * same. The first octet chooses options and verdicts. */

#include "fuzz.h"
#include "smtp/session.h"

#include <string.h>

typedef struct
{
  guint8 choice;
  guint n_asked;
  gboolean is_open;
  gboolean is_raw;
  GString *heard; /* complete messages only: what comes before a fault depends on the pieces */
  GString *body;
} World;

/* Now and then no, now and then later; the same for the same question. */
static PrVerdict
answer (World *self)
{
  guint n = self->n_asked++;

  if ((self->choice & 8) != 0 && n % 5 == 4)
    return PR_REFUSE (450, "4.7.1", "later");
  if ((self->choice & 16) != 0 && n % 3 == 2)
    return PR_PENDING;
  return PR_ACCEPT;
}

static void
on_greeted (gpointer owner, const char *name, gboolean extended)
{
  g_assert_true (g_utf8_validate (name, -1, NULL));
}

static PrVerdict
on_mail (gpointer owner, const PrEnvelope *envelope)
{
  World *self = owner;

  self->is_raw = envelope->body == PR_BODY_BINARYMIME;
  return answer (owner);
}

static PrVerdict
on_rcpt (gpointer owner, const PrEnvelope *envelope, const PrRecipient *recipient)
{
  g_assert_cmpuint (envelope->recipients->len, <, 3);
  return answer (owner);
}

static PrVerdict
on_data (gpointer owner, const PrEnvelope *envelope)
{
  World *self = owner;
  PrVerdict verdict = answer (owner);

  g_assert_false (self->is_open);
  g_assert_cmpuint (envelope->recipients->len, >, 0);
  self->is_open = verdict.kind != PR_VERDICT_REFUSE;
  g_string_truncate (self->body, 0);
  return verdict;
}

static void
on_body (gpointer owner, const char *data, gsize len)
{
  World *self = owner;

  g_assert_true (self->is_open && len > 0);
  g_string_append_len (self->body, data, len);
}

/* A text that may leave again: every line end in it is CRLF, the last one too. */
static void
check_text (const GString *body)
{
  for (gsize i = 0; i < body->len; i++)
    {
      g_assert_true (body->str[i] != '\n' || (i > 0 && body->str[i - 1] == '\r'));
      g_assert_true (body->str[i] != '\r' || (i + 1 < body->len && body->str[i + 1] == '\n'));
    }
  g_assert_true (body->len == 0 || body->str[body->len - 1] == '\n');
}

static PrVerdict
on_end (gpointer owner, PrEnvelope *envelope)
{
  World *self = owner;

  g_assert_true (self->is_open);
  self->is_open = FALSE;
  if (!self->is_raw)
    check_text (self->body);
  g_string_append_len (self->heard, self->body->str, self->body->len);
  g_string_append_printf (self->heard, "<%s> %u\n", envelope->sender, envelope->recipients->len);
  pr_envelope_free (envelope);

  return answer (owner);
}

static void
on_abandon (gpointer owner)
{
  World *self = owner;

  g_assert_true (self->is_open);
  self->is_open = FALSE;
}

static PrAuthOffer
on_auth_offer (gpointer owner)
{
  return (PrAuthOffer){ PR_SASL_SCRAM_SHA_256 | PR_SASL_PLAIN | PR_SASL_LOGIN, 0 };
}

static char *
on_find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user)
{
  g_autoptr (GBytes) key = g_bytes_new_static ("key", 3);

  return pr_sasl_make_up_secret (mechanism, user, NULL, key);
}

static PrVerdict
on_auth (gpointer owner, const char *user, PrSaslCheck *check, gboolean is_proven)
{
  g_assert (!is_proven);
  pr_sasl_check_free (check);
  return *user == 'u' ? PR_ACCEPT : *user == 'p' ? PR_PENDING : PR_REFUSE (535, "5.7.8", "Wrong");
}

static const PrSessionHandler handler = {
  on_greeted,
  on_mail,
  on_rcpt,
  on_data,
  on_body,
  on_end,
  on_abandon,
  .auth_offer = on_auth_offer,
  .find_secret = on_find_secret,
  .auth = on_auth,
};

static void
feed (PrSession *session, const char *data, gsize len, GString *out)
{
  gsize taken = pr_session_feed (session, data, len, out);

  while (pr_session_get_phase (session) == PR_SESSION_PENDING)
    {
      pr_session_resume (session, PR_ACCEPT, out);
      taken += pr_session_feed (session, data + taken, len - taken, out);
    }

  g_assert_true (taken == len || pr_session_get_phase (session) == PR_SESSION_CLOSING);
}

static const char start[] = "EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n";

static void
run (const uint8_t *data, size_t size, gsize step, GString *out, GString *heard)
{
  g_autoptr (GString) body = g_string_new (NULL);
  World world = { .choice = data[0], .heard = heard, .body = body };
  PrSessionOptions options = { "relay.example.org", (data[0] & 2) != 0 ? 20 : 0, 3,
                               (data[0] & 1) != 0 };
  PrSession *session = pr_session_new (&options, &handler, &world);

  pr_session_greet (session, PR_ACCEPT, out);
  if ((data[0] & 4) != 0)
    feed (session, start, strlen (start), out);
  for (gsize at = 1; at < size; at += step)
    feed (session, (const char *) data + at, MIN (step, size - at), out);

  pr_session_free (session);
  g_assert_false (world.is_open);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GString) out_slow = g_string_new (NULL);
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autoptr (GString) heard_slow = g_string_new (NULL);

  if (size < 1)
    return 0;

  run (data, size, size, out, heard);
  run (data, size, 1, out_slow, heard_slow);
  g_assert_true (g_string_equal (out, out_slow));
  g_assert_true (g_string_equal (heard, heard_slow));

  return 0;
}
