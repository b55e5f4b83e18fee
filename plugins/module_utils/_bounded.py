# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that are bounded in time as a whole.

The timeout of a socket is for the next few bytes: a server that sends one of them now and then
could hold a task for ever. Here it is for the whole answer, head and body.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import typing as t


class _Bounded(io.RawIOBase):
    """The bytes of an answer until a deadline."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._connection = connection
        self._timeout = connection.gettimeout()
        self._deadline = time.monotonic() + (self._timeout or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        if self._timeout is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout("timed out")
            self._connection.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """An answer whose head and body have to come within the timeout of its connection."""

    def __init__(self, sock: socket.socket, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_Bounded(self.fp.detach(), sock))


def bound(manager: t.Any) -> None:
    """Let the connections that a pool manager of urllib3 makes from now on be bounded."""
    manager.pool_classes_by_scheme = {
        scheme: _bounded(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _bounded(pool: t.Any) -> t.Any:
    if pool.ConnectionCls.response_class is BoundedResponse:
        return pool
    connection = type(
        pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": BoundedResponse}
    )
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})
