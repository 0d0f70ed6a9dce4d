/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "password.h"

#include <unistd.h>

/* Typed on the keys of a printer: no capitals, no signs, neither i nor l, neither o nor 0. */
static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";

#define N_LETTERS (sizeof letters - 1)
#define LIMIT (256 / N_LETTERS * N_LETTERS) /* what is above would make some likelier */

char *
pr_password_make (void)
{
  g_autofree char *password = g_malloc0 (PR_PASSWORD_LEN + 1);
  gsize n = 0;

  while (n < PR_PASSWORD_LEN)
    {
      guint8 octets[4 * PR_PASSWORD_LEN];

      if (getentropy (octets, sizeof octets) != 0)
        return NULL;
      for (gsize i = 0; i < sizeof octets && n < PR_PASSWORD_LEN; i++)
        if (octets[i] < LIMIT)
          password[n++] = letters[octets[i] % N_LETTERS];
    }
  return g_steal_pointer (&password);
}
