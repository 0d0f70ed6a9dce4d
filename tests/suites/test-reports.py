#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What senders are told: bounces, delay and success notices (RFC 3461, 3464), and what becomes of
those that cannot be returned."""

import email.utils
import os
import time

from lib import mail, suite
from lib.nexthop import FULL, NextHop
from lib.postroom import Postroom, smarthost

PLAIN = tuple(word for word in FULL if word != "DSN")


class ReportSuite(suite.Suite):
    extensions = FULL
    route = {}

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop(self.extensions))
        self.back = mail.Maildir(os.path.join(self.work, "back"))

    def relay_with(self, **config):
        self.relay = self.started(
            Postroom(
                self.work, {
                    "back": {
                        "recipients": "*@here.test",
                        "via": "maildir",
                        "path": self.back.path
                    },
                    "out": smarthost(self.hop)
                }, config))
        return self.relay

    def notices(self, count):
        """That many notices, and no more once the queue is empty."""
        self.wait(f"{count} notices", lambda: len(self.back.messages()) >= count)
        self.relay.wait_empty()
        texts = self.back.messages()
        self.assertEqual(len(texts), count)
        return [mail.DeliveryStatus(text) for text in texts]


class Bounces(ReportSuite):

    def setUp(self):
        super().setUp()
        self.hop.on("rcpt", "550 5.1.1 <bob@there.test>: no such user here", match="<bob")
        self.relay_with()

    def test_all_of_rfc_3464(self):
        sent = mail.message(mail.unique_id(), body=b"The body.\r\n", headers=["Subject: Invoice"])
        self.relay.send(sent, to=["alice@there.test", "bob@there.test"],
                        mail=["ENVID=QQ+2D1", "RET=FULL"], rcpt=["ORCPT=rfc822;Old@name.test"])
        notice, = self.notices(1)
        message = notice.message
        self.assertEqual(message["Return-Path"], "<>")
        self.assertEqual(email.utils.parseaddr(message["To"])[1], "sender@here.test")
        self.assertTrue(message["From"] and message["Subject"] and message["Message-ID"])
        self.assertIsNotNone(email.utils.parsedate_to_datetime(message["Date"]))
        self.assertRegex(message["Auto-Submitted"], r"^auto-(replied|generated)")
        self.assertEqual(message["MIME-Version"], "1.0")
        for word in ("bob@there.test", "no such user here"):
            self.assertIn(word, notice.human)
        self.assertNotIn("alice", notice.human)
        self.assertEqual(notice.per_message["Reporting-MTA"].replace(" ", ""),
                         "dns;relay.here.test")
        self.assertEqual(notice.per_message["Original-Envelope-Id"], "QQ-1")
        self.assertIsNotNone(email.utils.parsedate_to_datetime(notice.per_message["Arrival-Date"]))
        self.assertEqual(len(notice.recipients), 1)
        block = notice.recipient("bob@there.test")
        self.assertEqual((block["Action"], block["Status"]), ("failed", "5.1.1"))
        self.assertIn("550 5.1.1", block["Diagnostic-Code"])
        self.assertTrue(block["Diagnostic-Code"].lower().startswith("smtp;"))
        self.assertTrue(block["Remote-MTA"].startswith("dns;"))
        self.assertEqual(block["Original-Recipient"].replace(" ", ""), "rfc822;Old@name.test")
        self.assertEqual(notice.returned.get_content_type(), "message/rfc822")
        self.assertEqual(mail.crlf(notice.text).count(b"The body.\r\n"), 1)
        self.assertEqual([m.recipients for m in self.hop.taken()], [["alice@there.test"]])

    def test_return_headers_only(self):
        self.relay.send(mail.message(body=b"secret body\r\n", headers=["X-Odd: yes"]),
                        to=["bob@there.test"], mail=["RET=HDRS"])
        notice, = self.notices(1)
        self.assertIn(notice.returned.get_content_type(),
                      ("text/rfc822-headers", "message/rfc822-headers"))
        self.assertNotIn(b"secret body", notice.text)
        self.assertIn(b"X-Odd: yes", notice.text)

    def test_a_large_message_comes_back_as_headers(self):
        self.relay.send(mail.message(size=3_000_000, headers=["X-Odd: yes"]), to=["bob@there.test"])
        notice, = self.notices(1)
        self.assertIn(b"X-Odd: yes", notice.text)
        self.assertLess(len(notice.text), 3_100_000)

    def test_several_failures_in_one_notice(self):
        to = [f"bob{n}@there.test" for n in range(5)]
        self.relay.send(mail.message(), to=to)
        notices = self.notices(1)
        self.assertEqual(len(notices[0].recipients), 5)

    def test_8bit_text_comes_back(self):
        body = "Grüße €\r\n".encode()
        self.relay.send(
            mail.message(
                body=body, headers=[
                    "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
                    "Content-Transfer-Encoding: 8bit"
                ]), to=["bob@there.test"], mail=["BODY=8BITMIME"])
        notice, = self.notices(1)
        returned = notice.returned.get_payload(0)
        self.assertEqual(mail.crlf(returned.get_payload(decode=True)), body)

    def test_hostile_reply_does_not_break_the_notice(self):
        self.hop.clear()
        self.hop.on(
            "rcpt", b"550-5.1.1 --boundary\r\n550-5.1.1 \xff\xfe\x01\x1b[31m\r\n550 5.1.1 " +
            b"y" * 400 + b"\r\n")
        self.relay.send(mail.message(), to=["bob@there.test"])
        notice, = self.notices(1)
        self.assertEqual(notice.recipient("bob@there.test")["Status"], "5.1.1")
        self.assertNotIn(b"\x1b", notice.text)
        self.assertLessEqual(max(map(len, notice.text.splitlines())), 998)

    def test_at_every_step(self):
        for number, step in enumerate(("mail", "data", "dot")):
            with self.subTest(step=step):
                self.hop.clear()
                self.hop.on(step, "554 5.7.1 go away")
                self.relay.send(mail.message(f"step-{step}"))
                notice = self.notices(number + 1)[-1]
                self.assertEqual(notice.recipient("alice@there.test")["Status"], "5.7.1")

    def test_status_without_an_enhanced_code(self):
        self.hop.clear()
        self.hop.on("rcpt", "550 no")
        self.relay.send(mail.message(), to=["bob@there.test"])
        self.assertRegex(self.notices(1)[0].recipient("bob@there.test")["Status"], r"^5\.\d\.\d$")


class Notify(ReportSuite):

    def test_never(self):
        self.hop.on("rcpt", "550 5.1.1 no")
        self.relay_with()
        self.relay.send(mail.message(), rcpt=["NOTIFY=NEVER"])
        self.relay.send(mail.message(), rcpt=["NOTIFY=SUCCESS,DELAY"])
        self.relay.wait_empty()
        self.assertEqual(self.back.messages(), [])

    def test_relayed_to_a_hop_without_dsn(self):
        self.hop.extensions = PLAIN
        self.relay_with()
        self.relay.send(mail.message(body=b"secret body\r\n"), mail=["ENVID=abc"],
                        rcpt=["NOTIFY=SUCCESS"])
        notice, = self.notices(1)
        block = notice.recipient("alice@there.test")
        self.assertEqual(block["Action"], "relayed")
        self.assertRegex(block["Status"], r"^2\.")
        self.assertEqual(notice.per_message["Original-Envelope-Id"], "abc")
        # RFC 3461 section 6.2: success reports need not carry the body back
        self.assertNotIn(b"secret body", notice.text)
        commands = " ".join(self.hop.commands())
        for word in ("NOTIFY", "ENVID", "ORCPT", "RET="):
            self.assertNotIn(word, commands)

    def test_hop_with_dsn_gets_it(self):
        self.relay_with()
        self.relay.send(mail.message("dsn"), rcpt=["NOTIFY=SUCCESS,FAILURE"])
        message = self.wait("it", lambda: self.hop.find("dsn"))
        self.assertIn("NOTIFY=SUCCESS,FAILURE", message.recipient_parameters["alice@there.test"])
        self.relay.wait_empty()
        self.assertEqual(self.back.messages(), [])

    def test_delivered_to_a_maildir(self):
        self.relay_with()
        self.relay.send(mail.message("mine"), to=["someone@here.test"], rcpt=["NOTIFY=SUCCESS"])
        self.wait("message and notice", lambda: len(self.back.messages()) == 2)
        notice = next(text for text in self.back.messages() if b"multipart/report" in text)
        self.assertEqual(
            mail.DeliveryStatus(notice).recipient("someone@here.test")["Action"], "delivered")


class Delays(ReportSuite):

    def setUp(self):
        super().setUp()
        self.hop.on("rcpt", "451 4.2.1 mailbox is busy")

    def test_one_warning_then_delivery(self):
        self.relay_with(retry={"schedule": "1s", "warn-after": "2s", "give-up": "1h"})
        self.relay.send(mail.message("slow"))
        self.wait("the warning", self.back.messages)
        time.sleep(3)
        texts = self.back.messages()
        self.assertEqual(len(texts), 1)
        block = mail.DeliveryStatus(texts[0]).recipient("alice@there.test")
        self.assertEqual(block["Action"], "delayed")
        self.assertRegex(block["Status"], r"^4\.")
        self.assertIn("451 4.2.1", block["Diagnostic-Code"])
        self.assertIsNotNone(email.utils.parsedate_to_datetime(block["Will-Retry-Until"]))
        self.hop.clear()
        self.wait("the message", lambda: self.hop.find("slow"))
        self.relay.wait_empty()
        self.assertEqual(len(self.back.messages()), 1)

    def test_no_warning_for_those_who_did_not_ask(self):
        self.relay_with(retry={"schedule": "1s", "warn-after": "1s", "give-up": "1h"})
        self.relay.send(mail.message(), rcpt=["NOTIFY=FAILURE"])
        self.relay.send(mail.message(), rcpt=["NOTIFY=NEVER"])
        self.relay.send(mail.message(), sender="")
        self.wait("attempts",
                  lambda: all(m["recipients"][0]["attempts"] > 3 for m in self.relay.queue()))
        self.assertEqual(self.back.messages(), [])

    def test_give_up(self):
        self.relay_with(retry={"schedule": "1s", "warn-after": "0", "give-up": "3s"})
        self.relay.send(mail.message())
        notice, = self.notices(1)
        block = notice.recipient("alice@there.test")
        self.assertEqual(block["Action"], "failed")
        self.assertRegex(block["Status"], r"^[45]\.")
        self.assertIn("mailbox is busy", notice.human)

    def test_retry_times(self):
        self.relay_with(retry={"schedule": "1s;2s;100s", "warn-after": "0", "give-up": "1h"})
        self.relay.send(mail.message())
        state = self.wait(
            "the third attempt", lambda:
            (r := self.relay.queue_by_recipient()["alice@there.test"])["attempts"] == 3 and r, 30)
        due = time.mktime(time.strptime(state["next-attempt"][:19],
                                        "%Y-%m-%dT%H:%M:%S")) - time.timezone
        self.assertAlmostEqual(due - time.time(), 100, delta=60)  # with jitter
        self.assertEqual(state["state"], "pending")
        self.assertIn("451 4.2.1 mailbox is busy", state["last-reply"])


class NoReturn(ReportSuite):
    """What cannot be returned to anybody."""

    def setUp(self):
        super().setUp()
        self.hop.on("rcpt", "550 5.1.1 no such user", match="there.test")

    def test_null_sender_goes_to_the_postmaster(self):
        self.relay_with(server={"postmaster": "root@here.test"})
        self.relay.send(mail.message("lost"), sender="")
        self.wait("a word to the postmaster", self.back.messages)
        self.relay.wait_empty()
        text, = self.back.messages()
        self.assertEqual(mail.header_values(text, "Delivered-To"), ["root@here.test"])
        self.assertEqual(mail.header_values(text, "Return-Path"), ["<>"])
        self.assertIn(b"alice@there.test", text)

    def test_a_bounce_that_bounces_goes_to_the_postmaster(self):
        self.relay_with(server={"postmaster": "root@here.test"})
        self.relay.send(mail.message("forged"), sender="nobody@there.test")
        self.wait("a word to the postmaster", self.back.messages)
        self.relay.wait_empty()
        self.assertEqual(len(self.back.messages()), 1)
        senders = [line for line in self.hop.commands() if line.startswith("MAIL")]
        self.assertTrue(senders[-1].startswith("MAIL FROM:<>"), senders)

    def test_without_a_postmaster_it_stays_visible(self):
        self.relay_with()
        self.relay.send(mail.message("lost"), sender="")
        self.wait(
            "it to fail visibly", lambda: self.relay.queue_by_recipient().get(
                "alice@there.test", {}).get("state") == "failed")
        self.assertEqual(self.back.messages(), [])
        self.relay.restart()
        self.assertEqual(self.relay.queue_by_recipient()["alice@there.test"]["state"], "failed")
        self.relay.ctl("queue", "delete", self.relay.queue()[0]["id"])
        self.assertEqual(self.relay.queue(), [])

    def test_a_postmaster_who_cannot_be_reached_ends_it(self):
        self.relay_with(server={"postmaster": "root@there.test"})
        self.relay.send(mail.message("lost"), sender="")
        self.wait(
            "calm", lambda: all(r["state"] == "failed" for m in self.relay.queue()
                                for r in m["recipients"]) and self.hop.commands(), 30)
        count = len(self.hop.commands())
        time.sleep(3)
        self.assertLess(len(self.hop.commands()) - count, 12, "notices go round in circles")


class Conversion(ReportSuite):
    """RFC 6152 section 3 and RFC 6531 section 3.1: what the next hop cannot take is converted or
    returned."""

    extensions = ("PIPELINING", "SIZE", "ENHANCEDSTATUSCODES", "DSN")
    MIME = [
        "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit"
    ]

    def setUp(self):
        super().setUp()
        self.relay_with()

    def taken(self, id_):
        message = self.wait("the message", lambda: self.hop.find(id_))
        self.assertTrue(message.text.isascii(), "8-bit octets went to a hop without 8BITMIME")
        self.assertNotIn("BODY=8BITMIME", message.sender_parameters)
        return mail.parse(message.text)

    def test_8bit_text(self):
        body = ("Grüße € " * 50 + "\r\n.\r\n").encode() * 20
        self.relay.send(mail.message("text", body=body, headers=self.MIME), mail=["BODY=8BITMIME"])
        message = self.taken("text")
        self.assertIn(message["Content-Transfer-Encoding"], ("quoted-printable", "base64"))
        self.assertEqual(mail.crlf(message.get_payload(decode=True)), body)
        self.assertEqual(len(message.get_all("Content-Transfer-Encoding")), 1)

    def test_8bit_without_a_declaration(self):
        self.relay.send(mail.message("bare", body="naïve\r\n".encode("latin-1")),
                        mail=["BODY=8BITMIME"])
        message = self.taken("bare")
        self.assertEqual(mail.crlf(message.get_payload(decode=True)), "naïve\r\n".encode("latin-1"))

    def test_multipart(self):
        binary = bytes(range(128, 256)) * 3
        body = (
            b"preamble\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: 8bit\r\n\r\n"
            + "Grüße\r\n".encode() +
            b"--b\r\nContent-Type: application/x-odd\r\nContent-Transfer-Encoding: 8bit\r\n"
            b"\r\n" + binary + b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nseven\r\n--b--\r\n")
        self.relay.send(
            mail.message("parts", body=body,
                         headers=["MIME-Version: 1.0",
                                  "Content-Type: multipart/mixed; boundary=b"]),
            mail=["BODY=8BITMIME"])
        first, second, third = self.taken("parts").iter_parts()
        self.assertEqual(first.get_content().strip(), "Grüße")
        self.assertEqual(second.get_payload(decode=True), binary)
        self.assertEqual(third.get_content().strip(), "seven")

    def test_seven_bit_text_is_left_alone(self):
        sent = mail.message("seven", body=b"only seven\r\n", headers=self.MIME)
        self.relay.send(sent, mail=["BODY=8BITMIME"])
        self.assertTrue(self.wait("it", lambda: self.hop.find("seven")).text.endswith(sent))

    def test_binary_by_chunks(self):
        binary = bytes(range(256)) * 10
        text = mail.message(
            "binary", body=binary, headers=[
                "MIME-Version: 1.0", "Content-Type: application/octet-stream",
                "Content-Transfer-Encoding: binary"
            ])
        c = self.relay.connect()
        c.ehlo()
        c.command("MAIL FROM:<sender@here.test> BODY=BINARYMIME")
        c.command("RCPT TO:<alice@there.test>")
        self.assertEqual(c.command(b"BDAT %d LAST\r\n" % len(text) + text).code, 250)
        message = self.taken("binary")
        self.assertEqual(message["Content-Transfer-Encoding"], "base64")
        self.assertEqual(message.get_payload(decode=True), binary)

    def test_large_8bit_text(self):
        line = ("é" * 30 + "\r\n").encode()
        body = line * 50_000
        self.relay.send(mail.message("large", body=body, headers=self.MIME), mail=["BODY=8BITMIME"])
        self.assertEqual(mail.crlf(self.taken("large").get_payload(decode=True)), body)

    def test_smtputf8_that_cannot_be_expressed(self):
        self.relay.send(mail.message("utf8", to="δοκιμή@there.test"), to=["δοκιμή@there.test"],
                        mail=["SMTPUTF8"])
        notice, = self.notices(1)
        self.assertEqual(notice.recipients[0]["Status"], "5.6.7")
        self.assertEqual(self.hop.taken(), [])

    def test_smtputf8_with_nothing_beyond_ascii(self):
        self.relay.send(mail.message("plain"), mail=["SMTPUTF8"])
        message = self.wait("it", lambda: self.hop.find("plain"))
        self.assertNotIn("SMTPUTF8", message.sender_parameters)


if __name__ == "__main__":
    suite.main()
