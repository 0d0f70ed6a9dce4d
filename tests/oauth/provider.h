/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "oauth/oauth.h"

G_BEGIN_DECLS

/* A provider in the test's own context, and a PrOauth that asks it. */
typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  PrWeb *web;
  PrOauth *oauth;
  SoupServer *server;
  char *url;         /* of the server, no slash */
  char *folder;      /* temporary */
  char *credentials; /* a file in it */
  GString *asked;    /* the forms that came, a line each */
  guint n_asked;
  guint status;      /* of the next answers */
  const char *reply; /* JSON; NULL: a new token each time, "access-N", "refresh-N" */
  gboolean silent;   /* no answer at all */
  guint life_s;      /* of tokens that are made up */
  GString *changed;  /* routes that were told, a blank behind each */
} Provider;

void provider_set_up (Provider *self, gconstpointer data);
void provider_tear_down (Provider *self, gconstpointer data);
/* A route r with @more lines, for the provider. */
void provider_configure (Provider *self, const char *more);
/* What is kept of route r; free it with pr_secret_free(). */
char *provider_read_record (Provider *self);
/* From now on nothing can be read or written; what was kept is gone. */
void provider_break_disk (Provider *self);
void provider_mend_disk (Provider *self);
void provider_write_record (Provider *self, const char *access, const char *refresh,
                            gint64 expires_in_s);

G_END_DECLS
