/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define PR_HAPPENS_BEFORE(address) __tsan_release ((void *) (address))
#define PR_HAPPENS_AFTER(address) __tsan_acquire ((void *) (address))
#else
#define PR_HAPPENS_BEFORE(address) ((void) (address))
#define PR_HAPPENS_AFTER(address) ((void) (address))
#endif

G_BEGIN_DECLS

/* GLib's locks with the marks that ThreadSanitizer needs: GLib itself is not instrumented, and
 * without them each hand-over between threads would be reported, and a true race drown. */
static inline void
pr_lock (GMutex *mutex)
{
  g_mutex_lock (mutex);
  PR_HAPPENS_AFTER (mutex);
}

static inline void
pr_unlock (GMutex *mutex)
{
  PR_HAPPENS_BEFORE (mutex);
  g_mutex_unlock (mutex);
}

/* @deadline_us: monotonic; G_MAXINT64 waits for ever. */
static inline void
pr_wait_until (GCond *cond, GMutex *mutex, gint64 deadline_us)
{
  PR_HAPPENS_BEFORE (mutex);
  if (deadline_us == G_MAXINT64)
    g_cond_wait (cond, mutex);
  else
    g_cond_wait_until (cond, mutex, deadline_us);
  PR_HAPPENS_AFTER (mutex);
}

G_END_DECLS
