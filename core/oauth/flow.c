/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions and answers of OAuth as text. */
#include "oauth/flow.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/redact.h"
#include "config/secrets.h"
#include "net/web.h"
#include "oauth/json.h"

#define RANDOM_OCTETS 32
#define MAX_WORDS 200 /* of a server's own words */
#define MAX_TOKEN_OCTETS (24 * 1024)
#define MAX_LIFE_S (10 * 365 * 86400)
#define SLOWEST_S 300
#define DEVICE_INTERVAL_S 5 /* RFC 8628 §3.2 */
#define DEVICE_LIFE_S 900

static char *
encode_url (const guint8 *data, gsize len)
{
  char *text = g_base64_encode (data, len);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

char *
pr_oauth_make_random (void)
{
  guint8 random[RANDOM_OCTETS];

  return getentropy (random, sizeof random) == 0 ? encode_url (random, sizeof random) : NULL;
}

char *
pr_oauth_make_challenge (const char *verifier)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize len = sizeof digest;

  g_checksum_update (checksum, (const guchar *) verifier, -1);
  g_checksum_get_digest (checksum, digest, &len);
  return encode_url (digest, len);
}

gboolean
pr_oauth_is_equal (const char *a, const char *b)
{
  gsize len = strlen (a);
  guint8 differs = len != strlen (b);

  for (gsize i = 0; i < len && b[i] != '\0'; i++)
    differs |= (guint8) (a[i] ^ b[i]);
  return differs == 0;
}

/* --- questions --- */

/* @value: (nullable): then nothing. */
static void
add (GString *form, const char *name, const char *value)
{
  if (value == NULL || value[0] == '\0')
    return;
  if (form->len > 0 && !g_str_has_suffix (form->str, "?") && !g_str_has_suffix (form->str, "&"))
    g_string_append_c (form, '&');
  g_string_append_printf (form, "%s=", name);
  g_string_append_uri_escaped (form, value, NULL, FALSE);
}

char *
pr_oauth_make_authorize_url (const PrOauthClient *client, const char *redirect, const char *state,
                             const char *verifier)
{
  g_autofree char *challenge = pr_oauth_make_challenge (verifier);
  GString *url = g_string_new (client->authorize);

  g_string_append_c (url, strchr (client->authorize, '?') != NULL ? '&' : '?');
  add (url, "response_type", "code");
  add (url, "client_id", client->client_id);
  add (url, "redirect_uri", redirect);
  add (url, "scope", client->scopes);
  add (url, "state", state);
  add (url, "code_challenge", challenge);
  add (url, "code_challenge_method", "S256");
  add (url, "login_hint", client->username);
  return g_string_free (url, FALSE);
}

static GString *
begin (const PrOauthClient *client, const char *grant)
{
  /* So much room that a secret is never copied when the text grows. */
  GString *form = g_string_sized_new (4 * MAX_TOKEN_OCTETS);

  add (form, "grant_type", grant);
  add (form, "client_id", client->client_id);
  add (form, "client_secret", client->client_secret);
  return form;
}

static GBytes *
end (GString *form)
{
  GBytes *bytes = pr_web_secret (form->str, (gssize) form->len);

  pr_secret_free (g_string_free (form, FALSE));
  return bytes;
}

GBytes *
pr_oauth_ask_with_code (const PrOauthClient *client, const char *code, const char *redirect,
                        const char *verifier)
{
  GString *form = begin (client, "authorization_code");

  add (form, "code", code);
  add (form, "redirect_uri", redirect);
  add (form, "code_verifier", verifier);
  return end (form);
}

GBytes *
pr_oauth_ask_with_refresh (const PrOauthClient *client, const char *refresh)
{
  GString *form = begin (client, "refresh_token");

  add (form, "refresh_token", refresh);
  return end (form);
}

GBytes *
pr_oauth_ask_with_device (const PrOauthClient *client, const char *device_code)
{
  GString *form = begin (client, "urn:ietf:params:oauth:grant-type:device_code");

  add (form, "device_code", device_code);
  return end (form);
}

