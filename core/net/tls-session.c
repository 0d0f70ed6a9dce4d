/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TLS connection: GnuTLS over the channel's socket, and its faults in words. */

#include "net/tls-session.h"

#include <errno.h>
#include <gio/gnetworking.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "common/error.h"
#include "net/tls-hello.h"
#include "net/tls-verify.h"

#define MAX_RECORD (16 * 1024) /* RFC 8446 §5.1 */
#define MAX_EMPTY_RECORDS 8    /* without an octet, in one read: others have their turn */

struct _PrTlsSession
{
  gnutls_session_t session;
  PrTlsServer *server; /* owned, nullable: our role */
  PrTlsClient *client; /* owned, nullable */
  char *host;          /* owned; client */
  GPtrArray *tlsa;     /* owned, nullable; client */
  char **names;        /* owned, nullable; client */
  guint16 offered;     /* server: the highest version the client named, as on the wire */
  guint8 alert;        /* server: a plain one that came where an encrypted one should */
  gssize late; /* how a read ended that had octets to give first: GnuTLS says it only once */
  gboolean complete, ended, remembered;
  PrTlsFacts facts;
  char *cipher, *text, *fault; /* owned: what facts point to */
};

/* Only to tell a person what an old device can do, so it never refuses anything. */
static int
on_client_hello (gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                 const gnutls_datum_t *message)
{
  PrTlsSession *self = gnutls_session_get_ptr (session);

  self->offered = pr_tls_hello_read_version (message->data, message->size);
  return 0;
}

/* An alert that GnuTLS takes for a record that cannot be decrypted. */
static void
look_for_alert (PrTlsSession *self)
{
  guint8 octets[PR_TLS_ALERT_OCTETS];
  gssize n =
    recv (gnutls_transport_get_int (self->session), octets, sizeof octets, MSG_PEEK | MSG_DONTWAIT);

  if (n > 0)
    self->alert = pr_tls_hello_read_alert (octets, (gsize) n);
}

/* ── Faults in words ──────────────────────────────────────────────────────────────────────── */

static char *
alert_words (PrTlsSession *self, gnutls_alert_description_t alert)
{
  const char *who = self->server != NULL ? "the client" : "the server";

  if (self->server != NULL &&
      (alert == GNUTLS_A_UNKNOWN_CA || alert == GNUTLS_A_BAD_CERTIFICATE ||
       alert == GNUTLS_A_CERTIFICATE_UNKNOWN || alert == GNUTLS_A_CERTIFICATE_EXPIRED))
    return g_strdup_printf ("the client does not trust our certificate (%s); import the "
                            "certificate of Postroom's authority there",
                            gnutls_alert_get_name (alert));
  if (alert == GNUTLS_A_PROTOCOL_VERSION)
    return g_strdup_printf ("%s wants another version of TLS", who);

  return g_strdup_printf ("%s broke the handshake off: %s", who, gnutls_alert_get_name (alert));
}

static gboolean
offered_too_little (PrTlsSession *self)
{
  return self->server != NULL && self->offered != 0 &&
         self->offered < 0x0301 + (pr_tls_server_get_minimum (self->server) - PR_TLS_1_0);
}

