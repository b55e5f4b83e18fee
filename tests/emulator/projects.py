# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects, the identities that they own, their memberships; roles; sub-organisations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import errors, schema
from .calls import (
    RANK,
    Call,
    allowed,
    boundary,
    guard_instance_admin,
    no_member,
    outranked,
    parse_database_id,
    require,
    require_grant,
)
from .errors import ApiError
from .identities import (
    PAIR,
    change_row,
    check_identity_columns,
    require_room,
    show_created,
    show_project,
    show_roles,
    store_metadata,
)
from .schema import ABSENT, Field
from .state import (
    CUSTOM,
    DEFAULT_PROJECT_ROLES,
    SEEDED_AT,
    Grant,
    Identity,
    Membership,
    Project,
    State,
    range_seconds,
    seconds_of,
    timestamp,
)

# -- projects -----------------------------------------------------------------------------------


def show_whole_project(project: Project) -> dict[str, Any]:
    """A project with the organisation that it is of."""
    return {**show_project(project), "orgId": project.organization_id}


def create_project(call: Call) -> Any:
    """Create a project, with the caller for its admin."""
    fields = {
        "projectName": Field(schema.string(), required=True),
        "type": Field(schema.string(), default="secret-manager"),
    }
    given = schema.read_body(call.generation, fields, call.body)
    if not allowed(call, "create"):
        raise errors.permission_denied("create", "workspace")
    state = call.state
    project = state.add_project(given["projectName"], call.organization_id, given["type"])
    state.add_member(call.caller, call.organization_id, ["admin"], project.id)
    return {"project": show_whole_project(project)}


def delete_project(call: Call) -> Any:
    """Delete a project with all that is its own."""
    for project in call.state.projects.values():
        if (project.slug, project.organization_id) == (call.path["slug"], call.organization_id):
            require(call, "delete", project.id)
            call.state.remove_project(project)
            return show_project(project)
    raise errors.not_found(f"Project with slug {call.path['slug']} not found")


def projects_of(call: Call) -> list[Project]:
    """The projects of the caller's organisation, by name."""
    found = call.state.rows(
        project
        for project in call.state.projects.values()
        if project.organization_id == call.organization_id
    )
    return sorted(found, key=lambda project: project.name)


def _own_projects(call: Call) -> list[dict[str, Any]]:
    kind = call.query.get("type")
    return [
        show_whole_project(project)
        for project in projects_of(call)
        if kind in (None, project.kind) and call.caller.membership(project.id)
    ]


def list_projects(call: Call) -> Any:
    """The projects that the caller is a member of."""
    return {"projects": _own_projects(call)}


def list_workspaces(call: Call) -> Any:
    """The same under the name of old."""
    return {"workspaces": _own_projects(call)}


_SEARCHABLE = re.compile(r"[A-Za-z0-9-]+\Z")


def _searched(value: Any, path: list[Any], issues: schema.Issues) -> Any:
    """A part of a project's name, as servers of 2025 take it."""
    text = schema.string()(value, path, issues)
    if text is not ABSENT and not _SEARCHABLE.match(text):
        message = "Invalid pattern: only alphanumeric characters, - are allowed."
        issues.append({"code": "custom", "path": path, "message": message})
    return text


SEARCH_PROJECTS = {
    "limit": Field(schema.number(), default=100),
    "offset": Field(schema.number(), default=0),
    "type": Field(schema.string()),
    "name": Field(schema.string(least=1, most=256)),
    "orderBy": Field(schema.choice("name"), default="name"),
    "orderDirection": Field(schema.choice("asc", "desc"), default="asc"),
    "projectIds": Field(schema.listing(schema.string())),
}
SEARCH_PROJECTS_2025 = {
    **{name: field for name, field in SEARCH_PROJECTS.items() if name != "projectIds"},
    "name": Field(_searched),
}


