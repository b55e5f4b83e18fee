# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API: one table of routes, and what each does.

Handlers are plain functions that run under the state's lock, so a request is one atomic step.
They return the JSON to answer with status 200, or raise `errors.ApiError`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import errors, rules, schema
from .errors import ApiError
from .logins import LOGINS, LoginMethod
from .rules import GENERATIONS
from .schema import ABSENT, Field
from .state import AZURE, ROLES, TOKEN, UNIVERSAL, Identity, State, Token, timestamp


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
    """A row of the table. `limit` is the bucket, `limit_2024` where old servers differ."""

    method: str
    path: str
    handler: Handler
    limit: str
    limit_2024: str | None = None
    public: bool = False
    since: str = GENERATIONS[0]

    def limit_kind(self, generation: str) -> str:
        """``read`` or ``write``."""
        return (self.limit_2024 if generation == "2024-10" else None) or self.limit


# -- who calls ----------------------------------------------------------------------------------


def authenticate(state: State, authorization: str | None, address: str) -> Token | None:
    """The token of a request, one use of it spent; None without an Authorization header."""
    if authorization is None:
        return None
    text = authorization[len("Bearer ") :]
    if text.startswith("st."):
        raise errors.not_found("Service token not found")
    token = live_token(state, text)
    if token.uses_limit and token.uses >= token.uses_limit:
        del state.tokens[token.text]
        raise errors.unauthorized("Access token number of uses limit reached")
    token.uses += 1
    if not rules.address_admitted(token.trusted_ips, address):
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


def require(call: Call, action: str) -> None:
    """Refuse a caller whose role lacks a permission on identities."""
    if action not in ROLES[call.caller.role].actions:
        raise errors.permission_denied(action)


def require_rank(call: Call, role: str, what: str) -> None:
    """Refuse to touch a role that is more privileged than the caller's."""
    if ROLES[role].rank > ROLES[call.caller.role].rank:
        if call.generation == "2024-10":
            raise errors.forbidden(f"{what} with more privileged role")
        raise ApiError(
            403,
            "PermissionBoundaryError",
            f"{what} with more privileged role",
            details={"missingPermissions": []},
        )


# -- which identity -----------------------------------------------------------------------------


def parse_id(generation: str, text: str) -> str:
    """An id in its canonical form; upper case, braces and missing hyphens are understood."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        if generation < "2026":
            raise errors.broken("FindOne") from None
        raise unknown_identity(generation, text) from None


def unknown_identity(generation: str, text: str) -> ApiError:
    """There is no such identity, or none that this organisation may know of."""
    suffix = "" if generation == "2024-10" else f" with ID {text}"
    return errors.not_found(f"Failed to find identity{suffix}")


def find_identity(call: Call, *, trim: bool = False, of_sub_organization: bool = False) -> Identity:
    """The identity of the path. Its organisation is looked at before 2026 by `same_organization`.

    `of_sub_organization`: whether one that a sub-organisation owns will do.
    """
    text = call.path["identity_id"]
    if trim:
        text = rules.js_trim(text)
    identity = call.state.identities.get(parse_id(call.generation, text))
    if identity is None:
        raise unknown_identity(call.generation, text)
    if call.generation >= "2026":
        if identity.organization_id != call.organization_id:
            raise unknown_identity(call.generation, text)
        if identity.home_id != call.organization_id and not of_sub_organization:
            raise errors.forbidden("Sub organization not authorized to access this identity")
    return identity


def same_organization(call: Call, organization_id: str) -> None:
    """Refuse another organisation's things, where the server does so with the permissions."""
    if organization_id != call.organization_id:
        if call.generation >= "2026":
            raise errors.forbidden("You are not logged into this organization")
        error = "Identity is not apart of this organization"
        raise errors.forbidden("You are not allowed to access this resource", error=error)


def permit(call: Call, identity: Identity, action: str) -> None:
    """Refuse a caller without the permission, or of another organisation."""
    same_organization(call, identity.organization_id)
    require(call, action)


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


