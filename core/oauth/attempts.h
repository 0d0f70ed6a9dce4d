/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "oauth/oauth.h"

G_BEGIN_DECLS

/**
 * PrAttempts: people signing in, each attempt from its beginning to a token that is kept, or to the
 * reason why not. At most 16 are remembered, and one at a time goes on for each route. One thread.
 *
 *   browser:  waiting (for the browser, or a pasted address) ──► checking ──► done, failed
 *   device:   asking ──► waiting (asks again and again) ──────────────────► done, failed
 *   alone:    checking ───────────────────────────────────────────────────► done, failed
 */
typedef struct _PrAttempts PrAttempts;

typedef enum
{
  PR_ATTEMPT_ASKING,   /* for a code that a person can type */
  PR_ATTEMPT_WAITING,  /* for a person */
  PR_ATTEMPT_CHECKING, /* asks the provider for the token */
  PR_ATTEMPT_DONE,
  PR_ATTEMPT_FAILED, /* or cancelled, or nobody came in time */
} PrAttemptState;

/* Borrowed until the next turn. */
typedef struct
{
  const char *route;
  PrAttemptState state;
  const char *url;       /* nullable: where to go with a browser */
  const char *user_code; /* nullable: what to type there */
  const char *short_url; /* with user_code: where to type it by hand */
  const char *account;   /* nullable; of DONE: who signed in */
  const char *why;       /* of FAILED, in words */
  gint64 expires_s;      /* since the epoch: until then it waits */
} PrAttemptFacts;

/* Attempt @id changed. Never from within a call. */
typedef void (*PrAttemptsFunc) (guint id, gpointer user_data);

PrAttempts *pr_attempts_new (PrOauth *oauth, PrAttemptsFunc func, gpointer user_data);
void pr_attempts_free (PrAttempts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrAttempts, pr_attempts_free)

/* @flow: "code", "device", or "auto": as the route has it. Returns its id; 0 with PR_ERROR_CONFIG:
 * the route cannot do that. */
guint pr_attempts_start (PrAttempts *self, const char *route, const char *flow, GError **error);
/* The address that a browser on another computer was sent to, where that could not be shown. */
gboolean pr_attempts_paste (PrAttempts *self, guint id, const char *url, GError **error);
void pr_attempts_cancel (PrAttempts *self, guint id);
/* FALSE: there is none of that id any more. */
gboolean pr_attempts_get (PrAttempts *self, guint id, PrAttemptFacts *out);

G_END_DECLS
