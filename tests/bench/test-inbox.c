/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "corpus.h"
#include "inbox.h"

#include <string.h>

#define ENVELOPE "MAIL FROM:<load@bench.example>\r\nRCPT TO:<m%u@sink.example>\r\nDATA\r\n"

typedef struct
{
  PrBenchTally *tally;
  PrBenchInbox *inbox;
  GString *replies;
  gsize chunk;
} Fixture;

static void
set_up (Fixture *self, gconstpointer chunk)
{
  self->tally = pr_bench_tally_new (NULL, NULL);
  self->inbox = pr_bench_inbox_new (self->tally);
  self->replies = g_string_new (NULL);
  self->chunk = GPOINTER_TO_UINT (chunk);
}

static void
tear_down (Fixture *self, gconstpointer chunk)
{
  pr_bench_inbox_free (self->inbox);
  pr_bench_tally_free (self->tally);
  g_string_free (self->replies, TRUE);
}

static gboolean
feed (Fixture *self, const char *data, gsize len)
{
  for (gsize i = 0; i < len; i += self->chunk)
    if (!pr_bench_inbox_feed (self->inbox, data + i, MIN (self->chunk, len - i), self->replies))
      return FALSE;
  return TRUE;
}

static GString *
make_message (guint seq, const char *trace, gsize size)
{
  g_autoptr (PrBenchCorpus) corpus = pr_bench_corpus_new (7, size);
  GString *out = g_string_new (trace);
  char part[PR_BENCH_PART_MAX];
  gsize len;
  const char *body;

  len = pr_bench_corpus_head (corpus, seq, part);
  g_string_append_len (out, part, (gssize) len);
  body = pr_bench_corpus_body (corpus, seq, &len);
  g_string_append_len (out, body, (gssize) len);
  len = pr_bench_corpus_tail (corpus, seq, part);
  return g_string_append_len (out, part, (gssize) len);
}

static void
feed_message (Fixture *self, guint recipient, GString *message)
{
  g_autofree char *envelope = g_strdup_printf (ENVELOPE, recipient);

  g_assert_true (feed (self, envelope, strlen (envelope)));
  g_assert_true (feed (self, message->str, message->len));
  g_string_free (message, TRUE);
}

static void
test_intact (Fixture *self, gconstpointer chunk)
{
  PrBenchShared *shared = pr_bench_tally_shared (self->tally);

  for (guint seq = 0; seq < 20; seq++)
    feed_message (self, seq, make_message (seq, "Received: from a\r\n\tby b; now\r\n", 4096));
  feed_message (self, 20, make_message (20, "", 1));
  g_assert_cmpuint (shared->n_runs, ==, 1);
  g_assert_cmpuint (shared->runs[0].run, ==, 7);
  g_assert_cmpuint (shared->runs[0].unique, ==, 21);
  g_assert_cmpuint (shared->runs[0].doubled + shared->runs[0].damaged + shared->stray, ==, 0);
}

static void
test_doubled (Fixture *self, gconstpointer chunk)
{
  PrBenchRun *run = pr_bench_tally_shared (self->tally)->runs;

  feed_message (self, 3, make_message (3, "", 2000));
  feed_message (self, 3, make_message (3, "Received: again\r\n", 2000));
  g_assert_cmpuint (run->unique, ==, 1);
  g_assert_cmpuint (run->doubled, ==, 1);
}

static void
test_damaged (Fixture *self, gconstpointer chunk)
{
  PrBenchRun *run = pr_bench_tally_shared (self->tally)->runs;
  GString *message = make_message (0, "", 2000);

  message->str[1000] ^= 1;
  feed_message (self, 0, message);
  g_assert_cmpuint (run->damaged, ==, 1);

  message = make_message (1, "", 2000); /* a line lost its stuffed dot's line end */
  memcpy (strstr (message->str, "\r\n..") + 1, "x", 1);
  feed_message (self, 1, message);
  g_assert_cmpuint (run->damaged, ==, 2);

  feed_message (self, 9, make_message (2, "", 2000)); /* to somebody else */
  g_assert_cmpuint (run->damaged, ==, 3);
  g_assert_cmpuint (run->unique, ==, 0);
}

static void
test_stray (Fixture *self, gconstpointer chunk)
{
  static const char session[] = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n"
                                "Subject: X-Bench: 1 1 1\r\n\r\n.\r\nRSET\r\nWHAT\r\nQUIT\r\n";

  g_assert_false (feed (self, session, strlen (session)));
  g_assert_cmpuint (pr_bench_tally_shared (self->tally)->stray, ==, 1);
  g_assert_cmpuint (pr_bench_tally_shared (self->tally)->n_runs, ==, 0);
  g_assert_true (g_str_has_suffix (self->replies->str, "354 Go on\r\n250 2.0.0 Counted\r\n"
                                                       "250 2.0.0 Ok\r\n"
                                                       "500 5.5.1 Unknown command\r\n"
                                                       "221 2.0.0 Bye\r\n"));
}

static void
test_long_line (Fixture *self, gconstpointer chunk)
{
  g_autofree char *line = g_strnfill (100000, 'x');

  g_assert_false (feed (self, line, strlen (line)));
}

static void
test_no_recipient (Fixture *self, gconstpointer chunk)
{
  g_assert_true (feed (self, "DATA\r\n", 6));
  g_assert_cmpstr (self->replies->str, ==, "503 5.5.1 No recipient\r\n");
}

static void
test_lost (void)
{
  g_autoptr (PrBenchTally) tally = pr_bench_tally_new (NULL, NULL);
  g_autofree char *json = NULL;

  for (guint64 seq = 0; seq < 100; seq++)
    if (seq != 17)
      pr_bench_tally_add (tally, 1, seq, TRUE, 10);
  json = pr_bench_tally_to_json (tally, 100);
  g_assert_nonnull (strstr (json, "\"lost\": 1}"));
}

static void
test_many_runs (void)
{
  g_autoptr (PrBenchTally) tally = pr_bench_tally_new (NULL, NULL);
  PrBenchShared *shared = pr_bench_tally_shared (tally);

  for (guint64 run = 0; run < PR_BENCH_MAX_RUNS + 5; run++)
    pr_bench_tally_add (tally, run, 0, TRUE, 10);
  pr_bench_tally_add (tally, 0, G_MAXUINT64, TRUE, 10);
  g_assert_cmpuint (shared->n_runs, ==, PR_BENCH_MAX_RUNS);
  g_assert_cmpuint (shared->stray, ==, 6);
  g_assert_cmpuint (shared->runs[PR_BENCH_MAX_RUNS - 1].unique, ==, 1);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *name;
    void (*test) (Fixture *self, gconstpointer chunk);
  } tests[] = {
    { "intact", test_intact },       { "doubled", test_doubled },
    { "damaged", test_damaged },     { "stray", test_stray },
    { "long-line", test_long_line }, { "no-recipient", test_no_recipient },
  };
  static const guint chunks[] = { 1, 2, 3, 7, 1000, 1u << 20 };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (chunks); j++)
      {
        g_autofree char *path = g_strdup_printf ("/bench/inbox/%s/%u", tests[i].name, chunks[j]);

        g_test_add (path, Fixture, GUINT_TO_POINTER (chunks[j]), set_up, tests[i].test, tear_down);
      }
  g_test_add_func ("/bench/tally/lost", test_lost);
  g_test_add_func ("/bench/tally/many-runs", test_many_runs);
  return g_test_run ();
}
