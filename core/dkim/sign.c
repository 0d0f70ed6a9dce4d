/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes DKIM signatures. */

#include "dkim/sign.h"

#include "dkim/signature.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define LINE_LEN 72
#define MAX_REPEATS 20 /* of one field; more are no mail's */

/* §5.4.1, and what makes a body mean something else. Those in front are signed once more than they
 * are there. */
static const struct
{
  const char *name;
  gboolean closed;
} signed_fields[] = {
  { "From", TRUE },
  { "Sender", TRUE },
  { "Reply-To", TRUE },
  { "Subject", TRUE },
  { "Date", TRUE },
  { "Message-ID", TRUE },
  { "To", TRUE },
  { "Cc", TRUE },
  { "In-Reply-To", TRUE },
  { "References", TRUE },
  { "MIME-Version", TRUE },
  { "Content-Type", TRUE },
  { "Content-Transfer-Encoding", TRUE },
  { "Resent-Date", FALSE },
  { "Resent-From", FALSE },
  { "Resent-To", FALSE },
  { "Resent-Cc", FALSE },
  { "List-Id", FALSE },
  { "List-Help", FALSE },
  { "List-Unsubscribe", FALSE },
  { "List-Unsubscribe-Post", FALSE },
  { "List-Subscribe", FALSE },
  { "List-Post", FALSE },
  { "List-Owner", FALSE },
  { "List-Archive", FALSE },
};

static guint
count_fields (const GArray *fields, const char *name)
{
  guint n = 0;

  for (guint i = 0; i < fields->len; i++)
    n += pr_canon_field_is (&g_array_index (fields, PrCanonField, i), name) ? 1 : 0;

  return MIN (n, MAX_REPEATS);
}

/* Adds @text where it fits, else on a line of its own. */
static void
append_folded (GString *out, gsize *line_start, const char *text)
{
  if (out->len - *line_start + strlen (text) > LINE_LEN)
    {
      g_string_append (out, "\r\n\t");
      *line_start = out->len - 1;
    }
  g_string_append (out, text);
}

static char *
list_names (const GArray *fields, GString *out, gsize *line_start)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (signed_fields); i++)
    {
      guint n = count_fields (fields, signed_fields[i].name) + (signed_fields[i].closed ? 1 : 0);

      for (; n > 0; n--)
        {
          g_autofree char *item =
            g_strconcat (names->len > 0 ? ":" : "", signed_fields[i].name, NULL);

          g_string_append (names, item);
          append_folded (out, line_start, item);
        }
    }

  return g_string_free (g_steal_pointer (&names), FALSE);
}

static void
append_base64 (GString *out, gsize *line_start, gconstpointer data, gsize len)
{
  g_autofree char *base64 = g_base64_encode (data, len);
  gsize left = strlen (base64);

  for (const char *at = base64; left > 0;)
    {
      gsize used = out->len - *line_start, n = MIN (left, used < LINE_LEN ? LINE_LEN - used : 0);

      g_string_append_len (out, at, (gssize) n);
      at += n;
      left -= n;
      if (left > 0)
        {
          g_string_append (out, "\r\n\t");
          *line_start = out->len - 1;
        }
    }
}

char *
pr_dkim_sign (const PrDkimSigning *signing, const char *header, gsize len,
              const guint8 body_hash[PR_CANON_HASH_LEN])
{
  g_autoptr (GArray) fields = pr_canon_split (header, len);
  g_autoptr (GString) field = g_string_new ("DKIM-Signature: v=1;"), text = g_string_new (NULL);
  g_autofree char *algorithm = g_strdup_printf (
                    " a=%s;",
                    pr_dkim_algorithm_name (pr_dkim_secret_get_algorithm (signing->secret))),
                  *domain = g_strdup_printf (" d=%s;", signing->domain),
                  *selector = g_strdup_printf (" s=%s;", signing->selector),
                  *time = g_strdup_printf (" t=%" G_GINT64_FORMAT ";", signing->time_s),
                  *names = NULL;
  g_autoptr (GBytes) signature = NULL;
  guint8 hash[PR_CANON_HASH_LEN];
  gsize line_start = 0;

  append_folded (field, &line_start, algorithm);
  append_folded (field, &line_start, " c=relaxed/relaxed;");
  append_folded (field, &line_start, domain);
  append_folded (field, &line_start, selector);
  append_folded (field, &line_start, time);
  append_folded (field, &line_start, " h=");
  names = list_names (fields, field, &line_start);
  append_folded (field, &line_start, "; bh=");
  append_base64 (field, &line_start, body_hash, PR_CANON_HASH_LEN);
  append_folded (field, &line_start, "; b=");

  pr_canon_append_named (text, fields, names, PR_CANON_RELAXED);
  pr_dkim_append_unsigned (
    text,
    &(PrCanonField){ .text = field->str, .len = field->len, .name_len = strlen ("DKIM-Signature") },
    PR_CANON_RELAXED);
  gnutls_hash_fast (GNUTLS_DIG_SHA256, text->str, text->len, hash);
  signature = pr_dkim_secret_sign (signing->secret, hash);
  if (signature == NULL)
    return NULL;

  append_base64 (field, &line_start, g_bytes_get_data (signature, NULL),
                 g_bytes_get_size (signature));
  g_string_append (field, "\r\n");
  return g_string_free (g_steal_pointer (&field), FALSE);
}
