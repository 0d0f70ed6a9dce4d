/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inspects one message of a stranger.
 *
 * Every check is a pure function of what DNS said; run() calls those of the half that is under way,
 * and while one lacks an answer everything that is wanted is asked for at once and run() comes
 * again. A check that is complete is not called twice.
 */
#include "guard/inspection.h"

#include "common/text.h"
#include "guard/auth-results.h"
#include "guard/client-name.h"
#include "guard/listed.h"
#include "net/lookups-ask.h"

#include <string.h>

typedef enum
{
  HALF_CLIENT,
  HALF_MESSAGE,
} Half;

struct _PrInspection
{
  PrLoop *loop;     /* borrowed */
  PrConfig *config; /* owned reference */
  PrIp client;
  char *hostname, *helo, *sender; /* owned */
  void (*done) (PrVerdict verdict, gpointer user_data);
  gpointer user_data;

  PrLookups *lookups; /* owned */
  PrLookupsAsk *ask;  /* owned */
  PrTimer deadline;
  Half half;

  gboolean name_known, listed_known, spf_known, dkim_known, dmarc_known;
  PrClientName name;
  PrListed listed;
  PrSpf spf;
  PrDkimVerifier *dkim; /* owned, nullable */
  PrDmarc dmarc;
  char *author;    /* owned, nullable */
  GString *words;  /* what was found */
  GString *reason; /* of the refusal, or of holding it */
  gboolean holds;
};

gboolean
pr_inspection_is_due (const PrConfig *config, const PrIp *client)
{
  return (config->check_hello != PR_CHECK_OFF || config->check_reverse_name != PR_CHECK_OFF ||
          (config->check_lists != PR_CHECK_OFF && config->lists != NULL) ||
          config->check_spf != PR_CHECK_OFF || config->check_dkim != PR_CHECK_OFF ||
          config->check_dmarc != PR_CHECK_OFF) &&
         !pr_networks_contain (config->excused_networks, client);
}

