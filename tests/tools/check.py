# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the project's checks and sum them up: `make test`.

Each check is a nox session. Its full output goes to `.cache/logs/<check>.log`; what appears here is
a line for each check as it starts and as it ends, the end of the log of those that failed, and a
summary. It runs against emulators, whatever server the caller's environment names.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from . import coverage
from .counts import Counts, read_figures, read_reports, read_skips, total
from .environments import nox_environ
from .infisical import opt_out
from .paths import LOGS, REPORTS, ROOT

# In the order of the summary, with what each looks at.
CHECKS = {
    "formatters": "black, import order",
    "codeqa": "ruff",
    "yamllint": "YAML, also in documentation",
    "typing": "mypy",
    "antsibull-nox-config": "the checks' own settings",
    "license-check": "REUSE",
    "extra-checks": "action groups, stray files",
    "docs-check": "antsibull-docs",
    "docs-site": "the documentation site and its links",
    "ansible-lint": "playbooks, production profile",
    "build-import-check": "galaxy-importer",
    "execution-environment": "what ansible-builder finds",
    "workflows": "zizmor, actionlint",
    "sanity": "ansible-test sanity",
    "units": "ansible-test units",
    "emulator": "its controls and misbehaviour",
    "contract": "what the server promises",
    "functional": "the module as Ansible runs it",
    "audit": "the audit and its page",
    "awx": "jobs as AWX runs them",
    "bench": "the benchmark, at a small scale",
    "docs-examples": "every example of the documentation",
    "tooling": "a pretended release, the checklists",
    "integration": "ansible-test integration",
}
# What "lint" stands for.
LINT = ("formatters", "codeqa", "yamllint", "typing", "license-check", "extra-checks")
# Those that take longest go first, so that no core is idle at the end; those that mostly wait go
# beside them.
FIRST = (
    "functional",
    "docs-examples",
    "workflows",
    "bench",
    "audit",
    "awx",
    "sanity",
    "integration",
    "units",
    "build-import-check",
    "tooling",
)
# Their counts are also shown by test file.
SUITES = (
    "execution-environment",
    "units",
    "emulator",
    "contract",
    "functional",
    "audit",
    "awx",
    "bench",
    "docs-examples",
    "tooling",
    "integration",
)

TIME_LIMIT_SECONDS = 30 * 60
TAIL_LINES = 40


@dataclass
class Outcome:
    """What came of one check."""

    name: str
    result: str
    seconds: float
    by_file: dict[str, Counts] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    skips: dict[str, int] = field(default_factory=dict)
    reason: str = ""

    @property
    def counts(self) -> Counts:
        """The tests of the check, or one for the check itself."""
        if self.result == "skipped":
            return Counts(skipped=1)
        return total(self.by_file.values()).of_check(passed=self.result == "passed")

    def line(self) -> str:
        """The check on one line."""
        tests = str(self.counts) if self.by_file else CHECKS[self.name]
        return f"{self.result:<8} {self.name:<22} {self.seconds:6.1f} s  {self.reason or tests}"


