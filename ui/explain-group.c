/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain-group.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "setting-words.h"

struct _PrExplainGroup
{
  AdwPreferencesGroup parent_instance;

  PrSettings *settings;      /* owned, nullable */
  GCancellable *cancellable; /* owned, nullable: of the last question */

  GtkEditable *from, *to; /* template children */
  GtkLabel *words;
};

G_DEFINE_FINAL_TYPE (PrExplainGroup, pr_explain_group, ADW_TYPE_PREFERENCES_GROUP)

typedef enum
{
  PROP_SETTINGS = 1,
} PrExplainGroupProperty;

static GParamSpec *props[PROP_SETTINGS + 1];

/* ── In words ─────────────────────────────────────────────────────────────────────────────── */

static void
add_line (GString *words, char *line)
{
  g_string_append_printf (words, "%s%s", words->len > 0 ? "\n" : "", line);
  g_free (line);
}

static void
add_passed (GString *words, GVariant *facts)
{
  g_autoptr (GVariant) passed = g_variant_lookup_value (facts, "passed", G_VARIANT_TYPE ("a(ss)"));
  const char *route, *what;
  GVariantIter iter;

  if (passed == NULL)
    return;

  g_variant_iter_init (&iter, passed);
  while (g_variant_iter_next (&iter, "(&s&s)", &route, &what))
    add_line (words, g_strdup_printf (g_str_equal (what, "senders")
                                        /* Translators: %s is a route's name */
                                        ? _ ("Passes “%s”: not for this sender.")
                                        : _ ("Passes “%s”: not for this recipient."),
                                      route));
}

static void
add_route (GString *words, GVariant *facts, const char *route)
{
  g_autoptr (GVariant) hosts = g_variant_lookup_value (facts, "hosts", G_VARIANT_TYPE ("as"));
  g_autofree const char **names = hosts != NULL ? g_variant_get_strv (hosts, NULL) : NULL;
  const char *via = pr_dict_string (facts, "via");
  const char *way = pr_setting_words_get_value ("route", "via", via != NULL ? via : "");

  /* Translators: a route's name, then its way: "By a Provider’s Server" */
  add_line (words, g_strdup_printf (_ ("Takes the route “%s”: %s."), route, way));
  if (names != NULL && names[0] != NULL)
    {
      g_autofree char *joined = g_strjoinv (", ", (char **) names);

      add_line (words, g_strdup_printf (_ ("Goes to %s."), joined));
    }
}

char *
pr_explain_group_describe (GVariant *facts)
{
  g_autoptr (GString) words = g_string_new (NULL);
  const char *refused = pr_dict_string (facts, "refused");
  const char *route = pr_dict_string (facts, "route");
  const char *reply_to = pr_dict_string (facts, "reply-to");
  const char *from = pr_dict_string (facts, "from");

  if (refused != NULL)
    {
      /* Translators: %s is what the sending program hears */
      add_line (words, g_strdup_printf (_ ("It is refused: %s."), refused));
      return g_string_free (g_steal_pointer (&words), FALSE);
    }
  add_passed (words, facts);
  if (route == NULL)
    add_line (words, g_strdup (_ ("No route takes it: it is held until one does.")));
  else
    add_route (words, facts, route);
  if (reply_to != NULL)
    add_line (words, g_strdup_printf (_ ("Leaves as From %s, answers go to %s."), from, reply_to));
  return g_string_free (g_steal_pointer (&words), FALSE);
}

/* ── Asking ───────────────────────────────────────────────────────────────────────────────── */

static void
on_explained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrExplainGroup) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) facts = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
  g_autofree char *words = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  words = facts != NULL ? pr_explain_group_describe (facts) : g_strdup (error->message);
  gtk_label_set_label (self->words, words);
  gtk_widget_set_visible (GTK_WIDGET (self->words), TRUE);
}

static void
on_explain (PrExplainGroup *self)
{
  if (self->settings == NULL)
    return;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  pr_service_call (
    pr_settings_get_service (self->settings), "Configuration1", "Explain",
    g_variant_new ("(ss)", gtk_editable_get_text (self->from), gtk_editable_get_text (self->to)),
    "(a{sv})", self->cancellable, on_explained, g_object_ref (self));
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_explain_group_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PrExplainGroup *self = PR_EXPLAIN_GROUP (object);

  switch ((PrExplainGroupProperty) id)
    {
    case PROP_SETTINGS: g_set_object (&self->settings, g_value_get_object (value)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_explain_group_finalize (GObject *object)
{
  PrExplainGroup *self = PR_EXPLAIN_GROUP (object);

  g_clear_object (&self->settings);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (pr_explain_group_parent_class)->finalize (object);
}

static void
pr_explain_group_class_init (PrExplainGroupClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->set_property = pr_explain_group_set_property;
  object_class->finalize = pr_explain_group_finalize;
  props[PROP_SETTINGS] = g_param_spec_object ("settings", NULL, NULL, PR_TYPE_SETTINGS,
                                              G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "explain-group.ui");
  gtk_widget_class_bind_template_child (widget_class, PrExplainGroup, from);
  gtk_widget_class_bind_template_child (widget_class, PrExplainGroup, to);
  gtk_widget_class_bind_template_child (widget_class, PrExplainGroup, words);
  gtk_widget_class_bind_template_callback (widget_class, on_explain);
}

static void
pr_explain_group_init (PrExplainGroup *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
