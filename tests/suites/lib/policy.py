# SPDX-License-Identifier: GPL-3.0-or-later
"""The web server of a domain's MTA-STS policy (RFC 8461 §3.3), in a Network's world."""

import http.server
import ssl
import threading

from .network import inside

PATH = "/.well-known/mta-sts.txt"


class PolicyServer:
    """Serves TEXT by HTTPS on port 443 of HOST, with PAIR (paths of certificate and key)."""

    def __init__(self, network, host, pair):
        self.network, self.host, self.pair = network, host, pair
        self.text = ""
        self.status, self.kind = 200, "text/plain"
        self.requests = []
        self._server = None

    def start(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair)
        self._server = inside(self.network.world, http.server.ThreadingHTTPServer,
                              (self.host, 443), self._handler())
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def close(self):
        """Connections are refused from now on."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(policy):

        class Handler(http.server.BaseHTTPRequestHandler):

            def do_GET(self):
                policy.requests.append((self.headers["Host"], self.path))
                body = policy.text.encode()
                self.send_response(policy.status if self.path == PATH else 404)
                self.send_header("Content-Type", policy.kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Location", "https://mta-sts.there.test" + PATH)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        return Handler
