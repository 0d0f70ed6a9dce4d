/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"

G_BEGIN_DECLS

/* What would become of a mail, by the code that does it. Pure; words of errors are for people. */

/* @from: an address, a From field ("Printer <scan@office.example>"), or "" for the null sender;
 * @to: an address. As of Configuration1.Explain in data/dbus. Errors: PR_ERROR_CONFIG.
 * (transfer none): floating, a{sv} */
GVariant *pr_explain (const PrConfig *config, const char *from, const char *to, GError **error);
/* What `rewrite-sender=@address` makes of @from: as of Configuration1.PreviewRewriting. */
GVariant *pr_explain_rewriting (const char *from, const char *address, GError **error);

G_END_DECLS
