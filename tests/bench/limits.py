# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet under a rate limit, told from the emulator's log of requests."""

from __future__ import annotations

from collections import Counter

from .fleets import run_bare, run_fleet
from .plays import Player
from .ratios import windows_of
from .results import DEFAULT_CONCURRENCY, RateLimited
from .scale import RateLimit
from .servers import PATH, EmulatorServer, entries

HTTP_LIMITED = 429


def measure_rate_limited(
    player: Player, server: EmulatorServer, latency: float, limit: RateLimit, fixed: float
) -> RateLimited:
    """Run one task under the limit; `fixed` is the fixed cost of a task. Raises PlayError."""
    ids = server.identities(limit.identities)
    unlimited = run_bare(server, ids)
    server.forget_requests()
    server.settings(read_limit=limit.reads, window=limit.window)
    try:
        (seconds,) = run_fleet(player, entries(ids))
    finally:
        server.settings(read_limit=None)
    log = [record for record in server.requests() if PATH in record["path"]]
    server.forget_requests()
    windows = windows_of([record["time"] for record in log], limit.window)
    refused = Counter(
        number for number, record in zip(windows, log) if record["status"] == HTTP_LIMITED
    )
    return RateLimited(
        latency,
        limit.reads,
        limit.window,
        limit.identities,
        DEFAULT_CONCURRENCY,
        requests=len(log),
        refused=[refused[number] for number in range(windows[-1] + 1)],
        seconds=seconds,
        unlimited=unlimited,
        fixed=fixed,
    )
