/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   mx: exchangers, policy ─┐      (DANE, policy)
 *   hosts ──────────────────┴─► host ─► its addresses ─► target, target … ─► next host … ─► none
 * left
 *
 * Exchangers that DNSSEC proves are taken from its answer; where it proves that there is nothing to
 * prove, the system's resolver is asked as ever.
 */
#include "relay/targets.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"
#include "relay/dane.h"
#include "relay/mx.h"
#include "smtp/address.h"

typedef struct
{
  char *host;  /* owned */
  char *label; /* owned */
  guint16 port;
  guint preference;
} Candidate;

struct _PrTargets
{
  PrTargetsOptions options;
  PrTargetFunc func;
  gpointer user_data;

  GArray *candidates; /* owned, of Candidate; NULL until they are known */
  guint next_candidate;
  gboolean implied;     /* the domain has no MX: its own address stands for it */
  GPtrArray *addresses; /* owned, of GInetAddress: of the current candidate */
  guint next_address;
  GSocketAddress *address; /* owned: what was given last */
  guint token;             /* the resolver's, 0: no question */
  char *domain;            /* owned, nullable: in A-labels */
  PrMx *mx;                /* owned, nullable: looks for the exchangers */
  gboolean proven;         /* the exchangers are */
  guint sts_token;         /* of @options.sts, 0: no question */
  PrStsPolicy *policy;     /* owned reference, nullable: of the domain */
  char *policy_lack;       /* owned, nullable */
  gboolean distrusted;     /* @failure is one of proof */
  PrDane *dane;            /* owned, nullable: looks at the current candidate */
  PrDemand demand;         /* of the current candidate */
  char *tls_name;          /* owned, nullable */
  GPtrArray *tlsa;         /* owned, nullable */
  PrReply failure;         /* the last that was met */
};

static void
clear_candidate (gpointer data)
{
  Candidate *candidate = data;

  g_free (candidate->host);
  g_free (candidate->label);
}

