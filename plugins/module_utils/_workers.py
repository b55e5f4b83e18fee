# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that share out a list of work."""

from __future__ import annotations

import threading
import time
import typing as t

Item = t.TypeVar("Item")


class Workers:
    """Threads that take the items in order, each on to the next when it is done with one.

    Not those of concurrent.futures: Python waits for these at its end, however long they take, and
    a task that a signal has stopped may have one that waits for an answer.
    """

    def __init__(self, count: int, do: t.Callable[[Item], object], items: t.Iterable[Item]) -> None:
        """Start. `do` has to deal with what goes wrong; what it raises all the same ends it all."""
        self._todo = iter(items)
        self._lock = threading.Lock()
        self._bug: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._work, args=(do,), daemon=True) for _number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the end of all the work."""
        for thread in self._threads:
            thread.join()
        if self._bug:
            raise self._bug

    def stop(self, patience: float) -> None:
        """Let no further item be taken, and wait so many seconds for those in hand."""
        self._give_up()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))

    def _work(self, do: t.Callable[[Item], object]) -> None:
        while True:
            with self._lock:
                item = next(self._todo, self)
            if item is self:
                return
            try:
                do(t.cast(Item, item))
            except BaseException as bug:
                self._bug = bug
                self._give_up()

    def _give_up(self) -> None:
        with self._lock:
            self._todo = iter(())
