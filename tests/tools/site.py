# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make docs`: build the documentation site into `.cache/docs/html`, and check its links.

antsibull-docs makes pages of the modules, the guides and the changelog, and Sphinx, with the
settings in docs/site, makes HTML of them. Whatever either warns about is an error. Nothing is
downloaded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import yaml

from .environments import project_environ
from .paths import CACHE, COLLECTION, ROOT, copy_collection

SITE = CACHE / "docs"
NAME = "community.infisical"

# What a browser loads by itself, by element; other addresses are followed by people.
_LOADED = {"img": "src", "link": "href", "script": "src", "source": "src"}
_RELATIONS = {"icon", "preload", "stylesheet"}


class _Page(HTMLParser):
    """The anchors and the addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.followed: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.anchors.update(attributes[name] for name in ("id", "name") if name in attributes)
        address = attributes.get(_LOADED.get(tag, "href"))
        if address is None:
            return
        relations = set(attributes.get("rel", "").split())
        loaded = tag in _LOADED and (tag != "link" or relations & _RELATIONS)
        (self.loaded if loaded else self.followed).append(address)


def broken_links(site: Path) -> Iterator[str]:
    """Yield what is wrong with the addresses in a site's pages, as sentences.

    A page, file or anchor that the site does not have; a file of another site that a page loads.
    """
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site)
        for address in page.loaded:
            if urlsplit(address).netloc:
                yield f"{name} loads {address} from another site"
        for address in dict.fromkeys([*page.followed, *page.loaded]):
            if urlsplit(address).scheme or urlsplit(address).netloc:
                continue
            place, anchor = map(unquote, urldefrag(address))
            file = Path(os.path.normpath(path.parent / place.partition("?")[0])) if place else path
            if not file.is_file():
                yield f"{name} leads to {address}, which does not exist"
            elif anchor and file in pages and anchor not in pages[file].anchors:
                yield f"{name} leads to {address}, where there is no such anchor"


def _run(*command: str | Path, cwd: Path, **environ: str) -> None:
    subprocess.run(command, cwd=cwd, env={**project_environ(), **environ}, check=True)


def _write_changelog(tree: Path, version: str) -> None:
    """Let the changelog of a copy say what a version that is not released yet would bring."""
    changelog = yaml.safe_load((tree / "changelogs/changelog.yaml").read_text(encoding="utf-8"))
    if version not in changelog["releases"]:
        _run("antsibull-changelog", "release", "--version", version, cwd=tree)


def build() -> Path:
    """Build the site and return its folder. Raises subprocess.CalledProcessError."""
    tree = copy_collection("docs-site")
    galaxy = yaml.safe_load((tree / "galaxy.yml").read_text(encoding="utf-8"))
    _write_changelog(tree, galaxy["version"])
    shutil.rmtree(SITE, ignore_errors=True)
    source = SITE / "source"
    shutil.copytree(tree / "docs/site", source)
    # Guides name pictures by their paths in the repository, so that they are seen there, too.
    shutil.copytree(tree / "docs/site/_static", source / "site/_static")
    # What reports refer to by its address.
    shutil.copy(tree / "roles/identities_audit/files/report.schema.json", source / "_static")
    # antsibull-docs wants its folder to be writable by nobody else.
    (source / "collection").mkdir(mode=0o755)
    _run(
        *("antsibull-docs", "--config-file", source / "antsibull-docs.cfg", "collection"),
        *("--use-current", "--squash-hierarchy", "--fail-on-error"),
        *("--dest-dir", source / "collection", NAME),
        cwd=tree,
        ANSIBLE_COLLECTIONS_PATH=str(tree.parents[len(COLLECTION.parts) - 1]),
    )
    _run(
        *("sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "--nitpicky"),
        *("-D", f"version={galaxy['version']}", "-D", f"release={galaxy['version']}"),
        *("-b", "html", "-d", SITE / "doctrees", source, SITE / "html"),
        cwd=tree,
    )
    return SITE / "html"


def main() -> int:
    """Build the site; the exit status says whether it is complete and its links lead somewhere."""
    try:
        site = build()
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]} failed.", file=sys.stderr)
        return 1
    problems = list(broken_links(site))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    count = len(list(site.rglob("*.html")))
    print(f"{count} pages without a broken link: {(site / 'index.html').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
