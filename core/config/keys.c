/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every key of postroom.conf: its type, default, range and one sentence of help. */
#include "config/keys.h"

#include <glib/gi18n.h>

#define IN(type, field) G_STRUCT_OFFSET (type, field)
#define KIB G_GUINT64_CONSTANT (1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

static const PrWord booleans[] = { { "false", FALSE }, { "true", TRUE }, { NULL, 0 } };

static const PrWord answers[] = { { "no", FALSE }, { "yes", TRUE }, { NULL, 0 } };

static const PrWord listener_tls[] = { { "off", PR_TLS_OFF },
                                       { "starttls", PR_TLS_STARTTLS },
                                       { "required", PR_TLS_REQUIRED },
                                       { "implicit", PR_TLS_IMPLICIT },
                                       { NULL, 0 } };

static const PrWord listener_auth[] = { { "off", PR_AUTH_OFF },
                                        { "offered", PR_AUTH_OFFERED },
                                        { "required", PR_AUTH_REQUIRED },
                                        { NULL, 0 } };

static const PrWord tls_versions[] = {
  { "1.0", 10 }, { "1.1", 11 }, { "1.2", 12 }, { "1.3", 13 }, { NULL, 0 }
};

static const PrWord vias[] = {
  { "smarthost", PR_VIA_SMARTHOST }, { "mx", PR_VIA_MX },       { "lmtp", PR_VIA_LMTP },
  { "maildir", PR_VIA_MAILDIR },     { "hold", PR_VIA_HOLD },   { "discard", PR_VIA_DISCARD },
  { "gmail-api", PR_VIA_GMAIL_API }, { "graph", PR_VIA_GRAPH }, { NULL, 0 }
};

static const PrWord route_tls[] = { { "off", PR_TLS_OFF },
                                    { "opportunistic", PR_TLS_OPPORTUNISTIC },
                                    { "required", PR_TLS_REQUIRED },
                                    { "implicit", PR_TLS_IMPLICIT },
                                    { NULL, 0 } };

static const PrWord mechanisms[] = { { "auto", 0 },          { "plain", 0 },
                                     { "login", 0 },         { "cram-md5", 0 },
                                     { "scram-sha-256", 0 }, { "xoauth2", 0 },
                                     { "oauthbearer", 0 },   { NULL, 0 } };

static const PrWord checks[] = {
  { "off", PR_CHECK_OFF }, { "note", PR_CHECK_NOTE }, { "enforce", PR_CHECK_ENFORCE }, { NULL, 0 }
};

static const PrWord notes[] = { { "off", PR_CHECK_OFF }, { "note", PR_CHECK_NOTE }, { NULL, 0 } };

static const PrWord notices[] = {
  { "sign-in", PR_NOTICE_SIGN_IN },
  { "failures", PR_NOTICE_FAILURES },
  { "routes", PR_NOTICE_ROUTES },
  { "devices", PR_NOTICE_DEVICES },
  { "disk", PR_NOTICE_DISK },
  { "certificates", PR_NOTICE_CERTIFICATES },
  { NULL, 0 },
};

static const PrWord oauth_flows[] = {
  { "auto", 0 }, { "code", 0 }, { "device", 0 }, { "client-credentials", 0 }, { NULL, 0 }
};

