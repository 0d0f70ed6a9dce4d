#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS: a domain with a policy on the web, and servers that keep to it or do not."""

from lib import mail, suite
from lib.network import Network
from lib.nexthop import NextHop
from lib.pki import Pki
from lib.policy import PATH, PolicyServer
from lib.postroom import Postroom

MX = "10.77.1.1"
WEB = "10.77.1.2"
VERIFIED = ", verified by MTA-STS policy"


class Sts(suite.Suite):

    def setUp(self):
        super().setUp()
        self.net = self.started(Network(self.work))
        self.pki = Pki(self.work + "/pki")
        self.right = self.pair("mx.there.test")
        self.wrong = self.pair("mx.elsewhere.test")
        self.net.address(MX)
        self.net.address(WEB)
        self.hop = self.started(
            NextHop(host=MX, port=25, namespace=self.net.world, tls=self.right))
        self.web = self.started(PolicyServer(self.net, WEB, self.pair("mta-sts.there.test")))
        self.service = None

    def pair(self, name):
        return self.pki.make(name, name=name, issuer=self.pki.authority)

    def publish(self, id_, mode, mx="*.there.test", max_age=86400):
        """The record, and the policy if its server is there."""
        self.net.records[:] = [
            f"host-record=mx.there.test,{MX}", f"host-record=mta-sts.there.test,{WEB}",
            "mx-host=there.test,mx.there.test,10",
            f"txt-record=_mta-sts.there.test,v=STSv1; id={id_};"
        ]
        self.web.text = f"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {max_age}\r\n"
        self.restart_dns()

    def restart_dns(self):
        self.net.stop_dns()
        self.net.start_dns()

    def start(self, **keys):
        self.service = self.started(
            Postroom(
                self.work, {
                    "out": {
                        "via": "mx",
                        "dane": "no",
                        "ca-file": self.pki.authority[0],
                        "connect-timeout": "5s",
                        **keys
                    }
                }, {"retry": {
                    "schedule": "1s"
                }}, namespace=self.net.relay, env={
                    "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
                    "GIO_USE_NETWORK_MONITOR": "netlink",
                    "GIO_USE_PROXY_RESOLVER": "dummy"
                }))

    def send(self):
        id_ = mail.unique_id()
        self.service.send(mail.message(id_))
        return id_

    def event(self, kind, words):
        """The newest event of a kind, when it has these words."""

        def find():
            events = [event for event in self.service.ctl_json("log") if event["kind"] == kind]
            return [
                event for event in events
                if words in event.get("text", "") + " " + event.get("tls", "")
            ]

        return self.wait(f"an event: {kind}: {words}", find)[0]

    def assert_delivered(self, id_, words):
        self.wait(f"message {id_}", lambda: self.hop.find(id_))
        self.service.wait_empty()
        return self.event("delivered", words)

    def assert_waits(self, words, messages=1):
        self.event("hop-failed", words)
        self.assertEqual(self.hop.messages, [])
        self.assertEqual(len(self.service.queue()), messages)

    # The domain demands it

    def test_enforce(self):
        self.web.start()
        self.publish("1", "enforce")
        self.start()
        self.assert_delivered(self.send(), VERIFIED)
        self.assert_delivered(self.send(), VERIFIED)
        self.assertEqual(self.web.requests, [("mta-sts.there.test", PATH)])

    def test_enforce_wrong_certificate(self):
        self.web.start()
        self.publish("1", "enforce")
        self.hop.tls = self.wrong
        self.start()
        id_ = self.send()
        self.assert_waits("the certificate is not for mx.there.test")
        self.hop.tls = self.right
        self.assert_delivered(id_, VERIFIED)

    def test_enforce_no_encryption(self):
        self.web.start()
        self.publish("1", "enforce")
        self.hop.tls = None
        self.start()
        self.send()
        self.assert_waits("policy of its domain demands it (MTA-STS)")

    def test_enforce_server_not_named_then_new_id(self):
        self.web.start()
        self.publish("1", "enforce", mx="mx.elsewhere.test")
        self.start()
        id_ = self.send()
        self.assert_waits("names other servers than mx.there.test")
        self.publish("2", "enforce", mx="mx.there.test")
        self.service.restart()  # it would remember the record for a minute
        self.assert_delivered(id_, VERIFIED)
        self.assertEqual(len(self.web.requests), 2)

    # Nothing is demanded

    def test_testing(self):
        self.web.start()
        self.publish("1", "testing")
        self.hop.tls = self.wrong
        self.start()
        self.assert_delivered(self.send(), "which is being tested, would refuse this")

    def test_none(self):
        self.web.start()
        self.publish("1", "none")
        self.hop.tls = self.wrong
        self.start()
        event = self.assert_delivered(self.send(), "(not verified: ")
        self.assertNotIn("MTA-STS", event["tls"])

    def test_switched_off(self):
        self.web.start()
        self.publish("1", "enforce", mx="mx.elsewhere.test")
        self.start(**{"mta-sts": "false"})
        self.assert_delivered(self.send(), "")
        self.assertEqual(self.web.requests, [])

    # The policy cannot be had

    def test_policy_server_down(self):
        self.publish("1", "enforce", mx="mx.elsewhere.test")
        self.start()
        self.assert_delivered(self.send(), "MTA-STS policy of its domain cannot be had")

    def test_policy_server_of_another(self):
        self.web.pair = self.wrong
        self.web.start()
        self.publish("1", "enforce", mx="mx.elsewhere.test")
        self.start()
        self.assert_delivered(self.send(), "cannot be had: the certificate of mta-sts.there.test")
        self.assertEqual(self.web.requests, [])

    def test_redirect_is_not_followed(self):
        self.web.status = 301
        self.web.start()
        self.publish("1", "enforce", mx="mx.elsewhere.test")
        self.start()
        self.assert_delivered(self.send(), "the server answered 301")
        self.assertEqual(len(self.web.requests), 1)

    def test_kept_while_nothing_can_be_had(self):
        """Whoever stands in between takes record and server away: what is known holds, through a
        restart, too."""
        self.web.start()
        self.publish("1", "enforce")
        self.start()
        self.assert_delivered(self.send(), VERIFIED)
        self.web.close()
        self.publish("2", "none")
        self.hop.messages.clear()
        self.hop.tls = self.wrong
        self.service.restart()
        id_ = self.send()
        self.assert_waits("the certificate is not for mx.there.test")
        self.net.records.pop()
        self.restart_dns()
        self.service.restart()
        self.send()
        self.wait("another try of both", lambda: all(
            recipient["attempts"] >= 1 for message in self.service.queue()
            for recipient in message["recipients"]))
        self.assertEqual(self.hop.messages, [])
        self.hop.tls = self.right
        self.assert_delivered(id_, VERIFIED)

    def test_ends(self):
        """It holds as long as it says, and no longer."""
        self.web.start()
        self.publish("1", "enforce", max_age=1)
        self.start()
        self.assert_delivered(self.send(), VERIFIED)
        self.web.close()
        self.hop.tls = self.wrong
        self.service.restart()  # it would go over the connection that was verified
        self.assert_delivered(self.send(), "(not verified: ")


if __name__ == "__main__":
    suite.main()
