/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receiving under TLS: each mode of a listener, and clients that do it wrong. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pki.h"
#include "server/server.h"
#include "wait.h"

typedef struct
{
  GMainContext *context;
  char *home;
  PrLoop *loop;
  PrStore *store;
  PrJournal *journal;
  PrLives *lives;
  PrConfig *config;
  PrServer *server;
  GPtrArray *accepted; /* of PrMessage */
  GString *told;       /* a line for each event */
  guint16 port;
} World;

static void
on_arriving (PrMessage *message, gpointer user_data)
{
}

static void
on_accepted (PrMessage *message, gpointer user_data)
{
  World *world = user_data;

  g_ptr_array_add (world->accepted, pr_message_ref (message));
}

static void
on_event (const PrEvent *event, gpointer user_data)
{
  World *world = user_data;

  g_string_append_printf (world->told, "%s %s: %s\n", pr_event_kind_to_string (event->kind),
                          event->tls != NULL ? "secure" : "plain", event->text);
}

static gboolean
was_told (World *world, const char *text)
{
  return strstr (world->told->str, text) != NULL;
}

static void
listen_with (World *world, const char *text)
{
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (GPtrArray) addresses = NULL;

  g_clear_pointer (&world->config, pr_config_unref);
  world->config = pr_config_parse (text, strlen (text), "test.conf", &faults);
  if (world->config == NULL)
    g_error ("%s", (char *) faults->pdata[0]);
  if (world->server == NULL)
    {
      g_autofree char *folder = g_build_filename (world->home, "tls", NULL);

      world->server = pr_server_new (&(PrServerWorld){ .loop = world->loop,
                                                       .store = world->store,
                                                       .journal = world->journal,
                                                       .lives = world->lives,
                                                       .tls_folder = folder,
                                                       .arriving = on_arriving,
                                                       .accepted = on_accepted,
                                                       .user_data = world },
                                     world->config);
    }
  g_assert_true (pr_server_set_config (world->server, world->config, &warnings));
  addresses = pr_server_get_addresses (world->server);
  world->port = (guint16) g_ascii_strtoull (strrchr (addresses->pdata[0], ':') + 1, NULL, 10);
}

static void
set_up (World *world, gconstpointer options)
{
  g_autofree char *text =
    g_strdup_printf ("[server]\nhostname=relay.example.org\n[listener l]\nlisten=127.0.0.1:0\n%s",
                     (const char *) options);
  g_autoptr (GError) error = NULL;

  world->context = g_main_context_new ();
  g_main_context_push_thread_default (world->context);
  world->home = g_dir_make_tmp ("server-tls-XXXXXX", NULL);
  world->loop = pr_loop_new (world->context);
  world->store = pr_store_open (world->home, world->context, &error);
  g_assert_no_error (error);
  world->journal = pr_journal_new (world->store);
  world->lives = pr_lives_new ();
  world->accepted = g_ptr_array_new_with_free_func ((GDestroyNotify) pr_message_unref);
  world->told = g_string_new (NULL);
  pr_journal_follow (world->journal, on_event, world);
  listen_with (world, text);
}

static void
tear_down (World *world, gconstpointer options)
{
  g_autofree char *remove = g_strdup_printf ("rm -rf '%s'", world->home);

  pr_server_shut_down (world->server);
  pr_store_close (world->store);
  pr_server_free (world->server);
  pr_journal_free (world->journal);
  pr_lives_free (world->lives);
  pr_loop_free (world->loop);
  pr_config_unref (world->config);
  g_ptr_array_unref (world->accepted);
  g_string_free (world->told, TRUE);
  g_main_context_pop_thread_default (world->context);
  g_main_context_unref (world->context);
  g_assert_true (g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL));
  g_free (world->home);
}

/* ── A client ─────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  World *world;
  int fd;
  gnutls_session_t session; /* owned, NULL: plain text */
  gnutls_certificate_credentials_t credentials;
  GString *heard;
  gboolean closed;
} Client;

