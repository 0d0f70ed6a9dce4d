#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encryption as real clients do it, each mode of a listener, and clients that do it wrong."""

import os
import shutil
import socket
import subprocess
import time

from lib import mail, process, suite
from lib.nexthop import NextHop
from lib.pki import Pki
from lib.postroom import Postroom, smarthost

PASSWORD = "correct horse"
OLD = "ALL:@SECLEVEL=0"  # OpenSSL speaks TLS 1.0 only with this
SAY = b"EHLO client.here.test\r\nQUIT\r\n"


class TlsSuite(suite.Suite):

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop())
        self.ports = {}
        self.relay = self.started(
            Postroom(self.work, {"out": smarthost(self.hop)}, {
                "listener main": {
                    "tls": "starttls"
                },
                **self.listeners()
            }))
        self.ports["main"] = self.relay.port
        self.trust = self.export("pem")

    def listeners(self):
        """Further groups of the configuration."""
        return {}

    def listener(self, name, **keys):
        self.ports[name] = process.free_port()
        return {f"listener {name}": {"listen": f"127.0.0.1:{self.ports[name]}", **keys}}

    def export(self, form):
        """The certificate that devices are to trust, in a file."""
        path = os.path.join(self.work, "authority." + form)
        done = subprocess.run([
            os.path.join(suite.BUILD, "app", "postroomctl"), "--home=" + self.relay.home,
            "certificate", "export", "--format=" + form
        ], capture_output=True, timeout=60, check=True)
        with open(path, "wb") as file:
            file.write(done.stdout)
        return path

    def program(self, name, package):
        self.require(shutil.which(name), f"{name} is not installed (package {package})")
        return name

    def run_client(self, command, stdin=b""):
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False,
                              env={
                                  **os.environ, "HOME": self.work,
                                  "LC_ALL": "C.UTF-8"
                              })
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def talk(self, command):
        """Runs a client that hands standard input on as it is and ends when the server does."""
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as client:
            self.addCleanup(client.kill)
            client.stdin.write(SAY)
            client.stdin.flush()  # and left open: both would end at once
            said = client.stdout.read().decode(errors="replace")
            client.stdin.close()
            return client.wait(60), said

    def openssl(self, *options, port=None, starttls=True):
        return self.talk([
            self.program("openssl", "openssl"), "s_client", "-connect",
            f"127.0.0.1:{port or self.relay.port}", "-CAfile", self.trust, "-verify_return_error",
            "-verify_ip", "127.0.0.1", "-ign_eof", "-nocommands",
            *(("-starttls", "smtp") if starttls else ()), *options
        ])

    def gnutls(self, *options, port=None, starttls=True):
        return self.talk([
            self.program("gnutls-cli", "gnutls-bin"), "--x509cafile=" + self.trust, "--port",
            str(port or self.relay.port), *(("--starttls-proto=smtp", ) if starttls else ()),
            *options, "127.0.0.1"
        ])

    def assert_talked(self, result, *words):
        code, said = result
        self.assertEqual(code, 0, said)
        self.assertIn("221 2.0.0 ", said)
        for word in words:
            self.assertIn(word, said)

    def endings(self):
        """How sessions ended, in words."""
        return [
            event.get("text", "") for event in self.relay.ctl_json("log")
            if event["kind"] == "disconnected"
        ]

    def wait_for_ending(self, words):
        self.wait(f"a session in the log that ended by: {words}",
                  lambda: any(words in text for text in self.endings()), 60.0)

    def arrived(self, id_):
        return self.wait(f"message {id_} at the next hop", lambda: self.hop.find(id_), 60.0)


