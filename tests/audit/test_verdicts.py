# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an audit fails: for what was found, and for what it was given."""

from __future__ import annotations

import json
import typing as t

import pytest
from tools.paths import ROOT

from audit.harness import Audit, audits, by_secret, by_token, names, with_status
from audit.reports import report
from audit.worlds import STORED, clean, entry
from emulator import running

Entry = dict[str, t.Any]

SCHEMA = ROOT / "roles" / "identities_audit" / "files" / "report.schema.json"
NUMBERS = ("listed", "as_desired", "drifted", "unknown", "unlisted", "findings")


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
        templates = [{"name": "{{ stage }} 0", "role": "no-access"}]
        (folder / "templates.yml").write_text(json.dumps(templates), encoding="utf-8")
        for name, content in files.items():
            (folder / ".lists" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / ".lists" / name).write_text(json.dumps(content), encoding="utf-8")
        twice = [
            {"id": other_id},
            {"id": "", "name": " clean 0 "},
            {"id": " ", "name": "clean 1"},
            {"name": "other 1"},
        ]
        (folder / "another.json").write_text(json.dumps(report(4)), encoding="utf-8")
        unwritten = {"identities_audit_html": "", "identities_audit_json": ""}
        given = {**unwritten, "identities_audit_desired": desired}
        on_findings = {
            **given,
            "identities_audit_fail_on": "findings",
            # Some of the seed are admins.
            "identities_audit_privileged_roles": "owner, superuser",
        }
        waiver = {"reason": "Known.", "until": "2126-12-31"}
        done = audits(
            by_token(emulator),
            folder,
            {
                "by default": {**given, "identities_audit_json": str(folder / "one.json")},
                "on findings": on_findings,
                "on severe findings": {**on_findings, "identities_audit_fail_severity": "medium"},
                "on findings that are waived": {
                    **on_findings,
                    "identities_audit_waivers": [
                        {"rule": "unlimited_uses", "identity": "other ?", **waiver}
                    ],
                },
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
                    "identities_audit_skip": ["unlimited_uses"],
                    "identities_audit_json": str(folder / "two.json"),
                },
                "of files, with rules to skip as a text": {
                    **on_findings,
                    "identities_audit_desired": [],
                    "identities_audit_folder": str(folder / ".lists"),
                    "identities_audit_skip": "unlimited_uses, any_address",
                    "identities_audit_json": str(folder / "three.json"),
                },
                "of one file": {
                    **unwritten,
                    "identities_audit_file": str(folder / ".lists" / "a.yml"),
                },
                "of templates": {
                    **unwritten,
                    "identities_audit_file": str(folder / "templates.yml"),
                    "identities_audit_template": True,
                    "stage": "clean",
                },
                "of a dictionary": {
                    **unwritten,
                    "identities_audit_desired": {
                        "defaults": {"azure_auth": {"access_token_ttl": "1h"}},
                        "identities": {"clean 0": None, "clean 1": {"role": "no-access"}},
                    },
                },
                "with drift, on what is not complete": {
                    **given,
                    "identities_audit_desired": [{"id": other_id, "state": "absent"}],
                    "identities_audit_fail_on": "incomplete",
                },
                "with an identity twice, on what is not complete": {
                    **given,
                    "identities_audit_desired": twice,
                    "identities_audit_fail_on": "incomplete",
                },
                "with an identity twice": {
                    **given,
                    "identities_audit_desired": twice,
                    "identities_audit_json": str(folder / "four.json"),
                },
                "with the baseline of another organization": {
                    **given,
                    "identities_audit_baseline": str(folder / "another.json"),
                },
            },
        )
        # The token is somebody's, who may need it for more than one audit.
        assert emulator.requests(path="/token/revoke") == []
        return done


# What an audit fails with, after "The audit fails because ", or None.
FAILURES: dict[str, str | None] = {
    "by default": None,
    "on findings": "there are 2 findings of low severity or higher. identities_audit_fail_on",
    "on severe findings": None,
    "on findings that are waived": None,
    "on what is not complete": None,
    "on what is not listed": "3 identities with Azure Auth are not in the list. identities_audit_",
    "with the numbers of another audit": "3 identities with Azure Auth are not in the list.",
    "on findings but these, without a list": None,
    "of files, with rules to skip as a text": None,
    "of one file": None,
    "of templates": None,
    "of a dictionary": None,
    "with an identity twice": "it is incomplete. identities_audit_fail_on is drift. The report",
    "with drift, on what is not complete": None,
    "with an identity twice, on what is not complete": "it is incomplete.",
}


