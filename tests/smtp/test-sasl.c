/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signing in, both sides: what the RFCs show, libgsasl's client against our server, and what
 * hostile or odd clients and servers say. */

#include "smtp/sasl.h"

#include <string.h>

/* "pencil", RFC 7677 §3 */
#define RFC_SECRET                                                                                 \
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                   \
  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

typedef struct
{
  char *secret, *secret_sha_1;
  GBytes *binding;
  gboolean end_point_only;
  gboolean unique_only;
} World;

static char *
find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user)
{
  World *world = owner;
  g_autoptr (GBytes) key = g_bytes_new_static ("key", 3);

  if (strcmp (user, "user") == 0 || strcmp (user, "a,b=c") == 0)
    return g_strdup (mechanism == PR_SASL_CRAM_MD5      ? "pencil"
                     : mechanism == PR_SASL_SCRAM_SHA_1 ? world->secret_sha_1
                                                        : world->secret);
  if (mechanism == PR_SASL_CRAM_MD5)
    return g_strdup ("nobody knows");
  return pr_sasl_make_up_secret (mechanism, user, world->secret, key);
}

static GBytes *
get_binding (gpointer owner, const char *type)
{
  World *world = owner;

  if (world->binding == NULL || (world->end_point_only && strcmp (type, "tls-exporter") == 0) ||
      world->unique_only != (strcmp (type, "tls-unique") == 0))
    return NULL;
  return g_bytes_ref (world->binding);
}

static const PrSaslServerWorld server_world = { "relay.example.org", find_secret, get_binding };

static World
make_world (void)
{
  return (World){ .secret = g_strdup (RFC_SECRET),
                  .secret_sha_1 = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_1, "pencil") };
}

static void
clear_world (World *world)
{
  g_free (world->secret);
  g_free (world->secret_sha_1);
  g_clear_pointer (&world->binding, g_bytes_unref);
}

static char *
encode (const char *text)
{
  return g_base64_encode ((const guchar *) text, strlen (text));
}

static char *
decode (const char *text)
{
  gsize len;
  g_autofree guchar *data = g_base64_decode (text, &len);

  return g_strndup ((const char *) data, len);
}

/* One step with a plain text message; the answer decoded. */
static PrSaslStep
say (PrSaslServer *server, const char *text, char **answer)
{
  g_autofree char *line = encode (text);
  g_autofree char *out = NULL;
  PrSaslStep step = pr_sasl_server_step (server, line, strlen (line), &out);

  *answer = out != NULL ? decode (out) : NULL;
  return step;
}

/* Our client and server against each other. */
static PrSaslStep
converse (World *world, PrSaslMechanisms mechanism, const char *user, const char *password,
          GBytes *binding, gboolean *client_done)
{
  PrSaslCredentials credentials = { user,
                                    password,
                                    "relay.example.org",
                                    587,
                                    world->unique_only ? NULL : binding,
                                    world->unique_only ? binding : NULL };
  g_autoptr (PrSaslServer) server = pr_sasl_server_new (mechanism, &server_world, world);
  g_autoptr (GError) error = NULL;
  g_autoptr (PrSaslClient) client = pr_sasl_client_new (mechanism, &credentials, &error);
  g_autofree char *line = NULL;

  g_assert_no_error (error);
  line = pr_sasl_client_start (client);
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *challenge = NULL;
      PrSaslStep step =
        pr_sasl_server_step (server, line, line != NULL ? strlen (line) : 0, &challenge);

      *client_done = pr_sasl_client_is_done (client);
      if (step == PR_SASL_CHECK)
        {
          g_autoptr (PrSaslCheck) check = pr_sasl_server_take_check (server);

          step = pr_sasl_check_run (check) ? PR_SASL_DONE : PR_SASL_REFUSED;
        }
      if (step != PR_SASL_CONTINUE)
        return step;
      g_clear_pointer (&line, g_free);
      step = pr_sasl_client_step (client, challenge, &line);
      g_assert_cmpint (step, ==, PR_SASL_CONTINUE);
    }
  g_assert_not_reached ();
}

