# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may include whom: docs/design.md, `Folders, from the ground up`, as a table."""

import posixpath
import re

import tree

CORE = ('common', 'smtp', 'net', 'dkim', 'config', 'queue', 'journal', 'guard', 'oauth', 'server',
        'relay')

# Folder: the folders whose headers it may include besides its own.
MAY_USE = {
    'core/common': (),
    'core/smtp': ('core/common',),
    'core/net': ('core/common',),
    'core/dkim': ('core/common', 'core/net'),
    'core/config': ('core/common', 'core/smtp'),
    'core/queue': ('core/common', 'core/smtp'),  # the envelope
    'core/journal': ('core/common', 'core/queue'),
    'core/guard': ('core/common', 'core/smtp', 'core/net', 'core/dkim', 'core/config'),
    'core/oauth': ('core/common', 'core/net', 'core/config'),
    'core/server': tuple(f'core/{name}' for name in CORE[:8]),
    'core/relay': tuple(f'core/{name}' for name in CORE[:9]),
    'core': tuple(f'core/{name}' for name in CORE),
    'app/control': ('core/common',),
    'app/service': ('core', 'app/control') + tuple(f'core/{name}' for name in CORE),
    # Passwords become secrets, and certificates change their form, without a service.
    'app/ctl': ('app/control', 'core/common', 'core/config', 'core/smtp', 'core/net'),
    'app/keyring': ('core/config',),  # how it is asked
    'app/desktop': ('app/control', 'ui', 'core/common'),
    'ui': ('app/control', 'core/common'),
}

# Library headers with a home: what only these folders know.
HOMES = {
    r'gtk/|gdk/|adwaita\.h': ('ui', 'app/desktop'),
    r'sqlite3\.h': ('core/queue',),
    # Bounces; From; subjects; what is in a message.
    r'gmime/': ('core/relay', 'core/guard', 'app/service', 'ui'),
    r'gnutls/': ('core/net', 'core/config', 'core/dkim'),
    r'sys/epoll\.h': ('core/net',),
    # The server takes over sockets from systemd, the relay asks whether an address is its own,
    # and the service who is at the other end of its control socket.
    r'sys/socket\.h': ('core/net', 'core/common', 'core/server', 'core/relay', 'app/service'),
    r'netinet/|arpa/|netdb\.h': ('core/net', 'core/common'),
    r'libpsl\.h': ('core/guard',),
    r'libsoup/': ('core/net',),
    r'libsecret/': ('app/keyring',),
    r'libnotify/': ('app/service',),
    r'json-glib/': ('app/ctl', 'ui', 'core/relay', 'core/config', 'core/oauth'),
    r'unbound\.h': ('core/net',),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)


def folder_of(name):
    return posixpath.dirname(name)


def target_of(header, name, known):
    """The project's header that an include names, or None."""
    for base in (folder_of(name), 'core', '', 'app'):
        path = posixpath.normpath(posixpath.join(base, header))
        if path in known:
            return path
    return None


def check(report):
    known = set(tree.files())
    for name in product_files():
        if folder_of(name) not in MAY_USE:
            report.fault(name, 1, f'{folder_of(name)}/ is not in the table of {__name__}.py')
            continue
        for line, header in includes(name):
            check_include(report, name, line, header, target_of(header, name, known))


def product_files():
    return [name for name in tree.select('.c', '.h')
            if name.split('/')[0] in ('core', 'app', 'ui')]


def includes(name):
    text = tree.code(name, keep_strings=True)
    for match in INCLUDE.finditer(text):
        yield text.count('\n', 0, match.start(2)) + 1, match[2]


def public_headers():
    """The headers that another folder includes: the rest are a folder's own affair."""
    known = set(tree.files())
    targets = ((folder_of(name), target_of(header, name, known))
               for name in product_files() for _, header in includes(name))
    return {target for folder, target in targets if target and folder_of(target) != folder}


def check_include(report, name, line, header, target):
    folder = folder_of(name)
    if target:
        other = folder_of(target)
        if other != folder and other not in MAY_USE[folder]:
            report.fault(name, line, f'{folder} may not use {other} ("{header}")')
        return
    for pattern, homes in HOMES.items():
        if re.match(pattern, header) and folder not in homes:
            report.fault(name, line, f'<{header}> is for {", ".join(homes)} alone')
