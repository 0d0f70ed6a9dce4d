# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop of its own for one test: an X server without a screen, a private session bus, a window
manager, a tray, a notification daemon and the accessibility bus, all real, all gone at the end.

The bus offers no service but what a test puts there, so that no daemon wakes that merely happens to
be installed.
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess

from . import postroom, process

A11Y = "/usr/libexec/at-spi-bus-launcher"
NOTIFYD = "/usr/lib/*/xfce4/notifyd/xfce4-notifyd"
XFCONFD = "/usr/lib/*/xfce4/xfconf/xfconfd"
SERVICES = "/usr/share/dbus-1/services"
PORTAL = "/usr/libexec/xdg-desktop-portal"
PYTHON = "/usr/bin/python3"
LOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "look.py")

# What each program is good for, and the Debian package that holds it.
NEEDS = {
    "dbus-daemon": "dbus",
    "gdbus": "libglib2.0-bin",
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "xprop": "x11-utils",
    "xdotool": "xdotool",
    "import": "imagemagick",
    "xfce4-panel": "xfce4-panel",
    A11Y: "at-spi2-core",
    NOTIFYD: "xfce4-notifyd",
    XFCONFD: "xfconf",
}

PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=10;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="tasklist"/>
    <property name="plugin-2" type="string" value="systray"/>
  </property>
