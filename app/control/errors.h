/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/error.h"

G_BEGIN_DECLS

/* Errors on the control interface: PR_ERROR_PERMANENT is io.github.postroom.Error.Refused,
 * PR_ERROR_TEMPORARY ...Error.Later, PR_ERROR_CONFIG ...Error.Configuration. Both sides call this
 * once at start; from then on GDBus maps them both ways. What makes no sense is GDBus's own
 * InvalidArgs. */
void pr_control_errors_init (void);

G_END_DECLS
