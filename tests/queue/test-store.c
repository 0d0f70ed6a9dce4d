/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages in, due, recorded, out; what is asked again after a restart. */
#include "queue-util.h"

typedef struct
{
  char *home;
  PrStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->home = make_home ();
  f->store = open_store (f->home);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->store != NULL)
    pr_store_close (f->store);
  remove_tree (f->home);
  g_free (f->home);
}

static void
reopen (Fixture *f)
{
  pr_store_close (f->store);
  f->store = open_store (f->home);
}

static void
assert_due (PrStore *store, const char *hop, gint64 before_us, guint limit, guint n,
            gint64 next_due_us)
{
  g_auto (Answer) answer = { 0 };

  ask_due (store, hop, before_us, limit, &answer);
  g_assert_cmpuint (answer.due->len, ==, n);
  g_assert_cmpint (answer.next_due_us, ==, next_due_us);
}

static void
test_put (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "Hello\r\n");
  PrStoreCounts counts = get_counts (f->store);
  g_auto (Answer) due = { 0 };
  g_autofree char *body = NULL;

  g_assert_cmpuint (counts.n_messages, ==, 1);
  g_assert_cmpuint (counts.n_queued, ==, 1);
  g_assert_cmpuint (counts.size_octets, ==, 7);

  ask_due (f->store, "out", G_MAXINT64, 10, &due);
  g_assert_cmpuint (due.due->len, ==, 1);
  g_assert_cmpint (g_array_index (due.due, PrStoreDue, 0).message->id, ==, message->id);
  body = read_body (f->store, g_array_index (due.due, PrStoreDue, 0).message, 0, 1024, TRUE);
  g_assert_cmpstr (body, ==, "Hello\r\n");

  message->progress[0].state = PR_RECIPIENT_DELIVERED;
  record (f->store, message, 0, TRUE);
  counts = get_counts (f->store);
  g_assert_cmpuint (counts.n_messages, ==, 0);
  g_assert_cmpuint (counts.n_queued, ==, 0);
  g_assert_cmpuint (counts.size_octets, ==, 0);
  assert_due (f->store, "out", G_MAXINT64, 10, 0, 0);
}

/* Everything that was said of a message is there after a restart. */
static void
test_whole (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) sent = make_message (f->store, "", "b@y.org;c@z.org", "out/y.org", "x");
  g_autoptr (PrMessage) message = NULL;
  PrProgress *p;
  PrRecipient *r;

  sent->envelope->body = PR_BODY_8BITMIME;
  sent->envelope->smtputf8 = TRUE;
  sent->envelope->requires_tls = TRUE;
  sent->envelope->ret = PR_RET_HDRS;
  sent->envelope->envid = g_strdup ("env+2Bid");
  sent->client = g_strdup ("192.0.2.7");
  sent->user = g_strdup ("printer");
  sent->is_report = TRUE;
  r = pr_envelope_recipient (sent->envelope, 1);
  r->orcpt = g_strdup ("rfc822;c@z.org");
  r->notify = PR_NOTIFY_SUCCESS | PR_NOTIFY_DELAY;
  put (f->store, sent);

  sent->progress[1].state = PR_RECIPIENT_HELD;
  sent->progress[1].attempts = 3;
  sent->progress[1].due_us = 77;
  sent->progress[1].warned = TRUE;
  sent->progress[1].last_reply = g_strdup ("450 4.2.0 later");
  g_free (sent->progress[1].hop);
  sent->progress[1].hop = g_strdup ("out/z.org");
  record (f->store, sent, 1, FALSE);

  reopen (f);
  message = get (f->store, sent->id);
  g_assert_nonnull (message);
  g_assert_cmpint (message->received_us, ==, sent->received_us);
  g_assert_cmpuint (message->size_octets, ==, 1);
  g_assert_cmpstr (message->envelope->sender, ==, "");
  g_assert_cmpint (message->envelope->body, ==, PR_BODY_8BITMIME);
  g_assert_true (message->envelope->smtputf8);
  g_assert_true (message->envelope->requires_tls);
  g_assert_false (message->envelope->waives_tls);
  g_assert_cmpint (message->envelope->ret, ==, PR_RET_HDRS);
  g_assert_cmpstr (message->envelope->envid, ==, "env+2Bid");
  g_assert_cmpstr (message->client, ==, "192.0.2.7");
  g_assert_cmpstr (message->user, ==, "printer");
  g_assert_true (message->is_report);
  g_assert_cmpuint (message->envelope->recipients->len, ==, 2);
  r = pr_envelope_recipient (message->envelope, 1);
  g_assert_cmpstr (r->address, ==, "c@z.org");
  g_assert_cmpstr (r->orcpt, ==, "rfc822;c@z.org");
  g_assert_cmpint (r->notify, ==, PR_NOTIFY_SUCCESS | PR_NOTIFY_DELAY);
  p = &message->progress[1];
  g_assert_cmpint (p->state, ==, PR_RECIPIENT_HELD);
  g_assert_cmpuint (p->attempts, ==, 3);
  g_assert_cmpint (p->due_us, ==, 77);
  g_assert_true (p->warned);
  g_assert_cmpstr (p->last_reply, ==, "450 4.2.0 later");
  g_assert_cmpstr (p->hop, ==, "out/z.org");
  g_assert_cmpstr (message->progress[0].hop, ==, "out/y.org");
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 1);
  g_assert_cmpuint (get_counts (f->store).n_held, ==, 1);
}

