/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/mime-encode.h"

#define LINE_WIDTH 76

/* ── Quoted-printable ─────────────────────────────────────────────────────────────────────────
 *
 * At most two octets are held: a blank, which must be encoded in front of a line end, and a CR,
 * which is half a line end. */

static void
put (PrMimeEncoder *self, guint8 octet, gboolean encoded, GString *out)
{
  guint width = encoded ? 3 : 1;

  if (self->column + width > LINE_WIDTH - 1) /* room for the soft line end's "=" */
    {
      g_string_append_len (out, "=\r\n", 3);
      self->column = 0;
    }
  if (encoded)
    g_string_append_printf (out, "=%02X", octet);
  else
    g_string_append_c (out, octet);
  self->column += width;
}

/* What is held, in front of something that is no line end (@at_end: of a line end or the end of
 * all). */
static void
put_held (PrMimeEncoder *self, gboolean at_end, GString *out)
{
  for (guint i = 0; i < self->n_held; i++)
    {
      gboolean blank = self->held[i] == ' ' || self->held[i] == '\t';
      gboolean last = i + 1 == self->n_held;

      put (self, self->held[i], !blank || (last && at_end), out);
    }
  self->n_held = 0;
}

static void
encode_octet (PrMimeEncoder *self, guint8 octet, GString *out)
{
  gboolean after_cr = self->n_held > 0 && self->held[self->n_held - 1] == '\r';

  if (octet == '\n' && after_cr)
    {
      self->n_held--;
      put_held (self, TRUE, out);
      g_string_append_len (out, "\r\n", 2);
      self->column = 0;
      return;
    }
  if (octet == '\r' && !after_cr)
    {
      self->held[self->n_held++] = '\r';
      return;
    }

  put_held (self, FALSE, out);
  if (octet == ' ' || octet == '\t' || octet == '\r')
    self->held[self->n_held++] = octet;
  else
    put (self, octet, octet < ' ' || octet > '~' || octet == '=', out);
}

void
pr_mime_encode_qp (PrMimeEncoder *self, const char *data, gsize len, GString *out)
{
  for (gsize i = 0; i < len; i++)
    encode_octet (self, data[i], out);
}

void
pr_mime_encode_qp_end (PrMimeEncoder *self, GString *out)
{
  put_held (self, TRUE, out);
  self->column = 0;
}

/* ── Base64 ───────────────────────────────────────────────────────────────────────────────── */

static void
put_group (PrMimeEncoder *self, guint n, GString *out)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  guint32 bits =
    self->held[0] << 16 | (n > 1 ? self->held[1] << 8 : 0) | (n > 2 ? self->held[2] : 0);

  if (self->column == LINE_WIDTH)
    {
      g_string_append_len (out, "\r\n", 2);
      self->column = 0;
    }
  for (guint i = 0; i < 4; i++)
    g_string_append_c (out, i <= n ? alphabet[bits >> (18 - 6 * i) & 63] : '=');
  self->column += 4;
  self->n_held = 0;
}

void
pr_mime_encode_base64 (PrMimeEncoder *self, const char *data, gsize len, GString *out)
{
  for (gsize i = 0; i < len; i++)
    {
      self->held[self->n_held++] = data[i];
      if (self->n_held == 3)
        put_group (self, 3, out);
    }
}

void
pr_mime_encode_base64_end (PrMimeEncoder *self, GString *out)
{
  if (self->n_held > 0)
    put_group (self, self->n_held, out);
  self->column = 0;
}
