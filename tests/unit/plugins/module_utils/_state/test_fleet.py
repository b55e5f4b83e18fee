# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet makes of visits that go well or fail, without a server."""

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
from ansible_collections.community.infisical.plugins.module_utils._module.entries import (
    Found,
    Reference,
)
from ansible_collections.community.infisical.plugins.module_utils._server import signals
from ansible_collections.community.infisical.plugins.module_utils._state.fleet import Fleet, Visit

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
    """In place of a Reconciliation."""

    identity_name: str | None = None

    def __init__(self, number: int) -> None:
        self.number = number
        self.changed = False
        self.writing = False


def visits_of(count: int, *, purged: bool = False) -> list[Visit]:
    visits = []
    for number in range(count):
        reference = Reference(f"azure_auths[{number}]", "", f"id {number}", None, number)
        found = Found(reference, f"id {number}", None)
        visits.append(Visit(found, t.cast(t.Any, Work(number)), purged))
    return visits


def number_of(visit: Visit) -> int:
    return t.cast(t.Any, visit.work).number  # type: ignore[no-any-return]


def changed(visit: Visit) -> bool:
    return visit.work.changed


def change(visit: Visit) -> None:
    visit.work.changed = True


def never(visit: Visit) -> None:
    pytest.fail(f"visited: {visit}")


def failing(*numbers: int, by: InfisicalError) -> t.Callable[[Visit], None]:
    """Return the work of visits, which changes everything but where it fails."""

    def do(visit: Visit) -> None:
        if number_of(visit) in numbers:
            raise by
        change(visit)

    return do


def counts(fleet: Fleet) -> tuple[int, int, int, int, int]:
    return fleet.total, fleet.checked, fleet.changed, fleet.failed, fleet.purged


def test_all_went_well() -> None:
    fleet = Fleet(4)
    fleet.visit(visits_of(30), change, changed)
    assert counts(fleet) == (30, 30, 30, 0, 0)
    assert fleet.complete
    assert fleet.message() == ""
    assert [number_of(visit) for visit in fleet.visits] == list(range(30))


def test_no_visits_are_complete() -> None:
    fleet = Fleet(8)
    fleet.visit([], never, changed)
    assert counts(fleet) == (0, 0, 0, 0, 0)
    assert fleet.complete


def test_what_is_of_no_interest_is_only_counted() -> None:
    fleet = Fleet(4)

    def every_third(visit: Visit) -> None:
        visit.work.changed = number_of(visit) % 3 == 0

    fleet.visit(visits_of(10), every_third, changed)
    assert counts(fleet) == (10, 10, 4, 0, 0)
    assert [number_of(visit) for visit in fleet.visits] == [0, 3, 6, 9]


def test_one_that_fails_does_not_stop_the_others() -> None:
    fleet = Fleet(4)
    fleet.visit(visits_of(50), failing(3, 7, by=BROKEN), changed)
    assert counts(fleet) == (50, 50, 48, 2, 0)
    assert not fleet.complete
    assert fleet.message() == (
        "2 of 50 identities failed: azure_auths[3]: Broken. azure_auths[7]: Broken."
    )


def test_a_failed_one_that_has_changed_counts_as_failed() -> None:
    def half(visit: Visit) -> None:
        visit.work.changed = True
        raise BROKEN

    fleet = Fleet(1)
    fleet.visit(visits_of(1), half, changed)
    assert counts(fleet) == (1, 1, 0, 1, 0)


def test_purged_ones_count_apart_and_come_last() -> None:
    fleet = Fleet(4)
    fleet.visit(visits_of(3), change, changed)
    fleet.visit(visits_of(2, purged=True), change, changed)
    assert counts(fleet) == (5, 5, 3, 0, 2)
    assert [visit.purged for visit in fleet.visits] == [False] * 3 + [True] * 2


@pytest.mark.parametrize("end", [LOGGED_OUT, EXPIRED, LIMITED], ids=lambda end: type(end).__name__)
def test_the_end_of_the_login_or_of_the_patience_ends_it_all(end: InfisicalError) -> None:
    fleet = Fleet(1)
    fleet.visit(visits_of(100), failing(*range(10, 100), by=end), changed)
    assert counts(fleet) == (100, 11, 10, 1, 0)
    assert fleet.message() == (
        f"1 of 100 identities failed: azure_auths[10]: {end} 89 of 100 identities were not tried."
    )


@pytest.mark.parametrize("outage", [GATEWAY, AWAY, LOST], ids=str)
def test_a_server_that_is_down_ends_it_all(outage: InfisicalError) -> None:
    fleet = Fleet(1)
    fleet.visit(visits_of(100), failing(*range(10, 100), by=outage), changed)
    assert counts(fleet) == (100, 26, 10, 16, 0)
    assert fleet.message() == (
        "The server seems to be down, or out of reach: 16 of 100 identities failed for it, the last"
        f" of them with: azure_auths[25]: {outage} 74 of 100 identities were not tried."
    )


