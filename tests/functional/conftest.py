# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal
import typing as t

import pytest
from functional.cases import BOTH

from emulator import running


@pytest.fixture(scope="session", autouse=True)
def _signals_reach_tasks() -> t.Iterator[None]:
    """Processes inherit what is ignored, which nohup, or a script's &, does to some signals."""
    before = {
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session", params=BOTH)
def generation(request: pytest.FixtureRequest) -> str:
    """The newest and the oldest generation of servers, one after the other."""
    return str(request.param)


@pytest.fixture(scope="session")
def server() -> t.Iterator[t.Any]:
    """An emulator of the newest generation, for tests that the generation means nothing to."""
    with running() as emulator:
        yield emulator
