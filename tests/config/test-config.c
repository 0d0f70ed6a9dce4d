/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "smtp/address.h"

#define PIN "SHA256:" PIN_HALF PIN_HALF
#define PIN_HALF "0123456789abcdef0123456789ABCDEF"

#define FILE_NAME "/home/me/postroom.conf"
#define SECRET                                                                                     \
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"      \
  "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static PrConfig *
parse (const char *text)
{
  g_autoptr (GPtrArray) faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), FILE_NAME, &faults);

  if (config == NULL)
    for (guint i = 0; i < faults->len; i++)
      g_test_message ("%s", (char *) faults->pdata[i]);
  g_assert_nonnull (config);
  g_assert_null (faults);
  return config;
}

/* What the file is told, without its name; NULL-terminated. */
static void
assert_faults (const char *text, gsize len, const char *const *expected)
{
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse (text, len, FILE_NAME, &faults);
  guint n = g_strv_length ((char **) expected);

  g_assert_null (config);
  g_assert_nonnull (faults);
  for (guint i = 0; i < MAX (n, faults->len); i++)
    {
      const char *fault = i < faults->len ? faults->pdata[i] : NULL;

      g_assert_true (fault == NULL || g_str_has_prefix (fault, FILE_NAME ": "));
      g_assert_cmpstr (fault != NULL ? fault + strlen (FILE_NAME ": ") : NULL, ==,
                       i < n ? expected[i] : NULL);
    }
}

static void
assert_fault (const char *text, const char *expected)
{
  const char *const list[] = { expected, NULL };

  assert_faults (text, strlen (text), list);
}

static gboolean
contains (const PrNetworks *networks, const char *address)
{
  PrIp ip;

  g_assert_true (pr_ip_parse (address, &ip));
  return pr_networks_contain (networks, &ip);
}

static void
assert_is_default (const PrConfig *config)
{
  const PrListenerConfig *listener;

  g_assert_cmpuint (config->max_message_size_octets, ==, 50 * 1024 * 1024);
  g_assert_cmpuint (config->max_recipients, ==, 1000);
  g_assert_cmpuint (config->max_connections, ==, 1000);
  g_assert_cmpuint (config->max_connections_per_client, ==, 50);
  g_assert_cmpuint (config->idle_timeout_s, ==, 300);
  g_assert_cmpuint (config->min_free_space_octets, ==, 100 * 1024 * 1024);
  g_assert_null (config->postmaster);
  g_assert_true (pr_host_name_is_valid (config->hostname));
  g_assert_nonnull (strchr (config->hostname, '.'));

  g_assert_cmpuint (config->listeners->len, ==, 1);
  listener = config->listeners->pdata[0];
  g_assert_cmpstr (listener->name, ==, "default");
  g_assert_cmpstr (listener->listen[0], ==, "127.0.0.1:2525");
  g_assert_cmpstr (listener->listen[1], ==, "[::1]:2525");
  g_assert_null (listener->listen[2]);
  g_assert_cmpint (listener->tls, ==, PR_TLS_STARTTLS);
  g_assert_cmpint (listener->auth, ==, PR_AUTH_OFFERED);
  g_assert_cmpuint (listener->minimum_tls, ==, 12);
  g_assert_null (listener->certificate);
  g_assert_false (listener->legacy);

  g_assert_true (contains (config->relay_networks, "127.0.0.1"));
  g_assert_true (contains (config->relay_networks, "::1"));
  g_assert_false (contains (config->relay_networks, "192.0.2.1"));
  g_assert_false (contains (config->deny_networks, "127.0.0.1"));
  g_assert_true (pr_patterns_is_empty (config->local_domains));
  g_assert_true (pr_patterns_is_empty (config->deny_senders));
  g_assert_true (pr_patterns_is_empty (config->deny_recipients));
  g_assert_cmpuint (config->users->len, ==, 0);
  g_assert_cmpuint (config->routes->len, ==, 0);
  g_assert_null (pr_config_find_route (config, "a@example.org", ""));

  g_assert_cmpuint (config->n_retry_schedule, ==, 7);
  g_assert_cmpuint (config->retry_schedule_s[0], ==, 60);
  g_assert_cmpuint (config->retry_schedule_s[6], ==, 4 * 3600);
  g_assert_cmpuint (config->give_up_s, ==, 5 * 86400);
  g_assert_cmpuint (config->warn_after_s, ==, 4 * 3600);
  g_assert_true (config->tray);
  g_assert_cmpuint (config->notify, ==, 0x3f);
  g_assert_cmpuint (config->notify_after_s, ==, 300);
  g_assert_cmpuint (config->journal_keep_s, ==, 30 * 86400);
  g_assert_cmpuint (config->journal_max_size_octets, ==, 256 * 1024 * 1024);
}

