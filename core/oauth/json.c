/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "oauth/json.h"

#include <string.h>

#include "config/secrets.h"

PrOauthJson *
pr_oauth_json_parse (const char *text, gsize len)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root;

  if (!json_parser_load_from_data (parser, text, (gssize) len, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_ref (root) : NULL;
}

void
pr_oauth_json_free (PrOauthJson *self)
{
  JsonObjectIter iter;
  JsonNode *node;

  if (self == NULL)
    return;
  json_object_iter_init (&iter, json_node_get_object (self));
  while (json_object_iter_next (&iter, NULL, &node))
    if (json_node_get_value_type (node) == G_TYPE_STRING)
      {
        const char *text = json_node_get_string (node);

        pr_secret_wipe ((gpointer) text, strlen (text));
      }
  json_node_unref (self);
}
