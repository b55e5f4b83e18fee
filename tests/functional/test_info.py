# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading one, several or all, and giving what comes out back in, on the newest and the oldest."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from functional.cases import ATTACHED, BOTH, ONE, RESOURCE, TENANT, TWO, trusted
from functional.harness import FLEET, INFO, Result, run_in_process, run_play, warnings_of

from ansible_collections.community.infisical.plugins.modules import infisical_identity_info
from emulator import running

UNKNOWN = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"

# Stored oddly, and yet what the options can say: to give it back changes nothing.
ODD: dict[str, dict[str, t.Any]] = {
    "host bits": trusted("10.1.2.3/8", "10.0.0.0/8", "192.0.2.9/24"),
    "IPv6 spelled at length": trusted("2001:0DB8:0:0::1", "2001:db8::/32"),
    "everyone": {"allowedServicePrincipalIds": ""},
    "an empty entry, twice the same": {"allowedServicePrincipalIds": f"{ONE}, , {TWO}, {ONE}"},
    "blanks within": {"resource": "api://my  app"},
    "the most": {"accessTokenTTL": 315360000, "accessTokenMaxTTL": 315360000},
    "no TTL": {"accessTokenTTL": 0, "accessTokenMaxTTL": 60},
    "IPv4 through IPv6": trusted("::/64"),
    "name with (odd): characters, \u00e9\u4e16": {},
}
ODD_TODAY = {"no maximum": {"accessTokenTTL": 60, "accessTokenMaxTTL": 0}}
# No login can ever match these.
BROKEN: dict[str, dict[str, t.Any]] = {
    "an upper-case tenant": {"tenantId": TENANT.upper()},
    "upper-case principals": {"allowedServicePrincipalIds": f"{ONE.upper()}, {TWO}"},
}
# What no option can say, and the key under which it is shown as it is stored. Giving it back leaves
# it alone, and never opens or closes anything.
UNSAYABLE: dict[str, tuple[dict[str, t.Any], str, t.Any]] = {
    "nobody": ({"allowedServicePrincipalIds": ", "}, "allowed_service_principal_ids", [""]),
    "a zone": (trusted("fe80::1%eth0"), "access_token_trusted_ips", ["fe80::1%eth0"]),
    "principals that are no UUIDs": (
        {"allowedServicePrincipalIds": "My-App, other"},
        "allowed_service_principal_ids",
        ["My-App", "other"],
    ),
    "a tenant that is no UUID": ({"tenantId": "My-Tenant"}, "tenant_id", "My-Tenant"),
    "a blank resource": ({"resource": ""}, "resource", ""),
    "no audience": ({"resource": "/"}, "resource", "/"),
    "a masked resource": (
        {"resource": "https://********/"},
        "resource",
        "https://********/",
    ),
}
# Settings that are right one by one, and not together: to give them back is an error.
CONTRADICTORY = {"accessTokenTTL": 200, "accessTokenMaxTTL": 100}


@dataclass
class Visit:
    """The results of all tasks on a generation, by title, and what is there."""

    results: dict[str, Result]
    requests: dict[str, int]
    ids: dict[str, str]
    raw: dict[str, t.Any]
    raw_after: dict[str, t.Any]
    identities: dict[str, t.Any]
    seeded: dict[str, str]


def writes_of(server: t.Any) -> list[t.Any]:
    return [
        item
        for item in server.requests()
        if item.method in ("PATCH", "DELETE")
        or (item.method == "POST" and not item.path.endswith("/search"))
    ]


def names_of(generation: str) -> dict[str, dict[str, t.Any]]:
    odd = {**ODD, **(ODD_TODAY if generation == "2026" else {})}
    return {**odd, **BROKEN}