static void
client_open (Client *self, World *world)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (world->port) };

  *self = (Client){ .world = world, .heard = g_string_new (NULL) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  self->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (self->fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  fcntl (self->fd, F_SETFL, O_NONBLOCK);
}

/* What the handshake came to. */
static int
client_secure (Client *self, const char *priority)
{
  int code = GNUTLS_E_AGAIN;

  gnutls_certificate_allocate_credentials (&self->credentials);
  gnutls_init (&self->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
  g_assert_cmpint (gnutls_priority_set_direct (self->session, priority, NULL), ==, 0);
  gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, self->credentials);
  gnutls_transport_set_int (self->session, self->fd);
  wait_for (self->world->context, (code = gnutls_handshake (self->session)) != GNUTLS_E_AGAIN,
            "a handshake");
  return code;
}

static void
client_close (Client *self)
{
  if (self->session != NULL)
    {
      gnutls_deinit (self->session);
      gnutls_certificate_free_credentials (self->credentials);
    }
  close (self->fd);
  g_string_free (self->heard, TRUE);
}

static gboolean
client_listen (Client *self)
{
  char buffer[4096];
  gssize n;

  do
    {
      n = self->session != NULL ? gnutls_record_recv (self->session, buffer, sizeof buffer)
                                : recv (self->fd, buffer, sizeof buffer, 0);
      if (n > 0)
        g_string_append_len (self->heard, buffer, n);
    }
  while (n > 0);
  self->closed |= self->session != NULL ? n != GNUTLS_E_AGAIN
                                        : n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  return TRUE;
}

static void
say (Client *self, const char *text)
{
  gssize len = (gssize) strlen (text);

  if (self->session != NULL)
    g_assert_cmpint (gnutls_record_send (self->session, text, (gsize) len), ==, len);
  else
    g_assert_cmpint (send (self->fd, text, (gsize) len, MSG_NOSIGNAL), ==, len);
}

/* Says @text and waits until the replies contain @reply, which are then forgotten. */
static void
talk (Client *self, const char *text, const char *reply)
{
  if (text[0] != '\0')
    say (self, text);
  wait_for (self->world->context, client_listen (self) && strstr (self->heard->str, reply) != NULL,
            reply);
  g_string_truncate (self->heard, 0);
}

static void
send_message (Client *self)
{
  talk (self, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", "354 ");
  talk (self, "Subject: x\r\n\r\ntext\r\n.\r\n", "250 2.");
}

static void
assert_trace (World *world, const char *protocol)
{
  const PrMessage *message = world->accepted->pdata[world->accepted->len - 1];
  g_autofree char *body =
    g_strndup (g_bytes_get_data (message->body, NULL), g_bytes_get_size (message->body));
  g_autofree char *with = g_strdup_printf (" with %s id ", protocol);

  g_assert_nonnull (strstr (body, with));
  g_assert_nonnull (strstr (body, "\r\n\ttls TLS_"));
  g_assert_nonnull (strstr (body, " (TLS1.3);\r\n"));
}

/* ── What each listener does ──────────────────────────────────────────────────────────────── */

static void
test_starttls (World *world, gconstpointer options)
{
  PrLiveFacts facts;
  PrLive *live;
  Client client;

  client_open (&client, world);
  talk (&client, "", "220 relay.example.org");
  talk (&client, "EHLO plain.example\r\n", "250-STARTTLS\r\n");
  talk (&client, "MAIL FROM:<x@b.example>\r\n", "250 2.1.0");
  talk (&client, "STARTTLS\r\n", "220 2.0.0");
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  talk (&client, "RCPT TO:<c@d.example>\r\n", "503 ");
  live = pr_lives_first (world->lives);
  live->describe (live, &facts);
  g_assert_true (g_str_has_prefix (facts.tls, "TLS1.3 TLS_"));
  g_assert_null (facts.name); /* forgotten, and so is the sender */
  talk (&client, "EHLO x\r\n", "250 HELP");
  talk (&client, "STARTTLS\r\n", "503 5.5.1");
  send_message (&client);
  assert_trace (world, "ESMTPS");
  talk (&client, "QUIT\r\n", "221 ");
  client_close (&client);
  wait_for (world->context, was_told (world, "disconnected secure: Done"), "the end");
  g_assert_true (was_told (world, "accepted secure"));
}

static void
test_tls_on_a_plain_port (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  talk (&client, "", "220 relay.example.org");
  talk (&client, "EHLO x\r\n", "250 HELP");
  send_message (&client);
  assert_trace (world, "ESMTPS");
  client_close (&client);
}

static void
test_speaks_first (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  say (&client, "HELO printer\r\nQUIT\r\n");
  talk (&client, "", "221 ");
  client_close (&client);
}

static void
test_plain_behind_starttls (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  talk (&client, "EHLO x\r\n", "250 HELP");
  say (&client, "STARTTLS\r\nMAIL FROM:<a@b.example>\r\n");
  wait_for (world->context, client_listen (&client) && client.closed, "the end");
  g_assert_null (strstr (client.heard->str, "250"));
  g_assert_true (was_told (world, "disconnected plain: Encryption failed: "));
  client_close (&client);
}

static void
test_required (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  talk (&client, "EHLO x\r\n", "250-STARTTLS\r\n");
  talk (&client, "MAIL FROM:<a@b.example>\r\n", "530 5.7.0 ");
  talk (&client, "STARTTLS\r\n", "220 ");
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  talk (&client, "EHLO x\r\n", "250 HELP");
  send_message (&client);
  client_close (&client);
}

#define ONLY_1_0 "NONE:+VERS-TLS1.0:+RSA:+AES-128-CBC:+SHA1:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:%COMPAT"

static void
test_implicit (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  talk (&client, "", "220 relay.example.org");
  client_close (&client);

  client_open (&client, world);
  say (&client, "EHLO x\r\n");
  wait_for (world->context, client_listen (&client) && client.closed, "the end");
  g_assert_cmpstr (client.heard->str, ==, "");
  g_assert_true (was_told (world, "the client does not speak TLS"));
  client_close (&client);

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, ONLY_1_0), <, 0);
  wait_for (world->context, was_told (world, "Encryption failed: the client offered TLS 1.0 only"),
            "the words");
  client_close (&client);
}

