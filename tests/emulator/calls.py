# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests on known routes: who calls, what the caller may do, and what a path is about.

Handlers are plain functions that run under the state's lock, so a request is one atomic step.
They return the JSON to answer with status 200, or raise `errors.ApiError`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import errors, rules
from .errors import ApiError
from .rules import GENERATIONS
from .state import ANYWHERE_STORED, CUSTOM, Identity, State, Token


@dataclass
class Call:
    """A request on a known route, as handlers see it. Reads see the `state` that a replica has."""

    state: State
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    token: Token | None
    identity: Identity | None

    @property
    def generation(self) -> str:
        """The generation of the server."""
        return self.state.generation

    @property
    def organization_id(self) -> str:
        """The organisation that the calling token is for."""
        assert self.token is not None
        return self.token.organization_id

    @property
    def caller(self) -> Identity:
        """The identity that the calling token belongs to."""
        assert self.identity is not None
        return self.identity


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class ApiRoute:
    """A row of the table. `limit` is the bucket, `limit_2024` where old servers differ.

    Servers have it from the generation `since` on, and before `until`.
    """

    method: str
    path: str
    handler: Handler
    limit: str
    limit_2024: str | None = None
    public: bool = False
    since: str = GENERATIONS[0]
    until: str = "9999"

    def limit_kind(self, generation: str) -> str:
        """``read``, ``write``, or ``creation``, which is a write before 2026."""
        kind = (self.limit_2024 if generation == "2024-10" else None) or self.limit
        return "write" if kind == "creation" and generation < "2026" else kind


# -- who calls ----------------------------------------------------------------------------------


def authenticate(state: State, authorization: str | None, address: str) -> Token | None:
    """The token of a request, one use of it spent; None without an Authorization header."""
    if authorization is None:
        return None
    if state.settings.database_away:
        raise errors.broken("IdAccessTokenFindOne")
    text = authorization[len("Bearer ") :]
    if text.startswith("st."):
        raise errors.not_found("Service token not found")
    token = live_token(state, text)
    if token.uses_limit and token.uses >= token.uses_limit:
        state.revoke_token(token.id)
        raise errors.unauthorized("Access token number of uses limit reached")
    token.uses += 1
    trusted = token.trusted_ips
    if trusted is None:
        stored = state.identities[token.identity_id].methods.get(token.method, {})
        trusted = stored.get("accessTokenTrustedIps", ANYWHERE_STORED)
    if not rules.address_admitted(trusted, address):
        raise errors.forbidden(
            "You are not allowed to access this resource from the current IP address"
        )
    return token


def live_token(state: State, text: str) -> Token:
    """The token of a text, or the reason why there is none."""
    token = state.tokens.get(text)
    if token is None:
        raise state.token_failure(text)
    expires = token.expires()
    if expires is not None and state.now() >= expires:
        raise errors.token_error("Your token has expired. Please re-authenticate.")
    return token


def allowed(call: Call, action: str, project_id: str | None = None) -> bool:
    """Whether the caller's roles have a permission on identities, of the organisation or a project.

    Raises the refusal of a project in which the caller is no member.
    """
    membership = call.caller.membership(project_id or call.organization_id)
    if project_id and membership is None:
        raise no_member(call, project_id)
    if not project_id:
        refuse_custom(call, call.caller)
    roles = call.state.roles_in(project_id)
    return membership is not None and any(
        action in roles[role].actions
        for role in membership.roles(call.state.now())
        if role in roles
    )


def no_member(call: Call, project_id: str) -> ApiError:
    """The refusal of a project in which the caller is no member."""
    if call.generation < "2026":
        error = f"Identity is not a member of the specified project with ID '{project_id}'"
        return errors.forbidden("You are not allowed to access this resource", error=error)
    return errors.forbidden(
        f"You are not a member of this project with ID {project_id}",
        error="ProjectMembershipNotFound",
    )


def refuse_custom(call: Call, identity: Identity) -> None:
    """Refuse what asks for the permissions of a role that is no more than the word `custom`."""
    if CUSTOM in organization_roles(call, identity) and CUSTOM not in call.state.roles:
        error = f"Custom organization permission not found for identity {identity.id}"
        raise ApiError(404, error, "The requested entity is not found")


def require(call: Call, action: str, project_id: str | None = None) -> None:
    """Refuse a caller whose roles lack a permission on identities."""
    if not allowed(call, action, project_id):
        raise errors.permission_denied(action)


