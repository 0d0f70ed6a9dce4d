/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people are told: raised, grouped, brought up to date, withdrawn; by a clock of the test's.
 */

#include <string.h>

#include "guard/access.h"
#include "service/alert-words.h"
#include "service/alerts.h"

#define S ((gint64) G_USEC_PER_SEC)
#define MINUTE (60 * S)
#define REFUSAL "5.7.1 " PR_ACCESS_NO_RELAY

typedef struct
{
  PrAlerts *alerts;
  gint64 now_us;
  gint64 next_us;       /* as the last run said */
  GPtrArray *on_screen; /* of ids, owned */
  guint n_shown, n_withdrawn;
  char *title, *body, *item, *page; /* of the last one shown, owned */
  guint actions, n_messages;
  gboolean sign_in_needed, network;
  guint64 n_kept;
} World;

static void
forget (World *self, const char *id)
{
  for (guint i = 0; i < self->on_screen->len; i++)
    if (g_str_equal (self->on_screen->pdata[i], id))
      {
        g_ptr_array_remove_index (self->on_screen, i);
        return;
      }
}

static void
on_show (const PrAlert *alert, gpointer user_data)
{
  World *self = user_data;

  forget (self, alert->id);
  g_ptr_array_add (self->on_screen, g_strdup (alert->id));
  self->n_shown++;
  g_free (self->title);
  g_free (self->body);
  g_free (self->page);
  g_free (self->item);
  self->title = g_strdup (alert->title);
  self->body = g_strdup (alert->body);
  self->page = g_strdup (alert->page);
  self->item = g_strdup (alert->item);
  self->actions = alert->actions;
  self->n_messages = alert->n_messages;
}

static void
on_withdraw (const char *id, gpointer user_data)
{
  World *self = user_data;

  forget (self, id);
  self->n_withdrawn++;
}

static gboolean
needs_sign_in (const char *route, gpointer user_data)
{
  return ((World *) user_data)->sign_in_needed;
}

static gboolean
has_network (gpointer user_data)
{
  return ((World *) user_data)->network;
}

static guint64
count_kept (gpointer user_data)
{
  return ((World *) user_data)->n_kept;
}

static PrConfig *
make_config (const char *more)
{
  g_autofree char *text = g_strconcat ("[route provider]\nhosts=smtp.example.org\n"
                                       "[route direct]\nvia=mx\n",
                                       more, NULL);
  g_autoptr (GPtrArray) faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), "postroom.conf", &faults);

  g_assert_nonnull (config);
  return config;
}

static World *
world_new (void)
{
  static const PrAlertsHost host = { on_show, on_withdraw, needs_sign_in, has_network, count_kept };
  g_autoptr (PrConfig) config = make_config ("");
  World *self = g_new0 (World, 1);

  self->now_us = 1000 * S;
  self->on_screen = g_ptr_array_new_with_free_func (g_free);
  self->sign_in_needed = self->network = TRUE;
  self->alerts = pr_alerts_new (&host, config, self);
  return self;
}

