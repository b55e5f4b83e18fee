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
PROJECT = "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d"
TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"

OUTCOME: Object = dict.fromkeys(("changed", "created", "deleted", "failed", "purged"), False)
# With nothing to find in it.
AZURE_AUTH: Object = {
    "state": "present",
    "tenant_id": TENANT,
    "resource": "https://management.azure.com/",
    "allow_all_service_principals": False,
    "allowed_service_principal_ids": [TWO],
    "access_token_trusted_ips": ["10.0.0.0/8"],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 86400,
    "access_token_num_uses_limit": 100,
    "details": {},
}
DETACHED: Object = {"state": "absent", "details": None}
OPEN: Object = {"allow_all_service_principals": True, "allowed_service_principal_ids": None}


def identity(identity_id: str | None, name: str | None, **settings: t.Any) -> Object:
    """Return an identity with Azure Auth, as modules return it."""
    return {
        "id": identity_id,
        "name": name,
        "project_id": None,
        "state": "present",
        "role": "no-access",
        "delete_protection": False,
        "azure_auth": AZURE_AUTH,
        "details": {"auth_methods": ["azure-auth"], "roles": ["no-access"]},
        **settings,
    }


def kept(index: int | None, identity_id: str | None, name: str | None, **settings: t.Any) -> Object:
    """Return the result of an identity that is as the list says, or in no list."""
    return {**identity(identity_id, name, **settings), **OUTCOME, "index": index}


def changed(index: int, before: Object, **settings: t.Any) -> Object:
    """Return the result of an identity that would be changed from what it is."""
    return {**before, **OUTCOME, "changed": True, "before": before, "index": index, **settings}


def failed(index: int | None, msg: str, **result: t.Any) -> Object:
    return {**OUTCOME, "failed": True, "msg": msg, "index": index, **result}


def check(*results: Object, checked: int | None = None, **result: t.Any) -> Object:
    """Return the result of a task that tried all that it was given, or not."""
    listed = sum(item["index"] is not None for item in results)
    return {
        "checked": listed if checked is None else checked,
        "results": [*results],
        "not_visible": [],
        **result,
    }


def refused(*results: Object, **result: t.Any) -> Object:
    """Return the result of a task whose list was refused as a whole."""
    return {"checked": 0, "results": [*results], **result}


def items(report: Object, status: str) -> list[Object]:
    return [item for item in report["identities"] if item["status"] == status]


def only(report: Object, status: str) -> Object:
    (item,) = items(report, status)
    return item


def test_an_audit_of_nothing() -> None:
    about = {"url": "https://infisical.example.com", "versions": {"ansible": "2.19.4"}}
    assert make([], [check()], about=about) == {
        "format": "community.infisical.identities_audit",
        "version": 2,
        "url": "https://infisical.example.com",
        "created_at": None,
        "organization": None,
        "source": None,
        "versions": {"ansible": "2.19.4"},
        "verdict": {
            "status": "ok",
            "sentence": "The login sees no identities. There was no list to compare with.",
        },
        "complete": True,
        "problems": [],
        "not_visible": [],
        "counts": dict.fromkeys(
            (
                *("listed", "as_desired", "drifted", "unknown", "to_create", "to_delete"),
                *("identities", "without_azure_auth", "unlisted", "unlisted_without_azure_auth"),
                *("findings", "findings_high", "findings_medium", "findings_low", "waived"),
            ),
            0,
        ),
        "has_list": False,
        "findings": [],
        "waivers": [],
        "skipped": [],
        "identities": [],
        "baseline": None,
    }


def test_everything_about_an_identity_is_in_one_place() -> None:
    details = {
        "project_name": "shop",
        "roles": ["member"],
        "auth_methods": ["azure-auth"],
        "created_at": "2026-11-07T05:31:54.000Z",
        "updated_at": "2026-11-08T05:31:54.000Z",
        "last_login_at": "2026-11-09T05:31:54.000Z",
        "last_login_method": "azure-auth",
        "organization_id": "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0",
    }
    stored = {**AZURE_AUTH, "resource": None, "details": {"stored": {"resource": "/"}}}
    there = identity(
        ONE,
        "billing",
        project_id=PROJECT,
        role="member",
        metadata={"team": "a"},
        azure_auth=stored,
        details=details,
    )
    entry = {"id": ONE, "name": "billing", "source": "a.yml:3"}
    report = make([entry], [check({**there, **OUTCOME, "index": 0})])
    settings = {key: AZURE_AUTH[key] for key in AZURE_AUTH if key not in ("state", "details")}
    assert report["identities"] == [
        {
            "key": ONE,
            "id": ONE,
            "name": "billing",
            "project_id": PROJECT,
            "project_name": "shop",
            "role": "member",
            "roles": ["member"],
            "delete_protection": False,
            "auth_methods": ["azure-auth"],
            "created_at": "2026-11-07T05:31:54.000Z",
            "updated_at": "2026-11-08T05:31:54.000Z",
            "last_login_at": "2026-11-09T05:31:54.000Z",
            "last_login_method": "azure-auth",
            "organization_id": "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0",
            "entry": 1,
            "source": "a.yml:3",
            "status": "as_desired",
            "action": None,
            "differences": [],
            # As Infisical holds it, also where no option takes it.
            "azure_auth": {**settings, "resource": "/"},
            "azure_auth_known": True,
            "metadata": {"team": "a"},
            "findings": ["any_audience"],
            "waived": [],
            "msg": None,
            "http_status": None,
            "error": None,
            "request_id": None,
            "paste": None,
        }
    ]


