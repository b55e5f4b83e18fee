# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation's tables list, and what the code has."""

from __future__ import annotations

import ast
import re

from tools.paths import ROOT


def environment_variables() -> frozenset[str]:
    """Return the environment variables that the collection's code names.

    Infisical's own are known by their beginning, others by the constants that hold them.
    """
    found = set()
    for path in ROOT.glob("plugins/module_utils/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                found.update(re.findall(r"^INFISICAL_[A-Z_]+$", str(node.value)))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = [name.id for name in node.targets if isinstance(name, ast.Name)]
                if any(name.endswith("_VARIABLE") for name in names):
                    found.add(str(node.value.value))
    return frozenset(found)


def make_targets() -> frozenset[str]:
    """Return the targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z][a-z-]*):(?!=)", text, re.MULTILINE))


def section(document: str, heading: str) -> str:
    """Return the text of a Markdown section, up to the next heading of the same level or above."""
    text = (ROOT / document).read_text(encoding="utf-8")
    start = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if start is None:
        raise AssertionError(f"{document} has no section {heading!r}")
    end = re.compile(rf"^#{{1,{len(start[1])}}} ", re.MULTILINE).search(text, start.end())
    return text[start.end() : end.start() if end else len(text)]


def first_column(text: str) -> list[str]:
    """Return what is code-formatted in the first cells of the Markdown tables in a text."""
    cells = re.findall(r"^\|([^|]*)\|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
