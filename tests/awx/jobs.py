# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a playbook as a job of AWX runs it: by ansible-runner, in a private data directory.

What AWX does besides, and is not done here: the container of the execution environment, and
Receptor, which carries the streams between the nodes.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import ansible_runner
from tools import playbooks
from tools.environments import ANSIBLE
from tools.paths import COLLECTIONS

from awx.controller import Injected, Object, dumped, inject
from awx.objects import CREDENTIAL_TYPE, PROJECT

Event = dict[str, t.Any]

# awx/settings/defaults.py: what is longer is dropped from an event.
MAX_EVENT_RES = 700_000
# What a job that applies a list hands on if it has done nothing.
NOTHING = {
    "checked": 0,
    "changed": 0,
    "created": 0,
    "deleted": 0,
    "revoked": 0,
    "failed": 0,
    "purged": 0,
    "as_desired": 0,
}
_IDENTS = itertools.count(1)
# awx/main/models/inventory.py gives its hosts to a script.
_INVENTORY = """\
#!/bin/sh
cat << 'END'
{text}
END
"""


@dataclass
class Job:
    """A job that ran: how it ended, its events in order, and where its files are."""

    status: str
    folder: Path
    ident: str
    hosts: t.Sequence[str] = ("localhost",)
    events: list[Event] = field(default_factory=list)

    def note(self, event: Event) -> bool:
        """Take an event, and let ansible-runner write it into a file."""
        self.events.append(event)
        return True

    @property
    def artifacts(self) -> Path:
        """The folder with what the job left behind."""
        return self.folder / "artifacts" / self.ident

    def results(self, module: str = "") -> list[dict[str, t.Any]]:
        """Return the results of tasks, in order, of one module or of all of community.infisical."""
        return [
            event["event_data"]["res"]
            for event in self.events
            if event["event"] in ("runner_on_ok", "runner_on_failed", "runner_item_on_ok")
            and event["event_data"]["task_action"].startswith(f"community.infisical.{module}")
        ]

    @property
    def stats(self) -> dict[str, t.Any]:
        """What set_stats handed on: AWX gives it to the jobs that follow in a workflow."""
        data: dict[str, t.Any] = self._end().get("artifact_data", {})
        return data

    @property
    def facts(self) -> dict[str, dict[str, t.Any]]:
        """The facts by host that AWX stores after the job: awx/main/tasks/facts.py.

        It reads files that are called as the host is, and takes it for a host without facts if
        there is none.
        """
        paths = [self.artifacts / "fact_cache" / host for host in self.hosts]
        return {
            path.name: json.loads(path.read_text(encoding="utf-8"))
            for path in paths
            if path.exists()
        }

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
        return sum(self._end()["changed"].values())

    @property
    def output(self) -> str:
        """What the job printed."""
        return "\n".join(filter(None, (event["stdout"] for event in self.events)))

    def _end(self) -> dict[str, t.Any]:
        (data,) = (
            event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"
        )
        return t.cast("dict[str, t.Any]", data)


@dataclass(frozen=True)
class Template:
    """A job template, as far as a run depends on it.

    `extra_vars` are given at launch, `own_vars` are the template's. `hosts` are those of the
    inventory. With `fact_cache`, facts are kept, and those of the job `facts_of` are there from the
    start.
    """

    playbook: str
    credential: Object
    check: bool = False
    diff: bool = True
    extra_vars: Object = field(default_factory=dict)
    own_vars: Object = field(default_factory=dict)
    hosts: t.Sequence[str] = ("localhost",)
    verbosity: int = 0
    project: Path = PROJECT
    environment: t.Mapping[str, str] = field(default_factory=dict)
    fact_cache: bool = False
    facts_of: Job | None = None


def launch(template: Template, folder: Path) -> Job:
    """Run a job on this node, in `folder`; what earlier jobs left there stays."""
    prepared = _Prepared(template, folder, seen_as=folder)
    job = Job("", folder, prepared.ident, template.hosts)
    runner = ansible_runner.interface.init_runner(**prepared.parameters, event_handler=job.note)
    runner.config.command[:1] = playbooks.command(runner.config.env)
    runner.run()
    job.status = runner.status
    return job


def launch_elsewhere(template: Template, folder: Path, node: Path) -> tuple[Job, bytes, bytes]:
    """Run a job as on another node, in `node`: transmit, worker, process.

    Returns the job, and the streams that went to the node and came back from it.
    """
    prepared = _Prepared(template, folder, seen_as=node)
    there, back = folder.with_name("there"), folder.with_name("back")
    with there.open("wb") as stream:
        ansible_runner.interface.run(streamer="transmit", _output=stream, **prepared.parameters)
    node.mkdir()
    program = Path(sys.executable).with_name("ansible-runner")
    with there.open("rb") as sent, back.open("wb") as answer:
        subprocess.run(
            [program, "worker", "--private-data-dir", node],
            stdin=sent,
            stdout=answer,
            # Its status is that of the job, which may fail.
            check=False,
        )
    job = Job("", folder, prepared.ident, template.hosts)
    with back.open("rb") as stream:
        done = ansible_runner.interface.run(
            streamer="process",
            _input=stream,
            event_handler=job.note,
            **prepared.parameters,
        )
    job.status = done.status
    return job, there.read_bytes(), back.read_bytes()


