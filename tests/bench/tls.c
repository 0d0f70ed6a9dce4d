/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The client's side of TLS, with GnuTLS as it comes. */

#include "tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <sys/epoll.h>

struct PrBenchTls
{
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
  gboolean resume;
  gnutls_datum_t ticket;
  guint64 n_resumed;
};

struct PrBenchTlsSession
{
  PrBenchTls *shared; /* borrowed */
  gnutls_session_t session;
  gboolean has_ticket; /* was kept */
};

PrBenchTls *
pr_bench_tls_new (gboolean resume)
{
  PrBenchTls *self = g_new0 (PrBenchTls, 1);

  self->resume = resume;
  gnutls_certificate_allocate_credentials (&self->credentials);
  gnutls_priority_init (&self->priority, "NORMAL", NULL);
  return self;
}

void
pr_bench_tls_free (PrBenchTls *self)
{
  gnutls_free (self->ticket.data);
  gnutls_priority_deinit (self->priority);
  gnutls_certificate_free_credentials (self->credentials);
  g_free (self);
}

guint64
pr_bench_tls_get_n_resumed (const PrBenchTls *self)
{
  return self->n_resumed;
}

PrBenchTlsSession *
pr_bench_tls_begin (PrBenchTls *shared, int fd)
{
  PrBenchTlsSession *self = g_new0 (PrBenchTlsSession, 1);

  self->shared = shared;
  gnutls_init (&self->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
  gnutls_priority_set (self->session, shared->priority);
  gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, shared->credentials);
  gnutls_transport_set_int (self->session, fd);
  if (shared->ticket.data != NULL)
    gnutls_session_set_data (self->session, shared->ticket.data, shared->ticket.size);
  return self;
}

void
pr_bench_tls_session_free (PrBenchTlsSession *self)
{
  if (self == NULL)
    return;
  gnutls_deinit (self->session);
  g_free (self);
}

gboolean
pr_bench_tls_shake (PrBenchTlsSession *self, guint32 *events, const char **words)
{
  int code = gnutls_handshake (self->session);

  if (code == GNUTLS_E_SUCCESS)
    {
      self->shared->n_resumed += gnutls_session_is_resumed (self->session) != 0;
      return TRUE;
    }
  *words = gnutls_strerror (code);
  if (gnutls_error_is_fatal (code))
    *events = 0;
  else
    *events = gnutls_record_get_direction (self->session) == 0 ? EPOLLIN : EPOLLOUT;
  return FALSE;
}

static gssize
result_of (gssize n)
{
  if (n >= 0)
    return n;
  errno = gnutls_error_is_fatal ((int) n) ? EPROTO : EAGAIN;
  return -1;
}

gssize
pr_bench_tls_send (PrBenchTlsSession *self, const void *data, gsize len)
{
  return result_of (gnutls_record_send (self->session, data, len));
}

/* Tickets come behind the handshake, with the first octets. */
static void
keep_ticket (PrBenchTlsSession *self)
{
  PrBenchTls *shared = self->shared;
  gnutls_datum_t ticket = { 0 };

  if (gnutls_protocol_get_version (self->session) >= GNUTLS_TLS1_3 &&
      !(gnutls_session_get_flags (self->session) & GNUTLS_SFLAGS_SESSION_TICKET))
    return; /* not there yet, or a resumed session gets no other */
  self->has_ticket = TRUE;
  if (gnutls_session_get_data2 (self->session, &ticket) != GNUTLS_E_SUCCESS)
    return;
  gnutls_free (shared->ticket.data);
  shared->ticket = ticket;
}

gssize
pr_bench_tls_recv (PrBenchTlsSession *self, void *data, gsize len)
{
  gssize n = gnutls_record_recv (self->session, data, len);

  if (n > 0 && self->shared->resume && !self->has_ticket)
    keep_ticket (self);
  return result_of (n);
}

gboolean
pr_bench_tls_has_more (PrBenchTlsSession *self)
{
  return gnutls_record_check_pending (self->session) > 0;
}
