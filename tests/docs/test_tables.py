# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the documentation list what there is, no more and no less."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from tools.paths import COLLECTIONS, ROOT, link_collection

from ansible_collections.community.infisical.plugins.module_utils._module.options import (
    CONNECTION_SPEC,
)
from docs.tables import (
    MARKDOWN,
    TESTED,
    environment_variables,
    first_column,
    linked_tests,
    make_targets,
    named_tests,
    promises,
    section,
    threat_model,
)

GUIDE = "docs/docsite/rst/guide_first_identity.rst"
FLEET_GUIDE = "docs/docsite/rst/guide_fleet.rst"
INSTALL = "docs/docsite/rst/guide_install.rst"
ENVIRONMENT = "docs/docsite/rst/environment_variables.rst"
AZURE_AUTH_MODULE = "community.infisical.infisical_azure_auth"
IDENTITY_MODULE = "community.infisical.infisical_identity"
FLEET_MODULE = "community.infisical.infisical_identities"
INFO_MODULE = "community.infisical.infisical_identity_info"
# What is said of an entry of many in results, besides its identity.
OUTCOME = {
    "index",
    "changed",
    "created",
    "deleted",
    "revoked",
    "before",
    "failed",
    "purged",
    "msg",
    "http_status",
    "error",
    "request_id",
}
# What a module for one auth method says, or is told, of the identity.
WHOSE = {"identity_id", "identity_name", "project_id"}
# What only a module that deletes returns in details.
OF_DELETED = {"projects"}

Documentation = t.Mapping[str, t.Mapping[str, t.Any]]


@pytest.fixture(scope="module")
def documentations() -> t.Mapping[str, Documentation]:
    """The modules' documentation as ansible-doc has it, fragments included."""
    link_collection()
    modules = [AZURE_AUTH_MODULE, IDENTITY_MODULE, FLEET_MODULE, INFO_MODULE]
    run = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-doc")), "--json", *modules],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    documented: dict[str, Documentation] = json.loads(run.stdout)
    return documented


def test_the_settings_of_azure_auth_are_documented_alike_wherever_they_are_options(
    documentations: t.Mapping[str, Documentation],
) -> None:
    options = documentations[AZURE_AUTH_MODULE]["doc"]["options"]
    settings = _without(options, WHOSE | set(CONNECTION_SPEC))
    for entry in _entries(documentations):
        assert _types(entry["azure_auth"]["suboptions"]) == _types(settings)


def test_an_entry_is_documented_as_the_options_of_the_module_for_one(
    documentations: t.Mapping[str, Documentation],
) -> None:
    one, many = _entries(documentations)
    assert _types(one) == _types(many)


def test_what_is_returned_is_documented_alike_everywhere(
    documentations: t.Mapping[str, Documentation],
) -> None:
    """And what goes back in is an option of the same type, but for what the server adds."""
    returned = {module: documentations[module]["return"] for module in documentations}
    one, many, info = (
        returned[module][key]["contains"]
        for module, key in (
            (IDENTITY_MODULE, "identity"),
            (FLEET_MODULE, "results"),
            (INFO_MODULE, "identities"),
        )
    )
    azure_auth = returned[AZURE_AUTH_MODULE]["azure_auth"]["contains"]
    assert set(many) - set(one) == OUTCOME
    assert _types(_without(many, OUTCOME)) == _types(one)
    details = _without(one["details"]["contains"], OF_DELETED)
    assert _types({**one, "details": {**one["details"], "contains": details}}) == _types(info)
    assert _without(azure_auth, WHOSE) == one["azure_auth"]["contains"]
    for entry in _entries(documentations):
        assert set(entry) - set(one) == {"source"}
        assert set(entry["azure_auth"]["suboptions"]) == set(one["azure_auth"]["contains"])


def _entries(documentations: t.Mapping[str, Documentation]) -> list[Documentation]:
    """The options that make an entry: of the module for one identity, and of a list."""
    one = documentations[IDENTITY_MODULE]["doc"]["options"]
    many = documentations[FLEET_MODULE]["doc"]["options"]["identities"]["suboptions"]
    return [_without(one, set(CONNECTION_SPEC)), many]


def _without(documented: Documentation, names: set[str]) -> Documentation:
    return {name: value for name, value in documented.items() if name not in names}


def _types(documented: Documentation) -> dict[str, t.Any]:
    """What options or returned values are, apart from what is said of them."""
    kinds = ("type", "elements", "choices", "default", "required")
    inner = ("suboptions", "contains")
    return {
        name: {
            **{kind: value.get(kind) for kind in kinds},
            **{key: _types(value[key]) for key in inner if key in value},
        }
        for name, value in documented.items()
    }


