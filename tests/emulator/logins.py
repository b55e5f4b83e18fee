# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in: one row of `LOGINS` for each auth method, one of `JWT_METHODS` if it takes a JWT."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import errors, rules
from .rules import GENERATIONS
from .state import AZURE, GCP, JWT, KUBERNETES, LDAP, OIDC, UNIVERSAL, Identity, State, decode_jwt


@dataclass(frozen=True)
class LoginMethod:
    """An auth method that can be logged in with: the fields of the body, and who that is.

    `verify` returns the identity or raises `errors.ApiError`. The route is there from the
    generation `since` on; before `works_since` it refuses everything.
    """

    name: str
    fields: tuple[str, ...]
    verify: Callable[[State, Mapping[str, str]], Identity]
    since: str = GENERATIONS[0]
    works_since: str = GENERATIONS[0]


@dataclass(frozen=True)
class JwtMethod:
    """An auth method whose logins show a JWT. Its claims are looked at, its signature is not.

    `claims` makes claims that log in from the stored configuration; `check` raises
    `errors.ApiError` for claims that do not. `unreadable` makes what a text that is no JWT gets.
    """

    name: str
    title: str
    claims: Callable[[Mapping[str, Any]], dict[str, Any]]
    check: Callable[[Mapping[str, Any], Mapping[str, Any]], None]
    unreadable: Callable[[], errors.ApiError] = lambda: errors.unauthorized("Invalid JWT")
    since: str = GENERATIONS[0]

    def verify(self, state: State, given: Mapping[str, str]) -> Identity:
        """See `LoginMethod`."""
        identity = configured(state, self.name, self.title, given["identityId"])
        try:
            claims = decode_jwt(given["jwt"], signed_here=False)
        except ValueError:
            raise self.unreadable() from None
        self.check(identity.methods[self.name], claims)
        return identity


def configured(state: State, method: str, title: str, text: str) -> Identity:
    """The identity of an id, if it has the method."""
    try:
        identity_id = str(uuid.UUID(text))
    except ValueError:
        raise errors.broken("Find one") from None
    identity = state.identities.get(identity_id)
    if identity is None or method not in identity.methods:
        raise errors.not_found(
            f"{title} auth method not found for identity, did you configure {title} auth?"
        )
    return identity


# -- Universal Auth and LDAP --------------------------------------------------------------------


def verify_universal(state: State, given: Mapping[str, str]) -> Identity:
    """A client id and one of its secrets."""
    identity_id = state.client_ids.get(given["clientId"])
    if identity_id is None:
        raise errors.not_found("No identity with specified client ID was found")
    identity = state.identities[identity_id]
    if given["clientSecret"] not in identity.methods[UNIVERSAL]["clientSecrets"]:
        raise errors.unauthorized("Invalid credentials")
    return identity


def verify_ldap(state: State, given: Mapping[str, str]) -> Identity:
    """A username and password that the directory knows."""
    identity = configured(state, LDAP, "LDAP", given["identityId"])
    stored = identity.methods[LDAP]
    if (given["username"], given["password"]) != (stored["username"], stored["password"]):
        raise errors.unauthorized("Invalid credentials")
    return identity


# -- Azure --------------------------------------------------------------------------------------


def azure_claims(stored: Mapping[str, Any]) -> dict[str, Any]:
    """As a v1.0 access token of Entra has them, for the first of the service principals."""
    return {
        "aud": stored["resource"],
        "iss": f"https://sts.windows.net/{stored['tenantId']}/",
        "tid": stored["tenantId"],
        "oid": stored["allowedServicePrincipalIds"].split(", ")[0],
    }


def check_azure(stored: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Compare as the server does: letter by letter, but for a slash at the end of the resource.

    What is left of a resource of a slash is blank, and a blank one asks for no audience at all.
    """
    resource = stored["resource"]
    audience = claims.get("aud")
    if resource.endswith("/") and not str(audience).endswith("/"):
        resource = resource[:-1]
    if resource and audience != resource:
        raise errors.unauthorized("Audience mismatch")
    if claims.get("iss") != f"https://sts.windows.net/{stored['tenantId']}/":
        raise errors.unauthorized("Issuer mismatch")
    if claims.get("tid") != stored["tenantId"]:
        raise errors.unauthorized("Tenant ID mismatch")
    oid = str(claims.get("oid"))
    if not rules.principals_admit(stored["allowedServicePrincipalIds"], oid):
        raise errors.unauthorized(f"Service principal '{oid}' not allowed")


# -- the other methods with a JWT ---------------------------------------------------------------


def _check_subject(claims: Mapping[str, Any], bound: str = "") -> None:
    """Any subject will do, or only the `bound` one."""
    subject = claims.get("sub")
    if not subject or not isinstance(subject, str) or bound not in ("", subject):
        raise errors.forbidden("Access denied: subject not allowed.")


def _check_audience(claims: Mapping[str, Any], allowed: str) -> None:
    """Any audience will do, or one of those that `allowed` lists between commas."""
    given = claims.get("aud")
    audiences = given if isinstance(given, list) else [given]
    if allowed and not any(part.strip() in audiences for part in allowed.split(",")):
        raise errors.forbidden("Access denied: audience not allowed.")


def gcp_claims(stored: Mapping[str, Any]) -> dict[str, Any]:
    """As the metadata service of an instance writes them."""
    return {"aud": stored["identityId"], "iss": "https://accounts.google.com", "sub": "1234567890"}


def check_gcp(stored: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """The token must be made for this identity."""
    _check_subject(claims)
    _check_audience(claims, stored["identityId"])


def kubernetes_claims(stored: Mapping[str, Any]) -> dict[str, Any]:
    """As a token of a service account has them."""
    return {
        "aud": [stored["allowedAudience"] or "https://kubernetes.default.svc"],
        "sub": "system:serviceaccount:default:runner",
    }


def check_kubernetes(stored: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Any service account, for the audience that is allowed."""
    _check_subject(claims)
    _check_audience(claims, stored["allowedAudience"])


def bound_claims(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What the configuration of OIDC Auth or JWT Auth asks for."""
    return {
        "aud": stored["boundAudiences"].partition(",")[0] or "infisical",
        "sub": stored["boundSubject"] or "job:deploy",
    }


def check_bound(stored: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """The subject and an audience of the configuration, as far as it names them."""
    _check_subject(claims, stored["boundSubject"])
    _check_audience(claims, stored["boundAudiences"])


# -- the tables ---------------------------------------------------------------------------------

JWT_METHODS = {
    method.name: method
    for method in (
        JwtMethod(AZURE, "Azure", azure_claims, check_azure, unreadable=errors.broken),
        JwtMethod(GCP, "GCP", gcp_claims, check_gcp),
        JwtMethod(KUBERNETES, "Kubernetes", kubernetes_claims, check_kubernetes),
        JwtMethod(OIDC, "OIDC", bound_claims, check_bound),
        JwtMethod(JWT, "JWT", bound_claims, check_bound, since="2025-06"),
    )
}
LOGINS = (
    LoginMethod(UNIVERSAL, ("clientId", "clientSecret"), verify_universal),
    *(
        LoginMethod(method.name, ("identityId", "jwt"), method.verify, method.since)
        for method in JWT_METHODS.values()
    ),
    # The route is there in 2025, and lets nobody in.
    LoginMethod(LDAP, ("identityId", "username", "password"), verify_ldap, "2025-06", "2026"),
)
