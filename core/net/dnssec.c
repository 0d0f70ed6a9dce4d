/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks, who waits and for how long; the answers are the module's (dnssec-unbound.c). The module
 * is never left from within its own callbacks: what it says is noted, and told on another turn. */
#include "net/dnssec.h"

#include <string.h>

#include "common/error.h"
#include "common/module.h"
#include "net/dnssec-backend.h"
#include "net/worker.h"

#define DEADLINE_MS (30 * 1000)
#define PROBE_MS (10 * 1000)
#define IDLE_MS (5 * 60 * 1000)
#define UNAVAILABLE_MS (5 * 60 * 1000)
#define MAX_NAME 253 /* RFC 1035 §2.3.4 */

typedef enum
{
  CLOSED,
  OPENING, /* the worker reads */
  PROBING, /* does a signature of the root come through? */
  OPEN,
  UNAVAILABLE,
} State;

/* What the worker has. */
typedef struct
{
  PrDnssec *self; /* borrowed; NULL: nobody wants it any more */
  PrDnssecSetup setup;
  const PrDnssecBackend *backend;
  PrDnssecContext *context; /* owned, nullable */
  GError *error;            /* owned, nullable */
} Job;

typedef struct
{
  PrDnssec *self; /* borrowed */
  guint token;
  char *name; /* owned */
  guint16 type;
  PrDnssecFunc func;
  gpointer user_data;
  PrTimer timer;

  gboolean asked, answered;
  PrDnssecTrust trust;
  gboolean exists;
  GPtrArray *records; /* owned, nullable */
  char *canonical;    /* owned, nullable */
  char *why;          /* owned, nullable */
} Question;

/* One question as the module has it; the question itself may be gone. */
typedef struct
{
  PrDnssec *self;
  guint token; /* 0: the probe */
} Flight;

struct _PrDnssec
{
  PrLoop *loop;     /* borrowed */
  PrWorker *worker; /* owned; NULL before the first question */
  char *anchor;     /* owned, nullable */
  char *server;     /* owned, nullable */

  State state;
  gboolean direct;   /* the system's name servers are left out */
  gboolean stripped; /* they answer, without what would prove it */
  Job *job;          /* borrowed: the worker's, while OPENING */
  const PrDnssecBackend *backend;
  PrDnssecContext *context; /* owned, nullable */
  PrWatch watch;
  GHashTable *flights; /* owned, of Flight */
  gboolean probed;
  PrDnssecTrust probe_trust;
  PrTimer probe_timer, idle_timer, tell_timer;
  gint64 unavailable_until_ms;
  char *unavailable_why; /* owned, nullable */

  GHashTable *questions; /* owned: token to Question */
  GQueue ready;          /* of Question, borrowed */
  guint last_token;
  gboolean telling, released; /* freed from within: the last to leave frees the rest */
};

static void open_context (PrDnssec *self, gboolean direct);

/* ── Questions ────────────────────────────────────────────────────────────────────────────── */

static void
free_question (gpointer data)
{
  Question *question = data;

  pr_timer_stop (&question->timer);
  g_clear_pointer (&question->records, g_ptr_array_unref);
  g_free (question->canonical);
  g_free (question->why);
  g_free (question->name);
  g_free (question);
}

static void
on_idle (gpointer user_data)
{
  pr_dnssec_forget (user_data);
}

static void
tell (Question *question)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  const PrDnssecAnswer answer = {
    .trust = question->trust,
    .exists = question->exists,
    .records = question->records != NULL ? question->records : none,
    .canonical = question->canonical != NULL ? question->canonical : question->name,
    .why = question->why,
  };

  question->func (&answer, question->user_data);
  free_question (question);
}

static void
on_tell (gpointer user_data)
{
  PrDnssec *self = user_data;
  Question *question;

  self->telling = TRUE;
  while (!self->released && (question = g_queue_pop_head (&self->ready)) != NULL)
    {
      g_hash_table_steal (self->questions, GUINT_TO_POINTER (question->token));
      tell (question);
    }
  self->telling = FALSE;
  if (self->released)
    {
      g_free (self);
      return;
    }
  if (g_hash_table_size (self->questions) == 0 && self->context != NULL)
    pr_timer_start (&self->idle_timer, self->loop, IDLE_MS, on_idle, self);
}

