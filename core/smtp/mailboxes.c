/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   list:   entry, entry, …      entry: [words] <address>  |  address  |  words: list;
 *
 * An entry is gathered up to the character that tells what it is; comments go, quoted strings and
 * literals stay whole.
 */
#include "smtp/mailboxes.h"

#include <string.h>

#include "smtp/address.h"

#define MAX_DEPTH 32 /* of comments in each other */

typedef struct
{
  const char *at;
  GString *text;    /* the entry so far, without comments */
  GPtrArray *found; /* borrowed */
  gboolean in_group;
} Parser;

/* Over "(…)", which may hold others. FALSE: it has no end. */
static gboolean
skip_comment (Parser *self)
{
  guint depth = 0;

  for (; *self->at != '\0'; self->at++)
    {
      if (*self->at == '\\' && self->at[1] != '\0')
        self->at++;
      else if (*self->at == '(' && ++depth > MAX_DEPTH)
        return FALSE;
      else if (*self->at == ')' && --depth == 0)
        {
          self->at++;
          return TRUE;
        }
    }
  return FALSE;
}

/* From a quote or bracket to its end, as it stands. */
static gboolean
take_quoted (Parser *self, char end)
{
  g_string_append_c (self->text, *self->at++);
  for (; *self->at != '\0' && *self->at != end; self->at++)
    {
      if (*self->at == '\\' && self->at[1] != '\0')
        g_string_append_c (self->text, *self->at++);
      g_string_append_c (self->text, *self->at);
    }
  if (*self->at != end)
    return FALSE;
  g_string_append_c (self->text, *self->at++);
  return TRUE;
}

/* Gathers up to one of @stops or the end. */
static gboolean
gather (Parser *self, const char *stops)
{
  g_string_truncate (self->text, 0);
  while (*self->at != '\0' && strchr (stops, *self->at) == NULL)
    {
      gboolean ok = TRUE;

      if (*self->at == '(')
        ok = skip_comment (self);
      else if (*self->at == '"')
        ok = take_quoted (self, '"');
      else if (*self->at == '[')
        ok = take_quoted (self, ']');
      else if (strchr (")]>\\", *self->at) != NULL ||
               (g_ascii_iscntrl (*self->at) && *self->at != '\t'))
        ok = FALSE;
      else
        g_string_append_c (self->text, *self->at++);
      if (!ok)
        return FALSE;
    }
  g_strstrip (self->text->str);
  g_string_set_size (self->text, strlen (self->text->str));
  return TRUE;
}

static gboolean
take_address (Parser *self)
{
  char *address = NULL;
  const char *fault;

  if (!pr_address_parse (self->text->str, &address, &fault))
    return FALSE;
  g_ptr_array_add (self->found, address);
  return TRUE;
}

/* An @ outside of quotes would make an address of a display name. */
static gboolean
is_phrase (const char *text)
{
  gboolean quoted = FALSE;

  for (; *text != '\0'; text++)
    {
      if (quoted && *text == '\\' && text[1] != '\0')
        text++;
      else if (*text == '"')
        quoted = !quoted;
      else if (!quoted && (*text == '@' || *text == '['))
        return FALSE;
    }
  return !quoted;
}

/* "words <address>", at the bracket. */
static gboolean
take_angle (Parser *self)
{
  if (!is_phrase (self->text->str))
    return FALSE;
  self->at++;
  if (!gather (self, "<>,;:") || *self->at != '>' || !take_address (self))
    return FALSE;
  self->at++;
  return gather (self, "<>,;:@") && self->text->len == 0 &&
         (*self->at == '\0' || *self->at == ',' || *self->at == ';');
}

static gboolean
begin_group (Parser *self)
{
  if (self->in_group || self->text->len == 0 || !is_phrase (self->text->str))
    return FALSE;
  self->in_group = TRUE;
  self->at++;
  return TRUE;
}

static gboolean
end_group (Parser *self)
{
  if (!self->in_group)
    return FALSE;
  self->in_group = FALSE;
  self->at++;
  return gather (self, "<>,;:@") && self->text->len == 0 && (*self->at == '\0' || *self->at == ',');
}

static gboolean
take_entry (Parser *self)
{
  if (!gather (self, "<,;:"))
    return FALSE;
  if (*self->at == ':')
    return begin_group (self);
  if (*self->at == '<')
    {
      if (!take_angle (self))
        return FALSE;
    }
  else if (self->text->len > 0 && !take_address (self))
    return FALSE;
  if (*self->at == ';' && !end_group (self))
    return FALSE;
  if (*self->at == ',')
    self->at++;
  return TRUE;
}

gboolean
pr_mailboxes_parse (const char *value, GPtrArray *out)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Parser self = { .at = value, .text = text, .found = out };

  while (*self.at != '\0')
    if (!take_entry (&self))
      return FALSE;
  return !self.in_group;
}

char *
pr_mailbox_key (const char *address)
{
  const char *domain = pr_address_domain (address);
  g_autofree char *ascii = pr_domain_to_ascii (domain);
  g_autofree char *local = g_utf8_casefold (address, domain - address);

  return g_strconcat (local, ascii != NULL ? ascii : domain, NULL);
}
