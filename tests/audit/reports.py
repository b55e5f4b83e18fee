# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of organizations of any size, made by the filter from results as the module returns them.

Of every status there are some, and names that would do something if anything took them for more
than names. The same size gives the same report.
"""

from __future__ import annotations

import random
import typing as t
import uuid

from ansible_collections.community.infisical.plugins.filter.identity_audit_report import (
    identity_audit_report,
)
from audit.worlds import DESIRED, HOSTILE, TENANT

Object = dict[str, t.Any]

ABOUT: Object = {
    "url": "https://infisical.example.com",
    "organization": "example",
    "source": "identities/",
    "created_at": "2026-11-23T02:00:00Z",
    "versions": {"ansible": "2.19.4", "collection": "1.0.0"},
}
NOT_VISIBLE = ["Identities of the project legacy: the login may not read them."]

WAIVERS = [
    {
        "rule": "several_auth_methods",
        "identity": "*-prod",
        "reason": "Moving to Azure Auth.",
        "until": "2126-12-31",
    },
    {
        "rule": "long_lifetime",
        "identity": "checkout-*",
        "reason": "Until the rewrite.",
        "until": "2025-12-31",
    },
    {
        "rule": "any_address",
        "identity": "nobody",
        "reason": "It was needed once.",
        "until": "2126-01-31",
    },
]

_TEAMS = ("billing", "search", "payments", "checkout", "data", "ml", "identity", "mobile", "infra")
_JOBS = ("api", "worker", "cron", "ci", "deploy", "etl", "backup", "gateway", "reports")
_STAGES = ("dev", "stage", "prod")
_ROLES = ("no-access", "no-access", "no-access", "member", "viewer", "billing-reader", "admin")
_PROJECTS = {
    "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d": "shop",
    "1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9": "Data platform",
}
_REFUSAL = (
    "identities/old.yml:9 ({0}): id '{0}' is not the ID of any identity that this login can see."
)
_OUTCOME: Object = dict.fromkeys(("changed", "created", "deleted", "failed", "purged"), False)


class World(t.NamedTuple):
    """A list, and the results of the tasks that compared it, with the places of their entries."""

    desired: list[Object]
    checks: list[Object]
    places: list[list[int]]


def report(
    count: int, *, has_list: bool = True, has_odd_names: bool = True, **options: t.Any
) -> Object:
    """Return the report of an organization with so many identities, at least 4.

    `options` are those of the filter.
    """
    made = world(count, has_list=has_list, has_odd_names=has_odd_names)
    given = {"about": ABOUT, "waivers": WAIVERS, **options}
    return identity_audit_report(made.desired, made.checks, made.places, **given)


def earlier_report(count: int, *, has_odd_names: bool = True) -> Object:
    """Return the report of an audit a week before, when less had drifted, and more been found."""
    made = world(count, has_odd_names=has_odd_names)
    (checked,) = made.checks[-1:]
    results = []
    for number, result in enumerate(checked["results"]):
        if result["index"] is None and number % 3 == 0:
            continue
        before = result.get("before", result)
        there = before["state"] == "present" and not result["failed"]
        if there and number % 4 == 1:
            results.append({**before, **_OUTCOME, "index": result["index"]})
        elif there and number % 90 == 8:
            role = {"role": "viewer" if before["role"] != "viewer" else "member"}
            drifted = {**before, **_OUTCOME, **role, "changed": True, "before": before}
            results.append({**drifted, "index": result["index"]})
        elif there and number % 50 == 2 and before["azure_auth"]["state"] == "present":
            lax = {**before["azure_auth"], "access_token_max_ttl": 0}
            results.append({**before, **_OUTCOME, "azure_auth": lax, "index": result["index"]})
        else:
            results.append(result)
    gone = {
        **_identity("retired", count, random.Random(1)),
        **_OUTCOME,
        "index": None,
    }
    checks = [*made.checks[:-1], {**checked, "results": [*results, gone]}]
    about = {**ABOUT, "created_at": "2026-11-16T02:00:00Z"}
    return identity_audit_report(made.desired, checks, made.places, about=about)


def world(count: int, *, has_list: bool = True, has_odd_names: bool = True) -> World:
    """Return an organization with so many identities, at least 4, and what an audit makes of it.

    One in fourteen has drifted, and one in forty is not in the list.
    Without a list, all are not in it.
    """
    rng = random.Random(count)
    names = _names(count, rng if has_odd_names else None)
    results = [_identity(name, number, rng) for number, name in enumerate(names)]
    if not has_list:
        unlisted = [{**result, **_OUTCOME, "index": None} for result in results]
        return World([], [_check(unlisted, 0)], [[]])
    desired: list[Object] = []
    kept: list[Object] = []
    unlisted = []
    for number, result in enumerate(results):
        if number % 40 == 3:
            unlisted.append({**result, **_OUTCOME, "index": None})
            continue
        place = len(desired)
        odd = result["name"] in HOSTILE
        file = "odd" if odd else result["name"].partition("-")[0]
        desired.append({"name": result["name"], "source": f"identities/{file}.yml:{4 * place + 2}"})
        kept.append({**_outcome(result, number, rng), "index": place})
    if count == 4:
        places = list(range(len(desired)))
        return World(desired, [_check([*kept, *unlisted], len(kept))], [places])
    nobody = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    desired += [
        {"name": "new-service", "source": "identities/new.yml:2", "role": "member"},
        {"id": nobody, "source": "identities/old.yml:9"},
    ]
    places = list(range(len(desired)))
    kept.append(_created("new-service", places[-2]))
    unlisted.sort(key=lambda item: item["name"])
    refused = {
        **_OUTCOME,
        "index": places[-1],
        "id": nobody,
        "failed": True,
        "msg": _REFUSAL.format(nobody),
    }
    checks = [{"checked": 0, "results": [refused]}, _check([*kept, *unlisted], len(kept))]
    return World(desired, checks, [places, places[:-1]])


def _names(count: int, rng: random.Random | None) -> list[str]:
    """Return names, all different; with `rng`, and if there are many, some are hostile."""
    plain = (
        f"{team}-{job}-{stage}{'' if turn == 0 else f'-{turn}'}"
        for turn in range(count)
        for job in _JOBS
        for team in _TEAMS
        for stage in _STAGES
    )
    names = [next(plain) for _number in range(count)]
    if rng and count > len(HOSTILE) * 2:
        for number, name in zip(rng.sample(range(4, count), len(HOSTILE)), HOSTILE):
            names[number] = name
    return names


def _identity(name: str, number: int, rng: random.Random) -> Object:
    """Return an identity as the module returns it."""
    identity_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    project_id = rng.choice([None, None, None, *_PROJECTS])
    role = rng.choice(_ROLES)
    year, month, day = rng.randint(2023, 2026), rng.randint(1, 11), rng.randint(1, 28)
    created = f"{year}-{month:02}-{day:02}T05:31:54.000Z"
    logged_in = rng.random() < 0.85
    attached = rng.random() < 0.9
    return {
        "id": identity_id,
        "name": name,
        "project_id": project_id,
        "state": "present",
        "role": role,
        "metadata": {"team": name.partition("-")[0]} if rng.random() < 0.5 else {},
        "delete_protection": rng.random() < 0.3,
        "azure_auth": (
            _azure_auth(number, rng, created) if attached else {"state": "absent", "details": None}
        ),
        "details": {
            "created_at": created,
            "updated_at": created,
            "organization_id": "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0",
            "project_name": _PROJECTS.get(project_id or ""),
            "auth_methods": ["azure-auth"] * attached + ["universal-auth"] * (rng.random() < 0.1),
            "roles": [role],
            "last_login_at": (
                f"2026-11-{rng.randint(1, 22):02}T07:00:00.000Z" if logged_in else None
            ),
            "last_login_method": "azure-auth" if logged_in else None,
        },
    }


def _azure_auth(number: int, rng: random.Random, created: str) -> Object:
    """Return Azure Auth; one in nine is lax in something, and most have no limit of uses."""
    principals = [
        str(uuid.UUID(int=rng.getrandbits(128), version=4))
        for _number in range(rng.choice((1, 1, 2, 40)))
    ]
    lax: Object = {}
    if number % 9 == 1:
        lax = rng.choice(
            [
                {"allow_all_service_principals": True, "allowed_service_principal_ids": None},
                {"access_token_max_ttl": 0},
                {"access_token_trusted_ips": ["10.0.0.0/8", "::/0"]},
                {"access_token_trusted_ips": ["0.0.0.0/0", "::/0"]},
                {"access_token_ttl": 7776000, "access_token_max_ttl": 31536000},
                {"resource": "https://management.azure.com"},
            ]
        )
    return {
        "state": "present",
        **DESIRED,
        "tenant_id": TENANT,
        "allow_all_service_principals": False,
        "allowed_service_principal_ids": principals,
        "access_token_trusted_ips": [
            f"10.{number % 250}.0.0/16",
            f"2001:db8:{number % 4096:x}::/48",
        ],
        "access_token_num_uses_limit": 0 if rng.random() < 0.88 else 100,
        **lax,
        "details": {
            "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "created_at": created,
            "updated_at": created,
            "access_token_period": 0,
        },
    }


def _outcome(result: Object, number: int, rng: random.Random) -> Object:
    """Return what became of an identity that is in the list."""
    done: Object = {**result, **_OUTCOME}
    if number % 14 == 1:
        return {**done, "changed": True, "before": result, **_changed(result, rng)}
    if number % 97 == 5:
        told = {key: value for key, value in done.items() if key != "azure_auth"}
        return {
            **told,
            "failed": True,
            "msg": (
                f"Could not read the Azure Auth of identity {result['id']}: You are not allowed to"
                " read on identity (HTTP 403, PermissionDenied)."
            ),
            "http_status": 403,
            "error": "PermissionDenied",
            "request_id": "req-5kT1YxNnJ7tmk4",
        }
    if number % 200 == 6:
        return {**done, "changed": True, "deleted": True, "state": "absent", "before": result}
    return done


def _changed(result: Object, rng: random.Random) -> Object:
    """Return what applying the list would make of some settings of an identity."""
    azure_auth = result["azure_auth"]
    if azure_auth["state"] == "absent":
        return {
            "role": "no-access" if result["role"] != "no-access" else "member",
            "metadata": {"team": "core"},
        }
    principals = azure_auth["allowed_service_principal_ids"] or []
    new = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _number in range(2)]
    return {
        "azure_auth": {
            **azure_auth,
            "allow_all_service_principals": False,
            "allowed_service_principal_ids": [*principals[1:], *new],
            "access_token_max_ttl": 43200,
            "resource": "https://vault.azure.net/",
        }
    }


def _created(name: str, index: int) -> Object:
    """Return an identity that is in the list, and not there."""
    return {
        **_OUTCOME,
        "id": None,
        "name": name,
        "project_id": None,
        "state": "present",
        "role": "member",
        "delete_protection": False,
        "azure_auth": {
            "state": "present",
            **DESIRED,
            "allow_all_service_principals": False,
            "details": {},
        },
        "details": {"auth_methods": ["azure-auth"]},
        "index": index,
        "changed": True,
        "created": True,
        "before": {"state": "absent"},
    }


def _check(results: list[Object], checked: int) -> Object:
    """Return a result of infisical_identities that tried all that it was given."""
    return {
        "checked": checked,
        "failed_count": sum(item["failed"] for item in results),
        "changed_count": sum(item["changed"] for item in results),
        "results": results,
        "not_visible": NOT_VISIBLE,
    }