static void
test_get_unknown (Fixture *f, gconstpointer data)
{
  g_assert_null (get (f->store, 12345));
}

/* The earliest first, never more than asked, and when the next one is due. */
static void
test_due (Fixture *f, gconstpointer data)
{
  for (gint64 i = 1; i <= 5; i++)
    {
      g_autoptr (PrMessage) message = make_message (f->store, "a@x.org", "b@y.org", "out", "x");

      message->progress[0].due_us = 1000 * (6 - i);
      put (f->store, message);
    }

  assert_due (f->store, "out", 999, 10, 0, 1000);
  assert_due (f->store, "out", 1000, 10, 1, 2000);
  assert_due (f->store, "out", 3500, 10, 3, 4000);
  assert_due (f->store, "out", 3500, 2, 2, 3000);
  assert_due (f->store, "out", 3500, 0, 0, 1000);
  assert_due (f->store, "out", G_MAXINT64, 10, 5, 0);
  assert_due (f->store, "ou", G_MAXINT64, 10, 0, 0);
  assert_due (f->store, "", G_MAXINT64, 10, 0, 0);
}

/* All recipients of one message share one object, so that one delivery can take them. */
static void
test_due_shares (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org;c@y.org", "out", "x");
  g_auto (Answer) answer = { 0 };

  ask_due (f->store, "out", G_MAXINT64, 10, &answer);
  g_assert_cmpuint (answer.due->len, ==, 2);
  g_assert_true (g_array_index (answer.due, PrStoreDue, 0).message ==
                 g_array_index (answer.due, PrStoreDue, 1).message);
  g_assert_cmpuint (g_array_index (answer.due, PrStoreDue, 0).index, !=,
                    g_array_index (answer.due, PrStoreDue, 1).index);
}

static void
assert_hops (PrStore *store, const char *expected)
{
  g_auto (Answer) answer = { 0 };

  pr_store_hops (store, on_hops, &answer);
  wait_for (&answer.done, "the hops");
  g_assert_no_error (answer.error);
  g_assert_cmpstr (answer.hops->str, ==, expected);
}

static void
test_hops (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *hop;
    gint64 due_us;
    PrRecipientState state;
  } rows[] = {
    { "b", 5, PR_RECIPIENT_QUEUED },  { "b", 3, PR_RECIPIENT_QUEUED },
    { "a", 9, PR_RECIPIENT_QUEUED },  { "c", 1, PR_RECIPIENT_HELD },
    { NULL, 2, PR_RECIPIENT_QUEUED },
  };

  assert_hops (f->store, "");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (PrMessage) message =
        make_message (f->store, "a@x.org", "b@y.org", rows[i].hop, "x");

      message->progress[0].due_us = rows[i].due_us;
      message->progress[0].state = rows[i].state;
      put (f->store, message);
    }

  assert_hops (f->store, "=2 a=9 b=3 ");
}

/* A put, its record and the question what is due, asked in one turn: answered in that order, and
 * the question sees what was asked before it. */
static void
test_order (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) first = make_message (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) second = make_message (f->store, "a@x.org", "b@y.org", "out", "x");
  g_auto (Answer) put_first = { 0 }, put_second = { 0 }, recorded = { 0 }, due = { 0 };
  guint index = 0;

  pr_store_put (f->store, first, NULL, on_done, &put_first);
  pr_store_put (f->store, second, NULL, on_done, &put_second);
  pr_store_record (f->store, first, &index, 1, NULL, 0, TRUE, on_done, &recorded);
  pr_store_due (f->store, "out", G_MAXINT64, 10, on_due, &due);
  g_assert_false (put_first.done);
  wait_for (&due.done, "what is due");
  g_assert_true (put_first.done && put_second.done && recorded.done);
  g_assert_cmpuint (due.due->len, ==, 1);
  g_assert_cmpint (g_array_index (due.due, PrStoreDue, 0).message->id, ==, second->id);
}

