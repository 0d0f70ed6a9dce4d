# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's files as the checks see them."""

import functools
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Octets, not text: what peers and people send, taken as it came.
OCTETS = ('tests/data/', 'tests/dialogs', 'tests/fuzz/corpus/')
BINARY = ('.png', '.svg', '.db', '.ico', '.gz', '.mo')

TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*\'''', re.DOTALL)


@functools.cache
def files():
    """All files that are, or would be, in the repository, relative to its top."""
    git = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                         cwd=TOP, capture_output=True)
    if git.returncode == 0:
        names = git.stdout.decode().split('\0')
    else:  # an unpacked archive, or a clone that belongs to somebody else
        names = walk()
    return sorted(name for name in set(names) if os.path.isfile(os.path.join(TOP, name)))


def walk():
    for folder, folders, names in os.walk(TOP):
        inner = os.path.relpath(folder, TOP)
        folders[:] = [name for name in folders
                      if name not in ('.git', '__pycache__', 'node_modules')
                      and not (inner == '.' and re.match(r'build|_', name))]
        for name in names:
            yield os.path.normpath(os.path.join(inner, name))


def text_files():
    return [name for name in files() if not name.startswith(OCTETS) and not name.endswith(BINARY)]


def select(*endings, under=''):
    return [name for name in text_files() if name.endswith(endings) and name.startswith(under)]


def shell_files():
    return [name for name in text_files()
            if name.endswith(('.sh', '.bash')) or re.match(r'#!.*\b(ba)?sh\b', read(name)[:64])]


def python_files():
    return [name for name in text_files()
            if name.endswith('.py') or re.match(r'#!.*\bpython3?\b', read(name)[:64])]


@functools.cache
def read(name):
    with open(os.path.join(TOP, name), encoding='utf-8', errors='replace', newline='') as file:
        return file.read()


@functools.cache
def code(name, keep_strings=False):
    """The C code of a file, its comments and strings blanked out, each line where it was."""
    def blank(match):
        token = match[0]
        if token[0] != '/':
            return token if keep_strings else token[0] + ' ' * (len(token) - 2) + token[-1]
        return re.sub(r'[^\n]', ' ', token)
    return TOKEN.sub(blank, read(name))


def code_lines(name):
    """How many lines are neither empty nor comment."""
    if name.endswith(('.c', '.h')):
        return sum(1 for line in code(name, True).splitlines() if line.strip())
    return sum(1 for line in read(name).splitlines() if line.strip() and line.strip()[0] != '#')
