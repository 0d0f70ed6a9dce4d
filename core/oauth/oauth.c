/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tokens of routes. */
#include "oauth/oauth.h"

#include <gio/gio.h>
#include <string.h>

#include "common/error.h"
#include "config/secrets.h"
#include "net/worker.h"
#include "oauth/goa.h"
#include "oauth/settings.h"

#define AGAIN_MS (30 * 1000)                         /* after a question that came to nothing */
#define USED_US (3600 * G_GINT64_CONSTANT (1000000)) /* a route used lately keeps a fresh token */
#define UNUSED_S (24 * 3600)                         /* others ask so seldom */
#define LONGEST_MS (6 * 3600 * 1000)                 /* the clock may be set meanwhile */
#define MAX_ANSWER (256 * 1024)
#define DEADLINE_MS (45 * 1000)

typedef struct
{
  PrOauth *owner;            /* borrowed; NULL: forgotten, the last question frees it */
  char *route;               /* owned */
  PrOauthSettings *settings; /* owned */
  PrToken *token;            /* owned, nullable */
  char *client_secret;       /* owned, nullable; wiped */
  gboolean loaded, loading, saving;
  PrToken *saved_next;  /* owned, nullable: to be kept when what is being kept is */
  GPtrArray *waiting;   /* owned: of Waiter, told when that is done */
  gboolean doubted;     /* a token was refused, and the one after it has not been taken yet */
  guint asking;         /* of the web; 0: nobody is asked */
  PrGoaCall *goa;       /* owned, nullable */
  char *need;           /* owned, nullable: why a person must sign in */
  char *fault;          /* owned, nullable: why there is no token now */
  gint64 not_before_us; /* (monotonic) with fault: ask no sooner */
  gint64 used_us;       /* (monotonic) somebody wanted a token */
} Account;

typedef struct
{
  PrOauthDone done;
  gpointer user_data;
} Waiter;

typedef struct
{
  guint token;
  PrOauthFunc func;
  gpointer user_data;
} Listener;

struct _PrOauth
{
  PrLoop *loop;
  PrWeb *web;
  char *credentials;    /* owned */
  PrConfig *config;     /* owned, nullable */
  PrWorker *worker;     /* owned, nullable: made for the first route */
  GHashTable *accounts; /* owned: route to Account */
  GArray *listeners;
  guint last_listener;
  GHashTable *changed; /* owned: set of names, to be told on another turn */
  PrTimer changed_timer, timer;
};

/* The disk's part; belongs to the worker while it runs. */
typedef struct
{
  PrOauth *owner;
  char *credentials, *route;   /* owned */
  char *token, *client_secret; /* owned, nullable; wiped */
  gboolean writes;
  GError *error;
} Disk;

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static void
account_free (gpointer data)
{
  Account *self = data;

  if (self->asking != 0)
    pr_web_cancel (self->owner->web, self->asking);
  g_clear_pointer (&self->goa, pr_goa_cancel);
  pr_oauth_settings_free (self->settings);
  pr_token_free (self->token);
  pr_token_free (self->saved_next);
  pr_secret_free (self->client_secret);
  g_ptr_array_unref (self->waiting);
  g_free (self->need);
  g_free (self->fault);
  g_free (self->route);
  g_free (self);
}

/* --- telling --- */

static void
on_changed (gpointer user_data)
{
  PrOauth *self = user_data;
  g_autoptr (GHashTable) changed = g_steal_pointer (&self->changed);
  GHashTableIter iter;
  gpointer route;

  self->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_iter_init (&iter, changed);
  while (g_hash_table_iter_next (&iter, &route, NULL))
    for (guint i = 0; i < self->listeners->len; i++)
      {
        Listener *listener = &g_array_index (self->listeners, Listener, i);

        listener->func (route, listener->user_data);
      }
}

static void update_timer (PrOauth *self);

