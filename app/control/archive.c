/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/archive.h"

#include <string.h>

#define BLOCK 512

struct _PrArchive
{
  GConverter *compressor; /* owned */
  GByteArray *out;        /* owned: what is compressed */
  guint64 missing;        /* octets of the file that was begun */
  guint64 padding;        /* zeros that follow it */
};

/* POSIX.1-1988 ustar: text fields end in NUL, numbers are octal digits. */
typedef struct
{
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
    magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
} Header;

G_STATIC_ASSERT (sizeof (Header) == BLOCK);

static void
compress (PrArchive *self, const char *data, gsize len, GConverterFlags flags)
{
  GConverterResult result = G_CONVERTER_CONVERTED;
  guint8 buffer[16384];
  gsize taken, made;

  while (len > 0 || (flags != 0 && result != G_CONVERTER_FINISHED))
    {
      g_autoptr (GError) error = NULL;

      result = g_converter_convert (self->compressor, data, len, buffer, sizeof (buffer), flags,
                                    &taken, &made, &error);
      if (result == G_CONVERTER_ERROR)
        return; /* it has taken all and says that it wants more */
      data += taken;
      len -= taken;
      g_byte_array_append (self->out, buffer, (guint) made);
    }
}

PrArchive *
pr_archive_new (void)
{
  PrArchive *self = g_new0 (PrArchive, 1);

  self->compressor = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  self->out = g_byte_array_new ();
  return self;
}

void
pr_archive_free (PrArchive *self)
{
  g_object_unref (self->compressor);
  g_clear_pointer (&self->out, g_byte_array_unref);
  g_free (self);
}

void
pr_archive_begin (PrArchive *self, const char *name, guint64 size_octets, gint64 time_us)
{
  Header header = { 0 };
  const guchar *octets = (const guchar *) &header;
  guint sum = 0;

  g_return_if_fail (self->missing == 0);
  g_return_if_fail (strlen (name) < sizeof (header.name));

  g_strlcpy (header.name, name, sizeof (header.name));
  g_strlcpy (header.mode, "0000600", sizeof (header.mode));
  g_strlcpy (header.uid, "0000000", sizeof (header.uid));
  g_strlcpy (header.gid, "0000000", sizeof (header.gid));
  g_snprintf (header.size, sizeof (header.size), "%011" G_GINT64_MODIFIER "o", size_octets);
  g_snprintf (header.mtime, sizeof (header.mtime), "%011" G_GINT64_MODIFIER "o",
              (guint64) (time_us / G_USEC_PER_SEC));
  memset (header.checksum, ' ', sizeof (header.checksum)); /* counted as blanks */
  header.type = '0';
  memcpy (header.magic, "ustar", sizeof (header.magic));
  memcpy (header.version, "00", sizeof (header.version));
  for (gsize i = 0; i < sizeof (header); i++)
    sum += octets[i];
  g_snprintf (header.checksum, sizeof (header.checksum), "%06o", sum);
  compress (self, (const char *) &header, sizeof (header), G_CONVERTER_NO_FLAGS);
  self->missing = size_octets;
  self->padding = (BLOCK - size_octets % BLOCK) % BLOCK;
}

void
pr_archive_write (PrArchive *self, const char *data, gsize len)
{
  static const char zeros[BLOCK];

  g_return_if_fail (len <= self->missing);

  compress (self, data, len, G_CONVERTER_NO_FLAGS);
  self->missing -= len;
  if (self->missing > 0)
    return;

  compress (self, zeros, self->padding, G_CONVERTER_NO_FLAGS);
  self->padding = 0;
}

void
pr_archive_add (PrArchive *self, const char *name, const char *text, gint64 time_us)
{
  gsize len = strlen (text);

  pr_archive_begin (self, name, len, time_us);
  pr_archive_write (self, text, len);
}

GBytes *
pr_archive_finish (PrArchive *self)
{
  static const char zeros[2 * BLOCK];

  g_return_val_if_fail (self->missing == 0, NULL);

  compress (self, zeros, sizeof (zeros), G_CONVERTER_NO_FLAGS);
  compress (self, "", 0, G_CONVERTER_INPUT_AT_END);
  return g_byte_array_free_to_bytes (g_steal_pointer (&self->out));
}
