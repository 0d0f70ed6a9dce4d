/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How another configuration comes into force. A small worker thread does the disk's part:
 *
 *   reload:   read ──► parse ──► in force
 *   apply:    parse ──► write ──► in force
 *   edit:     read ──► edit ──► parse ──► write ──► in force
 *   validate: parse
 *   password: write
 *
 * Parsing is its part too: it looks whether the files that are named exist. */

#include <string.h>

#include "config/secrets.h"
#include "service/reload.h"

#define STOPPING "The service is stopping"

typedef enum
{
  REQUEST_RELOAD,
  REQUEST_APPLY,
  REQUEST_EDIT,
  REQUEST_VALIDATE,
  REQUEST_PASSWORD,
} RequestKind;

typedef struct
{
  PrReloader *owner; /* borrowed */
  RequestKind kind;
  char *path;          /* owned */
  PrSecretKind secret; /* of REQUEST_PASSWORD */
  char *route;         /* owned, nullable: of a password */
  char *text;          /* owned: to be written, or what was read; NULL: no file, no password */
  gsize len;
  PrConfig *config;  /* owned, nullable: @text parsed */
  GPtrArray *faults; /* owned: why it was not done */
  PrReloadEdit edit; /* of REQUEST_EDIT */
  PrReloadDone done;
  gpointer user_data;
} Request;

struct _PrReloader
{
  PrEngine *engine;     /* borrowed */
  const PrHome *home;   /* borrowed */
  GThreadPool *worker;  /* owned: one thread, so that requests keep their order */
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
  g_free (request->route);
  pr_secret_free (request->text);
  g_clear_pointer (&request->config, pr_config_unref);
  g_ptr_array_unref (request->faults);
  g_free (request);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

/* ── In the worker ────────────────────────────────────────────────────────────────────────── */

static void
parse (Request *request)
{
  g_autoptr (GPtrArray) faults = NULL;

  if (request->faults->len > 0)
    return;

  request->config = request->text != NULL
                      ? pr_config_parse (request->text, request->len, request->path, &faults)
                      : pr_config_new_default ();
  if (request->config == NULL)
    g_ptr_array_extend_and_steal (request->faults, g_steal_pointer (&faults));
}

static void
read_file (Request *request)
{
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (request->path, &request->text, &request->len, &error) &&
      !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) /* absent: the default */
    g_ptr_array_add (request->faults, g_strdup (error->message));
}

static void
edit_text (Request *request)
{
  g_autoptr (GError) error = NULL;
  char *edited;

  if (request->faults->len > 0)
    return;

  edited = request->edit (request->text != NULL ? request->text : "", request->user_data, &error);
  if (edited == NULL)
    g_ptr_array_add (request->faults, g_strdup (error->message));
  pr_secret_free (request->text);
  request->text = edited;
  request->len = edited != NULL ? strlen (edited) : 0;
}

static void
write_file (Request *request)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (request->faults->len > 0)
    return;

  ok = request->kind == REQUEST_PASSWORD
         ? pr_secrets_set (request->path, request->route, request->secret, request->text, &error)
         : pr_config_save (request->path, request->text, request->len, &error);
  if (!ok)
    g_ptr_array_add (request->faults, g_strdup (error->message));
}

static void
work (gpointer data, gpointer user_data)
{
  Request *request = data;
  PrReloader *self = request->owner;

  switch (request->kind)
    {
    case REQUEST_RELOAD:
      read_file (request);
      parse (request);
      break;
    case REQUEST_APPLY:
      parse (request);
      write_file (request);
      break;
    case REQUEST_EDIT:
      read_file (request);
      edit_text (request);
      parse (request);
      write_file (request);
      break;
    case REQUEST_VALIDATE: parse (request); break;
    case REQUEST_PASSWORD:
    default: write_file (request);
    }

  g_async_queue_push (self->answers, request);
  g_source_set_ready_time (self->answered, 0);
}

