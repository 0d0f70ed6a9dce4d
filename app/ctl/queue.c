/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl queue list, show, export. Lists come and go in pages, so that a queue of any size
 * takes no memory. */

#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/event.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define PAGE 500
#define MAX_SHOWN 5 /* recipients of one message in the list */
#define READ_OCTETS (256 * 1024)
#define MAX_HISTORY 1000

static struct
{
  char *text, *route, *state;
  gint64 limit;
} options;

const GOptionEntry pr_queue_options[] = {
  { "text", 0, 0, G_OPTION_ARG_STRING, &options.text,
    "Only messages whose sender, recipients or id contain TEXT", "TEXT" },
  { "route", 0, 0, G_OPTION_ARG_STRING, &options.route, "Only what this route carries", "NAME" },
  { "state", 0, 0, G_OPTION_ARG_STRING, &options.state,
    "Only with a recipient that is queued, held or failed", "STATE" },
  { "limit", 0, 0, G_OPTION_ARG_INT64, &options.limit, "At most N messages", "N" },
  G_OPTION_ENTRY_NULL,
};

static const PrColumn list_columns[] = {
  { "ID", FALSE, 0 },       { "RECEIVED", FALSE, 0 }, { "SIZE", TRUE, 0 },
  { "STATE", FALSE, 0 },    { "FROM", FALSE, 12 },    { "TO", FALSE, 16 },
  { "NEXT TRY", FALSE, 0 }, { "WHY", FALSE, 12 },     { NULL, FALSE, 0 },
};

static const PrColumn recipient_columns[] = {
  { "RECIPIENT", FALSE, 16 }, { "ROUTE", FALSE, 8 },    { "STATE", FALSE, 0 },
  { "TRIES", TRUE, 0 },       { "NEXT TRY", FALSE, 0 }, { "LAST REPLY", FALSE, 16 },
  { NULL, FALSE, 0 },
};

/* ── Words ────────────────────────────────────────────────────────────────────────────────── */

static const char *
recipient_state (GVariant *recipient)
{
  return pr_dict_boolean (recipient, "held") ? "held" : pr_dict_string (recipient, "state");
}

static PrColor
state_color (const char *state)
{
  if (g_strcmp0 (state, "failed") == 0)
    return PR_COLOR_BAD;
  if (g_strcmp0 (state, "held") == 0)
    return PR_COLOR_WARNING;
  return g_strcmp0 (state, "delivered") == 0 || g_strcmp0 (state, "active") == 0 ? PR_COLOR_GOOD
                                                                                 : PR_COLOR_NONE;
}

static const char *
sender_words (GVariant *message)
{
  const char *sender = pr_dict_string (message, "sender");

  return sender == NULL || *sender == '\0' ? "<>" : sender;
}

/* ── The list ─────────────────────────────────────────────────────────────────────────────── */

static void
add_blanks (PrTable *table, guint n)
{
  for (guint i = 0; i < n; i++)
    pr_table_add (table, "");
}

static void
add_recipient (PrTable *table, GVariant *recipient, gint64 now_us)
{
  pr_table_add (table, pr_dict_string (recipient, "address"));
  pr_table_take (table, pr_words_when (pr_dict_number (recipient, "next-attempt"), now_us));
  pr_table_add_colored (table, state_color (recipient_state (recipient)),
                        pr_dict_string (recipient, "last-reply"));
}

static void
add_message (PrTable *table, GVariant *message, gint64 now_us)
{
  g_autoptr (GVariant) recipients =
    g_variant_lookup_value (message, "recipients", G_VARIANT_TYPE ("aa{sv}"));
  const char *state = pr_dict_string (message, "state");
  gsize n = recipients != NULL ? g_variant_n_children (recipients) : 0;
  gsize n_open = 0;

  pr_table_add (table, pr_dict_string (message, "id"));
  pr_table_take (table, pr_words_when (pr_dict_number (message, "received"), now_us));
  pr_table_take (table, pr_words_size ((guint64) pr_dict_number (message, "size")));
  pr_table_add_colored (table, state_color (state), state);
  pr_table_add (table, sender_words (message));

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) recipient = g_variant_get_child_value (recipients, i);

      if (g_strcmp0 (pr_dict_string (recipient, "state"), "delivered") == 0 ||
          n_open++ >= MAX_SHOWN)
        continue;
      if (n_open > 1)
        add_blanks (table, 5);
      add_recipient (table, recipient, now_us);
    }
  if (n_open == 0)
    add_blanks (table, 3);
  if (n_open > MAX_SHOWN)
    {
      add_blanks (table, 5);
      pr_table_take (table, g_strdup_printf ("and %" G_GSIZE_FORMAT " more", n_open - MAX_SHOWN));
      add_blanks (table, 2);
    }
}