static void
test_default (void)
{
  g_autoptr (PrConfig) config = pr_config_new_default ();
  g_autoptr (PrConfig) empty = parse ("");
  g_autoptr (PrConfig) blank = parse ("\xef\xbb\xbf# nothing\r\n\r\n  \t\n[server]\n");
  g_autoptr (PrConfig) again = pr_config_ref (config);

  assert_is_default (config);
  assert_is_default (empty);
  assert_is_default (blank);
  g_assert_true (again == config);
  pr_config_unref (NULL);
}

static void
test_desktop (void)
{
  g_autoptr (PrConfig) config =
    parse ("[desktop]\ntray=false\nnotify=disk; sign-in;\nnotify-after=1m\n");
  g_autoptr (PrConfig) silent = parse ("[desktop]\nnotify=\n");

  g_assert_false (config->tray);
  g_assert_cmpuint (config->notify, ==, PR_NOTICE_DISK | PR_NOTICE_SIGN_IN);
  g_assert_cmpuint (config->notify_after_s, ==, 60);
  g_assert_cmpuint (silent->notify, ==, 0);
}

static void
test_everything (void)
{
  g_autoptr (PrConfig) config = parse ("[server]\n"
                                       "hostname = Relay.Example.ORG\n"
                                       "postmaster=me@example.org\n"
                                       "max-message-size=10m\n"
                                       "[listener office]\n"
                                       "listen= 0.0.0.0:25 ; [2001:DB8::1]:25;\n"
                                       "tls=required\nauth=required\nminimum-tls=1.0\nlegacy=true\n"
                                       "[listener test]\nlisten=127.0.0.1:0;127.0.0.1:0\n"
                                       "[access]\n"
                                       "relay-networks=192.0.2.0/24\n"
                                       "local-domains=example.org;*.example.org;bücher.example\n"
                                       "deny-senders=*@spam.example\n"
                                       "[user scanner@office]\nsecret=" SECRET "\n"
                                       "senders=*@example.org\n"
                                       "[route spare time]\n"
                                       "recipients=*@hold.example\nvia=hold\n"
                                       "[route provider]\n"
                                       "senders=*@example.org\n"
                                       "hosts=smtp.example.org;bücher.example:25;192.0.2.1:26;"
                                       "[2001:db8::1]:27;[2001:db8::2]\n"
                                       "username=me\\sand you\n"
                                       "rewrite-sender=Me@Example.org\n"
                                       "[retry]\nschedule=1;2s\ngive-up=10s\nwarn-after=0\n"
                                       "[journal]\nkeep=0\nmax-size=1M\n");
  const PrListenerConfig *office = config->listeners->pdata[0];
  const PrUserConfig *user = config->users->pdata[0];
  const PrRouteConfig *provider = config->routes->pdata[1];
  static const PrHostPort hosts[] = { { (char *) "smtp.example.org", 587 },
                                      { (char *) "xn--bcher-kva.example", 25 },
                                      { (char *) "192.0.2.1", 26 },
                                      { (char *) "2001:db8::1", 27 },
                                      { (char *) "2001:db8::2", 587 } };

  g_assert_cmpstr (config->hostname, ==, "relay.example.org");
  g_assert_cmpstr (config->postmaster, ==, "me@example.org");
  g_assert_cmpuint (config->max_message_size_octets, ==, 10 * 1024 * 1024);
  g_assert_cmpuint (config->listeners->len, ==, 2);
  g_assert_cmpstr (office->name, ==, "office");
  g_assert_cmpstr (office->listen[0], ==, "0.0.0.0:25");
  g_assert_cmpstr (office->listen[1], ==, "[2001:db8::1]:25");
  g_assert_null (office->listen[2]);
  g_assert_cmpint (office->tls, ==, PR_TLS_REQUIRED);
  g_assert_cmpint (office->auth, ==, PR_AUTH_REQUIRED);
  g_assert_cmpuint (office->minimum_tls, ==, 10);
  g_assert_true (office->legacy);

  g_assert_false (contains (config->relay_networks, "127.0.0.1"));
  g_assert_true (pr_patterns_match (config->local_domains, "a@example.org"));
  g_assert_true (pr_patterns_match (config->local_domains, "a@x.example.org"));
  g_assert_true (pr_patterns_match (config->local_domains, "a@bücher.example"));
  g_assert_false (pr_patterns_match (config->local_domains, "a@example.com"));
  g_assert_true (pr_patterns_match (config->deny_senders, "a@spam.example"));
  g_assert_cmpstr (user->name, ==, "scanner@office");
  g_assert_cmpstr (user->secret, ==, SECRET);
  g_assert_true (pr_patterns_match (user->senders, "a@example.org"));
  g_assert_false (pr_patterns_match (user->senders, "a@example.com"));

  g_assert_cmpuint (provider->n_hosts, ==, G_N_ELEMENTS (hosts));
  for (guint i = 0; i < provider->n_hosts; i++)
    {
      g_assert_cmpstr (provider->hosts[i].host, ==, hosts[i].host);
      g_assert_cmpuint (provider->hosts[i].port, ==, hosts[i].port);
    }
  g_assert_cmpint (provider->tls, ==, PR_TLS_REQUIRED);
  g_assert_cmpstr (provider->auth, ==, "auto");
  g_assert_cmpstr (provider->username, ==, "me and you");
  g_assert_cmpstr (provider->rewrite_sender, ==, "Me@example.org");
  g_assert_cmpuint (config->n_retry_schedule, ==, 2);
  g_assert_cmpuint (config->retry_schedule_s[1], ==, 2);
  g_assert_cmpuint (config->warn_after_s, ==, 0);
  g_assert_cmpuint (config->journal_keep_s, ==, 0);

  g_assert_cmpstr (pr_config_find_route (config, "a@hold.example", "x@example.com")->name, ==,
                   "spare time");
  g_assert_true (pr_config_find_route (config, "a@example.com", "x@example.org") == provider);
  g_assert_null (pr_config_find_route (config, "a@example.com", "x@example.com"));
  g_assert_null (pr_config_find_route (config, "a@example.com", ""));
  g_assert_true (pr_config_get_route (config, "provider") == provider);
  g_assert_null (pr_config_get_route (config, "nothing"));
}

