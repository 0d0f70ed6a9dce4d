/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/web.h"

G_BEGIN_DECLS

/* Stands in for net/web.c in a test's program: an address says what the test told; to any other one
 * there is no connection. Answers come on a later turn. */

/* @type: (nullable): Content-Type. In place of what was told before. */
void fake_web_add (const char *url, guint status, const char *type, const char *body);
/* It fails in this way. */
void fake_web_fail (const char *url, gint code, const char *words);
/* It never answers. */
void fake_web_mute (const char *url);
guint fake_web_count (void);             /* requests so far */
guint fake_web_count_open (void);        /* of them: neither answered nor cancelled */
const char *fake_web_get_ca_file (void); /* (nullable) of the last request */
void fake_web_clear (void);

G_END_DECLS
