# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad days of a fleet: what fails for some, for all from some moment on, and what stops it."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from functional.cases import ATTACHED, ONE
from functional.harness import (
    FLEET,
    INFO,
    Result,
    Task,
    entry,
    finish_module,
    run_in_process,
    run_tasks,
    start_module,
)

from ansible_collections.community.infisical.plugins.modules import infisical_identities
from emulator import running

WORKERS = 8
# So many writes are answered at once, and those after them only when so much time has passed, in
# which a busy machine can send a signal.
HALF_WAY = 100
HELD_SECONDS = 2
# No more than there are workers.
FEW_USES = (1, 2, 3, 5, 8)
AZURE_AUTH = "/azure-auth/identities/"
NOT_TRIED = re.compile(r"(\d+) of (\d+) identities were not tried\.")

Options = dict[str, t.Any]


@dataclass
class Yard:
    """An emulator with identities that have Azure Auth."""

    server: t.Any
    ids: list[str]

    def entries(self, **options: t.Any) -> list[Options]:
        return [entry(identity_id, **options) for identity_id in self.ids]

    def credentials(self) -> Options:
        return {
            "token": None,
            "universal_auth_client_id": self.server.client_id,
            "universal_auth_client_secret": self.server.client_secret,
        }

    def changed(self) -> list[str]:
        """The ids of those whose resource is no longer what it was."""
        return [
            i for i in self.ids if self.server.azure_auth(i)["resource"] != ATTACHED["resource"]
        ]


@dataclass
class Day:
    """A yard of its own, what goes wrong there, and how often the task is run."""

    size: int
    before: t.Callable[[Yard], t.Any] = lambda _yard: None
    options: t.Callable[[Yard], Options] = lambda _yard: {}
    wanted: t.Mapping[str, t.Any] = field(default_factory=lambda: {"resource": "other"})
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    runs: int = 1
    module: str = FLEET
    check: bool = False


@dataclass
class Evening:
    """The results of a day's runs, its yard, and the requests."""

    results: list[Result]
    yard: Yard
    requests: list[t.Any]

    @property
    def result(self) -> Result:
        return self.results[0]


def uses(number: int) -> t.Callable[[Yard], Options]:
    """The options of a token that is good for so many requests."""
    return lambda yard: {
        "token": yard.server.issue_token(yard.server.identities["admin"], num_uses_limit=number)
    }


def limit_uses(number: int) -> t.Callable[[Yard], t.Any]:
    """Let every login's token be good for so many requests."""
    return lambda yard: yard.server.put_method(
        yard.server.identities["admin"], "universal-auth", accessTokenNumUsesLimit=number
    )


def lose_login(yard: Yard) -> Options:
    """The options of a login that ends with about the 100th read, and cannot be had again."""
    own = yard.server.create_identity("own", role="admin", methods=["azure-auth"])
    yard.server.fault("race", path=AZURE_AUTH, identity_id=own, change="detach")
    listed = yard.entries(resource="other")
    listed.insert(100, entry(own))
    return {
        "token": None,
        "auth_method": "azure_auth",
        "auth_identity_id": own,
        "jwt": yard.server.jwt(own, method="azure-auth"),
        "identities": listed,
    }


DAYS: dict[str, Day] = {
    "3 of 1,000 fail": Day(
        1000,
        lambda yard: [
            yard.server.fault("error", method="PATCH", identity_id=yard.ids[n], times=1)
            for n in (7, 500, 999)
        ],
        runs=2,
    ),
    "more than twenty fail": Day(
        60,
        lambda yard: yard.server.fault(
            "error",
            method="PATCH",
            identity_id=yard.ids[10:35],
            status=403,
            error="PermissionDenied",
        ),
    ),
    "a token that is used up half-way": Day(300, options=uses(150)),
    "a token that is used up half-way, to look up": Day(
        300, options=uses(150), module=INFO, wanted={}
    ),
    "a login whose tokens are used up soon": Day(
        300, limit_uses(100), lambda yard: yard.credentials(), check=True
    ),
    **{
        f"a login whose tokens are good for {number}{what}": Day(
            20,
            limit_uses(number),
            lambda yard: yard.credentials(),
            module=INFO if what else FLEET,
            settings={"latency": 0.01},
        )
        for number in FEW_USES
        for what in ("", ", to look up")
    },
    "a login that is lost half-way": Day(300, options=lose_login, check=True),
    "a server that goes down half-way": Day(
        200,
        lambda yard: yard.server.fault("drop", identity_id=yard.ids[100:]),
        lambda _yard: {"retries": 0},
    ),
    "a server that goes down half-way, to look up": Day(
        200,
        lambda yard: yard.server.fault("drop", identity_id=yard.ids[100:]),
        lambda _yard: {"retries": 0},
        module=INFO,
    ),
    "a gateway that fails for every third": Day(
        90,
        lambda yard: yard.server.fault(
            "error", identity_id=yard.ids[::3], status=503, error="ServiceUnavailable"
        ),
        lambda _yard: {"retries": 0},
    ),
    "a storm of refusals": Day(
        100, lambda yard: yard.server.fault("rate_limit", path=AZURE_AUTH, times=20, retry_after=1)
    ),
    "answers cut off": Day(
        100,
        lambda yard: [
            yard.server.fault("truncate", method=method, identity_id=identity_id, times=1, keep=30)
            for method, ids in (("GET", yard.ids[:30]), ("PATCH", yard.ids[20:50]))
            for identity_id in ids
        ],
    ),
    "a server that takes its schema literally": Day(100, settings={"literal_schema": True}),
}


