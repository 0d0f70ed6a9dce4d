#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""postroomctl and the control socket, as CONTRACT has them."""

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import time

from lib import mail, process, suite
from lib.nexthop import NextHop
from lib.postroom import CTL, Postroom, smarthost

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class ControlSuite(suite.Suite):

    def setUp(self):
        super().setUp()
        self.hop = self.started(NextHop())
        self.relay = self.started(
            Postroom(self.work, {
                "wait": {
                    "recipients": "*@hold.test",
                    "via": "hold"
                },
                "out": smarthost(self.hop)
            }))

    def held(self, count=1, **how):
        """Ids of messages that wait."""
        for number in range(count):
            self.relay.send(mail.message(f"held{number}"), to=["wait@hold.test"], **how)
        return [message["id"] for message in self.relay.queue()]

    def refused(self, *words, code=1, stdin=""):
        done = self.relay.ctl_run(*words, stdin=stdin)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        self.assertTrue(done.stderr.strip(), words)
        self.assertNotIn("GDBus.Error", done.stderr)
        return done.stderr


class Queue(ControlSuite):

    def test_json_of_the_queue(self):
        self.hop.on("rcpt", "451 4.2.1 later", match="bob")
        self.relay.send(mail.message("shape", size=5000),
                        to=["alice@there.test", "bob@there.test", "carol@hold.test"])
        message = self.wait(
            "an attempt", lambda:
            (q := self.relay.queue()) and any(r["attempts"] for r in q[0]["recipients"]) and q[0])
        self.assertLessEqual(
            {"id", "sender", "size", "received", "client", "user", "state", "recipients"},
            set(message))
        self.assertIsInstance(message["id"], str)
        self.assertEqual(message["sender"], "sender@here.test")
        self.assertGreaterEqual(message["size"], 5000)
        self.assertRegex(message["received"], TIME)
        self.assertEqual(message["client"], "127.0.0.1")
        self.assertIn(message["user"], (None, ""))
        self.assertIn(message["state"], ("queued", "active", "held"))
        for recipient in message["recipients"]:
            self.assertLessEqual(
                {"address", "route", "state", "attempts", "next-attempt", "last-reply"},
                set(recipient))
        by = {recipient["address"]: recipient for recipient in message["recipients"]}
        self.assertEqual(by["alice@there.test"]["state"], "delivered")
        self.assertEqual(by["bob@there.test"]["state"], "pending")
        self.assertEqual(by["bob@there.test"]["route"], "out")
        self.assertRegex(by["bob@there.test"]["next-attempt"], TIME)
        self.assertIn("451 4.2.1 later", by["bob@there.test"]["last-reply"])
        self.assertEqual(by["carol@hold.test"]["route"], "wait")
        self.assertEqual(
            json.loads(self.relay.ctl("queue", "list", "--json"))[0]["id"], message["id"])

    def test_empty_queue(self):
        self.assertEqual(self.relay.queue(), [])
        self.relay.ctl("queue")

    def test_table_for_people(self):
        id_, = self.held()
        table = self.relay.ctl("queue")
        for word in (id_, "sender@here.test", "wait@hold.test"):
            self.assertIn(word, table)

    def test_show(self):
        id_, = self.held()
        shown = self.relay.ctl("queue", "show", id_)
        for word in (id_, "sender@here.test", "wait@hold.test"):
            self.assertIn(word, shown)
        self.assertEqual(json.loads(self.relay.ctl("queue", "show", id_, "--json"))["id"], id_)
        self.refused("queue", "show", "nonsense")
        self.refused("queue", "show", "9" * 18)

    def test_export(self):
        sent = mail.message("exported", body="Grüße\r\n.\r\n".encode(), size=300_000)
        self.relay.send(sent, to=["wait@hold.test"], mail=["BODY=8BITMIME"])
        id_ = self.relay.queue()[0]["id"]
        done = subprocess.run([CTL, "--home=" + self.relay.home, "queue", "export", id_],
                              capture_output=True, timeout=60, check=True)
        self.assertTrue(done.stdout.startswith(b"Received: "))
        self.assertTrue(mail.crlf(done.stdout).endswith(sent))
        self.refused("queue", "export", "nonsense")

    def test_hold_and_release(self):
        self.hop.on("rcpt", "451 4.2.1 later")
        self.relay.send(mail.message("held"))
        id_ = self.relay.queue()[0]["id"]
        self.relay.ctl("queue", "hold", id_)
        self.wait("it to be held", lambda: self.relay.queue()[0]["state"] == "held")
        self.hop.clear()
        time.sleep(2.5)
        self.assertEqual(self.hop.taken(), [])
        self.relay.restart()
        self.assertEqual(self.relay.queue()[0]["state"], "held")
        self.relay.ctl("queue", "release", id_)
        self.wait("it to go", lambda: self.hop.find("held"))
        self.relay.wait_empty()

    def test_retry(self):
        self.relay.merge({"retry": {"schedule": "1h"}})
        self.relay.reload()
        self.hop.on("rcpt", "451 4.2.1 later", times=1)
        self.relay.send(mail.message("again"))
        self.wait("an attempt", lambda: self.relay.queue()[0]["recipients"][0]["attempts"])
        id_ = self.relay.queue()[0]["id"]
        self.relay.ctl("queue", "retry", id_)
        self.wait("it to go", lambda: self.hop.find("again"))

    def test_delete(self):
        ids = self.held(4)
        self.relay.ctl("queue", "delete", *ids[:2])
        self.assertEqual([message["id"] for message in self.relay.queue()], ids[2:])
        self.refused("queue", "delete", ids[0])
        self.relay.ctl("queue", "delete", "--all")
        self.assertEqual(self.relay.queue(), [])
        self.relay.restart()
        self.assertEqual(self.relay.queue(), [])

    def test_all_of_them(self):
        self.hop.on("rcpt", "451 4.2.1 later")
        for number in range(5):
            self.relay.send(mail.message(f"all{number}"))
        self.relay.ctl("queue", "hold", "--all")
        self.wait("all to be held", lambda: {m["state"] for m in self.relay.queue()} == {"held"})
        self.hop.clear()
        self.relay.ctl("queue", "release", "--all")
        self.wait("all to go", lambda: len(self.hop.taken()) == 5)

    def test_many_messages(self):
        c = self.relay.connect()
        c.ehlo()
        for number in range(3000):
            c.deliver("sender@here.test", ["wait@hold.test"], mail.message(f"n{number}"))
        queue = self.relay.queue()
        self.assertEqual(len({message["id"] for message in queue}), 3000)
        self.assertEqual([message["received"] for message in queue],
                         sorted(message["received"] for message in queue))
        self.relay.ctl("queue", "delete", "--all")
        self.assertEqual(self.relay.queue(), [])


