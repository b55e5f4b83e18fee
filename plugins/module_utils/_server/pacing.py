# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limits: when the workers of a task may send requests.

Infisical counts requests in fixed windows, in a bucket for each method and route template. Every
response says how many requests are left (`x-ratelimit-remaining`), and in how many seconds, rounded
up, the window ends (`x-ratelimit-reset`). Waiting for the next window is better than a refusal,
which counts as a request and as a use of the token.
"""

from __future__ import annotations

import random
import threading
import time
import typing as t

from .._errors import InterruptError
from . import signals

# A verb and a route template.
Bucket = tuple[str, str]

# After waiting for a window, a task uses 1/_SHARE of it, and then pauses for _STAY_OUT seconds. So
# all tasks that waited for the same window get a part. They know its start only to a second.
_SHARE = 8
_STAY_OUT = 1.5
# After a refusal, each task waits up to this much longer, at random, so that not all start at once.
_APART = 0.1


class Pace:
    """Decides when requests may start. Thread-safe; all times are in seconds.

    After stop(), the methods that wait raise InterruptError. After a signal, they raise it when
    they are called, or when their wait ends.
    """

    def __init__(self, max_wait: float) -> None:
        """`max_wait` is how long to wait for a bucket without any progress."""
        self._max_wait = max_wait
        self._windows: dict[Bucket, _Window] = {}
        self._changed = threading.Condition()
        self._stopped = False

    def begin(self, bucket: Bucket) -> float:
        """Wait until a request may start. Returns the time for end(), which must follow."""
        with self._changed:
            window = self._windows.setdefault(bucket, _Window())
            while True:
                wait = window.wait(time.monotonic())
                # If the wait exceeds the maximum, let the server decide.
                if wait == 0 or (wait is not None and wait > self._max_wait):
                    break
                self._wait(wait)
            self._check()
            window.go()
        return time.monotonic()

    def end(
        self,
        bucket: Bucket,
        sent: float,
        headers: t.Mapping[str, str] | None = None,
        *,
        passed: bool = False,
    ) -> None:
        """Note the headers of the response to a request, None if it got no response.

        `passed` says that the rate limit did not refuse it.
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
        """Close the bucket for as long as a refusal asks.

        If this exceeds the maximum wait, the bucket stays open. Then return how long the server has
        refused requests, and how much longer it asks to wait.
        """
        with self._changed:
            return self._windows[bucket].refuse(headers, self._max_wait)

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
        """Refuse all further requests."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait(self, seconds: float | None) -> None:
        self._check()
        self._changed.wait(seconds)

    def _check(self) -> None:
        if self._stopped or signals.received():
            raise InterruptError("The task was stopped before this was done; run it again.")


class _Window:
    """What the responses have shown of a bucket's current window.

    It ends between `_earliest` and `_latest`; each response narrows this down. `_remaining` is None
    until a response shows a limit. `_share` is how many requests this task may start before it
    leaves the window to other tasks; None means all.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.refused_since: float | None = None
        self._closed_until = 0.0
        self._share: int | None = None
        self._limit = 0
        self._length = 0.0
        self._remaining: int | None = None
        self._earliest = 0.0
        self._latest = 0.0

    def wait(self, now: float) -> float | None:
        """Return how long to wait before a request; None means until the next response."""
        if self._share == 0:
            self._share = None
            self._closed_until = now + min(_STAY_OUT, self._length / 8)
        if now < self._closed_until:
            return self._closed_until - now
        if self._remaining is None:
            return 0
        if now >= self._latest:
            # If the limit is unknown, send one request: its response shows the limit.
            return 0 if (self._limit or 1) > self.in_flight else None
        if self._remaining > self.in_flight:
            return 0
        if not self._remaining:
            self._close(self._latest)
        return self._latest - now

    def go(self) -> None:
        """Note that a request starts."""
        self.in_flight += 1
        if self._share:
            self._share -= 1

    def learn(self, sent: float, headers: t.Mapping[str, str]) -> None:
        """Note the response to a request that was sent at this time."""
        limit, remaining, reset = (
            seconds(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset")
        )
        if remaining is None or reset is None:
            return
        # The server counted the request at some time between sending it and now.
        earliest, latest = sent + reset - 1, time.monotonic() + reset
        if self._remaining is None or earliest >= self._latest:
            self._remaining, self._earliest, self._latest = int(remaining), earliest, latest
        elif latest < self._earliest:
            # The response is late, and about the previous window.
            return
        else:
            self._remaining = min(self._remaining, int(remaining))
            self._earliest = max(self._earliest, earliest)
            self._latest = min(self._latest, latest)
        self._limit = int(limit or 0)
        self._length = max(self._length, reset)

    def refuse(self, headers: t.Mapping[str, str], max_wait: float) -> tuple[float, float] | None:
        """Note a refusal, and close the bucket; see Pace.refused()."""
        now = time.monotonic()
        if self.refused_since is None:
            self.refused_since = now
        waited = now - self.refused_since
        wait = self._asked(headers, now, waited)
        if waited + wait > max_wait:
            return waited, wait
        self._close(now + wait + random.uniform(0, min(_APART, wait / 10)))
        return None

    def _asked(self, headers: t.Mapping[str, str], now: float, waited: float) -> float:
        """Return how long a refusal asks to wait."""
        asked = seconds(headers.get("retry-after"))
        if not asked:
            # Without a valid time, wait one second at first, and longer each time.
            return min(1 + waited, 30)
        reset = seconds(headers.get("x-ratelimit-reset"))
        if reset is not None and asked <= reset and now < self._latest:
            # The server rounds both up. Earlier responses show the end more precisely.
            return min(asked, self._latest - now)
        return asked

    def _close(self, end: float) -> None:
        """Start no request until a window ends, and then at first only a share of the next one."""
        self._closed_until = max(self._closed_until, end)
        if self._limit:
            self._share = max(1, self._limit // _SHARE)


def seconds(text: str | None) -> float | None:
    """Read a header with a whole number of seconds or requests; None if it has none."""
    text = (text or "").strip()
    return float(text[:9]) if text.isascii() and text.isdecimal() else None
