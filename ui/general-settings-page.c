/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "general-settings-page.h"

#include <glib/gi18n.h>

#include "change.h"
#include "control/client.h"
#include "rows.h"
#include "setting-group.h"
#include "toast.h"

/* The words of [desktop] notify. */
static const struct
{
  const char *word, *title, *subtitle;
} notices[] = {
  { "sign-in", N_ ("Sign-In Needed"), N_ ("A mail provider wants you to sign in again") },
  { "failures", N_ ("Mail Failed"), N_ ("A message could not be delivered for good") },
  { "routes", N_ ("Failing Routes"), N_ ("A provider could not be reached for a while") },
  { "devices", N_ ("Refused Devices"), N_ ("A device in your network may not send yet") },
  { "disk", N_ ("Full Disk"), N_ ("There is too little space to accept mail") },
  { "certificates", N_ ("Certificates"), N_ ("A certificate ends soon or was renewed") },
};

struct _PrGeneralSettingsPage
{
  PrSettingsPage parent_instance;

  GtkSwitch *start; /* template children */
  AdwPreferencesGroup *notices;
  GtkSwitch *switches[G_N_ELEMENTS (notices)]; /* borrowed */
  gboolean is_updating;                        /* what changes is not a person's doing */
};

G_DEFINE_FINAL_TYPE (PrGeneralSettingsPage, pr_general_settings_page, PR_TYPE_SETTINGS_PAGE)

static void
set_switch (PrGeneralSettingsPage *self, GtkSwitch *toggle, gboolean active)
{
  self->is_updating = TRUE;
  gtk_switch_set_active (toggle, active);
  self->is_updating = FALSE;
}

/* ── Starting at login ────────────────────────────────────────────────────────────────────── */

static void
on_start_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrGeneralSettingsPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  gboolean starts;
  const char *why;

  gtk_widget_set_sensitive (GTK_WIDGET (self->start), TRUE);
  if (answer == NULL)
    {
      set_switch (self, self->start, !gtk_switch_get_active (self->start));
      pr_toast_show (GTK_WIDGET (self), error->message);
      return;
    }
  g_variant_get (answer, "(b&s)", &starts, &why);
  set_switch (self, self->start, starts);
  if (*why != '\0')
    pr_toast_show (GTK_WIDGET (self), why);
}

static void
on_start (PrGeneralSettingsPage *self)
{
  if (self->is_updating)
    return;

  /* The desktop may ask its person: the answer may take as long as they do. */
  gtk_widget_set_sensitive (GTK_WIDGET (self->start), FALSE);
  pr_service_call (pr_settings_page_get_service (PR_SETTINGS_PAGE (self)), "Service1",
                   "SetStartAtLogin", g_variant_new ("(b)", gtk_switch_get_active (self->start)),
                   "(bs)", NULL, on_start_set, g_object_ref (self));
}

static void
update_status (PrSettingsPage *page, GVariant *status)
{
  PrGeneralSettingsPage *self = PR_GENERAL_SETTINGS_PAGE (page);

  if (gtk_widget_get_sensitive (GTK_WIDGET (self->start)))
    set_switch (self, self->start, pr_dict_boolean (status, "start-at-login"));
}

/* ── Notifications ────────────────────────────────────────────────────────────────────────── */

static void
on_notice_done (GtkWidget *widget, const char *fault)
{
  PrSettingsPage *page = PR_SETTINGS_PAGE (widget);

  if (fault == NULL)
    return;

  pr_toast_show (widget, pr_change_trim_fault (fault, "desktop", "notify"));
  PR_SETTINGS_PAGE_GET_CLASS (page)->update (page);
}

static void
on_notice (GtkSwitch *toggle, GParamSpec *pspec, PrGeneralSettingsPage *self)
{
  const char *word = g_object_get_data (G_OBJECT (toggle), "word");
  const char *edit[4] = { gtk_switch_get_active (toggle) ? "add" : "take", "desktop", "notify",
                          word };

  if (!self->is_updating)
    pr_change_one (GTK_WIDGET (self), pr_settings_page_get_service (PR_SETTINGS_PAGE (self)), edit,
                   gtk_switch_get_active (toggle) ? _ ("The notification is on")
                                                  : _ ("The notification is off"),
                   on_notice_done);
}

static void
update (PrSettingsPage *page)
{
  PrGeneralSettingsPage *self = PR_GENERAL_SETTINGS_PAGE (page);
  PrSettings *settings = pr_settings_page_get_settings (page);
  g_autofree char *value = pr_settings_get_value (settings, "desktop", "notify", NULL);
  g_auto (GStrv) words = g_strsplit (value, ";", -1);

  for (char **word = words; *word != NULL; word++)
    g_strstrip (*word);
  for (gsize i = 0; i < G_N_ELEMENTS (notices); i++)
    set_switch (self, self->switches[i],
                g_strv_contains ((const char *const *) words, notices[i].word));
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_general_settings_page_class_init (PrGeneralSettingsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  PrSettingsPageClass *page_class = PR_SETTINGS_PAGE_CLASS (klass);

  page_class->update = update;
  page_class->update_status = update_status;
  g_type_ensure (PR_TYPE_SETTING_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "general-settings-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrGeneralSettingsPage, start);
  gtk_widget_class_bind_template_child (widget_class, PrGeneralSettingsPage, notices);
  gtk_widget_class_bind_template_callback (widget_class, on_start);
}

static void
pr_general_settings_page_init (PrGeneralSettingsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  for (gsize i = 0; i < G_N_ELEMENTS (notices); i++)
    {
      GtkWidget *row = pr_row_new (_ (notices[i].title), _ (notices[i].subtitle));

      self->switches[i] = GTK_SWITCH (pr_row_add_switch (row));
      g_object_set_data (G_OBJECT (self->switches[i]), "word", (gpointer) notices[i].word);
      g_signal_connect_object (self->switches[i], "notify::active", G_CALLBACK (on_notice), self,
                               0);
      adw_preferences_group_add (self->notices, row);
    }
}
