/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/secrets.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"

typedef struct
{
  char *dir, *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "credentials", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unlink (f->path);
  g_rmdir (f->dir);
  g_free (f->path);
  g_free (f->dir);
}

static void
assert_password (Fixture *f, const char *route, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char *password = pr_secrets_get (f->path, route, PR_SECRET_PASSWORD, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (password, ==, expected);
  pr_secret_free (password);
}

static void
set_password (Fixture *f, const char *route, const char *password)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pr_secrets_set (f->path, route, PR_SECRET_PASSWORD, password, &error));
  g_assert_no_error (error);
}

static void
test_round_trip (Fixture *f, gconstpointer data)
{
  static const char *const passwords[] = {
    "x",     " blanks around ", "semi;colon", "back\\slash", "[bracket]",
    "#hash", "pässwörd",        "a=b",        "\ttab\t",     ""
  };
  GStatBuf status;

  assert_password (f, "provider", NULL); /* no file yet */
  for (gsize i = 0; i < G_N_ELEMENTS (passwords); i++)
    {
      set_password (f, "provider", passwords[i]);
      assert_password (f, "provider", passwords[i]);
    }
  set_password (f, "second route", "other");
  assert_password (f, "second route", "other");
  assert_password (f, "third", NULL);
  set_password (f, "provider", NULL);
  set_password (f, "never there", NULL);
  assert_password (f, "provider", NULL);
  assert_password (f, "second route", "other");
  g_assert_cmpint (g_stat (f->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  pr_secret_free (NULL);
}

static void
test_wipe (Fixture *f, gconstpointer data)
{
  char text[] = "hunter2 and more";

  pr_secret_wipe (text, 7);
  g_assert_cmpmem (text, sizeof text, "\0\0\0\0\0\0\0 and more", sizeof text);
}

static void
set_secret (Fixture *f, PrSecretKind kind, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pr_secrets_set (f->path, "provider", kind, text, &error));
  g_assert_no_error (error);
}

static void
assert_secret (Fixture *f, PrSecretKind kind, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char *text = pr_secrets_get (f->path, "provider", kind, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
  pr_secret_free (text);
}

/* Each kind comes and goes alone. */
static void
test_kinds (Fixture *f, gconstpointer data)
{
  static const char record[] = "{\n  \"refresh\": \"1//x;y\",\n  \"until\": 17\n}\n";
  g_autofree char *file = NULL;

  set_secret (f, PR_SECRET_PASSWORD, "pass");
  set_secret (f, PR_SECRET_TOKEN, record);
  set_secret (f, PR_SECRET_CLIENT_SECRET, "client");
  assert_secret (f, PR_SECRET_PASSWORD, "pass");
  assert_secret (f, PR_SECRET_TOKEN, record);
  assert_secret (f, PR_SECRET_CLIENT_SECRET, "client");
  set_secret (f, PR_SECRET_PASSWORD, NULL);
  assert_secret (f, PR_SECRET_PASSWORD, NULL);
  assert_secret (f, PR_SECRET_TOKEN, record);
  set_secret (f, PR_SECRET_TOKEN, NULL);
  set_secret (f, PR_SECRET_CLIENT_SECRET, NULL);
  g_assert_true (g_file_get_contents (f->path, &file, NULL, NULL));
  g_assert_null (strstr (file, "provider")); /* no empty group stays */
}

static void
test_too_long (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strnfill (PR_SECRET_MAX_OCTETS + 1, 'x');
  g_autoptr (GError) error = NULL;

  g_assert_false (pr_secrets_set (f->path, "provider", PR_SECRET_TOKEN, text, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
  text[PR_SECRET_MAX_OCTETS] = '\0';
  set_secret (f, PR_SECRET_TOKEN, text);
  assert_secret (f, PR_SECRET_TOKEN, text);
}

#define N_THREADS 4
#define N_ROUNDS 20

static gpointer
write_many (gpointer data)
{
  Fixture *f = data;

  for (guint i = 0; i < N_ROUNDS; i++)
    {
      g_autofree char *route = g_strdup_printf ("%p-%u", (void *) g_thread_self (), i);

      set_password (f, route, "x");
    }
  return NULL;
}

/* None overwrites what another has just written. */
static void
test_threads (Fixture *f, gconstpointer data)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("writer", write_many, f);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_true (g_key_file_load_from_file (file, f->path, G_KEY_FILE_NONE, NULL));
  groups = g_key_file_get_groups (file, NULL);
  g_assert_cmpuint (g_strv_length (groups), ==, N_THREADS * N_ROUNDS);
}

static void
assert_refused (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_secrets_get (f->path, "provider", PR_SECRET_PASSWORD, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
  g_assert_null (strstr (error->message, "hunter2"));
}

static void
test_not_private (Fixture *f, gconstpointer data)
{
  set_password (f, "provider", "hunter2");
  g_assert_cmpint (g_chmod (f->path, 0640), ==, 0);
  assert_refused (f);
}

static void
test_wrong_file (Fixture *f, gconstpointer data)
{
  static const char *const wrong[] = { "hunter2", "[route provider]\nhunter2\n",
                                       "[route provider]\npassword=hunter2\\\n",
                                       "[route provider]\npassword=hunter2\xff\n" };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_true (
        g_file_set_contents_full (f->path, wrong[i], -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
      assert_refused (f);
    }
  /* What cannot be read is not overwritten. */
  g_assert_true (g_file_set_contents (f->path, "hunter2", -1, NULL));
  g_assert_cmpint (g_chmod (f->path, 0600), ==, 0);
  g_assert_false (pr_secrets_set (f->path, "provider", PR_SECRET_PASSWORD, "new", &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
}

static void
test_wrong_arguments (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "", "a]b", "a[b", "a\nb", "a\xff" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (pr_secrets_set (f->path, names[i], PR_SECRET_PASSWORD, "x", &error));
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
    }
  {
    g_autoptr (GError) error = NULL;

    g_assert_false (pr_secrets_set (f->path, "provider", PR_SECRET_PASSWORD, "\xff\xfe", &error));
    g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
  }
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/secrets/round-trip", Fixture, NULL, set_up, test_round_trip, tear_down);
  g_test_add ("/secrets/not-private", Fixture, NULL, set_up, test_not_private, tear_down);
  g_test_add ("/secrets/wrong-file", Fixture, NULL, set_up, test_wrong_file, tear_down);
  g_test_add ("/secrets/wrong-arguments", Fixture, NULL, set_up, test_wrong_arguments, tear_down);
  g_test_add ("/secrets/wipe", Fixture, NULL, set_up, test_wipe, tear_down);
  g_test_add ("/secrets/kinds", Fixture, NULL, set_up, test_kinds, tear_down);
  g_test_add ("/secrets/too-long", Fixture, NULL, set_up, test_too_long, tear_down);
  g_test_add ("/secrets/threads", Fixture, NULL, set_up, test_threads, tear_down);
  return g_test_run ();
}
