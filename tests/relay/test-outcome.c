/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/outcome.h"

#include <string.h>

#define NOW (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC)

static guint64 schedule[] = { 60 };
static PrConfig config = {
  .retry_schedule_s = schedule, .n_retry_schedule = 1, .give_up_s = 432000, .warn_after_s = 14400
};

static PrMessage *
new_message (const char *sender, PrNotify notify, gint64 age_s)
{
  PrEnvelope *envelope = pr_envelope_new ();

  g_free (envelope->sender);
  envelope->sender = g_strdup (sender);
  pr_envelope_add_recipient (envelope, "you@b.example", notify, NULL);
  return pr_message_new (1, NOW - age_s * G_USEC_PER_SEC, envelope);
}

static PrReply
new_reply (guint code, const char *enhanced)
{
  PrReply reply = { 0 };

  pr_reply_set (&reply, code, enhanced, "Words");
  return reply;
}

typedef struct
{
  const char *name;
  const char *sender, *postmaster;
  PrNotify notify;
  gint64 age_s;
  guint code;
  gboolean hop_is_last, hop_does_dsn;
  PrEventKind event;
  int report; /* -1: none */
  PrRecipientState state;
  gboolean leaves;
} Case;

#define ME "me@a.example"
#define BOSS "boss@c.example"

static const Case cases[] = {
  { "delivered", ME, NULL, PR_NOTIFY_UNSET, 0, 250, FALSE, TRUE, PR_EVENT_DELIVERED, -1,
    PR_RECIPIENT_DELIVERED, TRUE },
  { "relayed-dsn", ME, NULL, PR_NOTIFY_SUCCESS, 0, 250, FALSE, TRUE, PR_EVENT_DELIVERED, -1,
    PR_RECIPIENT_DELIVERED, TRUE },
  { "relayed-no-dsn", ME, NULL, PR_NOTIFY_SUCCESS, 0, 250, FALSE, FALSE, PR_EVENT_DELIVERED,
    PR_REPORT_RELAYED, PR_RECIPIENT_DELIVERED, TRUE },
  { "final", ME, NULL, PR_NOTIFY_SUCCESS, 0, 250, TRUE, FALSE, PR_EVENT_DELIVERED,
    PR_REPORT_DELIVERED, PR_RECIPIENT_DELIVERED, TRUE },
  { "final-null-sender", "", BOSS, PR_NOTIFY_SUCCESS, 0, 250, TRUE, FALSE, PR_EVENT_DELIVERED, -1,
    PR_RECIPIENT_DELIVERED, TRUE },
  { "deferred", ME, NULL, PR_NOTIFY_UNSET, 0, 450, FALSE, FALSE, PR_EVENT_DEFERRED, -1,
    PR_RECIPIENT_QUEUED, FALSE },
  { "deferred-without-a-word", ME, NULL, PR_NOTIFY_UNSET, 0, 0, FALSE, FALSE, PR_EVENT_DEFERRED, -1,
    PR_RECIPIENT_QUEUED, FALSE },
  { "354-is-no-result", ME, NULL, PR_NOTIFY_UNSET, 0, 354, FALSE, FALSE, PR_EVENT_DEFERRED, -1,
    PR_RECIPIENT_QUEUED, FALSE },
  { "late", ME, NULL, PR_NOTIFY_UNSET, 14400, 450, FALSE, FALSE, PR_EVENT_DEFERRED,
    PR_REPORT_DELAYED, PR_RECIPIENT_QUEUED, FALSE },
  { "late-unwanted", ME, NULL, PR_NOTIFY_FAILURE, 14400, 450, FALSE, FALSE, PR_EVENT_DEFERRED, -1,
    PR_RECIPIENT_QUEUED, FALSE },
  { "late-null-sender", "", BOSS, PR_NOTIFY_UNSET, 14400, 450, FALSE, FALSE, PR_EVENT_DEFERRED, -1,
    PR_RECIPIENT_QUEUED, FALSE },
  { "failed", ME, NULL, PR_NOTIFY_UNSET, 0, 550, FALSE, FALSE, PR_EVENT_FAILED, PR_REPORT_FAILED,
    PR_RECIPIENT_FAILED, TRUE },
  { "failed-never", ME, NULL, PR_NOTIFY_NEVER, 0, 550, FALSE, FALSE, PR_EVENT_FAILED, -1,
    PR_RECIPIENT_FAILED, TRUE },
  { "failed-success-only", ME, NULL, PR_NOTIFY_SUCCESS, 0, 550, FALSE, FALSE, PR_EVENT_FAILED, -1,
    PR_RECIPIENT_FAILED, TRUE },
  { "expired", ME, NULL, PR_NOTIFY_UNSET, 432000, 450, FALSE, FALSE, PR_EVENT_FAILED,
    PR_REPORT_FAILED, PR_RECIPIENT_FAILED, TRUE },
  { "null-sender", "", NULL, PR_NOTIFY_UNSET, 0, 550, FALSE, FALSE, PR_EVENT_FAILED, -1,
    PR_RECIPIENT_FAILED, FALSE },
  { "null-sender-postmaster", "", BOSS, PR_NOTIFY_UNSET, 0, 550, FALSE, FALSE, PR_EVENT_FAILED,
    PR_REPORT_FAILED, PR_RECIPIENT_FAILED, TRUE },
  { "null-sender-to-postmaster", "", "you@b.example", PR_NOTIFY_UNSET, 0, 550, FALSE, FALSE,
    PR_EVENT_FAILED, -1, PR_RECIPIENT_FAILED, FALSE },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (PrMessage) message = new_message (c->sender, c->notify, c->age_s);
  PrReply reply = new_reply (c->code, NULL);
  PrAttempt attempt = {
    .config = &config, .now_us = NOW, .hop_is_last = c->hop_is_last, .hop_does_dsn = c->hop_does_dsn
  };
  PrOutcome outcome;

  config.postmaster = (char *) c->postmaster;
  outcome = pr_outcome_apply (&attempt, message, 0, &reply);
  g_assert_cmpint (outcome.event, ==, c->event);
  g_assert_cmpint (outcome.owes_report ? (int) outcome.report : -1, ==, c->report);
  g_assert_cmpint (message->progress[0].state, ==, c->state);
  g_assert_cmpuint (message->progress[0].attempts, ==, 1);
  g_assert_cmpint (pr_outcome_leaves (&config, message), ==, c->leaves);
  g_assert_cmpint (pr_outcome_is_kept (&config, message, 0), ==,
                   c->state == PR_RECIPIENT_FAILED && !c->leaves);
  pr_reply_clear (&reply);
}

