/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What stands in a certificate, for people. */
typedef struct
{
  char **names; /* owned, NULL-terminated: host names and addresses it is for */
  char *issuer; /* owned: who signed it; "" where nobody is named */
  gboolean is_self_signed;
  gint64 from_s, expiry_s; /* since the epoch */
  guint8 sha256[32];       /* of its DER form */
} PrCertificate;

/* @pem: what counts is the first; NULL: it is none. */
PrCertificate *pr_certificate_read (GBytes *pem);
void pr_certificate_free (PrCertificate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrCertificate, pr_certificate_free)

G_END_DECLS
