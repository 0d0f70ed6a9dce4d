/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits for a person: the same as the notifications tell. */

#include "service/alert-words.h"
#include "service/control-private.h"

static const char *
kind_to_string (PrDesktopNotice kind)
{
  switch (kind)
    {
    case PR_NOTICE_SIGN_IN: return "sign-in";
    case PR_NOTICE_FAILURES: return "failures";
    case PR_NOTICE_ROUTES: return "routes";
    case PR_NOTICE_DEVICES: return "devices";
    case PR_NOTICE_DISK: return "disk";
    case PR_NOTICE_CERTIFICATES:
    default: return "certificates";
    }
}

static void
add_actions (GVariantBuilder *builder, guint actions)
{
  GVariantBuilder names;

  g_variant_builder_init (&names, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint bit = 1; bit != 0 && bit <= actions; bit <<= 1)
    if ((actions & bit) != 0)
      g_variant_builder_add (&names, "s", pr_alert_action_to_string (bit));
  g_variant_builder_add (builder, "{sv}", "actions", g_variant_builder_end (&names));
}

static void
add_alert (const PrAlert *alert, gpointer user_data)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  pr_control_add_string (&builder, "id", alert->id);
  pr_control_add_string (&builder, "kind", kind_to_string (alert->kind));
  pr_control_add_string (&builder, "title", alert->title);
  pr_control_add_string (&builder, "body", alert->body);
  pr_control_add_string (&builder, "subject", alert->subject);
  pr_control_add_string (&builder, "page", alert->page);
  pr_control_add_string (&builder, "item", *alert->item != '\0' ? alert->item : NULL);
  pr_control_add_bool (&builder, "urgent", alert->urgent);
  add_actions (&builder, alert->actions);
  g_variant_builder_add_value (user_data, g_variant_builder_end (&builder));
}

static gboolean
on_list_alerts (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  PrControl *self = user_data;
  GVariantBuilder alerts;

  g_variant_builder_init (&alerts, G_VARIANT_TYPE ("aa{sv}"));
  if (self->desktop != NULL)
    pr_desktop_list_alerts (self->desktop, add_alert, &alerts);
  pr_dbus_service1_complete_list_alerts (skeleton, invocation, g_variant_builder_end (&alerts));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_answer_alert (PrDbusService1 *skeleton, GDBusMethodInvocation *invocation, const char *id,
                 const char *action, gpointer user_data)
{
  PrControl *self = user_data;

  if (self->desktop == NULL || !pr_desktop_answer_alert (self->desktop, id, action))
    pr_control_refuse (invocation, "That is settled already, or cannot be done from here");
  else
    pr_dbus_service1_complete_answer_alert (skeleton, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
pr_control_set_desktop (PrControl *self, PrDesktop *desktop)
{
  self->desktop = desktop;
}

void
pr_control_connect_alerts (PrControl *self, PrDbusService1 *skeleton)
{
  g_signal_connect (skeleton, "handle-list-alerts", G_CALLBACK (on_list_alerts), self);
  g_signal_connect (skeleton, "handle-answer-alert", G_CALLBACK (on_answer_alert), self);
}
