/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ctl/terminal.h"

G_BEGIN_DECLS

/* An event (a{sv} of Journal1) as one line for people, without a line end:
 * "2026-11-23 20:44:02  delivered     1kh3zs5v8qg  to a@example.org via out: 250 2.0.0 ok"
 * (transfer full) */
char *pr_event_line (const PrTerminal *terminal, GVariant *event);

G_END_DECLS
