/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/client.h"

/* A PrClient whose handler writes everything into a log, for tests. */
typedef struct
{
  PrClient *client; /* owned */
  GString *out;     /* owned */
  GString *events;  /* owned: "= ready\n= result 0 550 5.1.1 RCPT TO\n" */
  GQueue waiting;   /* of Sending: begun from within finished */
  GPtrArray *begun; /* owned: every Sending, kept as long as the client */
  guint n_finished, n_failed, n_wanted;
  guint n_results[16], n_delivered[16]; /* of the open transaction, by recipient */
} Fixture;

/* A transaction that owns what it points to. */
typedef struct
{
  PrTransaction transaction;
  char *sender, *envid;
  GArray *recipients;  /* of PrRecipient */
  GPtrArray *pointers; /* into recipients */
} Sending;

static void
sending_free (Sending *self)
{
  for (guint i = 0; i < self->recipients->len; i++)
    pr_recipient_clear (&g_array_index (self->recipients, PrRecipient, i));
  g_array_unref (self->recipients);
  g_ptr_array_unref (self->pointers);
  g_free (self->sender);
  g_free (self->envid);
  g_free (self);
}

static PrNotify
parse_notify (const char *text)
{
  PrNotify notify = 0;

  if (strstr (text, "NEVER") != NULL)
    notify |= PR_NOTIFY_NEVER;
  if (strstr (text, "SUCCESS") != NULL)
    notify |= PR_NOTIFY_SUCCESS;
  if (strstr (text, "FAILURE") != NULL)
    notify |= PR_NOTIFY_FAILURE;
  if (strstr (text, "DELAY") != NULL)
    notify |= PR_NOTIFY_DELAY;
  return notify;
}

/* "from=a@b to=c@d,e@f size=1 body=8BITMIME utf8 ret=HDRS envid=x notify=NEVER orcpt=rfc822;x"
 * with \r and \n as in C. */
static Sending *
sending_parse (const char *text)
{
  Sending *self = g_new0 (Sending, 1);
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  g_autofree char *to = NULL, *orcpt = NULL;
  g_auto (GStrv) addresses = NULL;
  PrNotify notify = 0;

  for (char **w = words; *w != NULL; w++)
    {
      g_autofree char *word = g_strcompress (*w);

      if (g_str_has_prefix (word, "from="))
        self->sender = g_strdup (word + 5);
      else if (g_str_has_prefix (word, "to="))
        to = g_strdup (word + 3);
      else if (g_str_has_prefix (word, "size="))
        self->transaction.size_octets = g_ascii_strtoull (word + 5, NULL, 10);
      else if (g_str_has_prefix (word, "body="))
        self->transaction.body = word[5] == '8' ? PR_BODY_8BITMIME : PR_BODY_BINARYMIME;
      else if (g_str_equal (word, "utf8"))
        self->transaction.smtputf8 = TRUE;
      else if (g_str_has_prefix (word, "ret="))
        self->transaction.ret = word[4] == 'F' ? PR_RET_FULL : PR_RET_HDRS;
      else if (g_str_has_prefix (word, "envid="))
        self->envid = g_strdup (word + 6);
      else if (g_str_has_prefix (word, "notify="))
        notify = parse_notify (word);
      else if (g_str_has_prefix (word, "orcpt="))
        orcpt = g_strdup (word + 6);
      else
        g_error ("unknown word: %s", word);
    }

  self->recipients = g_array_new (FALSE, TRUE, sizeof (PrRecipient));
  self->pointers = g_ptr_array_new ();
  addresses = g_strsplit (to, ",", -1);
  for (char **a = addresses; *a != NULL; a++)
    {
      PrRecipient recipient = { g_strdup (*a), g_strdup (orcpt), notify };
      g_array_append_val (self->recipients, recipient);
    }
  for (guint i = 0; i < self->recipients->len; i++)
    g_ptr_array_add (self->pointers, &g_array_index (self->recipients, PrRecipient, i));

  self->transaction.sender = self->sender;
  self->transaction.envid = self->envid;
  self->transaction.recipients = (const PrRecipient *const *) self->pointers->pdata;
  self->transaction.n_recipients = self->pointers->len;
  return self;
}

static void
fixture_send (Fixture *self, Sending *sending)
{
  g_ptr_array_add (self->begun, sending);
  memset (self->n_results, 0, sizeof self->n_results);
  memset (self->n_delivered, 0, sizeof self->n_delivered);
  pr_client_send (self->client, &sending->transaction, self->out);
}

static void
on_ready (gpointer owner)
{
  g_string_append (((Fixture *) owner)->events, "= ready\n");
}

static void
on_wants_body (gpointer owner)
{
  Fixture *self = owner;

  self->n_wanted++;
  g_string_append (self->events, "= wants-body\n");
}

static void
on_result (gpointer owner, guint index, const PrReply *reply, const char *stage)
{
  Fixture *self = owner;

  if (index < G_N_ELEMENTS (self->n_results))
    {
      self->n_results[index]++;
      self->n_delivered[index] += pr_reply_is_positive (reply);
    }
  g_string_append_printf (self->events, "= result %u %u %u.%u.%u %s\n", index, reply->code,
                          reply->status[0], reply->status[1], reply->status[2], stage);
}

static void
on_finished (gpointer owner)
{
  Fixture *self = owner;
  Sending *next = g_queue_pop_head (&self->waiting);

  self->n_finished++;
  g_string_append (self->events, "= finished\n");
  if (next != NULL)
    fixture_send (self, next);
}

static void
on_failed (gpointer owner, const GError *error, const PrReply *reply)
{
  Fixture *self = owner;
  g_autofree char *code = reply != NULL ? g_strdup_printf ("%u", reply->code) : g_strdup ("-");

  self->n_failed++;
  g_assert_true (error->domain == PR_ERROR);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_string_append_printf (self->events, "= failed %s %s%s\n",
                          error->code == PR_ERROR_TEMPORARY ? "TEMPORARY"
                          : error->code == PR_ERROR_TLS     ? "TLS"
                                                            : "PROTOCOL",
                          code, pr_client_dot_sent (self->client) ? " dot-sent" : "");
}

static void
on_wants_tls (gpointer owner)
{
  g_string_append (((Fixture *) owner)->events, "= wants-tls\n");
}

static void
on_signed_in (gpointer owner, const PrReply *refusal)
{
  g_autofree char *text = refusal != NULL ? pr_reply_to_string (refusal) : g_strdup ("yes");

  g_string_append_printf (((Fixture *) owner)->events, "= signed-in %s\n", text);
}

static const PrClientHandler fixture_handler = {
  .wants_tls = on_wants_tls,
  .signed_in = on_signed_in,
  .ready = on_ready,
  .wants_body = on_wants_body,
  .result = on_result,
  .finished = on_finished,
  .failed = on_failed,
};

static Fixture *
fixture_new (gboolean lmtp, const PrClientHandler *handler)
{
  Fixture *self = g_new0 (Fixture, 1);

  self->client = pr_client_new ("relay.example.org", lmtp, handler, self);
  self->out = g_string_new (NULL);
  self->events = g_string_new (NULL);
  self->begun = g_ptr_array_new_with_free_func ((GDestroyNotify) sending_free);
  return self;
}

static void
fixture_free (Fixture *self)
{
  pr_client_free (self->client);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) sending_free);
  g_ptr_array_unref (self->begun);
  g_string_free (self->out, TRUE);
  g_string_free (self->events, TRUE);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)
