/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/add-route.h"

#include <string.h>

#include "common/error.h"
#include "config/providers.h"
#include "service/edits.h"

typedef struct
{
  const PrProvider *provider; /* borrowed */
  GVariant *options;          /* borrowed */
  const char *group;          /* borrowed */
  GPtrArray *edits;           /* borrowed, of GVariant (ssss): in the order of the group */
} Adding;

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (PR_ERROR, PR_ERROR_CONFIG, format, args));
  va_end (args);
  return FALSE;
}

/* NULL: it is not said, or empty. */
static const char *
get_option (GVariant *options, const char *key)
{
  const char *value = NULL;

  return g_variant_lookup (options, key, "&s", &value) && *value != '\0' ? value : NULL;
}

static void
set (Adding *self, const char *key, const char *value)
{
  g_ptr_array_add (self->edits,
                   g_variant_ref_sink (g_variant_new ("(ssss)", "set", self->group, key, value)));
}

static void
copy_option (Adding *self, const char *key)
{
  const char *value = get_option (self->options, key);

  if (value != NULL)
    set (self, key, value);
}

/* By its HTTPS interface, not by SMTP. */
static gboolean
goes_by_api (const Adding *self)
{
  const char *via = get_option (self->options, "via");

  return via != NULL && !g_str_equal (via, "smarthost");
}

/* The one that was asked for by --auth, else the simplest; an interface over HTTPS takes tokens. */
static const PrProviderSignIn *
find_sign_in (const Adding *self)
{
  const char *auth = get_option (self->options, "auth");
  gboolean by_api = goes_by_api (self);
  gboolean oauth = auth == NULL ? by_api
                                : g_str_equal (auth, "oauth") || g_str_equal (auth, "xoauth2") ||
                                    g_str_equal (auth, "oauthbearer");

  for (guint i = 0; i < self->provider->n_sign_ins && (oauth || !by_api); i++)
    if ((auth == NULL && !by_api) ||
        (self->provider->sign_ins[i].kind == PR_SIGN_IN_OAUTH) == oauth)
      return &self->provider->sign_ins[i];
  return NULL;
}

static gboolean
add_auth (Adding *self, GError **error)
{
  const PrProviderSignIn *way = find_sign_in (self);
  const char *auth = get_option (self->options, "auth");

  if (way == NULL)
    return refuse (error,
                   "%s lets nobody sign in with auth=%s%s; see: postroomctl provider show %s",
                   self->provider->name, auth != NULL ? auth : "oauth",
                   goes_by_api (self) ? " over HTTPS" : "", self->provider->id);
  if (way->kind == PR_SIGN_IN_OAUTH && (auth == NULL || g_str_equal (auth, "oauth")))
    auth = goes_by_api (self) ? "oauthbearer" : way->mechanisms[0]; /* RFC 6750: as HTTPS has it */
  if (auth != NULL)
    set (self, "auth", auth);
  if (way->kind != PR_SIGN_IN_OAUTH)
    return TRUE;
  copy_option (self, "client-id");
  copy_option (self, "tenant");
  copy_option (self, "oauth-flow");
  return TRUE;
}

static gboolean
add_via (Adding *self, GError **error)
{
  const PrProviderApi *api = self->provider->api;
  const char *via = get_option (self->options, "via");

  if (!goes_by_api (self))
    return TRUE;
  if (api == NULL)
    return refuse (error, "%s takes mail by SMTP alone: leave via=%s out", self->provider->name,
                   via);
  if (!g_str_equal (api->via, via))
    return refuse (error, "%s does not take mail by via=%s, but by via=%s", self->provider->name,
                   via, api->via);
  set (self, "via", via);
  return TRUE;
}

static gboolean
add_username (Adding *self, GError **error)
{
  const PrProvider *provider = self->provider;
  const char *given = get_option (self->options, "username");
  g_autofree char *made = given != NULL ? pr_provider_make_username (provider, given) : NULL;

  if (provider->login == PR_LOGIN_LITERAL || (provider->login == PR_LOGIN_NONE && given == NULL))
    return TRUE;
  if (given == NULL)
    return refuse (error, "Say with which name you sign in to %s: %s", provider->name,
                   provider->login_words != NULL ? provider->login_words
                                                 : "your whole address there");
  if (provider->login == PR_LOGIN_ADDRESS && made == NULL)
    return refuse (error, "%s wants your whole address to sign in, not \"%s\"", provider->name,
                   given);
  set (self, "username", made != NULL ? made : given);
  return TRUE;
}

