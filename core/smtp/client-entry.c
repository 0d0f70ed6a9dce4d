/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a connection becomes usable. The owner decides at each IDLE what comes next.
 *
 *   GREETING → EHLO → IDLE → STARTTLS → SECURING → EHLO → IDLE → AUTH → IDLE → messages
 *                 ↘ HELO ↗
 */
#include <string.h>

#include "common/error.h"
#include "smtp/client-private.h"

static void
introduce (PrClient *self, PrClientState state, GString *out)
{
  const char *verb = self->lmtp ? "LHLO" : state == STATE_EHLO ? "EHLO" : "HELO";
  g_autofree char *line = g_strconcat (verb, " ", self->hostname, NULL);

  self->state = state;
  pr_client_say (self, line, out);
}

void
pr_client_on_greeting (PrClient *self, const PrReply *reply, GString *out)
{
  if (pr_reply_is_positive (reply))
    introduce (self, STATE_EHLO, out);
  else
    pr_client_fail_refused (self, reply, out);
}

void
pr_client_on_ehlo (PrClient *self, const PrReply *reply, GString *out)
{
  if (pr_reply_is_positive (reply))
    {
      pr_capabilities_parse (&self->hop, reply->text);
      self->state = STATE_IDLE;
      self->handler->ready (self->owner);
    }
  else if (pr_reply_is_permanent (reply) && !self->lmtp)
    introduce (self, STATE_HELO, out); /* RFC 5321 §3.2 */
  else
    pr_client_fail_refused (self, reply, out);
}

void
pr_client_on_helo (PrClient *self, const PrReply *reply, GString *out)
{
  if (!pr_reply_is_positive (reply))
    {
      pr_client_fail_refused (self, reply, out);
      return;
    }

  self->state = STATE_IDLE;
  self->handler->ready (self->owner);
}

/* ── STARTTLS (RFC 3207) ──────────────────────────────────────────────────────────────────── */

void
pr_client_start_tls (PrClient *self, GString *out)
{
  g_return_if_fail (self->state == STATE_IDLE && !self->secure);

  self->state = STATE_STARTTLS;
  pr_client_say (self, "STARTTLS", out);
}

void
pr_client_on_starttls (PrClient *self, const PrReply *reply, GString *out)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (pr_reply_is_positive (reply))
    {
      self->state = STATE_SECURING;
      self->handler->wants_tls (self->owner);
      return;
    }

  text = pr_reply_to_string (reply);
  error =
    g_error_new (PR_ERROR, PR_ERROR_TLS, "The server offers TLS but refused to begin it: %s", text);
  pr_client_fail (self, error, reply);
}

/* RFC 3207 §4.2: what was learnt in plain text is forgotten. */
void
pr_client_secured (PrClient *self, GString *out)
{
  g_return_if_fail (self->state == STATE_SECURING || self->state == STATE_GREETING);

  self->secure = TRUE;
  self->hop = (PrCapabilities){ 0 };
  pr_reply_reader_clear (&self->reader);
  if (self->state == STATE_SECURING)
    introduce (self, STATE_EHLO, out);
}

/* ── AUTH (RFC 4954) ──────────────────────────────────────────────────────────────────────── */

void
pr_client_sign_in (PrClient *self, PrSaslMechanisms mechanism, PrSaslClient *sasl, GString *out)
{
  g_autofree char *name = pr_sasl_mechanisms_to_string (mechanism);
  char *initial = pr_sasl_client_start (sasl);
  gsize start = out->len;

  g_return_if_fail (self->state == STATE_IDLE && self->sasl == NULL);

  self->state = STATE_AUTH;
  self->sasl = sasl;
  self->sasl_given_up = FALSE;
  g_string_append_printf (out, "AUTH %s%s%s\r\n", name, initial != NULL ? " " : "",
                          initial != NULL ? initial : "");
  pr_sasl_clear_secret (&initial);
  if (self->handler->trace != NULL)
    {
      g_autofree char *shown = g_strdup_printf (
        "AUTH %s%s", name, out->str[start + 5 + strlen (name)] == ' ' ? " (hidden)" : "");

      self->handler->trace (self->owner, TRUE, shown, strlen (shown));
    }
}

/* A 334: the mechanism's next line, or "*" where it cannot go on (RFC 4954 §4). */
static void
answer_challenge (PrClient *self, const char *challenge, GString *out)
{
  char *response = NULL;
  PrSaslStep step =
    self->sasl_given_up
      ? PR_SASL_BROKEN
      : pr_sasl_client_step (self->sasl, challenge != NULL ? challenge : "", &response);

  if (step == PR_SASL_REFUSED || step == PR_SASL_BROKEN)
    {
      self->sasl_given_up = TRUE;
      pr_sasl_clear_secret (&response);
    }
  g_string_append (out, self->sasl_given_up ? "*" : response != NULL ? response : "");
  g_string_append (out, "\r\n");
  pr_sasl_clear_secret (&response);
  if (self->handler->trace != NULL)
    self->handler->trace (self->owner, TRUE, self->sasl_given_up ? "*" : "(hidden)",
                          self->sasl_given_up ? 1 : 8);
}

/* @status: (nullable): what the server found wrong with a token (RFC 7628 §3.2.2); its final reply
 * mostly does not say it. */
static void
tell_refusal (PrClient *self, const PrReply *reply, const char *status)
{
  PrReply whole = { 0 };

  pr_reply_copy (&whole, reply);
  if (status != NULL)
    {
      g_autofree char *text = g_strdup_printf ("%s (%s)", reply->text, status);

      g_free (whole.text);
      whole.text = g_steal_pointer (&text);
    }
  self->handler->signed_in (self->owner, &whole);
  pr_reply_clear (&whole);
}

void
pr_client_on_auth (PrClient *self, const PrReply *reply, GString *out)
{
  g_autoptr (PrSaslClient) sasl = NULL;

  if (reply->code == 334)
    {
      answer_challenge (self, reply->text, out);
      return;
    }

  sasl = g_steal_pointer (&self->sasl);
  self->state = STATE_IDLE;
  if (pr_reply_is_positive (reply) && !self->sasl_given_up && pr_sasl_client_is_done (sasl))
    {
      self->handler->signed_in (self->owner, NULL);
    }
  else if (pr_reply_is_positive (reply))
    {
      PrReply unproven = { 0 };

      pr_reply_set (&unproven, 535, "5.7.8",
                    "The server could not prove that it knows the password; no mail goes there");
      self->handler->signed_in (self->owner, &unproven);
      pr_reply_clear (&unproven);
    }
  else
    {
      tell_refusal (self, reply, pr_sasl_client_get_oauth_status (sasl));
    }
}
