# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many identities at once: the work on one, shared out, and what came of it gathered."""

from __future__ import annotations

import threading
import typing as t

from .._errors import ApiError, InfisicalError, InterruptError, RateLimitedError, told
from .._module.entries import Found
from .._server import signals
from .._server.api import Attached
from .reconcile import Reconciliation
from .workers import Workers

# So many failures in a row, each of which another try might have mended, are an outage.
_OUTAGE = 16


class Visit:
    """The work on one identity. `failure` is None where all went well."""

    def __init__(self, found: Found, work: Reconciliation, purged: bool = False) -> None:
        self.found = found
        self.work = work
        self.purged = purged
        self.failure: InfisicalError | None = None

    @property
    def identity_name(self) -> str | None:
        """The identity's name: the real one where it was read, else what the options say."""
        return self.work.identity_name or self.found.reference.identity_name

    @property
    def state(self) -> Attached | None:
        """The state that the visit leaves, or would leave; of a failed one the last known."""
        return self.work.actual if self.failure else self.work.result

    def __str__(self) -> str:
        return f"{self.found.reference.label}: {self.failure}"


class Fleet:
    """Visits to identities, by so many workers at once. One that fails does not stop the others.

    What ends all of it is the end of the login, a rate limit that lets nothing pass any more, and a
    server that is down. `checked` are the visits that were made, `changed`, `purged` and `failed`
    what came of them; a failed one counts as nothing else. `total` are those to make. `remark` is
    for the message.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._workers: Workers[tuple[int, Visit]] | None = None
        self._in_hand: dict[int, Visit] = {}
        self._kept: dict[int, Visit] = {}
        # Failures that another try might have mended, and the number of the first such visit.
        self._in_a_row = 0
        self._since = 0
        self._hopeless = False
        self._outage = False
        self.remark = ""
        self.total = 0
        self.checked = 0
        self.changed = 0
        self.purged = 0
        self.failed = 0

    @property
    def visits(self) -> list[Visit]:
        """Those that were to be kept, and those that failed, in the order of the options."""
        return [self._kept[number] for number in sorted(self._kept)]

    @property
    def complete(self) -> bool:
        """Whether every visit was made, and none failed."""
        return self.checked == self.total and not self.failed

    def visit(
        self,
        visits: t.Sequence[Visit],
        do: t.Callable[[Visit], None],
        keep: t.Callable[[Visit], bool],
    ) -> None:
        """Make the visits. `do` may raise InfisicalError; `keep` says which are of interest.

        Raises InterruptError when a signal comes; stop() has to follow.
        """
        signals.check()

        def make(numbered: tuple[int, Visit]) -> None:
            number, visit = numbered
            if self._hopeless:
                return
            with self._lock:
                self._in_hand[number] = visit
            try:
                do(visit)
            except InfisicalError as failure:
                visit.failure = failure
            with self._lock:
                # After stop() it is too late: the visit was told as one without an end.
                if self._in_hand.pop(number, None):
                    self._note(number, visit, keep)

        numbered = list(enumerate(visits, self.total))
        self.total += len(visits)
        self._workers = Workers(make, numbered)
        try:
            self._workers.start(min(self._concurrency, len(numbered)))
        except RuntimeError:
            raise InfisicalError(
                "The host that runs the module lets it start no thread; raise the limit of"
                " processes that its user or its container has."
            ) from None
        self._workers.join()
        if self.checked < self.total:
            # The workers, too, look whether one has come, and may be the first to see it.
            signals.check()

    def stop(self) -> None:
        """Make no further visits, and give those in hand a few seconds to end."""
        if self._workers:
            self._workers.stop(signals.LAST_ORDERS)
        with self._lock:
            unfinished, self._in_hand = self._in_hand, {}
            for number, visit in unfinished.items():
                visit.work.changed = visit.work.changed or visit.work.writing
                visit.failure = InterruptError(
                    "The task was stopped while this was under way; how it ended is not known."
                )
                self._note(number, visit, lambda _visit: True)

    def _note(self, number: int, visit: Visit, keep: t.Callable[[Visit], bool]) -> None:
        failure = visit.failure
        if isinstance(failure, InterruptError) and not visit.work.changed:
            # As good as not begun.
            return
        self.checked += 1
        if failure:
            self.failed += 1
            self._judge(number, failure)
        else:
            self._break_row(number)
            self.purged += visit.purged and visit.work.changed
            self.changed += visit.work.changed and not visit.purged
        if failure or keep(visit):
            self._kept[number] = visit

    def _break_row(self, number: int) -> None:
        # An answer to a visit that began before the first of them comes late, and says nothing.
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
        self._hopeless = self._hopeless or (
            self._outage
            or isinstance(failure, RateLimitedError)
            or (isinstance(failure, ApiError) and failure.login_refused)
        )

    def message(self) -> str:
        """Return what failed, as a message, which is empty if nothing did."""
        if self.complete:
            return ""
        parts = []
        lost: list[Visit] = []
        others: list[Visit] = []
        for visit in self.visits:
            if visit.failure:
                (lost if self._outage and visit.failure.transient else others).append(visit)
        if lost:
            # All for one reason, which is told once.
            parts.append(
                f"The server seems to be down, or out of reach: {len(lost)} of {self.total}"
                f" identities failed for it, the last of them with: {lost[-1]}"
            )
        if others:
            parts.append(f"{len(others)} of {self.total} identities failed: {told(others)}")
        untried = self.total - self.checked
        if untried:
            parts.append(f"{untried} of {self.total} identities were not tried.")
        if self.remark:
            parts.append(self.remark)
        return " ".join(parts)
