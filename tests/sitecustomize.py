# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the code that Python compiles from zip archives, if `ZIP_CODE_CACHE` names a folder.

Ansible sends a module as a zip archive, from which Python compiles everything anew in each task:
half of the time of most tests. Python imports this file when it starts, since `tests` is on its
path. Everything else happens as it would without it.
"""

from __future__ import annotations

import _imp
import os
import zipimport
from pathlib import Path
from types import CodeType
from typing import Any


def _keep_code(folder: Path) -> None:
    from tools.code_cache import compiled_once

    compile_source: Any = zipimport._compile_source  # type: ignore[attr-defined]

    def compile_once(pathname: str, source: bytes) -> CodeType:
        code = compiled_once(folder, source, lambda: compile_source(pathname, source))
        _imp._fix_co_filename(code, pathname)  # type: ignore[attr-defined]
        return code

    folder.mkdir(parents=True, exist_ok=True)
    zipimport._compile_source = compile_once  # type: ignore[attr-defined]


if "ZIP_CODE_CACHE" in os.environ:
    _keep_code(Path(os.environ["ZIP_CODE_CACHE"]))
