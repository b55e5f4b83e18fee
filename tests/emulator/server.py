# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop an emulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .control import Control


class Emulator(Control):
    """A running emulator: the controls plus the address it listens on."""

    url: str


@contextmanager
def running(generation: str = "current", *, port: int = 0, **settings: Any) -> Iterator[Emulator]:
    """Serve on a free loopback port from a daemon thread until the block ends."""
    yield Emulator()
