/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client dialogue: scripts from tests/dialogs-client (fed one octet at a time and at once),
 * and every reply in every place against a strict little server. */
#include <string.h>

#include "common/error.h"
#include "smtp/client.h"

#include "client-fixture.h"

/* ── Scripts ──────────────────────────────────────────────────────────────────────────────────
 *
 *   lmtp          first line: LHLO and a reply for each recipient
 *   S: line       the server says; lines that follow each other come together
 *   > order       the owner does: send, queue (begun when finished), give, last, close, quit,
 *                 starttls, secured (the channel is), sign-in MECHANISM USER SECRET,
 *                 wait and capabilities (which answer with an event)
 *   C: line       what must have left since then, with CRLF; C+ without
 *   = event       what the owner must have heard since then
 */
static const char *const wait_names[] = { "NOTHING", "GREETING", "REPLY", "DATA", "BODY", "DOT" };

/* "MECHANISM user secret" */
static void
sign_in (Fixture *f, const char *args)
{
  g_auto (GStrv) words = g_strsplit (args, " ", 3);
  PrSaslMechanisms mechanism = pr_sasl_mechanisms_from_string (words[0]);
  PrSaslCredentials credentials = {
    .user = words[1], .secret = words[2], .host = "mail.example.org", .port = 587
  };
  g_autoptr (GError) error = NULL;
  PrSaslClient *sasl = pr_sasl_client_new (mechanism, &credentials, &error);

  g_assert_no_error (error);
  pr_client_sign_in (f->client, mechanism, sasl, f->out);
}

static void
do_order (Fixture *f, const char *order)
{
  g_auto (GStrv) parts = g_strsplit (order, " ", 2);
  g_autofree char *text = g_strcompress (parts[1] != NULL ? parts[1] : "");
  const PrCapabilities *hop = pr_client_get_capabilities (f->client);

  if (g_str_equal (parts[0], "send"))
    fixture_send (f, sending_parse (parts[1]));
  else if (g_str_equal (parts[0], "queue"))
    g_queue_push_tail (&f->waiting, sending_parse (parts[1]));
  else if (g_str_equal (parts[0], "give"))
    pr_client_give_body (f->client, text, strlen (text), FALSE, f->out);
  else if (g_str_equal (parts[0], "last"))
    pr_client_give_body (f->client, text, strlen (text), TRUE, f->out);
  else if (g_str_equal (parts[0], "close"))
    pr_client_close (f->client, NULL);
  else if (g_str_equal (parts[0], "quit"))
    pr_client_quit (f->client, f->out);
  else if (g_str_equal (parts[0], "starttls"))
    pr_client_start_tls (f->client, f->out);
  else if (g_str_equal (parts[0], "secured"))
    pr_client_secured (f->client, f->out);
  else if (g_str_equal (parts[0], "sign-in"))
    sign_in (f, parts[1]);
  else if (g_str_equal (parts[0], "wait"))
    g_string_append_printf (f->events, "= wait %s%s\n", wait_names[pr_client_get_wait (f->client)],
                            pr_client_dot_sent (f->client) ? " dot-sent" : "");
  else if (g_str_equal (parts[0], "capabilities"))
    g_string_append_printf (
      f->events, "= extensions %x size %" G_GUINT64_FORMAT " recipients %u transactions %u\n",
      hop->extensions, hop->max_size_octets, hop->max_recipients, hop->max_transactions);
  else
    g_error ("unknown order: %s", order);
}

static void
feed (Fixture *f, const char *data, gsize len, gboolean octets)
{
  for (gsize i = 0; octets && i < len; i++)
    {
      g_autofree char *one = g_memdup2 (data + i, 1); /* so that ASan sees a read beyond it */
      pr_client_feed (f->client, one, 1, f->out);
    }
  if (!octets)
    pr_client_feed (f->client, data, len, f->out);
}

