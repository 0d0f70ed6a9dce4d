/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/maildir.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"

static const char *const nobody[] = { NULL };
static const char *const people[] = { "b@example.net", "c@example.net", NULL };

/* The names in a folder; 0 where there is none. @path: (out): of one of them. */
static guint
count_files (const char *maildir, const char *sub, char **path)
{
  g_autofree char *folder = g_build_filename (maildir, sub, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  if (dir == NULL)
    return 0;
  for (const char *name; (name = g_dir_read_name (dir)) != NULL; n++)
    if (path != NULL)
      {
        g_free (*path);
        *path = g_build_filename (folder, name, NULL);
      }
  return n;
}

static void
empty (const char *maildir)
{
  g_autofree char *path = NULL;

  while (count_files (maildir, "new", &path) > 0)
    g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
assert_delivered (const PrMaildirMessage *message, const char *expected, gsize len)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL, *text = NULL;
  gsize n;
  GStatBuf st;

  g_assert_true (pr_maildir_deliver (message, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_files (message->folder, "tmp", NULL), ==, 0);
  g_assert_cmpuint (count_files (message->folder, "cur", NULL), ==, 0);
  g_assert_cmpuint (count_files (message->folder, "new", &path), ==, 1);
  g_assert_true (g_file_get_contents (path, &text, &n, NULL));
  g_assert_cmpmem (text, n, expected, len);
  g_assert_cmpint (g_stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0600);
}

static void
test_deliver (void)
{
  static const struct
  {
    const char *in, *out;
  } cases[] = {
    { "", "" },
    { "Subject: x\r\n\r\nText\r\n", "Subject: x\n\nText\n" },
    { "no end", "no end" },
    { "a\rb\r\r\nc\nd\r", "a\rb\r\nc\nd\r" },
    { "\r\n\r\n", "\n\n" },
  };
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "deep", "er", NULL);
  g_autofree char *spool = g_build_filename (g_get_user_data_dir (), "spool", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new_static (cases[i].in, strlen (cases[i].in));
      g_autofree char *expected =
        g_strdup_printf ("Return-Path: <a@example.org>\nDelivered-To: b@example.net\n"
                         "Delivered-To: c@example.net\n%s",
                         cases[i].out);
      PrMaildirMessage message = { folder, "relay.example.org", "a@example.org", people, bytes };

      assert_delivered (&message, expected, strlen (expected));
      empty (folder);

      g_assert_true (g_file_set_contents (spool, cases[i].in, -1, NULL));
      message.bytes = NULL;
      message.path = spool;
      assert_delivered (&message, expected, strlen (expected));
      empty (folder);
    }
}

/* Larger than a piece, with line ends on every border of the pieces. */
static void
test_large (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "Maildir", NULL);
  g_autofree char *spool = g_build_filename (g_get_user_data_dir (), "spool", NULL);

  for (guint shift = 0; shift < 3; shift++)
    {
      g_autoptr (GString) in = g_string_new (NULL);
      g_autoptr (GString) out = g_string_new ("Return-Path: <>\n");
      g_autoptr (GBytes) bytes = NULL;
      PrMaildirMessage message = { folder, "a/b:c", "", nobody };

      for (guint i = 0; i < shift; i++)
        {
          g_string_append_c (in, '\0');
          g_string_append_c (out, '\0');
        }
      while (in->len < 600 * 1024)
        {
          g_string_append (in, "\r\n\rx");
          g_string_append (out, "\n\rx");
        }
      bytes = g_bytes_new (in->str, in->len);
      message.bytes = bytes;
      assert_delivered (&message, out->str, out->len);
      empty (folder);

      g_assert_true (g_file_set_contents (spool, in->str, in->len, NULL));
      message.bytes = NULL;
      message.path = spool;
      assert_delivered (&message, out->str, out->len);
      empty (folder);
    }
}

static void
test_names (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "Maildir", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x\r\n", 3);
  PrMaildirMessage message = { folder, "a/b:c", "", nobody, bytes };
  g_autofree char *path = NULL;

  for (guint i = 0; i < 100; i++)
    g_assert_true (pr_maildir_deliver (&message, NULL));
  g_assert_cmpuint (count_files (folder, "new", &path), ==, 100);
  g_assert_true (g_str_has_suffix (path, ".a\\057b\\072c"));
  empty (folder);
}

/* Nothing of a message that failed is left, and the error says what and where. */
static void
test_failures (void)
{
  g_autofree char *file = g_build_filename (g_get_user_data_dir (), "file", NULL);
  g_autofree char *below = g_build_filename (file, "Maildir", NULL);
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "Maildir", NULL);
  g_autofree char *sub = g_build_filename (folder, "new", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x\r\n", 3);
  g_autoptr (GError) no_folder = NULL, no_source = NULL, no_new = NULL;
  PrMaildirMessage message = { below, "host", "", nobody, bytes };

  g_assert_cmpint (g_mkdir_with_parents (g_get_user_data_dir (), 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  g_assert_false (pr_maildir_deliver (&message, &no_folder));
  g_assert_error (no_folder, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_nonnull (strstr (no_folder->message, below));

  message = (PrMaildirMessage){ folder, "host", "", nobody, NULL, "/nowhere/at/all" };
  g_assert_false (pr_maildir_deliver (&message, &no_source));
  g_assert_error (no_source, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_nonnull (strstr (no_source->message, "/nowhere/at/all"));
  g_assert_cmpuint (count_files (folder, "tmp", NULL), ==, 0);

  /* A folder as source can be opened but not read. */
  message.path = folder;
  g_assert_false (pr_maildir_deliver (&message, NULL));
  g_assert_cmpuint (count_files (folder, "tmp", NULL), ==, 0);
  g_assert_cmpuint (count_files (folder, "new", NULL), ==, 0);

  g_assert_cmpint (g_rmdir (sub), ==, 0);
  g_assert_true (g_file_set_contents (sub, "x", 1, NULL));
  message.bytes = bytes;
  g_assert_false (pr_maildir_deliver (&message, &no_new));
  g_assert_error (no_new, PR_ERROR, PR_ERROR_TEMPORARY);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/maildir/deliver", test_deliver);
  g_test_add_func ("/maildir/large", test_large);
  g_test_add_func ("/maildir/names", test_names);
  g_test_add_func ("/maildir/failures", test_failures);
  return g_test_run ();
}
