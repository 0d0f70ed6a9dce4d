# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the control interface, as a program of its own: `ask.py SOCKET start true` says
[starts, why], `ask.py SOCKET starts` the property. JSON on standard output."""

import json
import sys

from gi.repository import Gio, GLib

OBJECT = "/io/github/postroom"
SERVICE = "io.github.postroom.Service1"


def main():
    connection = Gio.DBusConnection.new_for_address_sync(
        "unix:path=" + sys.argv[1], Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT, None, None)
    if sys.argv[2] == "start":
        call = (SERVICE, "SetStartAtLogin", GLib.Variant("(b)", (sys.argv[3] == "true", )))
    else:
        call = ("org.freedesktop.DBus.Properties", "Get",
                GLib.Variant("(ss)", (SERVICE, "StartAtLogin")))
    answer = connection.call_sync(None, OBJECT, *call, None, Gio.DBusCallFlags.NONE, 60000, None)
    print(json.dumps(answer.unpack()))


if __name__ == "__main__":
    main()