class Clients(TlsSuite):
    """Whoever speaks TLS is understood, on one and the same port, and trusts the certificate."""

    def listeners(self):
        return {"access": {"relay-networks": ""}, **self.listener("implicit", tls="implicit")}

    def setUp(self):
        super().setUp()
        self.relay.ctl("user", "add", "device", "--cram-md5", stdin=PASSWORD + "\n")

    def test_openssl(self):
        for port, starttls in ((self.relay.port, True), (self.relay.port, False),
                               (self.ports["implicit"], False)):
            for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
                with self.subTest(port=port, starttls=starttls, version=version):
                    self.assert_talked(self.openssl(version, port=port, starttls=starttls),
                                       "Verify return code: 0 (ok)", f"New, {name}")

    def test_gnutls(self):
        for port, starttls in ((self.relay.port, True), (self.relay.port, False),
                               (self.ports["implicit"], False)):
            for version in ("1.2", "1.3"):
                with self.subTest(port=port, starttls=starttls, version=version):
                    self.assert_talked(
                        self.gnutls(f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}", port=port,
                                    starttls=starttls), "The certificate is trusted",
                        f"(TLS{version}-X.509)")

    def test_names_and_protocols(self):
        """Another name asked for (RFC 6066 §3), and any ALPN (RFC 7301): neither is a reason to
        refuse a device."""
        for options in (["-servername", "other.test"], ["-servername", "localhost"],
                        ["-alpn", "smtp"], ["-alpn", "http/1.1"]):
            with self.subTest(options=options):
                self.assert_talked(self.openssl(*options, starttls=False), "No ALPN negotiated")

    def swaks(self, *options):
        id_ = mail.unique_id()
        code, said = self.run_client([
            self.program("swaks", "swaks"), "--server", "127.0.0.1", "--from", "sender@here.test",
            "--to", "alice@there.test", "--tls-ca-path", self.trust, "--tls-verify",
            "--auth-user", "device", "--auth-password", PASSWORD, "--header",
            "X-Test-Id: " + id_, *options
        ])
        self.require("requires perl module" not in said and "Net::SSLeay" not in said,
                     "swaks lacks libnet-ssleay-perl")
        return id_, code, said

    def test_swaks(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            for way in (["--tls", "--port", str(self.relay.port)],
                        ["--tls-on-connect", "--port", str(self.ports["implicit"])]):
                with self.subTest(mechanism=mechanism, way=way[0]):
                    id_, code, said = self.swaks("--auth", mechanism, *way)
                    self.assertEqual(code, 0, said)
                    text = self.arrived(id_).text
                    self.assertIn(b" with ESMTPSA id ", text)
                    self.assertIn(b"\ttls TLS_AES_256_GCM_SHA384 (TLS1.3);", text)

    def test_swaks_knows_no_digest_md5_here(self):
        _, code, said = self.swaks("--auth", "DIGEST-MD5", "--tls", "--port", str(self.relay.port))
        self.assertEqual(code, 28, said)
        self.assertIn("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN", said)

    def test_curl(self):
        for url, options in ((f"smtps://127.0.0.1:{self.ports['implicit']}", []),
                             (f"smtp://127.0.0.1:{self.relay.port}", ["--ssl-reqd"])):
            for mechanism in ("PLAIN", "LOGIN"):
                id_ = mail.unique_id()
                code, said = self.run_client([
                    self.program("curl", "curl"), "-sS", *options, "--cacert", self.trust, url,
                    "--mail-from", "sender@here.test", "--mail-rcpt", "alice@there.test", "--user",
                    "device:" + PASSWORD, "--login-options", "AUTH=" + mechanism, "--upload-file",
                    "-"
                ], mail.message(id_))
                self.assertEqual(code, 0, url + said)
                self.arrived(id_)

    def test_msmtp(self):
        for port, starttls in ((self.relay.port, "on"), (self.ports["implicit"], "off")):
            id_ = mail.unique_id()
            code, said = self.run_client([
                self.program("msmtp", "msmtp"), "--host=127.0.0.1", f"--port={port}", "--tls=on",
                "--tls-starttls=" + starttls, "--tls-trust-file=" + self.trust, "--auth=plain",
                "--user=device", f"--passwordeval=echo {PASSWORD}", "--from=sender@here.test",
                "alice@there.test"
            ], mail.message(id_).replace(b"\r\n", b"\n"))
            self.assertEqual(code, 0, said)
            self.arrived(id_)

    def test_channel_binding(self):
        """SCRAM-SHA-256-PLUS: tls-exporter (RFC 9266) under TLS 1.3, tls-unique (RFC 5929) before
        it."""
        for version in ("1.3", "1.2"):
            for password, right in ((PASSWORD, True), ("wrong", False)):
                code, said = self.run_client([
                    self.program("gsasl", "gsasl"), "--client", "--smtp", "--starttls",
                    "--mechanism=SCRAM-SHA-256-PLUS", "--authentication-id=device",
                    "--authorization-id=", "--password=" + password, "--x509-ca-file=" + self.trust,
                    f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}",
                    f"--connect=127.0.0.1:{self.relay.port}", "--verbose"
                ])
                self.assertIn(f"(TLS{version})", said)
                self.assertEqual(code == 0, right, said)

    def test_trust(self):
        """The authority in each form that devices import; without it nobody trusts us, and the log
        says what to do."""
        self.assertEqual(Pki(self.work + "/pki").fingerprint(self.trust),
                         Pki(self.work + "/pki").fingerprint(self.export("der"), "-inform", "der"))
        with open(self.export("crt"), "rb") as crt, open(self.export("der"), "rb") as der:
            self.assertEqual(crt.read(), der.read())
        code, said = self.run_client([
            self.program("curl", "curl"), "-sS", f"smtps://127.0.0.1:{self.ports['implicit']}"
        ])
        self.assertEqual(code, 60, said)
        self.wait_for_ending("import the certificate of Postroom's authority there")


