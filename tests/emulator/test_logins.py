# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in through each auth method, as far as an instance could not be set up for it.

What any server does is the contract's matter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emulator import Emulator, running
from emulator.logins import JWT_METHODS, LOGINS
from emulator.rules import GENERATIONS
from emulator.state import decode_jwt

# What old servers do not have, and what they have but let nobody in with.
UNKNOWN = {"2024-10": ("jwt-auth", "ldap-auth"), "2025-06": (), "2026": ()}
REFUSED = {"2024-10": (), "2025-06": ("ldap-auth",), "2026": ()}
METHODS = [method.name for method in LOGINS]


@pytest.fixture(scope="module", params=GENERATIONS)
def emu(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with running(request.param) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def current() -> Iterator[Emulator]:
    """A server that knows every method."""
    with running() as emulator:
        yield emulator


def log_in(emu: Emulator, method: str, body: dict[str, Any]) -> requests.Response:
    """A login."""
    return requests.post(f"{emu.url}/api/v1/auth/{method}/login", json=body, timeout=10)


def body_for(emu: Emulator, method: str, identity_id: str) -> dict[str, Any]:
    """A body that logs an identity in."""
    if method == "universal-auth":
        credentials = emu.credentials(identity_id)
        return {"clientId": credentials.client_id, "clientSecret": credentials.client_secret}
    if method == "ldap-auth":
        return {"identityId": identity_id, **dataclasses.asdict(emu.ldap(identity_id))}
    return {"identityId": identity_id, "jwt": emu.jwt(identity_id, method=method)}


@pytest.mark.parametrize("method", METHODS)
def test_a_login_answers_a_token_of_its_method(emu: Emulator, method: str) -> None:
    identity_id = emu.create_identity("runner", role="admin", methods=[method])
    answer = log_in(emu, method, body_for(emu, method, identity_id))
    if method in UNKNOWN[emu.generation]:
        assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")
        return
    if method in REFUSED[emu.generation]:
        assert (answer.status_code, answer.json()["error"]) == (401, "UnauthorizedError")
        return
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    url = f"{emu.url}/api/v1/identities/{identity_id}"
    shown = requests.get(url, headers=headers, timeout=10)
    assert shown.json()["identity"]["identityId"] == identity_id
    caller = emu.requests(path=f"/{identity_id}$")[-1].authorization
    assert str(caller).startswith(f"token:runner:{method}:")


@pytest.mark.parametrize("method", METHODS)
def test_the_log_names_the_secret_of_a_login(current: Emulator, method: str) -> None:
    identity_id = current.create_identity("runner", methods=[method])
    body = body_for(current, method, identity_id)
    secret = body.keys() & {"clientSecret", "jwt", "password"}
    log_in(current, method, body)
    logged = current.requests(path="/login$")[-1].body
    assert {name for name in body if logged[name] != body[name]} == secret
    assert "runner" in logged[secret.pop()]


GARBAGE = dict.fromkeys(JWT_METHODS, (401, "UnauthorizedError"))
GARBAGE["azure-auth"] = (500, "InternalServerError")


@pytest.mark.parametrize("text", ["garbage", "", "a.b.c", "e30.e30", "e30.W10.", "\u2603.\u2603."])
@pytest.mark.parametrize("method", JWT_METHODS)
def test_a_text_that_is_no_jwt_is_refused(current: Emulator, method: str, text: str) -> None:
    identity_id = current.create_identity("runner", methods=[method])
    answer = log_in(current, method, {"identityId": identity_id, "jwt": text})
    assert (answer.status_code, answer.json()["error"]) == GARBAGE[method]


@pytest.mark.parametrize("method", JWT_METHODS)
def test_a_signature_is_not_looked_at(current: Emulator, method: str) -> None:
    identity_id = current.create_identity("runner", methods=[method])
    body = body_for(current, method, identity_id)
    unsigned = body["jwt"].rpartition(".")[0] + "."
    assert log_in(current, method, {**body, "jwt": unsigned}).status_code == 200


Row = tuple[str, dict[str, Any], dict[str, Any], int]
BOUND = {"boundSubject": "s", "boundAudiences": "a, b"}
BOUND_ROWS: list[Row] = [
    ("anybody", {}, {"sub": "any", "aud": "any"}, 200),
    ("blank-subject", {}, {"sub": ""}, 403),
    ("subject-no-text", {}, {"sub": ["s"]}, 403),
    ("as-configured", BOUND, {}, 200),
    ("second-audience", BOUND, {"aud": "b"}, 200),
    ("other-audience", BOUND, {"aud": "c"}, 403),
    ("subject-upper-case", BOUND, {"sub": "S"}, 403),
]
CLAIMS: dict[str, list[Row]] = {
    "gcp-auth": [
        ("other-audience", {}, {"aud": "other"}, 403),
        ("blank-subject", {}, {"sub": ""}, 403),
    ],
    "kubernetes-auth": [
        ("anybody", {}, {"sub": "any", "aud": "any"}, 200),
        ("no-subject", {}, {"sub": None}, 403),
        ("as-configured", {"allowedAudience": "a"}, {}, 200),
        ("one-of-its-audiences", {"allowedAudience": "a"}, {"aud": ["b", "a"]}, 200),
        ("other-audience", {"allowedAudience": "a"}, {"aud": ["b"]}, 403),
    ],
    "oidc-auth": BOUND_ROWS,
    "jwt-auth": BOUND_ROWS,
}


@pytest.mark.parametrize(
    ("method", "stored", "claims", "status"),
    [(method, *row[1:]) for method, rows in CLAIMS.items() for row in rows],
    ids=[f"{method}-{row[0]}" for method, rows in CLAIMS.items() for row in rows],
)
def test_claims_are_compared_with_the_configuration(
    current: Emulator, method: str, stored: dict[str, Any], claims: dict[str, Any], status: int
) -> None:
    identity_id = current.create_identity("runner", methods=[method])
    current.put_method(identity_id, method, **stored)
    jwt = current.jwt(identity_id, method=method, **claims)
    answer = log_in(current, method, {"identityId": identity_id, "jwt": jwt})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"] == "ForbiddenError"


def test_a_jwt_for_google_is_for_one_identity(current: Emulator) -> None:
    first, second = (current.create_identity(name, methods=["gcp-auth"]) for name in "ab")
    jwt = current.jwt(first, method="gcp-auth")
    assert log_in(current, "gcp-auth", {"identityId": second, "jwt": jwt}).status_code == 403


@pytest.mark.parametrize("wrong", ["username", "password"])
def test_a_wrong_ldap_credential_is_a_401(current: Emulator, wrong: str) -> None:
    identity_id = current.create_identity("runner", methods=["ldap-auth"])
    body = body_for(current, "ldap-auth", identity_id)
    answer = log_in(current, "ldap-auth", {**body, wrong: "wrong"})
    assert (answer.status_code, answer.json()["error"]) == (401, "UnauthorizedError")


def test_each_identity_has_ldap_credentials_of_its_own(current: Emulator) -> None:
    first, second = (current.create_identity(name, methods=["ldap-auth"]) for name in "ab")
    body = {"identityId": second, **dataclasses.asdict(current.ldap(first))}
    assert log_in(current, "ldap-auth", body).status_code == 401


def test_a_stored_method_limits_the_tokens_of_its_logins(current: Emulator) -> None:
    identity_id = current.create_identity("runner")
    current.put_method(
        identity_id, "oidc-auth", accessTokenTTL=60, accessTokenTrustedIps=["192.0.2.1"]
    )
    answer = log_in(current, "oidc-auth", body_for(current, "oidc-auth", identity_id)).json()
    assert answer["expiresIn"] == 60
    headers = {"Authorization": f"Bearer {answer['accessToken']}"}
    url = f"{current.url}/api/v1/identities/{identity_id}"
    assert "IP address" in requests.get(url, headers=headers, timeout=10).json()["message"]


# Where the identity lives and is a member besides, the slug, and where its token is for.
SLUGS: list[tuple[str, bool, str, str | tuple[int, str]]] = [
    ("organization", False, "acme", "organization"),
    ("organization", True, "acme", "organization"),
    ("organization", True, "acme-labs", "sub-organization"),
    ("organization", False, "acme-labs", (401, "UnauthorizedError")),
    ("organization", True, "globex", (404, "NotFound")),
    ("organization", True, "nobody", (404, "NotFound")),
    ("sub-organization", False, "acme-labs", "sub-organization"),
    ("sub-organization", False, "acme", "sub-organization"),
    ("sub-organization", False, "nobody", "sub-organization"),
]


@pytest.mark.parametrize(("home", "member", "slug", "outcome"), SLUGS)
def test_a_slug_names_an_organisation_that_the_identity_is_in(
    current: Emulator, home: str, member: bool, slug: str, outcome: str | tuple[int, str]
) -> None:
    ids = {
        "organization": current.organization_id,
        "sub-organization": current.sub_organization_id,
    }
    identity_id = current.create_identity(
        "runner", methods=["universal-auth"], organization_id=ids[home]
    )
    if member:
        current.add_member(identity_id, "member", organization_id=current.sub_organization_id)
    body = body_for(current, "universal-auth", identity_id)
    answer = log_in(current, "universal-auth", {**body, "organizationSlug": slug})
    if isinstance(outcome, tuple):
        assert (answer.status_code, answer.json()["error"]) == outcome
        return
    claims = decode_jwt(answer.json()["accessToken"], signed_here=True)
    assert claims["orgId"] == ids[outcome]
    assert claims["rootOrgId"] == current.organization_id
    headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    details = requests.get(
        f"{current.url}/api/v1/identities/details", headers=headers, timeout=10
    ).json()
    # What this route shows is the root, whatever the token is for.
    assert details["identityDetails"]["organization"]["id"] == current.organization_id
