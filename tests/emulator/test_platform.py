# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins for the platforms: what they ask for, what they hand out, how they misbehave."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Emulator, running
from emulator.platform import (
    ACTIONS,
    AZURE_PATH,
    AZURE_VERSION,
    GOOGLE_PATH,
    MetadataServices,
    metadata_services,
    write_service_account_token,
)

RESOURCE = "https://management.azure.com/"
AZURE_QUERY = {"api-version": AZURE_VERSION, "resource": RESOURCE}
AZURE_HEADERS = {"Metadata": "true"}
GOOGLE_HEADERS = {"Metadata-Flavor": "Google"}


@pytest.fixture(scope="module")
def emu() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def services(emu: Emulator) -> Iterator[MetadataServices]:
    """Services of a machine with a managed identity, and another one that has a client id."""
    other = emu.create_identity("other machine", methods=["azure-auth"])
    emu.put_azure_auth(other, allowedServicePrincipalIds="33333333-3333-4333-8333-333333333333")
    with metadata_services(
        emu, managed_identity=emu.identities["attached"], identities={"other": other}
    ) as started:
        yield started


def ask(
    services: MetadataServices,
    path: str = AZURE_PATH,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 10,
) -> requests.Response:
    """A request that goes to no proxy; by default a good one for the managed identity's token."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            services.url + path,
            params=AZURE_QUERY if query is None else query,
            headers=AZURE_HEADERS if headers is None else headers,
            timeout=timeout,
            allow_redirects=False,
        )


def log_in(emu: Emulator, method: str, identity_id: str, jwt: str) -> int:
    """The status of a login."""
    url = f"{emu.url}/api/v1/auth/{method}/login"
    return requests.post(url, json={"identityId": identity_id, "jwt": jwt}, timeout=10).status_code


# -- Azure --------------------------------------------------------------------------------------


def test_azures_token_logs_in_as_the_managed_identity_only(
    emu: Emulator, services: MetadataServices
) -> None:
    other = emu.create_identity("third machine", methods=["azure-auth"])
    emu.put_azure_auth(other, allowedServicePrincipalIds="44444444-4444-4444-8444-444444444444")
    answer = ask(services)
    assert answer.status_code == 200
    token = answer.json()["access_token"]
    assert log_in(emu, "azure-auth", emu.identities["attached"], token) == 200
    assert log_in(emu, "azure-auth", other, token) == 401


def test_azures_token_of_a_client_id_is_another_principals(
    emu: Emulator, services: MetadataServices
) -> None:
    token = ask(services, query={**AZURE_QUERY, "client_id": "other"}).json()["access_token"]
    assert log_in(emu, "azure-auth", emu.identities["attached"], token) == 401


def test_azures_token_is_for_the_resource_asked_for(
    emu: Emulator, services: MetadataServices
) -> None:
    token = ask(services, query={**AZURE_QUERY, "resource": "api://other"}).json()["access_token"]
    assert log_in(emu, "azure-auth", emu.identities["attached"], token) == 401


AZURE_REFUSALS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "no-header": (AZURE_QUERY, {}, "metadata header"),
    "header-false": (AZURE_QUERY, {"Metadata": "false"}, "metadata header"),
    "proxied": (AZURE_QUERY, {**AZURE_HEADERS, "X-Forwarded-For": "10.0.0.1"}, "X-Forwarded-For"),
    "no-version": ({"resource": RESOURCE}, AZURE_HEADERS, "api-version"),
    "no-resource": ({"api-version": AZURE_VERSION}, AZURE_HEADERS, "audience"),
    "unknown-client-id": (
        {**AZURE_QUERY, "client_id": "nobody"},
        AZURE_HEADERS,
        "Identity not found",
    ),
}


@pytest.mark.parametrize(
    ("query", "headers", "description"), AZURE_REFUSALS.values(), ids=AZURE_REFUSALS
)
def test_azure_refuses_with_a_description(
    services: MetadataServices, query: dict[str, str], headers: dict[str, str], description: str
) -> None:
    answer = ask(services, AZURE_PATH, query, headers)
    assert answer.status_code == 400
    assert description in answer.json()["error_description"]
    assert services.tokens() == []


def test_a_machine_without_a_managed_identity_has_no_token(emu: Emulator) -> None:
    with metadata_services(emu) as services:
        answer = ask(services)
    assert answer.status_code == 400
    assert answer.json()["error_description"] == "Identity not found"


def test_a_managed_identity_needs_azure_auth(emu: Emulator) -> None:
    with (
        pytest.raises(ValueError, match="has no Azure Auth"),
        metadata_services(emu, managed_identity=emu.identities["plain"]),
    ):
        pass


# -- Google -------------------------------------------------------------------------------------


def test_googles_token_is_text_for_one_identity(emu: Emulator, services: MetadataServices) -> None:
    identity_id, other = (emu.create_identity(name, methods=["gcp-auth"]) for name in "ab")
    query = {"audience": identity_id, "format": "full"}
    answer = ask(services, GOOGLE_PATH, query, GOOGLE_HEADERS)
    assert answer.status_code == 200
    assert answer.headers["Metadata-Flavor"] == "Google"
    assert log_in(emu, "gcp-auth", identity_id, answer.text) == 200
    assert log_in(emu, "gcp-auth", other, answer.text) == 403


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({"audience": "a"}, {}, 403),
        ({"audience": "a"}, {"Metadata-Flavor": "google"}, 403),
        ({"audience": "a"}, {**GOOGLE_HEADERS, "X-Forwarded-For": "10.0.0.1"}, 403),
        ({"format": "full"}, GOOGLE_HEADERS, 400),
        ({"audience": ""}, GOOGLE_HEADERS, 400),
    ],
    ids=["no-header", "other-flavor", "proxied", "no-audience", "blank-audience"],
)
def test_google_refuses(
    services: MetadataServices, query: dict[str, str], headers: dict[str, str], status: int
) -> None:
    assert ask(services, GOOGLE_PATH, query, headers).status_code == status
    assert services.tokens() == []


# -- both ---------------------------------------------------------------------------------------


def test_other_paths_are_not_found(services: MetadataServices) -> None:
    assert ask(services, "/metadata/instance").status_code == 404


def test_the_environment_points_the_platforms_libraries_here(services: MetadataServices) -> None:
    assert services.environment == {
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": services.url,
        "GCE_METADATA_HOST": services.url.removeprefix("http://"),
    }


def test_requests_and_tokens_are_kept(emu: Emulator, services: MetadataServices) -> None:
    token = ask(services, headers={**AZURE_HEADERS, "Authorization": "Bearer stray"}).json()
    ask(services, GOOGLE_PATH, {"audience": "a"}, {})
    azure, google = services.requests()
    assert (azure.path, azure.query) == (AZURE_PATH, AZURE_QUERY)
    assert azure.headers["metadata"] == "true"
    assert azure.headers["authorization"] == "Bearer stray"
    assert google.target == f"{GOOGLE_PATH}?audience=a"
    assert services.tokens() == [token["access_token"]]
    emu.clear_requests()
    log_in(emu, "azure-auth", emu.identities["attached"], token["access_token"])
    assert emu.requests()[0].body["jwt"] == "jwt:azure"


def test_faults_take_turns_and_end(services: MetadataServices) -> None:
    services.fault("status", status=500, times=2)
    services.fault("status", status=429, text="slower", times=1)
    assert [ask(services).status_code for _time in range(4)] == [500, 500, 429, 200]


def test_a_fault_without_an_end_stays_until_it_is_cleared(services: MetadataServices) -> None:
    services.fault("status", status=410)
    assert [ask(services).status_code for _time in range(3)] == [410, 410, 410]
    services.clear_faults()
    assert ask(services).status_code == 200


def test_hang_never_answers(services: MetadataServices) -> None:
    services.fault("hang")
    with pytest.raises(requests.ReadTimeout):
        ask(services, timeout=0.3)
    assert len(services.requests()) == 1


def test_a_service_that_hangs_stops_all_the_same(emu: Emulator) -> None:
    outcome: list[str] = []

    def wait(services: MetadataServices) -> None:
        try:
            ask(services)
        except requests.ConnectionError:
            outcome.append("closed")

    with metadata_services(emu) as hanging:
        hanging.fault("hang")
        client = threading.Thread(target=wait, args=[hanging])
        client.start()
        until = time.monotonic() + 10
        while not hanging.requests() and time.monotonic() < until:
            time.sleep(0.01)
    client.join(10)
    assert outcome == ["closed"]


@pytest.mark.parametrize(
    ("options", "content_type", "text"),
    [
        ({}, "text/html", "<html>Welcome, guest!</html>"),
        ({"text": "[]", "content_type": "application/json"}, "application/json", "[]"),
        ({"text": ""}, "text/html", ""),
    ],
)
def test_garbage_answers_anything(
    services: MetadataServices, options: dict[str, Any], content_type: str, text: str
) -> None:
    services.fault("garbage", **options)
    answer = ask(services)
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["content-type"] == content_type


def test_redirect_points_elsewhere(services: MetadataServices) -> None:
    services.fault("redirect", location="http://elsewhere.example/", status=302)
    answer = ask(services)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://elsewhere.example/")


def test_drip_sends_a_byte_at_a_time(services: MetadataServices) -> None:
    services.fault("drip", interval=0.002)
    begin = time.monotonic()
    answer = ask(services)
    assert answer.json()["access_token"] == services.tokens()[0]
    assert time.monotonic() - begin >= 0.002 * (len(answer.content) - 1)


@pytest.mark.parametrize(
    ("action", "options", "message"),
    [
        ("explode", {}, "action is one of"),
        ("status", {"colour": "red"}, "unexpected keyword argument 'colour'"),
        ("redirect", {}, "missing a required .*'location'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    services: MetadataServices, action: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        services.fault(action, **options)
    assert ask(services).status_code == 200


def test_every_action_is_explained_in_the_readme() -> None:
    readme = (Path(__file__).parent / "README.md").read_text()
    section = readme.partition("## Platforms")[2].partition("\n## ")[0]
    rows = "".join(line for line in section.splitlines() if line.startswith("| `"))
    for name in ACTIONS:
        assert f"`{name}`" in rows


# -- Kubernetes ---------------------------------------------------------------------------------


def test_a_service_account_token_is_a_file_that_can_rotate(tmp_path: Path) -> None:
    directory = tmp_path / "serviceaccount"
    path = write_service_account_token(directory, "first")
    assert path == directory / "token"
    assert path.read_text() == "first"
    assert write_service_account_token(directory, "second") == path
    assert path.read_text() == "second"
    assert path.resolve().parent != directory
