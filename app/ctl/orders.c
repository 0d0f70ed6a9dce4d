/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl queue retry, hold, release, delete, fail, move, edit. */

#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/words.h"

static struct
{
  gboolean all;
  char **add, **remove;
} options;

const GOptionEntry pr_order_options[] = {
  { "all", 0, 0, G_OPTION_ARG_NONE, &options.all, "Every message in the queue", NULL },
  G_OPTION_ENTRY_NULL,
};

const GOptionEntry pr_edit_options[] = {
  { "add", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.add, "One recipient more", "ADDRESS" },
  { "remove", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.remove, "One recipient less", "ADDRESS" },
  G_OPTION_ENTRY_NULL,
};

/* @answer: (us), what Order and its like say. */
static int
report (PrCtl *ctl, GVariant *answer, const char *done)
{
  guint changed;
  const char *reason;

  g_variant_get (answer, "(u&s)", &changed, &reason);
  if (ctl->json)
    {
      printf ("{\"changed\":%u}\n", changed);
    }
  else if (changed > 0)
    {
      g_autofree char *count = pr_words_count (changed, "message");

      printf ("%s %s.\n", count, done);
    }
  else if (*reason == '\0')
    {
      puts ("There was nothing to do.");
    }

  return *reason != '\0' ? pr_ctl_refuse ("%s.", reason) : PR_EXIT_DONE;
}

static int
give_order (PrCtl *ctl, const char *order, const char *done, char **ids)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = NULL;

  if (options.all == (ids[0] != NULL))
    return pr_ctl_misused (options.all ? "Name messages or say --all, not both."
                                       : "Which messages? Name their ids, or say --all.");

  if (options.all)
    answer = pr_ctl_call (ctl, "Queue1", "OrderAll", g_variant_new ("(s)", order), "(us)", &status);
  else
    answer =
      pr_ctl_call (ctl, "Queue1", "Order", g_variant_new ("(s^as)", order, ids), "(us)", &status);
  return answer != NULL ? report (ctl, answer, done) : status;
}

int
pr_ctl_retry (PrCtl *ctl, char **args)
{
  return give_order (ctl, "retry", "tried again now", args);
}

int
pr_ctl_hold (PrCtl *ctl, char **args)
{
  return give_order (ctl, "hold", "held until you release it", args);
}

int
pr_ctl_release (PrCtl *ctl, char **args)
{
  return give_order (ctl, "release", "released", args);
}

int
pr_ctl_delete (PrCtl *ctl, char **args)
{
  return give_order (ctl, "delete", "deleted; no sender was told", args);
}

int
pr_ctl_give_up (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Queue1", "Fail", g_variant_new ("(^as)", args), "(us)", &status);

  return answer != NULL ? report (ctl, answer, "given up; the sender is told") : status;
}

int
pr_ctl_move (PrCtl *ctl, char **args)
{
  const char *route = g_str_equal (args[0], "-") ? "" : args[0];
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Queue1", "Move", g_variant_new ("(^ass)", args + 1, route), "(us)", &status);

  return answer != NULL ? report (ctl, answer, "moved") : status;
}

int
pr_ctl_edit (PrCtl *ctl, char **args)
{
  static char *none[] = { NULL };
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = NULL;

  if (options.add == NULL && options.remove == NULL)
    return pr_ctl_misused ("What shall change? Say --add=ADDRESS or --remove=ADDRESS.");

  answer = pr_ctl_call (ctl, "Queue1", "EditRecipients",
                        g_variant_new ("(s^as^as)", args[0],
                                       options.remove != NULL ? options.remove : none,
                                       options.add != NULL ? options.add : none),
                        "()", &status);
  if (answer != NULL && !ctl->json)
    puts ("The recipients were changed.");
  return status;
}