@pytest.fixture(scope="module")
def evenings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evening]:
    with contextlib.ExitStack() as stack:
        yards, tasks = [], []
        for day in DAYS.values():
            server = stack.enter_context(running(**day.settings))
            names = [f"app {number}" for number in range(day.size)]
            yard = Yard(server, server.create_identities(names, azure_auth=ATTACHED))
            yards.append(yard)
            day.before(yard)
            listed = (
                {"ids": yard.ids}
                if day.module == INFO
                else {"identities": yard.entries(**day.wanted)}
            )
            options = {"url": server.url, "token": server.token, **listed, **day.options(yard)}
            given = {name: value for name, value in options.items() if value is not None}
            tasks += [Task(given, check=day.check, module=day.module)] * day.runs
        results = iter(run_tasks(tmp_path_factory.mktemp("days"), tasks))
        return {
            title: Evening(
                [next(results) for _run in range(day.runs)], yard, yard.server.requests()
            )
            for (title, day), yard in zip(DAYS.items(), yards)
        }


def not_tried(result: Result) -> int:
    found = NOT_TRIED.search(result["msg"])
    return int(found[1]) if found else 0


def test_a_server_that_fails_for_3_of_1000(evenings: dict[str, Evening]) -> None:
    evening = evenings["3 of 1,000 fail"]
    first, second = evening.results
    assert first["failed"]
    counts = ("checked", "changed_count", "failed_count", "purged_count")
    assert [first[name] for name in counts] == [1000, 997, 3, 0]
    assert first["changed"]
    assert first["msg"].startswith("3 of 1000 identities failed: identities[7] (")
    for number in (7, 500, 999):
        assert f"identities[{number}] ({evening.yard.ids[number]}): Could not upd" in first["msg"]
    failed = [item for item in first["results"] if item["failed"]]
    assert [item["index"] for item in failed] == [7, 500, 999]
    assert {item["http_status"] for item in failed} == {500}
    # Read after it failed, so that what it is like is known.
    assert {item["azure_auth"]["resource"] for item in failed} == {ATTACHED["resource"]}
    assert [item["changed"] for item in failed] == [False] * 3
    assert [item["index"] for item in first["results"]] == list(range(1000))
    assert not second["failed"], second["msg"]
    assert [second[name] for name in counts] == [1000, 3, 0, 0]
    assert [item["index"] for item in second["results"]] == [7, 500, 999]
    assert len(evening.yard.changed()) == 1000


def test_the_message_names_twenty_failures_and_a_count(evenings: dict[str, Evening]) -> None:
    result = evenings["more than twenty fail"].result
    assert result["failed_count"] == 25
    assert result["changed_count"] == 35
    assert [n for n in range(60) if f"identities[{n}] (" in result["msg"]] == list(range(10, 30))
    assert result["msg"].endswith(" And 5 more.")
    assert sum(item["failed"] for item in result["results"]) == 25


