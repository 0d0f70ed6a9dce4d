/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sasl.c: the names of mechanisms, which one to take, and what is kept of a password. */

#include "smtp/sasl-private.h"

#include <gsasl.h>
#include <string.h>
#include <sys/random.h>

struct _PrSaslCheck
{
  char *password, *secret; /* owned, wiped */
};

static const struct
{
  PrSaslMechanisms mechanism;
  const char *name;
} names[] = {
  { PR_SASL_SCRAM_SHA_256_PLUS, "SCRAM-SHA-256-PLUS" },
  { PR_SASL_SCRAM_SHA_256, "SCRAM-SHA-256" },
  { PR_SASL_SCRAM_SHA_1_PLUS, "SCRAM-SHA-1-PLUS" },
  { PR_SASL_SCRAM_SHA_1, "SCRAM-SHA-1" },
  { PR_SASL_PLAIN, "PLAIN" },
  { PR_SASL_LOGIN, "LOGIN" },
  { PR_SASL_CRAM_MD5, "CRAM-MD5" },
  { PR_SASL_XOAUTH2, "XOAUTH2" },
  { PR_SASL_OAUTHBEARER, "OAUTHBEARER" },
};

/* ── Names ────────────────────────────────────────────────────────────────────────────────── */

char *
pr_sasl_mechanisms_to_string (PrSaslMechanisms mechanisms)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if ((mechanisms & names[i].mechanism) != 0)
      {
        if (text->len > 0)
          g_string_append_c (text, ' ');
        g_string_append (text, names[i].name);
      }

  return g_string_free (text, FALSE);
}

PrSaslMechanisms
pr_sasl_mechanism_find (const char *name, gsize len)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strlen (names[i].name) == len && g_ascii_strncasecmp (names[i].name, name, len) == 0)
      return names[i].mechanism;

  return 0;
}

PrSaslMechanisms
pr_sasl_mechanisms_from_string (const char *words)
{
  PrSaslMechanisms mechanisms = 0;

  while (*words != '\0')
    {
      gsize len = strcspn (words, " \t");

      mechanisms |= pr_sasl_mechanism_find (words, len);
      words += len;
      words += strspn (words, " \t");
    }

  return mechanisms;
}

PrSaslMechanisms
pr_sasl_choose (PrSaslMechanisms offered, const char *wanted, gboolean secure, gboolean has_token,
                gboolean has_binding)
{
  static const PrSaslMechanisms best_first[] = {
    PR_SASL_OAUTHBEARER,
    PR_SASL_XOAUTH2,
    PR_SASL_SCRAM_SHA_256_PLUS,
    PR_SASL_SCRAM_SHA_1_PLUS,
    PR_SASL_SCRAM_SHA_256,
    PR_SASL_SCRAM_SHA_1,
    PR_SASL_PLAIN,
    PR_SASL_LOGIN,
    PR_SASL_CRAM_MD5,
  };
  const PrSaslMechanisms by_token = PR_SASL_OAUTHBEARER | PR_SASL_XOAUTH2;
  PrSaslMechanisms usable = offered & (has_token ? by_token : ~by_token);

  if (!secure)
    usable &= ~(PR_SASL_CLEAR_TEXT | by_token);
  if (!has_binding)
    usable &= ~(PR_SASL_SCRAM_SHA_256_PLUS | PR_SASL_SCRAM_SHA_1_PLUS);
  if (g_ascii_strcasecmp (wanted, "auto") == 0)
    usable &= ~PR_SASL_CRAM_MD5;
  else if (g_ascii_strcasecmp (wanted, "scram-sha-256") == 0)
    usable &= PR_SASL_SCRAM_SHA_256 | PR_SASL_SCRAM_SHA_256_PLUS;
  else
    usable &= pr_sasl_mechanism_find (wanted, strlen (wanted));

  for (gsize i = 0; i < G_N_ELEMENTS (best_first); i++)
    if ((usable & best_first[i]) != 0)
      return best_first[i];

  return 0;
}

/* ── Secrets ──────────────────────────────────────────────────────────────────────────────── */

