/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One value of postroom.conf: from text into the field its key names. */
#include <string.h>

#include "common/error.h"
#include "common/units.h"
#include "config/keys.h"
#include "config/providers.h"
#include "smtp/address.h"
#include "smtp/sasl.h"

#define SCRAM_PREFIX "SCRAM-SHA-256$"
#define SHA256_SIZE 32
#define HEX "0123456789abcdefABCDEF"
#define SCRAM_KEY_SIZE 32   /* SHA-256 */
#define MIN_ITERATIONS 4096 /* RFC 7677 §4 */
#define MAX_ITERATIONS 10000000
#define MAX_TEXT 1024
#define MAX_LIMIT 10000000
#define MAX_LIMITS 8

#define FIELD(type) (*(type *) field)

static gboolean fail (char **why, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (char **why, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  *why = g_strdup_vprintf (format, args);
  va_end (args);
  return FALSE;
}

static gboolean
fail_with (char **why, GError *error)
{
  *why = g_strdup (error->message);
  g_error_free (error);
  return FALSE;
}

/* Entries without the blanks around them; one separator may stand at the end. */
static GStrv
split (const char *text)
{
  g_auto (GStrv) entries = g_strsplit (text, ";", -1);
  guint n = g_strv_length (entries);

  for (guint i = 0; i < n; i++)
    g_strstrip (entries[i]);
  if (n > 0 && entries[n - 1][0] == '\0')
    g_clear_pointer (&entries[n - 1], g_free);
  return g_steal_pointer (&entries);
}

static gboolean
in_range (const PrKeySpec *spec, guint64 value, char *(*format) (guint64), char **why)
{
  g_autofree char *min = format (spec->min), *max = format (spec->max);

  if (value >= spec->min && value <= spec->max)
    return TRUE;
  return fail (why, "must be from %s to %s", min, max);
}

static char *
format_number (guint64 value)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, value);
}

static gboolean
parse_size (const PrKeySpec *spec, const char *text, gpointer field, char **why)
{
  guint64 value;

  if (!pr_size_parse (text, &value))
    return fail (why, "\"%s\" is not a size such as 512, 100K, 50M or 2G", text);
  if (!in_range (spec, value, pr_size_format, why))
    return FALSE;
  FIELD (guint64) = value;
  return TRUE;
}

static gboolean
parse_duration (const PrKeySpec *spec, const char *text, guint64 *seconds, char **why)
{
  guint64 value;

  if (!pr_duration_parse (text, &value))
    return fail (why, "\"%s\" is not a duration such as 90s, 5m, 4h or 5d", text);
  if (!in_range (spec, value, pr_duration_format, why))
    return FALSE;
  *seconds = value;
  return TRUE;
}

static gboolean
parse_number (const PrKeySpec *spec, const char *text, gpointer field, char **why)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT, &value, NULL))
    return fail (why, "\"%s\" is not a number", text);
  if (!in_range (spec, value, format_number, why))
    return FALSE;
  FIELD (guint) = (guint) value;
  return TRUE;
}

static const PrWord *
find_word (const PrKeySpec *spec, const char *text, char **why)
{
  g_autoptr (GString) known = NULL;

  for (const PrWord *word = spec->words; word->word != NULL; word++)
    if (strcmp (word->word, text) == 0)
      return word;

  known = g_string_new (spec->words[0].word);
  for (const PrWord *word = spec->words + 1; word->word != NULL; word++)
    g_string_append_printf (known, word[1].word != NULL ? ", %s" : " or %s", word->word);
  fail (why, "\"%s\" must be %s", text, known->str);
  return NULL;
}

static gboolean
parse_word (const PrKeySpec *spec, const char *text, gpointer field, char **why)
{
  const PrWord *word = find_word (spec, text, why);

  G_STATIC_ASSERT (sizeof (PrTlsMode) == sizeof (int) && sizeof (guint) == sizeof (int) &&
                   sizeof (gboolean) == sizeof (int));
  if (word != NULL)
    FIELD (int) = word->value;
  return word != NULL;
}

static gboolean
parse_words (const PrKeySpec *spec, const char *text, gpointer field, char **why)
{
  g_auto (GStrv) entries = split (text);
  guint bits = 0;

  for (guint i = 0; entries[i] != NULL; i++)
    {
      const PrWord *word = find_word (spec, entries[i], why);

      if (word == NULL)
        return FALSE;
      bits |= (guint) word->value;
    }
  FIELD (guint) = bits;
  return TRUE;
}

