# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter.identity_audit_report import (
    FilterModule,
)

make = FilterModule().filters()["identity_audit_report"]

Object = dict[str, t.Any]

ONE = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
TWO = "0d7b94e6-3c51-4f28-b8a2-96e4c07d1f35"
NOTHING: Object = {"identities": []}
PROJECT = "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d"


OUTCOME: Object = dict.fromkeys(("changed", "created", "deleted", "failed", "purged"), False)


def changed(identity_id: str | None, **result: t.Any) -> Object:
    return {"id": identity_id, **OUTCOME, "changed": True, **result}


def failed(index: int, msg: str, **result: t.Any) -> Object:
    return {"index": index, **OUTCOME, "failed": True, "msg": msg, **result}


def identity(identity_id: str, name: str, **settings: t.Any) -> Object:
    """Return an identity with Azure Auth, as infisical_identity_info does."""
    return {
        "id": identity_id,
        "name": name,
        "project_id": None,
        "state": "present",
        "role": "no-access",
        "delete_protection": False,
        "azure_auth": {"state": "present"},
        **settings,
    }


def check(results: list[Object], checked: int, **result: t.Any) -> Object:
    """Return a result of infisical_identities, which has differences only where it tried."""
    tried = [item for item in results if not item["failed"]]
    diff = {"diff": [{"before": {"role": "member"}, "after": {"role": "admin"}} for _item in tried]}
    return {
        "checked": checked,
        "failed_count": sum(item["failed"] for item in results),
        "changed_count": len(tried),
        "results": results,
        **(diff if checked else {}),
        **result,
    }


def test_an_audit_of_nothing() -> None:
    assert make([], [], NOTHING, [], url="https://infisical.example.com") == {
        "format": "community.infisical.identities_audit",
        "version": 1,
        "url": "https://infisical.example.com",
        "created_at": None,
        "counts": dict.fromkeys(
            (
                *("checked", "as_desired", "drifted", "not_judged", "to_create", "to_delete"),
                *("identities", "without_azure_auth", "unlisted", "unlisted_without_azure_auth"),
                *("findings", "findings_high", "findings_medium", "findings_low"),
            ),
            0,
        ),
        "complete": True,
        "problems": [],
        "not_visible": [],
        "drifted": [],
        "not_judged": [],
        "unlisted": [],
        "unlisted_without_azure_auth": [],
        "findings": [],
    }


BEFORE: Object = {
    "state": "present",
    "name": "billing",
    "role": "member",
    "metadata": {"team": "a"},
    "azure_auth": {"state": "present", "resource": "a", "access_token_ttl": 1, "tenant_id": "t"},
}


def test_settings_that_differ_are_told_as_the_module_orders_them() -> None:
    after = {
        "azure_auth": {
            "tenant_id": "t",
            "access_token_ttl": 2,
            "resource": "b",
            "state": "present",
        },
        "metadata": {"team": "b"},
        "role": "admin",
        "name": "billing",
        "state": "present",
    }
    result = check([changed(ONE, index=0)], 1, diff=[{"before": BEFORE, "after": after}])
    (drifted,) = make([{"id": ONE, "source": "a.yml:3"}], [result], NOTHING, [])["drifted"]
    assert drifted == {
        "entry": 1,
        "source": "a.yml:3",
        "id": ONE,
        "name": "billing",
        "project_id": None,
        "role": "member",
        "delete_protection": None,
        "action": "update",
        "fields": [
            {"field": "role", "desired": "admin", "actual": "member"},
            {"field": "metadata", "desired": {"team": "b"}, "actual": {"team": "a"}},
            {"field": "azure_auth.resource", "desired": "b", "actual": "a"},
            {"field": "azure_auth.access_token_ttl", "desired": 2, "actual": 1},
        ],
    }


def test_azure_auth_that_is_to_be_attached_has_nothing_actual() -> None:
    before = {"state": "present", "name": "billing", "azure_auth": {"state": "absent"}}
    result = check([changed(ONE)], 1, diff=[{"before": before, "after": BEFORE}])
    (drifted,) = make([{"id": ONE}], [result], NOTHING, [])["drifted"]
    assert drifted["action"] == "update"
    assert {"field": "azure_auth.state", "desired": "present", "actual": "absent"} in (
        drifted["fields"]
    )
    assert {"field": "azure_auth.tenant_id", "desired": "t", "actual": None} in drifted["fields"]