def test_guide_computes_right_how_long_a_fleet_takes() -> None:
    """Whole windows of a minute that have to pass before the last request may go."""
    text = (ROOT / FLEET_GUIDE).read_text(encoding="utf-8")
    table = text.partition("\n  * - Reads a minute\n")[2].partition("\n\n")[0]
    header, *rows = (re.findall(r"- ([\d,]+)", row) for row in table.split("\n  * "))
    sizes = [int(size.replace(",", "")) for size in header]
    assert len(sizes) == 3
    assert len(rows) == 4
    for limit, *minutes in (map(int, row) for row in rows):
        assert minutes == [math.ceil(size / limit) - 1 for size in sizes]
    least = math.ceil(1000 / 90) - 1
    assert f"1,000 identities at 90 writes a minute takes at least {least} minutes" in text


def test_guide_explains_every_setting_of_azure_auth(
    documentations: t.Mapping[str, Documentation],
) -> None:
    one, _many = _entries(documentations)
    settings = set(one["azure_auth"]["suboptions"])
    text = (ROOT / GUIDE).read_text(encoding="utf-8")
    _before, _heading, meanings = text.partition("\nWhat each setting means\n")
    explained = re.findall(r"^``(\w+)``\n  \S", meanings, re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert set(explained) == settings - {"state", "details"}


def test_page_lists_exactly_the_environment_variables_that_are_read() -> None:
    text = (ROOT / ENVIRONMENT).read_text(encoding="utf-8")
    listed = re.findall(r"^ +\* - ``(\w+)``$", text, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == environment_variables()


@pytest.mark.parametrize("claim", [pytest.param(text, id=text[:60]) for text in threat_model()])
def test_claim_of_the_threat_model_names_tests_that_exist(claim: str) -> None:
    named = re.findall(r"``(tests/[\w/.]+)::(\w+)``", claim)
    assert named
    assert [name for path, name in named if name not in named_tests(path)] == []


def test_page_on_tests_links_to_tests_that_exist() -> None:
    text = (ROOT / TESTED).read_text(encoding="utf-8")
    links = linked_tests(text)
    assert len(links) == text.count("::test_")
    wrong = [
        link
        for link in links
        if not link.path.endswith(f"/{link.file}") or link.name not in named_tests(link.path)
    ]
    assert wrong == []


@pytest.mark.parametrize("promise", [pytest.param(text, id=text[:60]) for text in promises()])
def test_promise_names_its_tests(promise: str) -> None:
    assert linked_tests(promise)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tests/functional/test_kills.py", "KILLS"),
        ("tests/functional/test_kills.py", "FLEET_KILLS"),
        ("tests/functional/test_creation_kills.py", "KILLS"),
        ("tests/functional/test_raw_sockets.py", "max_examples"),
    ],
)
def test_page_on_tests_has_the_numbers_of_the_tests(path: str, name: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    (line,) = re.findall(rf"^ *{name} ?= ?(.+?)(?:, |$)", source, re.MULTILINE)
    numbers = re.findall(r"\d+", line)
    assert numbers
    text = (ROOT / TESTED).read_text(encoding="utf-8")
    assert [number for number in numbers if not re.search(rf"\b{number}\b", text)] == []


def test_contributing_lists_exactly_the_make_targets() -> None:
    listed = first_column(section("CONTRIBUTING.md", "The make targets"))
    assert {name.removeprefix("make ") for name in listed} == make_targets()


def test_contributing_speaks_of_paths_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tables = first_column(section("CONTRIBUTING.md", "Where things are"))
    # The rooms have a test of their own.
    paths = {name for name in re.findall(r"`([a-z_.]+/[\w./-]*)`", text) if name[0] not in "._"}
    missing = [name for name in (*tables, *paths) if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.parametrize("document", MARKDOWN)
def test_relative_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"\]\(([^)#]+)(?:#[^)]+)?\)", text)
    links = [link for link in found if "://" not in link]
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_contributing_names_every_room_of_module_utils() -> None:
    listed = first_column(section("CONTRIBUTING.md", "The rooms of `plugins/module_utils`"))
    folder = ROOT / "plugins/module_utils"
    assert set(listed) == {str(path.relative_to(folder)) for path in folder.rglob("*.py")}


def test_contributing_names_every_room_of_plugin_utils() -> None:
    listed = first_column(section("CONTRIBUTING.md", "The rooms of `plugins/plugin_utils`"))
    assert set(listed) == {path.name for path in (ROOT / "plugins/plugin_utils").glob("_[a-z]*")}


def test_supported_versions_are_those_of_the_metadata() -> None:
    readme = section("README.md", "Supported versions")
    text = (ROOT / INSTALL).read_text(encoding="utf-8")
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "tests/config.yml").read_text(encoding="utf-8"))
    core = re.fullmatch(r">=(\d+\.\d+)\.0", runtime["requires_ansible"])
    python = re.fullmatch(r">=(\d+\.\d+)", config["modules"]["python_requires"])
    assert core is not None
    assert python is not None
    for said in (f"ansible-core {core[1]} to ", f"Python {python[1]} to "):
        assert said in readme
    needed = (ROOT / "meta/ee-requirements.txt").read_text(encoding="utf-8")
    for name, floor in re.findall(r"^(\w+) >= (\S+)$", needed, re.MULTILINE):
        assert f"  * - {name}\n    - {floor} and later\n" in text
