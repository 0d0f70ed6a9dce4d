#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The overview: what was sent is counted, who sent it is named, and what waits for a person can be
done from there."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import process, suite, window  # noqa: E402
from lib.postroom import Postroom, smarthost  # noqa: E402
from lib.window import Window  # noqa: E402

HOLD = {"wait": {"via": "hold"}}


class Overview(suite.Suite):

    deadline = 300

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())

    def opened(self, relay):
        return self.started(Window(relay.home, "--page=overview", work=self.work))

    def read(self, relay):
        with open(relay.config_file, encoding="utf-8") as file:
            return file.read()

    def test_counts_and_walks(self):
        relay = self.started(Postroom(self.work, HOLD))
        shown = self.opened(relay)
        shown.wait("No Device Yet")
        shown.wait("wait")
        relay.send("From: a@here.test\r\n\r\nHello.\r\n", to="b@there.test")
        graph = lambda words: lambda node: node.role == "image" and words in node.name  # noqa: E731
        shown.wait(test=graph("received 1,"))
        shown.wait("Received 1")
        shown.wait("127.0.0.1")
        for _ in range(20):
            if shown.find(test=lambda node: graph("")(node) and node.has("focused")):
                break
            shown.key("Tab")
        shown.key("Home")
        shown.wait(test=graph("received 0,"))
        shown.key("End")
        shown.wait(test=graph("received 1,"))

    def test_first_use_leads_to_a_route(self):
        relay = self.started(Postroom(self.work))
        shown = self.opened(relay)
        shown.wait("No Route for Mail Yet")
        process.wait_until("the assistant", lambda: shown.is_on_screen("Set Up Sending"),
                           window.LIMIT)
        shown.wait("Search Providers", "entry", anywhere=True).focus()
        shown.desktop.key("Escape")
        process.wait_until("its end", lambda: not shown.is_on_screen("Set Up Sending"),
                           window.LIMIT)
        shown.press("Set Up…")
        process.wait_until("the assistant", lambda: shown.is_on_screen("Set Up Sending"),
                           window.LIMIT)

    def test_refused_device_is_allowed_and_taken_back(self):
        relay = self.started(Postroom(self.work, HOLD, {"access": {"relay-networks": ""}}))
        shown = self.opened(relay)
        client = relay.connect()
        client.ehlo()
        client.command("MAIL FROM:<a@here.test>")
        self.assertEqual(client.command("RCPT TO:<b@there.test>").code, 550)
        shown.wait("127.0.0.1 may not send mail")
        shown.press("Allow")
        shown.wait_gone("127.0.0.1 may not send mail")
        self.assertIn("relay-networks=127.0.0.1\n", self.read(relay))
        shown.press("Undo")
        process.wait_until("it to be taken back",
                           lambda: "relay-networks=127.0.0.1\n" not in self.read(relay), 60)

    def test_failing_route(self):
        nowhere = f"127.0.0.1:{process.free_port()}"
        relay = self.started(
            Postroom(self.work, {"away": smarthost(nowhere)}, {"desktop": {"notify-after": "1s"}}))
        shown = self.opened(relay)
        relay.ctl("test-mail", "--to=you@example.org")
        shown.wait(test=lambda node: node.name.endswith("cannot be reached"))
        shown.wait(test=lambda node: node.name.startswith("Waits and is tried again by itself"))
        shown.press("Try Again")
        shown.press("Show")
        shown.wait("you@example.org")


if __name__ == "__main__":
    suite.main()
