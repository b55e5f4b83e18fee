# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prevents a run from creating two identities with the same name.

Look, create, look again, attach. If the outcome of a creation is unknown, the identity is looked
for, and the creation is never repeated. One run never creates two. If two runs do at the same time,
the run with the younger identity reports it and attaches nothing.
"""

from __future__ import annotations

import re
import threading
import time
import typing as t
import unicodedata

from .._errors import (
    ApiError,
    ChangedMeanwhileError,
    InfisicalError,
    InterruptError,
    NotWrittenError,
    OptionError,
    UnknownOutcomeError,
)
from .._server.api import PAGE, Api
from .._text import quoted
from .identities import (
    Identity,
    Reference,
    find_identities,
    list_members,
    list_of_project,
)
from .warnings import Warnings

NEAR = "{count} new names are similar to existing names, and may be misspelled: {items}"

# How many seconds old the last look may be when an identity is created.
_LOOK_LASTS = 5.0
# How many seconds to look for an identity that may have been created, and how many seconds to wait
# first.
_SEARCH = 30.0
_FIRST_WAIT = 0.5

_LONG_WORD = re.compile(r"[^\W\d_]{5,}")

_Key = tuple[t.Optional[str], str]


class Creations:
    """The identities that a run may create. Thread-safe.

    `allowed` says whether it may create any. `members` has the identities of the organization, if
    they were listed before, to find existing names that are similar to a new one.
    """

    def __init__(
        self,
        api: Api,
        warnings: Warnings,
        *,
        allowed: bool = True,
        members: t.Sequence[Identity] | None = None,
    ) -> None:
        self._api = api
        self.warnings = warnings
        self._allowed = allowed
        self._members = members
        self._lock = threading.Lock()
        self._names: dict[str | None, dict[str, str]] = {}
        self._near: dict[str | None, dict[str, str]] = {}
        self._listed: dict[str | None, float] = {}
        self._looked: dict[_Key, float] = {}
        # All identities that will be created, to look for them together.
        self._expected: dict[_Key, None] = {}
        self._lacking: frozenset[str] | None = None
        self._roles: dict[_Key, bool] = {}

    def refuse_unless_new(self, reference: Reference) -> None:
        """Refuse a name that may not be created, or that differs from another only in spelling.

        Raises OptionError, and ChangedMeanwhileError if an identity has the name by now.
        """
        name, project_id = reference.name or "", reference.project_id
        if not self._allowed:
            raise OptionError(
                f"{reference.option} {quoted(name)} is not the name of any identity that this login"
                " can see, and create is false; correct the name, or create the identity first."
            )
        with self._lock:
            if project_id not in self._names:
                self._list(project_id)
            names = self._names[project_id]
            self._expected[project_id, name] = None
        if name in names:
            self._seen_meanwhile(name)
        alike = names.get(folded(name))
        if alike is not None:
            raise OptionError(
                f"{reference.option} {quoted(name)} is new, but differs from the existing name"
                f" {quoted(alike)} only in letter case, Unicode form or spaces; use the existing"
                " name, or a clearly different one."
            )
        near = self._near[project_id]
        close = next((near[part] for part in _parts(name) if part in near), None)
        if close is not None:
            self.warnings.add(NEAR, f"{quoted(name)} ({quoted(close)})")

    def look_before(self, reference: Reference) -> None:
        """Look for a name once more, unless the last look is recent.

        Raises ChangedMeanwhileError if an identity has it by now, and NotWrittenError if the look
        fails.
        """
        key = (reference.project_id, reference.name or "")
        found: dict[str, list[Identity]] = {}
        with self._lock:
            looked = max(self._looked.get(key, 0), self._listed.get(key[0], 0))
            if time.monotonic() - looked > _LOOK_LASTS:
                try:
                    found = self._look_for_some(key)
                except InterruptError:
                    raise
                except InfisicalError as failure:
                    # The look failed, so nothing was created.
                    raise NotWrittenError(f"{failure} Nothing was created.", failure) from None
            self._expected.pop(key, None)
        if found.get(key[1]):
            self._seen_meanwhile(key[1])

    def find_made(self, reference: Reference, failure: InfisicalError) -> Identity:
        """Find the identity of a creation whose outcome is unknown.

        Raises UnknownOutcomeError if it does not appear, or if there are several.
        """
        name = reference.name or ""
        wait = _FIRST_WAIT
        deadline = time.monotonic() + _SEARCH
        found: list[Identity] = []
        while not found and time.monotonic() < deadline:
            try:
                self._api.pause(wait)
                found = self._find(reference)
            except InterruptError as stop:
                stop.maybe_sent = True
                raise
            except InfisicalError:
                # The outage that lost the response may continue.
                pass
            wait *= 2
        if not found:
            raise UnknownOutcomeError(
                f"{failure} It is not known whether the identity {quoted(name)} was created, and"
                " the task does not try again, because names are not unique; run it again later.",
                failure,
            )
        if len(found) > 1:
            raise UnknownOutcomeError(_twins(name, found, None), failure)
        return found[0]

    def refuse_twins(self, reference: Reference, made: Identity) -> None:
        """Look once more, and refuse to continue with the younger of two identities of one name."""
        name = reference.name or ""
        found = {identity.id: identity for identity in self._find(reference)}
        found.setdefault(made.id, made)
        if len(found) > 1 and _age(found[made.id]) != min(map(_age, found.values())):
            raise UnknownOutcomeError(_twins(name, list(found.values()), made.id))

    def lacking(self) -> frozenset[str]:
        """Return the options of identities that the server does not support."""
        with self._lock:
            if self._lacking is None:
                self._lacking = self._find_lacking()
            return self._lacking

    def of_2024(self) -> bool:
        """Return whether the server is of 2024."""
        return len(self.lacking()) > 1

    def has_role(self, slug: str, project_id: str | None) -> bool:
        """Return whether a role exists; True if this cannot be found out."""
        with self._lock:
            key = (project_id, slug)
            if key not in self._roles:
                self._roles[key] = self._ask_for_role(slug, project_id)
            return self._roles[key]

    def _list(self, project_id: str | None) -> None:
        """List all names of the organization or of a project, to know which are unused."""
        found = self._members if project_id is None else list_of_project(self._api, project_id)
        if found is None:
            found, _total = list_members(self._api, "list the identities")
        names = {folded(identity.name): identity.name for identity in found}
        names.update((identity.name, identity.name) for identity in found)
        self._names[project_id] = names
        self._near[project_id] = {
            part: identity.name for identity in found for part in _parts(identity.name)
        }
        if project_id is not None or self._members is None:
            self._listed[project_id] = time.monotonic()

    def _look_for_some(self, key: _Key) -> dict[str, list[Identity]]:
        """Look for a name, and for others that will be created, in one search."""
        project_id, name = key
        others = [n for p, n in self._expected if p == project_id and n != name]
        some = [name, *others[: PAGE - 1]]
        found = find_identities(self._api, some, project_id)
        now = time.monotonic()
        self._looked.update(((project_id, n), now) for n in some if not found[n])
        return found

    def _find(self, reference: Reference) -> list[Identity]:
        name = reference.name or ""
        return find_identities(self._api, [name], reference.project_id)[name]

    def _find_lacking(self) -> frozenset[str]:
        if self._api.of_2026:
            return frozenset()
        own = self._api.own("read the login's own identity to find out what the server supports")
        inner = own.get("identity")
        if not isinstance(inner, dict):
            return frozenset()
        lacking = set()
        if "metadata" not in own:
            lacking.add("metadata")
        if "hasDeleteProtection" not in inner:
            lacking.add("delete_protection")
        return frozenset(lacking)

    def _ask_for_role(self, slug: str, project_id: str | None) -> bool:
        try:
            if project_id is None:
                self._api.role(slug)
                return True
            roles = self._api.project_roles(project_id)
        except ApiError as failure:
            if failure.http_status == 404 and not failure.unknown_route:
                return False
            if failure.http_status in (401, 403, 404):
                return True
            raise
        return any(isinstance(role, dict) and role.get("slug") == slug for role in roles)

    @staticmethod
    def _seen_meanwhile(name: str) -> t.NoReturn:
        raise ChangedMeanwhileError(
            f"An identity {quoted(name)} was created in the meantime; run the task again."
        )


def _age(identity: Identity) -> tuple[str, str]:
    return identity.created_at or "", identity.id


def _twins(name: str, found: t.Iterable[Identity], made: str | None) -> str:
    """Return the message for several identities with one name."""
    items = [
        f"{identity.id} (created {identity.created_at or 'at an unknown time'}, auth methods"
        f" {', '.join(identity.methods or ()) or 'none'}"
        f"{', created by this run' if identity.id == made else ''})"
        for identity in sorted(found, key=_age)
    ]
    which = f"the one that this run created (id {made})" if made else "those that are not needed"
    return (
        f"There are {len(items)} identities named {quoted(name)}: {'; '.join(items)}. Another run"
        f" may have created one at the same time; nothing was attached. Delete {which} with"
        " infisical_identity (state absent), and do not let two runs create the same identity at"
        " the same time."
    )


def folded(name: str) -> str:
    """Return a name without differences that are easily overlooked, behind a NUL as a marker."""
    return "\0" + "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _parts(name: str) -> t.Iterator[str]:
    """Yield a name, and the name without each single letter of its longer words.

    Names that share one of these are similar. Digits and short words are kept, because names in a
    series differ in these.
    """
    yield name
    for word in _LONG_WORD.finditer(name):
        for place in range(*word.span()):
            yield name[:place] + name[place + 1 :]