@pytest.mark.parametrize("name", FAILURES)
def test_when_an_audit_fails(name: str, verdicts: dict[str, Audit]) -> None:
    failure, expected = verdicts[name].failure, FAILURES[name]
    if expected is None:
        assert failure is None
    else:
        assert str(failure).startswith(f"The audit fails because {expected}")
    # What there is to say is said before.
    (summary,) = verdicts[name].named("Show the summary")
    assert verdicts[name].records.index(summary) == len(verdicts[name].records) - 2


def test_why_there_is_no_report_is_told(verdicts: dict[str, Audit]) -> None:
    """The task that makes it hides its result, which is long."""
    audit = verdicts["with the baseline of another organization"]
    assert "baseline is a report on the organization '0f8d7c6b-5a49-" in str(audit.failure)
    assert audit.named("Show the summary") == []


def report_of(verdicts: dict[str, Audit], name: str) -> Entry:
    path = verdicts["by default"].folder.parent / f"{name}.json"
    report: Entry = json.loads(path.read_text(encoding="utf-8"))
    return report


def unlisted_in(report: Entry) -> list[str]:
    """The names of those that are not in the list, and have Azure Auth."""
    return [item["name"] for item in with_status(report, "unlisted") if item["azure_auth"]]


def test_a_clean_report_has_nothing_but_what_is_not_listed(verdicts: dict[str, Audit]) -> None:
    report = report_of(verdicts, "one")
    assert report["complete"] is True
    assert report["counts"]["as_desired"] == report["counts"]["listed"] == 5
    assert unlisted_in(report) == ["other 0", "other 1", "\U0001f600 {{ 1 + 1 }}"]
    assert (names(report, "drifted"), names(report, "unknown")) == ([], [])
    assert (report["problems"], report["source"]) == ([], "identities_audit_desired")


def test_without_a_list_everything_is_not_listed(verdicts: dict[str, Audit]) -> None:
    report = report_of(verdicts, "two")
    counts = report["counts"]
    assert (counts["listed"], counts["unlisted"], counts["findings"]) == (0, 8, 0)
    assert (report["has_list"], report["source"]) == (False, None)


def test_files_have_lists_in_every_form_that_is_documented(verdicts: dict[str, Audit]) -> None:
    report = report_of(verdicts, "three")
    assert report["counts"]["as_desired"] == report["counts"]["listed"] == 6
    assert unlisted_in(report) == ["other 0", "other 1"]
    assert report["source"] == str(verdicts["by default"].folder.parent / ".lists")


def test_an_identity_that_is_listed_twice_is_checked_once(verdicts: dict[str, Audit]) -> None:
    """Where only the server tells that a name and an id are the same."""
    report = report_of(verdicts, "four")
    counts = report["counts"]
    assert (counts["listed"], counts["as_desired"], counts["unknown"]) == (4, 3, 1)
    (again,) = with_status(report, "unknown")
    assert (again["entry"], again["name"]) == (4, "other 1")
    assert again["msg"].startswith("Entry 4 of the list (other 1) is the same identity as entry 1")


