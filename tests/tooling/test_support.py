# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said to be supported is what `make matrix` tries, wherever it is said."""

from __future__ import annotations

import re
import typing as t

import yaml
from tools.matrix import CORES, module_pythons
from tools.paths import ROOT
from tools.pythons import SUPPORTED

from ansible_collections.community.infisical.plugins.module_utils._module import requirements
from emulator.rules import GENERATIONS

GUIDE = "docs/docsite/rst/guide_install.rst"


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _yaml(path: str) -> t.Any:
    return yaml.safe_load(_text(path))


def _range(versions: t.Sequence[str]) -> str:
    return f"{versions[0]} to {versions[-1]}"


def test_guide_lists_each_ansible_core_with_its_pythons() -> None:
    text = _text(GUIDE)
    rows = re.findall(r"^  \* - (2\.\d+)\n    - (.+)\n    - (.+)$", text, re.MULTILINE)
    assert rows == [
        (core, _range(pythons), _range(module_pythons(core))) for core, pythons in CORES.items()
    ]
    assert f"  * - ansible-core\n    - {_range(list(CORES))}" in text
    assert f"  * - Python on the host that runs a module\n    - {_range(SUPPORTED)}" in text


def test_readme_says_the_same_in_short() -> None:
    text = _text("README.md")
    assert f"ansible-core {_range(list(CORES))}" in text
    assert f"Python {_range(SUPPORTED)} on the host that runs a module" in text


def test_metadata_names_the_oldest_versions() -> None:
    assert _yaml("meta/runtime.yml")["requires_ansible"] == f">={next(iter(CORES))}.0"
    assert _yaml("tests/config.yml")["modules"]["python_requires"] == f">={SUPPORTED[0]}"


def test_metadata_names_the_oldest_libraries() -> None:
    needed = (ROOT / "meta/ee-requirements.txt").read_text(encoding="utf-8")
    said = dict(re.findall(r"^(\w+) >= ([0-9.]+)$", needed, re.MULTILINE))
    assert {
        library: tuple(map(int, floor.split("."))) for library, floor in said.items()
    } == requirements.LIBRARIES
    assert ".".join(map(str, requirements.PYTHON)) == SUPPORTED[0]


def test_ci_runs_the_matrix_of_each_ansible_core_with_every_python() -> None:
    job = _yaml(".github/workflows/ci.yml")["jobs"]["matrix"]
    assert job["strategy"]["matrix"]["ansible-core"] == list(CORES)
    (pythons,) = (
        step["with"]["python-version"].split()
        for step in job["steps"]
        if "python-version" in step.get("with", {})
    )
    assert sorted(pythons) == sorted(SUPPORTED)


def test_generations_of_servers_are_those_that_the_contract_tests_know() -> None:
    guide, readme = _text(GUIDE), _text("README.md")
    (oldest,) = re.findall(r"- servers released in (.+) or later, both", guide)
    (tested,) = re.findall(r"^The collection was tested on .+$", guide, re.MULTILINE)
    assert f"Infisical servers since {oldest}." in readme
    assert _months(oldest) == [GENERATIONS[0]]
    assert sorted(_months(tested)) == list(GENERATIONS)


def _months(text: str) -> list[str]:
    """Return the months, and the years without a month, that a text names."""
    months = {"October": "10", "June": "06"}
    found = re.findall(r"(?:(October|June)\s)?(\d{4})", text)
    return ["-".join(filter(None, (year, months.get(month)))) for month, year in found]
