/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where mail for a domain or a host goes.
 *
 *   ask ──► question (one for each name, however many ask) ──► GResolver, at most 8 at once
 *                 └── answer: kept for a while ──► told to all who asked, on a turn of its own
 */
#include "net/resolver.h"

#include <string.h>

#include "common/error.h"

#define MAX_IN_FLIGHT 8 /* GIO resolves in threads of a pool that others need too */
#define DEADLINE_MS 20000
#define KEEP_ANSWER_US (60 * G_USEC_PER_SEC)
#define KEEP_FAILURE_US (10 * G_USEC_PER_SEC)
#define MAX_KEPT 1000

typedef enum
{
  KIND_EXCHANGERS,
  KIND_ADDRESSES,
} Kind;

/* What is known of one name; exactly one of the three is set once it is. */
typedef struct
{
  GArray *exchangers;   /* owned */
  GPtrArray *addresses; /* owned */
  GError *error;        /* owned */
  gint64 until_us;      /* monotonic */
} Answer;

typedef struct
{
  guint token;
  Kind kind;
  GCallback func;
  gpointer user_data;
} Ask;

typedef struct
{
  PrResolver *resolver; /* borrowed; NULL when it has gone or the deadline passed */
  Kind kind;
  char *name;
  GArray *asks; /* owned, of Ask */
  GCancellable *cancellable;
  GSource *deadline; /* owned, nullable */
} Question;

/* An answer on its way to those who asked. */
typedef struct
{
  Answer *answer; /* owned reference */
  GArray *asks;   /* owned */
} Delivery;

struct _PrResolver
{
  GMainContext *context;
  GHashTable *kept[2];      /* owned: by Kind: name to Answer */
  GHashTable *questions[2]; /* owned: by Kind: name to Question, waiting or in flight */
  GQueue waiting;           /* of Question, borrowed */
  guint n_in_flight;
  guint last_token;
  GQueue deliveries; /* of Delivery, owned */
  GSource *deliver;  /* owned */
};

/* ── Answers ──────────────────────────────────────────────────────────────────────────────── */

static void
exchanger_clear (gpointer data)
{
  g_free (((PrExchanger *) data)->host);
}

static void
answer_clear (gpointer data)
{
  Answer *self = data;

  g_clear_pointer (&self->exchangers, g_array_unref);
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  g_clear_error (&self->error);
}

static void
answer_unref (gpointer data)
{
  g_rc_box_release_full (data, answer_clear);
}

static Answer *
answer_new (void)
{
  return g_rc_box_new0 (Answer);
}

static Answer *
answer_new_failed (GError *error)
{
  Answer *self = answer_new ();

  self->error = error;
  return self;
}

/* GResolver tells "no such name" from "nobody could say"; only the former is for good. */
static Answer *
answer_new_from (const GError *error, const char *name)
{
  if (g_error_matches (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND))
    return answer_new_failed (
      g_error_new (PR_ERROR, PR_ERROR_PERMANENT, "There is no host or domain named %s", name));

  return answer_new_failed (g_error_new (PR_ERROR, PR_ERROR_TEMPORARY,
                                         "The address of %s could not be found out: %s", name,
                                         error->message));
}

/* ── Telling ──────────────────────────────────────────────────────────────────────────────── */

static void
shuffle (GArray *exchangers, guint first, guint n)
{
  for (guint i = n; i > 1; i--)
    {
      PrExchanger *a = &g_array_index (exchangers, PrExchanger, first + i - 1);
      PrExchanger *b =
        &g_array_index (exchangers, PrExchanger, first + (guint) g_random_int_range (0, (int) i));
      PrExchanger swap = *a;

      *a = *b;
      *b = swap;
    }
}

/* RFC 5321 §5.1: those of equal preference in another order each time. */
static void
shuffle_equals (GArray *exchangers)
{
  for (guint i = 0, n; i < exchangers->len; i += n)
    {
      guint16 preference = g_array_index (exchangers, PrExchanger, i).preference;

      for (n = 1; i + n < exchangers->len; n++)
        if (g_array_index (exchangers, PrExchanger, i + n).preference != preference)
          break;
      shuffle (exchangers, i, n);
    }
}

