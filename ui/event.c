/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event.h"

#include "control/client.h"
#include "event-words.h"

struct _PrLogEvent
{
  GObject parent_instance;

  GVariant *event; /* owned */
};

G_DEFINE_FINAL_TYPE (PrLogEvent, pr_log_event, G_TYPE_OBJECT)

typedef enum
{
  PROP_TITLE = 1,
  PROP_DETAIL,
  PROP_TIME,
  PROP_ICON_NAME,
  PROP_CSS_CLASSES
} PrLogEventProperty;

static GParamSpec *props[PROP_CSS_CLASSES + 1];

static char **
make_classes (PrLogEvent *self)
{
  const char *tone = pr_event_words_class (self->event);
  const char *const classes[] = { tone, NULL };

  return g_strdupv ((char **) classes);
}

static void
pr_log_event_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrLogEvent *self = PR_LOG_EVENT (object);

  switch ((PrLogEventProperty) id)
    {
    case PROP_TITLE: g_value_take_string (value, pr_event_words_title (self->event)); break;
    case PROP_DETAIL: g_value_take_string (value, pr_event_words_detail (self->event)); break;
    case PROP_TIME:
      g_value_take_string (value, pr_event_words_time (pr_dict_number (self->event, "time")));
      break;
    case PROP_ICON_NAME:
      g_value_set_static_string (value, pr_event_words_icon (self->event));
      break;
    case PROP_CSS_CLASSES: g_value_take_boxed (value, make_classes (self)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_log_event_finalize (GObject *object)
{
  g_clear_pointer (&PR_LOG_EVENT (object)->event, g_variant_unref);
  G_OBJECT_CLASS (pr_log_event_parent_class)->finalize (object);
}

static void
pr_log_event_class_init (PrLogEventClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = pr_log_event_get_property;
  object_class->finalize = pr_log_event_finalize;
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_DETAIL] = g_param_spec_string ("detail", NULL, NULL, NULL, flags);
  props[PROP_TIME] = g_param_spec_string ("time", NULL, NULL, NULL, flags);
  props[PROP_ICON_NAME] = g_param_spec_string ("icon-name", NULL, NULL, NULL, flags);
  props[PROP_CSS_CLASSES] = g_param_spec_boxed ("css-classes", NULL, NULL, G_TYPE_STRV, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_log_event_init (PrLogEvent *self)
{
}

PrLogEvent *
pr_log_event_new (GVariant *event)
{
  PrLogEvent *self = g_object_new (PR_TYPE_LOG_EVENT, NULL);

  self->event = g_variant_ref_sink (event);
  return self;
}

gint64
pr_log_event_get_id (PrLogEvent *self)
{
  return pr_dict_number (self->event, "id");
}

const char *
pr_log_event_get_message (PrLogEvent *self)
{
  const char *id = pr_dict_string (self->event, "message");

  return id != NULL && *id != '\0' ? id : NULL;
}

guint64
pr_log_event_get_session (PrLogEvent *self)
{
  return (guint64) pr_dict_number (self->event, "session");
}

char *
pr_log_event_to_text (PrLogEvent *self)
{
  g_autofree char *time = pr_event_words_time (pr_dict_number (self->event, "time"));
  g_autofree char *title = pr_event_words_title (self->event);
  g_autofree char *detail = pr_event_words_detail (self->event);
  const char *message = pr_log_event_get_message (self);

  return g_strdup_printf ("%s  %s%s%s%s%s%s", time, title, *detail != '\0' ? ": " : "", detail,
                          message != NULL ? " (" : "", message != NULL ? message : "",
                          message != NULL ? ")" : "");
}
