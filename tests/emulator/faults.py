# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Misbehaviour on request: which requests a fault is for, and what it does to them."""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import errors
from .limits import refusal

CHANGES = ("attach", "update", "detach", "delete", "edit", "create")
WHEN = ("before", "after")

_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_PIECE = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """A whole answer of the server."""

    status: int
    headers: dict[str, str]
    body: bytes


class Exchange(Protocol):
    """One request, as a fault sees it."""

    transport: asyncio.Transport

    async def work(self) -> Answer:
        """Let the server do what was asked and keep its answer."""

    async def answer(self, answer: Answer) -> None:
        """Send an answer."""

    async def refuse(self, error: errors.ApiError) -> None:
        """Send an error in the server's own shape."""

    async def begin(self, status: int, headers: dict[str, str]) -> None:
        """Send the head of an answer."""

    async def piece(self, data: bytes, *, last: bool = False) -> None:
        """Send a part of the body."""

    async def gone(self) -> None:
        """Wait until the connection is closed."""

    def change(self, change: str, identity_id: str | None, fields: dict[str, Any]) -> None:
        """Change the identity of the request behind the client's back."""

    def overwrite(self, fields: dict[str, Any]) -> bytes:
        """Change fields of the stored Azure Auth and return the answer that shows them."""

    def encode(self, value: Any) -> bytes:
        """JSON as the server writes it."""


# An action returns True when it has answered, and False to let the request go on.
Action = Callable[..., Awaitable[bool]]


async def latency(exchange: Exchange, *, seconds: float, when: str = "before") -> bool:
    """Wait, before the work or between the work and its answer."""
    answer = await exchange.work() if when == "after" else None
    await asyncio.sleep(seconds)
    if answer is None:
        return False
    await exchange.answer(answer)
    return True


async def rate_limit(
    exchange: Exchange,
    *,
    retry_after: str | int | None = 1,
    status: int = 429,
    error: str = "RateLimitExceeded",
) -> bool:
    """Refuse as above the rate limit; `retry_after` may be None or nonsense."""
    text = None if retry_after is None else str(retry_after)
    await exchange.refuse(refusal(status, error, text, {}))
    return True


async def error(
    exchange: Exchange,
    *,
    status: int = 500,
    error: str = "InternalServerError",
    message: Any = errors.SOMETHING_WRONG,
    html: bool = False,
    retry_after: int | None = None,
    when: str = "before",
) -> bool:
    """Answer an error; `html` makes it a proxy's page instead of the server's JSON."""
    asks = {} if retry_after is None else {"retry-after": str(retry_after)}
    if when == "after":
        await exchange.work()
    if html:
        page = f"<html><body><h1>{status} {message}</h1></body></html>".encode()
        await exchange.answer(Answer(status, {"content-type": _HTML, **asks}, page))
    else:
        await exchange.refuse(errors.ApiError(status, error, message, headers=asks))
    return True


async def drop(exchange: Exchange, *, when: str = "before", reset: bool = False) -> bool:
    """Close the connection without an answer, or `reset` it."""
    if when == "after":
        await exchange.work()
    if reset:
        connection = exchange.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.transport.abort()
    await exchange.gone()
    return True


async def late(exchange: Exchange, *, seconds: float) -> bool:
    """Close the connection without an answer, and do the work only so many seconds later."""
    exchange.transport.abort()
    await exchange.gone()
    await asyncio.sleep(seconds)
    await exchange.work()
    return True


async def truncate(exchange: Exchange, *, keep: int = 10) -> bool:
    """Do the work, send `keep` bytes of the body, and close."""
    answer = await exchange.work()
    await exchange.begin(answer.status, {**answer.headers, "content-length": f"{len(answer.body)}"})
    await exchange.piece(answer.body[:keep])
    exchange.transport.close()
    await exchange.gone()
    return True


async def body(
    exchange: Exchange,
    *,
    json: Any = None,
    text: str | None = None,
    content_type: str | None = None,
    status: int = 200,
    when: str = "before",
) -> bool:
    """Answer another body: `text` as it is, else `json`, whose default is a lone null."""
    if when == "after":
        await exchange.work()
    data = exchange.encode(json) if text is None else text.encode()
    content_type = content_type or (_JSON if text is None else _HTML)
    await exchange.answer(Answer(status, {"content-type": content_type}, data))
    return True


async def redirect(exchange: Exchange, *, location: str, status: int = 307) -> bool:
    """Send the client elsewhere."""
    await exchange.answer(Answer(status, {"location": location}, b""))
    return True


