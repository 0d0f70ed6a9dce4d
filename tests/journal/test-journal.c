/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events: kept, told, counted, and fit to be shown. */
#include "journal/journal.h"
#include "queue-util.h"

typedef struct
{
  char *home;
  PrStore *store;
  PrJournal *journal;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->home = make_home ();
  f->store = open_store (f->home);
  f->journal = pr_journal_new (f->store);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pr_journal_free (f->journal);
  pr_store_close (f->store);
  remove_tree (f->home);
  g_free (f->home);
}

typedef struct
{
  PrJournal *journal;
  guint token; /* to leave with, once */
  GString *seen;
  gint64 last_id;
} Watcher;

static void
on_event (const PrEvent *event, gpointer user_data)
{
  Watcher *self = user_data;

  g_string_append_printf (self->seen, "%s ", pr_event_kind_to_string (event->kind));
  g_assert_cmpint (event->time_us, >, 0);
  g_assert_cmpint (event->id, >, self->last_id);
  self->last_id = event->id;
  if (self->token != 0)
    pr_journal_unfollow (self->journal, self->token);
}

static void
test_follow (Fixture *f, gconstpointer data)
{
  Watcher first = { .journal = f->journal, .seen = g_string_new (NULL) };
  Watcher second = { .journal = f->journal, .seen = g_string_new (NULL) };
  guint token = pr_journal_follow (f->journal, on_event, &first);

  /* The second leaves from within its first event. */
  second.token = pr_journal_follow (f->journal, on_event, &second);
  g_assert_cmpuint (token, !=, 0);
  g_assert_cmpuint (token, !=, second.token);
  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STARTED });
  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_DEFERRED });
  pr_journal_unfollow (f->journal, token);
  pr_journal_unfollow (f->journal, token); /* twice is harmless */
  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STOPPED });
  g_assert_cmpstr (first.seen->str, ==, "started deferred ");
  g_assert_cmpstr (second.seen->str, ==, "started ");
  g_string_free (first.seen, TRUE);
  g_string_free (second.seen, TRUE);
}

static void
query (PrStore *store, const PrEventFilter *filter, guint limit, Answer *answer)
{
  answer_clear (answer);
  pr_store_events (store, filter, limit, on_events, answer);
  wait_for (&answer->done, "events");
  g_assert_no_error (answer->error);
}

/* Events are written by the next commit, or a second later. */
static void
wait_for_events (PrStore *store, guint n)
{
  const PrEventFilter all = { 0 };
  gint64 until = g_get_monotonic_time () + WAIT_US;
  g_auto (Answer) answer = { 0 };

  for (;;)
    {
      query (store, &all, 10000, &answer);
      if (answer.n == n)
        return;
      if (g_get_monotonic_time () > until)
        g_error ("waited a minute for %u events, there are %u", n, answer.n);
      g_usleep (10000);
    }
}

static void
test_kept (Fixture *f, gconstpointer data)
{
  const PrEventFilter all = { 0 };
  g_auto (Answer) answer = { 0 };

  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STARTED, .text = "one" });
  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_PAUSED, .text = "two" });
  pr_journal_tell (f->journal, &(PrEvent){ .kind = PR_EVENT_RESUMED, .text = "told only" });
  wait_for_events (f->store, 2);
  query (f->store, &all, 10, &answer);
  g_assert_cmpstr (answer.texts->str, ==, "paused:two started:one ");
}

static void
test_counts (Fixture *f, gconstpointer data)
{
  static const PrEventKind kinds[] = {
    PR_EVENT_ACCEPTED, PR_EVENT_ACCEPTED, PR_EVENT_DELIVERED, PR_EVENT_DEFERRED,
    PR_EVENT_DEFERRED, PR_EVENT_DEFERRED, PR_EVENT_FAILED,    PR_EVENT_REFUSED,
  };
  PrJournalCounts counts;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    pr_journal_tell (f->journal, &(PrEvent){ .kind = kinds[i] });
  pr_journal_get_counts (f->journal, &counts);
  g_assert_cmpuint (counts.n_received, ==, 2);
  g_assert_cmpuint (counts.n_delivered, ==, 1);
  g_assert_cmpuint (counts.n_deferred, ==, 3);
  g_assert_cmpuint (counts.n_failed, ==, 1);
  g_assert_cmpuint (counts.n_refused, ==, 1);
}

