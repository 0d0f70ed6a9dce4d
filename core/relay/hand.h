/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/message.h"

G_BEGIN_DECLS

/**
 * PrHand: what the runner has in hand: messages, each with its works. A work is one message's
 * recipients for one next hop, from the moment they are due until their outcome is committed. A
 * recipient in hand is never taken a second time; nothing here is written anywhere, so that a
 * crash loses none of it. One thread.
 *
 *   PrParcel (a message) ──► PrWork (hop A: recipients 0, 2)
 *                        ──► PrWork (hop B: recipient 1)
 */
typedef struct _PrHand PrHand;
typedef struct _PrParcel PrParcel;
typedef struct _PrWork PrWork;
typedef struct _PrHop PrHop;
typedef struct _PrDelivery PrDelivery;

typedef enum
{
  PR_WORK_WAITING,   /* in its hop's queue */
  PR_WORK_SENDING,   /* a delivery has it */
  PR_WORK_RECORDING, /* the outcome is on its way to the disk */
} PrWorkState;

struct _PrParcel
{
  PrMessage *message; /* owned reference; all works change the progress of this one object */
  PrWork *works;      /* owned list, by sibling */
  guint64 few;        /* which recipients are in hand, one bit each; */
  guint8 *many;       /* owned: or one octet each where they are more than 64 */
  gboolean doomed;    /* a person deleted it */
  gboolean recalled;  /* a work that returns leaves the hand */
};

struct _PrWork
{
  PrParcel *parcel;    /* borrowed */
  PrHop *hop;          /* borrowed */
  PrWork *sibling;     /* of the same parcel */
  PrWork *next, *prev; /* in the hop's queue while waiting */
  PrWorkState state;
  guint n_indexes;
  guint *indexes;                        /* owned unless it is &only */
  guint only;                            /* room for the one recipient that most messages have */
  struct _PrPacer *pacer;                /* borrowed, nullable: it counts as under way there, */
  guint n_paced;                         /* with so many recipients */
  guint n_broken;                        /* connections that broke under it without an answer */
  PrDelivery *delivery;                  /* borrowed, while sending */
  GPtrArray *reports;                    /* owned, nullable: messages to record with it */
  gpointer owner;                        /* borrowed: the runner, for callbacks */
  void (*recorded) (gpointer user_data); /* (nullable) after the commit */
  gpointer recorded_data;
  gboolean leaves; /* recording: the message leaves the queue */
};

PrHand *pr_hand_new (void);
/* Gives all works back: nothing of them is recorded. */
void pr_hand_free (PrHand *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrHand, pr_hand_free)

PrParcel *pr_hand_find (PrHand *self, gint64 id); /* NULL: not in hand */
gboolean pr_hand_has (PrHand *self, gint64 id, guint index);
guint pr_hand_count (PrHand *self); /* recipients */

/* A new work of @message (or of the object that is in hand for its id, which then counts) for
 * recipients @indexes, none of them in hand. Waiting, in no queue yet. */
PrWork *pr_hand_add (PrHand *self, PrMessage *message, PrHop *hop, const guint *indexes,
                     guint n_indexes);
/* One more recipient for a waiting work. */
void pr_hand_extend (PrHand *self, PrWork *work, guint index);
/* Keeps the first @n recipients in @work; the others become a work of their own. */
PrWork *pr_hand_split (PrHand *self, PrWork *work, guint n);
/* Frees @work, and its parcel with the last one. It is in no queue any more. */
void pr_hand_remove (PrHand *self, PrWork *work);

/* A FIFO of waiting works. Zero-initialised is empty. */
typedef struct
{
  PrWork *first, *last;
  guint n_works;
} PrWorkQueue;

void pr_work_queue_push (PrWorkQueue *self, PrWork *work);
void pr_work_queue_push_front (PrWorkQueue *self, PrWork *work);
void pr_work_queue_remove (PrWorkQueue *self, PrWork *work);

G_END_DECLS
