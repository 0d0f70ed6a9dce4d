/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provider.h"

#include <glib/gstdio.h>

#include "common/module.h"
#include "config/secrets.h"

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer user_data)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  Provider *self = user_data;
  g_autofree char *made_up = NULL;
  const char *reply = self->reply;

  self->n_asked++;
  g_string_append_printf (self->asked, "%s %.*s\n", path, (int) body->length, body->data);
  if (self->silent)
    {
      soup_server_message_pause (message);
      return;
    }
  if (reply == NULL)
    reply = made_up =
      g_strdup_printf ("{\"access_token\":\"access-%u\",\"refresh_token\":"
                       "\"refresh-%u\",\"expires_in\":%u,\"token_type\":\"Bearer\"}",
                       self->n_asked, self->n_asked, self->life_s);
  soup_server_message_set_status (message, self->status, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_COPY, reply,
                                    strlen (reply));
}

static void
on_changed (const char *route, gpointer user_data)
{
  Provider *self = user_data;

  g_string_append_printf (self->changed, "%s ", route);
}

void
provider_set_up (Provider *self, gconstpointer data)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "..", "app", NULL);
  g_autoptr (GError) error = NULL;
  GSList *uris;

  pr_module_set_folder (modules);
  self->context = g_main_context_default ();
  self->loop = pr_loop_new (self->context);
  self->web = pr_web_new (self->context);
  self->asked = g_string_new (NULL);
  self->changed = g_string_new (NULL);
  self->status = 200;
  self->life_s = 3600;
  self->folder = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  self->credentials = g_build_filename (self->folder, "credentials", NULL);
  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->server, NULL, on_request, self, NULL);
  soup_server_listen_local (self->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (self->server);
  self->url = g_strdup_printf ("http://127.0.0.1:%d", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  self->oauth = pr_oauth_new (self->loop, self->web, self->credentials);
  g_assert_true (pr_oauth_get_web (self->oauth) == self->web);
  g_assert_true (pr_oauth_get_loop (self->oauth) == self->loop);
  pr_oauth_listen (self->oauth, on_changed, self);
}

void
provider_tear_down (Provider *self, gconstpointer data)
{
  g_clear_pointer (&self->oauth, pr_oauth_free);
  pr_web_free (self->web);
  soup_server_disconnect (self->server);
  while (g_main_context_iteration (self->context, FALSE))
    continue;
  g_clear_object (&self->server);
  pr_loop_free (self->loop);
  g_unlink (self->credentials);
  g_rmdir (self->credentials); /* provider_break_disk() */
  g_rmdir (self->folder);
  g_string_free (self->asked, TRUE);
  g_string_free (self->changed, TRUE);
  g_free (self->credentials);
  g_free (self->folder);
  g_free (self->url);
}

void
provider_configure (Provider *self, const char *more)
{
  g_autofree char *text = g_strdup_printf (
    "[route r]\nhosts=smtp.example.org:587\nusername=me@example.org\nclient-id=postroom\n"
    "oauth-authorize=%s/authorize\noauth-token=%s/token\noauth-device=%s/device\n"
    "oauth-revoke=%s/revoke\noauth-scopes=mail offline_access\n%s",
    self->url, self->url, self->url, self->url, more);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse (text, strlen (text), "test.conf", &faults);

  if (config == NULL)
    g_error ("%s", (const char *) faults->pdata[0]);
  pr_oauth_set_config (self->oauth, config);
}

char *
provider_read_record (Provider *self)
{
  g_autoptr (GError) error = NULL;
  char *text = pr_secrets_get (self->credentials, "r", PR_SECRET_TOKEN, &error);

  g_assert_no_error (error);
  return text;
}

void
provider_break_disk (Provider *self)
{
  g_unlink (self->credentials);
  g_assert_cmpint (g_mkdir (self->credentials, 0700), ==, 0);
}

void
provider_mend_disk (Provider *self)
{
  g_assert_cmpint (g_rmdir (self->credentials), ==, 0);
}

void
provider_write_record (Provider *self, const char *access, const char *refresh, gint64 expires_in_s)
{
  g_autoptr (PrToken) token = pr_token_new ();
  g_autoptr (GError) error = NULL;
  char *text;

  token->access = g_strdup (access);
  token->refresh = g_strdup (refresh);
  token->client_id = g_strdup ("postroom");
  token->expires_s = g_get_real_time () / G_USEC_PER_SEC + expires_in_s;
  token->obtained_s = token->expires_s - 3600;
  text = pr_token_to_text (token);
  pr_secrets_set (self->credentials, "r", PR_SECRET_TOKEN, text, &error);
  g_assert_no_error (error);
  pr_secret_free (text);
}
