# SPDX-License-Identifier: GPL-3.0-or-later
"""Gmail's and Graph's interfaces for sending, on loopback."""

import base64
import contextlib
import http.server
import json
import threading


def gmail_error(code, reason, message):
    """As the Gmail API words it."""
    return json.dumps({
        "error": {
            "code": code,
            "message": message,
            "errors": [{
                "message": message,
                "domain": "global",
                "reason": reason
            }]
        }
    })


def graph_error(code, message):
    """As Microsoft Graph words it."""
    return json.dumps({"error": {"code": code, "message": message, "innerError": {}}})


class Request:

    def __init__(self, handler, body):
        self.path = handler.path
        self.headers = handler.headers
        self.body = body

    @property
    def message(self):
        """The octets of the message, whichever interface they came by."""
        if "/sendMail" in self.path:
            return base64.b64decode(self.body, validate=True)
        return self.body


class Api:
    """Keeps what comes.

    ANSWERS: (status, headers, body) for the requests to come; then all are taken.

    It gives new access tokens, too, at url + "/token": token-1, token-2, ...
    With a GATE (threading.Event) it answers no request before the gate is open.
    """

    def __init__(self, answers=(), gate=None):
        self.answers = list(answers)
        self.requests = []
        self.n_tokens = 0
        self.gate = gate
        self.n_at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def _handler(api):  # pylint: disable=no-self-argument

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, text = api.take(Request(self, body))
                with contextlib.suppress(ConnectionError):  # whoever asked may be gone
                    self._answer(status, headers, text)

            def _answer(self, status, headers, text):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler

    def give_token(self):
        self.n_tokens += 1
        return 200, {"Content-Type": "application/json"}, json.dumps({
            "access_token": f"token-{self.n_tokens}",
            "token_type": "Bearer",
            "expires_in": 3600
        }).encode()

    def take(self, request):
        if request.path == "/token":
            return self.give_token()
        with self.lock:
            self.requests.append(request)
            self.n_at_once += 1
            self.most_at_once = max(self.most_at_once, self.n_at_once)
            answer = self.answers.pop(0) if self.answers else None
        if self.gate is not None:
            self.gate.wait(60)
        with self.lock:
            self.n_at_once -= 1
        if answer is None:
            answer = (202, {}, "") if "/sendMail" in request.path else (200, {}, '{"id": "1"}')
        status, headers, text = answer
        return status, headers, text.encode()

    def messages(self):
        return [request.message for request in self.requests]

    def close(self):
        if self.gate is not None:
            self.gate.set()
        self.server.shutdown()
        self.server.server_close()