def test_an_identity_that_is_not_there_has_drifted() -> None:
    new = changed(None, index=0, created=True, name="billing", project_id=PROJECT, role="member")
    difference = {"before": {"state": "absent"}, "after": {**BEFORE, "project_id": PROJECT}}
    entry = {"name": "billing", "project_id": PROJECT}
    report = make([entry], [check([new], 1, diff=[difference])], NOTHING, [])
    (drifted,) = report["drifted"]
    assert (drifted["id"], drifted["name"], drifted["project_id"]) == (None, "billing", PROJECT)
    assert (drifted["action"], drifted["role"]) == ("create", "member")
    fields = {field["field"]: field["desired"] for field in drifted["fields"]}
    assert (fields["state"], fields["azure_auth.state"]) == ("present", "present")
    assert not {"name", "project_id"} & set(fields)
    assert {field["actual"] for field in drifted["fields"]} == {"absent", None}
    counts = report["counts"]
    assert (counts["drifted"], counts["to_create"], counts["to_delete"]) == (1, 1, 0)


def test_an_identity_that_is_to_go_has_drifted() -> None:
    gone = changed(ONE, index=0, deleted=True, name="billing", state="absent")
    difference = {"before": BEFORE, "after": {"state": "absent"}}
    entry = {"name": "billing", "state": "absent"}
    info = {"identities": [identity(ONE, "billing", role="admin", delete_protection=True)]}
    report = make([entry], [check([gone], 1, diff=[difference])], info, [])
    (drifted,) = report["drifted"]
    assert (drifted["action"], drifted["role"], drifted["delete_protection"]) == (
        *("delete", "admin"),
        True,
    )
    assert drifted["fields"][0] == {"field": "state", "desired": "absent", "actual": "present"}
    assert {field["desired"] for field in drifted["fields"][1:]} == {None}
    counts = report["counts"]
    assert (counts["drifted"], counts["to_create"], counts["to_delete"]) == (1, 0, 1)


def test_what_opens_an_identity_is_told() -> None:
    opened = {"allow_all_service_principals": True, "allowed_service_principal_ids": None}
    listed = {"allow_all_service_principals": False, "allowed_service_principal_ids": [TWO]}
    difference = {"before": {"azure_auth": opened}, "after": {"azure_auth": listed}}
    (drifted,) = make([{"id": ONE}], [check([changed(ONE)], 1, diff=[difference])], NOTHING, [])[
        "drifted"
    ]
    assert drifted["fields"] == [
        {"field": "azure_auth.allow_all_service_principals", "desired": False, "actual": True},
        {"field": "azure_auth.allowed_service_principal_ids", "desired": [TWO], "actual": None},
    ]


def test_what_could_not_be_seen_is_told_and_leaves_the_report_complete() -> None:
    said = "Identities of the project payments: the login may not read them."
    report = make([], [], {"identities": [], "not_visible": [said]}, [])
    assert (report["not_visible"], report["complete"]) == ([said], True)


def test_differences_belong_to_those_that_did_not_fail() -> None:
    differences = [
        {"before": {"state": "absent"}, "after": {"state": "present"}},
        {"before": {"state": "present"}, "after": {"state": "absent"}},
    ]
    results = [failed(0, "no", id=ONE), changed(TWO), changed(ONE[::-1])]
    report = make([{}] * 5, [check(results, 5, diff=differences)], NOTHING, [])
    desired = {item["id"]: item["fields"][0]["desired"] for item in report["drifted"]}
    assert desired == {TWO: "present", ONE[::-1]: "absent"}
    counts = report["counts"]
    assert (counts["as_desired"], counts["drifted"], counts["not_judged"]) == (2, 2, 1)


