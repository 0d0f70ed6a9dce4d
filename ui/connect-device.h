/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrConnectDevice: makes a user for a printer or another device, says what to type there, also on
 * paper, and shows whether it found its way.
 */
#define PR_TYPE_CONNECT_DEVICE (pr_connect_device_get_type ())
G_DECLARE_FINAL_TYPE (PrConnectDevice, pr_connect_device, PR, CONNECT_DEVICE, AdwWindow)

PrConnectDevice *pr_connect_device_new (GtkWindow *parent, PrService *service);

G_END_DECLS
