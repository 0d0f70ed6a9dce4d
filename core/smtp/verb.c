/* SPDX-License-Identifier: GPL-3.0-or-later */

/* verb.c: the commands of RFC 5321 §4.1, one table.
 *
 * For each verb: check looks at the argument and fills in a Command; `needs` says in which state
 * it is legal; proceed moves the session. Neither check nor needs changes anything, so what is
 * refused leaves no trace. */

#include "smtp/session-private.h"
#include "smtp/address.h"

#include <string.h>

#define MAX_NAME 255 /* of EHLO, RFC 5321 §4.5.3.1.2 */

#define SYNTAX(text) PR_REFUSE (501, "5.5.4", text)
#define SEQUENCE(text) PR_REFUSE (503, "5.5.1", text)

/* One command, as its check understood it. */
typedef struct
{
  const char *p, *end;   /* the argument, without spaces around it */
  PrEnvelope *envelope;  /* MAIL; owned */
  PrRecipient recipient; /* RCPT; owned */
  guint64 octets;        /* BDAT */
  gboolean is_last;
} Command;

typedef enum
{
  NEEDS_HELO = 1 << 0,
  NEEDS_NO_MAIL = 1 << 1,
  NEEDS_MAIL = 1 << 2,
  NEEDS_RCPT = 1 << 3,
  NEEDS_NO_CHUNKS = 1 << 4,
  NEEDS_NO_FAILURE = 1 << 5,
  IS_IDLE = 1 << 6,      /* moves no mail: counted */
  IS_SILENT = 1 << 7,    /* its replies carry no enhanced status (RFC 2034 §4) */
  IS_RECIPIENT = 1 << 8, /* refusals have a budget of their own */
  HAS_OCTETS = 1 << 9,   /* octets follow, whatever is replied */
  IS_SECRET = 1 << 10,   /* its argument is not shown */
  NEEDS_TLS = 1 << 11,   /* where it is required */
} VerbFlags;

typedef struct
{
  const char *name;
  VerbFlags flags;
  PrVerdict (*check) (const PrSession *self, Command *command);
  void (*proceed) (PrSession *self, Command *command);
  const char *help;
} Verb;

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t';
}

static PrVerdict
check_nothing (const PrSession *self, Command *command)
{
  return PR_ACCEPT;
}

static PrVerdict
check_no_argument (const PrSession *self, Command *command)
{
  return command->p == command->end ? PR_ACCEPT : SYNTAX ("This command takes no argument");
}

static PrVerdict
check_argument (const PrSession *self, Command *command)
{
  return command->p < command->end ? PR_ACCEPT : SYNTAX ("This command needs an argument");
}

/* --- EHLO, HELO --- */

/* Machines say anything here; only its length and that it can be shown are asked for. */
static PrVerdict
check_helo (const PrSession *self, Command *command)
{
  if (command->p == command->end && !self->options->legacy)
    return SYNTAX ("Say who you are: EHLO and the name of your machine");
  if (command->end - command->p > MAX_NAME)
    return SYNTAX ("The name of your machine is longer than 255 octets");

  for (const char *p = command->p; p < command->end; p++)
    if ((guchar) *p < ' ' || *p == 0x7f)
      return SYNTAX ("The name of your machine contains a control character");

  return PR_ACCEPT;
}

static void
introduce (PrSession *self, Command *command, gboolean extended)
{
  pr_session_reset (self);
  g_free (self->helo);
  self->helo = command->p < command->end ? g_utf8_make_valid (command->p, command->end - command->p)
                                         : g_strdup ("unknown");
  self->is_extended = extended;
  if (self->handler->greeted != NULL)
    self->handler->greeted (self->owner, self->helo, extended);
}

/* Old devices read only a draft's form of it, with an equals sign. */
static void
append_auth (const PrSession *self, GString *text)
{
  PrSaslMechanisms allowed = pr_session_get_auth_offer (self).allowed;
  g_autofree char *names = allowed != 0 ? pr_sasl_mechanisms_to_string (allowed) : NULL;

  if (names != NULL)
    g_string_append_printf (text, "\nAUTH %s", names);
  if (names != NULL && self->options->legacy)
    g_string_append_printf (text, "\nAUTH=%s", names);
}

