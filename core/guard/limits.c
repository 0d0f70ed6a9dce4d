/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections at once, in all and for each client. */

#include "guard/limits.h"

struct _PrLimits
{
  guint max_connections, max_per_client;
  guint n_connections;
  GHashTable *clients; /* owned: PrIp (owned) to the number of its connections */
};

PrLimits *
pr_limits_new (guint max_connections, guint max_per_client)
{
  PrLimits *self = g_new0 (PrLimits, 1);

  self->clients = g_hash_table_new_full (pr_ip_hash, pr_ip_equal, g_free, NULL);
  pr_limits_set (self, max_connections, max_per_client);

  return self;
}

void
pr_limits_free (PrLimits *self)
{
  g_hash_table_unref (self->clients);
  g_free (self);
}

void
pr_limits_set (PrLimits *self, guint max_connections, guint max_per_client)
{
  self->max_connections = max_connections;
  self->max_per_client = max_per_client;
}

static guint
count_of (PrLimits *self, const PrIp *key)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->clients, key));
}

static void
set_count (PrLimits *self, const PrIp *key, guint n)
{
  if (n == 0)
    g_hash_table_remove (self->clients, key);
  else
    g_hash_table_replace (self->clients, g_memdup2 (key, sizeof *key), GUINT_TO_POINTER (n));
}

PrVerdict
pr_limits_enter (PrLimits *self, const PrIp *client)
{
  PrIp key = pr_ip_client_key (client);
  guint n = count_of (self, &key);

  if (self->n_connections >= self->max_connections)
    return PR_CLOSE (421, "4.3.2", "Too many connections to this relay; try again later");
  if (n >= self->max_per_client)
    return PR_CLOSE (421, "4.7.0", "Too many connections from your address; try again later");

  self->n_connections++;
  set_count (self, &key, n + 1);

  return PR_ACCEPT;
}

void
pr_limits_leave (PrLimits *self, const PrIp *client)
{
  PrIp key = pr_ip_client_key (client);
  guint n = count_of (self, &key);

  g_return_if_fail (n > 0 && self->n_connections > 0);

  self->n_connections--;
  set_count (self, &key, n - 1);
}

guint
pr_limits_count (const PrLimits *self)
{
  return self->n_connections;
}
