/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-dialogs.c: runs the dialogues of tests/dialogs (its README.md has the format). */

#include "smtp/session.h"

#include <stdlib.h>
#include <string.h>

#define GREETING "220 relay.example.org ESMTP Postroom\r\n"
#define EHLO_REPLY                                                                                 \
  "250-relay.example.org\r\n250-SIZE %" G_GUINT64_FORMAT "\r\n250-PIPELINING\r\n250-8BITMIME\r\n"  \
  "250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250-CHUNKING\r\n250-BINARYMIME\r\n"       \
  "250-LIMITS RCPTMAX=%u\r\n250 HELP\r\n"

typedef enum
{
  STEP_GREET,
  STEP_MAIL,
  STEP_RCPT,
  STEP_DATA,
  STEP_END,
  STEP_AUTH,
  N_STEPS
} Step;

static const char *const step_names[N_STEPS] = { "greet", "mail", "rcpt", "data", "end", "auth" };

typedef struct
{
  PrVerdict verdict; /* never PENDING */
  gboolean is_pending;
} Answer;

/* Some octets of the client, and all that must have been said when they were taken. */
typedef struct
{
  GString *sent;
  GString *expected;
} Exchange;

typedef struct
{
  char *name;
  PrSessionOptions options;
  PrAuthOffer offer;
  gboolean has_tls, is_secure;
  GPtrArray *exchanges;     /* of Exchange */
  GArray *answers[N_STEPS]; /* of Answer */
  GPtrArray *words;         /* owns the texts of answers */
  GString *heard;           /* H lines; NULL: not looked at */
  PrSessionPhase phase;
} Dialog;

typedef struct
{
  const Dialog *dialog;
  guint n_asked[N_STEPS];
  gboolean is_pending;
  PrVerdict pending;
  GString *heard;
  GString *body;
  gboolean is_open;
} World;

/* --- reading --- */

static void
exchange_free (gpointer data)
{
  Exchange *self = data;

  g_string_free (self->sent, TRUE);
  g_string_free (self->expected, TRUE);
  g_free (self);
}

static void
dialog_free (gpointer data)
{
  Dialog *self = data;

  g_free (self->name);
  g_ptr_array_unref (self->exchanges);
  for (guint i = 0; i < N_STEPS; i++)
    g_array_unref (self->answers[i]);
  g_ptr_array_unref (self->words);
  if (self->heard != NULL)
    g_string_free (self->heard, TRUE);
  g_free (self);
}

static void
add_exchange (Dialog *self)
{
  Exchange *exchange = g_new0 (Exchange, 1);

  exchange->sent = g_string_new (NULL);
  exchange->expected = g_string_new (NULL);
  g_ptr_array_add (self->exchanges, exchange);
}

static Dialog *
dialog_new (const char *name)
{
  Dialog *self = g_new0 (Dialog, 1);

  self->name = g_strdup (name);
  self->options = (PrSessionOptions){ "relay.example.org", 1000000, 100, FALSE };
  self->exchanges = g_ptr_array_new_with_free_func (exchange_free);
  for (guint i = 0; i < N_STEPS; i++)
    self->answers[i] = g_array_new (FALSE, FALSE, sizeof (Answer));
  self->words = g_ptr_array_new_with_free_func (g_free);
  self->phase = PR_SESSION_COMMAND;
  add_exchange (self);

  return self;
}

static void
append_unescaped (GString *out, const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    {
      if (*p != '\\')
        {
          g_string_append_c (out, *p);
          continue;
        }

      switch (*++p)
        {
        case 'r': g_string_append_c (out, '\r'); break;
        case 'n': g_string_append_c (out, '\n'); break;
        case 't': g_string_append_c (out, '\t'); break;
        case '\\': g_string_append_c (out, '\\'); break;
        case 'x':
          g_assert_true (g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]));
          g_string_append_c (out, g_ascii_xdigit_value (p[1]) * 16 + g_ascii_xdigit_value (p[2]));
          p += 2;
          break;
        default: g_error ("an unknown escape in: %s", text);
        }
    }
}

static void
append_escaped (GString *out, const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (text[i] == '\r')
      g_string_append (out, "\\r");
    else if (text[i] == '\n')
      g_string_append (out, "\\n");
    else if (text[i] == '\t')
      g_string_append (out, "\\t");
    else if (text[i] == '\\')
      g_string_append (out, "\\\\");
    else if (text[i] < ' ' || text[i] > '~')
      g_string_append_printf (out, "\\x%02x", (guchar) text[i]);
    else
      g_string_append_c (out, text[i]);
}

