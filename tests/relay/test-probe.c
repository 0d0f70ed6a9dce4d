/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server shows when it is asked, however it begins, and what is said when it shows nothing.
 */
#include "relay/probe.h"

#include <string.h>

#include "pki.h"
#include "relay/world.h"

typedef struct
{
  World *world;
  FakeHop *hop;
  Pair *pair;
  /* What was told */
  gboolean done;
  guint8 sha256[32];
  char *text; /* owned: the fault, or the error */
  gboolean is_error;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->world = world_new ("[server]\nhostname=relay.test\n");
  f->hop = fake_hop_new (f->world->loop, "127.0.0.1", 0, FALSE);
  f->pair = pair_new (&(PairOptions){ .name = "other.test" });
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_hop_free (f->hop);
  pair_free (f->pair);
  g_free (f->text);
  world_free (f->world);
}

static void
on_probed (const PrProbeFacts *facts, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true ((facts == NULL) != (error == NULL));
  g_assert_false (f->done);
  f->done = TRUE;
  f->is_error = error != NULL;
  f->text = g_strdup (error != NULL ? error->message : facts->fault);
  if (facts != NULL)
    memcpy (f->sha256, facts->sha256, sizeof f->sha256);
}

static void
show (Fixture *f, gboolean implicit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (f->pair->certificate, f->pair->key, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  fake_hop_set_tls (f->hop, tls, implicit);
}

static PrProbe *
begin (Fixture *f, const char *hosts, const char *tls)
{
  g_autofree char *config = g_strdup_printf ("[server]\nhostname=relay.test\n"
                                             "[route out]\nvia=smarthost\nhosts=%s:%u\ntls=%s\n",
                                             hosts, fake_hop_get_port (f->hop), tls);

  world_set_config (f->world, config);
  return pr_runner_probe (f->world->runner, pr_config_get_route (f->world->runner->config, "out"),
                          on_probed, f);
}

static void
probe (Fixture *f, const char *hosts, const char *tls)
{
  begin (f, hosts, tls);
  world_wait (f->world, f->done, "what the server shows");
  world_wait (f->world, fake_hop_count_open (f->hop) == 0, "the connection to end");
}

static void
check_shown (Fixture *f)
{
  static const guint8 nothing[32];

  g_assert_false (f->is_error);
  g_assert_cmpint (memcmp (f->sha256, nothing, sizeof nothing), !=, 0);
  g_assert_nonnull (f->text);
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
  g_assert_cmpuint (fake_hop_count (f->hop, "AUTH"), ==, 0);
}

static void
test_starttls (Fixture *f, gconstpointer data)
{
  show (f, FALSE);
  probe (f, "127.0.0.1", "required");
  check_shown (f);
}

static void
test_implicit (Fixture *f, gconstpointer data)
{
  show (f, TRUE);
  probe (f, "127.0.0.1", "implicit");
  check_shown (f);
}

/* The first server is not there. */
static void
test_next_server (Fixture *f, gconstpointer data)
{
  show (f, FALSE);
  probe (f, "127.0.0.1:9;127.0.0.1", "required");
  check_shown (f);
}

static void
test_no_encryption (Fixture *f, gconstpointer data)
{
  probe (f, "127.0.0.1", "required");
  g_assert_true (f->is_error);
  g_assert_nonnull (strstr (f->text, "offers no encryption"));
}

static void
test_turned_away (Fixture *f, gconstpointer data)
{
  fake_hop_answer (f->hop, "greeting", "554 5.7.1 Not you", -1);
  probe (f, "127.0.0.1", "required");
  g_assert_true (f->is_error);
  g_assert_nonnull (strstr (f->text, "Not you"));
}

static void
test_hangs_up (Fixture *f, gconstpointer data)
{
  show (f, FALSE);
  fake_hop_answer (f->hop, "STARTTLS", "DROP", -1);
  probe (f, "127.0.0.1", "required");
  g_assert_true (f->is_error);
}

static void
test_no_tls_behind_starttls (Fixture *f, gconstpointer data)
{
  show (f, FALSE);
  probe (f, "127.0.0.1", "implicit");
  g_assert_true (f->is_error);
}

/* Nothing is told after that. */
static void
test_freed (Fixture *f, gconstpointer data)
{
  PrProbe *probe;

  show (f, FALSE);
  fake_hop_answer (f->hop, "EHLO", "MUTE", -1);
  probe = begin (f, "127.0.0.1", "required");
  world_wait (f->world, fake_hop_count (f->hop, "EHLO") == 1, "EHLO");
  pr_probe_free (probe);
  world_wait (f->world, fake_hop_count_open (f->hop) == 0, "the connection to end");
  g_assert_false (f->done);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/probe/starttls", test_starttls },
    { "/probe/implicit", test_implicit },
    { "/probe/next-server", test_next_server },
    { "/probe/no-encryption", test_no_encryption },
    { "/probe/turned-away", test_turned_away },
    { "/probe/hangs-up", test_hangs_up },
    { "/probe/no-tls-behind-starttls", test_no_tls_behind_starttls },
    { "/probe/freed", test_freed },
  };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
