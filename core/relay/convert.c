/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two walks over the message: the first finds out what each part holds and so what must become of
 * it, the second writes. Nearly every message that comes here needs the first alone.
 */
#include "relay/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "relay/mime-encode.h"
#include "relay/mime-walk.h"

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif

#define PIECE_SIZE (256 * 1024)
#define MAX_ENTITIES 10000 /* parts; nobody writes so many */

typedef enum
{
  KEEP,
  TO_QP,
  TO_BASE64,
  MEND_QP, /* says quoted-printable and is not quite: its 8-bit octets are quoted */
  RELABEL, /* a container whose parts may have been converted, or it says binary and is not */
} Action;

/* What the first walk found of an entity. */
typedef struct
{
  guint64 n_octets, n_8bit;
  gboolean is_binary; /* NUL, bare CR or LF */
  gboolean is_utf8;   /* or ASCII */
  guint8 last;        /* octet, for what spans two pieces */
  Action action;
  gboolean add_type, add_version; /* the entity lacks what the encoding needs */
} Finding;

typedef struct
{
  PrConvert *job;
  GArray *findings; /* owned, of Finding, by entity */
  gboolean header_8bit, between_8bit, body_8bit, body_binary;
  const char *obstacle; /* static, nullable: why it cannot be converted */

  /* the second walk */
  PrMimeEncoder encoder;
  GString *out; /* owned */
  int fd;       /* of the target, -1: all stays in out */
  gboolean write_failed;
} Work;

/* ── What must become of it ───────────────────────────────────────────────────────────────── */

static gboolean
lacks (const Work *work, PrExtensions extension)
{
  return (work->job->extensions & extension) == 0;
}

static Finding *
get_finding (Work *work, const PrMimeEntity *entity)
{
  guint at = MIN (entity->index, MAX_ENTITIES);

  if (at >= work->findings->len)
    {
      guint from = work->findings->len;

      g_array_set_size (work->findings, at + 1);
      for (guint i = from; i <= at; i++)
        g_array_index (work->findings, Finding, i).is_utf8 = TRUE;
    }
  return &g_array_index (work->findings, Finding, at);
}

static guint64
count_8bit (const char *data, gsize len)
{
  guint64 n = 0;

  for (gsize i = 0; i < len; i++)
    n += (guchar) data[i] >> 7;
  return n;
}

static void
look_at_field (gpointer owner, const PrMimeEntity *entity, const char *text, gsize len,
               gsize name_len)
{
  ((Work *) owner)->header_8bit |= count_8bit (text, len) > 0;
}

static void
look_at_between (gpointer owner, const char *data, gsize len)
{
  ((Work *) owner)->between_8bit |= count_8bit (data, len) > 0;
}

static gboolean
is_binary (Finding *finding, const char *data, gsize len)
{
  for (gsize i = 0; i < len; i++)
    {
      guint8 octet = data[i];

      if (octet == '\0' || (octet == '\n') != (finding->last == '\r'))
        return TRUE;
      finding->last = octet;
    }
  return FALSE;
}

static void
look_at_body (gpointer owner, const PrMimeEntity *entity, const char *data, gsize len)
{
  Work *work = owner;
  Finding *finding = get_finding (work, entity);
  guint64 n_8bit = count_8bit (data, len);

  finding->n_octets += len;
  finding->n_8bit += n_8bit;
  if (n_8bit > 0 && finding->is_utf8)
    finding->is_utf8 = g_utf8_validate (data, len, NULL);
  if (!finding->is_binary && work->job->envelope->body == PR_BODY_BINARYMIME)
    finding->is_binary = is_binary (finding, data, len);
}