def outranked(call: Call, roles: Iterable[str], project_id: str | None = None) -> bool:
    """Whether one of the roles is more privileged than all that the caller has there."""
    membership = call.caller.membership(project_id or call.organization_id)
    ranks = call.state.roles_in(project_id)
    held = membership.roles(call.state.now()) if membership else []
    most = max((ranks[role].rank for role in held if role in ranks), default=0)
    return any(ranks[role].rank > most for role in roles if role in ranks)


def boundary(what: str, lacking: str) -> ApiError:
    """The refusal of what is beyond the caller; `lacking` says why."""
    return ApiError(
        403, "PermissionBoundaryError", f"{what}. {lacking}", details={"missingPermissions": []}
    )


RANK = "Actor privilege level is not high enough to perform this action"


def missing(call: Call, action: str) -> str:
    """What the new privilege system says of a caller who lacks a permission to give privileges."""
    who = "Missing" if call.generation >= "2026" else "Actor is missing"
    return f"{who} permission {action} on identity"


def require_grant(
    call: Call, roles: Iterable[str], what: str, project_id: str | None = None
) -> None:
    """Refuse to give roles that the caller may not give: `what` failed."""
    if call.generation == "2024-10":
        if outranked(call, roles, project_id):
            raise errors.bad_request("Failed to create a more privileged identity")
    elif call.state.settings.legacy_privileges:
        if outranked(call, roles, project_id):
            raise boundary(what, RANK)
    elif not allowed(call, "grant-privileges", project_id):
        raise boundary(what, missing(call, "grant-privileges"))


def organization_roles(call: Call, identity: Identity) -> list[str]:
    """The roles of an identity in the caller's organisation."""
    membership = identity.membership(call.organization_id)
    return membership.roles(call.state.now()) if membership else []


# -- which identity -----------------------------------------------------------------------------


def parse_id(generation: str, text: str) -> str:
    """An id in its canonical form; upper case, braces and missing hyphens are understood."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        if generation < "2026":
            raise errors.broken("FindOne") from None
        raise unknown_identity(generation, text) from None


def parse_database_id(text: str, operation: str) -> str:
    """An id in its canonical form; what is none is the failure of a database operation."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise errors.broken(operation) from None


def unknown_identity(generation: str, text: str) -> ApiError:
    """There is no such identity, or none that this organisation may know of."""
    suffix = "" if generation == "2024-10" else f" with ID {text}"
    return errors.not_found(f"Failed to find identity{suffix}")


def find_identity(call: Call, *, trim: bool = False) -> Identity:
    """The identity of the path, wherever it is; on 2026 only a member of the organisation."""
    text = call.path["identity_id"]
    if trim:
        text = rules.js_trim(text)
    identity = call.state.known(parse_id(call.generation, text))
    if identity is None:
        raise unknown_identity(call.generation, text)
    if call.generation >= "2026" and not identity.membership(call.organization_id):
        raise unknown_identity(call.generation, text)
    return identity


def find_owned(call: Call, *, trim: bool = False) -> Identity:
    """The identity of the path, for changes to its auth methods: a sub-organisation's will not do.

    Before 2026 the organisation is only looked at by `same_organization`.
    """
    identity = find_identity(call, trim=trim)
    if call.generation >= "2026" and identity.home_id != call.organization_id:
        raise errors.forbidden("Sub organization not authorized to access this identity")
    return identity


def same_organization(call: Call, organization_id: str) -> None:
    """Refuse another organisation's things, where the server does so with the permissions."""
    if organization_id != call.organization_id:
        if call.generation >= "2026":
            raise errors.forbidden(
                f"Your token is scoped to organization with ID {call.organization_id}, but this"
                " resource belongs to a different organization."
            )
        if call.generation == "2025-06":
            parse_database_id(organization_id, "GetOrgIdentityPermission")
        error = "Identity is not apart of this organization"
        raise errors.forbidden("You are not allowed to access this resource", error=error)


def permit(call: Call, identity: Identity, action: str) -> None:
    """Refuse a caller without the permission, or of another organisation.

    Where a project owns the identity, the caller's roles in that project decide.
    """
    member = identity.membership(call.organization_id)
    same_organization(call, call.organization_id if member else identity.home_id)
    require(call, action, identity.project_id)


def permit_in_organization(call: Call, identity: Identity, action: str) -> None:
    """The same, where the roles in the organisation decide, whoever owns the identity."""
    member = identity.membership(call.organization_id)
    same_organization(call, call.organization_id if member else identity.home_id)
    require(call, action)


def guard_instance_admin(identity: Identity) -> None:
    """Refuse to change an identity that administers the instance."""
    if identity.instance_admin:
        raise errors.forbidden(
            "You are attempting to modify an instance admin identity. This requires elevated"
            " instance admin privileges"
        )
