/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/hosts.h"

/* Above this, entries that say nothing are dropped before one is added. */
#define PRUNE_ABOVE 1024

struct _PrHosts
{
  GHashTable *table; /* owned: key → PrHost */
};

static void
free_host (gpointer data)
{
  PrHost *host = data;

  g_queue_clear (&host->waiting);
  g_free (host->key);
  g_free (host);
}

static gboolean
says_nothing (gpointer key, gpointer value, gpointer user_data)
{
  const PrHost *host = value;

  return host->n_connections == 0 && host->waiting.length == 0 &&
         host->failed_until_us <= g_get_monotonic_time ();
}

PrHosts *
pr_hosts_new (void)
{
  PrHosts *self = g_new0 (PrHosts, 1);

  self->table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_host);
  return self;
}

void
pr_hosts_free (PrHosts *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->table);
  g_free (self);
}

PrHost *
pr_hosts_get (PrHosts *self, const char *route, const char *label)
{
  g_autofree char *key = g_strconcat (route, "|", label, NULL);
  PrHost *host = g_hash_table_lookup (self->table, key);

  if (host != NULL)
    return host;
  if (g_hash_table_size (self->table) > PRUNE_ABOVE)
    g_hash_table_foreach_remove (self->table, says_nothing, NULL);
  host = g_new0 (PrHost, 1);
  host->key = g_steal_pointer (&key);
  g_queue_init (&host->waiting);
  g_hash_table_insert (self->table, host->key, host);
  return host;
}

gboolean
pr_hosts_has_failed (PrHosts *self, const char *route, const char *label)
{
  g_autofree char *key = g_strconcat (route, "|", label, NULL);
  const PrHost *host = g_hash_table_lookup (self->table, key);

  return host != NULL && host->failed_until_us > g_get_monotonic_time ();
}

void
pr_host_note_failure (PrHost *self)
{
  self->failed_until_us = g_get_monotonic_time () + PR_HOST_FAILED_US;
}

void
pr_hosts_forget_failures (PrHosts *self)
{
  GHashTableIter iter;
  PrHost *host;

  g_hash_table_iter_init (&iter, self->table);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &host))
    host->failed_until_us = 0;
}
