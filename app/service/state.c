/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How things are, in words. */

#include "service/state.h"

#include <glib/gi18n.h>

static gboolean
is_disk_full (PrEngine *engine)
{
  return pr_store_get_free_space (pr_engine_get_store (engine)) <
         pr_engine_get_config (engine)->min_free_space_octets;
}

/* What a person did, or could do something about; NULL: nothing. */
static const char *
describe_standstill (PrEngine *engine, const PrRunnerStats *runner)
{
  gboolean receiving = !pr_server_is_paused (pr_engine_get_server (engine));

  if (!receiving && runner->paused)
    return _ ("Receiving and sending are paused");
  if (!receiving)
    return _ ("Receiving is paused");
  if (runner->paused)
    return _ ("Sending is paused");
  if (!runner->network_available)
    return _ ("There is no network; mail waits for it");
  if (is_disk_full (engine))
    return _ ("The disk is nearly full; no mail is taken until there is room");
  if (pr_engine_get_config (engine)->routes->len == 0)
    return _ ("Mail is taken and kept; add a route to send it on");

  return NULL;
}

char *
pr_state_describe (PrEngine *engine)
{
  PrStoreCounts queue;
  PrRunnerStats runner;
  const char *standstill;

  pr_store_get_counts (pr_engine_get_store (engine), &queue);
  pr_runner_get_stats (pr_engine_get_runner (engine), &runner);
  standstill = describe_standstill (engine, &runner);
  if (standstill != NULL)
    return g_strdup (standstill);
  if (queue.n_failed > 0)
    return g_strdup_printf (
      ngettext ("%lu recipient could not be reached and nobody could be told; look at the queue",
                "%lu recipients could not be reached and nobody could be told; look at the queue",
                (gulong) queue.n_failed),
      (gulong) queue.n_failed);
  if (runner.n_hops_await_sign_in > 0)
    return g_strdup (_ ("A provider wants you to sign in; its mail waits"));
  if (runner.n_hops_blocked == 1)
    return g_strdup (_ ("A next hop cannot be reached; its mail waits"));
  if (runner.n_hops_blocked > 0)
    return g_strdup_printf (ngettext ("%u next hop cannot be reached; its mail waits",
                                      "%u next hops cannot be reached; their mail waits",
                                      runner.n_hops_blocked),
                            runner.n_hops_blocked);
  if (runner.n_hops_paced > 0)
    return g_strdup (_ ("A provider allows no more for now; the rest waits its turn"));
  if (queue.n_queued == 0 && queue.n_held > 0)
    return g_strdup (_ ("All is sent but what is held"));

  return g_strdup (queue.n_messages > 0 ? _ ("Sending mail") : _ ("All is sent"));
}

gboolean
pr_state_set_paused (PrEngine *engine, const char *what, gboolean paused)
{
  if (g_str_equal (what, "receiving"))
    pr_server_set_paused (pr_engine_get_server (engine), paused);
  else if (g_str_equal (what, "sending"))
    pr_runner_set_paused (pr_engine_get_runner (engine), paused);
  else
    return FALSE;

  pr_journal_add (pr_engine_get_journal (engine),
                  &(PrEvent){ .kind = paused ? PR_EVENT_PAUSED : PR_EVENT_RESUMED, .text = what });
  return TRUE;
}
