/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/id.h"
#include "queue/event.h"
#include "queue/message.h"

G_BEGIN_DECLS

/**
 * PrStore: messages, recipients and events, safe on disk. The only door to the database: a
 * store over another database implements these calls and nothing outside core/queue changes.
 *
 * Calls return at once and never touch the disk on the caller's thread. One writer thread takes
 * everything that was asked since its last commit into ONE transaction (at most 512 operations
 * or 4 MiB) and answers all of it; callbacks come on the context given to pr_store_open, in the
 * order of the calls, after the commit. Listings are answered by a reader thread from a
 * snapshot. Owner's thread only, unless a call says otherwise.
 */
typedef struct _PrStore PrStore;

/* @error: (nullable): TEMPORARY (no space, disk error): nothing of the call happened. */
typedef void (*PrStoreDone) (const GError *error, gpointer user_data);

/* Blocking: opens or creates home/queue.db and home/body, migrates, takes the home's lock, sweeps
 * spool files that no row names. Errors: BUSY (another process), NEWER, DAMAGED (files are left
 * untouched), PERMANENT (cannot be created). */
PrStore *pr_store_open (const char *home, GMainContext *context, GError **error);
/* Commits what was asked, also what callbacks ask meanwhile, answers it (callbacks run before this
 * returns), closes. Blocking; not from within a callback of the store. Spools must be gone. A
 * record that the disk does not take after some tries is answered with an error: that mail may be
 * sent twice. */
void pr_store_close (PrStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrStore, pr_store_close)

PrIdSource *pr_store_get_ids (PrStore *self); /* one source, seeded above all ids ever used */

/* ── Arriving ─────────────────────────────────────────────────────────────────────────────── */

/* Inserts @message (referenced) with its recipients and, when it has a spool file, after that
 * file and its folder were flushed by the pool. @done without error: the message is safe on disk
 * (RFC 5321 §6.1) and listed. With error: nothing of it is left, the spool file included, so that
 * such a message cannot be put again.
 * @event: (nullable) copied: written in the same transaction, or not at all. Returns its id, 0
 * without one. */
gint64 pr_store_put (PrStore *self, PrMessage *message, const PrEvent *event, PrStoreDone done,
                     gpointer user_data);

/* Space: the free octets of the home's file system, refreshed once a second by the writer while
 * messages arrive. Any thread. */
guint64 pr_store_get_free_space (PrStore *self);

/* ── Going ────────────────────────────────────────────────────────────────────────────────── */

/* The outcome of an attempt, or of a person's order, as the caller has set it in
 * message->progress: writes the progress of the recipients @indexes (n) of @message and adds
 * @reports (n, nullable, referenced: bounces and notices, whole messages) in the same transaction,
 * so that a bounce exists exactly once. When no recipient is queued or held and none is
 * FAILED-and-kept, the message leaves the queue with its recipients, body and spool file: say so
 * with @leaves. What happened cannot unhappen: on a disk that does not take it, it is kept and
 * tried again, and
 * @done comes that much later. With error: the spool file of a report could not be written, and
 * nothing was recorded; or the store closes. */
void pr_store_record (PrStore *self, PrMessage *message, const guint *indexes, guint n_indexes,
                      PrMessage *const *reports, guint n_reports, gboolean leaves, PrStoreDone done,
                      gpointer user_data);

/* A bucket with queued recipients and when its earliest is due. */
typedef struct
{
  const char *hop;
  gint64 due_us;
} PrStoreHop;
typedef void (*PrStoreHopsDone) (const PrStoreHop *hops, guint n, const GError *error,
                                 gpointer user_data);
/* All buckets, by an index skip scan: the cost grows with hops, not with messages. */
void pr_store_hops (PrStore *self, PrStoreHopsDone done, gpointer user_data);

typedef struct
{
  PrMessage *message; /* whole envelope and progress, no body; take a reference to keep */
  guint index;        /* the recipient that is due */
} PrStoreDue;
typedef void (*PrStoreDueDone) (const PrStoreDue *due, guint n, gint64 next_due_us,
                                const GError *error, gpointer user_data);
