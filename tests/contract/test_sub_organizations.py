# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sub-organisations: which there are, how a login gets into one, and what it sees there.

Making one takes a licence that hardly an instance has, so most of it is about the emulator.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from contract.api import ATTACH, IDENTITIES, SEARCH, Api, only_2026, refusal, until_2025
from emulator import Emulator

PATH = "/api/v1/sub-organizations"


def claims(token: str) -> dict[str, Any]:
    """The payload of a JWT."""
    text = token.split(".")[1]
    payload: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return payload


@pytest.fixture
def emu(api: Api) -> Emulator:
    """For what an instance cannot be told to have."""
    if api.emulator is None:
        pytest.skip("needs a sub-organisation")
    return api.emulator


@pytest.fixture
def guest(api: Api, emu: Emulator) -> tuple[str, str]:
    """An admin of the root organisation and of a sub-organisation: its id, its token for that."""
    identity_id = api.create_identity("guest", "admin")
    credentials = api.credentials_of(identity_id)
    emu.add_member(identity_id, "admin", organization_id=emu.sub_organization_id)
    token = api.login({**credentials, "organizationSlug": "acme-labs"})
    return identity_id, token


@only_2026
def test_sub_organizations_are_listed(api: Api) -> None:
    api.need("GET", PATH)
    body = api.get(f"{PATH}?limit=1000").json()
    assert body["totalCount"] >= len(body["organizations"])
    for organization in body["organizations"]:
        assert {"id", "name", "slug", "parentOrgId"} <= set(organization)
        assert organization["parentOrgId"] == api.organization_id
    assert refusal(api.get(f"{PATH}?limit=1001")) == (422, "ValidationFailure")


@only_2026
def test_those_that_the_caller_is_a_member_of(api: Api, guest: tuple[str, str]) -> None:
    assert api.get(f"{PATH}?isAccessible=true").json()["organizations"] == []
    # Whatever the token is for, the list is the root's.
    for query, count in (("isAccessible=true", 1), ("search=labs", 1), ("search=nothing", 0)):
        body = api.get(f"{PATH}?{query}", token=guest[1]).json()
        assert len(body["organizations"]) == body["totalCount"] == count


@only_2026
def test_a_token_tells_its_organization_and_method(api: Api) -> None:
    found = claims(api.token)
    assert found["orgId"] == found["rootOrgId"] == api.organization_id
    assert found["authMethod"] == "universal-auth"
    assert found["identityId"]


@until_2025
def test_before_2026_a_token_tells_neither(api: Api) -> None:
    found = claims(api.token)
    assert not {"orgId", "rootOrgId", "parentOrgId", "authMethod"} & set(found)
    assert found["identityId"]
    assert found["clientSecretId"]


@until_2025
@pytest.mark.parametrize("slug", ["nothing-of-this-name", "", "x" * 65, 1, None])
def test_before_2026_a_slug_is_dropped_unread(api: Api, slug: Any) -> None:
    token = api.login({**api.credentials, "organizationSlug": slug})
    answer = api.get(f"{IDENTITIES}?orgId={api.organization_id}", token=token)
    assert answer.status_code == 200


@only_2026
def test_an_unknown_slug_is_a_404(api: Api) -> None:
    body = {**api.credentials, "organizationSlug": "nothing-of-this-name"}
    answer = api.post("/api/v1/auth/universal-auth/login", body, token=None)
    assert refusal(answer) == (404, "NotFound")


@only_2026
def test_the_homes_own_slug_is_as_good_as_none(api: Api, emu: Emulator) -> None:
    token = api.login({**api.credentials, "organizationSlug": emu.organization_slug})
    assert claims(token)["orgId"] == api.organization_id


@only_2026
def test_who_is_no_member_does_not_get_in(api: Api, emu: Emulator) -> None:
    slug = "acme-empty"
    emu.create_sub_organization("Acme Empty", slug)
    body = {**api.credentials, "organizationSlug": slug}
    answer = api.post("/api/v1/auth/universal-auth/login", body, token=None)
    assert refusal(answer) == (401, "UnauthorizedError")


@only_2026
def test_a_token_for_a_sub_organization_sees_that_one(
    api: Api, emu: Emulator, guest: tuple[str, str]
) -> None:
    identity_id, token = guest
    found = claims(token)
    assert (found["orgId"], found["rootOrgId"]) == (emu.sub_organization_id, api.organization_id)
    answer = api.get(f"{IDENTITIES}?orgId={api.organization_id}", token=token)
    assert refusal(answer) == (403, "ForbiddenError")
    found = api.post(SEARCH, {}, token=token).json()
    homes = {item["identityId"]: item["identity"]["orgId"] for item in found["identities"]}
    assert homes[identity_id] == api.organization_id


@only_2026
def test_of_a_parents_identity_only_the_role_can_be_changed(
    api: Api, emu: Emulator, guest: tuple[str, str]
) -> None:
    _caller, token = guest
    identity_id = api.create_identity("parental", metadata=[{"key": "a", "value": "1"}])
    emu.add_member(identity_id, "no-access", organization_id=emu.sub_organization_id)
    path = f"{IDENTITIES}/{identity_id}"
    body = {"name": "other", "hasDeleteProtection": True, "metadata": [], "role": "member"}
    assert api.patch(path, body, token=token).status_code == 200
    there = api.get(path, token=token).json()["identity"]
    home = api.get(path).json()["identity"]
    assert (there["role"], home["role"]) == ("member", "no-access")
    assert there["identity"]["orgId"] == api.organization_id
    assert there["identity"]["name"] == api.name("parental")
    assert there["identity"]["hasDeleteProtection"] is False
    assert len(there["metadata"]) == 1
    answer = api.post(api.azure_auth(identity_id), ATTACH, token=token)
    assert refusal(answer) == (403, "ForbiddenError")
    # Deleting it there takes it out, and no more.
    assert api.delete(path, token=token).status_code == 200
    assert refusal(api.get(path, token=token)) == (404, "NotFound")
    assert api.get(path).status_code == 200


@only_2026
def test_what_is_created_there_is_at_home_there(
    api: Api, emu: Emulator, guest: tuple[str, str]
) -> None:
    _caller, token = guest
    body = {"name": api.name("local"), "organizationId": emu.sub_organization_id}
    made = api.post(IDENTITIES, body, token=token).json()["identity"]
    assert made["orgId"] == emu.sub_organization_id
    assert refusal(api.get(f"{IDENTITIES}/{made['id']}")) == (404, "NotFound")
    assert api.delete(f"{IDENTITIES}/{made['id']}", token=token).status_code == 200


@only_2026
def test_details_name_the_root_and_not_the_tokens_organization(
    api: Api, guest: tuple[str, str]
) -> None:
    body = api.get(f"{IDENTITIES}/details", token=guest[1]).json()
    assert body["identityDetails"]["organization"]["id"] == api.organization_id