static gboolean
check_parameter (const PrProvider *provider, const char *value, GError **error)
{
  const PrProviderParameter *parameter = &provider->parameters[0];
  g_autofree char *known = g_strjoinv (", ", parameter->values);

  if (value == NULL && parameter->default_value == NULL)
    return refuse (error, "%s needs its %s. %s%s%s", provider->name, parameter->name,
                   parameter->words, parameter->example != NULL ? " For example: " : "",
                   parameter->example != NULL ? parameter->example : "");
  if (value != NULL && parameter->values[0] != NULL &&
      !g_strv_contains ((const char *const *) parameter->values, value))
    return refuse (error, "The %s of %s is one of: %s", parameter->name, provider->name, known);
  return TRUE;
}

/* With a parameter the hosts stand in the route; else they come from the preset each time. */
static gboolean
add_hosts (Adding *self, GError **error)
{
  const PrProvider *provider = self->provider;
  const char *value = get_option (self->options, "parameter");
  g_autoptr (GString) hosts = g_string_new (NULL);

  if (goes_by_api (self))
    return TRUE;
  if (get_option (self->options, "hosts") != NULL)
    {
      copy_option (self, "hosts");
      return TRUE;
    }
  if (provider->n_parameters == 0 && value != NULL)
    return refuse (error, "%s has nothing to choose", provider->name);
  if (provider->n_parameters == 0)
    return TRUE;
  if (!check_parameter (provider, value, error))
    return FALSE;
  if (value == NULL)
    return TRUE;

  for (guint i = 0; i < provider->n_hosts; i++)
    {
      const PrProviderHost *host = &provider->hosts[i];
      g_autofree char *name =
        pr_provider_fill (provider, host->host, provider->parameters[0].name, value);

      if (host->tls == provider->hosts[0].tls)
        g_string_append_printf (hosts, "%s%s:%u", hosts->len > 0 ? ";" : "", name, host->port);
    }
  set (self, "hosts", hosts->str);
  set (self, "tls",
       provider->hosts[0].tls == PR_TLS_IMPLICIT        ? "implicit"
       : provider->hosts[0].tls == PR_TLS_OPPORTUNISTIC ? "opportunistic"
                                                        : "required");
  return TRUE;
}

/* An edit puts its key before the others of its group: the last one first. */
static GVariant *
take_edits (Adding *self)
{
  GVariantBuilder edits;

  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ssss)"));
  for (guint i = self->edits->len; i > 0; i--)
    g_variant_builder_add_value (&edits, self->edits->pdata[i - 1]);
  return g_variant_ref_sink (g_variant_builder_end (&edits));
}

static gboolean
fill_in (Adding *self, GError **error)
{
  set (self, "provider", self->provider->id);
  if (!add_via (self, error))
    return FALSE;
  copy_option (self, "recipients");
  copy_option (self, "senders");
  return add_hosts (self, error) && add_username (self, error) && add_auth (self, error);
}

static gboolean
has_route (const char *text, const char *name)
{
  g_autofree char *head = g_strdup_printf ("[route %s]", name);

  for (const char *line = text; line != NULL; line = strchr (line, '\n'))
    {
      line += *line == '\n';
      if (g_str_has_prefix (line, head))
        return TRUE;
    }
  return FALSE;
}

/* The id of the provider, with a number behind it where that is taken. */
static char *
make_name (const char *text, const PrProvider *provider)
{
  char *name = g_strdup (provider->id);

  for (guint i = 2; has_route (text, name); i++)
    {
      g_free (name);
      name = g_strdup_printf ("%s-%u", provider->id, i);
    }
  return name;
}

char *
pr_add_route (const char *text, GVariant *options, char **name, GError **error)
{
  const char *id = get_option (options, "provider");
  const char *wanted = get_option (options, "name");
  g_autoptr (PrProvider) provider = id != NULL ? pr_provider_load (id) : NULL;
  g_autofree char *chosen = NULL;
  g_autofree char *group = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GVariant) edits = NULL;
  Adding self = { .provider = provider, .options = options };

  if (provider == NULL)
    {
      refuse (error, "There is no provider \"%s\"; \"postroomctl provider list\" names them",
              id != NULL ? id : "");
      return NULL;
    }
  if (wanted != NULL && has_route (text, wanted))
    {
      refuse (error, "There is a route %s already", wanted);
      return NULL;
    }
  chosen = wanted != NULL ? g_strdup (wanted) : make_name (text, provider);
  self.group = group = g_strdup_printf ("route %s", chosen);
  self.edits = list = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  if (!fill_in (&self, error))
    return NULL;
  edits = take_edits (&self);
  *name = g_steal_pointer (&chosen);
  return pr_edits_apply (text, edits, error);
}
