/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resources message, fileAttachment and attachmentItem of Microsoft Graph v1.0. */
#include "relay/http-graph.h"

#include <json-glib/json-glib.h>
#include <string.h>

char *
pr_graph_get_mailbox_url (const PrRouteConfig *route, const char *base_url)
{
  g_autofree char *name = NULL;

  if (g_strcmp0 (route->oauth_flow, "client-credentials") != 0 || route->username == NULL)
    return g_strconcat (base_url, "/me", NULL);
  name = g_uri_escape_string (route->username, "@", FALSE);
  return g_strconcat (base_url, "/users/", name, NULL);
}

static JsonBuilder *
describe (const PrHttpAttachment *it)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, it->name);
  json_builder_set_member_name (builder, "contentType");
  json_builder_add_string_value (builder, it->type);
  json_builder_set_member_name (builder, "isInline");
  json_builder_add_boolean_value (builder, it->is_inline);
  if (it->content_id != NULL)
    {
      json_builder_set_member_name (builder, "contentId");
      json_builder_add_string_value (builder, it->content_id);
    }
  return builder;
}

static char *
to_text (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = NULL;

  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

void
pr_graph_write_attachment (const PrHttpAttachment *attachment, char **before, char **behind)
{
  g_autoptr (JsonBuilder) builder = describe (attachment);
  g_autofree char *text = NULL;

  json_builder_set_member_name (builder, "@odata.type");
  json_builder_add_string_value (builder, "#microsoft.graph.fileAttachment");
  text = to_text (builder);
  text[strlen (text) - 1] = '\0'; /* the brace comes behind */
  *before = g_strconcat (text, ",\"contentBytes\":\"", NULL);
  *behind = g_strdup ("\"}");
}

char *
pr_graph_write_session (const PrHttpAttachment *attachment)
{
  g_autoptr (JsonBuilder) builder = describe (attachment);
  g_autofree char *text = NULL;

  json_builder_set_member_name (builder, "attachmentType");
  json_builder_add_string_value (builder, "file");
  json_builder_set_member_name (builder, "size");
  json_builder_add_int_value (builder, (gint64) attachment->size_octets);
  text = to_text (builder);
  return g_strdup_printf ("{\"AttachmentItem\":%s}", text);
}

char *
pr_graph_read_text (const PrWebAnswer *answer, const char *name)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root, *node = NULL;

  if (!json_parser_load_from_data (parser, answer->body, (gssize) answer->len, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    node = json_object_get_member (json_node_get_object (root), name);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return g_strdup (json_node_get_string (node));
}
