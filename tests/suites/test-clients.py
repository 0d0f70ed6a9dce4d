#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients hand mail to Postroom, and every octet arrives at the next hop."""

import email.message
import email.policy
import email.utils
import json
import os
import re
import shutil
import smtplib
import subprocess

from lib import client, mail, suite
from lib.nexthop import FULL, NextHop
from lib.postroom import Postroom, smarthost

KEYWORDS = {
    "SIZE", "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "CHUNKING",
    "BINARYMIME", "LIMITS"
}

HARD_BODY = (b".\r\n..\r\n...three\r\n.leading\r\ntrailing.\r\n\r\n \r\n\ttab\r\nFrom here\r\n" +
             b"x" * 990 + b"\r\n\r\n\r\n")
EIGHT_BIT = "Grüße aus Köln, € 5\r\n".encode() + bytes(range(0xa0, 0x100)) + b"\r\n"


class ClientSuite(suite.Suite):
    extensions = FULL

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop(self.extensions))
        self.relay = self.started(Postroom(self.work, {"out": smarthost(self.hop)}, self.config()))

    def config(self):
        return {}

    def arrived(self, id_, timeout=60.0):
        return self.wait(f"message {id_} at the next hop", lambda: self.hop.find(id_), timeout)

    def without_trace(self, text):
        """The message below Postroom's own header field, which must be the first and only
        addition."""
        found = re.match(rb"Received: [^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", text)
        self.assertTrue(found, f"no trace header on top: {text[:300]!r}")
        return text[found.end():]

    def assert_same(self, message, sent):
        got = self.without_trace(message.text)
        if got != sent:
            at = next((i for i, (a, b) in enumerate(zip(got, sent)) if a != b),
                      min(len(got), len(sent)))
            self.fail(
                f"{len(sent)} octets sent, {len(got)} arrived; they differ at {at}: "
                f"sent {sent[max(0, at - 60):at + 60]!r}, got {got[max(0, at - 60):at + 60]!r}")

    def run_client(self, command, stdin=b""):
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False,
                              env={
                                  **os.environ, "HOME": self.work,
                                  "LC_ALL": "C.UTF-8"
                              })
        self.assertEqual(done.returncode, 0,
                         f"{command[0]}: {done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout.decode()


class Programs(ClientSuite):

    def program(self, name):
        self.require(shutil.which(name), f"{name} is not installed")
        return name

    def swaks(self, *words):
        return self.run_client([
            self.program("swaks"), "--server", f"127.0.0.1:{self.relay.port}", "--from",
            "sender@here.test", "--helo", "client.here.test", *words
        ])

    def test_swaks(self):
        id_ = mail.unique_id()
        path = os.path.join(self.work, "message")
        sent = mail.message(id_, body=HARD_BODY)
        with open(path, "wb") as file:
            file.write(sent.replace(b"\r\n", b"\n"))
        said = self.swaks("--to", "alice@there.test,bob@there.test", "--data", "@" + path)
        self.assertRegex(said, r"<-\s+250 2\.\d\.\d ")
        message = self.arrived(id_)
        self.assertEqual(message.recipients, ["alice@there.test", "bob@there.test"])
        # swaks itself adds a line end at the end of its data
        self.assert_same(message,
                         sent + (b"\r\n" if message.text.endswith(b"\r\n\r\n\r\n\r\n") else b""))

    def test_swaks_pipelined_with_attachment(self):
        id_ = mail.unique_id()
        path = os.path.join(self.work, "picture.png")
        with open(path, "wb") as file:
            file.write(os.urandom(300_000))
        self.swaks("--to", "alice@there.test", "--pipeline", "--header", "X-Test-Id: " + id_,
                   "--attach", "@" + path)
        parts = list(mail.parse(self.arrived(id_).text).walk())
        with open(path, "rb") as file:
            self.assertEqual(parts[-1].get_payload(decode=True), file.read())

    def test_curl(self):
        id_ = mail.unique_id()
        path = os.path.join(self.work, "message")
        sent = mail.message(id_, body=HARD_BODY + EIGHT_BIT)
        with open(path, "wb") as file:
            file.write(sent)
        self.run_client([
            self.program("curl"), "-sS", f"smtp://127.0.0.1:{self.relay.port}/client.here.test",
            "--mail-from", "sender@here.test", "--mail-rcpt", "alice@there.test", "--mail-rcpt",
            "bob@there.test", "--upload-file", path
        ])
        message = self.arrived(id_)
        self.assertEqual(message.recipients, ["alice@there.test", "bob@there.test"])
        self.assert_same(message, sent)

    def test_msmtp(self):
        id_ = mail.unique_id()
        sent = mail.message(id_, body=HARD_BODY)
        self.run_client([
            self.program("msmtp"), "--host=127.0.0.1", f"--port={self.relay.port}", "--tls=off",
            "--auth=off", "--domain=client.here.test", "--from=sender@here.test", "alice@there.test"
        ], sent.replace(b"\r\n", b"\n"))
        self.assert_same(self.arrived(id_), sent)

    def test_nodemailer(self):
        self.program("node")
        modules = os.path.join(suite.PEERS, "node", "node_modules")
        self.require(os.path.isdir(modules),
                     "nodemailer is not there: run tests/suites/fetch-peers")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients",
                              "nodemailer.js")
        id_ = mail.unique_id()
        said = self.run_client(
            ["node", script, modules, "127.0.0.1",
             str(self.relay.port), id_, "20"])
        self.assertEqual([reply[:3] for reply in json.loads(said)], ["250"] * 20)
        for number in range(20):
            message = self.arrived(f"{id_}-{number}\r")
            self.assertIn("ENVID=env-" + str(number), message.sender_parameters)
            self.assertIn("NOTIFY=FAILURE,DELAY", message.recipient_parameters["bob@there.test"])
            parsed = mail.parse(message.text)
            self.assertEqual(parsed["Subject"], f"Grüße {number}")
            plain = parsed.get_body(("plain", )).get_content()
            self.assertEqual("\n".join(plain.splitlines()), "Plain: äöü €\n.\n..dots")
            attachment = next(parsed.iter_attachments())
            self.assertEqual(attachment.get_payload(decode=True), bytes(range(256)))


