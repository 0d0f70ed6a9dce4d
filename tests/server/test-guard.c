/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mail of strangers: what is found out about it, and what they hear. The stranger is this computer,
 * and DNS is what each test makes of it. */

#include <string.h>

#include "net/fake-dns.h"
#include "server/world.h"

#define HOME                                                                                       \
  "[server]\nhostname=relay.example.org\nmax-message-size=10M\nmin-free-space=1M\n"                \
  "[listener l]\nlisten=127.0.0.1:0\n"                                                             \
  "[access]\nrelay-networks=192.0.2.1\nlocal-domains=home.example\n"
#define NXDOMAIN 3
#define TXT 16
#define PTR 12

typedef struct
{
  World world;
  FakeDns *dns;
  Client client;
} Fixture;

static void
set_up (Fixture *f, gconstpointer config)
{
  g_autofree char *server = NULL;

  world_set_up (&f->world, config);
  f->dns = fake_dns_new (f->world.context);
  server = fake_dns_get_server (f->dns);
  pr_server_set_name_server (f->world.server, server);
  fake_dns_add (f->dns, "1.0.0.127.in-addr.arpa", PTR, NXDOMAIN, NULL, 0, 0);
  client_open (&f->client, &f->world);
}

static void
tear_down (Fixture *f, gconstpointer config)
{
  client_close (&f->client);
  fake_dns_free (f->dns);
  world_tear_down (&f->world, config);
}

static void
publish (Fixture *f, const char *name, const char *text)
{
  gsize len = strlen (text);
  const guint8 head[] = {
    0xc0, 12, 0, TXT, 0, 1, 0, 0, 0, 60, 0, (guint8) (len + 1), (guint8) len
  };
  g_autoptr (GByteArray) record = g_byte_array_new ();

  g_byte_array_append (record, head, sizeof head);
  g_byte_array_append (record, (const guint8 *) text, (guint) len);
  fake_dns_add (f->dns, name, TXT, 0, record->data, record->len, 1);
}

static void
publish_nothing (Fixture *f, const char *name)
{
  fake_dns_add (f->dns, name, TXT, NXDOMAIN, NULL, 0, 0);
}

/* Up to the answer to DATA. */
static void
begin (Fixture *f, const char *sender, const char *answer)
{
  g_autofree char *mail = g_strdup_printf ("MAIL FROM:<%s>\r\n", sender);

  client_talk (&f->client, "", "220 ");
  client_talk (&f->client, "EHLO out.ann.example\r\n", "250 ");
  client_talk (&f->client, mail, "250 ");
  client_talk (&f->client, "RCPT TO:<me@home.example>\r\n", "250 ");
  client_talk (&f->client, "DATA\r\n", answer);
}

#define FROM_ANN "From: Ann <ann@ann.example>\r\nSubject: hi\r\n"

static void
test_noted (Fixture *f, gconstpointer config)
{
  g_autofree char *body = NULL;

  publish (f, "ann.example", "v=spf1 ip4:127.0.0.1 -all");
  publish (f, "_dmarc.ann.example", "v=DMARC1; p=reject");
  begin (f, "ann@ann.example", "354 ");
  client_talk (&f->client,
               "Authentication-Results: Relay.Example.ORG; dmarc=pass (forged)\r\n"
               "Authentication-Results: other.example; spf=pass\r\n" FROM_ANN "\r\ntext\r\n.\r\n",
               "250 2.");

  body = body_of (f->world.accepted->pdata[0]);
  g_test_message ("%s", body);
  g_assert_true (g_str_has_prefix (body, "Authentication-Results: relay.example.org;\r\n"
                                         "\tdmarc=pass header.from=ann.example;\r\n"
                                         "\tspf=pass smtp.mailfrom=ann@ann.example;\r\n"
                                         "\tdkim=none\r\n"
                                         "Received: from out.ann.example ([127.0.0.1])\r\n"));
  g_assert_null (strstr (body, "forged"));
  g_assert_nonnull (strstr (body, "\r\nAuthentication-Results: other.example; spf=pass\r\nFrom:"));
  g_assert_true (g_str_has_suffix (body, "\r\nSubject: hi\r\n\r\ntext\r\n"));
  g_assert_cmpuint (((PrMessage *) f->world.accepted->pdata[0])->size_octets, ==, strlen (body));
  g_assert_true (world_was_told (&f->world,
                                 "checked plain: its address has no name; SPF pass; not signed; "
                                 "DMARC pass of ann.example"));
}