static void
check_step (Fixture *f, GString *said, GString *heard, const char *where)
{
  g_test_message ("%s", where);
  g_assert_cmpstr (f->events->str, ==, heard->str);
  g_assert_cmpstr (f->out->str, ==, said->str);
  g_string_truncate (f->events, 0);
  g_string_truncate (f->out, 0);
  g_string_truncate (heard, 0);
  g_string_truncate (said, 0);
}

static void
run_script (char **lines, gboolean octets)
{
  g_autoptr (Fixture) f = fixture_new (g_str_equal (lines[0], "lmtp") ||
                                         (lines[1] != NULL && g_str_equal (lines[1], "lmtp")),
                                       &fixture_handler);
  g_autoptr (GString) said = g_string_new (NULL), heard = g_string_new (NULL);
  const char *where = "start";

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i];

      if (g_str_has_prefix (line, "S: "))
        {
          g_autoptr (GString) input = g_string_new (NULL);

          check_step (f, said, heard, where);
          where = line;
          for (; g_str_has_prefix (lines[i], "S: "); i++)
            g_string_append_printf (input, "%s\r\n", lines[i] + 3);
          i--;
          feed (f, input->str, input->len, octets);
        }
      else if (g_str_has_prefix (line, "> "))
        {
          check_step (f, said, heard, where);
          where = line;
          do_order (f, line + 2);
        }
      else if (g_str_has_prefix (line, "C:") || g_str_has_prefix (line, "C+ "))
        {
          g_autofree char *text = g_strcompress (line[2] == ' ' ? line + 3 : "");
          g_string_append_printf (said, "%s%s", text, line[1] == ':' ? "\r\n" : "");
        }
      else if (g_str_has_prefix (line, "= "))
        g_string_append_printf (heard, "%s\n", line);
      else
        g_assert_true (*line == '\0' || *line == '#' || g_str_equal (line, "lmtp"));
    }
  check_step (f, said, heard, where);
}

static void
test_script (gconstpointer data)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents (data, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  run_script (lines, TRUE);
  run_script (lines, FALSE);
}

/* ── Every reply in every place ───────────────────────────────────────────────────────────── */

/* A server that keeps to the RFC but for one reply. */
typedef struct
{
  gboolean lmtp, pipelining, in_data, has_sender;
  guint n_accepted;
  guint n_replies; /* given so far */
  int odd_at;      /* which reply is replaced; -1: none */
  const char *odd; /* NULL: the connection ends there */
  gboolean hung_up;
  guint n_bodies;
  GString *replies; /* owned */
  GString *line;    /* owned: what was read of a line */
} Server;

static void
say (Server *s, const char *text)
{
  gboolean odd = (int) s->n_replies++ == s->odd_at;

  if (odd && s->odd == NULL)
    s->hung_up = TRUE;
  if (!s->hung_up)
    g_string_append_printf (s->replies, "%s\r\n", odd ? s->odd : text);
}

/* Whether the reply about to be given is a yes. */
static gboolean
will_accept (const Server *s, char digit)
{
  return (int) s->n_replies != s->odd_at || (s->odd != NULL && s->odd[0] == digit);
}

static void
take_text_line (Server *s, const char *line)
{
  guint n = s->lmtp ? s->n_accepted : 1;

  g_assert_true (line[0] != '.' || line[1] == '\0' || line[1] == '.');
  if (!g_str_equal (line, "."))
    return;
  s->in_data = FALSE;
  s->has_sender = FALSE;
  s->n_bodies++;
  for (guint i = 0; i < n; i++)
    say (s, "250 2.0.0 taken");
}

static void
take_envelope_line (Server *s, const char *line)
{
  if (g_str_has_prefix (line, "MAIL FROM:<"))
    {
      g_assert_false (s->has_sender); /* it needed a RSET */
      s->has_sender = will_accept (s, '2');
      s->n_accepted = 0;
      say (s, "250 2.1.0 ok");
    }
  else if (g_str_has_prefix (line, "RCPT TO:<"))
    {
      if (!s->has_sender)
        say (s, "503 5.5.1 MAIL first");
      else
        {
          s->n_accepted += will_accept (s, '2');
          say (s, "250 2.1.5 ok");
        }
    }
  else if (s->n_accepted == 0)
    {
      g_assert_cmpstr (line, ==, "DATA");
      say (s, "503 5.5.1 nobody to send to");
    }
  else
    {
      g_assert_cmpstr (line, ==, "DATA");
      s->in_data = will_accept (s, '3');
      say (s, "354 go ahead");
    }
}