static void
world_free (World *self)
{
  pr_alerts_free (self->alerts);
  g_ptr_array_unref (self->on_screen);
  g_free (self->title);
  g_free (self->body);
  g_free (self->page);
  g_free (self->item);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

static void
pass (World *self, gint64 us)
{
  self->now_us += us;
  self->next_us = pr_alerts_run (self->alerts, self->now_us);
}

static void
take (World *self, PrEvent event)
{
  pr_alerts_take (self->alerts, &event, self->now_us);
}

static void
fail (World *self, gint64 message)
{
  take (self, (PrEvent){ .kind = PR_EVENT_FAILED,
                         .message = message,
                         .address = "bob@example.net",
                         .text = "5.1.1 No <b>such</b> user" });
}

static void
put_away (World *self, const char *id)
{
  forget (self, id);
  pr_alerts_dismiss (self->alerts, id);
}

static void
set_config (World *self, const char *more)
{
  g_autoptr (PrConfig) config = make_config (more);

  pr_alerts_set_config (self->alerts, config, self->now_us);
}

/* ── Failures ─────────────────────────────────────────────────────────────────────────────── */

static void
test_one_failure (void)
{
  g_autoptr (World) world = world_new ();

  fail (world, 77);
  pass (world, 0);
  g_assert_cmpuint (world->n_shown, ==, 0);
  g_assert_cmpint (world->next_us, ==, world->now_us + S);
  pass (world, S);
  g_assert_cmpuint (world->n_shown, ==, 1);
  g_assert_cmpstr (world->title, ==, "1 mail could not be delivered");
  g_assert_cmpstr (world->body, ==, "To bob@example.net: 5.1.1 No <b>such</b> user");
  g_assert_cmpuint (world->actions, ==, PR_ALERT_SHOW); /* it went back to its sender */
  g_assert_cmpstr (world->page, ==, "log");
  g_assert_cmpuint (strlen (world->item), >, 0);
  g_assert_true (pr_alerts_need_person (world->alerts));
  g_assert_cmpint (world->next_us, ==, 0); /* nothing to wake up for */

  put_away (world, "failures");
  g_assert_false (pr_alerts_need_person (world->alerts));
  fail (world, 78); /* counted anew */
  pass (world, S);
  g_assert_cmpstr (world->title, ==, "1 mail could not be delivered");
}

static void
test_storm (void)
{
  g_autoptr (World) world = world_new ();

  world->n_kept = 5000;
  for (gint64 i = 1; i <= 5000; i++)
    {
      fail (world, i);
      pass (world, S / 1000);
    }
  pass (world, MINUTE);
  pass (world, MINUTE);
  g_assert_cmpuint (world->on_screen->len, ==, 1);
  g_assert_cmpuint (world->n_shown, ==, 2); /* once, and once more when it was over */
  g_assert_cmpstr (world->title, ==, "5000 mails could not be delivered");
  g_assert_cmpuint (world->actions, ==, PR_ALERT_SHOW | PR_ALERT_TRY_AGAIN);
  g_assert_cmpuint (world->n_messages, ==, 1000);
  g_assert_cmpstr (world->page, ==, "queue");
  g_assert_cmpstr (world->item, ==, "");
}

static void
test_failures_seen_to (void)
{
  g_autoptr (World) world = world_new ();

  fail (world, 1);
  fail (world, 2);
  fail (world, 2); /* two recipients of one message */
  pass (world, S);
  take (world, (PrEvent){ .kind = PR_EVENT_RETRIED, .message = 1 });
  g_assert_cmpuint (world->n_withdrawn, ==, 0);
  take (world, (PrEvent){ .kind = PR_EVENT_DELETED, .message = 9 });
  g_assert_cmpuint (world->n_withdrawn, ==, 0);
  take (world, (PrEvent){ .kind = PR_EVENT_DELETED, .message = 2 });
  g_assert_cmpuint (world->n_withdrawn, ==, 1);
  g_assert_false (pr_alerts_need_person (world->alerts));
}

static void
count_alert (const PrAlert *alert, gpointer user_data)
{
  g_assert_nonnull (alert->title);
  ++*(guint *) user_data;
}

static guint
count_listed (World *self)
{
  guint n = 0;

  pr_alerts_list (self->alerts, count_alert, &n);
  return n;
}

static void
test_certificate_renewed (void)
{
  g_autoptr (World) world = world_new ();

  take (world, (PrEvent){ .kind = PR_EVENT_CERTIFICATE, .text = "It ends soon" });
  pass (world, S);
  g_assert_cmpuint (count_listed (world), ==, 1);
  take (world, (PrEvent){ .kind = PR_EVENT_CERTIFICATE_RENEWED, .text = "It was renewed" });
  g_assert_cmpuint (count_listed (world), ==, 0);
}

/* Whoever looks sees what was raised, until it is settled or, if it does not last, put away. */
static void
test_list (void)
{
  g_autoptr (World) world = world_new ();
  PrAlertAction action;

  fail (world, 1);
  take (world, (PrEvent){ .kind = PR_EVENT_SPACE_LOW });
  take (world, (PrEvent){ .kind = PR_EVENT_CERTIFICATE, .text = "It ends soon" });
  g_assert_cmpuint (count_listed (world), ==, 0);
  pass (world, S);
  g_assert_cmpuint (count_listed (world), ==, 3);
  put_away (world, "failures");
  g_assert_cmpuint (count_listed (world), ==, 2);
  put_away (world, "certificate");
  put_away (world, "disk"); /* the disk is full all the same */
  g_assert_cmpuint (count_listed (world), ==, 1);
  take (world, (PrEvent){ .kind = PR_EVENT_SPACE_OK });
  g_assert_cmpuint (count_listed (world), ==, 0);

  for (guint bit = PR_ALERT_SIGN_IN; bit <= PR_ALERT_BLOCK; bit <<= 1)
    {
      g_assert_true (pr_alert_action_from_string (pr_alert_action_to_string (bit), &action));
      g_assert_cmpuint (action, ==, bit);
    }
  g_assert_cmpstr (pr_alert_action_to_string (1 << 20), ==, "");
  g_assert_false (pr_alert_action_from_string ("dismiss", &action));
}

/* ── Routes ───────────────────────────────────────────────────────────────────────────────── */

static void
break_hop (World *self, const char *route)
{
  take (self, (PrEvent){ .kind = PR_EVENT_HOP_FAILED, .route = route, .text = "Refused" });
}

static void
test_route_short (void)
{
  g_autoptr (World) world = world_new ();

  break_hop (world, "provider");
  pass (world, 4 * MINUTE);
  g_assert_false (pr_alerts_need_person (world->alerts));
  take (world, (PrEvent){ .kind = PR_EVENT_HOP_RECOVERED, .route = "provider" });
  pass (world, 9 * MINUTE);
  g_assert_cmpuint (world->n_shown + world->n_withdrawn, ==, 0);
}

static void
test_route_long (void)
{
  g_autoptr (World) world = world_new ();

  break_hop (world, "provider");
  break_hop (world, "direct"); /* a recipient's server is away: everyday life */
  take (world, (PrEvent){ .kind = PR_EVENT_HOP_FAILED });
  break_hop (world, "gone meanwhile");
  pass (world, 5 * MINUTE);
  g_assert_cmpuint (world->n_shown, ==, 1);
  g_assert_cmpstr (world->title, ==, "“provider” cannot be reached");
  g_assert_cmpstr (world->item, ==, "provider");

  put_away (world, "route/provider");
  break_hop (world, "provider");
  pass (world, 60 * MINUTE);
  g_assert_cmpuint (world->n_shown, ==, 1); /* put away is put away */
  g_assert_true (pr_alerts_need_person (world->alerts));

  take (world, (PrEvent){ .kind = PR_EVENT_DELIVERED, .route = "provider" });
  g_assert_false (pr_alerts_need_person (world->alerts));
  break_hop (world, "provider");
  pass (world, 5 * MINUTE);
  g_assert_cmpuint (world->n_shown, ==, 2); /* a new trouble is told */
}

static void
test_route_without_network (void)
{
  g_autoptr (World) world = world_new ();

  world->network = FALSE;
  break_hop (world, "provider");
  pass (world, 6 * MINUTE);
  pass (world, 6 * MINUTE);
  g_assert_cmpuint (world->n_shown, ==, 0);
  world->network = TRUE;
  pass (world, 6 * MINUTE);
  g_assert_cmpuint (world->n_shown, ==, 1);
}

static void
test_sign_in (void)
{
  g_autoptr (World) world = world_new ();
  PrAlert alert;

  take (world, (PrEvent){ .kind = PR_EVENT_SIGN_IN_NEEDED, .route = "provider", .text = "No." });
  take (world, (PrEvent){ .kind = PR_EVENT_SIGN_IN_NEEDED });
  pass (world, S);
  g_assert_cmpuint (world->n_shown, ==, 1);
  g_assert_cmpstr (world->title, ==, "Sign in to “provider” again");
  g_assert_cmpuint (world->actions, ==, PR_ALERT_SIGN_IN);
  g_assert_true (pr_alerts_get (world->alerts, "sign-in/provider", &alert));
  g_assert_cmpstr (alert.page, ==, "sign-in");
  g_assert_cmpstr (alert.subject, ==, "provider");
  g_assert_true (alert.urgent);

  world->sign_in_needed = FALSE;
  pass (world, S);
  g_assert_cmpuint (world->n_withdrawn, ==, 1);
  g_assert_false (pr_alerts_get (world->alerts, "sign-in/provider", &alert));
}

/* ── Devices ──────────────────────────────────────────────────────────────────────────────── */

static void
refuse (World *self, const char *peer)
{
  take (self, (PrEvent){ .kind = PR_EVENT_REFUSED, .peer = peer, .code = 550, .text = REFUSAL });
}

static void
test_device (void)
{
  g_autoptr (World) world = world_new ();

  refuse (world, "192.168.1.20");
  refuse (world, "192.168.1.20");
  pass (world, S);
  g_assert_cmpuint (world->n_shown, ==, 1);
  g_assert_cmpstr (world->title, ==, "192.168.1.20 may not send mail");
  g_assert_cmpuint (world->actions, ==, PR_ALERT_ALLOW | PR_ALERT_BLOCK);
  put_away (world, "device/192.168.1.20");
  refuse (world, "192.168.1.20");
  pass (world, MINUTE);
  g_assert_cmpuint (world->n_shown, ==, 1); /* it was told */

  take (world, (PrEvent){ .kind = PR_EVENT_CLIENT_REFUSED, .peer = "fd00::7" });
  pass (world, S);
  g_assert_cmpstr (world->title, ==, "fd00::7 gave a wrong password too often");
  g_assert_cmpuint (world->actions, ==, PR_ALERT_BLOCK); /* allowing would not mend it */

  refuse (world, "127.0.0.1");
  pass (world, S);
  g_assert_cmpuint (world->actions, ==, PR_ALERT_ALLOW | PR_ALERT_SHOW);

  set_config (world, ""); /* whoever is refused now is told again */
  g_assert_cmpuint (world->on_screen->len, ==, 0);
  refuse (world, "192.168.1.20");
  pass (world, S);
  g_assert_cmpuint (world->on_screen->len, ==, 1);
}

static void
test_strangers (void)
{
  static const char *const peers[] = { "203.0.113.9", "2001:db8::1", "not an address", "", NULL };
  g_autoptr (World) world = world_new ();

  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      refuse (world, peers[i]);
      take (world, (PrEvent){ .kind = PR_EVENT_CLIENT_REFUSED, .peer = peers[i] });
    }
  take (world, (PrEvent){ .kind = PR_EVENT_REFUSED, .peer = "10.0.0.1", .text = "5.1.1 No user" });
  take (world, (PrEvent){ .kind = PR_EVENT_REFUSED, .peer = "10.0.0.1" });
  pass (world, MINUTE);
  g_assert_cmpuint (world->n_shown, ==, 0);
}

