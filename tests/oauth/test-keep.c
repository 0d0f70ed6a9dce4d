/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk that is a folder where a file should be cannot be written. */
#include "oauth/keep.h"

#include <glib/gstdio.h>

#include "common/error.h"
#include "config/secrets.h"
#include "wait.h"

#define SOON_MS 20
#define NEVER_MS (3600 * 1000)

typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  char *folder, *credentials;
  PrKeep *keep;
  GString *told; /* what happened, a blank behind each */
  guint n_unkept;
} Fixture;

static void
on_told (const char *route, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  f->n_unkept += error != NULL;
  if (error == NULL)
    g_string_append_printf (f->told, "%s-is-kept ", route);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->context = g_main_context_default ();
  f->loop = pr_loop_new (f->context);
  f->folder = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  f->credentials = g_build_filename (f->folder, "credentials", NULL);
  f->told = g_string_new (NULL);
  f->keep = pr_keep_new (f->loop, f->credentials, GPOINTER_TO_UINT (data), on_told, f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pr_keep_free (f->keep);
  pr_loop_free (f->loop);
  g_unlink (f->credentials);
  g_rmdir (f->credentials);
  g_rmdir (f->folder);
  g_string_free (f->told, TRUE);
  g_free (f->credentials);
  g_free (f->folder);
}

static void
on_read (PrToken *token, char *client_secret, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_string_append_printf (f->told, "read:%s ",
                          error != NULL   ? "error"
                          : token == NULL ? "nothing"
                                          : token->access);
  pr_token_free (token);
  pr_secret_free (client_secret);
}

static void
on_written (const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_string_append (f->told, error == NULL ? "written " : "unwritten ");
}

static void
put (Fixture *f, const char *access)
{
  g_autoptr (PrToken) token = pr_token_new ();

  token->access = g_strdup (access);
  pr_keep_write (f->keep, "r", token, on_written, f);
}

#define wait_told(f, text)                                                                         \
  wait_for ((f)->context, g_str_equal ((f)->told->str, text), "this to be told: " text)

/* What the disk has of route r: the access token. */
static char *
look (Fixture *f)
{
  g_autoptr (PrToken) token = NULL;
  char *text = pr_secrets_get (f->credentials, "r", PR_SECRET_TOKEN, NULL);

  if (text != NULL)
    token = pr_token_from_text (text);
  pr_secret_free (text);
  return token != NULL ? g_strdup (token->access) : NULL;
}

static void
assert_on_disk (Fixture *f, const char *access)
{
  g_autofree char *there = look (f);

  g_assert_cmpstr (there, ==, access);
}

/* Who asks last gets what was written last, whatever the threads do. */
static void
test_order (Fixture *f, gconstpointer data)
{
  pr_keep_read (f->keep, "r", on_read, f);
  put (f, "a");
  pr_keep_read (f->keep, "r", on_read, f);
  wait_told (f, "written read:a read:a ");
  g_string_truncate (f->told, 0);
  put (f, "b");
  put (f, "c");
  pr_keep_read (f->keep, "r", on_read, f);
  wait_told (f, "written written read:c ");
  g_string_truncate (f->told, 0);
  pr_keep_write (f->keep, "r", NULL, on_written, f);
  pr_keep_read (f->keep, "r", on_read, f);
  wait_told (f, "written read:nothing ");
  g_assert_cmpuint (f->n_unkept, ==, 0);
}

static void
test_forget (Fixture *f, gconstpointer data)
{
  pr_keep_forget (f->keep, "r", f);
  pr_keep_read (f->keep, "r", on_read, f);
  pr_keep_forget (f->keep, "r", f);
  put (f, "a");
  wait_told (f, "written ");
}

static void
test_again (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_mkdir (f->credentials, 0700), ==, 0);
  put (f, "a");
  wait_told (f, "unwritten ");
  g_assert_nonnull (pr_keep_get_fault (f->keep, "r"));
  wait_for (f->context, f->n_unkept >= 3, "two more tries");
  g_assert_cmpint (g_rmdir (f->credentials), ==, 0);
  wait_told (f, "unwritten r-is-kept ");
  g_assert_null (pr_keep_get_fault (f->keep, "r"));
  assert_on_disk (f, "a");
}

static void
test_read_unwritten (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_mkdir (f->credentials, 0700), ==, 0);
  put (f, "a");
  wait_told (f, "unwritten ");
  g_assert_cmpint (g_rmdir (f->credentials), ==, 0);
  pr_keep_read (f->keep, "r", on_read, f);
  wait_told (f, "unwritten read:a ");
  g_assert_nonnull (pr_keep_get_fault (f->keep, "r"));
  assert_on_disk (f, NULL);
  put (f, "b"); /* need not wait for its turn */
  wait_told (f, "unwritten read:a r-is-kept written ");
  assert_on_disk (f, "b");
}

static void
test_last_chance (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_mkdir (f->credentials, 0700), ==, 0);
  put (f, "a");
  wait_told (f, "unwritten ");
  g_assert_cmpint (g_rmdir (f->credentials), ==, 0);
  g_clear_pointer (&f->keep, pr_keep_free);
  assert_on_disk (f, "a");
  g_assert_cmpstr (f->told->str, ==, "unwritten ");
  g_assert_null (f->keep);
}

/* One that runs, and another behind it. */
static void
test_end (Fixture *f, gconstpointer data)
{
  put (f, "a");
  pr_keep_read (f->keep, "r", on_read, f);
  put (f, "b");
  g_clear_pointer (&f->keep, pr_keep_free);
  g_assert_cmpstr (f->told->str, ==, "unwritten unwritten ");
  assert_on_disk (f, "b");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, again_ms)                                                                        \
  g_test_add ("/keep/" #name, Fixture, GUINT_TO_POINTER (again_ms), set_up, test_##name, tear_down)
  ADD (order, NEVER_MS);
  ADD (forget, NEVER_MS);
  ADD (again, SOON_MS);
  ADD (read_unwritten, NEVER_MS);
  ADD (last_chance, NEVER_MS);
  ADD (end, NEVER_MS);
  return g_test_run ();
}
