/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/notices.h"

#include <string.h>

#include "relay/bucket.h"
#include "relay/outcome.h"

#define KINDS 4
#define READ_MAX (1024 * 1024)

typedef struct
{
  PrReportKind kind;
  guint index;
  PrReply reply;
  char *words; /* owned, nullable */
} Item;

struct _PrNotices
{
  PrRunner *runner; /* borrowed */
  PrWork *work;     /* borrowed: in hand until it is recorded */
  char *peer;       /* owned, nullable */
  void (*done) (PrWork *work);
  GArray *items;    /* owned, of Item */
  GByteArray *head; /* owned: what was read of the original */
  gsize head_size;  /* how much is wanted */
};

static void
clear_item (gpointer data)
{
  Item *item = data;

  pr_reply_clear (&item->reply);
  g_free (item->words);
}

static void
free_notices (PrNotices *self)
{
  g_array_unref (self->items);
  g_byte_array_unref (self->head);
  g_free (self->peer);
  g_free (self);
}

static void
add_event (PrNotices *self, PrReportKind kind, const PrMessage *report)
{
  static const PrEventKind events[KINDS] = {
    [PR_REPORT_FAILED] = PR_EVENT_BOUNCED,
    [PR_REPORT_DELAYED] = PR_EVENT_WARNED,
    [PR_REPORT_DELIVERED] = PR_EVENT_EXPANDED,
    [PR_REPORT_RELAYED] = PR_EVENT_EXPANDED,
  };
  char id[PR_ID_LEN + 1];
  PrEvent event = {
    .kind = events[kind],
    .message = self->work->parcel->message->id,
    .address = pr_envelope_recipient (report->envelope, 0)->address,
    .text = pr_id_format (report->id, id),
  };

  pr_journal_add (self->runner->journal, &event);
}

static void
make_report (PrNotices *self, PrReportKind kind, GBytes *head)
{
  PrRunner *runner = self->runner;
  PrMessage *message = self->work->parcel->message;
  g_autoptr (GArray) recipients = g_array_new (FALSE, FALSE, sizeof (PrReportRecipient));
  PrReportFacts facts = {
    .kind = kind,
    .original = message,
    .head = head,
    .hostname = runner->config->hostname,
    .now_us = g_get_real_time (),
    .give_up_us = message->received_us + (gint64) runner->config->give_up_s * G_USEC_PER_SEC,
  };
  PrMessage *report;

  for (guint i = 0; i < self->items->len; i++)
    {
      const Item *item = &g_array_index (self->items, Item, i);
      PrReportRecipient recipient = {
        .index = item->index,
        .reply = &item->reply,
        .remote = item->reply.is_own ? NULL : self->peer,
        .words = item->words,
      };

      if (item->kind == kind)
        g_array_append_val (recipients, recipient);
    }
  if (recipients->len == 0)
    return;

  facts.recipients = &g_array_index (recipients, PrReportRecipient, 0);
  facts.n_recipients = recipients->len;
  facts.to = pr_outcome_report_to (runner->config, message, facts.recipients[0].index);
  report = pr_report_new (&facts, pr_store_get_ids (runner->store));
  pr_bucket_assign (runner->config, report);
  add_event (self, kind, report);
  g_ptr_array_add (self->work->reports, report);
}

static void
finish (PrNotices *self)
{
  g_autoptr (GBytes) head =
    self->head->len > 0 ? g_bytes_new (self->head->data, self->head->len) : NULL;

  self->work->reports = g_ptr_array_new_with_free_func ((GDestroyNotify) pr_message_unref);
  for (guint kind = 0; kind < KINDS; kind++)
    make_report (self, (PrReportKind) kind, head);
  self->done (self->work);
  free_notices (self);
}

/* A body that cannot be read must not keep its sender from hearing: the report goes without. */
static void
on_read (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  PrNotices *self = user_data;

  self->runner->n_store_calls--;
  if (chunk != NULL && error == NULL)
    {
      gsize len;
      const guint8 *data = g_bytes_get_data (chunk, &len);

      g_byte_array_append (self->head, data, (guint) len);
    }
  if (error != NULL || last || self->head->len >= self->head_size)
    finish (self);
  else
    pr_notices_run (self);
}

PrNotices *
pr_notices_new (PrRunner *runner, PrWork *work, const char *peer, void (*done) (PrWork *work))
{
  PrNotices *self = g_new0 (PrNotices, 1);

  self->runner = runner;
  self->work = work;
  self->peer = g_strdup (peer);
  self->done = done;
  self->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (self->items, clear_item);
  self->head = g_byte_array_new ();
  return self;
}

void
pr_notices_add (PrNotices *self, PrReportKind kind, guint index, const PrReply *reply,
                const char *words)
{
  Item item = { .kind = kind, .index = index, .words = g_strdup (words) };
  gsize wanted = pr_report_get_head_size (kind, self->work->parcel->message);

  pr_reply_copy (&item.reply, reply);
  g_array_append_val (self->items, item);
  self->head_size = MAX (self->head_size, wanted);
}

void
pr_notices_run (PrNotices *self)
{
  gsize left = self->head_size - self->head->len;

  if (left == 0)
    {
      finish (self);
      return;
    }
  self->runner->n_store_calls++;
  pr_store_read_body (self->runner->store, self->work->parcel->message, self->head->len,
                      MIN (left, READ_MAX), on_read, self);
}
