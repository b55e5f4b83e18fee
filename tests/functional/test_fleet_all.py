# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet with `return_all`: the identities of the list, and all others, each as it was and is."""

from __future__ import annotations

import signal
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from functional.cases import ATTACHED, ONE, REQUIRED
from functional.harness import FLEET, Result, finish_module, run_in_process, start_module

from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity_info,
)
from emulator import Emulator, running

GENERATIONS = ("2026", "2025-06", "2024-10")
OUTCOME = {"index", "changed", "created", "deleted", "revoked", "failed", "purged", "before"}
ABSENT = {"state": "absent", "details": None}
UNREADABLE = (
    "Some identities are listed without their auth methods, because this login may not read"
    " identities in their projects (1)."
)
ELSEWHERE = (
    "Identities that belong to another organization, such as a parent or sub-organization, are left"
    " out (1); log in to that organization to read them."
)


@dataclass
class Site:
    """A server with five that have Azure Auth, and `bare`, which has none."""

    server: Emulator
    ids: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        *entries: dict[str, t.Any],
        main: t.Callable[[], None] = infisical_identities.main,
        check: bool = True,
        **options: t.Any,
    ) -> Result:
        self.server.clear_requests()
        given = {"url": self.server.url, "token": self.server.token, "retries": 0, **options}
        if main is infisical_identities.main:
            given = {"identities": list(entries), "return_all": True, **given}
        return run_in_process(main, given, check=check)

    def info(self) -> dict[str, Result]:
        """All that there is, by id."""
        result = self.run(main=infisical_identity_info.main)
        return {item["id"]: item for item in result["identities"]}

    def gets(self, name: str) -> list[str]:
        """The last requests about an identity."""
        return [item.method for item in self.server.requests() if self.ids[name] in item.path]


def site_of(server: Emulator) -> Site:
    site = Site(server)
    for name in ("app 0", "app 1", "app 2", "app 3", "app 4"):
        site.ids[name] = server.create_identity(name)
        server.put_azure_auth(site.ids[name], **ATTACHED)
    site.ids["bare"] = server.create_identity("bare")
    return site


@pytest.fixture(name="site", params=GENERATIONS)
def _site(request: pytest.FixtureRequest) -> t.Iterator[Site]:
    with running(generation=request.param) as server:
        yield site_of(server)


@pytest.fixture(name="today")
def _today() -> t.Iterator[Site]:
    with running() as server:
        yield site_of(server)


def named(name: str, **wanted: t.Any) -> dict[str, t.Any]:
    return {"name": name, **wanted}


def auth(**settings: t.Any) -> dict[str, t.Any]:
    return {"azure_auth": settings}


def plain(item: Result) -> Result:
    """A result as infisical_identity_info would return it."""
    return {key: value for key, value in item.items() if key not in OUTCOME}


def by_name(result: Result) -> dict[str, Result]:
    return {item["name"]: item for item in result["results"]}


def held_name(item: Result) -> str:
    """The name of an identity, which no option may take."""
    return str(item["details"].get("stored", item)["name"])


def check_order(result: Result) -> None:
    """Those of the entries are first, in their order; the others by their names and ids."""
    places = [item["index"] for item in result["results"]]
    listed = [place for place in places if place is not None]
    assert listed == sorted(listed)
    assert places == [*listed, *[None] * (len(places) - len(listed))]
    rest = [(held_name(item), item["id"]) for item in result["results"][len(listed) :]]
    assert rest == sorted(rest)
    ids = [item["id"] for item in result["results"] if item["id"]]
    assert len(ids) == len(set(ids))


WANTED = (
    named("app 3", **auth(resource=ATTACHED["resource"])),
    named("app 1", **auth(access_token_ttl=60)),
    named("app 2", role="member"),
    named("new", role="no-access", **auth(**REQUIRED)),
    named("bare", role="no-access"),
    named("app 0", state="absent"),
    named("nobody", state="absent"),
)