def test_the_name_that_an_identity_has_goes_before_what_it_is_to_be_called() -> None:
    info = {"identities": [identity(ONE, "billing", role="admin")]}
    entry = {"id": ONE, "name": "payments"}
    result = check([changed(ONE, name="payments", role="member")], 1)
    (drifted,) = make([entry], [result], info, [])["drifted"]
    assert (drifted["name"], drifted["role"]) == ("billing", "admin")
    # Where the listing could not be had, from what the task read.
    before = {"state": "present", "name": "billing"}
    difference = {"before": before, "after": {**before, "name": "payments"}}
    result["diff"] = [difference]
    (drifted,) = make([entry], [result], {"msg": "no"}, [])["drifted"]
    assert drifted["name"] == "billing"


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (failed(7, "identities[7] (a): no.", name="a"), "no."),
        (failed(7, f"identities[7] ({ONE}): no.", id=ONE), "no."),
        (failed(7, f"identities[7] ({77 * 'a'}...): no.", name=200 * "a"), "no."),
        (
            failed(7, "identities[7] is 'a', which is not.", name=None),
            "Entry 8 of the list is 'a', which is not.",
        ),
        (failed(7, "identities[7]: one. identities[7]: two."), "one. two."),
        (
            failed(7, "identities[7] (a) is identities[2] (b).", name="a"),
            "Entry 8 of the list (a) is entry 3 of the list (b).",
        ),
        (
            failed(7, "name 'a' is nobody's.", name="a"),
            "name 'a' is nobody's.",
        ),
    ],
)
def test_a_refusal_is_told_without_the_place_in_its_batch(item: Object, told: str) -> None:
    (not_judged,) = make([{}] * 8, [check([item], 0)], NOTHING, [])["not_judged"]
    assert not_judged["msg"] == told
    assert not_judged["entry"] == 8


def test_a_refusal_is_told_without_the_file_that_is_beside_it() -> None:
    entry = {"name": "a", "source": "lists/a.yml:3"}
    said = "lists/a.yml:3 (a): role is blank. lists/a.yml:3 (a): state is x."
    (item,) = make([entry], [check([failed(0, said, name="a")], 0)], NOTHING, [])["not_judged"]
    assert (item["entry"], item["source"]) == (1, "lists/a.yml:3")
    assert item["msg"] == "role is blank. state is x."


def test_a_name_that_no_option_takes_is_told() -> None:
    odd = {"details": {"stored": {"name": "a\0b"}}}
    report = make([], [], {"identities": [{**identity(ONE, ""), "name": None, **odd}]}, [])
    assert report["unlisted"][0]["name"] == "a\0b"


def test_an_entry_is_told_by_its_place_in_the_whole_list() -> None:
    checks = [
        check([failed(1, "identities[1] is wrong.")], 0),
        check([failed(0, "no", id=ONE)], 1, msg="identities[0] (a): no."),
    ]
    report = make([{}] * 9, checks, NOTHING, [], places=[[5, 6], [5]])
    assert [item["entry"] for item in report["not_judged"]] == [7, 6]
    assert report["not_judged"][0]["msg"] == "Entry 7 of the list is wrong."
    assert report["problems"] == [
        "7 identities of the list were not tried. Entry 6 of the list (a): no."
    ]
    unplaced = make([{}] * 9, checks, NOTHING, [])
    assert [item["entry"] for item in unplaced["not_judged"]] == [None, None]
    assert unplaced["not_judged"][0]["msg"] == "Entry of the list is wrong."


def test_the_name_of_an_identity_that_could_not_be_read_is_known_from_the_listing() -> None:
    info = {"identities": [], "failures": [{"id": ONE, "name": "billing", "msg": "no"}]}
    result = check([failed(0, "no", id=ONE)], 1)
    (not_judged,) = make([{"id": ONE.upper()}], [result], info, [])["not_judged"]
    assert not_judged["name"] == "billing"
    refused = check([failed(0, "wrong", id=ONE.upper())], 0)
    (not_judged,) = make([{"id": ONE.upper()}], [refused], info, [])["not_judged"]
    assert not_judged["name"] == "billing"


BY_ID: Object = {"id": ONE.upper()}
BY_NAME: Object = {"name": " billing "}
LISTING: Object = {"identities": [identity(ONE, "billing")]}
DRIFTED = changed(ONE, index=0, name="billing")


