# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limits in real time: by Ansible, against a server that counts.

All runs wait at the same time. In virtual time, and of more kinds, these are in the unit tests,
which check the seconds; here the windows of the server are counted.
"""

from __future__ import annotations

import contextlib
import threading
import typing as t
from dataclasses import dataclass, field

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import FLEET, INFO, Result, Task, entry, run_tasks

from emulator import running

WORKERS = 8
# Of the limit on creations, in seconds.
WINDOW = 4


@dataclass(frozen=True)
class Run:
    """So many identities, and a play, or several at once, against one limit."""

    size: int
    settings: t.Mapping[str, t.Any]
    wanted: t.Mapping[str, t.Any] = field(default_factory=dict)
    options: t.Mapping[str, t.Any] = field(default_factory=dict)
    plays: int = 1
    module: str = FLEET
    # So many more are listed that are not there yet.
    new: int = 0


RUNS = {
    "reads": Run(160, {"read_limit": 40, "window": 5}),
    "writes": Run(
        60, {"read_limit": 60, "write_limit": 20, "window": 5}, wanted={"resource": "other"}
    ),
    "two plays": Run(80, {"read_limit": 40, "window": 5}, plays=2),
    "a limit below the concurrency": Run(16, {"read_limit": 4, "window": 5}),
    "creations and updates": Run(
        200,
        {"creation_limit": 30, "write_limit": 200, "window": WINDOW},
        wanted={"resource": "other"},
        new=300,
    ),
    "no patience": Run(50, {"read_limit": 20, "window": 60}, options={"rate_limit_timeout": 3}),
    "no patience, to look up": Run(
        50, {"read_limit": 20, "window": 60}, options={"rate_limit_timeout": 3}, module=INFO
    ),
}


@dataclass
class Outcome:
    results: list[Result]
    requests: list[t.Any]

    def of(self, *methods: str) -> list[t.Any]:
        return [item for item in self.requests if item.method in methods]

    @property
    def refused(self) -> list[t.Any]:
        return [item for item in self.requests if item.status == 429]

    def seconds(self, *methods: str) -> float:
        """From the first request to the last."""
        times = [item.time for item in self.of(*methods)]
        return float(max(times) - min(times))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    folder = tmp_path_factory.mktemp("pace")
    with contextlib.ExitStack() as stack:
        servers = {
            title: stack.enter_context(running(**run.settings)) for title, run in RUNS.items()
        }
        results: dict[str, list[Result]] = {title: [] for title in RUNS}

        def play(title: str, number: int) -> None:
            run, server = RUNS[title], servers[title]
            names = [f"app {number} {n}" for n in range(run.size)]
            ids = server.create_identities(names, azure_auth=ATTACHED)
            wanted = [entry(i, **run.wanted) for i in ids]
            made = [entry(called=f"new {number} {n}", **REQUIRED) for n in range(run.new)]
            listed = {"ids": ids} if run.module == INFO else {"identities": [*made, *wanted]}
            options = {"url": server.url, "token": server.token, **listed, **run.options}
            results[title] += run_tasks(
                folder / title / str(number), [Task(options, module=run.module)]
            )

        threads = [
            threading.Thread(target=play, args=[title, number])
            for title, run in RUNS.items()
            for number in range(run.plays)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for title, server in servers.items():
            found[title] = Outcome(results[title], server.requests())
    return found


def windows_of(requests: t.Sequence[t.Any], window: float) -> list[list[t.Any]]:
    """Return the requests by the server's windows, which begin with the first request in them."""
    found: list[list[t.Any]] = []
    for item in sorted(requests, key=lambda item: item.time):
        if not found or item.time >= found[-1][0].time + window:
            found.append([])
        found[-1].append(item)
    return found