static void
test_route_kinds (void)
{
  g_autoptr (PrConfig) config =
    parse ("[route mx]\nvia=mx\n"
           "[route mx-sure]\nvia=mx\ntls=required\ndane=no\nmta-sts=false\n"
           "[route lmtp]\nvia=lmtp\npath=run/lmtp\n"
           "[route lmtp-tcp]\nvia=lmtp\nhosts=localhost\n"
           "[route dir]\nvia=maildir\npath=/var/mail/me\n"
           "[route implicit]\nhosts=a.example\ntls=implicit\n"
           "[route gone]\nvia=discard\n");
  PrRouteConfig **routes = (PrRouteConfig **) config->routes->pdata;

  g_assert_cmpint (routes[0]->tls, ==, PR_TLS_OPPORTUNISTIC);
  g_assert_true (routes[0]->dane && routes[0]->mta_sts);
  g_assert_cmpint (routes[1]->tls, ==, PR_TLS_REQUIRED);
  g_assert_false (routes[1]->dane || routes[1]->mta_sts);
  g_assert_cmpint (routes[2]->tls, ==, PR_TLS_OFF);
  g_assert_cmpstr (routes[2]->path, ==, "/home/me/run/lmtp"); /* beside the file */
  g_assert_cmpuint (routes[3]->hosts[0].port, ==, 24);
  g_assert_cmpstr (routes[4]->path, ==, "/var/mail/me");
  g_assert_cmpuint (routes[5]->hosts[0].port, ==, 465);
  g_assert_cmpint (routes[6]->via, ==, PR_VIA_DISCARD);
}

typedef struct
{
  const char *text, *fault;
} FaultCase;

