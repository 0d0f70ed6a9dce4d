/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mail providers, and how the routes to them fare. */

#include "config/providers.h"
#include "service/add-route.h"
#include "service/control-private.h"
#include "service/explain.h"

#define MAX_LIMITS 8
#define MAX_PROBINGS 8

/* ── Providers ────────────────────────────────────────────────────────────────────────────── */

static gboolean
signs_in_by (const PrProvider *provider, gboolean oauth)
{
  for (guint i = 0; i < provider->n_sign_ins; i++)
    if (provider->sign_ins[i].kind != PR_SIGN_IN_NONE &&
        (provider->sign_ins[i].kind == PR_SIGN_IN_OAUTH) == oauth)
      return TRUE;
  return FALSE;
}

static GVariant *
describe_provider (const PrProvider *provider)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_string (&builder, "id", provider->id);
  pr_control_add_string (&builder, "name", provider->name);
  pr_control_add_string (&builder, "kind", provider->kind);
  g_variant_builder_add (&builder, "{sv}", "domains",
                         g_variant_new_strv ((const char *const *) provider->domains, -1));
  pr_control_add_bool (&builder, "password", signs_in_by (provider, FALSE));
  pr_control_add_bool (&builder, "oauth", signs_in_by (provider, TRUE));
  pr_control_add_string (&builder, "confidence", provider->confidence);
  pr_control_add_string (&builder, "checked-on", provider->checked_on);
  return g_variant_builder_end (&builder);
}

static gboolean
on_list_providers (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation,
                   const char *search, gpointer user_data)
{
  g_autoptr (GPtrArray) found = pr_provider_search (search);
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < found->len; i++)
    g_variant_builder_add_value (&list, describe_provider (found->pdata[i]));
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &list));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_provider (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, const char *id,
                 gpointer user_data)
{
  g_autofree char *text = pr_provider_to_json (id);

  if (text == NULL)
    pr_control_refuse (invocation, "There is no provider %s", id);
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(s)", text));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── A new route ──────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  GDBusMethodInvocation *invocation; /* owned by the answer */
  GVariant *options;                 /* owned */
  char *name;                        /* owned, nullable */
} Addition;

static char *
add_route (const char *text, gpointer user_data, GError **error)
{
  Addition *addition = user_data;

  return pr_add_route (text, addition->options, &addition->name, error);
}

static void
on_route_added (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  Addition *addition = user_data;

  g_dbus_method_invocation_return_value (
    addition->invocation,
    g_variant_new (
      "(@as@ass)", g_variant_new_strv ((const char *const *) faults->pdata, (gssize) faults->len),
      g_variant_new_strv ((const char *const *) warnings->pdata, (gssize) warnings->len),
      faults->len == 0 && addition->name != NULL ? addition->name : ""));
  g_variant_unref (addition->options);
  g_free (addition->name);
  g_free (addition);
}

static gboolean
on_add_route (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options,
              gpointer user_data)
{
  PrControl *self = user_data;
  Addition *addition = g_new0 (Addition, 1);

  addition->invocation = invocation;
  addition->options = g_variant_ref (options);
  pr_reloader_edit (self->reloader, add_route, on_route_added, addition);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── How routes fare ──────────────────────────────────────────────────────────────────────── */

static void
add_limits (GVariantBuilder *builder, PrRunner *runner, const PrRouteConfig *route)
{
  PrPaceUse uses[MAX_LIMITS];
  guint n = pr_runner_get_pace (runner, route, uses, MAX_LIMITS);
  GVariantBuilder limits;

  g_variant_builder_init (&limits, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *words = pr_rate_limit_describe (&uses[i].limit);
      GVariantBuilder limit;

      g_variant_builder_init (&limit, G_VARIANT_TYPE_VARDICT);
      pr_control_add_uint (&limit, "used", uses[i].used);
      pr_control_add_uint (&limit, "number", uses[i].limit.number);
      pr_control_add_u64 (&limit, "seconds", uses[i].limit.window_s);
      pr_control_add_string (&limit, "per", uses[i].limit.per_recipient ? "recipient" : "message");
      pr_control_add_string (&limit, "words", words);
      g_variant_builder_add_value (&limits, g_variant_builder_end (&limit));
    }
  g_variant_builder_add (builder, "{sv}", "limits", g_variant_builder_end (&limits));
}

/* Who signed in with OAuth, and how long that holds. */
static void
add_token (GVariantBuilder *builder, PrControl *self, const PrRouteConfig *route)
{
  PrOauthState state;
  PrOauthFacts facts;

  if (!pr_oauth_get_facts (pr_engine_get_oauth (self->engine), route->name, &state, &facts))
    return;
  pr_control_add_string (builder, "account", facts.account);
  pr_control_add_string (builder, "token", pr_control_oauth_state_to_string (state));
  pr_control_add_time (builder, "token-expires", facts.expires_s * G_USEC_PER_SEC);
  pr_control_add_bool (builder, "token-renews", facts.can_refresh);
  pr_control_add_string (builder, "token-unkept", facts.unkept);
}

static GVariant *
describe_route (PrControl *self, const PrRouteConfig *route)
{
  PrRunner *runner = pr_engine_get_runner (self->engine);
  const char *need = pr_runner_get_sign_in_need (runner, route->name);
  gint64 until_us = 0;
  const char *reason = pr_runner_get_hop_failure (runner, route->name, &until_us);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_string (&builder, "name", route->name);
  if (route->provider != NULL)
    {
      pr_control_add_string (&builder, "provider", route->provider->id);
      pr_control_add_string (&builder, "provider-name", route->provider->name);
    }
  pr_control_add_string (&builder, "username", route->username);
  pr_control_add_string (&builder, "via", pr_via_to_string (route->via));
  pr_control_add_string (&builder, "auth", route->auth);
  pr_control_add_bool (&builder, "pinned", route->pin != NULL);
  pr_control_add_string (&builder, "state", need != NULL || reason != NULL ? "waiting" : "ready");
  pr_control_add_bool (&builder, "sign-in-needed", need != NULL);
  pr_control_add_string (&builder, "reason", need != NULL ? need : reason);
  pr_control_add_time (&builder, "until", need != NULL || reason == NULL ? 0 : until_us);
  add_token (&builder, self, route);
  add_limits (&builder, runner, route);
  return g_variant_builder_end (&builder);
}

static gboolean
on_get_routes (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation,
               gpointer user_data)
{
  PrControl *self = user_data;
  const PrConfig *config = pr_engine_get_config (self->engine);
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < config->routes->len; i++)
    g_variant_builder_add_value (&list, describe_route (self, config->routes->pdata[i]));
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &list));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── What a server shows ──────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrControl *control; /* borrowed: it takes the probes along when it goes */
  PrProbe *probe;
  GDBusMethodInvocation *invocation;
} Probing;

