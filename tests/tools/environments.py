# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments below `.cache/environments`, made when first needed.

`python -m tools.environments <name> <command> [argument ...]` runs a command in the environment
that `requirements/<name>.txt` describes. This module needs nothing but the standard library.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from .paths import CACHE, COLLECTIONS, LOGS, REQUIREMENTS, ROOT, link_collection

ENVIRONMENTS = CACHE / "environments"
# The interpreter itself, also when this runs in one of the environments.
INTERPRETER = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
# Without them Ansible uses what is in the caller's home.
ANSIBLE = {
    "ANSIBLE_CONFIG": str(ROOT / "tests/tools/ansible.cfg"),
    "ANSIBLE_HOME": str(CACHE / "ansible"),
}

_PYTHON = {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV"}
# Else the arguments of the `make` that runs tests go to each `make` in them.
_MAKE = {"ARGS", "MAKEFLAGS", "MAKELEVEL"}
_PROXIES = {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"}


def project_environ() -> dict[str, str]:
    """The environment variables under which everything runs: caches stay in the project."""
    environ = dict(os.environ)
    # Settings of the caller's own Python, Ansible and Infisical must not decide what the checks
    # say, nor on which server they work, nor make them take twice as long, as Ansible does without
    # bytecode.
    for name in list(environ):
        if name.startswith(("ANSIBLE_", "INFISICAL_")) or name in _PYTHON | _MAKE:
            del environ[name]
    # The package index may be beyond a proxy; the emulator is not.
    if any(name.upper() in _PROXIES for name in environ):
        for name in ("NO_PROXY", "no_proxy"):
            environ[name] = ",".join(filter(None, [environ.get(name), "127.0.0.1", "localhost"]))
    environ.update(
        **ANSIBLE,
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        BLACK_CACHE_DIR=str(CACHE / "black"),
        HYPOTHESIS_STORAGE_DIRECTORY=str(CACHE / "hypothesis"),
        # Ansible insists on UTF-8.
        LC_ALL="en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",
        MYPY_CACHE_DIR=str(CACHE / "mypy"),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PYTHONPATH=os.pathsep.join([str(ROOT / "tests"), str(COLLECTIONS)]),
        PYTHONPYCACHEPREFIX=str(CACHE / "pycache"),
        RUFF_CACHE_DIR=str(CACHE / "ruff"),
        UV_CACHE_DIR=str(CACHE / "uv"),
        UV_NO_PROGRESS="1",
        UV_PYTHON_DOWNLOADS="never",
    )
    return environ


class Environment:
    """A virtual environment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path / "bin"
        self.python = self.bin / "python"

    def environ(self) -> dict[str, str]:
        """The environment variables for a command in this environment."""
        environ = project_environ()
        environ["PATH"] = os.pathsep.join([str(self.bin), environ.get("PATH", os.defpath)])
        environ["VIRTUAL_ENV"] = str(self.path)
        return environ

    def command(self, name: str) -> str:
        """The path of an installed program."""
        return str(self.bin / name)


class InstallError(Exception):
    """An environment could not be made. The message says which one and where to read why."""


def _digest(python: Path, arguments: Sequence[str]) -> str:
    """What an environment depends on: the interpreter, the arguments, the files they name."""
    digest = hashlib.sha256(repr((str(python), list(arguments))).encode())
    for argument in arguments:
        if argument.endswith(".txt"):
            digest.update(Path(argument).read_bytes())
    return digest.hexdigest()


def _logged(command: Sequence[str | Path], log: Path, environ: Mapping[str, str]) -> bool:
    with log.open("a") as output:
        print("$", *command, file=output, flush=True)
        status = subprocess.call(
            command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return status == 0


def environment(name: str, arguments: Sequence[str], python: Path = INTERPRETER) -> Environment:
    """Make sure that an environment exists with just what `arguments` (of `pip install`) ask for.

    It is made anew when the arguments, the files that they name or the interpreter change.
    Raises InstallError.
    """
    made = Environment(ENVIRONMENTS / name)
    stamp = made.path / "made-from"
    wanted = _digest(python, arguments)
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with (ENVIRONMENTS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return made
        print(f"Preparing the environment '{name}' ...", file=sys.stderr, flush=True)
        shutil.rmtree(made.path, ignore_errors=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"environment-{name}.log"
        log.unlink(missing_ok=True)
        environ = project_environ()
        # The installer is itself in the environment "nox", which only pip can make.
        uv = None if name == "nox" else usable_uv()
        create: list[str | Path] = [python, "-m", "venv", made.path]
        install: list[str | Path] = [made.python, "-m", "pip", "install", "--quiet", *arguments]
        if uv:
            create.append("--without-pip")
            install = [uv, "pip", "install", "--quiet", "--python", made.python, *arguments]
        if not (_logged(create, log, environ) and _logged(install, log, environ)):
            raise InstallError(
                f"The environment '{name}' could not be made with {python}: "
                f"see {log.relative_to(ROOT)}."
            )
        stamp.write_text(wanted)
    return made


def required(name: str) -> Environment:
    """The environment that `requirements/<name>.txt` describes. Raises InstallError."""
    return environment(name, ["-r", str(REQUIREMENTS / f"{name}.txt")])


def usable_uv() -> Path | None:
    """The fast installer, unless only pip is set up for this machine's package index."""
    nox = required("nox")
    uv = nox.bin / "uv"
    verdict = nox.path / "installer"
    if not verdict.is_file():
        # A package index that is set in pip's own configuration is unknown to uv.
        reached = _logged(
            [uv, "pip", "install", "--dry-run", "--reinstall", "--python", nox.python, "nox"],
            LOGS / "environment-nox.log",
            project_environ(),
        )
        verdict.write_text("uv" if reached else "pip")
    return uv if verdict.read_text() == "uv" else None


def nox_environ() -> dict[str, str]:
    """The environment variables for nox: it installs in the same way."""
    environ = required("nox").environ()
    environ["NOX_DEFAULT_VENV_BACKEND"] = "uv" if usable_uv() else "virtualenv"
    return environ


def main(arguments: Sequence[str]) -> NoReturn:
    """Become a command that runs in an environment."""
    name, *command = arguments
    link_collection()
    try:
        environ = nox_environ() if name == "nox" else required(name).environ()
    except InstallError as error:
        sys.exit(str(error))
    os.chdir(ROOT)
    os.execvpe(command[0], command, environ)


if __name__ == "__main__":
    main(sys.argv[1:])