def attach_method(
    call: Call, method: str, title: str, fields: Mapping[str, Field]
) -> dict[str, Any]:
    """Attach an auth method to the identity of the path."""
    given = schema.read_method(call.generation, "POST", fields, call.body)
    identity = find_identity(call, trim=True)
    taken = identity.methods if call.generation == "2024-10" else method in identity.methods
    if taken:
        raise errors.bad_request(f"Failed to add {title} to already configured identity")
    refusal = rules.post_refusal(
        call.generation, given["accessTokenTTL"], given["accessTokenMaxTTL"]
    )
    if refusal:
        raise ApiError(*refusal)
    permit(call, identity, "create")
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
    identity = find_identity(call, trim=True)
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
    permit(call, identity, "edit")
    if "accessTokenTrustedIps" in given:
        given["accessTokenTrustedIps"] = trusted_ips(call, given["accessTokenTrustedIps"])
    if not given:
        raise errors.broken("Update by id")
    check_columns(call, given, "Update by id")
    state.touch(stored, given)
    return {"identityAzureAuth": stored}


def read_azure(call: Call) -> Any:
    """Show the configuration."""
    identity = find_identity(call)
    if AZURE not in identity.methods:
        raise errors.bad_request("The identity does not have Azure Auth attached")
    permit(call, identity, "read")
    return {"identityAzureAuth": identity.methods[AZURE]}


def revoke_azure(call: Call) -> Any:
    """Detach Azure Auth; tokens issued through it die."""
    identity = find_identity(call)
    if AZURE not in identity.methods:
        raise errors.bad_request("The identity does not have azure auth")
    permit(call, identity, "edit")
    require_rank(call, identity.role, "Failed to revoke azure auth of identity")
    return {"identityAzureAuth": call.state.detach(identity, AZURE)}


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
    identity = find_identity(call)
    if UNIVERSAL not in identity.methods:
        raise errors.bad_request("The identity does not have universal auth")
    permit(call, identity, "create")
    require_rank(call, identity.role, "Failed to create client secret for identity")
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


def create_token(call: Call) -> Any:
    """Make a token of an identity with Token Auth."""
    schema.read_body(call.generation, {}, call.body)
    identity = find_identity(call)
    if TOKEN not in identity.methods:
        raise errors.bad_request("The identity does not have token auth")
    permit(call, identity, "create")
    require_rank(call, identity.role, "Failed to create token for identity")
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
        trusted_ips=stored["accessTokenTrustedIps"],
        organization_id=organization_id,
    )
    return token_answer(token)


