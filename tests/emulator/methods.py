# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auth methods and their tokens: attaching, changing and revoking, logging in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import errors, rules, schema
from .calls import (
    RANK,
    Call,
    Handler,
    allowed,
    boundary,
    find_owned,
    guard_instance_admin,
    live_token,
    missing,
    organization_roles,
    outranked,
    permit,
    refuse_custom,
    require,
)
from .errors import ApiError
from .logins import LoginMethod
from .schema import Field
from .state import AZURE, TOKEN, UNIVERSAL, Identity, State, Token, decode_jwt, timestamp

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
    refuse_custom(call, identity)
    if call.generation == "2024-10":
        if outranked(call, organization_roles(call, identity)):
            raise errors.forbidden(what)
    elif call.state.settings.legacy_privileges:
        if outranked(call, organization_roles(call, identity)):
            raise boundary(what, RANK)
    elif call.generation >= "2026":
        require(call, "revoke-auth")
    elif not allowed(call, "revoke-auth"):
        raise boundary(what, missing(call, "revoke-auth"))


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
    refuse_custom(call, identity)
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
