# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pictures of the page in the documentation.

`PYTHONPATH=tests python3 -m tools.environments test python -m audit.pictures` makes them anew. It
needs Chromium, and pngquant to make them small.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from tools.paths import ROOT, link_collection

from audit.browser import Page, chromium, page

FOLDER = ROOT / "docs" / "site" / "_static"
LARGEST = 150 * 1024

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 1000}
PAPER = {"width": 794, "height": 1123}


class Picture(t.NamedTuple):
    """A picture: of how many identities, on what, and what is done before it is taken."""

    name: str
    identities: int
    size: dict[str, int]
    act: str = ""
    dark: bool = False
    paper: bool = False


_GO = """document.querySelector("%s").scrollIntoView();"""
_FIND = """
  const box = document.querySelector("#filter");
  box.value = "%s";
  box.dispatchEvent(new Event("input"));
  document.querySelector(".unit").open = true;
  setTimeout(() => document.querySelector("%s").scrollIntoView({ block: "%s" }), 100);
"""
_SHOW_DRIFT = """
  [...document.querySelectorAll(".cards details")].slice(0, 3).forEach((one) => (one.open = true));
  document.querySelector("#drift").scrollIntoView();
"""
# What a printer leaves free around a page.
_MARGINS = """
  window.dispatchEvent(new Event("beforeprint"));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("body { padding: 40px !important }");
  document.adoptedStyleSheets = [sheet];
"""

PICTURES = (
    Picture("audit_few", 4, DESKTOP),
    Picture("audit_desktop", 344, DESKTOP),
    Picture("audit_dark", 344, DESKTOP, _SHOW_DRIFT, dark=True),
    Picture(
        "audit_identity", 344, DESKTOP, _FIND % ("not in the list", ".unit .paste ~ button", "end")
    ),
    Picture("audit_phone", 344, PHONE),
    Picture("audit_phone_dark", 344, PHONE, _FIND % ("drifted", ".filter", "start"), dark=True),
    Picture("audit_print", 44, PAPER, _MARGINS, paper=True),
    Picture("audit_many", 5000, DESKTOP, _GO % "#identities"),
)


def main() -> None:
    """Write all pictures. Exits with a message if one cannot be made."""
    program = chromium()
    if not program or not shutil.which("pngquant"):
        sys.exit("Chromium and pngquant are needed.")
    link_collection()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        pages = functools.cache(lambda count: _page_of(count, Path(folder)))
        with page(program, Path(folder) / "profile") as browser:
            browser.call("Emulation.setScrollbarsHidden", hidden=True)
            for picture in PICTURES:
                _take(browser, picture, pages(picture.identities))


def _page_of(count: int, folder: Path) -> Path:
    """Write the page of an organization, and return where it is."""
    # They can be found only where the collection is linked.
    from ansible_collections.community.infisical.plugins.filter.identity_audit_output import (
        identity_audit_output,
    )
    from audit.reports import earlier_report, report

    baseline = earlier_report(count, has_odd_names=False) if count == 344 else None
    made = report(count, has_odd_names=False, baseline=baseline)
    path = folder / f"{count}.html"
    path.write_text(identity_audit_output(made, "html"), encoding="utf-8")
    return path


def _take(browser: Page, picture: Picture, source: Path) -> None:
    browser.emulate(**picture.size, dark=picture.dark, paper=picture.paper)
    browser.open(source)
    browser.evaluate(f"(() => {{ {picture.act} }})()")
    browser.evaluate("new Promise((done) => setTimeout(done, 500))")
    target = FOLDER / f"{picture.name}.png"
    browser.screenshot(target)
    command = ["pngquant", "--force", "--skip-if-larger", "--strip", "--speed=1", "--ext=.png"]
    subprocess.run([*command, "64", str(target)], check=True)
    if target.stat().st_size > LARGEST:
        sys.exit(f"{target.name} is larger than {LARGEST} bytes.")


if __name__ == "__main__":
    main()
