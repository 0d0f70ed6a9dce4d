/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the service says, as JSON. */

#include "ctl/json.h"

#include <stdarg.h>
#include <string.h>
#include <json-glib/json-glib.h>

#include "common/units.h"

/* A field the contract promises, and how to name it where the service has nothing to say. */
static const char *const message_fields[] = { "id",     "sender", "size",  "received",
                                              "client", "user",   "state", "recipients" };
static const char *const recipient_fields[] = { "address",  "route",        "state",
                                                "attempts", "next-attempt", "last-reply" };

static JsonNode *make_node (GVariant *value, const char *key);

static JsonNode *
take_object (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

static JsonNode *
make_string (const char *text)
{
  return json_node_init_string (json_node_alloc (), text);
}

static JsonNode *
make_time (gint64 us)
{
  g_autofree char *text = pr_time_format (us);

  return make_string (text);
}

static JsonNode *
make_integer (gint64 value)
{
  return json_node_init_int (json_node_alloc (), value);
}

/* @fields (n): come first, null where they are absent. */
static JsonNode *
make_object (GVariant *dict, const char *const *fields, guint n)
{
  JsonObject *object = json_object_new ();
  GVariantIter iter;
  const char *key;
  GVariant *value;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GVariant) field = g_variant_lookup_value (dict, fields[i], NULL);

      if (field != NULL)
        json_object_set_member (object, fields[i], make_node (field, fields[i]));
      else
        json_object_set_null_member (object, fields[i]);
    }
  g_variant_iter_init (&iter, dict);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    if (!json_object_has_member (object, key))
      json_object_set_member (object, key, make_node (value, key));

  return take_object (object);
}

static JsonNode *
make_array (GVariant *values, const char *key)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  for (gsize i = 0; i < g_variant_n_children (values); i++)
    {
      g_autoptr (GVariant) value = g_variant_get_child_value (values, i);

      json_array_add_element (array, make_node (value, key));
    }

  json_node_take_array (node, array);
  return node;
}

static JsonNode *
make_node (GVariant *value, const char *key)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_STRING: return make_string (g_variant_get_string (value, NULL));
    case G_VARIANT_CLASS_BOOLEAN:
      return json_node_init_boolean (json_node_alloc (), g_variant_get_boolean (value));
    case G_VARIANT_CLASS_UINT32: return make_integer (g_variant_get_uint32 (value));
    case G_VARIANT_CLASS_UINT64:
      return make_integer ((gint64) MIN (g_variant_get_uint64 (value), (guint64) G_MAXINT64));
    case G_VARIANT_CLASS_INT64:
      return g_strcmp0 (key, "id") == 0 ? make_integer (g_variant_get_int64 (value))
                                        : make_time (g_variant_get_int64 (value));
    case G_VARIANT_CLASS_ARRAY:
      if (!g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
        return make_array (value, key);
      if (g_strcmp0 (key, "recipients") == 0)
        return make_object (value, recipient_fields, G_N_ELEMENTS (recipient_fields));
      return make_object (value, NULL, 0);
    case G_VARIANT_CLASS_BYTE:
    case G_VARIANT_CLASS_INT16:
    case G_VARIANT_CLASS_UINT16:
    case G_VARIANT_CLASS_INT32:
    case G_VARIANT_CLASS_HANDLE:
    case G_VARIANT_CLASS_DOUBLE:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
    case G_VARIANT_CLASS_VARIANT:
    case G_VARIANT_CLASS_MAYBE:
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
    default: return json_node_init_null (json_node_alloc ()); /* not in data/dbus */
    }
}

static char *
print (JsonNode *node)
{
  char *text = json_to_string (node, FALSE);

  json_node_unref (node);
  return text;
}

char *
pr_json_value (GVariant *value)
{
  return print (make_node (value, NULL));
}

char *
pr_json_message (GVariant *message)
{
  return print (make_object (message, message_fields, G_N_ELEMENTS (message_fields)));
}

char *
pr_json_message_with_history (GVariant *message, GVariant *events)
{
  JsonNode *node = make_object (message, message_fields, G_N_ELEMENTS (message_fields));

  json_object_set_member (json_node_get_object (node), "history", make_node (events, NULL));
  return print (node);
}

char *
pr_json_object (const char *key, ...)
{
  JsonObject *object = json_object_new ();
  va_list args;

  va_start (args, key);
  for (; key != NULL; key = va_arg (args, const char *))
    json_object_set_string_member (object, key, va_arg (args, const char *));
  va_end (args);

  return print (take_object (object));
}
