# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from .results import DEFAULT_CONCURRENCY


@dataclass(frozen=True)
class RateLimit:
    """A limit of requests a window (seconds), and how many identities to handle under it."""

    limit: int
    window: int
    identities: int


@dataclass(frozen=True)
class Other:
    """A fleet that is not, or not only, read in the way that the module does by itself."""

    size: int
    rounds: int
    concurrency: int = DEFAULT_CONCURRENCY
    changes: bool = False

    def __str__(self) -> str:
        how = "all changed" if self.changes else f"{self.concurrency} workers"
        return f"a fleet of {self.size:,}, {how}"


@dataclass(frozen=True)
class Scale:
    """The dimensions of a run.

    `latencies` are the server's, in seconds; an instance has its own. `sizes` maps the size of a
    fleet to the number of rounds for it, of which none begins after `patience` seconds but the
    first. A loop over `sampled` identities, `sampled_rounds` times, stands for all loops of uri
    tasks. `starts` is how often each module is started by hand. `largest` are the sizes of fleets
    that are measured once, without latency, and `audited` is that of the one that the role audits;
    0 is none. `creations` is about identities that are made from nothing.
    """

    latencies: tuple[float, ...]
    single_rounds: int
    sampled: int
    sampled_rounds: int
    sizes: dict[int, int]
    patience: float
    others: tuple[Other, ...]
    starts: int
    rate_limit: RateLimit
    creations: RateLimit
    audited: int = 0
    largest: tuple[int, ...] = ()


FULL = Scale(
    latencies=(0, 0.005, 0.05),
    single_rounds=18,
    sampled=10,
    sampled_rounds=3,
    sizes={100: 5, 1000: 5, 5000: 2},
    patience=25,
    others=(
        Other(size=1000, rounds=3, concurrency=32),
        Other(size=1000, rounds=1, changes=True),
    ),
    starts=9,
    # 200 a minute. In a shorter window the whole seconds of the headers would weigh too much.
    rate_limit=RateLimit(limit=67, window=20, identities=250),
    # 30 a minute would take half an hour.
    creations=RateLimit(limit=100, window=6, identities=1000),
    audited=5000,
    largest=(20000,),
)
QUICK = Scale(
    latencies=(0.005,),
    single_rounds=5,
    sampled=5,
    sampled_rounds=1,
    sizes={100: 3, 1000: 3},
    patience=20,
    others=(Other(size=100, rounds=1, changes=True),),
    starts=3,
    rate_limit=RateLimit(limit=40, window=5, identities=100),
    creations=RateLimit(limit=20, window=3, identities=50),
    audited=100,
)
# All that fits into the limits of Infisical Cloud, which also hold for making the fleet.
INSTANCE = Scale(
    latencies=(0,),
    single_rounds=9,
    sampled=10,
    sampled_rounds=1,
    sizes={100: 3},
    patience=300,
    others=(Other(size=50, rounds=1, changes=True),),
    starts=3,
    rate_limit=RateLimit(limit=0, window=0, identities=0),
    creations=RateLimit(limit=0, window=0, identities=0),
)
