# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured. Each case returns rows for the report."""

import shutil
import sqlite3
import statistics
import subprocess
import time
from dataclasses import dataclass, field

from . import postroom
from .processes import BenchError, Sampler, wait_for

KIB, MIB = 1024, 1024 * 1024
SETTLE_SECONDS = 0.5  # for what a relay does after its next hop has taken a message
WARM_UP_SECONDS = 0.7


@dataclass(frozen=True)
class LoadCase:
    name: str
    size: int
    sessions: int


LOADS = (
    LoadCase("4 KiB, 1 session", 4 * KIB, 1),
    LoadCase("4 KiB, 10 sessions", 4 * KIB, 10),
    LoadCase("4 KiB, 50 sessions", 4 * KIB, 50),
    LoadCase("4 KiB, 100 sessions", 4 * KIB, 100),
    LoadCase("100 KiB, 10 sessions", 100 * KIB, 10),
    LoadCase("5 MiB, 4 sessions", 5 * MIB, 4),
)


@dataclass
class Sample:
    """One run through one relay."""

    messages: int
    per_second: float
    cpu_us: float
    latency_ms: dict


@dataclass
class Bench:
    """What all cases share."""

    sink: object
    load: object
    folder: object
    build: object
    quick: bool
    say: object
    peak_kib: dict = field(default_factory=dict)
    wal_octets: int = 0
    faults: list = field(default_factory=list)
    expected: dict = field(default_factory=dict)  # run: messages
    names: dict = field(default_factory=dict)  # run: relay
    cross_checked: int = 0  # messages that were not bench-load's

    def watch(self, system):
        """Samples size and log of a relay while a case runs."""
        bench = self

        class Watch(Sampler):
            def __init__(self):
                super().__init__(system.pss_kib, system.sample_seconds)
                self.wal = Sampler(system.wal_octets, 0.05)

            def __enter__(self):
                self.wal.__enter__()
                return super().__enter__()

            def __exit__(self, *error):
                super().__exit__(*error)
                self.wal.__exit__(*error)
                bench.peak_kib[system.name] = max(
                    bench.peak_kib.get(system.name, 0), self.largest)
                bench.wal_octets = max(bench.wal_octets, self.wal.largest)

        return Watch()

    def relay(self, system, messages, size, sessions, options=(), port=None):
        """Sends messages through a relay and waits until the sink has them all."""
        cpu = system.cpu_seconds()
        sent = self.load.send(port or system.port, messages, size, sessions, options)
        self.expected[sent["run"]], self.names[sent["run"]] = messages, system.name
        got = self.sink.wait(sent["run"], messages)
        time.sleep(SETTLE_SECONDS)
        cpu = system.cpu_seconds() - cpu
        for fault in self.check(system.name, sent["run"]):
            self.say(fault)
        seconds = max(got["last-us"] - sent["first-us"], 1) / 1e6
        return Sample(messages, messages / seconds, cpu / messages * 1e6, sent["latency-ms"])

    def check(self, name, run):
        """What is wrong with a run, in words."""
        counts, expected = self.sink.runs().get(run), self.expected[run]
        if counts is None:
            return [f"{name}: all {expected} messages of run {run} were lost"]
        numbers = (("lost", expected - counts["unique"] - counts["damaged"]),
                   ("doubled", counts["doubled"]), ("damaged", counts["damaged"]))
        return [f"{name}: {number} of {expected} messages {what} in run {run}"
                for what, number in numbers if number]

    def all_faults(self):
        """Looks at every run once more: a message may be doubled late."""
        faults = list(self.faults)
        for run, name in self.names.items():
            faults += self.check(name, run)
        if self.sink.stray() != self.cross_checked:
            faults.append(f"{self.sink.stray() - self.cross_checked} messages arrived that"
                          " bench-load never sent")
        return faults


def enough_messages(rate, case, seconds):
    """How many make a run of about so many seconds."""
    most = 200_000 if case.size < MIB else 2_000
    return int(min(max(rate * seconds, 10 * case.sessions, 20), most))


def run_loads(bench, systems, cases, repeats, seconds):
    """Interleaved: A B C A B C. Returns {case: {system: [Sample]}}."""
    results = {}
    for case in cases:
        results[case.name] = {system.name: [] for system in systems}
        rates = {}
        for system in systems:
            scale = min(1, 16 * KIB / case.size)
            guess = max(system.first_guess * scale * WARM_UP_SECONDS, 2 * case.sessions, 10)
            warm = bench.relay(system, int(guess), case.size, case.sessions)
            rates[system.name] = warm.per_second
        for _ in range(repeats):
            for system in systems:
                with bench.watch(system):
                    sample = bench.relay(
                        system, enough_messages(rates[system.name], case, seconds), case.size,
                        case.sessions)
                results[case.name][system.name].append(sample)
                bench.say(f"{case.name:22} {system.name:16} {sample.per_second:9.1f} msgs/s"
                          f" {sample.cpu_us:10.1f} us  p50 {sample.latency_ms['p50']:.2f} ms"
                          f"  p99 {sample.latency_ms['p99']:.2f} ms")
    return results


def median(samples, what):
    return statistics.median(getattr(sample, what) for sample in samples)