static const FaultCase fault_cases[] = {
  /* syntax */
  { "x=1\n", "line 1: the key stands before the first [group]" },
  { "\nnonsense\n", "line 2: neither a [group] nor key=value nor a # comment" },
  { "[server]\nnonsense\n", "[server] line 2: neither a [group] nor key=value nor a # comment" },
  { "[server]\n=1\n", "[server] line 2: neither a [group] nor key=value nor a # comment" },
  { "[server\n", "line 1: a group is written as [name]" },
  { "[]\n", "line 1: a group is written as [name]" },
  { "[a[b]\n", "[a[b] line 1: a group is written as [name]" },
  { "[server]\nhostname=a\xff\n", "[server] line 2: not text in UTF-8" },
  { "[server]\nhostname=a\\q\n", "[server] hostname: a backslash is written as \\\\" },
  { "[server]\nhostname=a\\\n", "[server] hostname: a backslash is written as \\\\" },
  { "[server]\n[server]\n", "[server]: this group appears twice" },
  { "[route a]\nvia=hold\n[route \t a]\nvia=hold\n", "[route a]: this group appears twice" },
  { "[retry]\ngive-up=1d\ngive-up=2d\n", "[retry] give-up: this key appears twice" },

  /* names */
  { "[sever]\n", "[sever]: there is no such group" },
  { "[server x]\n", "[server x]: there is no such group" },
  { "[listener]\n", "[listener]: the group needs a name: [listener NAME]" },
  { "[server]\nhost=a\n", "[server] host: there is no such key" },
  { "[server]\nhostname[de]=a\n", "[server] hostname[de]: there is no such key" },
  { "[route a]\nvia=hold\nlisten=1\n", "[route a] listen: there is no such key" },

  /* values */
  { "[server]\nhostname=a b\n",
    "[server] hostname: \"a b\" is not a host name such as relay.example.org" },
  { "[server]\nhostname=\n",
    "[server] hostname: \"\" is not a host name such as relay.example.org" },
  { "[server]\npostmaster=me\n", NULL },
  { "[server]\nmax-message-size=50MB\n",
    "[server] max-message-size: \"50MB\" is not a size such as 512, 100K, 50M or 2G" },
  { "[server]\nmax-message-size=1\n", "[server] max-message-size: must be from 1K to 64G" },
  { "[server]\nmax-recipients=0\n", "[server] max-recipients: must be from 1 to 100000" },
  { "[server]\nmax-recipients=-1\n", "[server] max-recipients: \"-1\" is not a number" },
  { "[server]\nmax-recipients=1000   # per message\n",
    "[server] max-recipients: \"1000   # per message\" is not a number (a comment needs a line of "
    "its own)" },
  { "[server]\nidle-timeout=5 minutes\n",
    "[server] idle-timeout: \"5 minutes\" is not a duration such as 90s, 5m, 4h or 5d" },
  { "[server]\nidle-timeout=2d\n", "[server] idle-timeout: must be from 1s to 1d" },
  { "[listener a]\ntls=yes\n",
    "[listener a] tls: \"yes\" must be off, starttls, required or implicit" },
  { "[listener a]\nlegacy=1\n", "[listener a] legacy: \"1\" must be false or true" },
  { "[listener a]\nminimum-tls=1\n",
    "[listener a] minimum-tls: \"1\" must be 1.0, 1.1, 1.2 or 1.3" },
  { "[listener a]\nlisten=\n",
    "[listener a] listen: must name at least one address, such as 127.0.0.1:2525" },
  { "[listener a]\nlisten=localhost:25\n",
    "[listener a] listen: \"localhost:25\" is not an IP address with a port such as "
    "127.0.0.1:2525 or [::1]:2525" },
  { "[listener a]\nlisten=127.0.0.1:25, [::1]:25\n",
    "[listener a] listen: \"127.0.0.1:25, [::1]:25\" is not an IP address with a port such as "
    "127.0.0.1:2525 or [::1]:2525 (entries of a list are separated by \";\")" },
  { "[listener a]\nlisten=127.0.0.1:25\n[listener b]\nlisten=127.0.0.1:25\n",
    "[listener b] listen: \"127.0.0.1:25\" is named twice" },
  { "[listener a]\n[listener b]\nlisten=[0::1]:2525\n",
    "[listener b] listen: \"[::1]:2525\" is named twice" },
  { "[listener a]\ncertificate=/nonexistent/cert\n",
    "[listener a] certificate: there is no file /nonexistent/cert" },
  { "[listener a]\ncertificate=tls/cert.pem\n",
    "[listener a] certificate: there is no file /home/me/tls/cert.pem" },
  { "[listener a]\nkey=/etc/passwd\n", "[listener a] key: needs certificate= as well" },
  { "[access]\nrelay-networks=10.0.0.1/8\n",
    "[access] relay-networks: \"10.0.0.1/8\": the network address has bits beyond its prefix; did "
    "you mean 10.0.0.0/8?" },
  { "[access]\ndeny-senders=a b@c\n",
    "[access] deny-senders: \"a b@c\" is not an address pattern: the part before @ must be a name "
    "or a lone *" },
  { "[access]\nlocal-domains=*\n",
    "[access] local-domains: \"*\" would let anyone send to anybody through Postroom; name the "
    "domains" },
  { "[access]\nlocal-domains=me@example.org\n",
    "[access] local-domains: \"me@example.org\" is an address; domains are written without @" },
  { "[retry]\nschedule=;\n", "[retry] schedule: \"\" is not a duration such as 90s, 5m, 4h or 5d" },
  { "[retry]\nschedule=\n", "[retry] schedule: must name at least one duration, such as 5m" },
  { "[retry]\nschedule=5m;0;1h\n", "[retry] schedule: must be from 1s to 30d" },
  { "[desktop]\nnotify=disk;noise\n",
    "[desktop] notify: \"noise\" must be sign-in, failures, routes, devices, disk or "
    "certificates" },
  { "[journal]\nmax-size=1K\n", "[journal] max-size: must be from 1M to 1024G" },

  /* secrets never appear */
  { "[user a]\nsecret=" SECRET "\nscram-sha-1=hunter2 # mine\n",
    "[user a] scram-sha-1: must be SCRAM-SHA-1$iterations:salt$StoredKey:ServerKey; let "
    "\"postroomctl user add\" write it" },
  { "[user a]\nsecret=" SECRET "\ncram-md5=hunter2\\n # mine\n",
    "[user a] cram-md5: has a control character in it" },
  { "[user a]\n", "[user a] secret: is missing; let \"postroomctl user add\" write it" },
  { "[user a]\nsecret=hunter2 # mine\n",
    "[user a] secret: must begin with SCRAM-SHA-256$; let \"postroomctl user add\" write it" },
  { "[user a]\nsecret=SCRAM-SHA-256$4096:salt$a:b\n",
    "[user a] secret: must be SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey; let \"postroomctl "
    "user add\" write it" },
  { "[user a]\nsecret=SCRAM-SHA-256$1:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n",
    "[user a] secret: the number of iterations must be from 4096 to 10000000" },

  /* routes */
  { "[route a]\n",
    "[route a] hosts: is missing; via=smarthost needs a server such as smtp.example.org:587, or "
    "provider= one of \"postroomctl provider list\"" },
  { "[route a]\nhosts=\n",
    "[route a] hosts: is missing; via=smarthost needs a server such as smtp.example.org:587, or "
    "provider= one of \"postroomctl provider list\"" },
  { "[route a]\nprovider=nobody\n", "[route a] provider: there is no provider \"nobody\"; "
                                    "\"postroomctl provider list\" names them" },
  { "[route a]\nprovider=amazon-ses\n",
    "[route a] hosts: is missing; Amazon SES has several: see \"postroomctl provider show "
    "amazon-ses\"" },
  { "[route a]\nprovider=gmail\ntls=off\n",
    "[route a] tls: Gmail has no such server; leave tls= out" },
  { "[route a]\nhosts=a.example.org\nlimit=30\n",
    "[route a] limit: \"30\" is not a limit such as 30/1m or 500 recipients/1d" },
  { "[route a]\nhosts=a.example.org\nlimit=0/1m\n",
    "[route a] limit: \"0/1m\" is not a limit such as 30/1m or 500 recipients/1d" },
  { "[route a]\nhosts=a.example.org\nlimit=3 senders/1m\n",
    "[route a] limit: \"3 senders/1m\" is not a limit such as 30/1m or 500 recipients/1d" },
  { "[route a]\nhosts=a.example.org\nlimit=3/often\n",
    "[route a] limit: \"often\" is not a duration such as 90s, 5m, 4h or 5d" },
  { "[route a]\nhosts=a.example.org\nlimit=3/0\n", "[route a] limit: must be from 1s to 31d" },
  { "[route a]\nhosts=a.example.org\nlimit=1/1;1/1;1/1;1/1;1/1;1/1;1/1;1/1;1/1\n",
    "[route a] limit: has more than 8 limits" },
  { "[route a]\nhosts=smtp.example.org:0\n",
    "[route a] hosts: \"smtp.example.org:0\" is not a host with a port such as "
    "smtp.example.org:587" },
  { "[route a]\nhosts=smtp.example.org:smtp\n",
    "[route a] hosts: \"smtp.example.org:smtp\" is not a host with a port such as "
    "smtp.example.org:587" },
  { "[route a]\nhosts=2001:db8::1:25\n",
    "[route a] hosts: \"2001:db8::1:25\" is not a host with a port such as smtp.example.org:587" },
  { "[route a]\nhosts=[smtp.example.org]:25\n",
    "[route a] hosts: \"[smtp.example.org]:25\" is not a host with a port such as "
    "smtp.example.org:587" },
  { "[route a]\nhosts=a b:25\n",
    "[route a] hosts: \"a b:25\" is not a host with a port such as smtp.example.org:587" },
  { "[route a]\nvia=lmtp\n", "[route a] hosts: is missing; via=lmtp needs hosts or path" },
  { "[route a]\nvia=lmtp\nhosts=a:24\npath=b\n",
    "[route a] path: via=lmtp takes either hosts or path" },
  { "[route a]\nvia=maildir\n", "[route a] path: is missing; via=maildir needs a folder" },
  { "[route a]\nvia=maildir\npath=\n", "[route a] path: is missing; via=maildir needs a folder" },
  { "[route a]\nvia=mx\nusername=me\n",
    "[route a] username: via=mx signs in nowhere; the password would go to strangers" },
  { "[route a]\nvia=mx\ntls=implicit\n",
    "[route a] tls: via=mx uses port 25, where TLS begins by STARTTLS" },
  { "[route a]\nhosts=a.example\npin=SHA256:0123\n",
    "[route a] pin: must be SHA256: and the 64 hexadecimal digits, or the base64, of a "
    "certificate's fingerprint" },
  { "[route a]\nhosts=a.example\nclient-id=x\nusername=u\noauth-device=https://a.example/\n",
    "[route a] oauth-token: is missing; client-id needs it" },
  { "[route a]\nhosts=a.example\nclient-id=x\nusername=u\noauth-token=https://a.example/\n",
    "[route a] oauth-authorize: is missing; client-id needs it, or oauth-device" },
  { "[route a]\nhosts=a.example\nclient-id=x\noauth-token=https://a.example/\n"
    "oauth-device=https://a.example/d\n",
    "[route a] username: is missing; it is the address of the mailbox" },
  { "[route a]\nhosts=a.example\noauth-token=http://a.example/\n",
    "[route a] oauth-token: http://a.example/ is not encrypted; it must begin with https://" },
  { "[route a]\nhosts=a.example\noauth-token=a.example\n",
    "[route a] oauth-token: a.example is no web address, such as https://example.org/" },
  { "[route a]\nhosts=a.example\nusername=u\naccount=x\n",
    "[route a] account: must be goa: and the id of an account" },
  { "[route a]\nhosts=a.example\nusername=u\nclient-id=x\noauth-flow=device\n"
    "oauth-token=https://a.example/\noauth-authorize=https://a.example/a\n",
    "[route a] oauth-device: is missing; oauth-flow=device needs it" },
  { "[route a]\nhosts=a.example\ntls=off\npin=" PIN "\n",
    "[route a] pin: needs tls=required or tls=implicit" },
  { "[route a]\nvia=mx\ntls=required\npin=" PIN "\n",
    "[route a] pin: is one server's, but via=mx goes to many" },
  { "[route a]\nvia=pigeon\nhosts=a.example\n",
    "[route a] via: \"pigeon\" must be smarthost, mx, lmtp, maildir, hold, discard, "
    "gmail-api or graph" },
  { "[route a]\nvia=graph\n",
    "[route a] username: is missing; the provider sends as this account" },
  { "[route a]\nvia=gmail-api\nusername=me\napi-url=gmail.example\n",
    "[route a] api-url: is no address such as https://graph.microsoft.us/v1.0" },
  { "[route a]\nvia=graph\nusername=me\napi-url=https://graph.example/v1.0/\n",
    "[route a] api-url: is no address such as https://graph.microsoft.us/v1.0" },
  { "[route a]\nvia=hold\nauth=PLAIN\n",
    "[route a] auth: \"PLAIN\" must be auto, plain, login, cram-md5, scram-sha-256, xoauth2 or "
    "oauthbearer" },
  { "[route a]\nvia=hold\nusername=a\\nb\n", "[route a] username: has a control character in it" },
};