/* What the owner changes after the call is not what was recorded. */
static void
test_record_copies (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org;c@y.org", "out", "x");
  g_auto (Answer) answer = { 0 };
  guint index = 0;

  message->progress[0].attempts = 1;
  g_free (message->progress[0].last_reply);
  message->progress[0].last_reply = g_strdup ("first");
  pr_store_record (f->store, message, &index, 1, NULL, 0, FALSE, on_done, &answer);
  message->progress[0].attempts = 2;
  g_free (message->progress[0].last_reply);
  message->progress[0].last_reply = g_strdup ("second");
  wait_for (&answer.done, "a record");
  g_assert_no_error (answer.error);

  {
    g_autoptr (PrMessage) stored = get (f->store, message->id);

    g_assert_cmpuint (stored->progress[0].attempts, ==, 1);
    g_assert_cmpstr (stored->progress[0].last_reply, ==, "first");
  }
}

/* The bounce exists when, and only when, the failure is recorded. */
static void
test_report (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) report = make_message (f->store, "", "a@x.org", "home", "sorry");
  g_autoptr (PrMessage) late = make_message (f->store, "", "a@x.org", "home", "sorry");
  PrMessage *reports[1] = { report };
  g_auto (Answer) first = { 0 }, second = { 0 };
  guint index = 0;

  report->is_report = TRUE;
  message->progress[0].state = PR_RECIPIENT_FAILED;
  pr_store_record (f->store, message, &index, 1, reports, 1, TRUE, on_done, &first);
  wait_for (&first.done, "a record with a report");
  g_assert_no_error (first.error);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 1);
  assert_due (f->store, "out", G_MAXINT64, 10, 0, 0);
  assert_due (f->store, "home", G_MAXINT64, 10, 1, 0);

  /* Recorded twice, as after a commit that was reported as failed but was not: no second one. */
  reports[0] = late;
  pr_store_record (f->store, message, &index, 1, reports, 1, TRUE, on_done, &second);
  wait_for (&second.done, "a second record");
  g_assert_no_error (second.error);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 1);
}

/* The same id twice: the one at fault fails, those beside it do not. */
static void
test_bad_job (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) there = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) before = make_message (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) twice = make_message (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) after = make_message (f->store, "a@x.org", "b@y.org", "out", "x");
  g_auto (Answer) first = { 0 }, second = { 0 }, third = { 0 };
  PrEvent event = { .kind = PR_EVENT_STARTED };

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  twice->id = there->id;
  pr_store_add_event (f->store, &event);
  pr_store_put (f->store, before, NULL, on_done, &first);
  pr_store_put (f->store, twice, NULL, on_done, &second);
  pr_store_put (f->store, after, NULL, on_done, &third);
  wait_for (&third.done, "the third put");
  g_assert_no_error (first.error);
  g_assert_error (second.error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_no_error (third.error);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 3);
}

/* An empty body is a body. */
static void
test_body_empty (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "");
  g_autoptr (PrMessage) stored = get (f->store, message->id);
  g_autofree char *from_memory = read_body (f->store, message, 0, 100, TRUE);
  g_autofree char *from_row = read_body (f->store, stored, 0, 100, TRUE);

  g_assert_cmpstr (from_memory, ==, "");
  g_assert_cmpstr (from_row, ==, "");
}

static void
test_body_pieces (Fixture *f, gconstpointer data)
{
  static const struct
  {
    guint64 offset;
    gsize len;
    const char *text;
    gboolean last;
  } cases[] = {
    { 0, 4, "0123", FALSE }, { 4, 4, "4567", FALSE }, { 8, 4, "89", TRUE },
    { 6, 4, "6789", TRUE },  { 10, 4, "", TRUE },     { 99, 4, "", TRUE },
  };
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "0123456789");
  g_autoptr (PrMessage) stored = get (f->store, message->id);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *memory =
        read_body (f->store, message, cases[i].offset, cases[i].len, cases[i].last);
      g_autofree char *row =
        read_body (f->store, stored, cases[i].offset, cases[i].len, cases[i].last);

      g_assert_cmpstr (memory, ==, cases[i].text);
      g_assert_cmpstr (row, ==, cases[i].text);
    }
}

