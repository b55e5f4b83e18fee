# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make matrix`: the tests on every supported ansible-core and Python that this machine has.

Prints a table of what ran and what did not and why, and leaves it in `.cache/matrix.md`. Arguments
limit the run to some releases of ansible-core.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from .ansible_test import LEFT_OUT, run_ansible_test
from .counts import Counts, read_reports, total
from .demo import PLAYBOOK
from .environments import Environment, InstallError, environment, project_environ
from .infisical import opt_out
from .paths import CACHE, LOGS, REPORTS, REQUIREMENTS, ROOT, copy_collection
from .pythons import SUPPORTED, find_pythons

# The Pythons that each ansible-core runs on. Modules run on older ones too, but on no newer one.
CORES = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
    "2.22": ("3.13", "3.14", "3.15"),
}
# Those of which there is no release yet but candidates.
CANDIDATES = {"2.22": "rc1"}

# ansible-test's own environments for sanity tests are shared by all runs, and made without a lock.
_SANITY = threading.Lock()


@dataclass
class Row:
    """A line of the table."""

    core: str
    python: str
    what: str
    result: str
    tests: str = ""
    seconds: float = 0.0


@dataclass
class Job:
    """Something to run. `run` gets a log and returns an exit status."""

    core: str
    python: str
    what: str
    run: Callable[[str, IO[str]], int]

    def __call__(self) -> tuple[Row, Counts]:
        """Run it and say how it went."""
        label = f"matrix-{self.core}-{self.python}-{self.what.replace(', ', '-').replace(' ', '-')}"
        started = time.monotonic()
        path = LOGS / f"{label}.log"
        with path.open("w") as log:
            try:
                status = self.run(label, log)
            except (InstallError, subprocess.CalledProcessError) as error:
                print(error, file=log)
                status = 1
        counts = total(read_reports(REPORTS / label).values())
        tests = str(counts) if counts != Counts() else ""
        result = f"failed: {path.relative_to(ROOT)}" if status else "passed"
        result += "".join(
            f"; without {line.removeprefix(LEFT_OUT)}"
            for line in path.read_text(errors="replace").splitlines()
            if line.startswith(LEFT_OUT)
        )
        row = Row(self.core, self.python, self.what, result, tests, time.monotonic() - started)
        print(f"{row.core:<4}  {row.python:<4}  {row.what:<25}  {row.result}", flush=True)
        return row, counts.of_check(passed=status == 0)


def module_pythons(core: str) -> tuple[str, ...]:
    """The Pythons on which this collection's modules run under an ansible-core."""
    return SUPPORTED[: SUPPORTED.index(CORES[core][-1]) + 1]


class Plan:
    """What there is to run with the Pythons at hand, and what there is not."""

    def __init__(self, cores: Sequence[str]) -> None:
        self.pythons = find_pythons()
        self.jobs: list[Job] = []
        self.skipped: list[Row] = []
        usable = [core for core in cores if self._controllers(core)]
        for core in cores:
            if core in usable:
                self._plan_core(core)
            else:
                reason = f"not run: needs one of Python {', '.join(CORES[core])}"
                self.skipped.append(Row(core, "", "everything", reason))
        if usable:
            self._plan_floors(usable[-1])
            for core in dict.fromkeys((usable[0], usable[-1])):
                self._plan_installed(core)

    def _controllers(self, core: str) -> list[str]:
        return [python for python in CORES[core] if python in self.pythons]

    def controller(
        self, core: str, preferred: str = "", requirements: str = "units"
    ) -> tuple[str, Environment]:
        """A Python for the ansible-core, and the environment with both. Raises InstallError."""
        usable = self._controllers(core)
        python = preferred if preferred in usable else usable[-1]
        release = f"{core}.0{CANDIDATES.get(core, '')}"
        arguments = [f"ansible-core~={release}", "-r", str(REQUIREMENTS / f"{requirements}.txt")]
        name = f"ansible-core-{core}-{requirements}-python-{python}"
        return python, environment(name, arguments, self.pythons[python])

    def target(self, python: str, requirements: str) -> Environment:
        """The environment of a host that runs a module. Raises InstallError."""
        arguments = ["-r", str(REQUIREMENTS / f"{requirements}.txt")]
        return environment(f"{requirements}-python-{python}", arguments, self.pythons[python])

    def unit_target(self, core: str, python: str, requirements: str) -> Environment:
        """The environment of unit tests: where ansible-core runs, those of plugins take it.

        Raises InstallError.
        """
        if python in self._controllers(core):
            return self.controller(core, python, requirements)[1]
        return self.target(python, requirements)

    def _plan_core(self, core: str) -> None:
        self.jobs.append(Job(core, self._controllers(core)[-1], "sanity", self._sanity(core)))
        for python in SUPPORTED:
            if python not in module_pythons(core):
                reason = "not run: newer than this ansible-core"
            elif python not in self.pythons:
                reason = "not run: no such Python here"
            else:
                self.jobs.append(Job(core, python, "units", self._units(core, python)))
                self.jobs.append(Job(core, python, "integration", self._integration(core, python)))
                continue
            self.skipped.append(Row(core, python, "units, integration", reason))

    def _plan_floors(self, core: str) -> None:
        usable = [python for python in module_pythons(core) if python in self.pythons]
        for python in dict.fromkeys((usable[0], usable[-1])):
            units = self._units(core, python, "floors")
            integration = self._integration(core, python, "floors")
            self.jobs.append(Job(core, python, "units at the floors", units))
            self.jobs.append(Job(core, python, "integration at the floors", integration))

    def _plan_installed(self, core: str) -> None:
        python = self._controllers(core)[-1]
        artifact = self._installed(core, from_git=False)
        self.jobs.append(Job(core, python, "tour, from the artifact", artifact))
        self.jobs.append(Job(core, python, "tour, from git", self._installed(core, from_git=True)))

    def _sanity(self, core: str) -> Callable[[str, IO[str]], int]:
        def run(label: str, log: IO[str]) -> int:
            _python, controller = self.controller(core)
            with _SANITY:
                return run_ansible_test(
                    "sanity", ["--local"], bin_directory=controller.bin, label=label, log=log
                )

        return run

    def _units(
        self, core: str, python: str, requirements: str = "units"
    ) -> Callable[[str, IO[str]], int]:
        def run(label: str, log: IO[str]) -> int:
            _controller_python, controller = self.controller(core, python)
            target = self.unit_target(core, python, requirements)
            arguments = ["--target-python", f"{python}@{target.python}"]
            return run_ansible_test(
                "units", arguments, bin_directory=controller.bin, label=label, log=log
            )

        return run

    def _integration(
        self, core: str, python: str, requirements: str = "units"
    ) -> Callable[[str, IO[str]], int]:
        def run(label: str, log: IO[str]) -> int:
            controller_python, controller = self.controller(core, python)
            target = self.target(python, requirements)
            return run_ansible_test(
                "integration",
                ["--local", "--python", controller_python],
                bin_directory=controller.bin,
                label=label,
                extra_vars={"ansible_python_interpreter": str(target.python)},
                log=log,
            )

        return run

    def _installed(self, core: str, *, from_git: bool) -> Callable[[str, IO[str]], int]:
        def run(label: str, log: IO[str]) -> int:
            _python, controller = self.controller(core)
            return run_installed(controller, label, log, from_git=from_git)

        return run


