/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

/**
 * pr_bench_crc:
 * @crc: 0 to begin, or the result for the octets before these
 * @data: (array length=len): octets
 * @len: their number
 *
 * Continues a CRC-32C. Both ends of the bench run it over every body, so it
 * uses the processor's instruction where there is one.
 *
 * Returns: the checksum of everything so far
 */
guint32 pr_bench_crc (guint32 crc, const void *data, gsize len);
