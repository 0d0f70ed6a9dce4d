/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setup.h"

#include <string.h>
#include <glib/gi18n.h>

#include "control/client.h"
#include "reach.h"

typedef struct
{
  const char *interface, *method, *reply;
  GVariant *arguments; /* owned, nullable */
} Call;

struct _PrSetup
{
  GObject parent_instance;

  PrService *service; /* owned */
  char *route;        /* owned, nullable */
  gboolean is_ours;   /* the route was made here */
  gboolean is_oauth;  /* and signs in with OAuth */
  char *warning;      /* owned, nullable: of the last step */
  GVariant *undo;     /* owned, nullable: edits that take back who may send */

  GQueue calls;                                       /* owned Calls: what is still to be done */
  void (*answered) (PrSetup *self, GVariant *answer); /* nullable: of the call on its way */
  GVariant *options;       /* owned, nullable: of the route that is being made */
  GVariant *networks;      /* owned, nullable */
  char *password, *secret; /* owned, nullable */
  gboolean without_password;
  PrSetupDone done; /* NULL: nothing is going on */
  gpointer user_data;
};

G_DEFINE_FINAL_TYPE (PrSetup, pr_setup, G_TYPE_OBJECT)

static void
wipe (char **text)
{
  if (*text != NULL)
    explicit_bzero (*text, strlen (*text));
  g_clear_pointer (text, g_free);
}

static void
call_free (Call *call)
{
  g_clear_pointer (&call->arguments, g_variant_unref);
  g_free (call);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
push (PrSetup *self, const char *interface, const char *method, GVariant *arguments,
      const char *reply)
{
  Call *call = g_new0 (Call, 1);

  call->interface = interface;
  call->method = method;
  call->reply = reply;
  call->arguments = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  g_queue_push_tail (&self->calls, call);
}

static void
push_edits (PrSetup *self, GVariant *edits)
{
  push (self, "Configuration1", "Edit", g_variant_new ("(@a(ssss))", edits), "(asass)");
}

static void
push_edit (PrSetup *self, const char *verb, const char *group, const char *key, const char *value)
{
  GVariantBuilder edits;

  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ssss)"));
  g_variant_builder_add (&edits, "(ssss)", verb, group, key, value);
  push_edits (self, g_variant_builder_end (&edits));
}

/* ── One call after the other ─────────────────────────────────────────────────────────────── */

static void
finish (PrSetup *self, const char *fault)
{
  PrSetupDone done = g_steal_pointer (&self->done);

  g_queue_clear_full (&self->calls, (GDestroyNotify) call_free);
  self->answered = NULL;
  g_clear_pointer (&self->options, g_variant_unref);
  wipe (&self->password);
  wipe (&self->secret);
  if (done != NULL)
    done (fault, self->user_data);
}

static void run_next (PrSetup *self);

static void
on_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSetup) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  void (*answered) (PrSetup * self, GVariant * answer) = self->answered;

  if (answer == NULL)
    {
      finish (self, error->message);
      return;
    }
  if (g_variant_is_of_type (answer, G_VARIANT_TYPE ("(asass)")))
    {
      g_autofree const char **faults = NULL;
      g_autofree const char **warnings = NULL;

      g_variant_get_child (answer, 0, "^a&s", &faults);
      g_variant_get_child (answer, 1, "^a&s", &warnings);
      if (warnings[0] != NULL && self->warning == NULL)
        self->warning = g_strdup (warnings[0]);
      if (faults[0] != NULL)
        {
          finish (self, faults[0]);
          return;
        }
    }
  else if (answered != NULL && g_variant_n_children (answer) > 0)
    {
      answered (self, answer);
    }
  run_next (self);
}

static void
run_next (PrSetup *self)
{
  g_autoptr (Call) call = g_queue_pop_head (&self->calls);

  if (call == NULL)
    finish (self, NULL);
  else
    pr_service_call (self->service, call->interface, call->method, call->arguments, call->reply,
                     NULL, on_called, g_object_ref (self));
}

/* FALSE: something is going on already. */
static gboolean
begin (PrSetup *self, PrSetupDone done, gpointer user_data)
{
  if (self->done != NULL)
    return FALSE;

  self->done = done;
  self->user_data = user_data;
  g_clear_pointer (&self->warning, g_free);
  return TRUE;
}

/* ── The route ────────────────────────────────────────────────────────────────────────────── */

static char *
get_group (PrSetup *self)
{
  return g_strconcat ("route ", self->route, NULL);
}