static void
test_due (void)
{
  g_autoptr (PrMessage) message = new_message (ME, PR_NOTIFY_UNSET, 0);
  PrReply reply = new_reply (450, "4.2.1");
  PrAttempt attempt = { .config = &config, .now_us = NOW };

  pr_outcome_apply (&attempt, message, 0, &reply);
  g_assert_cmpint (message->progress[0].due_us, ==, NOW + 54 * G_USEC_PER_SEC);
  g_assert_cmpstr (message->progress[0].last_reply, ==, "450 4.2.1 Words");

  attempt.due_us = NOW + 7;
  attempt.uncounted = TRUE;
  pr_outcome_apply (&attempt, message, 0, &reply);
  g_assert_cmpint (message->progress[0].due_us, ==, NOW + 7);
  g_assert_cmpuint (message->progress[0].attempts, ==, 1);
  pr_reply_clear (&reply);
}

static void
test_warned_once (void)
{
  g_autoptr (PrMessage) message = new_message (ME, PR_NOTIFY_UNSET, 20000);
  PrReply reply = new_reply (450, NULL);
  PrAttempt attempt = { .config = &config, .now_us = NOW };

  g_assert_true (pr_outcome_apply (&attempt, message, 0, &reply).owes_report);
  g_assert_true (message->progress[0].warned);
  g_assert_false (pr_outcome_apply (&attempt, message, 0, &reply).owes_report);
  pr_reply_clear (&reply);
}

