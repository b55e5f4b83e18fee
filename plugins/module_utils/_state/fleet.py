# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many identities at once: workers share it, and a fleet collects the outcomes."""

from __future__ import annotations

import contextlib
import threading
import typing as t

from .._errors import ApiError, InfisicalError, InterruptError, RateLimitedError, summarize
from .._server import signals
from .._server.api import Api
from .identities import Reference
from .workers import Workers

# This many temporary failures in a row are an outage.
_OUTAGE = 16
# Creations have their own rate limit. So that other work continues, they wait for it in separate
# workers: one for this many others.
_CREATORS = 4


class Work(t.Protocol):
    """The work on one identity. `failure` is None on success."""

    reference: Reference
    failure: InfisicalError | None
    purged: bool

    @property
    def changed(self) -> bool:
        """Whether anything was written, or in check mode would be."""

    @property
    def created(self) -> bool:
        """Whether the identity was created, or in check mode would be."""

    @property
    def deleted(self) -> bool:
        """Whether the identity was deleted, or in check mode would be."""

    @property
    def creates(self) -> bool:
        """Whether the work will create an identity, as far as that is known before."""

    def note_interrupt(self, failure: InterruptError) -> None:
        """Note that the work was interrupted."""


OneWork = t.TypeVar("OneWork", bound=Work)


