/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/database.h"
#include "queue/event.h"

G_BEGIN_DECLS

/**
 * PrTally: what nobody should have to count afterwards: how many of each outcome in each hour, and
 * who sent mail when. Gathered in memory while a transaction runs and written once at its end, so
 * that a batch of 500 messages costs one row. The writer's thread only.
 */
typedef struct
{
  gint64 hour; /* since the epoch: whose counts these are */
  gint64 received, delivered, deferred, failed, refused;
  GHashTable *devices; /* owned, of rows of the running transaction */
  gint64 n_devices;    /* in the table; -1: not known */
} PrTally;

#define PR_TALLY_KEEP_HOURS (32 * 24)
#define PR_TALLY_MAX_DEVICES 1000 /* beyond it those go that were silent for longest */

void pr_tally_init (PrTally *self);
void pr_tally_clear (PrTally *self);
/* Counts @event. SQLite code. */
int pr_tally_event (PrTally *self, PrDatabase *db, const PrEvent *event);
/* @client, as @user (nullable), sent a message. */
void pr_tally_device (PrTally *self, const char *client, const char *user, gint64 seen_us);
/* Before the commit. SQLite code. */
int pr_tally_write (PrTally *self, PrDatabase *db);
/* The transaction was rolled back. */
void pr_tally_forget (PrTally *self);

G_END_DECLS
