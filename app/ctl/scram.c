/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The secret of a user, from a password. */

#include "ctl/scram.h"

#include <string.h>
#include <sys/random.h>

#define HASH_OCTETS 32 /* SHA-256 */

static void
hmac (const guint8 *key, gsize key_len, const void *data, gsize len, const void *more,
      gsize more_len, guint8 out[HASH_OCTETS])
{
  g_autoptr (GHmac) context = g_hmac_new (G_CHECKSUM_SHA256, key, key_len);
  gsize out_len = HASH_OCTETS;

  g_hmac_update (context, data, (gssize) len);
  if (more_len > 0)
    g_hmac_update (context, more, (gssize) more_len);
  g_hmac_get_digest (context, out, &out_len);
}

/* PBKDF2 for one block, RFC 5802 §2.2 Hi(). The keyed state is made once and copied. */
static void
stretch (const char *password, const guint8 *salt, gsize salt_len, guint iterations,
         guint8 out[HASH_OCTETS])
{
  static const guint8 one[] = { 0, 0, 0, 1 };
  g_autoptr (GHmac) keyed =
    g_hmac_new (G_CHECKSUM_SHA256, (const guchar *) password, strlen (password));
  guint8 block[HASH_OCTETS];

  hmac ((const guint8 *) password, strlen (password), salt, salt_len, one, sizeof one, block);
  memcpy (out, block, HASH_OCTETS);
  for (guint i = 1; i < iterations; i++)
    {
      g_autoptr (GHmac) context = g_hmac_copy (keyed);
      gsize len = HASH_OCTETS;

      g_hmac_update (context, block, HASH_OCTETS);
      g_hmac_get_digest (context, block, &len);
      for (guint k = 0; k < HASH_OCTETS; k++)
        out[k] ^= block[k];
    }
  explicit_bzero (block, sizeof block);
}

static void
sha256 (const guint8 *data, gsize len, guint8 out[HASH_OCTETS])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize out_len = HASH_OCTETS;

  g_checksum_update (checksum, data, (gssize) len);
  g_checksum_get_digest (checksum, out, &out_len);
}

char *
pr_scram_make_secret (const char *password, const guint8 salt[PR_SCRAM_SALT_OCTETS],
                      guint iterations)
{
  /* The part of SASLprep (RFC 4013 §2.2) that makes what looks the same the same. */
  char *prepared = g_utf8_normalize (password, -1, G_NORMALIZE_ALL_COMPOSE);
  guint8 salted[HASH_OCTETS], client[HASH_OCTETS], stored[HASH_OCTETS], server[HASH_OCTETS];
  g_autofree char *salt_text = g_base64_encode (salt, PR_SCRAM_SALT_OCTETS);
  g_autofree char *stored_text = NULL;
  g_autofree char *server_text = NULL;

  g_return_val_if_fail (prepared != NULL, NULL);

  stretch (prepared, salt, PR_SCRAM_SALT_OCTETS, iterations, salted);
  hmac (salted, HASH_OCTETS, "Client Key", 10, NULL, 0, client);
  sha256 (client, HASH_OCTETS, stored);
  hmac (salted, HASH_OCTETS, "Server Key", 10, NULL, 0, server);
  explicit_bzero (salted, sizeof salted);
  explicit_bzero (client, sizeof client);
  explicit_bzero (prepared, strlen (prepared));
  g_free (prepared);

  stored_text = g_base64_encode (stored, HASH_OCTETS);
  server_text = g_base64_encode (server, HASH_OCTETS);
  return g_strdup_printf ("SCRAM-SHA-256$%u:%s$%s:%s", iterations, salt_text, stored_text,
                          server_text);
}

gboolean
pr_scram_make_salt (guint8 salt[PR_SCRAM_SALT_OCTETS])
{
  return getentropy (salt, PR_SCRAM_SALT_OCTETS) == 0;
}
