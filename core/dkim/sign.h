/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "dkim/key.h"

G_BEGIN_DECLS

/* Signs a message that leaves (RFC 6376 §5): relaxed/relaxed, for relays on the way fold lines. */

typedef struct
{
  const char *domain, *selector;
  const PrDkimSecret *secret;
  gint64 time_s; /* now */
} PrDkimSigning;

/* A field "DKIM-Signature: …", with CRLF at its end, to be put in front of the message. What may
 * matter to a reader is signed, and once more than it is there, so that no relay can add a second
 * From or Subject unnoticed (§5.4.2). @header: from the first field to the empty line. @body_hash:
 * of PrCanonBody, relaxed and whole. (transfer full); NULL: GnuTLS refused. */
char *pr_dkim_sign (const PrDkimSigning *signing, const char *header, gsize len,
                    const guint8 body_hash[PR_CANON_HASH_LEN]);

G_END_DECLS
