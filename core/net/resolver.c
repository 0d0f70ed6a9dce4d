/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names to exchangers, addresses and records.
 *
 *   find ──► ticket ──► question (one for each name) ──► waiting ──► asked ──► answered
 *              │                                        (at most 8 asked)         │
 *              └──deadline──► told "no answer"       tickets are told ◄───────────┘
 *
 * A question is shared by all tickets for its name and stays in memory for a while afterwards.
 */
#include "net/resolver-private.h"

#include <string.h>

#include "common/error.h"
#include "common/pattern.h"

#define MAX_ASKED 8
#define DEADLINE_MS 20000
#define ANSWER_LIFE_US (60 * G_USEC_PER_SEC)
#define FAILURE_LIFE_US (10 * G_USEC_PER_SEC)
#define MAX_REMEMBERED 2048
#define MAX_REMEMBERED_OCTETS 4096 /* records that are longer are not */

typedef struct
{
  guint token;
  PrQuestion *question; /* reference */
  GError *late;         /* owned, nullable: the deadline passed */
  gint64 deadline_us;
  gboolean ready; /* in self->ready, else in self->deadlines and question->tickets */
  PrMxFunc mx_func;
  PrHostFunc host_func;
  PrRecordsFunc records_func;
  gpointer user_data;
} Ticket;

/* One call of GResolver, or one thread of our own. */
typedef struct
{
  PrResolver *self;     /* borrowed; NULL when the resolver was freed */
  PrQuestion *question; /* reference */
} Flight;

struct _PrResolver
{
  GMainContext *context; /* owned */
  GSource *source;       /* owned */
  guint deadline_ms;
  char *server;          /* owned, nullable: for records */
  GHashTable *questions; /* char * → PrQuestion, both owned: by kind and name */
  GHashTable *tickets;   /* token → Ticket, owned */
  GQueue waiting;        /* of PrQuestion, references */
  GQueue deadlines;      /* of Ticket, borrowed: by deadline, nearly */
  GQueue ready;          /* of Ticket, borrowed: to be told */
  GPtrArray *flights;    /* of Flight, borrowed */
  guint last_token;
  gboolean telling, released;
};

static void ask_next (PrResolver *self);

/* --- questions --------------------------------------------------------------------------- */

static PrQuestion *
question_ref (PrQuestion *self)
{
  self->refs++;
  return self;
}

static void
question_unref (PrQuestion *self)
{
  if (--self->refs > 0)
    return;
  g_queue_clear (&self->tickets);
  g_clear_pointer (&self->exchangers, g_array_unref);
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  g_clear_pointer (&self->values, g_ptr_array_unref);
  g_clear_error (&self->error);
  g_free (self->name);
  g_free (self);
}

static void
ticket_free (gpointer data)
{
  Ticket *self = data;

  g_clear_error (&self->late);
  question_unref (self->question);
  g_free (self);
}

static void
make_room (PrResolver *self)
{
  gint64 now_us = g_get_monotonic_time ();

  for (guint round = 0; round < 2 && g_hash_table_size (self->questions) >= MAX_REMEMBERED; round++)
    {
      GHashTableIter iter;
      PrQuestion *question;

      g_hash_table_iter_init (&iter, self->questions);
      while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &question))
        if (question->answered && (round == 1 || question->expires_us <= now_us))
          g_hash_table_iter_remove (&iter);
    }
}

static char *
make_key (PrQuestionKind kind, PrRecordKind records, const char *name)
{
  return g_strdup_printf ("%d:%d:%s", (int) kind, (int) records, name);
}

/* The one that is remembered or asked already, or a new one. (transfer none) */
static PrQuestion *
get_question (PrResolver *self, PrQuestionKind kind, PrRecordKind records, const char *name)
{
  g_autofree char *key = make_key (kind, records, name);
  PrQuestion *question = g_hash_table_lookup (self->questions, key);

  if (question != NULL && (!question->answered || question->expires_us > g_get_monotonic_time ()))
    return question;
  make_room (self);
  question = g_new0 (PrQuestion, 1);
  question->refs = 1;
  question->kind = kind;
  question->records = records;
  question->name = g_strdup (name);
  g_hash_table_replace (self->questions, g_steal_pointer (&key), question);
  return question;
}