static const struct
{
  const char *text, *expected;
} texts[] = {
  { NULL, NULL },
  { "", "" },
  { "250 2.0.0 Ok", "250 2.0.0 Ok" },
  { "two\nlines\r\n\tand a tab", "two lines?  and a tab" },
  { "\033[31mred\033[0m", "?[31mred?[0m" },
  { "del\177", "del?" },
  { "c1 \302\233 here", "c1 ? here" },
  { "Gr\303\274\303\237e", "Gr\303\274\303\237e" },
  { "latin \374", "latin \357\277\275" },
  { "cut \303", "cut \357\277\275" },
};

static void
test_clean (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *copy = NULL;
      const char *text = pr_event_clean_text (texts[i].text, &copy);

      g_assert_cmpstr (text, ==, texts[i].expected);
      if (texts[i].text != NULL && g_str_equal (texts[i].text, texts[i].expected) && copy == NULL)
        g_assert_true (text == texts[i].text);
    }
}

/* Whatever a stranger says, it is bounded and valid. */
static void
test_clean_random (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 2000; i++)
    {
      char raw[2000];
      guint len = (guint) g_test_rand_int_range (0, sizeof raw - 1);
      g_autofree char *copy = NULL;
      const char *text;

      for (guint j = 0; j < len; j++)
        raw[j] = (char) g_test_rand_int_range (1, i % 2 == 0 ? 256 : 128);
      raw[len] = '\0';
      text = pr_event_clean_text (raw, &copy);
      g_assert_cmpuint (strlen (text), <=, PR_EVENT_TEXT_MAX);
      g_assert_true (g_utf8_validate (text, -1, NULL));
      for (const char *p = text; *p != '\0'; p++)
        g_assert_true ((guchar) *p >= 0x20 && *p != 0x7f);
    }
}

static void
test_dirty_kept (Fixture *f, gconstpointer data)
{
  const PrEventFilter all = { 0 };
  g_autofree char *longest = g_strnfill (5000, 'x');
  g_auto (Answer) answer = { 0 };

  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STARTED, .text = "\033]0;x\007" });
  wait_for_events (f->store, 1);
  query (f->store, &all, 10, &answer);
  g_assert_cmpstr (answer.texts->str, ==, "started:?]0;x? ");

  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STARTED, .text = longest });
  wait_for_events (f->store, 2);
  query (f->store, &all, 1, &answer);
  g_assert_cmpuint (answer.texts->len, ==, strlen ("started: ") + PR_EVENT_TEXT_MAX);
}

static void
test_format (Fixture *f, gconstpointer data)
{
  g_autofree char *least = pr_journal_format (&(PrEvent){ .kind = PR_EVENT_STARTED });
  g_autofree char *most = pr_journal_format (&(PrEvent){ .kind = PR_EVENT_DELIVERED,
                                                         .message = 1,
                                                         .sender = "",
                                                         .address = "b@y.org",
                                                         .peer = "mx:25",
                                                         .route = "out",
                                                         .size_octets = 12,
                                                         .code = 250,
                                                         .text = "ok" });

  g_assert_cmpstr (least, ==, "started");
  g_assert_cmpstr (most, ==,
                   "delivered 00000000001 from <> to <b@y.org> at mx:25 on route out (12 octets): "
                   "250 ok");
}

static void
add_at (Fixture *f, PrEventKind kind, gint64 message, guint64 session, const char *address,
        gint64 time_us)
{
  pr_journal_add (f->journal, &(PrEvent){ .kind = kind,
                                          .message = message,
                                          .session = session,
                                          .address = address,
                                          .text = address,
                                          .time_us = time_us });
}

static void
test_filters (Fixture *f, gconstpointer data)
{
  gint64 now = g_get_real_time (), hour = G_TIME_SPAN_HOUR;
  const struct
  {
    PrEventFilter filter;
    guint limit;
    const char *expected;
  } cases[] = {
    { { 0 }, 2, "failed:d@Y.ORG deferred:c " },
    { { .message = 7 }, 10, "deferred:c accepted:a " },
    { { .session = 3 }, 10, "delivered:b accepted:a " },
    { { .session = 3, .message = 7 }, 10, "accepted:a " },
    { { .kinds = 1 << PR_EVENT_FAILED }, 10, "failed:d@Y.ORG " },
    { { .text = "@y.org" }, 10, "failed:d@Y.ORG " },
    { { .text = "" }, 1, "failed:d@Y.ORG " },
    { { .text = "%" }, 10, "" },
    { { .from_us = now - hour }, 10, "failed:d@Y.ORG deferred:c " },
    { { .to_us = now - hour }, 10, "delivered:b accepted:a " },
    { { .from_us = now - 5 * hour, .to_us = now - 3 * hour }, 10, "delivered:b " },
    { { .message = 99 }, 10, "" },
    { { 0 }, 0, "" },
  };

  add_at (f, PR_EVENT_ACCEPTED, 7, 3, "a", now - 8 * hour);
  add_at (f, PR_EVENT_DELIVERED, 8, 3, "b", now - 4 * hour);
  add_at (f, PR_EVENT_DEFERRED, 7, 4, "c", 0);
  add_at (f, PR_EVENT_FAILED, 9, 5, "d@Y.ORG", 0);
  wait_for_events (f->store, 4);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Answer) answer = { 0 };

      query (f->store, &cases[i].filter, cases[i].limit, &answer);
      g_assert_cmpstr (answer.texts->str, ==, cases[i].expected);
    }
}

