#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log: what happens is shown as it happens, is found, copied, and saved for somebody who
helps."""

import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import suite, window  # noqa: E402
from lib.postroom import Postroom  # noqa: E402
from lib.window import Window  # noqa: E402


class Log(suite.Suite):

    deadline = 300

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())
        self.relay = self.started(Postroom(self.work, {"wait": {"via": "hold"}}))
        self.shown = self.started(Window(self.relay.home, "--page=log", work=self.work))

    def send(self, sender):
        self.relay.send(f"From: {sender}\r\n\r\nHello.\r\n", sender=sender, to="b@there.test")

    def test_follows_and_finds(self):
        shown = self.shown
        shown.wait("Postroom started")
        self.send("one@here.test")
        self.send("two@here.test")
        shown.wait("Accepted from one@here.test")
        shown.wait("Accepted from two@here.test")
        shown.key("ctrl+f")
        shown.type("two@")
        shown.wait_gone("Accepted from one@here.test")
        shown.wait("Accepted from two@here.test")
        shown.type("nobody")
        shown.wait("Nothing Found")
        shown.press("Show Everything")
        shown.wait("Accepted from one@here.test")

    def test_saves_what_is_shown(self):
        shown = self.shown
        self.send("one@here.test")
        self.send("two@here.test")
        shown.wait("Accepted from two@here.test")
        shown.key("ctrl+f")
        shown.type("two@")
        shown.wait_gone("Accepted from one@here.test")
        shown.press("Save the Log")
        shown.press("Save What Is Shown…", anywhere=True)
        path = os.path.join(self.work, "help.tar.gz")
        shown.wait("Name:", "text", anywhere=True).type(path)
        shown.press("Save", "push button", anywhere=True)
        shown.wait(test=lambda node: node.name.startswith("Saved, without passwords"))
        with tarfile.open(path) as bundle:
            log = bundle.extractfile("postroom/log.txt").read().decode()
        self.assertIn("sender=two@here.test", log)
        self.assertNotIn("one@here.test", log)


if __name__ == "__main__":
    suite.main()
