#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that leaves by the Gmail API and by Microsoft Graph, and what their answers mean."""

import email.mime.application
import email.mime.multipart
import email.mime.text
import email.policy
import json
import os
import smtplib
import ssl
import threading
import time

from lib import mail, suite
from lib.api import Api, Graph, gmail_error, graph_error
from lib.postroom import Postroom

TOKEN = "ya29.access-token"


class Http(suite.Suite):

    def relay_by(self, via, api, config=None, start=True, **keys):
        self.api = self.started(api)
        route = {"recipients": "*", "via": via, "username": "me@gmail.test", "api-url": api.url}
        self.relay = self.started(
            Postroom(self.work, {"out": {**route, **keys}}, config=config, start=start))
        if start:
            self.sign_in()

    def sign_in(self, token=TOKEN):
        self.relay.ctl("route", "password", "out", stdin=token + "\n")

    def send(self, *to, shown="alice@there.test", **keys):
        text = mail.message(mail.unique_id(), to=shown, **keys)
        self.relay.send(text, to=to or ("alice@there.test", ))
        return text

    def wait_requests(self, n):
        self.wait(f"{n} requests", lambda: len(self.api.requests) >= n, 60)

    def reason(self):
        return self.relay.queue()[0]["recipients"][0]["last-reply"] or ""

    def wait_reason(self, *words):
        self.wait(f"the reason to name {words}",
                  lambda: all(word in self.reason() for word in words), 60)

    def assert_octets(self, sent, got):
        """Our trace field, and then what was handed in."""
        self.assertTrue(got.startswith(b"Received: "), got[:100])
        self.assertEqual(got[-len(sent):], sent)
        self.assertEqual(mail.header_values(got[:-len(sent)] + b"\r\n", "Bcc"), [])

    # They take it

    def test_gmail(self):
        self.relay_by("gmail-api", Api())
        sent = self.send()
        self.relay.wait_empty()
        request, = self.api.requests
        self.assertEqual(request.path, "/upload/gmail/v1/users/me/messages/send?uploadType=media")
        self.assertEqual(request.headers["Content-Type"], "message/rfc822")
        self.assertEqual(request.headers["Authorization"], "Bearer " + TOKEN)
        self.assert_octets(sent, request.message)
        self.assertNotIn(TOKEN, self.relay.log())

    def test_graph(self):
        self.relay_by("graph", Api())
        sent = [self.send(body=b"x" * n + b"\r\n") for n in range(4)]
        self.relay.wait_empty()
        request = self.api.requests[0]
        self.assertEqual(request.path, "/me/sendMail")
        self.assertEqual(request.headers["Content-Type"], "text/plain")
        self.assertEqual(request.headers["Authorization"], "Bearer " + TOKEN)
        got = sorted(self.api.messages(), key=len)
        for text, message in zip(sent, got):
            self.assert_octets(text, message)

    def check_octets(self, via, *sizes):
        self.relay_by(via, Api())
        for size in sizes:
            sent = self.send(body=bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") +
                             b"\r\n.\r\n", size=size)
            self.relay.wait_empty()
            self.assert_octets(sent, self.api.messages()[-1])

    def test_large_messages_by_gmail(self):
        self.check_octets("gmail-api", 100_000, 300_000, 20_000_000)

    def test_large_messages_by_graph(self):
        self.check_octets("graph", 100_000, 300_000, 3_000_000)

    def test_too_large_for_gmail(self):
        self.relay_by("gmail-api", Api(), config={"server": {"postmaster": "boss@there.test"}})
        self.send(size=36_000_000)
        self.relay.wait_empty()
        report, = self.api.messages()
        self.assertIn(b"larger than the provider takes", report)

    # In parts

    def send_with(self, *files, kind="mixed"):
        """FILES: (name, number of octets)."""
        what = email.mime.multipart.MIMEMultipart(kind)
        what["From"], what["To"] = "me@gmail.test", "alice@there.test"
        what.attach(email.mime.text.MIMEText("The text"))
        contents = {}
        for name, size in files:
            part = email.mime.application.MIMEApplication(os.urandom(size), name=name)
            part.add_header("Content-Disposition", "attachment", filename=name)
            what.attach(part)
            contents[name] = part.get_payload(decode=True)
        text = what.as_bytes(policy=email.policy.SMTP)
        self.relay.send(text, to=["alice@there.test"])
        return contents

    def assert_sent(self, contents, inside=()):
        """CONTENTS arrived, those INSIDE with the text, all else on its own."""
        draft, attachments = self.api.sent[-1]
        message = email.message_from_bytes(draft)
        parts = {part.get_filename(): part.get_payload(decode=True) for part in message.walk()}
        self.assertIn(b"The text", draft)
        for name, content in contents.items():
            got = parts[name] if name in inside else attachments[name][1]
            self.assertTrue(got == content, name)
        self.assertEqual(self.api.drafts, {})
        self.assertEqual(message["To"], "alice@there.test")

    def test_one_large_attachment(self):
        self.relay_by("graph", Graph())
        contents = self.send_with(("a.bin", 9_000_001))
        self.relay.wait_empty()
        self.assert_sent(contents)
        self.assertEqual([request.method for request in self.api.requests],
                         ["POST", "POST", "PUT", "PUT", "PUT", "POST"])
        self.assertIn("sent in parts: attachments were uploaded", self.relay.ctl("log"))
        self.assertNotIn("s3cr3t", self.relay.log() + self.relay.ctl("log"))

    def test_large_and_small_attachments(self):
        self.relay_by("graph", Graph())
        contents = self.send_with(("a", 2_000_000), ("b", 100_000), ("c", 2_999_999),
                                  ("d", 3_000_000), ("e", 1_500_000))
        self.relay.wait_empty()
        self.assert_sent(contents, inside=("b", "e"))
        self.assertEqual(set(self.api.sent[-1][1]), {"a", "c", "d"})

    def test_many_attachments(self):
        self.relay_by("graph", Graph())
        contents = self.send_with(*((f"{n}.jpg", 400_000) for n in range(20)))
        self.relay.wait_empty()
        draft, attachments = self.api.sent[-1]
        self.assertLessEqual(len(draft), 3 * 1024 * 1024)
        self.assert_sent(contents, inside=set(contents) - set(attachments))

    def test_large_without_attachments(self):
        self.relay_by("graph", Graph())
        self.send(size=3_200_000)
        self.wait_reason("Microsoft Graph takes no more", "SMTP")
        self.assertEqual(self.relay.queue()[0]["state"], "held")
        self.assertEqual(self.api.requests, [])

    def test_large_and_signed(self):
        self.relay_by("graph", Graph())
        self.send_with(("a.bin", 4_000_000), kind="signed")
        self.wait_reason("signed or encrypted", "SMTP")
        self.assertEqual(self.relay.queue()[0]["state"], "held")
        self.assertEqual(self.api.requests, [])

    def test_failures_leave_no_draft(self):
        busy = (503, {"Retry-After": "1"}, graph_error("ServiceUnavailable", "Busy"))
        self.relay_by("graph", Graph())
        steps = [("POST", "/attachments"), ("POST", "UploadSession"), ("PUT", ""),
                 ("POST", "/send")]
        for n, (method, word) in enumerate(steps):
            self.api.trouble.append((method, word, busy))
            contents = self.send_with(("a.bin", 5_000_000), ("b.bin", 2_900_000))
            self.relay.wait_empty()
            self.assert_sent(contents)
            self.assertEqual((len(self.api.sent), len(self.api.deleted)), (n + 1, n + 1))
            self.assertEqual(self.api.most_drafts, 1)

    def test_session_that_ended(self):
        gone = (401, {}, graph_error("InvalidToken", "Expired"))
        self.relay_by("graph", Graph([("PUT", "", gone)]))
        contents = self.send_with(("a.bin", 5_000_000))
        self.wait("the draft to go", lambda: self.api.deleted, 60)
        self.relay.ctl("queue", "retry", "--all")
        self.relay.wait_empty()
        self.assert_sent(contents)
        self.assertNotIn("ign-in needed", self.relay.ctl("log"))

    def test_no_permission_for_drafts(self):
        denied = (403, {}, graph_error("ErrorAccessDenied", "Access is denied."))
        self.relay_by("graph", Graph([("POST", "/messages", denied)]))
        contents = self.send_with(("a.bin", 5_000_000))
        self.wait_reason("Mail.ReadWrite", "route sign-in out", "Access is denied")
        self.assertEqual(self.relay.queue()[0]["state"], "held")
        self.send()  # others do not wait for it
        self.wait("the other one", lambda: len(self.api.sent) == 1, 60)
        self.relay.ctl("queue", "release", "--all")
        self.relay.wait_empty()
        self.assert_sent(contents)

    def test_larger_than_the_mailbox_takes(self):
        large = (400, {}, graph_error("ErrorMessageSizeExceeded", "The message exceeds"))
        self.relay_by("graph", Graph([("POST", "UploadSession", large)]))
        self.send_with(("a.bin", 5_000_000))
        self.relay.wait_empty()
        report, _ = self.api.sent[-1]
        self.assertIn(b"The message exceeds", report)
        self.assertEqual(len(self.api.deleted), 1)

    def test_stops_between_parts(self):
        gate = threading.Event()
        self.relay_by("graph", Graph(gate=gate))
        contents = self.send_with(("a.bin", 5_000_000))
        gate.set()
        self.wait("a draft", lambda: self.api.drafts or self.api.sent, 60)
        self.relay.stop(60)
        self.assertEqual(self.api.drafts, {})
        self.relay.start()
        self.relay.wait_empty()
        self.assert_sent(contents)
        self.assertEqual(len(self.api.sent), 1)

    # As a program

    def test_program_of_its_own(self):
        """Nobody signs in, so nobody is "me"."""
        api = Graph()
        self.relay_by(
            "graph", api, start=False, **{
                "username": "scans+a@firm.test",
                "client-id": "id",
                "oauth-flow": "client-credentials",
                "oauth-token": api.url + "/token"
            })
        self.relay.start()
        self.relay.ctl("route", "client-secret", "out", stdin="secret\n")
        contents = self.send_with(("a.bin", 5_000_000))
        self.relay.wait_empty()
        self.assert_sent(contents)
        self.send()
        self.relay.wait_empty()
        paths = {request.path for request in self.api.requests if request.method == "POST"}
        self.assertIn("/users/scans%2Ba@firm.test/sendMail", paths)
        self.assertTrue(all(path.startswith("/users/scans%2Ba@firm.test/") for path in paths))

    def test_no_more_at_once_than_allowed(self):
        gate = threading.Event()
        self.relay_by("gmail-api", Api(gate=gate), **{"max-connections": "2"})
        for _ in range(6):
            self.send()
        self.wait_requests(2)
        gate.set()
        self.relay.wait_empty()
        self.assertEqual(len(self.api.requests), 6)
        self.assertLessEqual(self.api.most_at_once, 2)

    # Who gets it

    def test_hidden_recipients(self):
        self.relay_by("gmail-api", Api())
        self.send("alice@there.test", "bob@there.test", "carol@there.test")
        self.relay.wait_empty()
        message, = self.api.messages()
        self.assertEqual(mail.header_values(message, "To"), ["alice@there.test"])
        self.assertEqual(mail.header_values(message, "Bcc"), ["bob@there.test, carol@there.test"])

    def test_never_more_recipients_than_asked_for(self):
        self.relay_by("gmail-api", Api())
        self.send("alice@there.test", shown="alice@there.test, list@there.test")
        self.wait_reason("list@there.test is not among", "SMTP")
        self.assertEqual(self.relay.queue()[0]["state"], "held")
        self.send()  # others do not wait for it
        self.wait_requests(1)
        self.assertEqual(len(self.api.requests), 1)

    def test_demand_for_encryption_all_the_way(self):
        self.relay_by("gmail-api", Api(), config={"listener main": {"tls": "starttls"}})
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with smtplib.SMTP(self.relay.host, self.relay.port, timeout=60) as smtp:
            smtp.starttls(context=context)
            smtp.sendmail("sender@here.test", "alice@there.test",
                          mail.message(mail.unique_id()), ["REQUIRETLS"])
        self.wait("the refusal", lambda: "REQUIRETLS" in self.relay.ctl("log"), 60)
        self.assertEqual(self.api.requests, [])

    # What they answer

    def test_refused_token(self):
        self.relay_by("gmail-api", Api([(401, {}, gmail_error(401, "authError", "Invalid"))]))
        self.send()
        self.wait("the reason", lambda: "Sign-in needed" in self.relay.ctl("route", "list") or
                  "Sign-in needed" in self.reason(), 60)
        recipient = self.relay.queue()[0]["recipients"][0]
        self.assertEqual((recipient["state"], recipient["attempts"]), ("pending", 0))
        self.sign_in()
        self.relay.wait_empty()
        self.assertEqual(len(self.api.requests), 2)

    def relay_with_tokens(self, answers):
        """The token that is kept is worn out, though nobody knows; another one can be fetched."""
        api = Api(answers)
        self.relay_by(
            "gmail-api", api, start=False, **{
                "client-id": "id",
                "oauth-authorize": api.url + "/authorize",
                "oauth-token": api.url + "/token"
            })
        now = int(time.time())
        token = {
            "version": 1,
            "access": TOKEN,
            "refresh": "r",
            "client-id": "id",
            "obtained": now,
            "expires": now + 3600
        }
        path = os.path.join(self.relay.home, "credentials")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[route out]\ntoken=" + json.dumps(token) + "\n")
        os.chmod(path, 0o600)
        self.relay.start()

    def test_refused_token_is_replaced(self):
        self.relay_with_tokens([(401, {}, gmail_error(401, "authError", "Invalid"))])
        self.send()
        self.relay.wait_empty()
        self.assertEqual([request.headers["Authorization"] for request in self.api.requests],
                         ["Bearer " + TOKEN, "Bearer token-1"])

    def test_status_of_a_token(self):
        self.relay_with_tokens([])
        self.send()
        self.relay.wait_empty()
        route, = json.loads(self.relay.ctl("route", "status", "--json"))
        self.assertEqual((route["via"], route["token"], route["token-renews"]),
                         ("gmail-api", "ready", True))
        self.assertRegex(route["token-expires"], r"^20\d\d-\d\d-\d\dT.*Z$")
        self.assertIn("renewed by itself", self.relay.ctl("route", "status"))

    def test_route_by_preset(self):
        self.relay_by("gmail-api", Api())
        said = self.relay.ctl("route", "add", "ms", "--provider=microsoft365", "--via=graph",
                              "--username=me@firm.test", "--client-id=abc")
        self.assertIn("postroomctl route sign-in ms", said)
        status = json.loads(self.relay.ctl("route", "status", "ms", "--json"))
        self.assertEqual((status[0]["via"], status[0]["auth"], status[0]["token"]),
                         ("graph", "oauthbearer", "sign-in-needed"))

    def test_token_that_is_refused_again(self):
        refusal = (401, {}, gmail_error(401, "authError", "Invalid"))
        self.relay_with_tokens([refusal] * 50)
        self.send()
        self.wait("a person to be asked", lambda: "ign-in" in self.relay.ctl("log"), 60)
        recipient = self.relay.queue()[0]["recipients"][0]
        self.assertEqual((recipient["state"], recipient["attempts"]), ("pending", 0))
        self.assertEqual(len(self.api.requests), 2, "once with each token")

    def test_missing_permission(self):
        self.relay_by("graph",
                      Api([(403, {}, graph_error("ErrorAccessDenied", "Access is denied."))]))
        self.send()
        self.wait_reason("Sign-in needed", "Access is denied")
        self.sign_in()
        self.relay.wait_empty()

    def test_retry_after(self):
        slow = graph_error("ApplicationThrottled", "Slow")
        self.relay_by("graph", Api([(429, {"Retry-After": "1"}, slow)]))
        self.send()
        self.wait_requests(1)
        self.relay.wait_empty()
        self.assertEqual(len(self.api.requests), 2)

    def test_trouble_passes(self):
        self.relay_by("gmail-api",
                      Api([(503, {}, "<html>"), (500, {}, gmail_error(500, "backendError", "x"))]))
        self.send()
        self.wait("it to arrive", lambda: self.relay.queue() == [], 100)
        self.assertEqual(len(self.api.requests), 3)

    def test_refused_message_goes_back(self):
        self.relay_by(
            "gmail-api",
            Api([(400, {}, gmail_error(400, "invalidArgument", "Invalid To header"))]))
        self.send()
        self.relay.wait_empty()
        report = self.api.messages()[1]
        self.assertIn(b"Invalid To header", report)
        self.assertEqual(mail.header_values(report, "To"), ["<sender@here.test>"])

    # What goes wrong

    def test_killed_in_the_middle(self):
        gate = threading.Event()
        self.relay_by("gmail-api", Api(gate=gate))
        sent = [self.send(size=size) for size in (1000, 500_000)]
        self.wait_requests(2)
        self.relay.kill()
        gate.set()
        self.api.requests.clear()
        self.relay.start()
        self.relay.wait_empty()
        self.assertEqual(len(self.api.requests), 2)
        for text, message in zip(sent, sorted(self.api.messages(), key=len)):
            self.assert_octets(text, message)

    def test_stops_while_one_is_under_way(self):
        gate = threading.Event()
        self.relay_by("gmail-api", Api(gate=gate))
        self.send()
        self.wait_requests(1)
        threading.Timer(1, gate.set).start()
        self.relay.stop(60)
        self.relay.start()
        self.relay.wait_empty()
        self.assertEqual(len(self.api.requests), 1, "what was taken is not sent again")

    def test_nobody_there(self):
        self.relay_by("graph", Api(), **{"api-url": "http://127.0.0.1:9"})
        self.send()
        self.wait_reason("Could not send it by 127.0.0.1:9")
        self.relay.merge({"route out": {"api-url": self.api.url}})
        self.relay.reload()
        self.relay.ctl("queue", "retry", "--all")
        self.relay.wait_empty()

    def test_never_unencrypted(self):
        self.relay_by("graph", Api(), **{"api-url": "http://graph.test"})
        self.send()
        self.wait_reason("not encrypted")

    def test_token_stays_out_of_sight(self):
        self.relay_by("graph", Api([(500, {}, "")]))
        self.send()
        self.relay.wait_empty()
        self.assertNotIn(TOKEN, self.relay.log() + self.relay.ctl("log"))
        self.assertTrue(os.path.exists(os.path.join(self.relay.home, "credentials")))


if __name__ == "__main__":
    suite.main()
