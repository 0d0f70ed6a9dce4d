/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edits a key file line by line, as a person would. */

#include "control/conf.h"

#include <string.h>

/* Without blanks around it. (transfer full) */
static char *
strip (const char *line)
{
  return g_strstrip (g_strdup (line));
}

static gboolean
is_header (const char *line)
{
  while (g_ascii_isspace (*line))
    line++;
  return *line == '[';
}

static gboolean
is_header_of (const char *line, const char *group)
{
  g_autofree char *bare = strip (line);
  gsize len = strlen (bare);

  return len >= 2 && bare[0] == '[' && bare[len - 1] == ']' && strlen (group) == len - 2 &&
         strncmp (bare + 1, group, len - 2) == 0;
}

static gboolean
is_key (const char *line, const char *key)
{
  const char *equals = strchr (line, '=');
  g_autofree char *name = equals != NULL ? g_strndup (line, (gsize) (equals - line)) : NULL;

  return name != NULL && g_str_equal (g_strstrip (name), key);
}

static gboolean
says_something (const char *line)
{
  while (g_ascii_isspace (*line))
    line++;
  return *line != '\0' && *line != '#';
}

/* The lines [*start, *end) of @group: its header and all that says something. */
static gboolean
find_group (char **lines, const char *group, guint *start, guint *end)
{
  guint i = 0;

  while (lines[i] != NULL && !is_header_of (lines[i], group))
    i++;
  if (lines[i] == NULL)
    return FALSE;

  *start = i;
  *end = i + 1;
  for (i++; lines[i] != NULL && !is_header (lines[i]); i++)
    if (says_something (lines[i]))
      *end = i + 1;
  return TRUE;
}

static char *
append_group (const char *text, const char *group, const char *key, const char *value)
{
  gsize len = strlen (text);
  const char *gap = len == 0 ? "" : text[len - 1] == '\n' ? "\n" : "\n\n";

  return g_strdup_printf ("%s%s[%s]\n%s=%s\n", text, gap, group, key, value);
}

char *
pr_conf_set (const char *text, const char *group, const char *key, const char *value)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint start, end, at;

  if (!find_group (lines, group, &start, &end))
    return append_group (text, group, key, value);

  for (at = start + 1; at < end && !is_key (lines[at], key); at++)
    ;
  if (at < end)
    {
      g_free (lines[at]);
      lines[at] = g_strdup_printf ("%s=%s", key, value);
    }
  else
    {
      char *header = lines[start];

      lines[start] = g_strdup_printf ("%s\n%s=%s", header, key, value);
      g_free (header);
    }

  return g_strjoinv ("\n", lines);
}

char *
pr_conf_unset (const char *text, const char *group, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  guint start, end;

  if (!find_group (lines, group, &start, &end))
    return g_strdup (text);

  for (guint i = 0; lines[i] != NULL; i++)
    if (i <= start || i >= end || !is_key (lines[i], key))
      g_ptr_array_add (kept, lines[i]);
  g_ptr_array_add (kept, NULL);

  return g_strjoinv ("\n", (char **) kept->pdata);
}

char *
pr_conf_rename (const char *text, const char *group, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint start, end;

  if (find_group (lines, name, &start, &end) || !find_group (lines, group, &start, &end))
    return NULL;

  g_free (lines[start]);
  lines[start] = g_strdup_printf ("[%s]", name);
  return g_strjoinv ("\n", lines);
}

/* The first line of the comment right above the line @at, or @at. */
static guint
find_comment (char **lines, guint at)
{
  while (at > 0 && *lines[at - 1] == '#')
    at--;
  return at;
}

/* Takes the lines [@start, @end) and one empty line behind them out of @lines. */
static void
take_out (GPtrArray *lines, guint start, guint end)
{
  gboolean gap = end < lines->len && *(const char *) lines->pdata[end] == '\0';

  g_ptr_array_remove_range (lines, start, end - start + (gap ? 1 : 0));
}

char *
pr_conf_move (const char *text, const char *group, const char *before)
{
  g_autofree char *ended = g_strconcat (text, g_str_has_suffix (text, "\n") ? "" : "\n", NULL);
  g_auto (GStrv) lines = g_strsplit (ended, "\n", -1);
  g_autoptr (GPtrArray) moved = g_ptr_array_new ();
  guint count = g_strv_length (lines) - 1; /* behind the last line's end there is nothing */
  guint start, end, at = count, unused;

  if (!find_group (lines, group, &start, &end) ||
      (before != NULL && !find_group (lines, before, &at, &unused)))
    return NULL;
  start = find_comment (lines, start);
  if (before != NULL)
    at = find_comment (lines, at);
  if (at >= start && at <= end)
    return g_strdup (text);

  for (guint i = 0; i < count; i++)
    g_ptr_array_add (moved, lines[i]);
  take_out (moved, start, end);
  if (at > start)
    at -= count - moved->len;
  while (moved->len > at && *(const char *) moved->pdata[moved->len - 1] == '\0')
    g_ptr_array_set_size (moved, (int) moved->len - 1);
  if (at > 0 && *(const char *) moved->pdata[at - 1] != '\0')
    g_ptr_array_insert (moved, (int) at++, (char *) "");
  if (at < moved->len)
    g_ptr_array_insert (moved, (int) at, (char *) "");
  for (guint i = start; i < end; i++)
    g_ptr_array_insert (moved, (int) at++, lines[i]);
  g_ptr_array_add (moved, (char *) "");
  g_ptr_array_add (moved, NULL);

  return g_strjoinv ("\n", (char **) moved->pdata);
}

char *
pr_conf_remove (const char *text, const char *group)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  guint start, end;

  if (!find_group (lines, group, &start, &end))
    return NULL;

  /* One blank line goes with it. */
  if (lines[end] != NULL && lines[end + 1] != NULL && *lines[end] == '\0' &&
      (start == 0 || *lines[start - 1] == '\0'))
    end++;
  for (guint i = 0; lines[i] != NULL; i++)
    if (i < start || i >= end)
      g_ptr_array_add (kept, lines[i]);
  g_ptr_array_add (kept, NULL);

  return g_strjoinv ("\n", (char **) kept->pdata);
}

char *
pr_conf_escape (const char *value)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize len = strlen (value);

  for (gsize i = 0; i < len; i++)
    if (value[i] == '\\')
      g_string_append (text, "\\\\");
    else if (value[i] == ' ' && (i == 0 || i == len - 1))
      g_string_append (text, "\\s");
    else
      g_string_append_c (text, value[i]);

  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
pr_conf_is_name (const char *name)
{
  if (*name == '\0' || !g_utf8_validate (name, -1, NULL) || g_ascii_isspace (*name) ||
      g_ascii_isspace (name[strlen (name) - 1]))
    return FALSE;
  for (const char *p = name; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) || *p == '[' || *p == ']')
      return FALSE;
  return TRUE;
}
