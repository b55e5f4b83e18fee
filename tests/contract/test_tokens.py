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

from contract.api import (
    ATTACH,
    Api,
    fields_of,
    only_2024,
    only_2025,
    only_2026,
    refusal,
    since_2025,
    until_2025,
)

LOGIN = "/api/v1/auth/universal-auth/login"
REVOKE = "/api/v1/auth/token/revoke"
RENEW = "/api/v1/auth/token/renew"
ANYWHERE = [{"ipAddress": "0.0.0.0/0"}, {"ipAddress": "::/0"}]


def payload_of(token: str) -> dict[str, Any]:
    """What a token says of itself."""
    segment = token.split(".")[1]
    payload: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    )
    return payload


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
    shown = api.get(f"/api/v1/identities/{payload_of(api.token)['identityId']}").json()["identity"]
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
    """Whether the server has a route that works; where it has not, it must say so."""
    if api.generation == "2025-06" and "ldap" in answer.url:
        # It lets nobody in, whatever is sent.
        assert refusal(answer) == (401, "UnauthorizedError")
        return False
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
    ("blank-resource", {"resource": ""}, {"aud": "any"}, 200),
    ("slash-for-resource", {"resource": "/"}, {"aud": "any"}, 200),
    ("slash-for-resource-and-audience", {"resource": "/"}, {"aud": "any/"}, 401),
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
    again = api.post(REVOKE, body, token=None)
    if api.generation == "2026":
        # Since spring 2026 a mark is set, as often as is asked.
        assert again.status_code in (200, 401)
    else:
        assert refusal(again) == (401, "UnauthorizedError")


def test_revoking_garbage_is_a_403(api: Api) -> None:
    answer = api.post(REVOKE, {"accessToken": "garbage"}, token=None)
    assert refusal(answer) == (403, "TokenError")


def test_a_token_ends_with_its_identity(api: Api, attached: str) -> None:
    credentials = api.create_credentials("member")
    token = api.login(credentials)
    assert works(api, token, attached)
    api.delete(f"/api/v1/identities/{payload_of(token)['identityId']}")
    assert refusal(api.get(api.azure_auth(attached), token=token)) == (401, "UnauthorizedError")


def test_a_token_expires_with_a_403(api: Api, attached: str) -> None:
    token = api.create_token(accessTokenTTL=1, accessTokenMaxTTL=1)
    time.sleep(1.5)
    assert refusal(api.get(api.azure_auth(attached), token=token)) == (403, "TokenError")


def test_a_limited_number_of_uses_counts_every_known_route(api: Api, attached: str) -> None:
    token = api.create_token("admin", accessTokenNumUsesLimit=4)
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


@until_2025
def test_a_refused_renewal_ends_the_token(api: Api, attached: str) -> None:
    token = api.create_token()
    time.sleep(0.01)
    answer = api.post(RENEW, {"accessToken": token}, token=None)
    assert refusal(answer) == (401, "UnauthorizedError")
    assert not works(api, token, attached)


def test_a_renewal_answers_a_token_that_works(api: Api, attached: str) -> None:
    token = api.create_token(accessTokenTTL=60, accessTokenMaxTTL=600)
    time.sleep(1.1)
    answer = api.post(RENEW, {"accessToken": token}, token=None)
    assert answer.status_code == 200
    renewed = answer.json()["accessToken"]
    assert (renewed != token) == (api.generation > "2024-10")
    assert works(api, renewed, attached)
    assert works(api, token, attached)
    # One revocation ends both.
    assert api.post(REVOKE, {"accessToken": token}, token=None).status_code == 200
    assert not works(api, renewed, attached)


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


# What is done, and the permission that servers ask for: at first, and since summer 2026.
PERMISSIONS = [
    ("GET", None, "read", "read"),
    ("PATCH", {"resource": "r"}, "edit", "edit-auth"),
    ("DELETE", None, "edit", "edit"),
]


