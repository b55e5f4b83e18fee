# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the imports of a module faster, if Ansible has sent the module as a zip file.

Imports take most of the time of a task on one identity. In every task, Python compiles the files in
the zip file, and does so twice: the first time only to get the name of the file. Meanwhile, its
garbage collector repeatedly checks the imported objects, none of which is garbage.
"""

from __future__ import annotations

import gc
import os
import sys
import zipimport

_ROOMS = ("_module", "_server", "_state")


class _Importer(zipimport.zipimporter):
    """An importer that returns the name of a file without compiling the file."""

    def get_filename(self, fullname: str) -> str:
        name = fullname.rpartition(".")[2] + ("/__init__" if self.is_package(fullname) else "")
        return os.path.join(self.archive, f"{self.prefix}{name}.py")  # noqa: PTH118 start-up time


def before_imports(module_utils: str) -> None:
    """Let Python import this package faster from now on, if it is in a zip file."""
    package = sys.modules[module_utils]
    if isinstance(package.__loader__, zipimport.zipimporter):
        (folder,) = package.__path__
        for path in (folder, *(f"{folder}{os.sep}{room}" for room in _ROOMS)):
            sys.path_importer_cache[path] = _Importer(path)
        gc.disable()


def after_imports() -> None:
    """Turn garbage collection on again if it was off, but exclude the imported objects."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