static Action
choose (Work *work, const PrMimeEntity *entity, const Finding *finding)
{
  gboolean binary = finding->is_binary && lacks (work, PR_EXT_BINARYMIME);
  gboolean is_8bit = finding->n_8bit > 0 && lacks (work, PR_EXT_8BITMIME);

  if (!binary && !is_8bit)
    return entity->encoding == PR_MIME_BINARY && lacks (work, PR_EXT_BINARYMIME) &&
               !entity->is_signed && entity->index < MAX_ENTITIES
             ? RELABEL
             : KEEP;
  if (entity->is_signed)
    work->obstacle = "it is signed, and converting it would break the signature";
  else if (entity->index >= MAX_ENTITIES)
    work->obstacle = "it has too many parts";
  else if (entity->is_opaque)
    work->obstacle = "a part of it cannot be taken apart";
  else if (entity->encoding == PR_MIME_QP && !binary)
    return MEND_QP;
  else if (entity->encoding >= PR_MIME_QP)
    work->obstacle = "a part of it is not what it says it is";
  else
    return entity->is_text && !binary && finding->n_8bit * 3 < finding->n_octets ? TO_QP
                                                                                 : TO_BASE64;
  return KEEP;
}

static void
end_look (gpointer owner, const PrMimeEntity *entity)
{
  Work *work = owner;
  Finding *finding = get_finding (work, entity);

  finding->is_binary |= finding->last == '\r';
  finding->action = choose (work, entity, finding);
  if (finding->action == KEEP || finding->action == RELABEL)
    work->body_8bit |= finding->n_8bit > 0;
  if (finding->action != TO_QP && finding->action != TO_BASE64)
    work->body_binary |= finding->is_binary;
  if (finding->action == TO_QP || finding->action == TO_BASE64)
    {
      finding->add_version = entity->index == 0 && !entity->has_version;
      finding->add_type = !entity->has_type && entity->is_text;
    }
}

/* Its parts decide about a container; only the label is its own. */
static void
look_at_header_end (gpointer owner, const PrMimeEntity *entity)
{
  Finding *finding = get_finding (owner, entity);

  if ((entity->is_multipart || entity->is_message) && !entity->is_signed &&
      entity->index < MAX_ENTITIES &&
      (entity->encoding == PR_MIME_8BIT || entity->encoding == PR_MIME_BINARY))
    finding->action = RELABEL;
}

static const PrMimeSink look_sink = { look_at_field, look_at_header_end, look_at_body, end_look,
                                      look_at_between };

/* ── Writing ──────────────────────────────────────────────────────────────────────────────── */

static void
flush (Work *work)
{
  const char *data = work->out->str;
  gsize left = work->out->len;

  while (left > 0 && !work->write_failed)
    {
      gssize n = write (work->fd, data, left);

      if (n > 0)
        {
          data += n;
          left -= n;
          work->job->size_octets += n;
        }
      else if (n == 0 || errno != EINTR)
        work->write_failed = TRUE;
    }
  g_string_truncate (work->out, 0);
}

static void
write_octets (Work *work, const char *data, gsize len)
{
  g_string_append_len (work->out, data, len);
  if (work->fd >= 0 && work->out->len >= PIECE_SIZE)
    flush (work);
}

static gboolean
is_label (const char *text, gsize name_len)
{
  static const char label[] = "Content-Transfer-Encoding";

  return name_len == strlen (label) && g_ascii_strncasecmp (text, label, name_len) == 0;
}

static void
write_field (gpointer owner, const PrMimeEntity *entity, const char *text, gsize len,
             gsize name_len)
{
  const Finding *finding = get_finding (owner, entity);

  if (finding->action == KEEP || finding->action == MEND_QP || !is_label (text, name_len))
    write_octets (owner, text, len);
}