static void
test_pairs (void)
{
  static const PrSaslMechanisms all[] = { PR_SASL_SCRAM_SHA_256_PLUS,
                                          PR_SASL_SCRAM_SHA_256,
                                          PR_SASL_SCRAM_SHA_1,
                                          PR_SASL_PLAIN,
                                          PR_SASL_LOGIN,
                                          PR_SASL_CRAM_MD5 };
  World world = make_world ();

  world.binding = g_bytes_new_static ("0123456789abcdef0123456789abcdef", 32);
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      gboolean done = FALSE;

      g_assert_cmpint (converse (&world, all[i], "user", "pencil", world.binding, &done), ==,
                       PR_SASL_DONE);
      g_assert_true (done);
      g_assert_cmpint (converse (&world, all[i], "user", "Pencil", world.binding, &done), ==,
                       PR_SASL_REFUSED);
      g_assert_cmpint (converse (&world, all[i], "nobody", "pencil", world.binding, &done), ==,
                       PR_SASL_REFUSED);
    }
  world.unique_only = TRUE; /* before TLS 1.3 */
  g_assert_cmpint (converse (&world, all[0], "user", "pencil", world.binding, &(gboolean){ FALSE }),
                   ==, PR_SASL_DONE);
  clear_world (&world);
}

static void
test_other_binding (void)
{
  World world = make_world ();
  g_autoptr (GBytes) other = g_bytes_new_static ("somebody stands in between", 26);
  gboolean done;

  world.binding = g_bytes_new_static ("0123456789abcdef", 16);
  g_assert_cmpint (converse (&world, PR_SASL_SCRAM_SHA_256_PLUS, "user", "pencil", other, &done),
                   ==, PR_SASL_REFUSED);
  clear_world (&world);
}

static void
sign (const guint8 *key, const char *text, guint8 out[32])
{
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, 32);
  gsize len = 32;

  g_hmac_update (hmac, (const guchar *) text, -1);
  g_hmac_get_digest (hmac, out, &len);
}

/* A client of SCRAM by hand, so that each part of it can be bent. @answer: what came at last. */
static PrSaslStep
scram_by_hand (World *world, PrSaslMechanisms mechanism, const char *header, const char *name,
               const char *binding, char **answer)
{
  /* SaltedPassword of "pencil" under RFC_SECRET: PBKDF2 in its first words */
  g_autoptr (PrSaslServer) server = pr_sasl_server_new (mechanism, &server_world, world);
  g_autoptr (GHmac) keyed = g_hmac_new (G_CHECKSUM_SHA256, (const guchar *) "pencil", 6);
  g_autofree char *bare = g_strdup_printf ("n=%s,r=abc", name);
  g_autofree char *first = g_strconcat (header, bare, NULL);
  g_autofree char *server_first = NULL;
  g_autofree char *bound = g_strconcat (header, binding, NULL);
  g_autofree char *bound_text = encode (bound);
  g_autofree char *unproven = NULL;
  g_autofree char *text = NULL;
  g_autofree char *proof = NULL;
  g_autofree char *final = NULL;
  g_autofree guchar *salt = g_base64_decode ("W22ZaJ0SNY7soEsUEjb6gQ==", &(gsize){ 0 });
  guint8 block[32], salted[32], key[32], stored[32], signature[32];
  gsize len = 32;
  g_auto (GStrv) words = NULL;
  PrSaslStep step = say (server, first, &server_first);

  *answer = NULL;
  if (step != PR_SASL_CONTINUE)
    return step;
  words = g_strsplit (server_first, ",", 0);
  g_assert_true (g_str_has_prefix (words[0], "r=abc"));
  g_assert_cmpstr (words[1], ==, "s=W22ZaJ0SNY7soEsUEjb6gQ==");
  g_assert_cmpstr (words[2], ==, "i=4096");

  for (guint i = 0; i < 4096; i++)
    {
      g_autoptr (GHmac) hmac = g_hmac_copy (keyed);

      len = 32;
      g_hmac_update (hmac, i == 0 ? salt : block, i == 0 ? 16 : 32);
      if (i == 0)
        g_hmac_update (hmac, (const guchar *) "\0\0\0\1", 4);
      g_hmac_get_digest (hmac, block, &len);
      for (guint k = 0; k < 32; k++)
        salted[k] = i == 0 ? block[k] : salted[k] ^ block[k];
    }
  sign (salted, "Client Key", key);
  {
    g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

    g_checksum_update (checksum, key, 32);
    g_checksum_get_digest (checksum, stored, &len);
  }
  unproven = g_strdup_printf ("c=%s,%s", bound_text, words[0]);
  text = g_strdup_printf ("%s,%s,%s", bare, server_first, unproven);
  sign (stored, text, signature);
  for (guint k = 0; k < 32; k++)
    key[k] ^= signature[k];
  proof = g_base64_encode (key, 32);
  final = g_strdup_printf ("%s,p=%s", unproven, proof);
  step = say (server, final, answer);
  if (step != PR_SASL_CONTINUE)
    return step;

  g_assert_true (g_str_has_prefix (*answer, "v="));
  g_assert_cmpstr (pr_sasl_server_get_user (server), ==, strchr (name, '=') ? "a,b=c" : name);
  g_clear_pointer (answer, g_free);
  return say (server, "", answer);
}

