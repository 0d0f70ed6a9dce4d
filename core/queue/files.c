/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the queue asks of the file system: the one file here that knows the operating system. */
#include "queue/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "config.h"

#ifdef G_OS_UNIX
#include <sys/file.h>
#include <unistd.h>
#else
#include <io.h>
#endif

#ifdef HAVE_SYS_STATVFS_H
#include <sys/statvfs.h>
#endif

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif

int
pr_files_lock (const char *home, GError **error)
{
  g_autofree char *path = g_build_filename (home, "lock", NULL);
  int fd = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int saved;

  if (fd < 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be created: %s", path,
                   g_strerror (errno));
      return -1;
    }

#ifdef G_OS_UNIX
  if (flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  saved = errno;
  g_close (fd, NULL);
  if (saved == EWOULDBLOCK)
    g_set_error (error, PR_ERROR, PR_ERROR_BUSY,
                 "Another postroomd is already using %s. Stop it first, or choose another --home.",
                 home);
  else
    g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be locked: %s", path,
                 g_strerror (saved));
  return -1;
#else
  saved = 0; /* SQLite's own lock remains */
  return fd;
#endif
}

int
pr_files_sync_folder (const char *path)
{
#ifdef G_OS_UNIX
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = 0;

  if (fd < 0)
    return errno;
  if (fsync (fd) != 0)
    result = errno;
  close (fd);
  return result;
#else
  return 0; /* NTFS journals names itself */
#endif
}

int
pr_files_make_folder (const char *path, const char *parent)
{
  if (g_mkdir (path, 0700) == 0)
    return pr_files_sync_folder (parent);

  return errno == EEXIST ? 0 : errno;
}

int
pr_files_create (const char *path, int *error_number)
{
  int fd = g_open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_BINARY, 0600);

  *error_number = fd < 0 ? errno : 0;
  return fd;
}

int
pr_files_write (int fd, const char *data, gsize len)
{
  while (len > 0)
    {
      gssize n = write (fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return n < 0 ? errno : EIO;
      data += n;
      len -= (gsize) n;
    }

  return 0;
}

int
pr_files_write_start (int fd, const char *data, gsize len)
{
  if (lseek (fd, 0, SEEK_SET) < 0)
    return errno;

  return pr_files_write (fd, data, len);
}

int
pr_files_sync (int fd)
{
#if defined(__linux__)
  return fdatasync (fd) == 0 ? 0 : errno;
#elif defined(F_FULLFSYNC)
  return fcntl (fd, F_FULLFSYNC) == 0 || fsync (fd) == 0 ? 0 : errno;
#else
  return g_fsync (fd) == 0 ? 0 : errno;
#endif
}

void
pr_files_start_writing (int fd, guint64 offset, guint64 len)
{
#ifdef SYNC_FILE_RANGE_WRITE
  sync_file_range (fd, (off64_t) offset, (off64_t) len, SYNC_FILE_RANGE_WRITE);
#endif
}

guint64
pr_files_free_space (const char *path)
{
#ifdef HAVE_SYS_STATVFS_H
  struct statvfs fs;

  return statvfs (path, &fs) == 0 ? (guint64) fs.f_bavail * fs.f_frsize : 0;
#else
  return G_MAXINT64;
#endif
}
