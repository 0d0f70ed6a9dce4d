/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kill -9 at any instant loses nothing that was acknowledged.
 *
 * A child of this program puts messages, small and spooled, many at a time, and records deliveries.
 * It tells "+ID KIND" after the store's answer, and "-ID" before it asks for a removal. The parent
 * kills it at a random instant, opens the queue and looks for what was told: all that was
 * acknowledged and not to be removed must be there, octet by octet. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>

#include "queue-util.h"
#include "queue/spool.h"

#define N_KILLS 60
#define N_AT_ONCE 20
#define SPOOLED_OCTETS (150 * 1000)
#define INLINE_OCTETS 3000

/* ── The child ────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrStore *store;
  PrMessage *message; /* owned */
  char kind;          /* 's'pooled or 'i'nline */
} Put;

/* Bodies tell whose they are. */
static char *
make_body (gint64 id, char kind)
{
  gsize len = kind == 's' ? SPOOLED_OCTETS : INLINE_OCTETS;
  GString *body = g_string_sized_new (len + 16);
  char text[PR_ID_LEN + 1];

  pr_id_format (id, text);
  while (body->len < len)
    g_string_append_printf (body, "%s %zu\r\n", text, body->len);
  g_string_truncate (body, len);

  return g_string_free (body, FALSE);
}

static void
tell (char sign, gint64 id, char kind)
{
  char line[PR_ID_LEN + 8], text[PR_ID_LEN + 1];
  int n = g_snprintf (line, sizeof line, "%c%s %c\n", sign, pr_id_format (id, text), kind);

  if (write (STDOUT_FILENO, line, (gsize) n) != n)
    _exit (1);
}

static void put_next (PrStore *store);

static void
on_removed (const GError *error, gpointer user_data)
{
  put_next (user_data);
}

static void
on_stored (const GError *error, gpointer user_data)
{
  Put *self = user_data;
  PrStore *store = self->store;
  guint index = 0;

  if (error == NULL)
    tell ('+', self->message->id, self->kind);
  if (error == NULL && g_random_int_range (0, 3) == 0)
    {
      tell ('-', self->message->id, self->kind);
      pr_store_record (store, self->message, &index, 1, NULL, 0, TRUE, on_removed, store);
    }
  else
    put_next (store);
  pr_message_unref (self->message);
  g_free (self);
}

static void
put_next (PrStore *store)
{
  Put *self = g_new0 (Put, 1);
  g_autofree char *body = NULL;
  PrSpool *spool;

  self->store = store;
  self->kind = g_random_int_range (0, 8) == 0 ? 's' : 'i';
  self->message = make_message (store, "a@x.org", "b@y.org", "out", NULL);
  body = make_body (self->message->id, self->kind);
  spool = pr_spool_new (store, self->message->id, NULL, NULL);
  pr_spool_append (spool, body, strlen (body));
  pr_spool_finish (spool, self->message);
  pr_store_put (store, self->message, NULL, on_stored, self);
}

static int
run_child (const char *home)
{
  PrStore *store = pr_store_open (home, NULL, NULL);

  if (store == NULL)
    return 1;

  for (guint i = 0; i < N_AT_ONCE; i++)
    put_next (store);
  for (;;)
    g_main_context_iteration (NULL, TRUE);
}

/* ── The parent ───────────────────────────────────────────────────────────────────────────── */

static const char *program;

/* What the pipe says until it ends. */
static void
read_all (int fd, GString *out)
{
  char buffer[4096];
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0)
      g_string_append_len (out, buffer, n);
}

/* Starts a child, kills it, and gives what it told. */
static char *
run_and_kill (const char *home)
{
  const char *argv[] = { program, "--child", home, NULL };
  GString *told = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  int out, status;
  GPid pid;

  g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                            NULL, &out, NULL, &error);
  g_assert_no_error (error);
  /* Some die while they open, some in the middle of many commits. */
  g_usleep ((gulong) g_test_rand_int_range (1, 250) * 1000);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  read_all (out, told);
  g_close (out, NULL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status)); /* it had not ended by itself */
  g_spawn_close_pid (pid);

  return g_string_free (told, FALSE);
}