def visit(generation: str, folder: Path) -> Visit:
    with running(generation=generation) as server, running(generation=generation) as moving:
        ids = {}
        for name, fields in names_of(generation).items():
            ids[name] = server.create_identity(name)
            server.put_azure_auth(ids[name], **{**ATTACHED, **fields})
        metadata = {} if generation == "2024-10" else {"team": "finance"}
        ids["ledger"] = server.create_identity("ledger", metadata=metadata)
        # Elsewhere, where it is in nobody's way.
        unsayable = moving.create_identities(list(UNSAYABLE))
        for identity_id, (fields, _key, _value) in zip(unsayable, UNSAYABLE.values()):
            moving.put_azure_auth(identity_id, **{**ATTACHED, **fields})
        (contradictory,) = moving.create_identities(["contradictory"])
        moving.put_azure_auth(contradictory, **{**ATTACHED, **CONTRADICTORY})
        several = moving.create_identities([f"app {n}" for n in range(6)], azure_auth=ATTACHED)
        for number, change in ((1, "detach"), (2, "delete")):
            for _time in range(2):
                moving.fault(
                    "race",
                    method="GET",
                    path="azure-auth",
                    identity_id=several[number],
                    change=change,
                )
        raw = {name: server.azure_auth(i) for name, i in ids.items() if name != "ledger"}
        base = {"url": server.url, "token": server.token}
        there = {"url": moving.url, "token": moving.token}
        some = [ids["everyone"], f"{{{ids['everyone'].upper()}}}", ids["ledger"]]
        round_trip = {**base, "identities": "{{ everything.identities }}"}
        tasks: dict[str, dict[str, t.Any]] = {
            "one": {INFO: {**base, "ids": [ids["host bits"]]}},
            "several": {
                INFO: {
                    **base,
                    "ids": some,
                    "names": ["no TTL", "ledger", " no TTL ", "everyone"],
                }
            },
            "none of that kind": {INFO: {**base, "ids": []}},
            "none of either kind": {INFO: {**base, "ids": [], "names": []}},
            "all": {INFO: base, "register": "everything"},
            "all in check mode": {INFO: base, "check_mode": True},
            "back in check mode": {FLEET: round_trip, "check_mode": True, "diff": True},
            "back": {FLEET: round_trip},
            "back again": {FLEET: round_trip},
            "some that are not": {INFO: {**base, "ids": [ids["everyone"], UNKNOWN, ids["ledger"]]}},
            "unsayable": {INFO: {**there, "ids": unsayable}, "register": "odd"},
            "unsayable, back": {FLEET: {**there, "identities": "{{ odd.identities }}"}},
            "contradictory": {INFO: {**there, "ids": [contradictory]}, "register": "torn"},
            "contradictory, back": {FLEET: {**there, "identities": "{{ torn.identities }}"}},
            "without Azure Auth": {INFO: {**base, "azure_auth": False}},
            "with metadata": {INFO: {**base, "metadata": True, "names": ["ledger"]}},
            "gone meanwhile, of some": {INFO: {**there, "ids": several[:3]}},
            "gone meanwhile, of all": {INFO: there},
        }
        results = dict(zip(tasks, run_play(folder, tasks.values()).results))
        counts = {
            "writes": len(writes_of(server)),
            "writes elsewhere": len(writes_of(moving)),
        }
        raw_after = {name: server.azure_auth(ids[name]) for name in raw}
        identities = {name: server.identity(identity_id) for name, identity_id in ids.items()}
        return Visit(results, counts, ids, raw, raw_after, identities, server.identities)


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Visit]:
    found: dict[str, Visit] = {}
    folder = tmp_path_factory.mktemp("info")

    def run(generation: str) -> None:
        found[generation] = visit(generation, folder / generation)

    threads = [threading.Thread(target=run, args=[generation]) for generation in BOTH]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == set(BOTH), "a run of the playbook failed: see the traceback above"
    return found


@pytest.fixture
def here(visits: dict[str, Visit], generation: str) -> Visit:
    return visits[generation]


