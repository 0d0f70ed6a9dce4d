#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Next hops that are old, odd, slow, busy or hostile, played by a script."""

import socket
import threading
import time

from lib import mail, process, suite
from lib.nexthop import HANG, FULL, NextHop, Slow
from lib.postroom import Postroom, smarthost


class HopSuite(suite.Suite):

    def relay_to(self, hop, config=None, **keys):
        self.relay = self.started(Postroom(self.work, {"out": smarthost(hop, **keys)}, config))
        return self.relay

    def arrives(self, hop, id_, timeout=60.0):
        return self.wait(f"message {id_}", lambda: hop.find(id_), timeout)


class Abilities(HopSuite):

    def send_one(self, extensions, text=None, **how):
        hop = self.started(NextHop(extensions))
        self.relay_to(hop)
        self.relay.send(text or mail.message("one"), **how)
        return hop, self.arrives(hop, "one")

    def test_nothing_but_helo(self):
        hop, message = self.send_one(None, mail=["BODY=8BITMIME"], rcpt=["NOTIFY=FAILURE"])
        self.assertEqual(
            (message.sender_parameters, message.recipient_parameters["alice@there.test"]), ([], []))
        self.assertTrue(any(line.startswith("HELO relay.here.test") for line in hop.commands()))

    def test_ehlo_without_keywords(self):
        _, message = self.send_one(())
        self.assertEqual(message.sender_parameters, [])

    def test_pipelining_only_when_offered(self):
        to = [f"user{n}@there.test" for n in range(20)]
        hop, _ = self.send_one(("PIPELINING", ), to=to)
        self.assertGreater(max(s.pipelined for s in hop.sessions), 5)
        self.relay.stop()
        hop, _ = self.send_one(("8BITMIME", ), to=to)
        self.assertEqual(max(s.pipelined for s in hop.sessions), 1)

    def test_data_when_chunks_are_not_needed(self):
        _, message = self.send_one(FULL)
        self.assertIn(message.by, ("DATA", "BDAT"))

    def test_lower_case_and_odd_keywords(self):
        self.send_one(("pipelining", "size", "8bitMIME", "X-ODD a=b c", "AUTH=LOGIN", "auth",
                       "SIZE abc", "-", "é"))

    def test_limits_are_kept(self):
        hop = self.started(NextHop((*FULL, "LIMITS RCPTMAX=3 MAILMAX=2 X=y")))
        self.relay_to(hop)
        for number in range(6):
            self.relay.send(mail.message(f"limit{number}"),
                            to=[f"user{n}@there.test" for n in range(8)])
        self.wait("all", lambda: sum(len(m.recipients) for m in hop.taken()) == 48)
        self.assertLessEqual(max(len(m.recipients) for m in hop.taken()), 3)
        for session in hop.sessions:
            self.assertLessEqual(sum(line.startswith("MAIL") for line in session.commands), 2)

    def test_size_limit_of_the_hop(self):
        hop = self.started(NextHop(("SIZE 1000", )))
        self.relay_to(hop, {"server": {"postmaster": None}})
        self.relay.send(mail.message("fits"))
        self.relay.send(mail.message("big", size=5000), sender="")
        self.arrives(hop, "fits")
        self.wait(
            "the large one to fail",
            lambda: any(r["state"] == "failed" and "5.3.4" in r["last-reply"]
                        for m in self.relay.queue() for r in m["recipients"]))
        self.assertEqual(len(hop.taken(acknowledged=False)), 1)