static void
test_expired_words (void)
{
  const struct
  {
    guint64 give_up_s;
    const char *words;
  } ages[] = { { 432000, "within 5 days." },
               { 86400, "within 1 day." },
               { 90000, "within 25 hours." },
               { 120, "within 2 minutes." },
               { 61, "within 61 seconds." } };

  for (gsize i = 0; i < G_N_ELEMENTS (ages); i++)
    {
      g_autoptr (PrMessage) message = new_message (ME, PR_NOTIFY_UNSET, 500000);
      PrConfig aged = config;
      PrAttempt attempt = { .config = &aged, .now_us = NOW };
      PrReply reply = { 0 };

      aged.give_up_s = ages[i].give_up_s;
      pr_reply_set (&reply, 0, "4.4.1", "Could not connect");
      pr_outcome_apply (&attempt, message, 0, &reply);
      g_assert_nonnull (strstr (message->progress[0].last_reply, ages[i].words));
      g_assert_nonnull (strstr (message->progress[0].last_reply, "Could not connect"));
      g_assert_true (g_str_has_prefix (message->progress[0].last_reply, "554 5.4.7 "));
      pr_reply_clear (&reply);
    }
}

static void
test_words (void)
{
  PrReply said = new_reply (550, "5.1.1");
  PrReply found = { 0 };
  g_autofree char *first = pr_outcome_words (&said);
  g_autofree char *second = NULL;

  pr_reply_set (&found, 0, "4.4.1", "Could not connect");
  second = pr_outcome_words (&found);
  g_assert_cmpstr (first, ==, "550 5.1.1 Words");
  g_assert_cmpstr (second, ==, "Could not connect");
  pr_reply_clear (&said);
  pr_reply_clear (&found);
}

static void
test_report_to (void)
{
  g_autoptr (PrMessage) mail = new_message (ME, PR_NOTIFY_UNSET, 0);
  g_autoptr (PrMessage) bounce = new_message ("", PR_NOTIFY_UNSET, 0);

  config.postmaster = NULL;
  g_assert_cmpstr (pr_outcome_report_to (&config, mail, 0), ==, ME);
  g_assert_null (pr_outcome_report_to (&config, bounce, 0));
  config.postmaster = (char *) BOSS;
  g_assert_cmpstr (pr_outcome_report_to (&config, bounce, 0), ==, BOSS);
}

static void
test_all_must_be_done (void)
{
  g_autoptr (PrMessage) message = NULL;
  PrEnvelope *envelope = pr_envelope_new ();

  g_free (envelope->sender);
  envelope->sender = g_strdup (ME);
  for (guint i = 0; i < 3; i++)
    pr_envelope_add_recipient (envelope, "you@b.example", PR_NOTIFY_UNSET, NULL);
  message = pr_message_new (1, NOW, envelope);
  message->progress[0].state = PR_RECIPIENT_DELIVERED;
  message->progress[1].state = PR_RECIPIENT_FAILED;
  g_assert_false (pr_outcome_leaves (&config, message));
  message->progress[2].state = PR_RECIPIENT_HELD;
  g_assert_false (pr_outcome_leaves (&config, message));
  message->progress[2].state = PR_RECIPIENT_DELIVERED;
  g_assert_true (pr_outcome_leaves (&config, message));
}

/* ── What the provider means ──────────────────────────────────────────────────────────────── */

typedef struct
{
  const char *name, *provider, *said;
  PrEventKind event;
  PrRecipientState state;
  guint attempts;
  gint64 due_s; /* from now; -1: by the schedule, or none */
} AdviceCase;

