# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Infisical's API that the collection uses, as calls with typed answers."""

from __future__ import annotations

import re
import typing as t

from .._errors import ApiError, UnexpectedAnswerError, UnknownStateError
from .._state.fields import CURRENT, LEGACY, AuthMethod, Values
from .._text import quoted, uuid_or_none
from .answers import Json
from .client import Client

_IDENTITY = "/api/v1/identities/{}"
# The search refuses other characters, "/" on some servers among them, and longer names.
_SEARCHABLE = re.compile(r"[A-Za-z0-9 _-]{1,255}", re.ASCII)
# The longest text in a setting of an auth method, on servers from before March 2026.
_OLD_LIMIT = 255
# The most identities that a search returns at once.
_PAGE = 100


class Attached(t.NamedTuple):
    """An auth method as it is attached to an identity.

    `values` are the settings by option; `metadata` has id, created_at, updated_at and
    access_token_period. `generation` is None where the object does not tell it.
    """

    values: Values
    metadata: t.Mapping[str, t.Any]
    generation: str | None


class Identity(t.NamedTuple):
    """A machine identity: its id, its name, its organisation's id and its auth methods' names.

    `here` is whether it belongs to that organisation, and not to its parent or a sub-organisation,
    whose identities are listed too, but are not managed from here. The list of servers of 2026
    does not tell, and has it as True. Of one that a project owns `organization_id` is blank.
    """

    id: str
    name: str
    organization_id: str
    methods: tuple[str, ...]
    generation: str
    here: bool = True


class Everyone(t.NamedTuple):
    """The identities of the organisation, and sentences on what else there is, not listed."""

    identities: list[Identity]
    not_visible: list[str]


