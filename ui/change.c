/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "change.h"

#include <glib/gi18n.h>
#include <string.h>

#include "toast.h"

#define UNDO_S 30 /* time enough to hear it by a screen reader, and to find the button */

typedef struct
{
  GWeakRef widget;
  char *words;       /* owned: what to say when it is done; NULL: it is an undo */
  char *before;      /* owned, nullable: the text as it was; NULL: the answer has it */
  PrChangeFunc done; /* nullable */
} Change;

static Change *
change_new (GtkWidget *widget, const char *before, const char *words, PrChangeFunc done)
{
  Change *change = g_new0 (Change, 1);

  g_weak_ref_init (&change->widget, widget);
  change->before = g_strdup (before);
  change->words = g_strdup (words);
  change->done = done;
  return change;
}

static void
change_free (Change *change)
{
  g_weak_ref_clear (&change->widget);
  g_free (change->before);
  g_free (change->words);
  g_free (change);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Change, change_free)

static void
tell_fault (const Change *change, GtkWidget *widget, const char *fault)
{
  if (change->done != NULL)
    change->done (widget, fault);
  else
    pr_toast_show (widget, pr_change_trim_fault (fault, NULL, NULL));
}

static void
on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Change) change = user_data;
  g_autoptr (GtkWidget) widget = g_weak_ref_get (&change->widget);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autofree const char **faults = NULL;
  g_autofree const char **warnings = NULL;
  const char *before;

  if (widget == NULL)
    return;

  if (answer == NULL)
    {
      tell_fault (change, widget, error->message);
      return;
    }
  g_variant_get_child (answer, 0, "^a&s", &faults);
  g_variant_get_child (answer, 1, "^a&s", &warnings);
  if (faults[0] != NULL)
    {
      tell_fault (change, widget, faults[0]);
      return;
    }
  if (change->words != NULL)
    {
      if (change->before != NULL)
        before = change->before;
      else
        g_variant_get_child (answer, 2, "&s", &before);
      pr_change_offer_undo (widget, PR_SERVICE (source),
                            warnings[0] != NULL ? warnings[0] : change->words, before);
    }
  if (change->done != NULL)
    change->done (widget, NULL);
}

static void
on_undo (AdwToast *toast, GtkWidget *widget)
{
  PrService *service = g_object_get_data (G_OBJECT (toast), "service");
  const char *before = g_object_get_data (G_OBJECT (toast), "before");

  pr_service_call (service, "Configuration1", "Apply", g_variant_new ("(s)", before), "(asas)",
                   NULL, on_changed, change_new (widget, NULL, NULL, NULL));
}

/* What the one before would make again is not what was there a moment ago. */
static void
replace_offer (GtkWidget *overlay, AdwToast *toast)
{
  AdwToast *last = g_object_get_data (G_OBJECT (overlay), "undo");

  if (last != NULL)
    adw_toast_dismiss (last);
  g_object_set_data_full (G_OBJECT (overlay), "undo", g_object_ref (toast), g_object_unref);
}

void
pr_change_offer_undo (GtkWidget *widget, PrService *service, const char *words, const char *before)
{
  g_autofree char *escaped = g_markup_escape_text (words, -1);
  AdwToast *toast = adw_toast_new (escaped);
  GtkWidget *overlay = gtk_widget_get_ancestor (widget, ADW_TYPE_TOAST_OVERLAY);

  /* The widget may be a row of what is removed: what shows its toasts is there for longer. */
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_object_set_data_full (G_OBJECT (toast), "before", g_strdup (before), g_free);
  g_object_set_data_full (G_OBJECT (toast), "service", g_object_ref (service), g_object_unref);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (on_undo),
                           overlay != NULL ? overlay : widget, 0);
  adw_toast_set_timeout (toast, UNDO_S);
  if (overlay != NULL)
    replace_offer (overlay, toast);
  pr_toast_add (widget, toast);
}

void
pr_change_edit (GtkWidget *widget, PrService *service, GVariant *edits, const char *words,
                PrChangeFunc done)
{
  pr_service_call (service, "Configuration1", "Edit", g_variant_new ("(@a(ssss))", edits),
                   "(asass)", NULL, on_changed, change_new (widget, NULL, words, done));
}

void
pr_change_call (GtkWidget *widget, PrService *service, const char *method, GVariant *arguments,
                const char *reply, const char *before, const char *words, PrChangeFunc done)
{
  pr_service_call (service, "Configuration1", method, arguments, reply, NULL, on_changed,
                   change_new (widget, before, words, done));
}

void
pr_change_one (GtkWidget *widget, PrService *service, const char *const edit[4], const char *words,
               PrChangeFunc done)
{
  GVariant *only = g_variant_new ("(ssss)", edit[0], edit[1], edit[2], edit[3]);

  pr_change_edit (widget, service, g_variant_new_array (NULL, &only, 1), words, done);
}

const char *
pr_change_trim_fault (const char *fault, const char *group, const char *key)
{
  const char *bracket = strstr (fault, ": [");
  g_autofree char *place = NULL;

  if (bracket == NULL)
    return fault;

  place = g_strdup_printf ("[%s] %s: ", group != NULL ? group : "", key != NULL ? key : "");
  return g_str_has_prefix (bracket + 2, place) ? bracket + 2 + strlen (place) : bracket + 2;
}
