/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PR_SCRAM_ITERATIONS 10000 /* RFC 7677 §4: at least 4096 */
#define PR_SCRAM_SALT_OCTETS 16

/* What a server keeps to check @password with (RFC 5802 §3, RFC 7677):
 * "SCRAM-SHA-256$10000:salt$StoredKey:ServerKey". @password: UTF-8, normalised here. (transfer
 * full) */
char *pr_scram_make_secret (const char *password, const guint8 salt[PR_SCRAM_SALT_OCTETS],
                            guint iterations);
/* Fills @salt from the system's random source. FALSE: it has none. */
gboolean pr_scram_make_salt (guint8 salt[PR_SCRAM_SALT_OCTETS]);

G_END_DECLS
