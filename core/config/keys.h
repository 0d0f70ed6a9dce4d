/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"

G_BEGIN_DECLS

/**
 * The keys of postroom.conf: one table that parsing, defaults, freeing and help go by. Internal to
 * core/config.
 */
typedef enum
{
  PR_VALUE_SIZE,         /* guint64 octets */
  PR_VALUE_DURATION,     /* guint64 seconds */
  PR_VALUE_NUMBER,       /* guint */
  PR_VALUE_WORD,         /* an enum, guint or gboolean: one of spec->words */
  PR_VALUE_WORDS,        /* guint: any of spec->words, their values joined */
  PR_VALUE_NAME,         /* char *: one of spec->words, as it is */
  PR_VALUE_TEXT,         /* char *, nullable */
  PR_VALUE_HOSTNAME,     /* char * */
  PR_VALUE_ADDRESS,      /* char *, nullable, canonical */
  PR_VALUE_PATH,         /* char *, nullable, absolute */
  PR_VALUE_FILE,         /* the same; must exist */
  PR_VALUE_PROVIDER,     /* PrProvider *, nullable */
  PR_VALUE_LISTEN,       /* char **: "ip:port" */
  PR_VALUE_NETWORKS,     /* PrNetworks * */
  PR_VALUE_PATTERNS,     /* PrPatterns * of addresses */
  PR_VALUE_DOMAINS,      /* PrPatterns * of the addresses of domains */
  PR_VALUE_HOSTS,        /* PrHosts */
  PR_VALUE_SCHEDULE,     /* PrSchedule */
  PR_VALUE_DNS_LISTS,    /* PrDnsLists *, nullable */
  PR_VALUE_LIMITS,       /* limits and n_limits of a route */
  PR_VALUE_SECRET,       /* char * */
  PR_VALUE_SECRET_SHA_1, /* char *, nullable */
  PR_VALUE_SHA256,       /* guint8 *, nullable: 32 octets */
  PR_VALUE_PASSWORD,     /* char *, nullable, wiped */
  PR_VALUE_URL,          /* char *, nullable: https, or http to this computer */
} PrValueKind;

typedef struct
{
  const char *word;
  int value;
} PrWord;

typedef struct
{
  const char *group; /* "server"; "listener", "user" and "route" stand for those with a name */
  const char *key;
  PrValueKind kind;
  gsize offset;             /* of the field in the group's struct */
  const char *default_text; /* parsed like any other value; NULL: the field stays zero */
  guint64 min, max;         /* of numbers, sizes and durations */
  const PrWord *words;      /* terminated by a NULL word */
  const char *help;
} PrKeySpec;

/* Terminated by a NULL group; groups are contiguous. */
extern const PrKeySpec pr_key_specs[];

/* The group's struct begins at @object. */
typedef struct
{
  gpointer object;
  const char *base_dir; /* where relative paths begin */
} PrValueTarget;

/* Sets the field anew. On failure the field is zero and *@why says what is wrong, in words that go
 * behind "[group] key: " (transfer full). */
gboolean pr_value_parse (const PrKeySpec *spec, const char *text, const PrValueTarget *target,
                         char **why);
void pr_value_clear (const PrKeySpec *spec, gpointer object);

G_END_DECLS
