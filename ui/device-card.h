/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <cairo.h>
#include <glib.h>

G_BEGIN_DECLS

/* What somebody types into a device, as a sheet of paper. All owned. */
typedef struct
{
  char *device;     /* what it is called */
  char *server;     /* "office.local" */
  char *address;    /* "192.168.1.7" */
  char *port;       /* "2525" */
  char *encryption; /* in words, translated */
  char *user;
  char *password;
} PrDeviceCard;

void pr_device_card_clear (PrDeviceCard *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PrDeviceCard, pr_device_card_clear)

#define PR_N_DEVICE_LINES 6

/* One of its lines: what it is called and what it says. Both (transfer none). */
void pr_device_card_get_line (const PrDeviceCard *self, guint line, const char **title,
                              const char **value);
/* All of them, one below the other, as a telephone reads them from the picture. (transfer full) */
char *pr_device_card_make_text (const PrDeviceCard *self);
/* Draws it with the picture that telephones read (QR), from the top left, @width points wide. */
void pr_device_card_draw (const PrDeviceCard *self, cairo_t *cr, double width);
/* A page of A4. (transfer full) */
GBytes *pr_device_card_make_pdf (const PrDeviceCard *self);

/* A password that a person can type on a printer: 16 characters, 80 bits. (transfer full)
 * NULL: the system has no random numbers. */
char *pr_device_card_make_password (void);
/* A name to sign in with, of what a device is called, that no group of @groups has.
 * @groups: as of pr_settings_get_groups (). (transfer full) */
char *pr_device_card_make_user (const char *device, const char *const *groups);

G_END_DECLS
