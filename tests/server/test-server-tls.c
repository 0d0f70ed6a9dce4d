/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receiving under TLS: each mode of a listener, and clients that do it wrong. */

#include <string.h>
#include <unistd.h>

#include "pki.h"
#include "server/world.h"

static void
send_message (Client *self)
{
  client_talk (self, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", "354 ");
  client_talk (self, "Subject: x\r\n\r\ntext\r\n.\r\n", "250 2.");
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

static void
set_up (World *world, gconstpointer options)
{
  g_autofree char *text =
    g_strdup_printf ("[server]\nhostname=relay.example.org\n[listener l]\nlisten=127.0.0.1:0\n%s",
                     (const char *) options);

  world_set_up (world, text);
}

/* What a sender demands or waives is kept with the message, and the first is in its trace. */
static void
test_demands (World *world, gconstpointer options)
{
  static const struct
  {
    const char *parameter, *field;
    gboolean requires_tls, waives_tls;
  } cases[] = {
    { "", "", FALSE, FALSE },
    { " REQUIRETLS", "", TRUE, FALSE },
    { "", "TLS-Required: No\r\n", FALSE, TRUE },
    { " REQUIRETLS", "TLS-Required: No\r\n", TRUE, FALSE },
  };
  Client client;

  client_open (&client, world);
  client_talk (&client, "", "220 ");
  client_talk (&client, "HELO x\r\nSTARTTLS\r\n", "220 2.0.0");
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  client_talk (&client, "EHLO x\r\n", "250 HELP");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *envelope = g_strdup_printf (
        "MAIL FROM:<a@b.example>%s\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", cases[i].parameter);
      g_autofree char *text = g_strdup_printf ("%s\r\ntext\r\n.\r\n", cases[i].field);
      g_autofree char *body = NULL;
      const PrMessage *message;

      client_talk (&client, envelope, "354 ");
      client_talk (&client, text, "250 2.");
      message = world->accepted->pdata[world->accepted->len - 1];
      body = g_strndup (g_bytes_get_data (message->body, NULL), g_bytes_get_size (message->body));
      g_assert_cmpint (message->envelope->requires_tls, ==, cases[i].requires_tls);
      g_assert_cmpint (message->envelope->waives_tls, ==, cases[i].waives_tls);
      g_assert_cmpint (strstr (body, " (REQUIRETLS);\r\n") != NULL, ==, cases[i].requires_tls);
    }
  client_close (&client);
}

/* ── What each listener does ──────────────────────────────────────────────────────────────── */

static void
test_starttls (World *world, gconstpointer options)
{
  PrLiveFacts facts;
  PrLive *live;
  Client client;

  client_open (&client, world);
  client_talk (&client, "", "220 relay.example.org");
  client_talk (&client, "EHLO plain.example\r\n", "250-STARTTLS\r\n");
  client_talk (&client, "MAIL FROM:<x@b.example>\r\n", "250 2.1.0");
  client_talk (&client, "STARTTLS\r\n", "220 2.0.0");
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  client_talk (&client, "RCPT TO:<c@d.example>\r\n", "503 ");
  live = pr_lives_first (world->lives);
  live->describe (live, &facts);
  g_assert_true (g_str_has_prefix (facts.tls, "TLS1.3 TLS_"));
  g_assert_null (facts.name); /* forgotten, and so is the sender */
  client_talk (&client, "EHLO x\r\n", "250 HELP");
  client_talk (&client, "STARTTLS\r\n", "503 5.5.1");
  send_message (&client);
  assert_trace (world, "ESMTPS");
  client_talk (&client, "QUIT\r\n", "221 ");
  client_close (&client);
  wait_for (world->context, world_was_told (world, "disconnected secure: Done"), "the end");
  g_assert_true (world_was_told (world, "accepted secure"));
}

static void
test_tls_on_a_plain_port (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  client_talk (&client, "", "220 relay.example.org");
  client_talk (&client, "EHLO x\r\n", "250 HELP");
  send_message (&client);
  assert_trace (world, "ESMTPS");
  client_close (&client);
}

static void
test_speaks_first (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  client_say (&client, "HELO printer\r\nQUIT\r\n");
  client_talk (&client, "", "221 ");
  client_close (&client);
}

static void
test_plain_behind_starttls (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 HELP");
  client_say (&client, "STARTTLS\r\nMAIL FROM:<a@b.example>\r\n");
  wait_for (world->context, client_listen (&client) && client.closed, "the end");
  g_assert_null (strstr (client.heard->str, "250"));
  g_assert_true (world_was_told (world, "disconnected plain: Encryption failed: "));
  client_close (&client);
}

static void
test_required (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250-STARTTLS\r\n");
  client_talk (&client, "MAIL FROM:<a@b.example>\r\n", "530 5.7.0 ");
  client_talk (&client, "STARTTLS\r\n", "220 ");
  g_assert_cmpint (client_secure (&client, "NORMAL"), ==, 0);
  client_talk (&client, "EHLO x\r\n", "250 HELP");
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
  client_talk (&client, "", "220 relay.example.org");
  client_close (&client);

  client_open (&client, world);
  client_say (&client, "EHLO x\r\n");
  wait_for (world->context, client_listen (&client) && client.closed, "the end");
  g_assert_cmpstr (client.heard->str, ==, "");
  g_assert_true (world_was_told (world, "the client does not speak TLS"));
  client_close (&client);

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, ONLY_1_0), <, 0);
  wait_for (world->context,
            world_was_told (world, "Encryption failed: the client offered TLS 1.0 only"),
            "the words");
  client_close (&client);
}

