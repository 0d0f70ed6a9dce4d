/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroom.conf as one immutable object: built from its groups, checked as a whole. */
#include "config/config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/error.h"
#include "config/keys.h"
#include "config/providers.h"
#include "config/section.h"
#include "smtp/address.h"

#define MAX_FILE_OCTETS (1024 * 1024)
#define MAX_NAME 64
#define DEFAULT_LISTENER "default"
#define SUBMISSION_PORT 587  /* RFC 6409 */
#define SUBMISSIONS_PORT 465 /* RFC 8314 */
#define LMTP_PORT 24         /* RFC 2033 names none; this is what others take */

typedef struct
{
  PrConfig *config; /* owned */
  PrFaults faults;
  char *base_dir; /* owned */
} Builder;

/* --- objects of a group ------------------------------------------------------------------ */

static gboolean
is_named (const char *group)
{
  return g_str_equal (group, "listener") || g_str_equal (group, "user") ||
         g_str_equal (group, "route");
}

static gboolean
is_group (const char *group)
{
  for (const PrKeySpec *spec = pr_key_specs; spec->group != NULL; spec++)
    if (g_str_equal (spec->group, group))
      return TRUE;
  return FALSE;
}

static void
clear_object (const char *group, gpointer object)
{
  for (const PrKeySpec *spec = pr_key_specs; spec->group != NULL; spec++)
    if (g_str_equal (spec->group, group))
      pr_value_clear (spec, object);
}

static void
set_defaults (const char *group, gpointer object)
{
  PrValueTarget target = { object, NULL };

  for (const PrKeySpec *spec = pr_key_specs; spec->group != NULL; spec++)
    if (g_str_equal (spec->group, group) && spec->default_text != NULL)
      {
        g_autofree char *why = NULL;
        gboolean right = pr_value_parse (spec, spec->default_text, &target, &why);

        g_assert (right);
      }
}

static void
listener_free (gpointer data)
{
  PrListenerConfig *self = data;

  clear_object ("listener", self);
  g_free (self->name);
  g_free (self);
}

static void
user_free (gpointer data)
{
  PrUserConfig *self = data;

  clear_object ("user", self);
  g_free (self->name);
  g_free (self);
}

static void
route_free (gpointer data)
{
  PrRouteConfig *self = data;

  clear_object ("route", self);
  g_free (self->name);
  g_free (self);
}

/* Appends one with defaults to its list. */
static gpointer
add_object (PrConfig *config, const char *group, const char *name)
{
  gpointer object;

  if (g_str_equal (group, "listener"))
    {
      PrListenerConfig *listener = object = g_new0 (PrListenerConfig, 1);

      listener->name = g_strdup (name);
      g_ptr_array_add (config->listeners, listener);
    }
  else if (g_str_equal (group, "user"))
    {
      PrUserConfig *user = object = g_new0 (PrUserConfig, 1);

      user->name = g_strdup (name);
      g_ptr_array_add (config->users, user);
    }
  else
    {
      PrRouteConfig *route = object = g_new0 (PrRouteConfig, 1);

      route->name = g_strdup (name);
      g_ptr_array_add (config->routes, route);
    }
  set_defaults (group, object);
  return object;
}

static PrConfig *
new_config (void)
{
  PrConfig *self = g_new0 (PrConfig, 1);

  g_atomic_ref_count_init (&self->refs);
  self->listeners = g_ptr_array_new_with_free_func (listener_free);
  self->users = g_ptr_array_new_with_free_func (user_free);
  self->routes = g_ptr_array_new_with_free_func (route_free);
  for (const PrKeySpec *spec = pr_key_specs; spec->group != NULL; spec++)
    if (!is_named (spec->group) && (spec == pr_key_specs || spec[-1].group != spec->group))
      set_defaults (spec->group, self);
  return self;
}

/* --- what only the whole tells ----------------------------------------------------------- */

/* This computer's name in a form that next hops accept: they refuse names without a dot. */
static char *
system_hostname (void)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (const char *p = g_get_host_name (); *p != '\0'; p++)
    if (g_ascii_isalnum (*p) || *p == '.')
      g_string_append_c (name, g_ascii_tolower (*p));
    else if (name->len > 0)
      g_string_append_c (name, '-');
  if (!pr_host_name_is_valid (name->str) || g_str_equal (name->str, "localhost"))
    g_string_assign (name, "localhost.localdomain");
  else if (strchr (name->str, '.') == NULL)
    g_string_append (name, ".local"); /* RFC 6762: by this name the local network knows it */
  return g_string_free (g_steal_pointer (&name), FALSE);
}

