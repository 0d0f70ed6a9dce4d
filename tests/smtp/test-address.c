/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "smtp/address.h"

#include <string.h>

typedef struct
{
  const char *text;
  PrPathFlags flags;
  const char *address; /* NULL: refused */
  const char *rest;    /* behind the path; or a part of the fault */
} PathCase;

#define S PR_PATH_SENDER
#define R PR_PATH_RECIPIENT
#define L PR_PATH_LENIENT
#define LOCAL_64 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz12"
#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz1"

static const PathCase path_cases[] = {
  { "<a@b.example> SIZE=1", S, "a@b.example", " SIZE=1" },
  { "<A.b+C@B.Example>", S, "A.b+C@b.example", "" },
  { "<>", S, "", "" },
  { "<>", R, NULL, "no address" },
  { "< >", S, NULL, "" },
  { "< >", S | L, "", "" },
  { "<postmaster>", R, "postmaster", "" },
  { "<PostMaster>", R, "postmaster", "" },
  { "<postmaster>", S, NULL, "no @" },
  { "<root>", R, NULL, "no @" },
  { "a@b", S, NULL, "angle brackets" },
  { "a@b SIZE=1", S | L, "a@b", " SIZE=1" },
  { "a@b>", S | L, NULL, "Something follows" },
  { "", S | L, NULL, "angle brackets" },
  { "<a@b", S, NULL, "closing angle bracket" },
  { "<a@b c>", S, NULL, "Something follows" },
  { "< a@b >x", S | L, "a@b", "x" },
  { "<a@b>x", S, "a@b", "x" },
  { "<a@@b>", S, NULL, "letters, digits" },
  { "<a@b@c>", S, NULL, "letters, digits" },
  { "<@b>", S, NULL, "no colon" },
  { "<a@>", S, NULL, "no domain" },
  { "<a@.b>", S, NULL, "empty label" },
  { "<a@b..c>", S, NULL, "empty label" },
  { "<a@b.>", S, NULL, "empty label" },
  { "<a@b.>", S | L, "a@b", "" },
  { "<a@->", S, NULL, "hyphen" },
  { "<a@-b>", S, NULL, "hyphen" },
  { "<a@b-.c>", S, NULL, "hyphen" },
  { "<a@b_c.d>", S, NULL, "letters, digits" },
  { "<a@b_c.d>", S | L, "a@b_c.d", "" },
  { "<a@" LABEL_63 ".c>", S, "a@" LABEL_63 ".c", "" },
  { "<a@" LABEL_63 "x.c>", S, NULL, "longer than 63" },
  { "<" LOCAL_64 "@c>", S, LOCAL_64 "@c", "" },
  { "<" LOCAL_64 "x@c>", S, NULL, "longer than 64" },
  { "<x@" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ">", S, NULL, "longer than 254" },
  { "<x@" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ".x>", S, NULL, "longer than 255" },
  { "<.a@b>", S, NULL, "dot at its start" },
  { "<a.@b>", S, NULL, "dot at its start" },
  { "<a..b@c>", S, NULL, "two in a row" },
  { "<a..b@c>", S | L, "\"a..b\"@c", "" },
  { "<a b@c>", S, NULL, "no @" },
  { "<a,b@c>", S, NULL, "needs quotes" },
  { "<a,b@c>", S | L, "\"a,b\"@c", "" },
  { "<a\x01@c>", S, NULL, "control" },
  { "<a\x7f@c>", S | L, NULL, "control" },
  { "<\"a b\"@c>", S, "\"a b\"@c", "" },
  { "<\"plain\"@c>", S, "plain@c", "" },
  { "<\"pl\\ain\"@c>", S, "plain@c", "" },
  { "<\"\"@c>", S, "\"\"@c", "" },
  { "<\"a..b\"@c>", S, "\"a..b\"@c", "" },
  { "<\"a\\\"b\\\\c\"@c>", S, "\"a\\\"b\\\\c\"@c", "" },
  { "<\"a@evil.example\"@c>", S, "\"a@evil.example\"@c", "" },
  { "<\"a>b\"@c>", S, "\"a>b\"@c", "" },
  { "<\"a>b@c>", S, NULL, "closing quote" },
  { "<\"a\\", S, NULL, "closing quote" },
  { "<\"a\"b@c>", S, NULL, "no @" },
  { "<\"a\x01\"@c>", S, NULL, "control" },
  { "<@x.example:a@b>", R, "a@b", "" },
  { "<@x,@y:a@b>", R, "a@b", "" },
  { "<@[192.0.2.1]:postmaster>", R, "postmaster", "" },
  { "<@x,y:a@b>", R, NULL, "source route" },
  { "<@x a@b>", R, NULL, "source route" },
  { "<a@[192.0.2.1]>", S, "a@[192.0.2.1]", "" },
  { "<a@[IPv6:2001:DB8:0:0:0:0:0:1]>", S, "a@[IPv6:2001:db8::1]", "" },
  { "<a@[ipv6:::1]>", S, "a@[IPv6:::1]", "" },
  { "<a@[IPv6:192.0.2.1]>", S, NULL, "neither" },
  { "<a@[2001:db8::1]>", S, NULL, "neither" },
  { "<a@[192.0.2]>", S, NULL, "neither" },
  { "<a@[192.0.2.256]>", S, NULL, "neither" },
  { "<a@[IPv6:fe80::1%lo]>", S, NULL, "neither" },
  { "<a@[x400:abc]>", S, NULL, "neither" },
  { "<a@[]>", S, NULL, "neither" },
  { "<a@[192.0.2.1>", S, NULL, "closing bracket" },
  { "<a@[192.0.2.1]x>", S, NULL, "Something follows" },
  { "<j\xc3\xb6rg@example.org>", S, "j\xc3\xb6rg@example.org", "" },
  { "<a@B\xc3\x9c"
    "CHER.example>",
    S,
    "a@b\xc3\xbc"
    "cher.example",
    "" },
  { "<a@no\xcc\x88.example>", S, "a@n\xc3\xb6.example", "" },
  { "<a@XN--BCHER-KVA.example>", S, "a@xn--bcher-kva.example", "" },
  { "<a@\xff.example>", S, NULL, "international" },
  { "<a@\xc3\xbc"
    "b\xe2\x80\xae"
    "c.example>",
    S, NULL, "international" },
  { "<\xff@example.org>", S, NULL, "UTF-8" },
  { "<a\xc2\x85@example.org>", S, NULL, "UTF-8" },
};

