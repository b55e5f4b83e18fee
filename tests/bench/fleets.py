# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole fleet in one task, against a loop of `ansible.builtin.uri`, and against a bare loop."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tools.environments import project_environ

from .bare import Job
from .plays import Player, Task, named, seconds_of
from .results import DEFAULT_CONCURRENCY, Fleet, UriLoop
from .scale import Scale
from .servers import OPTIONS, PATH, TTL, Server, entries
from .singles import EMPTY, turned

MODULE = "community.infisical.infisical_identities"


def empty_task(expression: str) -> Task:
    """A task that is handed the fleet that an expression comes to, and does nothing with it."""
    return {EMPTY: {"entries": f"{{{{ {expression} }}}}"}}


def fleet_task(
    expression: str, *, check: bool = True, concurrency: int = DEFAULT_CONCURRENCY
) -> Task:
    """A task for the fleet that an expression comes to."""
    return {
        MODULE: {"identities": f"{{{{ {expression} }}}}", "concurrency": concurrency},
        "check_mode": check,
    }


def run_fleet(
    player: Player,
    fleet: Sequence[dict[str, Any]],
    *compared: Task,
    concurrency: int = DEFAULT_CONCURRENCY,
    changes: bool = False,
) -> list[float]:
    """The seconds of a task for a fleet, and before it of what it is compared with.

    Nothing differs and the tasks run in check mode, but with `changes`: then every identity of the
    fleet differs and is changed. Raises PlayError.
    """
    timed = player.run(
        [
            # These pack the modules, and read nothing.
            named("warm up", fleet_task("[]")),
            *([named("warm up", empty_task("[]"))] if compared else []),
            *(named("compared", task) for task in compared),
            named("fleet", fleet_task("fleet", check=not changes, concurrency=concurrency)),
        ],
        fleet=list(fleet),
    )
    expected = {"checked": len(fleet), "changed_count": len(fleet) * changes, "failed_count": 0}
    assert expected.items() <= timed[-1].result.items(), timed[-1].result
    return [*seconds_of(timed, "fleet"), *seconds_of(timed, "compared")]


def run_creations(player: Player, called: str, size: int) -> float:
    """The seconds of a task that makes so many identities with their Azure Auth. Raises PlayError.

    None of the names, which begin with what they are `called`, may be there.
    """
    fleet = [{"name": f"{called} {number}", "azure_auth": OPTIONS} for number in range(size)]
    timed = player.run(
        [
            named("warm up", fleet_task("[]")),
            named("fleet", fleet_task("fleet", check=False)),
        ],
        fleet=fleet,
    )
    expected = {"checked": size, "changed_count": size, "failed_count": 0}
    assert expected.items() <= timed[-1].result.items(), timed[-1].result
    return timed[-1].seconds


def run_bare(
    server: Server,
    ids: Sequence[str],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    patch: dict[str, Any] | None = None,
) -> float:
    """The seconds that the bare loop takes; see bare.py."""
    job: Job = {
        "urls": [server.address(identity_id) for identity_id in ids],
        "token": server.token,
        "concurrency": concurrency,
        "patch": patch,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare"],
        env=project_environ(),
        input=json.dumps(job),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout))


def measure_fleet(
    player: Player,
    server: Server,
    latency: float,
    size: int,
    rounds: int,
    scale: Scale,
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    changes: bool = False,
) -> Fleet:
    """Run the task and the bare loop in turns, every other time the other way round.

    Raises PlayError.
    """
    ids = server.identities(size)
    compared = (fleet_task("fleet[:1]"), empty_task("[]"), empty_task("fleet"))
    result = Fleet(latency, size, concurrency, changes)

    def measure_task(number: int) -> None:
        fleet = entries(ids, **({"access_token_ttl": 1 + number} if changes else {}))
        task, one, none, all_ = run_fleet(
            player, fleet, *compared, concurrency=concurrency, changes=changes
        )
        result.task.append(task)
        result.single.append(one)
        result.handing.append(all_ - none)

    def measure_bare(number: int) -> None:
        patch = {"accessTokenTTL": TTL - number} if changes else None
        before = server.processor_seconds()
        bare = run_bare(server, ids, concurrency=concurrency, patch=patch)
        result.emulator.append((server.processor_seconds() - before) / bare)
        result.bare.append(bare)

    started = time.monotonic()
    for number in range(rounds):
        if number and time.monotonic() - started > scale.patience:
            break
        for measure in turned(number, [measure_task, measure_bare]):
            server.wait_for_room(size)
            if changes:
                server.wait_for_room(size, "PATCH")
            measure(number)
    server.forget_requests()
    return result


def measure_uri_loop(player: Player, server: Server, latency: float, scale: Scale) -> UriLoop:
    """Run loops over a few identities: all items cost about the same. Raises PlayError."""
    loop = {
        "ansible.builtin.uri": {
            "url": f"{server.url}{PATH}/{{{{ item }}}}",
            "headers": {"Authorization": f"Bearer {server.token}"},
        },
        "loop": "{{ sample }}",
    }
    first = {**loop, "loop": "{{ sample[:1] }}"}
    sample = server.identities(scale.sampled)
    server.wait_for_room(scale.sampled_rounds * len(sample) + 1)
    tasks = [named("warm up", first), *[named("loop", loop)] * scale.sampled_rounds]
    items = [
        seconds / len(sample) for seconds in seconds_of(player.run(tasks, sample=sample), "loop")
    ]
    return UriLoop(latency, len(sample), items)
