/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-session.c: what dialogues cannot say: ends from outside, the transcript, lines and
 * messages of any size and content. */

#include "smtp/session.h"
#include "smtp/stuff.h"

#include <string.h>

static const PrSessionOptions options = { "relay.example.org", 0, 100, FALSE };

typedef struct
{
  PrSession *session;
  GString *out;
  GString *body;
  GString *trace;
  guint n_abandoned, n_ended, n_runs;
  gboolean is_slow; /* every verdict is pending */
} Fixture;

static PrVerdict
verdict (const Fixture *self)
{
  return self->is_slow ? PR_PENDING : PR_ACCEPT;
}

static void
on_greeted (gpointer owner, const char *name, gboolean extended)
{
}

static PrVerdict
on_mail (gpointer owner, const PrEnvelope *envelope)
{
  return verdict (owner);
}

static PrVerdict
on_rcpt (gpointer owner, const PrEnvelope *envelope, const PrRecipient *recipient)
{
  return verdict (owner);
}

static PrVerdict
on_data (gpointer owner, const PrEnvelope *envelope)
{
  return verdict (owner);
}

static void
on_body (gpointer owner, const char *data, gsize len)
{
  Fixture *self = owner;

  self->n_runs++;
  g_string_append_len (self->body, data, len);
}

static PrVerdict
on_end (gpointer owner, PrEnvelope *envelope)
{
  Fixture *self = owner;

  self->n_ended++;
  pr_envelope_free (envelope);
  return verdict (owner);
}

static void
on_abandon (gpointer owner)
{
  Fixture *self = owner;

  self->n_abandoned++;
}

static void
on_trace (gpointer owner, gboolean outgoing, const char *line, gsize len)
{
  Fixture *self = owner;

  g_string_append (self->trace, outgoing ? "S: " : "C: ");
  g_string_append_len (self->trace, line, len);
  g_string_append_c (self->trace, '\n');
}

static const PrSessionHandler handler = {
  on_greeted, on_mail, on_rcpt, on_data, on_body, on_end, on_abandon, .trace = on_trace,
};

static void
set_up (Fixture *self, gconstpointer data)
{
  self->out = g_string_new (NULL);
  self->body = g_string_new (NULL);
  self->trace = g_string_new (NULL);
  self->session = pr_session_new (&options, &handler, self);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_pointer (&self->session, pr_session_free);
  g_string_free (self->out, TRUE);
  g_string_free (self->body, TRUE);
  g_string_free (self->trace, TRUE);
}

static void
send (Fixture *self, const char *text)
{
  g_string_truncate (self->out, 0);
  g_assert_cmpuint (pr_session_feed (self->session, text, strlen (text), self->out), ==,
                    strlen (text));
}

static void
start_message (Fixture *self)
{
  send (self, "EHLO client\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n");
  g_assert_cmpint (pr_session_get_phase (self->session), ==, PR_SESSION_DATA);
}

static void
test_getters (Fixture *self, gconstpointer data)
{
  g_assert_null (pr_session_get_helo (self->session));
  g_assert_null (pr_session_get_user (self->session));
  g_assert_cmpint (pr_session_get_phase (self->session), ==, PR_SESSION_COMMAND);

  pr_session_greet (self->session, PR_ACCEPT, self->out);
  g_assert_cmpstr (self->out->str, ==, "220 relay.example.org ESMTP Postroom\r\n");

  send (self, "HELO one\r\n");
  g_assert_cmpstr (pr_session_get_helo (self->session), ==, "one");
  g_assert_false (pr_session_is_extended (self->session));
  send (self, "EHLO two\r\nFOO\r\n");
  g_assert_cmpstr (pr_session_get_helo (self->session), ==, "two");
  g_assert_true (pr_session_is_extended (self->session));
  g_assert_cmpuint (pr_session_get_n_errors (self->session), ==, 1);

  start_message (self);
  send (self, "12345\r\n..\r");
  g_assert_cmpuint (pr_session_get_body_size (self->session), ==, 8);
  send (self, "\n.\r\n");
  g_assert_cmpuint (self->n_ended, ==, 1);
  g_assert_cmpuint (pr_session_get_n_errors (self->session), ==, 0);
}

