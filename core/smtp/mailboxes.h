/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The addresses of a field such as To, by the strict grammar of RFC 5322 §3.4 alone (and an empty
 * place between two commas, §4.4): what another program could read otherwise is not read at all.
 * @value: unfolded. Appends each address in its canonical form (smtp/address.h) to @out
 * (element-type utf8, takes ownership). FALSE: the field is not right; what was found so far may
 * have been appended. */
gboolean pr_mailboxes_parse (const char *value, GPtrArray *out);

/* The same for two spellings of one mailbox: the local part without case, the domain in its ASCII
 * form. (transfer full) */
char *pr_mailbox_key (const char *address);

G_END_DECLS
