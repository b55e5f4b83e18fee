# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limits in virtual time: many threads, minutes of windows, and no waiting."""

from __future__ import annotations

import collections
import itertools
import math
import random
import threading
import types
import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import InterruptError
from ansible_collections.community.infisical.plugins.module_utils._server import pacing
from ansible_collections.community.infisical.plugins.module_utils._server.pacing import (
    Pace,
    seconds,
)

READ = ("GET", "/read")
WRITE = ("PATCH", "/write")


class World:
    """Threads in virtual time: one runs at a time, and time passes only when all wait."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._order = itertools.count()
        self._asleep: list[Sleeper] = []
        self._idle = threading.Semaphore(0)

    def run(self, *functions: t.Callable[[], object]) -> None:
        """Run the functions, each in a thread, until all have ended."""
        failures: list[BaseException] = []
        running = len(functions)

        def live(function: t.Callable[[], object], sleeper: Sleeper) -> None:
            nonlocal running
            sleeper.baton.acquire()
            try:
                function()
            except BaseException as failure:
                failures.append(failure)
            running -= 1
            self._idle.release()

        for function in functions:
            sleeper = self._sleeper(self.now)
            threading.Thread(target=live, args=(function, sleeper), daemon=True).start()
        while running:
            first = min(self._asleep, key=lambda sleeper: (sleeper.wakes, sleeper.order))
            assert first.wakes < math.inf, "everybody waits for somebody else"
            self._asleep.remove(first)
            self.now = max(self.now, first.wakes)
            first.baton.release()
            self._idle.acquire()
        if failures:
            raise failures[0]

    def sleep(self, duration: float | None) -> None:
        """Let the calling thread sleep; None is until it is woken."""
        self.wait(math.inf if duration is None else duration, [])

    def wait(self, duration: float, waiting: list[Sleeper]) -> None:
        sleeper = self._sleeper(self.now + duration)
        waiting.append(sleeper)
        self._idle.release()
        sleeper.baton.acquire()
        waiting.remove(sleeper)

    def _sleeper(self, wakes: float) -> Sleeper:
        sleeper = Sleeper(wakes, next(self._order))
        self._asleep.append(sleeper)
        return sleeper

    def condition(self) -> Condition:
        return Condition(self)


class Sleeper:
    def __init__(self, wakes: float, order: int) -> None:
        self.wakes = wakes
        self.order = order
        self.baton = threading.Semaphore(0)


class Condition:
    """Needs no lock: threads take turns only where they wait."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: list[Sleeper] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_failure: object) -> None:
        pass

    def wait(self, duration: float | None = None) -> None:
        self._world.wait(math.inf if duration is None else duration, self._waiting)

    def notify_all(self) -> None:
        for sleeper in self._waiting:
            sleeper.wakes = min(sleeper.wakes, self._world.now)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    virtual = World()
    monkeypatch.setattr(pacing, "time", types.SimpleNamespace(monotonic=lambda: virtual.now))
    monkeypatch.setattr(pacing, "random", random.Random(1))
    monkeypatch.setattr(pacing, "threading", types.SimpleNamespace(Condition=virtual.condition))
    return virtual


