/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receiving, with a real store, over real sockets. */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/world.h"

/* ── Tests ────────────────────────────────────────────────────────────────────────────────── */

#define PLAIN                                                                                      \
  "[server]\nhostname=relay.example.org\nmax-message-size=10M\nmin-free-space=1M\n"                \
  "[listener l]\nlisten=127.0.0.1:0\n"

static void
test_message_gets_its_trace (World *world, gconstpointer config)
{
  Client client;
  g_autofree char *body = NULL;
  const PrMessage *message;

  client_open (&client, world);
  client_talk (&client, "", "220 relay.example.org");
  client_talk (&client, "EHLO printer.example\r\n", "250 ");
  client_talk (&client, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", "354 ");
  client_talk (&client, "Subject: hi\r\n\r\ntext\r\n.\r\n", "250 2.");
  g_assert_cmpuint (world->accepted->len, ==, 1);

  message = world->accepted->pdata[0];
  body = body_of (message);
  g_test_message ("%s", body);
  g_assert_cmpstr (message->client, ==, "127.0.0.1");
  g_assert_cmpstr (message->envelope->sender, ==, "a@b.example");
  g_assert_cmpuint (message->size_octets, ==, strlen (body));
  g_assert_true (g_str_has_prefix (body, "Received: from printer.example ([127.0.0.1])\r\n"));
  g_assert_nonnull (strstr (body, "by relay.example.org (Postroom) with ESMTP id "));
  g_assert_nonnull (strstr (body, "for <c@d.example>;"));
  g_assert_nonnull (strstr (body, "\r\nDate: "));
  g_assert_nonnull (strstr (body, "\r\nMessage-ID: <"));
  g_assert_true (g_str_has_suffix (body, "\r\n\r\ntext\r\n"));
  g_assert_true (world_saw (world, PR_EVENT_ACCEPTED));
  client_close (&client);
}

static void
test_what_is_there_stays (World *world, gconstpointer config)
{
  static const char text[] =
    "Received: from x by y; then\r\nMessage-ID: <1@x>\r\nSubject: a\r\n b\r\n"
    "Date: Mon, 23 Nov 2026 20:00:00 +0000\r\n\r\nDate: no field\r\n";
  Client client;
  g_autofree char *body = NULL;

  client_open (&client, world);
  client_talk (&client, "HELO x\r\n", "250 ");
  client_talk (&client, "MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\n",
               "250 ");
  client_talk (&client, "DATA\r\n", "354 ");
  client_talk (&client, text, "");
  client_talk (&client, ".\r\n", "250 2.");

  body = body_of (world->accepted->pdata[0]);
  g_assert_true (g_str_has_suffix (body, text));
  g_assert_null (strstr (body, "for <")); /* two recipients: neither is told of the other */
  g_assert_nonnull (strstr (body, " with SMTP id "));
  client_close (&client);
}

#define STRANGER PLAIN "[access]\nrelay-networks=192.0.2.1\nlocal-domains=home.example\n"

static void
test_strangers (World *world, gconstpointer config)
{
  Client client;
  g_autofree char *body = NULL;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 ");
  client_talk (&client, "MAIL FROM:<a@b.example>\r\n", "250 ");
  client_talk (&client, "RCPT TO:<c@d.example>\r\n", "550 5.7.1");
  client_talk (&client, "RCPT TO:<postmaster>\r\n", "250 ");
  client_talk (&client, "RCPT TO:<c@home.example>\r\n", "250 ");
  client_talk (&client, "DATA\r\n", "354 ");
  client_talk (&client, "Subject: hi\r\n\r\ntext\r\n.\r\n", "250 2.");
  g_assert_true (world_saw (world, PR_EVENT_REFUSED));

  body = body_of (world->accepted->pdata[0]);
  g_assert_null (strstr (body, "Message-ID")); /* not ours to mend */
  client_close (&client);
}

static void
test_circles_end (World *world, gconstpointer config)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Client client;

  for (guint i = 0; i < 101; i++)
    g_string_append (text, "Received: by here; now\r\n");
  g_string_append (text, "\r\nx\r\n.\r\n");

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 ");
  client_talk (&client, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", "354 ");
  client_talk (&client, text->str, "554 5.4.6");
  g_assert_cmpuint (world->accepted->len, ==, 0);
  client_close (&client);
}

static void
test_full_disk (World *world, gconstpointer config)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 ");
  client_talk (&client, "MAIL FROM:<a@b.example>\r\n", "452 4.3.1");
  g_assert_true (world_saw (world, PR_EVENT_SPACE_LOW));

  world_listen (world, PLAIN); /* there is room again */
  client_talk (&client, "MAIL FROM:<a@b.example>\r\n", "250 ");
  g_assert_true (world_saw (world, PR_EVENT_SPACE_OK));
  client_close (&client);
}

