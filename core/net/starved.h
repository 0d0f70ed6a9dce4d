/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrStarved: one who waits for descriptors to become free (a listener). Channels tell when they
 * closed theirs. Internal to core/net.
 */
typedef struct _PrStarved PrStarved;
/* May only take itself out of the list and arm something: it is called while others close. */
typedef void (*PrStarvedFunc) (gpointer user_data);

/* Embed it; zero-initialised is in no list. */
struct _PrStarved
{
  PrLoop *loop; /* borrowed; NULL when in no list */
  PrStarved *next;
  PrStarvedFunc func;
  gpointer user_data;
};

void pr_starved_add (PrStarved *self, PrLoop *loop, PrStarvedFunc func, gpointer user_data);
void pr_starved_remove (PrStarved *self); /* twice is harmless */
/* A descriptor was closed: costs one comparison when nobody waits. */
void pr_starved_feed (PrLoop *loop);

G_END_DECLS
