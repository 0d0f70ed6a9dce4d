/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event-words.h"

#include <string.h>
#include <glib/gi18n.h>

#include "control/client.h"
#include "service-words.h"

/* What stands in for the %s of a title. */
typedef enum
{
  ABOUT_NOTHING,
  ABOUT_ADDRESS, /* the recipient */
  ABOUT_SENDER,
  ABOUT_PEER,
  ABOUT_ROUTE,
  ABOUT_TEXT,
} About;

typedef struct
{
  const char *kind;
  const char *title; /* with %s unless it is about nothing */
  About about;
  const char *bare; /* when what it is about is not known */
  PrEventTone tone;
  const char *icon;
} Words;

static const Words all_words[] = {
  { "started", N_ ("Postroom started"), ABOUT_NOTHING, NULL, PR_TONE_PLAIN,
    "media-playback-start-symbolic" },
  { "stopped", N_ ("Postroom stopped"), ABOUT_NOTHING, NULL, PR_TONE_PLAIN,
    "media-playback-stop-symbolic" },
  { "reloaded", N_ ("The configuration was read"), ABOUT_NOTHING, NULL, PR_TONE_PLAIN,
    "emblem-system-symbolic" },
  { "connected", N_ ("%s connected"), ABOUT_PEER, N_ ("Somebody connected"), PR_TONE_PLAIN,
    "network-wired-symbolic" },
  { "disconnected", N_ ("%s disconnected"), ABOUT_PEER, N_ ("Somebody disconnected"), PR_TONE_PLAIN,
    "network-wired-disconnected-symbolic" },
  { "refused", N_ ("Refused for %s"), ABOUT_PEER, N_ ("Refused"), PR_TONE_WARNING,
    "action-unavailable-symbolic" },
  { "accepted", N_ ("Accepted from %s"), ABOUT_SENDER, N_ ("Accepted, without a sender"),
    PR_TONE_PLAIN, "mail-unread-symbolic" },
  { "delivered", N_ ("Delivered to %s"), ABOUT_ADDRESS, N_ ("Delivered"), PR_TONE_GOOD,
    "emblem-ok-symbolic" },
  { "deferred", N_ ("Not delivered yet to %s"), ABOUT_ADDRESS, N_ ("Not delivered yet"),
    PR_TONE_WARNING, "appointment-soon-symbolic" },
  { "failed", N_ ("Cannot be delivered to %s"), ABOUT_ADDRESS, N_ ("Cannot be delivered"),
    PR_TONE_BAD, "dialog-error-symbolic" },
  { "bounced", N_ ("The sender %s was told"), ABOUT_SENDER, N_ ("The sender was told"), PR_TONE_BAD,
    "mail-unread-symbolic" },
  { "held", N_ ("Held for %s"), ABOUT_ADDRESS, N_ ("Held until somebody releases it"),
    PR_TONE_WARNING, "media-playback-pause-symbolic" },
  { "released", N_ ("Released for %s"), ABOUT_ADDRESS, N_ ("Released"), PR_TONE_PLAIN,
    "media-playback-start-symbolic" },
  { "deleted", N_ ("Deleted by hand"), ABOUT_NOTHING, NULL, PR_TONE_PLAIN, "user-trash-symbolic" },
  { "retried", N_ ("Tried again by hand"), ABOUT_NOTHING, NULL, PR_TONE_PLAIN,
    "view-refresh-symbolic" },
  { "edited", N_ ("Changed by hand"), ABOUT_NOTHING, NULL, PR_TONE_PLAIN,
    "document-edit-symbolic" },
  { "hop-failed", N_ ("%s does not answer"), ABOUT_PEER, N_ ("The next server does not answer"),
    PR_TONE_WARNING, "network-error-symbolic" },
  { "hop-recovered", N_ ("%s answers again"), ABOUT_PEER, N_ ("The next server answers again"),
    PR_TONE_GOOD, "emblem-ok-symbolic" },
  { "paused", N_ ("Paused: %s"), ABOUT_TEXT, N_ ("Paused"), PR_TONE_WARNING,
    "media-playback-pause-symbolic" },
  { "resumed", N_ ("Resumed: %s"), ABOUT_TEXT, N_ ("Resumed"), PR_TONE_PLAIN,
    "media-playback-start-symbolic" },
  { "space-low", N_ ("The disk is nearly full: no mail is accepted"), ABOUT_NOTHING, NULL,
    PR_TONE_BAD, "drive-harddisk-symbolic" },
  { "space-ok", N_ ("There is room on the disk again"), ABOUT_NOTHING, NULL, PR_TONE_GOOD,
    "drive-harddisk-symbolic" },
  { "expanded", N_ ("Handed on for %s to a server that will not report"), ABOUT_ADDRESS,
    N_ ("Handed on to a server that will not report"), PR_TONE_GOOD, "emblem-ok-symbolic" },
  { "warned", N_ ("%s was told that it is late"), ABOUT_SENDER,
    N_ ("The sender was told that it is late"), PR_TONE_WARNING, "appointment-soon-symbolic" },
  { "signed-in", N_ ("%s signed in"), ABOUT_TEXT, N_ ("A device signed in"), PR_TONE_PLAIN,
    "avatar-default-symbolic" },
  { "sign-in-failed", N_ ("%s could not sign in"), ABOUT_TEXT, N_ ("A device could not sign in"),
    PR_TONE_WARNING, "avatar-default-symbolic" },
  { "client-refused", N_ ("%s is refused for a while"), ABOUT_PEER,
    N_ ("An address is refused for a while"), PR_TONE_BAD, "action-unavailable-symbolic" },
  { "certificate", N_ ("About a certificate"), ABOUT_NOTHING, NULL, PR_TONE_WARNING,
    "channel-secure-symbolic" },
  { "certificate-renewed", N_ ("A certificate is right again"), ABOUT_NOTHING, NULL, PR_TONE_GOOD,
    "channel-secure-symbolic" },
  { "sign-in-needed", N_ ("The route %s needs you to sign in"), ABOUT_ROUTE,
    N_ ("A route needs you to sign in"), PR_TONE_BAD, "dialog-password-symbolic" },
  { "sign-in-unkept", N_ ("The sign-in of route %s could not be stored"), ABOUT_ROUTE,
    N_ ("A sign-in could not be stored"), PR_TONE_WARNING, "dialog-password-symbolic" },
  { "sign-in-kept", N_ ("The sign-in of route %s is stored now"), ABOUT_ROUTE,
    N_ ("A sign-in is stored now"), PR_TONE_GOOD, "dialog-password-symbolic" },
  { "checked", N_ ("A stranger’s message was checked: %s"), ABOUT_TEXT,
    N_ ("A stranger’s message was checked"), PR_TONE_PLAIN, "security-medium-symbolic" },
};

