# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API: the same controls for what is not written in Python, under ``/_emulator``."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .control import Control

_Handler = Callable[[Request, Any], Any]


def control_routes(control: Control) -> list[Route]:
    """The routes, relative to the prefix."""

    def seeded(_request: Request, _body: Any) -> Any:
        return {
            "generation": control.generation,
            "organization_id": control.organization_id,
            "organization_slug": control.organization_slug,
            "sub_organization_id": control.sub_organization_id,
            "other_organization_id": control.other_organization_id,
            "project_id": control.project_id,
            "client_id": control.client_id,
            "client_secret": control.client_secret,
            "token": control.token,
            "identities": control.identities,
        }

    def reset(_request: Request, _body: Any) -> Any:
        control.reset()
        return {}

    def advance(_request: Request, body: Any) -> Any:
        control.advance(**body)
        return {}

    def settings(_request: Request, body: Any) -> Any:
        return control.settings(**(body or {}))

    def faults(_request: Request, _body: Any) -> Any:
        return {"faults": control.faults()}

    def add_fault(_request: Request, body: Any) -> Any:
        return {"id": control.fault(**body)}

    def clear_faults(_request: Request, _body: Any) -> Any:
        control.clear_faults()
        return {}

    def requests(request: Request, _body: Any) -> Any:
        records = control.requests(**request.query_params)
        return {"requests": [dataclasses.asdict(record) for record in records]}

    def clear_requests(_request: Request, _body: Any) -> Any:
        control.clear_requests()
        return {}

    def create_identities(_request: Request, body: Any) -> Any:
        if "names" in body:
            return {"ids": control.create_identities(**body)}
        return {"id": control.create_identity(**body)}

    def create_project(_request: Request, body: Any) -> Any:
        return {"id": control.create_project(**body)}

    def create_role(_request: Request, body: Any) -> Any:
        control.create_role(**body)
        return {}

    def create_sub_organization(_request: Request, body: Any) -> Any:
        return {"id": control.create_sub_organization(**body)}

    def change_identity(request: Request, body: Any) -> Any:
        control.change_identity(request.path_params["identity_id"], **body)
        return {}

    def set_roles(request: Request, body: Any) -> Any:
        control.set_roles(request.path_params["identity_id"], **body)
        return {}

    def memberships(request: Request, _body: Any) -> Any:
        return {"memberships": control.memberships(request.path_params["identity_id"])}

    def add_member(request: Request, body: Any) -> Any:
        control.add_member(request.path_params["identity_id"], **body)
        return {}

    def identity(request: Request, _body: Any) -> Any:
        return {"identity": control.identity(request.path_params["identity_id"])}

    def delete_identity(request: Request, _body: Any) -> Any:
        control.delete_identity(request.path_params["identity_id"])
        return {}

    def azure_auth(request: Request, _body: Any) -> Any:
        return {"azure_auth": control.azure_auth(request.path_params["identity_id"])}

    def put_azure_auth(request: Request, body: Any) -> Any:
        return {"azure_auth": control.put_azure_auth(request.path_params["identity_id"], **body)}

    def remove_azure_auth(request: Request, _body: Any) -> Any:
        control.remove_azure_auth(request.path_params["identity_id"])
        return {}

    def put_method(request: Request, body: Any) -> Any:
        return {"stored": control.put_method(**request.path_params, **body)}

    def credentials(request: Request, _body: Any) -> Any:
        return dataclasses.asdict(control.credentials(request.path_params["identity_id"]))

    def ldap(request: Request, _body: Any) -> Any:
        return dataclasses.asdict(control.ldap(request.path_params["identity_id"]))

    def jwt(_request: Request, body: Any) -> Any:
        return {"jwt": control.jwt(**body)}

    def tokens(request: Request, _body: Any) -> Any:
        return {"live": control.live_tokens(**request.query_params)}

    def issue_token(_request: Request, body: Any) -> Any:
        return {"token": control.issue_token(**body)}

    table: list[tuple[str, str, _Handler]] = [
        ("GET", "/", seeded),
        ("POST", "/reset", reset),
        ("POST", "/advance", advance),
        ("GET", "/settings", settings),
        ("PATCH", "/settings", settings),
        ("GET", "/faults", faults),
        ("POST", "/faults", add_fault),
        ("DELETE", "/faults", clear_faults),
        ("GET", "/requests", requests),
        ("DELETE", "/requests", clear_requests),
        ("POST", "/identities", create_identities),
        ("POST", "/projects", create_project),
        ("POST", "/roles", create_role),
        ("POST", "/sub-organizations", create_sub_organization),
        ("GET", "/identities/{identity_id}/memberships", memberships),
        ("POST", "/identities/{identity_id}/memberships", add_member),
        ("PUT", "/identities/{identity_id}/roles", set_roles),
        ("GET", "/identities/{identity_id}", identity),
        ("PATCH", "/identities/{identity_id}", change_identity),
        ("DELETE", "/identities/{identity_id}", delete_identity),
        ("GET", "/identities/{identity_id}/azure-auth", azure_auth),
        ("PUT", "/identities/{identity_id}/azure-auth", put_azure_auth),
        ("DELETE", "/identities/{identity_id}/azure-auth", remove_azure_auth),
        ("PUT", "/identities/{identity_id}/methods/{method}", put_method),
        ("GET", "/identities/{identity_id}/credentials", credentials),
        ("GET", "/identities/{identity_id}/ldap", ldap),
        ("POST", "/jwts", jwt),
        ("GET", "/tokens", tokens),
        ("POST", "/tokens", issue_token),
    ]
    return [Route(path, _endpoint(handler), methods=[method]) for method, path, handler in table]


def _endpoint(handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    """What the Python face raises for wrong use becomes a 400 that says so."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await request.json() if await request.body() else None
            return JSONResponse(handler(request, body))
        except (KeyError, TypeError, ValueError) as exception:
            return JSONResponse({"error": f"{type(exception).__name__}: {exception}"}, 400)

    return endpoint
