/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "attention-card.h"

#include <glib/gi18n.h>

#include "control/client.h"

struct _PrAttentionCard
{
  GtkWidget parent_instance;

  GVariant *alert; /* owned */

  GtkBox *content; /* template children */
  GtkImage *icon;
  GtkLabel *title, *body;
  GtkBox *buttons;
  GtkButton *dismiss;
};

G_DEFINE_FINAL_TYPE (PrAttentionCard, pr_attention_card, GTK_TYPE_WIDGET)

typedef enum
{
  SIGNAL_ANSWERED,
  N_SIGNALS
} PrAttentionCardSignal;

static guint signals[N_SIGNALS];

typedef struct
{
  const char *kind;
  const char *icon;
  const char *style;    /* of the icon */
  gboolean is_passing;  /* a person may put it away */
  gboolean needs_place; /* `show` leads somewhere else */
} Kind;

static const Kind kinds[] = {
  { "set-up", "mail-send-symbolic", "accent", FALSE, FALSE },
  { "sign-in", "dialog-password-symbolic", "error", FALSE, FALSE },
  { "failures", "dialog-error-symbolic", "error", TRUE, TRUE },
  { "routes", "network-error-symbolic", "warning", FALSE, TRUE },
  { "devices", "action-unavailable-symbolic", "warning", TRUE, TRUE },
  { "disk", "drive-harddisk-symbolic", "error", FALSE, FALSE },
  { "certificates", "channel-secure-symbolic", "warning", TRUE, FALSE },
};
static const Kind unknown = { NULL, "dialog-warning-symbolic", "warning", TRUE, FALSE };

typedef struct
{
  const char *action;
  const char *label; /* as C_ ("attention", …), with a mnemonic */
  gboolean is_suggested;
} Button;

static const Button all_buttons[] = {
  { "set-up", NC_ ("attention", "_Set Up…"), TRUE },
  { "sign-in", NC_ ("attention", "Sign _In…"), TRUE },
  { "allow", NC_ ("attention", "_Allow"), FALSE },
  { "block", NC_ ("attention", "_Block"), FALSE },
  { "try-again", NC_ ("attention", "_Try Again"), FALSE },
  { "show", NC_ ("attention", "S_how"), FALSE },
};

static const Kind *
find_kind (GVariant *alert)
{
  const char *name = pr_dict_string (alert, "kind");

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (kinds[i].kind, name) == 0)
      return &kinds[i];

  return &unknown;
}

static void
on_clicked (PrAttentionCard *self, GtkWidget *button)
{
  g_signal_emit (self, signals[SIGNAL_ANSWERED], 0, gtk_widget_get_name (button));
}

static void
on_dismissed (PrAttentionCard *self)
{
  g_signal_emit (self, signals[SIGNAL_ANSWERED], 0, "dismiss");
}

static void
add_button (PrAttentionCard *self, const Button *row)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (g_dpgettext2 (NULL, "attention", row->label));

  gtk_widget_set_name (button, row->action);
  if (row->is_suggested)
    gtk_widget_add_css_class (button, "suggested-action");
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_clicked), self, G_CONNECT_SWAPPED);
  gtk_box_append (self->buttons, button);
}

static void
show_buttons (PrAttentionCard *self, const Kind *kind)
{
  g_autofree const char **actions = NULL;
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->buttons))) != NULL)
    gtk_box_remove (self->buttons, child);
  if (!g_variant_lookup (self->alert, "actions", "^a&s", &actions))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (all_buttons); i++)
    {
      const char *action = all_buttons[i].action;

      if (g_strv_contains (actions, action) && (kind->needs_place || !g_str_equal (action, "show")))
        add_button (self, &all_buttons[i]);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->buttons),
                          gtk_widget_get_first_child (GTK_WIDGET (self->buttons)) != NULL);
}

static void
pr_attention_card_dispose (GObject *object)
{
  PrAttentionCard *self = PR_ATTENTION_CARD (object);
  GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self));

  if (child != NULL)
    gtk_widget_unparent (child);
  g_clear_pointer (&self->alert, g_variant_unref);
  G_OBJECT_CLASS (pr_attention_card_parent_class)->dispose (object);
}

static void
pr_attention_card_class_init (PrAttentionCardClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = pr_attention_card_dispose;
  signals[SIGNAL_ANSWERED] = g_signal_new ("answered", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "attention-card.ui");
  gtk_widget_class_bind_template_child (widget_class, PrAttentionCard, content);
  gtk_widget_class_bind_template_child (widget_class, PrAttentionCard, icon);
  gtk_widget_class_bind_template_child (widget_class, PrAttentionCard, title);
  gtk_widget_class_bind_template_child (widget_class, PrAttentionCard, body);
  gtk_widget_class_bind_template_child (widget_class, PrAttentionCard, buttons);
  gtk_widget_class_bind_template_child (widget_class, PrAttentionCard, dismiss);
  gtk_widget_class_bind_template_callback (widget_class, on_dismissed);
}

static void
pr_attention_card_init (PrAttentionCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
pr_attention_card_new (GVariant *alert)
{
  PrAttentionCard *self = g_object_new (PR_TYPE_ATTENTION_CARD, NULL);

  pr_attention_card_set_alert (self, alert);
  return GTK_WIDGET (self);
}

void
pr_attention_card_set_alert (PrAttentionCard *self, GVariant *alert)
{
  const Kind *kind = find_kind (alert);
  const char *title = pr_dict_string (alert, "title");
  const char *body = pr_dict_string (alert, "body");

  g_return_if_fail (PR_IS_ATTENTION_CARD (self));

  if (self->alert != NULL && g_variant_equal (self->alert, alert))
    return;

  g_clear_pointer (&self->alert, g_variant_unref);
  self->alert = g_variant_ref_sink (alert);
  gtk_image_set_from_icon_name (self->icon, kind->icon);
  gtk_widget_set_css_classes (GTK_WIDGET (self->icon), (const char *[]){ kind->style, NULL });
  gtk_label_set_text (self->title, title != NULL ? title : "");
  gtk_label_set_text (self->body, body != NULL ? body : "");
  gtk_widget_set_visible (GTK_WIDGET (self->body), body != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->dismiss), kind->is_passing);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  title != NULL ? title : "", -1);
  show_buttons (self, kind);
}

GVariant *
pr_attention_card_get_alert (PrAttentionCard *self)
{
  return self->alert;
}
