/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pass over the page: tags change what is written, none is obeyed. */

#include "html-text.h"

#include <string.h>

#define MAX_LINK 500 /* octets; a longer one is cut */

typedef struct
{
  const char *at;
  GString *out;
  char *link;      /* owned, nullable: of the <a> that is open */
  gsize link_from; /* where its text begins in `out` */
  gboolean space;  /* one is due before the next word */
  guint preformatted;
} Page;

/* What stands between these tags is not for people. */
static const char *const skipped[] = { "script", "style", "title", "template", NULL };

/* A line ends before and behind these; a paragraph at those with two. */
static const struct
{
  const char *name;
  guint lines;
} blocks[] = {
  { "address", 1 }, { "article", 2 }, { "blockquote", 2 }, { "dd", 1 },   { "div", 1 },
  { "dl", 2 },      { "dt", 1 },      { "footer", 2 },     { "form", 2 }, { "h1", 2 },
  { "h2", 2 },      { "h3", 2 },      { "h4", 2 },         { "h5", 2 },   { "h6", 2 },
  { "header", 2 },  { "hr", 2 },      { "li", 1 },         { "ol", 2 },   { "p", 2 },
  { "pre", 2 },     { "section", 2 }, { "table", 2 },      { "tr", 1 },   { "ul", 2 },
};

static const struct
{
  const char *name, *text;
} entities[] = {
  { "amp", "&" },    { "lt", "<" },     { "gt", ">" },     { "quot", "\"" },  { "apos", "'" },
  { "nbsp", " " },   { "copy", "©" },   { "reg", "®" },    { "trade", "™" },  { "euro", "€" },
  { "pound", "£" },  { "hellip", "…" }, { "mdash", "—" },  { "ndash", "–" },  { "lsquo", "‘" },
  { "rsquo", "’" },  { "ldquo", "“" },  { "rdquo", "”" },  { "bull", "•" },   { "middot", "·" },
  { "laquo", "«" },  { "raquo", "»" },  { "auml", "ä" },   { "ouml", "ö" },   { "uuml", "ü" },
  { "Auml", "Ä" },   { "Ouml", "Ö" },   { "Uuml", "Ü" },   { "szlig", "ß" },  { "eacute", "é" },
  { "egrave", "è" }, { "agrave", "à" }, { "ccedil", "ç" }, { "ntilde", "ñ" }, { "times", "×" },
  { "deg", "°" },    { "zwnj", "" },    { "shy", "" },
};

/* ── Writing ──────────────────────────────────────────────────────────────────────────────── */

static void
add_text (Page *self, const char *text)
{
  if (*text == '\0')
    return;
  if (self->space && self->out->len > 0 && self->out->str[self->out->len - 1] != '\n')
    g_string_append_c (self->out, ' ');
  self->space = FALSE;
  g_string_append (self->out, text);
}

/* The text ends in at least @n line ends, but for its beginning. */
static void
end_lines (Page *self, guint n)
{
  guint there = 0;

  self->space = FALSE;
  while (there < self->out->len && self->out->str[self->out->len - 1 - there] == '\n')
    there++;
  for (; self->out->len > there && there < n; there++)
    g_string_append_c (self->out, '\n');
}

/* ── Entities ─────────────────────────────────────────────────────────────────────────────── */

static void
add_character (Page *self, guint64 code)
{
  char text[8] = { 0 };
  gboolean fine = code < 0x110000 && g_unichar_validate ((gunichar) code) &&
                  !g_unichar_iscntrl ((gunichar) code) &&
                  g_unichar_type ((gunichar) code) != G_UNICODE_FORMAT;

  if (code == 0xa0 || code == '\n' || code == '\t')
    self->space = TRUE;
  else if (fine)
    {
      g_unichar_to_utf8 ((gunichar) code, text);
      add_text (self, text);
    }
}

