# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module does when requests fail half-way, races are lost, and servers misbehave."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest
from functional.cases import ATTACHED, ONE, REQUIRED, TWO
from functional.harness import THOROUGH, Result, Task, run_in_process, run_tasks

from ansible_collections.community.infisical.plugins.modules import infisical_azure_auth
from emulator import running

ATTACH_OTHER = {**ATTACHED, "resource": "other", "allowedServicePrincipalIds": TWO}


@dataclass(frozen=True)
class Scenario:
    """One run against a server that misbehaves.

    `stored` are the fields that differ from ATTACHED, None is "not attached". Either `message` is
    in what the failed task says, or it succeeds. `leaves` are fields of the raw object afterwards;
    None: nothing is attached, "gone": there is no such identity any more.
    """

    id: str
    stored: t.Mapping[str, t.Any] | None
    options: t.Mapping[str, t.Any]
    faults: t.Sequence[tuple[str, t.Mapping[str, t.Any]]]
    changed: bool
    leaves: t.Mapping[str, t.Any] | str | None
    message: str | None = None
    result: t.Mapping[str, t.Any] = field(default_factory=dict)
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    generation: str = "2026"


def race(method: str, change: str, **fields: t.Any) -> tuple[str, dict[str, t.Any]]:
    return "race", {"method": method, "times": 1, "change": change, "fields": fields}


def error(method: str, **options: t.Any) -> tuple[str, dict[str, t.Any]]:
    return "error", {"method": method, "times": 1, **options}


OTHER = {"resource": "other"}
NOT_DONE = {"resource": ATTACHED["resource"]}

RACES = [
    Scenario(
        "attach: another attaches the same first",
        None,
        REQUIRED,
        [
            race(
                "POST",
                "attach",
                **{**ATTACHED, "accessTokenTTL": 2592000, "accessTokenMaxTTL": 2592000},
            )
        ],
        changed=False,
        leaves={"allowedServicePrincipalIds": ONE},
    ),
    Scenario(
        "attach: another attaches something else first",
        None,
        REQUIRED,
        [race("POST", "attach", **ATTACH_OTHER)],
        changed=True,
        leaves={"resource": ATTACHED["resource"], "allowedServicePrincipalIds": ONE},
    ),
    Scenario(
        "attach: the loser gets a 500, as most do",
        None,
        REQUIRED,
        [race("POST", "attach", **ATTACH_OTHER), error("POST")],
        changed=True,
        leaves={"resource": ATTACHED["resource"], "allowedServicePrincipalIds": ONE},
    ),
    Scenario(
        "attach: the identity is deleted first",
        None,
        REQUIRED,
        [race("POST", "delete")],
        changed=False,
        leaves="gone",
        message="404 NotFound",
        result={"http_status": 404, "error": "NotFound"},
    ),
    Scenario(
        "revoke: another revokes first",
        {},
        {"state": "absent"},
        [race("DELETE", "detach")],
        changed=False,
        leaves=None,
    ),
    Scenario(
        "revoke: the loser gets a 500",
        {},
        {"state": "absent"},
        [race("DELETE", "detach"), error("DELETE")],
        changed=True,
        leaves=None,
    ),
    Scenario(
        "revoke: the identity is deleted first",
        {},
        {"state": "absent"},
        [race("DELETE", "delete")],
        changed=False,
        leaves="gone",
    ),
    Scenario(
        "update: another revokes first, and it is attached again",
        {},
        {**REQUIRED, **OTHER},
        [race("PATCH", "detach")],
        changed=True,
        leaves=OTHER,
    ),
    Scenario(
        "update: another revokes first, and too little is known to attach",
        {},
        OTHER,
        [race("PATCH", "detach")],
        changed=False,
        leaves=None,
        message="Azure Auth is not attached to the identity, and attaching it requires tenant_id,",
    ),
    Scenario(
        "update: another writes the same first",
        {},
        OTHER,
        [race("PATCH", "update", resource="other"), error("PATCH", status=400, error="BadRequest")],
        changed=False,
        leaves=OTHER,
    ),
    Scenario(
        "read: another attaches between the two reads",
        None,
        {**REQUIRED, **OTHER},
        [
            (
                "race",
                {
                    "method": "GET",
                    "path": "/api/v1/identities/",
                    "times": 1,
                    "change": "attach",
                    "fields": ATTACHED,
                },
            )
        ],
        changed=True,
        leaves=OTHER,
    ),
]

