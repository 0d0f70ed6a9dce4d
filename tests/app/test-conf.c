/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Editing postroom.conf. */
#include <string.h>

#include "control/conf.h"

static const char file[] = "# mine\n"
                           "[server]\n"
                           "hostname=a.test # really\n"
                           "\n"
                           "# the scanner\n"
                           "[user scanner]\n"
                           " secret = old\n"
                           "senders=*@a.test\n"
                           "\n"
                           "# out\n"
                           "[route out]\n"
                           "via=mx\n";

#define assert_text(call, expected)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *text = call;                                                                  \
    g_assert_cmpstr (text, ==, expected);                                                          \
  }                                                                                                \
  G_STMT_END

static void
test_set (void)
{
  assert_text (pr_conf_set ("", "user a", "secret", "x"), "[user a]\nsecret=x\n");
  assert_text (pr_conf_set ("[server]", "user a", "secret", "x"),
               "[server]\n\n[user a]\nsecret=x\n");
  assert_text (pr_conf_set ("[server]\n", "user a", "secret", "x"),
               "[server]\n\n[user a]\nsecret=x\n");
  assert_text (pr_conf_set ("[user a]\n[user b]\n", "user a", "secret", "x"),
               "[user a]\nsecret=x\n[user b]\n");
  assert_text (pr_conf_set (file, "user scanner", "secret", "new"),
               "# mine\n[server]\nhostname=a.test # really\n\n# the scanner\n[user scanner]\n"
               "secret=new\nsenders=*@a.test\n\n# out\n[route out]\nvia=mx\n");
  /* A key of the same name in another group is another key. */
  assert_text (pr_conf_set ("[a]\nk=1\n[b]\nk=2\n", "b", "k", "3"), "[a]\nk=1\n[b]\nk=3\n");
  assert_text (pr_conf_set ("[a]\n#k=1\n", "a", "k", "3"), "[a]\nk=3\n#k=1\n");
}

static void
test_remove (void)
{
  assert_text (pr_conf_remove (file, "user nobody"), NULL);
  assert_text (pr_conf_remove (file, "user"), NULL);
  assert_text (pr_conf_remove ("", "user a"), NULL);
  assert_text (pr_conf_remove ("[user a]\nsecret=x\n", "user a"), "");
  assert_text (pr_conf_remove ("[server]\n\n[user a]\nsecret=x\n", "user a"), "[server]\n\n");
  assert_text (pr_conf_remove (file, "user scanner"),
               "# mine\n[server]\nhostname=a.test # really\n\n# the scanner\n\n# out\n"
               "[route out]\nvia=mx\n");
  assert_text (pr_conf_remove ("[ a ]\nx=1\n[b]\n", " a "), "[b]\n");
}

static void
test_unset (void)
{
  assert_text (pr_conf_unset (file, "route out", "tls"), file);
  assert_text (pr_conf_unset (file, "route in", "via"), file);
  assert_text (pr_conf_unset ("[a]\nk=1\n[b]\n#k=0\nk = 2\nl=3\n", "b", "k"),
               "[a]\nk=1\n[b]\n#k=0\nl=3\n");
}

static void
test_rename (void)
{
  assert_text (pr_conf_rename (file, "route in", "route other"), NULL);
  assert_text (pr_conf_rename (file, "route out", "server"), NULL);
  assert_text (pr_conf_rename ("# c\n[a]\nk=1\n", "a", "b"), "# c\n[b]\nk=1\n");
}

static void
test_move (void)
{
  static const char three[] = "[s]\nx=1\n\n# first\n[a]\nk=1\n\n[b]\nk=2\n\n# third\n[c]\nk=3\n";

  assert_text (pr_conf_move (three, "nobody", "a"), NULL);
  assert_text (pr_conf_move (three, "a", "nobody"), NULL);
  assert_text (pr_conf_move (three, "a", "a"), three);
  assert_text (pr_conf_move (three, "a", "b"), three);
  assert_text (pr_conf_move (three, "c", NULL), three);
  assert_text (pr_conf_move (three, "c", "a"),
               "[s]\nx=1\n\n# third\n[c]\nk=3\n\n# first\n[a]\nk=1\n\n[b]\nk=2\n");
  assert_text (pr_conf_move (three, "a", "c"),
               "[s]\nx=1\n\n[b]\nk=2\n\n# first\n[a]\nk=1\n\n# third\n[c]\nk=3\n");
  assert_text (pr_conf_move (three, "a", NULL),
               "[s]\nx=1\n\n[b]\nk=2\n\n# third\n[c]\nk=3\n\n# first\n[a]\nk=1\n");
  assert_text (pr_conf_move ("[a]\nk=1\n[b]\nk=2", "b", "a"), "[b]\nk=2\n\n[a]\nk=1\n");
  assert_text (pr_conf_move ("[a]\nk=1\n[b]\nk=2", "a", NULL), "[b]\nk=2\n\n[a]\nk=1\n");
}

static void
test_names (void)
{
  g_assert_true (pr_conf_is_name ("scanner"));
  g_assert_true (pr_conf_is_name ("hp scanner 2"));
  g_assert_true (pr_conf_is_name ("grün"));
  g_assert_false (pr_conf_is_name (""));
  g_assert_false (pr_conf_is_name (" a"));
  g_assert_false (pr_conf_is_name ("a]\n[access"));
  g_assert_false (pr_conf_is_name ("a\tb"));
  g_assert_false (pr_conf_is_name ("\xff"));
}

/* What is written is read back as it was. */
static void
test_escape (void)
{
  static const char *const values[] = { "plain", " blanks ", "back\\slash", "tab\tin it", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GKeyFile) key_file = g_key_file_new ();
      g_autofree char *escaped = pr_conf_escape (values[i]);
      g_autofree char *text = pr_conf_set ("", "g", "k", escaped);
      g_autofree char *value = NULL;

      g_assert_true (g_key_file_load_from_data (key_file, text, strlen (text), 0, NULL));
      value = g_key_file_get_string (key_file, "g", "k", NULL);
      g_assert_cmpstr (value, ==, values[i]);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/conf/set", test_set);
  g_test_add_func ("/conf/remove", test_remove);
  g_test_add_func ("/conf/unset", test_unset);
  g_test_add_func ("/conf/rename", test_rename);
  g_test_add_func ("/conf/move", test_move);
  g_test_add_func ("/conf/names", test_names);
  g_test_add_func ("/conf/escape", test_escape);
  return g_test_run ();
}
