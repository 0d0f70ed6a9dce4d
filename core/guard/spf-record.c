/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads an SPF record (RFC 7208 §4.6.1, §12). A fault anywhere spoils the whole record, so all of
 * it is read before any of it counts. */

#include "guard/spf-private.h"

#include <string.h>

#define VERSION "v=spf1"

static const struct
{
  const char *name;
  gboolean takes_domain, needs_domain, takes_bits;
} mechanisms[] = {
  [SPF_ALL] = { "all", FALSE, FALSE, FALSE }, [SPF_INCLUDE] = { "include", TRUE, TRUE, FALSE },
  [SPF_A] = { "a", TRUE, FALSE, TRUE },       [SPF_MX] = { "mx", TRUE, FALSE, TRUE },
  [SPF_PTR] = { "ptr", TRUE, FALSE, FALSE },  [SPF_IP4] = { "ip4", TRUE, TRUE, TRUE },
  [SPF_IP6] = { "ip6", TRUE, TRUE, TRUE },    [SPF_EXISTS] = { "exists", TRUE, TRUE, FALSE },
};

static void
term_free (gpointer term)
{
  PrSpfTerm *self = term;

  g_free (self->text);
  g_free (self->domain);
  g_free (self);
}

void
pr_spf_record_free (PrSpfRecord *self)
{
  g_ptr_array_unref (self->terms);
  g_free (self->redirect);
  g_free (self->exp);
  g_free (self);
}

/* "0", or digits without a zero before them, up to @max. */
static gboolean
read_bits (const char *text, guint max, guint *bits)
{
  gsize len = strlen (text);

  if (len == 0 || len > 3 || strspn (text, "0123456789") != len || (text[0] == '0' && len > 1))
    return FALSE;

  *bits = (guint) g_ascii_strtoull (text, NULL, 10);
  return *bits <= max;
}

/* Cuts "/24", "//64" or "/24//64" off the end of @text. */
static gboolean
take_bits (char *text, PrSpfTerm *term)
{
  char *end = text + strlen (text), *slash = strrchr (text, '/');
  gboolean dual;

  if (slash == NULL || strspn (slash + 1, "0123456789") != (gsize) (end - slash - 1))
    return TRUE;

  dual = slash > text && slash[-1] == '/';
  if (!dual && term->kind != SPF_IP6)
    {
      *slash = '\0';
      return read_bits (slash + 1, 32, &term->bits4);
    }
  if (dual && (term->kind == SPF_IP4 || term->kind == SPF_IP6))
    return FALSE;
  if (!read_bits (slash + 1, 128, &term->bits6))
    return FALSE;
  slash[dual ? -1 : 0] = '\0';
  if (!dual)
    return TRUE;

  end = strrchr (text, '/');
  if (end == NULL || end[1] == '\0' || strspn (end + 1, "0123456789") != strlen (end + 1))
    return TRUE;
  *end = '\0';
  return read_bits (end + 1, 32, &term->bits4);
}

/* What is behind the colon. */
static gboolean
take_argument (const char *argument, PrSpfTerm *term)
{
  if (term->kind == SPF_IP4)
    return strchr (argument, ':') == NULL && pr_ip_parse (argument, &term->ip);
  if (term->kind == SPF_IP6)
    return strchr (argument, ':') != NULL && pr_ip_parse (argument, &term->ip);

  if (!pr_spf_macro_check_domain (argument))
    return FALSE;
  term->domain = g_strdup (argument);
  return TRUE;
}

static gboolean
read_mechanism (const char *text, PrSpfTerm *term)
{
  gsize len;
  g_autofree char *rest = NULL;

  term->text = g_strdup (text);
  switch (*text)
    {
    case '-': term->result = PR_SPF_FAIL; break;
    case '~': term->result = PR_SPF_SOFTFAIL; break;
    case '?': term->result = PR_SPF_NEUTRAL; break;
    default: term->result = PR_SPF_PASS; break;
    }
  if (strchr ("+-~?", *text) != NULL)
    text++;

  len = strcspn (text, ":/");
  for (term->kind = 0; term->kind < G_N_ELEMENTS (mechanisms); term->kind++)
    if (strlen (mechanisms[term->kind].name) == len &&
        g_ascii_strncasecmp (mechanisms[term->kind].name, text, len) == 0)
      break;
  if (term->kind == G_N_ELEMENTS (mechanisms))
    return FALSE;

  term->bits4 = 32;
  term->bits6 = 128;
  rest = g_strdup (text + len);
  if (mechanisms[term->kind].takes_bits && !take_bits (rest, term))
    return FALSE;
  if (rest[0] == '\0')
    return !mechanisms[term->kind].needs_domain;

  return rest[0] == ':' && mechanisms[term->kind].takes_domain && take_argument (rest + 1, term);
}

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
static gboolean
is_modifier_name (const char *name, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum (name[i]) && (i == 0 || strchr ("-_.", name[i]) == NULL))
      return FALSE;

  return len > 0 && g_ascii_isalpha (name[0]);
}

static gboolean
read_modifier (PrSpfRecord *self, const char *text, gsize name_len)
{
  const char *value = text + name_len + 1;
  char **place = NULL;

  if (!is_modifier_name (text, name_len))
    return FALSE;

  if (name_len == strlen ("redirect") && g_ascii_strncasecmp (text, "redirect", name_len) == 0)
    place = &self->redirect;
  else if (name_len == strlen ("exp") && g_ascii_strncasecmp (text, "exp", name_len) == 0)
    place = &self->exp;
  if (place == NULL)
    return pr_spf_macro_check (value, FALSE); /* unknown ones are ignored (§6) */

  if (*place != NULL || !pr_spf_macro_check_domain (value))
    return FALSE;
  *place = g_strdup (value);
  return TRUE;
}

static gboolean
read_term (PrSpfRecord *self, const char *text)
{
  gsize len = strcspn (text, ":/=");
  PrSpfTerm *term;

  if (text[len] == '=')
    return read_modifier (self, text, len);

  term = g_new0 (PrSpfTerm, 1);
  g_ptr_array_add (self->terms, term);
  return read_mechanism (text, term);
}

PrSpfRecord *
pr_spf_record_parse (const char *text)
{
  g_autoptr (PrSpfRecord) self = g_new0 (PrSpfRecord, 1);
  g_auto (GStrv) terms = g_strsplit (text + strlen (VERSION), " ", -1);

  self->terms = g_ptr_array_new_with_free_func (term_free);
  for (guint i = 0; terms[i] != NULL; i++)
    if (*terms[i] != '\0' && !read_term (self, terms[i]))
      return NULL;

  return g_steal_pointer (&self);
}