GBytes *
pr_oauth_ask_alone (const PrOauthClient *client)
{
  GString *form = begin (client, "client_credentials");

  add (form, "scope", client->scopes);
  return end (form);
}

GBytes *
pr_oauth_ask_to_revoke (const PrOauthClient *client, const PrToken *token)
{
  GString *form = g_string_sized_new (4 * MAX_TOKEN_OCTETS);

  add (form, "token", token->refresh != NULL ? token->refresh : token->access);
  add (form, "token_type_hint", token->refresh != NULL ? "refresh_token" : "access_token");
  add (form, "client_id", client->client_id);
  add (form, "client_secret", client->client_secret);
  return end (form);
}

GBytes *
pr_oauth_ask_for_device (const PrOauthClient *client)
{
  GString *form = g_string_sized_new (MAX_TOKEN_OCTETS);

  add (form, "client_id", client->client_id);
  add (form, "client_secret", client->client_secret);
  add (form, "scope", client->scopes);
  return end (form);
}

/* --- answers --- */

/* A server's words, short and harmless. */
static char *
tame (const char *words)
{
  GString *text = g_string_new (NULL);

  pr_append_printable (text, words, MIN (strlen (words), MAX_WORDS));
  return g_string_free (text, FALSE);
}

char *
pr_oauth_read_redirect (const char *query, const char *state, const char *issuer, GError **error)
{
  g_autoptr (GHashTable) fields = g_uri_parse_params (query, -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
  const char *said, *code, *who;

  said = fields != NULL ? g_hash_table_lookup (fields, "state") : NULL;
  if (said == NULL || !pr_oauth_is_equal (said, state))
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_PROTOCOL,
                           "this is not the answer to the sign-in that was begun here");
      return NULL;
    }
  /* RFC 9207 §2.4: a provider that is known to say who it is must say it. */
  who = g_hash_table_lookup (fields, "iss");
  if (issuer != NULL && g_strcmp0 (who, issuer) != 0)
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_AUTH,
                           who != NULL
                             ? "another provider answered than the one that was asked"
                             : "the answer does not say which provider it is from (oauth-issuer)");
      return NULL;
    }
  code = g_hash_table_lookup (fields, "code");
  if (code != NULL && code[0] != '\0')
    {
      char *copy = g_strdup (code);

      pr_secret_wipe ((gpointer) code, strlen (code));
      return copy;
    }
  said = g_hash_table_lookup (fields, "error_description");
  if (said == NULL)
    said = g_hash_table_lookup (fields, "error");
  if (said != NULL)
    {
      g_autofree char *words = tame (said);

      g_set_error (error, PR_ERROR, PR_ERROR_AUTH, "the provider said no: %s", words);
    }
  else
    g_set_error_literal (error, PR_ERROR, PR_ERROR_AUTH, "the provider gave no code");
  return NULL;
}

/* (transfer full) (nullable): a JSON object. */
static PrOauthJson *
parse (const char *body, gsize len)
{
  return g_utf8_validate (body, (gssize) len, NULL) ? pr_oauth_json_parse (body, len) : NULL;
}

/* Borrowed; NULL where it is missing, no text, empty or too long. */
static const char *
get (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  const char *text = node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
                       ? json_node_get_string (node)
                       : NULL;

  return text != NULL && text[0] != '\0' && strlen (text) <= MAX_TOKEN_OCTETS ? text : NULL;
}

/* Some servers put numbers into quotes. */
static gint64
get_seconds (JsonObject *object, const char *name, gint64 fallback, gint64 max)
{
  JsonNode *node = json_object_get_member (object, name);
  gint64 value = 0;

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_INT64)
    value = json_node_get_int (node);
  else if (node != NULL && json_node_get_value_type (node) == G_TYPE_STRING)
    value = g_ascii_strtoll (json_node_get_string (node), NULL, 10);
  return value > 0 ? MIN (value, max) : fallback;
}

