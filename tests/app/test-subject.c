/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Subject as a person reads it. */
#include <string.h>
#include <gmime/gmime.h>

#include "service/subject.h"

static const struct
{
  const char *source, *subject;
} cases[] = {
  { "Subject: Hello\r\n\r\nbody", "Hello" },
  { "From: a@b\r\nsubject:  folded\r\n line\r\n\r\n", "folded line" },
  { "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n", "Gr\303\274\303\237e" },
  { "Subject: =?iso-8859-1?b?R3L832U=?= und mehr\r\n\r\n", "Gr\303\274\303\237e und mehr" },
  { "Subject: =?utf-8?b?!!!!?=\r\n\r\n", NULL },
  { "Subject:\r\n\r\n", "" },
  { "From: a@b\r\n\r\nSubject: in the body\r\n", NULL },
  { "", NULL },
  { "no header at all", NULL },
  { "Subject: cut", NULL },
};

static void
test_subjects (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *subject = pr_subject_read (cases[i].source, strlen (cases[i].source));

      g_test_message ("%s", cases[i].source);
      g_assert_true (subject == NULL || g_utf8_validate (subject, -1, NULL));
      if (cases[i].subject != NULL)
        g_assert_cmpstr (subject, ==, cases[i].subject);
    }
}

/* Raw octets of any charset come out as text. */
static void
test_raw (void)
{
  static const char source[] = "Subject: Gr\xfc\xdf"
                               "e \x01\r\n\r\n";
  g_autofree char *subject = pr_subject_read (source, strlen (source));

  g_assert_nonnull (subject);
  g_assert_true (g_utf8_validate (subject, -1, NULL));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/subject/cases", test_subjects);
  g_test_add_func ("/subject/raw", test_raw);
  return g_test_run ();
}
