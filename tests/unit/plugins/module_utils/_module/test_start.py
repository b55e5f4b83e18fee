# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of a module: from a zip file, as Ansible sends it, and otherwise."""

from __future__ import annotations

import gc
import json
import pathlib
import subprocess
import sys
import typing as t
import zipfile

from ansible_collections.community.infisical.plugins.module_utils._module import (
    requirements,
    start,
)

PACKAGE = "ansible_collections/community/infisical/plugins/module_utils"
# Runs in a Python of its own, from a zip file: argv[1].
PROGRAM = f"""
import collections, gc, json, sys
compiled = collections.Counter()
def note(event, arguments):
    if event == "compile":
        compiled[str(arguments[1]).replace("\\\\", "/").rpartition("{PACKAGE}/")[2]] += 1
sys.addaudithook(note)
sys.path.insert(0, sys.argv[1])
from {PACKAGE.replace("/", ".")}._module.requirements import require_python
require_python()
collecting = gc.isenabled()
from {PACKAGE.replace("/", ".")}._module import start
from {PACKAGE.replace("/", ".")}._server import pacing
from {PACKAGE.replace("/", ".")} import _text
start.after_imports()
json.dump(
    dict(compiled=compiled, collecting=[collecting, gc.isenabled()], frozen=gc.get_freeze_count(),
         files=[pacing.__file__, _text.__file__]),
    sys.stdout,
)
"""


def _zipped(folder: pathlib.Path) -> pathlib.Path:
    """Return a zip file that has the collection's code as Ansible packs it."""
    module_utils = pathlib.Path(start.__file__).parents[1]
    archive = folder / "payload.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for parent in pathlib.PurePosixPath(PACKAGE).parents:
            if parent.name:
                made.writestr(f"{parent}/__init__.py", "")
        for room in ("", "_module/", "_server/", "_state/"):
            made.writestr(f"{PACKAGE}/{room}__init__.py", "")
            for path in (module_utils / room).glob("*.py"):
                made.writestr(f"{PACKAGE}/{room}{path.name}", path.read_bytes())
    return archive


def test_files_of_a_zip_are_compiled_once_and_nothing_is_collected(tmp_path: pathlib.Path) -> None:
    archive = _zipped(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(archive)], stdout=subprocess.PIPE, check=True
    )
    told: dict[str, t.Any] = json.loads(done.stdout)
    # requirements.py and start.py themselves come before.
    for name in ("_server/__init__.py", "_server/pacing.py", "_server/signals.py", "_text.py"):
        assert told["compiled"][name] == 1, name
    assert told["collecting"] == [False, True]
    assert told["frozen"] > 0
    assert [pathlib.Path(name).relative_to(archive / PACKAGE) for name in told["files"]] == [
        pathlib.Path("_server/pacing.py"),
        pathlib.Path("_text.py"),
    ]


def test_other_files_are_imported_as_always() -> None:
    importers, frozen = dict(sys.path_importer_cache), gc.get_freeze_count()
    requirements.require_python()
    start.after_imports()
    assert sys.path_importer_cache == importers
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
