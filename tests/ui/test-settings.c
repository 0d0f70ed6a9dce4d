/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/settings, ui/setting-words and the words of ui/change: no service, no display. */

#include <string.h>
#include <glib.h>

#include "ui/change.h"
#include "ui/device-addresses.h"
#include "ui/explain-group.h"
#include "ui/password.h"
#include "ui/sending-settings-page.h"
#include "ui/setting-words.h"
#include "ui/settings.h"

static const char *const described[][5] = {
  { "server", "hostname", "host name", "", "The name." },
  { "server", "max-recipients", "number", "1000", "How many." },
  { "listener NAME", "listen", "list", "127.0.0.1:2525", "Where." },
  { "listener NAME", "tls", "off | starttls", "starttls", "Encryption." },
  { "route NAME", "via", "smarthost | hold", "smarthost", "How." },
};

static GVariant *
make_keys (void)
{
  static const char *const names[] = { "group", "key", "type", "default", "help" };
  GVariantBuilder keys;

  g_variant_builder_init (&keys, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < G_N_ELEMENTS (described); i++)
    {
      g_variant_builder_open (&keys, G_VARIANT_TYPE_VARDICT);
      for (gsize j = 0; j < G_N_ELEMENTS (names); j++)
        g_variant_builder_add (&keys, "{sv}", names[j], g_variant_new_string (described[i][j]));
      g_variant_builder_close (&keys);
    }
  return g_variant_builder_end (&keys);
}

static PrSettings *
make_settings (const char *text)
{
  PrSettings *settings = pr_settings_new (NULL);

  pr_settings_take (settings, make_keys (), text);
  return settings;
}

static void
assert_groups (PrSettings *settings, const char *expected)
{
  g_auto (GStrv) groups = pr_settings_get_groups (settings);
  g_autofree char *joined = g_strjoinv (",", groups);

  g_assert_cmpstr (joined, ==, expected);
}

static void
assert_value (PrSettings *settings, const char *group, const char *key, const char *expected,
              gboolean expected_set)
{
  gboolean is_set;
  g_autofree char *value = pr_settings_get_value (settings, group, key, &is_set);

  g_assert_cmpstr (value, ==, expected);
  g_assert_cmpint (is_set, ==, expected_set);
}

static void
test_nothing_is_known (void)
{
  g_autoptr (PrSettings) settings = pr_settings_new (NULL);
  g_autoptr (GPtrArray) keys = pr_settings_get_keys (settings, "server");

  g_assert_null (pr_settings_get_service (settings));
  g_assert_cmpstr (pr_settings_get_text (settings), ==, "");
  g_assert_cmpuint (keys->len, ==, 0);
  assert_groups (settings, "");
  assert_value (settings, "server", "hostname", "", FALSE);
}

static void
test_groups_and_values (void)
{
  g_autoptr (PrSettings) settings =
    make_settings ("[route b]\nvia=hold\n[listener office]\ntls=off\n[route a]\n"
                   "[stranger]\nx=y\n[server]\nmax-recipients=7\n");
  g_auto (GStrv) kinds = pr_settings_get_kinds (settings);
  g_autofree char *joined = g_strjoinv (",", kinds);
  g_autoptr (GPtrArray) keys = pr_settings_get_keys (settings, "listener office");

  g_assert_cmpstr (joined, ==, "listener,route");
  assert_groups (settings, "server,listener office,route b,route a");
  g_assert_cmpuint (keys->len, ==, 2);
  assert_value (settings, "server", "max-recipients", "7", TRUE);
  assert_value (settings, "server", "hostname", "", FALSE);
  assert_value (settings, "listener office", "tls", "off", TRUE);
  assert_value (settings, "listener office", "listen", "127.0.0.1:2525", FALSE);
  assert_value (settings, "route a", "via", "smarthost", FALSE);
  assert_value (settings, "route a", "unheard-of", "", FALSE);
  g_assert_cmpstr (pr_settings_get_name ("route my office"), ==, "my office");
  g_assert_null (pr_settings_get_name ("server"));
}

static void
on_changed (PrSettings *settings, gboolean other_groups, gpointer user_data)
{
  g_string_append_c (user_data, other_groups ? 'G' : 'v');
}

static void
test_taking_tells_of_changes (void)
{
  g_autoptr (PrSettings) settings = pr_settings_new (NULL);
  g_autoptr (GString) heard = g_string_new (NULL);

  g_signal_connect (settings, "changed", G_CALLBACK (on_changed), heard);
  pr_settings_take (settings, make_keys (), "");
  pr_settings_take (settings, make_keys (), "[server]\nhostname=a.example\n");
  pr_settings_take (settings, make_keys (), "[route a]\n");
  pr_settings_take (settings, make_keys (), "[route b]\n");
  g_assert_cmpstr (heard->str, ==, "GvGG");
}