static void
test_shut_down (Fixture *self, gconstpointer data)
{
  start_message (self);
  send (self, "half of a");
  g_string_truncate (self->out, 0);

  pr_session_shut_down (self->session, "4.3.2", "Postroom is stopping", self->out);
  g_assert_cmpstr (self->out->str, ==, "421 4.3.2 Postroom is stopping\r\n");
  g_assert_cmpint (pr_session_get_phase (self->session), ==, PR_SESSION_CLOSING);
  g_assert_cmpuint (self->n_abandoned, ==, 1);

  g_assert_cmpuint (pr_session_feed (self->session, "QUIT\r\n", 6, self->out), ==, 0);
  pr_session_shut_down (self->session, "4.3.2", "once more", self->out);
  g_assert_cmpstr (self->out->str, ==, "421 4.3.2 Postroom is stopping\r\n");
}

/* The verdict on a message that is being stored comes after the session was ended. */
static void
test_late_verdict (Fixture *self, gconstpointer data)
{
  start_message (self);
  self->is_slow = TRUE;
  g_assert_cmpuint (pr_session_feed (self->session, ".\r\nQUIT\r\n", 9, self->out), ==, 3);
  g_assert_cmpint (pr_session_get_phase (self->session), ==, PR_SESSION_PENDING);

  g_string_truncate (self->out, 0);
  pr_session_shut_down (self->session, "4.3.2", "Postroom is stopping", self->out);
  pr_session_resume (self->session, PR_ACCEPT, self->out);
  g_assert_cmpstr (self->out->str, ==, "421 4.3.2 Postroom is stopping\r\n");
  g_assert_cmpuint (self->n_abandoned, ==, 0);
  g_assert_cmpuint (self->n_ended, ==, 1);
}

static void
test_free_while_pending (Fixture *self, gconstpointer data)
{
  send (self, "EHLO client\r\n");
  self->is_slow = TRUE;
  send (self, "MAIL FROM:<a@x>\r\n");
  pr_session_resume (self->session, PR_ACCEPT, self->out);
  send (self, "RCPT TO:<b@y>\r\n");
  g_clear_pointer (&self->session, pr_session_free);
  g_assert_cmpuint (self->n_abandoned, ==, 0);
}

static void
test_trace (Fixture *self, gconstpointer data)
{
  send (self, "EHLO client\r\n");
  g_string_truncate (self->trace, 0);
  send (self, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n..secret\r\n.\r\nBDAT 2 LAST\r\nab"
              "AUTH PLAIN AGEAYg==\r\ncGFzc3dvcmQ=\r\nNOOP\r\nFOO\r\n");
  g_assert_cmpstr (self->trace->str, ==,
                   "C: MAIL FROM:<a@x>\n"
                   "S: 250 2.1.0 Sender accepted\n"
                   "C: RCPT TO:<b@y>\n"
                   "S: 250 2.1.5 Recipient accepted\n"
                   "C: DATA\n"
                   "S: 354 Send the message; end it with a dot on a line of its own\n"
                   "C: (9 octets of message)\n"
                   "S: 250 2.0.0 Message accepted\n"
                   "C: BDAT 2 LAST\n"
                   "S: 503 5.5.1 Name the sender by MAIL FROM first\n"
                   "C: (2 octets of message)\n"
                   "C: AUTH PLAIN (hidden)\n"
                   "S: 502 5.5.1 This is not offered here\n"
                   "C: (hidden)\n"
                   "S: 500 5.5.1 This is no command; HELP lists them\n"
                   "C: NOOP\n"
                   "S: 250 2.0.0 Nothing done\n"
                   "C: FOO\n"
                   "S: 500 5.5.1 This is no command; HELP lists them\n");
}

/* Lines are not gathered: one of 10 MiB comes through in the runs it was fed in. */
static void
test_long_line (Fixture *self, gconstpointer data)
{
  g_autofree char *piece = g_strnfill (65536, 'x');

  start_message (self);
  for (guint i = 0; i < 160; i++)
    send (self, piece);
  send (self, "\r\n.\r\n");

  g_assert_cmpuint (self->body->len, ==, 160 * 65536 + 2);
  g_assert_cmpuint (self->n_runs, <=, 162);
  g_assert_cmpuint (self->n_ended, ==, 1);
}

/* What does not need to be cut is handed on at once. */
static void
test_long_runs (Fixture *self, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "a line of no consequence\r\n");
  g_string_append (text, ".\r\n");

  start_message (self);
  send (self, text->str);
  g_assert_cmpuint (self->n_runs, ==, 1);
  g_assert_cmpuint (self->body->len, ==, text->len - 3);
}

