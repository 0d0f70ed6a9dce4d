/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrAssistant: from nothing to the first delivered mail: provider, sign-in, who may send, a test.
 * Every step is a valid configuration; closing it before a mail got through takes all back.
 */
#define PR_TYPE_ASSISTANT (pr_assistant_get_type ())
G_DECLARE_FINAL_TYPE (PrAssistant, pr_assistant, PR, ASSISTANT, AdwWindow)

/* @route: (nullable): one that is there, to sign in to again; nothing else is asked then. */
PrAssistant *pr_assistant_new (GtkWindow *parent, PrService *service, const char *route);

G_END_DECLS
