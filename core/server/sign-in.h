/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"
#include "journal/journal.h"
#include "net/loop.h"
#include "queue/store.h"
#include "smtp/sasl.h"
#include "smtp/verdict.h"

G_BEGIN_DECLS

/**
 * PrSignIns: what becomes of those who sign in, for one server: passwords are checked in threads of
 * their own, wrong ones are counted and their answers wait, and who is wrong too often is refused
 * for a while, also after a restart. Owner's thread only.
 */
typedef struct _PrSignIns PrSignIns;

/* All borrowed, outlive it. Asks @store for what it knew before. */
PrSignIns *pr_sign_ins_new (PrLoop *loop, PrStore *store, PrJournal *journal);
/* The store was closed, or outlives it. */
void pr_sign_ins_free (PrSignIns *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSignIns, pr_sign_ins_free)

/* At connect: ACCEPT, or 421 while the client is refused. */
PrVerdict pr_sign_ins_check_client (PrSignIns *self, const PrIp *client);
/* For secrets of users who do not exist. Borrowed. */
GBytes *pr_sign_ins_get_key (PrSignIns *self);

/* One that is not answered yet. Zero-initialised is none. Embed it; it must not move. */
typedef struct
{
  PrSignIns *owner; /* borrowed */
  PrIp client;
  guint64 session;
  char *user;             /* owned */
  struct _PrTrial *trial; /* borrowed, while a thread has it */
  PrTimer timer;          /* while a wrong answer waits */
  PrVerdict verdict;      /* what is said then */
  void (*done) (gpointer user_data, PrVerdict verdict);
  gpointer user_data;
} PrSignIn;

/* As the session's handler asks it: @check (transfer full) (nullable). @done may come as soon as on
 * the next turn, never before this returns, unless the verdict is not PENDING: then never. */
PrVerdict pr_sign_in_begin (PrSignIn *self, PrSignIns *owner, const PrIp *client, guint64 session,
                            const char *user, PrSaslCheck *check, gboolean is_proven,
                            void (*done) (gpointer user_data, PrVerdict verdict),
                            gpointer user_data);
/* The client has gone: @done is not called any more. What was wrong still counts. */
void pr_sign_in_cancel (PrSignIn *self);

G_END_DECLS
