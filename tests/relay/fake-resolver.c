/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/fake-resolver.h"

#include <string.h>

#include "common/error.h"

struct _PrResolver
{
  GMainContext *context;
  GHashTable *questions; /* token → Question */
  guint last_token;
};

typedef struct
{
  PrResolver *resolver;
  guint token;
  char *name;
  PrMxFunc on_exchangers;
  PrHostFunc on_addresses;
  PrRecordsFunc on_texts;
  gpointer user_data;
  GSource *source;
} Question;

static GHashTable *hosts, *domains, *texts;
static gboolean is_broken;
static guint n_forgets, n_texts;

static void
free_question (gpointer data)
{
  Question *question = data;

  g_source_destroy (question->source);
  g_source_unref (question->source);
  g_free (question->name);
  g_free (question);
}

static void
clear_exchanger (gpointer data)
{
  g_free (((PrExchanger *) data)->host);
}

static GPtrArray *
find_host (const char *name, GError **error)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_object_unref);
  GInetAddress *literal = g_inet_address_new_from_string (name);
  const char *known = hosts != NULL ? g_hash_table_lookup (hosts, name) : NULL;
  g_auto (GStrv) words = g_strsplit (known != NULL ? known : "", " ", -1);

  if (literal != NULL)
    g_ptr_array_add (found, literal);
  for (guint i = 0; known != NULL && words[i] != NULL; i++)
    g_ptr_array_add (found, g_inet_address_new_from_string (words[i]));
  if (found->len > 0)
    return found;
  g_ptr_array_unref (found);
  g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "There is no host of this name");
  return NULL;
}

static GArray *
find_domain (const char *name, GError **error)
{
  const char *known = domains != NULL ? g_hash_table_lookup (domains, name) : NULL;
  g_auto (GStrv) words = NULL;
  GArray *found;

  if (known == NULL || *known == '\0')
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s",
                   known == NULL ? "There is no domain of this name"
                                 : "The domain takes no mail (null MX)");
      return NULL;
    }
  words = g_strsplit (known, " ", -1);
  found = g_array_new (FALSE, FALSE, sizeof (PrExchanger));
  g_array_set_clear_func (found, clear_exchanger);
  for (guint i = 0; words[i] != NULL && words[i + 1] != NULL; i += 2)
    {
      PrExchanger exchanger = { .host = g_strdup (words[i + 1]),
                                .preference = (guint16) g_ascii_strtoull (words[i], NULL, 10) };

      g_array_append_val (found, exchanger);
    }
  return found;
}

static GPtrArray *
find_texts (const char *name, GError **error)
{
  GPtrArray *known = texts != NULL ? g_hash_table_lookup (texts, name) : NULL;

  if (known != NULL)
    return g_ptr_array_ref (known);
  g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s does not exist", name);
  return NULL;
}

static gboolean
on_answer (gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) addresses = NULL;
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (GArray) exchangers = NULL;

  g_hash_table_steal (question->resolver->questions, GUINT_TO_POINTER (question->token));
  if (is_broken)
    g_set_error (&error, PR_ERROR, PR_ERROR_TEMPORARY, "No name server answers");
  else if (question->on_addresses != NULL)
    addresses = find_host (question->name, &error);
  else if (question->on_texts != NULL)
    found = find_texts (question->name, &error);
  else
    exchangers = find_domain (question->name, &error);
  if (question->on_addresses != NULL)
    question->on_addresses (addresses, error, question->user_data);
  else if (question->on_texts != NULL)
    question->on_texts (found, error, question->user_data);
  else
    question->on_exchangers (exchangers, error, question->user_data);
  free_question (question);
  return G_SOURCE_REMOVE;
}

static Question *
ask (PrResolver *self, const char *name, gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->resolver = self;
  question->token = ++self->last_token;
  question->name = g_strdup (name);
  question->user_data = user_data;
  question->source = g_idle_source_new ();
  g_source_set_callback (question->source, on_answer, question, NULL);
  g_source_attach (question->source, self->context);
  g_hash_table_insert (self->questions, GUINT_TO_POINTER (question->token), question);
  return question;
}

PrResolver *
pr_resolver_new (GMainContext *context)
{
  PrResolver *self = g_new0 (PrResolver, 1);

  self->context = context;
  self->questions = g_hash_table_new_full (NULL, NULL, NULL, free_question);
  return self;
}

void
pr_resolver_free (PrResolver *self)
{
  g_hash_table_unref (self->questions);
  g_free (self);
}

guint
pr_resolver_find_exchangers (PrResolver *self, const char *domain, PrMxFunc func,
                             gpointer user_data)
{
  Question *question = ask (self, domain, user_data);

  question->on_exchangers = func;
  return question->token;
}

guint
pr_resolver_find_addresses (PrResolver *self, const char *host, PrHostFunc func, gpointer user_data)
{
  Question *question = ask (self, host, user_data);

  question->on_addresses = func;
  return question->token;
}

guint
pr_resolver_find_records (PrResolver *self, PrRecordKind kind, const char *name, PrRecordsFunc func,
                          gpointer user_data)
{
  Question *question = ask (self, name, user_data);

  g_assert_cmpint (kind, ==, PR_RECORD_TEXT);
  n_texts++;
  question->on_texts = func;
  return question->token;
}

void
pr_resolver_cancel (PrResolver *self, guint token)
{
  g_assert_true (g_hash_table_remove (self->questions, GUINT_TO_POINTER (token)));
}

void
pr_resolver_forget (PrResolver *self)
{
  n_forgets++;
}

static void
remember (GHashTable **table, const char *name, const char *answer)
{
  if (*table == NULL)
    *table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert (*table, g_strdup (name), g_strdup (answer));
}

void
fake_resolver_add_host (const char *host, const char *addresses)
{
  remember (&hosts, host, addresses);
}

void
fake_resolver_add_domain (const char *domain, const char *exchangers)
{
  remember (&domains, domain, exchangers);
}

void
fake_resolver_add_text (const char *name, const char *text)
{
  GPtrArray *known;

  if (texts == NULL)
    texts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  known = g_hash_table_lookup (texts, name);
  if (known == NULL)
    {
      known = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (texts, g_strdup (name), known);
    }
  if (*text != '\0')
    g_ptr_array_add (known, g_strdup (text));
}

void
fake_resolver_remove_texts (const char *name)
{
  if (texts != NULL)
    g_hash_table_remove (texts, name);
}

guint
fake_resolver_count_texts (void)
{
  return n_texts;
}

void
fake_resolver_set_broken (gboolean broken)
{
  is_broken = broken;
}

guint
fake_resolver_count_forgets (void)
{
  return n_forgets;
}

void
fake_resolver_clear (void)
{
  g_clear_pointer (&hosts, g_hash_table_unref);
  g_clear_pointer (&domains, g_hash_table_unref);
  g_clear_pointer (&texts, g_hash_table_unref);
  is_broken = FALSE;
  n_forgets = n_texts = 0;
}
