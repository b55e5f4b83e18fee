# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet makes of work that goes well or fails, without a server."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    InfisicalError,
    InterruptError,
    OptionError,
    RateLimitedError,
    TransportError,
)
from ansible_collections.community.infisical.plugins.module_utils._server import signals
from ansible_collections.community.infisical.plugins.module_utils._state.fleet import Fleet
from ansible_collections.community.infisical.plugins.module_utils._state.identities import Reference

DENIED = ApiError("Not allowed.", http_status=403, error="PermissionDenied")
BROKEN = ApiError("Broken.", http_status=500, error="Update by id")
GATEWAY = ApiError("Down.", http_status=503, error="ServiceUnavailable")
LOGGED_OUT = ApiError("Who are you?", http_status=401, error="UnauthorizedError")
EXPIRED = ApiError("Too old.", http_status=403, error="TokenError")
INVALID = ApiError("Bad input.", http_status=401, error="ValidationFailure")
AWAY = ApiError("Broken.", http_status=500, error="IdAccessTokenFindOne")
LOST = TransportError("Lost.", unsent=False, transient=True)
UNTRUSTED = TransportError("No trust.", unsent=True, transient=False)
LIMITED = RateLimitedError("Too many.", DENIED)


class Work:
    """In place of the work on an identity."""

    def __init__(self, number: int, *, purged: bool = False, creates: bool = False) -> None:
        self.number = number
        self.reference = Reference(
            f"id {number}", None, label=f"identities[{number}]", place=number
        )
        self.purged = purged
        self.creates = creates
        self.failure: InfisicalError | None = None
        self.changed = False
        self.created = False
        self.deleted = False
        self.writing = False

    def note_interrupt(self, failure: InterruptError) -> None:
        self.changed = self.changed or self.writing
        self.failure = failure


def works_of(count: int, *, purged: bool = False) -> list[Work]:
    return [Work(number, purged=purged) for number in range(count)]


def changed(work: Work) -> bool:
    return work.changed


def change(work: Work) -> None:
    work.changed = True


def never(work: Work) -> None:
    pytest.fail(f"worked on: {work.number}")


def failing(*numbers: int, by: InfisicalError) -> t.Callable[[Work], None]:
    """Return what to do, which changes everything but where it fails."""

    def do(work: Work) -> None:
        if work.number in numbers:
            raise by
        change(work)

    return do


def counts(fleet: Fleet[Work]) -> tuple[int, int, int, int, int]:
    return fleet.total, fleet.checked, fleet.changed, fleet.failed, fleet.purged


def test_all_went_well() -> None:
    fleet = Fleet[Work](4)
    fleet.run(works_of(30), change, changed)
    assert counts(fleet) == (30, 30, 30, 0, 0)
    assert fleet.complete
    assert fleet.message() == ""
    assert [work.number for work in fleet.kept] == list(range(30))


def test_no_work_is_complete() -> None:
    fleet = Fleet[Work](8)
    fleet.run([], never, changed)
    assert counts(fleet) == (0, 0, 0, 0, 0)
    assert fleet.complete


def test_what_is_of_no_interest_is_only_counted() -> None:
    fleet = Fleet[Work](4)

    def every_third(work: Work) -> None:
        work.changed = work.number % 3 == 0

    fleet.run(works_of(10), every_third, changed)
    assert counts(fleet) == (10, 10, 4, 0, 0)
    assert [work.number for work in fleet.kept] == [0, 3, 6, 9]


def test_one_that_fails_does_not_stop_the_others() -> None:
    fleet = Fleet[Work](4)
    fleet.run(works_of(50), failing(3, 7, by=BROKEN), changed)
    assert counts(fleet) == (50, 50, 48, 2, 0)
    assert not fleet.complete
    assert fleet.message() == (
        "2 of 50 identities failed: identities[3]: Broken. identities[7]: Broken."
    )


def test_a_failed_one_that_has_changed_counts_as_failed() -> None:
    def half(work: Work) -> None:
        work.changed = True
        raise BROKEN

    fleet = Fleet[Work](1)
    fleet.run(works_of(1), half, changed)
    assert counts(fleet) == (1, 1, 0, 1, 0)


