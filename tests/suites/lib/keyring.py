# SPDX-License-Identifier: GPL-3.0-or-later
"""gnome-keyring on a session bus of its own."""

import os
import shutil
import subprocess
import unittest

from . import process, suite

SECRETS = "org.freedesktop.secrets"
LOGIN = "/org/freedesktop/secrets/collection/login"


class Keyring:
    """Unlocked, with an empty default keyring; or as it is where nobody has ever logged in."""

    def __init__(self, work, unlocked=True):
        tree = os.path.join(suite.PEERS, "keyring", "usr")
        daemon = os.path.join(tree, "bin", "gnome-keyring-daemon")
        if not os.path.exists(daemon) or not shutil.which("dbus-daemon"):
            raise unittest.SkipTest("gnome-keyring is not there: run tests/suites/fetch-peers")
        self.home = os.path.join(work, "keyring")
        os.makedirs(self.home, mode=0o700)
        address = "unix:path=" + os.path.join(self.home, "session")
        self.env = {"DBUS_SESSION_BUS_ADDRESS": address}
        self.bus = process.Process(["dbus-daemon", "--session", "--nofork", "--address=" + address],
                                   os.path.join(work, "bus.log"))
        process.wait_until("the session bus",
                           lambda: os.path.exists(os.path.join(self.home, "session")))
        self.daemon = subprocess.Popen(  # pylint: disable=consider-using-with
            [daemon, "--foreground", "--components=secrets", *(["--unlock"] if unlocked else [])],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={
                **os.environ,
                **self.env, "HOME": self.home,
                "XDG_DATA_HOME": self.home,
                "XDG_RUNTIME_DIR": self.home,
                "LD_LIBRARY_PATH": os.path.join(tree, "lib", "x86_64-linux-gnu")
            })
        self.daemon.stdin.write(b"unlock me")
        self.daemon.stdin.close()
        process.wait_until("the keyring to answer",
                           lambda: LOGIN in self.call("ReadAlias", "string:default")
                           if unlocked else self.call("ReadAlias", "string:default"))

    def call(self, method, *arguments):
        """What the service answers, as text; nothing where there was an error."""
        return subprocess.run([
            "dbus-send", "--session", "--print-reply", "--dest=" + SECRETS,
            "/org/freedesktop/secrets", "org.freedesktop.Secret.Service." + method, *arguments
        ], env={
            **os.environ,
            **self.env
        }, capture_output=True, text=True, check=False, timeout=30).stdout

    def lock(self):
        self.call("Lock", "array:objpath:" + LOGIN)

    def close(self):
        self.daemon.terminate()
        self.daemon.wait(20)
        self.bus.stop()
