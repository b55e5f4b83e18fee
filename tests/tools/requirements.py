# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make requirements`: compile requirements/*.in to *.txt, with the newest versions there are."""

from __future__ import annotations

import subprocess
import sys

from .environments import required
from .paths import REQUIREMENTS

# In the order in which they build on each other, with the oldest Python each must serve.
OLDEST_PYTHON = {
    "nox": "3.11",
    "units": "3.9",
    "floors": "3.9",
    "test": "3.11",
    "mutants": "3.11",
    "bench": "3.11",
    "lint": "3.11",
    "publish": "3.14",
}
# What is installed beside a secret: nothing but the very files that were compiled.
HASHED = {"publish"}


def main() -> int:
    """Compile every file; the result is the exit status."""
    nox = required("nox")
    for name, python in OLDEST_PYTHON.items():
        compiled = subprocess.run(
            [
                *(nox.command("uv"), "pip", "compile", "--quiet", "--universal", "--upgrade"),
                *("--python-version", python, "--no-header", "--no-annotate", f"{name}.in"),
                *(["--generate-hashes"] if name in HASHED else []),
            ],
            cwd=REQUIREMENTS,
            env=nox.environ(),
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
        if compiled.returncode != 0:
            return compiled.returncode
        output = REQUIREMENTS / f"{name}.txt"
        licence = (REQUIREMENTS / f"{name}.in").read_text().partition("\n\n")[0]
        origin = f"# Compiled from {name}.in by `make requirements`."
        output.write_text(f"{licence}\n\n{origin}\n{compiled.stdout}")
        packages = [line for line in compiled.stdout.splitlines() if not line.startswith(" ")]
        print(f"requirements/{output.name}: {len(packages)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
