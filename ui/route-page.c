/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "route-page.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "rows.h"
#include "sign-in-group.h"

/* ── What rewriting makes of a sender ─────────────────────────────────────────────────────── */

/* An example: what is typed there is of no consequence. */
#define EXAMPLE "Scanner <scanner@office.example>"

static void
on_preview (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GtkWidget) row = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) facts = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
  const char *reply_to = facts != NULL ? pr_dict_string (facts, "reply-to") : NULL;
  g_autofree char *words = NULL;

  if (facts == NULL)
    return;

  words = reply_to != NULL
            /* Translators: From and Reply-To are names of fields of a mail */
            ? g_strdup_printf (_ ("Before: From %s\nAfter: From %s, Reply-To %s"), EXAMPLE,
                               pr_dict_string (facts, "from"), reply_to)
            : g_strdup_printf (_ ("From %s stays as it is"), EXAMPLE);
  pr_row_set_subtitle (row, words);
}

static void
preview (GtkWidget *row, gboolean other_groups, PrSettings *settings)
{
  const char *group = g_object_get_data (G_OBJECT (row), "group");
  g_autofree char *address = pr_settings_get_value (settings, group, "rewrite-sender", NULL);

  pr_service_call (pr_settings_get_service (settings), "Configuration1", "PreviewRewriting",
                   g_variant_new ("(ss)", EXAMPLE, address), "(a{sv})", NULL, on_preview,
                   g_object_ref (row));
}

static GtkWidget *
make_preview (PrSettings *settings, const char *group)
{
  GtkWidget *row = pr_row_new (_ ("For Example"), NULL);

  g_object_set_data_full (G_OBJECT (row), "group", g_strdup (group), g_free);
  g_signal_connect_object (settings, "changed", G_CALLBACK (preview), row, G_CONNECT_SWAPPED);
  preview (row, FALSE, settings);
  return row;
}

/* ── The page ─────────────────────────────────────────────────────────────────────────────── */

GtkWidget *
pr_route_page_new (PrSettings *settings, const char *group)
{
  GtkWidget *widget = pr_group_page_new (settings, group);
  PrGroupPage *page = PR_GROUP_PAGE (widget);
  GtkWidget *state =
    pr_sign_in_group_new (pr_settings_get_service (settings), pr_settings_get_name (group));
  GtkWidget *example = adw_preferences_group_new ();

  adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (state));
  pr_group_page_add (page, _ ("Which Mail"), "recipients senders");
  pr_group_page_add (page, _ ("Where It Goes"), "via provider hosts tls path");
  pr_group_page_add (page, _ ("Signing In"), "username auth client-id tenant oauth-flow account");
  pr_group_page_add (page, _ ("Sender"), "rewrite-sender");
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (example), make_preview (settings, group));
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (example));
  pr_group_page_add (page, _ ("Limits"),
                     "limit max-connections max-messages-per-connection connect-timeout "
                     "reply-timeout");
  pr_group_page_add (page, _ ("Whom to Trust"), "ca-file pin dane");
  /* The password goes by the route's name. */
  pr_group_page_add_end (page, NULL, _ ("Remove This Route"));
  return widget;
}
