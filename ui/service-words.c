/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service-words.h"

#include <glib/gi18n.h>

/* As they stand in core/server/connection.c, core/relay/delivery.c and their likes. */
static const char *const sentences[] = {
  /* Translators: what a conversation is at, in the middle of a sentence */
  N_ ("waiting for a command"),
  N_ ("reading a message"),
  N_ ("storing a message"),
  N_ ("closing"),
  N_ ("beginning encryption"),
  N_ ("signing in"),
  N_ ("looking for the host"),
  N_ ("waiting for a free connection"),
  N_ ("connecting"),
  N_ ("being greeted"),
  N_ ("agreeing on encryption"),
  N_ ("sending a message"),
  N_ ("waiting for more"),
  N_ ("saying goodbye"),
  N_ ("ended"),
  /* Translators: how a conversation ended */
  N_ ("Done"),
  N_ ("Refused"),
  N_ ("Postroom stopped"),
  N_ ("Disconnected by hand"),
  N_ ("The client gave up in the middle of a message; nothing was accepted"),
  N_ ("The client left before it was answered"),
  N_ ("The connection broke"),
  N_ ("The client was silent for too long"),
  N_ ("The client sent its message too slowly"),
  N_ ("Encryption failed: the client did not finish its handshake in time"),
};

const char *
pr_service_words (const char *text)
{
  for (gsize i = 0; text != NULL && i < G_N_ELEMENTS (sentences); i++)
    if (g_str_equal (text, sentences[i]))
      return _ (sentences[i]);

  return text;
}
