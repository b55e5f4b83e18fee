# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that the contract is checked against: one that the caller opted for, or emulators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tools.infisical import VARIABLES, IncompleteError, opted_for

from contract.api import ATTACH, SEARCH_V2, Api
from emulator import running
from emulator.rules import GENERATIONS

try:
    _INSTANCE = opted_for()
except IncompleteError as error:
    pytest.exit(str(error), returncode=1)
SERVERS = ["instance"] if _INSTANCE else [f"emulator-{generation}" for generation in GENERATIONS]


def _about(item: pytest.Item, generation: str) -> bool:
    """Whether a test is about servers of a generation."""
    marker = item.get_closest_marker("generations")
    return marker is None or generation in marker.args


def _belongs(item: pytest.Item) -> bool:
    """Whether a test is about the emulator that it is to run on. Of an instance only it can say."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return True
    server = str(item.callspec.params.get("api"))
    return not server.startswith("emulator-") or _about(item, server.removeprefix("emulator-"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about other generations than the emulator's."""
    config.hook.pytest_deselected(items=[item for item in items if not _belongs(item)])
    items[:] = [item for item in items if _belongs(item)]


@pytest.fixture(scope="session", params=SERVERS)
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """A server with an admin logged in. What the tests create there is removed at the end."""
    if _INSTANCE:
        url, client_id, client_secret, organization_id = (_INSTANCE[name] for name in VARIABLES)
        credentials = {"clientId": client_id, "clientSecret": client_secret}
        given = Api(url, organization_id, credentials)
        yield given
        given.clean_up()
        return
    with running(request.param.removeprefix("emulator-")) as emulator:
        credentials = {"clientId": emulator.client_id, "clientSecret": emulator.client_secret}
        own = Api(emulator.url, emulator.organization_id, credentials, emulator)
        yield own
        own.clean_up()


@pytest.fixture(autouse=True)
def _of_its_generation(request: pytest.FixtureRequest, api: Api) -> None:
    """Leave out what is about other servers than the instance that was given."""
    if not _about(request.node, api.generation):
        pytest.skip(f"not about servers of {api.generation}")


@pytest.fixture
def own(api: Api) -> None:
    """For what cannot be set up on an instance with the credentials of one admin identity."""
    if api.emulator is None:
        pytest.skip("needs another organisation, or a token of Entra")


@pytest.fixture(scope="session")
def bare(api: Api) -> str:
    """An identity without any auth method. Tests leave it so."""
    return api.create_identity("bare")


@pytest.fixture(scope="session")
def attached(api: Api) -> str:
    """An identity with Azure Auth. Tests may change its configuration, and leave it attached."""
    identity_id = api.create_identity("attached")
    api.attach(identity_id)
    return identity_id


@pytest.fixture
def identity(api: Api) -> str:
    """A fresh identity without any auth method."""
    return api.create_identity()


@pytest.fixture
def search_v2(api: Api) -> None:
    """For tests of the search that finds what projects own, too."""
    api.need("POST", SEARCH_V2)


@pytest.fixture(scope="module")
def project(api: Api) -> Iterator[dict[str, Any]]:
    """A project that the caller made, and so is the admin of."""
    answer = api.post("/api/v2/workspace", {"projectName": api.name("project")})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()["project"]
    yield made
    api.delete(f"/api/v2/workspace/{made['slug']}")


@pytest.fixture(scope="module")
def owning(api: Api, project: dict[str, Any]) -> str:
    """The path of the identities that a project owns, on a server where projects own any."""
    path = f"/api/v1/projects/{project['id']}/identities"
    api.need("GET", path)
    return path


@pytest.fixture(scope="session")
def has_licence(api: Api) -> bool:
    """Whether the server allows trusted IPs other than the two that mean anywhere."""
    identity_id = api.create_identity("licence")
    body = {**ATTACH, "accessTokenTrustedIps": [{"ipAddress": "192.0.2.0/24"}]}
    return api.post(api.azure_auth(identity_id), body).status_code == 200


@pytest.fixture
def licensed(has_licence: bool) -> None:
    """For tests that set trusted IPs."""
    if not has_licence:
        pytest.skip("the server has no licence for IP allow-listing")


@pytest.fixture
def unlicensed(api: Api, has_licence: bool) -> Iterator[None]:
    """For tests of what a server without that licence says."""
    if api.emulator is None:
        if has_licence:
            pytest.skip("the server has a licence for IP allow-listing")
        yield
        return
    api.emulator.settings(licence=False)
    yield
    api.emulator.settings(licence=True)
