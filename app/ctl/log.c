/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl log: what happened, oldest first, and what happens. */

#include <stdio.h>
#include <string.h>

#include "common/id.h"
#include "control/bundle.h"
#include "ctl/event.h"
#include "ctl/follow.h"
#include "ctl/json.h"
#include "ctl/words.h"

#define PAGE 1000
#define DEFAULT_LINES 100

static struct
{
  gboolean follow;
  char *message, *address, *kind, *since, *lines, *bundle;
} options;

const GOptionEntry pr_log_options[] = {
  { "follow", 'f', 0, G_OPTION_ARG_NONE, &options.follow, "Go on with what happens, until Ctrl+C",
    NULL },
  { "message", 0, 0, G_OPTION_ARG_STRING, &options.message, "Only of this message", "ID" },
  { "address", 0, 0, G_OPTION_ARG_STRING, &options.address,
    "Only with TEXT in a sender, a recipient, a peer or a reply", "TEXT" },
  { "kind", 0, 0, G_OPTION_ARG_STRING, &options.kind,
    "Only of this kind: accepted, delivered, deferred, failed ...", "KIND" },
  { "since", 0, 0, G_OPTION_ARG_STRING, &options.since,
    "Only what is younger: 90s, 2h, 3d, 2026-11-23, \"2026-11-23 20:44\"", "TIME" },
  { "lines", 'n', 0, G_OPTION_ARG_STRING, &options.lines,
    "The last N events, or \"all\" (100, or all with another filter)", "N" },
  { "bundle", 0, 0, G_OPTION_ARG_FILENAME, &options.bundle,
    "Write it to FILE (.tar.gz) with the configuration and how things are, without passwords, for "
    "whoever is asked to help",
    "FILE" },
  G_OPTION_ENTRY_NULL,
};

/* ── What was asked for ───────────────────────────────────────────────────────────────────── */

/* FALSE: it was said what is wrong. */
static gboolean
read_options (gint64 *since_us, guint64 *lines)
{
  gint64 id;
  gboolean filtered = options.message != NULL || options.address != NULL || options.kind != NULL ||
                      options.since != NULL;

  *since_us = 0;
  *lines = filtered ? G_MAXUINT64 : DEFAULT_LINES;
  if (options.message != NULL && !pr_id_parse (options.message, &id))
    pr_ctl_misused ("\"%s\" is not the id of a message.", options.message);
  else if (options.since != NULL &&
           !pr_words_parse_since (options.since, g_get_real_time (), since_us))
    pr_ctl_misused ("\"%s\" is not a time; try 2h or 2026-11-23.", options.since);
  else if (options.lines != NULL && g_str_equal (options.lines, "all"))
    return *lines = G_MAXUINT64, TRUE;
  else if (options.lines != NULL &&
           !g_ascii_string_to_unsigned (options.lines, 10, 0, G_MAXUINT32, lines, NULL))
    pr_ctl_misused ("\"%s\" is not a number of lines.", options.lines);
  else
    return TRUE;

  return FALSE;
}

static GVariant *
make_filter (gint64 since_us, gint64 before)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (options.message != NULL)
    g_variant_builder_add (&builder, "{sv}", "message", g_variant_new_string (options.message));
  if (options.address != NULL)
    g_variant_builder_add (&builder, "{sv}", "text", g_variant_new_string (options.address));
  if (options.kind != NULL)
    g_variant_builder_add (&builder, "{sv}", "kind", g_variant_new_string (options.kind));
  if (since_us != 0)
    g_variant_builder_add (&builder, "{sv}", "from", g_variant_new_int64 (since_us));
  if (before != 0)
    g_variant_builder_add (&builder, "{sv}", "before", g_variant_new_int64 (before));

  return g_variant_builder_end (&builder);
}

static gboolean
contains (GVariant *event, const char *key, const char *folded)
{
  const char *value = pr_dict_string (event, key);
  g_autofree char *other = value != NULL ? g_utf8_casefold (value, -1) : NULL;

  return other != NULL && strstr (other, folded) != NULL;
}