void
pr_sasl_forget (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

gboolean
pr_sasl_equal (const guint8 *a, const guint8 *b, gsize len)
{
  volatile guint8 difference = 0;

  for (gsize i = 0; i < len; i++)
    difference |= a[i] ^ b[i];

  return difference == 0;
}

char *
pr_sasl_decode (const char *line, gsize len, gsize *out_len)
{
  char *text;
  gsize body = len, padding;

  while (len - body < 2 && body > 0 && line[body - 1] == '=')
    body--;
  padding = len - body;
  if (len % 4 != 0)
    return NULL;
  for (gsize i = 0; i < body; i++)
    if (!g_ascii_isalnum (line[i]) && line[i] != '+' && line[i] != '/')
      return NULL;

  text = g_malloc (len / 4 * 3 + 1);
  *out_len = 0;
  if (len > 0)
    {
      int state = 0;
      guint save = 0;

      *out_len = g_base64_decode_step (line, len, (guchar *) text, &state, &save);
    }
  text[*out_len] = '\0';
  g_assert (*out_len == len / 4 * 3 - padding);

  return text;
}

/* Standard base 64 of at least one octet, into a buffer of @max. */
static gboolean
read_octets (const char *text, guint8 *octets, gsize max, gsize *len)
{
  g_autofree char *decoded = pr_sasl_decode (text, strlen (text), len);

  if (decoded == NULL || *len == 0 || *len > max)
    return FALSE;

  memcpy (octets, decoded, *len);
  return TRUE;
}

static const char *
prefix_of (PrSaslMechanisms mechanism)
{
  return mechanism == PR_SASL_SCRAM_SHA_1 ? "SCRAM-SHA-1$" : "SCRAM-SHA-256$";
}

gboolean
pr_sasl_secret_parse (PrSaslMechanisms mechanism, const char *text, PrSaslSecret *secret)
{
  const char *prefix = prefix_of (mechanism);
  g_auto (GStrv) words = NULL;
  guint64 iterations;
  gsize server_len;

  if (!g_str_has_prefix (text, prefix))
    return FALSE;
  /* iterations : salt $ stored : server */
  words = g_strsplit_set (text + strlen (prefix), ":$", -1);
  if (g_strv_length (words) != 4 ||
      !g_ascii_string_to_unsigned (words[0], 10, 1, G_MAXINT, &iterations, NULL))
    return FALSE;

  secret->iterations = (guint) iterations;
  return read_octets (words[1], secret->salt, PR_SASL_SALT_MAX, &secret->salt_len) &&
         read_octets (words[2], secret->stored_key, PR_SASL_KEY_MAX, &secret->key_len) &&
         read_octets (words[3], secret->server_key, PR_SASL_KEY_MAX, &server_len) &&
         server_len == secret->key_len &&
         secret->key_len == gsasl_hash_length (mechanism == PR_SASL_SCRAM_SHA_1
                                                 ? GSASL_HASH_SHA1
                                                 : GSASL_HASH_SHA256);
}

gboolean
pr_sasl_secret_is_valid (PrSaslMechanisms mechanism, const char *secret)
{
  PrSaslSecret parsed;

  return pr_sasl_secret_parse (mechanism, secret, &parsed);
}

static char *
write_secret (PrSaslMechanisms mechanism, const PrSaslSecret *secret)
{
  g_autofree char *salt = g_base64_encode (secret->salt, secret->salt_len);
  g_autofree char *stored = g_base64_encode (secret->stored_key, secret->key_len);
  g_autofree char *server = g_base64_encode (secret->server_key, secret->key_len);

  return g_strdup_printf ("%s%u:%s$%s:%s", prefix_of (mechanism), secret->iterations, salt, stored,
                          server);
}

/* Fills the keys of @secret; the salt and the number of iterations are given. */
static gboolean
stretch (PrSaslMechanisms mechanism, const char *password, PrSaslSecret *secret)
{
  Gsasl_hash hash = mechanism == PR_SASL_SCRAM_SHA_1 ? GSASL_HASH_SHA1 : GSASL_HASH_SHA256;
  char salted[PR_SASL_KEY_MAX], client[PR_SASL_KEY_MAX];
  int code;

  secret->key_len = gsasl_hash_length (hash);
  code = gsasl_scram_secrets_from_password (
    hash, password, secret->iterations, (const char *) secret->salt, secret->salt_len, salted,
    client, (char *) secret->server_key, (char *) secret->stored_key);
  explicit_bzero (salted, sizeof salted);
  explicit_bzero (client, sizeof client);

  return code == GSASL_OK;
}

char *
pr_sasl_make_secret (PrSaslMechanisms mechanism, const char *password)
{
  PrSaslSecret secret = { .iterations = PR_SASL_ITERATIONS, .salt_len = PR_SASL_SALT_OCTETS };

  if (getentropy (secret.salt, PR_SASL_SALT_OCTETS) != 0 || !stretch (mechanism, password, &secret))
    return NULL;

  return write_secret (mechanism, &secret);
}

char *
pr_sasl_make_up_secret (PrSaslMechanisms mechanism, const char *user, const char *like, GBytes *key)
{
  PrSaslSecret secret, model;
  g_autofree char *seed = NULL;
  guint8 digest[64];
  gsize len = sizeof digest, key_len;
  const guint8 *key_data = g_bytes_get_data (key, &key_len);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA512, key_data, key_len);

  memset (&secret, 0, sizeof secret);
  secret.iterations = PR_SASL_ITERATIONS;
  secret.salt_len = PR_SASL_SALT_OCTETS;
  if (like != NULL && pr_sasl_secret_parse (mechanism, like, &model))
    {
      secret.iterations = model.iterations;
      secret.salt_len = MIN (model.salt_len, sizeof digest);
      explicit_bzero (&model, sizeof model);
    }

  seed = g_strdup_printf ("%s%s", prefix_of (mechanism), user);
  g_hmac_update (hmac, (const guchar *) seed, (gssize) strlen (seed));
  g_hmac_get_digest (hmac, digest, &len);
  memcpy (secret.salt, digest, secret.salt_len);
  secret.key_len = mechanism == PR_SASL_SCRAM_SHA_1 ? 20 : 32;
  /* No password leads here. Without random numbers the keys are zeros, which none leads to either.
   */
  if (getentropy (secret.stored_key, PR_SASL_KEY_MAX) != 0 ||
      getentropy (secret.server_key, PR_SASL_KEY_MAX) != 0)
    memset (secret.stored_key, 0, PR_SASL_KEY_MAX);

  return write_secret (mechanism, &secret);
}

