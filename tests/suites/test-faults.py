#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong around Postroom loses no acknowledged message: crashes, full disks, few
descriptors, dropped connections, reload and stop under load."""

import contextlib
import os
import random
import resource
import selectors
import socket
import struct
import subprocess
import threading
import time

from lib import client, mail, process, suite
from lib.client import Load
from lib.nexthop import DROP, RESET, NextHop
from lib.postroom import Postroom, smarthost

KILLS = 60


def below_trace(text):
    """The message without its first header field."""
    at = 0
    while True:
        at = text.index(b"\r\n", at) + 2
        if text[at:at + 1] not in (b" ", b"\t"):
            return text[at:]


class FaultSuite(suite.Suite):

    def count(self, load, hop, kills=()):
        """Every acknowledged message arrived whole; a second copy only around one of KILLS."""
        arrived, damaged = {}, []
        for message in hop.taken():
            id_ = mail.test_id(message.text)
            arrived.setdefault(id_, []).append(message.when)
            if below_trace(message.text) != mail.message(id_, size=load.size):
                damaged.append(id_)
        lost = [id_ for id_ in load.acknowledged if id_ not in arrived]
        doubled = {id_: when for id_, when in arrived.items() if len(when) > 1}
        unexplained = [
            id_ for id_, when in doubled.items()
            if not any(min(when) - 1 <= kill <= max(when) for kill in kills)
        ]
        self.note(
            f"{len(load.acknowledged)} acknowledged of {len(load.sent)} begun, "
            f"{len(arrived)} arrived, "
            f"{len(doubled)} arrived twice around a crash, {len(lost)} lost, {len(damaged)} damaged"
        )
        self.assertEqual(lost, [], "acknowledged and lost")
        self.assertEqual(damaged, [], "damaged")
        self.assertEqual(unexplained, [], "arrived twice without a crash")
        self.assertEqual([id_ for id_ in arrived if id_ not in set(load.sent)], [], "never sent")


class Crashes(FaultSuite):
    deadline = 400

    def kill_under_load(self, size, kills, disturb=None, pause=0.0):
        hop = self.started(NextHop())
        relay = self.started(Postroom(self.work, {"out": smarthost(hop)}))
        load = self.started(Load(("127.0.0.1", relay.port), threads=6, size=size, pause=pause))
        killed = []
        for number in range(kills):
            # from "in the middle of the start" to "in the middle of the work"
            time.sleep(random.uniform(0.0, 0.5))
            killed.append(time.monotonic())
            relay.kill()
            if disturb:
                disturb(hop, number)
            relay.start(wait=number % 4 != 0)
        acknowledged = len(load.acknowledged)
        self.wait("the load to go on after the last crash",
                  lambda: len(load.acknowledged) > max(acknowledged + 20, kills), 60)
        load.stop()
        hop.clear()
        relay.wait_empty(90)
        self.count(load, hop, killed)
        self.note(f"{kills} times kill -9; the clients saw {load.refusals}")

    def test_kill_9_under_load(self):
        self.kill_under_load(2_000, KILLS)

    def test_kill_9_with_spool_files(self):
        self.kill_under_load(200_000, 20, pause=0.1)

    def test_kill_9_while_the_next_hop_fails_too(self):
        steps = ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot")

        def disturb(hop, number):
            hop.clear()
            hop.on(steps[number % len(steps)], RESET, times=3)

        self.kill_under_load(2_000, 15, disturb)

    def test_kill_9_makes_each_bounce_once(self):
        """A failure and its notice are one transaction: no message fails unheard, none makes two
        notices. (One notice may be delivered twice around a crash, like any mail.)"""
        hop = self.started(NextHop())
        hop.on("rcpt", "550 5.1.1 no such user")
        back = mail.Maildir(os.path.join(self.work, "back"))
        relay = self.started(
            Postroom(
                self.work, {
                    "back": {
                        "recipients": "*@here.test",
                        "via": "maildir",
                        "path": back.path
                    },
                    "out": smarthost(hop)
                }))
        load = self.started(Load(("127.0.0.1", relay.port), threads=4, size=1000, pause=0.01))
        for _ in range(20):
            time.sleep(random.uniform(0.05, 0.5))
            relay.kill()
            relay.start()
        load.stop()
        relay.wait_empty(90)
        notices = {}
        for text in back.messages():
            about = mail.test_id(text)
            notices.setdefault(about, set()).add(mail.header_values(text, "Message-ID")[0])
        self.note(f"{len(load.acknowledged)} acknowledged, notices about {len(notices)}, "
                  f"{len(back.messages())} copies in the mailbox")
        self.assertEqual([id_ for id_ in load.acknowledged if id_ not in notices], [])
        self.assertEqual([ids for ids in notices.values() if len(ids) > 1], [])

    def test_a_queue_at_rest_survives(self):
        relay = self.started(Postroom(self.work, {"out": {"via": "hold"}}))
        ids = [mail.unique_id() for _ in range(200)]
        for id_ in ids:
            relay.send(mail.message(id_, size=random.choice((500, 100_000))))
        for _ in range(3):
            relay.kill()
            relay.start()
        queue = relay.queue()
        self.assertEqual(len(queue), 200)
        self.assertEqual({message["state"] for message in queue}, {"held"})
        exported = {
            mail.test_id(relay.ctl("queue", "export", message["id"]).encode())
            for message in queue[:10]
        }
        self.assertLessEqual(exported, set(ids))

    def test_orphaned_spool_files_are_swept(self):
        relay = self.started(Postroom(self.work, {"out": {"via": "hold"}}))
        c = relay.connect()
        c.ehlo()
        for command in ("MAIL FROM:<sender@here.test>", "RCPT TO:<alice@there.test>", "DATA"):
            c.command(command)
        c.send(mail.message(size=3_000_000))
        self.wait("a spool file", lambda: self.large_files(relay))
        relay.kill()
        relay.start()
        self.wait("the orphan to go", lambda: not self.large_files(relay))
        self.assertEqual(relay.queue(), [])

    @staticmethod
    def large_files(relay):
        return [
            os.path.join(folder, name) for folder, _, names in os.walk(relay.home) for name in names
            if not name.startswith(("queue.db", "reserve"))
            and os.path.getsize(os.path.join(folder, name)) > 500_000
        ]


class Disk(FaultSuite):
    SIZE = 40 << 20

    def setUp(self):
        super().setUp()
        self.require(os.geteuid() == 0, "needs root (mounts a tmpfs)")
        self.disk = os.path.join(self.work, "disk")
        os.mkdir(self.disk)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", self.disk], check=False)
        self.require(mounted.returncode == 0, "needs the right to mount (not in this container)")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", self.disk], check=False))

    def relay(self, reserve, routes):
        return self.started(Postroom(
            self.work, routes, {"server": {"min-free-space": reserve}}, home=self.disk))

    def fill(self, leave):
        """A file that leaves that many octets free."""
        path = os.path.join(self.disk, "filler")
        stat = os.statvfs(self.disk)
        with open(path, "ab") as file, contextlib.suppress(OSError):
            file.write(b"\0" * max(0, stat.f_bavail * stat.f_bsize - leave))
        return path

    def mail_reply(self, relay, parameters=""):
        c = relay.connect()
        c.ehlo()
        reply = c.command("MAIL FROM:<sender@here.test>" + parameters)
        c.close()
        return reply

    def test_refused_at_mail_and_accepted_again(self):
        hop = self.started(NextHop())
        relay = self.relay("4M", {"out": smarthost(hop)})
        self.assertEqual(self.mail_reply(relay).code, 250)
        filler = self.fill(3 << 20)
        reply = self.wait("a refusal", lambda: (r := self.mail_reply(relay)).code == 452 and r)
        self.assertEqual((reply.code, reply.enhanced), (452, "4.3.1"))
        os.unlink(filler)
        self.wait("mail to be accepted again", lambda: self.mail_reply(relay).code == 250)
        id_ = mail.unique_id()
        relay.send(mail.message(id_))
        self.wait("the message", lambda: hop.find(id_))

    def test_announced_size_beyond_the_space(self):
        relay = self.relay("4M", {"out": {"via": "hold"}})
        reply = self.mail_reply(relay, " SIZE=45000000")
        self.assertEqual((reply.code, reply.enhanced), (452, "4.3.1"))
        self.assertEqual(self.mail_reply(relay, " SIZE=1000000").code, 250)

    def test_refused_at_the_end_of_data(self):
        hop = self.started(NextHop())
        relay = self.relay("4M", {"out": smarthost(hop)})
        c = relay.connect(timeout=60)
        c.ehlo()
        c.command("MAIL FROM:<sender@here.test>")
        c.command("RCPT TO:<alice@there.test>")
        reply = c.data(mail.message(size=45_000_000))
        self.assertEqual((reply.code, reply.enhanced), (452, "4.3.1"))
        self.assertEqual(c.command("NOOP").code, 250)
        self.wait("the room to be seen", lambda: self.mail_reply(relay).code == 250)
        id_ = mail.unique_id()
        c.deliver("sender@here.test", ["alice@there.test"], mail.message(id_))
        self.wait("the small one", lambda: hop.find(id_))
        self.assertEqual(len(hop.taken(acknowledged=False)), 1)

    def test_nothing_is_lost_on_a_disk_that_is_really_full(self):
        hop = self.started(NextHop())
        hop.on("connect", "421 4.3.2 later")
        relay = self.relay("0", {"out": smarthost(hop)})
        filler = self.fill(self.SIZE // 2)  # of somebody else, who will make room again
        load = Load(("127.0.0.1", relay.port), threads=4, size=100_000, pause=0.01)
        self.wait("refusals for want of space", lambda: any("452" in key for key in load.refusals),
                  60)
        time.sleep(1)
        self.fill(0)
        time.sleep(2)
        self.assertTrue(relay.process.running())
        os.unlink(filler)
        hop.clear()
        acknowledged = len(load.acknowledged)
        self.wait("mail to be accepted again", lambda: len(load.acknowledged) > acknowledged + 5,
                  60)
        load.stop()
        relay.wait_empty(60)
        # A result that could not be written down makes a second delivery: at least once
        arrived = {mail.test_id(message.text) for message in hop.taken()}
        lost = set(load.acknowledged) - arrived
        self.note(
            f"{len(load.acknowledged)} acknowledged, {len(hop.taken()) - len(arrived)} doubled, "
            f"{len(lost)} lost; "
            f"the clients saw {load.refusals}")
        self.assertEqual(lost, set())


class Pressure(FaultSuite):

    def open_files(self, wanted):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.require(hard == resource.RLIM_INFINITY or hard >= wanted,
                     f"may not open {wanted} files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_64_descriptors_and_500_clients(self):
        self.open_files(4096)
        hop = self.started(NextHop())
        limits = {"server": {"max-connections": "5000", "max-connections-per-client": "5000"}}
        relay = self.started(
            Postroom(self.work, {"out": smarthost(hop)}, limits,
                     preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))))
        done, failures = [], []

        def one():
            id_ = mail.unique_id()
            deadline = time.monotonic() + 240
            while time.monotonic() < deadline:
                try:
                    c = client.Client(("127.0.0.1", relay.port), timeout=60)
                    if c.greeting.code == 220:
                        c.ehlo()
                        c.deliver("sender@here.test", ["alice@there.test"], mail.message(id_))
                        c.quit()
                        done.append(id_)
                        return
                    c.close()
                except (OSError, AssertionError) as error:
                    failures.append(f"{type(error).__name__} {error}"[:80])
                time.sleep(random.uniform(0.1, 0.5))

        threads = [threading.Thread(target=one, daemon=True) for _ in range(500)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(250)
        self.note(
            f"{len(done)} of 500 served, {len(failures)} tries in vain: {sorted(set(failures))[:5]}"
        )
        self.assertEqual(len(done), 500)
        self.wait("all to arrive", lambda: len({mail.test_id(m.text)
                                                for m in hop.taken()}) == 500, 60)
        self.assertLessEqual(len(os.listdir(f"/proc/{relay.pid}/fd")), 64)

    def test_1000_slow_senders_hold_up_nobody(self):
        self.open_files(4096)
        hop = self.started(NextHop())
        limits = {"server": {"max-connections": "3000", "max-connections-per-client": "3000"}}
        relay = self.started(Postroom(self.work, {"out": smarthost(hop)}, limits))
        before = process.memory_kib(relay.pid)
        slow = SlowSenders(("127.0.0.1", relay.port), 1000)
        self.addCleanup(slow.close)
        self.wait("1,000 greetings", lambda: slow.greeted >= 1000, 60)
        self.wait("an octet from each", lambda: slow.sent >= 1000, 60)
        grown = process.memory_kib(relay.pid) - before
        load = Load(("127.0.0.1", relay.port), threads=4, size=4000)
        self.wait("400 messages beside the slow senders",
                  lambda: len(load.acknowledged) >= 400 and slow.sent > 3000, 90)
        load.stop()
        self.assertEqual(load.refusals, {})
        relay.wait_empty()
        self.count(load, hop)
        self.note(f"1,000 slow senders cost {grown} KiB; {slow.sent} octets came from them")
        if not process.is_sanitized(relay.pid):
            self.assertLess(grown, 8_000)

    def test_a_slow_command_meets_its_deadline(self):
        relay = self.started(Postroom(self.work, config={"server": {"idle-timeout": "2s"}}))
        c = relay.connect(timeout=0.5)
        for _ in range(120):
            try:
                c.send("A")
                reply = c.reply()
                self.assertEqual(reply.code, 421)
                return
            except TimeoutError:
                continue
            except ConnectionError:
                self.fail("closed without 421")
        self.fail("a client that sends an octet now and then is never idle for this server")

    def test_an_idle_client_is_told(self):
        relay = self.started(Postroom(self.work, config={"server": {"idle-timeout": "1s"}}))
        c = relay.connect()
        c.ehlo()
        self.assertEqual(c.reply().code, 421)
        self.assertTrue(c.is_closed())


class SlowSenders:
    """Clients which send one octet of a command, over and over, each second."""

    SCRIPT = b"EHLO client.here.test\r\n" + b"NOOP\r\n" * 1000

    def __init__(self, address, count):
        self.greeted = self.sent = 0
        self.closed = False
        self.selector = selectors.DefaultSelector()
        self.sockets = []
        self.thread = threading.Thread(target=self._run, args=(address, count), daemon=True)
        self.thread.start()

    def _run(self, address, count):
        for _ in range(count):
            sock = socket.create_connection(address, 30)
            sock.setblocking(False)
            self.sockets.append(sock)
            self.selector.register(sock, selectors.EVENT_READ, [b""])
            self._read(0)
        at = 0
        while not self.closed:
            until = time.monotonic() + 1
            for sock in self.sockets:
                with contextlib.suppress(OSError):
                    self.sent += sock.send(self.SCRIPT[at:at + 1])
            at += 1
            while time.monotonic() < until and not self.closed:
                self._read(0.1)

    def _read(self, timeout):
        for key, _ in self.selector.select(timeout):
            with contextlib.suppress(OSError):
                got = key.fileobj.recv(4096)
                if not got:
                    self.selector.unregister(key.fileobj)
                if not key.data[0] and got:
                    self.greeted += 1
                key.data[0] = got or key.data[0]

    def close(self):
        self.closed = True
        self.thread.join(10)
        for sock in self.sockets:
            sock.close()


class Drops(FaultSuite):

    def test_the_client_goes_at_every_step(self):
        hop = self.started(NextHop())
        relay = self.started(Postroom(self.work, {"out": smarthost(hop)}))
        steps = [
            b"EHLO client.here.test\r\n", b"MAIL FROM:<sender@here.test>\r\n",
            b"RCPT TO:<alice@there.test>\r\n", b"DATA\r\n"
        ]
        for large in (False, True):
            text = client.stuff(mail.message("dropped", size=400_000 if large else 0))
            script = steps + [text[:-5], b"\r\n", b".", b"\r"]
            for count in range(len(script) + 1):
                for reset in (False, True):
                    sock = socket.create_connection(("127.0.0.1", relay.port), 10)
                    for index, part in enumerate(script[:count]):
                        sock.sendall(part)
                        if index < 4:
                            sock.recv(4096)
                    if reset:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        struct.pack("ii", 1, 0))
                    sock.close()
        id_ = mail.unique_id()
        relay.send(mail.message(id_))
        self.wait("a good message", lambda: hop.find(id_))
        relay.wait_empty()
        self.assertIsNone(hop.find("dropped"))
        self.wait("all sessions to end", lambda: not relay.ctl_json("sessions"))
        self.wait("no spool file to be left", lambda: not Crashes.large_files(relay))

    def test_the_client_goes_after_the_dot_and_the_message_is_kept(self):
        hop = self.started(NextHop())
        relay = self.started(Postroom(self.work, {"out": smarthost(hop)}))
        c = relay.connect()
        c.ehlo()
        id_ = mail.unique_id()
        c.command("MAIL FROM:<sender@here.test>")
        c.command("RCPT TO:<alice@there.test>")
        c.command("DATA")
        c.send(client.stuff(mail.message(id_)))
        c.close()
        # It may be kept or thrown away, but not both and not twice
        time.sleep(1)
        relay.wait_empty()
        self.assertLessEqual(len(hop.taken(acknowledged=False)), 1)

    def test_the_next_hop_goes_at_every_step(self):
        hop = self.started(NextHop())
        relay = self.started(Postroom(self.work, {"out": smarthost(hop)}))
        for action in (DROP, RESET, "421 4.3.2 shutting down"):
            for step in ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot", "rset", "quit"):
                with self.subTest(step=step, action=str(action)[:3]):
                    hop.clear()
                    hop.on(step, action, times=1)
                    id_ = mail.unique_id()
                    text = mail.message(id_, size=300_000 if step == "body" else 0)
                    relay.send(text)
                    message = self.wait("the message", lambda: hop.find(id_))
                    self.assertEqual(below_trace(message.text), text)
                    self.assertEqual(len([m for m in hop.taken() if id_.encode() in m.text]), 1)
        relay.wait_empty()

    def test_two_recipients_one_dropped_reply(self):
        """A drop after the first RCPT's reply: nobody gets it twice, nobody is left out."""
        hop = self.started(NextHop(extensions=("8BITMIME", )))
        hop.on("rcpt", RESET, match="bob", times=1)
        relay = self.started(Postroom(self.work, {"out": smarthost(hop)}))
        relay.send(mail.message("two"), to=["alice@there.test", "bob@there.test"])
        relay.wait_empty()
        self.assertEqual(sorted(r for m in hop.taken() for r in m.recipients),
                         ["alice@there.test", "bob@there.test"])


