# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals: which status and which ``error`` each has. Messages are not pinned."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import requests

from contract.api import ATTACH, Api, fields_of, only_2025, only_2026, refusal

JSON = {"Content-Type": "application/json"}
INVALID = {
    "2024-10": (401, "ValidationFailure"),
    "2025-06": (422, "ValidationFailure"),
    "2026": (422, "ValidationFailure"),
}


def test_the_body_of_an_error(api: Api, bare: str) -> None:
    body = api.get(api.azure_auth(bare)).json()
    names = {"statusCode", "message", "error"} | ({"reqId"} & set(body))
    assert ("reqId" in body) == (api.generation > "2024-10")
    assert set(body) == names
    assert body["statusCode"] == 400
    assert isinstance(body["message"], str)


@pytest.mark.parametrize(
    ("verb", "body"),
    [("GET", None), ("PATCH", ATTACH), ("DELETE", None)],
    ids=["read", "update", "revoke"],
)
def test_not_attached_is_a_400(api: Api, bare: str, verb: str, body: Any) -> None:
    answer = api.call(verb, api.azure_auth(bare), json=body)
    assert refusal(answer) == (400, "BadRequest")


def test_attaching_where_it_is_attached_is_a_400(api: Api, attached: str) -> None:
    assert refusal(api.post(api.azure_auth(attached), ATTACH)) == (400, "BadRequest")


def test_attaching_beside_another_method(api: Api, identity: str) -> None:
    other = api.post(f"/api/v1/auth/token-auth/identities/{identity}", {})
    assert other.status_code == 200
    answer = api.post(api.azure_auth(identity), ATTACH)
    if api.generation == "2024-10":
        assert refusal(answer) == (400, "BadRequest")
    else:
        assert answer.status_code == 200


def test_two_attaches_at_once_leave_one_winner(api: Api, identity: str) -> None:
    answers: list[requests.Response] = []

    def attach() -> None:
        answers.append(
            requests.post(
                api.url + api.azure_auth(identity),
                json=ATTACH,
                headers={"Authorization": f"Bearer {api.token}"},
                timeout=30,
            )
        )

    threads = [threading.Thread(target=attach) for _time in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any("retry-after" in answer.headers for answer in answers):
        pytest.skip("the server's rate limit got in the way")
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {400, 500}


VERBS = [("GET", None), ("POST", ATTACH), ("PATCH", ATTACH), ("DELETE", None)]


@pytest.mark.parametrize(("verb", "body"), VERBS, ids=[row[0] for row in VERBS])
def test_an_unknown_identity_is_a_404(api: Api, verb: str, body: Any) -> None:
    answer = api.call(verb, api.azure_auth(str(uuid.uuid4())), json=body)
    assert refusal(answer) == (404, "NotFound")


@pytest.mark.parametrize("identity_id", ["not-a-uuid", "..%2F..", "%00", "details"])
@pytest.mark.parametrize(("verb", "body"), VERBS, ids=[row[0] for row in VERBS])
def test_an_id_that_is_no_uuid_is_a_404_or_a_500(
    api: Api, verb: str, body: Any, identity_id: str
) -> None:
    answer = api.call(verb, api.azure_auth(identity_id), json=body)
    assert answer.status_code in (404, 500)


INVALID_FIELDS: list[tuple[str, Any]] = [
    ("tenantId", None),
    ("tenantId", 7),
    ("tenantId", ["a"]),
    ("resource", None),
    ("resource", True),
    ("allowedServicePrincipalIds", None),
    ("allowedServicePrincipalIds", ["a"]),
    ("accessTokenTrustedIps", None),
    ("accessTokenTrustedIps", []),
    ("accessTokenTrustedIps", "10.0.0.0/8"),
    ("accessTokenTrustedIps", ["10.0.0.0/8"]),
    ("accessTokenTrustedIps", [{}]),
    ("accessTokenTrustedIps", [{"ipAddress": None}]),
    ("accessTokenTTL", None),
    ("accessTokenTTL", "60"),
    ("accessTokenTTL", 1.5),
    ("accessTokenTTL", True),
    ("accessTokenTTL", -1),
    ("accessTokenTTL", 315360001),
    ("accessTokenMaxTTL", None),
    ("accessTokenMaxTTL", 315360001),
    ("accessTokenNumUsesLimit", None),
    ("accessTokenNumUsesLimit", -1),
    ("accessTokenNumUsesLimit", 0.5),
]


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("field", "value"), INVALID_FIELDS, ids=[f"{name}={value!r}" for name, value in INVALID_FIELDS]
)
def test_an_invalid_value_names_its_field(
    api: Api, bare: str, attached: str, verb: str, field: str, value: Any
) -> None:
    path = api.azure_auth(bare if verb == "POST" else attached)
    answer = api.call(verb, path, json={**ATTACH, field: value})
    assert refusal(answer) == INVALID[api.generation]
    named = {path.partition(".")[0] for path in fields_of(answer)}
    # A TTL too large is above the max as well, which is said of the whole body.
    assert field in named
    assert named <= {field, ""}


