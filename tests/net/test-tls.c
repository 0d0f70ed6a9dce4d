/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS under the channel, in both roles, with certificates made here. */
#include "net/tls.h"

#include <errno.h>
#include <gio/gnetworking.h>
#include <glib-unix.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "net/channel.h"
#include "net/tls-hello.h"
#include "net/tls-session.h"
#include "pki.h"
#include "wait.h"

#define LINGER_MS 60000
#define HOST "mail.example.org"

typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  Pair *authority, *pair;
  PrTlsServer *server;
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  f->context = g_main_context_new ();
  f->loop = pr_loop_new (f->context);
  f->authority = pair_new (&(PairOptions){ .name = "An authority", .is_authority = TRUE });
  f->pair = pair_new (&(PairOptions){ .name = HOST, .issuer = f->authority });
  f->server = pr_tls_server_new (f->pair->certificate, f->pair->key, PR_TLS_1_2, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  pr_tls_server_unref (f->server);
  pair_free (f->pair);
  pair_free (f->authority);
  pr_loop_free (f->loop);
  g_main_context_unref (f->context);
}

static void
settle (Fixture *f)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (f->context, FALSE);
}

/* The owner of one channel. */
typedef struct
{
  PrChannel *channel; /* owned */
  GString *got;
  guint n_secured, n_closed, n_timed_out;
  GError *error;
  gboolean echo, free_in_secured, free_in_received;
  PrTlsServer *starts; /* borrowed: what "STARTTLS\r\n" begins */
} Owner;

static gsize
on_received (gpointer user_data, const char *data, gsize len)
{
  static const char starttls[] = "STARTTLS\r\n";
  Owner *self = user_data;

  g_assert_cmpuint (self->n_closed, ==, 0);
  if (self->starts != NULL && self->n_secured == 0 && g_str_has_prefix (data, starttls))
    {
      pr_channel_write (self->channel, "220\r\n", 5);
      pr_channel_start_tls_server (self->channel, self->starts);
      return strlen (starttls);
    }
  g_string_append_len (self->got, data, (gssize) len);
  if (self->echo)
    pr_channel_write (self->channel, data, len);
  if (self->free_in_received)
    g_clear_pointer (&self->channel, pr_channel_free);
  return len;
}

static void
on_secured (gpointer user_data)
{
  Owner *self = user_data;

  self->n_secured++;
  if (self->free_in_secured)
    g_clear_pointer (&self->channel, pr_channel_free);
}

static void
on_closed (gpointer user_data, const GError *error)
{
  Owner *self = user_data;

  g_assert_cmpuint (self->n_closed, ==, 0);
  self->n_closed++;
  self->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
on_timed_out (gpointer user_data)
{
  ((Owner *) user_data)->n_timed_out++;
}

static const PrChannelHandler handler = {
  .received = on_received,
  .closed = on_closed,
  .timed_out = on_timed_out,
  .secured = on_secured,
};

static void
owner_init (Owner *self, Fixture *f, int fd)
{
  *self = (Owner){ .got = g_string_new (NULL) };
  g_assert_true (g_unix_set_fd_nonblocking (fd, TRUE, NULL));
  self->channel = pr_channel_new_accepted (f->loop, fd, &handler, self);
}

static void
owner_clear (Owner *self)
{
  g_clear_pointer (&self->channel, pr_channel_free);
  g_clear_error (&self->error);
  g_string_free (self->got, TRUE);
}

static void
socket_pair (int fds[2])
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
}

static void
join (Fixture *f, Owner *near, Owner *far)
{
  int fds[2];

  socket_pair (fds);
  owner_init (near, f, fds[0]);
  owner_init (far, f, fds[1]);
}

/* The server's end, which waits for TLS, and the other one. */
static int
await (Fixture *f, Owner *owner, PrTlsServer *server, gboolean required)
{
  int fds[2];

  socket_pair (fds);
  owner_init (owner, f, fds[0]);
  pr_channel_detect_tls (owner->channel, server, required);
  return fds[1];
}

static PrTlsClient *
new_client (PrTlsVerify verify, const Pair *authority, GBytes *pin, PrTlsVersion minimum)
{
  g_autoptr (GError) error = NULL;
  PrTlsClient *client =
    pr_tls_client_new (verify, authority != NULL ? authority->certificate : NULL,
                       pin != NULL ? g_bytes_get_data (pin, NULL) : NULL, minimum, &error);

  g_assert_no_error (error);
  return client;
}

typedef struct
{
  Owner near, far; /* server, client */
} Talk;

