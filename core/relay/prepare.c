/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "relay/convert.h"
#include "net/worker.h"

struct _PrPrepare
{
  guint refs;         /* the owner's, and one of the store or a thread that has it */
  PrRunner *runner;   /* borrowed */
  PrMessage *message; /* owned reference: what @convert borrows from */
  PrPrepareFunc func; /* NULL: nobody wants to know any more */
  gpointer user_data;
  gboolean converts;

  PrPrepared result;
  GBytes *bytes; /* owned, nullable */
  char *path;    /* owned, nullable: of the message */
  char *target;  /* owned, nullable: of the conversion */
  int fd;        /* owned: what @target was; its name is gone */
  PrConvert convert;
  GError *error; /* owned, nullable */
};

static void
unref (gpointer data)
{
  PrPrepare *self = data;

  if (--self->refs > 0)
    return;
  if (self->fd >= 0)
    g_close (self->fd, NULL);
  if (self->converts)
    pr_convert_clear (&self->convert);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_error (&self->error);
  g_free (self->path);
  g_free (self->target);
  pr_message_unref (self->message);
  g_free (self);
}

static void
tell (PrPrepare *self)
{
  PrPrepareFunc func = g_steal_pointer (&self->func);

  if (func != NULL)
    func (self->error == NULL ? &self->result : NULL, self->error, self->user_data);
}

/* ── In a thread ──────────────────────────────────────────────────────────────────────────── */

/* The result keeps no name: whatever happens, nothing of it is left. */
static void
open_target (PrPrepare *self)
{
  self->fd = g_open (self->target, O_RDONLY | O_CLOEXEC, 0);
  if (self->fd < 0)
    g_set_error (&self->error, PR_ERROR, PR_ERROR_TEMPORARY, "Cannot read the file %s: %s",
                 self->target, g_strerror (errno));
  g_unlink (self->target);
}

static void
convert (gpointer data)
{
  PrPrepare *self = data;
  g_autofree char *folder = g_path_get_dirname (self->target);

  g_mkdir_with_parents (folder, 0700);
  self->convert.bytes = self->bytes;
  self->convert.path = self->bytes == NULL ? self->path : NULL;
  self->convert.target_path = self->target;
  if (pr_convert_run (&self->convert, &self->error) && self->convert.changed &&
      self->convert.result == NULL)
    open_target (self);
}

/* ── In the loop ──────────────────────────────────────────────────────────────────────────── */

static void
on_converted (gpointer data)
{
  PrPrepare *self = data;
  const PrConvert *done = &self->convert;

  self->result = (PrPrepared){
    .bytes = done->changed ? done->result : self->bytes,
    .path = done->changed ? NULL : self->path,
    .fd = self->fd,
    .refusal = done->refusal.code != 0 ? &done->refusal : NULL,
    .body = done->body,
    .smtputf8 = done->smtputf8,
    .size_octets = done->size_octets,
  };
  tell (self);
}

static void
go_on (PrPrepare *self)
{
  if (self->converts && self->error == NULL)
    {
      self->refs++;
      pr_worker_run (self->runner->worker, convert, on_converted, self, unref);
      return;
    }
  self->result = (PrPrepared){
    .bytes = self->bytes,
    .path = self->path,
    .fd = -1,
    .size_octets = self->message->size_octets,
  };
  tell (self);
}

static void
on_read (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  PrPrepare *self = user_data;

  self->runner->n_store_calls--;
  if (error != NULL)
    self->error = g_error_copy (error);
  else if (!last) /* such a row was never written */
    g_set_error (&self->error, PR_ERROR, PR_ERROR_TEMPORARY, "The message is larger than its row");
  else
    self->bytes = g_bytes_ref (chunk);
  if (self->func != NULL)
    go_on (self);
  unref (self);
}

PrPrepare *
pr_prepare_text (PrRunner *runner, PrMessage *message, PrPrepareFunc func, gpointer user_data)
{
  PrPrepare *self = g_new0 (PrPrepare, 1);

  self->refs = 1;
  self->fd = -1;
  self->runner = runner;
  self->message = pr_message_ref (message);
  self->func = func;
  self->user_data = user_data;
  return self;
}

PrPrepare *
pr_prepare_conversion (PrRunner *runner, PrMessage *message, PrExtensions extensions,
                       PrPrepareFunc func, gpointer user_data)
{
  PrPrepare *self = pr_prepare_text (runner, message, func, user_data);

  self->converts = TRUE;
  self->convert.envelope = message->envelope;
  self->convert.extensions = extensions;
  self->target = pr_store_new_spool_path (runner->store);
  return self;
}

void
pr_prepare_start (PrPrepare *self)
{
  if (self->message->body != NULL)
    self->bytes = g_bytes_ref (self->message->body);
  else
    self->path = pr_store_get_spool_path (self->runner->store, self->message);

  if (self->bytes != NULL || self->path != NULL)
    {
      go_on (self);
      return;
    }
  self->refs++;
  self->runner->n_store_calls++;
  pr_store_read_body (self->runner->store, self->message, 0, PR_BODY_INLINE_MAX + 1, on_read, self);
}

void
pr_prepare_free (PrPrepare *self)
{
  if (self == NULL)
    return;
  self->func = NULL;
  unref (self);
}