static void
test_scram_forms (void)
{
  static const struct
  {
    PrSaslMechanisms mechanism;
    const char *header, *name, *binding;
    gboolean has_binding;
    PrSaslStep step;
  } cases[] = {
    { PR_SASL_SCRAM_SHA_256, "n,,", "user", "", FALSE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256, "n,,", "user", "", TRUE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256, "y,,", "user", "", FALSE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256, "y,,", "user", "", TRUE, PR_SASL_REFUSED }, /* -PLUS was hidden */
    { PR_SASL_SCRAM_SHA_256, "n,a=user,", "user", "", FALSE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256, "n,a=,", "user", "", FALSE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256, "n,a=other,", "user", "", FALSE, PR_SASL_REFUSED },
    { PR_SASL_SCRAM_SHA_256, "n,,", "a=2Cb=3Dc", "", FALSE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256, "n,,", "a=2cb", "", FALSE, PR_SASL_BROKEN },
    { PR_SASL_SCRAM_SHA_256, "n,,", "", "", FALSE, PR_SASL_BROKEN },
    { PR_SASL_SCRAM_SHA_256, "n,,m=new,", "user", "", FALSE, PR_SASL_BROKEN },
    { PR_SASL_SCRAM_SHA_256, "n,,", "user", "more", FALSE, PR_SASL_REFUSED },
    { PR_SASL_SCRAM_SHA_256, "p=tls-exporter,,", "user", "B", TRUE, PR_SASL_BROKEN },
    { PR_SASL_SCRAM_SHA_256_PLUS, "p=tls-exporter,,", "user", "B", TRUE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256_PLUS, "p=tls-server-end-point,,", "user", "B", TRUE, PR_SASL_DONE },
    { PR_SASL_SCRAM_SHA_256_PLUS, "p=tls-server-end-point,,", "user", "C", TRUE, PR_SASL_REFUSED },
    { PR_SASL_SCRAM_SHA_256_PLUS, "p=tls-unique,,", "user", "B", TRUE, PR_SASL_BROKEN },
    { PR_SASL_SCRAM_SHA_256_PLUS, "n,,", "user", "", TRUE, PR_SASL_BROKEN },
    { PR_SASL_SCRAM_SHA_256_PLUS, "p=tls-exporter,,", "user", "B", FALSE, PR_SASL_BROKEN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world = make_world ();
      g_autofree char *answer = NULL;

      world.binding = cases[i].has_binding ? g_bytes_new_static ("B", 1) : NULL;
      g_test_message ("case %" G_GSIZE_FORMAT, i);
      g_assert_cmpint (scram_by_hand (&world, cases[i].mechanism, cases[i].header, cases[i].name,
                                      cases[i].binding, &answer),
                       ==, cases[i].step);
      clear_world (&world);
    }
}

/* Somebody who does not exist: the same salt each time, as many iterations as others. */
static void
test_made_up (void)
{
  World world = make_world ();
  char *salts[2] = { NULL, NULL };
  g_autoptr (GBytes) key = g_bytes_new_static ("key", 3);
  g_autofree char *one = pr_sasl_make_up_secret (PR_SASL_SCRAM_SHA_256, "x", RFC_SECRET, key);
  g_autofree char *two = pr_sasl_make_up_secret (PR_SASL_SCRAM_SHA_256, "y", RFC_SECRET, key);
  g_autofree char *three = pr_sasl_make_up_secret (PR_SASL_SCRAM_SHA_1, "x", NULL, key);

  g_assert_true (g_str_has_prefix (one, "SCRAM-SHA-256$4096:"));
  g_assert_cmpuint (strlen (one), ==, strlen (RFC_SECRET));
  g_assert_true (strncmp (one, two, 44) != 0);
  g_assert_true (pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_256, one));
  g_assert_true (pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_1, three));

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (PrSaslServer) server =
        pr_sasl_server_new (PR_SASL_SCRAM_SHA_256, &server_world, &world);
      g_autofree char *answer = NULL;

      g_assert_cmpint (say (server, "n,,n=nobody,r=x", &answer), ==, PR_SASL_CONTINUE);
      salts[i] = g_strdup (strstr (answer, ",s="));
    }
  g_assert_cmpstr (salts[0], ==, salts[1]);
  g_free (salts[0]);
  g_free (salts[1]);
  clear_world (&world);
}

