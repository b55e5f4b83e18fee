# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook read no configuration of the person who runs the tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from tools.environments import ANSIBLE
from tools.playbooks import Run, run_playbook, run_program

Runner = Callable[[Sequence[str], Path, Mapping[str, str]], Run]


@pytest.mark.parametrize("run", [run_playbook, run_program])
def test_the_configuration_is_the_projects(run: Runner, tmp_path: Path) -> None:
    for name in (".ansible.cfg", "ansible.cfg"):
        (tmp_path / name).write_text("[defaults]\nstdout_callback = minimal\n", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = run(["--version"], tmp_path, {**kept, "HOME": str(tmp_path)})
    assert f"config file = {ANSIBLE['ANSIBLE_CONFIG']}\n" in done.output
