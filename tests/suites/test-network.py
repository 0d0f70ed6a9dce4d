#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Straight to the recipients' servers on port 25, over a network and a name server of the suite's
own."""

import os
import time

from lib import mail, suite
from lib.network import Network
from lib.nexthop import HANG, NextHop
from lib.postroom import Postroom, smarthost


class NetworkSuite(suite.Suite):

    def setUp(self):
        super().setUp()
        self.net = self.started(Network(self.work))
        self.back = mail.Maildir(os.path.join(self.work, "back"))

    def host(self, name, *addresses):
        """Hosts of that name that answer on port 25; the first of them."""
        for address in addresses:
            self.net.address(address)
        self.net.name(f"host-record={name}," + ",".join(addresses))
        return [
            self.started(NextHop(host=address, port=25, namespace=self.net.world))
            for address in addresses
        ][0]

    def domain(self, name, *hosts):
        """DOMAIN with MX records (host, preference)."""
        self.net.name(*(f"mx-host={name},{host},{preference}" for host, preference in hosts))

    def relay(self, config=None, route=None, **keys):
        self.net.start_dns()
        direct = {"via": "mx", "tls": "off", "connect-timeout": "2s", **keys}
        self.service = self.started(
            Postroom(
                self.work,
                {
                    "back": {
                        "recipients": "*@here.test",
                        "via": "maildir",
                        "path": self.back.path
                    },
                    "out": route or direct
                },
                config,
                namespace=self.net.relay,
                # GNetworkMonitor must look at the kernel's routes, not at this machine's
                # NetworkManager
                env={
                    "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
                    "GIO_USE_NETWORK_MONITOR": "netlink"
                }))
        return self.service

    def send(self, to, id_=None, **how):
        id_ = id_ or mail.unique_id()
        self.service.send(mail.message(id_, to="alice@there.test"), to=[to], **how)
        return id_

    def arrives(self, hop, id_, timeout=60.0):
        return self.wait(f"message {id_} at {hop.host}", lambda: hop.find(id_), timeout)

    def bounce(self, about):
        return mail.DeliveryStatus(
            self.wait("a notice about " + about, lambda: self.back.find(about)))


class MailExchangers(NetworkSuite):

    def test_the_preferred_one(self):
        best, other = self.host("mx1.there.test",
                                "10.77.1.1"), self.host("mx2.there.test", "10.77.1.2")
        self.domain("there.test", ("mx2.there.test", 20), ("mx1.there.test", 10))
        self.relay()
        for _ in range(5):
            self.arrives(best, self.send("alice@there.test"))
        self.assertEqual(other.sessions, [])

    def test_equal_ones_share(self):
        equal = [self.host(f"mx{n}.there.test", f"10.77.1.{n}") for n in range(1, 4)]
        spare = self.host("mx9.there.test", "10.77.1.9")
        self.domain("there.test", *((f"mx{n}.there.test", 10) for n in range(1, 4)),
                    ("mx9.there.test", 20))
        self.relay(**{"max-messages-per-connection": "1"})
        for _ in range(40):
            self.send("alice@there.test")
        self.wait("all", lambda: sum(len(hop.taken()) for hop in equal) == 40)
        self.assertTrue(all(hop.taken() for hop in equal), [len(hop.taken()) for hop in equal])
        self.assertEqual(spare.sessions, [])

    def test_dead_first_ones(self):
        good = self.host("mx3.there.test", "10.77.1.3")
        self.net.address("10.77.1.1")  # refuses
        self.net.name("host-record=mx1.there.test,10.77.1.1",
                      f"host-record=mx2.there.test,{self.net.black_hole('10.77.2.2')}")
        self.domain("there.test", ("mx1.there.test", 5), ("mx2.there.test", 6),
                    ("mx0.there.test", 7), ("mx3.there.test", 10))
        self.relay()
        self.arrives(good, self.send("alice@there.test"))

    def test_an_exchanger_that_is_busy_or_mute(self):
        mute, busy, good = (self.host(f"mx{n}.there.test", f"10.77.1.{n}") for n in range(1, 4))
        mute.on("connect", HANG)
        busy.on("connect", "421 4.3.2 busy")
        self.domain("there.test", *((f"mx{n}.there.test", n) for n in range(1, 4)))
        self.relay(**{"reply-timeout": "2s"})
        self.arrives(good, self.send("alice@there.test"))

    def test_all_addresses_of_a_host(self):
        self.net.address("10.77.1.1")
        good = self.host("unused.there.test", "10.77.1.2")
        self.net.name("host-record=mx1.there.test,10.77.1.1,fd77:1::1",
                      "host-record=mx1.there.test,10.77.1.2")
        self.net.address("fd77:1::1")
        self.domain("there.test", ("mx1.there.test", 5))
        self.relay()
        self.arrives(good, self.send("alice@there.test"))

    def test_without_an_exchanger_the_address_of_the_domain(self):
        four, six = self.host("four.test", "10.77.1.4"), self.host("six.test", "fd77:1::6")
        self.net.name("cname=alias.test,four.test")
        self.relay()
        self.arrives(four, self.send("alice@four.test"))
        self.arrives(six, self.send("alice@six.test"))
        self.arrives(four, self.send("alice@alias.test"))

    def test_a_host_with_ipv6_only(self):
        six = self.host("mx.there.test", "fd77:1::25")
        self.domain("there.test", ("mx.there.test", 10))
        self.relay()
        self.arrives(six, self.send("alice@there.test"))

    def test_address_literals(self):
        four, six = self.host("four.test", "10.77.1.4"), self.host("six.test", "fd77:1::6")
        self.relay()
        self.assertEqual(
            self.arrives(four, self.send("alice@[10.77.1.4]")).recipients, ["alice@[10.77.1.4]"])
        self.arrives(six, self.send("alice@[IPv6:fd77:1::6]"))

    def test_internationalised_domain(self):
        hop = self.host("mx.there.test", "10.77.1.1")
        self.domain("xn--bcher-kva.test", ("mx.there.test", 10))
        self.relay()
        self.arrives(hop, self.send("alice@bücher.test", mail=["SMTPUTF8"]))
        self.arrives(hop, self.send("alice@xn--bcher-kva.test"))

    def test_one_connection_serves_domains_of_one_exchanger_in_turn(self):
        hop = self.host("mx.there.test", "10.77.1.1")
        for n in range(5):
            self.domain(f"d{n}.test", ("mx.there.test", 10))
        self.relay()
        self.service.send(mail.message("many"), to=[f"alice@d{n}.test" for n in range(5)])
        self.wait("all five", lambda: sum(len(m.recipients) for m in hop.taken()) == 5)


class Names(NetworkSuite):

    def test_null_mx(self):
        trap = self.host("null.test", "10.77.1.1")
        self.domain("null.test", (".", 0))
        self.relay()
        self.send("alice@null.test")
        notice = self.bounce("alice@null.test")
        self.assertEqual(notice.recipients[0]["Status"], "5.1.10")
        self.assertEqual(trap.sessions, [])

    def test_no_such_domain(self):
        self.relay()
        self.send("alice@nowhere.test")
        self.assertEqual(self.bounce("alice@nowhere.test").recipients[0]["Status"], "5.1.2")

    def test_a_domain_without_any_address(self):
        self.net.name("txt-record=empty.test,hello")
        self.relay()
        self.send("alice@empty.test")
        self.assertRegex(
            self.bounce("alice@empty.test").recipients[0]["Status"], r"^5\.(1\.2|4\.4)$")

    def test_name_server_down_and_back(self):
        hop = self.host("mx.there.test", "10.77.1.1")
        self.domain("there.test", ("mx.there.test", 10))
        relay = self.relay()
        self.net.stop_dns()
        id_ = self.send("alice@there.test")
        state = self.wait(
            "an attempt", lambda:
            (r := relay.queue_by_recipient()["alice@there.test"])["last-reply"] and r)
        self.assertEqual(state["state"], "pending")
        self.net.start_dns()
        self.arrives(hop, id_)
        self.assertEqual(self.back.messages(), [])

    def test_name_server_that_is_mute_delays_nobody(self):
        hop = self.host("there.test", "10.77.1.1")
        self.net.name("server=/mute.test/" + self.net.mute_dns("10.77.1.54"))
        relay = self.relay()
        for n in range(20):
            relay.send(mail.message(f"mute{n}"), to=[f"a@d{n}.mute.test"])
        self.arrives(hop, self.send("alice@there.test"))
        waiting = [r for m in relay.queue() for r in m["recipients"] if not r["last-reply"]]
        self.assertNotEqual(waiting, [], "it came when all the others had been given up")


class Hosts(NetworkSuite):

    def test_dead_and_slow_domains_delay_nobody(self):
        slow, good = self.host("slow.test", "10.77.1.1"), self.host("good.test", "10.77.1.2")
        slow.on("connect", HANG)
        self.net.name(f"host-record=dead.test,{self.net.black_hole('10.77.2.2')}")
        relay = self.relay(**{"connect-timeout": "5m"})
        c = relay.connect()
        c.ehlo()
        for number in range(60):
            for domain in ("slow.test", "dead.test", "good.test"):
                c.deliver("sender@here.test", [f"a@{domain}"], mail.message(f"n{number}"))
        self.wait("the good ones", lambda: len(good.taken()) == 60)

    def test_failover_of_smart_hosts_and_return(self):
        first, second = self.host("smart1.test", "10.77.1.1"), self.host("smart2.test", "10.77.1.2")
        self.net.name(f"host-record=gone.test,{self.net.black_hole('10.77.2.2')}")
        self.relay(route=smarthost("gone.test:25", "smart1.test:25", "smart2.test:25", **
                                   {"connect-timeout": "2s"}))
        self.arrives(first, self.send("alice@there.test"))
        first.stop()
        self.arrives(second, self.send("alice@there.test"))
        first.start()

        def back():
            id_ = self.send("alice@there.test")
            self.wait("either", lambda: first.find(id_) or second.find(id_))
            return first.find(id_)

        self.wait("the preferred one to be used again", back, 90)

    def test_the_network_goes_and_comes_back(self):
        hop = self.host("there.test", "10.77.1.1")
        relay = self.relay({"retry": {"schedule": "1h"}})
        self.arrives(hop, self.send("alice@there.test"))
        relay.wait_empty()
        self.net.disconnect()
        self.wait("the relay to see it", lambda: not relay.ctl_json("status")["network"])
        ids = [self.send("alice@there.test") for _ in range(5)]
        time.sleep(3)
        attempts = [r["attempts"] for m in relay.queue() for r in m["recipients"]]
        self.assertEqual(attempts, [0] * 5)
        self.net.connect()
        for id_ in ids:
            self.arrives(hop, id_)

    def test_a_connection_in_use_when_the_network_goes(self):
        hop = self.host("there.test", "10.77.1.1")
        hop.on("dot", HANG, times=1)
        relay = self.relay({"retry": {"schedule": "2s"}}, **{"reply-timeout": "3s"})
        id_ = self.send("alice@there.test")
        self.wait("the dot", lambda: hop.taken(acknowledged=False))
        self.net.disconnect()
        time.sleep(2)
        self.net.connect()
        self.arrives(hop, id_, 60)
        relay.wait_empty()


if __name__ == "__main__":
    suite.main()
