/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mail providers, read from the data that is compiled in. The data is ours and checked by a test;
 * what would be missing nevertheless is taken as unknown, never as a reason to stop. */
#include "config/providers.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "config/providers-data.h"

#define DATA_PATH "/io/github/postroom/providers.json"
#define EVERYBODY "common" /* the family whose rules come last for all */

struct _PrProviderRule
{
  char *code;       /* nullable: how the code begins, "535" or "5" */
  guint8 status[3]; /* {0,0,0}: any */
  char **texts;     /* NULL-terminated, lower case: one of them is in the text; empty: any */
  PrAdviceKind kind;
  guint wait_s;
  char *words, *action;
};

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

static GResource *
get_resource (void)
{
  static gsize registered;

  if (g_once_init_enter (&registered))
    {
      pr_providers_data_register_resource ();
      g_once_init_leave (&registered, 1);
    }
  return pr_providers_data_get_resource ();
}

static JsonParser *
open_data (void)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GBytes) bytes = g_resource_lookup_data (get_resource (), DATA_PATH, 0, NULL);
  g_autoptr (GError) error = NULL;
  gsize len;
  const char *text;

  g_assert (bytes != NULL);
  text = g_bytes_get_data (bytes, &len);
  if (!json_parser_load_from_data (parser, text, (gssize) len, &error))
    g_critical ("The data of the providers cannot be read: %s", error->message);
  return g_steal_pointer (&parser);
}

static JsonArray *
get_providers (JsonParser *parser)
{
  return json_object_get_array_member (json_node_get_object (json_parser_get_root (parser)),
                                       "providers");
}

static char *
get_text (JsonObject *object, const char *name)
{
  return g_strdup (json_object_get_string_member_with_default (object, name, NULL));
}

static guint64
get_number (JsonObject *object, const char *name)
{
  return (guint64) MAX (json_object_get_int_member_with_default (object, name, 0), 0);
}

static JsonArray *
get_array (JsonObject *object, const char *name)
{
  return json_object_has_member (object, name) ? json_object_get_array_member (object, name) : NULL;
}

static JsonObject *
get_object (JsonObject *object, const char *name)
{
  return json_object_has_member (object, name) ? json_object_get_object_member (object, name)
                                               : NULL;
}

static guint
count (JsonArray *array)
{
  return array != NULL ? json_array_get_length (array) : 0;
}

static char **
get_texts (JsonObject *object, const char *name)
{
  JsonArray *array = get_array (object, name);
  guint n = count (array);
  char **texts = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    texts[i] = g_strdup (json_array_get_string_element (array, i));
  return texts;
}

/* The index of a word in @words, which end with NULL; 0 where it is none of them. */
static guint
get_word (JsonObject *object, const char *name, const char *const *words)
{
  const char *text = json_object_get_string_member_with_default (object, name, "");

  for (guint i = 0; words[i] != NULL; i++)
    if (g_str_equal (words[i], text))
      return i;
  return 0;
}

static void
read_hosts (PrProvider *self, JsonObject *object)
{
  static const char *const modes[] = { "starttls", "implicit", "optional", NULL };
  static const PrTlsMode tls[] = { PR_TLS_REQUIRED, PR_TLS_IMPLICIT, PR_TLS_OPPORTUNISTIC };
  JsonArray *array = get_array (object, "hosts");

  self->n_hosts = count (array);
  self->hosts = g_new0 (PrProviderHost, self->n_hosts);
  for (guint i = 0; i < self->n_hosts; i++)
    {
      JsonObject *host = json_array_get_object_element (array, i);

      self->hosts[i].host = get_text (host, "host");
      self->hosts[i].port = (guint16) get_number (host, "port");
      self->hosts[i].tls = tls[get_word (host, "tls", modes)];
    }
}

static void
read_sign_ins (PrProvider *self, JsonObject *object)
{
  static const char *const kinds[] = { "none", "password", "app-password", "token", "oauth", NULL };
  JsonArray *array = get_array (object, "auth");

  self->n_sign_ins = count (array);
  self->sign_ins = g_new0 (PrProviderSignIn, self->n_sign_ins);
  for (guint i = 0; i < self->n_sign_ins; i++)
    {
      JsonObject *way = json_array_get_object_element (array, i);

      self->sign_ins[i].kind = (PrSignInKind) get_word (way, "kind", kinds);
      self->sign_ins[i].steps = get_texts (way, "steps");
      self->sign_ins[i].mechanisms = get_texts (way, "mechanisms");
      self->sign_ins[i].url = get_text (way, "url");
    }
}