HALF_WAY = [
    Scenario(
        f"{verb}: {what} after the work was done",
        stored,
        options,
        [(action, {"method": method, "times": 1, **details})],
        changed=True,
        leaves=leaves,
    )
    for verb, method, stored, options, leaves in (
        ("attach", "POST", None, REQUIRED, {"allowedServicePrincipalIds": ONE}),
        ("update", "PATCH", {}, OTHER, OTHER),
        ("revoke", "DELETE", {}, {"state": "absent"}, None),
    )
    for what, action, details in (
        ("500", "error", {"status": 500, "when": "after"}),
        ("502", "error", {"status": 502, "when": "after", "html": True}),
        ("connection closed", "drop", {"when": "after"}),
        ("connection reset", "drop", {"when": "after", "reset": True}),
        ("answer cut off", "truncate", {"keep": 20}),
        ("HTML", "body", {"text": "<html>", "when": "after"}),
        ("a lone null", "body", {"when": "after"}),
        ("JSON of another shape", "body", {"json": {"ok": True}, "when": "after"}),
    )
] + [
    Scenario(
        f"{verb}: {what} before the work was done, once",
        stored,
        options,
        [(action, {"method": method, "times": 1, **details})],
        changed=True,
        leaves=leaves,
    )
    for verb, method, stored, options, leaves in (
        ("attach", "POST", None, REQUIRED, {"allowedServicePrincipalIds": ONE}),
        ("update", "PATCH", {}, OTHER, OTHER),
        ("revoke", "DELETE", {}, {"state": "absent"}, None),
    )
    for what, action, details in (
        ("503", "error", {"status": 503, "error": "ServiceUnavailable"}),
        ("connection closed", "drop", {}),
    )
]

LASTING = [
    Scenario(
        "update: a 500 that lasts is reported, and nothing was written",
        {},
        OTHER,
        [("error", {"method": "PATCH", "status": 500, "error": "Update by id"})],
        changed=False,
        leaves=NOT_DONE,
        message="500 Update by id: Something went wrong.",
        result={"http_status": 500, "error": "Update by id"},
    ),
    Scenario(
        "update: a gateway that stays down is tried as often as asked for",
        {},
        {**OTHER, "retries": 2},
        [("error", {"method": "PATCH", "status": 502, "html": True})],
        changed=False,
        leaves=NOT_DONE,
        message="(tried 3 times in",
        result={"http_status": 502},
    ),
    Scenario(
        "update: the second of two requests fails, and what was done is told",
        {},
        {"access_token_ttl": 0, "access_token_max_ttl": 60, "resource": "other"},
        [("error", {"method": "PATCH", "nth": nth, "status": 500}) for nth in (2, 3, 4, 5)],
        changed=True,
        leaves={"accessTokenTTL": 60, "accessTokenMaxTTL": 60, **OTHER},
        message="500 InternalServerError",
    ),
    Scenario(
        "attach: the second of two requests fails, and what was done is told",
        None,
        {**REQUIRED, "access_token_ttl": 60, "access_token_max_ttl": 0},
        [("error", {"method": "PATCH", "status": 500})],
        changed=True,
        leaves={"accessTokenTTL": 60, "accessTokenMaxTTL": 60},
        message="500 InternalServerError",
    ),
    Scenario(
        "update: the server answers another state than it was asked for",
        {},
        OTHER,
        [("mismatch", {"method": "PATCH", "fields": {"allowedServicePrincipalIds": TWO}})],
        changed=True,
        leaves={"allowedServicePrincipalIds": TWO},
        message=(
            f"allowed_service_principal_ids ['{TWO}'] instead of allowed_service_principal_ids"
            f" ['{ONE}']; check"
        ),
    ),
    Scenario(
        "attach: the server answers another state than it was asked for",
        None,
        REQUIRED,
        [("mismatch", {"method": "POST", "fields": {"allowedServicePrincipalIds": ""}})],
        changed=True,
        leaves={"allowedServicePrincipalIds": ""},
        message=(
            "allow_all_service_principals True instead of allowed_service_principal_ids"
            f" ['{ONE}']; check"
        ),
    ),
    Scenario(
        "update: a trusted IP without the licence",
        {},
        {"access_token_trusted_ips": ["10.0.0.0/8"], "resource": "other"},
        [],
        settings={"licence": False},
        changed=False,
        leaves=NOT_DONE,
        message="plan restriction",
        result={"http_status": 400},
    ),
    Scenario(
        "a validation failure with status 401 is bad input, not bad credentials",
        {},
        OTHER,
        [
            (
                "error",
                {
                    "method": "PATCH",
                    "status": 401,
                    "error": "ValidationFailure",
                    "message": [{"code": "custom", "path": ["resource"], "message": "Too plain"}],
                },
            )
        ],
        changed=False,
        leaves=NOT_DONE,
        message="401 ValidationFailure: resource: Too plain.",
        result={"http_status": 401, "error": "ValidationFailure"},
    ),
    Scenario(
        "a 400 about something else is not taken for not attached",
        {},
        OTHER,
        [("error", {"method": "GET", "path": "azure-auth", "status": 400, "error": "BadRequest"})],
        changed=False,
        leaves=NOT_DONE,
        message="Could not read the Azure Auth",
        result={"http_status": 400, "error": "BadRequest"},
    ),
]

