# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python interpreters of this machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

# Asked of every candidate, since a name on the PATH proves nothing: a version manager's shim may
# refuse to run, and a distribution may have left out what makes virtual environments.
_PROBE = """
import ensurepip, json, sys, venv
executable = getattr(sys, "_base_executable", sys.executable)
print(json.dumps(["%d.%d" % sys.version_info[:2], executable]))
"""


def _candidates() -> Iterator[Path]:
    directories = [Path(entry) for entry in os.get_exec_path()]
    directories += [Path("/usr/local/bin"), Path("/usr/bin")]
    managed = (
        Path(os.environ.get("PYENV_ROOT", "~/.pyenv")) / "versions",
        Path(os.environ.get("UV_PYTHON_INSTALL_DIR", "~/.local/share/uv/python")),
    )
    for versions in managed:
        directories += sorted(versions.expanduser().glob("*/bin"))
    for directory in directories:
        for version in SUPPORTED:
            candidate = directory / f"python{version}"
            if candidate.is_file():
                yield candidate


def find_pythons() -> dict[str, Path]:
    """The first working interpreter of each supported minor version, oldest version first."""
    found: dict[str, Path] = {}
    for candidate in _candidates():
        if candidate.name.removeprefix("python") in found:
            continue
        probe = subprocess.run(
            [candidate, "-c", _PROBE], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if probe.returncode == 0:
            version, executable = json.loads(probe.stdout)
            found.setdefault(version, Path(executable))
    return {version: found[version] for version in SUPPORTED if version in found}