typedef struct
{
  PrCtl *ctl;     /* borrowed */
  PrTable *table; /* owned; NULL for JSON */
  guint64 n_messages, size_octets;
} Listing;

static void
print_page (Listing *listing, GVariant *messages)
{
  gint64 now_us = g_get_real_time ();
  g_autofree char *lines = NULL;

  for (gsize i = 0; i < g_variant_n_children (messages); i++)
    {
      g_autoptr (GVariant) message = g_variant_get_child_value (messages, i);

      listing->size_octets += (guint64) pr_dict_number (message, "size");
      if (listing->table != NULL)
        {
          add_message (listing->table, message, now_us);
        }
      else
        {
          g_autofree char *json = pr_json_message (message);

          printf ("%s%s", listing->n_messages > 0 ? ",\n " : "", json);
        }
      listing->n_messages++;
    }
  if (listing->table != NULL)
    {
      lines = pr_table_flush (listing->table);
      fputs (lines, stdout);
    }
}

static GVariant *
make_filter (const char *after)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (options.text != NULL)
    g_variant_builder_add (&builder, "{sv}", "text", g_variant_new_string (options.text));
  if (options.route != NULL)
    g_variant_builder_add (&builder, "{sv}", "route", g_variant_new_string (options.route));
  if (options.state != NULL)
    g_variant_builder_add (&builder, "{sv}", "state", g_variant_new_string (options.state));
  if (after != NULL)
    g_variant_builder_add (&builder, "{sv}", "after", g_variant_new_string (after));

  return g_variant_builder_end (&builder);
}

/* Each page begins behind the last message of the one before, so that nothing is missed or told
 * twice while mail comes and goes. */
static int
print_all (Listing *listing)
{
  guint64 left = options.limit > 0 ? (guint64) options.limit : G_MAXUINT64;
  g_autofree char *after = NULL;
  int status = PR_EXIT_DONE;

  while (left > 0)
    {
      g_autoptr (GVariant) messages = NULL;
      g_autoptr (GVariant) last = NULL;
      g_autoptr (GVariant) answer =
        pr_ctl_call (listing->ctl, "Queue1", "List",
                     g_variant_new ("(@a{sv}tu)", make_filter (after), G_GUINT64_CONSTANT (0),
                                    (guint) MIN (left, PAGE)),
                     "(aa{sv}tt)", &status);
      gsize n;

      if (answer == NULL)
        return status;
      messages = g_variant_get_child_value (answer, 0);
      n = g_variant_n_children (messages);
      if (n == 0 || ferror (stdout))
        break;

      print_page (listing, messages);
      left -= n;
      last = g_variant_get_child_value (messages, n - 1);
      g_free (after);
      after = g_strdup (pr_dict_string (last, "id"));
    }

  return PR_EXIT_DONE;
}

int
pr_ctl_queue (PrCtl *ctl, char **args)
{
  Listing listing = { .ctl = ctl };
  g_autoptr (PrTable) table = NULL;
  int status;

  if (ctl->json)
    fputs ("[", stdout);
  else
    listing.table = table = pr_table_new (&ctl->terminal, list_columns);

  status = print_all (&listing);
  if (ctl->json)
    {
      fputs ("]\n", stdout);
    }
  else if (status == PR_EXIT_DONE && listing.n_messages == 0)
    {
      puts (options.text != NULL || options.route != NULL || options.state != NULL
              ? "Nothing in the queue matches."
              : "The queue is empty.");
    }
  else if (status == PR_EXIT_DONE)
    {
      g_autofree char *count = pr_words_count (listing.n_messages, "message");
      g_autofree char *size = pr_words_size (listing.size_octets);

      printf ("%s, %s\n", count, size);
    }

  return status;
}

/* ── One message ──────────────────────────────────────────────────────────────────────────── */

static void
print_field (PrCtl *ctl, const char *title, const char *text)
{
  g_autofree char *shown = pr_text_printable (text);

  if (*shown != '\0')
    printf ("%s%-9s%s %s\n", pr_terminal_begin (&ctl->terminal, PR_COLOR_FAINT), title,
            pr_terminal_end (&ctl->terminal, PR_COLOR_FAINT), shown);
}