static void
test_old_device (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, ONLY_1_0), ==, 0);
  talk (&client, "EHLO scanner\r\n", "250 HELP");
  client_close (&client);
}

static void
test_off (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  talk (&client, "EHLO x\r\n", "250 HELP");
  talk (&client, "STARTTLS\r\n", "502 ");
  client_close (&client);
}

/* ── Own certificates ─────────────────────────────────────────────────────────────────────── */

static void
write_pair (World *world, const Pair *pair, const Pair *key)
{
  g_autofree char *certificate = g_build_filename (world->home, "own.pem", NULL);
  g_autofree char *secret = g_build_filename (world->home, "own.key", NULL);

  g_assert_true (g_file_set_contents (certificate, g_bytes_get_data (pair->certificate, NULL),
                                      (gssize) g_bytes_get_size (pair->certificate), NULL));
  g_assert_true (g_file_set_contents (secret, g_bytes_get_data (key->key, NULL),
                                      (gssize) g_bytes_get_size (key->key), NULL));
}

static gboolean
shows (World *world, const Pair *pair)
{
  g_autoptr (GBytes) wanted = pair_hash (pair, FALSE);
  guint8 digest[32];
  size_t len = sizeof digest;
  const gnutls_datum_t *chain;
  gboolean right;
  Client client;

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  chain = gnutls_certificate_get_peers (client.session, NULL);
  g_assert_cmpint (gnutls_fingerprint (GNUTLS_DIG_SHA256, chain, digest, &len), ==, 0);
  right = memcmp (digest, g_bytes_get_data (wanted, NULL), len) == 0;
  client_close (&client);
  return right;
}

static void
test_own_certificate (World *world, gconstpointer options)
{
  g_autoptr (Pair) first = pair_new (&(PairOptions){ .name = "relay.example.org" });
  g_autoptr (Pair) second = pair_new (&(PairOptions){ .name = "relay.example.org" });
  g_autoptr (Pair) old =
    pair_new (&(PairOptions){ .name = "relay.example.org", .from_s = -172800, .until_s = -86400 });
  g_autofree char *text = g_strdup_printf ("[listener l]\nlisten=127.0.0.1:0\ntls=implicit\n"
                                           "certificate=%s/own.pem\nkey=%s/own.key\n",
                                           world->home, world->home);

  write_pair (world, first, first);
  listen_with (world, text); /* as a reload does: read in a thread */
  wait_for (world->context, shows (world, first), "the own certificate");

  write_pair (world, second, first);
  listen_with (world, text);
  wait_for (world->context, was_told (world, "the key does not belong to the certificate"),
            "what is wrong");
  g_assert_true (shows (world, first)); /* it stays in force */

  write_pair (world, old, old);
  listen_with (world, text);
  wait_for (world->context, was_told (world, "certificate of the listener l expired on "),
            "what is wrong");
  g_assert_true (shows (world, old));
}

#define ADD(name, options, func)                                                                   \
  g_test_add ("/server-tls/" name, World, options, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("starttls", "", test_starttls);
  ADD ("tls-on-a-plain-port", "", test_tls_on_a_plain_port);
  ADD ("speaks-first", "", test_speaks_first);
  ADD ("plain-behind-starttls", "", test_plain_behind_starttls);
  ADD ("required", "tls=required\n", test_required);
  ADD ("implicit", "tls=implicit\n", test_implicit);
  ADD ("old-device", "minimum-tls=1.0\n", test_old_device);
  ADD ("off", "tls=off\n", test_off);
  ADD ("own-certificate", "tls=implicit\n", test_own_certificate);
  return g_test_run ();
}
