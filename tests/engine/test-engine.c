/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine: a home and a configuration become a relay, and the parts hear of each other. */

#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/error.h"
#include "engine.h"
#include "wait.h"

#define LISTEN "[server]\nhostname=relay.example.org\n[listener l]\nlisten=127.0.0.1:0\n"
#define HOLD LISTEN "[route r]\nvia=hold\n"

typedef struct
{
  GMainContext *context;
  PrHome *home;
  char *maildir;
  PrEngine *engine;
  GPtrArray *events; /* as lines */
} World;

static void
on_event (const PrEvent *event, gpointer user_data)
{
  World *world = user_data;

  g_ptr_array_add (world->events, pr_journal_format (event));
}

static gboolean
was_told (World *world, const char *part)
{
  for (guint i = 0; i < world->events->len; i++)
    if (strstr (world->events->pdata[i], part) != NULL)
      return TRUE;

  return FALSE;
}

static PrConfig *
parse (const char *text)
{
  g_autoptr (GPtrArray) faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), "test.conf", &faults);

  if (config == NULL)
    g_test_message ("%s", (char *) faults->pdata[0]);
  g_assert_nonnull (config);
  return config;
}

static PrConfig *
parse_maildir (World *world)
{
  g_autofree char *text =
    g_strdup_printf (LISTEN "[route r]\nvia=maildir\npath=%s\n", world->maildir);

  return parse (text);
}

static void
open_engine (World *world, PrConfig *config)
{
  g_autoptr (GError) error = NULL;

  world->engine = pr_engine_new (world->home, config, world->context, &error);
  g_assert_no_error (error);
  pr_journal_follow (pr_engine_get_journal (world->engine), on_event, world);
}

static void
set_up (World *world, gconstpointer data)
{
  g_autofree char *folder = g_dir_make_tmp ("engine-XXXXXX", NULL);
  g_autoptr (PrConfig) config = parse (HOLD);

  world->context = g_main_context_new ();
  g_main_context_push_thread_default (world->context);
  world->home = pr_home_new (folder);
  world->maildir = g_build_filename (folder, "mail", NULL);
  world->events = g_ptr_array_new_with_free_func (g_free);
  open_engine (world, config);
}

static void
tear_down (World *world, gconstpointer data)
{
  g_autofree char *remove = g_strdup_printf ("rm -rf '%s'", world->home->data);

  g_clear_pointer (&world->engine, pr_engine_free);
  g_assert_true (g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL));
  g_ptr_array_unref (world->events);
  g_free (world->maildir);
  pr_home_free (world->home);
  g_main_context_pop_thread_default (world->context);
  g_main_context_unref (world->context);
}

static void
start (World *world)
{
  g_autoptr (GPtrArray) faults = NULL;

  g_assert_true (pr_engine_start (world->engine, &faults));
  g_assert_cmpuint (faults == NULL ? 0 : faults->len, ==, 0);
}

static void
on_stored (const GError *error, gpointer user_data)
{
  gboolean *stored = user_data;

  g_assert_no_error (error);
  *stored = TRUE;
}

static guint64
count_delivered (World *world)
{
  PrRunnerStats stats;

  pr_runner_get_stats (pr_engine_get_runner (world->engine), &stats);
  return stats.n_delivered;
}

/* The text of the only message in the Maildir. */
static char *
read_delivered (World *world)
{
  g_autofree char *folder = g_build_filename (world->maildir, "new", NULL);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  char *text = NULL;

  g_assert_no_error (error);
  path = g_build_filename (folder, g_dir_read_name (dir), NULL);
  g_assert_null (g_dir_read_name (dir));
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* ── Tests ────────────────────────────────────────────────────────────────────────────────── */

static void
test_parts (World *world, gconstpointer data)
{
  g_assert_nonnull (pr_engine_get_server (world->engine));
  g_assert_nonnull (pr_engine_get_runner (world->engine));
  g_assert_nonnull (pr_engine_get_oauth (world->engine));
  g_assert_nonnull (pr_engine_get_store (world->engine));
  g_assert_nonnull (pr_engine_get_journal (world->engine));
  g_assert_nonnull (pr_engine_get_lives (world->engine));
  g_assert_cmpstr (pr_engine_get_config (world->engine)->hostname, ==, "relay.example.org");
  g_assert_cmpint (pr_engine_get_started_us (world->engine), <=, g_get_real_time ());
  g_assert_cmpint (pr_engine_get_started_us (world->engine), >, 0);
}

static void
test_home_in_use (World *world, gconstpointer data)
{
  g_autoptr (PrConfig) config = parse (HOLD);
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_engine_new (world->home, config, world->context, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_BUSY);
}

/* A test mail is held by the one configuration and delivered by the next. */
static void
test_reload_moves_mail (World *world, gconstpointer data)
{
  g_autoptr (PrConfig) config = parse_maildir (world);
  g_autofree char *text = NULL;
  g_autoptr (GPtrArray) faults = NULL;
  gboolean stored = FALSE;
  gint64 id;

  start (world);
  id = pr_engine_send_test (world->engine, "you@example.org", on_stored, &stored);
  g_assert_cmpint (id, >, 0);
  wait_for (world->context, stored, "the test mail to be stored");
  wait_for (world->context, was_told (world, "you@example.org"), "the journal to tell of it");
  g_assert_cmpuint (count_delivered (world), ==, 0);

  pr_engine_set_config (world->engine, config, &faults);
  g_assert_true (pr_engine_get_config (world->engine) == config);
  g_assert_true (was_told (world, "in force"));
  pr_runner_order (pr_engine_get_runner (world->engine), PR_ORDER_RELEASE, &id, 1, NULL, NULL);
  wait_for (world->context, count_delivered (world) == 1, "the mail to reach the Maildir");

  text = read_delivered (world);
  g_assert_nonnull (strstr (text, "\nTo: <you@example.org>"));
  g_assert_nonnull (strstr (text, "Test mail from Postroom on relay.example.org"));
}

static void
test_bad_config_is_noted (World *world, gconstpointer data)
{
  g_autoptr (GPtrArray) faults = g_ptr_array_new ();

  g_ptr_array_add (faults, (char *) "postroom.conf: [server] hots: there is no such key");
  pr_engine_note_bad_config (world->engine, faults);
  g_assert_true (was_told (world, "[server] hots"));
  g_assert_cmpstr (pr_engine_get_config (world->engine)->hostname, ==, "relay.example.org");
}

/* A socket of our own on a free port: as systemd makes one, or as somebody else has it. */
static int
listen_somewhere (guint16 *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t len = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, len), ==, 0);
  g_assert_cmpint (listen (fd, 5), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &len), ==, 0);
  *port = ntohs (address.sin_port);
  return fd;
}

