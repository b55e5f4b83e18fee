# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requirements on the host that runs a module, and a message if something there is too old.

Modules import this before anything else. Pythons that are too old, back to 2.7, read this file and
the files of the modules.
"""

import json
import re
import sys

PYTHON = (3, 9)
LIBRARIES = {"requests": (2, 28), "netaddr": (0, 10, 1)}


def require_python():  # type: () -> None
    """End the module as failed if this Python is too old for the rest of the code."""
    if sys.version_info >= PYTHON:
        from .start import before_imports

        before_imports(__package__.rpartition(".")[0])
        return
    message = (
        "The module needs Python {0} or later, but {1} on the host that runs it is Python {2}; set"
        " ansible_python_interpreter to a newer Python."
    ).format(_dotted(PYTHON), sys.executable, _dotted(sys.version_info[:3]))
    sys.stdout.write(json.dumps({"failed": True, "msg": message}))
    raise SystemExit(1)


def outdated(library):  # type: (str) -> str
    """Return a message if the version of an imported library is too old; otherwise nothing."""
    version = str(getattr(sys.modules.get(library), "__version__", ""))
    floor = LIBRARIES[library]
    numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    if not numbers or tuple(map(int, numbers.group().split("."))) >= floor:
        return ""
    return (
        "The module needs version {3} or later of the Python library {0}, but {2} on the host that"
        " runs it has version {1}; upgrade the library, or set ansible_python_interpreter to"
        " another Python."
    ).format(library, version, sys.executable, _dotted(floor))


def _dotted(version):  # type: (tuple[int, ...]) -> str
    return ".".join(map(str, version))
