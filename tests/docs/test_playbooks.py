# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tour does what it says, and never touches what it has not made itself."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from tools.paths import link_collection

from docs.stories import Told, ansible_playbook
from emulator import Emulator, running

TOUR = "community.infisical.first_identity"
Tour = t.Callable[..., Told]


@pytest.fixture(name="emulator")
def _emulator(request: pytest.FixtureRequest) -> t.Iterator[Emulator]:
    link_collection()
    with running(getattr(request, "param", "2026")) as emulator:
        yield emulator


@pytest.fixture
def tour(emulator: Emulator, tmp_path: Path) -> Tour:
    """Return a function that runs the tour with the given arguments."""
    return lambda *arguments: ansible_playbook([TOUR, *arguments], emulator, tmp_path)


def _writes(emulator: Emulator) -> list[str]:
    methods = (request.method for request in emulator.requests(path="azure-auth/identities"))
    return [method for method in methods if method != "GET"]


@pytest.mark.parametrize(
    ("emulator", "by"),
    [
        pytest.param("2026", "identity_name", id="server of 2026, identity by name"),
        pytest.param("2024-10", "identity_id", id="server of 2024, identity by id"),
    ],
    indirect=["emulator"],
)
def test_tour_attaches_keeps_changes_and_revokes(emulator: Emulator, tour: Tour, by: str) -> None:
    identity_id = emulator.create_identity("playground")
    told = tour("-e", f"{by}={'playground' if by == 'identity_name' else identity_id}")
    assert told.returncode == 0, told.output
    statuses = [record.status for record in told.own]
    # The look, attach, again, preview, change, feed back, revoke.
    expected = ["unchanged", "changed", "unchanged", "changed", "changed", "unchanged", "changed"]
    assert statuses == expected
    assert _writes(emulator) == ["POST", "PATCH", "DELETE"]
    assert emulator.azure_auth(identity_id) is None
    assert '-    "access_token_max_ttl": 2592000,' in told.output
    assert re.search(r'"access_token_max_ttl": 86400,$', told.output, re.MULTILINE)


def test_tour_refuses_an_identity_that_has_azure_auth(emulator: Emulator, tour: Tour) -> None:
    identity_id = emulator.create_identity("production")
    before = emulator.put_azure_auth(identity_id, tenantId="t", resource="r")
    told = tour("-e", "identity_name=production")
    assert told.returncode != 0
    assert "production has Azure Auth already" in told.output
    assert emulator.azure_auth(identity_id) == before
    assert not _writes(emulator)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "Say which machine identity", id="no identity"),
        pytest.param(
            ["-e", "identity_name=playground", "--check"], "Run it without --check", id="check mode"
        ),
    ],
)
def test_tour_says_how_to_run_it(
    emulator: Emulator, tour: Tour, arguments: list[str], message: str
) -> None:
    emulator.create_identity("playground")
    told = tour(*arguments)
    assert told.returncode != 0
    assert message in " ".join(told.output.split())
    assert not emulator.requests()


def test_tour_that_fails_on_the_way_revokes_what_it_attached(
    emulator: Emulator, tour: Tour
) -> None:
    identity_id = emulator.create_identity("playground")
    emulator.fault("error", method="PATCH", status=403, error="PermissionDenied", message="no")
    told = tour("-e", "identity_name=playground")
    assert told.returncode != 0
    assert _writes(emulator) == ["POST", "PATCH", "DELETE"]
    assert emulator.azure_auth(identity_id) is None


def test_tour_leaves_alone_what_somebody_attached_meanwhile(emulator: Emulator, tour: Tour) -> None:
    identity_id = emulator.create_identity("playground")
    path = "azure-auth/identities"
    wanted = {
        "tenantId": "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16",
        "resource": "https://management.azure.com/",
        "allowedServicePrincipalIds": "c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e",
    }
    emulator.fault("race", method="POST", path=path, change="attach", fields=wanted)
    told = tour("-e", "identity_name=playground")
    assert told.returncode != 0
    assert "Somebody else was quicker" in told.output
    assert _writes(emulator) == ["POST"]
    assert emulator.azure_auth(identity_id) is not None


def test_tour_that_cannot_attach_revokes_nothing(emulator: Emulator, tour: Tour) -> None:
    emulator.create_identity("playground")
    emulator.fault("error", method="POST", path="azure-auth/identities", status=403, message="no")
    told = tour("-e", "identity_name=playground")
    assert told.returncode != 0
    assert _writes(emulator) == ["POST"]
