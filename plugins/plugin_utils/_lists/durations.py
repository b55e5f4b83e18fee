# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations as people write them: `1h`, `30d`, `1d12h`."""

from __future__ import annotations

import re

_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile("".join(f"(?:([0-9]{{1,12}}){unit})?" for unit in _SECONDS), re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)

EXPECTED = "a whole number of seconds such as 3600, or a duration such as 1h, 90m, 30d or 1d12h"


def seconds(text: str) -> int | None:
    """Return a duration or a whole number in seconds, None if the text is neither.

    A duration has whole weeks, days, hours, minutes and seconds, in this order, without blanks.
    """
    if _WHOLE.fullmatch(text):
        return int(text)
    match = _DURATION.fullmatch(text)
    if not text or not match:
        return None
    return sum(int(count or 0) * length for count, length in zip(match.groups(), _SECONDS.values()))