static void
test_faults (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fault_cases); i++)
    if (fault_cases[i].fault != NULL)
      assert_fault (fault_cases[i].text, fault_cases[i].fault);
    else
      {
        g_autoptr (GPtrArray) faults = NULL;

        g_assert_null (
          pr_config_parse (fault_cases[i].text, strlen (fault_cases[i].text), FILE_NAME, &faults));
        g_assert_cmpuint (faults->len, ==, 1);
      }
}

static void
test_all_faults_at_once (void)
{
  static const char text[] = "[server]\nmax-recipients=x\n\n[nothing]\na=b\n[route a]\nhosts=:\n"
                             "tls=maybe\n\0\n[retry]\ngive-up=never\n";
  static const char *const expected[] = {
    "[route a] line 9: not text in UTF-8", /* the syntax is read first */
    "[server] max-recipients: \"x\" is not a number",
    "[nothing]: there is no such group",
    "[route a] hosts: \":\" is not a host with a port such as smtp.example.org:587",
    "[route a] tls: \"maybe\" must be off, opportunistic, required or implicit",
    "[retry] give-up: \"never\" is not a duration such as 90s, 5m, 4h or 5d",
    NULL,
  };

  assert_faults (text, sizeof text - 1, expected);
}

/* What is no configuration at all gives a short answer, without delay. */
static void
test_hostile (void)
{
  static const char control[] = "[\x1b(2J]\nb=\x07\n";
  g_autofree char *lines = g_malloc (1024 * 1024);
  g_autoptr (GString) groups = g_string_new (NULL), keys = g_string_new ("[server]\n");
  g_autoptr (GPtrArray) faults = NULL;

  memset (lines, '\n', 1024 * 1024);
  for (gsize i = 0; i < 1024 * 1024; i += 2)
    lines[i] = 'x';
  g_assert_null (pr_config_parse (lines, 1024 * 1024, FILE_NAME, &faults));
  g_assert_cmpuint (faults->len, ==, 101);
  g_clear_pointer (&faults, g_ptr_array_unref);

  for (guint i = 0; i < 5000; i++)
    {
      g_string_append_printf (groups, "[user %u]\n", i);
      g_string_append_printf (keys, "k%u=1\n", i);
    }
  g_assert_null (pr_config_parse (groups->str, groups->len, FILE_NAME, &faults));
  g_clear_pointer (&faults, g_ptr_array_unref);
  g_assert_null (pr_config_parse (keys->str, keys->len, FILE_NAME, &faults));
  g_clear_pointer (&faults, g_ptr_array_unref);

  g_assert_null (pr_config_parse (lines, 1024 * 1024 + 1, FILE_NAME, &faults));
  g_assert_cmpuint (faults->len, ==, 1);
  g_clear_pointer (&faults, g_ptr_array_unref);

  /* A fault is one line that a terminal can show. */
  g_assert_null (pr_config_parse (control, strlen (control), FILE_NAME, &faults));
  g_assert_cmpuint (faults->len, >, 0);
  for (guint i = 0; i < faults->len; i++)
    for (const char *p = faults->pdata[i]; *p != '\0'; p++)
      g_assert_false (g_ascii_iscntrl (*p));
}

