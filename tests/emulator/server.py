# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop an emulator."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from .app import make_app
from .control import Control
from .rules import NEWEST

HOST = "127.0.0.1"


class Emulator(Control):
    """A running emulator: the controls, and the address it listens on."""

    def __init__(self, url: str, generation: str, **settings: Any) -> None:
        super().__init__(generation, **settings)
        self.url = url


class _Protocol(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """uvicorn's protocol, which lets faults at the connection."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.Transport) -> None:
        # asyncio leaves this to sockets that name their protocol, which a listener's do not; an
        # answer in two writes would wait for a delayed acknowledgement.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


@contextmanager
def running(generation: str = NEWEST, *, port: int = 0, **settings: Any) -> Iterator[Emulator]:
    """Serve on loopback from a daemon thread until the block ends; port 0 takes a free one."""
    with socket.create_server((HOST, port), backlog=1024) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        emulator = Emulator(url, generation, **settings)
        config = uvicorn.Config(
            make_app(emulator),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="emulator", daemon=True
        )
        thread.start()
        try:
            yield emulator
        finally:
            # Connections that clients keep open, or that a fault holds, are not waited for.
            server.should_exit = server.force_exit = True
            thread.join()
