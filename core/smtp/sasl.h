/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * SASL (RFC 4422) for SMTP (RFC 4954), without I/O: lines go in and come out in base 64 as AUTH
 * carries them. The client's side and all cryptography are libgsasl's; the server's side is our own
 * where libgsasl has no tls-server-end-point, other prompts for LOGIN, or needs a clear password.
 * Secrets live as short as possible and are wiped.
 */

/* In the order of the EHLO line. */
typedef enum
{
  PR_SASL_SCRAM_SHA_256_PLUS = 1 << 0,
  PR_SASL_SCRAM_SHA_256 = 1 << 1,
  PR_SASL_SCRAM_SHA_1_PLUS = 1 << 2, /* client side only */
  PR_SASL_SCRAM_SHA_1 = 1 << 3,
  PR_SASL_PLAIN = 1 << 4,
  PR_SASL_LOGIN = 1 << 5,
  PR_SASL_CRAM_MD5 = 1 << 6,
  PR_SASL_XOAUTH2 = 1 << 7,     /* client side only */
  PR_SASL_OAUTHBEARER = 1 << 8, /* client side only */
} PrSaslMechanisms;

/* Those that show the password to whoever listens. */
#define PR_SASL_CLEAR_TEXT (PR_SASL_PLAIN | PR_SASL_LOGIN)

/* "SCRAM-SHA-256 PLAIN LOGIN", and back: unknown words are passed over. (transfer full) */
char *pr_sasl_mechanisms_to_string (PrSaslMechanisms mechanisms);
PrSaslMechanisms pr_sasl_mechanisms_from_string (const char *words);
/* One name, which need not be terminated; 0 if it is none of ours. */
PrSaslMechanisms pr_sasl_mechanism_find (const char *name, gsize len);

typedef enum
{
  PR_SASL_CONTINUE, /* send the line as a challenge (334) or a response, feed the next one */
  PR_SASL_CHECK,    /* server: pr_sasl_server_take_check() tells whether the password is right */
  PR_SASL_DONE,     /* the other side is who it says it is */
  PR_SASL_REFUSED,  /* server: wrong user or secret, no difference is visible.
                       client: the server is not the one that knows the password */
  PR_SASL_BROKEN,   /* the other side broke the mechanism */
} PrSaslStep;

/* Frees text after wiping it. */
void pr_sasl_forget (char *secret);
#define pr_sasl_clear_secret(at) g_clear_pointer ((at), pr_sasl_forget)

/* ── What a server keeps of a password ────────────────────────────────────────────────────── */

#define PR_SASL_ITERATIONS 10000 /* RFC 7677 §4: at least 4096 */

/* "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>" of CONTRACT, with a new salt; the
 * same with SHA-1 for PR_SASL_SCRAM_SHA_1. NULL: the password holds what SASLprep (RFC 4013)
 * forbids, or this system has no random numbers. Takes milliseconds. (transfer full) */
char *pr_sasl_make_secret (PrSaslMechanisms mechanism, const char *password);
/* What is shown for a user who does not exist: always the same salt for the same @user and @key, as
 * many iterations as @like (nullable: a secret of somebody who exists). (transfer full) */
char *pr_sasl_make_up_secret (PrSaslMechanisms mechanism, const char *user, const char *like,
                              GBytes *key);
/* Whether @secret is well-formed for SCRAM-SHA-256 or SCRAM-SHA-1. */
gboolean pr_sasl_secret_is_valid (PrSaslMechanisms mechanism, const char *secret);

/**
 * PrSaslCheck: a password that is to be compared with what is kept of it. That takes milliseconds
 * on purpose, so it is done elsewhere: self-contained, any thread.
 */
typedef struct _PrSaslCheck PrSaslCheck;

gboolean pr_sasl_check_run (PrSaslCheck *self);
void pr_sasl_check_free (PrSaslCheck *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSaslCheck, pr_sasl_check_free)

/* ── A server's side ──────────────────────────────────────────────────────────────────────── */

typedef struct _PrSaslServer PrSaslServer;

