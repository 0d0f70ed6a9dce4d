#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings: what is changed there is what the service does."""

import base64
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import process, suite, window  # noqa: E402
from lib.postroom import Postroom  # noqa: E402
from lib.window import Window  # noqa: E402


SWITCHES = ("toggle button", "switch", "check box")
EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data",
                       "postroom.conf.example")


def keys_of_example():
    """All of them, but for those of users, of whom there is none here."""
    group, keys = None, []
    with open(EXAMPLE, encoding="utf-8") as file:
        for line in file:
            head = re.match(r"#\[(\S+)", line)
            key = re.match(r"#([a-z][a-z0-9-]*)=", line)
            group = head[1].rstrip("]") if head else group
            if key and group != "user":
                keys.append(key[1])
    return keys


class Settings(suite.Suite):

    deadline = 300

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())
        self.relay = self.started(Postroom(self.work, {"wait": {"via": "hold"}}))
        self.shown = self.started(Window(self.relay.home, "--page=settings", work=self.work))

    def config(self):
        with open(self.relay.config_file, encoding="utf-8") as file:
            return file.read()

    def wait_config(self, what, line, there=True):
        process.wait_until(what, lambda: (line + "\n" in self.config()) == there, 60, every=0.2)

    def entry(self, name):
        return self.shown.wait(name, test=lambda node: node.role == "text", anywhere=True)

    def show(self, page):
        """One of its pages, by the tab."""
        self.shown.press(page, anywhere=True)

    def switch(self, name):
        return self.shown.wait(name, test=lambda node: node.role in SWITCHES, anywhere=True)

    def test_a_text_is_in_force_and_undone(self):
        self.show("All Settings")
        entry = self.entry("max-recipients")
        self.assertEqual(entry.text, "1000")
        entry.type("7")
        self.shown.press("Apply", anywhere=True)
        self.wait_config("the new number", "max-recipients=7")
        client = self.relay.connect()
        client.ehlo()
        self.assertIn("RCPTMAX=7", client.features["LIMITS"])
        self.shown.press("Undo", anywhere=True)
        self.wait_config("the old number", "max-recipients=7", there=False)

    def test_a_fault_is_told_and_nothing_done(self):
        self.show("All Settings")
        before = self.config()
        self.entry("max-recipients").type("many")
        self.shown.wait(test=lambda node: "number" in node.name and node.role == "label",
                        anywhere=True)
        self.assertEqual(self.config(), before)

    def test_a_notification_is_switched_off(self):
        self.assertTrue(self.switch("Full Disk").has("checked"))
        self.switch("Full Disk").press()
        self.wait_config("the list without it",
                         "notify=sign-in;failures;routes;devices;certificates")
        self.shown.press("Undo", anywhere=True)
        self.wait_config("the default", "notify=sign-in;failures;routes;devices;certificates",
                         there=False)
        process.wait_until("the switch to follow", lambda: self.switch("Full Disk").has("checked"),
                           60, every=0.2)

    def test_history_is_kept_as_long_as_said(self):
        self.show("Storage")
        self.assertEqual(self.entry("Keep the History For").text, "30d")
        self.entry("Keep the History For").type("7d")
        self.shown.press("Apply", anywhere=True)
        self.wait_config("the new time", "keep=7d")
        self.shown.wait("Free Space", anywhere=True)

    def test_listeners_come_and_go(self):
        shown = self.shown
        self.show("Receiving")
        shown.wait("127.0.0.1", anywhere=True)
        self.entry("Name of a New Listener").type("office")
        shown.press("Add", anywhere=True)
        self.wait_config("the listener", "[listener office]")
        shown.press("Change office", anywhere=True)
        self.entry("Name of This Listener").type("desk")
        shown.press("Rename", anywhere=True)
        self.wait_config("the new name", "[listener desk]")
        shown.press("Change desk", anywhere=True)
        shown.press("Remove This Listener", anywhere=True)
        self.wait_config("the listener to go", "[listener desk]", there=False)
        shown.press("Undo", anywhere=True)
        self.wait_config("it to come back", "[listener desk]")

    def signs_in(self, user, password):
        client = self.relay.connect()
        client.ehlo()
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return client.command("AUTH PLAIN " + token).code == 235

    def test_a_device_gets_a_password_that_works(self):
        shown = self.shown
        self.show("Devices")
        self.entry("Name of a New Person or Device").type("printer")
        shown.press("Add", anywhere=True)
        shown.wait("Copy the Password", anywhere=True)
        password = shown.wait(role="label", anywhere=True,
                              test=lambda node: re.fullmatch("[a-z2-9]{16}", node.name)).name
        self.assertTrue(self.signs_in("printer", password))
        self.assertFalse(self.signs_in("printer", "another"))
        self.assertNotIn(password, self.config())

    def test_a_network_is_allowed_and_a_fault_told(self):
        shown = self.shown
        self.show("Devices")
        self.entry("Address or Network, Such as 192.168.1.0/24").type("10.7.0.0/16")
        shown.press("Allow", anywhere=True)
        self.wait_config("the network", "relay-networks=127.0.0.0/8;::1/128;10.7.0.0/16")
        shown.press("Remove 10.7.0.0/16", anywhere=True)
        self.wait_config("the list without it", "relay-networks=127.0.0.0/8;::1/128")
        before = self.config()
        self.entry("Address or Network, Such as 192.168.1.0/24").type("my network")
        shown.press("Allow", anywhere=True)
        shown.wait(test=lambda node: "my network" in node.name and node.role == "label",
                   anywhere=True)
        self.assertEqual(self.config(), before)

    def add_routes(self):
        self.relay.merge({
            "route one": {
                "recipients": "*@one.test",
                "via": "hold"
            },
            "route two": {
                "recipients": "*",
                "via": "discard"
            }
        })
        self.relay.reload()

    def test_routes_change_places_and_are_explained(self):
        shown = self.shown
        self.add_routes()
        self.show("Sending")
        shown.press("Move two Up", anywhere=True)
        process.wait_until(
            "the new order",
            lambda: 0 < self.config().find("[route two]") < self.config().find("[route one]"), 60,
            every=0.2)
        self.entry("From, such as scanner@office.example").type("a@here.test")
        self.entry("To, such as boss@example.org").type("b@one.test")
        shown.press("Tell", anywhere=True)
        shown.wait(role="label", anywhere=True,
                   test=lambda node: "Takes the route “wait”" in node.name)

    def test_a_provider_becomes_a_route(self):
        shown = self.shown
        self.show("Sending")
        shown.press("Add a Mail Provider…", anywhere=True)
        self.entry("Name, Domain or Your Mail Address").type("me@posteo.de")
        shown.press("Choose Posteo", anywhere=True)
        shown.press("Add This Provider", anywhere=True)
        self.wait_config("the route", "[route posteo]")
        self.assertIn("provider=posteo\nusername=me@posteo.de\n", self.config())

    def test_every_key_is_there(self):
        self.show("All Settings")
        self.entry("max-recipients")
        names = {node.name for top in self.shown.windows() for node in top.walk()}
        self.assertGreater(len(keys_of_example()), 30)
        self.assertEqual([key for key in keys_of_example() if key not in names], [])


if __name__ == "__main__":
    suite.main()