# By case: the file bad.yml in a folder whose other file is right, variables, and what is told.
REFUSED: dict[str, tuple[str | None, Entry, str]] = {
    "no list": (None, {}, "There is no list to compare with. Set identities_audit_folder, ident"),
    "two lists": (
        "- name: a",
        {"identities_audit_desired": [{"name": "a"}]},
        "identities_audit_desired and identities_audit_folder are set; set one of them.",
    ),
    "one id twice": (
        None,
        {
            "identities_audit_desired": [
                {"id": "6F1A2B3C-4D5E-4F60-8A7B-9C0D1E2F3A4B", "name": "a"},
                {"id": "6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b"},
            ]
        },
        "entry 2 (6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b) is the same identity as identities_audit_des",
    ),
    "one name twice, in files": (
        "[{name: a}, {name: b}, {name: a}]",
        {},
        "bad.yml:1 (a); list it once.",
    ),
    "a list that is a text": (
        None,
        {"identities_audit_desired": "billing"},
        "identities_audit_desired: it has no entries. Write a list of dictionaries, each",
    ),
    "an entry that is no list": (
        None,
        {"identities_audit_desired": {"name": "billing"}},
        "identities_audit_desired: this is an entry and not a list of entries; put '- ' in front",
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
        "identities_audit_html and identities_audit_json have the same path, /nowhere/audit; give",
    ),
    # Whatever else files can be is in the tests of the lookup that reads them.
    "a file that is not YAML": ("- a: [1,\n  b: }", {}, "bad.yml:2: this is not YAML: column "),
    "a file with a list of texts": (
        "[{name: a}, billing]",
        {},
        "bad.yml:1: entry 2: it is 'billing', which is not a dictionary; write one",
    ),
    "no folder": (
        None,
        {"identities_audit_folder": "/nowhere"},
        "identities_audit_folder is /nowhere, which is not a folder.",
    ),
    "no file": (
        None,
        {"identities_audit_file": str(ROOT)},
        f"identities_audit_file is {ROOT}, which is not a file.",
    ),
    "a folder without files": (
        None,
        {"identities_audit_folder": str(ROOT / "LICENSES")},
        "has no file with a list; the name of such a file ends in .yml, .yaml or .json.",
    ),
    "a rule that is none in a text": (
        None,
        {"identities_audit_without_list": True, "identities_audit_skip": "unlimited_uses,uses"},
        "skip has 'uses', which is not a rule; the rules are ",
    ),
    "a rule that is none": (
        None,
        {"identities_audit_without_list": True, "identities_audit_skip": ["uses"]},
        "skip has 'uses', which is not a rule; the rules are ",
    ),
    "a waiver without an end": (
        None,
        {
            "identities_audit_without_list": True,
            "identities_audit_waivers": [{"rule": "any_address", "identity": "x", "reason": "y"}],
        },
        "waivers[0]",
    ),
    "a baseline that is not there": (
        None,
        {"identities_audit_without_list": True, "identities_audit_baseline": "/nowhere/audit.json"},
        "identities_audit_baseline is /nowhere/audit.json, which is not a file.",
    ),
    "a baseline that is not JSON": (
        None,
        {
            "identities_audit_without_list": True,
            "identities_audit_baseline": str(ROOT / "galaxy.yml"),
        },
        "baseline is not JSON; give the content of the JSON file that an audit wrote.",
    ),
    "a baseline that is not a report": (
        None,
        {
            "identities_audit_without_list": True,
            "identities_audit_baseline": str(SCHEMA),
        },
        "which is not the report of an audit; give the content of the JSON file that an audit",
    ),
    "a baseline of an older version": (
        None,
        {"identities_audit_without_list": True, "identities_audit_baseline": "<old>"},
        "baseline is a report of version 1, not 2; make a new report with this version of",
    ),
    "a threshold that is none": (
        None,
        {"identities_audit_without_list": True, "identities_audit_max_lifetime": 0},
        "max_lifetime is 0; write a whole number of seconds, at least 1.",
    ),
    "a word that is none": (
        None,
        {"identities_audit_without_list": True, "identities_audit_fail_on": "sometimes"},
        "identities_audit_fail_on is sometimes; write drift, findings, incomplete or never.",
    ),
    "a severity that is none": (
        None,
        {"identities_audit_without_list": True, "identities_audit_fail_severity": "worst"},
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
        "identities_audit_organization_slug is 83, which is not a string; put it in quotes.",
    ),
    "paths that YAML took for numbers": (
        None,
        {"identities_audit_folder": 83, "identities_audit_junit": 84},
        (
            "identities_audit_folder is 83, which is not a path; put it in quotes."
            " identities_audit_junit is 84, which is not a path; put it in quotes."
        ),
    ),
    "several mistakes at once": (
        None,
        {"identities_audit_fail_on": "sometimes", "identities_audit_concurrency": True},
        (
            "identities_audit_concurrency is True; write a whole number from 1 to 64."
            " identities_audit_fail_on is sometimes; write drift, findings, incomplete or never."
        ),
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """Audits that fail before any request."""
    folder = tmp_path_factory.mktemp("refused")
    old = {"format": "community.infisical.identities_audit", "version": 1}
    (folder / "old.json").write_text(json.dumps(old), encoding="utf-8")
    cases: dict[str, Entry] = {}
    for name, (content, variables, _message) in REFUSED.items():
        cases[name] = {
            key: str(folder / "old.json") if value == "<old>" else value
            for key, value in variables.items()
        }
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
