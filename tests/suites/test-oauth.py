#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in with OAuth for real: an OpenID provider, a person at a browser, and a mail server that
asks the provider about each token."""

import atexit
import base64
import glob
import os
import urllib.error
import urllib.parse
import urllib.request

from lib import mail, oidc, submission, suite
from lib.pki import Pki
from lib.postroom import CTL, Postroom, smarthost

SHORT_S = 5  # the life of a token that ends within a test


def change(url, **fields):
    """URL with other fields in its query; None takes one out."""
    address, _, query = url.partition("?")
    parsed = {**dict(urllib.parse.parse_qsl(query)), **fields}
    return address + "?" + urllib.parse.urlencode(
        {name: value for name, value in parsed.items() if value is not None})


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


class OAuth(suite.Suite):

    def setUp(self):
        super().setUp()
        self.browser = oidc.browser()
        self.oidc = self.relay = None

    def tearDown(self):
        if self.relay and self.relay.process and self.oidc.process.running():
            self.assert_no_secret_anywhere()
        super().tearDown()

    # The world

    def provide(self, mechanism="xoauth2", life_s=600, **keys):
        """A provider, a mail server that believes it, and a relay whose route signs in there."""
        self.oidc = self.started(oidc.OpenIdProvider(self.work, life_s))
        conf = os.path.join(self.work, "oauth2.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"""
