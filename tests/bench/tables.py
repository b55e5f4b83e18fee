# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as tables, as plain text and as reStructuredText. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from .results import DEFAULT_CONCURRENCY, MIB, Fleet, Results
from .targets import AUDITED, Target, milliseconds, targets

# Before what was not measured, but follows from something that was.
EXTRAPOLATED = "~"


@dataclass(frozen=True)
class Table:
    """A table: all cells are text. `notes` are sentences below it."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...] = ()

    def as_text(self) -> str:
        """The table for a terminal: the first column to the left, numbers to the right."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        text = [self.title]
        for line in lines:
            first, *others = zip(line, widths)
            cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
            text.append(("  " + "  ".join(cells)).rstrip())
        text += [f"  {note}" for note in self.notes]
        return "\n".join(text) + "\n"

    def as_rst(self) -> str:
        """The table for a page, below a heading."""
        lines = [self.title, "^" * len(self.title), "", ".. list-table::", "  :header-rows: 1", ""]
        for row in (self.header, *self.rows):
            lines += [f"  {'*' if not column else ' '} - {cell}" for column, cell in enumerate(row)]
        lines += ["", *(line for note in self.notes for line in (note, ""))]
        return "\n".join(line.rstrip() for line in lines) + "\n"


def duration(seconds: float) -> str:
    """A time with about two digits, in a unit that suits it."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _digits(ratio: float) -> int:
    return 0 if ratio >= 20 else 2


def _times(ratio: float, unit: str = "x") -> str:
    return f"{ratio:.{_digits(ratio)}f}{unit}"


def _reached(target: Target) -> str:
    """What was reached, with as many digits as it takes to see whether that is enough."""
    measured = target.reached
    digits = _digits(measured.median)
    while target.is_met_by(round(measured.median, digits)) != target.met:
        digits += 1
    median_of_all = f"{measured.median:.{digits}f}{target.unit}"
    if measured.low == measured.high:
        return median_of_all
    return f"{median_of_all} ({_times(measured.low, '')}-{_times(measured.high, '')})"


def _by_latency(ratios: Iterable[tuple[float, float]]) -> str:
    """Pairs of a latency and a ratio in a sentence."""
    return ", ".join(f"{_times(ratio)} at {milliseconds(latency)}" for latency, ratio in ratios)


def tables(results: Results) -> list[Table]:
    """All tables that have rows."""
    made = [
        _targets(results),
        _singles(results),
        _fleets(results),
        _processes(results),
        _audits(results),
        _rate_limited(results),
        _starts(results),
    ]
    return [table for table in made if table.rows]


def _targets(results: Results) -> Table:
    notes = [
        "Figures are medians. The range in parentheses covers the middle half of the rounds.",
        "A ratio is the median over all rounds, which may differ from the ratio of two medians.",
    ]
    floors = _by_latency(
        (fleet.latency, results.uri_loop(fleet.latency).seconds(fleet.size) / median(fleet.bare))
        for fleet in results.fleets
        if fleet.size == AUDITED and fleet.is_audit
    )
    if floors:
        notes.append(f"Speedup of the bare loop over the uri loop: {floors}.")
    return Table(
        "Targets",
        ("What", "Latency or limit", "Target", "Measured", "Result"),
        [
            (
                target.what,
                target.where,
                f"{'at least' if target.least else 'at most'} {target.wanted:g}{target.unit}",
                _reached(target),
                "met" if target.met else "missed",
            )
            for target in targets(results)
        ],
        tuple(notes),
    )


def _singles(results: Results) -> Table:
    kinds = {
        "an empty module": "empty",
        "a bare module, GET": "bare_get",
        "ansible.builtin.uri, GET": "uri_get",
        "infisical_azure_auth, nothing to change": "unchanged",
        "ansible.builtin.uri, PATCH": "uri_patch",
        "infisical_azure_auth, one change": "changed",
    }
    rows = [
        (what, *(duration(median(getattr(single, kind))) for single in results.singles))
        for what, kind in kinds.items()
        if results.singles
    ]
    ratio = (
        "The first task in a playbook that uses a module takes longer, because Ansible packs the"
        " module:"
        f" {duration(median(results.first.infisical_azure_auth))} for infisical_azure_auth and"
        f" {duration(median(results.first.uri))} for uri."
    )
    empty = _by_latency((single.latency, single.empty_ratio.median) for single in results.singles)
    bare = _by_latency((single.latency, single.bare_ratio.median) for single in results.singles)
    floors = (
        f"Lower bounds, relative to a uri GET: an empty module takes {empty}; a bare module that"
        " makes the same request with requests and parses the trusted IPs with netaddr takes"
        f" {bare}."
    )
    return Table(
        "A single task",
        ("Task", *(milliseconds(single.latency) for single in results.singles)),
        rows,
        (floors, ratio),
    )


def _if_any(seconds: float) -> str:
    return duration(seconds) if seconds else ""


def _fleets(results: Results) -> Table:
    def row(fleet: Fleet) -> tuple[str, ...]:
        workers = (
            "" if fleet.concurrency == DEFAULT_CONCURRENCY else f", {fleet.concurrency} workers"
        )
        slow = None if fleet.changes else results.uri_loop(fleet.latency).seconds(fleet.size)
        return (
            f"{fleet.size:,}{', all changed' if fleet.changes else ''}{workers}",
            milliseconds(fleet.latency),
            duration(median(fleet.task)),
            duration(median(fleet.bare)),
            f"{EXTRAPOLATED}{duration(slow)}" if slow else "",
            f"{EXTRAPOLATED}{_times(fleet.faster_than(slow).median)}" if slow else "",
            duration(fleet.each),
            duration(median(fleet.handing)),
            _times(fleet.ratio.median),
            _times(fleet.own_ratio.median),
        )

    sampled = max((loop.sampled * len(loop.item) for loop in results.uri_loops), default=0)
    shares = [share for fleet in results.fleets for share in fleet.emulator if share]
    notes = [
        f"{EXTRAPOLATED}: extrapolated from {sampled} items of a loop.",
        "Handover is how much longer a module that does nothing takes with the list than without.",
        "A small handover can be mere noise, so it can even be below zero.",
        "Time per identity and the ratios to the bare loop leave out the fixed cost of a task.",
    ]
    if shares:
        notes.append(
            "While the bare loop runs, the emulator uses"
            f" {min(shares):.0%} to {max(shares):.0%} of one core."
        )
    return Table(
        "A fleet in one task",
        (
            "Identities",
            "Latency",
            "One task",
            "Bare loop",
            "uri loop",
            "Speedup over uri",
            "Per identity",
            "Handover",
            "Relative to bare loop",
            "Without handover",
        ),
        [row(fleet) for fleet in results.fleets],
        tuple(notes),
    )


def _processes(results: Results) -> Table:
    return Table(
        "The module's process",
        ("Identities", "Peak memory", "Time", "Processor time"),
        [
            (
                f"{process.size:,}",
                f"{process.peak / MIB:.0f} MiB",
                duration(process.seconds),
                duration(process.processor),
            )
            for process in results.processes
        ],
    )


def _audits(results: Results) -> Table:
    return Table(
        "An audit from the list to the page",
        ("Identities", "Time", "Largest process", "Module", "Page"),
        [
            (
                f"{audit.size:,}",
                duration(audit.seconds),
                f"{audit.peak / MIB:.0f} MiB",
                f"{audit.module_peak / MIB:.0f} MiB",
                f"{audit.page / MIB:.1f} MiB",
            )
            for audit in results.audits
        ],
        (
            (
                "Measured with a playbook that runs the role identities_audit, which writes its"
                " HTML page and its JSON report."
            ),
        ),
    )


def _rate_limited(results: Results) -> Table:
    return Table(
        "Rate limits",
        ("Limit", "Identities", "Requests", "Refused per window", "Time", "Minimum time", "Ratio"),
        [
            (
                f"{run.limit} {run.kind} in {run.window} s",
                f"{run.size:,}",
                f"{run.requests:,}",
                ", ".join(map(str, run.refused)),
                duration(run.seconds),
                duration(run.least),
                _times(run.ratio),
            )
            for run in results.rate_limited
        ],
        tuple(
            f"{run.limit} {run.kind} in {run.window} s is {run.limit * 60 / run.window:.0f} a"
            f" minute. The task has {run.concurrency} workers."
            for run in results.rate_limited
        ),
    )


def _starts(results: Results) -> Table:
    origins = list(results.starts[0].imports) if results.starts else []
    return Table(
        "Start-up",
        ("Module", "Payload", "Imports", *(f"from {origin}" for origin in origins)),
        [
            (
                start.module,
                f"{start.payload / 1024:.0f} KiB",
                duration(sum(start.imports.values())),
                *(_if_any(start.imports[origin]) for origin in origins),
            )
            for start in results.starts
        ],
        (
            "The payload is what Ansible sends to the host.",
            "The import times are those of python -X importtime, which slows imports down.",
        ),
    )
