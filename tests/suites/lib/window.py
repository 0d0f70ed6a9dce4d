# SPDX-License-Identifier: GPL-3.0-or-later
"""`postroom` on a desktop, seen and worked as a screen reader does it (AT-SPI).

Needs python3-gi and gir1.2-atspi-2.0, and xdotool for keys. The accessibility bus is found once
for each process, so a test program has one desktop: `desktop()`.
"""

import atexit
import itertools
import os
import shutil

from . import desktop as desktops
from . import process, suite

PROGRAM = os.path.join(suite.BUILD, "app", "postroom")
LIMIT = int(os.environ.get("POSTROOM_LIMIT", "60"))  # seconds for anything to appear

_the = {}


def missing():
    """Why no window can be tested here; "" when it can."""
    if not os.access(PROGRAM, os.X_OK):
        return "the window is not built"
    try:
        import gi
        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi
    except (ImportError, ValueError):
        return "needs the Debian packages python3-gi gir1.2-atspi-2.0"
    del Atspi
    lacking = desktops.missing(desktops.WINDOW)
    return "needs the Debian packages " + lacking if lacking else ""


def desktop(**keywords):
    """The one desktop of this test program."""
    if "desktop" not in _the:
        work = process.work_folder("desktop")
        _the["desktop"] = desktops.Desktop(work, **keywords)
        atexit.register(_end, work)
        _the["desktop"].start_accessibility()
        for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
            os.environ[name] = _the["desktop"].env[name]
        import gi
        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi
        Atspi.init()
        Atspi.set_timeout(20000, 60000)
        _the["atspi"] = Atspi
    return _the["desktop"]


def _end(work):
    _the.pop("desktop").close()
    shutil.rmtree(work, ignore_errors=True)


class Node:
    """One accessible object."""

    def __init__(self, accessible):
        self.accessible = accessible

    def _ask(self, question, otherwise):
        """Objects come and go while one looks at them."""
        from gi.repository import GLib
        try:
            answer = question()
        except GLib.Error:
            return otherwise
        return otherwise if answer is None else answer

    @property
    def name(self):
        name = self._ask(self.accessible.get_name, "")
        middle = len(name) // 2  # GTK 4.8 says what is on some buttons twice: "_Undo Undo"
        twice = name[middle:middle + 1] == " " and name[:middle].replace("_", "")
        return twice if twice and name[middle + 1:] in (twice, name[:middle]) else name

    @property
    def description(self):
        return self._ask(self.accessible.get_description, "")

    @property
    def role(self):
        return self._ask(self.accessible.get_role_name, "")

    def has(self, state):
        """Whether it is "visible", "sensitive", "checked", "selected", "focused", …"""
        atspi = _the["atspi"]
        states = self._ask(self.accessible.get_state_set, None)
        return bool(states) and states.contains(getattr(atspi.StateType, state.upper()))

    def children(self):
        count = self._ask(self.accessible.get_child_count, 0)
        for number in range(count):
            child = self._ask(lambda n=number: self.accessible.get_child_at_index(n), None)
            if child is not None:
                yield Node(child)

    @property
    def text(self):
        """What an entry or a text view holds."""
        atspi = _the["atspi"]
        length = self._ask(lambda: atspi.Text.get_character_count(self.accessible), 0)
        return self._ask(lambda: atspi.Text.get_text(self.accessible, 0, length), "")

    def type(self, text):
        """Puts text in place of what an entry holds."""
        atspi = _the["atspi"]
        atspi.EditableText.set_text_contents(self.accessible, text)

    def press(self, number=0):
        """Its action: a click, a toggle."""
        if not self._ask(lambda: self.accessible.do_action(number), False):
            raise AssertionError(f"{self} cannot be pressed")

    def focus(self):
        self._ask(self.accessible.grab_focus, False)

    @property
    def can_be_pressed(self):
        return (self.role != "label" and self.has("sensitive")
                and self._ask(self.accessible.get_n_actions, 0) > 0)

    def walk(self, depth=60, rows=None):
        """It and all that is visible below it, nearest first. (GTK 4.8 says of nothing inside a
        window that it shows.) ROWS: of a list with more than ten times as many only the first
        ones: each row of a long table costs a tenth of a second."""
        level = [self]
        while level and depth:
            yield from level
            level = [child for node in level for child in node.some_children(rows)
                     if child.has("visible")]
            depth -= 1

    def some_children(self, rows):
        children = self.children()
        if rows and self._ask(self.accessible.get_child_count, 0) > 10 * rows:
            return itertools.islice(children, rows)
        return children

    def find(self, name=None, role=None, test=None, rows=None):
        """The nearest visible that matches, None if there is none."""
        for node in self.walk(rows=rows):
            if ((role is None or node.role == role) and (name is None or node.name == name)
                    and (test is None or test(node))):
                return node
        return None

    def tree(self, indent=0):
        """For people: what there is to find."""
        lines = ["  " * indent + f"{self.role} {self.name!r}"]
        for child in self.children():
            if child.has("visible"):
                lines.append(child.tree(indent + 1))
        return "\n".join(lines)

    def __repr__(self):
        return f"<{self.role} {self.name!r}>"


