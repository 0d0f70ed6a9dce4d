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

typedef enum
{
  WAY_NONE, /* the network address is known there */
  WAY_PASSWORD,
  WAY_OAUTH
} WayKind;

typedef struct
{
  WayKind kind;
  const char *flow;   /* of OAuth, as of SignIn1.Start; else NULL */
  const char *label;  /* for _() */
  JsonObject *object; /* borrowed from the parser */
} Way;

struct _PrSignInForm
{
  AdwBin parent_instance;

  Purpose purpose;
  char *provider;       /* owned, nullable: its id */
  char *parameter_name; /* owned, nullable */
  JsonParser *parser;   /* owned, nullable: all that is known of it */
  GArray *ways;         /* owned, of Way: how people sign in to it */

  GtkLabel *steps; /* template children */
  GtkWidget *server_group;
  GtkEditable *host;
  GtkEditable *port;
  AdwComboRow *encryption;
  GtkEditable *authority;
  GtkWidget *parameter;
  AdwComboRow *way;
  GtkWidget *username;
  GtkWidget *password;
  GtkWidget *client_id;
  GtkWidget *client_secret;
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

/* NULL: it is no provider that is signed in to. */
static const Way *
get_way (PrSignInForm *self)
{
  guint chosen = adw_combo_row_get_selected (self->way);

  return self->purpose == FOR_PROVIDER && chosen < self->ways->len
           ? &g_array_index (self->ways, Way, chosen)
           : NULL;
}

static gboolean
is_filled (GtkWidget *row)
{
  return !gtk_widget_get_visible (row) || *text_of (row) != '\0';
}

static gboolean
is_complete (PrSignInForm *self)
{
  switch (self->purpose)
    {
    case FOR_SERVER:
      return *text_of (self->host) != '\0' && is_port (text_of (self->port)) &&
             (*text_of (self->username) == '\0') == (*text_of (self->password) == '\0');
    case FOR_PROVIDER:
      return get_way (self) != NULL && is_filled (self->username) && is_filled (self->password) &&
             is_filled (self->client_id);
    case FOR_ROUTE:
    default: return is_filled (self->username) && is_filled (self->password);
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

static JsonArray *
get_array (JsonObject *object, const char *key)
{
  return object != NULL && json_object_has_member (object, key)
           ? json_object_get_array_member (object, key)
           : NULL;
}

static JsonObject *
get_object (JsonObject *object, const char *key)
{
  return object != NULL && json_object_has_member (object, key)
           ? json_object_get_object_member (object, key)
           : NULL;
}

static void
add_way (PrSignInForm *self, WayKind kind, const char *flow, const char *label, JsonObject *object)
{
  Way way = { .kind = kind, .flow = flow, .label = label, .object = object };

  g_array_append_val (self->ways, way);
}

static void
add_oauth (PrSignInForm *self, JsonObject *way, JsonObject *oauth)
{
  if (oauth == NULL || g_strcmp0 (get_string (oauth, "client"), "closed") == 0)
    return;

  if (get_string (oauth, "authorize") != NULL)
    add_way (self, WAY_OAUTH, "code", NC_ ("sign in by", "Web browser"), way);
  if (get_string (oauth, "device") != NULL)
    add_way (self, WAY_OAUTH, "device", NC_ ("sign in by", "Code on another device"), way);
}

/* App passwords first: they need nothing that a person has to register. */
static void
find_ways (PrSignInForm *self, JsonObject *provider)
{
  JsonArray *all = get_array (provider, "auth");
  guint n = all != NULL ? json_array_get_length (all) : 0;

  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (get_string (json_array_get_object_element (all, i), "kind"), "app-password") ==
        0)
      add_way (self, WAY_PASSWORD, NULL, NC_ ("sign in by", "App password"),
               json_array_get_object_element (all, i));
  for (guint i = 0; i < n; i++)
    {
      JsonObject *way = json_array_get_object_element (all, i);
      const char *kind = get_string (way, "kind");

      if (g_strcmp0 (kind, "password") == 0)
        add_way (self, WAY_PASSWORD, NULL, NC_ ("sign in by", "Password"), way);
      else if (g_strcmp0 (kind, "token") == 0)
        add_way (self, WAY_PASSWORD, NULL, NC_ ("sign in by", "Token"), way);
      else if (g_strcmp0 (kind, "none") == 0)
        add_way (self, WAY_NONE, NULL, NC_ ("sign in by", "Network address alone"), way);
      else if (g_strcmp0 (kind, "oauth") == 0)
        add_oauth (self, way, get_object (provider, "oauth"));
    }
}

static JsonObject *
get_provider (PrSignInForm *self)
{
  return json_node_get_object (json_parser_get_root (self->parser));
}

static void
add_paragraph (GString *text, const char *words)
{
  if (words != NULL)
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n\n" : "", words);
}

/* Text with addresses of web pages that can be pressed, as markup. (transfer full) */
static char *
link_pages (const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);
  g_autoptr (GRegex) regex =
    g_regex_new ("https://[^\\s,;)]*[^\\s,;.:)]", G_REGEX_OPTIMIZE, 0, NULL);

  return g_regex_replace (regex, escaped, -1, 0, "<a href=\"\\0\">\\0</a>", 0, NULL);
}

static void
show_steps (PrSignInForm *self, const Way *way)
{
  JsonArray *steps = way->kind != WAY_OAUTH ? get_array (way->object, "steps") : NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *markup = NULL;

  if (way->kind == WAY_OAUTH)
    {
      g_string_append (text,
                       _ ("Postroom never sees your password this way, but the provider wants to "
                          "know the program: you need a client id of your own from it."));
      add_paragraph (text, get_string (get_object (get_provider (self), "oauth"), "words"));
    }
  for (guint i = 0; steps != NULL && i < json_array_get_length (steps); i++)
    g_string_append_printf (text, "%s%u. %s", i > 0 ? "\n" : "", i + 1,
                            json_array_get_string_element (steps, i));
  add_paragraph (text, get_string (get_object (get_provider (self), "username"), "words"));
  markup = link_pages (text->str);
  gtk_label_set_markup (self->steps, markup);
  gtk_widget_set_visible (GTK_WIDGET (self->steps), text->len > 0);
}

static void
on_way (PrSignInForm *self)
{
  const Way *way = get_way (self);
  const char *form;

  if (way == NULL)
    return;

  form = get_string (get_object (get_provider (self), "username"), "form");
  gtk_widget_set_visible (self->username,
                          way->kind != WAY_NONE && g_strcmp0 (form, "literal") != 0);
  gtk_widget_set_visible (self->password, way->kind == WAY_PASSWORD);
  gtk_widget_set_visible (self->client_id, way->kind == WAY_OAUTH);
  gtk_widget_set_visible (self->client_secret, way->kind == WAY_OAUTH);
  show_steps (self, way);
  on_changed (self);
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
  g_autoptr (GtkStringList) labels = gtk_string_list_new (NULL);

  self->provider = g_strdup (get_string (provider, "id"));
  show_parameter (self, provider);
  find_ways (self, provider);
  for (guint i = 0; i < self->ways->len; i++)
    gtk_string_list_append (
      labels, g_dpgettext2 (NULL, "sign in by", g_array_index (self->ways, Way, i).label));
  adw_combo_row_set_model (self->way, G_LIST_MODEL (labels));
  gtk_widget_set_visible (GTK_WIDGET (self->way), self->ways->len > 1);
  on_way (self);
}

/* Name and password of no provider that is known. */
static void
show_plain (PrSignInForm *self, Purpose purpose)
{
  self->purpose = purpose;
  g_clear_pointer (&self->provider, g_free);
  g_array_set_size (self->ways, 0);
  g_clear_object (&self->parser);
  gtk_widget_set_visible (self->server_group, purpose == FOR_SERVER);
  gtk_widget_set_visible (GTK_WIDGET (self->steps), FALSE);
  gtk_widget_set_visible (self->parameter, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->way), FALSE);
  gtk_widget_set_visible (self->username, TRUE);
  gtk_widget_set_visible (self->password, TRUE);
  gtk_widget_set_visible (self->client_id, FALSE);
  gtk_widget_set_visible (self->client_secret, FALSE);
}