@pytest.mark.parametrize("field", ["tenantId", "resource"])
def test_attaching_needs_a_tenant_and_a_resource(api: Api, bare: str, field: str) -> None:
    body = {name: value for name, value in ATTACH.items() if name != field}
    answer = api.post(api.azure_auth(bare), body)
    assert refusal(answer) == INVALID[api.generation]
    assert fields_of(answer) == [field]


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
@pytest.mark.parametrize("data", [b"null", b"[]", b'"text"', b"7"])
def test_a_body_that_is_no_object_is_invalid(
    api: Api, bare: str, attached: str, verb: str, data: bytes
) -> None:
    path = api.azure_auth(bare if verb == "POST" else attached)
    answer = api.call(verb, path, data=data, headers=JSON)
    assert refusal(answer) == INVALID[api.generation]


def test_a_text_body_is_invalid(api: Api, attached: str) -> None:
    answer = api.patch(
        api.azure_auth(attached), data=b'{"resource": "r"}', headers={"Content-Type": "text/plain"}
    )
    assert refusal(answer) == INVALID[api.generation]


INTERNAL: dict[str, dict[str, Any]] = {
    "no-content-type": {"data": b'{"resource": "r"}'},
    "bad-json": {"data": b'{"resource": ', "headers": JSON},
    "not-json": {"data": b'{"accessTokenTTL": NaN}', "headers": JSON},
    "empty-json": {"data": b"", "headers": JSON},
    "over-1-mib": {"json": {"resource": "x" * (1024 * 1024)}},
}


@pytest.mark.parametrize("request_parts", INTERNAL.values(), ids=INTERNAL)
def test_a_body_that_cannot_be_parsed_is_a_500(
    api: Api, attached: str, request_parts: dict[str, Any]
) -> None:
    answer = api.call("PATCH", api.azure_auth(attached), **request_parts)
    assert refusal(answer) == (500, "InternalServerError")
    assert "retry-after" not in answer.headers


def test_revoking_with_a_json_content_type_and_no_body_is_a_500(api: Api, attached: str) -> None:
    answer = api.delete(api.azure_auth(attached), headers=JSON)
    assert refusal(answer) == (500, "InternalServerError")


TOO_MUCH: dict[str, tuple[str, Any]] = {
    "tenant-long": ("tenantId", "x" * 256),
    "tenant-nul": ("tenantId", "a\0b"),
    "resource-long": ("resource", "x" * 256),
    "resource-nul": ("resource", "a\0b"),
    "principals-long": ("allowedServicePrincipalIds", "x" * 2049),
    "principals-nul": ("allowedServicePrincipalIds", "a\0b"),
    "uses-beyond-64-bits": ("accessTokenNumUsesLimit", 2**64),
}


@pytest.mark.parametrize(("field", "value"), TOO_MUCH.values(), ids=TOO_MUCH)
@pytest.mark.parametrize(("verb", "error"), [("POST", "Create"), ("PATCH", "Update by id")])
def test_what_the_database_refuses_is_a_500_that_names_the_operation(
    api: Api, bare: str, attached: str, verb: str, error: str, field: str, value: Any
) -> None:
    path = api.azure_auth(bare if verb == "POST" else attached)
    answer = api.call(verb, path, json={**ATTACH, field: value})
    assert refusal(answer) == (500, error)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("body", [{}, {"unknown": 1}], ids=["empty", "only-unknown-fields"])