@pytest.mark.parametrize(
    ("first", "second", "info", "counts"),
    [
        ([], [], LISTING, (1, 0, 1)),
        ([DRIFTED], [], LISTING, (0, 1, 1)),
        ([], [DRIFTED], LISTING, (1, 0, 1)),
        # Where the listing could not be had, what has drifted tells its name.
        ([], [DRIFTED], NOTHING, (1, 0, 1)),
        ([failed(0, "no", id=ONE)], [], LISTING, (0, 0, 2)),
        # Two identities have the name, so that it tells nothing.
        (
            [],
            [],
            {"identities": [identity(ONE, "billing"), identity(TWO, "billing")]},
            (2, 0, 0),
        ),
        # A project has one of the same name.
        (
            [],
            [],
            {"identities": [identity(ONE, "billing", project_id=PROJECT)]},
            (2, 0, 0),
        ),
    ],
)
@pytest.mark.parametrize("entries", [[BY_ID, BY_NAME], [BY_NAME, BY_ID]])
def test_an_identity_that_two_tasks_had_is_judged_once(
    entries: list[Object],
    first: list[Object],
    second: list[Object],
    info: Object,
    counts: tuple[int, int, int],
) -> None:
    checks = [check(first, 1), check(second, 1)]
    report = make(entries, checks, info, [], places=[[0], [1]])
    keys = ("as_desired", "drifted", "not_judged")
    assert tuple(report["counts"][key] for key in keys) == counts
    assert len(report["drifted"]) == counts[1]
    assert len(report["not_judged"]) == counts[2]
    if counts[2]:
        label = ONE if entries[0] is BY_ID else "billing"
        assert report["not_judged"][-1] == {
            "entry": 2,
            "source": None,
            "id": ONE,
            "name": "billing",
            "project_id": None,
            "role": "no-access" if info is LISTING else None,
            "delete_protection": False if info is LISTING else None,
            "msg": f"Entry 2 of the list is the same identity as entry 1 of the list ({label});"
            " list it once.",
        }
        assert report["complete"] is False


def test_a_list_that_was_refused_and_tried_again_counts_each_entry_once() -> None:
    checks = [check([failed(1, "no")], 0), check([changed(ONE)], 3)]
    counts = make([{}] * 4, checks, NOTHING, [])["counts"]
    assert counts["checked"] == 4
    assert (counts["as_desired"], counts["drifted"], counts["not_judged"]) == (2, 1, 1)


def test_entries_that_were_not_tried_are_counted_and_told_of() -> None:
    results = [check([], 2), check([failed(0, "down", id=ONE)], 1, msg="It is down.")]
    report = make([{}] * 9, results, NOTHING, [])
    assert report["counts"]["not_judged"] == 7
    assert report["problems"] == ["6 identities of the list were not tried. It is down."]
    assert report["complete"] is False


def test_a_module_that_broke_down_has_only_a_message() -> None:
    report = make([{}], [{"msg": "MODULE FAILURE", "failed": False}], {"msg": "no"}, [])
    assert report["counts"]["not_judged"] == 1
    assert report["problems"] == [
        "1 identity of the list was not tried. MODULE FAILURE",
        "Not all of the organization could be read. no",
    ]


LISTED: list[tuple[Object, bool]] = [
    ({"id": ONE}, True),
    ({"id": f" {{{ONE.upper()}}} "}, True),
    ({"id": ONE.replace("-", "")}, True),
    ({"name": " billing "}, True),
    ({"id": "", "name": "billing", "project_id": ""}, True),
    ({"id": None, "name": "billing", "state": "absent"}, True),
    # With an id, a name is what the identity is to be called.
    ({"id": TWO, "name": "billing"}, False),
    ({"name": "Billing"}, False),
    ({"name": "billing", "project_id": PROJECT}, False),
    ({}, False),
]


@pytest.mark.parametrize(("entry", "listed"), LISTED)
def test_who_is_listed(entry: Object, listed: bool) -> None:
    info = {"identities": [identity(ONE, "billing")]}
    report = make([entry], [], info, [])
    assert (report["unlisted"] == []) is listed


def test_a_name_with_a_project_lists_the_identity_of_the_project() -> None:
    info = {
        "identities": [identity(ONE, "billing"), identity(TWO, "billing", project_id=PROJECT)],
    }
    for entry, left in (
        ({"name": "billing"}, TWO),
        ({"name": "billing", "project_id": PROJECT.upper()}, ONE),
    ):
        (unlisted,) = make([entry], [], info, [])["unlisted"]
        assert unlisted["id"] == left


