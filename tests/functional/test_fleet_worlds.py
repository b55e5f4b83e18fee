# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random worlds and random lists: identities are created, changed, renamed and deleted.

What comes of a list is compared with a small model of what the collection promises, check mode with
what the real run does, and the second run with nothing.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass, field

import pytest
from functional.cases import ATTACHED, MONTH, REQUIRED
from functional.harness import THOROUGH, Result, run_in_process
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.modules import infisical_identities
from emulator import running

# One generation in full, and the others for what differs.
WORLDS = {"2026": 120, "2025-06": 30, "2024-10": 30}
if THOROUGH:
    WORLDS = dict.fromkeys(WORLDS, 1000)
SIZE = 7
NEW = ("xenon", "yttrium", "zinc")
FRESH = tuple(
    f"renamed to {word}" for word in ("ash", "birch", "cedar", "elm", "fir", "oak", "yew")
)
NAMES = ("alpha", "bravo (1)", "charlie", "delta", "Échö", "foxtrot", "golf")

Entry = dict[str, t.Any]


@dataclass
class Member:
    """An identity of a world. `azure_auth` are fields of the API, None: not attached."""

    name: str
    roles: list[str]
    owned: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    protected: bool = False
    azure_auth: dict[str, t.Any] | None = None


@dataclass
class World:
    """A world and a list: for each member what is wanted of it, None: it is not listed."""

    members: list[Member]
    wishes: list[Entry | None]
    new: list[Entry]
    swap: bool


lifetimes = st.sampled_from([(60, 60), (60, 7200), (3600, 7200)])
roles = st.sampled_from(["no-access", "member", "admin"])
metadata = st.sampled_from([{}, {"team": "a"}, {"team": "b"}, {"team": "a", "tier": "1"}])


@st.composite
def stored_azure_auths(draw: st.DrawFn) -> dict[str, t.Any]:
    ttl, most = draw(lifetimes)
    resource = draw(st.sampled_from(["here", "there"]))
    return {"resource": resource, "accessTokenTTL": ttl, "accessTokenMaxTTL": most}


@st.composite
def wanted_azure_auths(draw: st.DrawFn, *, whole: bool) -> dict[str, t.Any]:
    if draw(st.integers(0, 3)) == 0:
        return {"state": "absent"}
    wanted: dict[str, t.Any] = {}
    if whole:
        wanted.update(REQUIRED)
    if whole or draw(st.booleans()):
        wanted["resource"] = draw(st.sampled_from(["here", "there"]))
    if draw(st.booleans()):
        wanted["access_token_ttl"], wanted["access_token_max_ttl"] = draw(lifetimes)
    return wanted


@st.composite
def members(draw: st.DrawFn, name: str, generation: str) -> Member:
    member = Member(name, [draw(roles)])
    if draw(st.booleans()):
        member.azure_auth = draw(stored_azure_auths())
    if generation != "2024-10":
        member.metadata = draw(metadata)
        member.protected = draw(st.integers(0, 3)) == 0
    if generation == "2026":
        member.owned = draw(st.integers(0, 2)) == 0
        if draw(st.integers(0, 4)) == 0:
            member.roles = ["member", "no-access"]
    return member


@st.composite
def wishes(draw: st.DrawFn, member: Member | None, generation: str) -> Entry:
    """What is wanted of an identity, new if there is no member."""
    wanted: Entry = {}
    if member and draw(st.integers(0, 4)) == 0:
        wanted["state"] = "absent"
        if member.protected and draw(st.booleans()):
            wanted["delete_protection"] = False
        return wanted
    if draw(st.booleans()):
        wanted["role"] = draw(roles)
    if generation != "2024-10":
        if draw(st.integers(0, 2)) == 0:
            wanted["metadata"] = draw(metadata)
        if draw(st.integers(0, 2)) == 0:
            wanted["delete_protection"] = draw(st.booleans())
    if draw(st.booleans()):
        whole = member is None or member.azure_auth is None
        wanted["azure_auth"] = draw(wanted_azure_auths(whole=whole))
    if member and draw(st.integers(0, 3)) == 0:
        wanted["renamed"] = True
    return wanted


@st.composite
def worlds(draw: st.DrawFn, generation: str) -> World:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=SIZE))
    those = [draw(members(name, generation)) for name in names]
    listed = [draw(st.none() | wishes(member, generation)) for member in those]
    new = []
    for name in draw(st.lists(st.sampled_from(NEW), unique=True)):
        entry = {"name": name, **draw(wishes(None, generation))}
        if entry.keys() == {"name", "azure_auth"} and "state" in entry["azure_auth"]:
            # All it asks for is that something is gone, which makes nothing.
            entry["role"] = "no-access"
        if generation == "2026" and draw(st.booleans()):
            entry["owned"] = True
        new.append(entry)
    return World(those, listed, new, draw(st.booleans()))


# -- the model --------------------------------------------------------------------------------


