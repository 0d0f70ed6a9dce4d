/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue/event.h"
#include "queue/message.h"

static void
test_new (void)
{
  PrEnvelope *envelope = pr_envelope_new ();
  g_autoptr (PrMessage) message = NULL;
  g_autoptr (PrMessage) other = NULL;

  envelope->sender = g_strdup ("a@example.org");
  pr_envelope_add_recipient (envelope, "b@example.org", PR_NOTIFY_UNSET, NULL);
  pr_envelope_add_recipient (envelope, "c@example.org", PR_NOTIFY_NEVER, "rfc822;c@example.org");
  message = pr_message_new (7, 42, envelope);
  g_assert_cmpint (message->id, ==, 7);
  g_assert_cmpint (message->received_us, ==, 42);
  g_assert_cmpint (message->progress[1].due_us, ==, 42);
  g_assert_cmpint (message->progress[1].state, ==, PR_RECIPIENT_QUEUED);
  g_assert_cmpuint (pr_message_n_pending (message), ==, 2);

  message->progress[0].state = PR_RECIPIENT_DELIVERED;
  message->progress[1].state = PR_RECIPIENT_HELD;
  g_assert_cmpuint (pr_message_n_pending (message), ==, 1);
  message->progress[1].state = PR_RECIPIENT_FAILED;
  g_assert_cmpuint (pr_message_n_pending (message), ==, 0);

  other = pr_message_ref (message);
  g_assert_true (other == message);
}

static void
test_no_recipients (void)
{
  g_autoptr (PrMessage) message = pr_message_new (1, 1, pr_envelope_new ());

  g_assert_cmpuint (pr_message_n_pending (message), ==, 0);
}

static guint n_released;

static void
on_release (PrMessage *message)
{
  n_released++;
}

static void
test_release (void)
{
  PrMessage *message = pr_message_new (1, 1, pr_envelope_new ());

  message->release = on_release;
  pr_message_ref (message);
  pr_message_unref (message);
  g_assert_cmpuint (n_released, ==, 0);
  pr_message_unref (message);
  g_assert_cmpuint (n_released, ==, 1);
}

static void
test_event_names (void)
{
  for (guint i = PR_EVENT_STARTED; i <= PR_EVENT_CERTIFICATE; i++)
    {
      const char *name = pr_event_kind_to_string ((PrEventKind) i);
      PrEventKind kind;

      g_assert_cmpstr (name, !=, "unknown");
      g_assert_true (pr_event_kind_from_string (name, &kind));
      g_assert_cmpuint (kind, ==, i);
    }
}

static void
test_event_unknown (void)
{
  PrEventKind kind = PR_EVENT_HELD;

  g_assert_cmpstr (pr_event_kind_to_string ((PrEventKind) 0), ==, "unknown");
  g_assert_cmpstr (pr_event_kind_to_string ((PrEventKind) 99), ==, "unknown");
  g_assert_cmpstr (pr_event_kind_to_string ((PrEventKind) -1), ==, "unknown");
  g_assert_false (pr_event_kind_from_string ("unknown", &kind));
  g_assert_false (pr_event_kind_from_string ("", &kind));
  g_assert_false (pr_event_kind_from_string ("HELD", &kind));
  g_assert_cmpint (kind, ==, PR_EVENT_HELD);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/message/new", test_new);
  g_test_add_func ("/message/no-recipients", test_no_recipients);
  g_test_add_func ("/message/release", test_release);
  g_test_add_func ("/event/names", test_event_names);
  g_test_add_func ("/event/unknown", test_event_unknown);
  return g_test_run ();
}