static void
test_many_devices (void)
{
  g_autoptr (World) world = world_new ();

  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *peer = g_strdup_printf ("10.1.%u.%u", i / 250, i % 250 + 1);

      refuse (world, peer);
    }
  pass (world, MINUTE);
  pass (world, MINUTE);
  g_assert_cmpuint (world->on_screen->len, ==, 4);
  g_assert_cmpuint (world->n_shown, ==, 4);
}

/* ── The rest ─────────────────────────────────────────────────────────────────────────────── */

static void
test_disk_and_certificate (void)
{
  g_autoptr (World) world = world_new ();

  take (world, (PrEvent){ .kind = PR_EVENT_SPACE_LOW });
  pass (world, S);
  g_assert_cmpstr (world->title, ==, "The disk is nearly full");
  take (world, (PrEvent){ .kind = PR_EVENT_SPACE_OK });
  g_assert_cmpuint (world->on_screen->len, ==, 0);
  take (world, (PrEvent){ .kind = PR_EVENT_SPACE_OK });

  take (world, (PrEvent){ .kind = PR_EVENT_CERTIFICATE, .text = "It expires soon" });
  pass (world, S);
  g_assert_cmpstr (world->body, ==, "It expires soon");
  set_config (world, "");
  g_assert_cmpuint (world->on_screen->len, ==, 0);
}

