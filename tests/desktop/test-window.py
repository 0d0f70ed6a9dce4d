#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as a whole: starts a service, survives it, pauses it, leaves it running."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import process, suite, window  # noqa: E402
from lib.postroom import Postroom  # noqa: E402
from lib.window import Window  # noqa: E402


class Frame(suite.Suite):

    deadline = 300

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())

    def stopped(self):
        return self.started(Postroom(self.work, {"wait": {"via": "hold"}}, start=False))

    def status(self, relay):
        done = relay.ctl_run("status", "--json")
        return done.stdout if done.returncode == 0 else ""

    def test_starts_a_service_and_leaves_it(self):
        relay = self.stopped()
        shown = Window(relay.home, "--page=queue", work=self.work)
        shown.wait(test=lambda node: node.name.startswith("The service was started"))
        process.wait_until("the service", lambda: self.status(relay), 60, every=0.2)
        shown.close()
        self.assertTrue(self.status(relay), "the service ended with the window")
        pid = relay.ctl_json("status")["pid"]
        os.kill(pid, 15)
        process.wait_until("its end", lambda: not self.status(relay), 60, every=0.2)

    def test_service_comes_and_goes(self):
        relay = self.stopped().start()
        shown = self.started(Window(relay.home, "--page=queue", work=self.work))
        shown.wait("No Mail Waits")
        relay.stop()
        shown.wait(test=lambda node: node.name.startswith("The service is not running"))
        relay.start()
        shown.wait_gone("Start")
        relay.stop()
        shown.press("Start", "push button")
        process.wait_until("the service", lambda: self.status(relay), 60, every=0.2)
        os.kill(relay.ctl_json("status")["pid"], 15)
        process.wait_until("its end", lambda: not self.status(relay), 60, every=0.2)

    def test_wrong_configuration_is_told(self):
        relay = self.stopped()
        relay.write_config("[server]\nhostnam=x\n")
        shown = self.started(Window(relay.home, "--page=queue", work=self.work))
        shown.wait(test=lambda node: "hostnam" in node.name)

    def test_pause_and_resume(self):
        relay = self.stopped().start()
        shown = self.started(Window(relay.home, "--page=queue", work=self.work))
        shown.wait("No Mail Waits")
        relay_says = lambda what: relay.ctl_json("status")[what]  # noqa: E731
        shown.press("Main Menu")
        shown.press("Pause Sending", anywhere=True)
        shown.wait(test=lambda node: node.name.startswith("Sending is paused"))
        self.assertTrue(relay_says("sending-paused"))
        shown.press("Resume")
        process.wait_until("sending", lambda: not relay_says("sending-paused"), 60, every=0.2)

    def test_second_start_shows_the_first(self):
        relay = self.stopped().start()
        shown = self.started(Window(relay.home, "--page=queue", work=self.work))
        again = process.Process([window.PROGRAM, "--home=" + relay.home, "--page=queue"],
                                os.path.join(self.work, "again.log"), env=shown.desktop.env)
        self.assertEqual(again.wait(60), 0, again.log())

    def test_unknown_page_opens_the_window(self):
        relay = self.stopped().start()
        self.started(Window(relay.home, "--page=of-a-newer-service", work=self.work))


if __name__ == "__main__":
    suite.main()
