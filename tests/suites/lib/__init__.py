# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end-to-end and fault suites share. Python 3 of Debian 12, standard library only."""