async def huge(exchange: Exchange, *, size: int = 100 * 1024 * 1024, gzip: bool = False) -> bool:
    """Answer JSON of `size` bytes, compressed to next to nothing if `gzip`."""
    headers = {"content-type": _JSON}
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16) if gzip else None
    if compressor:
        headers["content-encoding"] = "gzip"
    await exchange.begin(200, headers)
    filler = b"a" * _PIECE
    sent = 0
    while sent < size and not exchange.transport.is_closing():
        data = b'"' + filler if not sent else filler
        sent += len(data)
        await exchange.piece(compressor.compress(data) if compressor else data)
    await exchange.piece(
        compressor.compress(b'"') + compressor.flush() if compressor else b'"', last=True
    )
    return True


async def drip(exchange: Exchange, *, interval: float = 1.0) -> bool:
    """Do the work and send its answer a byte at a time."""
    answer = await exchange.work()
    await exchange.begin(answer.status, {**answer.headers, "content-length": f"{len(answer.body)}"})
    for index in range(len(answer.body)):
        if exchange.transport.is_closing():
            break
        last = index == len(answer.body) - 1
        await exchange.piece(answer.body[index : index + 1], last=last)
        await asyncio.sleep(interval)
    return True


async def race(
    exchange: Exchange,
    *,
    change: str,
    identity_id: str | None = None,
    fields: dict[str, Any] | None = None,
) -> bool:
    """Somebody else is faster: change the identity of the path, or another, or make one, before."""
    exchange.change(change, identity_id, fields or {})
    return False


async def collide(exchange: Exchange, *, error: str = "Create") -> bool:
    """Do the work, and answer a database's 500 instead of a 400: as if others came in between."""
    answer = await exchange.work()
    if answer.status == 400:
        await exchange.refuse(errors.ApiError(500, error, errors.SOMETHING_WRONG))
    else:
        await exchange.answer(answer)
    return True


async def mismatch(exchange: Exchange, *, fields: dict[str, Any]) -> bool:
    """Store and answer something other than what was asked."""
    answer = await exchange.work()
    if answer.status == 200:
        answer = Answer(200, answer.headers, exchange.overwrite(fields))
    await exchange.answer(answer)
    return True


ACTIONS: dict[str, Action] = {
    action.__name__: action
    for action in (
        latency,
        rate_limit,
        error,
        drop,
        late,
        truncate,
        body,
        redirect,
        huge,
        drip,
        race,
        collide,
        mismatch,
    )
}


@dataclass
class Fault:
    """An action for some requests.

    `nth` counts matching requests from 1 and picks one; `times` ends it after so many hits.
    """

    id: int
    action: str
    options: dict[str, Any]
    method: str | None = None
    path: re.Pattern[str] | None = None
    identity_ids: frozenset[str] = frozenset()
    nth: int | None = None
    times: int | None = None
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is for it, which counts."""
        if self.method not in (None, method):
            return False
        if self.path and not self.path.search(path):
            return False
        if self.identity_ids and self.identity_ids.isdisjoint(path.lower().split("/")):
            return False
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True

    def describe(self) -> dict[str, Any]:
        """What the control API shows."""
        return {
            "id": self.id,
            "action": self.action,
            **self.options,
            "method": self.method,
            "path": self.path.pattern if self.path else None,
            "identity_id": sorted(self.identity_ids),
            "nth": self.nth,
            "times": self.times,
            "hits": self.hits,
        }


def make_fault(
    number: int,
    action: str,
    *,
    method: str | None = None,
    path: str | None = None,
    identity_id: str | Sequence[str] | None = None,
    nth: int | None = None,
    times: int | None = None,
    **options: Any,
) -> Fault:
    """Check and make a fault; ValueError says what is wrong."""
    if action not in ACTIONS:
        raise ValueError(f"action is one of {', '.join(ACTIONS)}")
    try:
        inspect.signature(ACTIONS[action]).bind(None, **options)
    except TypeError as exception:
        raise ValueError(f"{action}: {exception}") from None
    if options.get("when", "before") not in WHEN:
        raise ValueError(f"when is one of {', '.join(WHEN)}")
    if action == "race" and options["change"] not in CHANGES:
        raise ValueError(f"change is one of {', '.join(CHANGES)}")
    identity_ids = [identity_id] if isinstance(identity_id, str) else identity_id or ()
    return Fault(
        id=number,
        action=action,
        options=options,
        method=method.upper() if method else None,
        path=re.compile(path) if path else None,
        identity_ids=frozenset(item.lower() for item in identity_ids),
        nth=nth,
        times=times,
    )