static void
read_parameters (PrProvider *self, JsonObject *object)
{
  JsonArray *array = get_array (object, "parameters");

  self->n_parameters = count (array);
  self->parameters = g_new0 (PrProviderParameter, self->n_parameters);
  for (guint i = 0; i < self->n_parameters; i++)
    {
      JsonObject *parameter = json_array_get_object_element (array, i);

      self->parameters[i].name = get_text (parameter, "name");
      self->parameters[i].words = get_text (parameter, "words");
      self->parameters[i].default_value = get_text (parameter, "default");
      self->parameters[i].example = get_text (parameter, "example");
      self->parameters[i].values = get_texts (parameter, "values");
    }
}

static void
read_login (PrProvider *self, JsonObject *object)
{
  static const char *const forms[] = { "address", "local", "literal", "other", "none", NULL };
  JsonObject *login = get_object (object, "username");

  if (login == NULL)
    return;
  self->login = (PrProviderLogin) get_word (login, "form", forms);
  self->login_value = get_text (login, "value");
  self->login_words = get_text (login, "words");
}

static void
read_oauth (PrProvider *self, JsonObject *object)
{
  JsonObject *oauth = get_object (object, "oauth");
  JsonObject *api = get_object (object, "api");

  if (oauth != NULL)
    {
      self->oauth = g_new0 (PrProviderOauth, 1);
      self->oauth->authorize_url = get_text (oauth, "authorize");
      self->oauth->token_url = get_text (oauth, "token");
      self->oauth->device_url = get_text (oauth, "device");
      self->oauth->revoke_url = get_text (oauth, "revoke");
      self->oauth->scopes = get_texts (oauth, "scopes");
      self->oauth->program_scopes = get_texts (oauth, "program-scopes");
      self->oauth->pkce = json_object_get_boolean_member_with_default (oauth, "pkce", FALSE);
      self->oauth->client = get_text (oauth, "client");
      self->oauth->words = get_text (oauth, "words");
    }
  if (api != NULL)
    {
      self->api = g_new0 (PrProviderApi, 1);
      self->api->via = get_text (api, "via");
      self->api->scopes = get_texts (api, "scopes");
      self->api->program_scopes = get_texts (api, "program-scopes");
      self->api->max_size_octets = get_number (api, "size");
    }
}

/* A calendar window is kept as a rolling one: nobody says in which time zone the provider's day
 * begins, and who keeps the rolling limit keeps the other one too. */
static void
read_limits (PrProvider *self, JsonObject *object)
{
  JsonObject *limits = get_object (object, "limits");
  JsonArray *rates = limits != NULL ? get_array (limits, "rates") : NULL;

  if (limits == NULL)
    return;
  self->max_connections = (guint) get_number (limits, "connections");
  self->max_recipients = (guint) get_number (limits, "recipients-per-message");
  self->max_messages_per_connection = (guint) get_number (limits, "messages-per-connection");
  self->max_size_octets = get_number (limits, "size");
  self->n_limits = count (rates);
  self->limits = g_new0 (PrRateLimit, self->n_limits);
  for (guint i = 0; i < self->n_limits; i++)
    {
      JsonObject *rate = json_array_get_object_element (rates, i);
      const char *per = json_object_get_string_member_with_default (rate, "per", "message");

      self->limits[i].number = (guint) get_number (rate, "number");
      self->limits[i].window_s = get_number (rate, "seconds");
      self->limits[i].per_recipient = g_str_equal (per, "recipient");
    }
}

static void
read_from (PrProvider *self, JsonObject *object)
{
  static const char *const policies[] = { "any", "account", "aliases", "domain", "verified", NULL };
  JsonObject *from = get_object (object, "from");

  if (from == NULL)
    return;
  self->from = (PrFromPolicy) get_word (from, "policy", policies);
  self->rewrites_from = json_object_get_boolean_member_with_default (from, "rewrite", FALSE);
  self->refuses_null_sender =
    !json_object_get_boolean_member_with_default (from, "null-sender", TRUE);
  self->from_words = get_text (from, "words");
}

static void
read_rules (JsonArray *array, GArray *rules)
{
  static const char *const kinds[] = {
    "", "retry", "hold", "bounce", "sign-in", "slow-down", NULL
  };
  guint n = count (array);

  for (guint i = 0; i < n; i++)
    {
      JsonObject *object = json_array_get_object_element (array, i);
      PrReply parsed = { 0 };
      PrProviderRule rule = {
        .code = get_text (object, "code"),
        .texts = get_texts (object, "text"),
        .kind = (PrAdviceKind) get_word (object, "class", kinds),
        .wait_s = (guint) get_number (object, "wait"),
        .words = get_text (object, "words"),
        .action = get_text (object, "action"),
      };

      pr_reply_set (&parsed, 0, json_object_get_string_member_with_default (object, "status", NULL),
                    NULL);
      memcpy (rule.status, parsed.status, sizeof rule.status);
      pr_reply_clear (&parsed);
      g_array_append_val (rules, rule);
    }
}