def test_settings_that_differ_are_told_as_the_module_orders_them() -> None:
    networks = ["::1/128", "10.0.0.0/8"]
    before = identity(
        ONE,
        "billing",
        role="member",
        metadata={"team": "a"},
        azure_auth={**AZURE_AUTH, "access_token_trusted_ips": networks},
    )
    wanted = {
        "allowed_service_principal_ids": [PROJECT, ONE],
        "access_token_trusted_ips": [*reversed(networks), "10.0.0.0/8"],
        "access_token_ttl": 1800,
    }
    result = changed(
        0,
        before,
        role="admin",
        metadata={"team": "b"},
        azure_auth={**AZURE_AUTH, **wanted},
    )
    drifted = only(make([{"id": ONE}], [check(result)]), "drifted")
    scalar = dict.fromkeys(("added", "removed", "unchanged"))
    assert drifted["action"] == "update"
    # It is what is, and not what is to be.
    assert (drifted["role"], drifted["metadata"]) == ("member", {"team": "a"})
    assert drifted["differences"] == [
        {"field": "role", "desired": "admin", "actual": "member", **scalar},
        {"field": "metadata", "desired": {"team": "b"}, "actual": {"team": "a"}, **scalar},
        {
            "field": "azure_auth.allowed_service_principal_ids",
            "desired": [ONE, PROJECT],
            "actual": [TWO],
            "added": [ONE, PROJECT],
            "removed": [TWO],
            "unchanged": 0,
        },
        {"field": "azure_auth.access_token_ttl", "desired": 1800, "actual": 3600, **scalar},
    ]


def test_a_list_of_which_some_stays_is_told_by_what_comes_and_goes() -> None:
    def networks(*texts: str) -> Object:
        return {**AZURE_AUTH, "access_token_trusted_ips": [*texts]}

    before = identity(ONE, "billing", azure_auth=networks("10.0.0.0/8", "10.1.0.0/16", "::1/128"))
    result = changed(0, before, azure_auth=networks("192.0.2.0/24", "::1/128", "10.0.0.0/8"))
    (difference,) = only(make([{"id": ONE}], [check(result)]), "drifted")["differences"]
    assert (difference["added"], difference["removed"]) == (["192.0.2.0/24"], ["10.1.0.0/16"])
    assert difference["unchanged"] == 2


def test_azure_auth_that_is_to_be_attached_has_nothing_actual() -> None:
    before = identity(ONE, "billing", azure_auth=DETACHED, details={"auth_methods": []})
    report = make([{"id": ONE}], [check(changed(0, before, azure_auth=AZURE_AUTH))])
    drifted = only(report, "drifted")
    assert (drifted["action"], drifted["azure_auth"], drifted["azure_auth_known"]) == (
        *("update", None),
        True,
    )
    told = {item["field"]: (item["desired"], item["actual"]) for item in drifted["differences"]}
    assert told["azure_auth.state"] == ("present", "absent")
    assert told["azure_auth.tenant_id"] == (TENANT, None)


def test_an_identity_that_is_not_there_has_drifted() -> None:
    new = kept(0, None, "billing", project_id=PROJECT, role="member")
    new.update(changed=True, created=True, before={"state": "absent"})
    report = make([{"name": "billing", "project_id": PROJECT}], [check(new)])
    drifted = only(report, "drifted")
    assert (drifted["key"], drifted["id"], drifted["name"]) == ("entry-1", None, "billing")
    assert (drifted["project_id"], drifted["action"], drifted["role"]) == (
        *(PROJECT, "create"),
        "member",
    )
    assert (drifted["azure_auth"], drifted["azure_auth_known"]) == (None, True)
    fields = {item["field"]: item["desired"] for item in drifted["differences"]}
    assert (fields["state"], fields["azure_auth.state"]) == ("present", "present")
    assert not {"name", "project_id"} & set(fields)
    assert {item["actual"] for item in drifted["differences"]} == {"absent", None}
    counts = report["counts"]
    assert (counts["drifted"], counts["to_create"], counts["to_delete"]) == (1, 1, 0)
    assert (counts["identities"], report["findings"]) == (0, [])


def test_an_identity_that_is_to_go_has_drifted() -> None:
    before = identity(ONE, "billing", role="admin", delete_protection=True)
    gone = changed(0, before, deleted=True, state="absent")
    report = make([{"name": "billing", "state": "absent"}], [check(gone)])
    drifted = only(report, "drifted")
    assert (drifted["action"], drifted["role"], drifted["delete_protection"]) == (
        *("delete", "admin"),
        True,
    )
    first, *rest = drifted["differences"]
    assert (first["field"], first["desired"], first["actual"]) == ("state", "absent", "present")
    assert {item["desired"] for item in rest} == {None}
    counts = report["counts"]
    assert (counts["drifted"], counts["to_create"], counts["to_delete"]) == (1, 0, 1)
    assert counts["identities"] == 1


