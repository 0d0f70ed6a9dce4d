/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables, lines and JSON, octet by octet. */
#include "ctl/event.h"
#include "ctl/json.h"
#include "ctl/table.h"

static const PrTerminal plain = { 0 };
static const PrTerminal narrow = { .is_tty = TRUE, .width = 24 };
static const PrTerminal colored = { .is_tty = TRUE, .has_colors = TRUE, .width = 80 };

static const PrColumn columns[] = {
  { "ID", FALSE, 0 },
  { "SIZE", TRUE, 0 },
  { "TO", FALSE, 6 },
  { NULL, FALSE, 0 },
};

static void
fill (PrTable *table)
{
  pr_table_add (table, "1");
  pr_table_take (table, g_strdup ("12 KiB"));
  pr_table_add (table, "someone@example.org");
  pr_table_add (table, "22");
  pr_table_add (table, "9 B");
  pr_table_add (table, "");
}

#define assert_lines(table, expected)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *lines = pr_table_flush (table);                                               \
    g_assert_cmpstr (lines, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static void
test_plain (void)
{
  g_autoptr (PrTable) table = pr_table_new (&plain, columns);

  assert_lines (table, "");
  fill (table);
  assert_lines (table, "ID    SIZE  TO\n"
                       "1   12 KiB  someone@example.org\n"
                       "22     9 B\n");
}

/* The second page has the first one's columns and no titles. */
static void
test_pages (void)
{
  g_autoptr (PrTable) table = pr_table_new (&plain, columns);
  g_autofree char *first = NULL;

  fill (table);
  first = pr_table_flush (table);
  pr_table_add (table, "333333");
  pr_table_add (table, "1 B");
  pr_table_add (table, "x");
  assert_lines (table, "333333     1 B  x\n");
}

static void
test_narrow (void)
{
  g_autoptr (PrTable) table = pr_table_new (&narrow, columns);

  fill (table);
  assert_lines (table, "ID    SIZE  TO\n"
                       "1   12 KiB  someone@exa…\n"
                       "22     9 B\n");
}

static void
test_colored (void)
{
  g_autoptr (PrTable) table = pr_table_new (&colored, columns);

  pr_table_add (table, "1\033[2J");
  pr_table_add (table, "1 B");
  pr_table_add_colored (table, PR_COLOR_BAD, "failed");
  assert_lines (table, "\033[1mID\033[0m     \033[1mSIZE\033[0m  \033[1mTO\033[0m\n"
                       "1?[2J   1 B  \033[31mfailed\033[0m\n");
}

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static void
test_event (void)
{
  g_autoptr (GVariant) delivered =
    parse ("{'id': <int64 1795467965000001>, 'time': <int64 1795467965000000>, 'kind': <"
           "'delivered'>, 'message': <'1k0yzv45vby'>, 'address': <'a@b.test'>, 'route': <'out'>,"
           " 'peer': <'192.0.2.1:25'>, 'code': <uint32 250>, 'text': <'2.0.0 ok\\u001b'>,"
           " 'size': <uint64 4096>}");
  g_autoptr (GVariant) accepted =
    parse ("{'time': <int64 1795467965000000>, 'kind': <'accepted'>, 'message': <'1k0yzv45vby'>,"
           " 'sender': <''>, 'address': <'a@b.test'>, 'peer': <'::1'>, 'size': <uint64 4096>}");
  g_autoptr (GVariant) started = parse ("{'time': <int64 1795467965000000>, 'kind': <'started'>}");
  g_autofree char *first = pr_event_line (&plain, delivered);
  g_autofree char *second = pr_event_line (&plain, accepted);
  g_autofree char *third = pr_event_line (&plain, started);
  g_autofree char *fourth = pr_event_line (&colored, delivered);

  g_assert_cmpstr (first, ==,
                   "2026-11-23 21:06:05  delivered     1k0yzv45vby to a@b.test via out "
                   "[192.0.2.1:25]: 250 2.0.0 ok?");
  g_assert_cmpstr (second, ==,
                   "2026-11-23 21:06:05  accepted      1k0yzv45vby from <> to a@b.test [::1] "
                   "(4.0 KiB)");
  g_assert_cmpstr (third, ==, "2026-11-23 21:06:05  started");
  g_assert_true (g_str_has_prefix (fourth, "2026-11-23 21:06:05  \033[32mdelivered"));
}

#define assert_json(call, expected)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *json = call;                                                                  \
    g_assert_cmpstr (json, ==, expected);                                                          \
  }                                                                                                \
  G_STMT_END

/* CONTRACT's fields come first and are all there. */
static void
test_json_message (void)
{
  g_autoptr (GVariant) message = parse (
    "{'held': <true>, 'id': <'1k0yzv45vby'>, 'sender': <''>, 'size': <uint64 3>, 'received': <"
    "int64 1795467965123456>, 'state': <'queued'>, 'recipients': <[{'address': <'a@b'>, 'state':"
    " <'pending'>, 'attempts': <uint32 2>, 'held': <false>}]>}");
  g_autoptr (GVariant) events = parse ("[{'id': <int64 7>, 'kind': <'accepted'>}]");

  assert_json (pr_json_message (message),
               "{\"id\":\"1k0yzv45vby\",\"sender\":\"\",\"size\":3,\"received\":"
               "\"2026-11-23T21:06:05.123Z\",\"client\":null,\"user\":null,\"state\":\"queued\","
               "\"recipients\":[{\"address\":\"a@b\",\"route\":null,\"state\":\"pending\","
               "\"attempts\":2,\"next-attempt\":null,\"last-reply\":null,\"held\":false}],"
               "\"held\":true}");
  assert_json (pr_json_message_with_history (message, events),
               "{\"id\":\"1k0yzv45vby\",\"sender\":\"\",\"size\":3,\"received\":"
               "\"2026-11-23T21:06:05.123Z\",\"client\":null,\"user\":null,\"state\":\"queued\","
               "\"recipients\":[{\"address\":\"a@b\",\"route\":null,\"state\":\"pending\","
               "\"attempts\":2,\"next-attempt\":null,\"last-reply\":null,\"held\":false}],"
               "\"held\":true,\"history\":[{\"id\":7,\"kind\":\"accepted\"}]}");
}

static void
test_json_values (void)
{
  g_autoptr (GVariant) value =
    parse ("{'text': <'a\"\\u001b\\n'>, 'many': <['x', 'y']>, 'none': <@as []>, 'big': <uint64 "
           "18446744073709551615>, 'yes': <true>, 'odd': <byte 3>}");

  assert_json (pr_json_value (value),
               "{\"text\":\"a\\\"\\u001b\\n\",\"many\":[\"x\",\"y\"],\"none\":[],"
               "\"big\":9223372036854775807,\"yes\":true,\"odd\":null}");
  assert_json (pr_json_object ("id", "1", "text", "\"", NULL), "{\"id\":\"1\",\"text\":\"\\\"\"}");
}

int
main (int argc, char *argv[])
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/table/plain", test_plain);
  g_test_add_func ("/table/pages", test_pages);
  g_test_add_func ("/table/narrow", test_narrow);
  g_test_add_func ("/table/colored", test_colored);
  g_test_add_func ("/event", test_event);
  g_test_add_func ("/json/message", test_json_message);
  g_test_add_func ("/json/values", test_json_values);
  return g_test_run ();
}
