# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import threading
import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import InterruptError
from ansible_collections.community.infisical.plugins.module_utils._server import signals
from ansible_collections.community.infisical.plugins.module_utils._state.workers import Workers

# For what comes at once on an idle machine, in seconds.
PATIENCE = 60


class Watched(Workers[int]):
    """Workers that tell when no further item is taken."""

    def __init__(self, do: t.Callable[[int], object], items: t.Iterable[int]) -> None:
        super().__init__(do, items)
        self._over = threading.Event()

    def _give_up(self) -> None:
        super()._give_up()
        self._over.set()

    def hold(self) -> None:
        """Wait until no further item is taken."""
        assert self._over.wait(PATIENCE)


def begin(count: int, do: t.Callable[[t.Any], object], items: t.Iterable[int]) -> Workers[int]:
    workers = Workers(do, items)
    workers.start(count)
    return workers


@pytest.mark.parametrize("count", [1, 3, 50])
def test_every_item_is_taken_once(count: int) -> None:
    done: list[int] = []
    begin(count, done.append, range(200)).join()
    assert sorted(done) == list(range(200))


def test_one_worker_takes_them_in_order() -> None:
    done: list[int] = []
    begin(1, done.append, range(50)).join()
    assert done == list(range(50))


def test_so_many_work_at_once_and_no_more() -> None:
    lock = threading.Lock()
    together = threading.Barrier(4, timeout=PATIENCE)
    here = most = 0

    def work(_item: int) -> None:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        # Passed only by four who are here at the same time.
        together.wait()
        with lock:
            here -= 1

    begin(4, work, range(40)).join()
    assert most == 4


@pytest.mark.parametrize("room", [1, 3])
def test_with_as_many_threads_as_the_host_allows_all_is_done(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    allow_threads(room, monkeypatch)
    begin(5, done.append, range(200)).join()
    assert sorted(done) == list(range(200))


def test_without_any_thread_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_threads(0, monkeypatch)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        begin(5, pytest.fail, range(200))


def allow_threads(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no more threads be started, as the limit of a container does."""
    start = threading.Thread.start
    left = iter(range(room))

    def start_if_there_is_room(thread: threading.Thread) -> None:
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_if_there_is_room)


def test_no_workers_and_no_items_are_nothing_to_do() -> None:
    begin(0, pytest.fail, []).join()
    begin(3, pytest.fail, []).join()


def test_a_bug_ends_it_all_and_comes_out_of_join() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        done.append(item)
        if item == 5:
            raise ZeroDivisionError("five")
        if item > 5:
            workers.hold()

    workers = Watched(work, range(10_000))
    workers.start(2)
    with pytest.raises(ZeroDivisionError, match="five"):
        workers.join()
    # The other one had one more in hand, or was about to take it.
    assert done[:6] == list(range(6))
    assert len(done) <= 7


def test_stop_takes_no_further_item_and_waits_for_those_in_hand() -> None:
    begun = threading.Event()
    done: list[int] = []

    def work(item: int) -> None:
        begun.set()
        workers.hold()
        done.append(item)

    workers = Watched(work, range(100))
    workers.start(1)
    assert begun.wait(PATIENCE)
    workers.stop(PATIENCE)
    assert done == [0]
    workers.join()
    assert done == [0]


def test_stop_waits_no_longer_than_its_patience_in_all() -> None:
    never = threading.Event()
    begun = threading.Barrier(6, timeout=PATIENCE)
    done: list[int] = []

    def work(item: int) -> None:
        begun.wait()
        never.wait(PATIENCE)
        done.append(item)

    workers = begin(5, work, range(5))
    begun.wait()
    workers.stop(0.1)
    # It came back before any of those that hang.
    assert not done
    never.set()
    workers.join()


def test_threads_that_hang_do_not_keep_python_from_ending() -> None:
    never = threading.Event()
    begin(2, lambda _item: never.wait(PATIENCE), range(2))
    hanging = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    assert len(hanging) >= 2
    assert all(thread.daemon for thread in hanging)
    never.set()


@pytest.fixture
def _signals_are_watched() -> t.Iterator[None]:
    before = {number: signal.getsignal(number) for number in signals._SIGNALS}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signals.watch()
    yield
    signals.watch()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals_are_watched")
def test_a_signal_ends_the_wait_and_what_is_in_hand_is_waited_for() -> None:
    done: list[int] = []
    begun = threading.Barrier(3, timeout=PATIENCE)

    def work(item: int) -> None:
        begun.wait()
        workers.hold()
        done.append(item)

    workers = Watched(work, range(100))
    workers.start(2)
    begun.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(InterruptError, match="The task was stopped by SIGTERM"):
        workers.join()
    assert not done
    workers.stop(PATIENCE)
    assert sorted(done) == [0, 1]
