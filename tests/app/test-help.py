# SPDX-License-Identifier: GPL-3.0-or-later
"""The help is well-formed, leads nowhere in vain, and calls things as the window calls them.

Usage: test-help.py SOURCE
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

SOURCE = sys.argv[1]
FOLDER = os.path.join(SOURCE, 'data', 'help', 'C')
MALLARD = '{http://projectmallard.org/1.0/}'
# Of Mallard 1.0, what the pages use: what may stand in what.
TEXT = {
    'app', 'cmd', 'code', 'em', 'file', 'gui', 'guiseq', 'input', 'key', 'keyseq', 'link', 'var'
}
BLOCK = {'code', 'list', 'note', 'p', 'screen', 'steps', 'table', 'terms'}
INSIDE = {
    'page': {'info', 'title', 'section'} | BLOCK,
    'section': {'info', 'title', 'section'} | BLOCK,
    'info': {'link', 'desc', 'license', 'title'},
    'license': {'p'},
    'list': {'title', 'item'},
    'steps': {'title', 'item'},
    'terms': {'title', 'item'},
    'item': {'title'} | BLOCK,
    'note': {'title'} | BLOCK,
    'table': {'thead', 'tbody'},
    'thead': {'tr'},
    'tbody': {'tr'},
    'tr': {'td'},
    'td': BLOCK,
    'guiseq': {'gui'},
    'keyseq': {'key'},
    'var': set(),
}
GROUPS = {'start', 'provider', 'devices', 'daily', 'more'}


def pages():
    """{id: root element}"""
    found = {}
    for path in glob.glob(os.path.join(FOLDER, '*.page')):
        name = os.path.basename(path)[:-len('.page')]
        found[name] = ElementTree.parse(path).getroot()
    return found


def plain(text):
    return ' '.join(text.replace('_', '').split())


def window_strings():
    """What the window and the notifications say, without the marks of mnemonics."""
    found = set()
    for path in glob.glob(os.path.join(SOURCE, 'ui', '*.ui')):
        for element in ElementTree.parse(path).iter():
            if element.get('translatable') == 'yes':
                found.add(plain(element.text))
    literal = r'"((?:[^"\\]|\\.)*)"'
    call = re.compile(r'\b(?:N?C_|N?_)\s*\(\s*(?:' + literal + r'\s*,\s*)?' + literal)
    for folder in ('ui', 'app/desktop', 'app/service'):
        for path in glob.glob(os.path.join(SOURCE, folder, '*.c')):
            with open(path, encoding='utf-8') as file:
                found.update(plain(match[1]) for match in call.findall(file.read()))
    return found


class Help(unittest.TestCase):

    def setUp(self):
        self.pages = pages()
        self.assertGreater(len(self.pages), 5)

    def test_pages_are_mallard(self):
        for name, root in self.pages.items():
            self.assertEqual(root.tag, MALLARD + 'page')
            self.assertEqual(root.get('id'), name)
            self.assertTrue(root.find(f'{MALLARD}info/{MALLARD}desc').text.strip(), name)
            for element in root.iter():
                self.assertTrue(element.tag.startswith(MALLARD), (name, element.tag))
                kind = element.tag[len(MALLARD):]
                allowed = INSIDE.get(kind, TEXT)
                for child in element:
                    self.assertIn(child.tag[len(MALLARD):], allowed, (name, kind))
                if kind in ('page', 'section'):
                    self.assertTrue(element.find(MALLARD + 'title').text.strip(), name)
                if kind in INSIDE and kind not in ('guiseq', 'var', 'keyseq'):
                    self.assertFalse((element.text or '').strip(), (name, kind, element.text))

    def test_links_lead_somewhere(self):
        for name, root in self.pages.items():
            for link in root.iter(MALLARD + 'link'):
                if link.get('href') is not None:
                    self.assertRegex(link.get('href'), r'^https://')
                    continue
                page, _, section = link.get('xref').partition('#')
                target = self.pages.get(page or name)
                self.assertIsNotNone(target, f'{name}: there is no page {page}')
                ids = {each.get('id') for each in target.iter(MALLARD + 'section')}
                self.assertTrue(not section or section in ids, f'{name}: {link.get("xref")}')

    def test_every_page_is_found_from_the_first(self):
        for name, root in self.pages.items():
            guides = [
                link.get('xref') for link in root.findall(f'{MALLARD}info/{MALLARD}link')
                if link.get('type') == 'guide'
            ]
            wanted = 0 if name == 'index' else 1
            self.assertEqual(len(guides), wanted, name)
            self.assertTrue(all(guide.partition('#')[2] in GROUPS for guide in guides), name)

    def test_things_are_called_as_in_the_window(self):
        known = window_strings()
        self.assertGreater(len(known), 300)
        for name, root in self.pages.items():
            for gui in root.iter(MALLARD + 'gui'):
                words = ' '.join(''.join(gui.itertext()).split())
                self.assertTrue(words in known, f'{name}: the window has no "{words}"')

    def test_commands_and_settings_exist(self):
        path = os.path.join(SOURCE, 'data', 'man', 'postroomctl.1.in')
        with open(path, encoding='utf-8') as file:
            manual = file.read().replace('\\-', '-')
        for name, root in self.pages.items():
            for element in list(root.iter(MALLARD + 'cmd')) + list(root.iter(MALLARD + 'screen')):
                text = ' '.join(''.join(element.itertext()).split())
                for words in re.findall(r'\bpostroomctl((?: [a-z][a-z-]*)+)', text):
                    first = words.split()[:2]
                    self.assertTrue(' '.join(first) in manual or first[0] in manual,
                                    f'{name}: postroomctl has no {words}')

    def test_yelp_agrees(self):
        if not shutil.which('yelp-check'):
            self.skipTest('there is no yelp-check')
        for check in ('links', 'orphans'):
            done = subprocess.run(['yelp-check', check, FOLDER], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, encoding='utf-8', check=False)
            self.assertEqual((done.returncode, done.stdout.strip()), (0, ''))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
