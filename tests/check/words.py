# SPDX-License-Identifier: GPL-3.0-or-later
"""What may not be written: calls that block or overflow, promises, stray blanks, no licence."""

import re

import tree

# In core and app: the calls that block the main loop, jump, or write without a bound.
BANNED = {
    r'goto\b': 'use g_autoptr and return',
    r'(strcpy|strcat|sprintf|vsprintf|gets|alloca|g_alloca)\s*\(': 'writes without a bound',
    r'(strtok|strtok_r|atoi|atol|atof|scanf)\s*\(': 'parse with bounds and errors',
    r'g_error\s*\(': 'a fault of the outside world is a GError, not the end of the process',
    r'g_task_run_in_thread(_sync)?\b': 'its threads are shared by the whole process',
    r'(sleep|usleep|nanosleep|g_usleep)\s*\(': 'blocks the loop; use a timer',
    r'(system|popen|g_spawn_sync|g_spawn_command_line_sync)\s*\(': 'blocks the loop',
    r'(getaddrinfo|gethostbyname\w*|getnameinfo)\s*\(': 'blocks the loop; use core/net/resolver',
    r'g_data_input_stream_read_line\w*': 'has no bound; frame lines in core/smtp',
    r'(signal|sigaction)\s*\((?! ?SIGPIPE, SIG_IGN)': 'use g_unix_signal_add',
}

# In core besides: it runs in the context of its creator, and never a loop of its own.
BANNED_IN_CORE = {
    r'g_(idle|timeout)_add\w*': 'core attaches its sources to an explicit context',
    r'g_main_(loop_run|context_iteration)\s*\(': 'no nested loops',
    r'g_(socket|resolver|proxy|dbus|tls|io_stream|network)\w*_(sync|lookup_by_name)\s*\(':
        'blocks the loop',
    r'g_(print|printerr)\s*\(|f?printf\s*\(|puts\s*\(': 'core logs; only app prints',
}

# Where objects come and go while others signal.
BANNED_IN_UI = {
    r'g_signal_connect\s*\(': 'use g_signal_connect_object',
}

PROMISES = re.compile(
    r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK|not yet imple' r'mented|coming so' r'on)\b')
LICENCE = 'SPDX-License-Identifier: GPL-3.0-or-later'


def check_banned(report):
    for name in tree.select('.c', '.h'):
        rules = {r'goto\b': BANNED[r'goto\b']}
        if name.startswith(('core/', 'app/', 'ui/')):
            rules = dict(BANNED)
        if name.startswith('core/'):
            rules.update(BANNED_IN_CORE)
        if name.startswith(('ui/', 'app/desktop/')):
            rules.update(BANNED_IN_UI)
        find(report, name, rules)


def find(report, name, rules):
    lines = tree.code(name).splitlines()
    for pattern, reason in rules.items():
        regex = re.compile(r'(?<![\w.>])(?:' + pattern + ')')
        for number, line in enumerate(lines, 1):
            match = regex.search(line)
            if match and not line.lstrip().startswith('#'):
                call = match[0].rstrip(' (')
                report.fault(name, number, f'{call}: {reason}')


def check_text(report):
    sources = set(tree.select('.c', '.h', 'meson.build') + tree.python_files() + tree.shell_files())
    for name in sources:
        if LICENCE not in '\n'.join(tree.read(name).split('\n')[:3]):
            report.fault(name, 1, f'no "{LICENCE}" in the first lines')
    for name in tree.text_files():
        if name == 'LICENSE':
            continue
        for number, line in enumerate(tree.read(name).split('\n'), 1):
            blanks(report, name, number, line)
            promise = PROMISES.search(line)
            if promise:
                report.fault(name, number, f'"{promise[0]}": do it now, or open an issue')
        if not tree.read(name).endswith('\n'):
            report.fault(name, 1, 'the last line has no end')


def blanks(report, name, number, line):
    if line.endswith((' ', '\t', '\r')):
        report.fault(name, number, 'blank or CR at the end of the line')
    if '\t' in line and not name.endswith(('.po', '.mk', '.1', '.5')):
        report.fault(name, number, 'a tab; indent with spaces')