/* GnuTLS has one word for a record that is none and for one that broke off. */
static gboolean
has_left (PrTlsSession *self)
{
  char octet;

  return recv (gnutls_transport_get_int (self->session), &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static char *
fault_words (PrTlsSession *self, int code)
{
  const char *who = self->server != NULL ? "the client" : "the server";

  if (code == GNUTLS_E_UNEXPECTED_PACKET_LENGTH && self->offered == 0 && has_left (self))
    code = GNUTLS_E_PREMATURE_TERMINATION;
  if (offered_too_little (self)) /* whatever GnuTLS stumbled over first */
    return g_strdup_printf ("the client offered %s only", pr_tls_version_name (self->offered));
  if (code == GNUTLS_E_DECRYPTION_FAILED && self->alert != 0)
    return alert_words (self, self->alert);

  switch (code)
    {
    case GNUTLS_E_FATAL_ALERT_RECEIVED: return alert_words (self, gnutls_alert_get (self->session));
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
      return g_strdup_printf ("%s offers no version of TLS that is allowed here", who);
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
      return g_strdup_printf ("%s left in the middle of the handshake", who);
    case GNUTLS_E_NO_CIPHER_SUITES:
      return g_strdup_printf ("%s knows no encryption that is allowed here", who);
    case GNUTLS_E_UNEXPECTED_PACKET:
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_RECORD_OVERFLOW: return g_strdup_printf ("%s does not speak TLS", who);
    default: return g_strdup_printf ("the TLS handshake failed: %s", gnutls_strerror (code));
    }
}

/* ── Who the peer is ──────────────────────────────────────────────────────────────────────── */

static gboolean
import_peer (PrTlsSession *self, gnutls_x509_crt_t *certificate)
{
  unsigned n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (self->session, &n);

  if (chain == NULL || n == 0)
    return FALSE;

  gnutls_hash_fast (GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, self->facts.peer_sha256);
  gnutls_x509_crt_init (certificate);
  if (gnutls_x509_crt_import (*certificate, &chain[0], GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS)
    return TRUE;

  gnutls_x509_crt_deinit (*certificate);
  return FALSE;
}

static gboolean
verify_peer (PrTlsSession *self, GError **error)
{
  g_autofree char *fault = NULL;
  gboolean right = FALSE;
  gnutls_x509_crt_t certificate;
  char fingerprint[2 * sizeof self->facts.peer_sha256 + 1];

  if (!import_peer (self, &certificate))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_TLS, "%s showed no certificate", self->host);
      return FALSE;
    }

  switch (pr_tls_client_get_verify (self->client))
    {
    case PR_TLS_VERIFY_PIN:
      right = memcmp (self->facts.peer_sha256, pr_tls_client_get_pin (self->client), 32) == 0;
      if (!right)
        fault =
          g_strdup_printf ("the certificate of %s is not the one that was agreed to", self->host);
      break;
    case PR_TLS_VERIFY_DANE:
      right = pr_tls_matches_tlsa (self->session, self->host, self->tlsa,
                                   (const char *const *) self->names);
      if (!right)
        fault = g_strdup_printf ("the certificate of %s is not the one its DNS records (TLSA) name",
                                 self->host);
      break;
    case PR_TLS_VERIFY_NONE:
    case PR_TLS_VERIFY_FULL:
    default:
      fault = pr_tls_check_peer (self->session, self->host, certificate);
      right = fault == NULL;
    }
  gnutls_x509_crt_deinit (certificate);

  self->facts.verified = right;
  if (right || pr_tls_client_get_verify (self->client) == PR_TLS_VERIFY_NONE)
    {
      self->facts.fault = self->fault = g_steal_pointer (&fault);
      return TRUE;
    }

  for (guint i = 0; i < sizeof self->facts.peer_sha256; i++)
    g_snprintf (fingerprint + 2 * i, 3, "%02x", self->facts.peer_sha256[i]);
  g_set_error (error, PR_ERROR, PR_ERROR_TLS, "%s; its fingerprint is SHA256:%s", fault,
               fingerprint);
  return FALSE;
}

/* ── Life ─────────────────────────────────────────────────────────────────────────────────── */

#define SESSION_FLAGS (GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL)

static PrTlsSession *
session_new (unsigned flags, int fd, gpointer credentials, gpointer priority)
{
  PrTlsSession *self = g_new0 (PrTlsSession, 1);

  gnutls_init (&self->session, flags | SESSION_FLAGS);
  gnutls_session_set_ptr (self->session, self);
  gnutls_priority_set (self->session, priority);
  gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int (self->session, fd);
  gnutls_handshake_set_timeout (self->session,
                                GNUTLS_INDEFINITE_TIMEOUT); /* the channel's deadline */

  return self;
}

PrTlsSession *
pr_tls_session_new_server (PrTlsServer *server, int fd)
{
  PrTlsSession *self = session_new (GNUTLS_SERVER, fd, pr_tls_server_get_credentials (server),
                                    pr_tls_server_get_priority (server));

  self->server = pr_tls_server_ref (server);
  gnutls_session_ticket_enable_server (self->session, pr_tls_server_get_ticket_key (server));
  gnutls_certificate_server_set_request (self->session, GNUTLS_CERT_IGNORE);
  gnutls_handshake_set_hook_function (self->session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE,
                                      on_client_hello);

  return self;
}

PrTlsSession *
pr_tls_session_new_client (PrTlsClient *client, int fd, const char *host, GPtrArray *tlsa,
                           const char *const *names)
{
  PrTlsSession *self = session_new (GNUTLS_CLIENT, fd, pr_tls_client_get_credentials (client),
                                    pr_tls_client_get_priority (client));
  GBytes *before = pr_tls_client_recall (client, host);

  self->client = pr_tls_client_ref (client);
  self->host = g_strdup (host);
  self->tlsa = tlsa != NULL ? g_ptr_array_ref (tlsa) : NULL;
  self->names = g_strdupv ((char **) names);
  if (!g_hostname_is_ip_address (host)) /* RFC 6066 §3 */
    gnutls_server_name_set (self->session, GNUTLS_NAME_DNS, host, strlen (host));
  if (before != NULL)
    gnutls_session_set_data (self->session, g_bytes_get_data (before, NULL),
                             g_bytes_get_size (before));

  return self;
}

/* A TLS 1.3 ticket comes behind the handshake. It is kept as soon as it is there: a session whose
 * peer ends without close_notify, as many do, can give none any more. */
static void
remember (PrTlsSession *self)
{
  gnutls_datum_t data = { 0 };

  if (self->remembered || !self->complete || self->client == NULL ||
      (gnutls_protocol_get_version (self->session) >= GNUTLS_TLS1_3 &&
       !(gnutls_session_get_flags (self->session) & GNUTLS_SFLAGS_SESSION_TICKET)))
    return;

  if (gnutls_session_get_data2 (self->session, &data) == GNUTLS_E_SUCCESS)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (data.data, data.size);

      pr_tls_client_remember (self->client, self->host, bytes);
      self->remembered = TRUE;
      gnutls_free (data.data);
    }
}

