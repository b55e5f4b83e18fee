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

from .._errors import InterruptError
from . import signals

# A verb and a route template.
Bucket = tuple[str, str]

# Of a window that was waited for, a task takes a share, and then stays out for a while: so all the
# tasks that waited for it, which know its beginning to a second, get something of it.
_SHARE = 8
_STAY_OUT = 1.5
# How far apart those begin that were refused together.
_APART = 0.1


class Pace:
    """When requests may go. Made for several threads; all times are in seconds.

    After stop() whatever waits, or would begin, raises InterruptError; after a signal whatever
    would begin.
    """

    def __init__(self, max_wait: float) -> None:
        """`max_wait` is the longest that a bucket is waited for without any progress."""
        self._max_wait = max_wait
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

        If that is longer than that, returns for how long requests were refused, and how
        much longer the server asks to wait.
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
        """Let no further request begin."""
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
    """What is known of a bucket's current window.

    It ends between `earliest` and `latest`: each answer narrows that down. `remaining` is None as
    long as no answer has told of a limit. `share` are the requests that may go before others get
    their turn; None is all.
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
        """Return for how long no request may go; None is until the next answer comes."""
        if self._share == 0:
            self._share = None
            self._closed_until = now + min(_STAY_OUT, self._length / 8)
        if now < self._closed_until:
            return self._closed_until - now
        if self._remaining is None:
            return 0
        if now >= self._latest:
            # Whether a new window has room for more than one, if unknown, its first answer tells.
            return 0 if (self._limit or 1) > self.in_flight else None
        if self._remaining > self.in_flight:
            return 0
        if not self._remaining:
            self._close(self._latest)
        return self._latest - now

    def go(self) -> None:
        """Note that a request goes."""
        self.in_flight += 1
        if self._share:
            self._share -= 1

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
        elif latest < self._earliest:
            # A late answer, of the window before.
            return
        else:
            self._remaining = min(self._remaining, int(remaining))
            self._earliest = max(self._earliest, earliest)
            self._latest = min(self._latest, latest)
        self._limit = int(limit or 0)
        self._length = max(self._length, reset)

    def refuse(self, headers: t.Mapping[str, str], max_wait: float) -> tuple[float, float] | None:
        """Note that a request was refused, and close; see Pace.refused()."""
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

    def _close(self, end: float) -> None:
        """Let no request go until a window has ended, and only a share of the next at first."""
        self._closed_until = max(self._closed_until, end)
        if self._limit:
            self._share = max(1, self._limit // _SHARE)


def seconds(text: str | None) -> float | None:
    """Read a header that is a whole number, of seconds or requests."""
    text = (text or "").strip()
    return float(text[:9]) if text.isascii() and text.isdecimal() else None
