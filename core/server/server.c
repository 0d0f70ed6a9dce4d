/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listeners, and the connections they begin. */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"
#include "guard/users.h"
#include "net/listener.h"
#include "server/connection.h"

/* One open address. */
typedef struct
{
  PrServer *server;     /* borrowed */
  PrPort *port;         /* owned */
  char *address;        /* as configured */
  PrListener *listener; /* owned */
} Opening;

static void
opening_free (gpointer data)
{
  Opening *self = data;

  g_clear_pointer (&self->listener, pr_listener_free);
  g_clear_pointer (&self->port, pr_port_unref);
  g_free (self->address);
  g_free (self);
}

static void
on_accept (PrListener *listener, int fd, const PrIp *peer, guint16 port, gpointer user_data)
{
  Opening *opening = user_data;

  pr_connection_start (opening->server, opening->port, fd, peer, port);
}

PrServer *
pr_server_new (const PrServerWorld *world, PrConfig *config)
{
  PrServer *self = g_new0 (PrServer, 1);

  self->world = *world;
  self->config = pr_config_ref (config);
  self->certificates = pr_certificates_new (world->loop, world->journal, world->tls_folder);
  self->limits = pr_limits_new (config->max_connections, config->max_connections_per_client);
  self->sign_ins = pr_sign_ins_new (world->loop, world->store, world->journal);
  self->resolver = pr_resolver_new (pr_loop_get_context (world->loop));
  self->openings = g_ptr_array_new_with_free_func (opening_free);
  self->adopted = g_array_new (FALSE, FALSE, sizeof (int));

  return self;
}

void
pr_server_free (PrServer *self)
{
  while (self->first != NULL)
    pr_connection_abort (self->first);
  for (guint i = 0; i < self->adopted->len; i++)
    close (g_array_index (self->adopted, int, i));

  g_ptr_array_unref (self->openings);
  g_array_unref (self->adopted);
  pr_certificates_free (self->certificates);
  pr_limits_free (self->limits);
  pr_sign_ins_free (self->sign_ins);
  pr_resolver_free (self->resolver);
  pr_config_unref (self->config);
  g_free (self);
}

void
pr_server_set_name_server (PrServer *self, const char *server)
{
  pr_resolver_set_server (self->resolver, server);
}

void
pr_server_adopt (PrServer *self, int fd)
{
  g_array_append_val (self->adopted, fd);
}

/* The socket the service manager opened for @address, -1 if it opened none. */
static int
take_adopted (PrServer *self, const char *address)
{
  for (guint i = 0; i < self->adopted->len; i++)
    {
      int fd = g_array_index (self->adopted, int, i);
      struct sockaddr_storage native;
      socklen_t len = sizeof native;
      g_autoptr (GSocketAddress) bound = NULL;
      g_autofree char *text = NULL;

      if (getsockname (fd, (struct sockaddr *) &native, &len) != 0)
        continue;
      bound = g_socket_address_new_from_native (&native, len);
      if (bound == NULL)
        continue;
      text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (bound));
      if (g_strcmp0 (text, address) == 0)
        {
          g_array_remove_index_fast (self->adopted, i);
          return fd;
        }
    }

  return -1;
}

static Opening *
find_opening (GPtrArray *openings, const char *address)
{
  for (guint i = 0; i < openings->len; i++)
    if (strcmp (((Opening *) openings->pdata[i])->address, address) == 0)
      return openings->pdata[i];

  return NULL;
}

static Opening *
open_address (PrServer *self, PrPort *port, const char *address, GError **error)
{
  g_autofree Opening *opening = g_new0 (Opening, 1);
  int fd = take_adopted (self, address);

  opening->listener = fd >= 0
                        ? pr_listener_new_from_fd (self->world.loop, fd, on_accept, opening, error)
                        : pr_listener_new (self->world.loop, address, on_accept, opening, error);
  if (opening->listener == NULL)
    return NULL;

  opening->server = self;
  opening->port = pr_port_ref (port);
  opening->address = g_strdup (address);

  return g_steal_pointer (&opening);
}

