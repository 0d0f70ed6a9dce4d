/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/dane.h"

#include <string.h>

#define DANE_TA 2 /* RFC 6698 §2.1.1 */
#define DANE_EE 3
#define SHA256_OCTETS 32
#define SHA512_OCTETS 64

typedef enum
{
  ASK_A,
  ASK_AAAA,
  ASK_ALIAS,      /* is the name itself proven, where what it leads to is not? */
  ASK_TLSA_THERE, /* of where the aliases led */
  ASK_TLSA_HERE,  /* of the name itself */
} Step;

struct _PrDane
{
  PrDnssec *dnssec; /* borrowed */
  PrDaneFunc func;
  gpointer user_data;
  char *host; /* owned */
  guint16 port;
  guint token;
  Step step;
  gboolean secure;   /* an address of it is proven */
  char *canonical;   /* owned, nullable: where its aliases lead */
  gboolean is_alias; /* elsewhere */
};

static void on_answer (const PrDnssecAnswer *answer, gpointer user_data);

void
pr_tlsa_free (PrTlsa *self)
{
  g_bytes_unref (self->data);
  g_free (self);
}

static void
tell (PrDane *self, PrDaneKind kind, const char *base, GPtrArray *records, const char *why)
{
  const PrDaneAnswer answer = { kind, base, records, why };

  self->func (&answer, self->user_data);
}

static void
ask (PrDane *self, Step step)
{
  static const guint16 types[] = { PR_DNS_A, PR_DNS_AAAA, PR_DNS_CNAME, PR_DNS_TLSA, PR_DNS_TLSA };
  const char *base = step == ASK_TLSA_THERE ? self->canonical : self->host;
  g_autofree char *name = types[step] == PR_DNS_TLSA
                            ? g_strdup_printf ("_%u._tcp.%s", self->port, base)
                            : g_strdup (base);

  self->step = step;
  self->token = pr_dnssec_ask (self->dnssec, name, types[step], on_answer, self);
}

/* RFC 7672 §3.1.3: the PKIX usages are none for mail; RFC 6698 §2.1.2 and §2.1.3 for the others. */
static gboolean
is_usable (const PrTlsa *record)
{
  gsize len = g_bytes_get_size (record->data);

  if ((record->usage != DANE_TA && record->usage != DANE_EE) || record->selector > 1)
    return FALSE;
  switch (record->matching)
    {
    case 0: return len > 0;
    case 1: return len == SHA256_OCTETS;
    case 2: return len == SHA512_OCTETS;
    default: return FALSE;
    }
}

static GPtrArray *
read_records (GPtrArray *octets)
{
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify) pr_tlsa_free);

  for (guint i = 0; i < octets->len; i++)
    {
      gsize len;
      const guint8 *data = g_bytes_get_data (octets->pdata[i], &len);
      PrTlsa *record;

      if (len < 3)
        continue;
      record = g_new0 (PrTlsa, 1);
      record->usage = data[0];
      record->selector = data[1];
      record->matching = data[2];
      record->data = g_bytes_new (data + 3, len - 3);
      if (is_usable (record))
        g_ptr_array_add (records, record);
      else
        pr_tlsa_free (record);
    }
  return records;
}

/* RFC 7672 §2.2.2: asked only where the address is proven, because servers that know nothing of
 * signatures often know no TLSA either, and would look like an attack. */
static void
take_addresses (PrDane *self, const PrDnssecAnswer *answer)
{
  if (answer->records->len > 0)
    {
      self->secure |= answer->trust == PR_DNSSEC_SECURE;
      g_free (self->canonical);
      self->canonical = g_strdup (answer->canonical);
      self->is_alias = g_ascii_strcasecmp (self->canonical, self->host) != 0;
    }
  if (self->step == ASK_A)
    ask (self, ASK_AAAA);
  else if (self->secure)
    ask (self, self->is_alias ? ASK_TLSA_THERE : ASK_TLSA_HERE);
  else if (self->is_alias)
    ask (self, ASK_ALIAS);
  else
    tell (self, PR_DANE_NONE, self->host, NULL, NULL);
}

static void
take_tlsa (PrDane *self, const PrDnssecAnswer *answer)
{
  const char *base = self->step == ASK_TLSA_THERE ? self->canonical : self->host;
  g_autoptr (GPtrArray) records = read_records (answer->records);
  gboolean none = answer->trust != PR_DNSSEC_SECURE || answer->records->len == 0;

  if (none && self->step == ASK_TLSA_THERE) /* RFC 7672 §2.2.3: then the name as it was given */
    ask (self, ASK_TLSA_HERE);
  else if (none)
    tell (self, PR_DANE_NONE, self->host, NULL, NULL);
  else
    tell (self, records->len > 0 ? PR_DANE_VERIFY : PR_DANE_ENCRYPT, base, records, NULL);
}

static void
on_answer (const PrDnssecAnswer *answer, gpointer user_data)
{
  PrDane *self = user_data;

  self->token = 0;
  if (answer->trust == PR_DNSSEC_UNAVAILABLE)
    tell (self, PR_DANE_NONE, self->host, NULL, NULL);
  else if (answer->trust == PR_DNSSEC_BOGUS || answer->trust == PR_DNSSEC_FAILED)
    {
      gboolean bogus = answer->trust == PR_DNSSEC_BOGUS;
      g_autofree char *why =
        g_strdup_printf (bogus ? "The DNS records of %s cannot be trusted, somebody may have "
                                 "changed them on the way (DNSSEC: %s)"
                               : "The DNS records of %s cannot be had (%s)",
                         self->host, answer->why);

      tell (self, PR_DANE_BROKEN, self->host, NULL, why);
    }
  else if (self->step == ASK_A || self->step == ASK_AAAA)
    take_addresses (self, answer);
  else if (self->step == ASK_ALIAS)
    {
      if (answer->trust == PR_DNSSEC_SECURE && answer->records->len > 0)
        ask (self, ASK_TLSA_HERE);
      else
        tell (self, PR_DANE_NONE, self->host, NULL, NULL);
    }
  else
    take_tlsa (self, answer);
}

PrDane *
pr_dane_new (PrDnssec *dnssec, const char *host, guint16 port, PrDaneFunc func, gpointer user_data)
{
  PrDane *self = g_new0 (PrDane, 1);

  self->dnssec = dnssec;
  self->host = g_strdup (host);
  self->port = port;
  self->func = func;
  self->user_data = user_data;
  ask (self, ASK_A);
  return self;
}

void
pr_dane_free (PrDane *self)
{
  if (self == NULL)
    return;
  if (self->token != 0)
    pr_dnssec_cancel (self->dnssec, self->token);
  g_free (self->canonical);
  g_free (self->host);
  g_free (self);
}
