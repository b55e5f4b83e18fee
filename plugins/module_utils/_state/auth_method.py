# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An auth method of a machine identity as a resource: how to read, plan and write it."""

from __future__ import annotations

import time
import typing as t

from .._errors import ApiError, InfisicalError, OptionError, UnknownStateError
from .._server.api import Api, unexpected
from .._server.login import Login
from .._server.request import Json
from .fields import Field, Settings, Values
from .lifetimes import MAX_TTL, TTL, check_lifetimes, depends_on_generation
from .plan import ATTACH, REVOKE, UPDATE, Plan, Step, plan
from .reconcile import State

if t.TYPE_CHECKING:
    from .identities import Identity

# Maximum length of a string in an auth method, on servers released before March 2026.
_OLD_LIMIT = 255
# How many seconds a new identity may be missing because the server reads from a replica, and how
# many seconds to wait first.
_REPLICA_LAG = 30.0
_FIRST_WAIT = 0.5


class AuthMethod(Settings):
    """An auth method of identities.

    `name` is its name in paths of the API and in `authMethods`. `envelope` is the key that contains
    the object in responses.
    """

    def __init__(self, name: str, title: str, envelope: str, fields: tuple[Field, ...]) -> None:
        super().__init__(title, fields, check_lifetimes)
        self.name = name
        self.envelope = envelope

    @property
    def key(self) -> str:
        """The name in options and results."""
        return self.name.replace("-", "_")


