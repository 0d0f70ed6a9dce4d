/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups, keys and values of a key file, with every fault named. */
#include "config/section.h"

#include <string.h>

#include "common/redact.h"

#define MAX_FAULTS 100
#define MAX_FAULT_OCTETS 1000
#define MAX_ENTRIES 100 /* of one group; none has nearly as many */

typedef struct
{
  GPtrArray *sections; /* borrowed */
  GHashTable *names;   /* owned: name → PrSection; both borrowed */
  PrSection *current;  /* borrowed; NULL before the first group and in one that is skipped */
  char *group;         /* owned, nullable: the group the line stands in, right or wrong */
  guint line;
  PrFaults *faults;
} Scanner;

gboolean
pr_faults_are_full (const PrFaults *self)
{
  return self->lines->len > MAX_FAULTS;
}

void
pr_faults_add (PrFaults *self, const char *group, const char *key, const char *format, ...)
{
  g_autofree char *text = NULL;
  GString *line;
  va_list args;

  if (pr_faults_are_full (self))
    return;
  if (self->lines->len == MAX_FAULTS)
    {
      g_ptr_array_add (self->lines, g_strdup_printf ("%s: there are more faults", self->file));
      return;
    }

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  line = g_string_new (NULL);
  pr_append_printable (line, self->file, strlen (self->file));
  g_string_append (line, ": ");
  if (group != NULL)
    {
      g_string_append_c (line, '[');
      pr_append_printable (line, group, MIN (strlen (group), MAX_FAULT_OCTETS));
      g_string_append (line, key != NULL ? "] " : "]: ");
    }
  if (key != NULL)
    {
      pr_append_printable (line, key, MIN (strlen (key), MAX_FAULT_OCTETS));
      g_string_append (line, ": ");
    }
  pr_append_printable (line, text, MIN (strlen (text), MAX_FAULT_OCTETS));
  g_ptr_array_add (self->lines, g_string_free (line, FALSE));
}

static void
add_line_fault (Scanner *self, const char *text)
{
  g_autofree char *line = g_strdup_printf ("line %u", self->line);

  pr_faults_add (self->faults, self->group, line, "%s", text);
}

static void
section_free (gpointer data)
{
  PrSection *self = data;

  g_free (self->name);
  g_array_unref (self->entries);
  g_free (self);
}

static void
entry_clear (gpointer data)
{
  PrEntry *self = data;

  g_free (self->key);
  g_free (self->value);
}

/* In place, as GKeyFile does it. */
static gboolean
unescape (char *value)
{
  static const char codes[] = "sntr\\;", octets[] = " \n\t\r\\;";
  char *out = value;

  for (const char *in = value; *in != '\0'; in++)
    {
      const char *code;

      if (*in != '\\')
        {
          *out++ = *in;
          continue;
        }
      code = in[1] != '\0' ? strchr (codes, in[1]) : NULL;
      if (code == NULL)
        return FALSE;
      *out++ = octets[code - codes];
      in++;
    }
  *out = '\0';
  return TRUE;
}

/* "route   a" and "route a" are one name. */
static char *
normalise_name (const char *text, gsize len)
{
  g_autofree char *name = g_strstrip (g_strndup (text, len));
  gsize word = strcspn (name, " \t");

  if (name[word] == '\0')
    return g_steal_pointer (&name);
  name[word] = '\0';
  return g_strconcat (name, " ", name + word + 1 + strspn (name + word + 1, " \t"), NULL);
}

static void
read_group (Scanner *self, const char *line, gsize len)
{
  g_clear_pointer (&self->group, g_free);
  self->current = NULL;
  if (line[len - 1] != ']' || len < 3)
    {
      add_line_fault (self, "a group is written as [name]");
      return;
    }
  self->group = normalise_name (line + 1, len - 2);
  if (self->group[0] == '\0' || strpbrk (self->group, "[]") != NULL)
    {
      add_line_fault (self, "a group is written as [name]");
      return;
    }
  if (g_hash_table_contains (self->names, self->group))
    {
      pr_faults_add (self->faults, self->group, NULL, "this group appears twice");
      return;
    }
  self->current = g_new0 (PrSection, 1);
  self->current->name = g_strdup (self->group);
  self->current->entries = g_array_new (FALSE, FALSE, sizeof (PrEntry));
  g_array_set_clear_func (self->current->entries, entry_clear);
  g_ptr_array_add (self->sections, self->current);
  g_hash_table_insert (self->names, self->current->name, self->current);
}

static gboolean
has_key (const PrSection *section, const char *key)
{
  for (guint i = 0; i < section->entries->len; i++)
    if (strcmp (g_array_index (section->entries, PrEntry, i).key, key) == 0)
      return TRUE;
  return FALSE;
}

static void
read_entry (Scanner *self, const char *line, gsize len)
{
  const char *equals = memchr (line, '=', len);
  g_autofree char *key = NULL, *value = NULL;

  if (equals == NULL || equals == line)
    {
      add_line_fault (self, "neither a [group] nor key=value nor a # comment");
      return;
    }
  key = g_strstrip (g_strndup (line, (gsize) (equals - line)));
  value = g_strstrip (g_strndup (equals + 1, (gsize) (line + len - equals - 1)));
  if (self->group == NULL)
    {
      add_line_fault (self, "the key stands before the first [group]");
      return;
    }
  if (self->current == NULL) /* its group has been complained about */
    return;
  if (self->current->entries->len >= MAX_ENTRIES)
    pr_faults_add (self->faults, self->group, key, "there are too many keys in this group");
  else if (has_key (self->current, key))
    pr_faults_add (self->faults, self->group, key, "this key appears twice");
  else if (!unescape (value))
    pr_faults_add (self->faults, self->group, key, "a backslash is written as \\\\");
  else
    {
      PrEntry entry = { g_steal_pointer (&key), g_steal_pointer (&value) };

      g_array_append_val (self->current->entries, entry);
    }
}

static void
read_line (Scanner *self, const char *line, gsize len)
{
  self->line++;
  while (len > 0 && g_ascii_isspace (*line))
    {
      line++;
      len--;
    }
  while (len > 0 && g_ascii_isspace (line[len - 1]))
    len--;
  if (len == 0 || line[0] == '#')
    return;
  if (memchr (line, '\0', len) != NULL || !g_utf8_validate (line, (gssize) len, NULL))
    add_line_fault (self, "not text in UTF-8");
  else if (line[0] == '[')
    read_group (self, line, len);
  else
    read_entry (self, line, len);
}

GPtrArray *
pr_sections_parse (const char *text, gsize len, PrFaults *faults)
{
  Scanner self = { .faults = faults };
  const char *end = text + len;

  self.sections = g_ptr_array_new_with_free_func (section_free);
  self.names = g_hash_table_new (g_str_hash, g_str_equal);
  if (len >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0) /* some editors mark UTF-8 so */
    text += 3;
  while (text < end && !pr_faults_are_full (faults))
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));
      const char *line_end = newline != NULL ? newline : end;

      read_line (&self, text, (gsize) (line_end - text));
      text = line_end + 1;
    }
  g_hash_table_unref (self.names);
  g_free (self.group);
  return self.sections;
}