/* What a person is about to mend by hand must not bring the window down. */
static void
test_a_broken_file_counts_as_empty (void)
{
  g_autoptr (PrSettings) settings = make_settings ("[route a]\nthis is no key file\n");

  assert_groups (settings, "server");
  assert_value (settings, "server", "max-recipients", "1000", FALSE);
  g_assert_cmpstr (pr_settings_get_text (settings), ==, "[route a]\nthis is no key file\n");
}

static void
test_preview_leaves_the_rest (void)
{
  g_autoptr (PrSettings) settings = make_settings ("# mine\n[server]\nhostname=a.example\n");
  g_autofree char *set = pr_settings_preview (settings, "server", "max-recipients", "7");
  g_autofree char *unset = pr_settings_preview (settings, "server", "hostname", NULL);

  g_assert_cmpstr (set, ==, "# mine\n[server]\nmax-recipients=7\nhostname=a.example\n");
  g_assert_cmpstr (unset, ==, "# mine\n[server]\n");
  g_assert_cmpstr (pr_settings_get_text (settings), ==, "# mine\n[server]\nhostname=a.example\n");
}

static void
test_faults_without_what_one_sees (void)
{
  static const char fault[] = "/home/me/postroom.conf: [route a b] via: \"x\" is no way";
  static const char *const others[] = { "the service is stopping", "", ": [", "a: [b" };

  g_assert_cmpstr (pr_change_trim_fault (fault, "route a b", "via"), ==, "\"x\" is no way");
  g_assert_cmpstr (pr_change_trim_fault (fault, "route a b", "tls"), ==,
                   "[route a b] via: \"x\" is no way");
  g_assert_cmpstr (pr_change_trim_fault (fault, NULL, NULL), ==,
                   "[route a b] via: \"x\" is no way");
  g_assert_cmpstr (pr_change_trim_fault (others[0], "server", "hostname"), ==, others[0]);
  g_assert_cmpstr (pr_change_trim_fault (others[1], "server", "hostname"), ==, "");
  g_assert_cmpstr (pr_change_trim_fault (others[2], "server", "hostname"), ==, "[");
  g_assert_cmpstr (pr_change_trim_fault (others[3], "server", "hostname"), ==, "[b");
}

static void
test_words (void)
{
  g_assert_cmpstr (pr_setting_words_get_title ("server", "max-message-size"), ==,
                   "Largest Message");
  g_assert_cmpstr (pr_setting_words_get_title ("route my office", "via"), ==, "Way");
  g_assert_cmpstr (pr_setting_words_get_title ("router", "via"), ==, "via");
  g_assert_cmpstr (pr_setting_words_get_title ("server", "of-tomorrow"), ==, "of-tomorrow");
  g_assert_cmpstr (pr_setting_words_get_value ("listener a", "tls", "off"), ==, "None");
  g_assert_cmpstr (pr_setting_words_get_value ("listener a", "tls", "odd"), ==, "odd");
  g_assert_cmpstr (pr_setting_words_translate (NULL), ==, "");
  g_assert_cmpstr (pr_setting_words_translate (""), ==, ""); /* and not the catalogue's header */
  g_assert_cmpstr (pr_setting_words_translate ("As it came."), ==, "As it came.");
}

