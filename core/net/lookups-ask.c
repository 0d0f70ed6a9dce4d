/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions of checks, put to the resolver. */

#include "net/lookups-ask.h"

#include "common/error.h"

typedef struct
{
  PrLookupsAsk *ask; /* borrowed */
  PrRecordKind kind;
  char *name; /* owned */
  guint token;
} Question;

struct _PrLookupsAsk
{
  PrLookups *lookups;    /* borrowed */
  PrResolver *resolver;  /* borrowed */
  GHashTable *questions; /* a set of Question, owned */
  void (*answered) (gpointer user_data);
  gpointer user_data;
};

static void
question_free (gpointer data)
{
  Question *self = data;

  g_free (self->name);
  g_free (self);
}

PrLookupsAsk *
pr_lookups_ask_new (PrLookups *lookups, PrResolver *resolver, void (*answered) (gpointer user_data),
                    gpointer user_data)
{
  PrLookupsAsk *self = g_new0 (PrLookupsAsk, 1);

  self->lookups = lookups;
  self->resolver = resolver;
  self->questions = g_hash_table_new_full (NULL, NULL, question_free, NULL);
  self->answered = answered;
  self->user_data = user_data;

  return self;
}

void
pr_lookups_ask_free (PrLookupsAsk *self)
{
  GHashTableIter iter;
  gpointer question;

  g_hash_table_iter_init (&iter, self->questions);
  while (g_hash_table_iter_next (&iter, &question, NULL))
    pr_resolver_cancel (self->resolver, ((Question *) question)->token);
  g_hash_table_unref (self->questions);
  g_free (self);
}

static void
on_records (GPtrArray *values, const GError *error, gpointer user_data)
{
  Question *question = user_data;
  PrLookupsAsk *self = question->ask;
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  PrLookupStatus status = PR_LOOKUP_FOUND;

  for (guint i = 0; values != NULL && i < values->len; i++)
    g_ptr_array_add (list, g_ptr_array_index (values, i));
  g_ptr_array_add (list, NULL);
  if (error != NULL)
    status =
      g_error_matches (error, PR_ERROR, PR_ERROR_PERMANENT) ? PR_LOOKUP_NONE : PR_LOOKUP_FAILED;
  pr_lookups_add (self->lookups, question->kind, question->name, status,
                  (const char *const *) list->pdata);

  g_hash_table_remove (self->questions, question);
  if (g_hash_table_size (self->questions) == 0)
    self->answered (self->user_data);
}

gboolean
pr_lookups_ask_wanted (PrLookupsAsk *self)
{
  PrRecordKind kind;
  char *name;

  while (pr_lookups_take_wanted (self->lookups, &kind, &name))
    {
      Question *question = g_new0 (Question, 1);

      question->ask = self;
      question->kind = kind;
      question->name = name;
      g_hash_table_add (self->questions, question);
      question->token = pr_resolver_find_records (self->resolver, kind, name, on_records, question);
    }

  return g_hash_table_size (self->questions) > 0;
}
