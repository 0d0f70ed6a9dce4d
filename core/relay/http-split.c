/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One walk finds the parts that can be taken out, and where they lie; then the largest are chosen,
 * and what is left is copied around them.
 *
 *      … line end "--b" line end header empty line body │ line end "--b" …
 *        ▲ cut_from             ▲ header_from      ▲ body_from
 *        └────── all of this goes ──────────────────────┘ body_to
 */
#include "relay/http-split.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gmime/gmime.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "relay/mime-walk.h"

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif

#define PIECE_OCTETS (192 * 1024)
#define MIN_OCTETS (16 * 1024) /* what is smaller would not help */
#define MAX_PARTS 500          /* that are looked at */
#define MAX_NAME 200           /* octets */
#define MAX_FIELD 8192         /* of a field that is read */

/* In place of a message's only parts: a multipart must have one (RFC 2046 §5.1.1). */
#define EMPTY_PART "Content-Type: text/plain; charset=us-ascii\r\n\r\n"

typedef struct
{
  guint64 cut_from, header_from, body_from, body_to;
  PrMimeEncoding encoding;
  gboolean is_direct; /* a part of the message itself */
  gboolean is_chosen;
  PrHttpAttachment *attachment; /* owned, nullable */
} Part;

typedef struct
{
  PrHttpSplit *job;
  GPtrArray *parts; /* owned, of Part: those that can be taken out */
  guint64 offset;   /* of the message */
  guint n_direct;   /* parts of the message itself */
  gboolean is_sealed;

  /* Of the entity that is being read */
  guint entity; /* G_MAXUINT: none yet */
  Part part;
  char *type, *disposition, *content_id; /* owned, nullable: values of fields */
  gboolean is_wanted;
} Look;

static void
free_attachment (gpointer data)
{
  PrHttpAttachment *self = data;

  g_free (self->name);
  g_free (self->type);
  g_free (self->content_id);
  g_free (self);
}

static void
free_part (gpointer data)
{
  Part *self = data;

  g_clear_pointer (&self->attachment, free_attachment);
  g_free (self);
}

/* ── What it is ───────────────────────────────────────────────────────────────────────────── */

/* (transfer full): for people; a name may say anything. */
static char *
clean_name (const char *name)
{
  g_autofree char *valid = g_utf8_make_valid (name, -1);
  char *end;

  for (char *p = valid; *p != '\0'; p++)
    if ((guchar) *p < ' ' || *p == 0x7f || strchr ("/\\:*?\"<>|", *p) != NULL)
      *p = '_';
  if (strlen (valid) > MAX_NAME)
    {
      end = g_utf8_find_prev_char (valid, valid + MAX_NAME);
      *end = '\0';
    }
  g_strstrip (valid);
  return g_strdup (*valid != '\0' ? valid : "attachment");
}

/* (transfer full) (nullable): "<x@y>" without the brackets. */
static char *
clean_id (const char *value)
{
  g_autofree char *valid = value != NULL ? g_utf8_make_valid (value, -1) : NULL;
  gsize len = valid != NULL ? strlen (valid) : 0;

  if (len == 0)
    return NULL;
  if (valid[0] == '<' && valid[len - 1] == '>')
    return g_strndup (valid + 1, len - 2);
  return g_strdup (valid);
}

/* (transfer full): NULL: it is shown as text, so it is no attachment. */
static PrHttpAttachment *
describe (GMimeContentType *type, GMimeContentDisposition *disposition, const char *content_id)
{
  gboolean is_attached =
    disposition != NULL && g_mime_content_disposition_is_attachment (disposition);
  g_autofree char *mime_type = g_mime_content_type_get_mime_type (type);
  const char *name =
    disposition != NULL ? g_mime_content_disposition_get_parameter (disposition, "filename") : NULL;
  PrHttpAttachment *self;

  if (name == NULL)
    name = g_mime_content_type_get_parameter (type, "name");
  if (g_mime_content_type_is_type (type, "text", "*") && !is_attached && name == NULL)
    return NULL;
  self = g_new0 (PrHttpAttachment, 1);
  self->name = clean_name (name != NULL ? name : "attachment");
  self->type = g_utf8_make_valid (mime_type, -1);
  self->content_id = clean_id (content_id);
  self->is_inline = !is_attached && self->content_id != NULL;
  return self;
}

