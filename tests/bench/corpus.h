/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

/* Enough for the header or the last line of any message of a corpus. */
#define PR_BENCH_PART_MAX 512

/**
 * PrBenchCorpus:
 *
 * The messages of one run: a few large bodies made beforehand, and for each
 * message a header and a last line of its own, so that sending costs next to
 * nothing and still no two messages are equal.
 *
 * A message on the wire is head, body and tail, one after the other; the tail
 * ends with the final dot. `X-Bench: RUN SEQ CRC` in its header names the run, the
 * number of the message (from 0) and the CRC-32C, in hexadecimal, of the body as
 * it is before dot-stuffing.
 */
typedef struct PrBenchCorpus PrBenchCorpus;

PrBenchCorpus *pr_bench_corpus_new (guint64 run, gsize size_octets);
void pr_bench_corpus_free (PrBenchCorpus *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrBenchCorpus, pr_bench_corpus_free)

/* Both write at most PR_BENCH_PART_MAX octets to @out and return their number. */
gsize pr_bench_corpus_head (PrBenchCorpus *self, guint64 seq, char *out);
gsize pr_bench_corpus_tail (PrBenchCorpus *self, guint64 seq, char *out);

/* Returns: (transfer none): the dot-stuffed body of message @seq less its last line */
const char *pr_bench_corpus_body (PrBenchCorpus *self, guint64 seq, gsize *out_len);
