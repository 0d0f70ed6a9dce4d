/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-words.h"

#include <glib/gi18n.h>

#include "control/client.h"

/* What a message's recipients have in common. */
typedef struct
{
  guint n, n_held, n_failed, n_tried;
  gint64 next_us; /* the earliest attempt; 0: none */
} Summary;

/* (transfer full) (nullable) */
static GVariant *
get_recipients (GVariant *message)
{
  return g_variant_lookup_value (message, "recipients", G_VARIANT_TYPE ("aa{sv}"));
}

static void
add_recipient (Summary *out, GVariant *recipient)
{
  gint64 next_us = pr_dict_number (recipient, "next-attempt");

  out->n++;
  out->n_held += pr_dict_boolean (recipient, "held");
  out->n_failed += g_strcmp0 (pr_dict_string (recipient, "state"), "failed") == 0;
  out->n_tried += pr_dict_number (recipient, "attempts") > 0;
  if (next_us != 0 && (out->next_us == 0 || next_us < out->next_us))
    out->next_us = next_us;
}

static Summary
summarize (GVariant *message)
{
  g_autoptr (GVariant) recipients = get_recipients (message);
  Summary summary = { 0 };

  for (gsize i = 0; recipients != NULL && i < g_variant_n_children (recipients); i++)
    {
      g_autoptr (GVariant) recipient = g_variant_get_child_value (recipients, i);

      add_recipient (&summary, recipient);
    }

  return summary;
}

char *
pr_queue_words_from (GVariant *message)
{
  const char *sender = pr_dict_string (message, "sender");

  /* Translators: the sender of a notice about mail that could not be delivered. */
  return g_strdup (sender != NULL && *sender != '\0' ? sender : _ ("Delivery notice"));
}

char *
pr_queue_words_to (GVariant *message)
{
  g_autoptr (GVariant) recipients = get_recipients (message);
  gsize n = recipients != NULL ? g_variant_n_children (recipients) : 0;
  g_autoptr (GVariant) first = n > 0 ? g_variant_get_child_value (recipients, 0) : NULL;
  const char *address = first != NULL ? pr_dict_string (first, "address") : NULL;

  if (address == NULL)
    return g_strdup ("");
  if (n == 1)
    return g_strdup (address);

  /* Translators: %s is an address, the number counts others besides it. */
  return g_strdup_printf (ngettext ("%s and %u more", "%s and %u more", (gulong) n - 1), address,
                          (guint) n - 1);
}

char *
pr_queue_words_subject (GVariant *message)
{
  const char *subject = pr_dict_string (message, "subject");

  return g_strdup (subject != NULL ? subject : _ ("(No subject)"));
}

char *
pr_queue_words_size (GVariant *message)
{
  return g_format_size ((guint64) pr_dict_number (message, "size"));
}

char *
pr_queue_words_time (gint64 us)
{
  g_autoptr (GDateTime) utc = us != 0 ? g_date_time_new_from_unix_utc (us / G_USEC_PER_SEC) : NULL;
  g_autoptr (GDateTime) time = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  if (time == NULL)
    return g_strdup ("");
  if (g_date_time_get_year (time) != g_date_time_get_year (now))
    return g_date_time_format (time, "%x");
  if (g_date_time_get_day_of_year (time) == g_date_time_get_day_of_year (now))
    /* Translators: the time of something that is today, as of strftime () */
    return g_date_time_format (time, _ ("%H:%M:%S"));

  /* Translators: the time of something of this year, as of strftime () */
  return g_date_time_format (time, _ ("%b %-d, %H:%M"));
}

char *
pr_queue_words_received (GVariant *message)
{
  return pr_queue_words_time (pr_dict_number (message, "received"));
}

char *
pr_queue_words_next_try (GVariant *message)
{
  return pr_queue_words_time (summarize (message).next_us);
}

char *
pr_queue_words_state (GVariant *message)
{
  const char *state = pr_dict_string (message, "state");
  Summary summary = summarize (message);

  if (g_strcmp0 (state, "active") == 0)
    return g_strdup (C_ ("message", "Being sent"));
  if (summary.n_failed > 0)
    return g_strdup (C_ ("message", "Failed, nobody could be told"));
  if (g_strcmp0 (state, "held") == 0)
    return g_strdup (C_ ("message", "Held"));
  if (summary.n_tried > 0)
    return g_strdup (C_ ("message", "Will be tried again"));

  return g_strdup (C_ ("message", "Waiting"));
}

char *
pr_queue_words_route (GVariant *message)
{
  g_autoptr (GVariant) recipients = get_recipients (message);

  for (gsize i = 0; recipients != NULL && i < g_variant_n_children (recipients); i++)
    {
      g_autoptr (GVariant) recipient = g_variant_get_child_value (recipients, i);
      const char *route = pr_dict_string (recipient, "route");

      if (route != NULL)
        return g_strdup (route);
    }

  return g_strdup ("");
}

char *
pr_queue_words_summary (GVariant *message)
{
  g_autofree char *to = pr_queue_words_to (message);
  g_autofree char *state = pr_queue_words_state (message);

  /* Translators: what stands below a subject: an address, and what becomes of the message. */
  return g_strdup_printf (_ ("%1$s · %2$s"), to, state);
}

char *
pr_queue_words_recipient (GVariant *recipient)
{
  const char *state = pr_dict_string (recipient, "state");
  gint64 next_us = pr_dict_number (recipient, "next-attempt");
  g_autofree char *next = pr_queue_words_time (next_us);

  if (g_strcmp0 (state, "delivered") == 0)
    return g_strdup (C_ ("recipient", "Delivered"));
  if (g_strcmp0 (state, "failed") == 0)
    return g_strdup (C_ ("recipient", "Failed"));
  if (pr_dict_boolean (recipient, "held"))
    return g_strdup (C_ ("recipient", "Held"));
  if (next_us > g_get_real_time ())
    /* Translators: %s is a time */
    return g_strdup_printf (C_ ("recipient", "Next try at %s"), next);

  return g_strdup (C_ ("recipient", "Waiting"));
}
