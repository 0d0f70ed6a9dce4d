/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens made worthless at the provider. */
#include "oauth/revoke.h"

#include "common/error.h"

#define MAX_ANSWER (64 * 1024)
#define DEADLINE_MS (20 * 1000)

typedef struct
{
  PrRevoker *owner;
  guint asking; /* of the web */
  PrRevoked done;
  gpointer user_data;
} Question;

struct _PrRevoker
{
  PrWeb *web;
  GHashTable *open; /* owned: set of Question */
};

PrRevoker *
pr_revoker_new (PrWeb *web)
{
  PrRevoker *self = g_new0 (PrRevoker, 1);

  self->web = web;
  self->open = g_hash_table_new_full (NULL, NULL, g_free, NULL);
  return self;
}

void
pr_revoker_free (PrRevoker *self)
{
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer key;

  if (self == NULL)
    return;
  g_set_error_literal (&error, PR_ERROR, PR_ERROR_TEMPORARY, "Postroom ends");
  g_hash_table_iter_init (&iter, self->open);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      const Question *question = key;

      pr_web_cancel (self->web, question->asking);
      question->done (error, question->user_data);
    }
  g_hash_table_unref (self->open);
  g_free (self);
}

static void
on_answer (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  g_autofree Question *question = user_data;
  g_autoptr (GError) own = NULL;

  g_hash_table_steal (question->owner->open, question);
  if (answer != NULL && !pr_oauth_read_revocation (answer->status, answer->body, answer->len, &own))
    error = own;
  question->done (error, question->user_data);
}

void
pr_revoker_send (PrRevoker *self, const PrOauthClient *client, const PrToken *token,
                 const char *ca_file, PrRevoked done, gpointer user_data)
{
  static const char *const headers[] = { "Accept", "application/json", NULL };
  g_autoptr (GBytes) form = pr_oauth_ask_to_revoke (client, token);
  Question *question = g_new0 (Question, 1);
  PrWebRequest request = {
    .url = client->revoke,
    .headers = headers,
    .content_type = "application/x-www-form-urlencoded",
    .body = form,
    .max_octets = MAX_ANSWER,
    .deadline_ms = DEADLINE_MS,
    .ca_file = ca_file,
  };

  question->owner = self;
  question->done = done;
  question->user_data = user_data;
  question->asking = pr_web_send (self->web, &request, on_answer, question);
  g_hash_table_add (self->open, question);
}
