/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits for a person, as a real service says it over the control interface, without a desktop
 * that could show a notification. */

#include <string.h>

#include "control/client.h"
#include "daemon.h"
#include "wait.h"

static const char config[] = "[server]\nhostname=relay.test\n"
                             "[listener main]\nlisten=127.0.0.1:0\ntls=off\n"
                             "[access]\nrelay-networks=\n"
                             "[route wait]\nvia=hold\n";

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

static GVariant *
call (Fixture *f, const char *interface, const char *method, GVariant *arguments, const char *reply)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer =
    pr_client_call_sync (f->connection, interface, method, arguments, reply, &error);

  g_assert_no_error (error);
  return answer;
}

/* The only alert there is, NULL: there is none. (transfer full) */
static GVariant *
get_alert (Fixture *f)
{
  g_autoptr (GVariant) answer = call (f, "Service1", "ListAlerts", NULL, "(aa{sv})");
  g_autoptr (GVariant) alerts = g_variant_get_child_value (answer, 0);

  g_assert_cmpuint (g_variant_n_children (alerts), <=, 1);
  return g_variant_n_children (alerts) > 0 ? g_variant_get_child_value (alerts, 0) : NULL;
}

/* Somebody at this computer hands in mail without leave. */
static void
be_refused (Fixture *f)
{
  static const char talk[] = "EHLO x\r\nMAIL FROM:<a@here.test>\r\nRCPT TO:<b@there.test>\r\n"
                             "QUIT\r\n";
  g_autoptr (GVariant) answer = call (f, "Service1", "GetStatus", NULL, "(a{sv})");
  g_autoptr (GVariant) status = g_variant_get_child_value (answer, 0);
  g_autofree const char **addresses = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) peer = NULL;
  g_autoptr (GError) error = NULL;
  char heard[2048];
  gsize n;

  g_assert_true (g_variant_lookup (status, "addresses", "^a&s", &addresses));
  g_socket_client_set_enable_proxy (client, FALSE);
  peer = g_socket_client_connect_to_host (client, addresses[0], 0, NULL, &error);
  g_assert_no_error (error);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (peer)), talk,
                             strlen (talk), NULL, NULL, &error);
  g_assert_no_error (error);
  g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (peer)), heard,
                           sizeof (heard) - 1, &n, NULL, &error);
  g_assert_no_error (error);
  heard[n] = '\0';
  g_assert_nonnull (strstr (heard, "\r\n550 5.7.1 "));
}

static gboolean
is_configured (Fixture *f, const char *line)
{
  g_autoptr (GVariant) answer = call (f, "Configuration1", "Read", NULL, "(ss)");
  const char *text;

  g_variant_get_child (answer, 0, "&s", &text);
  return strstr (text, line) != NULL;
}

static void
test_refused_device (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) alert = NULL;
  g_autofree const char **actions = NULL;

  g_assert_null (get_alert (f));
  be_refused (f);
  wait_for (NULL, (alert = get_alert (f)) != NULL, "the device");
  g_assert_cmpstr (pr_dict_string (alert, "kind"), ==, "devices");
  g_assert_cmpstr (pr_dict_string (alert, "subject"), ==, "127.0.0.1");
  g_assert_cmpstr (pr_dict_string (alert, "page"), ==, "log");
  g_assert_cmpstr (pr_dict_string (alert, "item"), ==, "127.0.0.1");
  g_assert_nonnull (pr_dict_string (alert, "title"));
  g_assert_true (g_variant_lookup (alert, "actions", "^a&s", &actions));
  g_assert_true (g_strv_contains (actions, "allow"));
  g_assert_true (g_strv_contains (actions, "show"));

  g_variant_unref (call (f, "Service1", "AnswerAlert",
                         g_variant_new ("(ss)", pr_dict_string (alert, "id"), "allow"), "()"));
  g_assert_null ((g_variant_unref (alert), alert = get_alert (f)));
  wait_for (NULL, is_configured (f, "relay-networks=127.0.0.1\n"), "the new configuration");
}

static void
expect_refusal (Fixture *f, const char *id, const char *action)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer = pr_client_call_sync (f->connection, "Service1", "AnswerAlert",
                                          g_variant_new ("(ss)", id, action), "()", &error);

  g_assert_null (answer);
  g_assert_nonnull (error);
}

static void
test_put_away (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) alert = NULL;
  const char *id;

  be_refused (f);
  wait_for (NULL, (alert = get_alert (f)) != NULL, "the device");
  id = pr_dict_string (alert, "id");
  expect_refusal (f, "nonsense", "dismiss");
  expect_refusal (f, id, "nonsense");
  expect_refusal (f, id, "show");  /* only a window can */
  expect_refusal (f, id, "block"); /* nobody is to lock this computer out */
  g_variant_unref (
    call (f, "Service1", "AnswerAlert", g_variant_new ("(ss)", id, "dismiss"), "()"));
  g_assert_null (get_alert (f));
  expect_refusal (f, id, "dismiss");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/attention/refused-device", test_refused_device);
  ADD ("/attention/put-away", test_put_away);
#undef ADD
  return g_test_run ();
}