/* ── On the main thread ───────────────────────────────────────────────────────────────────── */

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

/* Nothing changed: says why. */
static void
note_faults (PrReloader *self, GPtrArray *faults)
{
  for (guint i = 0; i < faults->len; i++)
    g_warning ("%s", (const char *) faults->pdata[i]);
  g_warning ("The configuration was not taken; the one before stays in force");
  pr_engine_note_bad_config (self->engine, faults);
}

static void
finish (PrReloader *self, Request *request)
{
  g_autoptr (GPtrArray) warnings = NULL;
  gboolean changes = request->kind == REQUEST_RELOAD || request->kind == REQUEST_APPLY ||
                     request->kind == REQUEST_EDIT;

  if (changes && request->faults->len == 0)
    put_in_force (self, request->config, &warnings);
  else if (changes)
    note_faults (self, request->faults);
  else if (request->kind == REQUEST_PASSWORD && request->faults->len == 0)
    pr_runner_renew_way (pr_engine_get_runner (self->engine), request->route);

  if (warnings == NULL)
    warnings = g_ptr_array_new_with_free_func (g_free);
  if (request->done != NULL)
    request->done (request->faults, warnings, request->user_data);
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
  g_autoptr (GPtrArray) faults = g_ptr_array_new ();
  g_autoptr (GPtrArray) warnings = g_ptr_array_new ();
  Request *request;

  g_thread_pool_free (self->worker, FALSE, TRUE); /* waits for what is being written */
  g_ptr_array_add (faults, (char *) STOPPING);
  while ((request = g_async_queue_try_pop (self->answers)) != NULL)
    {
      if (request->done != NULL)
        request->done (faults, warnings, request->user_data);
      request_free (request);
    }

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
request_new (PrReloader *self, RequestKind kind, const char *path, PrReloadDone done,
             gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->owner = self;
  request->kind = kind;
  request->path = g_strdup (path);
  request->faults = g_ptr_array_new_with_free_func (g_free);
  request->done = done;
  request->user_data = user_data;
  return request;
}

void
pr_reloader_reload (PrReloader *self, PrReloadDone done, gpointer user_data)
{
  g_thread_pool_push (
    self->worker, request_new (self, REQUEST_RELOAD, self->home->config, done, user_data), NULL);
}

static void
push_text (PrReloader *self, RequestKind kind, const char *text, PrReloadDone done,
           gpointer user_data)
{
  Request *request = request_new (self, kind, self->home->config, done, user_data);

  request->text = g_strdup (text);
  request->len = strlen (text);
  g_thread_pool_push (self->worker, request, NULL);
}

void
pr_reloader_apply (PrReloader *self, const char *text, PrReloadDone done, gpointer user_data)
{
  push_text (self, REQUEST_APPLY, text, done, user_data);
}

void
pr_reloader_edit (PrReloader *self, PrReloadEdit edit, PrReloadDone done, gpointer user_data)
{
  Request *request = request_new (self, REQUEST_EDIT, self->home->config, done, user_data);

  request->edit = edit;
  g_thread_pool_push (self->worker, request, NULL);
}

void
pr_reloader_validate (PrReloader *self, const char *text, PrReloadDone done, gpointer user_data)
{
  push_text (self, REQUEST_VALIDATE, text, done, user_data);
}

void
pr_reloader_set_password (PrReloader *self, const char *route, const char *password,
                          PrReloadDone done, gpointer user_data)
{
  pr_reloader_set_secret (self, route, PR_SECRET_PASSWORD, password, done, user_data);
}

void
pr_reloader_set_secret (PrReloader *self, const char *route, PrSecretKind kind, const char *secret,
                        PrReloadDone done, gpointer user_data)
{
  Request *request = request_new (self, REQUEST_PASSWORD, self->home->credentials, done, user_data);

  request->route = g_strdup (route);
  request->secret = kind;
  request->text = g_strdup (secret);
  g_thread_pool_push (self->worker, request, NULL);
}
