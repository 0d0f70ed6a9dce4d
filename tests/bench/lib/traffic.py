# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs at both ends: bench-load and bench-sink."""

import json
import mmap
import socket
import struct
import subprocess
import time

from .processes import BenchError, stop, wait_for

HEADER = struct.Struct("=4Q")  # PrBenchShared in tally.h
RUN = struct.Struct("=8Q")  # PrBenchRun
RUN_FIELDS = ("run", "arrived", "unique", "doubled", "damaged", "octets", "first-us", "last-us")
STALL_SECONDS = 60


class Sink:
    """Counts what arrives, for all runs of the bench."""

    def __init__(self, program, folder):
        state = folder / "sink.state"
        self.process = subprocess.Popen(
            [program, f"--state={state}"], stdout=subprocess.PIPE, text=True
        )
        self.port = json.loads(self.process.stdout.readline())["port"]
        with open(state, "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def stray(self):
        return HEADER.unpack_from(self.memory)[2]

    def runs(self):
        """{run: counters}"""
        count = HEADER.unpack_from(self.memory)[1]
        found = {}
        for i in range(count):
            fields = RUN.unpack_from(self.memory, HEADER.size + i * RUN.size)
            found[fields[0]] = dict(zip(RUN_FIELDS, fields))
        return found

    def wait(self, run, expected):
        """Waits until that many messages of a run are there; gives up when none comes."""
        seen, since = -1, time.monotonic()
        while True:
            counts = self.runs().get(run, dict.fromkeys(RUN_FIELDS, 0))
            if counts["unique"] + counts["damaged"] >= expected:
                return counts
            if counts["arrived"] != seen:
                seen, since = counts["arrived"], time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                return counts
            time.sleep(0.01)

    def stop(self):
        stop(self.process)


class Load:
    """Sends the mail. Runs are numbered from 1, so that no two messages are equal."""

    def __init__(self, program):
        self.program = program
        self.run = 0
        self.idle_process = None

    def send(self, port, messages, size=4096, sessions=1, options=()):
        self.run += 1
        done = subprocess.run(
            [self.program, f"--port={port}", f"--run={self.run}", f"--messages={messages}",
             f"--size={size}", f"--sessions={min(sessions, messages)}", *options],
            stdout=subprocess.PIPE, text=True, check=False,
        )
        if not done.stdout:
            raise BenchError("bench-load ended without a result")
        result = json.loads(done.stdout)
        if result["accepted"] != messages:
            raise BenchError(
                f"{result['accepted']} of {messages} messages were accepted"
                f" ({result['refused']} refused, {result['broken']} broken connections):"
                f" {result['first-fault'] or 'no reply any more'}"
            )
        return result

    def hold_idle(self, port, count, sources, options=()):
        """Opens idle connections and keeps them until release_idle()."""
        self.idle_process = subprocess.Popen(
            [self.program, f"--port={port}", f"--idle={count}", f"--sources={sources}", *options],
            stdout=subprocess.PIPE, text=True,
        )
        opened = json.loads(self.idle_process.stdout.readline())
        if opened["idle"] != count:
            raise BenchError(f"only {opened['idle']} of {count} idle connections were accepted")

    def release_idle(self):
        """Returns how many idle connections were still open."""
        self.idle_process.terminate()
        result = json.loads(self.idle_process.communicate(timeout=60)[0])
        self.idle_process = None
        return result["idle"]

    def stop(self):
        stop(self.idle_process)


def wait_for_greeting(name, port, process):
    """Waits until an SMTP server greets. Returns the seconds it took."""
    begin = time.monotonic()

    def greets():
        if process is not None and process.poll() is not None:
            raise BenchError(f"{name} ended at its start with code {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
                return peer.recv(3) == b"220"
        except OSError:
            return False

    wait_for(f"{name} to greet on port {port}", greets, step=0.002)
    return time.monotonic() - begin


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
