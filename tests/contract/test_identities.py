# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities: what one looks like, and how they are found, listed, made and removed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contract.api import (
    SEARCH,
    SEARCH_V2,
    Api,
    fields_of,
    only_2024,
    only_2026,
    refusal,
    since_2025,
    until_2025,
)


@pytest.fixture(scope="module")
def trio(api: Api) -> dict[str, str]:
    """Three identities, id to name; two have the same one."""
    names = ["find me", "find me", "FIND_me-2"]
    return {api.create_identity(name): api.name(name) for name in names}


def methods(api: Api, identity_id: str) -> list[str]:
    """The auth methods of an identity, whatever the generation."""
    shown = api.get(f"/api/v1/identities/{identity_id}").json()["identity"]["identity"]
    if api.generation > "2024-10":
        found: list[str] = shown["authMethods"]
        return found
    return [] if shown["authMethod"] is None else [shown["authMethod"]]


def test_an_identity_is_shown_within_its_membership(api: Api, bare: str) -> None:
    answer = api.get(f"/api/v1/identities/{bare}")
    shown = answer.json()["identity"]
    assert answer.status_code == 200
    assert shown["id"] != bare
    assert shown["identityId"] == shown["identity"]["id"] == bare
    assert shown["orgId"] == api.organization_id
    assert shown["role"] == "no-access"
    assert shown["identity"]["name"] == api.name("bare")


def test_an_identity_lists_its_auth_methods(api: Api, identity: str) -> None:
    assert methods(api, identity) == []
    api.attach(identity)
    assert methods(api, identity) == ["azure-auth"]
    api.delete(api.azure_auth(identity))
    assert methods(api, identity) == []


@since_2025
def test_an_identity_may_have_several_methods_since_2025(api: Api, identity: str) -> None:
    api.attach(identity)
    api.post(f"/api/v1/auth/token-auth/identities/{identity}", {})
    assert sorted(methods(api, identity)) == ["azure-auth", "token-auth"]


def test_an_unknown_identity_is_a_404(api: Api) -> None:
    answer = api.get(f"/api/v1/identities/{uuid.uuid4()}")
    assert refusal(answer) == (404, "NotFound")


def test_a_removed_identity_is_a_404(api: Api, identity: str) -> None:
    assert api.delete(f"/api/v1/identities/{identity}").status_code == 200
    assert refusal(api.get(f"/api/v1/identities/{identity}")) == (404, "NotFound")
    assert refusal(api.get(api.azure_auth(identity))) == (404, "NotFound")


def test_an_identity_needs_a_name_and_an_organisation(api: Api) -> None:
    answer = api.post("/api/v1/identities", {})
    assert refusal(answer)[1] == "ValidationFailure"
    assert sorted(fields_of(answer)) == ["name", "organizationId"]


def test_the_list_has_every_identity_at_once(api: Api, trio: dict[str, str]) -> None:
    answer = api.get(f"/api/v1/identities?orgId={api.organization_id}")
    body = answer.json()
    names = {item["identity"]["id"]: item["identity"]["name"] for item in body["identities"]}
    assert answer.status_code == 200
    assert trio.items() <= names.items()
    # Those of projects are counted, and not listed; before 2026 there were none.
    assert body["totalCount"] >= len(names)
    if api.generation < "2026":
        assert body["totalCount"] == len(names)


def test_the_list_shows_what_the_single_answer_shows(api: Api, bare: str) -> None:
    listed = api.get(f"/api/v1/identities?orgId={api.organization_id}").json()["identities"]
    single = api.get(f"/api/v1/identities/{bare}").json()["identity"]
    (found,) = (item for item in listed if item["identityId"] == bare)
    assert found["identity"].items() <= single["identity"].items()
    assert found["id"] == single["id"]


def test_the_list_needs_an_organisation(api: Api) -> None:
    answer = api.get("/api/v1/identities")
    assert refusal(answer)[1] == "ValidationFailure"
    assert fields_of(answer) == ["orgId"]


def test_the_list_of_another_organisation_is_a_403(api: Api) -> None:
    assert api.get(f"/api/v1/identities?orgId={uuid.uuid4()}").status_code == 403


