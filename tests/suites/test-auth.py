#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients sign in to Postroom by every mechanism they know."""

import base64
import os
import shutil
import smtplib
import subprocess
import time

from lib import mail, suite
from lib.nexthop import NextHop
from lib.postroom import Postroom, smarthost

PASSWORD = "pass word; with \\ and ü"
PLAIN = "correct horse"


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class AuthSuite(suite.Suite):

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop())
        self.relay = self.started(
            Postroom(self.work, {"out": smarthost(self.hop)}, {"access": {
                "relay-networks": ""
            }}))
        self.relay.ctl("user", "add", "device", stdin=PLAIN + "\n")

    def program(self, name):
        self.require(shutil.which(name), f"{name} is not installed")
        return name

    def run_client(self, command, stdin=b""):
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False,
                              env={
                                  **os.environ, "HOME": self.work,
                                  "LC_ALL": "C.UTF-8"
                              })
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def arrived(self, id_):
        return self.wait(f"message {id_} at the next hop", lambda: self.hop.find(id_))


class Clients(AuthSuite):

    def swaks(self, mechanism, password=PLAIN, user="device"):
        id_ = mail.unique_id()
        code, said = self.run_client([
            self.program("swaks"), "--server", f"127.0.0.1:{self.relay.port}", "--from",
            "sender@here.test", "--to", "alice@there.test", "--auth", mechanism, "--auth-user",
            user, "--auth-password", password, "--header", "X-Test-Id: " + id_
        ])
        return id_, code, said

    def check_swaks(self, mechanism):
        id_, code, said = self.swaks(mechanism)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"<-\s+235 2\.7\.0 ")
        self.assertIn(b" with ESMTPA id ", self.arrived(id_).text)
        _, code, said = self.swaks(mechanism, "wrong")
        self.assertNotEqual(code, 0)
        self.assertIn("535 5.7.8 ", said)

    def test_swaks_plain(self):
        self.check_swaks("PLAIN")

    def test_swaks_login(self):
        self.check_swaks("LOGIN")

    def test_swaks_cram_md5(self):
        _, code, said = self.swaks("CRAM-MD5")  # nobody may
        self.assertNotEqual(code, 0, said)
        self.relay.ctl("user", "add", "device", "--cram-md5", stdin=PLAIN + "\n")
        self.check_swaks("CRAM-MD5")

    def test_curl(self):
        for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
            id_ = mail.unique_id()
            path = os.path.join(self.work, "message")
            with open(path, "wb") as file:
                file.write(mail.message(id_))
            code, said = self.run_client([
                self.program("curl"), "-sS", f"smtp://127.0.0.1:{self.relay.port}/here.test",
                "--mail-from", "sender@here.test", "--mail-rcpt", "alice@there.test", "--user",
                "device:" + PLAIN, "--login-options", "AUTH=" + mechanism, "--upload-file", path
            ])
            if mechanism.startswith("SCRAM") and code == 67:
                continue  # a curl without libgsasl
            self.assertEqual(code, 0, mechanism + said)
            self.arrived(id_)

    def test_msmtp(self):
        for mechanism in ("plain", "login", "scram-sha-256", "scram-sha-1"):
            id_ = mail.unique_id()
            code, said = self.run_client([
                self.program("msmtp"), "--host=127.0.0.1", f"--port={self.relay.port}", "--tls=off",
                "--auth=" + mechanism, "--user=device", f"--passwordeval=echo {PLAIN}",
                "--from=sender@here.test", "alice@there.test"
            ], mail.message(id_).replace(b"\r\n", b"\n"))
            if "not supported" in said or "unavailable" in said:
                continue  # by this build of msmtp
            self.assertEqual(code, 0, mechanism + said)
            self.arrived(id_)

    def test_gsasl(self):
        self.relay.ctl("user", "password", "device", stdin=PLAIN + "\n")
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"):
            for password, right in ((PLAIN, True), ("wrong", False)):
                code, said = self.run_client([
                    self.program("gsasl"), "--client", "--smtp", f"--mechanism={mechanism}",
                    "--authentication-id=device", "--authorization-id=",
                    f"--password={password}", "--no-starttls",
                    f"--connect=127.0.0.1:{self.relay.port}"
                ])
                self.assertEqual(code == 0, right, f"{mechanism}: {said}")

    def test_smtplib(self):
        self.relay.ctl("user", "add", "other", "--cram-md5", stdin=PASSWORD + "\n")
        for mechanism in ("auth_plain", "auth_login", "auth_cram_md5"):
            with smtplib.SMTP("127.0.0.1", self.relay.port, "here.test", timeout=60) as smtp:
                smtp.ehlo()
                smtp.user, smtp.password = "device", PLAIN
                if mechanism == "auth_cram_md5":
                    smtp.user, smtp.password = "other", "x"
                    with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                        smtp.auth("CRAM-MD5", smtp.auth_cram_md5)
                    self.assertEqual(caught.exception.smtp_code, 535)
                    continue
                name = mechanism[5:].upper()
                self.assertEqual(smtp.auth(name, getattr(smtp, mechanism))[0], 235)


