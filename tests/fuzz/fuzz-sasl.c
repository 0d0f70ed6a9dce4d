/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of an exchange, for each mechanism of the server and of the client: the first octet picks,
 * each line is one step. */

#include "fuzz.h"
#include "smtp/sasl.h"

#include <string.h>

static char *
find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user)
{
  g_autoptr (GBytes) key = g_bytes_new_static ("key", 3);

  return mechanism == PR_SASL_CRAM_MD5 ? g_strdup ("secret")
                                       : pr_sasl_make_up_secret (mechanism, user, NULL, key);
}

static GBytes *
get_binding (gpointer owner, const char *type)
{
  return g_bytes_new_static (type, strlen (type));
}

static void
run_server (PrSaslMechanisms mechanism, char **lines)
{
  static const PrSaslServerWorld world = { "relay.example.org", find_secret, get_binding };
  g_autoptr (PrSaslServer) server = pr_sasl_server_new (mechanism, &world, NULL);

  for (PrSaslStep step = PR_SASL_CONTINUE; *lines != NULL && step == PR_SASL_CONTINUE; lines++)
    {
      g_autofree char *out = NULL;

      step = pr_sasl_server_step (server, *lines, strlen (*lines), &out);
      g_assert ((step == PR_SASL_CONTINUE) == (out != NULL));
      if (step == PR_SASL_CHECK)
        pr_sasl_check_free (pr_sasl_server_take_check (server));
      if (step == PR_SASL_DONE || step == PR_SASL_CHECK)
        g_assert (pr_sasl_server_get_user (server) != NULL);
    }
}

static void
run_client (PrSaslMechanisms mechanism, char **lines)
{
  g_autoptr (GBytes) exporter = g_bytes_new_static ("binding", 7);
  PrSaslCredentials credentials = { "user", "secret", "mail.example.org", 587, exporter };
  g_autoptr (PrSaslClient) client = pr_sasl_client_new (mechanism, &credentials, NULL);
  g_autofree char *start = pr_sasl_client_start (client);

  for (PrSaslStep step = PR_SASL_CONTINUE; *lines != NULL && step == PR_SASL_CONTINUE; lines++)
    {
      g_autofree char *out = NULL;

      step = pr_sasl_client_step (client, *lines, &out);
      g_assert ((step == PR_SASL_CONTINUE) == (out != NULL));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const PrSaslMechanisms server[] = { PR_SASL_SCRAM_SHA_256_PLUS,
                                             PR_SASL_SCRAM_SHA_256,
                                             PR_SASL_SCRAM_SHA_1,
                                             PR_SASL_PLAIN,
                                             PR_SASL_LOGIN,
                                             PR_SASL_CRAM_MD5 };
  g_autofree char *text = size > 0 ? g_strndup ((const char *) data + 1, size - 1) : NULL;
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;
  guint pick = size > 0 ? data[0] - (data[0] >= '0' ? '0' : 0) : 0;

  if (lines == NULL)
    return 0;
  if (pick < G_N_ELEMENTS (server))
    run_server (server[pick], lines);
  else
    run_client (1 << (pick % 9), lines);

  return 0;
}