static void
test_old_device (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  g_assert_cmpint (client_secure (&client, ONLY_1_0), ==, 0);
  client_talk (&client, "EHLO scanner\r\n", "250 HELP");
  client_close (&client);
}

static void
test_off (World *world, gconstpointer options)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 HELP");
  client_talk (&client, "STARTTLS\r\n", "502 ");
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

/* @user_data: (out): what it is told of the one listener, as a line. */
static void
on_listed (const PrShownCertificate *shown, gpointer user_data)
{
  char **line = user_data;

  g_assert_null (*line);
  g_assert_nonnull (shown->certificate);
  *line = g_strdup_printf ("%s %s %s %s", shown->listener, shown->is_own ? "own" : "ours",
                           shown->certificate->names[0],
                           shown->trouble != NULL ? shown->trouble : "well");
}

static void
check_listed (World *world, const char *expected)
{
  g_autofree char *line = NULL;

  pr_certificates_list (pr_server_get_certificates (world->server), on_listed, &line);
  g_assert_true (g_str_has_prefix (line, expected));
}

static void
test_own_certificate (World *world, gconstpointer options)
{
  g_autoptr (Pair) first = pair_new (&(PairOptions){ .name = "relay.example.org" });
  g_autoptr (Pair) second = pair_new (&(PairOptions){ .name = "relay.example.org" });
  g_autoptr (Pair) old =
    pair_new (&(PairOptions){ .name = "relay.example.org", .from_s = -172800, .until_s = -86400 });
  g_autoptr (Pair) fresh = pair_new (
    &(PairOptions){ .name = "relay.example.org", .from_s = -86400, .until_s = 90 * 86400 });
  g_autofree char *text = g_strdup_printf ("[listener l]\nlisten=127.0.0.1:0\ntls=implicit\n"
                                           "certificate=%s/own.pem\nkey=%s/own.key\n",
                                           world->home, world->home);

  write_pair (world, first, first);
  world_listen (world, text); /* as a reload does: read in a thread */
  wait_for (world->context, shows (world, first), "the own certificate");
  check_listed (world, "l own relay.example.org The certificate of the listener l expires on ");

  write_pair (world, second, first);
  world_listen (world, text);
  wait_for (world->context, world_was_told (world, "the key does not belong to the certificate"),
            "what is wrong");
  g_assert_true (shows (world, first)); /* it stays in force */
  check_listed (world, "l own relay.example.org The certificate of the listener l is not in force");

  write_pair (world, old, old);
  world_listen (world, text);
  wait_for (world->context, world_was_told (world, "certificate of the listener l expired on "),
            "what is wrong");
  g_assert_true (shows (world, old));
  g_assert_false (world_was_told (world, "was renewed"));

  write_pair (world, fresh, fresh);
  world_listen (world, text);
  wait_for (world->context,
            world_was_told (world, "The certificate of the listener l was renewed; it is valid "
                                   "until "),
            "that all is well");
  g_assert_true (shows (world, fresh));
  check_listed (world, "l own relay.example.org well");
}

#define ADD(name, options, func)                                                                   \
  g_test_add ("/server-tls/" name, World, options, set_up, func, world_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("starttls", "", test_starttls);
  ADD ("demands", "", test_demands);
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