static void
test_keys (void)
{
  const PrConfigKey *keys = pr_config_get_keys ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n = 0;

  g_assert_true (keys == pr_config_get_keys ());
  for (; keys->group != NULL; keys++, n++)
    {
      g_assert_true (g_hash_table_add (seen, g_strconcat (keys->group, "/", keys->key, NULL)));
      g_assert_nonnull (keys->type);
      g_assert_nonnull (keys->default_text);
      g_assert_true (g_str_has_suffix (keys->help, "."));
    }
  g_assert_cmpuint (n, >, 35);
  g_assert_true (g_hash_table_contains (seen, "route NAME/rewrite-sender"));
}

/* "#key=value" and "#[group]" become settings. */
static char *
uncomment (const char *text)
{
  g_autoptr (GRegex) regex = g_regex_new ("^#(\\[|[a-z0-9-]+=)", G_REGEX_MULTILINE, 0, NULL);

  return g_regex_replace (regex, text, -1, 0, "\\1", 0, NULL);
}

/* A provider's addresses and scopes stand for those that a route does not give. */
static void
test_oauth_preset (void)
{
  static const char text[] = "[route a]\nprovider=microsoft365\nusername=me@example.org\n"
                             "client-id=x\ntenant=example.org\n"
                             "[route b]\nprovider=gmail\nusername=me@gmail.com\nclient-id=y\n"
                             "oauth-scopes=other\n"
                             "[route c]\nprovider=microsoft365\nusername=me@example.org\n"
                             "client-id=x\ntenant=t\nvia=graph\noauth-flow=client-credentials\n";
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse (text, strlen (text), "test.conf", &faults);
  const PrRouteConfig *a = pr_config_get_route (config, "a"),
                      *b = pr_config_get_route (config, "b"),
                      *c = pr_config_get_route (config, "c");

  g_assert_cmpstr (a->oauth_token, ==,
                   "https://login.microsoftonline.com/example.org/oauth2/v2.0/token");
  g_assert_cmpstr (a->oauth_device, ==,
                   "https://login.microsoftonline.com/example.org/oauth2/v2.0/devicecode");
  g_assert_cmpstr (a->oauth_scopes, ==, "https://outlook.office.com/SMTP.Send offline_access");
  g_assert_cmpstr (a->oauth_flow, ==, "auto");
  g_assert_cmpstr (
    b->oauth_authorize, ==,
    "https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent");
  g_assert_null (b->oauth_device);
  g_assert_cmpstr (b->oauth_revoke, ==, "https://oauth2.googleapis.com/revoke");
  g_assert_cmpstr (b->oauth_scopes, ==, "other");
  g_assert_cmpstr (c->oauth_scopes, ==, "https://graph.microsoft.com/.default");
  g_assert_cmpstr (pr_via_to_string (c->via), ==, "graph");
  g_assert_cmpstr (pr_via_to_string (PR_VIA_MX), ==, "mx");
}