static void
test_too_many (World *world, gconstpointer config)
{
  Client clients[3];

  for (guint i = 0; i < 2; i++)
    {
      client_open (&clients[i], world);
      client_talk (&clients[i], "", "220 ");
    }
  client_open (&clients[2], world);
  client_talk (&clients[2], "", "421 4.7.0");
  wait_for (world->context, client_is_closed (&clients[2]), "the end of the third connection");
  client_close (&clients[2]);

  client_talk (&clients[0], "QUIT\r\n", "221 ");
  wait_for (world->context, pr_lives_count (world->lives, FALSE) == 1, "one connection to be left");
  client_open (&clients[2], world);
  client_talk (&clients[2], "", "220 ");

  for (guint i = 0; i < 3; i++)
    client_close (&clients[i]);
}

static void
test_paused (World *world, gconstpointer config)
{
  Client before, after;

  client_open (&before, world);
  client_talk (&before, "EHLO x\r\n", "250 ");
  pr_server_set_paused (world->server, TRUE);
  g_assert_true (pr_server_is_paused (world->server));
  client_talk (&before, "MAIL FROM:<a@b.example>\r\n", "451 4.3.2");
  client_open (&after, world);
  client_talk (&after, "", "421 4.3.2");
  pr_server_set_paused (world->server, FALSE);
  client_talk (&before, "MAIL FROM:<a@b.example>\r\n", "250 ");
  client_close (&before);
  client_close (&after);
}

static gboolean
is_storing (World *world)
{
  PrLive *newest = pr_lives_first (world->lives);
  PrLiveFacts facts = { 0 };

  newest->describe (newest, &facts);
  return g_str_equal (facts.state, "storing a message");
}