class Resumption(TlsSuite):

    def test_openssl(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version=version):
                ticket = os.path.join(self.work, "ticket" + version)
                self.assert_talked(self.openssl(version, "-sess_out", ticket), "New, TLSv1")
                self.assert_talked(self.openssl(version, "-sess_in", ticket), "Reused, TLSv1")

    def test_a_reload_keeps_tickets(self):
        ticket = os.path.join(self.work, "ticket")
        self.assert_talked(self.openssl("-sess_out", ticket))
        self.relay.ctl("reload")
        self.assert_talked(self.openssl("-sess_in", ticket), "Reused, TLSv1.3")

    def test_a_ticket_of_another_process(self):
        ticket = os.path.join(self.work, "ticket")
        self.assert_talked(self.openssl("-sess_out", ticket))
        self.relay.restart()
        self.assert_talked(self.openssl("-sess_in", ticket), "New, TLSv1.3")


class Modes(TlsSuite):
    """What each listener allows, and what is said of those it does not."""

    def listeners(self):
        return {
            **self.listener("required", tls="required"),
            **self.listener("implicit", tls="implicit"),
            **self.listener("old", **{"tls": "starttls", "minimum-tls": "1.0"}),
            **self.listener("new", **{"tls": "starttls", "minimum-tls": "1.3"}),
        }

    def connect(self, name="main"):
        client = self.relay.connect(greet=False)
        if name != "main":
            client.close()
            client = type(client)(("127.0.0.1", self.ports[name]), greet=False)
        return client

    def test_required_takes_no_plain_mail(self):
        client = self.connect("required")
        client.reply()
        client.ehlo()
        self.assertIn("STARTTLS", client.features)
        reply = client.command("MAIL FROM:<sender@here.test>")
        self.assertEqual((reply.code, reply.enhanced), (530, "5.7.0"))
        self.assertIn("STARTTLS", reply.text)
        for starttls in (True, False):
            self.assert_talked(self.openssl(port=self.ports["required"], starttls=starttls))

    def test_old_versions(self):
        """A scanner of 2008 on a listener that allows it; refused elsewhere, with the reason."""
        for version, name in (("-tls1", "TLS 1.0"), ("-tls1_1", "TLS 1.1")):
            old = [version, "-cipher", OLD]
            self.assert_talked(self.openssl(*old, port=self.ports["old"]), "Verify return code: 0")
            for port in (self.relay.port, self.ports["implicit"]):
                for starttls in (True, False):
                    if starttls and port == self.ports["implicit"]:
                        continue
                    code, said = self.openssl(*old, port=port, starttls=starttls)
                    self.assertNotEqual(code, 0, said)
            self.wait_for_ending(f"Encryption failed: the client offered {name} only")
        code, _ = self.openssl("-tls1_2", port=self.ports["new"])
        self.assertNotEqual(code, 0)
        self.wait_for_ending("Encryption failed: the client offered TLS 1.2 only")

    def test_failed_handshakes_are_sessions(self):
        """Each has its number, its client and its reason in the log."""
        self.openssl("-tls1", "-cipher", OLD, starttls=False)
        self.wait_for_ending("offered TLS 1.0 only")
        events = self.relay.ctl_json("log")
        ended = next(event for event in events if "TLS 1.0" in event.get("text", ""))
        begun = [event for event in events
                 if event["kind"] == "connected" and event["session"] == ended["session"]]
        self.assertEqual([event["text"] for event in begun], ["main"])
        self.assertEqual(ended["peer"], "127.0.0.1")
        self.assertIn("Encryption failed: the client offered TLS 1.0 only", self.relay.ctl("log"))

    def test_injection(self):
        """CVE-2011-0411: what stands behind STARTTLS in plain text is never obeyed."""
        client = self.connect()
        client.reply()
        client.ehlo()
        client.send("STARTTLS\r\nMAIL FROM:<a@here.test>\r\nRCPT TO:<alice@there.test>\r\n")
        self.assertEqual([reply.code for reply in client.rest()], [220])
        self.assertTrue(client.is_closed())
        self.wait_for_ending("went on in plain text")
        self.assertEqual(self.hop.taken(), [])

    def test_who_says_nothing(self):
        """An implicit listener waits for a ClientHello as long as for a handshake, no more; others
        are served meanwhile. On the others the greeting comes."""
        silent = self.connect("implicit")
        silent.sock.settimeout(60)
        half = self.connect()
        half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # a record that never ends
        half.sock.settimeout(60)
        patient = self.connect()
        self.assertEqual(patient.reply().code, 220)
        self.assert_talked(self.openssl(port=self.ports["implicit"], starttls=False))
        states = [session["state"] for session in self.relay.ctl_json("sessions")]
        self.assertEqual(states.count("beginning encryption"), 2)
        self.assertEqual(silent.sock.recv(100), b"")
        self.assertTrue(half.is_closed())
        self.wait_for_ending("the client did not finish its handshake in time")

    def test_other_things_than_tls(self):
        client = self.connect("implicit")
        client.send("EHLO client.here.test\r\n")
        self.assertEqual(client.rest(), [])
        self.wait_for_ending("the client does not speak TLS, and this port takes nothing else")
        garbage = self.connect()
        garbage.send(b"\x16" + b"HELLO" * 20)
        garbage.rest()
        self.wait_for_ending("Encryption failed: ")
        leaver = self.connect()
        leaver.send(b"\x16\x03\x01")
        leaver.sock.shutdown(socket.SHUT_WR)
        leaver.rest()
        self.wait_for_ending("the client left in the middle of the handshake")

    def test_ending_while_handshakes_are_under_way(self):
        clients = [self.connect("implicit") for _ in range(20)]
        for client in clients:
            client.send(b"\x16\x03\x01\x02\x00\x01")
        self.assertEqual(self.relay.stop(), 0)
        self.relay.process = None


