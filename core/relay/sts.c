/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   asked ──► record? ──► none, or no answer ──► the policy that is kept, or none
 *                └─► its id ──► is the kept one's ──► that one (old: fetched anew behind it)
 *                         └─► another ──► fetched ──► right: kept, told
 *                                              └─► failed: the kept one, or none;
 *                                                  this id is not tried again for 5 min (§3.3)
 */
#include "relay/sts.h"

#include <string.h>

#include "common/error.h"
#include "relay/sts-fetch.h"

#define PREFIX "sts/"
#define MAX_DOMAINS 1000
#define PATIENCE_MS 60000
#define FAILURE_MS (5 * 60000)
#define ROUND_MS (60 * 60000)
#define ROUND_DOMAINS 50          /* of one round: others want their names looked up, too */
#define FRESH_S (24 * 3600)       /* RFC 8461 §10.2: fetched anew daily, */
#define UNUSED_S (30 * 24 * 3600) /* but not for those that nobody writes to */

typedef struct
{
  PrSts *sts;   /* borrowed */
  char *domain; /* owned */

  PrStsPolicy *policy;              /* owned, nullable: what is kept */
  char *id;                         /* owned, nullable: its */
  gint64 ends_s, fetched_s, used_s; /* wall clock */
  char *failed_id;                  /* owned, nullable: of what could not be fetched */
  gint64 failed_until_ms;           /* the loop's clock */
  char *why;                        /* owned, nullable: it could not */

  guint text_token;  /* the resolver's, 0: not asked */
  guint fetch_token; /* 0: not being fetched */
  char *wanted_id;   /* owned, nullable: of what is being fetched */
  char *ca_file;     /* owned, nullable: of who asked last */
  GQueue asks;       /* of Ask, borrowed: to be told */
  gboolean telling;
} Domain;

typedef struct
{
  Domain *domain; /* borrowed: it stays while it has one */
  guint token;
  PrTimer patience;
  PrStsFunc func;
  gpointer user_data;
} Ask;

struct _PrSts
{
  PrLoop *loop;          /* borrowed */
  PrStore *store;        /* borrowed */
  PrResolver *resolver;  /* borrowed */
  PrStsFetcher *fetcher; /* owned */
  GHashTable *domains;   /* owned: name to Domain */
  GHashTable *asks;      /* owned: token to Ask */
  guint last_token;
  gboolean started, loaded;
  gboolean has_complained; /* that nothing can be fetched here */
  guint patience_ms, round_ms;
  PrTimer round_timer;
};

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/* ── Domains ──────────────────────────────────────────────────────────────────────────────── */

static void
free_domain (gpointer data)
{
  Domain *domain = data;

  if (domain->text_token != 0)
    pr_resolver_cancel (domain->sts->resolver, domain->text_token);
  g_clear_pointer (&domain->policy, pr_sts_policy_unref);
  g_queue_clear (&domain->asks);
  g_free (domain->id);
  g_free (domain->failed_id);
  g_free (domain->why);
  g_free (domain->wanted_id);
  g_free (domain->ca_file);
  g_free (domain->domain);
  g_free (domain);
}

/* A clock that was put back makes nothing hold longer than it said. */
static gboolean
has_policy (const Domain *domain)
{
  gint64 left_s = domain->ends_s - now_s ();

  return domain->policy != NULL && left_s > 0 && (guint64) left_s <= domain->policy->max_age_s;
}

static gboolean
is_old (const Domain *domain)
{
  gint64 fresh_s = MIN (FRESH_S, (gint64) domain->policy->max_age_s / 2);

  return now_s () - domain->fetched_s >= fresh_s;
}

/* Its server is left alone for a while. */
static gboolean
has_failed (const Domain *domain, const char *id)
{
  return id != NULL && g_strcmp0 (domain->failed_id, id) == 0 &&
         pr_loop_now_ms (domain->sts->loop) < domain->failed_until_ms;
}

static gboolean
is_idle (const Domain *domain)
{
  return !domain->telling && domain->asks.length == 0 && domain->text_token == 0 &&
         domain->fetch_token == 0;
}