/* Whoever waits for it has it still. */
static void
forget_question (PrResolver *self, PrQuestion *question)
{
  g_autofree char *key = make_key (question->kind, question->records, question->name);

  if (g_hash_table_lookup (self->questions, key) == question)
    g_hash_table_remove (self->questions, key);
}

/* --- telling ----------------------------------------------------------------------------- */

/* RFC 5321 §5.1: by preference, equal ones in random order, another one each time. */
static void
shuffle_equals (GArray *exchangers)
{
  PrExchanger *list = (PrExchanger *) exchangers->data;

  for (guint start = 0, end; start < exchangers->len; start = end)
    {
      for (end = start + 1; end < exchangers->len; end++)
        if (list[end].preference != list[start].preference)
          break;
      for (guint i = end - 1; i > start; i--)
        {
          guint j = (guint) g_random_int_range ((gint32) start, (gint32) i + 1);
          PrExchanger other = list[i];

          list[i] = list[j];
          list[j] = other;
        }
    }
}

static void
tell (Ticket *ticket)
{
  PrQuestion *question = ticket->question;
  const GError *error = ticket->late != NULL ? ticket->late : question->error;

  if (question->kind == ASK_EXCHANGERS)
    {
      if (error == NULL)
        shuffle_equals (question->exchangers);
      ticket->mx_func (error == NULL ? question->exchangers : NULL, error, ticket->user_data);
    }
  else if (question->kind == ASK_ADDRESSES)
    ticket->host_func (error == NULL ? question->addresses : NULL, error, ticket->user_data);
  else
    ticket->records_func (error == NULL ? question->values : NULL, error, ticket->user_data);
}

static void
make_ready (PrResolver *self, Ticket *ticket)
{
  ticket->ready = TRUE;
  g_queue_push_tail (&self->ready, ticket);
  g_source_set_ready_time (self->source, 0);
}

static void
expire_tickets (PrResolver *self)
{
  gint64 now_us = g_get_monotonic_time ();
  Ticket *ticket;

  while ((ticket = g_queue_peek_head (&self->deadlines)) != NULL && ticket->deadline_us <= now_us)
    {
      g_queue_pop_head (&self->deadlines);
      g_queue_remove (&ticket->question->tickets, ticket);
      ticket->late =
        g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "no answer from the name server about %s",
                     ticket->question->name);
      make_ready (self, ticket);
    }
}

static void
release (PrResolver *self)
{
  g_hash_table_unref (self->tickets);
  g_hash_table_unref (self->questions);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) question_unref);
  g_queue_clear (&self->deadlines);
  g_queue_clear (&self->ready);
  g_ptr_array_unref (self->flights);
  g_free (self->server);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
tell_ready (PrResolver *self)
{
  /* Who is asked again by a callback is answered on another turn. */
  for (guint n = self->ready.length; n > 0 && self->ready.length > 0 && !self->released; n--)
    {
      Ticket *ticket = g_queue_pop_head (&self->ready);

      g_hash_table_steal (self->tickets, GUINT_TO_POINTER (ticket->token));
      tell (ticket);
      ticket_free (ticket);
    }
}

