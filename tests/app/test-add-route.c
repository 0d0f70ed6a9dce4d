/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New routes by presets. */
#include "service/add-route.h"

#include "config/config.h"

#include <string.h>

typedef struct
{
  const char *options;  /* a{sv} as text */
  const char *name;     /* NULL: refused */
  const char *expected; /* the group, or the words */
} Case;

static const Case cases[] = {
  { "{'provider': <'gmail'>, 'username': <'me@gmail.com'>}", "gmail",
    "provider=gmail\nusername=me@gmail.com\n" },
  { "{'provider': <'gmail'>, 'username': <'me@gmail.com'>, 'auth': <'oauth'>, 'name': <'g'>, "
    "'recipients': <'*@b.example'>}",
    "g", "provider=gmail\nrecipients=*@b.example\nusername=me@gmail.com\nauth=xoauth2\n" },
  { "{'provider': <'outlook'>, 'username': <'me@outlook.com'>}", "outlook",
    "provider=outlook\nusername=me@outlook.com\nauth=xoauth2\n" },
  { "{'provider': <'web-de'>, 'username': <'me@web.de'>}", "web-de",
    "provider=web-de\nusername=me\n" },
  { "{'provider': <'sendgrid'>}", "sendgrid", "provider=sendgrid\n" },
  { "{'provider': <'amazon-ses'>, 'username': <'AKIA1'>, 'parameter': <'eu-west-1'>}", "amazon-ses",
    "provider=amazon-ses\nhosts=email-smtp.eu-west-1.amazonaws.com:465;"
    "email-smtp.eu-west-1.amazonaws.com:2465\ntls=implicit\nusername=AKIA1\n" },
  { "{'provider': <'zoho'>, 'username': <'me@zoho.com'>}", "zoho",
    "provider=zoho\nusername=me@zoho.com\n" },
  { "{'provider': <'microsoft365-relay'>, 'parameter': <'example-com'>}", "microsoft365-relay",
    "provider=microsoft365-relay\nhosts=example-com.mail.protection.outlook.com:25\ntls="
    "required\n" },
  { "{'provider': <'posteo'>, 'username': <'me@posteo.de'>}", "posteo-2",
    "provider=posteo\nusername=me@posteo.de\n" },

  { "{'provider': <'gmail'>, 'username': <'me@gmail.com'>, 'via': <'gmail-api'>, 'client-id': "
    "<'c'>}",
    "gmail",
    "provider=gmail\nvia=gmail-api\nusername=me@gmail.com\nauth=oauthbearer\nclient-id=c\n" },
  { "{'provider': <'microsoft365'>, 'username': <'me@firm.test'>, 'via': <'graph'>, 'client-id': "
    "<'c'>, 'tenant': <'t'>, 'oauth-flow': <'client-credentials'>, 'senders': <'*@firm.test'>}",
    "microsoft365",
    "provider=microsoft365\nvia=graph\nsenders=*@firm.test\nusername=me@firm.test\n"
    "auth=oauthbearer\nclient-id=c\ntenant=t\noauth-flow=client-credentials\n" },
  { "{'provider': <'gmail'>, 'username': <'me@gmail.com'>, 'via': <'smarthost'>}", "gmail",
    "provider=gmail\nusername=me@gmail.com\n" },

  { "{'provider': <'gmail'>, 'username': <'me@gmail.com'>, 'via': <'graph'>}", NULL,
    "Gmail does not take mail by via=graph, but by via=gmail-api" },
  { "{'provider': <'posteo'>, 'username': <'me@posteo.de'>, 'via': <'graph'>}", NULL,
    "Posteo takes mail by SMTP alone" },
  { "{'provider': <'gmail'>, 'username': <'me@gmail.com'>, 'via': <'gmail-api'>, 'auth': "
    "<'plain'>}",
    NULL, "Gmail lets nobody sign in with auth=plain over HTTPS" },
  { "{'provider': <'nobody'>}", NULL, "There is no provider \"nobody\"" },
  { "{'username': <'me@gmail.com'>}", NULL, "There is no provider \"\"" },
  { "{'provider': <'gmail'>}", NULL, "Say with which name you sign in to Gmail" },
  { "{'provider': <'gmail'>, 'username': <'me'>}", NULL, "Gmail wants your whole address" },
  { "{'provider': <'gmail'>, 'username': <'me@gmail.com'>, 'parameter': <'x'>}", NULL,
    "Gmail has nothing to choose" },
  { "{'provider': <'amazon-ses'>, 'username': <'AKIA1'>}", NULL, "Amazon SES needs its region." },
  { "{'provider': <'amazon-ses'>, 'parameter': <'eu-west-1'>}", NULL,
    "Say with which name you sign in to Amazon SES: The SMTP user name" },
  { "{'provider': <'zoho'>, 'username': <'me@zoho.com'>, 'parameter': <'zoho.mars'>}", NULL,
    "The server of Zoho Mail is one of: zoho.com" },
  { "{'provider': <'posteo'>, 'username': <'me@posteo.de'>, 'auth': <'oauth'>}", NULL,
    "Posteo lets nobody sign in with auth=oauth" },
  { "{'provider': <'outlook'>, 'username': <'me@outlook.com'>, 'auth': <'plain'>}", NULL,
    "Outlook.com, Hotmail lets nobody sign in with auth=plain" },
  { "{'provider': <'posteo'>, 'username': <'me@posteo.de'>, 'name': <'posteo'>}", NULL,
    "There is a route posteo already" },
};

#define BEFORE "# mine\n[route posteo]\nprovider=posteo\nusername=a@posteo.de\n"

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed (c->options));
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = pr_add_route (BEFORE, options, &name, &error);
  g_autofree char *group = NULL;
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = NULL;

  if (c->name == NULL)
    {
      g_assert_null (text);
      g_assert_true (g_str_has_prefix (error->message, c->expected));
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpstr (name, ==, c->name);
  group = g_strdup_printf ("[route %s]\n%s", name, c->expected);
  g_assert_true (g_str_has_prefix (text, BEFORE));
  g_assert_true (g_str_has_suffix (text, group));

  /* It works as it is. */
  config = pr_config_parse (text, strlen (text), "/home/me/postroom.conf", &faults);
  g_assert_nonnull (config);
  g_assert_nonnull (pr_config_get_route (config, name));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/add-route/%" G_GSIZE_FORMAT, i);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  return g_test_run ();
}
