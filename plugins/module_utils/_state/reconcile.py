# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Current state -> plan -> writes -> result, for one resource, and what is done about failures."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, InterruptError, MismatchError
from .fields import Settings, Values
from .plan import Plan, Step

# How often what remains is planned and tried again after a write that failed.
_TRIES = 3


class State(t.NamedTuple):
    """An object as it is on the server, or is to be.

    `values` are its settings by option, `details` what the server adds. `of_2024` is whether the
    server has the rules of 2024; None where the object does not tell.
    """

    values: Values
    details: t.Mapping[str, t.Any]
    of_2024: bool | None = None


class Resource(t.Protocol):
    """What the reconciler works on: an object of the server that may be there, or not.

    All may raise InfisicalError.
    """

    settings: Settings

    @property
    def retries(self) -> int:
        """How often a write that did not get through is made again."""

    @property
    def own_unknown(self) -> bool:
        """Whether it cannot be known if it is the task's own identity that it is about."""

    @property
    def title(self) -> str:
        """What it is called in messages."""

    def read(self) -> State | None:
        """Return the state, None if there is no such object."""

    def look_again(self) -> State | None:
        """Return the state, read anew."""

    def plan(self, current: State | None, wanted: Values | None) -> Plan:
        """Return the writes that lead from a state to the wanted values. Raises OptionError."""

    def predict(self, current: State | None, values: Values) -> State:
        """Return the state with these values, with null for what cannot be known."""

    def perform(self, step: Step) -> State | None:
        """Make one write, and return the state that it leads to."""

    def is_gone(self, failure: InfisicalError) -> bool:
        """Return whether a failure means that what the object belongs to is gone, and so is it."""

    def learn_from(self, failure: InfisicalError, todo: Plan) -> None:
        """Take note of a refusal that may come from rules other than those planned for."""


class Reconciler:
    """Makes a resource what is wanted; with `check`, finds out what would change.

    However run() ends, `changed` says whether this run has written, or with `check` would write.
    `before` is the state that it started from, `actual` the last one known to be real, `result`
    the one that it leaves or would leave; None is "not there". `gone` says that what the object
    belongs to is gone. `writing` is set while a request that writes is under way.
    """

    def __init__(self, resource: Resource, *, check: bool) -> None:
        self.resource = resource
        self._check = check
        self.changed = False
        self.gone = False
        self.writing = False
        self.before: State | None = None
        self.actual: State | None = None
        self.result: State | None = None

    def look(self) -> None:
        """Read the state, and change nothing. Raises InfisicalError."""
        self.before = self.actual = self.result = self.resource.read()

    def run(self, wanted: Values | None) -> None:
        """Bring about the wanted values by option, or None: not there. Raises InfisicalError."""
        try:
            self._run(wanted)
        except InfisicalError as failure:
            if wanted is not None or not self.resource.is_gone(failure):
                raise
            self.gone = True
            self.end_without_object()

    def _run(self, wanted: Values | None) -> None:
        self.look()
        todo = self.resource.plan(self.actual, wanted)
        if todo.values is None and not todo.steps:
            # It was gone before, or has gone since it was read.
            self.end_without_object()
            return
        if self._check:
            self.changed = bool(todo.steps)
            if todo.steps:
                values = todo.values
                self.result = None if values is None else self.resource.predict(self.before, values)
            return
        self._carry_out(todo, wanted)
        self.result = self.actual

    def end_without_object(self) -> None:
        """Take note that the object is gone, with what it belonged to."""
        self.actual = self.result = None
        if not self.changed:
            # That it is gone is the doing of somebody else.
            self.before = None

    def _carry_out(self, todo: Plan, wanted: Values | None) -> None:
        tries = 0
        # How often a write of a kind was made without a clear outcome.
        spent: dict[str, int] = {}
        while todo.steps:
            try:
                self.writing = True
                for step in todo.steps:
                    self._perform(step)
                break
            except InfisicalError as failure:
                if isinstance(failure, InterruptError):
                    self.changed = self.changed or failure.maybe_sent
                if not failure.race:
                    self.changed = self.changed or failure.unsure
                    raise
                tries += 1
                self._look_again(failure)
                self.resource.learn_from(failure, todo)
                tried, todo = todo, self.resource.plan(self.actual, wanted)
                hopeless = todo == tried and not failure.transient
                if failure.unsure or failure.transient:
                    spent[step.verb] = spent.get(step.verb, 0) + failure.tries
                if todo.steps and (
                    hopeless
                    or tries > _TRIES
                    or spent.get(todo.steps[0].verb, 0) > self.resource.retries
                ):
                    raise
            finally:
                self.writing = False

    def _perform(self, step: Step) -> None:
        """Make one write, and compare what the server answers with what it was asked for."""
        self.actual = self.resource.perform(step)
        self.changed = True
        if self.actual is None:
            return
        settings = self.resource.settings
        wrong = settings.differing(self.actual.values, step.asked)
        if wrong:
            raise MismatchError(
                f"Infisical answered the {step.verb} of {self.resource.title} with"
                f" {settings.in_words(self.actual.values, wrong)}; check the identity and the"
                " server's version."
            )

    def _look_again(self, failure: InfisicalError) -> None:
        """Read the state after a write that failed, which may have been done all the same."""
        last = self.actual
        try:
            self.actual = self.resource.look_again()
        except InfisicalError as unreadable:
            # If it cannot be known whether this run has changed something, it counts as changed.
            self.changed = self.changed or failure.unsure
            meaningful = isinstance(unreadable, InterruptError) or unreadable.http_status == 404
            raise (unreadable if meaningful else failure) from None
        # What the server adds, such as the last login, changes without this run.
        if failure.unsure and _values(self.actual) != _values(last):
            self.changed = True
        if not self.changed:
            # What differs now is the doing of somebody else.
            self.before = self.actual


def _values(state: State | None) -> Values | None:
    return None if state is None else state.values
