# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie. Everything that the tools make lies below `.cache/`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
LOGS = CACHE / "logs"
REPORTS = CACHE / "reports"
COLLECTIONS = CACHE / "collections"
REQUIREMENTS = ROOT / "requirements"

COLLECTION = Path("ansible_collections/community/infisical")


def link_collection() -> Path:
    """Make the work tree importable as a collection; return the collections path that says so."""
    link = COLLECTIONS / COLLECTION
    if not link.is_symlink() or link.resolve() != ROOT:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(ROOT, link.parent), target_is_directory=True)
    return COLLECTIONS


def work_tree_files() -> list[Path]:
    """The files that are, or are about to be, under version control; relative to the root."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    files = (Path(name) for name in listing.split("\0") if name)
    return sorted({file for file in files if os.path.lexists(ROOT / file)})


def copy_collection(name: str) -> Path:
    """Copy the work tree to where ansible-test and ansible-galaxy accept it; return its path.

    `name` keeps runs apart that go on at the same time.
    """
    tree = CACHE / "trees" / name
    shutil.rmtree(tree, ignore_errors=True)
    target = tree / COLLECTION
    for file in work_tree_files():
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, target / file, follow_symlinks=False)
    # Else ansible-test asks the repository around it, which ignores everything below .cache.
    subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)
    return target
