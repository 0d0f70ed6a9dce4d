/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the queue's tests share: a home, messages, and calls that wait for their answer. */
#pragma once

#include <string.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "queue/store.h"

#define WAIT_US (60 * G_USEC_PER_SEC)

/* Turns the loop until @flag; fails with @what after a minute. */
static inline void
wait_for (const gboolean *flag, const char *what)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;

  while (!*flag)
    {
      if (g_get_monotonic_time () > until)
        g_error ("waited a minute for %s", what);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (200);
    }
}

static inline char *
make_home (void)
{
  g_autoptr (GError) error = NULL;
  char *home = g_dir_make_tmp ("postroom-queue-XXXXXX", &error);

  g_assert_no_error (error);
  return home;
}

static inline void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *entry = g_build_filename (path, name, NULL);

      remove_tree (entry);
    }
  g_remove (path);
}

static inline PrStore *
open_store (const char *home)
{
  g_autoptr (GError) error = NULL;
  PrStore *store = pr_store_open (home, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (store);
  return store;
}

/* One message for the recipients "a;b;…", all of bucket @hop. */
static inline PrMessage *
make_message (PrStore *store, const char *sender, const char *recipients, const char *hop,
              const char *body)
{
  g_auto (GStrv) list = g_strsplit (recipients, ";", -1);
  PrEnvelope *envelope = pr_envelope_new ();
  gint64 id = pr_id_next (pr_store_get_ids (store));
  PrMessage *message;

  envelope->sender = g_strdup (sender);
  for (guint i = 0; list[i] != NULL; i++)
    pr_envelope_add_recipient (envelope, list[i], PR_NOTIFY_UNSET, NULL);
  message = pr_message_new (id, id, envelope);
  for (guint i = 0; list[i] != NULL; i++)
    message->progress[i].hop = g_strdup (hop);
  if (body != NULL)
    {
      message->body = g_bytes_new (body, strlen (body));
      message->size_octets = strlen (body);
    }

  return message;
}

typedef struct
{
  gboolean done;
  GError *error;      /* owned */
  PrMessage *message; /* owned */
  GArray *due;        /* owned, of PrStoreDue */
  gint64 next_due_us;
  GString *hops; /* owned: "hop=due " */
  GBytes *chunk; /* owned */
  gboolean last;
  GPtrArray *messages; /* owned */
  guint64 n_matching, revision;
  GArray *ids;    /* owned */
  GString *texts; /* owned: "kind:text " */
  guint n;
} Answer;

static inline void
answer_clear (Answer *self)
{
  g_clear_error (&self->error);
  g_clear_pointer (&self->message, pr_message_unref);
  if (self->due != NULL)
    for (guint i = 0; i < self->due->len; i++)
      pr_message_unref (g_array_index (self->due, PrStoreDue, i).message);
  g_clear_pointer (&self->due, g_array_unref);
  if (self->hops != NULL)
    g_string_free (self->hops, TRUE);
  g_clear_pointer (&self->chunk, g_bytes_unref);
  g_clear_pointer (&self->messages, g_ptr_array_unref);
  g_clear_pointer (&self->ids, g_array_unref);
  if (self->texts != NULL)
    g_string_free (self->texts, TRUE);
  *self = (Answer){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static inline void
on_done (const GError *error, gpointer user_data)
{
  Answer *self = user_data;

  g_assert_false (self->done);
  self->done = TRUE;
  self->error = error != NULL ? g_error_copy (error) : NULL;
}

static inline void
put (PrStore *store, PrMessage *message)
{
  g_auto (Answer) answer = { 0 };

  pr_store_put (store, message, NULL, on_done, &answer);
  wait_for (&answer.done, "a put");
  g_assert_no_error (answer.error);
}

/* Makes it and puts it. */
static inline PrMessage *
put_new (PrStore *store, const char *sender, const char *recipients, const char *hop,
         const char *body)
{
  PrMessage *message = make_message (store, sender, recipients, hop, body);

  put (store, message);
  return message;
}

static inline void
record (PrStore *store, PrMessage *message, guint index, gboolean leaves)
{
  g_auto (Answer) answer = { 0 };

  pr_store_record (store, message, &index, 1, NULL, 0, leaves, on_done, &answer);
  wait_for (&answer.done, "a record");
  g_assert_no_error (answer.error);
}

static inline void
on_message (PrMessage *message, const GError *error, gpointer user_data)
{
  Answer *self = user_data;

  on_done (error, user_data);
  self->message = message != NULL ? pr_message_ref (message) : NULL;
}

static inline PrMessage *
get (PrStore *store, gint64 id)
{
  g_auto (Answer) answer = { 0 };

  pr_store_get (store, id, on_message, &answer);
  wait_for (&answer.done, "a get");
  g_assert_no_error (answer.error);
  return g_steal_pointer (&answer.message);
}

static inline void
on_due (const PrStoreDue *due, guint n, gint64 next_due_us, const GError *error, gpointer user_data)
{
  Answer *self = user_data;

  on_done (error, user_data);
  self->due = g_array_new (FALSE, FALSE, sizeof (PrStoreDue));
  g_array_append_vals (self->due, due, n);
  for (guint i = 0; i < n; i++)
    pr_message_ref (due[i].message);
  self->next_due_us = next_due_us;
}

static inline void
ask_due (PrStore *store, const char *hop, gint64 before_us, guint limit, Answer *answer)
{
  answer_clear (answer);
  pr_store_due (store, hop, before_us, limit, on_due, answer);
  wait_for (&answer->done, "what is due");
  g_assert_no_error (answer->error);
}

static inline void
on_hops (const PrStoreHop *hops, guint n, const GError *error, gpointer user_data)
{
  Answer *self = user_data;

  on_done (error, user_data);
  self->hops = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (self->hops, "%s=%" G_GINT64_FORMAT " ", hops[i].hop, hops[i].due_us);
}

static inline void
on_body (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  Answer *self = user_data;

  on_done (error, user_data);
  self->chunk = chunk != NULL ? g_bytes_ref (chunk) : NULL;
  self->last = last;
}

/* The piece as text; checks @last. */
static inline char *
read_body (PrStore *store, PrMessage *message, guint64 offset, gsize len, gboolean last)
{
  g_auto (Answer) answer = { 0 };

  pr_store_read_body (store, message, offset, len, on_body, &answer);
  g_assert_false (answer.done); /* always on a later turn */
  wait_for (&answer.done, "a body");
  g_assert_no_error (answer.error);
  g_assert_cmpint (answer.last, ==, last);
  return g_strdup_printf ("%.*s", (int) g_bytes_get_size (answer.chunk),
                          (const char *) g_bytes_get_data (answer.chunk, NULL));
}

static inline void
on_list (GPtrArray *messages, guint64 n_matching, guint64 revision, const GError *error,
         gpointer user_data)
{
  Answer *self = user_data;

  on_done (error, user_data);
  self->messages = messages != NULL ? g_ptr_array_ref (messages) : NULL;
  self->n_matching = n_matching;
  self->revision = revision;
}

static inline void
on_ids (const gint64 *ids, guint n, const GError *error, gpointer user_data)
{
  Answer *self = user_data;

  on_done (error, user_data);
  self->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_vals (self->ids, ids, n);
}

static inline void
on_events (const PrEvent *events, guint n, const GError *error, gpointer user_data)
{
  Answer *self = user_data;

  on_done (error, user_data);
  self->texts = g_string_new (NULL);
  self->n = n;
  for (guint i = 0; i < n; i++)
    g_string_append_printf (self->texts, "%s:%s ", pr_event_kind_to_string (events[i].kind),
                            events[i].text != NULL ? events[i].text : "");
}

static inline PrStoreCounts
get_counts (PrStore *store)
{
  PrStoreCounts counts;

  pr_store_get_counts (store, &counts);
  return counts;
}
