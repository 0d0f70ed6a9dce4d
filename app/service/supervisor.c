/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service manager, where there is one. */

#include "config.h"

#include "service/supervisor.h"

#ifdef HAVE_SYSTEMD

#include <fcntl.h>
#include <systemd/sd-daemon.h>

void
pr_supervisor_adopt_sockets (PrEngine *engine)
{
  int n = sd_listen_fds (TRUE);

  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
    {
      fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
      pr_engine_adopt (engine, fd);
    }
}

void
pr_supervisor_ready (void)
{
  sd_notify (0, "READY=1");
}

void
pr_supervisor_reloading (void)
{
  sd_notifyf (0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());
}

void
pr_supervisor_stopping (void)
{
  sd_notify (0, "STOPPING=1");
}

#else

void
pr_supervisor_adopt_sockets (PrEngine *engine)
{
}

void
pr_supervisor_ready (void)
{
}

void
pr_supervisor_reloading (void)
{
}

void
pr_supervisor_stopping (void)
{
}

#endif