class Fleet(t.Generic[OneWork]):
    """Work on identities by several workers at once. A failure does not stop the others.

    All work ends if the login is no longer accepted, the rate limit lets no request pass, or the
    server is down. Then `given_up` is set, which may also be so from the start. `checked` counts
    the identities that were worked on; `changed`, `created`, `deleted`, `purged` and `failed` count
    the outcomes. A failed identity counts only as failed, a created or deleted one also as changed.
    `total` counts the identities to work on. `remark` is added to the message.
    """

    def __init__(self, concurrency: int, *, given_up: bool = False) -> None:
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._workers: list[Workers[tuple[int, OneWork]]] = []
        self._in_hand: dict[int, OneWork] = {}
        self._kept: dict[int, OneWork] = {}
        # Temporary failures in a row, and the number of the first of these works.
        self._in_a_row = 0
        self._since = 0
        self.given_up = given_up
        self._outage = False
        self.remark = ""
        self.total = 0
        self.checked = 0
        self.changed = 0
        self.created = 0
        self.deleted = 0
        self.purged = 0
        self.failed = 0

    @property
    def kept(self) -> list[OneWork]:
        """The work to keep, and the work that failed, in the order of the options."""
        return [self._kept[number] for number in sorted(self._kept)]

    @property
    def untried(self) -> int:
        """How many identities were not worked on, because all work ended before."""
        return self.total - self.checked

    @property
    def complete(self) -> bool:
        """Whether all work was done and nothing failed."""
        return not self.untried and not self.failed

    def run(
        self,
        works: t.Sequence[OneWork],
        do: t.Callable[[OneWork], None],
        keep: t.Callable[[OneWork], bool],
    ) -> None:
        """Do the work. `do` may raise InfisicalError; `keep` says which work to keep.

        Raises InterruptError when a signal comes; then call stop().
        """
        signals.check()

        def make(numbered: tuple[int, OneWork]) -> None:
            number, work = numbered
            if self.given_up:
                return
            with self._lock:
                self._in_hand[number] = work
            try:
                do(work)
            except InfisicalError as failure:
                work.failure = failure
            with self._lock:
                # After stop() it is too late: the work was already reported as interrupted.
                if self._in_hand.pop(number, None):
                    self._note(number, work, keep)

        numbered = list(enumerate(works, self.total))
        self.total += len(works)
        self._start(make, numbered)
        for workers in self._workers:
            workers.join()
        if self.untried:
            # The workers check for signals too, and may be the first to notice one.
            signals.check()

    def stop(self) -> None:
        """Start no more work, and give the work in progress a few seconds to end."""
        for workers in self._workers:
            workers.stop(signals.GRACE_SECONDS)
        with self._lock:
            unfinished, self._in_hand = self._in_hand, {}
            for number, work in unfinished.items():
                work.note_interrupt(
                    InterruptError(
                        "The task was stopped during this change, so it is not known whether the"
                        " change was made; run the task again."
                    )
                )
                self._note(number, work, lambda _work: True)

    def message(self, *more: Fleet[t.Any]) -> str:
        """Return a message about what failed, here and in `more`. It is empty if nothing did."""
        fleets = (self, *more)
        if all(fleet.complete for fleet in fleets):
            return ""
        parts = []
        lost: list[str] = []
        others: list[str] = []
        for fleet in fleets:
            for work in fleet.kept:
                if work.failure:
                    label = f"{work.reference.label}: "
                    sentence = label + str(work.failure).removeprefix(label)
                    outage = fleet._outage and work.failure.transient
                    (lost if outage else others).append(sentence)
        total = sum(fleet.total for fleet in fleets)
        if lost:
            # All have the same reason, so only one is shown.
            parts.append(
                f"The server seems to be down or unreachable: {len(lost)} of {total} identities"
                f" failed because of this, the last of them with: {lost[-1]}"
            )
        if others:
            parts.append(f"{len(others)} of {total} identities failed: {summarize(others)}")
        untried = sum(fleet.untried for fleet in fleets)
        if untried:
            parts.append(f"{untried} of {total} identities were not tried.")
        if self.remark:
            parts.append(self.remark)
        return " ".join(parts)

    def _start(
        self,
        make: t.Callable[[tuple[int, OneWork]], None],
        numbered: t.Sequence[tuple[int, OneWork]],
    ) -> None:
        """Start the workers: some for creations, the others for the rest."""
        creations = [item for item in numbered if item[1].creates]
        rest = [item for item in numbered if not item[1].creates]
        shares = [(rest, self._concurrency), (creations, max(1, self._concurrency // _CREATORS))]
        if not rest or self._concurrency == 1:
            shares = [([*rest, *creations], self._concurrency)]
        self._workers = [Workers(make, items) for items, _count in shares]
        try:
            for workers, (items, count) in zip(self._workers, shares):
                workers.start(min(count, len(items)))
        except RuntimeError:
            raise InfisicalError(
                "The host that runs the module does not let it start a thread; raise the process"
                " limit of its user or container."
            ) from None

    def _note(self, number: int, work: OneWork, keep: t.Callable[[OneWork], bool]) -> None:
        failure = work.failure
        if isinstance(failure, InterruptError) and not work.changed:
            # It changed nothing, so it counts as not started.
            return
        self.checked += 1
        if failure:
            self.failed += 1
            self._note_failure(number, failure)
        else:
            self._break_row(number)
            self.purged += work.purged and work.changed
            self.changed += work.changed and not work.purged
            self.created += work.created
            self.deleted += work.deleted
        if failure or keep(work):
            self._kept[number] = work

    def _break_row(self, number: int) -> None:
        # Work that began before the first of these failures says nothing about the outage.
        if number > self._since:
            self._in_a_row = 0

    def _note_failure(self, number: int, failure: InfisicalError) -> None:
        """Note a failure, and give up if it means that the others will fail too."""
        if not failure.transient:
            self._break_row(number)
        else:
            if not self._in_a_row:
                self._since = number
            self._in_a_row += 1
        self._outage = self._outage or self._in_a_row >= _OUTAGE
        self.given_up = self.given_up or (
            self._outage
            or isinstance(failure, RateLimitedError)
            or (isinstance(failure, ApiError) and failure.login_refused)
        )


@contextlib.contextmanager
def stopping(fleet: Fleet[t.Any], api: Api) -> t.Iterator[None]:
    """Stop a fleet's work if the with block is interrupted."""
    try:
        yield
    except InterruptError:
        api.stop()
        fleet.stop()
        raise