def search_projects(call: Call) -> Any:
    """Every project of the organisation, and whether the caller is a member."""
    fields = SEARCH_PROJECTS if call.generation >= "2026" else SEARCH_PROJECTS_2025
    given = schema.read_body(call.generation, fields, call.body)
    found = [
        {**show_whole_project(project), "isMember": bool(call.caller.membership(project.id))}
        for project in projects_of(call)
        if given.get("type", project.kind) == project.kind
        and given.get("name", "").lower() in project.name.lower()
        and ("projectIds" not in given or project.id in given["projectIds"])
    ]
    if given["orderDirection"] == "desc":
        found.reverse()
    if min(given["limit"], given["offset"]) < 0:
        raise errors.broken()
    page = found[given["offset"] : given["offset"] + given["limit"]]
    return {"projects": page, "totalCount": len(found) if page else 0}


def list_all_projects(call: Call) -> Any:
    """Every project of the organisation, for who may have access to all of them."""
    fields = {
        "limit": Field(schema.digits(least=None, most=100), default=50),
        "offset": Field(schema.digits(least=None), default=0),
        "search": Field(schema.string(), default=""),
    }
    given = schema.read_body(call.generation, fields, dict(call.query))
    if not allowed(call, "access-all-projects"):
        raise errors.permission_denied("access-all-projects", "organization-admin-console")
    found = [
        show_whole_project(project)
        for project in projects_of(call)
        if given["search"].lower() in project.name.lower()
    ]
    if min(given["limit"], given["offset"]) < 0:
        raise errors.broken("Find one")
    # As in the first search of identities, a limit of 0 is none.
    page = found[given["offset"] : given["offset"] + given["limit"]] if given["limit"] else found
    return {"projects": page, "count": len(found) if page else 0}


def read_project(call: Call) -> Any:
    """The project of a slug, for its members. The answer has no envelope."""
    for project in projects_of(call):
        if project.slug == call.path["slug"]:
            if not call.caller.membership(project.id):
                raise no_member(call, project.id)
            return show_whole_project(project)
    raise errors.not_found(f"Project with slug '{call.path['slug']}' not found")


def find_project(call: Call, action: str | None = None) -> Project:
    """The project of the path, if the caller has a permission on its identities."""
    project_id = call.path["project_id"]
    project = call.state.projects.get(project_id)
    if call.generation < "2026":
        if project is None or project.organization_id != call.organization_id:
            raise no_member(call, project_id)
    elif project is None:
        raise errors.not_found(f"Project with {project_id} not found")
    elif project.organization_id != call.organization_id:
        raise errors.forbidden("This project does not belong to your selected organization.")
    if action:
        require(call, action, project.id)
    return project


# -- roles --------------------------------------------------------------------------------------


def _show_role_row(state: State, slug: str, owner: Mapping[str, str]) -> dict[str, Any]:
    made = timestamp(SEEDED_AT)
    return {
        "id": state.role_id(slug),
        "name": slug.replace("-", " ").title(),
        "slug": slug,
        "description": "",
        "createdAt": made,
        "updatedAt": made,
        **owner,
    }


def read_organization_role(call: Call) -> Any:
    """The organisation's role of a slug."""
    if not allowed(call, "read-role"):
        raise errors.permission_denied("read", "role")
    slug = call.path["slug"]
    if slug not in call.state.roles:
        raise errors.not_found(f"Role with slug '{slug}' not found")
    owner = {"orgId": call.organization_id}
    return {"role": {**_show_role_row(call.state, slug, owner), "permissions": []}}


def refuse_identities(call: Call) -> Any:
    """What is for users only."""
    path = f"/api/v1/organization/{call.path['organization_id']}/roles"
    raise errors.forbidden(
        "You are not allowed to access this resource", error=f"Forbidden access to {path}"
    )


def _roles_of_project(call: Call) -> Project:
    project_id = call.path["project_id"]
    if call.generation < "2026" and project_id not in call.state.projects:
        raise errors.not_found(f"Project with ID '{project_id}' not found")
    project = find_project(call)
    if not allowed(call, "read-role", project.id):
        raise errors.permission_denied("read", "role")
    return project


def list_project_roles(call: Call) -> Any:
    """The roles of a project."""
    project = _roles_of_project(call)
    owner = {"projectId": project.id}
    slugs = call.state.roles_in(project.id)
    return {"roles": [_show_role_row(call.state, slug, owner) for slug in slugs]}


