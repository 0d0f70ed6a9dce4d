/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrSetup: what the assistant does to the configuration: each step as a whole or not at all, and
 * all of it taken back when a person thinks again. One step at a time. Main thread only.
 */
#define PR_TYPE_SETUP (pr_setup_get_type ())
G_DECLARE_FINAL_TYPE (PrSetup, pr_setup, PR, SETUP, GObject)

/* @fault: NULL: it is done; else why nothing came of it, for people. */
typedef void (*PrSetupDone) (const char *fault, gpointer user_data);

PrSetup *pr_setup_new (PrService *service);

/* The route that is set up; NULL: there is none yet. */
const char *pr_setup_get_route (PrSetup *self);
/* What the service warned of in the last step that was done; NULL: nothing. */
const char *pr_setup_get_warning (PrSetup *self);
/* A route that was there before: signing in changes it, and it is not taken back. */
void pr_setup_set_route (PrSetup *self, const char *route);

/* Makes the route in place of the one made before, as the first of all. @options: a{sv} of
 * Configuration1.AddRoute; or, without `provider`, keys of postroom.conf, and `name`. More keys of
 * the route in either: `client-id`. @password, @client_secret: (nullable): kept where secrets are.
 */
void pr_setup_add_route (PrSetup *self, GVariant *options, const char *password,
                         const char *client_secret, PrSetupDone done, gpointer user_data);
/* Another name and password for the route of pr_setup_set_route(). */
void pr_setup_sign_in (PrSetup *self, const char *username, const char *password, PrSetupDone done,
                       gpointer user_data);
/* Who may send besides this computer: in place of what was said before. */
void pr_setup_allow (PrSetup *self, gboolean devices, gboolean without_password, PrSetupDone done,
                     gpointer user_data);
/* Sets one key of the route. */
void pr_setup_set_key (PrSetup *self, const char *key, const char *value, PrSetupDone done,
                       gpointer user_data);
/* Takes back all that was made. Its calls outlive @self; nobody hears how they end. */
void pr_setup_take_back (PrSetup *self);

G_END_DECLS
