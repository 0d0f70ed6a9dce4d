/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"

G_BEGIN_DECLS

#define PR_OVERDUE_MS (10 * 60 * 1000) /* between two looks */

/**
 * What waits for its hop's pace is not tried, so no attempt ever finds it late. It is looked at
 * here instead, whether it is in hand or in the store: its sender hears once that it is late and
 * that the limit is why; what is older than give-up goes back.
 */
typedef struct _PrOverdue PrOverdue;

/* @hop waits for its pace: looks now, unless it did so a short while ago; then later. */
void pr_overdue_note_wait (PrHop *hop);
/* @hop has another pace, or none, from now on. */
void pr_overdue_leave (PrHop *hop);

G_END_DECLS
