# SPDX-License-Identifier: GPL-3.0-or-later
"""What encryption costs: handshakes, messages over it, memory, and clients that begin and stop."""

import statistics
import time

from . import postfix, postroom
from .cases import KIB, LoadCase, enough_messages
from .processes import BenchError

SESSIONS = 50
SHAKING = 20  # connections at once that only shake hands
STALLED = 400
ARRIVED_SECONDS = 2  # their coming, and its events, are no part of their waiting
WAYS = ("full handshakes", "resumed handshakes", "4 KiB by STARTTLS", "4 KiB by implicit TLS")


class Pair:
    """Both relays with the same certificate; Postfix is None where it cannot be had."""

    def __init__(self, bench, root):
        route = postroom.SMARTHOST.format(sink_port=bench.sink.port)
        self.ours = postroom.Postroom("postroom-tls", bench.build, bench.folder, route,
                                      max_connections=4000)
        self.theirs = None
        self.ours.start()
        if root is not None:
            self.theirs = postfix.Postfix("postfix-tuned-tls", root, bench.folder, bench.sink.port,
                                          tuned=True, pair=self.ours.pair())
            self.theirs.start()

    def systems(self):
        return {"postroom": self.ours, **({"postfix-tuned": self.theirs} if self.theirs else {})}

    def stop(self):
        for system in self.systems().values():
            system.stop()


def shake(bench, system, count, resume):
    """(handshakes/s, CPU us of the relay for each)"""
    cpu = system.cpu_seconds()
    sent = bench.load.send(system.tls_port, count, KIB, SHAKING,
                           ["--tls=implicit", "--handshakes"] + ["--resume"] * resume)
    cpu = system.cpu_seconds() - cpu
    if resume and sent["resumed"] < 0.9 * count - SHAKING:
        raise BenchError(f"{system.name} resumed only {sent['resumed']} of {count} sessions")
    return count / max((sent["last-us"] - sent["first-us"]) / 1e6, 1e-6), cpu / count * 1e6


def measure(bench, system, way, amount):
    if way.endswith("handshakes"):
        return shake(bench, system, amount, way.startswith("resumed"))
    options, port = ["--tls=starttls"], system.port
    if "implicit" in way:
        options, port = ["--tls=implicit"], system.tls_port
    sample = bench.relay(system, amount, 4 * KIB, SESSIONS, options, port)
    return sample.per_second, sample.cpu_us


def run_ways(bench, pair, repeats, seconds):
    """{way: {system: (per second, CPU us)}}, the median of interleaved runs."""
    found = {}
    for way in WAYS:
        runs = {name: [] for name in pair.systems()}
        amounts = {}
        for name, system in pair.systems().items():
            rate = measure(bench, system, way, 400)[0]
            amounts[name] = int(min(max(rate * seconds, 400), 100_000))
        for _ in range(repeats):
            for name, system in pair.systems().items():
                runs[name].append(measure(bench, system, way, amounts[name]))
                bench.say(f"{way:22} {name:16} {runs[name][-1][0]:9.1f}/s"
                          f" {runs[name][-1][1]:10.1f} us")
        found[way] = {name: tuple(statistics.median(values) for values in zip(*samples))
                      for name, samples in runs.items()}
    return found


def run_idle(bench, relay, count):
    """KiB for each connection that is encrypted and says nothing."""
    before = relay.pss_kib()
    bench.load.hold_idle(relay.tls_port, count, max(count // 40, 1), ["--tls=starttls"])
    time.sleep(1)
    each = (relay.pss_kib() - before) / count
    still = bench.load.release_idle()
    if still != count:
        bench.faults.append(f"{count - still} idle encrypted connections were closed")
    bench.say(f"{count} idle encrypted connections: {each:.2f} KiB each")
    return each


def run_stalled(bench, relay, repeats, seconds):
    """Beside clients that stopped in their handshake, for each run without them: messages/s, CPU
    for each message."""
    case = LoadCase("stalled", 4 * KIB, SESSIONS)
    amount = enough_messages(measure(bench, relay, WAYS[2], 400)[0], case, seconds)
    shares, costs = [], []
    for repeat in range(repeats):
        speeds = {}
        for stalled in (repeat % 2, 1 - repeat % 2):  # neither is always the first
            if stalled:
                bench.load.hold_idle(relay.tls_port, STALLED, STALLED // 40, ["--stalled"])
                time.sleep(ARRIVED_SECONDS)
            speeds[stalled] = measure(bench, relay, WAYS[2], amount)
            if stalled:
                bench.load.release_idle()
        shares.append(speeds[1][0] / speeds[0][0])
        costs.append(speeds[1][1] / speeds[0][1])
        bench.say(f"{STALLED} stalled handshakes: {speeds[1][0]:.0f}/s, {speeds[1][1]:.1f} us"
                  f" beside them; {speeds[0][0]:.0f}/s, {speeds[0][1]:.1f} us alone")
    return statistics.median(shares), statistics.median(costs)


def run(bench, root, repeats, seconds):
    pair = Pair(bench, root)
    try:
        for system in pair.systems().values():
            bench.relay(system, 50, 4 * KIB, 10)
        each = run_idle(bench, pair.ours, 2000)
        ways = run_ways(bench, pair, repeats, seconds)
        share, cost = run_stalled(bench, pair.ours, max(repeats, 5), seconds)
        return {"ways": ways, "idle-kib": each, "stalled-share": share, "stalled-cost": cost}
    finally:
        pair.stop()