static gboolean
on_turn (gpointer user_data)
{
  PrResolver *self = user_data;
  Ticket *next;

  g_source_set_ready_time (self->source, -1);
  self->telling = TRUE;
  expire_tickets (self);
  tell_ready (self);
  self->telling = FALSE;
  if (self->released)
    {
      release (self);
      return G_SOURCE_REMOVE;
    }
  next = g_queue_peek_head (&self->deadlines);
  if (self->ready.length > 0)
    g_source_set_ready_time (self->source, 0);
  else if (next != NULL)
    g_source_set_ready_time (self->source, next->deadline_us);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* --- answers ----------------------------------------------------------------------------- */

static void
answer (PrResolver *self, PrQuestion *question, gint64 life_us)
{
  Ticket *ticket;

  question->answered = TRUE;
  question->expires_us = g_get_monotonic_time () + life_us;
  while ((ticket = g_queue_pop_head (&question->tickets)) != NULL)
    {
      g_queue_remove (&self->deadlines, ticket);
      make_ready (self, ticket);
    }
}

static gsize
count_octets (const GPtrArray *values)
{
  gsize octets = 0;

  for (guint i = 0; values != NULL && i < values->len; i++)
    octets += strlen (values->pdata[i]);
  return octets;
}

/* The question knows what it asked for. */
static void
land (Flight *flight)
{
  PrResolver *self = flight->self;
  PrQuestion *question = flight->question;
  gint64 life_us = question->error == NULL ? ANSWER_LIFE_US : FAILURE_LIFE_US;

  if (count_octets (question->values) > MAX_REMEMBERED_OCTETS)
    {
      forget_question (self, question);
      life_us = 0;
    }
  g_ptr_array_remove_fast (self->flights, flight);
  answer (self, question, life_us);
  ask_next (self);
}

static void
flight_free (gpointer data)
{
  Flight *flight = data;

  question_unref (flight->question);
  g_free (flight);
}

static void
on_looked_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Flight *flight = user_data;
  PrQuestion *question = flight->question;
  g_autoptr (GError) error = NULL;
  GList *list;

  if (question->kind == ASK_EXCHANGERS)
    {
      list = g_resolver_lookup_records_finish (G_RESOLVER (source), result, &error);
      if (flight->self != NULL && error == NULL)
        pr_question_take_records (question, list);
      g_list_free_full (list, (GDestroyNotify) g_variant_unref);
    }
  else
    {
      list = g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);
      if (flight->self != NULL && error == NULL)
        pr_question_take_addresses (question, list);
      g_resolver_free_addresses (list);
    }

  if (flight->self != NULL)
    {
      if (error != NULL)
        pr_question_take_error (question, error);
      land (flight);
    }
  flight_free (flight);
}

static void
on_records (GPtrArray *values, const GError *error, gpointer user_data)
{
  Flight *flight = user_data;

  if (flight->self == NULL)
    return;
  if (error != NULL)
    flight->question->error = g_error_copy (error);
  else
    flight->question->values = g_ptr_array_ref (values);
  land (flight);
}

/* --- asking ------------------------------------------------------------------------------ */

static void
ask (PrResolver *self, PrQuestion *question)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  Flight *flight = g_new (Flight, 1);

  flight->self = self;
  flight->question = question_ref (question);
  g_ptr_array_add (self->flights, flight);
  /* Never cancelled: that would return here at once and leave the thread where it is. */
  g_main_context_push_thread_default (self->context);
  if (question->kind == ASK_EXCHANGERS)
    g_resolver_lookup_records_async (resolver, question->name, G_RESOLVER_RECORD_MX, NULL,
                                     on_looked_up, flight);
  else if (question->kind == ASK_RECORDS)
    pr_dns_ask (self->context, question->records, question->name, self->server, on_records, flight,
                flight_free);
  else
    g_resolver_lookup_by_name_async (resolver, question->name, NULL, on_looked_up, flight);
  g_main_context_pop_thread_default (self->context);
}

static void
ask_next (PrResolver *self)
{
  while (self->flights->len < MAX_ASKED && self->waiting.length > 0)
    {
      PrQuestion *question = g_queue_pop_head (&self->waiting);

      if (question->tickets.length > 0)
        ask (self, question);
      else
        question->asked = FALSE; /* nobody wants to know any more */
      question_unref (question);
    }
}

/* What needs no name server. */
static gboolean
take_text (PrResolver *self, PrQuestion *question)
{
  if (!pr_question_take_text (question))
    return FALSE;
  answer (self, question, ANSWER_LIFE_US);
  return TRUE;
}

