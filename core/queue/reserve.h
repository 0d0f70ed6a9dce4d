/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrReserve: room on the disk that nobody else can take: an allocated file beside the database. It
 * is let go of when the disk is full, so that what happened to mail can still be recorded, and
 * taken again as soon as there is room. Blocks; the writer's thread only.
 */
typedef struct
{
  char *home, *path; /* owned */
  gsize n_octets;    /* 0: this file system cannot keep room, or is too small for it */
  gboolean held, released;
} PrReserve;

/* In @home, of at most @max_octets, and no more than a sixteenth of the file system. Not held. */
void pr_reserve_init (PrReserve *self, const char *home, gsize max_octets);
void pr_reserve_clear (PrReserve *self); /* the file stays as it is */
/* TRUE: it is held, or there can be none. FALSE: the disk has no room for it; once it was released
 * this means twice as much, so that the next message does not fill the disk again. */
gboolean pr_reserve_take (PrReserve *self);
/* All room that is left is for records. */
gboolean pr_reserve_is_needed (const PrReserve *self);
/* TRUE: it was held, and the disk has so much more room now. */
gboolean pr_reserve_release (PrReserve *self);

G_END_DECLS
