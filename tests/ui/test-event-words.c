/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events in words. */

#include "queue/event.h"
#include "ui/event-words.h"
#include "ui/service-words.h"

#define event(text) g_variant_ref_sink (g_variant_new_parsed (text))

static void
assert_words (const char *text, const char *title, const char *detail)
{
  g_autoptr (GVariant) dict = g_variant_ref_sink (g_variant_new_parsed (text));
  g_autofree char *said = pr_event_words_title (dict);
  g_autofree char *more = pr_event_words_detail (dict);

  g_assert_cmpstr (said, ==, title);
  g_assert_cmpstr (more, ==, detail);
}

static void
test_words (void)
{
  assert_words ("{'kind': <'delivered'>, 'address': <'you@a.test'>, 'route': <'out'>,"
                " 'code': <uint32 250>, 'text': <'2.0.0 Ok'>}",
                "Delivered to you@a.test", "by route out · 250 2.0.0 Ok");
  assert_words ("{'kind': <'accepted'>, 'sender': <''>}", "Accepted, without a sender", "");
  assert_words ("{'kind': <'signed-in'>, 'text': <'hp'>, 'peer': <'192.0.2.7'>}", "hp signed in",
                "");
  assert_words ("{'kind': <'started'>, 'text': <'Postroom 1'>}", "Postroom started", "Postroom 1");
  assert_words ("{'kind': <'delivered'>, 'address': <'%s%n@a.test'>}", "Delivered to %s%n@a.test",
                "");
}

static void
test_unknown (void)
{
  g_autoptr (GVariant) newer = event ("{'kind': <'from-the-future'>, 'text': <'x'>}");
  g_autofree char *title = pr_event_words_title (newer);

  g_assert_cmpstr (title, ==, "from-the-future");
  g_assert_cmpint (pr_event_words_tone (newer), ==, PR_TONE_PLAIN);
  g_assert_nonnull (pr_event_words_icon (newer));
  g_assert_null (pr_event_words_class (newer));
}

/* What the service says in whole sentences is told in the language of the window; what others said
 * stays as it is. */
static void
test_service_words (void)
{
  g_assert_cmpstr (pr_service_words ("The connection broke"), ==, "The connection broke");
  g_assert_cmpstr (pr_service_words ("250 %s ok"), ==, "250 %s ok");
  g_assert_cmpstr (pr_service_words (""), ==, "");
  g_assert_null (pr_service_words (NULL));
  assert_words ("{'kind': <'connected'>, 'peer': <'::1'>, 'text': <'main'>}", "::1 connected",
                "at main");
  assert_words ("{'kind': <'disconnected'>, 'peer': <'::1'>, 'text': <'Done'>}", "::1 disconnected",
                "Done");
}

/* Every kind there is has words of its own. */
static void
test_all (void)
{
  for (guint kind = PR_EVENT_STARTED; !g_str_equal (pr_event_kind_to_string (kind), "unknown");
       kind++)
    {
      const char *name = pr_event_kind_to_string (kind);
      g_autoptr (GVariant) dict =
        g_variant_ref_sink (g_variant_new_parsed ("{'kind': <%s>}", name));
      g_autofree char *title = pr_event_words_title (dict);

      g_assert_cmpstr (title, !=, name);
    }
}

static void
test_time (void)
{
  g_autofree char *today = pr_event_words_time (g_get_real_time ());
  g_autofree char *before = pr_event_words_time (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC);
  g_autofree char *never = pr_event_words_time (G_MAXINT64);

  g_assert_cmpstr (today, !=, "");
  g_assert_cmpstr (before, !=, "");
  g_assert_cmpstr (never, ==, "");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/event-words/service", test_service_words);
  g_test_add_func ("/event-words/words", test_words);
  g_test_add_func ("/event-words/unknown", test_unknown);
  g_test_add_func ("/event-words/all", test_all);
  g_test_add_func ("/event-words/time", test_time);
  return g_test_run ();
}
