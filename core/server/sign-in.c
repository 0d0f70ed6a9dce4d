/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Those who sign in.
 *
 *   begin ── proven, or a thread says right ──► done (235)
 *     └──── wrong ── counted ── waits ──► done (535, or 421 where it was one too many)
 */

#include "server/sign-in.h"

#include <string.h>
#include <sys/random.h>

#include "guard/attempts.h"
#include "net/worker.h"

#define MAX_TRIALS 64 /* passwords on their way through the threads */
#define KEY_OCTETS 32
#define KEY_NAME "sign-in/key"
#define CLIENT_PREFIX "sign-in/client/"

#define WRONG PR_REFUSE (535, "5.7.8", "The user name or the password is wrong")
#define BUSY PR_REFUSE (454, "4.7.0", "Too many are signing in at once; try again later")

struct _PrSignIns
{
  PrLoop *loop;
  PrStore *store;
  PrJournal *journal;
  PrWorker *worker;         /* owned */
  PrAttempts *attempts;     /* owned */
  GBytes *key;              /* owned */
  struct _Loading *loading; /* borrowed from the store's callback, until it came */
};

/* Outlives the server when the store answers late. */
typedef struct _Loading
{
  PrSignIns *owner; /* NULL: gone */
} Loading;

/* What a thread works on. Outlives its client. */
typedef struct _PrTrial
{
  PrSaslCheck *check; /* owned */
  gboolean is_right;
  PrSignIns *owner;
  PrSignIn *sign_in; /* NULL: its client has gone */
  PrIp client;
  guint64 session;
  char *user; /* owned */
} PrTrial;

/* ── What outlives a restart ──────────────────────────────────────────────────────────────── */

static void
keep (PrSignIns *self, const PrIp *client)
{
  PrIp key = pr_ip_client_key (client);
  char text[PR_IP_TEXT_SIZE];
  g_autofree char *name = g_strconcat (CLIENT_PREFIX, pr_ip_format (&key, text), NULL);
  g_autofree char *value = pr_attempts_save (self->attempts, client);

  pr_store_set_value (self->store, name, value, NULL, NULL);
}

static void
set_key (PrSignIns *self, const char *text)
{
  gsize len;
  guchar *data = g_base64_decode (text, &len);

  if (len == KEY_OCTETS)
    {
      g_bytes_unref (self->key);
      self->key = g_bytes_new (data, len);
    }
  g_free (data);
}

static void
keep_key (PrSignIns *self)
{
  gsize len;
  const guchar *data = g_bytes_get_data (self->key, &len);
  g_autofree char *text = g_base64_encode (data, len);

  pr_store_set_value (self->store, KEY_NAME, text, NULL, NULL);
}

static void
load_client (PrSignIns *self, const PrStoreValue *value)
{
  PrIp client;

  if (!pr_ip_parse (value->name + strlen (CLIENT_PREFIX), &client) ||
      !pr_attempts_load (self->attempts, &client, value->value, g_get_real_time ()))
    pr_store_set_value (self->store, value->name, NULL, NULL, NULL);
}

static void
on_loaded (const PrStoreValue *values, guint n, const GError *error, gpointer user_data)
{
  Loading *loading = user_data;
  PrSignIns *self = loading->owner;
  gboolean has_key = FALSE;

  g_free (loading);
  if (self == NULL)
    return;

  self->loading = NULL;
  if (error != NULL)
    {
      g_warning ("What is known of failed sign-ins could not be read: %s", error->message);
      return;
    }
  for (guint i = 0; i < n; i++)
    if (g_str_has_prefix (values[i].name, CLIENT_PREFIX))
      load_client (self, &values[i]);
    else if (strcmp (values[i].name, KEY_NAME) == 0)
      {
        set_key (self, values[i].value);
        has_key = TRUE;
      }
  if (!has_key)
    keep_key (self);
}

/* ── Failing ──────────────────────────────────────────────────────────────────────────────── */

/* Counts it. What to say, and after how long. */
static PrVerdict
fail (PrSignIns *self, const PrIp *client, guint64 session, const char *user, guint *delay_ms)
{
  char text[PR_IP_TEXT_SIZE];
  gboolean refused = FALSE;

  *delay_ms = pr_attempts_fail (self->attempts, client, g_get_real_time (), &refused);
  keep (self, client);
  pr_journal_add (self->journal, &(PrEvent){ .kind = PR_EVENT_SIGN_IN_FAILED,
                                             .session = session,
                                             .peer = pr_ip_format (client, text),
                                             .code = 535,
                                             .text = user });
  if (!refused)
    return WRONG;

  pr_journal_add (self->journal,
                  &(PrEvent){ .kind = PR_EVENT_CLIENT_REFUSED,
                              .session = session,
                              .peer = pr_ip_format (client, text),
                              .code = 421,
                              .text = "Signing in failed too often; this address is refused for "
                                      "a quarter of an hour" });
  return pr_attempts_check (self->attempts, client, g_get_real_time ());
}

