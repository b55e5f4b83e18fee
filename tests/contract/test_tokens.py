# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials, tokens and permissions: what they open, and how they end."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
import requests

from contract.api import ATTACH, Api, fields_of, only_2026, refusal, until_2025

LOGIN = "/api/v1/auth/universal-auth/login"
REVOKE = "/api/v1/auth/token/revoke"
RENEW = "/api/v1/auth/token/renew"
ANYWHERE = [{"ipAddress": "0.0.0.0/0"}, {"ipAddress": "::/0"}]


def works(api: Api, token: str, identity_id: str) -> bool:
    """Whether a token is accepted."""
    return api.get(f"/api/v1/identities/{identity_id}", token=token).status_code == 200


def test_a_login_answers_a_bearer_token(api: Api, bare: str) -> None:
    answer = api.post(LOGIN, api.credentials, token=None)
    body = answer.json()
    assert set(body) == {"accessToken", "expiresIn", "accessTokenMaxTTL", "tokenType"}
    assert body["tokenType"] == "Bearer"
    assert isinstance(body["expiresIn"], int)
    assert works(api, body["accessToken"], bare)
    api.post(REVOKE, {"accessToken": body["accessToken"]}, token=None)


def test_a_token_names_its_identity(api: Api) -> None:
    segment = api.token.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    shown = api.get(f"/api/v1/identities/{payload['identityId']}").json()["identity"]
    assert shown["orgId"] == api.organization_id


def test_a_wrong_secret_is_a_401(api: Api) -> None:
    # Credentials of their own: wrong guesses may lock an identity out.
    credentials = {**api.create_credentials("no-access"), "clientSecret": "0" * 64}
    answer = api.post(LOGIN, credentials, token=None)
    assert refusal(answer) == (401, "UnauthorizedError")


def test_an_unknown_client_id_is_a_404(api: Api) -> None:
    credentials = {**api.credentials, "clientId": "00000000-0000-4000-8000-000000000000"}
    assert refusal(api.post(LOGIN, credentials, token=None)) == (404, "NotFound")


def test_a_login_needs_both_credentials(api: Api) -> None:
    answer = api.post(LOGIN, {}, token=None)
    assert refusal(answer)[1] == "ValidationFailure"
    assert sorted(fields_of(answer)) == ["clientId", "clientSecret"]


@only_2026
def test_an_organisation_slug_is_accepted(api: Api) -> None:
    details = api.get("/api/v1/identities/details").json()["identityDetails"]
    body = {**api.credentials, "organizationSlug": details["organization"]["slug"]}
    answer = api.post(LOGIN, body, token=None)
    assert answer.status_code == 200
    api.post(REVOKE, {"accessToken": answer.json()["accessToken"]}, token=None)


@pytest.mark.parametrize("slug", ["", "x" * 65])
@only_2026
def test_an_organisation_slug_has_1_to_64_characters(api: Api, slug: str) -> None:
    answer = api.post(LOGIN, {**api.credentials, "organizationSlug": slug}, token=None)
    assert refusal(answer) == (422, "ValidationFailure")
    assert fields_of(answer) == ["organizationSlug"]


@until_2025
def test_servers_before_2026_drop_an_organisation_slug(api: Api) -> None:
    answer = api.post(LOGIN, {**api.credentials, "organizationSlug": "x" * 65}, token=None)
    assert answer.status_code == 200
    api.post(REVOKE, {"accessToken": answer.json()["accessToken"]}, token=None)


@pytest.mark.parametrize("path", [LOGIN, REVOKE])
def test_a_bad_authorization_header_spoils_even_public_routes(api: Api, path: str) -> None:
    answer = api.post(path, api.credentials, token="garbage")
    assert refusal(answer) == (403, "TokenError")