static void
take_line (Server *s, const char *line)
{
  if (s->in_data)
    take_text_line (s, line);
  else if (g_str_has_prefix (line, s->lmtp ? "LHLO " : "EHLO "))
    say (s, s->pipelining ? "250-x\r\n250 PIPELINING" : "250 x");
  else if (g_str_has_prefix (line, "HELO ") || g_str_equal (line, "RSET"))
    {
      s->has_sender = FALSE;
      say (s, "250 ok");
    }
  else if (g_str_equal (line, "QUIT"))
    say (s, "221 bye");
  else
    take_envelope_line (s, line);
}

static void
serve (Server *s, const char *data)
{
  for (; *data != '\0'; data++)
    {
      g_string_append_c (s->line, *data);
      if (!g_str_has_suffix (s->line->str, "\r\n"))
        continue;
      g_string_truncate (s->line, s->line->len - 2);
      take_line (s, s->line->str);
      g_string_truncate (s->line, 0);
    }
}

/* Lets both talk until neither has a word left. */
static void
converse (Fixture *f, Server *s)
{
  guint n_given = f->n_wanted;

  for (guint turn = 0;; turn++)
    {
      g_autofree char *said = g_strndup (f->out->str, f->out->len);
      g_autofree char *replies = NULL;

      g_assert_cmpuint (turn, <, 1000); /* both wait for each other for ever */
      g_string_truncate (f->out, 0);
      serve (s, said);
      replies = g_strndup (s->replies->str, s->replies->len);
      g_string_truncate (s->replies, 0);
      if (f->n_wanted > n_given && *replies == '\0' && f->n_failed == 0)
        {
          n_given = f->n_wanted;
          pr_client_give_body (f->client, "Subject: x\r\n\r\n.", 15, FALSE, f->out);
          pr_client_give_body (f->client, "\r\n", 2, TRUE, f->out);
          continue;
        }
      if (*said == '\0' && *replies == '\0')
        break;
      pr_client_feed (f->client, replies, strlen (replies), f->out);
    }
  if (s->hung_up)
    pr_client_close (f->client, NULL);
}

static void
check_outcome (Fixture *f, Server *s, guint n_finished)
{
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (f->n_results[i], <=, 1);
      if (f->n_delivered[i] > 0)
        g_assert_cmpuint (s->n_bodies, >, 0); /* no message, no delivery */
      if (f->n_failed == 0)
        g_assert_cmpuint (f->n_results[i], ==, 1);
    }
  g_assert_cmpuint (f->n_finished + f->n_failed, ==, n_finished + 1);
}

/* Returns whether the odd reply was reached. */
static gboolean
run_odd (gboolean lmtp, gboolean pipelining, int at, const char *odd)
{
  g_autoptr (Fixture) f = fixture_new (lmtp, &fixture_handler);
  Server s = { .lmtp = lmtp, .pipelining = pipelining, .odd_at = at, .odd = odd };
  const char *envelope = "from=a@example.org to=b@example.net,c@example.net,d@example.net";

  s.replies = g_string_new (NULL);
  s.line = g_string_new (NULL);
  say (&s, "220 hi");
  converse (f, &s);

  for (guint i = 0; i < 3 && f->n_failed == 0; i++)
    {
      g_assert_true (pr_client_is_idle (f->client));
      fixture_send (f, sending_parse (envelope));
      converse (f, &s);
      check_outcome (f, &s, i);
    }
  g_assert_cmpuint (f->n_failed, <=, 1);

  g_string_free (s.replies, TRUE);
  g_string_free (s.line, TRUE);
  return (int) s.n_replies > at;
}