/* Anything that our own client stuffs comes out as it went in, and never ends early. */
static void
test_random_messages (Fixture *self, gconstpointer data)
{
  static const char alphabet[] = "..\r\n\r\nab";
  g_autoptr (GRand) rand = g_rand_new_with_seed (4521);

  send (self, "EHLO client\r\n");
  for (guint i = 0; i < 3000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GString) wire = g_string_new (NULL);
      PrStuffer stuffer = { 0 };
      guint n = g_rand_int_range (rand, 0, 30);

      for (guint k = 0; k < n; k++)
        {
          char c = alphabet[g_rand_int_range (rand, 0, sizeof alphabet - 1)];

          if (c == '\r' || c == '\n')
            g_string_append (text, "\r\n");
          else
            g_string_append_c (text, c);
        }
      if (text->len > 0 && !g_str_has_suffix (text->str, "\r\n"))
        g_string_append (text, "\r\n");

      pr_stuffer_append (&stuffer, text->str, text->len, wire);
      pr_stuffer_finish (&stuffer, wire);

      send (self, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n");
      g_string_truncate (self->body, 0);
      for (gsize at = 0; at < wire->len;)
        {
          gsize len = g_rand_int_range (rand, 1, 12);

          len = MIN (len, wire->len - at);
          g_assert_cmpint (pr_session_get_phase (self->session), ==, PR_SESSION_DATA);
          pr_session_feed (self->session, wire->str + at, len, self->out);
          at += len;
        }
      g_assert_cmpint (pr_session_get_phase (self->session), ==, PR_SESSION_COMMAND);
      g_assert_cmpuint (self->n_ended, ==, i + 1);
      g_assert_cmpstr (self->body->str, ==, text->str);
    }
}

/* Any octets, framed anyhow: nothing but whole reply lines of a known form comes back, and what
 * reaches the handler holds no line end that is not CRLF. */
static void
check_random_session (GRand *rand, const PrSessionOptions *random_options)
{
  static const char *const words[] = {
    "EHLO x\r\n",
    "MAIL FROM:<a@x>\r\n",
    "RCPT TO:<b@y>\r\n",
    "DATA\r\n",
    "\r\n.\r\n",
    ".",
    "\r",
    "\n",
    "\r\n",
    "BDAT 7\r\n",
    "BDAT 3 LAST\r\n",
    "RSET\r\n",
    "text",
    "\x80\xff",
    "BODY=BINARYMIME",
    "NOOP",
    " ",
    "FROM:<",
    ">",
    "BDAT",
  };
  Fixture fixture = { 0 };

  set_up (&fixture, NULL);
  pr_session_free (fixture.session);
  fixture.session = pr_session_new (random_options, &handler, &fixture);

  for (guint i = 0; i < 60; i++)
    {
      const char *word = words[g_rand_int_range (rand, 0, G_N_ELEMENTS (words))];
      gsize taken;

      fixture.is_slow = g_rand_int_range (rand, 0, 8) == 0;
      taken = pr_session_feed (fixture.session, word, strlen (word), fixture.out);
      while (pr_session_get_phase (fixture.session) == PR_SESSION_PENDING)
        {
          pr_session_resume (fixture.session,
                             g_rand_boolean (rand) ? PR_ACCEPT : PR_REFUSE (451, "4.3.0", "no"),
                             fixture.out);
          taken +=
            pr_session_feed (fixture.session, word + taken, strlen (word) - taken, fixture.out);
        }
      g_assert_true (taken == strlen (word) ||
                     pr_session_get_phase (fixture.session) == PR_SESSION_CLOSING);
    }

  for (const char *p = fixture.out->str; *p != '\0'; p = strstr (p, "\r\n") + 2)
    {
      g_assert_true (g_ascii_isdigit (p[0]) && g_ascii_isdigit (p[1]) && g_ascii_isdigit (p[2]));
      g_assert_true (p[3] == ' ' || p[3] == '-');
      g_assert_nonnull (strstr (p, "\r\n"));
    }

  tear_down (&fixture, NULL);
}

static void
test_random_sessions (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5321);

  for (guint i = 0; i < 4000; i++)
    {
      PrSessionOptions random_options = { "relay.example.org", i % 3 == 0 ? 12 : 0, 2, i % 2 == 0 };

      check_random_session (rand, &random_options);
    }
}

#define add(name, function)                                                                        \
  g_test_add ("/session/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  add ("getters", test_getters);
  add ("shut-down", test_shut_down);
  add ("late-verdict", test_late_verdict);
  add ("free-while-pending", test_free_while_pending);
  add ("trace", test_trace);
  add ("long-line", test_long_line);
  add ("long-runs", test_long_runs);
  add ("random-messages", test_random_messages);
  g_test_add_func ("/session/random-sessions", test_random_sessions);

  return g_test_run ();
}
