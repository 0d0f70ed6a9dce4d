# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of files, functions and lines: beyond the first number a note, then a fault."""

import ast
import re

import tree

FILE_LINES = (600, 1000)
FUNCTION_LINES = (40, 80)
NESTING = 4
COLUMNS = 100
ROOT_MESON_LINES = 150

NAME = re.compile(r'(\w+)\s*\(')


def check(report):
    for name in tree.select('.c', '.h'):
        c_functions(report, name)
    for name in tree.python_files():
        python_functions(report, name)
    scripts = set(tree.python_files() + tree.shell_files())
    for name in tree.select('.c', '.h', 'meson.build') + sorted(scripts):
        lines = tree.read(name).splitlines()
        judge(report, name, 1, 'the file', len(lines), FILE_LINES)
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                report.fault(name, number, f'{len(line)} columns; {COLUMNS} fit')
    lines = len(tree.read('meson.build').splitlines())
    if lines > ROOT_MESON_LINES:
        report.fault('meson.build', 1, f'{lines} lines; the root has {ROOT_MESON_LINES}')


def judge(report, name, line, what, lines, limits):
    if lines > limits[1]:
        report.fault(name, line, f'{what} has {lines} lines; {limits[1]} at most')
    elif lines > limits[0]:
        report.note(name, line, f'{what} has {lines} lines; {limits[0]} is the aim')


def c_functions(report, name):
    """GNU style: a function's braces stand in column 0, below a line that closes its parameters."""
    before, start, depth = '', 0, 0
    for number, line in enumerate(tree.code(name).splitlines(), 1):
        if start:
            depth += line.count('{') - line.count('}')
            if depth > NESTING + 1:
                report.fault(name, number, f'nested deeper than {NESTING}')
                depth -= 100  # once for each function
            if line.startswith('}'):
                length = number - start - 1
                if not title.endswith('_class_init'):
                    judge(report, name, start, f'{title} ()', length, FUNCTION_LINES)
                start, before = 0, ''
        elif line.startswith('{') and before.endswith(')'):
            names = NAME.findall(before)
            title = names[0] if names else 'a function'
            start, depth = number, 1
        elif not line.strip() or line.startswith(('}', '#', '{')):
            before = ''
        else:
            before = (before + ' ' + line.strip()).strip()


def python_functions(report, name):
    for node in ast.walk(ast.parse(tree.read(name), name)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.body[0].lineno + 1
            judge(report, name, node.lineno, f'{node.name} ()', length, FUNCTION_LINES)
