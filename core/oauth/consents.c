/* SPDX-License-Identifier: GPL-3.0-or-later */
/* People signing in. */
#include "oauth/consents.h"

#include <string.h>

#include "common/error.h"
#include "config/secrets.h"
#include "net/redirect.h"

#define MAX_ATTEMPTS 16
#define CODE_LIFE_S 900
#define SLOW_DOWN_S 5 /* RFC 8628 §3.5 */
#define SLOWEST_S 300
#define MAX_ANSWER (256 * 1024)
#define DEADLINE_MS (45 * 1000)

typedef struct
{
  PrConsents *owner; /* borrowed; NULL: forgotten while its token is being kept */
  guint id;
  char *route; /* owned */
  PrConsentState state;
  char *redirect_url, *oauth_state, *verifier, *url; /* owned, nullable: browser */
  char *issuer;                                      /* owned, nullable */
  PrRedirect *redirect;                              /* owned, nullable */
  PrOauthDevice *device;                             /* owned, nullable */
  guint interval_s;
  guint asking;  /* of the web; 0: nobody is asked */
  PrTimer timer; /* the next question of a device, or the end */
  gint64 expires_s;
  gboolean keeping; /* the token is on its way to the disk */
  char *account, *why;
} Attempt;

struct _PrConsents
{
  PrOauth *oauth; /* borrowed */
  PrConsentsFunc func;
  gpointer user_data;
  GQueue attempts; /* of Attempt, owned: the oldest first */
  guint last_id;
  GArray *changed; /* ids to be told on another turn */
  PrTimer changed_timer;
};

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static gboolean
is_over (const Attempt *attempt)
{
  return attempt->state == PR_CONSENT_DONE || attempt->state == PR_CONSENT_FAILED;
}

/* What only an attempt that goes on needs; secrets among it. */
static void
let_go (Attempt *self)
{
  pr_timer_stop (&self->timer);
  if (self->asking != 0)
    pr_web_cancel (pr_oauth_get_web (self->owner->oauth), self->asking);
  self->asking = 0;
  g_clear_pointer (&self->redirect, pr_redirect_free);
  g_clear_pointer (&self->device, pr_oauth_device_free);
  g_clear_pointer (&self->oauth_state, pr_secret_free);
  g_clear_pointer (&self->verifier, pr_secret_free);
  g_clear_pointer (&self->url, g_free);
}

static void
attempt_free (Attempt *self)
{
  let_go (self);
  if (self->keeping) /* on_kept() frees it */
    {
      self->owner = NULL;
      return;
    }
  g_free (self->redirect_url);
  g_free (self->issuer);
  g_free (self->route);
  g_free (self->account);
  g_free (self->why);
  g_free (self);
}

static Attempt *
find (PrConsents *self, guint id)
{
  for (GList *link = self->attempts.head; link != NULL; link = link->next)
    if (((Attempt *) link->data)->id == id)
      return link->data;
  return NULL;
}

static void
on_changed (gpointer user_data)
{
  PrConsents *self = user_data;
  g_autoptr (GArray) changed = g_steal_pointer (&self->changed);

  self->changed = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < changed->len; i++)
    self->func (g_array_index (changed, guint, i), self->user_data);
}

static void
set_state (Attempt *self, PrConsentState state)
{
  PrConsents *owner = self->owner;

  self->state = state;
  g_array_append_val (owner->changed, self->id);
  if (!pr_timer_is_running (&owner->changed_timer))
    pr_timer_start (&owner->changed_timer, pr_oauth_get_loop (owner->oauth), 0, on_changed, owner);
}

static void
fail (Attempt *self, const char *why)
{
  let_go (self);
  g_free (self->why);
  self->why = g_strdup (why);
  set_state (self, PR_CONSENT_FAILED);
}

static void
on_late (gpointer user_data)
{
  fail (user_data, "Nobody signed in in time. Begin again");
}

/* --- the token --- */

static void
on_kept (const GError *error, gpointer user_data)
{
  Attempt *self = user_data;

  self->keeping = FALSE;
  if (self->owner == NULL)
    {
      attempt_free (self);
      return;
    }
  if (g_error_matches (error, PR_ERROR, PR_ERROR_CONFIG))
    {
      fail (self, error->message);
      return;
    }
  if (error != NULL)
    {
      g_autofree char *why = g_strdup_printf (
        "You are signed in, but that could not be stored (%s). It is tried again; if Postroom ends "
        "before that works, sign in again",
        error->message);

      fail (self, why);
      return;
    }
  let_go (self);
  set_state (self, PR_CONSENT_DONE);
}

