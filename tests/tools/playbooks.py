# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook many times, and imports Ansible once.

Importing and configuring Ansible is most of what a short run takes, and half of what the roles take
is to load filters, which Ansible does anew in the process of each task. One process does it for all
runs that agree in Ansible's own environment variables, and forks for each of them. The run itself,
with its arguments, folder, environment and workers, is Ansible's; what differs is what other
processes see of it: the command line and the environment of the process that it was forked from.
The code of templates is kept from run to run: a quarter of what the roles take is to compile them.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from . import interpreter
from .code_cache import compiled_once
from .environments import ANSIBLE
from .paths import CACHE, ROOT

PROGRAM = Path(sysconfig.get_path("scripts")) / "ansible-playbook"
TIMEOUT = 300
_TEMPLATES = CACHE / "templates"
# Of Jinja's environment: what a template can set in its first line, and a task in its options.
_TEMPLATE_SETTINGS = (
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "line_statement_prefix",
    "line_comment_prefix",
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "keep_trailing_newline",
)
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
    return _run([sys.executable, str(PROGRAM), *arguments], folder, {**ANSIBLE, **environ})


def run_playbook(arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Run:
    """Run ansible-playbook in a folder, without input, in this environment and no other.

    Ansible's home and its configuration are the project's, unless the environment has others.
    Raises subprocess.TimeoutExpired after five minutes.
    """
    environ = {**ANSIBLE, **environ}
    return _run([*command(environ), *arguments], folder, environ)


def command(environ: Mapping[str, str]) -> list[str]:
    """Return what does as ansible-playbook in an environment with these variables of Ansible."""
    settings = {name: value for name, value in environ.items() if name.startswith("ANSIBLE_")}
    python = interpreter.python(
        "tools.playbooks", frozenset(settings.items()), interpreter.python()
    )
    return [python, "-m", "ansible", "playbook"]


def _run(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Run:
    done = subprocess.run(
        command,
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


def prepare() -> None:
    """Import Ansible, and the plugins that run where it does: its filters and tests, and ours."""
    for name in _IMPORTS:
        importlib.import_module(name)
    _keep_templates()
    loader = importlib.import_module("ansible.plugins.loader")
    loader.init_plugin_loader()
    # Each run does that again.
    warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")
    # Callbacks read the environment when they are imported.
    for kind in ("become", "connection", "inventory", "shell", "vars"):
        list(getattr(loader, f"{kind}_loader").all(class_only=True))
    for kind in (loader.filter_loader, loader.test_loader):
        list(kind.all())
    for kind in ("action", "filter", "lookup"):
        for path in (ROOT / "plugins" / kind).glob("*.py"):
            name = f"community.infisical.{path.stem}"
            getattr(loader, f"{kind}_loader").get(name, class_only=True)


def _keep_templates() -> None:
    """Compile each template once, whichever process it is in."""
    bits = importlib.import_module("ansible._internal._templating._jinja_bits")
    compile_template = bits.AnsibleEnvironment.compile
    _TEMPLATES.mkdir(parents=True, exist_ok=True)

    def compile_once(self: Any, source: Any, *names: Any, **options: Any) -> CodeType:
        context = bits._TemplateCompileContext.current(optional=True)
        settings = [getattr(self, name) for name in _TEMPLATE_SETTINGS]
        key = (source, names, options, settings, context)
        return compiled_once(
            _TEMPLATES,
            repr(key).encode("utf-8", "surrogatepass"),
            lambda: compile_template(self, source, *names, **options),
        )

    bits.AnsibleEnvironment.compile = compile_once
