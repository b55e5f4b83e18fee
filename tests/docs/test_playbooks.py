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
NAME = "first-identity-demo"
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
    """Return what was written: the method, and whether to Azure Auth or to the identity."""
    return [
        f"{record.method} {'Azure Auth' if 'azure-auth' in record.path else 'identity'}"
        for record in emulator.requests(path="identities")
        if record.method != "GET" and not record.path.endswith("/search")
    ]


def _made(emulator: Emulator) -> list[str]:
    """Return the ids of the identities that were attached to, which are there no more."""
    records = emulator.requests(method="POST", path="azure-auth/identities")
    ids = [record.path.rpartition("/")[2] for record in records]
    return [identity_id for identity_id in ids if emulator.identity(identity_id) is None]


@pytest.mark.parametrize("emulator", ["2026", "2025-06", "2024-10"], indirect=True)
def test_tour_creates_keeps_changes_and_deletes(
    emulator: Emulator, tour: Tour, request: pytest.FixtureRequest
) -> None:
    told = tour()
    assert told.returncode == 0, told.output
    old = "2024" in request.node.name
    statuses = [record.status for record in told.own if record.status != "skipped"]
    assert statuses == [
        *("changed", "changed", "unchanged"),
        # Preview and change of Azure Auth.
        *("changed", "changed"),
        # Preview and change of metadata and protection.
        *(("unchanged",) if old else ("changed", "changed")),
        # Read, give back, delete.
        *("unchanged", "unchanged", "changed"),
    ]
    writes = _writes(emulator)
    assert writes[:3] == ["POST identity", "POST Azure Auth", "PATCH Azure Auth"]
    assert writes[-1] == "DELETE identity"
    assert ("PATCH identity" in writes) is not old
    assert len(_made(emulator)) == 1
    assert ("too old for metadata and delete protection" in told.output) is old
    assert re.search(r'^-.*"access_token_max_ttl": 2592000,$', told.output, re.MULTILINE)
    assert re.search(r'^\+.*"access_token_max_ttl": 86400,$', told.output, re.MULTILINE)
    # The emulator's own; each task revokes its own.
    assert emulator.live_tokens() == 1


def test_tour_refuses_an_identity_that_is_there(emulator: Emulator, tour: Tour) -> None:
    identity_id = emulator.create_identity("production")
    before = emulator.put_azure_auth(identity_id, tenantId="t", resource="r")
    told = tour("-e", "identity_name=production")
    assert told.returncode != 0
    assert "There is already an identity called production" in " ".join(told.output.split())
    assert emulator.azure_auth(identity_id) == before
    assert not _writes(emulator)


def test_tour_says_how_to_run_it(emulator: Emulator, tour: Tour) -> None:
    told = tour("--check")
    assert told.returncode != 0
    assert "Run this tour without --check" in " ".join(told.output.split())
    assert not emulator.requests()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "azure-auth/identities", id="attaching"),
        pytest.param("PATCH", "azure-auth/identities", id="changing"),
        pytest.param("PATCH", "v1/identities", id="protecting"),
    ],
)
def test_tour_that_fails_on_the_way_deletes_what_it_created(
    method: str, path: str, emulator: Emulator, tour: Tour
) -> None:
    before = emulator.create_identity("before")
    emulator.fault(
        "error", method=method, path=path, nth=1, status=403, error="PermissionDenied", message="no"
    )
    told = tour()
    assert told.returncode != 0
    assert _writes(emulator)[-1] == "DELETE identity"
    assert len(_made(emulator)) == 1
    assert emulator.identity(before) is not None


def test_tour_that_cannot_create_deletes_nothing(emulator: Emulator, tour: Tour) -> None:
    emulator.fault("error", method="POST", path="v1/identities$", status=403, message="no")
    told = tour()
    assert told.returncode != 0
    assert _writes(emulator) == ["POST identity"]


def test_tour_leaves_alone_what_somebody_created_meanwhile(emulator: Emulator, tour: Tour) -> None:
    """Between the look under check mode and the real one."""
    emulator.fault(
        "race", path="universal-auth/login", nth=2, change="create", fields={"name": NAME}
    )
    told = tour()
    assert told.returncode != 0
    assert "Somebody else created the identity in the meantime" in " ".join(told.output.split())
    assert "DELETE identity" not in _writes(emulator)