def test_an_identity_that_is_gone_as_the_list_says_is_as_desired() -> None:
    report = make(
        [{"name": "billing", "state": "absent"}],
        [check({**OUTCOME, "id": None, "name": "billing", "state": "absent", "index": 0})],
    )
    item = only(report, "as_desired")
    assert (item["key"], item["name"], item["azure_auth_known"]) == ("entry-1", "billing", True)
    assert report["counts"]["identities"] == 0


def test_what_opens_an_identity_is_told() -> None:
    before = identity(ONE, "billing", azure_auth={**AZURE_AUTH, **OPEN})
    report = make([{"id": ONE}], [check(changed(0, before, azure_auth=AZURE_AUTH))])
    told = {
        item["field"]: (item["desired"], item["actual"], item["added"])
        for item in only(report, "drifted")["differences"]
    }
    assert told == {
        "azure_auth.allow_all_service_principals": (False, True, None),
        # Null is everybody, and no empty list.
        "azure_auth.allowed_service_principal_ids": ([TWO], None, None),
    }


def test_several_roles_differ_from_the_one_that_is_desired() -> None:
    before = identity(ONE, "billing", role=None, details={"roles": ["viewer", "member"]})
    report = make([{"id": ONE, "role": "member"}], [check(changed(0, before, role="member"))])
    (difference,) = only(report, "drifted")["differences"]
    assert (difference["desired"], difference["actual"]) == ("member", ["member", "viewer"])


def test_what_could_not_be_seen_is_told_and_leaves_the_report_complete() -> None:
    said = "Identities of the project payments: the login may not read them."
    report = make([], [check(not_visible=[said])])
    assert (report["not_visible"], report["complete"]) == ([said], True)
    assert report["verdict"]["sentence"].endswith("The login cannot see all of the organization.")


def test_differences_belong_to_those_that_did_not_fail() -> None:
    results = [
        failed(0, "no", id=ONE),
        changed(1, identity(TWO, "b"), role="member"),
        changed(2, identity(PROJECT, "c"), role="admin"),
        kept(3, TENANT, "d"),
    ]
    report = make([{}] * 5, [check(*results)])
    desired = {item["id"]: item["differences"][0]["desired"] for item in items(report, "drifted")}
    assert desired == {TWO: "member", PROJECT: "admin"}
    counts = report["counts"]
    assert (counts["as_desired"], counts["drifted"], counts["unknown"]) == (1, 2, 2)


def test_the_name_that_an_identity_has_goes_before_what_it_is_to_be_called() -> None:
    before = identity(ONE, "billing", role="admin")
    result = changed(0, before, name="payments", role="member")
    drifted = only(make([{"id": ONE, "name": "payments"}], [check(result)]), "drifted")
    assert (drifted["name"], drifted["role"]) == ("billing", "admin")
    told = [item for item in drifted["differences"] if item["field"] == "name"]
    assert [(item["actual"], item["desired"]) for item in told] == [("billing", "payments")]


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
    unknown = items(make([{}] * 8, [refused(item)]), "unknown")[7]
    assert unknown["msg"] == told
    assert unknown["entry"] == 8


def test_a_refusal_is_told_without_the_file_that_is_beside_it() -> None:
    entry = {"name": "a", "source": "lists/a.yml:3"}
    said = "lists/a.yml:3 (a): role is blank. lists/a.yml:3 (a): state is x."
    item = only(make([entry], [refused(failed(0, said, name="a"))]), "unknown")
    assert (item["entry"], item["source"], item["name"]) == (1, "lists/a.yml:3", "a")
    assert item["msg"] == "role is blank. state is x."


def test_a_refusal_is_told_without_the_beginning_of_a_long_file() -> None:
    """The module's messages have at most 120 characters of it."""
    entry = {"name": "a", "source": f"{'a' * 200}.yml:3"}
    said = f"{'a' * 117}... (a): role is blank."
    item = only(make([entry], [refused(failed(0, said, name="a"))]), "unknown")
    assert item["msg"] == "role is blank."


def test_what_the_server_answered_is_told_of_what_could_not_be_checked() -> None:
    answer = {"http_status": 403, "error": "PermissionDenied", "request_id": "req-1"}
    unread = {key: value for key, value in kept(0, ONE, "a").items() if key != "azure_auth"}
    report = make([{"id": ONE}], [check({**unread, "failed": True, "msg": "no", **answer})])
    item = only(report, "unknown")
    assert {key: item[key] for key in answer} == answer
    # What is known of it is told nevertheless: the list of all has its auth methods.
    assert (item["role"], item["azure_auth"], item["azure_auth_known"]) == (
        "no-access",
        None,
        False,
    )
    assert report["counts"]["without_azure_auth"] == 0


def test_a_name_that_no_option_takes_is_told() -> None:
    odd = kept(None, ONE, None, details={"stored": {"name": "a\0b"}})
    assert only(make([], [check(odd)]), "unlisted")["name"] == "a\0b"


