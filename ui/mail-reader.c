/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question at a time: texts whose place is known go before the next piece of the message.
 *
 *   piece ─► outline ─► a text is there (ended, or more of it than is shown) ─► read it ─┐
 *     ▲                                                                                   │
 *     └──────────────── until the outline is known, or the message ends ◄─────────────────┘
 */

#include "mail-reader.h"

#include <string.h>

#include "mail-decode.h"

#define PIECE (256 * 1024)   /* octets: as much as ReadSource gives */
#define FIRST (32 * 1024)    /* the first piece, so that most messages are there at once */
#define MAX_TEXT (64 * 1024) /* octets of one text, as encoded */
#define MAX_TEXTS 8

struct _PrMailReader
{
  PrService *service;        /* owned */
  GCancellable *cancellable; /* owned */
  char *id;                  /* owned */
  PrMailReaderChanged changed;
  gpointer user_data;

  PrMailOutline *outline; /* owned */
  GString *text;
  char *error;    /* owned, nullable */
  guint64 offset; /* how far the outline knows */
  guint next;     /* the part that is looked at for text next */
  guint n_texts;
  guint plain; /* the alternative whose plain text was taken */
  gboolean last, done, cut, html;
};

static void read_on (PrMailReader *self);

/* The next part to be read as text, if it is there; passes others. (nullable) (transfer none) */
static const PrMailPart *
find_text (PrMailReader *self)
{
  GPtrArray *parts = pr_mail_outline_get_parts (self->outline);

  for (; self->next < parts->len; self->next++)
    {
      const PrMailPart *part = parts->pdata[self->next];
      gboolean plain = g_str_equal (part->type, "text/plain");
      gboolean readable = plain || g_str_equal (part->type, "text/html");

      if (part->attachment || !readable ||
          (part->alternative != 0 && part->alternative == self->plain))
        continue;
      if (!part->ended && part->size_octets < MAX_TEXT)
        return NULL;
      if (self->n_texts >= MAX_TEXTS)
        {
          self->cut = TRUE;
          return NULL;
        }
      return part;
    }

  return NULL;
}

/* An alternative that says nothing leaves the word to the next one. */
static void
take_text (PrMailReader *self, const PrMailPart *part, const char *data, gsize size)
{
  g_autofree char *text = pr_mail_part_to_text (part, data, size);

  self->next++;
  g_strchomp (text);
  if (*text == '\0')
    return;

  self->n_texts++;
  self->html = self->html || g_str_equal (part->type, "text/html");
  self->cut = self->cut || part->size_octets > MAX_TEXT;
  if (part->alternative != 0)
    self->plain = part->alternative;
  if (self->text->len > 0)
    g_string_append (self->text, "\n\n");
  g_string_append (self->text, text);
}

static void
fail (PrMailReader *self, const GError *error)
{
  self->error = g_strdup (error->message);
  self->done = TRUE;
  self->changed (self->user_data);
}

/* What was answered: (transfer none) octets; NULL: the reader is gone, or it was told so. */
static GVariant *
finish (GObject *source, GAsyncResult *result, PrMailReader *self, gboolean *last)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return NULL;
  if (answer == NULL)
    {
      fail (self, error);
      return NULL;
    }

  g_variant_get_child (answer, 1, "b", last);
  return g_variant_get_child_value (answer, 0);
}

static void
on_text (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrMailReader *self = user_data;
  gboolean last;
  g_autoptr (GVariant) octets = finish (source, result, self, &last);
  gsize size;
  const char *data;

  if (octets == NULL)
    return;

  data = g_variant_get_fixed_array (octets, &size, 1);
  take_text (self, pr_mail_outline_get_parts (self->outline)->pdata[self->next], data, size);
  self->changed (self->user_data);
  read_on (self);
}

/* Parts that began and parts that ended. */
static guint
count_known (PrMailReader *self)
{
  GPtrArray *parts = pr_mail_outline_get_parts (self->outline);
  guint n = parts->len;

  for (guint i = 0; i < parts->len; i++)
    n += ((const PrMailPart *) parts->pdata[i])->ended;

  return n;
}

static void
on_piece (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrMailReader *self = user_data;
  g_autoptr (GVariant) octets = finish (source, result, self, &self->last);
  gsize size;
  const char *data;
  guint known;

  if (octets == NULL)
    return;

  known = count_known (self);

  data = g_variant_get_fixed_array (octets, &size, 1);
  self->last = self->last || size == 0;
  self->offset += size;
  pr_mail_outline_feed (self->outline, data, size, self->last);
  if (count_known (self) != known)
    self->changed (self->user_data);
  read_on (self);
}

static void
ask (PrMailReader *self, guint64 offset, guint length, GAsyncReadyCallback callback)
{
  pr_service_call (self->service, "Queue1", "ReadSource",
                   g_variant_new ("(stu)", self->id, offset, length), "(ayb)", self->cancellable,
                   callback, self);
}

static void
read_on (PrMailReader *self)
{
  const PrMailPart *text = find_text (self);

  if (text != NULL && text->size_octets == 0)
    {
      self->next++;
      read_on (self);
    }
  else if (text != NULL)
    ask (self, text->offset, (guint) MIN (text->size_octets, MAX_TEXT), on_text);
  else if (!self->last &&
           !(pr_mail_outline_is_known (self->outline) && self->offset >= 2 * MAX_TEXT))
    ask (self, self->offset, self->offset == 0 ? FIRST : PIECE, on_piece);
  else
    {
      self->done = TRUE;
      self->changed (self->user_data);
    }
}

PrMailReader *
pr_mail_reader_new (PrService *service, const char *id, PrMailReaderChanged changed,
                    gpointer user_data)
{
  PrMailReader *self = g_new0 (PrMailReader, 1);

  self->service = g_object_ref (service);
  self->cancellable = g_cancellable_new ();
  self->id = g_strdup (id);
  self->changed = changed;
  self->user_data = user_data;
  self->outline = pr_mail_outline_new ();
  self->text = g_string_new (NULL);
  read_on (self);
  return self;
}

void
pr_mail_reader_free (PrMailReader *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  g_object_unref (self->service);
  pr_mail_outline_free (self->outline);
  g_string_free (self->text, TRUE);
  g_free (self->error);
  g_free (self->id);
  g_free (self);
}

PrMailOutline *
pr_mail_reader_get_outline (PrMailReader *self)
{
  return self->outline;
}

const char *
pr_mail_reader_get_text (PrMailReader *self)
{
  return self->text->str;
}

gboolean
pr_mail_reader_is_cut (PrMailReader *self)
{
  return self->cut;
}

gboolean
pr_mail_reader_was_html (PrMailReader *self)
{
  return self->html;
}

gboolean
pr_mail_reader_is_done (PrMailReader *self)
{
  return self->done;
}

const char *
pr_mail_reader_get_error (PrMailReader *self)
{
  return self->error;
}
