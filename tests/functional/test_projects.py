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
    "Identities that projects own are not listed (2); read each one by its ID, with a login that is"
    " a member of its project."
)
ELSEWHERE = (
    "Identities that belong to another organization, such as a parent or sub-organization, are left"
    " out (1); log in to that organization to read them."
)
UNSURE = (
    "Infisical counts more identities than it lists (2), probably those that projects own; this"
    " server cannot tell whether others are missing."
)
OTHER_PROJECTS = (
    "This login is not a member of some projects (1: Vault), so it cannot read the auth methods of"
    " identities that they own."
)
SUB_ORGANIZATIONS = (
    "Sub-organizations (1) have identities of their own; log in to each with organization_slug."
)
HIDDEN = (
    "Projects own identities that this login cannot see (1); make it a member of these projects,"
    " with the permission to read identities there."
)
# What is seeded, without those of other organizations.
SEEDED = [
    "admin",
    "auditor",
    "batch worker",
    "batch worker",
    "billing",
    "member",
    "no-access",
    "payments",
    "platform",
]
AUTH, INFO, MANY, ONE = (
    infisical_azure_auth.main,
    infisical_identity_info.main,
    infisical_identities.main,
    infisical_identity.main,
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


def test_reading_all_shows_them_and_says_what_it_left_out(site: Site) -> None:
    result = site.run(INFO)
    assert not result["failed"], result.get("msg")
    assert names(result) == sorted([*SEEDED, "bare", "attached"])
    assert result["not_visible"] == [OTHER_PROJECTS, SUB_ORGANIZATIONS, ELSEWHERE]
    owned = {item["name"]: item for item in result["identities"] if item["project_id"]}
    assert {item["project_id"] for item in owned.values()} == {site.project}
    assert owned["bare"]["azure_auth"] == {"state": "absent", "details": None}
    assert owned["attached"]["azure_auth"]["resource"] == ATTACHED["resource"]


def test_one_in_a_project_that_cannot_be_read_is_counted(site: Site) -> None:
    token = site.token("reader", "read", in_project="admin")
    site.server.create_identity("secret", project_id=site.server.project_id)
    result = site.run(INFO, token=token)
    assert not result["failed"], result.get("msg")
    assert "secret" not in names(result)
    assert result["not_visible"] == [HIDDEN, OTHER_PROJECTS, SUB_ORGANIZATIONS, ELSEWHERE]


def test_reading_all_takes_four_lists_and_each_that_has_it() -> None:
    with running() as server:
        server.delete_identity(server.identities["sub-organization"])
        given = {"url": server.url, "token": server.token}
        result = run_in_process(INFO, given)
        assert result["not_visible"] == [OTHER_PROJECTS, SUB_ORGANIZATIONS]
        attached = [
            item for item in result["identities"] if item["azure_auth"]["state"] == "present"
        ]
        # Both lists of identities, the projects and the sub-organizations.
        assert len(server.requests()) == 4 + len(attached)


def test_reading_some_says_nothing_of_the_others(site: Site) -> None:
    result = site.run(INFO, names=["payments"])
    assert "not_visible" not in result


def test_a_name_that_only_the_list_can_find_is_found(site: Site) -> None:
    site.server.create_identity("caf\u00e9")
    result = site.run(INFO, names=["caf\u00e9"])
    assert not result["failed"], result.get("msg")


def test_a_server_that_has_no_count_of_its_own_says_so(site: Site) -> None:
    site.server.fault("error", path="/api/v2/", status=404, error="Not Found")
    result = site.run(MANY, identities=[], purge_azure_auth_except=["payments"])
    assert not result["failed"], result.get("msg")
    assert result["not_visible"] == [UNSURE, ELSEWHERE]


def test_a_server_without_the_search_for_all_is_read_project_by_project(site: Site) -> None:
    site.server.settings(lacks=["/v2/identities/search"])
    result = site.run(INFO)
    assert not result["failed"], result.get("msg")
    assert sorted(names(result)) == sorted([*SEEDED, "bare", "attached"])
    assert result["not_visible"] == [ELSEWHERE]
    site.server.create_identity("secret", project_id=site.server.project_id)
    assert site.run(INFO)["not_visible"] == [HIDDEN, ELSEWHERE]


def test_a_list_that_lacks_one_of_the_organizations_own_is_refused(site: Site) -> None:
    listed = [site.server.identity(i) for k, i in site.server.identities.items() if k != "foreign"]
    short = {"identities": listed[:-1], "totalCount": len(listed) + 2}
    site.server.fault("body", path="/v1/identities$", json=short)
    result = site.run(MANY, identities=[], purge_azure_auth_except=["payments"])
    assert result["failed"]
    assert f"lists {len(listed) - 1} identities, but counts {len(listed)}" in result["msg"]


def test_a_server_of_2025_lists_all_that_it_counts() -> None:
    with running("2025-06") as server:
        server.fault("body", path="/v1/identities$", json={"identities": [], "totalCount": 1})
        result = run_in_process(INFO, {"url": server.url, "token": server.token})
        assert result["failed"]
        assert "lists 0 identities, but counts 1" in result["msg"]


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


def test_reading_one_by_its_id_finds_its_project(site: Site) -> None:
    result = site.run(INFO, ids=[site.bare])
    assert not result["failed"], result.get("msg")
    (found,) = result["identities"]
    assert (found["name"], found["project_id"]) == ("bare", site.project)
    assert found["azure_auth"] == {"state": "absent", "details": None}
    assert site.asked() == [
        ("GET", "v1/identities/ID", 404),
        ("GET", "v1/identities/ID/identity-memberships", 200),
    ]


def test_that_nothing_is_attached_takes_three_reads(site: Site) -> None:
    result = site.run(AUTH, identity_id=site.bare, state="absent")
    assert not result["failed"], result.get("msg")
    assert result["azure_auth"]["state"] == "absent"
    assert result["identity_name"] == "bare"
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
        f"Could not find out whether Azure Auth is attached to identity {site.bare}: a project"
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


def test_with_its_project_it_takes_two_reads(site: Site) -> None:
    result = site.run(AUTH, identity_id=site.bare, project_id=site.project, state="absent")
    assert not result["failed"], result.get("msg")
    assert [(verb, status) for verb, _path, status in site.asked()] == [("GET", 400), ("GET", 200)]


@pytest.mark.parametrize("check", [True, False])
def test_one_is_managed_by_its_name_and_its_project(site: Site, check: bool) -> None:
    # Others of the name: the organization's, and another project's.
    site.server.create_identity("attached")
    other = site.server.create_project("other")
    site.server.add_member(site.server.identities["admin"], "admin", project_id=other)
    site.server.create_identity("attached", project_id=other)
    by_name = {"identity_name": "attached", "project_id": site.project.upper()}
    same = site.run(AUTH, check=check, **by_name, resource=ATTACHED["resource"])
    assert not same["failed"], same.get("msg")
    assert not same["changed"]
    assert (same["azure_auth"]["identity_id"], same["identity_name"]) == (site.attached, "attached")
    # The search, and the Azure Auth.
    assert len(site.asked()) == 2
    for options, state in (({"resource": "other"}, "present"), ({"state": "absent"}, "absent")):
        result = site.run(AUTH, check=check, **by_name, **options)
        assert not result["failed"], result.get("msg")
        assert result["changed"]
        assert result["azure_auth"]["state"] == state
    assert bool(site.server.azure_auth(site.attached)) == check


def test_a_name_is_looked_for_in_its_project_alone(site: Site) -> None:
    for name, project in (("payments", site.project), ("bare", None)):
        result = site.run(AUTH, identity_name=name, project_id=project, state="absent")
        where = f"project {project}" if project else "organization"
        assert result["msg"].startswith(
            f"identity_name '{name}' is not the name of any identity that this login can see in its"
            f" {where}; "
        )
        assert not result["changed"]


@pytest.mark.parametrize("generation", ["2025-06", "2024-10"])
def test_projects_own_nothing_on_older_servers(generation: str) -> None:
    project = "0f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4c"
    with running(generation) as server:
        given = {"url": server.url, "token": server.token, "identity_name": "x"}
        result = run_in_process(AUTH, {**given, "project_id": project, "state": "absent"})
        assert result["failed"]
        assert result["msg"].startswith(
            f"project_id '{project}' is set, but projects cannot own identities on this server;"
        )


@pytest.mark.parametrize("generation", ["2026", "2025-06", "2024-10"])
@pytest.mark.parametrize("check", [True, False])
def test_revoking_from_an_identity_that_is_gone_is_fine(generation: str, check: bool) -> None:
    with running(generation) as server:
        gone = server.create_identity("gone")
        server.delete_identity(gone)
        given = {"url": server.url, "token": server.token, "identity_id": gone}
        result = run_in_process(AUTH, {**given, "state": "absent"}, check=check)
        assert not result["failed"], result.get("msg")
        assert not result["changed"]
        assert result["azure_auth"] == {"identity_id": gone, "state": "absent", "details": None}
        result = run_in_process(AUTH, {**given, **REQUIRED}, check=check)
        assert result["failed"]
        assert result["http_status"] == 404


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("several", [1, 3])
def test_the_project_that_is_given_with_an_id_has_to_own_it(
    several: int, check: bool, site: Site
) -> None:
    """One by one, and where a list is read for all."""
    server = site.server
    other = server.create_project("other")
    server.add_member(server.identities["admin"], "admin", project_id=other)
    ours = server.identities["attached"]
    bystanders = [{"id": i, "role": "member"} for i in server.create_identities(["a", "b"])]
    wanted: list[dict[str, t.Any]] = [
        {"state": "absent"},
        {"role": "member"},
        {"azure_auth": {"state": "absent"}},
    ]
    for identity_id, project, owner in (
        (ours, site.project, "the organization"),
        (site.attached, other, f"the project {site.project}"),
    ):
        message = (
            f"The owner of the identity {identity_id} is {owner}, not the project {project};"
            " correct project_id, or remove it."
        )
        given = {"id": identity_id, "project_id": project}
        for options in wanted:
            entries = [{**given, **options}, *bystanders[: several - 1]]
            result = site.run(MANY, check=check, identities=entries)
            assert result["failed"], (owner, options)
            assert message in result["msg"]
            assert [item["id"] for item in result["results"] if item["failed"]] == [identity_id]
        absent = {"identity_id": identity_id, "project_id": project, "state": "absent"}
        result = site.run(AUTH, check=check, **absent)
        assert (result["failed"], result["msg"]) == (True, message)
        assert server.azure_auth(identity_id)
    assert server.identity(ours)


def test_a_member_of_a_project_is_not_taken_for_one_that_it_owns() -> None:
    """Early versions of the search of version 2 show it so."""
    with running(search_members=True) as server:
        project = server.create_project("shop")
        server.add_member(server.identities["admin"], "admin", project_id=project)
        shared = server.create_identity("shared", methods=["azure-auth"])
        server.add_member(shared, "member", project_id=project)
        before = server.azure_auth(shared)
        common = {"url": server.url, "token": server.token, "project_id": project}
        revoked = {"azure_auth": {"state": "absent"}}
        by_name: list[tuple[t.Callable[[], None], dict[str, t.Any]]] = [
            (AUTH, {"identity_name": "shared", "state": "absent"}),
            (ONE, {"name": "shared", "azure_auth": {"access_token_ttl": 60}}),
            (ONE, {"name": "shared", "state": "absent"}),
            (INFO, {"names": ["shared"]}),
            (MANY, {"identities": [{"name": "shared", "project_id": project, **revoked}]}),
        ]
        for main, options in by_name:
            if main is MANY:
                common = {"url": server.url, "token": server.token}
            result = run_in_process(main, {**common, **options})
            assert not result["changed"]
            assert result.get("identities", []) == []
        assert server.azure_auth(shared) == before
        assert server.identity(shared)


def test_a_project_with_more_rows_than_its_list_shows() -> None:
    """A row for each key of metadata."""
    with running() as server:
        project = server.create_project("shop")
        server.add_member(server.identities["admin"], "admin", project_id=project)
        pairs = {"a": "1", "b": "2", "c": "3"}
        for number in range(340):
            server.create_identity(f"app {number}", project_id=project, metadata=pairs)
        common = {"url": server.url, "token": server.token, "project_id": project}
        result = run_in_process(INFO, {**common, "azure_auth": False})
        assert not result["failed"], result.get("msg")
        assert len(result["identities"]) == 340
        for options, changed in (
            ({"name": "app 339", "state": "absent"}, True),
            ({"name": "gone", "state": "absent"}, False),
            ({"name": "fresh", "role": "viewer"}, True),
            ({"name": "fresh", "role": "viewer"}, False),
        ):
            result = run_in_process(ONE, {**common, **options})
            assert not result["failed"], result.get("msg")
            assert result["changed"] == changed
        # A server without the search of version 2 says so.
        server.settings(lacks=["/v2/identities/search"])
        result = run_in_process(INFO, {**common, "azure_auth": False})
        assert result["failed"]
        assert "Infisical counts 340 identities, but shows 33" in result["msg"]
        result = run_in_process(ONE, {**common, "name": "app 7", "state": "absent"})
        assert not result["failed"], result.get("msg")
        assert result["changed"]


@pytest.mark.parametrize("role", ["special", None, 1, ["special"], {}])
def test_what_is_no_role_in_a_list_of_roles_is_passed_over(role: t.Any, site: Site) -> None:
    site.server.fault("body", path=f"/projects/{site.project}/roles", json={"roles": [role]})
    result = site.run(ONE, name="new", project_id=site.project, role="special")
    assert result["failed"]
    assert not result["changed"]
    assert "is not the slug of any role of the project" in result["msg"]
