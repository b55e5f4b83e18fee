# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files are documents, and their blocks."""

from __future__ import annotations

from tools.paths import ROOT

from docs.blocks import Block, read

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md")),
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/docsite/rst/*.rst")),
    "docs/site/index.rst",
]
MODULES = sorted(
    str(path.relative_to(ROOT))
    for path in ROOT.glob("plugins/modules/*.py")
    if path.name != "__init__.py"
)
PLUGINS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("plugins/filter/*.yml", "plugins/lookup/*.py")
    for path in ROOT.glob(pattern)
)
BLOCKS: dict[str, list[Block]] = {
    document: read(ROOT / document, document) for document in (*PAGES, *MODULES, *PLUGINS)
}