static void
note_change (Account *account)
{
  PrOauth *self = account->owner;

  g_hash_table_add (self->changed, g_strdup (account->route));
  if (!pr_timer_is_running (&self->changed_timer))
    pr_timer_start (&self->changed_timer, self->loop, 0, on_changed, self);
  update_timer (self);
}

static void
need_sign_in (Account *account, const char *why)
{
  g_free (account->need);
  account->need =
    account->settings->account != NULL
      ? g_strdup_printf (
          "Sign-in needed: %s; sign in again in the desktop's settings, under Online "
          "Accounts",
          why)
      : g_strdup_printf ("Sign-in needed: %s; sign in with: postroomctl route sign-in %s", why,
                         account->route);
  note_change (account);
}

static void
put_off (Account *account, const char *why)
{
  g_free (account->fault);
  account->fault = g_strdup_printf ("No token to sign in with: %s", why);
  account->not_before_us = g_get_monotonic_time () + AGAIN_MS * G_GINT64_CONSTANT (1000);
  note_change (account);
}

static gboolean
can_ask (const Account *account)
{
  return account->settings->account != NULL || account->settings->alone ||
         (account->token != NULL && account->token->refresh != NULL);
}

/* --- the disk --- */

static void
free_disk (gpointer data)
{
  Disk *disk = data;

  g_free (disk->credentials);
  g_free (disk->route);
  pr_secret_free (disk->token);
  pr_secret_free (disk->client_secret);
  g_clear_error (&disk->error);
  g_free (disk);
}

static void
use_disk (gpointer data)
{
  Disk *disk = data;

  if (disk->writes)
    {
      pr_secrets_set (disk->credentials, disk->route, PR_SECRET_TOKEN, disk->token, &disk->error);
      return;
    }
  disk->token = pr_secrets_get (disk->credentials, disk->route, PR_SECRET_TOKEN, &disk->error);
  if (disk->error == NULL)
    disk->client_secret =
      pr_secrets_get (disk->credentials, disk->route, PR_SECRET_CLIENT_SECRET, &disk->error);
}

static Disk *
disk_new (Account *account)
{
  PrOauth *self = account->owner;
  Disk *disk = g_new0 (Disk, 1);

  disk->owner = self;
  disk->credentials = g_strdup (self->credentials);
  disk->route = g_strdup (account->route);
  if (self->worker == NULL)
    self->worker = pr_worker_new (pr_loop_get_context (self->loop));
  return disk;
}

static void
on_read (gpointer data)
{
  Disk *disk = data;
  Account *account = g_hash_table_lookup (disk->owner->accounts, disk->route);

  if (account == NULL || !account->loading)
    return;
  account->loading = FALSE;
  if (disk->error != NULL)
    {
      put_off (account, disk->error->message);
      return;
    }
  account->loaded = TRUE;
  g_clear_pointer (&account->fault, g_free);
  pr_secret_free (account->client_secret);
  account->client_secret = g_steal_pointer (&disk->client_secret);
  pr_token_free (account->token);
  account->token = disk->token != NULL ? pr_token_from_text (disk->token) : NULL;
  /* A token of another client is of no use to this one. */
  if (account->token != NULL &&
      g_strcmp0 (account->token->client_id, account->settings->client_id) != 0)
    g_clear_pointer (&account->token, pr_token_free);
  if (account->token == NULL && !can_ask (account))
    need_sign_in (account, "nobody has signed in yet");
  note_change (account);
}

static void
load (Account *account)
{
  account->loading = TRUE;
  pr_worker_run (account->owner->worker != NULL ? account->owner->worker
                                                : (account->owner->worker = pr_worker_new (
                                                     pr_loop_get_context (account->owner->loop))),
                 use_disk, on_read, disk_new (account), free_disk);
}

static void save (Account *account, PrToken *token);

