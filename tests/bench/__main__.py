# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m bench`: measure, print the figures, and write them into the documentation."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from statistics import median

from tools.infisical import IncompleteError
from tools.paths import CACHE, ROOT, link_collection

from . import page
from .costs import measure_audit, measure_process, measure_starts
from .fleets import measure_fleet, measure_uri_loop
from .limits import measure_creations, measure_rate_limited
from .plays import Player, PlayError
from .results import Machine, Results
from .scale import FULL, INSTANCE, QUICK, Scale
from .servers import EmulatorServer, Server, emulated, instance, is_given
from .singles import measure_singles, write_modules
from .targets import milliseconds

RESULTS = CACHE / "bench" / "results.json"
EMULATOR_ONLY = (
    "Not measured, since it takes the emulator's controls: other latencies, the rate limits, and"
    " the server's share of the processor."
)


def machine() -> Machine:
    """This machine, now."""
    return Machine(
        date=datetime.now(timezone.utc).date().isoformat(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[0],
        python=platform.python_version(),
        ansible=version("ansible-core"),
        requests=version("requests"),
        netaddr=version("netaddr"),
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def measure(server: Server, folder: Path, scale: Scale) -> Results:
    """Measure all that can be measured against a server. Raises PlayError."""
    started = time.monotonic()
    results = Results(machine(), server.what)
    player = Player(folder, server.variables)
    write_modules(player)
    for wanted in scale.latencies:
        latency = server.set_latency(wanted)
        _say(f"{milliseconds(latency)}: single tasks")
        single, first = measure_singles(player, server, latency, scale.single_rounds)
        results.singles.append(single)
        results.first.add(first)
        _say(f"{milliseconds(latency)}: a loop of uri tasks")
        results.uri_loops.append(measure_uri_loop(player, server, latency, scale))
        for size, rounds in scale.sizes.items():
            _say(f"{milliseconds(latency)}: a fleet of {size:,}")
            results.fleets.append(measure_fleet(player, server, latency, size, rounds, scale))
    # At the last latency alone: the others say no more.
    for other in scale.others:
        _say(f"{milliseconds(latency)}: {other}")
        results.fleets.append(
            measure_fleet(
                *(player, server, latency, other.size, other.rounds, scale),
                concurrency=other.concurrency,
                changes=other.changes,
            )
        )
    latency = server.set_latency(0)
    # It reads all identities that there are, which are to be no more than it is about.
    if scale.audited:
        _say(f"the role's audit of {scale.audited:,}")
        results.audits.append(measure_audit(player, server, scale.audited))
        server.forget_requests()
    for size in scale.largest:
        _say(f"{milliseconds(latency)}: a fleet of {size:,}")
        results.fleets.append(measure_fleet(player, server, latency, size, 1, scale))
    _say("memory")
    sizes = sorted({fleet.size for fleet in results.fleets})
    results.processes.extend(measure_process(player, server, size) for size in sizes)
    _say("start-up")
    results.starts.extend(measure_starts(player, server, scale.starts))
    if isinstance(server, EmulatorServer):
        _say("a rate limit")
        fixed = median(results.fleets[0].single)
        results.rate_limited.append(
            measure_rate_limited(player, server, latency, scale.rate_limit, fixed)
        )
        _say(f"{scale.creations.identities:,} identities from nothing")
        new = folder / "new"
        # The other emulator takes longer for each name, as it has many identities by now.
        with emulated(new) as empty:
            results.rate_limited.append(
                measure_creations(
                    Player(new, empty.variables), empty, latency, scale.creations, fixed
                )
            )
    else:
        results.skipped.append(EMULATOR_ONLY)
    return dataclasses.replace(results, seconds=time.monotonic() - started)


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=main.__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a small run, which leaves the documentation alone"
    )
    quick = parser.parse_args(arguments).quick
    scale = INSTANCE if is_given() else QUICK if quick else FULL
    link_collection()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        try:
            with instance() if is_given() else emulated(folder) as server:
                results = measure(server, folder, scale)
        except (IncompleteError, PlayError) as problem:
            sys.exit(str(problem))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(dataclasses.asdict(results), indent=1), encoding="utf-8")
    print(page.as_text(results))
    if scale is FULL:
        page.write(results)
        print(f"Written: {page.PAGE.relative_to(ROOT)} and {page.PLOT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    # Else this process ends at once, and what it has started goes on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
