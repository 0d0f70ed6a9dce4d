/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/dns-record.h"

#include <string.h>

#include "common/error.h"
#include "common/ip.h"
#include "common/sync.h"
#include "config.h"
#include "net/dnssec.h"

#ifdef HAVE_RES_NQUERY
#include <netinet/in.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#endif

#define HEADER_OCTETS 12 /* RFC 1035 §4.1.1 */
#define CLASS_IN 1
#define MAX_RECORDS 256
#define MAX_NAME 253
#define MAX_ANSWER 65535

/* --- the answer -------------------------------------------------------------------------- */

typedef struct
{
  const guint8 *data;
  gsize len, at;
} Reader;

static gboolean
has (const Reader *self, gsize n)
{
  return n <= self->len - self->at;
}

static gboolean
skip (Reader *self, gsize n)
{
  if (!has (self, n))
    return FALSE;
  self->at += n;
  return TRUE;
}

static gboolean
read_number (Reader *self, guint16 *number)
{
  if (!has (self, 2))
    return FALSE;
  *number = (guint16) (self->data[self->at] << 8 | self->data[self->at + 1]);
  self->at += 2;
  return TRUE;
}

/* RFC 1035 §4.1.4: labels up to the root's, or up to a pointer. */
static gboolean
skip_name (Reader *self)
{
  while (has (self, 1))
    {
      guint8 label = self->data[self->at++];

      if (label == 0)
        return TRUE;
      if (label >= 0xc0)
        return skip (self, 1);
      if (label > 63 || !skip (self, label))
        return FALSE;
    }
  return FALSE;
}

/* --- what a record holds: NULL where that cannot be written as text; FALSE: malformed -------- */

static gboolean
read_strings (const guint8 *data, gsize len, char **text)
{
  g_autoptr (GString) joined = g_string_sized_new (len);
  gboolean has_nul = FALSE;

  for (gsize at = 0; at < len;)
    {
      gsize size = data[at++];

      if (size > len - at)
        return FALSE;
      has_nul |= memchr (data + at, '\0', size) != NULL;
      g_string_append_len (joined, (const char *) data + at, (gssize) size);
      at += size;
    }
  *text = has_nul ? NULL : g_string_free (g_steal_pointer (&joined), FALSE);
  return TRUE;
}

static gboolean
read_address (const guint8 *data, gsize len, gsize expected, char **text)
{
  PrIp ip = { { [10] = 0xff, [11] = 0xff } };
  char buf[PR_IP_TEXT_SIZE];

  if (len != expected)
    return FALSE;
  memcpy (ip.octets + sizeof ip.octets - len, data, len);
  *text = g_strdup (pr_ip_format (&ip, buf));
  return TRUE;
}

static gboolean
append_label (GString *name, const guint8 *label, gsize len)
{
  if (name->len > 0)
    g_string_append_c (name, '.');
  for (gsize i = 0; i < len; i++)
    {
      if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.' || label[i] == '\\')
        return FALSE;
      g_string_append_c (name, g_ascii_tolower ((char) label[i]));
    }

  return name->len <= MAX_NAME;
}

/* RFC 1035 §4.1.4: a pointer leads back, so each one that does not ends it. */
static gboolean
read_host (const guint8 *data, gsize len, gsize at, char **text)
{
  g_autoptr (GString) name = g_string_new (NULL);
  gsize limit = at;

  *text = NULL;
  while (at < len && data[at] != 0)
    {
      guint8 label = data[at++];

      if (label >= 0xc0 && at < len)
        {
          at = (gsize) (label & 0x3f) << 8 | data[at];
          if (at >= limit)
            return FALSE;
          limit = at;
        }
      else if (label > 63 || label > len - at)
        return FALSE;
      else if (!append_label (name, data + at, label))
        return TRUE;
      else
        at += label;
    }
  if (at >= len)
    return FALSE;

  *text = name->len > 0 ? g_string_free (g_steal_pointer (&name), FALSE) : NULL;
  return TRUE;
}

typedef struct
{
  guint preference;
  char *text; /* owned */
} Record;

static gboolean
read_value (PrRecordKind kind, const Reader *reader, gsize size, Record *record)
{
  const guint8 *data = reader->data + reader->at;
  gsize end = reader->at + size;

  switch (kind)
    {
    case PR_RECORD_TEXT: return read_strings (data, size, &record->text);
    case PR_RECORD_IP4: return read_address (data, size, 4, &record->text);
    case PR_RECORD_IP6: return read_address (data, size, 16, &record->text);
    case PR_RECORD_NAME: return read_host (reader->data, end, reader->at, &record->text);
    case PR_RECORD_MX:
      if (size < 3)
        return FALSE;
      record->preference = (guint) data[0] << 8 | data[1];
      return read_host (reader->data, end, reader->at + 2, &record->text);
    }

  g_assert_not_reached ();
}

static const guint16 types[] = { PR_DNS_TXT, PR_DNS_A, PR_DNS_AAAA, PR_DNS_MX, PR_DNS_PTR };

static gboolean
read_record (PrRecordKind kind, Reader *self, GArray *records)
{
  guint16 type, class, size;
  Record record = { 0 };

  if (!skip_name (self) || !read_number (self, &type) || !read_number (self, &class) ||
      !skip (self, 4) || !read_number (self, &size) || !has (self, size))
    return FALSE;
  if (type == types[kind] && class == CLASS_IN && records->len < MAX_RECORDS &&
      !read_value (kind, self, size, &record))
    return FALSE;
  if (record.text != NULL)
    g_array_append_val (records, record);
  return skip (self, size);
}

