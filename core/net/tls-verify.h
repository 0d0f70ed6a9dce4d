/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "net/tls.h"

G_BEGIN_DECLS

/* Whether a server is who it should be. Internal to core/net. */

/* By the credentials' trust and the name (RFC 6125, 7817; @host may be an address). NULL: it is;
 * else what is wrong, in words. (transfer full) */
char *pr_tls_check_peer (gnutls_session_t session, const char *host, gnutls_x509_crt_t certificate);
/* By TLSA records, as RFC 7672 §3.1 uses them: DANE-EE and DANE-TA. @records: (nullable)
 * (element-type PrTlsa). @names: (nullable): what else a certificate under DANE-TA may be for. */
gboolean pr_tls_matches_tlsa (gnutls_session_t session, const char *host, GPtrArray *records,
                              const char *const *names);

G_END_DECLS
