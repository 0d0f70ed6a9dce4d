/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/sts-policy.h"

#include <string.h>

#include "common/error.h"

#define MAX_POLICY_OCTETS (64 * 1024) /* RFC 8461 §3.3 */
#define MAX_PATTERNS 100
#define MAX_NAME 253
#define MAX_ID 32
#define MAX_FIELD 32
#define MAX_AGE_DIGITS 10
#define MAX_AGE_S 31557600 /* §3.2 */
#define VERSION "STSv1"

static const char *const mode_words[] = {
  [PR_STS_NONE] = "none",
  [PR_STS_TESTING] = "testing",
  [PR_STS_ENFORCE] = "enforce",
};

/* A field's name in both (§3.1, §3.2): letters and digits, then also "_", "-", ".". */
static gboolean
is_field_name (const char *name, gsize len)
{
  if (len == 0 || len > MAX_FIELD || !g_ascii_isalnum (*name))
    return FALSE;
  for (gsize i = 1; i < len; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("_-.", name[i]) == NULL)
      return FALSE;
  return TRUE;
}

/* ── The record ───────────────────────────────────────────────────────────────────────────── */

static gboolean
is_id (const char *text)
{
  gsize len = strlen (text);

  if (len == 0 || len > MAX_ID)
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text))
      return FALSE;
  return TRUE;
}

/* Visible, but for "=" and ";" (§3.1, sts-ext-value). */
static gboolean
is_record_value (const char *text)
{
  if (*text == '\0')
    return FALSE;
  for (; *text != '\0'; text++)
    if (*text <= ' ' || *text > '~' || *text == '=')
      return FALSE;
  return TRUE;
}

/* "v=STSv1; id=20160831085700Z;" */
static char *
read_record (const char *text)
{
  g_auto (GStrv) fields = g_strsplit (text, ";", -1);
  g_autofree char *id = NULL;

  for (guint i = 1; fields[i] != NULL; i++)
    {
      char *field = g_strstrip (fields[i]);
      char *value = strchr (field, '=');

      if (*field == '\0' && fields[i + 1] == NULL) /* the last may end in ";" */
        break;
      if (value == NULL || !is_field_name (field, (gsize) (value - field)) ||
          !is_record_value (value + 1))
        return NULL;
      if (!g_str_has_prefix (field, "id="))
        continue;
      if (!is_id (value + 1))
        return NULL;
      if (id == NULL) /* the first counts */
        id = g_strdup (value + 1);
    }
  return g_steal_pointer (&id);
}

static gboolean
is_of_version (const char *text)
{
  const char *rest = text + strlen ("v=" VERSION);

  if (!g_str_has_prefix (text, "v=" VERSION))
    return FALSE;
  return rest[strspn (rest, " \t")] == ';';
}

char *
pr_sts_find_id (GPtrArray *texts)
{
  const char *record = NULL;

  for (guint i = 0; i < texts->len; i++)
    {
      if (!is_of_version (texts->pdata[i]))
        continue;
      if (record != NULL)
        return NULL;
      record = texts->pdata[i];
    }
  return record != NULL ? read_record (record) : NULL;
}

/* ── The policy ───────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  char *version, *mode, *max_age; /* owned, nullable: the first counts */
  GPtrArray *mx;                  /* owned, of char */
} Fields;

static void
clear_fields (Fields *fields)
{
  g_free (fields->version);
  g_free (fields->mode);
  g_free (fields->max_age);
  g_ptr_array_unref (fields->mx);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fields, clear_fields)

/* The whole policy is refused for one line that is wrong: what it meant cannot be known. */
static gboolean
fault (GError **error, const char *what, const char *value)
{
  g_autofree char *shown = g_strndup (value, 100);
  g_autofree char *valid = g_utf8_make_valid (shown, -1);

  g_set_error (error, PR_ERROR, PR_ERROR_PROTOCOL, "%s: \"%s\"", what, valid);
  return FALSE;
}

