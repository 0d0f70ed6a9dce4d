/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   asked ──► unknown: the worker reads ──► open ── refused ──► sign-in needed ──► a new way
 *                                      ├──► no password ─────────┘
 *                                      └──► faulty, locked ──► (told once) asked anew
 */
#include "relay/way.h"

#include "common/error.h"
#include "config/secrets.h"
#include "relay/hop.h"

#define MAX_CA_OCTETS (4 * 1024 * 1024)

struct _PrWay
{
  guint refs;
  PrRunner *runner; /* borrowed; NULL: another way is in force */
  char *route;      /* owned */
  char *username;   /* owned, nullable */
  char *secret;     /* owned, nullable; wiped */
  char *ca_file;    /* owned, nullable */
  guint8 *pin;      /* owned, nullable */
  PrTlsMode mode;
  gboolean loading, loaded;
  PrOauth *oauth;      /* borrowed; NULL: the secret is a password */
  guint serial;        /* of the token that is the secret now */
  char *fault;         /* owned, nullable: the file of authorities */
  char *locked;        /* owned, nullable: why the password cannot be read */
  char *needed;        /* owned, nullable: why a person must sign in */
  char *told;          /* owned, nullable: the last fault that was told */
  gboolean noted;      /* there is an event */
  PrTlsClient *client; /* owned, nullable */
  PrTlsClient *strict; /* owned, nullable: made when it is needed, for a policy */
  PrTlsClient *dane;   /* owned, nullable: made when it is needed */
};

/* The disk's part; belongs to the worker while it runs. */
typedef struct
{
  PrWay *way;                          /* owned reference, only for the owner's thread */
  char *ca_file, *credentials, *route; /* owned, nullable */
  char *secret;                        /* owned, nullable */
  GBytes *ca;                          /* owned, nullable */
  GError *error, *secret_error;        /* owned, nullable */
} Load;

static void
free_load (gpointer data)
{
  Load *load = data;

  pr_way_unref (load->way);
  g_free (load->ca_file);
  g_free (load->credentials);
  g_free (load->route);
  pr_secret_free (load->secret);
  g_clear_error (&load->secret_error);
  g_clear_pointer (&load->ca, g_bytes_unref);
  g_clear_error (&load->error);
  g_free (load);
}

static void
read_ca_file (Load *load)
{
  char *text;
  gsize len;

  if (!g_file_get_contents (load->ca_file, &text, &len, &load->error))
    return;
  load->ca = g_bytes_new_take (text, len);
  if (len > MAX_CA_OCTETS)
    g_set_error (&load->error, PR_ERROR, PR_ERROR_CONFIG, "%s is no file of certificates",
                 load->ca_file);
}

static void
read_files (gpointer data)
{
  Load *load = data;

  if (load->ca_file != NULL)
    read_ca_file (load);
  if (load->credentials != NULL)
    load->secret =
      pr_secrets_get (load->credentials, load->route, PR_SECRET_PASSWORD, &load->secret_error);
}

static void
make_client (PrWay *self, GBytes *ca, GError **error)
{
  PrTlsVerify verify = self->pin != NULL                    ? PR_TLS_VERIFY_PIN
                       : self->mode == PR_TLS_OPPORTUNISTIC ? PR_TLS_VERIFY_NONE
                                                            : PR_TLS_VERIFY_FULL;

  self->loaded = TRUE;
  if (self->mode != PR_TLS_OFF && self->client == NULL)
    self->client = pr_tls_client_new (verify, ca, self->pin, PR_TLS_1_2, error);
}

/* Once for each way. */
static void
note (PrWay *self, const char *why, const char *peer)
{
  PrEvent event = {
    .kind = PR_EVENT_SIGN_IN_NEEDED,
    .route = self->route,
    .peer = peer,
    .text = why,
  };

  if (!self->noted)
    pr_journal_add (self->runner->journal, &event);
  self->noted = TRUE;
}

static void
take_secret (PrWay *self, Load *load)
{
  if (self->username == NULL || self->oauth != NULL)
    return;
  g_clear_pointer (&self->secret, pr_secret_free);
  self->secret = g_steal_pointer (&load->secret);
  if (load->secret_error != NULL)
    {
      self->locked = g_strdup (load->secret_error->message);
      note (self, self->locked, NULL);
    }
  else if (self->secret == NULL)
    {
      self->needed = g_strdup_printf (
        "Sign-in needed: there is no password for %s; set it with: postroomctl route password %s",
        self->username, self->route);
      note (self, self->needed, NULL);
    }
}

static void
on_files (gpointer data)
{
  Load *load = data;
  PrWay *self = load->way;
  PrRunner *runner = self->runner;

  self->loading = FALSE;
  if (runner == NULL)
    return;
  if (load->error == NULL)
    make_client (self, load->ca, &load->error);
  if (load->error != NULL)
    {
      self->loaded = TRUE;
      self->fault = g_strdup (load->error->message);
    }
  take_secret (self, load);
  pr_runner_look_again (runner);
  pr_runner_check_stopped (runner);
}

static void
load_files (PrWay *self)
{
  Load *load = g_new0 (Load, 1);

  self->loading = TRUE;
  load->way = pr_way_ref (self);
  load->ca_file = g_strdup (self->ca_file);
  load->route = g_strdup (self->route);
  if (self->username != NULL && self->oauth == NULL)
    load->credentials = g_strdup (self->runner->credentials);
  pr_worker_run (self->runner->worker, read_files, on_files, load, free_load);
}