# The methods that name the identity, what they take besides, and whether servers of 2024 have them.
IDENTITY_LOGINS: list[tuple[str, dict[str, str], bool]] = [
    ("azure-auth", {"jwt": "garbage"}, True),
    ("gcp-auth", {"jwt": "garbage"}, True),
    ("kubernetes-auth", {"jwt": "garbage"}, True),
    ("oidc-auth", {"jwt": "garbage"}, True),
    ("jwt-auth", {"jwt": "garbage"}, False),
    ("ldap-auth", {"username": "nobody", "password": "garbage"}, False),
]
identity_logins = pytest.mark.parametrize(
    ("method", "rest", "on_2024"), IDENTITY_LOGINS, ids=[row[0] for row in IDENTITY_LOGINS]
)


def known(api: Api, on_2024: bool, answer: requests.Response) -> bool:
    """Whether the server has the route; where it has not, it must say so."""
    if on_2024 or api.generation > "2024-10":
        return True
    assert refusal(answer) == (404, "Not Found")
    return False


@pytest.mark.parametrize("who", ["bare", "unknown"])
@identity_logins
def test_a_login_for_an_identity_without_the_method_is_a_404(
    api: Api, bare: str, method: str, rest: dict[str, str], on_2024: bool, who: str
) -> None:
    identity_id = bare if who == "bare" else "00000000-0000-4000-8000-000000000000"
    answer = api.post(
        f"/api/v1/auth/{method}/login", {"identityId": identity_id, **rest}, token=None
    )
    if known(api, on_2024, answer):
        assert refusal(answer) == (404, "NotFound")


@identity_logins
def test_a_login_with_an_id_that_is_no_uuid_is_a_500(
    api: Api, method: str, rest: dict[str, str], on_2024: bool
) -> None:
    body = {"identityId": "not-a-uuid", **rest}
    answer = api.post(f"/api/v1/auth/{method}/login", body, token=None)
    if known(api, on_2024, answer):
        assert answer.status_code == 500


@identity_logins
def test_a_login_needs_all_of_its_fields(
    api: Api, method: str, rest: dict[str, str], on_2024: bool
) -> None:
    answer = api.post(f"/api/v1/auth/{method}/login", {}, token=None)
    if known(api, on_2024, answer):
        assert refusal(answer)[1] == "ValidationFailure"
        assert sorted(fields_of(answer)) == sorted(["identityId", *rest])


def test_azure_login_with_garbage_is_a_500(api: Api, attached: str) -> None:
    body = {"identityId": attached, "jwt": "garbage"}
    answer = api.post("/api/v1/auth/azure-auth/login", body, token=None)
    assert answer.status_code == 500


AZURE_LOGINS: list[tuple[str, dict[str, str], dict[str, str], int]] = [
    ("as-configured", {}, {}, 200),
    ("audience-without-slash", {"resource": "r/"}, {"aud": "r"}, 200),
    ("audience-with-slash", {"resource": "r"}, {"aud": "r/"}, 401),
    ("other-principal", {}, {"oid": "other"}, 401),
    ("upper-case-principal", {"allowedServicePrincipalIds": "A-B"}, {"oid": "a-b"}, 401),
    ("everyone", {"allowedServicePrincipalIds": ""}, {"oid": "other"}, 200),
    ("nobody", {"allowedServicePrincipalIds": ","}, {"oid": "other"}, 401),
    ("upper-case-tenant", {"tenantId": "T"}, {"tid": "t"}, 401),
    ("other-issuer", {}, {"iss": "https://sts.windows.net/other/"}, 401),
]


@pytest.mark.parametrize(
    ("fields", "claims", "status"),
    [row[1:] for row in AZURE_LOGINS],
    ids=[row[0] for row in AZURE_LOGINS],
)
@pytest.mark.usefixtures("own")
def test_azure_logins_are_compared_letter_by_letter(
    api: Api,
    identity: str,
    fields: dict[str, str],
    claims: dict[str, str],
    status: int,
) -> None:
    assert api.emulator is not None
    api.attach(identity, **fields)
    body = {
        "identityId": identity,
        "jwt": api.emulator.jwt(identity, method="azure-auth", **claims),
    }
    answer = api.post("/api/v1/auth/azure-auth/login", body, token=None)
    assert answer.status_code == status