/* The exchange that text of the client belongs to: a new one where the server spoke last. */
static Exchange *
last_exchange (Dialog *self, gboolean is_client)
{
  Exchange *last = g_ptr_array_index (self->exchanges, self->exchanges->len - 1);

  if (!is_client || last->expected->len == 0)
    return last;

  add_exchange (self);
  return g_ptr_array_index (self->exchanges, self->exchanges->len - 1);
}

static const char *
keep (Dialog *self, const char *text)
{
  GString *word = g_string_new (NULL);

  append_unescaped (word, text);
  g_ptr_array_add (self->words, g_string_free (word, FALSE));
  return g_ptr_array_index (self->words, self->words->len - 1);
}

/* "rcpt pending close 421 4.3.2 text" */
static void
parse_answer (Dialog *self, const char *text)
{
  Answer answer = { 0 };
  g_auto (GStrv) head = g_strsplit (text, " ", 2);
  const char *p = head[1];
  guint step;

  for (step = 0; step < N_STEPS && strcmp (step_names[step], head[0]) != 0;)
    step++;
  g_assert_cmpuint (step, <, N_STEPS);

  answer.is_pending = g_str_has_prefix (p, "pending ");
  if (answer.is_pending)
    p += strlen ("pending ");

  answer.verdict.kind = PR_VERDICT_REFUSE;
  if (g_str_has_prefix (p, "accept"))
    {
      answer.verdict.kind = PR_VERDICT_ACCEPT;
      p += strlen ("accept");
      answer.verdict.text = *p == ' ' ? keep (self, p + 1) : NULL;
    }
  else
    {
      g_auto (GStrv) words = NULL;

      if (g_str_has_prefix (p, "close "))
        {
          answer.verdict.kind = PR_VERDICT_CLOSE;
          p += strlen ("close ");
        }
      words = g_strsplit (p, " ", 3);
      g_assert_cmpuint (g_strv_length (words), ==, 3);
      answer.verdict.code = atoi (words[0]);
      answer.verdict.enhanced = keep (self, words[1]);
      answer.verdict.text = keep (self, words[2]);
    }

  g_array_append_val (self->answers[step], answer);
}

static void
parse_option (Dialog *self, const char *text)
{
  g_auto (GStrv) pair = g_strsplit (text, "=", 2);

  if (strcmp (pair[0], "legacy") == 0)
    self->options.legacy = strcmp (pair[1], "true") == 0;
  else if (strcmp (pair[0], "max-size") == 0)
    self->options.max_message_size_octets = g_ascii_strtoull (pair[1], NULL, 10);
  else if (strcmp (pair[0], "max-recipients") == 0)
    self->options.max_recipients = atoi (pair[1]);
  else if (strcmp (pair[0], "auth") == 0)
    self->offer.allowed = pr_sasl_mechanisms_from_string (pair[1]);
  else if (strcmp (pair[0], "auth-by-tls") == 0)
    self->offer.needs_tls = pr_sasl_mechanisms_from_string (pair[1]);
  else if (strcmp (pair[0], "tls") == 0)
    {
      self->options.offers_tls = TRUE;
      self->is_secure = strcmp (pair[1], "secure") == 0;
      self->options.requires_tls = self->is_secure || strcmp (pair[1], "required") == 0;
      self->has_tls = strcmp (pair[1], "broken") != 0;
    }
  else
    g_error ("an unknown option: %s", text);
}

static void
parse_phase (Dialog *self, const char *text)
{
  if (strcmp (text, "closing") == 0)
    self->phase = PR_SESSION_CLOSING;
  else if (strcmp (text, "data") == 0)
    self->phase = PR_SESSION_DATA;
  else if (strcmp (text, "securing") == 0)
    self->phase = PR_SESSION_SECURING;
  else
    g_assert_cmpstr (text, ==, "command");
}

