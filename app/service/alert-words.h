/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "service/alerts.h"

G_BEGIN_DECLS

/* What alerts.c counts, put into words for people. */
typedef struct
{
  const char *subject;  /* route or address */
  const char *address;  /* of the last failure; nullable */
  const char *text;     /* what the other side said; nullable */
  guint n;              /* failures, devices */
  gboolean by_password; /* a device: refused because of its passwords */
} PrAlertFacts;

/* Both (transfer full). */
char *pr_alert_title (PrDesktopNotice kind, const PrAlertFacts *facts);
char *pr_alert_body (PrDesktopNotice kind, const PrAlertFacts *facts);
/* On a button. */
const char *pr_alert_action_label (PrAlertAction action);

/* Of one action, for programs: "sign-in", "try-again". */
const char *pr_alert_action_to_string (PrAlertAction action);
/* FALSE: there is none called so. */
gboolean pr_alert_action_from_string (const char *name, PrAlertAction *action);

G_END_DECLS
