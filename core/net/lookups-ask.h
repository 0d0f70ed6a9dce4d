/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/lookups.h"
#include "net/resolver.h"

G_BEGIN_DECLS

/**
 * PrLookupsAsk: gets from a resolver what a PrLookups wants. One thread.
 */
typedef struct _PrLookupsAsk PrLookupsAsk;

/* @lookups, @resolver: borrowed, outlive it. @answered: called, never from within, when everything
 * that was asked for has its answer; it may free @self, or ask for more. */
PrLookupsAsk *pr_lookups_ask_new (PrLookups *lookups, PrResolver *resolver,
                                  void (*answered) (gpointer user_data), gpointer user_data);
void pr_lookups_ask_free (PrLookupsAsk *self); /* @answered does not come any more */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrLookupsAsk, pr_lookups_ask_free)
/* Everything that is wanted now, at once. FALSE: nothing is, and @answered will not come. */
gboolean pr_lookups_ask_wanted (PrLookupsAsk *self);

G_END_DECLS
