# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every case of identity_cases.py: alone, and as an entry among others, and the outcomes agree.

In check mode, for real, once more, and with what came out given back in. Each is played on the
newest generation of servers that it fits, and on the others where they do it in other ways; on all
of them by `make thorough`.
"""

from __future__ import annotations

import contextlib
import json
import os
import typing as t
from dataclasses import dataclass

import pytest
from functional.cases import ATTACHED
from functional.harness import Result, run_in_process, warnings_of
from functional.identity_cases import (
    CASES,
    EVERY,
    ID,
    NAME,
    NEW,
    ORGANIZATION,
    PROJECT,
    UNKNOWN_ID,
    Case,
)

from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity,
)
from emulator import Emulator, running

THOROUGH = bool(os.environ.get("THOROUGH"))
WRITES = ("POST", "PATCH", "DELETE")
# What an entry of the module for many has besides an identity.
OF_MANY = ("index", "changed", "created", "deleted", "revoked", "failed", "purged", "msg")
TABLE = [
    pytest.param(case, generation, id=f"{case.id} [{generation}]")
    for generation in EVERY
    for case in CASES
    if case.plays_on(generation, thorough=THOROUGH)
]


@dataclass
class Site:
    """A server with others beside the identities of the cases, in each place that these are in."""

    server: Emulator
    project: str | None
    others: t.Mapping[str, t.Sequence[str]]
    token_of_sub_organization: str

    def token(self, where: str) -> str:
        return self.token_of_sub_organization if where == "parent" else self.server.token


@dataclass
class Place:
    """The identity of a case, and who works on it. `id` is None until there is one."""

    site: Site
    case: Case
    name: str
    id: str | None
    token: str

    def options(self) -> dict[str, t.Any]:
        """What the case asks for, with what names the identity."""
        case = self.case
        entry = {
            key: value.replace(NAME, self.name) if isinstance(value, str) else value
            for key, value in case.entry.items()
        }
        if case.by == "name":
            entry["name"] = self.name
        else:
            entry["id"] = UNKNOWN_ID if case.by == "unknown" else self.id
        if (case.where == "project" and case.by != "bare id") or case.by == "id of another project":
            entry["project_id"] = self.site.project or UNKNOWN_ID
        return entry

    def neutral(self, value: t.Any) -> t.Any:
        """Return a value with what is this identity's alone replaced by words for it."""
        text = json.dumps(value)
        for own, word in (
            (self.name, NAME),
            (self.id, ID),
            (self.site.project, PROJECT),
            (self.site.server.organization_id, ORGANIZATION),
        ):
            text = text.replace(own, word) if own else text
        return json.loads(text)

    def writes(self) -> list[t.Any]:
        """Return the writes since the log was cleared: method, path and body."""
        return [
            self.neutral(
                [item.method, item.path.removeprefix("/api/v1/"), item.body or {}],
            )
            for item in self.site.server.requests()
            if item.method in WRITES and not item.path.endswith("/search")
        ]

    def truth(self) -> tuple[t.Any, ...]:
        """Return what the server holds of the identity."""
        server = self.site.server
        if self.id is None or server.identity(self.id) is None:
            return ()
        return server.identity(self.id), server.azure_auth(self.id), server.memberships(self.id)


@dataclass
class Outcome:
    """What came of a case: a result a run, and the writes of each."""

    results: list[Result]
    writes: list[t.Any]
    before: tuple[t.Any, ...]
    after: tuple[t.Any, ...]


@pytest.fixture(scope="module")
def sites() -> t.Iterator[dict[str, Site]]:
    with contextlib.ExitStack() as stack:
        yield {
            generation: site_on(stack.enter_context(running(generation))) for generation in EVERY
        }


def site_on(server: Emulator) -> Site:
    names = [f"bystander {number}" for number in range(3)]
    others: dict[str, t.Sequence[str]] = {"organization": server.create_identities(names)}
    project, token = None, ""
    if server.generation == NEW:
        project = server.create_project("shop")
        server.add_member(server.identities["admin"], "admin", project_id=project)
        home = server.sub_organization_id
        keeper = server.create_identity(
            "keeper", role="admin", organization_id=home, methods=["universal-auth"]
        )
        token = server.issue_token(keeper)
        others["project"] = [server.create_identity(name, project_id=project) for name in names]
        others["parent"] = [server.create_identity(name, organization_id=home) for name in names]
    return Site(server, project, others, token)


