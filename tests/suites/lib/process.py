# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports, waiting with a deadline, and programs that never outlive their test."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import time


# For what happens at once on an idle machine; a busy one may take long, and that is no fault.
PATIENCE = 60.0


class WaitFailed(AssertionError):
    """Something did not happen in time; the text names what."""


def wait_until(what, condition, timeout=PATIENCE, every=0.02):
    """Polls CONDITION until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise WaitFailed(f"waited {timeout:g} s for {what}")
        time.sleep(every)


_claims = []


def free_port():
    """A port free on both loopback addresses, outside the range the kernel gives to clients. What
    claims it for this run, also before anybody listens, is a name in the same network."""
    for _ in range(1000):
        port = random.randrange(11000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.ExitStack() as stack:
            try:
                claim.bind(f"\0postroom-test-port-{port}")
                for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                    sock = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    sock.bind((address, port))
            except OSError:
                claim.close()
                continue
        _claims.append(claim)  # until this program ends
        return port
    raise RuntimeError("no free port")


def banner(address, timeout=2.0):
    """The first octets a server says at ADDRESS, (host, port) or a UNIX socket's path; b"" if
    none."""
    try:
        if isinstance(address, str):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(timeout)
            sock.connect(address)
        else:
            sock = socket.create_connection(address, timeout)
        with sock:
            said = sock.recv(512)
            with contextlib.suppress(OSError):  # leave no session behind that a test would count
                sock.sendall(b"QUIT\r\n")
                while sock.recv(512):
                    pass
            return said
    except OSError:
        return b""


class Process:
    """One running program in a process group of its own, its output in LOG_FILE."""

    def __init__(self, command, log_file, env=None, preexec=None, cwd=None):
        self.command = [str(word) for word in command]
        self.log_file = str(log_file)
        with open(self.log_file, "ab") as log:
            self.popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, env=env, preexec_fn=preexec, cwd=cwd,
                                          start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def log(self):
        with open(self.log_file, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """The exit code; kills what does not end in time and says so."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise WaitFailed(f"waited {timeout:g} s for {self.command[0]} to end\n" +
                             self.log()[-4000:]) from None

    def kill(self):
        """SIGKILL to the program and to all it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(10)

    def stop(self, timeout=PATIENCE):
        self.signal(signal.SIGTERM)
        return self.wait(timeout)


def memory_kib(pid, field="Anonymous"):
    """A field of smaps_rollup of a process in KiB. What it allocated itself, unless told otherwise:
    its share of what others use too depends on how many they are just now."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise KeyError(field)


def is_sanitized(pid):
    """Whether a process runs on AddressSanitizer, whose memory says nothing about the program's."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return "libasan" in maps.read()


def work_folder(name):
    """A folder for one test: short (UNIX sockets lie in it) and passable for other users."""
    path = tempfile.mkdtemp(prefix=f"pr-{name[:12]}-",
                            dir=os.environ.get("POSTROOM_TEST_TMP", "/tmp"))
    os.chmod(path, 0o711)
    return path
