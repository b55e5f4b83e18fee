# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every case of cases.py: in check mode, for real, and once more.

In this process; by Ansible, all runs of all cases in one ansible-playbook, if the tests are to be
thorough.
"""

from __future__ import annotations

import contextlib
import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from functional.cases import ATTACHED, BOTH, CASES, Case
from functional.harness import (
    THOROUGH,
    Result,
    Task,
    run_in_process,
    run_tasks,
    warnings_of,
)

from ansible_collections.community.infisical.plugins.modules import infisical_azure_auth
from emulator import Emulator, running

AZURE_AUTH = "/api/v1/auth/azure-auth/identities/"
WRITES = ("POST", "PATCH", "DELETE")
UNKNOWN_ON_ATTACH = ("id", "created_at", "updated_at")


@dataclass
class Outcome:
    """What became of a case: a result a run, the requests for its identity, and the raw object.

    `fed_back` is a run with what the real one returned as its options.
    """

    check: Result
    real: Result
    again: Result | None
    fed_back: Result | None
    requests: list[t.Any]
    before: dict[str, t.Any] | None
    after: dict[str, t.Any] | None


def run_all(server: Emulator, folder: Path) -> dict[str, Outcome]:
    cases = [case for case in CASES if server.generation in case.generations]
    ids = {}
    for case in cases:
        ids[case.id] = server.create_identity(case.id, methods=case.methods)
        if case.stored is not None:
            server.put_azure_auth(ids[case.id], **{**ATTACHED, **case.stored})
    before = {case.id: server.azure_auth(ids[case.id]) for case in cases}
    tasks = []
    for case in cases:
        options = {
            "url": server.url,
            "token": server.token,
            "identity_id": ids[case.id],
            **case.options,
        }
        tasks += [Task(options, check=True), Task(options)]
        if not case.refused:
            tasks.append(Task(options))
    if THOROUGH:
        results = iter(run_tasks(folder, tasks))
    else:
        main = infisical_azure_auth.main
        results = iter([run_in_process(main, task.options, check=task.check) for task in tasks])
    return {
        case.id: Outcome(
            check=next(results),
            real=next(results),
            again=None if case.refused else next(results),
            fed_back=None,
            requests=server.requests(identity_id=ids[case.id]),
            before=before[case.id],
            after=server.azure_auth(ids[case.id]),
        )
        for case in cases
    }


def feed_back(server: Emulator, outcome: Outcome) -> Result | None:
    if outcome.again is None:
        return None
    options = {"url": server.url, "token": server.token, **outcome.real.get("azure_auth", {})}
    return run_in_process(infisical_azure_auth.main, options)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, dict[str, Outcome]]]:
    found: dict[str, dict[str, Outcome]] = {}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running(generation)) for generation in BOTH]
        for server in servers:
            folder = tmp_path_factory.mktemp(server.generation)
            found[server.generation] = run_all(server, folder)
            for outcome in found[server.generation].values():
                outcome.fed_back = feed_back(server, outcome)
        yield found


TABLE = [
    pytest.param(case, generation, id=f"{case.id} [{generation}]")
    for case in CASES
    for generation in case.generations
]


def writes_of(outcome: Outcome) -> list[tuple[str, t.Any]]:
    return [(item.method, item.body or {}) for item in outcome.requests if item.method in WRITES]


@pytest.mark.parametrize(("case", "generation"), TABLE)
def test_case(case: Case, generation: str, outcomes: dict[str, dict[str, Outcome]]) -> None:
    outcome = outcomes[generation][case.id]
    if case.refused is None:
        check_outcome(case, outcome)
    else:
        check_refusal(case, outcome)


def check_outcome(case: Case, outcome: Outcome) -> None:
    check, real, again = outcome.check, outcome.real, outcome.again
    assert not real["failed"], real["msg"]
    assert not check["failed"], check["msg"]
    assert again is not None
    assert not again["failed"], again["msg"]
    # Check mode would have written before the real run did, and the last run after it.
    assert writes_of(outcome) == [(verb, dict(body)) for verb, body in case.writes]
    assert (check["changed"], real["changed"], again["changed"]) == (
        bool(case.writes),
        bool(case.writes),
        False,
    )
    state = real["azure_auth"]
    assert {name: state.get(name) for name in case.leaves} == dict(case.leaves)
    assert without_the_unknown(check["azure_auth"], state) == state
    if state["state"] == "present":
        stored = state["details"].get("stored", {})
        assert {name: stored.get(name) for name in case.keeps} == dict(case.keeps)
        assert [name for name in stored if state[name] is not None] == []
        for result in (check, real):
            warned = warnings_of(result)
            assert (
                "have values that the options do not accept; they are returned under details.stored"
                in warned
            ) == bool(stored)
            assert [name for name in stored if f": {name}" not in warned] == []
    assert check["diff"] == real["diff"]
    assert (real["diff"]["before"] != real["diff"]["after"]) == bool(case.writes)
    # Facts are what is: the state before, under check mode.
    assert real["ansible_facts"]["infisical_azure_auth"] == state
    fact = check["ansible_facts"]["infisical_azure_auth"]
    assert (fact["details"] is None) == (outcome.before is None)
    if outcome.before is not None:
        shown = {**fact, **fact["details"].get("stored", {})}
        assert shown["tenant_id"] == outcome.before["tenantId"]
        assert fact["details"]["updated_at"] == outcome.before["updatedAt"]
    assert again["azure_auth"] == state
    if case.warns:
        assert case.warns in warnings_of(real)
        assert case.warns in warnings_of(check)
    # What comes out goes back in, but that an id in upper case is corrected.
    assert outcome.fed_back is not None
    assert not outcome.fed_back["failed"], outcome.fed_back["msg"]
    ids = state.get("allowed_service_principal_ids") or []
    assert outcome.fed_back["changed"] == (ids != [item.lower() for item in ids])


def without_the_unknown(predicted: Result, real: Result) -> Result:
    """Return the prediction with what it cannot know, and so leaves null, taken from the truth."""
    if not predicted["details"]:
        return predicted
    details = {
        key: real["details"][key] if value is None and key in UNKNOWN_ON_ATTACH else value
        for key, value in predicted["details"].items()
    }
    return {**predicted, "details": details}


def check_refusal(case: Case, outcome: Outcome) -> None:
    for result in (outcome.check, outcome.real):
        assert result["failed"], result
        assert str(case.refused) in result["msg"]
        assert not result.get("changed")
    assert outcome.check["msg"] == outcome.real["msg"]
    assert writes_of(outcome) == []
    assert outcome.after == outcome.before


@pytest.mark.parametrize("generation", BOTH)
def test_every_update_carries_the_principals_and_no_request_an_empty_body(
    generation: str, outcomes: dict[str, dict[str, Outcome]]
) -> None:
    updates = [
        body
        for outcome in outcomes[generation].values()
        for verb, body in writes_of(outcome)
        if verb == "PATCH"
    ]
    assert len(updates) > 20
    assert all("allowedServicePrincipalIds" in body and len(body) > 0 for body in updates)


@pytest.mark.parametrize("generation", BOTH)
def test_a_run_that_changes_nothing_reads_once_or_twice(
    generation: str, outcomes: dict[str, dict[str, Outcome]]
) -> None:
    for case in CASES:
        if generation not in case.generations or case.refused:
            continue
        outcome = outcomes[generation][case.id]
        attached = outcome.after is not None
        reads = 1 if attached else 2
        last = outcome.requests[-reads:]
        assert [item.method for item in last] == ["GET"] * reads, case.id
        # Before the last run there is the last request of the real one.
        if case.writes:
            assert outcome.requests[-reads - 1].method in WRITES, case.id
        else:
            assert len(outcome.requests) == 3 * reads, case.id


def is_open(raw: dict[str, t.Any] | None) -> bool:
    return raw is not None and raw["allowedServicePrincipalIds"] == ""


@pytest.mark.parametrize("generation", BOTH)
def test_no_case_opens_an_identity_that_does_not_ask_for_it(
    generation: str, outcomes: dict[str, dict[str, Outcome]]
) -> None:
    for case in CASES:
        if generation not in case.generations:
            continue
        outcome = outcomes[generation][case.id]
        open_before = is_open(outcome.before)
        open_after = is_open(outcome.after)
        asked = case.options.get("allow_all_service_principals") is True
        assert open_after <= (open_before or asked), (case.id, json.dumps(case.options))
