# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects, and the identities that they own: what shows them, counts them, and manages them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contract.api import ATTACH, SEARCH, SEARCH_V2, Api, only_2026, refusal, since_2025, until_2025


@pytest.fixture(scope="module")
def owned(api: Api, owning: str) -> str:
    """An identity that the project owns, without any auth method."""
    identity_id: str = create(api, owning, "owned")["id"]
    return identity_id


def create(api: Api, owning: str, suffix: str, **fields: Any) -> dict[str, Any]:
    answer = api.post(owning, {"name": api.name(suffix), **fields})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()["identity"]
    return made


def list_of_all(api: Api) -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/api/v1/identities?orgId={api.organization_id}").json()
    return body


@only_2026
def test_the_list_counts_it_and_does_not_have_it(api: Api, owning: str, owned: str) -> None:
    before = list_of_all(api)
    another = create(api, owning, "another")["id"]
    after = list_of_all(api)
    assert after["totalCount"] == before["totalCount"] + 1
    listed = {item["identityId"] for item in after["identities"]}
    assert not {owned, another} & listed
    assert api.delete(f"{owning}/{another}").status_code == 200


@only_2026
@pytest.mark.usefixtures("owned")
def test_the_first_search_neither_has_it_nor_counts_it(api: Api) -> None:
    found = api.post(SEARCH, {"search": {"name": api.name("owned")}}).json()
    assert (found["identities"], found["totalCount"]) == ([], 0)


@only_2026
@pytest.mark.usefixtures("search_v2")
def test_the_second_search_has_both_kinds_by_scope(
    api: Api, project: dict[str, Any], owned: str
) -> None:
    api.create_identity("owned")
    body = {"search": {"name": api.name("owned")}, "limit": 100}
    for scope in (["organization"], ["project"], ["organization", "project"]):
        found = api.post(SEARCH_V2, {**body, "scope": scope}).json()
        assert sorted(item["scope"] for item in found["identities"]) == scope
        assert found["totalCount"] == len(scope)
    (item,) = api.post(SEARCH_V2, {**body, "scope": ["project"]}).json()["identities"]
    assert item["identityId"] == item["identity"]["id"] == owned
    assert item["projectId"] == item["project"]["id"] == project["id"]
    assert item["identity"]["authMethods"] == []
    assert [role["role"] for role in item["roles"]] == ["no-access"]


@only_2026
@pytest.mark.usefixtures("owned", "search_v2")
def test_the_second_search_counts_the_organizations_own_as_the_list_has_them(api: Api) -> None:
    found = api.post(SEARCH_V2, {"scope": ["organization"], "limit": 1}).json()
    assert found["totalCount"] == len({i["identityId"] for i in list_of_all(api)["identities"]})
    beyond = {"scope": ["organization"], "limit": 1, "offset": found["totalCount"]}
    assert api.post(SEARCH_V2, beyond).json() == {"identities": [], "totalCount": 0}


@only_2026
@pytest.mark.usefixtures("search_v2")
@pytest.mark.parametrize("limit", [0, 101])
def test_the_second_search_has_pages_of_1_to_100(api: Api, limit: int) -> None:
    assert refusal(api.post(SEARCH_V2, {"limit": limit})) == (422, "ValidationFailure")


@only_2026
@pytest.mark.usefixtures("owned", "search_v2")
def test_the_second_search_drops_what_may_not_be_read_in_silence(api: Api) -> None:
    token = api.login(api.create_credentials("no-access"))
    body = {"scope": ["organization", "project"]}
    answer = api.post(SEARCH_V2, body, token=token)
    assert (answer.status_code, answer.json()) == (200, {"identities": [], "totalCount": 0})
    answer = api.post(f"{SEARCH_V2}/count", {}, token=token)
    assert answer.json()["counts"] == {"organization": 0, "project": 0}


@only_2026
@pytest.mark.usefixtures("owned", "search_v2")
def test_a_count_is_for_the_scopes_asked_for(api: Api) -> None:
    body = {"scope": ["project"], "search": {"name": api.name("owned")}}
    assert api.post(f"{SEARCH_V2}/count", body).json() == {"counts": {"project": 1}}


@only_2026
@pytest.mark.usefixtures("search_v2")
def test_the_second_search_orders_by_name_in_any_case(api: Api) -> None:
    ids = [api.create_identity(name) for name in ("order b", "ORDER a", "order C")]
    body = {"search": {"name": {"$contains": api.name("order")}}}
    pages = [
        api.post(SEARCH_V2, {**body, "limit": 1, "offset": offset}).json()["identities"]
        for offset in range(3)
    ]
    assert [page[0]["identityId"] for page in pages] == [ids[1], ids[0], ids[2]]


@until_2025
def test_servers_before_2026_have_nothing_of_it(api: Api) -> None:
    for answer in (
        api.post(SEARCH_V2, {}),
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
def test_it_needs_a_name(api: Api, owning: str, owned: str) -> None:
    for answer in (api.post(owning, {"name": " "}), api.patch(f"{owning}/{owned}", {"name": ""})):
        assert refusal(answer) == (422, "ValidationFailure")


PAIRS = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}, {"key": "c", "value": "3"}]