static void
succeed (PrSignIns *self, const PrIp *client, guint64 session, const char *user)
{
  char text[PR_IP_TEXT_SIZE];

  if (pr_attempts_succeed (self->attempts, client))
    keep (self, client);
  pr_journal_add (self->journal, &(PrEvent){ .kind = PR_EVENT_SIGNED_IN,
                                             .session = session,
                                             .peer = pr_ip_format (client, text),
                                             .text = user });
}

static void
on_waited (gpointer user_data)
{
  PrSignIn *self = user_data;

  g_clear_pointer (&self->user, g_free);
  self->done (self->user_data, self->verdict);
}

static PrVerdict
wait (PrSignIn *self)
{
  guint delay_ms;

  self->verdict = fail (self->owner, &self->client, self->session, self->user, &delay_ms);
  pr_timer_start (&self->timer, self->owner->loop, delay_ms, on_waited, self);

  return PR_PENDING;
}

/* ── In a thread ──────────────────────────────────────────────────────────────────────────── */

static void
run_trial (gpointer data)
{
  PrTrial *trial = data;

  trial->is_right = pr_sasl_check_run (trial->check);
}

static void
on_tried (gpointer data)
{
  PrTrial *trial = data;
  PrSignIn *self = trial->sign_in;
  guint delay_ms;

  if (self == NULL)
    {
      if (!trial->is_right)
        fail (trial->owner, &trial->client, trial->session, trial->user, &delay_ms);
      return;
    }

  self->trial = NULL;
  if (!trial->is_right)
    {
      wait (self);
      return;
    }
  succeed (trial->owner, &trial->client, trial->session, trial->user);
  g_clear_pointer (&self->user, g_free);
  self->done (self->user_data, PR_ACCEPT);
}

static void
free_trial (gpointer data)
{
  PrTrial *trial = data;

  pr_sasl_check_free (trial->check);
  g_free (trial->user);
  g_free (trial);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

PrSignIns *
pr_sign_ins_new (PrLoop *loop, PrStore *store, PrJournal *journal)
{
  PrSignIns *self = g_new0 (PrSignIns, 1);
  guint8 key[KEY_OCTETS] = { 0 };

  if (getentropy (key, sizeof key) != 0)
    g_warning ("This system has no random numbers");
  self->loop = loop;
  self->store = store;
  self->journal = journal;
  self->worker = pr_worker_new (pr_loop_get_context (loop));
  self->attempts = pr_attempts_new ();
  self->key = g_bytes_new (key, sizeof key);
  self->loading = g_new0 (Loading, 1);
  self->loading->owner = self;
  pr_store_list_values (store, "sign-in/", PR_ATTEMPTS_MAX_CLIENTS + 1, on_loaded, self->loading);

  return self;
}

void
pr_sign_ins_free (PrSignIns *self)
{
  if (self == NULL)
    return;

  if (self->loading != NULL)
    self->loading->owner = NULL;
  pr_worker_free (self->worker);
  pr_attempts_free (self->attempts);
  g_bytes_unref (self->key);
  g_free (self);
}

PrVerdict
pr_sign_ins_check_client (PrSignIns *self, const PrIp *client)
{
  return pr_attempts_check (self->attempts, client, g_get_real_time ());
}

GBytes *
pr_sign_ins_get_key (PrSignIns *self)
{
  return self->key;
}

PrVerdict
pr_sign_in_begin (PrSignIn *self, PrSignIns *owner, const PrIp *client, guint64 session,
                  const char *user, PrSaslCheck *check, gboolean is_proven,
                  void (*done) (gpointer user_data, PrVerdict verdict), gpointer user_data)
{
  g_autoptr (PrSaslCheck) owned = check;
  PrVerdict verdict = pr_sign_ins_check_client (owner, client);
  PrTrial *trial;

  if (verdict.kind != PR_VERDICT_ACCEPT)
    return verdict;
  if (is_proven)
    {
      succeed (owner, client, session, user);
      return PR_ACCEPT;
    }
  if (check != NULL && pr_worker_count (owner->worker) >= MAX_TRIALS)
    return BUSY;

  *self = (PrSignIn){ .owner = owner,
                      .client = *client,
                      .session = session,
                      .user = g_strdup (user),
                      .done = done,
                      .user_data = user_data };
  if (check == NULL)
    return wait (self);

  trial = self->trial = g_new0 (PrTrial, 1);
  trial->check = g_steal_pointer (&owned);
  trial->owner = owner;
  trial->sign_in = self;
  trial->client = *client;
  trial->session = session;
  trial->user = g_strdup (user);
  pr_worker_run (owner->worker, run_trial, on_tried, trial, free_trial);

  return PR_PENDING;
}

void
pr_sign_in_cancel (PrSignIn *self)
{
  if (self->trial != NULL)
    self->trial->sign_in = NULL;
  self->trial = NULL;
  pr_timer_stop (&self->timer);
  g_clear_pointer (&self->user, g_free);
}