static void
tell (const Ask *ask, Answer *answer)
{
  if (ask->kind == KIND_EXCHANGERS)
    {
      if (answer->exchangers != NULL)
        shuffle_equals (answer->exchangers);
      ((PrMxFunc) ask->func) (answer->exchangers, answer->error, ask->user_data);
    }
  else
    {
      ((PrHostFunc) ask->func) (answer->addresses, answer->error, ask->user_data);
    }
}

static void
delivery_free (gpointer data)
{
  Delivery *self = data;

  answer_unref (self->answer);
  g_array_unref (self->asks);
  g_free (self);
}

/* Asks are taken out one by one, so that a callback may cancel another of them. */
static gboolean
on_deliver (gpointer user_data)
{
  PrResolver *self = user_data;
  Delivery *delivery = g_queue_peek_head (&self->deliveries);

  if (delivery == NULL)
    {
      g_source_set_ready_time (self->deliver, -1);
    }
  else if (delivery->asks->len == 0)
    {
      delivery_free (g_queue_pop_head (&self->deliveries));
    }
  else
    {
      Ask ask = g_array_index (delivery->asks, Ask, 0);
      Answer *answer = g_rc_box_acquire (delivery->answer);

      g_array_remove_index (delivery->asks, 0);
      tell (&ask, answer);
      answer_unref (answer);
    }

  return G_SOURCE_CONTINUE;
}

/* Takes @answer and @asks. */
static void
deliver_later (PrResolver *self, Answer *answer, GArray *asks)
{
  Delivery *delivery = g_new0 (Delivery, 1);

  delivery->answer = answer;
  delivery->asks = asks;
  g_queue_push_tail (&self->deliveries, delivery);
  g_source_set_ready_time (self->deliver, 0);
}

/* ── Questions ────────────────────────────────────────────────────────────────────────────── */

static void ask_next (PrResolver *self);

static void
question_free (Question *self)
{
  if (self->deadline != NULL)
    {
      g_source_destroy (self->deadline);
      g_source_unref (self->deadline);
    }
  g_clear_pointer (&self->asks, g_array_unref);
  g_object_unref (self->cancellable);
  g_free (self->name);
  g_free (self);
}

/* Takes @answer: keeps it and tells it. */
static void
settle (Question *question, Answer *answer)
{
  PrResolver *self = question->resolver;
  GHashTable *kept = self->kept[question->kind];

  answer->until_us =
    g_get_monotonic_time () + (answer->error == NULL ? KEEP_ANSWER_US : KEEP_FAILURE_US);
  if (g_hash_table_size (kept) >= MAX_KEPT)
    g_hash_table_remove_all (kept);
  g_hash_table_replace (kept, g_strdup (question->name), g_rc_box_acquire (answer));

  g_hash_table_remove (self->questions[question->kind], question->name);
  deliver_later (self, answer, g_steal_pointer (&question->asks));
}

static Answer *
make_exchangers (GList *records, const char *domain)
{
  Answer *answer = answer_new ();

  answer->exchangers = g_array_new (FALSE, FALSE, sizeof (PrExchanger));
  g_array_set_clear_func (answer->exchangers, exchanger_clear);
  for (GList *l = records; l != NULL; l = l->next)
    {
      PrExchanger exchanger = { NULL, 0 };

      g_variant_get (l->data, "(qs)", &exchanger.preference, &exchanger.host);
      if (g_str_has_suffix (exchanger.host, "."))
        exchanger.host[strlen (exchanger.host) - 1] = '\0';
      g_array_append_val (answer->exchangers, exchanger);
    }

  /* RFC 7505: a single "." says that the domain takes no mail. */
  if (answer->exchangers->len == 1 &&
      *g_array_index (answer->exchangers, PrExchanger, 0).host == '\0')
    {
      g_clear_pointer (&answer->exchangers, g_array_unref);
      answer->error =
        g_error_new (PR_ERROR, PR_ERROR_PERMANENT, "The domain %s takes no mail (null MX)", domain);
    }

  return answer;
}

/* RFC 5321 §5.1: without MX records the domain itself is its exchanger. */
static Answer *
make_implicit_exchanger (const char *domain)
{
  Answer *answer = answer_new ();
  PrExchanger exchanger = { g_strdup (domain), 0 };

  answer->exchangers = g_array_new (FALSE, FALSE, sizeof (PrExchanger));
  g_array_set_clear_func (answer->exchangers, exchanger_clear);
  g_array_append_val (answer->exchangers, exchanger);
  return answer;
}

