/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Channels over socket pairs and loopback TCP, once with each poller. */
#include "net/channel.h"

#include <gio/gunixsocketaddress.h>
#include <dirent.h>
#include <errno.h>
#include <glib-unix.h>
#include <gio/gnetworking.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "net/listener.h"
#include "net/poller.h"
#include "net/fixture.h"

#define LINGER_MS 60000

/* The owner of one channel, and what it does in callbacks. */
typedef struct
{
  PrChannel *channel; /* owned */
  GString *got;
  gsize takes;     /* octets taken at a time; 0: all */
  gboolean stalls; /* takes none */
  guint n_connected, n_drained, n_closed, n_timed_out;
  GError *error;
  gboolean free_in_received, free_in_closed, finish_in_received, resume_in_received;
  gboolean pause_in_received, echo;
  gboolean free_in_drained, free_in_connected, free_in_timed_out;
} Owner;

static void
drop (Owner *owner, gboolean when)
{
  if (when)
    g_clear_pointer (&owner->channel, pr_channel_free);
}

static void
on_connected (gpointer user_data)
{
  Owner *owner = user_data;

  owner->n_connected++;
  drop (owner, owner->free_in_connected);
}

static gsize
on_received (gpointer user_data, const char *data, gsize len)
{
  Owner *owner = user_data;
  gsize n = owner->stalls ? 0 : owner->takes > 0 ? MIN (owner->takes, len) : len;

  g_assert_cmpuint (owner->n_closed, ==, 0);
  g_assert_cmpuint (len, >, 0);
  g_string_append_len (owner->got, data, (gssize) n);
  if (owner->echo)
    pr_channel_write (owner->channel, data, n);
  if (owner->resume_in_received)
    pr_channel_resume (owner->channel);
  if (owner->pause_in_received)
    pr_channel_pause (owner->channel);
  if (owner->finish_in_received)
    {
      pr_channel_write (owner->channel, "bye", 3);
      pr_channel_finish (g_steal_pointer (&owner->channel), LINGER_MS);
    }
  drop (owner, owner->free_in_received);
  return n;
}

static void
on_drained (gpointer user_data)
{
  Owner *owner = user_data;

  owner->n_drained++;
  g_assert_cmpuint (pr_channel_get_unsent (owner->channel), ==, 0);
  drop (owner, owner->free_in_drained);
}

static void
on_closed (gpointer user_data, const GError *error)
{
  Owner *owner = user_data;

  g_assert_cmpuint (owner->n_closed, ==, 0); /* once */
  owner->n_closed++;
  owner->error = error != NULL ? g_error_copy (error) : NULL;
  drop (owner, owner->free_in_closed);
}

static void
on_timed_out (gpointer user_data)
{
  Owner *owner = user_data;

  owner->n_timed_out++;
  drop (owner, owner->free_in_timed_out);
}

static const PrChannelHandler handler = { on_connected, on_received, on_drained, on_closed,
                                          on_timed_out };

static void
owner_clear (Owner *owner)
{
  g_clear_pointer (&owner->channel, pr_channel_free);
  g_clear_error (&owner->error);
  g_string_free (owner->got, TRUE);
}

/* Returns the other end: a blocking socket of the test's. */
static int
owner_init (Owner *owner, Fixture *f)
{
  int fds[2];

  *owner = (Owner){ .got = g_string_new (NULL) };
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  owner->channel = pr_channel_new_accepted (f->loop, fds[0], &handler, owner);
  return fds[1];
}

static void
say (int fd, const char *text)
{
  g_assert_cmpint (send (fd, text, strlen (text), MSG_NOSIGNAL), ==, (gssize) strlen (text));
}

/* Reads exactly what is there. */
static char *
hear (int fd)
{
  char buffer[4096];
  gssize n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

  return n >= 0 ? g_strndup (buffer, (gsize) n) : NULL;
}

