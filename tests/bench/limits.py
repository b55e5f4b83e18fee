# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets under rate limits, told from the emulator's log of requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from .fleets import run_bare, run_creations, run_fleet
from .plays import Player
from .ratios import windows_of
from .results import DEFAULT_CONCURRENCY, RateLimited
from .scale import RateLimit
from .servers import IDENTITIES, PATH, EmulatorServer, entries

HTTP_LIMITED = 429


def measure_rate_limited(
    player: Player, server: EmulatorServer, latency: float, limit: RateLimit, fixed: float
) -> RateLimited:
    """Run one task under the limit; `fixed` is the fixed cost of a task. Raises PlayError."""
    ids = server.identities(limit.identities)
    unlimited = run_bare(server, ids)
    return _limited(
        server,
        limit,
        lambda: run_fleet(player, entries(ids))[0],
        lambda record: PATH in record["path"],
        *("reads", latency, unlimited, fixed),
        read_limit=limit.limit,
    )


def measure_creations(
    player: Player, server: EmulatorServer, latency: float, limit: RateLimit, fixed: float
) -> RateLimited:
    """Make identities from nothing, without the limit and under it. Raises PlayError."""
    unlimited = run_creations(player, "unlimited", limit.identities) - fixed
    return _limited(
        server,
        limit,
        lambda: run_creations(player, "limited", limit.identities),
        lambda record: (record["method"], record["path"]) == ("POST", IDENTITIES),
        *("creations", latency, unlimited, fixed),
        creation_limit=limit.limit,
    )


def _limited(
    server: EmulatorServer,
    limit: RateLimit,
    run: Callable[[], float],
    counts: Callable[[dict[str, Any]], bool],
    kind: str,
    latency: float,
    unlimited: float,
    fixed: float,
    **settings: int,
) -> RateLimited:
    """Run something under settings of the emulator, and look at what `counts` of its log."""
    server.forget_requests()
    server.settings(window=limit.window, **settings)
    try:
        seconds = run()
    finally:
        server.settings(**dict.fromkeys(settings))
    log = [record for record in server.requests() if counts(record)]
    server.forget_requests()
    windows = windows_of([record["time"] for record in log], limit.window)
    refused = Counter(
        number for number, record in zip(windows, log) if record["status"] == HTTP_LIMITED
    )
    return RateLimited(
        kind,
        latency,
        limit.limit,
        limit.window,
        limit.identities,
        DEFAULT_CONCURRENCY,
        requests=len(log),
        refused=[refused[number] for number in range(windows[-1] + 1)],
        seconds=seconds,
        unlimited=unlimited,
        fixed=fixed,
    )