static void
test_switched (void)
{
  g_autoptr (World) world = world_new ();

  set_config (world, "[desktop]\nnotify=disk\n");
  fail (world, 1);
  pass (world, S);
  g_assert_cmpuint (world->n_shown, ==, 0);
  g_assert_true (pr_alerts_need_person (world->alerts)); /* the tray may still tell */
  set_config (world, "");
  pass (world, S);
  g_assert_cmpuint (world->n_shown, ==, 1);
  set_config (world, "[desktop]\nnotify=\n");
  g_assert_cmpuint (world->on_screen->len, ==, 0);
}

static void
test_repeated (void)
{
  g_autoptr (World) world = world_new ();

  fail (world, 1);
  take (world, (PrEvent){ .kind = PR_EVENT_SPACE_LOW });
  pass (world, S);
  put_away (world, "disk");
  pr_alerts_repeat (world->alerts, world->now_us);
  pass (world, 0);
  g_assert_cmpuint (world->n_shown, ==, 3); /* the failure again, the disk not */
}

static void
test_route_removed (void)
{
  g_autoptr (World) world = world_new ();
  const char *text = "[route other]\nhosts=mail.example.org\n";
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse (text, strlen (text), "postroom.conf", &faults);

  break_hop (world, "provider");
  pass (world, 5 * MINUTE);
  g_assert_cmpuint (world->on_screen->len, ==, 1);
  pr_alerts_set_config (world->alerts, config, world->now_us);
  g_assert_cmpuint (world->on_screen->len, ==, 0);
}