class Window:
    """`postroom --home=HOME` with its main window."""

    rows = None  # as of Node.walk ()

    def __init__(self, home, *options, work=None, env=None, program=PROGRAM):
        self.desktop = desktop()
        self.process = process.Process(
            [program, "--home=" + home, *options],
            os.path.join(work or os.path.dirname(home), "window.log"),
            env=self.desktop.env | {"G_DEBUG": "fatal-criticals"} | (env or {}))
        self.node = process.wait_until("the window on the accessibility bus", self._find, LIMIT,
                                       every=0.1)

    def _application(self):
        if not self.process.running():
            raise AssertionError("postroom ended:\n" + self.process.log()[-4000:])
        root = Node(_the["atspi"].get_desktop(0))
        root.accessible.clear_cache()  # its news would come by a main loop, which nobody runs
        for child in root.children():
            if child._ask(child.accessible.get_process_id, 0) == self.process.pid:
                return child
        return None

    def _find(self):
        application = self._application()
        frames = list(application.children()) if application else []
        return next((frame for frame in frames if frame.name), None)

    def windows(self):
        """All its windows: dialogs too."""
        return list(self._application().children())

    def find(self, name=None, role=None, test=None):
        self.node.accessible.clear_cache()
        return self.node.find(name, role, test, self.rows)

    def wait(self, name=None, role=None, test=None, anywhere=False):
        """As find(), until it is there. ANYWHERE: in any of its windows."""

        def look():
            if not self.process.running():
                raise AssertionError("postroom ended:\n" + self.process.log()[-4000:])
            for node in self.windows() if anywhere else [self.node]:
                node.accessible.clear_cache()
                found = node.find(name, role, test, self.rows)
                if found:
                    return found
            return None

        try:
            return process.wait_until(f"{role or 'something'} {name or ''} in the window", look,
                                      LIMIT, every=0.1)
        except process.WaitFailed as failure:
            trees = "\n".join(node.tree() for node in self.windows())
            raise process.WaitFailed(f"{failure}; there is:\n{trees}") from None

    def wait_gone(self, name=None, role=None):
        process.wait_until(f"{role or ''} {name or ''} to go", lambda: not self.find(name, role),
                           LIMIT, every=0.1)

    def press(self, name, role=None, anywhere=False):
        self.wait(name, role, lambda node: node.can_be_pressed, anywhere).press()

    def save_as(self, path):
        """Answers a dialog that asks for a file."""
        self.wait("Save", anywhere=True, test=lambda node: node.can_be_pressed)
        self.wait(role="text", anywhere=True,
                  test=lambda node: node.has("editable") and node.has("focused")).type(path)
        self.press("Save", anywhere=True)

    def key(self, *keys):
        """Keys, to this window."""
        self.activate()
        self.desktop.key(*keys)

    def type(self, text):
        self.activate()
        self.desktop.run("xdotool", "type", "--delay", "5", text)

    @property
    def xid(self):
        found = self.desktop.run("xdotool", "search", "--onlyvisible", "--pid",
                                 str(self.process.pid), check=False).split()
        return found[-1] if found else None

    def is_on_screen(self, title):
        """A window with this title. It asks X, not the accessibility bus: GTK 4.8 warns when asked
        about a window that closes at this moment."""
        found = self.desktop.run("xdotool", "search", "--onlyvisible", "--name", title, check=False)
        return bool(found.split())

    def activate(self):
        xid = process.wait_until("the window on the screen", lambda: self.xid, LIMIT)
        self.desktop.run("xdotool", "windowactivate", "--sync", xid)

    def picture(self, path):
        self.desktop.run("import", "-silent", "-window", self.xid, "png:" + path)

    def close(self):
        """The end of a test: it still lived, ended as asked and complained about nothing."""
        if not self.process.running():
            raise AssertionError(f"postroom ended by itself with {self.process.wait()}:\n" +
                                 self.process.log()[-4000:])
        self.process.stop()
        for line in self.process.log().splitlines():
            if "CRITICAL" in line or "WARNING" in line or "runtime error" in line:
                raise AssertionError("in the window's log: " + line)
