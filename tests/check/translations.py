# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogues of po/: each language is listed, right in form, and says everything."""

import os
import re
import subprocess
import tempfile

import tree

KEYWORDS = ('_', 'N_', 'C_:1c,2', 'NC_:1c,2', 'ngettext:1,2', 'g_dngettext:2,3',
            'g_dpgettext2:2c,3')


def check(report):
    languages = [line for line in tree.read('po/LINGUAS').splitlines()
                 if line and not line.startswith('#')]
    files = {name for name in tree.files() if name.startswith('po/') and name.endswith('.po')}
    for name in sorted(files ^ {f'po/{language}.po' for language in languages}):
        report.fault('po/LINGUAS', 1, f'{name} is listed and not there, or there and not listed')
    with tempfile.TemporaryDirectory() as folder:
        template = os.path.join(folder, 'postroom.pot')
        run('xgettext', '--from-code=UTF-8', '-f', 'po/POTFILES.in', '-o', template,
            *(f'--keyword={word}' for word in KEYWORDS))
        for name in sorted(files):
            check_catalogue(report, name, template)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, 'LC_ALL': 'C'})


def check_catalogue(report, name, template):
    """A fault is what a person would see go wrong; what is still missing, a note."""
    result = run('msgfmt', '--check', '-o', os.devnull, name)
    if result.returncode != 0:
        report.fault(name, 1, result.stderr.strip().splitlines()[0])
    if re.search(r'^#, .*\bfuzzy\b', tree.read(name), re.MULTILINE):
        report.fault(name, 1, 'holds a guess (fuzzy)')
    missing = len(re.findall(r'this message is (?:untranslated|used but not defined)',
                             run('msgcmp', '--use-untranslated', name, template).stderr))
    if missing:
        report.note(name, 1, f'{missing} strings are not translated')
