# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's page in the documentation, and the picture on it."""

from __future__ import annotations

import textwrap

from tools.paths import ROOT

from .plot import TITLE, plot
from .results import Results
from .tables import tables

PAGE = ROOT / "docs/docsite/rst/benchmark.rst"
PLOT = ROOT / "docs/site/_static/benchmark.svg"
BEGIN = ".. What follows is written by make bench.\n"
END = ".. Here ends what make bench writes.\n"

# The ratios of single rounds are noise then.
BUSY = (
    " The machine was busy with other work, so the times are far too long and the ratios are only a"
    " hint."
)


def conditions(results: Results) -> str:
    """When, where and with what it was measured, as a sentence."""
    machine = results.machine
    return (
        f"Measured on {machine.date} against {results.server}, on {machine.cores} cores of"
        f" {machine.processor} (load {machine.load:.1f} at the start), with Python"
        f" {machine.python}, ansible-core {machine.ansible}, requests {machine.requests} and"
        f" netaddr {machine.netaddr}. The run took {results.seconds / 60:.0f} minutes."
        f"{BUSY if machine.is_busy else ''}"
    )


def as_text(results: Results) -> str:
    """All of it for a terminal."""
    parts = [table.as_text() for table in tables(results)]
    return "\n".join([*parts, *(f"{why}\n" for why in results.skipped), conditions(results) + "\n"])


def as_rst(results: Results) -> str:
    """What the page has of the results."""
    image = f".. image:: ../../site/_static/{PLOT.name}\n  :alt: {TITLE}\n"
    parts = [conditions(results) + "\n", image, *(table.as_rst() for table in tables(results))]
    return "\n".join(parts)


def write(results: Results) -> None:
    """Put the results into the page, and the plot beside it. Raises ValueError without marks."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE} has no marks for what is written into it")
    PAGE.write_text(f"{before}{BEGIN}\n{as_rst(results)}\n{END}{after}", encoding="utf-8")
    # The plot's header is that of the page.
    licence = textwrap.dedent(before.removeprefix("..\n").partition("\n\n")[0])
    PLOT.write_text(f"<!--\n{licence}\n-->\n{plot(results)}", encoding="utf-8")
