# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities that projects own, which servers of 2026 have: counted by lists, and not shown."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import Result, run_in_process

from ansible_collections.community.infisical.plugins.modules import (
    infisical_azure_auth,
    infisical_identities,
    infisical_identity,
    infisical_identity_info,
)
from emulator import Emulator, running

OWNED = (
    "Identities that projects own are counted, and not listed (2); each can be read by its id, if"
    " the login is a member of its project."
)
ELSEWHERE = (
    "Identities that belong to another organization, a parent or a sub-organization, are left out"
    " (1); log in there to read them."
)
UNSURE = (
    "More identities are counted than listed (2), probably those that projects own; this server"
    " has no way to tell whether others are missing."
)
AUTH, INFO, MANY = (
    infisical_azure_auth.main,
    infisical_identity_info.main,
    infisical_identities.main,
)


@dataclass
class Site:
    """A server with two identities of a project, in which the admin is a member; one has it."""

    server: Emulator
    project: str
    bare: str
    attached: str

    def run(self, main: t.Callable[[], None], check: bool = False, **options: t.Any) -> Result:
        self.server.clear_requests()
        given = {"url": self.server.url, "token": self.server.token, "retries": 0, **options}
        return run_in_process(main, given, check=check)

    def token(self, name: str, *actions: str, in_project: str | None = None) -> str:
        """A token of an identity whose role allows just these actions."""
        self.server.create_role(name, actions)
        identity_id = self.server.create_identity(name, role=name, methods=["universal-auth"])
        if in_project:
            self.server.add_member(identity_id, in_project, project_id=self.project)
        return self.server.issue_token(identity_id)

    def asked(self) -> list[tuple[str, str, int | None]]:
        """Method, end of the path and status of the last run's requests."""
        return [
            (item.method, item.path.replace(self.bare, "ID").removeprefix("/api/"), item.status)
            for item in self.server.requests()
        ]


@pytest.fixture
def site() -> t.Iterator[Site]:
    with running() as server:
        project = server.create_project("shop")
        server.add_member(server.identities["admin"], "admin", project_id=project)
        bare = server.create_identity("bare", project_id=project)
        attached = server.create_identity("attached", project_id=project, methods=["azure-auth"])
        server.put_azure_auth(attached, **ATTACHED)
        yield Site(server, project, bare, attached)


def names(result: Result) -> list[str]:
    return [item["name"] for item in result["identities"]]


def purged(result: Result) -> list[str]:
    return [item["name"] for item in result["results"] if item["purged"]]


def test_reading_all_goes_on_and_says_what_it_left_out(site: Site) -> None:
    result = site.run(INFO)
    assert not result["failed"], result.get("msg")
    assert names(result) == ["batch worker", "payments", "platform"]
    assert result["not_visible"] == [OWNED, ELSEWHERE]


def test_without_any_of_them_the_list_is_whole_at_no_further_request() -> None:
    with running() as server:
        server.delete_identity(server.identities["sub-organization"])
        given = {"url": server.url, "token": server.token}
        result = run_in_process(INFO, given)
        assert result["not_visible"] == []
        # The own identity for its organisation, the list, and each that has it.
        assert len(server.requests()) == 2 + len(result["identities"])


def test_reading_some_says_nothing_of_the_others(site: Site) -> None:
    result = site.run(INFO, names=["payments"])
    assert "not_visible" not in result


def test_a_name_that_only_the_list_can_find_is_found(site: Site) -> None:
    site.server.create_identity("caf\u00e9")
    result = site.run(INFO, names=["caf\u00e9"])
    assert not result["failed"], result.get("msg")


def test_a_server_that_has_no_count_of_its_own_says_so(site: Site) -> None:
    site.server.fault("error", path="/api/v2/", status=404, error="Not Found")
    result = site.run(INFO)
    assert not result["failed"], result.get("msg")
    assert result["not_visible"] == [UNSURE, ELSEWHERE]