class AuthMethodResource:
    """An auth method of one identity.

    `identity` is the identity itself, if it was given or read. `project_id` is the project that
    owns it. `created` says that this run has created it.
    """

    def __init__(
        self,
        api: Api,
        login: Login,
        method: AuthMethod,
        identity_id: str,
        identity: Identity | None = None,
        *,
        project_id: str | None = None,
        created: bool = False,
    ) -> None:
        self._api = api
        self._login = login
        self._method = method
        self._project_id = project_id
        self._created = created
        self._cautious = False
        self.settings: Settings = method
        self.identity_id = identity_id
        self.identity = identity

    @property
    def retries(self) -> int:
        """How often to repeat a write that failed temporarily."""
        return self._api.retries

    @property
    def own_unknown(self) -> bool:
        """Whether it is unknown if this is the identity that the task is logged in as."""
        return self._login.identity_id is None

    @property
    def title(self) -> str:
        """Its name in messages."""
        return f"the {self._method.title} of identity {self.identity_id}"

    def read(self) -> State | None:
        """Read the settings; None if the method is not attached.

        The identity's list of auth methods shows whether it is attached, not the text of an error.
        Raises UnknownStateError if that list cannot be read.
        """
        known = self.identity
        if known is None or known.methods is None or self._method.name in known.methods:
            try:
                return self._read()
            except ApiError as failure:
                if failure.http_status != 400:
                    raise
                refusal = failure
            self.identity = self._identity_wherever()
            if self._method.name in (self.identity.methods or ()):
                try:
                    return self._read()
                except ApiError:
                    # It is attached, so the refusal was about something else.
                    raise refusal from None
        return None

    def look_again(self) -> State | None:
        """Read the settings again, without using what was known before."""
        known, self.identity = self.identity, None
        try:
            return self.read()
        finally:
            self.identity = self.identity or known

    def plan(self, current: State | None, wanted: Values | None) -> Plan:
        """Return the plan that starts from a state. Raises OptionError."""
        identity = self.identity
        todo = plan(
            self._method,
            current.values if current else None,
            wanted,
            of_2024=self._of_2024(current, wanted),
            others=(identity.methods or ()) if identity and not current else (),
            cautious=self._cautious,
        )
        if todo.steps:
            self._refuse_other_owner()
        if current and todo.steps:
            self._spare_own_login()
        return todo

    def predict(self, current: State | None, values: Values) -> State:
        """Return the state with these values, with null for values that cannot be predicted."""
        if current:
            return current._replace(values=values, details={**current.details, "updated_at": None})
        of_2024 = self._of_2024(None, values)
        details = {
            "id": None,
            "created_at": None,
            "updated_at": None,
            "access_token_period": None if of_2024 else 0,
        }
        return State(values, details, of_2024)

    def perform(self, step: Step) -> State | None:
        """Make one write, and return the state in the server's response."""
        if step.verb == REVOKE:
            self._call("DELETE", f"revoke {self.title}")
            return None
        if step.verb == ATTACH:
            return self._attach(dict(step.body))
        return self._state(
            self._call("PATCH", f"update {self.title}", dict(step.body)), f"update {self.title}"
        )

    def is_gone(self, failure: InfisicalError) -> bool:
        """Return whether a failure means that the identity no longer exists."""
        if not isinstance(failure, ApiError):
            return False
        return failure.http_status == 404 and not failure.unknown_route

    def learn_from(self, failure: InfisicalError, todo: Plan) -> None:
        """Note a refusal that may come from another rule on lifetimes.

        The current rule of servers is reported as a bug and may be fixed.
        """
        self._cautious = self._cautious or (
            failure.http_status == 400
            and any(
                step.verb == UPDATE and (TTL in step.asked or MAX_TTL in step.asked)
                for step in todo.steps
            )
        )

    def _read(self) -> State:
        purpose = f"read {self.title}"
        return self._state(self._call("GET", purpose), purpose)

    def _attach(self, body: Json) -> State:
        purpose = f"attach {self._method.title} to identity {self.identity_id}"
        wait = _FIRST_WAIT
        deadline = time.monotonic() + _REPLICA_LAG
        while True:
            try:
                return self._state(self._call("POST", purpose, body), purpose)
            except ApiError as failure:
                missing = failure.http_status == 404 and not failure.unknown_route
                if not (self._created and missing and time.monotonic() + wait < deadline):
                    raise
            # A replica may not have the new identity yet.
            self._api.pause(wait)
            wait *= 2

    def _call(self, verb: str, purpose: str, body: Json | None = None) -> Json:
        method = self._method
        try:
            return self._api.auth(
                verb, method.name, method.envelope, self.identity_id, purpose, body
            )
        except ApiError as failure:
            if failure.http_status == 500 and body:
                failure.args = (f"{failure}{self._too_long(body)}",)
            raise

    def _state(self, item: Json, purpose: str) -> State:
        try:
            values = self._method.from_api(item)
            period = item.get("accessTokenPeriod")
            if not (period is None or isinstance(period, int)):
                raise ValueError("accessTokenPeriod is not a number")
            for name in ("id", "createdAt", "updatedAt"):
                if not isinstance(item.get(name), (str, type(None))):
                    raise ValueError(f"{name} is not a string")
        except ValueError as why:
            raise unexpected(purpose, why) from None
        details = {
            "id": item.get("id"),
            "created_at": item.get("createdAt"),
            "updated_at": item.get("updatedAt"),
            "access_token_period": period,
        }
        return State(values, details, False if period is not None else None)

    def _too_long(self, body: Json) -> str:
        """Return the likely reason why a server answered a write with 500, or nothing."""
        for field in self._method.fields:
            value = body.get(field.api)
            if isinstance(value, str) and len(value) > _OLD_LIMIT:
                return (
                    f" {field.option} takes {len(value)} characters, but servers released before"
                    f" March 2026 store at most {_OLD_LIMIT}, which is six UUIDs; shorten it, or"
                    " upgrade the server."
                )
        return ""

    def _of_2024(self, current: State | None, wanted: Values | None) -> bool:
        """Return whether the server is of 2024. If nothing else shows it, read the identity."""
        if current and current.of_2024 is not None:
            return current.of_2024
        if self.identity is None:
            if not (current and wanted and depends_on_generation(current.values, wanted)):
                return False
            self.identity = self._read_identity(self._project_id)
        return self.identity.of_2024

    def _refuse_other_owner(self) -> None:
        """Refuse to write if the given project does not own the identity."""
        if self._project_id is None:
            return
        if self.identity is None:
            try:
                self.identity = self._read_identity(self._project_id)
            except ApiError as failure:
                if failure.http_status != 404:
                    raise
                self.identity = self._read_identity()
        if self.identity.project_id != self._project_id:
            from .identities import not_owned

            raise OptionError(not_owned(self.identity, self._project_id))

    def _spare_own_login(self) -> None:
        own = self._login.identity_id == self.identity_id
        if own and self._login.maybe_through(self._method.name):
            raise OptionError(
                f"This task is logged in as the identity {self.identity_id}, perhaps through the"
                f" {self._method.title} that it would change, and could lock itself out; use the"
                " credentials of another identity."
            )

    def _read_identity(self, project_id: str | None = None) -> Identity:
        # Most tasks read the auth method alone, and each import takes time when a task starts.
        from .identities import read_identity

        return read_identity(self._api, self.identity_id, project_id)

    def _identity_wherever(self) -> Identity:
        """Read the identity, even if a project owns it, which only its memberships show."""
        try:
            return self._read_identity(self._project_id)
        except UnknownStateError as failure:
            raise UnknownStateError(
                f"Could not find out whether {self._method.title} is attached to identity"
                f" {self.identity_id}: a project seems to own it, and this login is not allowed"
                " to read the memberships of identities; give the login's role the permission to"
                " read identities of the organization.",
                failure,
            ) from None


def attach_failure(failure: InfisicalError, title: str) -> str:
    """Return the text to add if attaching to a new identity failed."""
    return (
        f" The identity was created, but {title} is not attached yet; run the task again with a"
        " login that may attach it; on servers released since summer 2026, the login needs the"
        " permission edit-auth on identities."
        if failure.http_status == 403
        else f" The identity was created, but {title} is not attached yet; run the task again."
    )
