/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole relay: builds every part from a home and a configuration and ties them together. */

#include "engine.h"
#include "common/units.h"
#include "net/resolver.h"
#include "smtp/address.h"

struct _PrEngine
{
  PrConfig *config;     /* owned */
  PrLoop *loop;         /* owned */
  PrLives *lives;       /* owned */
  PrStore *store;       /* owned */
  PrJournal *journal;   /* owned */
  PrResolver *resolver; /* owned */
  PrWeb *web;           /* owned */
  PrOauth *oauth;       /* owned */
  PrServer *server;     /* owned */
  PrRunner *runner;     /* owned */
  gint64 started_us;
};

static void
on_arriving (PrMessage *message, gpointer user_data)
{
  PrEngine *self = user_data;

  pr_runner_assign (self->runner, message);
}

static void
on_accepted (PrMessage *message, gpointer user_data)
{
  PrEngine *self = user_data;

  pr_runner_take (self->runner, message);
}

static void
apply_retention (PrEngine *self)
{
  pr_store_set_retention (self->store, self->config->journal_keep_s,
                          self->config->journal_max_size_octets);
}

PrEngine *
pr_engine_new (const PrHome *home, PrConfig *config, GMainContext *context, GError **error)
{
  g_autoptr (PrStore) store = pr_store_open (home->data, context, error);
  g_autofree char *tls_folder = g_build_filename (home->data, "tls", NULL);
  PrEngine *self;

  if (store == NULL)
    return NULL;

  self = g_new0 (PrEngine, 1);
  self->started_us = g_get_real_time ();
  self->config = pr_config_ref (config);
  self->store = g_steal_pointer (&store);
  self->loop = pr_loop_new (context);
  self->lives = pr_lives_new ();
  self->journal = pr_journal_new (self->store);
  self->resolver = pr_resolver_new (context);
  self->runner =
    pr_runner_new (self->loop, self->store, self->journal, self->resolver, self->lives, config);
  pr_runner_set_credentials (self->runner, home->credentials);
  self->web = pr_web_new (context);
  self->oauth = pr_oauth_new (self->loop, self->web, home->credentials);
  pr_runner_set_oauth (self->runner, self->oauth);
  pr_oauth_set_config (self->oauth, config);
  self->server = pr_server_new (&(PrServerWorld){ .loop = self->loop,
                                                  .store = self->store,
                                                  .journal = self->journal,
                                                  .lives = self->lives,
                                                  .tls_folder = tls_folder,
                                                  .arriving = on_arriving,
                                                  .accepted = on_accepted,
                                                  .user_data = self },
                                config);
  apply_retention (self);

  return self;
}

void
pr_engine_free (PrEngine *self)
{
  pr_server_shut_down (self->server);
  pr_journal_add (self->journal, &(PrEvent){ .kind = PR_EVENT_STOPPED });
  g_clear_pointer (&self->store, pr_store_close); /* answers what still waits */
  g_clear_pointer (&self->server, pr_server_free);
  g_clear_pointer (&self->runner, pr_runner_free);
  g_clear_pointer (&self->oauth, pr_oauth_free);
  g_clear_pointer (&self->web, pr_web_free);
  g_clear_pointer (&self->resolver, pr_resolver_free);
  g_clear_pointer (&self->journal, pr_journal_free);
  g_clear_pointer (&self->lives, pr_lives_free);
  g_clear_pointer (&self->loop, pr_loop_free);
  pr_config_unref (self->config);
  g_free (self);
}

void
pr_engine_stop (PrEngine *self, guint grace_ms, void (*done) (gpointer), gpointer user_data)
{
  pr_server_shut_down (self->server);
  pr_runner_stop (self->runner, grace_ms, done, user_data);
}

void
pr_engine_adopt (PrEngine *self, int fd)
{
  pr_server_adopt (self->server, fd);
}

gboolean
pr_engine_start (PrEngine *self, GPtrArray **faults)
{
  gboolean listening = pr_server_set_config (self->server, self->config, faults);

  pr_journal_add (self->journal, &(PrEvent){ .kind = PR_EVENT_STARTED });
  if (listening)
    {
      pr_runner_watch_network (self->runner);
      pr_runner_start (self->runner);
    }

  return listening;
}

