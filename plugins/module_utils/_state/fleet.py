# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many identities at once: the work on one, shared out, and what came of it gathered."""

from __future__ import annotations

import contextlib
import threading
import typing as t

from .._errors import ApiError, InfisicalError, InterruptError, RateLimitedError, summarize
from .._server import signals
from .._server.api import Api
from .identities import Reference
from .workers import Workers

# So many failures in a row, each of which another try might have mended, are an outage.
_OUTAGE = 16
# Creations have a rate limit of their own, and wait for it in workers of their own, so that the
# others go on: one in so many.
_CREATORS = 4


class Work(t.Protocol):
    """The work on one identity. `failure` is None where all went well."""

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
        """Whether an identity is to be created, as far as that is known before."""

    def note_interrupt(self, failure: InterruptError) -> None:
        """Take note that the work was cut off."""


OneWork = t.TypeVar("OneWork", bound=Work)


class Fleet(t.Generic[OneWork]):
    """Work on identities, by so many workers at once. What fails does not stop the others.

    What ends all of it is the end of the login, a rate limit that lets nothing pass any more, and a
    server that is down; then it is `given_up`, as it may be from the start. `checked` are the
    identities that were worked on, `changed`, `created`, `deleted`, `purged` and `failed` what came
    of them; a failed one counts as nothing else, and one that was created or deleted as changed,
    too. `total` are those to work on. `remark` is for the message.
    """

    def __init__(self, concurrency: int, *, given_up: bool = False) -> None:
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._workers: list[Workers[tuple[int, OneWork]]] = []
        self._in_hand: dict[int, OneWork] = {}
        self._kept: dict[int, OneWork] = {}
        # Failures that another try might have mended, and the number of the first such work.
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
        """The work that was to be kept, and that which failed, in the order of the options."""
        return [self._kept[number] for number in sorted(self._kept)]

    @property
    def untried(self) -> int:
        """How many were not worked on, because all of it ended before."""
        return self.total - self.checked

    @property
    def complete(self) -> bool:
        """Whether all was worked on, and nothing failed."""
        return not self.untried and not self.failed

    def run(
        self,
        works: t.Sequence[OneWork],
        do: t.Callable[[OneWork], None],
        keep: t.Callable[[OneWork], bool],
    ) -> None:
        """Do the work. `do` may raise InfisicalError; `keep` says what is of interest.

        Raises InterruptError when a signal comes; stop() has to follow.
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
                # After stop() it is too late: the work was told as one without an end.
                if self._in_hand.pop(number, None):
                    self._note(number, work, keep)

        numbered = list(enumerate(works, self.total))
        self.total += len(works)
        self._start(make, numbered)
        for workers in self._workers:
            workers.join()
        if self.untried:
            # The workers, too, look whether one has come, and may be the first to see it.
            signals.check()

    def stop(self) -> None:
        """Begin nothing more, and give what is in hand a few seconds to end."""
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
        """Return what failed, here and in `more`, as a message; it is empty if nothing did."""
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
            # All for one reason, which is told once.
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
        """Start the workers: some for what is to be created, and the others for the rest."""
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
            # As good as not begun.
            return
        self.checked += 1
        if failure:
            self.failed += 1
            self._judge(number, failure)
        else:
            self._break_row(number)
            self.purged += work.purged and work.changed
            self.changed += work.changed and not work.purged
            self.created += work.created
            self.deleted += work.deleted
        if failure or keep(work):
            self._kept[number] = work

    def _break_row(self, number: int) -> None:
        # An answer to work that began before the first of them comes late, and says nothing.
        if number > self._since:
            self._in_a_row = 0

    def _judge(self, number: int, failure: InfisicalError) -> None:
        """Find out whether a failure means that the others will fail too."""
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
    """Stop a fleet's work, when this is interrupted in a with block."""
    try:
        yield
    except InterruptError:
        api.stop()
        fleet.stop()
        raise
