# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the module for one identity hold for each of many.

Every case of cases.py is an entry of one list, which is tried in check mode, for real and again;
every scenario of test_faults.py that can stand beside others is one of another. What comes of an
entry is compared with what the module for one identity makes of the same on an emulator of its own,
which hands out the same ids.
"""

from __future__ import annotations

import contextlib
import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from functional.cases import ATTACHED, BOTH, CASES, Case
from functional.harness import FLEET, Result, entry, run_in_process, run_play, warnings_of
from functional.test_faults import SCENARIOS, Scenario, group_of, prepare

from ansible_collections.community.infisical.plugins.modules import infisical_azure_auth
from emulator import running

WRITES = ("POST", "PATCH", "DELETE")
OUTCOME = ("index", "changed", "created", "deleted", "revoked", "failed", "purged")
RUNS = ("check", "real", "again")
# Alone nothing is tried again: test_cases.py does that.
COMPARED = ("check", "real")
WARNINGS_OF_OPTIONS = ("host bits were dropped from", "allow every IPv4 address")
WARNINGS_OF_WHAT_IS_STORED = ("have values that the options do not accept; they are returned",)
WARNINGS_OF_CHANGES = ("which were not open before, to every service principal of the tenant: ",)
ENTRY_OPTIONS = {
    "state",
    "tenant_id",
    "resource",
    "allowed_service_principal_ids",
    "allow_all_service_principals",
    "access_token_trusted_ips",
    "access_token_ttl",
    "access_token_max_ttl",
    "access_token_num_uses_limit",
}


def cases_of(generation: str) -> list[Case]:
    """The cases that can be entries, which know no aliases."""
    return [
        case
        for case in CASES
        if generation in case.generations and set(case.options) <= ENTRY_OPTIONS
    ]


@dataclass
class Side:
    """One of the two: a result a run and case (None: not mentioned), the requests and the rest."""

    results: dict[str, dict[str, Result | None]]
    requests: dict[str, list[t.Any]]
    raw: dict[str, t.Any]
    searches: int


@dataclass
class Comparison:
    one: Side
    many: Side
    runs: dict[str, Result]


def prepared(server: t.Any, generation: str) -> dict[str, str]:
    ids: dict[str, str] = {}
    for case in cases_of(generation):
        ids[case.id] = server.create_identity(case.id, methods=case.methods)
        if case.stored is not None:
            server.put_azure_auth(ids[case.id], **{**ATTACHED, **case.stored})
    return ids


def addressed(run: str, case: Case, ids: dict[str, str]) -> dict[str, str]:
    """By its id and by its name in turn: what is read on the way is not the same."""
    return {"name": case.id} if run == "real" else {"id": ids[case.id]}


def as_options(address: dict[str, str]) -> dict[str, str]:
    """Return an address as the module for one identity's Azure Auth takes it."""
    return {f"identity_{key}": value for key, value in address.items()}


def side_of(server: t.Any, ids: dict[str, str], results: t.Any) -> Side:
    return Side(
        results,
        {title: server.requests(identity_id=identity_id) for title, identity_id in ids.items()},
        {title: server.azure_auth(identity_id) for title, identity_id in ids.items()},
        len(server.requests(path=r"/identities(/search)?$")),
    )


def alone(generation: str) -> Side:
    with running(generation=generation) as server:
        ids = prepared(server, generation)
        connection = {"url": server.url, "token": server.token}
        results: dict[str, dict[str, Result | None]] = {run: {} for run in RUNS}
        for run in COMPARED:
            for case in cases_of(generation):
                results[run][case.id] = run_in_process(
                    infisical_azure_auth.main,
                    {**connection, **as_options(addressed(run, case, ids)), **case.options},
                    check=run == "check",
                )
        return side_of(server, ids, results)