def prepare(site: Site, case: Case, label: str) -> Place:
    server = site.server
    server.settings(drops=[])
    server.settings(**case.settings)
    name = f"{case.id} {label}".replace(":", "").replace(",", "")
    place = Place(site, case, name, None, site.token(case.where))
    project: dict[str, t.Any] = {"project_id": site.project} if case.where == "project" else {}
    if case.beside:
        owner: dict[str, t.Any] = (
            {"project_id": site.project} if case.beside == "project" else project
        )
        names = {"upper": name.upper(), "taken": f"{name} taken"}
        server.create_identity(names.get(case.beside, name), **owner)
    if case.stored is None:
        return place
    stored = dict(case.stored)
    azure_auth, roles = stored.pop("azure_auth", None), stored.pop("roles", None)
    own = {"methods": ["universal-auth"]} if case.where == "own" else {}
    home = {"organization_id": server.other_organization_id} if case.where == "foreign" else {}
    place.id = server.create_identity(
        stored.pop("name", name), **{**stored, **project, **own, **home}
    )
    if azure_auth is not None:
        server.put_azure_auth(place.id, **{**ATTACHED, **azure_auth})
    if roles:
        server.set_roles(place.id, roles, project_id=site.project if project else None)
    if case.where == "own":
        place.token = server.issue_token(place.id)
    if case.where == "parent":
        server.add_member(place.id, "member", organization_id=server.sub_organization_id)
    return place


def run_all(place: Place, run: t.Callable[[Place, t.Any, bool], Result]) -> Outcome:
    """Run in check mode, for real, once more, and with what came out."""
    server, case = place.site.server, place.case
    before, results, writes = place.truth(), [], []
    entry = place.options()
    for check in (True, False, False):
        server.clear_requests()
        result = run(place, entry, check)
        results.append(result)
        if result.get("identity") and case.by != "unknown":
            place.id = place.id or result["identity"].get("id")
        writes.append(place.writes())
        if case.refused and not check:
            break
    if not case.refused:
        server.clear_requests()
        results.append(run(place, results[1]["identity"] or entry, False))
        writes.append(place.writes())
    return Outcome(results, writes, before, place.truth())


def alone(place: Place, entry: t.Mapping[str, t.Any], check: bool) -> Result:
    options = {"url": place.site.server.url, "token": place.token, **entry}
    return run_in_process(infisical_identity.main, options, check=check)


def among_others(place: Place, entry: t.Mapping[str, t.Any], check: bool) -> Result:
    """Run it as an entry between others, and return what is told of it, as if it were alone."""
    where = place.case.where if place.case.where in place.site.others else "organization"
    ids = place.site.others[where]
    # Where ids are many, another way is taken to find them.
    others: list[dict[str, t.Any]] = [
        {"id": identity_id, "state": "present"} for identity_id in ids
    ]
    if place.case.by == "name":
        project = {"project_id": place.site.project} if where == "project" else {}
        others = [{"name": f"bystander {number}", **project} for number in range(len(ids))]
    many = run_in_process(
        infisical_identities.main,
        {
            "url": place.site.server.url,
            "token": place.token,
            "identities": [others[0], entry, *others[1:]],
        },
        check=check,
    )
    told = [item for item in many["results"] if item["index"] == 1]
    assert len(told) == len(many["results"]), "others were changed"
    counts = [many[f"{what}_count"] for what in ("changed", "failed", "created", "deleted")]
    one: Result = {"failed": many["failed"], "changed": many["changed"], "diff": None}
    if many.get("diff"):
        (one["diff"],) = many["diff"]
    one["warnings"] = many.get("warnings", [])
    one["identity"] = None
    assert counts == [0, 0, 0, 0] if not told else sum(counts) > 0
    if told:
        (item,) = told
        assert counts[0] == int(item["changed"] and not item["failed"])
        assert counts[1:] == [int(item[what]) for what in ("failed", "created", "deleted")]
        one["identity"] = {key: value for key, value in item.items() if key not in OF_MANY}
    if many["failed"]:
        one["msg"] = many["msg"]
    return one