static void
test_secrets_are_forgotten (void)
{
  char *secret = g_strdup ("pencil");

  pr_sasl_clear_secret (&secret);
  g_assert_null (secret);
  pr_sasl_forget (NULL); /* nothing to forget is fine */
}

static void
test_secrets (void)
{
  g_autofree char *secret = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_256, "pencil");
  g_autofree char *other = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_256, "pencil");
  g_autofree char *sha_1 = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_1, "pencil");

  g_assert_true (pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_256, secret));
  g_assert_true (pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_1, sha_1));
  g_assert_false (pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_256, sha_1));
  g_assert_cmpstr (secret, !=, other); /* its own salt */
  g_assert_null (pr_sasl_make_secret (PR_SASL_SCRAM_SHA_256, "a\001b"));
  g_assert_false (pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_256, "SCRAM-SHA-256$x"));
  g_assert_false (pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_256, ""));
  g_assert_false (
    pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_256, "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA"));
}

static PrSaslStep
step_octets (PrSaslServer *server, const char *text, gsize len, char **out)
{
  g_autofree char *line = g_base64_encode ((const guchar *) text, len);

  return pr_sasl_server_step (server, line, strlen (line), out);
}

static void
test_plain (void)
{
  static const struct
  {
    const char *text;
    gsize len;
    PrSaslStep step;
  } cases[] = {
    { "\0user\0pencil", 12, PR_SASL_CHECK },       { "user\0user\0pencil", 16, PR_SASL_CHECK },
    { "root\0user\0pencil", 16, PR_SASL_REFUSED }, { "\0user\0", 6, PR_SASL_BROKEN },
    { "\0\0pencil", 8, PR_SASL_BROKEN },           { "user\0pencil", 11, PR_SASL_BROKEN },
    { "\0user\0pen\0cil", 13, PR_SASL_BROKEN },    { "x", 1, PR_SASL_BROKEN },
    { "\0us\xff\0pencil", 11, PR_SASL_BROKEN },
  };
  World world = make_world ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PrSaslServer) server = pr_sasl_server_new (PR_SASL_PLAIN, &server_world, &world);
      g_autofree char *out = NULL;

      g_test_message ("case %" G_GSIZE_FORMAT, i);
      g_assert_cmpint (step_octets (server, cases[i].text, cases[i].len, &out), ==, cases[i].step);
    }
  clear_world (&world);
}