def test_one(here: Visit, generation: str) -> None:
    result = here.results["one"]
    assert not result["failed"], result["msg"]
    assert result["changed"] is False
    raw, identity = here.raw["host bits"], here.identities["host bits"]
    assert result["identities"] == [
        {
            "id": here.ids["host bits"],
            "name": "host bits",
            "project_id": None,
            "state": "present",
            "role": "no-access",
            # Servers of 2024 have none. Metadata is not asked for.
            **({"delete_protection": False} if generation == "2026" else {}),
            "details": {
                "created_at": identity["createdAt"],
                "updated_at": identity["updatedAt"],
                "last_login_at": None,
                "last_login_method": None,
                "organization_id": identity["orgId"],
                "project_name": None,
                "auth_methods": ["azure-auth"],
                "roles": ["no-access"],
            },
            "azure_auth": {
                "state": "present",
                "tenant_id": TENANT,
                "resource": RESOURCE,
                "allowed_service_principal_ids": [ONE],
                "allow_all_service_principals": False,
                "access_token_trusted_ips": ["10.0.0.0/8", "192.0.2.0/24"],
                "access_token_ttl": 3600,
                "access_token_max_ttl": 7200,
                "access_token_num_uses_limit": 0,
                "details": {
                    "id": raw["id"],
                    "created_at": raw["createdAt"],
                    "updated_at": raw["updatedAt"],
                    "access_token_period": 0 if generation == "2026" else None,
                },
            },
        }
    ]


def test_several_by_ids_and_names_each_once_in_the_order_asked_for(here: Visit) -> None:
    result = here.results["several"]
    assert not result["failed"], result["msg"]
    ids = [item["id"] for item in result["identities"]]
    assert ids == [here.ids[name] for name in ("everyone", "ledger", "no TTL")]
    assert [item["name"] for item in result["identities"]] == ["everyone", "ledger", "no TTL"]
    assert [item["state"] for item in result["identities"]] == ["present"] * 3
    states = [item["azure_auth"]["state"] for item in result["identities"]]
    assert states == ["present", "absent", "present"]
    ledger = result["identities"][1]
    assert ledger["azure_auth"] == {"state": "absent", "details": None}
    assert ledger["details"]["auth_methods"] == []


@pytest.mark.parametrize("title", ["none of that kind", "none of either kind"])
def test_an_empty_list_means_none(title: str, here: Visit) -> None:
    result = here.results[title]
    assert not result["failed"], result["msg"]
    assert result["identities"] == []


# Of the emulator's own; the other two are of other organizations.
SEEDED = [
    *("admin", "auditor", "batch worker", "batch worker", "billing", "member", "no-access"),
    *("payments", "platform"),
]


def test_all_are_those_of_the_organization_by_name(here: Visit, generation: str) -> None:
    result = here.results["all"]
    assert not result["failed"], result["msg"]
    names = [item["name"] for item in result["identities"]]
    assert names == sorted([*names_of(generation), "ledger", *SEEDED])
    attached = [
        item["name"] for item in result["identities"] if item["azure_auth"]["state"] == "present"
    ]
    assert attached == sorted([*names_of(generation), "batch worker", "payments", "platform"])
    for item in result["identities"]:
        has_it = item["azure_auth"]["state"] == "present"
        assert ("azure-auth" in item["details"]["auth_methods"]) == has_it
        assert bool(item["azure_auth"]["details"]) == has_it
        assert "metadata" not in item
    for key in ("foreign", "sub-organization"):
        assert here.seeded.get(key) not in [item["id"] for item in result["identities"]]


def test_what_all_cannot_cover_is_told(here: Visit, generation: str) -> None:
    told = here.results["all"]["not_visible"]
    if generation == "2024-10":
        assert told == []
        return
    sentences = (
        "This login is not a member of some projects (1: ",
        "Sub-organizations (1) have identities of their own; ",
        "Identities that belong to another organization, such as a parent or sub-organization, ",
    )
    assert len(told) == len(sentences)
    for sentence, beginning in zip(told, sentences):
        assert sentence.startswith(beginning)
    # What was asked for by id or by name is not about all.
    assert "not_visible" not in here.results["several"]