static void
test_forged_is_refused (Fixture *f, gconstpointer config)
{
  publish_nothing (f, "eve.example");
  publish (f, "_dmarc.ann.example", "v=DMARC1; p=reject");
  begin (f, "eve@eve.example", "354 ");
  client_talk (&f->client, FROM_ANN "\r\ntext\r\n.\r\n",
               "550 5.7.1 This message is not from ann.example as its From says, and that domain "
               "wants such mail refused (DMARC)\r\n");
  g_assert_true (world_was_told (&f->world, "DMARC fail of ann.example"));
  g_assert_true (world_was_told (&f->world, "refused plain: 5.7.1 This message is not from"));
  g_assert_cmpuint (f->world.accepted->len, ==, 0);

  /* The connection goes on, and what was found out is forgotten. */
  publish (f, "_dmarc.eve.example", "v=DMARC1; p=none");
  client_talk (&f->client, "MAIL FROM:<eve@eve.example>\r\n", "250 ");
  client_talk (&f->client, "RCPT TO:<me@home.example>\r\nDATA\r\n", "354 ");
  client_talk (&f->client, "From: eve@eve.example\r\n\r\n.\r\n", "250 2.");
}

static void
test_doubtful_is_held (Fixture *f, gconstpointer config)
{
  const PrMessage *message;

  publish_nothing (f, "eve.example");
  publish (f, "_dmarc.ann.example", "v=DMARC1; p=quarantine");
  begin (f, "eve@eve.example", "354 ");
  client_talk (&f->client, FROM_ANN "\r\ntext\r\n.\r\n", "250 2.");
  message = f->world.accepted->pdata[0];
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_HELD);
  g_assert_nonnull (strstr (message->progress[0].last_reply, "not proven to be from ann.example"));
}

static void
test_spf_refuses (Fixture *f, gconstpointer config)
{
  publish (f, "ann.example", "v=spf1 -all exp=why.ann.example");
  publish (f, "why.ann.example", "ask %{r}");
  begin (f, "ann@ann.example",
         "550 5.7.23 ann.example does not let 127.0.0.1 send mail for it (SPF): ask "
         "relay.example.org\r\n");
  client_talk (&f->client, "QUIT\r\n", "221 ");
}

static void
test_no_answer_is_temporary (Fixture *f, gconstpointer config)
{
  fake_dns_add (f->dns, "ann.example", TXT, 2, NULL, 0, 0);
  begin (f, "ann@ann.example", "451 4.7.24 ");
}

static void
test_reverse_name (Fixture *f, gconstpointer config)
{
  publish_nothing (f, "ann.example");
  begin (f, "ann@ann.example", "550 5.7.25 127.0.0.1 has no name in DNS that leads back to it\r\n");
}

static void
test_listed (Fixture *f, gconstpointer config)
{
  static const guint8 record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 4 };

  publish_nothing (f, "ann.example");
  fake_dns_add (f->dns, "1.0.0.127.bad.example", 1, 0, record, sizeof record, 1);
  fake_dns_add (f->dns, "1.0.0.127.good.example", 1, NXDOMAIN, NULL, 0, 0);
  begin (f, "ann@ann.example",
         "550 5.7.1 127.0.0.1 is listed by bad.example as an address that spam comes from\r\n");
}

static void
test_greeting (Fixture *f, gconstpointer config)
{
  client_talk (&f->client, "", "220 ");
  client_talk (&f->client, "EHLO Relay.example.org\r\n", "250 ");
  client_talk (&f->client, "MAIL FROM:<>\r\n", "250 ");
  client_talk (&f->client, "RCPT TO:<me@home.example>\r\nDATA\r\n",
               "550 5.7.1 The name in your greeting cannot be yours: it is the name of this relay");
}