/* @base, with a number behind it where there is such a route. */
static char *
make_name (GKeyFile *file, const char *base)
{
  g_autofree char *name = g_strdup (base);

  for (guint i = 2;; i++)
    {
      g_autofree char *group = g_strconcat ("route ", name, NULL);

      if (!g_key_file_has_group (file, group))
        return g_steal_pointer (&name);
      g_free (name);
      name = g_strdup_printf ("%s-%u", base, i);
    }
}

/* All but `name`, as keys of the route. @only: (nullable): this one alone. */
static void
push_keys (PrSetup *self, const char *group, const char *only)
{
  GVariantBuilder edits;
  GVariantIter iter;
  const char *key;
  GVariant *value;
  guint n = 0;

  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ssss)"));
  g_variant_iter_init (&iter, self->options);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    if (only != NULL ? g_str_equal (key, only) : !g_str_equal (key, "name"))
      {
        g_variant_builder_add (&edits, "(ssss)", "set", group, key,
                               g_variant_get_string (value, NULL));
        n++;
      }
  if (n > 0)
    push_edits (self, g_variant_builder_end (&edits));
  else
    g_variant_builder_clear (&edits);
}

/* The options with the name that was found. */
static GVariant *
name_options (PrSetup *self)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, self->options);
  g_variant_dict_remove (&dict, "client-id");
  g_variant_dict_insert (&dict, "name", "s", self->route);
  return g_variant_dict_end (&dict);
}

static char *
find_first_route (GKeyFile *file)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    if (g_str_has_prefix (groups[i], "route "))
      return g_strdup (groups[i]);
  return NULL;
}

/* The configuration is known: the rest follows. */
static void
on_read_for_route (PrSetup *self, GVariant *answer)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *group = NULL;
  g_autofree char *first = NULL;
  const char *text;
  const char *base = "smarthost";

  self->answered = NULL;
  g_variant_get_child (answer, 0, "&s", &text);
  g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_NONE, NULL);
  if (self->route != NULL)
    {
      group = get_group (self);
      if (g_key_file_has_group (file, group))
        push_edit (self, "remove", group, "", "");
      g_key_file_remove_group (file, group, NULL);
      g_clear_pointer (&group, g_free);
    }
  if (!g_variant_lookup (self->options, "provider", "&s", &base))
    g_variant_lookup (self->options, "name", "&s", &base);
  g_free (self->route);
  self->route = make_name (file, base);
  self->is_ours = TRUE;
  self->is_oauth = g_variant_lookup (self->options, "client-id", "&s", NULL);
  group = get_group (self);
  first = find_first_route (file);

  if (g_variant_lookup (self->options, "provider", "&s", &base))
    {
      push (self, "Configuration1", "AddRoute", g_variant_new ("(@a{sv})", name_options (self)),
            "(asass)");
      push_keys (self, group, "client-id");
    }
  else
    {
      push_keys (self, group, NULL);
    }
  if (first != NULL)
    push_edit (self, "move", group, "", first);
  if (self->secret != NULL)
    push (self, "SignIn1", "SetClientSecret", g_variant_new ("(ss)", self->route, self->secret),
          "()");
  if (self->password != NULL)
    push (self, "Configuration1", "SetRoutePassword",
          g_variant_new ("(ss)", self->route, self->password), "()");
}

void
pr_setup_add_route (PrSetup *self, GVariant *options, const char *password,
                    const char *client_secret, PrSetupDone done, gpointer user_data)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (options);

  g_return_if_fail (PR_IS_SETUP (self) && done != NULL);

  if (!begin (self, done, user_data))
    return;

  self->options = g_steal_pointer (&sunk);
  self->password = g_strdup (password);
  self->secret = g_strdup (client_secret);
  self->answered = on_read_for_route;
  push (self, "Configuration1", "Read", NULL, "(ss)");
  run_next (self);
}

void
pr_setup_sign_in (PrSetup *self, const char *username, const char *password, PrSetupDone done,
                  gpointer user_data)
{
  g_autofree char *group = NULL;

  g_return_if_fail (PR_IS_SETUP (self) && self->route != NULL && done != NULL);

  if (!begin (self, done, user_data))
    return;

  group = get_group (self);
  if (username != NULL)
    push_edit (self, "set", group, "username", username);
  push (self, "Configuration1", "SetRoutePassword", g_variant_new ("(ss)", self->route, password),
        "()");
  run_next (self);
}

void
pr_setup_set_key (PrSetup *self, const char *key, const char *value, PrSetupDone done,
                  gpointer user_data)
{
  g_autofree char *group = NULL;

  g_return_if_fail (PR_IS_SETUP (self) && self->route != NULL && done != NULL);

  if (!begin (self, done, user_data))
    return;

  group = get_group (self);
  push_edit (self, "set", group, key, value);
  run_next (self);
}