class Replies(HopSuite):

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop())
        self.relay_to(self.hop)

    def test_mixed_recipients(self):
        self.hop.on("rcpt", "450 4.2.1 later", match="bob",
                    times=2).on("rcpt", "550 5.1.1 no", match="carol")
        self.relay.send(mail.message("mixed"),
                        to=["alice@there.test", "bob@there.test",
                            "carol@there.test"], rcpt=["NOTIFY=NEVER"])
        self.relay.wait_empty()
        self.assertEqual([m.recipients for m in self.hop.taken()],
                         [["alice@there.test"], ["bob@there.test"]])

    def test_354_although_every_recipient_was_refused(self):
        """RFC 2920 section 3.1: the client must then send an empty message and take no success from
        it."""
        self.hop.on("rcpt", "450 4.2.1 later", times=1)
        self.hop.on("data", b"354 whatever\r\n", times=1)
        self.relay.send(mail.message("only"))
        message = self.arrives(self.hop, "only")
        self.relay.wait_empty()
        self.assertEqual(len([m for m in self.hop.taken() if b"only" in m.text]), 1)
        self.assertEqual(message.recipients, ["alice@there.test"])

    def test_temporary_failure_at_every_step(self):
        for step in ("connect", "ehlo", "mail", "rcpt", "data", "dot", "quit"):
            with self.subTest(step=step):
                self.hop.clear()
                self.hop.on(step, "451 4.3.0 not now", times=1)
                self.relay.send(mail.message("temp-" + step))
                self.arrives(self.hop, "temp-" + step)
        self.relay.wait_empty()

    def test_only_250_to_the_dot_is_a_delivery(self):
        for reply in ("354 more?", "299 odd", "200 ok", "600 what", "25 short", "-", "abc",
                      "2500 long"):
            with self.subTest(reply=reply):
                self.hop.clear()
                self.hop.on("dot", reply, times=1)
                id_ = mail.unique_id()
                self.relay.send(mail.message(id_))
                self.wait("a first try",
                          lambda: id_ in str([m.text for m in self.hop.taken(acknowledged=False)]))
                if reply[:1] != "2" or reply == "25 short":
                    self.wait(
                        "a second try", lambda: len([
                            m for m in self.hop.taken(acknowledged=False) if id_.encode() in m.text
                        ]) >= 2)
        self.relay.wait_empty()

    def test_monsters(self):
        monsters = {
            "many lines": b"".join(b"250-LINE%d\r\n" % n for n in range(200)) + b"250 8BITMIME\r\n",
            "long line": b"250-" + b"x" * 5000 + b"\r\n250 8BITMIME\r\n",
        }
        for name, reply in monsters.items():
            with self.subTest(name=name):
                self.hop.clear()
                self.hop.on("ehlo", reply, times=1)
                id_ = mail.unique_id()
                self.relay.send(mail.message(id_))
                self.arrives(self.hop, id_)

    def test_endless_replies_take_no_memory(self):

        def flood(octets):

            def action(session, argument):
                return octets * (40_000_000 // len(octets))

            return action

        before = process.memory_kib(self.relay.pid)
        for octets in (b"x" * 1000, b"250-more\r\n", b"\r\n", b"\0" * 1000):
            with self.subTest(octets=octets[:10]):
                self.hop.clear()
                self.hop.on("ehlo", flood(octets), times=1)
                id_ = mail.unique_id()
                self.relay.send(mail.message(id_))
                self.arrives(self.hop, id_)
        self.assertLess(process.memory_kib(self.relay.pid) - before, 20_000)

    def test_the_last_reply_is_kept_in_bounds(self):
        self.hop.on(
            "rcpt", b"".join(b"451-4.2.1 " + b"long " * 100 + b"\r\n"
                             for _ in range(90)) + b"451 4.2.1 end\r\n")
        self.relay.send(mail.message("long"))
        state = self.wait(
            "an attempt", lambda:
            (r := self.relay.queue_by_recipient()["alice@there.test"]) and r["attempts"] and r)
        self.assertTrue(state["last-reply"].startswith("451"))
        self.assertLess(len(state["last-reply"]), 10_000)

    def test_unasked_replies_are_not_taken_for_others(self):
        """A 250 that comes early must not answer the dot."""
        self.hop.on("rcpt", b"250 2.1.5 ok\r\n354 early\r\n250 2.0.0 queued early\r\n", times=1)
        self.hop.on("dot", "451 4.3.0 no", times=1)
        self.relay.send(mail.message("early"))
        self.arrives(self.hop, "early")
        self.assertGreaterEqual(len(self.hop.taken(acknowledged=False)), 1)


class Silence(HopSuite):

    def test_a_hop_that_hangs(self):
        hop = self.started(NextHop())
        self.relay_to(hop, **{"reply-timeout": "1s", "connect-timeout": "2s"})
        for step in ("connect", "ehlo", "mail", "rcpt", "data", "dot"):
            with self.subTest(step=step):
                hop.clear()
                hop.on(step, HANG, times=1)
                self.relay.send(mail.message("hang-" + step))
                self.arrives(hop, "hang-" + step)
        self.relay.wait_empty()

    def test_slow_replies_are_borne(self):
        hop = self.started(NextHop())
        for step in ("connect", "ehlo", "mail", "rcpt", "data", "dot"):
            hop.on(step, Slow(0.5), times=1)
        self.relay_to(hop, **{"reply-timeout": "10s"})
        self.relay.send(mail.message("patient"))
        self.arrives(hop, "patient")
        self.relay.wait_empty()
        self.assertEqual(len(hop.taken()), 1)

    def test_a_hop_that_stops_reading(self):
        """Its window stays shut in the middle of a large message: the attempt ends, the message
        goes later."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        kept = []

        def serve():
            sock, _ = listener.accept()
            kept.append(sock)
            sock.sendall(b"220 x\r\n")
            for reply in (b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
                sock.recv(1000)
                sock.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        hop = self.started(NextHop())
        self.relay_to(f"127.0.0.1:{listener.getsockname()[1]}", **{"reply-timeout": "2s"})
        self.relay.send(mail.message("stuck", size=20_000_000))
        self.wait("an attempt that ended",
                  lambda: self.relay.queue_by_recipient()["alice@there.test"]["attempts"], 60)
        self.relay.merge({"route out": smarthost(hop)})
        self.relay.reload()
        self.arrives(hop, "stuck")


class Fairness(HopSuite):

    def test_a_dead_or_slow_host_delays_nobody(self):
        slow, good = self.started(NextHop()), self.started(NextHop())
        slow.on("connect", HANG)
        relay = self.started(
            Postroom(
                self.work, {
                    "slow": smarthost(slow, recipients="*@slow.test"),
                    "dead": smarthost(f"127.0.0.1:{process.free_port()}", recipients="*@dead.test"),
                    "good": smarthost(good)
                }))
        c = relay.connect()
        c.ehlo()
        for number in range(100):
            for domain in ("slow.test", "dead.test", "good.test"):
                c.deliver("sender@here.test", [f"user@{domain}"],
                          mail.message(f"fair{number}-{domain}"))
        self.wait("all of the good ones", lambda: len(good.taken()) == 100)
        self.assertEqual(slow.taken(), [])

    def test_connections_per_host(self):
        hop = self.started(NextHop())
        hop.on("dot", Slow(0.05))
        most = []
        hop.on("mail", lambda session, argument: most.append(len(hop.open_sessions())))
        self.relay_to(hop, **{"max-connections": "3", "max-messages-per-connection": "10"})
        c = self.relay.connect()
        c.ehlo()
        for number in range(90):
            c.deliver("sender@here.test", ["alice@there.test"], mail.message(f"n{number}"))
        self.wait("all", lambda: len(hop.taken()) == 90, 60)
        self.assertLessEqual(max(most), 3)
        for session in hop.sessions:
            self.assertLessEqual(sum(line.startswith("MAIL") for line in session.commands), 10)

    def test_421_backs_the_whole_host_off(self):
        hop = self.started(NextHop())
        hop.on("connect", "421 4.3.2 too busy")
        self.relay_to(hop, {"retry": {"schedule": "60s"}})
        c = self.relay.connect()
        c.ehlo()
        for number in range(50):
            c.deliver("sender@here.test", [f"user{number}@there.test"],
                      mail.message(f"busy{number}"))
        time.sleep(2)
        self.assertLess(len(hop.sessions), 30,
                        "a host that says 421 is asked once for each message")
        hop.clear()
        self.relay.ctl("queue", "retry", "--all")
        self.wait("all", lambda: len(hop.taken()) == 50, 60)


class Failover(HopSuite):

    def setUp(self):
        super().setUp()
        self.first, self.second = self.started(NextHop()), self.started(NextHop())
        self.relay = self.started(
            Postroom(
                self.work, {
                    "out":
                    smarthost(self.first, self.second, **{
                        "connect-timeout": "2s",
                        "reply-timeout": "2s"
                    })
                }))

    def test_the_preferred_one_is_used(self):
        for number in range(5):
            self.relay.send(mail.message(f"n{number}"))
            self.arrives(self.first, f"n{number}")
        self.assertEqual(self.second.sessions, [])

    def test_over_and_back(self):
        self.first.stop()
        self.relay.send(mail.message("over"))
        self.arrives(self.second, "over")
        self.first.start()

        def back():
            id_ = mail.unique_id()
            self.relay.send(mail.message(id_))
            self.wait("either", lambda: self.first.find(id_) or self.second.find(id_))
            return self.first.find(id_)

        self.wait("mail to go to the preferred one again", back, 100)

    def test_each_way_to_be_unable(self):
        for number, (step, action) in enumerate(
            (("connect", HANG), ("connect", "421 4.3.2 busy"), ("connect", "554 5.3.2 no service"),
             ("ehlo", "421 4.3.2 busy"), ("mail", "421 4.3.2 going down"), ("connect",
                                                                            b"garbage\r\n"))):
            with self.subTest(step=step, action=str(action)[:12]):
                self.first.clear()
                self.first.on(step, action)
                self.relay.send(mail.message(f"unable{number}"))
                self.arrives(self.second, f"unable{number}")
        self.relay.wait_empty()

    def test_a_refusal_of_the_recipient_is_final(self):
        """5xx from the first host is its word, not a reason to ask the next."""
        self.first.on("rcpt", "550 5.1.1 no")
        self.relay.send(mail.message("refused"), sender="", rcpt=["NOTIFY=NEVER"])
        self.wait("the attempt",
                  lambda: any(line.startswith("RCPT") for line in self.first.commands()))
        time.sleep(1)
        self.assertEqual(self.second.sessions, [])


if __name__ == "__main__":
    suite.main()