static void
test_odd_replies (void)
{
  static const char *const odds[] = {
    "421 4.3.2 closing",
    "451 4.3.0 later",
    "550 5.1.1 no",
    "250 2.0.0 yes",
    "354 go",
    "200 hm",
    "555-more\r\n555 end",
    "nonsense",
    "25",
    "199 x",
    "600 x",
    "",
    NULL,
  };

  for (gsize o = 0; o < G_N_ELEMENTS (odds); o++)
    for (guint mode = 0; mode < 4; mode++)
      for (int at = 0; run_odd (mode & 1, mode & 2, at, odds[o]); at++)
        g_assert_cmpint (at, <, 100);
}

/* No reply in an odd place: everything is delivered, in three transactions. */
static void
test_no_odd_reply (void)
{
  for (guint mode = 0; mode < 4; mode++)
    g_assert_false (run_odd (mode & 1, mode & 2, 1000, "250 x"));
}

/* A huge list of recipients never has more than 100 unanswered. */
static void
test_window (void)
{
  g_autoptr (Fixture) f = fixture_new (FALSE, &fixture_handler);
  g_autoptr (GString) order = g_string_new ("from=a@example.org to=b@example.net");
  const char *input = "220 x\r\n250-x\r\n250 PIPELINING\r\n";
  guint n_sent = 0;

  for (guint i = 1; i < 1000; i++)
    g_string_append (order, ",b@example.net");
  pr_client_feed (f->client, input, strlen (input), f->out);
  g_string_truncate (f->out, 0);
  fixture_send (f, sending_parse (order->str));

  for (guint n_answered = 0; n_answered <= 1000; n_answered++)
    {
      for (const char *p = f->out->str; (p = strstr (p, "RCPT TO")) != NULL; p++)
        n_sent++;
      g_assert_cmpuint (n_sent, >=, MIN (n_answered, 1000));
      g_assert_cmpuint (n_sent, <=, n_answered + 100);
      g_assert_cmpint (strstr (f->out->str, "DATA") != NULL, <=, n_sent == 1000);
      g_string_truncate (f->out, 0);
      pr_client_feed (f->client, "250 ok\r\n", 8, f->out);
    }
  pr_client_feed (f->client, "354 ok\r\n", 8, f->out);
  g_assert_cmpuint (f->n_wanted, ==, 1);
}

static void
on_trace (gpointer owner, gboolean outgoing, const char *line, gsize len)
{
  Fixture *f = owner;

  g_string_append_printf (f->events, "%s%.*s\n", outgoing ? "C: " : "S: ", (int) len, line);
}

static void
feed_text (Fixture *f, const char *text)
{
  pr_client_feed (f->client, text, strlen (text), f->out);
}

static void
give_at_once (gpointer owner)
{
  Fixture *f = owner;

  on_wants_body (f);
  pr_client_give_body (f->client, "x\r\n", 3, TRUE, f->out);
}

/* A 250 that lies behind the 354 before a single octet of the message left is no delivery,
 * whole or in parts; a refusal there is one. */
static void
test_hasty_replies (void)
{
  static const struct
  {
    const char *first, *second, *event;
  } cases[] = {
    { "250 2.0.0 queued\r\n", "", "= failed PROTOCOL 250 dot-sent\n" },
    { "250 2.0.0 que", "ued\r\n", "= failed PROTOCOL 250 dot-sent\n" },
    { "", "250 2.0.0 queued\r\n", "= result 0 250 2.0.0 end of data\n= finished\n" },
    { "554 5.6.0 no\r\n", "", "= result 0 554 5.6.0 end of data\n= finished\n" },
    { "421 4.3.2 bye\r\n", "", "= failed TEMPORARY 421\n" },
  };
  PrClientHandler handler = fixture_handler;

  handler.wants_body = give_at_once;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Fixture) f = fixture_new (FALSE, &handler);
      g_autofree char *first = g_strconcat ("250 ok\r\n250 ok\r\n354 go\r\n", cases[i].first, NULL);
      g_autofree char *events = g_strconcat ("= wants-body\n", cases[i].event, NULL);

      feed_text (f, "220 hi\r\n");
      feed_text (f, "250-hop\r\n250 PIPELINING\r\n");
      fixture_send (f, sending_parse ("from=a@b to=c@d"));
      g_string_truncate (f->events, 0);
      feed_text (f, first);
      feed_text (f, cases[i].second);
      g_assert_cmpstr (f->events->str, ==, events);
    }
}

