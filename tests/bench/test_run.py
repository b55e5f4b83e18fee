# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole benchmark at a scale that says nothing: so that it does not rot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from tools.paths import link_collection

from bench import page
from bench.__main__ import measure
from bench.results import Results
from bench.scale import Other, RateLimit, Scale
from bench.servers import emulated

TINY = Scale(
    latencies=(0,),
    single_rounds=1,
    sampled=2,
    sampled_rounds=1,
    sizes={},
    patience=0,
    others=(Other(size=10, rounds=1, concurrency=2, changes=True),),
    starts=1,
    rate_limit=RateLimit(limit=5, window=1, identities=8),
    creations=RateLimit(limit=4, window=1, identities=6),
    audited=10,
    largest=(12,),
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What a run against an emulator of its own measures."""
    link_collection()
    folder = tmp_path_factory.mktemp("bench")
    with emulated(folder) as server:
        return measure(server, folder, TINY)


def test_everything_is_measured(measured: Results) -> None:
    assert [len(single.unchanged) for single in measured.singles] == [1]
    assert [len(loop.item) for loop in measured.uri_loops] == [1]
    assert [(fleet.size, fleet.concurrency, fleet.changes) for fleet in measured.fleets] == [
        (10, 2, True),
        (12, 8, False),
    ]
    assert [process.size for process in measured.processes] == [10, 12]
    assert [audit.size for audit in measured.audits] == [10]
    assert len(measured.starts) == 7
    assert measured.skipped == []


def test_times_and_sizes_are_those_of_this_world(measured: Results) -> None:
    (single,) = measured.singles
    assert 0 < single.empty[0] < 60
    for process in measured.processes:
        assert 10 << 20 < process.peak < 1 << 30
        assert 0 < process.processor < 60
    (audit,) = measured.audits
    assert 10 << 20 < audit.module_peak <= audit.peak < 1 << 30
    assert audit.page > 10 << 10
    assert all(start.payload > 10 << 10 for start in measured.starts)


def test_own_modules_import_what_they_are_made_of(measured: Results) -> None:
    imports = {start.module: start.imports for start in measured.starts}
    assert imports["infisical_identities"]["collection"] > 0
    assert imports["infisical_identities"]["requests"] > 0
    assert imports["ansible.builtin.uri"]["collection"] == 0
    assert imports["an empty module"]["ansible"] > 0


def test_limits_are_seen_in_the_log(measured: Results) -> None:
    reads, creations = measured.rate_limited
    assert reads.requests == 8 + sum(reads.refused)
    assert creations.requests == 6 + sum(creations.refused)
    for run in (reads, creations):
        assert run.seconds > run.window


def test_results_can_be_printed(measured: Results) -> None:
    assert "infisical_azure_auth, one change" in page.as_text(measured)


def test_a_signal_ends_it_with_its_emulator(tmp_path: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "--quick"],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # The first line that it prints comes when the emulator is there.
    assert process.stderr.readline().endswith("single tasks\n")
    (ready,) = tmp_path.glob("bench-*/emulator.env")
    url = ready.read_text(encoding="utf-8").splitlines()[0].partition("=")[2]
    assert requests.get(url, timeout=10).status_code
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1].endswith("Interrupted.\n")
    assert process.returncode == 1
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)
    assert list(tmp_path.iterdir()) == []
