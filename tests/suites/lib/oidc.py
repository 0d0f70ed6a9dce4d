# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenID provider (oidc-provider) and a person at a real browser (Chromium, headless). Both
run on Node.js; fetch-peers brings what they need."""

import functools
import json
import os
import select
import shutil
import subprocess
import unittest
import urllib.request

from . import process, suite

SCRIPTS = os.path.join(suite.SOURCES, "tests", "suites", "oauth")
CHROMIUM = "chromium"


def _modules():
    folder = os.path.join(suite.PEERS, "oidc")
    if not os.path.exists(os.path.join(folder, ".complete")):
        raise unittest.SkipTest("oidc-provider is not there: run tests/suites/fetch-peers")
    if not shutil.which("node"):
        raise unittest.SkipTest("node is not installed")
    return os.path.join(folder, "node_modules")


class OpenIdProvider:
    """At `url`; access tokens live LIFE_S seconds."""

    def __init__(self, work, life_s=600):
        modules = _modules()
        self.port = process.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = process.Process(
            ["node", os.path.join(SCRIPTS, "provider.mjs"), modules, self.port, life_s],
            os.path.join(work, "oidc.log"))
        process.wait_until("the provider to be ready", self._is_ready)

    def _is_ready(self):
        if not self.process.running():
            raise AssertionError("the provider ended at start:\n" + self.process.log()[-3000:])
        return "ready" in self.process.log()

    def close(self):
        self.process.kill()
        said = self.process.log()
        if "server error" in said:
            raise AssertionError("the provider had an error:\n" + said[-3000:])

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.url + path, data, timeout=60) as answer:
            return json.load(answer)

    def seen(self):
        """What happened: {"grants": {grant type: n}, "errors": {error: n}, "revocations": n,
        "at_once": the most questions for tokens at a time, "secrets": all that was given out}."""
        return self._ask("/test")

    def grants(self, kind):
        return self.seen()["grants"].get(kind, 0)

    def set(self, **knobs):
        """refuse and times: the next answers to questions for tokens; delay_ms: of all of them."""
        self._ask("/test/knobs", knobs)

    def revoke_all(self):
        self._ask("/test/revoke", {})

    def route(self, scopes="openid email offline_access mail.send", **keys):
        """Keys of a route whose tokens come from here; a KEY of None is left out."""
        route = {
            "client-id": "postroom",
            # OpenID Connect Core, section 11: offline_access needs it.
            "oauth-authorize": self.url + "/auth?prompt=consent",
            "oauth-token": self.url + "/token",
            "oauth-device": self.url + "/device/auth",
            "oauth-revoke": self.url + "/token/revocation",
            "oauth-issuer": self.url,
            "oauth-scopes": scopes,
            **keys
        }
        return {key: value for key, value in route.items() if value is not None}


class Browser:
    """One person after the other, each with cookies of their own."""

    def __init__(self):
        modules = _modules()
        program = shutil.which(CHROMIUM)
        if not program:
            raise unittest.SkipTest(f"{CHROMIUM} is not installed")
        self.popen = subprocess.Popen(
            ["node", os.path.join(SCRIPTS, "browse.mjs"), modules, program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self._read("the browser to start")

    def _read(self, what):
        if not select.select([self.popen.stdout], [], [], 120)[0]:
            raise process.WaitFailed(f"waited 120 s for {what}")
        answer = json.loads(self.popen.stdout.readline() or '{"fault": "the browser has ended"}')
        if "fault" in answer:
            raise AssertionError(f"{what}: {answer['fault']}")
        return answer

    def visit(self, url, press="Agree", **more):
        """Goes there, signs in and presses that button; {"url": where it ended, "text": the last
        page}. code: what to type on the page for devices. stay: does not go back to Postroom."""
        self.popen.stdin.write(json.dumps({"url": url, "press": press, **more}) + "\n")
        self.popen.stdin.flush()
        return self._read(f"the browser at {url}")

    def close(self):
        self.popen.stdin.close()
        try:
            self.popen.wait(30)
        except subprocess.TimeoutExpired:
            self.popen.kill()


@functools.cache
def browser():
    """One for the whole run: it takes seconds to start."""
    return Browser()


class SignIn:
    """`postroomctl route sign-in`, which waits for a person; `text` is what it said so far."""

    def __init__(self, command, env):
        self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, env=env)
        self.text = ""

    def _read(self, timeout):
        if select.select([self.popen.stdout], [], [], timeout)[0]:
            said = os.read(self.popen.stdout.fileno(), 65536)
            self.text += said.decode()
            return bool(said)
        return True

    def wait_text(self, word):
        process.wait_until(f"postroomctl to say {word!r}, not {self.text!r}",
                           lambda: word in self.text or not self._read(0.1))
        if word not in self.text:
            raise AssertionError(f"postroomctl did not say {word!r} but {self.text!r}")

    @property
    def url(self):
        """Where it sends a browser."""
        self.wait_text("Waiting for you")
        return next(word for word in self.text.split() if word.startswith("http://"))

    @property
    def code(self):
        """What it tells to type."""
        self.wait_text("Waiting for you")
        return self.text.split("type this code:")[1].split()[0]

    def type(self, line):
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def end(self):
        """Its exit code."""
        process.wait_until("postroomctl to end", lambda: not self._read(0.1))
        return self.popen.wait(process.PATIENCE)

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()