static int
compare_exchangers (gconstpointer a, gconstpointer b)
{
  return (int) ((const PrExchanger *) a)->preference - (int) ((const PrExchanger *) b)->preference;
}

static Answer *
finish_exchangers (GResolver *system, GAsyncResult *result, const char *domain)
{
  g_autoptr (GError) error = NULL;
  GList *records = g_resolver_lookup_records_finish (system, result, &error);
  Answer *answer;

  if (error == NULL)
    {
      answer = make_exchangers (records, domain);
      g_list_free_full (records, (GDestroyNotify) g_variant_unref);
      if (answer->exchangers != NULL)
        g_array_sort (answer->exchangers, compare_exchangers);
      return answer;
    }

  if (g_error_matches (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND))
    return make_implicit_exchanger (domain);

  return answer_new_from (error, domain);
}

static Answer *
finish_addresses (GResolver *system, GAsyncResult *result, const char *host)
{
  g_autoptr (GError) error = NULL;
  GList *found = g_resolver_lookup_by_name_finish (system, result, &error);
  Answer *answer;

  if (error != NULL)
    return answer_new_from (error, host);

  answer = answer_new ();
  answer->addresses = g_ptr_array_new_with_free_func (g_object_unref);
  for (GList *l = found; l != NULL; l = l->next)
    g_ptr_array_add (answer->addresses, g_object_ref (l->data));
  g_resolver_free_addresses (found);

  return answer;
}

static void
on_resolved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  PrResolver *self = question->resolver;
  Answer *answer = question->kind == KIND_EXCHANGERS
                     ? finish_exchangers (G_RESOLVER (source), result, question->name)
                     : finish_addresses (G_RESOLVER (source), result, question->name);

  if (self == NULL) /* the resolver has gone, or the deadline has answered */
    {
      answer_unref (answer);
      question_free (question);
      return;
    }

  self->n_in_flight--;
  settle (question, answer);
  question_free (question);
  ask_next (self);
}

/* A question whose deadline passed stays with GIO until that lets go of it. */
static void
orphan (Question *question)
{
  g_cancellable_cancel (question->cancellable);
  if (question->deadline != NULL)
    g_source_destroy (question->deadline);
  g_clear_pointer (&question->deadline, g_source_unref);
  question->resolver = NULL;
}

static gboolean
on_deadline (gpointer user_data)
{
  Question *question = user_data;
  PrResolver *self = question->resolver;

  self->n_in_flight--;
  settle (question, answer_new_failed (g_error_new (PR_ERROR, PR_ERROR_TEMPORARY,
                                                    "The name servers do not answer for %s",
                                                    question->name)));
  orphan (question);
  ask_next (self);

  return G_SOURCE_REMOVE;
}

static void
start (PrResolver *self, Question *question)
{
  g_autoptr (GResolver) system = g_resolver_get_default ();

  self->n_in_flight++;
  question->deadline = g_timeout_source_new (DEADLINE_MS);
  g_source_set_static_name (question->deadline, "resolver deadline");
  g_source_set_callback (question->deadline, on_deadline, question, NULL);
  g_source_attach (question->deadline, self->context);

  if (question->kind == KIND_EXCHANGERS)
    g_resolver_lookup_records_async (system, question->name, G_RESOLVER_RECORD_MX,
                                     question->cancellable, on_resolved, question);
  else
    g_resolver_lookup_by_name_async (system, question->name, question->cancellable, on_resolved,
                                     question);
}

static void
ask_next (PrResolver *self)
{
  while (self->n_in_flight < MAX_IN_FLIGHT && self->waiting.length > 0)
    start (self, g_queue_pop_head (&self->waiting));
}

/* ── Asking ───────────────────────────────────────────────────────────────────────────────── */

static GArray *
asks_new (const Ask *ask)
{
  GArray *asks = g_array_new (FALSE, FALSE, sizeof (Ask));

  g_array_append_vals (asks, ask, 1);
  return asks;
}

/* The answer that is at hand: kept from before, or the text of an address. */
static Answer *
find_answer (PrResolver *self, Kind kind, const char *name)
{
  Answer *answer = g_hash_table_lookup (self->kept[kind], name);
  GInetAddress *address;

  if (answer != NULL && answer->until_us > g_get_monotonic_time ())
    return g_rc_box_acquire (answer);
  if (kind != KIND_ADDRESSES || (address = g_inet_address_new_from_string (name)) == NULL)
    return NULL;

  answer = answer_new ();
  answer->addresses = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (answer->addresses, address);
  return answer;
}

