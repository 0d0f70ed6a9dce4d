#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw-socket attacks: nothing relays for strangers, no message smuggles another, no octets block,
crash or swell the service."""

import os
import random
import re
import socket

from lib import client, mail, process, suite
from lib.nexthop import NextHop
from lib.postroom import Postroom, smarthost


class AbuseSuite(suite.Suite):

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop())
        self.relay = self.started(Postroom(self.work, {"out": smarthost(self.hop)}, self.config()))

    def config(self):
        return {}

    def connect(self, source="127.0.0.1", timeout=60.0):
        c = client.Client(
            socket.create_connection(("127.0.0.1", self.relay.port), timeout,
                                     source_address=(source, 0)), timeout)
        self.addCleanup(c.close)
        c.ehlo()
        return c

    def envelope(self, c, parameters="", to="alice@there.test"):
        self.assertEqual(c.command(f"MAIL FROM:<sender@here.test>{parameters}").code, 250)
        self.assertEqual(c.command(f"RCPT TO:<{to}>").code, 250)

    def still_serves(self):
        id_ = mail.unique_id()
        self.relay.send(mail.message(id_))
        return self.wait("a good message after the attack", lambda: self.hop.find(id_))


class OpenRelay(AbuseSuite):

    def config(self):
        return {
            "access": {
                "relay-networks": "127.0.0.1/32",
                "local-domains": "local.test",
                "deny-networks": "127.0.0.66/32",
                "deny-senders": "*@*.spam.test;mallory@evil.test",
                "deny-recipients": "closed@local.test"
            },
            "server": {
                "postmaster": "me@local.test"
            }
        }

    NEVER = (
        "user@there.test",
        "user%there.test@relay.here.test",
        "there.test!user@relay.here.test",
        "@local.test:user@there.test",
        "@local.test,@relay.here.test:user@there.test",
        "user@[127.0.0.1]",
        "user@[IPv6:::1]",
        "user@[8.8.8.8]",
        "user@[IPv6:2001:db8::1]",
        '"user@local.test"@there.test',
        '"user@there.test"@relay.here.test',
        '"a b"@there.test',
        "user@sub.local.test",
        "user@evillocal.test",
        "user@local.test.there.test",
        "user@there.test.",
        "postmaster@there.test",
        "me@there.test",
        "user@relay.here.test",
        "user@localhost",
        "user@1.2.3.4",
    )
    ODD = ("user@there.test.", "user@1.2.3.4")  # may be refused for their form as well
    # A part before the @ that names another way is refused to strangers, too: who reads it next may
    # follow it
    ROUTED = ("user%there.test@local.test", '"user@there.test"@local.test',
              "there.test!user@local.test", '"a@b"@local.test', '"user%there.test"@local.test')
    MALFORMED = (
        "<user@local.test@there.test>",
        "<user@there.test@local.test>",
        "<user@there.test,user@local.test>",
        "<user@local.test>,<user@there.test>",
        "<user@local.test> <user@there.test>",
        "<<user@there.test>@local.test>",
        "user@there.test",
        "<user @there.test>",
        "<user@there.test\x00@local.test>",
        "<user@there.test\n@local.test>",
        "<user@local.test\r>",
        "<@>",
        "<user@>",
        "<@local.test>",
        "<>",
        "",
        "<user@local..test>",
        "<.user@local.test>",
        "<user@-local.test>",
        "<user@[IPv6:zz]>",
        "<user@[1.2.3]>",
        '<"user@local.test>',
        '<us"er@local.test>',
        "<user@local.test",
        "<\x7f@local.test>",
        "<" + "a" * 65 + "@local.test>",
        "<a@" + "b." * 200 + "test>",
    )

    def test_strangers_never_relay(self):
        for sender in ("a@far.test", "", "someone@local.test", "sender@here.test"):
            for path in self.NEVER:
                with self.subTest(path=path, sender=sender):
                    c = self.connect("127.0.0.9")
                    self.assertEqual(c.command(f"MAIL FROM:<{sender}>").code, 250)
                    reply = c.command(f"RCPT TO:<{path}>")
                    if not (path in self.ODD and (reply.code, reply.enhanced) == (501, "5.1.3")):
                        self.assertEqual((reply.code, reply.enhanced), (550, "5.7.1"))
                    self.assertEqual(c.command("DATA").code // 100, 5)
                    c.close()
        self.assertEqual(self.hop.sessions, [])

    def test_routed_local_parts_from_strangers(self):
        for path in self.ROUTED:
            with self.subTest(path=path):
                c = self.connect("127.0.0.9")
                c.command("MAIL FROM:<a@far.test>")
                reply = c.command(f"RCPT TO:<{path}>")
                self.assertEqual((reply.code, reply.enhanced), (550, "5.7.1"))

    def test_malformed_paths(self):
        for path in self.MALFORMED:
            with self.subTest(path=path):
                c = self.connect("127.0.0.9")
                c.command("MAIL FROM:<a@far.test>")
                reply = c.command(f"RCPT TO:{path}")
                self.assertEqual(reply.code // 100, 5, reply)
                c.close()
        self.assertEqual(self.hop.sessions, [])

    def test_names_and_verbs_give_no_rights(self):
        for name in ("relay.here.test", "localhost", "[127.0.0.1]", "local.test"):
            c = self.connect("127.0.0.9")
            c.ehlo(name)
            self.assertNotIn("XCLIENT", c.features)
            for command in ("XCLIENT ADDR=127.0.0.1", "XFORWARD ADDR=127.0.0.1",
                            "AUTH PLAIN AGEAYgBj", "TURN", "SEND FROM:<a@far.test>",
                            "SOML FROM:<a@far.test>"):
                self.assertEqual(c.command(command).code // 100, 5, command)
            c.command("MAIL FROM:<a@far.test>")
            self.assertEqual(c.command("RCPT TO:<user@there.test>").code, 550)
            c.close()

    def test_local_mail_is_taken_from_anyone(self):
        for path in ("user@local.test", "user@LOCAL.test", "@there.test,@x.test:user2@local.test",
                     '"us er"@local.test'):
            c = self.connect("127.0.0.9")
            c.command("MAIL FROM:<a@far.test>")
            self.assertEqual(c.command(f"RCPT TO:<{path}>").code, 250, path)
            self.assertEqual(c.data(mail.message()).code, 250)
            c.close()
        self.wait("all of them", lambda: len(self.hop.taken()) == 4)
        self.assertEqual(
            sorted(m.recipients[0].lower() for m in self.hop.taken()),
            ['"us er"@local.test', "user2@local.test", "user@local.test", "user@local.test"])

    def test_postmaster_is_taken_from_anyone(self):
        for path in ("postmaster", "Postmaster", "postmaster@relay.here.test"):
            c = self.connect("127.0.0.9")
            c.command("MAIL FROM:<a@far.test>")
            self.assertEqual(c.command(f"RCPT TO:<{path}>").code, 250, path)
            self.assertEqual(c.data(mail.message()).code, 250)
            c.close()
        self.wait("the postmaster's mail", lambda: len(self.hop.taken()) == 3)
        self.assertEqual({m.recipients[0] for m in self.hop.taken()}, {"me@local.test"})

    def test_denied_network(self):
        c = client.Client(
            socket.create_connection(("127.0.0.1", self.relay.port), 10,
                                     source_address=("127.0.0.66", 0)), 10, greet=False)
        replies = c.rest() if not c.send("EHLO x\r\nMAIL FROM:<a@far.test>\r\n") else []
        self.assertTrue(replies)
        self.assertEqual({reply.code // 100 for reply in replies}, {5}, replies)

    def test_denied_addresses(self):
        c = self.connect()
        for sender in ("x@a.spam.test", "mallory@evil.test", "MALLORY@EVIL.TEST"):
            reply = c.command(f"MAIL FROM:<{sender}>")
            self.assertEqual((reply.code, reply.enhanced), (550, "5.7.1"))
        c.command("MAIL FROM:<bob@evil.test>")
        self.assertEqual(c.command("RCPT TO:<closed@local.test>").code, 550)
        self.assertEqual(c.command("RCPT TO:<open@local.test>").code, 250)


EVIL = (b"MAIL FROM:<evil@here.test>\r\nRCPT TO:<victim@there.test>\r\nDATA\r\n"
        b"Subject: smuggled\r\n\r\nx\r\n.\r\n")


class Smuggling(AbuseSuite):
    # octets between two lines that some server takes for the end of data
    BARE = (b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\r\n.\r\r\n",
            b"\n.\r", b"\n\n.\n\n", b"\r\n.\r\r\n", b"\r\n\r.\r\n", b"\r\n.\n\r\n")
    OTHER = (b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\n. \r\n", b"\r\n..\r\n", b"\r\n \r\n",
             b"\x0b.\x0b", b"\x85.\x85", b"\xe2\x80\xa8.\xe2\x80\xa8")

    def attack(self, variant, c=None):
        """Sends one message with VARIANT and another inside it; the replies until the connection is
        calm."""
        c = c or self.connect()
        self.envelope(c, " BODY=8BITMIME")
        self.assertEqual(c.command("DATA").code, 354)
        c.send(b"Subject: outer\r\n\r\nfirst" + variant + EVIL)
        end = c.reply()
        self.assertEqual(c.command("NOOP").code, 250)
        return end

    def test_bare_line_ends_in_data(self):
        for variant in self.BARE:
            with self.subTest(variant=variant):
                end = self.attack(variant)
                self.assertEqual((end.code, end.enhanced), (554, "5.5.2"))
        self.still_serves()
        self.assertEqual([m.sender for m in self.hop.taken(acknowledged=False)],
                         ["sender@here.test"])

    def test_one_octet_at_a_time(self):
        c = self.connect()
        self.envelope(c)
        c.command("DATA")
        for octet in b"Subject: x\r\n\r\na\n.\r\n" + EVIL:
            c.send(bytes([octet]))
        self.assertEqual(c.reply().code, 554)
        self.assertEqual(c.command("NOOP").code, 250)

    def test_lookalikes_are_text(self):
        for variant in self.OTHER:
            with self.subTest(variant=variant):
                before = len(self.hop.taken())
                end = self.attack(variant)
                if b"\0" in variant and end.code // 100 == 5:
                    continue
                self.assertEqual(end.code, 250, end)
                self.wait("the message", lambda: len(self.hop.taken()) == before + 1)
                text = self.hop.taken()[-1].text
                self.assertIn(b"first" + re.sub(rb"\r\n\.", b"\r\n", variant), text)
                self.assertIn(b"RCPT TO:<victim@there.test>", text)

    def test_bare_line_ends_in_commands(self):
        for command in (b"NOOP\nNOOP\r\n", b"NOOP\rNOOP\r\n",
                        b"MAIL FROM:<a@here.test>\nRCPT TO:<b@there.test>\r\n", b"NOOP\r\r\n",
                        b"EHLO a\nb\r\n"):
            with self.subTest(command=command):
                c = self.connect()
                c.send(command + b"NOOP\r\n")
                self.assertEqual(c.reply().code, 500)
                self.assertEqual(c.rest(), [], "something was read behind it")

    def test_a_lone_line_feed_is_no_command(self):
        c = self.connect(timeout=1)
        c.send(b"NOOP\n")
        self.assertNotIn(250, [reply.code for reply in c.rest()])

    def test_chunks_with_bare_line_ends_do_not_leave_as_data(self):
        for variant in self.BARE:
            with self.subTest(variant=variant):
                before = len(self.hop.taken())
                c = self.connect()
                self.envelope(c)
                text = b"Subject: outer\r\n\r\nfirst" + variant + EVIL
                reply = c.command(b"BDAT %d LAST\r\n" % len(text) + text)
                self.assertEqual(c.command("NOOP").code, 250)
                if reply.code == 250:
                    self.wait("the message", lambda: len(self.hop.taken()) == before + 1)
                    message = self.hop.taken()[-1]
                    self.assertTrue(message.by == "BDAT"
                                    or not re.search(rb"(?<!\r)\n|\r(?!\n)", message.text))
                    self.assertEqual(message.sender, "sender@here.test")
                else:
                    self.assertEqual((reply.code, reply.enhanced), (554, "5.5.2"))

    def test_commands_after_a_chunk_that_was_refused(self):
        c = self.connect()
        c.send(b"BDAT %d LAST\r\n" % len(EVIL) + EVIL)
        self.assertEqual(c.reply().code, 503)
        self.assertEqual(c.command("NOOP").code, 250)

    def test_dots_are_stuffed_on_the_way_out(self):
        c = self.connect()
        self.envelope(c)
        text = b"Subject: x\r\n\r\nfirst\r\n.\r\n" + EVIL
        self.assertEqual(c.command(b"BDAT %d LAST\r\n" % len(text) + text).code, 250)
        self.wait("the message", self.hop.taken)
        self.assertTrue(self.hop.taken()[0].text.endswith(text.partition(b"\r\n\r\n")[2]))


class Legacy(Smuggling):
    """A listener that repairs line ends still ends a message at CRLF.CRLF only."""

    def config(self):
        return {"listener main": {"legacy": "true"}}

    def test_bare_line_ends_in_data(self):
        for variant in self.BARE:
            with self.subTest(variant=variant):
                before = len(self.hop.taken())
                end = self.attack(variant)
                self.assertEqual(end.code, 250, end)
                self.wait("the message", lambda: len(self.hop.taken()) == before + 1)
                message = self.hop.taken()[-1]
                self.assertIn(b"Subject: smuggled", message.text)
                self.assertEqual(message.sender, "sender@here.test")
                self.assertIsNone(re.search(rb"(?<!\r)\n|\r(?!\n)", message.text))

    def test_one_octet_at_a_time(self):
        c = self.connect()
        self.envelope(c)
        c.command("DATA")
        for octet in b"Subject: x\r\n\r\na\n.\nQUIT\nb\r\n.\r\n":
            c.send(bytes([octet]))
        self.assertEqual(c.reply().code, 250)
        self.assertEqual(c.command("NOOP").code, 250)
        self.wait("the message", self.hop.taken)
        self.assertTrue(self.hop.taken()[0].text.endswith(b"\r\n\r\na\r\n.\r\nQUIT\r\nb\r\n"))

    test_bare_line_ends_in_commands = None
    test_a_lone_line_feed_is_no_command = None
    test_chunks_with_bare_line_ends_do_not_leave_as_data = None


class Octets(AbuseSuite):

    def config(self):
        return {"server": {"max-message-size": "100K", "max-recipients": "3"}}

    def raw(self, octets, timeout=10.0):
        """All that comes back for these octets until the connection is closed or calm."""
        sock = socket.create_connection(("127.0.0.1", self.relay.port), timeout)
        self.addCleanup(sock.close)
        got = b""
        sock.settimeout(2)
        try:
            sock.sendall(octets)
            while True:
                more = sock.recv(65536)
                if not more:
                    return got, True
                got += more
        except TimeoutError:
            return got, False
        except ConnectionError:
            return got, True

    def test_http_ends_the_connection(self):
        for verb in (b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"get"):
            with self.subTest(verb=verb):
                got, closed = self.raw(verb + b" / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\n" + EVIL)
                self.assertTrue(closed)
                self.assertNotIn(b"250", got.partition(b"\r\n")[2])
        self.assertEqual(self.hop.sessions, [])

    def test_http_header_lines_as_commands(self):
        got, closed = self.raw(b"EHLO x\r\nHost: 127.0.0.1:25\r\nContent-Length: 5\r\n\r\n" + EVIL)
        self.assertTrue(closed)
        self.assertNotIn(b"354", got)

    def test_tls_hello_on_a_plain_port(self):
        hello = bytes.fromhex("16030100c8010000c40303") + os.urandom(190)
        _, closed = self.raw(hello + hello)
        del closed  # it may answer or end the connection
        self.still_serves()

    def test_garbage(self):
        chance = random.Random(5321)
        for octets in (chance.randbytes(1_000_000), b"\r\n" * 100_000, b"\0" * 100_000 + b"\r\n",
                       b"X\r\n" * 50_000, (b"\xff\xfe" * 500 + b"\r\n") * 50,
                       b"EHLO\r\nMAIL\r\nRCPT\r\nDATA\r\n" * 5000,
                       b"BDAT\r\nBDAT -1\r\nBDAT 1 2 3\r\nBDAT 0x10\r\n" * 100):
            with self.subTest(octets=octets[:10]):
                _, closed = self.raw(octets, 20)
                self.assertTrue(closed, "an endless row of errors is borne")
        self.still_serves()

    def test_endless_line_takes_no_memory(self):
        before = process.memory_kib(self.relay.pid)
        sock = socket.create_connection(("127.0.0.1", self.relay.port), 20)
        block = b"A" * 1_000_000
        try:
            for _ in range(100):
                sock.sendall(block)
        except OSError:
            pass
        self.assertLess(process.memory_kib(self.relay.pid) - before, 20_000)
        sock.close()
        self.still_serves()

    def test_long_commands(self):
        c = self.connect()
        reply = c.command("NOOP " + "x" * 500)
        self.assertEqual(reply.code, 250)
        c = self.connect()
        reply = c.command("NOOP " + "x" * 20_000)
        self.assertEqual(reply.code, 500)
        self.assertEqual(c.command("NOOP").code, 250)

    def test_endless_line_in_a_message(self):
        c = self.connect()
        self.envelope(c)
        before = process.memory_kib(self.relay.pid)
        c.command("DATA")
        for _ in range(50):
            c.send(b"x" * 1_000_000)
        self.assertLess(process.memory_kib(self.relay.pid) - before, 20_000)
        c.send("\r\n.\r\n")
        self.assertEqual(c.reply().code // 100, 5)
        self.assertEqual(c.command("NOOP").code, 250)

    def test_nul_in_commands(self):
        for command in (b"NO\0OP\r\n", b"MAIL FROM:<a\0b@here.test>\r\n", b"EHLO a\0b\r\n",
                        b"\0\r\n", b"NOOP\0\r\n"):
            c = self.connect()
            self.assertEqual(c.command(command).code // 100, 5, command)
            self.assertEqual(c.command("NOOP").code, 250)
            c.close()

    def test_octets_of_a_message_that_is_too_large_are_no_commands(self):
        c = self.connect()
        self.envelope(c)
        c.command("DATA")
        c.send(b"Subject: x\r\n\r\n" + b"RSET\r\nQUIT\r\n" * 30_000 + EVIL)
        reply = c.reply()
        self.assertEqual((reply.code, reply.enhanced), (552, "5.3.4"))
        self.assertEqual(c.command("NOOP").code, 250)
        self.still_serves()
        self.assertEqual(len(self.hop.taken(acknowledged=False)), 1)

    def test_chunks_that_are_too_large_are_no_commands(self):
        c = self.connect()
        self.envelope(c)
        evil = EVIL * 2000
        self.assertEqual(c.command(b"BDAT %d\r\n" % len(evil) + evil).code, 552)
        # RFC 3030 section 2: the transaction has failed, a further chunk is out of order
        self.assertIn(c.command(b"BDAT %d LAST\r\n" % len(EVIL) + EVIL).code, (503, 552))
        self.assertEqual(c.command("NOOP").code, 250)

    def test_chunk_sizes_beyond_reason(self):
        for size in (b"99999999999999999999999", b"18446744073709551615", b"-1", b"4294967296",
                     b"1e3", b""):
            c = self.connect()
            self.envelope(c)
            c.send(b"BDAT " + size + b" LAST\r\n" + EVIL)
            replies = []
            c.sock.settimeout(1)
            try:
                while True:
                    replies.append(c.reply().code)
            except (ConnectionError, TimeoutError):
                pass
            self.assertTrue(not replies or replies[0] // 100 == 5, (size, replies))
            c.close()
        self.still_serves()
        self.assertEqual(
            [m for m in self.hop.taken(acknowledged=False) if m.sender == "evil@here.test"], [])

    def test_too_many_recipients(self):
        c = self.connect()
        c.command("MAIL FROM:<sender@here.test>")
        codes = [c.command(f"RCPT TO:<user{n}@there.test>") for n in range(5)]
        self.assertEqual([(reply.code, reply.enhanced) for reply in codes[2:]], [(250, "2.1.5"),
                                                                                 (452, "4.5.3"),
                                                                                 (452, "4.5.3")])
        self.assertEqual(c.data(mail.message("three")).code, 250)
        self.wait("three recipients", lambda:
                  (m := self.hop.find("three")) and len(m.recipients) == 3)

    def test_parameters(self):
        for parameters, codes in (("BODY=9BIT", (501, 504, 555)), ("SIZE=abc", (501, )),
                                  ("SIZE=1 SIZE=1", (501, )), ("SIZE=-1", (501, )),
                                  ("NONSENSE", (555, )), ("NONSENSE=1", (555, )),
                                  ("RET=ALL", (501, )), ("ENVID=a+GGb", (501, )),
                                  ("SMTPUTF8=1", (501, )), ("ENVID=" + "x" * 200,
                                                            (501, )), ("AUTH=<>", (250, 501, 555))):
            c = self.connect()
            reply = c.command("MAIL FROM:<sender@here.test> " + parameters)
            self.assertIn(reply.code, codes, (parameters, reply))
            c.close()
        for parameters in ("NOTIFY=NEVER,SUCCESS", "NOTIFY=", "NOTIFY=SOMETIMES", "ORCPT=x",
                           "ORCPT=rfc822;a+zz", "NOTIFY=SUCCESS NOTIFY=DELAY",
                           "ORCPT=rfc822;" + "a" * 600):
            c = self.connect()
            c.command("MAIL FROM:<sender@here.test>")
            reply = c.command("RCPT TO:<alice@there.test> " + parameters)
            self.assertIn(reply.code, (501, 500), (parameters, reply))
            c.close()

    def test_names_do_not_break_the_trace_header(self):
        for name in ("a) by evil (b", "x;y", "[1.2.3.4]", "a" * 250, '"q"', "-",
                     "evil.test\tfor <x@y>"):
            c = self.connect()
            reply = c.ehlo(name)
            if reply.code // 100 == 2:
                id_ = mail.unique_id()
                c.deliver("sender@here.test", ["alice@there.test"], mail.message(id_))
                message = self.wait("it", lambda: self.hop.find(id_))
                trace = mail.header_values(message.text, "Received")
                self.assertEqual(len(trace), 1)
                self.assertEqual(trace[0].count(";"), 1, trace)
                self.assertEqual(trace[0].split().count("by"), 1, trace)
            c.close()

    def test_a_loop_is_ended(self):
        c = self.connect()
        self.envelope(c)
        text = b"Received: from a by b; Thu, 21 Aug 2025 12:00:00 +0000\r\n" * 120 + mail.message()
        reply = c.data(text)
        self.assertEqual((reply.code, reply.enhanced), (554, "5.4.6"))
        self.envelope(c)
        self.assertEqual(c.data(b"Received: from a by b; date\r\n" * 10 + mail.message()).code, 250)


class Limits(AbuseSuite):

    def config(self):
        return {"server": {"max-connections": "12", "max-connections-per-client": "5"}}

    def greet(self, source):
        c = client.Client(
            socket.create_connection(("127.0.0.1", self.relay.port), 10,
                                     source_address=(source, 0)), 10)
        self.addCleanup(c.close)
        return c

    def test_connections(self):
        first = [self.greet("127.0.0.1") for _ in range(6)]
        self.assertEqual([c.greeting.code for c in first], [220] * 5 + [421])
        self.assertTrue(first[5].is_closed())
        others = [self.greet(f"127.0.0.{2 + n // 4}") for n in range(8)]
        self.assertEqual([c.greeting.code for c in others], [220] * 7 + [421])
        first[0].close()
        self.wait("the place to be free again",
                  lambda: self.greet("127.0.0.1").greeting.code == 220)

    def test_the_next_ones_are_served_after_a_flood(self):
        sockets = [socket.create_connection(("127.0.0.1", self.relay.port), 10) for _ in range(300)]
        for sock in sockets:
            sock.close()
        self.wait("a greeting", lambda: self.greet("127.0.0.1").greeting.code == 220)


if __name__ == "__main__":
    suite.main()
