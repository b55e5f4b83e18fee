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
    """Threads that take the items in order, each on to the next when it is done with one.

    Not those of concurrent.futures: Python waits for these at its end, however long they take, and
    a task that a signal has stopped may have one that waits for an answer.
    """

    def __init__(self, do: t.Callable[[Item], object], items: t.Iterable[Item]) -> None:
        """`do` has to deal with what goes wrong; what it raises all the same ends it all."""
        self._do = do
        self._todo = iter(items)
        self._lock = threading.Lock()
        self._bug: BaseException | None = None
        # Not by Thread.join(): interrupted by a signal, it takes a thread for ended that is not.
        self._ended = threading.Condition()
        self._running = 0

    def start(self, count: int) -> None:
        """Start so many threads, or as many as there can be. Raises RuntimeError for none."""
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
        """Wait for the end of all the work. Raises InterruptError when a signal comes."""
        signals.wait(self._wait)
        if self._bug:
            raise self._bug

    def stop(self, patience: float) -> None:
        """Let no further item be taken, and wait so many seconds for those in hand."""
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
