/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/mx.h"

#include <string.h>

#include "common/error.h"

struct _PrMx
{
  PrResolver *resolver; /* borrowed */
  PrDnssec *dnssec;     /* borrowed, nullable */
  char *domain;         /* owned */
  PrMxAnswerFunc func;
  gpointer user_data;
  guint token;       /* the resolver's, 0: no question */
  guint proof_token; /* of @dnssec, 0: no question */
};

static void
tell (PrMx *self, GArray *exchangers, gboolean proven)
{
  const PrMxAnswer answer = { .exchangers = exchangers, .proven = proven };

  self->func (&answer, self->user_data);
}

/* @code: 5yz: there will never be a way; 0: try again. */
static void
tell_failure (PrMx *self, guint code, const char *status, const char *text, gboolean distrusted)
{
  PrReply failure = { 0 };
  const PrMxAnswer answer = { .failure = &failure, .distrusted = distrusted };

  pr_reply_set (&failure, code, status, text);
  self->func (&answer, self->user_data);
  pr_reply_clear (&failure);
}

/* ── Without proof ────────────────────────────────────────────────────────────────────────── */

static void
on_exchangers (GArray *exchangers, const GError *error, gpointer user_data)
{
  PrMx *self = user_data;

  self->token = 0;
  if (error == NULL)
    tell (self, exchangers, FALSE);
  else if (error->code != PR_ERROR_PERMANENT)
    tell_failure (self, 0, "4.4.3", error->message, FALSE);
  else if (strstr (error->message, "null MX") != NULL) /* RFC 7505 §4.1 */
    tell_failure (self, 556, "5.1.10", error->message, FALSE);
  else
    tell_failure (self, 550, "5.1.2", error->message, FALSE);
}

static void
find_unproven (PrMx *self)
{
  self->token = pr_resolver_find_exchangers (self->resolver, self->domain, on_exchangers, self);
}

/* ── Proof ────────────────────────────────────────────────────────────────────────────────── */

static void
clear_exchanger (gpointer data)
{
  g_free (((PrExchanger *) data)->host);
}

static gint
compare_exchangers (gconstpointer a, gconstpointer b)
{
  const PrExchanger *first = a, *second = b;

  return (gint) first->preference - (gint) second->preference;
}

/* Those of equal preference in random order (RFC 5321 §5.1). */
static GArray *
read_exchangers (GPtrArray *records)
{
  GArray *exchangers = g_array_new (FALSE, FALSE, sizeof (PrExchanger));

  g_array_set_clear_func (exchangers, clear_exchanger);
  for (guint i = 0; i < records->len; i++)
    {
      gsize len;
      const guint8 *data = g_bytes_get_data (records->pdata[i], &len);
      char *host = len > 2 ? pr_dns_read_name (data + 2, len - 2) : NULL;
      PrExchanger exchanger = { .host = host };

      if (host == NULL)
        continue;
      exchanger.preference = (guint16) (data[0] << 8 | data[1]);
      g_array_insert_val (exchangers, (guint) g_random_int_range (0, (gint32) exchangers->len + 1),
                          exchanger);
    }
  g_array_sort (exchangers, compare_exchangers);
  return exchangers;
}

static void
take_proof (PrMx *self, const PrDnssecAnswer *answer)
{
  g_autoptr (GArray) exchangers = read_exchangers (answer->records);

  if (!answer->exists)
    tell_failure (self, 550, "5.1.2", "There is no domain of this name", FALSE);
  else if (exchangers->len == 1 && *g_array_index (exchangers, PrExchanger, 0).host == '\0')
    tell_failure (self, 556, "5.1.10", "The domain takes no mail (null MX)", FALSE);
  else if (exchangers->len == 0 && answer->records->len > 0)
    tell_failure (self, 0, "4.4.4", "The mail exchangers of the domain have no names", FALSE);
  else
    {
      PrExchanger itself = { .host = g_strdup (self->domain) };

      if (exchangers->len == 0)
        g_array_append_val (exchangers, itself);
      else
        g_free (itself.host);
      tell (self, exchangers, TRUE);
    }
}

static void
on_proof (const PrDnssecAnswer *answer, gpointer user_data)
{
  PrMx *self = user_data;
  g_autofree char *why = NULL;

  self->proof_token = 0;
  switch (answer->trust)
    {
    case PR_DNSSEC_SECURE: take_proof (self, answer); break;
    case PR_DNSSEC_BOGUS:
    case PR_DNSSEC_FAILED:
      why = g_strdup_printf (answer->trust == PR_DNSSEC_BOGUS
                               ? "The DNS records of %s cannot be trusted, somebody may have "
                                 "changed them on the way (DNSSEC: %s)"
                               : "The DNS records of %s cannot be had (%s)",
                             self->domain, answer->why);
      tell_failure (self, 0, "4.7.5", why, TRUE); /* RFC 3463 §3.8: cryptographic failure */
      break;
    case PR_DNSSEC_INSECURE:
    case PR_DNSSEC_UNAVAILABLE:
    default: find_unproven (self);
    }
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

PrMx *
pr_mx_new (PrResolver *resolver, PrDnssec *dnssec, const char *domain, PrMxAnswerFunc func,
           gpointer user_data)
{
  PrMx *self = g_new0 (PrMx, 1);

  self->resolver = resolver;
  self->dnssec = dnssec;
  self->domain = g_strdup (domain);
  self->func = func;
  self->user_data = user_data;
  if (dnssec != NULL)
    self->proof_token = pr_dnssec_ask (dnssec, self->domain, PR_DNS_MX, on_proof, self);
  else
    find_unproven (self);
  return self;
}

void
pr_mx_free (PrMx *self)
{
  if (self == NULL)
    return;
  if (self->token != 0)
    pr_resolver_cancel (self->resolver, self->token);
  if (self->proof_token != 0)
    pr_dnssec_cancel (self->dnssec, self->proof_token);
  g_free (self->domain);
  g_free (self);
}
