/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What versions a ClientHello offers, and why a client goes. */

#include "net/tls-hello.h"

#include <string.h>

#define SUPPORTED_VERSIONS 43 /* RFC 8446 §4.2.1 */
#define FIXED_OCTETS 34       /* version and random */

typedef struct
{
  const guint8 *p, *end;
} Cursor;

/* A length of @n_octets and as many octets behind it. FALSE: they are not all there. */
static gboolean
take_vector (Cursor *self, guint n_octets, Cursor *out)
{
  gsize len = 0;

  if ((gsize) (self->end - self->p) < n_octets)
    return FALSE;
  while (n_octets-- > 0)
    len = len << 8 | *self->p++;
  if ((gsize) (self->end - self->p) < len)
    return FALSE;

  *out = (Cursor){ self->p, self->p + len };
  self->p += len;
  return TRUE;
}

static guint16
read_16 (const guint8 *p)
{
  return (guint16) (p[0] << 8 | p[1]);
}

static guint16
find_highest (Cursor versions)
{
  guint16 best = 0;

  for (; versions.end - versions.p >= 2; versions.p += 2)
    if (versions.p[0] == 3) /* else GREASE, RFC 8701 */
      best = MAX (best, read_16 (versions.p));

  return best;
}

guint16
pr_tls_hello_read_version (const guint8 *data, gsize len)
{
  Cursor hello = { data, data + len }, skipped, extensions, extension, versions;
  guint16 offered;

  if (len < FIXED_OCTETS)
    return 0;

  offered = read_16 (data);
  hello.p += FIXED_OCTETS;
  /* session id, cipher suites, compression methods */
  if (!take_vector (&hello, 1, &skipped) || !take_vector (&hello, 2, &skipped) ||
      !take_vector (&hello, 1, &skipped) || !take_vector (&hello, 2, &extensions))
    return offered;

  while (extensions.end - extensions.p >= 2)
    {
      guint16 type = read_16 (extensions.p);

      extensions.p += 2;
      if (!take_vector (&extensions, 2, &extension))
        break;
      if (type == SUPPORTED_VERSIONS && take_vector (&extension, 1, &versions))
        offered = MAX (offered, find_highest (versions));
    }

  return offered;
}

guint8
pr_tls_hello_read_alert (const guint8 *data, gsize len)
{
  static const guint8 change[] = { 20, 3, 3, 0, 1, 1 };
  static const guint8 alert[] = { 21, 3, 3, 0, 2, 2 };

  if (len > sizeof change && memcmp (data, change, sizeof change) == 0)
    {
      data += sizeof change;
      len -= sizeof change;
    }

  return len > sizeof alert && memcmp (data, alert, sizeof alert) == 0 ? data[sizeof alert] : 0;
}

const char *
pr_tls_version_name (guint16 wire)
{
  switch (wire)
    {
    case 0x0300: return "SSL 3.0";
    case 0x0301: return "TLS 1.0";
    case 0x0302: return "TLS 1.1";
    case 0x0303: return "TLS 1.2";
    case 0x0304: return "TLS 1.3";
    default: return "an unknown version of TLS";
    }
}
