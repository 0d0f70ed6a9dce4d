/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/port.h"

PrPort *
pr_port_new (PrConfig *config, const PrListenerConfig *listener)
{
  PrPort *self = g_new0 (PrPort, 1);

  g_ref_count_init (&self->refs);
  self->config = pr_config_ref (config);
  self->name = g_strdup (listener->name);
  self->listener = listener;
  self->options.hostname = config->hostname;
  self->options.max_message_size_octets = config->max_message_size_octets;
  self->options.max_recipients = config->max_recipients;
  self->options.legacy = listener->legacy;
  self->options.offers_tls = listener->tls == PR_TLS_STARTTLS || listener->tls == PR_TLS_REQUIRED;
  self->options.requires_tls = listener->tls == PR_TLS_REQUIRED;
  self->tls = listener->tls;

  return self;
}

PrPort *
pr_port_ref (PrPort *self)
{
  g_ref_count_inc (&self->refs);
  return self;
}

void
pr_port_unref (PrPort *self)
{
  if (!g_ref_count_dec (&self->refs))
    return;

  pr_config_unref (self->config);
  g_free (self->name);
  g_free (self);
}
