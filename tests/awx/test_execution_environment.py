# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An execution environment gets what the collection needs, and nothing is missing in it.

Images are not built here, which would take a container engine and a registry, but by CI, with
antsibull-nox's ee-check. What goes into them is installed into a virtual environment.
"""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import tomllib
import yaml
from tools.environments import environment
from tools.paths import CACHE, REQUIREMENTS, ROOT, copy_collection

from awx.jobs import clean_environment
from awx.objects import EXTENSION
from emulator import Emulator

HERE = Path(__file__).parent


def _builder(*arguments: str | Path) -> str:
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-builder"), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


class Introspected(t.NamedTuple):
    """What ansible-builder found: where it looked, and the packages to install."""

    collections: Path
    pip: Path
    system: str


@pytest.fixture(scope="module", name="introspected")
def _introspected(tmp_path_factory: pytest.TempPathFactory) -> Introspected:
    """What ansible-builder reads from the collection, as it does while it builds an image."""
    collections = copy_collection("execution-environment").parents[2]
    # In one place, so that the virtual environment made of it is kept.
    pip = CACHE / "execution-environment.txt"
    bindep = tmp_path_factory.mktemp("introspected") / "bindep.txt"
    _builder("introspect", collections, f"--write-pip={pip}", f"--write-bindep={bindep}")
    return Introspected(collections, pip, bindep.read_text() if bindep.exists() else "")


def test_ansible_builder_finds_what_the_collection_needs(introspected: Introspected) -> None:
    declared = (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8")
    needed = [line for line in declared.splitlines() if line and not line.startswith("#")]
    found = [line.partition("  # from collection ") for line in introspected.pip.open()]
    assert [(line, origin.strip()) for line, _mark, origin in found] == [
        (line, "community.infisical") for line in needed
    ]
    assert introspected.system == ""


def test_ansible_builder_takes_the_definition(tmp_path: Path) -> None:
    definition = EXTENSION / "execution-environment.yml"
    _builder(
        *("create", "--file", definition, "--context", tmp_path),
        *("--output-filename", "Containerfile"),
    )
    containerfile = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    installed = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text())
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert installed["collections"] == [
        {"name": galaxy["repository"] + ".git", "type": "git", "version": galaxy["version"]}
    ]
    # The floor of ansible-core is the collection's, and there is a ceiling.
    pinned = re.search(r"ansible-core>=([\d.]+),<([\d.]+)", containerfile)
    assert pinned is not None
    assert runtime["requires_ansible"] == f">={pinned[1]}.0"
    assert "install -y git-core" in containerfile.partition("ansible-galaxy collection")[0]
    # Nothing of the definition names the Python packages: they come from the collection.
    assert "introspect.py introspect" in containerfile
    assert "netaddr" not in definition.read_text().partition("\nversion:")[2]


def test_the_image_that_ci_builds_is_the_one_that_is_offered() -> None:
    """antsibull-nox has a definition of its own, to put the collection of the work tree into it."""
    configured = tomllib.loads((ROOT / "antsibull-nox.toml").read_text(encoding="utf-8"))
    (built,) = configured["sessions"]["ee_check"]["execution_environments"]
    offered = yaml.safe_load((EXTENSION / "execution-environment.yml").read_text(encoding="utf-8"))
    dependencies = offered["dependencies"]
    assert built["base_image_name"] == offered["images"]["base_image"]["name"]
    assert dependencies["python_interpreter"] == {
        "package_system": built["python_interpreter_package"],
        "python_path": built["python_path"],
    }
    assert dependencies["ansible_core"] == {"package_pip": built["ansible_core_package"]}
    assert dependencies["ansible_runner"] == {"package_pip": built["ansible_runner_package"]}
    assert built["config"] == {"options": offered["options"]}
    assert [path for path in built["test_playbooks"] if not (ROOT / path).is_file()] == []


def test_the_collection_has_all_it_needs(
    introspected: Introspected, emulator: Emulator, tmp_path: Path
) -> None:
    """The packages that were found, and ansible-core, are enough for tasks to run."""
    clean = environment(
        "execution-environment",
        ["ansible-core", "-r", str(introspected.pip), "-c", str(REQUIREMENTS / "test.txt")],
    )
    identity_id = emulator.create_identity("from a clean environment")
    done = subprocess.run(
        [
            *(clean.command("ansible-playbook"), "-i", "localhost,", "-c", "local"),
            *("-e", "identity='from a clean environment'"),
            *("-e", "ansible_python_interpreter='{{ ansible_playbook_python }}'"),
            str(HERE / "project" / "one_identity.yml"),
        ],
        cwd=tmp_path,
        env={
            **{name: value for name, value in clean_environment().items() if "PYTHON" not in name},
            "ANSIBLE_COLLECTIONS_PATH": str(introspected.collections),
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "INFISICAL_URL": emulator.url,
            "INFISICAL_TOKEN": emulator.token,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert emulator.azure_auth(identity_id) is not None