/* Keeps an address that stays open: its socket moves over, its port is the new one. */
static Opening *
keep_opening (GPtrArray *old, const char *address, PrPort *port)
{
  Opening *opening = find_opening (old, address);

  if (opening == NULL)
    return NULL;

  g_ptr_array_set_free_func (old, NULL);
  g_ptr_array_remove_fast (old, opening);
  g_ptr_array_set_free_func (old, opening_free);
  pr_port_unref (opening->port);
  opening->port = pr_port_ref (port);

  return opening;
}

static void
open_listener (PrServer *self, GPtrArray *old, const PrListenerConfig *listener, GPtrArray *faults)
{
  PrPort *port = pr_port_new (self->config, listener);

  for (char **address = listener->listen; *address != NULL; address++)
    {
      g_autoptr (GError) error = NULL;
      Opening *opening = keep_opening (old, *address, port);

      if (opening == NULL)
        opening = open_address (self, port, *address, &error);
      if (opening != NULL)
        g_ptr_array_add (self->openings, opening);
      else
        g_ptr_array_add (
          faults, g_strdup_printf ("[listener %s] listen: %s", listener->name, error->message));
    }

  pr_port_unref (port);
}

static gboolean
is_wanted (const PrConfig *config, const char *address)
{
  for (guint i = 0; i < config->listeners->len; i++)
    {
      const PrListenerConfig *listener = config->listeners->pdata[i];

      if (g_strv_contains ((const char *const *) listener->listen, address))
        return TRUE;
    }
  return FALSE;
}

/* Before others open: 0.0.0.0:2525 cannot be had while 127.0.0.1:2525 is open. */
static void
close_unwanted (GPtrArray *openings, const PrConfig *config)
{
  for (guint i = openings->len; i > 0; i--)
    if (!is_wanted (config, ((Opening *) openings->pdata[i - 1])->address))
      g_ptr_array_remove_index_fast (openings, i - 1);
}

/* What somebody signed in with is gone or another: the session ends, not only the next one. */
static void
end_revoked (PrServer *self, PrConfig *before)
{
  PrConnection *next;

  for (PrConnection *c = self->first; c != NULL; c = next)
    {
      const char *user = pr_connection_get_user (c);

      next = pr_connection_get_next (c);
      if (user != NULL && !pr_users_is_same (before, self->config, user))
        pr_connection_shut_down (c, "4.7.0",
                                 "What you signed in with holds no longer; sign in again");
    }
}

gboolean
pr_server_set_config (PrServer *self, PrConfig *config, GPtrArray **faults)
{
  g_autoptr (GPtrArray) old = g_steal_pointer (&self->openings);
  g_autoptr (PrConfig) before = g_steal_pointer (&self->config);

  *faults = g_ptr_array_new_with_free_func (g_free);
  self->openings = g_ptr_array_new_with_free_func (opening_free);
  self->config = pr_config_ref (config);
  pr_limits_set (self->limits, config->max_connections, config->max_connections_per_client);

  pr_certificates_set_config (self->certificates, config);
  close_unwanted (old, config);
  for (guint i = 0; i < config->listeners->len; i++)
    open_listener (self, old, config->listeners->pdata[i], *faults);

  end_revoked (self, before);

  return self->openings->len > 0;
}

PrCertificates *
pr_server_get_certificates (PrServer *self)
{
  return self->certificates;
}

GPtrArray *
pr_server_get_addresses (PrServer *self)
{
  GPtrArray *addresses = g_ptr_array_new ();

  for (guint i = 0; i < self->openings->len; i++)
    g_ptr_array_add (addresses, (gpointer) pr_listener_get_address (
                                  ((Opening *) self->openings->pdata[i])->listener));

  return addresses;
}

void
pr_server_set_paused (PrServer *self, gboolean paused)
{
  self->paused = paused;
}

gboolean
pr_server_is_paused (const PrServer *self)
{
  return self->paused;
}

void
pr_server_get_counts (const PrServer *self, PrServerCounts *out)
{
  *out = self->counts;
}

void
pr_server_shut_down (PrServer *self)
{
  PrConnection *next;

  g_ptr_array_set_size (self->openings, 0);

  for (PrConnection *c = self->first; c != NULL; c = next)
    {
      next = pr_connection_get_next (c);
      pr_connection_shut_down (c, "4.3.2", "Postroom is stopping; try again later");
    }
}