/* Of a kind that a newer service knows and we do not: its own name is better than nothing. */
static const Words unknown = { NULL, "%s",          ABOUT_NOTHING,
                               NULL, PR_TONE_PLAIN, "dialog-information-symbolic" };

static const Words *
find_words (GVariant *event)
{
  const char *kind = pr_dict_string (event, "kind");

  for (gsize i = 0; i < G_N_ELEMENTS (all_words); i++)
    if (g_strcmp0 (all_words[i].kind, kind) == 0)
      return &all_words[i];

  return &unknown;
}

static const char *
find_about (GVariant *event, About about)
{
  static const char *const keys[] = {
    [ABOUT_ADDRESS] = "address", [ABOUT_SENDER] = "sender", [ABOUT_PEER] = "peer",
    [ABOUT_ROUTE] = "route",     [ABOUT_TEXT] = "text",
  };
  const char *text = about != ABOUT_NOTHING ? pr_dict_string (event, keys[about]) : NULL;

  return text != NULL && *text != '\0' ? text : NULL;
}

/* @title with @about for its %s; a translation is no format to be trusted. */
static char *
fill_in (const char *title, const char *about)
{
  const char *at = strstr (title, "%s");

  return at == NULL ? g_strdup (title)
                    : g_strdup_printf ("%.*s%s%s", (int) (at - title), title, about, at + 2);
}

char *
pr_event_words_title (GVariant *event)
{
  const Words *words = find_words (event);
  const char *about = find_about (event, words->about);

  if (words == &unknown)
    return g_strdup (pr_dict_string (event, "kind"));
  if (words->about == ABOUT_NOTHING)
    return g_strdup (_ (words->title));

  return about != NULL ? fill_in (_ (words->title), about) : g_strdup (_ (words->bare));
}

char *
pr_event_words_detail (GVariant *event)
{
  const Words *words = find_words (event);
  const char *text =
    words->about != ABOUT_TEXT ? pr_service_words (pr_dict_string (event, "text")) : NULL;
  const char *route = words->about != ABOUT_ROUTE ? pr_dict_string (event, "route") : NULL;
  gint64 code = pr_dict_number (event, "code");
  g_autoptr (GString) detail = g_string_new (NULL);

  if (route != NULL)
    /* Translators: %s is the name of a way out for mail */
    g_string_append_printf (detail, _ ("by route %s"), route);
  if (code != 0)
    g_string_append_printf (detail, "%s%" G_GINT64_FORMAT, detail->len > 0 ? " · " : "", code);
  if (text != NULL && *text != '\0' && g_strcmp0 (words->kind, "connected") == 0)
    /* Translators: where somebody connected; %s is the name of a listener */
    g_string_append_printf (detail, _ ("at %s"), text);
  else if (text != NULL && *text != '\0')
    g_string_append_printf (detail, "%s%s", code != 0 ? " " : detail->len > 0 ? " · " : "", text);

  return g_string_free (g_steal_pointer (&detail), FALSE);
}

PrEventTone
pr_event_words_tone (GVariant *event)
{
  return find_words (event)->tone;
}

const char *
pr_event_words_icon (GVariant *event)
{
  return find_words (event)->icon;
}

const char *
pr_event_words_class (GVariant *event)
{
  switch (pr_event_words_tone (event))
    {
    case PR_TONE_GOOD: return "success";
    case PR_TONE_WARNING: return "warning";
    case PR_TONE_BAD: return "error";
    case PR_TONE_PLAIN:
    default: return NULL;
    }
}

char *
pr_event_words_time (gint64 time_us)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) when = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  if (when == NULL)
    return g_strdup ("");
  if (g_date_time_get_year (when) == g_date_time_get_year (now) &&
      g_date_time_get_day_of_year (when) == g_date_time_get_day_of_year (now))
    return g_date_time_format (when, "%X");

  return g_date_time_format (when, "%x %X");
}
