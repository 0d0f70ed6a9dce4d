/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets of routes: in a keyring, else in a key file. */
#include "config/secrets.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "config/config.h"
#include "config/keyring.h"

#define MAX_FILE_OCTETS (1024 * 1024)

static const char *const keys[] = {
  [PR_SECRET_PASSWORD] = "password",
  [PR_SECRET_TOKEN] = "token",
  [PR_SECRET_CLIENT_SECRET] = "client-secret",
};

static GMutex writing; /* the file is read, changed and written by one thread at a time */

static gboolean
fail (GError **error, const char *path, const char *why)
{
  g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "%s: %s", path, why);
  return FALSE;
}

static gboolean
is_private (const GStatBuf *status)
{
#ifdef G_OS_UNIX
  return (status->st_mode & (S_IRWXG | S_IRWXO)) == 0;
#else
  return TRUE;
#endif
}

/* An absent file is an empty one. */
static gboolean
load (const char *path, GKeyFile *file, GError **error)
{
  g_autoptr (GError) own = NULL;
  g_autofree char *text = NULL;
  GStatBuf status;
  gsize len = 0;
  gboolean ok;

  if (g_stat (path, &status) != 0)
    return errno == ENOENT || fail (error, path, g_strerror (errno));
  if (!S_ISREG (status.st_mode) || status.st_size > MAX_FILE_OCTETS)
    return fail (error, path, "is not a credentials file");
  if (!is_private (&status))
    return fail (error, path, "can be read by others; change that with: chmod 600");
  if (!g_file_get_contents (path, &text, &len, &own))
    return fail (error, path, own->message);
  /* GKeyFile's own message would quote the line, and that may hold a password. */
  ok = len == 0 || g_key_file_load_from_data (file, text, len, G_KEY_FILE_KEEP_COMMENTS, NULL);
  pr_secret_wipe (text, len);
  return ok || fail (error, path, "is not a key file ([route NAME] and password=... in it)");
}

static gboolean
name_is_valid (const char *route)
{
  for (const char *p = route; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) || *p == '[' || *p == ']')
      return FALSE;
  return route[0] != '\0' && g_utf8_validate (route, -1, NULL);
}

static char *
get_from_file (const char *path, const char *route, PrSecretKind kind, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *group = g_strconcat ("route ", route, NULL);
  g_autoptr (GError) own = NULL;
  char *text;

  if (!load (path, file, error))
    return NULL;
  text = g_key_file_get_string (file, group, keys[kind], &own);
  if (own == NULL || g_error_matches (own, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND) ||
      g_error_matches (own, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND))
    return text;
  pr_secret_free (text);
  g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
               "%s: a %s in it is not text in UTF-8, or has a lone backslash", path, keys[kind]);
  return NULL;
}

static void
change (GKeyFile *file, const char *group, const char *key, const char *text)
{
  g_auto (GStrv) left = NULL;

  if (text != NULL)
    {
      g_key_file_set_string (file, group, key, text);
      return;
    }
  g_key_file_remove_key (file, group, key, NULL);
  left = g_key_file_get_keys (file, group, NULL, NULL);
  if (left != NULL && left[0] == NULL)
    g_key_file_remove_group (file, group, NULL);
}

static gboolean
set_in_file (const char *path, const char *group, const char *key, const char *value,
             GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;
  gsize len;
  gboolean ok;

  if (!load (path, file, error))
    return FALSE;
  change (file, group, key, value);
  text = g_key_file_to_data (file, &len, NULL);
  ok = pr_config_save (path, text, len, error);
  pr_secret_wipe (text, len);
  return ok;
}

/* Of both stores, and what a person can do about it. */
static void
name_both (GError **error, const char *path, PrSecretKind kind, const GError *keyring)
{
  g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "%s; and there is no %s in %s",
               keyring->message, keys[kind], path);
}

char *
pr_secrets_get (const char *path, const char *route, PrSecretKind kind, GError **error)
{
  g_autofree char *owner = g_canonicalize_filename (path, NULL);
  g_autoptr (GError) file = NULL;
  g_autoptr (GError) keyring = NULL;
  char *text = get_from_file (path, route, kind, &file);

  if (file != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&file));
      return NULL;
    }
  if (text == NULL &&
      pr_keyring_get (owner, route, keys[kind], &text, &keyring) == PR_KEYRING_FAILED)
    name_both (error, path, kind, keyring);
  return text;
}

/* A copy in the file would be taken for the newer one. */
static gboolean
set (const char *path, const char *route, PrSecretKind kind, const char *text, GError **error)
{
  g_autofree char *owner = g_canonicalize_filename (path, NULL);
  g_autofree char *group = g_strconcat ("route ", route, NULL);
  g_autoptr (GError) keyring = NULL;
  PrKeyring kept = pr_keyring_set (owner, route, keys[kind], text, &keyring);

  if (kept == PR_KEYRING_FAILED)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY,
                   "%s; nothing was changed, try again then, or write %s=... below [%s] in %s",
                   keyring->message, keys[kind], group, path);
      return FALSE;
    }
  if (kept == PR_KEYRING_DONE && !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  return set_in_file (path, group, keys[kind], kept == PR_KEYRING_DONE ? NULL : text, error);
}

gboolean
pr_secrets_set (const char *path, const char *route, PrSecretKind kind, const char *text,
                GError **error)
{
  gboolean ok;

  if (!name_is_valid (route))
    return fail (error, path, "this is not the name of a route");
  if (text != NULL && !g_utf8_validate (text, -1, NULL))
    return fail (error, path, "the secret is not text in UTF-8");
  if (text != NULL && strlen (text) > PR_SECRET_MAX_OCTETS)
    return fail (error, path, "the secret is too long");
  g_mutex_lock (&writing);
  ok = set (path, route, kind, text, error);
  g_mutex_unlock (&writing);
  return ok;
}

void
pr_secret_wipe (gpointer data, gsize len)
{
#ifdef __GLIBC__
  explicit_bzero (data, len);
#else
  volatile char *p = data;

  while (len-- > 0)
    *p++ = '\0';
#endif
}

void
pr_secret_free (char *secret)
{
  if (secret == NULL)
    return;
  pr_secret_wipe (secret, strlen (secret));
  g_free (secret);
}
