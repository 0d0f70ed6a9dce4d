# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts test results; the last line is always `N passed, N failed, N skipped`.

  tally.py log FILE [AGAIN]     one run of `meson test`, from its JSON log, with what failed in
                                full; AGAIN: the log of what was run a second time: it decides
  tally.py again FILE           the programs to run a second time: `SUITE[,SUITE] NAME` each
  tally.py add PASSED FAILED SKIPPED
  tally.py sum FILE...          the closing lines of what was run before, from its output
  tally.py suites FOLDER        the suites of a build folder, with the number of their programs
  tally.py peers FOLDER "SUITE..." [TEST]...
                                status 0 when these tests (none: all) drive other programs

A program that speaks TAP counts once for each of its cases, any other program once. Only what
drives other programs may run twice: the quick suites must never fail.
"""

import json
import os
import re
import subprocess
import sys

CLOSING = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped$')
CASE = re.compile(r'^(not )?ok\b[ \d]*-?\s*(.*)$')
PRETTY = re.compile(r'^(?:[^:]*:)?(?:(\S+) / )?(.*)$')  # project:suite+suite / name
OUTCOME = re.compile(r'^(failed|unsteady): ')
QUICK = {'unit', 'dialog'}  # these need nothing but the build
BAD = {'FAIL', 'ERROR', 'TIMEOUT', 'INTERRUPT', 'UNEXPECTEDPASS'}
MAX_LINES = 150  # of one failed case, or of a program that failed as a whole


def cases_of(test):
    """(passed, names of the failed, skipped) of one program."""
    passed, failed, skipped = 0, [], 0
    for line in test.get('stdout', '').splitlines():
        case = CASE.match(line)
        if not case:
            continue
        if '# SKIP' in line.upper():
            skipped += 1
        elif not case[1]:
            passed += 1
        else:
            failed.append(case[2])
    result = test['result']
    if result in BAD:
        # A program can also fail as a whole: a crash, a leak, a time limit.
        failed = failed or [f'the program: {result.lower()}, exit status {test["returncode"]}']
    elif passed + skipped == 0:
        return (0, failed, 1) if result == 'SKIP' else (1, failed, 0)
    return passed, failed, skipped


def close(passed, failed, skipped):
    print(f'{passed} passed, {failed} failed, {skipped} skipped', flush=True)
    return 1 if failed else 0


def own_lines(test):
    """What a failed program said about its failed cases; all of it, where no case failed."""
    lines = test.get('stdout', '').splitlines()
    results = [i for i, line in enumerate(lines) if CASE.match(line)]
    bad = [i for i in results if lines[i].startswith('not ') and '# SKIP' not in lines[i].upper()]
    for index in bad:
        first = max([i + 1 for i in results if i < index], default=0)
        last = min([i for i in results if i > index], default=len(lines))
        before, after = lines[first:index], lines[index:last]  # messages; the reason and the logs
        yield from before[-MAX_LINES // 2:] + after[:MAX_LINES]
    if not bad:
        yield from lines[-MAX_LINES:]
    yield from test.get('stderr', '').splitlines()[-MAX_LINES:]


def report(word, test, cases):
    for case in cases:
        print(f'{word}: {test["name"]}: {case}')
    for line in own_lines(test):
        print('    ' + line)


def read_log(path):
    if path is None or not os.path.exists(path):
        return
    with open(path, encoding='utf-8') as file:
        yield from map(json.loads, file)


def log(path, again=None):
    second = {test['name']: test for test in read_log(again)}
    totals, n_tests = [0, 0, 0], 0
    for test in read_log(path):
        n_tests += 1
        passed, failed, skipped = cases_of(test)
        if failed and test['name'] in second:
            report('unsteady', test, failed)
            test = second[test['name']]
            passed, failed, skipped = cases_of(test)
        if failed:
            report('failed', test, failed)
        totals = [totals[0] + passed, totals[1] + len(failed), totals[2] + skipped]
    if n_tests == 0:
        print('No test was run.')
        totals[1] = 1
    return close(*totals)


def again(path):
    for test in read_log(path):
        suites_of, name = PRETTY.match(test['name']).groups()
        own = set((suites_of or 'unit').split('+'))
        if cases_of(test)[1] and not own & QUICK:
            print(','.join(sorted(own)), name)
    return 0


def add_up(paths):
    totals, outcomes = [0, 0, 0], []
    for path in paths:
        with open(path, encoding='utf-8', errors='replace') as file:
            lines = file.read().split('\n')
        closing = CLOSING.match(lines[-2] if len(lines) > 1 else '')
        counts = [int(n) for n in closing.groups()] if closing else [0, 1, 0]
        if not closing:
            print(f'failed: {os.path.basename(path)} did not reach its end')
        totals = [total + count for total, count in zip(totals, counts)]
        outcomes += [f'{os.path.basename(path)}: {line}' for line in lines if OUTCOME.match(line)]
    print(*outcomes, sep='\n', end='\n' if outcomes else '')
    return close(*totals)


def tests_of(folder):
    """(name, suites) of each test program of a build folder."""
    output = subprocess.run(['meson', 'introspect', '--tests', folder],
                            check=True, capture_output=True).stdout
    for test in json.loads(output):
        yield test['name'], {suite.split(':')[-1] for suite in test['suite']}


def peers(folder, suites, *names):
    chosen = [own for name, own in tests_of(folder)
              if (not names or name in names) and (not suites or own & set(suites.split()))]
    return 0 if any(own - QUICK for own in chosen) else 1


def suites(folder):
    programs = {}
    for _, own in tests_of(folder):
        for name in own:
            programs[name] = programs.get(name, 0) + 1
    for name in sorted(programs):
        print(f'{name} ({programs[name]})')
    return 0


def main(what, *args):
    if what == 'log':
        return log(*args)
    if what == 'again':
        return again(*args)
    if what == 'add':
        return close(*map(int, args))
    if what == 'sum':
        return add_up(args)
    if what == 'suites':
        return suites(*args)
    if what == 'peers':
        return peers(*args)
    sys.exit(__doc__)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