def test_purged_ones_count_apart_and_come_last() -> None:
    fleet = Fleet[Work](4)
    fleet.run(works_of(3), change, changed)
    fleet.run(works_of(2, purged=True), change, changed)
    assert counts(fleet) == (5, 5, 3, 0, 2)
    assert [work.purged for work in fleet.kept] == [False] * 3 + [True] * 2


@pytest.mark.parametrize("end", [LOGGED_OUT, EXPIRED, LIMITED], ids=lambda end: type(end).__name__)
def test_the_end_of_the_login_or_of_the_patience_ends_it_all(end: InfisicalError) -> None:
    fleet = Fleet[Work](1)
    fleet.run(works_of(100), failing(*range(10, 100), by=end), changed)
    assert counts(fleet) == (100, 11, 10, 1, 0)
    assert fleet.message() == (
        f"1 of 100 identities failed: identities[10]: {end} 89 of 100 identities were not tried."
    )


@pytest.mark.parametrize("outage", [GATEWAY, AWAY, LOST], ids=str)
def test_a_server_that_is_down_ends_it_all(outage: InfisicalError) -> None:
    fleet = Fleet[Work](1)
    fleet.run(works_of(100), failing(*range(10, 100), by=outage), changed)
    assert counts(fleet) == (100, 26, 10, 16, 0)
    assert fleet.message() == (
        "The server seems to be down or unreachable: 16 of 100 identities failed because of this,"
        f" the last of them with: identities[25]: {outage} 74 of 100 identities were not tried."
    )


def test_what_failed_before_an_outage_is_told_apart() -> None:
    fleet = Fleet[Work](1)

    def do(work: Work) -> None:
        raise DENIED if work.number in (2, 3) else LOST

    fleet.run(works_of(100), do, changed)
    assert counts(fleet) == (100, 20, 0, 20, 0)
    assert fleet.message() == (
        "The server seems to be down or unreachable: 18 of 100 identities failed because of this,"
        " the last of them with: identities[19]: Lost. 2 of 100 identities failed: identities[2]:"
        " Not allowed. identities[3]: Not allowed. 80 of 100 identities were not tried."
    )


@pytest.mark.parametrize(
    "failure",
    [BROKEN, DENIED, INVALID, UNTRUSTED, OptionError("TTL.")],
    ids=lambda failure: f"{type(failure).__name__} {failure}",
)
def test_what_is_about_one_identity_ends_nothing_however_often(failure: InfisicalError) -> None:
    fleet = Fleet[Work](1)
    fleet.run(works_of(100), failing(*range(100), by=failure), changed)
    assert counts(fleet) == (100, 100, 0, 100, 0)


@pytest.mark.parametrize("late", [None, DENIED], ids=["done", "refused"])
def test_an_answer_from_before_an_outage_does_not_make_it_shorter(
    late: InfisicalError | None,
) -> None:
    """It may come late, from a busy server, or to a busy machine."""
    answered = threading.Event()
    fleet = Fleet[Work](2)

    def do(work: Work) -> None:
        if work.number:
            if fleet.checked == 10:
                answered.set()
                while fleet.checked == 10:
                    time.sleep(0.001)
            raise LOST
        assert answered.wait(30)
        if late:
            raise late

    fleet.run(works_of(100), do, changed)
    assert fleet.failed - (late is not None) in (16, 17)


def test_an_answer_to_what_began_during_an_outage_ends_it() -> None:
    fleet = Fleet[Work](2)

    def do(work: Work) -> None:
        if work.number == 3:
            while fleet.checked < 12:
                time.sleep(0.001)
            return
        while fleet.checked == 12:
            time.sleep(0.001)
        raise LOST

    fleet.run(works_of(100), do, changed)
    assert 12 + 16 <= fleet.failed <= 12 + 18


def test_outages_now_and_then_end_nothing() -> None:
    fleet = Fleet[Work](1)
    fleet.run(works_of(100), failing(*(n for n in range(100) if n % 10), by=LOST), changed)
    assert counts(fleet) == (100, 100, 10, 90, 0)


def test_twenty_failures_are_told_and_the_rest_counted() -> None:
    fleet = Fleet[Work](8)
    fleet.run(works_of(33), failing(*range(33), by=DENIED), changed)
    told = " ".join(f"identities[{n}]: Not allowed." for n in range(20))
    assert fleet.message() == f"33 of 33 identities failed: {told} And 13 more."