introspection_mode = post
introspection_url = http://dovecot:hush-hush-dovecot@127.0.0.1:{self.oidc.port}/token/introspection
username_attribute = username
active_attribute = active
active_value = true
""")
        pki = Pki(os.path.join(self.work, "pki"))
        pair = pki.make("good", issuer=pki.authority)
        self.hop = submission.provide(self, mechanism, pair, submission.oauth2(conf), False)
        route = {"tls": "required", "ca-file": pki.authority[0], "username": "alice",
                 "auth": mechanism, **self.oidc.route(**keys)}
        self.relay = self.started(
            Postroom(self.work, {"out": smarthost(self.hop, **route)},
                     env={"G_MESSAGES_DEBUG": "all"}))

    def begin(self, *words):
        return self.started(
            oidc.SignIn([CTL, "--home=" + self.relay.home, "route", "sign-in", "out",
                         "--no-browser", *words], self.relay.env))

    def sign_in(self):
        attempt = self.begin()
        seen = self.browser.visit(attempt.url)
        self.assertIn("Thank you", seen["text"])
        self.assertEqual(attempt.end(), 0, attempt.text)
        return attempt.text

    def send(self, count=1):
        ids = [mail.unique_id() for _ in range(count)]
        for id_ in ids:
            self.relay.send(mail.message(id_))
        return ids

    def assert_arrive(self, ids):
        for id_ in ids:
            self.wait(f"message {id_}", lambda id_=id_: self.hop.mailbox("alice").find(id_))
        self.relay.wait_empty()

    def needs(self):
        """How often a person was told to sign in."""
        events = self.relay.ctl_json("log")
        return sum(event["kind"] == "sign-in-needed" for event in events)

    def reason(self):
        return self.relay.queue()[0]["recipients"][0]["last-reply"] or ""

    def assert_waits(self, *words):
        self.wait(f"the reason to name {words}",
                  lambda: all(word in self.reason() for word in words))
        self.assertEqual(self.relay.queue()[0]["recipients"][0]["attempts"], 0)

    # Secrets

    def look_for(self, secrets, name, text):
        for secret in secrets:
            # What a mail server is told, as it is told.
            spoken = base64.b64encode(f"user=alice\1auth=Bearer {secret}\1\1".encode())
            for form in (secret.encode(), spoken[40:-8]):
                self.assertNotIn(form, text, f"a secret is in {name}")

    def assert_no_secret_anywhere(self):
        secrets = self.oidc.seen()["secrets"]
        for words in (("log", ), ("sessions", ), ("queue", ), ("status", ), ("route", "list")):
            self.look_for(secrets, " ".join(words), self.relay.ctl(*words, "--json").encode())
        self.relay.stop()
        for path in glob.glob(os.path.join(self.relay.home, "**"), recursive=True):
            if os.path.isfile(path) and os.path.basename(path) != "credentials":
                with open(path, "rb") as file:
                    self.look_for(secrets, path, file.read())
        with open(self.relay.log_file, "rb") as log:
            self.look_for(secrets, "the service's log", log.read())

    # In the browser

    def check_sign_in(self, mechanism):
        self.provide(mechanism)
        self.assertIn("Signed in as alice@there.test.", self.sign_in())
        self.assert_arrive(self.send(3))
        with open(self.hop.log_file, encoding="utf-8", errors="replace") as log:
            self.assertIn("sasl_method=" + mechanism.upper(), log.read())
        seen = self.oidc.seen()
        self.assertEqual(seen["grants"], {"authorization_code": 1})
        self.assertEqual(seen["scopes"], ["openid email offline_access mail.send"])
        with open(os.path.join(self.relay.home, "credentials"), encoding="utf-8") as file:
            kept = file.read()
        self.assertTrue(any(secret in kept for secret in seen["secrets"]), "the tokens are known")

    def test_browser_xoauth2(self):
        self.check_sign_in("xoauth2")

    def test_browser_oauthbearer(self):
        self.check_sign_in("oauthbearer")

    def test_declined(self):
        self.provide()
        attempt = self.begin()
        seen = self.browser.visit(attempt.url, press="Refuse")
        self.assertIn("That did not work", seen["text"])
        self.assertEqual(attempt.end(), 1)
        self.assertIn("The person refused", attempt.text)
        self.send()
        self.assert_waits("Sign-in needed")

    def test_forged_state(self):
        """What another page sends the browser to changes nothing."""
        self.provide()
        attempt = self.begin()
        right = self.browser.visit(attempt.url, stay=True)["url"]
        self.assertIn("That did not work", fetch(change(right, state="forged", code="evil")))
        self.assertIn("Thank you", fetch(right))
        self.assertEqual(attempt.end(), 0, attempt.text)

    def check_issuer(self, issuer, words):
        attempt = self.begin()
        right = self.browser.visit(attempt.url, stay=True)["url"]
        self.assertIn("That did not work", fetch(change(right, iss=issuer)))
        self.assertEqual(attempt.end(), 1)
        self.assertIn(words, attempt.text)

    def test_forged_issuer(self):
        self.provide()
        self.check_issuer("https://evil.test", "another provider answered")
        self.check_issuer(None, "does not say which provider")
        self.assertEqual(self.oidc.seen()["grants"], {}, "no code was handed over")

    def test_pasted_address(self):
        """The browser is on another computer, where nothing listens."""
        self.provide()
        attempt = self.begin()
        right = self.browser.visit(attempt.url, stay=True)["url"]
        attempt.type("nonsense")
        attempt.wait_text("This is not the address")
        attempt.type(right)
        self.assertEqual(attempt.end(), 0, attempt.text)
        self.assert_arrive(self.send())

    # With a code on another device

    def errors(self, name):
        return self.oidc.seen()["errors"].get(name, 0)

    def test_device(self):
        self.provide()
        attempt = self.begin("--device")
        code, url = attempt.code, attempt.url
        self.wait("a question too early", lambda: self.errors("authorization_pending"))
        self.oidc.set(refuse="slow_down", times=1)
        self.wait("another one", lambda: self.errors("slow_down"))
        self.assertIn("go back to your device", self.browser.visit(url, code=code)["text"])
        self.assertEqual(attempt.end(), 0, attempt.text)
        self.assert_arrive(self.send())

    def test_device_declined(self):
        self.provide()
        attempt = self.begin("--device")
        self.browser.visit(attempt.url, press="Refuse", code=attempt.code)
        self.assertEqual(attempt.end(), 1)
        self.assertIn("declined", attempt.text)

    # Without a person

    def test_client_credentials(self):
        self.provide(scopes="mail.send", **{
            "client-id": "program", "oauth-flow": "client-credentials", "oauth-issuer": None})
        ids = self.send()
        self.assert_waits("Sign-in needed", "client-id")
        self.relay.ctl("route", "client-secret", "out", stdin="hush-hush-program\n")
        self.assert_arrive(ids)
        self.assertEqual(self.oidc.grants("client_credentials"), 1)

    # As time goes by

    def test_refresh_ahead(self):
        """Each refresh token is used once, and mail never waits for a person."""
        self.provide(life_s=SHORT_S)
        self.sign_in()
        while self.oidc.grants("refresh_token") < 2:
            self.assert_arrive(self.send())
        self.assertEqual(self.oidc.seen()["errors"], {})
        self.assertEqual(self.oidc.grants("authorization_code"), 1)

    def test_one_refresh_at_a_time(self):
        self.provide(life_s=SHORT_S)
        self.sign_in()
        self.relay.stop()
        self.oidc.set(delay_ms=1000)
        self.relay.start()
        self.assert_arrive(self.send(40))
        self.wait("a refresh", lambda: self.oidc.grants("refresh_token"))
        seen = self.oidc.seen()
        self.assertEqual((seen["at_once"], seen["errors"]), (1, {}))

    def test_restart(self):
        self.provide()
        self.sign_in()
        self.relay.restart()
        self.assert_arrive(self.send())
        self.assertEqual(self.oidc.seen()["grants"], {"authorization_code": 1})

    def test_revoked(self):
        """The provider ends the sign-in: one word to a person, and mail waits for them."""
        self.provide()
        self.sign_in()
        self.assert_arrive(self.send())
        before = self.needs()
        self.oidc.revoke_all()
        self.relay.restart()  # no connection is open any more
        ids = self.send(3)
        self.assert_waits("Sign-in needed", "route sign-in out")
        self.wait("a word to a person", lambda: self.needs() > before)
        self.sign_in()
        self.assert_arrive(ids)
        self.assertEqual(self.needs(), before + 1)

    # Signing out

    def test_sign_out(self):
        self.provide()
        self.sign_in()
        self.assertIn("Your provider revoked the token", self.relay.ctl("route", "sign-out", "out"))
        self.assertEqual(self.oidc.seen()["revocations"], 1)
        ids = self.send()
        self.assert_waits("Sign-in needed", "somebody signed out")
        self.relay.restart()
        self.assert_waits("Sign-in needed", "nobody has signed in yet")
        self.sign_in()
        self.assert_arrive(ids)

    def test_sign_out_without_the_provider(self):
        self.provide()
        self.sign_in()
        self.oidc.process.kill()
        self.assertIn("did not", self.relay.ctl("route", "sign-out", "out"))
        with open(os.path.join(self.relay.home, "credentials"), encoding="utf-8") as file:
            self.assertNotIn("token", file.read())


if __name__ == "__main__":
    atexit.register(lambda: oidc.browser.cache_info().currsize and oidc.browser().close())
    suite.main()
