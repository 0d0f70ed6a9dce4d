/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What can happen. The names on the wire and in the log are those of pr_event_kind_to_string:
 * lower case with hyphens. Values are stored: never renumber, append. */
typedef enum
{
  PR_EVENT_STARTED = 1,
  PR_EVENT_STOPPED = 2,
  PR_EVENT_RELOADED = 3,     /* or why the new configuration was not taken */
  PR_EVENT_CONNECTED = 4,    /* a client */
  PR_EVENT_DISCONNECTED = 5, /* with how it ended */
  PR_EVENT_REFUSED = 6,      /* a verdict: connection, MAIL, RCPT or message */
  PR_EVENT_ACCEPTED = 7,     /* a message is ours */
  PR_EVENT_DELIVERED = 8,    /* one recipient */
  PR_EVENT_DEFERRED = 9,
  PR_EVENT_FAILED = 10,
  PR_EVENT_BOUNCED = 11, /* the report's id in text */
  PR_EVENT_HELD = 12,
  PR_EVENT_RELEASED = 13,
  PR_EVENT_DELETED = 14,
  PR_EVENT_RETRIED = 15,    /* a person asked for it */
  PR_EVENT_EDITED = 16,     /* route or recipients changed by a person */
  PR_EVENT_HOP_FAILED = 17, /* a next hop cannot be reached; backed off */
  PR_EVENT_HOP_RECOVERED = 18,
  PR_EVENT_PAUSED = 19,
  PR_EVENT_RESUMED = 20,
  PR_EVENT_SPACE_LOW = 21,
  PR_EVENT_SPACE_OK = 22,
  PR_EVENT_EXPANDED = 23,            /* relayed to a hop that does not do DSN, RFC 3461 §6 */
  PR_EVENT_WARNED = 24,              /* delay notice sent */
  PR_EVENT_SIGNED_IN = 25,           /* a client; who, in text */
  PR_EVENT_SIGN_IN_FAILED = 26,      /* who it said to be, in text */
  PR_EVENT_CLIENT_REFUSED = 27,      /* too many failures: its address is refused for a while */
  PR_EVENT_CERTIFICATE = 28,         /* of a listener: cannot be used, or ends soon */
  PR_EVENT_SIGN_IN_NEEDED = 29,      /* a route cannot sign in; its mail waits for a person */
  PR_EVENT_SIGN_IN_UNKEPT = 30,      /* a route's token is in memory alone; why, in text */
  PR_EVENT_SIGN_IN_KEPT = 31,        /* now it is on the disk after all */
  PR_EVENT_CHECKED = 32,             /* what was found out about a stranger's message */
  PR_EVENT_CERTIFICATE_RENEWED = 33, /* nothing is wrong with any listener's certificate now */
} PrEventKind;

/* Every string is copied when the event is given to the journal; all are nullable. */
typedef struct
{
  gint64 id;      /* set by the store; increasing */
  gint64 time_us; /* 0: now */
  PrEventKind kind;
  gint64 message;   /* id, 0: none */
  guint64 session;  /* 0: none */
  const char *peer; /* client address, or next hop "host:port" */
  const char *sender;
  const char *address; /* recipient */
  const char *route;
  guint code;       /* reply code, 0: none */
  const char *text; /* reply or words */
  guint64 size_octets;
  const char *tls; /* "TLS1.3 TLS_AES_256_GCM_SHA384", NULL: plain */
} PrEvent;

const char *pr_event_kind_to_string (PrEventKind kind);
gboolean pr_event_kind_from_string (const char *text, PrEventKind *kind);

/* What a peer said, fit to be kept and shown: valid UTF-8, at most PR_EVENT_TEXT_MAX octets, and
 * nothing that would move a terminal's cursor. Most texts are as they are, and come back
 * themselves; else @copy owns the result. NULL for NULL. */
const char *pr_event_clean_text (const char *text, char **copy);
#define PR_EVENT_TEXT_MAX 512

G_END_DECLS
