/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client side against a real service in a home of its own. */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <glib/gstdio.h>
#include <gio/gio.h>

#include "control/client.h"
#include "control/errors.h"
#include "wait.h"

typedef struct
{
  PrHome *home;
  GSubprocess *service;
  GDBusConnection *connection;
} Fixture;

static gboolean
is_there (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
start (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *option = g_strconcat ("--home=", f->home->data, NULL);

  f->service = g_subprocess_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error, g_getenv ("POSTROOMD"),
                                 option, NULL);
  g_assert_no_error (error);
  wait_for (NULL, is_there (f->home->control), "the control socket");
  /* It is there a moment before it is listened on. */
  wait_for (NULL, (f->connection = pr_client_connect_sync (f->home, NULL)) != NULL, "an answer");
}

static void
stop (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_clear_object (&f->connection);
  g_subprocess_send_signal (f->service, SIGTERM);
  g_assert_true (g_subprocess_wait_check (f->service, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&f->service);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_dir_make_tmp ("postroom-client-XXXXXX", NULL);
  /* Port 0: any that is free. */
  static const char config[] = "# keep me\n"
                               "[server]\nhostname=relay.test\n"
                               "[listener main]\nlisten=127.0.0.1:0\ntls=off\n"
                               "[route wait]\nvia=hold\n";

  f->home = pr_home_new (folder);
  g_assert_true (g_file_set_contents (f->home->config, config, -1, NULL));
  start (f);
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *entry = g_build_filename (path, name, NULL);

      if (g_remove (entry) != 0)
        remove_folder (entry);
    }
  g_rmdir (path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->service != NULL)
    stop (f);
  remove_folder (f->home->data);
  pr_home_free (f->home);
}

/* Must work. */
static GVariant *
call (Fixture *f, const char *interface, const char *method, GVariant *arguments, const char *reply)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer =
    pr_client_call_sync (f->connection, interface, method, arguments, reply, &error);

  g_assert_no_error (error);
  g_assert_nonnull (answer);
  return answer;
}

static void
call_refused (Fixture *f, const char *interface, const char *method, GVariant *arguments,
              const char *reply, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer =
    pr_client_call_sync (f->connection, interface, method, arguments, reply, &error);

  g_assert_null (answer);
  g_assert_error (error, domain, code);
  g_assert_null (strstr (error->message, "GDBus.Error"));
}

static GVariant *
get_status (Fixture *f)
{
  g_autoptr (GVariant) answer = call (f, "Service1", "GetStatus", NULL, "(a{sv})");

  return g_variant_get_child_value (answer, 0);
}

static char *
send_test_mail (Fixture *f)
{
  g_autoptr (GVariant) answer =
    call (f, "Service1", "SendTestMail", g_variant_new ("(s)", "a@there.test"), "(s)");
  char *id;

  g_variant_get (answer, "(s)", &id);
  return id;
}

/* @filter: text form of a{sv}. */
static GVariant *
list (Fixture *f, const char *filter, guint64 offset, guint limit, guint64 *matching)
{
  GVariant *options = g_variant_new_parsed (filter);
  g_autoptr (GVariant) answer =
    call (f, "Queue1", "List", g_variant_new ("(@a{sv}tu)", options, offset, limit), "(aa{sv}tt)");
  GVariant *messages;

  g_variant_get (answer, "(@aa{sv}tt)", &messages, matching, NULL);
  return messages;
}

/* ── The door ─────────────────────────────────────────────────────────────────────────────── */

