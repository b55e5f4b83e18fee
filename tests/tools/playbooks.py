# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook many times, and imports Ansible once.

Importing and configuring Ansible is most of what a short run takes, and half of what the roles take
is to load filters, which Ansible does anew in the process of each task. One process does it for all
runs that agree in Ansible's own environment variables, and forks for each of them. The run itself,
with its arguments, folder, environment and workers, is Ansible's; what differs is what other
processes see of it: the command line and the environment of the process that it was forked from.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from .paths import CACHE, ROOT

PROGRAM = Path(sysconfig.get_path("scripts")) / "ansible-playbook"
HOME = CACHE / "ansible"
TIMEOUT = 300
# What every run imports.
_IMPORTS = (
    "ansible.cli.playbook",
    "ansible.executor.playbook_executor",
    "ansible.executor.task_queue_manager",
    "ansible.plugins.action.normal",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "ansible.plugins.filter.core",
    "ansible.plugins.inventory.host_list",
    "ansible.plugins.inventory.yaml",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
)


@dataclass(frozen=True)
class Run:
    """A run that ended: its exit status, and what it printed, to standard error as well."""

    returncode: int
    output: str


def run_program(arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Run:
    """Do as `run_playbook`, by the program itself."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def run_playbook(arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Run:
    """Run ansible-playbook in a folder, without input, in this environment and no other.

    Ansible's home is in the project's cache, unless the environment has one.
    Raises subprocess.TimeoutExpired after five minutes.
    """
    environ = {"ANSIBLE_HOME": str(HOME), **environ}
    settings = frozenset(item for item in environ.items() if item[0].startswith("ANSIBLE_"))
    idle = _idle.setdefault(settings, [])
    # Threads run at the same time.
    server = idle.pop() if idle else _start(dict(settings))
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as output:
        job = (list(arguments), str(folder), dict(environ), output.name)
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], TIMEOUT)[0]:
            os.killpg(server.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired([str(PROGRAM), *arguments], TIMEOUT, output.read())
        status = int(server.stdout.readline())
        idle.append(server)
        return Run(status, output.read())


_idle: dict[frozenset[tuple[str, str]], list[subprocess.Popen[str]]] = {}


def _start(settings: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a process that imports Ansible with these environment variables of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "tools.playbooks"],
        # Not where the caller's own ansible.cfg may be.
        env={**kept, "HOME": str(HOME), **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@atexit.register
def _end_all() -> None:
    for servers in _idle.values():
        for server in servers:
            server.communicate()


def _serve() -> None:
    """Fork for each line of standard input, and write the exit status of each run."""
    for name in _IMPORTS:
        importlib.import_module(name)
    _load_plugins()
    # Else each run's garbage collector copies what all of them share.
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _load_plugins() -> None:
    """Load the plugins that run where Ansible does: its own filters and tests, and all of ours."""
    loader = importlib.import_module("ansible.plugins.loader")
    loader.init_plugin_loader()
    # Each run does that again.
    warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")
    for kind in (loader.filter_loader, loader.test_loader):
        list(kind.all())
    for kind in ("action", "filter", "lookup"):
        for path in (ROOT / "plugins" / kind).glob("*.py"):
            name = f"community.infisical.{path.stem}"
            getattr(loader, f"{kind}_loader").get(name, class_only=True)


def _run(arguments: list[str], folder: str, environ: dict[str, str], output: str) -> NoReturn:
    """Be ansible-playbook."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        written = os.open(output, os.O_WRONLY | os.O_APPEND)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        sys.argv = [str(PROGRAM), *arguments]
        importlib.import_module("ansible.cli.playbook").main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Without what is registered for the end of the process that forked.
        os._exit(status)


if __name__ == "__main__":
    _serve()
