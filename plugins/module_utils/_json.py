# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON from strangers: read, or refused as a ValueError, whatever it is."""

from __future__ import annotations

import json
import typing as t


def parse(text: str | bytes) -> t.Any:
    """Return the value of a JSON text.

    Raises ValueError, also for NaN, for numbers of a hundred digits or more, which take long on
    Pythons before 3.11, and for what is nested too deep.
    """
    try:
        return json.loads(text, parse_int=_number, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _number(text: str) -> int:
    if len(text) > 100:
        raise ValueError("a number that is too long")
    return int(text)


def _no_number(text: str) -> t.NoReturn:
    raise ValueError(f"{text} is not JSON")