def test_the_list_alone_has_the_same_identities_without_their_azure_auth(here: Visit) -> None:
    alone, whole = (here.results[title] for title in ("without Azure Auth", "all"))
    assert alone["identities"] == [
        {key: value for key, value in item.items() if key != "azure_auth"}
        for item in whole["identities"]
    ]
    assert alone["not_visible"] == whole["not_visible"]


def test_metadata_is_read_where_it_is_asked_for(here: Visit, generation: str) -> None:
    (item,) = here.results["with metadata"]["identities"]
    if generation == "2024-10":
        # There is none, and none is told.
        assert "metadata" not in item
    else:
        assert item["metadata"] == {"team": "finance"}


def test_check_mode_makes_no_difference(here: Visit) -> None:
    results = here.results
    assert results["all in check mode"]["identities"] == results["all"]["identities"]
    assert results["all in check mode"]["changed"] is False


def test_giving_it_all_back_changes_nothing_but_broken_ids(here: Visit) -> None:
    broken = sorted(BROKEN)
    for title in ("back in check mode", "back"):
        result = here.results[title]
        assert not result["failed"], result["msg"]
        assert [item["name"] for item in result["results"]] == broken
        assert result["changed_count"] == len(broken)
        assert result["checked"] == len(here.results["all"]["identities"])
    again = here.results["back again"]
    assert not again["changed"]
    assert again["results"] == []
    # Two identities, a request each.
    assert here.requests["writes"] == 2
    assert here.raw_after["an upper-case tenant"]["tenantId"] == TENANT
    assert here.raw_after["upper-case principals"]["allowedServicePrincipalIds"] == f"{ONE}, {TWO}"
    for name, raw in here.raw.items():
        if name not in BROKEN:
            assert here.raw_after[name] == raw


def test_what_is_not_there_fails_and_the_others_are_returned(here: Visit) -> None:
    result = here.results["some that are not"]
    assert result["failed"]
    assert [item["id"] for item in result["identities"]] == [
        here.ids["everyone"],
        here.ids["ledger"],
    ]
    assert result["failed_count"] == 1
    (failure,) = result["failures"]
    assert failure["id"] == UNKNOWN
    assert (failure["http_status"], failure["error"]) == (404, "NotFound")
    assert result["msg"] == f"1 of 3 identities failed: ids[1] ({UNKNOWN}): {failure['msg']}"


@pytest.mark.parametrize("title", UNSAYABLE)
def test_what_no_option_can_say_is_shown_apart_and_left_alone_when_it_comes_back(
    title: str, here: Visit
) -> None:
    _fields, key, value = UNSAYABLE[title]
    result = here.results["unsayable"]
    assert not result["failed"], result["msg"]
    shown = result["identities"][list(UNSAYABLE).index(title)]["azure_auth"]
    assert shown[key] is None
    assert shown["details"]["stored"] == {key: value}
    # Nobody is never shown as everyone.
    assert shown["allow_all_service_principals"] is False
    # The first ones are named, and all are counted.
    unsayable = f"{len(UNSAYABLE)} of the settings have values that the options do not accept"
    assert unsayable in warnings_of(result)
    named = f"{title}: azure_auth: {key}" in warnings_of(result)
    assert named == (title in list(UNSAYABLE)[:3])
    back = here.results["unsayable, back"]
    assert not back["failed"], back["msg"]
    assert not back["changed"]
    assert here.requests["writes elsewhere"] == 0


def test_settings_that_contradict_each_other_are_refused_when_they_come_back(here: Visit) -> None:
    (shown,) = here.results["contradictory"]["identities"]
    lifetimes = ("access_token_ttl", "access_token_max_ttl")
    assert [shown["azure_auth"][key] for key in lifetimes] == [200, 100]
    refused = here.results["contradictory, back"]
    assert refused["failed"]
    assert refused["msg"].startswith(
        "identities[0] (contradictory): azure_auth: access_token_ttl 200 (given) is above"
        " access_token_max_ttl 100 (given)"
    )


