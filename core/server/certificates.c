/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each listener shows under TLS.
 *
 *   begin_load ──► thread: files, keys ──► on_loaded ──► a minute ──► begin_load …
 */

#include "server/certificates.h"

#include <string.h>

#include "net/authority.h"

#define CHECK_INTERVAL_MS (60 * 1000)
#define WARN_DAYS 14
#define DAY_S (24 * 60 * 60)
#define MAX_FILE (256 * 1024)

/* What one listener shows. */
typedef struct
{
  char *listener; /* owned */
  PrTlsVersion minimum;
  gboolean is_own;            /* named in the configuration */
  PrKeyPair pair;             /* owned; empty with a fault */
  PrKeyPair old_pair;         /* owned; RSA, for a minimum below 1.2 */
  char *fault;                /* owned, nullable */
  PrTlsServer *server;        /* owned, nullable */
  PrCertificate *certificate; /* owned, nullable: what @server shows */
  char *told;                 /* owned, nullable: the words of the last event */
} Shown;

/* One reading of the files. */
typedef struct
{
  PrCertificates *owner; /* borrowed; only for on_loaded */
  PrConfig *config;      /* owned */
  char *folder;          /* owned, nullable */
  GPtrArray *found;      /* owned, of Shown */
  GSource *done;         /* owned */
} Job;

struct _PrCertificates
{
  PrLoop *loop;       /* borrowed */
  PrJournal *journal; /* borrowed */
  char *folder;       /* owned, nullable */
  PrConfig *config;   /* owned, nullable: the one last asked for */
  GPtrArray *shown;   /* owned, of Shown */
  GThread *thread;    /* owned, nullable, with its job */
  Job *job;           /* owned */
  PrTimer again;
};

static void
shown_free (gpointer data)
{
  Shown *self = data;

  g_free (self->listener);
  pr_key_pair_clear (&self->pair);
  pr_key_pair_clear (&self->old_pair);
  g_clear_pointer (&self->server, pr_tls_server_unref);
  pr_certificate_free (self->certificate);
  g_free (self->fault);
  g_free (self->told);
  g_free (self);
}

/* ── In the thread ────────────────────────────────────────────────────────────────────────── */

static GBytes *
read_file (const char *path, GError **error)
{
  char *text = NULL;
  gsize len = 0;

  if (!g_file_get_contents (path, &text, &len, error))
    return NULL;
  if (len <= MAX_FILE)
    return g_bytes_new_take (text, len);

  g_free (text);
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s is too large for a certificate", path);
  return NULL;
}

static gboolean
read_own (const PrListenerConfig *listener, Shown *out, GError **error)
{
  out->is_own = TRUE;
  out->pair.certificate = read_file (listener->certificate, error);
  if (out->pair.certificate == NULL)
    return FALSE;
  out->pair.key =
    listener->key != NULL ? read_file (listener->key, error) : g_bytes_ref (out->pair.certificate);
  return out->pair.key != NULL;
}

static gboolean
read_ours (const char *folder, const char *const *names, Shown *out, GError **error)
{
  return pr_authority_get_pair (folder, names, PR_AUTHORITY_ECDSA, &out->pair, error) &&
         (out->minimum >= PR_TLS_1_2 ||
          pr_authority_get_pair (folder, names, PR_AUTHORITY_RSA, &out->old_pair, error));
}

static void
read_all (Job *job)
{
  g_auto (GStrv) names = pr_authority_find_names (job->config->hostname);

  for (guint i = 0; i < job->config->listeners->len; i++)
    {
      const PrListenerConfig *listener = job->config->listeners->pdata[i];
      g_autoptr (GError) error = NULL;
      Shown *shown;
      gboolean read;

      if (listener->tls == PR_TLS_OFF || (listener->certificate == NULL && job->folder == NULL))
        continue;

      shown = g_new0 (Shown, 1);
      shown->listener = g_strdup (listener->name);
      shown->minimum = (PrTlsVersion) listener->minimum_tls;
      g_ptr_array_add (job->found, shown);
      read = listener->certificate != NULL
               ? read_own (listener, shown, &error)
               : read_ours (job->folder, (const char *const *) names, shown, &error);
      if (!read)
        shown->fault = g_strdup (error->message);
    }
}

static gpointer
run (gpointer data)
{
  Job *job = data;

  read_all (job);
  g_source_attach (job->done, pr_loop_get_context (job->owner->loop));
  return NULL;
}

