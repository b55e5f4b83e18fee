# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports in other forms, on small cases; tests/audit has those of any size."""

from __future__ import annotations

import csv
import io
import json
import typing as t
from xml.etree import ElementTree

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter.identity_audit_output import (
    FORMS,
    FilterModule,
)
from ansible_collections.community.infisical.plugins.filter.identity_audit_report import (
    identity_audit_report,
)

write = FilterModule().filters()["identity_audit_output"]

Object = dict[str, t.Any]

ONE = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
IDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(9)]
OUTCOME: Object = dict.fromkeys(("changed", "created", "deleted", "failed", "purged"), False)
AZURE_AUTH: Object = {
    "state": "present",
    "tenant_id": ONE,
    "resource": "https://management.azure.com/",
    "allow_all_service_principals": False,
    "allowed_service_principal_ids": IDS[:6],
    "access_token_trusted_ips": ["10.0.0.0/8"],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 86400,
    "access_token_num_uses_limit": 100,
}


def state(**settings: t.Any) -> Object:
    azure_auth = {**AZURE_AUTH, **settings.pop("azure_auth", {})}
    return {
        "id": ONE,
        "name": "billing",
        "project_id": None,
        "state": "present",
        "role": "member",
        "delete_protection": False,
        "azure_auth": azure_auth,
        "details": {},
        **settings,
    }


def report_on(before: Object, **result: t.Any) -> Object:
    """Return the report on one identity that has drifted."""
    azure_auth = {**before["azure_auth"], **result.pop("azure_auth", {})}
    outcome = {**OUTCOME, "changed": True, "before": before, "index": 0}
    drifted = {**before, "azure_auth": azure_auth, **outcome, **result}
    check = {"checked": 1, "not_visible": [], "results": [drifted]}
    return identity_audit_report([{"id": ONE, "source": "a/b c.yml:7"}], [check])


def on_console(report: Object) -> str:
    """Return the line about the one identity that has drifted."""
    lines = write(report, "console")
    assert lines[:2] == [
        "The only identity in the list has drifted, and there are no findings.",
        "Drifted (1):",
    ]
    (line,) = lines[2:]
    return str(line)


def test_a_value_is_told_as_it_is_and_as_it_is_to_be() -> None:
    report = report_on(
        state(azure_auth={"access_token_max_ttl": 2592000}, delete_protection=True, metadata={}),
        azure_auth={"access_token_max_ttl": 86400},
        delete_protection=False,
        metadata={"team": "a", "b": "c"},
    )
    assert on_console(report) == (
        "  billing: metadata nothing -> team=a, b=c, delete_protection true -> false,"
        " access_token_max_ttl 2592000 -> 86400"
    )


def test_a_list_is_told_by_what_comes_and_goes_and_shortened() -> None:
    report = report_on(state(), azure_auth={"allowed_service_principal_ids": [*IDS[5:7], ONE]})
    assert on_console(report) == (
        f"  billing: allowed_service_principal_ids +{IDS[6]}, +{ONE}, -{IDS[0]}, -{IDS[1]},"
        f" -{IDS[2]}, -2 more"
    )


def test_what_is_attached_is_told_without_all_that_it_has() -> None:
    before = {**state(), "azure_auth": {"state": "absent", "details": None}}
    report = report_on(before, azure_auth=AZURE_AUTH, role="admin")
    assert on_console(report) == "  billing: role member -> admin, azure_auth absent -> present"


def test_what_would_be_created_or_deleted_is_told_so() -> None:
    created = report_on({"state": "absent", "azure_auth": {}}, **state(id=None), created=True)
    assert on_console(created) == "  billing: does not exist and would be created"
    deleted = report_on(state(), deleted=True, state="absent")
    assert on_console(deleted) == "  billing: exists and would be deleted"


def test_identities_of_one_name_are_told_apart() -> None:
    names = ("billing", "billing", "billing", None)
    results = [
        {
            **state(id=IDS[number], name=name),
            **OUTCOME,
            "failed": True,
            "msg": "no",
            "index": number,
        }
        for number, name in enumerate(names)
    ]
    results[2]["details"] = {"project_name": "shop"}
    results[3]["id"] = None
    check = {"checked": 4, "not_visible": [], "results": results}
    lines = write(identity_audit_report([{}] * 4, [check]), "console")
    assert lines[-4:] == [
        f"  billing [{IDS[0]}]: no",
        f"  billing [{IDS[1]}]: no",
        "  billing (project shop): no",
        "  entry 4 of the list: no",
    ]


