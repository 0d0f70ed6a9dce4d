# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in on a test's session bus for what no test machine has: `standin.py systemd FILE` or
`standin.py portal FILE ANSWER`. Each call is a line of JSON in FILE. ANSWER: `yes`, `no`, `never`.
"""

import json
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

MANAGER = "org.freedesktop.systemd1.Manager"
BACKGROUND = "org.freedesktop.portal.Background"
REQUEST = "org.freedesktop.portal.Request"


def note(*what):
    with open(sys.argv[2], "a", encoding="utf-8") as file:
        file.write(json.dumps(what, default=str) + "\n")


class Systemd(dbus.service.Object):
    enabled = False

    def _set(self, units, enabled):
        note("enable" if enabled else "disable", units)
        Systemd.enabled = enabled
        return dbus.Array([], signature="(sss)")

    @dbus.service.method(MANAGER, in_signature="asbb", out_signature="ba(sss)")
    def EnableUnitFiles(self, units, _runtime, _force):  # pylint: disable=invalid-name
        return True, self._set(units, True)

    @dbus.service.method(MANAGER, in_signature="asb", out_signature="a(sss)")
    def DisableUnitFiles(self, units, _runtime):  # pylint: disable=invalid-name
        return self._set(units, False)

    @dbus.service.method(MANAGER, in_signature="s", out_signature="s")
    def GetUnitFileState(self, _unit):  # pylint: disable=invalid-name
        return "enabled" if Systemd.enabled else "disabled"

    @dbus.service.method(MANAGER)
    def Reload(self):  # pylint: disable=invalid-name
        note("reload")


class Question(dbus.service.Object):

    @dbus.service.signal(REQUEST, signature="ua{sv}")
    def Response(self, code, results):  # pylint: disable=invalid-name
        pass


class Portal(dbus.service.Object):

    @dbus.service.method(BACKGROUND, in_signature="sa{sv}", out_signature="o",
                         sender_keyword="sender")
    def RequestBackground(self, _window, options, sender):  # pylint: disable=invalid-name
        note("ask", bool(options["autostart"]), list(options["commandline"]))
        path = (f"/org/freedesktop/portal/desktop/request/{sender[1:].replace('.', '_')}/"
                f"{options['handle_token']}")
        question = Question(self.connection, path)
        answer = {"background": True, "autostart": options["autostart"] and sys.argv[3] == "yes"}
        if sys.argv[3] != "never":
            GLib.idle_add(question.Response, 0 if sys.argv[3] == "yes" else 1,
                          dbus.Dictionary(answer, signature="sv"))
        return dbus.ObjectPath(path)

    @dbus.service.method(BACKGROUND, in_signature="a{sv}")
    def SetStatus(self, options):  # pylint: disable=invalid-name
        note("status", options["message"])


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    if sys.argv[1] == "systemd":
        thing = Systemd(bus, "/org/freedesktop/systemd1")
        name = "org.freedesktop.systemd1"
    else:
        thing = Portal(bus, "/org/freedesktop/portal/desktop")
        name = "org.freedesktop.portal.Desktop"
    owned = dbus.service.BusName(name, bus)
    GLib.MainLoop().run()
    del owned, thing


if __name__ == "__main__":
    main()