/* Nothing is asked about those who need not be. */
static void
test_excused (Fixture *f, gconstpointer config)
{
  g_autofree char *body = NULL;

  begin (f, "eve@eve.example", "354 ");
  client_talk (&f->client, FROM_ANN "\r\ntext\r\n.\r\n", "250 2.");
  g_assert_cmpuint (fake_dns_count (f->dns), ==, 0);
  body = body_of (f->world.accepted->pdata[0]);
  g_assert_true (g_str_has_prefix (body, "Received: "));
}

/* A large one lies in a file when the results are known: they go over blanks. */
static void
test_large (Fixture *f, gconstpointer config)
{
  g_autofree char *line = g_strnfill (70, 'x'), *path = NULL, *body = NULL;
  g_autoptr (GString) text = g_string_new (FROM_ANN "\r\n");
  const PrMessage *message;
  const char *end;
  gsize len;

  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (text, "%s\r\n", line);
  publish (f, "ann.example", "v=spf1 +all");
  publish_nothing (f, "_dmarc.ann.example");
  begin (f, "ann@ann.example", "354 ");
  client_say (&f->client, text->str);
  client_talk (&f->client, ".\r\n", "250 2.");

  message = f->world.accepted->pdata[0];
  path = g_build_filename (f->world.home, "body", message->spool, NULL);
  g_assert_true (g_file_get_contents (path, &body, &len, NULL));
  g_assert_cmpuint (len, ==, message->size_octets);
  g_assert_true (g_str_has_prefix (body, "Authentication-Results: relay.example.org;\r\n"
                                         "\tdmarc=none header.from=ann.example;\r\n"
                                         "\tspf=pass smtp.mailfrom=ann@ann.example;\r\n"
                                         "\tdkim=none   "));
  end = strstr (body, "  \r\nReceived: ");
  g_assert_nonnull (end);
  g_assert_cmpuint (strcspn (strstr (body, "\tdkim="), "\r"), <=, 998);
  g_assert_true (g_str_has_suffix (body, text->str));
}

/* Whoever leaves while DNS is asked leaves nothing behind. */
static void
test_leaves (Fixture *f, gconstpointer config)
{
  fake_dns_set_mute (f->dns, TRUE);
  begin (f, "ann@ann.example", "");
  wait_for (f->world.context, fake_dns_count (f->dns) > 0, "a question");
  client_close (&f->client);
  client_open (&f->client, &f->world);
  client_talk (&f->client, "", "220 ");
}

static void
test_long_header (Fixture *f, gconstpointer config)
{
  g_autofree char *line = g_strnfill (900, 'x');
  g_autoptr (GString) text = g_string_new (FROM_ANN);

  for (guint i = 0; i < 300; i++)
    g_string_append_printf (text, "X-%u: %s\r\n", i, line);
  g_string_append (text, "\r\ntext\r\n.\r\n");
  publish_nothing (f, "ann.example");
  begin (f, "ann@ann.example", "354 ");
  client_say (&f->client, text->str);
  client_talk (&f->client, "", "552 5.3.4 ");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, config, function)                                                                \
  g_test_add ("/guard/" name, Fixture, HOME config, set_up, function, tear_down)
  ADD ("noted", "", test_noted);
  ADD ("forged-is-refused", "", test_forged_is_refused);
  ADD ("doubtful-is-held", "", test_doubtful_is_held);
  ADD ("spf-refuses", "[guard]\nspf=enforce\n", test_spf_refuses);
  ADD ("no-answer-is-temporary", "[guard]\nspf=enforce\n", test_no_answer_is_temporary);
  ADD ("reverse-name", "[guard]\nreverse-name=enforce\n", test_reverse_name);
  ADD ("listed", "[guard]\nlists=bad.example*2;good.example*-2\nlists-score=2\n", test_listed);
  ADD ("greeting", "[guard]\nhello=enforce\nspf=off\ndmarc=off\nreverse-name=off\n", test_greeting);
  ADD ("excused", "[guard]\nexcused-networks=127.0.0.0/8\n", test_excused);
  ADD ("large", "", test_large);
  ADD ("leaves", "", test_leaves);
  ADD ("long-header", "", test_long_header);
  return g_test_run ();
}
