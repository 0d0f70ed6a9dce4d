#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue's page: what is pressed there happens to real queued mail."""

import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import process, suite, window  # noqa: E402
from lib.nexthop import NextHop  # noqa: E402
from lib.postroom import Postroom, smarthost  # noqa: E402
from lib.window import Window  # noqa: E402


def content(path):
    """Of a file; None: there is none."""
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return file.read()


class Queue(suite.Suite):

    deadline = 300

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())
        self.relay = self.started(
            Postroom(self.work, {"wait": {"via": "hold"}, "other": {"via": "hold"}},
                     {"server": {"max-message-size": "200M"}}))

    def fill(self, count):
        for number in range(count):
            text = f"From: a@here.test\r\nSubject: Letter {number}\r\n\r\nHello.\r\n"
            self.relay.send(text, to=f"p{number}@there.test")

    def opened(self):
        return self.started(Window(self.relay.home, "--page=queue", work=self.work))

    def test_empty(self):
        self.opened().wait("No Mail Waits")

    def test_rows_come_and_go(self):
        shown = self.opened()
        shown.wait("No Mail Waits")
        self.fill(2)
        shown.wait("Letter 0")
        shown.wait("p1@there.test")
        self.relay.ctl("queue", "delete", "--all")
        shown.wait("No Mail Waits")

    def test_delete_all_and_undo(self):
        self.fill(3)
        shown = self.opened()
        shown.wait("Letter 2").focus()
        shown.key("Down", "ctrl+a", "Delete")
        shown.press("Undo")
        shown.wait_gone("Undo")
        self.assertEqual(len(self.relay.queue()), 3)

        shown.key("Delete")
        shown.wait("Undo")
        process.wait_until("the end of the toast", lambda: self.relay.queue() == [], 60, every=0.2)
        shown.wait("No Mail Waits")

    def test_delete_all_of_a_long_list(self):
        """More than is known of: all under the filter, and what was meant comes back."""
        self.fill(150)
        shown = self.opened()
        shown.rows = 5
        shown.wait("Letter 149").focus()
        shown.key("Down", "ctrl+a")
        shown.wait("All 150 selected")
        shown.key("Delete")
        shown.wait("150 messages deleted")
        shown.press("Undo")
        shown.wait_gone("Undo")
        self.assertEqual(len(self.relay.queue()), 150)
        shown.wait("All 150 selected")
        self.relay.send("From: a@here.test\r\nSubject: Late\r\n\r\nx\r\n", to="late@there.test")
        shown.wait("All 151 selected")
        shown.key("Delete")
        shown.wait("151 messages deleted")
        process.wait_until("the end of the toast", lambda: self.relay.queue() == [], 60, every=0.2)
        shown.wait("No Mail Waits")

    def test_delete_while_the_service_is_away(self):
        """What is shown stays there, and the deletion is carried out when the service is back."""
        self.fill(2)
        shown = self.opened()
        shown.wait("Letter 1").focus()
        self.relay.stop()
        shown.key("Down", "ctrl+a", "Delete")
        shown.wait("Undo")
        self.relay.start()
        process.wait_until("it to be carried out", lambda: self.relay.queue() == [], 60, every=0.2)

    def test_closing_deletes_what_could_be_undone(self):
        self.fill(1)
        shown = Window(self.relay.home, "--page=queue", work=self.work)
        shown.wait("Letter 0").focus()
        shown.key("Down", "ctrl+a", "Delete")
        shown.wait("Undo")
        shown.key("ctrl+q")
        self.assertEqual(shown.process.wait(60), 0)
        process.wait_until("it to be deleted", lambda: self.relay.queue() == [], 60, every=0.2)

    def test_orders(self):
        self.fill(2)
        shown = self.opened()
        shown.wait("Letter 1").focus()
        shown.key("Down", "ctrl+a")
        shown.press("More Actions")
        shown.press("Give Up and Tell Sender", anywhere=True)
        process.wait_until(
            "bounces in their place", lambda: all(
                message["sender"] == "" for message in self.relay.queue()), 60, every=0.2)
        shown.wait("Delivery notice")

    def test_hold_release_try_move_save(self):
        """Each order does to real queued mail what it says."""
        hop = self.started(NextHop())
        hop.on("rcpt", "451 4.3.0 Not now")
        self.relay.merge({"route wait": {**smarthost(hop), "via": "smarthost"},
                          "route other": {"recipients": "*@other.test"},
                          "retry": {"schedule": "1h"}})
        self.relay.restart()
        self.fill(1)
        shown = self.opened()
        shown.wait("Letter 0").focus()
        shown.key("Down", "ctrl+a")

        shown.press("Hold")
        self.wait_for("it to be held", lambda recipient: recipient["held"])
        shown.wait("Held")
        shown.press("Release")
        self.wait_for("it to be released", lambda recipient: not recipient["held"])
        self.wait_for("it to be tried", lambda recipient: recipient["attempts"] > 0)
        tried = self.attempts()
        shown.press("Try Now")
        process.wait_until("another try", lambda: self.attempts() > tried, 60, every=0.2)
        shown.press("More Actions")
        shown.press("Move to Route", anywhere=True)
        shown.press("other", anywhere=True)
        self.wait_for("it to be moved", lambda recipient: recipient["route"] == "other")

        shown.key("ctrl+s")
        path = os.path.join(self.work, "saved.eml")
        shown.save_as(path)
        process.wait_until("the file", lambda: (content(path) or b"").endswith(b"Hello.\r\n"), 60,
                           every=0.2)
        self.assertIn(b"Subject: Letter 0\r\n", content(path))

    def wait_for(self, what, test):
        process.wait_until(
            what, lambda: all(
                test(recipient) for message in self.relay.queue()
                for recipient in message["recipients"]), 60, every=0.2)

    def attempts(self):
        return self.relay.queue()[0]["recipients"][0]["attempts"]

    def test_message_pane(self):
        """A large message opens at once: its source comes a piece at a time."""
        head = "From: a@here.test\r\nSubject: Big one\r\n\r\n"
        self.relay.send(head + ("y" * 70 + "\r\n") * 100_000 + "the end\r\n", to="p@there.test")
        shown = self.opened()
        shown.wait("Big one").focus()
        shown.key("Down", "Return")
        shown.wait("Close Message")
        shown.wait("Recipients")
        shown.press("Show Source")
        shown.wait("Source of the message", test=lambda node: "Subject: Big one" in node.text)
        shown.press("Show More")
        shown.wait("Source of the message", test=lambda node: len(node.text) > 60_000)
        shown.press("Close Message")
        shown.wait_gone("Close Message")

    def test_what_is_in_a_message(self):
        """Text of HTML, the true octets of an attachment, headers; decoded."""
        octets = bytes(range(256)) * 400
        encoded = base64.encodebytes(octets).decode().replace("\n", "\r\n")
        self.relay.send(
            "From: =?utf-8?q?B=C3=BCro?= <a@here.test>\r\nSubject: Mixed\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
            "<p>Gr=C3=BC=C3=9Fe <a href=3D\"https://x.test/\">here</a>"
            "<script>no()</script>\r\n--b\r\n"
            "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=\"../scan.pdf\"\r\n\r\n"
            f"{encoded}\r\n--b--\r\n", to="p@there.test")
        shown = self.opened()
        shown.wait("Mixed").focus()
        shown.key("Down", "Return")
        shown.wait("Text of the message",
                   test=lambda node: node.text == "Grüße here <https://x.test/>")
        shown.wait("Büro <a@here.test>")
        path = os.path.join(self.work, "saved.pdf")
        shown.press("Save scan.pdf")
        shown.save_as(path)
        process.wait_until("the whole file", lambda: content(path) == octets, 60, every=0.2)

    def test_huge_message_opens(self):
        """100 MiB: its text is there while the rest passes by, and the attachment is found."""
        line = base64.b64encode(bytes(57)).decode() + "\r\n"
        head = ("From: a@here.test\r\nSubject: Huge\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below\r\n--b\r\n"
                "Content-Type: application/zip; name=huge.zip\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n")
        self.relay.send(head + line * 1_344_000 + "--b--\r\n", to="p@there.test")
        shown = self.opened()
        shown.wait("Huge").focus()
        shown.key("Down", "Return")
        shown.wait("Text of the message", test=lambda node: node.text == "See below")
        shown.wait("huge.zip")
        shown.press("Save huge.zip")  # once its end was seen
        shown.wait("Save Attachment", anywhere=True)

    def test_search(self):
        self.fill(3)
        shown = self.opened()
        shown.wait("Letter 1")
        shown.key("ctrl+f")
        shown.type("p2@")
        shown.wait_gone("Letter 1")
        shown.wait("Letter 2")
        shown.type("nobody")
        shown.wait("Nothing Found")


if __name__ == "__main__":
    suite.main()