static void
test_nobody (void)
{
  g_autofree char *folder = g_dir_make_tmp ("postroom-client-XXXXXX", NULL);
  g_autoptr (PrHome) home = pr_home_new (folder);
  g_autoptr (GError) error = NULL;
  g_autofree char *advice = g_strconcat ("postroomd --home=", folder, NULL);

  g_assert_null (pr_client_connect_sync (home, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED);
  g_assert_nonnull (strstr (error->message, advice));
  g_rmdir (folder);
}

static GVariant *
export_certificate (Fixture *f)
{
  return pr_client_call_sync (f->connection, "Service1", "ExportCertificate",
                              g_variant_new ("(s)", "pem"), "(ay)", NULL);
}

/* There is one as soon as a listener needs it. */
static void
test_certificate (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) edit =
    g_variant_ref_sink (g_variant_new_parsed ("([('set', 'listener main', 'tls', 'starttls')],)"));
  g_autoptr (GVariant) edited = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) der = NULL;
  g_autoptr (GVariant) octets = NULL;
  g_autofree char *text = NULL;

  call_refused (f, "Service1", "ExportCertificate", g_variant_new ("(s)", "pem"), "(ay)", PR_ERROR,
                PR_ERROR_PERMANENT);
  edited = call (f, "Configuration1", "Edit", edit, "(asass)");
  wait_for (NULL, (answer = export_certificate (f)) != NULL, "the certificate");
  octets = g_variant_get_child_value (answer, 0);
  text = g_strndup (g_variant_get_data (octets), g_variant_get_size (octets));
  g_assert_true (g_str_has_prefix (text, "-----BEGIN CERTIFICATE-----"));
  der = call (f, "Service1", "ExportCertificate", g_variant_new ("(s)", "crt"), "(ay)");
  call_refused (f, "Service1", "ExportCertificate", g_variant_new ("(s)", "gif"), "(ay)", PR_ERROR,
                PR_ERROR_PERMANENT);
}

static void
test_explain (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) answer =
    call (f, "Configuration1", "Explain", g_variant_new ("(ss)", "a@b.example", "c@d.example"),
          "(a{sv})");
  g_autoptr (GVariant) facts = g_variant_get_child_value (answer, 0);
  g_autoptr (GVariant) rewritten =
    call (f, "Configuration1", "PreviewRewriting",
          g_variant_new ("(ss)", "a@b.example", "e@f.example"), "(a{sv})");
  g_autoptr (GVariant) after = g_variant_get_child_value (rewritten, 0);

  g_assert_cmpstr (pr_dict_string (facts, "route"), ==, "wait");
  g_assert_cmpstr (pr_dict_string (after, "from"), ==, "e@f.example");
  g_assert_cmpstr (pr_dict_string (after, "reply-to"), ==, "a@b.example");
  call_refused (f, "Configuration1", "Explain", g_variant_new ("(ss)", "a@b.example", "nobody"),
                "(a{sv})", PR_ERROR, PR_ERROR_PERMANENT);
}

static void
test_networks (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) answer = call (f, "Service1", "GetNetworks", NULL, "(aa{sv})");
  g_autoptr (GVariant) networks = g_variant_get_child_value (answer, 0);

  for (gsize i = 0; i < g_variant_n_children (networks); i++)
    {
      g_autoptr (GVariant) network = g_variant_get_child_value (networks, i);

      g_assert_nonnull (pr_dict_string (network, "address"));
      g_assert_nonnull (strchr (pr_dict_string (network, "network"), '/'));
    }
}

static void
test_stale_socket (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_clear_object (&f->connection);
  g_subprocess_force_exit (f->service);
  g_subprocess_wait (f->service, NULL, NULL);
  g_clear_object (&f->service);
  g_assert_true (is_there (f->home->control));
  g_assert_null (pr_client_connect_sync (f->home, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED);

  start (f);
  stop (f);
  g_assert_false (is_there (f->home->control));
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **out = user_data;

  *out = g_object_ref (result);
}

static void
test_async (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) connected = NULL;
  g_autoptr (GAsyncResult) called = NULL;
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;

  pr_client_connect_async (f->home, NULL, on_connected, &connected);
  wait_for (NULL, connected != NULL, "a connection");
  connection = pr_client_connect_finish (connected, &error);
  g_assert_no_error (error);
  pr_client_call_async (connection, "Service1", "GetStatus", NULL, "(a{sv})", NULL, on_connected,
                        &called);
  wait_for (NULL, called != NULL, "an answer");
  answer = pr_client_call_finish (connection, called, &error);
  g_assert_no_error (error);
  g_assert_nonnull (answer);
}

