/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl provider: what is known of mail providers; route add, status and pin. */

#include "config/providers.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define FINGERPRINT "SHA256:"

static char *provider_id, *username, *auth, *recipients, *senders, *parameter;
static char *via, *client_id, *tenant, *flow;
static gboolean yes;

const GOptionEntry pr_route_add_options[] = {
  { "provider", 0, 0, G_OPTION_ARG_STRING, &provider_id,
    "Whose server it is, as postroomctl provider list names it", "ID" },
  { "username", 0, 0, G_OPTION_ARG_STRING, &username, "With which name to sign in", "NAME" },
  { "auth", 0, 0, G_OPTION_ARG_STRING, &auth,
    "How to sign in: oauth, or a word of auth= (default: the simplest way)", "WAY" },
  { "via", 0, 0, G_OPTION_ARG_STRING, &via,
    "gmail-api or graph: over HTTPS, where SMTP is closed (default: by SMTP)", "WAY" },
  { "client-id", 0, 0, G_OPTION_ARG_STRING, &client_id,
    "For OAuth: what the provider gave for this program", "ID" },
  { "tenant", 0, 0, G_OPTION_ARG_STRING, &tenant, "For OAuth at Microsoft: the organisation",
    "NAME" },
  { "flow", 0, 0, G_OPTION_ARG_STRING, &flow,
    "For OAuth: code, device or client-credentials (default: as it fits)", "FLOW" },
  { "parameter", 0, 0, G_OPTION_ARG_STRING, &parameter,
    "What the provider lets you choose, such as the region", "WORD" },
  { "recipients", 0, 0, G_OPTION_ARG_STRING, &recipients, "Only mail for these (default: all)",
    "PATTERNS" },
  { "senders", 0, 0, G_OPTION_ARG_STRING, &senders, "Only mail from these (default: all)",
    "PATTERNS" },
  G_OPTION_ENTRY_NULL,
};

const GOptionEntry pr_route_pin_options[] = {
  { "yes", 0, 0, G_OPTION_ARG_NONE, &yes, "Trust it without asking", NULL },
  G_OPTION_ENTRY_NULL,
};

/* "" where there is none. */
static const char *
get_text (GVariant *dict, const char *key)
{
  const char *text = pr_dict_string (dict, key);

  return text != NULL ? text : "";
}

/* ── provider ─────────────────────────────────────────────────────────────────────────────── */

static void
print_providers (PrCtl *ctl, GVariant *list)
{
  static const PrColumn columns[] = {
    { "PROVIDER", FALSE, 0 }, { "NAME", FALSE, 16 }, { "DOMAINS", FALSE, 12 }, { NULL, FALSE, 0 }
  };
  g_autoptr (PrTable) table = pr_table_new (&ctl->terminal, columns);
  g_autofree char *lines = NULL;

  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) item = g_variant_get_child_value (list, i);
      g_autofree const char **domains = NULL;

      g_variant_lookup (item, "domains", "^a&s", &domains);
      pr_table_add (table, get_text (item, "id"));
      pr_table_add (table, get_text (item, "name"));
      pr_table_take (table, g_strjoinv (" ", (char **) domains));
    }
  lines = pr_table_flush (table);
  fputs (*lines != '\0' ? lines : "No provider is known by that; any other works with hosts=.\n",
         stdout);
}

int
pr_ctl_provider_list (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Configuration1", "ListProviders",
                 g_variant_new ("(s)", args[0] != NULL ? args[0] : ""), "(aa{sv})", &status);
  g_autoptr (GVariant) list = NULL;

  if (answer == NULL)
    return status;
  list = g_variant_get_child_value (answer, 0);
  if (ctl->json)
    {
      g_autofree char *text = pr_json_value (list);

      puts (text);
    }
  else
    print_providers (ctl, list);
  return PR_EXIT_DONE;
}

static void
print_sign_in (const PrProviderSignIn *way)
{
  static const char *const titles[] = { "By its network address", "With the password",
                                        "With an app password", "With a key", "With OAuth" };

  printf ("\n%s:\n", titles[way->kind]);
  for (guint i = 0; way->steps[i] != NULL; i++)
    printf ("  %u. %s\n", i + 1, way->steps[i]);
  if (way->url != NULL)
    printf ("  See %s\n", way->url);
}