void
pr_tls_session_free (PrTlsSession *self)
{
  remember (self);
  gnutls_deinit (self->session);
  g_clear_pointer (&self->server, pr_tls_server_unref);
  g_clear_pointer (&self->client, pr_tls_client_unref);
  g_clear_pointer (&self->tlsa, g_ptr_array_unref);
  g_strfreev (self->names);
  g_free (self->host);
  g_free (self->cipher);
  g_free (self->text);
  g_free (self->fault);
  g_free (self);
}

/* ── Handshake ────────────────────────────────────────────────────────────────────────────── */

static void
note_facts (PrTlsSession *self)
{
  self->complete = TRUE;
  self->cipher = g_strdup (gnutls_ciphersuite_get (self->session));
  self->facts.version = gnutls_protocol_get_name (gnutls_protocol_get_version (self->session));
  self->facts.cipher = self->cipher;
  self->facts.text = self->text = g_strconcat (self->facts.version, " ", self->cipher, NULL);
  self->facts.resumed = gnutls_session_is_resumed (self->session) != 0;
}

PrTlsProgress
pr_tls_session_handshake (PrTlsSession *self, GError **error)
{
  int code;

  if (self->server != NULL)
    look_for_alert (self);
  do
    code = gnutls_handshake (self->session);
  while (code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED ||
         code == GNUTLS_E_GOT_APPLICATION_DATA);

  if (code == GNUTLS_E_AGAIN)
    return gnutls_record_get_direction (self->session) == 0 ? PR_TLS_WANTS_READ
                                                            : PR_TLS_WANTS_WRITE;
  if (code < 0)
    {
      g_autofree char *words = fault_words (self, code);

      gnutls_alert_send_appropriate (self->session, code); /* so that the peer knows, too */
      g_set_error_literal (error, PR_ERROR, PR_ERROR_TLS, words);
      return PR_TLS_FAILED;
    }
  if (self->client != NULL && !verify_peer (self, error))
    {
      gnutls_alert_send (self->session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
      return PR_TLS_FAILED;
    }

  note_facts (self);
  return PR_TLS_DONE;
}

/* ── Octets ───────────────────────────────────────────────────────────────────────────────── */

static int
errno_of (gssize code)
{
  if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED)
    return EAGAIN;
  if (code == GNUTLS_E_PREMATURE_TERMINATION || code == GNUTLS_E_PULL_ERROR ||
      code == GNUTLS_E_PUSH_ERROR)
    return ECONNRESET;

  return EPROTO;
}