def test_an_entry_is_told_by_its_place_in_the_whole_list() -> None:
    checks = [
        refused(failed(1, "identities[1] is wrong.")),
        check(failed(0, "no", id=ONE), msg="identities[0] (a): no."),
    ]
    report = make([{}] * 9, checks, places=[[5, 6], [5]])
    told = {item["entry"]: item["msg"] for item in items(report, "unknown")}
    assert (told[6], told[7]) == ("no", "Entry 7 of the list is wrong.")
    assert report["problems"] == [
        "7 identities of the list were not tried. Entry 6 of the list (a): no."
    ]
    assert told[1] == "It was not tried."
    assert sorted(told) == [*range(1, 10)]


def test_the_name_of_an_identity_that_could_not_be_read_is_known_from_the_listing() -> None:
    entry = {"id": ONE.upper()}
    listed = check(kept(None, ONE, "billing", project_id=PROJECT))
    checks = [refused(failed(0, "wrong", id=ONE.upper())), listed]
    report = make([entry], checks, places=[[0], []])
    item = only(report, "unknown")
    assert (item["key"], item["id"], item["name"]) == (ONE, ONE, "billing")
    assert (item["project_id"], item["role"], item["msg"]) == (PROJECT, "no-access", "wrong")
    assert items(report, "unlisted") == []


BY_ID: Object = {"id": ONE.upper()}
BY_NAME: Object = {"name": " billing "}
BILLING = identity(ONE, "billing")
AS_DESIRED = kept(0, ONE, "billing")
DRIFTED = changed(0, BILLING, role="admin")
FAILED = failed(0, "no", **BILLING)


@pytest.mark.parametrize(
    ("first", "second", "others", "counts"),
    [
        (AS_DESIRED, AS_DESIRED, [], (1, 0, 1)),
        (DRIFTED, AS_DESIRED, [], (0, 1, 1)),
        (AS_DESIRED, DRIFTED, [], (1, 0, 1)),
        (FAILED, AS_DESIRED, [], (0, 0, 2)),
        # Two identities have the name, so that it tells nothing.
        (AS_DESIRED, kept(0, TWO, "billing"), [], (2, 0, 0)),
        # A project has one of the same name.
        (
            kept(0, ONE, "other"),
            kept(0, TWO, "billing"),
            [kept(None, PROJECT, "billing", project_id=PROJECT)],
            (2, 0, 0),
        ),
    ],
)
@pytest.mark.parametrize("entries", [[BY_ID, BY_NAME], [BY_NAME, BY_ID]])
def test_an_identity_that_two_tasks_had_is_checked_once(
    entries: list[Object],
    first: Object,
    second: Object,
    others: list[Object],
    counts: tuple[int, int, int],
) -> None:
    checks = [check(first, *others), check(second, *others)]
    if "name" in entries[0] and first["name"] != second["name"]:
        checks.reverse()
    report = make(entries, checks, places=[[0], [1]])
    keys = ("as_desired", "drifted", "unknown")
    assert tuple(report["counts"][key] for key in keys) == counts
    if counts[2]:
        label = ONE if entries[0] is BY_ID else "billing"
        again = items(report, "unknown")[-1]
        assert (again["key"], again["entry"], again["id"]) == ("entry-2", 2, ONE)
        assert (again["name"], again["role"]) == ("billing", "no-access")
        assert again["msg"] == (
            f"Entry 2 of the list is the same identity as entry 1 of the list ({label});"
            " list it once."
        )
        assert report["complete"] is False
    keys_of_items = [item["key"] for item in report["identities"]]
    assert len(set(keys_of_items)) == len(keys_of_items)


@pytest.mark.parametrize("order", [1, -1])
def test_the_azure_auth_is_that_of_the_task_that_could_read_it(order: int) -> None:
    results = [failed(None, "no", **{**BILLING, "azure_auth": None}), kept(None, ONE, "billing")]
    report = make([], [check(result) for result in results[::order]], places=[[], []])
    (item,) = report["identities"]
    assert (item["azure_auth_known"], item["azure_auth"]["tenant_id"]) == (True, TENANT)


def test_a_name_that_another_entry_gives_to_an_identity_is_that_identity() -> None:
    renamed = changed(0, BILLING, name="payments")
    made = {**kept(0, None, "payments"), "changed": True, "created": True}
    made["before"] = {"state": "absent"}
    entries = [{"id": ONE, "name": "payments"}, {"name": "payments"}]
    report = make(entries, [check(renamed), check(made)], places=[[0], [1]])
    again = only(report, "unknown")
    assert "Entry 2 of the list is the same identity as entry 1" in again["msg"]


def test_an_entry_that_repeats_another_does_not_count_as_not_tried() -> None:
    """The task that would have had it did not get to it."""
    checks = [check(AS_DESIRED), check(checked=0, msg="It is down.")]
    report = make([BY_NAME, BY_ID], checks, places=[[0], [1]])
    assert "Entry 2 of the list is the same identity as entry 1" in only(report, "unknown")["msg"]
    assert report["problems"] == []


def test_a_list_that_was_refused_and_tried_again_counts_each_entry_once() -> None:
    rest = check(kept(0, ONE, "a"), changed(1, identity(TWO, "b")), kept(2, PROJECT, "c"))
    report = make([{}] * 4, [refused(failed(1, "no")), rest], places=[range(4), [0, 2, 3]])
    counts = report["counts"]
    assert counts["listed"] == 4
    assert (counts["as_desired"], counts["drifted"], counts["unknown"]) == (2, 1, 1)
    assert [item["status"] for item in report["identities"]] == [
        *("as_desired", "unknown", "drifted"),
        "as_desired",
    ]


