/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is offered to whom, whose secret is whose, and what a user may send as. */

#include "guard/users.h"

#include <string.h>

#define SECRET                                                                                     \
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                   \
  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n"

static PrConfig *
read_config (const char *text)
{
  GPtrArray *faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), "test.conf", &faults);

  if (config == NULL)
    g_error ("%s", (char *) faults->pdata[0]);
  return config;
}

static PrAuthOffer
offer (const PrConfig *config, const char *client, gboolean secure)
{
  PrIp ip;
  PrUserPath path = { &ip, secure, secure };

  g_assert_true (pr_ip_parse (client, &ip));
  return pr_users_get_offer (config, config->listeners->pdata[0], &path);
}

static void
test_offer (void)
{
  g_autoptr (PrConfig) nobody = read_config ("[listener l]\nlisten=127.0.0.1:0\n");
  g_autoptr (PrConfig) off =
    read_config ("[listener l]\nauth=off\nlisten=127.0.0.1:0\n[user a]\nsecret=" SECRET);
  g_autoptr (PrConfig) config = read_config ("[listener l]\nlisten=127.0.0.1:0\n"
                                             "plaintext-auth-networks=192.0.2.0/24\n"
                                             "[user a]\nsecret=" SECRET);
  g_autoptr (PrConfig) weak = read_config ("[listener l]\nlisten=127.0.0.1:0\n"
                                           "[user a]\ncram-md5=x\nsecret=" SECRET);
  const PrSaslMechanisms shown = PR_SASL_PLAIN | PR_SASL_LOGIN;

  g_assert_cmpuint (offer (nobody, "127.0.0.1", TRUE).allowed, ==, 0);
  g_assert_cmpuint (offer (off, "127.0.0.1", TRUE).allowed, ==, 0);
  g_assert_cmpuint (offer (config, "127.0.0.1", FALSE).allowed, ==, PR_SASL_SCRAM_SHA_256 | shown);
  g_assert_cmpuint (offer (config, "192.0.2.7", FALSE).allowed, ==, PR_SASL_SCRAM_SHA_256 | shown);
  g_assert_cmpuint (offer (config, "198.51.100.7", FALSE).allowed, ==, PR_SASL_SCRAM_SHA_256);
  g_assert_cmpuint (offer (config, "198.51.100.7", FALSE).needs_tls, ==, shown);
  g_assert_cmpuint (offer (config, "198.51.100.7", TRUE).allowed, ==,
                    PR_SASL_SCRAM_SHA_256_PLUS | PR_SASL_SCRAM_SHA_256 | shown);
  g_assert_cmpuint (offer (weak, "198.51.100.7", FALSE).allowed, ==,
                    PR_SASL_SCRAM_SHA_256 | PR_SASL_CRAM_MD5);
}

static void
test_secrets (void)
{
  g_autoptr (PrConfig) config =
    read_config ("[user a]\ncram-md5=clear\nsecret=" SECRET "[user b]\nsecret=" SECRET);
  g_autoptr (PrConfig) later = read_config ("[user b]\ncram-md5=x\nsecret=" SECRET);
  g_autoptr (GBytes) key = g_bytes_new_static ("key", 3);
  g_autofree char *known = pr_users_find_secret (config, key, PR_SASL_SCRAM_SHA_256, "a");
  g_autofree char *clear = pr_users_find_secret (config, key, PR_SASL_CRAM_MD5, "a");
  g_autofree char *not_allowed = pr_users_find_secret (config, key, PR_SASL_CRAM_MD5, "b");
  g_autofree char *unknown = pr_users_find_secret (config, key, PR_SASL_SCRAM_SHA_256, "c");

  g_assert_cmpstr (known, ==, ((PrUserConfig *) config->users->pdata[0])->secret);
  g_assert_cmpstr (clear, ==, "clear");
  g_assert_nonnull (not_allowed);
  g_assert_true (g_str_has_prefix (unknown, "SCRAM-SHA-256$4096:"));
  g_assert_true (pr_users_is_same (config, config, "a"));
  g_assert_false (pr_users_is_same (config, later, "a"));
  g_assert_false (pr_users_is_same (config, later, "b"));
}

static void
test_sender (void)
{
  g_autoptr (PrConfig) config =
    read_config ("[user a]\nsecret=" SECRET "senders=me@x.example;*@y.example\n");
  g_autoptr (PrConfig) any = read_config ("[user a]\nsecret=" SECRET);
  const PrUserConfig *user = pr_users_find (config, "a");

  g_assert_null (pr_users_find (config, "A"));
  g_assert_false (pr_users_may_send_as_anybody (user));
  g_assert_true (pr_users_may_send_as_anybody (pr_users_find (any, "a")));
  g_assert_cmpint (pr_users_check_sender (user, "me@x.example").kind, ==, PR_VERDICT_ACCEPT);
  g_assert_cmpint (pr_users_check_sender (user, "").kind, ==, PR_VERDICT_ACCEPT);
  g_assert_cmpint (pr_users_check_sender (user, "you@x.example").code, ==, 550);
}

static void
test_authors (void)
{
  static const struct
  {
    const char *header;
    gboolean allowed;
  } cases[] = {
    { "Subject: no From\r\n\r\n", TRUE },
    { "From: me@x.example\r\n\r\n", TRUE },
    { "from: \"you@z.example\" <me@X.example>, team: a@y.example, b@y.example;\r\n\r\n", TRUE },
    { "From: =?utf-8?q?J=C3=B6rg?= <me@x.example>\r\n\r\nFrom: you@z.example\r\n", TRUE },
    { "From: you@z.example\r\n\r\n", FALSE },
    { "From: me@x.example\r\nFrom: you@z.example\r\n\r\n", FALSE },
    { "From: me@x.example,\r\n\tyou@z.example\r\n\r\n", FALSE },
    { "From: team: me@x.example, you@z.example;\r\n\r\n", FALSE },
    { "From:\r\n\r\n", FALSE },
    { "From: nobody\r\n\r\n", FALSE },
  };
  g_autoptr (PrConfig) config =
    read_config ("[user a]\nsecret=" SECRET "senders=me@x.example;*@y.example\n");
  const PrUserConfig *user = pr_users_find (config, "a");
  g_autoptr (GString) endless = g_string_new ("From: me@x.example\r\n");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PrVerdict verdict = pr_users_check_authors (user, cases[i].header, strlen (cases[i].header));

      g_test_message ("%s", cases[i].header);
      g_assert_cmpint (verdict.kind, ==, cases[i].allowed ? PR_VERDICT_ACCEPT : PR_VERDICT_REFUSE);
    }

  while (endless->len < 300 * 1024)
    g_string_append (endless, "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
  g_string_append (endless, "From: you@z.example\r\n\r\n");
  g_assert_cmpint (pr_users_check_authors (user, endless->str, endless->len).code, ==, 550);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/users/offer", test_offer);
  g_test_add_func ("/users/secrets", test_secrets);
  g_test_add_func ("/users/sender", test_sender);
  g_test_add_func ("/users/authors", test_authors);

  return g_test_run ();
}