def test_those_that_lose_it_meanwhile_are_absent_or_fail_when_asked_for(here: Visit) -> None:
    result = here.results["gone meanwhile, of some"]
    assert result["failed"]
    states = [item["azure_auth"]["state"] for item in result["identities"]]
    assert states == ["present", "absent"]
    # What the list said before counts no more.
    methods = [item["details"]["auth_methods"] for item in result["identities"]]
    assert methods == [["azure-auth"], []]
    assert [item["http_status"] for item in result["failures"]] == [404]


def test_those_that_lose_it_meanwhile_have_none_among_all_and_the_deleted_are_left_out(
    here: Visit,
) -> None:
    result = here.results["gone meanwhile, of all"]
    assert not result["failed"], result["msg"]
    states = {item["name"]: item["azure_auth"]["state"] for item in result["identities"]}
    assert {name: state for name, state in states.items() if name.startswith("app")} == {
        "app 0": "present",
        "app 1": "absent",
        "app 3": "present",
        "app 4": "present",
        "app 5": "present",
    }


def test_a_project_whose_identities_the_login_may_not_read_fails_nothing() -> None:
    with running() as server:
        project = server.create_project("shop")
        server.create_role("blind", ["edit"], project_id=project)
        server.add_member(server.identities["admin"], "blind", project_id=project)
        server.create_identity("owned", project_id=project, methods=["azure-auth"])
        options = {"url": server.url, "token": server.token}
        result = run_in_process(infisical_identity_info.main, options)
        by_name = run_in_process(
            infisical_identity_info.main, {**options, "names": ["owned"], "project_id": project}
        )
    assert not result["failed"], result["msg"]
    (owned,) = [item for item in result["identities"] if item["project_id"]]
    assert owned["name"] == "owned"
    assert "azure_auth" not in owned
    assert result["not_visible"][-1] == (
        "Some identities are listed without their auth methods, because this login may not read"
        " identities in their projects (1)."
    )
    # What is asked for is not left out in silence.
    assert by_name["failed"]


@pytest.mark.parametrize("path", ["/v2/identities/search", "/projects/search", "/organizations"])
def test_a_list_that_gives_the_same_page_again_ends(path: str) -> None:
    with running() as server:
        server.create_identities([f"app {number}" for number in range(110)])
        page = {
            "identities": [found_by_search(server, n) for n in range(100)],
            "projects": [{"id": f"{n}", "name": f"p{n}", "isMember": False} for n in range(100)],
        }
        server.fault("body", path=path, json={**page, "totalCount": 1000})
        options = {"url": server.url, "token": server.token, "azure_auth": False}
        result = run_in_process(infisical_identity_info.main, options)
        assert len(server.requests()) < 8
    if "identities" in path:
        assert result["failed"]
        assert "JSON that Infisical does not send (the same page again)" in result["msg"]


def found_by_search(server: t.Any, number: int) -> dict[str, t.Any]:
    """An item of the search of version 2."""
    identity_id = f"{number:08x}{UNKNOWN[8:]}"
    inner = {"name": f"app {number}", "orgId": server.organization_id, "authMethods": []}
    return {"identityId": identity_id, "orgId": server.organization_id, "identity": inner}


def test_a_route_that_is_not_there_is_not_taken_for_identities_that_are_gone() -> None:
    with running() as server:
        server.fault("error", path="azure-auth", status=404, error="Not Found")
        options = {"url": server.url, "token": server.token}
        result = run_in_process(infisical_identity_info.main, options)
    assert result["failed"]
    assert "The server does not know this API" in result["msg"]
    # Of those that have none the list says so.
    assert {item["azure_auth"]["state"] for item in result["identities"]} == {"absent"}
    names = [item["name"] for item in result["failures"]]
    assert names == ["batch worker", "payments", "platform"]