static gboolean
is_name (const char *name)
{
  gsize len = strlen (name);

  if (len == 0 || len > MAX_NAME || name[0] == '.' || name[len - 1] == '.' ||
      strstr (name, "..") != NULL)
    return FALSE;
  return strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

static gboolean
take_pattern (Fields *fields, const char *value, GError **error)
{
  g_autofree char *pattern = g_ascii_strdown (value, -1);

  if (!is_name (g_str_has_prefix (pattern, "*.") ? pattern + 2 : pattern))
    return fault (error, "the policy names a server that cannot be", value);
  if (fields->mx->len >= MAX_PATTERNS)
    return fault (error, "the policy names too many servers", value);
  g_ptr_array_add (fields->mx, g_steal_pointer (&pattern));
  return TRUE;
}

static void
take_first (char **field, const char *value)
{
  if (*field == NULL)
    *field = g_strdup (value);
}

/* @line: without its end. */
static gboolean
take_line (Fields *fields, char *line, GError **error)
{
  char *colon = strchr (line, ':');
  const char *value;

  if (colon == NULL || !is_field_name (line, (gsize) (colon - line)))
    return fault (error, "the policy has a line that is none", line);
  *colon = '\0';
  value = g_strstrip (colon + 1);
  for (const char *p = value; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return fault (error, "the policy has a line that is none", line);
  if (strcmp (line, "mx") == 0)
    return take_pattern (fields, value, error);
  if (strcmp (line, "version") == 0)
    take_first (&fields->version, value);
  else if (strcmp (line, "mode") == 0)
    take_first (&fields->mode, value);
  else if (strcmp (line, "max_age") == 0)
    take_first (&fields->max_age, value);
  return TRUE; /* others are of a later time (§3.2) */
}

static gboolean
read_lines (Fields *fields, const char *text, gsize len, GError **error)
{
  g_autofree char *copy = g_strndup (text, len);
  char *line = copy;

  while (*line != '\0')
    {
      char *next = line + strcspn (line, "\n");
      gsize size;

      if (*next == '\n')
        *next++ = '\0';
      size = strlen (line);
      if (size > 0 && line[size - 1] == '\r')
        line[size - 1] = '\0';
      if (*line != '\0' && !take_line (fields, line, error))
        return FALSE;
      line = next;
    }
  return TRUE;
}

static gboolean
read_mode (const char *word, PrStsMode *mode)
{
  for (guint i = 0; i < G_N_ELEMENTS (mode_words); i++)
    if (word != NULL && strcmp (word, mode_words[i]) == 0)
      {
        *mode = (PrStsMode) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
read_age (const char *digits, guint64 *age_s)
{
  gsize len = digits != NULL ? strlen (digits) : 0;

  if (len == 0 || len > MAX_AGE_DIGITS || strspn (digits, "0123456789") != len)
    return FALSE;
  *age_s = MIN (g_ascii_strtoull (digits, NULL, 10), MAX_AGE_S);
  return TRUE;
}

static const char *
or_nothing (const char *value)
{
  return value != NULL ? value : "";
}

PrStsPolicy *
pr_sts_policy_parse (const char *text, gsize len, GError **error)
{
  g_auto (Fields) fields = { .mx = g_ptr_array_new_with_free_func (g_free) };
  g_autoptr (PrStsPolicy) self = g_new0 (PrStsPolicy, 1);
  gboolean right = FALSE;

  self->refs = 1;

  if (len > MAX_POLICY_OCTETS || memchr (text, '\0', len) != NULL)
    g_set_error (error, PR_ERROR, PR_ERROR_PROTOCOL, "this is too long for a policy, or no text");
  else if (!read_lines (&fields, text, len, error))
    right = FALSE;
  else if (g_strcmp0 (fields.version, VERSION) != 0)
    fault (error, "the policy is of another version", or_nothing (fields.version));
  else if (!read_mode (fields.mode, &self->mode))
    fault (error, "the policy has no mode that is known", or_nothing (fields.mode));
  else if (!read_age (fields.max_age, &self->max_age_s))
    fault (error, "the policy does not say for how long it holds", or_nothing (fields.max_age));
  else if (fields.mx->len == 0 && self->mode != PR_STS_NONE)
    fault (error, "the policy names no server", "");
  else
    right = TRUE;
  if (!right)
    return NULL;

  g_ptr_array_add (fields.mx, NULL);
  self->mx = g_strdupv ((char **) fields.mx->pdata);
  return g_steal_pointer (&self);
}

PrStsPolicy *
pr_sts_policy_ref (PrStsPolicy *self)
{
  self->refs++;
  return self;
}

void
pr_sts_policy_unref (PrStsPolicy *self)
{
  if (--self->refs > 0)
    return;
  g_strfreev (self->mx);
  g_free (self);
}

/* "*" stands for one label, the first (§4.1). */
static gboolean
matches (const char *pattern, const char *host)
{
  const char *dot = strchr (host, '.');

  if (!g_str_has_prefix (pattern, "*."))
    return g_ascii_strcasecmp (pattern, host) == 0;
  return dot != NULL && dot != host && g_ascii_strcasecmp (pattern + 1, dot) == 0;
}

gboolean
pr_sts_policy_names (const PrStsPolicy *self, const char *host)
{
  for (guint i = 0; self->mx[i] != NULL; i++)
    if (matches (self->mx[i], host))
      return TRUE;
  return FALSE;
}

char *
pr_sts_policy_to_text (const PrStsPolicy *self)
{
  g_autoptr (GString) text = g_string_new ("version: " VERSION "\n");

  g_string_append_printf (text, "mode: %s\nmax_age: %" G_GUINT64_FORMAT "\n",
                          mode_words[self->mode], self->max_age_s);
  for (guint i = 0; self->mx[i] != NULL; i++)
    g_string_append_printf (text, "mx: %s\n", self->mx[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
