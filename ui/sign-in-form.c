/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sign-in-form.h"

#include <string.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

typedef enum
{
  FOR_SERVER,
  FOR_PROVIDER,
  FOR_ROUTE
} Purpose;

struct _PrSignInForm
{
  AdwBin parent_instance;

  Purpose purpose;
  char *provider;       /* owned, nullable: its id */
  char *parameter_name; /* owned, nullable */
  gboolean is_open;     /* the provider asks for no password */
  gboolean is_closed;   /* nor takes any: OAuth alone */

  GtkLabel *steps; /* template children */
  GtkWidget *server_group;
  GtkEditable *host;
  GtkEditable *port;
  AdwComboRow *encryption;
  GtkEditable *authority;
  GtkWidget *parameter;
  GtkWidget *username;
  GtkWidget *password;
};

G_DEFINE_FINAL_TYPE (PrSignInForm, pr_sign_in_form, ADW_TYPE_BIN)

typedef enum
{
  PROP_COMPLETE = 1
} PrSignInFormProperty;

static GParamSpec *props[PROP_COMPLETE + 1];

static const char *
text_of (gpointer editable)
{
  return gtk_editable_get_text (GTK_EDITABLE (editable));
}

static gboolean
is_port (const char *text)
{
  return g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, NULL, NULL);
}

static gboolean
is_complete (PrSignInForm *self)
{
  gboolean signs_in = *text_of (self->username) != '\0' && *text_of (self->password) != '\0';

  switch (self->purpose)
    {
    case FOR_SERVER:
      return *text_of (self->host) != '\0' && is_port (text_of (self->port)) &&
             (*text_of (self->username) == '\0') == (*text_of (self->password) == '\0');
    case FOR_PROVIDER:
      return !self->is_closed && (self->is_open || *text_of (self->password) != '\0') &&
             (!gtk_widget_get_visible (self->username) || *text_of (self->username) != '\0');
    case FOR_ROUTE:
    default: return signs_in;
    }
}

static void
on_changed (PrSignInForm *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_COMPLETE]);
}

/* ── What a provider wants ────────────────────────────────────────────────────────────────── */

static const char *
get_string (JsonObject *object, const char *key)
{
  return object != NULL ? json_object_get_string_member_with_default (object, key, NULL) : NULL;
}

/* The first way that needs no browser; NULL: there is none. */
static JsonObject *
find_way (JsonArray *ways)
{
  for (guint i = 0; ways != NULL && i < json_array_get_length (ways); i++)
    {
      JsonObject *way = json_array_get_object_element (ways, i);

      if (g_strcmp0 (get_string (way, "kind"), "oauth") != 0)
        return way;
    }
  return NULL;
}

static void
show_steps (PrSignInForm *self, JsonObject *way, JsonObject *username)
{
  JsonArray *steps = way != NULL && json_object_has_member (way, "steps")
                       ? json_object_get_array_member (way, "steps")
                       : NULL;
  const char *words = get_string (username, "words");
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; steps != NULL && i < json_array_get_length (steps); i++)
    g_string_append_printf (text, "%s%u. %s", i > 0 ? "\n" : "", i + 1,
                            json_array_get_string_element (steps, i));
  if (words != NULL)
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", words);
  if (way == NULL)
    g_string_append (text, _ ("This provider takes no passwords: people sign in with a web "
                              "browser. Type in a terminal: postroomctl route sign-in --help"));
  gtk_label_set_label (self->steps, text->str);
  gtk_widget_set_visible (GTK_WIDGET (self->steps), text->len > 0);
}

static void
show_parameter (PrSignInForm *self, JsonObject *provider)
{
  JsonArray *all = json_object_has_member (provider, "parameters")
                     ? json_object_get_array_member (provider, "parameters")
                     : NULL;
  JsonObject *first =
    all != NULL && json_array_get_length (all) > 0 ? json_array_get_object_element (all, 0) : NULL;

  gtk_widget_set_visible (self->parameter, first != NULL);
  g_clear_pointer (&self->parameter_name, g_free);
  if (first == NULL)
    return;

  self->parameter_name = g_strdup (get_string (first, "name"));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->parameter), self->parameter_name);
  gtk_widget_set_tooltip_text (self->parameter, get_string (first, "words"));
  gtk_editable_set_text (GTK_EDITABLE (self->parameter),
                         json_object_get_string_member_with_default (first, "default", ""));
}

