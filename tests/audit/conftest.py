# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from tools.paths import link_collection

from audit.harness import PLAYBOOK, Audit, Run, by_secret, paths, play
from audit.worlds import messy
from emulator import Emulator, running


class Messy(t.NamedTuple):
    """An organization of which most is not as the list says, and the playbook's audit of it."""

    emulator: Emulator
    desired: list[dict[str, t.Any]]
    run: Run
    audit: Audit
    live_tokens: int


@pytest.fixture(scope="session", autouse=True)
def _linked() -> None:
    link_collection()


@pytest.fixture(scope="session")
def mess(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Messy]:
    """The audit as the guide starts it: the playbook by its name, here under check mode."""
    folder = tmp_path_factory.mktemp("messy")
    with running() as emulator:
        desired = messy(emulator)
        live_tokens = emulator.live_tokens()
        variables = {**paths(folder), "identities_audit_desired": desired}
        run = play(
            by_secret(emulator),
            folder,
            PLAYBOOK,
            "--check",
            "--diff",
            "-e",
            as_variables(folder, variables),
        )
        yield Messy(emulator, desired, run, Audit(folder, run.records), live_tokens)


def as_variables(folder: Path, variables: t.Mapping[str, t.Any]) -> str:
    """Write a file of variables, and return how -e names it."""
    path = folder / "desired.json"
    path.write_text(json.dumps(variables), encoding="utf-8")
    return f"@{path}"
