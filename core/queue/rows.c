/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages and events as rows, both ways. What is read is not trusted: an envelope that is odd
 * gives odd text, never a crash. */
#include "queue/rows.h"

#include <string.h>

/* message.flags: bits 0-1 body type, 2 SMTPUTF8, 3-4 RET, 5 report, 6 REQUIRETLS, 7 TLS-Required:
 * No */
#define FLAG_UTF8 (1 << 2)
#define RET_SHIFT 3
#define FLAG_REPORT (1 << 5)
#define FLAG_REQUIRES_TLS (1 << 6)
#define FLAG_WAIVES_TLS (1 << 7)

#define N_EVENT_STRINGS 6

static gint64
get_flags (const PrMessage *message)
{
  const PrEnvelope *e = message->envelope;

  return (gint64) e->body | (e->smtputf8 ? FLAG_UTF8 : 0) | (gint64) e->ret << RET_SHIFT |
         (message->is_report ? FLAG_REPORT : 0) | (e->requires_tls ? FLAG_REQUIRES_TLS : 0) |
         (e->waives_tls ? FLAG_WAIVES_TLS : 0);
}

static void
set_flags (PrMessage *message, gint64 flags)
{
  PrEnvelope *e = message->envelope;

  e->body = (PrBodyType) MIN (flags & 3, PR_BODY_BINARYMIME);
  e->smtputf8 = (flags & FLAG_UTF8) != 0;
  e->ret = (PrRet) MIN (flags >> RET_SHIFT & 3, PR_RET_HDRS);
  message->is_report = (flags & FLAG_REPORT) != 0;
  e->requires_tls = (flags & FLAG_REQUIRES_TLS) != 0;
  e->waives_tls = (flags & FLAG_WAIVES_TLS) != 0;
}

int
pr_rows_insert_recipients (PrDatabase *db, const PrMessage *message)
{
  sqlite3_stmt *s = db->statements[PR_SQL_INSERT_RECIPIENT];
  int code = SQLITE_OK;

  pr_sql_bind_int (s, 1, message->id);
  for (guint i = 0; i < message->envelope->recipients->len && code == SQLITE_OK; i++)
    {
      const PrRecipient *r = pr_envelope_recipient (message->envelope, i);
      const PrProgress *p = &message->progress[i];

      pr_sql_bind_int (s, 2, i);
      pr_sql_bind_int (s, 3, p->state);
      pr_sql_bind_int (s, 4, p->attempts);
      pr_sql_bind_int (s, 5, p->due_us);
      pr_sql_bind_int (s, 6, r->notify);
      pr_sql_bind_int (s, 7, p->warned);
      pr_sql_bind_text (s, 8, p->hop != NULL ? p->hop : "");
      pr_sql_bind_text (s, 9, r->address);
      pr_sql_bind_text (s, 10, r->orcpt);
      pr_sql_bind_text (s, 11, p->last_reply);
      code = pr_sql_run (s);
    }

  return code;
}

int
pr_rows_insert (PrDatabase *db, const PrMessage *message)
{
  sqlite3_stmt *s = db->statements[PR_SQL_INSERT_MESSAGE];
  const PrEnvelope *e = message->envelope;
  int code;

  pr_sql_bind_int (s, 1, message->id);
  pr_sql_bind_int (s, 2, message->received_us);
  pr_sql_bind_int (s, 3, (gint64) message->size_octets);
  pr_sql_bind_int (s, 4, get_flags (message));
  pr_sql_bind_text (s, 5, e->sender != NULL ? e->sender : "");
  pr_sql_bind_text (s, 6, e->envid);
  pr_sql_bind_text (s, 7, message->client);
  pr_sql_bind_text (s, 8, message->user);
  pr_sql_bind_text (s, 9, message->spool);
  if (message->spool == NULL && message->body != NULL)
    {
      gsize len;
      const void *data = g_bytes_get_data (message->body, &len);

      sqlite3_bind_blob64 (s, 10, data != NULL ? data : "", len, SQLITE_STATIC);
    }
  else
    sqlite3_bind_null (s, 10);

  code = pr_sql_run (s);
  return code == SQLITE_OK ? pr_rows_insert_recipients (db, message) : code;
}

int
pr_rows_update (PrDatabase *db, gint64 id, guint index, const PrProgress *progress)
{
  sqlite3_stmt *s = db->statements[PR_SQL_UPDATE_RECIPIENT];

  pr_sql_bind_int (s, 1, id);
  pr_sql_bind_int (s, 2, index);
  pr_sql_bind_int (s, 3, progress->state);
  pr_sql_bind_int (s, 4, progress->attempts);
  pr_sql_bind_int (s, 5, progress->due_us);
  pr_sql_bind_int (s, 6, progress->warned);
  pr_sql_bind_text (s, 7, progress->hop != NULL ? progress->hop : "");
  pr_sql_bind_text (s, 8, progress->last_reply);

  return pr_sql_run (s);
}

static PrMessage *
new_from_row (sqlite3_stmt *s, gint64 id, PrEnvelope *envelope)
{
  PrMessage *message = pr_message_new (id, sqlite3_column_int64 (s, 0), envelope);

  message->size_octets = (guint64) sqlite3_column_int64 (s, 1);
  set_flags (message, sqlite3_column_int64 (s, 2));
  envelope->sender = pr_sql_dup_text (s, 3);
  envelope->envid = pr_sql_dup_text (s, 4);
  message->client = pr_sql_dup_text (s, 5);
  message->user = pr_sql_dup_text (s, 6);
  message->spool = pr_sql_dup_text (s, 7);

  return message;
}