/* An empty value is as good as none. */
static gboolean
is_given (const PrSection *section, const char *key)
{
  for (guint i = 0; i < section->entries->len; i++)
    {
      const PrEntry *entry = &g_array_index (section->entries, PrEntry, i);

      if (g_str_equal (entry->key, key))
        return entry->value[0] != '\0';
    }
  return FALSE;
}

static void
check_listener (Builder *self, const PrSection *section, const PrListenerConfig *listener)
{
  if (is_given (section, "key") && !is_given (section, "certificate"))
    pr_faults_add (&self->faults, section->name, "key", "needs certificate= as well");
}

static void
check_user (Builder *self, const PrSection *section, const PrUserConfig *user)
{
  if (!is_given (section, "secret"))
    pr_faults_add (&self->faults, section->name, "secret",
                   "is missing; let \"postroomctl user add\" write it");
}

static void
set_ports (PrRouteConfig *route)
{
  for (guint i = 0; i < route->n_hosts; i++)
    if (route->hosts[i].port == 0)
      route->hosts[i].port = route->via == PR_VIA_LMTP       ? LMTP_PORT
                             : route->tls == PR_TLS_IMPLICIT ? SUBMISSIONS_PORT
                                                             : SUBMISSION_PORT;
}

static gboolean
has_mode (const PrProvider *provider, PrTlsMode mode)
{
  for (guint i = 0; i < provider->n_hosts; i++)
    if (provider->hosts[i].tls == mode)
      return TRUE;
  return FALSE;
}

/* All hosts of a route speak TLS in one way: that of the preferred one, or the one the route asks
 * for. FALSE: a parameter has no value. */
static gboolean
take_hosts (const PrSection *section, PrRouteConfig *route)
{
  const PrProvider *provider = route->provider;

  if (!is_given (section, "tls"))
    route->tls = provider->hosts[0].tls;
  g_free (route->hosts); /* of an empty value */
  route->hosts = g_new0 (PrHostPort, provider->n_hosts);
  for (guint i = 0; i < provider->n_hosts; i++)
    {
      const PrProviderHost *host = &provider->hosts[i];
      char *name;

      if (host->tls != route->tls)
        continue;
      if ((name = pr_provider_fill (provider, host->host, NULL, NULL)) == NULL)
        return FALSE;
      route->hosts[route->n_hosts++] = (PrHostPort){ name, host->port };
    }
  return TRUE;
}

/* Microsoft's addresses name the organisation; "common" stands for any. */
static char *
name_tenant (const char *url, const char *tenant)
{
  GString *text = g_string_new (url);

  if (tenant != NULL)
    {
      g_autofree char *segment = g_strdup_printf (".com/%s/", tenant);

      g_string_replace (text, ".com/common/", segment, 1);
    }
  return g_string_free (text, FALSE);
}

/* (transfer full) (nullable): none are known. */
static char *
join_scopes (char **scopes)
{
  return scopes[0] != NULL ? g_strjoinv (" ", scopes) : NULL;
}

static void
take_oauth (PrRouteConfig *route)
{
  const PrProviderOauth *oauth = route->provider->oauth;
  const PrProviderApi *api = route->via != PR_VIA_SMARTHOST ? route->provider->api : NULL;
  gboolean alone = g_str_equal (route->oauth_flow, "client-credentials");

  if (route->oauth_authorize == NULL)
    route->oauth_authorize = name_tenant (oauth->authorize_url, route->tenant);
  if (route->oauth_token == NULL)
    route->oauth_token = name_tenant (oauth->token_url, route->tenant);
  if (route->oauth_device == NULL && oauth->device_url != NULL)
    route->oauth_device = name_tenant (oauth->device_url, route->tenant);
  if (route->oauth_revoke == NULL)
    route->oauth_revoke = g_strdup (oauth->revoke_url);
  if (route->oauth_scopes == NULL)
    route->oauth_scopes =
      join_scopes (alone         ? api != NULL ? api->program_scopes : oauth->program_scopes
                   : api != NULL ? api->scopes
                                 : oauth->scopes);
}

