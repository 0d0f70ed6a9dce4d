/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person should be told. */

#include "service/alerts.h"

#include <string.h>

#include "common/id.h"
#include "guard/access.h"
#include "service/alert-words.h"

#define COLLECT_US G_USEC_PER_SEC       /* what comes together is shown together */
#define UPDATE_US (10 * G_USEC_PER_SEC) /* between two versions of one alert */
#define MAX_MESSAGES 1000
#define MAX_DEVICES 3 /* alerts for one device each; then one for all */
#define MAX_SEEN 1024 /* addresses that were told already */
#define ALL_DEVICES "devices"

typedef struct
{
  PrDesktopNotice kind;
  char *id;             /* owned */
  char *subject;        /* owned: route or address */
  char *address, *text; /* owned, nullable: of the last event */
  char *title, *body;   /* owned, nullable: as they were shown last */
  char item[PR_ID_LEN + 1];
  guint n;
  gboolean by_password;
  GArray *messages;    /* owned, of gint64: failed ones */
  gboolean overflowed; /* there were more of them */
  gint64 due_us;       /* to be shown, or again; 0: not */
  gint64 shown_us;     /* 0: never */
  gboolean raised;     /* its time has come */
  gboolean on_screen;
  gboolean dismissed;
} Alert;

struct _PrAlerts
{
  const PrAlertsHost *host;
  gpointer user_data;
  PrConfig *config;  /* owned reference */
  GPtrArray *alerts; /* owned, of Alert: two for each route, three devices and a few */
  GHashTable *seen;  /* owned, of addresses of devices */
};

static void
alert_free (gpointer data)
{
  Alert *alert = data;

  g_free (alert->id);
  g_free (alert->subject);
  g_free (alert->address);
  g_free (alert->text);
  g_free (alert->title);
  g_free (alert->body);
  g_array_unref (alert->messages);
  g_free (alert);
}

/* ── Keeping ──────────────────────────────────────────────────────────────────────────────── */

static Alert *
find (const PrAlerts *self, const char *id)
{
  for (guint i = 0; i < self->alerts->len; i++)
    {
      Alert *alert = self->alerts->pdata[i];

      if (g_str_equal (alert->id, id))
        return alert;
    }

  return NULL;
}

static void
hide (PrAlerts *self, Alert *alert)
{
  if (alert->on_screen)
    self->host->withdraw (alert->id, self->user_data);
  alert->on_screen = FALSE;
}

static void
settle (PrAlerts *self, Alert *alert)
{
  hide (self, alert);
  g_ptr_array_remove (self->alerts, alert);
}

/* The one with this id, now or at its due time. */
static Alert *
raise_alert (PrAlerts *self, PrDesktopNotice kind, const char *id, const char *subject,
             gint64 due_us)
{
  Alert *alert = find (self, id);

  if (alert == NULL)
    {
      alert = g_new0 (Alert, 1);
      alert->kind = kind;
      alert->id = g_strdup (id);
      alert->messages = g_array_new (FALSE, FALSE, sizeof (gint64));
      alert->due_us = due_us;
      g_ptr_array_add (self->alerts, alert);
    }
  else if (alert->shown_us != 0 && alert->due_us == 0)
    {
      alert->due_us = MAX (due_us, alert->shown_us + UPDATE_US);
    }
  g_free (alert->subject);
  alert->subject = g_strdup (subject);

  return alert;
}

static void
set_words (Alert *alert, const PrEvent *event)
{
  g_free (alert->text);
  g_free (alert->address);
  alert->text = g_strdup (event->text);
  alert->address = g_strdup (event->address);
}

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

static char *
route_id (const char *kind, const char *route)
{
  return g_strconcat (kind, "/", route, NULL);
}

static void
take_sign_in (PrAlerts *self, const PrEvent *event, gint64 now_us)
{
  g_autofree char *id = NULL;

  if (event->route == NULL)
    return;

  id = route_id ("sign-in", event->route);
  set_words (raise_alert (self, PR_NOTICE_SIGN_IN, id, event->route, now_us + COLLECT_US), event);
}

/* Of a route that goes straight to recipients' servers, one that is away is everyday life. */
static void
take_hop_failed (PrAlerts *self, const PrEvent *event, gint64 now_us)
{
  const PrRouteConfig *route =
    event->route != NULL ? pr_config_get_route (self->config, event->route) : NULL;
  gint64 due_us = now_us + (gint64) self->config->notify_after_s * G_USEC_PER_SEC;
  g_autofree char *id = NULL;

  if (route == NULL || route->via == PR_VIA_MX)
    return;

  id = route_id ("route", event->route);
  set_words (raise_alert (self, PR_NOTICE_ROUTES, id, event->route, due_us), event);
}