/* "AUTH PLAIN" and "AUTH PLAIN =" both ask for the message; a second time it must come. */
static void
test_plain_without_initial (void)
{
  World world = make_world ();

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (PrSaslServer) server = pr_sasl_server_new (PR_SASL_PLAIN, &server_world, &world);
      g_autofree char *out = NULL;
      g_autofree char *more = NULL;

      g_assert_cmpint (pr_sasl_server_step (server, i == 0 ? NULL : "=", i, &out), ==,
                       PR_SASL_CONTINUE);
      g_assert_cmpstr (out, ==, "");
      g_assert_cmpint (pr_sasl_server_step (server, "=", 1, &more), ==, PR_SASL_BROKEN);
      g_assert_cmpint (pr_sasl_server_step (server, "", 0, &more), ==, PR_SASL_BROKEN);
    }
  clear_world (&world);
}

static void
test_login (void)
{
  World world = make_world ();
  g_autoptr (PrSaslServer) server = pr_sasl_server_new (PR_SASL_LOGIN, &server_world, &world);
  g_autoptr (PrSaslServer) early = pr_sasl_server_new (PR_SASL_LOGIN, &server_world, &world);
  g_autoptr (PrSaslServer) odd = pr_sasl_server_new (PR_SASL_LOGIN, &server_world, &world);
  g_autoptr (PrSaslCheck) check = NULL;
  char *out = NULL;

  g_assert_cmpint (pr_sasl_server_step (server, NULL, 0, &out), ==, PR_SASL_CONTINUE);
  g_assert_cmpstr (out, ==, "VXNlcm5hbWU6");
  g_clear_pointer (&out, g_free);
  g_assert_cmpint (pr_sasl_server_step (server, "dXNlcg==", 8, &out), ==, PR_SASL_CONTINUE);
  g_assert_cmpstr (out, ==, "UGFzc3dvcmQ6");
  g_clear_pointer (&out, g_free);
  g_assert_cmpint (pr_sasl_server_step (server, "cGVuY2ls", 8, &out), ==, PR_SASL_CHECK);
  check = pr_sasl_server_take_check (server);
  g_assert_true (pr_sasl_check_run (check));

  g_assert_cmpint (pr_sasl_server_step (early, "dXNlcg==", 8, &out), ==, PR_SASL_CONTINUE);
  g_assert_cmpstr (out, ==, "UGFzc3dvcmQ6");
  g_clear_pointer (&out, g_free);

  g_assert_cmpint (pr_sasl_server_step (odd, "user", 4, &out), ==, PR_SASL_BROKEN);
  g_assert_cmpint (pr_sasl_server_step (odd, "AHVzZXIA", 8, &out), ==, PR_SASL_BROKEN);
  g_assert_cmpint (pr_sasl_server_step (odd, "a b", 3, &out), ==, PR_SASL_BROKEN);
  clear_world (&world);
}

static void
test_cram (void)
{
  World world = make_world ();
  g_autoptr (PrSaslServer) server = pr_sasl_server_new (PR_SASL_CRAM_MD5, &server_world, &world);
  g_autoptr (PrSaslServer) early = pr_sasl_server_new (PR_SASL_CRAM_MD5, &server_world, &world);
  g_autofree char *out = NULL;
  g_autofree char *challenge = NULL;
  g_autofree char *more = NULL;

  g_assert_cmpint (pr_sasl_server_step (server, NULL, 0, &out), ==, PR_SASL_CONTINUE);
  challenge = decode (out);
  g_assert_true (g_str_has_prefix (challenge, "<"));
  g_assert_true (g_str_has_suffix (challenge, "@relay.example.org>"));
  g_assert_cmpint (say (server, "user 0123", &more), ==, PR_SASL_BROKEN);
  g_assert_cmpint (say (server, "user 00000000000000000000000000000000", &more), ==,
                   PR_SASL_REFUSED);
  g_assert_cmpint (pr_sasl_server_step (early, "dXNlcg==", 8, &more), ==, PR_SASL_BROKEN);
  clear_world (&world);
}