@pytest.mark.parametrize("what", ["", ", to look up"])
def test_a_token_that_ends_ends_the_task_and_few_requests_are_wasted(
    what: str, evenings: dict[str, Evening]
) -> None:
    evening = evenings[f"a token that is used up half-way{what}"]
    result = evening.result
    assert result["failed"]
    assert "401 UnauthorizedError" in result["msg"]
    assert "raise access_token_num_uses_limit of the" in result["msg"]
    refused = [item for item in evening.requests if item.status == 401]
    assert 1 <= len(refused) <= WORKERS
    assert len(evening.requests) == 150 + len(refused)
    assert result["failed_count"] == len(refused)
    if what:
        # The others went into the list of all, a hundred a page.
        assert len(result["identities"]) == 150 - 4
        assert not_tried(result) == 300 - 146 - len(refused)
        return
    assert result["checked"] + not_tried(result) == 300
    assert not_tried(result) > 200
    # Those that failed between reading and writing were read.
    done = {item["id"] for item in result["results"] if item["changed"]}
    assert done == set(evening.yard.changed())
    assert result["changed_count"] == len(done)


def test_a_login_is_renewed_as_often_as_need_be(evenings: dict[str, Evening]) -> None:
    evening = evenings["a login whose tokens are used up soon"]
    result = evening.result
    assert not result["failed"], result["msg"]
    assert (result["checked"], result["changed_count"]) == (300, 300)
    logins = [item for item in evening.requests if item.path.endswith("/login")]
    refused = [item for item in evening.requests if item.status == 401]
    # The refused ones are spent on the old token, not on the new.
    assert len(logins) == 3
    assert len(refused) <= WORKERS * 2 + 1


