# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that other programs make; each is asked for one fault a line."""

import concurrent.futures
import os
import re
import shutil
import subprocess

import tree

FAULT = re.compile(r'^(?:\.\.?/)?([^:\s]+):(\d+):(?:\d+:)?\s*(.*)$')


def run(report, command, only=None):
    """Runs a program at the top and takes its lines `FILE:LINE: what` for faults."""
    if not shutil.which(command[0]):
        report.fault(command[0], 1, 'is not installed; ./dev setup does it')
        return
    done = subprocess.run(command, cwd=tree.TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding='utf-8', errors='replace', stdin=subprocess.DEVNULL)
    found = False
    for line in done.stdout.splitlines():
        fault = FAULT.match(line)
        if fault and (only is None or re.search(only, fault[3])):
            path = os.path.relpath(os.path.join(tree.TOP, fault[1]), tree.TOP)
            report.fault(path, int(fault[2]), fault[3])
            found = True
    if done.returncode != 0 and not found:
        report.fault(command[0], 1, f'ended with status {done.returncode}: {done.stdout[-2000:]}')


def check_format(report):
    sources = tree.select('.c', '.h')
    if sources:
        # Other versions than Debian 12's differ in places.
        program = 'clang-format-14' if shutil.which('clang-format-14') else 'clang-format'
        run(report, [program, '--dry-run', '-Werror', *sources], only=r'error:')


def check_cppcheck(report):
    folders = [folder for folder in ('core', 'app', 'ui') if tree.select('.c', under=folder + '/')]
    if not folders:
        return
    cache = os.path.join(tree.TOP, 'build', 'cppcheck')
    os.makedirs(cache, exist_ok=True)
    run(report, [
        'cppcheck', '--quiet', '--std=c11', '--enable=warning,performance,portability',
        '--library=gtk', '--library=posix', '--library=gnu', '--inline-suppr',
        f'--cppcheck-build-dir={cache}', '-j', str(os.cpu_count() or 2),
        # It takes the unref of an embedded GSource for the end of what is around it, a borrowed
        # result for an owned one, and stumbles over ?: in a compound literal. The sanitizers see
        # what is true of these.
        '--suppress=deallocuse', '--suppress=doubleFree', '--suppress=leakReturnValNotUsed',
        '--suppress=memleak', '--suppress=internalAstError',
        '--suppress=arrayIndexThenCheck',  # nor that NULL ends an array before its limit
        '-DG_DEFINE_ENUM_TYPE(...)=',  # younger than what it knows of GLib
        '--suppress=varFuncNullUB',  # NULL ends GLib's variable arguments
        '--template={file}:{line}: {message} [{id}]', '--template-location=',
        '-D__linux__', '-I', '.', '-I', 'core', *folders])


def check_codespell(report):
    names = [name for name in tree.text_files() if name != 'LICENSE' and not name.endswith('.po')]
    run(report, ['codespell', '--quiet-level=2', r'--ignore-regex=\\[nrt]', *names])


def check_shellcheck(report):
    scripts = tree.shell_files()
    if scripts:
        run(report, ['shellcheck', '--format=gcc', *scripts])


def check_tidy(report):
    sources = tree.select('.c', under='core/') + tree.select('.c', under='app/')
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        for task in [threads.submit(run, report, ['clang-tidy-14', '--quiet', '-p', 'build', name],
                                    r'(warning|error):') for name in sources]:
            task.result()