static void poll_later (Attempt *self);

static void
on_token (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  g_autoptr (GError) own = NULL;
  Attempt *self = user_data;
  PrOauthVerdict verdict = PR_OAUTH_FINAL;
  PrToken *token = NULL;

  self->asking = 0;
  if (error == NULL)
    token =
      pr_oauth_read_token (answer->status, answer->body, answer->len, now_s (), &verdict, &own);
  else
    own = g_error_copy (error);
  if (token != NULL)
    {
      self->account = g_strdup (token->account);
      self->keeping = TRUE;
      pr_timer_stop (&self->timer);
      pr_oauth_adopt (self->owner->oauth, self->route, token, on_kept, self);
      return;
    }
  if (self->device != NULL &&
      (verdict != PR_OAUTH_FINAL || g_error_matches (own, PR_ERROR, PR_ERROR_TEMPORARY) ||
       g_error_matches (own, PR_ERROR, PR_ERROR_NETWORK)))
    {
      /* RFC 8628 §3.5: slower when told to, and much slower when there is no answer. */
      if (verdict == PR_OAUTH_SLOW_DOWN)
        self->interval_s += SLOW_DOWN_S;
      else if (verdict == PR_OAUTH_FINAL)
        self->interval_s *= 2;
      self->interval_s = MIN (self->interval_s, SLOWEST_S);
      poll_later (self);
      return;
    }
  fail (self, own->message);
}

static guint
ask (Attempt *self, const char *url, GBytes *form, const char *ca_file, PrWebFunc func)
{
  static const char *const headers[] = { "Accept", "application/json", NULL };
  PrWebRequest request = {
    .url = url,
    .headers = headers,
    .content_type = "application/x-www-form-urlencoded",
    .body = form,
    .max_octets = MAX_ANSWER,
    .deadline_ms = DEADLINE_MS,
    .ca_file = ca_file,
  };

  return pr_web_send (pr_oauth_get_web (self->owner->oauth), &request, func, self);
}

/* The route may have gone while somebody signed in. */
static gboolean
get_client (Attempt *self, PrOauthClient *client, const char **ca_file)
{
  const char *flow;

  if (pr_oauth_get_client (self->owner->oauth, self->route, client, &flow, ca_file))
    return TRUE;
  fail (self, "The route is gone, or signs in otherwise now");
  return FALSE;
}

/* --- devices --- */

static void
on_poll (gpointer user_data)
{
  Attempt *self = user_data;
  PrOauthClient client;
  const char *ca_file;
  g_autoptr (GBytes) form = NULL;

  if (now_s () >= self->expires_s)
    {
      on_late (self);
      return;
    }
  if (!get_client (self, &client, &ca_file))
    return;
  form = pr_oauth_ask_with_device (&client, self->device->device_code);
  self->asking = ask (self, client.token_url, form, ca_file, on_token);
}

static void
poll_later (Attempt *self)
{
  pr_timer_start (&self->timer, pr_oauth_get_loop (self->owner->oauth),
                  self->interval_s * G_GUINT64_CONSTANT (1000), on_poll, self);
}

static void
on_device (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  g_autoptr (GError) own = NULL;
  Attempt *self = user_data;

  self->asking = 0;
  if (error == NULL)
    self->device = pr_oauth_read_device (answer->status, answer->body, answer->len, now_s (), &own);
  if (self->device == NULL)
    {
      fail (self, own != NULL ? own->message : error->message);
      return;
    }
  self->interval_s = self->device->interval_s;
  self->expires_s = self->device->expires_s;
  set_state (self, PR_CONSENT_WAITING);
  poll_later (self);
}

/* --- the browser --- */

static void
exchange (Attempt *self, const char *code)
{
  PrOauthClient client;
  const char *ca_file;
  g_autoptr (GBytes) form = NULL;

  if (!get_client (self, &client, &ca_file))
    return;
  form = pr_oauth_ask_with_code (&client, code, self->redirect_url, self->verifier);
  self->asking = ask (self, client.token_url, form, ca_file, on_token);
  set_state (self, PR_CONSENT_CHECKING);
}

static void
on_refused (gpointer user_data)
{
  Attempt *self = user_data;
  g_autofree char *why = g_steal_pointer (&self->why);

  fail (self, why);
}

