# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make coverage`: which branches of `plugins` all tests together reach, in whatever process.

It makes tests take more than twice as much processor time, so that `make test` does without.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import MutableMapping

from .environments import required
from .paths import CACHE, ROOT

DATA = CACHE / "coverage"
SETTINGS = ROOT / "pyproject.toml"


def wanted() -> bool:
    """Whether it was asked for."""
    return os.environ.get("COVERAGE") == "1"


def measure(environ: MutableMapping[str, str]) -> None:
    """Have everything measured that runs in this environment, and forget what was before."""
    shutil.rmtree(DATA, ignore_errors=True)
    (DATA / "parts").mkdir(parents=True)
    environ.update(
        COVERAGE_PROCESS_START=str(SETTINGS),
        COVERAGE_FILE=str(DATA / "parts" / "data"),
        COVERAGE_ROOT=str(ROOT),
    )


def figure() -> str:
    """What was reached, in one line; the pages beside the data show what was not."""
    test = required("test")
    environ = {**test.environ(), "COVERAGE_FILE": str(DATA / "data"), "COVERAGE_ROOT": str(ROOT)}
    totals = DATA / "totals.json"
    for command in (
        # Those of processes that were killed may be torn.
        ["combine", "--quiet", "--keep", str(DATA / "parts")],
        ["json", "--quiet", "--ignore-errors", "-o", str(totals)],
        ["html", "--quiet", "--ignore-errors", "--skip-covered", "-d", str(DATA / "html")],
    ):
        subprocess.run(
            [test.command("coverage"), command[0], f"--rcfile={SETTINGS}", *command[1:]],
            cwd=ROOT,
            env=environ,
            check=True,
        )
    found = json.loads(totals.read_text())["totals"]
    reached, branches = found["covered_branches"], found["num_branches"]
    return (
        f"{reached} of {branches} branches of plugins ({reached / branches:.1%});"
        f" {DATA.relative_to(ROOT)}/html shows the others"
    )
