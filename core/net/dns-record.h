/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * Records of the DNS, as the system's name servers give them: anybody writes them, so they may hold
 * any octets. GResolver takes them for UTF-8 and ends the process where they are not (GLib 2.74),
 * and cannot be asked for what is really there (it knows no domain without an exchanger).
 */
typedef enum
{
  PR_RECORD_TEXT, /* TXT: its strings joined (RFC 7208 §3.3); need not be UTF-8 */
  PR_RECORD_IP4,  /* A, as text */
  PR_RECORD_IP6,  /* AAAA, as text */
  PR_RECORD_MX, /* the exchangers' names, by preference; no implicit one, and none for a null MX */
  PR_RECORD_NAME, /* PTR; asked for the name in in-addr.arpa or ip6.arpa */
} PrRecordKind;

/* @values: (nullable) (transfer none) (element-type char *): empty where the name exists and has
 * none. What cannot be written as text without doubt (a NUL, a dot within a label) is left out.
 * @error: (nullable): PERMANENT for a name that does not exist, TEMPORARY for everything else.
 * Exactly one is set. */
typedef void (*PrRecordsFunc) (GPtrArray *values, const GError *error, gpointer user_data);

/* Asks for those of @name (A-labels, copied) in a thread of its own, and calls @func in @context
 * (referenced), which must turn for that; then, or where it cannot be called any more, @free_data.
 * @server: (nullable): "IPV4-ADDRESS@PORT", in place of the system's. Takes up to a minute where
 * nobody answers, and cannot be cancelled. */
void pr_dns_ask (GMainContext *context, PrRecordKind kind, const char *name, const char *server,
                 PrRecordsFunc func, gpointer user_data, GDestroyNotify free_data);

/* (transfer full) (element-type char *): those of that kind in a whole answer, at most 256. NULL:
 * it is malformed. */
GPtrArray *pr_dns_read_records (PrRecordKind kind, const guint8 *data, gsize len);

G_END_DECLS
