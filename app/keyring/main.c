/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question to the desktop's secret service (libsecret): a keyring on the session bus, or in a
 * sandbox the portal's. A program of its own, because the service that runs all day would keep
 * libsecret's libraries in memory for ever, and because a question that hangs ends with it.
 *
 *   postroom-keyring get|set|clear OWNER ROUTE KIND
 *
 * The secret comes on standard input and goes to standard output; why it failed, too. It asks
 * nobody to unlock anything: what is locked is told. Exit codes are in config/keyring.h. */

#include <errno.h>
#include <gio/gio.h>
#include <libsecret/secret.h>
#include <string.h>
#include <unistd.h>

#include "config/keyring.h"
#include "config/secrets.h"

#define LIMIT_S 10
#define LOCKED "it is locked; unlock it, for example by logging in to the desktop"

static const SecretSchema schema = {
  "io.github.postroom.Route",
  SECRET_SCHEMA_NONE,
  {
    { "owner", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "route", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "kind", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { NULL, 0 },
  },
};

typedef struct
{
  const char *route, *kind;
  GHashTable *attributes;
  SecretService *service; /* NULL: a sandbox's own file, by the portal */
} Question;

/* ── Standard input and output ────────────────────────────────────────────────────────────── */

static PrKeyringExit
say (const char *text, PrKeyringExit code)
{
  gsize left = strlen (text);

  while (left > 0)
    {
      gssize n = write (STDOUT_FILENO, text, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return PR_KEYRING_EXIT_FAILED;
      text += n;
      left -= (gsize) n;
    }
  return code;
}

static PrKeyringExit
fail (const char *why)
{
  return say (why, PR_KEYRING_EXIT_FAILED);
}

/* The secret, in memory that is not swapped out. */
static SecretValue *
read_secret (void)
{
  char *text = g_malloc (PR_SECRET_MAX_OCTETS + 1);
  gsize len = 0;
  gssize n;

  while ((n = read (STDIN_FILENO, text + len, PR_SECRET_MAX_OCTETS + 1 - len)) != 0)
    {
      if (n < 0 && errno != EINTR)
        break;
      len += n > 0 ? (gsize) n : 0;
      if (len > PR_SECRET_MAX_OCTETS)
        break;
    }
  if (n != 0)
    {
      secret_password_wipe (text);
      g_free (text);
      return NULL;
    }
  text[len] = '\0';
  return secret_value_new_full (text, (gssize) len, "text/plain",
                                (GDestroyNotify) secret_password_free);
}

/* ── Is there a keyring? ──────────────────────────────────────────────────────────────────── */

static gboolean
is_sandboxed (void)
{
  return g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS) ||
         g_strcmp0 (g_getenv ("SECRET_BACKEND"), "file") == 0;
}

/* GDBus would start a bus of its own for an X session that has none. */
static gboolean
has_bus (void)
{
  g_autofree char *socket = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);

  return g_getenv ("DBUS_SESSION_BUS_ADDRESS") != NULL || g_file_test (socket, G_FILE_TEST_EXISTS);
}

/* Nobody there at all is no fault. */
static gboolean
means_none (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
         (is_sandboxed () && g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)) ||
         (is_sandboxed () && g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE));
}

static PrKeyringExit
judge (const GError *error)
{
  g_autofree char *words = NULL;

  if (means_none (error))
    return PR_KEYRING_EXIT_NO_SERVICE;
  /* What gnome-keyring answers where nobody has ever logged in. */
  if (g_error_matches (error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED) ||
      g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
      g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT))
    return fail (LOCKED);
  words = g_strdup (error->message);
  if (g_dbus_error_is_remote_error (error))
    {
      g_autoptr (GError) stripped = g_error_copy (error);

      g_dbus_error_strip_remote_error (stripped);
      return fail (stripped->message);
    }
  return fail (words);
}

/* FALSE with @code: there is none, or it is in trouble. */
static gboolean
find_service (Question *self, PrKeyringExit *code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = NULL;

  *code = PR_KEYRING_EXIT_NO_SERVICE;
  if (!has_bus ())
    return FALSE;
  bus = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  if (bus == NULL)
    return FALSE;
  self->service = secret_service_get_sync (SECRET_SERVICE_OPEN_SESSION, NULL, &error);
  if (self->service == NULL)
    *code = judge (error);
  return self->service != NULL;
}

/* ── A keyring on the bus ─────────────────────────────────────────────────────────────────── */

static PrKeyringExit
get_from_service (Question *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SecretValue) value = NULL;
  GList *items = secret_service_search_sync (self->service, &schema, self->attributes,
                                             SECRET_SEARCH_LOAD_SECRETS, NULL, &error);
  const char *text = NULL;
  gboolean locked = items != NULL && secret_item_get_locked (items->data);
  gboolean found = items != NULL;

  if (error != NULL)
    return judge (error);
  if (found)
    value = secret_item_get_secret (items->data);
  g_list_free_full (items, g_object_unref);
  if (!found)
    return PR_KEYRING_EXIT_NOTHING;
  if (locked)
    return fail (LOCKED);
  text = value != NULL ? secret_value_get_text (value) : NULL;
  return text != NULL ? say (text, PR_KEYRING_EXIT_DONE) : fail ("what it keeps cannot be read");
}