class Server:
    """Counts as Infisical does: in a window that begins with the first request after the last."""

    def __init__(
        self,
        world: World,
        limit: int,
        window: float = 60,
        *,
        latency: tuple[float, float] = (0.01, 0.03),
        silent: bool = False,
    ) -> None:
        self._world = world
        self._chance = random.Random(limit)
        self._latency = latency
        self._silent = silent
        self._counts: dict[tuple[str, str], tuple[float, int]] = {}
        self.limit = limit
        self.window = window
        # When, by whom, in which window it began.
        self.passed: list[tuple[float, str, float]] = []
        self.refused: list[tuple[float, str, float]] = []

    def answer(self, who: str, bucket: tuple[str, str] = READ) -> tuple[bool, dict[str, str]]:
        """Return whether a request passes, and the headers, which take a while both ways."""
        self._world.sleep(self._chance.uniform(*self._latency) / 2)
        now = self._world.now
        start, count = self._counts.get(bucket, (-math.inf, 0))
        if now >= start + self.window:
            start, count = now, 0
        count += 1
        self._counts[bucket] = start, count
        passes = count <= self.limit
        (self.passed if passes else self.refused).append((now, who, start))
        reset = str(max(1, math.ceil(start + self.window - now)))
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - count)),
            "x-ratelimit-reset": reset,
        }
        if self._silent:
            headers = {}
        if not passes:
            headers["retry-after"] = reset
        self._world.sleep(self._chance.uniform(*self._latency) / 2)
        return passes, headers

    @property
    def seconds(self) -> float:
        """From the first request to the last that passed."""
        return self.passed[-1][0] - min(self.passed + self.refused)[0]

    def least(self, requests: int) -> float:
        """The least time that the limit allows for so many requests."""
        return (requests - 1) // self.limit * self.window

    def most_refusals(self) -> int:
        """The most refusals of one worker in one window."""
        counts = [0]
        for _time, who, start in self.refused:
            counts.append(sum(item[1:] == (who, start) for item in self.refused))
        return max(counts)


def request(pace: Pace, server: Server, who: str, bucket: tuple[str, str] = READ) -> bool:
    """Make a request as the client does. Returns False if the patience is at its end."""
    while True:
        sent = pace.begin(bucket)
        passes, headers = server.answer(who, bucket)
        pace.end(bucket, sent, headers, passed=passes)
        if passes:
            return True
        if pace.refused(bucket, headers):
            return False


def task(
    pace: Pace, server: Server, requests: int, workers: int, name: str = "", **options: t.Any
) -> list[t.Callable[[], None]]:
    """Return the workers of a task, as functions that share out its requests."""
    todo = iter(range(requests))

    def work(who: str) -> None:
        for _number in todo:
            assert request(pace, server, who, **options)

    return [lambda who=f"{name}{n}": work(who) for n in range(workers)]  # type: ignore[misc]


