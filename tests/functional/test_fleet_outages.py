# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets while the server, or its database, is away: for a moment, or for good; and two at once."""

from __future__ import annotations

import collections
import contextlib
import re
import signal
import ssl
import sys
import time
import typing as t
from pathlib import Path

import pytest
import trustme
from functional.cases import ATTACHED, REQUIRED
from functional.forwarder import Gate, forwarding
from functional.harness import FLEET, INFO, Result, entry, finish_module, start_module

from emulator import running

SIZE = 200
WORKERS = 8
AZURE_AUTH = "/azure-auth/identities/"
IDENTITY = "^/api/v1/identities/"
# A window in which a third of the work is done, on a machine of any speed.
ENOUGH = SIZE // 3
MODULES: dict[str, tuple[str, t.Callable[[list[str]], dict[str, t.Any]]]] = {
    "change": (FLEET, lambda ids: {"identities": [changed(i) for i in ids]}),
    "look up": (INFO, lambda ids: {"ids": ids}),
    "look up all": (INFO, lambda _ids: {}),
    "purge": (FLEET, lambda _ids: {"identities": [], "purge_azure_auth_except": ["admin"]}),
}


def changed(identity_id: str) -> dict[str, t.Any]:
    return entry(identity_id, resource="other")


@contextlib.contextmanager
def working(
    what: str, folder: Path, **options: t.Any
) -> t.Iterator[tuple[t.Any, list[str], t.Any]]:
    """An emulator, the ids of its identities, and a module that has done a part of its work."""
    module, options_for = MODULES[what]
    with running(latency=0.01) as server:
        ids = server.create_identities([f"app {n}" for n in range(SIZE)], azure_auth=ATTACHED)
        login = {
            "url": server.url,
            "universal_auth_client_id": server.client_id,
            "universal_auth_client_secret": server.client_secret,
        }
        process = start_module(module, folder, {**login, **options_for(ids), **options})
        wait_for(lambda: len(done(server, what)) >= ENOUGH, process)
        yield server, ids, process


def done(server: t.Any, what: str) -> list[t.Any]:
    method = {"change": "PATCH", "purge": "DELETE"}.get(what, "GET")
    requests = server.requests(method=method, path=AZURE_AUTH)
    return [item for item in requests if item.status == 200]


def most_refusals(server: t.Any) -> int:
    """How often the request was refused that was refused most often."""
    refused = collections.Counter(
        (item.method, item.path, str(item.body)) for item in server.requests() if item.status == 500
    )
    return max(refused.values(), default=0)


def wait_for(condition: t.Callable[[], bool], process: t.Any) -> None:
    while not condition():
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.005)


@pytest.mark.parametrize("what", MODULES)
def test_a_database_that_is_away_for_a_moment_costs_nothing(what: str, tmp_path: Path) -> None:
    """A moment ends while all retries but one are left; in seconds, it is in the unit tests."""
    with working(what, tmp_path) as (server, ids, process):
        server.fault("error", path="^/api/", status=500, error="IdAccessTokenFindOne")
        wait_for(lambda: most_refusals(server) >= 2, process)
        server.clear_faults()
        result = finish_module(process)
        assert not result.get("failed"), result["msg"]
        refused = [item for item in server.requests() if item.status == 500]
        assert len(refused) >= WORKERS
        if what == "change":
            assert result["changed_count"] == SIZE
            assert {server.azure_auth(i)["resource"] for i in ids} == {"other"}
        elif what == "purge":
            assert result["purged_count"] == len(done(server, what)) >= SIZE
            assert {server.azure_auth(i) is None for i in ids} == {True}
        else:
            assert len({item["id"] for item in result["identities"]} & set(ids)) == SIZE