static void
test_names (void)
{
  g_autofree char *text =
    pr_sasl_mechanisms_to_string (PR_SASL_LOGIN | PR_SASL_SCRAM_SHA_256 | PR_SASL_PLAIN);
  g_autofree char *none = pr_sasl_mechanisms_to_string (0);

  g_assert_cmpstr (text, ==, "SCRAM-SHA-256 PLAIN LOGIN");
  g_assert_cmpstr (none, ==, "");
  g_assert_cmpuint (pr_sasl_mechanisms_from_string (" login GSSAPI  xoauth2 PLAINER"), ==,
                    PR_SASL_LOGIN | PR_SASL_XOAUTH2);
  g_assert_cmpuint (pr_sasl_mechanism_find ("PLAINx", 5), ==, PR_SASL_PLAIN);
}

static void
test_choose (void)
{
  const PrSaslMechanisms all = (1 << 9) - 1;

  g_assert_cmpuint (pr_sasl_choose (all, "auto", TRUE, FALSE, TRUE), ==,
                    PR_SASL_SCRAM_SHA_256_PLUS);
  g_assert_cmpuint (pr_sasl_choose (all, "auto", TRUE, FALSE, FALSE), ==, PR_SASL_SCRAM_SHA_256);
  g_assert_cmpuint (pr_sasl_choose (all, "auto", TRUE, TRUE, TRUE), ==, PR_SASL_OAUTHBEARER);
  g_assert_cmpuint (pr_sasl_choose (PR_SASL_PLAIN | PR_SASL_LOGIN, "auto", TRUE, FALSE, FALSE), ==,
                    PR_SASL_PLAIN);
  g_assert_cmpuint (pr_sasl_choose (PR_SASL_PLAIN | PR_SASL_LOGIN, "auto", FALSE, FALSE, FALSE), ==,
                    0);
  g_assert_cmpuint (pr_sasl_choose (PR_SASL_CRAM_MD5, "auto", TRUE, FALSE, FALSE), ==, 0);
  g_assert_cmpuint (pr_sasl_choose (PR_SASL_CRAM_MD5, "cram-md5", FALSE, FALSE, FALSE), ==,
                    PR_SASL_CRAM_MD5);
  g_assert_cmpuint (pr_sasl_choose (all, "scram-sha-256", TRUE, FALSE, TRUE), ==,
                    PR_SASL_SCRAM_SHA_256_PLUS);
  g_assert_cmpuint (pr_sasl_choose (PR_SASL_PLAIN, "scram-sha-256", TRUE, FALSE, TRUE), ==, 0);
  g_assert_cmpuint (pr_sasl_choose (PR_SASL_PLAIN, "login", TRUE, FALSE, TRUE), ==, 0);
}

static PrSaslClient *
make_client (PrSaslMechanisms mechanism)
{
  PrSaslCredentials credentials = { "a=b,c", "secret", "mail.example.org", 587, NULL };
  g_autoptr (GError) error = NULL;
  PrSaslClient *client = pr_sasl_client_new (mechanism, &credentials, &error);

  g_assert_no_error (error);
  return client;
}

