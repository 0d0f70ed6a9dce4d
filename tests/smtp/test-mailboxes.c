/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/mailboxes.h"

/* @found: separated by blanks; NULL: the field is not right. */
static const struct
{
  const char *value, *found;
} cases[] = {
  { "", "" },
  { "  ", "" },
  { "a@b.example", "a@b.example" },
  { "<a@b.example>", "a@b.example" },
  { "A B <a@B.example>, c@d.example", "a@b.example c@d.example" },
  { "J. Q. Public <a@b.example>", "a@b.example" },
  { "\"x@y.example, z\" <a@b.example>", "a@b.example" },
  { "\"a \\\" @\" <a@b.example>", "a@b.example" },
  { "=?utf-8?q?x=40y?= <a@b.example>", "a@b.example" },
  { "P\xc3\xa4ul <a@b.example>", "a@b.example" },
  { "a@b.example (me, c@d.example (really)), e@f.example", "a@b.example e@f.example" },
  { "a@b.example (\\( open)", "a@b.example" },
  { "\"a b\"@b.example", "\"a b\"@b.example" },
  { "\"a>b\"@b.example", "\"a>b\"@b.example" },
  { "<\"a>b\"@b.example>", "\"a>b\"@b.example" },
  { "a@[192.0.2.1]", "a@[192.0.2.1]" },
  { "undisclosed-recipients:;", "" },
  { "team: a@b.example, C <c@d.example>; , e@f.example", "a@b.example c@d.example e@f.example" },
  { "a@b.example,,c@d.example,", "a@b.example c@d.example" },
  { "\ta@b.example\t", "a@b.example" },
  /* What one program reads so and another otherwise. */
  { "a", NULL },
  { "a@", NULL },
  { "@b.example", NULL },
  { "a@b.example c@d.example", NULL },
  { "a@b.example <c@d.example>", NULL },
  { "<a@b.example> c@d.example", NULL },
  { "<a@b.example> <c@d.example>", NULL },
  { "<a@b.example", NULL },
  { "a@b.example>", NULL },
  { "<<a@b.example>>", NULL },
  { "<@x.example:a@b.example>", NULL },
  { "<a@b.example, c@d.example>", NULL },
  { "a@b.example; c@d.example", NULL },
  { "x: a@b.example", NULL },
  { "x: y: a@b.example;;", NULL },
  { ": a@b.example;", NULL },
  { "\"a@b.example", NULL },
  { "(a@b.example", NULL },
  { "a@b.example)", NULL },
  { "a\\@b.example", NULL },
  { "a@[192.0.2.1", NULL },
  { "a@b.example\r\nBcc: c@d.example", NULL },
  { "a@b.example\001", NULL },
};

static void
test_parse (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
      gboolean ok = pr_mailboxes_parse (cases[i].value, found);
      g_autofree char *list = NULL;

      g_test_message ("%s", cases[i].value);
      g_assert_cmpint (ok, ==, cases[i].found != NULL);
      g_ptr_array_add (found, NULL);
      list = g_strjoinv (" ", (char **) found->pdata);
      if (ok)
        g_assert_cmpstr (list, ==, cases[i].found);
    }
}

/* A field of nothing but openings, or of any length, costs no more than its octets. */
static void
test_hostile (void)
{
  static const char openings[] = "(\"<[:;,\\@";

  for (gsize i = 0; i < sizeof openings - 1; i++)
    {
      g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
      g_autofree char *value = g_strnfill (200000, openings[i]);

      g_assert_cmpint (pr_mailboxes_parse (value, found), ==, openings[i] == ',');
    }
}

static void
test_key (void)
{
  static const char *const same[][2] = {
    { "Bob@b.example", "bob@b.example" },
    { "a@b\xc3\xbc"
      "cher.example",
      "a@xn--bcher-kva.example" },
    { "\xc3\x84@b.example", "\xc3\xa4@b.example" },
  };
  g_autofree char *other = pr_mailbox_key ("bob+x@b.example");

  for (gsize i = 0; i < G_N_ELEMENTS (same); i++)
    {
      g_autofree char *first = pr_mailbox_key (same[i][0]);
      g_autofree char *second = pr_mailbox_key (same[i][1]);

      g_assert_cmpstr (first, ==, second);
      g_assert_cmpstr (first, !=, other);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/mailboxes/parse", test_parse);
  g_test_add_func ("/mailboxes/hostile", test_hostile);
  g_test_add_func ("/mailboxes/key", test_key);
  return g_test_run ();
}