/* Until both ends are secured, or the client's is closed. */
static void
talk_begin (Talk *self, Fixture *f, PrTlsServer *server, PrTlsClient *client, const char *host,
            GPtrArray *tlsa)
{
  join (f, &self->near, &self->far);
  pr_channel_start_tls_server (self->near.channel, server);
  pr_channel_start_tls_client (self->far.channel, client, host, tlsa, NULL);
  wait_for (f->context,
            (self->near.n_secured == 1 && self->far.n_secured == 1) || self->far.n_closed == 1,
            "the end of the handshake");
}

static void
talk_end (Talk *self)
{
  owner_clear (&self->near);
  owner_clear (&self->far);
}

/* What a client makes of a server that shows @pair: NULL, or its words. */
static char *
verdict_on (Fixture *f, GBytes *chain, const Pair *pair, PrTlsClient *client, const char *host,
            GPtrArray *tlsa)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) server =
    pr_tls_server_new (chain != NULL ? chain : pair->certificate, pair->key, PR_TLS_1_2, &error);
  char *words = NULL;
  Talk talk;

  g_assert_no_error (error);
  talk_begin (&talk, f, server, client, host, tlsa);
  if (talk.far.n_closed > 0)
    {
      g_assert_error (talk.far.error, PR_ERROR, PR_ERROR_TLS);
      g_assert_cmpuint (talk.far.n_secured, ==, 0);
      g_assert_null (pr_channel_get_tls (talk.far.channel));
      words = g_strdup (talk.far.error->message);
    }
  else
    g_assert_cmpint (pr_channel_get_tls (talk.far.channel)->verified, ==,
                     pr_channel_get_tls (talk.far.channel)->fault == NULL);
  talk_end (&talk);
  return words;
}

static void
assert_words (const char *words, const char *part)
{
  if (words == NULL || strstr (words, part) == NULL)
    g_error ("\"%s\" does not say \"%s\"", words, part);
}

/* ── Handshakes ───────────────────────────────────────────────────────────────────────────── */

static void
test_both_ways (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);
  const PrTlsFacts *facts;
  Talk talk;

  talk_begin (&talk, f, f->server, client, HOST, NULL);
  g_assert_no_error (talk.far.error);
  facts = pr_channel_get_tls (talk.far.channel);
  g_assert_cmpstr (facts->version, ==, "TLS1.3");
  g_assert_true (facts->verified);
  g_assert_false (facts->resumed);
  g_assert_null (facts->fault);
  g_assert_true (g_str_has_prefix (facts->cipher, "TLS_"));
  g_assert_true (g_str_has_prefix (facts->text, "TLS1.3 TLS_"));
  g_assert_true (pr_channel_is_secure (talk.near.channel));
  pr_channel_write (talk.far.channel, "EHLO", 4);
  pr_channel_write (talk.near.channel, "250", 3);
  wait_for (f->context, talk.near.got->len == 4 && talk.far.got->len == 3, "octets both ways");
  g_assert_cmpstr (talk.near.got->str, ==, "EHLO");
  g_assert_cmpuint (pr_channel_get_octets_in (talk.near.channel), ==, 4);
  pr_channel_finish (g_steal_pointer (&talk.near.channel), LINGER_MS);
  wait_for (f->context, talk.far.n_closed == 1, "close_notify");
  g_assert_no_error (talk.far.error);
  talk_end (&talk);
}

static void
test_bindings (Fixture *f, gconstpointer unused)
{
  static const char *const types[] = { "tls-exporter", "tls-server-end-point" };
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);
  g_autoptr (GBytes) hash = pair_hash (f->pair, FALSE);
  Talk talk;

  talk_begin (&talk, f, f->server, client, HOST, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GBytes) near = pr_channel_get_binding (talk.near.channel, types[i]);
      g_autoptr (GBytes) far = pr_channel_get_binding (talk.far.channel, types[i]);

      g_assert_nonnull (near);
      g_assert_cmpuint (g_bytes_get_size (near), ==, 32);
      g_assert_true (g_bytes_equal (near, far));
      g_assert_true (g_bytes_equal (near, hash) == (i == 1)); /* RFC 5929 §4.1 */
    }
  g_assert_null (pr_channel_get_binding (talk.near.channel, "tls-unique"));
  talk_end (&talk);
}

