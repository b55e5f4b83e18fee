# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Infisical that a run talks to: an emulator of its own, or one that the caller opted for.

What a caller's playbooks use, `INFISICAL_URL` and the like, decides nothing here: tests would work
on a server that somebody depends on. A real one has to be named by variables of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager

# What describes an Infisical, and what the integration tests and the playbooks read.
VARIABLES = (
    "INFISICAL_URL",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
    "INFISICAL_ORG_ID",
)
# What stands before their names for a server that tests may work on.
OPT_IN = "TEST_"


class IncompleteError(Exception):
    """A real server is named, and something that goes with it is not."""


def opted_for(names: Sequence[str] = VARIABLES) -> dict[str, str] | None:
    """The variables of the real server that the caller opted for; None for the emulator.

    Raises IncompleteError.
    """
    given = {name: os.environ[OPT_IN + name] for name in VARIABLES if os.environ.get(OPT_IN + name)}
    missing = [OPT_IN + name for name in names if name not in given]
    if given and missing:
        raise IncompleteError(
            f"{OPT_IN}{next(iter(given))} is set, so these must be too: {', '.join(missing)}."
        )
    return given or None


def opt_out(environ: MutableMapping[str, str]) -> None:
    """Let whatever runs with these variables use emulators, and nothing else."""
    for name in VARIABLES:
        environ.pop(OPT_IN + name, None)


@contextmanager
def infisical() -> Iterator[dict[str, str]]:
    """Yield the variables of the server that the caller opted for, else of an emulator of our own.

    The emulator listens on loopback and ends with the block. Raises IncompleteError.
    """
    given = opted_for()
    if given:
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
