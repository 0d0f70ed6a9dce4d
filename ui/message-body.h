/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/service.h"

G_BEGIN_DECLS

/* PrMessageBody: what is in a message: its text, its attachments, its headers. It is read while it
 * is shown, and nothing it names is ever fetched. */
#define PR_TYPE_MESSAGE_BODY (pr_message_body_get_type ())
G_DECLARE_FINAL_TYPE (PrMessageBody, pr_message_body, PR, MESSAGE_BODY, AdwBin)

/* @id: of a message of @service (referenced); NULL: none. */
void pr_message_body_show (PrMessageBody *self, PrService *service, const char *id);

G_END_DECLS
