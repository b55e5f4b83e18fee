# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an audit fails: for what was found, and for what it was given."""

from __future__ import annotations

import json
import typing as t

import pytest
from tools.paths import ROOT

from audit.harness import Audit, audits, by_secret, by_token, names
from audit.worlds import STORED, clean, entry
from emulator import running

Entry = dict[str, t.Any]

NUMBERS = ("checked", "as_desired", "drifted", "not_judged", "unlisted", "findings")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """Audits of an organization that is as the list says, but for what a case adds to it."""
    folder = tmp_path_factory.mktemp("verdicts")
    with running() as emulator:
        desired = clean(emulator)
        for number in range(2):
            other_id = emulator.create_identity(f"other {number}")
            emulator.put_azure_auth(other_id, **{**STORED, "accessTokenNumUsesLimit": 0})
        # Files have no templates in them, so there it goes by its id.
        smiling = emulator.create_identity("\U0001f600 {{ 1 + 1 }}")
        emulator.put_azure_auth(smiling, **STORED)
        files = {
            "a.yml": {"identities": desired[:2]},
            "b.json": {"identities": [entry(id=smiling)]},
            "c/d.yaml": desired[2:],
            ".git/e.yml": "nonsense",
            "c/.hidden/f.yml": "nonsense",
        }
        for name, content in files.items():
            (folder / ".lists" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / ".lists" / name).write_text(json.dumps(content), encoding="utf-8")
        twice = [
            {"id": other_id},
            {"role": "member"},
            {"id": "", "name": " clean 0 "},
            {"id": " ", "name": "clean 1"},
            {"name": "other 1"},
        ]
        unwritten = {"identities_audit_html": "", "identities_audit_json": ""}
        given = {**unwritten, "identities_audit_desired": desired}
        on_findings = {**given, "identities_audit_fail_on": "findings"}
        done = audits(
            by_token(emulator),
            folder,
            {
                "by default": {**given, "identities_audit_json": str(folder / "one.json")},
                "on findings": on_findings,
                "on severe findings": {**on_findings, "identities_audit_fail_severity": "medium"},
                "on what is not complete": {**given, "identities_audit_fail_on": "incomplete"},
                "on what is not listed": {**given, "identities_audit_unlisted_is_drift": True},
                # As an earlier job of a workflow of AWX hands them on.
                "with the numbers of another audit": {
                    **given,
                    "identities_audit_unlisted_is_drift": True,
                    "infisical_audit_counts": dict.fromkeys(NUMBERS, 0),
                    "result": {"checked": 5},
                    "findings": [],
                },
                "on findings but these, without a list": {
                    **on_findings,
                    "identities_audit_desired": [],
                    "identities_audit_without_list": True,
                    "identities_audit_ignore": ["unlimited_uses"],
                    "identities_audit_json": str(folder / "two.json"),
                },
                "of files, with a rule to ignore as a text": {
                    **on_findings,
                    "identities_audit_desired": [],
                    "identities_audit_folder": str(folder / ".lists"),
                    "identities_audit_ignore": "unlimited_uses,any_address",
                    "identities_audit_json": str(folder / "three.json"),
                },
                "with drift, on what is not complete": {
                    **given,
                    "identities_audit_desired": [{"id": other_id, "state": "absent"}],
                    "identities_audit_fail_on": "incomplete",
                },
                "with an identity twice, on what is not complete": {
                    **given,
                    "identities_audit_desired": twice,
                    "identities_audit_batch_size": 2,
                    "identities_audit_fail_on": "incomplete",
                },
                "with an identity twice": {
                    **given,
                    "identities_audit_desired": twice,
                    "identities_audit_batch_size": 2,
                    "identities_audit_json": str(folder / "four.json"),
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
        ("on what is not complete", False),
        ("on what is not listed", True),
        ("with the numbers of another audit", True),
        ("on findings but these, without a list", False),
        ("of files, with a rule to ignore as a text", False),
        ("with an identity twice", True),
        ("with drift, on what is not complete", False),
        ("with an identity twice, on what is not complete", True),
    ],
)
def test_when_an_audit_fails(name: str, fails: bool, verdicts: dict[str, Audit]) -> None:
    failure = verdicts[name].failure
    assert (failure is not None) is fails, failure
    (verdict,) = verdicts[name].named("Judge")
    assert "but not in the list: " in verdict.result["msg"]


def test_a_clean_report_has_nothing_but_what_is_not_listed(verdicts: dict[str, Audit]) -> None:
    path = verdicts["by default"].folder.parent / "one.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["complete"] is True
    assert report["counts"]["as_desired"] == report["counts"]["checked"] == 5
    assert names(report["unlisted"]) == ["other 0", "other 1", "\U0001f600 {{ 1 + 1 }}"]
    assert [report[key] for key in ("drifted", "not_judged", "problems")] == [[], [], []]


def test_without_a_list_everything_is_not_listed(verdicts: dict[str, Audit]) -> None:
    path = verdicts["by default"].folder.parent / "two.json"
    counts = json.loads(path.read_text(encoding="utf-8"))["counts"]
    assert (counts["checked"], counts["unlisted"], counts["findings"]) == (0, 8, 0)


def test_files_have_lists_in_every_form_that_is_documented(verdicts: dict[str, Audit]) -> None:
    path = verdicts["by default"].folder.parent / "three.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["counts"]["as_desired"] == report["counts"]["checked"] == 6
    assert names(report["unlisted"]) == ["other 0", "other 1"]


def test_an_identity_that_is_listed_twice_is_judged_once(verdicts: dict[str, Audit]) -> None:
    """Where only the server tells that a name and an id are the same, in two batches."""
    path = verdicts["by default"].folder.parent / "four.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    counts = report["counts"]
    assert (counts["checked"], counts["as_desired"], counts["not_judged"]) == (5, 3, 2)
    nobody, again = report["not_judged"]
    assert (nobody["entry"], nobody["id"], nobody["name"]) == (2, None, None)
    assert "identities[" not in nobody["msg"]
    assert (again["entry"], again["name"]) == (5, "other 1")
    assert again["msg"] == (
        "Entry 5 of the list is the same identity as entry 1 of the list"
        f" ({again['id']}); list it once."
    )


# By case: the file bad.yml in a folder whose other file is right, variables, and what is told.
REFUSED: dict[str, tuple[str | None, Entry, str]] = {
    "no list": (None, {}, "There is no list to compare with. Give it in identities_audit_desired"),
    "two lists": (
        "- name: a",
        {"identities_audit_desired": [{"name": "a"}]},
        "identities_audit_desired and identities_audit_folder are both given; give one of them.",
    ),
    "one id twice": (
        None,
        {
            "identities_audit_desired": [
                {"id": "6F1A2B3C-4D5E-4F60-8A7B-9C0D1E2F3A4B", "name": "a"},
                {"id": "6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b"},
            ]
        },
        "The list has more than one entry for 6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b. List each",
    ),
    "one name twice, in files": (
        "[{name: a}, {name: b}, {name: a}]",
        {},
        "bad.yml:1 (a); list it once.",
    ),
    "one name twice, with blanks": (
        None,
        {
            "identities_audit_desired": [
                {"name": "a"},
                {"id": " ", "name": " a "},
            ]
        },
        "The list has more than one entry for a. List each identity once.",
    ),
    "a name, and an id with this name": (
        None,
        {
            "identities_audit_desired": [
                {"name": "a "},
                {"id": "6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b", "name": "a"},
            ]
        },
        "The list has more than one entry for a. List each identity once.",
    ),
    "a name of a project twice": (
        None,
        {
            "identities_audit_desired": [
                {"name": "a"},
                {"name": "a", "project_id": "6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b"},
                {"name": "a", "project_id": "{6F1A2B3C-4D5E-4F60-8A7B-9C0D1E2F3A4B}"},
            ]
        },
        "more than one entry for a of the project 6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b. List each",
    ),
    "a list that is a text": (
        None,
        {"identities_audit_desired": "billing"},
        "identities_audit_desired is billing, which is not a list; write a list of entries, each",
    ),
    "a list that is a dictionary": (
        None,
        {"identities_audit_desired": {"name": "billing"}},
        "identities_audit_desired is {'name': 'billing'}, which is not a list; write a",
    ),
    "batches of nothing": (
        None,
        {"identities_audit_desired": [{"name": "a"}], "identities_audit_batch_size": 0},
        "identities_audit_batch_size is 0; write a whole number of at least 1.",
    ),
    "too many at once": (
        None,
        {"identities_audit_without_list": True, "identities_audit_concurrency": "65"},
        "identities_audit_concurrency is 65; write a whole number from 1 to 64.",
    ),
    "a login that is a text": (
        None,
        {"identities_audit_without_list": True, "identities_audit_login_data": "url=x"},
        "identities_audit_login_data is not a dictionary; give the login_data that",
    ),
    "a page that is a folder": (
        None,
        {"identities_audit_without_list": True, "identities_audit_html": str(ROOT)},
        f"identities_audit_html is {ROOT}, which is a folder; write the path of a file.",
    ),
    "JSON in a folder that is not there yet": (
        None,
        {"identities_audit_without_list": True, "identities_audit_json": "nowhere/"},
        "identities_audit_json is nowhere/, which is a folder; write the path of a file.",
    ),
    "one file for both": (
        None,
        {
            "identities_audit_without_list": True,
            "identities_audit_html": "/nowhere/audit",
            "identities_audit_json": "/nowhere/there/../audit",
        },
        "identities_audit_html and identities_audit_json are both /nowhere/audit; give each a file",
    ),
    # Whatever else files can be is in the tests of the lookup that reads them.
    "a file that is not YAML": ("- a: [1,\n  b: }", {}, "bad.yml:2: this is not YAML: column "),
    "a file with a list of texts": (
        "[{name: a}, billing]",
        {},
        "bad.yml:1: entry 2: it is 'billing', which is not a dictionary; write id or",
    ),
    "no folder": (
        None,
        {"identities_audit_folder": "/nowhere"},
        "identities_audit_folder is /nowhere, which is not a folder; name one with files that",
    ),
    "a folder without files": (
        None,
        {"identities_audit_folder": str(ROOT / "LICENSES")},
        "has no file with a list, whose name ends in .yml, .yaml or .json.",
    ),
    "a rule that is none in a text": (
        None,
        {"identities_audit_ignore": "unlimited_uses,uses"},
        "ignore has 'uses', which is no rule; there are open_to_tenant, ",
    ),
    "a rule that is none": (
        None,
        {"identities_audit_ignore": ["uses"]},
        "ignore has 'uses', which is no rule; there are open_to_tenant, ",
    ),
    "a threshold that is none": (
        None,
        {"identities_audit_max_lifetime": 0},
        "max_lifetime is 0; write a whole number of seconds, at least 1.",
    ),
    "a word that is none": (
        None,
        {"identities_audit_fail_on": "sometimes"},
        "identities_audit_fail_on is sometimes; write drift, findings, incomplete or never.",
    ),
    "a severity that is none": (
        None,
        {"identities_audit_fail_severity": "worst"},
        "identities_audit_fail_severity is worst; write low, medium or high.",
    ),
    "a truth value that is none": (
        None,
        {"identities_audit_without_list": "maybe"},
        "identities_audit_without_list is maybe; write true or false.",
    ),
    "an organization that YAML took for a number": (
        None,
        {"identities_audit_without_list": True, "identities_audit_organization_slug": 83},
        "identities_audit_organization_slug is 83, which is not a text; quote it.",
    ),
    "a folder that YAML took for a number": (
        None,
        {"identities_audit_folder": 83},
        "identities_audit_folder is 83, which is not a path; quote it.",
    ),
    "a number that is a truth value": (
        None,
        {"identities_audit_without_list": True, "identities_audit_batch_size": True},
        "identities_audit_batch_size is True; write a whole number of at least 1.",
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
            files = {"bad.yml": content, "good.yml": "- name: something else\n"}
            for file, text in files.items():
                (folder / name / file).write_text(text, encoding="utf-8")
            cases[name]["identities_audit_folder"] = str(folder / name)
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
