#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider that enforces its limits and locks who goes beyond them: never once it has to."""

import threading
import time

from lib import mail, suite
from lib.nexthop import NextHop
from lib.postroom import Postroom, smarthost


class Provider:
    """Counts by its own clock, in any window of SECONDS; whoever sends more is locked out."""

    def __init__(self, number, seconds, per_recipient=False, connections=1000):
        self.number, self.seconds = number, seconds
        self.per_recipient = per_recipient
        self.connections = connections
        self.lock = threading.Lock()
        self.went = []  # (when, how many)
        self.refusals = []
        self.most = 0  # connections at once
        self.hop = NextHop()
        self.hop.on("connect", self.greet)
        self.hop.on("dot", self.judge)

    def close(self):
        self.hop.close()

    def refuse(self, reply):
        self.refusals.append(reply)
        return reply

    def greet(self, session, argument):
        with self.lock:
            self.most = max(self.most, sum(session.commands[-1:] != ["QUIT"]
                                           for session in self.hop.open_sessions()))
            if self.most > self.connections:
                return self.refuse("421 4.3.2 Concurrent connections limit exceeded")
        return None

    def judge(self, session, argument):
        now = time.monotonic()
        count = len(argument.split()) if self.per_recipient else 1
        with self.lock:
            used = sum(n for when, n in self.went if when > now - self.seconds)
            if used + count > self.number or self.refusals:
                return self.refuse("550 5.4.5 Daily user sending limit exceeded")
            self.went.append((now, count))
        return None


class Pace(suite.Suite):

    def relay_to(self, simulator, limit, **keys):
        self.relay = self.started(
            Postroom(self.work, {"out": smarthost(simulator.hop, limit=limit, **keys)}))
        return self.relay

    def test_ten_times_the_limit(self):
        provider = self.started(Provider(5, 2))
        self.relay_to(provider, "5/2s")
        for number in range(50):
            self.relay.send(mail.message(f"n{number}"))
        self.wait("all to be delivered", lambda: len(provider.hop.taken()) == 50, 240)
        self.relay.wait_empty()
        self.assertEqual(provider.refusals, [])

    def test_order_is_kept(self):
        provider = self.started(Provider(3, 1))
        self.relay_to(provider, "3/1s", **{"max-connections": "1"})
        ids = [f"o{number}" for number in range(15)]
        for id_ in ids:
            self.relay.send(mail.message(id_))
        self.wait("all to be delivered", lambda: len(provider.hop.taken()) == 15, 240)
        found = [next(id_ for id_ in ids if f"{id_}@".encode() in message.text)
                 for message in provider.hop.taken()]
        self.assertEqual(found, ids)
        self.assertEqual(provider.refusals, [])

    def test_recipients_count(self):
        provider = self.started(Provider(6, 1, per_recipient=True))
        self.relay_to(provider, "6 recipients/1s")
        to = [f"user{n}@there.test" for n in range(4)]
        for number in range(10):
            self.relay.send(mail.message(f"r{number}"), to=to)
        self.relay.send(mail.message("many"), to=[f"user{n}@there.test" for n in range(20)])
        self.wait("all to be delivered",
                  lambda: sum(len(m.recipients) for m in provider.hop.taken()) == 60, 240)
        self.assertEqual(provider.refusals, [])

    def test_restarts_forget_nothing(self):
        provider = self.started(Provider(4, 5))
        self.relay_to(provider, "4/5s")
        for number in range(12):
            self.relay.send(mail.message(f"s{number}"))
        for count in (2, 6, 9):
            self.wait(f"{count} to be delivered",
                      lambda least=count: len(provider.hop.taken()) >= least, 240)
            self.relay.restart()
        self.wait("all to be delivered", lambda: len(provider.hop.taken()) == 12, 240)
        self.assertEqual(provider.refusals, [])

    def test_connections_at_once(self):
        provider = self.started(Provider(1000, 1, connections=3))
        self.relay_to(provider, "1000/1s", provider="microsoft365")
        for number in range(60):
            self.relay.send(mail.message(f"c{number}"))
        self.wait("all to be delivered", lambda: len(provider.hop.taken()) == 60, 240)
        self.assertLessEqual(provider.most, 3)
        self.assertEqual(provider.refusals, [])

    def test_waiting_is_told(self):
        provider = self.started(Provider(1, 3600))
        self.relay_to(provider, "1/1h")
        for number in range(2):
            self.relay.send(mail.message(f"w{number}"))
        self.wait("one to be delivered", lambda: len(provider.hop.taken()) == 1)
        reason = self.wait("the other to wait",
                           lambda: self.relay.ctl_json("route", "status", "out")[0].get("reason"))
        self.assertRegex(reason, r"^Waits until .*: this route takes 1 message an hour")
        self.assertIn("1 of 1 message an hour", self.relay.ctl("route", "status"))
        status = self.relay.ctl_json("status")
        self.assertEqual([hop["kind"] for hop in status["blocked"]], ["paced"])
        self.assertIn("allows no more for now", status["state"])

    def test_a_limit_of_the_provider_s_own(self):
        """It allows less than is known: nothing bounces, and nothing more is sent."""
        provider = self.started(Provider(2, 3600))
        self.relay_to(provider, "100/1h", provider="gmail", **{"max-connections": "1"})
        for number in range(5):
            self.relay.send(mail.message(f"p{number}"))
        self.wait("the refusal", lambda: provider.refusals)
        self.wait("the route to wait", lambda: [
            hop for hop in self.relay.ctl_json("status")["blocked"] if hop["kind"] == "paced"])
        self.assertEqual(len(provider.refusals), 1)
        self.wait("what went to leave", lambda: len(self.relay.queue()) == 3)
        self.assertEqual({r["state"] for m in self.relay.queue() for r in m["recipients"]},
                         {"pending"})


if __name__ == "__main__":
    suite.main()
