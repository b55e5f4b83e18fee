# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server knows, as rows: organisations, projects, identities, memberships, tokens.

Counts and lists follow from the rows, their traps included. Settings are here, too, and what a
replica that lags behind would show.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import hmac
import json
import random
import re
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

from . import errors, rules, schema
from .limits import Windows

Row = TypeVar("Row")

AZURE = "azure-auth"
UNIVERSAL = "universal-auth"
TOKEN = "token-auth"
GCP = "gcp-auth"
KUBERNETES = "kubernetes-auth"
OIDC = "oidc-auth"
JWT = "jwt-auth"
LDAP = "ldap-auth"

# Any time before now does; a fixed one keeps seeded tokens the same from run to run.
SEEDED_AT = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()
_SIGNING_KEY = b"the emulator's tokens protect nothing"
_IDS = uuid.UUID("5f0c6c4e-6f57-4b8e-9d5e-3a1c9a6f2b10")


@dataclass(frozen=True)
class Role:
    """What identities of a role may do to identities; a higher rank is more privileged.

    `read-role` and `access-all-projects` are actions on other things, named here to be told apart.

    Ranks matter where a caller must hold what the target holds: on servers of 2024, and in the
    old privilege system.
    """

    rank: int
    actions: frozenset[str]
    custom: bool = False


_MEMBER = frozenset({"read", "create", "edit", "delete", "read-role"})
_EVERYTHING = _MEMBER | {"edit-auth", "revoke-auth", "grant-privileges", "access-all-projects"}
BUILT_IN_ROLES = {
    "admin": Role(3, _EVERYTHING),
    "member": Role(2, _MEMBER),
    "no-access": Role(0, frozenset()),
}
PROJECT_ROLES = {**BUILT_IN_ROLES, "viewer": Role(1, frozenset({"read", "read-role"}))}
# A role by this word and without an id, which servers before 2026 let an identity have.
CUSTOM = "custom"
# What an identity gets in a project whose creator names no roles; elsewhere `no-access`.
DEFAULT_PROJECT_ROLES = {"cert-manager": "member"}
# What `drops` may name.
DROPPABLE = ("metadata", "hasDeleteProtection", "role", "roles")


@dataclass
class Settings:
    """What can be switched while the server runs. The README explains each."""

    literal_schema: bool = False
    licence: bool = True
    rbac: bool = True
    identity_limit: int | None = None
    legacy_privileges: bool = False
    database_away: bool = False
    lacks: Sequence[str] = field(default_factory=list)
    search_members: bool = False
    drops: Sequence[str] = field(default_factory=list)
    replica_lag: float = 0.0
    shuffled: bool = False
    ttl_rule: str = "as-probed"
    read_limit: int | None = None
    write_limit: int | None = None
    global_limit: int | None = None
    creation_limit: int | None = None
    window: float = 60.0
    rate_limit_status: int = 429
    latency: float = 0.0
    client_address: str | None = None

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """A copy with changes; TypeError for an unknown name, ValueError for a bad value."""
        result = dataclasses.replace(self, **changes)
        if result.ttl_rule not in rules.TTL_RULES:
            raise ValueError(f"ttl_rule is one of {', '.join(rules.TTL_RULES)}")
        if not set(result.drops) <= set(DROPPABLE):
            raise ValueError(f"drops are of {', '.join(DROPPABLE)}")
        try:
            re.compile("|".join(result.lacks))
        except re.error as error:
            raise ValueError(f"lacks are regular expressions: {error}") from None
        return result


@dataclass(frozen=True)
class Organization:
    """An organisation; a sub-organisation names its parent."""

    id: str
    name: str
    slug: str
    parent_id: str | None = None


@dataclass(frozen=True)
class Project:
    """A project of an organisation."""

    id: str
    name: str
    slug: str
    organization_id: str
    kind: str = "secret-manager"


_RANGE = re.compile(r"(\d+)\s*([smhdwy])\Z")
_RANGE_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}