def test_what_failed_before_an_outage_is_told_apart() -> None:
    fleet = Fleet(1)

    def do(visit: Visit) -> None:
        raise DENIED if number_of(visit) in (2, 3) else LOST

    fleet.visit(visits_of(100), do, changed)
    assert counts(fleet) == (100, 20, 0, 20, 0)
    assert fleet.message() == (
        "The server seems to be down, or out of reach: 18 of 100 identities failed for it, the last"
        " of them with: azure_auths[19]: Lost. 2 of 100 identities failed: azure_auths[2]: Not"
        " allowed. azure_auths[3]: Not allowed. 80 of 100 identities were not tried."
    )


@pytest.mark.parametrize(
    "failure",
    [BROKEN, DENIED, INVALID, UNTRUSTED, OptionError("TTL.")],
    ids=lambda failure: f"{type(failure).__name__} {failure}",
)
def test_what_is_about_one_identity_ends_nothing_however_often(failure: InfisicalError) -> None:
    fleet = Fleet(1)
    fleet.visit(visits_of(100), failing(*range(100), by=failure), changed)
    assert counts(fleet) == (100, 100, 0, 100, 0)


@pytest.mark.parametrize("late", [None, DENIED], ids=["done", "refused"])
def test_an_answer_from_before_an_outage_does_not_make_it_shorter(
    late: InfisicalError | None,
) -> None:
    """It may come late, from a busy server, or to a busy machine."""
    answered = threading.Event()
    fleet = Fleet(2)

    def do(visit: Visit) -> None:
        if number_of(visit):
            if fleet.checked == 10:
                answered.set()
                while fleet.checked == 10:
                    time.sleep(0.001)
            raise LOST
        assert answered.wait(30)
        if late:
            raise late

    fleet.visit(visits_of(100), do, changed)
    assert fleet.failed - (late is not None) in (16, 17)


def test_outages_now_and_then_end_nothing() -> None:
    fleet = Fleet(1)
    fleet.visit(visits_of(100), failing(*(n for n in range(100) if n % 10), by=LOST), changed)
    assert counts(fleet) == (100, 100, 10, 90, 0)


def test_twenty_failures_are_told_and_the_rest_counted() -> None:
    fleet = Fleet(8)
    fleet.visit(visits_of(33), failing(*range(33), by=DENIED), changed)
    message = fleet.message()
    assert message.startswith("33 of 33 identities failed: azure_auths[0]: Not allowed. azure_a")
    assert message.endswith("azure_auths[19]: Not allowed. And 13 more.")


def test_after_the_end_no_more_visits_are_made() -> None:
    fleet = Fleet(1)
    fleet.visit(visits_of(2), failing(0, 1, by=LOGGED_OUT), changed)
    fleet.visit(visits_of(5, purged=True), never, changed)
    assert counts(fleet) == (7, 1, 0, 1, 0)


def test_a_bug_is_not_a_failure_of_one_identity() -> None:
    def bug(_visit: Visit) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Fleet(2).visit(visits_of(5), bug, changed)


class Interrupted:
    """A fleet of visits of which two hang, which is stopped by somebody else meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, writing: bool) -> None:
        monkeypatch.setattr(signals, "GRACE_SECONDS", 0.05)
        self.fleet = Fleet(2)
        self.never = threading.Event()
        self._hanging = threading.Semaphore(0)
        self._writing = writing
        thread = threading.Thread(
            target=self.fleet.visit, args=(visits_of(10), self._do, changed), daemon=True
        )
        thread.start()
        for _number in range(2):
            assert self._hanging.acquire(timeout=10)
        self.fleet.stop()
        self._thread = thread

    def _do(self, visit: Visit) -> None:
        if number_of(visit) in (3, 4):
            visit.work.writing = self._writing
            self._hanging.release()
            self.never.wait(10)
        visit.work.changed = True

    def go_on(self) -> None:
        self.never.set()
        self._thread.join(10)


def test_what_is_written_when_it_is_stopped_counts_as_changed_and_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted = Interrupted(monkeypatch, writing=True)
    fleet = interrupted.fleet
    assert counts(fleet) == (10, 5, 3, 2, 0)
    unknown = [visit for visit in fleet.visits if visit.failure]
    assert [number_of(visit) for visit in unknown] == [3, 4]
    assert all(isinstance(visit.failure, InterruptError) for visit in unknown)
    assert all(visit.work.changed for visit in unknown)
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
    fleet = Fleet(3)
    fleet.stop()
    assert counts(fleet) == (0, 0, 0, 0, 0)
