# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._workers import Workers


class Stopped(Exception):
    pass


@pytest.fixture
def alarm() -> t.Iterator[None]:
    """Lets SIGALRM raise Stopped in the main thread."""

    def stop(_number: int, _frame: t.Any) -> t.NoReturn:
        raise Stopped

    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.signal(signal.SIGALRM, before)


def test_each_item_is_taken_once_and_in_order() -> None:
    taken: list[int] = []
    lock = threading.Lock()

    def take(item: int) -> None:
        with lock:
            taken.append(item)

    Workers(1, take, range(100)).join()
    assert taken == list(range(100))
    taken.clear()
    Workers(8, take, range(100)).join()
    assert sorted(taken) == list(range(100))


def test_no_items_and_no_workers_are_an_end_at_once() -> None:
    Workers(3, print, ()).join()
    Workers(0, print, ()).join()


def test_what_a_worker_raises_ends_the_work_and_is_raised() -> None:
    taken: list[int] = []

    def fail_at_three(item: int) -> None:
        taken.append(item)
        if item == 3:
            raise KeyError(item)

    with pytest.raises(KeyError):
        Workers(1, fail_at_three, range(100)).join()
    assert taken == [0, 1, 2, 3]


@pytest.mark.usefixtures("alarm")
def test_after_a_signal_what_is_in_hand_is_waited_for_and_nothing_else_is_taken() -> None:
    taken: list[int] = []
    done: list[int] = []

    def take(item: int) -> None:
        taken.append(item)
        time.sleep(0.5)
        done.append(item)

    workers = Workers(2, take, range(100))
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGALRM)).start()
    with pytest.raises(Stopped):
        workers.join()
    assert not done
    workers.stop(5)
    assert sorted(taken) == sorted(done) == [0, 1]


def test_what_takes_too_long_is_not_waited_for() -> None:
    release = threading.Event()
    workers = Workers(1, lambda _item: release.wait(10), range(2))
    started = time.monotonic()
    workers.stop(0.1)
    assert time.monotonic() - started < 5
    release.set()
    workers.join()