/* From now on the new token counts, kept or not: the old one may be worth nothing any more. */
static void
on_written (gpointer data)
{
  Disk *disk = data;
  Account *account = g_hash_table_lookup (disk->owner->accounts, disk->route);
  g_autoptr (GPtrArray) waiting = NULL;

  if (account == NULL || !account->saving)
    return;
  account->saving = FALSE;
  if (disk->error != NULL)
    g_warning ("The sign-in of route %s could not be kept: %s", account->route,
               disk->error->message);
  if (account->saved_next != NULL)
    {
      save (account, g_steal_pointer (&account->saved_next));
      return;
    }
  waiting = g_steal_pointer (&account->waiting);
  account->waiting = g_ptr_array_new_with_free_func (g_free);
  note_change (account);
  for (guint i = 0; i < waiting->len; i++)
    {
      const Waiter *waiter = waiting->pdata[i];

      waiter->done (disk->error, waiter->user_data);
    }
}

/* @token: (transfer full) (nullable): NULL forgets. */
static void
save (Account *account, PrToken *token)
{
  Disk *disk;

  if (account->saving)
    {
      pr_token_free (account->saved_next);
      account->saved_next = token;
      return;
    }
  pr_token_free (account->token);
  account->token = token;
  account->saving = TRUE;
  disk = disk_new (account);
  disk->writes = TRUE;
  disk->token = token != NULL ? pr_token_to_text (token) : NULL;
  pr_worker_run (account->owner->worker, use_disk, on_written, disk, free_disk);
}

/* --- asking for tokens --- */

static void
take_token (Account *account, PrToken *token)
{
  g_clear_pointer (&account->fault, g_free);
  g_clear_pointer (&account->need, g_free);
  if (account->settings->account != NULL) /* the desktop keeps it */
    {
      pr_token_free (account->token);
      account->token = token;
      note_change (account);
      return;
    }
  token->client_id = g_strdup (account->settings->client_id);
  if (account->token != NULL && token->refresh == NULL) /* RFC 6749 §6: the old one goes on */
    token->refresh = g_strdup (account->token->refresh);
  if (account->token != NULL && token->account == NULL)
    token->account = g_strdup (account->token->account);
  save (account, token);
}

static void
fail (Account *account, const GError *error)
{
  if (g_error_matches (error, PR_ERROR, PR_ERROR_AUTH) ||
      g_error_matches (error, PR_ERROR, PR_ERROR_CONFIG))
    {
      if (account->token != NULL)
        g_clear_pointer (&account->token->access, pr_secret_free);
      need_sign_in (account, error->message);
    }
  else
    put_off (account, error->message);
}

static void
on_answer (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  g_autoptr (GError) own = NULL;
  Account *account = user_data;
  PrToken *token = NULL;

  account->asking = 0;
  if (error == NULL)
    token = pr_oauth_read_token (answer->status, answer->body, answer->len, now_s (), NULL, &own);
  else if (g_error_matches (error, PR_ERROR, PR_ERROR_CONFIG)) /* a file that is gone may return */
    own = g_error_new_literal (PR_ERROR, PR_ERROR_TEMPORARY, error->message);
  if (token != NULL)
    take_token (account, token);
  else
    fail (account, own != NULL ? own : error);
}

static void
on_goa_token (PrToken *token, const GError *error, gpointer user_data)
{
  Account *account = user_data;

  account->goa = NULL;
  if (token != NULL)
    take_token (account, token);
  else
    fail (account, error);
}

static gboolean
is_busy (const Account *account)
{
  return account->loading || account->saving || account->asking != 0 || account->goa != NULL;
}

static void
fill_client (const Account *account, PrOauthClient *client)
{
  pr_oauth_settings_fill (account->settings, client);
  client->client_secret = account->client_secret;
}