def test_entries_that_were_not_tried_are_counted_and_told_of() -> None:
    results = [kept(0, TWO, "a"), kept(1, PROJECT, "b"), failed(2, "down", id=ONE)]
    report = make([{}] * 9, [check(*results, msg="It is down.")])
    assert report["counts"]["unknown"] == 7
    assert report["problems"] == ["6 identities of the list were not tried. It is down."]
    assert report["complete"] is False


def test_an_entry_that_was_not_tried_is_nevertheless_in_the_list() -> None:
    listed = [kept(None, ONE, "billing"), kept(None, TWO, "other")]
    report = make([{"name": "billing"}], [check(*listed, msg="It is down.")])
    item = only(report, "unknown")
    assert (item["key"], item["role"], item["msg"]) == (ONE, "no-access", "It was not tried.")
    assert [item["name"] for item in items(report, "unlisted")] == ["other"]


def test_a_module_that_broke_down_has_only_a_message() -> None:
    report = make([{}], [{"msg": "MODULE FAILURE", "failed": False}])
    assert report["counts"]["unknown"] == 1
    assert report["problems"] == [
        "1 identity of the list was not tried. MODULE FAILURE",
        "The identities of the organization were not read.",
    ]
    assert report["verdict"]["status"] == "incomplete"
    assert make([], [{"msg": "Down."}])["problems"] == [
        "The identities of the organization were not read. Down."
    ]
    # No task was run on what is left of a list of which all is wrong.
    report = make([{}], [refused(failed(0, "wrong"), msg="1 is wrong.")])
    assert report["problems"] == ["The identities of the organization were not read. 1 is wrong."]


def test_an_identity_that_is_not_listed_and_could_not_be_read_is_told() -> None:
    known = {key: value for key, value in kept(None, ONE, "a").items() if key != "azure_auth"}
    results = [{**known, "failed": True, "msg": "Not allowed."}, failed(None, "No.", id=TWO)]
    report = make([], [check(*results)])
    assert report["problems"] == ["The Azure Auth of 2 identities could not be read. No."]
    assert report["complete"] is False
    counts = report["counts"]
    # The list of auth methods tells of the one that it has Azure Auth; the other may have it.
    assert (counts["unlisted"], counts["unlisted_without_azure_auth"]) == (2, 0)
    assert counts["without_azure_auth"] == 0
    assert [item["msg"] for item in report["identities"]] == ["No.", "Not allowed."]
    assert {item["azure_auth_known"] for item in report["identities"]} == {False}
    report = make([{"name": "b"}], [check(kept(0, PROJECT, "b"), *results)])
    assert report["problems"] == [
        "The Azure Auth of 2 identities that are not in the list could not be read. No."
    ]


@pytest.mark.parametrize(
    ("desired", "results", "sentences"),
    [
        (
            [],
            [failed(None, "No.", **identity(ONE, "a", azure_auth=None))],
            ["The Azure Auth of 1 identity could not be read. No.", "4 identities were not read."],
        ),
        # The last entry was what ended it.
        (
            [{}],
            [failed(0, "No.", id=ONE)],
            ["4 identities that are not in the list were not read. It is down."],
        ),
        (
            [{}, {}, {}, {}],
            [failed(0, "No.", id=ONE)],
            [
                "3 identities of the list were not tried. It is down.",
                "1 identity that is not in the list was not read.",
            ],
        ),
    ],
)
def test_identities_that_were_not_tried_are_told_also_if_they_are_not_listed(
    desired: list[Object], results: list[Object], sentences: list[str]
) -> None:
    report = make(desired, [check(*results, msg="It is down.", untried_count=4)])
    assert report["problems"] == sentences
    assert report["verdict"]["sentence"].startswith(
        "The audit is incomplete: not all of the organization could be read. "
    )


def test_where_nothing_was_read_nobody_says_that_nothing_was_found() -> None:
    refusal = {"checked": 0, "results": [], "msg": "403."}
    lists: list[list[Object]] = [[], [{}], [{}, {}]]
    for desired in lists:
        sentence = make(desired, [refusal])["verdict"]["sentence"]
        assert sentence.startswith("The audit is incomplete: not all of the organization could be")
        assert "finding" not in sentence
        assert "sees no" not in sentence


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
    report = make([entry], [check(kept(None, ONE, "billing"))], places=[[]])
    assert (items(report, "unlisted") == []) is listed


def test_a_name_with_a_project_lists_the_identity_of_the_project() -> None:
    both = check(kept(None, ONE, "billing"), kept(None, TWO, "billing", project_id=PROJECT))
    for entry, left in (
        ({"name": "billing"}, TWO),
        ({"name": "billing", "project_id": PROJECT.upper()}, ONE),
    ):
        assert only(make([entry], [both], places=[[]]), "unlisted")["id"] == left