static void
test_trace (void)
{
  PrClientHandler handler = fixture_handler;
  const char *input = "220 x\r\n250-x\r\n250 PIPELINING\r\n";
  Fixture *f;

  handler.trace = on_trace;
  f = fixture_new (FALSE, &handler);
  pr_client_feed (f->client, input, strlen (input), f->out);
  fixture_send (f, sending_parse ("from=a@example.org to=b@example.net"));
  pr_client_feed (f->client, "250 2.1.0 ok\r\n250\r\n354 go\r\n", 28, f->out);
  pr_client_give_body (f->client, "x\r\n", 3, TRUE, f->out);
  g_assert_cmpstr (f->events->str, ==,
                   "S: 220 x\nC: EHLO relay.example.org\nS: 250-x\nS: 250 PIPELINING\n= ready\n"
                   "C: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.net>\nC: DATA\n"
                   "S: 250 2.1.0 ok\nS: 250 \nS: 354 go\n= wants-body\n"
                   "C: [message text, 3 octets] .\n");
  fixture_free (f);
}

/* What the owner gives as reason reaches people together with the step. */
static void
on_failed_text (gpointer owner, const GError *error, const PrReply *reply)
{
  g_string_append_printf (((Fixture *) owner)->events, "%d %s\n", error->code, error->message);
}

static void
test_close_reason (void)
{
  PrClientHandler handler = fixture_handler;
  g_autoptr (GError) own = g_error_new (PR_ERROR, PR_ERROR_TLS, "No certificate");
  g_autoptr (GError) foreign = g_error_new (G_FILE_ERROR, G_FILE_ERROR_IO, "Cannot read");

  handler.failed = on_failed_text;
  for (guint i = 0; i < 2; i++)
    {
      Fixture *f = fixture_new (i == 1, &handler);

      if (i == 1)
        pr_client_feed (f->client, "220 x\r\n", 7, f->out);
      pr_client_close (f->client, i == 0 ? own : foreign);
      pr_client_close (f->client, own);
      pr_client_feed (f->client, "220 x\r\n", 7, f->out);
      if (i == 0)
        g_assert_cmpstr (f->events->str, ==, "3 No certificate (waiting for: the greeting)\n");
      else
        g_assert_cmpstr (f->events->str, ==, "0 Cannot read (waiting for: LHLO)\n");
      fixture_free (f);
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

int
main (int argc, char *argv[])
{
  g_autofree char *folder = NULL;
  g_autoptr (GDir) dir = NULL;
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  folder = g_test_build_filename (G_TEST_DIST, "dialogs-client", NULL);
  dir = g_dir_open (folder, 0, NULL);
  g_assert_nonnull (dir);
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
    g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (paths, compare_names);
  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *name = g_path_get_basename (paths->pdata[i]);
      g_autofree char *test = g_strdup_printf ("/client/script/%s", name);

      g_test_add_data_func (test, paths->pdata[i], test_script);
    }

  g_test_add_func ("/client/odd-replies", test_odd_replies);
  g_test_add_func ("/client/no-odd-reply", test_no_odd_reply);
  g_test_add_func ("/client/window", test_window);
  g_test_add_func ("/client/hasty-replies", test_hasty_replies);
  g_test_add_func ("/client/trace", test_trace);
  g_test_add_func ("/client/close-reason", test_close_reason);

  return g_test_run ();
}
