/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers of DNS by kind and name, and the questions that wait for one. */

#include "net/lookups.h"

#include <string.h>

#define MAX_LABEL 63 /* RFC 1035 §2.3.4 */
#define MAX_NAME 253

typedef struct
{
  PrLookup lookup;
  PrRecordKind kind;
  char *name; /* owned: lower case, no dot at its end */
  gboolean answered;
} Entry;

struct _PrLookups
{
  GHashTable *entries; /* a set of Entry, owned */
  GQueue wanted;       /* of Entry, borrowed */
  guint n_missing;
  gboolean given_up;
};

static guint
entry_hash (gconstpointer entry)
{
  const Entry *self = entry;

  return g_str_hash (self->name) + self->kind;
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *left = a, *right = b;

  return left->kind == right->kind && strcmp (left->name, right->name) == 0;
}

static void
entry_free (gpointer entry)
{
  Entry *self = entry;

  g_ptr_array_unref (self->lookup.values);
  g_free (self->name);
  g_free (self);
}

static char *
normalise (const char *name)
{
  char *out = g_ascii_strdown (name, -1);
  gsize len = strlen (out);

  if (len > 0 && out[len - 1] == '.')
    out[len - 1] = '\0';

  return out;
}

/* Whether a question for it can be put on the wire as it is written: a backslash would be read as
 * an escape, and what is not printable has no place in a host's or a policy's name. */
static gboolean
is_askable (const char *name)
{
  gsize label = 0, len = strlen (name);

  if (len == 0 || len > MAX_NAME)
    return FALSE;

  for (gsize i = 0; i <= len; i++)
    if (name[i] == '.' || name[i] == '\0')
      {
        if (label == 0 || label > MAX_LABEL)
          return FALSE;
        label = 0;
      }
    else if (name[i] < ' ' || name[i] >= 0x7f || name[i] == '\\')
      return FALSE;
    else
      label++;

  return TRUE;
}

char *
pr_lookups_reverse (const PrIp *ip)
{
  GString *out = g_string_sized_new (64);

  if (pr_ip_is_v4 (ip))
    g_string_printf (out, "%u.%u.%u.%u", ip->octets[15], ip->octets[14], ip->octets[13],
                     ip->octets[12]);
  else
    for (guint i = sizeof ip->octets; i > 0; i--)
      g_string_append_printf (out, "%x.%x%s", ip->octets[i - 1] & 15, ip->octets[i - 1] >> 4,
                              i > 1 ? "." : "");

  return g_string_free (out, FALSE);
}

char *
pr_lookups_reverse_name (const PrIp *ip)
{
  g_autofree char *reverse = pr_lookups_reverse (ip);

  return g_strconcat (reverse, pr_ip_is_v4 (ip) ? ".in-addr.arpa" : ".ip6.arpa", NULL);
}

PrLookups *
pr_lookups_new (void)
{
  PrLookups *self = g_new0 (PrLookups, 1);

  self->entries = g_hash_table_new_full (entry_hash, entry_equal, entry_free, NULL);
  return self;
}

void
pr_lookups_free (PrLookups *self)
{
  g_queue_clear (&self->wanted);
  g_hash_table_unref (self->entries);
  g_free (self);
}

static Entry *
get_entry (PrLookups *self, PrRecordKind kind, const char *name)
{
  g_autofree char *normal = normalise (name);
  Entry key = { .kind = kind, .name = normal };
  Entry *entry = g_hash_table_lookup (self->entries, &key);

  if (entry != NULL)
    return entry;

  entry = g_new0 (Entry, 1);
  entry->kind = kind;
  entry->name = g_steal_pointer (&normal);
  entry->lookup.values = g_ptr_array_new_with_free_func (g_free);
  entry->lookup.status = PR_LOOKUP_NONE;
  g_hash_table_add (self->entries, entry);
  self->n_missing++;

  return entry;
}

static void
answer (PrLookups *self, Entry *entry, PrLookupStatus status)
{
  entry->lookup.status = status;
  entry->answered = TRUE;
  self->n_missing--;
}

const PrLookup *
pr_lookups_find (PrLookups *self, PrRecordKind kind, const char *name)
{
  guint before = g_hash_table_size (self->entries);
  Entry *entry = get_entry (self, kind, name);

  if (g_hash_table_size (self->entries) > before)
    {
      if (!is_askable (entry->name))
        answer (self, entry, PR_LOOKUP_NONE);
      else if (before >= PR_LOOKUPS_MAX || self->given_up)
        answer (self, entry, PR_LOOKUP_FAILED);
      else
        g_queue_push_tail (&self->wanted, entry);
    }

  return entry->answered ? &entry->lookup : NULL;
}

void
pr_lookups_add (PrLookups *self, PrRecordKind kind, const char *name, PrLookupStatus status,
                const char *const *values)
{
  Entry *entry = get_entry (self, kind, name);

  if (entry->answered)
    {
      g_return_if_fail (self->given_up);
      return;
    }

  g_queue_remove (&self->wanted, entry);
  for (; status == PR_LOOKUP_FOUND && values != NULL && *values != NULL; values++)
    g_ptr_array_add (entry->lookup.values, g_strdup (*values));
  answer (self, entry,
          status == PR_LOOKUP_FOUND && entry->lookup.values->len == 0 ? PR_LOOKUP_NONE : status);
}

void
pr_lookups_give_up (PrLookups *self)
{
  GHashTableIter iter;
  gpointer entry;

  self->given_up = TRUE;
  g_queue_clear (&self->wanted);
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, &entry, NULL))
    if (!((Entry *) entry)->answered)
      answer (self, entry, PR_LOOKUP_FAILED);
}

gboolean
pr_lookups_take_wanted (PrLookups *self, PrRecordKind *kind, char **name)
{
  Entry *entry = g_queue_pop_head (&self->wanted);

  if (entry == NULL)
    return FALSE;

  *kind = entry->kind;
  *name = g_strdup (entry->name);
  return TRUE;
}

guint
pr_lookups_count_missing (const PrLookups *self)
{
  return self->n_missing;
}