@only_2026
@pytest.mark.usefixtures("own", "search_v2")
def test_a_search_tells_another_organisations_identity_and_the_list_does_not(api: Api) -> None:
    assert api.emulator is not None
    identity_id = api.emulator.identities["sub-organization"]
    listed = api.get(f"/api/v1/identities?orgId={api.organization_id}").json()["identities"]
    (found,) = (item for item in listed if item["identityId"] == identity_id)
    assert found["orgId"] == api.organization_id
    assert "orgId" not in found["identity"]
    for path in (SEARCH, SEARCH_V2):
        some = api.post(path, {"search": {"name": "labs"}}).json()["identities"]
        (found,) = (item for item in some if item["identityId"] == identity_id)
        assert found["orgId"] == api.organization_id
        assert found["identity"]["orgId"] == api.emulator.sub_organization_id
    single = api.get(f"/api/v1/identities/{identity_id}").json()["identity"]
    assert single["identity"]["orgId"] == api.emulator.sub_organization_id


@only_2026
def test_details_name_the_tokens_organisation(api: Api) -> None:
    answer = api.get("/api/v1/identities/details")
    organization = answer.json()["identityDetails"]["organization"]
    assert answer.status_code == 200
    assert organization["id"] == api.organization_id
    assert {"name", "slug"} <= set(organization)


@until_2025
def test_servers_before_2026_have_no_details(api: Api) -> None:
    assert refusal(api.get("/api/v1/identities/details")) == (500, "FindByOrgId")


@only_2024
def test_servers_of_2024_have_no_search(api: Api) -> None:
    assert refusal(api.post(SEARCH, {"search": {}})) == (404, "Not Found")


SEARCHES: list[tuple[str, Any, set[str]]] = [
    ("equal", {"$eq": "find me"}, {"find me"}),
    ("equal-none", {"$eq": "find"}, set()),
    ("contains", {"$contains": "find"}, {"find me", "FIND_me-2"}),
    ("one-of", {"$in": ["find me", "FIND_me-2", "nobody"]}, {"find me", "FIND_me-2"}),
    ("one-of-none", {"$in": ["nobody"]}, set()),
]


@pytest.mark.parametrize(
    ("wanted", "names"), [row[1:] for row in SEARCHES], ids=[row[0] for row in SEARCHES]
)
@since_2025
def test_search_by_name(
    api: Api, trio: dict[str, str], wanted: dict[str, Any], names: set[str]
) -> None:
    ((operator, text),) = wanted.items()
    given = [api.name(name) for name in text] if isinstance(text, list) else api.name(text)
    answer = api.post(SEARCH, {"search": {"name": {operator: given}}, "limit": 100})
    body = answer.json()
    expected = {
        identity_id
        for identity_id, name in trio.items()
        if name.removeprefix(f"{api.prefix} ") in names
    }
    assert {item["identityId"] for item in body["identities"]} == expected
    assert body["totalCount"] == len(expected)


@since_2025
def test_search_pages_through_what_it_counts(api: Api, trio: dict[str, str]) -> None:
    found: set[str] = set()
    for offset in range(4):
        body = {
            "search": {"name": {"$contains": api.name("find")}},
            "limit": 1,
            "offset": offset,
            "orderBy": "name",
        }
        page = api.post(SEARCH, body).json()
        # The count is read off the first item, so beyond the end there is none.
        assert page["totalCount"] == (3 if offset < 3 else 0)
        assert len(page["identities"]) == (1 if offset < 3 else 0)
        found |= {item["identityId"] for item in page["identities"]}
    # Two have the same name, so a page may repeat one and another skip it: no more is promised.
    assert found <= set(trio)


@since_2025
def test_search_by_one_of_several_filters(api: Api, trio: dict[str, str]) -> None:
    filters = [{"name": api.name("find me")}, {"name": {"$eq": api.name("FIND_me-2")}}]
    found = api.post(SEARCH, {"search": {"$or": filters}, "limit": 100}).json()["identities"]
    assert {item["identityId"] for item in found} == set(trio)
    both = {"$or": filters, "name": {"$contains": api.name("FIND_me-2")}}
    (found,) = api.post(SEARCH, {"search": both, "limit": 100}).json()["identities"]
    assert found["identity"]["name"] == api.name("FIND_me-2")


