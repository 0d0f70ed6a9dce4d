/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/transcript.h"

G_BEGIN_DECLS

/**
 * PrLives: all conversations that are going on, inbound and outbound, for people to look at. A
 * connection embeds a PrLive and enters it; nothing is formatted until somebody asks. One thread.
 */
typedef struct _PrLives PrLives;
typedef struct _PrLive PrLive;

/* Filled on demand by the connection. Strings borrowed until the next turn, all but state and
 * peer nullable. */
typedef struct
{
  const char *peer;  /* "192.0.2.7:41234", "smtp.example.org:587 [192.0.2.9]" */
  const char *state; /* in words: "waiting for a command", "reading a message" */
  const char *name;  /* what EHLO said, or the next hop's greeting name */
  const char *user;
  const char *route;    /* outbound */
  const char *listener; /* inbound */
  const char *tls;
  guint64 octets_in, octets_out;
  guint n_messages;
} PrLiveFacts;

struct _PrLive
{
  PrLive *next, *prev;
  PrLives *set;      /* borrowed; NULL when not entered */
  guint64 id;        /* never 0, never repeats in a process */
  gint64 started_us; /* since the epoch */
  gboolean outbound;
  PrTranscript transcript;
  void (*describe) (PrLive *self, PrLiveFacts *out);
  /* A person wants it to end: politely (421, QUIT), on this turn or soon. */
  void (*disconnect) (PrLive *self);
};

PrLives *pr_lives_new (void);
void pr_lives_free (PrLives *self); /* must be empty */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrLives, pr_lives_free)

/* describe, disconnect and outbound are set by the caller before. */
void pr_live_enter (PrLive *self, PrLives *set);
void pr_live_leave (PrLive *self); /* clears the transcript */
PrLive *pr_lives_find (PrLives *self, guint64 id);
PrLive *pr_lives_first (PrLives *self); /* the newest; go on with ->next */
guint pr_lives_count (PrLives *self, gboolean outbound);
guint64 pr_lives_get_revision (PrLives *self); /* increases with each that comes or goes */

G_END_DECLS
