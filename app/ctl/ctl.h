/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "control/client.h"
#include "ctl/terminal.h"

G_BEGIN_DECLS

/* What every command of postroomctl is given. */
typedef struct
{
  PrHome *home;                /* owned */
  GDBusConnection *connection; /* owned; NULL for a command that needs no service */
  PrTerminal terminal;
  gboolean json;
} PrCtl;

/* One command. Its name is "group verb" ("queue show"), or one word; a group alone ("queue") is
 * the one without a verb. */
typedef struct
{
  const char *group, *verb;    /* verb: nullable */
  const char *arguments;       /* for the help: "ID...", "" for none */
  int min_args, max_args;      /* -1: any number */
  const GOptionEntry *options; /* (nullable) its own */
  gboolean offline;            /* needs no service */
  /* @args: NULL-terminated. The exit code; what went wrong is on standard error. */
  int (*run) (PrCtl *ctl, char **args);
  const char *help; /* one line */
} PrCommand;

/* All commands, in the order of the help; a NULL group ends them. */
const PrCommand *pr_commands_get (void);

#define PR_EXIT_DONE 0
#define PR_EXIT_REFUSED 1
#define PR_EXIT_USAGE 64
#define PR_EXIT_NO_SERVICE 69

/* Prints what went wrong; the exit code for it. */
int pr_ctl_fail (const GError *error);
/* The same for words of our own. */
int pr_ctl_refuse (const char *format, ...) G_GNUC_PRINTF (1, 2);
int pr_ctl_misused (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* Calls the service; NULL: it was printed why, and @status is the exit code. (transfer full) */
GVariant *pr_ctl_call (PrCtl *self, const char *interface, const char *method, GVariant *arguments,
                       const char *reply, int *status);
/* The first line of standard input, without its end; from a terminal it is asked for (@prompt,
 * twice where @twice) and not shown. NULL: there was none, and it was said so. Wipe and free it
 * with pr_ctl_forget. */
char *pr_ctl_read_secret (const char *prompt, gboolean twice);
void pr_ctl_forget (char *secret);

/* The text of postroom.conf; NULL: it was printed why. (transfer full) */
char *pr_ctl_read_config (PrCtl *ctl, int *status);
/* Prints the faults and warnings that @answer, of Edit, Apply or the like, begins with (asas); the
 * exit code. */
int pr_ctl_report_config (GVariant *answer);

int pr_ctl_status (PrCtl *ctl, char **args);
int pr_ctl_pause (PrCtl *ctl, char **args);
int pr_ctl_resume (PrCtl *ctl, char **args);
int pr_ctl_test_mail (PrCtl *ctl, char **args);
int pr_ctl_queue (PrCtl *ctl, char **args);
int pr_ctl_show (PrCtl *ctl, char **args);
int pr_ctl_export (PrCtl *ctl, char **args);
int pr_ctl_retry (PrCtl *ctl, char **args);
int pr_ctl_hold (PrCtl *ctl, char **args);
int pr_ctl_release (PrCtl *ctl, char **args);
int pr_ctl_delete (PrCtl *ctl, char **args);
int pr_ctl_give_up (PrCtl *ctl, char **args);
int pr_ctl_move (PrCtl *ctl, char **args);
int pr_ctl_edit (PrCtl *ctl, char **args);
int pr_ctl_sessions (PrCtl *ctl, char **args);
int pr_ctl_session_show (PrCtl *ctl, char **args);
int pr_ctl_session_disconnect (PrCtl *ctl, char **args);
int pr_ctl_log (PrCtl *ctl, char **args);
int pr_ctl_reload (PrCtl *ctl, char **args);
int pr_ctl_config_check (PrCtl *ctl, char **args);
int pr_ctl_certificate_export (PrCtl *ctl, char **args);
int pr_ctl_certificate_list (PrCtl *ctl, char **args);
int pr_ctl_user_add (PrCtl *ctl, char **args);
int pr_ctl_user_password (PrCtl *ctl, char **args);
int pr_ctl_user_remove (PrCtl *ctl, char **args);
int pr_ctl_user_list (PrCtl *ctl, char **args);
int pr_ctl_provider_list (PrCtl *ctl, char **args);
int pr_ctl_provider_show (PrCtl *ctl, char **args);
int pr_ctl_route_list (PrCtl *ctl, char **args);
int pr_ctl_route_add (PrCtl *ctl, char **args);
int pr_ctl_route_status (PrCtl *ctl, char **args);
int pr_ctl_route_pin (PrCtl *ctl, char **args);
int pr_ctl_route_password (PrCtl *ctl, char **args);
int pr_ctl_route_sign_in (PrCtl *ctl, char **args);
int pr_ctl_route_sign_out (PrCtl *ctl, char **args);
int pr_ctl_route_client_secret (PrCtl *ctl, char **args);

/* Their options. */
extern const GOptionEntry pr_sign_in_options[];
extern const GOptionEntry pr_test_mail_options[], pr_queue_options[], pr_order_options[],
  pr_edit_options[], pr_log_options[], pr_user_options[], pr_password_options[],
  pr_certificate_options[], pr_route_add_options[], pr_route_pin_options[];

G_END_DECLS