def token_answer(token: Token) -> dict[str, Any]:
    """What a login and a renewal answer."""
    return {
        "accessToken": token.text,
        "expiresIn": token.ttl,
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
        fields = scoped if call.generation >= "2026" else credentials
        given = schema.read_body(call.generation, fields, call.body)
        if any("\0" in text for text in given.values()):
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
    """The organisation that a token is for, when the login names one of the identity's."""
    for organization_id in (identity.organization_id, identity.home_id):
        if slug == state.organizations[organization_id].slug:
            return organization_id
    raise errors.not_found(f"Sub organization with slug {slug} not found")


ACCESS_TOKEN = {"accessToken": Field(schema.string(), required=True)}


def revoke_token(call: Call) -> Any:
    """Revoke a token; holding it is all the right one needs."""
    text = schema.read_body(call.generation, ACCESS_TOKEN, call.body)["accessToken"]
    token = live_token(call.state, text)
    del call.state.tokens[token.text]
    return {"message": "Successfully revoked access token"}


def renew_token(call: Call) -> Any:
    """Renew a token. Refused when the renewed one would outlive its maximum."""
    state = call.state
    text = schema.read_body(call.generation, ACCESS_TOKEN, call.body)["accessToken"]
    token = live_token(state, text)
    now = state.now()
    if token.max_ttl > 0 and now + token.ttl > token.created + token.max_ttl:
        if call.generation < "2026":
            del state.tokens[token.text]
        raise errors.unauthorized("Failed to renew MI access token past its Max TTL expiration")
    if call.generation == "2024-10":
        token.issued = now
        return token_answer(token)
    return token_answer(
        state.issue_token(
            state.identities[token.identity_id],
            token.method,
            ttl=token.ttl,
            max_ttl=token.max_ttl,
            uses_limit=token.uses_limit,
            trusted_ips=token.trusted_ips,
            organization_id=token.organization_id,
            created=token.created,
        )
    )


# -- identities ---------------------------------------------------------------------------------

_SEARCHABLE = re.compile(r"[A-Za-z0-9 _/-]*\Z")


def show_identity(state: State, identity: Identity) -> dict[str, Any]:
    """An identity as lists and searches show it: the membership around the identity."""
    role = ROLES[identity.role]
    shown: dict[str, Any] = {
        "id": identity.membership_id,
        "role": "custom" if role.custom else identity.role,
        "roleId": None,
        "orgId": identity.organization_id,
        "createdAt": identity.created_at,
        "updatedAt": identity.updated_at,
        "identityId": identity.id,
        "identity": {"id": identity.id, "name": identity.name},
    }
    if role.custom:
        shown["roleId"] = state.role_id(identity.role)
        shown["customRole"] = {
            "id": shown["roleId"],
            "name": identity.role,
            "slug": identity.role,
        }
    if state.generation == "2024-10":
        shown["identity"]["authMethod"] = next(reversed(identity.methods), None)
        return shown
    shown["lastLoginAuthMethod"] = identity.last_login_method
    shown["lastLoginTime"] = identity.last_login_time
    shown["metadata"] = []
    shown["identity"] |= {
        "orgId": identity.home_id,
        "hasDeleteProtection": False,
        "authMethods": list(identity.methods),
        "activeLockoutAuthMethods": [],
    }
    return shown


def show_created(state: State, identity: Identity) -> dict[str, Any]:
    """An identity as creating and deleting it answer."""
    shown: dict[str, Any] = {
        "id": identity.id,
        "name": identity.name,
        "authMethod": next(reversed(identity.methods), None),
        "createdAt": identity.created_at,
        "updatedAt": identity.updated_at,
    }
    if state.generation > "2024-10":
        shown |= {
            "orgId": identity.home_id,
            "projectId": None,
            "hasDeleteProtection": False,
            "authMethods": list(identity.methods),
        }
    return shown


def get_identity(call: Call) -> Any:
    """Show one identity."""
    identity = find_identity(call, of_sub_organization=True)
    permit(call, identity, "read")
    return {"identity": show_identity(call.state, identity)}


CREATE_IDENTITY = {
    "name": Field(schema.string(), required=True),
    "organizationId": Field(schema.string(), required=True),
    "role": Field(schema.string(least=1), default="no-access"),
}


def create_identity(call: Call) -> Any:
    """Create an identity without any auth method."""
    given = schema.read_body(call.generation, CREATE_IDENTITY, call.body)
    same_organization(call, given["organizationId"])
    require(call, "create")
    if given["role"] not in ROLES:
        raise errors.not_found(f"Role with slug '{given['role']}' not found")
    require_rank(call, given["role"], "Failed to create identity")
    check_columns(call, given, "Create")
    identity = call.state.add_identity(
        given["name"], role=given["role"], organization_id=call.organization_id
    )
    return {"identity": show_created(call.state, identity)}


def delete_identity(call: Call) -> Any:
    """Delete an identity with all that hangs on it."""
    identity = find_identity(call)
    permit(call, identity, "delete")
    require_rank(call, identity.role, "Failed to delete identity")
    shown = show_created(call.state, identity)
    call.state.remove_identity(identity)
    return {"identity": shown}


def listed(call: Call) -> list[Identity]:
    """The identities that the calling token's organisation lists."""
    return [
        identity
        for identity in call.state.identities.values()
        if identity.organization_id == call.organization_id
    ]


def list_identities(call: Call) -> Any:
    """Every identity of an organisation at once."""
    fields = {"orgId": Field(schema.string(trim=False), required=True)}
    given = schema.read_body(call.generation, fields, dict(call.query))
    same_organization(call, given["orgId"])
    require(call, "read")
    identities = listed(call)
    return {
        "identities": [show_identity(call.state, identity) for identity in identities],
        "totalCount": len(identities),
    }


def _pattern(value: Any, path: list[Any], issues: schema.Issues) -> Any:
    """A text to search for: at most 255 characters of a small set."""
    text = schema.string(trim=False, most=255)(value, path, issues)
    if text is not ABSENT and not _SEARCHABLE.match(text):
        message = "Name can only contain letters, numbers, spaces, underscores, hyphens, slashes"
        issues.append({"code": "custom", "path": path, "message": message})
    return text


def _filter(*operators: str) -> schema.Reader:
    """A filter on one field: a text, or an object of operators that all must hold."""
    readers = {"$eq": _pattern, "$contains": _pattern, "$in": schema.listing(_pattern)}
    read_operators = schema.record({name: Field(readers[name]) for name in operators})

    def read(value: Any, path: list[Any], issues: schema.Issues) -> Any:
        if isinstance(value, str):
            return {"$eq": _pattern(value, path, issues)}
        return read_operators(value, path, issues)

    return read


SEARCH = {
    "orderBy": Field(schema.choice("name", "role"), default="name"),
    "orderDirection": Field(schema.choice("asc", "desc"), default="asc"),
    "limit": Field(schema.number(integer=False, most=100), default=50),
    "offset": Field(schema.number(integer=False), default=0),
    "search": Field(
        schema.record(
            {
                "name": Field(_filter("$eq", "$contains", "$in")),
                "role": Field(_filter("$eq", "$in")),
            }
        ),
        required=True,
    ),
}


def search_identities(call: Call) -> Any:
    """A page of the identities that match."""
    given = schema.read_body(call.generation, SEARCH, call.body)
    require(call, "read")
    limit, offset = given["limit"], given["offset"]
    if limit < 0 or not 0 <= offset <= rules.BIGINT_MAX:
        raise errors.broken("Find")
    found = [
        identity
        for identity in listed(call)
        if _matches(identity.name, given["search"].get("name", {}))
        and _matches(identity.role, given["search"].get("role", {}))
    ]
    found.sort(
        key=lambda identity: getattr(identity, given["orderBy"]).lower(),
        reverse=given["orderDirection"] == "desc",
    )
    page = found[int(offset) : int(offset) + int(limit)]
    return {
        "identities": [show_identity(call.state, identity) for identity in page],
        "totalCount": len(found),
    }


def _matches(value: str, wanted: Mapping[str, Any]) -> bool:
    return (
        ("$eq" not in wanted or value == wanted["$eq"])
        and ("$contains" not in wanted or wanted["$contains"].lower() in value.lower())
        and ("$in" not in wanted or value in wanted["$in"])
    )


def identity_details(call: Call) -> Any:
    """The organisation of the calling token. To a server before 2026 this is an odd identity id."""
    if call.generation < "2026":
        raise errors.broken("FindByOrgId")
    organization = call.state.organizations[call.organization_id]
    shown = {"id": organization.id, "name": organization.name, "slug": organization.slug}
    return {"identityDetails": {"organization": shown}}


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
    ApiRoute("POST", _IDENTITIES, create_identity, "write"),
    ApiRoute("POST", f"{_IDENTITIES}/search", search_identities, "read", since="2025-06"),
    ApiRoute("GET", f"{_IDENTITIES}/details", identity_details, "read"),
    ApiRoute("GET", f"{_IDENTITIES}/{{identity_id}}", get_identity, "read"),
    ApiRoute("DELETE", f"{_IDENTITIES}/{{identity_id}}", delete_identity, "write"),
    ApiRoute("POST", _UNIVERSAL, attach_universal, "write"),
    ApiRoute("POST", f"{_UNIVERSAL}/client-secrets", create_client_secret, "write"),
    ApiRoute("POST", _TOKEN, attach_token_auth, "write"),
    ApiRoute("POST", f"{_TOKEN}/tokens", create_token, "write"),
    ApiRoute("GET", "/api/docs/json", api_document, "read", public=True),
)


def routes_of(generation: str) -> list[ApiRoute]:
    """The routes that a generation knows."""
    return [route for route in ROUTES if generation >= route.since]
