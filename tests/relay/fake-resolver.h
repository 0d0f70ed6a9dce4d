/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/resolver.h"

G_BEGIN_DECLS

/* Stands in for net/resolver.c in a test's program: names are what the test says. An address in
 * text form is itself; a name that was not told does not exist. Answers come on a later turn. */
void fake_resolver_add_host (const char *host, const char *addresses); /* "10.0.0.1 10.0.0.2" */
/* @exchangers: "10 a.example 20 b.example"; "" is a null MX (RFC 7505). */
void fake_resolver_add_domain (const char *domain, const char *exchangers);
/* One more text of @name; a name without any does not exist, and one text "" says that it does. */
void fake_resolver_add_text (const char *name, const char *text);
void fake_resolver_remove_texts (const char *name);
/* Every question fails for the time being. */
void fake_resolver_set_broken (gboolean broken);
guint fake_resolver_count_texts (void); /* questions for texts */
guint fake_resolver_count_forgets (void);
void fake_resolver_clear (void);

G_END_DECLS
