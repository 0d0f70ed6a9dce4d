# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as a person reads them, and as docs/performance.md."""

import datetime
import os
import platform

from .cases import median
from .targets import POSTROOM, TUNED

DOCS_HEAD = """\
# Performance

What Postroom costs, measured against Postfix in the same minutes on the same machine. Both flush
every message to the disk before they answer for it; Postroom runs as anybody runs it, with events,
limits and access rules on. Both relay to the same next hop, a sink that checks and counts every
message.

These numbers come from `./dev bench --write-docs`. To get yours: `./dev bench` (about a quarter of
an hour) or `./dev bench --quick` (a minute); `./dev bench --tls` is the part about encryption
alone: both relays show the same certificate (ECDSA, P-256), and handshakes are those of 20 clients
that come by implicit TLS, are greeted and go. The ratios say more than the numbers, and CPU time
per message more than messages per second: other work on the machine changes it least.
"""


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{os.cpu_count()} x {model}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{_distribution()}, Linux {platform.release()}",
    }


def _distribution():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "unknown system"


def table(rows, head):
    """A Markdown table that is also readable as plain text."""
    cells = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for number, row in enumerate(cells):
        padded = [cell.rjust(width) if i else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("| " + " | ".join(padded) + " |")
        if number == 0:
            lines.append("|" + "|".join("-" * (width + 1) + (":" if i else "-")
                                        for i, width in enumerate(widths)) + "|")
    return "\n".join(lines)


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def load_tables(loads):
    rows = []
    for case, samples in loads.items():
        for system, runs in samples.items():
            if not runs:
                continue
            latency = sorted(runs, key=lambda run: run.per_second)[len(runs) // 2].latency_ms
            rows.append([case, system, number(median(runs, "per_second")),
                         number(median(runs, "cpu_us")), number(latency["p50"]),
                         number(latency["p99"])])
    yield table(rows, ["load", "relay", "messages/s", "CPU us per message",
                       "answer p50, ms", "p99, ms"])

    rows = []
    for case, samples in loads.items():
        if samples.get(POSTROOM) and samples.get(TUNED):
            ours, theirs = samples[POSTROOM], samples[TUNED]
            rows.append([case,
                         number(median(ours, "per_second") / median(theirs, "per_second")) + " x",
                         number(median(theirs, "cpu_us") / median(ours, "cpu_us")) + " x"])
    if rows:
        yield table(rows, ["load", "messages/s, Postroom : tuned Postfix",
                           "CPU per message, tuned Postfix : Postroom"])


def tls_table(tls):
    rows = []
    for way, systems in tls["ways"].items():
        for system, (speed, cpu) in systems.items():
            rows.append([way, system, number(speed), number(cpu)])
    text = table(rows, ["encrypted", "relay", "per second", "CPU us for each"])
    extremes = [
        ["an idle encrypted connection, PSS", f"{number(tls['idle-kib'])} KiB"],
        ["beside 400 stalled handshakes: messages/s, of those without",
         f"{tls['stalled-share']:.0%}"],
        ["beside 400 stalled handshakes: CPU per message, of that without",
         f"{tls['stalled-cost']:.0%}"],
    ]
    return text + "\n\n" + table(extremes, ["encrypted, extremes", "Postroom"])


def size_table(results):
    rows = []
    for system, sizes in results["pss-mib"].items():
        rows.append([system, number(sizes["start"]), number(sizes["peak"]),
                     number(sizes["after"])])
    return table(rows, ["relay", "idle after the start, MiB", "peak, MiB",
                        "idle after all loads, MiB"])


def extreme_table(results):
    rows = []
    idle, queue, large = (results.get(name) for name in ("idle", "queue", "large"))
    if idle:
        rows += [
            [f"CPU per message beside {idle['connections']:,} idle connections",
             f"{number(idle['cpu-us-with'])} us ({number(idle['cpu-us-without'])} without)"],
            ["an idle connection, PSS", f"{number(idle['kib-each'])} KiB"],
        ]
    if queue:
        rows += [
            [f"{queue['messages']:,} messages of {queue['size']:,} octets queued, at",
             f"{number(queue['insert-per-second'])}/s"],
            ["PSS meanwhile, at most", f"{number(queue['pss-mib-filled'])} MiB"],
            ["restart with them: greeting after", f"{queue['greeting-seconds']:.3f} s"],
            ["restart with them: first message accepted after",
             f"{queue['first-accept-seconds']:.3f} s"],
            ["PSS after the restart", f"{number(queue['pss-mib-restarted'])} MiB"],
            ["all deleted, at", f"{number(queue['delete-per-second'])}/s"],
        ]
    if large:
        rows += [
            [f"{large['size'] >> 20} MiB messages", f"{number(large['mib-per-second'])} MiB/s"],
            ["PSS meanwhile, at most",
             f"{number(large['pss-mib-peak'])} MiB ({number(large['pss-mib-before'])} before)"],
        ]
    if results.get("wal-mib") is not None:
        rows.append(["largest write-ahead log seen", f"{number(results['wal-mib'])} MiB"])
    return table(rows, ["extremes", "Postroom"]) if rows else ""


def target_table(targets):
    rows = [[target["what"], f"{number(target['value'])} {target['unit']}",
             f"{'at most' if target['at-most'] else 'at least'} {number(target['limit'])}"
             f" {target['unit']}", "ok" if target["met"] else "missed"] for target in targets]
    return table(rows, ["target", "measured", "wanted", ""])


def sections(results):
    """(title, text) for everything that was measured."""
    if results.get("loads"):
        for title, text in zip(("Relayed mail", "Ratios"), load_tables(results["loads"])):
            yield title, text
    if results.get("tls"):
        yield "Encryption", tls_table(results["tls"])
    if results.get("pss-mib"):
        yield "Memory (proportional set size)", size_table(results)
    extremes = extreme_table(results)
    if extremes:
        yield "Extremes", extremes
    if results.get("cross-check"):
        yield "Cross-check: 4 KiB, 50 sessions of smtp-source", table(
            [[system, number(speed), number(cpu)]
             for system, (speed, cpu) in results["cross-check"].items()],
            ["relay", "messages/s", "CPU us per message"])
    if results["targets"]:
        yield "Targets", target_table(results["targets"])


def about_others(results):
    return (f"Other work used {results['other-work']:.0%} of the processors meanwhile"
            + (": measure again when the machine is quiet."
               if results["other-work"] > 0.1 else "."))


def as_text(results):
    return "\n\n".join(f"{title}\n\n{text}" for title, text in sections(results))


def as_docs(results):
    where = results["machine"]
    facts = (f"Measured {where['date']}: {where['processor']}, {where['memory']},"
             f" {where['system']}; " + ", ".join(
                 f"{name} {version}" for name, version in results["versions"].items()) + ".\n"
             + about_others(results) + "\n")
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections(results))
    faults = results["faults"]
    end = ("Lost, doubled or damaged: none of "
           f"{results['messages']:,} messages.\n" if not faults else
           "Faults:\n\n" + "\n".join(f"- {fault}" for fault in faults) + "\n")
    return f"{DOCS_HEAD}\n{facts}\n{body}\n\n{end}"


def measured_elsewhere(docs):
    """The end of the page that a bench without a display cannot measure: it stays."""
    at = docs.find("\n## The window\n")
    return docs[at:] if at >= 0 else ""
