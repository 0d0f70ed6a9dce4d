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
 *
 * Addresses outside of ASCII are always taken; whether they are allowed depends on a parameter
 * that stands behind the path, so the caller asks pr_address_is_utf8() afterwards.
 */
typedef enum
{
  PR_PATH_SENDER = 1 << 0,    /* "<>" is allowed */
  PR_PATH_RECIPIENT = 1 << 1, /* "<postmaster>" is allowed */
  PR_PATH_LENIENT = 1 << 2,   /* legacy listeners: brackets may be missing, spaces around, dots
                                 and specials where a quoted local part should be, "_" in the
                                 domain or a dot at its end */
} PrPathFlags;

/* §4.5.3.1.1 to §4.5.3.1.3, in octets */
#define PR_ADDRESS_MAX_LOCAL 64
#define PR_ADDRESS_MAX_DOMAIN 255
#define PR_ADDRESS_MAX_PATH 256 /* with its brackets */

/* Parses a path at the start of @text (the text behind "FROM:" or "TO:"; @len octets, need not
 * be terminated). Source routes are parsed and dropped. On success sets *@address (transfer
 * full, canonical) and *@end to the first octet behind the path. On failure returns FALSE and
 * sets *@fault to a static sentence that names what is wrong ("The domain has an empty label",
 * "The part before @ is longer than 64 octets"): it is meant for the reply. */
gboolean pr_path_parse (const char *text, gsize len, PrPathFlags flags, char **address,
                        const char **end, const char **fault);

/* Parses a bare address "local@domain" as configuration and headers give it. Same results. */
gboolean pr_address_parse (const char *text, char **address, const char **fault);

/* The domain of a canonical address: points into it; "" for "" and "postmaster". */
const char *pr_address_domain (const char *address);
/* (transfer full): the domain in A-label form (IDNA 2008), NULL if it is an address literal,
 * empty, or has no such form. */
char *pr_domain_to_ascii (const char *domain);
/* Whether any octet is above 127: the address needs SMTPUTF8 as it stands. */
gboolean pr_address_is_utf8 (const char *address);
/* A syntactically right host name (letters, digits, hyphens, labels 1..63, whole <= 253). */
gboolean pr_host_name_is_valid (const char *name);

G_END_DECLS
