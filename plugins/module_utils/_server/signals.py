# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signals that ask a task to end: a flag, at which whatever waits or starts something looks.

The handler raises nothing. Python runs it wherever the main thread happens to be, and what is
raised in a finaliser, in a callback of a weak reference or in a generator that is closed is lost.
"""

from __future__ import annotations

import signal
import threading
import typing as t

from .._errors import InfisicalError, InterruptError

# How long what is in hand may take when a task is stopped, in seconds.
GRACE_SECONDS = 8
# How often the main thread looks at the flag while it waits, in seconds. The signal itself may wake
# it, but not if another thread gets it, or if it comes just before the wait.
_POLL_SECONDS = 0.1
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

Result = t.TypeVar("Result")

# The first of them is the one that messages name.
_received: list[int] = []


def watch() -> None:
    """Take note of these signals from now on, and forget any that came before."""
    _received.clear()
    _handle(lambda number, _frame: _received.append(number))


def ignore() -> None:
    """Ignore these signals from now on: what is left is to tell what was done, which is short.

    When Python ends, it would let its own handlers go first, and a late signal have its way.
    """
    _handle(signal.SIG_IGN)


def received() -> bool:
    """Return whether a signal has come."""
    return bool(_received)


def check() -> None:
    """Raise InterruptError if a signal has come."""
    if _received:
        raise InterruptError(
            f"The task was stopped by {signal.Signals(_received[0]).name}; run it again to finish"
            " the rest."
        )


def wait(ended: t.Callable[[float], object]) -> None:
    """Wait until `ended(seconds)`, which waits for so long at most, returns something true.

    Raises InterruptError when a signal comes.
    """
    while not ended(_POLL_SECONDS):
        check()


def interruptible(
    do: t.Callable[[], Result],
    stop: t.Callable[[], object] = lambda: None,
    grace: float = 0,
) -> Result:
    """Return what `do()` returns, or raise InterruptError when a signal comes.

    A read from a socket goes on after a signal, so that it is for a thread, and the main thread
    only waits for that. After a signal `stop()` is called, and for the end of `do()` waited for
    `grace` seconds more: if it returns after all, that counts. The error tells whether what was
    under way may have been done. For other threads signals mean nothing: they are stopped by the
    main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return do()
    check()
    call = _Call(do)
    try:
        threading.Thread(target=call.make, daemon=True).start()
    except RuntimeError:
        # The host allows no more threads.
        return do()
    try:
        wait(call.ended.wait)
    except InterruptError as interrupt:
        stop()
        if not call.ended.wait(grace):
            interrupt.maybe_sent = True
            raise
    return call.outcome()


def _handle(handler: t.Any) -> None:
    for number in _SIGNALS:
        # One that was ignored from the start, as under nohup, stays ignored.
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, handler)


class _Call(t.Generic[Result]):
    """A call that another thread makes."""

    def __init__(self, do: t.Callable[[], Result]) -> None:
        self._do = do
        self._result: list[Result] = []
        self._failure: BaseException | None = None
        self.ended = threading.Event()

    def make(self) -> None:
        """Make the call."""
        try:
            self._result.append(self._do())
        except BaseException as failure:
            self._failure = failure
        self.ended.set()

    def outcome(self) -> Result:
        """Return or raise what came of it, which has ended.

        A failure after a signal is told as an interrupt.
        """
        if isinstance(self._failure, InfisicalError):
            try:
                check()
            except InterruptError as interrupt:
                earlier = isinstance(self._failure, InterruptError) and self._failure.maybe_sent
                interrupt.maybe_sent = self._failure.unsure or earlier
                raise interrupt from None
        if self._failure:
            raise self._failure
        return self._result[0]
