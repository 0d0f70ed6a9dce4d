/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/capabilities.h"
#include "smtp/envelope.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * Messages for next hops that lack what they need (RFC 6152 §3, RFC 3030 §3, RFC 6531 §3.2):
 * 8-bit and binary parts become quoted-printable or base64, at any depth; signed parts and what
 * encloses a signature are never touched, and a message whose header needs UTF-8 cannot be said
 * without it: those are refused in words.
 */

/* Whether a message must be looked at before it goes to a hop with @extensions. Cheap; FALSE for
 * every hop of today but for BINARYMIME and SMTPUTF8 mail. */
gboolean pr_convert_is_due (const PrEnvelope *envelope, PrExtensions extensions);

typedef struct
{
  /* What is to be converted: one of both. Borrowed. */
  GBytes *bytes;
  const char *path;
  /* For whom. */
  const PrEnvelope *envelope; /* borrowed */
  PrExtensions extensions;
  /* Where a result goes that is not small: a file name of its own, not there yet. Borrowed. */
  const char *target_path;

  /* The answer, cleared by pr_convert_clear(). */
  PrReply refusal;     /* code 0: none; else 5yz with 5.6.3 or 5.6.7: it cannot be expressed */
  gboolean changed;    /* FALSE: send the original */
  PrBodyType body;     /* what is to be sent needs: for PrTransaction */
  gboolean smtputf8;   /* for PrTransaction: said, and the hop has it; without it, addresses that
                          need it are the client's affair */
  GBytes *result;      /* owned, changed: the new text, or NULL: it is in target_path */
  guint64 size_octets; /* of what is to be sent */
} PrConvert;

/* Looks, and converts if need be. Blocking (reads and writes files): for a thread of the pool; any
 * thread, but g_mime_init() was called. A message from a file is read in pieces and the result
 * streams to @target_path: flat in memory for any size. Errors: TEMPORARY (cannot read or write);
 * the target is then removed. */
gboolean pr_convert_run (PrConvert *self, GError **error);
void pr_convert_clear (PrConvert *self);

G_END_DECLS