RULES = [
    Scenario(
        f"a server with the lifetime rule {rule}: {what}",
        {"accessTokenTTL": stored[0], "accessTokenMaxTTL": stored[1]},
        options,
        [],
        settings={"ttl_rule": rule},
        changed=True,
        leaves=leaves,
    )
    for rule in ("mended", "mended-zero")
    for what, stored, options, leaves in (
        (
            "only a lower max",
            (60, 7200),
            {"access_token_max_ttl": 3600},
            {"accessTokenTTL": 60, "accessTokenMaxTTL": 3600},
        ),
        (
            "no maximum where the stored TTL is above the max",
            (200, 100),
            {"access_token_ttl": 200, "access_token_max_ttl": 0},
            {"accessTokenTTL": 200, "accessTokenMaxTTL": 0},
        ),
        (
            "no TTL and a lower max",
            (3600, 7200),
            {"access_token_ttl": 0, "access_token_max_ttl": 60},
            {"accessTokenTTL": 0, "accessTokenMaxTTL": 60},
        ),
    )
]

SCHEMA = [
    Scenario(
        f"a server that takes its schema literally: {what}",
        {},
        options,
        [],
        settings={"literal_schema": True},
        changed=True,
        leaves={"allowedServicePrincipalIds": ONE, **leaves},
    )
    for what, options, leaves in (
        ("one field", OTHER, OTHER),
        (
            "two requests",
            {"access_token_ttl": 0, "access_token_max_ttl": 60},
            {"accessTokenTTL": 0, "accessTokenMaxTTL": 60},
        ),
        ("the principals as they are", {**REQUIRED, **OTHER}, OTHER),
    )
]

LIMITS = [
    Scenario(
        f"{what} is waited for",
        {},
        OTHER,
        [("rate_limit", {"method": method, "times": 1, **details})],
        changed=True,
        leaves=OTHER,
        generation=generation,
    )
    for what, method, details, generation in (
        ("a 429 on reading", "GET", {"retry_after": 1}, "2026"),
        ("a 429 on writing", "PATCH", {"retry_after": 1}, "2026"),
        ("a 429 without a time", "PATCH", {"retry_after": None}, "2026"),
        ("a 429 with a time that is no number", "PATCH", {"retry_after": "soon"}, "2026"),
        ("a 429 with a time of 0", "PATCH", {"retry_after": 0}, "2026"),
        ("a 500 that is a rate limit", "PATCH", {"retry_after": 1, "status": 500}, "2024-10"),
    )
] + [
    Scenario(
        "a rate limit that lasts too long is a failure, which says for how long",
        {},
        {**OTHER, "rate_limit_timeout": 5},
        [("rate_limit", {"method": "PATCH", "retry_after": 99999999})],
        changed=False,
        leaves=NOT_DONE,
        message="the module to wait 99999999 more seconds, which exceeds rate_limit_timeout (5",
        result={"http_status": 429, "error": "RateLimitExceeded"},
    )
]

