# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outermost layer: keeps the request log and lets faults have their way."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import schema
from .control import Control, RequestRecord
from .errors import ApiError
from .faults import ACTIONS, Answer
from .state import AZURE

CONTROL_PREFIX = "/_emulator"
# Fields of request bodies that hold secrets.
_SECRET_FIELDS = ("accessToken", "clientSecret", "jwt", "password")


class Edge:
    """ASGI middleware around the API. The control API passes through untouched."""

    def __init__(
        self,
        control: Control,
        app: ASGIApp,
        *,
        encode: Callable[[Any], bytes],
        error_response: Callable[[Control, ApiError], Response],
    ) -> None:
        self.control = control
        self.app = app
        self.encode = encode
        self.error_response = error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(f"{CONTROL_PREFIX}/"):
            await self.app(scope, receive, send)
            return
        # Routed as it came: an encoded slash in an id is no slash of the path.
        path = scope["raw_path"].decode("latin-1")
        scope = {**scope, "path": path}
        body = await _read(receive)
        record = self._record(scope, body)
        self.control.log(record)
        if self.control.generation > "2024-10" and path.endswith("/") and path[-2:] != "//":
            # One slash at the end is as good as none.
            scope["path"] = path[:-1]
        exchange = _Exchange(self, scope, receive, send, body, record)
        try:
            await self._serve(exchange)
        except asyncio.CancelledError:
            # The server stops while a fault holds the request. Returning with the connection
            # closed is what uvicorn takes without a complaint.
            exchange.transport.abort()
            await exchange.gone()

    async def _serve(self, exchange: _Exchange) -> None:
        record = exchange.record
        seconds = self.control.state.settings.latency
        if seconds:
            await asyncio.sleep(seconds)
        for fault in self.control.matching_faults(record.method, record.path):
            if await ACTIONS[fault.action](exchange, **fault.options):
                return
        await self.app(exchange.scope, exchange.replay, exchange.send)

    def _record(self, scope: Scope, body: bytes) -> RequestRecord:
        headers = Headers(scope=scope)
        label = self.control.state.label
        authorization = headers.get("authorization")
        if authorization is not None:
            authorization = label(authorization[len("Bearer ") :])
        shown: Any = None
        if body:
            try:
                shown = schema.parse_json(body)
            except ValueError:
                shown = body.decode("utf-8", "replace")
        if isinstance(shown, dict):
            shown |= {name: label(str(shown[name])) for name in _SECRET_FIELDS if name in shown}
        return RequestRecord(
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            body=shown,
            headers=tuple(headers.keys()),
            authorization=authorization,
            time=self.control.state.now(),
        )


async def _read(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(pieces)


class _Exchange:
    """One request in the hands of the faults. See `faults.Exchange`."""

    def __init__(
        self,
        edge: Edge,
        scope: Scope,
        receive: Receive,
        send: Send,
        body: bytes,
        record: RequestRecord,
    ) -> None:
        self.edge = edge
        self.scope = scope
        self.receive = receive
        self.record = record
        self.encode = edge.encode
        self._send = send
        self._body = body
        self._replayed = False

    @property
    def transport(self) -> asyncio.Transport:
        transport: asyncio.Transport = self.scope["state"]["transport"]
        return transport

    async def replay(self) -> Message:
        """The request's body once more, for the application."""
        if self._replayed:
            return await self.receive()
        self._replayed = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Send to the client, and note the status."""
        if message["type"] == "http.response.start":
            self.record.status = message["status"]
        await self._send(message)

    async def work(self) -> Answer:
        status, headers, pieces = 0, {}, []

        async def keep(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = dict(Headers(raw=message["headers"]))
                del headers["content-length"]
            else:
                pieces.append(message["body"])

        await self.edge.app(self.scope, self.replay, keep)
        return Answer(status, headers, b"".join(pieces))

    async def answer(self, answer: Answer) -> None:
        await self._respond(Response(answer.body, answer.status, answer.headers))

    async def refuse(self, error: ApiError) -> None:
        await self._respond(self.edge.error_response(self.edge.control, error))

    async def _respond(self, response: Response) -> None:
        await response(self.scope, self.replay, self.send)

    async def begin(self, status: int, headers: dict[str, str]) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def piece(self, data: bytes, *, last: bool = False) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": not last})

    async def gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def change(self, change: str, identity_id: str | None, fields: dict[str, Any]) -> None:
        self.edge.control.change(change, identity_id or self._identity_id(), fields)

    def overwrite(self, fields: dict[str, Any]) -> bytes:
        control = self.edge.control
        with control.state.lock:
            identity = control.state.identities[self._identity_id()]
            if AZURE in identity.methods:
                control.put_azure_auth(identity.id, **fields)
            return self.encode({"identityAzureAuth": copy.deepcopy(identity.methods.get(AZURE))})

    def _identity_id(self) -> str:
        """The identity that the path is about: its last segment."""
        return self.record.path.rsplit("/", 1)[-1].lower()