class Users(AuthSuite):

    def try_plain(self, user, password):
        client = self.relay.connect()
        client.ehlo()
        return client, client.command("AUTH PLAIN " + plain(user, password))

    def test_words_in_any_alphabet(self):
        self.relay.ctl("user", "add", "jörg@here.test", stdin=PASSWORD + "\n")
        _, reply = self.try_plain("jörg@here.test", PASSWORD)
        self.assertEqual(reply.code, 235)

    def test_removed_user_loses_sessions(self):
        client, reply = self.try_plain("device", PLAIN)
        self.assertEqual(reply.code, 235)
        self.relay.ctl("user", "remove", "device")
        self.assertEqual(client.reply().code, 421)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.relay.ctl_json("user", "list"), [])

    def test_new_password_holds_at_once(self):
        client, _ = self.try_plain("device", PLAIN)
        self.relay.ctl("user", "password", "device", stdin="another one\n")
        self.assertEqual(client.reply().code, 421)
        self.assertEqual(self.try_plain("device", PLAIN)[1].code, 535)
        self.assertEqual(self.try_plain("device", "another one")[1].code, 235)
        done = self.relay.ctl_run("user", "password", "nobody", stdin="x\n")
        self.assertEqual(done.returncode, 1)

    def test_new_password_replaces_every_form(self):
        self.relay.ctl("user", "add", "device", "--cram-md5", stdin=PASSWORD + "\n")
        self.relay.ctl("user", "password", "device", stdin="another one\n")
        with open(self.relay.config_file, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("cram-md5=another one\n", text)
        self.assertNotIn("pass word", text)

    def test_no_secret_is_shown(self):
        client, _ = self.try_plain("device", PLAIN)
        client.command("NOOP")
        number = str(self.relay.ctl_json("sessions")[0]["id"])
        secret = plain("device", PLAIN)
        for text in (self.relay.ctl("sessions", "show", number), self.relay.ctl("log"),
                     self.relay.log()):
            self.assertNotIn(secret, text)
            self.assertNotIn(PLAIN, text)

    def test_senders(self):
        self.relay.ctl("user", "add", "device", "--senders=*@here.test", stdin=PLAIN + "\n")
        client, _ = self.try_plain("device", PLAIN)
        self.assertEqual(client.command("MAIL FROM:<a@elsewhere.test>").code, 550)
        for author, code in (("you@elsewhere.test", 550), ("me@here.test", 250)):
            client.command("MAIL FROM:<a@here.test>")
            client.command("RCPT TO:<alice@there.test>")
            reply = client.data(f"From: {author}\r\n\r\ntext\r\n".encode())
            self.assertEqual(reply.code, code, author)


class Guessing(AuthSuite):

    def guess(self):
        """One wrong answer: the reply, and how long it took."""
        began = time.monotonic()
        client = self.relay.connect(greet=False)
        reply = client.reply()
        if reply.code == 220:
            client.ehlo()
            reply = client.command("AUTH PLAIN " + plain("device", "wrong"))
        client.close()
        return reply, time.monotonic() - began

    def test_who_guesses_is_refused_even_after_a_restart(self):
        replies = [self.guess() for _ in range(4)]
        self.assertTrue(all(reply.code == 535 for reply, _ in replies), replies)
        self.assertGreater(replies[-1][1], 3.9)  # it waits, longer each time
        while replies[-1][0].code == 535:
            replies.append(self.guess())
            self.assertLessEqual(len(replies), 10)
        self.assertEqual(replies[-1][0].code, 421)
        self.assertEqual(self.guess()[0].code, 421)
        kinds = [event["kind"] for event in self.relay.ctl_json("log")]
        self.assertIn("client-refused", kinds)
        self.relay.process.kill()
        self.relay.process = None
        self.relay.start(wait=False)

        def refused():
            try:
                return self.guess()[0].code == 421
            except OSError:
                return False

        self.wait("the refusal to be known again", refused)


if __name__ == "__main__":
    suite.main()
