/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tokens of all routes: who they belong to, when the next one is due, who is told. */
#include "oauth/oauth.h"

#include "common/error.h"
#include "oauth/account.h"

#define KEEP_AGAIN_MS (30 * 1000)
#define LONGEST_MS (6 * 3600 * 1000) /* the clock may be set meanwhile */

typedef struct
{
  guint token;
  PrOauthFunc func;
  gpointer user_data;
} Listener;

struct _PrOauth
{
  PrOauthWorld world;   /* keep and revoker are owned */
  GHashTable *accounts; /* owned: route to PrOauthAccount */
  GArray *listeners;
  guint last_listener;
  PrOauthUnkeptFunc unkept; /* nullable */
  gpointer unkept_data;
  GHashTable *changed; /* owned: set of names, to be told on another turn */
  PrTimer changed_timer, timer;
};

static PrOauthAccount *
find (PrOauth *self, const char *route)
{
  return g_hash_table_lookup (self->accounts, route);
}

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/* --- the schedule --- */

static void on_timer (gpointer user_data);

static void
update_timer (gpointer user_data)
{
  PrOauth *self = user_data;
  GHashTableIter iter;
  gpointer value;
  gint64 first_s = 0;

  g_hash_table_iter_init (&iter, self->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      gint64 due_s = pr_oauth_account_next_due_s (value);

      if (due_s != 0 && (first_s == 0 || due_s < first_s))
        first_s = due_s;
    }
  if (first_s == 0)
    pr_timer_stop (&self->timer);
  else
    pr_timer_start (&self->timer, self->world.loop,
                    (guint64) CLAMP ((first_s - now_s ()) * 1000, 1000, LONGEST_MS), on_timer,
                    self);
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
      gint64 due_s = pr_oauth_account_next_due_s (value);

      if (due_s != 0 && due_s <= now_s ())
        pr_oauth_account_ask (value);
    }
  update_timer (self);
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

static void
note_change (const char *route, gpointer user_data)
{
  PrOauth *self = user_data;

  g_hash_table_add (self->changed, g_strdup (route));
  if (!pr_timer_is_running (&self->changed_timer))
    pr_timer_start (&self->changed_timer, self->world.loop, 0, on_changed, self);
  update_timer (self);
}

static void
on_unkept (const char *route, const GError *error, gpointer user_data)
{
  PrOauth *self = user_data;

  note_change (route, self);
  if (self->unkept != NULL)
    self->unkept (route, error != NULL ? error->message : NULL, self->unkept_data);
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

void
pr_oauth_set_unkept_func (PrOauth *self, PrOauthUnkeptFunc func, gpointer user_data)
{
  self->unkept = func;
  self->unkept_data = user_data;
}

gboolean
pr_oauth_is_asking (const PrOauth *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (pr_oauth_account_is_asking (value))
      return TRUE;
  return FALSE;
}

/* --- whose they are --- */

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

  self->world = (PrOauthWorld){
    .loop = loop,
    .web = web,
    .keep = pr_keep_new (loop, credentials, KEEP_AGAIN_MS, on_unkept, self),
    .revoker = pr_revoker_new (web),
    .changed = note_change,
    .reschedule = update_timer,
    .user_data = self,
  };
  self->accounts =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) pr_oauth_account_free);
  self->listeners = g_array_new (FALSE, FALSE, sizeof (Listener));
  self->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
pr_oauth_free (PrOauth *self)
{
  if (self == NULL)
    return;
  g_hash_table_remove_all (self->accounts);
  pr_revoker_free (self->world.revoker);
  pr_keep_free (self->world.keep);
  g_hash_table_unref (self->accounts);
  g_hash_table_unref (self->changed);
  pr_timer_stop (&self->changed_timer);
  pr_timer_stop (&self->timer);
  g_array_unref (self->listeners);
  g_free (self);
}

static void
add_account (PrOauth *self, const PrRouteConfig *route)
{
  PrOauthSettings *settings = pr_oauth_settings_new (route);
  PrOauthAccount *account = find (self, route->name);

  if (account != NULL &&
      pr_oauth_settings_equal (pr_oauth_account_get_settings (account), settings))
    {
      pr_oauth_settings_free (settings);
      return;
    }
  g_hash_table_replace (self->accounts, g_strdup (route->name),
                        pr_oauth_account_new (&self->world, route->name, settings));
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
  g_hash_table_foreach_remove (self->accounts, is_gone, config);
  for (guint i = 0; i < config->routes->len; i++)
    if (pr_oauth_is_used (config->routes->pdata[i]))
      add_account (self, config->routes->pdata[i]);
  update_timer (self);
}

/* --- one account each --- */

PrOauthState
pr_oauth_check (PrOauth *self, const char *route, const char **access, const char **why)
{
  PrOauthAccount *account = find (self, route);

  *access = NULL;
  *why = "This route does not sign in with OAuth";
  return account != NULL ? pr_oauth_account_check (account, access, why) : PR_OAUTH_LATER;
}

void
pr_oauth_accept (PrOauth *self, const char *route, const char *access)
{
  PrOauthAccount *account = find (self, route);

  if (account != NULL)
    pr_oauth_account_accept (account, access);
}

void
pr_oauth_refuse (PrOauth *self, const char *route, const char *access, const char *said)
{
  PrOauthAccount *account = find (self, route);

  if (account != NULL)
    pr_oauth_account_refuse (account, access, said);
}

void
pr_oauth_adopt (PrOauth *self, const char *route, PrToken *token, PrOauthDone done,
                gpointer user_data)
{
  PrOauthAccount *account = find (self, route);
  g_autoptr (GError) error = NULL;

  if (account == NULL)
    {
      g_set_error (&error, PR_ERROR, PR_ERROR_CONFIG, "the route %s is gone", route);
      pr_token_free (token);
      done (error, user_data);
      return;
    }
  pr_oauth_account_adopt (account, token, done, user_data);
}

void
pr_oauth_sign_out (PrOauth *self, const char *route, PrOauthSignedOut done, gpointer user_data)
{
  PrOauthAccount *account = find (self, route);

  g_return_if_fail (account != NULL);
  pr_oauth_account_sign_out (account, done, user_data);
}

void
pr_oauth_renew (PrOauth *self, const char *route)
{
  PrOauthAccount *account = find (self, route);

  if (account != NULL)
    pr_oauth_account_renew (account);
}

gboolean
pr_oauth_get_facts (PrOauth *self, const char *route, PrOauthState *state, PrOauthFacts *out)
{
  const PrOauthAccount *account = find (self, route);

  *out = (PrOauthFacts){ 0 };
  if (account == NULL)
    return FALSE;
  *state = pr_oauth_account_get_facts (account, out);
  return TRUE;
}

gboolean
pr_oauth_get_client (PrOauth *self, const char *route, PrOauthClient *out, const char **flow,
                     const char **ca_file)
{
  const PrOauthAccount *account = find (self, route);
  const PrOauthSettings *settings;

  if (account == NULL)
    return FALSE;
  settings = pr_oauth_account_get_settings (account);
  if (settings->account != NULL)
    return FALSE;
  pr_oauth_account_fill_client (account, out);
  *flow = settings->flow;
  *ca_file = settings->ca_file;
  return TRUE;
}

PrWeb *
pr_oauth_get_web (PrOauth *self)
{
  return self->world.web;
}

PrLoop *
pr_oauth_get_loop (PrOauth *self)
{
  return self->world.loop;
}