class Certificates(TlsSuite):
    """A certificate of the owner's, by its path; and that of the local authority when names
    change."""

    deadline = 240

    def listeners(self):
        self.pki = Pki(os.path.join(self.work, "pki"))
        self.own = os.path.join(self.work, "own.pem"), os.path.join(self.work, "own.key")
        self.install(self.pki.make("first", name="relay.here.test", issuer=self.pki.authority))
        return self.listener("own", tls="implicit", certificate=self.own[0], key=self.own[1])

    def install(self, pair, key=None):
        for source, target in zip((pair[0], key or pair[1]), self.own):
            shutil.copyfile(source, target + ".new")
            os.chmod(target + ".new", 0o600)
            os.rename(target + ".new", target)

    def shown(self, name="own"):
        """The certificate that the listener shows: fingerprint, and all of it as text."""
        said = subprocess.run([
            "openssl", "s_client", "-connect", f"127.0.0.1:{self.ports[name]}"
        ], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False).stdout
        pem = os.path.join(self.work, "shown.pem")
        with open(pem, "wb") as file:
            file.write(said)
        if b"BEGIN CERTIFICATE" not in said:
            return "", ""
        text = self.pki.run("x509", "-in", pem, "-noout", "-text").decode()
        return self.pki.fingerprint(pem), text

    def wait_until_shown(self, pair, timeout=60.0):
        wanted = self.pki.fingerprint(pair[0])
        process.wait_until(f"the listener to show {pair[0]}", lambda: self.shown()[0] == wanted,
                           timeout, every=0.3)

    def warnings(self):
        return [event["text"] for event in self.relay.ctl_json("log")
                if event["kind"] == "certificate"]

    def wait_for_warning(self, *words):
        self.wait(f"an event that names {words}",
                  lambda: any(all(word in text for word in words) for text in self.warnings()),
                  60.0)

    def test_replaced_files_are_read_by_themselves(self):
        self.wait_until_shown((self.pki.path("first.pem"), ))
        second = self.pki.make("second", name="relay.here.test", issuer=self.pki.authority)
        self.install(second)
        self.wait_until_shown(second, 180.0)  # looked at each minute
        self.assertEqual(self.warnings(), [])

    def test_what_is_wrong_is_said(self):
        first = self.pki.path("first.pem")
        other = self.pki.make("other", issuer=self.pki.authority)
        self.install((first, ), key=other[1])
        self.relay.ctl("reload")
        self.wait_for_warning("listener own", "the key does not belong to the certificate")
        self.assertEqual(self.shown()[0], self.pki.fingerprint(first))  # stays in force
        os.unlink(self.own[1])
        self.assertIn("own.key", self.relay.ctl_run("reload").stderr)
        self.install(self.pki.make("old", issuer=self.pki.authority, days=-1))
        self.relay.ctl("reload")
        self.wait_for_warning("listener own", "expired on ", "replace its file")
        self.install(self.pki.make("brief", issuer=self.pki.authority, days=5))
        self.relay.ctl("reload")
        self.wait_for_warning("listener own", "expires on ", "replace its file")
        self.assertIn("Trouble", self.relay.ctl("certificate", "list"))
        good = self.pki.make("new", name="relay.here.test", issuer=self.pki.authority, days=90)
        self.install(good)
        self.relay.ctl("reload")
        self.wait("the good news",
                  lambda: "was renewed; it is valid until" in self.relay.ctl("log"),
                  60.0)
        self.check_list(good)

    def check_list(self, good):
        listed = {item["listener"]: item for item in self.relay.ctl_json("certificate", "list")}
        own, main = listed["own"], listed["main"]
        self.assertEqual(own["fingerprint"],
                         "SHA256:" + self.pki.fingerprint(good[0]).replace(":", "").lower())
        self.assertIn("relay.here.test", own["names"])
        self.assertTrue(own["own"])
        self.assertNotIn("trouble", own)
        self.assertFalse(main["own"])
        self.assertIn("127.0.0.1", main["names"])
        self.assertRegex(main["expires"], r"^20\d\d-")

    def test_a_new_name(self):
        before, text = self.shown("main")
        self.assertIn("DNS:relay.here.test", text)
        self.assertIn("IP Address:127.0.0.1", text)
        self.assert_talked(self.openssl())
        self.relay.merge({"server": {"hostname": "new.here.test"}})
        self.relay.ctl("reload")
        self.wait("a certificate for the new name",
                  lambda: "DNS:new.here.test" in self.shown("main")[1], 60.0)
        self.assertNotEqual(self.shown("main")[0], before)
        self.assert_talked(self.openssl())  # by the same authority
        mode = os.stat(os.path.join(self.relay.home, "tls")).st_mode & 0o777
        keys = [name for name in os.listdir(os.path.join(self.relay.home, "tls"))
                if name.endswith(".key")]
        self.assertEqual(mode, 0o700)
        self.assertTrue(keys)
        for name in keys:
            path = os.path.join(self.relay.home, "tls", name)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, name)


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    except OSError:
        return False