/* What the route does not say itself comes from its provider. */
static void
take_preset (Builder *self, const PrSection *section, PrRouteConfig *route)
{
  const PrProvider *provider = route->provider;

  if (is_given (section, "hosts") || route->via != PR_VIA_SMARTHOST)
    ;
  else if (is_given (section, "tls") && !has_mode (provider, route->tls))
    pr_faults_add (&self->faults, section->name, "tls", "%s has no such server; leave tls= out",
                   provider->name);
  else if (!take_hosts (section, route))
    pr_faults_add (&self->faults, section->name, "hosts",
                   "is missing; %s has several: see \"postroomctl provider show %s\"",
                   provider->name, provider->id);
  if (!is_given (section, "limit"))
    {
      g_free (route->limits); /* of an empty value */
      route->limits = g_memdup2 (provider->limits, provider->n_limits * sizeof (PrRateLimit));
      route->n_limits = provider->n_limits;
    }
  if (!is_given (section, "max-connections") && provider->max_connections > 0)
    route->max_connections = provider->max_connections;
  if (!is_given (section, "max-messages-per-connection") &&
      provider->max_messages_per_connection > 0)
    route->max_messages_per_connection =
      MIN (route->max_messages_per_connection, provider->max_messages_per_connection);
  if (!is_given (section, "username") && provider->login == PR_LOGIN_LITERAL)
    route->username = g_strdup (provider->login_value);
  if (provider->oauth != NULL && route->client_id != NULL)
    take_oauth (route);
}

/* What OAuth needs. */
static void
check_sign_in (Builder *self, const PrSection *section, const PrRouteConfig *route)
{
  PrFaults *faults = &self->faults;
  const char *group = section->name;
  gboolean alone = g_str_equal (route->oauth_flow, "client-credentials");

  if (route->account != NULL && !g_str_has_prefix (route->account, "goa:"))
    pr_faults_add (faults, group, "account", "must be goa: and the id of an account");
  if ((route->account != NULL || route->client_id != NULL) && route->username == NULL)
    pr_faults_add (faults, group, "username", "is missing; it is the address of the mailbox");
  if (route->client_id == NULL)
    return;
  if (route->oauth_token == NULL)
    pr_faults_add (faults, group, "oauth-token", "is missing; client-id needs it");
  if (!alone && route->oauth_authorize == NULL && route->oauth_device == NULL)
    pr_faults_add (faults, group, "oauth-authorize",
                   "is missing; client-id needs it, or oauth-device");
  if (g_str_equal (route->oauth_flow, "device") && route->oauth_device == NULL)
    pr_faults_add (faults, group, "oauth-device", "is missing; oauth-flow=device needs it");
}

static void
check_api (Builder *self, const PrSection *section, const PrRouteConfig *route)
{
  gboolean is_api = route->via == PR_VIA_GMAIL_API || route->via == PR_VIA_GRAPH;

  if (is_api && route->username == NULL)
    pr_faults_add (&self->faults, section->name, "username",
                   "is missing; the provider sends as this account");
  if (route->api_url != NULL && (!g_uri_is_valid (route->api_url, G_URI_FLAGS_NONE, NULL) ||
                                 !(g_str_has_prefix (route->api_url, "https://") ||
                                   g_str_has_prefix (route->api_url, "http://")) ||
                                 g_str_has_suffix (route->api_url, "/")))
    pr_faults_add (&self->faults, section->name, "api-url",
                   "is no address such as https://graph.microsoft.us/v1.0");
}

static void
check_route (Builder *self, const PrSection *section, PrRouteConfig *route)
{
  PrFaults *faults = &self->faults;
  const char *group = section->name;
  gboolean has_hosts = is_given (section, "hosts"), has_path = is_given (section, "path");

  if (!is_given (section, "tls") && route->via == PR_VIA_MX)
    route->tls = PR_TLS_OPPORTUNISTIC; /* RFC 7435: few servers could be reached otherwise */
  if (!is_given (section, "tls") && route->via == PR_VIA_LMTP)
    route->tls = PR_TLS_OFF;

  if (route->provider != NULL)
    take_preset (self, section, route);
  else if (route->via == PR_VIA_SMARTHOST && !has_hosts && !is_given (section, "provider"))
    pr_faults_add (faults, group, "hosts",
                   "is missing; via=smarthost needs a server such as smtp.example.org:587, or "
                   "provider= one of \"postroomctl provider list\"");
  if (route->via == PR_VIA_LMTP && has_hosts == has_path)
    pr_faults_add (faults, group, has_path ? "path" : "hosts",
                   has_path ? "via=lmtp takes either hosts or path"
                            : "is missing; via=lmtp needs hosts or path");
  check_api (self, section, route);
  if (route->via == PR_VIA_MAILDIR && !has_path)
    pr_faults_add (faults, group, "path", "is missing; via=maildir needs a folder");
  if (route->via == PR_VIA_MX && is_given (section, "username"))
    pr_faults_add (faults, group, "username",
                   "via=mx signs in nowhere; the password would go to strangers");
  if (route->pin != NULL && route->tls != PR_TLS_REQUIRED && route->tls != PR_TLS_IMPLICIT)
    pr_faults_add (faults, group, "pin", "needs tls=required or tls=implicit");
  if (route->pin != NULL && route->via == PR_VIA_MX)
    pr_faults_add (faults, group, "pin", "is one server's, but via=mx goes to many");
  if (route->via == PR_VIA_MX && route->tls == PR_TLS_IMPLICIT)
    pr_faults_add (faults, group, "tls", "via=mx uses port 25, where TLS begins by STARTTLS");
  check_sign_in (self, section, route);
  set_ports (route);
}

