# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module by Ansible, many tasks in one ansible-playbook."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from tools import interpreter, playbooks
from tools.paths import COLLECTIONS

MODULE = "community.infisical.infisical_azure_auth"
IDENTITY = "community.infisical.infisical_identity"
FLEET = "community.infisical.infisical_identities"
INFO = "community.infisical.infisical_identity_info"
HERE = Path(__file__).resolve().parent

# What is left to chance is tried more often by `make thorough`, which has more time.
THOROUGH = os.environ.get("THOROUGH") == "1"

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_PYTHON_MODULES = "ansible_collections.community.infisical.plugins.modules"

# The last costs Ansible half of its speed.
DROPPED = (
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "NETRC",
    "PYTHONDONTWRITEBYTECODE",
)

Result = dict[str, t.Any]


@dataclass(frozen=True)
class Task:
    """One run of a module: its options, and the environment around it."""

    options: t.Mapping[str, t.Any]
    check: bool = False
    environment: t.Mapping[str, str] = field(default_factory=dict)
    module: str = MODULE


@dataclass(frozen=True)
class Run:
    """What a playbook did: a result a task, in order, and all that it printed."""

    results: list[Result]
    output: str


def clean_environment(folder: Path, **extra: str) -> dict[str, str]:
    """Return an environment without credentials, proxies or settings of the person who tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("ANSIBLE_", "INFISICAL_"))
        and not name.upper().endswith("_PROXY")
        and name not in DROPPED
    }
    return {
        **kept,
        "HOME": str(folder),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "results_file",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "RESULTS_FILE": str(folder / "results.jsonl"),
        **extra,
    }


Tasks = t.Iterable[t.Mapping[str, t.Any]]


def run_play(folder: Path, tasks: Tasks, *arguments: str, **extra: str) -> Run:
    """Run tasks on the implicit localhost; `extra` goes into the environment of ansible-playbook.

    A task that fails does not stop the play: its result says so.
    """
    return _run_play(playbooks.run_playbook, folder, tasks, arguments, extra)


def run_play_apart(folder: Path, tasks: Tasks, *arguments: str, **extra: str) -> Run:
    """Do as `run_play`, by the program itself, so that others see its arguments."""
    return _run_play(playbooks.run_program, folder, tasks, arguments, extra)


def _run_play(
    run: t.Callable[[t.Sequence[str], Path, t.Mapping[str, str]], playbooks.Run],
    folder: Path,
    tasks: Tasks,
    arguments: t.Sequence[str],
    extra: t.Mapping[str, str],
) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    listed = list(tasks)
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "ignore_errors": True,
        "tasks": listed,
    }
    playbook = folder / "playbook.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    results = folder / "results.jsonl"
    results.unlink(missing_ok=True)
    done = run([str(playbook), *arguments], folder, clean_environment(folder, **extra))
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    assert len(lines) == len(listed), done.output[-4000:]
    return Run([json.loads(line) for line in lines], done.output)


def play_tasks(folder: Path, tasks: t.Iterable[Task], **extra: str) -> list[Result]:
    """Run modules by Ansible once for each task, in order, and return the results."""
    played = [
        {
            task.module: dict(task.options),
            "check_mode": task.check,
            "diff": True,
            "environment": dict(task.environment),
        }
        for task in tasks
    ]
    return run_play(folder, played, **extra).results


def run_tasks(folder: Path, tasks: t.Iterable[Task], **extra: str) -> list[Result]:
    """Run modules once for each task, in order, and return the results.

    A process for each, by Ansible only in `make thorough`.
    """
    if THOROUGH:
        return play_tasks(folder, tasks, **extra)
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    for task in tasks:
        environment = {**extra, **task.environment}
        process = start_module(
            task.module,
            folder,
            task.options,
            check=task.check,
            environment=environment,
        )
        results.append(finish_module(process))
    return results


def _arguments(options: t.Mapping[str, t.Any], check: bool) -> str:
    """Return what Ansible hands to a module, in diff mode."""
    settings = {"_ansible_check_mode": check, "_ansible_diff": True}
    return json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **settings}})


def run_in_process(
    main: t.Callable[[], None], options: t.Mapping[str, t.Any], *, check: bool = False
) -> Result:
    """Run a module in this process, in diff mode, for tests that run one many hundred times."""
    basic._ANSIBLE_ARGS = _arguments(options, check).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    # Those of the runs before, too.
    warnings._global_warnings.clear()
    output = io.StringIO()
    # A module ends with its process, and leaves signals ignored.
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
            main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    result: Result = {"failed": False, **json.loads(output.getvalue())}
    return result


def start_module(
    name: str,
    folder: Path,
    options: t.Mapping[str, t.Any],
    *,
    check: bool = False,
    environment: t.Mapping[str, str] | None = None,
    python: str | None = None,
) -> subprocess.Popen[str]:
    """Start a module as a process, without Ansible, which would itself have to be stopped.

    In the folders of a PYTHONPATH in `environment` Python looks first. `python` is by default the
    one that starts fast.
    """
    extra = dict(environment or {})
    if "PYTHONPATH" in extra:
        extra["PYTHONPATH"] += f"{os.pathsep}{COLLECTIONS}"
    process = subprocess.Popen(
        [python or interpreter.python(), "-m", f"{_PYTHON_MODULES}.{name.rpartition('.')[2]}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=clean_environment(folder, **extra),
    )
    assert process.stdin is not None
    process.stdin.write(_arguments(options, check))
    process.stdin.close()
    return process


def finish_module(process: subprocess.Popen[str]) -> Result:
    """Wait for the end of a module that was started, and return its result."""
    result: Result = {"failed": False, **json.loads(wait_for_end(process))}
    return result


def wait_for_end(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a module that was started, and return what it printed."""
    assert process.stdout is not None
    with process, process.stdout as output:
        return output.read()


def warnings_of(result: Result) -> str:
    """Return a result's warnings as one text; ansible-core 2.19 and newer wrap each of them."""
    return json.dumps(result.get("warnings", []))


def warning_texts(result: Result) -> list[str]:
    """Return the text of each of a result's warnings."""
    return [
        str(warning["event"]["msg"]) if isinstance(warning, dict) else str(warning)
        for warning in result.get("warnings", [])
    ]


def entry(
    identity_id: str | None = None, /, *, called: str | None = None, **azure_auth: t.Any
) -> Result:
    """Return an entry of a list, by id or name, that asks for its Azure Auth alone."""
    who = {"name": called} if identity_id is None else {"id": identity_id}
    return {**who, "azure_auth": azure_auth}
