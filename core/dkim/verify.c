/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Verifies DKIM signatures (RFC 6376 §6.1).
 *
 *   header ──► items: one for each signature, read or refused ──┐
 *   body   ──► bodies: one hash for each canonical form wanted ──┼──► check: expiry, body hash,
 * key, DNS    ──► keys ────────────────────────────────────────────┘     header hash
 */
#include "dkim/verify.h"

#include "dkim/signature.h"

#include <string.h>

typedef struct
{
  PrDkimSignature public;
  PrDkimFields read; /* owned */
  guint field;       /* index */
  guint body;        /* index; where it is not decided */
  gboolean decided;
} Item;

typedef struct
{
  PrCanon canon;
  guint64 limit;
  PrCanonBody *body; /* owned until the end of the body */
  guint64 n_octets;
  guint8 hash[PR_CANON_HASH_LEN];
} Body;

struct _PrDkimVerifier
{
  char *header;   /* owned */
  GArray *fields; /* of PrCanonField */
  GArray *items;  /* of Item */
  GArray *bodies; /* of Body */
  gboolean ended;
};

static void
clear_item (gpointer item)
{
  pr_dkim_fields_clear (&((Item *) item)->read);
}

static void
clear_body (gpointer body)
{
  g_clear_pointer (&((Body *) body)->body, pr_canon_body_free);
}

static void
decide (Item *item, PrDkimStatus status, const char *problem)
{
  item->public.status = status;
  item->public.problem = problem;
  item->decided = TRUE;
}

/* The hash that @item needs, shared with others that need the same. */
static gboolean
want_body (PrDkimVerifier *self, Item *item)
{
  Body body = { .canon = item->read.body_canon, .limit = item->read.body_limit };

  for (guint i = 0; i < self->bodies->len; i++)
    {
      const Body *other = &g_array_index (self->bodies, Body, i);

      item->body = i;
      if (other->canon == body.canon && other->limit == body.limit)
        return TRUE;
    }
  if (self->bodies->len == PR_DKIM_MAX_BODIES)
    return FALSE;

  body.body = pr_canon_body_new (body.canon, body.limit);
  item->body = self->bodies->len;
  g_array_append_val (self->bodies, body);
  return TRUE;
}

static void
add_item (PrDkimVerifier *self, guint field)
{
  Item item = { .field = field };
  const char *problem = pr_dkim_fields_read (
    &item.read, &g_array_index (self->fields, PrCanonField, field), PR_DKIM_SIGNATURE);

  item.public.domain = item.read.domain;
  item.public.selector = item.read.selector;
  item.public.identity = item.read.identity;
  item.public.algorithm = item.read.algorithm_name;
  item.public.start = item.read.start;
  if (problem != NULL)
    decide (&item, PR_DKIM_PERMERROR, problem);
  else if (self->items->len >= PR_DKIM_MAX_SIGNATURES || !want_body (self, &item))
    decide (&item, PR_DKIM_NEUTRAL, "the message bears too many signatures");
  g_array_append_val (self->items, item);
}

PrDkimVerifier *
pr_dkim_verifier_new (const char *header, gsize len)
{
  PrDkimVerifier *self = g_new0 (PrDkimVerifier, 1);

  self->header = g_memdup2 (header, len);
  self->fields = pr_canon_split (self->header, len);
  self->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (self->items, clear_item);
  self->bodies = g_array_new (FALSE, FALSE, sizeof (Body));
  g_array_set_clear_func (self->bodies, clear_body);

  if (self->fields->len <= PR_DKIM_MAX_FIELDS)
    for (guint i = 0; i < self->fields->len && self->items->len <= PR_DKIM_MAX_SIGNATURES; i++)
      if (pr_canon_field_is (&g_array_index (self->fields, PrCanonField, i), "DKIM-Signature"))
        add_item (self, i);

  return self;
}

void
pr_dkim_verifier_free (PrDkimVerifier *self)
{
  g_array_unref (self->items);
  g_array_unref (self->bodies);
  g_array_unref (self->fields);
  g_free (self->header);
  g_free (self);
}

void
pr_dkim_verifier_feed (PrDkimVerifier *self, const char *data, gsize len)
{
  for (guint i = 0; i < self->bodies->len; i++)
    pr_canon_body_feed (g_array_index (self->bodies, Body, i).body, data, len);
}

