# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps compiled code in a folder, for what Ansible compiles anew in each task."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import CodeType


def compiled_once(folder: Path, source: bytes, compiled: Callable[[], CodeType]) -> CodeType:
    """Return the code of a source, from the folder if it is there. The folder has to exist."""
    kept = folder / f"{sha256(source).hexdigest()}.{sys.implementation.cache_tag}"
    try:
        found: CodeType = marshal.loads(kept.read_bytes())
    except FileNotFoundError:
        found = compiled()
        # Others do the same at this moment.
        written = kept.with_suffix(f".{os.getpid()}")
        written.write_bytes(marshal.dumps(found))
        written.replace(kept)
    return found
