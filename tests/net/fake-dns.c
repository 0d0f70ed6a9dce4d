/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/fake-dns.h"

#include <string.h>

#define HEADER 12
#define REFUSED 5

struct _FakeDns
{
  GSocket *socket;
  GSource *source;
  GHashTable *answers; /* "name type" to GByteArray */
  gboolean mute;
  guint n_questions;
};

static GByteArray *
read_hex (const char *text)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; g_ascii_isxdigit (text[0]) && g_ascii_isxdigit (text[1]); text += 2)
    {
      guint8 octet =
        (guint8) (g_ascii_xdigit_value (text[0]) * 16 + g_ascii_xdigit_value (text[1]));

      g_byte_array_append (bytes, &octet, 1);
    }
  return bytes;
}

static void
read_answers (FakeDns *self)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", "dnssec.txt", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      char *hex = strrchr (*line, ' ');

      if (**line == '#' || hex == NULL)
        continue;
      g_hash_table_insert (self->answers, g_strndup (*line, (gsize) (hex - *line)),
                           read_hex (hex + 1));
    }
}

/* "name type", as the table has it. NULL: no question. *@end: behind it. */
static char *
read_question (const guint8 *data, gsize len, gsize *end)
{
  GString *key = g_string_new (NULL);
  gsize at = HEADER;

  while (at < len && data[at] != 0)
    {
      if (key->len > 0)
        g_string_append_c (key, '.');
      for (gsize label = data[at++]; label > 0 && at < len; label--, at++)
        g_string_append_c (key, g_ascii_tolower ((char) data[at]));
    }
  *end = at + 5;
  if (*end > len)
    {
      g_string_free (key, TRUE);
      return NULL;
    }
  g_string_append_printf (key, " %u", data[at + 1] * 256 + data[at + 2]);
  return g_string_free (key, FALSE);
}

/* As the question has it, with the letters' case: that is a nonce. */
static GByteArray *
make_answer (FakeDns *self, const guint8 *data, gsize end, const char *key)
{
  static const guint8 root[] = { 0, 0, 2, 0, 1, 0, 0, 14, 16, 0, 3, 1, 'a', 0 };
  GByteArray *known = g_hash_table_lookup (self->answers, key);
  GByteArray *answer = g_byte_array_new ();
  guint8 header[HEADER] = { data[0], data[1], 0x81, 0x80, 0, 1 };

  if (known != NULL)
    {
      g_byte_array_append (answer, known->data, known->len);
      memcpy (answer->data, data, 2);
      memcpy (answer->data + HEADER, data + HEADER, end - HEADER);
      return answer;
    }
  header[7] = g_str_equal (key, " 2") ? 1 : 0;
  header[3] = header[7] == 0 ? 0x80 | REFUSED : 0x80;
  g_byte_array_append (answer, header, HEADER);
  g_byte_array_append (answer, data + HEADER, (guint) (end - HEADER));
  if (header[7] == 1)
    g_byte_array_append (answer, root, sizeof root);
  return answer;
}

static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  FakeDns *self = user_data;
  g_autoptr (GSocketAddress) peer = NULL;
  guint8 data[1500];
  gssize len = g_socket_receive_from (socket, &peer, (char *) data, sizeof data, NULL, NULL);
  g_autofree char *key = NULL;
  gsize end = 0;

  if (len > HEADER)
    key = read_question (data, (gsize) len, &end);
  self->n_questions++;
  if (key != NULL && !self->mute)
    {
      g_autoptr (GByteArray) answer = make_answer (self, data, end, key);

      g_socket_send_to (socket, peer, (const char *) answer->data, answer->len, NULL, NULL);
    }
  return G_SOURCE_CONTINUE;
}

FakeDns *
fake_dns_new (GMainContext *context)
{
  FakeDns *self = g_new0 (FakeDns, 1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GError) error = NULL;

  self->answers =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_byte_array_unref);
  read_answers (self);
  self->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, 0, &error);
  g_assert_no_error (error);
  g_socket_bind (self->socket, address, FALSE, &error);
  g_assert_no_error (error);
  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->source, context);
  return self;
}

void
fake_dns_free (FakeDns *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_object_unref (self->socket);
  g_hash_table_unref (self->answers);
  g_free (self);
}

char *
fake_dns_get_server (FakeDns *self)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (self->socket, NULL);

  return g_strdup_printf ("127.0.0.1@%u",
                          g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
}

void
fake_dns_add (FakeDns *self, const char *name, guint16 type, guint8 rcode, const guint8 *records,
              gsize len, guint8 n)
{
  const guint8 header[HEADER] = { 0, 0, 0x81, (guint8) (0x80 | rcode), 0, 1, 0, n };
  const guint8 behind[] = { 0, (guint8) (type >> 8), (guint8) type, 0, 1 };
  g_auto (GStrv) labels = g_strsplit (name, ".", -1);
  GByteArray *answer = g_byte_array_new ();

  g_byte_array_append (answer, header, HEADER);
  for (guint i = 0; labels[i] != NULL; i++)
    {
      guint8 size = (guint8) strlen (labels[i]);

      g_byte_array_append (answer, &size, 1);
      g_byte_array_append (answer, (const guint8 *) labels[i], size);
    }
  g_byte_array_append (answer, behind, sizeof behind);
  g_byte_array_append (answer, records, (guint) len);
  g_hash_table_insert (self->answers, g_strdup_printf ("%s %u", name, type), answer);
}

void
fake_dns_set_mute (FakeDns *self, gboolean mute)
{
  self->mute = mute;
}

guint
fake_dns_count (FakeDns *self)
{
  return self->n_questions;
}