class Api:
    """The calls. All raise what Client.request() raises.

    `own_identity` is the id of the identity that the token belongs to, where it is known.
    """

    def __init__(self, client: Client, own_identity: str | None) -> None:
        self._client = client
        self._own_identity = own_identity

    @property
    def retries(self) -> int:
        """How often a call that did not get through is made again."""
        return self._client.retries

    def stop(self) -> None:
        """Let no further call be made."""
        self._client.stop()

    def read(self, method: AuthMethod, identity_id: str) -> Attached:
        """Read an auth method of an identity; an ApiError if it is not attached."""
        return self._auth("GET", method, identity_id, f"read the {method.title}")

    def observe(
        self, method: AuthMethod, identity_id: str, identity: Identity | None = None
    ) -> tuple[Attached | None, Identity | None]:
        """Read an auth method of an identity, None if it is not attached.

        Returns the identity as well, where it was given, or had to be read: that nothing is
        attached is told by its list of methods, not by the words of a refusal.

        Raises UnknownStateError where that list cannot be read.
        """
        if identity is None or method.name in identity.methods:
            try:
                return self.read(method, identity_id), identity
            except ApiError as failure:
                if failure.http_status != 400:
                    raise
                refusal = failure
            identity = self._wherever(method, identity_id)
            if method.name in identity.methods:
                try:
                    return self.read(method, identity_id), identity
                except ApiError:
                    # Attached and yet not to be read: the refusal was about something else.
                    raise refusal from None
        return None, identity

    def attach(self, method: AuthMethod, identity_id: str, body: Json) -> Attached:
        """Attach an auth method to an identity."""
        # Repeated, it would be refused, or hide that the first one did the work.
        return self._auth(
            "POST", method, identity_id, f"attach {method.title}", body=body, repeatable=False
        )

    def update(self, method: AuthMethod, identity_id: str, body: Json) -> Attached:
        """Change the settings in the body, and no others."""
        return self._auth("PATCH", method, identity_id, f"update the {method.title}", body=body)

    def revoke(self, method: AuthMethod, identity_id: str) -> Attached:
        """Detach an auth method; answers with what it was."""
        return self._auth("DELETE", method, identity_id, f"revoke the {method.title}")

    def identity(self, identity_id: str, purpose: str = "") -> Identity:
        """Read an identity. `purpose` completes "Could not ..."."""
        purpose = purpose or f"read the identity {identity_id}"
        answer = self._client.request("GET", _IDENTITY, identity_id, purpose=purpose)
        return _identity(answer.get("identity"), purpose)

    def _wherever(self, method: AuthMethod, identity_id: str) -> Identity:
        """Read an identity, also one that a project owns, which only its memberships tell of."""
        try:
            return self.identity(identity_id)
        except ApiError as failure:
            if failure.http_status != 404:
                raise
            missing = failure
        purpose = f"read the memberships of identity {identity_id}"
        try:
            answer = self._client.request(
                "GET", f"{_IDENTITY}/identity-memberships", identity_id, purpose=purpose
            )
        except ApiError as failure:
            if failure.http_status == 404:
                raise missing from None
            if failure.http_status != 403:
                raise
            raise UnknownStateError(
                f"Whether {method.title} is attached to identity {identity_id} cannot be known: a"
                " project seems to own it, and this login may not read of what identities are"
                " members. Give the login's role the permission to read identities of the"
                " organization.",
                failure,
            ) from None
        return _member(answer, identity_id, purpose)

    def named(self, names: t.Iterable[str]) -> dict[str, list[Identity]]:
        """Find the identities of the organisation that have exactly these names.

        Returns those of each name, of which there may be none, or several.
        """
        wanted = list(dict.fromkeys(names))
        found: dict[str, dict[str, Identity]] = {name: {} for name in wanted}
        for identity in self._candidates(wanted):
            if identity.here and identity.name in found:
                found[identity.name][identity.id] = identity
        return {name: list(identities.values()) for name, identities in found.items()}

    def everyone(self, purpose: str = "list the identities") -> Everyone:
        """Return every identity of the organisation that is listed, and what is not.

        Those that projects own are counted and not listed, and those of other organisations are
        left out, where the list tells them. Raises UnexpectedAnswerError if the list is not whole.
        """
        answer = self._client.request(
            "GET",
            "/api/v1/identities",
            purpose=purpose,
            query={"orgId": self._organization(purpose)},
            many=True,
        )
        identities = {identity.id: identity for identity in _identities(answer, purpose)}
        total = answer.get("totalCount", len(identities))
        not_visible = []
        if total != len(identities):
            listed = list(identities.values())
            not_visible.append(self._unlisted(listed, total, purpose))
        here = [identity for identity in identities.values() if identity.here]
        if len(here) < len(identities):
            not_visible.append(left_out(len(identities) - len(here)))
        return Everyone(here, not_visible)

    def elsewhere(self, identity_id: str) -> bool:
        """Return whether an identity that is listed here belongs to another organisation."""
        return not self.identity(identity_id).here

    def _unlisted(self, listed: t.Sequence[Identity], total: t.Any, purpose: str) -> str:
        """Return what is counted and not listed. Raises UnexpectedAnswerError.

        Until June 2025 the count is that of the list. Later it has those that projects own as
        well, and since May 2026 a search counts the organisation's own, which must all be listed.
        """
        whole = total if isinstance(total, int) and total > len(listed) else None
        old = any(identity.generation == LEGACY for identity in listed)
        counted = None if whole is None or old else self._count(purpose)
        if counted == len(listed) and whole:
            return (
                f"Identities that projects own are counted, and not listed ({whole - counted});"
                " each can be read by its id, if the login is a member of its project."
            )
        if whole and not old and counted is None and self._has_projects(purpose):
            return (
                f"More identities are counted than listed ({whole - len(listed)}), probably those"
                " that projects own; this server has no way to tell whether others are missing."
            )
        raise UnexpectedAnswerError(
            f"Could not {purpose}: Infisical listed {len(listed)} identities, and counts"
            f" {quoted(total if counted is None else counted)}; run the task again.",
            http_status=200,
        )

    def _count(self, purpose: str) -> int | None:
        """Return how many identities are the organisation's own, or None if nothing tells."""
        answer = self._if_known(
            "POST", "/api/v2/identities/search", purpose, {"scope": ["organization"], "limit": 1}
        )
        count = answer.get("totalCount") if answer else None
        return count if isinstance(count, int) else None

    def _has_projects(self, purpose: str) -> bool:
        """Return whether the server may have identities that projects own: not until June 2025."""
        return self._if_known("GET", "/api/v1/projects", purpose) is not None

    def _if_known(
        self, verb: str, path: str, purpose: str, body: Json | None = None
    ) -> Json | None:
        """Read a list, and return the answer, or None if there is no such route."""
        try:
            return self._client.request(verb, path, purpose=purpose, body=body, many=True)
        except ApiError as error:
            if not error.unknown_route:
                raise
            return None

    def _candidates(self, names: t.Sequence[str]) -> list[Identity]:
        """Return the identities among which those with the names are, in the fewest requests."""
        purpose = "find the identity" if len(names) == 1 else f"find {len(names)} identities"
        purpose += f" {quoted(names[0])}" if len(names) == 1 else " by name"
        searches = [names[start : start + _PAGE] for start in range(0, len(names), _PAGE)]
        # The list of all takes two requests, however many there are.
        if len(searches) > 2 or not all(map(_SEARCHABLE.fullmatch, names)):
            return self.everyone(purpose).identities
        found: list[Identity] = []
        for some in searches:
            page = self._search(some, purpose)
            if page is None:
                return self.everyone(purpose).identities
            found += page
        return found

    def _search(self, names: t.Sequence[str], purpose: str) -> list[Identity] | None:
        """Return the identities with these names, or None if the server cannot tell them all."""
        body = {"search": {"name": {"$in": list(names)}}, "limit": _PAGE}
        answer = self._if_known("POST", "/api/v1/identities/search", purpose, body)
        if answer is None:
            # Servers of 2024 have no search.
            return None
        found = _identities(answer, purpose)
        # Pages over names, which are not unique, may repeat some and skip others.
        return found if answer.get("totalCount", len(found)) == len(found) else None

    def _organization(self, purpose: str) -> str:
        """Return the id of the token's organisation."""
        if self._own_identity is not None:
            own = f"read the login's own identity {self._own_identity}, to learn its organization"
            return self.identity(self._own_identity, own).organization_id
        # Servers before 2026 have only the way above.
        answer = self._client.request("GET", "/api/v1/identities/details", purpose=purpose)
        try:
            return str(answer["identityDetails"]["organization"]["id"])
        except (LookupError, TypeError):
            raise _unexpected(purpose, "no organization") from None

    def _auth(
        self,
        verb: str,
        method: AuthMethod,
        identity_id: str,
        doing: str,
        *,
        body: Json | None = None,
        repeatable: bool = True,
    ) -> Attached:
        purpose = (
            f"{doing} of identity {identity_id}"
            if verb != "POST"
            else (f"{doing} to identity {identity_id}")
        )
        try:
            answer = self._client.request(
                verb,
                f"/api/v1/auth/{method.name}/identities/{{}}",
                identity_id,
                purpose=purpose,
                body=body,
                repeatable=repeatable,
            )
        except ApiError as failure:
            if failure.http_status == 500 and body:
                failure.args = (f"{failure}{_too_long(method, body)}",)
            raise
        item = answer.get(method.envelope)
        try:
            if not isinstance(item, dict):
                raise ValueError(f"no {method.envelope}")
            if item.get("identityId") != identity_id:
                raise ValueError("the object of another identity")
            values = method.from_api(item)
            period = item.get("accessTokenPeriod")
            if not (period is None or isinstance(period, int)):
                raise ValueError("accessTokenPeriod is no number")
            for name in ("id", "createdAt", "updatedAt"):
                if not isinstance(item.get(name), (str, type(None))):
                    raise ValueError(f"{name} is no string")
        except ValueError as why:
            raise _unexpected(purpose, why) from None
        return Attached(
            values,
            {
                "id": item.get("id"),
                "created_at": item.get("createdAt"),
                "updated_at": item.get("updatedAt"),
                "access_token_period": period,
            },
            CURRENT if period is not None else None,
        )


