/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages that wait, looked at. What people order about them is control-orders.c. */

#include "service/control-private.h"
#include "relay/bucket.h"
#include "service/subject.h"

#define MAX_LIST 1000
#define MAX_RECIPIENTS 20000 /* in one answer, so that it fits a D-Bus message */
#define MAX_READ (256 * 1024)
#define HEADER_READ (64 * 1024)
#define MAX_SUBJECTS 500             /* in one list */
#define LIST_HEADER_READ (16 * 1024) /* a Subject behind that is not seen in a list */

/* ── A message as a dictionary ────────────────────────────────────────────────────────────── */

static const char *
recipient_state (const PrProgress *progress)
{
  switch (progress->state)
    {
    case PR_RECIPIENT_DELIVERED: return "delivered";
    case PR_RECIPIENT_FAILED: return "failed";
    case PR_RECIPIENT_QUEUED:
    case PR_RECIPIENT_HELD:
    default: return "pending";
    }
}

static GVariant *
make_recipient (PrControl *self, const PrMessage *message, guint i)
{
  const PrProgress *progress = &message->progress[i];
  GVariantBuilder builder;
  g_autofree char *route = progress->hop != NULL ? pr_bucket_route_name (progress->hop) : NULL;
  const char *reply = progress->last_reply;
  gint64 due_us = progress->due_us, until_us = 0;
  const char *blocked = NULL;

  if (progress->state == PR_RECIPIENT_QUEUED && progress->hop != NULL)
    blocked =
      pr_runner_get_hop_failure (pr_engine_get_runner (self->engine), progress->hop, &until_us);
  if (blocked != NULL)
    {
      reply = blocked;
      due_us = MAX (due_us, until_us);
    }

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_string (&builder, "address",
                         pr_envelope_recipient (message->envelope, i)->address);
  pr_control_add_string (&builder, "route", route);
  pr_control_add_string (&builder, "state", recipient_state (progress));
  pr_control_add_bool (&builder, "held", progress->state == PR_RECIPIENT_HELD);
  pr_control_add_uint (&builder, "attempts", progress->attempts);
  if (progress->state == PR_RECIPIENT_QUEUED)
    pr_control_add_time (&builder, "next-attempt", due_us);
  pr_control_add_string (&builder, "last-reply", reply);

  return g_variant_builder_end (&builder);
}

/* Held when nothing of it will move by itself. */
static const char *
message_state (PrControl *self, const PrMessage *message)
{
  if (pr_runner_is_active (pr_engine_get_runner (self->engine), message->id))
    return "active";
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    if (message->progress[i].state == PR_RECIPIENT_QUEUED)
      return "queued";

  return "held";
}

static void
add_message (GVariantBuilder *builder, PrControl *self, const PrMessage *message)
{
  GVariantBuilder recipients;
  char id[PR_ID_LEN + 1];

  g_variant_builder_init (&recipients, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    g_variant_builder_add_value (&recipients, make_recipient (self, message, i));

  pr_control_add_string (builder, "id", pr_id_format (message->id, id));
  g_variant_builder_add (builder, "{sv}", "sender",
                         g_variant_new_string (message->envelope->sender));
  pr_control_add_u64 (builder, "size", message->size_octets);
  pr_control_add_time (builder, "received", message->received_us);
  pr_control_add_string (builder, "client", message->client);
  pr_control_add_string (builder, "user", message->user);
  pr_control_add_string (builder, "state", message_state (self, message));
  g_variant_builder_add (builder, "{sv}", "recipients", g_variant_builder_end (&recipients));
}

/* ── Lists ────────────────────────────────────────────────────────────────────────────────── */

/* A page on its way out: with the subjects, which are read one by one, if they were asked for. */
typedef struct
{
  PrControlCall *call; /* owned */
  GPtrArray *messages; /* owned reference */
  GPtrArray *subjects; /* owned, of char *, nullable each; as long as the page */
  guint n_waiting;     /* subjects that are still being read */
  guint64 n_matching, revision;
} ListAnswer;

typedef struct
{
  ListAnswer *answer; /* borrowed: the last one frees it */
  guint index;
} SubjectRead;

static void
list_answer_free (ListAnswer *self)
{
  g_clear_pointer (&self->call, pr_control_call_free);
  g_ptr_array_unref (self->messages);
  g_ptr_array_unref (self->subjects);
  g_free (self);
}

static void
send_list (ListAnswer *self)
{
  GVariantBuilder builder;

  if (pr_control_call_is_late (self->call))
    return;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < self->subjects->len; i++)
    {
      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      add_message (&builder, self->call->control, self->messages->pdata[i]);
      pr_control_add_string (&builder, "subject", self->subjects->pdata[i]);
      g_variant_builder_close (&builder);
    }
  g_dbus_method_invocation_return_value (
    self->call->invocation,
    g_variant_new ("(aa{sv}tt)", &builder, self->n_matching, self->revision));
}