static void
ask (Account *account)
{
  PrOauthClient client;
  g_autoptr (GBytes) form = NULL;
  PrWebRequest request = { 0 };
  static const char *const headers[] = { "Accept", "application/json", NULL };

  g_clear_pointer (&account->fault, g_free);
  if (account->settings->account != NULL)
    {
      account->goa =
        pr_goa_get_token (pr_loop_get_context (account->owner->loop), account->settings->account,
                          account->doubted, on_goa_token, account);
      return;
    }
  fill_client (account, &client);
  form = account->settings->alone ? pr_oauth_ask_alone (&client)
                                  : pr_oauth_ask_with_refresh (&client, account->token->refresh);
  request = (PrWebRequest){
    .url = client.token_url,
    .headers = headers,
    .content_type = "application/x-www-form-urlencoded",
    .body = form,
    .max_octets = MAX_ANSWER,
    .deadline_ms = DEADLINE_MS,
    .ca_file = account->settings->ca_file,
  };
  account->asking = pr_web_send (account->owner->web, &request, on_answer, account);
}

/* --- the schedule --- */

/* When this account wants a token by itself, in real seconds; 0: never. */
static gint64
next_due_s (const Account *account)
{
  gint64 used_ago_us = g_get_monotonic_time () - account->used_us;
  gint64 due_s;

  if (is_busy (account) || account->need != NULL || !account->loaded || account->token == NULL ||
      !can_ask (account))
    return 0;
  due_s = account->token->obtained_s + UNUSED_S;
  if (account->used_us != 0 && used_ago_us < USED_US && account->token->expires_s != 0)
    due_s = MIN (due_s, account->token->expires_s -
                          MIN ((account->token->expires_s - account->token->obtained_s) / 5, 300));
  if (account->fault != NULL)
    due_s = MAX (due_s, now_s () + AGAIN_MS / 1000);
  return due_s;
}

static void
on_timer (gpointer user_data)
{
  PrOauth *self = user_data;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      gint64 due_s = next_due_s (value);

      if (due_s != 0 && due_s <= now_s ())
        ask (value);
    }
  update_timer (self);
}

static void
update_timer (PrOauth *self)
{
  GHashTableIter iter;
  gpointer value;
  gint64 first_s = 0;

  g_hash_table_iter_init (&iter, self->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      gint64 due_s = next_due_s (value);

      if (due_s != 0 && (first_s == 0 || due_s < first_s))
        first_s = due_s;
    }
  if (first_s == 0)
    pr_timer_stop (&self->timer);
  else
    pr_timer_start (&self->timer, self->loop,
                    (guint64) CLAMP ((first_s - now_s ()) * 1000, 1000, LONGEST_MS), on_timer,
                    self);
}

/* --- public --- */

gboolean
pr_oauth_is_used (const PrRouteConfig *route)
{
  static const char *const fitting[] = { "auto", "xoauth2", "oauthbearer", NULL };

  return (route->client_id != NULL || route->account != NULL) &&
         g_strv_contains (fitting, route->auth);
}

PrOauth *
pr_oauth_new (PrLoop *loop, PrWeb *web, const char *credentials)
{
  PrOauth *self = g_new0 (PrOauth, 1);

  self->loop = loop;
  self->web = web;
  self->credentials = g_strdup (credentials);
  self->accounts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, account_free);
  self->listeners = g_array_new (FALSE, FALSE, sizeof (Listener));
  self->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
pr_oauth_free (PrOauth *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->worker, pr_worker_free);
  g_hash_table_unref (self->accounts);
  g_hash_table_unref (self->changed);
  pr_timer_stop (&self->changed_timer);
  pr_timer_stop (&self->timer);
  g_array_unref (self->listeners);
  g_clear_pointer (&self->config, pr_config_unref);
  g_free (self->credentials);
  g_free (self);
}

static Account *
find (PrOauth *self, const char *route)
{
  return g_hash_table_lookup (self->accounts, route);
}