static void
on_probed (const PrProbeFacts *facts, const GError *error, gpointer user_data)
{
  Probing *probing = user_data;
  g_autoptr (GString) fingerprint = g_string_new ("SHA256:");
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  if (facts == NULL)
    pr_control_refuse (probing->invocation, "%s", error->message);
  else
    {
      for (gsize i = 0; i < sizeof facts->sha256; i++)
        g_string_append_printf (fingerprint, "%02x", facts->sha256[i]);
      pr_control_add_string (&builder, "server", facts->server);
      pr_control_add_string (&builder, "fingerprint", fingerprint->str);
      pr_control_add_string (&builder, "fault", facts->fault);
      g_dbus_method_invocation_return_value (probing->invocation,
                                             g_variant_new ("(a{sv})", &builder));
    }
  g_variant_builder_clear (&builder);
  g_queue_remove (&probing->control->probings, probing);
  g_free (probing);
}

static gboolean
on_probe_certificate (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation,
                      const char *name, gpointer user_data)
{
  PrControl *self = user_data;
  const PrRouteConfig *route = pr_config_get_route (pr_engine_get_config (self->engine), name);
  Probing *probing;

  if (route == NULL)
    pr_control_refuse (invocation, "There is no route %s in the configuration", name);
  else if (route->n_hosts == 0)
    pr_control_refuse (invocation, "The route %s has no server of its own", name);
  else if (self->probings.length >= MAX_PROBINGS)
    pr_control_refuse (invocation, "Too many servers are being asked; try again in a moment");
  else
    {
      probing = g_new0 (Probing, 1);
      probing->control = self;
      probing->invocation = invocation;
      probing->probe =
        pr_runner_probe (pr_engine_get_runner (self->engine), route, on_probed, probing);
      g_queue_push_tail (&self->probings, probing);
    }
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
pr_control_stop_probing (PrControl *self)
{
  Probing *probing;

  while ((probing = g_queue_pop_head (&self->probings)) != NULL)
    {
      pr_probe_free (probing->probe);
      pr_control_refuse (probing->invocation, "The service is stopping");
      g_free (probing);
    }
}

/* ── What would become of a mail ──────────────────────────────────────────────────────────── */

/* @facts: (nullable) floating */
static void
answer_facts (GDBusMethodInvocation *invocation, GVariant *facts, const GError *error)
{
  if (facts != NULL)
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(@a{sv})", facts));
  else
    pr_control_refuse (invocation, "%s", error->message);
}

static gboolean
on_explain (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, const char *from,
            const char *to, gpointer user_data)
{
  PrControl *self = user_data;
  g_autoptr (GError) error = NULL;
  GVariant *facts = pr_explain (pr_engine_get_config (self->engine), from, to, &error);

  answer_facts (invocation, facts, error);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_preview_rewriting (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation,
                      const char *from, const char *address, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GVariant *facts = pr_explain_rewriting (from, address, &error);

  answer_facts (invocation, facts, error);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
pr_control_connect_providers (PrControl *self, PrDbusConfiguration1 *skeleton)
{
  g_signal_connect (skeleton, "handle-list-providers", G_CALLBACK (on_list_providers), self);
  g_signal_connect (skeleton, "handle-get-provider", G_CALLBACK (on_get_provider), self);
  g_signal_connect (skeleton, "handle-add-route", G_CALLBACK (on_add_route), self);
  g_signal_connect (skeleton, "handle-get-routes", G_CALLBACK (on_get_routes), self);
  g_signal_connect (skeleton, "handle-probe-certificate", G_CALLBACK (on_probe_certificate), self);
  g_signal_connect (skeleton, "handle-explain", G_CALLBACK (on_explain), self);
  g_signal_connect (skeleton, "handle-preview-rewriting", G_CALLBACK (on_preview_rewriting), self);
}
