/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of what can happen, and what is done to the words of strangers. */
#include "queue/event.h"

#include <string.h>

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
  [PR_EVENT_CHECKED] = "checked",
  [PR_EVENT_SIGN_IN_NEEDED] = "sign-in-needed",
  [PR_EVENT_SIGNED_IN] = "signed-in",
  [PR_EVENT_SIGN_IN_FAILED] = "sign-in-failed",
  [PR_EVENT_CLIENT_REFUSED] = "client-refused",
  [PR_EVENT_CERTIFICATE] = "certificate",
  [PR_EVENT_SIGN_IN_UNKEPT] = "sign-in-unkept",
  [PR_EVENT_SIGN_IN_KEPT] = "sign-in-kept",
  [PR_EVENT_CERTIFICATE_RENEWED] = "certificate-renewed",
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

/* One pass, for nearly all there is: short printable ASCII. */
static gboolean
is_plain (const char *text)
{
  gsize len = 0;

  for (; text[len] != '\0'; len++)
    if ((guchar) text[len] < 0x20 || (guchar) text[len] >= 0x7f || len >= PR_EVENT_TEXT_MAX)
      return FALSE;

  return TRUE;
}

const char *
pr_event_clean_text (const char *text, char **copy)
{
  g_autofree char *valid = NULL;
  GString *result;

  if (text == NULL || is_plain (text))
    return text;

  /* Bounded before and after: each invalid octet becomes three. */
  valid = g_utf8_make_valid (text, (gssize) strnlen (text, PR_EVENT_TEXT_MAX));
  result = g_string_new (NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (result->len + (gsize) (g_utf8_next_char (p) - p) > PR_EVENT_TEXT_MAX)
        break;
      if (c == '\n' || c == '\t')
        g_string_append_c (result, ' ');
      else if (g_unichar_iscntrl (c))
        g_string_append_c (result, '?');
      else
        g_string_append_unichar (result, c);
    }

  *copy = g_string_free (result, FALSE);
  return *copy;
}
