# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting programs and seeing what they cost, from /proc."""

import ctypes
import os
import resource
import signal
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
DESCRIPTORS = 65536
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


class BenchError(Exception):
    """Something that makes the numbers worthless; its text is for the person."""


def wait_for(what, condition, seconds=30.0, step=0.02):
    """Returns the first true result of condition(); names what it waited for if none comes."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise BenchError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(step)


def raise_descriptors():
    """For this process and all it starts: the clients and servers of 10,000 connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, DESCRIPTORS)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def adopt_orphans():
    """Makes what is left of ended servers our children, so that reap() can see them off."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(pids):
    """Ends processes whose parent is gone and waits for them."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def _stat(pid):
    """parent, CPU ticks of the process, CPU ticks of its children that are gone"""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    ticks = [int(field) for field in fields[11:15]]
    return int(fields[1]), ticks[0] + ticks[1], ticks[2] + ticks[3]


def tree(root):
    """All processes of a tree: {pid: (own ticks, ticks of its children that are gone)}"""
    parents, costs = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parent, own, gone = _stat(name)
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(name))
            costs[int(name)] = (own, gone)
    found, todo = {}, [root]
    while todo:
        pid = todo.pop()
        if pid in costs:
            found[pid] = costs[pid]
        todo += parents.get(pid, ())
    return found


def cpu_seconds(root):
    """CPU time a tree has used so far, that of processes which are gone included."""
    for _ in range(20):
        before = tree(root)
        # A child that ends while we look would be counted twice or not at all.
        if tree(root).keys() == before.keys():
            break
    return sum(own + gone for own, gone in before.values()) / TICK


class OtherWork:
    """What share of the machine's processors others used meanwhile: it explains odd numbers."""

    def __init__(self):
        self.begin = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
        idle = ticks[3] + ticks[4]
        return sum(ticks), sum(ticks) - idle, cpu_seconds(os.getpid()) * TICK

    def share(self):
        total, busy, ours = (now - then for now, then in zip(self._read(), self.begin))
        return max(busy - ours, 0) / max(total, 1)


def pss_kib(root):
    """Proportional set size of a tree."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total


class Sampler(threading.Thread):
    """Calls a function again and again and keeps the largest result."""

    def __init__(self, function, seconds):
        super().__init__(daemon=True)
        self.function, self.seconds = function, seconds
        self.largest = 0
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            self.largest = max(self.largest, self.function())
            self.done.wait(self.seconds)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


def stop(process, seconds=30):
    """Ends a program of ours and all its children."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        for pid in tree(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
