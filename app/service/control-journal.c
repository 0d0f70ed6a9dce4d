/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened: asked for, or followed. */

#include "service/control-private.h"

#define MAX_QUERY 1000

static GVariant *
make_event (const PrEvent *event)
{
  GVariantBuilder builder;
  char id[PR_ID_LEN + 1];

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_time (&builder, "id", event->id);
  pr_control_add_time (&builder, "time", event->time_us);
  pr_control_add_string (&builder, "kind", pr_event_kind_to_string (event->kind));
  if (event->message != 0)
    pr_control_add_string (&builder, "message", pr_id_format (event->message, id));
  if (event->session != 0)
    pr_control_add_u64 (&builder, "session", event->session);
  pr_control_add_string (&builder, "peer", event->peer);
  pr_control_add_string (&builder, "sender", event->sender);
  pr_control_add_string (&builder, "address", event->address);
  pr_control_add_string (&builder, "route", event->route);
  if (event->code != 0)
    pr_control_add_uint (&builder, "code", event->code);
  pr_control_add_string (&builder, "text", event->text);
  if (event->size_octets != 0)
    pr_control_add_u64 (&builder, "size", event->size_octets);
  pr_control_add_string (&builder, "tls", event->tls);

  return g_variant_builder_end (&builder);
}

/* ── Query ────────────────────────────────────────────────────────────────────────────────── */

static void
on_events (const PrEvent *events, guint n, const GError *error, gpointer user_data)
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
    g_variant_builder_add_value (&builder, make_event (&events[i]));
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &builder));
}

/* FALSE: @why is set. */
static gboolean
add_kind (guint64 *kinds, const char *name, const char **why)
{
  PrEventKind kind;

  if (!pr_event_kind_from_string (name, &kind))
    {
      *why = "There is no such kind of event";
      return FALSE;
    }
  *kinds |= G_GUINT64_CONSTANT (1) << kind;
  return TRUE;
}

/* FALSE: @why is set. Strings are borrowed from @options. */
static gboolean
read_filter (GVariant *options, PrEventFilter *filter, const char **why)
{
  const char *message = NULL, *kind = NULL;
  g_autofree const char **kinds = NULL;

  g_variant_lookup (options, "before", "x", &filter->before_id);
  g_variant_lookup (options, "after", "x", &filter->after_id);
  g_variant_lookup (options, "session", "t", &filter->session);
  g_variant_lookup (options, "text", "&s", &filter->text);
  g_variant_lookup (options, "from", "x", &filter->from_us);
  g_variant_lookup (options, "to", "x", &filter->to_us);
  if (g_variant_lookup (options, "message", "&s", &message) &&
      !pr_id_parse (message, &filter->message))
    {
      *why = "That is not the id of a message";
      return FALSE;
    }
  if (g_variant_lookup (options, "kind", "&s", &kind) && !add_kind (&filter->kinds, kind, why))
    return FALSE;
  if (g_variant_lookup (options, "kinds", "^a&s", &kinds))
    for (const char **next = kinds; *next != NULL; next++)
      if (!add_kind (&filter->kinds, *next, why))
        return FALSE;

  return TRUE;
}

