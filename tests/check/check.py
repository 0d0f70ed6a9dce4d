# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev check`: the rules of docs/hacking.md that a program can see.

A fault is printed as `file:line: what` and fails its check; a note (a size beyond its aim) does
not. Ends with `N passed, N failed, N skipped`, one for each check.
"""

import sys
import time

import budgets
import complete
import layers
import tally
import tools
import translations
import words

CHECKS = {
    'format (clang-format)': tools.check_format,
    'layers': layers.check,
    'budgets': budgets.check,
    'banned calls': words.check_banned,
    'text': words.check_text,
    'everything is built': complete.check_built,
    'everything is tested': complete.check_tested,
    'packages': complete.check_packages,
    'translations': translations.check,
    'cppcheck': tools.check_cppcheck,
    'codespell': tools.check_codespell,
    'shellcheck': tools.check_shellcheck,
}
DEEP = {'clang-tidy': tools.check_tidy}


class Report:
    """What one check found."""

    def __init__(self):
        self.faults = set()
        self.notes = set()

    def fault(self, name, line, what):
        self.faults.add((name, line, what))

    def note(self, name, line, what):
        self.notes.add((name, line, what))

    def show(self):
        for name, line, what in sorted(self.notes):
            print(f'{name}:{line}: note: {what}')
        for name, line, what in sorted(self.faults):
            print(f'{name}:{line}: {what}')


def main(arguments):
    if not set(arguments) <= {'--deep'}:
        sys.exit(f'Usage: ./dev check [--deep], not: {" ".join(arguments)}')
    passed = failed = 0
    for title, check in {**CHECKS, **(DEEP if arguments else {})}.items():
        report, started = Report(), time.monotonic()
        check(report)
        report.show()
        verdict = f'{len(report.faults)} faults' if report.faults else 'ok'
        print(f'{title}: {verdict} ({time.monotonic() - started:.1f} s)', flush=True)
        passed, failed = passed + (not report.faults), failed + bool(report.faults)
    return tally.close(passed, failed, 0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
