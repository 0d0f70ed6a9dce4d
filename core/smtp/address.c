/* SPDX-License-Identifier: GPL-3.0-or-later */

/* address.c: paths and addresses of RFC 5321 §4.1.2 and RFC 6531 §3.3, to canonical form.
 *
 *   < @a,@b: local-part @ domain >
 *     ~~~~~~               ~~~~~~ name, U-labels or [literal]
 *     source route, dropped
 *
 * The local part is unquoted into a buffer as it is read and quoted again only where it must be;
 * the domain is copied in lower case. One allocation for a usual address: the result. */

#include "smtp/address.h"

#include <gio/gio.h>
#include <idn2.h>
#include <string.h>

#define MAX_LABEL 63      /* RFC 1035 §2.3.4 */
#define MAX_HOST_NAME 253 /* 255 octets on the wire are 253 in text */

typedef struct
{
  const char *p, *end;
  PrPathFlags flags;
  gboolean bare;     /* no "<": the path ends at a space or at the end */
  const char *fault; /* static */
  char local[PR_ADDRESS_MAX_LOCAL * 2 + 4];
  gsize n_local;
  gboolean needs_quotes;
  char domain[PR_ADDRESS_MAX_DOMAIN + 1];
  gsize n_domain;
} Parser;

static gboolean
fail (Parser *self, const char *fault)
{
  self->fault = fault;
  return FALSE;
}

static gboolean
at_end (const Parser *self)
{
  return self->p == self->end;
}

static gboolean
looking_at (const Parser *self, char c)
{
  return self->p < self->end && *self->p == c;
}

