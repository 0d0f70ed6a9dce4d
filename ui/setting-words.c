/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setting-words.h"

#include <glib/gi18n.h>
#include <string.h>

static const struct
{
  const char *kind, *key, *title;
} titles[] = {
  { "server", "hostname", N_ ("Name of the Server") },
  { "server", "postmaster", N_ ("Address of the Postmaster") },
  { "server", "trust-anchor-file", N_ ("Trust Anchors of DNSSEC") },
  { "server", "max-message-size", N_ ("Largest Message") },
  { "server", "max-recipients", N_ ("Recipients of One Message") },
  { "server", "max-connections", N_ ("Connections at Once") },
  { "server", "max-connections-per-client", N_ ("Connections of One Device") },
  { "server", "idle-timeout", N_ ("Time without a Word") },
  { "server", "min-free-space", N_ ("Space to Keep Free") },

  { "listener", "listen", N_ ("Addresses and Ports") },
  { "listener", "tls", N_ ("Encryption") },
  { "listener", "auth", N_ ("Signing In") },
  { "listener", "plaintext-auth-networks", N_ ("Passwords without Encryption") },
  { "listener", "certificate", N_ ("Certificate of Your Own") },
  { "listener", "key", N_ ("Key of That Certificate") },
  { "listener", "minimum-tls", N_ ("Oldest Version of TLS") },
  { "listener", "legacy", N_ ("Forgive Old Devices") },

  { "access", "relay-networks", N_ ("Allowed Networks") },
  { "access", "deny-networks", N_ ("Blocked Networks") },
  { "access", "local-domains", N_ ("Domains Anyone May Write To") },
  { "access", "deny-senders", N_ ("Refused Senders") },
  { "access", "deny-recipients", N_ ("Refused Recipients") },

  { "user", "cram-md5", N_ ("Password for CRAM-MD5") },
  { "user", "senders", N_ ("Sender Addresses") },

  { "route", "recipients", N_ ("Recipients") },
  { "route", "senders", N_ ("Senders") },
  { "route", "via", N_ ("Way") },
  { "route", "provider", N_ ("Mail Provider") },
  { "route", "hosts", N_ ("Servers") },
  { "route", "tls", N_ ("Encryption") },
  { "route", "dane", N_ ("Certificates Published in DNS (DANE)") },
  { "route", "mta-sts", N_ ("Policies of Recipients' Domains (MTA-STS)") },
  { "route", "ca-file", N_ ("Additional Authorities") },
  { "route", "pin", N_ ("Fingerprint of the Certificate") },
  { "route", "username", N_ ("User Name") },
  { "route", "auth", N_ ("How to Sign In") },
  { "route", "api-url", N_ ("Address of the Interface") },
  { "route", "client-id", N_ ("Client ID") },
  { "route", "tenant", N_ ("Organisation") },
  { "route", "oauth-flow", N_ ("How to Sign In with OAuth") },
  { "route", "account", N_ ("Account of the Desktop") },
  { "route", "path", N_ ("Folder or Socket") },
  { "route", "max-connections", N_ ("Connections at Once") },
  { "route", "max-messages-per-connection", N_ ("Messages for Each Connection") },
  { "route", "limit", N_ ("How Much at Most") },
  { "route", "connect-timeout", N_ ("Wait for a Connection") },
  { "route", "reply-timeout", N_ ("Wait for a Reply") },
  { "route", "rewrite-sender", N_ ("Send Everything As") },

  { "retry", "schedule", N_ ("Time between Tries") },
  { "retry", "give-up", N_ ("Give Up After") },
  { "retry", "warn-after", N_ ("Tell the Sender After") },

  { "journal", "keep", N_ ("Keep the History For") },
  { "journal", "max-size", N_ ("Size of the History") },

  { "desktop", "tray", N_ ("Item in the Tray") },
  { "desktop", "notify-after", N_ ("Tell of Failing Routes After") },
};

static const struct
{
  const char *kind, *key, *value, *words;
} values[] = {
  { "listener", "tls", "off", N_ ("None") },
  { "listener", "tls", "starttls", N_ ("Offered (STARTTLS)") },
  { "listener", "tls", "required", N_ ("Required (STARTTLS)") },
  { "listener", "tls", "implicit", N_ ("From the Start (TLS)") },
  { "listener", "auth", "off", N_ ("Not at All") },
  { "listener", "auth", "offered", N_ ("Offered") },
  { "listener", "auth", "required", N_ ("Required of Everybody") },

  { "route", "via", "smarthost", N_ ("By a Provider’s Server") },
  { "route", "via", "mx", N_ ("Straight to the Recipients") },
  { "route", "via", "lmtp", N_ ("To an LMTP Server") },
  { "route", "via", "maildir", N_ ("Into a Maildir") },
  { "route", "via", "hold", N_ ("Hold It") },
  { "route", "via", "discard", N_ ("Throw It Away") },
  { "route", "via", "gmail-api", N_ ("Gmail API") },
  { "route", "via", "graph", N_ ("Microsoft Graph") },
  { "route", "tls", "off", N_ ("None") },
  { "route", "tls", "opportunistic", N_ ("Where It Is Offered") },
  { "route", "tls", "required", N_ ("Required (STARTTLS)") },
  { "route", "tls", "implicit", N_ ("From the Start (TLS)") },
  { "route", "auth", "auto", N_ ("The Best Way There Is") },
  { "route", "oauth-flow", "auto", N_ ("The Provider’s Way") },
  { "route", "oauth-flow", "code", N_ ("In a Browser Here") },
  { "route", "oauth-flow", "device", N_ ("With a Code, Elsewhere") },
  { "route", "oauth-flow", "client-credentials", N_ ("Without a Person") },
};

static gboolean
is_of (const char *group, const char *kind)
{
  gsize len = strlen (kind);

  return strncmp (group, kind, len) == 0 && (group[len] == '\0' || group[len] == ' ');
}

const char *
pr_setting_words_get_title (const char *group, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (titles); i++)
    if (is_of (group, titles[i].kind) && g_str_equal (key, titles[i].key))
      return _ (titles[i].title);
  return key;
}

const char *
pr_setting_words_get_value (const char *group, const char *key, const char *value)
{
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    if (is_of (group, values[i].kind) && g_str_equal (key, values[i].key) &&
        g_str_equal (value, values[i].value))
      return _ (values[i].words);
  return value;
}

const char *
pr_setting_words_translate (const char *text)
{
  return text != NULL && *text != '\0' ? _ (text) : "";
}
