/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client dialogue against arbitrary octets from a server. The first octet chooses: bit 0 LMTP,
 * bit 1 one octet at a time, bit 2 a binary message, bit 3 the end of the connection at the end. */
#include "fuzz.h"

#include <string.h>

#include "smtp/client.h"

typedef struct
{
  PrClient *client;
  GString *out;
  gboolean binary, in_transaction, wants_body;
  guint n_transactions, n_failed;
  guint n_results[3];
} Owner;

static const PrRecipient people[] = {
  { (char *) "b@example.net", NULL, PR_NOTIFY_UNSET },
  { (char *) "c@b\303\274cher.example", (char *) "rfc822;c@example.net", PR_NOTIFY_FAILURE },
  { (char *) "\303\274@example.net", NULL, PR_NOTIFY_NEVER },
};
static const PrRecipient *const recipients[] = { &people[0], &people[1], &people[2] };

static void
begin (Owner *owner)
{
  PrTransaction transaction = {
    .sender = "a@example.org",
    .recipients = recipients,
    .n_recipients = G_N_ELEMENTS (recipients),
    .size_octets = 12,
    .body = owner->binary ? PR_BODY_BINARYMIME : PR_BODY_8BITMIME,
    .smtputf8 = owner->n_transactions % 2,
  };

  if (owner->n_transactions++ == 20) /* a server that lets everything fail here has no end */
    return;
  memset (owner->n_results, 0, sizeof owner->n_results);
  owner->in_transaction = TRUE;
  pr_client_send (owner->client, &transaction, owner->out);
}

static void
on_ready (gpointer user_data)
{
  begin (user_data);
}

static void
on_wants_body (gpointer user_data)
{
  ((Owner *) user_data)->wants_body = TRUE;
}

static void
on_result (gpointer user_data, guint index, const PrReply *reply, const char *stage)
{
  Owner *owner = user_data;

  g_assert_true (owner->in_transaction);
  g_assert_cmpuint (index, <, G_N_ELEMENTS (recipients));
  g_assert_cmpuint (++owner->n_results[index], ==, 1);
  g_assert_true (reply->code >= 200 && reply->code < 600);
  /* Only the end of the message delivers. */
  g_assert_true (reply->code >= 400 || g_str_equal (stage, "end of data"));
}

static void
on_finished (gpointer user_data)
{
  Owner *owner = user_data;

  for (gsize i = 0; i < G_N_ELEMENTS (recipients); i++)
    g_assert_cmpuint (owner->n_results[i], ==, 1);
  owner->in_transaction = owner->wants_body = FALSE;
  begin (owner);
}

static void
on_failed (gpointer user_data, const GError *error, const PrReply *reply)
{
  Owner *owner = user_data;

  g_assert_cmpuint (++owner->n_failed, ==, 1);
  owner->in_transaction = owner->wants_body = FALSE;
}

static const PrClientHandler handler = {
  .ready = on_ready,
  .wants_body = on_wants_body,
  .result = on_result,
  .finished = on_finished,
  .failed = on_failed,
};

static void
feed (Owner *owner, const char *data, gsize len)
{
  pr_client_feed (owner->client, data, len, owner->out);
  if (owner->wants_body)
    {
      owner->wants_body = FALSE;
      pr_client_give_body (owner->client, ".\r", 2, FALSE, owner->out);
      pr_client_give_body (owner->client, "\n.", 2, TRUE, owner->out);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Owner owner = { 0 };
  uint8_t mode = size > 0 ? data[0] : 0;

  owner.client = pr_client_new ("relay.example.org", mode & 1, &handler, &owner);
  owner.out = g_string_new (NULL);
  owner.binary = (mode & 4) != 0;

  for (size_t i = 1; (mode & 2) && i < size; i++)
    feed (&owner, (const char *) data + i, 1);
  if (!(mode & 2) && size > 1)
    feed (&owner, (const char *) data + 1, size - 1);
  if (mode & 8)
    pr_client_close (owner.client, NULL);

  g_assert_true (owner.n_failed > 0 || !(mode & 8));
  pr_client_free (owner.client);
  g_string_free (owner.out, TRUE);
  return 0;
}