static gint64 seen_id;

static void
on_seen (const PrEvent *event, gpointer user_data)
{
  seen_id = event->id;
}

/* Pages, newest first, and what is new since. */
static void
test_pages (Fixture *f, gconstpointer data)
{
  gint64 ids[5];
  g_auto (Answer) answer = { 0 };

  pr_journal_follow (f->journal, on_seen, NULL);
  for (guint i = 0; i < 5; i++)
    {
      char name[2] = { (char) ('a' + i), '\0' };

      add_at (f, PR_EVENT_HELD, 0, 0, name, 0);
      ids[i] = seen_id;
    }
  wait_for_events (f->store, 5);
  query (f->store, &(PrEventFilter){ .before_id = ids[3] }, 2, &answer);
  g_assert_cmpstr (answer.texts->str, ==, "held:c held:b ");
  query (f->store, &(PrEventFilter){ .after_id = ids[2] }, 10, &answer);
  g_assert_cmpstr (answer.texts->str, ==, "held:e held:d ");
}

/* By size: the oldest go, the newest stay. */
static void
test_retention_size (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strnfill (400, 'x');
  const PrEventFilter all = { 0 };
  gint64 until = g_get_monotonic_time () + WAIT_US;
  g_auto (Answer) answer = { 0 };

  for (guint i = 0; i < 2000; i++)
    pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STARTED, .text = text });
  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STOPPED, .text = "last" });
  wait_for_events (f->store, 2001);
  pr_store_set_retention (f->store, 0, 100 * 1000);
  do
    {
      g_usleep (20000);
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      query (f->store, &all, 10000, &answer);
    }
  while (answer.n > 300);
  g_assert_cmpuint (answer.n, >, 0);
  g_assert_true (g_str_has_prefix (answer.texts->str, "stopped:last "));
}

static void
test_retention_age (Fixture *f, gconstpointer data)
{
  wait_for_events (f->store, 0);
  for (guint i = 0; i < 700; i++) /* more than one step */
    pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STARTED });
  wait_for_events (f->store, 700);
  g_usleep (2 * G_USEC_PER_SEC); /* their age; then one that is younger */
  pr_journal_add (f->journal, &(PrEvent){ .kind = PR_EVENT_STOPPED, .time_us = 0 });
  pr_store_set_retention (f->store, 3600, 0);
  wait_for_events (f->store, 701);
  pr_store_set_retention (f->store, 1, 0);
  wait_for_events (f->store, 0); /* all are older than a second before it is idle */
}

/* More than can wait: what connections did is dropped, what happened to messages is not. */
static void
test_pressure (Fixture *f, gconstpointer data)
{
  PrStoreCounts counts;

  for (guint i = 0; i < 70000; i++)
    pr_store_add_event (f->store, &(PrEvent){ .kind = PR_EVENT_CONNECTED });
  counts = get_counts (f->store);
  if (counts.n_dropped_events == 0)
    g_test_message ("the writer kept pace");
  g_assert_cmpint (pr_store_add_event (f->store, &(PrEvent){ .kind = PR_EVENT_DELIVERED }), !=, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/journal/follow", test_follow);
  ADD ("/journal/kept", test_kept);
  ADD ("/journal/counts", test_counts);
  ADD ("/journal/clean", test_clean);
  ADD ("/journal/clean-random", test_clean_random);
  ADD ("/journal/dirty-kept", test_dirty_kept);
  ADD ("/journal/format", test_format);
  ADD ("/journal/filters", test_filters);
  ADD ("/journal/pages", test_pages);
  ADD ("/journal/retention-size", test_retention_size);
  ADD ("/journal/retention-age", test_retention_age);
  ADD ("/journal/pressure", test_pressure);

  return g_test_run ();
}