@pytest.mark.usefixtures("own")
def test_revoking_azure_auth_ends_its_tokens(api: Api, attached: str) -> None:
    assert api.emulator is not None
    identity_id = api.create_identity("azure member", "member")
    api.attach(identity_id)
    body = {"identityId": identity_id, "jwt": api.emulator.jwt(identity_id, method="azure-auth")}
    answer = api.post("/api/v1/auth/azure-auth/login", body, token=None)
    token = answer.json()["accessToken"]
    assert works(api, token, attached)
    assert api.delete(api.azure_auth(identity_id)).status_code == 200
    answer = api.get(api.azure_auth(attached), token=token)
    assert refusal(answer) == (401, "UnauthorizedError")


def test_no_token_is_a_401(api: Api, attached: str) -> None:
    answer = api.get(api.azure_auth(attached), token=None)
    assert refusal(answer) == (401, "UnauthorizedError")


@pytest.mark.parametrize("text", ["garbage", "a.b.c", "e30.e30.e30"])
def test_a_malformed_token_is_a_403(api: Api, attached: str, text: str) -> None:
    answer = api.get(api.azure_auth(attached), token=text)
    assert refusal(answer) == (403, "TokenError")


def test_a_token_with_a_bad_signature_is_a_403(api: Api, attached: str) -> None:
    head, payload, signature = api.token.split(".")
    spoiled = f"{head}.{payload}.{signature[::-1]}"
    assert refusal(api.get(api.azure_auth(attached), token=spoiled)) == (403, "TokenError")


def test_a_service_token_is_a_404(api: Api, attached: str) -> None:
    answer = api.get(api.azure_auth(attached), token="st.a.b.c")
    assert refusal(answer) == (404, "NotFound")


def test_a_token_is_revoked_once(api: Api, attached: str) -> None:
    token = api.create_token()
    assert works(api, token, attached)
    body = {"accessToken": token}
    assert api.post(REVOKE, body, token=None).status_code == 200
    assert refusal(api.get(api.azure_auth(attached), token=token)) == (401, "UnauthorizedError")
    assert refusal(api.post(REVOKE, body, token=None)) == (401, "UnauthorizedError")


def test_revoking_garbage_is_a_403(api: Api) -> None:
    answer = api.post(REVOKE, {"accessToken": "garbage"}, token=None)
    assert refusal(answer) == (403, "TokenError")


def test_a_token_ends_with_its_identity(api: Api, attached: str) -> None:
    credentials = api.create_credentials("member")
    token = api.login(credentials)
    assert works(api, token, attached)
    segment = token.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    api.delete(f"/api/v1/identities/{payload['identityId']}")
    assert refusal(api.get(api.azure_auth(attached), token=token)) == (401, "UnauthorizedError")


def test_a_token_expires_with_a_403(api: Api, attached: str) -> None:
    token = api.create_token(accessTokenTTL=1, accessTokenMaxTTL=1)
    time.sleep(1.5)
    assert refusal(api.get(api.azure_auth(attached), token=token)) == (403, "TokenError")


def test_a_limited_number_of_uses_counts_every_known_route(api: Api, attached: str) -> None:
    token = api.create_token(accessTokenNumUsesLimit=4)
    used = [
        api.get(api.azure_auth(attached), token=token),
        api.get("/api/v1/nothing", token=token),
        api.get(api.azure_auth("00000000-0000-4000-8000-000000000000"), token=token),
        api.patch(api.azure_auth(attached), {}, token=token),
        api.get(api.azure_auth(attached), token=token),
    ]
    assert [answer.status_code for answer in used] == [200, 404, 404, 500, 200]
    answer = api.get(api.azure_auth(attached), token=token)
    assert refusal(answer) == (401, "UnauthorizedError")