def read_project_role(call: Call) -> Any:
    """The project's role of a slug."""
    project = _roles_of_project(call)
    slug = call.path["slug"]
    if slug not in call.state.roles_in(project.id):
        raise errors.not_found(f"Project role with slug '{slug}' not found")
    owner = {"projectId": project.id}
    return {"role": {**_show_role_row(call.state, slug, owner), "permissions": []}}


def _role_fields(least: int) -> tuple[dict[str, Field], dict[str, Field]]:
    """A role in a body, for good and for a time."""
    permanent = {
        "role": Field(schema.string(trim=False, least=least), required=True),
        "isTemporary": Field(schema.flag, default=False),
    }
    temporary = {
        **permanent,
        "temporaryMode": Field(schema.choice("relative"), required=True),
        "temporaryRange": Field(_range, required=True),
        "temporaryAccessStartTime": Field(_time, required=True),
    }
    return permanent, temporary


def _range(value: Any, path: list[Any], issues: schema.Issues) -> Any:
    """A length of time such as ``1h``."""
    text = schema.string(trim=False)(value, path, issues)
    if text is not ABSENT and range_seconds(text) <= 0:
        message = "Temporary range must be a positive number"
        issues.append({"code": "custom", "path": path, "message": message})
    return text


def _time(value: Any, path: list[Any], issues: schema.Issues) -> Any:
    """A point of time in ISO 8601."""
    text = schema.string(trim=False)(value, path, issues)
    try:
        seconds_of(text)
    except (AttributeError, ValueError):
        issues.append({"code": "invalid_string", "path": path, "message": "Invalid datetime"})
    return text


def roles_field(generation: str, *, least: int = 0, required: bool = False) -> Field:
    """Roles in a body; read into `Grant`s. Since 2026 a role is no empty text."""
    permanent, temporary = _role_fields(1 if generation >= "2026" else 0)

    def read(value: Any, path: list[Any], issues: schema.Issues) -> Any:
        for_a_time = isinstance(value, dict) and value.get("isTemporary") is True
        given = schema.record(temporary if for_a_time else permanent)(value, path, issues)
        if issues:
            return ABSENT
        return Grant(
            given["role"], given.get("temporaryRange"), given.get("temporaryAccessStartTime")
        )

    return Field(schema.listing(read, least=least), required=required)


def check_grants(
    call: Call, project: Project, grants: Iterable[Grant], what: str, *, custom: bool = False
) -> None:
    """Refuse roles that there are not, that would all end, or that the caller may not give.

    `custom` lets the word for all custom roles pass for one.
    """
    known = call.state.roles_in(project.id)
    for grant in grants:
        if grant.role not in known and not (grant.role == CUSTOM and custom):
            if call.generation < "2026":
                raise errors.not_found(f"Specified role was not found: {grant.role}")
            raise errors.not_found(
                f"Specified roles '{grant.role}' was not found in the project with ID"
                f" '{project.id}'"
            )
    if call.generation >= "2026" and all(grant.lasts for grant in grants):
        raise errors.bad_request("Identity must have at least one permanent role")
    slugs = [grant.role for grant in grants]
    may_assign = call.generation >= "2026" and allowed(call, "assign-role", project.id)
    if not may_assign or call.state.settings.legacy_privileges:
        require_grant(call, slugs, what, project.id)


# -- identities that a project owns -------------------------------------------------------------


PROJECT_IDENTITY = {
    "name": Field(schema.string(least=1)),
    "hasDeleteProtection": Field(schema.flag),
    "metadata": Field(schema.listing(PAIR)),
}
CREATE_PROJECT_IDENTITY = {
    **PROJECT_IDENTITY,
    "name": Field(schema.string(least=1), required=True),
    "roles": roles_field("2026"),
}


def _known_fields(call: Call, fields: Mapping[str, Field]) -> dict[str, Any]:
    drops = call.state.settings.drops
    known = {name: field for name, field in fields.items() if name not in drops}
    return schema.read_body(call.generation, known, call.body)


