#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications, on a real daemon, their buttons pressed as a screen reader presses them."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lib import desktop, nexthop, postroom, suite

HOSTILE = '<b>bold</b> & <a href="http://evil.test">click</a>'
MAIL = "Subject: one\r\n\r\n.\r\n"
FAILED = "could not be delivered"
# Nobody is told of what has no sender, so it is kept.
NOBODY = {"sender": ""}


class Notify(suite.Suite):

    def setUp(self):
        super().setUp()
        self.require(not desktop.missing(), "needs the Debian packages " + desktop.missing())
        self.hop = self.started(nexthop.NextHop())

    def begin(self, notifications=True, route=None, **keys):
        desk = self.started(desktop.Desktop(self.work))
        desk.start_accessibility()
        if notifications:
            desk.start_notifications()
        service = self.started(
            postroom.Postroom(self.work, {"out": postroom.smarthost(self.hop, **(route or {}))},
                              env=desk.env, **keys))
        return desk, service

    def shown(self, desk):
        return [name for name, _ in desk.look("list")]

    def wait_shown(self, desk, text, gone=False):
        return self.wait(f"{text!r} to {'leave' if gone else 'come to'} the screen",
                         lambda: any(text in name for name in self.shown(desk)) != gone, 60)

    def press(self, desk, button):
        self.wait(f"the button {button!r}", lambda: desk.look("press", button), 60)

    def keep_picture(self, desk, name):
        os.makedirs(suite.LOGS, exist_ok=True)
        desk.picture(os.path.join(suite.LOGS, name))

    def test_storm_is_one_and_can_be_tried_again(self):
        desk, service = self.begin()
        self.hop.on("rcpt", "550 5.1.1 " + HOSTILE)
        for mail in range(10):
            service.send(MAIL, to=[f"u{mail}-{i}@there.test" for i in range(50)], **NOBODY)
        self.wait_shown(desk, "500 mails " + FAILED)
        self.wait_shown(desk, HOSTILE)  # as it is, not as markup
        self.keep_picture(desk, "notify-storm.png")
        self.assertEqual(sum(FAILED in name for name in self.shown(desk)), 1)
        self.hop.clear()
        self.hop.rules = []
        self.press(desk, "Try Again")
        service.wait_empty(60)
        self.assertEqual(sum(len(mail.recipients) for mail in self.hop.taken()), 500)
        self.wait_shown(desk, FAILED, gone=True)

    def test_failure_that_its_sender_knows(self):
        desk, service = self.begin()
        self.hop.on("rcpt", "550 5.1.1 nobody", match="bob")
        service.send(MAIL, to="bob@there.test")
        self.wait_shown(desk, "1 mail " + FAILED)
        self.assertNotIn("Try Again", self.shown(desk))
        self.assertIn("Show", self.shown(desk))

    def test_refused_device_is_allowed(self):
        desk, service = self.begin(config={"access": {"relay-networks": "10.9.9.9"}})
        with self.assertRaises(Exception):
            service.send(MAIL)
        self.wait_shown(desk, "127.0.0.1 may not send mail")
        self.keep_picture(desk, "notify-device.png")
        self.press(desk, "Allow")
        self.wait("the address to be in the file",
                  lambda: "relay-networks=10.9.9.9;127.0.0.1\n" in self.read(service), 60)
        self.wait("mail to be taken", lambda: self.is_taken(service), 60)
        self.wait_shown(desk, "may not send mail", gone=True)

    def read(self, service):
        with open(service.config_file, encoding="utf-8") as file:
            return file.read()

    def is_taken(self, service):
        try:
            service.send(MAIL)
            return True
        except OSError:  # smtplib's errors are of this kind
            return False

    def test_sign_in_needed_and_done(self):
        route = {"username": "me@here.test"}
        desk, service = self.begin(route=route)
        service.send(MAIL)
        self.wait_shown(desk, "Sign in to “out” again")
        self.keep_picture(desk, "notify-sign-in.png")
        service.ctl("route", "password", "out", stdin="secret\n")
        self.wait_shown(desk, "Sign in to", gone=True)

    def test_button_opens_the_window(self):
        window = desktop.WindowStandIn(self.work)
        desk, service = self.begin(route={"username": "me@here.test"}, daemon=window.daemon)
        service.send(MAIL)
        self.wait_shown(desk, "Sign in to “out” again")
        self.press(desk, "Sign In")
        self.assertEqual(self.wait("the window", window.words, 60),
                         ["--home=" + service.home, "--page=sign-in", "--item=out"])

    def test_attention_in_the_tray(self):
        desk, service = self.begin(route={"username": "me@here.test"}, notifications=False)
        desk.start_tray()
        service.send(MAIL)
        self.wait("the item to ask for attention",
                  lambda: "NeedsAttention" in desk.item("Status"), 60)
        self.assertIn("attention", desk.item("IconName"))
        service.ctl("route", "password", "out", stdin="secret\n")
        self.wait("the item to be content", lambda: "Active" in desk.item("Status"), 60)

    def test_no_daemon(self):
        """Nothing is shown, nothing is lost, nothing waits."""
        desk, service = self.begin(notifications=False)
        self.hop.on("rcpt", "550 5.1.1 no", match="bob")
        service.send(MAIL, to="bob@there.test", **NOBODY)
        self.wait("the failure", lambda: service.ctl_json("status")["failed"] == 1, 60)
        service.send(MAIL, to="alice@there.test")
        self.wait("mail to pass", lambda: len(self.hop.taken()) == 1, 60)
        desk.start_notifications()
        service.send(MAIL, to="bob@there.test", **NOBODY)
        self.wait_shown(desk, "2 mails " + FAILED)

    def test_daemon_that_hangs(self):
        """Mail passes while the daemon says nothing, and the service stops in time."""
        desk, service = self.begin()
        desk.freeze("xfce4-notifyd")
        self.hop.on("rcpt", "550 5.1.1 no", match="bob")
        service.send(MAIL, to="bob@there.test", **NOBODY)
        self.wait("the failure", lambda: service.ctl_json("status")["failed"] == 1, 60)
        for _ in range(5):
            service.send(MAIL, to="alice@there.test")
        self.wait("mail to pass", lambda: len(self.hop.taken()) == 5, 60)

    def test_kind_switched_off(self):
        desk, service = self.begin(config={"desktop": {"notify": "routes"}})
        self.hop.on("rcpt", "550 5.1.1 no")
        service.send(MAIL, **NOBODY)
        self.wait("the failure", lambda: service.ctl_json("status")["failed"] == 1, 60)
        service.merge({"desktop": {"notify": "routes;failures"}})
        self.assertFalse(any(FAILED in name for name in self.shown(desk)))
        service.reload()
        self.wait_shown(desk, FAILED)


if __name__ == "__main__":
    suite.main()