static void
set_ready (Question *question)
{
  PrDnssec *self = question->self;

  question->answered = TRUE;
  pr_timer_stop (&question->timer);
  g_queue_push_tail (&self->ready, question);
  if (!pr_timer_is_running (&self->tell_timer))
    pr_timer_start (&self->tell_timer, self->loop, 0, on_tell, self);
}

static void
answer (Question *question, PrDnssecTrust trust, const char *why)
{
  question->trust = trust;
  question->why = g_strdup (why);
  set_ready (question);
}

static void
on_deadline (gpointer user_data)
{
  answer (user_data, PR_DNSSEC_FAILED, "no answer came in time");
}

static void
answer_all (PrDnssec *self, PrDnssecTrust trust, const char *why)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->questions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (!((Question *) value)->answered)
      answer (value, trust, why);
}

/* ── The module ───────────────────────────────────────────────────────────────────────────── */

static void
free_job (gpointer data)
{
  Job *job = data;

  if (job->context != NULL)
    job->backend->close (job->context);
  g_clear_error (&job->error);
  g_free (job->setup.anchor);
  g_free (job->setup.server);
  g_free (job);
}

static void
close_job (gpointer data)
{
  Job *job = data;

  job->backend->close (g_steal_pointer (&job->context));
}

static void
on_closed (gpointer data)
{
}

/* The module's thread is waited for where nobody waits. */
static void
close_context (PrDnssec *self)
{
  if (self->job != NULL)
    self->job->self = NULL;
  self->job = NULL;
  pr_timer_stop (&self->probe_timer);
  pr_timer_stop (&self->idle_timer);
  pr_watch_stop (&self->watch);
  g_hash_table_remove_all (self->flights);
  if (self->context != NULL)
    {
      Job *job = g_new0 (Job, 1);

      job->backend = self->backend;
      job->context = g_steal_pointer (&self->context);
      pr_worker_run (self->worker, close_job, on_closed, job, free_job);
    }
}

static void
become_unavailable (PrDnssec *self, const char *why)
{
  close_context (self);
  self->state = UNAVAILABLE;
  self->unavailable_until_ms = pr_loop_now_ms (self->loop) + UNAVAILABLE_MS;
  if (self->unavailable_why == NULL) /* said once until the network changes */
    g_message ("DNSSEC is not available, mail goes without DANE: %s", why);
  g_free (self->unavailable_why);
  self->unavailable_why = g_strdup (why);
  answer_all (self, PR_DNSSEC_UNAVAILABLE, why);
}

static void
fail (PrDnssec *self, const char *why)
{
  close_context (self);
  self->state = CLOSED;
  answer_all (self, PR_DNSSEC_FAILED, why);
}

static void
on_answer (gpointer owner, const PrDnssecAnswer *said)
{
  Flight *flight = owner;
  PrDnssec *self = flight->self;
  Question *question = g_hash_table_lookup (self->questions, GUINT_TO_POINTER (flight->token));

  if (flight->token == 0)
    {
      self->probed = TRUE;
      self->probe_trust = said->trust;
    }
  else if (question != NULL && !question->answered)
    {
      question->trust = said->trust;
      question->exists = said->exists;
      question->records = g_ptr_array_ref (said->records);
      question->canonical = g_strdup (said->canonical);
      question->why = g_strdup (said->why);
      set_ready (question);
    }
  g_hash_table_remove (self->flights, flight);
}

static gboolean
send (PrDnssec *self, guint token, const char *name, guint16 type)
{
  Flight *flight = g_new0 (Flight, 1);

  flight->self = self;
  flight->token = token;
  g_hash_table_add (self->flights, flight);
  if (self->backend->ask (self->context, name, type, on_answer, flight))
    return TRUE;
  g_hash_table_remove (self->flights, flight);
  return FALSE;
}

static void
send_question (PrDnssec *self, Question *question)
{
  question->asked = TRUE;
  if (!send (self, question->token, question->name, question->type))
    answer (question, PR_DNSSEC_FAILED, "the question cannot be asked; is the trust anchor right?");
}

