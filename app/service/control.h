/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "service/autostart.h"
#include "service/desktop.h"
#include "service/reload.h"

G_BEGIN_DECLS

/**
 * PrControl: the control interface: the interfaces of data/dbus on the UNIX socket `control`, for
 * processes of the same user only.
 */
typedef struct _PrControl PrControl;

/* All borrowed, outlive it. Errors: PR_ERROR_PERMANENT, the socket cannot be made. */
PrControl *pr_control_new (PrEngine *engine, const PrHome *home, PrReloader *reloader,
                           GError **error);
/* What answers for starting at login; borrowed, outlives it. Without one nothing can be changed. */
void pr_control_set_autostart (PrControl *self, PrAutostart *autostart);
/* What knows what waits for a person; borrowed, outlives it. Without one nothing does. */
void pr_control_set_desktop (PrControl *self, PrDesktop *desktop);
/* Ends all conversations and removes the socket. */
void pr_control_free (PrControl *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrControl, pr_control_free)

G_END_DECLS
