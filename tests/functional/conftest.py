# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from emulator import running


@pytest.fixture(scope="session", params=["current", "2024"])
def generation(request: pytest.FixtureRequest) -> str:
    """Both generations of servers, one after the other."""
    return str(request.param)


@pytest.fixture(scope="session")
def server() -> t.Iterator[t.Any]:
    """An emulator of the current generation, for tests that the generation means nothing to."""
    with running() as emulator:
        yield emulator
