# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API: one table of routes, and which a server has."""

from __future__ import annotations

from typing import Any

from .calls import ApiRoute, Call
from .identities import (
    count_both,
    create_identity,
    delete_identity,
    get_identity,
    identity_details,
    identity_memberships,
    list_identities,
    search_both,
    search_identities,
    update_identity,
)
from .logins import LOGINS
from .methods import (
    attach_azure,
    attach_token_auth,
    attach_universal,
    create_client_secret,
    create_token,
    login,
    read_azure,
    renew_token,
    revoke_azure,
    revoke_token,
    update_azure,
    update_token_auth,
)
from .projects import (
    create_membership,
    create_project,
    create_project_identity,
    delete_membership,
    delete_project,
    delete_project_identity,
    list_all_projects,
    list_memberships,
    list_project_identities,
    list_project_roles,
    list_projects,
    list_sub_organizations,
    list_workspaces,
    read_membership,
    read_organization_role,
    read_project,
    read_project_identity,
    read_project_role,
    refuse_identities,
    search_projects,
    update_membership,
    update_old_membership,
    update_project_identity,
)


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
_PROJECT = "/api/v1/projects/{project_id}"
_OWNED = f"{_PROJECT}/identities"
_MEMBERS = f"{_PROJECT}/memberships/identities"
_OLD_MEMBERS = "/api/v2/workspace/{project_id}/identity-memberships"
_OLD_ROLES = "/api/v2/workspace/{project_id}/roles"
_ONE = "{identity_id}"

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
    *(
        ApiRoute("POST", path, handler, "read", since="2026")
        for path, handler in (
            ("/api/v2/identities/search", search_both),
            ("/api/v2/identities/search/count", count_both),
        )
    ),
    ApiRoute(
        "GET",
        "/api/v1/organization/roles/slug/{slug}",
        read_organization_role,
        "read",
        since="2026",
    ),
    ApiRoute(
        "GET",
        "/api/v1/organization/{organization_id}/roles",
        refuse_identities,
        "read",
        until="2026",
    ),
    ApiRoute("POST", "/api/v2/workspace", create_project, "write"),
    ApiRoute("DELETE", "/api/v2/workspace/{slug}", delete_project, "write"),
    ApiRoute("GET", "/api/v1/workspace", list_workspaces, "read"),
    ApiRoute("POST", "/api/v1/workspace/search", search_projects, "read", since="2025-06"),
    ApiRoute(
        "GET", "/api/v1/organization-admin/projects", list_all_projects, "read", since="2025-06"
    ),
    ApiRoute("GET", _OLD_ROLES, list_project_roles, "read", since="2025-06"),
    ApiRoute("GET", f"{_OLD_ROLES}/slug/{{slug}}", read_project_role, "read", since="2025-06"),
    ApiRoute("GET", _OLD_MEMBERS, list_memberships, "read"),
    ApiRoute("GET", f"{_OLD_MEMBERS}/{_ONE}", read_membership, "read"),
    ApiRoute("POST", f"{_OLD_MEMBERS}/{_ONE}", create_membership, "write"),
    ApiRoute("PATCH", f"{_OLD_MEMBERS}/{_ONE}", update_old_membership, "write"),
    ApiRoute("DELETE", f"{_OLD_MEMBERS}/{_ONE}", delete_membership, "write"),
    *(
        ApiRoute(method, path, handler, limit, since="2026")
        for method, path, handler, limit in (
            ("GET", "/api/v1/projects", list_projects, "read"),
            ("POST", "/api/v1/projects/search", search_projects, "read"),
            ("GET", "/api/v1/projects/slug/{slug}", read_project, "read"),
            ("GET", f"{_PROJECT}/roles", list_project_roles, "read"),
            ("GET", f"{_PROJECT}/roles/slug/{{slug}}", read_project_role, "read"),
            ("GET", _OWNED, list_project_identities, "read"),
            ("POST", _OWNED, create_project_identity, "write"),
            ("GET", f"{_OWNED}/{_ONE}", read_project_identity, "read"),
            ("PATCH", f"{_OWNED}/{_ONE}", update_project_identity, "write"),
            ("DELETE", f"{_OWNED}/{_ONE}", delete_project_identity, "write"),
            ("GET", _MEMBERS, list_memberships, "read"),
            ("GET", f"{_MEMBERS}/{_ONE}", read_membership, "read"),
            ("POST", f"{_MEMBERS}/{_ONE}", create_membership, "write"),
            ("PATCH", f"{_MEMBERS}/{_ONE}", update_membership, "write"),
            ("DELETE", f"{_MEMBERS}/{_ONE}", delete_membership, "write"),
            ("GET", "/api/v1/sub-organizations", list_sub_organizations, "read"),
        )
    ),
    ApiRoute("POST", _UNIVERSAL, attach_universal, "write"),
    ApiRoute("POST", f"{_UNIVERSAL}/client-secrets", create_client_secret, "write"),
    ApiRoute("POST", _TOKEN, attach_token_auth, "write"),
    ApiRoute("PATCH", _TOKEN, update_token_auth, "write"),
    ApiRoute("POST", f"{_TOKEN}/tokens", create_token, "write"),
    ApiRoute("GET", "/api/docs/json", api_document, "read", public=True),
)


def routes_of(generation: str) -> list[ApiRoute]:
    """The routes that a generation knows."""
    return [route for route in ROUTES if route.since <= generation < route.until]
