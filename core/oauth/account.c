/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The token of one route. */
#include "oauth/account.h"

#include <gio/gio.h>

#include "common/error.h"
#include "config/secrets.h"
#include "oauth/goa.h"

#define AGAIN_MS (30 * 1000)                         /* after a question that came to nothing */
#define USED_US (3600 * G_GINT64_CONSTANT (1000000)) /* a route used lately keeps a fresh token */
#define UNUSED_S (24 * 3600)                         /* others ask so seldom */
#define MAX_ANSWER (256 * 1024)
#define DEADLINE_MS (45 * 1000)

struct _PrOauthAccount
{
  guint refs;    /* its owner and each write under way */
  gboolean gone; /* the owner's has ended: only writes hold it */
  const PrOauthWorld *world;
  char *route;               /* owned */
  PrOauthSettings *settings; /* owned */
  PrToken *token;            /* owned, nullable */
  char *client_secret;       /* owned, nullable; wiped */
  gboolean loaded, loading;
  guint n_saving;       /* writes that were not answered yet */
  gboolean doubted;     /* a token was refused, and the one after it has not been taken yet */
  guint asking;         /* of the web; 0: nobody is asked */
  PrGoaCall *goa;       /* owned, nullable */
  char *need;           /* owned, nullable: why a person must sign in */
  char *fault;          /* owned, nullable: why there is no token now */
  gint64 not_before_us; /* (monotonic) with fault: ask no sooner */
  gint64 used_us;       /* (monotonic) somebody wanted a token */
};

typedef PrOauthAccount Account;

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static void
unref (Account *self)
{
  if (--self->refs > 0)
    return;
  pr_oauth_settings_free (self->settings);
  pr_token_free (self->token);
  pr_secret_free (self->client_secret);
  g_free (self->need);
  g_free (self->fault);
  g_free (self->route);
  g_free (self);
}

/* --- telling --- */

static void
note_change (Account *self)
{
  self->world->changed (self->route, self->world->user_data);
}

static void
need_sign_in (Account *self, const char *why)
{
  g_free (self->need);
  self->need =
    self->settings->account != NULL
      ? g_strdup_printf (
          "Sign-in needed: %s; sign in again in the desktop's settings, under Online "
          "Accounts",
          why)
      : g_strdup_printf ("Sign-in needed: %s; sign in with: postroomctl route sign-in %s", why,
                         self->route);
  note_change (self);
}

static void
put_off (Account *self, const char *why)
{
  g_free (self->fault);
  self->fault = g_strdup_printf ("No token to sign in with: %s", why);
  self->not_before_us = g_get_monotonic_time () + AGAIN_MS * G_GINT64_CONSTANT (1000);
  note_change (self);
}

static gboolean
can_ask (const Account *self)
{
  return self->settings->account != NULL || self->settings->alone ||
         (self->token != NULL && self->token->refresh != NULL);
}

/* --- the disk --- */

static void
on_read (PrToken *token, char *client_secret, const GError *error, gpointer user_data)
{
  Account *self = user_data;

  self->loading = FALSE;
  if (error != NULL)
    {
      put_off (self, error->message);
      return;
    }
  self->loaded = TRUE;
  g_clear_pointer (&self->fault, g_free);
  pr_secret_free (self->client_secret);
  self->client_secret = client_secret;
  pr_token_free (self->token);
  self->token = token;
  /* A token of another client is of no use to this one. */
  if (token != NULL && g_strcmp0 (token->client_id, self->settings->client_id) != 0)
    g_clear_pointer (&self->token, pr_token_free);
  if (self->token == NULL && !can_ask (self))
    need_sign_in (self, "nobody has signed in yet");
  note_change (self);
}

static void
load (Account *self)
{
  self->loading = TRUE;
  pr_keep_read (self->world->keep, self->route, on_read, self);
}

/* One write. */
typedef struct
{
  Account *account; /* owned reference */
  gboolean keeps;   /* a token, and does not forget */
  PrOauthDone done; /* nullable */
  gpointer user_data;
} Saving;