static void say (PrInspection *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
say (PrInspection *self, const char *format, ...)
{
  va_list args;

  if (self->words->len > 0)
    g_string_append (self->words, "; ");
  va_start (args, format);
  g_string_append_vprintf (self->words, format, args);
  va_end (args);
}

/* The first that refuses speaks. */
#define REFUSE(self, code, enhanced, ...)                                                          \
  (g_string_printf ((self)->reason, __VA_ARGS__), PR_REFUSE (code, enhanced, (self)->reason->str))

/* --- the client --------------------------------------------------------------------------- */

static gboolean
check_name (PrInspection *self)
{
  if (self->name_known || self->config->check_reverse_name == PR_CHECK_OFF)
    return TRUE;
  if (!pr_client_name_find (self->lookups, &self->client, &self->name))
    return FALSE;

  self->name_known = TRUE;
  if (self->name.status == PR_CLIENT_NAME_FOUND)
    say (self, "its name is %s", self->name.name);
  else
    say (self, "%s", pr_client_name_describe (self->name.status));
  return TRUE;
}

static gboolean
check_lists (PrInspection *self)
{
  if (self->listed_known || self->config->check_lists == PR_CHECK_OFF)
    return TRUE;
  if (!pr_listed_check (self->lookups, self->config->lists, &self->client, &self->listed))
    return FALSE;

  self->listed_known = TRUE;
  if (self->listed.zones != NULL)
    say (self, "listed by %s", self->listed.zones);
  return TRUE;
}

/* DMARC needs it even where nobody wants to hear of it alone. */
static gboolean
check_spf (PrInspection *self)
{
  const PrSpfQuestion question = { .client = &self->client,
                                   .helo = self->helo,
                                   .sender = self->sender,
                                   .receiver = self->hostname,
                                   .time_s = g_get_real_time () / G_USEC_PER_SEC };

  if (self->spf_known ||
      (self->config->check_spf == PR_CHECK_OFF && self->config->check_dmarc == PR_CHECK_OFF))
    return TRUE;
  if (!pr_spf_check (self->lookups, &question, &self->spf))
    return FALSE;

  self->spf_known = TRUE;
  if (self->spf.problem != NULL)
    say (self, "SPF %s: %s", pr_spf_result_name (self->spf.result), self->spf.problem);
  else
    say (self, "SPF %s", pr_spf_result_name (self->spf.result));
  return TRUE;
}

static PrVerdict
judge_client (PrInspection *self)
{
  const char *hello = pr_client_name_check_hello (self->helo, self->hostname, &self->client);
  PrConfig *config = self->config;
  char client[PR_IP_TEXT_SIZE];

  pr_ip_format (&self->client, client);
  if (hello != NULL && config->check_hello != PR_CHECK_OFF)
    say (self, "greeting: %s", hello);
  if (hello != NULL && config->check_hello == PR_CHECK_ENFORCE)
    return REFUSE (self, 550, "5.7.1", "The name in your greeting cannot be yours: %s", hello);

  if (config->check_reverse_name == PR_CHECK_ENFORCE && self->name.status == PR_CLIENT_NAME_UNKNOWN)
    return REFUSE (self, 451, "4.7.25", "The name of %s could not be looked up; try again later",
                   client);
  if (config->check_reverse_name == PR_CHECK_ENFORCE && self->name.status != PR_CLIENT_NAME_FOUND)
    return REFUSE (self, 550, "5.7.25", "%s has no name in DNS that leads back to it", client);

  if (config->check_lists == PR_CHECK_ENFORCE && self->listed.score >= (int) config->lists_score)
    return REFUSE (self, 550, "5.7.1", "%s is listed by %.200s as an address that spam comes from",
                   client, self->listed.zones);

  if (config->check_spf == PR_CHECK_ENFORCE && self->spf.result == PR_SPF_FAIL)
    return REFUSE (self, 550, "5.7.23", "%s does not let %s send mail for it (SPF)%s%.200s",
                   self->spf.domain, client, self->spf.explanation != NULL ? ": " : "",
                   self->spf.explanation != NULL ? self->spf.explanation : "");
  if (config->check_spf == PR_CHECK_ENFORCE && self->spf.result == PR_SPF_TEMPERROR)
    return REFUSE (self, 451, "4.7.24",
                   "Whether %s lets you send mail for it could not be looked up (SPF); try again "
                   "later",
                   self->spf.domain);

  return PR_ACCEPT;
}

/* --- the message -------------------------------------------------------------------------- */

static gboolean
check_dkim (PrInspection *self)
{
  if (self->dkim == NULL || self->dkim_known)
    return TRUE;
  if (!pr_dkim_verifier_check (self->dkim, self->lookups, g_get_real_time () / G_USEC_PER_SEC))
    return FALSE;

  self->dkim_known = TRUE;
  if (pr_dkim_verifier_count (self->dkim) == 0)
    say (self, "not signed");
  for (guint i = 0; i < MIN (pr_dkim_verifier_count (self->dkim), 3); i++)
    {
      const PrDkimSignature *signature = pr_dkim_verifier_get (self->dkim, i);

      say (self, "DKIM %s of %.80s%s%s", pr_dkim_status_name (signature->status), signature->domain,
           signature->problem != NULL ? ": " : "",
           signature->problem != NULL ? signature->problem : "");
    }
  return TRUE;
}

static gboolean
check_dmarc (PrInspection *self)
{
  const PrDmarcQuestion question = { .author = self->author,
                                     .spf = &self->spf,
                                     .dkim = self->dkim,
                                     .dice = (guint) g_random_int_range (0, 100) };

  if (self->dmarc_known || self->author == NULL)
    return TRUE;
  if (!pr_dmarc_check (self->lookups, &question, &self->dmarc))
    return FALSE;

  self->dmarc_known = TRUE;
  if (*self->author == '\0')
    say (self, "DMARC: From names no author that could be asked");
  else
    say (self, "DMARC %s of %s", pr_dmarc_result_name (self->dmarc.result), self->author);
  return TRUE;
}

static PrVerdict
judge_message (PrInspection *self)
{
  if (self->config->check_dmarc != PR_CHECK_ENFORCE || self->dmarc.result != PR_DMARC_FAIL)
    return PR_ACCEPT;

  if (self->dmarc.policy == PR_DMARC_POLICY_REJECT)
    return REFUSE (self, 550, "5.7.1",
                   "This message is not from %s as its From says, and that domain wants such mail "
                   "refused (DMARC)",
                   self->author);
  if (self->dmarc.policy == PR_DMARC_POLICY_QUARANTINE)
    {
      g_string_printf (self->reason,
                       "It may be forged: it is not proven to be from %s (DMARC). Look at it, then "
                       "release or delete it",
                       self->author);
      self->holds = TRUE;
    }

  return PR_ACCEPT;
}

/* --- asking ------------------------------------------------------------------------------- */

static PrVerdict
run (PrInspection *self)
{
  gboolean complete;

  if (self->half == HALF_CLIENT)
    {
      complete = check_name (self);
      complete &= check_lists (self);
      complete &= check_spf (self);
    }
  else
    complete = check_dkim (self) && check_dmarc (self);

  if (!complete)
    return PR_PENDING;

  return self->half == HALF_CLIENT ? judge_client (self) : judge_message (self);
}

/* Runs until there is a verdict, or questions on their way. */
static PrVerdict
advance (PrInspection *self)
{
  PrVerdict verdict = run (self);

  if (verdict.kind == PR_VERDICT_PENDING && pr_lookups_ask_wanted (self->ask))
    return verdict;

  pr_timer_stop (&self->deadline);
  return verdict;
}

static void
go_on (gpointer user_data)
{
  PrInspection *self = user_data;
  PrVerdict verdict = advance (self);

  if (verdict.kind != PR_VERDICT_PENDING)
    self->done (verdict, self->user_data);
}

static void
on_late (gpointer user_data)
{
  PrInspection *self = user_data;

  pr_lookups_give_up (self->lookups);
  go_on (self);
}

static PrVerdict
start_half (PrInspection *self, Half half)
{
  self->half = half;
  pr_timer_start (&self->deadline, self->loop, PR_INSPECTION_MS, on_late, self);
  return advance (self);
}

/* --- public ------------------------------------------------------------------------------- */

PrInspection *
pr_inspection_new (const PrInspectionFacts *facts,
                   void (*done) (PrVerdict verdict, gpointer user_data), gpointer user_data)
{
  PrInspection *self = g_new0 (PrInspection, 1);

  self->loop = facts->loop;
  self->config = pr_config_ref (facts->config);
  self->client = *facts->client;
  self->hostname = g_strdup (facts->hostname);
  self->helo = g_strdup (facts->helo != NULL ? facts->helo : "");
  self->sender = g_strdup (facts->sender);
  self->done = done;
  self->user_data = user_data;
  self->lookups = pr_lookups_new ();
  self->ask = pr_lookups_ask_new (self->lookups, facts->resolver, go_on, self);
  self->words = g_string_new (NULL);
  self->reason = g_string_new (NULL);

  return self;
}

void
pr_inspection_free (PrInspection *self)
{
  pr_timer_stop (&self->deadline);
  pr_lookups_ask_free (self->ask);
  pr_lookups_free (self->lookups);
  pr_client_name_clear (&self->name);
  pr_listed_clear (&self->listed);
  pr_spf_clear (&self->spf);
  pr_dmarc_clear (&self->dmarc);
  g_clear_pointer (&self->dkim, pr_dkim_verifier_free);
  g_string_free (self->words, TRUE);
  g_string_free (self->reason, TRUE);
  g_free (self->author);
  g_free (self->hostname);
  g_free (self->helo);
  g_free (self->sender);
  pr_config_unref (self->config);
  g_free (self);
}

PrVerdict
pr_inspection_begin (PrInspection *self)
{
  return start_half (self, HALF_CLIENT);
}

PrVerdict
pr_inspection_end (PrInspection *self)
{
  return start_half (self, HALF_MESSAGE);
}

void
pr_inspection_take_header (PrInspection *self, const char *header, gsize len)
{
  PrConfig *config = self->config;

  if (config->check_dkim != PR_CHECK_OFF || config->check_dmarc != PR_CHECK_OFF)
    self->dkim = pr_dkim_verifier_new (header, len);
  if (config->check_dmarc != PR_CHECK_OFF)
    self->author = pr_dmarc_find_author (header, len);
}

void
pr_inspection_take_body (PrInspection *self, const char *data, gsize len)
{
  if (self->dkim != NULL)
    pr_dkim_verifier_feed (self->dkim, data, len);
}

const char *
pr_inspection_get_hold (const PrInspection *self)
{
  return self->holds ? self->reason->str : NULL;
}

const char *
pr_inspection_get_words (const PrInspection *self)
{
  return self->words->len > 0 ? self->words->str : NULL;
}

char *
pr_inspection_format_results (const PrInspection *self)
{
  return pr_auth_results_format (&(PrAuthResults){
    .hostname = self->hostname,
    .sender = self->sender,
    .helo = self->helo,
    .spf = self->spf_known ? &self->spf : NULL,
    .dkim = self->dkim_known ? self->dkim : NULL,
    .dmarc = self->dmarc_known ? &self->dmarc : NULL,
    .author = self->author,
  });
}
