/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * The syntax of GKeyFile, read strictly: GKeyFile itself stops at the first fault, joins groups of
 * one name and lets the last of two equal keys win. Internal to core/config.
 */

/* Collects faults; at most a hundred, so that a file that is no configuration at all stays
 * readable. */
typedef struct
{
  const char *file; /* borrowed, for messages */
  GPtrArray *lines; /* borrowed, of char * */
} PrFaults;

/* "FILE: [group] key: text"; @group and @key: (nullable). */
void pr_faults_add (PrFaults *self, const char *group, const char *key, const char *format, ...)
  G_GNUC_PRINTF (4, 5);

gboolean pr_faults_are_full (const PrFaults *self); /* no more are taken */

typedef struct
{
  char *key, *value; /* owned; the value without escapes */
} PrEntry;

typedef struct
{
  char *name;      /* owned: what stands between the brackets */
  GArray *entries; /* owned, of PrEntry: in file order, no key twice */
} PrSection;

/* In file order, no name twice. (transfer full) (element-type PrSection) */
GPtrArray *pr_sections_parse (const char *text, gsize len, PrFaults *faults);

G_END_DECLS