static void
become_open (PrDnssec *self)
{
  GHashTableIter iter;
  gpointer value;

  self->state = OPEN;
  pr_timer_stop (&self->probe_timer);
  g_clear_pointer (&self->unavailable_why, g_free);
  g_hash_table_iter_init (&iter, self->questions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (!((Question *) value)->answered && !((Question *) value)->asked)
      send_question (self, value);
}

/* ── The probe ────────────────────────────────────────────────────────────────────────────── */

/* What is not signed for the root, of which we know the key, has lost its signature on the way. */
static void
take_probe (PrDnssec *self, PrDnssecTrust trust)
{
  if (trust == PR_DNSSEC_SECURE)
    {
      become_open (self);
      return;
    }
  if (trust != PR_DNSSEC_FAILED)
    self->stripped = TRUE;
  close_context (self);
  if (!self->direct && self->server == NULL)
    open_context (self, TRUE);
  else if (self->stripped)
    become_unavailable (self, "the name servers of this network let no signatures through");
  else
    fail (self, "the name servers give no answer");
}

static void
on_probe_deadline (gpointer user_data)
{
  take_probe (user_data, PR_DNSSEC_FAILED);
}

static void
on_readable (PrWatch *watch, PrIo ready, gpointer user_data)
{
  PrDnssec *self = user_data;

  self->backend->process (self->context);
  if (self->state == PROBING && self->probed)
    take_probe (self, self->probe_trust);
}

static void
take_context (PrDnssec *self, Job *job)
{
  self->backend = job->backend;
  self->context = g_steal_pointer (&job->context);
  self->probed = FALSE;
  if (!pr_watch_start (&self->watch, self->loop, self->backend->get_fd (self->context), PR_IO_IN,
                       on_readable, self))
    {
      fail (self, "the answers cannot be waited for");
      return;
    }
  if (self->anchor != NULL) /* a person knows what can be proven with it */
    {
      become_open (self);
      return;
    }
  self->state = PROBING;
  pr_timer_start (&self->probe_timer, self->loop, PROBE_MS, on_probe_deadline, self);
  if (!send (self, 0, ".", PR_DNS_NS))
    fail (self, "the name servers cannot be asked");
}

static void
open_job (gpointer data)
{
  Job *job = data;

  job->backend = pr_module_open ("dnssec", PR_DNSSEC_BACKEND_SYMBOL, &job->error);
  if (job->backend != NULL && job->backend->version != PR_DNSSEC_BACKEND_VERSION)
    g_set_error (&job->error, PR_ERROR, PR_ERROR_UNSUPPORTED,
                 "the part postroom-dnssec belongs to another version of Postroom");
  else if (job->backend != NULL)
    job->context = job->backend->open (&job->setup, &job->error);
}

static void
on_opened (gpointer data)
{
  Job *job = data;
  PrDnssec *self = job->self;

  if (self == NULL)
    return;
  self->job = NULL;
  if (job->context != NULL)
    take_context (self, job);
  else if (g_error_matches (job->error, PR_ERROR, PR_ERROR_UNSUPPORTED))
    become_unavailable (self, job->error->message);
  else
    fail (self, job->error->message);
}

static void
open_context (PrDnssec *self, gboolean direct)
{
  Job *job = g_new0 (Job, 1);

  self->state = OPENING;
  self->direct = direct;
  self->job = job;
  job->self = self;
  job->setup.anchor = g_strdup (self->anchor);
  job->setup.server = g_strdup (self->server);
  job->setup.direct = direct;
  if (self->worker == NULL)
    self->worker = pr_worker_new (pr_loop_get_context (self->loop));
  pr_worker_run (self->worker, open_job, on_opened, job, free_job);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

PrDnssec *
pr_dnssec_new (PrLoop *loop)
{
  PrDnssec *self = g_new0 (PrDnssec, 1);

  self->loop = loop;
  self->flights = g_hash_table_new_full (NULL, NULL, g_free, NULL);
  self->questions = g_hash_table_new_full (NULL, NULL, NULL, free_question);
  g_queue_init (&self->ready);
  return self;
}

void
pr_dnssec_free (PrDnssec *self)
{
  if (self == NULL)
    return;
  close_context (self);
  g_clear_pointer (&self->worker, pr_worker_free);
  pr_timer_stop (&self->tell_timer);
  g_queue_clear (&self->ready);
  g_hash_table_unref (self->questions);
  g_hash_table_unref (self->flights);
  g_free (self->unavailable_why);
  g_free (self->anchor);
  g_free (self->server);
  self->released = TRUE;
  if (!self->telling)
    g_free (self);
}

guint
pr_dnssec_ask (PrDnssec *self, const char *name, guint16 type, PrDnssecFunc func,
               gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  while (++self->last_token == 0 ||
         g_hash_table_contains (self->questions, GUINT_TO_POINTER (self->last_token)))
    ;
  question->self = self;
  question->token = self->last_token;
  question->name = g_strdup (name);
  question->type = type;
  question->func = func;
  question->user_data = user_data;
  g_hash_table_insert (self->questions, GUINT_TO_POINTER (question->token), question);
  pr_timer_stop (&self->idle_timer);

  if (*name == '\0' || strlen (name) > MAX_NAME)
    {
      answer (question, PR_DNSSEC_FAILED, "this is not a valid name");
      return question->token;
    }
  if (self->state == UNAVAILABLE && pr_loop_now_ms (self->loop) < self->unavailable_until_ms)
    {
      answer (question, PR_DNSSEC_UNAVAILABLE, self->unavailable_why);
      return question->token;
    }
  pr_timer_start (&question->timer, self->loop, DEADLINE_MS, on_deadline, question);
  if (self->state == OPEN)
    send_question (self, question);
  else if (self->state == CLOSED || self->state == UNAVAILABLE)
    {
      self->stripped = FALSE;
      open_context (self, FALSE);
    }
  return question->token;
}

void
pr_dnssec_cancel (PrDnssec *self, guint token)
{
  Question *question = g_hash_table_lookup (self->questions, GUINT_TO_POINTER (token));

  if (question == NULL)
    return;
  if (question->answered)
    g_queue_remove (&self->ready, question);
  g_hash_table_remove (self->questions, GUINT_TO_POINTER (token));
}

void
pr_dnssec_forget (PrDnssec *self)
{
  GHashTableIter iter;
  gpointer value;
  gboolean waits = FALSE;

  close_context (self);
  self->state = CLOSED;
  self->stripped = FALSE;
  g_clear_pointer (&self->unavailable_why, g_free);
  g_hash_table_iter_init (&iter, self->questions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      ((Question *) value)->asked = FALSE;
      waits |= !((Question *) value)->answered;
    }
  if (waits)
    open_context (self, FALSE);
}

void
pr_dnssec_set_anchor (PrDnssec *self, const char *path)
{
  if (g_strcmp0 (self->anchor, path) == 0)
    return;
  g_free (self->anchor);
  self->anchor = g_strdup (path);
  pr_dnssec_forget (self);
}

void
pr_dnssec_set_server (PrDnssec *self, const char *server)
{
  if (g_strcmp0 (self->server, server) == 0)
    return;
  g_free (self->server);
  self->server = g_strdup (server);
  pr_dnssec_forget (self);
}

/* ── Names ────────────────────────────────────────────────────────────────────────────────── */

static gboolean
is_host_octet (guint8 octet)
{
  return g_ascii_isalnum (octet) || octet == '-' || octet == '_';
}

char *
pr_dns_read_name (const guint8 *data, gsize len)
{
  g_autoptr (GString) name = g_string_new (NULL);
  gsize at = 0;

  while (at < len && data[at] != 0)
    {
      gsize label = data[at++];

      if (label > 63 || label >= len - at || name->len + (name->len > 0) + label > MAX_NAME)
        return NULL;
      if (name->len > 0)
        g_string_append_c (name, '.');
      for (; label > 0; label--, at++)
        {
          if (!is_host_octet (data[at]))
            return NULL;
          g_string_append_c (name, (char) g_ascii_tolower ((char) data[at]));
        }
    }
  if (at >= len)
    return NULL;

  return g_string_free (g_steal_pointer (&name), FALSE);
}