typedef struct
{
  const char *word;
  PrError code;
  PrOauthVerdict verdict;
  const char *text;
} Refusal;

/* RFC 6749 §5.2, RFC 8628 §3.5, RFC 7009 §2.2.1. */
static const Refusal refusals[] = {
  { "authorization_pending", PR_ERROR_TEMPORARY, PR_OAUTH_PENDING, "nobody has answered yet" },
  { "slow_down", PR_ERROR_TEMPORARY, PR_OAUTH_SLOW_DOWN, "nobody has answered yet" },
  { "expired_token", PR_ERROR_AUTH, PR_OAUTH_FINAL, "the code was not typed in time" },
  { "access_denied", PR_ERROR_AUTH, PR_OAUTH_FINAL, "it was declined" },
  { "invalid_grant", PR_ERROR_AUTH, PR_OAUTH_FINAL, "the sign-in has ended" },
  { "interaction_required", PR_ERROR_AUTH, PR_OAUTH_FINAL, "the provider wants to see a person" },
  { "consent_required", PR_ERROR_AUTH, PR_OAUTH_FINAL, "the provider wants to see a person" },
  { "login_required", PR_ERROR_AUTH, PR_OAUTH_FINAL, "the provider wants to see a person" },
  { "invalid_client", PR_ERROR_CONFIG, PR_OAUTH_FINAL,
    "the provider does not know this client-id, or its secret is another one" },
  { "unauthorized_client", PR_ERROR_CONFIG, PR_OAUTH_FINAL,
    "the provider does not let this client-id sign in so" },
  { "unsupported_grant_type", PR_ERROR_CONFIG, PR_OAUTH_FINAL,
    "the provider does not know this way to sign in" },
  { "unsupported_token_type", PR_ERROR_CONFIG, PR_OAUTH_FINAL,
    "the provider revokes no tokens of this kind" },
  { "invalid_scope", PR_ERROR_CONFIG, PR_OAUTH_FINAL, "the provider refuses the oauth-scopes" },
  { "invalid_request", PR_ERROR_CONFIG, PR_OAUTH_FINAL, "the provider did not understand" },
};

static void
refuse (guint status, JsonObject *object, PrOauthVerdict *verdict, GError **error)
{
  const char *word = object != NULL ? get (object, "error") : NULL;
  const char *more = object != NULL ? get (object, "error_description") : NULL;
  g_autofree char *words = tame (more != NULL ? more : word != NULL ? word : "");

  for (gsize i = 0; word != NULL && i < G_N_ELEMENTS (refusals); i++)
    {
      const Refusal *refusal = &refusals[i];

      if (!g_str_equal (refusal->word, word))
        continue;
      if (verdict != NULL)
        *verdict = refusal->verdict;
      g_set_error (error, PR_ERROR, refusal->code, "%s (%s)", refusal->text, words);
      return;
    }
  if (status >= 400 && status < 500 && status != 408 && status != 429 && word != NULL)
    g_set_error (error, PR_ERROR, PR_ERROR_AUTH, "the provider said no: %s", words);
  else if (status >= 300)
    g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "the provider answered with status %u%s%s",
                 status, words[0] != '\0' ? ": " : "", words);
  else
    g_set_error_literal (error, PR_ERROR, PR_ERROR_PROTOCOL,
                         "the provider's answer makes no sense");
}

/* Who signed in, from an id token (OpenID Connect Core §2). It came straight from the provider over
 * TLS, which stands for its signature (§3.1.3.7). */
