/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sasl-client.c: the client's side. SCRAM, PLAIN, LOGIN and CRAM-MD5 are libgsasl's; XOAUTH2 and
 * OAUTHBEARER (RFC 7628), which it does not have, are one message each, and an answer to the error
 * that a server may explain in JSON before its final reply. */

#include "smtp/sasl-private.h"
#include "common/error.h"

#include <gsasl.h>
#include <string.h>

#define MAX_STATUS 64
#define MAX_STEPS 4 /* no mechanism has more; a server could ask for ever */

struct _PrSaslClient
{
  PrSaslMechanisms mechanism;
  Gsasl_session *session; /* owned; NULL for OAuth */
  char *message;          /* owned, wiped; OAuth: what is said once */
  char *status;           /* owned, nullable: the error of an OAuth server */
  gboolean is_done, has_failed;
  guint n_steps;
};

/* One for all: it only knows mechanisms and is never changed. */
static Gsasl *
get_library (void)
{
  static Gsasl *library;
  static gsize made;

  if (g_once_init_enter (&made))
    {
      if (gsasl_init (&library) != GSASL_OK)
        library = NULL;
      g_once_init_leave (&made, 1);
    }

  return library;
}

static void
set_binding (Gsasl_session *session, Gsasl_property property, GBytes *binding)
{
  g_autofree char *encoded = NULL;

  if (binding == NULL)
    return;

  encoded = g_base64_encode (g_bytes_get_data (binding, NULL), g_bytes_get_size (binding));
  gsasl_property_set (session, property, encoded);
}

static void
set_properties (Gsasl_session *session, PrSaslMechanisms mechanism,
                const PrSaslCredentials *credentials)
{
  gsasl_property_set (session, GSASL_AUTHID, credentials->user);
  gsasl_property_set (session, GSASL_PASSWORD, credentials->secret);
  gsasl_property_set (session, GSASL_SERVICE, "smtp");
  gsasl_property_set (session, GSASL_HOSTNAME, credentials->host);

  /* Only where it is used: with SCRAM proper it would say "you cannot do that". */
  if ((mechanism & (PR_SASL_SCRAM_SHA_256_PLUS | PR_SASL_SCRAM_SHA_1_PLUS)) != 0)
    {
      set_binding (session, GSASL_CB_TLS_EXPORTER, credentials->exporter);
      set_binding (session, GSASL_CB_TLS_UNIQUE, credentials->unique);
    }
}

/* RFC 7628 §3.1: GS2's encoding of a name. */
static char *
encode_name (const char *name)
{
  g_autoptr (GString) text = g_string_new (name);

  g_string_replace (text, "=", "=3D", 0);
  g_string_replace (text, ",", "=2C", 0);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
make_token_message (PrSaslMechanisms mechanism, const PrSaslCredentials *credentials)
{
  g_autofree char *name = encode_name (credentials->user);

  if (mechanism == PR_SASL_XOAUTH2)
    return g_strdup_printf ("user=%s\001auth=Bearer %s\001\001", credentials->user,
                            credentials->secret);

  return g_strdup_printf ("n,a=%s,\001host=%s\001port=%u\001auth=Bearer %s\001\001", name,
                          credentials->host, credentials->port, credentials->secret);
}

static gboolean
has_control (const char *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      return TRUE;
  return FALSE;
}

PrSaslClient *
pr_sasl_client_new (PrSaslMechanisms mechanism, const PrSaslCredentials *credentials,
                    GError **error)
{
  g_autoptr (PrSaslClient) self = g_new0 (PrSaslClient, 1);
  g_autofree char *name = pr_sasl_mechanisms_to_string (mechanism);
  int code;

  self->mechanism = mechanism;
  if (*credentials->user == '\0' || has_control (credentials->user) ||
      has_control (credentials->secret))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT,
                   "The user name or the secret has a control character in it, or is empty");
      return NULL;
    }
  if ((mechanism & (PR_SASL_XOAUTH2 | PR_SASL_OAUTHBEARER)) != 0)
    {
      self->message = make_token_message (mechanism, credentials);
      return g_steal_pointer (&self);
    }

  code = get_library () != NULL ? gsasl_client_start (get_library (), name, &self->session)
                                : GSASL_MALLOC_ERROR;
  if (code != GSASL_OK)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be used: %s", name,
                   gsasl_strerror (code));
      return NULL;
    }
  set_properties (self->session, mechanism, credentials);

  return g_steal_pointer (&self);
}