static void
test_client_oauth (void)
{
  g_autoptr (PrSaslClient) bearer = make_client (PR_SASL_OAUTHBEARER);
  g_autoptr (PrSaslClient) google = make_client (PR_SASL_XOAUTH2);
  g_autofree char *first = pr_sasl_client_start (bearer);
  g_autofree char *shown = decode (first);
  g_autofree char *other = pr_sasl_client_start (google);
  g_autofree char *other_shown = decode (other);
  g_autofree char *fault = encode ("{\"schemes\":\"bearer\", \"status\" : \"invalid_token\"}");
  g_autofree char *out = NULL;
  g_autofree char *more = NULL;

  g_assert_cmpstr (shown, ==,
                   "n,a=a=3Db=2Cc,\001host=mail.example.org\001port=587\001auth=Bearer "
                   "secret\001\001");
  g_assert_cmpstr (other_shown, ==, "user=a=b,c\001auth=Bearer secret\001\001");
  g_assert_true (pr_sasl_client_is_done (bearer));

  g_assert_cmpint (pr_sasl_client_step (bearer, fault, &out), ==, PR_SASL_CONTINUE);
  g_assert_cmpstr (out, ==, "AQ==");
  g_assert_cmpstr (pr_sasl_client_get_oauth_status (bearer), ==, "invalid_token");
  g_assert_false (pr_sasl_client_is_done (bearer));
  g_assert_cmpint (pr_sasl_client_step (bearer, fault, &more), ==, PR_SASL_BROKEN);

  g_assert_cmpint (pr_sasl_client_step (google, "eyJzdGF0dXMiOiI0MDEifQ==", &more), ==,
                   PR_SASL_CONTINUE);
  g_assert_cmpstr (more, ==, "");
  g_assert_cmpstr (pr_sasl_client_get_oauth_status (google), ==, "401");
}

/* Servers that say what they like. */
static void
test_client_hostile (void)
{
  static const char *const lines[] = {
    "", "x", "!!!!", "AAAA", "dj1yb2d1ZQ==", "cj14LHM9eCxpPTE="
  };
  const PrSaslMechanisms all = (1 << 9) - 1;

  for (guint bit = 1; bit < all; bit <<= 1)
    for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
      {
        PrSaslCredentials credentials = { "user", "secret", "h", 25,
                                          g_bytes_new_static ("binding", 7) };
        g_autoptr (PrSaslClient) client = pr_sasl_client_new (bit, &credentials, NULL);
        g_autofree char *start = pr_sasl_client_start (client);

        for (guint n = 0; n < 5; n++)
          {
            g_autofree char *out = NULL;

            if (pr_sasl_client_step (client, lines[i], &out) != PR_SASL_CONTINUE)
              {
                g_assert_null (out);
                break;
              }
            g_assert_nonnull (out);
            g_assert_cmpuint (n, <, 4);
          }
        if ((bit & (PR_SASL_SCRAM_SHA_256 | PR_SASL_SCRAM_SHA_1)) != 0)
          g_assert_false (pr_sasl_client_is_done (client));
        g_bytes_unref (credentials.exporter);
      }
}

static void
test_client_refuses_input (void)
{
  PrSaslCredentials injected = { "user", "se\001cret", "h", 25, NULL };
  PrSaslCredentials nobody = { "", "secret", "h", 25, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_sasl_client_new (PR_SASL_XOAUTH2, &injected, &error));
  g_assert_nonnull (error);
  g_assert_null (pr_sasl_client_new (PR_SASL_PLAIN, &nobody, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/sasl/names", test_names);
  g_test_add_func ("/sasl/choose", test_choose);
  g_test_add_func ("/sasl/secrets", test_secrets);
  g_test_add_func ("/sasl/secrets-are-forgotten", test_secrets_are_forgotten);
  g_test_add_func ("/sasl/made-up", test_made_up);
  g_test_add_func ("/sasl/pairs", test_pairs);
  g_test_add_func ("/sasl/other-binding", test_other_binding);
  g_test_add_func ("/sasl/scram-forms", test_scram_forms);
  g_test_add_func ("/sasl/plain", test_plain);
  g_test_add_func ("/sasl/plain-without-initial", test_plain_without_initial);
  g_test_add_func ("/sasl/login", test_login);
  g_test_add_func ("/sasl/cram", test_cram);
  g_test_add_func ("/sasl/client-oauth", test_client_oauth);
  g_test_add_func ("/sasl/client-hostile", test_client_hostile);
  g_test_add_func ("/sasl/client-refuses-input", test_client_refuses_input);

  return g_test_run ();
}
