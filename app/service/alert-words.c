/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of notifications. */

#include "service/alert-words.h"

#include <glib/gi18n.h>

static char *
device_title (const PrAlertFacts *facts)
{
  if (facts->n > 1)
    return g_strdup_printf (
      ngettext ("%u device may not send mail", "%u devices may not send mail", facts->n), facts->n);
  if (facts->by_password)
    return g_strdup_printf (_ ("%s gave a wrong password too often"), facts->subject);

  return g_strdup_printf (_ ("%s may not send mail"), facts->subject);
}

char *
pr_alert_title (PrDesktopNotice kind, const PrAlertFacts *facts)
{
  switch (kind)
    {
    case PR_NOTICE_SIGN_IN: return g_strdup_printf (_ ("Sign in to “%s” again"), facts->subject);
    case PR_NOTICE_FAILURES:
      return g_strdup_printf (
        ngettext ("%u mail could not be delivered", "%u mails could not be delivered", facts->n),
        facts->n);
    case PR_NOTICE_ROUTES: return g_strdup_printf (_ ("“%s” cannot be reached"), facts->subject);
    case PR_NOTICE_DEVICES: return device_title (facts);
    case PR_NOTICE_DISK: return g_strdup (_ ("The disk is nearly full"));
    case PR_NOTICE_CERTIFICATES:
    default: return g_strdup (_ ("A certificate needs you"));
    }
}

static char *
device_body (const PrAlertFacts *facts)
{
  if (facts->n > 1)
    return g_strdup_printf (
      _ ("The last one was %s. If they are yours, allow their network or give "
         "each a password."),
      facts->subject);
  if (facts->by_password)
    return g_strdup (_ ("It is turned away for a quarter of an hour. Correct the password in its "
                        "settings, or block it if you do not know it."));

  return g_strdup (_ ("A device in your network tried to send mail without signing in. Allow it if "
                      "it is yours, or block it."));
}

char *
pr_alert_body (PrDesktopNotice kind, const PrAlertFacts *facts)
{
  const char *text = facts->text != NULL ? facts->text : "";

  switch (kind)
    {
    case PR_NOTICE_SIGN_IN:
      return g_strdup_printf (_ ("Its mail waits until you have signed in. %s"), text);
    case PR_NOTICE_FAILURES:
      if (facts->n > 1)
        return g_strdup_printf (_ ("The last one was to %s: %s"), facts->address, text);
      return g_strdup_printf (_ ("To %s: %s"), facts->address, text);
    case PR_NOTICE_ROUTES:
      return g_strdup_printf (_ ("Its mail waits and is tried again by itself. %s"), text);
    case PR_NOTICE_DEVICES: return device_body (facts);
    case PR_NOTICE_DISK:
      return g_strdup (_ ("No mail is taken until there is room; devices try again later. What was "
                          "accepted is safe."));
    case PR_NOTICE_CERTIFICATES:
    default: return g_strdup (text);
    }
}

const char *
pr_alert_action_label (PrAlertAction action)
{
  switch (action)
    {
    case PR_ALERT_SIGN_IN: return _ ("Sign In");
    case PR_ALERT_TRY_AGAIN: return _ ("Try Again");
    case PR_ALERT_ALLOW: return _ ("Allow");
    case PR_ALERT_BLOCK: return _ ("Block");
    case PR_ALERT_SHOW:
    default: return _ ("Show");
    }
}

static const struct
{
  PrAlertAction action;
  const char *name;
} names[] = {
  { PR_ALERT_SIGN_IN, "sign-in" }, { PR_ALERT_TRY_AGAIN, "try-again" }, { PR_ALERT_ALLOW, "allow" },
  { PR_ALERT_BLOCK, "block" },     { PR_ALERT_SHOW, "show" },
};

const char *
pr_alert_action_to_string (PrAlertAction action)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].action == action)
      return names[i].name;

  return "";
}

gboolean
pr_alert_action_from_string (const char *name, PrAlertAction *action)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i].name, name))
      {
        *action = names[i].action;
        return TRUE;
      }

  return FALSE;
}
