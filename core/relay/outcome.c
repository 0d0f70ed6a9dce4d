/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   reply 2yz ──► delivered ──► (NOTIFY=SUCCESS) report "delivered" or "relayed"
 *         4yz, none ──► young: deferred ──► (late, first time) report "delayed"
 *                   └─► old: failed ─┐
 *         5yz ───────► failed ───────┴─► report "failed" to the sender, else to the postmaster,
 *                                        else kept visible
 *   what the provider is known to mean: held until a person did something, deferred or failed
 */
#include "relay/outcome.h"

#include <string.h>

#include "relay/schedule.h"

char *
pr_outcome_words (const PrReply *reply)
{
  return reply->code != 0 ? pr_reply_to_string (reply) : g_strdup (reply->text);
}

char *
pr_outcome_explain (const PrReply *reply, const char *words)
{
  g_autofree char *said = pr_outcome_words (reply);

  return words != NULL ? g_strdup_printf ("%s (%s)", said, words) : g_steal_pointer (&said);
}

/* Only what somebody will look at is formatted: of a message that leaves, the event tells. */
static void
remember_reply (PrMessage *message, guint index, const PrReply *reply, const char *words)
{
  PrProgress *progress = &message->progress[index];

  g_free (progress->last_reply);
  progress->last_reply = pr_outcome_explain (reply, words);
}

static gboolean
wants (const PrRecipient *recipient, PrNotify what)
{
  if (recipient->notify == PR_NOTIFY_UNSET) /* RFC 3461 §4.1: as the sender's system sees fit */
    return what != PR_NOTIFY_SUCCESS;
  return (recipient->notify & (guint) what) != 0;
}

static PrOutcome
deliver (const PrAttempt *attempt, PrMessage *message, guint index, const PrReply *reply)
{
  const PrRecipient *recipient = pr_envelope_recipient (message->envelope, index);
  PrOutcome outcome = { .event = PR_EVENT_DELIVERED };

  message->progress[index].state = PR_RECIPIENT_DELIVERED;
  message->progress[index].attempts++;
  if (message->envelope->recipients->len > 1)
    remember_reply (message, index, reply, NULL);

  if (*message->envelope->sender == '\0' || !wants (recipient, PR_NOTIFY_SUCCESS))
    return outcome;
  outcome.report = attempt->hop_is_last ? PR_REPORT_DELIVERED : PR_REPORT_RELAYED;
  outcome.owes_report = attempt->hop_is_last || !attempt->hop_does_dsn; /* RFC 3461 §5.2.2 */
  return outcome;
}

static PrOutcome
fail (const PrAttempt *attempt, PrMessage *message, guint index, const PrReply *reply,
      const char *words)
{
  const PrRecipient *recipient = pr_envelope_recipient (message->envelope, index);
  PrOutcome outcome = { .event = PR_EVENT_FAILED, .words = words };

  message->progress[index].state = PR_RECIPIENT_FAILED;
  if (!attempt->uncounted)
    message->progress[index].attempts++;
  remember_reply (message, index, reply, words);

  outcome.report = PR_REPORT_FAILED;
  outcome.owes_report = wants (recipient, PR_NOTIFY_FAILURE) &&
                        pr_outcome_report_to (attempt->config, message, index) != NULL;
  return outcome;
}

/* "5 days": the largest unit that says it in whole numbers. (transfer full) */
static char *
age_in_words (guint64 seconds)
{
  static const struct
  {
    guint64 seconds;
    const char *one, *many;
  } units[] = {
    { 86400, "day", "days" },
    { 3600, "hour", "hours" },
    { 60, "minute", "minutes" },
    { 1, "second", "seconds" },
  };
  guint i = 0;

  while (seconds % units[i].seconds != 0 || seconds < units[i].seconds)
    {
      if (++i == G_N_ELEMENTS (units) - 1)
        break;
    }
  seconds /= units[i].seconds;
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %s", seconds,
                          seconds == 1 ? units[i].one : units[i].many);
}

static PrOutcome
expire (const PrAttempt *attempt, PrMessage *message, guint index, const PrReply *reply,
        const char *words)
{
  g_autofree char *last = pr_outcome_words (reply);
  g_autofree char *age = age_in_words (attempt->config->give_up_s);
  g_autofree char *text =
    g_strdup_printf ("The message could not be delivered within %s. %s: %s", age,
                     reply->code != 0 ? "The last answer was" : "What stood in the way", last);
  PrReply expired = { 0 };
  PrOutcome outcome;

  pr_reply_set (&expired, 554, "5.4.7", text); /* RFC 3463 §3.5: delivery time expired */
  outcome = fail (attempt, message, index, &expired, words);
  pr_reply_clear (&expired);
  return outcome;
}

