# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test can see and change of an emulator, whatever the transport."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from . import rules
from .faults import Fault, make_fault
from .identities import show_identity, show_roles
from .logins import JWT_METHODS
from .state import (
    AZURE,
    LDAP,
    METHOD_DEFAULTS,
    UNIVERSAL,
    Grant,
    Identity,
    Role,
    State,
    encode_jwt,
    timestamp,
)

# Pairs, or a dictionary; pairs may have a key twice.
Metadata = Union[Mapping[str, str], Iterable[Sequence[str]]]


@dataclass(frozen=True)
class Credentials:
    """Universal Auth credentials of an identity."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class LdapCredentials:
    """What the directory knows an identity by."""

    username: str
    password: str


@dataclass
class RequestRecord:
    """One request as the server saw it.

    `path` is as it came, percent-encoding and all. `authorization` and secrets in `body` are
    replaced by labels that say whose they are, or ``unknown``. `status` is None as long as
    nothing was answered. `time` is in seconds since the epoch.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: tuple[str, ...]
    authorization: str | None
    time: float
    status: int | None = None


class Control:
    """The Python face. Everything is under one lock and takes effect with the next request.

    An id that is unknown raises KeyError, a value that makes no sense ValueError.
    """

    def __init__(self, generation: str = rules.NEWEST, **settings: Any) -> None:
        self.state = State(generation, settings)
        self._log: list[RequestRecord] = []
        self._faults: list[Fault] = []
        self._fault_numbers = itertools.count(1)

    # -- what was seeded ------------------------------------------------------------------------

    @property
    def generation(self) -> str:
        """One of `rules.GENERATIONS`."""
        return self.state.generation

    @property
    def organization_id(self) -> str:
        """The organisation that nearly everything is in."""
        return self.state.organization.id

    @property
    def organization_slug(self) -> str:
        """Its slug."""
        return self.state.organization.slug

    @property
    def sub_organization_id(self) -> str:
        """A sub-organisation of it."""
        return self.state.sub_organization.id

    @property
    def other_organization_id(self) -> str:
        """An organisation that the seeded credentials have nothing to do with."""
        return self.state.other_organization.id

    @property
    def project_id(self) -> str:
        """A project of the organisation, without any identities."""
        return self.state.project.id

    @property
    def identities(self) -> dict[str, str]:
        """The seeded identities: key to id."""
        return dict(self.state.seeded)

    @property
    def client_id(self) -> str:
        """Universal Auth client id of the seeded admin."""
        return self.credentials(self.state.seeded["admin"]).client_id

    @property
    def client_secret(self) -> str:
        """Universal Auth client secret of the seeded admin."""
        return self.credentials(self.state.seeded["admin"]).client_secret

    @property
    def token(self) -> str:
        """A token of the seeded admin, without limits."""
        return self.state.admin_token

    # -- identities -----------------------------------------------------------------------------

    def create_identity(
        self,
        name: str,
        *,
        role: str = "no-access",
        methods: Iterable[str] = (),
        organization_id: str | None = None,
        project_id: str | None = None,
        instance_admin: bool = False,
        delete_protection: bool = False,
        metadata: Metadata = (),
    ) -> str:
        """Create an identity; `methods` are attached with default configurations.

        With a `project_id` the project owns it, and the role is one of the project's.
        """
        with self.state.lock:
            identity = self.state.add_identity(
                name,
                role=role,
                methods=methods,
                organization_id=organization_id,
                project_id=project_id,
            )
            identity.instance_admin = instance_admin
            identity.delete_protection = delete_protection
            self._set_metadata(identity, metadata)
            return identity.id

    def change_identity(
        self,
        identity_id: str,
        *,
        name: str | None = None,
        delete_protection: bool | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        """Change an identity behind everybody's back; what is left out stays."""
        with self.state.lock:
            identity = self.state.identities[identity_id]
            if name is not None:
                identity.name = name
            if delete_protection is not None:
                identity.delete_protection = delete_protection
            if metadata is not None:
                self._set_metadata(identity, metadata)
            identity.updated_at = timestamp(self.state.now())

    def _set_metadata(self, identity: Identity, metadata: Metadata) -> None:
        pairs = metadata.items() if isinstance(metadata, Mapping) else metadata
        identity.metadata = [
            {"id": self.state.new_id(), "key": key, "value": value} for key, value in pairs
        ]

    def set_roles(
        self,
        identity_id: str,
        roles: Iterable[str | Mapping[str, str]],
        *,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Give an identity these roles and no others, as the web interface can: one or several.

        One for a time is ``{"role": ..., "lasts": "1h", "starts": ISO 8601}``; it starts now if
        nothing is said.
        """
        with self.state.lock:
            now = timestamp(self.state.now())
            identity = self.state.identities[identity_id]
            scope = project_id or organization_id or identity.home_id
            membership = identity.membership(scope)
            if membership is None:
                raise KeyError(scope)
            grants = [
                Grant(role) if isinstance(role, str) else Grant(**{"starts": now, **role})
                for role in roles
            ]
            unknown = {grant.role for grant in grants} - set(self.state.roles_in(project_id))
            if unknown or not grants:
                raise ValueError(f"there are no such roles: {', '.join(sorted(unknown)) or 'none'}")
            self.state.set_roles(membership, grants)

    def memberships(self, identity_id: str) -> list[dict[str, Any]]:
        """Where an identity is a member, and with which roles, as the v2 search shows them."""
        with self.state.lock:
            return [
                {
                    "organization_id": membership.organization_id,
                    "project_id": membership.project_id,
                    "roles": show_roles(self.state, membership),
                }
                for membership in self.state.identities[identity_id].memberships
            ]

    def create_project(
        self,
        name: str,
        *,
        kind: str = "secret-manager",
        organization_id: str | None = None,
    ) -> str:
        """Create a project, of the organisation if no other is named, with nobody in it."""
        with self.state.lock:
            return self.state.add_project(name, organization_id, kind).id

    def create_sub_organization(self, name: str, slug: str) -> str:
        """Create another sub-organisation, with nobody in it; returns its id."""
        with self.state.lock:
            root = self.state.organization.id
            return self.state.add_organization(name, slug, parent_id=root).id

    def create_role(
        self, slug: str, actions: Iterable[str], *, project_id: str | None = None
    ) -> None:
        """Create a custom role, of the organisation or a project, that allows these actions."""
        role = Role(1, frozenset(actions), custom=True)
        with self.state.lock:
            if project_id is None:
                self.state.roles[slug] = role
            else:
                roles = self.state.project_roles.setdefault(self.state.projects[project_id].id, {})
                roles[slug] = role

    def add_member(
        self,
        identity_id: str,
        role: str,
        *,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Make an identity a member of a project, or of another organisation than its own."""
        with self.state.lock:
            if project_id:
                organization_id = self.state.projects[project_id].organization_id
            self.state.add_member(
                self.state.identities[identity_id],
                organization_id or self.organization_id,
                [role],
                project_id,
            )

    def create_identities(
        self, names: Iterable[str], *, azure_auth: Mapping[str, Any] | None = None
    ) -> list[str]:
        """Create many identities; with `azure_auth`, each has Azure Auth with those API fields."""
        with self.state.lock:
            ids = [self.state.add_identity(name).id for name in names]
            if azure_auth is not None:
                for identity_id in ids:
                    self._put(self.state.identities[identity_id], AZURE, azure_auth)
            return ids

    def delete_identity(self, identity_id: str) -> None:
        """Delete an identity and its tokens."""
        with self.state.lock:
            self.state.remove_identity(self.state.identities[identity_id])

    def identity(self, identity_id: str) -> dict[str, Any] | None:
        """An identity as the API shows it, or None."""
        with self.state.lock:
            identity = self.state.identities.get(identity_id)
            if identity is None:
                return None
            return show_identity(self.state, identity, identity.memberships[0].organization_id)

    # -- auth methods, raw ----------------------------------------------------------------------

    def put_method(self, identity_id: str, method: str, **api_fields: Any) -> dict[str, Any]:
        """Store API fields of an auth method as they are, and return the raw object.

        A field left out keeps its value, or gets a default when there was no object. Trusted IPs
        may be given as strings. Impossible values are stored like any others.
        """
        with self.state.lock:
            return copy.deepcopy(self._put(self.state.identities[identity_id], method, api_fields))

    def put_azure_auth(self, identity_id: str, **api_fields: Any) -> dict[str, Any]:
        """`put_method` for Azure Auth."""
        return self.put_method(identity_id, AZURE, **api_fields)

    def _put(
        self, identity: Identity, method: str, api_fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        fields = dict(api_fields)
        if "accessTokenTrustedIps" in fields:
            fields["accessTokenTrustedIps"] = [
                (rules.parse_trusted_ip(ip) or {"ipAddress": ip}) if isinstance(ip, str) else ip
                for ip in fields["accessTokenTrustedIps"]
            ]
        stored = identity.methods.get(method)
        if stored is None:
            return self.state.attach(identity, method, {**METHOD_DEFAULTS[method], **fields})
        self.state.touch(stored, fields)
        return stored

    def azure_auth(self, identity_id: str) -> dict[str, Any] | None:
        """The raw object, or None."""
        with self.state.lock:
            identity = self.state.identities.get(identity_id)
            return copy.deepcopy(identity.methods.get(AZURE)) if identity else None

    def remove_azure_auth(self, identity_id: str) -> None:
        """Detach Azure Auth, if attached; tokens issued through it die."""
        with self.state.lock:
            identity = self.state.identities[identity_id]
            if AZURE in identity.methods:
                self.state.detach(identity, AZURE)

    def change(self, change: str, identity_id: str, fields: Mapping[str, Any]) -> None:
        """What the `race` fault does: to an identity only if it is still there."""
        if change == "create":
            self.create_identity(**fields)
            return
        if identity_id not in self.state.identities:
            return
        if change == "edit":
            self.change_identity(identity_id, **fields)
        elif change == "delete":
            self.delete_identity(identity_id)
        elif change == "detach":
            self.remove_azure_auth(identity_id)
        else:
            self.put_azure_auth(identity_id, **fields)

    # -- credentials and tokens -----------------------------------------------------------------

    def credentials(self, identity_id: str) -> Credentials:
        """Credentials of an identity that has Universal Auth."""
        with self.state.lock:
            stored = self.state.identities[identity_id].methods[UNIVERSAL]
            return Credentials(stored["clientId"], stored["clientSecrets"][-1])

    def issue_token(
        self,
        identity_id: str,
        *,
        method: str = UNIVERSAL,
        ttl: int = 0,
        num_uses_limit: int = 0,
        trusted_ips: Sequence[str] = ("0.0.0.0/0", "::/0"),
        organization_id: str | None = None,
    ) -> str:
        """A token, as if the identity had logged in through `method`; 0 is without limit.

        It is for the identity's own organisation, or for another that it is a member of.
        """
        with self.state.lock:
            return self.state.issue_token(
                self.state.identities[identity_id],
                method,
                ttl=ttl,
                uses_limit=num_uses_limit,
                trusted_ips=[rules.parse_trusted_ip(ip) or {} for ip in trusted_ips],
                organization_id=organization_id,
            ).text

    def ldap(self, identity_id: str) -> LdapCredentials:
        """Credentials of an identity that has LDAP Auth."""
        with self.state.lock:
            stored = self.state.identities[identity_id].methods[LDAP]
            return LdapCredentials(stored["username"], stored["password"])

    def jwt(self, identity_id: str, *, method: str, **claims: Any) -> str:
        """A JWT that logs the identity in through `method`, unless `claims` say other things."""
        with self.state.lock:
            identity = self.state.identities[identity_id]
            text = encode_jwt({**JWT_METHODS[method].claims(identity.methods[method]), **claims})
            self.state.labels[text] = f"jwt:{identity.name}:{method}"
            return text

    def live_tokens(self, identity_id: str | None = None) -> int:
        """How many tokens would be accepted, of one identity or of all."""
        with self.state.lock:
            now = self.state.now()
            return sum(
                identity_id in (None, token.identity_id)
                and (token.expires() or now + 1) > now
                and not (token.uses_limit and token.uses >= token.uses_limit)
                for token in self.state.tokens.values()
            )

    # -- the request log ------------------------------------------------------------------------

    def log(self, record: RequestRecord) -> None:
        """Note a request."""
        with self.state.lock:
            self._log.append(record)

    def requests(
        self,
        identity_id: str | None = None,
        method: str | None = None,
        path: str | None = None,
    ) -> list[RequestRecord]:
        """What was asked so far, oldest first; `path` is a regular expression."""
        with self.state.lock:
            return [
                dataclasses.replace(record)
                for record in self._log
                if (identity_id is None or identity_id in record.path.lower().split("/"))
                and method in (None, record.method)
                and (path is None or re.search(path, record.path))
            ]

    def clear_requests(self) -> None:
        """Forget what was asked."""
        with self.state.lock:
            self._log.clear()

    # -- misbehaviour and settings --------------------------------------------------------------

    def fault(
        self,
        action: str,
        *,
        method: str | None = None,
        path: str | None = None,
        identity_id: str | Sequence[str] | None = None,
        nth: int | None = None,
        times: int | None = None,
        **options: Any,
    ) -> int:
        """Misbehave on matching requests from now on; the README has the actions."""
        with self.state.lock:
            fault = make_fault(
                next(self._fault_numbers),
                action,
                method=method,
                path=path,
                identity_id=identity_id,
                nth=nth,
                times=times,
                **options,
            )
            self._faults.append(fault)
            return fault.id

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are set, with the number of their hits so far."""
        with self.state.lock:
            return [fault.describe() for fault in self._faults]

    def clear_faults(self) -> None:
        """Behave again."""
        with self.state.lock:
            self._faults.clear()

    def matching_faults(self, method: str, path: str) -> list[Fault]:
        """The faults for a request, in the order in which they were set."""
        if not self._faults:
            return []
        with self.state.lock:
            return [fault for fault in self._faults if fault.takes(method, path)]

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings, and return all of them. Changed rate limits start new windows."""
        with self.state.lock:
            if changes:
                self.state.settings = self.state.settings.changed(changes)
                self.state.windows.clear()
                self.state.record()
            return dataclasses.asdict(self.state.settings)

    def advance(self, seconds: float) -> None:
        """Move the server's clock on: tokens expire, windows of rate limits end."""
        with self.state.lock:
            self.state.advance(seconds)

    def reset(self) -> None:
        """Begin anew: seeded state, the settings given at the start, no faults, no log."""
        with self.state.lock:
            self.state.reset()
            self._faults.clear()
            self._log.clear()
