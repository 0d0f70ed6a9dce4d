/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The field Authentication-Results, and which of those that came are forged. */

#include "guard/auth-results.h"

#include "common/text.h"
#include "smtp/address.h"

#include <string.h>

/* pvalue = [local-part "@"] domain-name, or a quoted string. What a peer said stands in it, so
 * whatever is no plain word is left out rather than quoted by guesswork. */
static gboolean
is_plain (const char *text)
{
  if (*text == '\0')
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("-_.@+=/", *text) == NULL)
      return FALSE;

  return TRUE;
}

static void
append_property (GString *out, const char *name, const char *value)
{
  if (is_plain (value))
    pr_text_append (out, " ", name, "=", value, NULL);
}

/* Adds one result where it fits. */
static void
append_result (GString *out, const char *item)
{
  if (out->len + strlen (";\r\n\t") + strlen (item) + strlen ("\r\n") <= PR_AUTH_RESULTS_MAX)
    pr_text_append (out, ";\r\n\t", item, NULL);
}

static void
append_spf (GString *out, const PrAuthResults *results)
{
  g_autoptr (GString) item = g_string_new (NULL);

  pr_text_append (item, "spf=", pr_spf_result_name (results->spf->result), NULL);
  if (*results->sender != '\0')
    append_property (item, "smtp.mailfrom", results->sender);
  else
    append_property (item, "smtp.helo", results->helo);
  append_result (out, item->str);
}

static void
append_signature (GString *out, const PrDkimSignature *signature)
{
  g_autoptr (GString) item = g_string_new (NULL);

  pr_text_append (item, "dkim=", pr_dkim_status_name (signature->status), NULL);
  if (signature->problem != NULL)
    pr_text_append (item, " reason=\"", signature->problem, "\"", NULL);
  append_property (item, "header.d", signature->domain);
  append_property (item, "header.s", signature->selector);
  append_property (item, "header.a", signature->algorithm);
  append_property (item, "header.b", signature->start);
  append_result (out, item->str);
}

static void
append_dmarc (GString *out, const PrAuthResults *results)
{
  g_autoptr (GString) item = g_string_new (NULL);

  pr_text_append (item, "dmarc=", pr_dmarc_result_name (results->dmarc->result), NULL);
  if (results->dmarc->result == PR_DMARC_FAIL)
    append_property (item, "policy.dmarc", pr_dmarc_policy_name (results->dmarc->policy));
  append_property (item, "header.from", results->author);
  append_result (out, item->str);
}

char *
pr_auth_results_format (const PrAuthResults *results)
{
  GString *out = g_string_sized_new (PR_AUTH_RESULTS_MAX);
  gsize empty;

  pr_text_append (out, "Authentication-Results: ", results->hostname, NULL);
  empty = out->len;
  if (results->dmarc != NULL)
    append_dmarc (out, results);
  if (results->spf != NULL)
    append_spf (out, results);
  if (results->dkim != NULL && pr_dkim_verifier_count (results->dkim) == 0)
    append_result (out, "dkim=none");
  for (guint i = 0; results->dkim != NULL && i < pr_dkim_verifier_count (results->dkim); i++)
    append_signature (out, pr_dkim_verifier_get (results->dkim, i));
  if (out->len == empty)
    g_string_append (out, "; none");
  g_string_append (out, "\r\n");

  return g_string_free (out, FALSE);
}

/* Blanks and comments (RFC 5322 §3.2.2). NULL: a comment does not end. */
static const char *
skip_comments (const char *text)
{
  guint depth = 0;

  for (; *text != '\0'; text++)
    if (*text == '(')
      depth++;
    else if (*text == ')' && depth > 0)
      depth--;
    else if (depth > 0 && *text == '\\' && text[1] != '\0')
      text++;
    else if (depth == 0 && strchr (" \t\r\n", *text) == NULL)
      return text;

  return depth == 0 ? text : NULL;
}

gboolean
pr_auth_results_is_ours (const char *value, const char *hostname)
{
  const char *start = skip_comments (value);
  g_autofree char *id = NULL;
  gboolean quoted;

  if (start == NULL)
    return TRUE; /* nobody can tell what it claims */

  quoted = *start == '"';
  start += quoted ? 1 : 0;
  id = g_strndup (start, strcspn (start, quoted ? "\"" : " \t\r\n;(/"));

  return g_ascii_strcasecmp (id, hostname) == 0;
}