static void
print_provider (const PrProvider *provider)
{
  printf ("%s\n", provider->name);
  for (guint i = 0; i < provider->n_hosts; i++)
    printf ("  %-12s %s:%u\n", i == 0 ? "Servers" : "", provider->hosts[i].host,
            provider->hosts[i].port);
  for (guint i = 0; i < provider->n_parameters; i++)
    {
      g_autofree char *values = g_strjoinv (", ", provider->parameters[i].values);

      printf ("  %-12s {%s}: %s %s\n", "Choose", provider->parameters[i].name,
              provider->parameters[i].words, values);
    }
  for (guint i = 0; i < provider->n_limits; i++)
    {
      g_autofree char *words = pr_rate_limit_describe (&provider->limits[i]);

      printf ("  %-12s %s\n", i == 0 ? "Limits" : "", words);
    }
  if (provider->from_words != NULL)
    printf ("  %-12s %s\n", "Senders", provider->from_words);
  if (provider->login_words != NULL)
    printf ("  %-12s %s\n", "User name", provider->login_words);
  printf ("  %-12s %s\n", "Help", provider->help_url);
  printf ("  %-12s %s (%s)\n", "Checked", provider->checked_on, provider->confidence);
  for (guint i = 0; i < provider->n_sign_ins; i++)
    print_sign_in (&provider->sign_ins[i]);
}

int
pr_ctl_provider_show (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = pr_ctl_call (ctl, "Configuration1", "GetProvider",
                                             g_variant_new ("(s)", args[0]), "(s)", &status);
  g_autoptr (PrProvider) provider = NULL;
  const char *text;

  if (answer == NULL)
    return status;
  g_variant_get (answer, "(&s)", &text);
  provider = pr_provider_load (args[0]);
  if (ctl->json || provider == NULL) /* a service of another version knows more */
    puts (text);
  else
    print_provider (provider);
  return PR_EXIT_DONE;
}

/* ── route add ────────────────────────────────────────────────────────────────────────────── */

static GVariant *
make_options (const char *name)
{
  const struct
  {
    const char *key, *value;
  } given[] = {
    { "provider", provider_id }, { "name", name },
    { "username", username },    { "auth", auth },
    { "parameter", parameter },  { "recipients", recipients },
    { "senders", senders },      { "via", via },
    { "client-id", client_id },  { "tenant", tenant },
    { "oauth-flow", flow },
  };
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (given); i++)
    if (given[i].value != NULL)
      g_variant_dict_insert (&options, given[i].key, "s", given[i].value);
  return g_variant_dict_end (&options);
}

/* How a person will sign in: what was asked for, else the simplest. */
static PrSignInKind
find_kind (const PrProvider *provider)
{
  if (auth == NULL && via != NULL && !g_str_equal (via, "smarthost"))
    return PR_SIGN_IN_OAUTH;
  if (auth != NULL && (g_str_equal (auth, "oauth") || g_str_equal (auth, "xoauth2") ||
                       g_str_equal (auth, "oauthbearer")))
    return PR_SIGN_IN_OAUTH;
  return provider->sign_ins[0].kind;
}

static int
keep_password (PrCtl *ctl, const char *name, const char *password)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = pr_ctl_call (ctl, "Configuration1", "SetRoutePassword",
                                             g_variant_new ("(ss)", name, password), "()", &status);

  if (answer == NULL)
    fprintf (stderr, "The route is there; set its password with: postroomctl route password %s\n",
             name);
  return status;
}

static void
print_next_step (const char *name, PrSignInKind kind)
{
  gboolean is_program = g_strcmp0 (flow, "client-credentials") == 0;

  if (kind != PR_SIGN_IN_OAUTH)
    printf ("The route %s is there. Try it: postroomctl test-mail --to=ADDRESS\n", name);
  else if (is_program && client_id != NULL)
    printf ("The route %s is there. Set its secret now: postroomctl route client-secret %s\n", name,
            name);
  else
    printf ("The route %s is there. Sign in now: postroomctl route sign-in %s\n", name, name);
}

