/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/fake-dnssec.h"

#include <string.h>

typedef struct
{
  PrDnssecTrust trust;
  gboolean exists;
  GPtrArray *records;
  char *canonical; /* nullable */
} Known;

struct _PrDnssec
{
  PrLoop *loop;
  GHashTable *questions; /* token → Question */
  guint last_token;
};

typedef struct
{
  PrDnssec *dnssec;
  guint token;
  char *name;
  guint16 type;
  PrDnssecFunc func;
  gpointer user_data;
  PrTimer timer;
} Question;

static GHashTable *table; /* "name type" → Known */
static guint n_questions;

static void
free_known (gpointer data)
{
  Known *known = data;

  g_ptr_array_unref (known->records);
  g_free (known->canonical);
  g_free (known);
}

static Known *
find (const char *name, guint16 type)
{
  g_autofree char *key = g_strdup_printf ("%s %u", name, type);

  return table != NULL ? g_hash_table_lookup (table, key) : NULL;
}

static Known *
get (const char *name, guint16 type)
{
  Known *known = find (name, type);

  if (table == NULL)
    table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_known);
  if (known != NULL)
    return known;
  known = g_new0 (Known, 1);
  known->exists = TRUE;
  known->trust = PR_DNSSEC_INSECURE;
  known->records = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_hash_table_insert (table, g_strdup_printf ("%s %u", name, type), known);
  return known;
}

void
fake_dnssec_add (const char *name, guint16 type, PrDnssecTrust trust, const guint8 *octets,
                 gsize len)
{
  Known *known = get (name, type);

  known->trust = trust;
  if (octets != NULL)
    g_ptr_array_add (known->records, g_bytes_new (octets, len));
}

static void
append_name (GByteArray *wire, const char *name)
{
  g_auto (GStrv) labels = g_strsplit (name, ".", -1);

  for (char **label = labels; *label != NULL; label++)
    if (**label != '\0')
      {
        guint8 len = (guint8) strlen (*label);

        g_byte_array_append (wire, &len, 1);
        g_byte_array_append (wire, (const guint8 *) *label, len);
      }
  g_byte_array_append (wire, (const guint8 *) "", 1);
}

void
fake_dnssec_add_exchangers (const char *domain, PrDnssecTrust trust, const char *exchangers)
{
  g_auto (GStrv) words = g_strsplit (exchangers, " ", -1);

  for (char **word = words; word[0] != NULL && word[1] != NULL; word += 2)
    {
      g_autoptr (GByteArray) wire = g_byte_array_new ();
      guint8 preference[2] = { 0, (guint8) atoi (word[0]) };

      g_byte_array_append (wire, preference, 2);
      append_name (wire, word[1]);
      fake_dnssec_add (domain, PR_DNS_MX, trust, wire->data, wire->len);
    }
}

void
fake_dnssec_add_host (const char *host, PrDnssecTrust trust)
{
  fake_dnssec_add (host, PR_DNS_A, trust, (const guint8 *) "\177\0\0\1", 4);
  fake_dnssec_add (host, PR_DNS_AAAA, trust, NULL, 0);
}

void
fake_dnssec_add_alias (const char *name, guint16 type, const char *canonical)
{
  Known *known = get (name, type);

  g_free (known->canonical);
  known->canonical = g_strdup (canonical);
}

void
fake_dnssec_deny (const char *name, guint16 type)
{
  Known *known = get (name, type);

  known->trust = PR_DNSSEC_SECURE;
  known->exists = FALSE;
}

guint
fake_dnssec_count (void)
{
  return n_questions;
}

void
fake_dnssec_clear (void)
{
  g_clear_pointer (&table, g_hash_table_unref);
  n_questions = 0;
}

/* ── As net/dnssec.h has it ───────────────────────────────────────────────────────────────── */

static void
free_question (gpointer data)
{
  Question *question = data;

  pr_timer_stop (&question->timer);
  g_free (question->name);
  g_free (question);
}

static void
on_turn (gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  Known *known = find (question->name, question->type);
  const char *canonical =
    known != NULL && known->canonical != NULL ? known->canonical : question->name;
  PrDnssecAnswer answer = { .trust = PR_DNSSEC_INSECURE, .exists = TRUE, .records = none };

  known = find (canonical, question->type);
  if (known != NULL)
    {
      answer.trust = known->trust;
      answer.exists = known->exists;
      answer.records = known->records;
      answer.why = known->trust >= PR_DNSSEC_BOGUS ? "the test said so" : NULL;
    }
  answer.canonical = canonical;
  g_hash_table_steal (question->dnssec->questions, GUINT_TO_POINTER (question->token));
  question->func (&answer, question->user_data);
  free_question (question);
}

PrDnssec *
pr_dnssec_new (PrLoop *loop)
{
  PrDnssec *self = g_new0 (PrDnssec, 1);

  self->loop = loop;
  self->questions = g_hash_table_new_full (NULL, NULL, NULL, free_question);
  return self;
}

void
pr_dnssec_free (PrDnssec *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->questions);
  g_free (self);
}

guint
pr_dnssec_ask (PrDnssec *self, const char *name, guint16 type, PrDnssecFunc func,
               gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  n_questions++;
  question->dnssec = self;
  question->token = ++self->last_token;
  question->name = g_strdup (name);
  question->type = type;
  question->func = func;
  question->user_data = user_data;
  g_hash_table_insert (self->questions, GUINT_TO_POINTER (question->token), question);
  pr_timer_start (&question->timer, self->loop, 0, on_turn, question);
  return question->token;
}

void
pr_dnssec_cancel (PrDnssec *self, guint token)
{
  g_hash_table_remove (self->questions, GUINT_TO_POINTER (token));
}

void
pr_dnssec_forget (PrDnssec *self)
{
}

void
pr_dnssec_set_anchor (PrDnssec *self, const char *path)
{
}

void
pr_dnssec_set_server (PrDnssec *self, const char *server)
{
}

char *
pr_dns_read_name (const guint8 *data, gsize len)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (gsize at = 0; at < len && data[at] != 0; at += data[at] + 1u)
    g_string_append_printf (name, "%s%.*s", name->len > 0 ? "." : "", data[at],
                            (const char *) data + at + 1);
  return g_string_free (g_steal_pointer (&name), FALSE);
}