def run_idle(bench, count):
    """Many idle connections: what each weighs, and what the others then cost."""
    sources = max(count // 40, 1)
    relay = postroom.Postroom(
        "postroom-idle", bench.build, bench.folder,
        postroom.SMARTHOST.format(sink_port=bench.sink.port), max_connections=count + 500)
    messages = 5_000 if bench.quick else 30_000
    without, beside = [], []
    try:
        relay.start()
        bench.relay(relay, 10, 4 * KIB, 1)
        empty_kib = relay.pss_kib()  # later there is memory to use again, and they look free
        for repeat in range(1 if bench.quick else 3):
            bench.load.hold_idle(relay.port, count, sources)
            if repeat == 0:
                full_kib = relay.pss_kib()
                bench.relay(relay, messages, 4 * KIB, 50)
            beside.append(bench.relay(relay, messages, 4 * KIB, 50))
            still = bench.load.release_idle()
            if still != count:
                bench.faults.append(f"{count - still} idle connections were closed")
            without.append(bench.relay(relay, messages, 4 * KIB, 50))
    finally:
        relay.stop()
    result = {
        "connections": count,
        "cpu-us-without": median(without, "cpu_us"),
        "cpu-us-with": median(beside, "cpu_us"),
        "per-second-without": median(without, "per_second"),
        "per-second-with": median(beside, "per_second"),
        "kib-each": (full_kib - empty_kib) / count,
    }
    bench.say(f"{count} idle connections: {result['cpu-us-with']:.1f} us a message with them,"
              f" {result['cpu-us-without']:.1f} without; {result['kib-each']:.2f} KiB each")
    return result


def count_queued(home):
    with sqlite3.connect(f"file:{home}/queue.db?mode=ro", uri=True) as database:
        return database.execute("SELECT count(*) FROM message").fetchone()[0]


def run_queue(bench, count, size):
    """A large queue: filling it, starting with it, emptying it."""
    relay = postroom.Postroom("postroom-queue", bench.build, bench.folder, postroom.HOLD)
    result = {"messages": count, "size": size}
    try:
        relay.start()
        with bench.watch(relay) as watch:
            sent = bench.load.send(relay.port, count, size, 100)
        result["insert-per-second"] = sent["per-second"]
        result["pss-mib-filled"] = watch.largest / KIB
        bench.say(f"{count} messages queued at {sent['per-second']:.0f}/s")
        relay.stop()
        stored = count_queued(relay.home)
        if stored != count:
            bench.faults.append(f"{count} messages accepted, {stored} queued")

        begin = time.monotonic()
        result["greeting-seconds"] = relay.start()
        bench.load.send(relay.port, 1, size, 1)
        result["first-accept-seconds"] = time.monotonic() - begin
        result["pss-mib-restarted"] = relay.pss_kib() / KIB
        bench.say(f"restarted: greets after {result['greeting-seconds']:.3f} s, has taken a"
                  f" message after {result['first-accept-seconds']:.3f} s")

        begin = time.monotonic()
        with bench.watch(relay) as watch:
            relay.control("queue", "delete", "--all")
            wait_for("the queue to be empty", lambda: relay.queued() == 0, 600, 0.2)
        result["delete-per-second"] = (count + 1) / (time.monotonic() - begin)
        result["pss-mib-deleting"] = watch.largest / KIB
        bench.say(f"deleted at {result['delete-per-second']:.0f}/s")
        relay.stop()
        left = count_queued(relay.home)
        if left:
            bench.faults.append(f"{left} messages left after all were deleted")
    finally:
        relay.stop()
        shutil.rmtree(relay.home, ignore_errors=True)
    return result


def run_large(bench, size, messages):
    """Messages as large as they come: memory must not follow them."""
    relay = postroom.Postroom("postroom-large", bench.build, bench.folder,
                              postroom.SMARTHOST.format(sink_port=bench.sink.port))
    relay.sample_seconds = 0.02
    try:
        relay.start()
        bench.relay(relay, 20, 4 * KIB, 1)
        before = relay.pss_kib()
        with bench.watch(relay) as watch:
            sample = bench.relay(relay, messages, size, 1)
    finally:
        relay.stop()
    result = {"size": size, "pss-mib-before": before / KIB, "pss-mib-peak": watch.largest / KIB,
              "mib-per-second": sample.per_second * size / MIB}
    bench.say(f"{size // MIB} MiB messages: {result['mib-per-second']:.0f} MiB/s,"
              f" peak {result['pss-mib-peak']:.1f} MiB")
    return result


def idle_mib(system, seconds):
    """Size of a relay that has had nothing to do for a while."""
    time.sleep(seconds)
    return system.pss_kib() / KIB


def cross_check(bench, system, program, messages):
    """The same load from Postfix's smtp-source: do both generators see the same relay?"""
    before, cpu = bench.sink.stray(), system.cpu_seconds()
    begin = time.monotonic()
    done = subprocess.run(
        [*program, "-s", "50", "-l", "4096", "-m", str(messages), "-f", "a@bench.example",
         "-t", "b@sink.example", f"127.0.0.1:{system.port}"], check=False)
    if done.returncode != 0:
        raise BenchError("smtp-source failed")
    wait_for("smtp-source's messages", lambda: bench.sink.stray() - before >= messages, 120, 0.01)
    bench.cross_checked += messages
    seconds = time.monotonic() - begin
    return messages / seconds, (system.cpu_seconds() - cpu) / messages * 1e6