@pytest.mark.parametrize("latency", [0.0, 0.02, 3.0], ids="{} s away".format)
@pytest.mark.parametrize(
    ("limit", "window", "workers", "requests"),
    [
        (200, 60, 8, 601),
        (30, 60, 8, 300),
        (60, 60, 8, 301),
        (90, 60, 64, 271),
        (40, 5, 8, 160),
        (10, 2, 1, 25),
        (4, 60, 8, 21),
        (1, 60, 8, 6),
    ],
    ids="{}".format,
)
def test_a_task_alone_is_never_refused_and_takes_little_more_than_the_least_time(
    world: World, limit: int, window: float, workers: int, requests: int, latency: float
) -> None:
    if requests / workers * latency > (requests - 1) // limit * window:
        # The server's distance, not its limit, is what takes the time.
        workers = 64
    server = Server(world, limit, window, latency=(latency, latency * 1.5))
    world.run(*task(Pace(300), server, requests, workers))
    assert len(server.passed) == requests
    # Whether there is a limit is not known before the first answer.
    first = [item for item in server.refused if item[2] == server.passed[0][2]]
    assert len(first) <= max(0, workers - limit)
    assert server.most_refusals() <= 1
    assert server.refused == first
    trips = 3 * 1.5 * latency * (server.least(requests) // window + 1)
    assert server.seconds <= 1.10 * server.least(requests) + trips


@pytest.mark.parametrize("workers", [1, 8])
def test_many_creations_fill_every_window(world: World, workers: int) -> None:
    """Other requests of the task, in buckets of their own, go on meanwhile."""
    creations, attachments = Server(world, 30), Server(world, 200)
    pace = Pace(300)
    todo = iter(range(300))

    def create_and_attach(who: str) -> None:
        for _number in todo:
            assert request(pace, creations, who, WRITE)
            assert request(pace, attachments, who, READ)

    world.run(*(lambda who=f"{n}": create_and_attach(who) for n in range(workers)))
    counts = collections.Counter(start for _time, _who, start in creations.passed)
    assert list(counts.values()) == [30] * 10
    assert creations.refused == attachments.refused == []
    assert creations.seconds <= 1.10 * 540


@pytest.mark.parametrize("seed", [9, 11])
@pytest.mark.parametrize("tasks", [2, 3])
@pytest.mark.parametrize(("limit", "workers"), [(200, 8), (60, 8), (20, 16), (4, 8)])
def test_tasks_that_share_a_limit_all_get_on(
    world: World,
    limit: int,
    workers: int,
    tasks: int,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "random", random.Random(seed))
    server = Server(world, limit)
    requests = 5 * limit
    functions = [
        function
        for number in range(tasks)
        for function in task(Pace(300), server, requests, workers, f"{number}-")
    ]
    world.run(*functions)
    assert len(server.passed) == tasks * requests
    assert server.most_refusals() <= 1
    assert server.seconds <= 1.15 * server.least(tasks * requests)
    ends = [
        max(time for time, who, _start in server.passed if who.startswith(f"{number}-"))
        for number in range(tasks)
    ]
    begins = sorted({start for _time, _who, start in server.passed})
    for number, end in enumerate(ends):
        served = {start for _time, who, start in server.passed if who.startswith(f"{number}-")}
        waited = [start for start in begins if start <= end and start not in served]
        # Now and then a window may go to others, but not window after window.
        runs = [
            len(list(group))
            for missed, group in itertools.groupby(start in waited for start in begins)
            if missed
        ]
        assert max(runs, default=0) <= 2, f"task {number} got nothing in {max(runs)} windows"


def test_a_task_that_finds_the_window_used_up_waits_for_the_next(world: World) -> None:
    server = Server(world, 10)
    world.run(*task(Pace(300), server, 10, 1, "before"))
    world.run(lambda: world.sleep(20))
    world.run(*task(Pace(300), server, 20, 8))
    assert server.most_refusals() <= 1
    assert len(server.refused) <= 8
    assert server.seconds <= 1.10 * 120


def test_refusals_that_only_say_when_to_come_back_are_enough(world: World) -> None:
    server = Server(world, 50, silent=True)
    world.run(*task(Pace(300), server, 240, 8))
    assert len(server.passed) == 240
    assert server.most_refusals() <= 1
    assert server.seconds <= 1.10 * server.least(240)


def test_buckets_are_apart(world: World) -> None:
    """A window of reads that is used up does not hold up writes."""
    server = Server(world, 10)
    pace = Pace(300)
    writes: list[float] = []

    def write() -> None:
        for _number in range(10):
            request(pace, server, "writer", WRITE)
            writes.append(world.now)

    started = world.now
    world.run(*task(pace, server, 25, 4), write)
    assert max(writes) - started < 1
    assert server.refused == []


def test_patience_is_what_a_bucket_is_waited_for_without_progress(world: World) -> None:
    server = Server(world, 10)
    pace = Pace(30)
    started = world.now
    gave_up: list[float] = []

    def work(who: str) -> None:
        while request(pace, server, who):
            pass
        gave_up.append(world.now - started)

    world.run(*(lambda who=f"{n}": work(who) for n in range(4)))
    assert len(server.passed) == 10
    # A window of a minute is longer than anybody here waits, so nobody does.
    assert len(gave_up) == 4
    assert max(gave_up) < 5
    assert server.most_refusals() <= 1


def test_patience_is_longer_than_a_window_so_the_work_gets_done(world: World) -> None:
    server = Server(world, 10)
    world.run(*task(Pace(61), server, 65, 4))
    assert len(server.passed) == 65


def test_a_bucket_that_never_opens_is_given_up_after_the_patience(world: World) -> None:
    server = Server(world, 0, 5)
    pace = Pace(30)
    started = world.now
    world.run(lambda: request(pace, server, "x"))
    assert 20 <= world.now - started <= 35
    assert len(server.refused) <= 8


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("\u0664\u0662", None),
        ("0", 0),
        (" 7 ", 7),
        ("60", 60),
        ("9" * 40, 999999999),
    ],
)
def test_headers_are_whole_numbers_or_nothing(text: str | None, number: float | None) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize("text", [None, "soon", "-1", "0", "1.5"])
def test_a_refusal_without_a_time_neither_hangs_nor_hammers(world: World, text: str | None) -> None:
    pace = Pace(20)
    headers = {} if text is None else {"retry-after": text}
    asked = []

    def work() -> None:
        while True:
            sent = pace.begin(READ)
            asked.append(world.now)
            pace.end(READ, sent, headers)
            if pace.refused(READ, headers):
                return

    started = world.now
    world.run(work)
    assert world.now - started <= 20
    assert 3 <= len(asked) <= 20
    gaps = [after - before for before, after in zip(asked, asked[1:])]
    assert min(gaps) >= 1