/* FALSE: this is not the answer that is waited for. */
static gboolean
take_redirect (Attempt *self, const char *query, GError **error)
{
  g_autoptr (GError) own = NULL;
  char *code;

  if (self->state != PR_CONSENT_WAITING || self->oauth_state == NULL || self->why != NULL)
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_PROTOCOL,
                           "This sign-in does not wait for an answer any more");
      return FALSE;
    }
  code = pr_oauth_read_redirect (query, self->oauth_state, self->issuer, &own);
  if (code != NULL)
    exchange (self, code);
  else if (g_error_matches (own, PR_ERROR, PR_ERROR_AUTH))
    {
      /* On another turn: the page has still to be shown. */
      self->why = g_strdup (own->message);
      pr_timer_start (&self->timer, pr_oauth_get_loop (self->owner->oauth), 0, on_refused, self);
      g_propagate_error (error, g_steal_pointer (&own));
    }
  else
    g_propagate_error (error, g_steal_pointer (&own));
  pr_secret_free (code);
  return code != NULL;
}

static void
on_redirect (const char *query, PrRedirectPage *page, gpointer user_data)
{
  Attempt *self = user_data;
  g_autoptr (GError) error = NULL;

  if (*query == '\0')
    return;
  if (take_redirect (self, query, &error))
    {
      page->title = g_strdup ("Thank you");
      page->text = g_strdup ("You can close this page. Postroom now fetches what it needs to send "
                             "your mail, and tells you if that does not work.");
    }
  else
    {
      page->title = g_strdup ("That did not work");
      page->text = g_strdup_printf ("You can close this page and sign in again from Postroom: %s.",
                                    error->message);
    }
}

/* Microsoft knows this computer as localhost alone (RFC 8252 §7.3 wants the address). */
static const char *
choose_host (const char *authorize)
{
  return g_str_has_prefix (authorize, "https://login.microsoftonline.") ? "localhost" : "127.0.0.1";
}

static gboolean
start_browser (Attempt *self, const PrOauthClient *client, GError **error)
{
  PrLoop *loop = pr_oauth_get_loop (self->owner->oauth);

  if (client->authorize == NULL)
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_CONFIG,
                           "This route knows no address where a browser signs in "
                           "(oauth-authorize)");
      return FALSE;
    }
  self->redirect = pr_redirect_new (loop, on_redirect, self, error);
  if (self->redirect == NULL)
    return FALSE;
  self->oauth_state = pr_oauth_make_random ();
  self->verifier = pr_oauth_make_random ();
  if (self->oauth_state == NULL || self->verifier == NULL)
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_UNSUPPORTED,
                           "This system has no random numbers");
      return FALSE;
    }
  self->issuer = g_strdup (client->issuer);
  self->redirect_url = g_strdup_printf ("http://%s:%u", choose_host (client->authorize),
                                        pr_redirect_get_port (self->redirect));
  self->url =
    pr_oauth_make_authorize_url (client, self->redirect_url, self->oauth_state, self->verifier);
  self->expires_s = now_s () + CODE_LIFE_S;
  pr_timer_start (&self->timer, loop, CODE_LIFE_S * 1000, on_late, self);
  set_state (self, PR_CONSENT_WAITING);
  return TRUE;
}

static gboolean
start_device (Attempt *self, const PrOauthClient *client, const char *ca_file, GError **error)
{
  g_autoptr (GBytes) form = NULL;

  if (client->device == NULL)
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_CONFIG,
                           "This route knows no address where codes come from (oauth-device)");
      return FALSE;
    }
  form = pr_oauth_ask_for_device (client);
  self->asking = ask (self, client->device, form, ca_file, on_device);
  set_state (self, PR_CONSENT_ASKING);
  return TRUE;
}

static gboolean
start_alone (Attempt *self, const PrOauthClient *client, const char *ca_file)
{
  g_autoptr (GBytes) form = pr_oauth_ask_alone (client);

  self->asking = ask (self, client->token_url, form, ca_file, on_token);
  set_state (self, PR_CONSENT_CHECKING);
  return TRUE;
}

