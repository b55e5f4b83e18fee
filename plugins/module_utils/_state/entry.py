# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An identity together with its auth methods, as one unit of work.

If a run is killed in between, the next run finishes the rest, because it compares each part again.
"""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, InterruptError
from .._server.api import Api
from .._server.login import Login
from .auth_method import AuthMethod, AuthMethodResource, attach_failure
from .creations import Creations
from .fields import Values
from .identities import Identity, Reference
from .identity import PROTECTION, IdentityResource
from .plan import plan
from .reading import Reading
from .reconcile import Reconciler, State


class Desired(t.NamedTuple):
    """The desired state of an identity.

    `identity` has its values by option; None deletes it, and `lift` then removes its protection
    first. `methods` has the values of its auth methods by key; None revokes the method. A method
    that is missing is left alone.
    """

    identity: Values | None
    methods: t.Mapping[str, Values | None]
    lift: bool = False

    @property
    def creates(self) -> bool:
        """Whether the identity is created if it does not exist."""
        return self.identity is not None and not self.only_revokes

    @property
    def only_revokes(self) -> bool:
        """Whether it only revokes auth methods. Then no identity is created."""
        return (
            self.identity == {}
            and bool(self.methods)
            and all(values is None for values in self.methods.values())
        )


class EntryReconciler:
    """Brings an identity and its auth methods to the desired state; `check` only finds changes.

    `identity` is what is already known of the identity. `absent` says that it was looked for and
    does not exist. `whole` also reads what the entry leaves alone, before anything is written.
    However run() ends, `identity_work`, `method_work` and `reading` show how far it came. The first
    is None if the identity itself was not read, the last if there was nothing else to read. `known`
    is the identity before the run. `failure` is None on success; `failed_at` is the key of the auth
    method that failed, if one did. `purged` says that the identity is to be purged.
    """

    def __init__(
        self,
        api: Api,
        login: Login,
        methods: t.Sequence[AuthMethod],
        reference: Reference,
        desired: Desired,
        creations: Creations,
        identity: Identity | None = None,
        *,
        check: bool,
        renamed: t.Mapping[str, str] | None = None,
        absent: bool = False,
        purged: bool = False,
        whole: bool = False,
    ) -> None:
        self._api = api
        self._login = login
        self._methods = methods
        self._desired = desired
        self._check = check
        self.known = identity
        self._creations = creations
        self._renamed = {} if renamed is None else renamed
        self._absent = absent
        self._whole = whole
        self.reference = reference
        self.purged = purged
        self.failure: InfisicalError | None = None
        self.failed_at: str | None = None
        self.resource: IdentityResource | None = None
        self.identity_work: Reconciler | None = None
        self.method_work: dict[str, Reconciler] = {}
        self.reading: Reading | None = None

    @property
    def works(self) -> list[Reconciler]:
        """The work on the identity and on each of its auth methods, as far as it was started."""
        identity = [self.identity_work] if self.identity_work else []
        return [*identity, *self.method_work.values()]

    @property
    def changed(self) -> bool:
        """Whether anything was written, or in check mode would be."""
        return any(work.changed for work in self.works)

    @property
    def created(self) -> bool:
        """Whether the identity was created, or in check mode would be."""
        work = self.identity_work
        if self._check:
            return bool(work and work.changed and not work.before and work.result)
        return bool(self.resource and self.resource.created)

    @property
    def deleted(self) -> bool:
        """Whether the identity was deleted, or in check mode would be."""
        work = self.identity_work
        return bool(work and work.changed and work.before and not work.result)

    @property
    def revoked(self) -> bool:
        """Whether an auth method was revoked, or in check mode would be; the identity stays."""
        return self.failure is None and any(
            work.changed and work.before and not work.result for work in self.method_work.values()
        )

    @property
    def creates(self) -> bool:
        """Whether the work will create an identity, as far as that is known before run()."""
        return self.known is None and self.reference.id is None and self._desired.creates

    @property
    def identity(self) -> Identity | None:
        """The identity, as far as it was read."""
        if self.resource and self.resource.identity:
            return self.resource.identity
        for work in self.method_work.values():
            if isinstance(work.resource, AuthMethodResource) and work.resource.identity:
                identity = work.resource.identity
                return identity.filled_from(self.known) if self.known else identity
        return self.known

    @property
    def states(self) -> t.Mapping[str, State | None]:
        """The auth methods that were read but not worked on, by key; empty unless `whole` is set.

        For a new identity, all of them are None.
        """
        if self._whole and self.created:
            return dict.fromkeys(method.key for method in self._rest())
        return self.reading.states if self.reading else {}

    def run(self) -> None:
        """Bring about the desired state. Raises InfisicalError."""
        if not self._whole:
            self._run()
            return
        self._find()
        try:
            self._read_rest()
        except InterruptError:
            raise
        except InfisicalError:
            # The work does not need the rest.
            self._run()
            raise
        self._run()

    def _find(self) -> None:
        """Read the identity, if the entry has its ID."""
        if self.known is None and self.reference.id:
            resource = self._resource()
            resource.read()
            self.known = resource.identity

    def _read_rest(self) -> None:
        """Read the auth methods that the work does not read."""
        rest = self._rest()
        if self.known is not None and self.known.here and rest:
            self.reading = Reading(self.reference, self.known, rest, listed=True)
            self.reading.run(self._api, self._login)

    def _rest(self) -> list[AuthMethod]:
        """Return the auth methods that the work does not read."""
        deletes = self._desired.identity is None
        return [item for item in self._methods if deletes or item.key not in self._desired.methods]

    def _run(self) -> None:
        by_name = self.known is None and self.reference.id is None
        if by_name and self._desired.only_revokes:
            resource = self._resource()
            resource.read()
            if resource.identity is None:
                return
            self.known = resource.identity
        if self._needs_identity():
            self.resource = self._resource()
            self.identity_work = Reconciler(self.resource, check=self._check)
            self.identity_work.run(self._desired.identity)
            if not self.identity_work.result:
                return
        for method in self._methods:
            if method.key in self._desired.methods:
                self._run_method(method, self._desired.methods[method.key])

    def note_interrupt(self, failure: InterruptError) -> None:
        """Note that the work was interrupted, and that a write in progress may have been made."""
        for work in self.works:
            work.changed = work.changed or work.writing
        self.failure = failure

    def end_without_object(self) -> None:
        """Note that the identity and everything that belonged to it no longer exist."""
        for work in self.works:
            work.end_without_object()

    def _needs_identity(self) -> bool:
        """Return whether to read the identity itself.

        Not if it is known or given by ID, and the entry has only auth methods.
        """
        known = self.known is not None or self.reference.id is not None
        return not (known and self._desired.identity == {} and self._desired.methods)

    def _resource(self) -> IdentityResource:
        wanted = self._desired.identity
        return IdentityResource(
            self._api,
            self._login,
            self.reference,
            self._creations,
            self.known,
            needed={PROTECTION} if wanted is None else wanted,
            lift=self._desired.lift,
            renamed=self._renamed,
            absent=self._absent,
            before_creation=self._refuse_methods,
        )

    def _refuse_methods(self) -> None:
        """Before an identity is created, refuse auth methods that could not be attached to it."""
        for method in self._methods:
            values = self._desired.methods.get(method.key)
            if values is not None:
                plan(method, None, values, of_2024=self._creations.of_2024())

    def _run_method(self, method: AuthMethod, wanted: Values | None) -> None:
        created = bool(self.resource and self.resource.created)
        identity = self.identity
        if identity is None and self.reference.id is None:
            # It would be created, without auth methods at first.
            of_2024 = self._creations.of_2024()
            identity = Identity(
                "",
                self.reference.name or "",
                None,
                project_id=self.reference.project_id,
                methods=(),
                of_2024=of_2024,
            )
        identity_id = identity.id if identity else self.reference.id or ""
        work = Reconciler(
            AuthMethodResource(
                self._api,
                self._login,
                method,
                identity_id,
                identity,
                project_id=identity.project_id if identity else self.reference.project_id,
                created=created,
            ),
            check=self._check,
        )
        self.method_work[method.key] = work
        try:
            work.run(wanted)
        except InfisicalError as failure:
            self.failed_at = method.key
            if created:
                failure.args = (f"{failure}{attach_failure(failure, method.title)}",)
            raise
