# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of a module that Ansible has sent as a zip file: imports that take less time.

A task on one identity is little else. Python compiles what is in a zip file anew in every task,
and does so twice: the first time only to learn the name of the file. And its garbage collector
looks again and again at what was imported, none of which is garbage.
"""

from __future__ import annotations

import gc
import os
import sys
import zipimport

_ROOMS = ("_module", "_server", "_state")


class _Importer(zipimport.zipimporter):
    """An importer that tells the name of a file without compiling it."""

    def get_filename(self, fullname: str) -> str:
        name = fullname.rpartition(".")[2] + ("/__init__" if self.is_package(fullname) else "")
        return os.path.join(self.archive, f"{self.prefix}{name}.py")  # noqa: PTH118 start-up time


def before_imports(module_utils: str) -> None:
    """Import what this package has in the shorter way, if it comes in a zip file."""
    package = sys.modules[module_utils]
    if isinstance(package.__loader__, zipimport.zipimporter):
        (folder,) = package.__path__
        for path in (folder, *(f"{folder}{os.sep}{room}" for room in _ROOMS)):
            sys.path_importer_cache[path] = _Importer(path)
        gc.disable()


def after_imports() -> None:
    """Collect garbage from now on, if that was put off, and leave alone what was imported."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