/* From now on the new token counts, kept or not: the old one may be worth nothing any more. */
static void
on_saved (const GError *error, gpointer user_data)
{
  g_autofree Saving *saving = user_data;
  g_autoptr (GError) own = NULL;
  Account *self = saving->account;

  self->n_saving--;
  if (!self->gone)
    note_change (self);
  else if (error == NULL && saving->keeps)
    {
      own = g_error_new (PR_ERROR, PR_ERROR_CONFIG, "the route %s was changed or removed meanwhile",
                         self->route);
      error = own;
    }
  if (saving->done != NULL)
    saving->done (error, saving->user_data);
  unref (self);
}

/* @token: (transfer full) (nullable): NULL forgets. */
static void
save (Account *self, PrToken *token, PrOauthDone done, gpointer user_data)
{
  Saving *saving = g_new0 (Saving, 1);

  pr_token_free (self->token);
  self->token = token;
  self->n_saving++;
  self->refs++;
  saving->account = self;
  saving->keeps = token != NULL;
  saving->done = done;
  saving->user_data = user_data;
  pr_keep_write (self->world->keep, self->route, token, on_saved, saving);
}

/* --- asking for tokens --- */

static void
take_token (Account *self, PrToken *token, PrOauthDone done, gpointer user_data)
{
  g_clear_pointer (&self->fault, g_free);
  g_clear_pointer (&self->need, g_free);
  if (self->settings->account != NULL) /* the desktop keeps it */
    {
      pr_token_free (self->token);
      self->token = token;
      note_change (self);
      return;
    }
  token->client_id = g_strdup (self->settings->client_id);
  if (self->token != NULL && token->refresh == NULL) /* RFC 6749 §6: the old one goes on */
    token->refresh = g_strdup (self->token->refresh);
  if (self->token != NULL && token->account == NULL)
    token->account = g_strdup (self->token->account);
  save (self, token, done, user_data);
}

static void
fail (Account *self, const GError *error)
{
  if (g_error_matches (error, PR_ERROR, PR_ERROR_AUTH) ||
      g_error_matches (error, PR_ERROR, PR_ERROR_CONFIG))
    {
      if (self->token != NULL)
        g_clear_pointer (&self->token->access, pr_secret_free);
      need_sign_in (self, error->message);
    }
  else
    put_off (self, error->message);
}

static void
on_answer (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  g_autoptr (GError) own = NULL;
  Account *self = user_data;
  PrToken *token = NULL;

  self->asking = 0;
  if (error == NULL)
    token = pr_oauth_read_token (answer->status, answer->body, answer->len, now_s (), NULL, &own);
  else if (g_error_matches (error, PR_ERROR, PR_ERROR_CONFIG)) /* a file that is gone may return */
    own = g_error_new_literal (PR_ERROR, PR_ERROR_TEMPORARY, error->message);
  if (token != NULL)
    take_token (self, token, NULL, NULL);
  else
    fail (self, own != NULL ? own : error);
}

static void
on_goa_token (PrToken *token, const GError *error, gpointer user_data)
{
  Account *self = user_data;

  self->goa = NULL;
  if (token != NULL)
    take_token (self, token, NULL, NULL);
  else
    fail (self, error);
}

static gboolean
is_busy (const Account *self)
{
  return self->loading || self->n_saving > 0 || self->asking != 0 || self->goa != NULL;
}

gboolean
pr_oauth_account_is_asking (const PrOauthAccount *self)
{
  return self->asking != 0;
}

void
pr_oauth_account_ask (PrOauthAccount *self)
{
  PrOauthClient client;
  g_autoptr (GBytes) form = NULL;
  PrWebRequest request = { 0 };
  static const char *const headers[] = { "Accept", "application/json", NULL };

  g_clear_pointer (&self->fault, g_free);
  if (self->settings->account != NULL)
    {
      self->goa = pr_goa_get_token (pr_loop_get_context (self->world->loop),
                                    self->settings->account, self->doubted, on_goa_token, self);
      return;
    }
  pr_oauth_account_fill_client (self, &client);
  form = self->settings->alone ? pr_oauth_ask_alone (&client)
                               : pr_oauth_ask_with_refresh (&client, self->token->refresh);
  request = (PrWebRequest){
    .url = client.token_url,
    .headers = headers,
    .content_type = "application/x-www-form-urlencoded",
    .body = form,
    .max_octets = MAX_ANSWER,
    .deadline_ms = DEADLINE_MS,
    .ca_file = self->settings->ca_file,
  };
  self->asking = pr_web_send (self->world->web, &request, on_answer, self);
}