static void
test_resumes (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);

  for (guint i = 0; i < 3; i++)
    {
      Talk talk;

      talk_begin (&talk, f, f->server, client, HOST, NULL);
      g_assert_no_error (talk.far.error);
      g_assert_cmpint (pr_channel_get_tls (talk.far.channel)->resumed, ==, i > 0);
      g_assert_cmpint (pr_channel_get_tls (talk.near.channel)->resumed, ==, i > 0);
      g_assert_true (pr_channel_get_tls (talk.far.channel)->verified);
      pr_channel_write (talk.near.channel, "x", 1); /* the ticket comes before it */
      wait_for (f->context, talk.far.got->len == 1, "an octet");
      talk_end (&talk);
    }
}

static void
test_verdicts (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);
  g_autoptr (PrTlsClient) none = new_client (PR_TLS_VERIFY_NONE, NULL, NULL, PR_TLS_1_2);
  g_autoptr (Pair) expired = pair_new (
    &(PairOptions){ .name = HOST, .issuer = f->authority, .from_s = -172800, .until_s = -86400 });
  g_autoptr (Pair) future = pair_new (
    &(PairOptions){ .name = HOST, .issuer = f->authority, .from_s = 86400, .until_s = 172800 });
  g_autoptr (Pair) other = pair_new (&(PairOptions){ .name = "b.example", .issuer = f->authority });
  g_autoptr (Pair) own = pair_new (&(PairOptions){ .name = HOST });
  g_autoptr (Pair) stranger =
    pair_new (&(PairOptions){ .name = "Another authority", .is_authority = TRUE });
  g_autoptr (Pair) unknown = pair_new (&(PairOptions){ .name = HOST, .issuer = stranger });
  g_autoptr (Pair) address =
    pair_new (&(PairOptions){ .name = "192.0.2.7", .issuer = f->authority });
  const struct
  {
    const Pair *pair;
    const char *host, *words; /* NULL: it is right */
  } cases[] = {
    { f->pair, HOST, NULL },
    { f->pair, "MAIL.example.org", NULL },
    { f->pair, "mail.example.com", "not for mail.example.com but for: " HOST },
    { expired, HOST, "expired on " },
    { future, HOST, "not valid yet" },
    { other, HOST, "but for: b.example" },
    { own, HOST, "signed by itself" },
    { unknown, HOST, "an authority that is not trusted here" },
    { address, "192.0.2.7", NULL },
    { address, "192.0.2.8", "not for 192.0.2.8" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *words = verdict_on (f, NULL, cases[i].pair, client, cases[i].host, NULL);

      if (cases[i].words == NULL)
        g_assert_cmpstr (words, ==, NULL);
      else
        assert_words (words, cases[i].words);
      /* Encrypted all the same where nobody asks who it is. */
      g_assert_null (verdict_on (f, NULL, cases[i].pair, none, cases[i].host, NULL));
    }
}

static void
test_pin (Fixture *f, gconstpointer unused)
{
  g_autoptr (Pair) own = pair_new (&(PairOptions){ .name = "127.0.0.1" });
  g_autoptr (GBytes) pin = pair_hash (own, FALSE);
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_PIN, NULL, pin, PR_TLS_1_2);
  g_autofree char *words = NULL;

  g_assert_null (verdict_on (f, NULL, own, client, "bridge.example", NULL));
  words = verdict_on (f, NULL, f->pair, client, HOST, NULL);
  assert_words (words, "not the one that was agreed to");
}

/* The same trust, and no less strict for it; it outlives the one it came from. */
static void
test_derived (Fixture *f, gconstpointer unused)
{
  PrTlsClient *lax = new_client (PR_TLS_VERIFY_NONE, f->authority, NULL, PR_TLS_1_2);
  g_autoptr (PrTlsClient) strict = pr_tls_client_derive (lax, PR_TLS_VERIFY_FULL);
  g_autofree char *words = NULL;

  g_assert_null (verdict_on (f, NULL, f->pair, lax, "other.example", NULL));
  pr_tls_client_unref (lax);
  g_assert_null (verdict_on (f, NULL, f->pair, strict, HOST, NULL));
  words = verdict_on (f, NULL, f->pair, strict, "other.example", NULL);
  assert_words (words, "not for other.example");
}

static void
tlsa_free (gpointer data)
{
  PrTlsa *self = data;

  g_bytes_unref (self->data);
  g_free (self);
}

static GPtrArray *
tlsa_new (guint8 usage, guint8 selector, const Pair *pair)
{
  GPtrArray *records = g_ptr_array_new_with_free_func (tlsa_free);
  PrTlsa *record = g_new0 (PrTlsa, 1);

  *record = (PrTlsa){ usage, selector, 1, pair_hash (pair, selector == 1) };
  g_ptr_array_add (records, record);
  return records;
}

