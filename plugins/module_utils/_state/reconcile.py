# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Current state -> plan -> writes -> result, for one resource, including failures."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, InterruptError, MismatchError
from .fields import Settings, Values
from .plan import Plan, Step

# How often to make a new plan for the rest after a failed write.
_TRIES = 3


class State(t.NamedTuple):
    """An object as it is on the server, or should be.

    `values` are its settings by option, `details` are what the server adds. `of_2024` says whether
    the server has the rules of 2024; None if the object does not show it.
    """

    values: Values
    details: t.Mapping[str, t.Any]
    of_2024: bool | None = None


class Resource(t.Protocol):
    """What the reconciler works on: an object that may or may not exist on the server.

    All may raise InfisicalError.
    """

    settings: Settings

    @property
    def retries(self) -> int:
        """How often to repeat a write that failed temporarily."""

    @property
    def own_unknown(self) -> bool:
        """Whether it is unknown if this is the identity that the task is logged in as."""

    @property
    def title(self) -> str:
        """Its name in messages."""

    def read(self) -> State | None:
        """Return the state; None if there is no such object."""

    def look_again(self) -> State | None:
        """Read the state again and return it."""

    def plan(self, current: State | None, wanted: Values | None) -> Plan:
        """Return the writes that lead from a state to the wanted values. Raises OptionError."""

    def predict(self, current: State | None, values: Values) -> State:
        """Return the state with these values, with null for values that cannot be predicted."""

    def perform(self, step: Step) -> State | None:
        """Make one write, and return the resulting state."""

    def is_gone(self, failure: InfisicalError) -> bool:
        """Return whether a failure means that the object's owner, and so the object, is gone."""

    def learn_from(self, failure: InfisicalError, todo: Plan) -> None:
        """Note a refusal that may come from other rules than the plan assumed."""


class Reconciler:
    """Brings a resource to the wanted state. With `check`, only finds out what would change.

    However run() ends, `changed` says whether this run has written, or with `check` would write.
    `before` is the initial state, `actual` the last known real state, and `result` the state after
    the run or after a real run. None means that there is no object. `gone` says that the object's
    owner no longer exists. `writing` is set while a write is in progress.
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
        """Read the state without changing anything. Raises InfisicalError."""
        self.before = self.actual = self.result = self.resource.read()

    def run(self, wanted: Values | None) -> None:
        """Set the wanted values by option; None deletes the object. Raises InfisicalError."""
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
            # It did not exist, or no longer exists.
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
        """Note that the object and its owner no longer exist."""
        self.actual = self.result = None
        if not self.changed:
            # Somebody else deleted it.
            self.before = None

    def _carry_out(self, todo: Plan, wanted: Values | None) -> None:
        tries = 0
        # How often each kind of write was made without a clear outcome.
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
        """Make one write, and compare the server's response with the request."""
        self.actual = self.resource.perform(step)
        self.changed = True
        if self.actual is None:
            return
        settings = self.resource.settings
        wrong = settings.differing(self.actual.values, step.asked)
        if wrong:
            raise MismatchError(
                f"After the {step.verb} of {self.resource.title}, Infisical returned"
                f" {settings.in_words(self.actual.values, wrong)}; check the identity and the"
                " server's version."
            )

    def _look_again(self, failure: InfisicalError) -> None:
        """Read the state after a failed write, which may have been made in spite of the failure."""
        last = self.actual
        try:
            self.actual = self.resource.look_again()
        except InfisicalError as unreadable:
            # If it is not known whether this run has changed something, it counts as changed.
            self.changed = self.changed or failure.unsure
            meaningful = isinstance(unreadable, InterruptError) or unreadable.http_status == 404
            raise (unreadable if meaningful else failure) from None
        # Details from the server, such as the last login, also change without this run.
        if failure.unsure and _values(self.actual) != _values(last):
            self.changed = True
        if not self.changed:
            # Somebody else made the difference.
            self.before = self.actual


def _values(state: State | None) -> Values | None:
    return None if state is None else state.values