static gssize
receive (PrTlsSession *self, char *data, gsize len)
{
  gssize n;

  for (guint i = 0; i < MAX_EMPTY_RECORDS; i++)
    {
      n = gnutls_record_recv (self->session, data, len);
      if (n != GNUTLS_E_REHANDSHAKE && n != GNUTLS_E_WARNING_ALERT_RECEIVED)
        return n;
    }

  return GNUTLS_E_AGAIN; /* renegotiation is not answered; a warning is a warning */
}

gssize
pr_tls_session_read (PrTlsSession *self, char *data, gsize len)
{
  gsize done = 0;
  gssize n = 1;

  if (!self->ended)
    for (; n > 0 && (done == 0 || len - done >= MAX_RECORD); done += (gsize) MAX (n, 0))
      n = receive (self, data + done, len - done);
  if (!self->ended && n <= 0 && n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED)
    {
      self->ended = TRUE;
      self->late = n;
    }
  if (done > 0)
    remember (self);
  if (done > 0)
    return (gssize) done; /* how it ended shows at the next read */
  if (self->ended)
    n = self->late;
  if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
    return 0; /* many skip close_notify; SMTP says itself where it ends */

  errno = errno_of (n);
  return -1;
}

gboolean
pr_tls_session_has_more (PrTlsSession *self)
{
  return self->complete && (self->ended || gnutls_record_check_pending (self->session) > 0);
}

gssize
pr_tls_session_write (PrTlsSession *self, const char *data, gsize len)
{
  gssize n = gnutls_record_send (self->session, data, len);

  if (n >= 0)
    return n;

  errno = errno_of (n);
  return -1;
}

void
pr_tls_session_say_goodbye (PrTlsSession *self)
{
  if (self->complete)
    gnutls_bye (self->session, GNUTLS_SHUT_WR);
}

const PrTlsFacts *
pr_tls_session_get_facts (const PrTlsSession *self)
{
  return self->complete ? &self->facts : NULL;
}

GBytes *
pr_tls_session_get_binding (PrTlsSession *self, const char *type)
{
  gnutls_channel_binding_t kind;
  gnutls_datum_t data = { 0 };
  GBytes *bytes;

  if (g_str_equal (type, "tls-unique"))
    {
      /* RFC 9266 §3: TLS 1.3 has none. RFC 7627 §5: a bare one can be made to match another's. */
      if (!self->complete || gnutls_protocol_get_version (self->session) >= GNUTLS_TLS1_3 ||
          !gnutls_session_ext_master_secret_status (self->session))
        return NULL;
      kind = GNUTLS_CB_TLS_UNIQUE;
    }
  else if (g_str_equal (type, "tls-exporter"))
    kind = GNUTLS_CB_TLS_EXPORTER;
  else if (g_str_equal (type, "tls-server-end-point"))
    kind = GNUTLS_CB_TLS_SERVER_END_POINT;
  else
    return NULL;

  /* Refused without extended master secret (RFC 9266 §4.2): then there is none to offer. */
  if (!self->complete || gnutls_session_channel_binding (self->session, kind, &data) < 0)
    return NULL;

  bytes = g_bytes_new (data.data, data.size);
  gnutls_free (data.data);
  return bytes;
}