/* Mail goes again on @route. */
static void
take_success (PrAlerts *self, const char *route)
{
  for (guint i = self->alerts->len; i > 0; i--)
    {
      Alert *alert = self->alerts->pdata[i - 1];

      if ((alert->kind == PR_NOTICE_ROUTES || alert->kind == PR_NOTICE_SIGN_IN) &&
          g_strcmp0 (alert->subject, route) == 0)
        settle (self, alert);
    }
}

static void
take_failure (PrAlerts *self, const PrEvent *event, gint64 now_us)
{
  Alert *alert = raise_alert (self, PR_NOTICE_FAILURES, "failures", "", now_us + COLLECT_US);

  alert->n++;
  set_words (alert, event);
  if (event->message == 0)
    return;

  pr_id_format (event->message, alert->item);
  for (guint i = 0; i < alert->messages->len; i++)
    if (g_array_index (alert->messages, gint64, i) == event->message)
      return;
  if (alert->messages->len < MAX_MESSAGES)
    g_array_append_val (alert->messages, event->message);
  else
    alert->overflowed = TRUE;
}

/* A person saw to this message; when it was the last one, there is nothing left to tell. */
static void
take_seen_to (PrAlerts *self, gint64 message)
{
  Alert *alert = find (self, "failures");

  for (guint i = 0; alert != NULL && i < alert->messages->len; i++)
    if (g_array_index (alert->messages, gint64, i) == message)
      {
        g_array_remove_index_fast (alert->messages, i);
        if (alert->messages->len == 0 && !alert->overflowed)
          settle (self, alert);
        return;
      }
}

/* Only what a person's own network or computer sends: strangers try all day, and letting one of
 * them in would open the relay to the world. */
static gboolean
is_near (const char *peer, char text[PR_IP_TEXT_SIZE])
{
  static const char *const near[] = { "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
                                      "169.254.0.0/16", "fc00::/7",      NULL };
  g_autoptr (PrNetworks) networks = pr_networks_new (near, NULL);
  guint16 port;
  PrIp ip;

  if (peer == NULL || (!pr_ip_parse (peer, &ip) && !pr_ip_parse_with_port (peer, &ip, &port)))
    return FALSE;

  pr_ip_format (&ip, text);
  return pr_ip_is_loopback (&ip) || pr_networks_contain (networks, &ip);
}

static guint
count_devices (const PrAlerts *self)
{
  guint n = 0;

  for (guint i = 0; i < self->alerts->len; i++)
    n += ((Alert *) self->alerts->pdata[i])->kind == PR_NOTICE_DEVICES;

  return n;
}

static void
take_device (PrAlerts *self, const PrEvent *event, gboolean by_password, gint64 now_us)
{
  char text[PR_IP_TEXT_SIZE];
  g_autofree char *id = NULL;
  Alert *alert;

  if (!is_near (event->peer, text) || g_hash_table_contains (self->seen, text) ||
      g_hash_table_size (self->seen) >= MAX_SEEN)
    return;

  g_hash_table_add (self->seen, g_strdup (text));
  id = count_devices (self) < MAX_DEVICES ? route_id ("device", text) : g_strdup (ALL_DEVICES);
  alert = raise_alert (self, PR_NOTICE_DEVICES, id, text, now_us + COLLECT_US);
  alert->n++;
  alert->by_password = by_password;
}

static void
take_refused (PrAlerts *self, const PrEvent *event, gint64 now_us)
{
  if (event->text != NULL && g_str_has_suffix (event->text, PR_ACCESS_NO_RELAY))
    take_device (self, event, FALSE, now_us);
}

static void
take_id (PrAlerts *self, const char *id)
{
  Alert *alert = find (self, id);

  if (alert != NULL)
    settle (self, alert);
}

void
pr_alerts_take (PrAlerts *self, const PrEvent *event, gint64 now_us)
{
  if (event->kind == PR_EVENT_SIGN_IN_NEEDED)
    take_sign_in (self, event, now_us);
  else if (event->kind == PR_EVENT_HOP_FAILED)
    take_hop_failed (self, event, now_us);
  else if (event->kind == PR_EVENT_HOP_RECOVERED || event->kind == PR_EVENT_DELIVERED)
    take_success (self, event->route);
  else if (event->kind == PR_EVENT_FAILED)
    take_failure (self, event, now_us);
  else if (event->kind == PR_EVENT_RETRIED || event->kind == PR_EVENT_DELETED)
    take_seen_to (self, event->message);
  else if (event->kind == PR_EVENT_REFUSED)
    take_refused (self, event, now_us);
  else if (event->kind == PR_EVENT_CLIENT_REFUSED)
    take_device (self, event, TRUE, now_us);
  else if (event->kind == PR_EVENT_SPACE_LOW)
    raise_alert (self, PR_NOTICE_DISK, "disk", "", now_us + COLLECT_US);
  else if (event->kind == PR_EVENT_SPACE_OK)
    take_id (self, "disk");
  else if (event->kind == PR_EVENT_CERTIFICATE)
    set_words (raise_alert (self, PR_NOTICE_CERTIFICATES, "certificate", "", now_us + COLLECT_US),
               event);
  else if (event->kind == PR_EVENT_CERTIFICATE_RENEWED)
    take_id (self, "certificate");
}