static PrHttpAttachment *
make_attachment (const Look *look)
{
  GMimeContentType *type =
    g_mime_content_type_parse (NULL, look->type != NULL ? look->type : "text/plain");
  GMimeContentDisposition *disposition =
    look->disposition != NULL ? g_mime_content_disposition_parse (NULL, look->disposition) : NULL;
  PrHttpAttachment *attachment = describe (type, disposition, look->content_id);

  g_object_unref (type);
  g_clear_object (&disposition);
  return attachment;
}

/* Something of it is signed or encrypted. */
static gboolean
seals (const char *value)
{
  static const char *const names[][2] = {
    { "multipart", "encrypted" },
    { "multipart", "signed" },
    { "application", "pkcs7-mime" },
    { "application", "x-pkcs7-mime" },
  };
  GMimeContentType *type = g_mime_content_type_parse (NULL, value);
  gboolean found = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    found |= g_mime_content_type_is_type (type, names[i][0], names[i][1]);
  g_object_unref (type);
  return found;
}

/* ── The walk ─────────────────────────────────────────────────────────────────────────────── */

static void
forget_fields (Look *look)
{
  g_clear_pointer (&look->type, g_free);
  g_clear_pointer (&look->disposition, g_free);
  g_clear_pointer (&look->content_id, g_free);
}

/* Its first octet, or its end where it has none, is here. */
static void
notice (Look *look, const PrMimeEntity *entity)
{
  if (look->entity == entity->index)
    return;
  look->entity = entity->index;
  forget_fields (look);
  look->part = (Part){
    .cut_from = look->offset - entity->n_delimiter_octets,
    .header_from = look->offset,
    .is_direct = entity->depth == 1 && entity->n_delimiter_octets > 0,
  };
  look->n_direct += look->part.is_direct;
}

/* (transfer full): unfolded. */
static char *
get_value (const char *text, gsize len, gsize name_len)
{
  const char *colon = memchr (text + name_len, ':', len - name_len);
  char *value = g_strndup (colon + 1, text + len - colon - 1);

  for (char *p = value; *p != '\0'; p++)
    if (*p == '\r' || *p == '\n')
      *p = ' ';
  return g_strstrip (value);
}

static void
on_field (gpointer owner, const PrMimeEntity *entity, const char *text, gsize len, gsize name_len)
{
  static const char *const names[] = { "Content-Type", "Content-Disposition", "Content-ID" };
  Look *look = owner;
  char **values[] = { &look->type, &look->disposition, &look->content_id };

  notice (look, entity);
  look->offset += len;
  for (gsize i = 0; i < G_N_ELEMENTS (names) && len <= MAX_FIELD; i++)
    if (name_len == strlen (names[i]) && g_ascii_strncasecmp (text, names[i], name_len) == 0)
      {
        g_free (*values[i]);
        *values[i] = get_value (text, len, name_len);
      }
}

static void
on_end_header (gpointer owner, const PrMimeEntity *entity)
{
  Look *look = owner;

  notice (look, entity);
  if (look->type != NULL && !entity->is_inner)
    look->is_sealed |= seals (look->type);
  look->is_wanted = entity->is_separable && !entity->is_multipart && !entity->is_message &&
                    !entity->is_opaque && !entity->is_cut && entity->encoding != PR_MIME_OTHER &&
                    look->part.cut_from >= look->job->head_octets;
}

static void
on_body (gpointer owner, const PrMimeEntity *entity, const char *data, gsize len)
{
  Look *look = owner;

  if (look->part.body_from == 0)
    look->part.body_from = look->offset;
  look->offset += len;
}

static void
on_end_body (gpointer owner, const PrMimeEntity *entity)
{
  Look *look = owner;
  PrHttpAttachment *attachment;

  look->part.body_to = look->offset;
  if (!look->is_wanted || look->part.body_from == 0 || look->parts->len == MAX_PARTS ||
      look->part.body_to - look->part.body_from < MIN_OCTETS ||
      (look->type != NULL && seals (look->type)))
    return;
  attachment = make_attachment (look);
  if (attachment == NULL)
    return;
  look->part.encoding = entity->encoding;
  look->part.attachment = attachment;
  g_ptr_array_add (look->parts, g_memdup2 (&look->part, sizeof (Part)));
}

static void
on_between (gpointer owner, const char *data, gsize len)
{
  ((Look *) owner)->offset += len;
}

