/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers, as name servers, or those who stand before them, may write them. How
 * they are asked for is in test-resolver.c. */
#include "net/dns-record.h"

#include <string.h>

#define HEADER(questions, answers) 0, 0, 0x81, 0x80, 0, (questions), 0, (answers), 0, 0, 0, 0
#define QUESTION 1, 'a', 0, 0, 16, 0, 1
#define RECORD(type, size) 0xc0, 12, 0, (type), 0, 1, 0, 0, 0, 60, 0, (size)
#define MALFORMED "(malformed)"

typedef struct
{
  const char *name;
  PrRecordKind kind;
  gsize len;
  const guint8 *data;
  const char *expected;
} Case;

#define CASE_OF(kind, name, expected, ...)                                                         \
  {                                                                                                \
    name, kind, sizeof ((const guint8[]){ __VA_ARGS__ }), (const guint8[]){ __VA_ARGS__ },         \
      expected                                                                                     \
  }
#define CASE(name, expected, ...) CASE_OF (PR_RECORD_TEXT, name, expected, __VA_ARGS__)

static const Case cases[] = {
  CASE ("one", "[hi]", HEADER (1, 1), QUESTION, RECORD (16, 3), 2, 'h', 'i'),
  CASE ("joined", "[hi!]", HEADER (1, 1), QUESTION, RECORD (16, 6), 2, 'h', 'i', 0, 1, '!'),
  CASE ("two", "[a][b]", HEADER (1, 2), QUESTION, RECORD (16, 2), 1, 'a', RECORD (16, 2), 1, 'b'),
  CASE ("none", "", HEADER (1, 0), QUESTION),
  CASE ("no-question", "[a]", HEADER (0, 1), 0, 0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 1, 'a'),
  CASE ("alias", "[a]", HEADER (1, 2), QUESTION, RECORD (5, 3), 1, 'b', 0, RECORD (16, 2), 1, 'a'),
  CASE ("other-class", "", HEADER (1, 1), QUESTION, 0xc0, 12, 0, 16, 0, 3, 0, 0, 0, 60, 0, 2, 1,
        'a'),
  CASE ("empty-record", "[]", HEADER (1, 1), QUESTION, RECORD (16, 0)),
  CASE ("nul", "[a]", HEADER (1, 2), QUESTION, RECORD (16, 3), 2, 'x', 0, RECORD (16, 2), 1, 'a'),
  CASE ("any-octets", "[\xff\x01]", HEADER (1, 1), QUESTION, RECORD (16, 3), 2, 0xff, 1),
  CASE ("behind-it", "[a]", HEADER (1, 1), QUESTION, RECORD (16, 2), 1, 'a', 9, 9, 9),
  CASE ("nothing", MALFORMED, 0),
  CASE ("short-header", MALFORMED, 0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0),
  CASE ("no-record", MALFORMED, HEADER (1, 1), QUESTION),
  CASE ("cut-question", MALFORMED, HEADER (1, 0), 1, 'a', 0, 0, 16, 0),
  CASE ("cut-name", MALFORMED, HEADER (1, 0), 9, 'a'),
  CASE ("endless-name", MALFORMED, HEADER (1, 0), 1, 'a'),
  CASE ("cut-pointer", MALFORMED, HEADER (1, 1), QUESTION, 0xc0),
  CASE ("odd-label", MALFORMED, HEADER (1, 1), QUESTION, 0x80, 0, 0, 16, 0, 1, 0, 0, 0, 60, 0, 0),
  CASE ("cut-record", MALFORMED, HEADER (1, 1), QUESTION, RECORD (16, 3), 2, 'h'),
  CASE ("cut-size", MALFORMED, HEADER (1, 1), QUESTION, 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0),
  CASE ("long-string", MALFORMED, HEADER (1, 1), QUESTION, RECORD (16, 3), 3, 'h', 'i'),
  CASE ("cut-other", MALFORMED, HEADER (1, 1), QUESTION, RECORD (5, 3), 1, 'b'),
  CASE_OF (PR_RECORD_IP4, "ip4", "[192.0.2.7]", HEADER (1, 1), QUESTION, RECORD (1, 4), 192, 0, 2,
           7),
  CASE_OF (PR_RECORD_IP4, "ip4-long", MALFORMED, HEADER (1, 1), QUESTION, RECORD (1, 5), 1, 2, 3, 4,
           5),
  CASE_OF (PR_RECORD_IP6, "ip6", "[2001:db8::7]", HEADER (1, 1), QUESTION, RECORD (28, 16), 0x20, 1,
           0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7),
  CASE_OF (PR_RECORD_NAME, "name", "[b.a]", HEADER (1, 1), QUESTION, RECORD (12, 4), 1, 'B', 0xc0,
           12),
  CASE_OF (PR_RECORD_NAME, "name-of-the-root", "", HEADER (1, 1), QUESTION, RECORD (12, 1), 0),
  CASE_OF (PR_RECORD_NAME, "dot-in-label", "", HEADER (1, 1), QUESTION, RECORD (12, 3), 1, '.', 0),
  CASE_OF (PR_RECORD_NAME, "loop", MALFORMED, HEADER (1, 1), QUESTION, RECORD (12, 4), 1, 'b', 0xc0,
           31),
  CASE_OF (PR_RECORD_NAME, "forward", MALFORMED, HEADER (1, 1), QUESTION, RECORD (12, 3), 0xc0, 33,
           0),
  CASE_OF (PR_RECORD_NAME, "name-beyond", MALFORMED, HEADER (1, 1), QUESTION, RECORD (12, 2), 5,
           'b'),
  CASE_OF (PR_RECORD_MX, "by-preference", "[a][b.a]", HEADER (1, 2), QUESTION, RECORD (15, 6), 0,
           20, 1, 'b', 0xc0, 12, RECORD (15, 4), 0, 10, 0xc0, 12),
  CASE_OF (PR_RECORD_MX, "null", "", HEADER (1, 1), QUESTION, RECORD (15, 3), 0, 0, 0),
  CASE_OF (PR_RECORD_MX, "mx-short", MALFORMED, HEADER (1, 1), QUESTION, RECORD (15, 2), 0, 0),
  CASE ("too-many-promised", MALFORMED, HEADER (1, 2), QUESTION, RECORD (16, 2), 1, 'a'),
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autofree guint8 *copy = g_memdup2 (c->data, c->len); /* of its very size, for ASan */
  g_autoptr (GPtrArray) texts = pr_dns_read_records (c->kind, copy, c->len);
  g_autoptr (GString) seen = g_string_new (texts == NULL ? MALFORMED : NULL);

  for (guint i = 0; texts != NULL && i < texts->len; i++)
    g_string_append_printf (seen, "[%s]", (char *) texts->pdata[i]);
  g_assert_cmpstr (seen->str, ==, c->expected);
}

static void
test_many (void)
{
  static const guint8 header[] = { 0, 0, 0x81, 0x80, 0, 0, 0x10, 0, 0, 0, 0, 0 };
  static const guint8 record[] = { 0, 0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 1, 'a' };
  g_autoptr (GByteArray) answer = g_byte_array_new ();
  g_autoptr (GPtrArray) texts = NULL;

  g_byte_array_append (answer, header, sizeof header);
  for (guint i = 0; i < 4096; i++)
    g_byte_array_append (answer, record, sizeof record);
  texts = pr_dns_read_records (PR_RECORD_TEXT, answer->data, answer->len);
  g_assert_cmpuint (texts->len, ==, 256);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/dns-record/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/dns-record/many", test_many);
  return g_test_run ();
}
