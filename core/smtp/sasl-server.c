/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sasl-server.c: the server's side of PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), and the frame
 * that SCRAM stands in.
 *
 * LOGIN has no RFC that counts; devices compare the prompts with what others send, octet by octet.
 */

#include "smtp/sasl-private.h"

#include <string.h>
#include <sys/random.h>

#define ASK_USER "VXNlcm5hbWU6"     /* "Username:" */
#define ASK_PASSWORD "UGFzc3dvcmQ6" /* "Password:" */

struct _PrSaslServer
{
  PrSaslMechanisms mechanism;
  const PrSaslServerWorld *world; /* borrowed */
  gpointer owner;
  gboolean has_begun;
  char *user;      /* owned, nullable */
  char *password;  /* owned, nullable, wiped: until the check is taken */
  char *challenge; /* owned, nullable: CRAM-MD5 */
  PrScram *scram;  /* owned, nullable */
};

PrSaslServer *
pr_sasl_server_new (PrSaslMechanisms mechanism, const PrSaslServerWorld *world, gpointer owner)
{
  PrSaslServer *self = g_new0 (PrSaslServer, 1);

  self->mechanism = mechanism;
  self->world = world;
  self->owner = owner;
  if ((mechanism & (PR_SASL_SCRAM_SHA_256_PLUS | PR_SASL_SCRAM_SHA_256 | PR_SASL_SCRAM_SHA_1)) != 0)
    self->scram = pr_scram_new (mechanism, world, owner);

  return self;
}

void
pr_sasl_server_free (PrSaslServer *self)
{
  if (self == NULL)
    return;

  pr_scram_free (self->scram);
  pr_sasl_forget (self->password);
  g_free (self->challenge);
  g_free (self->user);
  g_free (self);
}

static gboolean
set_user (PrSaslServer *self, const char *user)
{
  if (*user == '\0' || strlen (user) > PR_SASL_USER_MAX || !g_utf8_validate (user, -1, NULL))
    return FALSE;

  g_free (self->user);
  self->user = pr_sasl_prepare_user (user);
  return TRUE;
}

/* authzid NUL authcid NUL password */
static PrSaslStep
step_plain (PrSaslServer *self, const char *message, gsize len, char **out)
{
  const char *end = message + len;
  const char *user = memchr (message, '\0', len);
  const char *password = user != NULL ? memchr (user + 1, '\0', end - user - 1) : NULL;

  if (len == 0 && !self->has_begun)
    {
      *out = g_strdup (""); /* nothing in the command itself: devices send "=" for that too */
      return PR_SASL_CONTINUE;
    }
  if (password == NULL || strlen (password + 1) != (gsize) (end - password - 1))
    return PR_SASL_BROKEN;
  user++;
  password++;
  if (*password == '\0' || !set_user (self, user))
    return PR_SASL_BROKEN;
  /* Nobody acts for somebody else. */
  if (*message != '\0' && strcmp (message, user) != 0)
    return PR_SASL_REFUSED;

  self->password = g_strdup (password);
  return PR_SASL_CHECK;
}

/* The user may stand in the command itself: then only the password is asked for. */
static PrSaslStep
step_login (PrSaslServer *self, const char *message, gsize len, char **out)
{
  if (strlen (message) != len)
    return PR_SASL_BROKEN;
  if (len == 0 && !self->has_begun)
    {
      *out = g_strdup (ASK_USER);
      return PR_SASL_CONTINUE;
    }
  if (self->user == NULL)
    {
      if (!set_user (self, message))
        return PR_SASL_BROKEN;
      *out = g_strdup (ASK_PASSWORD);
      return PR_SASL_CONTINUE;
    }

  self->password = g_strdup (message);
  return PR_SASL_CHECK;
}

static char *
make_challenge (const PrSaslServer *self)
{
  guint64 random;

  if (getentropy (&random, sizeof random) != 0)
    return NULL;

  return g_strdup_printf ("<%" G_GUINT64_FORMAT ".%" G_GINT64_FORMAT "@%s>", random,
                          g_get_real_time () / G_USEC_PER_SEC, self->world->hostname);
}

/* user SP hex (HMAC-MD5 (password, challenge)) */
static PrSaslStep
step_cram (PrSaslServer *self, const char *message, gsize len, char **out)
{
  const char *space = strrchr (message, ' ');
  g_autofree char *user = NULL;
  g_autofree char *expected = NULL;
  char *secret;
  gboolean right;

  if (self->challenge == NULL)
    {
      self->challenge = len == 0 ? make_challenge (self) : NULL;
      if (self->challenge == NULL)
        return PR_SASL_BROKEN; /* it has no initial response */
      *out = g_base64_encode ((const guchar *) self->challenge, strlen (self->challenge));
      return PR_SASL_CONTINUE;
    }
  if (space == NULL || strlen (message) != len || strlen (space + 1) != 32)
    return PR_SASL_BROKEN;
  user = g_strndup (message, space - message);
  if (!set_user (self, user))
    return PR_SASL_BROKEN;

  secret = self->world->find_secret (self->owner, PR_SASL_CRAM_MD5, self->user);
  expected = g_compute_hmac_for_string (G_CHECKSUM_MD5, (const guchar *) secret, strlen (secret),
                                        self->challenge, -1);
  right = pr_sasl_equal ((const guint8 *) expected, (const guint8 *) space + 1, 32);
  pr_sasl_forget (secret);
  return right ? PR_SASL_DONE : PR_SASL_REFUSED;
}

static PrSaslStep
step_scram (PrSaslServer *self, const char *message, gsize len, char **out)
{
  g_autofree char *answer = NULL;
  PrSaslStep step;

  if (len == 0 && !self->has_begun)
    {
      *out = g_strdup ("");
      return PR_SASL_CONTINUE;
    }

  step = pr_scram_step (self->scram, message, len, &answer);
  if (answer != NULL)
    *out = g_base64_encode ((const guchar *) answer, strlen (answer));
  if (self->user == NULL)
    self->user = g_strdup (pr_scram_get_user (self->scram));
  return step;
}

PrSaslStep
pr_sasl_server_step (PrSaslServer *self, const char *line, gsize len, char **out)
{
  gsize message_len = 0;
  char *message;
  PrSaslStep step;

  *out = NULL;
  /* RFC 4954 §4: "=" is an initial response of no octets. */
  if (!self->has_begun && (line == NULL || (len == 1 && *line == '=')))
    message = g_strdup ("");
  else
    message = pr_sasl_decode (line, len, &message_len);
  if (message == NULL)
    return PR_SASL_BROKEN;

  if (self->scram != NULL)
    step = step_scram (self, message, message_len, out);
  else if (self->mechanism == PR_SASL_PLAIN)
    step = step_plain (self, message, message_len, out);
  else if (self->mechanism == PR_SASL_LOGIN)
    step = step_login (self, message, message_len, out);
  else
    step = step_cram (self, message, message_len, out);
  self->has_begun = TRUE;
  explicit_bzero (message, message_len);
  g_free (message);

  return step;
}

PrSaslCheck *
pr_sasl_server_take_check (PrSaslServer *self)
{
  g_return_val_if_fail (self->password != NULL, NULL);

  return pr_sasl_check_new (
    g_steal_pointer (&self->password),
    self->world->find_secret (self->owner, PR_SASL_SCRAM_SHA_256, self->user));
}

const char *
pr_sasl_server_get_user (const PrSaslServer *self)
{
  return self->user;
}
