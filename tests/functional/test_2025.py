# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers of June 2025 do otherwise than those of 2026, as users of the modules meet it.

Everything else is what it is on 2026, and tested there; the lifetimes' rules are the same.
"""

from __future__ import annotations

import typing as t

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import Result, run_in_process

from ansible_collections.community.infisical.plugins.modules import (
    infisical_azure_auth,
    infisical_identities,
    infisical_identity_info,
    infisical_login,
)
from emulator import Emulator, running

AUTH, INFO = infisical_azure_auth.main, infisical_identity_info.main
MANY, LOGIN = infisical_identities.main, infisical_login.main


@pytest.fixture(scope="module")
def old() -> t.Iterator[Emulator]:
    with running("2025-06") as server:
        yield server


def run(server: Emulator, main: t.Callable[[], None], **options: t.Any) -> Result:
    server.clear_requests()
    given = {"url": server.url, "token": server.token, "retries": 0, **options}
    return run_in_process(main, {k: v for k, v in given.items() if v is not None})


def statuses(server: Emulator, path: str) -> list[int | None]:
    return [item.status for item in server.requests(path=path)]


@pytest.mark.parametrize("attached", [True, False])
def test_seven_service_principals_are_too_many(old: Emulator, attached: bool) -> None:
    identity_id = old.create_identity("many principals")
    if attached:
        old.put_azure_auth(identity_id, **ATTACHED)
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(7)]
    options = {**REQUIRED, "identity_id": identity_id, "allowed_service_principal_ids": ids}
    result = run(old, AUTH, **options)
    assert result["failed"]
    assert (result["http_status"], result["error"]) == (
        500,
        "Update by id" if attached else "Create",
    )
    result = run(old, AUTH, **{**options, "allowed_service_principal_ids": ids[:6]})
    assert not result["failed"], result.get("msg")


def test_the_list_takes_its_organization_from_the_own_identity(old: Emulator) -> None:
    result = run(old, INFO)
    assert not result["failed"], result.get("msg")
    assert result["not_visible"] == []
    paths = [item.path.removeprefix("/api/v1/") for item in old.requests()]
    assert paths[:2] == [f"identities/{old.identities['admin']}", "identities"]
    # Nothing else is asked: no details, no projects, no search that it does not know.
    attached = [item for item in result["identities"] if item["azure_auth"]["state"] == "present"]
    assert len(paths) == 2 + len(attached)


def test_a_login_revokes_its_token_and_takes_a_second_time_for_done(old: Emulator) -> None:
    credentials = {
        "token": None,
        "universal_auth_client_id": old.client_id,
        "universal_auth_client_secret": old.client_secret,
    }
    before = old.live_tokens()
    login_data = run(old, LOGIN, **credentials)["login_data"]
    gone = {"login_data": login_data, "state": "absent", "url": None, "token": None}
    for expected in ([200], [401]):
        result = run(old, LOGIN, **gone)
        assert not result["failed"], result.get("msg")
        assert statuses(old, "/revoke$") == expected
    assert old.live_tokens() == before


def test_ldap_lets_nobody_in(old: Emulator) -> None:
    person = old.create_identity("person", methods=["ldap-auth"])
    credentials = old.ldap(person)
    result = run(
        old,
        INFO,
        token=None,
        auth_method="ldap_auth",
        auth_identity_id=person,
        ldap_username=credentials.username,
        ldap_password=credentials.password,
    )
    assert result["failed"]
    assert (result["http_status"], result["error"]) == (401, "UnauthorizedError")


def test_a_member_attaches_and_updates_and_does_not_revoke(old: Emulator) -> None:
    identity_id = old.create_identity("managed")
    token = old.issue_token(old.identities["member"])
    for ttl in (60, 120):
        options = {**REQUIRED, "identity_id": identity_id, "access_token_ttl": ttl}
        result = run(old, AUTH, token=token, **options)
        assert not result["failed"], result.get("msg")
        assert result["changed"]
    result = run(old, AUTH, token=token, identity_id=identity_id, state="absent")
    assert result["failed"]
    assert (result["http_status"], result["error"]) == (403, "PermissionBoundaryError")
    assert "revoke-auth" in result["msg"]
    assert old.azure_auth(identity_id)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_another_organizations_identity_is_none_that_is_absent_already(
    old: Emulator, state: str
) -> None:
    # It says that nothing is attached before it says whose the identity is.
    foreign = old.create_identity("theirs", organization_id=old.other_organization_id)
    options = {"identity_id": foreign, "state": state, **(REQUIRED if state == "present" else {})}
    result = run(old, AUTH, **options)
    assert statuses(old, "/azure-auth/") == [400]
    assert result["failed"]
    assert result["http_status"] == 403
    assert not result["changed"]


def test_tokens_without_an_end_are_possible(old: Emulator) -> None:
    identity_id = old.create_identity("endless")
    options = {
        **REQUIRED,
        "identity_id": identity_id,
        "access_token_ttl": 0,
        "access_token_max_ttl": 0,
    }
    result = run(old, AUTH, **options)
    assert not result["failed"], result.get("msg")
    assert result["azure_auth"]["access_token_max_ttl"] == 0
    assert result["azure_auth"]["details"]["access_token_period"] == 0
    assert not run(old, AUTH, **options)["changed"]


def test_a_rate_limit_by_its_other_name_is_waited_for(old: Emulator) -> None:
    old.fault("rate_limit", path="/azure-auth/", times=1, error="RateLimitExceeded", retry_after=0)
    result = run(old, INFO, ids=[old.identities["attached"]])
    assert not result["failed"], result.get("msg")
    assert statuses(old, "/azure-auth/") == [429, 200]


def test_several_methods_beside_each_other(old: Emulator) -> None:
    identity_id = old.create_identity("two methods", methods=["token-auth"])
    entries = [{"id": identity_id, "azure_auth": REQUIRED}]
    result = run(old, MANY, identities=entries)
    assert not result["failed"], result.get("msg")
    assert result["changed_count"] == 1
