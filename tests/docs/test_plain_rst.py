# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guides are plain reStructuredText, which GitHub shows as well as the documentation site."""

from __future__ import annotations

import functools
import io
import re
import typing as t
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from tools.paths import ROOT

from docs.tables import MARKDOWN

GUIDES = [pytest.param(path, id=path.stem) for path in sorted(ROOT.glob("docs/docsite/rst/*.rst"))]
# Those of github-markup, which hides what docutils reports.
GITHUB = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "strip_comments": True,
    "syntax_highlight": "none",
}


class Rendered(t.NamedTuple):
    """A text as docutils understands it, and what it complains of."""

    doctree: nodes.document
    complaints: str


def render(text: str) -> Rendered:
    """Render a text as GitHub does."""
    complaints = io.StringIO()
    settings = {**GITHUB, "report_level": 2, "halt_level": 5, "warning_stream": complaints}
    doctree = publish_doctree(text, settings_overrides=settings)
    return Rendered(doctree, complaints.getvalue())


@functools.cache
def guide(path: Path) -> Rendered:
    """Render a guide, once."""
    return render(path.read_text(encoding="utf-8"))


def broken(path: Path, doctree: nodes.document) -> t.Iterator[str]:
    """Yield the links of a page in the repository that lead nowhere."""
    for link in doctree.findall(nodes.reference):
        address = link.get("refuri", "")
        if urlsplit(address).scheme:
            continue
        place, anchor = urldefrag(address)
        target = (path.parent / place).resolve() if place else path
        if not target.is_file() or (anchor and anchor not in guide(target).doctree.ids):
            yield address


@pytest.mark.parametrize("path", GUIDES)
def test_guide_has_nothing_that_docutils_alone_does_not_know(path: Path) -> None:
    assert guide(path).complaints == ""


@pytest.mark.parametrize("path", GUIDES)
def test_links_of_a_guide_lead_to_files_and_headings_of_the_repository(path: Path) -> None:
    assert list(broken(path, guide(path).doctree)) == []


@pytest.mark.parametrize("page", MARKDOWN)
def test_links_of_markdown_to_headings_of_guides_lead_there(page: str) -> None:
    path = ROOT / page
    found = re.findall(r"\]\((\S+\.rst)#(\S+)\)", path.read_text(encoding="utf-8"))
    lost = [
        f"{place}#{anchor}"
        for place, anchor in found
        if anchor not in guide((path.parent / place).resolve()).doctree.ids
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(":ansopt:`a.b.c#module:d`", "Unknown interpreted text role", id="role"),
        pytest.param(".. tabs::\n\n  text", "Unknown directive type", id="directive"),
        pytest.param(".. raw:: html\n\n  <p>", "directive disabled", id="HTML"),
        pytest.param("`A`_", "Unknown target name", id="target"),
    ],
)
def test_what_github_would_not_show_is_found(text: str, complaint: str) -> None:
    assert complaint in render(text).complaints


@pytest.mark.parametrize(
    "address",
    ["none.rst", "guide_fleet.rst#none", "#none", "../../../plugins/modules/none.py"],
)
def test_a_link_that_leads_nowhere_is_found(address: str) -> None:
    path = ROOT / "docs/docsite/rst/guide_identities.rst"
    assert list(broken(path, render(f"`A <{address}>`__").doctree)) == [address]
