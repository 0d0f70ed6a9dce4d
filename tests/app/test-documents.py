# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual pages, units, completion and the interfaces' description say what is true.

Usage: test-documents.py SOURCE BUILD
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = sys.argv[1:3]
CTL = os.path.join(BUILD, 'app', 'postroomctl')
PATH = f'PATH={os.path.dirname(CTL)}:{os.environ["PATH"]}'


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def page(name):
    """A page as text on one line, without the marks of its format."""
    text = read(BUILD, 'data', name)
    text = re.sub(r'\\f.|\\&', '', text).replace('\\-', '-').replace('"', '')
    return ' '.join(text.split())


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding='utf-8', errors='replace', stdin=subprocess.DEVNULL,
                          env={**os.environ, 'LC_ALL': 'C.UTF-8'}, check=False)


def commands():
    """[('queue', 'show'), ...] as the help lists them."""
    found = []
    for line in run(CTL, '--help').stdout.splitlines():
        match = re.match(r'  ([a-z][a-z-]*)(?: ([a-z][a-z-]*)\b)?', line)
        if match:
            found.append(match[0].split())
    return found


class Security(unittest.TestCase):

    def test_the_tests_it_names_are_there(self):
        named, found = '', 0
        for line in read(SOURCE, 'docs', 'security.md').splitlines():
            for words in re.findall(r'`([^`]+)`', line):
                path, _, test = words.partition(': ')
                if path.startswith(('tests/', 'docs/', 'core/')):
                    self.assertTrue(os.path.exists(os.path.join(SOURCE, path)), path)
                    named = path
                elif path.startswith('test_'):
                    test = path
                if test.startswith('test_'):
                    self.assertIn(f'def {test}(', read(SOURCE, named), words)
                    found += 1
        self.assertGreater(found, 30)


class Pages(unittest.TestCase):
    pages = ('postroomd.8', 'postroomctl.1', 'postroom.conf.5')

    def test_format(self):
        if not shutil.which('man'):
            self.skipTest('there is no man')
        for name in self.pages:
            done = run('man', '--warnings', '-E', 'UTF-8', '-l', os.path.join(BUILD, 'data', name))
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertNotRegex(done.stdout, r'(?m)^(troff|<standard input>|groff|grotty):')

    def test_every_command_is_described(self):
        text = page('postroomctl.1')
        self.assertGreater(len(commands()), 20)
        for words in commands():
            self.assertTrue(' '.join(words) in text, f'{words} is not in postroomctl.1')

    def test_every_group_answers(self):
        for group in {words[0] for words in commands()}:
            done = run(CTL, group, '--help')
            self.assertEqual(done.returncode, 0, done.stdout)
            if f'{group} COMMAND' in done.stdout:
                for words in commands():
                    self.assertEqual(words[0] == group, f'  {" ".join(words)}' in done.stdout)

    def test_every_option_is_described(self):
        text = page('postroomctl.1')
        for words in commands():
            done = run(CTL, *[word for word in words if word not in ('receiving',)], '--help')
            self.assertEqual(done.returncode, 0, (words, done.stdout))
            for option in re.findall(r'(?m)^  (--[a-z-]+)', done.stdout):
                self.assertTrue(option in text, f'{words} {option} is not in postroomctl.1')

    def test_every_key_is_described(self):
        text = page('postroom.conf.5')
        example = read(SOURCE, 'data', 'postroom.conf.example')
        keys = re.findall(r'(?m)^#([a-z0-9-]+)=', example)
        self.assertGreater(len(keys), 40)
        for key in keys:
            self.assertTrue(f'.BI {key}= ' in text, f'{key} is not in postroom.conf.5')

    def test_every_exit_code_is_named(self):
        for name, codes in (('postroomd.8', (0, 64, 69, 73, 75, 78)),
                            ('postroomctl.1', (0, 1, 64, 69))):
            text = page(name)
            for code in codes:
                self.assertIn(f'.B {code} ', text)


class Units(unittest.TestCase):

    def test_units(self):
        if not shutil.which('systemd-analyze'):
            self.skipTest('there is no systemd-analyze')
        for whose in ('user', 'system'):
            with tempfile.TemporaryDirectory() as folder:
                service = read(BUILD, 'data', 'systemd', whose, 'postroom.service')
                self.assertIn('/postroomd', service)
                self.assertNotIn('@', re.sub(r'@system-service|@privileged', '', service))
                # What it starts need not be installed to know whether the rest is right.
                service = re.sub(r'(?m)^ExecStart=\S+', 'ExecStart=/bin/true', service)
                with open(os.path.join(folder, 'postroom.service'), 'w', encoding='utf-8') as file:
                    file.write(service)
                shutil.copy(os.path.join(SOURCE, 'data/systemd', whose, 'postroom.socket'), folder)
                os.environ['XDG_RUNTIME_DIR'] = folder
                done = run('systemd-analyze', f'--{whose}', '--man=no', 'verify',
                           os.path.join(folder, 'postroom.service'),
                           os.path.join(folder, 'postroom.socket'))
                ours = [line for line in done.stdout.splitlines() if 'postroom' in line]
                self.assertEqual(ours, [])


