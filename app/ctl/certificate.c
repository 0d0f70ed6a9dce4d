/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl certificate. What a device is to trust is read from the home: it can be fetched while
 * no service runs. */

#include <stdio.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/words.h"
#include "net/authority.h"

static char *format;

const GOptionEntry pr_certificate_options[] = {
  { "format", 0, 0, G_OPTION_ARG_STRING, &format,
    "pem (text; default), der, or crt (DER under the name that phones and printers look for)",
    "FORMAT" },
  G_OPTION_ENTRY_NULL,
};

int
pr_ctl_certificate_export (PrCtl *ctl, char **args)
{
  g_autofree char *folder = g_build_filename (ctl->home->data, "tls", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gboolean is_text = format == NULL || g_str_equal (format, "pem");
  gsize len;

  if (!is_text && isatty (STDOUT_FILENO))
    return pr_ctl_misused ("This format is not for a terminal; write it to a file: > postroom.crt");

  bytes = pr_authority_export (folder, format != NULL ? format : "pem", &error);
  if (bytes == NULL)
    return pr_ctl_fail (error);

  len = g_bytes_get_size (bytes);
  if (fwrite (g_bytes_get_data (bytes, NULL), 1, len, stdout) != len || fflush (stdout) != 0)
    return pr_ctl_refuse ("The certificate could not be written");
  return PR_EXIT_DONE;
}

static void
print_fact (const char *label, const char *value)
{
  g_autofree char *shown = pr_text_printable (value);

  if (shown != NULL && *shown != '\0')
    printf ("  %-12s %s\n", label, shown);
}

static void
print_certificate (GVariant *item)
{
  g_autofree char *listener = pr_text_printable (pr_dict_string (item, "listener"));
  g_autofree char *end = pr_words_when (pr_dict_number (item, "expires"), g_get_real_time ());
  g_autofree const char **names = NULL;
  g_autofree char *joined = NULL;
  gboolean own = FALSE;

  g_variant_lookup (item, "own", "b", &own);
  if (g_variant_lookup (item, "names", "^a&s", &names))
    joined = g_strjoinv (", ", (char **) names);
  printf ("%s\n", listener);
  print_fact ("Made by", own ? "you (certificate= of the listener)" : "Postroom");
  print_fact ("For", joined);
  print_fact ("Issued by", pr_dict_string (item, "issuer"));
  print_fact ("Ends", end);
  print_fact ("Fingerprint", pr_dict_string (item, "fingerprint"));
  print_fact ("Trouble", pr_dict_string (item, "trouble"));
}

int
pr_ctl_certificate_list (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Service1", "ListCertificates", NULL, "(aa{sv})", &status);
  g_autoptr (GVariant) list = NULL;

  if (answer == NULL)
    return status;
  list = g_variant_get_child_value (answer, 0);
  if (ctl->json)
    {
      g_autofree char *text = pr_json_value (list);

      puts (text);
      return PR_EXIT_DONE;
    }
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) item = g_variant_get_child_value (list, i);

      print_certificate (item);
    }
  if (g_variant_n_children (list) == 0)
    puts ("No listener has encryption (tls=off): no certificate is shown.");
  return PR_EXIT_DONE;
}
