# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Infisical's API that the collection uses, as calls with typed answers."""

from __future__ import annotations

import re
import typing as t

from ._client import Client, Json
from ._errors import ApiError, OptionError, UnexpectedAnswerError
from ._model import CURRENT, LEGACY, AuthMethod, Values, uuid_or_none
from ._text import quoted

_IDENTITY = "/api/v1/identities/{}"
# The search refuses other characters, "/" on some servers among them.
_SEARCHABLE = re.compile(r"[A-Za-z0-9 _-]+", re.ASCII)


class Attached(t.NamedTuple):
    """An auth method as it is attached to an identity.

    `values` are the settings by option; `metadata` has id, created_at, updated_at and
    access_token_period. `generation` is None where the object does not tell it.
    """

    values: Values
    metadata: t.Mapping[str, t.Any]
    generation: str | None


class Identity(t.NamedTuple):
    """A machine identity: its id, its name, its organisation's id and its auth methods' names."""

    id: str
    name: str
    organization_id: str
    methods: tuple[str, ...]
    generation: str


class Api:
    """The calls. All raise what Client.request() raises.

    `own_identity` is the id of the identity that the token belongs to, where it is known.
    """

    def __init__(self, client: Client, own_identity: str | None) -> None:
        self._client = client
        self._own_identity = own_identity

    def read(self, method: AuthMethod, identity_id: str) -> Attached:
        """Read an auth method of an identity; an ApiError if it is not attached."""
        return self._auth("GET", method, identity_id, f"read the {method.title}")

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

    def identity(self, identity_id: str) -> Identity:
        """Read an identity."""
        purpose = f"read the identity {identity_id}"
        answer = self._client.request("GET", _IDENTITY, identity_id, purpose=purpose)
        return _identity(answer.get("identity"), purpose)

    def identity_named(self, name: str) -> Identity:
        """Find the one identity of the organisation that has exactly this name.

        Raises OptionError if there is none, or more than one.
        """
        found = {item.id: item for item in self._candidates(name) if item.name == name}
        if not found:
            raise OptionError(
                f"identity_name {quoted(name)} is not the name of any identity that this login can"
                " see in its organization; names are matched exactly."
            )
        if len(found) > 1:
            ids = sorted(found)
            raise OptionError(
                f"identity_name {quoted(name)} is borne by {len(ids)} identities"
                f" ({', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''}); give identity_id."
            )
        return next(iter(found.values()))

    def _candidates(self, name: str) -> list[Identity]:
        """Return the identities among which those with the name are, in the fewest requests."""
        if not _SEARCHABLE.fullmatch(name):
            return self._all(f"find the identity {quoted(name)}")
        purpose = f"search for the identity {quoted(name)}"
        try:
            answer = self._client.request(
                "POST",
                "/api/v1/identities/search",
                purpose=purpose,
                body={"search": {"name": {"$eq": name}}, "limit": 100},
            )
        except ApiError as error:
            if not error.unknown_route:
                raise
            # Servers of 2024 have no search.
            return self._all(f"find the identity {quoted(name)}")
        return _identities(answer, purpose)

    def _all(self, purpose: str) -> list[Identity]:
        """Return every identity of the organisation."""
        answer = self._client.request(
            "GET",
            "/api/v1/identities",
            purpose=purpose,
            query={"orgId": self._organization(purpose)},
        )
        return _identities(answer, purpose)

    def _organization(self, purpose: str) -> str:
        """Return the id of the token's organisation."""
        if self._own_identity is not None:
            return self.identity(self._own_identity).organization_id
        # Servers of 2024 have only the way above.
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
        answer = self._client.request(
            verb,
            f"/api/v1/auth/{method.name}/identities/{{}}",
            identity_id,
            purpose=purpose,
            body=body,
            repeatable=repeatable,
        )
        item = answer.get(method.envelope)
        try:
            if not isinstance(item, dict):
                raise ValueError(f"no {method.envelope}")
            if item.get("identityId") != identity_id:
                raise ValueError("the object of another identity")
            values = method.from_api(item)
        except ValueError as why:
            raise _unexpected(purpose, why) from None
        period = item.get("accessTokenPeriod")
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


def _identities(answer: Json, purpose: str) -> list[Identity]:
    """Read a list of identities, without those of sub-organisations, which are not managed here."""
    items = answer.get("identities")
    if not isinstance(items, list):
        raise _unexpected(purpose, "no list of identities")
    return [
        identity
        for identity, home in ((_identity(item, purpose), _home(item)) for item in items)
        if home in (None, identity.organization_id)
    ]


def _home(item: Json) -> t.Any:
    return item["identity"].get("orgId")


def _identity(item: t.Any, purpose: str) -> Identity:
    """Read an identity with its membership, as both generations return it."""
    inner = item.get("identity") if isinstance(item, dict) else None
    if not isinstance(inner, dict):
        raise _unexpected(purpose, "no identity")
    identity_id, name, organization = inner.get("id"), inner.get("name"), item.get("orgId")
    # An id goes into paths.
    identity_id = uuid_or_none(identity_id) if isinstance(identity_id, str) else None
    if not (identity_id and isinstance(name, str) and isinstance(organization, str)):
        raise _unexpected(purpose, "an identity without an id, a name or an organization")
    methods = inner.get("authMethods")
    if isinstance(methods, list) and all(isinstance(method, str) for method in methods):
        return Identity(identity_id, name, organization, tuple(methods), CURRENT)
    only = inner.get("authMethod")
    if "authMethod" in inner and (only is None or isinstance(only, str)):
        return Identity(identity_id, name, organization, (only,) if only else (), LEGACY)
    raise _unexpected(purpose, "an identity without its auth methods")


def _unexpected(purpose: str, why: str | ValueError) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"Could not {purpose}: the JSON that came back is not what Infisical answers ({why});"
        " check that url names an Infisical server.",
        http_status=200,
    )
