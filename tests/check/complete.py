# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing lies about unused: sources are built, public functions of core are tested."""

import os
import re
import shutil
import subprocess

import layers
import tree

RATIO = 0.75  # tests to code in core, in lines of code
DECLARED = re.compile(r'\b(pr_\w+)\s*\(')
MACRO = re.compile(r'^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n]*\\\n)*[^\n]*)', re.MULTILINE)
CLEANUP = re.compile(r'\bG_DEFINE_AUTO\w*\s*\(\s*(\w+),\s*(pr_\w+)')


def check_built(report):
    """Each folder with sources has a meson.build that names every one of them."""
    for name in tree.select('.c'):
        folder, file = os.path.split(name)
        meson = f'{folder}/meson.build'
        if meson not in tree.files():
            report.fault(name, 1, f'there is no {meson}')
            continue
        stem = file[:-2]
        names = '|'.join(re.escape(word) for word in (
            file, stem, re.sub(r'^(test|fuzz)-', '', stem)))
        if not re.search(rf"""(?<![\w-])({names})['"]""", tree.read(meson)):
            report.fault(name, 1, f'{meson} does not build it')


def check_tested(report):
    """Each public function of core is named in a test, by itself, by a macro or by a cleanup."""
    tests = [tree.code(name) for name in tree.select('.c', '.h', under='tests/')]
    words = set(re.findall(r'\w+', '\n'.join(tests)))
    for name in sorted(layers.public_headers()):
        if not name.startswith('core/'):
            continue
        text = tree.code(name)
        named = set(words)
        for macro, body in MACRO.findall(text):
            if macro in words:
                named.update(re.findall(r'pr_\w+', body))
        for kind, function in CLEANUP.findall(text):
            if kind in words:
                named.add(function)
        plain = MACRO.sub(lambda match: re.sub(r'[^\n]', ' ', match[0]), text)
        for match in DECLARED.finditer(plain):
            inline = plain[max(0, plain.rfind(';', 0, match.start())):match.start()]
            if match[1] not in named and 'inline' not in inline:
                line = plain.count('\n', 0, match.start()) + 1
                report.fault(name, line, f'no test names {match[1]} ()')
                named.add(match[1])
    ratios(report)


def ratios(report):
    total_code = total_tests = 0
    for folder in sorted({name.split('/')[1] for name in tree.select('.c', under='core/')
                          if name.count('/') == 2}):
        code = sum(map(tree.code_lines, tree.select('.c', '.h', under=f'core/{folder}/')))
        tests = sum(map(tree.code_lines, tree.select('.c', '.h', under=f'tests/{folder}/')))
        total_code, total_tests = total_code + code, total_tests + tests
        if tests < RATIO * code:
            report.note(f'core/{folder}', 1, f'{tests} lines of tests for {code} of code')
    # Fuzz targets and suites test core as a whole.
    for folder in ('fuzz', 'suites'):
        names = set(tree.select('.c', '.py', under=f'tests/{folder}/'))
        names.update(name for name in tree.python_files() if name.startswith(f'tests/{folder}/'))
        total_tests += sum(map(tree.code_lines, names))
    if total_tests < RATIO * total_code:
        report.note('core', 1, f'{total_tests} lines of tests for {total_code} of code; '
                               f'{RATIO} is the least share')


def check_packages(report):
    """What meson.build asks for, ./dev installs: a fresh machine must be able to build."""
    owners = pkgconfig_owners()
    for name in tree.select('meson.build'):
        for number, line in enumerate(tree.read(name).splitlines(), 1):
            for module in re.findall(r"(?<!\w)dependency\('([\w.+-]+)'", line):
                package = owners.get(module)
                if package and not re.search(rf'^{re.escape(package)} ', tree.read('dev'), re.M):
                    report.fault(name, number, f'{module} is in {package}, which ./dev lacks')


def pkgconfig_owners():
    """{module: Debian package} of what is installed; nothing where there is no dpkg."""
    if not shutil.which('dpkg-query'):
        return {}
    lines = subprocess.run(['dpkg-query', '-S', '*/pkgconfig/*.pc'], capture_output=True,
                           encoding='utf-8', check=False).stdout.splitlines()
    found = (re.match(r'([^:,]+).*/([^/]+)\.pc$', line) for line in lines)
    return {match[2]: match[1] for match in found if match}