/* The kernel says who we are, whatever we say; the socket's mode does not matter. */
static void
test_other_user (Fixture *f, gconstpointer data)
{
  g_autofree char *option = g_strconcat ("--home=", f->home->data, NULL);
  g_autoptr (GSubprocess) other = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *setpriv = g_find_program_in_path ("setpriv");

  if (geteuid () != 0 || setpriv == NULL)
    {
      g_test_skip ("needs root and setpriv, to become another user");
      return;
    }

  g_assert_cmpint (g_chmod (f->home->data, 0755), ==, 0);
  g_assert_cmpint (g_chmod (f->home->control, 0666), ==, 0);
  other = g_subprocess_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE,
                            &error, setpriv, "--reuid=65534", "--regid=65534", "--clear-groups",
                            g_getenv ("POSTROOMCTL"), option, "status", NULL);
  g_assert_no_error (error);
  g_subprocess_wait (other, NULL, NULL);
  g_assert_true (g_subprocess_get_if_exited (other));
  g_assert_cmpint (g_subprocess_get_exit_status (other), !=, 0);
}

/* Clients that come, ask and leave before the answer. */
static void
test_leavers (Fixture *f, gconstpointer data)
{
  g_autofree char *id = send_test_mail (f);
  g_autoptr (GVariant) status = NULL;

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (GDBusConnection) connection = pr_client_connect_sync (f->home, NULL);

      if (connection == NULL) /* 64 at once; the service may not have noticed that others left */
        continue;
      pr_client_call_async (connection, "Queue1", "Get", g_variant_new ("(s)", id), "(a{sv})", NULL,
                            NULL, NULL);
      pr_client_call_async (connection, "Queue1", "ReadSource",
                            g_variant_new ("(stu)", id, (guint64) 0, 1000u), "(ayb)", NULL, NULL,
                            NULL);
      g_dbus_connection_flush_sync (connection, NULL, NULL);
      g_dbus_connection_close_sync (connection, NULL, NULL);
    }
  status = get_status (f);
  g_assert_cmpint (pr_dict_number (status, "messages"), ==, 1);
}

/* ── What it says ─────────────────────────────────────────────────────────────────────────── */

static void
test_status (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) status = get_status (f);

  g_assert_cmpstr (pr_dict_string (status, "state"), ==, "All is sent");
  g_assert_cmpstr (pr_dict_string (status, "hostname"), ==, "relay.test");
  g_assert_cmpstr (pr_dict_string (status, "home"), ==, f->home->data);
  g_assert_null (pr_dict_string (status, "nonsense"));
  g_assert_null (pr_dict_string (status, "pid")); /* of another type */
  g_assert_cmpint (pr_dict_number (status, "pid"), >, 1);
  g_assert_cmpint (pr_dict_number (status, "started"), >, 0);
  g_assert_cmpint (pr_dict_number (status, "state"), ==, 0);
  g_assert_true (pr_dict_boolean (status, "network") || !pr_dict_boolean (status, "network"));
  g_assert_false (pr_dict_boolean (status, "sending-paused"));
}

static void
test_pause (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) answer =
    call (f, "Service1", "SetPaused", g_variant_new ("(sb)", "sending", TRUE), "()");
  g_autoptr (GVariant) status = get_status (f);

  g_assert_true (pr_dict_boolean (status, "sending-paused"));
  g_assert_cmpstr (pr_dict_string (status, "state"), ==, "Sending is paused");
  call_refused (f, "Service1", "SetPaused", g_variant_new ("(sb)", "nonsense", TRUE), "()",
                G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
}

