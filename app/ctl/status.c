/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl status, pause, resume. */

#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/words.h"

static void
print_line (PrCtl *ctl, const char *title, char *text)
{
  g_autofree char *shown = pr_text_printable (text);

  printf ("  %s%-13s%s %s\n", pr_terminal_begin (&ctl->terminal, PR_COLOR_FAINT), title,
          pr_terminal_end (&ctl->terminal, PR_COLOR_FAINT), shown);
  g_free (text);
}

static char *
describe_queue (GVariant *status)
{
  g_autofree char *messages =
    pr_words_count ((guint64) pr_dict_number (status, "messages"), "message");
  g_autofree char *size = pr_words_size ((guint64) pr_dict_number (status, "size"));

  if (pr_dict_number (status, "messages") == 0)
    return g_strdup ("empty");
  return g_strdup_printf ("%s, %s; recipients: %" G_GINT64_FORMAT " waiting, %" G_GINT64_FORMAT
                          " held, %" G_GINT64_FORMAT " failed",
                          messages, size, pr_dict_number (status, "queued"),
                          pr_dict_number (status, "held"), pr_dict_number (status, "failed"));
}

static char *
describe_counts (GVariant *status, gint64 now_us)
{
  g_autofree char *since = pr_words_when (pr_dict_number (status, "started"), now_us);

  return g_strdup_printf ("%s: %" G_GINT64_FORMAT " received, %" G_GINT64_FORMAT
                          " delivered, %" G_GINT64_FORMAT " put off, %" G_GINT64_FORMAT
                          " failed, %" G_GINT64_FORMAT " refused",
                          since, pr_dict_number (status, "received"),
                          pr_dict_number (status, "delivered"), pr_dict_number (status, "deferred"),
                          pr_dict_number (status, "bounced"), pr_dict_number (status, "refused"));
}

static char *
describe_addresses (GVariant *status)
{
  g_autoptr (GVariant) value =
    g_variant_lookup_value (status, "addresses", G_VARIANT_TYPE_STRING_ARRAY);
  g_autofree const char **addresses = value != NULL ? g_variant_get_strv (value, NULL) : NULL;

  return addresses != NULL && addresses[0] != NULL ? pr_words_list (addresses)
                                                   : g_strdup ("nowhere");
}

static void
print_blocked (PrCtl *ctl, GVariant *status, gint64 now_us)
{
  g_autoptr (GVariant) blocked =
    g_variant_lookup_value (status, "blocked", G_VARIANT_TYPE ("aa{sv}"));

  for (gsize i = 0; blocked != NULL && i < g_variant_n_children (blocked); i++)
    {
      g_autoptr (GVariant) hop = g_variant_get_child_value (blocked, i);
      gint64 until_us = pr_dict_number (hop, "until");
      g_autofree char *when = pr_words_when (until_us, now_us);
      g_autofree char *until =
        until_us != 0 ? g_strdup_printf ("again %s", when) : g_strdup ("waits for you");

      print_line (ctl, i == 0 ? "Left alone" : "",
                  g_strdup_printf ("%s: %s (%s)", pr_dict_string (hop, "hop"),
                                   pr_dict_string (hop, "reason"), until));
    }
}

static void
print_status (PrCtl *ctl, GVariant *status)
{
  gint64 now_us = g_get_real_time ();
  g_autofree char *state = pr_text_printable (pr_dict_string (status, "state"));

  printf ("%s%s%s\n", pr_terminal_begin (&ctl->terminal, PR_COLOR_BOLD), state,
          pr_terminal_end (&ctl->terminal, PR_COLOR_BOLD));
  print_line (ctl, "Takes mail on", describe_addresses (status));
  print_line (ctl, "Queue", describe_queue (status));
  print_line (ctl, "Since start", describe_counts (status, now_us));
  print_line (ctl, "Connections",
              g_strdup_printf ("%" G_GINT64_FORMAT " in, %" G_GINT64_FORMAT " out",
                               pr_dict_number (status, "connections-in"),
                               pr_dict_number (status, "connections-out")));
  print_blocked (ctl, status, now_us);
  print_line (ctl, "Free space", pr_words_size ((guint64) pr_dict_number (status, "free-space")));
  print_line (ctl, "Home", g_strdup (pr_dict_string (status, "home")));
  print_line (ctl, "Version",
              g_strdup_printf ("%s, process %" G_GINT64_FORMAT, pr_dict_string (status, "version"),
                               pr_dict_number (status, "pid")));
}

int
pr_ctl_status (PrCtl *ctl, char **args)
{
  g_autoptr (GVariant) status = NULL;
  g_autofree char *json = NULL;
  int code = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = pr_ctl_call (ctl, "Service1", "GetStatus", NULL, "(a{sv})", &code);

  if (answer == NULL)
    return code;

  status = g_variant_get_child_value (answer, 0);
  if (!ctl->json)
    {
      print_status (ctl, status);
      return PR_EXIT_DONE;
    }

  json = pr_json_value (status);
  printf ("%s\n", json);
  return PR_EXIT_DONE;
}

static int
set_paused (PrCtl *ctl, const char *what, gboolean paused)
{
  int code = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = NULL;

  if (!g_str_equal (what, "receiving") && !g_str_equal (what, "sending"))
    return pr_ctl_misused ("Say \"receiving\" or \"sending\", not \"%s\".", what);

  answer =
    pr_ctl_call (ctl, "Service1", "SetPaused", g_variant_new ("(sb)", what, paused), "()", &code);
  if (answer != NULL && !ctl->json)
    printf ("%s is %s.\n", g_str_equal (what, "receiving") ? "Receiving" : "Sending",
            paused ? "paused" : "on");
  return code;
}

int
pr_ctl_pause (PrCtl *ctl, char **args)
{
  return set_paused (ctl, args[0], TRUE);
}

int
pr_ctl_resume (PrCtl *ctl, char **args)
{
  return set_paused (ctl, args[0], FALSE);
}