static PrConfig *
parse_port (guint16 port)
{
  g_autofree char *text =
    g_strdup_printf ("[listener l]\nlisten=127.0.0.1:%u\n[route r]\nvia=hold\n", port);

  return parse (text);
}

static void
test_adopted_socket_is_used (World *world, gconstpointer by_engine)
{
  guint16 port;
  int fd = listen_somewhere (&port);
  g_autoptr (PrConfig) config = parse_port (port);
  g_autofree char *expected = g_strdup_printf ("127.0.0.1:%u", port);
  g_autoptr (GPtrArray) addresses = NULL;

  g_clear_pointer (&world->engine, pr_engine_free);
  open_engine (world, config);
  if (by_engine != NULL)
    pr_engine_adopt (world->engine, fd);
  else
    pr_server_adopt (pr_engine_get_server (world->engine), fd);
  start (world); /* it could not open that port itself: it is taken */
  addresses = pr_server_get_addresses (pr_engine_get_server (world->engine));
  g_assert_cmpuint (addresses->len, ==, 1);
  g_assert_cmpstr (addresses->pdata[0], ==, expected);
}

static void
test_nowhere_to_listen (World *world, gconstpointer data)
{
  guint16 port;
  int fd = listen_somewhere (&port);
  g_autoptr (PrConfig) config = parse_port (port);
  g_autoptr (GPtrArray) faults = NULL;

  g_clear_pointer (&world->engine, pr_engine_free);
  open_engine (world, config);
  g_assert_false (pr_engine_start (world->engine, &faults));
  g_assert_cmpuint (faults->len, ==, 1);
  close (fd);
}

static void
on_stopped (gpointer user_data)
{
  guint *n_stopped = user_data;

  (*n_stopped)++;
}

static void
test_network_is_watched (World *world, gconstpointer data)
{
  PrRunner *runner = pr_engine_get_runner (world->engine);
  gboolean available = g_network_monitor_get_network_available (g_network_monitor_get_default ());
  PrRunnerStats stats;

  pr_runner_set_network (runner, !available);
  pr_runner_watch_network (runner);
  pr_runner_get_stats (runner, &stats);
  g_assert_cmpint (stats.network_available, ==, available);
}

static void
test_stop (World *world, gconstpointer data)
{
  PrServerCounts counts;
  guint n_stopped = 0;

  start (world);
  pr_server_get_counts (pr_engine_get_server (world->engine), &counts);
  g_assert_cmpuint (counts.n_connections, ==, 0);
  pr_engine_stop (world->engine, 1000, on_stopped, &n_stopped);
  g_assert_cmpuint (n_stopped, ==, 0); /* on a later turn, never within the call */
  wait_for (world->context, n_stopped == 1, "the engine to stop");
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *path;
    void (*test) (World *, gconstpointer);
    gconstpointer data;
  } tests[] = {
    { "/engine/parts", test_parts },
    { "/engine/home-in-use", test_home_in_use },
    { "/engine/reload-moves-mail", test_reload_moves_mail },
    { "/engine/bad-config-is-noted", test_bad_config_is_noted },
    { "/engine/adopted-socket-is-used", test_adopted_socket_is_used, "by the engine" },
    { "/engine/server-adopts", test_adopted_socket_is_used },
    { "/engine/nowhere-to-listen", test_nowhere_to_listen },
    { "/engine/network-is-watched", test_network_is_watched },
    { "/engine/stop", test_stop },
  };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, World, tests[i].data, set_up, tests[i].test, tear_down);

  return g_test_run ();
}