void
pr_sasl_client_free (PrSaslClient *self)
{
  if (self == NULL)
    return;

  if (self->session != NULL)
    {
      /* The library frees its copy and does not wipe it. */
      char *copy = (char *) gsasl_property_fast (self->session, GSASL_PASSWORD);

      if (copy != NULL)
        explicit_bzero (copy, strlen (copy));
      gsasl_finish (self->session);
    }
  pr_sasl_forget (self->message);
  g_free (self->status);
  g_free (self);
}

/* ── Steps ────────────────────────────────────────────────────────────────────────────────── */

/* What libgsasl answers to @input, in base 64. */
static PrSaslStep
step_library (PrSaslClient *self, const char *input, gsize len, char **out)
{
  char *answer = NULL;
  gsize answer_len = 0;
  int code = gsasl_step (self->session, input, len, &answer, &answer_len);

  if (code != GSASL_OK && code != GSASL_NEEDS_MORE)
    {
      gsasl_free (answer);
      return code == GSASL_AUTHENTICATION_ERROR ? PR_SASL_REFUSED : PR_SASL_BROKEN;
    }

  *out = g_base64_encode ((const guchar *) answer, answer_len);
  if (answer != NULL)
    explicit_bzero (answer, answer_len);
  gsasl_free (answer);
  self->is_done = code == GSASL_OK;
  return PR_SASL_CONTINUE;
}

/* The value of "status" of a small JSON object, RFC 7628 §3.2.2; only words of a status are
 * taken, so that nothing a server says here can pass for something else. */
static char *
read_status (const char *json)
{
  const char *p = strstr (json, "\"status\"");
  gsize len;

  if (p == NULL)
    return NULL;
  p += strlen ("\"status\"");
  p += strspn (p, " \t\r\n");
  if (*p++ != ':')
    return NULL;
  p += strspn (p, " \t\r\n");
  if (*p++ != '"')
    return NULL;

  for (len = 0; g_ascii_isalnum (p[len]) || p[len] == '_' || p[len] == '-';)
    len++;
  return p[len] == '"' && len > 0 && len <= MAX_STATUS ? g_strndup (p, len) : NULL;
}

/* The server explains why the token is not good, and wants one more line before it says 535: for
 * OAUTHBEARER a lone ^A (RFC 7628 §3.2.3), for XOAUTH2 an empty one. */
static PrSaslStep
step_token (PrSaslClient *self, const char *input, gsize len, char **out)
{
  if (!self->is_done && len == 0)
    {
      *out = g_base64_encode ((const guchar *) self->message, strlen (self->message));
      self->is_done = TRUE;
      return PR_SASL_CONTINUE;
    }
  if (self->has_failed)
    return PR_SASL_BROKEN;

  self->has_failed = TRUE;
  self->is_done = FALSE;
  self->status = read_status (input);
  *out = self->mechanism == PR_SASL_OAUTHBEARER ? g_strdup ("AQ==") : g_strdup ("");
  return PR_SASL_CONTINUE;
}

char *
pr_sasl_client_start (PrSaslClient *self)
{
  char *out = NULL;

  /* These two speak second. */
  if ((self->mechanism & (PR_SASL_LOGIN | PR_SASL_CRAM_MD5)) != 0)
    return NULL;

  if (self->session == NULL)
    step_token (self, "", 0, &out);
  else if (step_library (self, "", 0, &out) != PR_SASL_CONTINUE)
    {
      self->has_failed = TRUE;
      return NULL;
    }
  if (*out == '\0')
    {
      g_free (out);
      return g_strdup ("=");
    }

  return out;
}

PrSaslStep
pr_sasl_client_step (PrSaslClient *self, const char *challenge, char **out)
{
  gsize challenge_len = strlen (challenge), len = 0;
  g_autofree char *input = NULL;

  *out = NULL;
  if (++self->n_steps > MAX_STEPS)
    return PR_SASL_BROKEN;
  while (challenge_len > 0 && g_ascii_isspace (challenge[challenge_len - 1]))
    challenge_len--;
  if (self->session != NULL && (self->has_failed || self->is_done))
    return PR_SASL_BROKEN;

  input = pr_sasl_decode (challenge, challenge_len, &len);
  if (input == NULL && self->mechanism == PR_SASL_LOGIN)
    input = g_strdup (""); /* prompts are free text; some servers send them unencoded */
  if (input == NULL && self->session == NULL)
    {
      input = g_strndup (challenge, challenge_len); /* JSON that was not encoded */
      len = challenge_len;
    }
  if (input == NULL)
    return PR_SASL_BROKEN;

  return self->session != NULL ? step_library (self, input, len, out)
                               : step_token (self, input, len, out);
}

gboolean
pr_sasl_client_is_done (const PrSaslClient *self)
{
  return self->is_done;
}

const char *
pr_sasl_client_get_oauth_status (const PrSaslClient *self)
{
  return self->status;
}
