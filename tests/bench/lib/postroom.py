# SPDX-License-Identifier: GPL-3.0-or-later
"""Postroom in a home of its own, set up as a person would, with one smart host."""

import json
import subprocess

from . import processes
from .traffic import free_port, wait_for_greeting

# Only the limits are raised that one machine with many sessions, and large messages, need.
CONFIG = """\
[server]
hostname=postroom.example
max-message-size=200M
max-connections={max_connections}
max-connections-per-client={per_client}

[listener bench]
listen=127.0.0.1:{port}

[route bench]
{route}
"""
SMARTHOST = "via=smarthost\nhosts=127.0.0.1:{sink_port}\ntls=off"
HOLD = "via=hold"


def version(build):
    done = subprocess.run([build / "app/postroomd", "--version"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip().split()[-1] if done.stdout.strip() else "unknown"


class Postroom:
    sample_seconds = 0.2
    first_guess = 3000

    def __init__(self, name, build, folder, route, max_connections=1000, per_client=150):
        self.name, self.build, self.home = name, build, folder / name
        self.port = self.tls_port = free_port()  # either way to begin TLS, on one port
        self.process = None
        self.home.mkdir(mode=0o700)
        (self.home / "postroom.conf").write_text(CONFIG.format(
            port=self.port, route=route, max_connections=max_connections, per_client=per_client))
        (self.home / "postroom.conf").chmod(0o600)

    def start(self):
        """Returns the seconds until it greeted."""
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.build / "app/postroomd", f"--home={self.home}"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )
        try:
            return wait_for_greeting(self.name, self.port, self.process)
        except processes.BenchError as error:
            log = (self.home / "log").read_text(errors="replace")[-2000:]
            raise processes.BenchError(f"{error}; it said:\n{log}") from None

    def stop(self):
        processes.stop(self.process)
        self.process = None

    def cpu_seconds(self):
        return processes.cpu_seconds(self.process.pid)

    def pss_kib(self):
        return processes.pss_kib(self.process.pid)

    def wal_octets(self):
        try:
            return (self.home / "queue.db-wal").stat().st_size
        except OSError:
            return 0

    def pair(self):
        """The certificate it made for itself, and its key."""
        return self.home / "tls/server.pem", self.home / "tls/server.key"

    def control(self, *arguments):
        """Runs postroomctl and returns what it printed."""
        done = subprocess.run([self.build / "app/postroomctl", f"--home={self.home}", *arguments],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise processes.BenchError(f"postroomctl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def queued(self):
        return json.loads(self.control("status", "--json"))["messages"]

    def version(self):
        return version(self.build)