void
pr_engine_set_config (PrEngine *self, PrConfig *config, GPtrArray **faults)
{
  g_autoptr (PrConfig) before = self->config;

  self->config = pr_config_ref (config);
  pr_server_set_config (self->server, config, faults);
  pr_oauth_set_config (self->oauth, config);
  pr_runner_set_config (self->runner, config);
  apply_retention (self);
  pr_journal_add (self->journal,
                  &(PrEvent){ .kind = PR_EVENT_RELOADED, .text = "The configuration is in force" });
}

void
pr_engine_note_bad_config (PrEngine *self, GPtrArray *faults)
{
  g_autofree char *text =
    g_strdup_printf ("The configuration was not taken: %s", (const char *) faults->pdata[0]);

  pr_journal_add (self->journal, &(PrEvent){ .kind = PR_EVENT_RELOADED, .text = text });
}

/* A test mail must show where it came from and when, nothing more. */
static PrMessage *
make_test_mail (PrEngine *self, const char *to)
{
  const char *hostname = self->config->hostname;
  PrEnvelope *envelope = pr_envelope_new ();
  gint64 now_us = g_get_real_time ();
  PrMessage *message;
  g_autofree char *from = NULL;
  g_autofree char *date = pr_date_format (now_us);
  char id[PR_ID_LEN + 1];
  g_autoptr (GString) text = g_string_new (NULL);

  from = self->config->postmaster != NULL ? g_strdup (self->config->postmaster)
                                          : g_strdup_printf ("postroom@%s", hostname);
  g_free (envelope->sender);
  envelope->sender = g_strdup (from);
  envelope->smtputf8 = pr_address_is_utf8 (from) || pr_address_is_utf8 (to);
  pr_envelope_add_recipient (envelope, to, PR_NOTIFY_UNSET, NULL);
  message = pr_message_new (pr_id_next (pr_store_get_ids (self->store)), now_us, envelope);

  g_string_append_printf (text, "From: Postroom <%s>\r\nTo: <%s>\r\n", from, to);
  g_string_append_printf (text, "Subject: Test mail from Postroom on %s\r\n", hostname);
  g_string_append_printf (text, "Date: %s\r\nMessage-ID: <%s@%s>\r\n", date,
                          pr_id_format (message->id, id), hostname);
  g_string_append (text, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                         "Auto-Submitted: auto-generated\r\n\r\n"
                         "Mail from this computer arrives. You can delete this message.\r\n");
  message->size_octets = text->len;
  message->body = g_string_free_to_bytes (g_steal_pointer (&text));

  return message;
}

typedef struct
{
  PrEngine *engine;   /* borrowed */
  PrMessage *message; /* owned */
  PrStoreDone done;
  gpointer user_data;
} TestMail;

static void
on_test_mail_stored (const GError *error, gpointer user_data)
{
  g_autofree TestMail *test = user_data;

  if (error == NULL)
    pr_runner_take (test->engine->runner, test->message);
  if (test->done != NULL)
    test->done (error, test->user_data);
  pr_message_unref (test->message);
}

gint64
pr_engine_send_test (PrEngine *self, const char *to, PrStoreDone done, gpointer user_data)
{
  TestMail *test = g_new0 (TestMail, 1);
  PrMessage *message = make_test_mail (self, to);

  test->engine = self;
  test->message = message;
  test->done = done;
  test->user_data = user_data;
  pr_runner_assign (self->runner, message);
  pr_store_put (self->store, message,
                &(PrEvent){ .kind = PR_EVENT_ACCEPTED,
                            .message = message->id,
                            .sender = message->envelope->sender,
                            .address = to,
                            .size_octets = message->size_octets,
                            .text = "A test mail" },
                on_test_mail_stored, test);

  return message->id;
}

PrConfig *
pr_engine_get_config (PrEngine *self)
{
  return self->config;
}

PrServer *
pr_engine_get_server (PrEngine *self)
{
  return self->server;
}

PrRunner *
pr_engine_get_runner (PrEngine *self)
{
  return self->runner;
}

PrOauth *
pr_engine_get_oauth (PrEngine *self)
{
  return self->oauth;
}

PrStore *
pr_engine_get_store (PrEngine *self)
{
  return self->store;
}

PrJournal *
pr_engine_get_journal (PrEngine *self)
{
  return self->journal;
}

PrLives *
pr_engine_get_lives (PrEngine *self)
{
  return self->lives;
}

gint64
pr_engine_get_started_us (PrEngine *self)
{
  return self->started_us;
}
