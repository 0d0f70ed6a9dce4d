/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question after the other, then the log a piece at a time:
 *
 *   status ──► routes ──► configuration ──► its keys ──► events, newest first ──► compress ──► done
 *                                                            └── a page ──┘         └ a piece ┘
 */
#include "control/bundle.h"

#include <string.h>

#include "common/redact.h"
#include "common/units.h"
#include "control/archive.h"
#include "control/client.h"

#define HIDDEN "********"
#define PAGE 1000                /* what Journal1.Query gives at most */
#define PIECE_OCTETS (64 * 1024) /* compressed in one go */

static const char about[] =
  "This is what Postroom knows of itself, for whoever is asked to help.\n"
  "\n"
  "status.txt     how the service is\n"
  "routes.txt     how the routes are\n"
  "postroom.conf  the configuration; comments are left out, secrets are replaced by " HIDDEN "\n"
  "log.txt        what happened, oldest first\n"
  "\n"
  "It names addresses of mail and of computers. It holds no password, no token and no mail.\n";

typedef enum
{
  STEP_STATUS,
  STEP_ROUTES,
  STEP_CONFIG,
  STEP_KEYS,
  STEP_EVENTS,
  STEP_COMPRESS
} Step;

typedef struct
{
  GDBusConnection *connection; /* owned */
  GVariant *filter;            /* owned, nullable */
  PrArchive *archive;          /* owned */
  char *config;                /* owned, nullable: as it was read */
  GPtrArray *pages;            /* owned, of GString: lines, the newest page first */
  guint n_events;
  gint64 before, now_us;
  gsize position; /* in the last of @pages, while it is compressed */
  Step step;
} Making;

static void next (GTask *task);

static void
free_page (gpointer data)
{
  g_string_free (data, TRUE);
}

static void
making_free (gpointer data)
{
  Making *making = data;

  g_object_unref (making->connection);
  g_clear_pointer (&making->filter, g_variant_unref);
  pr_archive_free (making->archive);
  g_free (making->config);
  g_ptr_array_unref (making->pages);
  g_free (making);
}

/* ── Words ────────────────────────────────────────────────────────────────────────────────── */

/* Whether @group ("route NAME") may show what stands under @key. */
static gboolean
may_show (GVariant *keys, const char *group, const char *key)
{
  gsize len = strcspn (group, " ");
  GVariantIter iter;
  GVariant *row;
  gboolean found = FALSE;

  g_variant_iter_init (&iter, keys);
  while (!found && (row = g_variant_iter_next_value (&iter)) != NULL)
    {
      const char *of = pr_dict_string (row, "group");

      found = of != NULL && strcspn (of, " ") == len && strncmp (of, group, len) == 0 &&
              g_strcmp0 (pr_dict_string (row, "key"), key) == 0 &&
              g_strcmp0 (pr_dict_string (row, "type"), "secret") != 0;
      g_variant_unref (row);
    }

  return found;
}

/* "https://name:password@host": what stands before the @ goes. */
static void
append_value (GString *out, const char *value)
{
  const char *scheme, *end, *at;

  while ((scheme = strstr (value, "://")) != NULL)
    {
      scheme += strlen ("://");
      end = scheme + strcspn (scheme, "/; \t");
      at = g_strrstr_len (scheme, end - scheme, "@");
      pr_append_printable (out, value, (gsize) (scheme - value));
      if (at != NULL)
        g_string_append (out, HIDDEN);
      pr_append_printable (out, at != NULL ? at : scheme, (gsize) (end - (at ? at : scheme)));
      value = end;
    }
  pr_append_printable (out, value, strlen (value));
}

