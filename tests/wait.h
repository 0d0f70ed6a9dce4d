/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

/* Turns @context until @condition holds; a test that waits longer than this fails and says what
 * it waited for. Generous, because machines are loaded. */
#define WAIT_LIMIT_S 60

static inline gboolean
wait_wake_up (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* So that a turn does not sleep for ever where nothing happens. */
static inline GSource *
wait_begin (GMainContext *context)
{
  GSource *source = g_timeout_source_new (100);

  g_source_set_callback (source, wait_wake_up, NULL, NULL);
  g_source_attach (source, context);
  return source;
}

#define wait_for(context, condition, what)                                                         \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GSource *wait_source = wait_begin (context);                                                   \
    gint64 wait_end_us = g_get_monotonic_time () + WAIT_LIMIT_S * G_USEC_PER_SEC;                  \
                                                                                                   \
    while (!(condition))                                                                           \
      {                                                                                            \
        if (g_get_monotonic_time () > wait_end_us)                                                 \
          g_error ("%s:%d: waited %d s for: %s", __FILE__, __LINE__, WAIT_LIMIT_S, what);          \
        g_main_context_iteration (context, TRUE);                                                  \
      }                                                                                            \
    g_source_destroy (wait_source);                                                                \
    g_source_unref (wait_source);                                                                  \
  }                                                                                                \
  G_STMT_END
