/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* A JSON object that holds secrets: its texts are wiped with it. What json-glib copies while it
 * reads and writes is out of reach. Internal to core/oauth. */
typedef JsonNode PrOauthJson;

/* (transfer full): NULL: this is no JSON object. @text: UTF-8. */
PrOauthJson *pr_oauth_json_parse (const char *text, gsize len);
void pr_oauth_json_free (PrOauthJson *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrOauthJson, pr_oauth_json_free)

G_END_DECLS
