/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a page of HTML says, as plain text: no markup, no script, no style; a link is followed by
 * where it leads, so that nobody is deceived. Nothing is ever fetched. Whatever the page, the
 * answer is at most three times as long and as much work. @html: UTF-8. (transfer full) */
char *pr_html_to_text (const char *html);

G_END_DECLS
