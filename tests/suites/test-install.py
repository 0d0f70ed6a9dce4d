#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed, whether it runs from there, and whether the same commit gives the same."""

import filecmp
import glob
import os
import re
import subprocess
import tarfile

from lib import desktop, mail, nexthop, source, suite, window
from lib.api import Api
from lib.keyring import Keyring
from lib.postroom import Postroom, smarthost

ID = "io.github.postroom.Postroom"
SYMBOLIC = "share/icons/hicolor/symbolic/apps/"
WANTED = [
    "bin/postroom", "bin/postroomctl", "bin/postroomd",
    "lib/*/postroom/postroom-dnssec.so", "lib/*/postroom/postroom-keyring",
    "lib/*/postroom/postroom-notify.so", "lib/*/postroom/postroom-web.so",
    "lib/systemd/system/postroom.service", "lib/systemd/system/postroom.socket",
    "lib/systemd/user/postroom.service", "lib/systemd/user/postroom.socket",
    "lib/sysusers.d/postroom.conf",
    f"share/applications/{ID}.desktop",
    "share/bash-completion/completions/postroomctl",
    f"share/dbus-1/services/{ID}.service",
    "share/doc/postroom/postroom.conf.example",
    "share/fish/vendor_completions.d/postroomctl.fish",
    "share/help/C/postroom/index.page",
    f"share/icons/hicolor/scalable/apps/{ID}.svg",
    f"{SYMBOLIC}{ID}-active-symbolic.svg", f"{SYMBOLIC}{ID}-attention-symbolic.svg",
    f"{SYMBOLIC}{ID}-idle-symbolic.svg", f"{SYMBOLIC}{ID}-paused-symbolic.svg",
    f"{SYMBOLIC}{ID}-symbolic.svg",
    "share/locale/de/LC_MESSAGES/postroom.mo",
    "share/man/man1/postroomctl.1", "share/man/man5/postroom.conf.5",
    "share/man/man8/postroomd.8",
    f"share/metainfo/{ID}.metainfo.xml",
    "share/zsh/site-functions/_postroomctl",
]  # yapf: disable
# Of these there may be more: another language, another page of the help.
MORE = re.compile(r"share/locale/[^/]+/LC_MESSAGES/postroom\.mo|share/help/[^/]+/postroom/.+")


def run(*command, cwd=None, **env):
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, capture_output=True,
                          text=True, timeout=1200, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr[-3000:]}{done.stdout[-3000:]}")
    return done.stdout


def files_of(folder):
    """{path below FOLDER: whole path}"""
    return {
        os.path.relpath(os.path.join(at, name), folder): os.path.join(at, name)
        for at, _, names in os.walk(folder) for name in names
    }