def test_an_update_of_nothing_is_a_500(api: Api, attached: str, body: dict[str, Any]) -> None:
    assert refusal(api.patch(api.azure_auth(attached), body)) == (500, "Update by id")


UNKNOWN_ROUTES = [
    ("GET", "/api/v1/nothing"),
    ("GET", "/api/v1/nothing?query=1"),
    ("PUT", "/api/v1/auth/azure-auth/identities/x"),
    ("GET", "/api/v1/auth/azure-auth/identities/x//"),
    ("GET", "/api/v1/auth/Azure-auth/identities/x"),
    ("GET", "/api/v1/auth/azure-auth/identities/a/b"),
]


@pytest.mark.parametrize(("verb", "path"), UNKNOWN_ROUTES)
@pytest.mark.parametrize("token", ["", None, "garbage"], ids=["token", "no-token", "bad-token"])
def test_an_unknown_route_comes_before_everything(
    api: Api, verb: str, path: str, token: str | None
) -> None:
    answer = api.call(verb, path, token=token)
    assert refusal(answer) == (404, "Not Found")
    assert answer.json()["message"] == f"Route {verb}:{path} not found"


@only_2025
def test_a_slash_at_the_end_is_ignored(api: Api, attached: str) -> None:
    assert api.get(f"{api.azure_auth(attached)}/").status_code == 200
    assert refusal(api.get("/api/v1/nothing/")) == (404, "Not Found")


@pytest.mark.usefixtures("own")
def test_an_identity_of_another_organisation(api: Api) -> None:
    assert api.emulator is not None
    answer = api.get(api.azure_auth(api.emulator.identities["foreign"]))
    if api.generation == "2026":
        assert refusal(answer) == (404, "NotFound")
    else:
        assert answer.status_code == 403
        assert " " in answer.json()["error"]


@pytest.mark.parametrize(("verb", "body"), VERBS, ids=[row[0] for row in VERBS])
@only_2026
@pytest.mark.usefixtures("own")
def test_an_identity_of_a_sub_organisation_is_a_403(api: Api, verb: str, body: Any) -> None:
    assert api.emulator is not None
    path = api.azure_auth(api.emulator.identities["sub-organization"])
    assert refusal(api.call(verb, path, json=body)) == (403, "ForbiddenError")


ORDER: list[tuple[str, dict[str, Any], str, dict[str, tuple[int, str]]]] = [
    (
        "token-before-body",
        {"token": None, "data": b"{", "headers": JSON},
        "unknown",
        dict.fromkeys(INVALID, (401, "UnauthorizedError")),
    ),
    (
        "body-before-validation",
        {"data": b'{"tenantId": 7', "headers": JSON},
        "unknown",
        dict.fromkeys(INVALID, (500, "InternalServerError")),
    ),
    ("validation-before-identity", {"json": {"tenantId": 7}}, "unknown", INVALID),
    (
        "identity-before-empty-update",
        {"json": {}},
        "unknown",
        dict.fromkeys(INVALID, (404, "NotFound")),
    ),
    (
        "attached-before-empty-update",
        {"json": {}},
        "bare",
        dict.fromkeys(INVALID, (400, "BadRequest")),
    ),
    (
        "ttl-before-trusted-ip",
        {"json": {"accessTokenTTL": 3000000, "accessTokenTrustedIps": [{"ipAddress": "x"}]}},
        "attached",
        dict.fromkeys(INVALID, (400, "BadRequest")),
    ),
]


@pytest.mark.parametrize(
    ("parts", "target", "expected"), [row[1:] for row in ORDER], ids=[row[0] for row in ORDER]
)
def test_checks_come_in_order(
    api: Api,
    bare: str,
    identity: str,
    parts: dict[str, Any],
    target: str,
    expected: dict[str, tuple[int, str]],
) -> None:
    if target == "attached":
        api.attach(identity)
    targets = {"unknown": str(uuid.uuid4()), "bare": bare, "attached": identity}
    answer = api.call("PATCH", api.azure_auth(targets[target]), **parts)
    assert refusal(answer) == expected[api.generation]
    if target == "attached":
        assert "TTL" in answer.json()["message"]
