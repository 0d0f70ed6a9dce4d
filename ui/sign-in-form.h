/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/**
 * PrSignInForm: how to sign in to one provider, with its own steps in words, or to any server.
 * Property `complete` (boolean, read-only): all that is needed is there.
 */
#define PR_TYPE_SIGN_IN_FORM (pr_sign_in_form_get_type ())
G_DECLARE_FINAL_TYPE (PrSignInForm, pr_sign_in_form, PR, SIGN_IN_FORM, AdwBin)

/* @json: as Configuration1.GetProvider has it; NULL: any server, which a person names. */
void pr_sign_in_form_show_provider (PrSignInForm *self, const char *json);
/* A route that is there: its name and a new password alone. */
void pr_sign_in_form_show_route (PrSignInForm *self, const char *route, const char *username);

/* For pr_setup_add_route(). (transfer floating) */
GVariant *pr_sign_in_form_make_options (PrSignInForm *self);
/* "" : none was given. Borrowed. */
const char *pr_sign_in_form_get_username (PrSignInForm *self);
/* NULL: there is none to be given. Borrowed. */
const char *pr_sign_in_form_get_password (PrSignInForm *self);
/* How to sign in with OAuth, as of SignIn1.Start; NULL: with a password, or not at all. */
const char *pr_sign_in_form_get_flow (PrSignInForm *self);
/* NULL: there is none. Borrowed. */
const char *pr_sign_in_form_get_client_secret (PrSignInForm *self);

G_END_DECLS
