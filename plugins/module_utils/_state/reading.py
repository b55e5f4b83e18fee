# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading one identity with its auth methods, without changing it."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, InfisicalError, InterruptError, OptionError
from .._server.api import Api
from .._server.login import Login
from .._text import printable, quoted
from .auth_method import AuthMethod, AuthMethodResource
from .creations import Creations
from .directory import left_out
from .identities import Identity, Reference, read_identity
from .identity import METADATA, ROLE, IdentityResource
from .reconcile import State
from .warnings import Warnings

# The error of a project for callers that are not members of it.
_NO_MEMBER = "ProjectMembershipNotFound"


class Reading:
    """An identity to read, with these of its auth methods.

    `listed` says that it comes from a list, with its roles as far as the list has them. By now it
    may no longer exist (`gone`), it may belong to another organization (`elsewhere`), or this login
    may not read the auth methods in its project (`unreadable`). None of these is a failure.
    `states` has the auth methods that were read, by key.
    """

    purged = changed = created = deleted = creates = False

    def __init__(
        self,
        reference: Reference,
        identity: Identity | None,
        methods: t.Sequence[AuthMethod],
        *,
        metadata: bool = False,
        listed: bool = False,
    ) -> None:
        self.reference = reference
        self.identity = identity
        self.failure: InfisicalError | None = None
        self.gone = False
        self.elsewhere = False
        self.unreadable = False
        self.states: dict[str, State | None] = {}
        self._methods = methods
        self._metadata = metadata
        self._listed = listed

    def note_interrupt(self, failure: InterruptError) -> None:
        """Note that the reading was interrupted."""
        self.failure = failure

    def run(self, api: Api, login: Login) -> None:
        """Read it. Raises InfisicalError."""
        try:
            self._read(api, login)
        except ApiError as refusal:
            if not self._listed or not self._explain(api, refusal):
                raise

    def _read(self, api: Api, login: Login) -> None:
        needed = ([METADATA] if self._metadata else []) + ([] if self._listed else [ROLE])
        resource = IdentityResource(
            api, login, self.reference, Creations(api, Warnings()), self.identity, needed=needed
        )
        resource.read()
        if resource.identity is None:
            raise OptionError(
                f"id {quoted(self.reference.id)} is not the ID of any identity that this login can"
                " see.",
                resource.missing,
            )
        identity = resource.identity
        if not self._metadata:
            # Removed unless requested, so that a task that gets this result leaves it alone.
            identity = identity._replace(metadata=None)
        self.identity = identity
        for method in self._methods:
            auth = AuthMethodResource(
                api, login, method, identity.id, identity, project_id=identity.project_id
            )
            self.states[method.key] = auth.read()
            if auth.identity:
                # The auth methods may have changed since the list was read.
                self.identity = self.identity._replace(methods=auth.identity.methods)

    def _explain(self, api: Api, refusal: ApiError) -> bool:
        """Find out why a listed identity cannot be read. Return whether that is fine."""
        identity = self.identity
        if identity and (
            refusal.error == _NO_MEMBER or (identity.project_id and refusal.http_status == 403)
        ):
            self.unreadable = True
        elif refusal.http_status == 404 and not refusal.unknown_route:
            self.gone = True
        elif refusal.error == "ForbiddenError" and identity and not identity.project_id:
            self.gone = self.elsewhere = not read_identity(api, identity.id).here
        return self.unreadable or self.gone


def listed_readings(
    identities: t.Iterable[Identity], methods: t.Sequence[AuthMethod], *, metadata: bool = False
) -> list[Reading]:
    """Return the readings of listed identities, sorted by name."""
    return [
        Reading(
            Reference(
                item.id,
                None,
                item.project_id,
                f"{printable(item.name, 80)} ({item.id})",
            ),
            item,
            methods,
            metadata=metadata,
            listed=True,
        )
        for item in sorted(identities, key=lambda item: (item.name, item.id))
    ]


def not_read(readings: t.Iterable[Reading]) -> list[str]:
    """Return sentences about identities that were listed but could not be read."""
    readings = list(readings)
    sentences = []
    elsewhere = sum(reading.elsewhere for reading in readings)
    if elsewhere:
        sentences.append(left_out(elsewhere))
    unreadable = sum(reading.unreadable for reading in readings)
    if unreadable:
        sentences.append(
            "Some identities are listed without their auth methods, because this login may not read"
            f" identities in their projects ({unreadable})."
        )
    return sentences
