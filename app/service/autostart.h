/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/home.h"

G_BEGIN_DECLS

/**
 * PrAutostart: whether the service starts when its person logs in. In a flatpak the Background
 * portal decides, which may ask the person; else systemd's user manager where it knows our unit and
 * the home is the usual one; else a file in the autostart folder of the desktop. Nothing of it is
 * changed but by a person's click. Main thread only; elsewhere than on Linux: autostart-none.c.
 */
typedef struct _PrAutostart PrAutostart;

/* @home: borrowed, outlives it. */
PrAutostart *pr_autostart_new (const PrHome *home);
void pr_autostart_free (PrAutostart *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrAutostart, pr_autostart_free)

/* @bus: (nullable): the session bus, referenced. */
void pr_autostart_set_bus (PrAutostart *self, GDBusConnection *bus);

/* @changed: (nullable): called when there is another bus: pr_autostart_get() may know more. */
void pr_autostart_set_changed (PrAutostart *self, void (*changed) (gpointer), gpointer user_data);

/* @starts: how it is now. @why: (nullable): in words, why that is not what was asked for. */
typedef void (*PrAutostartDone) (gboolean starts, const char *why, gpointer user_data);

void pr_autostart_set (PrAutostart *self, gboolean start, PrAutostartDone done, gpointer user_data);
/* In a flatpak nobody can tell: what was answered last. */
void pr_autostart_get (PrAutostart *self, PrAutostartDone done, gpointer user_data);

/* The line that desktops show beside a flatpak that runs in the background. @text: copied. */
void pr_autostart_set_status (PrAutostart *self, const char *text);

G_END_DECLS