def test_who_is_not_listed_and_has_no_azure_auth_is_told_apart() -> None:
    info = {
        "identities": [
            identity(ONE, "billing", role="admin"),
            identity(TWO, "other", azure_auth={"state": "absent", "details": None}),
            identity(PROJECT, "not looked at", azure_auth=None, project_id=TWO),
        ]
    }
    report = make([], [], info, [])
    assert report["unlisted"] == [
        {
            "id": ONE,
            "name": "billing",
            "project_id": None,
            "role": "admin",
            "delete_protection": False,
        }
    ]
    others = report["unlisted_without_azure_auth"]
    assert [(item["name"], item["project_id"]) for item in others] == [
        ("other", None),
        ("not looked at", TWO),
    ]
    counts = report["counts"]
    assert (counts["identities"], counts["without_azure_auth"]) == (3, 2)
    assert (counts["unlisted"], counts["unlisted_without_azure_auth"]) == (1, 2)


def test_findings_are_grouped_by_their_rule() -> None:
    def finding(rule: str, severity: str, identity_id: str) -> Object:
        return {
            "rule": rule,
            "severity": severity,
            "field": "resource",
            "why": "w",
            "fix": "f",
            "id": identity_id,
            "name": None,
            "project_id": None,
            "value": "v",
        }

    given = [finding("a", "high", ONE), finding("a", "high", TWO), finding("b", "low", ONE)]
    info = {"identities": [identity(ONE, "billing", role="admin", delete_protection=True)]}
    report = make([], [], info, given)
    assert [(rule["rule"], len(rule["identities"])) for rule in report["findings"]] == [
        ("a", 2),
        ("b", 1),
    ]
    assert report["findings"][0]["identities"][0] == {
        "id": ONE,
        "name": "billing",
        "project_id": None,
        "role": "admin",
        "delete_protection": True,
        "value": "v",
    }
    counts = report["counts"]
    assert (counts["findings"], counts["findings_high"], counts["findings_low"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", [], NOTHING, []), "its input is 'x', which is not a list."),
        (([], {}, NOTHING, []), "checks is {}, which is not a list."),
        (([], [], NOTHING, [], None, None, 7), "places is 7, which is not a list."),
        (
            ([], [NOTHING], NOTHING, [], None, None, []),
            "places has 0 items, and checks 1; give as many.",
        ),
        (([], [], [], []), "info is [], which is not a dictionary."),
        (([], [], NOTHING, None), "findings is None, which is not a list."),
        (
            ([], ["x"], NOTHING, []),
            "something that the modules and the filter identity_findings do",
        ),
        (([], [], {"identities": [{}]}, []), "(KeyError: 'id')"),
        (([], [], NOTHING, [{}]), "(KeyError: 'rule')"),
    ],
)
def test_what_is_not_right_is_an_error_of_one_sentence(arguments: t.Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        make(*arguments)
    assert str(raised.value).startswith("community.infisical.identity_audit_report: ")
    assert message in str(raised.value)


outcomes = st.sampled_from(["as desired", "drifted", "failed"])


@given(
    st.lists(st.lists(outcomes, max_size=5), max_size=5),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_every_entry_is_counted_once(batches: list[list[str]], refused: int, untried: int) -> None:
    checks = [check([failed(n, "wrong") for n in range(refused)], 0)] if refused else []
    for batch in batches:
        results = [
            changed(f"{n}") if outcome == "drifted" else failed(n, "no", id=f"{n}")
            for n, outcome in enumerate(batch)
            if outcome != "as desired"
        ]
        checks.append(check(results, len(batch)))
    everything = [outcome for batch in batches for outcome in batch]
    report = make([{}] * (len(everything) + refused + untried), checks, NOTHING, [])
    counts = report["counts"]
    assert counts["as_desired"] == everything.count("as desired")
    assert counts["drifted"] == everything.count("drifted") == len(report["drifted"])
    assert counts["not_judged"] == everything.count("failed") + refused + untried
    assert report["complete"] is (counts["not_judged"] == 0)
    assert json.loads(json.dumps(report)) == report