static void
test_dane (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_DANE, NULL, NULL, PR_TLS_1_2);
  g_autoptr (Pair) other =
    pair_new (&(PairOptions){ .name = "Another authority", .is_authority = TRUE });
  g_autoptr (GBytes) chain = pair_chain (f->pair, f->authority);
  g_autoptr (GPtrArray) empty = g_ptr_array_new ();

  for (guint8 selector = 0; selector <= 1; selector++)
    {
      g_autoptr (GPtrArray) ee = tlsa_new (3, selector, f->pair);
      g_autoptr (GPtrArray) ta = tlsa_new (2, selector, f->authority);
      g_autoptr (GPtrArray) wrong = tlsa_new (2, selector, other);
      g_autoptr (GPtrArray) pkix = tlsa_new (1, selector, f->pair);

      g_assert_null (verdict_on (f, chain, f->pair, client, HOST, ee));
      g_assert_null (verdict_on (f, chain, f->pair, client, "any.example", ee));
      g_assert_null (verdict_on (f, chain, f->pair, client, HOST, ta));
      for (guint i = 0; i < 4; i++)
        {
          GPtrArray *bad[] = { ta, wrong, pkix, empty };
          g_autofree char *words =
            verdict_on (f, chain, f->pair, client, i == 0 ? "any.example" : HOST, bad[i]);

          assert_words (words, "DNS records");
        }
    }
}

static void
test_hello (Fixture *f, gconstpointer unused)
{
  guint8 hello[34 + 4 + 2 + 7] = { 3, 1 };
  static const guint8 alert[] = { 20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 2, 2, 48 };
  const guint8 versions[] = { 0, 43, 0, 3, 2, 3, 4 };

  g_assert_cmpuint (pr_tls_hello_read_version (hello, 0), ==, 0);
  g_assert_cmpuint (pr_tls_hello_read_version (hello, 33), ==, 0);
  g_assert_cmpuint (pr_tls_hello_read_version (hello, 34), ==, 0x0301);
  hello[39] = sizeof versions;
  memcpy (hello + 40, versions, sizeof versions);
  g_assert_cmpuint (pr_tls_hello_read_version (hello, sizeof hello), ==, 0x0304);
  g_assert_cmpuint (pr_tls_hello_read_version (hello, sizeof hello - 1), ==, 0x0301);
  g_assert_cmpuint (pr_tls_hello_read_alert (alert, sizeof alert), ==, 48);
  g_assert_cmpuint (pr_tls_hello_read_alert (alert, sizeof alert - 1), ==, 0);
  g_assert_cmpuint (pr_tls_hello_read_alert (alert + 6, 7), ==, 48);
  g_assert_cmpuint (pr_tls_hello_read_alert (alert + 6, 6), ==, 0);
  g_assert_cmpuint (pr_tls_hello_read_alert (alert, 6), ==, 0);
  g_assert_cmpuint (pr_tls_hello_read_alert (hello, 0), ==, 0);
  g_assert_cmpstr (pr_tls_version_name (0x0300), ==, "SSL 3.0");
  g_assert_cmpstr (pr_tls_version_name (0x0304), ==, "TLS 1.3");
  g_assert_cmpstr (pr_tls_version_name (7), ==, "an unknown version of TLS");
}

static void
test_minimum (Fixture *f, gconstpointer unused)
{
  const PrTlsVersion versions[] = { PR_TLS_1_2, PR_TLS_1_3 };

  for (gsize i = 0; i < G_N_ELEMENTS (versions); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PrTlsServer) server =
        pr_tls_server_new (f->pair->certificate, f->pair->key, versions[i], &error);

      g_assert_no_error (error);
      g_assert_cmpint (pr_tls_server_get_minimum (server), ==, versions[i]);
    }
}

/* ── A client that is not ours ────────────────────────────────────────────────────────────── */

typedef struct
{
  int fd;
  gnutls_session_t session;
  gnutls_certificate_credentials_t credentials;
} Foreign;

static void
foreign_init (Foreign *self, int fd, const char *priority)
{
  self->fd = fd;
  g_assert_true (g_unix_set_fd_nonblocking (fd, TRUE, NULL));
  gnutls_certificate_allocate_credentials (&self->credentials);
  gnutls_init (&self->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
  g_assert_cmpint (gnutls_priority_set_direct (self->session, priority, NULL), ==, 0);
  gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, self->credentials);
  gnutls_transport_set_int (self->session, fd);
}

static void
foreign_clear (Foreign *self)
{
  gnutls_deinit (self->session);
  gnutls_certificate_free_credentials (self->credentials);
  close (self->fd);
}