class Chained(suite.Suite):
    """One Postroom sends through another: the best that is offered, without being told."""

    def test_channel_binding(self):
        hop = self.started(NextHop())
        server = self.started(
            Postroom(self.work, {"out": smarthost(hop)}, {
                "listener main": {
                    "tls": "required",
                    "auth": "required"
                },
                "access": {
                    "relay-networks": ""
                }
            }, name="server"))
        server.ctl("user", "add", "office", stdin=PASSWORD + "\n")
        trust = os.path.join(self.work, "authority.pem")
        with open(trust, "w", encoding="ascii") as file:
            file.write(server.ctl("certificate", "export"))
        client = self.started(
            Postroom(self.work, {
                "out": smarthost(f"127.0.0.1:{server.port}", **{
                    "tls": "required",
                    "ca-file": trust,
                    "username": "office"
                })
            }, env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}))
        client.ctl("route", "password", "out", stdin=PASSWORD + "\n")
        id_ = mail.unique_id()
        client.send(mail.message(id_))
        text = self.wait(f"message {id_} at the end", lambda: hop.find(id_), 60.0).text
        self.assertIn(b"by relay.here.test (Postroom) with ESMTPSA id ", text)
        number = next(session["id"] for session in server.ctl_json("sessions")
                      if session.get("user") == "office")
        self.assertIn("AUTH SCRAM-SHA-256-PLUS", server.ctl("sessions", "show", str(number)))


