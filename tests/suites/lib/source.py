# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources as they lie here, without what a build made of them."""

import os
import shutil
import subprocess
import unittest

from . import suite


def copy(folder):
    """Into FOLDER, committed or not. Skips the test where git does not know what belongs to it."""
    if not shutil.which("git") or not os.path.exists(os.path.join(suite.SOURCES, ".git")):
        raise unittest.SkipTest("needs a git checkout, and git")
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=suite.SOURCES, capture_output=True, text=True, timeout=60, check=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = os.path.join(suite.SOURCES, name), os.path.join(folder, name)
        if os.path.lexists(source):  # else it is deleted, and that not yet committed
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