/* "C: text", "C*20: text" and the like. */
static void
parse_line (Dialog *self, const char *line)
{
  guint n = line[1] == '*' ? atoi (line + 2) : 1;
  const char *text = strchr (line, ':');

  g_assert_nonnull (text);
  text += text[1] == ' ' ? 2 : 1;

  for (guint i = 0; i < n; i++)
    switch (line[0])
      {
      case 'C':
      case 'c':
        append_unescaped (last_exchange (self, TRUE)->sent, text);
        if (line[0] == 'C')
          g_string_append (last_exchange (self, TRUE)->sent, "\r\n");
        break;
      case 'S':
        append_unescaped (last_exchange (self, FALSE)->expected, text);
        g_string_append (last_exchange (self, FALSE)->expected, "\r\n");
        break;
      case 'H':
        if (self->heard == NULL)
          self->heard = g_string_new (NULL);
        g_string_append_printf (self->heard, "%s\n", text);
        break;
      case 'V': parse_answer (self, text); break;
      case 'O': parse_option (self, text); break;
      default: g_error ("a line that is none of a dialogue: %s", line);
      }
}

static void
parse_file (GPtrArray *dialogs, const char *path)
{
  g_autofree char *text = NULL;
  g_autofree char *file = g_path_get_basename (path);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  Dialog *dialog = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  *strstr (file, ".txt") = '\0';

  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i];

      if (line[0] == '\0' || line[0] == '#')
        continue;

      if (g_str_has_prefix (line, "== "))
        {
          g_autofree char *name = g_strdup_printf ("%s/%s", file, line + 3);

          dialog = dialog_new (name);
          g_ptr_array_add (dialogs, dialog);
          continue;
        }

      g_assert_nonnull (dialog);
      if (strcmp (line, "$EHLO") == 0)
        {
          g_string_append (last_exchange (dialog, TRUE)->sent, "EHLO client.example\r\n");
          g_string_append_printf (last_exchange (dialog, FALSE)->expected, EHLO_REPLY,
                                  dialog->options.max_message_size_octets,
                                  dialog->options.max_recipients);
        }
      else if (g_str_has_prefix (line, "= "))
        parse_phase (dialog, line + 2);
      else
        parse_line (dialog, line);
    }
}

/* --- the world around the session --- */

static PrVerdict
ask (World *self, Step step)
{
  const GArray *answers = self->dialog->answers[step];
  Answer answer = { .verdict = PR_ACCEPT };

  g_assert_false (self->is_pending);
  if (self->n_asked[step] < answers->len)
    answer = g_array_index (answers, Answer, self->n_asked[step]);
  self->n_asked[step]++;

  if (!answer.is_pending)
    return answer.verdict;

  self->is_pending = TRUE;
  self->pending = answer.verdict;
  return PR_PENDING;
}

static void
on_greeted (gpointer owner, const char *name, gboolean extended)
{
  World *self = owner;

  g_string_append_printf (self->heard, "greeted %s ", extended ? "EHLO" : "HELO");
  append_escaped (self->heard, name, strlen (name));
  g_string_append_c (self->heard, '\n');
}

static PrVerdict
on_mail (gpointer owner, const PrEnvelope *envelope)
{
  static const char *const bodies[] = { "", " BODY=8BITMIME", " BODY=BINARYMIME" };
  static const char *const rets[] = { "", " RET=FULL", " RET=HDRS" };
  World *self = owner;

  g_assert_false (self->is_open);
  g_assert_cmpuint (envelope->recipients->len, ==, 0);
  g_string_append (self->heard, "mail <");
  append_escaped (self->heard, envelope->sender, strlen (envelope->sender));
  g_string_append_printf (self->heard, ">");
  if (envelope->declared_size_octets > 0)
    g_string_append_printf (self->heard, " SIZE=%" G_GUINT64_FORMAT,
                            envelope->declared_size_octets);
  g_string_append_printf (self->heard, "%s%s%s", bodies[envelope->body],
                          envelope->smtputf8 ? " SMTPUTF8" : "", rets[envelope->ret]);
  if (envelope->envid != NULL)
    g_string_append_printf (self->heard, " ENVID=%s", envelope->envid);
  if (envelope->requires_tls)
    g_string_append (self->heard, " REQUIRETLS");
  g_string_append_c (self->heard, '\n');

  return ask (self, STEP_MAIL);
}

static PrVerdict
on_rcpt (gpointer owner, const PrEnvelope *envelope, const PrRecipient *recipient)
{
  static const char *const notifies[] = { "NEVER", "SUCCESS", "FAILURE", "DELAY" };
  World *self = owner;

  g_string_append (self->heard, "rcpt <");
  append_escaped (self->heard, recipient->address, strlen (recipient->address));
  g_string_append (self->heard, ">");
  for (guint i = 0, n = 0; i < 4; i++)
    if ((recipient->notify & 1 << i) != 0)
      g_string_append_printf (self->heard, "%s%s", n++ == 0 ? " NOTIFY=" : ",", notifies[i]);
  if (recipient->orcpt != NULL)
    {
      g_string_append (self->heard, " ORCPT=");
      append_escaped (self->heard, recipient->orcpt, strlen (recipient->orcpt));
    }
  g_string_append_c (self->heard, '\n');

  return ask (self, STEP_RCPT);
}