static void
assert_hears (int fd, const char *expected)
{
  g_autofree char *text = hear (fd);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_both_ways (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);

  fixture_settle (f);
  g_assert_cmpuint (owner.got->len, ==, 0);
  say (peer, "EHLO");
  wait_for (f->context, owner.got->len == 4, "four octets");
  g_assert_cmpstr (owner.got->str, ==, "EHLO");
  pr_channel_write (owner.channel, "250 ok", 6);
  assert_hears (peer, "250 ok"); /* at once, no turn in between */
  pr_channel_write (owner.channel, "", 0);
  g_assert_cmpuint (pr_channel_get_unsent (owner.channel), ==, 0);
  g_assert_cmpuint (pr_channel_get_octets_in (owner.channel), ==, 4);
  g_assert_cmpuint (pr_channel_get_octets_out (owner.channel), ==, 6);
  g_assert_cmpuint (owner.n_drained, ==, 0);
  close (peer);
  wait_for (f->context, owner.n_closed == 1, "the end of stream");
  g_assert_no_error (owner.error);
  fixture_settle (f);
  owner_clear (&owner);
}

static void
test_keeps_what_is_not_taken (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);

  owner.takes = 2;
  say (peer, "abcdef");
  wait_for (f->context, owner.got->len == 2, "the first two octets");
  fixture_settle (f);
  g_assert_cmpstr (owner.got->str, ==, "ab");
  say (peer, "gh");
  fixture_settle (f);
  g_assert_cmpstr (owner.got->str, ==, "ab"); /* reading is off */
  pr_channel_resume (owner.channel);
  g_assert_cmpstr (owner.got->str, ==, "abcd"); /* on this turn */
  owner.takes = 0;
  pr_channel_resume (owner.channel);
  g_assert_cmpstr (owner.got->str, ==, "abcdef");
  wait_for (f->context, owner.got->len == 8, "what came while it was off");
  close (peer);
  owner_clear (&owner);
}

static void
test_resume_inside (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);

  owner.takes = 1;
  owner.resume_in_received = TRUE;
  say (peer, "abcdef");
  wait_for (f->context, owner.got->len == 6, "all, octet by octet");
  owner.stalls = TRUE; /* and says resume all the same: must not spin */
  say (peer, "x");
  fixture_settle (f);
  g_assert_cmpuint (owner.got->len, ==, 6);
  owner.stalls = FALSE;
  pr_channel_resume (owner.channel);
  g_assert_cmpuint (owner.got->len, ==, 7);
  close (peer);
  owner_clear (&owner);
}

static void
test_pause (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);

  pr_channel_pause (owner.channel);
  say (peer, "a");
  close (peer); /* even the hang-up waits, and does not spin */
  fixture_settle (f);
  g_assert_cmpuint (owner.got->len, ==, 0);
  g_assert_cmpuint (owner.n_closed, ==, 0);
  owner.pause_in_received = TRUE;
  pr_channel_resume (owner.channel);
  wait_for (f->context, owner.got->len == 1, "an octet sent before the hang-up");
  fixture_settle (f);
  g_assert_cmpuint (owner.n_closed, ==, 0);
  pr_channel_resume (owner.channel);
  wait_for (f->context, owner.n_closed == 1, "the end, once it is wanted");
  owner_clear (&owner);
}

/* "QUIT" and an early end of the sending half: the replies still go out. */
static void
test_half_close (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);
  g_autofree char *big = g_strnfill (4 * 1024 * 1024, 'x');
  g_autofree char *buffer = g_malloc (65536);
  gsize total = 0;
  gssize n;

  pr_channel_write (owner.channel, big, strlen (big));
  g_assert_cmpuint (pr_channel_get_unsent (owner.channel), >, 0);
  say (peer, "QUIT");
  shutdown (peer, SHUT_WR);
  fixture_settle (f);
  g_assert_cmpuint (owner.n_closed, ==, 0);
  while (total < strlen (big))
    {
      n = recv (peer, buffer, 65536, MSG_DONTWAIT);
      if (n > 0)
        total += (gsize) n;
      g_assert_true (n > 0 || errno == EAGAIN);
      g_main_context_iteration (f->context, FALSE);
    }
  wait_for (f->context, owner.n_closed == 1, "closed after all was sent");
  g_assert_no_error (owner.error);
  g_assert_cmpuint (owner.n_drained, ==, 1);
  g_assert_cmpstr (owner.got->str, ==, "QUIT");
  close (peer);
  owner_clear (&owner);
}