static void
add_account (PrOauth *self, const PrRouteConfig *route)
{
  PrOauthSettings *settings = pr_oauth_settings_new (route);
  Account *account = find (self, route->name);

  if (account != NULL && pr_oauth_settings_equal (account->settings, settings))
    {
      pr_oauth_settings_free (settings);
      return;
    }
  account = g_new0 (Account, 1);
  account->owner = self;
  account->route = g_strdup (route->name);
  account->settings = settings;
  account->waiting = g_ptr_array_new_with_free_func (g_free);
  g_hash_table_replace (self->accounts, account->route, account);
  load (account);
}

static gboolean
is_gone (gpointer key, gpointer value, gpointer user_data)
{
  const PrRouteConfig *route = pr_config_get_route (user_data, key);

  return route == NULL || !pr_oauth_is_used (route);
}

void
pr_oauth_set_config (PrOauth *self, PrConfig *config)
{
  g_autoptr (PrConfig) before = self->config;

  self->config = pr_config_ref (config);
  g_hash_table_foreach_remove (self->accounts, is_gone, config);
  for (guint i = 0; i < config->routes->len; i++)
    if (pr_oauth_is_used (config->routes->pdata[i]))
      add_account (self, config->routes->pdata[i]);
  update_timer (self);
}

guint
pr_oauth_listen (PrOauth *self, PrOauthFunc func, gpointer user_data)
{
  Listener listener = { ++self->last_listener, func, user_data };

  g_array_append_val (self->listeners, listener);
  return listener.token;
}

void
pr_oauth_unlisten (PrOauth *self, guint token)
{
  for (guint i = 0; i < self->listeners->len; i++)
    if (g_array_index (self->listeners, Listener, i).token == token)
      {
        g_array_remove_index (self->listeners, i);
        return;
      }
}

/* What is so without asking anybody. */
static PrOauthState
judge (const Account *account, const char **why)
{
  *why = NULL;
  if (!account->loaded)
    {
      *why = account->fault;
      return account->fault != NULL ? PR_OAUTH_LATER : PR_OAUTH_WAIT;
    }
  *why = account->need;
  if (account->need != NULL)
    return PR_OAUTH_SIGN_IN;
  if (account->saving)
    return PR_OAUTH_WAIT;
  if (account->token != NULL && pr_token_is_good (account->token, now_s ()))
    return PR_OAUTH_READY;
  *why = account->fault;
  return account->fault != NULL ? PR_OAUTH_LATER : PR_OAUTH_WAIT;
}

PrOauthState
pr_oauth_check (PrOauth *self, const char *route, const char **access, const char **why)
{
  Account *account = find (self, route);
  gint64 now_us = g_get_monotonic_time ();
  PrOauthState state;

  *access = NULL;
  *why = "This route does not sign in with OAuth";
  if (account == NULL)
    return PR_OAUTH_LATER;
  if (account->used_us == 0 || now_us - account->used_us > USED_US)
    {
      account->used_us = now_us;
      update_timer (self);
    }
  account->used_us = now_us;
  if (account->fault != NULL && now_us >= account->not_before_us)
    g_clear_pointer (&account->fault, g_free);
  state = judge (account, why);
  if (state == PR_OAUTH_READY)
    *access = account->token->access;
  if (state == PR_OAUTH_SIGN_IN || state == PR_OAUTH_LATER || is_busy (account) ||
      (state == PR_OAUTH_READY && !pr_token_is_due (account->token, now_s ())))
    return state;
  if (!account->loaded)
    load (account);
  else if (can_ask (account) && account->fault == NULL)
    ask (account);
  else if (state == PR_OAUTH_WAIT)
    {
      need_sign_in (account, "nobody has signed in yet");
      *why = account->need;
      return PR_OAUTH_SIGN_IN;
    }
  return state;
}

static gboolean
is_current (const Account *account, const char *access)
{
  return account != NULL && account->token != NULL && account->token->access != NULL &&
         pr_oauth_is_equal (account->token->access, access);
}

void
pr_oauth_accept (PrOauth *self, const char *route, const char *access)
{
  Account *account = find (self, route);

  if (is_current (account, access))
    account->doubted = FALSE;
}

