/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"
#include "net/lookups.h"

G_BEGIN_DECLS

/* What a client's address and its greeting say of who it is. */

typedef enum
{
  PR_CLIENT_NAME_NONE,      /* DNS knows no name for its address */
  PR_CLIENT_NAME_FOUND,     /* a name that leads back to the address (RFC 8601 §3, "iprev") */
  PR_CLIENT_NAME_DIFFERENT, /* its names lead elsewhere: anybody may claim them */
  PR_CLIENT_NAME_UNKNOWN,   /* DNS did not answer */
} PrClientNameStatus;

typedef struct
{
  PrClientNameStatus status;
  char *name; /* owned; FOUND */
} PrClientName;

#define PR_CLIENT_NAME_MAX 10 /* names of one address that are looked at */

/* FALSE: @lookups wants answers first; @name is untouched. */
gboolean pr_client_name_find (PrLookups *lookups, const PrIp *client, PrClientName *name);
void pr_client_name_clear (PrClientName *name);
/* Words for one that was not found. Static. */
const char *pr_client_name_describe (PrClientNameStatus status);

/* Why @helo cannot be the name of this client, in words; NULL: it may be. Printers and small
 * servers greet with names of one label, and that is nobody's fault. */
const char *pr_client_name_check_hello (const char *helo, const char *hostname, const PrIp *client);

G_END_DECLS