/* Up to @limit queued recipients of @hop due at or before @before_us, earliest first, and when the
 * earliest behind them is due (0: none). Answered by the writer in order with put and record, so
 * that nothing recorded before the call is seen as still due. Recipients the caller already has in
 * hand come again: it skips them. */
void pr_store_due (PrStore *self, const char *hop, gint64 before_us, guint limit,
                   PrStoreDueDone done, gpointer user_data);

typedef void (*PrStoreBodyDone) (GBytes *chunk, gboolean last, const GError *error,
                                 gpointer user_data);
/* Reads octets [offset, offset + len) of the body; len at most 1 MiB. @last: the body ends with
 * this chunk. From memory where @message->body is present (still answered on a later turn). */
void pr_store_read_body (PrStore *self, PrMessage *message, guint64 offset, gsize len,
                         PrStoreBodyDone done, gpointer user_data);

/* (transfer full): where the body of @message lies; NULL: not in a file. */
char *pr_store_get_spool_path (PrStore *self, const PrMessage *message);
/* (transfer full): a path for a file of the caller's own, in a folder that may not be there yet.
 * The caller removes the file; one that a crash left is swept at the next start. */
char *pr_store_new_spool_path (PrStore *self);

typedef void (*PrStoreMessageDone) (PrMessage *message, const GError *error, gpointer user_data);
/* One message by id with the whole envelope and progress; NULL without error: not there.
 * By the writer, in order. */
void pr_store_get (PrStore *self, gint64 id, PrStoreMessageDone done, gpointer user_data);

/* ── Looking ──────────────────────────────────────────────────────────────────────────────── */

typedef enum
{
  PR_ORDER_RECEIVED, /* by id */
  PR_ORDER_SENDER,
  PR_ORDER_SIZE,
  PR_ORDER_DUE,
} PrStoreOrder;

typedef struct
{
  const char *text; /* (nullable) part of sender, recipient or id, without case */
  const char *hop;  /* (nullable) bucket; "ROUTE" is all buckets of that route */
  int state;        /* -1: any; else a PrRecipientState that some recipient has */
  gint64 after;     /* only ids above this: by age, the next page; not counted, see below */
  PrStoreOrder order;
  gboolean descending;
} PrStoreFilter;

typedef void (*PrStoreListDone) (GPtrArray *messages, guint64 n_matching, guint64 revision,
                                 const GError *error, gpointer user_data);
/* Messages [offset, offset + limit) under @filter (copied), without bodies; limit at most 1,000.
 * @n_matching: all that match, 0 under @after. @revision: increases with each commit that changed
 * the queue. */
void pr_store_list (PrStore *self, const PrStoreFilter *filter, guint64 offset, guint limit,
                    PrStoreListDone done, gpointer user_data);
typedef void (*PrStoreIdsDone) (const gint64 *ids, guint n, const GError *error,
                                gpointer user_data);
/* The ids under @filter greater than @after, at most @limit (10,000): how orders for all walk. */
void pr_store_list_ids (PrStore *self, const PrStoreFilter *filter, gint64 after, guint limit,
                        PrStoreIdsDone done, gpointer user_data);

typedef struct
{
  guint64 n_messages, n_queued, n_held, n_failed; /* recipients but for the first */
  guint64 size_octets;                            /* of all bodies */
  guint64 revision;
  guint64 n_dropped_events; /* since start: see pr_store_add_event */
} PrStoreCounts;
/* Kept by the writer in memory, exact after each commit. Any thread. */
void pr_store_get_counts (PrStore *self, PrStoreCounts *out);

/* ── Orders of people (each is one transaction for many messages) ─────────────────────────── */

/* Removes messages whatever their state, with spool files. The caller has stopped deliveries. */
void pr_store_delete (PrStore *self, const gint64 *ids, guint n, PrStoreDone done,
                      gpointer user_data);
