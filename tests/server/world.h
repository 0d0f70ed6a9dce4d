/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gnutls/gnutls.h>

#include "server/server.h"
#include "wait.h"

G_BEGIN_DECLS

/**
 * World: a server with all that it stands on: a real store in a folder of its own, real sockets on
 * loopback, one main context.
 */
typedef struct
{
  GMainContext *context;
  char *home;
  PrLoop *loop;
  PrStore *store;
  PrJournal *journal;
  PrLives *lives;
  PrConfig *config;
  PrServer *server;
  GPtrArray *accepted; /* of PrMessage */
  GArray *kinds;       /* of PrEventKind: what the journal was told */
  GString *told;       /* the same as lines: "disconnected secure: Done" */
  guint16 port;
} World;

/* The two of a fixture. @config: postroom.conf. */
void world_set_up (World *self, gconstpointer config);
void world_tear_down (World *self, gconstpointer config);
/* The server takes @config, and world->port is its first address. */
void world_listen (World *self, const char *config);
gboolean world_saw (World *self, PrEventKind kind);
/* @text: a part of some event's line. */
gboolean world_was_told (World *self, const char *text);
/* What was accepted, from its first octet. (transfer full) */
char *body_of (const PrMessage *message);

/* A client on the world's own thread, in plain text or under TLS. */
typedef struct
{
  World *world;
  int fd;
  gnutls_session_t session; /* owned, NULL: plain text */
  gnutls_certificate_credentials_t credentials;
  GString *heard;
  gboolean closed;
} Client;

void client_open (Client *self, World *world);
void client_close (Client *self);
/* What the handshake came to. */
int client_secure (Client *self, const char *priority);
/* Takes in what has come; TRUE. */
gboolean client_listen (Client *self);
gboolean client_heard (Client *self, const char *text);
gboolean client_is_closed (Client *self);
/* Sends @text, all of it. */
void client_say (Client *self, const char *text);
/* Says @text and waits until the replies contain @reply, which is then forgotten. */
void client_talk (Client *self, const char *text, const char *reply);

G_END_DECLS