gint64
pr_oauth_account_next_due_s (const PrOauthAccount *self)
{
  gint64 used_ago_us = g_get_monotonic_time () - self->used_us;
  gint64 due_s;

  if (is_busy (self) || self->need != NULL || !self->loaded || self->token == NULL ||
      !can_ask (self))
    return 0;
  due_s = self->token->obtained_s + UNUSED_S;
  if (self->used_us != 0 && used_ago_us < USED_US && self->token->expires_s != 0)
    due_s = MIN (due_s, self->token->expires_s -
                          MIN ((self->token->expires_s - self->token->obtained_s) / 5, 300));
  if (self->fault != NULL)
    due_s = MAX (due_s, now_s () + AGAIN_MS / 1000);
  return due_s;
}

/* --- one account --- */

PrOauthAccount *
pr_oauth_account_new (const PrOauthWorld *world, const char *route, PrOauthSettings *settings)
{
  PrOauthAccount *self = g_new0 (PrOauthAccount, 1);

  self->refs = 1;
  self->world = world;
  self->route = g_strdup (route);
  self->settings = settings;
  load (self);
  return self;
}

static void
stop_asking (Account *self)
{
  if (self->asking != 0)
    pr_web_cancel (self->world->web, self->asking);
  self->asking = 0;
  g_clear_pointer (&self->goa, pr_goa_cancel);
  pr_keep_forget (self->world->keep, self->route, self);
  self->loading = FALSE; /* what is read now is old */
}

void
pr_oauth_account_free (PrOauthAccount *self)
{
  stop_asking (self);
  self->gone = TRUE;
  unref (self);
}

const PrOauthSettings *
pr_oauth_account_get_settings (const PrOauthAccount *self)
{
  return self->settings;
}

/* What is so without asking anybody. */
static PrOauthState
judge (const Account *self, const char **why)
{
  *why = NULL;
  if (!self->loaded)
    {
      *why = self->fault;
      return self->fault != NULL ? PR_OAUTH_LATER : PR_OAUTH_WAIT;
    }
  *why = self->need;
  if (self->need != NULL)
    return PR_OAUTH_SIGN_IN;
  if (self->n_saving > 0)
    return PR_OAUTH_WAIT;
  if (self->token != NULL && pr_token_is_good (self->token, now_s ()))
    return PR_OAUTH_READY;
  *why = self->fault;
  return self->fault != NULL ? PR_OAUTH_LATER : PR_OAUTH_WAIT;
}

/* Somebody wants a token; TRUE: nobody did for long. */
static gboolean
note_use (Account *self)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean was_idle = self->used_us == 0 || now_us - self->used_us > USED_US;

  self->used_us = now_us;
  if (self->fault != NULL && now_us >= self->not_before_us)
    g_clear_pointer (&self->fault, g_free);
  return was_idle;
}

PrOauthState
pr_oauth_account_check (PrOauthAccount *self, const char **access, const char **why)
{
  gboolean was_idle = note_use (self);
  PrOauthState state = judge (self, why);

  *access = state == PR_OAUTH_READY ? self->token->access : NULL;
  if (state == PR_OAUTH_SIGN_IN || state == PR_OAUTH_LATER || is_busy (self) ||
      (state == PR_OAUTH_READY && !pr_token_is_due (self->token, now_s ())))
    {
      if (was_idle)
        self->world->reschedule (self->world->user_data);
      return state;
    }
  if (!self->loaded)
    load (self);
  else if (can_ask (self) && self->fault == NULL)
    pr_oauth_account_ask (self);
  else if (state == PR_OAUTH_WAIT)
    {
      need_sign_in (self, "nobody has signed in yet");
      *why = self->need;
      return PR_OAUTH_SIGN_IN;
    }
  return state;
}

static gboolean
is_current (const Account *self, const char *access)
{
  return self->token != NULL && self->token->access != NULL &&
         pr_oauth_is_equal (self->token->access, access);
}