void
pr_sign_in_form_show_provider (PrSignInForm *self, const char *json)
{
  g_return_if_fail (PR_IS_SIGN_IN_FORM (self));

  show_plain (self, json != NULL ? FOR_PROVIDER : FOR_SERVER);
  if (json != NULL)
    {
      self->parser = json_parser_new_immutable ();
      if (json_parser_load_from_data (self->parser, json, -1, NULL) &&
          JSON_NODE_HOLDS_OBJECT (json_parser_get_root (self->parser)))
        show_provider (self, get_provider (self));
    }
  on_changed (self);
}

void
pr_sign_in_form_show_route (PrSignInForm *self, const char *route, const char *username)
{
  g_autofree char *text = NULL;

  g_return_if_fail (PR_IS_SIGN_IN_FORM (self));

  show_plain (self, FOR_ROUTE);
  gtk_widget_set_visible (GTK_WIDGET (self->steps), TRUE);
  /* Translators: %s is the name of a way out for mail */
  text = g_strdup_printf (_ ("Mail that goes by “%s” waits until you sign in."), route);
  gtk_label_set_text (self->steps, text);
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

/* The provider's first way may be OAuth: another one is asked for by name. */
static void
insert_way (PrSignInForm *self, GVariantDict *dict)
{
  const Way *way = get_way (self);

  if (way != NULL && way->kind == WAY_OAUTH)
    {
      insert (dict, "auth", "oauth");
      insert (dict, "client-id", text_of (self->client_id));
    }
  else if (way != NULL && way->kind == WAY_PASSWORD)
    {
      insert (dict, "auth", "auto");
    }
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
      insert_way (self, &dict);
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

const char *
pr_sign_in_form_get_flow (PrSignInForm *self)
{
  const Way *way = get_way (self);

  return way != NULL ? way->flow : NULL;
}

const char *
pr_sign_in_form_get_client_secret (PrSignInForm *self)
{
  const char *secret = text_of (self->client_secret);

  return gtk_widget_get_visible (self->client_secret) && *secret != '\0' ? secret : NULL;
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
  g_array_unref (self->ways);
  g_clear_object (&self->parser);
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
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, way);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, username);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, password);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, client_id);
  gtk_widget_class_bind_template_child (widget_class, PrSignInForm, client_secret);
  gtk_widget_class_bind_template_callback (widget_class, on_way);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
}

static void
pr_sign_in_form_init (PrSignInForm *self)
{
  self->ways = g_array_new (FALSE, FALSE, sizeof (Way));
  gtk_widget_init_template (GTK_WIDGET (self));
}
