/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An event as one line. */

#include "ctl/event.h"

#include "control/client.h"
#include "ctl/words.h"

#define KIND_COLUMNS 13

static PrColor
color_of (const char *kind)
{
  static const char *const good[] = { "delivered", "hop-recovered", "space-ok",
                                      "certificate-renewed", NULL };
  static const char *const bad[] = { "failed", "bounced", "space-low", NULL };
  static const char *const warning[] = { "deferred",       "refused",     "held",
                                         "warned",         "hop-failed",  "sign-in-failed",
                                         "client-refused", "certificate", NULL };

  return g_strv_contains (good, kind)      ? PR_COLOR_GOOD
         : g_strv_contains (bad, kind)     ? PR_COLOR_BAD
         : g_strv_contains (warning, kind) ? PR_COLOR_WARNING
                                           : PR_COLOR_NONE;
}

static void
append (GString *out, const char *before, const char *text, const char *after)
{
  g_autofree char *shown = pr_text_printable (text);

  if (text != NULL)
    g_string_append_printf (out, "%s%s%s", before, shown, after);
}

/* A reply's text without its code, or words of our own. */
static void
append_text (GString *out, GVariant *event)
{
  gint64 code = pr_dict_number (event, "code");
  const char *text = pr_dict_string (event, "text");

  if (code != 0)
    g_string_append_printf (out, ": %" G_GINT64_FORMAT, code);
  append (out, code != 0 ? " " : ": ", text, "");
}

char *
pr_event_line (const PrTerminal *terminal, GVariant *event)
{
  GString *out = g_string_new (NULL);
  g_autofree char *time = pr_words_time (pr_dict_number (event, "time"));
  const char *raw_kind = pr_dict_string (event, "kind");
  g_autofree char *kind = pr_text_printable (raw_kind);
  PrColor color = color_of (kind);
  gint64 size = pr_dict_number (event, "size");

  g_string_append_printf (out, "%s  %s%-*s%s", time, pr_terminal_begin (terminal, color),
                          KIND_COLUMNS, kind, pr_terminal_end (terminal, color));
  append (out, " ", pr_dict_string (event, "message"), "");
  if (g_str_equal (kind, "accepted") || g_str_equal (kind, "refused"))
    append (out, " from <", pr_dict_string (event, "sender"), ">");
  append (out, " to ", pr_dict_string (event, "address"), "");
  append (out, " via ", pr_dict_string (event, "route"), "");
  append (out, " [", pr_dict_string (event, "peer"), "]");
  if (size != 0 && g_str_equal (kind, "accepted"))
    {
      g_autofree char *words = pr_words_size ((guint64) size);

      g_string_append_printf (out, " (%s)", words);
    }
  append (out, " ", pr_dict_string (event, "tls"), "");
  append_text (out, event);

  return g_strchomp (g_string_free (out, FALSE));
}
