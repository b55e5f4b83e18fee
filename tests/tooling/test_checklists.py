# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/INCLUSION.md ticks is so: its commands are run, or are checks of `make test`."""

from __future__ import annotations

import re
import shlex
import subprocess
import typing as t

import pytest
from docs.tables import make_targets
from tools.check import CHECKS
from tools.paths import ROOT


class Point(t.NamedTuple):
    """An item of the checklist."""

    ticked: bool
    text: str
    commands: tuple[str, ...]


def points() -> list[Point]:
    """The items of the checklist. A command is a line of its own, code from end to end."""
    text = (ROOT / "docs/INCLUSION.md").read_text(encoding="utf-8")
    found = []
    for tick, body in re.findall(r"^- \[([x ])\] (.+(?:\n  .+)*)", text, re.MULTILINE):
        lines = [line.strip() for line in body.splitlines()]
        commands = [line[1:-1] for line in lines if line[0] == line[-1] == "`"]
        found.append(Point(tick == "x", lines[0], tuple(commands)))
    return found


POINTS = points()
SHORT = [
    pytest.param(command, id=f"{point.text[:60]} {command[:40]}")
    for point in POINTS
    for command in point.commands
    if not command.startswith("make ")
]


@pytest.mark.parametrize("command", SHORT)
def test_command_shows_the_point(command: str) -> None:
    run = subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout


def test_other_commands_are_checks_that_there_are() -> None:
    commands = [command for point in POINTS for command in point.commands]
    makes = [shlex.split(command)[1:] for command in commands if command.startswith("make ")]
    assert makes
    for target, *arguments in makes:
        assert target in make_targets()
        checks = [name for word in arguments for name in word.removeprefix("ARGS=").split()]
        assert set(checks) <= set(CHECKS)


def test_what_is_ticked_has_a_command_and_what_is_not_has_a_reason() -> None:
    text = (ROOT / "docs/INCLUSION.md").read_text(encoding="utf-8")
    assert len(POINTS) == text.count("\n- [")
    assert [point.text for point in POINTS if point.ticked != bool(point.commands)] == []
    assert len({point.text for point in POINTS}) == len(POINTS)