static Ticket *
add_ticket (PrResolver *self, PrQuestionKind kind, PrRecordKind records, const char *name,
            gpointer user_data)
{
  PrQuestion *question = get_question (self, kind, records, name);
  Ticket *ticket = g_new0 (Ticket, 1);

  if (++self->last_token == 0)
    self->last_token = 1;
  ticket->token = self->last_token;
  ticket->question = question_ref (question);
  ticket->user_data = user_data;
  ticket->deadline_us = g_get_monotonic_time () + (gint64) self->deadline_ms * 1000;
  g_hash_table_insert (self->tickets, GUINT_TO_POINTER (ticket->token), ticket);

  if (question->answered || (!question->asked && take_text (self, question)))
    {
      make_ready (self, ticket);
      return ticket;
    }
  g_queue_push_tail (&question->tickets, ticket);
  g_queue_push_tail (&self->deadlines, ticket);
  if (self->deadlines.length == 1 && self->ready.length == 0)
    g_source_set_ready_time (self->source, ticket->deadline_us);
  if (!question->asked)
    {
      question->asked = TRUE;
      g_queue_push_tail (&self->waiting, question_ref (question));
      ask_next (self);
    }
  return ticket;
}

static Ticket *
add_folded_ticket (PrResolver *self, PrQuestionKind kind, const char *name, gpointer user_data)
{
  g_autofree char *folded = pr_domain_fold (name);

  return add_ticket (self, kind, 0, folded != NULL ? folded : "", user_data);
}

/* --- public ------------------------------------------------------------------------------ */

PrResolver *
pr_resolver_new (GMainContext *context)
{
  PrResolver *self = g_new0 (PrResolver, 1);

  self->context = g_main_context_ref (context);
  self->deadline_ms = DEADLINE_MS;
  self->questions =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) question_unref);
  self->tickets = g_hash_table_new_full (NULL, NULL, NULL, ticket_free);
  self->flights = g_ptr_array_new ();
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, "postroom-resolver");
  g_source_set_callback (self->source, on_turn, self, NULL);
  g_source_attach (self->source, context);
  return self;
}

void
pr_resolver_free (PrResolver *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->flights->len; i++)
    ((Flight *) self->flights->pdata[i])->self = NULL;
  g_ptr_array_set_size (self->flights, 0);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  self->released = TRUE;
  if (!self->telling)
    release (self);
}

guint
pr_resolver_find_exchangers (PrResolver *self, const char *domain, PrMxFunc func,
                             gpointer user_data)
{
  Ticket *ticket = add_folded_ticket (self, ASK_EXCHANGERS, domain, user_data);

  ticket->mx_func = func;
  return ticket->token;
}

guint
pr_resolver_find_addresses (PrResolver *self, const char *host, PrHostFunc func, gpointer user_data)
{
  Ticket *ticket = add_folded_ticket (self, ASK_ADDRESSES, host, user_data);

  ticket->host_func = func;
  return ticket->token;
}

guint
pr_resolver_find_records (PrResolver *self, PrRecordKind kind, const char *name, PrRecordsFunc func,
                          gpointer user_data)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);
  Ticket *ticket = add_ticket (self, ASK_RECORDS, kind, lower, user_data);

  ticket->records_func = func;
  return ticket->token;
}

void
pr_resolver_cancel (PrResolver *self, guint token)
{
  Ticket *ticket = g_hash_table_lookup (self->tickets, GUINT_TO_POINTER (token));

  if (ticket == NULL)
    return;
  if (ticket->ready)
    g_queue_remove (&self->ready, ticket);
  else
    {
      g_queue_remove (&self->deadlines, ticket);
      g_queue_remove (&ticket->question->tickets, ticket);
    }
  g_hash_table_remove (self->tickets, GUINT_TO_POINTER (token));
}

void
pr_resolver_forget (PrResolver *self)
{
  /* What is being asked lives on for those who wait for it, and is not found again. */
  g_hash_table_remove_all (self->questions);
}

void
pr_resolver_set_deadline (PrResolver *self, guint deadline_ms)
{
  self->deadline_ms = deadline_ms;
}

void
pr_resolver_set_server (PrResolver *self, const char *server)
{
  g_free (self->server);
  self->server = g_strdup (server);
}
