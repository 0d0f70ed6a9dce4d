/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/targets.h"

#include <string.h>

#include "relay/fake-resolver.h"

typedef struct
{
  GMainContext *context;
  PrResolver *resolver;
  PrHosts *hosts;
  PrConfig *config;
  PrTargets *targets;
  GString *seen; /* "a.example:25=127.0.0.1 ... ! 550 text" */
  gboolean ended;
} Walk;

static void
on_target (const PrTarget *target, const PrReply *failure, gpointer user_data)
{
  Walk *walk = user_data;

  if (target == NULL)
    {
      g_string_append_printf (walk->seen, "! %u %u.%u.%u", failure->code, failure->status[0],
                              failure->status[1], failure->status[2]);
      walk->ended = TRUE;
      return;
    }
  g_string_append (walk->seen, target->label);
  if (G_IS_INET_SOCKET_ADDRESS (target->address))
    {
      g_autofree char *text = g_inet_address_to_string (
        g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (target->address)));

      g_string_append_printf (walk->seen, "=%s", text);
    }
  g_string_append_c (walk->seen, ' ');
  pr_targets_next (walk->targets);
}

/* All that would be tried for @domain by the only route of @text. */
static char *
walk (const char *text, const char *domain, const char *failed)
{
  Walk walk = { .seen = g_string_new (NULL) };
  PrTargetsOptions options = { .domain = domain, .mx_port = 25 };
  g_autoptr (GPtrArray) faults = NULL;

  walk.context = g_main_context_new ();
  walk.resolver = pr_resolver_new (walk.context);
  walk.hosts = pr_hosts_new ();
  walk.config = pr_config_parse (text, strlen (text), "/etc/postroom.conf", &faults);
  g_assert_nonnull (walk.config);
  options.resolver = walk.resolver;
  options.hosts = walk.hosts;
  options.config = walk.config;
  options.route = g_ptr_array_index (walk.config->routes, 0);
  if (failed != NULL)
    pr_host_note_failure (pr_hosts_get (walk.hosts, options.route->name, failed));

  walk.targets = pr_targets_new (&options, on_target, &walk);
  g_assert_false (pr_targets_has_more (walk.targets));
  pr_targets_next (walk.targets);
  while (!walk.ended)
    g_main_context_iteration (walk.context, TRUE);

  pr_targets_free (walk.targets);
  pr_config_unref (walk.config);
  pr_hosts_free (walk.hosts);
  pr_resolver_free (walk.resolver);
  g_main_context_unref (walk.context);
  return g_string_free (walk.seen, FALSE);
}

#define MX "[server]\nhostname=relay.test\n[route r]\nvia=mx\n"
#define LISTENS(address) MX "[listener l]\nlisten=" address "\n"
#define HOSTS "[route r]\nvia=smarthost\nhosts=a.example:587;b.example:465;[2001:db8::5]:25\n"

typedef struct
{
  const char *name, *config, *domain, *failed;
  const char *expected;
} Case;

