/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"
#include "net/poller.h"
#include "wait.h"

/* A loop with the poller that the test is run for; NULL: the platform's own. */
typedef struct
{
  GMainContext *context;
  PrLoop *loop;
} Fixture;

static inline void
fixture_set_up (Fixture *f, gconstpointer poller)
{
  f->context = g_main_context_new ();
  f->loop =
    poller != NULL ? pr_loop_new_with_poller (f->context, poller) : pr_loop_new (f->context);
}

static inline void
fixture_tear_down (Fixture *f, gconstpointer poller)
{
  pr_loop_free (f->loop);
  g_main_context_unref (f->context);
}

/* Some turns, for what happens at once or must not happen. */
static inline void
fixture_settle (Fixture *f)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (f->context, FALSE);
}