/* "192.168.1.7:25 office local open", one line for each. (transfer full) */
static char *
list_addresses (PrSettings *settings, gboolean with_networks)
{
  static const char *const open[] = { "0.0.0.0:2525", "[::1]:2526", NULL };
  static const char *const own[] = { "192.168.1.7", "fd00::7", "no address" };
  g_autoptr (GVariant) networks = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    {
      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&builder, "{sv}", "address", g_variant_new_string (own[i]));
      g_variant_builder_close (&builder);
    }
  networks = g_variant_ref_sink (g_variant_builder_end (&builder));
  list = pr_device_addresses_list (settings, with_networks ? networks : NULL, open);
  for (guint i = 0; i < list->len; i++)
    {
      const PrDeviceAddress *entry = list->pdata[i];

      g_string_append_printf (text, "%s %u %s%s%s\n", entry->address, entry->port,
                              pr_settings_get_name (entry->group), entry->is_local ? " local" : "",
                              entry->is_open ? " open" : "");
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_what_devices_are_told (void)
{
  g_autoptr (PrSettings) settings =
    make_settings ("[listener a]\nlisten=[0::1]:2526;0.0.0.0:2525;[::]:2525\n"
                   "[listener b]\nlisten=192.168.1.7:25; 192.168.1.7:2525 ;10.0.0.1:465\n");
  g_autofree char *known = list_addresses (settings, TRUE);
  g_autofree char *unknown = list_addresses (settings, FALSE);

  g_assert_cmpstr (known, ==,
                   "192.168.1.7 25 b\n10.0.0.1 465 b\n192.168.1.7 2525 a open\n"
                   "fd00::7 2525 a\n::1 2526 a local open\n");
  g_assert_cmpstr (unknown, ==,
                   "192.168.1.7 25 b\n10.0.0.1 465 b\n192.168.1.7 2525 b\n"
                   "::1 2526 a local open\n");
}

static void
test_what_nobody_wrote_down (void)
{
  g_autoptr (PrSettings) settings = make_settings ("");
  g_auto (GStrv) listeners = pr_device_addresses_list_listeners (settings);
  g_autofree char *list = list_addresses (settings, TRUE);

  g_assert_cmpuint (g_strv_length (listeners), ==, 1);
  g_assert_cmpstr (listeners[0], ==, "listener default");
  g_assert_cmpstr (list, ==, "127.0.0.1 2525 default local\n");
}

static void
test_addresses_that_are_none (void)
{
  g_autoptr (PrSettings) settings =
    make_settings ("[listener a]\nlisten=;:;:25;x:25;[:25;[]:25;1.2.3.4;1.2.3.4:0;1.2.3.4:65536;"
                   "1.2.3.4:-1;[::1:25\n");
  g_autofree char *list = list_addresses (settings, TRUE);

  g_assert_cmpstr (list, ==, "");
}

static void
test_passwords (void)
{
  g_autofree char *one = pr_password_make ();
  g_autofree char *other = pr_password_make ();

  g_assert_cmpuint (strlen (one), ==, PR_PASSWORD_LEN);
  g_assert_cmpuint (strspn (one, "abcdefghjkmnpqrstuvwxyz23456789"), ==, PR_PASSWORD_LEN);
  g_assert_cmpstr (one, !=, other);
}

static void
assert_described (const char *facts, const char *expected)
{
  g_autoptr (GVariant) parsed = g_variant_parse (G_VARIANT_TYPE_VARDICT, facts, NULL, NULL, NULL);
  g_autofree char *words = NULL;

  g_assert_nonnull (parsed);
  words = pr_explain_group_describe (parsed);
  g_assert_cmpstr (words, ==, expected);
}

static void
test_what_would_happen (void)
{
  assert_described ("{'refused': <'No'>, 'route': <'a'>}", "It is refused: No.");
  assert_described ("{'passed': <[('a', 'senders'), ('b', 'recipients')]>}",
                    "Passes “a”: not for this sender.\nPasses “b”: not for this recipient.\n"
                    "No route takes it: it is held until one does.");
  assert_described ("{'route': <'me'>, 'via': <'smarthost'>, 'hosts': <['h:465', 'i:25']>, "
                    "'from': <'me@a.example'>, 'reply-to': <'x@a.example'>}",
                    "Takes the route “me”: By a Provider’s Server.\nGoes to h:465, i:25.\n"
                    "Leaves as From me@a.example, answers go to x@a.example.");
  assert_described ("{}", "No route takes it: it is held until one does.");
}

static void
test_where_a_moved_route_goes (void)
{
  static const char *const routes[] = { "route a", "route b", "route c", NULL };

  g_assert_cmpstr (pr_sending_settings_page_find_before (routes, 2, 0), ==, "route a");
  g_assert_cmpstr (pr_sending_settings_page_find_before (routes, 1, 0), ==, "route a");
  g_assert_cmpstr (pr_sending_settings_page_find_before (routes, 0, 1), ==, "route c");
  g_assert_cmpstr (pr_sending_settings_page_find_before (routes, 0, 2), ==, "");
  g_assert_null (pr_sending_settings_page_find_before (routes, 1, 1));
  g_assert_null (pr_sending_settings_page_find_before (routes, 0, G_MAXUINT));
  g_assert_null (pr_sending_settings_page_find_before (routes, 3, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/settings/nothing-is-known", test_nothing_is_known);
  g_test_add_func ("/settings/groups-and-values", test_groups_and_values);
  g_test_add_func ("/settings/taking-tells-of-changes", test_taking_tells_of_changes);
  g_test_add_func ("/settings/a-broken-file-counts-as-empty", test_a_broken_file_counts_as_empty);
  g_test_add_func ("/settings/preview-leaves-the-rest", test_preview_leaves_the_rest);
  g_test_add_func ("/settings/faults-without-what-one-sees", test_faults_without_what_one_sees);
  g_test_add_func ("/settings/words", test_words);
  g_test_add_func ("/settings/what-devices-are-told", test_what_devices_are_told);
  g_test_add_func ("/settings/what-nobody-wrote-down", test_what_nobody_wrote_down);
  g_test_add_func ("/settings/addresses-that-are-none", test_addresses_that_are_none);
  g_test_add_func ("/settings/passwords", test_passwords);
  g_test_add_func ("/settings/what-would-happen", test_what_would_happen);
  g_test_add_func ("/settings/where-a-moved-route-goes", test_where_a_moved_route_goes);
  return g_test_run ();
}
