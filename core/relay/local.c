/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/local.h"

#include "relay/hop.h"
#include "relay/record.h"

static void
discard (PrHop *hop)
{
  PrRecordFacts facts = { .hop_is_last = TRUE };
  PrReply reply = { 0 };
  PrWork *work;

  pr_reply_set (&reply, 250, "2.0.0", "Discarded, as the route says");
  while ((work = pr_hop_next_work (hop, G_MAXUINT)) != NULL)
    pr_record_results (hop->runner, work, &reply, TRUE, &facts);
  pr_reply_clear (&reply);
}

void
pr_local_pump (PrHop *hop)
{
  if (hop->route->via == PR_VIA_DISCARD)
    discard (hop);
}
