/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "engine.h"

G_BEGIN_DECLS

/* How things are, and the switch that programs, the tray and people share. */

/* One sentence: what a person wants to know first. (transfer full) */
char *pr_state_describe (PrEngine *engine);
/* @what: "receiving" or "sending"; FALSE: neither. Leaves an event. */
gboolean pr_state_set_paused (PrEngine *engine, const char *what, gboolean paused);

G_END_DECLS
