/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at the queue, and what people order for many messages at once. */
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
  pr_store_close (f->store);
  remove_tree (f->home);
  g_free (f->home);
}

static const struct
{
  const char *sender, *recipients, *hop, *body;
  PrRecipientState state; /* of the first */
  gint64 due_us;
} rows[] = {
  { "dora@a.org", "x@one.net", "out/one.net", "four", PR_RECIPIENT_QUEUED, 50 },
  { "carl@a.org", "y@two.net;z@two.net", "out/two.net", "fiver", PR_RECIPIENT_HELD, 40 },
  { "bert@b.org", "x@one.net", "out/one.net", "1", PR_RECIPIENT_HELD, 30 },
  { "anna@b.org", "100%_@two.net", "out/two.net", "22", PR_RECIPIENT_QUEUED, 20 },
  { "", "Gr\303\274\303\237@drei.net", "home", "333", PR_RECIPIENT_FAILED, 10 },
};

/* Puts all of @rows; their ids in order. */
static GArray *
fill (Fixture *f)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (PrMessage) message =
        make_message (f->store, rows[i].sender, rows[i].recipients, rows[i].hop, rows[i].body);

      message->progress[0].state = rows[i].state;
      for (guint j = 0; j < message->envelope->recipients->len; j++)
        message->progress[j].due_us = rows[i].due_us;
      put (f->store, message);
      g_array_append_val (ids, message->id);
    }

  return ids;
}

/* The rows' letters, "abc" for the first three. */
static char *
list (Fixture *f, const PrStoreFilter *filter, guint64 offset, guint limit, guint64 *n_matching)
{
  g_auto (Answer) answer = { 0 };
  GString *letters = g_string_new (NULL);

  pr_store_list (f->store, filter, offset, limit, on_list, &answer);
  wait_for (&answer.done, "a page");
  g_assert_no_error (answer.error);
  *n_matching = answer.n_matching;
  for (guint i = 0; i < answer.messages->len; i++)
    {
      PrMessage *message = answer.messages->pdata[i];

      for (guint j = 0; j < G_N_ELEMENTS (rows); j++)
        if (g_str_equal (rows[j].sender, message->envelope->sender))
          g_string_append_c (letters, (char) ('a' + j));
    }

  return g_string_free (letters, FALSE);
}

static const struct
{
  PrStoreFilter filter;
  guint64 offset;
  guint limit;
  const char *expected;
  guint64 n_matching;
} pages[] = {
  { { .state = -1 }, 0, 10, "abcde", 5 },
  { { .state = -1 }, 0, 2, "ab", 5 },
  { { .state = -1 }, 2, 2, "cd", 5 },
  { { .state = -1 }, 4, 2, "e", 5 },
  { { .state = -1 }, 5, 2, "", 5 },
  { { .state = -1 }, G_MAXUINT64, 2, "", 5 },
  { { .state = -1 }, 0, 0, "", 5 },
  { { .state = -1, .descending = TRUE }, 0, 2, "ed", 5 },
  { { .state = -1, .descending = TRUE }, 3, 9, "ba", 5 },
  { { .state = -1, .order = PR_ORDER_SENDER }, 0, 9, "edcba", 5 },
  { { .state = -1, .order = PR_ORDER_SENDER, .descending = TRUE }, 1, 3, "bcd", 5 },
  { { .state = -1, .order = PR_ORDER_SIZE }, 0, 9, "cdeab", 5 },
  { { .state = -1, .order = PR_ORDER_SIZE, .descending = TRUE }, 3, 9, "dc", 5 },
  { { .state = PR_RECIPIENT_QUEUED, .order = PR_ORDER_DUE }, 0, 9, "dba", 3 },
  { { .state = PR_RECIPIENT_QUEUED }, 0, 9, "abd", 3 },
  { { .state = PR_RECIPIENT_HELD }, 0, 9, "bc", 2 },
  { { .state = PR_RECIPIENT_HELD }, 1, 1, "c", 2 },
  { { .state = PR_RECIPIENT_FAILED }, 0, 9, "e", 1 },
  { { .state = PR_RECIPIENT_DELIVERED }, 0, 9, "", 0 },
  { { .state = -1, .hop = "out/one.net" }, 0, 9, "ac", 2 },
  { { .state = -1, .hop = "out/two.net" }, 0, 9, "bd", 2 },
  { { .state = -1, .hop = "out" }, 0, 9, "abcd", 4 },
  { { .state = -1, .hop = "ou" }, 0, 9, "", 0 },
  { { .state = -1, .hop = "home" }, 0, 9, "e", 1 },
  { { .state = PR_RECIPIENT_QUEUED, .hop = "out" }, 0, 9, "abd", 3 },
  { { .state = PR_RECIPIENT_HELD, .hop = "out" }, 0, 9, "bc", 2 },
  { { .state = PR_RECIPIENT_QUEUED, .hop = "out/one.net" }, 0, 9, "a", 1 },
  { { .state = PR_RECIPIENT_HELD, .hop = "out/one.net" }, 0, 9, "c", 1 },
  { { .state = -1, .text = "A.ORG" }, 0, 9, "ab", 2 },
  { { .state = -1, .text = "two.net" }, 0, 9, "bd", 2 },
  { { .state = -1, .text = "z@" }, 0, 9, "b", 1 },
  { { .state = -1, .text = "%_" }, 0, 9, "d", 1 },
  { { .state = -1, .text = "GR\303\234SS" }, 0, 9, "e", 1 },
  { { .state = -1, .text = "nowhere" }, 0, 9, "", 0 },
  { { .state = -1, .text = "" }, 0, 9, "abcde", 5 },
  { { .state = PR_RECIPIENT_HELD, .text = "a.org", .hop = "out/two.net" }, 0, 9, "b", 1 },
};

