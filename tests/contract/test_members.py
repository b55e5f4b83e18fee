# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: which there are, and which identities have them in projects."""

from __future__ import annotations

from typing import Any

import pytest

from contract.api import IDENTITIES, Api, only_2025, only_2026, refusal, since_2025, until_2025

TEMPORARY = {
    "role": "member",
    "isTemporary": True,
    "temporaryMode": "relative",
    "temporaryRange": "1h",
    "temporaryAccessStartTime": "2026-01-01T00:00:00.000Z",
}


@pytest.fixture(scope="module")
def members(api: Api, project: dict[str, Any]) -> str:
    """The path of a project's memberships."""
    if api.generation < "2026":
        return f"/api/v2/workspace/{project['id']}/identity-memberships"
    return f"/api/v1/projects/{project['id']}/memberships/identities"


@pytest.fixture(scope="module")
def owned(api: Api, owning: str) -> str:
    """An identity that the project owns."""
    identity_id: str = api.post(owning, {"name": api.name("owned")}).json()["identity"]["id"]
    return identity_id


def roles(api: Api, members: str, identity_id: str) -> list[str]:
    """The roles of a member, those for a time with a mark."""
    body = api.get(f"{members}/{identity_id}").json()["identityMembership"]
    return sorted(
        (role["customRoleSlug"] or role["role"]) + ("*" if role["isTemporary"] else "")
        for role in body["roles"]
    )


# -- which roles there are ----------------------------------------------------------------------


@until_2025
def test_before_2026_an_identity_cannot_read_the_organizations_roles(api: Api) -> None:
    path = f"/api/v1/organization/{api.organization_id}/roles"
    assert refusal(api.get(path)) == (403, f"Forbidden access to {path}")
    answer = api.get("/api/v1/organization/roles/slug/admin")
    assert refusal(answer) == (404, "Not Found")


@only_2026
def test_a_role_of_the_organization_is_found_by_its_slug(api: Api) -> None:
    path = "/api/v1/organization/roles/slug"
    api.need("GET", f"{path}/admin")
    assert refusal(api.get(f"{path}/nothing-of-this-name")) == (404, "NotFound")
    token = api.login(api.create_credentials("no-access"))
    assert refusal(api.get(f"{path}/admin", token=token)) == (403, "PermissionDenied")


@since_2025
def test_the_roles_of_a_project_are_listed(api: Api, project: dict[str, Any]) -> None:
    base = "/api/v2/workspace" if api.generation < "2026" else "/api/v1/projects"
    api.need("GET", f"{base}/{project['id']}/roles")
    body = api.get(f"{base}/{project['id']}/roles").json()
    assert {"admin", "member", "viewer", "no-access"} <= {role["slug"] for role in body["roles"]}
    answer = api.get(f"{base}/{project['id']}/roles/slug/member")
    assert answer.json()["role"]["slug"] == "member"
    answer = api.get(f"{base}/{project['id']}/roles/slug/nothing-of-this-name")
    assert refusal(answer) == (404, "NotFound")


# -- memberships --------------------------------------------------------------------------------


@since_2025
def test_an_identity_is_given_roles_changes_them_and_leaves(
    api: Api, members: str, identity: str
) -> None:
    path = f"{members}/{identity}"
    made = api.post(path, {"role": "admin", "roles": [{"role": "viewer"}, TEMPORARY]})
    assert made.status_code == 200
    body = made.json()["identityMembership"]
    assert {"id", "projectId", "identityId", "createdAt", "updatedAt"} <= set(body)
    assert roles(api, members, identity) == ["member*", "viewer"]
    assert refusal(api.post(path, {})) == (400, "BadRequest")
    assert api.patch(path, {"roles": [{"role": "no-access"}]}).status_code == 200
    assert roles(api, members, identity) == ["no-access"]
    assert api.delete(path).status_code == 200
    assert refusal(api.get(path)) == (404, "NotFound")
    status = 404 if api.generation < "2026" else 400
    for answer in (api.delete(path), api.patch(path, {"roles": [{"role": "viewer"}]})):
        assert answer.status_code == status


