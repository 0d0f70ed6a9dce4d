/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The error domain. */
#include "common/error.h"

GQuark
pr_error_quark (void)
{
  return g_quark_from_static_string ("pr-error-quark");
}
