/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/client.h"

G_BEGIN_DECLS

/* The commands of a transaction as text, for client.c alone: parameters go out only where @hop
 * offered their extension. */

/* Whether recipient @index of @transaction can be asked for at @hop without a lie. FALSE sets
 * @reply (zeroed by the caller) to the 5yz that stands for it: too large (RFC 1870 §6.1), needs
 * an extension that is not there (RFC 6531 §3.2, RFC 6152 §3), an address that is none. */
gboolean pr_client_check (const PrTransaction *transaction, guint index, const PrCapabilities *hop,
                          PrReply *reply);
void pr_client_write_line (GString *out, const char *line);
void pr_client_write_mail (const PrTransaction *transaction, const PrCapabilities *hop,
                           GString *out);
void pr_client_write_rcpt (const PrTransaction *transaction, guint index, const PrCapabilities *hop,
                           GString *out);

G_END_DECLS
