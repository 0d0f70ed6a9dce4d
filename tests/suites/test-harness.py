#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools of the suites prove themselves: clients straight to the peers and to the scripted next
hop."""

import smtplib

from lib import client, mail, peers, suite
from lib.nexthop import DROP, NextHop, Slow


class RealPeers(suite.Suite):

    def deliver(self, peer, connect=smtplib.SMTP):
        for _ in range(3):  # the first says little: processes behind it are only then begun
            id_ = mail.unique_id()
            with connect("127.0.0.1", peer.port, timeout=60) as smtp:
                refused = smtp.sendmail("sender@here.test",
                                        ["alice@there.test", "nobody@there.test"],
                                        mail.message(id_))
            self.assertEqual(list(refused), ["nobody@there.test"])
            self.assertEqual(refused["nobody@there.test"][0] // 100, 5)
            self.wait(f"{peer.name} to deliver", lambda: peer.mailbox("alice").find(id_))

    def test_postfix(self):
        self.deliver(self.started(peers.Postfix(self.work)))

    def test_exim(self):
        self.deliver(self.started(peers.Exim(self.work)))

    def test_opensmtpd(self):
        self.deliver(self.started(peers.OpenSMTPD(self.work)))

    def test_dovecot(self):
        self.deliver(self.started(peers.Dovecot(self.work)), smtplib.LMTP)


class ScriptedHop(suite.Suite):

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop())
        self.address = ("127.0.0.1", self.hop.port)

    def test_takes_a_message_octet_for_octet(self):
        text = mail.message(body=b".\r\n..two\r\n\xff\x00last")
        with smtplib.SMTP(*self.address) as smtp:
            smtp.sendmail("a@here.test", ["b@there.test"], text)
        self.assertEqual(self.hop.taken()[0].text, text + b"\r\n")

    def test_takes_chunks(self):
        c = client.Client(self.address)
        c.ehlo()
        c.command("MAIL FROM:<a@here.test>")
        c.command("RCPT TO:<b@there.test>")
        self.assertEqual(c.command(b"BDAT 4\r\nab\r\n").code, 250)
        self.assertEqual(c.command(b"BDAT 3 LAST\r\n.\r\n").code, 250)
        self.assertEqual(self.hop.taken()[0].text, b"ab\r\n.\r\n")

    def test_rules_apply_once_and_in_order(self):
        self.hop.on("rcpt", "451 4.3.0 later", match="b@",
                    times=1).on("rcpt", Slow(0.05, "550 5.1.1 no"), "b@")
        c = client.Client(self.address)
        c.ehlo()
        c.command("MAIL FROM:<a@here.test>")
        codes = [c.command(f"RCPT TO:<{who}@there.test>").code for who in "bba"]
        self.assertEqual(codes, [451, 550, 250])

    def test_what_was_taken_and_not_acknowledged_is_known(self):
        self.hop.on("dot", DROP)
        c = client.Client(self.address)
        c.ehlo()
        with self.assertRaises(ConnectionError):
            c.deliver("a@here.test", ["b@there.test"], b"x\r\n")
        self.assertEqual((len(self.hop.taken()), len(self.hop.taken(acknowledged=False))), (0, 1))


if __name__ == "__main__":
    suite.main()
