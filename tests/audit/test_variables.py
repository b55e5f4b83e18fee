# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role, and where they are told of."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT

from audit.harness import Audit, audits, by_secret, play
from audit.worlds import STORED
from emulator import running

Entry = dict[str, t.Any]

ROLE = ROOT / "roles" / "identities_audit"


def documented() -> dict[str, Entry]:
    text = (ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options: dict[str, Entry] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


def test_every_variable_is_documented_with_its_default() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert {name: option["default"] for name, option in documented().items()} == defaults


def test_the_guide_explains_every_variable() -> None:
    guide: Path = ROOT / "docs" / "docsite" / "rst" / "guide_audits.rst"
    text = guide.read_text(encoding="utf-8")
    _before, _heading, variables = text.partition("\nAll variables\n")
    explained = "\n".join(re.findall(r"^(``.+)\n  \S", variables, re.MULTILINE))
    missing = [name for name in documented() if f"``{name}``" not in explained]
    assert missing == []


# As AWX passes on questions that nobody answered: an empty text, which ansible-core from 2.19 on
# takes for null.
BLANKS = {"null": None, "empty": "", "blank": " "}


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """Audits with every variable blank but for where the list is, and where the JSON goes."""
    folder = tmp_path_factory.mktemp("blank")
    with running() as emulator:
        cases = {
            name: {
                **dict.fromkeys(documented(), value),
                "identities_audit_without_list": "yes",
                "identities_audit_json": str(folder / f"{name}.json"),
            }
            for name, value in BLANKS.items()
        }
        return audits(by_secret(emulator), folder, cases)


@pytest.mark.parametrize("name", BLANKS)
def test_blank_stands_for_the_default(name: str, blank: dict[str, Audit]) -> None:
    audit = blank[name]
    assert audit.failure is None
    report = json.loads((audit.folder.parent / f"{name}.json").read_text(encoding="utf-8"))
    assert report["complete"] is True
    # But of a path for none.
    assert not list(audit.folder.rglob("*.html"))


UNKNOWN: dict[str, Entry] = {
    "a typing error": {"identities_audit_fial_on": "never"},
    "in capitals": {"IDENTITIES_AUDIT_FOLDER": "identities"},
    "what an earlier job handed on": {"identities_audit_counts": {"drifted": 0}},
}


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """Audits with variables that there are not."""
    with running() as emulator:
        cases = {
            name: {"identities_audit_without_list": True, **variables}
            for name, variables in UNKNOWN.items()
        }
        done = audits(by_secret(emulator), tmp_path_factory.mktemp("unknown"), cases)
        assert emulator.requests() == []
        return done


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_variable_that_there_is_not_is_an_error(name: str, unknown: dict[str, Audit]) -> None:
    (variable,) = UNKNOWN[name]
    names = ", ".join(documented())
    assert unknown[name].failure == f"There is no variable {variable}. The role has {names}."


def test_on_several_hosts_the_role_makes_no_audit(tmp_path: Path) -> None:
    content = [
        {
            "hosts": "all",
            "gather_facts": False,
            "roles": [{"role": "community.infisical.identities_audit"}],
            "vars": {"identities_audit_without_list": True},
        }
    ]
    playbook = tmp_path / "several.yml"
    playbook.write_text(json.dumps(content), encoding="utf-8")
    with running() as emulator:
        run = play(by_secret(emulator), tmp_path, str(playbook), "-i", "one,two", "-c", "local")
        assert emulator.requests() == []
    failures = {record.result["msg"] for record in run.records if record.status == "failed"}
    (failure,) = failures
    assert failure == (
        "This role must run on one host. Each host of this play, or each slice of the AWX job,"
        " would make the same audit. Use an inventory that has localhost and no other host."
    )


def test_an_organization_is_that_of_every_task(tmp_path: Path) -> None:
    with running() as emulator:
        below = emulator.sub_organization_id
        emulator.add_member(emulator.identities["admin"], "admin", organization_id=below)
        identity_id = emulator.create_identity("below", organization_id=below)
        emulator.put_azure_auth(identity_id, **STORED)
        without = {"identities_audit_without_list": True}
        cases = {
            "sub-organization": {**without, "identities_audit_organization_slug": "acme-labs"},
            "one that there is not": {**without, "identities_audit_organization_slug": "nowhere"},
        }
        done = audits(by_secret(emulator), tmp_path, cases)
    report = done["sub-organization"].report
    with_azure_auth = [item["name"] for item in report["identities"] if item["azure_auth"]]
    assert with_azure_auth == ["below"]
    assert report["organization"] == "acme-labs"
    assert "nowhere" in str(done["one that there is not"].failure)
    assert not done["one that there is not"].json.exists()