static const Case cases[] = {
  { "hosts", HOSTS, NULL, NULL,
    "a.example:587=192.0.2.1 a.example:587=2001:db8::1 b.example:465=127.0.0.9 "
    "[2001:db8::5]:25=2001:db8::5 ! 0 4.4.4" },
  { "failed-last", HOSTS, NULL, "a.example:587",
    "b.example:465=127.0.0.9 [2001:db8::5]:25=2001:db8::5 a.example:587=192.0.2.1 "
    "a.example:587=2001:db8::1 ! 0 4.4.4" },
  { "unknown-host", "[route r]\nvia=smarthost\nhosts=gone.example:25\n", NULL, NULL, "! 0 4.4.4" },
  { "unix", "[route r]\nvia=lmtp\npath=/run/lmtp\n", NULL, NULL, "/run/lmtp ! 0 4.4.4" },
  { "mx", MX, "d.example", NULL,
    "a.example:25=192.0.2.1 a.example:25=2001:db8::1 b.example:25=127.0.0.9 ! 0 4.4.4" },
  { "mx-failed-last", MX, "d.example", "a.example:25",
    "b.example:25=127.0.0.9 a.example:25=192.0.2.1 a.example:25=2001:db8::1 ! 0 4.4.4" },
  { "null-mx", MX, "null.example", NULL, "! 556 5.1.10" },
  { "no-domain", MX, "none.example", NULL, "! 550 5.1.2" },
  { "implied", MX, "a.example", NULL, "a.example:25=192.0.2.1 a.example:25=2001:db8::1 ! 0 4.4.4" },
  { "implied-without-address", MX, "bare.example", NULL, "! 550 5.1.2" },
  { "exchanger-unknown", MX, "lost.example", NULL, "! 0 4.4.4" },
  { "literal", MX, "[192.0.2.7]", NULL, "192.0.2.7:25=192.0.2.7 ! 0 4.4.4" },
  { "literal6", MX, "[IPv6:2001:db8::7]", NULL, "[2001:db8::7]:25=2001:db8::7 ! 0 4.4.4" },
  { "u-label", MX, "m\303\274ller.example", NULL, "b.example:25=127.0.0.9 ! 0 4.4.4" },
  { "we-are-best", MX, "ours.example", NULL, "! 554 5.4.6" },
  { "we-are-second", MX, "backup.example", NULL, "b.example:25=127.0.0.9 ! 0 4.4.4" },
  { "our-address", LISTENS ("127.0.0.9:25"), "e.example", NULL, "! 554 5.4.6" },
  { "our-address-any", LISTENS ("0.0.0.0:25"), "e.example", NULL, "! 554 5.4.6" },
  { "our-other-port", LISTENS ("127.0.0.9:2525"), "e.example", NULL,
    "b.example:25=127.0.0.9 ! 0 4.4.4" },
  { "not-this-machine", LISTENS ("0.0.0.0:25"), "a.example", NULL,
    "a.example:25=192.0.2.1 a.example:25=2001:db8::1 ! 0 4.4.4" },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *seen = NULL;

  fake_resolver_add_host ("a.example", "192.0.2.1 2001:db8::1");
  fake_resolver_add_host ("b.example", "127.0.0.9");
  fake_resolver_add_domain ("a.example", "0 a.example");
  fake_resolver_add_domain ("bare.example", "0 bare.example");
  fake_resolver_add_domain ("d.example", "10 a.example 20 b.example");
  fake_resolver_add_domain ("e.example", "10 b.example");
  fake_resolver_add_domain ("lost.example", "10 gone.example");
  fake_resolver_add_domain ("xn--mller-kva.example", "10 b.example");
  fake_resolver_add_domain ("null.example", "");
  fake_resolver_add_domain ("ours.example", "10 relay.test 10 a.example 20 b.example");
  fake_resolver_add_domain ("backup.example", "10 b.example 20 relay.test 30 a.example");
  seen = walk (c->config, c->domain, c->failed);
  g_assert_cmpstr (seen, ==, c->expected);
  fake_resolver_clear ();
}

static void
test_name_server_down (void)
{
  g_autofree char *seen = NULL;

  fake_resolver_set_broken (TRUE);
  seen = walk (MX, "d.example", NULL);
  g_assert_cmpstr (seen, ==, "! 0 4.4.3");
  fake_resolver_clear ();
}

static void
test_local (void)
{
  const struct
  {
    const char *config;
    gboolean local;
  } routes[] = {
    { "[route r]\nvia=smarthost\nhosts=127.0.0.1:25;localhost:26;[::1]:27\n", TRUE },
    { "[route r]\nvia=smarthost\nhosts=127.0.0.1:25;smtp.example:25\n", FALSE },
    { "[route r]\nvia=smarthost\nhosts=192.0.2.1:25\n", FALSE },
    { "[route r]\nvia=lmtp\npath=/run/lmtp\n", TRUE },
    { "[route r]\nvia=mx\n", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    {
      g_autoptr (GPtrArray) faults = NULL;
      g_autoptr (PrConfig) config = pr_config_parse (routes[i].config, strlen (routes[i].config),
                                                     "/etc/postroom.conf", &faults);

      g_assert_nonnull (config);
      g_assert_cmpint (pr_route_is_local (g_ptr_array_index (config->routes, 0)), ==,
                       routes[i].local);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/targets/case/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/targets/name-server-down", test_name_server_down);
  g_test_add_func ("/targets/local", test_local);
  return g_test_run ();
}