static int
foreign_shake (Foreign *self, Fixture *f)
{
  gint64 end_us = g_get_monotonic_time () + WAIT_LIMIT_S * G_USEC_PER_SEC;
  int code;

  while ((code = gnutls_handshake (self->session)) == GNUTLS_E_AGAIN)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end_us);
      g_main_context_iteration (f->context, FALSE);
    }
  return code;
}

/* One record, past the tickets that come first. */
static int
foreign_read (Foreign *self, Fixture *f, char *buffer, gsize len)
{
  gint64 end_us = g_get_monotonic_time () + WAIT_LIMIT_S * G_USEC_PER_SEC;
  int n;

  while ((n = (int) gnutls_record_recv (self->session, buffer, len)) == GNUTLS_E_AGAIN)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end_us);
      g_main_context_iteration (f->context, FALSE);
    }
  return n;
}

#define ONLY_1_0 "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:+3DES-CBC:+RSA:%COMPAT"

static void
test_old_client (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Pair) rsa = pair_new (&(PairOptions){ .name = HOST, .is_rsa = TRUE });
  g_autoptr (PrTlsServer) lenient =
    pr_tls_server_new (f->pair->certificate, f->pair->key, PR_TLS_1_0, &error);
  Foreign foreign;
  Owner owner;

  g_assert_no_error (error);
  g_assert_true (pr_tls_server_add (lenient, rsa->certificate, rsa->key, &error));

  foreign_init (&foreign, await (f, &owner, f->server, TRUE), ONLY_1_0);
  g_assert_cmpint (foreign_shake (&foreign, f), <, 0);
  wait_for (f->context, owner.n_closed == 1, "the refusal");
  g_assert_error (owner.error, PR_ERROR, PR_ERROR_TLS);
  g_assert_cmpstr (owner.error->message, ==, "the client offered TLS 1.0 only");
  owner_clear (&owner);
  foreign_clear (&foreign);

  foreign_init (
    &foreign, await (f, &owner, lenient, TRUE),
    "NONE:+VERS-TLS1.0:+RSA:+3DES-CBC:+SHA1:+COMP-NULL:+SIGN-ALL:%COMPAT:%NO_SESSION_HASH");
  g_assert_cmpint (foreign_shake (&foreign, f), ==, 0);
  wait_for (f->context, owner.n_secured == 1, "an old device's handshake");
  g_assert_cmpstr (pr_channel_get_tls (owner.channel)->version, ==, "TLS1.0");
  /* Without extended master secret there is no exporter to bind to. */
  g_assert_null (pr_channel_get_binding (owner.channel, "tls-exporter"));
  g_assert_null (pr_channel_get_binding (owner.channel, "tls-unique"));
  owner_clear (&owner);
  foreign_clear (&foreign);
}

static void
test_ends_without_goodbye (Fixture *f, gconstpointer unused)
{
  Foreign foreign;
  Owner owner;

  foreign_init (&foreign, await (f, &owner, f->server, FALSE), "NORMAL");
  g_assert_cmpint (foreign_shake (&foreign, f), ==, 0);
  g_assert_cmpint ((int) gnutls_record_send (foreign.session, "QUIT", 4), ==, 4);
  foreign_clear (&foreign);
  wait_for (f->context, owner.n_closed == 1, "the end");
  g_assert_cmpstr (owner.got->str, ==, "QUIT");
  g_assert_true (owner.error == NULL || owner.error->code == PR_ERROR_TEMPORARY);
  owner_clear (&owner);
}

/* Octets and close_notify at once, and then the peer waits: nothing more comes from the socket. */
static void
test_goodbye_behind_octets (Fixture *f, gconstpointer unused)
{
  Foreign foreign;
  Owner owner;

  for (guint i = 0; i < 2; i++)
    {
      foreign_init (&foreign, await (f, &owner, f->server, FALSE), "NORMAL");
      g_assert_cmpint (foreign_shake (&foreign, f), ==, 0);
      wait_for (f->context, owner.n_secured == 1, "the handshake");
      if (i == 1)
        pr_channel_pause (owner.channel);
      g_assert_cmpint ((int) gnutls_record_send (foreign.session, "QUIT", 4), ==, 4);
      g_assert_cmpint (gnutls_bye (foreign.session, GNUTLS_SHUT_WR), ==, 0);
      settle (f);
      if (i == 1)
        pr_channel_resume (owner.channel);
      wait_for (f->context, owner.n_closed == 1, "the end");
      g_assert_cmpstr (owner.got->str, ==, "QUIT");
      g_assert_no_error (owner.error);
      owner_clear (&owner);
      foreign_clear (&foreign);
    }
}