static void
test_queue (Fixture *f, gconstpointer data)
{
  g_autofree char *first = send_test_mail (f);
  g_autofree char *second = send_test_mail (f);
  g_autofree char *after = g_strdup_printf ("{'after': <'%s'>}", first);
  g_autoptr (GVariant) all = NULL;
  g_autoptr (GVariant) rest = NULL;
  g_autoptr (GVariant) none = NULL;
  g_autoptr (GVariant) held = NULL;
  g_autoptr (GVariant) message = NULL;
  guint64 matching;

  all = list (f, "@a{sv} {}", 0, 10, &matching);
  g_assert_cmpuint (g_variant_n_children (all), ==, 2);
  g_assert_cmpuint (matching, ==, 2);
  message = g_variant_get_child_value (all, 0);
  g_assert_cmpstr (pr_dict_string (message, "id"), ==, first);
  g_assert_cmpstr (pr_dict_string (message, "state"), ==, "held");
  rest = list (f, after, 0, 10, &matching);
  g_assert_cmpuint (g_variant_n_children (rest), ==, 1);
  none = list (f, "{'route': <'out'>}", 0, 10, &matching);
  g_assert_cmpuint (g_variant_n_children (none), ==, 0);
  held = list (f, "{'route': <'wait'>, 'state': <'held'>, 'order': <'size'>, 'text': <'THERE'>}", 0,
               1, &matching);
  g_assert_cmpuint (g_variant_n_children (held), ==, 1);
  g_assert_cmpuint (matching, ==, 2);

  call_refused (
    f, "Queue1", "List",
    g_variant_new ("(@a{sv}tu)", g_variant_new_parsed ("{'state': <'lost'>}"), (guint64) 0, 10u),
    "(aa{sv}tt)", G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
  call_refused (f, "Queue1", "Get", g_variant_new ("(s)", "nonsense"), "(a{sv})", PR_ERROR,
                PR_ERROR_PERMANENT);
  call_refused (f, "Queue1", "Get", g_variant_new ("(s)", "00000000001"), "(a{sv})", PR_ERROR,
                PR_ERROR_PERMANENT);
  call_refused (f, "Queue1", "Move",
                g_variant_new ("(@ass)", g_variant_new_parsed ("@as []"), "nowhere"), "(us)",
                PR_ERROR, PR_ERROR_PERMANENT);
}

/* A page with its subjects; without being asked for them, it reads no message. */
static void
test_subjects (Fixture *f, gconstpointer data)
{
  g_autofree char *first = send_test_mail (f);
  g_autofree char *second = send_test_mail (f);
  guint64 matching;
  g_autoptr (GVariant) plain = list (f, "@a{sv} {}", 0, 10, &matching);
  g_autoptr (GVariant) subjects = list (f, "{'subjects': <true>}", 0, 10, &matching);
  g_autoptr (GVariant) none = list (f, "{'subjects': <true>}", 5, 10, &matching);

  g_assert_cmpuint (matching, ==, 2);
  g_assert_cmpuint (g_variant_n_children (subjects), ==, 2);
  g_assert_cmpuint (g_variant_n_children (none), ==, 0);
  for (gsize i = 0; i < 2; i++)
    {
      g_autoptr (GVariant) without = g_variant_get_child_value (plain, i);
      g_autoptr (GVariant) with = g_variant_get_child_value (subjects, i);

      g_assert_null (pr_dict_string (without, "subject"));
      g_assert_cmpstr (pr_dict_string (with, "subject"), ==,
                       "Test mail from Postroom on relay.test");
    }
}

static void
test_message (Fixture *f, gconstpointer data)
{
  g_autofree char *id = send_test_mail (f);
  g_autoptr (GVariant) answer = call (f, "Queue1", "Get", g_variant_new ("(s)", id), "(a{sv})");
  g_autoptr (GVariant) message = g_variant_get_child_value (answer, 0);
  g_autoptr (GVariant) source = NULL;
  g_autoptr (GVariant) octets = NULL;
  g_autoptr (GVariant) ordered = NULL;
  const char *piece;
  gsize len;
  gboolean last;
  guint changed;

  g_assert_cmpstr (pr_dict_string (message, "subject"), ==,
                   "Test mail from Postroom on relay.test");
  source = call (f, "Queue1", "ReadSource", g_variant_new ("(stu)", id, (guint64) 6, 8u), "(ayb)");
  g_variant_get (source, "(@ayb)", &octets, &last);
  piece = g_variant_get_fixed_array (octets, &len, 1);
  g_assert_cmpmem (piece, len, "Postroom", 8);
  g_assert_false (last);

  ordered = call (
    f, "Queue1", "Order",
    g_variant_new ("(s@as)", "delete", g_variant_new_strv ((const char *[]){ id }, 1)), "(us)");
  g_variant_get (ordered, "(u&s)", &changed, NULL);
  g_assert_cmpuint (changed, ==, 1);
}

static void
on_signal (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
           const char *signal, GVariant *parameters, gpointer user_data)
{
  GString *heard = user_data;
  g_autofree char *text = g_variant_print (parameters, FALSE);

  g_string_append_printf (heard, "%s.%s%s\n", interface + strlen ("io.github.postroom."), signal,
                          text);
}

static void
test_signals (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autofree char *id = NULL;
  g_autoptr (GVariant) followed = NULL;
  guint subscription =
    g_dbus_connection_signal_subscribe (f->connection, NULL, NULL, NULL, PR_CONTROL_PATH, NULL,
                                        G_DBUS_SIGNAL_FLAGS_NONE, on_signal, heard, NULL);

  followed = call (f, "Journal1", "Follow", g_variant_new ("(b)", TRUE), "()");
  id = send_test_mail (f);
  wait_for (NULL,
            strstr (heard->str, "Queue1.Changed") != NULL &&
              strstr (heard->str, "Service1.StatusChanged") != NULL &&
              strstr (heard->str, id) != NULL,
            "to hear of the message");
  g_assert_nonnull (strstr (heard->str, "Journal1.Events"));
  g_dbus_connection_signal_unsubscribe (f->connection, subscription);
}

/* Only what was asked for, and no more of it than was asked for. */
static void
test_follow_some (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  const char *const kinds[] = { "held", NULL }, *const nonsense[] = { "nonsense", NULL };
  guint subscription = g_dbus_connection_signal_subscribe (
    f->connection, NULL, "io.github.postroom.Journal1", NULL, PR_CONTROL_PATH, NULL,
    G_DBUS_SIGNAL_FLAGS_NONE, on_signal, heard, NULL);

  call_refused (f, "Journal1", "FollowSome", g_variant_new ("(^asu)", nonsense, 1u), "()",
                G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
  g_variant_unref (call (f, "Journal1", "FollowSome", g_variant_new ("(^asu)", kinds, 1u), "()"));
  g_variant_unref (
    call (f, "Service1", "SetPaused", g_variant_new ("(sb)", "receiving", TRUE), "()"));
  for (guint i = 0; i < 10; i++)
    g_free (send_test_mail (f));
  wait_for (NULL, strstr (heard->str, "'kind': <'held'>") != NULL, "to hear of one");
  g_assert_null (strstr (heard->str, "'kind': <'paused'>"));
  g_variant_unref (call (f, "Journal1", "Follow", g_variant_new ("(b)", FALSE), "()"));
  g_dbus_connection_signal_unsubscribe (f->connection, subscription);
}

static gboolean
has_history (Fixture *f)
{
  g_autoptr (GVariant) answer =
    call (f, "Journal1", "GetHistory", g_variant_new ("(x)", (gint64) 0), "(a(xttttt))");
  g_autoptr (GVariant) hours = g_variant_get_child_value (answer, 0);
  guint64 received;

  if (g_variant_n_children (hours) == 0)
    return FALSE;

  g_variant_get_child (hours, 0, "(xttttt)", NULL, &received, NULL, NULL, NULL, NULL);
  g_assert_cmpuint (received, ==, 1);
  return TRUE;
}

/* Nothing that was counted while nobody asked is lost; the service's own mail is of no device. */
static void
test_history (Fixture *f, gconstpointer data)
{
  g_autofree char *id = send_test_mail (f);
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) devices = NULL;

  wait_for (NULL, has_history (f), "the mail to be counted");
  answer = call (f, "Sessions1", "ListDevices", g_variant_new ("(u)", 10u), "(aa{sv})");
  devices = g_variant_get_child_value (answer, 0);
  g_assert_cmpuint (g_variant_n_children (devices), ==, 0);
}

static void
test_journal (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) answer = call (
    f, "Journal1", "Query",
    g_variant_new ("(@a{sv}u)", g_variant_new_parsed ("{'kind': <'delivered'>}"), 10u), "(aa{sv})");
  g_autoptr (GVariant) events = g_variant_get_child_value (answer, 0);
  g_autoptr (GVariant) some = NULL;

  g_assert_cmpuint (g_variant_n_children (events), ==, 0);
  call_refused (f, "Journal1", "Query",
                g_variant_new ("(@a{sv}u)", g_variant_new_parsed ("{'kind': <'lost'>}"), 10u),
                "(aa{sv})", G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
  call_refused (
    f, "Journal1", "Query",
    g_variant_new ("(@a{sv}u)", g_variant_new_parsed ("{'kinds': <['failed', 'lost']>}"), 10u),
    "(aa{sv})", G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
  some = call (
    f, "Journal1", "Query",
    g_variant_new ("(@a{sv}u)", g_variant_new_parsed ("{'kinds': <['started', 'failed']>}"), 10u),
    "(aa{sv})");
  g_variant_unref (events);
  events = g_variant_get_child_value (some, 0);
  g_assert_cmpuint (g_variant_n_children (events), ==, 1);
}

static void
test_configuration (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) read = call (f, "Configuration1", "Read", NULL, "(ss)");
  g_autoptr (GVariant) faulty = NULL;
  g_autoptr (GVariant) valid = NULL;
  g_autoptr (GVariant) applied = NULL;
  g_autoptr (GVariant) kept = NULL;
  g_autofree char *other = NULL;
  g_autofree char *on_disk = NULL;
  g_auto (GStrv) faults = NULL;
  g_auto (GStrv) none = NULL;
  g_auto (GStrv) warnings = NULL;
  const char *text, *path;

  g_variant_get (read, "(&s&s)", &text, &path);
  g_assert_true (g_str_has_prefix (text, "# keep me\n"));
  g_assert_cmpstr (path, ==, f->home->config);
  faulty = call (f, "Configuration1", "Validate", g_variant_new ("(s)", "[nonsense]\n"), "(as)");
  g_variant_get (faulty, "(^as)", &faults);
  g_assert_cmpuint (g_strv_length (faults), ==, 1);
  g_assert_true (g_str_has_prefix (faults[0], f->home->config));
  valid = call (f, "Configuration1", "Validate", g_variant_new ("(s)", text), "(as)");

  other = g_strconcat (text, "\n[user a]\nsecret=", NULL);
  applied = call (f, "Configuration1", "Apply", g_variant_new ("(s)", other), "(asas)");
  g_strfreev (g_steal_pointer (&faults));
  g_variant_get (applied, "(^as^as)", &faults, &warnings);
  g_assert_cmpuint (g_strv_length (faults), >, 0);
  g_assert_true (g_file_get_contents (f->home->config, &on_disk, NULL, NULL));
  g_assert_cmpstr (on_disk, ==, text);

  kept = call (f, "Configuration1", "SetRoutePassword", g_variant_new ("(ss)", "wait", "x"), "()");
  g_assert_true (is_there (f->home->credentials));
  call_refused (f, "Configuration1", "SetRoutePassword", g_variant_new ("(ss)", "none", "x"), "()",
                PR_ERROR, PR_ERROR_PERMANENT);
}

/* From a name to a route that says how it fares. */
static void
test_providers (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) found =
    call (f, "Configuration1", "ListProviders", g_variant_new ("(s)", "me@web.de"), "(aa{sv})");
  g_autoptr (GVariant) shown =
    call (f, "Configuration1", "GetProvider", g_variant_new ("(s)", "web-de"), "(s)");
  g_autoptr (GVariant) added = call (
    f, "Configuration1", "AddRoute",
    g_variant_new_parsed ("({'provider': <'gmail'>, 'username': <'me@gmail.com'>},)"), "(asass)");
  g_autoptr (GVariant) refused =
    call (f, "Configuration1", "AddRoute", g_variant_new_parsed ("({'provider': <'gmail'>},)"),
          "(asass)");
  g_autoptr (GVariant) routes = call (f, "Configuration1", "GetRoutes", NULL, "(aa{sv})");
  g_autoptr (GVariant) list = g_variant_get_child_value (found, 0);
  g_autoptr (GVariant) one = g_variant_get_child_value (list, 0);
  g_autoptr (GVariant) all = g_variant_get_child_value (routes, 0);
  g_autoptr (GVariant) last = g_variant_get_child_value (all, g_variant_n_children (all) - 1);
  g_autoptr (GVariant) limits = NULL;
  g_auto (GStrv) faults = NULL;
  const char *text;

  g_assert_cmpuint (g_variant_n_children (list), ==, 1);
  g_assert_cmpstr (pr_dict_string (one, "id"), ==, "web-de");
  g_variant_get (shown, "(&s)", &text);
  g_assert_true (g_str_has_prefix (text, "{\"id\":\"web-de\""));
  call_refused (f, "Configuration1", "GetProvider", g_variant_new ("(s)", "nobody"), "(s)",
                PR_ERROR, PR_ERROR_PERMANENT);
  g_variant_get_child (added, 2, "&s", &text);
  g_assert_cmpstr (text, ==, "gmail");
  g_variant_get_child (refused, 0, "^as", &faults);
  g_assert_cmpuint (g_strv_length (faults), ==, 1);
  g_assert_cmpstr (pr_dict_string (last, "name"), ==, "gmail");
  g_assert_cmpstr (pr_dict_string (last, "state"), ==, "ready");
  limits = g_variant_lookup_value (last, "limits", G_VARIANT_TYPE ("aa{sv}"));
  g_assert_cmpuint (g_variant_n_children (limits), ==, 1);
}

