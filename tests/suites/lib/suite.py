# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every suite: a folder per test, clean-up that always runs, logs kept on failure, TAP
out.

A suite is a Python file of `Suite` classes that ends in `main()`. `./test-NAME.py [WORD…]` runs the
tests whose names contain a word. Environment:

  POSTROOM_BUILD   the build tree with app/postroomd (default: build beside the sources)
  POSTROOM_PEERS   where fetch-peers put the peers (default: build/peers beside the sources)
  POSTROOM_LOGS    where logs of failed tests are kept (default: $POSTROOM_BUILD/suite-logs)
  POSTROOM_KEEP    not empty: keep the folder of every test
"""

import contextlib
import faulthandler
import os
import shutil
import signal
import sys
import time
import traceback
import unittest

from . import process

SOURCES = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.environ.get("POSTROOM_BUILD", os.path.join(SOURCES, "build"))
PEERS = os.environ.get("POSTROOM_PEERS", os.path.join(SOURCES, "build", "peers"))
LOGS = os.environ.get("POSTROOM_LOGS", os.path.join(BUILD, "suite-logs"))


class Suite(unittest.TestCase):
    """One test is one method. `self.work` is its folder."""

    deadline = 300  # seconds for one test; then its stack is printed and it fails
    maxDiff = 4000

    def setUp(self):
        self.work = process.work_folder(self._testMethodName.removeprefix("test_"))
        self.notes = []

    def note(self, text):
        """A line of the report that belongs to this test, whatever its result."""
        self.notes.append(text)

    def started(self, thing):
        """Registers a thing with close(), to be closed at the end of the test, and returns it."""
        self.addCleanup(thing.close)
        return thing

    def wait(self, what, condition, timeout=process.PATIENCE):
        return process.wait_until(what, condition, timeout)

    def require(self, condition, reason):
        if not condition:
            self.skipTest(reason)


def _tests(loaded):
    for item in loaded:
        if isinstance(item, unittest.TestSuite):
            yield from _tests(item)
        else:
            yield item


def _on_alarm(number, frame):
    raise process.WaitFailed("the test's deadline is over:\n" +
                             "".join(traceback.format_stack(frame, 12)))


def _keep(test, failed):
    work = getattr(test, "work", None)
    if not work or not os.path.isdir(work):
        return
    if failed:
        target = os.path.join(LOGS, test.id().removeprefix("__main__."))
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(LOGS, exist_ok=True)
        with contextlib.suppress(shutil.Error, OSError):
            shutil.copytree(
                work, target, symlinks=True,
                ignore=lambda folder, names: [n for n in names if _is_special(folder, n)])
        print(f"# logs are kept in {target}", flush=True)
        _print_tails(target)
    if not os.environ.get("POSTROOM_KEEP"):
        shutil.rmtree(work, ignore_errors=True)


def _is_special(folder, name):
    path = os.path.join(folder, name)
    return name in ("root", "over") or not (os.path.isfile(path) or os.path.isdir(path))


def _print_tails(folder):
    for name in sorted(os.listdir(folder)):
        if name.endswith(".log"):
            with open(os.path.join(folder, name), "rb") as log:
                tail = log.read()[-3000:].decode("utf-8", "replace")
            print(f"# --- end of {name}")
            for line in tail.splitlines():
                print("#   " + line)


def _comment(text):
    for line in str(text).splitlines():
        print("# " + line)


def _run(number, test):
    result = unittest.TestResult()
    signal.alarm(test.deadline)
    started = time.monotonic()
    try:
        test.run(result)
    finally:
        signal.alarm(0)
    seconds = time.monotonic() - started
    for text in getattr(test, "notes", ()):
        _comment(text)
    bad = result.failures + result.errors
    name = test.id().removeprefix("__main__.")
    if result.skipped:
        print(f"ok {number} {name} # SKIP {result.skipped[0][1]}", flush=True)
    elif bad or result.unexpectedSuccesses:
        print(f"not ok {number} {name} ({seconds:.1f} s)")
        for item, text in bad:
            if item is not test:  # a subtest: its parameters
                _comment(item.id().removeprefix("__main__."))
            _comment(text)
    else:
        print(f"ok {number} {name} ({seconds:.1f} s)", flush=True)
    _keep(test, bool(bad))
    sys.stdout.flush()
    return not bad


def main():
    faulthandler.enable()
    signal.signal(signal.SIGALRM, _on_alarm)
    os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
    os.umask(0o022)
    words = sys.argv[1:]
    loaded = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    tests = [
        test for test in _tests(loaded) if not words or any(word in test.id() for word in words)
    ]
    print("TAP version 13")
    print(f"1..{len(tests)}", flush=True)
    good = [_run(number, test) for number, test in enumerate(tests, 1)]
    sys.exit(0 if all(good) else 1)