@dataclass
class Expectation:
    """What is to come of a list: the members afterwards, and of each entry a word."""

    members: list[Member]
    outcomes: list[str]
    names: dict[int, str]


def new_names(world: World) -> dict[int, str]:
    """The names that members get: each other's, of the same owner, or ones that nobody had."""
    numbers = [n for n, wanted in enumerate(world.wishes) if wanted and "renamed" in wanted]
    names = dict(zip(numbers, FRESH))
    for owned in (False, True):
        some = [n for n in numbers if world.members[n].owned == owned]
        if world.swap and len(some) > 1:
            old = [world.members[n].name for n in some]
            names.update(zip(some, [*old[1:], old[0]]))
    return names


def expected(world: World) -> Expectation:
    """What the collection promises of a list."""
    names = new_names(world)
    left: list[Member] = []
    outcomes: list[str] = []
    for number, (member, wanted) in enumerate(zip(world.members, world.wishes)):
        if wanted is None:
            left.append(member)
            continue
        if wanted.get("state") == "absent":
            refused = member.protected and wanted.get("delete_protection") is not False
            outcomes.append("failed" if refused else "deleted")
            left += [member] if refused else []
            continue
        after = changed(member, wanted, names.get(number))
        outcomes.append("changed" if after != member else "")
        left.append(after)
    for entry in world.new:
        nobody = Member(entry["name"], ["no-access"], owned="owned" in entry)
        left.append(changed(nobody, entry, None))
        outcomes.append("created")
    return Expectation(left, outcomes, names)


def changed(member: Member, wanted: Entry, name: str | None) -> Member:
    after = copy.deepcopy(member)
    after.name = name or member.name
    after.roles = [wanted["role"]] if "role" in wanted else after.roles
    after.metadata = wanted.get("metadata", after.metadata)
    after.protected = wanted.get("delete_protection", after.protected)
    azure_auth = wanted.get("azure_auth")
    if azure_auth is None:
        return after
    if azure_auth.get("state") == "absent":
        after.azure_auth = None
        return after
    fields = {
        "resource": azure_auth.get("resource"),
        "accessTokenTTL": azure_auth.get("access_token_ttl"),
        "accessTokenMaxTTL": azure_auth.get("access_token_max_ttl"),
    }
    attached = {"accessTokenTTL": MONTH, "accessTokenMaxTTL": MONTH}
    given_fields = {key: value for key, value in fields.items() if value is not None}
    after.azure_auth = {**(member.azure_auth or attached), **given_fields}
    return after


# -- the server -------------------------------------------------------------------------------


class Stage:
    """An emulator on which one world after the other is set up."""

    def __init__(self, server: t.Any) -> None:
        self.server = server
        self.project = ""
        self.seeded: set[str] = set()
        self.ids: list[str] = []

    def set_up(self, world: World) -> None:
        server = self.server
        server.reset()
        self.seeded = set(server.state.identities)
        if server.generation == "2026":
            self.project = server.create_project("shop")
            server.add_member(server.identities["admin"], "admin", project_id=self.project)
        self.ids = []
        for member in world.members:
            project_id = self.project if member.owned else None
            identity_id = server.create_identity(
                member.name,
                project_id=project_id,
                delete_protection=member.protected,
                metadata=member.metadata,
            )
            server.set_roles(identity_id, member.roles, project_id=project_id)
            if member.azure_auth is not None:
                server.put_azure_auth(identity_id, **{**ATTACHED, **member.azure_auth})
            self.ids.append(identity_id)
        server.clear_requests()

    def entries(self, world: World, names: t.Mapping[int, str]) -> list[Entry]:
        """The list, with each other member by its id and those to be renamed too."""
        listed: list[Entry] = []
        for number, (member, wanted) in enumerate(zip(world.members, world.wishes)):
            if wanted is None:
                continue
            entry = {key: value for key, value in wanted.items() if key != "renamed"}
            if number in names:
                entry.update(id=self.ids[number], name=names[number])
            elif number % 2:
                entry["id"] = self.ids[number]
            else:
                entry["name"] = member.name
                if member.owned:
                    entry["project_id"] = self.project
            listed.append(entry)
        for wanted in world.new:
            entry = {key: value for key, value in wanted.items() if key != "owned"}
            listed.append({**entry, "project_id": self.project if "owned" in wanted else None})
        return listed

    def members(self) -> list[Member]:
        """The world as it is, but for what the emulator brings along."""
        found = []
        for identity in self.server.state.identities.values():
            if identity.id in self.seeded:
                continue
            scope = identity.project_id or identity.home_id
            raw = identity.methods.get("azure-auth")
            found.append(
                Member(
                    identity.name,
                    sorted(grant.role for grant in identity.membership(scope).grants),
                    owned=identity.project_id is not None,
                    metadata={pair["key"]: pair["value"] for pair in identity.metadata},
                    protected=identity.delete_protection,
                    azure_auth=raw and {key: raw[key] for key in FIELDS},
                )
            )
        return found

    def run(self, entries: list[Entry], *, check: bool = False, **options: t.Any) -> Result:
        self.server.clear_requests()
        return run_in_process(
            infisical_identities.main,
            {
                "url": self.server.url,
                "token": self.server.token,
                "identities": entries,
                **options,
            },
            check=check,
        )

    def writes(self) -> list[str]:
        return [
            item.method
            for item in self.server.requests()
            if item.method in ("PATCH", "DELETE")
            or (item.method == "POST" and not item.path.endswith("/search"))
        ]