@pytest.mark.parametrize("what", ["", ", to look up"])
@pytest.mark.parametrize("number", FEW_USES)
def test_tokens_of_few_uses_are_not_used_up_by_each_other(
    number: int, what: str, evenings: dict[str, Evening]
) -> None:
    evening = evenings[f"a login whose tokens are good for {number}{what}"]
    result = evening.result
    assert not result["failed"], result["msg"]
    if what:
        assert len(result["identities"]) == 20
    else:
        assert result["changed_count"] == len(evening.yard.changed()) == 20
    logins = [item for item in evening.requests if item.path.endswith("/login")]
    useful = [item for item in evening.requests if item.authorization and item.status == 200]
    refused = [item for item in evening.requests if item.status == 401]
    # Each is used as often as it may be, and then ended by one refusal.
    assert len(logins) == -(-len(useful) // number)
    assert len(refused) <= len(logins) - 1 + WORKERS


def test_a_login_that_cannot_be_had_again_ends_the_task(evenings: dict[str, Evening]) -> None:
    evening = evenings["a login that is lost half-way"]
    result = evening.result
    assert result["failed"]
    logins = [item for item in evening.requests if item.path.endswith("/login")]
    # A refused login is never tried again, by no worker: that could lock the identity out.
    assert [item.status == 200 for item in logins] == [True, False]
    assert "Could not log in with azure-auth" in result["msg"]
    # One for each worker, and one for the worker that found out first.
    assert result["failed_count"] <= WORKERS + 1
    assert not_tried(result) > 100
    assert result["checked"] + not_tried(result) == 301
    # Each worker may have a request on its way by then, and be about to make one more.
    late = evening.requests[evening.requests.index(logins[-1]) + 1 :]
    assert len(late) <= 2 * WORKERS


def test_a_refused_login_is_not_tried_again_when_late_answers_come() -> None:
    """An answer to the old token, from before it ended, does not mean that a login would work."""
    with running() as server:
        own = server.create_identity("own", role="admin", methods=["azure-auth"])
        slow, last = server.create_identities(["slow", "last"], azure_auth=ATTACHED)
        # Read before the login is lost, and answered after; lost; and asked for long after.
        server.fault("drip", identity_id=slow, interval=0.002)
        server.fault("latency", identity_id=own, seconds=0.3)
        server.fault("race", path=AZURE_AUTH, identity_id=own, change="detach")
        server.fault("latency", identity_id=last, seconds=3)
        result = run_in_process(
            infisical_identities.main,
            {
                "url": server.url,
                "auth_method": "azure_auth",
                "auth_identity_id": own,
                "jwt": server.jwt(own, method="azure-auth"),
                "identities": [entry(i) for i in (slow, own, last)],
            },
        )
        logins = server.requests(path="/login$")
        statuses = [server.requests(identity_id=i)[0].status for i in (slow, own, last)]
    assert result["failed_count"] == 2
    assert statuses == [200, 401, 401]
    assert [item.status == 200 for item in logins] == [True, False]


@pytest.mark.parametrize("what", ["", ", to look up"])
def test_a_server_that_goes_down_is_left_in_peace(what: str, evenings: dict[str, Evening]) -> None:
    evening = evenings[f"a server that goes down half-way{what}"]
    result = evening.result
    assert result["failed"]
    lost = [item for item in evening.requests if item.status is None]
    # When so many have failed, each of the other workers has one in hand.
    assert 16 <= len(lost) < 16 + WORKERS
    assert result["failed_count"] == len(lost)
    assert not_tried(result) == 100 - len(lost)
    assert f"{not_tried(result)} of 200 identities were not tried." in result["msg"]
    if what:
        assert len(result["identities"]) == 100
        assert len(result["failures"]) == len(lost)
    else:
        assert result["changed_count"] == 100
        assert len(evening.yard.changed()) == 100


def test_failures_now_and_then_do_not_end_the_task(evenings: dict[str, Evening]) -> None:
    evening = evenings["a gateway that fails for every third"]
    result = evening.result
    assert (result["checked"], result["changed_count"], result["failed_count"]) == (90, 60, 30)
    assert not_tried(result) == 0
    assert len(evening.yard.changed()) == 60


def test_a_storm_of_refusals_is_sat_out(evenings: dict[str, Evening]) -> None:
    evening = evenings["a storm of refusals"]
    assert not evening.result["failed"], evening.result["msg"]
    assert len(evening.yard.changed()) == 100
    refused = [item.time for item in evening.requests if item.status == 429]
    assert len(refused) == 20
    # All workers wait when one is told to.
    rounds = 1 + sum(after - before > 0.5 for before, after in zip(refused, refused[1:]))
    assert rounds >= 20 // WORKERS


def test_answers_that_are_cut_off_are_asked_for_again(evenings: dict[str, Evening]) -> None:
    evening = evenings["answers cut off"]
    assert not evening.result["failed"], evening.result["msg"]
    assert evening.result["changed_count"] == 100
    assert len(evening.yard.changed()) == 100


def test_no_identity_is_opened_by_a_server_that_resets_what_is_left_out(
    evenings: dict[str, Evening],
) -> None:
    evening = evenings["a server that takes its schema literally"]
    assert evening.result["changed_count"] == 100
    stored = [evening.yard.server.azure_auth(identity_id) for identity_id in evening.yard.ids]
    assert {raw["allowedServicePrincipalIds"] for raw in stored} == {ONE}
    assert {raw["resource"] for raw in stored} == {"other"}


@pytest.mark.parametrize("concurrency", [1, WORKERS])
def test_so_many_identities_are_worked_on_at_once(concurrency: int, tmp_path: Path) -> None:
    with working(tmp_path, 48, {}, latency=0.5, concurrency=concurrency) as (yard, start):
        process = start()
        reads: list[t.Any] = []

        def all_are_busy() -> bool:
            reads[:] = yard.server.requests(method="GET")
            return len(reads) >= concurrency

        wait_for(all_are_busy, process)
        assert [item.status for item in reads] == [None] * concurrency
        with process:
            process.kill()


# -- stopped ----------------------------------------------------------------------------------


@contextlib.contextmanager
def working(
    folder: Path,
    size: int,
    wanted: t.Mapping[str, t.Any],
    concurrency: int = WORKERS,
    **settings: t.Any,
) -> t.Iterator[tuple[Yard, t.Callable[[], t.Any]]]:
    """A yard, and what starts the module there."""
    with running(**settings) as server:
        names = [f"app {number}" for number in range(size)]
        yard = Yard(server, server.create_identities(names, azure_auth=ATTACHED))
        login = {name: value for name, value in yard.credentials().items() if value}
        options = {"url": server.url, "retries": 9, "concurrency": concurrency, **login}
        options["identities"] = yard.entries(**wanted)
        yield yard, lambda: start_module(FLEET, folder, options)


def wait_for(condition: t.Callable[[], bool], process: t.Any) -> None:
    while not condition():
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.01)


