# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that share out a list of work."""

from __future__ import annotations

import threading
import typing as t

from .._server import signals

Item = t.TypeVar("Item")


class Workers(t.Generic[Item]):
    """Threads that take the items in order, each taking the next when it has finished one.

    Not concurrent.futures, because Python waits for those threads when it exits. After a signal,
    one of them may still be waiting for a response.
    """

    def __init__(self, do: t.Callable[[Item], object], items: t.Iterable[Item]) -> None:
        """`do` has to handle failures. Any exception that it raises ends all work."""
        self._do = do
        self._todo = iter(items)
        self._lock = threading.Lock()
        self._bug: BaseException | None = None
        # Not Thread.join(): interrupted by a signal, it may report a running thread as ended.
        self._ended = threading.Condition()
        self._running = 0

    def start(self, count: int) -> None:
        """Start this many threads, or as many as possible. Raises RuntimeError if none starts."""
        for number in range(count):
            self._count(1)
            try:
                threading.Thread(target=self._work, daemon=True).start()
            except RuntimeError:
                self._count(-1)
                if not number:
                    raise
                break

    def join(self) -> None:
        """Wait until all work has ended. Raises InterruptError when a signal comes."""
        signals.wait(self._wait)
        if self._bug:
            raise self._bug

    def stop(self, patience: float) -> None:
        """Start no further item, and wait this many seconds for those in progress."""
        self._give_up()
        self._wait(patience)

    def _work(self) -> None:
        try:
            while True:
                with self._lock:
                    item = next(self._todo, self)
                if item is self:
                    break
                self._do(t.cast(Item, item))
        except BaseException as bug:
            self._bug = bug
            self._give_up()
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._ended:
            self._running += more
            self._ended.notify_all()

    def _wait(self, patience: float) -> bool:
        with self._ended:
            return self._ended.wait_for(lambda: not self._running, patience)

    def _give_up(self) -> None:
        with self._lock:
            self._todo = iter(())