/* Storing into what is locked would ask a person. */
static gboolean
is_ready (Question *self, PrKeyringExit *code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SecretCollection) collection = secret_collection_for_alias_sync (
    self->service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, NULL, &error);

  if (error != NULL)
    *code = judge (error);
  else if (collection == NULL)
    *code = fail ("it has no default keyring yet; make one in the desktop's settings of passwords");
  else if (secret_collection_get_locked (collection))
    *code = fail (LOCKED);
  else
    return TRUE;
  return FALSE;
}

static PrKeyringExit
set_in_service (Question *self, const char *label, SecretValue *value)
{
  g_autoptr (GError) error = NULL;
  PrKeyringExit code;

  if (!is_ready (self, &code))
    return code;
  if (!secret_service_store_sync (self->service, &schema, self->attributes,
                                  SECRET_COLLECTION_DEFAULT, label, value, NULL, &error))
    return judge (error);
  return PR_KEYRING_EXIT_DONE;
}

static PrKeyringExit
delete_items (GList *items)
{
  for (GList *link = items; link != NULL; link = link->next)
    if (secret_item_get_locked (link->data))
      return fail (LOCKED);
  for (GList *link = items; link != NULL; link = link->next)
    {
      g_autoptr (GError) error = NULL;

      if (!secret_item_delete_sync (link->data, NULL, &error))
        return judge (error);
    }
  return items != NULL ? PR_KEYRING_EXIT_DONE : PR_KEYRING_EXIT_NOTHING;
}

static PrKeyringExit
clear_in_service (Question *self)
{
  g_autoptr (GError) error = NULL;
  GList *items = secret_service_search_sync (self->service, &schema, self->attributes,
                                             SECRET_SEARCH_ALL, NULL, &error);
  PrKeyringExit code = error != NULL ? judge (error) : delete_items (items);

  g_list_free_full (items, g_object_unref);
  return code;
}

/* ── A sandbox's file, whose key the portal keeps ─────────────────────────────────────────── */

static PrKeyringExit
get_from_portal (Question *self)
{
  g_autoptr (GError) error = NULL;
  char *text = secret_password_lookupv_nonpageable_sync (&schema, self->attributes, NULL, &error);
  PrKeyringExit code;

  if (error != NULL)
    return judge (error);
  if (text == NULL)
    return PR_KEYRING_EXIT_NOTHING;
  code = say (text, PR_KEYRING_EXIT_DONE);
  secret_password_free (text);
  return code;
}

static PrKeyringExit
set_by_portal (Question *self, const char *label, SecretValue *value)
{
  g_autoptr (GError) error = NULL;

  return secret_password_storev_sync (&schema, self->attributes, SECRET_COLLECTION_DEFAULT, label,
                                      secret_value_get_text (value), NULL, &error)
           ? PR_KEYRING_EXIT_DONE
           : judge (error);
}

static PrKeyringExit
clear_by_portal (Question *self)
{
  g_autoptr (GError) error = NULL;
  gboolean cleared = secret_password_clearv_sync (&schema, self->attributes, NULL, &error);

  if (error != NULL)
    return judge (error);
  return cleared ? PR_KEYRING_EXIT_DONE : PR_KEYRING_EXIT_NOTHING;
}

/* ── What is asked ────────────────────────────────────────────────────────────────────────── */

static PrKeyringExit
set (Question *self)
{
  g_autofree char *label =
    g_strdup_printf ("Postroom: %s of the route %s", self->kind, self->route);
  g_autoptr (SecretValue) value = read_secret ();

  if (value == NULL)
    return fail ("the secret did not arrive");
  return self->service != NULL ? set_in_service (self, label, value)
                               : set_by_portal (self, label, value);
}

static PrKeyringExit
answer (Question *self, const char *verb)
{
  if (g_str_equal (verb, "get"))
    return self->service != NULL ? get_from_service (self) : get_from_portal (self);
  if (g_str_equal (verb, "set"))
    return set (self);
  if (g_str_equal (verb, "clear"))
    return self->service != NULL ? clear_in_service (self) : clear_by_portal (self);
  return PR_KEYRING_EXIT_USAGE;
}

int
main (int argc, char *argv[])
{
  Question question = { 0 };
  PrKeyringExit code = PR_KEYRING_EXIT_NO_SERVICE;

  if (argc != 5)
    return PR_KEYRING_EXIT_USAGE;
  alarm (LIMIT_S); /* ends the program: whoever asked waits for no more */
  question.route = argv[3];
  question.kind = argv[4];
  question.attributes =
    secret_attributes_build (&schema, "owner", argv[2], "route", argv[3], "kind", argv[4], NULL);
  if (is_sandboxed () || find_service (&question, &code))
    code = answer (&question, argv[1]);
  /* At once: what the libraries hold, and leak (libsecret's file store, 0.20), goes anyway. */
  _exit ((int) code);
}