static const PrMimeSink sink = { on_field, on_end_header, on_body, on_end_body, on_between };

/* ── Files ────────────────────────────────────────────────────────────────────────────────── */

static gboolean
fail (GError **error, const char *what, const char *path)
{
  g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "Cannot %s the file %s: %s", what, path,
               g_strerror (errno));
  return FALSE;
}

/* As much of [@from, @to) as there is room for; 0 with error at an end that comes too early. */
static gsize
read_piece (const PrHttpSplit *job, int fd, guint64 from, guint64 to, char *piece, GError **error)
{
  gssize n;

  do
    n = pread (fd, piece, MIN (to - from, PIECE_OCTETS), (off_t) from);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    return (gsize) n;
  if (n == 0)
    errno = EIO;
  fail (error, "read", job->path);
  return 0;
}

static gboolean
write_all (const PrHttpSplit *job, const char *data, gsize len, GError **error)
{
  while (len > 0)
    {
      gssize n = write (job->fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return fail (error, "write", job->target_path);
      data += n;
      len -= n;
    }
  return TRUE;
}

static gboolean
walk (Look *look, int fd, guint64 size, GError **error)
{
  g_autoptr (PrMimeWalk) walk = pr_mime_walk_new (&sink, look);
  g_autofree char *piece = g_malloc (PIECE_OCTETS);
  gsize n;

  for (guint64 at = 0; at < size; at += n)
    {
      n = read_piece (look->job, fd, at, size, piece, error);
      if (n == 0)
        return FALSE;
      pr_mime_walk_feed (walk, piece, n);
    }
  pr_mime_walk_finish (walk);
  return TRUE;
}

static gboolean
copy (const PrHttpSplit *job, int fd, guint64 from, guint64 to, GError **error)
{
  g_autofree char *piece = g_malloc (PIECE_OCTETS);
  gsize n;

  for (; from < to; from += n)
    {
      n = read_piece (job, fd, from, to, piece, error);
      if (n == 0 || !write_all (job, piece, n, error))
        return FALSE;
    }
  return TRUE;
}

static GMimeContentEncoding
get_encoding (PrMimeEncoding encoding)
{
  return encoding == PR_MIME_BASE64 ? GMIME_CONTENT_ENCODING_BASE64
         : encoding == PR_MIME_QP   ? GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE
                                    : GMIME_CONTENT_ENCODING_8BIT;
}

static gboolean
copy_decoded (const PrHttpSplit *job, int fd, const Part *part, GError **error)
{
  g_autofree char *piece = g_malloc (PIECE_OCTETS);
  g_autofree char *decoded = NULL;
  guint64 from = part->body_from;
  GMimeEncoding state;
  gsize n, len;

  g_mime_encoding_init_decode (&state, get_encoding (part->encoding));
  decoded = g_malloc (g_mime_encoding_outlen (&state, PIECE_OCTETS));
  for (; from < part->body_to; from += n)
    {
      n = read_piece (job, fd, from, part->body_to, piece, error);
      if (n == 0)
        return FALSE;
      len = g_mime_encoding_step (&state, piece, n, decoded);
      part->attachment->size_octets += len;
      if (!write_all (job, decoded, len, error))
        return FALSE;
    }
  len = g_mime_encoding_flush (&state, "", 0, decoded);
  part->attachment->size_octets += len;
  return write_all (job, decoded, len, error);
}

/* ── Taking apart ─────────────────────────────────────────────────────────────────────────── */

static int
compare_size (gconstpointer a, gconstpointer b)
{
  const Part *one = *(const Part *const *) a, *other = *(const Part *const *) b;
  guint64 size = one->body_to - one->cut_from, other_size = other->body_to - other->cut_from;

  return size < other_size ? 1 : size > other_size ? -1 : 0;
}

static int
compare_place (gconstpointer a, gconstpointer b)
{
  const Part *one = *(const Part *const *) a, *other = *(const Part *const *) b;

  return one->cut_from < other->cut_from ? -1 : 1;
}

/* FALSE: what is left is too large, whatever is taken out. */
static gboolean
choose (const Look *look, guint64 octets)
{
  guint64 max_octets = look->job->max_draft_octets - strlen (EMPTY_PART);

  g_ptr_array_sort (look->parts, compare_size);
  for (guint i = 0; i < look->parts->len && octets > max_octets; i++)
    {
      Part *part = look->parts->pdata[i];

      part->is_chosen = TRUE;
      octets -= part->body_to - part->cut_from;
    }
  g_ptr_array_sort (look->parts, compare_place);
  return octets <= max_octets;
}

/* Nothing would be left: one stays, empty. */
static gboolean
takes_all (const Look *look)
{
  guint n = 0;

  for (guint i = 0; i < look->parts->len; i++)
    {
      const Part *part = look->parts->pdata[i];

      n += part->is_direct && part->is_chosen;
    }
  return n == look->n_direct;
}

static gboolean
write_draft (const Look *look, int fd, guint64 size, GError **error)
{
  const PrHttpSplit *job = look->job;
  guint64 from = job->head_octets;
  gboolean needs_part = takes_all (look);

  if (!write_all (job, job->head, job->head_len, error))
    return FALSE;
  for (guint i = 0; i < look->parts->len; i++)
    {
      const Part *part = look->parts->pdata[i];
      gboolean stays = needs_part && part->is_direct;

      if (!part->is_chosen)
        continue;
      if (!copy (job, fd, from, stays ? part->header_from : part->cut_from, error) ||
          (stays && !write_all (job, EMPTY_PART, strlen (EMPTY_PART), error)))
        return FALSE;
      needs_part &= !stays;
      from = part->body_to;
    }
  return copy (job, fd, from, size, error);
}

static gboolean
write_attachments (const Look *look, int fd, GError **error)
{
  PrHttpSplit *job = look->job;
  guint64 offset = job->draft_octets;

  for (guint i = 0; i < look->parts->len; i++)
    {
      Part *part = look->parts->pdata[i];

      if (!part->is_chosen)
        continue;
      if (!copy_decoded (job, fd, part, error))
        return FALSE;
      part->attachment->offset = offset;
      offset += part->attachment->size_octets;
      g_ptr_array_add (job->attachments, g_steal_pointer (&part->attachment));
    }
  return TRUE;
}

/* Whatever happens, nothing of it is left: it has no name any more. */
static gboolean
open_target (PrHttpSplit *job, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (job->target_path);

  g_mkdir_with_parents (folder, 0700);
  job->fd = g_open (job->target_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_BINARY, 0600);
  if (job->fd < 0)
    return fail (error, "make", job->target_path);
  g_unlink (job->target_path);
  return TRUE;
}

static gboolean
split (Look *look, int fd, guint64 size, GError **error)
{
  PrHttpSplit *job = look->job;
  guint64 octets = size - MIN (size, job->head_octets) + job->head_len;

  if (!walk (look, fd, size, error))
    return FALSE;
  if (!choose (look, octets))
    {
      job->refusal = g_strdup (
        look->is_sealed ? "it is signed or encrypted, and taking it apart would break that"
                        : "what makes it so large is not an attachment that can be sent apart");
      return TRUE;
    }
  if (!open_target (job, error) || !write_draft (look, fd, size, error))
    return FALSE;
  job->draft_octets = (guint64) lseek (job->fd, 0, SEEK_CUR);
  return write_attachments (look, fd, error);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

gboolean
pr_http_split_run (PrHttpSplit *self, GError **error)
{
  Look look = { .job = self, .entity = G_MAXUINT };
  gboolean done = FALSE;
  int fd = g_open (self->path, O_RDONLY | O_CLOEXEC | O_BINARY, 0);
  off_t size = fd >= 0 ? lseek (fd, 0, SEEK_END) : -1;

  self->refusal = NULL;
  self->fd = -1;
  self->attachments = g_ptr_array_new_with_free_func (free_attachment);
  if (size < 0)
    fail (error, "read", self->path);
  else
    {
      look.parts = g_ptr_array_new_with_free_func (free_part);
      done = split (&look, fd, (guint64) size, error);
      g_ptr_array_unref (look.parts);
      forget_fields (&look);
    }
  if (fd >= 0)
    g_close (fd, NULL);
  return done;
}

void
pr_http_split_clear (PrHttpSplit *self)
{
  if (self->fd >= 0)
    g_close (self->fd, NULL);
  self->fd = -1;
  g_clear_pointer (&self->refusal, g_free);
  g_clear_pointer (&self->attachments, g_ptr_array_unref);
}
