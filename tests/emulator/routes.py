# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API: one table of routes, and what each does.

Handlers are plain functions that run under the state's lock, so a request is one atomic step.
They return the JSON to answer with status 200, or raise `errors.ApiError`.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import errors, rules, schema
from .errors import ApiError
from .logins import LOGINS, LoginMethod
from .rules import GENERATIONS
from .schema import ABSENT, Field
from .state import (
    ANYWHERE_STORED,
    AZURE,
    PROJECT_ROLES,
    TOKEN,
    UNIVERSAL,
    Identity,
    Membership,
    Project,
    State,
    Token,
    decode_jwt,
    timestamp,
)


@dataclass
class Call:
    """A request on a known route, as handlers see it."""

    state: State
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    token: Token | None

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
        assert self.token is not None
        return self.state.identities[self.token.identity_id]


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class ApiRoute:
    """A row of the table. `limit` is the bucket, `limit_2024` where old servers differ.

    Servers have it from the generation `since` on.
    """

    method: str
    path: str
    handler: Handler
    limit: str
    limit_2024: str | None = None
    public: bool = False
    since: str = GENERATIONS[0]

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
        raise errors.forbidden(
            f"You are not a member of this project with ID {project_id}",
            error="ProjectMembershipNotFound",
        )
    roles = PROJECT_ROLES if project_id else call.state.roles
    return membership is not None and any(
        action in roles[role].actions for role in membership.roles
    )


def require(call: Call, action: str, project_id: str | None = None) -> None:
    """Refuse a caller whose roles lack a permission on identities."""
    if not allowed(call, action, project_id):
        raise errors.permission_denied(action)


def outranked(call: Call, roles: Iterable[str]) -> bool:
    """Whether one of the organisation's roles is more privileged than all of the caller's."""
    membership = call.caller.membership(call.organization_id)
    ranks = call.state.roles
    most = max((ranks[role].rank for role in membership.roles), default=0) if membership else 0
    return any(ranks[role].rank > most for role in roles)


def boundary(what: str, lacking: str) -> ApiError:
    """The refusal of what is beyond the caller; `lacking` says why."""
    return ApiError(
        403, "PermissionBoundaryError", f"{what}. {lacking}", details={"missingPermissions": []}
    )


_RANK = "Actor privilege level is not high enough to perform this action"


def require_grant(call: Call, role: str, what: str) -> None:
    """Refuse to give a role that the caller may not give: `what` failed."""
    if call.generation == "2024-10":
        if outranked(call, [role]):
            raise errors.bad_request(f"{what} with more privileged role")
    elif call.state.settings.legacy_privileges:
        if outranked(call, [role]):
            raise boundary(what, _RANK)
    elif not allowed(call, "grant-privileges"):
        raise boundary(what, "Actor is missing permission grant-privileges on identity")


def organization_roles(call: Call, identity: Identity) -> list[str]:
    """The roles of an identity in the caller's organisation."""
    membership = identity.membership(call.organization_id)
    return membership.roles if membership else []


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
    identity = call.state.identities.get(parse_id(call.generation, text))
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


def guard_instance_admin(identity: Identity) -> None:
    """Refuse to change an identity that administers the instance."""
    if identity.instance_admin:
        raise errors.forbidden(
            "You are attempting to modify an instance admin identity. This requires elevated"
            " instance admin privileges"
        )


# -- Azure Auth ---------------------------------------------------------------------------------


