/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/tls.h"
#include "relay/runner-private.h"

G_BEGIN_DECLS

/**
 * PrWay: what it takes to enter the next hops of one route: whom to trust, and the memory that
 * resumes TLS sessions. There is one for each route in use, made anew with each configuration, so
 * that a delivery under the old one keeps its own. What lies on the disk is read by the runner's
 * worker: a way may not be known yet.
 */
typedef struct _PrWay PrWay;

typedef enum
{
  PR_WAY_OPEN,    /* all is known */
  PR_WAY_UNKNOWN, /* not yet; the runner looks again when it is */
  PR_WAY_FAULTY,  /* it cannot be entered; asked anew, it is read anew */
} PrWayState;

/* Borrowed, until the next configuration. */
PrWay *pr_way_get (PrRunner *runner, const PrRouteConfig *route);
/* @why: (out): FAULTY: in words, valid until the next call. */
PrWayState pr_way_check (PrWay *self, const char **why);
PrWay *pr_way_ref (PrWay *self);
void pr_way_unref (PrWay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrWay, pr_way_unref)

/* Borrowed; NULL with tls=off. Only of an open way. */
PrTlsClient *pr_way_get_tls (PrWay *self);

/* For the runner's table of them. */
void pr_way_forget (PrWay *self);

G_END_DECLS