/* The answer of a commit under way comes before the farewell. */
static void
test_stop_while_storing (World *world, gconstpointer config)
{
  Client idle, busy;

  client_open (&idle, world);
  client_talk (&idle, "EHLO x\r\n", "250 ");
  client_open (&busy, world);
  client_talk (&busy, "EHLO x\r\n", "250 ");
  client_talk (&busy, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", "354 ");
  g_assert_cmpint (send (busy.fd, "x\r\n.\r\n", 6, MSG_NOSIGNAL), ==, 6);
  wait_for (world->context, is_storing (world), "the message to be with the store");
  pr_server_shut_down (world->server);
  pr_store_close (g_steal_pointer (&world->store));
  wait_for (world->context, client_is_closed (&busy), "the end of the busy connection");
  g_assert_nonnull (strstr (busy.heard->str, "421 4.3.2"));
  g_assert_cmpuint (world->accepted->len, ==, 1);
  g_assert_true (strstr (busy.heard->str, "250 2.") < strstr (busy.heard->str, "421 4.3.2"));
  wait_for (world->context, client_is_closed (&idle), "the end of the idle connection");
  g_assert_nonnull (strstr (idle.heard->str, "421 4.3.2"));

  world->store = pr_store_open (world->home, world->context, NULL);
  g_assert_nonnull (world->store);
  client_close (&idle);
  client_close (&busy);
}

/* 500 kB in pieces, over the inline bound: through the spool, and every octet arrives. */
static void
test_large (World *world, gconstpointer config)
{
  g_autoptr (GString) text = g_string_new ("Subject: large\r\n\r\n");
  Client client;

  for (guint i = 0; text->len < 500000; i++)
    g_string_append_printf (text, "line %u of many\r\n", i);

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 ");
  client_talk (&client, "MAIL FROM:<a@b.example> SIZE=500000\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
               "354 ");
  client_talk (&client, text->str, "");
  client_talk (&client, ".\r\n", "250 2.");
  g_assert_cmpuint (((PrMessage *) world->accepted->pdata[0])->size_octets, >, text->len);
  g_assert_nonnull (((PrMessage *) world->accepted->pdata[0])->spool);
  client_close (&client);
}

/* Address kept, address gone: conversations go on either way. */
static void
test_reload (World *world, gconstpointer config)
{
  Client client, again;
  guint16 before;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 ");
  before = world->port;
  world_listen (world, PLAIN);
  g_assert_cmpuint (world->port, ==, before); /* the same socket */
  client_talk (&client, "MAIL FROM:<a@b.example>\r\n", "250 ");
  client_open (&again, world);
  client_talk (&again, "", "220 ");
  client_close (&client);
  client_close (&again);
}

static void
test_disconnect_by_hand (World *world, gconstpointer config)
{
  PrLiveFacts facts = { 0 };
  Client client;
  PrLive *live;

  client_open (&client, world);
  client_talk (&client, "EHLO me.example\r\n", "250 ");
  live = pr_lives_first (world->lives);
  live->describe (live, &facts);
  g_assert_cmpstr (facts.name, ==, "me.example");
  g_assert_cmpstr (facts.state, ==, "waiting for a command");
  g_assert_nonnull (strstr (live->transcript.text->str, "< EHLO me.example\n"));
  live->disconnect (live);
  wait_for (world->context, client_is_closed (&client), "the end of the connection");
  g_assert_nonnull (strstr (client.heard->str, "421 4.3.2"));
  g_assert_cmpuint (pr_lives_count (world->lives, FALSE), ==, 0);
  client_close (&client);
}

/* It closed its sending half right behind the dot: the answer must still come. */
static void
test_early_end (World *world, gconstpointer config)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
               "354 ");
  g_assert_cmpint (send (client.fd, "x\r\n.\r\n", 6, MSG_NOSIGNAL), ==, 6);
  shutdown (client.fd, SHUT_WR);
  wait_for (world->context, client_is_closed (&client), "the end");
  g_assert_nonnull (strstr (client.heard->str, "250 2."));
  g_assert_cmpuint (world->accepted->len, ==, 1);
  client_close (&client);
}

#define ADD(name, config, func)                                                                    \
  g_test_add ("/server/" name, World, config, world_set_up, func, world_tear_down)

#define SECRET                                                                                     \
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                   \
  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n"
#define NOBODY_RELAYS PLAIN "[access]\nrelay-networks=\n"
#define WITH_USER NOBODY_RELAYS "[user user]\nsecret=" SECRET "senders=*@office.example\n"
#define SIGN_IN "AUTH PLAIN AHVzZXIAcGVuY2ls\r\n"
#define SIGN_IN_WRONG "AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n"

static void
test_user_relays (World *world, gconstpointer config)
{
  Client client;
  g_autofree char *body = NULL;
  const PrMessage *message;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n");
  client_talk (&client, "MAIL FROM:<a@office.example>\r\nRCPT TO:<b@y>\r\n", "550 5.7.1 Relaying");
  client_talk (&client, "RSET\r\n" SIGN_IN, "235 2.7.0");
  client_talk (&client, "MAIL FROM:<a@other.example>\r\n",
               "550 5.7.1 You may not send as this sender");
  client_talk (&client, "MAIL FROM:<a@office.example>\r\nRCPT TO:<b@y>\r\nDATA\r\n", "354 ");
  client_talk (&client, "From: Me <me@office.example>\r\n\r\ntext\r\n.\r\n", "250 2.");
  message = world->accepted->pdata[0];
  body = body_of (message);
  g_assert_cmpstr (message->user, ==, "user");
  g_assert_nonnull (strstr (body, " with ESMTPA id "));
  g_assert_nonnull (strstr (body, "Message-ID: "));
  g_assert_true (world_saw (world, PR_EVENT_SIGNED_IN));

  client_talk (&client, "MAIL FROM:<>\r\nRCPT TO:<b@y>\r\nDATA\r\n", "354 ");
  client_talk (&client, "From: a@office.example, You <you@other.example>\r\n\r\n.\r\n",
               "550 5.7.1 You may not send with this From address");
  g_assert_cmpuint (world->accepted->len, ==, 1);
  client_close (&client);
}