def test_a_list_is_compared_and_everything_is_returned(site: Site) -> None:
    before = site.info()
    result = site.run(*WANTED)
    assert not result["failed"], result.get("msg")
    check_order(result)
    assert [item["name"] for item in result["results"][: len(WANTED)]] == [
        entry["name"] for entry in WANTED
    ]
    assert (result["checked"], result["changed_count"]) == (len(WANTED), 4)
    items = by_name(result)
    # Two of the seeded have the same name.
    for item in result["results"]:
        if not item["changed"] and item["id"]:
            assert plain(item) == before[item["id"]]
            assert "before" not in item
    assert {item["id"] for item in result["results"]} == {*before, None}
    for name in ("app 0", "app 1", "app 2"):
        assert items[name]["before"] == before[site.ids[name]], name
    assert items["new"]["before"] == {"state": "absent"}
    assert items["app 1"]["azure_auth"]["access_token_ttl"] == 60
    # What the entry leaves alone is told all the same.
    assert items["app 2"]["azure_auth"] == before[site.ids["app 2"]]["azure_auth"]
    assert (items["app 2"]["role"], items["app 2"]["before"]["role"]) == ("member", "no-access")
    assert items["bare"]["azure_auth"] == ABSENT
    assert items["app 0"]["deleted"]
    assert "azure_auth" not in items["app 0"]
    assert items["nobody"] == {
        **dict.fromkeys(("id", "project_id", "details")),
        **dict.fromkeys(("changed", "created", "deleted", "revoked", "failed", "purged"), False),
        "name": "nobody",
        "state": "absent",
        "index": 6,
    }
    assert len(result["diff"]) == 4


def test_a_real_run_returns_what_it_leaves(site: Site) -> None:
    before = site.info()
    predicted = by_name(site.run(*WANTED))
    result = site.run(*WANTED, check=False)
    assert not result["failed"], result.get("msg")
    check_order(result)
    after = site.info()
    items = by_name(result)
    for name, item in items.items():
        assert item.get("before") == predicted[name].get("before")
        if item["id"] in after and not item["changed"]:
            assert plain(item) == after[item["id"]]
        elif item["id"] in after:
            # Of what the server adds, the answer to a write tells less, and of metadata more.
            other: Result = {"details": {}, "metadata": {}}
            assert {**plain(item), **other} == {**after[item["id"]], **other}
    assert items["app 0"]["before"] == before[site.ids["app 0"]]
    assert site.ids["app 0"] not in after
    again = site.run(*WANTED, check=False)
    assert (again["failed"], again["changed"]) == (False, False)
    assert not any("before" in item for item in again["results"])


def test_without_entries_it_is_what_the_other_module_reads(site: Site) -> None:
    everything = site.run(main=infisical_identity_info.main)
    requests = sorted(item.path for item in site.server.requests())
    result = site.run()
    assert sorted(item.path for item in site.server.requests()) == requests
    assert [plain(item) for item in result["results"]] == everything["identities"]
    assert result["not_visible"] == everything["not_visible"]
    assert (result["checked"], result["failed_count"], result["changed"]) == (0, 0, False)


def test_only_an_entry_with_metadata_is_read_itself(today: Site) -> None:
    today.server.change_identity(today.ids["app 1"], metadata={"team": "a"})
    result = today.run(
        named("app 0", role="no-access", delete_protection=False, **auth(access_token_ttl=3600)),
        named("app 1", metadata={"team": "b"}),
        named("bare", metadata={}),
    )
    items = by_name(result)
    assert not result["failed"], result.get("msg")
    assert today.gets("app 0") == ["GET"]
    assert today.gets("app 1") == ["GET", "GET"]
    assert today.gets("bare") == ["GET"]
    assert "metadata" not in items["app 0"]
    assert (items["bare"]["metadata"], items["bare"]["changed"]) == ({}, False)
    assert items["app 1"]["before"]["metadata"] == {"team": "a"}
    assert items["app 1"]["metadata"] == {"team": "b"}


def test_names_that_no_option_takes_are_sorted_too(today: Site) -> None:
    today.server.create_identities(["zz", "{{ name }}", "x" * 300, " "], azure_auth=ATTACHED)
    result = today.run(named("app 0", role="no-access"))
    assert not result["failed"], result.get("msg")
    check_order(result)
    assert [item["name"] for item in result["results"]].count(None) == 3