static PrVerdict
on_data (gpointer owner, const PrEnvelope *envelope)
{
  World *self = owner;
  const GArray *answers = self->dialog->answers[STEP_DATA];
  guint n = self->n_asked[STEP_DATA];

  g_assert_false (self->is_open);
  g_assert_cmpuint (envelope->recipients->len, >, 0);
  g_string_append (self->heard, "data\n");
  g_string_truncate (self->body, 0);
  self->is_open =
    n >= answers->len || g_array_index (answers, Answer, n).verdict.kind == PR_VERDICT_ACCEPT;

  return ask (self, STEP_DATA);
}

static void
on_body (gpointer owner, const char *data, gsize len)
{
  World *self = owner;

  g_assert_true (self->is_open);
  g_assert_cmpuint (len, >, 0);
  g_string_append_len (self->body, data, len);
}

static PrVerdict
on_end (gpointer owner, PrEnvelope *envelope)
{
  World *self = owner;
  g_autoptr (PrEnvelope) owned = envelope;

  g_assert_true (self->is_open);
  self->is_open = FALSE;

  g_string_append (self->heard, self->body->len > 0 ? "body " : "body");
  append_escaped (self->heard, self->body->str, self->body->len);
  g_string_append_printf (self->heard, "\nend <%s> to ", owned->sender);
  for (guint i = 0; i < owned->recipients->len; i++)
    g_string_append_printf (self->heard, "%s<%s>", i == 0 ? "" : ",",
                            pr_envelope_recipient (owned, i)->address);
  g_string_append_c (self->heard, '\n');

  return ask (self, STEP_END);
}

static void
on_abandon (gpointer owner)
{
  World *self = owner;

  g_assert_true (self->is_open);
  self->is_open = FALSE;
  g_string_append (self->heard, "abandon\n");
}

static PrAuthOffer
on_auth_offer (gpointer owner)
{
  World *self = owner;

  return self->dialog->offer;
}

