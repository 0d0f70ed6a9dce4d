/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * Delivery into a Maildir, as every mail program on UNIX reads it: line ends are LF, the file's
 * name is its time of delivery, process, sequence and host, and it appears in new/ complete or
 * not at all.
 */
typedef struct
{
  const char *folder;              /* the Maildir; made (0700) with cur, new and tmp if missing */
  const char *hostname;            /* in the file name */
  const char *sender;              /* for Return-Path; "" is the null sender */
  const char *const *delivered_to; /* NULL-terminated: one Delivered-To each */
  GBytes *bytes;                   /* the message, or NULL */
  const char *path;                /* then: the file it is in */
} PrMaildirMessage;

/* Blocking: for a thread of the pool. TRUE: the message is on the disk, file and folder flushed.
 * Errors: TEMPORARY (no space, no permission, cannot read); nothing of it is left. */
gboolean pr_maildir_deliver (const PrMaildirMessage *message, GError **error);

G_END_DECLS