/* One step: nothing of it where a key is wrong; all of it can be taken back. */
static void
test_edit (Fixture *f, gconstpointer data)
{
  const char *good =
    "([('set', 'server', 'hostname', 'new.test'), ('set', 'retry', 'give-up', '2d')],)";
  const char *bad = "([('set', 'server', 'hostname', 'newer.test'), ('set', 'server', 'x', 'y')],)";
  g_autoptr (GVariant) done =
    call (f, "Configuration1", "Edit", g_variant_new_parsed (good), "(asass)");
  g_autoptr (GVariant) refused =
    call (f, "Configuration1", "Edit", g_variant_new_parsed (bad), "(asass)");
  g_autoptr (GVariant) user =
    call (f, "Configuration1", "SetUser",
          g_variant_new_parsed ("('hp', 'secret', {'senders': <'*@a.test'>})"), "(asas)");
  g_autoptr (GVariant) read = call (f, "Configuration1", "Read", NULL, "(ss)");
  const char *text, *before;
  g_auto (GStrv) none = NULL;
  g_auto (GStrv) faults = NULL;

  g_variant_get (done, "(^as^as&s)", &none, NULL, &before);
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_assert_true (g_str_has_prefix (before, "# keep me\n"));
  g_assert_null (strstr (before, "new.test"));
  g_variant_get_child (refused, 0, "^as", &faults);
  g_assert_cmpuint (g_strv_length (faults), ==, 1);
  g_variant_get (read, "(&s&s)", &text, NULL);
  g_assert_true (g_str_has_prefix (text, "# keep me\n"));
  g_assert_nonnull (strstr (text, "hostname=new.test\n"));
  g_assert_nonnull (strstr (text, "give-up=2d\n"));
  g_assert_nonnull (strstr (text, "[user hp]\n"));
  g_assert_null (strstr (text, "newer.test"));
}

