/* SPDX-License-Identifier: GPL-3.0-or-later */
/* People sign in to their providers. */
#include "service/control-private.h"

static PrOauth *
get_oauth (PrControl *self)
{
  return pr_engine_get_oauth (self->engine);
}

static void
on_changed (guint id, gpointer user_data)
{
  PrControl *self = user_data;

  pr_dbus_sign_in1_emit_changed (self->sign_in, id);
}

static gboolean
on_start (PrDbusSignIn1 *skeleton, GDBusMethodInvocation *invocation, const char *route,
          const char *flow, gpointer user_data)
{
  static const char *const flows[] = { "auto", "code", "device", NULL };
  PrControl *self = user_data;
  g_autoptr (GError) error = NULL;
  guint id = 0;

  if (!g_strv_contains (flows, flow))
    {
      pr_control_bad_args (invocation, "A sign-in is auto, code or device");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  id = pr_consents_start (self->attempts, route, flow, &error);
  if (id == 0)
    pr_control_refuse (invocation, "%s", error->message);
  else
    pr_dbus_sign_in1_complete_start (skeleton, invocation, id);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static const char *
name_state (PrConsentState state)
{
  switch (state)
    {
    case PR_CONSENT_ASKING: return "asking";
    case PR_CONSENT_WAITING: return "waiting";
    case PR_CONSENT_CHECKING: return "checking";
    case PR_CONSENT_DONE: return "done";
    case PR_CONSENT_FAILED:
    default: return "failed";
    }
}

static gboolean
on_get (PrDbusSignIn1 *skeleton, GDBusMethodInvocation *invocation, guint id, gpointer user_data)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  PrControl *self = user_data;
  PrConsentFacts facts;

  if (!pr_consents_get (self->attempts, id, &facts))
    {
      g_variant_builder_clear (&builder);
      pr_control_refuse (invocation, "This sign-in is not remembered any more");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  pr_control_add_string (&builder, "route", facts.route);
  pr_control_add_string (&builder, "state", name_state (facts.state));
  pr_control_add_string (&builder, "url", facts.url);
  pr_control_add_string (&builder, "user-code", facts.user_code);
  pr_control_add_string (&builder, "short-url", facts.short_url);
  pr_control_add_string (&builder, "account", facts.account);
  pr_control_add_string (&builder, "why", facts.why);
  pr_control_add_time (&builder, "expires", facts.expires_s * G_USEC_PER_SEC);
  pr_dbus_sign_in1_complete_get (skeleton, invocation, g_variant_builder_end (&builder));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_paste (PrDbusSignIn1 *skeleton, GDBusMethodInvocation *invocation, guint id, const char *url,
          gpointer user_data)
{
  PrControl *self = user_data;
  g_autoptr (GError) error = NULL;

  if (pr_consents_paste (self->attempts, id, url, &error))
    pr_dbus_sign_in1_complete_paste (skeleton, invocation);
  else
    pr_control_refuse (invocation, "%s", error->message);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_cancel (PrDbusSignIn1 *skeleton, GDBusMethodInvocation *invocation, guint id, gpointer user_data)
{
  PrControl *self = user_data;

  pr_consents_cancel (self->attempts, id);
  pr_dbus_sign_in1_complete_cancel (skeleton, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

const char *
pr_control_oauth_state_to_string (PrOauthState state)
{
  static const char *const names[] = {
    [PR_OAUTH_READY] = "ready",
    [PR_OAUTH_WAIT] = "waiting",
    [PR_OAUTH_LATER] = "put-off",
    [PR_OAUTH_SIGN_IN] = "sign-in-needed",
  };

  return names[state];
}

static gboolean
on_status (PrDbusSignIn1 *skeleton, GDBusMethodInvocation *invocation, const char *route,
           gpointer user_data)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  PrControl *self = user_data;
  PrOauthState state;
  PrOauthFacts facts;

  if (pr_oauth_get_facts (get_oauth (self), route, &state, &facts))
    {
      pr_control_add_string (&builder, "state", pr_control_oauth_state_to_string (state));
      pr_control_add_string (&builder, "account", facts.account);
      pr_control_add_string (&builder, "why", facts.why);
      pr_control_add_string (&builder, "unkept", facts.unkept);
      pr_control_add_time (&builder, "expires", facts.expires_s * G_USEC_PER_SEC);
      pr_control_add_bool (&builder, "renews", facts.can_refresh);
    }
  pr_dbus_sign_in1_complete_status (skeleton, invocation, g_variant_builder_end (&builder));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
on_signed_out (const PrOauthSignOutFacts *facts, gpointer user_data)
{
  if (facts->error != NULL)
    pr_control_refuse (user_data,
                       "You are signed out until Postroom ends: the stored sign-in could not be "
                       "removed (%s). It is tried again%s",
                       facts->error->message,
                       facts->asked && facts->refused == NULL
                         ? "; it is worth nothing any more, as your provider revoked it"
                         : "");
  else
    g_dbus_method_invocation_return_value (
      user_data, g_variant_new ("(bs)", facts->asked && facts->refused == NULL,
                                facts->refused != NULL ? facts->refused->message : ""));
}

static gboolean
on_sign_out (PrDbusSignIn1 *skeleton, GDBusMethodInvocation *invocation, const char *route,
             gpointer user_data)
{
  PrControl *self = user_data;
  PrOauthState state;
  PrOauthFacts facts;

  if (pr_oauth_get_facts (get_oauth (self), route, &state, &facts))
    pr_oauth_sign_out (get_oauth (self), route, on_signed_out, invocation);
  else
    pr_control_refuse (invocation, "The route %s does not sign in with OAuth", route);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
on_kept (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  if (faults->len > 0)
    pr_control_refuse (user_data, "The secret could not be kept: %s",
                       (const char *) faults->pdata[0]);
  else
    g_dbus_method_invocation_return_value (user_data, NULL);
}

static gboolean
on_set_client_secret (PrDbusSignIn1 *skeleton, GDBusMethodInvocation *invocation, const char *route,
                      const char *secret, gpointer user_data)
{
  PrControl *self = user_data;

  if (pr_config_get_route (pr_engine_get_config (self->engine), route) == NULL)
    pr_control_refuse (invocation, "There is no route %s in the configuration", route);
  else
    pr_reloader_set_secret (self->reloader, route, PR_SECRET_CLIENT_SECRET,
                            *secret != '\0' ? secret : NULL, on_kept, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

PrDbusSignIn1 *
pr_control_make_sign_in (PrControl *self)
{
  PrDbusSignIn1 *skeleton = pr_dbus_sign_in1_skeleton_new ();

  self->attempts = pr_consents_new (get_oauth (self), on_changed, self);
  g_signal_connect (skeleton, "handle-start", G_CALLBACK (on_start), self);
  g_signal_connect (skeleton, "handle-get", G_CALLBACK (on_get), self);
  g_signal_connect (skeleton, "handle-paste", G_CALLBACK (on_paste), self);
  g_signal_connect (skeleton, "handle-cancel", G_CALLBACK (on_cancel), self);
  g_signal_connect (skeleton, "handle-status", G_CALLBACK (on_status), self);
  g_signal_connect (skeleton, "handle-sign-out", G_CALLBACK (on_sign_out), self);
  g_signal_connect (skeleton, "handle-set-client-secret", G_CALLBACK (on_set_client_secret), self);
  return skeleton;
}
