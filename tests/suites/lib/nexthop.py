# SPDX-License-Identifier: GPL-3.0-or-later
"""A next hop that does what a test says: SMTP or LMTP, one thread per connection.

Each step of a session asks the rules first: "connect", "ehlo", "helo", "lhlo", "mail", "rcpt",
"data", "bdat", "dot" (end of data; for LMTP once per recipient), "rset", "noop", "quit", and "body"
while the message arrives. A rule's action is

  "451 4.3.0 text"   that reply; bytes go out as they are
  DROP, RESET        close the connection without a reply, by FIN or by RST
  HANG               say nothing any more
  Slow(s, action)    do it after s seconds
  a callable         called with (session, argument), returns one of the above or None

and without one the step succeeds.
"""

import contextlib
import os
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

from . import process

DROP = object()
RESET = object()
HANG = object()

FULL = ("PIPELINING", "SIZE 200000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN",
        "CHUNKING", "BINARYMIME")


@dataclass
class Slow:
    seconds: float
    action: object = None


@dataclass
class Rule:
    step: str
    action: object
    match: str = ""
    times: int = 1 << 60


@dataclass
class Taken:
    """One message, as it came. `acknowledged`: the 250 was written."""
    sender: str
    sender_parameters: list
    recipients: list
    recipient_parameters: dict
    text: bytes
    session: int
    by: str
    when: float
    acknowledged: bool = True


@dataclass
class Session:
    number: int
    peer: tuple
    commands: list = field(default_factory=list)
    greeting: str = ""
    ended: bool = False
    pipelined: int = 0  # the most commands that were there at once


class _End(Exception):
    pass