@pytest.mark.parametrize("check", [True, False])
def test_it_goes_with_a_purge(site: Site, check: bool) -> None:
    others = [item["id"] for item in site.info().values() if item["name"] != "platform"]
    keep = [item for item in others if item not in (site.ids["app 3"], site.ids["app 4"])]
    result = site.run(
        named("app 0", role="no-access"), check=check, purge_azure_auth_except=keep, max_changes=3
    )
    assert not result["failed"], result.get("msg")
    check_order(result)
    purged = [item for item in result["results"] if item["purged"]]
    assert [item["name"] for item in purged] == ["app 3", "app 4", "platform"]
    for item in purged:
        assert item["azure_auth"] == ABSENT
        assert item["before"]["azure_auth"]["state"] == "present"
        assert (item["index"], item["role"]) == (None, item["before"]["role"])
    items = by_name(result)
    assert items["app 1"]["azure_auth"]["state"] == "present"
    assert (items["app 1"]["purged"], items["app 1"]["changed"]) == (False, False)
    assert {item["id"] for item in result["results"]} == {*site.info()}


def test_where_nothing_is_purged_all_are_read(today: Site) -> None:
    today.server.fault("error", method="GET", path="azure-auth", identity_id=today.ids["app 1"])
    keep = [today.ids[name] for name in ("app 0", "app 1", "bare")]
    result = today.run(named("app 1", **auth(access_token_ttl=60)), purge_azure_auth_except=keep)
    assert result["failed"]
    assert "1 of 15 identities failed: identities[0] (app 1): Could not read" in result["msg"]
    assert result["msg"].endswith("Nothing was purged.")
    items = by_name(result)
    assert [name for name, item in items.items() if item["failed"]] == ["app 1"]
    assert "azure_auth" not in items["app 1"]
    assert items["app 4"]["azure_auth"]["state"] == "present"
    assert (result["failed_count"], result["purged_count"]) == (1, 0)


def test_max_changes(today: Site) -> None:
    check = today.run(*WANTED, max_changes=3)
    assert (check["failed"], check["refused"]) == (False, True)
    assert len(check["results"]) > len(WANTED)
    real = today.run(*WANTED, max_changes=3, check=False)
    assert real["msg"].startswith("4 of the identities would change, but max_changes is 3; nothing")
    assert (real["results"], real["changed"]) == ([], False)
    # The rehearsal does not read what the run itself will.
    assert today.gets("app 4") == []
    done = today.run(*WANTED, max_changes=4, check=False)
    assert not done["failed"], done["msg"]
    assert today.gets("app 4") == ["GET"]


def test_a_list_that_is_refused_returns_the_entries_that_are_the_reason(today: Site) -> None:
    result = today.run(named("app 0"), {"id": today.ids["app 0"]}, named("app 1"))
    assert result["failed"]
    assert [item["index"] for item in result["results"]] == [1]
    assert (result["checked"], result["failed_count"]) == (0, 1)
    assert today.gets("app 1") == []


def test_checking_the_options_alone_reads_nothing_else(today: Site) -> None:
    result = today.run(named("app 0", role="member"), validate_only=True)
    assert (result["failed"], result["results"]) == (False, [])
    assert today.gets("app 1") == []


def test_one_that_cannot_be_read_fails_and_the_others_are_returned(today: Site) -> None:
    for name in ("app 3", "app 4"):
        today.server.fault("error", method="GET", path="azure-auth", identity_id=today.ids[name])
    result = today.run(named("app 3", role="member"), named("app 1", role="no-access"))
    assert result["failed"]
    count = len(result["results"])
    assert result["msg"].startswith(
        f"2 of {count} identities failed: identities[0] (app 3): Could not read the Azure Auth"
    )
    assert f" app 4 ({today.ids['app 4']}): Could not read the Azure Auth" in result["msg"]
    assert result["failed_count"] == 2
    items = by_name(result)
    assert [name for name, item in items.items() if item["failed"]] == ["app 3", "app 4"]
    for name in ("app 3", "app 4"):
        assert "azure_auth" not in items[name]
        assert items[name]["http_status"] == 500
        assert items[name]["role"] in ("member", "no-access")
    assert items["app 2"]["azure_auth"]["state"] == "present"


@pytest.mark.parametrize(
    "wanted", [{"state": "absent"}, {"role": "member"}], ids=["deleted", "updated"]
)
def test_what_was_asked_for_is_done_all_the_same(today: Site, wanted: dict[str, t.Any]) -> None:
    today.server.fault("error", method="GET", path="azure-auth", identity_id=today.ids["app 3"])
    result = today.run(named("app 3", **wanted), check=False)
    assert result["failed"]
    (item,) = (item for item in result["results"] if item["index"] == 0)
    assert (item["changed"], item["failed"]) == (True, True)
    assert item["before"]["role"] == "no-access"
    assert "azure_auth" not in item["before"]
    left = today.server.identity(today.ids["app 3"])
    assert left is None or left["role"] == "member"


