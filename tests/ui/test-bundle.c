/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app/control/bundle and archive: what is handed to somebody who helps, made by a real service that
 * knows secrets. */

#include <string.h>

#include "control/archive.h"
#include "control/bundle.h"
#include "control/client.h"
#include "daemon.h"
#include "wait.h"

#define SECRET "Tr0ub4dor"

/* What a .tar.gz holds, as one text; names and headers too. (transfer full) */
static char *
unpack (GBytes *bytes, gsize *len)
{
  g_autoptr (GConverter) converter =
    G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) packed = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GInputStream) plain = g_converter_input_stream_new (packed, converter);
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();
  g_autoptr (GError) error = NULL;

  g_output_stream_splice (out, plain, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
  g_assert_no_error (error);
  *len = g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (out));
  return g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (out));
}

static gboolean
holds (const char *data, gsize len, const char *text)
{
  return memmem (data, len, text, strlen (text)) != NULL;
}

/* ── The archive ──────────────────────────────────────────────────────────────────────────── */

static void
test_archive (void)
{
  g_autoptr (PrArchive) archive = pr_archive_new ();
  g_autofree char *large = g_strnfill (100000, 'x');
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *data = NULL;
  gsize len;

  pr_archive_add (archive, "empty", "", 0);
  pr_archive_add (archive, "small", "hello", 0);
  pr_archive_begin (archive, "large", 100000, 0);
  pr_archive_write (archive, large, 60000);
  pr_archive_write (archive, large, 40000);
  bytes = pr_archive_finish (archive);
  data = unpack (bytes, &len);

  /* Three headers, one block and 196 of contents, two at the end. */
  g_assert_cmpuint (len, ==, (3 + 1 + 196 + 2) * 512);
  g_assert_cmpstr (data, ==, "empty");
  g_assert_cmpstr (data + 512, ==, "small");
  g_assert_cmpstr (data + 512 + 124, ==, "00000000005");
  g_assert_cmpmem (data + 512 + 257, 8, "ustar\00000", 8);
  g_assert_cmpstr (data + 1024, ==, "hello");
  g_assert_cmpstr (data + 1536, ==, "large");
  g_assert_cmpuint ((guchar) data[2048 + 99999], ==, 'x');
  g_assert_cmpuint ((guchar) data[2048 + 100000], ==, '\0');
}

/* Millions of octets in small pieces come through. */
static void
test_archive_pieces (void)
{
  g_autoptr (PrArchive) archive = pr_archive_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *data = NULL;
  guint32 random = 1;
  gsize len;

  pr_archive_begin (archive, "noise", 4000 * 1000, 0);
  for (guint i = 0; i < 1000; i++)
    {
      char piece[4000];

      for (gsize j = 0; j < sizeof (piece); j++)
        piece[j] = (char) ((random = random * 1664525 + 1013904223) >> 24);
      pr_archive_write (archive, piece, sizeof (piece));
    }
  bytes = pr_archive_finish (archive);
  data = unpack (bytes, &len);
  g_assert_cmpuint (len, ==, 512 + 4000256 + 1024);
}

/* ── Redaction ────────────────────────────────────────────────────────────────────────────── */