class _Prepared:
    """The private data directory of a job, and what ansible-runner is called with."""

    def __init__(self, template: Template, folder: Path, *, seen_as: Path) -> None:
        self.ident = str(next(_IDENTS))
        for name in ("env", "inventory", "project"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in ("env", "inventory"):
            (folder / name).mkdir(parents=True)
        shutil.copytree(template.project, folder / "project")
        if template.facts_of:
            cached = folder / "artifacts" / self.ident / "fact_cache"
            cached.mkdir(parents=True)
            for host, facts in template.facts_of.facts.items():
                (cached / host).write_text(json.dumps(facts), encoding="utf-8")
        injected = inject(CREDENTIAL_TYPE, template.credential, folder, seen_as)
        inventory = folder / "inventory" / "hosts"
        inventory.write_text(
            _INVENTORY.format(text=json.dumps(_inventory(template.hosts))),
            encoding="utf-8",
        )
        inventory.chmod(0o700)
        self._write_env(folder, template, injected, seen_as)
        self.parameters = {
            "ident": self.ident,
            "private_data_dir": str(folder),
            "playbook": template.playbook,
            "inventory": str(inventory),
            "suppress_env_files": True,
            "envvars": {
                **ANSIBLE,
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_RETRY_FILES_ENABLED": "False",
                # As elsewhere in the tests: it saves time.
                "ANSIBLE_PIPELINING": "True",
                "JOB_ID": self.ident,
                "MAX_EVENT_RES": str(MAX_EVENT_RES),
                **template.environment,
                **injected.env,
            },
            "fact_cache_type": "jsonfile" if template.fact_cache else "",
            "quiet": True,
        }

    def _write_env(
        self, folder: Path, template: Template, injected: Injected, seen_as: Path
    ) -> None:
        """Write what AWX writes below env: settings, variables and the command line."""
        arguments = ["-u", "root"]
        arguments += ["--check"] if template.check else []
        arguments += ["--diff"] if template.diff else []
        arguments += ["-" + "v" * template.verbosity] if template.verbosity else []
        if injected.extra_vars:
            (folder / "env" / "injected").write_text(
                dumped(injected.extra_vars, {}), encoding="utf-8"
            )
            arguments += ["-e", f"@{seen_as / 'env' / 'injected'}"]
        contents = {
            "cmdline": " ".join(arguments),
            "extravars": dumped(
                # awx/main/models/unified_jobs.py: AWX adds what it knows of the job.
                {**template.own_vars, **template.extra_vars, "awx_job_id": int(self.ident)},
                template.own_vars,
            ),
            "settings": json.dumps({"suppress_ansible_output": True, "suppress_output_file": True}),
        }
        for name, content in contents.items():
            (folder / "env" / name).write_text(content, encoding="utf-8")


def _inventory(hosts: t.Sequence[str]) -> dict[str, t.Any]:
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return {
        "all": {"hosts": list(hosts)},
        "_meta": {"hostvars": dict.fromkeys(hosts, variables)},
    }


def project_of(folder: Path, identities: t.Sequence[Object]) -> Path:
    """Return a copy of the extension's project, with these identities in place of its own."""
    project = folder / "source"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("identities"))
    (project / "identities").mkdir()
    half = len(identities) // 2
    for name, part in (("a.yml", identities[:half]), ("b.json", identities[half:])):
        content = {"identities": part} if name == "a.yml" else part
        (project / "identities" / name).write_text(json.dumps(content), encoding="utf-8")
    return project


def texts(folder: Path) -> dict[str, str]:
    """Return every file below a folder, by its path there."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8", errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
    }


def is_foreign(name: str) -> bool:
    """Whether a variable of the caller's environment would change what a job does."""
    upper = name.upper()
    return upper.startswith(("ANSIBLE_", "INFISICAL_")) or upper.endswith(("_PROXY", "_CA_BUNDLE"))


def clean_environment() -> dict[str, str]:
    """Return the environment of a node: without settings of the person who tests."""
    kept = {name: value for name, value in os.environ.items() if not is_foreign(name)}
    # It would cost Ansible half of its speed.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    programs = str(Path(sys.executable).parent)
    return {**kept, "PATH": os.pathsep.join([programs, kept.get("PATH", os.defpath)])}