typedef struct
{
  const char *hostname; /* in the challenge of CRAM-MD5 */
  /* What is kept of @user for @mechanism: SCRAM_SHA_256 (PLAIN and LOGIN use it too), SCRAM_SHA_1,
   * or the clear password for CRAM_MD5. Never NULL: pr_sasl_make_up_secret() for those who do not
   * exist, so that both look and take alike. Wiped. (transfer full) */
  char *(*find_secret) (gpointer owner, PrSaslMechanisms mechanism, const char *user);
  /* (nullable) the channel binding "tls-exporter" (RFC 9266), "tls-unique" or
   * "tls-server-end-point" (both RFC 5929);
   * NULL: there is none. (transfer full) */
  GBytes *(*get_binding) (gpointer owner, const char *type);
} PrSaslServerWorld;

/* @mechanism: one. @world: borrowed, outlives it. */
PrSaslServer *pr_sasl_server_new (PrSaslMechanisms mechanism, const PrSaslServerWorld *world,
                                  gpointer owner);
void pr_sasl_server_free (PrSaslServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSaslServer, pr_sasl_server_free)
/* @line: (nullable): the client's line in base 64 (not terminated, @len octets); NULL for an AUTH
 * without an initial response. *@out: (transfer full) (nullable): the challenge in base 64. */
PrSaslStep pr_sasl_server_step (PrSaslServer *self, const char *line, gsize len, char **out);
/* After CHECK, once. (transfer full) */
PrSaslCheck *pr_sasl_server_take_check (PrSaslServer *self);
/* Who signs in, as the client said it, prepared (RFC 4013); NULL before it said so. Only after
 * DONE, or a check that was right, is it true. Borrowed. */
const char *pr_sasl_server_get_user (const PrSaslServer *self);

/* ── A client's side ──────────────────────────────────────────────────────────────────────── */

typedef struct _PrSaslClient PrSaslClient;

/* The best of @offered for what there is. @wanted: the route's auth= word, "auto" or one
 * mechanism, never silently another; scram-sha-256 includes its -PLUS. @has_token: the secret is an
 * OAuth token: OAUTHBEARER, XOAUTH2. Else SCRAM, -PLUS where @has_binding; PLAIN and LOGIN only
 * where @secure; CRAM-MD5 only by name. 0: none. */
PrSaslMechanisms pr_sasl_choose (PrSaslMechanisms offered, const char *wanted, gboolean secure,
                                 gboolean has_token, gboolean has_binding);

/* What signs in and where; all copied, the secret wiped at the end. */
typedef struct
{
  const char *user;
  const char *secret; /* password, or access token */
  const char *host;   /* the server's name, as asked for; OAUTHBEARER sends it */
  guint16 port;
  GBytes *exporter; /* (nullable) tls-exporter, for -PLUS under TLS 1.3 */
  GBytes *unique;   /* (nullable) tls-unique, for -PLUS before it */
} PrSaslCredentials;

/* Errors: PERMANENT in words. */
PrSaslClient *pr_sasl_client_new (PrSaslMechanisms mechanism, const PrSaslCredentials *credentials,
                                  GError **error);
void pr_sasl_client_free (PrSaslClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSaslClient, pr_sasl_client_free)
/* The initial response in base 64 ("=" for an empty one); NULL where the server speaks first, or
 * where starting failed: the first step then says so. (transfer full) */
char *pr_sasl_client_start (PrSaslClient *self);
/* The answer to a 334, @challenge being the text behind it. CONTINUE: *@out (transfer full) is
 * what to say, "" for an empty line. REFUSED, BROKEN: say "*" and give up. */
PrSaslStep pr_sasl_client_step (PrSaslClient *self, const char *challenge, char **out);
/* After 235: whether all that the mechanism wants was said. FALSE with SCRAM means a server that
 * did not prove that it knows the password (RFC 5802 §3): no mail goes there. */
gboolean pr_sasl_client_is_done (const PrSaslClient *self);
/* OAuth: the status of the server's error in JSON (RFC 7628 §3.2.2), such as "invalid_token" or
 * "401"; NULL if it sent none. Borrowed. */
const char *pr_sasl_client_get_oauth_status (const PrSaslClient *self);

G_END_DECLS