/* A peer that asks and never listens: it is not read, and memory stays within bounds. */
static void
test_choke (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);
  g_autofree char *chunk = g_strnfill (64 * 1024, 'x');
  guint n_refused = 0;

  owner.echo = TRUE;
  while (n_refused < 200)
    {
      if (send (peer, chunk, strlen (chunk), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        n_refused++;
      g_main_context_iteration (f->context, FALSE);
    }
  g_assert_cmpuint (pr_channel_get_unsent (owner.channel), >, 1024 * 1024);
  g_assert_cmpuint (pr_channel_get_unsent (owner.channel), <, 2 * 1024 * 1024);

  /* It listens again, and is heard again. */
  while (pr_channel_get_unsent (owner.channel) > 0)
    {
      recv (peer, chunk, strlen (chunk), MSG_DONTWAIT);
      g_main_context_iteration (f->context, FALSE);
    }
  g_string_truncate (owner.got, 0);
  owner.echo = FALSE;
  wait_for (f->context, owner.got->len > 0, "reading to go on");
  close (peer);
  owner_clear (&owner);
}

static void
test_large (Fixture *f, gconstpointer poller)
{
  Owner a, b;
  int peer = owner_init (&a, f);
  g_autofree guint8 *data = g_malloc (8 * 1024 * 1024);

  for (gsize i = 0; i < 8 * 1024 * 1024; i++)
    data[i] = (guint8) (i * 7 + i / 251);
  b = (Owner){ .got = g_string_new (NULL) };
  g_assert_true (g_unix_set_fd_nonblocking (peer, TRUE, NULL));
  b.channel = pr_channel_new_accepted (f->loop, peer, &handler, &b);
  for (gsize at = 0; at < 8; at++)
    pr_channel_write (a.channel, (char *) data + at * 1024 * 1024, 1024 * 1024);
  wait_for (f->context, b.got->len == 8 * 1024 * 1024, "8 MiB");
  g_assert_cmpint (memcmp (b.got->str, data, b.got->len), ==, 0);
  wait_for (f->context, a.n_drained == 1, "drained");
  owner_clear (&a);
  wait_for (f->context, b.n_closed == 1, "the end");
  owner_clear (&b);
}

static void
test_write_to_the_dead (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);

  /* What it said before it went is still heard. */
  say (peer, "421 going");
  close (peer);
  pr_channel_write (owner.channel, "MAIL", 4);
  g_assert_cmpuint (owner.n_closed, ==, 0); /* never in place */
  pr_channel_write (owner.channel, "RCPT", 4);
  wait_for (f->context, owner.n_closed == 1, "a broken pipe");
  g_assert_error (owner.error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_cmpstr (owner.got->str, ==, "421 going");
  pr_channel_write (owner.channel, "DATA", 4);
  pr_channel_pause (owner.channel);
  pr_channel_resume (owner.channel);
  pr_channel_set_deadline (owner.channel, 1);
  fixture_settle (f);
  owner_clear (&owner);
}

static void
test_deadline (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);

  pr_channel_set_deadline (owner.channel, 1);
  pr_channel_set_deadline (owner.channel, 0);
  fixture_settle (f);
  pr_channel_set_deadline (owner.channel, 5);
  wait_for (f->context, owner.n_timed_out == 1, "the deadline");
  g_assert_cmpuint (owner.n_closed, ==, 0);
  owner.free_in_timed_out = TRUE;
  pr_channel_set_deadline (owner.channel, 5);
  wait_for (f->context, owner.channel == NULL, "a channel freed by its deadline");
  close (peer);
  owner_clear (&owner);
}

/* --- freed by its owner, everywhere ------------------------------------------------------ */

static void
test_free_inside (Fixture *f, gconstpointer poller)
{
  for (guint round = 0; round < 4; round++)
    {
      Owner owner;
      int peer = owner_init (&owner, f);
      g_autofree char *big = g_strnfill (2 * 1024 * 1024, 'x');

      owner.free_in_received = round == 0;
      owner.free_in_closed = round == 1;
      owner.free_in_drained = round == 2;
      owner.takes = round == 3 ? 1 : 0;
      owner.free_in_received = owner.free_in_received || round == 3;
      if (round == 2)
        pr_channel_write (owner.channel, big, strlen (big));
      if (round == 1)
        close (peer);
      else
        say (peer, "some text");
      while (owner.channel != NULL)
        {
          if (round == 2)
            recv (peer, big, strlen (big), MSG_DONTWAIT);
          g_main_context_iteration (f->context, FALSE);
        }
      if (round != 1)
        close (peer);
      owner_clear (&owner);
    }
}

