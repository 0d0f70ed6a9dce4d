/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/bucket.h"

#include <string.h>

#include "smtp/address.h"

#define HELD_WITHOUT_ROUTE "No route carries this recipient: add one to the configuration"
#define HELD_WITHOUT_POSTMASTER                                                                    \
  "Nobody is set to receive mail for postmaster: set postmaster in the configuration"
#define HELD_BY_ROUTE "A hold route keeps it: release it to send it on"
#define HELD_AFTER_RELEASE "It was released, but only a hold route carries this recipient"

#define PIN '\t'

/* "postmaster" alone or at our own name (RFC 5321 §4.5.1): to whom the configuration says. */
static const char *
resolve_postmaster (const PrConfig *config, const char *recipient)
{
  const char *domain;

  if (g_ascii_strncasecmp (recipient, "postmaster", 10) != 0)
    return recipient;
  if (recipient[10] == '\0')
    return config->postmaster;
  if (recipient[10] != '@')
    return recipient;
  domain = recipient + 11;
  if (g_ascii_strcasecmp (domain, config->hostname) != 0)
    return recipient;
  return config->postmaster;
}

static gboolean
carries (const PrRouteConfig *route, const char *recipient, const char *sender)
{
  return pr_patterns_match (route->recipients, recipient) &&
         pr_patterns_match (route->senders, sender);
}

static gboolean
is_pinned (const char *name)
{
  return *name == PIN;
}

static const char *
without_pin (const char *name)
{
  return is_pinned (name) ? name + 1 : name;
}

/* The route's name within a bucket name has this many octets. */
static gsize
route_len (const char *name)
{
  return strcspn (name, "/");
}

static gboolean
is_of_route (const char *name, const PrRouteConfig *route)
{
  gsize len = route_len (name);

  return strncmp (name, route->name, len) == 0 && route->name[len] == '\0';
}

/* The first match; @skip_hold: hold routes do not count. */
static const PrRouteConfig *
find_route (const PrConfig *config, const char *recipient, const char *sender, gboolean skip_hold)
{
  for (guint i = 0; i < config->routes->len; i++)
    {
      const PrRouteConfig *route = g_ptr_array_index (config->routes, i);

      if (!(skip_hold && route->via == PR_VIA_HOLD) && carries (route, recipient, sender))
        return route;
    }
  return NULL;
}

/* The recipient waits in the bucket of a route that still carries it. */
static gboolean
is_on_its_way (const PrConfig *config, const char *recipient, const char *sender,
               const char *current)
{
  for (guint i = 0; i < config->routes->len; i++)
    {
      const PrRouteConfig *route = g_ptr_array_index (config->routes, i);

      if (route->via != PR_VIA_HOLD && is_of_route (current, route))
        return carries (route, recipient, sender);
    }
  return FALSE;
}

static gboolean
was_released (const char *current)
{
  gsize len = strlen (current);

  return len > 1 && current[len - 1] == '/';
}

PrBucket
pr_bucket_find (const PrConfig *config, const char *recipient, const char *sender,
                const char *current)
{
  PrBucket bucket = { .address = resolve_postmaster (config, recipient) };
  gboolean released = current != NULL && was_released (current);
  gboolean pinned = current != NULL && is_pinned (current) && !released;

  if (bucket.address == NULL)
    {
      bucket.address = recipient;
      bucket.held = HELD_WITHOUT_POSTMASTER;
      return bucket;
    }

  if (pinned)
    {
      g_autofree char *name = pr_bucket_route_name (current);

      bucket.route = pr_config_get_route (config, name);
    }
  bucket.pinned = bucket.route != NULL;
  if (bucket.route == NULL)
    bucket.route = find_route (config, bucket.address, sender, released);
  if (!pinned && bucket.route != NULL && bucket.route->via == PR_VIA_HOLD && current != NULL &&
      *current != '\0' && is_on_its_way (config, bucket.address, sender, current))
    bucket.route = find_route (config, bucket.address, sender, TRUE);

  if (bucket.route == NULL && released)
    {
      bucket.route = find_route (config, bucket.address, sender, FALSE);
      bucket.held = bucket.route != NULL ? HELD_AFTER_RELEASE : HELD_WITHOUT_ROUTE;
    }
  else if (bucket.route == NULL)
    bucket.held = HELD_WITHOUT_ROUTE;
  else if (bucket.route->via == PR_VIA_HOLD)
    bucket.held = HELD_BY_ROUTE;
  else if (bucket.route->via == PR_VIA_MX)
    bucket.domain = pr_address_domain (bucket.address);
  return bucket;
}

gboolean
pr_bucket_is (const PrBucket *self, const char *name)
{
  gsize len;

  if (self->route == NULL)
    return *name == '\0';
  if (self->pinned != is_pinned (name))
    return FALSE;
  name = without_pin (name);
  if (!is_of_route (name, self->route))
    return FALSE;
  len = route_len (name);
  if (self->route->via == PR_VIA_HOLD)
    return strcmp (name + len, "/") == 0;
  if (self->domain != NULL)
    return name[len] == '/' && strcmp (name + len + 1, self->domain) == 0;
  return name[len] == '\0';
}

char *
pr_bucket_name (const PrBucket *self)
{
  const char *pin = self->pinned ? "\t" : "";

  if (self->route == NULL)
    return g_strdup ("");
  if (self->route->via == PR_VIA_HOLD)
    return g_strconcat (pin, self->route->name, "/", NULL);
  if (self->domain != NULL)
    return g_strconcat (pin, self->route->name, "/", self->domain, NULL);
  return g_strconcat (pin, self->route->name, NULL);
}

char *
pr_bucket_pin (const char *route)
{
  return g_strdup_printf ("%c%s", PIN, route);
}

char *
pr_bucket_route_name (const char *name)
{
  name = without_pin (name);
  return g_strndup (name, route_len (name));
}

const char *
pr_bucket_shown (const char *name)
{
  return without_pin (name);
}

const char *
pr_bucket_domain (const char *name)
{
  const char *domain = name + route_len (name);

  return domain[0] == '/' && domain[1] != '\0' ? domain + 1 : NULL;
}

guint
pr_bucket_assign (const PrConfig *config, PrMessage *message)
{
  guint n_held = 0;

  for (guint i = 0; i < message->envelope->recipients->len; i++)
    {
      PrProgress *progress = &message->progress[i];
      PrBucket bucket =
        pr_bucket_find (config, pr_envelope_recipient (message->envelope, i)->address,
                        message->envelope->sender, NULL);

      g_free (progress->hop);
      progress->hop = pr_bucket_name (&bucket);
      if (bucket.held == NULL)
        continue;
      progress->state = PR_RECIPIENT_HELD;
      g_free (progress->last_reply);
      progress->last_reply = g_strdup (bucket.held);
      n_held++;
    }
  return n_held;
}