class Staged(suite.Suite):
    """`DESTDIR=… meson install` of the build that is there."""

    def setUp(self):
        super().setUp()
        self.stage = os.path.join(self.work, "stage")
        run("meson", "install", "-C", suite.BUILD, "--no-rebuild", DESTDIR=self.stage)
        self.prefix = os.path.join(self.stage, "usr", "local")

    def installed(self, pattern):
        found = glob.glob(os.path.join(self.prefix, pattern))
        self.assertEqual(len(found), 1, pattern)
        return found[0]

    def modules_of(self, pid):
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
            return set(re.findall(r"\S*/postroom-\w+\.so", maps.read()))

    def wait_module(self, relay, name):
        path = self.installed(f"lib/*/postroom/postroom-{name}.so")
        self.wait("the service to open " + path, lambda: path in self.modules_of(relay.pid))

    def start_staged(self, *arguments, **keys):
        return self.started(
            Postroom(self.work, *arguments, daemon=self.installed("bin/postroomd"), **keys))

    def test_everything_where_it_belongs(self):
        wanted = {os.path.relpath(self.installed(pattern), self.prefix) for pattern in WANTED}
        found = set(files_of(self.prefix))
        self.assertEqual({path for path in found - wanted if not MORE.fullmatch(path)}, set())
        self.assertEqual(os.listdir(self.stage), ["usr"])
        self.assertEqual(os.listdir(os.path.join(self.stage, "usr")), ["local"])

    def test_modes_and_no_path_of_here(self):
        for path, whole in files_of(self.prefix).items():
            program = path.startswith("bin/") or path.endswith("keyring")
            mode = os.stat(whole).st_mode & 0o777
            self.assertIn(mode, (0o755, ) if program else (0o644, 0o755), path)
            if path.startswith("share/") and not path.endswith(".mo"):
                with open(whole, encoding="utf-8") as file:
                    text = file.read()
                for here in (self.stage, suite.BUILD, suite.SOURCES):
                    self.assertNotIn(here, text, path)
                self.assertNotRegex(text, "@[a-z]+@", path)

    def test_programs_say_who_they_are(self):
        for name in ("postroom", "postroomctl", "postroomd"):
            self.assertRegex(run(self.installed("bin/" + name), "--version"), r"\d+\.\d+")

    def test_service_opens_its_parts(self):
        """HTTPS from its module, a password through the program beside the modules."""
        keyring = self.started(Keyring(self.work))
        api = self.started(Api())
        route = {"recipients": "*", "via": "gmail-api", "username": "me@gmail.test",
                 "api-url": api.url}  # yapf: disable
        relay = self.start_staged({"out": route}, env=keyring.env)
        run(self.installed("bin/postroomctl"), "--home=" + relay.home, "status")
        relay.ctl("route", "password", "out", stdin="token\n")
        self.assertFalse(os.path.exists(os.path.join(relay.home, "credentials")), relay.log())
        relay.send(mail.message())
        relay.wait_empty()
        self.assertEqual(len(api.requests), 1)
        self.wait_module(relay, "web")

    def test_dnssec_is_opened(self):
        relay = self.start_staged({"out": {"recipients": "*", "via": "mx"}})
        relay.send(mail.message(), to="alice@nowhere.invalid")
        self.wait_module(relay, "dnssec")

    def test_notifications_are_opened(self):
        self.require(not desktop.missing(), "needs the Debian packages " + desktop.missing())
        desk = self.started(desktop.Desktop(self.work))
        desk.start_notifications()
        hop = self.started(nexthop.NextHop())
        hop.on("rcpt", "550 5.1.1 nobody")
        relay = self.start_staged({"out": smarthost(hop)}, env=desk.env)
        relay.send("Subject: one\r\n\r\n.\r\n")
        self.wait_module(relay, "notify")

    def test_window_starts_the_service_beside_it(self):
        self.require(not window.missing(), window.missing())
        home = os.path.join(self.work, "home")
        os.mkdir(home, 0o700)
        relay = Postroom(self.work, start=False, home=self.work, name="home")
        shown = self.started(window.Window(home, program=self.installed("bin/postroom")))
        self.assertEqual(shown.node.name, "Postroom")
        status = self.wait("the service that the window starts",
                           lambda: relay.ctl_run("status", "--json").returncode == 0 and
                           relay.ctl_json("status"), 60)
        daemon = os.readlink(f"/proc/{status['pid']}/exe")
        self.assertEqual(daemon, self.installed("bin/postroomd"))


class Reproduced(suite.Suite):
    """The archive of a release has all that a build needs, and two builds are one."""

    deadline = 1500

    def snapshot(self):
        """A repository of its own with what lies here now, committed or not."""
        folder = os.path.join(self.work, "first")
        source.copy(folder)
        git = ("git", "-c", "user.name=Postroom", "-c", "user.email=test@localhost")
        run(*git, "init", "--quiet", cwd=folder)
        run(*git, "add", "--all", cwd=folder)
        run(*git, "commit", "--quiet", "--message=All of it", cwd=folder)
        return folder

    def build(self, sources, stage, **env):
        """As a packager does it: optimised, with debugging information, paths made neutral."""
        tree = os.path.join(sources, "_out")
        env = {"CCACHE_DISABLE": "1", "CFLAGS": f"-ffile-prefix-map={tree}=.", **env}
        run("meson", "setup", tree, "--prefix=/usr", "--buildtype=debugoptimized",
            "-Dtests=false", cwd=sources, **env)
        run("nice", "ninja", "-C", tree, **env)
        run("meson", "install", "-C", tree, "--no-rebuild", DESTDIR=stage, **env)
        return tree

    def test_two_builds_of_one_commit(self):
        first = self.snapshot()
        stages = [os.path.join(self.work, name) for name in ("one", "two")]
        tree = self.build(first, stages[0])
        run("meson", "dist", "-C", tree, "--no-tests", "--formats=xztar")
        archive = glob.glob(os.path.join(tree, "meson-dist", "*.tar.xz"))[0]
        with tarfile.open(archive) as tar:
            tar.extractall(os.path.join(self.work, "another-place"))
        name = os.path.basename(archive).removesuffix(".tar.xz")
        second = os.path.join(self.work, "another-place", name)
        self.build(second, stages[1], TZ="Pacific/Auckland", LC_ALL="C", HOME=self.work)
        one, two = map(files_of, stages)
        self.assertEqual(sorted(one), sorted(two))
        self.assertEqual([path for path in sorted(one)
                          if not filecmp.cmp(one[path], two[path], shallow=False)], [])


if __name__ == "__main__":
    suite.main()