static void
save (Domain *domain)
{
  g_autofree char *name = g_strconcat (PREFIX, domain->domain, NULL);
  g_autofree char *policy = NULL, *value = NULL;

  if (domain->policy != NULL)
    {
      policy = pr_sts_policy_to_text (domain->policy);
      value =
        g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s\n%s",
                         domain->ends_s, domain->fetched_s, domain->used_s, domain->id, policy);
    }
  pr_store_set_value (domain->sts->store, name, value, NULL, NULL);
}

static void
forget_policy (Domain *domain)
{
  g_clear_pointer (&domain->policy, pr_sts_policy_unref);
  save (domain);
}

/* Nobody needs it now: it stays for what it knows. */
static void
settle (Domain *domain)
{
  if (!is_idle (domain))
    return;
  if (domain->policy != NULL && !has_policy (domain))
    forget_policy (domain);
  if (domain->policy == NULL && !has_failed (domain, domain->failed_id))
    g_hash_table_remove (domain->sts->domains, domain->domain);
}

/* Those without a policy go first, then the one that was not asked for longest. */
static gboolean
is_less_needed (const Domain *domain, const Domain *than)
{
  if ((domain->policy == NULL) != (than->policy == NULL))
    return domain->policy == NULL;
  return domain->used_s < than->used_s;
}

static void
make_room (PrSts *self)
{
  GHashTableIter iter;
  Domain *domain, *last = NULL;

  if (g_hash_table_size (self->domains) < MAX_DOMAINS)
    return;
  g_hash_table_iter_init (&iter, self->domains);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &domain))
    if (is_idle (domain) && (last == NULL || is_less_needed (domain, last)))
      last = domain;
  if (last == NULL)
    return;
  if (last->policy != NULL)
    forget_policy (last);
  g_hash_table_remove (self->domains, last->domain);
}

static Domain *
get_domain (PrSts *self, const char *name)
{
  Domain *domain = g_hash_table_lookup (self->domains, name);

  if (domain != NULL)
    return domain;
  make_room (self);
  domain = g_new0 (Domain, 1);
  domain->sts = self;
  domain->domain = g_strdup (name);
  g_hash_table_insert (self->domains, domain->domain, domain);
  return domain;
}

/* ── Telling ──────────────────────────────────────────────────────────────────────────────── */

/* Off all lists already. */
static void
tell (Ask *ask, PrStsPolicy *policy, const char *why)
{
  pr_timer_stop (&ask->patience);
  ask->func (policy, policy == NULL ? why : NULL, ask->user_data);
  g_free (ask);
}

/* Whoever asks again from within is told another time. */
static void
tell_all (Domain *domain, PrStsPolicy *policy, const char *why)
{
  PrSts *self = domain->sts;

  domain->telling = TRUE;
  for (guint n = domain->asks.length; n > 0 && domain->asks.length > 0; n--)
    {
      Ask *ask = g_queue_pop_head (&domain->asks);

      g_hash_table_steal (self->asks, GUINT_TO_POINTER (ask->token));
      tell (ask, policy, why);
    }
  domain->telling = FALSE;
}

static void
on_impatient (gpointer user_data)
{
  Ask *ask = user_data;
  Domain *domain = ask->domain;

  g_queue_remove (&domain->asks, ask);
  g_hash_table_steal (domain->sts->asks, GUINT_TO_POINTER (ask->token));
  domain->telling = TRUE;
  tell (ask, has_policy (domain) ? domain->policy : NULL, "no answer came in time");
  domain->telling = FALSE;
  settle (domain);
}

/* ── Fetching ─────────────────────────────────────────────────────────────────────────────── */

static void
note_failure (Domain *domain, const GError *error)
{
  g_free (domain->failed_id);
  domain->failed_id = g_steal_pointer (&domain->wanted_id);
  domain->failed_until_ms = pr_loop_now_ms (domain->sts->loop) + FAILURE_MS;
  g_free (domain->why);
  domain->why = g_strdup (error->message);
  if (error->code == PR_ERROR_UNSUPPORTED && !domain->sts->has_complained)
    {
      g_message ("Mail goes without MTA-STS: %s", error->message);
      domain->sts->has_complained = TRUE;
    }
}

