/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl sessions. */

#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define PAGE 500

static const PrColumn columns[] = {
  { "ID", TRUE, 0 },      { "WAY", FALSE, 0 },     { "PEER", FALSE, 16 },   { "NAME", FALSE, 10 },
  { "STATE", FALSE, 12 }, { "SINCE", FALSE, 0 },   { "MESSAGES", TRUE, 0 }, { "IN", TRUE, 0 },
  { "OUT", TRUE, 0 },     { "THROUGH", FALSE, 8 }, { "TLS", FALSE, 6 },     { NULL, FALSE, 0 },
};

static void
add_session (PrTable *table, GVariant *session, gint64 now_us)
{
  const char *through = pr_dict_string (session, "route");

  if (through == NULL)
    through = pr_dict_string (session, "listener");
  pr_table_take (table, g_strdup_printf ("%" G_GINT64_FORMAT, pr_dict_number (session, "id")));
  pr_table_add (table, pr_dict_string (session, "direction"));
  pr_table_add (table, pr_dict_string (session, "peer"));
  pr_table_add (table, pr_dict_string (session, "name"));
  pr_table_add (table, pr_dict_string (session, "state"));
  pr_table_take (table, pr_words_when (pr_dict_number (session, "started"), now_us));
  pr_table_take (table,
                 g_strdup_printf ("%" G_GINT64_FORMAT, pr_dict_number (session, "messages")));
  pr_table_take (table, pr_words_size ((guint64) pr_dict_number (session, "octets-in")));
  pr_table_take (table, pr_words_size ((guint64) pr_dict_number (session, "octets-out")));
  pr_table_add (table, through);
  pr_table_add (table, pr_dict_string (session, "tls"));
}

static void
print_page (PrCtl *ctl, PrTable *table, GVariant *sessions, gboolean first)
{
  gint64 now_us = g_get_real_time ();
  g_autofree char *lines = NULL;

  for (gsize i = 0; i < g_variant_n_children (sessions); i++)
    {
      g_autoptr (GVariant) session = g_variant_get_child_value (sessions, i);
      g_autofree char *json = ctl->json ? pr_json_value (session) : NULL;

      if (ctl->json)
        printf ("%s%s", first && i == 0 ? "" : ",\n ", json);
      else
        add_session (table, session, now_us);
    }
  lines = pr_table_flush (table);
  fputs (lines, stdout);
}

int
pr_ctl_sessions (PrCtl *ctl, char **args)
{
  g_autoptr (PrTable) table = pr_table_new (&ctl->terminal, columns);
  guint offset = 0, total = 1;
  int status = PR_EXIT_DONE;

  if (ctl->json)
    fputs ("[", stdout);
  while (offset < total)
    {
      g_autoptr (GVariant) sessions = NULL;
      g_autoptr (GVariant) answer = pr_ctl_call (
        ctl, "Sessions1", "List", g_variant_new ("(uu)", offset, PAGE), "(aa{sv}ut)", &status);

      if (answer == NULL)
        return status;
      g_variant_get (answer, "(@aa{sv}ut)", &sessions, &total, NULL);
      if (g_variant_n_children (sessions) == 0)
        break;
      print_page (ctl, table, sessions, offset == 0);
      offset += (guint) g_variant_n_children (sessions);
    }
  if (ctl->json)
    fputs ("]\n", stdout);
  else if (offset == 0)
    puts ("Nobody is connected.");

  return PR_EXIT_DONE;
}

/* -1: it is none. */
static gint64
parse_id (const char *text)
{
  guint64 id;

  return g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT64, &id, NULL) ? (gint64) id : -1;
}

int
pr_ctl_session_show (PrCtl *ctl, char **args)
{
  gint64 id = parse_id (args[0]);
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *json = NULL;
  g_auto (GStrv) lines = NULL;
  const char *text;
  gboolean alive;

  if (id < 0)
    return pr_ctl_misused ("\"%s\" is not the number of a session.", args[0]);
  answer =
    pr_ctl_call (ctl, "Sessions1", "ReadTranscript",
                 g_variant_new ("(tt)", (guint64) id, G_GUINT64_CONSTANT (0)), "(stb)", &status);
  if (answer == NULL)
    return status;

  g_variant_get (answer, "(&stb)", &text, NULL, &alive);
  if (!alive)
    return pr_ctl_refuse ("There is no session %s any more.", args[0]);
  if (ctl->json)
    {
      json = pr_json_object ("id", args[0], "transcript", text, NULL);
      puts (json);
      return PR_EXIT_DONE;
    }

  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && (lines[i + 1] != NULL || *lines[i] != '\0'); i++)
    {
      g_autofree char *shown = pr_text_printable (lines[i]);

      puts (shown);
    }
  return PR_EXIT_DONE;
}

int
pr_ctl_session_disconnect (PrCtl *ctl, char **args)
{
  gint64 id = parse_id (args[0]);
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = NULL;

  if (id < 0)
    return pr_ctl_misused ("\"%s\" is not the number of a session.", args[0]);
  answer = pr_ctl_call (ctl, "Sessions1", "Disconnect", g_variant_new ("(t)", (guint64) id), "()",
                        &status);
  if (answer != NULL && !ctl->json)
    puts ("The session is being ended.");
  return status;
}
