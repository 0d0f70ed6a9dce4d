/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sasl-private.h: what the files of SASL share.
 *
 *   sasl.c         names, choosing, secrets and passwords
 *   sasl-server.c  PLAIN, LOGIN, CRAM-MD5 and the frame of all as a server
 *   sasl-scram.c   SCRAM as a server
 *   sasl-client.c  the client's side
 */
#pragma once

#include "smtp/sasl.h"

G_BEGIN_DECLS

#define PR_SASL_KEY_MAX 32     /* SHA-256 */
#define PR_SASL_SALT_MAX 256   /* octets, as of config */
#define PR_SASL_SALT_OCTETS 16 /* of those we make */
#define PR_SASL_USER_MAX 255

/* One secret, read. */
typedef struct
{
  guint iterations;
  guint8 salt[PR_SASL_SALT_MAX];
  gsize salt_len;
  guint8 stored_key[PR_SASL_KEY_MAX], server_key[PR_SASL_KEY_MAX];
  gsize key_len;
} PrSaslSecret;

/* @mechanism: SCRAM_SHA_256 or SCRAM_SHA_1. */
gboolean pr_sasl_secret_parse (PrSaslMechanisms mechanism, const char *text, PrSaslSecret *secret);
/* Of equal length, in constant time. */
gboolean pr_sasl_equal (const guint8 *a, const guint8 *b, gsize len);
/* Prepared (RFC 4013), or as it is where that is not possible: then it matches nobody. */
char *pr_sasl_prepare_user (const char *user);
/* @password: (transfer full). @secret: (transfer full), as find_secret gave it. */
PrSaslCheck *pr_sasl_check_new (char *password, char *secret);
/* NULL: no base 64. Ends in a NUL behind @out_len. Wipe it. (transfer full) */
char *pr_sasl_decode (const char *line, gsize len, gsize *out_len);

/* SCRAM as a server, RFC 5802 and 7677. */
typedef struct _PrScram PrScram;

PrScram *pr_scram_new (PrSaslMechanisms mechanism, const PrSaslServerWorld *world, gpointer owner);
void pr_scram_free (PrScram *self);
/* @message: decoded, terminated; *@out: the answer, not encoded. (transfer full) */
PrSaslStep pr_scram_step (PrScram *self, const char *message, gsize len, char **out);
const char *pr_scram_get_user (const PrScram *self);

G_END_DECLS