void
pr_oauth_refuse (PrOauth *self, const char *route, const char *access, const char *said)
{
  Account *account = find (self, route);

  if (!is_current (account, access)) /* it has been replaced meanwhile */
    return;
  g_clear_pointer (&account->token->access, pr_secret_free);
  if (account->doubted || !can_ask (account))
    {
      g_autofree char *why = g_strdup_printf ("the server refuses the tokens of %s (%s)",
                                              account->settings->username, said);

      account->doubted = FALSE;
      need_sign_in (account, why);
      return;
    }
  account->doubted = TRUE;
  note_change (account);
}

/* One that is told when the disk has answered. */
static void
wait_for_disk (Account *account, PrOauthDone done, gpointer user_data)
{
  Waiter *waiter = g_new0 (Waiter, 1);

  waiter->done = done;
  waiter->user_data = user_data;
  g_ptr_array_add (account->waiting, waiter);
}

static void
stop_asking (Account *account)
{
  if (account->asking != 0)
    pr_web_cancel (account->owner->web, account->asking);
  account->asking = 0;
  account->loading = FALSE; /* what is read now is old */
  account->loaded = TRUE;
  account->doubted = FALSE;
  g_clear_pointer (&account->need, g_free);
}

void
pr_oauth_adopt (PrOauth *self, const char *route, PrToken *token, PrOauthDone done,
                gpointer user_data)
{
  Account *account = find (self, route);
  g_autoptr (GError) error = NULL;

  if (account == NULL)
    {
      g_set_error (&error, PR_ERROR, PR_ERROR_CONFIG, "the route %s is gone", route);
      pr_token_free (token);
      done (error, user_data);
      return;
    }
  stop_asking (account);
  g_clear_pointer (&account->token, pr_token_free); /* nothing of an earlier sign-in stays */
  wait_for_disk (account, done, user_data);
  take_token (account, token);
}

void
pr_oauth_sign_out (PrOauth *self, const char *route, PrOauthDone done, gpointer user_data)
{
  Account *account = find (self, route);

  g_return_if_fail (account != NULL);
  stop_asking (account);
  wait_for_disk (account, done, user_data);
  if (account->saving) /* nothing of it may be kept after all */
    {
      g_clear_pointer (&account->saved_next, pr_token_free);
      account->saved_next = pr_token_new ();
    }
  else
    save (account, NULL);
  need_sign_in (account, "somebody signed out");
}

void
pr_oauth_renew (PrOauth *self, const char *route)
{
  Account *account = find (self, route);

  if (account == NULL || account->saving || account->loading)
    return;
  stop_asking (account);
  g_clear_pointer (&account->fault, g_free);
  account->loaded = FALSE;
  load (account);
}

gboolean
pr_oauth_get_facts (PrOauth *self, const char *route, PrOauthState *state, PrOauthFacts *out)
{
  Account *account = find (self, route);

  *out = (PrOauthFacts){ 0 };
  if (account == NULL)
    return FALSE;
  *state = judge (account, &out->why);
  out->can_refresh = can_ask (account);
  if (account->token == NULL)
    return TRUE;
  out->account = account->token->account;
  out->obtained_s = account->token->obtained_s;
  out->expires_s = account->token->access != NULL ? account->token->expires_s : 0;
  return TRUE;
}

gboolean
pr_oauth_get_client (PrOauth *self, const char *route, PrOauthClient *out, const char **flow,
                     const char **ca_file)
{
  Account *account = find (self, route);

  if (account == NULL || account->settings->account != NULL)
    return FALSE;
  fill_client (account, out);
  *flow = account->settings->flow;
  *ca_file = account->settings->ca_file;
  return TRUE;
}

PrWeb *
pr_oauth_get_web (PrOauth *self)
{
  return self->web;
}

PrLoop *
pr_oauth_get_loop (PrOauth *self)
{
  return self->loop;
}
