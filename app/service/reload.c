/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How another configuration comes into force. A small worker thread does the disk's part:
 *
 *   reload: read ──► parse ──► in force
 *   apply:  parse ──► write ──► in force */

#include <string.h>

#include "common/error.h"
#include "service/reload.h"

typedef struct
{
  PrReloader *owner; /* borrowed */
  char *path;        /* owned */
  char *text;        /* owned: to be written, or what was read; NULL: no file */
  gsize len;
  gboolean writes;
  PrConfig *config; /* owned, nullable: apply has parsed already */
  GError *error;    /* owned, nullable */
  PrReloadDone done;
  gpointer user_data;
} Request;

struct _PrReloader
{
  PrEngine *engine;    /* borrowed */
  const PrHome *home;  /* borrowed */
  GThreadPool *worker; /* owned: one thread, so that requests keep their order */
  GMainContext *context;
  GAsyncQueue *answers; /* owned, of Request */
  GSource *answered;    /* owned: ready when there is an answer */
  void (*changed) (gpointer);
  gpointer changed_data;
};

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->path);
  g_free (request->text);
  g_clear_pointer (&request->config, pr_config_unref);
  g_clear_error (&request->error);
  g_free (request);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

/* In the worker. */
static void
work (gpointer data, gpointer user_data)
{
  Request *request = data;
  PrReloader *self = request->owner;

  if (request->writes)
    {
      pr_config_save (request->path, request->text, request->len, &request->error);
    }
  else if (!g_file_get_contents (request->path, &request->text, &request->len, &request->error) &&
           g_error_matches (request->error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_clear_error (&request->error); /* an absent file is the default */
    }

  g_async_queue_push (self->answers, request);
  g_source_set_ready_time (self->answered, 0);
}

static void
note_fault (GPtrArray *faults, const Request *request)
{
  g_ptr_array_add (faults, g_strdup_printf ("%s: %s", request->path, request->error->message));
}

static void
put_in_force (PrReloader *self, PrConfig *config, GPtrArray **warnings)
{
  g_autoptr (GPtrArray) opened = NULL;
  g_autoptr (GPtrArray) addresses = NULL;
  g_autofree char *list = NULL;

  pr_engine_set_config (self->engine, config, &opened);
  for (guint i = 0; i < opened->len; i++)
    g_warning ("%s", (const char *) opened->pdata[i]);
  *warnings = g_steal_pointer (&opened);

  addresses = pr_server_get_addresses (pr_engine_get_server (self->engine));
  g_ptr_array_add (addresses, NULL);
  list = g_strjoinv (" and ", (char **) addresses->pdata);
  g_message ("The configuration is in force; mail is taken on %s", list);
  if (self->changed != NULL)
    self->changed (self->changed_data);
}

/* On the main thread, with the disk's part done. */
static void
finish (PrReloader *self, Request *request)
{
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (PrConfig) config = g_steal_pointer (&request->config);

  if (request->error == NULL && config == NULL)
    config = request->text != NULL
               ? pr_config_parse (request->text, request->len, request->path, &faults)
               : pr_config_new_default ();
  if (faults == NULL)
    faults = g_ptr_array_new_with_free_func (g_free);
  if (request->error != NULL)
    note_fault (faults, request);

  if (faults->len == 0)
    {
      put_in_force (self, config, &warnings);
    }
  else
    {
      for (guint i = 0; i < faults->len; i++)
        g_warning ("%s", (const char *) faults->pdata[i]);
      g_warning ("The configuration was not taken; the one before stays in force");
      pr_engine_note_bad_config (self->engine, faults);
    }

  if (warnings == NULL)
    warnings = g_ptr_array_new_with_free_func (g_free);
  if (request->done != NULL)
    request->done (faults, warnings, request->user_data);
}

static gboolean
on_answered (gpointer user_data)
{
  PrReloader *self = user_data;
  Request *request;

  g_source_set_ready_time (self->answered, -1);
  while ((request = g_async_queue_try_pop (self->answers)) != NULL)
    {
      finish (self, request);
      request_free (request);
    }

  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

PrReloader *
pr_reloader_new (PrEngine *engine, const PrHome *home)
{
  static GSourceFuncs funcs = { .dispatch = dispatch };
  PrReloader *self = g_new0 (PrReloader, 1);

  self->engine = engine;
  self->home = home;
  self->answers = g_async_queue_new_full (request_free);
  self->worker = g_thread_pool_new (work, NULL, 1, FALSE, NULL);
  self->answered = g_source_new (&funcs, sizeof (GSource));
  g_source_set_static_name (self->answered, "configuration");
  g_source_set_callback (self->answered, on_answered, self, NULL);
  g_source_attach (self->answered, g_main_context_get_thread_default ());

  return self;
}

void
pr_reloader_free (PrReloader *self)
{
  g_thread_pool_free (self->worker, FALSE, TRUE); /* waits for what is being written */
  g_source_destroy (self->answered);
  g_source_unref (self->answered);
  g_async_queue_unref (self->answers);
  g_free (self);
}

void
pr_reloader_set_changed (PrReloader *self, void (*func) (gpointer), gpointer user_data)
{
  self->changed = func;
  self->changed_data = user_data;
}

static Request *
request_new (PrReloader *self, PrReloadDone done, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->owner = self;
  request->path = g_strdup (self->home->config);
  request->done = done;
  request->user_data = user_data;
  return request;
}

void
pr_reloader_reload (PrReloader *self, PrReloadDone done, gpointer user_data)
{
  g_thread_pool_push (self->worker, request_new (self, done, user_data), NULL);
}

void
pr_reloader_apply (PrReloader *self, const char *text, PrReloadDone done, gpointer user_data)
{
  g_autoptr (Request) request = request_new (self, done, user_data);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new ();

  request->writes = TRUE;
  request->text = g_strdup (text);
  request->len = strlen (text);
  request->config = pr_config_parse (text, request->len, request->path, &faults);
  if (request->config == NULL)
    done (faults, warnings, user_data);
  else
    g_thread_pool_push (self->worker, g_steal_pointer (&request), NULL);
}
