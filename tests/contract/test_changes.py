# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, changing and deleting identities: what is stored, what is dropped, what is refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contract.api import (
    ATTACH,
    IDENTITIES,
    Api,
    only_2024,
    only_2025,
    only_2026,
    refusal,
    since_2025,
)

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


@only_2024
def test_servers_of_2024_drop_what_they_do_not_know(api: Api) -> None:
    answer = create(api, metadata=TEAM, hasDeleteProtection=True)
    path = f"{IDENTITIES}/{answer.json()['identity']['id']}"
    assert not {"metadata", "hasDeleteProtection"} & set(answer.json()["identity"])
    assert "metadata" not in api.get(path).json()["identity"]
    assert api.delete(path).status_code == 200


def test_nothing_makes_a_name_or_a_request_a_key(api: Api) -> None:
    wanted = str(uuid.uuid4())
    ids = set()
    for _time in range(2):
        body = {"name": api.name("key"), "organizationId": api.organization_id, "id": wanted}
        answer = api.post(IDENTITIES, body, headers={"Idempotency-Key": wanted})
        ids.add(answer.json()["identity"]["id"])
        api.keep(answer.json()["identity"]["id"])
    assert len(ids) == 2
    assert wanted not in ids


@since_2025
def test_what_is_created_with_everything_has_everything(api: Api) -> None:
    pairs = [{"key": " a ", "value": "1"}, {"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    answer = create(
        api,
        name=f" {api.name('whole')} ",
        role=" member ",
        metadata=pairs,
        hasDeleteProtection=True,
    )
    body = answer.json()["identity"]
    assert answer.status_code == 200
    assert all(set(pair) == {"id", "key", "value"} for pair in body["metadata"])
    found = shown(api, body["id"])
    found["metadata"].sort(key=str)
    assert found == {
        "name": api.name("whole"),
        "role": "member",
        "protected": True,
        "metadata": [
            {"key": "a", "value": "1"},
            {"key": "a", "value": "1"},
            {"key": "b", "value": "2"},
        ],
    }
    api.patch(f"{IDENTITIES}/{body['id']}", {"name": "n", "hasDeleteProtection": False})


@since_2025
def test_metadata_may_have_hundreds_of_pairs(api: Api) -> None:
    pairs = [{"key": f"k{number}", "value": "v"} for number in range(500)]
    assert len(create(api, metadata=pairs).json()["identity"]["metadata"]) == 500


@since_2025
def test_the_longest_metadata(api: Api) -> None:
    pairs = [{"key": "k" * 255, "value": "v" * 1020}]
    assert create(api, metadata=pairs).status_code == 200


@since_2025
@pytest.mark.parametrize("role", ["Admin", "NO-ACCESS"])
def test_the_case_of_a_role_matters(api: Api, made: str, role: str) -> None:
    assert refusal(create(api, role=role)) == (404, "NotFound")
    assert refusal(api.patch(f"{IDENTITIES}/{made}", {"role": role})) == (404, "NotFound")


@since_2025
def test_a_refused_change_changes_nothing(api: Api, made: str) -> None:
    before = shown(api, made)
    path = f"{IDENTITIES}/{made}"
    new = {"name": api.name("refused"), "hasDeleteProtection": True}
    for body, status in (
        ({**new, "role": "nothing-of-this-name"}, 404),
        ({**new, "metadata": [{"key": "k" * 256, "value": "v"}]}, 500),
        ({**new, "metadata": [{"key": "", "value": "v"}]}, 422),
        ({**new, "role": None}, 422),
    ):
        assert api.patch(path, body).status_code == status
    assert shown(api, made) == before
    assert refusal(api.patch(path, {"name": "x" * 256})) == (500, "Update by id")


@since_2025
def test_what_stands_beside_a_protection_that_stays_is_done(api: Api, made: str) -> None:
    path = f"{IDENTITIES}/{made}"
    api.patch(path, {"hasDeleteProtection": True})
    body = {"hasDeleteProtection": False, "role": "member", "metadata": []}
    assert api.patch(path, body).status_code == 200
    found = shown(api, made)
    assert (found["protected"], found["role"], found["metadata"]) == (True, "member", [])
    api.patch(path, {"hasDeleteProtection": False, "name": api.name("changed")})


@since_2025
def test_a_role_moves_the_memberships_time_and_a_name_does_not(api: Api, made: str) -> None:
    path = f"{IDENTITIES}/{made}"

    def updated() -> str:
        text: str = api.get(path).json()["identity"]["updatedAt"]
        return text

    before = updated()
    api.patch(path, {"name": api.name("renamed")})
    assert updated() == before
    api.patch(path, {"role": "no-access"})
    assert updated() > before


@since_2025
def test_a_change_needs_a_body(api: Api, made: str) -> None:
    path = f"{IDENTITIES}/{made}"
    assert refusal(api.patch(path)) == (422, "ValidationFailure")
    empty = api.call("PATCH", path, data=b"", headers={"Content-Type": "application/json"})
    assert empty.status_code == 500


@pytest.mark.parametrize("verb", ["GET", "PATCH", "DELETE"])
def test_what_is_not_there_is_a_404(api: Api, verb: str) -> None:
    body: Any = {} if verb == "PATCH" else None
    answer = api.call(verb, f"{IDENTITIES}/{uuid.uuid4()}", json=body)
    assert refusal(answer) == (404, "NotFound")


@since_2025
@pytest.mark.parametrize("form", ["{}", "{{{}}}"])
def test_an_id_in_another_form_is_found(api: Api, made: str, form: str) -> None:
    for text in (made.upper(), form.format(made), made.replace("-", "")):
        assert api.get(f"{IDENTITIES}/{text}").json()["identity"]["identityId"] == made


@since_2025
def test_who_may_nothing_changes_nothing(api: Api, made: str) -> None:
    token = api.login(api.create_credentials("no-access"))
    path = f"{IDENTITIES}/{made}"
    body = {"name": "n", "organizationId": api.organization_id}
    for answer, action in (
        (api.post(IDENTITIES, body, token=token), "create"),
        (api.get(path, token=token), "read"),
        (api.patch(path, {"name": "n"}, token=token), "edit"),
        (api.delete(path, token=token), "delete"),
    ):
        assert refusal(answer) == (403, "PermissionDenied")
        assert answer.json()["message"] == f"You are not allowed to {action} on identity"
        assert answer.json()["details"] == []


@since_2025
def test_a_member_deletes_an_admin(api: Api) -> None:
    token = api.login(api.create_credentials("member"))
    path = f"{IDENTITIES}/{api.create_identity('privileged', 'admin')}"
    assert api.patch(path, {"name": api.name("renamed")}, token=token).status_code == 200
    assert api.delete(path, token=token).status_code == 200


@only_2025
def test_in_2025_a_member_gives_not_even_no_access(api: Api) -> None:
    token = api.login(api.create_credentials("member"))
    body = {"name": "n", "organizationId": api.organization_id}
    answer = api.post(IDENTITIES, body, token=token)
    assert refusal(answer) == (403, "PermissionBoundaryError")
    assert answer.json()["message"] == (
        "Failed to create identity. Actor is missing permission grant-privileges on identity"
    )


@since_2025
def test_who_deletes_itself_is_gone_at_once(api: Api) -> None:
    identity_id = api.create_identity("lemming", "admin")
    credentials = api.credentials_of(identity_id)
    token = api.login(credentials)
    path = f"{IDENTITIES}/{identity_id}"
    assert api.delete(path, token=token).status_code == 200
    assert api.get(path, token=token).status_code == 401
    login = api.post("/api/v1/auth/universal-auth/login", credentials, token=None)
    assert refusal(login) == (404, "NotFound")


@only_2025
def test_the_word_for_custom_roles_is_taken_and_breaks_the_identity(api: Api) -> None:
    identity_id = api.create_identity("customary")
    path = f"{IDENTITIES}/{identity_id}"
    token = api.login(api.credentials_of(identity_id))
    api.attach(identity_id)
    assert api.patch(path, {"role": "custom"}).status_code == 200
    body = api.get(path).json()["identity"]
    assert (body["role"], body["roleId"]) == ("custom", None)
    assert "customRole" not in body
    error = f"Custom organization permission not found for identity {identity_id}"
    for answer in (
        api.get(path, token=token),
        api.post(f"{IDENTITIES}/search", {}, token=token),
        api.delete(api.azure_auth(identity_id)),
    ):
        assert refusal(answer) == (404, error)
    assert api.patch(api.azure_auth(identity_id), {"resource": "r"}).status_code == 200
    found = api.post(f"{IDENTITIES}/search", {"search": {"role": "custom"}, "limit": 100}).json()
    assert identity_id in {item["identityId"] for item in found["identities"]}
    assert api.patch(path, {"role": "no-access"}).status_code == 200
    assert api.delete(api.azure_auth(identity_id)).status_code == 200
    answer = create(api, role="custom")
    assert answer.status_code == 200


@since_2025
def test_deleting_takes_everything_along(api: Api, project: dict[str, Any]) -> None:
    identity_id = api.create_identity("member of", metadata=TEAM)
    members = f"/api/v2/workspace/{project['id']}/identity-memberships"
    assert api.post(f"{members}/{identity_id}", {"role": "viewer"}).status_code == 200
    path = f"{IDENTITIES}/{identity_id}"
    (item,) = api.get(f"{path}/identity-memberships").json()["identityMemberships"]
    assert item["project"]["name"] == project["name"]
    api.attach(identity_id)
    assert api.delete(path).status_code == 200
    assert api.post(api.azure_auth(identity_id), ATTACH).status_code == 404
    listed = api.get(members).json()["identityMemberships"]
    assert identity_id not in {item["identityId"] for item in listed}
    assert refusal(api.get(f"{path}/identity-memberships")) == (404, "NotFound")