SCENARIOS = RACES + HALF_WAY + LASTING + RULES + SCHEMA + LIMITS


@dataclass
class Outcome:
    result: Result
    raw: dict[str, t.Any] | str | None
    requests: list[t.Any]


def group_of(scenario: Scenario) -> tuple[str, tuple[tuple[str, t.Any], ...]]:
    """Return what scenarios have to share to run against one server."""
    return scenario.generation, tuple(sorted(scenario.settings.items()))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    found = {}
    for group in dict.fromkeys(map(group_of, SCENARIOS)):
        scenarios = [scenario for scenario in SCENARIOS if group_of(scenario) == group]
        with running(generation=group[0], **dict(group[1])) as server:
            ids = [prepare(server, scenario) for scenario in scenarios]
            tasks = [
                Task(
                    {
                        "url": server.url,
                        "token": server.token,
                        "identity_id": identity_id,
                        **scenario.options,
                    }
                )
                for identity_id, scenario in zip(ids, scenarios)
            ]
            if THOROUGH:
                results = run_tasks(tmp_path_factory.mktemp("faults"), tasks)
            else:
                results = [
                    run_in_process(infisical_azure_auth.main, task.options) for task in tasks
                ]
            for scenario, identity_id, result in zip(scenarios, ids, results):
                raw = server.azure_auth(identity_id) if server.identity(identity_id) else "gone"
                requests = server.requests(identity_id=identity_id)
                found[scenario.id] = Outcome(result, raw, requests)
    return found


def prepare(server: t.Any, scenario: Scenario) -> str:
    identity_id = server.create_identity(scenario.id)
    if scenario.stored is not None:
        server.put_azure_auth(identity_id, **{**ATTACHED, **scenario.stored})
    for action, options in scenario.faults:
        server.fault(action, identity_id=identity_id, **options)
    return str(identity_id)


@pytest.mark.parametrize("scenario", [pytest.param(row, id=row.id) for row in SCENARIOS])
def test_scenario(scenario: Scenario, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[scenario.id]
    result, raw = outcome.result, outcome.raw
    if scenario.message is None:
        assert not result["failed"], result["msg"]
    else:
        assert result["failed"]
        assert scenario.message in result["msg"]
        assert {name: result.get(name) for name in scenario.result} == dict(scenario.result)
    assert result.get("changed", False) is scenario.changed
    if isinstance(scenario.leaves, dict):
        assert isinstance(raw, dict)
        assert {name: raw[name] for name in scenario.leaves} == scenario.leaves
    else:
        assert raw == scenario.leaves
    # What is returned, on success and after a write that was followed by a failure, is the truth.
    if "azure_auth" in result:
        state = result["azure_auth"]
        if isinstance(raw, dict):
            assert (state["resource"], state["access_token_ttl"]) == (
                raw["resource"],
                raw["accessTokenTTL"],
            )
        else:
            assert state["state"] == "absent"
        shown = result["diff"]["after"]
        assert shown == {key: state[key] for key in shown}
        assert (shown == result["diff"]["before"]) == (not scenario.changed)
    assert ("azure_auth" in result) == (scenario.message is None or scenario.changed)


def test_nothing_is_attached_twice_and_no_empty_update_sent(
    outcomes: dict[str, Outcome], record_property: t.Callable[[str, object], None]
) -> None:
    faults = [action for scenario in SCENARIOS for action, _options in scenario.faults]
    record_property("faults", len(faults))
    record_property("kinds", len(set(faults)))
    for title, outcome in outcomes.items():
        attached = [item for item in outcome.requests if item.method == "POST"]
        accepted = [item for item in attached if item.status == 200]
        assert len(accepted) <= 1, title
        if title.endswith("after the work was done"):
            assert len(attached) <= 1, title
        updates = [item for item in outcome.requests if item.method == "PATCH"]
        assert all(item.body.get("allowedServicePrincipalIds") for item in updates), title