static void
test_redact (void)
{
  static const char text[] = "# the old one was " SECRET "\n"
                             "\n"
                             "[server]\n"
                             " hostname = relay.test \n"
                             "[user printer]\n"
                             "secret=SCRAM-" SECRET "\n"
                             "senders=*@here.test\n"
                             "[route out]\n"
                             "hosts=a;https://me:" SECRET "@b.test/x;http://c.test:1/@\n"
                             "passwort=" SECRET "\n"
                             "senders=" SECRET "\n" /* known of users, not of routes, here */
                             "stray " SECRET "\n"
                             "hosts = \x1b[31m\xff\n"
                             "[unclosed " SECRET "\n";
  g_autoptr (GVariant) keys = g_variant_ref_sink (
    g_variant_new_parsed ("[{'group': <'server'>, 'key': <'hostname'>, 'type': <'text'>},"
                          " {'group': <'user NAME'>, 'key': <'secret'>, 'type': <'secret'>},"
                          " {'group': <'user NAME'>, 'key': <'senders'>, 'type': <'patterns'>},"
                          " {'group': <'route NAME'>, 'key': <'hosts'>, 'type': <'hosts'>}]"));
  g_autofree char *redacted = pr_bundle_redact (text, keys);

  g_assert_null (strstr (redacted, SECRET));
  g_assert_cmpstr (redacted, ==,
                   "[server]\n"
                   "hostname= relay.test\n"
                   "[user printer]\n"
                   "secret=********\n"
                   "senders=*@here.test\n"
                   "[route out]\n"
                   "hosts=a;https://********@b.test/x;http://c.test:1/@\n"
                   "passwort=********\n"
                   "senders=********\n"
                   "hosts= ?[31m?\n");
}

static void
test_event_line (void)
{
  g_autoptr (GVariant) event = g_variant_ref_sink (g_variant_new_parsed (
    "{'time': <@x 0>, 'kind': <'delivered'>, 'session': <@t 7>, 'address': <'a@b.test'>,"
    " 'code': <@u 250>, 'text': <'so\\nit\\u001b is'>}"));
  g_autoptr (GVariant) bare = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  g_autofree char *line = pr_bundle_event_line (event);
  g_autofree char *nothing = pr_bundle_event_line (bare);

  g_assert_cmpstr (line, ==,
                   "1970-01-01T00:00:00.000Z delivered session=7 address=a@b.test code=250 "
                   "text=so?it? is");
  g_assert_cmpstr (nothing, ==, "1970-01-01T00:00:00.000Z ?");
}

/* ── The whole ────────────────────────────────────────────────────────────────────────────── */

static const char config[] = "# " SECRET "\n"
                             "[server]\nhostname=relay.test\n"
                             "[listener main]\nlisten=127.0.0.1:0\ntls=off\n"
                             "[user old]\nsecret=SCRAM-SHA-256$4096:c2FsdA==$"
                             "c3RvcmVkc3RvcmVkc3RvcmVkc3RvcmVkc3RvcmVkc3Q=:"
                             "c2VydmVyc2VydmVyc2VydmVyc2VydmVyc2VydmVyc2U=\n"
                             "cram-md5=" SECRET "\n"
                             "[route wait]\nvia=hold\nusername=me\n";

typedef struct
{
  Daemon daemon;
  GDBusConnection *connection;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  daemon_set_up (&f->daemon, config);
  daemon_start (&f->daemon);
  f->connection = pr_client_connect_sync (f->daemon.home, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_object (&f->connection);
  daemon_tear_down (&f->daemon);
}

static void
on_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **out = user_data;

  *out = g_object_ref (result);
}

static GBytes *
make (Fixture *f, GVariant *filter, guint *n_events)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  pr_bundle_make_async (f->connection, filter, NULL, on_made, &result);
  wait_for (NULL, result != NULL, "the bundle");
  bytes = pr_bundle_make_finish (result, n_events, &error);
  g_assert_no_error (error);
  return bytes;
}

/* What a bundle holds now. (transfer full) */
static char *
look (Fixture *f, char **before, guint *n_events, gsize *len)
{
  g_autoptr (GBytes) bytes = make (f, NULL, n_events);

  g_free (*before);
  return *before = unpack (bytes, len);
}

/* Somebody signs in, with the right password and with another one. */
static void
sign_in (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
    pr_client_call_sync (f->connection, "Service1", "GetStatus", NULL, "(a{sv})", &error);
  g_autoptr (GVariant) status = g_variant_get_child_value (answer, 0);
  g_autofree const char **addresses = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) peer = NULL;
  g_autofree char *plain = g_base64_encode ((const guchar *) "\0old\0" SECRET, 5 + strlen (SECRET));
  g_autofree char *talk =
    g_strdup_printf ("EHLO x\r\nAUTH PLAIN %s\r\nAUTH LOGIN %s\r\nQUIT\r\n", plain, plain);
  char heard[4096];

  g_assert_true (g_variant_lookup (status, "addresses", "^a&s", &addresses));
  g_socket_client_set_enable_proxy (client, FALSE);
  peer = g_socket_client_connect_to_host (client, addresses[0], 0, NULL, &error);
  g_assert_no_error (error);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (peer)), talk,
                             strlen (talk), NULL, NULL, &error);
  g_assert_no_error (error);
  while (g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (peer)), heard,
                              sizeof (heard), NULL, NULL) > 0)
    ;
}

