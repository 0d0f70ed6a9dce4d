/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrHook: one who wants to hear of something that happens to a loop. Internal to core/net.
 */
typedef enum
{
  PR_HOOK_STARVED, /* a descriptor was closed: a listener may accept again */
  PR_HOOK_ENDING,  /* the loop is being freed: channels that nobody owns any more go with it */
  PR_N_HOOKS
} PrHookKind;

typedef struct _PrHook PrHook;
/* May take itself out of the list, and arm things of its own; not others. */
typedef void (*PrHookFunc) (gpointer user_data);

/* Embed it; zero-initialised is in no list. */
struct _PrHook
{
  PrLoop *loop; /* borrowed; NULL when in no list */
  PrHookKind kind;
  PrHook *next, *prev;
  PrHookFunc func;
  gpointer user_data;
};

void pr_hook_add (PrHook *self, PrLoop *loop, PrHookKind kind, PrHookFunc func, gpointer user_data);
void pr_hook_remove (PrHook *self); /* twice is harmless */
/* Calls all of a kind; costs one comparison when there are none. */
void pr_hooks_run (PrLoop *loop, PrHookKind kind);

G_END_DECLS