def test_whoever_waits_is_stopped_at_once(world: World) -> None:
    server = Server(world, 2)
    pace = Pace(300)
    stopped: list[float] = []

    def work_for_ever(who: str) -> None:
        while True:
            request(pace, server, who)

    def work(who: str) -> None:
        with pytest.raises(InterruptError):
            work_for_ever(who)
        stopped.append(world.now)

    def stop() -> None:
        world.sleep(10)
        pace.stop()

    def pausing() -> None:
        with pytest.raises(InterruptError):
            pace.pause(100)
        stopped.append(world.now)

    started = world.now
    world.run(*(lambda who=f"{n}": work(who) for n in range(4)), pausing, stop)
    assert len(stopped) == 5
    assert max(stopped) - started <= 10.1
    with pytest.raises(InterruptError):
        pace.begin(READ)


def test_a_pause_is_as_long_as_it_says_whatever_else_goes_on(world: World) -> None:
    server = Server(world, 100)
    pace = Pace(300)
    ended: list[float] = []

    def pausing() -> None:
        pace.pause(5)
        ended.append(world.now)

    started = world.now
    world.run(pausing, *task(pace, server, 50, 2))
    assert ended == [started + 5]


def test_an_answer_that_never_came_frees_its_place(world: World) -> None:
    server = Server(world, 3)
    pace = Pace(300)

    def work() -> None:
        assert request(pace, server, "x")
        for _number in range(5):
            pace.end(READ, pace.begin(READ))
        assert request(pace, server, "x")

    started = world.now
    world.run(work)
    assert world.now - started < 1


def test_late_answers_of_the_window_before_do_not_close_the_next(world: World) -> None:
    """One worker's answer takes longer than the rest of the window."""
    server = Server(world, 20, 5)
    pace = Pace(300)

    def slow() -> None:
        sent = pace.begin(READ)
        passes, headers = server.answer("slow")
        world.sleep(7)
        pace.end(READ, sent, headers, passed=passes)

    world.run(slow, *task(pace, server, 69, 4))
    assert server.refused == []
    assert server.seconds <= 1.10 * server.least(70)


def test_the_last_answer_of_a_window_may_come_in_the_next_and_closes_nothing(world: World) -> None:
    def told(remaining: int, reset: int) -> dict[str, str]:
        return {
            "x-ratelimit-limit": "20",
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-reset": str(reset),
        }

    pace = Pace(300)

    def work() -> None:
        pace.end(READ, pace.begin(READ), told(19, 60), passed=True)
        world.sleep(59.5)
        late = pace.begin(READ)
        world.sleep(1.5)
        pace.end(READ, pace.begin(READ), told(19, 60), passed=True)
        pace.end(READ, late, told(0, 1), passed=True)
        before = world.now
        pace.begin(READ)
        assert world.now == before

    world.run(work)
