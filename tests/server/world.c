/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
on_arriving (PrMessage *message, gpointer user_data)
{
}

static void
on_accepted (PrMessage *message, gpointer user_data)
{
  World *self = user_data;

  g_ptr_array_add (self->accepted, pr_message_ref (message));
}

static void
on_event (const PrEvent *event, gpointer user_data)
{
  World *self = user_data;

  g_array_append_val (self->kinds, event->kind);
  g_string_append_printf (self->told, "%s %s: %s\n", pr_event_kind_to_string (event->kind),
                          event->tls != NULL ? "secure" : "plain",
                          event->text != NULL ? event->text : "");
}

gboolean
world_saw (World *self, PrEventKind kind)
{
  for (guint i = 0; i < self->kinds->len; i++)
    if (g_array_index (self->kinds, PrEventKind, i) == kind)
      return TRUE;

  return FALSE;
}

gboolean
world_was_told (World *self, const char *text)
{
  return strstr (self->told->str, text) != NULL;
}

static PrServer *
make_server (World *self)
{
  g_autofree char *folder = g_build_filename (self->home, "tls", NULL);

  return pr_server_new (&(PrServerWorld){ .loop = self->loop,
                                          .store = self->store,
                                          .journal = self->journal,
                                          .lives = self->lives,
                                          .tls_folder = folder,
                                          .arriving = on_arriving,
                                          .accepted = on_accepted,
                                          .user_data = self },
                        self->config);
}

void
world_listen (World *self, const char *config)
{
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (GPtrArray) addresses = NULL;

  g_clear_pointer (&self->config, pr_config_unref);
  self->config = pr_config_parse (config, strlen (config), "test.conf", &faults);
  if (self->config == NULL)
    g_error ("%s", (char *) faults->pdata[0]);
  if (self->server == NULL)
    {
      self->server = make_server (self);
      pr_server_set_name_server (self->server, "127.0.0.1@1"); /* nobody answers, and at once */
    }
  g_assert_true (pr_server_set_config (self->server, self->config, &warnings));
  addresses = pr_server_get_addresses (self->server);
  self->port = (guint16) g_ascii_strtoull (strrchr (addresses->pdata[0], ':') + 1, NULL, 10);
}

void
world_set_up (World *self, gconstpointer config)
{
  g_autoptr (GError) error = NULL;

  self->context = g_main_context_new ();
  g_main_context_push_thread_default (self->context);
  self->home = g_dir_make_tmp ("server-XXXXXX", NULL);
  self->loop = pr_loop_new (self->context);
  self->store = pr_store_open (self->home, self->context, &error);
  g_assert_no_error (error);
  self->journal = pr_journal_new (self->store);
  self->lives = pr_lives_new ();
  self->accepted = g_ptr_array_new_with_free_func ((GDestroyNotify) pr_message_unref);
  self->kinds = g_array_new (FALSE, FALSE, sizeof (PrEventKind));
  self->told = g_string_new (NULL);
  pr_journal_follow (self->journal, on_event, self);
  world_listen (self, config);
}

void
world_tear_down (World *self, gconstpointer config)
{
  g_autofree char *remove = g_strdup_printf ("rm -rf '%s'", self->home);

  pr_server_shut_down (self->server);
  pr_store_close (self->store);
  pr_server_free (self->server);
  pr_journal_free (self->journal);
  pr_lives_free (self->lives);
  pr_loop_free (self->loop);
  pr_config_unref (self->config);
  g_ptr_array_unref (self->accepted);
  g_array_unref (self->kinds);
  g_string_free (self->told, TRUE);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  g_assert_true (g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL));
  g_free (self->home);
}

char *
body_of (const PrMessage *message)
{
  gsize len;
  const char *data = g_bytes_get_data (message->body, &len);

  return g_strndup (data, len);
}

/* ── A client ─────────────────────────────────────────────────────────────────────────────── */

void
client_open (Client *self, World *world)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (world->port) };

  *self = (Client){ .world = world, .heard = g_string_new (NULL) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  self->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (self->fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  fcntl (self->fd, F_SETFL, O_NONBLOCK);
}

void
client_close (Client *self)
{
  if (self->session != NULL)
    {
      gnutls_deinit (self->session);
      gnutls_certificate_free_credentials (self->credentials);
    }
  close (self->fd);
  g_string_free (self->heard, TRUE);
}

int
client_secure (Client *self, const char *priority)
{
  int code = GNUTLS_E_AGAIN;

  gnutls_certificate_allocate_credentials (&self->credentials);
  gnutls_init (&self->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
  g_assert_cmpint (gnutls_priority_set_direct (self->session, priority, NULL), ==, 0);
  gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, self->credentials);
  gnutls_transport_set_int (self->session, self->fd);
  wait_for (self->world->context, (code = gnutls_handshake (self->session)) != GNUTLS_E_AGAIN,
            "a handshake");
  return code;
}

gboolean
client_listen (Client *self)
{
  char buffer[4096];
  gssize n;

  do
    {
      n = self->session != NULL ? gnutls_record_recv (self->session, buffer, sizeof buffer)
                                : recv (self->fd, buffer, sizeof buffer, 0);
      if (n > 0)
        g_string_append_len (self->heard, buffer, n);
    }
  while (n > 0);
  self->closed |= self->session != NULL ? n != GNUTLS_E_AGAIN
                                        : n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  return TRUE;
}

gboolean
client_heard (Client *self, const char *text)
{
  client_listen (self);
  return strstr (self->heard->str, text) != NULL;
}

gboolean
client_is_closed (Client *self)
{
  client_listen (self);
  return self->closed;
}

/* How many octets left; 0: there is no room now. */
static gsize
send_some (Client *self, const char *text, gsize len)
{
  gssize n = self->session != NULL ? gnutls_record_send (self->session, text, len)
                                   : send (self->fd, text, len, MSG_NOSIGNAL);

  return n > 0 ? (gsize) n : 0;
}

void
client_say (Client *self, const char *text)
{
  gsize sent = 0, len = strlen (text);

  wait_for (self->world->context, (sent += send_some (self, text + sent, len - sent)) == len,
            "room to send");
}

void
client_talk (Client *self, const char *text, const char *reply)
{
  if (text[0] != '\0')
    client_say (self, text);
  wait_for (self->world->context, client_heard (self, reply), reply);
  g_string_truncate (self->heard, 0);
}