static void
test_body_gone (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) stored = get (f->store, message->id);
  g_auto (Answer) answer = { 0 };

  record (f->store, message, 0, TRUE);
  pr_store_read_body (f->store, stored, 0, 10, on_body, &answer);
  wait_for (&answer.done, "a body that is gone");
  g_assert_error (answer.error, PR_ERROR, PR_ERROR_PERMANENT);
  g_assert_null (answer.chunk);
}

/* Bodies stay in memory within the budget, and are dropped beyond. */
static void
test_budget (Fixture *f, gconstpointer data)
{
  g_autofree char *body = g_strnfill (PR_BODY_INLINE_MAX, 'x');
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  guint n_in_memory = 0;

  for (guint i = 0; i < 300; i++) /* 37.5 MiB */
    {
      g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", body);

      n_in_memory += message->body != NULL;
      g_ptr_array_add (kept, pr_message_ref (message));
    }
  g_assert_cmpuint (n_in_memory, ==, 256); /* 32 MiB */

  /* What is freed makes room again. */
  for (guint i = 0; i < kept->len; i++)
    pr_message_unref (kept->pdata[i]);
  {
    g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", body);

    g_assert_nonnull (message->body);
  }
}

static guint n_answers;

static void
on_counted (const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  n_answers++;
}

/* From the answer of a put, while the store closes: still done and answered. */
static void
on_put_then_record (const GError *error, gpointer user_data)
{
  gpointer *pair = user_data;
  guint index = 0;

  on_counted (error, NULL);
  pr_store_record (pair[0], pair[1], &index, 1, NULL, 0, TRUE, on_counted, NULL);
}

static void
test_close (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = make_message (f->store, "a@x.org", "b@y.org", "out", "x");
  gpointer pair[2] = { f->store, message };
  PrEvent event = { .kind = PR_EVENT_STOPPED, .text = "bye" };

  n_answers = 0;
  pr_store_put (f->store, message, NULL, on_put_then_record, pair);
  pr_store_add_event (f->store, &event);
  pr_store_close (f->store);
  g_assert_cmpuint (n_answers, ==, 2);
  f->store = open_store (f->home);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 0);
}

/* Ids never repeat: not over a restart, not when the queue was emptied meanwhile. */
static void
test_ids (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = make_message (f->store, "a@x.org", "b@y.org", "out", "x");
  gint64 far = g_get_real_time () + G_TIME_SPAN_DAY;

  message->id = far;
  put (f->store, message);
  record (f->store, message, 0, TRUE);
  reopen (f);
  g_assert_cmpint (pr_id_next (pr_store_get_ids (f->store)), >, far);
}

static void
test_revision (Fixture *f, gconstpointer data)
{
  guint64 before = get_counts (f->store).revision, after;
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "x");

  after = get_counts (f->store).revision;
  g_assert_cmpuint (after, >, before);
  g_assert_nonnull (message);
  reopen (f);
  g_assert_cmpuint (get_counts (f->store).revision, >=, after);
}

static void
test_free_space (Fixture *f, gconstpointer data)
{
  g_assert_cmpuint (pr_store_get_free_space (f->store), >, 0);
}

/* Who follows what happens and then asks what was must not miss what lay between. */
static void
test_event_is_found_at_once (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    {
      g_auto (Answer) answer = { 0 };
      gint64 id = pr_store_add_event (f->store, &(PrEvent){ .kind = PR_EVENT_PAUSED });
      PrEventFilter filter = { .after_id = id - 1 };

      pr_store_events (f->store, &filter, 10, on_events, &answer);
      wait_for (&answer.done, "the event");
      g_assert_no_error (answer.error);
      g_assert_cmpuint (answer.n, ==, 1);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/store/put", test_put);
  ADD ("/store/whole", test_whole);
  ADD ("/store/get-unknown", test_get_unknown);
  ADD ("/store/due", test_due);
  ADD ("/store/due-shares", test_due_shares);
  ADD ("/store/hops", test_hops);
  ADD ("/store/order", test_order);
  ADD ("/store/record-copies", test_record_copies);
  ADD ("/store/report", test_report);
  ADD ("/store/bad-job", test_bad_job);
  ADD ("/store/body-empty", test_body_empty);
  ADD ("/store/body-pieces", test_body_pieces);
  ADD ("/store/body-gone", test_body_gone);
  ADD ("/store/budget", test_budget);
  ADD ("/store/close", test_close);
  ADD ("/store/ids", test_ids);
  ADD ("/store/revision", test_revision);
  ADD ("/store/free-space", test_free_space);
  ADD ("/store/event-is-found-at-once", test_event_is_found_at_once);

  return g_test_run ();
}
