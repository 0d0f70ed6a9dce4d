/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "guard/inspection.h"
#include "guard/limits.h"
#include "server/certificates.h"
#include "server/port.h"
#include "server/server.h"
#include "server/sign-in.h"

G_BEGIN_DECLS

/* What connections need of their server. */
struct _PrServer
{
  PrServerWorld world;
  PrConfig *config;             /* owned: the one in force; access rules come from here */
  PrLimits *limits;             /* owned: connections at once */
  PrCertificates *certificates; /* owned: what listeners show under TLS */
  PrSignIns *sign_ins;          /* owned */
  PrResolver *resolver;         /* owned: for questions about strangers */
  GPtrArray *openings;          /* owned: server.c's own */
  GArray *adopted;              /* owned: descriptors from the service manager not yet used */
  struct _PrConnection *first;  /* all connections */
  PrServerCounts counts;
  gboolean paused, space_low;
  gboolean store_fails; /* since the last message that was stored; said once */
};

/**
 * PrConnection: one client: channel, session and the message it is sending. Frees itself when the
 * conversation has ended.
 */
typedef struct _PrConnection PrConnection;

/* @fd: (transfer full). */
void pr_connection_start (PrServer *server, PrPort *port, int fd, const PrIp *peer,
                          guint16 peer_port);
/* Ends it from our side with 421; one that waits for its commit ends right after its answer. */
void pr_connection_shut_down (PrConnection *self, const char *enhanced, const char *text);
PrConnection *pr_connection_get_next (PrConnection *self);
/* Who signed in; NULL: nobody. Borrowed, until the next turn. */
const char *pr_connection_get_user (PrConnection *self);

/* For pr_server_free: whatever is left, at once. */
void pr_connection_abort (PrConnection *self);

G_END_DECLS