static void
end_body (PrDkimVerifier *self)
{
  for (guint i = 0; i < self->bodies->len && !self->ended; i++)
    {
      Body *body = &g_array_index (self->bodies, Body, i);

      body->n_octets = pr_canon_body_finish (body->body, body->hash);
      g_clear_pointer (&body->body, pr_canon_body_free);
    }
  self->ended = TRUE;
}

/* What needs no key. */
static gboolean
passes_locally (PrDkimVerifier *self, Item *item, gint64 now_s)
{
  const Body *body = &g_array_index (self->bodies, Body, item->body);
  const PrDkimFields *read = &item->read;

  item->public.partial = read->body_limit < body->n_octets;
  if (read->expires_s < (guint64) MAX (now_s, 0))
    decide (item, PR_DKIM_FAIL, "the signature has expired");
  else if (read->body_limit != G_MAXUINT64 && read->body_limit > body->n_octets)
    decide (item, PR_DKIM_PERMERROR, "the body is shorter than what was signed");
  else if (memcmp (g_bytes_get_data (read->body_hash, NULL), body->hash, PR_CANON_HASH_LEN) != 0)
    decide (item, PR_DKIM_FAIL, "the body was changed after it was signed");

  return !item->decided;
}

static gboolean
identity_is_domain (const PrDkimFields *read)
{
  return strcmp (strrchr (read->identity, '@') + 1, read->domain) == 0;
}

static void
verify (PrDkimVerifier *self, Item *item, const PrDkimKey *key)
{
  guint8 hash[PR_CANON_HASH_LEN];

  item->public.testing = pr_dkim_key_is_testing (key);
  if (pr_dkim_key_get_algorithm (key) != item->read.algorithm)
    decide (item, PR_DKIM_PERMERROR, "the key is of another kind than the signature");
  else if (pr_dkim_key_is_strict (key) && !identity_is_domain (&item->read))
    decide (item, PR_DKIM_PERMERROR, "the key does not speak for the name that signed");
  else if (pr_dkim_fields_hash (&item->read, self->fields, item->field, hash),
           pr_dkim_key_verify (key, hash, item->read.signature))
    decide (item, PR_DKIM_PASS, NULL);
  else
    decide (item, PR_DKIM_FAIL,
            "the header was changed after it was signed, or the key is another");
}

/* One of several records will do; they are tried in turn. FALSE: not there yet. */
static gboolean
check_key (PrDkimVerifier *self, Item *item, PrLookups *lookups)
{
  g_autofree char *name =
    g_strconcat (item->read.selector, "._domainkey.", item->read.domain, NULL);
  const PrLookup *lookup = pr_lookups_find (lookups, PR_RECORD_TEXT, name);

  if (lookup == NULL)
    return FALSE;
  if (lookup->status == PR_LOOKUP_FAILED)
    decide (item, PR_DKIM_TEMPERROR, "DNS gave no answer for the key");
  else if (lookup->status == PR_LOOKUP_NONE)
    decide (item, PR_DKIM_PERMERROR, "the domain publishes no such key");

  for (guint i = 0; i < MIN (lookup->values->len, 4) && item->public.status != PR_DKIM_PASS; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PrDkimKey) key = pr_dkim_key_parse (g_ptr_array_index (lookup->values, i), &error);

      if (key != NULL)
        verify (self, item, key);
      else if (!item->decided)
        decide (item, PR_DKIM_PERMERROR, g_intern_string (error->message));
    }

  return TRUE;
}

gboolean
pr_dkim_verifier_check (PrDkimVerifier *self, PrLookups *lookups, gint64 now_s)
{
  gboolean complete = TRUE;

  end_body (self);
  for (guint i = 0; i < self->items->len; i++)
    {
      Item *item = &g_array_index (self->items, Item, i);

      if (!item->decided && passes_locally (self, item, now_s))
        complete &= check_key (self, item, lookups);
    }

  return complete;
}

guint
pr_dkim_verifier_count (const PrDkimVerifier *self)
{
  return self->items->len;
}

const PrDkimSignature *
pr_dkim_verifier_get (const PrDkimVerifier *self, guint index)
{
  return &g_array_index (self->items, Item, index).public;
}

const char *
pr_dkim_status_name (PrDkimStatus status)
{
  static const char *const names[] = { "neutral", "pass", "fail", "temperror", "permerror" };

  return names[status];
}
