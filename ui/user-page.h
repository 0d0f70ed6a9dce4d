/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "group-page.h"

G_BEGIN_DECLS

/* All about a person or device that signs in, for pr_settings_page_open (). @group: "user
 * printer"; @password: (nullable): its new one, to be shown this once. Floating. */
GtkWidget *pr_user_page_new (PrSettings *settings, const char *group, const char *password);

G_END_DECLS
