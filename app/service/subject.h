/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The Subject of the message that begins with these octets, decoded (RFC 2047) and valid UTF-8;
 * NULL where there is none. (transfer full) */
char *pr_subject_read (const char *data, gsize len);

G_END_DECLS
