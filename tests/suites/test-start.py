#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the service starts, and the exit codes it ends with when it cannot (CONTRACT)."""

import os
import socket
import struct
import subprocess

from lib import mail, process, suite
from lib.postroom import DAEMON, Postroom


class Starting(suite.Suite):

    def run_to_the_end(self, relay):
        relay.start(wait=False)
        ended, relay.process = relay.process, None
        return ended.wait()

    def prepared(self):
        """A stopped relay whose database has a message."""
        relay = self.started(Postroom(self.work, {"out": {"via": "hold"}}))
        relay.send(mail.message(size=50_000))
        relay.stop()
        return relay, os.path.join(relay.home, "queue.db")

    def refused_untouched(self, relay, path):
        with open(path, "rb") as file:
            before = file.read()
        self.assertEqual(self.run_to_the_end(relay), 73, relay.log())
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before, "the database was changed")
        self.assertIn("queue.db", relay.log())

    def test_database_that_is_none(self):
        relay = self.started(Postroom(self.work, start=False))
        path = os.path.join(relay.home, "queue.db")
        with open(path, "wb") as file:
            file.write(os.urandom(100_000))
        self.refused_untouched(relay, path)

    def test_truncated_database(self):
        relay, path = self.prepared()
        os.truncate(path, os.path.getsize(path) // 2 // 4096 * 4096)
        self.refused_untouched(relay, path)

    def test_database_cut_inside_its_first_page(self):
        relay, path = self.prepared()
        os.truncate(path, 700)
        self.refused_untouched(relay, path)

    def test_newer_database(self):
        relay, path = self.prepared()
        with open(
                path,
                "r+b") as file:  # user_version, https://sqlite.org/fileformat2.html section 1.3.14
            file.seek(60)
            file.write(struct.pack(">I", 9999))
        self.refused_untouched(relay, path)
        self.assertIn("newer", relay.log().lower())

    def test_database_that_is_a_folder(self):
        relay = self.started(Postroom(self.work, start=False))
        os.mkdir(os.path.join(relay.home, "queue.db"))
        self.assertEqual(self.run_to_the_end(relay), 73)

    def test_home_that_cannot_be_made(self):
        relay = self.started(Postroom(self.work, start=False))
        path = os.path.join(self.work, "file")
        with open(path, "w", encoding="ascii"):
            pass
        relay.home = os.path.join(path, "home")
        self.assertEqual(self.run_to_the_end(relay), 73)

    def test_home_is_made_private(self):
        self.require(not process.banner(("127.0.0.1", 2525)),
                     "another program uses port 2525, and nothing is configured here yet")
        relay = self.started(Postroom(self.work, start=False))
        for name in os.listdir(relay.home):
            os.unlink(os.path.join(relay.home, name))
        os.rmdir(relay.home)
        relay.start(wait=False)
        self.wait("the home", lambda: os.path.exists(os.path.join(relay.home, "control")))
        self.assertEqual(os.stat(relay.home).st_mode & 0o777, 0o700)
        control = os.path.join(relay.home, "control")
        self.wait("a private control socket", lambda: os.stat(control).st_mode & 0o777 == 0o600)

    def test_second_instance(self):
        relay = self.started(Postroom(self.work, {"out": {"via": "hold"}}))
        second = Postroom(self.work, start=False)
        second.groups["listener main"]["listen"] = f"127.0.0.1:{process.free_port()}"
        second.log_file += "-second.log"
        self.assertEqual(self.run_to_the_end(second), 75)
        relay.send(mail.message())
        self.assertEqual(len(relay.queue()), 1)

    def test_wrong_configuration_names_every_fault(self):
        relay = self.started(Postroom(self.work, start=False))
        wrong = [("server", "max-message-size", "lots"), ("server", "idle-timeout", "5 minutes"),
                 ("server", "nonsense", "1"), ("listener main", "listen", "127.0.0.1:99999"),
                 ("listener main", "tls", "maybe"), ("access", "relay-networks", "10.0.0.0/64"),
                 ("route a", "via", "pigeon"), ("route b", "via", "maildir"),
                 ("retry", "schedule", "1s;soon")]
        for group, key, value in wrong:
            relay.groups.setdefault(group, {})[key] = value
        relay.groups["route b"] = {"via": "maildir"}
        relay.write_config()
        self.assertEqual(self.run_to_the_end(relay), 78)
        for group, key, _ in wrong:
            if (group, key) != ("route b", "via"):
                self.assertIn(f"{relay.config_file}: [{group}] {key}: ", relay.log())
        self.assertIn(f"{relay.config_file}: [route b] path: ", relay.log())

    def test_wrong_options(self):
        for words in (["--nonsense"], ["extra"], ["--home"]):
            done = subprocess.run([DAEMON, *words], capture_output=True, timeout=60, check=False,
                                  env={
                                      **os.environ, "HOME": self.work
                                  })
            self.assertEqual(done.returncode, 64, words)
            self.assertTrue(done.stderr)

    def test_port_in_use_is_said(self):
        relay = self.started(Postroom(self.work, start=False))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", relay.port))
            taken.listen(1)
            self.assertNotEqual(self.run_to_the_end(relay), 0)
        self.assertIn(f"127.0.0.1:{relay.port}", relay.log())
        # one address that can be had is enough
        relay.groups["listener main"]["listen"] += f";127.0.0.2:{relay.port}"
        relay.write_config()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", relay.port))
            taken.listen(1)
            relay.host = "127.0.0.2"
            relay.start()


if __name__ == "__main__":
    suite.main()
