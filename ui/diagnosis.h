/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What became of a mail, in words for somebody who has never heard of SMTP. */

typedef enum
{
  PR_STEP_QUEUED,  /* the service has it */
  PR_STEP_REACHED, /* the provider answers */
  PR_STEP_SECURED, /* encrypted, and it is the right one */
  PR_STEP_SIGNED_IN,
  PR_STEP_ACCEPTED,
  PR_N_STEPS
} PrStep;

typedef enum
{
  PR_REMEDY_NONE,
  PR_REMEDY_SIGN_IN, /* back to name, password and server */
  PR_REMEDY_SENDER,  /* the mail must come from the account's own address */
  PR_REMEDY_ADDRESS, /* to whom it goes */
  PR_REMEDY_AGAIN,
} PrRemedy;

typedef struct
{
  gboolean is_over; /* nothing more comes by itself soon */
  gboolean is_good;
  PrStep step; /* the last that succeeded; when it is not good, the next one failed */
  PrRemedy remedy;
  const char *words; /* translated */
} PrDiagnosis;

/* @event: of Journal1. FALSE: it says nothing about the mail @message (nullable) or @route. */
gboolean pr_diagnosis_read (GVariant *event, const char *message, const char *route,
                            PrDiagnosis *out);

G_END_DECLS
