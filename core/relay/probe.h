/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "relay/hosts.h"

G_BEGIN_DECLS

/**
 * PrProbe: asks the server of a route for its certificate, and for nothing else: connects, says
 * EHLO and STARTTLS where the route does not begin with encryption, shakes hands, and leaves. No
 * mail goes, nobody signs in, and the route's mail knows nothing of it. One thread.
 */
typedef struct _PrProbe PrProbe;

typedef struct
{
  const char *server; /* "mail.example.org:587" */
  guint8 sha256[32];  /* of the certificate (DER) */
  const char *fault;  /* nullable: why it would not be trusted without a pin, in words */
} PrProbeFacts;

/* Exactly one of both is set, the callee's only during the call. @error: TEMPORARY, in words: what
 * the last server met. */
typedef void (*PrProbeFunc) (const PrProbeFacts *facts, const GError *error, gpointer user_data);

typedef struct
{
  PrLoop *loop;
  PrResolver *resolver;
  PrHosts *hosts;
  PrConfig *config;
  const PrRouteConfig *route; /* of @config; a smarthost, or LMTP */
} PrProbeOptions;

/* Keeps a reference to the configuration, and the pointers. @func comes on a later turn, at most
 * 20 s later; the probe is gone then. */
PrProbe *pr_probe_new (const PrProbeOptions *options, PrProbeFunc func, gpointer user_data);
/* @func does not come. */
void pr_probe_free (PrProbe *self);

G_END_DECLS
