#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tray item, in the tray of a real panel."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lib import desktop, postroom, process, suite

MENU = [
    "Open Postroom", "Pause Receiving", "Pause Sending", "Try All Now", "Settings", "Quit"
]


class Tray(suite.Suite):

    def setUp(self):
        super().setUp()
        self.require(not desktop.missing(), "needs the Debian packages " + desktop.missing())

    def begin(self, tray=True, routes=None, **keys):
        desk = self.started(desktop.Desktop(self.work))
        if tray:
            desk.start_tray()
        service = self.started(
            postroom.Postroom(self.work, routes or {"later": {"via": "hold"}}, env=desk.env,
                              **keys))
        return desk, service

    def wait_item(self, desk, what, text):
        return self.wait(f"{what} of the item to say {text!r}", lambda: text in desk.item(what), 60)

    def choose(self, desk, label, picture=None):
        """Opens the menu at the icon and takes the item of this name by the keyboard."""
        icon = self.find_icon(desk)
        before = self.windows(desk)
        desk.click(*icon, button=3)
        menu = self.wait("the menu on the screen", lambda: self.windows(desk) - before, 60)
        if picture:
            desk.picture(os.path.join(suite.LOGS, picture))
        desk.key(*["Down"] * (MENU.index(label) + 1), "Return")
        self.wait("the menu to close", lambda: not menu & self.windows(desk), 60)

    def windows(self, desk):
        return set(
            desk.run("xdotool", "search", "--onlyvisible", "--name", ".*", check=False).split())

    def find_icon(self, desk):
        """Where it is drawn: the systray is the plug-in at the right end of the panel."""
        desk.wait_for_item()
        return self.wait("the icon in the panel", lambda: self.right_end(desk), 60)

    def right_end(self, desk):
        found = desk.run("xdotool", "search", "--onlyvisible", "--class", "wrapper", check=False)
        for window in found.split():
            shape = dict(
                re.findall(r"(\w+)=(-?\d+)",
                           desk.run("xdotool", "getwindowgeometry", "--shell", window,
                                    check=False)))
            if int(shape.get("WIDTH", 0)) > 1:
                return (int(shape["X"]) + int(shape["WIDTH"]) // 2,
                        int(shape["Y"]) + int(shape["HEIGHT"]) // 2)
        return None

    def paused(self, service, what):
        return service.ctl_json("status")[what + "-paused"]

    def test_shown_and_told(self):
        desk, service = self.begin()
        self.wait_item(desk, "Title", "Postroom")
        self.wait_item(desk, "IconName", "Postroom-idle-symbolic")
        self.wait_item(desk, "ToolTip", "All is sent")
        self.wait_item(desk, "IconPixmap", "(22, 22, ")
        service.send("Subject: one\r\n\r\n.\r\n")
        self.wait_item(desk, "ToolTip", "All is sent but what is held")
        self.wait_item(desk, "IconName", "Postroom-active-symbolic")
        self.wait_item(desk, "IconName", "Postroom-idle-symbolic")

    def test_menu_pauses_and_tells_back(self):
        desk, service = self.begin()
        self.choose(desk, "Pause Sending")
        self.wait("sending to pause", lambda: self.paused(service, "sending"), 60)
        self.wait_item(desk, "IconName", "Postroom-paused-symbolic")
        self.wait_item(desk, "ToolTip", "Sending is paused")
        self.choose(desk, "Pause Receiving", picture="tray-menu.png")
        self.wait("receiving to pause", lambda: self.paused(service, "receiving"), 60)
        self.choose(desk, "Pause Sending")
        self.wait("sending to go on", lambda: not self.paused(service, "sending"), 60)
        self.assertTrue(self.paused(service, "receiving"))

    def test_menu_tries_all(self):
        stopped = f"127.0.0.1:{process.free_port()}"
        desk, service = self.begin(routes={"out": postroom.smarthost(stopped)},
                                   config={"retry": {"schedule": "1h"}})
        service.send("Subject: one\r\n\r\n.\r\n")
        tried = lambda: service.queue()[0]["recipients"][0]["attempts"]
        self.wait("a first try", lambda: tried() == 1, 60)
        self.choose(desk, "Try All Now")
        self.wait("another try", lambda: tried() > 1, 60)

    def test_menu_quits(self):
        desk, service = self.begin()
        self.choose(desk, "Quit")
        self.assertEqual(service.process.wait(60), 0)
        service.process = None
        self.wait("the item to go", lambda: not desk.tray_items(), 60)

    def test_menu_opens_the_window(self):
        window = desktop.WindowStandIn(self.work)
        desk, service = self.begin(daemon=window.daemon)
        desk.click(*self.find_icon(desk))
        self.assertEqual(self.wait("the window", window.words, 60), ["--home=" + service.home])
        window.forget()
        self.choose(desk, "Settings")
        self.assertEqual(self.wait("the settings", window.words, 60),
                         ["--home=" + service.home, "--page=settings"])

    def test_host_comes_goes_and_comes(self):
        desk, service = self.begin(tray=False)
        service.send("Subject: nobody looks\r\n\r\n.\r\n")
        for _ in range(2):
            desk.start_tray()
            self.wait_item(desk, "ToolTip", "All is sent but what is held")
            desk.kill("xfce4-panel")
            self.wait("the tray to go",
                      lambda: not desk.owner_of("org.kde.StatusNotifierWatcher"), 60)
        self.assertEqual(len(service.queue()), 1)

    def test_no_bus_and_a_bus_that_ends(self):
        desk, service = self.begin()
        desk.wait_for_item()
        desk.kill("dbus-daemon")
        service.send("Subject: still here\r\n\r\n.\r\n")
        self.assertEqual(len(service.queue()), 1)
        service.restart()
        self.assertEqual(len(service.queue()), 1)

    def test_switched_off_and_on(self):
        desk, service = self.begin()
        desk.wait_for_item()
        service.merge({"desktop": {"tray": "false"}})
        service.reload()
        self.wait("the item to go", lambda: not desk.tray_items(), 60)
        service.merge({"desktop": {"tray": "true"}})
        service.reload()
        self.wait_item(desk, "IconName", "Postroom-idle-symbolic")

    def test_hostile_calls(self):
        """Whatever is asked, it answers and lives."""
        desk, service = self.begin()
        name, path = desk.wait_for_item()
        menu = path + "/Menu"
        call = lambda *words: desk.run("gdbus", "call", "--session", "-d", name, "-o", menu, "-m",
                                       *words, check=False)
        call("com.canonical.dbusmenu.GetLayout", "99", "@i -1", "[]")
        call("com.canonical.dbusmenu.GetProperty", "@i -5", "label")
        self.assertIn("[]", call("com.canonical.dbusmenu.GetGroupProperties", "[77, -1]", "[]"))
        self.assertIn("[99]", call("com.canonical.dbusmenu.EventGroup",
                                   "[(99, 'clicked', <0>, uint32 0), (2, 'clicked', <0>, 0)]"))
        self.assertIn("Quit", call("com.canonical.dbusmenu.GetGroupProperties", "[]", "[]"))
        self.assertIn("separator", call("com.canonical.dbusmenu.GetLayout", "0", "@i -1", "[]"))
        self.assertFalse(self.paused(service, "sending"))


if __name__ == "__main__":
    suite.main()
