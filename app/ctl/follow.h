/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ctl/ctl.h"

G_BEGIN_DECLS

/**
 * PrFollow: events as they happen. What happens between pr_follow_begin and pr_follow_run is
 * kept and told first.
 */
typedef struct _PrFollow PrFollow;

/* FALSE ends the run. */
typedef gboolean (*PrFollowEvent) (GVariant *event, gpointer user_data);

/* NULL: it was printed why, and @status is the exit code. */
PrFollow *pr_follow_begin (PrCtl *ctl, int *status);
/* Until @func says so (PR_EXIT_DONE), a person presses Ctrl+C (PR_EXIT_DONE), or the service goes
 * (PR_EXIT_NO_SERVICE, it was printed). */
int pr_follow_run (PrFollow *self, PrFollowEvent func, gpointer user_data);
void pr_follow_free (PrFollow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrFollow, pr_follow_free)

G_END_DECLS
