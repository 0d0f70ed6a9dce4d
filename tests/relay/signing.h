/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/world.h"

G_BEGIN_DECLS

/* A runner with a route "out" to a hop that wants a sign-in over TLS. No secret service. */
typedef struct
{
  World *world;
  FakeHop *hop;
  char *ca_file;     /* of the hop's authority */
  char *credentials; /* the file of secrets */
  PrWeb *web;        /* nullable, like oauth: signing_use_tokens() */
  PrOauth *oauth;
} Signing;

void signing_set_up (Signing *self);
void signing_tear_down (Signing *self);
void signing_use_tokens (Signing *self); /* before signing_start() */
/* The route with these further lines. */
void signing_start (Signing *self, const char *keys);
gint64 signing_put (Signing *self); /* a message for the route; its id */
void signing_wait_sent (Signing *self);
void signing_wait_needed (Signing *self);

G_END_DECLS
