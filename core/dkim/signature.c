/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a signature's field says (RFC 6376 §3.5), and what it signs (§3.7). */

#include "dkim/signature.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define START_LEN 8

static gboolean
parse_canon (const char *text, gsize len, PrCanon *canon)
{
  static const char *const names[] = { "simple", "relaxed" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strlen (names[i]) == len && g_ascii_strncasecmp (names[i], text, len) == 0)
      {
        *canon = i;
        return TRUE;
      }

  return FALSE;
}

/* "header/body"; what is left out is simple. */
static gboolean
read_canons (PrDkimFields *self)
{
  const char *text = pr_tags_get (self->tags, "c");
  gsize len;

  self->header_canon = self->body_canon = PR_CANON_SIMPLE;
  if (text == NULL)
    return TRUE;

  len = strcspn (text, "/");
  return parse_canon (text, len, &self->header_canon) &&
         (text[len] == '\0' ||
          parse_canon (text + len + 1, strlen (text + len + 1), &self->body_canon));
}

static gboolean
read_number (PrDkimFields *self, const char *name, guint64 *number)
{
  *number = G_MAXUINT64;
  return pr_tags_get (self->tags, name) == NULL || pr_tags_get_number (self->tags, name, number);
}

static guint
count_names (const char *names)
{
  guint n = 1;

  for (; *names != '\0'; names++)
    n += *names == ':';

  return n;
}

static gboolean
signs_from (const char *names)
{
  g_auto (GStrv) list = g_strsplit (names, ":", -1);

  for (guint i = 0; list[i] != NULL; i++)
    if (g_ascii_strcasecmp (g_strstrip (list[i]), "From") == 0)
      return TRUE;

  return FALSE;
}

static gboolean
is_below (const char *name, const char *domain)
{
  gsize len = strlen (name), domain_len = strlen (domain);

  return len >= domain_len && g_ascii_strcasecmp (name + len - domain_len, domain) == 0 &&
         (len == domain_len || name[len - domain_len - 1] == '.');
}

static char *
lower (const PrTags *tags, const char *name)
{
  const char *value = pr_tags_get (tags, name);

  return g_ascii_strdown (value != NULL ? value : "", -1);
}

/* What the results show, readable or not. */
static void
read_names (PrDkimFields *self)
{
  const char *identity = pr_tags_get (self->tags, "i"), *start = pr_tags_get (self->tags, "b");
  const char *algorithm = pr_tags_get (self->tags, "a");

  self->domain = lower (self->tags, "d");
  self->selector = lower (self->tags, "s");
  self->identity = identity != NULL && strchr (identity, '@') != NULL
                     ? g_strdup (identity)
                     : g_strconcat ("@", self->domain, NULL);
  self->start = g_strndup (start != NULL ? start : "", START_LEN);
  self->algorithm_name = algorithm != NULL ? algorithm : "";
  self->names = pr_tags_get (self->tags, "h");
  self->body_hash = pr_tags_get_base64 (self->tags, "bh");
  self->signature = pr_tags_get_base64 (self->tags, "b");
}

static const char *
check_names (const PrDkimFields *self, PrDkimKind kind)
{
  const char *identity = strrchr (self->identity, '@') + 1;

  if (*self->domain == '\0' || *self->selector == '\0')
    return "the signature does not say whose it is";
  if (kind == PR_DKIM_SIGNATURE && !is_below (identity, self->domain))
    return "the signature speaks for a name outside of its domain";
  if (self->names == NULL || count_names (self->names) > PR_DKIM_MAX_NAMES)
    return "the signature names no fields, or too many";
  if (!signs_from (self->names))
    return "the signature does not cover From";

  return NULL;
}

