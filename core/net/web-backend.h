/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/web.h"

G_BEGIN_DECLS

/**
 * What web.c asks of the module `postroom-web`. Internal to core/net. The context of the PrWeb is
 * the thread's default one during each call.
 */
typedef struct _PrWebSession PrWebSession; /* connections that are kept */
typedef struct _PrWebCall PrWebCall;       /* one request */

/* What a call tells; @done comes last and once, unless the call was stopped. */
typedef struct
{
  void (*head) (gpointer owner, guint status, GPtrArray *headers); /* takes name, value, … */
  /* FALSE: that is too much, the call ends with no further word. */
  gboolean (*data) (gpointer owner, const char *data, gsize len);
  void (*want) (gpointer owner);
  void (*done) (gpointer owner, const GError *error);
} PrWebSink;

#define PR_WEB_BACKEND_VERSION 1

typedef struct
{
  guint version;
  PrWebSession *(*session_new) (GMainContext *context);
  void (*session_free) (PrWebSession *session);
  /* Nothing is told before it returns. @authorities: (nullable): the text of the ca-file. */
  PrWebCall *(*start) (PrWebSession *session, const PrWebRequest *request, const char *authorities,
                       const PrWebSink *sink, gpointer owner);
  void (*feed) (PrWebCall *call, const char *data, gsize len);
  void (*stop) (PrWebCall *call); /* also behind done: the call is gone */
} PrWebBackend;

/* The module's one symbol. */
#define PR_WEB_BACKEND_SYMBOL "pr_web_backend"
extern const PrWebBackend pr_web_backend __attribute__ ((visibility ("default")));

G_END_DECLS