static gboolean
parse_name (const PrKeySpec *spec, const char *text, gpointer field, char **why)
{
  if (find_word (spec, text, why) == NULL)
    return FALSE;
  FIELD (char *) = g_strdup (text);
  return TRUE;
}

static gboolean
parse_text (const char *text, gpointer field, char **why)
{
  if (strlen (text) > MAX_TEXT)
    return fail (why, "is longer than %d octets", MAX_TEXT);
  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return fail (why, "has a control character in it");
  FIELD (char *) = text[0] != '\0' ? g_strdup (text) : NULL;
  return TRUE;
}

static gboolean
parse_hostname (const char *text, gpointer field, char **why)
{
  g_autofree char *ascii = pr_domain_to_ascii (text);

  if (ascii == NULL || !pr_host_name_is_valid (ascii))
    return fail (why, "\"%s\" is not a host name such as relay.example.org", text);
  FIELD (char *) = g_steal_pointer (&ascii);
  return TRUE;
}

static gboolean
parse_address (const char *text, gpointer field, char **why)
{
  const char *fault = NULL;

  if (text[0] == '\0' || pr_address_parse (text, &FIELD (char *), &fault))
    return TRUE;
  FIELD (char *) = NULL;
  return fail (why, "\"%s\" is not an address: %s", text, fault);
}

static gboolean
parse_url (const char *text, gpointer field, char **why)
{
  g_autoptr (GUri) uri = NULL;
  const char *host;
  PrIp ip;

  if (text[0] == '\0')
    return TRUE;
  if (strlen (text) > MAX_TEXT)
    return fail (why, "is longer than %d octets", MAX_TEXT);
  uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  host = uri != NULL ? g_uri_get_host (uri) : NULL;
  if (host == NULL || host[0] == '\0')
    return fail (why, "%s is no web address, such as https://example.org/", text);
  if (!g_str_equal (g_uri_get_scheme (uri), "https") &&
      !(g_str_equal (g_uri_get_scheme (uri), "http") && pr_ip_parse (host, &ip) &&
        pr_ip_is_loopback (&ip)))
    return fail (why, "%s is not encrypted; it must begin with https://", text);
  FIELD (char *) = g_strdup (text);
  return TRUE;
}

static gboolean
parse_path (const char *text, const char *base_dir, gboolean must_exist, gpointer field, char **why)
{
  g_autofree char *path = NULL;

  if (text[0] == '\0')
    return TRUE;
  if (strlen (text) > MAX_TEXT)
    return fail (why, "is longer than %d octets", MAX_TEXT);
  path = g_canonicalize_filename (text, base_dir);
  if (must_exist && !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return fail (why, "there is no file %s", path);
  FIELD (char *) = g_steal_pointer (&path);
  return TRUE;
}

static gboolean
parse_listen (const char *text, gpointer field, char **why)
{
  g_auto (GStrv) entries = split (text);

  if (entries[0] == NULL)
    return fail (why, "must name at least one address, such as 127.0.0.1:2525");
  for (guint i = 0; entries[i] != NULL; i++)
    {
      char buf[PR_IP_PORT_TEXT_SIZE];
      guint16 port;
      PrIp ip;

      if (!pr_ip_parse_with_port (entries[i], &ip, &port))
        return fail (why,
                     "\"%s\" is not an IP address with a port such as 127.0.0.1:2525 or "
                     "[::1]:2525",
                     entries[i]);
      g_free (entries[i]);
      entries[i] = g_strdup (pr_ip_format_with_port (&ip, port, buf));
    }
  FIELD (char **) = g_steal_pointer (&entries);
  return TRUE;
}

static gboolean
parse_networks (const char *text, gpointer field, char **why)
{
  g_auto (GStrv) entries = split (text);
  GError *error = NULL;

  FIELD (PrNetworks *) = pr_networks_new ((const char *const *) entries, &error);
  return error == NULL || fail_with (why, error);
}

static gboolean
parse_patterns (const char *text, gpointer field, char **why)
{
  g_auto (GStrv) entries = split (text);
  GError *error = NULL;

  FIELD (PrPatterns *) = pr_patterns_new ((const char *const *) entries, &error);
  return error == NULL || fail_with (why, error);
}

static gboolean
parse_domains (const char *text, gpointer field, char **why)
{
  g_auto (GStrv) entries = split (text);

  for (guint i = 0; entries[i] != NULL; i++)
    if (strcmp (entries[i], "*") == 0)
      return fail (why,
                   "\"*\" would let anyone send to anybody through Postroom; name the domains");
    else if (strchr (entries[i], '@') != NULL)
      return fail (why, "\"%s\" is an address; domains are written without @", entries[i]);
  return parse_patterns (text, field, why);
}

/* "name", "name:port", "192.0.2.1:port", "[2001:db8::1]:port". */
static gboolean
parse_host (const char *text, PrHostPort *out, char **why)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host = NULL;
  char buf[PR_IP_TEXT_SIZE];
  guint64 port = 0;
  PrIp ip;

  if (pr_ip_parse_with_port (text, &ip, &out->port) && out->port > 0)
    {
      out->host = g_strdup (pr_ip_format (&ip, buf));
      return TRUE;
    }
  if (text[0] == '[' && text[strlen (text) - 1] == ']')
    {
      host = g_strndup (text + 1, strlen (text) - 2);
      if (strchr (host, ':') == NULL || !pr_ip_parse (host, &ip))
        g_clear_pointer (&host, g_free);
    }
  else if (colon == NULL)
    host = pr_domain_to_ascii (text);
  else if (g_ascii_string_to_unsigned (colon + 1, 10, 1, G_MAXUINT16, &port, NULL))
    {
      g_autofree char *name = g_strndup (text, (gsize) (colon - text));

      if (strchr (name, ':') == NULL) /* IPv6 needs its brackets: which colon is the port's? */
        host = pr_domain_to_ascii (name);
    }
  if (host == NULL || (!pr_host_name_is_valid (host) && !pr_ip_parse (host, &ip)))
    return fail (why, "\"%s\" is not a host with a port such as smtp.example.org:587", text);
  out->host = g_steal_pointer (&host);
  out->port = (guint16) port;
  return TRUE;
}