def test_a_file_is_where_its_line_says() -> None:
    report = report_on(state(), role="admin")
    (run,) = json.loads(write(report, "sarif"))["runs"]
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "a/b%20c.yml"},
        "region": {"startLine": 7},
    }
    report["identities"][0]["source"] = "/etc/x.yml:9"
    (run,) = json.loads(write(report, "sarif"))["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "file:///etc/x.yml"
    for nowhere in ("x.yml", "x.yml:0", None):
        report["identities"][0]["source"] = nowhere
        (run,) = json.loads(write(report, "sarif"))["runs"]
        assert "physicalLocation" not in run["results"][0]["locations"][0]


def test_markdown_without_a_list_has_no_columns_for_one() -> None:
    check = {"checked": 0, "not_visible": [], "results": [{**state(), **OUTCOME, "index": None}]}
    text = write(identity_audit_report([], [check]), "markdown")
    assert "| Identities | High | Medium | Low | Waived |" in text
    assert "In the list" not in text
    assert "Not in the list" not in text


def test_markdown_tells_what_is_new_and_what_is_gone() -> None:
    lax = {"access_token_num_uses_limit": 0}
    earlier = report_on(state(), role="admin")
    later = {**state(azure_auth=lax), **OUTCOME, "index": 0}
    check = {"checked": 1, "not_visible": [], "results": [later]}
    text = write(identity_audit_report([{}], [check], baseline=earlier), "markdown")
    assert "- New: finding `unlimited_uses`, `billing`" in text
    assert "- Gone: drifted, `billing`" in text


def test_the_console_says_how_much_is_new_and_how_much_is_gone() -> None:
    earlier = {**report_on(state(), role="admin"), "created_at": "2026-11-16T02:00:00Z\x1b"}
    later = {**state(azure_auth={"access_token_num_uses_limit": 0}), **OUTCOME, "index": 0}
    others = [{**state(id=id_, name=id_), **OUTCOME, "index": None} for id_ in IDS[:2]]
    check = {"checked": 1, "not_visible": [], "results": [later, *others]}
    report = identity_audit_report([{}], [check], baseline=earlier)
    assert write(report, "console")[1:3] == [
        (
            "New since the audit of 2026-11-16T02:00:00Z\\x1b: 1 finding, 2 identities not in the"
            " list, 2 identities."
        ),
        "Gone since the audit of 2026-11-16T02:00:00Z\\x1b: 1 drifted identity.",
    ]
    same = identity_audit_report([{}], [check], baseline={**report, "created_at": None})
    assert write(same, "console")[1:3] == [
        "New since the earlier audit: nothing.",
        "Gone since the earlier audit: nothing.",
    ]


anything = st.text(st.characters(exclude_categories=()), max_size=20)


@given(anything, anything, anything)
def test_whatever_names_and_values_hold_no_form_obeys_it(name: str, value: str, msg: str) -> None:
    report = report_on(state(metadata={}), metadata={value: value}, role=value or "x")
    report["identities"][0].update(name=name, msg=msg, source=f"{name}:1")
    report.update(problems=[msg], organization=name)
    told = {**report["identities"][0], "key": "other", "status": "unknown"}
    report["identities"].append(told)
    for form in FORMS:
        done = write(report, form)
        text = "\n".join(done) if isinstance(done, list) else done.replace("\r\n", "\n")
        assert all(line.isprintable() for line in text.split("\n"))
    ElementTree.fromstring(write(report, "junit"))
    json.loads(write(report, "sarif"))
    rows = [*csv.reader(io.StringIO(write(report, "csv"), newline=""), strict=True)]
    assert len({len(row) for row in rows}) == 1
    assert all(
        not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row
    )


@pytest.mark.parametrize(
    ("report", "form", "message"),
    [
        (
            identity_audit_report([], []),
            "pdf",
            "there is no format 'pdf'; the formats are console, junit,",
        ),
        (
            identity_audit_report([], []),
            ["csv"],
            "there is no format ['csv']; the formats are console,",
        ),
        ("x", "csv", "its input is not JSON; give the content of the JSON file that an audit"),
        (5, "csv", "its input is 5, which is not the report of an audit; give the content of"),
        (
            {**identity_audit_report([], []), "version": 1},
            "csv",
            "its input is a report of version",
        ),
        ({**identity_audit_report([], []), "findings": [{}]}, "csv", "(KeyError: 'identities')"),
        ({**identity_audit_report([], []), "verdict": {}}, "html", "has no attribute 'status'"),
    ],
)
def test_what_is_not_right_is_an_error_of_one_sentence(
    report: t.Any, form: t.Any, message: str
) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        write(report, form)
    assert str(raised.value).startswith("community.infisical.identity_audit_output: ")
    assert message in str(raised.value)