def test_what_goes_meanwhile_is_left_out_and_what_is_detached_is_told_so(site: Site) -> None:
    for name, change in (("app 0", "delete"), ("app 1", "detach"), ("app 4", "delete")):
        site.server.fault(
            "race",
            method="GET",
            path="azure-auth",
            identity_id=site.ids[name],
            change=change,
            times=1,
        )
    gone = named("app 4", **auth(state="absent"))
    result = site.run(gone)
    assert not result["failed"], result.get("msg")
    items = by_name(result)
    assert "app 0" not in items
    assert items["app 1"]["azure_auth"] == ABSENT
    assert items["app 1"]["details"]["auth_methods"] == []
    assert (items["app 4"]["state"], items["app 4"]["changed"]) == ("absent", False)


def test_the_name_of_another_organizations_identity_is_no_new_one(today: Site) -> None:
    server = today.server
    below = server.sub_organization_id
    server.add_member(server.identities["admin"], "admin", organization_id=below)
    server.add_member(today.ids["app 0"], "member", organization_id=below)
    token = server.issue_token(server.identities["admin"], organization_id=below)
    result = today.run(named("app 0", role="member"), token=token)
    assert result["failed"]
    assert f"is the name of an identity ({today.ids['app 0']}) of another organ" in result["msg"]
    result = today.run({"id": today.ids["app 0"], "role": "admin"}, token=token)
    assert "belongs to another organization" in result["msg"]
    assert "azure_auth" not in result["results"][0]
    result = today.run(token=token)
    assert not result["failed"], result.get("msg")
    assert today.ids["app 0"] not in [item["id"] for item in result["results"]]
    assert any("belong to another organization" in text for text in result["not_visible"])


def test_one_by_its_id_that_no_list_shows_is_managed_as_ever(today: Site) -> None:
    """Lists leave out in silence what a login may not read."""
    server = today.server
    hidden = today.ids["app 0"]
    listed = [server.identity(item) for name, item in today.ids.items() if item != hidden]
    unknown = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
    for check in (True, False):
        for path, body in (("v1/identities$", listed), ("v2/identities/search$", [])):
            json = {"identities": body, "totalCount": len(body)}
            server.fault("body", path=path, json=json, times=1)
        result = today.run(
            {"id": hidden, **auth(access_token_ttl=60)},
            {"id": unknown, **auth(access_token_ttl=60)},
            check=check,
        )
        first, second = result["results"][:2]
        assert (first["name"], first["changed"], first["failed"]) == ("app 0", True, False)
        assert first["before"]["azure_auth"]["access_token_ttl"] == 3600
        assert (second["id"], second["failed"], second["http_status"]) == (unknown, True, 404)
    assert server.azure_auth(hidden)["accessTokenTTL"] == 60  # type: ignore[index]


def test_projects(today: Site) -> None:
    server = today.server
    shop, vault = server.create_project("shop"), server.project_id
    server.add_member(server.identities["admin"], "admin", project_id=shop)
    for name, project in (("shop a", shop), ("shop b", shop), ("vault a", vault)):
        today.ids[name] = server.create_identity(name, project_id=project)
        server.put_azure_auth(today.ids[name], **ATTACHED)
    result = today.run(
        named("shop a", project_id=shop, role="viewer"),
        named("shop c", project_id=shop, role="viewer"),
        named("app 0", project_id=shop, role="viewer"),
    )
    assert not result["failed"], result.get("msg")
    a, c, other, *_rest = result["results"]
    assert (a["before"]["role"], a["role"]) == ("no-access", "viewer")
    assert (a["project_id"], a["details"]["project_name"]) == (shop, "shop")
    assert a["azure_auth"]["allowed_service_principal_ids"] == [ONE]
    assert (c["created"], other["created"]) == (True, True)
    items = by_name(result)
    assert items["shop b"]["azure_auth"]["state"] == "present"
    # The list shows it, and its project does not let this login in.
    assert items["vault a"]["details"]["project_name"] == "Vault"
    assert "azure_auth" not in items["vault a"]
    assert UNREADABLE in result["not_visible"]
    assert today.gets("shop a") == ["GET"]
    same = today.run(
        named("vault a", project_id=vault, role="no-access"),
        named("shop a", project_id=shop, role="no-access", **auth(access_token_ttl=3600)),
    )
    assert not same["failed"], same.get("msg")
    assert UNREADABLE in same["not_visible"]
    assert "azure_auth" not in same["results"][0]
    assert not same["changed"]


