/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened: kept, told, counted. */

#include "journal/journal.h"

typedef struct
{
  guint token; /* 0: left while events were being told */
  PrJournalFollower func;
  gpointer user_data;
} Follower;

struct _PrJournal
{
  PrStore *store;    /* borrowed */
  GArray *followers; /* owned, of Follower */
  guint last_token;
  gboolean telling;
  gboolean logs; /* somebody asked for a line for each event */
  PrJournalCounts counts;
};

PrJournal *
pr_journal_new (PrStore *store)
{
  PrJournal *self = g_new0 (PrJournal, 1);

  self->store = store;
  self->followers = g_array_new (FALSE, FALSE, sizeof (Follower));
  self->logs = !g_log_writer_default_would_drop (G_LOG_LEVEL_INFO, G_LOG_DOMAIN);

  return self;
}

void
pr_journal_free (PrJournal *self)
{
  g_array_unref (self->followers);
  g_free (self);
}

/* ── Text ─────────────────────────────────────────────────────────────────────────────────── */

char *
pr_journal_format (const PrEvent *event)
{
  GString *line = g_string_new (pr_event_kind_to_string (event->kind));
  char id[PR_ID_LEN + 1];

  if (event->message != 0)
    g_string_append_printf (line, " %s", pr_id_format (event->message, id));
  if (event->sender != NULL)
    g_string_append_printf (line, " from <%s>", event->sender);
  if (event->address != NULL)
    g_string_append_printf (line, " to <%s>", event->address);
  if (event->peer != NULL)
    g_string_append_printf (line, " %s %s", event->route != NULL ? "at" : "by", event->peer);
  if (event->route != NULL)
    g_string_append_printf (line, " on route %s", event->route);
  if (event->size_octets != 0)
    g_string_append_printf (line, " (%" G_GUINT64_FORMAT " octets)", event->size_octets);
  if (event->code != 0)
    g_string_append_printf (line, ": %u", event->code);
  if (event->text != NULL)
    g_string_append_printf (line, "%s%s", event->code != 0 ? " " : ": ", event->text);

  return g_string_free (line, FALSE);
}

/* ── Telling ──────────────────────────────────────────────────────────────────────────────── */

static void
count (PrJournal *self, PrEventKind kind)
{
  if (kind == PR_EVENT_ACCEPTED)
    self->counts.n_received++;
  else if (kind == PR_EVENT_DELIVERED)
    self->counts.n_delivered++;
  else if (kind == PR_EVENT_DEFERRED)
    self->counts.n_deferred++;
  else if (kind == PR_EVENT_FAILED)
    self->counts.n_failed++;
  else if (kind == PR_EVENT_REFUSED)
    self->counts.n_refused++;
}

/* What a person should find in the log even when nobody asked for every event. */
static gboolean
is_notable (PrEventKind kind)
{
  return kind == PR_EVENT_FAILED || kind == PR_EVENT_HOP_FAILED ||
         kind == PR_EVENT_SIGN_IN_NEEDED || kind == PR_EVENT_SIGN_IN_UNKEPT ||
         kind == PR_EVENT_SIGN_IN_KEPT || kind == PR_EVENT_HOP_RECOVERED ||
         kind == PR_EVENT_SPACE_LOW || kind == PR_EVENT_SPACE_OK;
}

static void
write_log (PrJournal *self, const PrEvent *event)
{
  g_autofree char *line = NULL;

  if (!self->logs && !is_notable (event->kind))
    return;

  line = pr_journal_format (event);
  if (is_notable (event->kind))
    g_message ("%s", line);
  else
    g_info ("%s", line);
}

static void
sweep (PrJournal *self)
{
  for (guint i = self->followers->len; i > 0; i--)
    if (g_array_index (self->followers, Follower, i - 1).token == 0)
      g_array_remove_index (self->followers, i - 1);
}

/* Everything but keeping; @event is clean. */
static void
spread (PrJournal *self, const PrEvent *event)
{
  guint n = self->followers->len;

  count (self, event->kind);
  write_log (self, event);
  if (n == 0)
    return;

  self->telling = TRUE;
  for (guint i = 0; i < n; i++)
    {
      Follower follower = g_array_index (self->followers, Follower, i);

      if (follower.token != 0)
        follower.func (event, follower.user_data);
    }
  self->telling = FALSE;
  sweep (self);
}

static void
take (PrJournal *self, const PrEvent *event, gboolean keep)
{
  g_autofree char *peer = NULL, *sender = NULL, *address = NULL, *text = NULL, *tls = NULL;
  PrEvent copy = *event;

  copy.peer = pr_event_clean_text (event->peer, &peer);
  copy.sender = pr_event_clean_text (event->sender, &sender);
  copy.address = pr_event_clean_text (event->address, &address);
  copy.text = pr_event_clean_text (event->text, &text);
  copy.tls = pr_event_clean_text (event->tls, &tls);
  if (copy.time_us == 0)
    copy.time_us = g_get_real_time ();

  if (keep)
    copy.id = pr_store_add_event (self->store, &copy);
  spread (self, &copy);
}

void
pr_journal_add (PrJournal *self, const PrEvent *event)
{
  take (self, event, TRUE);
}

void
pr_journal_tell (PrJournal *self, const PrEvent *event)
{
  take (self, event, FALSE);
}

guint
pr_journal_follow (PrJournal *self, PrJournalFollower func, gpointer user_data)
{
  Follower follower = { ++self->last_token, func, user_data };

  g_array_append_val (self->followers, follower);
  return follower.token;
}

void
pr_journal_unfollow (PrJournal *self, guint token)
{
  for (guint i = 0; i < self->followers->len; i++)
    {
      Follower *follower = &g_array_index (self->followers, Follower, i);

      if (follower->token == token)
        follower->token = 0;
    }
  if (!self->telling)
    sweep (self);
}

void
pr_journal_get_counts (const PrJournal *self, PrJournalCounts *out)
{
  *out = self->counts;
}