static void
clear_hosts (PrRouteConfig *route)
{
  for (guint i = 0; i < route->n_hosts; i++)
    g_free (route->hosts[i].host);
  g_clear_pointer (&route->hosts, g_free);
  route->n_hosts = 0;
}

static gboolean
parse_hosts (const char *text, PrRouteConfig *route, char **why)
{
  g_auto (GStrv) entries = split (text);

  route->hosts = g_new0 (PrHostPort, g_strv_length (entries) + 1);
  for (; entries[route->n_hosts] != NULL; route->n_hosts++)
    if (!parse_host (entries[route->n_hosts], &route->hosts[route->n_hosts], why))
      return FALSE;
  return TRUE;
}

static gboolean
parse_schedule (const PrKeySpec *spec, const char *text, PrConfig *config, char **why)
{
  g_auto (GStrv) entries = split (text);
  guint n = g_strv_length (entries);

  if (n == 0)
    return fail (why, "must name at least one duration, such as 5m");
  config->retry_schedule_s = g_new0 (guint64, n);
  config->n_retry_schedule = n;
  for (guint i = 0; i < n; i++)
    if (!parse_duration (spec, entries[i], &config->retry_schedule_s[i], why))
      return FALSE;
  return TRUE;
}

/* "30/1m", "500 recipients/1d": how many, of what (messages, if nothing is said), in which time. */
static gboolean
parse_limit (const PrKeySpec *spec, const char *text, PrRateLimit *out, char **why)
{
  g_auto (GStrv) halves = g_strsplit (text, "/", -1);
  g_auto (GStrv) words = NULL;
  guint64 number;

  if (g_strv_length (halves) == 2)
    words = g_strsplit (g_strstrip (halves[0]), " ", 2);
  if (words == NULL || words[0] == NULL ||
      !g_ascii_string_to_unsigned (words[0], 10, 1, MAX_LIMIT, &number, NULL) ||
      (words[1] != NULL && !g_str_equal (words[1], "recipients") &&
       !g_str_equal (words[1], "messages")))
    return fail (why, "\"%s\" is not a limit such as 30/1m or 500 recipients/1d", text);
  out->number = (guint) number;
  out->per_recipient = words[1] != NULL && words[1][0] == 'r';
  return parse_duration (spec, g_strstrip (halves[1]), &out->window_s, why);
}

static gboolean
parse_limits (const PrKeySpec *spec, const char *text, PrRouteConfig *route, char **why)
{
  g_auto (GStrv) entries = split (text);

  if (g_strv_length (entries) > MAX_LIMITS)
    return fail (why, "has more than %d limits", MAX_LIMITS);
  route->limits = g_new0 (PrRateLimit, g_strv_length (entries) + 1);
  for (; entries[route->n_limits] != NULL; route->n_limits++)
    if (!parse_limit (spec, entries[route->n_limits], &route->limits[route->n_limits], why))
      return FALSE;
  return TRUE;
}

