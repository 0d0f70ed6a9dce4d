# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be reached, and whether it was. Missing a target never fails the bench."""

from .cases import median

# case: (at least so many times the messages/s, at most this share of the CPU per message)
RATIOS = {
    "4 KiB, 50 sessions": (20, 1 / 30),
    "4 KiB, 1 session": (1.5, None),
    "100 KiB, 10 sessions": (4, None),
    "5 MiB, 4 sessions": (1, None),
}
POSTROOM, TUNED = "postroom", "postfix-tuned"


def judge(what, value, limit, unit, at_most):
    met = value <= limit if at_most else value >= limit
    return {"what": what, "value": value, "limit": limit, "unit": unit, "at-most": at_most,
            "met": met}


def judge_loads(loads):
    for case, (speed, share) in RATIOS.items():
        samples = loads.get(case, {})
        if not samples.get(POSTROOM) or not samples.get(TUNED):
            continue
        ours, theirs = samples[POSTROOM], samples[TUNED]
        yield judge(f"{case}: messages/s against tuned Postfix",
                    median(ours, "per_second") / median(theirs, "per_second"), speed, "x", False)
        if share:
            yield judge(f"{case}: CPU per message, tuned Postfix against us",
                        median(theirs, "cpu_us") / median(ours, "cpu_us"), 1 / share, "x", False)


def judge_tls(tls):
    speeds = tls["ways"]["4 KiB by STARTTLS"]
    if TUNED in speeds:
        yield judge("4 KiB by STARTTLS, 50 sessions: messages/s against tuned Postfix",
                    speeds[POSTROOM][0] / speeds[TUNED][0], 3, "x", False)
    yield judge("an idle encrypted connection: PSS", tls["idle-kib"], 14, "KiB", True)
    yield judge("messages/s beside 400 stalled handshakes : without", tls["stalled-share"], 0.9,
                "x", False)


def judge_all(results):
    yield from judge_loads(results.get("loads", {}))
    if results.get("tls"):
        yield from judge_tls(results["tls"])
    sizes = results.get("pss-mib", {}).get(POSTROOM)
    if sizes:
        yield judge("idle, after the start: PSS", sizes["start"], 8, "MiB", True)
        yield judge("idle, after all loads: PSS", sizes["after"], 8, "MiB", True)
    idle = results.get("idle")
    if idle:
        yield judge(f"{idle['connections']} idle connections: CPU per message with : without",
                    idle["cpu-us-with"] / idle["cpu-us-without"], 1.2, "x", True)
        yield judge("an idle connection: PSS", idle["kib-each"], 2, "KiB", True)
    queue = results.get("queue")
    if queue:
        yield judge(f"restart with {queue['messages']} queued: first message accepted",
                    queue["first-accept-seconds"], 1, "s", True)
    large = results.get("large")
    if large:
        yield judge(f"{large['size'] >> 20} MiB message: growth of PSS",
                    large["pss-mib-peak"] - large["pss-mib-before"], 8, "MiB", True)
    if results.get("wal-mib") is not None:
        yield judge("largest write-ahead log seen", results["wal-mib"], 64, "MiB", True)
