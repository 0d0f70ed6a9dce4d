/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/job.h"
#include "queue/spool.h"

G_BEGIN_DECLS

/* Files below the body folder are "xx/ID": 256 folders, named in two hexadecimal digits. */
#define PR_SPOOL_NAME_SIZE (3 + PR_ID_LEN + 1)
void pr_spool_format_name (gint64 id, char buf[PR_SPOOL_NAME_SIZE]);

/* A message given up by pr_spool_finish carries a file that no row names yet. */
gboolean pr_spool_is_held (const PrMessage *message);
/* Writes what is left, flushes the file and its folder in the pool, then lets @job go on: see
 * pr_job_file_done. @job has counted this file in n_files. */
void pr_spool_flush (PrMessage *message, PrJob *job);
/* A row names the file now (@keep), or never will: then it is removed. */
void pr_spool_settle (PrMessage *message, gboolean keep);

/* Any thread: one of the files that @job waits for is safe, or @error_number says why not. The last
 * sends the job to the writer, or back with its error. */
void pr_job_file_done (PrJob *job, int error_number);

G_END_DECLS