static PrOutcome
defer (const PrAttempt *attempt, PrMessage *message, guint index, const PrReply *reply,
       const char *words)
{
  const PrRecipient *recipient = pr_envelope_recipient (message->envelope, index);
  PrProgress *progress = &message->progress[index];
  PrOutcome outcome = { .event = PR_EVENT_DEFERRED, .words = words };

  if (pr_schedule_is_over (attempt->config, message->received_us, attempt->now_us))
    return expire (attempt, message, index, reply, words);

  progress->state = PR_RECIPIENT_QUEUED;
  if (!attempt->uncounted)
    progress->attempts++;
  progress->due_us = attempt->due_us;
  if (progress->due_us == 0)
    progress->due_us = pr_schedule_next (attempt->config, progress->attempts, message->received_us,
                                         attempt->now_us, attempt->random);
  remember_reply (message, index, reply, words);

  if (!progress->warned &&
      pr_schedule_is_late (attempt->config, message->received_us, attempt->now_us))
    {
      progress->warned = TRUE;
      outcome.report = PR_REPORT_DELAYED;
      outcome.owes_report =
        *message->envelope->sender != '\0' && wants (recipient, PR_NOTIFY_DELAY);
    }
  return outcome;
}

/* Nothing but a person helps: it waits in the queue, however old it becomes. */
static PrOutcome
hold (PrMessage *message, guint index, const PrReply *reply, const char *words)
{
  message->progress[index].state = PR_RECIPIENT_HELD;
  message->progress[index].attempts++;
  remember_reply (message, index, reply, words);
  return (PrOutcome){ .event = PR_EVENT_HELD, .words = words };
}

/* The route cannot sign in: it waits for that with all others, and nothing counts. */
static PrOutcome
await_sign_in (const PrAttempt *attempt, PrMessage *message, guint index, const PrReply *reply,
               const char *words)
{
  message->progress[index].state = PR_RECIPIENT_QUEUED;
  message->progress[index].due_us = attempt->now_us;
  remember_reply (message, index, reply, words);
  return (PrOutcome){ .event = PR_EVENT_DEFERRED, .words = words };
}

PrOutcome
pr_outcome_apply (const PrAttempt *attempt, PrMessage *message, guint index, const PrReply *reply)
{
  PrAttempt slowed = *attempt;
  PrAdvice advice;

  if (pr_reply_is_positive (reply))
    return deliver (attempt, message, index, reply);
  pr_provider_advise (attempt->provider, reply, &advice);
  switch (advice.kind)
    {
    case PR_ADVICE_RETRY: return defer (attempt, message, index, reply, advice.words);
    case PR_ADVICE_HOLD: return hold (message, index, reply, advice.words);
    case PR_ADVICE_BOUNCE: return fail (attempt, message, index, reply, advice.words);
    case PR_ADVICE_SIGN_IN: return await_sign_in (attempt, message, index, reply, advice.words);
    case PR_ADVICE_SLOW_DOWN:
      slowed.uncounted = TRUE;
      slowed.due_us = attempt->now_us + (gint64) advice.wait_s * G_USEC_PER_SEC;
      return defer (&slowed, message, index, reply, advice.words);
    case PR_ADVICE_NONE:
    default:
      return pr_reply_is_permanent (reply) ? fail (attempt, message, index, reply, attempt->words)
                                           : defer (attempt, message, index, reply, attempt->words);
    }
}

const char *
pr_outcome_report_to (const PrConfig *config, const PrMessage *message, guint index)
{
  const char *recipient = pr_envelope_recipient (message->envelope, index)->address;

  if (*message->envelope->sender != '\0')
    return message->envelope->sender;
  if (config->postmaster == NULL || strcmp (recipient, "postmaster") == 0 ||
      strcmp (recipient, config->postmaster) == 0)
    return NULL;
  return config->postmaster;
}

gboolean
pr_outcome_is_kept (const PrConfig *config, const PrMessage *message, guint index)
{
  return message->progress[index].state == PR_RECIPIENT_FAILED &&
         wants (pr_envelope_recipient (message->envelope, index), PR_NOTIFY_FAILURE) &&
         pr_outcome_report_to (config, message, index) == NULL;
}

gboolean
pr_outcome_leaves (const PrConfig *config, const PrMessage *message)
{
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    {
      PrRecipientState state = message->progress[i].state;

      if (state == PR_RECIPIENT_QUEUED || state == PR_RECIPIENT_HELD ||
          pr_outcome_is_kept (config, message, i))
        return FALSE;
    }
  return TRUE;
}
