/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "queue/message.h"

G_BEGIN_DECLS

/**
 * The header of a message that goes to a provider over HTTP. Such a provider knows no envelope: it
 * sends to all addresses of To, Cc and Bcc, and to nobody else. So
 *
 * - recipients that are in neither To nor Cc come into a Bcc field, which the provider takes out
 *   again; a Bcc field that was there is replaced, since it names no one else;
 * - an address in To or Cc that is none of the recipients would get the message although it must
 *   not (another route carries it, it has its copy, or its sender never meant it): it cannot be
 *   said to the provider, so the message does not go. Taking the address out would show the
 *   recipients another message than was written;
 * - nor does one go whose To or Cc is there twice, or not right by RFC 5322: nobody knows whom the
 *   provider would read in it.
 *
 * All other octets stay. Pure: no I/O.
 */
typedef struct
{
  GString *head;     /* owned, nullable: what is sent for the first @head_octets of the message */
  gsize head_octets; /* after which the message goes on unchanged */
  char *refusal;     /* owned, nullable: why it cannot go, and what to do, in words */
} PrHttpHead;

/* @text: the first octets of @message, the whole header if it is no larger than PR_HEADERS_MAX.
 * @indexes: the recipients (n) of this delivery. @out: uninitialised. */
void pr_http_head_make (PrHttpHead *out, const PrRouteConfig *route, const PrMessage *message,
                        const guint *indexes, guint n, const char *text, gsize len);
void pr_http_head_clear (PrHttpHead *self);

G_END_DECLS
