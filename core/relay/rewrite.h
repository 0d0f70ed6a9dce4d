/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/headers.h"

G_BEGIN_DECLS

/**
 * PrRewrite: a route's `rewrite-sender`, for providers that let an account send as itself alone.
 * A filter over the text of a message on its way out:
 *
 * - From becomes the configured address and keeps the display name of its first author;
 * - the old From becomes Reply-To, unless there is a Reply-To already;
 * - Sender is removed (RFC 5322 §3.6.2: with one author it would only repeat From);
 * - a missing From is added;
 * - everything else stays, DKIM-Signature too: one that covered From no longer verifies, which a
 *   receiver must treat as no signature (RFC 6376 §6.1).
 *
 * A message that is from the configured address already is not changed. The header is held until
 * it is whole; beyond PR_HEADERS_MAX octets it passes unchanged.
 */
typedef struct _PrRewrite PrRewrite;

/* @address: canonical, copied. */
PrRewrite *pr_rewrite_new (const char *address);
void pr_rewrite_free (PrRewrite *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrRewrite, pr_rewrite_free)

/* Takes the next octets in any fragmentation and appends what leaves to @out. @last: the end. */
void pr_rewrite_feed (PrRewrite *self, const char *data, gsize len, gboolean last, GString *out);

/* The same for a header that is in memory. */
void pr_rewrite_headers (PrHeaders *headers, const char *address);
/* The envelope's sender: @address, but the null sender stays null, so that a bounce stays one.
 * Borrowed from the arguments. */
const char *pr_rewrite_envelope (const char *sender, const char *address);

/* The new value of From for an old one (nullable) and the address. (transfer full) */
char *pr_rewrite_from (const char *from, const char *address);

G_END_DECLS
