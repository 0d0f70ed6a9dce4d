/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "engine.h"

G_BEGIN_DECLS

/* The service manager: systemd's readiness protocol and socket activation (sd_notify(3),
 * sd_listen_fds(3)). Without one, or on a system that has none, all of this does nothing. */

void pr_supervisor_adopt_sockets (PrEngine *engine);
void pr_supervisor_ready (void); /* after start, and after each reload */
void pr_supervisor_reloading (void);
void pr_supervisor_stopping (void);

G_END_DECLS