static void
show_provider (PrSignInForm *self, JsonObject *provider)
{
  JsonObject *way = find_way (json_object_has_member (provider, "auth")
                                ? json_object_get_array_member (provider, "auth")
                                : NULL);
  JsonObject *username = json_object_has_member (provider, "username")
                           ? json_object_get_object_member (provider, "username")
                           : NULL;
  const char *form = get_string (username, "form");

  self->provider = g_strdup (get_string (provider, "id"));
  self->is_open = way != NULL && g_strcmp0 (get_string (way, "kind"), "none") == 0;
  self->is_closed = way == NULL;
  gtk_widget_set_visible (self->username,
                          !self->is_closed && !self->is_open && g_strcmp0 (form, "literal") != 0);
  gtk_widget_set_visible (self->password, !self->is_closed && !self->is_open);
  show_steps (self, way, username);
  show_parameter (self, provider);
}

void
pr_sign_in_form_show_provider (PrSignInForm *self, const char *json)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();

  g_return_if_fail (PR_IS_SIGN_IN_FORM (self));

  g_clear_pointer (&self->provider, g_free);
  self->purpose = json != NULL ? FOR_PROVIDER : FOR_SERVER;
  self->is_open = self->is_closed = FALSE;
  gtk_widget_set_visible (self->server_group, json == NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->steps), FALSE);
  gtk_widget_set_visible (self->parameter, FALSE);
  gtk_widget_set_visible (self->username, TRUE);
  gtk_widget_set_visible (self->password, TRUE);
  if (json != NULL && json_parser_load_from_data (parser, json, -1, NULL) &&
      JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    show_provider (self, json_node_get_object (json_parser_get_root (parser)));
  on_changed (self);
}

void
pr_sign_in_form_show_route (PrSignInForm *self, const char *route, const char *username)
{
  g_autofree char *text = NULL;

  g_return_if_fail (PR_IS_SIGN_IN_FORM (self));

  self->purpose = FOR_ROUTE;
  gtk_widget_set_visible (self->server_group, FALSE);
  gtk_widget_set_visible (self->parameter, FALSE);
  /* Translators: %s is the name of a way out for mail */
  text = g_strdup_printf (_ ("Mail that goes by “%s” waits until you sign in."), route);
  gtk_label_set_label (self->steps, text);
  gtk_editable_set_text (GTK_EDITABLE (self->username), username != NULL ? username : "");
  on_changed (self);
}

/* ── What was typed ───────────────────────────────────────────────────────────────────────── */

static void
insert (GVariantDict *dict, const char *key, const char *value)
{
  if (value != NULL && *value != '\0')
    g_variant_dict_insert (dict, key, "s", value);
}

GVariant *
pr_sign_in_form_make_options (PrSignInForm *self)
{
  static const char *const encryptions[] = { "implicit", "required", "off" };
  GVariantDict dict;

  g_return_val_if_fail (PR_IS_SIGN_IN_FORM (self), NULL);

  g_variant_dict_init (&dict, NULL);
  if (self->purpose == FOR_PROVIDER)
    {
      insert (&dict, "provider", self->provider);
      if (gtk_widget_get_visible (self->parameter))
        insert (&dict, "parameter", text_of (self->parameter));
    }
  else
    {
      const char *host = text_of (self->host);
      g_autofree char *hosts =
        g_strdup_printf (strchr (host, ':') != NULL && *host != '[' ? "[%s]:%s" : "%s:%s", host,
                         text_of (self->port));
      guint chosen = adw_combo_row_get_selected (self->encryption);

      insert (&dict, "name", "smarthost");
      insert (&dict, "via", "smarthost");
      insert (&dict, "hosts", hosts);
      insert (&dict, "tls", encryptions[MIN (chosen, G_N_ELEMENTS (encryptions) - 1)]);
      insert (&dict, "ca-file", text_of (self->authority));
    }
  if (gtk_widget_get_visible (self->username))
    insert (&dict, "username", text_of (self->username));
  return g_variant_dict_end (&dict);
}

const char *
pr_sign_in_form_get_username (PrSignInForm *self)
{
  return text_of (self->username);
}

const char *
pr_sign_in_form_get_password (PrSignInForm *self)
{
  const char *password = text_of (self->password);

  return gtk_widget_get_visible (self->password) && *password != '\0' ? password : NULL;
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_sign_in_form_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch ((PrSignInFormProperty) id)
    {
    case PROP_COMPLETE: g_value_set_boolean (value, is_complete (PR_SIGN_IN_FORM (object))); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_sign_in_form_finalize (GObject *object)
{
  PrSignInForm *self = PR_SIGN_IN_FORM (object);

  g_free (self->provider);
  g_free (self->parameter_name);
  G_OBJECT_CLASS (pr_sign_in_form_parent_class)->finalize (object);
}

static void
pr_sign_in_form_class_init (PrSignInFormClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = pr_sign_in_form_get_property;
  object_class->finalize = pr_sign_in_form_finalize;
  props[PROP_COMPLETE] =
    g_param_spec_boolean ("complete", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "sign-in-form.ui");
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, steps);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, server_group);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, host);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, port);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, encryption);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, authority);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, parameter);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, username);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, password);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
}

static void
pr_sign_in_form_init (PrSignInForm *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