static void
test_pages (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = fill (f);

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      guint64 n_matching;
      g_autofree char *letters =
        list (f, &pages[i].filter, pages[i].offset, pages[i].limit, &n_matching);

      if (!g_str_equal (letters, pages[i].expected) || n_matching != pages[i].n_matching)
        g_error ("page %u: %s of %" G_GUINT64_FORMAT ", not %s", i, letters, n_matching,
                 pages[i].expected);
    }
}

/* With nothing held or failed "queued" is answered without looking at every message. */
/* The next page by the last id: what came and went meanwhile shifts nothing. */
static void
test_after (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = fill (f);
  PrStoreFilter filter = { .state = -1, .after = g_array_index (ids, gint64, 1) };
  guint64 n_matching;
  g_autofree char *first = list (f, &filter, 0, 2, &n_matching);
  g_autofree char *second = NULL;
  g_autofree char *queued = NULL;
  g_autofree char *none = NULL;

  g_assert_cmpstr (first, ==, "cd");
  g_assert_cmpuint (n_matching, ==, 0);
  filter.after = g_array_index (ids, gint64, 3);
  second = list (f, &filter, 0, 2, &n_matching);
  g_assert_cmpstr (second, ==, "e");
  filter.after = g_array_index (ids, gint64, 4);
  none = list (f, &filter, 0, 2, &n_matching);
  g_assert_cmpstr (none, ==, "");
  filter = (PrStoreFilter){ .state = PR_RECIPIENT_QUEUED,
                            .hop = "out",
                            .after = g_array_index (ids, gint64, 1) };
  queued = list (f, &filter, 0, 2, &n_matching);
  g_assert_cmpstr (queued, ==, "d");
}

static void
test_all_queued (Fixture *f, gconstpointer data)
{
  const PrStoreFilter filter = { .state = PR_RECIPIENT_QUEUED };
  g_autoptr (PrMessage) message = put_new (f->store, "anna@b.org", "b@y.org", "out", "x");
  guint64 n_matching;
  g_autofree char *letters = list (f, &filter, 0, 10, &n_matching);

  g_assert_cmpstr (letters, ==, "d");
  g_assert_cmpuint (n_matching, ==, 1);
  g_assert_nonnull (message);
}

static void
test_text_id (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = fill (f);
  char text[PR_ID_LEN + 1];
  PrStoreFilter filter = { .state = -1, .text = text };
  guint64 n_matching;

  pr_id_format (g_array_index (ids, gint64, 2), text);
  {
    g_autofree char *letters = list (f, &filter, 0, 10, &n_matching);

    g_assert_cmpstr (letters, ==, "c");
  }
}

static void
test_no_filter (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = fill (f);
  g_auto (Answer) answer = { 0 };

  pr_store_list (f->store, NULL, 0, 10, on_list, &answer);
  wait_for (&answer.done, "a page");
  g_assert_cmpuint (answer.messages->len, ==, 5);
  g_assert_cmpuint (answer.revision, ==, get_counts (f->store).revision);
}