def test_after_the_end_no_more_is_worked_on() -> None:
    fleet = Fleet[Work](1)
    fleet.run(works_of(2), failing(0, 1, by=LOGGED_OUT), changed)
    fleet.run(works_of(5, purged=True), never, changed)
    assert counts(fleet) == (7, 1, 0, 1, 0)


def test_a_bug_is_not_a_failure_of_one_identity() -> None:
    def bug(_work: Work) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Fleet[Work](2).run(works_of(5), bug, changed)


class Interrupted:
    """A fleet with work of which two hang, which is stopped by somebody else meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, writing: bool) -> None:
        monkeypatch.setattr(signals, "GRACE_SECONDS", 0.05)
        self.fleet = Fleet[Work](2)
        self.never = threading.Event()
        self._hanging = threading.Semaphore(0)
        self._writing = writing
        thread = threading.Thread(
            target=self.fleet.run, args=(works_of(10), self._do, changed), daemon=True
        )
        thread.start()
        for _number in range(2):
            assert self._hanging.acquire(timeout=10)
        self.fleet.stop()
        self._thread = thread

    def _do(self, work: Work) -> None:
        if work.number in (3, 4):
            work.writing = self._writing
            self._hanging.release()
            self.never.wait(10)
        work.changed = True

    def go_on(self) -> None:
        self.never.set()
        self._thread.join(10)


def test_what_is_written_when_it_is_stopped_counts_as_changed_and_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted = Interrupted(monkeypatch, writing=True)
    fleet = interrupted.fleet
    assert counts(fleet) == (10, 5, 3, 2, 0)
    unknown = [work for work in fleet.kept if work.failure]
    assert [work.number for work in unknown] == [3, 4]
    for work in unknown:
        assert str(work.failure) == (
            "The task was stopped during this change, so it is not known whether the change was"
            " made; run the task again."
        )
    assert all(work.changed for work in unknown)
    assert "5 of 10 identities were not tried." in fleet.message()
    # That they end after all is too late to be told.
    interrupted.go_on()
    assert counts(fleet) == (10, 5, 3, 2, 0)


def test_what_is_only_read_when_it_is_stopped_counts_as_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted = Interrupted(monkeypatch, writing=False)
    assert counts(interrupted.fleet) == (10, 3, 3, 0, 0)
    assert interrupted.fleet.message() == "7 of 10 identities were not tried."
    interrupted.go_on()


def test_stopping_before_anything_was_begun_is_fine() -> None:
    fleet = Fleet[Work](3)
    fleet.stop()
    assert counts(fleet) == (0, 0, 0, 0, 0)


def test_what_was_created_and_deleted_counts_as_changed_too_and_a_failure_as_nothing_else() -> None:
    fleet = Fleet[Work](2)

    def do(work: Work) -> None:
        work.changed = True
        work.created = work.number in (0, 1, 2)
        work.deleted = work.number == 3
        if work.number == 2:
            raise DENIED

    fleet.run(works_of(6), do, changed)
    assert counts(fleet) == (6, 6, 5, 1, 0)
    assert (fleet.created, fleet.deleted) == (2, 1)


def test_creations_that_wait_for_their_rate_limit_hold_nobody_up() -> None:
    """They have workers of their own: a quarter of all."""
    free = threading.Event()
    waiting = threading.Semaphore(0)

    def do(work: Work) -> None:
        if work.creates:
            waiting.release()
            assert free.wait(30)
        elif work.number == 39:
            # The last of the rest, which the other six have done.
            assert waiting.acquire(timeout=30)
            assert waiting.acquire(timeout=30)
            more = waiting.acquire(timeout=0.1)
            free.set()
            assert not more

    fleet = Fleet[Work](8)
    fleet.run([Work(number, creates=number < 20) for number in range(40)], do, changed)
    assert (fleet.checked, fleet.complete) == (40, True)


@pytest.mark.parametrize("rest", [0, 5])
def test_one_worker_alone_does_what_is_to_be_created_last(rest: int) -> None:
    order: list[int] = []
    works = [Work(0, creates=True), *(Work(number) for number in range(1, rest + 1))]
    Fleet[Work](1).run(works, lambda work: order.append(work.number), changed)
    assert order == [*range(1, rest + 1), 0]
