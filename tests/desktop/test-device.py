#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connecting a device: what is to be typed is right, and the light tells how it goes."""

import os
import smtplib
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import process, suite, window  # noqa: E402
from lib.postroom import Postroom  # noqa: E402
from lib.window import Window  # noqa: E402

LINES = ("Server", "Server, if it asks for numbers", "Port", "Encryption", "User name", "Password")


class Device(suite.Suite):

    deadline = 300

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())
        self.relay = self.started(
            Postroom(self.work, {"wait": {"via": "hold"}},
                     {"listener main": {"tls": "starttls"}}))
        self.shown = self.started(Window(self.relay.home, work=self.work))

    def config(self):
        with open(self.relay.config_file, encoding="utf-8") as file:
            return file.read()

    def read(self, title):
        """What stands below TITLE."""
        row = self.shown.wait(title, "list item", anywhere=True)
        return [node.name for node in row.walk() if node.role == "label"][1]

    def sign_in(self, user, password):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", int(self.read("Port")), timeout=60) as smtp:
            smtp.starttls(context=context)
            smtp.login(user, password)

    def test_light_turns_green(self):
        self.shown.wait("Main Menu")
        self.shown.key("ctrl+d")
        self.shown.press("Show What to Type", anywhere=True)
        self.shown.wait("Password", "list item", anywhere=True)
        self.assertIn("[user printer]", self.config())
        self.assertNotIn("127.0.0.1", self.config())
        self.assertEqual(self.read("Server"), "relay.here.test")
        self.assertEqual(self.read("User name"), "printer")
        self.assertIn("STARTTLS", self.read("Encryption"))
        password = self.read("Password")
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.sign_in("printer", "wrong")
        self.shown.wait("A Device Could Not Sign In", anywhere=True)
        self.sign_in("printer", password)
        self.shown.wait("The Device Is Connected", anywhere=True)


if __name__ == "__main__":
    suite.main()