const PrKeySpec pr_key_specs[] = {
  { "server", "hostname", PR_VALUE_HOSTNAME, IN (PrConfig, hostname), NULL, 0, 0, NULL,
    N_ (
      "The name Postroom calls itself by, to clients and to next hops. Without it: this computer's "
      "name.") },
  { "server", "postmaster", PR_VALUE_ADDRESS, IN (PrConfig, postmaster), NULL, 0, 0, NULL,
    N_ (
      "Receives what cannot be returned to anybody, and mail for \"postmaster\"; such mail is held "
      "while this is not set.") },
  { "server", "trust-anchor-file", PR_VALUE_FILE, IN (PrConfig, trust_anchor_file), NULL, 0, 0,
    NULL,
    N_ ("A file of DNSKEY or DS records that DNSSEC begins with, for a network with a root of its "
        "own. "
        "Without it: the keys of the Internet's root.") },
  { "server", "max-message-size", PR_VALUE_SIZE, IN (PrConfig, max_message_size_octets), "50M", KIB,
    64 * GIB, NULL, N_ ("The largest message that is accepted; clients are told.") },
  { "server", "max-recipients", PR_VALUE_NUMBER, IN (PrConfig, max_recipients), "1000", 1, 100000,
    NULL, N_ ("How many recipients one message may have.") },
  { "server", "max-connections", PR_VALUE_NUMBER, IN (PrConfig, max_connections), "1000", 1, 100000,
    NULL, N_ ("How many clients may be connected at once; the next one is told to come later.") },
  { "server", "max-connections-per-client", PR_VALUE_NUMBER,
    IN (PrConfig, max_connections_per_client), "50", 1, 100000, NULL,
    N_ ("How many connections one client address (IPv6: one /64) may have at once.") },
  { "server", "idle-timeout", PR_VALUE_DURATION, IN (PrConfig, idle_timeout_s), "5m", 1, DAY_S,
    NULL, N_ ("A client that sends nothing for so long is disconnected.") },
  { "server", "min-free-space", PR_VALUE_SIZE, IN (PrConfig, min_free_space_octets), "100M", 0,
    1024 * GIB, NULL,
    N_ ("With less space left on the disk no mail is accepted; clients try later.") },

  { "listener", "listen", PR_VALUE_LISTEN, IN (PrListenerConfig, listen),
    "127.0.0.1:2525;[::1]:2525", 0, 0, NULL,
    N_ ("The addresses and ports where clients connect. 0.0.0.0 and [::] stand for all of them.") },
  { "listener", "tls", PR_VALUE_WORD, IN (PrListenerConfig, tls), "starttls", 0, 0, listener_tls,
    N_ ("Encryption: none, offered by STARTTLS, required by STARTTLS, or from the first octet.") },
  { "listener", "auth", PR_VALUE_WORD, IN (PrListenerConfig, auth), "offered", 0, 0, listener_auth,
    N_ (
      "Signing in: not at all, offered over TLS and to this computer, or required of everybody.") },
  { "listener", "plaintext-auth-networks", PR_VALUE_NETWORKS,
    IN (PrListenerConfig, plaintext_auth_networks), "", 0, 0, NULL,
    N_ ("Clients in these networks may show their password without encryption, such as old devices "
        "on a wire of your own. This computer always may.") },
  { "listener", "minimum-tls", PR_VALUE_WORD, IN (PrListenerConfig, minimum_tls), "1.2", 0, 0,
    tls_versions, N_ ("The oldest version of TLS that is accepted; old devices may need 1.0.") },
  { "listener", "certificate", PR_VALUE_FILE, IN (PrListenerConfig, certificate), NULL, 0, 0, NULL,
    N_ ("A PEM file with the certificate and its chain. Without it: a self-signed certificate.") },
  { "listener", "key", PR_VALUE_FILE, IN (PrListenerConfig, key), NULL, 0, 0, NULL,
    N_ ("A PEM file with the private key. Without it the file of the certificate must hold it.") },
  { "listener", "legacy", PR_VALUE_WORD, IN (PrListenerConfig, legacy), "false", 0, 0, booleans,
    N_ (
      "Accept what old devices send although it is against the rules, such as bare line feeds.") },

  { "access", "relay-networks", PR_VALUE_NETWORKS, IN (PrConfig, relay_networks),
    "127.0.0.0/8;::1/128", 0, 0, NULL,
    N_ ("Clients in these networks may send to anybody without signing in.") },
  { "access", "deny-networks", PR_VALUE_NETWORKS, IN (PrConfig, deny_networks), "", 0, 0, NULL,
    N_ ("Clients in these networks are turned away.") },
  { "access", "local-domains", PR_VALUE_DOMAINS, IN (PrConfig, local_domains), "", 0, 0, NULL,
    N_ ("Mail for these domains is accepted from anyone: example.org, *.example.org.") },
  { "access", "deny-senders", PR_VALUE_PATTERNS, IN (PrConfig, deny_senders), "", 0, 0, NULL,
    N_ ("Mail from these senders is refused: user@domain, *@domain, *@*.domain.") },
  { "access", "deny-recipients", PR_VALUE_PATTERNS, IN (PrConfig, deny_recipients), "", 0, 0, NULL,
    N_ ("Mail for these recipients is refused.") },

  { "user", "secret", PR_VALUE_SECRET, IN (PrUserConfig, secret), NULL, 0, 0, NULL,
    N_ ("What the password is checked with; it is written by \"postroomctl user add\".") },
  { "user", "scram-sha-1", PR_VALUE_SECRET_SHA_1, IN (PrUserConfig, scram_sha_1), NULL, 0, 0, NULL,
    N_ ("The same for programs that know SCRAM-SHA-1 only; it is written with it.") },
  { "user", "cram-md5", PR_VALUE_PASSWORD, IN (PrUserConfig, cram_md5), NULL, 0, 0, NULL,
    N_ ("The password itself: whoever reads this file has it. CRAM-MD5, which some old devices "
        "insist "
        "on, is offered where a user has this; it is written by \"postroomctl user add "
        "--cram-md5\".") },
  { "user", "senders", PR_VALUE_PATTERNS, IN (PrUserConfig, senders), "*", 0, 0, NULL,
    N_ ("The sender addresses this user may use.") },

  { "route", "recipients", PR_VALUE_PATTERNS, IN (PrRouteConfig, recipients), "*", 0, 0, NULL,
    N_ ("Mail for these recipients takes this route; of several routes the first one counts.") },
  { "route", "senders", PR_VALUE_PATTERNS, IN (PrRouteConfig, senders), "*", 0, 0, NULL,
    N_ ("Only mail of these senders takes this route.") },
  { "route", "via", PR_VALUE_WORD, IN (PrRouteConfig, via), "smarthost", 0, 0, vias,
    N_ (
      "Through a provider's server, straight to the recipients' servers, to an LMTP server, into a "
      "maildir, over HTTPS by the Gmail API or Microsoft Graph; or hold it, or throw it away.") },
  { "route", "provider", PR_VALUE_PROVIDER, IN (PrRouteConfig, provider), NULL, 0, 0, NULL,
    N_ ("The mail provider, as \"postroomctl provider list\" names it: its servers, its limits and "
        "what its answers mean. What this route says itself counts more.") },
  { "route", "hosts", PR_VALUE_HOSTS, IN (PrRouteConfig, hosts), NULL, 0, 0, NULL,
    N_ ("For smarthost and lmtp: the servers with their ports, the preferred one first. Without a "
        "port: 587 (tls=implicit: 465), for lmtp 24.") },
  { "route", "tls", PR_VALUE_WORD, IN (PrRouteConfig, tls), "required", 0, 0, route_tls,
    N_ ("Encryption towards the next server; required and implicit verify its certificate. With "
        "via=mx "
        "the default is opportunistic, with via=lmtp it is off.") },
  { "route", "dane", PR_VALUE_WORD, IN (PrRouteConfig, dane), "yes", 0, 0, answers,
    N_ ("With via=mx: servers whose domain publishes their certificates (DANE) must show one of "
        "them; "
        "mail waits while they do not, or while the domain's DNS records cannot be trusted.") },
  { "route", "mta-sts", PR_VALUE_WORD, IN (PrRouteConfig, mta_sts), "true", 0, 0, booleans,
    N_ ("With via=mx: where a recipient's domain has a policy (MTA-STS), mail goes only to the "
        "servers that it names, verified; mail waits while there is none.") },
  { "route", "ca-file", PR_VALUE_FILE, IN (PrRouteConfig, ca_file), NULL, 0, 0, NULL,
    N_ (
      "A PEM file with certificates to trust in addition to those of the system. Lists of revoked "
      "certificates in it count, too.") },
  { "route", "pin", PR_VALUE_SHA256, IN (PrRouteConfig, pin), NULL, 0, 0, NULL,
    N_ (
      "The fingerprint of the one certificate that is right, whoever vouches for it or not: for a "
      "server that signs its own. When it cannot be verified, the log shows it.") },
  { "route", "username", PR_VALUE_TEXT, IN (PrRouteConfig, username), NULL, 0, 0, NULL,
    N_ ("The name to sign in with; the password is set by \"postroomctl route password\".") },
  { "route", "auth", PR_VALUE_NAME, IN (PrRouteConfig, auth), "auto", 0, 0, mechanisms,
    N_ ("How to sign in; auto takes the best way the server offers.") },
  { "route", "api-url", PR_VALUE_TEXT, IN (PrRouteConfig, api_url), NULL, 0, 0, NULL,
    N_ ("For gmail-api and graph: where the interface is, without a slash at the end, if it is not "
        "the "
        "usual one: another cloud of Microsoft's.") },
  { "route", "client-id", PR_VALUE_TEXT, IN (PrRouteConfig, client_id), NULL, 0, 0, NULL,
    N_ (
      "For signing in with OAuth, in place of a password: the id that your provider gave for this "
      "program. Then sign in with \"postroomctl route sign-in\".") },
  { "route", "tenant", PR_VALUE_TEXT, IN (PrRouteConfig, tenant), NULL, 0, 0, NULL,
    N_ ("Your organisation at Microsoft: its domain or its id. Without it: any.") },
  { "route", "oauth-authorize", PR_VALUE_URL, IN (PrRouteConfig, oauth_authorize), NULL, 0, 0, NULL,
    N_ (
      "Where the browser goes to sign in. Without it: the provider's; so with the next five. What "
      "it wants to be told besides is written behind a question mark, such as "
      "?prompt=consent.") },
  { "route", "oauth-token", PR_VALUE_URL, IN (PrRouteConfig, oauth_token), NULL, 0, 0, NULL,
    N_ ("Where tokens come from.") },
  { "route", "oauth-device", PR_VALUE_URL, IN (PrRouteConfig, oauth_device), NULL, 0, 0, NULL,
    N_ ("Where codes come from that are typed on another device.") },
  { "route", "oauth-revoke", PR_VALUE_URL, IN (PrRouteConfig, oauth_revoke), NULL, 0, 0, NULL,
    N_ ("Where tokens are made worthless when you sign out.") },
  { "route", "oauth-issuer", PR_VALUE_URL, IN (PrRouteConfig, oauth_issuer), NULL, 0, 0, NULL,
    N_ ("What the provider calls itself; an answer that names another one, or none, is refused. "
        "Only for providers that say who they are when they answer the browser.") },
  { "route", "oauth-scopes", PR_VALUE_TEXT, IN (PrRouteConfig, oauth_scopes), NULL, 0, 0, NULL,
    N_ ("What the provider is asked to allow, separated by blanks.") },
  { "route", "oauth-flow", PR_VALUE_NAME, IN (PrRouteConfig, oauth_flow), "auto", 0, 0, oauth_flows,
    N_ ("How to sign in with OAuth: in a browser here (code), with a code typed on another device "
        "(device), or as a program without a person (client-credentials).") },
  { "route", "account", PR_VALUE_TEXT, IN (PrRouteConfig, account), NULL, 0, 0, NULL,
    N_ ("goa:ID takes tokens of this account in the desktop's settings (GNOME Online Accounts), in "
        "place of client-id.") },
  { "route", "path", PR_VALUE_PATH, IN (PrRouteConfig, path), NULL, 0, 0, NULL,
    N_ ("For maildir: its folder. For lmtp: the UNIX socket of the server, instead of hosts.") },
  { "route", "max-connections", PR_VALUE_NUMBER, IN (PrRouteConfig, max_connections), "10", 1, 1000,
    NULL, N_ ("How many connections to one server may be open at once.") },
  { "route", "max-messages-per-connection", PR_VALUE_NUMBER,
    IN (PrRouteConfig, max_messages_per_connection), "100", 1, 100000, NULL,
    N_ ("After so many messages a connection is closed and another one opened.") },
  { "route", "limit", PR_VALUE_LIMITS, IN (PrRouteConfig, limits), NULL, 1, 31 * DAY_S, NULL,
    N_ ("How much may be sent in any span of time, in messages or in recipients: 30/1m, "
        "500 recipients/1d. What is more waits its turn. Without it: what the provider allows.") },
  { "route", "connect-timeout", PR_VALUE_DURATION, IN (PrRouteConfig, connect_timeout_s), "30s", 1,
    10 * MINUTE_S, NULL, N_ ("How long to wait for a connection to one address.") },
  { "route", "reply-timeout", PR_VALUE_DURATION, IN (PrRouteConfig, reply_timeout_s), "5m", 1,
    HOUR_S, NULL, N_ ("How long to wait for one reply; twice this at the end of a message.") },
  { "route", "rewrite-sender", PR_VALUE_ADDRESS, IN (PrRouteConfig, rewrite_sender), NULL, 0, 0,
    NULL,
    N_ ("The envelope sender and From become this address, the old From becomes Reply-To; for "
        "providers that accept one sender only.") },

  { "retry", "schedule", PR_VALUE_SCHEDULE, IN (PrConfig, retry_schedule_s),
    "1m;5m;15m;30m;1h;2h;4h", 1, 30 * DAY_S, NULL,
    N_ ("How long to wait after the first, second, ... failed try; the last one repeats.") },
  { "retry", "give-up", PR_VALUE_DURATION, IN (PrConfig, give_up_s), "5d", 1, 365 * DAY_S, NULL,
    N_ ("After so long a message goes back to its sender.") },
  { "retry", "warn-after", PR_VALUE_DURATION, IN (PrConfig, warn_after_s), "4h", 0, 365 * DAY_S,
    NULL, N_ ("After so long the sender is told once that the message is late; 0: never.") },

  { "journal", "keep", PR_VALUE_DURATION, IN (PrConfig, journal_keep_s), "30d", 0, 3660 * DAY_S,
    NULL, N_ ("How long the history of messages and connections is kept.") },
  { "journal", "max-size", PR_VALUE_SIZE, IN (PrConfig, journal_max_size_octets), "256M", MIB,
    1024 * GIB, NULL, N_ ("With more than this the oldest history goes first.") },

  { "guard", "hello", PR_VALUE_WORD, IN (PrConfig, check_hello), "note", 0, 0, checks,
    N_ ("Mail from outside: whether the name a client greets with can be its own. note: say it in "
        "the log; enforce: refuse the mail as well.") },
  { "guard", "reverse-name", PR_VALUE_WORD, IN (PrConfig, check_reverse_name), "note", 0, 0, checks,
    N_ (
      "Mail from outside: whether the client's address has a name in DNS that leads back to it.") },
  { "guard", "lists", PR_VALUE_DNS_LISTS, IN (PrConfig, lists), "", 0, 0, NULL,
    N_ (
      "Mail from outside: lists in the DNS that clients are looked up in, such as "
      "zen.spamhaus.org*2;list.dnswl.org*-1: what an entry is worth stands behind the *, less than "
      "0 speaks for the client; the answers that count may stand behind a =.") },
  { "guard", "lists-check", PR_VALUE_WORD, IN (PrConfig, check_lists), "enforce", 0, 0, checks,
    N_ ("Mail from outside: what to do about clients whom the lists are worth lists-score.") },
  { "guard", "lists-score", PR_VALUE_NUMBER, IN (PrConfig, lists_score), "1", 1, 1000, NULL,
    N_ ("How much the lists a client is on must be worth together until it is refused.") },
  { "guard", "spf", PR_VALUE_WORD, IN (PrConfig, check_spf), "note", 0, 0, checks,
    N_ ("Mail from outside: whether the sender's domain lets the client send for it (SPF).") },
  { "guard", "dkim", PR_VALUE_WORD, IN (PrConfig, check_dkim), "note", 0, 0, notes,
    N_ ("Mail from outside: whose signatures it bears (DKIM). No mail is refused for a broken one, "
        "unless the author's domain asks for it (dmarc).") },
  { "guard", "dmarc", PR_VALUE_WORD, IN (PrConfig, check_dmarc), "enforce", 0, 0, checks,
    N_ ("Mail from outside: whether it is from whom it says (DMARC). enforce: do what that domain "
        "asks for: refuse its forged mail, or hold it until you look at it.") },
  { "guard", "excused-networks", PR_VALUE_NETWORKS, IN (PrConfig, excused_networks), "", 0, 0, NULL,
    N_ ("Clients in these networks are not checked, such as a server that forwards your mail.") },

  { "desktop", "tray", PR_VALUE_WORD, IN (PrConfig, tray), "true", 0, 0, booleans,
    N_ ("Show an item in the desktop's tray.") },
  { "desktop", "notify", PR_VALUE_WORDS, IN (PrConfig, notify),
    "sign-in;failures;routes;devices;disk;certificates", 0, 0, notices,
    N_ ("What notifications tell: a sign-in that is needed, mail that failed for good, routes that "
        "fail, devices that were refused, a full disk, certificates. Empty: none.") },
  { "desktop", "notify-after", PR_VALUE_DURATION, IN (PrConfig, notify_after_s), "5m", 1, DAY_S,
    NULL, N_ ("A route that fails for so long is told; shorter troubles pass by themselves.") },

  { NULL, NULL, PR_VALUE_TEXT, 0, NULL, 0, 0, NULL, NULL },
};