@pytest.mark.parametrize("what", ["change", "look up", "purge"])
def test_a_database_that_stays_away_ends_the_task_and_is_told_once(
    what: str, tmp_path: Path
) -> None:
    with working(what, tmp_path, retries=1) as (server, ids, process):
        server.fault("error", path="^/api/", status=500, error="IdAccessTokenFindOne")
        result = finish_module(process)
        check_outage(result, "500 IdAccessTokenFindOne: Something went wrong")
        lost = [item for item in server.requests(path="/identities/") if item.status == 500]
        # Each is tried twice, and a write that was refused is followed by a look.
        assert len(lost) <= 4 * (16 + WORKERS)
        if what == "change":
            assert changes_of(result) == {
                i for i in ids if server.azure_auth(i)["resource"] == "other"
            }


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_server_that_is_shut_down_ends_the_task_and_is_told_once(
    tls: bool, tmp_path: Path
) -> None:
    """Connections are closed at once, with TLS in the middle of the handshake."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running(latency=0.01))
        ids = server.create_identities([f"app {n}" for n in range(SIZE)], azure_auth=ATTACHED)
        target = server.url
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
            target = stack.enter_context(forwarding(target, tls=context)).url
        gate = stack.enter_context(Gate(target))
        options = {
            "url": gate.url,
            "token": server.token,
            "retries": 0,
            "validate_certs": False,
            "identities": [changed(i) for i in ids],
        }
        process = start_module(FLEET, tmp_path, options)
        wait_for(lambda: len(done(server, "change")) >= ENOUGH, process)
        gate.close()
        result = finish_module(process)
    check_outage(result, "; check url and the server")
    assert result["changed_count"] >= ENOUGH - WORKERS
    # Those that were cut off in the middle of a write, and those that never got through.
    assert result["failed_count"] <= 16 + 2 * WORKERS


def check_outage(result: Result, reason: str) -> None:
    assert result["failed"]
    found = re.match(
        r"The server seems to be down or unreachable: (\d+) of (\d+) identities failed because of"
        r" this, the last of them with: ",
        result["msg"],
    )
    assert found, result["msg"]
    assert 16 <= int(found[1]) < 16 + 2 * WORKERS
    assert result["msg"].count(reason) == 1
    untried = re.search(r" (\d+) of \d+ identities were not tried\.", result["msg"])
    assert untried, result["msg"]
    assert int(untried[1]) > 0


# -- two at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [False, True], ids=["whole answers", "lost answers"])
def test_of_two_fleets_at_once_each_says_what_it_has_done_itself(
    lost: bool, tmp_path: Path
) -> None:
    """A real server answers most of those who are late with a 500, `Create`."""
    size = 30
    attach: dict[str, t.Any] = {"method": "POST", "path": AZURE_AUTH}
    with running() as server:
        ids = server.create_identities([f"app {n}" for n in range(size)])
        contested = ids[WORKERS : 2 * WORKERS]
        # The first one hears late that nothing is attached to these, and the second one is faster.
        server.fault("drip", path=IDENTITY, identity_id=contested, times=WORKERS, interval=0.006)
        if lost:
            server.fault("drop", **attach, when="after")
        else:
            server.fault("collide", **attach)
        options = {
            "url": server.url,
            "token": server.token,
            "identities": [entry(i, **REQUIRED) for i in ids],
        }
        first = start_module(FLEET, tmp_path, options, python=sys.executable)
        hearing = re.compile("|".join(contested))
        wait_for(
            lambda: sum(bool(hearing.search(item.path)) for item in server.requests(path=IDENTITY))
            == WORKERS,
            first,
        )
        first.send_signal(signal.SIGSTOP)
        of_second = finish_module(start_module(FLEET, tmp_path, options))
        first.send_signal(signal.SIGCONT)
        of_first = finish_module(first)
        late = [item for item in server.requests(**attach) if item.status == 500]
        assert all(server.azure_auth(i) for i in ids)
    for result in (of_first, of_second):
        assert not result.get("failed"), result["msg"]
        assert result["changed_count"] == len(changes_of(result))
    assert changes_of(of_second) == set(ids[WORKERS:])
    if lost:
        # Whose it was cannot be known, and so counts for both.
        assert changes_of(of_first) == {*ids[:WORKERS], *contested}
    else:
        assert len(late) == WORKERS, "they did not meet"
        assert changes_of(of_first) == set(ids[:WORKERS])


def changes_of(result: Result) -> set[str]:
    return {item["id"] for item in result["results"] if item["changed"]}
