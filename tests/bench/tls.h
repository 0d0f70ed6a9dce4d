/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

typedef enum
{
  PR_BENCH_PLAIN,
  PR_BENCH_STARTTLS,
  PR_BENCH_IMPLICIT,
} PrBenchSecurity;

/* What all encrypted sessions of a run share: nobody is verified; where @resume, every session but
 * the first presents the ticket that was got last. */
typedef struct PrBenchTls PrBenchTls;
/* One encrypted connection. */
typedef struct PrBenchTlsSession PrBenchTlsSession;

PrBenchTls *pr_bench_tls_new (gboolean resume);
void pr_bench_tls_free (PrBenchTls *self);
guint64 pr_bench_tls_get_n_resumed (const PrBenchTls *self);

/* @self: borrowed, outlives it. @fd: a non-blocking socket that the caller closes. */
PrBenchTlsSession *pr_bench_tls_begin (PrBenchTls *self, int fd);
void pr_bench_tls_session_free (PrBenchTlsSession *self);
/* The next step. TRUE: the handshake is complete; FALSE: wait for *@events, or, where these are 0,
 * it failed as *@words (static) says. */
gboolean pr_bench_tls_shake (PrBenchTlsSession *self, guint32 *events, const char **words);
/* As send() and recv(). */
gssize pr_bench_tls_send (PrBenchTlsSession *self, const void *data, gsize len);
gssize pr_bench_tls_recv (PrBenchTlsSession *self, void *data, gsize len);
/* Octets that epoll will not tell of. */
gboolean pr_bench_tls_has_more (PrBenchTlsSession *self);