static gboolean
start (Attempt *self, const char *flow, GError **error)
{
  PrOauthClient client;
  const char *own_flow, *ca_file;

  if (!pr_oauth_get_client (self->owner->oauth, self->route, &client, &own_flow, &ca_file))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "The route %s does not sign in with OAuth here; it needs a client-id, and "
                   "auth=auto, xoauth2 or oauthbearer",
                   self->route);
      return FALSE;
    }
  if (g_str_equal (own_flow, "client-credentials"))
    return start_alone (self, &client, ca_file);
  if (g_str_equal (flow, "auto"))
    flow = own_flow;
  if (g_str_equal (flow, "auto"))
    flow = client.authorize != NULL ? "code" : "device";
  return g_str_equal (flow, "device") ? start_device (self, &client, ca_file, error)
                                      : start_browser (self, &client, error);
}

/* --- public --- */

PrConsents *
pr_consents_new (PrOauth *oauth, PrConsentsFunc func, gpointer user_data)
{
  PrConsents *self = g_new0 (PrConsents, 1);

  self->oauth = oauth;
  self->func = func;
  self->user_data = user_data;
  self->changed = g_array_new (FALSE, FALSE, sizeof (guint));
  g_queue_init (&self->attempts);
  return self;
}

void
pr_consents_free (PrConsents *self)
{
  Attempt *attempt;

  if (self == NULL)
    return;
  while ((attempt = g_queue_pop_head (&self->attempts)) != NULL)
    attempt_free (attempt);
  pr_timer_stop (&self->changed_timer);
  g_array_unref (self->changed);
  g_free (self);
}

/* An earlier attempt for the same route ends; the oldest that is over makes room. FALSE: there are
 * too many. */
static gboolean
make_room (PrConsents *self, const char *route)
{
  for (GList *link = self->attempts.head; link != NULL; link = link->next)
    {
      Attempt *other = link->data;

      if (!is_over (other) && !other->keeping && g_str_equal (other->route, route))
        fail (other, "Another sign-in for this route was begun");
    }
  for (GList *link = self->attempts.head, *next; link != NULL; link = next)
    {
      next = link->next;
      if (self->attempts.length < MAX_ATTEMPTS)
        return TRUE;
      if (!is_over (link->data))
        continue;
      attempt_free (link->data);
      g_queue_delete_link (&self->attempts, link);
    }
  return self->attempts.length < MAX_ATTEMPTS;
}

guint
pr_consents_start (PrConsents *self, const char *route, const char *flow, GError **error)
{
  Attempt *attempt;

  if (!make_room (self, route))
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_CONFIG,
                           "Too many sign-ins are under way; end one of them");
      return 0;
    }
  attempt = g_new0 (Attempt, 1);
  attempt->owner = self;
  attempt->route = g_strdup (route);
  attempt->id = ++self->last_id;
  if (!start (attempt, flow, error))
    {
      attempt_free (attempt);
      return 0;
    }
  g_queue_push_tail (&self->attempts, attempt);
  return attempt->id;
}

gboolean
pr_consents_paste (PrConsents *self, guint id, const char *url, GError **error)
{
  Attempt *attempt = find (self, id);
  const char *query = strchr (url, '?');
  g_autofree char *text = g_strdup (query != NULL ? query + 1 : "");

  text[strcspn (text, "# \t\r\n")] = '\0';
  if (attempt == NULL || text[0] == '\0')
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_PROTOCOL,
                           attempt == NULL ? "This sign-in is over; begin again"
                                           : "This is not the address that the browser ended at; "
                                             "it begins with http:// and has a code= in it");
      return FALSE;
    }
  return take_redirect (attempt, text, error);
}

void
pr_consents_cancel (PrConsents *self, guint id)
{
  Attempt *attempt = find (self, id);

  if (attempt != NULL && !is_over (attempt) && !attempt->keeping)
    fail (attempt, "It was cancelled");
}

gboolean
pr_consents_get (PrConsents *self, guint id, PrConsentFacts *out)
{
  const Attempt *attempt = find (self, id);
  const PrOauthDevice *device = attempt != NULL ? attempt->device : NULL;

  *out = (PrConsentFacts){ 0 };
  if (attempt == NULL)
    return FALSE;
  out->route = attempt->route;
  out->state = attempt->state;
  out->expires_s = attempt->expires_s;
  out->account = attempt->account;
  out->url = attempt->url;
  if (device != NULL)
    {
      out->url = device->full != NULL ? device->full : device->url;
      out->user_code = device->user_code;
      out->short_url = device->url;
    }
  if (attempt->state == PR_CONSENT_FAILED)
    out->why = attempt->why;
  return TRUE;
}