static const char *
check_values (PrDkimFields *self)
{
  guint64 made_s;

  if (!pr_dkim_algorithm_parse (self->algorithm_name, &self->algorithm))
    return "the signature is of a kind that is unknown or proves nothing any more";
  if (!read_canons (self))
    return "the signature's canonical form is unknown";
  if (!pr_tags_has_word (self->tags, "q", "dns/txt", TRUE))
    return "the signature's key is not in DNS";
  if (!read_number (self, "l", &self->body_limit) || !read_number (self, "x", &self->expires_s) ||
      !read_number (self, "t", &made_s))
    return "a number in the signature cannot be read";
  if (made_s != G_MAXUINT64 && self->expires_s < made_s)
    return "the signature expires before it was made";
  if (self->body_hash == NULL || g_bytes_get_size (self->body_hash) != PR_CANON_HASH_LEN ||
      self->signature == NULL || g_bytes_get_size (self->signature) == 0)
    return "the signature is incomplete";

  return NULL;
}

const char *
pr_dkim_fields_read (PrDkimFields *self, const PrCanonField *field, PrDkimKind kind)
{
  const char *colon = memchr (field->text, ':', field->len), *value = colon + 1, *problem;
  const char *version;

  *self = (PrDkimFields){ .tags = pr_tags_parse (value, field->len - (gsize) (value - field->text)),
                          .algorithm_name = "",
                          .body_limit = G_MAXUINT64,
                          .expires_s = G_MAXUINT64 };
  if (self->tags == NULL)
    {
      self->domain = g_strdup ("");
      self->selector = g_strdup ("");
      self->identity = g_strdup ("@");
      self->start = g_strdup ("");
      return "the signature cannot be read";
    }

  read_names (self);
  version = pr_tags_get (self->tags, "v");
  if (kind == PR_DKIM_SIGNATURE && g_strcmp0 (version, "1") != 0)
    return "the signature is of another version";
  if (kind == PR_ARC_SIGNATURE && version != NULL)
    return "the signature has a version, which ARC forbids";
  problem = check_names (self, kind);

  return problem != NULL ? problem : check_values (self);
}

void
pr_dkim_fields_clear (PrDkimFields *self)
{
  g_clear_pointer (&self->tags, pr_tags_free);
  g_clear_pointer (&self->domain, g_free);
  g_clear_pointer (&self->selector, g_free);
  g_clear_pointer (&self->identity, g_free);
  g_clear_pointer (&self->start, g_free);
  g_clear_pointer (&self->body_hash, g_bytes_unref);
  g_clear_pointer (&self->signature, g_bytes_unref);
}

void
pr_dkim_append_unsigned (GString *out, const PrCanonField *field, PrCanon canon)
{
  const char *value = (const char *) memchr (field->text, ':', field->len) + 1;
  gsize value_at = (gsize) (value - field->text), offset, len;
  g_autoptr (PrTags) tags = pr_tags_parse (value, field->len - value_at);
  g_autoptr (GString) text = g_string_new_len (field->text, (gssize) field->len);
  PrCanonField bare;

  if (tags != NULL && pr_tags_find (tags, "b", &offset, &len))
    g_string_erase (text, (gssize) (value_at + offset), (gssize) len);
  bare = (PrCanonField){ .text = text->str, .len = text->len, .name_len = field->name_len };
  pr_canon_append_field (out, &bare, canon);
}

void
pr_dkim_fields_hash (const PrDkimFields *self, const GArray *fields, guint index,
                     guint8 hash[PR_CANON_HASH_LEN])
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GArray) others = g_array_sized_new (FALSE, FALSE, sizeof (PrCanonField), fields->len);

  /* A signature never counts among the fields that it signs. */
  g_array_append_vals (others, fields->data, fields->len);
  g_array_remove_index (others, index);
  pr_canon_append_named (text, others, self->names, self->header_canon);
  pr_dkim_append_unsigned (text, &g_array_index (fields, PrCanonField, index), self->header_canon);
  gnutls_hash_fast (GNUTLS_DIG_SHA256, text->str, text->len, hash);
}