def test_projects_of_servers_without_the_search_for_all(today: Site) -> None:
    server = today.server
    server.settings(lacks=["/v2/identities/search"])
    shop = server.create_project("shop")
    server.add_member(server.identities["admin"], "admin", project_id=shop)
    today.ids["shop a"] = server.create_identity("shop a", project_id=shop)
    server.put_azure_auth(today.ids["shop a"], **ATTACHED)
    result = today.run(named("shop a", project_id=shop, **auth(access_token_ttl=60)))
    assert not result["failed"], result.get("msg")
    (item,) = (item for item in result["results"] if item["name"] == "shop a")
    assert item["details"]["project_name"] == "shop"
    assert item["before"]["azure_auth"]["access_token_ttl"] == 3600
    assert today.gets("shop a") == ["GET"]


def test_a_login_that_may_not_list_gets_nothing(site: Site) -> None:
    token = site.server.issue_token(site.server.identities["no-access"])
    result = site.run({"id": site.ids["app 0"], "role": "member"}, token=token)
    assert result["failed"]
    assert (result["http_status"], result["results"], result["checked"]) == (403, [], 0)


def test_the_last_login_is_told_where_the_server_tells_it(site: Site) -> None:
    site.server.put_method(site.ids["bare"], "universal-auth")
    login = site.server.credentials(site.ids["bare"])
    given: dict[str, t.Any] = {
        "token": "",
        "universal_auth_client_id": login.client_id,
        "universal_auth_client_secret": login.client_secret,
    }
    site.run(main=infisical_identity_info.main, ids=[site.ids["app 0"]], **given)
    items = by_name(site.run(named("app 0", role="no-access"), named("bare", role="no-access")))
    details = items["bare"]["details"]
    told = site.server.generation == "2026"
    assert details["last_login_method"] == ("universal-auth" if told else None)
    assert (details["last_login_at"] is None) == (not told)
    assert items["app 0"]["details"]["last_login_at"] is None


def test_where_the_server_goes_down_nothing_else_is_tried(today: Site) -> None:
    ids = today.server.create_identities([f"lot {n}" for n in range(40)], azure_auth=ATTACHED)
    today.server.fault("error", method="GET", path="azure-auth", status=503)
    entries = [{"id": identity_id, **auth(access_token_ttl=60)} for identity_id in ids]
    result = today.run(*entries, concurrency=1)
    assert "The server seems to be down or unreachable: 16 of " in result["msg"]
    assert "identities were not tried." in result["msg"]
    assert today.gets("app 1") == []
    assert (result["failed_count"], len(result["results"])) == (16, 16)
    # Of the others, none is returned as if it were known.
    today.server.clear_faults()
    others = len(today.info()) - len(result["results"])
    assert result["untried_count"] == others


@pytest.mark.parametrize("entries", [[], [named("app 1", **auth(access_token_ttl=60))]], ids=len)
def test_a_signal_while_all_are_read(
    today: Site, entries: list[dict[str, t.Any]], tmp_path: Path
) -> None:
    server = today.server
    server.fault("latency", method="GET", identity_id=today.ids["app 2"], seconds=30)
    options = {"url": server.url, "token": server.token, "identities": entries}
    process = start_module(FLEET, tmp_path, {**options, "return_all": True, "concurrency": 1})
    while not server.requests(path=today.ids["app 2"]):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    result = finish_module(process)
    assert result["msg"].startswith("The task was stopped by SIGTERM; run it again")
    items = by_name(result)
    assert "identities were not tried." in result["msg"]
    assert items["app 0"]["azure_auth"]["state"] == "present"
    assert "app 2" not in items
    assert result["changed"] == bool(entries)
    if entries:
        assert items["app 1"]["before"]["azure_auth"]["access_token_ttl"] == 3600