static void
test_example (void)
{
  g_autofree char *example =
    g_test_build_filename (G_TEST_DIST, "..", "data", "postroom.conf.example", NULL);
  g_autofree char *dir = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  g_autofree char *tls = g_build_filename (dir, "tls", NULL);
  g_autofree char *path = g_build_filename (dir, "postroom.conf", NULL);
  static const char *const files[] = { "relay.pem", "relay.key", "ca.pem", "root.key" };
  g_autofree char *text = NULL, *active = NULL;
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (PrConfig) untouched = NULL, config = NULL;

  g_file_get_contents (example, &text, NULL, &error);
  g_assert_no_error (error);
  untouched = pr_config_load (example, &faults);
  g_assert_nonnull (untouched);
  assert_is_default (untouched);

  g_mkdir (tls, 0700);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *file = g_build_filename (tls, files[i], NULL);

      g_assert_true (g_file_set_contents (file, "", 0, NULL));
    }
  active = uncomment (text);
  config = pr_config_parse (active, strlen (active), path, &faults);
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    g_test_message ("%s", (char *) faults->pdata[i]);
  g_assert_nonnull (config);
  g_assert_cmpuint (config->routes->len, ==, 1);
  g_assert_cmpuint (config->users->len, ==, 1);

  /* Every key is there, in its group. */
  for (const PrConfigKey *key = pr_config_get_keys (); key->group != NULL; key++)
    {
      g_autofree char *group = g_strndup (key->group, strcspn (key->group, " "));
      g_autofree char *opening = g_strconcat ("\n[", group, NULL);
      g_autofree char *line = g_strconcat ("\n", key->key, "=", NULL);
      const char *start = strstr (active, opening);
      g_auto (GStrv) groups = start != NULL ? g_strsplit (start + 1, "\n[", 2) : NULL;

      g_test_message ("[%s] %s", group, key->key);
      g_assert_nonnull (groups);
      g_assert_nonnull (strstr (groups[0], line));
    }
}

