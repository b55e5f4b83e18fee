# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities that are created with their Azure Auth: killed at random moments, and by two at once.

Names are no key in Infisical, so that each of these could leave two identities of one name.
"""

from __future__ import annotations

import random
import subprocess
import time
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from functional.cases import REQUIRED
from functional.harness import FLEET, THOROUGH, Result, finish_module, start_module, wait_for_end

from emulator import running

KILLS = 200 if THOROUGH else 20
SIZE = 6
# The writes of a run: an identity, and its Azure Auth.
WRITES = 2 * SIZE
# In seconds: how long reads do not show what was written.
LAG = 0.25
ROUNDS = 12 if THOROUGH else 3
SEED = 20261127


def start(
    server: t.Any, folder: Path, names: t.Sequence[str], **options: t.Any
) -> subprocess.Popen[str]:
    listed = [{"name": name, "role": "member", "azure_auth": REQUIRED} for name in names]
    login = {"url": server.url, "token": server.token}
    return start_module(FLEET, folder, {**login, "identities": listed, **options})


def bearers(server: t.Any, names: t.Collection[str]) -> dict[str, list[str]]:
    """The ids of the identities of each name."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for identity in list(server.state.identities.values()):
        if identity.name in found:
            found[identity.name].append(identity.id)
    return found


def writes_of(server: t.Any) -> list[t.Any]:
    return [
        item
        for item in server.requests()
        if item.method == "POST" and not item.path.endswith("/search")
    ]


def is_finished(server: t.Any, identity_id: str) -> bool:
    raw = server.azure_auth(identity_id)
    (membership,) = server.memberships(identity_id)
    roles = [role["role"] for role in membership["roles"]]
    return bool(raw) and raw["resource"] == REQUIRED["resource"] and roles == ["member"]


def test_after_any_kill_one_run_finishes_the_work_and_never_makes_a_second(
    tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    chance = random.Random(SEED)
    half_way = halves = 0
    # A little latency, so that there is time to be killed in, during the requests too.
    with running(latency=0.004, replica_lag=LAG) as server:
        for number in range(KILLS):
            names = [f"killed {number} {n}" for n in range(SIZE)]
            server.clear_requests()
            process = start(server, tmp_path, names)
            enough = chance.randrange(WRITES)
            while len(writes_of(server)) < enough:
                assert process.poll() is None, finish_module(process).get("msg", "it was too fast")
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.01))
            process.kill()
            wait_for_end(process)
            # What is under way on the server ends without it.
            time.sleep(LAG + 0.05)
            made = bearers(server, names)
            assert max(map(len, made.values())) <= 1, made
            ids = [identity_id for found in made.values() for identity_id in found]
            half_way += bool(ids)
            halves += sum(server.azure_auth(identity_id) is None for identity_id in ids)

            finished = finish_module(start(server, tmp_path, names))
            assert not finished.get("failed"), finished["msg"]
            assert finished["created_count"] == SIZE - len(ids)
            after = bearers(server, names)
            assert {len(found) for found in after.values()} == {1}
            assert all(is_finished(server, found[0]) for found in after.values())
            # What was there has stayed.
            assert set(ids) <= {found[0] for found in after.values()}
    record_property("kills while creating", KILLS)
    record_property("half-way", half_way)
    record_property("identities without their Azure Auth", halves)
    assert half_way >= KILLS // 2
    assert halves >= KILLS // 4


@pytest.mark.parametrize("lag", [0, LAG], ids=["no lag", "a lag"])
def test_two_runs_at_once_end_in_one_identity_or_say_so(
    lag: float, tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    endings: Counter[str] = Counter()
    with running(latency=0.01, replica_lag=lag) as server:
        for number in range(ROUNDS):
            names = [f"contested {number} {n}" for n in range(SIZE)]
            processes = [start(server, tmp_path, names) for _run in range(2)]
            results = [finish_module(process) for process in processes]
            time.sleep(lag)
            made = bearers(server, names)
            for name, ids in made.items():
                assert 1 <= len(ids) <= 2, "one run never makes two"
                endings[f"{len(ids)} of a name"] += 1
                if len(ids) == 2:
                    check_told(server, name, ids, results, tmp_path, told_at_once=not lag)
                else:
                    # One has made it; the other found it, and may have been the one to attach.
                    assert sum(name in creations_of(result) for result in results) == 1
    for ending, count in endings.items():
        record_property(f"{'a' if lag else 'no'} lag: {ending}", count)


def test_the_younger_of_two_is_left_without_azure_auth_and_both_are_named(tmp_path: Path) -> None:
    with running() as server:
        # Somebody else creates one of that name, after this run has looked and before it creates.
        server.fault(
            "race",
            change="create",
            fields={"name": "contested"},
            method="POST",
            path="/identities$",
            times=1,
        )
        result = finish_module(start(server, tmp_path, ["contested", "other"]))
        older, younger = bearers(server, ["contested"])["contested"]
        assert result["failed"]
        # The other entry is none the worse.
        assert (result["created_count"], result["failed_count"]) == (1, 1)
        (failed,) = [item for item in result["results"] if item["failed"]]
        assert failed["changed"]
        for identity_id in (older, younger):
            assert identity_id in failed["msg"]
        assert f"{younger} (created " in failed["msg"]
        assert "created by this run" in failed["msg"].partition(younger)[2].partition(";")[0]
        assert [server.azure_auth(identity_id) for identity_id in (older, younger)] == [None, None]
        check_told(server, "contested", [older, younger], [result], tmp_path, told_at_once=True)


def creations_of(result: Result) -> list[str]:
    return [item["name"] for item in result["results"] if item["created"]]


def check_told(
    server: t.Any,
    name: str,
    ids: t.Sequence[str],
    results: t.Sequence[Result],
    folder: Path,
    *,
    told_at_once: bool,
) -> None:
    """Each of two of one name is named: by one of the runs that made them, or by the next."""
    failures = [
        item["msg"]
        for result in results
        for item in result["results"]
        if item["failed"] and item["name"] == name
    ]
    telling = [text for text in failures if all(identity_id in text for identity_id in ids)]
    if told_at_once:
        assert telling, results
    # The younger got nothing from the run that made it, where that could see both.
    after = finish_module(start(server, folder, [name]))
    assert after["failed"]
    assert not after["changed"]
    assert all(identity_id in after["msg"] for identity_id in ids)
