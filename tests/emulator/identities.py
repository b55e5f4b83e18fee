# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities of an organisation: showing, creating, changing and deleting them, and searching."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from . import errors, rules, schema
from .calls import (
    RANK,
    Call,
    allowed,
    boundary,
    guard_instance_admin,
    organization_roles,
    outranked,
    parse_database_id,
    permit_in_organization,
    require,
    require_grant,
    same_organization,
)
from .schema import ABSENT, Field
from .state import CUSTOM, Grant, Identity, Membership, Project, State, timestamp

# -- as answers show them -----------------------------------------------------------------------


def show_role(state: State, grant: Grant) -> dict[str, Any]:
    """A role of a membership in the organisation. Whether it is temporary is not told here."""
    role = grant.role
    if role == CUSTOM or not state.roles[role].custom:
        return {"role": role, "roleId": None}
    role_id = state.role_id(role)
    return {
        "role": "custom",
        "roleId": role_id,
        "customRole": {"id": role_id, "name": role, "slug": role},
    }


def show_identity(
    state: State,
    identity: Identity,
    organization_id: str,
    *,
    where: str = "one",
    grant: Grant | None = None,
) -> dict[str, Any]:
    """An identity as the organisation's answers show it: the membership around the identity.

    Where: the answer for ``one`` has all of it, the ``list`` and the ``search`` have less. Of
    several roles it shows one, the first if no `grant` is named.
    """
    membership = identity.membership(organization_id)
    assert membership is not None
    drops = state.settings.drops
    inner: dict[str, Any] = {"id": identity.id, "name": identity.name}
    shown: dict[str, Any] = {
        "id": membership.id,
        **show_role(state, grant or membership.grants[0]),
        "orgId": organization_id,
        "createdAt": membership.created_at,
        "updatedAt": membership.updated_at,
        "identityId": identity.id,
        "identity": inner,
    }
    if state.generation == "2024-10":
        inner["authMethod"] = next(reversed(identity.methods), None)
        return shown
    if "hasDeleteProtection" not in drops:
        inner["hasDeleteProtection"] = identity.delete_protection
    inner["authMethods"] = list(identity.methods)
    if where == "one" and "metadata" not in drops:
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
    drops = state.settings.drops
    if not identity.project_id:
        # A column of old, which nothing fills since identities may have several methods.
        old = state.generation == "2024-10"
        shown["authMethod"] = next(reversed(identity.methods), None) if old else None
    if state.generation > "2024-10":
        if "hasDeleteProtection" not in drops:
            shown["hasDeleteProtection"] = identity.delete_protection
        if new:
            shown["authMethods"] = list(identity.methods)
        if metadata is not None and "metadata" not in drops:
            shown["metadata"] = metadata
    if state.generation >= "2026":
        shown |= {"orgId": identity.home_id, "projectId": identity.project_id}
    return shown


# -- one identity -------------------------------------------------------------------------------


def find_listed(call: Call, operation: str = "FindOne") -> Identity:
    """The identity of the path, as the routes of identities know it: with another message.

    Before 2026 what is no UUID is the failure of a database operation.
    """
    text = call.path["identity_id"]
    if call.generation < "2026":
        text = parse_database_id(text, operation)
    try:
        identity = call.state.known(str(uuid.UUID(text)))
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
    permit_in_organization(call, identity, "read")
    return {"identity": show_identity(call.state, identity, call.organization_id)}


PAIR = schema.record(
    {name: Field(schema.string(least=1), required=True) for name in ("key", "value")}
)
IDENTITY_FIELDS = {
    "name": Field(schema.string()),
    "role": Field(schema.string(least=1)),
    "hasDeleteProtection": Field(schema.flag),
    "metadata": Field(schema.listing(PAIR)),
}
CREATE_IDENTITY = {
    **IDENTITY_FIELDS,
    "name": Field(schema.string(), required=True),
    "organizationId": Field(schema.string(), required=True),
}