static guint
ask (PrResolver *self, Kind kind, const char *name, GCallback func, gpointer user_data)
{
  Ask one = { ++self->last_token, kind, func, user_data };
  Answer *answer = find_answer (self, kind, name);
  Question *question;

  if (answer != NULL)
    {
      deliver_later (self, answer, asks_new (&one));
      return one.token;
    }

  question = g_hash_table_lookup (self->questions[kind], name);
  if (question != NULL)
    {
      g_array_append_val (question->asks, one);
      return one.token;
    }

  question = g_new0 (Question, 1);
  question->resolver = self;
  question->kind = kind;
  question->name = g_strdup (name);
  question->asks = asks_new (&one);
  question->cancellable = g_cancellable_new ();
  g_hash_table_insert (self->questions[kind], question->name, question);
  g_queue_push_tail (&self->waiting, question);
  ask_next (self);

  return one.token;
}

guint
pr_resolver_find_exchangers (PrResolver *self, const char *domain, PrMxFunc func,
                             gpointer user_data)
{
  return ask (self, KIND_EXCHANGERS, domain, G_CALLBACK (func), user_data);
}

guint
pr_resolver_find_addresses (PrResolver *self, const char *host, PrHostFunc func, gpointer user_data)
{
  return ask (self, KIND_ADDRESSES, host, G_CALLBACK (func), user_data);
}

static gboolean
remove_ask (GArray *asks, guint token)
{
  for (guint i = 0; i < asks->len; i++)
    if (g_array_index (asks, Ask, i).token == token)
      {
        g_array_remove_index (asks, i);
        return TRUE;
      }

  return FALSE;
}

/* The question itself goes on: its answer is kept for the next who asks. */
void
pr_resolver_cancel (PrResolver *self, guint token)
{
  for (GList *l = self->deliveries.head; l != NULL; l = l->next)
    if (remove_ask (((Delivery *) l->data)->asks, token))
      return;

  for (guint kind = 0; kind < 2; kind++)
    {
      GHashTableIter iter;
      gpointer question;

      g_hash_table_iter_init (&iter, self->questions[kind]);
      while (g_hash_table_iter_next (&iter, NULL, &question))
        if (remove_ask (((Question *) question)->asks, token))
          return;
    }
}

void
pr_resolver_forget (PrResolver *self)
{
  g_hash_table_remove_all (self->kept[KIND_EXCHANGERS]);
  g_hash_table_remove_all (self->kept[KIND_ADDRESSES]);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

PrResolver *
pr_resolver_new (GMainContext *context)
{
  static GSourceFuncs funcs = { .dispatch = dispatch };
  PrResolver *self = g_new0 (PrResolver, 1);

  self->context =
    context != NULL ? g_main_context_ref (context) : g_main_context_ref_thread_default ();
  for (guint kind = 0; kind < 2; kind++)
    {
      self->kept[kind] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, answer_unref);
      self->questions[kind] = g_hash_table_new (g_str_hash, g_str_equal);
    }
  self->deliver = g_source_new (&funcs, sizeof (GSource));
  g_source_set_static_name (self->deliver, "resolver answers");
  g_source_set_callback (self->deliver, on_deliver, self, NULL);
  g_source_attach (self->deliver, self->context);

  return self;
}

void
pr_resolver_free (PrResolver *self)
{
  Question *waiting;

  while ((waiting = g_queue_pop_head (&self->waiting)) != NULL)
    {
      g_hash_table_remove (self->questions[waiting->kind], waiting->name);
      question_free (waiting);
    }
  for (guint kind = 0; kind < 2; kind++)
    {
      GHashTableIter iter;
      gpointer question;

      g_hash_table_iter_init (&iter, self->questions[kind]);
      while (g_hash_table_iter_next (&iter, NULL, &question))
        orphan (question); /* freed when GIO lets go of it */
      g_hash_table_unref (self->questions[kind]);
      g_hash_table_unref (self->kept[kind]);
    }

  g_queue_clear_full (&self->deliveries, delivery_free);
  g_source_destroy (self->deliver);
  g_source_unref (self->deliver);
  g_main_context_unref (self->context);
  g_free (self);
}