/* ── Who may send ─────────────────────────────────────────────────────────────────────────── */

static void
on_read_for_access (PrSetup *self, GVariant *answer)
{
  g_autoptr (GVariant) edits = NULL;
  const char *text;

  self->answered = NULL;
  g_variant_get_child (answer, 0, "&s", &text);
  g_clear_pointer (&self->undo, g_variant_unref);
  edits = pr_reach_make_edits (text, self->networks, self->without_password, &self->undo);
  if (g_variant_n_children (edits) > 0)
    push_edits (self, edits);
}

static void
on_networks (PrSetup *self, GVariant *answer)
{
  g_clear_pointer (&self->networks, g_variant_unref);
  self->networks = g_variant_get_child_value (answer, 0);
  self->answered = on_read_for_access;
  push (self, "Configuration1", "Read", NULL, "(ss)");
}

void
pr_setup_allow (PrSetup *self, gboolean devices, gboolean without_password, PrSetupDone done,
                gpointer user_data)
{
  g_return_if_fail (PR_IS_SETUP (self) && done != NULL);

  if (!begin (self, done, user_data))
    return;

  if (self->undo != NULL && g_variant_n_children (self->undo) > 0)
    push_edits (self, self->undo);
  g_clear_pointer (&self->undo, g_variant_unref);
  self->without_password = without_password;
  if (devices)
    {
      self->answered = on_networks;
      push (self, "Service1", "GetNetworks", NULL, "(aa{sv})");
    }
  run_next (self);
}

static void
forget_secrets (PrSetup *self)
{
  pr_service_call (self->service, "Configuration1", "SetRoutePassword",
                   g_variant_new ("(ss)", self->route, ""), "()", NULL, NULL, NULL);
  if (!self->is_oauth)
    return;

  pr_service_call (self->service, "SignIn1", "SignOut", g_variant_new ("(s)", self->route), "()",
                   NULL, NULL, NULL);
  pr_service_call (self->service, "SignIn1", "SetClientSecret",
                   g_variant_new ("(ss)", self->route, ""), "()", NULL, NULL, NULL);
}

void
pr_setup_take_back (PrSetup *self)
{
  GVariantBuilder edits;
  g_autofree char *group = NULL;
  guint n = 0;

  g_return_if_fail (PR_IS_SETUP (self));

  g_queue_clear_full (&self->calls, (GDestroyNotify) call_free);
  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ssss)"));
  for (gsize i = 0; self->undo != NULL && i < g_variant_n_children (self->undo); i++, n++)
    {
      g_autoptr (GVariant) edit = g_variant_get_child_value (self->undo, i);

      g_variant_builder_add_value (&edits, edit);
    }
  if (self->route != NULL && self->is_ours)
    {
      group = get_group (self);
      forget_secrets (self);
      g_variant_builder_add (&edits, "(ssss)", "remove", group, "", "");
      g_clear_pointer (&self->route, g_free);
      n++;
    }
  if (n > 0)
    pr_service_call (self->service, "Configuration1", "Edit",
                     g_variant_new ("(@a(ssss))", g_variant_builder_end (&edits)), "(asass)", NULL,
                     NULL, NULL);
  else
    g_variant_builder_clear (&edits);
  g_clear_pointer (&self->undo, g_variant_unref);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_setup_finalize (GObject *object)
{
  PrSetup *self = PR_SETUP (object);

  g_queue_clear_full (&self->calls, (GDestroyNotify) call_free);
  g_clear_object (&self->service);
  g_clear_pointer (&self->undo, g_variant_unref);
  g_clear_pointer (&self->options, g_variant_unref);
  g_clear_pointer (&self->networks, g_variant_unref);
  wipe (&self->password);
  wipe (&self->secret);
  g_free (self->warning);
  g_free (self->route);
  G_OBJECT_CLASS (pr_setup_parent_class)->finalize (object);
}

static void
pr_setup_class_init (PrSetupClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = pr_setup_finalize;
}

static void
pr_setup_init (PrSetup *self)
{
  g_queue_init (&self->calls);
}

PrSetup *
pr_setup_new (PrService *service)
{
  PrSetup *self = g_object_new (PR_TYPE_SETUP, NULL);

  self->service = g_object_ref (service);
  return self;
}

const char *
pr_setup_get_route (PrSetup *self)
{
  return self->route;
}

const char *
pr_setup_get_warning (PrSetup *self)
{
  return self->warning;
}

void
pr_setup_set_route (PrSetup *self, const char *route)
{
  g_free (self->route);
  self->route = g_strdup (route);
  self->is_ours = FALSE;
}
