# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the documentation site's links finds what is broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT
from tools.release import content
from tools.site import broken_links


@pytest.mark.parametrize(
    ("element", "complaint"),
    [
        pytest.param('<a href="none.html">', "does not exist", id="no such page"),
        pytest.param('<a href="guide/">', "does not exist", id="a folder"),
        pytest.param('<a href="#none">', "no such anchor", id="no such anchor on the page"),
        pytest.param('<a href="guide/a.html#none">', "no such anchor", id="none on another page"),
        pytest.param('<img src="none.png">', "does not exist", id="no such image"),
        pytest.param(
            '<script src="https://example.com/a.js">', "another site", id="script of another site"
        ),
        pytest.param(
            '<link rel="stylesheet" href="//example.com/a.css">',
            "another site",
            id="style sheet of another site",
        ),
    ],
)
def test_broken_link_is_found(tmp_path: Path, element: str, complaint: str) -> None:
    _site(tmp_path, element)
    (found,) = broken_links(tmp_path)
    assert complaint in found
    assert found.startswith("index.html ")


@pytest.mark.parametrize(
    "element",
    [
        pytest.param('<a href="guide/a.html">', id="page"),
        pytest.param('<a href="guide/a.html#part">', id="anchor on another page"),
        pytest.param('<a href="#top">', id="anchor on the page"),
        pytest.param('<a href="guide/../style.css?v=1">', id="file with a query"),
        pytest.param('<a href="https://example.com/none">', id="another site, which people follow"),
        pytest.param('<link rel="canonical" href="https://example.com/">', id="canonical address"),
        pytest.param('<link rel="stylesheet" href="style.css">', id="style sheet"),
    ],
)
def test_link_that_leads_somewhere_is_left_alone(tmp_path: Path, element: str) -> None:
    _site(tmp_path, element)
    assert list(broken_links(tmp_path)) == []


def test_every_guide_is_listed_for_other_sites_too() -> None:
    """antsibull-docs, for docs.ansible.com, shows only those."""
    text = (ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8")
    listed = [name for section in yaml.safe_load(text)["sections"] for name in section["toctree"]]
    assert sorted(listed) == sorted(path.stem for path in ROOT.glob("docs/docsite/rst/*.rst"))


def test_front_page_lists_every_guide_module_role_and_plugin() -> None:
    """Sphinx would not miss them: antsibull-docs makes pages that are on their own."""
    guides = {f"docsite/{path.stem}" for path in ROOT.glob("docs/docsite/rst/*.rst")}
    plugins = {
        f"{name.rpartition('.')[2]}_{kind}"
        for kind, names in content(ROOT).items()
        for name in names
    }
    text = (ROOT / "docs/site/index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^  (?:\w+ <)?collection/([\w/]+)>?$", text, re.MULTILINE)
    assert sorted(listed) == sorted({*guides, *plugins, "changelog"})


def test_contents_link_every_module_role_and_plugin() -> None:
    names = [name.rpartition(".")[2] for names in content(ROOT).values() for name in names]
    text = (ROOT / "docs/docsite/rst/contents.rst").read_text(encoding="utf-8")
    linked = re.findall(r"^  \* - `(\w+) <\.\./\.\./\.\./\w+/\S+>`__", text, re.MULTILINE)
    assert sorted(linked) == sorted(names)


def test_every_playbook_has_a_part_of_a_page() -> None:
    text = (ROOT / "docs/docsite/rst/playbooks.rst").read_text(encoding="utf-8")
    headings = re.findall(r"^(\w+)\n-+$", text, re.MULTILINE)
    assert sorted(headings) == sorted(path.stem for path in ROOT.glob("playbooks/*.yml"))


def test_readme_links_every_guide() -> None:
    guides = {path.name for path in ROOT.glob("docs/docsite/rst/*.rst")}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(docs/docsite/rst/([^)#]+)", text)) == guides


def _site(folder: Path, element: str) -> None:
    (folder / "guide").mkdir()
    (folder / "guide/a.html").write_text('<h1 id="part">A</h1>', encoding="utf-8")
    (folder / "style.css").write_text("", encoding="utf-8")
    (folder / "index.html").write_text(f'<p id="top">{element}</p>', encoding="utf-8")