static void
test_wrong_password (World *world, gconstpointer config)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n" SIGN_IN_WRONG,
               "535 5.7.8 The user name or the password is wrong");
  client_talk (&client, "AUTH PLAIN AG5vYm9keQBwZW5jaWw=\r\n",
               "535 5.7.8 The user name or the password is wrong");
  client_talk (&client, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n", "550 5.7.1 Relaying");
  g_assert_true (world_saw (world, PR_EVENT_SIGN_IN_FAILED));
  client_talk (&client, "RSET\r\n" SIGN_IN, "235 2.7.0");
  client_close (&client);
}

static void
on_kept (const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  *(gboolean *) user_data = TRUE;
}

/* The store answers in the order of the calls, so then it has told what was known before. */
static void
wait_for_store (World *world)
{
  gboolean kept = FALSE;

  pr_store_set_value (world->store, "test/done", "1", on_kept, &kept);
  wait_for (world->context, kept, "what was known before");
}

/* One failure more than is borne; then every connection is refused, after a restart too. */
static void
test_client_is_refused (World *world, gconstpointer config)
{
  g_autofree char *value = g_strdup_printf ("9 %" G_GINT64_FORMAT " 0", g_get_real_time ());
  Client client, second;

  pr_server_free (g_steal_pointer (&world->server));
  pr_store_set_value (world->store, "sign-in/client/127.0.0.1", value, NULL, NULL);
  world_listen (world, config);
  wait_for_store (world);
  client_open (&client, world);
  client_talk (&client, "", "220 ");
  client_talk (&client, "EHLO x\r\n" SIGN_IN_WRONG, "421 4.7.0 Signing in failed too often");
  wait_for (world->context, client_is_closed (&client), "the end of the connection");
  client_close (&client);
  g_assert_true (world_saw (world, PR_EVENT_CLIENT_REFUSED));

  pr_server_shut_down (world->server);
  pr_server_free (g_steal_pointer (&world->server));
  world_listen (world, config);
  wait_for_store (world);
  client_open (&second, world);
  client_talk (&second, "", "421 4.7.0 Signing in failed too often");
  client_close (&second);
}

static void
test_client_leaves_while_checked (World *world, gconstpointer config)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\nAUTH LOGIN\r\n", "334 VXNlcm5hbWU6");
  client_talk (&client, "dXNlcg==\r\n", "334 UGFzc3dvcmQ6");
  g_assert_cmpint (send (client.fd, "d3Jvbmc=\r\n", 10, MSG_NOSIGNAL), ==, 10);
  client_close (&client);
  wait_for (world->context, world_saw (world, PR_EVENT_DISCONNECTED), "the end of the connection");
}

/* The log says why we hung up, in the words that the client heard. */
static void
test_endings (World *world, gconstpointer config)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\nQUIT\r\n", "221 ");
  wait_for (world->context, world_was_told (world, "disconnected plain: Done"), "its end");
  client_close (&client);

  client_open (&client, world);
  client_say (&client, "GET / HTTP/1.1\r\n");
  wait_for (world->context, client_is_closed (&client), "the end of the connection");
  wait_for (world->context, world_was_told (world, "disconnected plain: Ended by Postroom: 554 5."),
            "its end");
  client_close (&client);

  client_open (&client, world);
  for (guint i = 0; i < 100; i++)
    client_say (&client, "NONSENSE\r\n");
  wait_for (world->context, client_is_closed (&client), "the end of the connection");
  wait_for (world->context, world_was_told (world, "disconnected plain: Ended by Postroom: 421 4."),
            "its end");
  client_close (&client);

  pr_server_set_paused (world->server, TRUE);
  client_open (&client, world);
  wait_for (world->context, client_is_closed (&client), "the end of the connection");
  wait_for (world->context, world_was_told (world, "disconnected plain: Refused: 421 4.3.2 "),
            "its end");
  client_close (&client);
}

