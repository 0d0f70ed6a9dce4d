/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNSSEC by libunbound: the whole of the module `postroom-dnssec`. Its resolver has a thread of its
 * own and writes to a pipe when there is something to process. */
#include "net/dnssec-backend.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "common/error.h"

#define CLASS_IN 1
#define MAX_RECORDS 64
#define RCODE_NOERROR 0
#define RCODE_NXDOMAIN 3

/* Where systems keep the root's keys; the first that is there. */
static const char *const anchor_files[] = {
  "/usr/share/dns/root.key",
  "/var/lib/unbound/root.key",
  "/etc/unbound/root.key",
  "/etc/trusted-key.key",
};

/* The root's keys of 2017 and 2024, as IANA publishes them (data.iana.org/root-anchors). */
static const char *const root_keys[] = {
  ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
  ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

/* Sizes for a desktop: a few domains, not a provider's customers. */
static const struct
{
  const char *option, *value;
} options[] = {
  { "msg-cache-size:", "512k" },
  { "rrset-cache-size:", "1m" },
  { "key-cache-size:", "512k" },
  { "neg-cache-size:", "128k" },
  { "do-not-query-localhost:", "no" }, /* where many systems have their name server */
  { "module-config:", "validator iterator" },
};

struct _PrDnssecContext
{
  struct ub_ctx *ub;
  GHashTable *questions; /* owned, of Question: under way */
};

typedef struct
{
  PrDnssecContext *context;
  PrDnssecBackendFunc func;
  gpointer owner;
} Question;

static int
add_root_keys (struct ub_ctx *ub)
{
  int code = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (anchor_files); i++)
    if (g_access (anchor_files[i], R_OK) == 0 && ub_ctx_add_ta_file (ub, anchor_files[i]) == 0)
      return 0;
  for (gsize i = 0; i < G_N_ELEMENTS (root_keys) && code == 0; i++)
    code = ub_ctx_add_ta (ub, root_keys[i]);

  return code;
}

static int
set_up (struct ub_ctx *ub, const PrDnssecSetup *setup)
{
  int code = 0;

  ub_ctx_debugout (ub, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (options) && code == 0; i++)
    code = ub_ctx_set_option (ub, options[i].option, options[i].value);
  if (code == 0 && setup->server != NULL)
    code = ub_ctx_set_fwd (ub, setup->server);
  else if (code == 0 && !setup->direct)
    ub_ctx_resolvconf (ub, NULL); /* without that file it is direct */
  if (code == 0)
    code = ub_ctx_async (ub, 1);
  if (code == 0) /* answered from a table of its own (RFC 6761 §6.2); reads the anchors, too */
    code = ub_ctx_zone_remove (ub, "test.");

  return code;
}

static void
close_context (PrDnssecContext *self)
{
  ub_ctx_delete (self->ub);
  g_hash_table_unref (self->questions);
  g_free (self);
}

static PrDnssecContext *
open_context (const PrDnssecSetup *setup, GError **error)
{
  PrDnssecContext *self;
  struct ub_ctx *ub = ub_ctx_create ();
  int code;

  if (ub == NULL)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "libunbound cannot be started");
      return NULL;
    }
  code = setup->anchor != NULL ? ub_ctx_add_ta_file (ub, setup->anchor) : add_root_keys (ub);
  if (code == 0 && setup->anchor != NULL && g_access (setup->anchor, R_OK) != 0)
    code = UB_READFILE; /* it would be read, and be missed, with the first question */
  if (code == 0)
    code = set_up (ub, setup);
  if (code != 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "DNSSEC cannot be checked%s%s: %s",
                   setup->anchor != NULL ? " with " : "",
                   setup->anchor != NULL ? setup->anchor : "", ub_strerror (code));
      ub_ctx_delete (ub);
      return NULL;
    }

  self = g_new0 (PrDnssecContext, 1);
  self->ub = ub;
  self->questions = g_hash_table_new_full (NULL, NULL, g_free, NULL);
  return self;
}

static PrDnssecTrust
trust_of (int code, const struct ub_result *result)
{
  if (code != 0 || result == NULL)
    return PR_DNSSEC_FAILED;
  if (result->bogus)
    return PR_DNSSEC_BOGUS;
  if (result->rcode != RCODE_NOERROR && result->rcode != RCODE_NXDOMAIN)
    return PR_DNSSEC_FAILED;
  return result->secure ? PR_DNSSEC_SECURE : PR_DNSSEC_INSECURE;
}

static void
take_records (const struct ub_result *result, GPtrArray *records)
{
  for (guint i = 0; result->havedata && result->data[i] != NULL && i < MAX_RECORDS; i++)
    g_ptr_array_add (records, g_bytes_new (result->data[i], (gsize) MAX (result->len[i], 0)));
}

static char *
without_dot (const char *name)
{
  gsize len = strlen (name);

  return g_strndup (name, len > 1 && name[len - 1] == '.' ? len - 1 : len);
}

static void
on_answer (void *data, int code, struct ub_result *result)
{
  Question *question = data;
  PrDnssecTrust trust = trust_of (code, result);
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *canonical = NULL;
  PrDnssecAnswer answer = { .trust = trust, .records = records };
  PrDnssecBackendFunc func = question->func;
  gpointer owner = question->owner;

  if (trust == PR_DNSSEC_BOGUS)
    answer.why = result->why_bogus != NULL ? result->why_bogus : "a signature is wrong or missing";
  else if (trust == PR_DNSSEC_FAILED)
    answer.why = code != 0 ? ub_strerror (code) : "the name servers give no answer";
  else
    {
      take_records (result, records);
      answer.exists = !result->nxdomain;
    }
  if (result != NULL)
    canonical = without_dot (result->canonname != NULL ? result->canonname : result->qname);
  answer.canonical = canonical != NULL ? canonical : "";

  g_hash_table_remove (question->context->questions, question);
  func (owner, &answer);
  if (result != NULL)
    ub_resolve_free (result);
}

static gboolean
ask (PrDnssecContext *self, const char *name, guint16 type, PrDnssecBackendFunc func,
     gpointer owner)
{
  Question *question = g_new0 (Question, 1);

  question->context = self;
  question->func = func;
  question->owner = owner;
  g_hash_table_add (self->questions, question);
  if (ub_resolve_async (self->ub, name, type, CLASS_IN, question, on_answer, NULL) == 0)
    return TRUE;

  g_hash_table_remove (self->questions, question);
  return FALSE;
}

static int
get_fd (PrDnssecContext *self)
{
  return ub_fd (self->ub);
}

static void
process (PrDnssecContext *self)
{
  ub_process (self->ub);
}

const PrDnssecBackend pr_dnssec_backend = {
  .version = PR_DNSSEC_BACKEND_VERSION,
  .open = open_context,
  .close = close_context,
  .get_fd = get_fd,
  .process = process,
  .ask = ask,
};