char *
pr_bundle_redact (const char *text, GVariant *keys)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *group = g_strdup ("");
  GString *out = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *line = g_strstrip (lines[i]);
      char *equals = strchr (line, '=');

      if (*line == '[' && strchr (line, ']') != NULL)
        {
          g_free (group);
          group = g_strndup (line + 1, strcspn (line + 1, "]"));
          g_string_append_c (out, '[');
          pr_append_printable (out, group, strlen (group));
          g_string_append (out, "]\n");
        }
      else if (equals != NULL && *line != '#')
        {
          *equals = '\0';
          g_strchomp (line);
          pr_append_printable (out, line, strlen (line));
          g_string_append_c (out, '=');
          if (may_show (keys, group, line))
            append_value (out, equals + 1);
          else
            g_string_append (out, HIDDEN);
          g_string_append_c (out, '\n');
        }
    }

  return g_string_free (out, FALSE);
}

static void
append_field (GString *out, const char *key, GVariant *value)
{
  g_autofree char *text = NULL;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    text = g_variant_dup_string (value, NULL);
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    text = pr_time_format (g_variant_get_int64 (value));
  else
    text = g_variant_print (value, FALSE);
  g_string_append (out, key);
  pr_append_printable (out, text, strlen (text));
}

char *
pr_bundle_event_line (GVariant *event)
{
  static const char *const fields[] = { "message", "session", "peer", "tls",  "sender",
                                        "address", "route",   "size", "code", "text" };
  g_autofree char *time = pr_time_format (pr_dict_number (event, "time"));
  const char *kind = pr_dict_string (event, "kind");
  GString *out = g_string_new (time);

  g_string_append_c (out, ' ');
  pr_append_printable (out, kind != NULL ? kind : "?", strlen (kind != NULL ? kind : "?"));
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (event, fields[i], NULL);
      g_autofree char *key = g_strconcat (" ", fields[i], "=", NULL);

      if (value != NULL)
        append_field (out, key, value);
    }

  return g_string_free (out, FALSE);
}

/* "key: value", one for each line. */
static void
append_dict (GString *out, GVariant *dict)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, dict);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      g_autofree char *label = g_strconcat (key, ": ", NULL);

      append_field (out, label, value);
      g_string_append_c (out, '\n');
      g_variant_unref (value);
    }
}

/* ── What comes ───────────────────────────────────────────────────────────────────────────── */

static void
take_status (Making *making, GVariant *status)
{
  g_autoptr (GString) text = g_string_new (NULL);

  append_dict (text, status);
  pr_archive_add (making->archive, "postroom/status.txt", text->str, making->now_us);
}

static void
take_routes (Making *making, GVariant *routes)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n = g_variant_n_children (routes);

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) route = g_variant_get_child_value (routes, i);

      append_dict (text, route);
      g_string_append_c (text, '\n');
    }
  pr_archive_add (making->archive, "postroom/routes.txt", text->str, making->now_us);
}

static void
take_keys (Making *making, GVariant *keys)
{
  g_autofree char *text = pr_bundle_redact (making->config, keys);

  pr_archive_add (making->archive, "postroom/postroom.conf", text, making->now_us);
}

/* FALSE: these were the oldest. */
static gboolean
take_events (Making *making, GVariant *events)
{
  gsize n = g_variant_n_children (events);
  GString *page = g_string_new (NULL);

  for (gsize i = n; i > 0; i--)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (events, i - 1);
      g_autofree char *line = pr_bundle_event_line (event);

      if (i == n)
        making->before = pr_dict_number (event, "id");
      g_string_append_printf (page, "%s\n", line);
    }
  g_ptr_array_add (making->pages, page);
  making->n_events += (guint) n;
  return n == PAGE && making->n_events < PR_BUNDLE_MAX_EVENTS;
}