/* Gone, or with another password: the sessions end, those of others stay. */
static void
test_revoked (World *world, gconstpointer config)
{
  Client client, other;

  client_open (&client, world);
  client_open (&other, world);
  client_talk (&other, "EHLO x\r\n", "250 ");
  client_talk (&client, "EHLO x\r\n" SIGN_IN, "235 2.7.0");
  world_listen (world, config);
  client_talk (&client, "NOOP\r\n", "250 2.0.0");
  world_listen (world, NOBODY_RELAYS);
  client_talk (&client, "", "421 4.7.0 What you signed in with holds no longer");
  wait_for (world->context, client_is_closed (&client), "the end of the connection");
  client_talk (&other, SIGN_IN, "502 5.5.1");
  client_close (&client);
  client_close (&other);
}

static void
test_sign_in_required (World *world, gconstpointer config)
{
  Client client;

  client_open (&client, world);
  client_talk (&client, "EHLO x\r\nMAIL FROM:<a@x>\r\n", "530 5.7.0 Sign in first");
  client_talk (&client, SIGN_IN "MAIL FROM:<a@office.example>\r\nRCPT TO:<b@y>\r\n", "250 2.1.5");
  client_close (&client);
}

/* The same port, on every address in place of one. */
static void
test_opens_up (World *world, gconstpointer config)
{
  guint16 port = world->port;
  g_autofree char *wide =
    g_strdup_printf ("[server]\nhostname=x.example\n[listener l]\nlisten=0.0.0.0:%u\n", port);
  Client client;

  world_listen (world, wide);
  g_assert_cmpuint (world->port, ==, port);
  client_open (&client, world);
  client_talk (&client, "EHLO x\r\n", "250 ");
  client_close (&client);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("message-gets-its-trace", PLAIN, test_message_gets_its_trace);
  ADD ("what-is-there-stays", PLAIN, test_what_is_there_stays);
  ADD ("strangers", STRANGER, test_strangers);
  ADD ("circles-end", PLAIN, test_circles_end);
  ADD ("full-disk", "[server]\nmin-free-space=1000G\n[listener l]\nlisten=127.0.0.1:0\n",
       test_full_disk);
  ADD ("too-many", "[server]\nmax-connections-per-client=2\n[listener l]\nlisten=127.0.0.1:0\n",
       test_too_many);
  ADD ("paused", PLAIN, test_paused);
  ADD ("stop-while-storing", PLAIN, test_stop_while_storing);
  ADD ("large", PLAIN, test_large);
  ADD ("reload", PLAIN, test_reload);
  ADD ("opens-up", PLAIN, test_opens_up);
  ADD ("disconnect-by-hand", PLAIN, test_disconnect_by_hand);
  ADD ("early-end", PLAIN, test_early_end);
  ADD ("endings", PLAIN, test_endings);
#define ADD_AUTH(name, config, function)                                                           \
  g_test_add ("/server/" name, World, config, world_set_up, function, world_tear_down)
  ADD_AUTH ("user-relays", WITH_USER, test_user_relays);
  ADD_AUTH ("wrong-password", WITH_USER, test_wrong_password);
  ADD_AUTH ("client-is-refused", WITH_USER, test_client_is_refused);
  ADD_AUTH ("client-leaves-while-checked", WITH_USER, test_client_leaves_while_checked);
  ADD_AUTH ("revoked", WITH_USER, test_revoked);
  ADD_AUTH ("sign-in-required", PLAIN "auth=required\n[user user]\nsecret=" SECRET,
            test_sign_in_required);

  return g_test_run ();
}