/* ── Showing ──────────────────────────────────────────────────────────────────────────────── */

/* Nobody is asked to lock this computer out. */
static guint
device_actions (const Alert *alert)
{
  guint allow = alert->by_password ? 0 : (guint) PR_ALERT_ALLOW;
  PrIp ip;

  if (g_str_equal (alert->id, ALL_DEVICES))
    return PR_ALERT_SHOW;

  return pr_ip_parse (alert->subject, &ip) && pr_ip_is_loopback (&ip) ? allow | PR_ALERT_SHOW
                                                                      : allow | PR_ALERT_BLOCK;
}

static guint
actions_of (const PrAlerts *self, const Alert *alert)
{
  gboolean kept = self->host->count_kept (self->user_data) > 0;

  switch (alert->kind)
    {
    case PR_NOTICE_SIGN_IN: return PR_ALERT_SIGN_IN;
    case PR_NOTICE_FAILURES:
      return PR_ALERT_SHOW | (kept && alert->messages->len > 0 ? (guint) PR_ALERT_TRY_AGAIN : 0);
    case PR_NOTICE_ROUTES: return PR_ALERT_SHOW | PR_ALERT_TRY_AGAIN;
    case PR_NOTICE_DEVICES: return device_actions (alert);
    case PR_NOTICE_DISK:
    case PR_NOTICE_CERTIFICATES:
    default: return PR_ALERT_SHOW;
    }
}

static const char *
page_of (const PrAlerts *self, const Alert *alert)
{
  switch (alert->kind)
    {
    case PR_NOTICE_SIGN_IN: return "sign-in";
    case PR_NOTICE_FAILURES: /* what nobody is told of is still there; the rest is history */
      return self->host->count_kept (self->user_data) > 0 ? "queue" : "log";
    case PR_NOTICE_ROUTES: return "queue";
    case PR_NOTICE_DEVICES: return "log";
    case PR_NOTICE_DISK:
    case PR_NOTICE_CERTIFICATES:
    default: return "overview";
    }
}

static const char *
item_of (const Alert *alert)
{
  if (alert->kind == PR_NOTICE_FAILURES)
    return alert->n == 1 ? alert->item : "";

  return g_str_equal (alert->id, ALL_DEVICES) ? "" : alert->subject;
}

static void
describe (const PrAlerts *self, const Alert *alert, PrAlert *out)
{
  *out = (PrAlert){
    .id = alert->id,
    .kind = alert->kind,
    .title = alert->title,
    .body = alert->body,
    .actions = actions_of (self, alert),
    .urgent = alert->kind == PR_NOTICE_SIGN_IN || alert->kind == PR_NOTICE_DISK,
    .page = page_of (self, alert),
    .item = item_of (alert),
    .subject = alert->subject,
    .messages = (const gint64 *) alert->messages->data,
    .n_messages = alert->messages->len,
  };
}

static void
show (PrAlerts *self, Alert *alert, gint64 now_us)
{
  PrAlertFacts facts = {
    .subject = alert->subject,
    .address = alert->address != NULL ? alert->address : "",
    .text = alert->text,
    .n = alert->n,
    .by_password = alert->by_password,
  };
  PrAlert shown;

  alert->raised = TRUE;
  alert->shown_us = now_us;
  g_free (alert->title);
  g_free (alert->body);
  alert->title = pr_alert_title (alert->kind, &facts);
  alert->body = g_strchomp (pr_alert_body (alert->kind, &facts));
  if (alert->dismissed || (self->config->notify & alert->kind) == 0)
    return;

  describe (self, alert, &shown);
  alert->on_screen = TRUE;
  self->host->show (&shown, self->user_data);
}

/* A sign-in that somebody did meanwhile leaves no event. */
static gboolean
is_settled (PrAlerts *self, const Alert *alert)
{
  return alert->kind == PR_NOTICE_SIGN_IN &&
         !self->host->needs_sign_in (alert->subject, self->user_data);
}

