/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations that are going on. */

#include "service/control-private.h"

#define MAX_LIST 1000

static GVariant *
make_session (PrLive *live)
{
  GVariantBuilder builder;
  PrLiveFacts facts = { 0 };

  live->describe (live, &facts);
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_u64 (&builder, "id", live->id);
  pr_control_add_string (&builder, "direction", live->outbound ? "out" : "in");
  pr_control_add_string (&builder, "peer", facts.peer);
  pr_control_add_string (&builder, "name", facts.name);
  pr_control_add_string (&builder, "user", facts.user);
  pr_control_add_string (&builder, "listener", facts.listener);
  pr_control_add_string (&builder, "route", facts.route);
  pr_control_add_string (&builder, "tls", facts.tls);
  pr_control_add_string (&builder, "state", facts.state);
  pr_control_add_time (&builder, "started", live->started_us);
  pr_control_add_u64 (&builder, "octets-in", facts.octets_in);
  pr_control_add_u64 (&builder, "octets-out", facts.octets_out);
  pr_control_add_uint (&builder, "messages", facts.n_messages);

  return g_variant_builder_end (&builder);
}

static gboolean
on_list (PrDbusSessions1 *skeleton, GDBusMethodInvocation *invocation, guint offset, guint limit,
         gpointer user_data)
{
  PrControl *self = user_data;
  PrLives *lives = pr_engine_get_lives (self->engine);
  GVariantBuilder builder;
  PrLive *live = pr_lives_first (lives);

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < offset && live != NULL; i++)
    live = live->next;
  for (guint i = 0; i < MIN (limit, MAX_LIST) && live != NULL; i++, live = live->next)
    g_variant_builder_add_value (&builder, make_session (live));

  pr_dbus_sessions1_complete_list (skeleton, invocation, g_variant_builder_end (&builder),
                                   pr_lives_count (lives, FALSE) + pr_lives_count (lives, TRUE),
                                   pr_lives_get_revision (lives));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_read_transcript (PrDbusSessions1 *skeleton, GDBusMethodInvocation *invocation, guint64 id,
                    guint64 position, gpointer user_data)
{
  PrControl *self = user_data;
  PrLive *live = pr_lives_find (pr_engine_get_lives (self->engine), id);
  g_autofree char *text = NULL;

  text = live != NULL ? g_utf8_make_valid (pr_transcript_read (&live->transcript, &position), -1)
                      : g_strdup ("");
  pr_dbus_sessions1_complete_read_transcript (skeleton, invocation, text, position, live != NULL);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_disconnect (PrDbusSessions1 *skeleton, GDBusMethodInvocation *invocation, guint64 id,
               gpointer user_data)
{
  PrControl *self = user_data;
  PrLive *live = pr_lives_find (pr_engine_get_lives (self->engine), id);

  if (live == NULL)
    {
      pr_control_refuse (invocation, "There is no session %" G_GUINT64_FORMAT " any more", id);
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }

  live->disconnect (live);
  pr_dbus_sessions1_complete_disconnect (skeleton, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
on_devices (const PrStoreDevice *devices, guint n, const GError *error, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  GVariantBuilder builder;

  if (error != NULL)
    {
      pr_control_refuse (invocation, "%s", error->message);
      return;
    }

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < n; i++)
    {
      GVariantBuilder device;

      g_variant_builder_init (&device, G_VARIANT_TYPE_VARDICT);
      pr_control_add_string (&device, "client", devices[i].client);
      pr_control_add_string (&device, "user", *devices[i].user != '\0' ? devices[i].user : NULL);
      pr_control_add_time (&device, "seen", devices[i].seen_us);
      pr_control_add_u64 (&device, "messages", devices[i].n_messages);
      g_variant_builder_add_value (&builder, g_variant_builder_end (&device));
    }
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &builder));
}

static gboolean
on_list_devices (PrDbusSessions1 *skeleton, GDBusMethodInvocation *invocation, guint limit,
                 gpointer user_data)
{
  PrControl *self = user_data;

  pr_store_devices (pr_engine_get_store (self->engine), limit, on_devices, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

PrDbusSessions1 *
pr_control_make_sessions (PrControl *self)
{
  PrDbusSessions1 *skeleton = pr_dbus_sessions1_skeleton_new ();

  g_signal_connect (skeleton, "handle-list", G_CALLBACK (on_list), self);
  g_signal_connect (skeleton, "handle-read-transcript", G_CALLBACK (on_read_transcript), self);
  g_signal_connect (skeleton, "handle-list-devices", G_CALLBACK (on_list_devices), self);
  g_signal_connect (skeleton, "handle-disconnect", G_CALLBACK (on_disconnect), self);

  return skeleton;
}
