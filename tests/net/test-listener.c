/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gnetworking.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/error.h"
#include "net/channel.h"
#include "wait.h"

typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  PrListener *listener;
  GPtrArray *channels; /* accepted, owned */
  gboolean free_inside, pause_inside;
} Fixture;

static gsize
on_received (gpointer owner, const char *data, gsize len)
{
  return len;
}

static void
on_closed (gpointer owner, const GError *error)
{
}

static const PrChannelHandler handler = { .received = on_received, .closed = on_closed };

static void
on_accept (PrListener *listener, int fd, const PrIp *peer, guint16 port, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true (pr_ip_is_loopback (peer));
  g_assert_cmpuint (port, >, 0);
  g_assert_true (fcntl (fd, F_GETFL) & O_NONBLOCK);
  g_assert_true (fcntl (fd, F_GETFD) & FD_CLOEXEC);
  g_ptr_array_add (f->channels, pr_channel_new_accepted (f->loop, fd, &handler, NULL));
  if (f->pause_inside)
    pr_listener_pause (listener);
  if (f->free_inside)
    g_clear_pointer (&f->listener, pr_listener_free);
}

static void
set_up (Fixture *f, gconstpointer address)
{
  g_autoptr (GError) error = NULL;

  f->context = g_main_context_new ();
  f->loop = pr_loop_new (f->context);
  f->channels = g_ptr_array_new_with_free_func ((GDestroyNotify) pr_channel_free);
  f->listener = pr_listener_new (f->loop, address, on_accept, f, &error);
  if (g_error_matches (error, PR_ERROR, PR_ERROR_UNSUPPORTED))
    g_test_skip (error->message);
  else
    g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer address)
{
  pr_listener_free (f->listener);
  g_ptr_array_unref (f->channels);
  pr_loop_free (f->loop);
  g_main_context_unref (f->context);
}

/* A client of the test's; non-blocking, so that a full queue does not hang it. */
static int
dial (const char *text)
{
  guint16 port;
  PrIp ip;
  g_autoptr (GSocketAddress) address = NULL;
  struct sockaddr_storage native;
  char buf[PR_IP_TEXT_SIZE];
  gssize len;
  int fd;

  g_assert_true (pr_ip_parse_with_port (text, &ip, &port));
  address = g_inet_socket_address_new_from_string (pr_ip_format (&ip, buf), port);
  len = g_socket_address_get_native_size (address);
  g_assert_true (g_socket_address_to_native (address, &native, sizeof native, NULL));
  fd = socket (native.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  g_assert_true (connect (fd, (struct sockaddr *) &native, (socklen_t) len) == 0 ||
                 errno == EINPROGRESS);
  return fd;
}

static void
settle (Fixture *f)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (f->context, FALSE);
}

static void
test_accept (Fixture *f, gconstpointer address)
{
  int clients[100];

  if (f->listener == NULL)
    return;
  for (guint i = 0; i < 100; i++)
    clients[i] = dial (pr_listener_get_address (f->listener));
  wait_for (f->context, f->channels->len == 100, "100 clients");
  g_assert_false (pr_listener_is_starved (f->listener));
  for (guint i = 0; i < 100; i++)
    close (clients[i]);
}

static void
test_pause (Fixture *f, gconstpointer address)
{
  int a, b;

  pr_listener_pause (f->listener);
  pr_listener_pause (f->listener);
  g_assert_true (pr_listener_is_paused (f->listener));
  a = dial (pr_listener_get_address (f->listener));
  b = dial (pr_listener_get_address (f->listener));
  settle (f);
  g_assert_cmpuint (f->channels->len, ==, 0);
  f->pause_inside = TRUE;
  pr_listener_resume (f->listener);
  pr_listener_resume (f->listener);
  wait_for (f->context, f->channels->len == 1, "the first who waited");
  settle (f);
  g_assert_cmpuint (f->channels->len, ==, 1);
  f->pause_inside = FALSE;
  pr_listener_resume (f->listener);
  wait_for (f->context, f->channels->len == 2, "the second who waited");
  close (a);
  close (b);
}

static void
test_free_inside (Fixture *f, gconstpointer address)
{
  g_autofree char *text = g_strdup (pr_listener_get_address (f->listener));
  int a = dial (text), b = dial (text);

  f->free_inside = TRUE;
  wait_for (f->context, f->listener == NULL, "a listener freed in its callback");
  g_assert_cmpuint (f->channels->len, ==, 1);
  close (a);
  close (b);
}

/* 64 descriptors, more clients than that: the reserve is never touched, nothing spins, and who
 * waited is served when others go. */
