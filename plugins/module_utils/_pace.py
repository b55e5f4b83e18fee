# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limits: one view of the server's windows, which all workers of a task share.

Infisical counts requests in fixed windows, in a bucket for each method and route template. With
every answer it says how many are left (`x-ratelimit-remaining`) and in how many seconds, rounded
up, the window ends (`x-ratelimit-reset`). To wait for the next window is better than to be refused:
a refusal counts as a request, and as a use of the token.
"""

from __future__ import annotations

import random
import threading
import time
import typing as t

from ._errors import InterruptError

# A verb and a route template.
Bucket = tuple[str, str]

# How long whoever used up a window that others share stays out of the next one, in seconds.
_YIELD = (0.3, 1.0)
# How far those are spread that were refused together, in seconds.
_SPREAD = 0.1


class Pace:
    """When requests may go. Made for several threads; all times are in seconds.

    After stop() whatever waits, or would begin, raises InterruptError.
    """

    def __init__(self, patience: float) -> None:
        """`patience` is the longest that a bucket is waited for without any progress."""
        self._patience = patience
        self._windows: dict[Bucket, _Window] = {}
        self._changed = threading.Condition()
        self._stopped = False

    def begin(self, bucket: Bucket) -> float:
        """Wait until a request may go. Returns the time, for end(), which has to follow."""
        with self._changed:
            window = self._windows.setdefault(bucket, _Window())
            while True:
                wait = window.wait(time.monotonic())
                # A server that asks for longer than the user would wait is asked anyway.
                if wait == 0 or (wait is not None and wait > self._patience):
                    break
                self._wait(wait)
            self._check()
            window.in_flight += 1
        return time.monotonic()

    def end(
        self,
        bucket: Bucket,
        sent: float,
        headers: t.Mapping[str, str] | None = None,
        *,
        passed: bool = False,
    ) -> None:
        """Take in the headers of the answer to a request, None if there was none.

        `passed` says that it was not refused for the limit.
        """
        with self._changed:
            window = self._windows[bucket]
            window.in_flight -= 1
            if headers is not None:
                window.learn(sent, headers)
            if passed:
                window.refused_since = None
            self._changed.notify_all()

    def refused(self, bucket: Bucket, headers: t.Mapping[str, str]) -> tuple[float, float] | None:
        """Keep the bucket closed for as long as a refusal asks for.

        If that is longer than the patience, returns for how long requests were refused, and how
        much longer the server asks to wait.
        """
        with self._changed:
            window = self._windows[bucket]
            now = time.monotonic()
            if window.refused_since is None:
                window.refused_since = now
            waited = now - window.refused_since
            wait = window.refusal(headers, now, waited)
            if waited + wait > self._patience:
                return waited, wait
            window.closed_until = max(
                window.closed_until, now + wait + random.uniform(0, min(_SPREAD, 0.1 * wait))
            )
        return None

    def pause(self, seconds: float) -> None:
        """Sleep."""
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._wait(left)
            self._check()

    def stop(self) -> None:
        """Let no further request begin."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait(self, seconds: float | None) -> None:
        self._check()
        self._changed.wait(seconds)

    def _check(self) -> None:
        if self._stopped:
            raise InterruptError("The task was stopped before this was done.")


class _Window:
    """What is known of a bucket's current window.

    It ends between `earliest` and `latest`: each answer narrows that down. `remaining` is None as
    long as no answer has told of a limit. `ours` counts the answers that this task got in it.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.closed_until = 0.0
        self.refused_since: float | None = None
        self._limit = 0
        self._remaining: int | None = None
        self._earliest = 0.0
        self._latest = 0.0
        self._ours = 0
        self._shared = False

    def wait(self, now: float) -> float | None:
        """Return for how long no request may go; None is until the next answer comes."""
        if now < self.closed_until:
            return self.closed_until - now
        if self._remaining is None:
            return 0
        # Of a new window it is known at the first answer whether it has room for more than one.
        left = self._remaining if now < self._latest else self._limit or 1
        if left > self.in_flight:
            return 0
        if self.in_flight:
            return None
        if self._shared:
            # Whoever was refused meanwhile goes first, so that all get on.
            self._shared = False
            self.closed_until = self._latest + random.uniform(*_YIELD)
            return self.closed_until - now
        return self._latest - now

    def learn(self, sent: float, headers: t.Mapping[str, str]) -> None:
        """Take in what the answer to a request that was sent at this time says of the window."""
        limit, remaining, reset = (
            seconds(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset")
        )
        if remaining is None or reset is None:
            return
        # The request was counted some time between sending it and now.
        earliest, latest = sent + reset - 1, time.monotonic() + reset
        if self._remaining is None or earliest >= self._latest:
            self._remaining, self._earliest, self._latest = int(remaining), earliest, latest
            self._ours, self._shared = 0, False
        elif latest < self._earliest:
            # A late answer, of the window before.
            return
        else:
            self._remaining = min(self._remaining, int(remaining))
            self._earliest = max(self._earliest, earliest)
            self._latest = min(self._latest, latest)
        self._ours += 1
        if limit is not None:
            self._limit = int(limit)
            self._shared = self._shared or limit - remaining > self._ours + self.in_flight

    def refusal(self, headers: t.Mapping[str, str], now: float, waited: float) -> float:
        """Return for how long a refusal asks to wait."""
        asked = seconds(headers.get("retry-after"))
        if not asked:
            # A limit that names no time, or none that can be read, gets a second at first.
            return min(1 + waited, 30)
        reset = seconds(headers.get("x-ratelimit-reset"))
        if reset is not None and asked <= reset and now < self._latest:
            # Both are rounded up; what the answers before told is closer.
            return min(asked, self._latest - now)
        return asked


def seconds(text: str | None) -> float | None:
    """Read a header that is a whole number, of seconds or requests."""
    text = (text or "").strip()
    return float(text[:9]) if text.isascii() and text.isdecimal() else None
