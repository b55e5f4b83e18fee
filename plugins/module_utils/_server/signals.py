# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signals that ask a task to stop: they set a flag, which all code that waits or starts checks.

The handler raises nothing. Python runs it wherever the main thread is. Exceptions in finalizers, in
callbacks of weak references and in generators that are closed are lost.
"""

from __future__ import annotations

import signal
import threading
import typing as t

from .._errors import InfisicalError, InterruptError

# How many seconds the work in progress may take when a task is stopped.
GRACE_SECONDS = 8
# How often, in seconds, a waiting main thread checks the flag. The signal may wake the thread, but
# not if another thread receives it, or if it comes just before the wait.
_POLL_SECONDS = 0.1
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

Result = t.TypeVar("Result")

# Messages name the first one.
_received: list[int] = []


def watch() -> None:
    """Record these signals from now on, and forget any earlier ones."""
    _received.clear()
    _handle(lambda number, _frame: _received.append(number))


def ignore() -> None:
    """Ignore these signals from now on, because only the result is left to write.

    Otherwise a late signal would kill Python, which removes its handlers before it exits.
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
    """Wait until `ended(seconds)`, which waits at most that long, returns a true value.

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

    A signal does not interrupt a read from a socket, so another thread does the work and the main
    thread waits. After a signal, `stop()` is called, and `do()` gets `grace` more seconds; if it
    returns by then, its result counts. The error says whether the work may have been done. In
    other threads signals have no effect: the main thread stops them.
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
        # A signal that was ignored from the start, as under nohup, stays ignored.
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
        """Return the result of the ended call, or raise its failure.

        A failure after a signal is reported as an interrupt.
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