/* The password of "user" is "pencil" (RFC 7677 §3). */
static char *
on_find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user)
{
  g_autoptr (GBytes) key = g_bytes_new_static ("key", 3);

  if (strcmp (user, "user") != 0)
    return pr_sasl_make_up_secret (PR_SASL_SCRAM_SHA_256, user, NULL, key);

  return g_strdup ("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                   "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                   "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

static PrVerdict
on_auth (gpointer owner, const char *user, PrSaslCheck *check, gboolean is_proven)
{
  World *self = owner;
  gboolean right = is_proven || (check != NULL && pr_sasl_check_run (check));

  g_string_append_printf (self->heard, "auth %s%s\n", user, right ? "" : " wrong");
  pr_sasl_check_free (check);
  if (!right)
    return PR_REFUSE (535, "5.7.8", "Wrong");

  return ask (self, STEP_AUTH);
}

static gboolean
on_starttls (gpointer owner)
{
  World *self = owner;

  return self->dialog->has_tls;
}

static void
on_trace (gpointer owner, gboolean outgoing, const char *line, gsize len)
{
  g_assert_null (memchr (line, '\n', len));
  g_assert_null (memchr (line, '\r', len));
  g_assert_null (memchr (line, '\0', len));
  /* The password, and all that PLAIN says. */
  g_assert_null (g_strstr_len (line, (gssize) len, "cGVuY2ls"));
  g_assert_null (g_strstr_len (line, (gssize) len, "AHVzZXI"));
}

static const PrSessionHandler handler = {
  .greeted = on_greeted,
  .mail = on_mail,
  .rcpt = on_rcpt,
  .data = on_data,
  .body = on_body,
  .end = on_end,
  .abandon = on_abandon,
  .auth_offer = on_auth_offer,
  .find_secret = on_find_secret,
  .auth = on_auth,
  .starttls = on_starttls,
  .trace = on_trace,
};

/* --- running --- */

static void
feed (World *world, PrSession *session, const char *data, gsize len, GString *out)
{
  gsize done = 0;

  for (;;)
    {
      /* Its own block, so that the sanitizer sees each read past the end. */
      g_autofree char *piece = g_memdup2 (data + done, MAX (len - done, 1));
      PrSessionPhase phase;

      done += pr_session_feed (session, piece, len - done, out);
      phase = pr_session_get_phase (session);
      g_assert_true ((phase == PR_SESSION_PENDING) == world->is_pending);

      if (phase == PR_SESSION_PENDING)
        {
          g_assert_cmpuint (pr_session_feed (session, "x", 1, out), ==, 0);
          world->is_pending = FALSE;
          pr_session_resume (session, world->pending, out);
        }
      else
        {
          g_assert_true (done == len || phase == PR_SESSION_CLOSING ||
                         phase == PR_SESSION_SECURING);
          return;
        }
    }
}

typedef enum
{
  BY_EXCHANGE,
  BY_OCTET,
  WHOLE,
  AT_RANDOM,
} Cut;

static void
feed_cut (World *world, PrSession *session, const GString *sent, Cut cut, GRand *rand, GString *out)
{
  gsize n;

  if (cut == BY_EXCHANGE || cut == WHOLE)
    {
      feed (world, session, sent->str, sent->len, out);
      return;
    }

  for (gsize i = 0; i < sent->len; i += n)
    {
      n = cut == BY_OCTET ? 1 : (gsize) g_rand_int_range (rand, 1, 40);
      n = MIN (n, sent->len - i);
      feed (world, session, sent->str + i, n, out);
    }
}

static void
check_end (const Dialog *dialog, World *world, PrSession *session)
{
  g_assert_cmpint (pr_session_get_phase (session), ==, dialog->phase);
  for (guint i = 0; i < N_STEPS; i++)
    if (i != STEP_GREET)
      g_assert_cmpuint (world->n_asked[i], >=, dialog->answers[i]->len);
}

static void
run (const Dialog *dialog, Cut cut, guint seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autoptr (GString) sent = g_string_new (NULL);
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autoptr (GString) body = g_string_new (NULL);
  World world = { .dialog = dialog, .heard = heard, .body = body };
  PrSession *session = pr_session_new (&dialog->options, &handler, &world);
  PrVerdict greeting = ask (&world, STEP_GREET);

  if (dialog->is_secure)
    pr_session_set_secure (session);
  pr_session_greet (session, greeting, out);
  if (greeting.kind == PR_VERDICT_ACCEPT)
    g_string_append (expected, GREETING);

  for (guint i = 0; i < dialog->exchanges->len; i++)
    {
      const Exchange *exchange = g_ptr_array_index (dialog->exchanges, i);

      g_string_append_len (sent, exchange->sent->str, exchange->sent->len);
      g_string_append_len (expected, exchange->expected->str, exchange->expected->len);
      if (cut == WHOLE && i + 1 < dialog->exchanges->len)
        continue;

      feed_cut (&world, session, sent, cut, rand, out);
      g_assert_cmpstr (out->str, ==, expected->str);
      g_string_truncate (sent, 0);
    }

  check_end (dialog, &world, session);
  pr_session_free (session);
  g_assert_false (world.is_open);
  if (dialog->heard != NULL)
    g_assert_cmpstr (heard->str, ==, dialog->heard->str);
}

static void
test_dialog (gconstpointer data)
{
  run (data, BY_EXCHANGE, 0);
  run (data, BY_OCTET, 0);
  run (data, WHOLE, 0);
  for (guint seed = 1; seed <= 5; seed++)
    run (data, AT_RANDOM, seed);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GPtrArray) dialogs = g_ptr_array_new_with_free_func (dialog_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) folder = NULL;
  g_autofree char *path = NULL;
  const char *name;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  path = g_test_build_filename (G_TEST_DIST, "dialogs", NULL);
  folder = g_dir_open (path, 0, &error);
  g_assert_no_error (error);
  while ((name = g_dir_read_name (folder)) != NULL)
    if (g_str_has_suffix (name, ".txt"))
      {
        g_autofree char *file = g_build_filename (path, name, NULL);
        parse_file (dialogs, file);
      }

  for (guint i = 0; i < dialogs->len; i++)
    {
      Dialog *dialog = g_ptr_array_index (dialogs, i);
      g_autofree char *test = g_strdup_printf ("/dialog/%s", dialog->name);

      g_test_add_data_func (test, dialog, test_dialog);
    }

  return g_test_run ();
}