static void
test_files (void)
{
  g_autofree char *dir = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "postroom.conf", NULL);
  g_autofree char *missing = g_build_filename (dir, "missing", "postroom.conf", NULL);
  static const char text[] = "[server]\nmax-recipients=7\n";
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (PrConfig) absent = pr_config_load (path, &faults), config = NULL;
  GStatBuf status;

  g_assert_nonnull (absent);
  assert_is_default (absent);

  g_assert_true (g_file_set_contents (path, "old", -1, NULL));
  g_assert_true (pr_config_save (path, text, strlen (text), &error));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  config = pr_config_load (path, &faults);
  g_assert_nonnull (config);
  g_assert_cmpuint (config->max_recipients, ==, 7);

  g_assert_false (pr_config_save (missing, text, strlen (text), &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_TEMPORARY);

  g_assert_null (pr_config_load (dir, &faults)); /* a folder */
  g_assert_cmpuint (faults->len, ==, 1);
  g_assert_true (g_str_has_prefix (faults->pdata[0], dir));
  g_clear_pointer (&faults, g_ptr_array_unref);

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_null (pr_config_load (path, &faults)); /* does not wait for a writer */
  g_assert_cmpuint (faults->len, ==, 1);
}

/* As OpenSSL, our own log and base64 tools show it. */
static void
test_pins (void)
{
  static const char *const pins[] = {
    PIN,
    PIN_HALF PIN_HALF,
    "sha256:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:"
    "AB:CD:EF",
    "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8=",
  };

  for (guint i = 0; i < G_N_ELEMENTS (pins); i++)
    {
      g_autofree char *text = g_strdup_printf ("[route a]\nhosts=a.example\npin=%s\n", pins[i]);
      g_autoptr (GPtrArray) faults = NULL;
      g_autoptr (PrConfig) config = pr_config_parse (text, strlen (text), "/p.conf", &faults);
      const PrRouteConfig *route;

      g_assert_nonnull (config);
      route = pr_config_get_route (config, "a");
      for (guint j = 0; j < 32; j++)
        g_assert_cmphex (route->pin[j], ==, (j % 8) * 0x22 + 0x01);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/config/default", test_default);
  g_test_add_func ("/config/everything", test_everything);
  g_test_add_func ("/config/desktop", test_desktop);
  g_test_add_func ("/config/route-kinds", test_route_kinds);
  g_test_add_func ("/config/faults", test_faults);
  g_test_add_func ("/config/all-faults-at-once", test_all_faults_at_once);
  g_test_add_func ("/config/hostile", test_hostile);
  g_test_add_func ("/config/keys", test_keys);
  g_test_add_func ("/config/oauth-preset", test_oauth_preset);
  g_test_add_func ("/config/example", test_example);
  g_test_add_func ("/config/files", test_files);
  g_test_add_func ("/config/pins", test_pins);
  return g_test_run ();
}
