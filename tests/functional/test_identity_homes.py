# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities of a parent organization, as seen from its sub-organization: never changed there.

A DELETE from there would answer 200, and only take the identity out of the sub-organization.
"""

from __future__ import annotations

import typing as t

import pytest
from functional.harness import Result, run_in_process

from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity,
)
from emulator import Emulator, running

# More names than are searched for: then it is the list of all that tells, but for the home.
MANY = [{"name": f"nobody-{number}", "state": "absent"} for number in range(201)]


class World(t.NamedTuple):
    """A server, and the identity of the parent organization."""

    server: Emulator
    above: str


@pytest.fixture(name="world")
def _world() -> t.Iterator[World]:
    with running(generation="2026") as server:
        below = server.sub_organization_id
        server.add_member(server.identities["admin"], "admin", organization_id=below)
        above = server.create_identity("above")
        server.add_member(above, "member", organization_id=below)
        yield World(server, above)


def options(server: Emulator) -> dict[str, t.Any]:
    token = server.issue_token(
        server.identities["admin"], organization_id=server.sub_organization_id
    )
    return {"url": server.url, "token": token}


def writes(server: Emulator) -> list[str]:
    return [item.path for item in server.requests() if item.method in ("PATCH", "DELETE", "PUT")]


def sentence(result: Result) -> str:
    assert result["failed"]
    return str(result["msg"])


@pytest.mark.parametrize(
    "wanted",
    [{"state": "absent"}, {"role": "admin"}, {"metadata": {"team": "a"}}, {"name": "below"}],
    ids=["deleted", "role", "metadata", "name"],
)
def test_an_identity_of_the_parent_is_left_alone(world: World, wanted: dict[str, t.Any]) -> None:
    server, above = world
    who = {"id": above} if "name" in wanted else {"name": "above"}
    for check in (True, False):
        result = run_in_process(
            infisical_identity.main, {**options(server), **who, **wanted}, check=check
        )
        assert "parent organization" in sentence(result) or "another organ" in sentence(result)
        assert not result["changed"]
    assert writes(server) == []


def test_a_list_that_does_not_tell_the_home_deletes_nothing(world: World) -> None:
    server = world.server
    listed = [*MANY, {"name": "above", "state": "absent"}]
    for check in (True, False):
        result = run_in_process(
            infisical_identities.main, {**options(server), "identities": listed}, check=check
        )
        assert "belongs to another organization" in sentence(result)
        assert (result["changed"], result["deleted_count"]) == (False, 0)
    assert writes(server) == []
