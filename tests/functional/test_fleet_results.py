# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet costs in requests and connections, and what its results look like."""

from __future__ import annotations

import json
import typing as t
from collections import Counter

import pytest
from functional.cases import ATTACHED, ONE, TWO
from functional.forwarder import Forwarder, serving
from functional.harness import FLEET, INFO, MODULE, Result, entry, run_in_process, run_play

from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity_info,
)
from emulator import running

COUNTS = ("changed_count", "created_count", "deleted_count", "failed_count", "purged_count")
MARK = "a-resource-that-only-one-entry-has"
# What a runner, such as that of AWX, keeps of an event.
RUNNER_KEEPS = 700_000
LISTS = ("/api/v1/identities", "/api/v1/identities/search", "/api/v1/identities/details")
PRINCIPALS = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(10)]
NETWORKS = [f"10.{n}.0.0/16" for n in range(10)]


class Counting(Forwarder):
    """A front that counts the connections that clients open."""

    connections = 0

    def process_request(self, request: t.Any, client_address: t.Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


# -- requests ---------------------------------------------------------------------------------


class Bench:
    """An emulator with identities that have Azure Auth, and the modules in this process."""

    def __init__(self, server: t.Any, size: int) -> None:
        self.server = server
        self.names = [f"app {number}" for number in range(size)]
        self.ids = server.create_identities(self.names, azure_auth=ATTACHED)

    def run(
        self, main: t.Callable[[], None] = infisical_identities.main, **options: t.Any
    ) -> tuple[Result, dict[str, int]]:
        """Run in check mode; returns the result, and how often each kind of request was made."""
        self.server.clear_requests()
        login = {"url": self.server.url, "token": self.server.token}
        result = run_in_process(main, {**login, **options}, check=True)
        return result, self.kinds()

    def kinds(self) -> dict[str, int]:
        """How often which request was made; those about one identity by their route."""
        kinds: Counter[str] = Counter()
        for item in self.server.requests():
            route = item.path if item.path in LISTS else item.path.rpartition("/")[0]
            kinds[f"{item.method} {route.removeprefix('/api/v1/')}"] += 1
        return dict(kinds)

    def by_id(self, count: int) -> list[dict[str, t.Any]]:
        return [entry(identity_id) for identity_id in self.ids[:count]]

    def by_name(self, count: int) -> list[dict[str, t.Any]]:
        return [entry(called=name) for name in self.names[:count]]


@pytest.fixture(scope="module")
def bench() -> t.Iterator[Bench]:
    with running() as server:
        yield Bench(server, 320)


@pytest.fixture(scope="module")
def old_bench() -> t.Iterator[Bench]:
    with running(generation="2024-10") as server:
        yield Bench(server, 320)


READ = "GET auth/azure-auth/identities"
SEARCH = "POST identities/search"


def listing(kinds: dict[str, int]) -> int:
    """How many requests went into finding identities: the organization's id, and its list."""
    return sum(count for kind, count in kinds.items() if kind != READ)


def test_one_read_an_identity_and_nothing_else(bench: Bench) -> None:
    result, kinds = bench.run(identities=bench.by_id(320))
    assert not result["failed"], result["msg"]
    assert kinds == {READ: 320}
    paths = Counter(item.path for item in bench.server.requests())
    assert set(paths.values()) == {1}


@pytest.mark.parametrize(("count", "searches"), [(1, 1), (100, 1), (101, 2), (200, 2)])
def test_names_are_searched_for_by_the_hundred(bench: Bench, count: int, searches: int) -> None:
    result, kinds = bench.run(identities=bench.by_name(count))
    assert not result["failed"], result["msg"]
    assert kinds == {SEARCH: searches, READ: count}


@pytest.mark.parametrize("count", [201, 320])
def test_more_names_take_the_list_of_all(bench: Bench, count: int) -> None:
    result, kinds = bench.run(identities=bench.by_name(count))
    assert not result["failed"], result["msg"]
    assert kinds[READ] == count
    assert SEARCH not in kinds
    assert listing(kinds) == 1


def test_ids_among_names_are_not_searched_for(bench: Bench) -> None:
    result, kinds = bench.run(identities=[*bench.by_name(100), *bench.by_id(220)[100:]])
    assert not result["failed"], result["msg"]
    assert kinds == {SEARCH: 1, READ: 220}


@pytest.mark.parametrize(("count", "searches"), [(1, 1), (101, 3), (320, 4)])
def test_with_a_purge_roles_are_searched_for_by_the_hundred(
    bench: Bench, count: int, searches: int
) -> None:
    """The list that a purge takes has no roles."""
    entries = [{**item, "role": "no-access"} for item in bench.by_name(count)]
    result, kinds = bench.run(identities=entries, purge_azure_auth_except=bench.names)
    assert not result["failed"], result["msg"]
    assert result["changed_count"] == 0
    assert kinds["POST /api/v2/identities"] == searches


def test_a_label_is_not_searched_for(bench: Bench) -> None:
    labelled = [{**item, "source": "fleet/a b.yml:7"} for item in bench.by_id(20)]
    result, kinds = bench.run(identities=labelled)
    assert not result["failed"], result["msg"]
    assert kinds == {READ: 20}


def test_names_that_the_search_refuses_take_the_list(bench: Bench) -> None:
    odd = bench.server.create_identity("app: (odd)")
    bench.server.put_azure_auth(odd, **ATTACHED)
    entries = [*bench.by_name(5), entry(called="app: (odd)")]
    result, kinds = bench.run(identities=entries)
    bench.server.delete_identity(odd)
    assert not result["failed"], result["msg"]
    assert kinds[READ] == 6
    assert SEARCH not in kinds
    assert listing(kinds) == 1


def test_purging_takes_the_list_and_a_read_of_each_that_would_go(bench: Bench) -> None:
    result, kinds = bench.run(
        identities=bench.by_name(250), purge_azure_auth_except=bench.names[:300]
    )
    assert not result["failed"], result["msg"]
    # Twenty of the fleet, and three of the emulator's own.
    assert result["purged_count"] == 23
    # And one that the list does not tell to be a sub-organisation's: its own read does.
    assert kinds[READ] == 250 + 23 + 1
    assert SEARCH not in kinds
    # The list tells the organization by the token, and who is of another one by a look.
    assert listing(kinds) == 1 + 1


def test_looking_up_all_reads_only_those_that_have_it(bench: Bench) -> None:
    result, kinds = bench.run(infisical_identity_info.main)
    # And six of the emulator's own that have none, which the search tells.
    assert len(result["identities"]) == 323 + 6
    assert kinds[READ] == 323
    # The list, four pages of a search, the projects and the sub-organizations.
    assert listing(kinds) == 1 + 4 + 2


@pytest.mark.parametrize("count", [1, 150, 320])
def test_servers_of_2024_have_no_search_and_take_the_list(old_bench: Bench, count: int) -> None:
    result, kinds = old_bench.run(identities=old_bench.by_name(count))
    assert not result["failed"], result["msg"]
    assert kinds[READ] == count
    # The search, which is not there, is asked for only where it would be worth it.
    assert kinds.get(SEARCH, 0) == (1 if count <= 200 else 0)
    assert listing(kinds) - kinds.get(SEARCH, 0) == 2


def test_names_borne_by_more_identities_than_a_search_returns_take_the_list() -> None:
    with running() as server:
        twins = Bench(server, 100)
        server.create_identities(twins.names[:-1])
        result, kinds = twins.run(identities=twins.by_name(100))
    assert result["failed"]
    # All but one are of two identities, which a page of a hundred does not show.
    assert [item["index"] for item in result["results"]] == list(range(99))
    assert all("is the name of 2 identities" in item["msg"] for item in result["results"])
    assert kinds[SEARCH] == 1
    assert listing(kinds) == 2
    assert READ not in kinds


@pytest.mark.parametrize("concurrency", [1, 8])
def test_connections_are_kept_and_no_more_than_workers(bench: Bench, concurrency: int) -> None:
    with serving(Counting(bench.server.url)) as front:
        result, kinds = bench.run(
            url=front.url, identities=bench.by_name(60), concurrency=concurrency
        )
        assert not result["failed"], result["msg"]
        assert kinds == {SEARCH: 1, READ: 60}
        assert 1 <= t.cast(Counting, front).connections <= concurrency


# -- results ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    with running() as server:
        names = [f"application-with-quite-a-long-name-{number:04}" for number in range(100)]
        ids = server.create_identities(
            names,
            azure_auth={**ATTACHED, "allowedServicePrincipalIds": ", ".join(PRINCIPALS)},
        )
        login = {"url": server.url, "token": server.token}
        defaults = {"module_defaults": {"group/community.infisical.infisical": login}}
        changes: dict[str, t.Any] = {
            "allowed_service_principal_ids": [*reversed(PRINCIPALS), ONE],
            "access_token_trusted_ips": NETWORKS,
            "access_token_ttl": 60,
            "access_token_max_ttl": 120,
        }
        listed = [
            {**entry(identity_id, **changes), "name": name} for identity_id, name in zip(ids, names)
        ]
        unchanged = [entry(identity_id) for identity_id in ids[3:6]]
        failing = [
            entry(ids[0], resource=MARK),
            *unchanged,
            entry(ids[1], access_token_max_ttl=1),
            entry(ids[2], state="absent"),
        ]
        tasks: dict[str, dict[str, t.Any]] = {
            "a batch": {FLEET: {"identities": listed}, "diff": True},
            "a bad batch": {FLEET: {"identities": failing}, "diff": True, "check_mode": True},
            "not to fail": {
                FLEET: {"identities": failing},
                "diff": True,
                "failed_when": False,
            },
            "info": {INFO: {"ids": ids[:2]}},
            "info that fails": {
                INFO: {"ids": [ids[0], server.identities["foreign"]]},
                "failed_when": False,
            },
            "one": {MODULE: {"identity_id": ids[0]}},
        }
        folder = tmp_path_factory.mktemp("results")
        results = run_play(folder, [{**task, **defaults} for task in tasks.values()]).results
        return dict(zip(tasks, results))


def test_a_batch_of_a_hundred_changes_is_small_enough_for_a_runner(
    outcome: dict[str, Result], record_property: t.Callable[[str, object], None]
) -> None:
    result = outcome["a batch"]
    assert not result["failed"], result["msg"]
    assert result["changed_count"] == 100
    assert len(result["results"]) == len(result["diff"]) == 100
    size = len(json.dumps(result))
    record_property("characters of a batch of 100 changes with differences", size)
    assert size < RUNNER_KEEPS


def test_defaults_of_the_action_group_are_for_all_modules(outcome: dict[str, Result]) -> None:
    for title in ("a batch", "info", "one"):
        assert not outcome[title]["failed"], outcome[title]


def test_results_have_what_changed_failed_or_was_purged_and_nothing_else(
    outcome: dict[str, Result],
) -> None:
    result = outcome["a bad batch"]
    assert result["failed"]
    counts = ("checked", *COUNTS)
    assert [result[name] for name in counts] == [6, 2, 0, 0, 1, 0]
    assert [item["index"] for item in result["results"]] == [0, 4, 5]
    changed, failed, revoked = result["results"]
    assert [item["changed"] for item in result["results"]] == [True, False, True]
    assert [item["failed"] for item in result["results"]] == [False, True, False]
    assert changed["azure_auth"]["resource"] == MARK
    assert revoked["azure_auth"] == {"state": "absent", "details": None}
    # What is known of a failed one is the state that it has.
    assert failed["azure_auth"]["state"] == "present"
    assert failed["azure_auth"]["access_token_max_ttl"] == 120
    # The differences are there, though Ansible prints none for a failed task.
    after = [item["after"]["azure_auth"]["state"] for item in result["diff"]]
    assert after == ["present", "absent"]


def test_failed_when_false_keeps_everything(outcome: dict[str, Result]) -> None:
    kept, failed = outcome["not to fail"], outcome["a bad batch"]
    assert not kept["failed"]
    assert kept["msg"] == failed["msg"]
    for name in ("checked", *COUNTS, "changed"):
        assert kept[name] == failed[name]
    assert [item["index"] for item in kept["results"]] == [0, 4, 5]
    assert [item["before_header"] for item in kept["diff"]] == [
        item["before_header"] for item in failed["diff"]
    ]
    looked_up = outcome["info that fails"]
    assert not looked_up["failed"]
    assert looked_up["failed_count"] == 1
    assert (len(looked_up["identities"]), len(looked_up["failures"])) == (1, 1)


def test_entries_are_not_in_the_invocation_and_no_result_sets_facts(
    outcome: dict[str, Result],
) -> None:
    for title, shown in (("a batch", "100 entries"), ("a bad batch", "6 entries")):
        arguments = outcome[title]["invocation"]["module_args"]
        assert arguments["identities"] == shown
        assert MARK not in json.dumps(arguments)
        assert TWO not in json.dumps(arguments)
    assert outcome["info"]["invocation"]["module_args"]["ids"] == "2 entries"
    assert not any("ansible_facts" in outcome[title] for title in outcome if title != "one")


def keys_in(value: t.Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_in, value.values()))
    if isinstance(value, list):
        return set().union(*map(keys_in, value))
    return set()


def test_no_entry_has_a_key_that_ansible_takes_for_its_own(outcome: dict[str, Result]) -> None:
    """A `skipped` in an item makes Ansible count the task as skipped."""
    for title in ("a batch", "a bad batch", "not to fail"):
        keys = keys_in([outcome[title]["results"], outcome[title]["diff"]])
        assert "resource" in keys
        assert not {"skipped", "unreachable", "invocation", "exception"} & keys
    assert "skipped" not in keys_in([outcome["info"], outcome["info that fails"]])


def test_differences_are_headed_by_name_and_id_with_sorted_lists(
    outcome: dict[str, Result],
) -> None:
    result = outcome["a batch"]
    for item, difference in zip(result["results"], result["diff"]):
        header = f"Identity {item['name']} {item['id']}"
        assert difference["before_header"] == difference["after_header"] == header
        for side, ttl in (("before", 3600), ("after", 60)):
            # Nothing else has changed.
            assert list(difference[side]) == ["azure_auth"]
            settings = difference[side]["azure_auth"]
            ids = settings["allowed_service_principal_ids"]
            assert ids == sorted(ids)
            assert settings["access_token_ttl"] == ttl
            assert "details" not in {**difference[side], **settings}
