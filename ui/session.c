/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "service-words.h"

struct _PrSession
{
  GObject parent_instance;

  guint64 id;
  gboolean alive;
  GVariant *facts; /* owned */
  char *why;       /* owned, nullable: how it ended */
  char *title;     /* owned */
  char *subtitle;  /* owned */
};

G_DEFINE_FINAL_TYPE (PrSession, pr_session, G_TYPE_OBJECT)

typedef enum
{
  PROP_TITLE = 1,
  PROP_SUBTITLE,
  PROP_ICON_NAME,
  PROP_ALIVE
} PrSessionProperty;

static GParamSpec *props[PROP_ALIVE + 1];

/* ── Words ────────────────────────────────────────────────────────────────────────────────── */

static gboolean
is_outbound (PrSession *self)
{
  return g_strcmp0 (pr_dict_string (self->facts, "direction"), "out") == 0;
}

/* "192.0.2.7:41234", "[2001:db8::1]:41234" or an address alone, without the port. */
static char *
strip_port (const char *peer)
{
  const char *colon = strrchr (peer, ':');

  if (*peer == '[')
    return g_strndup (peer + 1, strcspn (peer + 1, "]"));
  if (colon != NULL && strchr (peer, ':') == colon)
    return g_strndup (peer, (gsize) (colon - peer));
  return g_strdup (peer);
}

/* What a client calls itself. (nullable) */
static const char *
get_name (PrSession *self)
{
  const char *name = pr_dict_string (self->facts, "name");

  return is_outbound (self) || name == NULL || *name == '\0' ? NULL : name;
}

static char *
make_title (PrSession *self)
{
  const char *peer = pr_dict_string (self->facts, "peer");
  const char *name = get_name (self);

  if (is_outbound (self))
    return g_strdup (peer != NULL ? peer : _ ("Next server"));
  return name != NULL ? g_strdup (name) : strip_port (peer != NULL ? peer : "");
}

static char *
make_state (PrSession *self)
{
  const char *state = pr_dict_string (self->facts, "state");

  if (self->alive)
    return g_strdup (state != NULL ? pr_service_words (state) : "");
  return self->why != NULL ? g_strdup_printf (_ ("Ended: %s"), pr_service_words (self->why))
                           : g_strdup (_ ("Ended"));
}

/* "192.0.2.7 · waiting for a command · 3 messages" */
static void
append_part (GString *text, const char *part)
{
  if (*part != '\0')
    g_string_append_printf (text, "%s%s", text->len > 0 ? " · " : "", part);
}