static int
add_route (PrCtl *ctl, const char *wanted, PrSignInKind kind, const char *password)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Configuration1", "AddRoute",
                 g_variant_new ("(@a{sv})", make_options (wanted)), "(asass)", &status);
  const char *name;

  if (answer == NULL || (status = pr_ctl_report_config (answer)) != PR_EXIT_DONE)
    return status;
  g_variant_get_child (answer, 2, "&s", &name);
  if (password != NULL && (status = keep_password (ctl, name, password)) != PR_EXIT_DONE)
    return status;
  if (ctl->json)
    {
      g_autofree char *text = pr_json_object ("name", name, NULL);

      puts (text);
    }
  else
    print_next_step (name, kind);
  return PR_EXIT_DONE;
}

int
pr_ctl_route_add (PrCtl *ctl, char **args)
{
  g_autoptr (PrProvider) provider = NULL;
  char *password = NULL;
  PrSignInKind kind;
  int status;

  if (provider_id == NULL)
    return pr_ctl_misused ("Say whose server it is: --provider=ID.");
  provider = pr_provider_load (provider_id);
  if (provider == NULL)
    return pr_ctl_refuse ("There is no provider \"%s\"; \"postroomctl provider list\" names them.",
                          provider_id);
  kind = find_kind (provider);
  if (kind != PR_SIGN_IN_OAUTH && kind != PR_SIGN_IN_NONE)
    {
      for (guint i = 0; isatty (STDIN_FILENO) && provider->sign_ins[0].steps[i] != NULL; i++)
        fprintf (stderr, "%s\n", provider->sign_ins[0].steps[i]);
      password = pr_ctl_read_secret ("Password: ", FALSE);
      if (password == NULL)
        return PR_EXIT_REFUSED;
    }
  status = add_route (ctl, args[0], kind, password);
  pr_ctl_forget (password);
  return status;
}

/* ── route status, route pin ──────────────────────────────────────────────────────────────── */

static void
print_limits (GVariant *route)
{
  g_autoptr (GVariant) limits = g_variant_lookup_value (route, "limits", G_VARIANT_TYPE ("aa{sv}"));

  for (gsize i = 0; limits != NULL && i < g_variant_n_children (limits); i++)
    {
      g_autoptr (GVariant) limit = g_variant_get_child_value (limits, i);

      printf ("  %-10s %" G_GINT64_FORMAT " of %s\n", i == 0 ? "Used" : "",
              pr_dict_number (limit, "used"), get_text (limit, "words"));
    }
}

/* Who signed in with OAuth, and how long that holds. */
static void
print_token (GVariant *route)
{
  g_autofree char *account = pr_text_printable (get_text (route, "account"));
  g_autofree char *unkept = pr_text_printable (get_text (route, "token-unkept"));
  g_autofree char *end =
    pr_words_when (pr_dict_number (route, "token-expires"), g_get_real_time ());
  gboolean renews = FALSE;

  if (*get_text (route, "token") == '\0')
    return;
  g_variant_lookup (route, "token-renews", "b", &renews);
  if (*account != '\0')
    printf ("  %-10s %s\n", "Account", account);
  if (g_str_equal (get_text (route, "token"), "sign-in-needed") || *end == '\0')
    printf ("  %-10s %s\n", "Token", renews ? "none yet; it comes by itself" : "none");
  else
    printf ("  %-10s ends %s%s\n", "Token", end, renews ? ", renewed by itself" : "");
  if (*unkept != '\0')
    printf ("  %-10s not stored: %s; it is tried again\n", "", unkept);
}

static void
print_route (GVariant *route)
{
  g_autofree char *reason = pr_text_printable (get_text (route, "reason"));
  g_autofree char *name = pr_text_printable (get_text (route, "name"));
  g_autofree char *user = pr_text_printable (get_text (route, "username"));
  g_autofree char *until = pr_words_when (pr_dict_number (route, "until"), g_get_real_time ());

  printf ("%s\n", name);
  if (*get_text (route, "provider-name") != '\0')
    printf ("  %-10s %s\n", "Provider", get_text (route, "provider-name"));
  if (*user != '\0')
    printf ("  %-10s %s\n", "User", user);
  print_token (route);
  if (*reason == '\0')
    printf ("  %-10s %s\n", "State", "ready");
  else
    printf ("  %-10s %s (%s%s)\n", "State", reason, *until != '\0' ? "again " : "waits for you",
            until);
  print_limits (route);
}