def trusted_ips(call: Call, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Trusted IPs as they are stored, the licence permitting."""
    result = []
    for entry in given:
        text = entry["ipAddress"]
        if not call.state.settings.licence and text not in ("0.0.0.0/0", "::/0"):
            raise errors.bad_request(
                "Failed to add IP access range to access token due to plan restriction."
                " Upgrade plan to add IP access range."
            )
        parsed = rules.parse_trusted_ip(text)
        if parsed is None:
            raise errors.bad_request("The IP is not a valid IPv4, IPv6, or CIDR block")
        result.append(parsed)
    return result


def check_columns(call: Call, fields: Mapping[str, Any], operation: str) -> None:
    """What the database refuses: too long, NUL, beyond 64 bits."""
    for name, value in fields.items():
        if isinstance(value, str):
            most = rules.STRING_COLUMN
            if name == "allowedServicePrincipalIds":
                most = rules.PRINCIPALS_COLUMN[call.generation]
            if len(value) > most or "\0" in value:
                raise errors.broken(operation)
        elif isinstance(value, int) and abs(value) > rules.BIGINT_MAX:
            raise errors.broken(operation)


# The permissions of auth methods, which are their own since summer 2026.
ATTACH_ACTION = {"2024-10": "create", "2025-06": "create", "2026": "edit-auth"}
UPDATE_ACTION = {"2024-10": "edit", "2025-06": "edit", "2026": "edit-auth"}


def attach_method(
    call: Call, method: str, title: str, fields: Mapping[str, Field]
) -> dict[str, Any]:
    """Attach an auth method to the identity of the path."""
    given = schema.read_method(call.generation, "POST", fields, call.body)
    identity = find_owned(call, trim=True)
    if call.generation == "2025-06":
        guard_instance_admin(identity)
    taken = identity.methods if call.generation == "2024-10" else method in identity.methods
    if taken:
        raise errors.bad_request(f"Failed to add {title} to already configured identity")
    refusal = rules.post_refusal(
        call.generation, given["accessTokenTTL"], given["accessTokenMaxTTL"]
    )
    if refusal:
        raise ApiError(*refusal)
    permit(call, identity, ATTACH_ACTION[call.generation])
    if call.generation >= "2026":
        guard_instance_admin(identity)
    given["accessTokenTrustedIps"] = trusted_ips(call, given["accessTokenTrustedIps"])
    check_columns(call, given, "Create")
    return call.state.attach(identity, method, given)


def attach_azure(call: Call) -> Any:
    """Attach Azure Auth."""
    stored = attach_method(call, AZURE, "Azure Auth", schema.AZURE_ATTACH)
    return {"identityAzureAuth": stored}


def update_azure(call: Call) -> Any:
    """Change the fields given."""
    state = call.state
    given = schema.read_method(call.generation, "PATCH", schema.AZURE_UPDATE, call.body)
    if state.settings.literal_schema:
        given.setdefault("allowedServicePrincipalIds", "")
    identity = find_owned(call, trim=True)
    stored = identity.methods.get(AZURE)
    if stored is None:
        raise errors.bad_request("Failed to update Azure Auth")
    refusal = rules.patch_refusal(
        call.generation,
        stored["accessTokenMaxTTL"],
        given.get("accessTokenTTL"),
        given.get("accessTokenMaxTTL"),
        stored_ttl=stored["accessTokenTTL"],
        rule=state.settings.ttl_rule,
    )
    if refusal:
        raise ApiError(*refusal)
    permit(call, identity, UPDATE_ACTION[call.generation])
    if call.generation >= "2026":
        guard_instance_admin(identity)
    if "accessTokenTrustedIps" in given:
        given["accessTokenTrustedIps"] = trusted_ips(call, given["accessTokenTrustedIps"])
    if not given:
        raise errors.broken("Update by id")
    check_columns(call, given, "Update by id")
    state.touch(stored, given)
    return {"identityAzureAuth": stored}


def read_azure(call: Call) -> Any:
    """Show the configuration."""
    identity = find_owned(call)
    if AZURE not in identity.methods:
        raise errors.bad_request("The identity does not have Azure Auth attached")
    permit(call, identity, "read")
    return {"identityAzureAuth": identity.methods[AZURE]}


def revoke_azure(call: Call) -> Any:
    """Detach Azure Auth; tokens issued through it die."""
    identity = find_owned(call)
    if AZURE not in identity.methods:
        raise errors.bad_request("The identity does not have azure auth")
    if identity.project_id:
        permit(call, identity, "revoke-auth")
    else:
        permit(call, identity, "edit")
        require_revoking(call, identity)
    if call.generation >= "2026":
        guard_instance_admin(identity)
    return {"identityAzureAuth": call.state.detach(identity, AZURE)}


def require_revoking(call: Call, identity: Identity) -> None:
    """What revoking asks beside the permission to edit: since 2025 a permission of its own."""
    what = "Failed to revoke azure auth of identity with more privileged role"
    if call.generation == "2024-10":
        if outranked(call, organization_roles(call, identity)):
            raise errors.forbidden(what)
    elif call.state.settings.legacy_privileges:
        if outranked(call, organization_roles(call, identity)):
            raise boundary(what, _RANK)
    elif call.generation >= "2026":
        require(call, "revoke-auth")
    elif not allowed(call, "revoke-auth"):
        raise boundary(what, "Actor is missing permission revoke-auth on identity")


# -- other auth methods, as far as tests need them ----------------------------------------------


def attach_universal(call: Call) -> Any:
    """Attach Universal Auth; its client secrets are made one by one."""
    stored = attach_method(call, UNIVERSAL, "Universal Auth", schema.LIFETIMES_ATTACH)
    stored["clientSecrets"].clear()
    return {
        "identityUniversalAuth": {
            name: value for name, value in stored.items() if name != "clientSecrets"
        }
    }


def create_client_secret(call: Call) -> Any:
    """Make a client secret; it is shown this once."""
    schema.read_body(call.generation, {}, call.body)
    identity = find_owned(call)
    if UNIVERSAL not in identity.methods:
        raise errors.bad_request("The identity does not have universal auth")
    permit(call, identity, ATTACH_ACTION[call.generation])
    secret = call.state.add_client_secret(identity)
    now = timestamp(call.state.now())
    return {
        "clientSecret": secret,
        "clientSecretData": {
            "id": call.state.new_id(),
            "createdAt": now,
            "updatedAt": now,
            "description": "",
            "clientSecretPrefix": secret[:4],
            "clientSecretNumUses": 0,
            "clientSecretNumUsesLimit": 0,
            "clientSecretTTL": 0,
            "identityUAId": identity.methods[UNIVERSAL]["id"],
            "isClientSecretRevoked": False,
        },
    }


def attach_token_auth(call: Call) -> Any:
    """Attach Token Auth; its tokens are made one by one."""
    stored = attach_method(call, TOKEN, "Token Auth", schema.LIFETIMES_ATTACH)
    return {"identityTokenAuth": stored}


def update_token_auth(call: Call) -> Any:
    """Change the fields given."""
    given = schema.read_method(call.generation, "PATCH", schema.LIFETIMES_UPDATE, call.body)
    identity = find_owned(call)
    stored = identity.methods.get(TOKEN)
    if stored is None:
        raise errors.bad_request("The identity does not have token auth")
    permit(call, identity, UPDATE_ACTION[call.generation])
    if "accessTokenTrustedIps" in given:
        given["accessTokenTrustedIps"] = trusted_ips(call, given["accessTokenTrustedIps"])
    call.state.touch(stored, given)
    return {"identityTokenAuth": stored}


def create_token(call: Call) -> Any:
    """Make a token of an identity with Token Auth."""
    schema.read_body(call.generation, {}, call.body)
    identity = find_owned(call)
    if TOKEN not in identity.methods:
        raise errors.bad_request("The identity does not have token auth")
    permit(call, identity, ATTACH_ACTION[call.generation])
    return issue(call.state, identity, TOKEN)


# -- tokens -------------------------------------------------------------------------------------


def issue(
    state: State, identity: Identity, method: str, organization_id: str | None = None
) -> dict[str, Any]:
    """Issue a token as the method's configuration says, in the shape of a login's answer."""
    stored = identity.methods[method]
    token = state.issue_token(
        identity,
        method,
        ttl=stored["accessTokenTTL"],
        max_ttl=stored["accessTokenMaxTTL"],
        uses_limit=stored["accessTokenNumUsesLimit"],
        organization_id=organization_id,
        max_age=rules.TOKEN_AGE if state.generation >= "2026" else 0,
    )
    return token_answer(token)


def token_answer(token: Token) -> dict[str, Any]:
    """What a login and a renewal answer. Before 2026 the TTL is told, which may be 0."""
    expires = token.expires()
    lifetime = int(expires - token.issued) if token.max_age and expires else token.ttl
    return {
        "accessToken": token.text,
        "expiresIn": lifetime,
        "accessTokenMaxTTL": token.max_ttl,
        "tokenType": "Bearer",
    }


def login(method: LoginMethod) -> Handler:
    """The handler for logging in through a method."""
    credentials = {name: Field(schema.string(), required=True) for name in method.fields}
    # Servers before 2026 do not know the slug, and drop it like any unknown field.
    scoped = {**credentials, "organizationSlug": Field(schema.string(least=1, most=64))}

    def handle(call: Call) -> Any:
        state = call.state
        if call.generation < method.works_since:
            raise errors.unauthorized("Invalid credentials")
        fields = scoped if call.generation >= "2026" else credentials
        given = schema.read_body(call.generation, fields, call.body)
        if state.settings.database_away or any("\0" in text for text in given.values()):
            raise errors.broken("FindOne")
        identity = method.verify(state, given)
        organization_id = None
        if "organizationSlug" in given:
            organization_id = _scope(state, identity, given["organizationSlug"])
        identity.last_login_method = method.name
        identity.last_login_time = timestamp(state.now())
        return issue(state, identity, method.name, organization_id)

    return handle


def _scope(state: State, identity: Identity, slug: str) -> str:
    """The organisation that a token is for, when the login names one.

    An identity of a sub-organisation gets its home, whatever is named.
    """
    home = state.organizations[identity.home_id]
    if home.parent_id or slug == home.slug:
        return home.id
    for organization in state.organizations.values():
        if (organization.parent_id, organization.slug) == (home.id, slug):
            if identity.membership(organization.id):
                return organization.id
            raise errors.unauthorized(f"Identity not authorized to access sub organization {slug}")
    raise errors.not_found(f"Sub organization with slug {slug} not found")


ACCESS_TOKEN = {"accessToken": Field(schema.string(), required=True)}


def revoke_token(call: Call) -> Any:
    """Revoke a token; holding it is all the right one needs."""
    state = call.state
    text = schema.read_body(call.generation, ACCESS_TOKEN, call.body)["accessToken"]
    if call.generation >= "2026" and text not in state.tokens:
        # Only a mark is set, which does no harm where it is: the second time is as good.
        try:
            token_id = decode_jwt(text, signed_here=True)["identityAccessTokenId"]
        except (ValueError, LookupError) as exception:
            raise errors.token_error(str(exception)) from None
        state.revoke_token(token_id)
    else:
        state.revoke_token(live_token(state, text).id)
    return {"message": "Successfully revoked access token"}


def renew_token(call: Call) -> Any:
    """Renew a token; before 2026 refused when the renewed one would outlive its maximum."""
    state = call.state
    text = schema.read_body(call.generation, ACCESS_TOKEN, call.body)["accessToken"]
    token = live_token(state, text)
    now = state.now()
    if call.generation < "2026":
        if token.max_ttl > 0 and now + token.ttl > token.created + token.max_ttl:
            state.revoke_token(token.id)
            raise errors.unauthorized("Failed to renew MI access token past its Max TTL expiration")
        if call.generation == "2024-10":
            token.issued = now
            return token_answer(token)
    return token_answer(state.renew_token(token))


# -- identities ---------------------------------------------------------------------------------


def show_role(state: State, membership: Membership) -> dict[str, Any]:
    """The role of a membership in the organisation; where there are several, one of them."""
    role = membership.roles[0]
    if not state.roles[role].custom:
        return {"role": role, "roleId": None}
    role_id = state.role_id(role)
    return {
        "role": "custom",
        "roleId": role_id,
        "customRole": {"id": role_id, "name": role, "slug": role},
    }


def show_identity(
    state: State, identity: Identity, organization_id: str, *, where: str = "one"
) -> dict[str, Any]:
    """An identity as the organisation's answers show it: the membership around the identity.

    Where: the answer for ``one`` has all of it, the ``list`` and the ``search`` have less.
    """
    membership = identity.membership(organization_id)
    assert membership is not None
    inner: dict[str, Any] = {"id": identity.id, "name": identity.name}
    shown: dict[str, Any] = {
        "id": membership.id,
        **show_role(state, membership),
        "orgId": organization_id,
        "createdAt": membership.created_at,
        "updatedAt": membership.updated_at,
        "identityId": identity.id,
        "identity": inner,
    }
    if state.generation == "2024-10":
        inner["authMethod"] = next(reversed(identity.methods), None)
        return shown
    inner["hasDeleteProtection"] = identity.delete_protection
    inner["authMethods"] = list(identity.methods)
    if where == "one":
        shown["metadata"] = copy.deepcopy(identity.metadata)
    if state.generation >= "2026":
        shown["lastLoginAuthMethod"] = identity.last_login_method
        shown["lastLoginTime"] = identity.last_login_time
        # The list leaves it out, so that what is another organisation's cannot be told there.
        if where != "list":
            inner["orgId"] = identity.home_id
        if where == "one":
            inner["activeLockoutAuthMethods"] = []
    return shown


def show_created(
    state: State,
    identity: Identity,
    metadata: list[dict[str, str]] | None = None,
    *,
    new: bool = False,
) -> dict[str, Any]:
    """An identity as creating and changing it answer; `metadata` is what this request brought."""
    shown: dict[str, Any] = {
        "id": identity.id,
        "name": identity.name,
        "createdAt": identity.created_at,
        "updatedAt": identity.updated_at,
    }
    if new or state.generation < "2026":
        # A column of old, which nothing fills since identities may have several methods.
        old = state.generation == "2024-10"
        shown["authMethod"] = next(reversed(identity.methods), None) if old else None
    if state.generation > "2024-10":
        shown["hasDeleteProtection"] = identity.delete_protection
        if new or state.generation >= "2026":
            shown["authMethods"] = list(identity.methods)
        if metadata is not None:
            shown["metadata"] = metadata
    if state.generation >= "2026":
        shown |= {"orgId": identity.home_id, "projectId": identity.project_id}
    return shown


def find_listed(call: Call, operation: str = "FindOne") -> Identity:
    """The identity of the path, as the routes of identities know it: with another message.

    Before 2026 what is no UUID is the failure of a database operation.
    """
    text = call.path["identity_id"]
    if call.generation < "2026":
        text = parse_database_id(text, operation)
    try:
        identity = call.state.identities.get(str(uuid.UUID(text)))
    except ValueError:
        identity = None
    if identity is None or (
        call.generation >= "2026" and not identity.membership(call.organization_id)
    ):
        suffix = "" if call.generation == "2024-10" else f" with id {text}"
        raise errors.not_found(f"Failed to find identity{suffix}")
    return identity


def get_identity(call: Call) -> Any:
    """Show one identity. One that a project owns is not found here."""
    identity = find_listed(call, "FindByOrgId")
    if identity.project_id:
        raise errors.not_found(f"Failed to find identity with id {identity.id}")
    permit(call, identity, "read")
    return {"identity": show_identity(call.state, identity, call.organization_id)}


_PAIR = schema.record(
    {name: Field(schema.string(least=1), required=True) for name in ("key", "value")}
)
IDENTITY_FIELDS = {
    "name": Field(schema.string()),
    "role": Field(schema.string(least=1)),
    "hasDeleteProtection": Field(schema.flag),
    "metadata": Field(schema.listing(_PAIR)),
}
CREATE_IDENTITY = {
    **IDENTITY_FIELDS,
    "name": Field(schema.string(), required=True),
    "organizationId": Field(schema.string(), required=True),
}


def read_identity(call: Call, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The fields of an identity. What servers of 2024 do not know they drop."""
    known = {
        name: field
        for name, field in fields.items()
        if call.generation > "2024-10" or name not in ("hasDeleteProtection", "metadata")
    }
    return schema.read_body(call.generation, known, call.body)


def check_identity_columns(given: Mapping[str, Any], operation: str) -> None:
    """What the database refuses of an identity."""
    pairs = given.get("metadata", [])
    texts = [(given.get("name", ""), rules.STRING_COLUMN)]
    texts += ((pair["key"], rules.STRING_COLUMN) for pair in pairs)
    texts += ((pair["value"], rules.METADATA_COLUMN) for pair in pairs)
    for text, most in texts:
        if len(text) > most or "\0" in text:
            raise errors.broken(operation)


def store_metadata(call: Call, identity: Identity, pairs: list[Any]) -> list[dict[str, str]]:
    """Replace the metadata of an identity; every pair gets a new id."""
    identity.metadata = [{"id": call.state.new_id(), **pair} for pair in pairs]
    return copy.deepcopy(identity.metadata)


def require_role(call: Call, role: str) -> None:
    """Refuse a role that there is not."""
    if role not in call.state.roles:
        what = "roles" if call.generation >= "2026" else "role"
        raise errors.not_found(
            f"Specified {what} '{role}' was not found in the organization with ID"
            f" '{call.organization_id}'"
        )


def create_identity(call: Call) -> Any:
    """Create an identity without any auth method."""
    given = read_identity(call, CREATE_IDENTITY)
    same_organization(call, given["organizationId"])
    require(call, "create")
    role = given.get("role", "no-access")
    require_role(call, role)
    if role != "no-access" or call.generation == "2025-06":
        require_grant(call, role, "Failed to create identity")
    check_identity_columns(given, "Create")
    identity = call.state.add_identity(
        given["name"], role=role, organization_id=call.organization_id
    )
    identity.delete_protection = given.get("hasDeleteProtection", False)
    metadata = store_metadata(call, identity, given.get("metadata", []))
    return {"identity": show_created(call.state, identity, metadata, new=True)}


def refuse_projects(identity: Identity) -> None:
    """Refuse an identity that a project owns, on routes that are for the organisation's."""
    if identity.project_id:
        raise errors.bad_request("Identity is managed by project")


def update_identity(call: Call) -> Any:
    """Change the fields given, so far as the server does."""
    given = read_identity(call, IDENTITY_FIELDS)
    identity = find_listed(call)
    if call.generation < "2026":
        guard_instance_admin(identity)
    permit(call, identity, "edit")
    if "role" in given:
        require_role(call, given["role"])
        require_grant(call, given["role"], "Failed to update identity")
    guard_instance_admin(identity)
    refuse_projects(identity)
    check_identity_columns(given, "Create" if given.get("metadata") else "Update by id")
    now = timestamp(call.state.now())
    if identity.home_id == call.organization_id:
        # Without a name or the flag set, the row is not touched: a flag of false alone is lost.
        if given.get("name") or given.get("hasDeleteProtection"):
            identity.name = given.get("name", identity.name)
            identity.delete_protection = given.get(
                "hasDeleteProtection", identity.delete_protection
            )
            identity.updated_at = now
        if "metadata" in given:
            given["metadata"] = store_metadata(call, identity, given["metadata"])
    if "role" in given:
        membership = identity.membership(call.organization_id)
        assert membership is not None
        membership.roles, membership.updated_at = [given["role"]], now
    return {"identity": show_created(call.state, identity, given.get("metadata", []))}


def delete_identity(call: Call) -> Any:
    """Delete an identity with all that hangs on it; another organisation's is only taken out."""
    identity = find_listed(call)
    if call.generation < "2026":
        guard_instance_admin(identity)
    permit(call, identity, "delete")
    if outranked(call, organization_roles(call, identity)):
        # In 2025 nothing is checked, in either privilege system.
        if call.generation == "2024-10":
            raise errors.forbidden("Failed to delete more privileged identity")
        if call.generation >= "2026" and call.state.settings.legacy_privileges:
            raise boundary("Failed to delete identity", _RANK)
    guard_instance_admin(identity)
    refuse_projects(identity)
    if identity.delete_protection:
        raise errors.bad_request("Identity has delete protection")
    shown = show_created(call.state, identity)
    if identity.home_id == call.organization_id:
        call.state.remove_identity(identity)
    else:
        identity.memberships = [
            membership
            for membership in identity.memberships
            if membership.organization_id != call.organization_id
        ]
    return {"identity": shown}


def memberships_of(call: Call) -> list[tuple[Identity, Membership]]:
    """The memberships in the calling token's organisation, those of its projects left out."""
    return [
        (identity, membership)
        for identity in call.state.identities.values()
        if (membership := identity.membership(call.organization_id))
    ]


def list_identities(call: Call) -> Any:
    """Every identity of an organisation at once, but those of projects, which are counted."""
    fields = {"orgId": Field(schema.string(trim=False), required=True)}
    given = schema.read_body(call.generation, fields, dict(call.query))
    same_organization(call, given["orgId"])
    require(call, "read")
    members = [identity for identity, _membership in memberships_of(call)]
    return {
        "identities": [
            show_identity(call.state, identity, call.organization_id, where="list")
            for identity in members
            if not identity.project_id
        ],
        "totalCount": len(members),
    }


_SEARCHABLE = {"2025-06": r"[A-Za-z0-9 _-]+\Z", "2026": r"[A-Za-z0-9 _/-]+\Z"}


def _search_fields(generation: str, **more: Field) -> dict[str, Field]:
    """The body of a search; `more` replaces fields."""
    searchable = re.compile(_SEARCHABLE[generation])

    def pattern(value: Any, path: list[Any], issues: schema.Issues) -> Any:
        """A text to search for: at most 255 characters of a small set."""
        text = schema.string(trim=False, most=255)(value, path, issues)
        if text is not ABSENT and not searchable.match(text):
            message = "Name can only contain letters, numbers, spaces, underscores and hyphens"
            issues.append({"code": "custom", "path": path, "message": message})
        return text

    def condition(*operators: str) -> schema.Reader:
        """A filter on one field: a text, or an object of operators that all must hold."""
        readers = {"$eq": pattern, "$contains": pattern, "$in": schema.listing(pattern)}
        read_operators = schema.record({name: Field(readers[name]) for name in operators})

        def read(value: Any, path: list[Any], issues: schema.Issues) -> Any:
            if isinstance(value, str):
                return {"$eq": pattern(value, path, issues)}
            return read_operators(value, path, issues)

        return read

    orders = ("name",) if generation < "2026" else ("name", "role")
    filters = {
        "name": Field(condition("$eq", "$contains", "$in")),
        "role": Field(condition("$eq", "$in")),
    }
    return {
        "orderBy": Field(schema.choice(*orders), default="name"),
        "orderDirection": Field(schema.choice("asc", "desc"), default="asc"),
        "limit": Field(schema.number(integer=False, most=100), default=50),
        "offset": Field(schema.number(integer=False), default=0),
        "search": Field(schema.record(filters), default={}),
        **more,
    }


SEARCH = {generation: _search_fields(generation) for generation in _SEARCHABLE}
SEARCH_V2 = _search_fields(
    "2026",
    orderBy=Field(schema.choice("name", "role", "lastLogin"), default="name"),
    limit=Field(schema.number(least=1, most=100), default=50),
    offset=Field(schema.number(least=0), default=0),
    scope=Field(
        schema.listing(schema.choice("organization", "project"), least=1),
        default=["organization"],
    ),
)


def _matches(value: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a text fulfils a filter; in ``$contains`` an underscore stands for any character."""
    contains = re.escape(wanted.get("$contains", "")).replace("_", ".")
    return (
        ("$eq" not in wanted or value == wanted["$eq"])
        and re.search(contains, value, re.IGNORECASE | re.DOTALL) is not None
        and ("$in" not in wanted or value in wanted["$in"])
    )


def _found(
    members: Iterable[tuple[Identity, Membership]], given: Mapping[str, Any]
) -> list[tuple[Identity, Membership]]:
    """The memberships that a search finds."""
    search = given["search"]
    return [
        (identity, membership)
        for identity, membership in members
        if _matches(identity.name, search.get("name", {}))
        and _matches(membership.roles[0], search.get("role", {}))
    ]


def search_identities(call: Call) -> Any:
    """A page of the identities that match. A limit of 0 is none; beyond the end nothing counts."""
    given = schema.read_body(call.generation, SEARCH[call.generation], call.body)
    require(call, "read")
    limit, offset = int(given["limit"]), int(given["offset"])
    if limit < 0 or not 0 <= offset <= rules.BIGINT_MAX:
        raise errors.broken("FindByOrgId")
    found = _found((member for member in memberships_of(call) if not member[0].project_id), given)

    def order(member: tuple[Identity, Membership]) -> str:
        identity, membership = member
        return identity.name if given["orderBy"] == "name" else membership.roles[0]

    found.sort(key=order, reverse=given["orderDirection"] == "desc")
    page = found[offset : offset + limit] if limit else found
    return {
        "identities": [
            show_identity(call.state, identity, call.organization_id, where="search")
            for identity, _membership in page
        ],
        "totalCount": len(found) if page else 0,
    }


def show_member(state: State, identity: Identity, membership: Membership) -> dict[str, Any]:
    """A membership as the search of 2026 shows it."""
    project = state.projects.get(membership.project_id or "")
    return {
        "id": membership.id,
        "identityId": identity.id,
        "scope": "project" if project else "organization",
        "orgId": membership.organization_id,
        "projectId": membership.project_id,
        "project": show_project(project) if project else None,
        "createdAt": membership.created_at,
        "updatedAt": membership.updated_at,
        "lastLoginAuthMethod": identity.last_login_method,
        "lastLoginTime": identity.last_login_time,
        "roles": show_roles(state, membership),
        "identity": {
            "id": identity.id,
            "name": identity.name,
            "hasDeleteProtection": identity.delete_protection,
            "orgId": identity.home_id,
            "authMethods": list(identity.methods),
        },
    }


def show_roles(state: State, membership: Membership) -> list[dict[str, Any]]:
    """All roles of a membership."""
    rows = []
    for role in membership.roles:
        custom = not membership.project_id and state.roles[role].custom
        rows.append(
            {
                "id": state.role_id(f"{membership.id} {role}"),
                "role": "custom" if custom else role,
                "customRoleId": state.role_id(role) if custom else None,
                "customRoleName": role if custom else None,
                "customRoleSlug": role if custom else None,
                "isTemporary": False,
            }
        )
    return rows


def search_both(call: Call) -> Any:
    """A page of identities, those of projects too. What may not be read is left out in silence."""
    given = schema.read_body(call.generation, SEARCH_V2, call.body)
    state = call.state
    members: list[tuple[Identity, Membership]] = []
    if "organization" in given["scope"] and allowed(call, "read"):
        members += (member for member in memberships_of(call) if not member[0].project_id)
    if "project" in given["scope"]:
        everywhere = allowed(call, "grant-privileges") and allowed(call, "read")
        for identity in state.identities.values():
            membership = identity.project_id and identity.membership(identity.project_id)
            if not membership or membership.organization_id != call.organization_id:
                continue
            if everywhere or (
                call.caller.membership(str(identity.project_id))
                and allowed(call, "read", identity.project_id)
            ):
                members.append((identity, membership))
    found = _found(members, given)
    found.sort(
        key=lambda member: (member[0].name.lower(), member[1].id),
        reverse=given["orderDirection"] == "desc",
    )
    page = found[given["offset"] : given["offset"] + given["limit"]]
    return {
        "identities": [show_member(state, *member) for member in page],
        "totalCount": len(found) if page else 0,
    }


def identity_memberships(call: Call) -> Any:
    """The projects that an identity has roles in; of one that a project owns, that project."""
    identity = find_listed(call)
    member = identity.membership(call.organization_id)
    same_organization(call, call.organization_id if member else identity.home_id)
    require(call, "read")
    state = call.state
    return {
        "identityMemberships": [
            {
                "id": membership.id,
                "createdAt": membership.created_at,
                "updatedAt": membership.updated_at,
                "roles": show_roles(state, membership),
                "identity": {
                    "id": identity.id,
                    "name": identity.name,
                    "authMethods": list(identity.methods),
                },
                "project": {
                    name: value
                    for name, value in show_project(state.projects[membership.project_id]).items()
                    if name != "slug"
                },
            }
            for membership in identity.memberships
            if membership.project_id
        ]
    }


def identity_details(call: Call) -> Any:
    """The root organisation of the calling token. Before 2026 this is read as an identity's id."""
    if call.generation < "2026":
        raise errors.broken("FindByOrgId")
    organization = call.state.organizations[call.organization_id]
    root = call.state.organizations[organization.parent_id or organization.id]
    shown = {"id": root.id, "name": root.name, "slug": root.slug}
    return {"identityDetails": {"organization": shown}}


# -- projects and sub-organisations, as far as tests need them ----------------------------------


def show_project(project: Project) -> dict[str, Any]:
    """A project, in short."""
    return {"id": project.id, "name": project.name, "slug": project.slug, "type": project.kind}


def create_project(call: Call) -> Any:
    """Create a project, with the caller for its admin."""
    fields = {"projectName": Field(schema.string(), required=True)}
    given = schema.read_body(call.generation, fields, call.body)
    if not allowed(call, "create"):
        raise errors.permission_denied("create", "workspace")
    project = call.state.add_project(given["projectName"], call.organization_id)
    call.state.add_member(call.caller, call.organization_id, "admin", project.id)
    return {"project": {**show_project(project), "orgId": project.organization_id}}


def list_projects(call: Call) -> Any:
    """The projects that the caller is a member of."""
    return {
        "projects": [
            {**show_project(project), "orgId": project.organization_id}
            for project in call.state.projects.values()
            if project.organization_id == call.organization_id
            and call.caller.membership(project.id)
        ]
    }


def delete_project(call: Call) -> Any:
    """Delete a project with all that is its own."""
    for project in call.state.projects.values():
        if (project.slug, project.organization_id) == (call.path["slug"], call.organization_id):
            require(call, "delete", project.id)
            call.state.remove_project(project)
            return show_project(project)
    raise errors.not_found(f"Project with slug {call.path['slug']} not found")


def find_project(call: Call, action: str) -> Project:
    """The project of the path, if the caller has a permission on its identities."""
    project = call.state.projects.get(call.path["project_id"])
    if project is None:
        raise errors.not_found(f"Project with {call.path['project_id']} not found")
    if project.organization_id != call.organization_id:
        raise errors.forbidden("This project does not belong to your selected organization.")
    require(call, action, project.id)
    return project


def create_project_identity(call: Call) -> Any:
    """Create an identity that a project owns, without any auth method."""
    fields = {
        "name": Field(schema.string(least=1), required=True),
        "hasDeleteProtection": Field(schema.flag, default=False),
        "metadata": Field(schema.listing(_PAIR), default=[]),
    }
    given = schema.read_body(call.generation, fields, call.body)
    project = find_project(call, "create")
    check_identity_columns(given, "Create")
    identity = call.state.add_identity(given["name"], project_id=project.id)
    identity.delete_protection = given["hasDeleteProtection"]
    metadata = store_metadata(call, identity, given["metadata"])
    return {"identity": show_created(call.state, identity, metadata)}


def delete_project_identity(call: Call) -> Any:
    """Delete an identity that a project owns."""
    project = find_project(call, "delete")
    identity = call.state.identities.get(call.path["identity_id"])
    if identity is None or identity.project_id != project.id:
        raise errors.not_found(f"Identity with id {call.path['identity_id']} not found")
    if identity.delete_protection:
        raise errors.bad_request("Cannot delete identity while delete protection is enabled")
    shown = show_created(call.state, identity)
    call.state.remove_identity(identity)
    return {"identity": shown}


def list_sub_organizations(call: Call) -> Any:
    """The sub-organisations of the caller's root organisation, whatever the token is for."""
    state = call.state
    own = state.organizations[call.organization_id]
    root = own.parent_id or own.id
    if not call.caller.membership(root):
        raise errors.forbidden("You are not a member of the root organization")
    fields = {
        "limit": Field(schema.digits(least=1, most=1000), default=25),
        "offset": Field(schema.digits(), default=0),
        "search": Field(schema.string(), default=""),
    }
    given = schema.read_body(call.generation, fields, dict(call.query))
    found = [
        {
            "id": organization.id,
            "name": organization.name,
            "slug": organization.slug,
            "parentOrgId": root,
        }
        for organization in state.organizations.values()
        if organization.parent_id == root and given["search"].lower() in organization.name.lower()
    ]
    return {
        "organizations": found[given["offset"] : given["offset"] + given["limit"]],
        "totalCount": len(found),
    }


def api_document(call: Call) -> Any:
    """A document in the place of the server's own: its routes, without schemas."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes_of(call.generation):
        operation = {"responses": {"200": {"description": "Default Response"}}}
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.0.3",
        "info": {"title": "Infisical API (emulator)", "version": call.generation},
        "paths": paths,
    }


# -- the table ----------------------------------------------------------------------------------

_AZURE = "/api/v1/auth/azure-auth/identities/{identity_id}"
_UNIVERSAL = "/api/v1/auth/universal-auth/identities/{identity_id}"
_TOKEN = "/api/v1/auth/token-auth/identities/{identity_id}"
_IDENTITIES = "/api/v1/identities"
_PROJECT = "/api/v1/projects/{project_id}/identities"

# A route of fixed words stands before the one with a parameter that would match it too.
ROUTES = (
    ApiRoute("GET", _AZURE, read_azure, "read"),
    ApiRoute("POST", _AZURE, attach_azure, "write"),
    ApiRoute("PATCH", _AZURE, update_azure, "write"),
    ApiRoute("DELETE", _AZURE, revoke_azure, "write"),
    *(
        ApiRoute(
            "POST",
            f"/api/v1/auth/{method.name}/login",
            login(method),
            "write",
            public=True,
            since=method.since,
        )
        for method in LOGINS
    ),
    ApiRoute("POST", "/api/v1/auth/token/revoke", revoke_token, "write", public=True),
    ApiRoute("POST", "/api/v1/auth/token/renew", renew_token, "write", public=True),
    ApiRoute("GET", _IDENTITIES, list_identities, "read", limit_2024="write"),
    ApiRoute("POST", _IDENTITIES, create_identity, "creation"),
    ApiRoute("POST", f"{_IDENTITIES}/search", search_identities, "read", since="2025-06"),
    ApiRoute("GET", f"{_IDENTITIES}/details", identity_details, "read"),
    ApiRoute("GET", f"{_IDENTITIES}/{{identity_id}}", get_identity, "read"),
    ApiRoute("PATCH", f"{_IDENTITIES}/{{identity_id}}", update_identity, "write"),
    ApiRoute("DELETE", f"{_IDENTITIES}/{{identity_id}}", delete_identity, "write"),
    ApiRoute(
        "GET",
        f"{_IDENTITIES}/{{identity_id}}/identity-memberships",
        identity_memberships,
        "read",
        since="2025-06",
    ),
    ApiRoute("POST", "/api/v2/identities/search", search_both, "read", since="2026"),
    ApiRoute("POST", "/api/v2/workspace", create_project, "write"),
    ApiRoute("DELETE", "/api/v2/workspace/{slug}", delete_project, "write"),
    ApiRoute("GET", "/api/v1/projects", list_projects, "read", since="2026"),
    ApiRoute("POST", _PROJECT, create_project_identity, "write", since="2026"),
    ApiRoute(
        "DELETE", f"{_PROJECT}/{{identity_id}}", delete_project_identity, "write", since="2026"
    ),
    ApiRoute("GET", "/api/v1/sub-organizations", list_sub_organizations, "read", since="2026"),
    ApiRoute("POST", _UNIVERSAL, attach_universal, "write"),
    ApiRoute("POST", f"{_UNIVERSAL}/client-secrets", create_client_secret, "write"),
    ApiRoute("POST", _TOKEN, attach_token_auth, "write"),
    ApiRoute("PATCH", _TOKEN, update_token_auth, "write"),
    ApiRoute("POST", f"{_TOKEN}/tokens", create_token, "write"),
    ApiRoute("GET", "/api/docs/json", api_document, "read", public=True),
)


def routes_of(generation: str) -> list[ApiRoute]:
    """The routes that a generation knows."""
    return [route for route in ROUTES if generation >= route.since]
