/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/report.h"

G_BEGIN_DECLS

/* What a report says to people: every word of it is in report-words.c. For report.c alone. */

/* Static. */
const char *pr_report_get_subject (PrReportKind kind);
/* Appends the text part, lines of at most 76 octets where words allow, CRLF line ends.
 * @subject, @date: (nullable): of the original, UTF-8. */
void pr_report_write_text (const PrReportFacts *facts, const char *subject, const char *date,
                           GString *out);

G_END_DECLS
