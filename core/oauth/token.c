/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A token and its text form, a small JSON object. */
#include "oauth/token.h"

#include <string.h>

#include "config/secrets.h"
#include "oauth/json.h"

#define VERSION 1
#define USUAL_LIFE_S 3600 /* RFC 6749 §5.1: where the provider does not say */
#define MAX_LIFE_S (10 * 365 * 86400)

PrToken *
pr_token_new (void)
{
  return g_new0 (PrToken, 1);
}

void
pr_token_free (PrToken *self)
{
  if (self == NULL)
    return;
  pr_secret_free (self->access);
  pr_secret_free (self->refresh);
  g_free (self->client_id);
  g_free (self->account);
  g_free (self);
}

static void
add (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

char *
pr_token_to_text (const PrToken *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (PrOauthJson) root = NULL;
  /* So much room that it is never copied when the text grows. */
  GString *text = g_string_sized_new (PR_SECRET_MAX_OCTETS);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "version");
  json_builder_add_int_value (builder, VERSION);
  add (builder, "access", self->access);
  add (builder, "refresh", self->refresh);
  add (builder, "client-id", self->client_id);
  add (builder, "account", self->account);
  json_builder_set_member_name (builder, "obtained");
  json_builder_add_int_value (builder, self->obtained_s);
  json_builder_set_member_name (builder, "expires");
  json_builder_add_int_value (builder, self->expires_s);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_generator_to_gstring (generator, text);
  return g_string_free (text, FALSE);
}

static char *
get (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
           ? json_node_dup_string (node)
           : NULL;
}

static gint64
get_number (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_INT64
           ? MAX (json_node_get_int (node), 0)
           : 0;
}

PrToken *
pr_token_from_text (const char *text)
{
  g_autoptr (PrOauthJson) root = pr_oauth_json_parse (text, strlen (text));
  g_autoptr (PrToken) self = NULL;
  JsonObject *object;

  if (root == NULL)
    return NULL;
  object = json_node_get_object (root);
  if (get_number (object, "version") != VERSION)
    return NULL;
  self = pr_token_new ();
  self->access = get (object, "access");
  self->refresh = get (object, "refresh");
  self->client_id = get (object, "client-id");
  self->account = get (object, "account");
  self->obtained_s = get_number (object, "obtained");
  self->expires_s = get_number (object, "expires");
  return g_steal_pointer (&self);
}

static gint64
get_life_s (const PrToken *self)
{
  gint64 life_s = self->expires_s - self->obtained_s;

  return self->expires_s == 0 ? USUAL_LIFE_S : CLAMP (life_s, 0, MAX_LIFE_S);
}

guint
pr_token_get_margin_s (const PrToken *self)
{
  return (guint) MIN (get_life_s (self) / 10, 60);
}

/* A clock that was set back makes a token from the future: its life still has an end. */
static gint64
get_left_s (const PrToken *self, gint64 now_s)
{
  gint64 life_s = get_life_s (self);

  if (now_s < self->obtained_s - life_s)
    return 0;
  return MIN (self->obtained_s + life_s - now_s, life_s);
}

gboolean
pr_token_is_good (const PrToken *self, gint64 now_s)
{
  return self->access != NULL && get_left_s (self, now_s) > pr_token_get_margin_s (self);
}

gboolean
pr_token_is_due (const PrToken *self, gint64 now_s)
{
  return self->access == NULL || get_left_s (self, now_s) <= MIN (get_life_s (self) / 5, 300);
}
