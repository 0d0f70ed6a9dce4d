/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Failures to sign in, for each client. */

#include "guard/attempts.h"

#include <stdio.h>

#define FIRST_DELAY_MS 500
#define MAX_DELAY_MS 8000

typedef struct
{
  guint n_failures;
  gint64 last_us, refused_until_us;
} Record;

struct _PrAttempts
{
  GHashTable *clients; /* owned: PrIp (owned) to Record (owned) */
};

PrAttempts *
pr_attempts_new (void)
{
  PrAttempts *self = g_new0 (PrAttempts, 1);

  self->clients = g_hash_table_new_full (pr_ip_hash, pr_ip_equal, g_free, g_free);

  return self;
}

void
pr_attempts_free (PrAttempts *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->clients);
  g_free (self);
}

static Record *
find (PrAttempts *self, const PrIp *client)
{
  PrIp key = pr_ip_client_key (client);

  return g_hash_table_lookup (self->clients, &key);
}

/* Only somebody with thousands of addresses comes here; a refusal outlives a mere failure. */
static void
forget_oldest (PrAttempts *self)
{
  GHashTableIter iter;
  gpointer key, value;
  gpointer oldest = NULL;
  gint64 oldest_us = G_MAXINT64;

  g_hash_table_iter_init (&iter, self->clients);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const Record *record = value;
      gint64 at_us = MAX (record->last_us, record->refused_until_us);

      if (at_us < oldest_us)
        {
          oldest_us = at_us;
          oldest = key;
        }
    }
  if (oldest != NULL)
    g_hash_table_remove (self->clients, oldest);
}

static Record *
find_or_add (PrAttempts *self, const PrIp *client)
{
  PrIp key = pr_ip_client_key (client);
  Record *record = g_hash_table_lookup (self->clients, &key);

  if (record != NULL)
    return record;

  if (g_hash_table_size (self->clients) >= PR_ATTEMPTS_MAX_CLIENTS)
    forget_oldest (self);
  record = g_new0 (Record, 1);
  g_hash_table_insert (self->clients, g_memdup2 (&key, sizeof key), record);
  return record;
}

/* The clock may have been set: nothing lasts longer than it would have from now on. */
static void
bound (Record *record, gint64 now_us)
{
  record->last_us = MIN (record->last_us, now_us);
  record->refused_until_us = MIN (record->refused_until_us, now_us + PR_ATTEMPTS_REFUSE_US);
}

PrVerdict
pr_attempts_check (PrAttempts *self, const PrIp *client, gint64 now_us)
{
  Record *record = find (self, client);

  if (record == NULL)
    return PR_ACCEPT;

  bound (record, now_us);
  if (now_us < record->refused_until_us)
    return PR_CLOSE (421, "4.7.0",
                     "Signing in failed too often from your address; try again later");

  return PR_ACCEPT;
}

guint
pr_attempts_fail (PrAttempts *self, const PrIp *client, gint64 now_us, gboolean *refused)
{
  Record *record = find_or_add (self, client);
  guint delay_ms;

  bound (record, now_us);
  if (now_us - record->last_us >= PR_ATTEMPTS_FORGET_US)
    record->n_failures = 0;
  record->last_us = now_us;
  record->n_failures++;
  delay_ms = MIN (FIRST_DELAY_MS << MIN (record->n_failures - 1, 8), MAX_DELAY_MS);

  *refused = record->n_failures >= PR_ATTEMPTS_MAX && now_us >= record->refused_until_us;
  if (*refused)
    {
      record->refused_until_us = now_us + PR_ATTEMPTS_REFUSE_US;
      record->n_failures = PR_ATTEMPTS_MAX / 2; /* the next time it has fewer */
      delay_ms = FIRST_DELAY_MS;                /* it will wait long enough */
    }

  return delay_ms;
}

gboolean
pr_attempts_succeed (PrAttempts *self, const PrIp *client)
{
  PrIp key = pr_ip_client_key (client);

  return g_hash_table_remove (self->clients, &key);
}

char *
pr_attempts_save (PrAttempts *self, const PrIp *client)
{
  const Record *record = find (self, client);

  if (record == NULL)
    return NULL;

  return g_strdup_printf ("%u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, record->n_failures,
                          record->last_us, record->refused_until_us);
}

gboolean
pr_attempts_load (PrAttempts *self, const PrIp *client, const char *text, gint64 now_us)
{
  Record read = { 0 };
  g_auto (GStrv) numbers = g_strsplit (text, " ", 4);
  guint64 n_failures;

  if (g_strv_length (numbers) != 3 ||
      !g_ascii_string_to_unsigned (numbers[0], 10, 0, 999999, &n_failures, NULL) ||
      !g_ascii_string_to_signed (numbers[1], 10, 0, G_MAXINT64, &read.last_us, NULL) ||
      !g_ascii_string_to_signed (numbers[2], 10, 0, G_MAXINT64, &read.refused_until_us, NULL))
    return FALSE;
  read.n_failures = (guint) n_failures;

  bound (&read, now_us);
  if (now_us >= read.refused_until_us && now_us - read.last_us >= PR_ATTEMPTS_FORGET_US)
    return FALSE;

  *find_or_add (self, client) = read;
  return TRUE;
}

guint
pr_attempts_count (const PrAttempts *self)
{
  return g_hash_table_size (self->clients);
}
