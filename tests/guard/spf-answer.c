/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What SPF says to each question on the standard input: lines of JSON, {"zone": {NAME: [[KIND,
 * STATUS, VALUE...]...]}, "tests": [{"client", "helo", "sender"}...]}. One line of JSON for each
 * test:
 * {"result", "explanation"}. spf-cases.py asks and compares.
 */
#include "guard/spf.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The zone's word for what is wanted: NONE unless it is there. */
static void
answer (PrLookups *lookups, JsonObject *zone, PrRecordKind kind, const char *name)
{
  static const char *const kinds[] = { "TXT", "A", "AAAA", "MX", "PTR" };
  JsonArray *records =
    json_object_has_member (zone, name) ? json_object_get_array_member (zone, name) : NULL;
  PrLookupStatus status = PR_LOOKUP_NONE;
  g_autoptr (GPtrArray) values = g_ptr_array_new ();

  for (guint i = 0; records != NULL && i < json_array_get_length (records); i++)
    {
      JsonArray *record = json_array_get_array_element (records, i);
      const char *type = json_array_get_string_element (record, 0);

      if (strcmp (type, "TIMEOUT") == 0)
        status = values->len == 0 ? PR_LOOKUP_FAILED : status;
      else if (strcmp (type, kinds[kind]) == 0)
        {
          status = PR_LOOKUP_FOUND;
          g_ptr_array_add (values, (gpointer) json_array_get_string_element (record, 1));
        }
    }
  g_ptr_array_add (values, NULL);
  pr_lookups_add (lookups, kind, name, status, (const char *const *) values->pdata);
}

static void
print_result (const PrSpf *spf)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "result");
  json_builder_add_string_value (builder, pr_spf_result_name (spf->result));
  json_builder_set_member_name (builder, "explanation");
  json_builder_add_string_value (builder, spf->explanation != NULL ? spf->explanation : "DEFAULT");
  json_builder_set_member_name (builder, "problem");
  json_builder_add_string_value (builder, spf->problem != NULL ? spf->problem : "");
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  puts (text);
}

static void
run (JsonObject *zone, JsonObject *test)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrSpf) spf = { 0 };
  PrIp client;
  PrSpfQuestion question = { .client = &client,
                             .helo = json_object_get_string_member (test, "helo"),
                             .sender = json_object_get_string_member (test, "sender"),
                             .receiver = "receiver.example",
                             .time_s = 1700000000 };

  if (!pr_ip_parse (json_object_get_string_member (test, "client"), &client))
    g_error ("not an address: %s", json_object_get_string_member (test, "client"));

  while (!pr_spf_check (lookups, &question, &spf))
    {
      PrRecordKind kind;
      char *name;

      g_assert_cmpuint (pr_lookups_count_missing (lookups), >, 0);
      while (pr_lookups_take_wanted (lookups, &kind, &name))
        {
          answer (lookups, zone, kind, name);
          g_free (name);
        }
    }
  print_result (&spf);
}

int
main (void)
{
  g_autoptr (GIOChannel) in = g_io_channel_unix_new (0);
  char *line = NULL;

  while (g_io_channel_read_line (in, &line, NULL, NULL, NULL) == G_IO_STATUS_NORMAL)
    {
      g_autoptr (JsonParser) parser = json_parser_new ();
      g_autoptr (GError) error = NULL;
      JsonObject *root;
      JsonArray *tests;

      if (!json_parser_load_from_data (parser, line, -1, &error))
        g_error ("%s", error->message);
      root = json_node_get_object (json_parser_get_root (parser));
      tests = json_object_get_array_member (root, "tests");
      for (guint i = 0; i < json_array_get_length (tests); i++)
        run (json_object_get_object_member (root, "zone"),
             json_array_get_object_element (tests, i));
      g_free (line);
    }

  return EXIT_SUCCESS;
}