/* Without a network no route works; that is not the route's trouble. */
static gboolean
must_wait (PrAlerts *self, Alert *alert, gint64 now_us)
{
  if (alert->kind != PR_NOTICE_ROUTES || alert->raised || self->host->has_network (self->user_data))
    return FALSE;

  alert->due_us = now_us + (gint64) self->config->notify_after_s * G_USEC_PER_SEC;
  return TRUE;
}

gint64
pr_alerts_run (PrAlerts *self, gint64 now_us)
{
  gint64 next_us = 0;

  for (guint i = self->alerts->len; i > 0; i--)
    {
      Alert *alert = self->alerts->pdata[i - 1];

      if (is_settled (self, alert))
        {
          settle (self, alert);
          continue;
        }
      if (alert->due_us != 0 && alert->due_us <= now_us && !must_wait (self, alert, now_us))
        {
          alert->due_us = 0;
          show (self, alert, now_us);
        }
      if (alert->due_us != 0 && (next_us == 0 || alert->due_us < next_us))
        next_us = alert->due_us;
    }

  return next_us;
}

void
pr_alerts_repeat (PrAlerts *self, gint64 now_us)
{
  for (guint i = 0; i < self->alerts->len; i++)
    {
      Alert *alert = self->alerts->pdata[i];

      if (alert->raised && !alert->dismissed)
        alert->due_us = now_us;
    }
}

/* ── People ───────────────────────────────────────────────────────────────────────────────── */

/* Not over because somebody has read it. */
static gboolean
lasts (const Alert *alert)
{
  return alert->kind == PR_NOTICE_SIGN_IN || alert->kind == PR_NOTICE_ROUTES ||
         alert->kind == PR_NOTICE_DISK || alert->kind == PR_NOTICE_CERTIFICATES;
}

void
pr_alerts_list (const PrAlerts *self, PrAlertFunc func, gpointer user_data)
{
  for (guint i = 0; i < self->alerts->len; i++)
    {
      const Alert *alert = self->alerts->pdata[i];
      PrAlert out;

      if (!alert->raised || (alert->dismissed && alert->kind == PR_NOTICE_CERTIFICATES))
        continue;

      describe (self, alert, &out);
      func (&out, user_data);
    }
}

gboolean
pr_alerts_get (PrAlerts *self, const char *id, PrAlert *out)
{
  const Alert *alert = find (self, id);

  if (alert == NULL)
    return FALSE;

  describe (self, alert, out);
  return TRUE;
}

void
pr_alerts_dismiss (PrAlerts *self, const char *id)
{
  Alert *alert = find (self, id);

  if (alert == NULL)
    return;

  alert->on_screen = FALSE;
  alert->dismissed = TRUE;
  if (!lasts (alert))
    settle (self, alert);
}

gboolean
pr_alerts_need_person (const PrAlerts *self)
{
  for (guint i = 0; i < self->alerts->len; i++)
    if (((Alert *) self->alerts->pdata[i])->raised)
      return TRUE;

  return FALSE;
}

/* ── Configuration ────────────────────────────────────────────────────────────────────────── */

/* The configuration no longer holds what it is about, or may have mended it. */
static gboolean
is_gone (const PrAlerts *self, const Alert *alert)
{
  if (alert->kind == PR_NOTICE_SIGN_IN || alert->kind == PR_NOTICE_ROUTES)
    return pr_config_get_route (self->config, alert->subject) == NULL;

  return alert->kind == PR_NOTICE_DEVICES || alert->kind == PR_NOTICE_CERTIFICATES;
}

void
pr_alerts_set_config (PrAlerts *self, PrConfig *config, gint64 now_us)
{
  pr_config_ref (config);
  pr_config_unref (self->config);
  self->config = config;
  g_hash_table_remove_all (self->seen);

  for (guint i = self->alerts->len; i > 0; i--)
    {
      Alert *alert = self->alerts->pdata[i - 1];

      if (is_gone (self, alert))
        settle (self, alert);
      else if ((config->notify & alert->kind) == 0)
        hide (self, alert);
      else if (alert->raised && !alert->on_screen && !alert->dismissed)
        alert->due_us = now_us; /* this kind was switched on */
    }
}

PrAlerts *
pr_alerts_new (const PrAlertsHost *host, PrConfig *config, gpointer user_data)
{
  PrAlerts *self = g_new0 (PrAlerts, 1);

  self->host = host;
  self->user_data = user_data;
  self->config = pr_config_ref (config);
  self->alerts = g_ptr_array_new_with_free_func (alert_free);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  return self;
}

void
pr_alerts_free (PrAlerts *self)
{
  pr_config_unref (self->config);
  g_ptr_array_unref (self->alerts);
  g_hash_table_unref (self->seen);
  g_free (self);
}
