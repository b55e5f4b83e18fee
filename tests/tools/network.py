# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine reaches besides the package index, asked once a day and not for long."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from .paths import CACHE

VERDICTS = CACHE / "reachable"
_LIMIT_SECONDS = 5
_DAY_SECONDS = 24 * 60 * 60

# In a process of its own, since nothing else bounds the resolution of a name.
_PROBE = """
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="HEAD"))
except urllib.error.HTTPError:
    pass  # it answered
"""


def reachable(url: str) -> bool:
    """Whether the host of a URL answers, as it did or did not less than a day ago."""
    parts = urlsplit(url)
    verdict = VERDICTS / parts.netloc
    if verdict.is_file() and time.time() - verdict.stat().st_mtime < _DAY_SECONDS:
        return verdict.read_text() == "yes"
    answers = _answers(f"{parts.scheme}://{parts.netloc}/")
    verdict.parent.mkdir(parents=True, exist_ok=True)
    # Another run may be at the same point.
    written = Path(f"{verdict}.{time.monotonic_ns()}")
    written.write_text("yes" if answers else "no")
    written.replace(verdict)
    return answers


def _answers(url: str) -> bool:
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE, url],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0
