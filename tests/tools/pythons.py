# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python interpreters of this machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .paths import CACHE

SUPPORTED = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")

# Asked of every candidate, since a name on the PATH proves nothing: a version manager's shim may
# refuse to run, and a distribution may have left out what makes virtual environments.
_PROBE = """
import ensurepip, json, sys, venv
executable = getattr(sys, "_base_executable", sys.executable)
print(json.dumps(["%d.%d" % sys.version_info[:2], executable]))
"""


def _candidates(directories: list[Path]) -> Iterator[tuple[str, Path]]:
    for directory in directories:
        for version in SUPPORTED:
            candidate = directory / f"python{version}"
            if candidate.is_file():
                yield version, candidate


@cache
def _interpreter(version: str, candidate: Path) -> Path | None:
    """The interpreter behind a candidate, if it runs and is of that version."""
    probe = subprocess.run(
        [candidate, "-c", _PROBE],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if probe.returncode != 0:
        return None
    actual, executable = json.loads(probe.stdout)
    return Path(executable) if actual == version else None


def _search_path() -> list[Path]:
    return [Path(entry) for entry in os.get_exec_path()]


def find_pythons() -> dict[str, Path]:
    """The first working interpreter of each supported minor version, oldest version first."""
    directories = [*_search_path(), Path("/usr/local/bin"), Path("/usr/bin")]
    managed = (
        Path(os.environ.get("PYENV_ROOT", "~/.pyenv")) / "versions",
        Path(os.environ.get("UV_PYTHON_INSTALL_DIR", "~/.local/share/uv/python")),
    )
    for versions in managed:
        directories += sorted(versions.expanduser().glob("*/bin"))
    found: dict[str, Path] = {}
    for version, candidate in _candidates(directories):
        if version not in found and (interpreter := _interpreter(version, candidate)):
            found[version] = interpreter
    return {version: found[version] for version in SUPPORTED if version in found}


def search_path() -> list[str]:
    """The PATH for programs that run every Python they find: those that work, and no others."""
    links = CACHE / "pythons"
    links.mkdir(parents=True, exist_ok=True)
    for version, interpreter in find_pythons().items():
        link = links / f"python{version}"
        if not link.exists() or not link.samefile(interpreter):
            # Another run may be at the same point.
            temporary = link.with_name(f"{link.name}.{os.getpid()}")
            temporary.symlink_to(interpreter)
            temporary.replace(link)
    broken = {
        candidate.parent
        for version, candidate in _candidates(_search_path())
        if not _interpreter(version, candidate)
    }
    return [str(links), *(str(entry) for entry in _search_path() if entry not in broken)]
