# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan -> requests -> result, for one identity: what is read, written, and done about failures."""

from __future__ import annotations

from .._errors import InfisicalError, InterruptError, MismatchError, OptionError
from .._server.api import Api, Attached, Identity
from .._server.login import Login
from .fields import CURRENT, LEGACY, AuthMethod, Values
from .plan import MAX_TTL, REVOKE, TTL, UPDATE, Plan, Step, depends_on_generation, plan

# How often what remains is planned and tried again after a write that failed.
_TRIES = 3


class Reconciliation:
    """Makes one identity's auth method what is wanted; with `check`, finds out what would change.

    However run() ends, `changed` says whether this run has written, or with `check` would write.
    `before` is the state that it started from, `actual` the last one known to be real, `result`
    the one that it leaves or would leave; None is "not attached". `writing` is set while a request
    that writes is under way.
    """

    def __init__(
        self,
        api: Api,
        login: Login,
        method: AuthMethod,
        identity_id: str,
        identity: Identity | None = None,
        *,
        check: bool,
    ) -> None:
        self._api = api
        self._login = login
        self._method = method
        self._check = check
        self._identity = identity
        self.identity_id = identity_id
        self.changed = False
        self.writing = False
        self.before: Attached | None = None
        self.actual: Attached | None = None
        self.result: Attached | None = None

    @property
    def identity_name(self) -> str | None:
        """The identity's name, where the identity itself was read on the way."""
        return self._identity.name if self._identity else None

    def look(self) -> None:
        """Read the state, and change nothing. Raises InfisicalError."""
        self.before = self.actual = self.result = self._observe(self._identity)

    def run(self, wanted: Values | None) -> None:
        """Bring about the wanted values by option, or None: not attached.

        Raises InfisicalError.
        """
        self.look()
        todo = self._plan(wanted)
        if self._check:
            self.changed = bool(todo.steps)
            self.result = self._predicted(todo) if todo.steps else self.before
            return
        cautious = False
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
                    raise
                tries += 1
                self._look_again(failure)
                cautious = cautious or _about_lifetimes(failure, todo)
                tried, todo = todo, self._plan(wanted, cautious)
                hopeless = todo == tried and not failure.transient
                if failure.unsure or failure.transient:
                    spent[step.verb] = spent.get(step.verb, 0) + failure.tries
                if todo.steps and (
                    hopeless
                    or tries > _TRIES
                    or spent.get(todo.steps[0].verb, 0) > self._api.retries
                ):
                    raise
            finally:
                self.writing = False
        self.result = self.actual

    def end_without_identity(self) -> None:
        """Take note that the identity was deleted, and with it what was attached to it."""
        self.actual = self.result = None

    def _observe(self, identity: Identity | None = None) -> Attached | None:
        attached, identity = self._api.observe(self._method, self.identity_id, identity)
        self._identity = identity or self._identity
        return attached

    def _plan(self, wanted: Values | None, cautious: bool = False) -> Plan:
        """Return the plan from the actual state. Raises OptionError."""
        current = self.actual.values if self.actual else None
        todo = plan(
            self._method,
            current,
            wanted,
            generation=self._generation(wanted),
            others=self._identity.methods if self._identity and not current else (),
            cautious=cautious,
        )
        if current and todo.steps:
            self._spare_own_login()
        return todo

    def _generation(self, wanted: Values | None) -> str:
        """Return the server's generation, read from the identity if nothing else tells."""
        if self.actual and self.actual.generation:
            return self.actual.generation
        if self._identity is None:
            if not (self.actual and wanted and depends_on_generation(self.actual.values, wanted)):
                return CURRENT
            self._identity = self._api.identity(self.identity_id)
        return self._identity.generation

    def _spare_own_login(self) -> None:
        own = self._login.identity_id == self.identity_id
        if own and self._login.maybe_through(self._method.name):
            raise OptionError(
                f"The token of this task belongs to the identity {self.identity_id} itself and may"
                f" have been issued through the {self._method.title} that is to be changed, which"
                " could lock the task out; use the credentials of another identity."
            )

    def _predicted(self, todo: Plan) -> Attached | None:
        """Return the state that the plan would lead to, with None for what cannot be known."""
        if todo.values is None:
            return None
        if self.actual:
            metadata = {**self.actual.metadata, "updated_at": None}
            return self.actual._replace(values=todo.values, metadata=metadata)
        generation = self._generation(todo.values)
        metadata = {
            "id": None,
            "created_at": None,
            "updated_at": None,
            "access_token_period": 0 if generation != LEGACY else None,
        }
        return Attached(todo.values, metadata, generation)

    def _perform(self, step: Step) -> None:
        """Make one write, and compare what the server answers with what it was asked for."""
        if step.verb == REVOKE:
            self._api.revoke(self._method, self.identity_id)
            self.changed, self.actual = True, None
            return
        write = self._api.update if step.verb == UPDATE else self._api.attach
        self.actual = write(self._method, self.identity_id, dict(step.body))
        self.changed = True
        wrong = self._method.differing(self.actual.values, step.asked)
        if wrong:
            fields = {field.option: field for field in self._method.fields}
            what = " and ".join(
                f"{fields[option].told(self.actual.values[option])} where"
                f" {fields[option].told(value)} was asked for"
                for option, value in wrong.items()
            )
            raise MismatchError(
                f"Infisical answered the {step.verb} of the {self._method.title} of identity"
                f" {self.identity_id} with {what}; check the identity, and the server's version."
            )

    def _look_again(self, failure: InfisicalError) -> None:
        """Read the state after a write that failed, which may have been done all the same."""
        last = self.actual
        try:
            self.actual = self._observe()
        except InfisicalError as unreadable:
            # If it cannot be known whether this run has changed something, it counts as changed.
            self.changed = self.changed or failure.unsure
            told = isinstance(unreadable, InterruptError) or unreadable.http_status == 404
            raise (unreadable if told else failure) from None
        if failure.unsure and self.actual != last:
            self.changed = True
        if not self.changed:
            # What differs now is the doing of somebody else.
            self.before = self.actual


def _about_lifetimes(failure: InfisicalError, todo: Plan) -> bool:
    """Return whether a refusal may be the server's rule on lifetimes being other than planned for.

    The rule that servers follow is reported as a bug and may be mended.
    """
    return failure.http_status == 400 and any(
        step.verb == UPDATE and (TTL in step.asked or MAX_TTL in step.asked) for step in todo.steps
    )