static void
assert_ids (Fixture *f, const PrStoreFilter *filter, gint64 after, guint limit, const GArray *ids,
            const char *expected)
{
  g_auto (Answer) answer = { 0 };

  pr_store_list_ids (f->store, filter, after, limit, on_ids, &answer);
  wait_for (&answer.done, "ids");
  g_assert_no_error (answer.error);
  g_assert_cmpuint (answer.ids->len, ==, strlen (expected));
  for (guint i = 0; i < answer.ids->len; i++)
    g_assert_cmpint (g_array_index (answer.ids, gint64, i), ==,
                     g_array_index (ids, gint64, (guint) (expected[i] - 'a')));
}

static void
test_ids (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = fill (f);
  const PrStoreFilter held = { .state = PR_RECIPIENT_HELD };

  assert_ids (f, NULL, 0, 100, ids, "abcde");
  assert_ids (f, NULL, 0, 2, ids, "ab");
  assert_ids (f, NULL, g_array_index (ids, gint64, 1), 2, ids, "cd");
  assert_ids (f, NULL, g_array_index (ids, gint64, 4), 2, ids, "");
  assert_ids (f, &held, 0, 100, ids, "bc");
  assert_ids (f, &held, g_array_index (ids, gint64, 1), 100, ids, "c");
}

/* ── Orders ───────────────────────────────────────────────────────────────────────────────── */

static void
wait_done (Answer *answer, const char *what)
{
  wait_for (&answer->done, what);
  g_assert_no_error (answer->error);
}

static void
test_delete (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = fill (f);
  gint64 some[] = { g_array_index (ids, gint64, 1), 42, g_array_index (ids, gint64, 4),
                    g_array_index (ids, gint64, 1) };
  g_auto (Answer) answer = { 0 };
  PrStoreCounts counts;

  pr_store_delete (f->store, some, G_N_ELEMENTS (some), on_done, &answer);
  wait_done (&answer, "deleting");
  assert_ids (f, NULL, 0, 100, ids, "acd");
  counts = get_counts (f->store);
  g_assert_cmpuint (counts.n_messages, ==, 3);
  g_assert_cmpuint (counts.n_queued, ==, 2);
  g_assert_cmpuint (counts.n_held, ==, 1);
  g_assert_cmpuint (counts.n_failed, ==, 0);
  g_assert_cmpuint (counts.size_octets, ==, 7);
}

static void
test_delete_none (Fixture *f, gconstpointer data)
{
  g_auto (Answer) none = { 0 }, all = { 0 };

  pr_store_delete (f->store, NULL, 0, on_done, &none);
  pr_store_delete_all (f->store, on_done, &all);
  wait_done (&all, "deleting all of nothing");
  g_assert_true (none.done);
}

static guint n_put;

static void
on_put (const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  n_put++;
}

static void
put_many (Fixture *f, guint n)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;

  n_put = 0;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (PrMessage) message = make_message (f->store, "a@x.org", "b@y.org", "out", "x");

      pr_store_put (f->store, message, NULL, on_put, NULL);
    }
  while (n_put < n)
    {
      if (g_get_monotonic_time () > until)
        g_error ("waited a minute for %u puts, got %u", n, n_put);
      g_main_context_iteration (NULL, FALSE);
    }
}

/* Several steps; what arrives meanwhile is not meant. */
static void
test_delete_all (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (PrMessage) later = NULL;

  put_many (f, 1500);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 1500);
  pr_store_delete_all (f->store, on_done, &answer);
  later = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  wait_done (&answer, "deleting all");
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 1);
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 1);
}

static void
test_delete_many (Fixture *f, gconstpointer data)
{
  g_auto (Answer) ids = { 0 }, answer = { 0 };

  put_many (f, 1500);
  pr_store_list_ids (f->store, NULL, 0, 10000, on_ids, &ids);
  wait_done (&ids, "ids");
  g_assert_cmpuint (ids.ids->len, ==, 1500);
  pr_store_delete (f->store, (const gint64 *) ids.ids->data, 1400, on_done, &answer);
  wait_done (&answer, "deleting many");
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 100);
}