static void
test_free_unsent (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);
  g_autofree char *big = g_strnfill (2 * 1024 * 1024, 'x');

  owner.takes = 1;
  say (peer, "abc");
  wait_for (f->context, owner.got->len == 1, "an octet");
  pr_channel_write (owner.channel, big, strlen (big));
  owner_clear (&owner); /* with octets kept both ways */
  pr_channel_free (NULL);
  close (peer);
}

/* --- connecting -------------------------------------------------------------------------- */

static void
on_accept (PrListener *listener, int fd, const PrIp *peer, guint16 port, gpointer user_data)
{
  *(int *) user_data = fd;
}

static void
test_connect (Fixture *f, gconstpointer poller)
{
  g_autoptr (GError) error = NULL;
  int accepted = -1;
  g_autoptr (PrListener) listener =
    pr_listener_new (f->loop, "127.0.0.1:0", on_accept, &accepted, &error);
  g_autoptr (GSocketAddress) address = NULL;
  Owner owner = { .got = g_string_new (NULL) };
  char text[PR_IP_PORT_TEXT_SIZE];
  guint16 port, local_port;
  PrIp ip;

  g_assert_no_error (error);
  g_assert_true (pr_ip_parse_with_port (pr_listener_get_address (listener), &ip, &port));
  address = g_inet_socket_address_new_from_string ("127.0.0.1", port);
  owner.channel = pr_channel_new_connect (f->loop, address, &handler, &owner);
  pr_channel_write (owner.channel, "early", 5); /* sent once it is connected */
  g_assert_cmpuint (owner.n_connected, ==, 0);
  wait_for (f->context, owner.n_connected == 1 && accepted >= 0 && owner.n_drained == 1,
            "a connection");
  g_assert_true (pr_channel_get_peer (owner.channel, &ip, &local_port));
  g_assert_cmpstr (pr_ip_format_with_port (&ip, local_port, text), ==,
                   pr_listener_get_address (listener));
  g_assert_true (pr_channel_get_local (owner.channel, &ip, &local_port));
  g_assert_true (pr_ip_is_loopback (&ip));
  g_assert_cmpuint (local_port, !=, port);
  assert_hears (accepted, "early");
  close (accepted);
  owner_clear (&owner);
}

static void
expect_failure (Fixture *f, GSocketAddress *address, int code)
{
  Owner owner = { .got = g_string_new (NULL) };

  owner.channel = pr_channel_new_connect (f->loop, address, &handler, &owner);
  g_assert_cmpuint (owner.n_closed, ==, 0); /* never before it returns */
  pr_channel_write (owner.channel, "EHLO", 4);
  wait_for (f->context, owner.n_closed == 1, "a refused connection");
  if (code != 0)
    {
      g_assert_error (owner.error, PR_ERROR, PR_ERROR_TEMPORARY);
      g_assert_cmpstr (owner.error->message, ==, g_strerror (code));
    }
  g_assert_cmpuint (owner.n_connected, ==, 0);
  owner_clear (&owner);
}

static void
test_connect_fails (Fixture *f, gconstpointer poller)
{
  int unused = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  socklen_t len = sizeof in;
  g_autoptr (GSocketAddress) refused = NULL, missing = NULL, odd = NULL;

  /* Bound and not listening: nobody else can come to listen there meanwhile. */
  g_assert_cmpint (bind (unused, (struct sockaddr *) &in, sizeof in), ==, 0);
  g_assert_cmpint (getsockname (unused, (struct sockaddr *) &in, &len), ==, 0);
  refused = g_inet_socket_address_new_from_string ("127.0.0.1", g_ntohs (in.sin_port));
  expect_failure (f, refused, ECONNREFUSED);
  close (unused);
  missing = g_unix_socket_address_new ("/nonexistent/lmtp");
  expect_failure (f, missing, ENOENT);
  odd = g_inet_socket_address_new_from_string ("255.255.255.255", 25);
  expect_failure (f, odd, 0); /* no permission, or no network at all */
}

