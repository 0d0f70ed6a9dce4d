/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "smtp/session.h"

G_BEGIN_DECLS

/* What a listener's connections share. Reference-counted by them: a reload replaces the port while
 * its conversations go on as they began. Not atomic: one thread. */
typedef struct
{
  grefcount refs;
  PrConfig *config;                 /* owned */
  char *name;                       /* of the listener, owned */
  const PrListenerConfig *listener; /* of config */
  PrSessionOptions options;         /* borrows from config */
  PrTlsMode tls;
} PrPort;

PrPort *pr_port_new (PrConfig *config, const PrListenerConfig *listener);
PrPort *pr_port_ref (PrPort *self);
void pr_port_unref (PrPort *self);

G_END_DECLS