static const AdviceCase advice_cases[] = {
  { "5yz-passes", "gmail", "550 5.4.5 Daily user sending limit exceeded", PR_EVENT_DEFERRED,
    PR_RECIPIENT_QUEUED, 0, 3600 },
  { "5yz-held", "microsoft365",
    "550 5.7.60 SMTP; Client does not have permissions to send as this "
    "sender",
    PR_EVENT_HELD, PR_RECIPIENT_HELD, 1, -1 },
  { "4yz-held", "proton-bridge", "451 4.0.0 backend: invalid return path: not owned by user",
    PR_EVENT_HELD, PR_RECIPIENT_HELD, 1, -1 },
  { "retry", "gmail", "452 4.2.2 The email account that you tried to reach is over quota",
    PR_EVENT_DEFERRED, PR_RECIPIENT_QUEUED, 1, -1 },
  { "bounce", "gmail", "550 5.1.1 The email account that you tried to reach does not exist",
    PR_EVENT_FAILED, PR_RECIPIENT_FAILED, 1, -1 },
  { "sign-in", "microsoft365", "530 5.7.57 Client not authenticated to send mail",
    PR_EVENT_DEFERRED, PR_RECIPIENT_QUEUED, 0, 0 },
};

static void
test_advice (gconstpointer data)
{
  const AdviceCase *c = data;
  g_autoptr (PrProvider) provider = pr_provider_load (c->provider);
  g_autoptr (PrMessage) message = new_message (ME, PR_NOTIFY_UNSET, 60);
  PrAttempt attempt = { .config = &config, .provider = provider, .now_us = NOW };
  PrReply reply = { 0 };
  PrOutcome outcome;
  g_autofree char *explained = NULL;

  g_assert_true (pr_reply_from_string (&reply, c->said));
  reply.is_own = FALSE;
  outcome = pr_outcome_apply (&attempt, message, 0, &reply);
  g_assert_cmpint (outcome.event, ==, c->event);
  g_assert_nonnull (outcome.words);
  g_assert_cmpint (message->progress[0].state, ==, c->state);
  g_assert_cmpuint (message->progress[0].attempts, ==, c->attempts);
  if (c->due_s >= 0)
    g_assert_cmpint (message->progress[0].due_us, ==, NOW + c->due_s * G_USEC_PER_SEC);
  g_assert_cmpint (outcome.owes_report, ==, c->event == PR_EVENT_FAILED);

  /* What was said stays, word for word, and what it means stands behind it. */
  explained = pr_outcome_explain (&reply, outcome.words);
  g_assert_cmpstr (message->progress[0].last_reply, ==, explained);
  g_assert_true (g_str_has_prefix (explained, c->said));
  g_assert_true (g_str_has_suffix (explained, ")"));
  pr_reply_clear (&reply);
}

/* Nothing bounces for want of a sign-in, however old; what is sent too fast may become too old. */
static void
test_advice_expired (void)
{
  g_autoptr (PrProvider) provider = pr_provider_load ("microsoft365");
  g_autoptr (PrMessage) unsigned_in = new_message (ME, PR_NOTIFY_UNSET, 432000);
  g_autoptr (PrMessage) slowed = new_message (ME, PR_NOTIFY_UNSET, 432000);
  PrAttempt attempt = { .config = &config, .provider = provider, .now_us = NOW };
  PrReply reply = { 0 };

  g_assert_true (pr_reply_from_string (&reply, "530 5.7.57 Client not authenticated"));
  reply.is_own = FALSE;
  g_assert_cmpint (pr_outcome_apply (&attempt, unsigned_in, 0, &reply).event, ==,
                   PR_EVENT_DEFERRED);
  g_assert_true (pr_reply_from_string (&reply, "432 4.3.2 Concurrent connections limit exceeded"));
  reply.is_own = FALSE;
  g_assert_cmpint (pr_outcome_apply (&attempt, slowed, 0, &reply).event, ==, PR_EVENT_FAILED);
  pr_reply_clear (&reply);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/outcome/case/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/outcome/due", test_due);
  g_test_add_func ("/outcome/warned-once", test_warned_once);
  g_test_add_func ("/outcome/expired-words", test_expired_words);
  g_test_add_func ("/outcome/words", test_words);
  g_test_add_func ("/outcome/report-to", test_report_to);
  g_test_add_func ("/outcome/all-must-be-done", test_all_must_be_done);
  for (gsize i = 0; i < G_N_ELEMENTS (advice_cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/outcome/advice/%s", advice_cases[i].name);
      g_test_add_data_func (path, &advice_cases[i], test_advice);
    }
  g_test_add_func ("/outcome/advice-expired", test_advice_expired);
  return g_test_run ();
}
