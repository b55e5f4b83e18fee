# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A forward proxy, or a front with TLS or a path prefix: what stands before real servers."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Forwarder(ThreadingHTTPServer):
    """Passes every request on to one server on loopback, and remembers the paths it was asked for.

    `headers` are those of each request, with names in lower case.

    A forward proxy is asked for whole URLs, a front for paths, below `prefix` if it has one.
    """

    daemon_threads = True

    def __init__(
        self,
        target: str,
        *,
        prefix: str = "",
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), _Handler)
        self.target = urlsplit(target).netloc
        self.prefix = prefix
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []
        scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{shown}:{self.server_address[1]}"

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Say nothing of clients that refuse the certificate."""


class _Handler(BaseHTTPRequestHandler):
    server: Forwarder
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        self.server.seen.append(self.path)
        self.server.headers.append({name.lower(): text for name, text in self.headers.items()})
        path = urlsplit(self.path)._replace(scheme="", netloc="").geturl()
        length = int(self.headers.get("Content-Length") or 0)
        connection = http.client.HTTPConnection(self.server.target)
        connection.request(
            self.command,
            path.removeprefix(self.server.prefix),
            self.rfile.read(length) or None,
            dict(self.headers),
        )
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _forward  # noqa: N815 http.server asks for these

    def log_message(self, *_arguments: t.Any) -> None:
        """Print nothing."""


@contextlib.contextmanager
def serving(forwarder: Forwarder) -> t.Iterator[Forwarder]:
    """Serve until the block ends."""
    with forwarder:
        threading.Thread(target=forwarder.serve_forever, daemon=True).start()
        try:
            yield forwarder
        finally:
            forwarder.shutdown()


def forwarding(target: str, **options: t.Any) -> contextlib.AbstractContextManager[Forwarder]:
    """Serve with the options of Forwarder until the block ends."""
    return serving(Forwarder(target, **options))


class Gate:
    """Passes connections on to a server on loopback, until it is closed; then hangs up at once."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._open = True
        port = self._listener.getsockname()[1]
        self.url = f"{self._target.scheme}://127.0.0.1:{port}"

    def __enter__(self) -> Gate:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_why: object) -> None:
        self.close()
        self._listener.close()

    def close(self) -> None:
        """Hang up on those who are connected, and from now on on everybody."""
        with self._lock:
            self._open = False
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                with self._lock:
                    if not self._open:
                        client.close()
                        continue
                    server = socket.create_connection((self._target.hostname, self._target.port))
                    self._connections += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(64 * 1024):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
