#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of ours before dkimpy, those of dkimpy before ours: whole messages hold, changed ones
do not."""

import base64
import itertools
import os
import random
import subprocess

from lib import suite

TOOL = os.path.join(os.environ["POSTROOM_BUILD"], "tests", "dkim", "dkim-tool")
DOMAIN, SELECTOR = "office.example", "postroom1"
ALGORITHMS = ("rsa-sha256", "ed25519-sha256")

try:
    import dkim
except ImportError:
    dkim = None


def run(*args, text=b""):
    return subprocess.run(args, input=text, capture_output=True, check=True).stdout


def random_message(rng):
    """What relays and devices write: odd blanks, folded and repeated fields, any end."""
    blank = rng.choice((" ", "\t", "  ", " \t "))
    fields = [
        "From: Ann <ann@office.example>",
        f"To:{blank}Ben <ben@there.example>,\r\n{blank}cy@there.example",
        f"Subject: {rng.choice(('hi', 'a' * 200, 'Grüße', ''))}{rng.choice(('', blank))}",
        "Date: Tue, 24 Nov 2026 04:00:00 +0000",
        f"Message-ID: <{rng.random()}@office.example>",
    ]
    fields += ["Received: by somewhere", "Subject: once more"][: rng.randrange(3)]
    lines = [rng.choice(("", " ", "\t", "text", f"two{blank}words", " indented", "end \t", "é" * 40,
                         "x" * 900, ".", "..")) for _ in range(rng.randrange(12))]
    body = "".join(line + "\r\n" for line in lines) + rng.choice(("", "", "no end"))
    return ("\r\n".join(fields) + "\r\n\r\n" + body).encode()


def changed(message, rng):
    """The same with one letter of what is signed another one."""
    start = message.index(b"From: Ann")
    places = [i for i in range(start, len(message)) if chr(message[i]).isascii()
              and chr(message[i]).isalpha() and message[start:i].count(b"\r\n\r\n") == 0]
    at = rng.choice([i for i in places if i < start + 20])
    return message[:at] + (b"q" if message[at:at + 1] != b"q" else b"z") + message[at + 1:]


class Dkim(suite.Suite):

    def setUp(self):
        super().setUp()
        self.rng = random.Random(20261124)

    def key(self, algorithm):
        record, pem = run(TOOL, "key", algorithm).decode().split("\n", 1)
        path = os.path.join(self.work, algorithm)
        with open(path, "w", encoding="ascii") as file:
            file.write(pem)
        return record, path

    def verify(self, message, record):
        return run(TOOL, "verify", record, text=message).decode().splitlines()

    def need_dkimpy(self):
        if dkim is None:
            self.skipTest("dkimpy is not installed")

    def test_ours_before_dkimpy(self):
        self.need_dkimpy()
        for algorithm in ALGORITHMS:
            record, path = self.key(algorithm)
            for _ in range(40):
                message = random_message(self.rng)
                whole = run(TOOL, "sign", path, DOMAIN, SELECTOR, text=message) + message
                answer = {"dnsfunc": lambda name, timeout=5: record.encode()}
                self.assertTrue(dkim.verify(whole, **answer), whole)
                self.assertFalse(dkim.verify(changed(whole, self.rng), **answer), whole)
                self.assertEqual(self.verify(whole, record), ["pass "], whole)

    def pem_for_dkimpy(self, algorithm, path):
        """Ed25519: the bare seed in base64, the end of PKCS#8."""
        if algorithm == "rsa-sha256":
            return run("openssl", "rsa", "-in", path, "-traditional")
        der = run("openssl", "pkey", "-in", path, "-outform", "DER")
        return base64.b64encode(der[-32:])

    def test_dkimpy_before_ours(self):
        self.need_dkimpy()
        forms = list(itertools.product((b"simple", b"relaxed"), repeat=2))
        for algorithm in ALGORITHMS:
            record, path = self.key(algorithm)
            key = self.pem_for_dkimpy(algorithm, path)
            for _ in range(40):
                message = random_message(self.rng)
                field = dkim.sign(message, SELECTOR.encode(), DOMAIN.encode(), key,
                                  canonicalize=self.rng.choice(forms),
                                  signature_algorithm=algorithm.encode(),
                                  length=self.rng.random() < 0.3)
                self.assertEqual(self.verify(field + message, record), ["pass "], field + message)
                self.assertNotEqual(self.verify(changed(field + message, self.rng), record),
                                    ["pass "], field + message)


if __name__ == "__main__":
    suite.main()
