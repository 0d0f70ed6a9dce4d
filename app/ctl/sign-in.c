/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl route sign-in, sign-out, client-secret: with a browser here or elsewhere. */
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

#define MAX_LINE (16 * 1024)

static gboolean device, no_browser;

const GOptionEntry pr_sign_in_options[] = {
  { "device", 0, 0, G_OPTION_ARG_NONE, &device, "Type a code on another device", NULL },
  { "no-browser", 0, 0, G_OPTION_ARG_NONE, &no_browser, "Only show the address", NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

typedef struct
{
  PrCtl *ctl;
  GMainLoop *loop;
  guint id;
  int status;
  gboolean shown;
  GString *line; /* what was typed so far */
} SignIn;

/* Only where there is a screen of ours to open it on. */
static gboolean
open_browser (const char *url)
{
  if (no_browser || (g_getenv ("DISPLAY") == NULL && g_getenv ("WAYLAND_DISPLAY") == NULL))
    return FALSE;
  return g_app_info_launch_default_for_uri (url, NULL, NULL);
}

static void
show (SignIn *self, GVariant *facts)
{
  const char *url = pr_dict_string (facts, "url");
  const char *code = pr_dict_string (facts, "user-code");

  self->shown = TRUE;
  if (code != NULL)
    printf ("With any browser, go to\n\n  %s\n\nand type this code:\n\n  %s\n\n",
            pr_dict_string (facts, "short-url"), code);
  else if (open_browser (url))
    printf ("A browser opens for you to sign in. If it does not, go to\n\n  %s\n\n", url);
  else
    printf ("With a browser on this computer, go to\n\n  %s\n\n"
            "With one on another computer, its last page will not load: paste the address of that "
            "page here.\n\n",
            url);
  fputs ("Waiting for you to sign in; Ctrl+C gives up.\n", stdout);
  fflush (stdout);
}

static void
end (SignIn *self, int status)
{
  self->status = status;
  g_main_loop_quit (self->loop);
}

static void
look (SignIn *self)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (self->ctl, "SignIn1", "Get", g_variant_new ("(u)", self->id), "(a{sv})", &status);
  g_autoptr (GVariant) facts = NULL;
  const char *state, *account;

  if (answer == NULL)
    {
      end (self, status);
      return;
    }
  facts = g_variant_get_child_value (answer, 0);
  state = pr_dict_string (facts, "state");
  account = pr_dict_string (facts, "account");
  if (g_strcmp0 (state, "waiting") == 0 && !self->shown)
    show (self, facts);
  else if (g_strcmp0 (state, "failed") == 0)
    end (self, pr_ctl_refuse ("The sign-in failed: %s", pr_dict_string (facts, "why")));
  else if (g_strcmp0 (state, "done") == 0)
    {
      printf ("Signed in%s%s. Mail that waited for it is sent now.\n",
              account != NULL ? " as " : "", account != NULL ? account : "");
      end (self, PR_EXIT_DONE);
    }
}

static void
on_changed (GDBusConnection *connection, const char *sender, const char *path,
            const char *interface, const char *signal, GVariant *parameters, gpointer user_data)
{
  SignIn *self = user_data;
  guint id = 0;

  if (g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(u)")))
    g_variant_get (parameters, "(u)", &id);
  if (id == self->id)
    look (self);
}

static void
on_closed (GDBusConnection *connection, gboolean remote, GError *error, gpointer user_data)
{
  pr_ctl_refuse ("The service stopped.");
  end (user_data, PR_EXIT_NO_SERVICE);
}

static gboolean
on_interrupted (gpointer user_data)
{
  SignIn *self = user_data;

  g_dbus_connection_call (self->ctl->connection, NULL, PR_CONTROL_PATH,
                          "io.github.postroom.SignIn1", "Cancel", g_variant_new ("(u)", self->id),
                          NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  g_dbus_connection_flush_sync (self->ctl->connection, NULL, NULL);
  end (self, PR_EXIT_REFUSED);
  return G_SOURCE_CONTINUE;
}

/* A pasted address. What is wrong with it is said, and another one may follow. */
static gboolean
on_typed (int fd, GIOCondition condition, gpointer user_data)
{
  SignIn *self = user_data;
  g_autoptr (GVariant) answer = NULL;
  int status = PR_EXIT_DONE;
  char buffer[1024];
  gssize len = read (fd, buffer, sizeof buffer);
  char *newline;

  if (len <= 0)
    return G_SOURCE_REMOVE;
  g_string_append_len (self->line, buffer, len);
  newline = strchr (self->line->str, '\n');
  if (newline == NULL && self->line->len < MAX_LINE)
    return G_SOURCE_CONTINUE;
  if (newline != NULL)
    *newline = '\0';
  g_strstrip (self->line->str);
  if (self->line->str[0] != '\0' && g_utf8_validate (self->line->str, -1, NULL))
    answer = pr_ctl_call (self->ctl, "SignIn1", "Paste",
                          g_variant_new ("(us)", self->id, self->line->str), "()", &status);
  explicit_bzero (self->line->str, self->line->len);
  g_string_truncate (self->line, 0);
  return G_SOURCE_CONTINUE;
}

static void
run (SignIn *self)
{
  GDBusConnection *connection = self->ctl->connection;
  guint changed = g_dbus_connection_signal_subscribe (
    connection, NULL, "io.github.postroom.SignIn1", "Changed", PR_CONTROL_PATH, NULL,
    G_DBUS_SIGNAL_FLAGS_NONE, on_changed, self, NULL);
  gulong closed = g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
  guint interrupted = g_unix_signal_add (SIGINT, on_interrupted, self);
  GSource *typed = g_unix_fd_source_new (STDIN_FILENO, G_IO_IN | G_IO_HUP);

  g_source_set_callback (typed, G_SOURCE_FUNC (on_typed), self, NULL);
  g_source_attach (typed, NULL);
  self->status = -1;
  look (self);
  if (self->status < 0)
    g_main_loop_run (self->loop);
  g_source_destroy (typed);
  g_source_unref (typed);
  g_source_remove (interrupted);
  g_signal_handler_disconnect (connection, closed);
  g_dbus_connection_signal_unsubscribe (connection, changed);
}

int
pr_ctl_route_sign_in (PrCtl *ctl, char **args)
{
  SignIn self = { .ctl = ctl };
  g_autoptr (GVariant) answer = NULL;
  int status = PR_EXIT_DONE;

  answer =
    pr_ctl_call (ctl, "SignIn1", "Start",
                 g_variant_new ("(ss)", args[0], device ? "device" : "auto"), "(u)", &status);
  if (answer == NULL)
    return status;
  g_variant_get (answer, "(u)", &self.id);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.line = g_string_new (NULL);
  run (&self);
  g_main_loop_unref (self.loop);
  g_string_free (self.line, TRUE);
  return self.status;
}

int
pr_ctl_route_sign_out (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "SignIn1", "SignOut", g_variant_new ("(s)", args[0]), "(bs)", &status);
  const char *why = NULL;
  gboolean revoked = FALSE;

  if (answer == NULL || ctl->json)
    return status;
  g_variant_get (answer, "(b&s)", &revoked, &why);
  puts ("Signed out. Mail of this route waits until somebody signs in again.");
  if (revoked)
    puts ("Your provider revoked the token, too.");
  else if (*why != '\0')
    printf (
      "Your provider was asked to revoke the token, and did not: %s. Remove Postroom's access "
      "in the settings of your account there.\n",
      why);
  return status;
}

int
pr_ctl_route_client_secret (PrCtl *ctl, char **args)
{
  char *secret = pr_ctl_read_secret ("Client secret: ", FALSE);
  g_autoptr (GVariant) answer = NULL;
  int status = PR_EXIT_DONE;

  if (secret == NULL)
    return PR_EXIT_REFUSED;
  answer = pr_ctl_call (ctl, "SignIn1", "SetClientSecret", g_variant_new ("(ss)", args[0], secret),
                        "()", &status);
  pr_ctl_forget (secret);
  if (answer != NULL && !ctl->json)
    puts ("The client secret is kept.");
  return status;
}
