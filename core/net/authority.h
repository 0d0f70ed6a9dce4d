/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * The local authority: a certificate of our own that devices can be told to trust, and the server's
 * certificate it issues, for the names and addresses this machine has. Kept in one folder, keys
 * readable by the owner alone; what cannot be read is made anew. All of it blocks (files, keys of
 * RSA up to a second): at start or in a thread, one at a time.
 */

/* A certificate chain and its key, PEM. Zero-initialised is empty. */
typedef struct
{
  GBytes *certificate, *key; /* owned, nullable */
} PrKeyPair;

void pr_key_pair_clear (PrKeyPair *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PrKeyPair, pr_key_pair_clear)

typedef enum
{
  PR_AUTHORITY_ECDSA,
  PR_AUTHORITY_RSA, /* beside the other, for devices from before 2010 */
} PrAuthorityKey;

/* The certificate of this machine under @names (host names, and addresses in text form), as it is
 * kept in @folder; issued anew where the names have changed, it nears its end, or the authority is
 * another, which is made where there is none. PR_ERROR_PERMANENT: the folder cannot be written. */
gboolean pr_authority_get_pair (const char *folder, const char *const *names, PrAuthorityKey kind,
                                PrKeyPair *out, GError **error);

#define PR_AUTHORITY_FILE "authority.pem" /* its own certificate, in that folder */

/* The authority's own certificate, for devices to import: "pem", or DER as "der" and "crt".
 * PR_ERROR_CONFIG for another format, PR_ERROR_TEMPORARY while there is none. (transfer full) */
GBytes *pr_authority_export (const char *folder, const char *format, GError **error);
/* The same for who has read PR_AUTHORITY_FILE; does not block. @pem: nullable. */
GBytes *pr_authority_convert (GBytes *pem, const char *format, GError **error);

/* What this machine is called: @hostname, the system's name with and without .local, localhost, and
 * the addresses of its interfaces. Sorted. (transfer full) */
GStrv pr_authority_find_names (const char *hostname);

G_END_DECLS
