/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/pace.h"
#include "relay/runner-private.h"

G_BEGIN_DECLS

/**
 * PrPacer: the pace of one account: of all routes that sign in to one provider with one name, or
 * of a route alone. Made when its first message goes; then the history tells what went before the
 * start. It stays until the runner is freed.
 */
typedef struct _PrPacer PrPacer;

/* Whether @hop may send a message for @n_recipients now: for how many of them. 0: not now, and the
 * hop is paced: it is pumped again when it may. Takes nothing. */
guint pr_pacer_ask (PrHop *hop, guint n_recipients);
/* @work begins, with all its recipients. */
void pr_pacer_take (PrHop *hop, PrWork *work);
/* @work ended; @n_sent recipients got it. Also of a work that was not taken. */
void pr_pacer_settle (PrWork *work, guint n_sent);

/* It waits for its time. @words: (out) (nullable): why, valid until the next turn. */
gboolean pr_pacer_is_waiting (const PrHop *hop, const char **words);
/* The hop's route is another one, or it is freed. */
void pr_pacer_leave (PrHop *hop);

/* NULL: nothing of @route was ever paced. */
PrPacer *pr_pacer_find (PrRunner *runner, const PrRouteConfig *route);
PrPace *pr_pacer_get_pace (PrPacer *self); /* borrowed */
void pr_pacer_free (PrPacer *self);

G_END_DECLS
