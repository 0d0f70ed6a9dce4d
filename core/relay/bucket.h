/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "queue/message.h"

G_BEGIN_DECLS

/**
 * Which route carries a recipient, and in which bucket it waits: mail of one bucket has one next
 * hop. Pure functions, asked anew at each try, because the configuration may have changed.
 *
 *   smarthost, lmtp, maildir, discard   "ROUTE"
 *   mx                                  "ROUTE/domain"
 *   hold                                "ROUTE/"   held
 *   none                                ""         held
 *
 * A tab before the name, which no route's name can have, pins: a person moved the recipient to
 * that route, and patterns are not asked until the route is gone or a pinned hold is released.
 *
 * A queued recipient in "ROUTE/" was released by a person: hold routes are skipped. One that is
 * already on its way in another bucket is not caught by a hold route that stands before it in
 * the file, or what was released would be held again after its first 4yz.
 */
typedef struct
{
  const PrRouteConfig *route; /* NULL: none matches; belongs to the configuration */
  const char *address;        /* as the next hop is told it; the recipient's, or the postmaster's */
  const char *domain;         /* mx: of @address; else NULL */
  const char *held;           /* in words why nothing carries it; NULL: it can go. Static. */
  gboolean pinned;
} PrBucket;

/* @current: the bucket it waits in now, NULL for new mail. The result borrows from all three. */
PrBucket pr_bucket_find (const PrConfig *config, const char *recipient, const char *sender,
                         const char *current);
gboolean pr_bucket_is (const PrBucket *self, const char *name);
char *pr_bucket_name (const PrBucket *self); /* (transfer full) */
/* A name for pr_bucket_find's @current that pins to @route. (transfer full) */
char *pr_bucket_pin (const char *route);
/* "ROUTE" of any bucket name. (transfer full) */
char *pr_bucket_route_name (const char *name);
/* Any bucket name as people see it; points into @name. */
const char *pr_bucket_shown (const char *name);
/* The domain of an mx bucket, points into @name; NULL for all others. */
const char *pr_bucket_domain (const char *name);

/* Puts each queued recipient into its bucket: hop, and HELD with the reason as last_reply where
 * nothing carries it. For messages that were not yet given to the store. Returns how many are
 * held. */
guint pr_bucket_assign (const PrConfig *config, PrMessage *message);

G_END_DECLS