def create_project_identity(call: Call) -> Any:
    """Create an identity that a project owns, without any auth method."""
    given = _known_fields(call, CREATE_PROJECT_IDENTITY)
    project = find_project(call, "create")
    grants = given.get("roles")
    if grants:
        check_grants(call, project, grants, "Failed to create identity")
    require_room(call)
    check_identity_columns(given, "Create")
    identity = call.state.add_identity(given["name"], project_id=project.id)
    membership = identity.membership(project.id)
    assert membership is not None
    call.state.set_roles(
        membership, grants or [DEFAULT_PROJECT_ROLES.get(project.kind, "no-access")]
    )
    identity.delete_protection = given.get("hasDeleteProtection", False)
    metadata = store_metadata(call, identity, given.get("metadata", []))
    return {"identity": show_created(call.state, identity, metadata, new=True)}


def find_project_identity(call: Call, action: str) -> Identity:
    """The identity of the path, if the project of the path owns it."""
    project = find_project(call, action)
    identity = call.state.known(call.path["identity_id"].lower())
    if identity is None or identity.project_id != project.id:
        raise errors.not_found(f"Identity with id {call.path['identity_id']} not found")
    return identity


def _page_fields(generation: str) -> dict[str, Field]:
    """A page in a query. Servers before 2026 make longer ones."""
    most = 1000 if generation >= "2026" else 20000
    return {
        "offset": Field(schema.digits(), default=0),
        "limit": Field(schema.digits(least=1, most=most)),
    }


def _page(call: Call, given: Mapping[str, Any]) -> slice:
    """The rows of a page. Left out, the limit is none, or the documented one if taken literally."""
    limit = given.get("limit", 20 if call.state.settings.literal_schema else None)
    return slice(given["offset"], None if limit is None else given["offset"] + limit)


def _unordered(call: Call) -> list[Identity]:
    """The identities, without the order in which they were made."""
    by_id = sorted(call.state.identities.values(), key=lambda identity: identity.id)
    return call.state.rows(by_id)


def list_project_identities(call: Call) -> Any:
    """The identities that a project owns. In a page, each key of metadata takes a row."""
    fields = {
        **_page_fields(call.generation),
        "search": Field(schema.string(trim=False), default=""),
    }
    given = schema.read_body(call.generation, fields, dict(call.query))
    project = find_project(call, "read")
    found = [
        identity
        for identity in _unordered(call)
        if identity.project_id == project.id and given["search"].lower() in identity.name.lower()
    ]
    rows = [(identity, pair) for identity in found for pair in identity.metadata or [{}]]
    shown: dict[str, dict[str, Any]] = {}
    for identity, pair in rows[_page(call, given)]:
        item = shown.setdefault(identity.id, show_created(call.state, identity, []))
        if pair and "metadata" in item:
            item["metadata"].append(dict(pair))
    return {"identities": list(shown.values()), "totalCount": len(found)}


def read_project_identity(call: Call) -> Any:
    """One identity that a project owns, with its auth methods."""
    identity = find_project_identity(call, "read")
    shown = show_created(call.state, identity, [dict(pair) for pair in identity.metadata], new=True)
    return {"identity": {**shown, "activeLockoutAuthMethods": []}}


def update_project_identity(call: Call) -> Any:
    """Change the fields given, so far as the server does. Roles are the membership's matter."""
    given = _known_fields(call, PROJECT_IDENTITY)
    identity = find_project_identity(call, "edit")
    guard_instance_admin(identity)
    check_identity_columns(given, "Create" if given.get("metadata") else "Update by id")
    metadata = change_row(call, identity, given)
    return {"identity": show_created(call.state, identity, metadata)}


def delete_project_identity(call: Call) -> Any:
    """Delete an identity that a project owns."""
    identity = find_project_identity(call, "delete")
    guard_instance_admin(identity)
    if call.state.settings.legacy_privileges:
        membership = identity.membership(str(identity.project_id))
        held = membership.roles(call.state.now()) if membership else []
        if outranked(call, held, identity.project_id):
            what = "Failed to remove a more privileged identity from the project"
            raise boundary(what, RANK)
    if identity.delete_protection:
        raise errors.bad_request("Cannot delete identity while delete protection is enabled")
    shown = show_created(call.state, identity)
    call.state.remove_identity(identity)
    return {"identity": shown}