char *
pr_sasl_prepare_user (const char *user)
{
  char *prepared = NULL;
  char *copy;

  if (gsasl_saslprep (user, 0, &prepared, NULL) != GSASL_OK || prepared == NULL)
    return g_strdup (user);

  copy = g_strdup (prepared);
  gsasl_free (prepared);
  return copy;
}

/* ── A password against a secret ──────────────────────────────────────────────────────────── */

PrSaslCheck *
pr_sasl_check_new (char *password, char *secret)
{
  PrSaslCheck *self = g_new0 (PrSaslCheck, 1);

  self->password = password;
  self->secret = secret;

  return self;
}

gboolean
pr_sasl_check_run (PrSaslCheck *self)
{
  PrSaslSecret kept, tried;
  gboolean right = FALSE;

  if (!pr_sasl_secret_parse (PR_SASL_SCRAM_SHA_256, self->secret, &kept))
    return FALSE;

  tried = kept;
  if (stretch (PR_SASL_SCRAM_SHA_256, self->password, &tried))
    right = pr_sasl_equal (kept.stored_key, tried.stored_key, kept.key_len);
  else
    stretch (PR_SASL_SCRAM_SHA_256, "-", &tried); /* takes as long as any other wrong one */
  explicit_bzero (&kept, sizeof kept);
  explicit_bzero (&tried, sizeof tried);

  return right;
}

void
pr_sasl_check_free (PrSaslCheck *self)
{
  if (self == NULL)
    return;

  pr_sasl_forget (self->password);
  pr_sasl_forget (self->secret);
  g_free (self);
}