/* Two listeners cannot have one address. Port 0 is another one each time. */
static void
check_addresses (Builder *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->config->listeners->len; i++)
    {
      const PrListenerConfig *listener = self->config->listeners->pdata[i];

      for (guint j = 0; listener->listen != NULL && listener->listen[j] != NULL; j++)
        {
          g_autofree char *group = g_strdup_printf ("listener %s", listener->name);

          if (g_str_has_suffix (listener->listen[j], ":0"))
            continue;
          if (!g_hash_table_add (seen, listener->listen[j]))
            pr_faults_add (&self->faults, group, "listen", "\"%s\" is named twice",
                           listener->listen[j]);
        }
    }
}

/* --- building ---------------------------------------------------------------------------- */

static const PrKeySpec *
find_spec (const char *group, const char *key)
{
  for (const PrKeySpec *spec = pr_key_specs; spec->group != NULL; spec++)
    if (g_str_equal (spec->group, group) && g_str_equal (spec->key, key))
      return spec;
  return NULL;
}

/* What people often get wrong in any value. */
static const char *
hint (const PrKeySpec *spec, const char *value)
{
  if (strstr (value, " #") != NULL)
    return " (a comment needs a line of its own)";
  if (strchr (value, ',') != NULL && spec->kind >= PR_VALUE_LISTEN)
    return " (entries of a list are separated by \";\")";
  return "";
}

static void
read_entries (Builder *self, const PrSection *section, const char *group, gpointer object)
{
  PrValueTarget target = { object, self->base_dir };

  for (guint i = 0; i < section->entries->len; i++)
    {
      const PrEntry *entry = &g_array_index (section->entries, PrEntry, i);
      const PrKeySpec *spec = find_spec (group, entry->key);
      g_autofree char *why = NULL;

      if (spec == NULL)
        pr_faults_add (&self->faults, section->name, entry->key, "there is no such key");
      else if (!pr_value_parse (spec, entry->value, &target, &why))
        pr_faults_add (&self->faults, section->name, entry->key, "%s%s", why,
                       spec->kind < PR_VALUE_SECRET ? hint (spec, entry->value) : "");
    }
}

static gboolean
has_control (const char *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      return TRUE;
  return FALSE;
}

/* Splits "route NAME"; NULL after a complaint. @name is NULL for groups without one. */
static char *
read_group_name (Builder *self, const PrSection *section, const char **name)
{
  g_autofree char *group = g_strdup (section->name);
  char *blank = strchr (group, ' ');
  PrFaults *faults = &self->faults;

  *name = NULL;
  if (blank != NULL)
    {
      *blank = '\0';
      *name = section->name + (blank - group) + 1;
    }
  if (!is_group (group) || (*name != NULL && !is_named (group)))
    pr_faults_add (faults, section->name, NULL, "there is no such group");
  else if (*name == NULL && is_named (group))
    pr_faults_add (faults, section->name, NULL, "the group needs a name: [%s NAME]", group);
  else if (*name != NULL && strlen (*name) > MAX_NAME)
    pr_faults_add (faults, section->name, NULL, "the name is longer than %d octets", MAX_NAME);
  else if (*name != NULL && has_control (*name))
    pr_faults_add (faults, section->name, NULL, "the name has a control character in it");
  else
    return g_steal_pointer (&group);
  return NULL;
}

static void
read_section (Builder *self, const PrSection *section)
{
  const char *name = NULL;
  g_autofree char *group = read_group_name (self, section, &name);
  gpointer object = self->config;

  if (group == NULL)
    return;
  if (name != NULL)
    object = add_object (self->config, group, name);
  read_entries (self, section, group, object);
  if (g_str_equal (group, "listener"))
    check_listener (self, section, object);
  else if (g_str_equal (group, "user"))
    check_user (self, section, object);
  else if (g_str_equal (group, "route"))
    check_route (self, section, object);
}

