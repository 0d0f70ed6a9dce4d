/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tmp/NAME is written and flushed, then renamed to new/NAME, then new/ is flushed: after a crash
 * the message is there whole or not at all, and a reader never sees half of it. */
#include "relay/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif

#define PIECE_SIZE (256 * 1024)

static void
set_error (GError **error, const char *what, const char *path)
{
  int code = errno;

  g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "%s %s: %s", what, path, g_strerror (code));
}

/* ── Files and folders ────────────────────────────────────────────────────────────────────── */

/* What a folder names is on the disk when the folder is. Elsewhere than on UNIX there is no such
 * call and no need for one. */
static gboolean
flush_folder (const char *path, GError **error)
{
#ifdef O_DIRECTORY
  int fd = g_open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean flushed = fd >= 0 && fsync (fd) == 0;

  if (!flushed)
    set_error (error, "Cannot flush the folder", path);
  if (fd >= 0)
    g_close (fd, NULL);
  return flushed;
#else
  return TRUE;
#endif
}

static gboolean
make_folders (const char *folder, GError **error)
{
  static const char *const names[] = { "tmp", "new", "cur" };
  g_autofree char *parent = g_path_get_dirname (folder);
  gboolean made = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        continue;
      if (g_mkdir_with_parents (path, 0700) < 0)
        {
          set_error (error, "Cannot make the Maildir folder", path);
          return FALSE;
        }
      made = TRUE;
    }

  return !made || (flush_folder (folder, error) && flush_folder (parent, error));
}

/* Unique on this host and, by the host's name, on a file system that several share. */
static char *
make_name (const char *hostname)
{
  static int sequence;
  gint64 now_us = g_get_real_time ();
  g_autoptr (GString) host = g_string_new (hostname);

  g_string_replace (host, "/", "\\057", 0);
  g_string_replace (host, ":", "\\072", 0);
  return g_strdup_printf ("%" G_GINT64_FORMAT ".M%dP%dQ%d.%s", now_us / G_USEC_PER_SEC,
                          (int) (now_us % G_USEC_PER_SEC), (int) getpid (),
                          g_atomic_int_add (&sequence, 1), host->str);
}

/* ── Text ─────────────────────────────────────────────────────────────────────────────────── */

static gboolean
write_all (int fd, const char *data, gsize len)
{
  while (len > 0)
    {
      gssize n = write (fd, data, len);

      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n > 0)
        {
          data += n;
          len -= n;
        }
    }
  return TRUE;
}

/* Copies to @out (room for @len + 1) with LF for CRLF; a CR at the end of a piece waits for what
 * follows it. Returns how many octets it wrote. */
static gsize
shorten_line_ends (const char *data, gsize len, char *out, gboolean *held_cr)
{
  const char *from = data, *end = data + len;
  char *to = out;

  if (*held_cr && len > 0 && *from != '\n')
    *to++ = '\r';
  *held_cr = FALSE;

  while (from < end)
    {
      const char *cr = memchr (from, '\r', end - from);
      gsize run = (cr != NULL ? cr : end) - from;

      memcpy (to, from, run);
      to += run;
      if (cr == NULL)
        break;
      if (cr + 1 == end)
        *held_cr = TRUE;
      else if (cr[1] != '\n')
        *to++ = '\r';
      from = cr + 1;
    }

  return to - out;
}

static gboolean
write_header (int fd, const PrMaildirMessage *message)
{
  g_autoptr (GString) header = g_string_new (NULL);

  g_string_append_printf (header, "Return-Path: <%s>\n", message->sender);
  for (const char *const *to = message->delivered_to; *to != NULL; to++)
    g_string_append_printf (header, "Delivered-To: %s\n", *to);
  return write_all (fd, header->str, header->len);
}

/* The text from @bytes, or from @source where that is NULL. */
static gboolean
write_text (int fd, GBytes *bytes, int source)
{
  g_autofree char *in = bytes == NULL ? g_malloc (PIECE_SIZE) : NULL;
  g_autofree char *out = g_malloc (PIECE_SIZE + 1);
  gsize size = 0;
  const char *all = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  gboolean held_cr = FALSE;

  for (gsize at = 0;;)
    {
      gssize n =
        bytes != NULL ? (gssize) MIN (PIECE_SIZE, size - at) : read (source, in, PIECE_SIZE);
      gsize len;

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      if (n == 0)
        return !held_cr || write_all (fd, "\r", 1);
      len = shorten_line_ends (bytes != NULL ? all + at : in, n, out, &held_cr);
      if (!write_all (fd, out, len))
        return FALSE;
      at += n;
    }
}

/* ── Delivery ─────────────────────────────────────────────────────────────────────────────── */

static gboolean
write_message (const PrMaildirMessage *message, const char *path, int source, GError **error)
{
  int fd = g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_BINARY, 0600);
  gboolean written;

  if (fd < 0)
    {
      set_error (error, "Cannot make the file", path);
      return FALSE;
    }

  written =
    write_header (fd, message) && write_text (fd, message->bytes, source) && g_fsync (fd) == 0;
  if (!written)
    set_error (error, "Cannot write the file", path);
  /* Some file systems tell only now that there was no room. */
  if (close (fd) < 0 && written)
    {
      set_error (error, "Cannot write the file", path);
      written = FALSE;
    }
  return written;
}

static gboolean
deliver (const PrMaildirMessage *message, int source, GError **error)
{
  g_autofree char *name = make_name (message->hostname);
  g_autofree char *temporary = g_build_filename (message->folder, "tmp", name, NULL);
  g_autofree char *folder = g_build_filename (message->folder, "new", NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  gboolean delivered = FALSE;

  if (!write_message (message, temporary, source, error))
    delivered = FALSE;
  else if (g_rename (temporary, path) < 0)
    set_error (error, "Cannot deliver to the folder", folder);
  else
    delivered = flush_folder (folder, error);

  if (!delivered)
    {
      g_unlink (temporary);
      g_unlink (path); /* else a second try would double it */
    }
  return delivered;
}

gboolean
pr_maildir_deliver (const PrMaildirMessage *message, GError **error)
{
  int source = -1;
  gboolean delivered;

  g_return_val_if_fail (message->bytes != NULL || message->path != NULL, FALSE);

  if (!make_folders (message->folder, error))
    return FALSE;
  if (message->bytes == NULL)
    {
      source = g_open (message->path, O_RDONLY | O_CLOEXEC | O_BINARY, 0);
      if (source < 0)
        {
          set_error (error, "Cannot read the message", message->path);
          return FALSE;
        }
    }

  delivered = deliver (message, source, error);
  if (source >= 0)
    g_close (source, NULL);
  return delivered;
}
