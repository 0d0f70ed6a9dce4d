/* SPDX-License-Identifier: GPL-3.0-or-later */

/* envelope.c: what MAIL and RCPT said of one message. */

#include "smtp/envelope.h"

void
pr_recipient_clear (PrRecipient *self)
{
  g_clear_pointer (&self->address, g_free);
  g_clear_pointer (&self->orcpt, g_free);
  self->notify = PR_NOTIFY_UNSET;
}

static void
clear_recipient (gpointer data)
{
  pr_recipient_clear (data);
}

PrEnvelope *
pr_envelope_new (void)
{
  PrEnvelope *self = g_new0 (PrEnvelope, 1);

  self->recipients = g_array_new (FALSE, FALSE, sizeof (PrRecipient));
  g_array_set_clear_func (self->recipients, clear_recipient);

  return self;
}

void
pr_envelope_free (PrEnvelope *self)
{
  if (self == NULL)
    return;

  g_array_unref (self->recipients);
  g_free (self->sender);
  g_free (self->envid);
  g_free (self);
}

void
pr_envelope_add_recipient (PrEnvelope *self, const char *address, PrNotify notify,
                           const char *orcpt)
{
  PrRecipient recipient = {
    .address = g_strdup (address),
    .orcpt = g_strdup (orcpt),
    .notify = notify,
  };

  g_array_append_val (self->recipients, recipient);
}