def test_a_refused_renewal_ends_the_token_before_2026(api: Api, attached: str) -> None:
    token = api.create_token()
    time.sleep(0.01)
    answer = api.post(RENEW, {"accessToken": token}, token=None)
    assert refusal(answer) == (401, "UnauthorizedError")
    assert works(api, token, attached) == (api.generation == "2026")


def test_a_renewal_answers_a_token_that_works(api: Api, attached: str) -> None:
    token = api.create_token(accessTokenTTL=60, accessTokenMaxTTL=600)
    time.sleep(1.1)
    answer = api.post(RENEW, {"accessToken": token}, token=None)
    assert answer.status_code == 200
    renewed = answer.json()["accessToken"]
    assert (renewed != token) == (api.generation > "2024-10")
    assert works(api, renewed, attached)


@pytest.mark.usefixtures("licensed")
def test_a_caller_from_elsewhere_is_a_403(api: Api, attached: str) -> None:
    token = api.create_token(accessTokenTrustedIps=[{"ipAddress": "192.0.2.1"}])
    answer = api.get(api.azure_auth(attached), token=token)
    assert answer.status_code == 403
    assert "IP address" in answer.json()["message"]


@pytest.mark.parametrize("network", ["::/0", "::/64", "::ffff:0:0/96"])
@pytest.mark.usefixtures("licensed")
def test_an_ipv6_network_over_the_mapped_range_admits_ipv4(
    api: Api, attached: str, network: str
) -> None:
    token = api.create_token(
        accessTokenTrustedIps=[{"ipAddress": "192.0.2.0/24"}, {"ipAddress": network}]
    )
    assert works(api, token, attached)


PERMISSIONS = [
    ("GET", None, "read"),
    ("PATCH", {"resource": "r"}, "edit"),
    ("DELETE", None, "edit"),
]


@pytest.fixture(scope="module")
def powerless(api: Api) -> str:
    """A token of an identity whose role allows nothing."""
    return api.login(api.create_credentials("no-access"))


@pytest.mark.parametrize(
    ("verb", "body", "action"), PERMISSIONS, ids=[row[0] for row in PERMISSIONS]
)
def test_a_role_without_the_permission_is_a_403(
    api: Api, attached: str, powerless: str, verb: str, body: Any, action: str
) -> None:
    answer = api.call(verb, api.azure_auth(attached), json=body, token=powerless)
    assert refusal(answer) == (403, "PermissionDenied")
    assert answer.json()["message"].startswith(f"You are not allowed to {action}")


def test_attaching_without_the_permission_is_a_403(api: Api, bare: str, powerless: str) -> None:
    answer = api.post(api.azure_auth(bare), ATTACH, token=powerless)
    assert refusal(answer) == (403, "PermissionDenied")


def test_what_is_attached_is_checked_before_the_permission(
    api: Api, bare: str, powerless: str
) -> None:
    assert refusal(api.get(api.azure_auth(bare), token=powerless)) == (400, "BadRequest")


def test_looking_at_identities_without_the_permission_is_a_403(
    api: Api, bare: str, powerless: str
) -> None:
    for path in (f"/api/v1/identities/{bare}", f"/api/v1/identities?orgId={api.organization_id}"):
        assert refusal(api.get(path, token=powerless)) == (403, "PermissionDenied")


def test_revoking_from_a_more_privileged_identity_is_a_403(api: Api) -> None:
    privileged = api.create_identity("privileged", "admin")
    api.attach(privileged)
    token = api.login(api.create_credentials("member"))
    answer = api.delete(api.azure_auth(privileged), token=token)
    error = "PermissionBoundaryError" if api.generation > "2024-10" else "ForbiddenError"
    assert refusal(answer) == (403, error)
    assert api.get(api.azure_auth(privileged)).status_code == 200