class Changes(FaultSuite):

    def test_reload_under_load(self):
        hops = [self.started(NextHop()) for _ in range(2)]
        relay = self.started(Postroom(self.work, {"out": smarthost(hops[0])}))
        load = self.started(Load(("127.0.0.1", relay.port), threads=6, size=3000))
        for number in range(20):
            relay.merge({
                "route out": smarthost(hops[number % 2]),
                "server": {
                    "max-message-size": f"{10 + number}M"
                }
            })
            relay.reload()
            seen = len(hops[number % 2].messages)
            self.wait("mail by the new way", lambda: len(hops[number % 2].messages) > seen)
        load.stop()
        self.assertEqual(load.refusals, {})
        relay.wait_empty()
        hops[0].messages += hops[1].messages
        self.count(load, hops[0])

    def test_new_values_hold_after_reload(self):
        relay = self.started(Postroom(self.work, {"out": {"via": "hold"}}))
        relay.merge({"server": {"max-message-size": "12345"}})
        relay.reload()
        self.wait("the new size", lambda: self.size(relay) == "12345")

    @staticmethod
    def size(relay):
        c = relay.connect()
        c.ehlo()
        c.close()
        return c.features["SIZE"][0]

    def test_listeners_come_and_go_by_reload(self):
        relay = self.started(Postroom(self.work, {"out": {"via": "hold"}}))
        open_client = relay.connect()
        open_client.ehlo()
        port = process.free_port()
        relay.merge({"listener second": {"listen": f"127.0.0.1:{port}", "tls": "off"}})
        relay.reload()
        self.wait("the new listener", lambda: process.banner(("127.0.0.1", port)))
        del relay.groups["listener second"]
        relay.merge({})
        relay.reload()
        self.wait("the listener to go", lambda: not process.banner(("127.0.0.1", port)))
        self.assertEqual(open_client.command("NOOP").code, 250)

    def test_wrong_configuration_on_reload_changes_nothing(self):
        relay = self.started(
            Postroom(self.work, {"out": {
                "via": "hold"
            }}, {"server": {
                "max-message-size": "5M"
            }}))
        for text in ("[server]\nmax-message-size=lots\n", "[nonsense]\n", "no key file",
                     "\xff\xfe"):
            relay.write_config(text)
            relay.reload()
            time.sleep(0.3)
            self.assertEqual(self.size(relay), str(5 << 20))
        self.wait("the fault in the log", lambda: "[server] max-message-size: " in relay.log())
        relay.merge({"server": {"max-message-size": "6M"}})
        relay.reload()
        self.wait("the mended file", lambda: self.size(relay) == str(6 << 20))

    def test_stop_under_load(self):
        hop = self.started(NextHop())
        relay = self.started(Postroom(self.work, {"out": smarthost(hop)}))
        load = self.started(Load(("127.0.0.1", relay.port), threads=8, size=20_000))
        for _ in range(5):
            acknowledged = len(load.acknowledged)
            self.wait("some load", lambda: len(load.acknowledged) > acknowledged + 20)
            self.assertEqual(relay.stop(), 0)
            relay.start()
        load.stop()
        relay.wait_empty()
        # A stop is no crash: what the next hop has acknowledged is written down before the end
        self.count(load, hop)

    def test_open_sessions_get_421_at_stop(self):
        relay = self.started(Postroom(self.work, {"out": {"via": "hold"}}))
        idle, envelope, data = (relay.connect() for _ in range(3))
        for c in (idle, envelope, data):
            c.ehlo()
        envelope.command("MAIL FROM:<sender@here.test>")
        data.command("MAIL FROM:<sender@here.test>")
        data.command("RCPT TO:<alice@there.test>")
        data.command("DATA")
        data.send(b"Subject: half\r\n")
        self.assertEqual(relay.stop(), 0)
        for c in (idle, envelope, data):
            reply = c.reply()
            self.assertEqual(reply.code, 421)
            self.assertTrue(c.is_closed())
        relay.start()
        self.assertEqual(relay.queue(), [])


if __name__ == "__main__":
    suite.main()
