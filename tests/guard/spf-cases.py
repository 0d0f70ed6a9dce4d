#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks spf-answer every question of a file in the format of the SPF test suite (openspf.org, for
RFC 7208), and compares: usage spf-cases.py PROGRAM [FILE]. Without FILE: the one
that POSTROOM_SPF_SUITE names. Prints TAP."""

import ipaddress
import json
import os
import subprocess
import sys

import yaml


def text(value):
    """A TXT record's strings, joined; octets as Latin-1 so that JSON can carry them."""
    joined = "".join(value) if isinstance(value, list) else str(value)
    return joined.replace("\0", "\x01")


def records(entries):
    """[KIND, VALUE] of a name, with every SPF record as TXT too unless the name says otherwise."""
    out, has_text = [], False
    for entry in entries:
        if entry == "TIMEOUT":
            out.append(["TIMEOUT"])
            continue
        ((kind, value),) = entry.items()
        if kind == "TXT":
            has_text = True
        if value == "NONE":
            continue
        if kind == "MX":
            value = value[1]
        out.append([kind, text(value)])
    if not has_text:
        out += [["TXT", r[1]] for r in out if r[0] == "SPF"]
    return out


def zone_of(data):
    zone = {}
    for name, entries in data.items():
        zone.setdefault(name.lower().rstrip("."), []).extend(records(entries))
    for entries in zone.values():  # a resolver follows aliases
        aliases = [to[0] for kind, *to in entries if kind == "CNAME"]
        entries += [record for alias in aliases for record in zone.get(alias, [])]
    return zone


def ask(program, document):
    names = list(document["tests"])
    tests = [
        {
            "client": str(ipaddress.ip_address(document["tests"][n]["host"])),
            "helo": document["tests"][n].get("helo") or "",
            "sender": document["tests"][n].get("mailfrom") or "",
        }
        for n in names
    ]
    line = json.dumps({"zone": zone_of(document["zonedata"]), "tests": tests})
    out = subprocess.run([program], input=line + "\n", capture_output=True, text=True, check=True)
    return zip(names, map(json.loads, out.stdout.splitlines()), strict=True)


def judge(test, said):
    """None, or what is wrong."""
    wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
    if said["result"] not in wanted:
        return f"is {said['result']} ({said['problem']}), wanted {' or '.join(wanted)}"
    if "explanation" in test and said["explanation"] != test["explanation"]:
        return f"explains {said['explanation']!r}, wanted {test['explanation']!r}"
    return None


def main():
    program = sys.argv[1]
    path = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("POSTROOM_SPF_SUITE")
    if not path:
        print("1..0 # SKIP POSTROOM_SPF_SUITE does not name the published test suite")
        return
    number = 0
    with open(path, encoding="utf-8") as file:
        for document in yaml.load_all(file, Loader=yaml.BaseLoader):
            for name, said in ask(program, document):
                number += 1
                fault = judge(document["tests"][name], said)
                print(f"{'not ok' if fault else 'ok'} {number} {name}")
                if fault:
                    print(f"# {name}: {fault}")
    print(f"1..{number}")


main()