def test_a_name_of_several_lists_none_of_them() -> None:
    """None may vanish from the report; which one is meant, only its id would tell."""
    wrong = refused(failed(0, "is the name of 2 identities.", name="billing"))
    both = check(kept(None, ONE, "billing"), kept(None, TWO, "billing"))
    report = make([{"name": "billing"}], [wrong, both], places=[[0], []])
    assert [item["key"] for item in report["identities"]] == ["entry-1", TWO, ONE]
    # By its id, since the name would be refused again.
    for item in items(report, "unlisted"):
        assert item["paste"].startswith(f"- name: billing\n  id: {item['id']}\n")


def test_what_to_paste_of_a_projects_identity_has_the_name_of_the_project() -> None:
    details = {"auth_methods": ["azure-auth"], "roles": ["viewer"], "project_name": "shop"}
    owned = kept(None, ONE, "billing", project_id=PROJECT, details=details)
    report = make([{"name": "other"}], [check(kept(0, TWO, "other"), owned)])
    assert f"project_id: {PROJECT}  # shop\n" in only(report, "unlisted")["paste"]


def test_who_is_not_listed_and_has_no_azure_auth_is_told_apart() -> None:
    nothing = {"azure_auth": DETACHED, "details": {"auth_methods": []}}
    results = [
        kept(None, ONE, "billing", role="admin"),
        kept(None, TWO, "other", **nothing),
        kept(None, PROJECT, "another", project_id=TWO, **nothing),
    ]
    report = make([], [check(*results)])
    told = [
        (item["name"], item["project_id"], item["azure_auth"] is None)
        for item in report["identities"]
    ]
    assert told == [("another", TWO, True), ("billing", None, False), ("other", None, True)]
    counts = report["counts"]
    assert (counts["identities"], counts["without_azure_auth"]) == (3, 2)
    assert (counts["unlisted"], counts["unlisted_without_azure_auth"]) == (1, 2)