static gboolean
is_atext (char c)
{
  return g_ascii_isalnum (c) || (c & 0x80) != 0 ||
         (c != '\0' && strchr ("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static gboolean
is_ascii (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((text[i] & 0x80) != 0)
      return FALSE;

  return TRUE;
}

/* What a person, a log and a header can show: valid UTF-8 without control characters. */
static gboolean
is_clean_utf8 (const char *text, gsize len)
{
  if (!g_utf8_validate (text, len, NULL))
    return FALSE;

  for (const char *p = text; p < text + len; p = g_utf8_next_char (p))
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return FALSE;

  return TRUE;
}

static gboolean
add_local (Parser *self, char c)
{
  if (self->n_local == PR_ADDRESS_MAX_LOCAL)
    return fail (self, "The part before @ is longer than 64 octets");

  self->local[self->n_local++] = c;
  return TRUE;
}

static gboolean
parse_quoted (Parser *self)
{
  self->p++;

  while (!at_end (self) && *self->p != '"')
    {
      if (*self->p == '\\' && ++self->p == self->end)
        break;
      if ((guchar) *self->p < ' ' || *self->p == 0x7f)
        return fail (self, "The part before @ contains a control character");
      if (!is_atext (*self->p) && *self->p != '.')
        self->needs_quotes = TRUE;
      if (!add_local (self, *self->p++))
        return FALSE;
    }

  if (at_end (self))
    return fail (self, "The quoted part before @ has no closing quote");

  self->p++;
  return TRUE;
}

/* Dot-string; a lenient one may hold what should have been quoted. */
static gboolean
parse_unquoted (Parser *self)
{
  while (!at_end (self) && strchr ("@<> \t\"", *self->p) == NULL)
    {
      if ((guchar) *self->p < ' ' || *self->p == 0x7f)
        return fail (self, "The part before @ contains a control character");

      if (!is_atext (*self->p) && *self->p != '.')
        {
          if ((self->flags & PR_PATH_LENIENT) == 0)
            return fail (self, "The part before @ contains a character that needs quotes");
          self->needs_quotes = TRUE;
        }

      if (!add_local (self, *self->p++))
        return FALSE;
    }

  return TRUE;
}

/* Whether the dots of the unquoted local part make it no Dot-string. */
static gboolean
has_misplaced_dots (const Parser *self)
{
  return self->n_local == 0 || self->local[0] == '.' || self->local[self->n_local - 1] == '.' ||
         g_strstr_len (self->local, self->n_local, "..") != NULL;
}

/* Puts the quotes back: "a\"b" and "a..b" cannot go without. */
static gboolean
quote_local (Parser *self)
{
  char plain[PR_ADDRESS_MAX_LOCAL];
  gsize n_plain = self->n_local;

  memcpy (plain, self->local, n_plain);
  self->n_local = 0;
  self->local[self->n_local++] = '"';
  for (gsize i = 0; i < n_plain; i++)
    {
      if (plain[i] == '"' || plain[i] == '\\')
        self->local[self->n_local++] = '\\';
      self->local[self->n_local++] = plain[i];
    }
  self->local[self->n_local++] = '"';

  return self->n_local <= PR_ADDRESS_MAX_LOCAL ||
         fail (self, "The part before @ is longer than 64 octets");
}

static gboolean
parse_local (Parser *self)
{
  gboolean quoted = looking_at (self, '"');

  if (!(quoted ? parse_quoted (self) : parse_unquoted (self)))
    return FALSE;
  if (!quoted && self->n_local == 0)
    return fail (self, "There is nothing before @");
  if (!is_ascii (self->local, self->n_local) && !is_clean_utf8 (self->local, self->n_local))
    return fail (self, "The part before @ is not valid UTF-8");

  if (has_misplaced_dots (self))
    {
      if (!quoted && (self->flags & PR_PATH_LENIENT) == 0)
        return fail (self, "The part before @ has a dot at its start, at its end, or two in a row");
      self->needs_quotes = TRUE;
    }

  return !self->needs_quotes || quote_local (self);
}

static gboolean
copy_ascii_domain (Parser *self, const char *text, gsize len)
{
  gsize label = 0;

  if (len > PR_ADDRESS_MAX_DOMAIN)
    return fail (self, "The domain is longer than 255 octets");

  for (gsize i = 0; i < len; i++)
    {
      gboolean ends = i + 1 == len || text[i + 1] == '.';

      if (text[i] == '.')
        {
          if (label == 0)
            return fail (self, "The domain has an empty label");
          label = 0;
        }
      else if (text[i] == '-' && (label == 0 || ends))
        return fail (self, "A label of the domain starts or ends with a hyphen");
      else if (g_ascii_isalnum (text[i]) || text[i] == '-' ||
               (text[i] == '_' && (self->flags & PR_PATH_LENIENT) != 0))
        label++;
      else if ((text[i] & 0x80) != 0)
        return fail (self, "The international domain name is not valid");
      else
        return fail (self, "The domain may hold letters, digits, hyphens and dots only");

      if (label > MAX_LABEL)
        return fail (self, "A label of the domain is longer than 63 octets");
      self->domain[i] = g_ascii_tolower (text[i]);
    }

  self->n_domain = len;
  return label > 0 || fail (self, "The domain has an empty label");
}

/* To A-labels and back: validates by IDNA 2008, folds case and forms (UTS 46). */
static gboolean
copy_international_domain (Parser *self, const char *text, gsize len)
{
  g_autofree char *name = g_strndup (text, len);
  const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES;
  char *ascii = NULL;
  char *unicode = NULL;
  gboolean ok = FALSE;

  if (is_clean_utf8 (text, len) &&
      idn2_lookup_u8 ((const uint8_t *) name, (uint8_t **) &ascii, flags) == IDN2_OK &&
      copy_ascii_domain (self, ascii, strlen (ascii)) &&
      idn2_to_unicode_8z8z (ascii, &unicode, 0) == IDN2_OK)
    {
      self->n_domain = strlen (unicode);
      ok = self->n_domain <= PR_ADDRESS_MAX_DOMAIN && is_clean_utf8 (unicode, self->n_domain);
      if (ok)
        memcpy (self->domain, unicode, self->n_domain);
    }

  idn2_free (ascii);
  idn2_free (unicode);

  return ok || fail (self, "The international domain name is not valid");
}

static gboolean
copy_domain (Parser *self, const char *text, gsize len)
{
  if (len > 0 && text[len - 1] == '.' && (self->flags & PR_PATH_LENIENT) != 0)
    len--;
  if (len == 0)
    return fail (self, "There is no domain behind @");

  return is_ascii (text, len) ? copy_ascii_domain (self, text, len)
                              : copy_international_domain (self, text, len);
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]", RFC 5321 §4.1.3. Other tags have no registered use. */
static gboolean
parse_literal (Parser *self)
{
  const char *close = memchr (self->p, ']', self->end - self->p);
  g_autofree char *inner = NULL;
  g_autofree char *canonical = NULL;
  g_autoptr (GInetAddress) ip = NULL;
  gboolean v6;
  const char *text;

  if (close == NULL)
    return fail (self, "The address in brackets has no closing bracket");

  inner = g_strndup (self->p + 1, close - self->p - 1);
  v6 = g_ascii_strncasecmp (inner, "IPv6:", 5) == 0;
  text = v6 ? inner + 5 : inner;
  if (strspn (text, v6 ? "0123456789abcdefABCDEF:." : "0123456789.") == strlen (text))
    ip = g_inet_address_new_from_string (text);
  if (ip == NULL || (g_inet_address_get_family (ip) == G_SOCKET_FAMILY_IPV6) != v6)
    return fail (self, "The address in brackets is neither [IPv4] nor [IPv6:address]");

  canonical = g_inet_address_to_string (ip);
  self->n_domain =
    g_snprintf (self->domain, sizeof self->domain, "[%s%s]", v6 ? "IPv6:" : "", canonical);
  self->p = close + 1;
  return TRUE;
}

static gboolean
parse_domain (Parser *self)
{
  const char *start = self->p;

  if (looking_at (self, '['))
    return parse_literal (self);

  while (!at_end (self) && *self->p != '>' && *self->p != ' ' && *self->p != '\t')
    self->p++;

  return copy_domain (self, start, self->p - start);
}

/* "@a,@b:" (RFC 5321 appendix C): must be accepted, should be ignored. The names in it are only
 * looked at as far as is needed to find its end. */
static gboolean
skip_source_route (Parser *self)
{
  while (looking_at (self, '@'))
    {
      self->p++;
      if (looking_at (self, '[') && !parse_literal (self))
        return FALSE;
      while (!at_end (self) && strchr (",:> \t", *self->p) == NULL)
        self->p++;
      if (looking_at (self, ','))
        {
          self->p++;
          if (!looking_at (self, '@'))
            return fail (self, "The source route is not complete");
        }
      else if (looking_at (self, ':'))
        {
          self->p++;
          self->n_domain = 0;
          return TRUE;
        }
      else
        return fail (self, "The source route has no colon behind it");
    }

  return TRUE;
}

static void
skip_spaces (Parser *self)
{
  while (looking_at (self, ' ') || looking_at (self, '\t'))
    self->p++;
}

static gboolean
is_postmaster (const Parser *self)
{
  return (self->flags & PR_PATH_RECIPIENT) != 0 && self->n_local == strlen ("postmaster") &&
         g_ascii_strncasecmp (self->local, "postmaster", self->n_local) == 0;
}

static gboolean
parse_mailbox (Parser *self)
{
  if (!skip_source_route (self) || !parse_local (self))
    return FALSE;

  if (!looking_at (self, '@'))
    {
      if (!is_postmaster (self))
        return fail (self, "The address has no @ and domain");
      memcpy (self->local, "postmaster", self->n_local);
      return TRUE;
    }

  self->p++;
  if (!parse_domain (self))
    return FALSE;

  if (self->n_local + 1 + self->n_domain + 2 > PR_ADDRESS_MAX_PATH)
    return fail (self, "The address is longer than 254 octets");

  return TRUE;
}

static char *
join (const Parser *self)
{
  char *address;

  if (self->n_domain == 0)
    return g_strndup (self->local, self->n_local);

  address = g_malloc (self->n_local + 1 + self->n_domain + 1);
  memcpy (address, self->local, self->n_local);
  address[self->n_local] = '@';
  memcpy (address + self->n_local + 1, self->domain, self->n_domain);
  address[self->n_local + 1 + self->n_domain] = '\0';

  return address;
}

static gboolean
parse_path (Parser *self)
{
  gboolean lenient = (self->flags & PR_PATH_LENIENT) != 0;

  if (looking_at (self, '<'))
    self->p++;
  else if (!lenient || at_end (self))
    return fail (self, "The address must stand in angle brackets: <user@example.org>");
  else
    self->bare = TRUE;

  if (lenient)
    skip_spaces (self);

  if (!self->bare && looking_at (self, '>'))
    {
      self->p++;
      return (self->flags & PR_PATH_SENDER) != 0 ||
             fail (self, "There is no address between the brackets");
    }

  if (!parse_mailbox (self))
    return FALSE;

  if (self->bare)
    return at_end (self) || *self->p == ' ' || *self->p == '\t' ||
           fail (self, "Something follows the address that is not part of it");

  if (lenient)
    skip_spaces (self);
  if (!looking_at (self, '>'))
    return fail (self, at_end (self) ? "The closing angle bracket is missing"
                                     : "Something follows the domain that is not part of it");

  self->p++;
  return TRUE;
}

gboolean
pr_path_parse (const char *text, gsize len, PrPathFlags flags, char **address, const char **end,
               const char **fault)
{
  /* The buffers need no initial value, and clearing them would cost more than the parsing. */
  Parser self;

  self.p = text;
  self.end = text + len;
  self.flags = flags;
  self.bare = self.needs_quotes = FALSE;
  self.fault = NULL;
  self.n_local = self.n_domain = 0;

  if (!parse_path (&self))
    {
      *fault = self.fault;
      return FALSE;
    }

  *address = join (&self);
  *end = self.p;
  return TRUE;
}

gboolean
pr_address_parse (const char *text, char **address, const char **fault)
{
  Parser self = { .p = text, .end = text + strlen (text) };

  if (!looking_at (&self, '@') && parse_mailbox (&self) &&
      (at_end (&self) || fail (&self, "Something follows the domain that is not part of it")))
    {
      *address = join (&self);
      return TRUE;
    }

  *fault = self.fault != NULL ? self.fault : "There is nothing before @";
  return FALSE;
}

const char *
pr_address_domain (const char *address)
{
  /* The last one: an "@" in a quoted local part stands before it, in a domain there is none. */
  const char *at = strrchr (address, '@');

  return at != NULL ? at + 1 : "";
}

char *
pr_domain_to_ascii (const char *domain)
{
  const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES;
  char *ascii = NULL;
  char *copy;

  if (domain[0] == '\0' || domain[0] == '[')
    return NULL;
  if (!pr_address_is_utf8 (domain))
    return g_ascii_strdown (domain, -1);
  if (!g_utf8_validate (domain, -1, NULL) ||
      idn2_lookup_u8 ((const uint8_t *) domain, (uint8_t **) &ascii, flags) != IDN2_OK)
    return NULL;

  copy = g_strdup (ascii);
  idn2_free (ascii);
  return copy;
}

gboolean
pr_address_is_utf8 (const char *address)
{
  for (const char *p = address; *p != '\0'; p++)
    if ((*p & 0x80) != 0)
      return TRUE;

  return FALSE;
}

gboolean
pr_host_name_is_valid (const char *name)
{
  Parser self = { 0 };
  gsize len = strlen (name);

  return len > 0 && len <= MAX_HOST_NAME && copy_ascii_domain (&self, name, len);
}