static void
test_unix_has_no_ip (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);
  guint16 port;
  PrIp ip;

  g_assert_false (pr_channel_get_peer (owner.channel, &ip, &port));
  g_assert_false (pr_channel_get_local (owner.channel, &ip, &port));
  close (peer);
  owner_clear (&owner);
}

/* --- finishing --------------------------------------------------------------------------- */

/* A TCP pair: [0] non-blocking, ours; [1] the peer's. */
static void
tcp_pair (int fds[2])
{
  int listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  socklen_t len = sizeof in;

  g_assert_cmpint (bind (listening, (struct sockaddr *) &in, sizeof in), ==, 0);
  g_assert_cmpint (listen (listening, 1), ==, 0);
  g_assert_cmpint (getsockname (listening, (struct sockaddr *) &in, &len), ==, 0);
  fds[1] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (fds[1], (struct sockaddr *) &in, sizeof in), ==, 0);
  fds[0] = accept (listening, NULL, NULL);
  g_assert_cmpint (fds[0], >=, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  close (listening);
}

/* Reads to the end, turning the loop; the end must not be a reset. */
static char *
hear_all (Fixture *f, int fd)
{
  GString *text = g_string_new (NULL);
  gint64 end_us = g_get_monotonic_time () + WAIT_LIMIT_S * G_USEC_PER_SEC;

  for (;;)
    {
      char buffer[4096];
      gssize n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

      if (n == 0)
        return g_string_free (text, FALSE);
      if (n > 0)
        g_string_append_len (text, buffer, n);
      else
        g_assert_cmpint (errno, ==, EAGAIN);
      g_assert_cmpint (g_get_monotonic_time (), <, end_us);
      g_main_context_iteration (f->context, FALSE);
    }
}

static void
test_finish (Fixture *f, gconstpointer poller)
{
  Owner owner;
  int peer = owner_init (&owner, f);
  g_autofree char *big = g_strnfill (3 * 1024 * 1024, 'x'), *got = NULL;

  pr_channel_write (owner.channel, big, strlen (big));
  pr_channel_set_deadline (owner.channel, 1); /* is not heard of any more */
  pr_channel_finish (g_steal_pointer (&owner.channel), LINGER_MS);
  got = hear_all (f, peer);
  g_assert_cmpuint (strlen (got), ==, strlen (big));
  g_assert_cmpuint (owner.n_closed + owner.n_drained + owner.n_timed_out, ==, 0);
  close (peer);
  owner_clear (&owner);
}

/* The peer talks on; the last reply must reach it, not a reset. */
static void
test_finish_while_peer_talks (Fixture *f, gconstpointer poller)
{
  Owner owner = { .got = g_string_new (NULL), .finish_in_received = TRUE, .takes = 1 };
  g_autofree char *noise = g_strnfill (200000, 'n'), *got = NULL;
  int fds[2];

  tcp_pair (fds);
  owner.channel = pr_channel_new_accepted (f->loop, fds[0], &handler, &owner);
  say (fds[1], noise);
  wait_for (f->context, owner.channel == NULL, "the owner to finish");
  say (fds[1], "more");
  shutdown (fds[1], SHUT_WR);
  got = hear_all (f, fds[1]);
  g_assert_cmpstr (got, ==, "bye");
  g_assert_cmpuint (owner.got->len, ==, 1);
  g_assert_cmpuint (owner.n_closed, ==, 0);
  close (fds[1]);
  fixture_settle (f);
  owner_clear (&owner);
}

/* A quiet peer keeps no descriptor of ours. */
static void
test_finish_quiet (Fixture *f, gconstpointer poller)
{
  Owner owner = { .got = g_string_new (NULL) };
  char buffer[8];
  int fds[2];

  tcp_pair (fds);
  owner.channel = pr_channel_new_accepted (f->loop, fds[0], &handler, &owner);
  pr_channel_write (owner.channel, "221", 3);
  pr_channel_finish (g_steal_pointer (&owner.channel), LINGER_MS);
  /* Closed already, on this turn: the peer sees the end without our loop turning. */
  g_assert_cmpint (recv (fds[1], buffer, sizeof buffer, MSG_WAITALL), ==, 3);
  close (fds[1]);
  owner_clear (&owner);
}

