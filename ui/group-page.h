/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "settings.h"

G_BEGIN_DECLS

/**
 * PrGroupPage: all about one group of postroom.conf that has a name: a listener, a user, a route;
 * for pr_settings_page_open (). Closes itself when the group is not there any more.
 */
#define PR_TYPE_GROUP_PAGE (pr_group_page_get_type ())
G_DECLARE_FINAL_TYPE (PrGroupPage, pr_group_page, PR, GROUP_PAGE, AdwPreferencesPage)

/* @group: "route office", copied. Floating. */
GtkWidget *pr_group_page_new (PrSettings *settings, const char *group);
/* A PrSettingGroup of @keys under @title at its end. */
void pr_group_page_add (PrGroupPage *self, const char *title, const char *keys);
/* Then the button @remove ("Remove This Route"), and above it an entry titled @rename for the
 * group's name (nullable: what goes by the name cannot be renamed). */
void pr_group_page_add_end (PrGroupPage *self, const char *rename, const char *remove);

const char *pr_group_page_get_group (PrGroupPage *self);
PrSettings *pr_group_page_get_settings (PrGroupPage *self);

G_END_DECLS
