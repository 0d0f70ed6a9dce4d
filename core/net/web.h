/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrWeb: requests over HTTPS: sign-in at providers, their interfaces for mail, policies of domains.
 *
 * The work is done by libsoup, in the module `postroom-web`, which is opened for the first request:
 * a service that makes none pays nothing for it. Certificates are verified by the system's trust
 * store; redirects are never followed, no cookie and no password is kept, no answer is cached.
 * Plain http goes to this machine's own loopback addresses alone. One thread.
 */
typedef struct _PrWeb PrWeb;

PrWeb *pr_web_new (GMainContext *context); /* keeps a reference */
/* Requests under way are cancelled silently; of what the module holds, the last goes with the
 * context's next turns. */
void pr_web_free (PrWeb *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrWeb, pr_web_free)

/* The caller owns it all and may free it when pr_web_send() returns. */
typedef struct
{
  const char *method;         /* NULL: "GET", or "POST" where there is a body */
  const char *url;            /* https://…, or http:// to a loopback address or localhost */
  const char *const *headers; /* (nullable) name, value, name, value, …, NULL */
  const char *content_type;   /* of the body */
  GBytes *body;               /* (nullable) referenced; pr_web_secret() makes one that is wiped */
  /* A body that comes in pieces, in place of @body: @want asks for the next one, which is given
   * by pr_web_feed(), from within or later. */
  void (*want) (gpointer user_data);
  guint64 feed_octets; /* how many will come by pr_web_feed(), exactly */
  gsize max_octets;    /* of the answer's body; 0: 1 MiB */
  guint deadline_ms;   /* for all of it, up to the last octet; 0: 60 s */
  const char *ca_file; /* (nullable) PEM: authorities trusted in addition to the system's */
} PrWebRequest;

/* Any status is an answer, also 3yz, 4yz and 5yz. */
typedef struct
{
  guint status;
  const char *body; /* ends with a NUL that is not counted */
  gsize len;
  const char *const *headers; /* name, value, …, NULL */
} PrWebAnswer;

/* A header's first value; NULL where there is none. @name: in any case. */
const char *pr_web_answer_get (const PrWebAnswer *self, const char *name);

/* Exactly one of @answer and @error is set; both are the callee's only during the call, and the
 * body is wiped behind it (it may hold a token). Never called before pr_web_send() returned; may
 * free the PrWeb.
 *
 * - %PR_ERROR_TEMPORARY: no connection, no answer in time, cut off
 * - %PR_ERROR_NETWORK: our own network is missing
 * - %PR_ERROR_TLS: the certificate's fault, in words
 * - %PR_ERROR_PROTOCOL: not HTTP, or larger than max_octets
 * - %PR_ERROR_CONFIG: the address or the ca-file is wrong
 * - %PR_ERROR_UNSUPPORTED: the module is not installed
 */
typedef void (*PrWebFunc) (const PrWebAnswer *answer, const GError *error, gpointer user_data);

/* Returns a token, never 0. @user_data is for want too. */
guint pr_web_send (PrWeb *self, const PrWebRequest *request, PrWebFunc func, gpointer user_data);
/* The next piece of a body, copied; one for each time it was wanted, not empty. */
void pr_web_feed (PrWeb *self, guint token, const char *data, gsize len);
/* func will not be called. What the server has taken it has taken. 0 and tokens whose func was
 * called are ignored. */
void pr_web_cancel (PrWeb *self, guint token);
guint pr_web_count (const PrWeb *self); /* under way */

/* (transfer full): a copy of @text (until NUL when @len is -1) that is wiped when it is freed. */
GBytes *pr_web_secret (const char *text, gssize len);

G_END_DECLS