/* Deletes all messages under @filter in steps; @done after the last. */
void pr_store_delete_all (PrStore *self, PrStoreDone done, gpointer user_data);
/* Replaces envelope recipients and progress of @message (edited recipients). */
void pr_store_replace (PrStore *self, PrMessage *message, PrStoreDone done, gpointer user_data);
/* All recipients in state @from, of messages that exist now, go to @to, due at @due_us (0: as
 * before). In bounded steps. */
void pr_store_update_all (PrStore *self, PrRecipientState from, PrRecipientState to, gint64 due_us,
                          PrStoreDone done, gpointer user_data);

/* ── Small things by name ─────────────────────────────────────────────────────────────────── */

/* Keeps @value (copied) under @name through restarts; NULL forgets it. Names are paths, their first
 * part says whose they are: "sign-in/...". For some thousands of them. @done: (nullable). */
void pr_store_set_value (PrStore *self, const char *name, const char *value, PrStoreDone done,
                         gpointer user_data);
typedef struct
{
  const char *name, *value;
} PrStoreValue;
typedef void (*PrStoreValuesDone) (const PrStoreValue *values, guint n, const GError *error,
                                   gpointer user_data);
/* Those whose name begins with @prefix, in the order of their names, at most @limit. */
void pr_store_list_values (PrStore *self, const char *prefix, guint limit, PrStoreValuesDone done,
                           gpointer user_data);

/* ── Journal (core/journal is the only caller) ────────────────────────────────────────────── */

/* Adds one event, copied, to the next transaction. It does not wake the writer: an event rides with
 * the next put or record, or goes alone after at most a second, so that no message waits for the
 * disk twice. Strings as of pr_event_clean_text. Returns its id. Never blocks: under pressure (more
 * than 65,536 waiting) connection events are dropped first, and counted; then 0. */
gint64 pr_store_add_event (PrStore *self, const PrEvent *event);

typedef struct
{
  gint64 before_id;      /* newest first below this id; 0: from the end */
  gint64 after_id;       /* only above this id; 0: all */
  gint64 message;        /* 0: any */
  guint64 session;       /* 0: any */
  const char *text;      /* (nullable) part of address, sender, peer or text */
  guint64 kinds;         /* bit 1 << PrEventKind of each that counts; 0: any */
  gint64 from_us, to_us; /* 0: open */
} PrEventFilter;
typedef void (*PrStoreEventsDone) (const PrEvent *events, guint n, const GError *error,
                                   gpointer user_data);
/* Every event that was added before the call is there to be found: who follows what happens, and
 * then asks what was, misses nothing. */
void pr_store_events (PrStore *self, const PrEventFilter *filter, guint limit,
                      PrStoreEventsDone done, gpointer user_data);
/* What happened in one hour, counted as it happened. */
typedef struct
{
  gint64 begin_us; /* of the hour, UTC */
  guint64 n_received;
  guint64 n_delivered, n_deferred, n_failed; /* recipients */
  guint64 n_refused;
} PrStoreHour;
typedef void (*PrStoreHistoryDone) (const PrStoreHour *hours, guint n, const GError *error,
                                    gpointer user_data);
/* The hours since the one of @from_us in which something happened, oldest first; 32 days are
 * kept. Like all events, those of the last second may be missing. */
void pr_store_history (PrStore *self, gint64 from_us, PrStoreHistoryDone done, gpointer user_data);

/* Who sent mail. */
typedef struct
{
  const char *client; /* address */
  const char *user;   /* "": did not sign in */
  gint64 seen_us;     /* its last message */
  guint64 n_messages;
} PrStoreDevice;
typedef void (*PrStoreDevicesDone) (const PrStoreDevice *devices, guint n, const GError *error,
                                    gpointer user_data);
/* The last seen first; about 1,000 are kept. */
void pr_store_devices (PrStore *self, guint limit, PrStoreDevicesDone done, gpointer user_data);
/* Keeps what is younger than @keep_s and at most @max_octets of it; in small steps, when idle. */
void pr_store_set_retention (PrStore *self, guint64 keep_s, guint64 max_octets);

G_END_DECLS
