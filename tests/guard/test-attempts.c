/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Failures to sign in: waits that grow, refusal, forgetting, bounds, and what is kept as text. */

#include "guard/attempts.h"

#define NOW (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC)

static PrIp
ip (const char *text)
{
  PrIp out;

  g_assert_true (pr_ip_parse (text, &out));
  return out;
}

static void
fail_times (PrAttempts *attempts, const PrIp *client, guint n, gint64 now_us)
{
  gboolean refused;

  for (guint i = 0; i < n; i++)
    pr_attempts_fail (attempts, client, now_us, &refused);
}

static void
test_refusal (void)
{
  g_autoptr (PrAttempts) attempts = pr_attempts_new ();
  PrIp client = ip ("2001:db8::1"), neighbour = ip ("2001:db8::2"), other = ip ("192.0.2.1");
  guint last_ms = 0;
  gboolean refused = FALSE;

  for (guint i = 1; i < PR_ATTEMPTS_MAX; i++)
    {
      guint delay_ms = pr_attempts_fail (attempts, &client, NOW, &refused);

      g_assert_false (refused);
      g_assert_true (delay_ms > last_ms || delay_ms == 8000);
      last_ms = delay_ms;
      g_assert_cmpint (pr_attempts_check (attempts, &client, NOW).kind, ==, PR_VERDICT_ACCEPT);
    }
  pr_attempts_fail (attempts, &neighbour, NOW, &refused); /* the same /64 */
  g_assert_true (refused);
  g_assert_cmpint (pr_attempts_check (attempts, &client, NOW).code, ==, 421);
  g_assert_cmpint (pr_attempts_check (attempts, &other, NOW).kind, ==, PR_VERDICT_ACCEPT);
  g_assert_cmpint (pr_attempts_check (attempts, &client, NOW + PR_ATTEMPTS_REFUSE_US - 1).kind, ==,
                   PR_VERDICT_CLOSE);
  g_assert_cmpint (pr_attempts_check (attempts, &client, NOW + PR_ATTEMPTS_REFUSE_US).kind, ==,
                   PR_VERDICT_ACCEPT);
}

static void
test_forgetting (void)
{
  g_autoptr (PrAttempts) attempts = pr_attempts_new ();
  PrIp client = ip ("192.0.2.1");
  gboolean refused;

  fail_times (attempts, &client, PR_ATTEMPTS_MAX - 1, NOW);
  pr_attempts_fail (attempts, &client, NOW + PR_ATTEMPTS_FORGET_US, &refused);
  g_assert_false (refused);
  g_assert_true (pr_attempts_succeed (attempts, &client));
  g_assert_false (pr_attempts_succeed (attempts, &client));
  g_assert_cmpuint (pr_attempts_fail (attempts, &client, NOW, &refused), ==, 500);
}

static void
test_text (void)
{
  static const char *const bad[] = { "", "x", "1 2", "1 2 3 4", "1 -2 3", "-1 2 x" };
  g_autoptr (PrAttempts) attempts = pr_attempts_new ();
  g_autoptr (PrAttempts) again = pr_attempts_new ();
  PrIp client = ip ("192.0.2.1");
  g_autofree char *text = NULL;

  g_assert_null (pr_attempts_save (attempts, &client));
  fail_times (attempts, &client, PR_ATTEMPTS_MAX, NOW);
  text = pr_attempts_save (attempts, &client);
  g_assert_true (pr_attempts_load (again, &client, text, NOW));
  g_assert_cmpint (pr_attempts_check (again, &client, NOW).code, ==, 421);
  g_assert_false (pr_attempts_load (again, &client, text, NOW + 2 * PR_ATTEMPTS_FORGET_US));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (pr_attempts_load (again, &client, bad[i], NOW));

  /* The clock was set back: no longer than from now on. */
  g_assert_true (pr_attempts_load (again, &client, text, NOW - PR_ATTEMPTS_FORGET_US));
  g_assert_cmpint (
    pr_attempts_check (again, &client, NOW - PR_ATTEMPTS_FORGET_US + PR_ATTEMPTS_REFUSE_US).kind,
    ==, PR_VERDICT_ACCEPT);
}

static void
test_bounded (void)
{
  g_autoptr (PrAttempts) attempts = pr_attempts_new ();
  PrIp refused = ip ("192.0.2.1");

  fail_times (attempts, &refused, PR_ATTEMPTS_MAX, NOW);
  for (guint i = 0; i < PR_ATTEMPTS_MAX_CLIENTS + 100; i++)
    {
      g_autofree char *text = g_strdup_printf ("10.0.%u.%u", i / 256, i % 256);
      PrIp client = ip (text);

      fail_times (attempts, &client, 1, NOW + i);
    }
  g_assert_cmpuint (pr_attempts_count (attempts), ==, PR_ATTEMPTS_MAX_CLIENTS);
  g_assert_cmpint (pr_attempts_check (attempts, &refused, NOW + 1).code, ==, 421);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/attempts/refusal", test_refusal);
  g_test_add_func ("/attempts/forgetting", test_forgetting);
  g_test_add_func ("/attempts/text", test_text);
  g_test_add_func ("/attempts/bounded", test_bounded);

  return g_test_run ();
}
