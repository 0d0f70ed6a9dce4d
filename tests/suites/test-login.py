#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting at login: the file, the unit and the portal, and what is answered."""

import configparser
import glob
import json
import os
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lib import desktop, postroom, process, suite

LIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
ASK = os.path.join(LIB, "ask.py")
STAND_IN = os.path.join(LIB, "standin.py")
FLATPAK = {"FLATPAK_ID": "io.github.postroom.Postroom"}


class Login(suite.Suite):

    def setUp(self):
        super().setUp()
        self.require(not desktop.missing(), "needs the Debian packages " + desktop.missing())
        self.desk = self.started(desktop.Desktop(self.work, screen=False))
        self.noted_file = os.path.join(self.work, "notes")

    def stand_in(self, kind, name, *words):
        self.desk.start(kind, desktop.PYTHON, STAND_IN, kind, self.noted_file, *words)
        self.desk.wait_for_name(name)

    def noted(self):
        if not os.path.exists(self.noted_file):
            return []
        with open(self.noted_file, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def begin(self, **env):
        return self.started(
            postroom.Postroom(self.work, {"later": {"via": "hold"}}, env={**self.desk.env, **env}))

    def ask(self, socket, *words):
        return json.loads(self.desk.run(desktop.PYTHON, ASK, socket, *words))

    def set(self, socket, start):
        return self.ask(socket, "start", "true" if start else "false")

    def wait_start(self, socket, start):
        self.wait(f"StartAtLogin to be {start}", lambda: self.ask(socket, "starts") == [start], 60)

    def files(self):
        return glob.glob(self.desk.path("config", "autostart", "*"))

    def test_file(self):
        service = self.begin()
        socket = os.path.join(service.home, "control")
        self.wait_start(socket, False)
        self.assertEqual(self.set(socket, True), [True, ""])
        self.wait_start(socket, True)
        entry = configparser.RawConfigParser()
        entry.optionxform = str
        entry.read(self.files())
        self.assertEqual(shlex.split(entry["Desktop Entry"]["Exec"]),
                         [os.path.realpath(postroom.DAEMON), "--home=" + service.home])
        service.restart()
        self.wait_start(socket, True)
        self.assertEqual(self.set(socket, False), [False, ""])
        self.assertEqual(self.set(socket, False), [False, ""])
        self.assertEqual(self.files(), [])

    def test_file_that_cannot_be_written(self):
        with open(self.desk.path("config", "autostart"), "w", encoding="utf-8"):
            pass  # a file where the folder should be
        service = self.begin()
        starts, why = self.set(os.path.join(service.home, "control"), True)
        self.assertFalse(starts)
        self.assertTrue(why)

    def usual_home(self):
        """A service without --home."""
        port = process.free_port()
        folder = self.desk.path("config", "postroom")
        os.makedirs(folder, mode=0o700)
        with open(os.path.join(folder, "postroom.conf"), "w", encoding="utf-8") as file:
            file.write(f"[listener main]\nlisten=127.0.0.1:{port}\ntls=off\n")
        self.desk.start("postroomd", postroom.DAEMON)
        self.wait("postroomd to greet",
                  lambda: process.banner(("127.0.0.1", port)).startswith(b"220"), 60)
        found = self.desk.path("run", "postroom", "control")
        self.assertTrue(os.path.exists(found), found)
        return found

    def test_unit(self):
        self.stand_in("systemd", "org.freedesktop.systemd1")
        socket = self.usual_home()
        self.wait_start(socket, False)
        self.assertEqual(self.set(socket, True), [True, ""])
        self.wait("the manager to read it", lambda: ["reload"] in self.noted(), 60)
        self.assertEqual(self.noted()[0], ["enable", ["postroom.service"]])
        self.assertEqual(self.files(), [])
        self.desk.stop("postroomd")
        os.rename(self.desk.path("config", "postroom"), self.desk.path("config", "before"))
        socket = self.usual_home()
        self.wait_start(socket, True)
        self.assertEqual(self.set(socket, False), [False, ""])
        self.assertEqual(self.noted()[-1], ["disable", ["postroom.service"]])

    def test_no_unit(self):
        socket = self.usual_home()
        self.assertEqual(self.set(socket, True), [True, ""])
        self.assertEqual([os.path.basename(path) for path in self.files()],
                         ["io.github.postroom.Postroom.Service.desktop"])

    def test_portal_allows(self):
        self.stand_in("portal", "org.freedesktop.portal.Desktop", "yes")
        service = self.begin(**FLATPAK)
        socket = os.path.join(service.home, "control")
        self.wait("the status line", lambda: ["status", "All is sent"] in self.noted(), 60)
        self.assertEqual(self.set(socket, True), [True, ""])
        self.wait_start(socket, True)
        self.assertIn(["ask", True, ["postroomd"]], self.noted())
        self.assertEqual(self.set(socket, False), [False, ""])
        self.assertEqual(self.files(), [])

    def test_portal_refuses(self):
        self.stand_in("portal", "org.freedesktop.portal.Desktop", "no")
        service = self.begin(**FLATPAK)
        socket = os.path.join(service.home, "control")
        self.wait("the status line", self.noted, 60)
        starts, why = self.set(socket, True)
        self.assertFalse(starts)
        self.assertIn("The desktop did not allow it", why)
        self.wait_start(socket, False)

    def test_portal_missing(self):
        service = self.begin(**FLATPAK)
        starts, why = self.set(os.path.join(service.home, "control"), True)
        self.assertFalse(starts)
        self.assertTrue(why)

    def test_portal_that_never_answers(self):
        """The session ends while the person is asked."""
        self.stand_in("portal", "org.freedesktop.portal.Desktop", "never")
        service = self.begin(**FLATPAK)
        socket = os.path.join(service.home, "control")
        self.wait("the status line", self.noted, 60)
        call = self.desk.start("asking", desktop.PYTHON, ASK, socket, "start", "true")
        self.wait("the question", lambda: self.noted()[-1][0] == "ask", 60)
        self.assertIn("being asked already", self.set(socket, True)[1])
        self.desk.kill("dbus-daemon")
        call.wait(60)
        self.assertIn("The desktop session ended", call.log())


if __name__ == "__main__":
    suite.main()
