# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects, and the identities that they own: what shows them, counts them, and manages them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contract.api import ATTACH, Api, only_2026, refusal, since_2025, until_2025

SEARCH = "/api/v1/identities/search"
SEARCH_2026 = "/api/v2/identities/search"


@pytest.fixture(scope="module")
def project(api: Api) -> Iterator[dict[str, Any]]:
    """A project that the caller made, and so is the admin of."""
    answer = api.post("/api/v2/workspace", {"projectName": api.name("project")})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()["project"]
    yield made
    api.delete(f"/api/v2/workspace/{made['slug']}")


@pytest.fixture(scope="module")
def owned(api: Api, project: dict[str, Any]) -> str:
    """An identity that the project owns, without any auth method."""
    if api.generation < "2026":
        pytest.skip(f"not about servers of {api.generation}")
    path = f"/api/v1/projects/{project['id']}/identities"
    answer = api.post(path, {"name": api.name("owned")})
    assert answer.status_code == 200, answer.text
    identity_id: str = answer.json()["identity"]["id"]
    return identity_id


def list_of_all(api: Api) -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/api/v1/identities?orgId={api.organization_id}").json()
    return body


@only_2026
def test_the_list_counts_it_and_does_not_have_it(
    api: Api, project: dict[str, Any], owned: str
) -> None:
    before = list_of_all(api)
    path = f"/api/v1/projects/{project['id']}/identities"
    another = api.post(path, {"name": api.name("another")}).json()["identity"]["id"]
    after = list_of_all(api)
    assert after["totalCount"] == before["totalCount"] + 1
    listed = {item["identityId"] for item in after["identities"]}
    assert not {owned, another} & listed
    assert api.delete(f"{path}/{another}").status_code == 200


@only_2026
@pytest.mark.usefixtures("owned")
def test_the_first_search_neither_has_it_nor_counts_it(api: Api) -> None:
    found = api.post(SEARCH, {"search": {"name": api.name("owned")}}).json()
    assert (found["identities"], found["totalCount"]) == ([], 0)


@only_2026
def test_the_second_search_has_both_kinds_by_scope(
    api: Api, project: dict[str, Any], owned: str
) -> None:
    api.create_identity("owned")
    body = {"search": {"name": api.name("owned")}, "limit": 100}
    for scope in (["organization"], ["project"], ["organization", "project"]):
        found = api.post(SEARCH_2026, {**body, "scope": scope}).json()
        assert sorted(item["scope"] for item in found["identities"]) == scope
        assert found["totalCount"] == len(scope)
    (item,) = api.post(SEARCH_2026, {**body, "scope": ["project"]}).json()["identities"]
    assert item["identityId"] == item["identity"]["id"] == owned
    assert item["projectId"] == item["project"]["id"] == project["id"]
    assert item["identity"]["authMethods"] == []
    assert [role["role"] for role in item["roles"]] == ["no-access"]


@only_2026
@pytest.mark.usefixtures("owned")
def test_the_second_search_counts_the_organizations_own_as_the_list_has_them(api: Api) -> None:
    found = api.post(SEARCH_2026, {"scope": ["organization"], "limit": 1}).json()
    assert found["totalCount"] == len({i["identityId"] for i in list_of_all(api)["identities"]})
    beyond = {"scope": ["organization"], "limit": 1, "offset": found["totalCount"]}
    assert api.post(SEARCH_2026, beyond).json() == {"identities": [], "totalCount": 0}


@only_2026
@pytest.mark.parametrize("limit", [0, 101])
def test_the_second_search_has_pages_of_1_to_100(api: Api, limit: int) -> None:
    assert refusal(api.post(SEARCH_2026, {"limit": limit})) == (422, "ValidationFailure")


@only_2026
@pytest.mark.usefixtures("owned")
def test_the_second_search_drops_what_may_not_be_read_in_silence(api: Api) -> None:
    token = api.login(api.create_credentials("no-access"))
    body = {"scope": ["organization", "project"]}
    answer = api.post(SEARCH_2026, body, token=token)
    assert (answer.status_code, answer.json()) == (200, {"identities": [], "totalCount": 0})


@until_2025
def test_servers_before_2026_have_nothing_of_it(api: Api) -> None:
    for answer in (
        api.post(SEARCH_2026, {}),
        api.get("/api/v1/projects"),
        api.get("/api/v1/projects/00000000-0000-4000-8000-000000000000/identities"),
        api.get("/api/v1/sub-organizations"),
    ):
        assert refusal(answer) == (404, "Not Found")


@only_2026
def test_it_is_not_found_among_the_organizations(api: Api, owned: str) -> None:
    path = f"/api/v1/identities/{owned}"
    assert refusal(api.get(path)) == (404, "NotFound")
    for answer in (api.patch(path, {"name": "other"}), api.delete(path)):
        assert refusal(answer) == (400, "BadRequest")
        assert "managed by project" in answer.json()["message"]


@only_2026
def test_its_memberships_tell_its_project_and_its_methods(
    api: Api, project: dict[str, Any], owned: str
) -> None:
    answer = api.get(f"/api/v1/identities/{owned}/identity-memberships")
    (item,) = answer.json()["identityMemberships"]
    assert item["project"]["id"] == project["id"]
    assert item["identity"]["authMethods"] == []
    assert item["identity"]["name"] == api.name("owned")


@since_2025
def test_who_is_in_no_project_has_no_memberships(api: Api, bare: str) -> None:
    answer = api.get(f"/api/v1/identities/{bare}/identity-memberships")
    assert (answer.status_code, answer.json()) == (200, {"identityMemberships": []})


@since_2025
def test_memberships_take_the_permission_to_read(api: Api, bare: str) -> None:
    token = api.login(api.create_credentials("no-access"))
    answer = api.get(f"/api/v1/identities/{bare}/identity-memberships", token=token)
    assert refusal(answer) == (403, "PermissionDenied")


@only_2026
def test_its_azure_auth_has_the_path_of_any_other(api: Api, owned: str) -> None:
    path = api.azure_auth(owned)
    not_attached = api.get(path)
    assert refusal(not_attached) == (400, "BadRequest")
    assert api.post(path, ATTACH).status_code == 200
    assert api.get(path).json()["identityAzureAuth"]["identityId"] == owned
    assert api.patch(path, {"resource": "changed"}).status_code == 200
    assert api.delete(path).status_code == 200
    assert refusal(api.delete(path)) == (400, "BadRequest")


@only_2026
def test_an_admin_of_the_organization_is_nobody_in_its_project(api: Api, owned: str) -> None:
    token = api.login(api.create_credentials("admin"))
    assert refusal(api.get(api.azure_auth(owned), token=token)) == (400, "BadRequest")
    answer = api.post(api.azure_auth(owned), ATTACH, token=token)
    assert refusal(answer) == (403, "ProjectMembershipNotFound")


@only_2026
def test_it_needs_a_name(api: Api, project: dict[str, Any]) -> None:
    answer = api.post(f"/api/v1/projects/{project['id']}/identities", {"name": ""})
    assert refusal(answer) == (422, "ValidationFailure")


@only_2026
def test_sub_organizations_are_listed(api: Api) -> None:
    body = api.get("/api/v1/sub-organizations?limit=1000").json()
    assert body["totalCount"] >= len(body["organizations"])
    for organization in body["organizations"]:
        assert {"id", "name", "slug", "parentOrgId"} <= set(organization)
