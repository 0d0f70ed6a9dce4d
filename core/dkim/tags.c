/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of tags (RFC 6376 §3.2). */

#include "dkim/tags.h"

#include <string.h>

#define BLANKS " \t\r\n"
#define MAX_DIGITS 12

typedef struct
{
  char *name, *value; /* owned */
  gsize offset, len;  /* of the value with its blanks */
} Tag;

struct _PrTags
{
  GArray *tags; /* of Tag */
};

static void
clear_tag (gpointer tag)
{
  Tag *self = tag;

  g_free (self->name);
  g_free (self->value);
}

void
pr_tags_free (PrTags *self)
{
  g_array_unref (self->tags);
  g_free (self);
}

static const Tag *
find_tag (const PrTags *self, const char *name)
{
  for (guint i = 0; i < self->tags->len; i++)
    if (strcmp (g_array_index (self->tags, Tag, i).name, name) == 0)
      return &g_array_index (self->tags, Tag, i);

  return NULL;
}

static gboolean
is_name (const char *name)
{
  if (!g_ascii_isalpha (*name))
    return FALSE;
  for (name++; *name != '\0'; name++)
    if (!g_ascii_isalnum (*name) && *name != '_')
      return FALSE;

  return TRUE;
}

/* Octets above 127 may be in addresses (RFC 8616). */
static gboolean
is_value (const char *value)
{
  for (; *value != '\0'; value++)
    if ((guchar) *value < ' ' && strchr (BLANKS, *value) == NULL)
      return FALSE;

  return TRUE;
}

static char *
dup_stripped (const char *text, gsize len)
{
  return g_strstrip (g_strndup (text, len));
}

static gboolean
take_tag (PrTags *self, const char *text, gsize offset, gsize len)
{
  const char *equals = memchr (text + offset, '=', len);
  gsize name_len = equals != NULL ? (gsize) (equals - text) - offset : len;
  Tag tag = { .name = dup_stripped (text + offset, name_len) };

  if (equals != NULL)
    {
      tag.offset = offset + name_len + 1;
      tag.len = len - name_len - 1;
      tag.value = dup_stripped (text + tag.offset, tag.len);
    }
  if (equals == NULL || self->tags->len >= PR_TAGS_MAX || !is_name (tag.name) ||
      !is_value (tag.value) || find_tag (self, tag.name) != NULL)
    {
      clear_tag (&tag);
      return FALSE;
    }

  g_array_append_val (self->tags, tag);
  return TRUE;
}

static gboolean
is_blank (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (text[i] == '\0' || strchr (BLANKS, text[i]) == NULL)
      return FALSE;

  return TRUE;
}

PrTags *
pr_tags_parse (const char *text, gsize len)
{
  g_autoptr (PrTags) self = g_new0 (PrTags, 1);
  gsize offset = 0;

  self->tags = g_array_new (FALSE, FALSE, sizeof (Tag));
  g_array_set_clear_func (self->tags, clear_tag);
  if (memchr (text, '\0', len) != NULL)
    return NULL;

  while (offset < len)
    {
      const char *end = memchr (text + offset, ';', len - offset);
      gsize tag_len = end != NULL ? (gsize) (end - text) - offset : len - offset;

      if (end == NULL && is_blank (text + offset, tag_len))
        break; /* behind the last semicolon */
      if (!take_tag (self, text, offset, tag_len))
        return NULL;
      offset += tag_len + 1;
    }

  return self->tags->len > 0 ? g_steal_pointer (&self) : NULL;
}

const char *
pr_tags_get (const PrTags *self, const char *name)
{
  const Tag *tag = find_tag (self, name);

  return tag != NULL ? tag->value : NULL;
}

const char *
pr_tags_get_name (const PrTags *self, guint index)
{
  return index < self->tags->len ? g_array_index (self->tags, Tag, index).name : NULL;
}

gboolean
pr_tags_find (const PrTags *self, const char *name, gsize *offset, gsize *len)
{
  const Tag *tag = find_tag (self, name);

  if (tag == NULL)
    return FALSE;

  *offset = tag->offset;
  *len = tag->len;
  return TRUE;
}

GBytes *
pr_tags_get_base64 (const PrTags *self, const char *name)
{
  const char *value = pr_tags_get (self, name);
  g_autoptr (GString) packed = NULL;
  guchar *data;
  gsize len;

  if (value == NULL)
    return NULL;

  packed = g_string_sized_new (strlen (value));
  for (; *value != '\0'; value++)
    if (g_ascii_isalnum (*value) || strchr ("+/=", *value) != NULL)
      g_string_append_c (packed, *value);
    else if (strchr (BLANKS, *value) == NULL)
      return NULL;
  if (packed->len % 4 != 0)
    return NULL;

  data = g_base64_decode (packed->str, &len);
  return g_bytes_new_take (data, len);
}

gboolean
pr_tags_get_number (const PrTags *self, const char *name, guint64 *number)
{
  const char *value = pr_tags_get (self, name);
  gsize len = value != NULL ? strlen (value) : 0;

  if (len == 0 || len > MAX_DIGITS || strspn (value, "0123456789") != len)
    return FALSE;

  *number = g_ascii_strtoull (value, NULL, 10);
  return TRUE;
}

gboolean
pr_tags_has_word (const PrTags *self, const char *name, const char *word, gboolean missing)
{
  const char *value = pr_tags_get (self, name);
  g_auto (GStrv) words = NULL;

  if (value == NULL)
    return missing;

  words = g_strsplit (value, ":", -1);
  for (guint i = 0; words[i] != NULL; i++)
    if (g_ascii_strcasecmp (g_strstrip (words[i]), word) == 0)
      return TRUE;

  return FALSE;
}