static void
test_update_all (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = fill (f);
  g_auto (Answer) hold = { 0 }, release = { 0 }, due = { 0 };
  g_autoptr (PrMessage) message = NULL;

  pr_store_update_all (f->store, PR_RECIPIENT_QUEUED, PR_RECIPIENT_HELD, 0, on_done, &hold);
  wait_done (&hold, "holding all");
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 0);
  g_assert_cmpuint (get_counts (f->store).n_held, ==, 5);
  g_assert_cmpuint (get_counts (f->store).n_failed, ==, 1);
  message = get (f->store, g_array_index (ids, gint64, 0));
  g_assert_cmpint (message->progress[0].due_us, ==, 50); /* kept */

  pr_store_update_all (f->store, PR_RECIPIENT_HELD, PR_RECIPIENT_QUEUED, 7, on_done, &release);
  wait_done (&release, "releasing all");
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 5);
  g_assert_cmpuint (get_counts (f->store).n_held, ==, 0);
  ask_due (f->store, "out/two.net", 7, 10, &due);
  g_assert_cmpuint (due.due->len, ==, 3);
}

static void
test_update_many (Fixture *f, gconstpointer data)
{
  g_auto (Answer) retry = { 0 }, hold = { 0 }, release = { 0 }, due = { 0 };

  put_many (f, 1700); /* several steps of each kind */
  pr_store_update_all (f->store, PR_RECIPIENT_QUEUED, PR_RECIPIENT_QUEUED, 1, on_done, &retry);
  pr_store_update_all (f->store, PR_RECIPIENT_QUEUED, PR_RECIPIENT_HELD, 0, on_done, &hold);
  wait_done (&retry, "retrying all");
  wait_done (&hold, "holding all");
  g_assert_cmpuint (get_counts (f->store).n_held, ==, 1700);
  pr_store_update_all (f->store, PR_RECIPIENT_HELD, PR_RECIPIENT_QUEUED, 0, on_done, &release);
  wait_done (&release, "releasing all");
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 1700);
  ask_due (f->store, "out", 1, 2000, &due);
  g_assert_cmpuint (due.due->len, ==, 1700);
}

static void
test_replace (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) old = put_new (f->store, "a@x.org", "b@y.org;c@y.org", "out", "body");
  g_autoptr (PrMessage) edited = make_message (f->store, "a@x.org", "d@z.org", "new", NULL);
  g_autoptr (PrMessage) stored = NULL;
  g_auto (Answer) answer = { 0 };
  g_autofree char *body = NULL;

  edited->id = old->id;
  edited->progress[0].state = PR_RECIPIENT_HELD;
  pr_store_replace (f->store, edited, on_done, &answer);
  wait_done (&answer, "a replacement");
  stored = get (f->store, old->id);
  g_assert_cmpuint (stored->envelope->recipients->len, ==, 1);
  g_assert_cmpstr (pr_envelope_recipient (stored->envelope, 0)->address, ==, "d@z.org");
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 0);
  g_assert_cmpuint (get_counts (f->store).n_held, ==, 1);
  body = read_body (f->store, stored, 0, 100, TRUE);
  g_assert_cmpstr (body, ==, "body");
}

/* What was deleted meanwhile is not brought back. */
static void
test_replace_gone (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  g_auto (Answer) answer = { 0 };

  record (f->store, message, 0, TRUE);
  pr_store_replace (f->store, message, on_done, &answer);
  wait_done (&answer, "a replacement");
  g_assert_null (get (f->store, message->id));
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 0);
}

/* A page that is asked for while the store closes is answered with an error, not forgotten. */
static void
test_close (Fixture *f, gconstpointer data)
{
  g_auto (Answer) before = { 0 };

  put_many (f, 10);
  pr_store_list (f->store, NULL, 0, 10, on_list, &before);
  pr_store_close (f->store);
  g_assert_true (before.done);
  f->store = open_store (f->home);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/list/pages", test_pages);
  ADD ("/list/all-queued", test_all_queued);
  ADD ("/list/after", test_after);
  ADD ("/list/text-id", test_text_id);
  ADD ("/list/no-filter", test_no_filter);
  ADD ("/list/ids", test_ids);
  ADD ("/list/close", test_close);
  ADD ("/orders/delete", test_delete);
  ADD ("/orders/delete-none", test_delete_none);
  ADD ("/orders/delete-all", test_delete_all);
  ADD ("/orders/delete-many", test_delete_many);
  ADD ("/orders/update-all", test_update_all);
  ADD ("/orders/update-many", test_update_many);
  ADD ("/orders/replace", test_replace);
  ADD ("/orders/replace-gone", test_replace_gone);

  return g_test_run ();
}
