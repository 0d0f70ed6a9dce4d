# SPDX-License-Identifier: GPL-3.0-or-later
"""A `postroomd` of the build tree with a home of its own."""

import json
import os
import re
import signal
import smtplib
import subprocess

from . import process, suite
from .client import Client
from .network import inside

DAEMON = os.path.join(suite.BUILD, "app", "postroomd")
CTL = os.path.join(suite.BUILD, "app", "postroomctl")

# Words of GLib and of the sanitizers that no log may contain, whatever a test does.
ALARMS = re.compile(
    r"CRITICAL|GLib.*WARNING|ERROR: (Address|Leak)Sanitizer|runtime error:|assertion .* failed")


def smarthost(*hosts, **keys):
    """A route group to these next hops (objects with .address, or texts)."""
    names = [getattr(host, "address", host) for host in hosts]
    return {"recipients": "*", "via": "smarthost", "hosts": ";".join(names), "tls": "off", **keys}


class Postroom:
    """Starts at once unless START is false.

    ROUTES: {name: {key: value}}; other groups by CONFIG ({"server": {...}}), which are
    merged over the defaults; a value None takes a key out.
    """

    def __init__(self, work, routes=None, config=None, start=True, listen=("127.0.0.1", ),
                 namespace=None, env=None, preexec=None, name="postroom", home=None,
                 daemon=DAEMON):
        if not os.access(daemon, os.X_OK):
            raise AssertionError(f"{daemon} is not built")
        self.daemon = daemon
        self.home = os.path.join(home or work, name)
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        self.port = process.free_port()
        self.host = listen[0]
        self.log_file = os.path.join(work, name + ".log")
        self.groups = {
            "server": {
                "hostname": "relay.here.test"
            },
            "listener main": {
                "listen":
                ";".join(f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
                         for host in listen),
                "tls":
                "off"
            },
            "retry": {
                "schedule": "1s",
                "give-up": "1h",
                "warn-after": "0"
            },
        }
        for route, keys in (routes or {}).items():
            self.groups["route " + route] = dict(keys)
        self.merge(config or {})
        self.namespace = namespace  # a network namespace, see network.py
        self.prefix = ["ip", "netns", "exec", namespace] if namespace else []
        self.env = {
            **os.environ, "G_DEBUG": "fatal-criticals",
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",  # nobody's own keyring
            **(env or {})
        }
        self.preexec = preexec
        self.process = None
        self.expect_alarms = False
        if start:
            self.start()

    # Configuration

    def merge(self, config):
        for group, keys in config.items():
            target = self.groups.setdefault(group, {})
            for key, value in keys.items():
                if value is None:
                    target.pop(key, None)
                else:
                    target[key] = value
        self.write_config()

    def config_text(self):
        return "\n".join(f"[{group}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())
                         for group, keys in self.groups.items())

    @property
    def config_file(self):
        return os.path.join(self.home, "postroom.conf")

    def write_config(self, text=None):
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write(self.config_text() if text is None else text)
        os.chmod(self.config_file, 0o600)

    # The process

    def start(self, wait=True):
        command = [*self.prefix, self.daemon, "--home=" + self.home]
        self.process = process.Process(command, self.log_file, env=self.env, preexec=self.preexec)
        if wait:
            process.wait_until("postroomd to greet", self._greets, 30)
        return self

    def _greets(self):
        if not self.process.running():
            code = self.process.wait()
            self.process = None
            raise AssertionError(f"postroomd ended with {code}:\n" + self.log()[-4000:])
        return self._inside(process.banner, (self.host, self.port)).startswith(b"220")

    def _inside(self, function, *arguments):
        return inside(self.namespace, function, *arguments) if self.namespace else function(
            *arguments)

    @property
    def pid(self):
        return self.process.pid

    def stop(self, timeout=process.PATIENCE):
        """SIGTERM; the exit code."""
        ended, self.process = self.process, None
        return ended.stop(timeout)

    def kill(self):
        """kill -9."""
        ended, self.process = self.process, None
        ended.kill()

    def restart(self):
        if self.process:
            code = self.stop()
            if code != 0:
                raise AssertionError(f"postroomd stopped with {code}")
        return self.start()

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def close(self):
        """The end of a test: whatever it did, the service is still alive and ends well."""
        if self.process:
            if not self.process.running():
                code = self.process.wait()
                raise AssertionError(f"postroomd ended by itself with {code}:\n" +
                                     self.log()[-4000:])
            code = self.stop()
            if code != 0:
                raise AssertionError(f"postroomd stopped with {code}")
        if not os.path.exists(self.log_file):  # it was never started
            return
        alarm = ALARMS.search(self.log())
        if alarm and not self.expect_alarms:
            raise AssertionError("in the log: " + self.log()[alarm.start():alarm.start() + 1500])

    def log(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            return file.read()

    # Talking to it

    def connect(self, timeout=60.0, greet=True):
        return self._inside(Client, (self.host, self.port), timeout, greet)

    def send(self, text, sender="sender@here.test", to=("alice@there.test", ), mail=(), rcpt=()):
        """Hands a message over with smtplib."""
        return self._inside(self._send, text, sender, [to] if isinstance(to, str) else list(to),
                            list(mail), list(rcpt))

    def _send(self, text, sender, recipients, mail, rcpt):
        with smtplib.SMTP(self.host, self.port, local_hostname="client.here.test",
                          timeout=60) as smtp:
            return smtp.sendmail(sender, recipients, text, mail, rcpt)

    def ctl_run(self, *words, stdin=""):
        return subprocess.run([CTL, "--home=" + self.home, *words], input=stdin,
                              capture_output=True, text=True, timeout=60, env=self.env, check=False)

    def ctl(self, *words, stdin=""):
        """Standard output of a postroomctl command that must succeed."""
        done = self.ctl_run(*words, stdin=stdin)
        if done.returncode != 0:
            raise AssertionError(
                f"postroomctl {' '.join(words)}: {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def ctl_json(self, *words):
        return json.loads(self.ctl(*words, "--json"))

    def queue(self):
        return self.ctl_json("queue")

    def queue_by_recipient(self):
        """{address: recipient} over the whole queue."""
        return {
            recipient["address"]: recipient
            for message in self.queue() for recipient in message["recipients"]
        }

    def wait_empty(self, timeout=90.0):
        process.wait_until("the queue to become empty", lambda: self.queue() == [], timeout,
                           every=0.1)