@only_2026
def test_it_is_created_read_changed_and_deleted_in_its_project(api: Api, owning: str) -> None:
    made = create(api, owning, "whole", metadata=PAIRS[:1], hasDeleteProtection=True)
    assert made["authMethods"] == []
    assert made["hasDeleteProtection"] is True
    assert [pair["key"] for pair in made["metadata"]] == ["a"]
    assert made["orgId"] == api.organization_id
    path = f"{owning}/{made['id']}"
    read = api.get(path).json()["identity"]
    assert made.items() <= read.items()
    assert refusal(api.delete(path)) == (400, "BadRequest")
    answer = api.patch(path, {"metadata": PAIRS[1:]})
    assert [pair["key"] for pair in answer.json()["identity"]["metadata"]] == ["b", "c"]
    # The flag of false alone is lost here, too.
    assert api.patch(path, {"hasDeleteProtection": False}).status_code == 200
    read = api.get(path).json()["identity"]
    assert read["hasDeleteProtection"] is True
    assert sorted(pair["key"] for pair in read["metadata"]) == ["b", "c"]
    body = {"hasDeleteProtection": False, "name": api.name("renamed")}
    answer = api.patch(path, body)
    assert answer.json()["identity"]["name"] == api.name("renamed")
    assert answer.json()["identity"]["metadata"] == []
    assert api.delete(path).status_code == 200
    for answer in (api.get(path), api.patch(path, {}), api.delete(path)):
        assert refusal(answer) == (404, "NotFound")


@only_2026
def test_what_is_not_the_projects_own_is_not_found_in_it(
    api: Api, owning: str, identity: str
) -> None:
    path = f"{owning}/{identity}"
    for answer in (api.get(path), api.patch(path, {}), api.delete(path)):
        assert refusal(answer) == (404, "NotFound")


@only_2026
def test_its_list_counts_identities_and_pages_by_rows_of_metadata(api: Api, owning: str) -> None:
    ids = {create(api, owning, f"row {number}", metadata=PAIRS)["id"] for number in range(2)}
    query = f"{owning}?search={api.name('row')}"
    whole = api.get(f"{query}&limit=1000&offset=0").json()
    assert {item["id"] for item in whole["identities"]} == ids
    assert all(len(item["metadata"]) == 3 for item in whole["identities"])
    assert all("authMethods" not in item for item in whole["identities"])
    page = api.get(f"{query}&limit=2").json()
    assert (len(page["identities"]), page["totalCount"]) == (1, 2)
    assert len(page["identities"][0]["metadata"]) == 2
    for identity_id in ids:
        api.delete(f"{owning}/{identity_id}")


@only_2026
@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1"])
def test_its_list_has_pages_of_1_to_1000(api: Api, owning: str, query: str) -> None:
    assert refusal(api.get(f"{owning}?{query}")) == (422, "ValidationFailure")


@only_2026
def test_a_project_that_is_not_there_is_a_404(api: Api, project: dict[str, Any]) -> None:
    for project_id in (str(uuid.uuid4()), project["slug"]):
        answer = api.get(f"/api/v1/projects/{project_id}/identities")
        assert refusal(answer) == (404, "NotFound")


@only_2026
def test_who_is_no_member_gets_nothing_of_a_project(
    api: Api, project: dict[str, Any], owning: str, owned: str
) -> None:
    token = api.login(api.create_credentials("admin"))
    for answer in (
        api.get(owning, token=token),
        api.post(owning, {"name": "n"}, token=token),
        api.get(f"{owning}/{owned}", token=token),
        api.delete(f"{owning}/{owned}", token=token),
        api.get(f"/api/v1/projects/{project['id']}/memberships/identities", token=token),
        api.get(f"/api/v1/projects/{project['id']}/roles", token=token),
        api.get(f"/api/v1/projects/slug/{project['slug']}", token=token),
    ):
        assert refusal(answer) == (403, "ProjectMembershipNotFound")


@since_2025
def test_every_project_is_told_to_every_member_of_the_organization(
    api: Api, project: dict[str, Any]
) -> None:
    names = "workspace" if api.generation < "2026" else "projects"
    api.need("POST", f"/api/v1/{names}/search")
    part = api.prefix.split()[-1]
    token = api.login(api.create_credentials("no-access"))
    for asker, member in ((api.token, True), (token, False)):
        body = {"name": part, "limit": 10}
        answer = api.post(f"/api/v1/{names}/search", body, token=asker).json()
        (found,) = answer["projects"]
        assert (found["id"], found["isMember"]) == (project["id"], member)
        assert answer["totalCount"] == 1
        beyond = {**body, "offset": 1}
        answer = api.post(f"/api/v1/{names}/search", beyond, token=asker).json()
        assert answer == {"projects": [], "totalCount": 0}
        own = api.get(f"/api/v1/{names}", token=asker).json()
        ((_key, projects),) = own.items()
        assert (project["id"] in {item["id"] for item in projects}) == member


@since_2025
def test_the_administration_has_every_project_for_admins(api: Api, project: dict[str, Any]) -> None:
    path = f"/api/v1/organization-admin/projects?search={api.prefix.split()[-1]}"
    answer = api.get(path)
    if answer.status_code != 200:
        pytest.skip("the administration is for users there")
    assert [item["id"] for item in answer.json()["projects"]] == [project["id"]]
    assert answer.json()["count"] == 1
    token = api.login(api.create_credentials("member"))
    assert refusal(api.get(path, token=token)) == (403, "PermissionDenied")
    assert refusal(api.get(f"{path}&limit=101")) == (422, "ValidationFailure")


@only_2026
def test_a_slug_leads_to_its_project(api: Api, project: dict[str, Any]) -> None:
    assert api.get(f"/api/v1/projects/slug/{project['slug']}").json()["id"] == project["id"]
    assert refusal(api.get("/api/v1/projects/slug/nothing-of-this-name")) == (404, "NotFound")
