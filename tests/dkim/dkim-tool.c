/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our side of the suite `dkim`; a message comes on the standard input.
 *
 *   dkim-tool key ALGORITHM                 a new key: its record on the first line, then PEM
 *   dkim-tool sign KEY-FILE DOMAIN SELECTOR the field that signs it
 *   dkim-tool verify RECORD                 "STATUS problem" for each signature; RECORD is every
 * key
 */
#include "dkim/sign.h"
#include "dkim/verify.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GString *
read_all (void)
{
  GString *text = g_string_new (NULL);
  char piece[4096];
  gsize n;

  while ((n = fread (piece, 1, sizeof piece, stdin)) > 0)
    g_string_append_len (text, piece, (gssize) n);
  return text;
}

/* Where the body begins. */
static gsize
header_size (const GString *text)
{
  const char *end = g_strstr_len (text->str, (gssize) text->len, "\r\n\r\n");

  return end != NULL ? (gsize) (end - text->str) + 4 : text->len;
}

static int
make_key (const char *name)
{
  g_autoptr (PrDkimSecret) secret = NULL;
  g_autofree char *pem = NULL, *record = NULL;
  PrDkimAlgorithm algorithm;

  if (!pr_dkim_algorithm_parse (name, &algorithm))
    return EXIT_FAILURE;
  secret = pr_dkim_secret_new (algorithm, NULL);
  record = pr_dkim_secret_to_record (secret);
  pem = pr_dkim_secret_to_pem (secret);
  printf ("%s\n%s", record, pem);
  return EXIT_SUCCESS;
}

static int
sign (const char *path, const char *domain, const char *selector)
{
  g_autoptr (PrCanonBody) body = pr_canon_body_new (PR_CANON_RELAXED, G_MAXUINT64);
  g_autoptr (GString) text = read_all ();
  g_autoptr (PrDkimSecret) secret = NULL;
  g_autofree char *pem = NULL, *field = NULL;
  guint8 hash[PR_CANON_HASH_LEN];
  gsize size = header_size (text), len;

  if (!g_file_get_contents (path, &pem, &len, NULL))
    return EXIT_FAILURE;
  secret = pr_dkim_secret_parse (pem, len, NULL);
  pr_canon_body_feed (body, text->str + size, text->len - size);
  pr_canon_body_finish (body, hash);
  field = pr_dkim_sign (&(PrDkimSigning){ .domain = domain,
                                          .selector = selector,
                                          .secret = secret,
                                          .time_s = g_get_real_time () / G_USEC_PER_SEC },
                        text->str, size, hash);
  fputs (field, stdout);
  return EXIT_SUCCESS;
}

static int
verify (const char *record)
{
  g_autoptr (GString) text = read_all ();
  gsize size = header_size (text);
  g_autoptr (PrDkimVerifier) verifier = pr_dkim_verifier_new (text->str, size);
  g_autoptr (PrLookups) lookups = pr_lookups_new ();

  pr_dkim_verifier_feed (verifier, text->str + size, text->len - size);
  while (!pr_dkim_verifier_check (verifier, lookups, g_get_real_time () / G_USEC_PER_SEC))
    {
      PrRecordKind kind;
      char *name;

      while (pr_lookups_take_wanted (lookups, &kind, &name))
        {
          pr_lookups_add (lookups, kind, name, PR_LOOKUP_FOUND,
                          (const char *const[]){ record, NULL });
          g_free (name);
        }
    }
  for (guint i = 0; i < pr_dkim_verifier_count (verifier); i++)
    {
      const PrDkimSignature *signature = pr_dkim_verifier_get (verifier, i);

      printf ("%s %s\n", pr_dkim_status_name (signature->status),
              signature->problem != NULL ? signature->problem : "");
    }
  return EXIT_SUCCESS;
}

int
main (int argc, char *argv[])
{
  if (argc == 3 && strcmp (argv[1], "key") == 0)
    return make_key (argv[2]);
  if (argc == 5 && strcmp (argv[1], "sign") == 0)
    return sign (argv[2], argv[3], argv[4]);
  if (argc == 3 && strcmp (argv[1], "verify") == 0)
    return verify (argv[2]);

  return EXIT_FAILURE;
}