def test_a_list_that_lacks_one_of_the_organizations_own_is_refused(site: Site) -> None:
    listed = [site.server.identity(i) for k, i in site.server.identities.items() if k != "foreign"]
    short = {"identities": listed[:-1], "totalCount": len(listed) + 2}
    site.server.fault("body", path="/v1/identities$", json=short)
    result = site.run(INFO)
    assert result["failed"]
    assert f"listed {len(listed) - 1} identities, and counts {len(listed)}" in result["msg"]


def test_a_server_of_2025_lists_all_that_it_counts() -> None:
    with running("2025-06") as server:
        server.fault("body", path="/v1/identities$", json={"identities": [], "totalCount": 1})
        result = run_in_process(INFO, {"url": server.url, "token": server.token})
        assert result["failed"]
        assert "listed 0 identities, and counts 1" in result["msg"]


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("check", [True, False])
def test_one_is_managed_by_its_id(site: Site, state: str, check: bool) -> None:
    for identity_id in (site.bare, site.attached):
        before = site.server.azure_auth(identity_id)
        options: dict[str, t.Any] = {"identity_id": identity_id, "state": state}
        if state == "present":
            options.update(REQUIRED, access_token_ttl=60)
        results = [site.run(AUTH, check=check, **options) for _time in range(2)]
        assert not any(result["failed"] for result in results), results
        changes = state == "present" or before is not None
        assert [result["changed"] for result in results] == [changes, changes and check]
        after = site.server.azure_auth(identity_id)
        assert (after == before) if check else bool(after) == (state == "present")


def test_that_nothing_is_attached_takes_three_reads(site: Site) -> None:
    result = site.run(INFO, ids=[site.bare])
    assert not result["failed"], result.get("msg")
    (found,) = result["identities"]
    assert (found["state"], found["identity_name"]) == ("absent", "bare")
    assert site.asked() == [
        ("GET", "v1/auth/azure-auth/identities/ID", 400),
        ("GET", "v1/identities/ID", 404),
        ("GET", "v1/identities/ID/identity-memberships", 200),
    ]


def test_what_a_login_may_not_know_is_said(site: Site) -> None:
    token = site.token("stranger", "edit", in_project="admin")
    result = site.run(AUTH, identity_id=site.bare, state="absent", token=token)
    assert result["failed"]
    assert result["msg"].startswith(
        f"Whether Azure Auth is attached to identity {site.bare} cannot be known: a project seems"
    )
    assert (result["http_status"], result["error"]) == (403, "PermissionDenied")


def test_a_project_that_the_login_is_no_member_of_is_named(site: Site) -> None:
    token = site.token("outsider", "read", "edit", "edit-auth")
    result = site.run(INFO, ids=[site.attached], token=token)
    (failure,) = result["failures"]
    assert (failure["http_status"], failure["error"]) == (403, "ProjectMembershipNotFound")
    assert site.project in failure["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_purging_leaves_them_alone_and_says_so(site: Site, check: bool) -> None:
    labs = site.server.identities["sub-organization"]
    result = site.run(MANY, check=check, identities=[], purge_azure_auth_except=["payments"])
    assert not result["failed"], result.get("msg")
    assert purged(result) == ["batch worker", "platform"]
    assert result["not_visible"] == [OWNED, ELSEWHERE]
    for identity_id in (site.attached, labs):
        assert site.server.azure_auth(identity_id)


def test_not_purging_says_nothing_of_it(site: Site) -> None:
    assert "not_visible" not in site.run(MANY, identities=[])


def test_one_of_a_project_may_be_an_entry_of_a_list(site: Site) -> None:
    entries = [{"id": i, "azure_auth": {**REQUIRED, "access_token_ttl": 60}} for i in (site.bare,)]
    result = site.run(MANY, identities=entries)
    assert not result["failed"], result.get("msg")
    assert result["changed_count"] == 1