def range_seconds(text: str) -> int:
    """The length of a time such as ``1h``; 0 for what is none."""
    match = _RANGE.match(text.strip())
    return int(match.group(1)) * _RANGE_UNITS[match.group(2)] if match else 0


@dataclass(frozen=True)
class Grant:
    """A role that a membership has: for good, or from `starts` on for a time such as ``1h``."""

    role: str
    lasts: str | None = None
    starts: str | None = None

    def ends(self) -> str | None:
        """When it ends, or None."""
        if self.lasts is None or self.starts is None:
            return None
        return timestamp(seconds_of(self.starts) + range_seconds(self.lasts))


@dataclass
class Membership:
    """That an identity has roles in an organisation or, with a `project_id`, in a project of it."""

    id: str
    organization_id: str
    project_id: str | None
    grants: list[Grant]
    created_at: str
    updated_at: str

    def roles(self, now: float) -> list[str]:
        """The roles that it has at a time."""
        return [
            grant.role
            for grant in self.grants
            if (ends := grant.ends()) is None or now < seconds_of(ends)
        ]


@dataclass
class Identity:
    """A machine identity. The organisation `home_id` owns it, or the project `project_id` in it.

    One that a project owns is a member of the organisation as well, without any right and hidden.
    `methods` holds the raw configuration of each auth method attached.
    """

    id: str
    name: str
    home_id: str
    project_id: str | None
    created_at: str
    updated_at: str
    delete_protection: bool = False
    instance_admin: bool = False
    memberships: list[Membership] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_login_method: str | None = None
    last_login_time: str | None = None

    def membership(self, scope_id: str) -> Membership | None:
        """Its membership in an organisation or a project, if it is a member."""
        for membership in self.memberships:
            if scope_id == (membership.project_id or membership.organization_id):
                return membership
        return None


@dataclass
class Token:
    """An access token. Times are seconds since the epoch; 0 means without limit.

    Renewed ones share their `id`. `trusted_ips` of None are those that the method has right now.
    `max_age` limits each token, however it is renewed.
    """

    id: str
    text: str
    identity_id: str
    organization_id: str
    method: str
    created: float
    issued: float
    ttl: int
    max_ttl: int
    uses_limit: int
    trusted_ips: list[dict[str, Any]] | None
    max_age: int = 0
    uses: int = 0

    def expires(self) -> float | None:
        """When it stops being accepted, or None."""
        ends = []
        if self.ttl:
            ends.append(self.issued + self.ttl)
        if self.max_age:
            ends.append(self.issued + self.max_age)
        if self.max_ttl > 0:
            ends.append(self.created + self.max_ttl)
        return min(ends, default=None)