class Hops(suite.Suite):
    """Certificates of next hops that are wrong in ways which need OpenSSL to make."""

    def setUp(self):
        super().setUp()
        self.pki = Pki(os.path.join(self.work, "pki"))

    def serve(self, pair, *options):
        """A server that shows a certificate and then says nothing."""
        port = process.free_port()
        server = process.Process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
                                  pair[0], "-key", pair[1], "-quiet", *options],
                                 os.path.join(self.work, "s_server.log"))
        self.addCleanup(server.kill)
        self.wait("openssl s_server to listen", lambda: _listens(port), 60.0)
        return port

    def reason(self, port, trust=None):
        """Why mail by this next hop waits."""
        relay = self.started(
            Postroom(self.work, {
                "out": smarthost(f"127.0.0.1:{port}", **{
                    "tls": "implicit",
                    "ca-file": trust or self.pki.authority[0],
                    "reply-timeout": "2s"
                })
            }))
        relay.send(mail.message(mail.unique_id()))

        def find():
            recipient = relay.queue()[0]["recipients"][0]
            self.assertEqual(recipient["state"], "pending")
            return recipient["attempts"] > 0 and recipient["last-reply"]

        return self.wait("a reason", find, 60.0)

    def assert_trusted(self, reason):
        self.assertNotIn("certificate", reason)  # it was silent, and no more

    def test_good(self):
        self.assert_trusted(self.reason(
            self.serve(self.pki.make("good", issuer=self.pki.authority))))

    def test_chain(self):
        middle = self.pki.make("middle", name="Middle", issuer=self.pki.authority, authority=True)
        leaf = self.pki.make("leaf", issuer=middle)
        self.assert_trusted(self.reason(
            self.serve(leaf, "-cert_chain", self.pki.chain("chain.pem", leaf, middle))))

    def test_chain_with_a_gap(self):
        middle = self.pki.make("middle", name="Middle", issuer=self.pki.authority, authority=True)
        self.assertIn("an authority that is not trusted here",
                      self.reason(self.serve(self.pki.make("leaf", issuer=middle))))

    def test_weak_signature(self):
        weak = self.pki.make("weak", issuer=self.pki.authority, digest="sha1")
        self.assertIn("is too weak", self.reason(self.serve(weak, "-cipher", OLD)))

    def test_weak_key(self):
        weak = self.pki.make("weak", issuer=self.pki.authority, bits=768)
        self.assertIn("is too weak", self.reason(self.serve(weak, "-cipher", OLD)))

    def test_stapled(self):
        """RFC 6066 §8: what the server itself brings of its authority is looked at."""
        pair = self.pki.make("good", issuer=self.pki.authority)
        self.assert_trusted(self.reason(
            self.serve(pair, "-status_file", self.pki.staple(pair, revoked=False))))

    def test_revoked_by_staple(self):
        pair = self.pki.make("revoked", issuer=self.pki.authority)
        port = self.serve(pair, "-status_file", self.pki.staple(pair, revoked=True))
        self.assertIn("was revoked", self.reason(port))

    def test_revoked_by_list(self):
        """A list in the file of a route's own authority counts, too."""
        pair = self.pki.make("revoked", issuer=self.pki.authority)
        trust = self.pki.chain("trust.pem", self.pki.authority,
                               (self.pki.revocation_list(pair), None))
        self.assertIn("was revoked", self.reason(self.serve(pair), trust))


if __name__ == "__main__":
    suite.main()
