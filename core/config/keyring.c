/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks `postroom-keyring` one question. It ends by itself within its own limit, so that waiting
 * for it needs none. */
#include "config/keyring.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "common/module.h"

#define PROGRAM "postroom-keyring"
#define MAX_WORDS 1000 /* of an error */

typedef struct
{
  GPid pid;
  int in, out; /* owned: its standard input and output */
} Child;

/* What it said; the room is never moved, so that no copy stays behind. */
typedef struct
{
  char text[PR_SECRET_MAX_OCTETS + 1];
  gsize len;
  gboolean too_much;
} Said;

static PrKeyring
fail (GError **error, const char *why)
{
  g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "The keyring of the desktop: %s", why);
  return PR_KEYRING_FAILED;
}

static gboolean
start (Child *child, const char *program, const char *const *question, GError **error)
{
  const char *argv[] = { program, question[0], question[1], question[2], question[3], NULL };
  g_autoptr (GError) own = NULL;

  if (g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                &child->pid, &child->in, &child->out, NULL, &own))
    return TRUE;
  fail (error, own->message);
  return FALSE;
}

/* SIGPIPE is ignored by the service: a program that ended is seen by how it ended. */
static void
tell (Child *child, const char *secret)
{
  gsize left = secret != NULL ? strlen (secret) : 0;

  while (left > 0)
    {
      gssize n = write (child->in, secret, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      secret += n;
      left -= (gsize) n;
    }
  close (child->in);
}

static void
listen_to (Child *child, Said *said)
{
  for (;;)
    {
      gssize n = read (child->out, said->text + said->len, PR_SECRET_MAX_OCTETS + 1 - said->len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      said->len += (gsize) n;
      said->too_much = said->len > PR_SECRET_MAX_OCTETS;
      if (said->too_much)
        break;
    }
  close (child->out);
  said->text[said->too_much ? 0 : said->len] = '\0';
}

static int
wait_for (Child *child)
{
  int status;

  while (waitpid (child->pid, &status, 0) < 0)
    if (errno != EINTR)
      return -1;
  g_spawn_close_pid (child->pid);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static PrKeyring
complain (const Said *said, GError **error)
{
  g_autofree char *words = g_utf8_make_valid (said->text, MIN (said->len, MAX_WORDS));

  return fail (error, words);
}

static PrKeyring
judge (int code, const Said *said, GError **error)
{
  switch (code)
    {
    case PR_KEYRING_EXIT_DONE:
      return said->too_much || !g_utf8_validate (said->text, -1, NULL) ||
                 strlen (said->text) != said->len
               ? fail (error, "what it keeps is no text")
               : PR_KEYRING_DONE;
    case PR_KEYRING_EXIT_NOTHING: return PR_KEYRING_DONE;
    case PR_KEYRING_EXIT_NO_SERVICE: return PR_KEYRING_NONE;
    case PR_KEYRING_EXIT_FAILED: return complain (said, error);
    default: return fail (error, "it does not answer");
    }
}

/* *@answer: (nullable) (out) (transfer full): what came, where there is something. */
static PrKeyring
ask (const char *const *question, const char *secret, char **answer, GError **error)
{
  g_autofree char *program = pr_module_find (PROGRAM);
  Child child = { 0 };
  Said *said;
  PrKeyring result;
  int code;

  if (program == NULL)
    return PR_KEYRING_NONE;
  if (!start (&child, program, question, error))
    return PR_KEYRING_FAILED;
  said = g_new0 (Said, 1);
  tell (&child, secret);
  listen_to (&child, said);
  code = wait_for (&child);
  result = judge (code, said, error);
  if (result == PR_KEYRING_DONE && code == PR_KEYRING_EXIT_DONE && answer != NULL)
    *answer = g_strdup (said->text);
  pr_secret_wipe (said, sizeof *said);
  g_free (said);
  return result;
}

PrKeyring
pr_keyring_get (const char *owner, const char *route, const char *kind, char **secret,
                GError **error)
{
  const char *question[] = { "get", owner, route, kind };

  *secret = NULL;
  return ask (question, NULL, secret, error);
}

PrKeyring
pr_keyring_set (const char *owner, const char *route, const char *kind, const char *secret,
                GError **error)
{
  const char *question[] = { secret != NULL ? "set" : "clear", owner, route, kind };

  return ask (question, secret, NULL, error);
}
