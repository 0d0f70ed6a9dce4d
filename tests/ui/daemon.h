/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/home.h"

/* A real postroomd in a home of its own, with a listener on a free port of 127.0.0.1 and a route
 * `wait` that holds all mail. */
typedef struct
{
  PrHome *home;         /* owned */
  GSubprocess *process; /* owned, nullable: while it runs */
} Daemon;

/* Makes the home; starts nothing. @config: (nullable): postroom.conf in place of that above. */
void daemon_set_up (Daemon *self, const char *config);
/* Returns when its control socket is there. */
void daemon_start (Daemon *self);
/* As asked, and cleanly. */
void daemon_stop (Daemon *self);
/* At once, as a crash is. */
void daemon_kill (Daemon *self);
/* Stops it and removes the home. */
void daemon_tear_down (Daemon *self);

/* Waits in @daemon's queue from then on: mail put in by its own test mail. Returns its id.
 * (transfer full) */
char *daemon_add_mail (Daemon *self, const char *to);