@since_2025
def test_without_roles_it_has_no_access(api: Api, members: str, identity: str) -> None:
    assert api.post(f"{members}/{identity}", {}).status_code == 200
    assert roles(api, members, identity) == ["no-access"]


@since_2025
@pytest.mark.parametrize(
    "roles_given",
    [
        [],
        [{}],
        [{"role": None}],
        [{**TEMPORARY, "temporaryMode": "absolute"}],
        [{**TEMPORARY, "temporaryRange": "0h"}],
        [{**TEMPORARY, "temporaryAccessStartTime": "today"}],
    ],
)
def test_roles_of_the_wrong_kind_are_refused(
    api: Api, members: str, identity: str, roles_given: list[Any]
) -> None:
    api.post(f"{members}/{identity}", {})
    answer = api.patch(f"{members}/{identity}", {"roles": roles_given})
    assert refusal(answer) == (422, "ValidationFailure")


@since_2025
def test_an_unknown_role_of_a_project_is_a_404(api: Api, members: str, identity: str) -> None:
    unknown = {"roles": [{"role": "nothing-of-this-name"}]}
    assert refusal(api.post(f"{members}/{identity}", unknown)) == (404, "NotFound")
    api.post(f"{members}/{identity}", {})
    assert refusal(api.patch(f"{members}/{identity}", unknown)) == (404, "NotFound")


@only_2026
def test_one_role_must_be_for_good(api: Api, members: str, identity: str) -> None:
    answer = api.post(f"{members}/{identity}", {"roles": [TEMPORARY]})
    assert refusal(answer) == (400, "BadRequest")


@only_2025
def test_in_2025_roles_may_all_be_for_a_time(api: Api, members: str, identity: str) -> None:
    assert api.post(f"{members}/{identity}", {"roles": [TEMPORARY]}).status_code == 200
    assert roles(api, members, identity) == ["member*"]


@since_2025
def test_the_list_has_every_member(api: Api, members: str, identity: str) -> None:
    api.post(f"{members}/{identity}", {"role": "viewer"})
    body = api.get(f"{members}?limit=1000").json()
    assert body["totalCount"] == len(body["identityMemberships"])
    (item,) = (one for one in body["identityMemberships"] if one["identityId"] == identity)
    assert item["identity"]["name"] == api.name("identity")
    assert [role["role"] for role in item["roles"]] == ["viewer"]
    beyond = api.get(f"{members}?limit=5&offset=900").json()
    assert (beyond["identityMemberships"], beyond["totalCount"]) == ([], body["totalCount"])
    for query in ("limit=0", "offset=-1"):
        assert refusal(api.get(f"{members}?{query}")) == (422, "ValidationFailure")


@only_2026
def test_a_projects_own_is_among_its_members_and_stays(api: Api, members: str, owned: str) -> None:
    body = api.get(f"{members}?limit=1000").json()
    kinds = {
        item["identityId"]: item["identity"]["projectId"] for item in body["identityMemberships"]
    }
    assert kinds[owned] == members.split("/")[4]
    assert kinds[next(iter(kinds.keys() - {owned}))] is None
    for answer in (api.post(f"{members}/{owned}", {}), api.delete(f"{members}/{owned}")):
        assert answer.status_code == 400
    path = f"{members}/{owned}"
    assert api.patch(path, {"roles": [{"role": "viewer"}]}).status_code == 200
    assert roles(api, members, owned) == ["viewer"]


