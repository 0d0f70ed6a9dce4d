/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One bit for each message that arrived tells a new message from a doubled one:
 * a million messages take 128 KiB. */

#include "tally.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gio/gio.h>

#define MAX_SEQ G_MAXUINT32

struct PrBenchTally
{
  PrBenchShared *shared; /* owned mapping */
  GByteArray *seen[PR_BENCH_MAX_RUNS];
};

PrBenchTally *
pr_bench_tally_new (const char *path, GError **error)
{
  int fd = -1;
  PrBenchShared *shared;
  PrBenchTally *self;

  if (path != NULL)
    {
      fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      if (fd < 0 || ftruncate (fd, sizeof (PrBenchShared)) < 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
          if (fd >= 0)
            close (fd);
          return NULL;
        }
    }
  shared = mmap (NULL, sizeof (PrBenchShared), PROT_READ | PROT_WRITE,
                 fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
  if (fd >= 0)
    close (fd);
  if (shared == MAP_FAILED)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "mmap: %s", g_strerror (errno));
      return NULL;
    }

  self = g_new0 (PrBenchTally, 1);
  self->shared = shared;
  self->shared->magic = PR_BENCH_TALLY_MAGIC;
  return self;
}

void
pr_bench_tally_free (PrBenchTally *self)
{
  for (guint i = 0; i < self->shared->n_runs; i++)
    g_byte_array_unref (self->seen[i]);
  munmap (self->shared, sizeof (PrBenchShared));
  g_free (self);
}

PrBenchShared *
pr_bench_tally_shared (PrBenchTally *self)
{
  return self->shared;
}

/* Returns the index of a run, PR_BENCH_MAX_RUNS if there are too many. */
static guint
find_run (PrBenchTally *self, guint64 run)
{
  guint n = (guint) self->shared->n_runs;

  /* The run that is going on is the newest one. */
  for (guint i = n; i > 0; i--)
    if (self->shared->runs[i - 1].run == run)
      return i - 1;

  if (n < PR_BENCH_MAX_RUNS)
    {
      self->seen[n] = g_byte_array_new ();
      self->shared->runs[n].run = run;
      self->shared->runs[n].first_us = (guint64) g_get_monotonic_time ();
      self->shared->n_runs++;
    }
  return n;
}

static gboolean
mark_seen (GByteArray *seen, guint64 seq)
{
  gsize octet = seq / 8;
  guint8 bit = (guint8) (1u << (seq % 8));
  gsize len = seen->len;

  if (octet >= len)
    {
      g_byte_array_set_size (seen, (guint) MAX (octet + 1, len * 2));
      memset (seen->data + len, 0, seen->len - len);
    }
  if (seen->data[octet] & bit)
    return FALSE;
  seen->data[octet] |= bit;
  return TRUE;
}

void
pr_bench_tally_add (PrBenchTally *self, guint64 run, guint64 seq, gboolean intact,
                    gsize size_octets)
{
  guint index = find_run (self, run);
  PrBenchRun *counts = &self->shared->runs[index];

  if (index == PR_BENCH_MAX_RUNS || seq > MAX_SEQ)
    {
      self->shared->stray++;
      return;
    }
  if (!intact)
    counts->damaged++;
  else if (mark_seen (self->seen[index], seq))
    counts->unique++;
  else
    counts->doubled++;
  counts->octets += size_octets;
  counts->last_us = (guint64) g_get_monotonic_time ();
  counts->arrived++;
}

char *
pr_bench_tally_to_json (PrBenchTally *self, guint64 expected)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (
    out, "{\"stray\": %" G_GUINT64_FORMAT ", \"connections\": %" G_GUINT64_FORMAT ", \"runs\": [",
    self->shared->stray, self->shared->connections);
  for (guint i = 0; i < self->shared->n_runs; i++)
    {
      const PrBenchRun *run = &self->shared->runs[i];

      g_string_append_printf (out,
                              "%s{\"run\": %" G_GUINT64_FORMAT ", \"arrived\": %" G_GUINT64_FORMAT
                              ", \"unique\": %" G_GUINT64_FORMAT ", \"doubled\": %" G_GUINT64_FORMAT
                              ", \"damaged\": %" G_GUINT64_FORMAT ", \"octets\": %" G_GUINT64_FORMAT
                              ", \"first-us\": %" G_GUINT64_FORMAT
                              ", \"last-us\": %" G_GUINT64_FORMAT,
                              i > 0 ? ", " : "", run->run, run->arrived, run->unique, run->doubled,
                              run->damaged, run->octets, run->first_us, run->last_us);
      if (expected > 0)
        g_string_append_printf (out, ", \"lost\": %" G_GUINT64_FORMAT,
                                expected > run->unique ? expected - run->unique : 0);
      g_string_append_c (out, '}');
    }
  g_string_append (out, "]}");
  return g_string_free (out, FALSE);
}
