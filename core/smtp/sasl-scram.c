/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sasl-scram.c: SCRAM as a server (RFC 5802, SHA-256 by RFC 7677), with channel binding by
 * tls-exporter (RFC 9266), tls-unique and tls-server-end-point (RFC 5929).
 *
 *   client: n,,n=user,r=nonce            FIRST
 *   server: r=nonce+ours,s=salt,i=count
 *   client: c=binding,r=...,p=proof      FINAL
 *   server: v=signature
 *   client: (nothing)                    END: RFC 4954 §4 has no data beside 235
 */

#include "smtp/sasl-private.h"

#include <string.h>
#include <sys/random.h>

#define NONCE_OCTETS 18

typedef enum
{
  STATE_FIRST,
  STATE_FINAL,
  STATE_END,
} State;

struct _PrScram
{
  PrSaslMechanisms mechanism;
  const PrSaslServerWorld *world; /* borrowed */
  gpointer owner;
  State state;
  char *user;
  char *header;     /* GS2, as it came: the binding starts with it */
  GBytes *binding;  /* nullable */
  char *first_bare; /* of the client's first message */
  char *answer;     /* our first message */
  char *nonce;      /* both together */
  PrSaslSecret secret;
};

static gboolean
is_plus (const PrScram *self)
{
  return self->mechanism == PR_SASL_SCRAM_SHA_256_PLUS;
}

static PrSaslMechanisms
secret_of (const PrScram *self)
{
  return self->mechanism == PR_SASL_SCRAM_SHA_1 ? PR_SASL_SCRAM_SHA_1 : PR_SASL_SCRAM_SHA_256;
}

static GBytes *
get_binding (PrScram *self, const char *type)
{
  return self->world->get_binding != NULL ? self->world->get_binding (self->owner, type) : NULL;
}

/* What the client says about channel binding (RFC 5802 §6). */
static PrSaslStep
take_flag (PrScram *self, const char *flag)
{
  static const char *const types[] = { "tls-exporter", "tls-unique", "tls-server-end-point" };

  if (g_str_has_prefix (flag, "p="))
    {
      if (!is_plus (self))
        return PR_SASL_BROKEN;
      for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
        if (strcmp (flag + 2, types[i]) == 0)
          self->binding = get_binding (self, types[i]);
      return self->binding != NULL ? PR_SASL_CONTINUE : PR_SASL_BROKEN;
    }
  if (is_plus (self))
    return PR_SASL_BROKEN;
  if (strcmp (flag, "n") == 0)
    return PR_SASL_CONTINUE;
  if (strcmp (flag, "y") != 0)
    return PR_SASL_BROKEN;

  /* "I could, but you cannot": somebody took -PLUS out of our list on its way. */
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GBytes) binding = get_binding (self, types[i]);

      if (binding != NULL)
        return PR_SASL_REFUSED;
    }
  return PR_SASL_CONTINUE;
}

/* saslname: "=2C" is a comma, "=3D" an equals sign. NULL: malformed. */
static char *
read_name (const char *text)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (; *text != '\0'; text++)
    if (*text != '=')
      g_string_append_c (name, *text);
    else if (g_str_has_prefix (text, "=2C") || g_str_has_prefix (text, "=3D"))
      {
        g_string_append_c (name, text[2] == 'C' ? ',' : '=');
        text += 2;
      }
    else
      return NULL;

  if (name->len == 0 || name->len > PR_SASL_USER_MAX || !g_utf8_validate (name->str, -1, NULL))
    return NULL;
  return pr_sasl_prepare_user (name->str);
}

static gboolean
is_nonce (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (*p < '!' || *p > '~')
      return FALSE;

  return *text != '\0';
}

/* @words: flag, authzid, n=, r=, extensions. */
static PrSaslStep
read_first (PrScram *self, char **words, const char *message)
{
  PrSaslStep step;

  if (g_strv_length (words) < 4)
    return PR_SASL_BROKEN;
  step = take_flag (self, words[0]);
  if (step != PR_SASL_CONTINUE)
    return step;
  if (!g_str_has_prefix (words[2], "n=") || !g_str_has_prefix (words[3], "r=") ||
      !is_nonce (words[3] + 2))
    return PR_SASL_BROKEN; /* "m=" too: an extension that must be known, and is not */

  self->user = read_name (words[2] + 2);
  if (self->user == NULL)
    return PR_SASL_BROKEN;
  /* "a=" of nothing is no name by the RFC; programs say it for "nobody else". */
  if (*words[1] != '\0' && strcmp (words[1], "a=") != 0)
    {
      g_autofree char *other = g_str_has_prefix (words[1], "a=") ? read_name (words[1] + 2) : NULL;

      if (other == NULL)
        return PR_SASL_BROKEN;
      if (strcmp (other, self->user) != 0)
        return PR_SASL_REFUSED; /* nobody acts for somebody else */
    }

  self->header = g_strdup_printf ("%s,%s,", words[0], words[1]);
  self->first_bare = g_strdup (message + strlen (self->header));
  return PR_SASL_CONTINUE;
}

