#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The assistant: from nothing to the first delivered mail, a wrong password mended on the way."""

import base64
import http.server
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import nexthop, pki, process, suite, window  # noqa: E402
from lib.postroom import Postroom  # noqa: E402
from lib.window import Window  # noqa: E402


ENTRIES = ("entry", "text", "password text")
SWITCHES = ("toggle button", "switch", "check box")


def check(session, argument):
    """AUTH PLAIN with what the provider knows."""
    del session
    right = base64.b64encode(b"\0me@hop.test\0right").decode()
    return "235 2.7.0 Welcome" if argument.split()[-1] == right else "535 5.7.8 Wrong"


class Provider(http.server.ThreadingHTTPServer):
    """Signs people in by a code on another device (RFC 8628), once `agreed`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.agreed = False
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/device":
            answer = {"device_code": "x", "user_code": "WDJB-MJHT", "expires_in": 600,
                      "verification_uri": "https://hop.test/device", "interval": 1}
        elif self.server.agreed:
            answer = {"access_token": "t", "token_type": "Bearer", "expires_in": 600,
                      "refresh_token": "r"}
        else:
            answer = {"error": "authorization_pending"}
        octets = json.dumps(answer).encode()
        self.send_response(400 if "error" in answer else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class Assistant(suite.Suite):

    deadline = 300

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())

    def open(self, *options, routes=None):
        self.relay = self.started(Postroom(self.work, routes))
        self.shown = self.started(Window(self.relay.home, *options, work=self.work))

    def config(self):
        with open(self.relay.config_file, encoding="utf-8") as file:
            return file.read()

    def entry(self, name):
        return self.shown.wait(name, test=lambda node: node.role in ENTRIES,
                               anywhere=True)

    def press(self, name):
        self.shown.press(name, anywhere=True)

    def wait_words(self, part):
        return self.shown.wait(test=lambda node: part in node.name and node.role == "label",
                               anywhere=True)

    def switch(self, name):
        return self.shown.wait(name, test=lambda node: node.role in SWITCHES, anywhere=True)

    def choose_other(self):
        """By keyboard: nothing is called so, and what is left is a server of one's own."""
        self.entry("Search Providers").type("no-such-provider")
        self.shown.wait("Providers", test=lambda node: len(list(node.children())) == 1,
                        anywhere=True)
        self.entry("Search Providers").focus()
        self.shown.desktop.key("Return")

    def test_first_mail(self):
        self.open()
        certificates = pki.Pki(os.path.join(self.work, "pki"))
        hop = self.started(
            nexthop.NextHop(nexthop.FULL + ("AUTH PLAIN", ),
                            tls=certificates.make("hop", issuer=certificates.authority),
                            implicit=True))
        hop.on("auth", check)
        self.choose_other()
        self.entry("Server Name").type("127.0.0.1")
        self.entry("Port").type(str(hop.port))
        self.entry("Certificate File of a Private Authority (Optional)").type(
            certificates.authority[0])
        self.entry("Address or User Name").type("me@hop.test")
        self.entry("Password").type("wrong")
        self.press("Next")
        process.wait_until("the route", lambda: "[route smarthost]" in self.config(), 60)
        self.assertNotIn("wrong", self.config())
        self.press("Next")
        self.entry("Send To")
        self.press("Send Test Mail")
        self.wait_words("did not accept the name or the password")
        self.press("Change Sign-In")
        self.entry("Password").type("right")
        self.press("Next")
        self.press("Next")
        self.press("Send Test Mail")
        self.wait_words("It works")
        process.wait_until("the mail", lambda: len(hop.taken()) > 0, 60)
        self.assertEqual(hop.taken()[0].recipients, ["me@hop.test"])
        self.shown.press("Done", "push button", anywhere=True)
        process.wait_until("the end", lambda: not self.shown.is_on_screen("Set Up Sending"), 60)
        self.assertEqual(self.config().count("[route "), 1)

    def test_cancel_takes_all_back(self):
        self.open()
        before = self.config()
        self.choose_other()
        self.entry("Server Name").type("192.0.2.1")
        self.press("Next")
        process.wait_until("the route", lambda: "[route smarthost]" in self.config(), 60)
        self.switch("My Network").press()
        self.press("Next")
        process.wait_until("the network", lambda: "listen=0.0.0.0" in self.config(), 60)
        self.shown.desktop.key("Escape")
        process.wait_until("all to be as before", lambda: self.config().startswith(before), 60)
        self.assertEqual(self.config()[len(before):].split(), [])

    def test_code_on_another_device(self):
        provider = self.started(Provider())
        self.open("--page=sign-in", "--item=out", routes={
            "out": {"via": "smarthost", "hosts": "127.0.0.1:9", "username": "me@hop.test",
                    "auth": "xoauth2", "client-id": "me", "oauth-flow": "device",
                    "oauth-scopes": "mail", "oauth-token": provider.url + "/token",
                    "oauth-device": provider.url + "/device"}})
        self.wait_words("https://hop.test/device")
        self.wait_words("WDJB-MJHT")
        provider.agreed = True
        process.wait_until("the end", lambda: not self.shown.is_on_screen("Set Up Sending"), 60)

    def test_provider_in_its_own_words(self):
        self.open()
        self.entry("Search Providers").type("someone@gmail.com")
        self.entry("Search Providers").focus()
        self.shown.desktop.key("Return")
        self.wait_words("switch on 2-Step Verification")
        self.assertIsNotNone(self.shown.wait("Sign In By", anywhere=True))
        self.entry("Address or User Name").type("someone@gmail.com")
        self.entry("Password").type("abcdefghijklmnop")
        self.press("Next")
        process.wait_until("the route", lambda: "provider=gmail\n" in self.config(), 60)
        self.assertIn("username=someone@gmail.com\n", self.config())


if __name__ == "__main__":
    suite.main()