static void
test_describe (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) answer = call (f, "Configuration1", "Describe", NULL, "(aa{sv})");
  g_autoptr (GVariant) keys = g_variant_get_child_value (answer, 0);
  g_autoptr (GVariant) first = g_variant_get_child_value (keys, 0);

  g_assert_cmpuint (g_variant_n_children (keys), >, 30);
  g_assert_cmpstr (pr_dict_string (first, "group"), ==, "server");
  g_assert_cmpstr (pr_dict_string (first, "key"), ==, "hostname");
  g_assert_cmpstr (pr_dict_string (first, "type"), ==, "host name");
  g_assert_cmpstr (pr_dict_string (first, "default"), ==, "");
  g_assert_cmpuint (strlen (pr_dict_string (first, "help")), >, 10);
}

static void
test_sessions (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) answer =
    call (f, "Sessions1", "List", g_variant_new ("(uu)", 0u, 10u), "(aa{sv}ut)");
  g_autoptr (GVariant) gone = call (f, "Sessions1", "ReadTranscript",
                                    g_variant_new ("(tt)", (guint64) 99, (guint64) 0), "(stb)");
  gboolean alive = TRUE;
  guint total = 1;

  g_variant_get (answer, "(@aa{sv}ut)", NULL, &total, NULL);
  g_assert_cmpuint (total, ==, 0);
  g_variant_get (gone, "(&stb)", NULL, NULL, &alive);
  g_assert_false (alive);
  call_refused (f, "Sessions1", "Disconnect", g_variant_new ("(t)", (guint64) 99), "()", PR_ERROR,
                PR_ERROR_PERMANENT);
}