static void
proceed_ehlo (PrSession *self, Command *command)
{
  const PrSessionOptions *options = self->options;
  g_autoptr (GString) text = g_string_sized_new (256);

  introduce (self, command, TRUE);
  g_string_printf (text,
                   "%s\nSIZE %" G_GUINT64_FORMAT
                   "\nPIPELINING\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nDSN\nCHUNKING\n"
                   "BINARYMIME\nLIMITS RCPTMAX=%u",
                   options->hostname, options->max_message_size_octets, options->max_recipients);
  if (options->offers_tls && !self->is_secure)
    g_string_append (text, "\nSTARTTLS");
  if (self->is_secure)
    g_string_append (text, "\nREQUIRETLS"); /* RFC 8689 §2 */
  append_auth (self, text);
  g_string_append (text, "\nHELP");
  pr_session_say (self, 250, NULL, text->str);
}

static void
proceed_helo (PrSession *self, Command *command)
{
  introduce (self, command, FALSE);
  pr_session_say (self, 250, NULL, self->options->hostname);
}

/* --- MAIL, RCPT --- */

/* "FROM:" or "TO:", with the spaces around that many devices send. */
static gboolean
take_word (Command *command, const char *word)
{
  gsize len = strlen (word);
  const char *p = command->p;

  if ((gsize) (command->end - p) < len || g_ascii_strncasecmp (p, word, len) != 0)
    return FALSE;

  for (p += len; p < command->end && is_space (*p);)
    p++;
  if (p == command->end || *p != ':')
    return FALSE;

  for (p++; p < command->end && is_space (*p);)
    p++;
  command->p = p;
  return TRUE;
}

/* Moves behind the path. @enhanced: what a malformed one is (RFC 3463 §3.2). */
static PrVerdict
take_path (const PrSession *self, Command *command, PrPathFlags flags, const char *enhanced,
           char **address)
{
  const char *fault;

  if (self->options->legacy)
    flags |= PR_PATH_LENIENT;
  if (!pr_path_parse (command->p, command->end - command->p, flags, address, &command->p, &fault))
    return PR_REFUSE (501, enhanced, fault);
  if (command->p < command->end && !is_space (*command->p))
    return PR_REFUSE (501, enhanced, "Something follows the address that is not part of it");

  return PR_ACCEPT;
}

static PrVerdict
check_mail (const PrSession *self, Command *command)
{
  PrEnvelope *envelope = command->envelope = pr_envelope_new ();
  guint64 max = self->options->max_message_size_octets;
  PrVerdict verdict;

  if (!take_word (command, "FROM"))
    return SYNTAX ("Write MAIL FROM:<address>");

  verdict = take_path (self, command, PR_PATH_SENDER, "5.1.7", &envelope->sender);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    return verdict;

  verdict = pr_mail_params_parse (command->p, command->end, envelope);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    return verdict;

  if (!envelope->smtputf8 && pr_address_is_utf8 (envelope->sender))
    return PR_REFUSE (553, "5.6.7", "An international address needs the parameter SMTPUTF8");
  if (max > 0 && envelope->declared_size_octets > max)
    return PR_REFUSE (552, "5.3.4", "The message is larger than this server takes");
  if (envelope->requires_tls && !self->is_secure) /* RFC 8689 §2: never offered in plain text */
    return PR_REFUSE (530, "5.7.10", "REQUIRETLS needs an encrypted connection: STARTTLS first");

  return PR_ACCEPT;
}

static void
proceed_mail (PrSession *self, Command *command)
{
  self->envelope = g_steal_pointer (&command->envelope);
  pr_session_settle (self, PR_STEP_MAIL, self->handler->mail (self->owner, self->envelope));
}

static PrVerdict
check_rcpt (const PrSession *self, Command *command)
{
  PrRecipient *recipient = &command->recipient;
  gboolean smtputf8 = self->envelope != NULL && self->envelope->smtputf8;
  PrVerdict verdict;

  if (!take_word (command, "TO"))
    return SYNTAX ("Write RCPT TO:<address>");

  verdict = take_path (self, command, PR_PATH_RECIPIENT, "5.1.3", &recipient->address);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    return verdict;

  verdict = pr_rcpt_params_parse (command->p, command->end, smtputf8, recipient);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    return verdict;

  if (self->envelope == NULL)
    return PR_ACCEPT; /* `needs` has the words for it */
  if (!smtputf8 && pr_address_is_utf8 (recipient->address))
    return PR_REFUSE (553, "5.6.7", "An international address needs SMTPUTF8 behind MAIL FROM");
  if (self->envelope->recipients->len >= self->options->max_recipients)
    return PR_REFUSE (452, "4.5.3", "Too many recipients for one message; send the rest again");

  return PR_ACCEPT;
}