# -- memberships of identities in a project -----------------------------------------------------


def _show_written(identity: Identity, membership: Membership) -> dict[str, Any]:
    return {
        "id": membership.id,
        "projectId": membership.project_id,
        "identityId": identity.id,
        "createdAt": membership.created_at,
        "updatedAt": membership.updated_at,
    }


def _show_membership(
    state: State, identity: Identity, membership: Membership, *, whole: bool
) -> dict[str, Any]:
    """A membership as the list shows it, or `whole`, as the answer for one does."""
    shown: dict[str, Any] = {
        "id": membership.id,
        "identityId": identity.id,
        "createdAt": membership.created_at,
        "updatedAt": membership.updated_at,
        "roles": show_roles(state, membership),
    }
    inner: dict[str, Any] = {"id": identity.id, "name": identity.name}
    shown["identity"] = inner
    if state.generation < "2026":
        project = state.projects[str(membership.project_id)]
        inner["authMethods"] = list(identity.methods)
        shown["project"] = {"id": project.id, "name": project.name}
        return shown
    inner |= {"orgId": identity.home_id, "projectId": identity.project_id}
    if whole:
        del shown["identityId"]
        inner["authMethods"] = list(identity.methods)
        inner["metadata"] = [dict(pair) for pair in identity.metadata]
        shown["lastLoginAuthMethod"] = identity.last_login_method
        shown["lastLoginTime"] = identity.last_login_time
    return shown


def _candidate(call: Call) -> Identity:
    """The identity of the path, if it is of the organisation."""
    text = call.path["identity_id"]
    if call.generation < "2026":
        text = parse_database_id(text, "Find one")
    identity = call.state.known(text.lower())
    if identity is None or not identity.membership(call.organization_id):
        if call.generation < "2026":
            raise errors.not_found(f"Failed to find identity with ID {text}")
        raise errors.bad_request(f"Identity {text} is missing organization membership")
    return identity


def _member(
    call: Call, project_id: str, absent: ApiError, operation: str = "Find one"
) -> tuple[Identity, Membership]:
    """The identity of the path and its membership in the project of an id."""
    text = call.path["identity_id"]
    if call.generation < "2026":
        text = parse_database_id(text, operation)
    identity = call.state.known(text.lower())
    membership = identity.membership(project_id) if identity else None
    if identity is None or membership is None:
        raise absent
    return identity, membership


_NO_MEMBERSHIP = errors.bad_request("Identity doesn't have membership")


def create_membership(call: Call) -> Any:
    """Give an identity of the organisation roles in a project."""
    fields = {
        "role": Field(schema.string(), default="no-access"),
        "roles": roles_field(call.generation),
    }
    given = schema.read_body(call.generation, fields, call.body)
    if not given["role"] and "roles" not in given:
        raise errors.bad_request("You must provide either role or roles field")
    project = find_project(call, "create")
    identity = _candidate(call)
    if identity.project_id:
        raise errors.bad_request(
            "Failed to create project membership for a project scoped identity"
        )
    if identity.membership(project.id):
        raise errors.bad_request(
            "Identity is already a member"
            if call.generation >= "2026"
            else f"Identity with ID {identity.id} already exists in project with ID {project.id}"
        )
    grants = given.get("roles", [Grant(given["role"])])
    what = "Failed to create identity project membership"
    if call.generation >= "2026":
        check_grants(call, project, grants, what)
    else:
        check_grants(call, project, grants, _ASSIGN, custom=True)
    membership = call.state.add_member(identity, call.organization_id, grants, project.id)
    return {"identityMembership": _show_written(identity, membership)}


_ASSIGN = "Failed to assign to role"
_CHANGE = "Failed to change role"


