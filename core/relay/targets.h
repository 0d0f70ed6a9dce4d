/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "net/dnssec.h"
#include "net/resolver.h"
#include "relay/hosts.h"
#include "relay/sts.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * PrTargets: the addresses to try for one next hop, in order: each address of each host. Hosts
 * come from the route (smarthost, lmtp) or from the domain's mail exchangers (RFC 5321 §5.1);
 * those that failed a short while ago come last, so that the preferred one is returned to by the
 * first delivery after that while. One thread.
 */
typedef struct _PrTargets PrTargets;

/* What a host's domain demands of the encryption, beyond what the route says. */
typedef enum
{
  PR_DEMAND_NONE,
  PR_DEMAND_ENCRYPT, /* any: the domain's TLSA records are none that can be used (RFC 7672 §2.2) */
  PR_DEMAND_STS,     /* its own certificate, by an authority that is trusted (RFC 8461 §4) */
  PR_DEMAND_DANE,    /* a certificate that the TLSA records name */
} PrDemand;

typedef struct
{
  const char *label; /* "smtp.example.org:587", "/run/lmtp": for people and for PrHosts */
  const char *host;  /* the name that was asked for, or the address; "localhost" for a socket */
  GSocketAddress *address;
  gboolean proven; /* nobody on the way could have named another host in its stead */
  PrDemand demand;
  const char *tls_name; /* what to ask for by SNI, and what the certificate must be for */
  GPtrArray *tlsa;      /* (nullable) (element-type PrTlsa): DANE */
  const char *domain;   /* (nullable) mx: the recipients', in A-labels */
  /* The domain's MTA-STS policy where it demands nothing: it is being tested, and names the host
   * or does not; or why the one that it has cannot be had (nullable). */
  gboolean policy_is_tested, policy_names_it;
  const char *policy_lack;
} PrTarget;

/* @target: borrowed until the next call or free. NULL: there is none left, and @failure says why:
 * code 5yz when mail for this hop can never be delivered (no such domain, RFC 7505, a loop), else
 * 0; it tells of names only, the caller knows what its connections met. Called from within
 * pr_targets_next() or later; free is legal from within. */
typedef void (*PrTargetFunc) (const PrTarget *target, const PrReply *failure, gpointer user_data);

typedef struct
{
  PrResolver *resolver;
  PrDnssec *dnssec; /* (nullable) mx: asked first, for what it can prove; NULL: DANE is off */
  PrSts *sts;       /* (nullable) mx: the domain's policy counts; NULL: MTA-STS is off */
  PrHosts *hosts;
  const PrConfig *config; /* hostname and listeners: what is ourselves */
  const PrRouteConfig *route;
  const char *domain; /* mx */
  guint16 mx_port;
} PrTargetsOptions;

/* @options: copied; what it points to is borrowed. */
PrTargets *pr_targets_new (const PrTargetsOptions *options, PrTargetFunc func, gpointer user_data);
void pr_targets_free (PrTargets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTargets, pr_targets_free)

void pr_targets_next (PrTargets *self);
/* The failure that was told is one of proof: without DNSSEC there may be a way. */
gboolean pr_targets_are_distrusted (const PrTargets *self);
/* Another host than the current one is left to try. */
gboolean pr_targets_has_more (const PrTargets *self);
/* The route's hosts are all this machine or a UNIX socket: no network is needed. */
gboolean pr_route_is_local (const PrRouteConfig *route);

G_END_DECLS
