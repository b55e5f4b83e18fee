# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that nobody measured, for what is made of results."""

from __future__ import annotations

import pytest

from bench.results import (
    MIB,
    Audit,
    Fleet,
    Machine,
    Process,
    RateLimited,
    Results,
    Singles,
    Start,
    UriLoop,
)


@pytest.fixture
def results() -> Results:
    """Results whose figures can be told without a calculator: every round is like the others."""
    made = Results(
        Machine("2026-11-23", "Abacus", 2, 0.25, "3.13.1", "2.19.4", "2.32.0", "1.3.0"),
        "the emulator",
        seconds=540,
    )
    for latency in (0, 0.05):
        made.singles.append(
            Singles(
                latency,
                empty=[0.2, 0.2],
                bare_get=[0.36, 0.36],
                uri_get=[0.4, 0.4],
                unchanged=[0.3, 0.3],
                uri_get_before=[0.4, 0.4],
                uri_patch=[0.6, 0.6],
                changed=[0.7, 0.7],
            )
        )
        made.uri_loops.append(UriLoop(latency, sampled=10, item=[0.5, 0.5]))
        for size in (100, 1000, 5000):
            made.fleets.append(
                Fleet(
                    latency,
                    size,
                    concurrency=8,
                    changes=False,
                    task=[0.5 + size * 0.0011] * 2,
                    single=[0.5, 0.5],
                    handing=[size * 0.0003] * 2,
                    bare=[size * 0.001] * 2,
                    emulator=[0.3, 0.3],
                )
            )
    made.first.uri.extend([0.6, 0.6])
    made.first.infisical_azure_auth.extend([0.9, 0.9])
    made.processes.append(Process(5000, peak=120 * MIB, seconds=6, processor=5))
    made.audits.append(Audit(5000, seconds=20, peak=400 * MIB, module_peak=90 * MIB, page=3 * MIB))
    made.rate_limited.append(
        RateLimited(
            kind="reads",
            latency=0,
            limit=10,
            window=20,
            size=25,
            concurrency=4,
            requests=27,
            refused=[0, 2, 0],
            seconds=44,
            unlimited=5,
            fixed=1,
        )
    )
    made.starts.append(Start("infisical_azure_auth", 2048, {"python": 0.1, "ansible": 0.05}))
    return made