def update_membership(call: Call) -> Any:
    """Replace the roles of an identity in a project."""
    fields = {"roles": roles_field(call.generation, least=1, required=True)}
    given = schema.read_body(call.generation, fields, call.body)
    project = find_project(call, "edit")
    absent = _NO_MEMBERSHIP
    if call.generation < "2026":
        absent = errors.not_found(
            f"Identity with ID {call.path['identity_id']} doesn't exists in project with ID"
            f" {project.id}"
        )
    identity, membership = _member(call, project.id, absent)
    what = "Failed to update identity project membership"
    check_grants(call, project, given["roles"], what if call.generation >= "2026" else _CHANGE)
    call.state.set_roles(membership, given["roles"])
    return {"identityMembership": _show_written(identity, membership)}


# What a read has from the table of custom roles, and the answer to a write has not.
_JOINED = ("customRoleName", "customRoleSlug")


def update_old_membership(call: Call) -> Any:
    """The same on the path of old, which answers the roles."""
    update_membership(call)
    identity = call.state.identities[call.path["identity_id"].lower()]
    membership = identity.membership(call.path["project_id"])
    assert membership is not None
    written = {
        "projectMembershipId": membership.id,
        "createdAt": membership.updated_at,
        "updatedAt": membership.updated_at,
    }
    return {
        "roles": [
            {name: value for name, value in role.items() if name not in _JOINED} | written
            for role in show_roles(call.state, membership)
        ]
    }


def delete_membership(call: Call) -> Any:
    """Take an identity of the organisation out of a project."""
    if call.generation < "2026":
        absent = errors.not_found(f"Failed to find identity with ID {call.path['identity_id']}")
        identity, membership = _member(call, call.path["project_id"], absent)
        find_project(call, "delete")
    else:
        project = find_project(call, "delete")
        identity, membership = _member(call, project.id, _NO_MEMBERSHIP)
        if identity.project_id:
            raise errors.bad_request(
                "Failed to delete project membership for a project scoped identity"
            )
        if identity.id == call.caller.id:
            raise errors.bad_request("You can't delete your own membership")
    identity.memberships.remove(membership)
    return {"identityMembership": _show_written(identity, membership)}


def list_memberships(call: Call) -> Any:
    """Every identity that has a role in a project."""
    new = call.generation >= "2026"
    fields = {
        **_page_fields(call.generation),
        ("identityName" if new else "search"): Field(schema.string(trim=False), default=""),
        "roles": Field(schema.string()),
    }
    given = schema.read_body(call.generation, fields, dict(call.query))
    project = find_project(call, "read")
    wanted = set(given["roles"].split(",")) if new and "roles" in given else None
    part = given["identityName" if new else "search"].lower()
    found = [
        (identity, membership)
        for identity in _unordered(call)
        if (membership := identity.membership(project.id))
        and part in identity.name.lower()
        and (wanted is None or wanted & {grant.role for grant in membership.grants})
    ]
    return {
        "identityMemberships": [
            _show_membership(call.state, *member, whole=False)
            for member in found[_page(call, given)]
        ],
        "totalCount": len(found),
    }


def read_membership(call: Call) -> Any:
    """One identity's roles in a project."""
    project = find_project(call, "read")
    absent = errors.not_found("Identity membership not found")
    if call.generation < "2026":
        absent = errors.not_found(
            f"Project membership for identity with ID '{call.path['identity_id']} in project with"
            f" ID '{project.id}' not found"
        )
    member = _member(call, project.id, absent, "FindByProjectId")
    if not member[1].grants:
        # Without a role there is no row to join.
        raise absent
    return {"identityMembership": _show_membership(call.state, *member, whole=True)}


# -- sub-organisations --------------------------------------------------------------------------


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
        "isAccessible": Field(schema.choice("true", "false"), default="false"),
    }
    given = schema.read_body(call.generation, fields, dict(call.query))
    made = timestamp(SEEDED_AT)
    found = [
        {
            "id": organization.id,
            "name": organization.name,
            "slug": organization.slug,
            "parentOrgId": root,
            "createdAt": made,
            "updatedAt": made,
        }
        for organization in sorted(state.organizations.values(), key=lambda one: one.name)
        if organization.parent_id == root
        and given["search"].lower() in organization.name.lower()
        and (given["isAccessible"] == "false" or call.caller.membership(organization.id))
    ]
    return {
        "organizations": found[given["offset"] : given["offset"] + given["limit"]],
        "totalCount": len(found),
    }