class Others(ControlSuite):

    def test_status(self):
        self.held(2)
        status = self.relay.ctl_json("status")
        self.assertIsInstance(status, dict)
        text = self.relay.ctl("status")
        self.assertIn(f"127.0.0.1:{self.relay.port}", text)
        self.assertRegex(text, r"\b2\b")

    def test_sessions(self):
        c = self.relay.connect()
        c.ehlo()
        c.command("MAIL FROM:<sender@here.test>")
        sessions = self.relay.ctl_json("sessions")
        self.assertEqual(len(sessions), 1)
        self.assertIn("127.0.0.1", json.dumps(sessions))
        self.relay.ctl("sessions")
        c.quit()
        self.wait("no session", lambda: self.relay.ctl_json("sessions") == [])

    def test_log(self):
        self.relay.send(mail.message("logged"))
        self.wait("it to go", lambda: self.hop.find("logged"))
        self.relay.wait_empty()
        events = self.wait(
            "the delivery in the log", lambda:
            (e := self.relay.ctl_json("log")) and "alice@there.test" in json.dumps(e) and e)
        self.assertIsInstance(events, list)
        self.assertTrue(all(isinstance(event, dict) for event in events))
        self.assertTrue(any(TIME.match(str(value)) for value in events[0].values()), events[0])
        self.assertIn("alice@there.test", self.relay.ctl("log"))

    def test_log_bundle(self):
        self.relay.ctl("user", "add", "printer", stdin="secret-word\n")
        self.relay.ctl("route", "password", "out", stdin="secret-word\n")
        self.relay.send(mail.message("bundled"), to=["bundled@there.test"])
        self.wait("the delivery in the log", lambda: "bundled@" in self.relay.ctl("log"))
        path = os.path.join(self.work, "help.tar.gz")
        self.relay.ctl("log", "--bundle=" + path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with tarfile.open(path) as bundle:
            held = {
                member.name: bundle.extractfile(member).read().decode() for member in bundle
            }
        self.assertEqual(
            sorted(held), [
                "postroom/README.txt", "postroom/log.txt", "postroom/postroom.conf",
                "postroom/routes.txt", "postroom/status.txt"
            ])
        self.assertIn(" address=bundled@there.test", held["postroom/log.txt"])
        self.assertIn("[user printer]\nsecret=********\n", held["postroom/postroom.conf"])
        self.assertIn("hostname=relay.here.test\n", held["postroom/postroom.conf"])
        self.assertIn("name: out\n", held["postroom/routes.txt"])
        with open(self.relay.config_file, encoding="utf-8") as file:
            secret = re.search(r"\nsecret=(.*)", file.read())[1]
        for word in ("secret-word", secret, secret.rsplit("$", 1)[1]):
            self.assertNotIn(word, "".join(held.values()))

        self.refused("log", "--bundle=" + path, "--follow", code=64)
        self.refused("log", "--bundle=/nonexistent/help.tar.gz")

    def test_log_follow(self):
        path = os.path.join(self.work, "follow.log")
        with open(path, "wb") as out:
            follower = subprocess.Popen([CTL, "--home=" + self.relay.home, "log", "--follow"],
                                        stdout=out, stderr=out)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)

        def followed():  # it may take a while until it listens
            self.relay.send(mail.message("followed"), to=["followed@there.test"])
            with open(path, "rb") as log:
                return b"followed@there.test" in log.read()

        process.wait_until("the line", followed, every=0.5)
        follower.send_signal(signal.SIGINT)
        follower.wait(60)

    def test_reload(self):
        self.relay.merge({"server": {"max-message-size": "54321"}})
        self.relay.ctl("reload")
        c = self.relay.connect()
        c.ehlo()
        self.assertEqual(c.features["SIZE"], ["54321"])
        c.close()
        self.relay.write_config("[server]\nmax-message-size=lots\n")
        self.assertIn(f"{self.relay.config_file}: [server] max-message-size: ",
                      self.refused("reload"))

    def test_test_mail(self):
        self.relay.ctl("test-mail", "--to=alice@there.test")
        message = self.wait("the test mail", lambda: self.hop.taken() and self.hop.taken()[0])
        self.assertEqual(message.recipients, ["alice@there.test"])
        self.assertTrue(mail.header_values(message.text, "Subject"))
        self.assertTrue(mail.header_values(message.text, "Date"))
        self.refused("test-mail", "--to=nobody at all")
        self.refused("test-mail", code=64)

    def test_config_check(self):
        self.relay.ctl("config", "check")
        path = os.path.join(self.work, "other.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[server]\nidle-timeout=soon\n[route x]\nvia=pigeon\n")
        said = self.refused("config", "check", path)
        self.assertIn(f"{path}: [server] idle-timeout: ", said)
        self.assertIn(f"{path}: [route x] via: ", said)
        self.relay.stop()
        self.assertEqual(self.relay.ctl_run("config", "check").returncode, 0)

    def test_users(self):
        self.relay.ctl("user", "add", "scanner", stdin="pa:ss wörd\n")
        self.assertIn("scanner", self.relay.ctl("user", "list"))
        with open(self.relay.config_file, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("wörd", text)
        found = re.search(r"\[user scanner\]\nsecret=SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(\S+)",
                          text)
        self.assertTrue(found, text)
        salted = hashlib.pbkdf2_hmac("sha256", "pa:ss wörd".encode(),
                                     base64.b64decode(found.group(2)), int(found.group(1)))
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        self.assertEqual(base64.b64decode(found.group(3)), stored)
        self.assertEqual(base64.b64decode(found.group(4)),
                         hmac.digest(salted, b"Server Key", "sha256"))
        self.assertEqual(stat.S_IMODE(os.stat(self.relay.config_file).st_mode), 0o600)
        self.assertIn("via=smarthost", text.replace(" ", ""))
        self.relay.ctl("user", "remove", "scanner")
        self.assertNotIn("scanner", self.relay.ctl("user", "list"))
        self.refused("user", "remove", "scanner")
        self.relay.ctl("config", "check")

    def test_route_password(self):
        self.relay.ctl("route", "password", "out", stdin="secret-word\n")
        path = os.path.join(self.relay.home, "credentials")
        with open(path, encoding="utf-8") as file:
            self.assertRegex(file.read(), r"\[route out\]\npassword=secret-word\n")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.refused("route", "password", "nonsense", stdin="x\n")
        self.assertNotIn("secret-word", self.relay.log())


class Door(ControlSuite):

    def test_wrong_usage(self):
        for words in ((), ("nonsense", ), ("queue", "nonsense"), ("queue", "show"),
                      ("queue", "delete"), ("--nonsense", ), ("status", "--nonsense"),
                      ("status", "extra"), ("queue", "delete", "1", "--all"), ("user", ),
                      ("user", "add"), ("route", "password"), ("config", )):
            with self.subTest(words=words):
                self.refused(*words, code=64)

    def test_no_service(self):
        self.relay.stop()
        for words in (("status", ), ("queue", ), ("reload", ), ("log", ), ("queue", "delete",
                                                                           "--all")):
            self.refused(*words, code=69)
        self.relay.start()
        self.relay.kill()
        self.refused("status", code=69)

    def test_help_and_version(self):
        for word in ("--help", "--version"):
            self.assertEqual(self.relay.ctl_run(word).returncode, 0)

    def test_modes(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.relay.home).st_mode), 0o700)
        mode = os.stat(os.path.join(self.relay.home, "control")).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        for name in os.listdir(self.relay.home):
            self.assertEqual(os.stat(os.path.join(self.relay.home, name)).st_mode & 0o077, 0, name)

    def test_another_user_is_refused(self):
        """Even if the file's mode let them in."""
        self.require(os.geteuid() == 0, "needs root (becomes another user)")
        path = os.path.join(self.relay.home, "control")
        os.chmod(self.relay.home, 0o711)
        os.chmod(path, 0o666)
        code = (
            "import os, socket, sys\nos.setgid(65534); os.setuid(65534)\n"
            "s = socket.socket(socket.AF_UNIX)\n"
            "s.settimeout(5)\ns.connect(sys.argv[1])\n"
            "s.sendall(b'\\0AUTH EXTERNAL ' + sys.argv[2].encode().hex().encode() + b'\\r\\n')\n"
            "try: print(s.recv(100))\nexcept ConnectionError: print(b'')\n")
        for claim in ("65534", "0"):
            said = subprocess.run([sys.executable, "-c", code, path, claim], capture_output=True,
                                  text=True, timeout=60, check=True).stdout
            self.assertFalse(said.startswith("b'OK"), said)
        self.assertTrue(self.relay.ctl_json("status"))
        self.wait("a word in the log",
                  lambda: re.search(r"65534|another user|other user|refused", self.relay.log()))

    def test_garbage_at_the_door(self):
        path = os.path.join(self.relay.home, "control")
        for octets in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(100_000),
                       b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n" + os.urandom(5000)):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            try:
                sock.sendall(octets)
            except OSError:
                pass
            sock.close()
        waiting = []
        for _ in range(100):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            waiting.append(sock)
        self.assertTrue(self.relay.ctl_json("status"))
        for sock in waiting:
            sock.close()
        self.relay.send(mail.message("after"))
        self.wait("mail to go on", lambda: self.hop.find("after"))