def start_until_half_way(yard: Yard, start: t.Callable[[], t.Any]) -> t.Any:
    """Start the module, and wait until each worker has a write in hand that takes its time."""
    held = yard.ids[HALF_WAY:]
    yard.server.fault("latency", method="PATCH", identity_id=held, seconds=HELD_SECONDS)
    process = start()
    wait_for(lambda: yard.server.faults()[0]["hits"] >= WORKERS, process)
    return process


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_stopped_half_way_it_says_what_is_done_and_a_second_run_does_the_rest(
    how: signal.Signals, tmp_path: Path
) -> None:
    with working(tmp_path, 300, {"resource": "other"}, latency=0.01) as (yard, start):
        before = yard.server.live_tokens()
        process = start_until_half_way(yard, start)
        process.send_signal(how)
        result = finish_module(process)
        assert process.returncode == 1
        done = yard.changed()
        assert HALF_WAY <= len(done) <= HALF_WAY + WORKERS
        assert result["failed"]
        assert result["msg"].startswith(f"The task was stopped by {how.name}; run it again")
        assert not_tried(result) == 300 - result["checked"]
        assert result["changed"]
        # Nothing that was done is kept quiet; what was under way may count as done.
        told = {item["id"] for item in result["results"] if item["changed"]}
        assert set(done) <= told
        assert len(told - set(done)) <= WORKERS
        assert result["changed_count"] + result["failed_count"] == len(result["results"])
        assert yard.server.live_tokens() == before
        yard.server.clear_faults()
        second = finish_module(start())
        assert not second.get("failed"), second
        assert second["changed_count"] == 300 - len(done)
        assert len(yard.changed()) == 300


def test_a_signal_after_the_last_write_loses_nothing(tmp_path: Path) -> None:
    with working(tmp_path, 300, {"resource": "other"}) as (yard, start):
        process = start()
        wait_for(lambda: bool(yard.server.requests(path="token/revoke")), process)
        result = stopped_again_and_again(process)
        assert process.returncode == 0
        assert not result.get("failed"), result
        assert result["changed_count"] == len(result["results"]) == 300


def test_stopped_again_and_again_it_still_says_what_is_done(tmp_path: Path) -> None:
    with working(tmp_path, 300, {"resource": "other"}, latency=0.01) as (yard, start):
        process = start_until_half_way(yard, start)
        result = stopped_again_and_again(process)
        assert process.returncode == 1
        assert result["msg"].startswith("The task was stopped by SIGTERM; run it again")
        told = {item["id"] for item in result["results"] if item["changed"]}
        assert set(yard.changed()) <= told


def stopped_again_and_again(process: t.Any) -> Result:
    """Send a signal every few milliseconds until the process has ended, and return its result."""

    def send() -> None:
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.005)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return finish_module(process)
    finally:
        sender.join()


def test_stopped_while_an_answer_does_not_come_it_says_that_this_is_not_known(
    tmp_path: Path,
) -> None:
    with working(tmp_path, 20, {"resource": "other"}) as (yard, start):
        yard.server.fault("latency", method="PATCH", identity_id=yard.ids[5], seconds=60)
        before = yard.server.live_tokens()
        process = start()
        wait_for(lambda: len(yard.changed()) == 19, process)
        process.send_signal(signal.SIGTERM)
        result = finish_module(process)
        # Nobody waited for the answer, which would have been a good one.
        assert (result["changed_count"], result["failed_count"]) == (19, 1)
        (unknown,) = [item for item in result["results"] if item["failed"]]
        assert unknown["id"] == yard.ids[5]
        # Whether the write was done cannot be known, and so counts.
        assert unknown["changed"]
        assert "so it is not known whether the change was made" in unknown["msg"]
        assert yard.server.live_tokens() == before


def test_stopped_between_two_tries_a_write_that_may_have_been_done_counts(tmp_path: Path) -> None:
    with working(tmp_path, 20, {"resource": "other"}) as (yard, start):
        yard.server.fault("drop", method="PATCH", identity_id=yard.ids[5], when="after")
        process = start()
        wait_for(lambda: len(yard.server.requests(identity_id=yard.ids[5])) >= 4, process)
        # The next try is half a second away, or more.
        process.send_signal(signal.SIGTERM)
        result = finish_module(process)
        assert len(yard.changed()) == 20
        assert (result["changed_count"], result["failed_count"]) == (19, 1)
        (unknown,) = [item for item in result["results"] if item["failed"]]
        assert unknown["id"] == yard.ids[5]
        assert unknown["changed"]


def test_stopped_while_it_waits_for_a_rate_limit_it_ends_at_once(tmp_path: Path) -> None:
    with working(tmp_path, 50, {}, read_limit=10) as (yard, start):
        process = start()
        wait_for(lambda: len(yard.server.requests(method="GET")) >= 10, process)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        result = finish_module(process)
        # Nobody waited for the next window, in which there would have been ten more.
        assert len(yard.server.requests(method="GET")) == 10
        assert not result["changed"]
        assert result["checked"] == 10
        assert not_tried(result) == 40
        assert result["results"] == []