static gboolean
parse_dns_lists (const char *text, gpointer field, char **why)
{
  g_auto (GStrv) entries = split (text);

  if (entries[0] != NULL)
    FIELD (PrDnsLists *) = pr_dns_lists_new ((const char *const *) entries, why);
  return entries[0] == NULL || FIELD (PrDnsLists *) != NULL;
}

static gboolean
parse_provider (const char *text, gpointer field, char **why)
{
  if (text[0] == '\0')
    return TRUE;
  FIELD (PrProvider *) = pr_provider_load (text);
  return FIELD (PrProvider *) != NULL ||
         fail (why, "there is no provider \"%s\"; \"postroomctl provider list\" names them", text);
}

static gboolean
is_base64 (const char *text, gsize min_octets, gsize max_octets)
{
  gsize len = 0;
  g_autofree guchar *octets = g_base64_decode (text, &len);
  g_autofree char *again = g_base64_encode (octets, len);

  /* The decoder skips what it does not know; only what comes back the same is base64. */
  return strcmp (again, text) == 0 && len >= min_octets && len <= max_octets;
}

/* SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>. The value itself is in no message:
 * who has it can try passwords on it. */
static gboolean
parse_secret (const char *text, gpointer field, char **why)
{
  g_auto (GStrv) halves = NULL, first = NULL, second = NULL;
  guint64 iterations;

  if (!g_str_has_prefix (text, SCRAM_PREFIX))
    return fail (why, "must begin with %s; let \"postroomctl user add\" write it", SCRAM_PREFIX);
  halves = g_strsplit (text + strlen (SCRAM_PREFIX), "$", -1);
  if (g_strv_length (halves) == 2)
    {
      first = g_strsplit (halves[0], ":", -1);
      second = g_strsplit (halves[1], ":", -1);
    }
  if (first == NULL || g_strv_length (first) != 2 || g_strv_length (second) != 2 ||
      !g_ascii_string_to_unsigned (first[0], 10, 1, G_MAXUINT, &iterations, NULL) ||
      !is_base64 (first[1], 1, 256) || !is_base64 (second[0], SCRAM_KEY_SIZE, SCRAM_KEY_SIZE) ||
      !is_base64 (second[1], SCRAM_KEY_SIZE, SCRAM_KEY_SIZE))
    return fail (why,
                 "must be %siterations:salt$StoredKey:ServerKey; let \"postroomctl user add\" "
                 "write it",
                 SCRAM_PREFIX);
  if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS)
    return fail (why, "the number of iterations must be from %d to %d", MIN_ITERATIONS,
                 MAX_ITERATIONS);
  FIELD (char *) = g_strdup (text);
  return TRUE;
}

static gboolean
parse_secret_sha_1 (const char *text, gpointer field, char **why)
{
  if (!pr_sasl_secret_is_valid (PR_SASL_SCRAM_SHA_1, text))
    return fail (why, "must be SCRAM-SHA-1$iterations:salt$StoredKey:ServerKey; let \"postroomctl "
                      "user add\" write it");

  FIELD (char *) = g_strdup (text);
  return TRUE;
}

/* "SHA256:" and hexadecimal digits, colons between them or not, or base64. */
static gboolean
parse_sha256 (const char *text, gpointer field, char **why)
{
  const char *value = g_ascii_strncasecmp (text, "SHA256:", 7) == 0 ? text + 7 : text;
  g_auto (GStrv) pieces = g_strsplit (value, ":", -1);
  g_autofree char *digits = g_strjoinv (NULL, pieces);
  guint8 octets[SHA256_SIZE];
  g_autofree guint8 *decoded = NULL;
  gsize len = 0;

  if (strlen (digits) == 2 * SHA256_SIZE && strspn (digits, HEX) == 2 * SHA256_SIZE)
    {
      for (len = 0; len < SHA256_SIZE; len++)
        octets[len] = (guint8) (g_ascii_xdigit_value (digits[2 * len]) * 16 +
                                g_ascii_xdigit_value (digits[2 * len + 1]));
      FIELD (guint8 *) = g_memdup2 (octets, SHA256_SIZE);
      return TRUE;
    }
  decoded = g_base64_decode (value, &len);
  if (len != SHA256_SIZE)
    return fail (why, "must be SHA256: and the 64 hexadecimal digits, or the base64, of a "
                      "certificate's fingerprint");
  FIELD (guint8 *) = g_steal_pointer (&decoded);
  return TRUE;
}

