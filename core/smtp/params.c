/* SPDX-License-Identifier: GPL-3.0-or-later */

/* params.c: the parameters of MAIL and RCPT (RFC 5321 §4.1.2), one table for each command. */

#include "smtp/session-private.h"

#include <string.h>

#define MAX_ENVID 100 /* RFC 3461 §4.4 */
#define MAX_ORCPT 500 /* RFC 3461 §4.2 */
#define MAX_AUTH 500  /* RFC 4954 §5 */

#define BAD(text) PR_REFUSE (501, "5.5.4", text)

typedef struct
{
  const char *text;
  gsize len;
  gboolean is_there; /* "KEY=" is a value of no octets, "KEY" is none */
} Value;

typedef struct
{
  PrEnvelope *envelope;   /* MAIL */
  PrRecipient *recipient; /* RCPT */
  gboolean smtputf8;
} Target;

typedef struct
{
  const char *key;
  PrVerdict (*take) (Target *target, const Value *value);
} Param;

static gboolean
value_is (const Value *value, const char *word)
{
  return value->len == strlen (word) && g_ascii_strncasecmp (value->text, word, value->len) == 0;
}

/* xtext of RFC 3461 §4. Control characters are refused in their encoded form too: what is in
 * here is decoded into the header of a delivery status notification. */
static gboolean
is_xtext (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    {
      if (text[i] == '+')
        {
          int high = i + 2 < len ? g_ascii_xdigit_value (text[i + 1]) : -1;
          int low = i + 2 < len ? g_ascii_xdigit_value (text[i + 2]) : -1;
          int octet = high * 16 + low;

          if (high < 0 || low < 0 || octet < 0x20 || octet > 0x7e)
            return FALSE;
          i += 2;
        }
      else if (text[i] <= ' ' || text[i] > '~' || text[i] == '=')
        return FALSE;
    }

  return TRUE;
}

static PrVerdict
take_size (Target *target, const Value *value)
{
  guint64 size = 0;

  if (value->len == 0 || value->len > 20) /* RFC 1870 §4 */
    return BAD ("SIZE needs a number of octets");

  for (gsize i = 0; i < value->len; i++)
    {
      guint digit = value->text[i] - '0';

      if (digit > 9)
        return BAD ("SIZE needs a number of octets");
      size = size > (G_MAXUINT64 - digit) / 10 ? G_MAXUINT64 : size * 10 + digit;
    }

  target->envelope->declared_size_octets = size;
  return PR_ACCEPT;
}

static PrVerdict
take_body (Target *target, const Value *value)
{
  if (value_is (value, "7BIT"))
    target->envelope->body = PR_BODY_7BIT;
  else if (value_is (value, "8BITMIME"))
    target->envelope->body = PR_BODY_8BITMIME;
  else if (value_is (value, "BINARYMIME"))
    target->envelope->body = PR_BODY_BINARYMIME;
  else
    return BAD ("BODY is 7BIT, 8BITMIME or BINARYMIME");

  return PR_ACCEPT;
}

static PrVerdict
take_smtputf8 (Target *target, const Value *value)
{
  if (value->is_there)
    return BAD ("SMTPUTF8 takes no value");

  target->envelope->smtputf8 = TRUE;
  return PR_ACCEPT;
}

/* RFC 8689 §2; whether it may be said here is the command's matter. */
static PrVerdict
take_requiretls (Target *target, const Value *value)
{
  if (value->is_there)
    return BAD ("REQUIRETLS takes no value");

  target->envelope->requires_tls = TRUE;
  return PR_ACCEPT;
}

static PrVerdict
take_ret (Target *target, const Value *value)
{
  if (value_is (value, "FULL"))
    target->envelope->ret = PR_RET_FULL;
  else if (value_is (value, "HDRS"))
    target->envelope->ret = PR_RET_HDRS;
  else
    return BAD ("RET is FULL or HDRS");

  return PR_ACCEPT;
}

static PrVerdict
take_envid (Target *target, const Value *value)
{
  if (value->len == 0 || value->len > MAX_ENVID || !is_xtext (value->text, value->len))
    return BAD ("ENVID needs 1 to 100 characters of xtext (RFC 3461)");

  target->envelope->envid = g_strndup (value->text, value->len);
  return PR_ACCEPT;
}

/* RFC 4954 §5: who wrote it, in the client's opinion. Nobody is believed that, so it is read,
 * checked and taken for "<>", which is what is passed on by saying nothing. */
static PrVerdict
take_auth (Target *target, const Value *value)
{
  if (!value_is (value, "<>") &&
      (value->len == 0 || value->len > MAX_AUTH || !is_xtext (value->text, value->len)))
    return BAD ("AUTH needs an address in xtext, or <>");

  return PR_ACCEPT;
}

static PrNotify
notify_of (const Value *word)
{
  return value_is (word, "NEVER")     ? PR_NOTIFY_NEVER
         : value_is (word, "SUCCESS") ? PR_NOTIFY_SUCCESS
         : value_is (word, "FAILURE") ? PR_NOTIFY_FAILURE
         : value_is (word, "DELAY")   ? PR_NOTIFY_DELAY
                                      : PR_NOTIFY_UNSET;
}