class PythonSmtplib(ClientSuite):

    def smtp(self):
        return smtplib.SMTP("127.0.0.1", self.relay.port, "client.here.test", timeout=60)

    def test_octet_for_octet(self):
        for body in (HARD_BODY, EIGHT_BIT, b"", b"no line end", b"\r\n", b".\r\n", b"..",
                     b"a\r\n." + b"\r\n" * 300):
            with self.subTest(body=body[:20]):
                id_ = mail.unique_id()
                sent = mail.message(id_, body=body)
                self.relay.send(sent, mail=["BODY=8BITMIME"])
                self.assert_same(self.arrived(id_),
                                 sent if sent.endswith(b"\r\n") else sent + b"\r\n")

    def test_large_message(self):
        id_ = mail.unique_id()
        sent = mail.message(id_, body=b".dot\r\n" * 1000, size=30_000_000)
        self.relay.send(sent)
        self.assert_same(self.arrived(id_, 60), sent)

    def test_many_messages_on_one_connection(self):
        ids = [mail.unique_id() for _ in range(300)]
        with self.smtp() as smtp:
            for id_ in ids:
                smtp.sendmail("sender@here.test", ["alice@there.test"], mail.message(id_))
        self.wait("all to arrive", lambda: len(self.hop.taken()) >= 300, 60)
        self.assertEqual(sorted(mail.test_id(m.text) for m in self.hop.taken()), sorted(ids))
        self.assertLess(len(self.hop.sessions), 100, "connections to the next hop are not reused")

    def test_keywords_and_small_verbs(self):
        with self.smtp() as smtp:
            smtp.ehlo()
            self.assertLessEqual(KEYWORDS, {keyword.upper() for keyword in smtp.esmtp_features})
            self.assertEqual(smtp.esmtp_features["size"], str(50 << 20))
            self.assertEqual(smtp.noop()[0], 250)
            self.assertEqual(smtp.rset()[0], 250)
            self.assertIn(smtp.verify("alice@there.test")[0], (250, 252))
            self.assertIn(smtp.expn("list")[0], (252, 502, 550))
            self.assertIn(smtp.docmd("HELP")[0], (211, 214))
            self.assertEqual(smtp.docmd("ETRN there.test")[0] // 100, 5)

    def test_smtputf8(self):
        message = email.message.EmailMessage(policy=email.policy.SMTPUTF8)
        message["From"], message["To"] = "jörg@büro.test", "δοκιμή@παράδειγμα.test"
        message["Subject"], message["X-Test-Id"] = "Grüße", mail.unique_id()
        message.set_content("Hallo\n", charset="utf-8", cte="8bit")
        with self.smtp() as smtp:
            smtp.send_message(message)
        taken = self.arrived(message["X-Test-Id"])
        self.assertEqual(taken.recipients[0].partition("@")[0], "δοκιμή")
        self.assertIn("SMTPUTF8", [p.upper() for p in taken.sender_parameters])
        self.assertRegex(taken.text.partition(b"\r\nFrom:")[0], rb"with UTF8SMTP")
        self.assertIn("To: δοκιμή@παράδειγμα.test\r\n".encode(), taken.text)

    def test_address_beyond_ascii_needs_smtputf8(self):
        c = self.relay.connect()
        c.ehlo()
        reply = c.command("MAIL FROM:<jörg@here.test>".encode() + b"\r\n")
        self.assertEqual((reply.code, reply.enhanced), (553, "5.6.7"))

    def test_parameters_are_passed_on(self):
        id_ = mail.unique_id()
        self.relay.send(mail.message(id_, body=EIGHT_BIT),
                        mail=["BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159+2D"],
                        rcpt=["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Bob+2Bx@there.test"])
        message = self.arrived(id_)
        parameters = {p.upper() for p in message.sender_parameters}
        self.assertLessEqual({"BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159+2D"}, parameters)
        # RFC 1870 counts octets with CRLF; dots that were stuffed do not count
        size = next(int(p[5:]) for p in parameters if p.startswith("SIZE="))
        self.assertEqual(size, len(message.text))
        recipient = message.recipient_parameters["alice@there.test"]
        self.assertIn("ORCPT=rfc822;Bob+2Bx@there.test", recipient)
        self.assertEqual({p
                          for p in recipient if p.startswith("NOTIFY=")} & {"NOTIFY=SUCCESS,DELAY"},
                         {"NOTIFY=SUCCESS,DELAY"})

    def test_one_transaction_for_all_recipients(self):
        id_ = mail.unique_id()
        to = [f"user{n}@there.test" for n in range(150)]
        self.relay.send(mail.message(id_), to=to)
        self.wait("all recipients", lambda: sum(len(m.recipients) for m in self.hop.taken()) == 150)
        self.assertEqual([r for m in self.hop.taken() for r in m.recipients], to)
        self.assertLessEqual(len(self.hop.taken()), 2)

    def test_null_sender(self):
        id_ = mail.unique_id()
        self.relay.send(mail.message(id_), sender="")
        self.assertEqual(self.arrived(id_).sender, "")


class ByHand(ClientSuite):

    def connect(self):
        c = self.relay.connect()
        self.addCleanup(c.close)
        self.assertEqual(c.greeting.code, 220)
        self.assertTrue(c.greeting.text.startswith("relay.here.test "), c.greeting)
        self.assertEqual(c.ehlo().code, 250)
        return c

    def envelope(self, c, parameters=""):
        self.assertEqual(c.command("MAIL FROM:<sender@here.test>" + parameters).code, 250)
        self.assertEqual(c.command("RCPT TO:<alice@there.test>").code, 250)

    def test_pipelined_in_one_write(self):
        c = self.connect()
        ids = [mail.unique_id() for _ in range(3)]
        # RFC 2920: DATA ends a group, so a client waits for 354
        c.send(
            "MAIL FROM:<sender@here.test>\r\nRCPT TO:<alice@there.test>\r\n"
            "RCPT TO:<b@there.test>\r\nDATA\r\n"
        )
        self.assertEqual([c.reply().code for _ in range(4)], [250, 250, 250, 354])
        c.send(
            client.stuff(mail.message(ids[0])) + b"MAIL FROM:<sender@here.test>\r\n"
            b"RCPT TO:<alice@there.test>\r\nDATA\r\n")
        self.assertEqual([c.reply().code for _ in range(4)], [250, 250, 250, 354])
        c.send(client.stuff(mail.message(ids[1])) + b"NOOP\r\nRSET\r\nQUIT\r\n")
        self.assertEqual([c.reply().code for _ in range(4)], [250, 250, 250, 221])
        self.assertTrue(c.is_closed())
        for id_ in ids[:2]:
            self.arrived(id_)

    def test_chunks(self):
        c = self.connect()
        self.envelope(c)
        id_ = mail.unique_id()
        sent = mail.message(id_, body=HARD_BODY)
        for start in range(0, len(sent), 100):
            chunk = sent[start:start + 100]
            reply = c.command(b"BDAT %d\r\n" % len(chunk) + chunk)
            self.assertEqual((reply.code, reply.enhanced), (250, "2.0.0"))
        self.assertEqual(c.command(b"BDAT 0 LAST\r\n").code, 250)
        self.assert_same(self.arrived(id_), sent)

    def test_chunks_pipelined(self):
        c = self.connect()
        id_ = mail.unique_id()
        sent = mail.message(id_)
        half = len(sent) // 2
        c.send(b"MAIL FROM:<sender@here.test>\r\nRCPT TO:<alice@there.test>\r\n" +
               b"BDAT %d\r\n" % half + sent[:half] + b"BDAT %d LAST\r\n" % (len(sent) - half) +
               sent[half:] + b"QUIT\r\n")
        self.assertEqual([c.reply().code for _ in range(5)], [250, 250, 250, 250, 221])
        self.assert_same(self.arrived(id_), sent)

    def test_binary(self):
        c = self.connect()
        self.envelope(c, " BODY=BINARYMIME")
        id_ = mail.unique_id()
        sent = mail.message(
            id_, headers=[
                "MIME-Version: 1.0", "Content-Type: application/octet-stream",
                "Content-Transfer-Encoding: binary"
            ], body=bytes(range(256)) * 40 + b"\n.\n\r.\r\r\n.\r\nQUIT\r\n" + b"y" * 5000)
        self.assertEqual(c.command(b"BDAT %d LAST\r\n" % len(sent) + sent).code, 250)
        message = self.arrived(id_)
        self.assertEqual(message.by, "BDAT")
        self.assertIn("BODY=BINARYMIME", message.sender_parameters)
        self.assert_same(message, sent)

    def test_binary_must_not_come_by_data(self):
        c = self.connect()
        self.envelope(c, " BODY=BINARYMIME")
        self.assertEqual(c.command("DATA").code, 503)

    def test_one_octet_at_a_time(self):
        c = self.relay.connect()
        id_ = mail.unique_id()
        sent = mail.message(id_, body=b".\r\nx\r\n")
        script = (
            b"EHLO client.here.test\r\nMAIL FROM:<sender@here.test>\r\n"
            b"RCPT TO:<alice@there.test>\r\nDATA\r\n"
            + client.stuff(sent) + b"QUIT\r\n")
        for octet in script:
            c.send(bytes([octet]))
        self.assertEqual([c.reply().code for _ in range(6)], [250, 250, 250, 354, 250, 221])
        self.assert_same(self.arrived(id_), sent)

    def test_every_reply_has_an_enhanced_code(self):
        c = self.connect()
        for command in ("NOOP", "RSET", "HELP", "VRFY alice", "MAIL FROM:<sender@here.test>",
                        "RCPT TO:<a@there.test>", "RCPT TO:<>", "MAIL FROM:<x@here.test>",
                        "NONSENSE", "RSET", "DATA", "MAIL FROM:<a b>", "QUIT"):
            reply = c.command(command)
            self.assertTrue(reply.enhanced, f"{command}: {reply}")
            self.assertEqual(reply.enhanced[0], str(reply.code)[0], f"{command}: {reply}")

    def test_helo(self):
        c = self.relay.connect()
        self.assertEqual(c.command("HELO client.here.test").code, 250)
        id_ = mail.unique_id()
        c.deliver("sender@here.test", ["alice@there.test"], mail.message(id_))
        self.assertRegex(self.arrived(id_).text.partition(b"\r\nFrom:")[0], rb"with SMTP\b")

    def test_reset_forgets_the_envelope(self):
        c = self.connect()
        self.envelope(c)
        self.assertEqual(c.command("RSET").code, 250)
        self.assertEqual(c.command("DATA").code, 503)
        self.envelope(c)
        c.ehlo()
        self.assertEqual(c.command("RCPT TO:<alice@there.test>").code, 503)

    def test_message_larger_than_announced_by_size(self):
        c = self.connect()
        reply = c.command("MAIL FROM:<sender@here.test> SIZE=99999999999")
        self.assertEqual((reply.code, reply.enhanced), (552, "5.3.4"))


class Trace(ClientSuite):

    def trace(self, **how):
        id_ = mail.unique_id()
        self.relay.send(mail.message(id_), **how)
        unfolded = re.sub(rb"\r\n(?=[ \t])", b"",
                          self.arrived(id_).text).partition(b"\r\n")[0].decode()
        self.assertTrue(unfolded.startswith("Received: "), unfolded)
        return unfolded.removeprefix("Received: ")

    def test_fields_of_rfc_5321(self):
        trace = self.trace()
        found = re.fullmatch(
            r"from client\.here\.test \((?:\S+ )?\[127\.0\.0\.1\]\)\s+by relay\.here\.test"
            r"(?:\s+\([^)]*\))?\s+with ESMTP\s+id [A-Za-z0-9._-]+"
            r"(?:\s+for <alice@there\.test>)?\s*;\s+(.+)", trace)
        self.assertTrue(found, trace)
        self.assertIsNotNone(email.utils.parsedate_to_datetime(found.group(1)))

    def test_no_recipient_learns_of_another(self):
        self.assertNotIn("@there.test", self.trace(to=["alice@there.test", "bob@there.test"]))

    def test_no_line_is_long(self):
        self.relay.send(mail.message("long-lines"),
                        to=["a" * 60 + "@" + ".".join(["b" * 60] * 3) + ".test"])
        head = mail.split(self.arrived("long-lines").text)[0]
        self.assertLessEqual(max(map(len, head.split(b"\r\n"))), 998)


class Repairs(ClientSuite):
    """Date and Message-ID are added for clients that may relay, only if missing."""

    def config(self):
        return {"access": {"relay-networks": "127.0.0.1/32", "local-domains": "there.test"}}

    def deliver(self, text, source="127.0.0.1"):
        with smtplib.SMTP("127.0.0.1", self.relay.port, "client.here.test", timeout=60,
                          source_address=(source, 0)) as smtp:
            smtp.sendmail("sender@here.test", ["alice@there.test"], text)

    def test_both_added_when_missing(self):
        id_ = mail.unique_id()
        body = b"X-Test-Id: " + id_.encode(
        ) + b"\r\nFrom: a@here.test\r\nSubject: x\r\n\r\nDate: not a header\r\n"
        self.deliver(body)
        text = self.arrived(id_).text
        date, ids = mail.header_values(text, "Date"), mail.header_values(text, "Message-ID")
        self.assertEqual((len(date), len(ids)), (1, 1))
        self.assertIsNotNone(email.utils.parsedate_to_datetime(date[0]))
        self.assertRegex(ids[0], r"^<[^<>\s@]+@relay\.here\.test>$")
        self.assertEqual(mail.split(text)[1], b"Date: not a header\r\n")
        self.assertTrue(
            mail.split(text)[0].replace(b"\r\n", b"|").find(b"From: a@here.test|Subject: x") >= 0)

    def test_only_the_missing_one(self):
        id_ = mail.unique_id()
        self.deliver(b"MESSAGE-id:\r\n <abc@here.test>\r\nX-Test-Id: " + id_.encode() +
                     b"\r\n\r\nx\r\n")
        text = self.arrived(id_).text
        self.assertEqual(mail.header_values(text, "Message-ID"), ["<abc@here.test>"])
        self.assertEqual(len(mail.header_values(text, "Date")), 1)

    def test_a_message_without_a_header(self):
        for body in (b"", b"\r\n", b"just text %s\r\n", b"\r\njust text %s\r\n"):
            with self.subTest(body=body):
                before = len(self.hop.taken())
                self.deliver(body)
                self.wait("the message", lambda: len(self.hop.taken()) > before)
                text = self.hop.taken()[-1].text
                self.assertEqual(len(mail.header_values(text, "Date")), 1, text)
                self.assertEqual(len(mail.header_values(text, "Message-ID")), 1, text)
                self.assertTrue(mail.split(text)[1].endswith(body.lstrip(b"\r\n")), text)

    def test_a_large_message_too(self):
        id_ = mail.unique_id()
        self.deliver(b"X-Test-Id: " + id_.encode() + b"\r\n\r\n" +
                     b"0123456789abcdef\r\n" * 200_000)
        text = self.arrived(id_, 60).text
        self.assertEqual(len(mail.header_values(text, "Date")), 1)
        self.assertEqual(len(mail.split(text)[1]), 18 * 200_000)

    def test_not_for_strangers(self):
        id_ = mail.unique_id()
        self.deliver(b"X-Test-Id: " + id_.encode() + b"\r\nFrom: a@far.test\r\n\r\nx\r\n",
                     source="127.0.0.2")
        text = self.arrived(id_).text
        self.assertEqual(
            mail.header_values(text, "Date") + mail.header_values(text, "Message-ID"), [])


if __name__ == "__main__":
    suite.main()
