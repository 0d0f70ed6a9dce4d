/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/sasl.h"

G_BEGIN_DECLS

typedef enum
{
  PR_EXT_PIPELINING = 1 << 0,
  PR_EXT_SIZE = 1 << 1,
  PR_EXT_8BITMIME = 1 << 2,
  PR_EXT_SMTPUTF8 = 1 << 3,
  PR_EXT_DSN = 1 << 4,
  PR_EXT_CHUNKING = 1 << 5,
  PR_EXT_BINARYMIME = 1 << 6, /* only together with CHUNKING and PIPELINING, see below */
  PR_EXT_STARTTLS = 1 << 7,
  PR_EXT_AUTH = 1 << 8,
  PR_EXT_ENHANCED = 1 << 9,
  PR_EXT_LIMITS = 1 << 10,
  PR_EXT_REQUIRETLS = 1 << 11, /* RFC 8689; means something on a secure connection only */
} PrExtensions;

/**
 * PrCapabilities: what the next hop said to EHLO (RFC 5321 §4.1.1.1). A plain value.
 */
typedef struct
{
  PrExtensions extensions;
  guint64 max_size_octets;     /* SIZE (RFC 1870); 0: not said or no limit */
  guint max_recipients;        /* LIMITS RCPTMAX (RFC 9422 §4); 0: not said */
  guint max_transactions;      /* LIMITS MAILMAX; 0: not said */
  PrSaslMechanisms mechanisms; /* AUTH (RFC 4954), those that are known here */
} PrCapabilities;

/* @text: the lines of the reply to EHLO, joined by '\n', the first one the greeting. What is
 * unknown or malformed is ignored. BINARYMIME is dropped where CHUNKING or PIPELINING is missing:
 * the one cannot be used without the other (RFC 3030 §3), and chunks that each wait for a reply
 * would be slower than converting the message. */
void pr_capabilities_parse (PrCapabilities *self, const char *text);

G_END_DECLS
