/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"
#include "smtp/capabilities.h"

G_BEGIN_DECLS

/**
 * PrPrepare: the whole text of a message for a step that runs in a thread: as octets where it is
 * small, else as the file it lies in; converted for a next hop where that was asked. One thread.
 */
typedef struct _PrPrepare PrPrepare;

typedef struct
{
  GBytes *bytes;    /* (nullable) the text, or */
  const char *path; /* (nullable) the file it is in, or */
  int fd;           /* a file without a name that is read from its beginning by pread(); -1: none */
  /* Only after a conversion: */
  const PrReply *refusal; /* (nullable) 5yz: it cannot be expressed */
  PrBodyType body;
  gboolean smtputf8;
  guint64 size_octets;
} PrPrepared;

/* @result: NULL with @error: it cannot be read or written (TEMPORARY). Valid until free. */
typedef void (*PrPrepareFunc) (const PrPrepared *result, const GError *error, gpointer user_data);

/* Only fetches. @func comes on a later turn, or from within where the text is at hand. */
PrPrepare *pr_prepare_text (PrRunner *runner, PrMessage *message, PrPrepareFunc func,
                            gpointer user_data);
/* Fetches and converts for a hop with @extensions. */
PrPrepare *pr_prepare_conversion (PrRunner *runner, PrMessage *message, PrExtensions extensions,
                                  PrPrepareFunc func, gpointer user_data);
void pr_prepare_start (PrPrepare *self);
/* At any time; @func does not come any more, and @result is gone. */
void pr_prepare_free (PrPrepare *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrPrepare, pr_prepare_free)

G_END_DECLS