class Completion(unittest.TestCase):
    script = os.path.join(SOURCE, 'data', 'completions', 'postroomctl')

    def complete(self, line):
        words = line.split(' ')
        code = (f'compopt() {{ :; }}; source {self.script}; COMP_WORDS=("$@"); '
                'COMP_CWORD=$(($# - 1)); _postroomctl; printf "%s\\n" "${COMPREPLY[@]}"')
        done = run('env', PATH, 'bash', '-c', code, '-', *words)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.split()

    def test_commands(self):
        self.assertEqual(self.complete('postroomctl st'), ['status'])
        for words in commands():
            if words[-1] == 'sessions' or len(words) == 1:
                self.assertIn(words[0], self.complete('postroomctl '))
            else:
                self.assertIn(words[1], self.complete(f'postroomctl {words[0]} '))

    def test_options(self):
        self.assertEqual(self.complete('postroomctl queue delete --a'), ['--all'])
        self.assertIn('--follow', self.complete('postroomctl log --'))
        self.assertIn('--home=', self.complete('postroomctl --'))

    def test_without_a_service(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.complete(f'postroomctl --home={folder} queue show '), [])


class OtherShells(unittest.TestCase):
    """What bash offers, fish and zsh offer."""
    folder = os.path.join(SOURCE, 'data', 'completions')
    # Stands in for the completion system, which wants a terminal.
    zsh = ('compdef() { : }; compadd() { while [[ $1 != -- ]]; do shift; done; shift; '
           'print -l -- "$@" }; source $1/_postroomctl; words=("${@:2}"); CURRENT=$#words; '
           'PREFIX=$words[-1]; _postroomctl')

    def fish(self, line):
        return run('env', PATH, 'fish', '--no-config', '-c',
                   f'source {self.folder}/postroomctl.fish; complete -C "{line}"')

    def offered(self, shell, line):
        if not shutil.which(shell):
            self.skipTest('there is no ' + shell)
        done = self.fish(line) if shell == 'fish' else run(
            'env', PATH, 'zsh', '-fc', self.zsh, '-', self.folder, *line.split(' '))
        self.assertEqual(done.returncode, 0, done.stdout)
        return [offer.split('\t')[0] for offer in done.stdout.splitlines() if offer]

    def check(self, shell, end):
        self.assertIn('certificate', self.offered(shell, 'postroomctl '))
        for words in commands():
            before = '' if len(words) == 1 or words[-1] == 'sessions' else words[0] + ' '
            word = words[1] if before else words[0]
            self.assertIn(word, self.offered(shell, 'postroomctl ' + before))
        self.assertIn('--all', self.offered(shell, 'postroomctl queue delete --'))
        self.assertIn('--to' + end, self.offered(shell, 'postroomctl test-mail --'))
        self.assertEqual(self.offered(shell, 'postroomctl --home=/nonexistent queue show '), [])

    def test_fish(self):
        self.check('fish', '')

    def test_zsh(self):
        self.check('zsh', '=')


class Desktop(unittest.TestCase):
    id = 'io.github.postroom.Postroom'

    def check(self, program, suffix, *options):
        file = os.path.join(BUILD, 'data', self.id + suffix)
        if not os.path.exists(file):
            self.skipTest('the window is not built')
        if not shutil.which(program):
            self.skipTest('there is no ' + program)
        done = run(program, *options, file)
        self.assertEqual((done.returncode, re.findall(r'(?m)^[EW]: .*', done.stdout)), (0, []),
                         done.stdout)

    def test_entry(self):
        self.check('desktop-file-validate', '.desktop')

    def test_metainfo(self):
        self.check('appstreamcli', '.metainfo.xml', 'validate', '--no-net', '--explain')

    def test_versions_agree(self):
        metainfo = read(SOURCE, 'data', self.id + '.metainfo.xml.in')
        version = re.search(r"version: '([^']+)'", read(SOURCE, 'meson.build'))[1]
        self.assertEqual(re.search(r'<release version="([^"]+)"', metainfo)[1], version)

    def test_pictures_exist(self):
        metainfo = read(SOURCE, 'data', self.id + '.metainfo.xml.in')
        for path in re.findall(r'<image[^>]*>https://[^<]*/main/([^<]+)</image>', metainfo):
            self.assertTrue(os.path.exists(os.path.join(SOURCE, path)), path)

    def test_icons_are_found(self):
        names = {name.removesuffix('.svg') for _, _, files in os.walk(SOURCE + '/data/icons')
                 for name in files}
        self.assertTrue({self.id, self.id + '-symbolic', self.id + '-idle-symbolic'} <= names)


class Interfaces(unittest.TestCase):

    def test_every_method_is_handled(self):
        """What the interfaces promise, the service connects."""
        code = ''.join(
            read(SOURCE, 'app/service', name) for name in os.listdir(SOURCE + '/app/service')
            if name.endswith('.c'))
        folder = os.path.join(SOURCE, 'data/dbus')
        for name in os.listdir(folder):
            for method in re.findall(r'<method name="(\w+)"', read(folder, name)):
                handler = 'handle' + re.sub(r'([A-Z])', r'-\1', method).lower()
                self.assertIn(f'"{handler}"', code, name)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
