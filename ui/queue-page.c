/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-page.h"

#include <glib/gi18n.h>

#include "control/client.h"

struct _PrQueuePage
{
  AdwBin parent_instance;

  PrService *service; /* owned */
  guint badge;        /* messages that nothing moves by itself */
};

static void
init_page (PrPageInterface *iface)
{
}

G_DEFINE_FINAL_TYPE_WITH_CODE (PrQueuePage, pr_queue_page, ADW_TYPE_BIN,
                               G_IMPLEMENT_INTERFACE (PR_TYPE_PAGE, init_page))

typedef enum
{
  PROP_SERVICE = 1,
  PROP_BADGE
} PrQueuePageProperty;

static char *
describe_waiting (gpointer unused, GVariant *status)
{
  guint64 messages = status != NULL ? (guint64) pr_dict_number (status, "messages") : 0;

  if (messages == 0)
    return g_strdup (_ ("No Mail Waits"));

  return g_strdup_printf (ngettext ("%" G_GUINT64_FORMAT " Message Waits",
                                    "%" G_GUINT64_FORMAT " Messages Wait", (gulong) messages),
                          messages);
}

static void
on_status_changed (PrQueuePage *self)
{
  GVariant *status = pr_service_get_status (self->service);
  guint badge = status != NULL ? (guint) pr_dict_number (status, "failed") : 0;

  if (self->badge != badge)
    {
      self->badge = badge;
      g_object_notify (G_OBJECT (self), "badge");
    }
}

static void
pr_queue_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  switch ((PrQueuePageProperty) id)
    {
    case PROP_SERVICE: g_value_set_object (value, self->service); break;
    case PROP_BADGE: g_value_set_uint (value, self->badge); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_queue_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  switch ((PrQueuePageProperty) id)
    {
    case PROP_SERVICE: self->service = g_value_dup_object (value); break;
    case PROP_BADGE:
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_queue_page_constructed (GObject *object)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  G_OBJECT_CLASS (pr_queue_page_parent_class)->constructed (object);
  g_signal_connect_object (self->service, "notify::status", G_CALLBACK (on_status_changed), self,
                           G_CONNECT_SWAPPED);
  on_status_changed (self);
}

static void
pr_queue_page_finalize (GObject *object)
{
  g_clear_object (&PR_QUEUE_PAGE (object)->service);
  G_OBJECT_CLASS (pr_queue_page_parent_class)->finalize (object);
}

static void
pr_queue_page_class_init (PrQueuePageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = pr_queue_page_get_property;
  object_class->set_property = pr_queue_page_set_property;
  object_class->constructed = pr_queue_page_constructed;
  object_class->finalize = pr_queue_page_finalize;
  g_object_class_override_property (object_class, PROP_SERVICE, "service");
  g_object_class_override_property (object_class, PROP_BADGE, "badge");

  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "queue-page.ui");
  gtk_widget_class_bind_template_callback (widget_class, describe_waiting);
}

static void
pr_queue_page_init (PrQueuePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
