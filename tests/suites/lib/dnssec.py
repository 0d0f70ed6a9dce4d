# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed zones for a Network, by BIND's tools, served by Knot in place of dnsmasq.

`test.` is signed; `plain.test.` below it is not. Records are as a zone file has them, with names
relative to `test.`.
"""

import glob
import os
import shutil
import subprocess
import unittest

from . import process, suite
from .network import DNS, inside

START = f"""$TTL 1
@ SOA ns hostmaster 1 3600 900 604800 1
@ NS ns
ns A {DNS}
"""


class SignedZones:

    def __init__(self, work, network):
        self.tree = os.path.join(suite.PEERS, "knot")
        if not os.path.exists(os.path.join(self.tree, ".complete")):
            raise unittest.SkipTest("knot is not there: run tests/suites/fetch-peers")
        self.network = network
        self.folder = os.path.join(work, "zones")
        os.makedirs(os.path.join(self.folder, "run"))
        self.records, self.plain, self.forged = [], [], []
        self.server = None
        for words in (("-f", "KSK"), ()):
            self._run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", *words, "test")
        self.anchor = os.path.join(self.folder, "dsset-test.")

    def add(self, *records):
        self.records += records

    def remove(self, record):
        self.records.remove(record)

    def add_plain(self, *records):
        """Records of the zone that is not signed."""
        self.plain += records

    def forge(self, old, new):
        """Words to change behind the signature."""
        self.forged.append((old, new))

    def start(self):
        """Signs and serves what was said so far; again: anew."""
        self.close()
        self._write("test.zone", START + "plain NS ns\n" + "\n".join(self.records) + "\n")
        self._write("plain.zone", START.replace(f"ns A {DNS}\n", "").replace(" ns", " ns.test.") +
                    "\n".join(self.plain) + "\n")
        self._run("dnssec-signzone", "-q", "-S", "-o", "test", "-f", "test.signed", "test.zone")
        path = os.path.join(self.folder, "test.signed")
        with open(path, encoding="ascii") as file:
            text = file.read()
        for old, new in self.forged:
            assert old in text, old
            text = text.replace(old, new)
        self._write("test.signed", text)
        self._write("knot.conf", f"""
server:
    rundir: "{self.folder}/run"
    listen: {DNS}@53
database:
    storage: "{self.folder}/run"
template:
  - id: default
    storage: "{self.folder}"
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
zone:
  - domain: test.
    file: test.signed
  - domain: plain.test.
    file: plain.zone
""")
        self.server = process.Process([
            "ip", "netns", "exec", self.network.world,
            self._program("knotd"), "-c", os.path.join(self.folder, "knot.conf")
        ], os.path.join(self.folder, "knot.log"), env=self._env())
        process.wait_until("knotd to answer", self._answers)

    def close(self):
        if self.server:
            self.server.kill()
            self.server = None

    def _answers(self):
        if not self.server.running():
            raise AssertionError("knotd ended:\n" + self.server.log())

        def ask():
            done = subprocess.run([
                self._program("dig"), "+short", "+tries=1", "+time=2", "@" + DNS, "test.", "SOA"
            ], check=False, capture_output=True, env=self._env())
            return done.returncode == 0 and b"hostmaster" in done.stdout

        return inside(self.network.relay, ask)

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)

    def _program(self, name):
        """The peer's, or this machine's where fetch-peers found it installed."""
        for folder in ("usr/sbin", "usr/bin"):
            path = os.path.join(self.tree, folder, name)
            if os.path.exists(path):
                return path
        return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") or name

    def _env(self):
        folders = glob.glob(os.path.join(self.tree, "usr/lib/*-linux-gnu*"))
        return dict(os.environ, LD_LIBRARY_PATH=":".join(folders))

    def _run(self, program, *words):
        subprocess.run([self._program(program), *words], check=True, capture_output=True,
                       cwd=self.folder, timeout=60, env=self._env())
