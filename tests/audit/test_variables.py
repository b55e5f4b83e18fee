# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role, and where they are told of."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
from tools.paths import ROOT

Entry = dict[str, t.Any]

ROLE = ROOT / "roles" / "azure_auth_audit"


def documented() -> dict[str, Entry]:
    text = (ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options: dict[str, Entry] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


def test_every_variable_is_documented_with_its_default() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert {name: option["default"] for name, option in documented().items()} == defaults


def test_rules_that_can_be_ignored_are_those_that_there_are() -> None:
    sidecar = ROOT / "plugins" / "filter" / "azure_auth_findings.yml"
    text = sidecar.read_text(encoding="utf-8")
    rules = documented()["azure_auth_audit_ignore"]["choices"]
    assert [rule for rule in rules if f"B({rule})" not in text] == []
    assert text.count("    - B(") + text.count("), B(") == len(rules)


def test_the_guide_explains_every_variable() -> None:
    guide: Path = ROOT / "docs" / "docsite" / "rst" / "guide_audits.rst"
    text = guide.read_text(encoding="utf-8")
    option = ":ansopt:`community.infisical.azure_auth_audit#role:main:{}`"
    missing = [name for name in documented() if option.format(name) not in text]
    assert missing == []
