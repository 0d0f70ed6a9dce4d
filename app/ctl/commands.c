/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every command of postroomctl. */

#include "ctl/ctl.h"

static const PrCommand commands[] = {
  { "status", NULL, "", 0, 0, NULL, FALSE, pr_ctl_status, "What is going on, in a few lines" },
  { "queue", NULL, "", 0, 0, pr_queue_options, FALSE, pr_ctl_queue, "What waits, and why" },
  { "queue", "list", "", 0, 0, pr_queue_options, FALSE, pr_ctl_queue, "The same" },
  { "queue", "show", "ID", 1, 1, NULL, FALSE, pr_ctl_show, "One message, with its history" },
  { "queue", "retry", "ID... | --all", 0, -1, pr_order_options, FALSE, pr_ctl_retry,
    "Try again now" },
  { "queue", "hold", "ID... | --all", 0, -1, pr_order_options, FALSE, pr_ctl_hold,
    "Keep until released" },
  { "queue", "release", "ID... | --all", 0, -1, pr_order_options, FALSE, pr_ctl_release,
    "Send what is held" },
  { "queue", "delete", "ID... | --all", 0, -1, pr_order_options, FALSE, pr_ctl_delete,
    "Throw away; nobody is told" },
  { "queue", "fail", "ID...", 1, -1, NULL, FALSE, pr_ctl_give_up,
    "Give up now and tell the senders" },
  { "queue", "move", "ROUTE ID...", 2, -1, NULL, FALSE, pr_ctl_move,
    "Send by this route, whatever its patterns say (\"-\": let the routes decide again)" },
  { "queue", "edit", "ID [--add=ADDRESS] [--remove=ADDRESS]", 1, 1, pr_edit_options, FALSE,
    pr_ctl_edit, "Change who gets it" },
  { "queue", "export", "ID", 1, 1, NULL, FALSE, pr_ctl_export,
    "Write the message as it is stored to standard output" },
  { "sessions", NULL, "", 0, 0, NULL, FALSE, pr_ctl_sessions, "Who is talking with us" },
  { "sessions", "show", "NUMBER", 1, 1, NULL, FALSE, pr_ctl_session_show,
    "What was said, secrets hidden" },
  { "sessions", "disconnect", "NUMBER", 1, 1, NULL, FALSE, pr_ctl_session_disconnect,
    "End one, politely" },
  { "log", NULL, "", 0, 0, pr_log_options, FALSE, pr_ctl_log, "What happened, and happens" },
  { "pause", NULL, "receiving | sending", 1, 1, NULL, FALSE, pr_ctl_pause,
    "Take no more mail, or send none" },
  { "resume", NULL, "receiving | sending", 1, 1, NULL, FALSE, pr_ctl_resume, "Go on" },
  { "test-mail", NULL, "--to=ADDRESS [--wait]", 0, 0, pr_test_mail_options, FALSE, pr_ctl_test_mail,
    "Send a test mail" },
  { "reload", NULL, "", 0, 0, NULL, FALSE, pr_ctl_reload, "Put postroom.conf in force" },
  { "config", "check", "[FILE]", 0, 1, NULL, TRUE, pr_ctl_config_check,
    "Name every fault of postroom.conf; needs no service" },
  { "certificate", "export", "[--format=FORMAT]", 0, 0, pr_certificate_options, TRUE,
    pr_ctl_certificate_export, "The certificate that devices are to trust, to standard output" },
  { "user", "add", "NAME", 1, 1, pr_user_options, FALSE, pr_ctl_user_add,
    "Let somebody sign in, or change the password (standard input)" },
  { "user", "password", "NAME", 1, 1, NULL, FALSE, pr_ctl_user_password,
    "Give a user another password (standard input)" },
  { "user", "remove", "NAME", 1, 1, NULL, FALSE, pr_ctl_user_remove, "No more, from now on" },
  { "user", "list", "", 0, 0, NULL, FALSE, pr_ctl_user_list, "Who may sign in" },
  { "provider", "list", "[NAME | ADDRESS]", 0, 1, NULL, FALSE, pr_ctl_provider_list,
    "The mail providers that are known" },
  { "provider", "show", "ID", 1, 1, NULL, FALSE, pr_ctl_provider_show,
    "Servers and limits of one, and how to sign in to it" },
  { "route", "add", "[NAME] --provider=ID", 0, 1, pr_route_add_options, FALSE, pr_ctl_route_add,
    "A new route to a provider (password: standard input)" },
  { "route", "status", "[NAME]", 0, 1, NULL, FALSE, pr_ctl_route_status,
    "How routes fare, and how far limits are used" },
  { "route", "pin", "NAME [--yes]", 1, 1, pr_route_pin_options, FALSE, pr_ctl_route_pin,
    "Trust the certificate that its server showed, and no other" },
  { "route", "list", "", 0, 0, NULL, FALSE, pr_ctl_route_list, "The ways mail can go" },
  { "route", "password", "NAME", 1, 1, pr_password_options, FALSE, pr_ctl_route_password,
    "Set the password a route signs in with (standard input)" },
  { NULL, NULL, NULL, 0, 0, NULL, FALSE, NULL, NULL },
};

const PrCommand *
pr_commands_get (void)
{
  return commands;
}
