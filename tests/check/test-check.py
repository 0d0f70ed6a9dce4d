# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the checks themselves: what each must find in a small tree, and what must pass."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import budgets
import check
import complete
import layers
import tally
import tree
import words

LICENCE = '/* SPDX-License-Identifier: GPL-3.0-or-later */\n'


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(setattr, tree, 'TOP', tree.TOP)
        tree.TOP = folder.name
        self.write('meson.build', '# SPDX-License-Identifier: GPL-3.0-or-later\n')

    def write(self, name, text):
        path = os.path.join(tree.TOP, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        for cached in (tree.files, tree.read, tree.code):
            cached.cache_clear()

    def faults(self, function):
        report = check.Report()
        function(report)
        return [f'{name}:{line}: {what}' for name, line, what in sorted(report.faults)]

    def notes(self, function):
        report = check.Report()
        function(report)
        return [f'{name}:{line}: {what}' for name, line, what in sorted(report.notes)]

    def test_layer_below_may_not_see_the_one_above(self):
        self.write('core/relay/route.h', LICENCE)
        self.write('core/smtp/a.c', LICENCE + '#include "relay/route.h"\n')
        self.assertEqual(self.faults(layers.check), [
            'core/smtp/a.c:2: core/smtp may not use core/relay ("relay/route.h")'])

    def test_layer_above_may_see_the_one_below(self):
        self.write('core/common/ip.h', LICENCE)
        self.write('core/relay/a.c', LICENCE + '#include "common/ip.h"\n#include <gmime/gmime.h>\n')
        self.assertEqual(self.faults(layers.check), [])

    def test_gtk_stays_out_of_the_service(self):
        self.write('app/service/a.c', LICENCE + '/* #include <gtk/gtk.h> */\n')
        self.assertEqual(self.faults(layers.check), [])
        self.write('app/service/a.c', LICENCE + '#include <gtk/gtk.h>\n')
        self.assertEqual(len(self.faults(layers.check)), 1)

    def test_folder_without_a_place_is_a_fault(self):
        self.write('core/news/a.c', LICENCE)
        self.assertEqual(len(self.faults(layers.check)), 1)

    def test_function_lengths(self):
        body = ['  a ();\n'] * 80
        source = 'static void\nlong_one (int a,\n          int b)\n{\n%s}\n'
        self.write('core/smtp/a.c', source % ''.join(body))
        self.assertEqual(self.faults(budgets.check), [])
        self.assertEqual(self.notes(budgets.check),
                         ['core/smtp/a.c:4: long_one () has 80 lines; 40 is the aim'])
        self.write('core/smtp/a.c', source % ''.join(body + body[:1]))
        self.assertEqual(self.faults(budgets.check),
                         ['core/smtp/a.c:4: long_one () has 81 lines; 80 at most'])

    def test_a_long_table_is_no_function(self):
        rows = '  { "a", 1 },\n' * 100
        self.write('core/smtp/a.c',
                   'static const struct\n{\n  int a;\n} t[] =\n{\n' + rows + '};\n')
        self.assertEqual(self.faults(budgets.check) + self.notes(budgets.check), [])

    def test_nesting(self):
        def nested(levels):
            return 'void\nf (void)\n{\n' + ' if (a) {\n' * levels + ' }\n' * levels + '}\n'
        self.write('core/smtp/a.c', nested(4))
        self.assertEqual(self.faults(budgets.check), [])
        self.write('core/smtp/a.c', nested(5))
        self.assertEqual(self.faults(budgets.check),
                         ['core/smtp/a.c:8: nested deeper than 4'])

    def test_columns_are_characters_not_octets(self):
        self.write('core/smtp/a.c', '/* ' + '─' * 94 + ' */\n')
        self.assertEqual(self.faults(budgets.check), [])
        self.write('core/smtp/a.c', '/* ' + '─' * 95 + ' */\n')
        self.assertEqual(self.faults(budgets.check), ['core/smtp/a.c:1: 101 columns; 100 fit'])

    def test_banned_calls(self):
        self.write('core/net/a.c', 'void f (void)\n{\n  g_idle_add (f, NULL);\n  goto out;\n}\n')
        found = self.faults(words.check_banned)
        self.assertEqual([fault.split(':')[1] for fault in found], ['3', '4'])

    def test_banned_words_in_comments_strings_and_longer_names(self):
        self.write('core/net/a.c', '/* goto */ const char *a = "g_idle_add (";\n'
                                   'int b = my_sprintf (1) + g_snprintf (c) + d->gets (e);\n')
        self.assertEqual(self.faults(words.check_banned), [])

    def test_text(self):
        self.write('core/net/a.c', 'int a; \n// TO' 'DO more')
        self.assertEqual(len(self.faults(words.check_text)), 4)
        self.write('core/net/a.c', LICENCE + 'char path[] = "a-XXXXXX";\n')
        self.assertEqual(self.faults(words.check_text), [])

    def test_source_that_nothing_builds(self):
        self.write('core/net/loop.c', LICENCE)
        self.write('core/net/meson.build', "files('sloop.c')\n")
        self.assertEqual(len(self.faults(complete.check_built)), 1)
        self.write('core/net/meson.build', "files('loop.c')\n")
        self.assertEqual(self.faults(complete.check_built), [])

    def test_public_function_without_a_test(self):
        self.write('core/net/a.h', 'PrA *pr_a_new (void);\nvoid pr_a_free (PrA *self);\n'
                                   'G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrA, pr_a_free)\n')
        self.assertEqual(self.faults(complete.check_tested), [])  # its folder's own affair
        self.write('core/server/b.c', '#include "net/a.h"\n')
        self.write('tests/net/test-a.c', '/* pr_a_new () */\n')
        self.assertEqual(self.faults(complete.check_tested), [
            'core/net/a.h:1: no test names pr_a_new ()',
            'core/net/a.h:2: no test names pr_a_free ()'])
        self.write('tests/net/test-a.c', 'g_autoptr (PrA) a = pr_a_new ();\n')
        self.assertEqual(self.faults(complete.check_tested), [])


class TallyTest(unittest.TestCase):
    def write_log(self, *tests):
        with tempfile.NamedTemporaryFile('w', suffix='.json', delete=False) as file:
            self.addCleanup(os.unlink, file.name)
            for test in tests:
                file.write(json.dumps({'name': 'a', 'returncode': 0, 'stdout': '', **test}) + '\n')
        return file.name

    def run_tally(self, function, *args):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = function(*args)
        return status, output.getvalue().splitlines()

    def log(self, *tests):
        return self.run_tally(tally.log, self.write_log(*tests))

    def test_cases_of_tap(self):
        status, lines = self.log({
            'result': 'FAIL',
            'stdout': 'TAP version 13\nok 1 /a\nnot ok 2 /b\nok 3 /c # SKIP no root\n1..3\n'})
        self.assertEqual((status, lines), (
            1, ['failed: a: /b', '    not ok 2 /b', '1 passed, 1 failed, 1 skipped']))

    def test_a_failed_case_says_why(self):
        _, lines = self.log({
            'result': 'FAIL', 'stderr': 'sanitizer\n',
            'stdout': '# of a\nok 1 /a\n# of b\nnot ok 2 /b\n# Traceback\n# log\nok 3 /c\n'})
        self.assertEqual(lines[1:-1], [
            '    # of b', '    not ok 2 /b', '    # Traceback', '    # log', '    sanitizer'])

    def test_a_second_success_is_enough_and_is_told(self):
        bad = {'name': 'p:faults / f', 'result': 'FAIL', 'stdout': 'not ok 1 /a\n# why\nok 2 /b\n'}
        good = {**bad, 'result': 'OK', 'stdout': 'ok 1 /a\nok 2 /b\n'}
        first = self.write_log(bad, {'name': 'p:unit / u', 'result': 'OK'})
        self.assertEqual(self.run_tally(tally.again, first)[1], ['faults f'])
        self.assertEqual(self.run_tally(tally.log, first, self.write_log(good)), (0, [
            'unsteady: p:faults / f: /a', '    not ok 1 /a', '    # why',
            '3 passed, 0 failed, 0 skipped']))
        status, lines = self.run_tally(tally.log, first, self.write_log(bad))
        self.assertEqual((status, lines[-1]), (1, '2 passed, 1 failed, 0 skipped'))
        self.assertIn('failed: p:faults / f: /a', lines)

    def test_the_quick_suites_have_no_second_chance(self):
        first = self.write_log({'name': 'p:unit / u', 'result': 'FAIL'},
                               {'name': 'p:dialog / d', 'result': 'TIMEOUT'},
                               {'name': 'p:unit+faults / b', 'result': 'ERROR'})
        self.assertEqual(self.run_tally(tally.again, first), (0, []))

    def test_a_sum_repeats_what_was_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'tests')
            with open(path, 'w', encoding='utf-8') as file:
                file.write('ok\nunsteady: f: /a\n2 passed, 0 failed, 0 skipped\n')
            self.assertEqual(self.run_tally(tally.add_up, [path]), (
                0, ['tests: unsteady: f: /a', '2 passed, 0 failed, 0 skipped']))

    def test_a_crash_after_good_cases_fails(self):
        status, lines = self.log({'result': 'ERROR', 'returncode': -6, 'stdout': 'ok 1 /a\n'})
        self.assertEqual((status, lines[-1]), (1, '1 passed, 1 failed, 0 skipped'))

    def test_programs_that_only_exit(self):
        status, lines = self.log({'result': 'OK'}, {'result': 'SKIP'})
        self.assertEqual((status, lines), (0, ['1 passed, 0 failed, 1 skipped']))

    def test_no_test_at_all_is_a_failure(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(tally.log('/nonexistent'), 1)


if __name__ == '__main__':
    unittest.main()