static PrProvider *
read_provider (JsonParser *parser, JsonObject *object)
{
  JsonObject *families =
    get_object (json_node_get_object (json_parser_get_root (parser)), "families");
  g_auto (GStrv) like = get_texts (object, "like");
  GArray *rules = g_array_new (FALSE, FALSE, sizeof (PrProviderRule));
  PrProvider *self = g_new0 (PrProvider, 1);

  g_atomic_ref_count_init (&self->refs);
  self->id = get_text (object, "id");
  self->name = get_text (object, "name");
  self->kind = get_text (object, "kind");
  self->domains = get_texts (object, "domains");
  self->help_url = get_text (object, "help");
  self->checked_on = get_text (object, "checked-on");
  self->source = get_text (object, "source");
  self->confidence = get_text (object, "confidence");
  read_parameters (self, object);
  read_hosts (self, object);
  read_sign_ins (self, object);
  read_login (self, object);
  read_oauth (self, object);
  read_limits (self, object);
  read_from (self, object);

  read_rules (get_array (object, "errors"), rules);
  for (guint i = 0; like[i] != NULL; i++)
    read_rules (get_array (families, like[i]), rules);
  read_rules (get_array (families, EVERYBODY), rules);
  self->n_rules = rules->len;
  self->rules = (PrProviderRule *) g_array_free (rules, FALSE);
  return self;
}

/* ── Finding ──────────────────────────────────────────────────────────────────────────────── */

static JsonObject *
find_object (JsonParser *parser, const char *id)
{
  JsonArray *all = get_providers (parser);

  for (guint i = 0; i < count (all); i++)
    {
      JsonObject *object = json_array_get_object_element (all, i);

      if (g_str_equal (json_object_get_string_member (object, "id"), id))
        return object;
    }
  return NULL;
}

PrProvider *
pr_provider_load (const char *id)
{
  g_autoptr (JsonParser) parser = open_data ();
  JsonObject *object = find_object (parser, id);

  return object != NULL ? read_provider (parser, object) : NULL;
}

char *
pr_provider_to_json (const char *id)
{
  g_autoptr (JsonParser) parser = open_data ();
  JsonObject *object = find_object (parser, id);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  if (object == NULL)
    return NULL;
  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}

static gboolean
is_at (const PrProvider *self, const char *domain)
{
  return g_strv_contains ((const char *const *) self->domains, domain);
}

static gboolean
mentions (const PrProvider *self, const char *folded)
{
  g_autofree char *name = g_utf8_casefold (self->name, -1);

  if (strstr (self->id, folded) != NULL || strstr (name, folded) != NULL)
    return TRUE;
  for (guint i = 0; self->domains[i] != NULL; i++)
    if (strstr (self->domains[i], folded) != NULL)
      return TRUE;
  return FALSE;
}

GPtrArray *
pr_provider_search (const char *text)
{
  g_autoptr (JsonParser) parser = open_data ();
  JsonArray *all = get_providers (parser);
  g_autofree char *folded = g_utf8_casefold (text != NULL ? text : "", -1);
  const char *at = strrchr (folded, '@');
  const char *domain = at != NULL ? at + 1 : folded;
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) pr_provider_unref);
  PrProvider *home = NULL;

  for (guint i = 0; i < count (all); i++)
    {
      PrProvider *self = read_provider (parser, json_array_get_object_element (all, i));

      if (home == NULL && is_at (self, domain))
        home = pr_provider_ref (self);
      if (at == NULL && mentions (self, folded))
        g_ptr_array_add (found, self);
      else
        pr_provider_unref (self);
    }
  if (home != NULL)
    {
      g_ptr_array_set_size (found, 0);
      g_ptr_array_add (found, home);
    }
  return found;
}

/* ── Use ──────────────────────────────────────────────────────────────────────────────────── */

char *
pr_provider_make_username (const PrProvider *self, const char *address)
{
  const char *at = strrchr (address, '@');

  switch (self->login)
    {
    case PR_LOGIN_ADDRESS: return at != NULL ? g_strdup (address) : NULL;
    case PR_LOGIN_LOCAL:
      return g_strndup (address, at != NULL ? (gsize) (at - address) : strlen (address));
    case PR_LOGIN_LITERAL: return g_strdup (self->login_value);
    case PR_LOGIN_OTHER:
    case PR_LOGIN_NONE:
    default: return NULL;
    }
}

