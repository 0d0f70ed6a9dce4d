/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/mail-outline.h"
#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrMailReader: what is in one message of the queue, asked for a piece at a time: headers and text
 * come first, attachments are found while the rest passes by. However large the message, it keeps
 * its outline and the beginnings of a few texts, and a step of it is a few milliseconds.
 */
typedef struct _PrMailReader PrMailReader;

/* Something is known that was not. */
typedef void (*PrMailReaderChanged) (gpointer user_data);

/* Begins at once. @service: referenced. @id: copied. @changed: never after the reader was freed. */
PrMailReader *pr_mail_reader_new (PrService *service, const char *id, PrMailReaderChanged changed,
                                  gpointer user_data);
void pr_mail_reader_free (PrMailReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrMailReader, pr_mail_reader_free)

/* (transfer none) */
PrMailOutline *pr_mail_reader_get_outline (PrMailReader *self);
/* What people wrote, as far as it is there: each text in its place, of alternatives the plain one.
 * Valid until the next turn. */
const char *pr_mail_reader_get_text (PrMailReader *self);
/* More was written than is shown. */
gboolean pr_mail_reader_is_cut (PrMailReader *self);
/* Some of it was HTML. */
gboolean pr_mail_reader_was_html (PrMailReader *self);
gboolean pr_mail_reader_is_done (PrMailReader *self);
/* (nullable): why it could not be read to its end, for people. */
const char *pr_mail_reader_get_error (PrMailReader *self);

G_END_DECLS