static void
take_answer (Making *making, GVariant *answer)
{
  g_autoptr (GVariant) value = g_variant_get_child_value (answer, 0);

  switch (making->step)
    {
    case STEP_STATUS: take_status (making, value); break;
    case STEP_ROUTES: take_routes (making, value); break;
    case STEP_CONFIG: making->config = g_variant_dup_string (value, NULL); break;
    case STEP_KEYS: take_keys (making, value); break;
    case STEP_EVENTS:
      if (take_events (making, value))
        return; /* the page before it */
      break;
    case STEP_COMPRESS:
    default: g_return_if_reached ();
    }
  making->step++;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_client_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (answer == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  take_answer (g_task_get_task_data (task), answer);
  next (task);
}

/* ── What is asked ────────────────────────────────────────────────────────────────────────── */

static GVariant *
make_query (Making *making)
{
  GVariantDict filter;

  g_variant_dict_init (&filter, making->filter);
  if (making->before != 0)
    g_variant_dict_insert (&filter, "before", "x", making->before);
  return g_variant_new ("(@a{sv}u)", g_variant_dict_end (&filter), PAGE);
}

static void
begin_log (Making *making)
{
  guint64 size = 0;

  for (guint i = 0; i < making->pages->len; i++)
    size += ((GString *) making->pages->pdata[i])->len;
  pr_archive_add (making->archive, "postroom/README.txt", about, making->now_us);
  pr_archive_begin (making->archive, "postroom/log.txt", size, making->now_us);
}

/* The oldest page first. */
static gboolean
on_compress (gpointer user_data)
{
  GTask *task = user_data;
  Making *making = g_task_get_task_data (task);
  GString *page;
  gsize len;

  if (g_task_return_error_if_cancelled (task))
    return G_SOURCE_REMOVE;
  if (making->pages->len == 0)
    {
      g_task_return_pointer (task, pr_archive_finish (making->archive),
                             (GDestroyNotify) g_bytes_unref);
      return G_SOURCE_REMOVE;
    }

  page = making->pages->pdata[making->pages->len - 1];
  len = MIN (page->len - making->position, PIECE_OCTETS);
  pr_archive_write (making->archive, page->str + making->position, len);
  making->position += len;
  if (making->position == page->len)
    {
      g_ptr_array_set_size (making->pages, (int) making->pages->len - 1);
      making->position = 0;
    }
  return G_SOURCE_CONTINUE;
}

static void
compress_in_pieces (GTask *task)
{
  GSource *source = g_idle_source_new ();

  begin_log (g_task_get_task_data (task));
  g_task_attach_source (task, source, on_compress);
  g_source_unref (source);
}

static void
next (GTask *task)
{
  static const struct
  {
    const char *interface, *method, *reply;
  } questions[] = {
    [STEP_STATUS] = { "Service1", "GetStatus", "(a{sv})" },
    [STEP_ROUTES] = { "Configuration1", "GetRoutes", "(aa{sv})" },
    [STEP_CONFIG] = { "Configuration1", "Read", "(ss)" },
    [STEP_KEYS] = { "Configuration1", "Describe", "(aa{sv})" },
    [STEP_EVENTS] = { "Journal1", "Query", "(aa{sv})" },
  };
  Making *making = g_task_get_task_data (task);
  Step step = making->step;

  if (step == STEP_COMPRESS)
    {
      compress_in_pieces (task);
      return;
    }

  pr_client_call_async (making->connection, questions[step].interface, questions[step].method,
                        step == STEP_EVENTS ? make_query (making) : NULL, questions[step].reply,
                        g_task_get_cancellable (task), on_answer, g_object_ref (task));
}

void
pr_bundle_make_async (GDBusConnection *connection, GVariant *filter, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Making *making = g_new0 (Making, 1);

  making->connection = g_object_ref (connection);
  making->filter = filter != NULL ? g_variant_ref_sink (filter) : NULL;
  making->archive = pr_archive_new ();
  making->pages = g_ptr_array_new_with_free_func (free_page);
  making->now_us = g_get_real_time ();
  g_task_set_task_data (task, making, making_free);
  next (task);
}

GBytes *
pr_bundle_make_finish (GAsyncResult *result, guint *n_events, GError **error)
{
  Making *making = g_task_get_task_data (G_TASK (result));

  if (n_events != NULL)
    *n_events = making->n_events;
  return g_task_propagate_pointer (G_TASK (result), error);
}
