/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TXT records, as the system's name servers give them: anybody writes them, so they may hold any
 * octets. GResolver takes them for UTF-8 and ends the process where they are not (GLib 2.74).
 *
 * A text is one record, its strings joined (RFC 7208 §3.3); it need not be UTF-8. A record that
 * holds a NUL is left out: nothing that is read by it here may.
 */

/* @texts: (nullable) (transfer none) (element-type char *): empty where the name exists and has
 * none. @error: (nullable): PERMANENT for a name that does not exist, TEMPORARY for everything
 * else. Exactly one is set. */
typedef void (*PrTextsFunc) (GPtrArray *texts, const GError *error, gpointer user_data);

/* Asks for those of @name (A-labels, copied) in a thread of its own, and calls @func in @context
 * (referenced), which must turn for that; then, or where it cannot be called any more, @free_data.
 * @server: (nullable): "IPV4-ADDRESS@PORT", in place of the system's. Takes up to a minute where
 * nobody answers, and cannot be cancelled. */
void pr_dns_ask_texts (GMainContext *context, const char *name, const char *server,
                       PrTextsFunc func, gpointer user_data, GDestroyNotify free_data);

/* (transfer full) (element-type char *): those of a whole answer, at most 256. NULL: it is
 * malformed. */
GPtrArray *pr_dns_read_texts (const guint8 *data, gsize len);

G_END_DECLS
