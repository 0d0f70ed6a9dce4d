/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"
#include "net/tls.h"

G_BEGIN_DECLS

/**
 * FakeHop: a next hop in the test's own process and main context: an SMTP or LMTP server on
 * loopback that answers 2yz to everything, unless a rule says otherwise, and keeps what it got.
 */
typedef struct _FakeHop FakeHop;

typedef struct
{
  char *sender;          /* of the MAIL command, all behind "MAIL FROM:" */
  GPtrArray *recipients; /* of char: those that were answered 2yz, all behind "RCPT TO:" */
  GString *text;         /* as sent, dots removed */
  gboolean secure;
} FakeMail;

/* @port: 0 picks one. */
FakeHop *fake_hop_new (PrLoop *loop, const char *ip, guint16 port, gboolean lmtp);
FakeHop *fake_hop_new_unix (PrLoop *loop, const char *path);
void fake_hop_free (FakeHop *self);
guint16 fake_hop_get_port (FakeHop *self);

/* The lines behind the first of the reply to EHLO, "PIPELINING\n8BITMIME"; NULL: none. */
void fake_hop_set_ehlo (FakeHop *self, const char *lines);

/* The next @times commands (-1: for ever) that begin with @command get @reply, which has no line
 * end; "DROP": the connection is closed; "MUTE": no answer any more; "WAIT": none for now; later
 * rules win. Besides commands there are "greeting", "half" (the message has begun) and "." (its
 * end; LMTP: for each recipient). */
void fake_hop_answer (FakeHop *self, const char *command, const char *reply, int times);
void fake_hop_forget_answers (FakeHop *self);

/* Shows this pair. @implicit: from the first octet; else STARTTLS is offered. */
void fake_hop_set_tls (FakeHop *self, PrTlsServer *tls, gboolean implicit);

/* Says @line on every connection: what a "WAIT" kept back. */
void fake_hop_speak (FakeHop *self, const char *line);
/* Closes all connections. */
void fake_hop_drop_all (FakeHop *self);

guint fake_hop_count_mail (FakeHop *self);
const FakeMail *fake_hop_get_mail (FakeHop *self, guint i);
/* How often a command that begins with @command came. */
guint fake_hop_count (FakeHop *self, const char *command);
guint fake_hop_count_resumed (FakeHop *self); /* TLS sessions that went on with an earlier one */
guint fake_hop_count_connections (FakeHop *self); /* ever */
guint fake_hop_count_open (FakeHop *self);        /* now */
guint fake_hop_count_most (FakeHop *self);        /* at once */

G_END_DECLS
