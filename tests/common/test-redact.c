/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/redact.h"

#include <string.h>

/* Lines of one conversation: who, what was said, what may be shown. */
typedef struct
{
  char who; /* C or S; 0 begins another conversation */
  const char *line, *shown;
} Line;

static const Line lines[] = {
  { 'C', "EHLO printer\r\n", "EHLO printer" },
  { 'C', "AUTH PLAIN AGEAYg==\r\n", "AUTH PLAIN ********" },
  { 'S', "235 2.7.0 ok\r\n", "235 2.7.0 ok" },
  { 'C', "MAIL FROM:<a@example.org>\r\n", "MAIL FROM:<a@example.org>" },
  { 0 },
  { 'C', "auth login\r\n", "AUTH login" },
  { 'S', "334 VXNlcm5hbWU6\r\n", "334 VXNlcm5hbWU6" },
  { 'C', "dXNlcg==\r\n", "********" },
  { 'S', "334 UGFzc3dvcmQ6\r\n", "334 UGFzc3dvcmQ6" },
  { 'C', "not even base64\r\n", "********" },
  { 'S', "535 5.7.8 no\r\n", "535 5.7.8 no" },
  { 'C', "QUIT\r\n", "QUIT" },
  { 0 },
  { 'C', "AUTH LOGIN", "AUTH LOGIN" },
  { 'S', "334 ", "334 " },
  { 'C', "*", "*" },
  { 0 },
  /* The password where the mechanism should be, and blanks in odd places. */
  { 'C', "AUTH cGFzc3dvcmQ=", "AUTH ********" },
  { 0 },
  { 'C', "  \tAuTh\tPLAIN   AGEAYg==", "AUTH PLAIN ********" },
  { 0 },
  { 'C', "AUTH", "AUTH" },
  { 0 },
  /* Refused, and the client talks on. */
  { 'C', "AUTH LOGIN", "AUTH LOGIN" },
  { 'S', "502 5.5.1 no", "502 5.5.1 no" },
  { 'C', "c2VjcmV0", "********" },
  { 'C', "c2VjcmV0LXdvcmQ=", "********" },
  { 'C', "DATA", "DATA" },
  { 'C', "STARTTLS", "STARTTLS" },
  { 0 },
  { 'C', "c2VjcmV0", "c2VjcmV0" }, /* no AUTH, no secret */
  { 'C', "AUTHOR of things", "AUTHOR of things" },
  { 'S', "\x1b[31m250 red\x07", "?[31m250 red?" },
  { 'S', "250 \xff\xc3 ok \xc3\xbc", "250 ?? ok \xc3\xbc" },
  { 'S', "", "" },
};

static void
test_lines (void)
{
  PrRedactor redactor = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (GString) shown = g_string_new (NULL);

      if (lines[i].who == 0)
        {
          redactor = (PrRedactor){ 0 };
          continue;
        }
      pr_redactor_show (&redactor, lines[i].who == 'C', lines[i].line, strlen (lines[i].line),
                        shown);
      g_assert_cmpstr (shown->str, ==, lines[i].shown);
    }
}

static void
test_printable (void)
{
  g_autoptr (GString) out = g_string_new ("> ");
  static const char text[] = "a\0b\r\nc\x7f\xe2\x80\xa8";

  pr_append_printable (out, text, sizeof text - 1);
  g_assert_cmpstr (out->str, ==, "> a?b??c??");
}

static void
test_hostile (void)
{
  PrRedactor redactor = { 0 };
  g_autoptr (GString) shown = g_string_new (NULL);

  for (guint i = 0; i < 20000; i++)
    {
      char line[16];
      gsize len = (gsize) g_test_rand_int_range (0, sizeof line);

      for (gsize j = 0; j < len; j++)
        line[j] = (char) g_test_rand_int_range (0, 256);
      g_string_truncate (shown, 0);
      pr_redactor_show (&redactor, g_test_rand_bit (), line, len, shown);
      g_assert_true (g_utf8_validate (shown->str, (gssize) shown->len, NULL));
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/redact/lines", test_lines);
  g_test_add_func ("/redact/printable", test_printable);
  g_test_add_func ("/redact/hostile", test_hostile);
  return g_test_run ();
}
