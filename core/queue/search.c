/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding a part of a text without case. Nearly all addresses are ASCII, and a million of them may
 * be looked at for one key press, so ASCII in ASCII is compared without any memory. */
#include "queue/search.h"

#include <string.h>

#include "common/id.h"

#define MAX_TEXT_OCTETS 256

typedef struct
{
  char *folded; /* owned, nullable */
  gboolean ascii;
} Needle;

static void
free_needle (gpointer data)
{
  Needle *needle = data;

  g_free (needle->folded);
  g_free (needle);
}

static gboolean
contains (const Needle *needle, const char *text)
{
  g_autofree char *folded = NULL;

  if (needle->folded == NULL)
    return TRUE;
  if (needle->ascii)
    return strcasestr (text, needle->folded) != NULL;

  folded = g_utf8_casefold (text, -1);
  return strstr (folded, needle->folded) != NULL;
}

static void
run_found (sqlite3_context *context, int n, sqlite3_value **values)
{
  const char *text = (const char *) sqlite3_value_text (values[0]);

  sqlite3_result_int (context, text != NULL && contains (sqlite3_user_data (context), text));
}

static void
run_found_id (sqlite3_context *context, int n, sqlite3_value **values)
{
  char text[PR_ID_LEN + 1];

  pr_id_format (sqlite3_value_int64 (values[0]), text);
  sqlite3_result_int (context, contains (sqlite3_user_data (context), text));
}

static Needle *
new_needle (const char *text)
{
  Needle *needle = g_new0 (Needle, 1);

  needle->folded = text != NULL ? g_utf8_casefold (text, -1) : NULL;
  needle->ascii = needle->folded != NULL && g_str_is_ascii (needle->folded);

  return needle;
}

int
pr_search_set (sqlite3 *handle, const char *text)
{
  const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  int code = sqlite3_create_function_v2 (handle, "found", 1, flags, new_needle (text), run_found,
                                         NULL, NULL, free_needle);

  if (code == SQLITE_OK)
    code = sqlite3_create_function_v2 (handle, "found_id", 1, flags, new_needle (text),
                                       run_found_id, NULL, NULL, free_needle);

  return code;
}

char *
pr_search_dup (const char *text)
{
  g_autofree char *bounded = NULL;

  if (text == NULL || *text == '\0')
    return NULL;

  bounded = g_strndup (text, MAX_TEXT_OCTETS);
  return g_utf8_make_valid (bounded, -1);
}