static void
take_policy (Domain *domain, PrStsPolicy *policy)
{
  g_clear_pointer (&domain->policy, pr_sts_policy_unref);
  domain->policy = policy;
  g_free (domain->id);
  domain->id = g_steal_pointer (&domain->wanted_id);
  domain->fetched_s = now_s ();
  domain->ends_s = domain->fetched_s + (gint64) policy->max_age_s;
  g_clear_pointer (&domain->failed_id, g_free);
  save (domain);
}

static void
on_fetched (PrStsPolicy *policy, const GError *error, gpointer user_data)
{
  Domain *domain = user_data;

  domain->fetch_token = 0;
  if (policy != NULL)
    take_policy (domain, policy);
  else
    note_failure (domain, error);
  /* One that has just come holds for those who waited for it, however short its life. */
  tell_all (domain, policy != NULL || has_policy (domain) ? domain->policy : NULL, domain->why);
  settle (domain);
}

static void
fetch (Domain *domain, const char *id)
{
  domain->wanted_id = g_strdup (id);
  domain->fetch_token =
    pr_sts_fetch (domain->sts->fetcher, domain->domain, domain->ca_file, on_fetched, domain);
}

/* ── Looking ──────────────────────────────────────────────────────────────────────────────── */

/* The name becomes a part of an address. */
static gboolean
is_plain (const Domain *domain)
{
  return domain->domain[strspn (domain->domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static void
on_texts (GPtrArray *texts, const GError *error, gpointer user_data)
{
  Domain *domain = user_data;
  g_autofree char *id = texts != NULL && is_plain (domain) ? pr_sts_find_id (texts) : NULL;
  gboolean known = id != NULL && has_policy (domain) && strcmp (id, domain->id) == 0;
  gboolean may_fetch = id != NULL && domain->fetch_token == 0 && !has_failed (domain, id);

  domain->text_token = 0;
  /* RFC 8461 §5.1: without a record that is right, what is kept still holds. */
  if (id == NULL || known || has_failed (domain, id))
    tell_all (domain, has_policy (domain) ? domain->policy : NULL, id != NULL ? domain->why : NULL);
  if (may_fetch && (!known || is_old (domain)))
    fetch (domain, id);
  settle (domain);
}

static void
look (Domain *domain)
{
  g_autofree char *name = NULL;

  if (domain->text_token != 0)
    return;
  name = g_strconcat ("_mta-sts.", domain->domain, NULL);
  domain->text_token =
    pr_resolver_find_records (domain->sts->resolver, PR_RECORD_TEXT, name, on_texts, domain);
}

/* RFC 8461 §10.2: what is used is fetched anew before it ends, whether or not mail comes. */
static void
on_round (gpointer user_data)
{
  PrSts *self = user_data;
  g_autoptr (GList) domains = g_hash_table_get_values (self->domains);
  guint n = 0;

  for (GList *link = domains; link != NULL; link = link->next)
    {
      Domain *domain = link->data;
      gboolean is_used = now_s () - domain->used_s < UNUSED_S;

      if (has_policy (domain) && is_old (domain) && is_used && n++ < ROUND_DOMAINS)
        look (domain);
      settle (domain);
    }
  pr_timer_start (&self->round_timer, self->loop, self->round_ms, on_round, self);
}

/* ── What is kept ─────────────────────────────────────────────────────────────────────────── */

/* "ENDS FETCHED USED ID", then the policy. FALSE: it is none, or it has ended. */
static gboolean
read_value (Domain *domain, const char *value)
{
  const char *end = strchr (value, '\n');
  g_autofree char *line = end != NULL ? g_strndup (value, (gsize) (end - value)) : NULL;
  g_auto (GStrv) words = line != NULL ? g_strsplit (line, " ", 4) : NULL;

  if (words == NULL || g_strv_length (words) != 4)
    return FALSE;
  domain->policy = pr_sts_policy_parse (end + 1, strlen (end + 1), NULL);
  domain->ends_s = g_ascii_strtoll (words[0], NULL, 10);
  domain->fetched_s = g_ascii_strtoll (words[1], NULL, 10);
  domain->used_s = g_ascii_strtoll (words[2], NULL, 10);
  domain->id = g_strdup (words[3]);
  return has_policy (domain);
}

static void
on_values (const PrStoreValue *values, guint n, const GError *error, gpointer user_data)
{
  PrSts *self = user_data;
  g_autoptr (GList) domains = NULL;

  self->loaded = TRUE;
  if (error != NULL)
    g_warning ("The MTA-STS policies that are kept cannot be read: %s", error->message);
  for (guint i = 0; i < n; i++)
    {
      Domain *domain = get_domain (self, values[i].name + strlen (PREFIX));

      if (!read_value (domain, values[i].value))
        forget_policy (domain);
    }
  domains = g_hash_table_get_values (self->domains);
  for (GList *link = domains; link != NULL; link = link->next)
    {
      Domain *domain = link->data;

      if (domain->asks.length > 0)
        look (domain);
      settle (domain);
    }
  pr_timer_start (&self->round_timer, self->loop, self->round_ms, on_round, self);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

PrSts *
pr_sts_new (PrLoop *loop, PrStore *store, PrResolver *resolver)
{
  PrSts *self = g_new0 (PrSts, 1);

  self->loop = loop;
  self->store = store;
  self->resolver = resolver;
  self->patience_ms = PATIENCE_MS;
  self->round_ms = ROUND_MS;
  self->fetcher = pr_sts_fetcher_new (loop, PATIENCE_MS);
  self->domains = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_domain);
  self->asks = g_hash_table_new (NULL, NULL);
  return self;
}

void
pr_sts_free (PrSts *self)
{
  GHashTableIter iter;
  Ask *ask;

  if (self == NULL)
    return;
  pr_timer_stop (&self->round_timer);
  pr_sts_fetcher_free (self->fetcher);
  g_hash_table_iter_init (&iter, self->asks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &ask))
    {
      pr_timer_stop (&ask->patience);
      g_free (ask);
    }
  g_hash_table_unref (self->asks);
  g_hash_table_unref (self->domains);
  g_free (self);
}

void
pr_sts_start (PrSts *self)
{
  if (self->started)
    return;
  self->started = TRUE;
  pr_store_list_values (self->store, PREFIX, MAX_DOMAINS, on_values, self);
}

guint
pr_sts_ask (PrSts *self, const char *domain, const char *ca_file, PrStsFunc func,
            gpointer user_data)
{
  Ask *ask = g_new0 (Ask, 1);

  while (++self->last_token == 0 ||
         g_hash_table_contains (self->asks, GUINT_TO_POINTER (self->last_token)))
    ;
  ask->domain = get_domain (self, domain);
  ask->domain->used_s = now_s ();
  g_free (ask->domain->ca_file);
  ask->domain->ca_file = g_strdup (ca_file);
  ask->token = self->last_token;
  ask->func = func;
  ask->user_data = user_data;
  g_hash_table_insert (self->asks, GUINT_TO_POINTER (ask->token), ask);
  g_queue_push_tail (&ask->domain->asks, ask);
  pr_timer_start (&ask->patience, self->loop, self->patience_ms, on_impatient, ask);
  pr_sts_start (self);
  if (self->loaded)
    look (ask->domain);
  return ask->token;
}

void
pr_sts_cancel (PrSts *self, guint token)
{
  Ask *ask = g_hash_table_lookup (self->asks, GUINT_TO_POINTER (token));

  if (ask == NULL)
    return;
  pr_timer_stop (&ask->patience);
  g_queue_remove (&ask->domain->asks, ask);
  g_hash_table_remove (self->asks, GUINT_TO_POINTER (token));
  settle (ask->domain);
  g_free (ask);
}

void
pr_sts_forget_failures (PrSts *self)
{
  g_autoptr (GList) domains = g_hash_table_get_values (self->domains);

  for (GList *link = domains; link != NULL; link = link->next)
    {
      Domain *domain = link->data;

      g_clear_pointer (&domain->failed_id, g_free);
      settle (domain);
    }
}

void
pr_sts_set_times (PrSts *self, guint patience_ms, guint round_ms)
{
  self->patience_ms = patience_ms;
  self->round_ms = round_ms;
}