static PrVerdict
take_notify (Target *target, const Value *value)
{
  const char *end = value->text + value->len;
  const char *comma;
  PrNotify notify = PR_NOTIFY_UNSET;

  for (const char *p = value->text; p != NULL; p = comma != NULL ? comma + 1 : NULL)
    {
      comma = memchr (p, ',', end - p);
      Value word = { p, (comma != NULL ? comma : end) - p, TRUE };
      PrNotify one = notify_of (&word);

      /* Each at most once, NEVER alone (RFC 3461 §4.1). */
      if (one == PR_NOTIFY_UNSET || (notify & (one | PR_NOTIFY_NEVER)) != 0 ||
          (one == PR_NOTIFY_NEVER && notify != PR_NOTIFY_UNSET))
        return BAD ("NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY");
      notify |= one;
    }

  target->recipient->notify = notify;
  return PR_ACCEPT;
}

/* RFC 6533 §3: with SMTPUTF8 the address may be in UTF-8 as it is. */
static gboolean
is_utf8_original (const Target *target, const Value *type, const char *text, gsize len)
{
  if (!target->smtputf8 || !value_is (type, "utf-8") || !g_utf8_validate (text, len, NULL))
    return FALSE;

  for (const char *p = text; p < text + len; p = g_utf8_next_char (p))
    if (*p == ' ' || *p == '+' || *p == '=' || g_unichar_iscntrl (g_utf8_get_char (p)))
      return FALSE;

  return TRUE;
}

static gboolean
is_atom (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-' && text[i] != '_')
      return FALSE;

  return len > 0;
}

static PrVerdict
take_orcpt (Target *target, const Value *value)
{
  const char *semicolon = memchr (value->text, ';', value->len);
  const char *original = semicolon != NULL ? semicolon + 1 : NULL;
  Value type = { value->text, semicolon != NULL ? semicolon - value->text : 0, TRUE };
  gsize len = original != NULL ? value->text + value->len - original : 0;

  if (value->len > MAX_ORCPT || !is_atom (type.text, type.len) || len == 0 ||
      !(is_xtext (original, len) || is_utf8_original (target, &type, original, len)))
    return BAD ("ORCPT needs a type and an address in xtext: rfc822;user@example.org");

  target->recipient->orcpt = g_strndup (value->text, value->len);
  return PR_ACCEPT;
}

static const Param mail_params[] = {
  { "SIZE", take_size },
  { "BODY", take_body },
  { "SMTPUTF8", take_smtputf8 },
  { "RET", take_ret },
  { "ENVID", take_envid },
  { "AUTH", take_auth },
  { "REQUIRETLS", take_requiretls },
};

static const Param rcpt_params[] = {
  { "NOTIFY", take_notify },
  { "ORCPT", take_orcpt },
};

static PrVerdict
take_param (const Param *params, guint n_params, guint *seen, Target *target, const char *key,
            gsize key_len, const Value *value)
{
  for (guint i = 0; i < n_params; i++)
    {
      if (strlen (params[i].key) != key_len ||
          g_ascii_strncasecmp (params[i].key, key, key_len) != 0)
        continue;
      if ((*seen & 1u << i) != 0)
        return BAD ("A parameter is given twice");

      *seen |= 1u << i;
      return params[i].take (target, value);
    }

  return PR_REFUSE (555, "5.5.4", "A parameter is not known here");
}

static PrVerdict
parse (const Param *params, guint n_params, Target *target, const char *p, const char *end)
{
  guint seen = 0;

  for (;;)
    {
      PrVerdict verdict;
      const char *stop, *equals;

      while (p < end && (*p == ' ' || *p == '\t'))
        p++;
      if (p == end)
        return PR_ACCEPT;

      for (stop = p; stop < end && *stop != ' ' && *stop != '\t';)
        stop++;
      equals = memchr (p, '=', stop - p);

      Value value = { equals != NULL ? equals + 1 : stop, equals != NULL ? stop - equals - 1 : 0,
                      equals != NULL };
      verdict = take_param (params, n_params, &seen, target, p,
                            (equals != NULL ? equals : stop) - p, &value);
      if (verdict.kind != PR_VERDICT_ACCEPT)
        return verdict;
      p = stop;
    }
}

PrVerdict
pr_mail_params_parse (const char *text, const char *end, PrEnvelope *envelope)
{
  Target target = { .envelope = envelope };

  return parse (mail_params, G_N_ELEMENTS (mail_params), &target, text, end);
}

PrVerdict
pr_rcpt_params_parse (const char *text, const char *end, gboolean smtputf8, PrRecipient *recipient)
{
  Target target = { .recipient = recipient, .smtputf8 = smtputf8 };

  return parse (rcpt_params, G_N_ELEMENTS (rcpt_params), &target, text, end);
}