FIELDS = ("resource", "accessTokenTTL", "accessTokenMaxTTL")


@pytest.fixture(scope="module")
def stages() -> t.Iterator[dict[str, Stage]]:
    with (
        running(generation="2026") as newest,
        running(generation="2025-06") as middle,
        running(generation="2024-10") as oldest,
    ):
        yield {server.generation: Stage(server) for server in (newest, middle, oldest)}


def by_owner(found: t.Iterable[Member]) -> list[tuple[bool, str, Member]]:
    return [
        (member.owned, member.name, member)
        for member in sorted(found, key=lambda member: (member.owned, member.name))
    ]


def check_world(stage: Stage, world: World) -> None:
    stage.set_up(world)
    end = expected(world)
    entries = stage.entries(world, end.names)
    before = by_owner(stage.members())

    predicted = stage.run(entries, check=True)
    assert stage.writes() == []
    assert by_owner(stage.members()) == before
    real = stage.run(entries)
    check_outcomes(real, end)
    check_outcomes(predicted, end)
    assert by_owner(stage.members()) == by_owner(end.members)
    check_prediction(predicted, real)

    again = stage.run(entries)
    assert stage.writes() == []
    failed = end.outcomes.count("failed")
    assert again["failed"] == bool(failed)
    assert not again["changed"]
    counts = [again[name] for name in (*COUNTS, "failed_count")]
    assert counts == [len(entries), 0, 0, 0, 0, failed]
    assert by_owner(stage.members()) == by_owner(end.members)


COUNTS = ("checked", "changed_count", "created_count", "deleted_count", "purged_count")


def check_outcomes(result: Result, end: Expectation) -> None:
    words = end.outcomes
    failed = words.count("failed")
    assert result["failed"] == bool(failed), result.get("msg")
    well = [word for word in words if word not in ("", "failed")]
    assert [result[name] for name in (*COUNTS, "failed_count")] == [
        len(words),
        len(well),
        words.count("created"),
        words.count("deleted"),
        0,
        failed,
    ]
    assert result["changed"] == bool(well)
    told = {item["index"]: item for item in result["results"]}
    assert sorted(told) == [number for number, word in enumerate(words) if word]
    for number, item in told.items():
        word = words[number]
        flags = {flag: item[flag] for flag in ("created", "deleted", "failed")}
        assert flags == {flag: word == flag for flag in flags}
        assert item["changed"] == (word != "failed")
        if word == "failed":
            assert "has delete protection" in item["msg"]
        else:
            assert item["state"] == ("absent" if word == "deleted" else "present")
    assert len(result.get("diff", [])) == len(well)


def check_prediction(predicted: Result, real: Result) -> None:
    """Check mode tells what the real run does, but for what nobody knows before."""
    for before, after in zip(predicted["results"], real["results"]):
        if before["failed"]:
            assert before["msg"] == after["msg"]
            continue
        assert without_the_unknown(before) == without_the_unknown(after)
        assert before["id"] == (None if after["created"] else after["id"])
    for before, after in zip(predicted.get("diff", []), real.get("diff", [])):
        assert (before["before"], before["after"]) == (after["before"], after["after"])


def without_the_unknown(item: Result) -> Result:
    known = {
        key: value for key, value in item.items() if key not in ("id", "details", "azure_auth")
    }
    details = item.get("details") or {}
    known["methods"], known["roles"] = details.get("auth_methods"), details.get("roles")
    if "azure_auth" in item:
        known["azure_auth"] = {**item["azure_auth"], "details": None}
    return known


def never_too_slow(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@never_too_slow(WORLDS["2026"])
@given(worlds("2026"))
def test_a_random_list_makes_of_a_random_world_what_it_says(
    stages: dict[str, Stage], world: World
) -> None:
    check_world(stages["2026"], world)


@never_too_slow(WORLDS["2025-06"])
@given(worlds("2025-06"))
def test_so_it_does_on_servers_of_2025(stages: dict[str, Stage], world: World) -> None:
    check_world(stages["2025-06"], world)


@never_too_slow(WORLDS["2024-10"])
@given(worlds("2024-10"))
def test_so_it_does_on_servers_of_2024(stages: dict[str, Stage], world: World) -> None:
    check_world(stages["2024-10"], world)
