/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/overview-words: pure. */

#include <string.h>

#include "ui/overview-words.h"

#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

/* Hours without mail are there, empty; what is older or later than asked is left out. */
static void
test_fill (void)
{
  g_autoptr (GVariant) hours = g_variant_ref_sink (g_variant_new ("a(xttttt)", NULL));
  g_autofree char *text =
    g_strdup_printf ("[(%" G_GINT64_FORMAT ", 9, 9, 9, 9, 9), (%" G_GINT64_FORMAT
                     ", 1, 2, 3, 4, 5), (%" G_GINT64_FORMAT ", 7, 7, 7, 7, 7)]",
                     97 * HOUR_US, 99 * HOUR_US, 101 * HOUR_US);
  g_autoptr (GVariant) some =
    g_variant_parse (G_VARIANT_TYPE ("a(xttttt)"), text, NULL, NULL, NULL);
  PrHour out[3];

  pr_overview_words_fill (hours, 100 * HOUR_US + 5, out, 3);
  g_assert_cmpint (out[0].begin_us, ==, 98 * HOUR_US);
  g_assert_cmpint (out[2].begin_us, ==, 100 * HOUR_US);
  g_assert_cmpuint (out[2].counts[PR_OUTCOME_RECEIVED], ==, 0);

  pr_overview_words_fill (some, 100 * HOUR_US + 5, out, 3);
  g_assert_cmpuint (out[0].counts[PR_OUTCOME_RECEIVED], ==, 0);
  for (guint i = 0; i < PR_N_OUTCOMES; i++)
    g_assert_cmpuint (out[1].counts[i], ==, i + 1);
  g_assert_cmpuint (out[2].counts[PR_OUTCOME_RECEIVED], ==, 0);
}

static void
test_history (void)
{
  const PrHour hours[] = { { 14 * HOUR_US, { 1, 2, 3, 4 } }, { 15 * HOUR_US, { 5, 6, 7, 8 } } };
  g_autofree char *clock = pr_overview_words_clock (14 * HOUR_US);
  g_autofree char *hour = pr_overview_words_hour (&hours[0]);
  g_autofree char *nonsense = pr_overview_words_clock (G_MAXINT64);
  static const char *const totals[] = { "Received 6", "Delivered 8", "Delayed 10", "Failed 12" };

  g_assert_cmpuint (strlen (clock), ==, 5);
  g_assert_true (g_str_has_prefix (hour, clock));
  g_assert_true (g_str_has_suffix (hour, ": received 1, delivered 2, delayed 3, failed 4"));
  g_assert_nonnull (nonsense);
  for (guint i = 0; i < PR_N_OUTCOMES; i++)
    {
      g_autofree char *total = pr_overview_words_total (i, hours, G_N_ELEMENTS (hours));

      g_assert_cmpstr (total, ==, totals[i]);
    }
}

static void
check_route (const char *route, const char *words, const char *icon, const char *style)
{
  g_autoptr (GVariant) dict = g_variant_ref_sink (g_variant_new_parsed (route));
  g_autofree char *said = pr_overview_words_route (dict);
  const char *shown_style = NULL;

  g_assert_cmpstr (said, ==, words);
  g_assert_cmpstr (pr_overview_words_route_icon (dict, &shown_style), ==, icon);
  g_assert_cmpstr (shown_style, ==, style);
}

static void
test_routes (void)
{
  check_route ("{'state': <'ready'>}", "Ready", "emblem-ok-symbolic", "success");
  check_route ("{'state': <'ready'>, 'provider-name': <'Gmail'>}", "Ready · Gmail",
               "emblem-ok-symbolic", "success");
  check_route ("{'state': <'ready'>, 'provider-name': <'Gmail'>, 'username': <'me'>}",
               "Ready · Gmail as me", "emblem-ok-symbolic", "success");
  check_route ("{'state': <'waiting'>, 'reason': <'Connection refused'>}",
               "Waits and is tried again by itself. Connection refused", "dialog-warning-symbolic",
               "warning");
  check_route ("{'state': <'waiting'>, 'sign-in-needed': <true>, 'reason': <'It ended.'>}",
               "Waits until you sign in again. It ended.", "dialog-password-symbolic", "error");
  check_route ("@a{sv} {}", "Ready", "emblem-ok-symbolic", "success");
}

static void
test_devices (void)
{
  g_autoptr (GVariant) plain = g_variant_ref_sink (
    g_variant_new_parsed ("{'client': <'192.0.2.1'>, 'messages': <@t 1>, 'seen': <@x 1>}"));
  g_autoptr (GVariant) user = g_variant_ref_sink (
    g_variant_new_parsed ("{'client': <'::1'>, 'user': <'scan'>, 'messages': <@t 2>}"));
  g_autofree char *one = pr_overview_words_device_title (plain);
  g_autofree char *two = pr_overview_words_device_title (user);
  g_autofree char *seen_one = pr_overview_words_device (plain);
  g_autofree char *seen_two = pr_overview_words_device (user);

  g_assert_cmpstr (one, ==, "192.0.2.1");
  g_assert_cmpstr (two, ==, "scan at ::1");
  g_assert_true (g_str_has_prefix (seen_one, "1 mail, "));
  g_assert_true (g_str_has_prefix (seen_two, "2 mails, "));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/overview-words/fill", test_fill);
  g_test_add_func ("/overview-words/history", test_history);
  g_test_add_func ("/overview-words/routes", test_routes);
  g_test_add_func ("/overview-words/devices", test_devices);

  return g_test_run ();
}