static char *
make_label (const char *host, guint16 port)
{
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static void
add_candidate (PrTargets *self, const char *host, guint16 port, guint preference)
{
  Candidate candidate = {
    .host = g_strdup (host),
    .label = make_label (host, port),
    .port = port,
    .preference = preference,
  };

  g_array_append_val (self->candidates, candidate);
}

static void
open_candidates (PrTargets *self)
{
  self->candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  g_array_set_clear_func (self->candidates, clear_candidate);
}

/* Those that failed go behind the others; both keep their order. */
static void
move_failed_last (PrTargets *self)
{
  guint n = self->candidates->len;
  g_autoptr (GArray) failed = g_array_new (FALSE, FALSE, sizeof (Candidate));

  for (guint i = 0, kept = 0; i < n; i++)
    {
      Candidate *candidate = &g_array_index (self->candidates, Candidate, i);

      if (pr_hosts_has_failed (self->options.hosts, self->options.route->name, candidate->label))
        g_array_append_val (failed, *candidate);
      else
        g_array_index (self->candidates, Candidate, kept++) = *candidate;
    }
  for (guint i = 0; i < failed->len; i++)
    g_array_index (self->candidates, Candidate, n - failed->len + i) =
      g_array_index (failed, Candidate, i);
}

static void
take_route_hosts (PrTargets *self)
{
  open_candidates (self);
  for (guint i = 0; i < self->options.route->n_hosts; i++)
    add_candidate (self, self->options.route->hosts[i].host, self->options.route->hosts[i].port, i);
  move_failed_last (self);
}

static void
give_up (PrTargets *self)
{
  if (self->failure.text == NULL)
    pr_reply_set (&self->failure, 0, "4.4.4", "There is no host to try");
  self->func (NULL, &self->failure, self->user_data);
}

/* ── Ourselves ────────────────────────────────────────────────────────────────────────────── */

/* Only an address of this machine can be bound to. */
static gboolean
is_of_this_machine (GInetAddress *address)
{
  g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new (address, 0);
  char native[sizeof (struct sockaddr_storage)];
  gssize size = g_socket_address_get_native_size (socket_address);
  int fd;
  gboolean bound;

  if (size < 0 || (gsize) size > sizeof native ||
      !g_socket_address_to_native (socket_address, native, sizeof native, NULL))
    return FALSE;
  fd = socket (g_socket_address_get_family (socket_address), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return FALSE;
  bound = bind (fd, (const struct sockaddr *) native, (socklen_t) size) == 0;
  close (fd);
  return bound;
}

static gboolean
listener_has (const char *listen, GInetAddress *address, guint16 port)
{
  const char *colon = strrchr (listen, ':');
  g_autofree char *text = NULL;
  g_autoptr (GInetAddress) ours = NULL;

  if (colon == NULL || g_ascii_strtoull (colon + 1, NULL, 10) != port)
    return FALSE;
  text = g_strndup (listen, (gsize) (colon - listen));
  if (*text == '[' && strlen (text) > 2)
    {
      text[strlen (text) - 1] = '\0';
      memmove (text, text + 1, strlen (text));
    }
  ours = g_inet_address_new_from_string (text);
  if (ours == NULL)
    return FALSE;
  if (g_inet_address_get_is_any (ours))
    return is_of_this_machine (address);
  return g_inet_address_equal (ours, address);
}

static gboolean
is_our_address (PrTargets *self, GInetAddress *address, guint16 port)
{
  for (guint i = 0; i < self->options.config->listeners->len; i++)
    {
      const PrListenerConfig *listener = g_ptr_array_index (self->options.config->listeners, i);

      for (char **listen = listener->listen; *listen != NULL; listen++)
        if (listener_has (*listen, address, port))
          return TRUE;
    }
  return FALSE;
}

/* RFC 5321 §5.1: an exchanger that is ourselves, and all that are not better, must not be used. */
static void
drop_from_preference (PrTargets *self, guint preference)
{
  for (guint i = self->candidates->len; i > 0; i--)
    if (g_array_index (self->candidates, Candidate, i - 1).preference >= preference)
      {
        g_array_remove_index (self->candidates, i - 1);
        if (i - 1 < self->next_candidate)
          self->next_candidate--;
      }
  if (self->candidates->len == 0)
    pr_reply_set (&self->failure, 554, "5.4.6",
                  "Mail loop: the mail exchanger of the domain is this relay itself");
}

static void
drop_own_name (PrTargets *self)
{
  for (guint i = 0; i < self->candidates->len; i++)
    {
      const Candidate *candidate = &g_array_index (self->candidates, Candidate, i);

      if (g_ascii_strcasecmp (candidate->host, self->options.config->hostname) == 0)
        {
          drop_from_preference (self, candidate->preference);
          return;
        }
    }
}

/* ── Names ────────────────────────────────────────────────────────────────────────────────── */

static void
note_failure (PrTargets *self, const GError *error, guint code, const char *enhanced)
{
  pr_reply_set (&self->failure, code, enhanced, error->message);
  self->distrusted = FALSE;
}

static void
on_addresses (GPtrArray *addresses, const GError *error, gpointer user_data)
{
  PrTargets *self = user_data;
  const Candidate *candidate =
    &g_array_index (self->candidates, Candidate, self->next_candidate - 1);

  self->token = 0;
  if (error != NULL)
    {
      gboolean never = self->implied && error->code == PR_ERROR_PERMANENT;

      note_failure (self, error, never ? 550 : 0, never ? "5.1.2" : "4.4.4");
      pr_targets_next (self);
      return;
    }

  if (self->options.route->via == PR_VIA_MX)
    for (guint i = 0; i < addresses->len; i++)
      if (is_our_address (self, g_ptr_array_index (addresses, i), candidate->port))
        {
          drop_from_preference (self, candidate->preference);
          pr_targets_next (self);
          return;
        }

  self->addresses = g_ptr_array_ref (addresses);
  self->next_address = 0;
  pr_targets_next (self);
}

static void
take_exchangers (PrTargets *self, const GArray *exchangers)
{
  const PrExchanger *first = &g_array_index (exchangers, PrExchanger, 0);

  for (guint i = 0; i < exchangers->len; i++)
    {
      const PrExchanger *exchanger = &g_array_index (exchangers, PrExchanger, i);

      add_candidate (self, exchanger->host, self->options.mx_port, exchanger->preference);
    }
  self->implied = exchangers->len == 1 && g_ascii_strcasecmp (first->host, self->domain) == 0;
  drop_own_name (self);
  move_failed_last (self);
  if (self->sts_token == 0)
    pr_targets_next (self);
}

static void
forget_policy (PrTargets *self)
{
  if (self->sts_token != 0)
    pr_sts_cancel (self->options.sts, self->sts_token);
  self->sts_token = 0;
}

static void
on_mx (const PrMxAnswer *answer, gpointer user_data)
{
  PrTargets *self = user_data;
  g_autoptr (PrMx) mx = g_steal_pointer (&self->mx);

  open_candidates (self);
  self->proven = answer->proven;
  if (answer->exchangers != NULL)
    {
      take_exchangers (self, answer->exchangers);
      return;
    }
  pr_reply_copy (&self->failure, answer->failure);
  self->distrusted = answer->distrusted;
  forget_policy (self);
  give_up (self);
}

static void
on_policy (PrStsPolicy *policy, const char *why, gpointer user_data)
{
  PrTargets *self = user_data;

  self->sts_token = 0;
  self->policy = policy != NULL ? pr_sts_policy_ref (policy) : NULL;
  self->policy_lack = g_strdup (why);
  if (self->candidates != NULL)
    pr_targets_next (self);
}

/* ── Proof ────────────────────────────────────────────────────────────────────────────────── */

static void
distrust (PrTargets *self, const char *why)
{
  pr_reply_set (&self->failure, 0, "4.7.5", why); /* RFC 3463 §3.8: cryptographic failure */
  self->distrusted = TRUE;
}

static void
find_addresses (PrTargets *self)
{
  const Candidate *candidate =
    &g_array_index (self->candidates, Candidate, self->next_candidate - 1);

  self->token =
    pr_resolver_find_addresses (self->options.resolver, candidate->host, on_addresses, self);
}

/* FALSE: the domain's policy rules the current candidate out. What DANE proves goes first (RFC 8461
 * §2). */
static gboolean
heed_policy (PrTargets *self)
{
  const char *host = g_array_index (self->candidates, Candidate, self->next_candidate - 1).host;
  g_autofree char *why = NULL;

  if (self->policy == NULL || self->policy->mode != PR_STS_ENFORCE ||
      self->demand == PR_DEMAND_DANE)
    return TRUE;
  if (pr_sts_policy_names (self->policy, host))
    {
      self->demand = PR_DEMAND_STS;
      return TRUE;
    }
  why =
    g_strdup_printf ("The policy of %s (MTA-STS) names other servers than %s; somebody may have "
                     "changed its DNS records on the way",
                     self->domain, host);
  distrust (self, why);
  return FALSE;
}

static void
on_dane (const PrDaneAnswer *answer, gpointer user_data)
{
  PrTargets *self = user_data;

  if (answer->kind == PR_DANE_BROKEN)
    distrust (self, answer->why);
  else
    {
      self->tls_name = g_strdup (answer->base);
      self->demand = answer->kind == PR_DANE_VERIFY    ? PR_DEMAND_DANE
                     : answer->kind == PR_DANE_ENCRYPT ? PR_DEMAND_ENCRYPT
                                                       : PR_DEMAND_NONE;
      if (answer->kind == PR_DANE_VERIFY)
        self->tlsa = g_ptr_array_ref (answer->records);
    }
  g_clear_pointer (&self->dane, pr_dane_free);
  if (self->tls_name != NULL && heed_policy (self))
    find_addresses (self);
  else
    pr_targets_next (self);
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]": the address itself (RFC 5321 §5). */
static void
take_literal (PrTargets *self)
{
  const char *text = self->options.domain + 1;
  g_autofree char *host = NULL;

  if (g_ascii_strncasecmp (text, "IPv6:", 5) == 0)
    text += 5;
  host = g_strndup (text, strcspn (text, "]"));
  open_candidates (self);
  add_candidate (self, host, self->options.mx_port, 0);
}

static void
find_exchangers (PrTargets *self)
{
  g_autofree char *ascii = NULL;

  if (*self->options.domain == '[')
    {
      take_literal (self);
      pr_targets_next (self);
      return;
    }
  ascii = pr_domain_to_ascii (self->options.domain);
  if (ascii == NULL)
    {
      pr_reply_set (&self->failure, 550, "5.1.2", "The recipient's domain is not a valid name");
      open_candidates (self);
      give_up (self);
      return;
    }
  self->domain = g_steal_pointer (&ascii);
  if (self->options.sts != NULL)
    self->sts_token =
      pr_sts_ask (self->options.sts, self->domain, self->options.route->ca_file, on_policy, self);
  self->mx = pr_mx_new (self->options.resolver, self->options.dnssec, self->domain, on_mx, self);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

PrTargets *
pr_targets_new (const PrTargetsOptions *options, PrTargetFunc func, gpointer user_data)
{
  PrTargets *self = g_new0 (PrTargets, 1);

  self->options = *options;
  self->func = func;
  self->user_data = user_data;
  return self;
}

void
pr_targets_free (PrTargets *self)
{
  if (self == NULL)
    return;
  if (self->token != 0)
    pr_resolver_cancel (self->options.resolver, self->token);
  g_clear_pointer (&self->mx, pr_mx_free);
  forget_policy (self);
  g_clear_pointer (&self->policy, pr_sts_policy_unref);
  g_free (self->policy_lack);
  g_clear_pointer (&self->dane, pr_dane_free);
  g_clear_pointer (&self->tlsa, g_ptr_array_unref);
  g_free (self->tls_name);
  g_free (self->domain);
  g_clear_pointer (&self->candidates, g_array_unref);
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  g_clear_object (&self->address);
  pr_reply_clear (&self->failure);
  g_free (self);
}

/* A UNIX socket is one candidate without addresses. */
static void
give_unix (PrTargets *self)
{
  const char *path = self->options.route->path;
  PrTarget target = {
    .label = path,
    .host = "localhost",
    .tls_name = "localhost",
    .proven = TRUE,
  };

  if (self->address != NULL)
    {
      give_up (self);
      return;
    }
  self->address = g_unix_socket_address_new (path);
  target.address = self->address;
  self->func (&target, NULL, self->user_data);
}

static void
give_address (PrTargets *self)
{
  const Candidate *candidate =
    &g_array_index (self->candidates, Candidate, self->next_candidate - 1);
  GInetAddress *address = g_ptr_array_index (self->addresses, self->next_address++);
  PrTarget target = {
    .label = candidate->label,
    .host = candidate->host,
    .tls_name = self->tls_name != NULL ? self->tls_name : candidate->host,
    .demand = self->demand,
    .tlsa = self->tlsa,
    .domain = self->domain,
    .policy_lack = self->policy_lack,
  };

  if (self->policy != NULL && self->policy->mode == PR_STS_TESTING)
    {
      target.policy_is_tested = TRUE;
      target.policy_names_it = pr_sts_policy_names (self->policy, candidate->host);
    }
  /* What a person or the recipient's address names is what is meant; plain DNS proves nothing. */
  target.proven =
    self->proven || self->options.route->via != PR_VIA_MX || *self->options.domain == '[';

  g_clear_object (&self->address);
  self->address = g_inet_socket_address_new (address, candidate->port);
  target.address = self->address;
  self->func (&target, NULL, self->user_data);
}

void
pr_targets_next (PrTargets *self)
{
  const PrRouteConfig *route = self->options.route;
  const Candidate *candidate;

  if (route->via == PR_VIA_LMTP && route->path != NULL)
    {
      give_unix (self);
      return;
    }
  if (self->candidates == NULL && route->via == PR_VIA_MX)
    {
      find_exchangers (self);
      return;
    }
  if (self->candidates == NULL)
    take_route_hosts (self);

  if (self->addresses != NULL && self->next_address < self->addresses->len)
    {
      give_address (self);
      return;
    }
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  if (self->next_candidate >= self->candidates->len)
    {
      give_up (self);
      return;
    }
  candidate = &g_array_index (self->candidates, Candidate, self->next_candidate++);
  self->demand = PR_DEMAND_NONE;
  g_clear_pointer (&self->tls_name, g_free);
  g_clear_pointer (&self->tlsa, g_ptr_array_unref);
  if (self->proven)
    self->dane =
      pr_dane_new (self->options.dnssec, candidate->host, candidate->port, on_dane, self);
  else if (heed_policy (self))
    find_addresses (self);
  else
    pr_targets_next (self);
}

gboolean
pr_targets_are_distrusted (const PrTargets *self)
{
  return self->distrusted;
}

gboolean
pr_targets_has_more (const PrTargets *self)
{
  return self->candidates != NULL && self->next_candidate < self->candidates->len;
}

gboolean
pr_route_is_local (const PrRouteConfig *route)
{
  if (route->via == PR_VIA_MX)
    return FALSE;
  for (guint i = 0; i < route->n_hosts; i++)
    {
      const char *host = route->hosts[i].host;
      PrIp ip;

      if (g_ascii_strcasecmp (host, "localhost") != 0 &&
          !(pr_ip_parse (host, &ip) && pr_ip_is_loopback (&ip)))
        return FALSE;
    }
  return TRUE;
}
