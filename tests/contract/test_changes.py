# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, changing and deleting identities: what is stored, what is dropped, what is refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contract.api import Api, only_2026, refusal, since_2025

IDENTITIES = "/api/v1/identities"
TEAM = [{"key": "team", "value": "payments"}]


def shown(api: Api, identity_id: str) -> dict[str, Any]:
    """What a read has: name, role, protection and metadata."""
    body = api.get(f"{IDENTITIES}/{identity_id}").json()["identity"]
    return {
        "name": body["identity"]["name"],
        "role": body["role"],
        "protected": body["identity"]["hasDeleteProtection"],
        "metadata": [{"key": item["key"], "value": item["value"]} for item in body["metadata"]],
    }


def create(api: Api, **fields: Any) -> Any:
    body = {"name": api.name("changed"), "organizationId": api.organization_id, **fields}
    answer = api.post(IDENTITIES, body)
    if answer.status_code == 200:
        api.keep(answer.json()["identity"]["id"])
    return answer


@pytest.fixture
def made(api: Api) -> str:
    """An identity with metadata."""
    identity_id: str = create(api, metadata=TEAM).json()["identity"]["id"]
    return identity_id


@since_2025
def test_a_new_identity_has_no_role_no_protection_and_no_method(api: Api) -> None:
    answer = create(api)
    body = answer.json()["identity"]
    assert body["authMethods"] == []
    assert body["hasDeleteProtection"] is False
    assert body["metadata"] == []
    assert "role" not in body
    assert shown(api, body["id"]) == {
        "name": api.name("changed"),
        "role": "no-access",
        "protected": False,
        "metadata": [],
    }


def test_names_are_no_keys(api: Api) -> None:
    assert {create(api).status_code for _time in range(2)} == {200}


@pytest.mark.parametrize("name", ["", "   ", "x" * 255, "two\nlines"])
def test_any_name_of_up_to_255_characters_will_do(api: Api, name: str) -> None:
    answer = create(api, name=name)
    assert answer.json()["identity"]["name"] == name.strip()


@since_2025
@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 256},
        {"name": "a\0b"},
        {"metadata": [{"key": "k" * 256, "value": "v"}]},
        {"metadata": [{"key": "k", "value": "v" * 1021}]},
    ],
    ids=["long-name", "nul", "long-key", "long-value"],
)
def test_what_the_database_refuses_is_a_500(api: Api, fields: dict[str, Any]) -> None:
    assert refusal(create(api, **fields)) == (500, "Create")


@since_2025
@pytest.mark.parametrize(
    "fields",
    [
        {"hasDeleteProtection": "true"},
        {"metadata": {"team": "payments"}},
        {"metadata": [{"key": " ", "value": "v"}]},
        {"metadata": [{"key": "k", "value": ""}]},
        {"metadata": [{"key": "k", "value": 1}]},
        {"role": ""},
        {"role": None},
    ],
    ids=["protection", "object", "blank-key", "blank-value", "number", "blank-role", "no-role"],
)
def test_what_is_of_the_wrong_kind_is_refused(api: Api, fields: dict[str, Any]) -> None:
    assert refusal(create(api, **fields)) == (422, "ValidationFailure")


def test_an_unknown_role_is_a_404(api: Api) -> None:
    assert refusal(create(api, role="nothing-of-this-name")) == (404, "NotFound")


def test_another_organization_is_a_403(api: Api) -> None:
    assert create(api, organizationId=str(uuid.uuid4())).status_code == 403


@since_2025
def test_what_is_left_out_stays(api: Api, made: str) -> None:
    before = shown(api, made)
    for body in ({}, {"name": api.name("renamed")}, {"unknown": 1}):
        answer = api.patch(f"{IDENTITIES}/{made}", body)
        assert answer.status_code == 200
        # The answer has the metadata of this request, and not what there is.
        assert answer.json()["identity"]["metadata"] == []
    assert shown(api, made) == {**before, "name": api.name("renamed")}


@since_2025
def test_metadata_is_replaced_as_a_whole(api: Api, made: str) -> None:
    pairs = [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]
    assert api.patch(f"{IDENTITIES}/{made}", {"metadata": pairs}).status_code == 200
    found = shown(api, made)["metadata"]
    assert sorted(found, key=str) == pairs
    assert api.patch(f"{IDENTITIES}/{made}", {"metadata": []}).status_code == 200
    assert shown(api, made)["metadata"] == []


@since_2025
def test_a_protected_identity_is_not_deleted(api: Api, made: str) -> None:
    path = f"{IDENTITIES}/{made}"
    assert api.patch(path, {"hasDeleteProtection": True}).status_code == 200
    assert refusal(api.delete(path)) == (400, "BadRequest")
    # Lifted alone it stays, without a word; with the name it goes.
    assert api.patch(path, {"hasDeleteProtection": False}).status_code == 200
    assert shown(api, made)["protected"] is True
    both = {"hasDeleteProtection": False, "name": api.name("changed")}
    assert api.patch(path, both).status_code == 200
    assert shown(api, made)["protected"] is False
    assert api.delete(path).status_code == 200
    assert refusal(api.delete(path)) == (404, "NotFound")


@since_2025
def test_a_blank_name_is_ignored_but_beside_protection(api: Api, made: str) -> None:
    path = f"{IDENTITIES}/{made}"
    api.patch(path, {"name": ""})
    assert shown(api, made)["name"] == api.name("changed")
    api.patch(path, {"name": "", "hasDeleteProtection": True})
    assert shown(api, made)["name"] == ""
    api.patch(path, {"name": api.name("changed"), "hasDeleteProtection": False})


@since_2025
def test_a_role_is_set(api: Api, made: str) -> None:
    path = f"{IDENTITIES}/{made}"
    assert "role" not in api.patch(path, {"role": "member"}).json()["identity"]
    assert shown(api, made)["role"] == "member"
    assert refusal(api.patch(path, {"role": "nothing-of-this-name"})) == (404, "NotFound")


@since_2025
def test_a_member_gives_no_roles_and_yet_renames_and_deletes(api: Api, made: str) -> None:
    token = api.login(api.create_credentials("member"))
    path = f"{IDENTITIES}/{made}"
    body = {"name": "n", "organizationId": api.organization_id, "role": "member"}
    for answer in (
        api.post(IDENTITIES, body, token=token),
        api.patch(path, {"role": "member"}, token=token),
    ):
        assert refusal(answer) == (403, "PermissionBoundaryError")
    assert api.patch(path, {"name": api.name("renamed")}, token=token).status_code == 200
    assert api.delete(path, token=token).status_code == 200


@since_2025
def test_an_update_of_nothing_asks_for_the_permission(api: Api, made: str) -> None:
    token = api.login(api.create_credentials("no-access"))
    assert refusal(api.patch(f"{IDENTITIES}/{made}", {}, token=token)) == (403, "PermissionDenied")


@only_2026
def test_a_member_creates_identities_without_access(api: Api) -> None:
    token = api.login(api.create_credentials("member"))
    body = {"name": api.name("by a member"), "organizationId": api.organization_id}
    answer = api.post(IDENTITIES, body, token=token)
    assert answer.status_code == 200
    api.keep(answer.json()["identity"]["id"])


@since_2025
@pytest.mark.parametrize(("verb", "error"), [("GET", "FindByOrgId"), ("DELETE", "FindOne")])
def test_an_id_that_is_no_uuid(api: Api, verb: str, error: str) -> None:
    answer = api.call(verb, f"{IDENTITIES}/not-a-uuid")
    assert refusal(answer) in (
        (500, error),
        *([(404, "NotFound")] if api.generation == "2026" else []),
    )
