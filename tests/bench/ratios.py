# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians, and ratios of what was measured in pairs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and between which two the middle half of them lies."""

    median: float
    low: float
    high: float


def spread(numbers: Sequence[float]) -> Spread:
    """What numbers come to. Raises StatisticsError where there are none."""
    if len(numbers) == 1:
        return Spread(numbers[0], numbers[0], numbers[0])
    low, _middle, high = quantiles(numbers, n=4, method="inclusive")
    return Spread(median(numbers), low, high)


def paired_ratio(these: Sequence[float], those: Sequence[float]) -> Spread:
    """How many times as much these are as those, round by round.

    What slows the machine down for a while slows down both numbers of a round, so that the ratios
    differ less than the numbers do. Raises ValueError where the rounds are not the same.
    """
    return spread([this / that for this, that in zip(these, those, strict=True)])


def windows_of(times: Sequence[float], window: float) -> list[int]:
    """The number of the rate limit's window that each request fell into, from 0.

    `times` are ascending, in seconds like `window`. The server's windows are fixed: one begins
    with the first request after the end of the one before.
    """
    numbers = []
    number, start = -1, float("-inf")
    for time in times:
        if time >= start + window:
            number, start = number + 1, time
        numbers.append(number)
    return numbers


def least_seconds(requests: int, limit: int, window: float, unlimited: float) -> float:
    """The least time for requests of which a limit allows so many in a window.

    All windows but the last have to pass whole; the last takes as long as its share of the time
    that all requests take where there is no limit.
    """
    full = (requests - 1) // limit
    return full * window + unlimited * (requests - full * limit) / requests