static void
test_offers_alpn (Fixture *f, gconstpointer unused)
{
  gnutls_datum_t smtp = { (guint8 *) "smtp", 4 };
  Foreign foreign;
  Owner owner;

  foreign_init (&foreign, await (f, &owner, f->server, FALSE), "NORMAL");
  gnutls_alpn_set_protocols (foreign.session, &smtp, 1, 0);
  gnutls_server_name_set (foreign.session, GNUTLS_NAME_DNS, "other.example", 13);
  g_assert_cmpint (foreign_shake (&foreign, f), ==, 0);
  wait_for (f->context, owner.n_secured == 1, "the handshake");
  owner_clear (&owner);
  foreign_clear (&foreign);
}

/* ── How it begins ────────────────────────────────────────────────────────────────────────── */

static void
test_detects_plain (Fixture *f, gconstpointer unused)
{
  Owner owner;
  int peer = await (f, &owner, f->server, FALSE);

  settle (f);
  g_assert_cmpuint (owner.got->len, ==, 0);
  g_assert_cmpint (send (peer, "EHLO a", 6, 0), ==, 6);
  wait_for (f->context, owner.got->len == 6, "plain octets");
  g_assert_false (pr_channel_is_secure (owner.channel));
  close (peer);
  wait_for (f->context, owner.n_closed == 1, "the end");
  g_assert_no_error (owner.error);
  owner_clear (&owner);

  peer = await (f, &owner, f->server, TRUE);
  g_assert_cmpint (send (peer, "EHLO a", 6, 0), ==, 6);
  wait_for (f->context, owner.n_closed == 1, "the refusal");
  g_assert_error (owner.error, PR_ERROR, PR_ERROR_TLS);
  assert_words (owner.error->message, "does not speak TLS");
  g_assert_cmpuint (owner.got->len, ==, 0);
  owner_clear (&owner);
  close (peer);

  peer = await (f, &owner, f->server, TRUE);
  close (peer); /* a port scan */
  wait_for (f->context, owner.n_closed == 1, "the end");
  g_assert_no_error (owner.error);
  owner_clear (&owner);
}

static void
test_stops_looking (Fixture *f, gconstpointer unused)
{
  Owner owner;
  int peer = await (f, &owner, f->server, TRUE);

  pr_channel_detect_tls (owner.channel, NULL, FALSE);
  g_assert_cmpint (send (peer, "\x16\x03\x01", 3, 0), ==, 3);
  wait_for (f->context, owner.got->len == 3, "octets as they are");
  owner_clear (&owner);
  close (peer);
}

static void
test_starttls (Fixture *f, gconstpointer unused)
{
  char buffer[64];
  Foreign foreign;
  Owner owner;
  int fds[2];

  socket_pair (fds);
  owner_init (&owner, f, fds[0]);
  owner.starts = f->server;
  g_assert_cmpint (send (fds[1], "STARTTLS\r\n", 10, 0), ==, 10);
  settle (f);
  g_assert_cmpint (recv (fds[1], buffer, sizeof buffer, MSG_DONTWAIT), ==, 5);
  foreign_init (&foreign, fds[1], "NORMAL");
  g_assert_cmpint (foreign_shake (&foreign, f), ==, 0);
  wait_for (f->context, owner.n_secured == 1, "the handshake");
  owner.echo = TRUE;
  g_assert_cmpint ((int) gnutls_record_send (foreign.session, "EHLO", 4), ==, 4);
  wait_for (f->context, owner.got->len == 4, "octets under TLS");
  g_assert_cmpint (foreign_read (&foreign, f, buffer, sizeof buffer), ==, 4);
  owner_clear (&owner);
  foreign_clear (&foreign);
}

/* CVE-2011-0411: what came in plain text is never taken for what came under TLS. */
static void
test_octets_behind_starttls (Fixture *f, gconstpointer unused)
{
  Owner owner;
  int fds[2];

  socket_pair (fds);
  owner_init (&owner, f, fds[0]);
  owner.starts = f->server;
  g_assert_cmpint (send (fds[1], "STARTTLS\r\nRSET\r\n", 16, 0), ==, 16);
  wait_for (f->context, owner.n_closed == 1, "the end");
  g_assert_error (owner.error, PR_ERROR, PR_ERROR_PROTOCOL);
  g_assert_cmpuint (owner.got->len, ==, 0);
  owner_clear (&owner);
  close (fds[1]);

  /* In two packets: what comes later is no TLS record. */
  socket_pair (fds);
  owner_init (&owner, f, fds[0]);
  owner.starts = f->server;
  g_assert_cmpint (send (fds[1], "STARTTLS\r\n", 10, 0), ==, 10);
  settle (f);
  g_assert_cmpint (send (fds[1], "RSET\r\n", 6, 0), ==, 6);
  shutdown (fds[1], SHUT_WR);
  wait_for (f->context, owner.n_closed == 1, "the end");
  g_assert_error (owner.error, PR_ERROR, PR_ERROR_TLS);
  g_assert_cmpuint (owner.got->len, ==, 0);
  owner_clear (&owner);
  close (fds[1]);
}

