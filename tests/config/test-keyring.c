/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/keyring.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "common/error.h"
#include "common/module.h"

/* The program is a script here: what it does with what it is told is the test's. */
typedef struct
{
  char *dir, *program, *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer script)
{
  g_autofree char *text = g_strdup_printf ("#!/bin/sh\n%s\n", (const char *) script);

  f->dir = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  f->program = g_build_filename (f->dir, "postroom-keyring", NULL);
  f->path = g_build_filename (f->dir, "credentials", NULL);
  g_assert_true (
    g_file_set_contents_full (f->program, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
  pr_module_set_folder (f->dir);
  g_setenv ("POSTROOM_TEST_FOLDER", f->dir, TRUE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *said = g_build_filename (f->dir, "said", NULL);

  pr_module_set_folder (NULL);
  g_unlink (said);
  g_unlink (f->program);
  g_unlink (f->path);
  g_rmdir (f->dir);
  g_free (f->dir);
  g_free (f->program);
  g_free (f->path);
}

static void
assert_found (const char *expected)
{
  g_autoptr (GError) error = NULL;
  char *secret = NULL;

  g_assert_cmpint (pr_keyring_get ("/h", "out", "password", &secret, &error), ==, PR_KEYRING_DONE);
  g_assert_no_error (error);
  g_assert_cmpstr (secret, ==, expected);
  pr_secret_free (secret);
}

static void
assert_failed (const char *words)
{
  g_autoptr (GError) error = NULL;
  char *secret = NULL;

  g_assert_cmpint (pr_keyring_get ("/h", "out", "password", &secret, &error), ==,
                   PR_KEYRING_FAILED);
  g_assert_error (error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_null (secret);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

/* A store made of one file. */
#define FILE_STORE                                                                                 \
  "f=\"$POSTROOM_TEST_FOLDER/said\"; [ \"$2 $3 $4\" = '/h out password' ] || exit 64\n"            \
  "case $1 in set) cat > \"$f\" ;; get) [ -e \"$f\" ] || exit 1; cat \"$f\" ;;"                    \
  " clear) rm \"$f\" ;; esac"

static void
test_round_trip (Fixture *f, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (PR_SECRET_MAX_OCTETS, 'x');
  const char *secrets[] = { "x", "two\nlines\n", "pässwörd", "", longest };
  g_autoptr (GError) error = NULL;

  assert_found (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (secrets); i++)
    {
      g_assert_cmpint (pr_keyring_set ("/h", "out", "password", secrets[i], &error), ==,
                       PR_KEYRING_DONE);
      g_assert_no_error (error);
      assert_found (secrets[i]);
    }
  g_assert_cmpint (pr_keyring_set ("/h", "out", "password", NULL, &error), ==, PR_KEYRING_DONE);
  assert_found (NULL);
}

static void
test_failed (Fixture *f, gconstpointer data)
{
  assert_failed ("The keyring of the desktop: ");
}

static void
test_locked (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) writing = NULL;

  assert_failed ("it is locked");
  /* Both stores are named, and no copy goes into the other one. */
  g_assert_null (pr_secrets_get (f->path, "out", PR_SECRET_TOKEN, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_nonnull (strstr (error->message, "it is locked"));
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_false (pr_secrets_set (f->path, "out", PR_SECRET_TOKEN, "hunter2", &writing));
  g_assert_error (writing, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_null (strstr (writing->message, "hunter2"));
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

static void
test_none (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  char *secret = NULL;

  g_assert_cmpint (pr_keyring_get ("/h", "out", "password", &secret, &error), ==, PR_KEYRING_NONE);
  g_assert_no_error (error);
  g_assert_true (pr_secrets_set (f->path, "out", PR_SECRET_PASSWORD, "x", &error));
  g_assert_true (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

/* It ends before it has read what it is told. */
static void
test_deaf (Fixture *f, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (PR_SECRET_MAX_OCTETS, 'x');
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (pr_keyring_set ("/h", "out", "password", longest, &error), ==,
                   PR_KEYRING_FAILED);
  g_assert_error (error, PR_ERROR, PR_ERROR_TEMPORARY);
}

static void
test_not_a_program (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_chmod (f->program, 0600), ==, 0);
  assert_failed ("The keyring of the desktop: ");
}

/* The real program, with libsecret's own store in a file: no bus, no desktop. */
static void
test_libsecret (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_BUILT, "..", "app", NULL);
  g_autofree char *program = g_build_filename (folder, "postroom-keyring", NULL);
  g_autofree char *store = g_build_filename (f->dir, "said", NULL);

  if (!g_file_test (program, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("built without libsecret");
      return;
    }
  pr_module_set_folder (folder);
  g_setenv ("SECRET_BACKEND", "file", TRUE);
  g_setenv ("SECRET_FILE_TEST_PATH", store, TRUE);
  g_setenv ("SECRET_FILE_TEST_PASSWORD", "x", TRUE);
  test_round_trip (f, NULL);
  g_unsetenv ("SECRET_BACKEND");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  signal (SIGPIPE, SIG_IGN); /* as the service does */
#define ADD(path, script, func) g_test_add (path, Fixture, script, set_up, func, tear_down)
  ADD ("/keyring/round-trip", FILE_STORE, test_round_trip);
  ADD ("/keyring/locked", "printf 'it is locked'; exit 75", test_locked);
  ADD ("/keyring/none", "exit 69", test_none);
  ADD ("/keyring/failed/words", "printf '\\377\\376'; yes | head -c 5000; exit 75", test_failed);
  ADD ("/keyring/failed/code", "exit 3", test_failed);
  ADD ("/keyring/failed/signal", "kill -ALRM $$", test_failed);
  ADD ("/keyring/failed/no-text", "printf '\\377'", test_failed);
  ADD ("/keyring/failed/octet-0", "printf 'a\\000b'", test_failed);
  ADD ("/keyring/failed/endless", "exec yes", test_failed);
  ADD ("/keyring/failed/deaf", "exit 3", test_deaf);
  ADD ("/keyring/failed/not-a-program", "exit 0", test_not_a_program);
  ADD ("/keyring/libsecret", "exit 64", test_libsecret);
#undef ADD
  return g_test_run ();
}
