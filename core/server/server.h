/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "server/certificates.h"
#include "common/live.h"
#include "config/config.h"
#include "journal/journal.h"
#include "net/loop.h"
#include "queue/store.h"

G_BEGIN_DECLS

/**
 * PrServer: receiving. Listeners, one connection for each client, and the message on its way to
 * the store. Everything on the loop's thread.
 */
typedef struct _PrServer PrServer;

/* What the server stands on; all borrowed, outlive it. */
typedef struct
{
  PrLoop *loop;
  PrStore *store;
  PrJournal *journal;
  PrLives *lives;
  const char *tls_folder; /* (nullable) of the local authority; only read by pr_server_new */
  /* A message is about to be put: its recipients get their buckets. */
  void (*arriving) (PrMessage *message, gpointer user_data);
  /* A message was committed and acknowledged. @message: take a reference to keep it. */
  void (*accepted) (PrMessage *message, gpointer user_data);
  gpointer user_data;
} PrServerWorld;

typedef struct
{
  guint64 n_connections, n_refused_connections, n_messages, n_refused_messages;
} PrServerCounts;

PrServer *pr_server_new (const PrServerWorld *world, PrConfig *config);
/* Everything must have ended: see pr_server_shut_down. */
void pr_server_free (PrServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrServer, pr_server_free)

/* Opens what the configuration lists. Listeners whose address did not change stay open, those that
 * went are closed, their conversations go on. Every address that could not be opened is one line in
 * @faults (transfer full) (element-type utf8), in words; the others listen. FALSE when none does.
 */
gboolean pr_server_set_config (PrServer *self, PrConfig *config, GPtrArray **faults);
/* Sockets from the service manager: used instead of opening the same address. (transfer full) */
void pr_server_adopt (PrServer *self, int fd);
/* What each listener shows under TLS. Borrowed. */
PrCertificates *pr_server_get_certificates (PrServer *self);
/* "127.0.0.1:2525" for each open listener. (transfer container), strings borrowed. */
GPtrArray *pr_server_get_addresses (PrServer *self);

/* @server: as pr_resolver_set_server has it, for questions about strangers. */
void pr_server_set_name_server (PrServer *self, const char *server);

/* Paused: new connections hear 421 4.3.2, MAIL hears 451 4.3.2; messages under way are finished. */
void pr_server_set_paused (PrServer *self, gboolean paused);
gboolean pr_server_is_paused (const PrServer *self);
void pr_server_get_counts (const PrServer *self, PrServerCounts *out);

/* Stops listening; every conversation hears 421 4.3.2, but one whose message is being committed
 * hears its true answer first: the caller closes the store next, which answers those. */
void pr_server_shut_down (PrServer *self);

G_END_DECLS
