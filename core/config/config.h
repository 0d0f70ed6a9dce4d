/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"
#include "common/pattern.h"
#include "config/dns-lists.h"

G_BEGIN_DECLS

/**
 * PrConfig: postroom.conf as one immutable object, shared by reference count (atomic). Every
 * value is checked and within its range; a PrConfig is never half right. Read its fields freely,
 * write none. Sizes are octets, durations seconds. Every string is owned by the PrConfig.
 */
typedef enum
{
  PR_TLS_OFF,
  PR_TLS_STARTTLS,
  PR_TLS_OPPORTUNISTIC,
  PR_TLS_REQUIRED,
  PR_TLS_IMPLICIT
} PrTlsMode;
typedef enum
{
  PR_AUTH_OFF,
  PR_AUTH_OFFERED,
  PR_AUTH_REQUIRED
} PrAuthMode;
typedef enum
{
  PR_VIA_SMARTHOST,
  PR_VIA_MX,
  PR_VIA_LMTP,
  PR_VIA_MAILDIR,
  PR_VIA_HOLD,
  PR_VIA_DISCARD,
  PR_VIA_GMAIL_API,
  PR_VIA_GRAPH
} PrVia;

/* As via= has it. */
const char *pr_via_to_string (PrVia via);

/* What a check of strangers' mail may do. */
typedef enum
{
  PR_CHECK_OFF,
  PR_CHECK_NOTE,   /* say in the log what was found */
  PR_CHECK_ENFORCE /* refuse, or hold, what it finds */
} PrCheckMode;

/* What people are told by notifications. */
typedef enum
{
  PR_NOTICE_SIGN_IN = 1 << 0,
  PR_NOTICE_FAILURES = 1 << 1,
  PR_NOTICE_ROUTES = 1 << 2,
  PR_NOTICE_DEVICES = 1 << 3,
  PR_NOTICE_DISK = 1 << 4,
  PR_NOTICE_CERTIFICATES = 1 << 5,
} PrDesktopNotice;

typedef struct
{
  char *name;    /* of the group */
  char **listen; /* "ip:port", NULL-terminated, at least one */
  PrTlsMode tls; /* OFF, STARTTLS, REQUIRED, IMPLICIT */
  PrAuthMode auth;
  PrNetworks *plaintext_auth_networks; /* owned: PLAIN and LOGIN without TLS */
  guint minimum_tls;                   /* 10, 11, 12, 13 */
  char *certificate, *key; /* nullable; absolute. @key only with @certificate, which may hold it */
  gboolean legacy;
} PrListenerConfig;

typedef struct
{
  char *host; /* a name, or an address without brackets */
  guint16 port;
} PrHostPort;

/* At most @number messages, or recipients, in any @window_s. */
typedef struct
{
  guint number;
  guint64 window_s;
  gboolean per_recipient;
} PrRateLimit;

/* "500 recipients a day". (transfer full) */
char *pr_rate_limit_describe (const PrRateLimit *limit);

typedef struct _PrProvider PrProvider; /* providers.h */

typedef struct
{
  char *name;
  PrPatterns *recipients, *senders; /* owned */
  PrVia via;
  PrProvider *provider; /* nullable, owned reference: what is not set in the route comes from it */
  PrHostPort *hosts;    /* n_hosts; smarthost, or lmtp by TCP */
  guint n_hosts;
  PrTlsMode tls;        /* OFF, OPPORTUNISTIC, REQUIRED, IMPLICIT */
  gboolean dane;        /* mx: what DNSSEC proves of a domain's servers is demanded of them */
  gboolean mta_sts;     /* mx: what a domain's policy demands of its servers is demanded */
  char *ca_file, *path; /* nullable; absolute */
  guint8 *pin;          /* nullable; 32 octets: SHA-256 of the only certificate that is right */
  char *username;       /* nullable */
  char *auth;           /* a word of CONTRACT, "auto" by default */
  char *api_url;        /* nullable; https, without a slash at its end */
  /* OAuth: pr_oauth_is_used() tells whether it is; all nullable but for the flow. */
  char *client_id, *tenant, *oauth_authorize, *oauth_token, *oauth_device, *oauth_revoke,
    *oauth_issuer, *oauth_scopes, *account;
  char *oauth_flow;     /* "auto", "code", "device", "client-credentials" */
  char *rewrite_sender; /* nullable; canonical address */
  guint max_connections, max_messages_per_connection;
  guint64 connect_timeout_s, reply_timeout_s;
  PrRateLimit *limits; /* n_limits */
  guint n_limits;
} PrRouteConfig;

