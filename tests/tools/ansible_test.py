# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test on a copy of the collection, without containers.

`python -m tools.ansible_test sanity|units|integration [argument ...]` uses the ansible-test of the
environment that it runs in.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import IO
from urllib.parse import urlsplit

from . import interpreter
from .counts import read_reports
from .environments import project_environ
from .infisical import IncompleteError, infisical
from .network import reachable
from .paths import REPORTS, ROOT, copy_collection
from .pythons import search_path

# Where ansible-test keeps the script that puts pip into its virtual environments, and where it
# downloads the script from. Both are written down in its error message when that fails.
BOOTSTRAP_CACHE = Path("~/.ansible/test/cache").expanduser()
BOOTSTRAP_URL = "https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"

# Begins the line about a test that is not run.
LEFT_OUT = "Left out: "

# Serves in its place, from whatever package index pip is set up for. ensurepip has a process of its
# own because it makes the one that it runs in forget pip's configuration.
BOOTSTRAP_SUBSTITUTE = """\
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
packages = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *packages]))
"""


def _ansible_test(bin_directory: Path) -> Path:
    """Where ansible-test itself is installed."""
    locate = "import ansible_test; print(ansible_test.__path__[0])"
    found = subprocess.run(
        [bin_directory / "python", "-I", "-c", locate], check=True, capture_output=True, text=True
    )
    return Path(found.stdout.strip())


def _without_requirements(package: Path) -> dict[str, str]:
    """The sanity tests that need what is on no package index and cannot be had, with where it is.

    ansible-core 2.22.0rc1 takes a library from GitHub for pylint.
    """
    found = {}
    for file in package.glob("_data/requirements/sanity.*.txt"):
        for url in re.findall(r"@ (https://\S+)", file.read_text()):
            if not reachable(url):
                found[file.name.split(".")[1]] = urlsplit(url).netloc
    return found


def _provide_pip_bootstrap(package: Path) -> None:
    """Make sure that ansible-test finds its pip bootstrap scripts, also without the internet."""
    source = (package / "_internal/python_requirements.py").read_text()
    for version in re.findall(r"\bpip='([\d.]+)'", source):
        script = BOOTSTRAP_CACHE / f"get_pip_{version.replace('.', '_')}.py"
        if script.exists():
            continue
        script.parent.mkdir(parents=True, exist_ok=True)
        content = BOOTSTRAP_SUBSTITUTE.encode()
        url = BOOTSTRAP_URL.format(version=version)
        if reachable(url):
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=20) as page:
                content = page.read()
        if content == BOOTSTRAP_SUBSTITUTE.encode():
            print(f"Using the index's own pip {version} for ansible-test.", flush=True)
        # Another run may be at the same point.
        temporary = script.with_name(f"{script.name}.{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(script)


def _write_integration_config(
    directory: Path, variables: dict[str, str], extra_vars: dict[str, str]
) -> None:
    """Fill in the template, whose placeholders stand between double quotes."""
    template = Template((directory / "integration_config.yml.template").read_text())
    escaped = {name: json.dumps(value)[1:-1] for name, value in variables.items()}
    config = template.substitute(escaped)
    config += "".join(f"{name}: {json.dumps(value)}\n" for name, value in extra_vars.items())
    target = directory / "integration_config.yml"
    target.touch(mode=0o600)
    target.write_text(config)


def run_ansible_test(
    kind: str,
    arguments: Sequence[str],
    *,
    bin_directory: Path,
    label: str,
    extra_vars: dict[str, str] | None = None,
    log: IO[str] | None = None,
) -> int:
    """Run `ansible-test <kind>` and return its exit status, or 1 when it ran no test.

    `label` names the copy of the collection and the directory of the reports. `extra_vars` go to
    the integration tests. Output goes to `log`, or else to stdout. Raises IncompleteError for an
    Infisical that is not fully described.
    """
    tree = copy_collection(label)
    reports = REPORTS / label
    shutil.rmtree(reports, ignore_errors=True)
    environ = project_environ()
    # Modules must find the collection where ansible-test puts it, and nowhere else.
    del environ["PYTHONPATH"], environ["ANSIBLE_COLLECTIONS_PATH"]
    environ["PATH"] = os.pathsep.join([str(bin_directory), *search_path()])
    command: list[str | Path] = [bin_directory / "ansible-test", kind, "--color", "no"]
    if kind == "sanity":
        package = _ansible_test(bin_directory)
        _provide_pip_bootstrap(package)
        command.append("--junit")
        for test, host in _without_requirements(package).items():
            command += ["--skip-test", test]
            print(f"{LEFT_OUT}{test}, as {host} cannot be reached", file=log, flush=True)
    with contextlib.ExitStack() as stack:
        if kind == "integration":
            variables = stack.enter_context(infisical())
            _write_integration_config(tree / "tests/integration", variables, extra_vars or {})
        status = subprocess.call(
            [*command, *arguments],
            cwd=tree,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    output = tree / "tests/output/junit"
    if output.is_dir():
        shutil.copytree(output, reports)
    # What remains is for looking into, and has no credentials in it.
    (tree / "tests/integration/integration_config.yml").unlink(missing_ok=True)
    if status == 0 and not read_reports(reports):
        # It is content with finding nothing to test.
        print("ansible-test ran no test.", file=log or sys.stdout, flush=True)
        return 1
    return status


def _use_one_processor() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main(arguments: Sequence[str]) -> int:
    """Run one kind; the result is the exit status."""
    kind, *others = arguments
    os.chdir(ROOT)
    if kind == "sanity":
        # On several, pylint splits its files among processes, each of which reads Ansible anew.
        _use_one_processor()
    else:
        # Sanity compiles and imports the code on every Python it finds; tests need their packages.
        others = ["--python", f"{sys.version_info.major}.{sys.version_info.minor}", *others]
    fast = {"ansible_python_interpreter": interpreter.python()} if kind == "integration" else {}
    try:
        return run_ansible_test(
            kind,
            ["--local", *others],
            bin_directory=Path(sys.executable).parent,
            label=kind,
            extra_vars=fast,
        )
    except IncompleteError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