static void
on_subject_read (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  g_autofree SubjectRead *read = user_data;
  ListAnswer *answer = read->answer;

  if (chunk != NULL) /* else the message has just left: it is listed without */
    answer->subjects->pdata[read->index] =
      pr_subject_read (g_bytes_get_data (chunk, NULL), g_bytes_get_size (chunk));
  if (--answer->n_waiting > 0)
    return;

  send_list (answer);
  list_answer_free (answer);
}

static void
read_subjects (ListAnswer *self)
{
  PrStore *store = pr_engine_get_store (self->call->control->engine);
  guint n = self->n_waiting = self->subjects->len;

  for (guint i = 0; i < n; i++)
    {
      SubjectRead *read = g_new (SubjectRead, 1);

      *read = (SubjectRead){ self, i };
      pr_store_read_body (store, self->messages->pdata[i], 0, LIST_HEADER_READ, on_subject_read,
                          read);
    }
}

/* How many of @messages fit an answer. */
static guint
count_fitting (GPtrArray *messages, guint limit)
{
  guint n_recipients = 0, n = 0;

  for (; n < MIN (messages->len, limit) && n_recipients < MAX_RECIPIENTS; n++)
    n_recipients += ((const PrMessage *) messages->pdata[n])->envelope->recipients->len;

  return n;
}

static void
on_listed (GPtrArray *messages, guint64 n_matching, guint64 revision, const GError *error,
           gpointer user_data)
{
  g_autoptr (PrControlCall) call = user_data;
  gboolean with_subjects = call->length != 0;
  ListAnswer *answer;

  if (pr_control_call_is_late (call))
    return;
  if (error != NULL)
    {
      pr_control_refuse (call->invocation, "%s", error->message);
      return;
    }

  answer = g_new0 (ListAnswer, 1);
  answer->call = g_steal_pointer (&call);
  answer->messages = g_ptr_array_ref (messages);
  answer->subjects = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_set_size (answer->subjects,
                        (int) count_fitting (messages, with_subjects ? MAX_SUBJECTS : MAX_LIST));
  answer->n_matching = n_matching;
  answer->revision = revision;
  if (with_subjects && answer->subjects->len > 0)
    {
      read_subjects (answer);
      return;
    }

  send_list (answer);
  list_answer_free (answer);
}

int
pr_control_find_word (const char *text, const char *const *names, guint n)
{
  for (guint i = 0; i < n; i++)
    if (names[i] != NULL && g_str_equal (text, names[i]))
      return (int) i;

  return -1;
}

const char *
pr_control_read_filter (GVariant *options, PrStoreFilter *filter)
{
  static const char *const states[] = {
    [PR_RECIPIENT_QUEUED] = "queued",
    [PR_RECIPIENT_HELD] = "held",
    [PR_RECIPIENT_DELIVERED] = "delivered",
    [PR_RECIPIENT_FAILED] = "failed",
  };
  static const char *const orders[] = {
    [PR_ORDER_RECEIVED] = "received",
    [PR_ORDER_SENDER] = "sender",
    [PR_ORDER_SIZE] = "size",
    [PR_ORDER_DUE] = "next-attempt",
  };
  const char *word;
  int value;

  *filter = (PrStoreFilter){ .state = -1 };
  if (g_variant_lookup (options, "after", "&s", &word) && !pr_id_parse (word, &filter->after))
    return "What the list comes after is the id of a message";
  g_variant_lookup (options, "text", "&s", &filter->text);
  g_variant_lookup (options, "route", "&s", &filter->hop);
  g_variant_lookup (options, "descending", "b", &filter->descending);
  if (g_variant_lookup (options, "state", "&s", &word))
    {
      filter->state = pr_control_find_word (word, states, G_N_ELEMENTS (states));
      if (filter->state < 0)
        return "A state is queued, held, delivered or failed";
    }
  if (g_variant_lookup (options, "order", "&s", &word))
    {
      value = pr_control_find_word (word, orders, G_N_ELEMENTS (orders));
      if (value < 0)
        return "An order is received, sender, size or next-attempt";
      filter->order = (PrStoreOrder) value;
    }

  return NULL;
}

