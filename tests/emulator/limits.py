# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits: fixed windows per method, route template and client address."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from . import errors


@dataclass
class Windows:
    """The counts of all buckets. `error` is what the server calls a refusal."""

    error: str
    _buckets: dict[tuple[str, ...], tuple[float, int]] = field(default_factory=dict)

    def count(
        self, key: tuple[str, ...], limit: int, window: float, now: float, refused_status: int
    ) -> dict[str, str]:
        """Count a request and return its headers; refuse what is above `limit` a `window`."""
        start, count = self._buckets.get(key, (now, 0))
        if now >= start + window:
            start, count = now, 0
        count += 1
        self._buckets[key] = (start, count)
        seconds = max(1, math.ceil(start + window - now))
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - count)),
            "x-ratelimit-reset": str(seconds),
        }
        if count > limit:
            raise refusal(refused_status, self.error, str(seconds), headers)
        return headers

    def clear(self) -> None:
        """Start every window anew."""
        self._buckets.clear()


def refusal(
    status: int, error: str, retry_after: str | None, headers: dict[str, str]
) -> errors.ApiError:
    """The answer to a request above the limit; some builds of 2024 make it a 500."""
    if retry_after is not None:
        headers = {**headers, "retry-after": retry_after}
    return errors.ApiError(
        status,
        error,
        f"Rate limit exceeded. Please try again in {retry_after or 'a few'} seconds",
        headers=headers,
    )