@pytest.mark.parametrize(("case", "generation"), TABLE)
def test_case(case: Case, generation: str, sites: dict[str, Site]) -> None:
    site = sites[generation]
    single = prepare(site, case, "single")
    one = run_all(single, alone)
    check_outcome(single, one)
    listed = prepare(site, case, "listed")
    many = run_all(listed, among_others)
    check_outcome(listed, many)
    # What is told of one is told of it among others, too.
    for mine, yours in zip(one.results, many.results):
        assert (mine["failed"], mine["changed"]) == (yours["failed"], yours["changed"])
        if yours["identity"] and not case.refused:
            assert told(single, mine["identity"]) == told(listed, yours["identity"])
            assert told(single, mine["diff"]) == told(listed, yours["diff"])
    assert one.writes == many.writes


def told(place: Place, value: t.Any, *, created: bool = False) -> t.Any:
    """Return what is told without what differs from run to run, and what cannot be predicted."""
    unknown = {"created_at", "updated_at", *(("id", "organization_id") if created else ())}

    def known(item: t.Any) -> t.Any:
        if isinstance(item, dict):
            if "access_token_period" in item:
                # An Azure Auth's own id is another one each time.
                item = {**item, "id": None}
            return {
                key: known(inner)
                for key, inner in item.items()
                if key not in unknown and not key.endswith("_header")
            }
        return [known(inner) for inner in item] if isinstance(item, list) else item

    return known(place.neutral(value))


def check_outcome(place: Place, outcome: Outcome) -> None:
    case = place.case
    check, real = outcome.results[:2]
    if case.refused:
        for result in (check, real):
            assert result["failed"], result
            assert case.refused in result["msg"]
            assert not result["changed"]
        assert outcome.writes == [[], []]
        assert outcome.after == outcome.before
        assert place.neutral(check["msg"]) == place.neutral(real["msg"])
        return
    again, fed_back = outcome.results[2:]
    for result in outcome.results:
        assert not result["failed"], result["msg"]
        stored = '"stored": {' in json.dumps(result["identity"])
        assert ("have values that the options do not accept" in warnings_of(result)) == stored
    expected = [[method, path, dict(body)] for method, path, body in case.writes]
    assert outcome.writes == [[], expected, [], []]
    changes = bool(case.writes)
    assert [result["changed"] for result in outcome.results] == [changes, changes, False, False]
    created = bool(case.writes) and case.writes[0][0] == "POST" and case.stored is None
    if real["identity"]:
        left = place.neutral(real["identity"])
        assert {key: left.get(key) for key in case.leaves} == dict(case.leaves)
        assert told(place, check["identity"], created=created) == told(
            place, real["identity"], created=created
        )
        check_truth(place, outcome)
    if changes:
        assert place.neutral(real["diff"]["before"]) != place.neutral(real["diff"]["after"])
        assert told(place, check["diff"], created=created) == told(
            place, real["diff"], created=created
        )
    if again["identity"]:
        check_again(place, real, again)
    del fed_back


def check_again(place: Place, real: Result, again: Result) -> None:
    """What a run leaves is what the next one finds."""
    left, found = told(place, real["identity"]), told(place, again["identity"])
    assert found["state"] == left["state"]
    if left["state"] == "absent":
        return
    for key in set(left) & set(found):
        if left[key] is not None and found[key] is not None and key != "details":
            assert found[key] == left[key], key


def check_truth(place: Place, outcome: Outcome) -> None:
    """What is told of an identity is what the server holds."""
    shown = outcome.results[1]["identity"]
    if not outcome.after:
        assert shown["state"] == "absent" or shown["id"] is None
        return
    held, azure_auth, memberships = outcome.after
    assert shown["id"] == place.id
    assert shown["name"] in (held["identity"]["name"], None)
    if shown.get("role"):
        (role,) = memberships[-1 if place.case.where == "project" else 0]["roles"]
        assert shown["role"] == (role["customRoleSlug"] or role["role"])
    if shown.get("metadata") is not None:
        pairs = {item["key"]: item["value"] for item in held["metadata"]}
        assert shown["metadata"] == pairs
    if shown.get("delete_protection") is not None:
        assert shown["delete_protection"] == held["identity"]["hasDeleteProtection"]
    if "azure_auth" in shown:
        assert (shown["azure_auth"]["state"] == "present") == (azure_auth is not None)


def test_every_case_is_played() -> None:
    for case in CASES:
        assert case.plays_on(case.generations[0], thorough=False), case.id
    assert len({case.id for case in CASES}) == len(CASES)
