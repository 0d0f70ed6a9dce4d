/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Descriptors and timers as two sources of one main context. */
#include "net/loop.h"

#include "config.h"
#include "net/hook.h"
#include "net/poller.h"
#include "net/wheel.h"

#define TIMERS_PER_TURN 256
#define HANDSHAKES_PER_TURN 8

typedef struct
{
  GSource source;
  PrWheel wheel;
  guint n_handshakes; /* on this turn */
} WheelSource;

struct _PrLoop
{
  GMainContext *context;  /* owned */
  const PrPoller *poller; /* static */
  gpointer poll;          /* owned, by poller->destroy */
  WheelSource *timers;    /* owned */
  guint n_watches;
  char *buffer;              /* owned; made when first wanted */
  PrHook *hooks[PR_N_HOOKS]; /* borrowed lists */
};

static gboolean
prepare_timers (GSource *source, gint *timeout_ms)
{
  gint64 next_us = pr_wheel_get_next_us (&((WheelSource *) source)->wheel);
  gint64 wait_us;

  ((WheelSource *) source)->n_handshakes = 0; /* each turn of the context comes by here */
  *timeout_ms = -1;
  if (next_us < 0)
    return FALSE;
  wait_us = next_us - g_source_get_time (source);
  *timeout_ms = wait_us <= 0 ? 0 : (gint) MIN ((wait_us + 999) / 1000, G_MAXINT);
  return wait_us <= 0;
}

static gboolean
check_timers (GSource *source)
{
  gint64 next_us = pr_wheel_get_next_us (&((WheelSource *) source)->wheel);

  return next_us >= 0 && next_us <= g_source_get_time (source);
}

static gboolean
dispatch_timers (GSource *source, GSourceFunc callback, gpointer user_data)
{
  PrWheel *wheel = &((WheelSource *) source)->wheel;
  PrTimer *timer;

  pr_wheel_advance (wheel, g_get_monotonic_time ());
  for (guint i = 0; i < TIMERS_PER_TURN && (timer = pr_wheel_pop (wheel)) != NULL; i++)
    {
      timer->loop = NULL;
      timer->func (timer->user_data);
    }
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = {
  .prepare = prepare_timers,
  .check = check_timers,
  .dispatch = dispatch_timers,
};

PrLoop *
pr_loop_new_with_poller (GMainContext *context, const PrPoller *poller)
{
  PrLoop *self = g_new0 (PrLoop, 1);
  GSource *source = g_source_new (&timer_funcs, sizeof (WheelSource));

  self->context = g_main_context_ref (context);
  self->timers = (WheelSource *) source;
  pr_wheel_init (&self->timers->wheel, g_get_monotonic_time ());
  g_source_set_static_name (source, "postroom-timers");
  g_source_attach (source, context);

  self->poller = poller;
  self->poll = poller->create (self);
  if (self->poll == NULL)
    {
      self->poller = &pr_poller_glib;
      self->poll = pr_poller_glib.create (self);
    }
  return self;
}

PrLoop *
pr_loop_new (GMainContext *context)
{
#ifdef HAVE_EPOLL
  return pr_loop_new_with_poller (context, &pr_poller_epoll);
#else
  return pr_loop_new_with_poller (context, &pr_poller_glib);
#endif
}

void
pr_loop_free (PrLoop *self)
{
  if (self == NULL)
    return;
  pr_hooks_run (self, PR_HOOK_ENDING);
  g_warn_if_fail (self->n_watches == 0);
  g_warn_if_fail (self->timers->wheel.n_timers == 0);
  g_source_destroy (&self->timers->source);
  g_source_unref (&self->timers->source);
  self->poller->destroy (self->poll);
  g_main_context_unref (self->context);
  g_free (self->buffer);
  g_free (self);
}

GMainContext *
pr_loop_get_context (PrLoop *self)
{
  return self->context;
}

gint64
pr_loop_now_ms (PrLoop *self)
{
  return g_get_monotonic_time () / 1000;
}

char *
pr_loop_get_buffer (PrLoop *self)
{
  if (self->buffer == NULL)
    self->buffer = g_malloc (PR_LOOP_BUFFER_SIZE);
  return self->buffer;
}

gboolean
pr_loop_may_shake_hands (PrLoop *self)
{
  return self->timers->n_handshakes++ < HANDSHAKES_PER_TURN;
}

gboolean
pr_watch_start (PrWatch *self, PrLoop *loop, int fd, PrIo wants, PrWatchFunc func,
                gpointer user_data)
{
  g_return_val_if_fail (self->loop == NULL, FALSE);

  *self = (PrWatch){ .loop = loop, .fd = fd, .wants = wants, .func = func, .user_data = user_data };
  if (!loop->poller->add (loop->poll, self))
    {
      self->loop = NULL;
      return FALSE;
    }
  loop->n_watches++;
  return TRUE;
}

void
pr_watch_set (PrWatch *self, PrIo wants)
{
  g_return_if_fail (self->loop != NULL);

  if (self->wants == wants)
    return;
  self->wants = wants;
  self->loop->poller->change (self->loop->poll, self);
}

void
pr_watch_stop (PrWatch *self)
{
  PrLoop *loop = self->loop;

  if (loop == NULL)
    return;
  loop->poller->remove (loop->poll, self);
  loop->n_watches--;
  self->loop = NULL;
}

void
pr_timer_start (PrTimer *self, PrLoop *loop, guint64 delay_ms, PrTimerFunc func, gpointer user_data)
{
  pr_timer_stop (self);
  self->loop = loop;
  self->func = func;
  self->user_data = user_data;
  pr_wheel_add (&loop->timers->wheel, self, g_get_monotonic_time (), delay_ms);
}

void
pr_timer_stop (PrTimer *self)
{
  if (self->loop == NULL)
    return;
  pr_wheel_remove (&self->loop->timers->wheel, self);
  self->loop = NULL;
}

gboolean
pr_timer_is_running (const PrTimer *self)
{
  return self->loop != NULL;
}

void
pr_hook_add (PrHook *self, PrLoop *loop, PrHookKind kind, PrHookFunc func, gpointer user_data)
{
  g_return_if_fail (self->loop == NULL);

  *self = (PrHook){
    .loop = loop, .kind = kind, .next = loop->hooks[kind], .func = func, .user_data = user_data
  };
  if (self->next != NULL)
    self->next->prev = self;
  loop->hooks[kind] = self;
}

void
pr_hook_remove (PrHook *self)
{
  if (self->loop == NULL)
    return;
  if (self->next != NULL)
    self->next->prev = self->prev;
  if (self->prev != NULL)
    self->prev->next = self->next;
  else
    self->loop->hooks[self->kind] = self->next;
  self->loop = NULL;
}

void
pr_hooks_run (PrLoop *loop, PrHookKind kind)
{
  PrHook *next;

  for (PrHook *each = loop->hooks[kind]; each != NULL; each = next)
    {
      next = each->next;
      each->func (each->user_data);
    }
}