class NextHop:
    """TLS: paths of a certificate and its key; then STARTTLS is offered, or, when IMPLICIT, TLS
    begins at once.
    EXTENSIONS None: EHLO is refused with 502. `address` is what a route's hosts= takes."""

    def __init__(self, extensions=FULL, host="127.0.0.1", port=None, unix=None, lmtp=False,
                 namespace=None, keep_text=True, backlog=1024, tls=None, implicit=False):
        self.extensions = extensions
        self.lmtp = lmtp
        self.host, self.port, self.unix = host, port or process.free_port(), unix
        self.namespace = namespace
        self.keep_text = keep_text
        self.backlog = backlog
        self.tls = tls
        self.implicit = implicit
        self.rules = []
        self.messages = []
        self.sessions = []
        self._lock = threading.Lock()
        self._sockets = set()
        self._listener = None
        self.start()

    @property
    def address(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    # What a test says and asks

    def on(self, step, action, match="", times=1 << 60):
        """Adds a rule; the first that fits and is not used up decides."""
        with self._lock:
            self.rules.append(Rule(step, action, match, times))
        return self

    def clear(self):
        with self._lock:
            self.rules.clear()

    def acknowledge(self, message, positive, send):
        with self._lock:
            send()
            message.acknowledged = positive

    def taken(self, acknowledged=True):
        with self._lock:
            return [m for m in self.messages if m.acknowledged or not acknowledged]

    def find(self, text):
        """The first acknowledged message that contains TEXT."""
        octets = text.encode() if isinstance(text, str) else text
        return next((m for m in self.taken() if octets in m.text), None)

    def commands(self):
        with self._lock:
            return [line for session in self.sessions for line in session.commands]

    def open_sessions(self):
        with self._lock:
            return [session for session in self.sessions if not session.ended]

    def start(self):
        if self.namespace:
            from .network import inside  # only the network suite needs it
            self._listener = inside(self.namespace, self._listen)
        else:
            self._listener = self._listen()
        threading.Thread(target=self._accept, args=(self._listener, ), daemon=True).start()

    def stop(self):
        """Refuses new connections and resets those there are."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for sock in sockets:
            _reset(sock)
        if self.unix:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.unix)

    close = stop

    # The server

    def _listen(self):
        if self.unix:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self.unix)
        else:
            listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
        listener.listen(self.backlog)
        return listener

    def _accept(self, listener):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            with self._lock:
                session = Session(len(self.sessions) + 1, peer)
                self.sessions.append(session)
                self._sockets.add(sock)
            threading.Thread(target=self._serve, args=(sock, session), daemon=True).start()

    def begin_tls(self, sock):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.tls)
        return context.wrap_socket(sock, server_side=True)

    def _serve(self, sock, session):
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            _Conversation(self, self.begin_tls(sock) if self.implicit else sock, session).run()
        except (_End, OSError):
            pass
        finally:
            session.ended = True
            with self._lock:
                self._sockets.discard(sock)
            sock.close()

    def decide(self, step, argument):
        with self._lock:
            for rule in self.rules:
                if rule.step == step and rule.times > 0 and re.search(rule.match, argument, re.I):
                    rule.times -= 1
                    return rule.action
        return None

    def keep(self, message):
        with self._lock:
            self.messages.append(message)


def _reset(sock):
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


class _Conversation:

    def __init__(self, hop, sock, session):
        self.hop, self.sock, self.session = hop, sock, session
        self.buffer = bytearray()
        self.sender = None
        self.clear()

    def clear(self):
        self.sender, self.sender_parameters = None, []
        self.recipients, self.recipient_parameters = [], {}
        self.chunks = bytearray()

    def run(self):
        self.answer("connect", "", "220 hop.test ESMTP")
        while True:
            line = self.line()
            verb, _, argument = line.partition(" ")
            step = verb.lower()
            self.session.commands.append(line)
            handler = getattr(self, "do_" + step, None)
            if handler:
                handler(argument)
            else:
                self.answer(step, argument, "500 5.5.1 Unknown command")

    # Octets

    def fill(self):
        got = self.sock.recv(65536)
        if not got:
            raise _End
        self.buffer += got
        if self.session.commands and self.sender is None:
            self.session.pipelined = max(self.session.pipelined, got.count(b"\r\n"))

    def line(self):
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                line = bytes(self.buffer[:end])
                del self.buffer[:end + 2]
                return line.decode("utf-8", "surrogateescape")
            self.fill()

    def exactly(self, count):
        while len(self.buffer) < count:
            if self.hop.decide("body", "") in (DROP, RESET):
                _reset(self.sock)
                raise _End
            self.fill()
        got = bytes(self.buffer[:count])
        del self.buffer[:count]
        return got

    def until_dot(self):
        at = 0
        while True:
            if self.buffer.startswith(b".\r\n"):
                del self.buffer[:3]
                return b""
            end = self.buffer.find(b"\r\n.\r\n", at)
            if end >= 0:
                text = bytes(self.buffer[:end + 2])
                del self.buffer[:end + 5]
                return re.sub(rb"(^|\r\n)\.", rb"\1", text)
            at = max(0, len(self.buffer) - 4)
            if self.hop.decide("body", "") in (DROP, RESET):
                _reset(self.sock)
                raise _End
            self.fill()

    # Steps

    def answer(self, step, argument, good, message=None):
        """Carries out the rule for this step, or says GOOD. True if a 2xx or 3xx went out:
        MESSAGE is acknowledged then, and whoever has read the reply finds it so."""
        action = self.hop.decide(step, argument)
        while True:
            if callable(action):
                action = action(self.session, argument)
            elif isinstance(action, Slow):
                time.sleep(action.seconds)
                action = action.action
            else:
                break
        if action in (DROP, RESET):
            if action is RESET:
                _reset(self.sock)
            raise _End
        if action is HANG:
            while self.sock.recv(65536):
                pass
            raise _End
        reply = good if action is None else action
        positive = reply[:1] in ("2", "3", b"2", b"3")
        octets = reply if isinstance(reply, bytes) else reply.encode() + b"\r\n"
        if message:
            self.hop.acknowledge(message, positive, lambda: self.sock.sendall(octets))
        else:
            self.sock.sendall(octets)
        return positive

    def hello(self, step, argument):
        self.clear()
        self.session.greeting = argument
        if self.hop.extensions is None and step != "helo":
            self.answer(step, argument, "502 5.5.1 What is that?")
            return
        lines = ["hop.test"] + (list(self.hop.extensions) if step != "helo" else [])
        if self.hop.tls and step != "helo" and not isinstance(self.sock, ssl.SSLSocket):
            lines.append("STARTTLS")
        text = "\r\n".join(("250-" if line is not lines[-1] else "250 ") + line for line in lines)
        self.answer(step, argument, text)

    def do_starttls(self, argument):
        if not self.hop.tls:
            self.answer("starttls", argument, "502 5.5.1 Not here")
        elif self.answer("starttls", argument, "220 2.0.0 Go ahead"):
            self.sock = self.hop.begin_tls(self.sock)
            self.clear()

    def do_ehlo(self, argument):
        self.hello("ehlo", argument)

    def do_helo(self, argument):
        self.hello("helo", argument)

    def do_lhlo(self, argument):
        self.hello("lhlo", argument)

    def do_mail(self, argument):
        path, parameters = _path(argument)
        if self.answer("mail", argument, "250 2.1.0 ok"):
            self.sender, self.sender_parameters = path, parameters

    def do_rcpt(self, argument):
        path, parameters = _path(argument)
        if self.sender is None:
            self.answer("rcpt", argument, "503 5.5.1 MAIL first")
        elif self.answer("rcpt", argument, "250 2.1.5 ok"):
            self.recipients.append(path)
            self.recipient_parameters[path] = parameters

    def do_data(self, argument):
        if not self.recipients:
            self.answer("data", argument, "554 5.5.1 No valid recipients")
        elif self.answer("data", argument, "354 go on"):
            self.finish(self.until_dot(), "DATA")

    def do_bdat(self, argument):
        words = argument.split()
        self.chunks += self.exactly(int(words[0]))
        if len(words) > 1 and words[1].upper() == "LAST":
            self.finish(bytes(self.chunks), "BDAT")
        else:
            self.answer("bdat", argument, "250 2.0.0 more")

    def finish(self, text, by):
        """Notes the message before the reply leaves: what was taken and not acknowledged is known,
        too."""
        kept = text if self.hop.keep_text else text[:2000]
        for group in [[r] for r in self.recipients] if self.hop.lmtp else [self.recipients]:
            message = Taken(self.sender, self.sender_parameters, group,
                            {r: self.recipient_parameters[r]
                             for r in group}, kept, self.session.number, by, time.monotonic(),
                            acknowledged=False)
            self.hop.keep(message)
            self.answer("dot", " ".join(group), "250 2.0.0 taken", message)
        self.clear()

    def do_rset(self, argument):
        self.clear()
        self.answer("rset", argument, "250 2.0.0 ok")

    def do_noop(self, argument):
        self.answer("noop", argument, "250 2.0.0 ok")

    def do_quit(self, argument):
        self.answer("quit", argument, "221 2.0.0 bye")
        raise _End


def _path(argument):
    """("a@b", [parameters]) of "FROM:<a@b> X=y"."""
    found = re.match(r'(?:FROM|TO):<((?:"(?:\\.|[^"\\])*"|[^>"])*)>(.*)$', argument, re.I)
    if not found:
        return argument, []
    return found.group(1), found.group(2).split()
