/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/dnssec.h"

G_BEGIN_DECLS

/**
 * What dnssec.c asks of the module `postroom-dnssec`. Internal to core/net.
 */
typedef struct _PrDnssecContext PrDnssecContext; /* a validating resolver and its thread */

typedef struct
{
  char *anchor;    /* (nullable) */
  char *server;    /* (nullable) */
  gboolean direct; /* asks the servers of the zones themselves, not the system's name servers */
} PrDnssecSetup;

/* @answer: trust is never UNAVAILABLE. */
typedef void (*PrDnssecBackendFunc) (gpointer owner, const PrDnssecAnswer *answer);

#define PR_DNSSEC_BACKEND_VERSION 1

typedef struct
{
  guint version;
  /* Reads files; any thread. PR_ERROR_CONFIG: the anchor cannot be used, in words. */
  PrDnssecContext *(*open) (const PrDnssecSetup *setup, GError **error);
  /* What is under way is dropped without a word. Waits for the thread; any thread. */
  void (*close) (PrDnssecContext *context);
  int (*get_fd) (PrDnssecContext *context); /* readable: call process */
  void (*process) (PrDnssecContext *context);
  /* FALSE: it cannot be asked. @func comes from within process. */
  gboolean (*ask) (PrDnssecContext *context, const char *name, guint16 type,
                   PrDnssecBackendFunc func, gpointer owner);
} PrDnssecBackend;

/* The module's one symbol. */
#define PR_DNSSEC_BACKEND_SYMBOL "pr_dnssec_backend"
extern const PrDnssecBackend pr_dnssec_backend __attribute__ ((visibility ("default")));

G_END_DECLS
