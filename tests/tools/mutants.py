# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make mutants`: do the unit tests notice when the code changes?

mutmut changes one thing at a time in the code that `MUTATED` names, and runs the unit tests that
reach it. This draws a sample of its mutants, has mutmut try them, and lists those that no test
noticed. Those in survivors.toml beside this file have a reason to survive. The sample is the same
for the same seed: only the mutants of functions that change, change with them.
The exit status is 1 if more than 5% of the sample survive without one, or a reason is out of date.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomllib

from .environments import required
from .paths import COLLECTION, ROOT, copy_collection

SAMPLE = 200
SEED = 20261127
MOST_SURVIVORS = 0.05

SURVIVORS = Path(__file__).with_name("survivors.toml")
PLUGINS = COLLECTION / "plugins"
# What decides without asking a server, a file or Ansible, in folders and those below.
MUTATED = (
    "module_utils/_state/*.py",
    "module_utils/_text.py",
    "plugin_utils/*.py",
)
# How reports look is tested in tests/audit, not by unit tests.
NOT_MUTATED = ("plugin_utils/_report/outputs/*",)
# How mutmut calls what is noticed, besides "killed": an endless loop, by whoever waits for it, a
# test module that cannot be imported (the same tests were found and passed before any mutant), and
# a recursion that ends Python.
NOTICED = {"timeout", "check was interrupted by user", "segfault"}
# What takes long to import, and is not mutated.
WARM = ("ansible.template", "hypothesis.strategies", "netaddr", "requests", "yaml")
# mutmut makes all mutants and finds out which tests reach which function before it tries any.
SMALLEST = "*plugin_utils._printable*"


@dataclass(frozen=True)
class Mutant:
    """A change that no test noticed."""

    name: str
    status: str
    diff: str

    @property
    def function(self) -> str:
        """Where it is: `plugin_utils._rules.Rule.check`."""
        place = self.name.partition(".plugins.")[2].rpartition("__mutmut_")[0]
        module, _dot, function = place.rpartition(".")
        # mutmut puts `x_` before a function, and `xǁClassǁ` before a method.
        return f"{module}.{function[2:].replace('ǁ', '.')}"

    @property
    def change(self) -> tuple[str, str]:
        """The lines that go and the lines that come, without their indentation."""
        gone, come = (
            "\n".join(
                line[1:].strip()
                for line in self.diff.splitlines()
                if line.startswith(sign) and not line.startswith(3 * sign)
            )
            for sign in "-+"
        )
        return gone, come


class Mutmut:
    """mutmut, in a copy of the tree."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        tree = copy_collection("mutants")
        self._environment = required("mutants")
        self._root = tree.parents[len(COLLECTION.parts) - 1]
        some, others = (
            "".join(f"\n    {PLUGINS / pattern}" for pattern in patterns)
            for patterns in (MUTATED, NOT_MUTATED)
        )
        (self._root / "preload.txt").write_text("\n".join(WARM))
        # Each run of pytest in a process of its own: pytest escapes the ids of tests anew each time
        # that it collects them, and does not find those with a backslash again.
        (self._root / "setup.cfg").write_text(f"""[mutmut]
source_paths={COLLECTION.parts[0]}
only_mutate={some}
do_not_mutate={others}
pytest_add_cli_args_test_selection={COLLECTION / "tests/unit"}
pytest_add_cli_args=--hypothesis-profile=mutants
process_isolation=forkserver
forkserver_warmup=import
preload_modules_file=preload.txt
""")

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = self._environment.environ()
        # Tests must find the mutants, not the work tree.
        del environ["PYTHONPATH"], environ["ANSIBLE_COLLECTIONS_PATH"]
        done = subprocess.run(
            [self._environment.command("mutmut"), *arguments],
            cwd=self._root,
            env=environ,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            sys.exit(f"mutmut {arguments[0]} failed:\n{done.stdout[-4000:]}")
        return done

    def _run(self, *names: str) -> None:
        self._call("run", "--max-children", str(self._processes), *names)

    def prepare(self) -> list[str]:
        """Make all mutants; return their names."""
        self._run(SMALLEST)
        found: list[str] = []
        for file in self._root.glob(f"mutants/{PLUGINS}/**/*.meta"):
            found += json.loads(file.read_text())["exit_code_by_key"]
        return sorted(found)

    def survivors(self, names: Sequence[str]) -> list[Mutant]:
        """Try mutants; return those that no test noticed."""
        self._run(*names)
        found = []
        for line in self._call("results").stdout.splitlines():
            name, _colon, status = line.strip().rpartition(": ")
            if name in names and status not in NOTICED:
                found.append(Mutant(name, status, self._call("show", name).stdout))
        return found


def sample(names: Sequence[str], size: int, seed: int) -> list[str]:
    """Draw some names. Each is in or out whatever the others are."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())[:size]


def known() -> dict[tuple[str, tuple[str, str]], str]:
    """The survivors that are explained: the reason by function and change."""
    listed = tomllib.loads(SURVIVORS.read_text()).get("survivor", [])
    return {(row["in"], (row["from"].strip(), row["to"].strip())): row["why"] for row in listed}


def stale(reasons: dict[tuple[str, tuple[str, str]], str]) -> list[str]:
    """The explained survivors whose line is no longer in the code."""
    found = []
    for place, (before, _after) in reasons:
        files = [
            file
            for file in (ROOT / "plugins").glob("**/*.py")
            if place.startswith(".".join(file.relative_to(ROOT / "plugins").with_suffix("").parts))
        ]
        lines = {line.strip() for file in files for line in file.read_text().splitlines()}
        if not files or not set(before.splitlines()) <= lines:
            found.append(f"{place}: {before}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Try a sample of mutants; the exit status says whether few enough survive."""
    parser = argparse.ArgumentParser(prog="make mutants ARGS=...", description=main.__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many, 0 for all")
    parser.add_argument("--seed", type=int, default=SEED, help="which ones")
    parser.add_argument("--within", default="", help="only those whose name has this in it")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count(), help="how many mutants to try at a time"
    )
    options = parser.parse_args(arguments)
    reasons = known()
    mutmut = Mutmut(options.processes)
    names = [name for name in mutmut.prepare() if options.within in name]
    size = min(options.sample or len(names), len(names))
    print(f"{size} of {len(names)} mutants, seed {options.seed}", flush=True)
    survivors = mutmut.survivors(sample(names, size, options.seed))
    explained = [mutant for mutant in survivors if (mutant.function, mutant.change) in reasons]
    for mutant in survivors:
        if mutant not in explained:
            print(f"\n{mutant.function} ({mutant.status}): {mutant.name}\n{mutant.diff}")
    count = len(survivors) - len(explained)
    outdated = stale(reasons)
    for place in outdated:
        print(f"{SURVIVORS.name} explains what is no longer there: {place}")
    print(
        f"{size} mutants, {count} survived ({count / size:.1%}; at most {MOST_SURVIVORS:.0%}), "
        f"{len(explained)} more for a reason"
    )
    return 1 if outdated or count > MOST_SURVIVORS * size else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
