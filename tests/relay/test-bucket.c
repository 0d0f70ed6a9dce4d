/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/bucket.h"

#include <string.h>

#define CONFIG                                                                                     \
  "[server]\nhostname=relay.test\n"                                                                \
  "[route keep]\nvia=hold\nrecipients=*@keep.example\n"                                            \
  "[route lan]\nvia=lmtp\nhosts=127.0.0.1:24\nrecipients=*@lan.example\nsenders=*@a.example\n"     \
  "[route world]\nvia=mx\nrecipients=*@b.example;*@*.b.example;*@c.example;*@keep.example\n"       \
  "[route out]\nvia=smarthost\nhosts=smtp.example:587\nrecipients=*@d.example\n"

static PrConfig *
parse (const char *text)
{
  GPtrArray *faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), "/etc/postroom.conf", &faults);

  if (config == NULL)
    g_error ("%s", (const char *) faults->pdata[0]);
  return config;
}

typedef struct
{
  const char *name, *recipient, *sender, *current;
  const char *bucket;
  gboolean held;
} Case;

static const Case cases[] = {
  { "mx", "u@b.example", "", NULL, "world/b.example", FALSE },
  { "mx-sub", "u@x.b.example", "", NULL, "world/x.b.example", FALSE },
  { "smarthost", "u@d.example", "", NULL, "out", FALSE },
  { "by-sender", "u@lan.example", "me@a.example", NULL, "lan", FALSE },
  { "by-other-sender", "u@lan.example", "me@z.example", NULL, "", TRUE },
  { "none", "u@nowhere.example", "", NULL, "", TRUE },
  { "hold", "u@keep.example", "", NULL, "keep/", TRUE },
  { "released", "u@keep.example", "", "keep/", "world/keep.example", FALSE },
  { "on-its-way", "u@keep.example", "", "world/keep.example", "world/keep.example", FALSE },
  { "was-elsewhere", "u@keep.example", "", "gone", "keep/", TRUE },
  { "was-nowhere", "u@d.example", "", "", "out", FALSE },
  { "moved", "u@d.example", "", "world/d.example", "out", FALSE },
  { "postmaster", "postmaster", "", NULL, "", TRUE },
  { "our-postmaster", "postmaster@relay.test", "", NULL, "", TRUE },
  { "other-postmaster", "postmaster@b.example", "", NULL, "world/b.example", FALSE },
  { "no-postmaster", "postmasters@d.example", "", NULL, "out", FALSE },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (PrConfig) config = parse (CONFIG);
  PrBucket bucket = pr_bucket_find (config, c->recipient, c->sender, c->current);
  g_autofree char *name = pr_bucket_name (&bucket);

  g_assert_cmpstr (name, ==, c->bucket);
  g_assert_cmpint (bucket.held != NULL, ==, c->held);
  g_assert_true (pr_bucket_is (&bucket, c->bucket));
  g_assert_false (pr_bucket_is (&bucket, "worlds"));
  g_assert_false (pr_bucket_is (&bucket, "world/other.example"));
}

static void
test_names (void)
{
  const struct
  {
    const char *bucket, *route, *domain;
  } names[] = { { "out", "out", NULL },
                { "world/b.example", "world", "b.example" },
                { "keep/", "keep", NULL },
                { "", "", NULL } };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *route = pr_bucket_route_name (names[i].bucket);

      g_assert_cmpstr (route, ==, names[i].route);
      g_assert_cmpstr (pr_bucket_domain (names[i].bucket), ==, names[i].domain);
    }
}

static void
test_only_a_hold_route (void)
{
  g_autoptr (PrConfig) config = parse ("[route keep]\nvia=hold\n");
  PrBucket bucket = pr_bucket_find (config, "u@b.example", "", "keep/");
  g_autofree char *name = pr_bucket_name (&bucket);

  g_assert_cmpstr (name, ==, "keep/");
  g_assert_nonnull (bucket.held);
}

static void
test_postmaster (void)
{
  g_autoptr (PrConfig) config = parse ("[server]\nhostname=relay.test\npostmaster=boss@b.example\n"
                                       "[route world]\nvia=mx\n");
  PrBucket bucket = pr_bucket_find (config, "postmaster", "", NULL);
  PrBucket ours = pr_bucket_find (config, "Postmaster@relay.test", "", NULL);

  g_assert_cmpstr (bucket.address, ==, "boss@b.example");
  g_assert_cmpstr (bucket.domain, ==, "b.example");
  g_assert_cmpstr (ours.address, ==, "boss@b.example");
}

static void
test_assign (void)
{
  g_autoptr (PrConfig) config = parse (CONFIG);
  g_autoptr (PrMessage) message = NULL;
  PrEnvelope *envelope = pr_envelope_new ();

  envelope->sender = g_strdup ("");
  pr_envelope_add_recipient (envelope, "u@b.example", PR_NOTIFY_UNSET, NULL);
  pr_envelope_add_recipient (envelope, "u@keep.example", PR_NOTIFY_UNSET, NULL);
  pr_envelope_add_recipient (envelope, "u@nowhere.example", PR_NOTIFY_UNSET, NULL);
  message = pr_message_new (1, 1, envelope);
  g_assert_cmpuint (pr_bucket_assign (config, message), ==, 2);
  g_assert_cmpstr (message->progress[0].hop, ==, "world/b.example");
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_QUEUED);
  g_assert_null (message->progress[0].last_reply);
  g_assert_cmpstr (message->progress[1].hop, ==, "keep/");
  g_assert_cmpint (message->progress[1].state, ==, PR_RECIPIENT_HELD);
  g_assert_cmpstr (message->progress[2].hop, ==, "");
  g_assert_nonnull (message->progress[2].last_reply);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/bucket/case/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/bucket/names", test_names);
  g_test_add_func ("/bucket/only-a-hold-route", test_only_a_hold_route);
  g_test_add_func ("/bucket/postmaster", test_postmaster);
  g_test_add_func ("/bucket/assign", test_assign);
  return g_test_run ();
}