static gboolean
on_list (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options,
         guint64 offset, guint limit, gpointer user_data)
{
  PrControl *self = user_data;
  PrStoreFilter filter;
  const char *why = pr_control_read_filter (options, &filter);
  PrControlCall *call;

  if (why != NULL)
    {
      pr_control_bad_args (invocation, "%s", why);
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }

  call = pr_control_call_new (self, invocation);
  call->length = pr_dict_boolean (options, "subjects");
  pr_store_list (pr_engine_get_store (self->engine), &filter, offset, MIN (limit, MAX_LIST),
                 on_listed, call);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── One message ──────────────────────────────────────────────────────────────────────────── */

gboolean
pr_control_read_id (GDBusMethodInvocation *invocation, const char *text, gint64 *id)
{
  if (pr_id_parse (text, id))
    return TRUE;

  pr_control_refuse (invocation, "%s is not the id of a message", text);
  return FALSE;
}

static const char *
body_type (PrBodyType body)
{
  return body == PR_BODY_BINARYMIME ? "BINARYMIME" : body == PR_BODY_8BITMIME ? "8BITMIME" : "7BIT";
}

static void
on_header_read (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  g_autoptr (PrControlCall) call = user_data;
  const PrEnvelope *envelope = call->message->envelope;
  GVariantBuilder builder;
  g_autofree char *subject = NULL;

  if (pr_control_call_is_late (call))
    return;
  if (chunk != NULL)
    subject = pr_subject_read (g_bytes_get_data (chunk, NULL), g_bytes_get_size (chunk));

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_message (&builder, call->control, call->message);
  pr_control_add_string (&builder, "subject", subject);
  pr_control_add_string (&builder, "envid", envelope->envid);
  pr_control_add_string (&builder, "body-type", body_type (envelope->body));
  pr_control_add_bool (&builder, "smtputf8", envelope->smtputf8);
  g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(a{sv})", &builder));
}

/* TRUE: the call was answered so. */
static gboolean
is_missing (PrControlCall *call, const PrMessage *message, const GError *error)
{
  if (message != NULL)
    return FALSE;

  pr_control_refuse (call->invocation, "%s",
                     error != NULL ? error->message
                                   : "There is no such message in the queue (any more)");
  return TRUE;
}

static void
on_got (PrMessage *message, const GError *error, gpointer user_data)
{
  g_autoptr (PrControlCall) call = user_data;
  PrStore *store;

  if (pr_control_call_is_late (call) || is_missing (call, message, error))
    return;

  store = pr_engine_get_store (call->control->engine);
  call->message = pr_message_ref (message);
  pr_store_read_body (store, message, 0, HEADER_READ, on_header_read, call);
  call = NULL;
}

static gboolean
on_get (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *text,
        gpointer user_data)
{
  PrControl *self = user_data;
  gint64 id;

  if (pr_control_read_id (invocation, text, &id))
    pr_store_get (pr_engine_get_store (self->engine), id, on_got,
                  pr_control_call_new (self, invocation));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
on_source_read (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  g_autoptr (PrControlCall) call = user_data;

  if (pr_control_call_is_late (call))
    return;
  if (error != NULL)
    pr_control_refuse (call->invocation, "The message cannot be read: %s", error->message);
  else
    g_dbus_method_invocation_return_value (
      call->invocation,
      g_variant_new ("(@ayb)", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, chunk, TRUE),
                     last));
}

static void
on_got_for_source (PrMessage *message, const GError *error, gpointer user_data)
{
  g_autoptr (PrControlCall) call = user_data;
  PrStore *store;

  if (pr_control_call_is_late (call) || is_missing (call, message, error))
    return;

  store = pr_engine_get_store (call->control->engine);
  call->message = pr_message_ref (message);
  pr_store_read_body (store, message, call->offset, call->length, on_source_read, call);
  call = NULL;
}

static gboolean
on_read_source (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *text,
                guint64 offset, guint length, gpointer user_data)
{
  PrControl *self = user_data;
  PrControlCall *call;
  gint64 id;

  if (!pr_control_read_id (invocation, text, &id))
    return G_DBUS_METHOD_INVOCATION_HANDLED;

  call = pr_control_call_new (self, invocation);
  call->offset = offset;
  call->length = CLAMP (length, 1, MAX_READ);
  pr_store_get (pr_engine_get_store (self->engine), id, on_got_for_source, call);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

PrDbusQueue1 *
pr_control_make_queue (PrControl *self)
{
  PrDbusQueue1 *skeleton = pr_dbus_queue1_skeleton_new ();

  g_signal_connect (skeleton, "handle-list", G_CALLBACK (on_list), self);
  g_signal_connect (skeleton, "handle-get", G_CALLBACK (on_get), self);
  g_signal_connect (skeleton, "handle-read-source", G_CALLBACK (on_read_source), self);
  pr_control_connect_orders (self, skeleton);

  return skeleton;
}
