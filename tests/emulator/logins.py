# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in: one row of `LOGINS` for each auth method."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import errors, rules
from .state import AZURE, UNIVERSAL, Identity, State, decode_jwt


@dataclass(frozen=True)
class LoginMethod:
    """An auth method that can be logged in with: the fields of the body, and who that is.

    `verify` returns the identity or raises `errors.ApiError`.
    """

    name: str
    fields: tuple[str, ...]
    verify: Callable[[State, Mapping[str, str]], Identity]


def verify_universal(state: State, given: Mapping[str, str]) -> Identity:
    """A client id and one of its secrets."""
    identity_id = state.client_ids.get(given["clientId"])
    if identity_id is None:
        raise errors.not_found("No identity with the specified client ID was found")
    identity = state.identities[identity_id]
    if given["clientSecret"] not in identity.methods[UNIVERSAL]["clientSecrets"]:
        raise errors.unauthorized("Invalid credentials")
    return identity


def verify_azure(state: State, given: Mapping[str, str]) -> Identity:
    """A JWT of Entra: its claims are compared as the server does, its signature is not checked."""
    try:
        identity_id = str(uuid.UUID(given["identityId"]))
    except ValueError:
        raise errors.broken("FindOne") from None
    identity = state.identities.get(identity_id)
    if identity is None or AZURE not in identity.methods:
        raise errors.not_found(
            "Azure auth method not found for identity, did you configure Azure Auth?"
        )
    stored = identity.methods[AZURE]
    try:
        claims = decode_jwt(given["jwt"], signed_here=False)
    except ValueError:
        raise errors.broken() from None
    resource = stored["resource"]
    audience = claims.get("aud")
    if resource.endswith("/") and not str(audience).endswith("/"):
        resource = resource[:-1]
    if audience != resource:
        raise errors.unauthorized("Audience mismatch")
    if claims.get("iss") != f"https://sts.windows.net/{stored['tenantId']}/":
        raise errors.unauthorized("Issuer mismatch")
    if claims.get("tid") != stored["tenantId"]:
        raise errors.unauthorized("Tenant ID mismatch")
    oid = str(claims.get("oid"))
    if not rules.principals_admit(stored["allowedServicePrincipalIds"], oid):
        raise errors.unauthorized(f"Service principal '{oid}' not allowed")
    return identity


LOGINS = (
    LoginMethod(UNIVERSAL, ("clientId", "clientSecret"), verify_universal),
    LoginMethod(AZURE, ("identityId", "jwt"), verify_azure),
)