class Runner:
    """Runs checks, and ends those that are under way when it is interrupted."""

    def __init__(self) -> None:
        self._environ = nox_environ()
        # Formatters then report instead of rewriting.
        self._environ.update(CI="true", NO_COLOR="1")
        opt_out(self._environ)
        if coverage.wanted():
            coverage.measure(self._environ)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(self, name: str) -> Outcome:
        """Run one check to its end."""
        say(f"{'started':<8} {name:<22} {'':8}  {CHECKS[name]}")
        reports = REPORTS / name
        shutil.rmtree(reports, ignore_errors=True)
        reports.mkdir(parents=True)
        verdict = reports.with_suffix(".json")
        started = time.monotonic()
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(
                ["nox", "--non-interactive", "--session", name, "--report", str(verdict)],
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with self._lock:
                self._running.add(process)
            try:
                process.wait(TIME_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                self._end(process)
                log.write(f"Ended after {TIME_LIMIT_SECONDS} s.\n".encode())
            finally:
                with self._lock:
                    self._running.discard(process)
        result = "passed" if process.returncode == 0 else "failed"
        reason = ""
        if result == "passed" and _was_skipped(verdict):
            result = "skipped"
            reason = self._reason(name)
        seconds = time.monotonic() - started
        return Outcome(
            name,
            result,
            seconds,
            read_reports(reports),
            read_figures(reports),
            read_skips(reports),
            reason,
        )

    def end_all(self) -> None:
        """End what is under way."""
        with self._lock:
            for process in self._running:
                self._end(process)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        except ProcessLookupError:
            pass  # it ended by itself meanwhile

    @staticmethod
    def _log(name: str) -> Path:
        LOGS.mkdir(parents=True, exist_ok=True)
        return LOGS / f"{name}.log"

    def _reason(self, name: str) -> str:
        """Why a check was skipped, as nox says it at the end of its line."""
        log = self._log(name).read_text(errors="replace")
        said = re.findall(rf"Session {name} skipped: (.+?)\.?(?: \(took .+)?$", log, re.MULTILINE)
        return said[-1] if said else ""

    def tail(self, name: str) -> str:
        """The end of a check's log, indented."""
        lines = self._log(name).read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"    | {line}" for line in lines)


def _was_skipped(verdict: Path) -> bool:
    if not verdict.is_file():
        return False
    sessions = json.loads(verdict.read_text())["sessions"]
    return any(session["result"] == "skipped" for session in sessions)


def say(text: str) -> None:
    """Print a text and its line end as one, so that threads do not get between them."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def summary(outcomes: Sequence[Outcome]) -> str:
    """The table at the end. Its last line is the sum of all tests, alone."""
    by_name = {outcome.name: outcome for outcome in outcomes}
    ordered = [by_name[name] for name in CHECKS if name in by_name]
    lines = ["", "Tests by file"]
    for outcome in ordered:
        if outcome.name in SUITES:
            lines += [
                f"  {counts!s:<42} {file}" for file, counts in sorted(outcome.by_file.items())
            ]
    recorded = [
        f"  {file}: {figures}"
        for outcome in ordered
        for file, figures in sorted(outcome.figures.items())
    ]
    if recorded:
        lines += ["", "Recorded by tests", *recorded]
    reasons = [
        f"  {count:3} in {outcome.name}: {reason}"
        for outcome in ordered
        for reason, count in sorted(outcome.skips.items())
    ]
    if reasons:
        lines += ["", "Skipped", *reasons]
    lines += ["", "Checks"]
    lines += [f"  {outcome.line()}" for outcome in ordered]
    lines += ["", str(total(outcome.counts for outcome in ordered))]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run the named checks, or all; the exit status says whether all passed."""
    parser = argparse.ArgumentParser(prog="make test ARGS=...", description=main.__doc__)
    names = ["lint", *CHECKS]
    parser.add_argument("checks", nargs="*", metavar="check", help=", ".join(names))
    asked = parser.parse_args(arguments).checks or list(CHECKS)
    unknown = [name for name in asked if name not in names]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(names)}")
    chosen = {check for name in asked for check in (LINT if name == "lint" else [name])}
    queue = sorted(
        (name for name in CHECKS if name in chosen),
        key=lambda name: FIRST.index(name) if name in FIRST else len(CHECKS),
    )
    # One more than two processors can do, as some checks mostly wait.
    jobs = int(os.environ.get("JOBS") or min(3, (os.cpu_count() or 1) + 1))
    print(f"{len(queue)} checks, {jobs} at a time; full output in .cache/logs/", flush=True)
    started = time.monotonic()
    runner = Runner()
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        under_way = [pool.submit(runner.run, name) for name in queue]
        try:
            for finished in as_completed(under_way):
                outcome = finished.result()
                outcomes.append(outcome)
                say(outcome.line())
                if outcome.result == "failed":
                    say(runner.tail(outcome.name))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.end_all()
            raise
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime
    print(f"\n{time.monotonic() - started:.0f} s in all, {processor:.0f} s of processor time")
    if coverage.wanted():
        print(f"The tests reach {coverage.figure()}")
    print(summary(outcomes), flush=True)
    return 1 if any(outcome.result == "failed" for outcome in outcomes) else 0


if __name__ == "__main__":
    # Else this process ends at once, and what it has started goes on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