static PrSaslStep
take_first (PrScram *self, const char *message, char **out)
{
  g_auto (GStrv) words = g_strsplit (message, ",", 16);
  g_autofree char *salt = NULL;
  g_autofree char *ours = NULL;
  guint8 random[NONCE_OCTETS];
  char *text;
  gboolean valid;
  PrSaslStep step = read_first (self, words, message);

  if (step != PR_SASL_CONTINUE)
    return step;
  if (getentropy (random, sizeof random) != 0)
    return PR_SASL_REFUSED;

  text = self->world->find_secret (self->owner, secret_of (self), self->user);
  valid = pr_sasl_secret_parse (secret_of (self), text, &self->secret);
  pr_sasl_forget (text);
  if (!valid)
    return PR_SASL_REFUSED;

  ours = g_base64_encode (random, sizeof random);
  self->nonce = g_strconcat (words[3] + 2, ours, NULL);
  salt = g_base64_encode (self->secret.salt, self->secret.salt_len);
  self->answer = g_strdup_printf ("r=%s,s=%s,i=%u", self->nonce, salt, self->secret.iterations);
  *out = g_strdup (self->answer);
  self->state = STATE_FINAL;
  return PR_SASL_CONTINUE;
}

/* "c=": the GS2 header and the binding, so that both sides know they saw the same of both. */
static gboolean
binding_is_right (PrScram *self, const char *text)
{
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  g_autofree char *encoded = NULL;

  g_byte_array_append (expected, (const guint8 *) self->header, (guint) strlen (self->header));
  if (self->binding != NULL)
    {
      gsize len;
      const guint8 *data = g_bytes_get_data (self->binding, &len);

      g_byte_array_append (expected, data, (guint) len);
    }
  encoded = g_base64_encode (expected->data, expected->len);

  return strcmp (text, encoded) == 0;
}

static void
sign (const PrScram *self, const guint8 *key, const char *text, guint8 *out)
{
  GChecksumType type = self->secret.key_len == 20 ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256;
  g_autoptr (GHmac) hmac = g_hmac_new (type, key, self->secret.key_len);
  gsize len = PR_SASL_KEY_MAX;

  g_hmac_update (hmac, (const guchar *) text, (gssize) strlen (text));
  g_hmac_get_digest (hmac, out, &len);
}

/* RFC 5802 §3: the proof is the client's key, hidden by its signature. */
static gboolean
proof_is_right (const PrScram *self, const char *text, const char *signed_text)
{
  GChecksumType type = self->secret.key_len == 20 ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256;
  g_autoptr (GChecksum) checksum = g_checksum_new (type);
  guint8 key[PR_SASL_KEY_MAX], hashed[PR_SASL_KEY_MAX];
  gsize len, hashed_len = sizeof hashed;
  g_autofree char *proof = pr_sasl_decode (text, strlen (text), &len);

  if (proof == NULL || len != self->secret.key_len)
    return FALSE;

  sign (self, self->secret.stored_key, signed_text, key);
  for (gsize i = 0; i < len; i++)
    key[i] ^= (guint8) proof[i];
  g_checksum_update (checksum, key, (gssize) len);
  g_checksum_get_digest (checksum, hashed, &hashed_len);
  explicit_bzero (key, sizeof key);

  return pr_sasl_equal (hashed, self->secret.stored_key, len);
}

static PrSaslStep
take_final (PrScram *self, const char *message, char **out)
{
  const char *proof = g_strrstr (message, ",p=");
  g_autofree char *unproven = proof != NULL ? g_strndup (message, proof - message) : NULL;
  g_auto (GStrv) words = unproven != NULL ? g_strsplit (unproven, ",", 16) : NULL;
  g_autofree char *signed_text = NULL;
  g_autofree char *encoded = NULL;
  guint8 signature[PR_SASL_KEY_MAX];

  if (words == NULL || g_strv_length (words) < 2 || !g_str_has_prefix (words[0], "c=") ||
      !g_str_has_prefix (words[1], "r="))
    return PR_SASL_BROKEN;
  if (!binding_is_right (self, words[0] + 2) || strcmp (words[1] + 2, self->nonce) != 0)
    return PR_SASL_REFUSED;

  signed_text = g_strdup_printf ("%s,%s,%s", self->first_bare, self->answer, unproven);
  if (!proof_is_right (self, proof + 3, signed_text))
    return PR_SASL_REFUSED;

  sign (self, self->secret.server_key, signed_text, signature);
  encoded = g_base64_encode (signature, self->secret.key_len);
  *out = g_strconcat ("v=", encoded, NULL);
  self->state = STATE_END;
  return PR_SASL_CONTINUE;
}

PrScram *
pr_scram_new (PrSaslMechanisms mechanism, const PrSaslServerWorld *world, gpointer owner)
{
  PrScram *self = g_new0 (PrScram, 1);

  self->mechanism = mechanism;
  self->world = world;
  self->owner = owner;

  return self;
}

void
pr_scram_free (PrScram *self)
{
  if (self == NULL)
    return;

  g_clear_pointer (&self->binding, g_bytes_unref);
  g_free (self->user);
  g_free (self->header);
  g_free (self->first_bare);
  g_free (self->answer);
  g_free (self->nonce);
  explicit_bzero (self, sizeof *self);
  g_free (self);
}

PrSaslStep
pr_scram_step (PrScram *self, const char *message, gsize len, char **out)
{
  if (self->state == STATE_END)
    return len == 0 ? PR_SASL_DONE : PR_SASL_BROKEN;
  if (len != strlen (message))
    return PR_SASL_BROKEN; /* a NUL inside */

  return self->state == STATE_FIRST ? take_first (self, message, out)
                                    : take_final (self, message, out);
}

const char *
pr_scram_get_user (const PrScram *self)
{
  return self->user;
}
