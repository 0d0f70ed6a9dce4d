/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl certificate export. Read from the home: what a device is to trust can be fetched
 * while no service runs. */

#include <stdio.h>
#include <unistd.h>

#include "ctl/ctl.h"
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
