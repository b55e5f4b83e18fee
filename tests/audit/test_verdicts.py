# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an audit fails: for what was found, and for what it was given."""

from __future__ import annotations

import json
import typing as t

import pytest

from audit.harness import Audit, audits, by_secret, by_token, names
from audit.worlds import STORED, clean
from emulator import running

pytestmark = pytest.mark.xdist_group("verdicts")

Entry = dict[str, t.Any]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """Audits of an organization that is as the list says, but for what a case adds to it."""
    folder = tmp_path_factory.mktemp("verdicts")
    with running() as emulator:
        desired = clean(emulator)
        for number in range(2):
            identity_id = emulator.create_identity(f"other {number}")
            emulator.put_azure_auth(identity_id, **{**STORED, "accessTokenNumUsesLimit": 0})
        unwritten = {"azure_auth_audit_html": "", "azure_auth_audit_json": ""}
        given = {**unwritten, "azure_auth_audit_desired": desired}
        on_findings = {**given, "azure_auth_audit_fail_on": "findings"}
        done = audits(
            by_token(emulator),
            folder,
            {
                "by default": {**given, "azure_auth_audit_json": str(folder / "one.json")},
                "on findings": on_findings,
                "on severe findings": {**on_findings, "azure_auth_audit_fail_severity": "medium"},
                "on what is not listed": {**given, "azure_auth_audit_unlisted_is_drift": True},
                "on findings but these, without a list": {
                    **on_findings,
                    "azure_auth_audit_desired": [],
                    "azure_auth_audit_without_list": True,
                    "azure_auth_audit_ignore": ["unlimited_uses"],
                    "azure_auth_audit_json": str(folder / "two.json"),
                },
            },
        )
        # The token is somebody's, who may need it for more than one audit.
        assert emulator.requests(path="/token/revoke") == []
        return done


@pytest.mark.parametrize(
    ("name", "fails"),
    [
        ("by default", False),
        ("on findings", True),
        ("on severe findings", False),
        ("on what is not listed", True),
        ("on findings but these, without a list", False),
    ],
)
def test_when_an_audit_fails(name: str, fails: bool, verdicts: dict[str, Audit]) -> None:
    failure = verdicts[name].failure
    assert (failure is not None) is fails, failure
    (verdict,) = verdicts[name].named("Judge")
    assert "others have Azure Auth." in verdict.result["msg"]


def test_a_clean_report_has_nothing_but_what_is_not_listed(verdicts: dict[str, Audit]) -> None:
    path = verdicts["by default"].folder.parent / "one.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["complete"] is True
    assert report["counts"]["as_desired"] == report["counts"]["checked"] == 5
    assert names(report["unlisted"]) == ["other 0", "other 1"]
    assert [report[key] for key in ("drifted", "not_judged", "problems")] == [[], [], []]


def test_without_a_list_everything_is_not_listed(verdicts: dict[str, Audit]) -> None:
    path = verdicts["by default"].folder.parent / "two.json"
    counts = json.loads(path.read_text(encoding="utf-8"))["counts"]
    assert (counts["checked"], counts["unlisted"], counts["findings"]) == (0, 7, 0)


REFUSED: dict[str, tuple[str | None, Entry, str]] = {
    "no list": (None, {}, "There is no list to compare with. Give it in azure_auth_audit_desired"),
    "two lists": (
        "- identity_name: a",
        {"azure_auth_audit_desired": [{"identity_name": "a"}]},
        "azure_auth_audit_desired and azure_auth_audit_folder are both given; give one of them.",
    ),
    "one id twice": (
        None,
        {
            "azure_auth_audit_desired": [
                {"identity_id": "6F1A2B3C-4D5E-4F60-8A7B-9C0D1E2F3A4B", "identity_name": "a"},
                {"identity_id": "6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b"},
            ]
        },
        "The list has more than one entry for 6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b. List each",
    ),
    "one name twice, in files": (
        "[{identity_name: a}, {identity_name: b}, {identity_name: a}]",
        {},
        "The list has more than one entry for a. List each identity once.",
    ),
    "a file that is not YAML": ("- a: [1,\n  b: }", {}, "bad.yml is not YAML: line 2, column "),
    "an empty file": ("", {}, "bad.yml has no list. Write a list of entries into it, each a"),
    "a file with a list of texts": ("[billing]", {}, "bad.yml has no list."),
    "a file with other variables": ("{desired: [{identity_name: a}]}", {}, "bad.yml has no list."),
    "no folder": (
        None,
        {"azure_auth_audit_folder": "/nowhere"},
        "azure_auth_audit_folder is /nowhere, which is not a folder, or has no file whose name",
    ),
    "a rule that is none": (
        None,
        {"azure_auth_audit_ignore": ["uses"]},
        "value of azure_auth_audit_ignore must be one or more of: open_to_tenant, ",
    ),
    "a threshold that is none": (
        None,
        {"azure_auth_audit_max_lifetime": 0},
        "max_lifetime is 0; write a whole number of seconds, at least 1.",
    ),
    "a word that is none": (
        None,
        {"azure_auth_audit_fail_on": "sometimes"},
        "value of azure_auth_audit_fail_on must be one of: drift, findings, never, got: sometimes",
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """Audits that fail before any request."""
    folder = tmp_path_factory.mktemp("refused")
    cases = {}
    for name, (content, variables, _message) in REFUSED.items():
        cases[name] = dict(variables)
        if content is not None:
            (folder / name).mkdir()
            (folder / name / "bad.yml").write_text(content, encoding="utf-8")
            good = folder / name / "good.yml"
            good.write_text("- identity_name: something else\n", encoding="utf-8")
            cases[name]["azure_auth_audit_folder"] = str(folder / name)
    with running() as emulator:
        done = audits(by_secret(emulator), folder, cases)
        assert emulator.requests() == []
    return done


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_right_is_refused_before_any_request(
    name: str, refused: dict[str, Audit]
) -> None:
    failure = refused[name].failure
    assert failure is not None
    assert REFUSED[name][2] in " ".join(failure.split())
    assert not refused[name].json.exists()
