/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PR_ERROR (pr_error_quark ())

/**
 * PrError: the decision a failure calls for. The message of the GError is what a person reads.
 */
typedef enum
{
  PR_ERROR_TEMPORARY,   /* 4yz, network trouble, no space: try again later */
  PR_ERROR_PERMANENT,   /* 5yz, cannot ever work: give up and say so */
  PR_ERROR_AUTH,        /* credentials refused: pause the route */
  PR_ERROR_TLS,         /* no acceptable TLS: never fall back to plain text */
  PR_ERROR_PROTOCOL,    /* the peer broke its protocol */
  PR_ERROR_CONFIG,      /* postroom.conf or an option is wrong */
  PR_ERROR_BUSY,        /* another postroomd uses this home */
  PR_ERROR_NEWER,       /* the database was written by a newer version */
  PR_ERROR_DAMAGED,     /* the database cannot be read; it is left untouched */
  PR_ERROR_UNSUPPORTED, /* this machine lacks it (IPv6) */
  PR_ERROR_NETWORK,     /* our own network is missing: nothing is said of the peer */
} PrError;

GQuark pr_error_quark (void);

G_END_DECLS