/* ── Peers that stall, and owners that let go ─────────────────────────────────────────────── */

static void
test_half_open (Fixture *f, gconstpointer unused)
{
  static const char start[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
  Owner owner;
  int peer = await (f, &owner, f->server, TRUE);

  for (gsize i = 0; i < sizeof start - 1; i++) /* octet by octet */
    {
      g_assert_cmpint (send (peer, start + i, 1, 0), ==, 1);
      settle (f);
    }
  g_assert_cmpuint (owner.n_closed, ==, 0);
  g_assert_true (pr_channel_is_securing (owner.channel));
  g_assert_false (pr_channel_is_secure (owner.channel));
  pr_channel_set_deadline (owner.channel, 1);
  wait_for (f->context, owner.n_timed_out == 1, "the handshake's deadline");
  close (peer);
  wait_for (f->context, owner.n_closed == 1, "the end");
  g_assert_error (owner.error, PR_ERROR, PR_ERROR_TLS);
  assert_words (owner.error->message, "left in the middle of the handshake");
  owner_clear (&owner);
}

static void
test_free_in_callbacks (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);

  for (guint i = 0; i < 2; i++)
    {
      Owner near, far;

      join (f, &near, &far);
      near.free_in_secured = i == 0;
      near.free_in_received = i == 1;
      pr_channel_start_tls_server (near.channel, f->server);
      pr_channel_start_tls_client (far.channel, client, HOST, NULL, NULL);
      wait_for (f->context, far.n_secured == 1, "the handshake");
      if (far.n_closed == 0)
        pr_channel_write (far.channel, "x", 1);
      wait_for (f->context, near.channel == NULL && far.n_closed == 1, "the end");
      owner_clear (&near);
      owner_clear (&far);
    }

  for (guint i = 0; i < 6; i++) /* in each state of a handshake */
    {
      Owner near, far;

      join (f, &near, &far);
      pr_channel_start_tls_server (near.channel, f->server);
      pr_channel_start_tls_client (far.channel, client, HOST, NULL, NULL);
      for (guint j = 0; j < i; j++)
        g_main_context_iteration (f->context, FALSE);
      pr_channel_finish (g_steal_pointer (&far.channel), LINGER_MS);
      wait_for (f->context, near.n_closed == 1, "the end");
      owner_clear (&near);
      owner_clear (&far);
    }
}

#define N_STALLED 400

static void
test_stalled_do_not_hinder (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);
  static Owner stalled[N_STALLED];
  static int peers[N_STALLED];
  Talk talks[20];

  for (guint i = 0; i < N_STALLED; i++)
    {
      peers[i] = await (f, &stalled[i], f->server, TRUE);
      g_assert_cmpint (send (peers[i], "\x16\x03\x01", 3, 0), ==, 3);
    }
  settle (f);
  for (guint i = 0; i < G_N_ELEMENTS (talks); i++) /* all at once: more than a turn takes */
    {
      join (f, &talks[i].near, &talks[i].far);
      pr_channel_start_tls_server (talks[i].near.channel, f->server);
      pr_channel_start_tls_client (talks[i].far.channel, client, HOST, NULL, NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (talks); i++)
    {
      wait_for (f->context, talks[i].near.n_secured == 1 && talks[i].far.n_secured == 1,
                "a handshake among stalled ones");
      talk_end (&talks[i]);
    }
  for (guint i = 0; i < N_STALLED; i++)
    {
      g_assert_cmpuint (stalled[i].n_closed, ==, 0);
      owner_clear (&stalled[i]);
      close (peers[i]);
    }
}

#define LARGE (5 * 1024 * 1024)

