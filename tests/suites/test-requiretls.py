#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""REQUIRETLS (RFC 8689) all the way: client, Postroom, another Postroom, and the hop behind it."""

import smtplib
import ssl

from lib import mail, suite
from lib.nexthop import FULL, NextHop
from lib.pki import Pki
from lib.postroom import Postroom, smarthost


class RequireTls(suite.Suite):

    def setUp(self):
        super().setUp()
        self.pki = Pki(self.work + "/pki")
        pair = self.pki.make("server", issuer=self.pki.authority)
        self.home, self.there = (self.started(
            NextHop(extensions=FULL + ("REQUIRETLS",), tls=pair)) for _ in range(2))
        self.second = self.relay("second", pair, {
            "home": self.route(self.home, recipients="*@here.test"),
            "there": self.route(self.there)
        })
        self.first = self.relay("first", pair, {
            "next": self.route(f"127.0.0.1:{self.second.port}")
        })

    def route(self, hop, **keys):
        return smarthost(hop, **{"tls": "required", "ca-file": self.pki.authority[0], **keys})

    def relay(self, name, pair, routes):
        return self.started(
            Postroom(self.work, routes, {
                "server": {
                    "hostname": name + ".test"
                },
                "listener main": {
                    "tls": "starttls",
                    "certificate": pair[0],
                    "key": pair[1]
                }
            }, name=name))

    def send(self, options=("REQUIRETLS",)):
        id_ = mail.unique_id()
        context = ssl.create_default_context(cafile=self.pki.authority[0])
        with smtplib.SMTP("127.0.0.1", self.first.port, timeout=60) as smtp:
            smtp.ehlo()
            self.assertFalse(smtp.has_extn("requiretls"))  # §2: not before it is encrypted
            smtp.starttls(context=context)
            smtp.ehlo()
            self.assertTrue(smtp.has_extn("requiretls"))
            smtp.sendmail("sender@here.test", ["alice@there.test"],
                          mail.message(id_, body=b"Attack at dawn\r\n"), list(options))
        return id_

    def arrives(self, hop, text):
        return self.wait(f"a message with {text}", lambda: hop.find(text))

    def test_all_the_way(self):
        taken = self.arrives(self.there, self.send())
        self.assertIn("REQUIRETLS", taken.sender_parameters)
        self.assertIn(b"Attack at dawn", taken.text)

    def test_only_where_it_is_demanded(self):
        taken = self.arrives(self.there, self.send(options=()))
        self.assertNotIn("REQUIRETLS", taken.sender_parameters)

    def assert_bounced(self, id_, status, words):
        notice = self.arrives(self.home, "Status: " + status)
        self.assertEqual(notice.sender, "")
        self.assertIn("REQUIRETLS", notice.sender_parameters)  # §5: the notice as well
        text = b" ".join(notice.text.split())
        self.assertIn(words, text)
        self.assertIn(id_.encode(), text)
        self.assertNotIn(b"Attack at dawn", text)
        self.assertEqual(self.there.messages, [])
        self.first.wait_empty()
        self.second.wait_empty()

    def test_next_hop_does_not_promise_it(self):
        self.there.extensions = FULL
        self.assert_bounced(self.send(), "5.7.30", b"does not promise to keep it encrypted")

    def test_next_hop_is_not_who_it_should_be(self):
        """Where the route would do without."""
        self.there.tls = self.pki.make("own")
        self.second.groups["route there"]["tls"] = "opportunistic"
        self.second.write_config()
        self.second.restart()
        self.assert_bounced(self.send(), "5.7.30", b"cannot prove who it is")

    def test_second_relay_offers_no_encryption(self):
        """It comes back from the first one."""
        self.second.merge({"listener main": {"tls": "off"}})
        self.second.restart()
        self.first.groups["route next"]["tls"] = "opportunistic"
        self.first.merge({"route home": self.route(self.home, recipients="*@here.test")})
        self.first.groups["route next"] = self.first.groups.pop("route next")  # behind it
        self.first.write_config()
        self.first.restart()
        self.assert_bounced(self.send(), "5.7.10", b"offers no encryption")


if __name__ == "__main__":
    suite.main()