def read_identity(call: Call, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The fields of an identity. What a server does not know, or is told to drop, it drops."""
    dropped = set(call.state.settings.drops)
    if call.generation == "2024-10":
        dropped |= {"hasDeleteProtection", "metadata"}
    known = {name: field for name, field in fields.items() if name not in dropped}
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
    """Refuse a role that there is not. Before 2026 the word for all custom roles passes for one."""
    if role not in call.state.roles and (call.generation >= "2026" or role != CUSTOM):
        what = "roles" if call.generation >= "2026" else "role"
        raise errors.not_found(
            f"Specified {what} '{role}' was not found in the organization with ID"
            f" '{call.organization_id}'"
        )


def require_rbac(call: Call, role: str) -> None:
    """Refuse a custom role to an organisation without the licence; in 2025 nobody looked."""
    known = call.state.roles.get(role)
    if known and known.custom and not call.state.settings.rbac and call.generation != "2025-06":
        raise errors.bad_request(
            "Failed to assign custom role to identity due to plan RBAC restriction. Upgrade to"
            " Infisical Enterprise to assign custom roles."
        )


def require_room(call: Call) -> None:
    """Refuse one identity more than the licence has."""
    limit = call.state.settings.identity_limit
    if limit is not None and len(call.state.identities) >= limit:
        raise errors.bad_request(
            "Failed to create identity due to identity limit reached. Upgrade plan to create more"
            " identities."
        )


def create_identity(call: Call) -> Any:
    """Create an identity without any auth method."""
    given = read_identity(call, CREATE_IDENTITY)
    same_organization(call, given["organizationId"])
    require(call, "create")
    role = given.get("role", "no-access")
    require_role(call, role)
    require_rbac(call, role)
    if role != "no-access" or call.generation == "2025-06":
        require_grant(call, [role], "Failed to create identity")
    require_room(call)
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


def change_row(call: Call, identity: Identity, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """Change name, protection and metadata, so far as the server does; the metadata that it tells.

    Without a name or the flag set, the row is not touched: a flag of false alone is lost.
    """
    if given.get("name") or given.get("hasDeleteProtection"):
        identity.name = given.get("name", identity.name)
        identity.delete_protection = given.get("hasDeleteProtection", identity.delete_protection)
        identity.updated_at = timestamp(call.state.now())
    return store_metadata(call, identity, given["metadata"]) if "metadata" in given else []


def update_identity(call: Call) -> Any:
    """Change the fields given, so far as the server does."""
    given = read_identity(call, IDENTITY_FIELDS)
    identity = find_listed(call)
    if call.generation < "2026":
        guard_instance_admin(identity)
    permit_in_organization(call, identity, "edit")
    above = outranked(call, organization_roles(call, identity))
    if above and call.generation == "2024-10":
        raise errors.forbidden("Failed to delete more privileged identity")
    if "role" in given:
        require_role(call, given["role"])
        require_rbac(call, given["role"])
        require_grant(call, [given["role"]], "Failed to update identity")
        if above and call.generation >= "2026" and call.state.settings.legacy_privileges:
            raise boundary("Failed to update identity", RANK)
    guard_instance_admin(identity)
    refuse_projects(identity)
    check_identity_columns(given, "Create" if given.get("metadata") else "Update by id")
    metadata: list[dict[str, str]] = []
    if identity.home_id == call.organization_id:
        metadata = change_row(call, identity, given)
    if "role" in given:
        membership = identity.membership(call.organization_id)
        assert membership is not None
        call.state.set_roles(membership, [given["role"]])
    return {"identity": show_created(call.state, identity, metadata)}


def delete_identity(call: Call) -> Any:
    """Delete an identity with all that hangs on it; another organisation's is only taken out."""
    identity = find_listed(call)
    if call.generation < "2026":
        guard_instance_admin(identity)
    permit_in_organization(call, identity, "delete")
    if outranked(call, organization_roles(call, identity)):
        # In 2025 nothing is checked, in either privilege system.
        if call.generation == "2024-10":
            raise errors.forbidden("Failed to delete more privileged identity")
        if call.generation >= "2026" and call.state.settings.legacy_privileges:
            raise boundary("Failed to delete identity", RANK)
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


# -- lists and searches -------------------------------------------------------------------------


def memberships_of(call: Call) -> list[tuple[Identity, Membership]]:
    """The memberships in the calling token's organisation, those of its projects left out."""
    return call.state.rows(
        (identity, membership)
        for identity in call.state.identities.values()
        if (membership := identity.membership(call.organization_id))
    )


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
    filters["$or"] = Field(schema.listing(schema.record(dict(filters)), most=5))
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


def _fits(name: str, grants: Iterable[Grant], search: Mapping[str, Any], state: State) -> bool:
    """Whether a name and one of the roles fulfil a filter; `custom` is every custom role."""
    if not _matches(name, search.get("name", {})):
        return False
    if "role" in search:
        words = {grant.role for grant in grants}
        if any(state.roles[word].custom for word in words if word in state.roles):
            words.add(CUSTOM)
        if not any(_matches(word, search["role"]) for word in words):
            return False
    either = search.get("$or")
    return not either or any(_fits(name, grants, one, state) for one in either)


def search_identities(call: Call) -> Any:
    """A page of the identities that match. A limit of 0 is none; beyond the end nothing counts.

    One with several roles has as many places.
    """
    given = schema.read_body(call.generation, SEARCH[call.generation], call.body)
    require(call, "read")
    limit, offset = int(given["limit"]), int(given["offset"])
    if limit < 0 or not 0 <= offset <= rules.BIGINT_MAX:
        raise errors.broken("FindByOrgId")
    found = [
        (identity, grant)
        for identity, membership in memberships_of(call)
        if not identity.project_id
        for grant in membership.grants
        if _fits(identity.name, [grant], given["search"], call.state)
    ]

    def order(row: tuple[Identity, Grant]) -> str:
        identity, grant = row
        return identity.name if given["orderBy"] == "name" else grant.role

    found.sort(key=order, reverse=given["orderDirection"] == "desc")
    page = found[offset : offset + limit] if limit else found
    return {
        "identities": [
            show_identity(call.state, identity, call.organization_id, where="search", grant=grant)
            for identity, grant in page
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
    roles = state.roles_in(membership.project_id)
    rows = []
    for grant in membership.grants:
        custom = grant.role in roles and roles[grant.role].custom
        slug = grant.role if custom else None
        temporary = grant.lasts is not None
        rows.append(
            {
                "id": state.role_id(f"{membership.id} {grant.role}"),
                "role": CUSTOM if custom else grant.role,
                "customRoleId": state.role_id(grant.role) if custom else None,
                "customRoleName": slug,
                "customRoleSlug": slug,
                "isTemporary": temporary,
                "temporaryMode": "relative" if temporary else None,
                "temporaryRange": grant.lasts,
                "temporaryAccessStartTime": grant.starts,
                "temporaryAccessEndTime": grant.ends(),
            }
        )
    return rows


def readable(call: Call, scope: str) -> list[tuple[Identity, Membership]]:
    """The memberships of a scope that the caller may read; the others are left out in silence."""
    if scope == "organization":
        if not allowed(call, "read"):
            return []
        return [member for member in memberships_of(call) if not member[0].project_id]
    everywhere = allowed(call, "access-all-projects") and allowed(call, "read")
    return [
        (identity, membership)
        for identity in call.state.identities.values()
        for membership in identity.memberships
        if (project_id := membership.project_id)
        and membership.organization_id == call.organization_id
        and (identity.project_id or call.state.settings.search_members)
        and (
            everywhere or (call.caller.membership(project_id) and allowed(call, "read", project_id))
        )
    ]


def search_both(call: Call) -> Any:
    """A page of identities, those of projects too."""
    given = schema.read_body(call.generation, SEARCH_V2, call.body)
    state = call.state
    found = [
        member
        for scope in given["scope"]
        for member in readable(call, scope)
        if _fits(member[0].name, member[1].grants, given["search"], state)
    ]
    found.sort(
        key=lambda member: (member[0].name.lower(), member[1].id),
        reverse=given["orderDirection"] == "desc",
    )
    page = found[given["offset"] : given["offset"] + given["limit"]]
    # Within the page the plain name decides.
    page.sort(key=lambda member: member[0].name, reverse=given["orderDirection"] == "desc")
    return {
        "identities": [show_member(state, *member) for member in page],
        "totalCount": len(found) if page else 0,
    }


COUNT_V2 = {
    "scope": Field(SEARCH_V2["scope"].read, default=["organization", "project"]),
    "search": SEARCH_V2["search"],
}


def count_both(call: Call) -> Any:
    """How many identities each scope has; 0 where the caller may not look."""
    given = schema.read_body(call.generation, COUNT_V2, call.body)
    return {
        "counts": {
            scope: sum(
                _fits(identity.name, membership.grants, given["search"], call.state)
                for identity, membership in readable(call, scope)
            )
            for scope in given["scope"]
        }
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
                "identityId": identity.id,
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


def show_project(project: Project) -> dict[str, Any]:
    """A project, in short."""
    return {"id": project.id, "name": project.name, "slug": project.slug, "type": project.kind}