def _too_long(method: AuthMethod, body: Json) -> str:
    """Return what may be wrong with a write that a server answered with a 500, or nothing."""
    for field in method.fields:
        value = body.get(field.api)
        if isinstance(value, str) and len(value) > _OLD_LIMIT:
            return (
                f" {field.option} takes {len(value)} characters, and servers from before March 2026"
                f" hold {_OLD_LIMIT}, which is six UUIDs; make it shorter, or upgrade the server."
            )
    return ""


def _identities(answer: Json, purpose: str) -> list[Identity]:
    items = answer.get("identities")
    if not isinstance(items, list):
        raise _unexpected(purpose, "no list of identities")
    return [_identity(item, purpose) for item in items]


def _identity(item: t.Any, purpose: str) -> Identity:
    """Read an identity with its membership, as servers of every generation return it."""
    inner = item.get("identity") if isinstance(item, dict) else None
    if not isinstance(inner, dict):
        raise _unexpected(purpose, "no identity")
    identity_id, name, organization = inner.get("id"), inner.get("name"), item.get("orgId")
    # An id goes into paths.
    identity_id = uuid_or_none(identity_id) if isinstance(identity_id, str) else None
    if not (identity_id and isinstance(name, str) and isinstance(organization, str)):
        raise _unexpected(purpose, "an identity without an id, a name or an organization")
    here = inner.get("orgId") in (None, organization)
    methods = inner.get("authMethods")
    if isinstance(methods, list) and all(isinstance(method, str) for method in methods):
        return Identity(identity_id, name, organization, tuple(methods), CURRENT, here)
    only = inner.get("authMethod")
    if "authMethod" in inner and (only is None or isinstance(only, str)):
        return Identity(identity_id, name, organization, (only,) if only else (), LEGACY, here)
    raise _unexpected(purpose, "an identity without its auth methods")


def _member(answer: Json, identity_id: str, purpose: str) -> Identity:
    """Read an identity that a project owns off its membership in the project."""
    items = answer.get("identityMemberships")
    if isinstance(items, list):
        for item in items:
            inner = item.get("identity") if isinstance(item, dict) else None
            if isinstance(inner, dict):
                return _identity({"identity": {**inner, "id": identity_id}, "orgId": ""}, purpose)
    raise _unexpected(purpose, "no membership")


def left_out(count: int) -> str:
    """Return the sentence on identities that belong to another organisation than the login's."""
    return (
        f"Identities that belong to another organization, a parent or a sub-organization, are left"
        f" out ({count}); log in there to read them."
    )


def _unexpected(purpose: str, why: str | ValueError) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"Could not {purpose}: the JSON that came back is not what Infisical answers ({why});"
        " check that url names an Infisical server.",
        http_status=200,
    )
