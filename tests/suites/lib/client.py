# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP client that sends exactly the octets a test wants, and a load of many."""

import re
import socket
import threading
import time

from . import mail


class Reply:
    """All lines of one reply; a reply that is malformed raises at once."""

    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[0][:3])
        self.text = "\n".join(line[4:] for line in lines)

    @property
    def enhanced(self):
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?= |$)", self.text)
        return found.group(0) if found else None

    def __repr__(self):
        return " / ".join(self.lines)


class Client:
    """One connection. Reads raise ConnectionError when the server has closed."""

    def __init__(self, address, timeout=60.0, greet=True):
        self.sock = (socket.create_connection(address, timeout)
                     if isinstance(address, tuple) else address)
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.greeting = self.reply() if greet else None

    def send(self, octets):
        self.sock.sendall(octets.encode() if isinstance(octets, str) else octets)

    def line(self):
        while b"\r\n" not in self.buffer:
            got = self.sock.recv(65536)
            if not got:
                raise ConnectionError("closed by the server" +
                                      (f", after {self.buffer!r}" if self.buffer else ""))
            self.buffer += got
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def reply(self):
        lines = []
        while True:
            line = self.line()
            if not re.match(r"[2-5]\d\d([ -]|$)", line):
                raise AssertionError(f"not a reply: {line!r}")
            if lines and line[:3] != lines[0][:3]:
                raise AssertionError(f"a reply of two codes: {lines} {line!r}")
            lines.append(line)
            if line[3:4] != "-":
                return Reply(lines)

    def command(self, line):
        self.send(line if isinstance(line, bytes) else line + "\r\n")
        return self.reply()

    def ehlo(self, name="client.here.test"):
        reply = self.command("EHLO " + name)
        self.features = {
            line[4:].split()[0].upper(): line[4:].split()[1:]
            for line in reply.lines[1:]
        }
        return reply

    def data(self, text):
        """Sends DATA and the message with its dots stuffed; the reply to the final dot (or to
        DATA)."""
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        self.send(stuff(text))
        return self.reply()

    def deliver(self, sender, recipients, text):
        """One transaction; raises AssertionError at the first refusal; the final reply."""
        for command in [f"MAIL FROM:<{sender}>"] + [f"RCPT TO:<{r}>" for r in recipients]:
            reply = self.command(command)
            if reply.code != 250:
                raise AssertionError(f"{command}: {reply}")
        reply = self.data(text)
        if reply.code != 250:
            raise AssertionError(f"end of data: {reply}")
        return reply

    def rest(self):
        """All replies until the server closes or is silent for the time limit."""
        replies = []
        try:
            while True:
                replies.append(self.reply())
        except (ConnectionError, TimeoutError):
            return replies

    def is_closed(self):
        """True when the server ends the connection (after any octets still under way) in the time
        limit."""
        try:
            while self.sock.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def quit(self):
        reply = self.command("QUIT")
        self.close()
        return reply

    def close(self):
        self.sock.close()


def stuff(text):
    """What goes over the wire after 354."""
    stuffed = re.sub(rb"(^|\r\n)\.", rb"\1..", text)
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"


class Load:
    """THREADS clients that send messages without pause until stop(), through crashes and refusals.

    `acknowledged` has the id of every message whose final dot got a 250, `sent` of every one begun.
    """

    def __init__(self, address, threads=8, size=2000, to="alice@there.test", per_connection=20,
                 pause=0.0):
        self.address, self.size, self.to, self.per_connection = address, size, to, per_connection
        self.pause = pause
        self.acknowledged, self.sent, self.refusals = {}, [], {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def stop(self, timeout=60):
        """Ends the load; returns the ids that were acknowledged."""
        self._stop.set()
        for thread in self.threads:
            thread.join(timeout)
        return set(self.acknowledged)

    close = stop

    def _run(self):
        while not self._stop.is_set():
            try:
                self._converse()
            except (OSError, AssertionError) as error:
                self._count(type(error).__name__ + ": " + str(error)[:60])
                time.sleep(0.02)

    def _converse(self):
        client = Client(self.address)
        try:
            client.ehlo()
            for _ in range(self.per_connection):
                if self._stop.is_set():
                    break
                id_ = mail.unique_id()
                self.sent.append(id_)
                reply = client.deliver("sender@here.test", [self.to],
                                       mail.message(id_, size=self.size))
                with self._lock:
                    self.acknowledged[id_] = reply.text
                if self.pause:
                    time.sleep(self.pause)
        finally:
            client.close()

    def _count(self, what):
        with self._lock:
            self.refusals[what] = self.refusals.get(what, 0) + 1