static void
test_reserve (Fixture *f, gconstpointer address)
{
  struct rlimit old, low;
  int clients[20], extra[64];
  guint n_extra = 0, n_accepted, turns = 0;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  low = old;
  low.rlim_cur = 64;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);

  for (guint i = 0; i < 20; i++)
    clients[i] = dial (pr_listener_get_address (f->listener));
  wait_for (f->context, pr_listener_is_starved (f->listener), "the reserve to be reached");
  n_accepted = f->channels->len;
  g_assert_cmpuint (n_accepted, >, 0);
  g_assert_cmpuint (n_accepted, <, 20);

  /* What is left is the reserve, and it is there for others. */
  while (n_extra < G_N_ELEMENTS (extra) && (extra[n_extra] = dup (0)) >= 0)
    n_extra++;
  g_assert_cmpuint (n_extra, >=, PR_DESCRIPTOR_RESERVE - 1);
  for (guint i = 0; i < n_extra; i++)
    close (extra[i]);

  /* It sleeps: a starved listener does not wake the loop again and again. */
  while (g_main_context_iteration (f->context, FALSE))
    g_assert_cmpuint (turns++, <, 1000);
  g_assert_cmpuint (f->channels->len, ==, n_accepted);

  /* One goes, one comes. */
  g_ptr_array_remove_index_fast (f->channels, 0);
  wait_for (f->context, f->channels->len == n_accepted, "the next client");
  g_ptr_array_set_size (f->channels, 0);
  for (guint i = 0; i < 20; i++)
    close (clients[i]);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);

  /* And all the rest, who hung up meanwhile. */
  wait_for (f->context, !pr_listener_is_starved (f->listener), "the listener to recover");
}

/* Nothing free at all: accept itself fails with EMFILE; nobody tells, a second does. */
static void
test_exhausted (Fixture *f, gconstpointer address)
{
  struct rlimit old, low;
  int client = dial (pr_listener_get_address (f->listener));
  int highest = dup (0);

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  low = old;
  low.rlim_cur = (rlim_t) highest;
  close (highest);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  wait_for (f->context, pr_listener_is_starved (f->listener), "accept to fail");
  g_assert_cmpuint (f->channels->len, ==, 0);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);
  wait_for (f->context, f->channels->len == 1, "the client, a second later");
  g_assert_false (pr_listener_is_starved (f->listener));
  close (client);
}

static void
test_free_starved (Fixture *f, gconstpointer address)
{
  struct rlimit old, low;
  int client = dial (pr_listener_get_address (f->listener)), highest = dup (0);

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  low = old;
  low.rlim_cur = (rlim_t) highest;
  close (highest);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  wait_for (f->context, pr_listener_is_starved (f->listener), "accept to fail");
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);
  pr_listener_pause (f->listener); /* both at once */
  pr_listener_resume (f->listener);
  g_assert_true (pr_listener_is_starved (f->listener));
  g_clear_pointer (&f->listener, pr_listener_free);
  close (client);
}

static void
expect_error (Fixture *f, const char *address, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PrListener) listener = pr_listener_new (f->loop, address, on_accept, f, &error);

  g_assert_null (listener);
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_errors (Fixture *f, gconstpointer address)
{
  g_autofree char *taken = g_strdup (pr_listener_get_address (f->listener));

  expect_error (f, taken, "another program uses this port");
  expect_error (f, "192.0.2.1:2525", "no network interface");
  expect_error (f, "localhost:2525", "is not an address");
  expect_error (f, "127.0.0.1", "is not an address");
  expect_error (f, "", "is not an address");
}

static void
test_from_fd (Fixture *f, gconstpointer address)
{
  int fd = socket (AF_INET, SOCK_STREAM, 0), client;
  struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  g_autoptr (PrListener) listener = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (bind (fd, (struct sockaddr *) &in, sizeof in), ==, 0);
  g_assert_cmpint (listen (fd, 5), ==, 0);
  listener = pr_listener_new_from_fd (f->loop, fd, on_accept, f, &error);
  g_assert_no_error (error);
  client = dial (pr_listener_get_address (listener));
  wait_for (f->context, f->channels->len == 1, "a client on the socket that was handed over");
  close (client);
}

static void
test_from_wrong_fd (Fixture *f, gconstpointer address)
{
  int wrong[] = { -1, open ("/dev/null", O_RDONLY | O_CLOEXEC), socket (AF_INET, SOCK_STREAM, 0),
                  socket (AF_INET, SOCK_DGRAM, 0), socket (AF_UNIX, SOCK_STREAM, 0) };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pr_listener_new_from_fd (f->loop, wrong[i], on_accept, f, &error));
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
      g_assert_cmpint (fcntl (wrong[i], F_GETFD), <, 0); /* closed: it was ours */
    }
}

int
main (int argc, char *argv[])
{
  static const char v4[] = "127.0.0.1:0", v6[] = "[::1]:0";

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/listener/accept", Fixture, v4, set_up, test_accept, tear_down);
  g_test_add ("/listener/accept-v6", Fixture, v6, set_up, test_accept, tear_down);
  g_test_add ("/listener/pause", Fixture, v4, set_up, test_pause, tear_down);
  g_test_add ("/listener/free-inside", Fixture, v4, set_up, test_free_inside, tear_down);
  g_test_add ("/listener/reserve", Fixture, v4, set_up, test_reserve, tear_down);
  g_test_add ("/listener/exhausted", Fixture, v4, set_up, test_exhausted, tear_down);
  g_test_add ("/listener/free-starved", Fixture, v4, set_up, test_free_starved, tear_down);
  g_test_add ("/listener/errors", Fixture, v4, set_up, test_errors, tear_down);
  g_test_add ("/listener/from-fd", Fixture, v4, set_up, test_from_fd, tear_down);
  g_test_add ("/listener/from-wrong-fd", Fixture, v4, set_up, test_from_wrong_fd, tear_down);
  return g_test_run ();
}
