/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * The path grammar of RFC 5321 §4.1.2 with the internationalised forms of RFC 6531 §3.3.
 *
 * Canonical form, used everywhere behind this module: "local@domain" where the local part is
 * quoted only if it must be, the domain is lower case (U-labels stay U-labels, NFC), and an
 * address literal keeps its brackets ("[192.0.2.1]", "[IPv6:2001:db8::1]" in RFC 5952 form).
 * The null sender is "". "postmaster" without a domain is allowed in RCPT alone (§4.1.1.3).
 */
typedef enum
{
  PR_PATH_SENDER = 1 << 0,    /* "<>" is allowed */
  PR_PATH_RECIPIENT = 1 << 1, /* "<postmaster>" is allowed */
  PR_PATH_UTF8 = 1 << 2,      /* SMTPUTF8 was said */
  PR_PATH_LENIENT = 1 << 3,   /* legacy listeners: brackets may be missing, spaces around */
} PrPathFlags;

/* Parses a path at the start of @text (the text behind "FROM:" or "TO:"; @len octets, need not
 * be terminated). Source routes are parsed and dropped. On success sets *@address (transfer
 * full, canonical) and *@end to the first octet behind the path. On failure returns FALSE and
 * sets *@fault to a static sentence that names what is wrong ("The domain has an empty label",
 * "The part before @ is longer than 64 octets"): it is meant for the reply. Limits of
 * §4.5.3.1: local part 64, domain 255, path 256 octets. */
gboolean pr_path_parse (const char *text, gsize len, PrPathFlags flags, char **address,
                        const char **end, const char **fault);

/* Parses a bare address "local@domain" as configuration and headers give it. Same results. */
gboolean pr_address_parse (const char *text, char **address, const char **fault);

/* The domain of a canonical address: points into it; "" for "" and "postmaster". */
const char *pr_address_domain (const char *address);
/* (transfer full): the domain in A-label form (IDNA 2008), NULL if it has none or cannot. */
char *pr_domain_to_ascii (const char *domain);
/* Whether any octet is above 127: the address needs SMTPUTF8 as it stands. */
gboolean pr_address_is_utf8 (const char *address);
/* A syntactically right host name (letters, digits, hyphens, labels 1..63, whole <= 253). */
gboolean pr_host_name_is_valid (const char *name);

G_END_DECLS