static char *
read_account (const char *id_token)
{
  g_auto (GStrv) parts = g_strsplit (id_token, ".", 4);
  g_autoptr (PrOauthJson) root = NULL;
  g_autofree char *padded = NULL;
  g_autofree guchar *json = NULL;
  const char *email;
  gsize len = 0;

  if (g_strv_length (parts) != 3)
    return NULL;
  padded = g_strconcat (parts[1], &"===="[4 - (4 - strlen (parts[1]) % 4) % 4], NULL);
  g_strdelimit (padded, "-", '+');
  g_strdelimit (padded, "_", '/');
  json = g_base64_decode (padded, &len);
  root = parse ((const char *) json, len);
  if (root == NULL)
    return NULL;
  email = get (json_node_get_object (root), "email");
  if (email == NULL)
    email = get (json_node_get_object (root), "preferred_username");
  return email != NULL ? tame (email) : NULL;
}

static gboolean
is_printable (const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isgraph (*text)) /* RFC 6750 §2.1: it goes into a header and a command */
      return FALSE;
  return TRUE;
}

PrToken *
pr_oauth_read_token (guint status, const char *body, gsize len, gint64 now_s,
                     PrOauthVerdict *verdict, GError **error)
{
  g_autoptr (PrOauthJson) root = parse (body, len);
  JsonObject *object = root != NULL ? json_node_get_object (root) : NULL;
  const char *access = object != NULL ? get (object, "access_token") : NULL;
  const char *id_token;
  PrToken *token;

  if (verdict != NULL)
    *verdict = PR_OAUTH_FINAL;
  if (status != 200 || access == NULL || !is_printable (access))
    {
      refuse (status, object, verdict, error);
      return NULL;
    }
  token = pr_token_new ();
  token->access = g_strdup (access);
  token->refresh = g_strdup (get (object, "refresh_token"));
  token->obtained_s = now_s;
  token->expires_s = now_s + get_seconds (object, "expires_in", 0, MAX_LIFE_S);
  if (token->expires_s == now_s)
    token->expires_s = 0;
  id_token = get (object, "id_token");
  token->account = id_token != NULL ? read_account (id_token) : NULL;
  return token;
}

gboolean
pr_oauth_read_revocation (guint status, const char *body, gsize len, GError **error)
{
  g_autoptr (PrOauthJson) root = NULL;

  if (status == 200)
    return TRUE;
  root = parse (body, len);
  refuse (status, root != NULL ? json_node_get_object (root) : NULL, NULL, error);
  return FALSE;
}

/* What a person is sent to: nothing that runs or reads files. */
static gboolean
is_web (const char *url)
{
  return url != NULL && (g_str_has_prefix (url, "https://") || g_str_has_prefix (url, "http://")) &&
         is_printable (url);
}

PrOauthDevice *
pr_oauth_read_device (guint status, const char *body, gsize len, gint64 now_s, GError **error)
{
  g_autoptr (PrOauthJson) root = parse (body, len);
  JsonObject *object = root != NULL ? json_node_get_object (root) : NULL;
  const char *device_code = object != NULL ? get (object, "device_code") : NULL;
  const char *user_code = object != NULL ? get (object, "user_code") : NULL;
  const char *url = object != NULL ? get (object, "verification_uri") : NULL;
  const char *full = object != NULL ? get (object, "verification_uri_complete") : NULL;
  PrOauthDevice *device;

  if (object != NULL && url == NULL)
    url = get (object, "verification_url"); /* Google's name for it */
  if (status != 200 || device_code == NULL || user_code == NULL || !is_web (url))
    {
      refuse (status, object, NULL, error);
      return NULL;
    }
  device = g_new0 (PrOauthDevice, 1);
  device->device_code = g_strdup (device_code);
  device->user_code = tame (user_code);
  device->url = g_strdup (url);
  device->full = is_web (full) ? g_strdup (full) : NULL;
  device->interval_s = (guint) get_seconds (object, "interval", DEVICE_INTERVAL_S, SLOWEST_S);
  device->expires_s = now_s + get_seconds (object, "expires_in", DEVICE_LIFE_S, 86400);
  return device;
}

void
pr_oauth_device_free (PrOauthDevice *self)
{
  if (self == NULL)
    return;
  pr_secret_free (self->device_code);
  g_free (self->user_code);
  g_free (self->url);
  g_free (self->full);
  g_free (self);
}
