/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrTranscriptView: what was said in one conversation, as it is said. Secrets are hidden by the
 * service. It holds at most PR_TRANSCRIPT_VIEW_MAX octets, the latest; it follows the end unless a
 * person scrolled up. What was read stays when the conversation ends.
 */
#define PR_TYPE_TRANSCRIPT_VIEW (pr_transcript_view_get_type ())
G_DECLARE_FINAL_TYPE (PrTranscriptView, pr_transcript_view, PR, TRANSCRIPT_VIEW, GtkWidget)

#define PR_TRANSCRIPT_VIEW_MAX (256 * 1024)

/* @id: 0: shows nothing. */
void pr_transcript_view_show (PrTranscriptView *self, PrService *service, guint64 id);

G_END_DECLS
