# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, and the figures that follow from it. Pure; times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from .ratios import Spread, least_seconds, paired_ratio, spread

MIB = 1 << 20
# Of infisical_identities.
DEFAULT_CONCURRENCY = 8


@dataclass(frozen=True)
class Machine:
    """Where and when it was measured. `load` is the average of running programs just before."""

    date: str
    processor: str
    cores: int
    load: float
    python: str
    ansible: str
    requests: str
    netaddr: str

    @property
    def is_busy(self) -> bool:
        """Whether the machine had other work than being measured."""
        return self.load > self.cores / 2


@dataclass(frozen=True)
class Singles:
    """The times of single tasks, a number a round: of round n, all were run one after the other."""

    latency: float
    empty: list[float]
    bare_get: list[float]
    uri_get: list[float]
    unchanged: list[float]
    uri_get_before: list[float]
    uri_patch: list[float]
    changed: list[float]

    @property
    def unchanged_ratio(self) -> Spread:
        """A task that changes nothing, in uri GET tasks."""
        return paired_ratio(self.unchanged, self.uri_get)

    @property
    def changed_ratio(self) -> Spread:
        """A task that changes something, in pairs of uri GET and PATCH tasks."""
        pairs = [get + patch for get, patch in zip(self.uri_get_before, self.uri_patch)]
        return paired_ratio(self.changed, pairs)

    @property
    def empty_ratio(self) -> Spread:
        """An empty module, in uri GET tasks: the least that a module can cost."""
        return paired_ratio(self.empty, self.uri_get)

    @property
    def bare_ratio(self) -> Spread:
        """A bare module that makes the same request, in uri GET tasks."""
        return paired_ratio(self.bare_get, self.uri_get)


@dataclass(frozen=True)
class FirstTasks:
    """The times of the first task of a module in a playbook, which packs the module."""

    uri: list[float]
    infisical_azure_auth: list[float]

    def add(self, more: FirstTasks) -> None:
        """Add the times of other playbooks."""
        self.uri.extend(more.uri)
        self.infisical_azure_auth.extend(more.infisical_azure_auth)


@dataclass(frozen=True)
class Fleet:
    """A task for a whole fleet and the bare loop, a number a round.

    `single` is what the same task takes for one identity, `handing` what Ansible takes to hand a
    module the list, `bare` the loop's time, and `emulator` how much of one core the emulator took
    during the loop.
    """

    latency: float
    size: int
    concurrency: int
    changes: bool
    task: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    handing: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    emulator: list[float] = field(default_factory=list)

    @property
    def is_audit(self) -> bool:
        """Whether nothing differs, and the workers are as many as the module takes by itself."""
        return not self.changes and self.concurrency == DEFAULT_CONCURRENCY

    @property
    def ratio(self) -> Spread:
        """The task less the fixed cost of one, in bare loops."""
        net = [task - single for task, single in zip(self.task, self.single)]
        return paired_ratio(net, self.bare)

    @property
    def own_ratio(self) -> Spread:
        """The same, less what any module would take that is handed the list."""
        net = [
            task - single - handing
            for task, single, handing in zip(self.task, self.single, self.handing)
        ]
        return paired_ratio(net, self.bare)

    @property
    def each(self) -> float:
        """The median time for one identity, less the fixed cost of a task."""
        net = [task - single for task, single in zip(self.task, self.single)]
        return spread(net).median / self.size

    def faster_than(self, seconds: float) -> Spread:
        """How many times as fast the task is as something else."""
        return spread([seconds / task for task in self.task])


@dataclass(frozen=True)
class UriLoop:
    """Loops of uri GET tasks over some identities: the time of an item, a number a round."""

    latency: float
    sampled: int
    item: list[float]

    def seconds(self, size: int) -> float:
        """What a loop over a whole fleet would take, extrapolated."""
        return spread(self.item).median * size


@dataclass(frozen=True)
class Process:
    """The process of the module for a fleet: peak of memory in bytes, time, processor time."""

    size: int
    peak: int
    seconds: float
    processor: float


@dataclass(frozen=True)
class Audit:
    """The role's audit of a fleet, from the list to the reports: the playbook's time, in seconds.

    `peak` is the memory of the largest of its processes, `module_peak` that of the module's, in
    bytes; `page` the size of the page in bytes.
    """

    size: int
    seconds: float
    peak: int
    module_peak: int
    page: int


@dataclass(frozen=True)
class RateLimited:
    """A task for a fleet under a limit of requests of a kind a window.

    `kind` is what is limited: "reads", or "creations" of identities. `limit` is how many a window.
    `refused` has the number of refusals in each window, `unlimited` what the bare loop (of
    creations, which it has none of, the same task less its fixed cost) takes without the limit,
    `fixed` the fixed cost of one task, which `seconds` includes.
    """

    kind: str
    latency: float
    limit: int
    window: int
    size: int
    concurrency: int
    requests: int
    refused: list[int]
    seconds: float
    unlimited: float
    fixed: float

    @property
    def least(self) -> float:
        """The least time for what was to be read, without any refusal."""
        return self.fixed + least_seconds(self.size, self.limit, self.window, self.unlimited)

    @property
    def ratio(self) -> float:
        """The time that it took, in least times."""
        return self.seconds / self.least

    @property
    def refusals(self) -> float:
        """The most refusals for a worker in a window, were they spread evenly."""
        return max(self.refused) / self.concurrency


@dataclass(frozen=True)
class Start:
    """The start of a module: bytes of its payload, and the time of its imports by origin."""

    module: str
    payload: int
    imports: dict[str, float]


@dataclass(frozen=True)
class Results:
    """All of it, as it comes in. What cannot be measured stays empty; `skipped` says why."""

    machine: Machine
    server: str
    singles: list[Singles] = field(default_factory=list)
    first: FirstTasks = field(default_factory=lambda: FirstTasks([], []))
    fleets: list[Fleet] = field(default_factory=list)
    uri_loops: list[UriLoop] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    rate_limited: list[RateLimited] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0

    def uri_loop(self, latency: float) -> UriLoop:
        """The loop of uri tasks at a latency."""
        return next(loop for loop in self.uri_loops if loop.latency == latency)