/* The route @name of GetRoutes; all of them: NULL. */
static GVariant *
get_routes (PrCtl *ctl, const char *name, int *status)
{
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Configuration1", "GetRoutes", NULL, "(aa{sv})", status);
  g_autoptr (GVariant) list = NULL;

  if (answer == NULL)
    return NULL;
  list = g_variant_get_child_value (answer, 0);
  if (name == NULL)
    return g_steal_pointer (&list);
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) route = g_variant_get_child_value (list, i);

      if (g_str_equal (get_text (route, "name"), name))
        return g_variant_ref_sink (g_variant_new_array (NULL, &route, 1));
    }
  *status = pr_ctl_refuse ("There is no route %s.", name);
  return NULL;
}

int
pr_ctl_route_status (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) list = get_routes (ctl, args[0], &status);

  if (list == NULL)
    return status;
  if (ctl->json)
    {
      g_autofree char *text = pr_json_value (list);

      puts (text);
      return PR_EXIT_DONE;
    }
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) route = g_variant_get_child_value (list, i);

      print_route (route);
    }
  if (g_variant_n_children (list) == 0)
    puts ("There are no routes: mail is kept.");
  return PR_EXIT_DONE;
}

/* What the server showed when it could not be verified. (transfer full) (nullable) */
static char *
find_fingerprint (GVariant *list)
{
  g_autoptr (GVariant) route = g_variant_get_child_value (list, 0);
  const char *at = strstr (get_text (route, "reason"), FINGERPRINT);
  gsize len = at != NULL ? strspn (at + strlen (FINGERPRINT), "0123456789abcdefABCDEF:") : 0;

  return len >= 64 ? g_strndup (at, len + strlen (FINGERPRINT)) : NULL;
}

static gboolean
is_agreed (const char *fingerprint)
{
  char answer[16] = "";

  if (yes)
    return TRUE;
  if (!isatty (STDIN_FILENO))
    {
      pr_ctl_refuse ("Compare it with what the server shows, then say --yes.");
      return FALSE;
    }
  fputs ("Compare it with what the server shows. Trust this certificate from now on? [y/N] ",
         stderr);
  if (fgets (answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
    return TRUE;
  pr_ctl_refuse ("Nothing was changed.");
  return FALSE;
}

/* What the server shows now; where it does not answer, what it showed when mail went.
 * (transfer full) (nullable) */
static char *
ask_fingerprint (PrCtl *ctl, const char *name, GVariant *list, int *status)
{
  g_autofree char *known = find_fingerprint (list);
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) facts = NULL;
  g_autofree char *server = NULL;
  g_autofree char *fault = NULL;
  FILE *out = ctl->json ? stderr : stdout;

  if (known != NULL)
    {
      fprintf (out, "The server shows %s\n", known);
      return g_steal_pointer (&known);
    }
  answer = pr_ctl_call (ctl, "Configuration1", "ProbeCertificate", g_variant_new ("(s)", name),
                        "(a{sv})", status);
  if (answer == NULL)
    return NULL;
  facts = g_variant_get_child_value (answer, 0);
  server = pr_text_printable (get_text (facts, "server"));
  fault = pr_text_printable (get_text (facts, "fault"));
  fprintf (out, "%s shows %s\n%s%s\n", server, get_text (facts, "fingerprint"),
           *fault != '\0' ? "Without a pin it is not trusted: "
                          : "It is trusted as it is; with a pin no other will be, not even the one "
                            "that follows it.",
           fault);
  return g_strdup (get_text (facts, "fingerprint"));
}

int
pr_ctl_route_pin (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) list = get_routes (ctl, args[0], &status);
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *group = g_strconcat ("route ", args[0], NULL);
  g_autofree char *fingerprint =
    list != NULL ? ask_fingerprint (ctl, args[0], list, &status) : NULL;

  if (fingerprint == NULL)
    return status;
  fflush (stdout);
  if (!is_agreed (fingerprint))
    return PR_EXIT_REFUSED;

  answer = pr_ctl_call (ctl, "Configuration1", "Edit",
                        g_variant_new_parsed ("([('set', %s, 'pin', %s)],)", group, fingerprint),
                        "(asass)", &status);
  if (answer == NULL)
    return status;
  status = pr_ctl_report_config (answer);
  if (status == PR_EXIT_DONE && !ctl->json)
    puts ("This certificate, and no other, is right from now on.");
  return status;
}
