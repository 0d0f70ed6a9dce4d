# SPDX-License-Identifier: GPL-3.0-or-later
"""What a screen reader finds on a test's desktop: a program of its own, because the accessibility
bus is that desktop's. `look.py list` prints [name, role] of all that is shown, `look.py press NAME`
presses a button. JSON on standard output."""

import json
import sys

import pyatspi


def walk(node, depth=0):
    if node is None or depth > 30:
        return
    yield node
    for i in range(node.childCount):
        yield from walk(node.getChildAtIndex(i), depth + 1)


def everything():
    desktop = pyatspi.Registry.getDesktop(0)
    for i in range(desktop.childCount):
        yield from walk(desktop.getChildAtIndex(i))


def found():
    """(node, name, role) of what is there; what goes away meanwhile is left out."""
    for node in everything():
        try:
            if node.name and node.getState().contains(pyatspi.STATE_SHOWING):
                yield node, node.name, node.getRoleName()
        except LookupError:
            continue


def main():
    if sys.argv[1] == "list":
        print(json.dumps([[name, role] for _, name, role in found()]))
        return
    for node, name, role in found():
        if name == sys.argv[2] and "button" in role:
            print(json.dumps(bool(node.queryAction().doAction(0))))
            return
    print("false")


if __name__ == "__main__":
    main()
