#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""DANE: a signed zone, a resolver that validates, and an exchanger that is right or wrong."""

import hashlib
import subprocess

from lib import mail, suite
from lib.dnssec import SignedZones
from lib.network import Network
from lib.nexthop import NextHop
from lib.pki import Pki
from lib.postroom import Postroom

MX = "10.77.1.1"


class Dane(suite.Suite):

    def setUp(self):
        super().setUp()
        self.net = self.started(Network(self.work))
        self.zones = self.started(SignedZones(self.work, self.net))
        self.pki = Pki(self.work + "/pki")
        self.pair = self.pki.make("mx", name="mx.there.test")
        self.net.address(MX)
        self.hop = self.started(
            NextHop(host=MX, port=25, namespace=self.net.world, tls=self.pair))
        self.zones.add("there MX 10 mx.there", f"mx.there A {MX}")
        self.service = None

    def record(self, pair, usage=3):
        """A TLSA record for the public key of a pair."""
        key = subprocess.run(["openssl", "pkey", "-in", pair[1], "-pubout", "-outform", "DER"],
                             check=True, capture_output=True, timeout=60).stdout
        return f"_25._tcp.mx.there TLSA {usage} 1 1 {hashlib.sha256(key).hexdigest()}"

    def send(self, to="alice@there.test", **keys):
        self.zones.start()
        self.service = self.started(
            Postroom(
                self.work, {"out": {
                    "via": "mx",
                    "connect-timeout": "5s",
                    **keys
                }}, {
                    "server": {
                        "trust-anchor-file": self.zones.anchor
                    },
                    "retry": {
                        "schedule": "1s"
                    }
                },
                namespace=self.net.relay,
                env={
                    "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
                    "GIO_USE_NETWORK_MONITOR": "netlink"
                }))
        id_ = mail.unique_id()
        self.service.send(mail.message(id_, to=to), to=[to])
        return id_

    def arrives(self, id_):
        return self.wait(f"message {id_}", lambda: self.hop.find(id_))

    def event(self, kind):
        return self.wait(f"an event: {kind}", lambda: [
            event for event in self.service.ctl_json("log") if event["kind"] == kind
        ])[0]

    def assert_delivered(self, id_, words):
        self.arrives(id_)
        self.assertIn(words, self.event("delivered")["tls"])

    def assert_waits(self, *words):
        text = self.event("hop-failed")["text"]
        for word in words:
            self.assertIn(word, text)
        self.assertEqual(self.hop.messages, [])
        self.assertEqual(len(self.service.queue()), 1)

    def test_right(self):
        self.zones.add(self.record(self.pair))
        self.assert_delivered(self.send(), ", verified by DANE")

    def test_wrong_then_mended(self):
        wrong = self.record(self.pki.make("next", name="mx.there.test"))
        self.zones.add(wrong)
        id_ = self.send()
        self.assert_waits("not the one its DNS records (TLSA) name")
        # A rollover that is done as it should be: both records for a while
        self.zones.add(self.record(self.pair))
        self.zones.start()
        self.assert_delivered(id_, ", verified by DANE")

    def test_no_encryption(self):
        self.zones.add(self.record(self.pair))
        self.hop.tls = None
        self.send()
        self.assert_waits("STARTTLS", "DANE")

    def test_forged_record(self):
        self.zones.add("_25._tcp.mx.there TXT stays", self.record(self.pair))
        self.zones.forge("TLSA\t3 1 1", "TLSA\t3 0 1")
        self.send()
        self.assert_waits("cannot be trusted", "mx.there.test")

    def test_forged_exchanger(self):
        self.zones.forge("MX\t10 mx.there", "MX\t11 mx.there")
        self.send()
        self.assert_waits("cannot be trusted", "there.test")

    def test_not_published(self):
        self.assert_delivered(self.send(), "(not verified: ")

    def test_not_signed(self):
        self.zones.add_plain("@ MX 10 mx", f"mx A {MX}",
                             "_25._tcp.mx TLSA 3 1 1 " + 32 * "00")
        self.assert_delivered(self.send(to="alice@plain.test"), "(not verified: ")

    def test_no_such_domain(self):
        self.send(to="alice@nowhere.test")
        self.assertIn("no domain", self.event("failed")["text"])

    def test_switched_off(self):
        self.zones.add(self.record(self.pki.make("other", name="mx.there.test")))
        self.assert_delivered(self.send(dane="no"), "(not verified: ")


if __name__ == "__main__":
    suite.main()