static void
test_large (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);
  g_autofree char *data = g_malloc (LARGE);
  Talk talk;

  for (gsize i = 0; i < LARGE; i++)
    data[i] = (char) (i * 7 + i / 4099);
  talk_begin (&talk, f, f->server, client, HOST, NULL);
  pr_channel_pause (talk.near.channel); /* so that it must be kept */
  pr_channel_write (talk.far.channel, data, LARGE);
  settle (f);
  g_assert_cmpuint (pr_channel_get_unsent (talk.far.channel), >, LARGE / 2);
  g_assert_cmpuint (talk.near.got->len, ==, 0);
  pr_channel_resume (talk.near.channel);
  wait_for (f->context, talk.near.got->len == LARGE, "all of it");
  pr_channel_write (talk.near.channel, data, LARGE);
  wait_for (f->context, talk.far.got->len == LARGE, "all of it back");
  g_assert_cmpint (memcmp (talk.far.got->str, data, LARGE), ==, 0);
  g_assert_cmpint (memcmp (talk.near.got->str, data, LARGE), ==, 0);
  talk_end (&talk);
}

static void
test_finish_flushes (Fixture *f, gconstpointer unused)
{
  g_autoptr (PrTlsClient) client = new_client (PR_TLS_VERIFY_FULL, f->authority, NULL, PR_TLS_1_2);
  g_autofree char *data = g_malloc0 (LARGE);
  Talk talk;

  talk_begin (&talk, f, f->server, client, HOST, NULL);
  pr_channel_write (talk.near.channel, data, LARGE);
  pr_channel_finish (g_steal_pointer (&talk.near.channel), LINGER_MS);
  wait_for (f->context, talk.far.n_closed == 1, "the end");
  g_assert_no_error (talk.far.error);
  g_assert_cmpuint (talk.far.got->len, ==, LARGE);
  talk_end (&talk);
}

/* ── Faults of ours ───────────────────────────────────────────────────────────────────────── */

static void
test_bad_files (Fixture *f, gconstpointer unused)
{
  g_autoptr (Pair) other = pair_new (&(PairOptions){ .name = HOST });
  g_autoptr (GBytes) nonsense = g_bytes_new_static ("nonsense", 8);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  const struct
  {
    GBytes *certificate, *key;
    const char *words;
  } cases[] = {
    { f->pair->certificate, other->key, "does not belong" },
    { nonsense, other->key, "cannot be used" },
    { nothing, nothing, "cannot be used" },
    { f->pair->certificate, f->pair->certificate, "cannot be used" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pr_tls_server_new (cases[i].certificate, cases[i].key, PR_TLS_1_2, &error));
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
      assert_words (error->message, cases[i].words);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pr_tls_client_new (PR_TLS_VERIFY_FULL, i == 0 ? nonsense : nothing, NULL,
                                        PR_TLS_1_2, &error));
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
    }
  g_assert_cmpint (pr_tls_server_get_expiry (f->server), >, g_get_real_time () / G_USEC_PER_SEC);
}

/* Shared by the channels of a route: the last to go frees it. */
static void
test_client_is_shared (void)
{
  g_autoptr (GError) error = NULL;
  PrTlsClient *client = pr_tls_client_new (PR_TLS_VERIFY_NONE, NULL, NULL, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  g_assert_true (pr_tls_client_ref (client) == client);
  pr_tls_client_unref (client);
  g_assert_cmpint (pr_tls_client_get_verify (client), ==, PR_TLS_VERIFY_NONE);
  pr_tls_client_unref (client);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *, gconstpointer);
  } tests[] = {
    { "/tls/both-ways", test_both_ways },
    { "/tls/bindings", test_bindings },
    { "/tls/resumes", test_resumes },
    { "/tls/verdicts", test_verdicts },
    { "/tls/pin", test_pin },
    { "/tls/derived", test_derived },
    { "/tls/dane", test_dane },
    { "/tls/hello", test_hello },
    { "/tls/minimum", test_minimum },
    { "/tls/old-client", test_old_client },
    { "/tls/ends-without-goodbye", test_ends_without_goodbye },
    { "/tls/goodbye-behind-octets", test_goodbye_behind_octets },
    { "/tls/offers-alpn", test_offers_alpn },
    { "/tls/detects-plain", test_detects_plain },
    { "/tls/stops-looking", test_stops_looking },
    { "/tls/starttls", test_starttls },
    { "/tls/octets-behind-starttls", test_octets_behind_starttls },
    { "/tls/half-open", test_half_open },
    { "/tls/free-in-callbacks", test_free_in_callbacks },
    { "/tls/stalled-do-not-hinder", test_stalled_do_not_hinder },
    { "/tls/large", test_large },
    { "/tls/finish-flushes", test_finish_flushes },
    { "/tls/bad-files", test_bad_files },
  };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  g_test_add_func ("/tls/client-is-shared", test_client_is_shared);
  return g_test_run ();
}
