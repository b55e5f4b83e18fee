# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits the time and the size of a whole response, with its head and its body.

The timeout of a socket is for the next few bytes, so a server that sends a byte now and then could
block a task forever. Here, the timeout is for the whole response. The size is the number of bytes
on the wire, so endless lines and chunks with a negative size cannot evade the limit.
"""

from __future__ import annotations

import contextvars
import http.client
import io
import socket
import time
import typing as t

# The maximum sizes of the body and of the head of a response. Each thread sets its own for bodies.
max_bytes: contextvars.ContextVar[int] = contextvars.ContextVar("max_bytes", default=1024 * 1024)
_MAX_HEAD_BYTES = 64 * 1024


class TooLargeError(OSError):
    """A response is larger than allowed."""

    def __init__(self) -> None:
        super().__init__("the response is too large")


class _LimitedReader(io.RawIOBase):
    """Reads a response until a deadline, and up to a size."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._connection = connection
        self._timeout = connection.gettimeout()
        self._deadline = time.monotonic() + (self._timeout or 0)
        self._left = max_bytes.get() + _MAX_HEAD_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        if self._timeout is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout("timed out")
            self._connection.settimeout(left)
        if self._left <= 0:
            raise TooLargeError
        # Cut the buffer down to the limit. A large buffer is fine: its unused part takes no memory.
        count = self._raw.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class LimitedResponse(http.client.HTTPResponse):
    """A response whose head and body must arrive within the timeout of its connection."""

    def __init__(self, sock: socket.socket, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_LimitedReader(self.fp.detach(), sock))


def limit_responses(manager: t.Any) -> None:
    """Limit the responses on all new connections of a pool manager of urllib3."""
    manager.pool_classes_by_scheme = {
        scheme: _limited_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def failed_to_connect(causes: t.Iterable[BaseException]) -> bool:
    """Return whether a request failed before its connection was ready.

    That includes the name lookup, the proxy's response and the TLS handshake. After any other
    failure, the request may have reached the server. `causes` has an exception of a limited
    connection and all its causes.
    """
    return any(getattr(cause, "while_connecting", False) for cause in causes)


def failed_in_tunnel(causes: t.Iterable[BaseException]) -> bool:
    """Return whether a request failed when a proxy was to connect to the server."""
    return any(getattr(cause, "in_tunnel", False) for cause in causes)


def _limited_pool(pool: t.Any) -> t.Any:
    made: t.Any = pool.ConnectionCls
    if made.response_class is LimitedResponse:
        return pool

    class Connection(made):
        response_class = LimitedResponse

        def connect(self) -> None:
            try:
                super().connect()
            except Exception as failure:
                failure.while_connecting = True  # type: ignore[attr-defined]
                raise

        def _tunnel(self) -> None:
            try:
                super()._tunnel()
            except Exception as failure:
                failure.in_tunnel = True  # type: ignore[attr-defined]
                raise

    Connection.__name__ = made.__name__
    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})