static void
write_header_end (gpointer owner, const PrMimeEntity *entity)
{
  Work *work = owner;
  const Finding *finding = get_finding (work, entity);
  g_autoptr (GString) fields = g_string_new (NULL);

  if (finding->add_version)
    g_string_append (fields, "MIME-Version: 1.0\r\n");
  if (finding->add_type)
    g_string_append_printf (fields, "Content-Type: text/plain; charset=%s\r\n",
                            finding->is_utf8 ? "utf-8" : "unknown-8bit");
  if (finding->action == TO_QP)
    g_string_append (fields, "Content-Transfer-Encoding: quoted-printable\r\n");
  else if (finding->action == TO_BASE64)
    g_string_append (fields, "Content-Transfer-Encoding: base64\r\n");
  else if (finding->action == RELABEL && !lacks (work, PR_EXT_8BITMIME))
    g_string_append (fields, "Content-Transfer-Encoding: 8bit\r\n");
  if (entity->is_cut && finding->action != KEEP) /* the text must not read as another field */
    g_string_append (fields, "\r\n");
  write_octets (work, fields->str, fields->len);
  work->encoder = (PrMimeEncoder){ 0 };
}

static void
write_mended (Work *work, const char *data, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((guchar) data[i] > 127)
      g_string_append_printf (work->out, "=%02X", (guchar) data[i]);
    else
      g_string_append_c (work->out, data[i]);
  write_octets (work, "", 0);
}

static void
write_body (gpointer owner, const PrMimeEntity *entity, const char *data, gsize len)
{
  Work *work = owner;

  switch (get_finding (work, entity)->action)
    {
    case TO_QP: pr_mime_encode_qp (&work->encoder, data, len, work->out); break;
    case TO_BASE64: pr_mime_encode_base64 (&work->encoder, data, len, work->out); break;
    case MEND_QP: write_mended (work, data, len); break;
    case KEEP:
    case RELABEL: write_octets (work, data, len); break;
    }
  write_octets (work, "", 0);
}

static void
write_body_end (gpointer owner, const PrMimeEntity *entity)
{
  Work *work = owner;
  Action action = get_finding (work, entity)->action;

  if (action == TO_QP)
    pr_mime_encode_qp_end (&work->encoder, work->out);
  else if (action == TO_BASE64)
    pr_mime_encode_base64_end (&work->encoder, work->out);
}

/* What stands around parts is shown to nobody and has no encoding of its own. */
static void
write_between (gpointer owner, const char *data, gsize len)
{
  Work *work = owner;
  gboolean strip = lacks (work, PR_EXT_8BITMIME) && count_8bit (data, len) > 0;
  gsize start = work->out->len;

  g_string_append_len (work->out, data, len);
  for (gsize i = start; strip && i < work->out->len; i++)
    if ((guchar) work->out->str[i] > 127)
      work->out->str[i] = '?';
  write_octets (work, "", 0);
}

static const PrMimeSink write_sink = { write_field, write_header_end, write_body, write_body_end,
                                       write_between };

/* ── Walking ──────────────────────────────────────────────────────────────────────────────── */

static gboolean
walk_file (Work *work, PrMimeWalk *walk, GError **error)
{
  int fd = g_open (work->job->path, O_RDONLY | O_CLOEXEC | O_BINARY, 0);
  g_autofree char *piece = g_malloc (PIECE_SIZE);
  gssize n = -1;

  while (fd >= 0 && !work->write_failed)
    {
      n = read (fd, piece, PIECE_SIZE);
      if (n > 0)
        pr_mime_walk_feed (walk, piece, n);
      else if (n == 0 || errno != EINTR)
        break;
    }
  if (n < 0)
    g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "Cannot read the message %s: %s",
                 work->job->path, g_strerror (errno));
  if (fd >= 0)
    g_close (fd, NULL);
  return n >= 0;
}

static gboolean
walk (Work *work, const PrMimeSink *sink, GError **error)
{
  g_autoptr (PrMimeWalk) walk = pr_mime_walk_new (sink, work);

  if (work->job->bytes != NULL)
    {
      gsize len;
      const char *data = g_bytes_get_data (work->job->bytes, &len);

      pr_mime_walk_feed (walk, data, len);
    }
  else if (!walk_file (work, walk, error))
    return FALSE;
  pr_mime_walk_finish (walk);
  return TRUE;
}