def test_a_run_takes_no_more_windows_than_it_must(
    outcomes: dict[str, Outcome], record_property: t.Callable[[str, object], None]
) -> None:
    outcome = outcomes["reads"]
    (result,) = outcome.results
    assert not result["failed"], result["msg"]
    assert result["checked"] == 160
    seconds = outcome.seconds("GET")
    record_property("of the least time under a rate limit", f"{seconds / 15:.0%}")
    record_property("refusals", len(outcome.refused))
    windows = windows_of(outcome.requests, 5)
    assert len(windows) == 4
    for window in windows:
        assert sum(item.status == 429 for item in window) <= WORKERS


def test_alone_it_is_not_refused_at_all(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["reads"].refused == []
    assert outcomes["writes"].refused == []


def test_reads_and_writes_have_limits_of_their_own(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["writes"]
    (result,) = outcome.results
    assert not result["failed"], result["msg"]
    assert result["changed_count"] == 60
    # 60 writes at 20 a window of 5 seconds.
    assert len(windows_of(outcome.of("PATCH"), 5)) == 3
    assert len(windows_of(outcome.requests, 5)) == 3


def test_creations_take_as_many_windows_as_they_must_and_slow_nothing_else(
    outcomes: dict[str, Outcome], record_property: t.Callable[[str, object], None]
) -> None:
    outcome = outcomes["creations and updates"]
    (result,) = outcome.results
    assert not result["failed"], result["msg"]
    assert (result["checked"], result["changed_count"], result["created_count"]) == (500, 500, 300)
    creations = [item for item in outcome.of("POST") if item.path == "/api/v1/identities"]
    assert sum(item.status == 200 for item in creations) == 300
    assert sum(item.status == 429 for item in creations) <= WORKERS
    # Nine full windows, and the last batch.
    least = 9 * WINDOW
    took = max(item.time for item in creations) - min(item.time for item in creations)
    record_property("of the least time under a limit on creations", f"{took / least:.0%}")
    # On a busy machine, requests may miss the end of one.
    assert len(windows_of(creations, WINDOW)) in (10, 11)
    # Listed after all that is new, they are done long before.
    updates = outcome.of("PATCH")
    assert sum(item.status == 200 for item in updates) == 200
    assert max(item.time for item in updates) <= min(item.time for item in creations) + 2 * WINDOW
    attached = [item for item in outcome.of("POST") if "/azure-auth/identities/" in item.path]
    assert len(attached) == 300
    # Each got its Azure Auth right after it was made.
    made = sorted(item.time for item in creations if item.status == 200)
    for when, then in zip(made, sorted(item.time for item in attached)):
        assert then <= when + WINDOW


def test_two_plays_at_once_both_get_on(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["two plays"]
    assert [result["failed"] for result in outcome.results] == [False, False]
    assert [result["checked"] for result in outcome.results] == [80, 80]
    windows = windows_of(outcome.requests, 5)
    for window in windows:
        assert sum(item.status == 429 for item in window) <= 2 * WORKERS
    assert len(windows) <= 6


def test_a_limit_below_the_concurrency_is_kept(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["a limit below the concurrency"]
    (result,) = outcome.results
    assert not result["failed"], result["msg"]
    assert result["checked"] == 16
    # Only the first requests go before the limit is known.
    assert len(outcome.refused) <= WORKERS - 4
    assert len(windows_of(outcome.requests, 5)) == 4


@pytest.mark.parametrize("what", ["", ", to look up"])
def test_patience_ends_the_task_and_the_rest_is_counted(
    what: str, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes[f"no patience{what}"]
    (result,) = outcome.results
    assert result["failed"]
    assert "Infisical's rate limit of 20 requests a window refused it" in result["msg"]
    assert "which exceeds rate_limit_timeout (3 seconds); run the task later" in result["msg"]
    assert result["failed_count"] == len(outcome.refused) <= WORKERS
    assert f"{50 - 20 - len(outcome.refused)} of 50 identities were not tried." in result["msg"]
    assert outcome.seconds("GET") < 5