typedef struct
{
  char *name, *secret;
  char *scram_sha_1,
    *cram_md5;         /* nullable: other forms of it, the second one the password itself */
  PrPatterns *senders; /* owned */
} PrUserConfig;

typedef struct
{
  gatomicrefcount refs;

  /* [server] */
  char *hostname;   /* ASCII, with a dot or an address literal where it was not set by hand */
  char *postmaster; /* nullable, canonical address */
  char *trust_anchor_file; /* nullable; absolute: DNSKEY or DS records in place of the root's */
  guint64 max_message_size_octets, min_free_space_octets, idle_timeout_s;
  guint max_recipients, max_connections, max_connections_per_client;

  GPtrArray *listeners; /* of PrListenerConfig, in file order */

  /* [access] */
  PrNetworks *relay_networks, *deny_networks;
  PrPatterns *local_domains; /* matches *addresses* of those domains */
  PrPatterns *deny_senders, *deny_recipients;

  GPtrArray *users;  /* of PrUserConfig */
  GPtrArray *routes; /* of PrRouteConfig, in file order */

  /* [retry] */
  guint64 *retry_schedule_s; /* n_retry_schedule, at least one */
  guint n_retry_schedule;
  guint64 give_up_s, warn_after_s; /* warn_after_s 0: none */

  /* [journal] (an extension of the contract): how long and how much history is kept */
  guint64 journal_keep_s, journal_max_size_octets;

  /* [guard] (an extension of the contract): mail of those who may not relay */
  PrCheckMode check_hello, check_reverse_name, check_lists, check_spf, check_dkim, check_dmarc;
  PrDnsLists *lists; /* nullable */
  guint lists_score; /* from which an address is refused */
  PrNetworks *excused_networks;

  /* [desktop] (an extension of the contract) */
  gboolean tray;          /* an item in the desktop's tray */
  guint notify;           /* bits of PrDesktopNotice */
  guint64 notify_after_s; /* a next hop that fails for so long is worth a notification */
} PrConfig;

/* The configuration of an absent file (CONTRACT: 127.0.0.1:2525 and [::1]:2525, loopback only,
 * no routes). */
PrConfig *pr_config_new_default (void);
/* @text: the whole file. @name: its path, for messages, and relative PATHs are taken from its
 * folder; asks the file system whether the files named in it exist. On failure NULL, and @faults
 * gets one line for each fault: "FILE: [group] key: what is wrong", in file order.
 * @faults: (out) (transfer full) (element-type utf8): NULL on success. */
PrConfig *pr_config_parse (const char *text, gsize len, const char *name, GPtrArray **faults);
/* Reads @path (blocking: at start, or in a thread). An absent file is the default. Relative paths
 * and @faults as above. */
PrConfig *pr_config_load (const char *path, GPtrArray **faults);
PrConfig *pr_config_ref (PrConfig *self);
void pr_config_unref (PrConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrConfig, pr_config_unref)

/* First match in file order, NULL if none. @recipient, @sender: canonical. Borrowed. */
const PrRouteConfig *pr_config_find_route (const PrConfig *self, const char *recipient,
                                           const char *sender);
const PrRouteConfig *pr_config_get_route (const PrConfig *self, const char *name);

/* Writes @text to @path as one atomic step: temporary file 0600, fsync, rename, fsync of the
 * folder. Blocking. */
gboolean pr_config_save (const char *path, const char *text, gsize len, GError **error);

/* Every group and key with type, default and one sentence of help: for `config check`, the
 * example file, and later the settings window. Terminated by a NULL group. */
typedef struct
{
  const char *group; /* "server", "listener NAME" */
  const char *key;
  const char *type;         /* "size", "duration", "off | starttls | required | implicit" */
  const char *default_text; /* "" where there is none */
  const char *help;
} PrConfigKey;
const PrConfigKey *pr_config_get_keys (void);

G_END_DECLS
