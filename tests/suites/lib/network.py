# SPDX-License-Identifier: GPL-3.0-or-later
"""A small internet: two network namespaces and a name server.

    relay namespace                     world namespace
    10.77.0.1, fd77::1  ──── veth ────  10.77.0.2, fd77::2, and what `address()` adds;
                                        dnsmasq on 10.77.0.53;
                                        `black_hole()` addresses swallow packets

Needs root, iproute2 and dnsmasq-base.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import unittest

from . import process

CLONE_NEWNET = 0x40000000
DNS = "10.77.0.53"


def inside(namespace, function, *arguments):
    """Calls a function in a thread that has entered the namespace; sockets it makes stay there."""
    result = {}

    def call():
        try:
            with open("/run/netns/" + namespace, "rb") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result["value"] = function(*arguments)
        except BaseException as error:
            result["error"] = error

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["value"]


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:

    def __init__(self, work):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root (network namespaces)")
        for program, package in (("ip", "iproute2"), ("dnsmasq", "dnsmasq-base")):
            if not shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin"):
                raise unittest.SkipTest(f"{program} is not installed (package {package})")
        self.work = work
        self.relay, self.world = (f"pr{os.getpid()}{side}" for side in ("relay", "world"))
        self.records = []
        self.dns = self.mute = None
        try:
            self._build()
        except subprocess.CalledProcessError as error:
            self.close()
            raise unittest.SkipTest(
                f"network namespaces are not possible here: {error.stderr.strip()}") from None

    def _build(self):
        for name in (self.relay, self.world):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", self.relay, "link", "add", "near", "type", "veth", "peer", "name", "far", "netns",
            self.world)
        for name, link, own, own6 in ((self.relay, "near", "10.77.0.1/24", "fd77::1/64"),
                                      (self.world, "far", "10.77.0.2/24", "fd77::2/64")):
            _ip("-n", name, "addr", "add", own, "dev", link)
            _ip("-n", name, "addr", "add", own6, "dev", link, "nodad")
        _ip("-n", self.world, "link", "set", "far", "up")
        self.connect()
        for switch in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                       "net.ipv4.ip_unprivileged_port_start=25"):
            subprocess.run(["ip", "netns", "exec", self.world, "sysctl", "-qw", switch], check=True,
                           capture_output=True, text=True)
        etc = os.path.join("/etc/netns", self.relay)
        os.makedirs(etc, exist_ok=True)
        for name, text in (("resolv.conf", f"nameserver {DNS}\noptions timeout:1 attempts:1\n"),
                           ("nsswitch.conf", "hosts: files dns\n")):
            with open(os.path.join(etc, name), "w", encoding="ascii") as file:
                file.write(text)
        self.address(DNS)

    def close(self):
        self.stop_dns()
        if self.mute:
            self.mute.close()
        for name in (self.relay, self.world):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        shutil.rmtree(os.path.join("/etc/netns", self.relay), ignore_errors=True)

    def connect(self):
        _ip("-n", self.relay, "link", "set", "near", "up")
        _ip("-n", self.relay, "route", "replace", "default", "via", "10.77.0.2")
        _ip("-n", self.relay, "addr", "replace", "fd77::1/64", "dev", "near", "nodad")
        _ip("-n", self.relay, "-6", "route", "replace", "default", "via", "fd77::2")

    def disconnect(self):
        """The cable is pulled: the interface goes down and its routes with it."""
        _ip("-n", self.relay, "link", "set", "near", "down")

    def address(self, address):
        """A further address of the world; nothing listens there yet."""
        _ip("-n", self.world, "addr", "replace", address + ("/128" if ":" in address else "/32"),
            "dev", "lo")
        return address

    def black_hole(self, address):
        """An address whose packets vanish."""
        _ip("-n", self.world, "route", "replace", "blackhole", address)
        return address

    def mute_dns(self, address):
        """A name server that takes every question and answers none."""
        self.address(address)

        def bind():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((address, 53))
            return sock

        self.mute = inside(self.world, bind)
        return address

    def name(self, *records):
        """Lines of dnsmasq's configuration: host-record=NAME,ADDRESS… and
        mx-host=DOMAIN,HOST,PREFERENCE."""
        self.records += records

    def start_dns(self):
        path = os.path.join(self.work, "dnsmasq.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([
                f"listen-address={DNS}", "bind-interfaces", "no-resolv", "no-hosts", "local=/test/",
                "log-queries", "log-facility=-", "user=root", "pid-file=", *self.records
            ]) + "\n")
        self.dns = process.Process([
            "ip", "netns", "exec", self.world, "dnsmasq", "--keep-in-foreground",
            "--conf-file=" + path
        ], os.path.join(self.work, "dnsmasq.log"))
        process.wait_until("dnsmasq to answer", self._answers, 10)

    def stop_dns(self):
        if self.dns:
            self.dns.kill()
            self.dns = None

    def _answers(self):
        if not self.dns.running():
            raise AssertionError("dnsmasq ended:\n" + self.dns.log())

        def ask():
            with socket.create_connection((DNS, 53), 1):
                return True

        try:
            return inside(self.relay, ask)
        except OSError:
            return False