def run_installed(controller: Environment, label: str, log: IO[str], *, from_git: bool) -> int:
    """Install the collection into an empty place, and take the tour from an empty directory.

    From git, it is the last commit that is installed. Raises CalledProcessError.
    """
    # Imported here: it needs what only the test environment has.
    from emulator import running

    place = CACHE / "installed" / label
    shutil.rmtree(place, ignore_errors=True)
    working_directory = place / "empty"
    working_directory.mkdir(parents=True)
    environ = project_environ()
    del environ["PYTHONPATH"]
    environ["PATH"] = os.pathsep.join([str(controller.bin), environ["PATH"]])
    environ["ANSIBLE_COLLECTIONS_PATH"] = str(place / "collections")

    def call(*command: str) -> None:
        print("$", *command, file=log, flush=True)
        subprocess.run(
            command,
            check=True,
            cwd=working_directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    if from_git:
        source = f"git+file://{ROOT}"
    else:
        tree = copy_collection(label)
        call("ansible-galaxy", "collection", "build", "--output-path", str(place), str(tree))
        (artifact,) = place.glob("*.tar.gz")
        source = str(artifact)
    collections = environ["ANSIBLE_COLLECTIONS_PATH"]
    call("ansible-galaxy", "collection", "install", source, "--collections-path", collections)
    with running() as emulator:
        environ["INFISICAL_URL"] = emulator.url
        environ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"] = emulator.client_id
        environ["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"] = emulator.client_secret
        call("ansible-playbook", PLAYBOOK)
    return 0


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as a Markdown table."""
    yield "| ansible-core | Python | what | result | tests | seconds |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        seconds = f"{row.seconds:.0f}" if row.seconds else ""
        yield f"| {row.core} | {row.python} | {row.what} | {row.result} | {row.tests} | {seconds} |"


def main(arguments: Sequence[str]) -> int:
    """Run the matrix; the exit status says whether everything that ran passed."""
    parser = argparse.ArgumentParser(prog="make matrix ARGS=...", description=main.__doc__)
    parser.add_argument("cores", nargs="*", metavar="ansible-core", help=", ".join(CORES))
    cores = parser.parse_args(arguments).cores or list(CORES)
    unknown = [core for core in cores if core not in CORES]
    if unknown:
        parser.error(f"not supported: {', '.join(unknown)}; there are {', '.join(CORES)}")
    # All this on somebody's server would be too much.
    opt_out(os.environ)
    plan = Plan(cores)
    jobs = int(os.environ.get("JOBS") or min(2, os.cpu_count() or 1))
    found = ", ".join(plan.pythons) or "none"
    print(
        f"Python {found}; {len(plan.jobs)} runs, {jobs} at a time; logs in .cache/logs/", flush=True
    )
    LOGS.mkdir(parents=True, exist_ok=True)
    pool = ThreadPoolExecutor(jobs)
    try:
        results = list(pool.map(lambda job: job(), plan.jobs))
    finally:
        pool.shutdown(cancel_futures=True)
    rows = [row for row, _counts in results] + plan.skipped
    rows.sort(key=lambda row: row.core)
    counts = total(counts for _row, counts in results) + Counts(skipped=len(plan.skipped))
    text = "\n".join([*table(rows), "", str(counts)])
    (CACHE / "matrix.md").write_text(text + "\n")
    print(f"\n{text}")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