static gboolean
parse_any (const PrKeySpec *spec, const char *text, const PrValueTarget *target, char **why)
{
  gpointer field = (char *) target->object + spec->offset;

  switch (spec->kind)
    {
    case PR_VALUE_SIZE: return parse_size (spec, text, field, why);
    case PR_VALUE_DURATION: return parse_duration (spec, text, field, why);
    case PR_VALUE_NUMBER: return parse_number (spec, text, field, why);
    case PR_VALUE_WORD: return parse_word (spec, text, field, why);
    case PR_VALUE_WORDS: return parse_words (spec, text, field, why);
    case PR_VALUE_NAME: return parse_name (spec, text, field, why);
    case PR_VALUE_TEXT: return parse_text (text, field, why);
    case PR_VALUE_HOSTNAME: return parse_hostname (text, field, why);
    case PR_VALUE_ADDRESS: return parse_address (text, field, why);
    case PR_VALUE_PATH: return parse_path (text, target->base_dir, FALSE, field, why);
    case PR_VALUE_FILE: return parse_path (text, target->base_dir, TRUE, field, why);
    case PR_VALUE_LISTEN: return parse_listen (text, field, why);
    case PR_VALUE_NETWORKS: return parse_networks (text, field, why);
    case PR_VALUE_PATTERNS: return parse_patterns (text, field, why);
    case PR_VALUE_DOMAINS: return parse_domains (text, field, why);
    case PR_VALUE_HOSTS: return parse_hosts (text, target->object, why);
    case PR_VALUE_SCHEDULE: return parse_schedule (spec, text, target->object, why);
    case PR_VALUE_LIMITS: return parse_limits (spec, text, target->object, why);
    case PR_VALUE_DNS_LISTS: return parse_dns_lists (text, field, why);
    case PR_VALUE_PROVIDER: return parse_provider (text, field, why);
    case PR_VALUE_SECRET: return parse_secret (text, field, why);
    case PR_VALUE_SHA256: return parse_sha256 (text, field, why);
    case PR_VALUE_SECRET_SHA_1: return parse_secret_sha_1 (text, field, why);
    case PR_VALUE_PASSWORD: return parse_text (text, field, why);
    case PR_VALUE_URL: return parse_url (text, field, why);
    default: g_assert_not_reached ();
    }
}

gboolean
pr_value_parse (const PrKeySpec *spec, const char *text, const PrValueTarget *target, char **why)
{
  pr_value_clear (spec, target->object);
  if (parse_any (spec, text, target, why))
    return TRUE;
  pr_value_clear (spec, target->object);
  return FALSE;
}

void
pr_value_clear (const PrKeySpec *spec, gpointer object)
{
  gpointer field = (char *) object + spec->offset;

  switch (spec->kind)
    {
    case PR_VALUE_SIZE:
    case PR_VALUE_DURATION: FIELD (guint64) = 0; break;
    case PR_VALUE_NUMBER:
    case PR_VALUE_WORD:
    case PR_VALUE_WORDS: FIELD (guint) = 0; break;
    case PR_VALUE_NAME:
    case PR_VALUE_TEXT:
    case PR_VALUE_URL:
    case PR_VALUE_HOSTNAME:
    case PR_VALUE_ADDRESS:
    case PR_VALUE_PATH:
    case PR_VALUE_FILE:
    case PR_VALUE_SECRET_SHA_1:
    case PR_VALUE_SECRET: g_clear_pointer (&FIELD (char *), g_free); break;
    case PR_VALUE_PASSWORD: g_clear_pointer (&FIELD (char *), pr_sasl_forget); break;
    case PR_VALUE_SHA256: g_clear_pointer (&FIELD (guint8 *), g_free); break;
    case PR_VALUE_LISTEN: g_clear_pointer (&FIELD (char **), g_strfreev); break;
    case PR_VALUE_NETWORKS: g_clear_pointer (&FIELD (PrNetworks *), pr_networks_free); break;
    case PR_VALUE_PATTERNS:
    case PR_VALUE_DOMAINS: g_clear_pointer (&FIELD (PrPatterns *), pr_patterns_free); break;
    case PR_VALUE_HOSTS: clear_hosts (object); break;
    case PR_VALUE_PROVIDER: g_clear_pointer (&FIELD (PrProvider *), pr_provider_unref); break;
    case PR_VALUE_DNS_LISTS: g_clear_pointer (&FIELD (PrDnsLists *), pr_dns_lists_free); break;
    case PR_VALUE_LIMITS:
      g_clear_pointer (&((PrRouteConfig *) object)->limits, g_free);
      ((PrRouteConfig *) object)->n_limits = 0;
      break;
    case PR_VALUE_SCHEDULE:
      g_clear_pointer (&((PrConfig *) object)->retry_schedule_s, g_free);
      ((PrConfig *) object)->n_retry_schedule = 0;
      break;
    default: g_assert_not_reached ();
    }
}
