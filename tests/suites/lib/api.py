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
        self.method = handler.command
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
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                status, headers, text = api.take(Request(self, body))
                with contextlib.suppress(ConnectionError):  # whoever asked may be gone
                    self._answer(status, headers, text)

            do_PUT = do_DELETE = do_POST

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
            answer = self.accept(request)
        status, headers, text = answer
        return status, headers, text.encode()

    def accept(self, request):
        return (202, {}, "") if "/sendMail" in request.path else (200, {}, '{"id": "1"}')

    def messages(self):
        return [request.message for request in self.requests]

    def close(self):
        if self.gate is not None:
            self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class Graph(Api):
    """Microsoft Graph with drafts and upload sessions, and the limits of the real one.

    TROUBLE: (method, word, answer), each once: the answer to the first request of that method whose
    path has the word.
    """

    REQUEST_MAX = 4 * 1024 * 1024
    SESSION_MIN = 2 * 1024 * 1024
    STEP = 320 * 1024

    def __init__(self, trouble=(), gate=None):
        super().__init__(gate=gate)
        self.trouble = list(trouble)
        self.drafts, self.sessions = {}, {}
        self.sent, self.deleted = [], []  # (draft, attachments by name)
        self.most_drafts = 0
        self.lock = threading.RLock()

    def accept(self, request):
        with self.lock:
            for row in self.trouble:
                if request.method == row[0] and row[1] in request.path:
                    self.trouble.remove(row)
                    return row[2]
            if len(request.body) > self.REQUEST_MAX:
                return 413, {}, graph_error("RequestEntityTooLarge", "Too large")
            if request.path.startswith("/session/"):
                return self.put(request)
            if "Bearer " not in (request.headers["Authorization"] or ""):
                return 401, {}, graph_error("InvalidAuthenticationToken", "No token")
            return self.change(request)

    def change(self, request):
        *_, before, last = request.path.replace("%3D", "=").split("/")
        if last == "sendMail":
            self.sent.append((request.message, {}))
            return 202, {}, ""
        if request.method == "DELETE":
            self.deleted.append(self.drafts.pop(last))
            return 204, {}, ""
        if last == "messages":
            name = f"AAM{len(self.drafts)}-{len(self.sent)}="
            self.drafts[name] = (base64.b64decode(request.body, validate=True), {})
            self.most_drafts = max(self.most_drafts, len(self.drafts))
            return 201, {}, json.dumps({"id": name, "isDraft": True})
        return self.change_draft(request, last, before)

    def change_draft(self, request, last, name):
        if last == "send":
            self.sent.append(self.drafts.pop(name))
            return 202, {}, ""
        what = json.loads(request.body)
        if last == "attachments":
            content = base64.b64decode(what.pop("contentBytes"), validate=True)
            self.drafts[name][1][what["name"]] = (what, content)
            return 201, {}, "{}"
        item = what["AttachmentItem"]
        if item["size"] < self.SESSION_MIN:
            return 400, {}, graph_error("ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "x")
        draft = request.path.replace("%3D", "=").split("/")[-3]
        number = str(len(self.sessions))
        self.sessions[number] = (draft, item, bytearray())
        return 201, {}, json.dumps({"uploadUrl": f"{self.url}/session/{number}?secret=s3cr3t"})

    def put(self, request):
        assert request.headers["Authorization"] is None, "the token is none of the session's"
        number = request.path.split("/")[-1].split("?")[0]
        draft, item, content = self.sessions[number]
        unit, place = request.headers["Content-Range"].split(" ")
        first, last = (int(at) for at in place.split("/")[0].split("-"))
        complete = last + 1 == item["size"]
        if (unit != "bytes" or first != len(content) or len(request.body) != last + 1 - first or
                int(place.split("/")[1]) != item["size"] or
            (not complete and len(request.body) % self.STEP != 0)):
            return 400, {}, graph_error("ErrorInvalidRange", place)
        content += request.body
        if not complete:
            return 200, {}, json.dumps({"nextExpectedRanges": [str(len(content))]})
        self.drafts[draft][1][item["name"]] = (item, bytes(content))
        return 201, {}, ""
