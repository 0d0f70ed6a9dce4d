/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "diagnosis.h"

#include <string.h>
#include <glib/gi18n.h>

#include "control/client.h"

typedef struct
{
  const char *part; /* of the service's words, in any case; NULL: any */
  guint code;       /* of the reply: 0: none came; 1: any did */
  PrStep step;
  PrRemedy remedy;
  const char *words;
} Row;

/* The first that fits. What the service says of a connection is always in English. */
static const Row rows[] = {
  { "certificate", 0, PR_STEP_REACHED, PR_REMEDY_SIGN_IN,
    N_ ("The server could not prove who it is, so nothing was sent to it. Check its name.") },
  { "tls", 0, PR_STEP_REACHED, PR_REMEDY_SIGN_IN,
    N_ ("No encrypted connection came about. Check the port and the kind of encryption.") },
  { "starttls", 1, PR_STEP_REACHED, PR_REMEDY_SIGN_IN,
    N_ ("The server offers no encryption here. Check the port and the kind of encryption.") },
  { NULL, 0, PR_STEP_QUEUED, PR_REMEDY_SIGN_IN,
    N_ ("The server does not answer. Check its name, the port and your network.") },
  { "recipient", 1, PR_STEP_SIGNED_IN, PR_REMEDY_ADDRESS,
    N_ ("The address the test mail goes to was refused. Check it.") },
  { "user unknown", 1, PR_STEP_SIGNED_IN, PR_REMEDY_ADDRESS,
    N_ ("The address the test mail goes to was refused. Check it.") },
  { "sender", 1, PR_STEP_SIGNED_IN, PR_REMEDY_SENDER,
    N_ ("The provider takes mail only from your own address. Postroom can put it into each mail "
        "and keep the old one for answers.") },
  { "from", 1, PR_STEP_SIGNED_IN, PR_REMEDY_SENDER,
    N_ ("The provider takes mail only from your own address. Postroom can put it into each mail "
        "and keep the old one for answers.") },
  { "send as", 1, PR_STEP_SIGNED_IN, PR_REMEDY_SENDER,
    N_ ("The provider takes mail only from your own address. Postroom can put it into each mail "
        "and keep the old one for answers.") },
  { NULL, 1, PR_STEP_SIGNED_IN, PR_REMEDY_AGAIN,
    N_ ("The provider did not take the mail. Its answer says why.") },
};

static gboolean
contains (const char *text, const char *part)
{
  g_autofree char *lower = g_ascii_strdown (text, -1);

  return strstr (lower, part) != NULL;
}

static void
find_row (GVariant *event, PrDiagnosis *out)
{
  const char *text = pr_dict_string (event, "text");
  gboolean replied = pr_dict_number (event, "code") != 0;

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if ((rows[i].code != 0) == replied &&
        (rows[i].part == NULL || contains (text != NULL ? text : "", rows[i].part)))
      {
        out->step = rows[i].step;
        out->remedy = rows[i].remedy;
        out->words = _ (rows[i].words);
        return;
      }
}

gboolean
pr_diagnosis_read (GVariant *event, const char *message, const char *route, PrDiagnosis *out)
{
  const char *kind = pr_dict_string (event, "kind");
  gboolean is_it = message != NULL && g_strcmp0 (pr_dict_string (event, "message"), message) == 0;

  *out = (PrDiagnosis){ .step = PR_STEP_QUEUED, .words = "", .is_over = TRUE };
  if (g_strcmp0 (kind, "sign-in-needed") == 0)
    {
      if (route == NULL || g_strcmp0 (pr_dict_string (event, "route"), route) != 0)
        return FALSE;
      out->step = PR_STEP_SECURED;
      out->remedy = PR_REMEDY_SIGN_IN;
      out->words = _ ("The provider did not accept the name or the password. Mail waits and goes "
                      "out as soon as they are right.");
      return TRUE;
    }
  if (!is_it)
    return FALSE;

  if (g_strcmp0 (kind, "delivered") == 0)
    {
      out->is_good = TRUE;
      out->step = PR_STEP_ACCEPTED;
      out->words = _ ("It works: the provider took the test mail.");
      return TRUE;
    }
  if (g_strcmp0 (kind, "deferred") == 0 || g_strcmp0 (kind, "failed") == 0)
    {
      find_row (event, out);
      return TRUE;
    }
  if (g_strcmp0 (kind, "held") == 0)
    {
      out->words = _ ("The mail is held and does not go out. The log says why.");
      return TRUE;
    }
  return FALSE;
}
