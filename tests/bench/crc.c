/* SPDX-License-Identifier: GPL-3.0-or-later */

/* CRC-32C (Castagnoli), by instruction on x86-64 with SSE 4.2, else by table. */

#include "crc.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u

static guint32
crc_by_table (guint32 crc, const guint8 *data, gsize len)
{
  static guint32 table[256];

  if (table[1] == 0)
    for (guint32 i = 0; i < 256; i++)
      {
        guint32 value = i;

        for (guint bit = 0; bit < 8; bit++)
          value = (value >> 1) ^ ((value & 1) ? POLYNOMIAL : 0);
        table[i] = value;
      }

  for (gsize i = 0; i < len; i++)
    crc = (crc >> 8) ^ table[(crc ^ data[i]) & 0xff];
  return crc;
}

#ifdef __x86_64__
__attribute__ ((target ("sse4.2"))) static guint32
crc_by_instruction (guint32 crc, const guint8 *data, gsize len)
{
  guint64 wide = crc;

  for (; len >= 8; data += 8, len -= 8)
    {
      guint64 word;

      memcpy (&word, data, 8);
      wide = __builtin_ia32_crc32di (wide, word);
    }
  crc = (guint32) wide;
  for (; len > 0; data++, len--)
    crc = __builtin_ia32_crc32qi (crc, *data);
  return crc;
}
#endif

guint32
pr_bench_crc (guint32 crc, const void *data, gsize len)
{
#ifdef __x86_64__
  if (__builtin_cpu_supports ("sse4.2"))
    return ~crc_by_instruction (~crc, data, len);
#endif
  return ~crc_by_table (~crc, data, len);
}
