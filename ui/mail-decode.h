/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/mail-outline.h"

G_BEGIN_DECLS

/* PrMailDecoder: a part's octets as they were before they were encoded (RFC 2045 §6), a piece at a
 * time. What is not rightly encoded comes out as it may. */
typedef struct _PrMailDecoder PrMailDecoder;

/* @encoding: (nullable): of the part; one that is unknown changes nothing. */
PrMailDecoder *pr_mail_decoder_new (const char *encoding);
void pr_mail_decoder_free (PrMailDecoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrMailDecoder, pr_mail_decoder_free)

/* The next octets; @last: there are no more. (transfer full) */
GBytes *pr_mail_decoder_step (PrMailDecoder *self, const char *data, gsize size, gboolean last);

/* About how large the part is when decoded. */
guint64 pr_mail_part_get_size (const PrMailPart *part);
/* What a text part says, for people: valid UTF-8 without control characters but line ends and tabs;
 * HTML as text. @data: its body from the beginning, as far as it is there. (transfer full) */
char *pr_mail_part_to_text (const PrMailPart *part, const char *data, gsize size);

G_END_DECLS