/* The service goes while calls are under way: every one is answered or fails, and it ends well. */
static void
test_stop_under_way (Fixture *f, gconstpointer data)
{
  g_autofree char *id = send_test_mail (f);
  g_autoptr (GDBusConnection) connection = g_object_ref (f->connection);
  GAsyncResult *results[20] = { NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    pr_client_call_async (connection, "Queue1", "Get", g_variant_new ("(s)", id), "(a{sv})", NULL,
                          on_connected, &results[i]);
  g_dbus_connection_flush_sync (connection, NULL, NULL);
  stop (f);
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) answer = NULL;

      wait_for (NULL, results[i] != NULL, "a call to end");
      answer = pr_client_call_finish (connection, results[i], &error);
      g_assert_true ((answer != NULL) != (error != NULL));
      g_object_unref (results[i]);
    }
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  pr_control_errors_init ();
  g_test_add_func ("/service/nobody", test_nobody);
  ADD ("/service/stale-socket", test_stale_socket);
  ADD ("/service/async", test_async);
  ADD ("/service/other-user", test_other_user);
  ADD ("/service/leavers", test_leavers);
  ADD ("/service/status", test_status);
  ADD ("/service/pause", test_pause);
  ADD ("/service/queue", test_queue);
  ADD ("/service/subjects", test_subjects);
  ADD ("/service/message", test_message);
  ADD ("/service/signals", test_signals);
  ADD ("/service/follow-some", test_follow_some);
  ADD ("/service/journal", test_journal);
  ADD ("/service/history", test_history);
  ADD ("/service/configuration", test_configuration);
  ADD ("/service/edit", test_edit);
  ADD ("/service/providers", test_providers);
  ADD ("/service/certificate", test_certificate);
  ADD ("/service/explain", test_explain);
  ADD ("/service/networks", test_networks);
  ADD ("/service/describe", test_describe);
  ADD ("/service/sessions", test_sessions);
  ADD ("/service/stop-under-way", test_stop_under_way);
  return g_test_run ();
}