static void
print_fields (PrCtl *ctl, GVariant *message, gint64 now_us)
{
  gint64 received_us = pr_dict_number (message, "received");
  const char *client = pr_dict_string (message, "client");
  const char *user = pr_dict_string (message, "user");
  g_autofree char *when = pr_words_when (received_us, now_us);
  g_autofree char *time = pr_words_time (received_us);
  g_autofree char *size = pr_words_size ((guint64) pr_dict_number (message, "size"));
  g_autofree char *received = g_strdup_printf (
    "%s (%s)%s%s%s%s", when, time, client != NULL ? " from " : "", client != NULL ? client : "",
    user != NULL ? ", signed in as " : "", user != NULL ? user : "");

  print_field (ctl, "Message", pr_dict_string (message, "id"));
  print_field (ctl, "Subject", pr_dict_string (message, "subject"));
  print_field (ctl, "From", sender_words (message));
  print_field (ctl, "Size", size);
  print_field (ctl, "Received", received);
  print_field (ctl, "State", pr_dict_string (message, "state"));
}

static void
print_recipients (PrCtl *ctl, GVariant *message, gint64 now_us)
{
  g_autoptr (GVariant) recipients =
    g_variant_lookup_value (message, "recipients", G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (PrTable) table = pr_table_new (&ctl->terminal, recipient_columns);
  g_autofree char *lines = NULL;

  for (gsize i = 0; recipients != NULL && i < g_variant_n_children (recipients); i++)
    {
      g_autoptr (GVariant) recipient = g_variant_get_child_value (recipients, i);
      const char *state = recipient_state (recipient);

      pr_table_add (table, pr_dict_string (recipient, "address"));
      pr_table_add (table, pr_dict_string (recipient, "route"));
      pr_table_add_colored (table, state_color (state), state);
      pr_table_take (table,
                     g_strdup_printf ("%" G_GINT64_FORMAT, pr_dict_number (recipient, "attempts")));
      pr_table_take (table, pr_words_when (pr_dict_number (recipient, "next-attempt"), now_us));
      pr_table_add (table, pr_dict_string (recipient, "last-reply"));
    }
  lines = pr_table_flush (table);
  printf ("\n%s", lines);
}

static void
print_history (PrCtl *ctl, GVariant *events)
{
  if (g_variant_n_children (events) > 0)
    putchar ('\n');
  for (gsize i = g_variant_n_children (events); i > 0; i--)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (events, i - 1);
      g_autofree char *line = pr_event_line (&ctl->terminal, event);

      puts (line);
    }
}

static GVariant *
make_history_filter (const char *id)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "message", g_variant_new_string (id));
  return g_variant_new ("(@a{sv}u)", g_variant_builder_end (&builder), MAX_HISTORY);
}

int
pr_ctl_show (PrCtl *ctl, char **args)
{
  gint64 now_us = g_get_real_time ();
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) message = NULL;
  g_autoptr (GVariant) events = NULL;
  g_autoptr (GVariant) history = NULL;
  g_autofree char *json = NULL;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Queue1", "Get", g_variant_new ("(s)", args[0]), "(a{sv})", &status);

  if (answer == NULL)
    return status;
  message = g_variant_get_child_value (answer, 0);
  history =
    pr_ctl_call (ctl, "Journal1", "Query", make_history_filter (args[0]), "(aa{sv})", &status);
  if (history == NULL)
    return status;
  events = g_variant_get_child_value (history, 0);

  if (ctl->json)
    {
      json = pr_json_message_with_history (message, events);
      puts (json);
      return PR_EXIT_DONE;
    }

  print_fields (ctl, message, now_us);
  print_recipients (ctl, message, now_us);
  print_history (ctl, events);
  return PR_EXIT_DONE;
}

/* ── Export ───────────────────────────────────────────────────────────────────────────────── */

/* What a stranger wrote must not act on a terminal; into a file or a pipe it goes as it is. */
static void
write_source (PrCtl *ctl, const char *data, gsize len)
{
  if (!ctl->terminal.is_tty)
    {
      fwrite (data, 1, len, stdout);
      return;
    }

  for (gsize i = 0; i < len; i++)
    if (data[i] != '\r')
      putchar (g_ascii_iscntrl (data[i]) && data[i] != '\n' && data[i] != '\t' ? '?' : data[i]);
}

int
pr_ctl_export (PrCtl *ctl, char **args)
{
  guint64 offset = 0;
  gboolean last = FALSE;
  int status = PR_EXIT_DONE;

  while (!last)
    {
      g_autoptr (GVariant) octets = NULL;
      g_autoptr (GVariant) answer =
        pr_ctl_call (ctl, "Queue1", "ReadSource",
                     g_variant_new ("(stu)", args[0], offset, READ_OCTETS), "(ayb)", &status);
      const char *data;
      gsize len;

      if (answer == NULL)
        return status;
      g_variant_get (answer, "(@ayb)", &octets, &last);
      data = g_variant_get_fixed_array (octets, &len, 1);
      write_source (ctl, data, len);
      offset += len;
    }

  return PR_EXIT_DONE;
}