/* --- for people -------------------------------------------------------------------------- */

static const char *
join_words (const PrWord *words, const char *between)
{
  g_autoptr (GString) text = g_string_new (words[0].word);

  for (gsize i = 1; words[i].word != NULL; i++)
    g_string_append_printf (text, "%s%s", between, words[i].word);
  return g_intern_string (text->str);
}

static const char *
name_type (PrValueKind kind)
{
  switch (kind)
    {
    case PR_VALUE_SIZE: return "size";
    case PR_VALUE_DURATION: return "duration";
    case PR_VALUE_NUMBER: return "number";
    case PR_VALUE_WORD:
    case PR_VALUE_NAME: return "word";
    case PR_VALUE_WORDS: return "list of words";
    case PR_VALUE_TEXT: return "text";
    case PR_VALUE_HOSTNAME: return "host name";
    case PR_VALUE_ADDRESS: return "address";
    case PR_VALUE_PATH:
    case PR_VALUE_FILE: return "path";
    case PR_VALUE_PROVIDER: return "provider";
    case PR_VALUE_LIMITS: return "list of limits";
    case PR_VALUE_DNS_LISTS: return "list of DNS lists";
    case PR_VALUE_LISTEN: return "list of IP addresses with ports";
    case PR_VALUE_NETWORKS: return "list of networks";
    case PR_VALUE_PATTERNS: return "list of address patterns";
    case PR_VALUE_DOMAINS: return "list of domains";
    case PR_VALUE_HOSTS: return "list of hosts with ports";
    case PR_VALUE_SCHEDULE: return "list of durations";
    case PR_VALUE_SHA256: return "fingerprint";
    case PR_VALUE_URL: return "web address";
    case PR_VALUE_SECRET:
    case PR_VALUE_SECRET_SHA_1:
    case PR_VALUE_PASSWORD: return "secret";
    default: g_assert_not_reached ();
    }
}

static const char *
name_group (const char *group)
{
  if (g_str_equal (group, "listener"))
    return "listener NAME";
  if (g_str_equal (group, "user"))
    return "user NAME";
  return g_str_equal (group, "route") ? "route NAME" : group;
}

const PrConfigKey *
pr_config_get_keys (void)
{
  static PrConfigKey keys[G_N_ELEMENTS (pr_key_specs)];
  static gsize made;

  if (g_once_init_enter (&made))
    {
      for (gsize i = 0; pr_key_specs[i].group != NULL; i++)
        {
          const PrKeySpec *spec = &pr_key_specs[i];

          keys[i].group = name_group (spec->group);
          keys[i].key = spec->key;
          keys[i].type = spec->words == NULL
                           ? name_type (spec->kind)
                           : join_words (spec->words, spec->kind == PR_VALUE_WORDS ? "; " : " | ");
          keys[i].default_text = spec->default_text != NULL ? spec->default_text : "";
          keys[i].help = spec->help;
        }
      g_once_init_leave (&made, 1);
    }
  return keys;
}

const char *
pr_via_to_string (PrVia via)
{
  for (const PrWord *word = vias; word->word != NULL; word++)
    if (word->value == (int) via)
      return word->word;
  return "";
}
