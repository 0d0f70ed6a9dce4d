/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrConsent: somebody signs in to a provider in a browser, here or on another device, and sees how
 * far that is. Signal `done`: the provider agreed; the route can send.
 */
#define PR_TYPE_CONSENT (pr_consent_get_type ())
G_DECLARE_FINAL_TYPE (PrConsent, pr_consent, PR, CONSENT, AdwBin)

/* @flow: as of SignIn1.Start. An earlier one is cancelled. */
void pr_consent_start (PrConsent *self, PrService *service, const char *route, const char *flow);
void pr_consent_cancel (PrConsent *self);

G_END_DECLS
