/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "config.h"
#include "queue/files.h"

#ifdef HAVE_SYS_STATVFS_H
#include <sys/statvfs.h>
#endif

#define SHARE 16 /* of the file system at most */
#define BLOCK_OCTETS 4096

static guint64
get_disk_octets (const char *path)
{
#ifdef HAVE_SYS_STATVFS_H
  struct statvfs info;

  if (statvfs (path, &info) == 0)
    return (guint64) info.f_blocks * info.f_frsize;
#endif
  return 0;
}

/* 0 or errno. */
static int
allocate (int fd, gsize n_octets)
{
#ifdef HAVE_POSIX_FALLOCATE
  return posix_fallocate (fd, 0, (off_t) n_octets);
#else
  return EOPNOTSUPP;
#endif
}

void
pr_reserve_init (PrReserve *self, const char *home, gsize max_octets)
{
  guint64 n_octets = MIN (get_disk_octets (home) / SHARE, max_octets);

  *self = (PrReserve){ .home = g_strdup (home), .path = g_build_filename (home, "reserve", NULL) };
  self->n_octets = (gsize) (n_octets / BLOCK_OCTETS * BLOCK_OCTETS);
}

void
pr_reserve_clear (PrReserve *self)
{
  g_clear_pointer (&self->home, g_free);
  g_clear_pointer (&self->path, g_free);
}

gboolean
pr_reserve_take (PrReserve *self)
{
  int fd, code;

  if (self->held || self->n_octets == 0)
    return TRUE;
  if (self->released && pr_files_free_space (self->home) < 2 * (guint64) self->n_octets)
    return FALSE;

  fd = open (self->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  code = fd < 0 ? errno : allocate (fd, self->n_octets);
  if (fd >= 0 && code != 0 && ftruncate (fd, 0) != 0)
    code = errno;
  if (fd >= 0)
    close (fd);

  self->held = code == 0;
  if (!self->held && code != ENOSPC && code != EDQUOT)
    self->n_octets = 0;

  return self->held || self->n_octets == 0;
}

gboolean
pr_reserve_is_needed (const PrReserve *self)
{
  return !self->held && self->n_octets > 0;
}

gboolean
pr_reserve_release (PrReserve *self)
{
  if (!self->held)
    return FALSE;

  self->held = FALSE;
  self->released = TRUE;
  return truncate (self->path, 0) == 0;
}