def test_findings_are_grouped_by_their_rule_and_counted_without_those_that_are_waived() -> None:
    lax = {**AZURE_AUTH, **OPEN, "access_token_num_uses_limit": 0}
    results = [kept(0, ONE, "billing", azure_auth=lax), kept(None, TWO, "other", azure_auth=lax)]
    waiver = {"identity": "other", "reason": "Known.", "until": "9999-12-31"}
    waivers = [
        {**waiver, "rule": "open_to_tenant"},
        {**waiver, "rule": "long_lifetime"},
        {**waiver, "rule": "open_to_tenant", "until": "2020-01-01"},
    ]
    report = make([{"id": ONE}], [check(*results)], waivers=waivers)
    assert [rule["rule"] for rule in report["findings"]] == ["open_to_tenant", "unlimited_uses"]
    first, second = report["findings"]
    assert [(item["key"], item["waived"]) for item in first["identities"]] == [
        (ONE, None),
        (TWO, {"reason": "Known.", "until": "9999-12-31"}),
    ]
    assert first["sentence"] == first["identities"][0]["sentence"]
    assert second["sentence"].startswith("Both identities")
    own = {item["key"]: (item["findings"], item["waived"]) for item in report["identities"]}
    assert own == {
        ONE: (["open_to_tenant", "unlimited_uses"], []),
        TWO: (["unlimited_uses"], ["open_to_tenant"]),
    }
    counts = report["counts"]
    assert (counts["findings"], counts["findings_high"], counts["findings_low"]) == (3, 1, 2)
    assert counts["waived"] == 1
    assert [item["state"] for item in report["waivers"]] == ["used", "unused", "expired"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", []), "its input is 'x', which is not a list"),
        (([], {}), "checks is {}, which is not a list"),
        (([], ["x"]), "checks[0] is 'x', which is not a dictionary; give the result"),
        (([], [], 7), "places is 7, which is not a list"),
        (([], [check()], []), "places has 0 items, and checks has 1;"),
        (([], [check()], [7]), "places[0] is 7, which is not a list"),
        (([{}], [check()], [[1]]), "places[0] has 1; write places in a list of 1 entries, counted"),
        (([], [check(), check()]), "checks has 2 results, but places is missing; for each"),
        (([], [], None, "x"), "about is 'x', which is not a dictionary; write one."),
        (([], [], None, {"when": 1}), "about has the key 'when'; the keys are url, created_at,"),
        (
            ([{}], [{"checked": 1, "results": []}]),
            "checks[0] does not contain every identity; run infisical_identities with return_all",
        ),
        (
            ([{}], [check({"index": 0}, checked=1)]),
            "that neither infisical_identities nor an earlier audit",
        ),
        (([], [], None, None, "x"), "baseline is not JSON; give the content of the JSON file that"),
        (([], [], None, None, "[" * 10**5), "baseline is not JSON; give the content of the JSON"),
        (([], [], None, None, "[]"), "baseline is [], which is not the report of an audit; give"),
        (([], [], None, None, {"version": 2}), "which is not the report of an audit"),
    ],
)
def test_what_is_not_right_is_an_error_of_one_sentence(arguments: t.Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        make(*arguments)
    assert str(raised.value).startswith("community.infisical.identity_audit_report: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ignore": []}, "it has no option 'ignore'; the options are max_lifetime,"),
        ({"max_lifetime": "x"}, "max_lifetime is 'x'; write a whole number of seconds"),
        ({"skip": ["x"]}, "skip has 'x', which is not a rule"),
        (
            {"baseline": {"format": "community.infisical.identities_audit", "version": 1}},
            "baseline is a report of version 1, not 2; make a new report with this version of",
        ),
        ({"baseline": {**make([], []), "identities": None}}, "(TypeError: "),
    ],
)
def test_options_that_are_not_right_are_an_error_too(options: Object, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        make([], [], **options)
    assert message in str(raised.value)


outcomes = st.sampled_from(["as desired", "drifted", "failed"])


@given(
    st.lists(st.lists(outcomes, max_size=5), max_size=5),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_every_entry_is_counted_once(batches: list[list[str]], refusals: int, untried: int) -> None:
    checks = [refused(*(failed(n, "wrong") for n in range(refusals)))] if refusals else []
    places: list[list[int]] = [[*range(refusals)]] if refusals else []
    done = refusals
    for batch in batches:
        results = []
        for index, outcome in enumerate(batch):
            there = identity(f"{done + index:08}-0000-4000-8000-000000000000", f"n{done + index}")
            results.append(
                {
                    "as desired": {**there, **OUTCOME, "index": index},
                    "drifted": changed(index, there, role="admin"),
                    "failed": failed(index, "no", id=there["id"]),
                }[outcome]
            )
        checks.append(check(*results))
        places.append([*range(done, done + len(batch))])
        done += len(batch)
    everything = [outcome for batch in batches for outcome in batch]
    report = make([{}] * (done + untried), checks, places=places)
    counts = report["counts"]
    assert counts["listed"] == len(report["identities"]) == done + untried
    assert counts["as_desired"] == everything.count("as desired")
    assert counts["drifted"] == everything.count("drifted")
    assert counts["unknown"] == everything.count("failed") + refusals + untried
    assert report["complete"] is (
        counts["unknown"] == 0 and (not checks or "not_visible" in checks[-1])
    )
    assert json.loads(json.dumps(report)) == report


LAX = {**AZURE_AUTH, **OPEN}
ENDLESS = {**AZURE_AUTH, "access_token_max_ttl": 0}
NOBODY = {**AZURE_AUTH, "resource": "https://management.azure.com/.default"}
USED_UP = {**AZURE_AUTH, "access_token_num_uses_limit": 0}
SEVERAL = [
    kept(0, ONE, "a", azure_auth={**LAX, "access_token_num_uses_limit": 0}),
    kept(1, TWO, "b", azure_auth=ENDLESS),
]
WAIVER = {"rule": "unlimited_uses", "identity": "*", "reason": "Known.", "until": "9999-12-31"}


@pytest.mark.parametrize(
    ("desired", "results", "options", "status", "sentence"),
    [
        (
            [{}],
            [kept(0, ONE, "a")],
            {},
            "ok",
            "The only listed identity matches the list, and there are no findings.",
        ),
        (
            [{}, {}],
            [kept(0, ONE, "a"), kept(1, TWO, "b", azure_auth=USED_UP), kept(None, PROJECT, "c")],
            {"waivers": [WAIVER]},
            "ok",
            (
                "Both listed identities match the list, and there are no findings (1 is waived)."
                " 1 identity with Azure Auth is not in the list."
            ),
        ),
        (
            [{}],
            [kept(0, ONE, "a", azure_auth=USED_UP)],
            {},
            "findings",
            (
                "The only listed identity matches the list, and there are no high findings,"
                " only 1 low one."
            ),
        ),
        (
            [{}, {}],
            [kept(0, ONE, "a", azure_auth=NOBODY), kept(1, TWO, "b", azure_auth=NOBODY)],
            {},
            "findings",
            (
                "Both listed identities match the list, and there are no high findings, only 2"
                " medium ones."
            ),
        ),
        (
            [{}, {}],
            SEVERAL,
            {},
            "findings",
            (
                "Both listed identities match the list, but 2 high findings need attention:"
                " open to a whole tenant (1) and 1 other."
            ),
        ),
        (
            [{}, {}],
            [changed(0, identity(ONE, "a", azure_auth=LAX), role="admin"), kept(1, TWO, "b")],
            {},
            "drift",
            (
                "1 of 2 identities has drifted, and 1 high finding needs attention: open to a"
                " whole tenant."
            ),
        ),
        (
            [{}, {}],
            [
                changed(0, identity(ONE, "a"), role="admin"),
                changed(1, identity(TWO, "b"), role="x"),
            ],
            {},
            "drift",
            "Both identities in the list have drifted, and there are no findings.",
        ),
        (
            [{}, {}, {}],
            [changed(0, identity(ONE, "a"), role="admin"), kept(1, TWO, "b"), failed(2, "no")],
            {},
            "incomplete",
            (
                "The audit is incomplete: 1 of 3 identities could not be checked, 1 has drifted,"
                " and there are no findings in what could be read."
            ),
        ),
        (
            [{}, {}],
            [kept(0, ONE, "a"), failed(1, "no")],
            {},
            "incomplete",
            (
                "The audit is incomplete: 1 of 2 identities could not be checked, the other"
                " matches the list, and there are no findings in what could be read."
            ),
        ),
        (
            [{}, {}],
            [],
            {},
            "incomplete",
            "The audit is incomplete: neither of the identities in the list could be checked.",
        ),
        (
            [],
            [failed(None, "no", **identity(ONE, "a", azure_auth=None))],
            {},
            "incomplete",
            (
                "The audit is incomplete: not all of the organization could be read. There are"
                " no findings in what could be read. There was no list to compare with."
            ),
        ),
        (
            [],
            [{**item, "index": None} for item in SEVERAL],
            {},
            "findings",
            (
                "2 high findings in 2 identities need attention: open to a whole tenant (1)"
                " and 1 other. There was no list to compare with."
            ),
        ),
    ],
)
def test_the_verdict_says_what_matters_most(
    desired: list[Object], results: list[Object], options: Object, status: str, sentence: str
) -> None:
    verdict = make(desired, [check(*results)], **options)["verdict"]
    assert (verdict["status"], verdict["sentence"]) == (status, sentence)


def test_what_is_new_and_what_is_gone_since_an_earlier_audit() -> None:
    new = {**kept(3, None, "new"), "changed": True, "created": True, "before": {"state": "absent"}}
    earlier = make(
        [{}] * 4,
        [
            check(
                kept(0, ONE, "a", azure_auth=USED_UP),
                changed(1, identity(TWO, "b"), role="admin"),
                changed(2, identity(PROJECT, "c", azure_auth=USED_UP), role="admin"),
                new,
                kept(None, TENANT, "gone"),
            )
        ],
        about={"created_at": "2026-11-16T02:00:00Z"},
    )
    unread = {key: item for key, item in kept(2, PROJECT, "c").items() if key != "azure_auth"}
    report = make(
        [{}] * 4,
        [
            check(
                changed(0, identity(ONE, "renamed", azure_auth=ENDLESS), role="admin"),
                kept(1, TWO, "b"),
                {**unread, "failed": True, "msg": "no"},
                new,
                kept(None, "11111111-1111-4111-8111-111111111111", "come"),
            )
        ],
        baseline=earlier,
    )
    come = {"key": "11111111-1111-4111-8111-111111111111", "name": "come"}
    gone = {"key": TENANT, "name": "gone"}
    assert report["baseline"] == {
        "created_at": "2026-11-16T02:00:00Z",
        "new": {
            "findings": [{"rule": "no_lifetime_limit", "key": ONE, "name": "renamed"}],
            "drifted": [{"key": ONE, "name": "renamed"}],
            "unlisted": [come],
            "identities": [come],
        },
        "gone": {
            # Whether that of c has drifted, and is used without end, is not known this time.
            "findings": [{"rule": "unlimited_uses", "key": ONE, "name": "a"}],
            "drifted": [{"key": TWO, "name": "b"}],
            "unlisted": [gone],
            "identities": [gone],
        },
    }
    same = make([], [], baseline=earlier)["baseline"]
    assert make([], [], baseline=json.dumps(earlier))["baseline"] == same
    # Nothing was read, so that nothing is known to be gone.
    assert same["gone"] == same["new"] == {part: [] for part in same["new"]}


def test_what_is_waived_skipped_or_not_tried_is_not_gone() -> None:
    earlier = make([], [check(kept(None, ONE, "a", azure_auth=USED_UP), kept(None, TWO, "b"))])
    (waiver,) = ({**WAIVER, "identity": "a"},)
    audits: list[tuple[Object, Object]] = [
        ({"waivers": [waiver]}, check(kept(None, ONE, "a", azure_auth=USED_UP))),
        ({"skip": ["unlimited_uses"]}, check(kept(None, ONE, "a"))),
        ({}, check(kept(None, TWO, "b"), untried_count=1)),
    ]
    for options, checked in audits:
        report = make([], [checked], baseline=earlier, **options)
        assert report["baseline"]["gone"]["findings"] == []
        assert report["skipped"] == options.get("skip", [])
        gone = [item["name"] for item in report["baseline"]["gone"]["identities"]]
        assert gone == ([] if checked.get("untried_count") else ["b"])


def test_an_audit_of_another_organization_is_no_baseline() -> None:
    ours, theirs = (
        check(kept(None, item, "a", details={"organization_id": item})) for item in (ONE, TWO)
    )
    earlier = make([], [theirs])
    assert make([], [theirs], baseline=earlier)["baseline"]
    with pytest.raises(AnsibleFilterError) as raised:
        make([], [ours], baseline=earlier)
    assert str(raised.value) == (
        "community.infisical.identity_audit_report: baseline is a report on the organization"
        f" '{TWO}', but this audit is on '{ONE}'; give an earlier report on the same organization."
    )


def test_an_audit_with_a_list_and_one_without_are_compared_in_what_both_have() -> None:
    earlier = make([], [check(kept(None, ONE, "a", azure_auth=USED_UP))])
    report = make([{}], [check(changed(0, identity(ONE, "a"), role="admin"))], baseline=earlier)
    baseline = report["baseline"]
    assert baseline["new"] == {part: [] for part in baseline["new"]}
    assert baseline["gone"]["findings"] == [{"rule": "unlimited_uses", "key": ONE, "name": "a"}]
    assert baseline["gone"]["unlisted"] == []
