#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mail servers as next hops: Postfix, Exim, OpenSMTPD by SMTP, Dovecot by LMTP, and a maildir
of our own."""

import email.message
import email.policy
import os
import re

from lib import client, mail, peers, suite
from lib.nexthop import NextHop
from lib.postroom import Postroom, smarthost

EIGHT_BIT = "Grüße aus Köln, € 5.\r\n.\r\n..\r\n".encode()


class HopSuite(suite.Suite):

    def relay_to(self, route, **config):
        """A relay whose notices to here.test end in self.back."""
        self.back = mail.Maildir(os.path.join(self.work, "back"))
        routes = {
            "back": {
                "recipients": "*@here.test",
                "via": "maildir",
                "path": self.back.path
            },
            "out": route
        }
        self.relay = self.started(Postroom(self.work, routes, config))
        return self.relay

    def notice(self, about):
        """The delivery status notice that names an address or an id."""
        return mail.DeliveryStatus(
            self.wait(f"a notice about {about}", lambda: self.back.find(about)))

    def assert_arrived(self, box, sent, timeout=60.0):
        """The message is in the mailbox, its body unchanged (mailboxes keep bare line feeds)."""
        id_ = mail.test_id(sent)
        stored = self.wait(f"message {id_}", lambda: box.find(id_), timeout)
        self.assertEqual(mail.crlf(mail.split(stored)[1]), mail.split(sent)[1])
        trace = mail.header_values(stored, "Received")
        self.assertTrue(any("by relay.here.test" in field for field in trace), trace)
        return stored


class RealServers:
    """What each of them must get; a mix-in."""

    peer_class = None

    def setUp(self):
        super().setUp()
        self.peer = self.started(self.peer_class(self.work))
        self.relay_to(smarthost(self.peer))

    def box(self, user="alice"):
        return self.peer.mailbox(user)

    def test_messages_of_all_kinds(self):
        sent = [
            mail.message(mail.unique_id(), body=body, size=size)
            for body, size in ((b"x\r\n", 0), (EIGHT_BIT, 0), (b".\r\n..\r\n", 70_000), (b"",
                                                                                         3_000_000))
        ]
        for text in sent:
            self.relay.send(text, mail=["BODY=8BITMIME"])
        for text in sent:
            self.assert_arrived(self.box(), text)
        self.relay.wait_empty()

    def test_results_per_recipient(self):
        text = mail.message(mail.unique_id())
        self.relay.send(text, to=["alice@there.test", "nobody@there.test", "bob@there.test"])
        for user in ("alice", "bob"):
            self.assert_arrived(self.box(user), text)
        notice = self.notice("nobody@there.test")
        self.assertEqual(len(notice.recipients), 1)
        block = notice.recipient("nobody@there.test")
        self.assertEqual(block["Action"], "failed")
        self.assertRegex(block["Status"], r"^5\.")
        self.assertRegex(block["Diagnostic-Code"], r"(?s)^smtp; ?5\d\d")
        self.relay.wait_empty()
        self.assertEqual(len(self.back.messages()), 1)

    def test_a_burst_on_few_connections(self):
        ids = [mail.unique_id() for _ in range(60)]
        c = self.relay.connect()
        c.ehlo()
        for id_ in ids:
            c.deliver("sender@here.test", ["carol@there.test"], mail.message(id_))
        self.wait("all of them", lambda: sorted(self.box("carol").ids()) == sorted(ids), 60)
        self.relay.wait_empty()


class Smtp(RealServers):

    def test_success_report_comes_from_the_next_hop(self):
        """It does DSN, so NOTIFY and ENVID go on to it and Postroom itself says nothing (RFC 3461
        section 5.2.2)."""
        self.relay.send(mail.message("report-me"), mail=["RET=HDRS", "ENVID=QQ+2D1"],
                        rcpt=["NOTIFY=SUCCESS,FAILURE"])
        report = self.wait("the next hop's report",
                           lambda: self.peer.mailbox("sender").find("alice@there.test"), 40)
        status = mail.DeliveryStatus(report)
        self.assertEqual(status.recipients[0]["Action"], "delivered")
        self.relay.wait_empty()
        self.assertEqual(self.back.messages(), [])


class ToPostfix(Smtp, HopSuite):
    peer_class = peers.Postfix

    def test_smtputf8(self):
        message = email.message.EmailMessage(policy=email.policy.SMTPUTF8)
        message["From"], message["To"] = "jörg@here.test", "alice@there.test"
        message["Subject"], message["X-Test-Id"] = "Grüße", mail.unique_id()
        message.set_content("Hallo\n")
        self.relay.send(message.as_bytes(), sender="jörg@here.test",
                        mail=["SMTPUTF8", "BODY=8BITMIME"])
        stored = self.wait("it", lambda: self.box().find(message["X-Test-Id"]))
        self.assertIn("Return-Path: <jörg@here.test>".encode(), stored)


class ToExim(Smtp, HopSuite):
    peer_class = peers.Exim


class ToOpenSMTPD(RealServers, HopSuite):
    peer_class = peers.OpenSMTPD


class ToDovecot(RealServers, HopSuite):
    peer_class = peers.Dovecot

    def setUp(self):
        suite.Suite.setUp(self)
        self.peer = self.started(self.peer_class(self.work))
        self.relay_to({"via": "lmtp", "hosts": self.peer.address, "tls": "off"})

    def test_success_report_for_a_final_delivery(self):
        self.relay.send(mail.message(), rcpt=["NOTIFY=SUCCESS"])
        self.assertEqual(
            self.notice("alice@there.test").recipient("alice@there.test")["Action"], "delivered")


class ToDovecotBySocket(RealServers, HopSuite):
    peer_class = peers.Dovecot

    def setUp(self):
        suite.Suite.setUp(self)
        self.peer = self.started(self.peer_class(self.work))
        self.relay_to({"via": "lmtp", "path": self.peer.socket, "tls": "off"})

    def test_the_server_comes_late(self):
        self.peer.stop()
        text = mail.message(mail.unique_id())
        self.relay.send(text)
        self.wait("a failed attempt",
                  lambda: self.relay.queue_by_recipient()["alice@there.test"]["attempts"])
        self.peer.start()
        self.assert_arrived(self.box(), text)


class LmtpReplies(HopSuite):
    """RFC 2033: one reply for each recipient after the dot."""

    def test_each_recipient_has_its_own_result(self):
        hop = self.started(NextHop(lmtp=True))
        hop.on("dot", "452 4.2.2 full", match="bob", times=1).on("dot", "550 5.7.1 unwanted",
                                                                 match="carol")
        self.relay_to({"via": "lmtp", "hosts": hop.address, "tls": "off"})
        self.relay.send(mail.message("three"),
                        to=["alice@there.test", "bob@there.test", "carol@there.test"])
        self.assertEqual(
            self.notice("carol@there.test").recipient("carol@there.test")["Status"], "5.7.1")
        self.relay.wait_empty()
        self.assertEqual(sorted(m.recipients[0] for m in hop.taken()),
                         ["alice@there.test", "bob@there.test"])
        self.assertTrue(
            all(
                line.startswith("LHLO ") for line in hop.commands()
                if "HLO" in line or "HELO" in line))

    def test_a_drop_between_the_replies(self):
        from lib.nexthop import RESET
        hop = self.started(NextHop(lmtp=True))
        hop.on("dot", RESET, match="bob", times=1)
        self.relay_to({"via": "lmtp", "hosts": hop.address, "tls": "off"})
        self.relay.send(mail.message("three"),
                        to=["alice@there.test", "bob@there.test", "carol@there.test"])
        self.relay.wait_empty()
        self.assertEqual(sorted(m.recipients[0] for m in hop.taken()),
                         ["alice@there.test", "bob@there.test", "carol@there.test"])


class MaildirRoute(HopSuite):

    def test_delivery(self):
        path = os.path.join(self.work, "box", "new-one")
        self.relay_to({"via": "maildir", "path": path})
        box = mail.Maildir(path)
        sent = mail.message(mail.unique_id(), body=EIGHT_BIT)
        self.relay.send(sent, mail=["BODY=8BITMIME"])
        stored = self.wait("it", lambda: box.find(mail.test_id(sent)))
        self.assertEqual(mail.header_values(stored, "Return-Path"), ["<sender@here.test>"])
        self.assertEqual(mail.header_values(stored, "Delivered-To"), ["alice@there.test"])
        self.assertEqual(mail.crlf(mail.split(stored)[1]), EIGHT_BIT)
        self.assertEqual(os.listdir(os.path.join(path, "tmp")), [])
        name = os.listdir(os.path.join(path, "new"))[0]
        self.assertRegex(name, r"^\d+\.[^.:/]+\.[^:/]+$")
        self.assertEqual(os.stat(os.path.join(path, "new", name)).st_mode & 0o077, 0)
        self.relay.wait_empty()

    def test_a_null_sender_and_an_old_return_path(self):
        path = os.path.join(self.work, "box")
        self.relay_to({"via": "maildir", "path": path})
        self.relay.send(mail.message("null", headers=["Return-Path: <forged@evil.test>"]),
                        sender="")
        stored = self.wait("it", lambda: mail.Maildir(path).find("null"))
        # RFC 5321 section 4.4: the one on top is the final delivery's
        self.assertEqual(mail.header_values(stored, "Return-Path")[0], "<>")

    def test_many_at_once_and_large_ones(self):
        path = os.path.join(self.work, "box")
        self.relay_to({"via": "maildir", "path": path})
        load = client.Load(("127.0.0.1", self.relay.port), threads=6, size=100_000)
        self.wait("200 messages", lambda: len(load.acknowledged) >= 200, 60)
        load.stop()
        self.relay.wait_empty()
        stored = mail.Maildir(path).messages()
        self.assertEqual(sorted(map(mail.test_id, stored)), sorted(load.acknowledged))
        for text in stored[:20]:
            sent = mail.message(mail.test_id(text), size=100_000)
            self.assertEqual(mail.crlf(mail.split(text)[1]), mail.split(sent)[1])

    def test_a_folder_that_cannot_be_written_is_tried_again(self):
        path = os.path.join(self.work, "box")
        with open(path, "w", encoding="ascii"):
            pass
        self.relay_to({"via": "maildir", "path": path})
        self.relay.send(mail.message("later"))
        found = self.wait(
            "a failed attempt", lambda:
            (r := self.relay.queue_by_recipient()["alice@there.test"]) and r["attempts"] and r)
        self.assertEqual(found["state"], "pending")
        self.assertTrue(found["last-reply"])
        os.unlink(path)
        self.wait("the message", lambda: mail.Maildir(path).find("later"))


class Routes(HopSuite):

    def test_first_match_per_recipient(self):
        one, two = self.started(NextHop()), self.started(NextHop())
        relay = self.started(
            Postroom(
                self.work, {
                    "boss": smarthost(one, recipients="boss@there.test"),
                    "sub": smarthost(two, recipients="*@*.there.test"),
                    "nowhere": {
                        "recipients": "*@black.test",
                        "via": "discard"
                    },
                    "wait": {
                        "recipients": "*@hold.test",
                        "via": "hold"
                    },
                    "bysender": smarthost(two, senders="special@here.test"),
                    "rest": smarthost(one)
                }))
        relay.send(
            mail.message("multi"),
            to=["boss@there.test", "a@x.there.test", "b@black.test", "c@hold.test", "d@there.test"])
        relay.send(mail.message("special"), sender="special@here.test", to=["e@there.test"])
        self.wait("all", lambda: len(one.taken()) == 1 +
                  (len(one.taken()) > 1) and len(two.taken()) == 2)
        self.wait("the rest to be done", lambda: len(relay.queue()) == 1)
        self.assertEqual(sorted(r for m in one.taken() for r in m.recipients),
                         ["boss@there.test", "d@there.test"])
        self.assertEqual(sorted(r for m in two.taken() for r in m.recipients),
                         ["a@x.there.test", "e@there.test"])
        state = relay.queue_by_recipient()
        self.assertEqual(state["c@hold.test"]["route"], "wait")
        self.assertEqual(state["c@hold.test"]["state"], "pending")

    def test_without_a_route_everything_is_held(self):
        relay = self.started(Postroom(self.work))
        relay.send(mail.message("early"))
        self.assertEqual([m["state"] for m in relay.queue()], ["held"])
        hop = self.started(NextHop())
        relay.merge({"route out": smarthost(hop)})
        relay.reload()
        # Changing a route applies to queued mail at its next try
        relay.ctl("queue", "retry", "--all")
        self.wait("the message", lambda: hop.find("early"))

    def test_a_changed_route_applies_to_queued_mail(self):
        one, two = self.started(NextHop()), self.started(NextHop())
        one.on("mail", "451 4.3.0 not today")
        relay = self.started(Postroom(self.work, {"out": smarthost(one)}))
        relay.send(mail.message("moved"))
        self.wait("an attempt", lambda: relay.queue_by_recipient()["alice@there.test"]["attempts"])
        relay.merge({"route out": smarthost(two)})
        relay.reload()
        self.wait("the message at the other one", lambda: two.find("moved"))

    def test_rewrite_sender(self):
        hop = self.started(NextHop())
        relay = self.started(
            Postroom(self.work, {"out": smarthost(hop, **{"rewrite-sender": "me@provider.test"})}))
        sent = mail.message("rewritten", sender="printer@here.test")
        relay.send(sent, sender="printer@here.test")
        message = self.wait("it", lambda: hop.find("rewritten"))
        self.assertEqual(message.sender, "me@provider.test")
        text = message.text
        self.assertEqual([re.sub(r".*<|>.*", "", v) for v in mail.header_values(text, "From")],
                         ["me@provider.test"])
        self.assertEqual([re.sub(r".*<|>.*", "", v) for v in mail.header_values(text, "Reply-To")],
                         ["printer@here.test"])
        self.assertEqual(mail.split(text)[1], mail.split(sent)[1])
        # the null sender stays null: a notice must never be answered
        relay.send(mail.message("notice"), sender="")
        self.assertEqual(self.wait("it", lambda: hop.find("notice")).sender, "")

    def test_rewrite_sender_keeps_the_name_and_an_answer_address(self):
        hop = self.started(NextHop())
        relay = self.started(
            Postroom(self.work, {"out": smarthost(hop, **{"rewrite-sender": "me@provider.test"})}))
        text = mail.message("named", sender='"The Printer" <printer@here.test>',
                            headers=["Reply-To: <office@here.test>"], size=200_000)
        relay.send(text)
        got = self.wait("it", lambda: hop.find("named")).text
        self.assertIn("me@provider.test", mail.header_values(got, "From")[0])
        self.assertEqual(mail.header_values(got, "Reply-To"), ["<office@here.test>"])
        self.assertEqual(mail.split(got)[1], mail.split(text)[1])


if __name__ == "__main__":
    suite.main()
