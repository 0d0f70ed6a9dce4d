# SPDX-License-Identifier: GPL-3.0-or-later
"""Postroom as a flatpak: the published manifest, built on a runtime of Debian packages, because no
test machine reaches a flatpak remote. Installed below build/peers, never where a person's
applications are."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess

from . import source, suite

ID = "io.github.postroom.Postroom"
RUNTIME = "io.github.postroom.LocalRuntime"
BRANCH = "12"
FOLDER = os.path.join(suite.PEERS, "flatpak")
USER = os.path.join(FOLDER, "user")
INSTALLED = os.path.join(FOLDER, "installed")  # of what
MANIFEST = os.path.join(suite.SOURCES, "flatpak", ID + ".json")
MADE_FROM = ("app", "core", "data", "flatpak", "po", "ui")  # and meson's files
NEEDS = {
    "flatpak": "flatpak",
    "flatpak-builder": "flatpak-builder",
    "ostree": "ostree",
    "mmdebstrap": "mmdebstrap",
    "bwrap": "bubblewrap",
    "xdg-dbus-proxy": "xdg-dbus-proxy",
}


def missing():
    """Why none can be built here; "" when one can."""
    if os.geteuid() != 0:
        return "needs root, to unpack Debian's packages"
    lacking = [package for name, package in NEEDS.items() if not shutil.which(name)]
    return "needs the Debian packages " + " ".join(lacking) if lacking else ""


def run(*command, timeout=1500, check=True, **keys):
    env = {**os.environ, "FLATPAK_USER_DIR": USER}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout,
                          check=False, **keys)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr[-6000:]}{done.stdout[-6000:]}")
    return done.stdout


def manifest():
    with open(MANIFEST, encoding="utf-8") as file:
        return json.load(file)


def local_manifest(tree):
    """The published one on Debian's libraries, of which some are modules there, and of TREE."""
    local = manifest()
    local.update({"runtime": RUNTIME, "sdk": RUNTIME, "runtime-version": BRANCH,
                  "build-options": {"no-debuginfo": True}})  # yapf: disable
    local["modules"] = [module for module in local["modules"] if module["name"] == "postroom"]
    local["modules"][0]["sources"] = [{"type": "dir", "path": tree}]
    return local


def install():
    """Makes the runtime where it is missing, builds and installs Postroom; only the parts of it
    that are not as they were."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, "lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(os.path.join(suite.SOURCES, "flatpak", "local-runtime"), FOLDER)
        tree, repository = os.path.join(FOLDER, "sources"), os.path.join(FOLDER, "repo")
        shutil.rmtree(tree, ignore_errors=True)
        source.copy(tree)
        state = _checksum(tree, os.path.join(FOLDER, "made-by"))
        if _installed() == state:
            return
        run("flatpak", "--user", "remote-add", "--if-not-exists", "--no-gpg-verify", "local",
            repository)
        _get(f"{RUNTIME}//{BRANCH}")
        _build(tree, repository)
        _get(ID)
        with open(INSTALLED, "w", encoding="ascii") as file:
            file.write(state)


def _installed():
    if not os.path.exists(INSTALLED):
        return ""
    with open(INSTALLED, encoding="ascii") as file:
        return file.read()


def _checksum(tree, *files):
    total = hashlib.sha256()
    files = [*files, *(os.path.join(tree, name) for name in os.listdir(tree)
                       if name.startswith("meson"))]  # yapf: disable
    for part in MADE_FROM:
        files += [os.path.join(at, name)
                  for at, _, names in os.walk(os.path.join(tree, part)) for name in names]
    for path in sorted(files):
        with open(path, "rb") as file:
            total.update(path.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return total.hexdigest()


def _get(what):
    run("flatpak", "--user", "install", "-y", "--noninteractive", "--reinstall", "local", what)


def _build(tree, repository):
    file = os.path.join(FOLDER, ID + ".json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump(local_manifest(tree), out, indent=2)
    run("nice", "flatpak-builder", "--user", "--force-clean", "--disable-download",
        "--disable-updates", "--state-dir=" + os.path.join(FOLDER, "state"),
        "--repo=" + repository, os.path.join(FOLDER, "built"), file, cwd=FOLDER)


class Application:
    """Its data and settings are those of DESK's home."""

    def __init__(self, desk):
        self.desk = desk
        self.desk.env["FLATPAK_USER_DIR"] = USER
        self.home = desk.path("home", ".var", "app", ID)
        self.started = 0

    @property
    def config_file(self):
        return os.path.join(self.home, "config", "postroom", "postroom.conf")

    def start(self, *words, command="postroom"):
        """In a sandbox of its own; the process is that of `flatpak run`."""
        self.started += 1
        return self.desk.start(f"flatpak-{self.started}", "flatpak", "run", "--user",
                               "--command=" + command, ID, *words)

    def run(self, *words, command="postroomctl"):
        """To its end: (exit code, standard output, standard error)"""
        done = subprocess.run(["flatpak", "run", "--user", "--command=" + command, ID, *words],
                              env=self.desk.env, capture_output=True, text=True, timeout=60,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def ask(self, *words):
        """What postroomctl of another sandbox answers; None: no service runs."""
        code, answer, error = self.run(*words, "--json")
        if code == 69:
            return None
        if code != 0:
            raise AssertionError(f"postroomctl {words}: {code}: {error}")
        return json.loads(answer)

    def instances(self):
        return self.desk.run("flatpak", "ps", "--columns=instance").split()

    def kill(self):
        """As a power cut ends it."""
        self.desk.run("flatpak", "kill", ID, check=False)

    def close(self):
        with contextlib.suppress(AssertionError):
            self.kill()
