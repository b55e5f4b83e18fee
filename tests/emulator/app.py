# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ASGI application: from HTTP to handlers and back, in the order of the server's checks."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from . import errors, routes, schema
from .calls import ApiRoute, Call, authenticate
from .control import Control
from .control_api import control_routes
from .edge import CONTROL_PREFIX, Edge
from .errors import ApiError

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(value: Any) -> bytes:
    """JSON as the server writes it."""
    return _encoder.encode(value).encode()


def _json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(value), status, headers, media_type="application/json; charset=utf-8")


def error_response(
    control: Control, error: ApiError, headers: dict[str, str] | None = None
) -> Response:
    """An error in the shape of the server's generation."""
    request_id = None
    if control.generation > "2024-10":
        request_id = f"req-{control.state.new_request_number():014d}"
    return _json_response(
        error.status, error.body(request_id), {**(headers or {}), **error.headers}
    )


def _endpoint(control: Control, route: ApiRoute) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a row of the table: everything around its handler."""
    state = control.state

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        given = request.headers
        path = {name: unquote(value) for name, value in request.path_params.items()}
        headers: dict[str, str] = {}
        with state.lock:
            if any(re.search(pattern, route.path) for pattern in state.settings.lacks):
                return _no_route(request)
            address = state.settings.client_address or request.scope["client"][0]
            try:
                token = authenticate(state, given.get("authorization"), address)
                if token is None and not route.public:
                    raise errors.unauthorized("Token missing")
                body = schema.parse_body(state.generation, request.method, given, raw)
                headers = _count(control, route, address)
                state.record()
                seen = state.as_replica() if route.limit == "read" else state
                caller = state.identities[token.identity_id] if token else None
                call = Call(seen, path, request.query_params, body, token, caller)
                answer = route.handler(call)
                state.record()
                return _json_response(200, answer, headers)
            except ApiError as error:
                return error_response(control, error, headers)

    return endpoint


def _count(control: Control, route: ApiRoute, address: str) -> dict[str, str]:
    """Count a request against the limits that are set; the headers are its own bucket's."""
    state, settings = control.state, control.state.settings
    kind = route.limit_kind(state.generation)
    headers: dict[str, str] = {}
    for bucket, limit in (
        (("*", "*", address), settings.global_limit),
        (
            (route.method, route.path, address),
            getattr(settings, f"{kind}_limit"),
        ),
    ):
        if limit is not None:
            headers = state.windows.count(
                bucket, limit, settings.window, state.now(), settings.rate_limit_status
            )
    return headers


async def _unknown_route(request: Request, _exception: Exception) -> Response:
    return _no_route(request)


def _no_route(request: Request) -> Response:
    """What the server's framework says where there is no route."""
    target = request.scope["path"]
    if request.url.query:
        target += f"?{request.url.query}"
    message = f"Route {request.method}:{target} not found"
    return _json_response(404, {"message": message, "error": "Not Found", "statusCode": 404})


def make_app(control: Control) -> ASGIApp:
    """The application for the generation of `control`."""
    app = Starlette(
        routes=[
            Mount(CONTROL_PREFIX, routes=control_routes(control)),
            *(
                Route(route.path, _endpoint(control, route), methods=[route.method])
                for route in routes.routes_of(control.generation)
            ),
        ],
        exception_handlers={404: _unknown_route, 405: _unknown_route},
    )
    app.router.redirect_slashes = False
    return Edge(control, app, encode=encode, error_response=error_response)
