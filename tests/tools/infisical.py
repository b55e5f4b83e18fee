# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Infisical that a run talks to: the one that the caller names, or else the emulator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# What describes an Infisical, and what the integration tests and the playbooks read.
VARIABLES = (
    "INFISICAL_URL",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
    "INFISICAL_ORG_ID",
)


class IncompleteError(Exception):
    """INFISICAL_URL is set, and something that goes with it is not."""


@contextmanager
def infisical() -> Iterator[dict[str, str]]:
    """Yield the variables of the Infisical at INFISICAL_URL, else of an emulator of our own.

    The emulator listens on loopback and ends with the block. Raises IncompleteError.
    """
    given = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    if "INFISICAL_URL" in given:
        missing = [name for name in VARIABLES if name not in given]
        if missing:
            raise IncompleteError(
                f"INFISICAL_URL is set, so these must be too: {', '.join(missing)}."
            )
        yield given
        return
    # Imported here: a run against an instance does without the emulator and what it needs.
    from emulator import running

    with running() as emulator:
        values = (
            emulator.url,
            emulator.client_id,
            emulator.client_secret,
            emulator.organization_id,
        )
        yield dict(zip(VARIABLES, values))