static void
test_path (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (path_cases); i++)
    {
      const PathCase *c = &path_cases[i];
      /* Not terminated: reading behind the end shows under ASan. */
      g_autofree char *exact = g_memdup2 (c->text, MAX (strlen (c->text), 1));
      g_autofree char *address = NULL;
      const char *end = NULL;
      const char *fault = NULL;
      gboolean ok = pr_path_parse (exact, strlen (c->text), c->flags, &address, &end, &fault);

      g_autofree char *shown = g_strescape (c->text, NULL);

      g_test_message ("%s: %s", shown, ok ? address : fault);
      g_assert_cmpstr (address, ==, c->address);
      if (ok)
        g_assert_cmpstr (c->text + (end - exact), ==, c->rest);
      else
        g_assert_nonnull (strstr (fault, c->rest));
    }
}

static void
test_address (void)
{
  static const char *const bad[] = { "",     "a",          "@b",       "@x:a@b", "<a@b>",
                                     "a@b ", "postmaster", "a@b, c@d", "a@[::1]" };
  g_autofree char *address = NULL;
  g_autofree char *none = NULL;
  const char *fault = NULL;

  g_assert_true (pr_address_parse ("Me@Example.ORG", &address, &fault));
  g_assert_cmpstr (address, ==, "Me@example.org");

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      fault = NULL;
      g_assert_false (pr_address_parse (bad[i], &none, &fault));
      g_assert_nonnull (fault);
      g_assert_null (none);
    }
}

static void
test_domain (void)
{
  static const char *const ascii[][2] = {
    { "b\xc3\xbc"
      "cher.example",
      "xn--bcher-kva.example" },
    { "Example.ORG", "example.org" },
    { "fa\xc3\x9f.example", "xn--fa-hia.example" },
    { "[192.0.2.1]", NULL },
    { "", NULL },
    { "\xff", NULL },
  };

  g_assert_cmpstr (pr_address_domain ("a@b.c"), ==, "b.c");
  g_assert_cmpstr (pr_address_domain ("\"a@x\"@b.c"), ==, "b.c");
  g_assert_cmpstr (pr_address_domain ("postmaster"), ==, "");
  g_assert_cmpstr (pr_address_domain (""), ==, "");

  for (gsize i = 0; i < G_N_ELEMENTS (ascii); i++)
    {
      g_autofree char *got = pr_domain_to_ascii (ascii[i][0]);
      g_assert_cmpstr (got, ==, ascii[i][1]);
    }

  g_assert_true (pr_address_is_utf8 ("j\xc3\xb6rg@example.org"));
  g_assert_false (pr_address_is_utf8 ("joerg@example.org"));
}

