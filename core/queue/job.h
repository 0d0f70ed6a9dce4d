/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/store.h"

G_BEGIN_DECLS

typedef struct _PrJob PrJob;
typedef struct _PrWriter PrWriter;

typedef enum
{
  PR_JOB_READS = 1 << 0,  /* changes nothing: asks for no flush, and works on a full disk */
  PR_JOB_KEEPS = 1 << 1,  /* what happened cannot unhappen: tried again until it is recorded, and
                             nobody waits for it */
  PR_JOB_BRINGS = 1 << 2, /* new mail: not while the room kept for records is in use */
} PrJobFlags;

/* A kind of operation. The operations embed a PrJob as their first member. */
typedef struct
{
  /* In the writer's thread, inside a transaction; returns an SQLite code. Runs again after a
   * rollback, so it starts from nothing each time. */
  int (*run) (PrJob *job, PrWriter *writer);
  /* In the writer's thread, when a step that set again is committed: (nullable). */
  void (*stepped) (PrJob *job);
  /* In the owner's thread. */
  void (*reply) (PrJob *job, const GError *error);
  /* In the owner's thread, after the reply. */
  void (*free) (PrJob *job);
  PrJobFlags flags;
} PrJobClass;

struct _PrJob
{
  PrJob *next;
  const PrJobClass *klass;
  PrStore *store;    /* borrowed: jobs end before it does */
  gsize cost_octets; /* what it adds to the transaction, about */
  gboolean again;    /* set by run: one step was done, another is wanted */
  gint n_files;      /* atomic: spool files still being flushed before it may enter the writer */
  GError *error;     /* owned, nullable: how it ended */
};

/* An intrusive list: handing one over costs no memory and one lock. */
typedef struct
{
  PrJob *head, *tail;
} PrJobList;

static inline void
pr_job_list_push (PrJobList *list, PrJob *job)
{
  job->next = NULL;
  if (list->tail != NULL)
    list->tail->next = job;
  else
    list->head = job;
  list->tail = job;
}

static inline PrJob *
pr_job_list_pop (PrJobList *list)
{
  PrJob *job = list->head;

  if (job != NULL)
    {
      list->head = job->next;
      if (list->head == NULL)
        list->tail = NULL;
      job->next = NULL;
    }
  return job;
}

/* Moves all of @from behind @to. */
static inline void
pr_job_list_append (PrJobList *to, PrJobList *from)
{
  if (from->head == NULL)
    return;
  if (to->tail != NULL)
    to->tail->next = from->head;
  else
    to->head = from->head;
  to->tail = from->tail;
  from->head = from->tail = NULL;
}

/* The same for events on their way to a transaction. */
typedef struct _PrEventNode PrEventNode;
struct _PrEventNode
{
  PrEventNode *next;
  PrEvent *event; /* owned: one block */
};

typedef struct
{
  PrEventNode *head, *tail;
  guint n;
} PrEventList;

/* Takes @event. */
static inline void
pr_event_list_push (PrEventList *list, PrEvent *event)
{
  PrEventNode *node = g_new (PrEventNode, 1);

  node->next = NULL;
  node->event = event;
  if (list->tail != NULL)
    list->tail->next = node;
  else
    list->head = node;
  list->tail = node;
  list->n++;
}

static inline PrEvent *
pr_event_list_pop (PrEventList *list)
{
  PrEventNode *node = list->head;
  PrEvent *event;

  if (node == NULL)
    return NULL;

  list->head = node->next;
  if (list->head == NULL)
    list->tail = NULL;
  list->n--;
  event = node->event;
  g_free (node);
  return event;
}

static inline void
pr_event_list_append (PrEventList *to, PrEventList *from)
{
  if (from->head == NULL)
    return;
  if (to->tail != NULL)
    to->tail->next = from->head;
  else
    to->head = from->head;
  to->tail = from->tail;
  to->n += from->n;
  from->head = from->tail = NULL;
  from->n = 0;
}

static inline void
pr_event_list_clear (PrEventList *list)
{
  PrEvent *event;

  while ((event = pr_event_list_pop (list)) != NULL)
    g_free (event);
}

G_END_DECLS
