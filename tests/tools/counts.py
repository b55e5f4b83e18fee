# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many tests ran, from the JUnit reports that pytest and ansible-test write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass
class Counts:
    """Tests by their result."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def of_check(self, passed: bool) -> Counts:
        """The same for a check that may have no tests of its own: then it counts as one.

        A check that failed has at least one test that did, also when it broke down before any.
        """
        if not passed and not self.failed:
            return self + Counts(failed=1)
        return self if self != Counts() else Counts(passed=1)


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of all counts."""
    return sum(counts, Counts())


def _source(case: ElementTree.Element) -> str:
    """The file that a test case is in.

    The class name is `tests.unit.plugins.test_cidr.TestParsing` in reports of pytest, and
    `tests/integration/targets/some_target/tasks/main.yml:12` in those of ansible-test integration.
    """
    name = case.get("classname", "")
    parts = name.split(".")
    for index, part in enumerate(parts):
        if part.startswith("test_"):
            return "/".join(parts[: index + 1]) + ".py"
    return name.partition(":")[0]


def read_reports(directory: Path) -> dict[str, Counts]:
    """The counts of all reports in a directory, by test file."""
    counts: dict[str, Counts] = {}
    for report in sorted(directory.glob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            entry = counts.setdefault(_source(case), Counts())
            results = {result.tag for result in case}
            if results & {"failure", "error"}:
                entry.failed += 1
            elif "skipped" in results:
                entry.skipped += 1
            else:
                entry.passed += 1
    return counts


def read_skips(directory: Path) -> dict[str, int]:
    """Why tests were skipped, and how many for each reason."""
    reasons: dict[str, int] = {}
    for report in sorted(directory.glob("*.xml")):
        for skip in ElementTree.parse(report).iter("skipped"):
            reason = skip.get("message") or "no reason given"
            reasons[reason] = reasons.get(reason, 0) + 1
    return reasons


def read_figures(directory: Path) -> dict[str, str]:
    """What tests have recorded of themselves, by test file: "kills 36, interrupted 31"."""
    figures: dict[str, list[str]] = {}
    for report in sorted(directory.glob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            for item in case.iter("property"):
                figure = f"{item.get('name')} {item.get('value')}"
                known = figures.setdefault(_source(case), [])
                if figure not in known:
                    known.append(figure)
    return {source: ", ".join(found) for source, found in figures.items()}