@pytest.fixture(scope="module")
def powerless(api: Api) -> str:
    """A token of an identity whose role allows nothing."""
    return api.login(api.create_credentials("no-access"))


@pytest.mark.parametrize(
    ("verb", "body", "action", "later"), PERMISSIONS, ids=[row[0] for row in PERMISSIONS]
)
def test_a_role_without_the_permission_is_a_403(
    api: Api, attached: str, powerless: str, verb: str, body: Any, action: str, later: str
) -> None:
    answer = api.call(verb, api.azure_auth(attached), json=body, token=powerless)
    assert refusal(answer) == (403, "PermissionDenied")
    asked = {action, later} if api.generation == "2026" else {action}
    assert answer.json()["message"] in {
        f"You are not allowed to {one} on identity" for one in asked
    }


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


@only_2024
def test_revoking_from_a_more_privileged_identity_is_a_403(api: Api) -> None:
    privileged = api.create_identity("privileged", "admin")
    api.attach(privileged)
    token = api.login(api.create_credentials("member"))
    answer = api.delete(api.azure_auth(privileged), token=token)
    assert refusal(answer) == (403, "ForbiddenError")
    assert api.get(api.azure_auth(privileged)).status_code == 200


@since_2025
def test_revoking_takes_a_permission_that_a_member_has_not(api: Api, identity: str) -> None:
    api.attach(identity)
    token = api.login(api.create_credentials("member"))
    answer = api.delete(api.azure_auth(identity), token=token)
    assert answer.status_code == 403
    # Since summer 2026 it is a permission like the others; before, it is asked for after them.
    errors = {
        "PermissionBoundaryError",
        *(["PermissionDenied"] if api.generation == "2026" else []),
    }
    assert refusal(answer)[1] in errors
    assert "revoke-auth" in answer.json()["message"]
    assert api.get(api.azure_auth(identity)).status_code == 200


@until_2025
def test_a_member_attaches_and_updates(api: Api, identity: str) -> None:
    token = api.login(api.create_credentials("member"))
    assert api.post(api.azure_auth(identity), ATTACH, token=token).status_code == 200
    answer = api.patch(api.azure_auth(identity), {"resource": "changed"}, token=token)
    assert answer.status_code == 200


@only_2026
def test_a_member_neither_attaches_nor_updates(api: Api, bare: str, attached: str) -> None:
    token = api.login(api.create_credentials("member"))
    for answer in (
        api.post(api.azure_auth(bare), ATTACH, token=token),
        api.patch(api.azure_auth(attached), {"resource": "changed"}, token=token),
    ):
        if api.emulator is None and answer.status_code == 200:
            pytest.skip("the server is older than summer 2026, when the permission came")
        assert refusal(answer) == (403, "PermissionDenied")
        assert answer.json()["message"] == "You are not allowed to edit-auth on identity"


@only_2025
def test_without_any_lifetime_a_token_has_no_end(api: Api) -> None:
    token = api.create_token(accessTokenTTL=0, accessTokenMaxTTL=0)
    assert "exp" not in payload_of(token)


@only_2026
def test_no_token_lives_longer_than_90_days(api: Api) -> None:
    payload = payload_of(api.create_token(accessTokenTTL=0, accessTokenMaxTTL=0))
    assert payload["exp"] - payload["iat"] <= 90 * 24 * 3600


@since_2025
@pytest.mark.usefixtures("licensed")
def test_trusted_ips_hold_for_tokens_issued_before(api: Api, attached: str) -> None:
    identity_id = api.create_identity("narrowed", "member")
    path = f"/api/v1/auth/token-auth/identities/{identity_id}"
    api.post(path, {})
    token = api.post(f"{path}/tokens", {}).json()["accessToken"]
    assert works(api, token, attached)
    narrow = {"accessTokenTrustedIps": [{"ipAddress": "192.0.2.1"}]}
    assert api.patch(path, narrow).status_code == 200
    answer = api.get(api.azure_auth(attached), token=token)
    assert answer.status_code == 403
    assert "IP address" in answer.json()["message"]