static char *
make_subtitle (PrSession *self)
{
  g_autofree char *state = make_state (self);
  const char *peer = pr_dict_string (self->facts, "peer");
  guint messages = (guint) pr_dict_number (self->facts, "messages");
  g_autoptr (GString) text = g_string_new (NULL);

  if (get_name (self) != NULL && peer != NULL)
    {
      g_autofree char *address = strip_port (peer);

      append_part (text, address);
    }
  append_part (text, state);
  if (messages > 0)
    {
      g_autofree char *count =
        g_strdup_printf (ngettext ("%u message", "%u messages", messages), messages);

      append_part (text, count);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
add_line (GString *text, const char *label, const char *value)
{
  if (value != NULL && *value != '\0')
    g_string_append_printf (text, "%s%s: %s", text->len > 0 ? "\n" : "", label, value);
}

static void
set_text (PrSession *self, char **field, char *text, PrSessionProperty prop)
{
  gboolean changed = g_strcmp0 (*field, text) != 0;

  g_free (*field);
  *field = text;
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[prop]);
}

static void
renew_words (PrSession *self)
{
  set_text (self, &self->title, make_title (self), PROP_TITLE);
  set_text (self, &self->subtitle, make_subtitle (self), PROP_SUBTITLE);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_session_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrSession *self = PR_SESSION (object);

  switch ((PrSessionProperty) id)
    {
    case PROP_TITLE: g_value_set_string (value, self->title); break;
    case PROP_SUBTITLE: g_value_set_string (value, self->subtitle); break;
    case PROP_ICON_NAME:
      g_value_set_static_string (value, is_outbound (self) ? "network-transmit-symbolic"
                                                           : "network-receive-symbolic");
      break;
    case PROP_ALIVE: g_value_set_boolean (value, self->alive); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_session_finalize (GObject *object)
{
  PrSession *self = PR_SESSION (object);

  g_clear_pointer (&self->facts, g_variant_unref);
  g_free (self->why);
  g_free (self->title);
  g_free (self->subtitle);
  G_OBJECT_CLASS (pr_session_parent_class)->finalize (object);
}

static void
pr_session_class_init (PrSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = pr_session_get_property;
  object_class->finalize = pr_session_finalize;
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_SUBTITLE] = g_param_spec_string ("subtitle", NULL, NULL, NULL, flags);
  props[PROP_ICON_NAME] = g_param_spec_string ("icon-name", NULL, NULL, NULL, flags);
  props[PROP_ALIVE] = g_param_spec_boolean ("alive", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_session_init (PrSession *self)
{
}

PrSession *
pr_session_new (GVariant *facts)
{
  PrSession *self = g_object_new (PR_TYPE_SESSION, NULL);

  self->id = (guint64) pr_dict_number (facts, "id");
  self->alive = TRUE;
  self->facts = g_variant_ref_sink (facts);
  renew_words (self);
  return self;
}

PrSession *
pr_session_new_ended (GVariant *event)
{
  PrSession *self = g_object_new (PR_TYPE_SESSION, NULL);

  self->id = (guint64) pr_dict_number (event, "session");
  self->facts = g_variant_ref_sink (event);
  self->why = g_strdup (pr_dict_string (event, "text"));
  renew_words (self);
  return self;
}

void
pr_session_update (PrSession *self, GVariant *facts)
{
  g_return_if_fail (PR_IS_SESSION (self));

  g_variant_ref_sink (facts);
  g_variant_unref (self->facts);
  self->facts = facts;
  renew_words (self);
}

void
pr_session_end (PrSession *self, const char *why)
{
  g_return_if_fail (PR_IS_SESSION (self));

  if (why != NULL && self->why == NULL)
    self->why = g_strdup (why);
  if (self->alive)
    {
      self->alive = FALSE;
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ALIVE]);
    }
  renew_words (self);
}

guint64
pr_session_get_id (PrSession *self)
{
  return self->id;
}

gboolean
pr_session_is_alive (PrSession *self)
{
  return self->alive;
}

const char *
pr_session_get_title (PrSession *self)
{
  return self->title;
}

char *
pr_session_describe (PrSession *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *state = make_state (self);
  const char *tls = pr_dict_string (self->facts, "tls");
  g_autofree char *in = g_format_size ((guint64) pr_dict_number (self->facts, "octets-in"));
  g_autofree char *out = g_format_size ((guint64) pr_dict_number (self->facts, "octets-out"));
  g_autofree char *sizes = g_strdup_printf (_ ("%s in, %s out"), in, out);

  add_line (text, _ ("State"), state);
  add_line (text, _ ("Address"), pr_dict_string (self->facts, "peer"));
  add_line (text, _ ("Encryption"), tls != NULL && *tls != '\0' ? tls : _ ("none"));
  add_line (text, _ ("User"), pr_dict_string (self->facts, "user"));
  add_line (text, _ ("Listener"), pr_dict_string (self->facts, "listener"));
  add_line (text, _ ("Route"), pr_dict_string (self->facts, "route"));
  if (self->alive)
    add_line (text, _ ("Traffic"), sizes);

  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
pr_session_get_client (PrSession *self)
{
  const char *peer = pr_dict_string (self->facts, "peer");

  return peer == NULL || *peer == '\0' || is_outbound (self) ? NULL : strip_port (peer);
}
