#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes postroom.conf.5 of postroom.conf.example, so that both say the same.

Usage: conf-page.py EXAMPLE FRAME OUTPUT. FRAME has everything but the groups and keys, which go to
the place it marks.
"""

import re
import sys

PLACE = '.\\" (groups and keys)\n'
NAMES = {'listener': 'NAME', 'user': 'NAME', 'route': 'NAME'}


def escape(text):
    text = text.replace('\\', '\\\\').replace('-', '\\-').replace('"', '\\(dq')
    return '\\&' + text if text.startswith(('.', "'")) else text


def group(comment, name):
    kind = name.split()[0]
    title = f'{kind} {NAMES[kind]}' if kind in NAMES else name
    return f'.SH "[{title}]"\n{escape(comment)}\n'


def key(comments, name, value):
    kind = comments[-1].strip('()')
    lines = [f'.TP\n.BI {escape(name)}= "{escape(kind)}"', escape(' '.join(comments[:-1]))]
    if len(value) < 80: # the example of a secret says nothing
        lines.append(f'.br\nDefault or example: {escape(value)}')
    return '\n'.join(lines) + '\n'


def pages(example):
    for block in example.split('\n\n'):
        lines = [line for line in block.strip().split('\n') if not line.startswith('# ---')]
        comments = [line[2:] for line in lines[:-1]]
        found = re.match(r'#\[(.+)\]$', lines[-1])
        if found:
            yield group(' '.join(comments), found[1])
        found = re.match(r'#([a-z0-9-]+)=(.*)$', lines[-1])
        if found:
            yield key(comments, found[1], found[2])


def main(example, frame, output):
    with open(example, encoding='utf-8') as file:
        groups = ''.join(pages(file.read()))
    with open(frame, encoding='utf-8') as file:
        text = file.read().replace(PLACE, groups)
    with open(output, 'w', encoding='utf-8') as file:
        file.write(text)


if __name__ == '__main__':
    main(*sys.argv[1:])
