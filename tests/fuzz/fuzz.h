/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a fuzz target defines: libFuzzer's entry, or that of replay.c. */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Takes @size octets at @data, which may be anything, and returns 0; aborts on a wrong result. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