/* ── On the loop ──────────────────────────────────────────────────────────────────────────── */

static Job *
job_new (PrCertificates *owner)
{
  Job *self = g_new0 (Job, 1);

  self->owner = owner;
  self->config = pr_config_ref (owner->config);
  self->folder = g_strdup (owner->folder);
  self->found = g_ptr_array_new_with_free_func (shown_free);

  return self;
}

static void
job_free (Job *self)
{
  if (self->done != NULL)
    {
      g_source_destroy (self->done);
      g_source_unref (self->done);
    }
  pr_config_unref (self->config);
  g_free (self->folder);
  g_clear_pointer (&self->found, g_ptr_array_unref);
  g_free (self);
}

static Shown *
find (GPtrArray *shown, const char *listener)
{
  for (guint i = 0; i < shown->len; i++)
    if (strcmp (((Shown *) shown->pdata[i])->listener, listener) == 0)
      return shown->pdata[i];

  return NULL;
}

static gboolean
same (GBytes *a, GBytes *b)
{
  return a == b || (a != NULL && b != NULL && g_bytes_equal (a, b));
}

static gboolean
is_unchanged (const Shown *a, const Shown *b)
{
  return a->minimum == b->minimum && same (a->pair.certificate, b->pair.certificate) &&
         same (a->pair.key, b->pair.key) &&
         same (a->old_pair.certificate, b->old_pair.certificate) &&
         same (a->old_pair.key, b->old_pair.key);
}

static void
make_server (Shown *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) server =
    pr_tls_server_new (self->pair.certificate, self->pair.key, self->minimum, &error);

  if (server != NULL &&
      (self->old_pair.key == NULL ||
       pr_tls_server_add (server, self->old_pair.certificate, self->old_pair.key, &error)))
    {
      self->server = g_steal_pointer (&server);
      self->certificate = pr_certificate_read (self->pair.certificate);
    }
  else
    self->fault = g_strdup (error->message);
}

/* (nullable) (transfer full): what a person should know of it. */
static char *
words_for (const Shown *self)
{
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  gint64 expiry_s;
  g_autoptr (GDateTime) date = NULL;
  g_autofree char *day = NULL;

  if (self->fault != NULL)
    return g_strdup_printf ("The certificate of the listener %s is not in force: %s",
                            self->listener, self->fault);
  expiry_s = pr_tls_server_get_expiry (self->server);
  if (expiry_s > now_s + WARN_DAYS * DAY_S)
    return NULL;

  date = g_date_time_new_from_unix_utc (expiry_s);
  day = date != NULL ? g_date_time_format (date, "%Y-%m-%d") : g_strdup ("an unknown day");
  return g_strdup_printf (expiry_s <= now_s ? "The certificate of the listener %s expired on %s; "
                                              "replace its file"
                                            : "The certificate of the listener %s expires on %s; "
                                              "replace its file before",
                          self->listener, day);
}

/* Once for each matter, not each minute. */
static void
tell (PrCertificates *self, Shown *shown, const Shown *before)
{
  shown->told = words_for (shown);
  if (shown->told != NULL && (before == NULL || g_strcmp0 (before->told, shown->told) != 0))
    pr_journal_add (self->journal, &(PrEvent){ .kind = PR_EVENT_CERTIFICATE, .text = shown->told });
}

/* What was wrong is right again: told when nothing is wrong any more. */
static void
tell_renewed (PrCertificates *self, GPtrArray *old)
{
  g_autoptr (GDateTime) date = NULL;
  g_autofree char *day = NULL;
  g_autofree char *text = NULL;
  const Shown *renewed = NULL;

  for (guint i = 0; i < old->len; i++)
    if (((Shown *) old->pdata[i])->told != NULL)
      renewed = old->pdata[i];
  for (guint i = 0; i < self->shown->len && renewed != NULL; i++)
    if (((Shown *) self->shown->pdata[i])->told != NULL)
      return;
  if (renewed == NULL)
    return;

  renewed = find (self->shown, renewed->listener);
  if (renewed != NULL && renewed->certificate != NULL)
    {
      date = g_date_time_new_from_unix_utc (renewed->certificate->expiry_s);
      day = date != NULL ? g_date_time_format (date, "%Y-%m-%d") : g_strdup ("an unknown day");
      text =
        g_strdup_printf ("The certificate of the listener %s was renewed; it is valid until %s",
                         renewed->listener, day);
    }
  else
    text = g_strdup ("The certificates of all listeners are right again");
  pr_journal_add (self->journal, &(PrEvent){ .kind = PR_EVENT_CERTIFICATE_RENEWED, .text = text });
}