def together(generation: str, folder: Path) -> tuple[Side, dict[str, Result]]:
    cases = cases_of(generation)
    with running(generation=generation) as server:
        ids = prepared(server, generation)
        tasks = [
            {
                FLEET: {
                    "url": server.url,
                    "token": server.token,
                    "identities": [
                        {**addressed(run, case, ids), "azure_auth": case.options} for case in cases
                    ],
                },
                "check_mode": run == "check",
                "diff": True,
            }
            for run in RUNS
        ]
        runs = dict(zip(RUNS, run_play(folder, tasks).results))
        titles = {identity_id: title for title, identity_id in ids.items()}
        results: dict[str, dict[str, Result | None]] = {}
        for run, result in runs.items():
            results[run] = dict.fromkeys(ids)
            for item in result["results"]:
                results[run][titles[item["id"]]] = item
        return side_of(server, ids, results), runs


@pytest.fixture(scope="module")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Comparison]:
    found: dict[str, tuple[Side, dict[str, Result]]] = {}
    folder = tmp_path_factory.mktemp("cases")

    def run(generation: str) -> None:
        found[generation] = together(generation, folder / generation)

    threads = [threading.Thread(target=run, args=[generation]) for generation in BOTH]
    for thread in threads:
        thread.start()
    # In this thread: the module deals with signals.
    singles = {generation: alone(generation) for generation in BOTH}
    for thread in threads:
        thread.join()
    assert set(found) == set(BOTH), "a run of the playbook failed: see the traceback above"
    return {generation: Comparison(singles[generation], *found[generation]) for generation in BOTH}


TABLE = [
    pytest.param(case, generation, id=f"{case.id} [{generation}]")
    for generation in BOTH
    for case in cases_of(generation)
]


def timeless(azure_auth: Result) -> Result:
    """Return a state without what depends on when, and as the how many-th, it was written."""
    details = azure_auth["details"]
    if details is None:
        return azure_auth
    known = {
        name: value is None if name in ("id", "created_at", "updated_at") else value
        for name, value in details.items()
    }
    return {**azure_auth, "details": known}


def without_id(azure_auth: Result) -> Result:
    """Return the state that the module for one returns, as it is in an entry."""
    return {name: value for name, value in azure_auth.items() if name != "identity_id"}


def writes_of(side: Side, case: Case) -> list[tuple[str, t.Any]]:
    requests = side.requests[case.id]
    return [(item.method, item.body or {}) for item in requests if item.method in WRITES]


@pytest.mark.parametrize("run", COMPARED)
@pytest.mark.parametrize(("case", "generation"), TABLE)
def test_an_entry_comes_out_as_the_identity_alone(
    case: Case, generation: str, run: str, comparisons: dict[str, Comparison]
) -> None:
    comparison = comparisons[generation]
    one = comparison.one.results[run][case.id]
    many = comparison.many.results[run][case.id]
    assert one is not None
    # What is as it should be is only counted.
    assert (many is None) == (not one["failed"] and not one["changed"])
    assert one["failed"] == bool(case.refused)
    if many is None:
        return
    assert {name: many[name] for name in OUTCOME} == {
        "index": cases_of(generation).index(case),
        "changed": one["changed"],
        "created": False,
        "deleted": False,
        "revoked": one["changed"] and one["azure_auth"]["state"] == "absent",
        "failed": one["failed"],
        "purged": False,
    }
    if one["failed"]:
        assert many["msg"] == one["msg"]
        assert f"): {one['msg']}" in comparison.runs[run]["msg"]
        return
    assert timeless(many["azure_auth"]) == timeless(without_id(one["azure_auth"]))


@pytest.mark.parametrize(("case", "generation"), TABLE)
def test_an_entry_tried_again_changes_nothing(
    case: Case, generation: str, comparisons: dict[str, Comparison]
) -> None:
    many = comparisons[generation].many.results
    again = many["again"][case.id]
    if not case.refused:
        assert again is None
        return
    assert again is not None
    assert again["failed"]
    assert not again["changed"]
    assert again["msg"] == t.cast(Result, many["real"][case.id])["msg"]


