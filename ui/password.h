/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PR_PASSWORD_LEN 16 /* some devices take no longer one */

/* A new password for a device, without letters that look like others: 79 bits of chance. NULL: the
 * system has none to give. (transfer full) */
char *pr_password_make (void);

G_END_DECLS