void
pr_oauth_account_accept (PrOauthAccount *self, const char *access)
{
  if (is_current (self, access))
    self->doubted = FALSE;
}

void
pr_oauth_account_refuse (PrOauthAccount *self, const char *access, const char *said)
{
  if (!is_current (self, access)) /* it has been replaced meanwhile */
    return;
  g_clear_pointer (&self->token->access, pr_secret_free);
  if (self->doubted || !can_ask (self))
    {
      g_autofree char *why = g_strdup_printf ("the server refuses the tokens of %s (%s)",
                                              self->settings->username, said);

      self->doubted = FALSE;
      need_sign_in (self, why);
      return;
    }
  self->doubted = TRUE;
  note_change (self);
}

static void
begin_anew (Account *self)
{
  stop_asking (self);
  self->doubted = FALSE;
  g_clear_pointer (&self->need, g_free);
}

void
pr_oauth_account_adopt (PrOauthAccount *self, PrToken *token, PrOauthDone done, gpointer user_data)
{
  begin_anew (self);
  self->loaded = TRUE;
  g_clear_pointer (&self->token, pr_token_free); /* nothing of an earlier sign-in stays */
  take_token (self, token, done, user_data);
}

/* --- signing out: the disk forgets, the provider too --- */

typedef struct
{
  guint n_open; /* who has to answer yet */
  PrOauthSignOutFacts facts;
  GError *error, *refused; /* owned, nullable: of facts */
  PrOauthSignedOut done;
  gpointer user_data;
} SignOut;

static void
end_sign_out (SignOut *self)
{
  if (--self->n_open > 0)
    return;
  self->facts.error = self->error;
  self->facts.refused = self->refused;
  self->done (&self->facts, self->user_data);
  g_clear_error (&self->error);
  g_clear_error (&self->refused);
  g_free (self);
}

static void
on_forgotten (const GError *error, gpointer user_data)
{
  SignOut *self = user_data;

  self->error = error != NULL ? g_error_copy (error) : NULL;
  end_sign_out (self);
}

static void
on_revoked (const GError *error, gpointer user_data)
{
  SignOut *self = user_data;

  self->refused = error != NULL ? g_error_copy (error) : NULL;
  end_sign_out (self);
}

void
pr_oauth_account_sign_out (PrOauthAccount *self, PrOauthSignedOut done, gpointer user_data)
{
  SignOut *out = g_new0 (SignOut, 1);
  PrOauthClient client;

  begin_anew (self);
  self->loaded = TRUE;
  out->done = done;
  out->user_data = user_data;
  out->n_open = 1;
  pr_oauth_account_fill_client (self, &client);
  if (client.revoke != NULL && self->token != NULL &&
      (self->token->refresh != NULL || self->token->access != NULL))
    {
      out->n_open++;
      out->facts.asked = TRUE;
      pr_revoker_send (self->world->revoker, &client, self->token, self->settings->ca_file,
                       on_revoked, out);
    }
  save (self, NULL, on_forgotten, out);
  need_sign_in (self, "somebody signed out");
}

void
pr_oauth_account_renew (PrOauthAccount *self)
{
  pr_keep_forget (self->world->keep, self->route, self);
  if (self->asking == 0 && self->goa == NULL) /* a refresh token may be spent on that answer */
    {
      begin_anew (self);
      g_clear_pointer (&self->fault, g_free);
      self->loaded = FALSE;
    }
  load (self);
}

/* --- what is so --- */

PrOauthState
pr_oauth_account_get_facts (const PrOauthAccount *self, PrOauthFacts *out)
{
  PrOauthState state;

  *out = (PrOauthFacts){ 0 };
  state = judge (self, &out->why);
  out->can_refresh = can_ask (self) && self->need == NULL;
  out->unkept = pr_keep_get_fault (self->world->keep, self->route);
  if (self->token == NULL)
    return state;
  out->account = self->token->account;
  out->obtained_s = self->token->obtained_s;
  out->expires_s = self->token->access != NULL ? self->token->expires_s : 0;
  return state;
}

void
pr_oauth_account_fill_client (const PrOauthAccount *self, PrOauthClient *out)
{
  pr_oauth_settings_fill (self->settings, out);
  out->client_secret = self->client_secret;
}