@pytest.mark.parametrize(("case", "generation"), TABLE)
def test_an_entry_takes_the_same_requests_as_the_identity_alone(
    case: Case, generation: str, comparisons: dict[str, Comparison]
) -> None:
    comparison = comparisons[generation]
    assert writes_of(comparison.many, case) == [(verb, dict(body)) for verb, body in case.writes]
    alone_requests = [(item.method, item.path) for item in comparison.one.requests[case.id]]
    requests = [(item.method, item.path) for item in comparison.many.requests[case.id]]
    assert requests[: len(alone_requests)] == alone_requests
    # And those of the last run: one where Azure Auth is attached, two where it is not.
    if not case.refused:
        reads = 2 if comparison.many.raw[case.id] is None else 1
        assert [verb for verb, _path in requests[len(alone_requests) :]] == ["GET"] * reads
    raw, alone_raw = comparison.many.raw[case.id], comparison.one.raw[case.id]
    times = ("createdAt", "updatedAt", "id")
    assert (raw is None) == (alone_raw is None)
    if raw is not None:
        assert {**raw, **dict.fromkeys(times)} == {**alone_raw, **dict.fromkeys(times)}


@pytest.mark.parametrize("generation", BOTH)
@pytest.mark.parametrize("run", COMPARED)
def test_differences_are_those_of_each_identity_alone_headed_by_name_and_id(
    run: str, generation: str, comparisons: dict[str, Comparison]
) -> None:
    comparison = comparisons[generation]
    changed = [
        (case, item)
        for case, item in (
            (case, comparison.many.results[run][case.id]) for case in cases_of(generation)
        )
        if item and item["changed"] and not item["failed"]
    ]
    assert len(changed) == comparison.runs[run]["changed_count"]
    assert comparison.runs["again"]["diff"] == []
    differences = comparison.runs[run]["diff"]
    assert len(differences) == len(changed)
    for (case, item), difference in zip(changed, differences):
        alone_result = comparison.one.results[run][case.id]
        assert alone_result is not None
        for side in ("before", "after"):
            # The identity itself is not looked at.
            assert difference[side] == {"azure_auth": alone_result["diff"][side]}
            header = difference[f"{side}_header"]
            assert header.endswith(item["id"])
            assert (case.id in header) == (item["name"] is not None)
        assert difference["before"] != difference["after"]


@pytest.mark.parametrize("generation", BOTH)
def test_counts_sum_up_and_the_order_is_that_of_the_entries(
    generation: str, comparisons: dict[str, Comparison]
) -> None:
    comparison = comparisons[generation]
    cases = cases_of(generation)
    writing = sum(bool(case.writes) for case in cases)
    refused = sum(case.refused is not None for case in cases)
    assert refused > 5
    assert writing > 20
    for run in RUNS:
        result = comparison.runs[run]
        assert result["failed"], "the refusals fail the task"
        assert result["checked"] == len(cases)
        assert result["failed_count"] == refused
        assert result["changed_count"] == (0 if run == "again" else writing)
        assert result["changed"] == (run != "again")
        counts = ("created_count", "deleted_count", "purged_count")
        assert [result[name] for name in counts] == [0, 0, 0]
        order = [case.id for case in cases if comparison.many.results[run][case.id]]
        titles = {item["id"]: title for title, item in comparison.many.results[run].items() if item}
        assert [titles[item["id"]] for item in result["results"]] == order


@pytest.mark.parametrize("generation", BOTH)
def test_names_of_a_whole_list_take_two_requests_at_most(
    generation: str, comparisons: dict[str, Comparison]
) -> None:
    comparison = comparisons[generation]
    # Some of the names are not ones that the search takes.
    assert comparison.many.searches == 1
    assert comparison.one.searches >= len(cases_of(generation))