static void
proceed_rcpt (PrSession *self, Command *command)
{
  self->recipient = command->recipient;
  command->recipient = (PrRecipient){ 0 };
  pr_session_settle (self, PR_STEP_RCPT,
                     self->handler->rcpt (self->owner, self->envelope, &self->recipient));
}

/* --- DATA, BDAT --- */

static PrVerdict
check_data (const PrSession *self, Command *command)
{
  if (self->envelope != NULL && self->envelope->body == PR_BODY_BINARYMIME)
    return SEQUENCE ("A BINARYMIME message is sent by BDAT"); /* RFC 3030 §3 */

  return check_no_argument (self, command);
}

static void
proceed_data (PrSession *self, Command *command)
{
  pr_session_settle (self, PR_STEP_DATA, self->handler->data (self->owner, self->envelope));
}

/* What cannot be read here leaves no way to tell the message from the next command. */
static PrVerdict
check_bdat (const PrSession *self, Command *command)
{
  const char *p = command->p;

  for (; p < command->end && g_ascii_isdigit (*p); p++)
    {
      if (command->octets > G_MAXINT64 / 10 - 1)
        return PR_CLOSE (501, "5.5.4", "BDAT with a size beyond measure");
      command->octets = command->octets * 10 + (*p - '0');
    }

  if (p > command->p && p == command->end)
    return PR_ACCEPT;

  if (p > command->p && is_space (*p))
    {
      while (p < command->end && is_space (*p))
        p++;
      command->is_last = TRUE;
      if (command->end - p == 4 && g_ascii_strncasecmp (p, "LAST", 4) == 0)
        return PR_ACCEPT;
    }

  return PR_CLOSE (501, "5.5.4", "Write BDAT size or BDAT size LAST");
}

static void
proceed_bdat (PrSession *self, Command *command)
{
  self->body.chunk_octets = command->octets;
  self->body.chunk_is_last = command->is_last;

  if (self->body.is_chunked)
    pr_session_begin_chunk (self);
  else
    pr_session_settle (self, PR_STEP_CHUNK, self->handler->data (self->owner, self->envelope));
}

/* --- AUTH --- */

static PrVerdict
check_auth (const PrSession *self, Command *command)
{
  return pr_session_check_auth (self, command->p, command->end);
}

static void
proceed_auth (PrSession *self, Command *command)
{
  pr_session_begin_auth (self, command->p, command->end);
}

/* --- the others --- */

static void
proceed_rset (PrSession *self, Command *command)
{
  pr_session_reset (self);
  pr_session_say (self, 250, "2.0.0", "Forgotten");
}

static void
proceed_noop (PrSession *self, Command *command)
{
  pr_session_say (self, 250, "2.0.0", "Nothing done");
}

static void
proceed_quit (PrSession *self, Command *command)
{
  pr_session_say (self, 221, "2.0.0", "Goodbye");
  pr_session_close (self);
}

static void
proceed_vrfy (PrSession *self, Command *command)
{
  pr_session_say (self, 252, "2.1.5", "Send it, and it will be tried"); /* RFC 5321 §3.5.3 */
}

static void
proceed_unsupported (PrSession *self, Command *command)
{
  pr_session_refuse (self, PR_REFUSE (502, "5.5.1", "This server does not have this command"));
}

/* RFC 3207 §4 */
static PrVerdict
check_starttls (const PrSession *self, Command *command)
{
  if (self->is_secure)
    return SEQUENCE ("This connection is encrypted already");
  if (!self->options->offers_tls)
    return PR_REFUSE (502, "5.5.1", "This is not offered here");

  return check_no_argument (self, command);
}

static void
proceed_starttls (PrSession *self, Command *command)
{
  if (self->handler->starttls == NULL || !self->handler->starttls (self->owner))
    {
      pr_session_refuse (self, PR_REFUSE (454, "4.7.0", "Encryption is not available just now"));
      return;
    }

  pr_session_reset (self);
  pr_session_say (self, 220, "2.0.0", "Begin TLS");
  self->phase = PR_SESSION_SECURING;
}

static void proceed_help (PrSession *self, Command *command);