/* Takes the lines into @expected: id → kind. A line without its end was never said. */
static void
take_told (const char *told, GHashTable *expected, GHashTable *fresh)
{
  g_auto (GStrv) lines = g_strsplit (told, "\n", -1);

  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (lines[i] + 1, " ", 2);
      gint64 id;

      g_assert_true (pr_id_parse (parts[0], &id));
      if (lines[i][0] == '+')
        {
          g_hash_table_insert (expected, g_memdup2 (&id, sizeof id), GINT_TO_POINTER (parts[1][0]));
          g_hash_table_insert (fresh, g_memdup2 (&id, sizeof id), GINT_TO_POINTER (parts[1][0]));
        }
      else
        {
          g_hash_table_remove (expected, &id);
          g_hash_table_remove (fresh, &id);
        }
    }
}

static GHashTable *
load_ids (PrStore *store)
{
  GHashTable *ids = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  gint64 after = 0;

  for (;;)
    {
      g_auto (Answer) answer = { 0 };

      pr_store_list_ids (store, NULL, after, 10000, on_ids, &answer);
      wait_for (&answer.done, "ids");
      g_assert_no_error (answer.error);
      if (answer.ids->len == 0)
        return ids;
      for (guint i = 0; i < answer.ids->len; i++)
        {
          after = g_array_index (answer.ids, gint64, i);
          g_hash_table_add (ids, g_memdup2 (&after, sizeof after));
        }
    }
}

static void
check_body (PrStore *store, gint64 id, char kind)
{
  g_autoptr (PrMessage) message = get (store, id);
  g_autofree char *expected = make_body (id, kind), *body = NULL;

  g_assert_nonnull (message);
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_QUEUED);
  body = read_body (store, message, 0, 1024 * 1024, TRUE);
  g_assert_true (g_str_equal (body, expected));
}

static void
check_queue (const char *home, GHashTable *expected, GHashTable *fresh)
{
  PrStore *store = open_store (home);
  g_autoptr (GHashTable) ids = load_ids (store);
  GHashTableIter iter;
  gpointer id, kind;

  g_assert_cmpuint (get_counts (store).n_messages, ==, g_hash_table_size (ids));
  g_assert_cmpuint (get_counts (store).n_queued, ==, g_hash_table_size (ids));
  g_hash_table_iter_init (&iter, expected);
  while (g_hash_table_iter_next (&iter, &id, &kind))
    if (!g_hash_table_contains (ids, id))
      g_error ("an acknowledged message is lost");
  g_hash_table_iter_init (&iter, fresh);
  while (g_hash_table_iter_next (&iter, &id, &kind))
    check_body (store, *(gint64 *) id, (char) GPOINTER_TO_INT (kind));
  pr_store_close (store);
}

static void
test_kill (void)
{
  g_autofree char *home = make_home ();
  g_autoptr (GHashTable) expected =
    g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  for (guint i = 0; i < N_KILLS; i++)
    {
      g_autofree char *told = run_and_kill (home);
      g_autoptr (GHashTable) fresh =
        g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

      take_told (told, expected, fresh);
      check_queue (home, expected, fresh);
    }
  g_test_message ("%u acknowledged messages after %d kills", g_hash_table_size (expected), N_KILLS);
  g_assert_cmpuint (g_hash_table_size (expected), >, N_KILLS);
  remove_tree (home);
}

int
main (int argc, char *argv[])
{
  if (argc == 3 && g_str_equal (argv[1], "--child"))
    return run_child (argv[2]);

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  program = argv[0];
  g_test_add_func ("/crash/kill", test_kill);

  return g_test_run ();
}
