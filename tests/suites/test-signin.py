#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix with Dovecot's SASL as a provider: encryption, certificates right and wrong and
passwords."""

import base64
import contextlib
import hmac
import json
import os
import socket
import subprocess
import time

from lib import mail, process, submission, suite
from lib.keyring import Keyring
from lib.pki import Pki
from lib.postroom import Postroom, smarthost

PASSWORD = "none"  # of everybody at this Dovecot


class SignIn(suite.Suite):

    def setUp(self):
        super().setUp()
        self.pki = Pki(os.path.join(self.work, "pki"))

    def provide(self, mechanisms="plain login", pair=None, extra="", password=True):
        """Dovecot's SASL and a Postfix that asks it."""
        pair = pair or self.pki.make("good", issuer=self.pki.authority)
        self.provider = submission.provide(self, mechanisms, pair, extra, password)

    def relay_by(self, secret=PASSWORD, env=None, **keys):
        route = {"tls": "required", "ca-file": self.pki.authority[0], "username": "alice", **keys}
        self.relay = self.started(
            Postroom(self.work, {"out": smarthost(self.provider, **route)}, env=env))
        if secret:
            self.set_password(secret)

    def set_password(self, secret):
        self.relay.ctl("route", "password", "out", stdin=secret + "\n")

    def send(self):
        id_ = mail.unique_id()
        self.relay.send(mail.message(id_))
        return id_

    def assert_arrives(self, id_):
        self.wait(f"message {id_}", lambda: self.provider.mailbox("alice").find(id_))
        self.relay.wait_empty()

    def reason(self):
        return self.relay.queue()[0]["recipients"][0]["last-reply"] or ""

    def assert_waits(self, *words):
        """The reason comes to hold these words; nothing arrives."""
        self.wait(f"the reason to name {words}",
                  lambda: all(word in self.reason() for word in words))
        self.assertEqual(self.provider.mailbox("alice").messages(), [])

    def check_mechanism(self, offered, auth="auto"):
        self.provide(offered)
        self.relay_by(auth=auth)
        self.assert_arrives(self.send())

    # Mechanisms

    def test_plain(self):
        self.check_mechanism("plain")

    def test_login(self):
        self.check_mechanism("login")

    def test_scram_sha_256(self):
        self.check_mechanism("plain scram-sha-256")
        with open(self.provider.log_file, encoding="utf-8", errors="replace") as log:
            self.assertIn("sasl_method=SCRAM-SHA-256", log.read())

    def test_scram_sha_1(self):
        self.check_mechanism("scram-sha-1")

    def test_cram_md5_by_name(self):
        self.check_mechanism("plain cram-md5", "cram-md5")

    # Tokens

    def make_token(self, lifetime_s=600, key=b"a key that both know, 32 octets."):
        """A JWT (RFC 7519) as a provider hands it out, for alice."""
        now = int(time.time())
        claims = {"sub": "alice", "iat": now - 60, "nbf": now - 60, "exp": now + lifetime_s,
                  "iss": "https://provider.test"}
        parts = [json.dumps(part).encode() for part in ({"typ": "JWT", "alg": "HS256"}, claims)]
        text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        proof = base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).rstrip(b"=")
        return (text + b"." + proof).decode()

    def provide_tokens(self, mechanisms):
        """Dovecot takes nothing but tokens and looks at them itself."""
        key = base64.b64encode(b"a key that both know, 32 octets.").decode()
        folder = os.path.join(self.work, "tokens")
        for path, text in (("keys/default/HS256/default", key),
                           ("oauth2.conf", f"""
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
issuers = https://provider.test
""")):
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="ascii") as file:
                file.write(text)
        self.provide(mechanisms, extra=submission.oauth2(folder + "/oauth2.conf"), password=False)

    def check_token(self, mechanism):
        self.provide_tokens(mechanism)
        self.relay_by(self.make_token(), auth=mechanism)
        self.assert_arrives(self.send())
        with open(self.provider.log_file, encoding="utf-8", errors="replace") as log:
            self.assertIn("sasl_method=" + mechanism.upper(), log.read())

    def test_xoauth2(self):
        self.check_token("xoauth2")

    def test_oauthbearer(self):
        self.check_token("oauthbearer")

    def check_refused_token(self, mechanism, token):
        self.provide_tokens(mechanism)
        self.relay_by(token, auth=mechanism)
        id_ = self.send()
        self.assert_waits("Sign-in needed")
        self.set_password(self.make_token())
        self.assert_arrives(id_)

    def test_expired_token(self):
        self.check_refused_token("xoauth2", self.make_token(-30))

    def test_forged_token(self):
        self.check_refused_token("oauthbearer", self.make_token(key=b"another key"))

    # Refusals

    def test_a_refused_password_holds_the_mail(self):
        self.provide()
        self.relay_by("wrong")
        id_ = self.send()
        self.assert_waits("Sign-in needed", "535")
        recipient = self.relay.queue()[0]["recipients"][0]
        self.assertEqual((recipient["state"], recipient["attempts"]), ("pending", 0))
        self.set_password(PASSWORD)
        self.assert_arrives(id_)

    def test_no_password_yet(self):
        self.provide()
        self.relay_by(None)
        id_ = self.send()
        self.assert_waits("there is no password for alice")
        self.set_password(PASSWORD)
        self.assert_arrives(id_)

    # The desktop's keyring

    @property
    def credentials(self):
        return os.path.join(self.relay.home, "credentials")

    def write_credentials(self, secret):
        with open(self.credentials, "w", encoding="utf-8") as file:
            file.write(f"[route out]\npassword={secret}\n")
        os.chmod(self.credentials, 0o600)

    def test_keyring_keeps_the_password(self):
        keyring = self.started(Keyring(self.work))
        self.provide()
        self.relay_by(env=keyring.env)
        self.assertFalse(os.path.exists(self.credentials))
        self.assert_arrives(self.send())
        self.relay.restart()
        self.assert_arrives(self.send())
        self.relay.ctl("route", "password", "out", "--forget")
        self.send()
        self.wait("the reason", lambda: "there is no password for alice" in self.reason())

    def test_credentials_before_the_keyring(self):
        """A password in the file is the newer one; the keyring takes the next."""
        keyring = self.started(Keyring(self.work))
        self.provide()
        self.relay_by("an older one", env=keyring.env)
        self.write_credentials(PASSWORD)
        self.assert_arrives(self.send())
        self.set_password(PASSWORD)
        with open(self.credentials, encoding="utf-8") as file:
            self.assertNotIn(PASSWORD, file.read())
        self.relay.restart()
        self.assert_arrives(self.send())

    def test_locked_keyring_holds_the_mail(self):
        keyring = self.started(Keyring(self.work))
        self.provide()
        self.relay_by(env=keyring.env)
        self.relay.stop()
        keyring.lock()
        self.relay.start()
        id_ = self.send()
        self.assert_waits("keyring", "locked", self.credentials)
        self.assertEqual(self.relay.queue()[0]["recipients"][0]["attempts"], 0)
        refused = self.relay.ctl_run("route", "password", "out", stdin="another\n")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("locked", refused.stderr)
        self.assertFalse(os.path.exists(self.credentials), "nothing goes elsewhere in silence")
        self.write_credentials(PASSWORD)  # as the words said
        self.relay.ctl("queue", "retry", "--all")
        self.assert_arrives(id_)

    def test_keyring_of_nobody(self):
        keyring = self.started(Keyring(self.work, unlocked=False))
        self.provide()
        self.relay_by(None, env=keyring.env)
        refused = self.relay.ctl_run("route", "password", "out", stdin=PASSWORD + "\n")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no default keyring", refused.stderr)
        self.assertFalse(os.path.exists(self.credentials))

    def test_no_keyring_on_the_bus(self):
        keyring = self.started(Keyring(self.work))
        keyring.daemon.terminate()
        keyring.daemon.wait(20)
        self.provide()
        self.relay_by(env=keyring.env)
        self.assertEqual(os.stat(self.credentials).st_mode & 0o777, 0o600)
        self.assert_arrives(self.send())

    # Certificates

    def check_certificate(self, pair, *words, **keys):
        self.provide(pair=pair)
        self.relay_by(**keys)
        id_ = self.send()
        if words:
            self.assert_waits(*words)
        else:
            self.assert_arrives(id_)

    def test_certificate_of_another_host(self):
        self.check_certificate(
            self.pki.make("other", name="other.test", issuer=self.pki.authority), "other.test")

    def test_certificate_signed_by_itself(self):
        self.check_certificate(self.pki.make("self"), "signed by itself", "SHA256:")

    def test_certificate_of_an_unknown_authority(self):
        stranger = self.pki.make("stranger", name="Stranger", authority=True)
        self.check_certificate(self.pki.make("unknown", issuer=stranger), "not trusted")

    def test_expired_certificate(self):
        self.check_certificate(
            self.pki.make("expired", issuer=self.pki.authority, days=-1), "expired")

    def test_pinned_certificate(self):
        pair = self.pki.make("self", name="other.test")
        self.check_certificate(pair, pin="SHA256:" + self.pki.fingerprint(pair[0]))

    def check_pinning(self, route, fingerprint, label):
        """Nothing was sent before: the server is asked."""
        self.relay = self.started(Postroom(self.work, {"out": route}))
        asked = self.relay.ctl_run("route", "pin", "out")
        self.assertEqual(asked.returncode, 1)
        self.assertIn("--yes", asked.stderr)
        said = self.relay.ctl("route", "pin", "out", "--yes")
        plain = fingerprint.replace(":", "").lower()
        self.assertIn(f"{label} shows SHA256:{plain}", said)
        self.assertIn("signed by itself", said)
        status, = json.loads(self.relay.ctl("route", "status", "out", "--json"))
        self.assertTrue(status["pinned"])

    def test_pin_by_asking(self):
        pair = self.pki.make("self", name="other.test")
        self.provide(pair=pair)
        self.check_pinning(smarthost(self.provider, tls="required", username="alice"),
                           self.pki.fingerprint(pair[0]), f"127.0.0.1:{self.provider.port}")
        self.set_password(PASSWORD)
        self.assert_arrives(self.send())

    def test_pin_by_asking_with_implicit_encryption(self):
        pair = self.pki.make("self", name="other.test")
        port = process.free_port()
        server = subprocess.Popen([
            "openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert", pair[0],
            "-key", pair[1]
        ], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.addCleanup(server.stdin.close)

        def listens():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
                return True

        self.wait("openssl to listen", listens, 60)
        self.check_pinning({
            "recipients": "*",
            "via": "smarthost",
            "hosts": f"127.0.0.1:{port}",
            "tls": "implicit"
        }, self.pki.fingerprint(pair[0]), f"127.0.0.1:{port}")

    def test_pin_where_nobody_answers(self):
        self.relay = self.started(
            Postroom(self.work, {
                "out": {
                    "recipients": "*",
                    "via": "smarthost",
                    "hosts": f"127.0.0.1:{process.free_port()}",
                    "tls": "required"
                }
            }))
        asked = self.relay.ctl_run("route", "pin", "out", "--yes")
        self.assertEqual(asked.returncode, 1)
        self.assertIn("127.0.0.1", asked.stderr)


if __name__ == "__main__":
    suite.main()
