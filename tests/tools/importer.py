# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let galaxy-importer, which Galaxy runs, look at an artifact where no collection is installed.

`python -m tools.importer <artifact>` uses the galaxy-importer of the environment that it runs in,
and fails also if something is only complained about.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .paths import CACHE


def bare_environ(environ: Mapping[str, str], place: Path) -> dict[str, str]:
    """The environment variables under which nothing of a work tree or a home is found.

    `place` is an empty folder, apart from other runs of ansible-lint, which keeps its stand-ins for
    modules there.
    """
    kept = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(place / "none"),
        "ANSIBLE_HOME": str(place / "ansible"),
        "HOME": str(place),
    }


def complaints(said: str) -> list[str]:
    """What galaxy-importer warns of, or says is wrong, besides failing."""
    return re.findall(r"^(?:WARNING|ERROR|CRITICAL).*$", said, re.MULTILINE)


def main(arguments: Sequence[str]) -> int:
    """Check an artifact; the exit status says whether there is nothing to complain about."""
    (artifact,) = arguments
    place = CACHE / "importer"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    run = subprocess.run(
        [sys.executable, "-m", "galaxy_importer.main", Path(artifact).resolve()],
        cwd=place,
        env=bare_environ(os.environ, place),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(run.stdout)
    found = complaints(run.stdout)
    if found:
        print("galaxy-importer complains:", *found, sep="\n")
    return 1 if found else run.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
