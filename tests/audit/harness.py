# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs roles: as their playbooks do, or several times in one run of ansible-playbook."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from tools.paths import COLLECTIONS
from tools.playbooks import run_playbook

from emulator import Emulator

ROLE = "community.infisical.identities_audit"
PLAYBOOK = ROLE
BEGIN = "begin: "

Variables = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Record:
    """What a task did, as `audit_record` wrote it."""

    task: str
    action: str
    status: str
    result: dict[str, t.Any]
    size: int = 0


@dataclass
class Case:
    """What the tasks of a case did, and its folder."""

    folder: Path
    records: list[Record] = field(default_factory=list)

    @property
    def failure(self) -> str | None:
        """The message that it failed with; None if it did not."""
        failed = [record for record in self.records if record.status == "failed"]
        return str(failed[-1].result["msg"]) if failed else None

    def named(self, beginning: str) -> list[Record]:
        """Return the tasks whose name begins so."""
        return [record for record in self.records if record.task.startswith(beginning)]


@dataclass
class Audit(Case):
    """What an audit did; its folder is the one that it wrote into."""

    @property
    def report(self) -> dict[str, t.Any]:
        """The JSON that it wrote."""
        report: dict[str, t.Any] = json.loads(self.json.read_text(encoding="utf-8"))
        return report

    @property
    def json(self) -> Path:
        """Where the JSON is."""
        return self.folder / "report" / "audit.json"

    @property
    def html(self) -> Path:
        """Where the page is."""
        return self.folder / "report" / "audit.html"

    @property
    def console(self) -> list[str]:
        """The lines that sum it up; none if it did not come that far."""
        lines: list[str] = []
        for record in self.named("Show the summary"):
            lines += record.result["msg"]
        return lines


AnyCase = t.TypeVar("AnyCase", bound=Case)


@dataclass
class Run:
    """A run of ansible-playbook: its exit status, what it printed, what its tasks did."""

    returncode: int
    output: str
    records: list[Record]


def paths(folder: Path) -> dict[str, str]:
    """Return the variables that make an audit write into a folder, which need not exist."""
    return {
        "identities_audit_html": str(folder / "report" / "audit.html"),
        "identities_audit_json": str(folder / "report" / "audit.json"),
    }


def by_secret(emulator: Emulator) -> dict[str, str]:
    """Return the variables of the environment that make modules log in with a client secret."""
    return {
        "INFISICAL_URL": emulator.url,
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": emulator.client_id,
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": emulator.client_secret,
    }


def by_token(emulator: Emulator) -> dict[str, str]:
    """Return the variables of the environment that make modules use a token of somebody's."""
    return {"INFISICAL_URL": emulator.url, "INFISICAL_TOKEN": emulator.token}


def play(login: t.Mapping[str, str], folder: Path, *arguments: str) -> Run:
    """Run ansible-playbook in a folder, with what it takes to log in in the environment."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "records.jsonl"
    log.unlink(missing_ok=True)
    foreign = ("ANSIBLE_", "INFISICAL_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and not name.lower().endswith("_proxy")
    }
    environ = {
        **kept,
        "ANSIBLE_CALLBACKS_ENABLED": "audit_record",
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback_plugins")),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_PIPELINING": "true",
        "AUDIT_RECORD": str(log),
        **login,
    }
    done = run_playbook(arguments, folder, environ)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return Run(done.returncode, done.output, [Record(**json.loads(line)) for line in lines])


def play_cases(
    login: t.Mapping[str, str],
    folder: Path,
    cases: t.Mapping[str, t.Sequence[Variables]],
    made: t.Callable[[Path], AnyCase],
) -> dict[str, AnyCase]:
    """Run the tasks of each case in one run of ansible-playbook; one that fails ends its case.

    `made` makes a case of its folder, which is one of its name in `folder`.
    """
    tasks: list[dict[str, t.Any]] = []
    for name, steps in cases.items():
        tasks.append({"name": BEGIN + name, "ansible.builtin.debug": {"msg": name}})
        tasks.append({"block": list(steps), "rescue": [{"ansible.builtin.meta": "noop"}]})
    content = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {"group/community.infisical.infisical": {"retries": 0}},
        "tasks": tasks,
    }
    folder.mkdir(parents=True, exist_ok=True)
    playbook = folder / "cases.yml"
    playbook.write_text(json.dumps([content]), encoding="utf-8")
    run = play(login, folder, str(playbook))
    done: dict[str, AnyCase] = {}
    for record in run.records:
        if record.task.startswith(BEGIN):
            name = record.task.removeprefix(BEGIN)
            done[name] = made(folder / name)
        elif done and record.status != "stats":
            done[name].records.append(record)
    assert set(done) == set(cases), run.output[-4000:]
    return done


def role(name: str, **variables: t.Any) -> dict[str, t.Any]:
    """Return the task that runs a role."""
    return {"ansible.builtin.include_role": {"name": name}, "vars": variables}


def audits(
    login: t.Mapping[str, str], folder: Path, cases: t.Mapping[str, Variables]
) -> dict[str, Audit]:
    """Run the role once for each case, with these variables, in one run of ansible-playbook.

    Each writes into `report` in a folder of its name, unless its variables say something else.
    """
    steps = {
        name: [role(ROLE, **{**paths(folder / name), **variables})]
        for name, variables in cases.items()
    }
    return play_cases(login, folder, steps, Audit)


def writes(emulator: Emulator) -> list[str]:
    """Return the requests that were made and may change something, but for logging in and out."""
    harmless = ("/login", "/auth/token/revoke", "/search")
    return [
        f"{request.method} {request.path}"
        for request in emulator.requests()
        if request.method != "GET" and not request.path.endswith(harmless)
    ]


def names(report: Variables, status: str) -> list[t.Any]:
    """Return the names of the identities of a report that have a status."""
    return [item["name"] for item in with_status(report, status)]


def with_status(report: Variables, status: str) -> list[dict[str, t.Any]]:
    """Return the identities of a report that have a status."""
    return [item for item in report["identities"] if item["status"] == status]