PrWay *
pr_way_get (PrRunner *runner, const PrRouteConfig *route)
{
  PrWay *self = g_hash_table_lookup (runner->ways, route->name);

  if (self != NULL)
    return self;
  self = g_new0 (PrWay, 1);
  self->refs = 1;
  self->runner = runner;
  self->route = g_strdup (route->name);
  self->username = g_strdup (route->username);
  self->mode =
    route->via == PR_VIA_GMAIL_API || route->via == PR_VIA_GRAPH ? PR_TLS_OFF : route->tls;
  self->oauth = pr_oauth_is_used (route) ? runner->oauth : NULL;
  self->pin = g_memdup2 (route->pin, 32);
  if (self->mode != PR_TLS_OFF)
    self->ca_file = g_strdup (route->ca_file);
  g_hash_table_insert (runner->ways, g_strdup (route->name), self);
  return self;
}

/* What is told is asked for anew the next time. */
static void
tell (PrWay *self, char **fault, const char **why)
{
  g_free (self->told);
  *why = self->told = g_steal_pointer (fault);
  self->loaded = FALSE;
}

/* The token in place of a password: fetched when it is needed, and again before it ends. */
static PrWayState
check_token (PrWay *self, const char **why)
{
  const char *access;

  switch (pr_oauth_check (self->oauth, self->route, &access, why))
    {
    case PR_OAUTH_READY:
      if (g_strcmp0 (access, self->secret) == 0)
        return PR_WAY_OPEN;
      pr_secret_free (self->secret);
      self->secret = g_strdup (access);
      self->serial++;
      return PR_WAY_OPEN;
    case PR_OAUTH_WAIT: return PR_WAY_UNKNOWN;
    case PR_OAUTH_SIGN_IN:
      g_free (self->needed);
      *why = self->needed = g_strdup (*why);
      note (self, self->needed, NULL);
      return PR_WAY_SIGN_IN_NEEDED;
    case PR_OAUTH_LATER:
    default: return PR_WAY_LOCKED;
    }
}

PrWayState
pr_way_check (PrWay *self, const char **why)
{
  g_autoptr (GError) error = NULL;

  if (!self->loaded && self->ca_file == NULL && (self->username == NULL || self->oauth != NULL))
    {
      make_client (self, NULL, &error);
      if (error != NULL)
        self->fault = g_strdup (error->message);
    }
  if (!self->loaded)
    {
      if (!self->loading)
        load_files (self);
      return PR_WAY_UNKNOWN;
    }
  if (self->fault != NULL)
    {
      tell (self, &self->fault, why);
      return PR_WAY_FAULTY;
    }
  if (self->locked != NULL)
    {
      tell (self, &self->locked, why);
      return PR_WAY_LOCKED;
    }
  if (self->needed == NULL && self->oauth != NULL)
    return check_token (self, why);
  *why = self->needed;
  return self->needed != NULL ? PR_WAY_SIGN_IN_NEEDED : PR_WAY_OPEN;
}

PrWay *
pr_way_ref (PrWay *self)
{
  self->refs++;
  return self;
}

void
pr_way_unref (PrWay *self)
{
  if (--self->refs > 0)
    return;
  g_clear_pointer (&self->client, pr_tls_client_unref);
  g_clear_pointer (&self->strict, pr_tls_client_unref);
  g_clear_pointer (&self->dane, pr_tls_client_unref);
  pr_secret_free (self->secret);
  g_free (self->pin);
  g_free (self->route);
  g_free (self->username);
  g_free (self->ca_file);
  g_free (self->fault);
  g_free (self->locked);
  g_free (self->needed);
  g_free (self->told);
  g_free (self);
}

void
pr_way_forget (PrWay *self)
{
  self->runner = NULL;
  pr_way_unref (self);
}

PrTlsClient *
pr_way_get_tls (PrWay *self, PrDemand demand)
{
  if (demand < PR_DEMAND_STS || self->pin != NULL || self->client == NULL)
    return self->client;
  if (demand == PR_DEMAND_STS)
    {
      if (self->strict == NULL)
        self->strict = pr_tls_client_derive (self->client, PR_TLS_VERIFY_FULL);
      return self->strict;
    }
  if (self->dane == NULL) /* it trusts nobody else, so there is nothing that could fail */
    self->dane = pr_tls_client_new (PR_TLS_VERIFY_DANE, NULL, NULL, PR_TLS_1_2, NULL);
  return self->dane;
}

const char *
pr_way_get_secret (PrWay *self)
{
  return self->secret;
}

guint
pr_way_get_token_serial (const PrWay *self)
{
  return self->serial;
}

void
pr_way_accept_token (PrWay *self, guint serial)
{
  if (self->oauth != NULL && serial == self->serial)
    pr_oauth_accept (self->oauth, self->route, self->secret);
}

void
pr_way_refuse_token (PrWay *self, guint serial, const char *said)
{
  if (self->oauth != NULL && serial == self->serial)
    pr_oauth_refuse (self->oauth, self->route, self->secret, said);
}

void
pr_way_need_sign_in (PrWay *self, const char *why, const char *peer)
{
  g_autoptr (GList) hops = NULL;

  if (self->runner == NULL || self->needed != NULL)
    return;
  self->needed = g_strdup (why);
  note (self, why, peer);
  hops = g_hash_table_get_values (self->runner->hops);
  for (GList *link = hops; link != NULL; link = link->next)
    {
      PrHop *hop = link->data;

      if (hop->route != NULL && g_str_equal (hop->route->name, self->route))
        pr_hop_await_sign_in (hop, why);
    }
}

const char *
pr_way_get_need (const PrWay *self)
{
  return self->needed;
}
