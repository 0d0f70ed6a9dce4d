/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/local.h"

#include "relay/hop.h"
#include "relay/maildir.h"
#include "relay/prepare.h"
#include "relay/record.h"
#include "net/worker.h"

#define MAX_TASKS 4 /* of one Maildir: more than the threads, so that they never wait for us */

static void
discard (PrHop *hop)
{
  PrRecordFacts facts = { .hop_is_last = TRUE };
  PrReply reply = { 0 };
  PrWork *work;

  pr_reply_set (&reply, 250, "2.0.0", "Discarded, as the route says");
  while ((work = pr_hop_next_work (hop, G_MAXUINT)) != NULL)
    pr_record_results (hop->runner, work, &reply, TRUE, &facts);
  pr_reply_clear (&reply);
}

/* ── Maildir ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrWork *work;       /* borrowed: in hand until it is recorded */
  PrHop *hop;         /* borrowed: stays while it has work in hand */
  PrPrepare *prepare; /* owned */
  PrMaildirMessage message;
  PrConfig *config;        /* owned reference: folder and hostname are its */
  GPtrArray *delivered_to; /* owned: of char, borrowed from the message */
  GError *error;           /* owned, nullable */
} Task;

static void
free_task (gpointer data)
{
  Task *task = data;

  pr_prepare_free (task->prepare);
  g_ptr_array_unref (task->delivered_to);
  pr_config_unref (task->config);
  g_clear_error (&task->error);
  g_free (task);
}

static void
finish (Task *task)
{
  PrHop *hop = task->hop;
  PrRecordFacts facts = { .peer = task->message.folder, .hop_is_last = TRUE };
  PrReply reply = { 0 };

  hop->n_tasks--;
  if (task->error == NULL)
    {
      pr_reply_set (&reply, 250, "2.0.0", "Delivered to the Maildir");
      pr_hop_note_success (hop, task->message.folder);
      pr_record_results (hop->runner, task->work, &reply, TRUE, &facts);
    }
  else
    {
      /* A folder that cannot be written fails for what waits as well. */
      pr_reply_set (&reply, 0, "4.2.0", task->error->message);
      pr_hop_return_work (hop, task->work);
      pr_hop_fail (hop, &reply, task->message.folder, FALSE);
    }
  pr_reply_clear (&reply);
  pr_hop_pump (hop);
  pr_runner_check_stopped (hop->runner);
}

static void
deliver (gpointer data)
{
  Task *task = data;

  pr_maildir_deliver (&task->message, &task->error);
}

static void
on_delivered (gpointer data)
{
  finish (data);
}

static void
on_text (const PrPrepared *result, const GError *error, gpointer user_data)
{
  Task *task = user_data;

  if (error != NULL)
    {
      task->error = g_error_copy (error);
      finish (task);
      free_task (task);
      return;
    }
  task->message.bytes = result->bytes;
  task->message.path = result->path;
  pr_worker_run (task->hop->runner->worker, deliver, on_delivered, task, free_task);
}

static void
begin (PrHop *hop, PrWork *work)
{
  Task *task = g_new0 (Task, 1);
  PrMessage *message = work->parcel->message;

  task->work = work;
  task->hop = hop;
  task->config = pr_config_ref (hop->runner->config);
  task->delivered_to = g_ptr_array_new ();
  for (guint i = 0; i < work->n_indexes; i++)
    g_ptr_array_add (task->delivered_to,
                     pr_envelope_recipient (message->envelope, work->indexes[i])->address);
  g_ptr_array_add (task->delivered_to, NULL);
  task->message.folder = hop->route->path;
  task->message.hostname = task->config->hostname;
  task->message.sender = message->envelope->sender;
  task->message.delivered_to = (const char *const *) task->delivered_to->pdata;
  hop->n_tasks++;
  task->prepare = pr_prepare_text (hop->runner, message, on_text, task);
  pr_prepare_start (task->prepare);
}

void
pr_local_pump (PrHop *hop)
{
  PrWork *work;

  if (hop->route->via == PR_VIA_DISCARD)
    discard (hop);
  else
    while (hop->n_tasks < MAX_TASKS && (work = pr_hop_next_work (hop, G_MAXUINT)) != NULL)
      begin (hop, work);
}