@pytest.mark.parametrize("generation", BOTH)
def test_each_kind_of_warning_comes_once_with_a_count(
    generation: str, comparisons: dict[str, Comparison]
) -> None:
    comparison = comparisons[generation]
    for run in RUNS:
        warnings = comparison.runs[run]["warnings"]
        text = warnings_of(comparison.runs[run])
        # The last run opens nothing that was not open already.
        kinds: tuple[str, ...] = WARNINGS_OF_OPTIONS + WARNINGS_OF_WHAT_IS_STORED
        kinds += () if run == "again" else WARNINGS_OF_CHANGES
        assert len(warnings) == len(kinds), text
        for kind in kinds:
            assert text.count(kind) == 1
        # Who it is about is told, too.
        assert "identities[" in text
        for case in cases_of(generation):
            if case.warns and case.warns.startswith(WARNINGS_OF_OPTIONS):
                assert case.warns.split(":")[-1].strip() in text or ", ..." in text


# -- bad days ---------------------------------------------------------------------------------

# These end the work on all others, or take options of the connection.
AMONG_OTHERS = [
    scenario
    for scenario in SCENARIOS
    if set(scenario.options) <= ENTRY_OPTIONS and "lasts too long" not in scenario.id
]
GROUPS = list(dict.fromkeys(map(group_of, AMONG_OTHERS)))


@dataclass
class Day:
    """What came of a scenario among others: its result (None: not mentioned) and raw object."""

    result: Result | None
    raw: dict[str, t.Any] | str | None
    requests: list[t.Any]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Day]:
    groups = [
        [scenario for scenario in AMONG_OTHERS if group_of(scenario) == group] for group in GROUPS
    ]
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(running(generation=generation, **dict(settings)))
            for generation, settings in GROUPS
        ]
        ids = [
            [prepare(server, scenario) for scenario in group]
            for server, group in zip(servers, groups)
        ]
        tasks = [
            {
                FLEET: {
                    "url": server.url,
                    "token": server.token,
                    "concurrency": 32,
                    "identities": [
                        entry(identity_id, **scenario.options)
                        for identity_id, scenario in zip(group_ids, group)
                    ],
                }
            }
            for server, group, group_ids in zip(servers, groups, ids)
        ]
        results = run_play(tmp_path_factory.mktemp("days"), tasks).results
        found = {}
        for server, group, group_ids, result in zip(servers, groups, ids, results):
            assert result["checked"] == len(group)
            told = {item["id"]: item for item in result["results"]}
            for scenario, identity_id in zip(group, group_ids):
                raw = server.azure_auth(identity_id) if server.identity(identity_id) else "gone"
                requests = server.requests(identity_id=identity_id)
                found[scenario.id] = Day(told.get(identity_id), raw, requests)
        return found


@pytest.mark.parametrize("scenario", [pytest.param(row, id=row.id) for row in AMONG_OTHERS])
def test_a_bad_day_of_one_identity_among_others(scenario: Scenario, days: dict[str, Day]) -> None:
    day = days[scenario.id]
    if scenario.message is None and not scenario.changed:
        assert day.result is None
    else:
        assert day.result is not None
        assert day.result["failed"] == (scenario.message is not None), day.result
        assert day.result["changed"] == scenario.changed
        assert (scenario.message or "") in day.result.get("msg", "")
        assert {name: day.result.get(name) for name in scenario.result} == dict(scenario.result)
    if isinstance(scenario.leaves, dict):
        assert isinstance(day.raw, dict)
        assert {name: day.raw[name] for name in scenario.leaves} == scenario.leaves
        azure_auth = (day.result or {}).get("azure_auth", {})
        assert azure_auth or not day.result or day.result["failed"]
        if azure_auth.get("state") == "present":
            assert azure_auth["resource"] == day.raw["resource"]
            assert azure_auth["access_token_ttl"] == day.raw["accessTokenTTL"]
    else:
        assert day.raw == scenario.leaves
    updates = [item.body for item in day.requests if item.method == "PATCH"]
    assert all(body.get("allowedServicePrincipalIds") for body in updates)
    assert [item.method for item in day.requests if item.status == 200].count("POST") <= 1