@since_2025
def test_search_by_role(api: Api) -> None:
    member = api.create_identity("by role", role="member")
    api.create_identity("by role")
    search = {"name": api.name("by role"), "role": {"$in": ["member", "admin"]}}
    (found,) = api.post(SEARCH, {"search": search}).json()["identities"]
    assert (found["identityId"], found["role"]) == (member, "member")


@since_2025
def test_no_list_and_no_search_shows_metadata(api: Api) -> None:
    identity_id = api.create_identity("tagged", metadata=[{"key": "a", "value": "1"}])
    listed = api.get(f"/api/v1/identities?orgId={api.organization_id}").json()["identities"]
    found = api.post(SEARCH, {"search": {"name": api.name("tagged")}}).json()["identities"]
    for item in [item for item in listed + found if item["identityId"] == identity_id]:
        assert "metadata" not in {**item, **item["identity"]}


@since_2025
@pytest.mark.parametrize("options", [{"limit": -1}, {"offset": -1}])
def test_a_search_of_less_than_nothing_is_a_500(api: Api, options: dict[str, int]) -> None:
    assert refusal(api.post(SEARCH, options)) == (500, "FindByOrgId")


@since_2025
def test_search_shows_what_the_single_answer_shows(api: Api, bare: str) -> None:
    body = {"search": {"name": {"$eq": api.name("bare")}}}
    (found,) = api.post(SEARCH, body).json()["identities"]
    single = api.get(f"/api/v1/identities/{bare}").json()["identity"]
    assert found["identity"].items() <= single["identity"].items()


@since_2025
def test_a_search_with_a_limit_of_0_answers_everything(api: Api, trio: dict[str, str]) -> None:
    body = {"search": {"name": {"$contains": api.name("find")}}, "limit": 0, "offset": 2}
    page = api.post(SEARCH, body).json()
    assert {item["identityId"] for item in page["identities"]} == set(trio)
    assert page["totalCount"] == 3


@since_2025
def test_a_search_by_a_part_takes_an_underscore_for_any_character(
    api: Api, trio: dict[str, str]
) -> None:
    body = {"search": {"name": {"$contains": api.name("f_nd_me")}}, "limit": 100}
    found = api.post(SEARCH, body).json()["identities"]
    assert {item["identityId"] for item in found} == set(trio)


@since_2025
@pytest.mark.parametrize("search", [{"name": {"$ne": "x"}}, {"unknown": "x"}, {}])
def test_a_search_for_what_it_does_not_know_finds_everything(
    api: Api, trio: dict[str, str], search: dict[str, Any]
) -> None:
    found = api.post(SEARCH, {"search": search, "limit": 0}).json()
    assert set(trio) <= {item["identityId"] for item in found["identities"]}


@pytest.mark.parametrize("limit", [101, 1000])
@since_2025
def test_a_page_has_at_most_100(api: Api, limit: int) -> None:
    answer = api.post(SEARCH, {"search": {}, "limit": limit})
    assert refusal(answer) == (422, "ValidationFailure")
    assert fields_of(answer) == ["limit"]


@pytest.mark.parametrize("name", ["a.b", "a@b", "a&b", "caf\u00e9", "a'b", "a%b", "a\0b", ""])
@pytest.mark.parametrize("operator", ["$eq", "$contains", "$in"])
@since_2025
def test_search_refuses_other_characters(api: Api, operator: str, name: str) -> None:
    given: Any = [name] if operator == "$in" else name
    answer = api.post(SEARCH, {"search": {"name": {operator: given}}})
    assert refusal(answer) == (422, "ValidationFailure")


@since_2025
def test_names_may_hold_what_search_refuses(api: Api) -> None:
    identity_id = api.create_identity("caf\u00e9 (a.b@c)")
    listed = api.get(f"/api/v1/identities?orgId={api.organization_id}").json()["identities"]
    (found,) = (item for item in listed if item["identityId"] == identity_id)
    assert found["identity"]["name"] == api.name("caf\u00e9 (a.b@c)")


def test_the_server_serves_its_own_document(api: Api) -> None:
    answer = api.get("/api/docs/json", token=None)
    paths = answer.json()["paths"]
    assert answer.status_code == 200
    assert any(path.startswith("/api/v1/auth/azure-auth/identities/") for path in paths)