static void
test_finish_is_bounded (Fixture *f, gconstpointer poller)
{
  Owner owner = { .got = g_string_new (NULL) };
  g_autofree char *big = g_strnfill (8 * 1024 * 1024, 'x');
  int fds[2];

  tcp_pair (fds);
  owner.channel = pr_channel_new_accepted (f->loop, fds[0], &handler, &owner);
  pr_channel_write (owner.channel, big, strlen (big));
  g_assert_cmpuint (pr_channel_get_unsent (owner.channel), >, 0);
  pr_channel_finish (g_steal_pointer (&owner.channel), 20);
  wait_for (f->context, fcntl (fds[0], F_GETFD) < 0, "a peer that never reads to be dropped");
  close (fds[1]);

  /* No time at all, and a broken channel. */
  tcp_pair (fds);
  owner.channel = pr_channel_new_accepted (f->loop, fds[0], &handler, &owner);
  pr_channel_finish (g_steal_pointer (&owner.channel), 0);
  g_assert_cmpint (fcntl (fds[0], F_GETFD), <, 0);
  close (fds[1]);
  owner_clear (&owner);
}

/* The loop ends while one still lingers: it goes with it, ASan watches. */
static void
test_finish_with_loop (Fixture *f, gconstpointer poller)
{
  Owner owner = { .got = g_string_new (NULL) };
  g_autofree char *big = g_strnfill (8 * 1024 * 1024, 'x');
  int fds[2];

  tcp_pair (fds);
  owner.channel = pr_channel_new_accepted (f->loop, fds[0], &handler, &owner);
  pr_channel_write (owner.channel, big, strlen (big));
  pr_channel_finish (g_steal_pointer (&owner.channel), LINGER_MS);
  g_clear_pointer (&f->loop, pr_loop_free);
  g_assert_cmpint (fcntl (fds[0], F_GETFD), <, 0);
  close (fds[1]);
  owner_clear (&owner);
}

/* --- descriptors ------------------------------------------------------------------------- */

static guint
count_descriptors (void)
{
  DIR *dir = opendir ("/proc/self/fd");
  guint n = 0;

  if (dir == NULL)
    return 0;
  while (readdir (dir) != NULL)
    n++;
  closedir (dir);
  return n;
}

static void
test_thousand_cycles (Fixture *f, gconstpointer poller)
{
  guint before = count_descriptors ();

  for (guint i = 0; i < 1000; i++)
    {
      Owner owner;
      int peer = owner_init (&owner, f);

      owner.echo = TRUE;
      say (peer, "hello");
      wait_for (f->context, owner.got->len == 5, "hello");
      if (i % 3 == 0)
        pr_channel_finish (g_steal_pointer (&owner.channel), LINGER_MS);
      close (peer);
      if (i % 3 == 1)
        wait_for (f->context, owner.n_closed == 1, "the end");
      owner_clear (&owner);
    }
  fixture_settle (f);
  g_assert_cmpuint (count_descriptors (), ==, before);
}

static void
add_tests (const char *name, const PrPoller *poller)
{
  static const struct
  {
    const char *name;
    void (*func) (Fixture *f, gconstpointer poller);
  } tests[] = {
    { "both-ways", test_both_ways },
    { "keeps-what-is-not-taken", test_keeps_what_is_not_taken },
    { "resume-inside", test_resume_inside },
    { "pause", test_pause },
    { "half-close", test_half_close },
    { "choke", test_choke },
    { "large", test_large },
    { "write-to-the-dead", test_write_to_the_dead },
    { "deadline", test_deadline },
    { "free-inside", test_free_inside },
    { "free-unsent", test_free_unsent },
    { "connect", test_connect },
    { "connect-fails", test_connect_fails },
    { "unix-has-no-ip", test_unix_has_no_ip },
    { "finish", test_finish },
    { "finish-while-peer-talks", test_finish_while_peer_talks },
    { "finish-quiet", test_finish_quiet },
    { "finish-is-bounded", test_finish_is_bounded },
    { "finish-with-loop", test_finish_with_loop },
    { "thousand-cycles", test_thousand_cycles },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/channel/%s/%s", name, tests[i].name);

      g_test_add (path, Fixture, poller, fixture_set_up, tests[i].func, fixture_tear_down);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  add_tests ("best", NULL);
  add_tests ("portable", &pr_poller_glib);
  return g_test_run ();
}