class State:
    """Everything that `reset` brings back to the seeded beginning. Guarded by `lock`."""

    def __init__(self, generation: str, settings: Mapping[str, Any]) -> None:
        if generation not in rules.GENERATIONS:
            raise ValueError(f"generation is one of {', '.join(rules.GENERATIONS)}")
        self.generation = generation
        self.lock = threading.RLock()
        self._initial_settings = Settings().changed(settings)
        self.reset()

    # -- beginning ------------------------------------------------------------------------------

    def reset(self) -> None:
        """Seed again. Ids, credentials and the admin's token come out the same every time."""
        self.settings = dataclasses.replace(self._initial_settings)
        self.windows = Windows(rules.RATE_LIMITED[self.generation])
        self.organizations: dict[str, Organization] = {}
        self.projects: dict[str, Project] = {}
        self.roles = {**BUILT_IN_ROLES, "auditor": Role(1, frozenset({"read"}), custom=True)}
        self.project_roles: dict[str, dict[str, Role]] = {}
        self.identities: dict[str, Identity] = {}
        # Ids of the tokens that were revoked, which a server of 2026 accepts to be revoked again.
        self.revoked: set[str] = set()
        self.tokens: dict[str, Token] = {}
        self.client_ids: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        self.seeded: dict[str, str] = {}
        self._counter = 0
        self._request_counter = 0
        self._skew = 0.0
        self._snapshots: list[tuple[float, dict[str, Identity]]] = []
        self._seed()

    def _seed(self) -> None:
        self.organization = self.add_organization("Acme", "acme")
        self.sub_organization = self.add_organization(
            "Acme Labs", "acme-labs", parent_id=self.organization.id
        )
        self.other_organization = self.add_organization("Globex", "globex")
        for key, name, role, methods in (
            ("admin", "admin", "admin", (UNIVERSAL,)),
            ("member", "member", "member", (UNIVERSAL,)),
            ("auditor", "auditor", "auditor", (UNIVERSAL,)),
            ("no-access", "no-access", "no-access", (UNIVERSAL,)),
            ("plain", "billing", "no-access", ()),
            ("attached", "payments", "no-access", (AZURE,)),
            ("privileged", "platform", "admin", (AZURE,)),
            ("twin-1", "batch worker", "no-access", ()),
            ("twin-2", "batch worker", "no-access", (AZURE,)),
        ):
            self.seeded[key] = self.add_identity(name, role=role, methods=methods).id
        self.seeded["foreign"] = self.add_identity(
            "foreign", methods=(AZURE,), organization_id=self.other_organization.id
        ).id
        if self.generation >= "2026":
            self.seeded["sub-organization"] = self.add_identity(
                "labs", methods=(AZURE,), home_id=self.sub_organization.id
            ).id
        for identity in self.identities.values():
            identity.created_at = identity.updated_at = timestamp(SEEDED_AT)
            for membership in identity.memberships:
                membership.created_at = membership.updated_at = timestamp(SEEDED_AT)
            for stored in identity.methods.values():
                stored["createdAt"] = stored["updatedAt"] = timestamp(SEEDED_AT)
        self.admin_token = self.issue_token(
            self.identities[self.seeded["admin"]], UNIVERSAL, now=SEEDED_AT
        ).text
        self.project = self.add_project("Vault")

    def add_organization(
        self, name: str, slug: str, *, parent_id: str | None = None
    ) -> Organization:
        """Create an organisation, with nobody in it."""
        organization = Organization(self.new_id(), name, slug, parent_id)
        self.organizations[organization.id] = organization
        return organization

    # -- time and ids ---------------------------------------------------------------------------

    def now(self) -> float:
        """The server's clock, in seconds since the epoch."""
        return time.time() + self._skew

    def advance(self, seconds: float) -> None:
        """Move the server's clock on."""
        self._skew += seconds

    def new_number(self) -> int:
        """A number never given before since the last reset."""
        self._counter += 1
        return self._counter

    def new_request_number(self) -> int:
        """A number for a request id. Counted apart, so that errors do not change later ids."""
        self._request_counter += 1
        return self._request_counter

    def new_id(self) -> str:
        """A UUID never given before since the last reset, the same in every run."""
        return str(uuid.uuid5(_IDS, str(self.new_number())))

    def rows(self, found: Iterable[Row]) -> list[Row]:
        """Rows for which no order was asked, in any: the same one each time, or another."""
        result = list(found)
        if self.settings.shuffled:
            random.Random(self.new_request_number()).shuffle(result)
        return result

    # -- the replica ----------------------------------------------------------------------------

    def record(self) -> None:
        """Note which identities there are now, for a replica that lags behind, if it does."""
        if not self.settings.replica_lag:
            self._snapshots.clear()
            return
        before = self._snapshots[-1][1] if self._snapshots else {}
        after = {
            key: before[key] if before.get(key) == identity else copy.deepcopy(identity)
            for key, identity in self.identities.items()
        }
        if not self._snapshots or after != before:
            self._snapshots.append((self.now(), after))
        shown = self.now() - self.settings.replica_lag
        while len(self._snapshots) > 1 and self._snapshots[1][0] <= shown:
            del self._snapshots[0]

    def replica(self) -> Mapping[str, Identity]:
        """The identities as reads see them. What was there when the lag began is seen at once."""
        if not self.settings.replica_lag or not self._snapshots:
            return self.identities
        shown = self.now() - self.settings.replica_lag
        found = self._snapshots[0][1]
        for when, snapshot in self._snapshots:
            if when <= shown:
                found = snapshot
        return found

    def as_replica(self) -> State:
        """The state as reads see it: with the identities that the replica has."""
        if not self.settings.replica_lag:
            return self
        view = copy.copy(self)
        view.identities = dict(self.replica())
        return view

    def known(self, identity_id: str) -> Identity | None:
        """An identity, unless the replica, where requests look it up, has yet to hear of it."""
        return self.identities.get(identity_id) if identity_id in self.replica() else None

    # -- identities -----------------------------------------------------------------------------

    def add_identity(
        self,
        name: str,
        *,
        role: str = "no-access",
        methods: Iterable[str] = (),
        organization_id: str | None = None,
        home_id: str | None = None,
        project_id: str | None = None,
    ) -> Identity:
        """Create an identity, with auth methods in their default configuration.

        It is a member of `organization_id`, with the role there, or in the project that owns it.
        """
        if project_id:
            organization_id = self.projects[project_id].organization_id
        organization_id = organization_id or self.organization.id
        now = timestamp(self.now())
        identity = Identity(
            id=self.new_id(),
            name=name,
            home_id=home_id or organization_id,
            project_id=project_id,
            created_at=now,
            updated_at=now,
        )
        self.add_member(identity, organization_id, ["no-access" if project_id else role])
        if project_id:
            self.add_member(identity, organization_id, [role], project_id)
        self.identities[identity.id] = identity
        for method in methods:
            self.attach(identity, method, METHOD_DEFAULTS[method])
        return identity

    def add_member(
        self,
        identity: Identity,
        organization_id: str,
        roles: Iterable[str | Grant],
        project_id: str | None = None,
    ) -> Membership:
        """Make an identity a member of an organisation, or of a project of it."""
        now = timestamp(self.now())
        membership = Membership(self.new_id(), organization_id, project_id, [], now, now)
        self.set_roles(membership, roles)
        identity.memberships.append(membership)
        return membership

    def set_roles(self, membership: Membership, roles: Iterable[str | Grant]) -> None:
        """Replace the roles of a membership."""
        membership.grants = [
            role if isinstance(role, Grant) else Grant(role=role) for role in roles
        ]
        membership.updated_at = timestamp(self.now())

    def roles_in(self, project_id: str | None) -> Mapping[str, Role]:
        """The roles that there are in a project, or in the organisations."""
        if project_id is None:
            return self.roles
        return {**PROJECT_ROLES, **self.project_roles.get(project_id, {})}

    def add_project(
        self, name: str, organization_id: str | None = None, kind: str = "secret-manager"
    ) -> Project:
        """Create a project, with nobody in it."""
        slug = f"{name.lower().replace(' ', '-')}-{self.new_number()}"
        project = Project(self.new_id(), name, slug, organization_id or self.organization.id, kind)
        self.projects[project.id] = project
        return project

    def remove_project(self, project: Project) -> None:
        """Delete a project, the identities that it owns, and its memberships."""
        for identity in list(self.identities.values()):
            if identity.project_id == project.id:
                self.remove_identity(identity)
            identity.memberships = [
                membership
                for membership in identity.memberships
                if membership.project_id != project.id
            ]
        del self.projects[project.id]

    def remove_identity(self, identity: Identity) -> None:
        """Delete an identity, its auth methods and its tokens."""
        for method in list(identity.methods):
            self.detach(identity, method)
        for token in list(self.tokens.values()):
            if token.identity_id == identity.id:
                del self.tokens[token.text]
        del self.identities[identity.id]

    def attach(self, identity: Identity, method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Give an identity an auth method; what `fields` says is stored as it is."""
        now = timestamp(self.now())
        stored: dict[str, Any] = {
            "id": self.new_id(),
            "createdAt": now,
            "updatedAt": now,
            "identityId": identity.id,
            **copy.deepcopy(dict(fields)),
        }
        if self.generation > "2024-10":
            stored.setdefault("accessTokenPeriod", 0)
        if method == UNIVERSAL:
            stored["clientId"] = self.new_id()
            stored["clientSecrets"] = []
            stored.setdefault("clientSecretTrustedIps", ANYWHERE_STORED)
            self.client_ids[stored["clientId"]] = identity.id
            identity.methods[method] = stored
            self.add_client_secret(identity)
        if method == LDAP:
            # Both are the directory's; it knows this one person by them.
            stored["username"] = f"person-{self.new_number()}"
            stored["password"] = hashlib.sha256(stored["username"].encode()).hexdigest()
            self.labels[stored["password"]] = f"ldap-password:{identity.name}"
        identity.methods[method] = stored
        return stored

    def add_client_secret(self, identity: Identity) -> str:
        """Give an identity with Universal Auth another client secret."""
        secret = hashlib.sha256(f"client secret {self.new_number()}".encode()).hexdigest()
        identity.methods[UNIVERSAL]["clientSecrets"].append(secret)
        self.labels[secret] = f"client-secret:{identity.name}"
        return secret

    def touch(self, stored: dict[str, Any], fields: Mapping[str, Any]) -> None:
        """Change fields of a stored configuration."""
        stored.update(copy.deepcopy(dict(fields)))
        stored["updatedAt"] = timestamp(self.now())

    def detach(self, identity: Identity, method: str) -> dict[str, Any]:
        """Take an auth method away, with the tokens issued through it."""
        stored = identity.methods.pop(method)
        self.client_ids.pop(stored.get("clientId", ""), None)
        for token in list(self.tokens.values()):
            if token.identity_id == identity.id and token.method == method:
                del self.tokens[token.text]
        return stored

    @staticmethod
    def role_id(role: str) -> str:
        """The id of a custom role."""
        return str(uuid.uuid5(_IDS, f"role {role}"))

    # -- tokens ---------------------------------------------------------------------------------

    def issue_token(
        self,
        identity: Identity,
        method: str,
        *,
        ttl: int = 0,
        max_ttl: int = 0,
        uses_limit: int = 0,
        trusted_ips: Iterable[Mapping[str, Any]] | None = None,
        organization_id: str | None = None,
        max_age: int = 0,
        now: float | None = None,
    ) -> Token:
        """A new access token of an identity, as if it had logged in through `method`.

        Without `trusted_ips` those of the method hold, as they are when the token is used.
        """
        now = self.now() if now is None else now
        token = Token(
            id=self.new_id(),
            text="",
            identity_id=identity.id,
            organization_id=organization_id or identity.home_id,
            method=method,
            created=now,
            issued=now,
            ttl=ttl,
            max_ttl=max_ttl,
            uses_limit=uses_limit,
            trusted_ips=None if trusted_ips is None else [dict(ip) for ip in trusted_ips],
            max_age=max_age,
        )
        return self._sign(token, identity)

    def renew_token(self, token: Token) -> Token:
        """Another text for a token: its time starts anew, and one revocation ends both."""
        renewed = dataclasses.replace(token, issued=self.now())
        return self._sign(renewed, self.identities[token.identity_id])

    def _sign(self, token: Token, identity: Identity) -> Token:
        """Give a token its text."""
        payload: dict[str, Any] = {
            "identityId": identity.id,
            "identityAccessTokenId": token.id,
            "authTokenType": "identityAccessToken",
            "iat": int(token.issued),
        }
        if self.generation < "2026":
            payload["clientSecretId"] = token.id if token.method == UNIVERSAL else ""
        else:
            organization = self.organizations[token.organization_id]
            payload |= {
                "authMethod": token.method,
                "orgId": organization.id,
                "rootOrgId": organization.parent_id or organization.id,
                "parentOrgId": organization.parent_id or organization.id,
            }
        expires = token.expires()
        if expires is not None:
            payload["exp"] = int(expires)
        token.text = encode_jwt(payload)
        self.tokens[token.text] = token
        self.labels[token.text] = f"token:{identity.name}:{token.method}:{token.id}"
        return token

    def revoke_token(self, token_id: str) -> None:
        """End a token, renewed ones included."""
        self.revoked.add(token_id)
        for token in list(self.tokens.values()):
            if token.id == token_id:
                del self.tokens[token.text]

    @staticmethod
    def token_failure(text: str) -> errors.ApiError:
        """Why a text that is no live token is refused: unreadable, or no longer known."""
        try:
            decode_jwt(text, signed_here=True)
        except ValueError as exception:
            message = str(exception)
            if message == "jwt malformed":
                message = (
                    "The provided access token is malformed. Please use a valid token or generate a"
                    " new one and try again."
                )
            return errors.token_error(message)
        return errors.unauthorized("No identity access token found")

    def label(self, secret: str) -> str:
        """What the request log says in place of a secret."""
        return self.labels.get(secret, "unknown")


ANYWHERE_STORED = [rules.parse_trusted_ip(ip["ipAddress"]) or {} for ip in schema.ANYWHERE]
_LIFETIMES_DEFAULT: dict[str, Any] = {
    "accessTokenTrustedIps": ANYWHERE_STORED,
    "accessTokenTTL": rules.TTL_DEFAULT,
    "accessTokenMaxTTL": rules.TTL_DEFAULT,
    "accessTokenNumUsesLimit": 0,
}
METHOD_DEFAULTS: dict[str, dict[str, Any]] = {
    AZURE: {
        "tenantId": "11111111-1111-4111-8111-111111111111",
        "resource": "https://management.azure.com/",
        "allowedServicePrincipalIds": "22222222-2222-4222-8222-222222222222",
        **_LIFETIMES_DEFAULT,
    },
    UNIVERSAL: {**_LIFETIMES_DEFAULT, "clientSecretTrustedIps": ANYWHERE_STORED},
    TOKEN: _LIFETIMES_DEFAULT,
    GCP: _LIFETIMES_DEFAULT,
    KUBERNETES: {"allowedAudience": "", **_LIFETIMES_DEFAULT},
    OIDC: {"boundSubject": "", "boundAudiences": "", **_LIFETIMES_DEFAULT},
    JWT: {"boundSubject": "", "boundAudiences": "", **_LIFETIMES_DEFAULT},
    LDAP: _LIFETIMES_DEFAULT,
}


def timestamp(seconds: float) -> str:
    """ISO 8601 with milliseconds and Z."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """The other way round."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _segment_json(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _signature(signed: str) -> str:
    return _segment(hmac.digest(_SIGNING_KEY, signed.encode(), "sha256"))


def encode_jwt(payload: Mapping[str, Any]) -> str:
    """A JWT signed by this server."""
    parts = ({"alg": "HS256", "typ": "JWT"}, payload)
    signed = ".".join(_segment(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_signature(signed)}"


def decode_jwt(text: str, *, signed_here: bool) -> dict[str, Any]:
    """The payload of a JWT; ValueError says what is wrong with it."""
    pieces = text.split(".")
    try:
        header, payload = map(_segment_json, pieces[:2])
    except ValueError:
        raise ValueError("jwt malformed") from None
    if len(pieces) != 3 or not isinstance(header, dict) or not isinstance(payload, dict):
        raise ValueError("jwt malformed")
    if signed_here and pieces[2] != _signature(f"{pieces[0]}.{pieces[1]}"):
        raise ValueError("invalid signature")
    return payload
