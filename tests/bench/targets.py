# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures that the collection is to reach, beside those that it did. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .ratios import Spread
from .results import MIB, Results

# The fleet that the figures are about.
AUDITED = 1000
LARGEST = 5000
# A fleet of this size tells whether a fleet costs more for each identity the larger it is.
HUGE = 20000


@dataclass(frozen=True)
class Target:
    """What is to be reached, under which conditions, by how much, and what was.

    `least` says that more is better; `unit` follows the numbers.
    """

    what: str
    where: str
    wanted: float
    reached: Spread
    unit: str
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether the median is on the right side of what is wanted."""
        return self.is_met_by(self.reached.median)

    def is_met_by(self, number: float) -> bool:
        """Whether a number is on the right side of what is wanted."""
        return number >= self.wanted if self.least else number <= self.wanted


def _exactly(number: float) -> Spread:
    return Spread(number, number, number)


def milliseconds(latency: float) -> str:
    """A latency as tables have it."""
    return f"{latency * 1000:g} ms"


def targets(results: Results) -> list[Target]:
    """All that can be told from the results."""
    return [
        *_audits(results),
        *_growth(results),
        *_singles(results),
        *_memory(results),
        *_limits(results),
    ]


def _audits(results: Results) -> Iterator[Target]:
    audits = [fleet for fleet in results.fleets if fleet.size == AUDITED and fleet.is_audit]
    for fleet in audits:
        where = milliseconds(fleet.latency)
        what = f"{AUDITED:,} identities, without fixed cost, relative to the bare loop"
        yield Target(what, where, 0.85, fleet.ratio, "x")
    for fleet in audits:
        where = milliseconds(fleet.latency)
        what = f"{AUDITED:,} identities, without fixed cost and handover, relative to the bare loop"
        yield Target(what, where, 0.85, fleet.own_ratio, "x")
    for fleet in audits:
        where = milliseconds(fleet.latency)
        what = f"{AUDITED:,} identities, speedup over the uri loop"
        slow = results.uri_loop(fleet.latency).seconds(fleet.size)
        yield Target(what, where, 60, fleet.faster_than(slow), "x", least=True)


def _growth(results: Results) -> Iterator[Target]:
    # In bare loops, as the emulator takes longer for each of many identities, too.
    by_size = {
        (fleet.latency, fleet.size): fleet.ratio.median
        for fleet in results.fleets
        if fleet.is_audit
    }
    for (latency, size), ratio in by_size.items():
        if size == HUGE and (latency, LARGEST) in by_size:
            what = (
                f"ratio to the bare loop with {HUGE:,} identities,"
                f" divided by the ratio with {LARGEST:,}"
            )
            growth = _exactly(ratio / by_size[latency, LARGEST])
            yield Target(what, milliseconds(latency), 1.1, growth, "x")


def _singles(results: Results) -> Iterator[Target]:
    for single in results.singles:
        where = milliseconds(single.latency)
        what = "one identity, nothing to change, relative to a uri GET"
        yield Target(what, where, 1, single.unchanged_ratio, "x")
    for single in results.singles:
        where = milliseconds(single.latency)
        what = "one identity, one change, relative to uri GET and PATCH"
        yield Target(what, where, 0.55, single.changed_ratio, "x")


def _memory(results: Results) -> Iterator[Target]:
    for process in results.processes:
        if process.size == LARGEST:
            what = f"peak memory of the module, {LARGEST:,} identities"
            yield Target(what, "", 100, _exactly(process.peak / MIB), " MiB")
    for audit in results.audits:
        if audit.size == LARGEST:
            what = (
                "peak memory of the module in an audit by the role identities_audit,"
                f" {LARGEST:,} identities"
            )
            yield Target(what, "", 100, _exactly(audit.module_peak / MIB), " MiB")


def _limits(results: Results) -> Iterator[Target]:
    for run in results.rate_limited:
        where = f"{run.limit} {run.kind} in {run.window} s"
        what = "requests refused per worker in each rate-limit window"
        yield Target(what, where, 1, _exactly(run.refusals), "")
        what = "time under a rate limit, relative to the minimum"
        yield Target(what, where, 1.1, _exactly(run.ratio), "x")
