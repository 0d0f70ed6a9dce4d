/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "settings.h"

G_BEGIN_DECLS

/**
 * PrExplainGroup: what would become of a mail from somebody to somebody, as the service says it.
 * Property `settings` (PrSettings), once.
 */
#define PR_TYPE_EXPLAIN_GROUP (pr_explain_group_get_type ())
G_DECLARE_FINAL_TYPE (PrExplainGroup, pr_explain_group, PR, EXPLAIN_GROUP, AdwPreferencesGroup)

/* @facts: of Configuration1.Explain, in words for people. (transfer full) */
char *pr_explain_group_describe (GVariant *facts);

G_END_DECLS
