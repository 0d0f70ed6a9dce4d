/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SQLite writes each page of its log by two system calls, one for 24 octets of header and one for
 * the page, at offsets that are never those of a page of the file system. Under full load these
 * were more than a third of the writer's time. Here they are gathered:
 *
 *   write ──► [gathered] ──full, sync, read, size, truncate, close──► one write of all of it
 *
 * Nothing becomes less safe: SQLite syncs the log before it lets a transaction count, and a sync
 * writes what was gathered first, failing where that fails. Others never look for it before:
 * they read the log only as far as the index of the log says, which moves after the sync. */
#include "queue/vfs.h"

#include <sqlite3.h>
#include <string.h>

#define GATHERED_OCTETS (64 * 1024)

/* The system's file follows behind it, as large as that wants to be. */
typedef struct
{
  sqlite3_file base; /* first: it is our base */
  char *gathered;    /* owned, nullable */
  int n_gathered;
  sqlite3_int64 offset; /* of the first octet gathered */
} LogFile;

static sqlite3_vfs vfs;

static sqlite3_vfs *
system_vfs (void)
{
  return vfs.pAppData;
}

static sqlite3_file *
get_real (sqlite3_file *file)
{
  return (sqlite3_file *) ((LogFile *) file + 1);
}

static int
flush (sqlite3_file *file)
{
  LogFile *self = (LogFile *) file;
  sqlite3_file *real = get_real (file);
  int code;

  if (self->n_gathered == 0)
    return SQLITE_OK;

  code = real->pMethods->xWrite (real, self->gathered, self->n_gathered, self->offset);
  /* Where it failed the transaction does, and SQLite writes all of it anew. */
  self->n_gathered = 0;

  return code;
}

static int
close_log (sqlite3_file *file)
{
  LogFile *self = (LogFile *) file;
  sqlite3_file *real = get_real (file);
  int code = flush (file);
  int closed = real->pMethods->xClose (real);

  sqlite3_free (self->gathered);
  self->gathered = NULL;

  return code != SQLITE_OK ? code : closed;
}

static int
read_log (sqlite3_file *file, void *data, int len, sqlite3_int64 offset)
{
  sqlite3_file *real = get_real (file);
  int code = flush (file);

  return code != SQLITE_OK ? code : real->pMethods->xRead (real, data, len, offset);
}

static int
write_log (sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
  LogFile *self = (LogFile *) file;
  int code;

  if (self->gathered == NULL)
    self->gathered = sqlite3_malloc (GATHERED_OCTETS);
  if (self->gathered == NULL)
    return SQLITE_NOMEM;

  if (offset != self->offset + self->n_gathered || self->n_gathered + len > GATHERED_OCTETS)
    {
      code = flush (file);
      if (code != SQLITE_OK)
        return code;
      self->offset = offset;
    }
  if (len > GATHERED_OCTETS)
    return get_real (file)->pMethods->xWrite (get_real (file), data, len, offset);

  memcpy (self->gathered + self->n_gathered, data, (gsize) len);
  self->n_gathered += len;

  return SQLITE_OK;
}

static int
truncate_log (sqlite3_file *file, sqlite3_int64 size)
{
  sqlite3_file *real = get_real (file);
  int code = flush (file);

  return code != SQLITE_OK ? code : real->pMethods->xTruncate (real, size);
}

static int
sync_log (sqlite3_file *file, int flags)
{
  sqlite3_file *real = get_real (file);
  int code = flush (file);

  return code != SQLITE_OK ? code : real->pMethods->xSync (real, flags);
}

static int
get_log_size (sqlite3_file *file, sqlite3_int64 *size)
{
  sqlite3_file *real = get_real (file);
  int code = flush (file);

  return code != SQLITE_OK ? code : real->pMethods->xFileSize (real, size);
}

static int
control_log (sqlite3_file *file, int operation, void *argument)
{
  sqlite3_file *real = get_real (file);
  int code = flush (file);

  return code != SQLITE_OK ? code : real->pMethods->xFileControl (real, operation, argument);
}

static int
get_sector_size (sqlite3_file *file)
{
  return get_real (file)->pMethods->xSectorSize (get_real (file));
}

static int
get_characteristics (sqlite3_file *file)
{
  return get_real (file)->pMethods->xDeviceCharacteristics (get_real (file));
}

/* A log is never locked: version 1 has all that is asked of it, and nobody asks for these. */
static int
lock_log (sqlite3_file *file, int level)
{
  return SQLITE_OK;
}

static int
check_lock (sqlite3_file *file, int *out)
{
  *out = 0;
  return SQLITE_OK;
}

static const sqlite3_io_methods log_methods = {
  .iVersion = 1,
  .xClose = close_log,
  .xRead = read_log,
  .xWrite = write_log,
  .xTruncate = truncate_log,
  .xSync = sync_log,
  .xFileSize = get_log_size,
  .xLock = lock_log,
  .xUnlock = lock_log,
  .xCheckReservedLock = check_lock,
  .xFileControl = control_log,
  .xSectorSize = get_sector_size,
  .xDeviceCharacteristics = get_characteristics,
};

static int
open_file (sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
  int code;

  if (!(flags & SQLITE_OPEN_WAL)) /* the system's file itself */
    return system_vfs ()->xOpen (system_vfs (), name, file, flags, out_flags);

  memset (file, 0, sizeof (LogFile));
  code = system_vfs ()->xOpen (system_vfs (), name, get_real (file), flags, out_flags);
  if (code == SQLITE_OK)
    file->pMethods = &log_methods;

  return code;
}

const char *
pr_vfs_get_name (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      sqlite3_vfs *real = sqlite3_vfs_find (NULL);

      if (real != NULL)
        {
          vfs = *real;
          vfs.pNext = NULL;
          vfs.zName = "postroom";
          vfs.pAppData = real;
          vfs.szOsFile += (int) sizeof (LogFile);
          vfs.xOpen = open_file;
          if (sqlite3_vfs_register (&vfs, FALSE) != SQLITE_OK)
            vfs.zName = NULL;
        }
      g_once_init_leave (&once, 1);
    }

  return vfs.zName;
}
