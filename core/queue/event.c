/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of what can happen. */
#include "queue/event.h"

static const char *const names[] = {
  [PR_EVENT_STARTED] = "started",
  [PR_EVENT_STOPPED] = "stopped",
  [PR_EVENT_RELOADED] = "reloaded",
  [PR_EVENT_CONNECTED] = "connected",
  [PR_EVENT_DISCONNECTED] = "disconnected",
  [PR_EVENT_REFUSED] = "refused",
  [PR_EVENT_ACCEPTED] = "accepted",
  [PR_EVENT_DELIVERED] = "delivered",
  [PR_EVENT_DEFERRED] = "deferred",
  [PR_EVENT_FAILED] = "failed",
  [PR_EVENT_BOUNCED] = "bounced",
  [PR_EVENT_HELD] = "held",
  [PR_EVENT_RELEASED] = "released",
  [PR_EVENT_DELETED] = "deleted",
  [PR_EVENT_RETRIED] = "retried",
  [PR_EVENT_EDITED] = "edited",
  [PR_EVENT_HOP_FAILED] = "hop-failed",
  [PR_EVENT_HOP_RECOVERED] = "hop-recovered",
  [PR_EVENT_PAUSED] = "paused",
  [PR_EVENT_RESUMED] = "resumed",
  [PR_EVENT_SPACE_LOW] = "space-low",
  [PR_EVENT_SPACE_OK] = "space-ok",
  [PR_EVENT_EXPANDED] = "expanded",
  [PR_EVENT_WARNED] = "warned",
};

const char *
pr_event_kind_to_string (PrEventKind kind)
{
  /* A newer version may have stored kinds this one does not know. */
  if ((guint) kind >= G_N_ELEMENTS (names) || names[kind] == NULL)
    return "unknown";

  return names[kind];
}

gboolean
pr_event_kind_from_string (const char *text, PrEventKind *kind)
{
  g_return_val_if_fail (text != NULL && kind != NULL, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i] != NULL && g_str_equal (names[i], text))
      {
        *kind = (PrEventKind) i;
        return TRUE;
      }

  return FALSE;
}