static void
complete (PrConfig *config)
{
  if (config->listeners->len == 0)
    add_object (config, "listener", DEFAULT_LISTENER);
  if (config->hostname == NULL)
    config->hostname = system_hostname ();
}

/* --- public ------------------------------------------------------------------------------ */

PrConfig *
pr_config_new_default (void)
{
  PrConfig *self = new_config ();

  complete (self);
  return self;
}

PrConfig *
pr_config_parse (const char *text, gsize len, const char *name, GPtrArray **faults)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (PrConfig) config = new_config ();
  g_autofree char *path = g_canonicalize_filename (name, NULL);
  g_autofree char *base_dir = g_path_get_dirname (path);
  Builder self = { config, { name, lines }, base_dir };
  g_autoptr (GPtrArray) sections = NULL;

  *faults = NULL;
  if (len > MAX_FILE_OCTETS)
    pr_faults_add (&self.faults, NULL, NULL, "larger than 1 MiB: this is no configuration");
  else
    sections = pr_sections_parse (text, len, &self.faults);
  for (guint i = 0; sections != NULL && i < sections->len && !pr_faults_are_full (&self.faults);
       i++)
    read_section (&self, sections->pdata[i]);
  check_addresses (&self);
  if (lines->len > 0)
    {
      *faults = g_steal_pointer (&lines);
      return NULL;
    }
  complete (config);
  return g_steal_pointer (&config);
}

static PrConfig *
refuse (const char *path, const char *why, GPtrArray **faults)
{
  *faults = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (*faults, g_strdup_printf ("%s: %s", path, why));
  return NULL;
}

PrConfig *
pr_config_load (const char *path, GPtrArray **faults)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  GStatBuf status;
  gsize len;

  *faults = NULL;
  if (g_stat (path, &status) != 0 && errno == ENOENT)
    return pr_config_new_default ();
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return refuse (path, "is not a file that can be read", faults); /* a pipe would block */
  if (status.st_size > MAX_FILE_OCTETS)
    return refuse (path, "larger than 1 MiB: this is no configuration", faults);
  if (!g_file_get_contents (path, &text, &len, &error))
    return refuse (path, error->message, faults);
  return pr_config_parse (text, len, path, faults);
}

PrConfig *
pr_config_ref (PrConfig *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
pr_config_unref (PrConfig *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  for (const PrKeySpec *spec = pr_key_specs; spec->group != NULL; spec++)
    if (!is_named (spec->group))
      pr_value_clear (spec, self);
  g_ptr_array_unref (self->listeners);
  g_ptr_array_unref (self->users);
  g_ptr_array_unref (self->routes);
  g_free (self);
}

const PrRouteConfig *
pr_config_find_route (const PrConfig *self, const char *recipient, const char *sender)
{
  for (guint i = 0; i < self->routes->len; i++)
    {
      const PrRouteConfig *route = self->routes->pdata[i];

      if (pr_patterns_match (route->recipients, recipient) &&
          pr_patterns_match (route->senders, sender))
        return route;
    }
  return NULL;
}

const PrRouteConfig *
pr_config_get_route (const PrConfig *self, const char *name)
{
  for (guint i = 0; i < self->routes->len; i++)
    {
      const PrRouteConfig *route = self->routes->pdata[i];

      if (g_str_equal (route->name, name))
        return route;
    }
  return NULL;
}

gboolean
pr_config_save (const char *path, const char *text, gsize len, GError **error)
{
  g_autoptr (GError) own = NULL;

  if (g_file_set_contents_full (path, text, (gssize) len,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &own))
    return TRUE;
  g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "%s cannot be written: %s", path, own->message);
  return FALSE;
}

char *
pr_rate_limit_describe (const PrRateLimit *limit)
{
  static const struct
  {
    guint64 seconds;
    const char *one, *many;
  } units[] = {
    { 86400, "a day", "days" },
    { 3600, "an hour", "hours" },
    { 60, "a minute", "minutes" },
    { 1, "a second", "seconds" },
  };
  const char *what = limit->per_recipient ? "recipient" : "message";
  const char *plural = limit->number == 1 ? "" : "s";
  guint i = 0;

  while (limit->window_s % units[i].seconds != 0 && i < G_N_ELEMENTS (units) - 1)
    i++;
  if (limit->window_s == units[i].seconds)
    return g_strdup_printf ("%u %s%s %s", limit->number, what, plural, units[i].one);
  return g_strdup_printf ("%u %s%s in %" G_GUINT64_FORMAT " %s", limit->number, what, plural,
                          limit->window_s / units[i].seconds, units[i].many);
}