static gboolean
on_query (PrDbusJournal1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options,
          guint limit, gpointer user_data)
{
  PrControl *self = user_data;
  PrEventFilter filter = { 0 };
  const char *why;

  if (!read_filter (options, &filter, &why))
    {
      pr_control_bad_args (invocation, "%s", why);
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }

  pr_store_events (pr_engine_get_store (self->engine), &filter, MIN (limit, MAX_QUERY), on_events,
                   invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── History ──────────────────────────────────────────────────────────────────────────────── */

static void
on_history (const PrStoreHour *hours, guint n, const GError *error, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  GVariantBuilder builder;

  if (error != NULL)
    {
      pr_control_refuse (invocation, "%s", error->message);
      return;
    }

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(xttttt)"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add (&builder, "(xttttt)", hours[i].begin_us, hours[i].n_received,
                           hours[i].n_delivered, hours[i].n_deferred, hours[i].n_failed,
                           hours[i].n_refused);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(a(xttttt))", &builder));
}

static gboolean
on_get_history (PrDbusJournal1 *skeleton, GDBusMethodInvocation *invocation, gint64 from,
                gpointer user_data)
{
  PrControl *self = user_data;

  pr_store_history (pr_engine_get_store (self->engine), from, on_history, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── Follow ───────────────────────────────────────────────────────────────────────────────── */

static void
on_event (const PrEvent *event, gpointer user_data)
{
  PrControl *self = user_data;
  g_autoptr (GVariant) value = NULL;

  for (guint i = 0; i < self->clients->len; i++)
    {
      PrControlClient *client = self->clients->pdata[i];

      if (!client->follows ||
          (client->kinds != 0 && (client->kinds & G_GUINT64_CONSTANT (1) << event->kind) == 0))
        continue;
      if (client->n_events >= client->most)
        {
          client->n_missed++;
          continue;
        }
      if (value == NULL)
        value = g_variant_ref_sink (make_event (event));
      if (client->events == NULL)
        client->events = g_variant_builder_new (G_VARIANT_TYPE ("aa{sv}"));
      g_variant_builder_add_value (client->events, value);
      client->n_events++;
    }
}

void
pr_control_flush_events (PrControlClient *client)
{
  if (client->events == NULL)
    return;

  g_dbus_connection_emit_signal (
    client->connection, NULL, PR_CONTROL_PATH, "io.github.postroom.Journal1", "Events",
    g_variant_new ("(aa{sv}u)", client->events, client->n_missed), NULL);
  g_clear_pointer (&client->events, g_variant_builder_unref);
  client->n_events = client->n_missed = 0;
}

void
pr_control_check_followers (PrControl *self)
{
  for (guint i = 0; i < self->clients->len; i++)
    if (((PrControlClient *) self->clients->pdata[i])->follows)
      return;

  if (self->follow_token != 0)
    pr_journal_unfollow (pr_engine_get_journal (self->engine), self->follow_token);
  self->follow_token = 0;
}

static void
set_following (PrControl *self, PrControlClient *client, gboolean follow, guint64 kinds, guint most)
{
  if (client != NULL)
    {
      client->follows = follow;
      client->kinds = kinds;
      client->most = CLAMP (most, 1, PR_CONTROL_MAX_BACKLOG);
    }
  if (follow && self->follow_token == 0)
    self->follow_token = pr_journal_follow (pr_engine_get_journal (self->engine), on_event, self);
  else if (!follow)
    pr_control_check_followers (self);
}

static gboolean
on_follow (PrDbusJournal1 *skeleton, GDBusMethodInvocation *invocation, gboolean follow,
           gpointer user_data)
{
  PrControl *self = user_data;

  set_following (self, pr_control_find_client (self, invocation), follow, 0,
                 PR_CONTROL_MAX_BACKLOG);
  pr_dbus_journal1_complete_follow (skeleton, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_follow_some (PrDbusJournal1 *skeleton, GDBusMethodInvocation *invocation,
                const char *const *names, guint most, gpointer user_data)
{
  PrControl *self = user_data;
  guint64 kinds = 0;
  const char *why;

  for (; *names != NULL; names++)
    if (!add_kind (&kinds, *names, &why))
      {
        pr_control_bad_args (invocation, "%s", why);
        return G_DBUS_METHOD_INVOCATION_HANDLED;
      }

  set_following (self, pr_control_find_client (self, invocation), TRUE, kinds, most);
  pr_dbus_journal1_complete_follow_some (skeleton, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

PrDbusJournal1 *
pr_control_make_journal (PrControl *self)
{
  PrDbusJournal1 *skeleton = pr_dbus_journal1_skeleton_new ();

  g_signal_connect (skeleton, "handle-query", G_CALLBACK (on_query), self);
  g_signal_connect (skeleton, "handle-get-history", G_CALLBACK (on_get_history), self);
  g_signal_connect (skeleton, "handle-follow", G_CALLBACK (on_follow), self);
  g_signal_connect (skeleton, "handle-follow-some", G_CALLBACK (on_follow_some), self);

  return skeleton;
}
