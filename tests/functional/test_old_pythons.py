# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules say in one sentence that a Python is too old for them, where Ansible starts them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools.paths import ROOT

MODULES = sorted(path.stem for path in ROOT.glob("plugins/modules/*.py"))
UTILS = Path("ansible_collections/community/infisical/plugins/module_utils/_module")
OLD = ("2.7", "3.6", "3.7", "3.8")


def _pythons() -> dict[str, str]:
    """The old Pythons of this machine, by version, and this one, which has to do for them."""
    found = {"this": sys.executable}
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for version in OLD:
        programs = [str(path) for path in sorted(versions.glob(f"{version}.*/bin/python"))]
        for program in filter(None, [shutil.which(f"python{version}"), *programs]):
            said = subprocess.run(
                [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                check=False,
                capture_output=True,
                text=True,
            )
            if said.stdout.strip() == version:
                found[version] = program
    return found


PYTHONS = _pythons()


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_that_the_python_is_too_old(
    module: str, version: str, tmp_path: Path
) -> None:
    """It imports nothing else before it knows: there is nothing else here."""
    package = tmp_path / UTILS
    package.mkdir(parents=True)
    for folder in (package, *(tmp_path / parent for parent in UTILS.parents[:-1])):
        (folder / "__init__.py").touch()
    requirements = (ROOT / "plugins/module_utils/_module/requirements.py").read_text(
        encoding="utf-8"
    )
    if version == "this":
        requirements = requirements.replace("PYTHON = (3, 9)", "PYTHON = (99, 1)")
    (package / "requirements.py").write_text(requirements, encoding="utf-8")
    run = subprocess.run(
        [PYTHONS[version], "-B", str(ROOT / "plugins/modules" / f"{module}.py")],
        env={"PYTHONPATH": str(tmp_path), "PATH": os.defpath},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert run.stderr == ""
    result = json.loads(run.stdout)
    assert (result["failed"], run.returncode) == (True, 1)
    needed = "99.1" if version == "this" else "3.9"
    assert result["msg"].startswith(
        f"The module needs Python {needed} or later, but {PYTHONS[version]}"
    )