static int
compare_preferences (gconstpointer a, gconstpointer b)
{
  const Record *left = a, *right = b;

  return (left->preference > right->preference) - (left->preference < right->preference);
}

static GPtrArray *
take_texts (GArray *records)
{
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

  g_array_sort (records, compare_preferences);
  for (guint i = 0; i < records->len; i++)
    g_ptr_array_add (texts, g_array_index (records, Record, i).text);
  g_array_unref (records);

  return texts;
}

static gboolean
read_records (PrRecordKind kind, const guint8 *data, gsize len, GArray *records)
{
  Reader reader = { data, len, 4 };
  guint16 n_questions, n_answers;

  if (len < HEADER_OCTETS)
    return FALSE;
  read_number (&reader, &n_questions);
  read_number (&reader, &n_answers);
  reader.at = HEADER_OCTETS;
  for (; n_questions > 0; n_questions--)
    if (!skip_name (&reader) || !skip (&reader, 4))
      return FALSE;
  for (; n_answers > 0; n_answers--)
    if (!read_record (kind, &reader, records))
      return FALSE;

  return TRUE;
}

GPtrArray *
pr_dns_read_records (PrRecordKind kind, const guint8 *data, gsize len)
{
  GArray *records = g_array_new (FALSE, FALSE, sizeof (Record));
  gboolean whole = read_records (kind, data, len, records);
  GPtrArray *texts = take_texts (records);

  if (!whole)
    g_clear_pointer (&texts, g_ptr_array_unref);
  return texts;
}

/* --- the question ------------------------------------------------------------------------ */

typedef struct
{
  GMainContext *context; /* owned */
  PrRecordKind kind;
  char *name;   /* owned */
  char *server; /* owned, nullable */
  PrRecordsFunc func;
  gpointer user_data;
  GDestroyNotify free_data;
  GPtrArray *values; /* owned, nullable */
  GError *error;     /* owned, nullable */
} Query;

static void
free_query (gpointer data)
{
  Query *self = data;

  self->free_data (self->user_data);
  g_clear_pointer (&self->values, g_ptr_array_unref);
  g_clear_error (&self->error);
  g_free (self->name);
  g_free (self->server);
  g_main_context_unref (self->context);
  g_free (self);
}

static gboolean
on_answer (gpointer data)
{
  Query *self = data;

  PR_HAPPENS_AFTER (self);
  self->func (self->values, self->error, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
fail (Query *self, const char *why)
{
  self->error =
    g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "%s cannot be looked up: %s", self->name, why);
}

#ifdef HAVE_RES_NQUERY

static void
set_server (struct __res_state *state, const char *server)
{
  g_auto (GStrv) parts = g_strsplit (server, "@", 2);
  struct sockaddr_in address = { .sin_family = AF_INET };

  inet_pton (AF_INET, parts[0], &address.sin_addr);
  address.sin_port = htons ((guint16) g_ascii_strtoull (parts[1], NULL, 10));
  state->nsaddr_list[0] = address;
  state->nscount = 1;
}

static void
take_failure (Query *self, int code)
{
  switch (code)
    {
    case HOST_NOT_FOUND:
      self->error = g_error_new (PR_ERROR, PR_ERROR_PERMANENT, "%s does not exist", self->name);
      break;
    case NO_DATA: self->values = g_ptr_array_new (); break;
    case TRY_AGAIN: fail (self, "no name server answers"); break;
    default: fail (self, "the name server does not want to, or cannot, answer");
    }
}

static void
look_up (Query *self)
{
  g_autofree guint8 *answer = g_malloc (MAX_ANSWER);
  struct __res_state state = { 0 };
  int len;

  if (res_ninit (&state) != 0)
    {
      fail (self, "the name servers of this computer are not known");
      return;
    }
  if (self->server != NULL)
    set_server (&state, self->server);
  len = res_nquery (&state, self->name, CLASS_IN, types[self->kind], answer, MAX_ANSWER);
  if (len < 0)
    take_failure (self, state.res_h_errno);
  else
    self->values = pr_dns_read_records (self->kind, answer, MIN ((gsize) len, MAX_ANSWER));
  if (self->values == NULL && self->error == NULL)
    fail (self, "the answer is malformed");
  res_nclose (&state);
}

#else

static void
look_up (Query *self)
{
  fail (self, "this system has no way to ask for such records");
}

#endif

static void
return_answer (Query *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref (self->context);
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "postroom-dns");
  g_source_set_callback (source, on_answer, self, free_query);
  PR_HAPPENS_BEFORE (self);
  g_source_attach (source, context);
}

static gpointer
run (gpointer data)
{
  look_up (data);
  return_answer (data);
  return NULL;
}

void
pr_dns_ask (GMainContext *context, PrRecordKind kind, const char *name, const char *server,
            PrRecordsFunc func, gpointer user_data, GDestroyNotify free_data)
{
  Query *self = g_new0 (Query, 1);
  GThread *thread;

  self->context = g_main_context_ref (context);
  self->kind = kind;
  self->name = g_strdup (name);
  self->server = g_strdup (server);
  self->func = func;
  self->user_data = user_data;
  self->free_data = free_data;
  thread = g_thread_try_new ("postroom-names", run, self, NULL);
  if (thread != NULL)
    g_thread_unref (thread); /* nobody waits for it, not even the end of the process */
  else
    {
      fail (self, "this computer is too busy");
      return_answer (self);
    }
}
