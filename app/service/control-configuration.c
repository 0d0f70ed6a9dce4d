/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroom.conf, read and written by the service alone. */

#include <string.h>

#include "service/control-private.h"
#include "service/edits.h"
#include "smtp/sasl.h"

static GVariant *
make_strings (GPtrArray *strings)
{
  return g_variant_new_strv ((const char *const *) strings->pdata, (gssize) strings->len);
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

static void
on_file_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_autofree char *path = g_file_get_path (G_FILE (source));
  g_autofree char *text = NULL;
  gsize len = 0;
  g_autoptr (GError) error = NULL;

  if (!g_file_load_contents_finish (G_FILE (source), result, &text, &len, NULL, &error) &&
      !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    pr_control_refuse (invocation, "%s", error->message);
  else if (text != NULL && !g_utf8_validate (text, (gssize) len, NULL))
    pr_control_refuse (invocation, "%s is not a text in UTF-8", path);
  else
    g_dbus_method_invocation_return_value (invocation,
                                           g_variant_new ("(ss)", text != NULL ? text : "", path));
}

static gboolean
on_read (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  PrControl *self = user_data;
  g_autoptr (GFile) file = g_file_new_for_path (self->home->config);

  g_file_load_contents_async (file, NULL, on_file_read, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
on_validated (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  g_dbus_method_invocation_return_value (user_data, g_variant_new ("(@as)", make_strings (faults)));
}

static gboolean
on_validate (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, const char *text,
             gpointer user_data)
{
  PrControl *self = user_data;

  pr_reloader_validate (self->reloader, text, on_validated, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── In force ─────────────────────────────────────────────────────────────────────────────── */

static void
on_in_force (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  g_dbus_method_invocation_return_value (
    user_data, g_variant_new ("(@as@as)", make_strings (faults), make_strings (warnings)));
}

static gboolean
on_apply (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, const char *text,
          gpointer user_data)
{
  PrControl *self = user_data;

  pr_reloader_apply (self->reloader, text, on_in_force, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* Edit and SetUser: @user_data of the reloader. */
typedef struct
{
  GDBusMethodInvocation *invocation; /* owned by the answer */
  GVariant *arguments;               /* borrowed from it */
  char *before;                      /* owned: the text as it was */
} Change;

static Change *
change_new (GDBusMethodInvocation *invocation)
{
  Change *change = g_new0 (Change, 1);

  change->invocation = invocation;
  change->arguments = g_dbus_method_invocation_get_parameters (invocation);
  return change;
}

static void
change_free (Change *change)
{
  pr_sasl_forget (change->before);
  g_free (change);
}

static char *
edit (const char *text, gpointer user_data, GError **error)
{
  Change *change = user_data;
  g_autoptr (GVariant) edits = g_variant_get_child_value (change->arguments, 0);

  change->before = g_strdup (text);
  return pr_edits_apply (text, edits, error);
}

static void
on_edited (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  Change *change = user_data;

  g_dbus_method_invocation_return_value (
    change->invocation, g_variant_new ("(@as@ass)", make_strings (faults), make_strings (warnings),
                                       change->before != NULL ? change->before : ""));
  change_free (change);
}

static gboolean
on_edit (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, GVariant *edits,
         gpointer user_data)
{
  PrControl *self = user_data;

  pr_reloader_edit (self->reloader, edit, on_edited, change_new (invocation));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static char *
set_user (const char *text, gpointer user_data, GError **error)
{
  Change *change = user_data;
  g_autoptr (GVariant) options = NULL;
  const char *name, *password;

  g_variant_get (change->arguments, "(&s&s@a{sv})", &name, &password, &options);
  return pr_edits_set_user (text, name, password, options, error);
}

static void
on_user_set (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  Change *change = user_data;

  on_in_force (faults, warnings, change->invocation);
  change_free (change);
}

static gboolean
on_set_user (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, const char *name,
             const char *password, GVariant *options, gpointer user_data)
{
  PrControl *self = user_data;

  pr_reloader_edit (self->reloader, set_user, on_user_set, change_new (invocation));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_describe (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GVariantBuilder keys;

  g_variant_builder_init (&keys, G_VARIANT_TYPE ("aa{sv}"));
  for (const PrConfigKey *key = pr_config_get_keys (); key->group != NULL; key++)
    {
      GVariantDict dict;

      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "group", "s", key->group);
      g_variant_dict_insert (&dict, "key", "s", key->key);
      g_variant_dict_insert (&dict, "type", "s", key->type);
      g_variant_dict_insert (&dict, "default", "s", key->default_text);
      g_variant_dict_insert (&dict, "help", "s", key->help);
      g_variant_builder_add_value (&keys, g_variant_dict_end (&dict));
    }
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &keys));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_reload (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  PrControl *self = user_data;

  pr_reloader_reload (self->reloader, on_in_force, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
on_password_kept (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  if (faults->len > 0)
    pr_control_refuse (user_data, "The password could not be kept: %s",
                       (const char *) faults->pdata[0]);
  else
    g_dbus_method_invocation_return_value (user_data, NULL);
}

static gboolean
on_set_route_password (PrDbusConfiguration1 *skeleton, GDBusMethodInvocation *invocation,
                       const char *route, const char *password, gpointer user_data)
{
  PrControl *self = user_data;

  if (pr_config_get_route (pr_engine_get_config (self->engine), route) == NULL)
    pr_control_refuse (invocation, "There is no route %s in the configuration", route);
  else
    pr_reloader_set_password (self->reloader, route, *password != '\0' ? password : NULL,
                              on_password_kept, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
on_changed (gpointer user_data)
{
  PrControl *self = user_data;

  pr_dbus_configuration1_emit_changed (self->configuration);
}

PrDbusConfiguration1 *
pr_control_make_configuration (PrControl *self)
{
  PrDbusConfiguration1 *skeleton = pr_dbus_configuration1_skeleton_new ();

  g_signal_connect (skeleton, "handle-read", G_CALLBACK (on_read), self);
  g_signal_connect (skeleton, "handle-validate", G_CALLBACK (on_validate), self);
  g_signal_connect (skeleton, "handle-apply", G_CALLBACK (on_apply), self);
  g_signal_connect (skeleton, "handle-edit", G_CALLBACK (on_edit), self);
  g_signal_connect (skeleton, "handle-describe", G_CALLBACK (on_describe), self);
  g_signal_connect (skeleton, "handle-set-user", G_CALLBACK (on_set_user), self);
  g_signal_connect (skeleton, "handle-reload", G_CALLBACK (on_reload), self);
  g_signal_connect (skeleton, "handle-set-route-password", G_CALLBACK (on_set_route_password),
                    self);
  pr_control_connect_providers (self, skeleton);
  pr_reloader_set_changed (self->reloader, on_changed, self);

  return skeleton;
}
