/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Speaks the person's language from here on: of the translations installed or, in a build tree,
 * of those beside the program. Once, before anything is said. */
void pr_language_init (void);

G_END_DECLS
