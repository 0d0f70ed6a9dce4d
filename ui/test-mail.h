/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/diagnosis.h"
#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrTestMail: sends a test mail and shows each step of its way, and in words what stands in it.
 * Signal `remedy` (u, a PrRemedy): its button was pressed; SIGN_IN and SENDER are its owner's.
 */
#define PR_TYPE_TEST_MAIL (pr_test_mail_get_type ())
G_DECLARE_FINAL_TYPE (PrTestMail, pr_test_mail, PR, TEST_MAIL, AdwBin)

/* @route: the one that is to carry it; @username: the address to begin with, if it is one. */
void pr_test_mail_prepare (PrTestMail *self, PrService *service, const char *route,
                           const char *username);
void pr_test_mail_send (PrTestMail *self);
/* The provider took the last one. */
gboolean pr_test_mail_is_good (PrTestMail *self);

G_END_DECLS
