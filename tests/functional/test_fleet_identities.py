# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that create, rename and delete: their limits, and names that are not what they seem."""

from __future__ import annotations

import typing as t

import pytest
from functional.cases import ATTACHED, BOTH, REQUIRED
from functional.harness import Result, entry, run_in_process, warning_texts, warnings_of

from ansible_collections.community.infisical.plugins.module_utils._server import login
from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity,
)
from emulator import running

Entry = dict[str, t.Any]
ONE = infisical_identity.main


class Site:
    """An emulator, and the module in this process."""

    def __init__(self, server: t.Any) -> None:
        self.server = server

    def run(self, *entries: Entry, check: bool = False, **options: t.Any) -> Result:
        self.server.clear_requests()
        given = {"url": self.server.url, "token": self.server.token, "identities": list(entries)}
        return run_in_process(infisical_identities.main, {**given, **options}, check=check)

    def writes(self) -> list[tuple[str, str]]:
        return [
            (item.method, item.path)
            for item in self.server.requests()
            if item.method in ("PATCH", "DELETE")
            or (item.method == "POST" and not item.path.endswith("/search"))
        ]

    def named(self, name: str) -> list[str]:
        identities = list(self.server.state.identities.values())
        return [identity.id for identity in identities if identity.name == name]

    def name_of(self, identity_id: str) -> str:
        return str(self.server.state.identities[identity_id].name)


@pytest.fixture(params=BOTH)
def site(request: pytest.FixtureRequest) -> t.Iterator[Site]:
    with running(generation=request.param) as server:
        yield Site(server)


@pytest.fixture
def today() -> t.Iterator[Site]:
    with running() as server:
        yield Site(server)