/* In the order of how often they come. */
static const Verb verbs[] = {
  { "RCPT", NEEDS_HELO | NEEDS_MAIL | NEEDS_NO_CHUNKS | IS_RECIPIENT, check_rcpt, proceed_rcpt,
    "RCPT TO:<address> [NOTIFY=...] [ORCPT=...]\nnames a recipient; once for each" },
  { "MAIL", NEEDS_HELO | NEEDS_TLS | NEEDS_NO_MAIL, check_mail, proceed_mail,
    "MAIL FROM:<address> [SIZE=n] [BODY=...] [SMTPUTF8] [RET=...] [ENVID=...] "
    "[REQUIRETLS]\n"
    "begins a message and names who gets it back if it cannot be delivered" },
  { "DATA", NEEDS_HELO | NEEDS_MAIL | NEEDS_RCPT | NEEDS_NO_CHUNKS, check_data, proceed_data,
    "DATA\nthen the message, then a line of one dot" },
  { "BDAT", NEEDS_HELO | NEEDS_NO_FAILURE | NEEDS_MAIL | NEEDS_RCPT | HAS_OCTETS, check_bdat,
    proceed_bdat, "BDAT size [LAST]\nthen that many octets of the message" },
  { "QUIT", 0, check_nothing, proceed_quit, "QUIT\nends the session" },
  { "RSET", IS_IDLE, check_no_argument, proceed_rset, "RSET\ndrops the message under way" },
  { "EHLO", IS_IDLE | IS_SILENT, check_helo, proceed_ehlo,
    "EHLO name\nintroduces your machine and lists what this server can do" },
  { "HELO", IS_IDLE | IS_SILENT, check_helo, proceed_helo, "HELO name\nintroduces your machine" },
  { "AUTH", NEEDS_HELO | NEEDS_NO_MAIL | IS_IDLE | IS_SECRET, check_auth, proceed_auth,
    "AUTH mechanism [initial response]\nsigns you in; EHLO lists the mechanisms" },
  { "NOOP", IS_IDLE, check_nothing, proceed_noop, "NOOP\nhas no effect" },
  { "VRFY", IS_IDLE, check_argument, proceed_vrfy,
    "VRFY address\nis not answered; an address shows at RCPT whether it is taken" },
  { "HELP", IS_IDLE, check_nothing, proceed_help, "HELP [command]" },
  /* Before EHLO, too: GNU SASL's client does not wait for it, and all begins anew anyway. */
  { "STARTTLS", 0, check_starttls, proceed_starttls,
    "STARTTLS\nencrypts the connection, where EHLO lists it" },
  { "EXPN", 0, check_nothing, proceed_unsupported, NULL },
  { "ETRN", 0, check_nothing, proceed_unsupported, NULL },
  { "TURN", 0, check_nothing, proceed_unsupported, NULL },
  { "SEND", 0, check_nothing, proceed_unsupported, NULL },
  { "SOML", 0, check_nothing, proceed_unsupported, NULL },
  { "SAML", 0, check_nothing, proceed_unsupported, NULL },
};

/* What other protocols say first. A web page can make a browser send its reader's mail server
 * commands behind these, so nothing is read after them. */
static const char *const foreign_words[] = {
  "GET",    "POST",    "PUT",    "HEAD",       "OPTIONS",        "CONNECT", "DELETE",
  "PATCH",  "TRACE",   "PRI",    "HOST",       "USER-AGENT",     "ACCEPT",  "CONTENT-TYPE",
  "ORIGIN", "REFERER", "COOKIE", "CONNECTION", "CONTENT-LENGTH",
};

static const Verb *
find_verb (const char *word, gsize len)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (strlen (verbs[i].name) == len && g_ascii_strncasecmp (verbs[i].name, word, len) == 0)
      return &verbs[i];

  return NULL;
}