static void
read_progress (sqlite3_stmt *s, PrProgress *out)
{
  gint64 state = sqlite3_column_int64 (s, 0);
  const char *hop = (const char *) sqlite3_column_text (s, 5);

  out->state = (PrRecipientState) CLAMP (state, PR_RECIPIENT_QUEUED, PR_RECIPIENT_FAILED);
  out->attempts = (guint) sqlite3_column_int64 (s, 1);
  out->due_us = sqlite3_column_int64 (s, 2);
  out->warned = sqlite3_column_int (s, 4) != 0;
  out->hop = hop != NULL && *hop != '\0' ? g_strdup (hop) : NULL;
  out->last_reply = pr_sql_dup_text (s, 8);
}

int
pr_rows_load (sqlite3_stmt *messages, sqlite3_stmt *recipients, gint64 id, PrMessage **out)
{
  g_autoptr (GArray) progress = g_array_new (FALSE, TRUE, sizeof (PrProgress));
  PrEnvelope *envelope;
  int code;

  *out = NULL;
  pr_sql_bind_int (messages, 1, id);
  if (!pr_sql_next (messages, &code))
    return code;

  envelope = pr_envelope_new ();
  pr_sql_bind_int (recipients, 1, id);
  while (pr_sql_next (recipients, &code))
    {
      const char *address = (const char *) sqlite3_column_text (recipients, 6);

      pr_envelope_add_recipient (envelope, address != NULL ? address : "",
                                 (PrNotify) sqlite3_column_int (recipients, 3),
                                 (const char *) sqlite3_column_text (recipients, 7));
      g_array_set_size (progress, progress->len + 1);
      read_progress (recipients, &g_array_index (progress, PrProgress, progress->len - 1));
    }

  *out = new_from_row (messages, id, envelope);
  sqlite3_reset (messages);
  if (progress->len > 0)
    memcpy ((*out)->progress, progress->data, progress->len * sizeof (PrProgress));
  if (code != SQLITE_OK)
    g_clear_pointer (out, pr_message_unref);

  return code;
}

/* The event's string fields, so that copying and counting cannot forget one. */
static void
list_strings (PrEvent *event, const char ***fields)
{
  fields[0] = &event->peer;
  fields[1] = &event->sender;
  fields[2] = &event->address;
  fields[3] = &event->route;
  fields[4] = &event->text;
  fields[5] = &event->tls;
}

gsize
pr_event_get_octets (const PrEvent *event)
{
  PrEvent copy = *event;
  const char **fields[N_EVENT_STRINGS];
  gsize octets = 64; /* numbers, headers of the row, its share of the page and of the index */

  list_strings (&copy, fields);
  for (guint i = 0; i < N_EVENT_STRINGS; i++)
    if (*fields[i] != NULL)
      octets += strlen (*fields[i]);

  return octets;
}

PrEvent *
pr_event_dup (const PrEvent *event)
{
  PrEvent copy = *event, *result;
  const char **fields[N_EVENT_STRINGS];
  gsize lens[N_EVENT_STRINGS], total = sizeof *result;
  char *end;

  list_strings (&copy, fields);
  for (guint i = 0; i < N_EVENT_STRINGS; i++)
    {
      lens[i] = *fields[i] != NULL ? strlen (*fields[i]) + 1 : 0;
      total += lens[i];
    }

  result = g_malloc (total);
  end = (char *) (result + 1);
  for (guint i = 0; i < N_EVENT_STRINGS; i++)
    if (*fields[i] != NULL)
      {
        *fields[i] = memcpy (end, *fields[i], lens[i]);
        end += lens[i];
      }
  *result = copy;

  return result;
}

static void
bind_number (sqlite3_stmt *s, int index, gint64 number)
{
  if (number == 0)
    sqlite3_bind_null (s, index);
  else
    pr_sql_bind_int (s, index, number);
}

int
pr_rows_insert_event (PrDatabase *db, const PrEvent *event)
{
  sqlite3_stmt *s = db->statements[PR_SQL_INSERT_EVENT];

  pr_sql_bind_int (s, 1, event->id);
  pr_sql_bind_int (s, 2, event->id - event->time_us);
  pr_sql_bind_int (s, 3, event->kind);
  bind_number (s, 4, event->message);
  bind_number (s, 5, (gint64) event->session);
  bind_number (s, 6, event->code);
  bind_number (s, 7, (gint64) event->size_octets);
  pr_sql_bind_text (s, 8, event->peer);
  pr_sql_bind_text (s, 9, event->sender);
  pr_sql_bind_text (s, 10, event->address);
  pr_sql_bind_text (s, 11, event->route);
  pr_sql_bind_text (s, 12, event->text);
  pr_sql_bind_text (s, 13, event->tls);

  return pr_sql_run (s);
}

PrEvent *
pr_rows_load_event (sqlite3_stmt *s)
{
  PrEvent event = { 0 };

  event.id = sqlite3_column_int64 (s, 0);
  event.time_us = event.id - sqlite3_column_int64 (s, 1);
  event.kind = (PrEventKind) sqlite3_column_int (s, 2);
  event.message = sqlite3_column_int64 (s, 3);
  event.session = (guint64) sqlite3_column_int64 (s, 4);
  event.code = (guint) sqlite3_column_int (s, 5);
  event.size_octets = (guint64) sqlite3_column_int64 (s, 6);
  event.peer = (const char *) sqlite3_column_text (s, 7);
  event.sender = (const char *) sqlite3_column_text (s, 8);
  event.address = (const char *) sqlite3_column_text (s, 9);
  event.route = (const char *) sqlite3_column_text (s, 10);
  event.text = (const char *) sqlite3_column_text (s, 11);
  event.tls = (const char *) sqlite3_column_text (s, 12);

  return pr_event_dup (&event);
}
