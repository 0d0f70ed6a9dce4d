#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page, menu and dialog, as a screen reader walks through it: nothing that one can press,
type into or choose from is without a name."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suites"))

from lib import suite, window  # noqa: E402
from lib.postroom import Postroom  # noqa: E402
from lib.window import Window  # noqa: E402

# What must say what it is. (GTK 4.8: a switch is a toggle button, a text view a text.)
CONTROLS = ("push button", "toggle button", "check box", "radio button", "menu item", "page tab",
            "combo box", "text", "entry", "password text", "spin button", "slider", "link", "list",
            "table", "switch")
LONG = 8  # rows of a long list that are looked at: the others are made alike
PAGES = ("Overview", "Sessions", "Queue", "Log")
SETTINGS = ("General", "Receiving", "Storage", "All Settings")


def unnamed(node, named, depth=0):
    """Each control at NODE and below that has no name, as its path. NAMED: of the control that
    holds it: what such a thing is made of speaks for itself."""
    is_control = node.role in CONTROLS
    has_name = bool(node.name.strip())
    if is_control and not has_name and not named:
        yield repr(node)
    children = [child for child in node.some_children(LONG) if child.has("visible")]
    within = is_control and has_name and node.role not in ("list", "table")
    for child in children if depth < 60 else []:
        for path in unnamed(child, within or (named and not is_control), depth + 1):
            yield f"{node.role} {node.name!r} > {path}"


class Made:
    """A node of no window."""

    def __init__(self, role, name="", *children):
        self.role, self.name, self.made = role, name, children

    def has(self, _state):
        return True

    def some_children(self, _rows):
        return self.made

    def __repr__(self):
        return f"<{self.role} {self.name!r}>"


class Access(suite.Suite):

    deadline = 600

    def setUp(self):
        super().setUp()
        self.require(not window.missing(), window.missing())
        self.relay = self.started(Postroom(self.work, {"wait": {"via": "hold"}}))
        self.relay.send("From: a@here.test\r\nSubject: Letter\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello.\r\n"
                        "--b\r\nContent-Type: application/pdf; name=scan.pdf\r\n\r\nx\r\n--b--\r\n",
                        to="p@there.test")
        self.shown = self.started(Window(self.relay.home, "--page=queue", work=self.work))
        self.shown.wait("Letter")
        self.faults = {}

    def look(self, where):
        """Looks at all windows as they are now."""
        for node in self.shown.windows():
            node.accessible.clear_cache()
            for path in unnamed(node, False):
                self.faults.setdefault(path, where)

    def none(self):
        self.assertEqual([], [f"{where}: {path}" for path, where in self.faults.items()])

    def test_what_is_a_fault(self):
        tree = Made("panel", "", Made("push button"), Made("push button", "OK", Made("label", "")),
                    Made("combo box", "State", Made("toggle button")),
                    Made("list", "Mail", Made("list item", "", Made("text"))))
        self.assertEqual(["panel '' > <push button ''>",
                          "panel '' > list 'Mail' > list item '' > <text ''>"],
                         list(unnamed(tree, False)))

    def test_pages(self):
        for number, page in enumerate(PAGES, 1):
            self.shown.key(f"alt+{number}")
            self.shown.wait(page, test=lambda node: node.has("selected") or node.role != "page tab")
            self.look(page)
            self.shown.key("ctrl+f")
            self.look(page + ", searched")
            self.shown.key("Escape")
        self.none()

    def test_menus_of_the_queue(self):
        self.shown.wait("Letter").focus()
        self.shown.key("Down", "ctrl+a")
        self.shown.wait("More Actions")
        self.look("the bar of orders")
        self.shown.press("More Actions")
        self.shown.wait("Move to Route", anywhere=True)
        self.look("the menu of orders")
        self.shown.press("Move to Route", anywhere=True)
        self.shown.wait("wait", anywhere=True)
        self.look("the menu of routes")
        self.none()

    def test_message(self):
        self.shown.wait("Letter").focus()
        self.shown.key("Down", "Return")
        self.shown.wait("Save scan.pdf")
        self.shown.press("Show Source")
        self.shown.wait("Source of the message")
        self.look("the message")
        self.none()

    def test_dialogs(self):
        self.shown.press("Main Menu")
        self.shown.wait("About Postroom", anywhere=True)
        self.look("the main menu")
        self.shown.press("About Postroom", anywhere=True)
        self.shown.wait("Credits", anywhere=True)
        self.look("About")
        self.shown.key("Escape")
        self.shown.key("ctrl+question")
        self.shown.wait("Close All Windows; the Service Keeps Running", anywhere=True)
        self.look("the shortcuts")
        self.none()

    def test_settings(self):
        self.shown.key("ctrl+comma")
        for page in SETTINGS:
            self.shown.press(page, anywhere=True)
            self.look("settings, " + page)
        self.none()

    def test_assistant(self):
        self.shown.key("ctrl+n")
        self.shown.wait(role="text", test=lambda node: node.has("editable"), anywhere=True)
        self.look("the assistant")
        self.none()


if __name__ == "__main__":
    suite.main()
