/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/tls.h"
#include "relay/runner-private.h"
#include "relay/targets.h"

G_BEGIN_DECLS

/**
 * PrWay: what it takes to enter the next hops of one route: whom to trust, the memory that resumes
 * TLS sessions, the password. There is one for each route in use, made anew with each
 * configuration, so that a delivery under the old one keeps its own. What lies on the disk is read
 * by the runner's worker: a way may not be known yet.
 */
typedef struct _PrWay PrWay;

typedef enum
{
  PR_WAY_OPEN,    /* all is known */
  PR_WAY_UNKNOWN, /* not yet; the runner looks again when it is */
  PR_WAY_FAULTY,  /* it cannot be entered; asked anew, it is read anew */
  PR_WAY_LOCKED,  /* the password cannot be read now: nothing counts; asked anew, it is read anew */
  PR_WAY_SIGN_IN_NEEDED, /* there is no password, or it was refused: a person is asked */
} PrWayState;

/* Borrowed, until the next configuration. */
PrWay *pr_way_get (PrRunner *runner, const PrRouteConfig *route);
/* @why: (out): but for OPEN and UNKNOWN: in words, valid until the next call. */
PrWayState pr_way_check (PrWay *self, const char **why);
PrWay *pr_way_ref (PrWay *self);
void pr_way_unref (PrWay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrWay, pr_way_unref)

/* What it takes where the host's domain demands @demand: DANE is the proof then, or an authority's
 * word for a policy, unless a person has pinned a certificate. Borrowed; NULL with tls=off. Only of
 * an open way. */
PrTlsClient *pr_way_get_tls (PrWay *self, PrDemand demand);

/* A password, or an access token. Borrowed, until the next check; NULL where nobody signs in. Only
 * of an open way. */
const char *pr_way_get_secret (PrWay *self);
/* Which token the secret is, counted from 1; 0: it is none. */
guint pr_way_get_token_serial (const PrWay *self);
/* A server took the token of @serial, or refused it: @said, in its words. The way is not open then
 * until another one has been fetched; if that is refused too, a person must sign in. */
void pr_way_accept_token (PrWay *self, guint serial);
void pr_way_refuse_token (PrWay *self, guint serial, const char *said);
/* The server at @peer refused the sign-in; @why: in words. What waits for the hops of the route is
 * left alone until pr_runner_renew_way(). Told once. Nothing happens to a way that is not in use
 * any more: its password may be an old one. */
void pr_way_need_sign_in (PrWay *self, const char *why, const char *peer);

/* Why a person must sign in; NULL: nobody must. */
const char *pr_way_get_need (const PrWay *self);

/* For the runner's table of them. */
void pr_way_forget (PrWay *self);

G_END_DECLS