/* As the service filters, for events that come by themselves. */
static gboolean
matches (GVariant *event)
{
  static const char *const keys[] = { "address", "sender", "peer", "text" };
  g_autofree char *folded = NULL;

  if (options.message != NULL &&
      g_ascii_strcasecmp (options.message, pr_dict_string (event, "message")
                                             ? pr_dict_string (event, "message")
                                             : "") != 0)
    return FALSE;
  if (options.kind != NULL && g_strcmp0 (options.kind, pr_dict_string (event, "kind")) != 0)
    return FALSE;
  if (options.address == NULL)
    return TRUE;

  folded = g_utf8_casefold (options.address, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (contains (event, keys[i], folded))
      return TRUE;
  return FALSE;
}

/* ── Printing ─────────────────────────────────────────────────────────────────────────────── */

/* The newest @lines events, newest first; NULL: it was printed why. */
static GPtrArray *
collect (PrCtl *ctl, gint64 since_us, guint64 lines, int *status)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  gint64 before = 0;

  while (lines > events->len)
    {
      guint limit = (guint) MIN (lines - events->len, PAGE);
      g_autoptr (GVariant) page = NULL;
      g_autoptr (GVariant) answer = pr_ctl_call (
        ctl, "Journal1", "Query",
        g_variant_new ("(@a{sv}u)", make_filter (since_us, before), limit), "(aa{sv})", status);
      gsize n;

      if (answer == NULL)
        return NULL;
      page = g_variant_get_child_value (answer, 0);
      n = g_variant_n_children (page);
      for (gsize i = 0; i < n; i++)
        g_ptr_array_add (events, g_variant_get_child_value (page, i));
      if (n < limit)
        break;
      before = pr_dict_number (events->pdata[events->len - 1], "id");
    }

  return g_steal_pointer (&events);
}

static void
print_event (PrCtl *ctl, GVariant *event)
{
  g_autofree char *line = ctl->json ? pr_json_value (event) : pr_event_line (&ctl->terminal, event);

  puts (line);
}

static void
print_array (GPtrArray *events)
{
  fputs ("[", stdout);
  for (guint i = events->len; i > 0; i--)
    {
      g_autofree char *json = pr_json_value (events->pdata[i - 1]);

      printf ("%s%s", json, i > 1 ? ",\n " : "");
    }
  fputs ("]\n", stdout);
}

typedef struct
{
  PrCtl *ctl;        /* borrowed */
  GHashTable *shown; /* of the last events that were asked for: they may come by themselves too */
} Following;

/* What an event is known by before the store gave it an id. */
static char *
signature (GVariant *event)
{
  const char *kind = pr_dict_string (event, "kind");
  const char *message = pr_dict_string (event, "message");
  const char *address = pr_dict_string (event, "address");

  return g_strdup_printf ("%" G_GINT64_FORMAT " %s %s %" G_GINT64_FORMAT " %s",
                          pr_dict_number (event, "time"), kind, message ? message : "",
                          pr_dict_number (event, "session"), address ? address : "");
}

static gboolean
on_event (GVariant *event, gpointer user_data)
{
  Following *following = user_data;
  g_autofree char *known = signature (event);

  if (matches (event) && !g_hash_table_contains (following->shown, known))
    print_event (following->ctl, event);
  return TRUE;
}

static int
follow (PrCtl *ctl, PrFollow *events, GPtrArray *before)
{
  g_autoptr (GHashTable) shown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Following following = { ctl, shown };

  for (guint i = 0; i < MIN (before->len, PAGE); i++)
    g_hash_table_add (shown, signature (before->pdata[i]));
  for (guint i = before->len; i > 0; i--)
    print_event (ctl, before->pdata[i - 1]);
  fflush (stdout);

  return pr_follow_run (events, on_event, &following);
}

/* ── A bundle ─────────────────────────────────────────────────────────────────────────────── */

static void
on_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **out = user_data;

  *out = g_object_ref (result);
}

static int
write_bundle (PrCtl *ctl, gint64 since_us)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  const char *data;
  guint n_events;
  gsize len;

  pr_bundle_make_async (ctl->connection, make_filter (since_us, 0), NULL, on_made, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  bytes = pr_bundle_make_finish (result, &n_events, &error);
  if (bytes == NULL)
    return pr_ctl_fail (error);

  data = g_bytes_get_data (bytes, &len);
  if (!g_file_set_contents_full (options.bundle, data, (gssize) len, G_FILE_SET_CONTENTS_CONSISTENT,
                                 0600, &error))
    return pr_ctl_fail (error);

  printf ("%u events and the configuration without its secrets are in %s.\n", n_events,
          options.bundle);
  return PR_EXIT_DONE;
}

int
pr_ctl_log (PrCtl *ctl, char **args)
{
  g_autoptr (PrFollow) following = NULL;
  g_autoptr (GPtrArray) events = NULL;
  gint64 since_us;
  guint64 lines;
  int status = PR_EXIT_DONE;

  if (!read_options (&since_us, &lines))
    return PR_EXIT_USAGE;
  if (options.bundle != NULL && (options.follow || options.lines != NULL))
    return pr_ctl_misused ("A bundle can neither follow nor count lines; use --since.");
  if (options.bundle != NULL)
    return write_bundle (ctl, since_us);
  if (options.follow && (following = pr_follow_begin (ctl, &status)) == NULL)
    return status;

  events = collect (ctl, since_us, lines, &status);
  if (events == NULL)
    return status;

  if (options.follow)
    return follow (ctl, following, events);
  if (ctl->json)
    print_array (events);
  for (guint i = ctl->json ? 0 : events->len; i > 0; i--)
    print_event (ctl, events->pdata[i - 1]);

  return PR_EXIT_DONE;
}
