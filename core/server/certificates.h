/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "journal/journal.h"
#include "net/loop.h"
#include "net/certificate.h"
#include "net/tls.h"

G_BEGIN_DECLS

/**
 * PrCertificates: what each listener shows under TLS: its own certificate as the configuration
 * names it, or that of the local authority. Files are read in a thread, each minute anew, so that a
 * renewed certificate, a new name or another address counts without a restart. What cannot be used
 * leaves the one before it in force; that, and a certificate that ends soon, becomes an event.
 * Owner's thread only.
 */
typedef struct _PrCertificates PrCertificates;

/* @folder: (nullable) of the local authority; NULL: there is none. @loop, @journal: borrowed. */
PrCertificates *pr_certificates_new (PrLoop *loop, PrJournal *journal, const char *folder);
/* Waits for the thread. */
void pr_certificates_free (PrCertificates *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrCertificates, pr_certificates_free)

/* Reads what @config asks for: the first time before it returns (at start: tens of milliseconds
 * where keys are made), later in a thread, and until that is done what was there under a listener's
 * name counts. */
void pr_certificates_set_config (PrCertificates *self, PrConfig *config);
/* For a new connection of that listener. NULL: TLS is off there, or not available. Borrowed. */
PrTlsServer *pr_certificates_get (PrCertificates *self, const char *listener);

typedef struct
{
  const char *listener;
  gboolean is_own;                  /* named in the configuration; else made by us */
  const PrCertificate *certificate; /* nullable: nothing is shown */
  const char *trouble;              /* nullable: what a person should know of it, in words */
} PrShownCertificate;
typedef void (*PrCertificatesFunc) (const PrShownCertificate *shown, gpointer user_data);
/* What each listener with encryption shows now. Borrowed during the call. */
void pr_certificates_list (PrCertificates *self, PrCertificatesFunc func, gpointer user_data);

G_END_DECLS
