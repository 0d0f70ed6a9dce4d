/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "net/web.h"
#include "relay/http-split.h"

G_BEGIN_DECLS

/* What Microsoft Graph and we write to each other about mailboxes, drafts and attachments. Pure. */

/* (transfer full): of the route's mailbox, below @base_url ("https://graph.microsoft.com/v1.0"). A
 * program that signs in as itself is nobody's "me". */
char *pr_graph_get_mailbox_url (const PrRouteConfig *route, const char *base_url);

/* (out): (transfer full): what stands around the attachment's octets in base64. */
void pr_graph_write_attachment (const PrHttpAttachment *attachment, char **before, char **behind);
/* (transfer full): asks for an upload session. */
char *pr_graph_write_session (const PrHttpAttachment *attachment);

/* (transfer full) (nullable): a text of the object that is the answer. */
char *pr_graph_read_text (const PrWebAnswer *answer, const char *name);

G_END_DECLS