</channel>
"""

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd"><busconfig>
<type>session</type><keep_umask/><listen>unix:path={run}/bus</listen><auth>EXTERNAL</auth>
<servicedir>{services}</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


def find(program):
    """Its path, or None."""
    found = sorted(glob.glob(program)) if program.startswith("/") else [shutil.which(program)]
    return found[0] if found else None


# And what applications in a sandbox are given.
PORTALS = {PORTAL: "xdg-desktop-portal", PORTAL + "-gtk": "xdg-desktop-portal-gtk"}

# What a window alone needs.
WINDOW = ("dbus-daemon", "gdbus", "Xvfb", "openbox", "xprop", "xdotool", "import", A11Y)


def missing(programs=tuple(NEEDS)):
    """The Debian packages that are not there, in words; empty: everything is."""
    return " ".join(
        sorted({**NEEDS, **PORTALS}[program] for program in programs if not find(program)))


class Desktop:
    """Only the bus and the screen are there at first; start_... adds the rest, before or after what
    is tested."""

    def __init__(self, work, screen=True, size="1280x800"):
        self.folder = os.path.join(work, "desktop")
        self.parts = {}
        self.env = dict(os.environ)
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "AT_SPI_BUS_ADDRESS", "SESSION_MANAGER",
                     "XAUTHORITY", "GNOME_KEYRING_CONTROL"):
            self.env.pop(name, None)
        for name in ("home", "run", "config", "data", "cache", "state", "services"):
            os.makedirs(self.path(name), mode=0o700)
        self.env.update(HOME=self.path("home"), XDG_RUNTIME_DIR=self.path("run"),
                        XDG_CONFIG_HOME=self.path("config"), XDG_DATA_HOME=self.path("data"),
                        XDG_CACHE_HOME=self.path("cache"), XDG_STATE_HOME=self.path("state"),
                        DBUS_SESSION_BUS_ADDRESS=f"unix:path={self.path('run', 'bus')}",
                        GSETTINGS_BACKEND="memory", GIO_USE_VFS="local", GSK_RENDERER="cairo",
                        GDK_DEBUG="gl-disable", GDK_DISABLE="gl,vulkan", LIBGL_ALWAYS_SOFTWARE="1",
                        XDG_SESSION_TYPE="x11", PYTHONDONTWRITEBYTECODE="1")
        try:
            if screen:
                self._start_screen(size)
            self.start_bus()
        except BaseException:
            self.close()
            raise

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, name, *command, **env):
        part = process.Process(command, self.path(name + ".log"), env={**self.env, **env})
        self.parts[name] = part
        return part

    def stop(self, name):
        part = self.parts.pop(name)
        part.signal(signal.SIGTERM)
        part.wait()

    def kill(self, name):
        self.parts.pop(name).kill()

    def freeze(self, name):
        """It stays on the bus and says nothing any more."""
        self.parts[name].signal(signal.SIGSTOP)

    def close(self):
        """The last one first; what those started goes with them."""
        for name in reversed(list(self.parts)):
            self.parts.pop(name).kill()

    # Parts

    def _start_screen(self, size):
        number = self.path("display")
        with open(number, "wb") as file:
            os.set_inheritable(file.fileno(), True)
            self.parts["Xvfb"] = xvfb = process.Process(
                ["bash", "-c", 'exec Xvfb -displayfd 3 "$@" 3>"$0"', number, "-screen", "0",
                 size + "x24", "-s", "0", "-nolisten", "tcp", "-noreset"],
                self.path("Xvfb.log"), env=self.env)
        process.wait_until("the X server",
                           lambda: os.path.getsize(number) > 0 or not xvfb.running(), 60)
        with open(number, encoding="ascii") as file:
            self.env["DISPLAY"] = ":" + file.read().strip()
        self.start("openbox", "openbox", "--sm-disable")

    def start_bus(self):
        with open(self.path("bus.conf"), "w", encoding="utf-8") as file:
            file.write(BUS.format(run=self.path("run"), services=self.path("services")))
        self.start("dbus-daemon", "dbus-daemon", "--nofork", "--nosyslog",
                   "--config-file=" + self.path("bus.conf"))
        process.wait_until("the session bus", lambda: self.owner_of("org.freedesktop.DBus"), 60)

    def start_accessibility(self):
        self._offer("org.a11y.Bus.service")
        self.start("at-spi", A11Y, "--launch-immediately")
        self.wait_for_name("org.a11y.Bus")

    def start_tray(self):
        """xfce4-panel: its systray is watcher and host in one."""
        self._offer("org.xfce.Xfconf.service")
        folder = self.path("config", "xfce4", "xfconf", "xfce-perchannel-xml")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "xfce4-panel.xml"), "w", encoding="utf-8") as file:
            file.write(PANEL)
        self.start("xfce4-panel", "xfce4-panel", "--disable-wm-check")
        self.wait_for_name("org.kde.StatusNotifierWatcher")

    def start_notifications(self):
        self._offer("org.xfce.Xfconf.service")
        self.start("xfce4-notifyd", find(NOTIFYD))
        self.wait_for_name("org.freedesktop.Notifications")

    def start_portals(self):
        """For notifications, of which start_notifications() shows what comes by them."""
        self._offer("org.freedesktop.impl.portal.PermissionStore.service")
        self.start("portal-gtk", PORTAL + "-gtk")
        self.wait_for_name("org.freedesktop.impl.portal.desktop.gtk")
        self.start("portal", PORTAL, XDG_CURRENT_DESKTOP="GNOME")
        self.wait_for_name("org.freedesktop.portal.Desktop")

    def _offer(self, service):
        shutil.copy(os.path.join(SERVICES, service), self.path("services"))
        self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                  "ReloadConfig")

    # The bus

    def run(self, *command, check=True):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60,
                              check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}{done.stdout}")
        return done.stdout

    def call(self, name, path, interface, method, *arguments):
        return self.run("gdbus", "call", "--session", "-d", name, "-o", path, "-m",
                        f"{interface}.{method}", *arguments)

    def get(self, name, path, interface, what):
        return self.call(name, path, "org.freedesktop.DBus.Properties", "Get", interface, what)

    def owner_of(self, name):
        """Its unique name, "" when nobody owns it."""
        found = re.search(
            "'(.*)'",
            self.run("gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o",
                     "/org/freedesktop/DBus", "-m", "org.freedesktop.DBus.GetNameOwner", name,
                     check=False))
        return found[1] if found else ""

    def wait_for_name(self, name):
        return process.wait_until(name + " on the bus", lambda: self.owner_of(name), 60)

    # What is on the screen

    def tray_items(self):
        """(unique name, path) of each item that the watcher knows."""
        text = self.get("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher",
                        "org.kde.StatusNotifierWatcher", "RegisteredStatusNotifierItems")
        return re.findall(r"'(:[\d.]+)(/\w+)'", text)

    def wait_for_item(self):
        return process.wait_until("an item in the tray", self.tray_items, 60)[0]

    def item(self, what):
        """A property of the only tray item, as gdbus prints it."""
        name, path = self.wait_for_item()
        return self.get(name, path, "org.kde.StatusNotifierItem", what)

    def picture(self, path):
        """Of the whole screen."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.run("import", "-window", "root", path)

    def key(self, *keys):
        self.run("xdotool", "key", *keys)

    def click(self, x, y, button=1):
        self.run("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def look(self, *words):
        """Asks look.py on this desktop."""
        return json.loads(self.run(PYTHON, LOOK, *words))


class WindowStandIn:
    """A `postroom` that writes down how it was started, beside a copy of `postroomd`, which looks
    for its window beside itself."""

    def __init__(self, work):
        folder = os.path.join(work, "bin")
        self.said = os.path.join(work, "window")
        self.daemon = os.path.join(folder, "postroomd")
        os.mkdir(folder)
        shutil.copy(postroom.DAEMON, self.daemon)
        for module in glob.glob(os.path.join(os.path.dirname(postroom.DAEMON), "*.so")):
            os.symlink(module, os.path.join(folder, os.path.basename(module)))
        path = os.path.join(folder, "postroom")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nprintf "%s\\n" "$@" >{self.said}.new\n'
                       f"mv {self.said}.new {self.said}\n")
        os.chmod(path, 0o755)

    def words(self):
        """Its options; None: it was not started."""
        if not os.path.exists(self.said):
            return None
        with open(self.said, encoding="utf-8") as file:
            return file.read().splitlines()

    def forget(self):
        os.unlink(self.said)
