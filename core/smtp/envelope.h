/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  PR_BODY_7BIT, /* what MAIL said or did not say (RFC 6152) */
  PR_BODY_8BITMIME,
  PR_BODY_BINARYMIME, /* RFC 3030 */
} PrBodyType;

typedef enum
{
  PR_RET_UNSET, /* RFC 3461 §4.3 */
  PR_RET_FULL,
  PR_RET_HDRS,
} PrRet;

typedef enum
{
  PR_NOTIFY_UNSET = 0, /* RFC 3461 §4.1: the same as FAILURE, but relayed as absent */
  PR_NOTIFY_NEVER = 1 << 0,
  PR_NOTIFY_SUCCESS = 1 << 1,
  PR_NOTIFY_FAILURE = 1 << 2,
  PR_NOTIFY_DELAY = 1 << 3,
} PrNotify;

/* One accepted RCPT. */
typedef struct
{
  char *address; /* owned, canonical (address.h): local@domain, or "postmaster" */
  char *orcpt;   /* owned, nullable: "addr-type;xtext" exactly as received */
  PrNotify notify;
} PrRecipient;

void pr_recipient_clear (PrRecipient *self);

/**
 * PrEnvelope: what MAIL and RCPT said of one message (RFC 5321 §2.3.1). Owns all it points to.
 */
typedef struct
{
  char *sender;                 /* owned, canonical; "" is the null sender */
  guint64 declared_size_octets; /* SIZE= of RFC 1870, 0 if absent */
  PrBodyType body;
  gboolean smtputf8;     /* RFC 6531 */
  gboolean requires_tls; /* REQUIRETLS, RFC 8689 §4: verified encryption on every step, or none */
  gboolean waives_tls;   /* "TLS-Required: No", §3: the recipient's TLS policy does not matter */
  PrRet ret;
  char *envid;        /* owned, nullable: xtext as received, RFC 3461 §4.4 */
  GArray *recipients; /* owned, of PrRecipient */
} PrEnvelope;

PrEnvelope *pr_envelope_new (void);
void pr_envelope_free (PrEnvelope *self);
/* Copies all three; @orcpt nullable. */
void pr_envelope_add_recipient (PrEnvelope *self, const char *address, PrNotify notify,
                                const char *orcpt);
#define pr_envelope_recipient(self, i) (&g_array_index ((self)->recipients, PrRecipient, (i)))
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrEnvelope, pr_envelope_free)

G_END_DECLS
