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
from functional.harness import FLEET, INFO, Result, run_in_process, run_play

from ansible_collections.community.infisical.plugins.modules import infisical_azure_auth_info
from emulator import running

UNKNOWN = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"

# Stored oddly, and yet what the options can say: to give it back changes nothing.
ODD: dict[str, dict[str, t.Any]] = {
    "host bits": trusted("10.1.2.3/8", "10.0.0.0/8", "192.0.2.9/24"),
    "IPv6 spelled at length": trusted("2001:0DB8:0:0::1", "2001:db8::/32"),
    "everyone": {"allowedServicePrincipalIds": ""},
    "an empty entry, twice the same": {"allowedServicePrincipalIds": f"{ONE}, , {TWO}, {ONE}"},
    # Given back, a blank counts as left out.
    "a blank resource": {"resource": ""},
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
# What no option can say: to give it back is an error, and never opens or closes anything.
UNSAYABLE: dict[str, tuple[dict[str, t.Any], str]] = {
    "nobody": ({"allowedServicePrincipalIds": ", "}, "allowed_service_principal_ids[0] is blank"),
    "a zone": (
        trusted("fe80::1%eth0"),
        "access_token_trusted_ips[0] 'fe80::1%eth0' is not an IPv4 or IPv6 address",
    ),
    "a TTL above the max": (
        {"accessTokenTTL": 200, "accessTokenMaxTTL": 100},
        "access_token_ttl 200 (given) is above access_token_max_ttl 100 (given)",
    ),
    "principals that are no UUIDs": (
        {"allowedServicePrincipalIds": "My-App, other"},
        "allowed_service_principal_ids[0] 'My-App' is not a UUID",
    ),
    "a tenant that is no UUID": ({"tenantId": "My-Tenant"}, "tenant_id 'My-Tenant' is not a UUID"),
    "no audience": ({"resource": "/"}, "resource is '/', for which Infisical checks no audience"),
    "a masked resource": ({"resource": "https://********/"}, "is masked text, which Ansible"),
}


@dataclass
class Visit:
    """The results of all tasks on a generation, by title, and what is there."""

    results: dict[str, Result]
    requests: dict[str, int]
    ids: dict[str, str]
    raw: dict[str, t.Any]
    raw_after: dict[str, t.Any]
    seeded: dict[str, str]


def names_of(generation: str) -> dict[str, dict[str, t.Any]]:
    odd = {**ODD, **(ODD_TODAY if generation == "2026" else {})}
    return {**odd, **BROKEN}


def visit(generation: str, folder: Path) -> Visit:
    with running(generation=generation) as server, running(generation=generation) as moving:
        ids = {}
        for name, fields in names_of(generation).items():
            ids[name] = server.create_identity(name)
            server.put_azure_auth(ids[name], **{**ATTACHED, **fields})
        ids["ledger"] = server.create_identity("ledger")
        # Elsewhere, where it is in nobody's way.
        unsayable = moving.create_identities(list(UNSAYABLE))
        for identity_id, (fields, _message) in zip(unsayable, UNSAYABLE.values()):
            moving.put_azure_auth(identity_id, **{**ATTACHED, **fields})
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
        round_trip = {**base, "azure_auths": "{{ everything.azure_auths }}"}
        tasks: dict[str, dict[str, t.Any]] = {
            "one": {INFO: {**base, "identity_ids": [ids["host bits"]]}},
            "several": {
                INFO: {
                    **base,
                    "identity_ids": some,
                    "identity_names": ["no TTL", "ledger", " no TTL ", "everyone"],
                }
            },
            "none of that kind": {INFO: {**base, "identity_ids": []}},
            "none of either kind": {INFO: {**base, "identity_ids": [], "identity_names": []}},
            "all": {INFO: base, "register": "everything"},
            "all in check mode": {INFO: base, "check_mode": True},
            "back in check mode": {FLEET: round_trip, "check_mode": True, "diff": True},
            "back": {FLEET: round_trip},
            "back again": {FLEET: round_trip},
            "some that are not": {
                INFO: {**base, "identity_ids": [ids["everyone"], UNKNOWN, ids["ledger"]]}
            },
            "unsayable": {INFO: {**there, "identity_ids": unsayable}, "register": "odd"},
            "unsayable, back": {FLEET: {**there, "azure_auths": "{{ odd.azure_auths }}"}},
            "gone meanwhile, of some": {INFO: {**there, "identity_ids": several[:3]}},
            "gone meanwhile, of all": {INFO: there},
        }
        results = dict(zip(tasks, run_play(folder, tasks.values()).results))
        counts = {
            "several": len(server.requests(identity_id=ids["everyone"])),
            "searches": len(server.requests(path="/identities/search$")),
            "lists": len(server.requests(path="/identities$")),
            "writes": len(server.requests(method="PATCH")),
            "writes elsewhere": sum(item.method != "GET" for item in moving.requests()),
        }
        raw_after = {name: server.azure_auth(ids[name]) for name in raw}
        return Visit(results, counts, ids, raw, raw_after, server.identities)


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
    raw = here.raw["host bits"]
    assert result["azure_auths"] == [
        {
            "identity_id": here.ids["host bits"],
            "state": "present",
            "tenant_id": TENANT,
            "resource": RESOURCE,
            "allowed_service_principal_ids": [ONE],
            "allow_all_service_principals": False,
            "access_token_trusted_ips": ["10.0.0.0/8", "192.0.2.0/24"],
            "access_token_ttl": 3600,
            "access_token_max_ttl": 7200,
            "access_token_num_uses_limit": 0,
            "metadata": {
                "id": raw["id"],
                "created_at": raw["createdAt"],
                "updated_at": raw["updatedAt"],
                "access_token_period": 0 if generation == "2026" else None,
            },
        }
    ]


def test_several_by_ids_and_names_each_once_in_the_order_asked_for(here: Visit) -> None:
    result = here.results["several"]
    assert not result["failed"], result["msg"]
    ids = [item["identity_id"] for item in result["azure_auths"]]
    assert ids == [here.ids[name] for name in ("everyone", "ledger", "no TTL")]
    assert [item["state"] for item in result["azure_auths"]] == ["present", "absent", "present"]
    absent = result["azure_auths"][1]
    assert absent == {
        "identity_id": here.ids["ledger"],
        "identity_name": "ledger",
        "state": "absent",
        "metadata": None,
    }
    assert result["azure_auths"][2]["identity_name"] == "no TTL"


@pytest.mark.parametrize("title", ["none of that kind", "none of either kind"])
def test_an_empty_list_means_none(title: str, here: Visit) -> None:
    result = here.results[title]
    assert not result["failed"], result["msg"]
    assert result["azure_auths"] == []


def test_all_are_those_of_the_organization_that_have_it_by_name(
    here: Visit, generation: str
) -> None:
    result = here.results["all"]
    assert not result["failed"], result["msg"]
    seeded = ["batch worker", "payments", "platform"]
    names = [item["identity_name"] for item in result["azure_auths"]]
    assert names == sorted([*names_of(generation), *seeded])
    assert {item["state"] for item in result["azure_auths"]} == {"present"}
    assert all(item["metadata"]["id"] for item in result["azure_auths"])
    for key in ("foreign", "sub-organization"):
        assert here.seeded.get(key) not in [item["identity_id"] for item in result["azure_auths"]]


def test_check_mode_makes_no_difference(here: Visit) -> None:
    results = here.results
    assert results["all in check mode"]["azure_auths"] == results["all"]["azure_auths"]
    assert results["all in check mode"]["changed"] is False


def test_giving_it_all_back_changes_nothing_but_broken_ids(here: Visit) -> None:
    broken = sorted(BROKEN)
    for title in ("back in check mode", "back"):
        result = here.results[title]
        assert not result["failed"], result["msg"]
        assert [item["identity_name"] for item in result["results"]] == broken
        assert result["changed_count"] == len(broken)
        assert result["checked"] == len(here.results["all"]["azure_auths"])
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
    assert [item["identity_id"] for item in result["azure_auths"]] == [
        here.ids["everyone"],
        here.ids["ledger"],
    ]
    assert result["failed_count"] == 1
    (failure,) = result["failures"]
    assert failure["identity_id"] == UNKNOWN
    assert (failure["http_status"], failure["error"]) == (404, "NotFound")
    assert (
        result["msg"] == f"1 of 3 identities failed: identity_ids[1] ({UNKNOWN}): {failure['msg']}"
    )


@pytest.mark.parametrize("title", UNSAYABLE)
def test_what_no_option_can_say_is_shown_and_refused_when_it_comes_back(
    title: str, here: Visit
) -> None:
    shown = here.results["unsayable"]
    assert not shown["failed"], shown["msg"]
    index = list(UNSAYABLE).index(title)
    refused = here.results["unsayable, back"]
    assert refused["failed"]
    assert f"azure_auths[{index}] (" in refused["msg"]
    assert UNSAYABLE[title][1] in refused["msg"]
    assert here.requests["writes elsewhere"] == 0


def test_nobody_is_shown_as_a_blank_and_never_as_everyone(here: Visit) -> None:
    shown = here.results["unsayable"]["azure_auths"]
    assert shown[0]["allowed_service_principal_ids"] == [""]
    assert shown[1]["access_token_trusted_ips"] == ["fe80::1%eth0"]


def test_those_that_lose_it_meanwhile_are_absent_or_fail_when_asked_for(here: Visit) -> None:
    result = here.results["gone meanwhile, of some"]
    assert result["failed"]
    assert [item["state"] for item in result["azure_auths"]] == ["present", "absent"]
    assert [item["http_status"] for item in result["failures"]] == [404]


def test_those_that_lose_it_meanwhile_are_left_out_of_all(here: Visit) -> None:
    result = here.results["gone meanwhile, of all"]
    assert not result["failed"], result["msg"]
    names = [item["identity_name"] for item in result["azure_auths"]]
    assert [name for name in names if name.startswith("app")] == [
        "app 0",
        "app 3",
        "app 4",
        "app 5",
    ]


def test_names_and_lists_take_the_fewest_requests(here: Visit, generation: str) -> None:
    today = generation == "2026"
    # The names of "several" are looked for once; all are listed three times, one way or the other.
    assert here.requests["searches"] == 1
    assert here.requests["lists"] == (2 if today else 3)


def test_a_route_that_is_not_there_is_not_taken_for_identities_that_are_gone() -> None:
    with running() as server:
        server.fault("error", path="azure-auth", status=404, error="Not Found")
        options = {"url": server.url, "token": server.token}
        result = run_in_process(infisical_azure_auth_info.main, options)
    assert result["failed"]
    assert "The server does not know this API" in result["msg"]
    assert result["azure_auths"] == []
