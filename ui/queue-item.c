/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-item.h"

#include "control/client.h"

struct _PrQueueItem
{
  GObject parent_instance;

  GVariant *message; /* owned, nullable */
};

G_DEFINE_FINAL_TYPE (PrQueueItem, pr_queue_item, G_TYPE_OBJECT)

typedef enum
{
  PROP_MESSAGE = 1
} PrQueueItemProperty;

static GParamSpec *props[PROP_MESSAGE + 1];

static void
pr_queue_item_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrQueueItem *self = PR_QUEUE_ITEM (object);

  switch ((PrQueueItemProperty) id)
    {
    case PROP_MESSAGE: g_value_set_variant (value, self->message); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_queue_item_finalize (GObject *object)
{
  g_clear_pointer (&PR_QUEUE_ITEM (object)->message, g_variant_unref);
  G_OBJECT_CLASS (pr_queue_item_parent_class)->finalize (object);
}

static void
pr_queue_item_class_init (PrQueueItemClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = pr_queue_item_get_property;
  object_class->finalize = pr_queue_item_finalize;
  props[PROP_MESSAGE] =
    g_param_spec_variant ("message", NULL, NULL, G_VARIANT_TYPE_VARDICT, NULL,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_queue_item_init (PrQueueItem *self)
{
}

PrQueueItem *
pr_queue_item_new (GVariant *message)
{
  PrQueueItem *self = g_object_new (PR_TYPE_QUEUE_ITEM, NULL);

  if (message != NULL)
    self->message = g_variant_ref (message);
  return self;
}

GVariant *
pr_queue_item_get_message (PrQueueItem *self)
{
  g_return_val_if_fail (PR_IS_QUEUE_ITEM (self), NULL);

  return self->message;
}

const char *
pr_queue_item_get_id (PrQueueItem *self)
{
  g_return_val_if_fail (PR_IS_QUEUE_ITEM (self), NULL);

  return self->message != NULL ? pr_dict_string (self->message, "id") : NULL;
}

void
pr_queue_item_set_message (PrQueueItem *self, GVariant *message)
{
  g_return_if_fail (PR_IS_QUEUE_ITEM (self) && message != NULL);

  if (self->message != NULL && g_variant_equal (self->message, message))
    return;

  g_clear_pointer (&self->message, g_variant_unref);
  self->message = g_variant_ref (message);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MESSAGE]);
}