static void
test_words (void)
{
  PrAlertFacts facts = { .subject = "10.0.0.1", .n = 3 };

  for (guint kind = 1; kind <= PR_NOTICE_CERTIFICATES; kind <<= 1)
    {
      g_autofree char *title = pr_alert_title ((PrDesktopNotice) kind, &facts);
      g_autofree char *body = NULL;

      facts.address = "a@b";
      body = pr_alert_body ((PrDesktopNotice) kind, &facts);
      g_assert_cmpuint (strlen (title), >, 0);
    }
  for (guint action = 1; action <= PR_ALERT_BLOCK; action <<= 1)
    g_assert_cmpuint (strlen (pr_alert_action_label ((PrAlertAction) action)), >, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/alerts/list", test_list);
  g_test_add_func ("/alerts/certificate-renewed", test_certificate_renewed);
  g_test_add_func ("/alerts/failure", test_one_failure);
  g_test_add_func ("/alerts/storm", test_storm);
  g_test_add_func ("/alerts/failures-seen-to", test_failures_seen_to);
  g_test_add_func ("/alerts/route/short", test_route_short);
  g_test_add_func ("/alerts/route/long", test_route_long);
  g_test_add_func ("/alerts/route/no-network", test_route_without_network);
  g_test_add_func ("/alerts/route/removed", test_route_removed);
  g_test_add_func ("/alerts/sign-in", test_sign_in);
  g_test_add_func ("/alerts/device", test_device);
  g_test_add_func ("/alerts/strangers", test_strangers);
  g_test_add_func ("/alerts/many-devices", test_many_devices);
  g_test_add_func ("/alerts/disk-and-certificate", test_disk_and_certificate);
  g_test_add_func ("/alerts/switched", test_switched);
  g_test_add_func ("/alerts/repeated", test_repeated);
  g_test_add_func ("/alerts/words", test_words);

  return g_test_run ();
}
