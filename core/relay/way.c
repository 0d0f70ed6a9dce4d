/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   asked ──► unknown: the worker reads ──► open
 *                                      └──► faulty ──► (told once) asked anew
 */
#include "relay/way.h"

#include "common/error.h"

#define MAX_CA_OCTETS (4 * 1024 * 1024)

struct _PrWay
{
  guint refs;
  PrRunner *runner; /* borrowed; NULL: another configuration is in force */
  char *ca_file;    /* owned, nullable */
  PrTlsMode mode;
  gboolean loading, loaded;
  char *fault;         /* owned, nullable */
  char *told;          /* owned, nullable: the last fault that was told */
  PrTlsClient *client; /* owned, nullable */
};

/* The disk's part; belongs to the worker while it runs. */
typedef struct
{
  PrWay *way; /* owned reference, only for the owner's thread */
  char *ca_file;
  GBytes *ca;    /* owned, nullable */
  GError *error; /* owned, nullable */
} Load;

static void
free_load (gpointer data)
{
  Load *load = data;

  pr_way_unref (load->way);
  g_free (load->ca_file);
  g_clear_pointer (&load->ca, g_bytes_unref);
  g_clear_error (&load->error);
  g_free (load);
}

static void
read_files (gpointer data)
{
  Load *load = data;
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
make_client (PrWay *self, GBytes *ca, GError **error)
{
  PrTlsVerify verify = self->mode == PR_TLS_OPPORTUNISTIC ? PR_TLS_VERIFY_NONE : PR_TLS_VERIFY_FULL;

  self->loaded = TRUE;
  if (self->mode != PR_TLS_OFF)
    self->client = pr_tls_client_new (verify, ca, NULL, PR_TLS_1_2, error);
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
  self->mode = route->tls;
  if (route->tls != PR_TLS_OFF)
    self->ca_file = g_strdup (route->ca_file);
  g_hash_table_insert (runner->ways, g_strdup (route->name), self);
  return self;
}

PrWayState
pr_way_check (PrWay *self, const char **why)
{
  g_autoptr (GError) error = NULL;

  if (!self->loaded && self->ca_file == NULL)
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
  if (self->fault == NULL)
    return PR_WAY_OPEN;
  g_free (self->told);
  *why = self->told = g_steal_pointer (&self->fault);
  self->loaded = FALSE;
  return PR_WAY_FAULTY;
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
  g_free (self->ca_file);
  g_free (self->fault);
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
pr_way_get_tls (PrWay *self)
{
  return self->client;
}