static void
proceed_help (PrSession *self, Command *command)
{
  g_autoptr (GString) text = g_string_new ("Postroom carries mail. It knows these commands:\n");

  if (command->p < command->end)
    {
      const Verb *verb = find_verb (command->p, command->end - command->p);

      if (verb != NULL && verb->help != NULL)
        pr_session_say (self, 214, "2.0.0", verb->help);
      else
        pr_session_refuse (self, PR_REFUSE (504, "5.5.4", "There is no help on that"));
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (verbs[i].help != NULL)
      g_string_append_printf (text, "%s%s", i == 0 ? "" : " ", verbs[i].name);
  g_string_append (text, "\nHELP and one of them says more.");
  pr_session_say (self, 214, "2.0.0", text->str);
}

static PrVerdict
check_sequence (const PrSession *self, VerbFlags flags)
{
  if ((flags & NEEDS_HELO) != 0 && self->helo == NULL)
    return SEQUENCE ("Say EHLO or HELO first");
  if ((flags & NEEDS_TLS) != 0 && self->options->requires_tls && !self->is_secure)
    return PR_REFUSE (530, "5.7.0",
                      "Encryption is required here: turn on TLS (STARTTLS) in the mail settings");
  if ((flags & NEEDS_NO_MAIL) != 0 && self->envelope != NULL)
    return SEQUENCE ("A message is under way already; RSET drops it");
  if ((flags & NEEDS_NO_FAILURE) != 0 && self->body.has_failed)
    return SEQUENCE ("A part of this message was refused; RSET drops it");
  if ((flags & NEEDS_MAIL) != 0 && self->envelope == NULL)
    return SEQUENCE ("Name the sender by MAIL FROM first");
  if ((flags & NEEDS_NO_CHUNKS) != 0 && (self->body.is_chunked || self->body.has_failed))
    return SEQUENCE ("This message is sent by BDAT; only BDAT or RSET may follow");
  if ((flags & NEEDS_RCPT) != 0 && self->envelope->recipients->len == 0)
    return PR_REFUSE (554, "5.5.1", "No recipient was accepted");

  return PR_ACCEPT;
}

static void
refuse (PrSession *self, const Verb *verb, const Command *command, PrVerdict verdict)
{
  if ((verb->flags & IS_SILENT) != 0)
    verdict.enhanced = NULL;

  if ((verb->flags & IS_RECIPIENT) != 0)
    pr_session_refuse_recipient (self, verdict);
  else
    pr_session_refuse (self, verdict);

  if ((verb->flags & HAS_OCTETS) != 0)
    pr_session_skip_chunk (self, command->octets, command->is_last);
}

static void
run_verb (PrSession *self, const Verb *verb, Command *command)
{
  PrVerdict verdict;

  if ((verb->flags & IS_IDLE) != 0 && !pr_session_may_idle (self))
    return;

  verdict = verb->check (self, command);
  if (verdict.kind == PR_VERDICT_ACCEPT)
    verdict = check_sequence (self, verb->flags);

  if (verdict.kind == PR_VERDICT_ACCEPT)
    verb->proceed (self, command);
  else
    refuse (self, verb, command, verdict);

  pr_envelope_free (command->envelope);
  pr_recipient_clear (&command->recipient);
}

static gboolean
is_word (const char *line, gsize len, const char *word)
{
  return strlen (word) == len && g_ascii_strncasecmp (line, word, len) == 0;
}

/* The transcript may not show what a client sends behind an AUTH that was refused. */
static void
run_unknown (PrSession *self, const char *line, gsize len, gsize word_len)
{
  gsize bare_len = word_len > 0 && line[word_len - 1] == ':' ? word_len - 1 : word_len;

  for (gsize i = 0; i < G_N_ELEMENTS (foreign_words); i++)
    if (is_word (line, bare_len, foreign_words[i]))
      {
        pr_session_trace (self, FALSE, line, len);
        pr_session_refuse (self,
                           PR_CLOSE (554, "5.5.1", "This is a mail server, not a web server"));
        return;
      }

  if (self->hides_lines)
    pr_session_trace (self, FALSE, "(hidden)", strlen ("(hidden)"));
  else
    pr_session_trace (self, FALSE, line, len);

  if (len == 0)
    pr_session_refuse (self, PR_REFUSE (500, "5.5.2", "An empty line is no command"));
  else
    pr_session_refuse (self, PR_REFUSE (500, "5.5.1", "This is no command; HELP lists them"));
}

void
pr_session_run (PrSession *self, const char *line, gsize len)
{
  Command command = { .end = line + len };
  const Verb *verb;
  gsize word_len = 0;

  while (word_len < len && !is_space (line[word_len]))
    word_len++;

  verb = find_verb (line, word_len);
  if (verb == NULL)
    {
      run_unknown (self, line, len, word_len);
      return;
    }

  for (command.p = line + word_len; command.p < command.end && is_space (*command.p);)
    command.p++;
  self->hides_lines = (verb->flags & IS_SECRET) != 0;
  if (self->hides_lines)
    pr_session_trace_auth (self, command.p, command.end);
  else
    pr_session_trace (self, FALSE, line, len);
  run_verb (self, verb, &command);
}