char *
pr_provider_fill (const PrProvider *self, const char *text, const char *name, const char *value)
{
  g_autoptr (GString) filled = g_string_new (text);

  for (guint i = 0; i < self->n_parameters; i++)
    {
      const PrProviderParameter *parameter = &self->parameters[i];
      g_autofree char *mark = g_strdup_printf ("{%s}", parameter->name);
      const char *with = g_strcmp0 (name, parameter->name) == 0 ? value : parameter->default_value;

      if (strstr (filled->str, mark) == NULL)
        continue;
      if (with == NULL)
        return NULL;
      g_string_replace (filled, mark, with, 0);
    }
  return g_string_free (g_steal_pointer (&filled), FALSE);
}

/* Lines joined by blanks, in lower case, as the data has its texts. */
static char *
fold (const char *text)
{
  g_autofree char *flat = g_strdelimit (g_strdup (text != NULL ? text : ""), "\n", ' ');

  return g_utf8_strdown (flat, -1);
}

static gboolean
fits (const PrProviderRule *rule, const PrReply *reply, const char *code, const char *text)
{
  static const guint8 none[3];

  if (rule->code != NULL && !g_str_has_prefix (code, rule->code))
    return FALSE;
  if (memcmp (rule->status, none, 3) != 0 && memcmp (rule->status, reply->status, 3) != 0)
    return FALSE;
  for (guint i = 0; rule->texts[i] != NULL; i++)
    if (strstr (text, rule->texts[i]) != NULL)
      return TRUE;
  return rule->texts[0] == NULL;
}

gboolean
pr_provider_advise (const PrProvider *self, const PrReply *reply, PrAdvice *out)
{
  g_autofree char *text = NULL;
  char code[8];

  *out = (PrAdvice){ 0 };
  if (self == NULL || reply->code < 400 || reply->is_own)
    return FALSE;
  text = fold (reply->text);
  g_snprintf (code, sizeof code, "%u", reply->code);
  for (guint i = 0; i < self->n_rules; i++)
    {
      const PrProviderRule *rule = &self->rules[i];

      if (!fits (rule, reply, code, text))
        continue;
      *out = (PrAdvice){ rule->kind, rule->words, rule->action, rule->wait_s };
      return TRUE;
    }
  return FALSE;
}

/* ── Life ─────────────────────────────────────────────────────────────────────────────────── */

PrProvider *
pr_provider_ref (PrProvider *self)
{
  if (self != NULL)
    g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
free_ways (PrProvider *self)
{
  for (guint i = 0; i < self->n_sign_ins; i++)
    {
      g_strfreev (self->sign_ins[i].steps);
      g_strfreev (self->sign_ins[i].mechanisms);
      g_free (self->sign_ins[i].url);
    }
  g_free (self->sign_ins);
  if (self->oauth != NULL)
    {
      g_free (self->oauth->authorize_url);
      g_free (self->oauth->token_url);
      g_free (self->oauth->device_url);
      g_free (self->oauth->revoke_url);
      g_strfreev (self->oauth->scopes);
      g_strfreev (self->oauth->program_scopes);
      g_free (self->oauth->client);
      g_free (self->oauth->words);
      g_free (self->oauth);
    }
  if (self->api != NULL)
    {
      g_free (self->api->via);
      g_strfreev (self->api->scopes);
      g_strfreev (self->api->program_scopes);
      g_free (self->api);
    }
}

static void
free_places (PrProvider *self)
{
  for (guint i = 0; i < self->n_parameters; i++)
    {
      g_free (self->parameters[i].name);
      g_free (self->parameters[i].words);
      g_free (self->parameters[i].default_value);
      g_free (self->parameters[i].example);
      g_strfreev (self->parameters[i].values);
    }
  g_free (self->parameters);
  for (guint i = 0; i < self->n_hosts; i++)
    g_free (self->hosts[i].host);
  g_free (self->hosts);
}

static void
free_rules (PrProvider *self)
{
  for (guint i = 0; i < self->n_rules; i++)
    {
      g_free (self->rules[i].code);
      g_strfreev (self->rules[i].texts);
      g_free (self->rules[i].words);
      g_free (self->rules[i].action);
    }
  g_free (self->rules);
}

void
pr_provider_unref (PrProvider *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  free_ways (self);
  free_places (self);
  free_rules (self);
  g_strfreev (self->domains);
  g_free (self->id);
  g_free (self->name);
  g_free (self->kind);
  g_free (self->login_value);
  g_free (self->login_words);
  g_free (self->limits);
  g_free (self->from_words);
  g_free (self->help_url);
  g_free (self->checked_on);
  g_free (self->source);
  g_free (self->confidence);
  g_free (self);
}
