/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrRedirect: waits on 127.0.0.1, at a port that the system chooses, for the browser to come back
 * from a sign-in (RFC 8252 §7.3). It answers requests for its own address alone (a page elsewhere
 * that points a name at 127.0.0.1 gets nothing), and only GET of "/". At most 8 connections at
 * once, 16 KiB and half a minute for each. One thread.
 */
typedef struct _PrRedirect PrRedirect;

/* What a person reads: plain text, copied. Fill @title and @text. */
typedef struct
{
  char *title, *text; /* owned by the redirect once filled in */
} PrRedirectPage;

/* @query: what stood behind the question mark, "" without one; any bytes that a request line may
 * have. May free the redirect only on a later turn. */
typedef void (*PrRedirectFunc) (const char *query, PrRedirectPage *page, gpointer user_data);

/* Errors: those of pr_listener_new(). */
PrRedirect *pr_redirect_new (PrLoop *loop, PrRedirectFunc func, gpointer user_data, GError **error);
/* What was answered still leaves. */
void pr_redirect_free (PrRedirect *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrRedirect, pr_redirect_free)
guint16 pr_redirect_get_port (const PrRedirect *self);

G_END_DECLS
