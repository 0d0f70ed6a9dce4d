/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl test-mail: sends one, and may watch where it goes. */

#include <stdio.h>

#include "ctl/event.h"
#include "ctl/follow.h"
#include "ctl/json.h"

static struct
{
  char *to;
  gboolean wait;
} options;

const GOptionEntry pr_test_mail_options[] = {
  { "to", 0, 0, G_OPTION_ARG_STRING, &options.to, "To whom", "ADDRESS" },
  { "wait", 0, 0, G_OPTION_ARG_NONE, &options.wait, "Show what becomes of it", NULL },
  G_OPTION_ENTRY_NULL,
};

typedef struct
{
  PrCtl *ctl;     /* borrowed */
  const char *id; /* borrowed */
  int status;
} Watch;

static gboolean
on_event (GVariant *event, gpointer user_data)
{
  Watch *watch = user_data;
  const char *kind = pr_dict_string (event, "kind");
  g_autofree char *line = NULL;

  if (g_strcmp0 (pr_dict_string (event, "message"), watch->id) != 0)
    return TRUE;

  line = watch->ctl->json ? pr_json_value (event) : pr_event_line (&watch->ctl->terminal, event);
  puts (line);
  if (g_strcmp0 (kind, "delivered") == 0)
    return FALSE;
  if (g_strcmp0 (kind, "failed") != 0 && g_strcmp0 (kind, "held") != 0 &&
      g_strcmp0 (kind, "deleted") != 0)
    return TRUE;

  watch->status = PR_EXIT_REFUSED;
  return FALSE;
}

/* A message that no route carries was held before it was a message: no event tells of it. */
static gboolean
is_held (PrCtl *ctl, const char *id)
{
  g_autoptr (GVariant) message = NULL;
  g_autoptr (GVariant) answer = pr_client_call_sync (ctl->connection, "Queue1", "Get",
                                                     g_variant_new ("(s)", id), "(a{sv})", NULL);

  if (answer == NULL) /* gone already */
    return FALSE;
  message = g_variant_get_child_value (answer, 0);
  return g_strcmp0 (pr_dict_string (message, "state"), "held") == 0;
}

int
pr_ctl_test_mail (PrCtl *ctl, char **args)
{
  g_autoptr (PrFollow) following = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *json = NULL;
  Watch watch = { .ctl = ctl };
  int status = PR_EXIT_DONE;

  if (options.to == NULL)
    return pr_ctl_misused ("To whom? Say --to=ADDRESS.");
  if (options.wait && (following = pr_follow_begin (ctl, &status)) == NULL)
    return status;

  answer = pr_ctl_call (ctl, "Service1", "SendTestMail", g_variant_new ("(s)", options.to), "(s)",
                        &status);
  if (answer == NULL)
    return status;

  g_variant_get (answer, "(&s)", &watch.id);
  json = ctl->json ? pr_json_object ("id", watch.id, NULL) : NULL;
  if (ctl->json)
    puts (json);
  else if (!options.wait)
    printf ("The test mail %s is in the queue. See what becomes of it with:\n"
            "  postroomctl log --message=%s\n",
            watch.id, watch.id);
  fflush (stdout);
  if (!options.wait)
    return PR_EXIT_DONE;

  if (is_held (ctl, watch.id))
    return pr_ctl_refuse ("The test mail %s is held. To see why: postroomctl queue show %s",
                          watch.id, watch.id);
  status = pr_follow_run (following, on_event, &watch);
  return status != PR_EXIT_DONE ? status : watch.status;
}
