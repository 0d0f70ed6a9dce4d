/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service's log: the journal, or lines on standard error. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "service/log.h"

static const char *
level_word (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return "error: ";
  if (level & G_LOG_LEVEL_WARNING)
    return "warning: ";

  return level & G_LOG_LEVEL_DEBUG ? "debug: " : "";
}

static const char *
find_field (const GLogField *fields, gsize n, const char *key)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (fields[i].key, key) == 0)
      return fields[i].value;

  return NULL;
}

static GLogWriterOutput
write_line (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user_data)
{
  const char *message = find_field (fields, n, "MESSAGE");
  g_autoptr (GDateTime) now = NULL;
  g_autofree char *time = NULL;

  if (message == NULL ||
      g_log_writer_default_would_drop (level, find_field (fields, n, "GLIB_DOMAIN")))
    return G_LOG_WRITER_HANDLED;
  if (g_log_writer_is_journald (STDERR_FILENO) &&
      g_log_writer_journald (level, fields, n, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;

  now = g_date_time_new_now_local ();
  time = g_date_time_format (now, "%H:%M:%S");
  fprintf (stderr, "%s %s%s\n", time, level_word (level), message);

  return G_LOG_WRITER_HANDLED;
}

void
pr_log_init (void)
{
  g_log_set_writer_func (write_line, NULL, NULL);
}
