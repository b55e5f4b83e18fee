# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the blocks of a document, in order, against an emulator of its own.

A document is a story: what one block creates, a later one changes. Playbooks and task lists run as
they stand but for the names that only an example can have: the address of Infisical and the ids of
identities and projects. The tasks in EXAMPLES of modules run twice each, to see them keep what they
made; the identities that they name are there before, with Azure Auth. As many blocks as possible go
into one run of `ansible-playbook`, which is what takes the time.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import textwrap
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from tools.paths import COLLECTIONS
from tools.playbooks import run_playbook

from docs.blocks import EXAMPLES, Block, BlockError
from docs.logins import Logins
from emulator import Emulator

COLLECTION = "community.infisical."
# What git does in the folder of the reader, and nowhere else.
LOCAL_GIT = ("init", "add", "commit", "diff", "status")
URLS = ("https://infisical.example.com", "https://app.infisical.com", "https://eu.infisical.com")

# Other people's collections, or what stands in for them.
OTHERS = Path(__file__).with_name("collections")

_ID = re.compile(r"\bidentity_id: +\"?(?P<id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_PROJECT_ID = re.compile(r"\bproject_id: +(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_LOGIN_ID = re.compile(r"\bauth_identity_id: +(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
# What an identity has that a block is given.
SOMEBODYS = {
    "tenantId": "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16",
    "resource": "https://management.azure.com/",
    "allowedServicePrincipalIds": "c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e",
}
# And what one has that a block is given as odd.
ODD = {**SOMEBODYS, "resource": "/"}
_WRAPPER = """\
- name: The tasks of a documentation block
  hosts: localhost
  gather_facts: false
  tasks:
"""


@dataclass(frozen=True)
class Record:
    """The result of one task, as `docs_record` wrote it."""

    playbook: str
    action: str
    host: str
    status: str
    result: dict[str, t.Any]
    diff: str


@dataclass
class Told:
    """What became of a block: the results of its tasks, and what was printed for it to be told."""

    records: list[Record] = field(default_factory=list)
    output: str = ""
    returncode: int = 0

    @property
    def own(self) -> list[Record]:
        """The results of this collection's modules."""
        return [record for record in self.records if record.action.startswith(COLLECTION)]


@dataclass(frozen=True)
class Command:
    """A command of a `console` or `shell` block, and the output shown below it."""

    words: tuple[str, ...]
    shown: str


def commands(block: Block) -> list[Command]:
    """Return the commands of a `console` (those after `$ `) or `shell` block (every line)."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if block.language == "shell":
            found.append((line, []))
        elif line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
        else:
            raise BlockError(f"{block.id}: output before the first command")
    return [
        Command(tuple(shlex.split(line, comments=True)), "\n".join(shown))
        for line, shown in found
        if shlex.split(line, comments=True)
    ]


def is_local_git(command: Command) -> bool:
    """Return whether a command is git, and about the folder of the reader alone."""
    return command.words[0] == "git" and command.words[1] in LOCAL_GIT


def as_part(part: str, text: str) -> str:
    """Return what a block shows of a text, indented as it is there."""
    indented = (textwrap.indent(part, indent) for indent in ("", "  ", "    "))
    return next((found for found in indented if f"\n{found}" in text), part)


def _twice(tasks: str) -> str:
    """Return a task list in which each task stands twice, one after the other."""
    parts = re.split(r"^(?=- )", tasks, flags=re.MULTILINE)
    return "".join(part.rstrip("\n") + "\n" + part for part in parts if part.startswith("- "))


def _named(value: t.Any) -> t.Iterator[str]:
    """Yield the names of identities that playbooks, tasks and lists want to find.

    Those of loops included. A new name for an id is none of them.
    """
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        names = [value.get("identity_name"), *_texts(value.get("names"))]
        names += [*_texts(value.get("purge_azure_auth_except"))]
        if "{{ item }}" in str(value):
            names += [*_texts(value.get("loop"))]
        yield from (name for name in names if isinstance(name, str) and "{{" not in name)
        for item in value.values():
            yield from _named(item)


def _entered(value: t.Any) -> t.Iterator[str]:
    """Yield the names of entries, which create identities."""
    if isinstance(value, list):
        for item in value:
            yield from _entered(item)
    elif isinstance(value, dict):
        options = [value[key] for key in value if key == f"{COLLECTION}infisical_identity"]
        lists = [item for item in value.get("identities", ()) if isinstance(item, dict)]
        looped = value.get("loop", ()) if "{{ item.name }}" in str(options) else ()
        for entry in (*options, *lists, *looped):
            if "id" not in entry and "{{" not in entry.get("name", "{{"):
                yield entry["name"]
        for item in value.values():
            yield from _entered(item)


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _given(mark: str) -> list[str]:
    """Return the names in a mark; `a-1..a-9` are nine."""
    names = []
    for name in filter(None, mark.split(", ")):
        first, _dots, last = name.partition("..")
        stem = first.rstrip("0123456789")
        digits = len(first) - len(stem)
        numbers = range(int(first[-digits:]), int(last[-digits:]) + 1) if last else ()
        names += [f"{stem}{number:0{digits}}" for number in numbers] or [name]
    return names


class Story:
    """The blocks of one document, told once."""

    def __init__(
        self, blocks: t.Sequence[Block], emulator: Emulator, given: Logins, folder: Path
    ) -> None:
        self._emulator = emulator
        self._given = given
        self._folder = folder
        seeded = map(emulator.identity, emulator.identities.values())
        self._identities = {
            item["identity"]["name"]: item["identityId"] for item in seeded if item is not None
        }
        self._names = self._create_identities(blocks)
        self._variables = self._write_variables()
        self._batch: list[tuple[Block, str]] = []
        self._told: dict[str, Told] = {}
        self._shown: dict[str, str] = {}
        for number, block in enumerate(blocks):
            self._tell(number, block)
        self._flush()
        self.requests = emulator.requests()

    def __getitem__(self, block: Block) -> Told:
        return self._told[block.id]

    def as_documented(self, text: str) -> str:
        """Return real output with the addresses and ids that the document uses."""
        for documented, real in self._names.items():
            text = text.replace(real, documented)
        return text

    def _create_identities(self, blocks: t.Sequence[Block]) -> dict[str, str]:
        """Create what is there before; return the documented ids and addresses, and the real ones.

        An identity that one block is to find is there, unless a block before it creates it. One
        that a block creates is not there, though the emulator may begin with one of that name.
        """
        text = "\n".join(block.text for block in blocks)
        entered: set[str] = set()
        found: set[str] = set()
        for block in blocks:
            content = yaml.safe_load(block.text) if block.language == "yaml" else None
            with_azure_auth = _given(block.marks.get("given", ""))
            odd = _given(block.marks.get("odd", ""))
            names = [name for name in _named(content) if name not in entered]
            if block.heading == EXAMPLES:
                with_azure_auth = [*names, *_entered(content)]
            there = [*names, *with_azure_auth, *odd, *_given(block.marks.get("bare", ""))]
            for name in there:
                if name not in self._identities:
                    self._identities[name] = self._emulator.create_identity(name)
            found.update(there)
            for name in _entered(content):
                if name in self._identities and name not in found:
                    self._emulator.delete_identity(self._identities.pop(name))
            for name in dict.fromkeys(with_azure_auth):
                self._emulator.put_azure_auth(self._identities[name], **SOMEBODYS)
            for name in odd:
                self._emulator.put_azure_auth(self._identities[name], **ODD)
            entered.update(_entered(content))
        ids = dict.fromkeys(match["id"] for match in _ID.finditer(text))
        projects = {
            match["id"]: self._emulator.create_project(f"documented as {match['id']}")
            for match in _PROJECT_ID.finditer(text)
        }
        for project_id in (*projects.values(), self._emulator.project_id):
            self._emulator.add_member(
                self._emulator.identities["admin"], "admin", project_id=project_id
            )
        return {
            **{
                documented: self._emulator.create_identity(f"documented as {documented}")
                for documented in ids
            },
            **projects,
            **{match["id"]: self._given.identity_id for match in _LOGIN_ID.finditer(text)},
            **dict.fromkeys(URLS, self._emulator.url),
        }

    def _write_variables(self) -> str:
        """Write what examples take from variables, as users do; return the file's name."""
        variables = {
            "identity_id": self._identities.get("billing"),
            "project_id": self._emulator.project_id,
            **self._given.variables,
        }
        (self._folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        return "@variables.json"

    def _tell(self, number: int, block: Block) -> None:
        kind = block.kind
        if "file" in block.marks:
            self._write(block.marks["file"], block.text)
        elif "shows" in block.marks:
            self._flush()
            name = block.marks["shows"]
            text = (self._folder / name).read_text(encoding="utf-8")
            self._told[block.id] = Told(output=text)
            self._shown[name] = as_part(block.text, self.as_documented(text))
        elif "edit" in block.marks:
            name = block.marks["edit"]
            text = self.as_documented((self._folder / name).read_text(encoding="utf-8"))
            shown = self._shown[name]
            indent = shown[: len(shown) - len(shown.lstrip(" "))]
            self._write(name, text.replace(shown, textwrap.indent(block.text, indent)))
        elif kind in ("playbook", "tasks"):
            text = block.text
            if block.document.endswith(".py"):
                text = _twice(text)
            if kind == "tasks":
                text = _WRAPPER + textwrap.indent(text, "    ")
            name = f"block-{number}.yml"
            self._write(name, text)
            self._batch.append((block, name))
        elif kind == "session":
            self._flush()
            (command,) = commands(block)
            if command.words[0] == "git":
                self._told[block.id] = Told(output=self._git(command))
            else:
                self._told[block.id] = self._run(command.words[1:])
        elif kind == "commands" and all(map(is_local_git, commands(block))):
            self._flush()
            for command in commands(block):
                self._git(command)

    def _git(self, command: Command) -> str:
        """Run git in the folder, and return what it prints."""
        done = subprocess.run(
            command.words,
            cwd=self._folder,
            env={
                **os.environ,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_SYSTEM": os.devnull,
                **{f"GIT_{who}_NAME": "reader" for who in ("AUTHOR", "COMMITTER")},
                **{f"GIT_{who}_EMAIL": "reader@example.com" for who in ("AUTHOR", "COMMITTER")},
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def _write(self, name: str, text: str) -> None:
        for documented, real in self._names.items():
            text = text.replace(documented, real)
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _flush(self) -> None:
        """Run the batch; a playbook that fails ends a run, so the rest takes another one."""
        batch, self._batch = self._batch, []
        while batch:
            told = self._run(["-e", self._variables, *(name for _block, name in batch)])
            by_name: dict[str, list[Record]] = {}
            for record in told.records:
                by_name.setdefault(record.playbook, []).append(record)
            done = 0
            for block, name in batch:
                records = by_name.get(name, [])
                failed = told.returncode != 0 and (
                    not records or any(record.status == "failed" for record in records)
                )
                self._told[block.id] = Told(records, told.output, told.returncode if failed else 0)
                done += 1
                if failed:
                    break
            batch = batch[done:]

    def _run(self, arguments: t.Sequence[str]) -> Told:
        return ansible_playbook(arguments, self._emulator, self._folder, **self._given.environment)


def ansible_playbook(
    arguments: t.Sequence[str], emulator: Emulator, folder: Path, **environment: str
) -> Told:
    """Run `ansible-playbook` in a folder, with the emulator in the environment."""
    log = folder / "records.jsonl"
    log.unlink(missing_ok=True)
    environ = {
        **{name: value for name, value in os.environ.items() if not _is_foreign(name)},
        "ANSIBLE_CALLBACKS_ENABLED": "docs_record",
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback_plugins")),
        "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}{os.pathsep}{OTHERS}",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_PIPELINING": "true",
        "DOCS_RECORD": str(log),
        "INFISICAL_URL": emulator.url,
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": emulator.client_id,
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": emulator.client_secret,
        **environment,
    }
    run = run_playbook(arguments, folder, environ)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return Told([Record(**json.loads(line)) for line in lines], run.output, run.returncode)


def _is_foreign(name: str) -> bool:
    """Whether a variable of the caller's environment would change what the examples do."""
    return name.startswith(("ANSIBLE_", "INFISICAL_")) or name.lower().endswith("_proxy")