static gboolean
has_work (const Work *work)
{
  gboolean found = work->between_8bit && lacks (work, PR_EXT_8BITMIME);

  for (guint i = 0; i < work->findings->len; i++)
    {
      Action action = g_array_index (work->findings, Finding, i).action;
      found |= action != KEEP && action != RELABEL;
    }
  return found;
}

/* What the walk found, as an answer; TRUE when there is something to convert. */
static gboolean
conclude (Work *work)
{
  PrConvert *job = work->job;

  job->smtputf8 = job->envelope->smtputf8 && !lacks (work, PR_EXT_SMTPUTF8);
  if (job->envelope->smtputf8 && !job->smtputf8 && work->header_8bit)
    {
      pr_reply_set (&job->refusal, 550, "5.6.7",
                    "The message's header has letters outside ASCII, which the next server does "
                    "not take (SMTPUTF8)");
      return FALSE;
    }
  if (work->obstacle != NULL)
    {
      g_autofree char *text =
        g_strdup_printf ("The next server takes no such text, and the message cannot be converted: "
                         "%s",
                         work->obstacle);
      pr_reply_set (&job->refusal, 554, "5.6.3", text);
      return FALSE;
    }

  job->body = PR_BODY_7BIT;
  if (work->body_8bit || work->between_8bit || work->header_8bit)
    job->body = lacks (work, PR_EXT_8BITMIME) ? PR_BODY_7BIT : PR_BODY_8BITMIME;
  if (work->body_binary && !lacks (work, PR_EXT_BINARYMIME))
    job->body = PR_BODY_BINARYMIME;
  return has_work (work);
}

static gboolean
rewrite (Work *work, GError **error)
{
  PrConvert *job = work->job;
  gboolean written;

  job->size_octets = 0;
  if (job->bytes == NULL)
    {
      work->fd =
        g_open (job->target_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_BINARY, 0600);
      if (work->fd < 0)
        {
          g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "Cannot make the file %s: %s",
                       job->target_path, g_strerror (errno));
          return FALSE;
        }
    }

  written = walk (work, &write_sink, error);
  if (work->fd < 0)
    {
      job->size_octets = work->out->len;
      job->result = g_string_free_to_bytes (g_steal_pointer (&work->out));
      return written;
    }

  flush (work);
  g_close (work->fd, NULL);
  if (written && work->write_failed)
    g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "Cannot write the file %s", job->target_path);
  if (!written || work->write_failed)
    g_unlink (job->target_path);
  return written && !work->write_failed;
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

gboolean
pr_convert_is_due (const PrEnvelope *envelope, PrExtensions extensions)
{
  if ((extensions & PR_EXT_8BITMIME) == 0)
    return TRUE;
  if (envelope->body == PR_BODY_BINARYMIME && (extensions & PR_EXT_BINARYMIME) == 0)
    return TRUE;
  return envelope->smtputf8 && (extensions & PR_EXT_SMTPUTF8) == 0;
}

gboolean
pr_convert_run (PrConvert *self, GError **error)
{
  Work work = { .job = self, .fd = -1 };
  gboolean done;

  g_return_val_if_fail ((self->bytes == NULL) != (self->path == NULL), FALSE);

  work.findings = g_array_new (FALSE, TRUE, sizeof (Finding));
  work.out = g_string_new (NULL);
  done = walk (&work, &look_sink, error);
  if (done && conclude (&work))
    {
      done = rewrite (&work, error);
      self->changed = done;
    }
  else if (done)
    {
      GStatBuf st;

      if (self->bytes != NULL)
        self->size_octets = g_bytes_get_size (self->bytes);
      else if (g_stat (self->path, &st) == 0)
        self->size_octets = st.st_size;
    }

  g_array_unref (work.findings);
  if (work.out != NULL)
    g_string_free (work.out, TRUE);
  return done;
}

void
pr_convert_clear (PrConvert *self)
{
  pr_reply_clear (&self->refusal);
  g_clear_pointer (&self->result, g_bytes_unref);
}