/* At "&"; passes what it takes. */
static void
take_entity (Page *self)
{
  const char *name = self->at + 1;
  gsize n = strspn (name, "#0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

  if (n > 0 && n < 12 && name[n] == ';')
    {
      self->at = name + n + 1;
      if (*name == '#')
        {
          gboolean hex = name[1] == 'x' || name[1] == 'X';

          add_character (self, g_ascii_strtoull (name + (hex ? 2 : 1), NULL, hex ? 16 : 10));
          return;
        }
      for (guint i = 0; i < G_N_ELEMENTS (entities); i++)
        if (strlen (entities[i].name) == n && strncmp (entities[i].name, name, n) == 0)
          {
            if (g_str_equal (entities[i].text, " "))
              self->space = TRUE;
            else
              add_text (self, entities[i].text);
            return;
          }
      self->at = name;
    }
  else
    self->at = name;
  add_text (self, "&");
}

/* ── Tags ─────────────────────────────────────────────────────────────────────────────────── */

/* (transfer full) (nullable): the value of @name within a tag. */
static char *
find_attribute (const char *tag, const char *end, const char *name)
{
  gsize n = strlen (name);

  for (const char *at = tag; at + n < end; at++)
    {
      const char *value, *stop;

      if ((at[0] != ' ' && at[0] != '\n' && at[0] != '\t' && at[0] != '\r') ||
          g_ascii_strncasecmp (at + 1, name, n) != 0 || at + 1 + n >= end)
        continue;
      value = at + 1 + n;
      while (value < end && g_ascii_isspace (*value))
        value++;
      if (value >= end || *value != '=')
        continue;
      do
        value++;
      while (value < end && g_ascii_isspace (*value));
      if (value < end && (*value == '"' || *value == '\''))
        {
          stop = memchr (value + 1, *value, (gsize) (end - value - 1));
          return stop != NULL ? g_strndup (value + 1, (gsize) (stop - value - 1)) : NULL;
        }
      for (stop = value; stop < end && !g_ascii_isspace (*stop);)
        stop++;
      return g_strndup (value, (gsize) (stop - value));
    }

  return NULL;
}

static void
open_link (Page *self, const char *tag, const char *end)
{
  g_autofree char *link = find_attribute (tag, end, "href");

  g_clear_pointer (&self->link, g_free);
  if (link == NULL ||
      (g_ascii_strncasecmp (link, "http:", 5) != 0 && g_ascii_strncasecmp (link, "https:", 6) != 0))
    return;
  g_strdelimit (link, "\n\r\t ", '_');
  if (strlen (link) > MAX_LINK)
    {
      link[MAX_LINK] = '\0';
      self->link = g_utf8_make_valid (link, -1);
    }
  else
    self->link = g_steal_pointer (&link);
  self->link_from = self->out->len;
}

static void
close_link (Page *self)
{
  g_autofree char *link = g_steal_pointer (&self->link);

  if (link == NULL || self->link_from > self->out->len)
    return;
  if (strstr (self->out->str + self->link_from, link) != NULL)
    return;
  self->space = TRUE;
  add_text (self, "<");
  g_string_append (self->out, link);
  g_string_append_c (self->out, '>');
}

static void
obey (Page *self, const char *name, gboolean closes, const char *tag, const char *end)
{
  if (g_str_equal (name, "br"))
    {
      self->space = FALSE;
      if (self->out->len > 0)
        g_string_append_c (self->out, '\n');
    }
  else if (g_str_equal (name, "a") && closes)
    close_link (self);
  else if (g_str_equal (name, "a"))
    open_link (self, tag, end);
  else if (g_str_equal (name, "td") || g_str_equal (name, "th"))
    self->space = TRUE;
  else if (g_str_equal (name, "img"))
    {
      g_autofree char *words = find_attribute (tag, end, "alt");

      if (words != NULL)
        add_text (self, g_strstrip (words));
    }
  if (g_str_equal (name, "pre"))
    self->preformatted = !closes;
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    if (g_str_equal (name, blocks[i].name))
      end_lines (self, blocks[i].lines);
  if (g_str_equal (name, "li") && !closes)
    add_text (self, "• ");
}

/* Behind the tag that closes @name, or the end. */
static const char *
find_close (const char *at, const char *name)
{
  gsize n = strlen (name);

  while ((at = strstr (at, "</")) != NULL)
    {
      at += 2;
      if (g_ascii_strncasecmp (at, name, n) == 0 && !g_ascii_isalnum (at[n]))
        return at + strcspn (at, ">") + (strchr (at, '>') != NULL);
    }

  return NULL;
}

/* The end of the tag that begins at @at: a ">" that no quotes hold. NULL: there is none. */
static const char *
find_end (const char *at)
{
  char quote = '\0';

  for (; *at != '\0'; at++)
    if (quote != '\0')
      quote = *at == quote ? '\0' : quote;
    else if (*at == '>')
      return at;
    else if ((*at == '"' || *at == '\'') && at[-1] == '=')
      quote = *at;

  return NULL;
}

/* At "<"; passes what it takes. */
static void
take_tag (Page *self)
{
  const char *tag = self->at + 1, *end;
  gboolean closes = *tag == '/';
  g_autofree char *name = NULL;
  gsize n;

  if (g_str_has_prefix (tag, "!--"))
    {
      end = strstr (tag + 3, "-->");
      self->at = end != NULL ? end + 3 : tag + strlen (tag);
      return;
    }
  if (!closes && *tag != '!' && *tag != '?' && !g_ascii_isalpha (*tag))
    {
      add_text (self, "<");
      self->at = tag;
      return;
    }

  end = find_end (tag);
  if (end == NULL)
    end = strchr (tag, '>'); /* a quote that nobody closed */
  self->at = end != NULL ? end + 1 : tag + strlen (tag);
  if (end == NULL)
    return;
  tag += closes;
  for (n = 0; n < 16 && g_ascii_isalnum (tag[n]);)
    n++;
  name = g_ascii_strdown (tag, (gssize) n);
  if (!closes && g_strv_contains (skipped, name))
    {
      const char *behind = find_close (self->at, name);

      self->at = behind != NULL ? behind : self->at + strlen (self->at);
    }
  obey (self, name, closes, tag, end);
}

char *
pr_html_to_text (const char *html)
{
  Page page = { .at = html, .out = g_string_new (NULL) };

  while (*page.at != '\0')
    {
      gsize n = strcspn (page.at, "<& \t\r\n");

      if (n > 0)
        {
          g_autofree char *word = g_strndup (page.at, n);

          add_text (&page, word);
          page.at += n;
        }
      else if (*page.at == '<')
        take_tag (&page);
      else if (*page.at == '&')
        take_entity (&page);
      else
        {
          if (page.preformatted && *page.at != '\r')
            g_string_append_c (page.out, *page.at);
          else
            page.space = TRUE;
          page.at++;
        }
    }
  g_free (page.link);
  return g_strchomp (g_string_free (page.out, FALSE));
}