def without_claims(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let tokens be read as those of a server that puts less into them."""
    claims_of = login.claims_of

    def fewer(token: str) -> dict[str, t.Any]:
        return {name: value for name, value in claims_of(token).items() if name not in names}

    monkeypatch.setattr(login, "claims_of", fewer)


def flags(result: Result) -> list[str]:
    """What each told identity is told as."""
    words = ("created", "deleted", "purged", "failed")
    return [next((w for w in words if item[w]), "changed") for item in result["results"]]


# -- max_changes ------------------------------------------------------------------------------


def changes_of_each_kind(site: Site) -> tuple[list[Entry], dict[str, t.Any]]:
    """A list that changes, creates, deletes and purges one identity each, and leaves one alone."""
    ids = site.server.create_identities(["kept", "same", "surplus"], azure_auth=ATTACHED)
    site.server.create_identity("old")
    entries = [
        # One identity counts once, whatever is changed of it.
        {"id": ids[0], "role": "member", "azure_auth": {"resource": "other"}},
        entry(ids[1]),
        {"name": "new", "azure_auth": REQUIRED},
        {"name": "old", "state": "absent"},
    ]
    keep = ["kept", "same", "new", "payments", "platform", site.server.identities["twin-2"]]
    return entries, {"purge_azure_auth_except": keep}


KINDS = ["changed", "created", "deleted", "purged"]


@pytest.mark.parametrize("check", [False, True])
def test_who_lost_azure_auth_is_told_whatever_else_changed(site: Site, *, check: bool) -> None:
    """By its entry or by the purge. A deleted identity has nothing that could be revoked."""
    names = ["revoked", "deleted", "surplus"]
    ids = site.server.create_identities(names, azure_auth=ATTACHED)
    bare = site.server.create_identity("bare")
    result = site.run(
        {"id": ids[0], "role": "member", "azure_auth": {"state": "absent"}},
        {"id": ids[1], "state": "absent"},
        {"id": bare, "role": "member", "azure_auth": {"state": "absent"}},
        {"name": "new", "azure_auth": REQUIRED},
        purge_azure_auth_except=[
            *("revoked", "bare", "new", "payments", "platform"),
            site.server.identities["twin-2"],
        ],
        check=check,
    )
    assert not result["failed"], result["msg"]
    assert {item["name"]: item["revoked"] for item in result["results"]} == {
        "revoked": True,
        "deleted": False,
        "bare": False,
        "new": False,
        "surplus": True,
    }


def test_more_changes_than_allowed_are_refused_before_the_first_write(site: Site) -> None:
    entries, purge = changes_of_each_kind(site)
    result = site.run(*entries, **purge, max_changes=3)
    assert result["failed"]
    assert result["msg"].startswith(
        "4 of the identities would change, but max_changes is 3; nothing was changed."
    )
    assert site.writes() == []
    assert not result["changed"]
    assert result["results"] == []
    # It says what a real run would do, and this was one.
    assert result["refused"] is False
    assert (result["checked"], result["changed_count"], result["purged_count"]) == (0, 0, 0)


def test_check_mode_shows_what_a_real_run_would_refuse(site: Site) -> None:
    entries, purge = changes_of_each_kind(site)
    result = site.run(*entries, **purge, max_changes=3, check=True)
    assert not result["failed"], result["msg"]
    assert result["refused"] is True
    assert (
        "A real run would fail: 4 of the identities would change, but max_changes is 3."
        in warning_texts(result)
    )
    assert flags(result) == KINDS
    assert len(result["diff"]) == 4
    assert site.writes() == []


def test_as_many_changes_as_allowed_are_made(site: Site) -> None:
    entries, purge = changes_of_each_kind(site)
    result = site.run(*entries, **purge, max_changes=4)
    assert not result["failed"], result["msg"]
    assert result["refused"] is False
    assert flags(result) == KINDS
    counts = ("changed_count", "created_count", "deleted_count", "purged_count")
    assert [result[name] for name in counts] == [3, 1, 1, 1]
    again = site.run(*entries, **purge, max_changes=0)
    assert not again["failed"], again["msg"]
    assert not again["changed"]


def test_what_cannot_be_counted_counts_as_too_many(today: Site) -> None:
    """Nobody knows what the real run would do there, when the server is well again."""
    server = today.server
    # The list does not tell that it is none of those to purge.
    server.delete_identity(server.identities["sub-organization"])
    kept = server.create_identity("kept", methods=["azure-auth"])
    listed = {"id": kept, "azure_auth": {"access_token_ttl": 60}}
    server.fault("error", method="GET", path="/azure-auth/", identity_id=kept, status=500, times=1)
    purge: dict[str, t.Any] = {"purge_azure_auth_except": [kept], "retries": 0}
    result = today.run(listed, **purge, max_changes=3)
    assert result["failed"]
    # Itself, and the three that would be purged.
    assert result["msg"].startswith(
        "4 of the identities would change, but max_changes is 3 (4 of them could not be checked and"
        " count as changed); nothing was changed."
    )
    assert today.writes() == []
    result = today.run(listed, **purge, max_changes=4)
    assert not result["failed"], result["msg"]


@pytest.mark.parametrize("limit", [-1, True])
def test_a_limit_is_a_number(limit: t.Any, today: Site) -> None:
    result = today.run(max_changes=limit)
    assert result["failed"]
    assert result["msg"] == f"max_changes is {limit}; write a whole number of 0 or more."
    assert today.server.requests() == []


# -- creating ---------------------------------------------------------------------------------


def test_names_of_nobody_are_errors_where_nothing_is_to_be_created(site: Site) -> None:
    listed = [entry(called="payments", resource="other"), {"name": "paymants"}, {"name": "new"}]
    for check in (True, False):
        result = site.run(*listed, create=False, check=check)
        assert result["failed"]
        assert result["msg"].startswith("2 errors, and nothing was done: identities[1] (paymants)")
        assert site.writes() == []
    # To delete, or to revoke from, what is not there is nothing to do all the same.
    gone = site.run(
        {"name": "ghost", "state": "absent"}, entry(called="spectre", state="absent"), create=False
    )
    assert not gone["failed"], gone["msg"]
    assert (gone["changed"], gone["checked"], gone["results"]) == (False, 2, [])


def test_an_entry_that_only_revokes_creates_nothing(site: Site) -> None:
    result = site.run(entry(called="ghost", state="absent"))
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    assert site.named("ghost") == []
    # With a setting of the identity itself, it is one to be created.
    made = site.run({**entry(called="ghost", state="absent"), "role": "no-access"})
    assert flags(made) == ["created"]
    assert len(site.named("ghost")) == 1


def test_a_whole_list_is_checked_alone_and_nothing_is_read_of_it(site: Site) -> None:
    listed = [{"name": "new"}, entry(called="payments", resource="other")]
    result = site.run(*listed, validate_only=True)
    assert not result["failed"], result["msg"]
    assert (result["changed"], result["checked"], result["results"]) == (False, 0, [])
    assert site.writes() == []
    assert not site.server.requests(path="azure-auth")
    refused = site.run(*listed, {"name": "batch worker"}, validate_only=True)
    assert refused["failed"]
    assert [item["index"] for item in refused["results"]] == [2]
    assert "batch worker' is the name of 2 identities" in refused["msg"]


@pytest.mark.parametrize("name", ["Payments", "pay ments", " PAYMENTS", "p\uff41yments"])
def test_a_new_name_that_only_looks_different_is_an_error(name: str, site: Site) -> None:
    for check in (True, False):
        result = site.run(entry(called=name, **REQUIRED), check=check)
        assert result["failed"]
        assert "is new, but differs from the existing name 'payments' only in" in result["msg"]
        assert site.writes() == []


def test_new_names_of_a_list_that_only_look_different_are_an_error(site: Site) -> None:
    for check in (True, False):
        result = site.run({"name": "App 1"}, {"name": "app 1"}, check=check)
        assert result["failed"]
        assert result["msg"].startswith("identities[1] (app 1) and identities[0] (App 1) are new")
    assert site.writes() == []


def test_new_names_close_to_old_ones_are_warned_of_and_made(site: Site) -> None:
    check = site.run({"name": "paymants"}, {"name": "quite another"}, check=True)
    real = site.run({"name": "paymants"}, {"name": "quite another"})
    for result in (check, real):
        assert flags(result) == ["created", "created"]
        (warning,) = [text for text in warning_texts(result) if "similar to existing names" in text]
        assert warning.startswith("1 new names are similar to existing names, and may be")
        assert "'paymants' ('payments')" in warning


def test_names_that_count_up_are_not_close() -> None:
    with running() as server:
        site = Site(server)
        server.create_identities([f"app-{number}" for number in range(20)])
        result = site.run(*({"name": f"app-{number}"} for number in range(20, 40)))
    assert flags(result) == ["created"] * 20
    assert "similar to existing names" not in warnings_of(result)


def test_one_that_shows_up_between_two_looks_is_the_organizations(today: Site) -> None:
    """A replica that lags behind says 404, and by the next request it knows."""
    today.server.fault(
        "error", method="GET", path="/identities/[^/]+$", status=404, error="NotFound", times=1
    )
    result = today.run({"name": "new", "metadata": {"team": "a"}, "role": "member"})
    assert not result["failed"], result["msg"]
    late = today.server.create_identity("late")
    today.server.fault(
        "error", method="GET", identity_id=late, status=404, error="NotFound", times=1
    )
    result = today.run({"id": late, "metadata": {"team": "a"}})
    assert not result["failed"], result["msg"]
    assert result["results"][0]["project_id"] is None


@pytest.mark.parametrize("wanted", [{"state": "absent"}, {"azure_auth": {"state": "absent"}}])
def test_that_a_name_is_nobodys_is_not_read_off_a_search_that_leaves_some_out(
    wanted: Entry, today: Site
) -> None:
    """Without a word, the search of version 2 leaves out what the login may not read."""
    server = today.server
    victim = server.create_identity("victim", methods=["azure-auth"])
    ids = server.create_identities(["a", "b", "c"])
    entries = [{"id": i, "role": "no-access"} for i in ids]
    for check in (True, False):
        server.fault("body", path="/v2/identities/search", json={"identities": []}, times=1)
        result = today.run(*entries, {"name": "victim", **wanted}, check=check)
        assert not result["failed"], result["msg"]
        assert [item["id"] for item in result["results"]] == [victim]
    assert server.azure_auth(victim) is None


def test_a_login_that_may_not_list_takes_no_name_for_nobodys(today: Site) -> None:
    server = today.server
    server.create_role("blind", ["edit", "delete", "create"])
    reader = server.create_identity("reader", role="blind", methods=["universal-auth"])
    entries = [{"id": i, "role": "member"} for i in server.create_identities(["a", "b", "c"])]
    result = today.run(
        *entries, {"name": "nobody", "state": "absent"}, token=server.issue_token(reader)
    )
    assert result["failed"]
    assert "Could not find the identity 'nobody': Infisical answered 403" in result["msg"]
    assert today.writes() == []


# -- renaming ---------------------------------------------------------------------------------


def test_two_identities_swap_their_names(site: Site) -> None:
    one, two = site.server.create_identities(["one", "two"], azure_auth=ATTACHED)
    swap = [{"id": one, "name": "two"}, {"id": two, "name": "one"}]
    check = site.run(*swap, check=True)
    assert not check["failed"], check["msg"]
    assert site.writes() == []
    assert [item["after"]["name"] for item in check["diff"]] == ["two", "one"]
    real = site.run(*swap)
    assert not real["failed"], real["msg"]
    assert (site.name_of(one), site.name_of(two)) == ("two", "one")
    # What was attached to each of them has stayed.
    assert all(site.server.azure_auth(identity_id) for identity_id in (one, two))
    assert site.run(*swap)["changed"] is False


def test_a_name_that_another_has_in_the_end_stops_all_of_the_list(site: Site) -> None:
    """A chain of new names is not begun that cannot be ended."""
    one, two = site.server.create_identities(["one", "two"])
    for check in (True, False):
        result = site.run({"id": one, "name": "two"}, {"id": two, "name": "payments"}, check=check)
        assert result["failed"]
        assert result["msg"].startswith("identities[1] (payments): name 'payments' is the name of")
        # The label is told once.
        assert result["msg"].count("identities[1] (payments)") == 1
    assert site.writes() == []
    alone = {"url": site.server.url, "token": site.server.token, "id": one, "name": "two"}
    assert "name 'two' is the name of another" in run_in_process(ONE, alone, check=True)["msg"]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_name_of_one_that_is_deleted_can_be_given(concurrency: int, site: Site) -> None:
    kept, gone = site.server.create_identities(["kept", "gone"])
    entries = [{"id": gone, "state": "absent"}, {"id": kept, "name": "gone"}]
    for check in (True, False):
        result = site.run(*entries, concurrency=concurrency, check=check)
        assert not result["failed"], result["msg"]
        assert (result["changed_count"], result["deleted_count"]) == (2, 1)
    assert site.named("gone") == [kept]


def test_two_owners_may_give_the_same_name(today: Site) -> None:
    server = today.server
    project = server.create_project("shop")
    server.add_member(server.identities["admin"], "admin", project_id=project)
    own = server.create_identity("own")
    owned, other = (server.create_identity(n, project_id=project) for n in ("owned", "other"))
    for check in (True, False):
        result = today.run({"id": own, "name": "x"}, {"id": owned, "name": "x"}, check=check)
        assert not result["failed"], result["msg"]
        assert result["changed_count"] == 2
    assert sorted(today.named("x")) == sorted([own, owned])
    refused = today.run({"id": other, "name": "y"}, {"id": owned, "name": "y"})
    assert refused["failed"]
    assert "identities[1] (y) gets the same name as identities[0] (y)" in refused["msg"] or (
        "name 'y' is the name of another identity" in refused["msg"]
    )


def test_a_name_that_another_has_in_the_end_is_an_error(site: Site) -> None:
    one, _two = site.server.create_identities(["one", "two"])
    for check in (True, False):
        result = site.run({"id": one, "name": "two"}, check=check)
        assert result["failed"]
        assert "name 'two' is the name of another identity" in result["msg"]
    assert site.name_of(one) == "one"


@pytest.mark.parametrize("wanted", [{}, {"role": "member"}])
def test_an_entry_by_the_name_that_a_rename_makes_is_one_for_the_same_identity(
    wanted: Entry, site: Site
) -> None:
    one = site.server.create_identity("one")
    result = site.run({"id": one, "name": "new"}, {"name": "new", **wanted})
    assert result["failed"]
    assert "has the name that identities[0] (new) gets in this task" in result["msg"]
    assert site.writes() == []
    old = site.run({"id": one, "name": "new"}, {"name": "one", **wanted})
    assert old["failed"]
    assert "is the same identity as" in old["msg"]
    assert site.writes() == []
    assert site.name_of(one) == "one"


def test_an_id_never_creates(site: Site) -> None:
    unknown = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
    for check in (True, False):
        result = site.run({"id": unknown, "name": "new"}, {"name": "fine"}, check=check)
        assert result["failed"]
        assert flags(result) == ["failed", "created"]
        assert result["results"][0]["http_status"] == 404
        assert "or set only name to create an identity" in result["msg"]
    assert site.named("new") == []
    assert site.run({"id": unknown, "state": "absent"})["changed"] is False


# -- deleting ---------------------------------------------------------------------------------


def test_the_own_identity_is_neither_deleted_nor_given_another_role(site: Site) -> None:
    own = site.server.identities["admin"]
    for wanted in ({"state": "absent"}, {"role": "member"}):
        for check in (True, False):
            result = site.run({"id": own, **wanted}, check=check)
            assert result["failed"]
            assert "because this task is logged in as that identity;" in result["msg"]
            assert site.writes() == []


def test_what_a_deletion_takes_along_is_told(today: Site) -> None:
    project = today.server.create_project("shop")
    worker = today.server.create_identity("worker")
    today.server.add_member(worker, "member", project_id=project)
    check = today.run({"name": "worker", "state": "absent"}, check=True)
    real = today.run({"name": "worker", "state": "absent"})
    for result in (check, real):
        (item,) = result["results"]
        assert item["details"]["projects"] == ["shop"]
        assert (item["state"], item["deleted"]) == ("absent", True)
        (difference,) = result["diff"]
        assert (difference["before"]["projects"], difference["after"]["projects"]) == (["shop"], [])
    assert today.named("worker") == []


def test_an_entry_that_fails_by_itself_is_labelled_once(today: Site) -> None:
    result = today.run({"name": "nobody", "role": "nonsense"})
    assert result["failed"]
    assert result["msg"].startswith("1 of 1 identities failed: identities[0] (nobody): role 'non")
    gone = today.server.create_identity("gone")
    today.server.fault("race", change="delete", method="PATCH", identity_id=gone, times=1)
    result = today.run({"name": "gone", "role": "member"}, create=False)
    assert result["msg"].startswith("1 of 1 identities failed: identities[0] (gone): ")
    assert result["msg"].count("identities[0]") == 1


# -- purging ----------------------------------------------------------------------------------


def test_new_identities_may_be_among_those_to_keep_and_are_not_purged(site: Site) -> None:
    site.server.create_identities(["surplus"], azure_auth=ATTACHED)
    keep = ["payments", "platform", "batch worker 2", "new"]
    site.server.change_identity(site.server.identities["twin-2"], name="batch worker 2")
    listed = entry(called="new", **REQUIRED)
    check = site.run(listed, purge_azure_auth_except=keep, check=True)
    real = site.run(listed, purge_azure_auth_except=keep)
    for result in (check, real):
        assert not result["failed"], result["msg"]
        assert flags(result) == ["created", "purged"]
        assert [item["name"] for item in result["results"]] == ["new", "surplus"]
    (new,) = site.named("new")
    assert site.server.azure_auth(new)
    again = site.run(listed, purge_azure_auth_except=keep)
    assert not again["changed"]
    # A name that nobody has, and that no entry makes, is a mistake.
    refused = site.run(purge_azure_auth_except=[*keep, "newer"])
    assert "purge_azure_auth_except[4] 'newer' is not the name of any identity" in refused["msg"]


def test_an_identity_is_kept_by_its_name_of_now(site: Site) -> None:
    """The name that an entry gives is another's, whose Azure Auth would be kept in its place."""
    one, two = site.server.create_identities(["one", "two"], azure_auth=ATTACHED)
    seeded = ["payments", "platform", site.server.identities["twin-2"]]
    entries = [{"id": one, "name": "two"}, {"id": two, "name": "three"}]
    for check in (True, False):
        refused = site.run(*entries, purge_azure_auth_except=["two", two, *seeded], check=check)
        assert refused["failed"]
        assert "identities[0] (two) is not in purge_azure_auth_except" in refused["msg"]
    assert site.writes() == []
    real = site.run(*entries, purge_azure_auth_except=["one", "two", *seeded])
    assert not real["failed"], real["msg"]
    assert all(site.server.azure_auth(identity_id) for identity_id in (one, two))


def test_a_name_to_keep_that_an_entry_deletes_is_a_mistake(today: Site) -> None:
    keep = ["payments", "nobody"]
    result = today.run({"name": "nobody", "state": "absent"}, purge_azure_auth_except=keep)
    assert result["failed"]
    assert "purge_azure_auth_except[1] 'nobody' is not the name of any identity" in result["msg"]
    assert today.writes() == []


@pytest.mark.parametrize("check", [True, False])
def test_what_a_purge_cannot_reach_is_told_once_where_it_is_counted_before(
    check: bool, today: Site
) -> None:
    result = today.run(purge_azure_auth_except=["payments"], max_changes=10, check=check)
    assert not result["failed"], result["msg"]
    (sentence,) = result["not_visible"]
    assert "are left out (1)" in sentence


def test_what_an_entry_deletes_is_not_purged_too(site: Site) -> None:
    gone = site.server.create_identity("gone", methods=["azure-auth"])
    entries = [{"id": gone, "state": "absent"}]
    keep = ["payments", "platform", site.server.identities["twin-2"]]
    purge: dict[str, t.Any] = {"purge_azure_auth_except": keep}
    for check in (True, False):
        result = site.run(*entries, **purge, max_changes=1, check=check)
        assert not result["failed"], result["msg"]
        assert result["refused"] is False
        assert flags(result) == ["deleted"]
        assert (result["changed_count"], result["purged_count"]) == (1, 0)
    assert [method for method, _path in site.writes()] == ["DELETE"]
    assert site.run(*entries, **purge)["changed"] is False


@pytest.mark.parametrize("check", [True, False])
def test_a_login_that_does_not_tell_whose_it_is_purges_nobody(
    check: bool, today: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = today.server.create_identity("own", role="admin", methods=["azure-auth"])
    token = today.server.issue_token(own, method="azure-auth")
    without_claims(monkeypatch, "identityId")
    result = today.run(token=token, purge_azure_auth_except=["payments"], check=check)
    assert result["failed"]
    assert result["msg"].startswith(
        "The token does not say which identity it belongs to, so purging might lock the task out;"
    )
    assert today.writes() == []
    # Where there is nobody to purge, it does not matter. The list does not tell that this one is
    # none of those.
    today.server.delete_identity(today.server.identities["sub-organization"])
    everyone = ["own", "payments", "platform", today.server.identities["twin-2"]]
    result = today.run(token=token, purge_azure_auth_except=everyone, check=check)
    assert not result["failed"], result["msg"]


def test_projects_identities_are_neither_purged_nor_to_be_kept(today: Site) -> None:
    server = today.server
    project = server.create_project("shop")
    server.add_member(server.identities["admin"], "admin", project_id=project)
    listed_id, other = (
        server.create_identity(name, project_id=project) for name in ("listed", "other")
    )
    for identity_id in (listed_id, other):
        server.put_azure_auth(identity_id, **ATTACHED)
    listed = {"name": "listed", "project_id": project, "azure_auth": {"resource": "changed"}}
    result = today.run(listed, purge_azure_auth_except=["payments"])
    assert not result["failed"], result["msg"]
    names = sorted(item["name"] for item in result["results"] if item["purged"])
    assert names == ["batch worker", "platform"]
    assert server.azure_auth(listed_id)["resource"] == "changed"
    assert server.azure_auth(other)
    assert any("Identities that projects own are not listed" in s for s in result["not_visible"])
    # What is a project's is not one of those that the organization's list can keep.
    refused = today.run(listed, purge_azure_auth_except=["payments", "listed"])
    assert refused["failed"]
    assert "purge_azure_auth_except[1] 'listed' is not the name of any identity" in refused["msg"]


def test_a_parents_identity_is_neither_changed_nor_purged_from_a_sub_organization(
    today: Site,
) -> None:
    server = today.server
    sub = server.sub_organization_id
    admin = server.create_identity(
        "sub admin", role="admin", methods=["universal-auth"], organization_id=sub
    )
    parents = server.create_identity("of the parent", methods=["azure-auth"])
    server.add_member(parents, "no-access", organization_id=sub)
    own = server.create_identity("own", methods=["azure-auth"], organization_id=sub)
    below = {"token": server.issue_token(admin, organization_id=sub)}
    result = today.run(**below, purge_azure_auth_except=["sub admin"])
    assert not result["failed"], result["msg"]
    assert [item["name"] for item in result["results"]] == ["own"]
    assert server.azure_auth(parents)
    assert not server.azure_auth(own)
    assert any("belong to another organization" in sentence for sentence in result["not_visible"])
    for wanted in ({"role": "member"}, {"name": "mine"}, {"state": "absent"}):
        refused = today.run({"id": parents, **wanted}, **below)
        assert refused["failed"], wanted
        assert "another organization" in refused["msg"]
    by_name = today.run({"name": "of the parent", "role": "member"}, **below)
    assert by_name["failed"]
    assert f"is the name of an identity ({parents}) of another organization" in by_name["msg"]
    assert (today.name_of(parents), len(today.named("of the parent"))) == ("of the parent", 1)


def test_without_the_organization_in_the_token_a_list_hides_no_parents_identity(
    today: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the list does not tell whose an identity is, each is read before it is deleted."""
    without_claims(monkeypatch, "orgId", "rootOrgId", "parentOrgId")
    today.server.settings(lacks=["/v2/identities/search"])
    labs = today.server.identities["sub-organization"]
    before = today.server.memberships(labs)
    others = today.server.create_identities(["a", "b", "c"])
    entries = [{"id": labs, "state": "absent"}]
    entries += [{"id": i, "delete_protection": False} for i in others]
    result = today.run(*entries)
    assert result["failed"]
    assert f"The identity {labs} belongs to another organization" in result["msg"]
    assert today.server.memberships(labs) == before
    assert today.writes() == []
