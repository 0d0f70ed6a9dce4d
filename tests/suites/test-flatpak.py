#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postroom as a flatpak, truly built, installed and started: window, service and command line in
sandboxes of their own, mail that comes from outside and leaves again."""

import configparser
import os
import re
import shutil
import smtplib
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lib import desktop, flatpak, mail, nexthop, process, suite

PROGRAMS = (*desktop.NEEDS, *desktop.PORTALS)
FAILED = "could not be delivered"

_installed = []


class Flatpak(suite.Suite):

    deadline = 1700  # the first one makes the runtime and builds

    def setUp(self):
        super().setUp()
        self.require(not flatpak.missing(), flatpak.missing())
        self.require(not desktop.missing(PROGRAMS),
                     "needs the Debian packages " + desktop.missing(PROGRAMS))
        if not _installed:
            flatpak.install()
            _installed.append(True)
        self.hop = self.started(nexthop.NextHop())
        self.desk = self.started(desktop.Desktop(self.work))
        self.app = self.started(flatpak.Application(self.desk))
        self.port = process.free_port()

    def configure(self, **route):
        route = {"recipients": "*", "via": "smarthost", "hosts": self.hop.address, "tls": "off",
                 **route}  # yapf: disable
        config = configparser.ConfigParser(interpolation=None)
        config.read_dict({"server": {"hostname": "relay.here.test"},
                          "listener main": {"listen": f"127.0.0.1:{self.port}", "tls": "off"},
                          "route out": route, "retry": {"schedule": "1s"}})  # yapf: disable
        os.makedirs(os.path.dirname(self.app.config_file), exist_ok=True)
        with open(self.app.config_file, "w", encoding="utf-8") as file:
            config.write(file, space_around_delimiters=False)

    def send(self, text, sender="sender@here.test", to="alice@there.test"):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.sendmail(sender, [to], text)

    def wait_service(self):
        self.wait("the service to greet",
                  lambda: process.banner(("127.0.0.1", self.port)).startswith(b"220"))
        return self.app.ask("status")

    def windows(self):
        return self.desk.run("xdotool", "search", "--onlyvisible", "--name", "^Postroom$",
                             check=False).split()

    def wait_window(self):
        return self.wait("the window", self.windows)[0]

    def close_window(self):
        """As a person does it, who presses Alt+F4."""
        self.desk.run("xdotool", "windowactivate", "--sync", self.wait_window())
        self.desk.key("alt+F4")
        self.wait("the window to close", lambda: not self.windows())

    def shown(self):
        return [name for name, _ in self.desk.look("list")]

    # What it may do, and what of it the system outside sees

    def test_permissions_are_few(self):
        said = configparser.ConfigParser()
        said.optionxform = str
        said.read_string(self.desk.run("flatpak", "info", "--show-permissions", flatpak.ID))
        self.assertEqual({name: dict(said[name]) for name in said if said[name]}, {
            "Context": {"shared": "network;ipc;", "sockets": "x11;wayland;fallback-x11;"},
            "Session Bus Policy": {"org.kde.StatusNotifierWatcher": "talk"},
        })  # yapf: disable

    def test_outside_is_not_seen(self):
        with open(self.desk.path("home", "secret"), "w", encoding="ascii") as file:
            file.write("nobody's business")
        for path in (self.desk.path("home", "secret"), "/etc/shadow",
                     os.path.join(suite.SOURCES, "README.md")):
            code, _, error = self.app.run(path, command="ls")
            self.assertEqual(code, 2, path)
            self.assertIn("No such file", error)

    def test_what_is_exported(self):
        exports = os.path.join(flatpak.USER, "exports", "share")
        icons = "icons/hicolor/symbolic/apps/" + flatpak.ID
        for path in (f"applications/{flatpak.ID}.desktop", f"dbus-1/services/{flatpak.ID}.service",
                     f"icons/hicolor/scalable/apps/{flatpak.ID}.svg",
                     *(f"{icons}{state}-symbolic.svg"
                       for state in ("", "-idle", "-active", "-paused", "-attention"))):
            self.assertTrue(os.path.exists(os.path.join(exports, path)), path)

    def test_pins(self):
        """Whatever is fetched is named by version and checksum, and the runtime is GNOME's."""
        published = flatpak.manifest()
        self.assertEqual(published["runtime"], "org.gnome.Platform")
        for module in published["modules"][:-1]:
            only, = module["sources"]
            self.assertRegex(only["sha256"], r"^[0-9a-f]{64}$")
            self.assertRegex(only["url"], rf"^https://.*/{module['name']}-[\d.]+\.tar\.[gx]z$")

    # Mail

    def test_service_outlives_the_window(self):
        self.configure()
        self.app.start()
        self.wait_window()
        before = self.wait_service()
        text = mail.message(mail.unique_id())
        self.send(text)
        self.wait("the mail at the next hop", self.hop.taken)
        self.assertTrue(self.hop.taken()[0].text.endswith(text))
        self.close_window()
        self.send(mail.message(mail.unique_id()))
        self.wait("another mail at the next hop", lambda: len(self.hop.taken()) == 2)
        after = self.app.ask("status")
        self.assertEqual(after["started"], before["started"])

    def test_several_starts_share_one_service(self):
        self.configure()
        self.app.start()
        self.wait_window()
        before = self.wait_service()
        again = self.app.start()
        self.assertEqual(again.wait(), 0)  # it only shows the window that is there
        self.assertEqual(len(self.windows()), 1)
        self.assertEqual(self.app.run(command="postroomd")[0], 75)
        self.close_window()
        self.app.start()
        self.wait_window()
        self.assertEqual(self.app.ask("status")["started"], before["started"])

    def test_restart_keeps_the_queue(self):
        self.hop.on("mail", "451 4.3.0 later")
        self.configure()
        self.app.start(command="postroomd")
        self.wait_service()
        text = mail.message(mail.unique_id())
        self.send(text)
        self.app.kill()
        self.wait("every sandbox to end", lambda: not self.app.instances())
        self.assertIsNone(self.app.ask("status"))
        self.hop.clear()
        self.app.start(command="postroomd")
        self.wait_service()
        self.wait("the mail at the next hop", self.hop.taken)
        self.assertTrue(self.hop.taken()[0].text.endswith(text))

    # The desktop

    def test_tray_opens_the_window(self):
        self.offer_application()
        self.desk.start_tray()
        self.configure(via="hold")
        self.app.start(command="postroomd")
        self.wait_service()
        name, path = self.desk.wait_for_item()
        self.assertIn("Postroom", self.desk.item("Title"))
        self.assertIn(flatpak.ID + "-idle-symbolic", self.desk.item("IconName"))
        self.desk.call(name, path, "org.kde.StatusNotifierItem", "Activate", "1", "1")
        self.wait_window()

    def offer_application(self):
        """The bus starts the window, as it does where the flatpak is installed for a person."""
        service = f"{flatpak.ID}.service"
        shutil.copy(os.path.join(flatpak.USER, "exports", "share", "dbus-1", "services", service),
                    self.desk.path("services"))
        self.desk.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                       "ReloadConfig")

    def test_notification_by_the_portal(self):
        self.desk.start_accessibility()
        self.desk.start_notifications()
        self.desk.start_portals()
        self.hop.on("rcpt", "550 5.1.1 nobody")
        self.configure()
        self.app.start(command="postroomd")
        self.wait_service()
        self.send("Subject: one\r\n\r\n.\r\n", sender="")
        self.wait("the notification", lambda: any(FAILED in name for name in self.shown()))
        self.hop.clear()
        self.wait("its button", lambda: self.desk.look("press", "Try Again"))
        self.wait("the mail at the next hop", self.hop.taken)


if __name__ == "__main__":
    suite.main()
