/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "service.h"

G_BEGIN_DECLS

/**
 * PrSignInGroup: how a route stands with its provider: whether it is ready, who signed in and until
 * when, signing in and out, and its password.
 */
#define PR_TYPE_SIGN_IN_GROUP (pr_sign_in_group_get_type ())
G_DECLARE_FINAL_TYPE (PrSignInGroup, pr_sign_in_group, PR, SIGN_IN_GROUP, AdwPreferencesGroup)

/* @route: its name, copied. Floating. */
GtkWidget *pr_sign_in_group_new (PrService *service, const char *route);

G_END_DECLS
