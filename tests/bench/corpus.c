/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Bodies are lines of base64 letters, so the only dots in them are those set on
 * purpose at the start of a line: every body exercises dot-stuffing, and a reader
 * that looks for dots is not slowed down by others. */

#include "corpus.h"

#include "crc.h"

#include <stdio.h>
#include <string.h>

#define LINE_OCTETS 76
#define DOTTED_LINE_EVERY 20
#define MAX_VARIANTS 8
#define MAX_POOL_OCTETS (32u << 20)
#define HEAD_OCTETS 230 /* about what head and tail add to a body */

typedef struct
{
  GString *wire; /* owned: dot-stuffed */
  guint32 crc;   /* before dot-stuffing */
} Variant;

struct PrBenchCorpus
{
  guint64 run;
  guint n_variants;
  Variant variants[MAX_VARIANTS];
};

static void
append_line (GString *out, GRand *rand, gboolean dotted, gsize len)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  if (dotted)
    g_string_append_c (out, '.');
  for (gsize i = dotted; i < len; i += 5)
    {
      guint32 bits = g_rand_int (rand);

      for (gsize j = i; j < MIN (i + 5, len); j++, bits >>= 6)
        g_string_append_c (out, letters[bits & 63]);
    }
  g_string_append (out, "\r\n");
}

static void
make_variant (Variant *self, GRand *rand, gsize octets)
{
  gsize plain_octets = 0;

  self->wire = g_string_sized_new (octets + octets / 1000 + 128);
  for (guint line = 1; plain_octets < octets; line++)
    {
      gboolean dotted = line % DOTTED_LINE_EVERY == 0;
      gsize start;

      if (dotted)
        g_string_append_c (self->wire, '.');
      start = self->wire->len;
      append_line (self->wire, rand, dotted, CLAMP (octets - plain_octets, 3, LINE_OCTETS + 2) - 2);
      plain_octets += self->wire->len - start;
      self->crc = pr_bench_crc (self->crc, self->wire->str + start, self->wire->len - start);
    }
}

PrBenchCorpus *
pr_bench_corpus_new (guint64 run, gsize size_octets)
{
  PrBenchCorpus *self = g_new0 (PrBenchCorpus, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) run);
  gsize body_octets = size_octets > HEAD_OCTETS + 3 ? size_octets - HEAD_OCTETS : 3;

  self->run = run;
  self->n_variants = CLAMP (MAX_POOL_OCTETS / body_octets, 1, MAX_VARIANTS);
  for (guint i = 0; i < self->n_variants; i++)
    make_variant (&self->variants[i], rand, body_octets);
  return self;
}

void
pr_bench_corpus_free (PrBenchCorpus *self)
{
  for (guint i = 0; i < self->n_variants; i++)
    g_string_free (self->variants[i].wire, TRUE);
  g_free (self);
}

static gsize
last_line (PrBenchCorpus *self, guint64 seq, char *out)
{
  return (gsize) snprintf (out, PR_BENCH_PART_MAX,
                           "run %" G_GUINT64_FORMAT " message %" G_GUINT64_FORMAT "\r\n", self->run,
                           seq);
}

gsize
pr_bench_corpus_head (PrBenchCorpus *self, guint64 seq, char *out)
{
  char last[PR_BENCH_PART_MAX];
  gsize last_len = last_line (self, seq, last);
  guint32 crc = pr_bench_crc (self->variants[seq % self->n_variants].crc, last, last_len);

  return (gsize) snprintf (out, PR_BENCH_PART_MAX,
                           "X-Bench: %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %08x\r\n"
                           "From: <load@bench.example>\r\n"
                           "To: <m%" G_GUINT64_FORMAT "@sink.example>\r\n"
                           "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
                           "Message-ID: <%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT
                           "@bench.example>\r\n\r\n",
                           self->run, seq, crc, seq, self->run, seq);
}

gsize
pr_bench_corpus_tail (PrBenchCorpus *self, guint64 seq, char *out)
{
  gsize len = last_line (self, seq, out);

  memcpy (out + len, ".\r\n", 3);
  return len + 3;
}

const char *
pr_bench_corpus_body (PrBenchCorpus *self, guint64 seq, gsize *out_len)
{
  GString *wire = self->variants[seq % self->n_variants].wire;

  *out_len = wire->len;
  return wire->str;
}
