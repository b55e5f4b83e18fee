# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays on the implicit localhost, and how long each of their tasks took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.paths import COLLECTIONS

HERE = Path(__file__).resolve().parent

Task = Mapping[str, Any]

# What would make a run depend on the person who starts it; the last halves Ansible's speed.
_DROPPED = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC", "PYTHONDONTWRITEBYTECODE")


class PlayError(Exception):
    """A play did not do what was to be measured. The text has the end of its output."""


@dataclass(frozen=True)
class Timed:
    """A task that was run: its name, its time in seconds, and the short keys of its result."""

    name: str
    seconds: float
    result: dict[str, Any]


@dataclass(frozen=True)
class Player:
    """Runs plays with the variables of a server, and files in a folder, by an interpreter."""

    folder: Path
    variables: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable

    @property
    def library(self) -> Path:
        """Where modules of our own lie."""
        return self.folder / "library"

    def environ(self) -> dict[str, str]:
        """The environment variables of ansible-playbook, and so of the modules that it runs."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSIBLE_", "INFISICAL_"))
            and not name.upper().endswith("_PROXY")
            # Modules get no help from the work tree.
            and name not in (*_DROPPED, "PYTHONPATH")
        }
        return {
            **kept,
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "task_times",
            "ANSIBLE_LIBRARY": str(self.library),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_REMOTE_TMP": str(self.folder / "tmp"),
            "TASK_TIMES_FILE": str(self.folder / "times.jsonl"),
            **self.variables,
            **self.environment,
        }

    def run(self, tasks: Iterable[Task], **variables: Any) -> list[Timed]:
        """Run the tasks of one play, in order. Raises PlayError where one fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # In the playbook itself they would be parsed as YAML, and in vars_files for every task.
        values = self.folder / "variables.json"
        values.write_text(json.dumps(variables), encoding="utf-8")
        include = [named("include", {"ansible.builtin.include_vars": {"file": str(values)}})]
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [*(include if variables else []), *tasks],
        }
        playbook = self.folder / "playbook.yml"
        playbook.write_text(json.dumps([play]), encoding="utf-8")
        times = self.folder / "times.jsonl"
        times.unlink(missing_ok=True)
        program = Path(sysconfig.get_path("scripts")) / "ansible-playbook"
        done = subprocess.run(
            [self.python, str(program), str(playbook)],
            cwd=self.folder,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PlayError(done.stdout[-4000:])
        return [
            Timed(line["name"], line["seconds"], line)
            for line in map(json.loads, times.read_text(encoding="utf-8").splitlines())
        ]


def named(name: str, task: Task) -> Task:
    """A task with a name."""
    return {"name": name, **task}


def seconds_of(timed: Iterable[Timed], name: str) -> list[float]:
    """The times of the tasks with a name, in order."""
    return [task.seconds for task in timed if task.name == name]