class Door(suite.Suite):
    """What one must say to come in; the kernel is asked who one is all the same."""

    def says(self, relay, *lines):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(os.path.join(relay.home, "control"))
            with client.makefile("rwb", buffering=0) as file:
                file.write(b"\0")
                for line in lines:
                    file.write(line + b"\r\n")
                return file.readline().split(b" ")[0].strip()

    def test_nobody_stays_anonymous(self):
        relay = self.started(Postroom(self.work, {"later": {"via": "hold"}}))
        self.assertEqual(self.says(relay, b"AUTH ANONYMOUS"), b"REJECTED")

    def test_another_sandbox_of_one_flatpak(self):
        """Its processes have no number here, and GLib then takes EXTERNAL for a lie."""
        relay = self.started(
            Postroom(self.work, {"later": {"via": "hold"}},
                     env={"FLATPAK_ID": "io.github.postroom.Postroom"}))
        self.assertEqual(self.says(relay, b"AUTH ANONYMOUS"), b"OK")
        self.assertEqual(relay.ctl_json("status")["messages"], 0)

    def test_another_user_is_turned_away(self):
        self.require(os.geteuid() == 0, "needs root, to become somebody else")
        relay = self.started(
            Postroom(self.work, {"later": {"via": "hold"}},
                     env={"FLATPAK_ID": "io.github.postroom.Postroom"}))
        control = os.path.join(relay.home, "control")
        os.chmod(relay.home, 0o755)
        os.chmod(control, 0o666)
        script = ("import socket, sys\n"
                  "s = socket.socket(socket.AF_UNIX)\n"
                  "s.settimeout(60)\n"
                  "s.connect(sys.argv[1])\n"
                  "try:\n"
                  "    s.sendall(b'\\0AUTH ANONYMOUS\\r\\nBEGIN\\r\\n')\n"
                  "    while s.recv(500): pass\n"
                  "except ConnectionError: pass\n"
                  "print('closed')\n")
        done = subprocess.run(["/usr/bin/python3", "-c", script, control], user=65534, group=65534,
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(done.stdout, "closed\n")
        self.wait("the log to say so", lambda: "turned away" in relay.log())


if __name__ == "__main__":
    suite.main()