static void
test_host_name (void)
{
  g_autofree char *x60 = g_strnfill (60, 'x');
  g_autofree char *name_253 = g_strdup_printf ("%s.%s.%s.%s.%s", x60, x60, x60, x60, "123456789");
  g_autofree char *name_254 = g_strconcat (name_253, "x", NULL);

  g_assert_true (pr_host_name_is_valid ("a"));
  g_assert_true (pr_host_name_is_valid ("mail-1.Example.org"));
  g_assert_true (pr_host_name_is_valid (name_253));
  g_assert_false (pr_host_name_is_valid (name_254));
  g_assert_false (pr_host_name_is_valid (""));
  g_assert_false (pr_host_name_is_valid ("."));
  g_assert_false (pr_host_name_is_valid ("a."));
  g_assert_false (pr_host_name_is_valid ("a_b"));
  g_assert_false (pr_host_name_is_valid ("-a"));
  g_assert_false (pr_host_name_is_valid ("a b"));
  g_assert_false (pr_host_name_is_valid ("b\xc3\xbc"
                                         "cher.example"));
}

/* Whatever local part and domain: written in quotes they come back the same, and the canonical
 * form is a fixed point. */
static void
test_random_round_trips (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5321);

  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (GString) local = g_string_new (NULL);
      g_autoptr (GString) path = g_string_new ("<\"");
      g_autofree char *first = NULL;
      g_autofree char *second = NULL;
      g_autofree char *again = NULL;
      const char *end, *fault = NULL;
      guint n = g_rand_int_range (rand, 0, 20);

      for (guint k = 0; k < n; k++)
        {
          g_string_append_c (local, g_rand_int_range (rand, ' ', 0x7f));
          if (g_rand_boolean (rand) || strchr ("\"\\", local->str[k]) != NULL)
            g_string_append_c (path, '\\');
          g_string_append_c (path, local->str[k]);
        }
      g_string_append (path, "\"@Example.org>");

      g_assert_true (pr_path_parse (path->str, path->len, S, &first, &end, &fault));
      g_assert_cmpuint (end - path->str, ==, path->len);

      again = g_strdup_printf ("<%s>", first);
      g_assert_true (pr_path_parse (again, strlen (again), R, &second, &end, &fault));
      g_assert_cmpstr (first, ==, second);
      g_assert_cmpstr (pr_address_domain (first), ==, "example.org");

      if (first[0] != '"')
        g_assert_true (g_str_has_prefix (first, local->str));
    }
}

/* Any octets: a result or a fault, never more than the limits, always a fixed point. */
static void
test_random_octets (void)
{
  static const char alphabet[] = "ab.@<>\"\\[]:,-_ 19\xc3\xa4\xff\r\0x";
  g_autoptr (GRand) rand = g_rand_new_with_seed (822);

  for (guint i = 0; i < 50000; i++)
    {
      gsize n = g_rand_int_range (rand, 0, 24);
      g_autofree char *text = g_malloc (n + 1);
      g_autofree char *address = NULL;
      g_autofree char *again = NULL;
      const char *end = NULL, *fault = NULL;

      text[0] = '<';
      for (gsize k = 1; k < n; k++)
        text[k] = alphabet[g_rand_int_range (rand, 0, sizeof alphabet - 1)];

      if (!pr_path_parse (text, n, g_rand_int_range (rand, 0, 8), &address, &end, &fault))
        {
          g_assert_nonnull (fault);
          continue;
        }

      g_assert_true (end > text && end <= text + n);
      if (strchr (address, '@') != NULL && strchr (address, '_') == NULL)
        {
          g_assert_true (pr_address_parse (address, &again, &fault));
          g_assert_cmpstr (again, ==, address);
        }
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/address/path", test_path);
  g_test_add_func ("/address/address", test_address);
  g_test_add_func ("/address/domain", test_domain);
  g_test_add_func ("/address/host-name", test_host_name);
  g_test_add_func ("/address/random-round-trips", test_random_round_trips);
  g_test_add_func ("/address/random-octets", test_random_octets);

  return g_test_run ();
}
