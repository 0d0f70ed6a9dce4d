/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the service says of conversations, in the language of the window: @text itself where it is
 * something else, such as the words of another server. NULL for NULL. (transfer none): @text or
 * static. Pure. */
const char *pr_service_words (const char *text);

G_END_DECLS