/* It goes on with what it had. */
static void
keep (Shown *shown, Shown *before)
{
  shown->server = pr_tls_server_ref (before->server);
  shown->certificate = g_steal_pointer (&before->certificate);
}

static void
take (PrCertificates *self, Job *job)
{
  g_autoptr (GPtrArray) old = g_steal_pointer (&self->shown);

  self->shown = g_steal_pointer (&job->found);
  for (guint i = 0; i < self->shown->len; i++)
    {
      Shown *shown = self->shown->pdata[i];
      Shown *before = find (old, shown->listener);

      if (before != NULL && before->server != NULL && is_unchanged (before, shown))
        {
          keep (shown, before);
          if (shown->fault == NULL)
            shown->fault = g_strdup (before->fault);
        }
      else if (shown->fault == NULL)
        make_server (shown);
      tell (self, shown, before);
      if (shown->server == NULL && before != NULL && before->server != NULL)
        keep (shown, before);
    }
  tell_renewed (self, old);
}

static gboolean on_loaded (gpointer user_data);

static void
begin_load (PrCertificates *self)
{
  if (self->thread != NULL)
    return; /* goes on with it when it is done */

  pr_timer_stop (&self->again);
  self->job = job_new (self);
  self->job->done = g_idle_source_new ();
  g_source_set_priority (self->job->done, G_PRIORITY_DEFAULT);
  g_source_set_callback (self->job->done, on_loaded, self, NULL);
  self->thread = g_thread_new ("certificates", run, self->job);
}

static void
on_again (gpointer user_data)
{
  begin_load (user_data);
}

static void
wait_for_change (PrCertificates *self)
{
  pr_timer_start (&self->again, self->loop, CHECK_INTERVAL_MS, on_again, self);
}

static void
load (PrCertificates *self)
{
  Job *job = job_new (self);

  read_all (job);
  take (self, job);
  job_free (job);
  wait_for_change (self);
}

static gboolean
on_loaded (gpointer user_data)
{
  PrCertificates *self = user_data;
  Job *job = g_steal_pointer (&self->job);
  gboolean is_late = job->config != self->config;

  g_thread_join (g_steal_pointer (&self->thread));
  if (!is_late)
    take (self, job);
  job_free (job);
  if (is_late) /* another configuration came meanwhile */
    begin_load (self);
  else
    wait_for_change (self);

  return G_SOURCE_REMOVE;
}

PrCertificates *
pr_certificates_new (PrLoop *loop, PrJournal *journal, const char *folder)
{
  PrCertificates *self = g_new0 (PrCertificates, 1);

  self->loop = loop;
  self->journal = journal;
  self->folder = g_strdup (folder);
  self->shown = g_ptr_array_new_with_free_func (shown_free);

  return self;
}

void
pr_certificates_free (PrCertificates *self)
{
  pr_timer_stop (&self->again);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  g_clear_pointer (&self->job, job_free);
  g_clear_pointer (&self->config, pr_config_unref);
  g_ptr_array_unref (self->shown);
  g_free (self->folder);
  g_free (self);
}

void
pr_certificates_set_config (PrCertificates *self, PrConfig *config)
{
  PrConfig *before = self->config;

  self->config = pr_config_ref (config);
  if (before == NULL)
    load (self);
  else
    begin_load (self);
  g_clear_pointer (&before, pr_config_unref);
}

PrTlsServer *
pr_certificates_get (PrCertificates *self, const char *listener)
{
  const Shown *shown = find (self->shown, listener);

  return shown != NULL ? shown->server : NULL;
}

void
pr_certificates_list (PrCertificates *self, PrCertificatesFunc func, gpointer user_data)
{
  for (guint i = 0; i < self->shown->len; i++)
    {
      const Shown *shown = self->shown->pdata[i];
      PrShownCertificate out = {
        .listener = shown->listener,
        .is_own = shown->is_own,
        .certificate = shown->certificate,
        .trouble = shown->told,
      };

      func (&out, user_data);
    }
}