static void
test_no_secret_leaves (Fixture *f, gconstpointer data)
{
  g_autofree char *id = daemon_add_mail (&f->daemon, "you@there.test");
  g_autofree char *base64 = g_base64_encode ((const guchar *) SECRET, strlen (SECRET));
  g_autofree char *content = NULL;
  g_autoptr (GVariant) answer = NULL;
  guint n_events = 0;
  gsize len = 0;

  answer = pr_client_call_sync (f->connection, "Configuration1", "SetRoutePassword",
                                g_variant_new ("(ss)", "wait", SECRET), "()", NULL);
  g_assert_nonnull (answer);
  sign_in (f);
  wait_for (NULL,
            holds (look (f, &content, &n_events, &len), len, " disconnected ") &&
              holds (content, len, id),
            "what happened to be written");
  g_assert_cmpuint (n_events, >, 2);
  g_assert_true (holds (content, len, "postroom/log.txt"));
  g_assert_true (holds (content, len, "state: "));
  g_assert_true (holds (content, len, "name: wait"));
  g_assert_true (holds (content, len, "hostname=relay.test"));
  g_assert_true (holds (content, len, "cram-md5=********"));
  g_assert_false (holds (content, len, SECRET));
  g_assert_false (holds (content, len, base64));
  g_assert_false (holds (content, len, "c3RvcmVk"));
  g_assert_false (holds (content, len, "AG9sZA")); /* the begin of AUTH PLAIN */
}

/* More than one question's worth, oldest first; and only what was asked for. */
static void
test_long_log (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) some = NULL;
  g_autofree char *content = NULL;
  g_autofree char *filtered = NULL;
  g_autofree char *first = daemon_add_mail (&f->daemon, "first@there.test");
  g_autofree char *last = NULL;
  GVariantDict filter;
  guint n_events = 0;
  gsize len = 0;

  for (guint i = 0; i < 600; i++)
    g_free (daemon_add_mail (&f->daemon, "you@there.test"));
  last = daemon_add_mail (&f->daemon, "last@there.test");
  wait_for (NULL, holds (look (f, &content, &n_events, &len), len, last) && n_events > 1000,
            "the whole log");
  g_assert_true (memmem (content, len, first, strlen (first)) <
                 memmem (content, len, last, strlen (last)));

  g_variant_dict_init (&filter, NULL);
  g_variant_dict_insert (&filter, "message", "s", first);
  some = make (f, g_variant_dict_end (&filter), &n_events);
  filtered = unpack (some, &len);
  g_assert_true (holds (filtered, len, first));
  g_assert_false (holds (filtered, len, last));
}

static void
test_service_goes (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  daemon_kill (&f->daemon);
  pr_bundle_make_async (f->connection, NULL, NULL, on_made, &result);
  wait_for (NULL, result != NULL, "an error");
  bytes = pr_bundle_make_finish (result, NULL, &error);
  g_assert_null (bytes);
  g_assert_nonnull (error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/bundle/archive", test_archive);
  g_test_add_func ("/bundle/archive-pieces", test_archive_pieces);
  g_test_add_func ("/bundle/redact", test_redact);
  g_test_add_func ("/bundle/event-line", test_event_line);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/bundle/no-secret-leaves", test_no_secret_leaves);
  ADD ("/bundle/long-log", test_long_log);
  ADD ("/bundle/service-goes", test_service_goes);
#undef ADD
  return g_test_run ();
}