@only_2026
def test_roles_may_be_given_at_creation(api: Api, members: str, owning: str) -> None:
    body = {"name": api.name("with roles"), "roles": [{"role": "viewer"}, TEMPORARY]}
    identity_id = api.post(owning, body).json()["identity"]["id"]
    found = roles(api, members, identity_id)
    if found == ["no-access"]:
        pytest.skip("the server drops them")
    assert found == ["member*", "viewer"]
    unknown = {**body, "roles": [{"role": "nothing-of-this-name"}]}
    assert api.post(owning, unknown).status_code == 404
    assert api.post(owning, {**body, "roles": [TEMPORARY]}).status_code == 400


@only_2026
def test_in_a_project_for_certificates_a_new_identity_is_a_member(api: Api) -> None:
    body = {"projectName": api.name("certificates"), "type": "cert-manager"}
    made = api.post("/api/v2/workspace", body).json()["project"]
    if made["type"] != "cert-manager":
        pytest.skip("the server has no projects of this type")
    base = f"/api/v1/projects/{made['id']}"
    identity_id = api.post(f"{base}/identities", {"name": "n"}).json()["identity"]["id"]
    assert roles(api, f"{base}/memberships/identities", identity_id) == ["member"]
    api.delete(f"/api/v2/workspace/{made['slug']}")


@since_2025
def test_who_is_no_member_sees_no_members(api: Api, members: str, identity: str) -> None:
    token = api.login(api.create_credentials("admin"))
    for answer in (
        api.get(members, token=token),
        api.post(f"{members}/{identity}", {"role": "admin"}, token=token),
    ):
        assert answer.status_code == 403
        assert answer.json()["error"].startswith(
            "Identity is not a member of the specified project with ID"
            if api.generation < "2026"
            else "ProjectMembershipNotFound"
        )


@since_2025
def test_a_member_of_a_project_gives_no_roles(api: Api, members: str, identity: str) -> None:
    caller = api.create_identity("project member")
    api.post(f"{members}/{caller}", {"role": "member"})
    token = api.login(api.credentials_of(caller))
    answer = api.post(f"{members}/{identity}", {}, token=token)
    assert refusal(answer) == (403, "PermissionBoundaryError")


@since_2025
def test_the_own_membership(api: Api, members: str) -> None:
    caller = api.create_identity("leaving")
    api.post(f"{members}/{caller}", {"role": "admin"})
    token = api.login(api.credentials_of(caller))
    answer = api.delete(f"{members}/{caller}", token=token)
    assert answer.status_code == (200 if api.generation < "2026" else 400)


@only_2026
@pytest.mark.usefixtures("own")
def test_who_is_of_another_organization_becomes_no_member(api: Api, members: str) -> None:
    assert api.emulator is not None
    answer = api.post(f"{members}/{api.emulator.identities['foreign']}", {})
    assert refusal(answer) == (400, "BadRequest")


# -- several roles in the organisation ----------------------------------------------------------


@only_2026
@pytest.mark.usefixtures("own", "search_v2")
def test_several_roles_take_several_places_and_the_second_search_tells_them(api: Api) -> None:
    assert api.emulator is not None
    identity_id = api.create_identity("several")
    temporary = {"role": "admin", "lasts": "1h"}
    api.emulator.set_roles(identity_id, ["member", temporary])
    search = {"search": {"name": api.name("several")}}
    found = api.post(f"{IDENTITIES}/search", search).json()
    assert [item["role"] for item in found["identities"]] == ["member", "admin"]
    assert found["totalCount"] == 2
    (item,) = api.post("/api/v2/identities/search", search).json()["identities"]
    assert [(role["role"], role["isTemporary"]) for role in item["roles"]] == [
        ("member", False),
        ("admin", True),
    ]
    assert item["roles"][1]["temporaryRange"] == "1h"
    # One of them is all that a read by id shows, and setting one removes the others.
    assert api.get(f"{IDENTITIES}/{identity_id}").json()["identity"]["role"] == "member"
    api.patch(f"{IDENTITIES}/{identity_id}", {"role": "no-access"})
    (item,) = api.post("/api/v2/identities/search", search).json()["identities"]
    assert [role["role"] for role in item["roles"]] == ["no-access"]
